"""The sample sheet: what is read, and what each fault is called."""

import re
from pathlib import Path

import pytest
import yaml

from conftest import Write
from lacuna import sheet
from lacuna.alkylation import CHOICES
from lacuna.files import LacunaError
from lacuna.sheet import Sample, read_sheet

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "samples.schema.yaml"


@pytest.fixture
def files(write: Write) -> Path:
    """A folder with the files that the sheets name; returns the folder."""
    for name in ("a.fasta", "b.fasta", "a.bed", "t.fasta", "h.fasta"):
        write(name, ">x\nAC\n")
    return write("sub/c.fasta", ">x\nAC\n").parents[1]


def fault(write: Write, text: str) -> str:
    with pytest.raises(LacunaError) as error:
        read_sheet(write("samples.tsv", text))
    message = str(error.value)
    assert "samples.tsv" in message and "\n" not in message
    return message


def test_paths_are_relative_to_the_sheet_and_cells_optional(write: Write, files: Path) -> None:
    text = (
        "sample\tspecies\tfasta\tgaps\ttruth\thomologs\n"
        "one\tmouse\ta.fasta\ta.bed\tt.fasta\th.fasta\n"
        f"two\t\tsub/c.fasta\n\nthree.x-1\tauto\t{files / 'b.fasta'}\t\t\t\n"
    )
    assert read_sheet(write("samples.tsv", text)) == (
        Sample(
            "one", files / "a.fasta", files / "a.bed", files / "t.fasta", files / "h.fasta", "mouse"
        ),
        Sample("two", files / "sub/c.fasta"),
        Sample("three.x-1", files / "b.fasta"),
    )


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems(write: Write, files: Path, end: str) -> None:
    text = end.join(["sample\tfasta\tspecies", "one\ta.fasta\trat", ""])
    assert read_sheet(write("samples.tsv", text))[0].species == "rat"


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty", "sample, fasta"]),
        ("\n \n", ["empty"]),
        ("sample\tfasta\n", ["no rows"]),
        ("sample\tgaps\n1\tx\n", [":1:", "'fasta' is missing", "found: sample, gaps"]),
        ("sample\tfasta\ttruht\n", [":1:", "unknown column 'truht'", "did you mean 'truth'"]),
        ("sample\tFasta\n", ["unknown column 'Fasta'", "did you mean 'fasta'"]),
        ("sample,fasta\n1,a.fasta\n", ["unknown column 'sample,fasta'"]),
        ("sample\tfasta\tqqqq\n", ["'qqqq'", "known are sample, fasta"]),
        ("sample\tfasta\tfasta\n", ["'fasta' stands twice"]),
        ("sample\tfasta\na b\ta.fasta\n", [":2:", "'a b' is no sample id", "letters, digits"]),
        ("sample\tfasta\n..\ta.fasta\n", [":2:", "'..' is no sample id", "not dots alone"]),
        ("sample\tfasta\n.\ta.fasta\n", [":2:", "'.' is no sample id"]),
        *(
            (f"sample\tfasta\n{name}\ta.fasta\n", [":2:", f"'{name}' has the name", "rename it"])
            for name in sheet.RESERVED
        ),
        ("sample\tfasta\n\ta.fasta\n", [":2:", "'' is no sample id"]),
        ("sample\tfasta\na\ta.fasta\n\na\tb.fasta\n", [":4:", "'a' stands on line 2 already"]),
        ("sample\tfasta\na\tno.fasta\n", [":2:", "'a'", "fasta", "no.fasta' does not exist"]),
        ("sample\tfasta\na\tsub\n", ["fasta", "sub' is a folder"]),
        ("sample\tfasta\tgaps\na\ta.fasta\tno.bed\n", [":2:", "gaps", "no.bed' does not exist"]),
        ("sample\tfasta\tspecies\na\t\thuman\n", [":2:", "'a' has no fasta"]),
        ("sample\tfasta\na\ta.fasta\tx\n", [":2:", "3 cells under 2 columns"]),
        (
            "sample\tfasta\tspecies\na\ta.fasta\thumam\n",
            [":2:", "unknown species 'humam'", "did you mean 'human'"],
        ),
        (
            "sample\tfasta\talkylation\na\ta.fasta\tCarbamidomethy\n",
            [":2:", "unknown alkylation 'Carbamidomethy'", "did you mean 'carbamidomethyl'"],
        ),
        ("sample\tfasta\tspecies\na\ta.fasta\tzzz\n", ["'zzz'", "use one of auto, human"]),
    ],
)
def test_faults_name_row_column_and_remedy(write: Write, text: str, words: list[str]) -> None:
    message = fault(write, text)
    assert [word for word in words if word not in message] == []


def test_a_sample_may_not_be_called_as_anything_else_in_the_output_folder() -> None:
    rules = (ROOT / "workflow" / "rules").glob("*.smk")
    names = [n for path in rules for n in re.findall(r'\bOUT / "([^"{]+)"', path.read_text())]
    assert sorted(set(names)) == sheet.RESERVED


def test_the_schema_says_what_the_code_does() -> None:
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    assert list(schema["properties"]) == list(sheet.COLUMNS)
    assert schema["required"] == list(sheet.REQUIRED)
    assert schema["properties"]["sample"]["pattern"] == f"^{sheet.SAMPLE_PATTERN}$"
    assert schema["properties"]["sample"]["not"]["enum"] == sheet.RESERVED
    assert schema["properties"]["species"]["enum"] == list(sheet.SPECIES)
    assert schema["properties"]["alkylation"]["enum"] == ["", *CHOICES]
    assert schema["properties"]["species"]["default"] == Sample("x", Path("y")).species
    assert schema["additionalProperties"] is False
