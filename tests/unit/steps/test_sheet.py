"""The sample sheet: what is read, and the message for each fault."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from conftest import Write
from lacuna.antibody.germlines import SPECIES
from lacuna.core.files import LacunaError
from lacuna.core.paths import SAMPLES_SCHEMA
from lacuna.core.words import AUTO
from lacuna.reads.recognition import tool_names
from lacuna.scaffolds.alkylation import READINGS
from lacuna.steps import sheet
from lacuna.steps.sheet import Sample, read_sheet
from lacuna.steps.small_samples import SEVERAL

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def files(write: Write) -> Path:
    """A folder with the files named in the sheets."""
    for name in ("a.fasta", "b.fasta", "a.bed", "t.fasta", "h.fasta", "r.csv", "s.csv.gz"):
        write(name, "x\t0\t1\n" if name.endswith(".bed") else ">x\nAC\n")
    return write("sub/c.fasta", ">x\nAC\n").parents[1]


def fault(write: Write, text: str) -> str:
    with pytest.raises(LacunaError) as error:
        read_sheet(write("samples.tsv", text))
    message = str(error.value)
    assert "samples.tsv" in message and "\n" not in message and len(message) < 1000
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


def test_reads_with_or_without_a_fasta(write: Write, files: Path) -> None:
    text = (
        "sample\tfasta\treads\treads_format\tcontaminants\tevidence\n"
        "one\t\tr.csv; s.csv.gz\tpeaks\tt.fasta\t\n"
        "two\ta.fasta\tr.csv\t\t\ta.bed\n"
    )
    one, two = read_sheet(write("samples.tsv", text))
    assert one.fasta is None and one.files("fasta") == ()
    assert one.reads == one.files("reads") == (files / "r.csv", files / "s.csv.gz")
    assert (one.reads_format, one.contaminants) == ("peaks", files / "t.fasta")
    assert two.files("fasta") == (files / "a.fasta",) and two.reads == (files / "r.csv",)
    assert two.files("evidence") == (files / "a.bed",)


def test_names_of_columns_in_any_case_and_quoted_cells(write: Write, files: Path) -> None:
    expected = (Sample("one", files / "a.fasta"),)
    assert read_sheet(write("samples.tsv", "Sample\tFASTA\none\ta.fasta\n")) == expected
    quoted = '"sample"\t"fasta"\n"one"\t"a.fasta"\n'
    assert read_sheet(write("samples.tsv", quoted)) == expected


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems(write: Write, files: Path, end: str) -> None:
    text = end.join(["sample\tfasta\tspecies", "one\ta.fasta\trat", ""])
    assert read_sheet(write("samples.tsv", text))[0].species == "rat"


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_spreadsheet_may_save_it_as_csv(
    write: Write, files: Path, delimiter: str, mark: str
) -> None:
    cells = ['"sample"', "fasta", "species"], ["one", '"a.fasta"', "rat"], ["two", '"a, b"', ""]
    write("a, b", ">x\nAC\n")
    text = mark + "\r\n".join(delimiter.join(row) for row in cells) + "\r\n"
    assert read_sheet(write("samples.csv", text)) == (
        Sample("one", files / "a.fasta", species="rat"),
        Sample("two", files / "a, b"),
    )


def test_empty_columns_beside_the_sheet_do_not_count(write: Write, files: Path) -> None:
    path = write("samples.csv", "sample,fasta,,\none,a.fasta,,\n,,,\n")
    assert read_sheet(path) == (Sample("one", files / "a.fasta"),)
    path = write("samples.csv", "sample,fasta,,\none,a.fasta,,rat\n")
    with pytest.raises(LacunaError, match="samples.csv:2: 4 cells under 2 columns"):
        read_sheet(path)


def test_a_path_may_hold_quotes_and_commas(write: Write, files: Path) -> None:
    name = 'it\'s "a", $(id); é.fasta'
    write(name, ">x\nAC\n")
    (sample,) = read_sheet(write("samples.tsv", f"sample\tfasta\na\t{name}\n"))
    assert sample.fasta == files / name


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty", "sample, fasta"]),
        ("\n \n", ["empty"]),
        ("sample\tfasta\n", ["no rows"]),
        ("sample\tgaps\n1\tx\n", [":1:", "'fasta' is missing", "found: sample, gaps"]),
        ("fasta\tgaps\na.fasta\ta.bed\n", [":1:", "'sample' is missing"]),
        ("sample\tfasta\ttruht\n", [":1:", "unknown column 'truht'", "did you mean 'truth'"]),
        ("sample\tFastas\n", ["unknown column 'fastas'", "did you mean 'fasta'"]),
        ("sample\tfasta\tqqqq\n", ["'qqqq'", "known are sample, fasta"]),
        ("sample\tfasta\tfasta\n", ["'fasta' occurs twice"]),
        ("sample\tfasta\na b\ta.fasta\n", [":2:", "'a b' is not a sample id", "letters, digits"]),
        ("sample\tfasta\n..\ta.fasta\n", [":2:", "'..' is not a sample id", "not only dots"]),
        ("sample\tfasta\n.\ta.fasta\n", [":2:", "'.' is not a sample id"]),
        *(
            (f"sample\tfasta\n{name}\ta.fasta\n", [":2:", f"'{name}' has the name", "rename it"])
            for name in sheet.RESERVED
        ),
        ("sample\tfasta\n\ta.fasta\n", [":2:", "'' is not a sample id"]),
        ("sample\tfasta\na\ta.fasta\n\na\tb.fasta\n", [":4:", "'a' is on line 2 already"]),
        ("sample\tfasta\na\tno.fasta\n", [":2:", "'a'", "fasta", "no.fasta' does not exist"]),
        ("sample\tfasta\na\tsub\n", ["fasta", "sub' is a folder"]),
        ("sample\tfasta\tgaps\na\ta.fasta\tno.bed\n", [":2:", "gaps", "no.bed' does not exist"]),
        ("sample\tfasta\tspecies\na\t\thuman\n", [":2:", "'a' has no fasta", "no reads"]),
        ("sample\treads\na\tr.csv;no.csv\n", [":2:", "'a'", "reads", "no.csv' does not exist"]),
        ("sample\treads\na\tr.csv;r.csv\n", [":2:", "reads 'r.csv' occurs twice", "keep one"]),
        ("sample\treads\na\tr.csv;./r.csv\n", ["reads './r.csv' occurs twice", "keep one"]),
        (
            "sample\tfasta\tspectra\na\ta.fasta\tr.csv;sub/../r.csv\n",
            ["spectra 'sub/../r.csv' occ"],
        ),
        *(
            (
                f"sample\treads\t{column}\na\tr.csv\ta.bed\n",
                [":2:", f"'a' has {column} and no fasta", f"remove {column}"],
            )
            for column in ("gaps", "evidence")
        ),
        (
            "sample\treads\ttruth\thomologs\na\tr.csv\ta.fasta\ta.fasta\n",
            [":2:", "'a' has a truth, homologs and no fasta", "remove the homologs"],
        ),
        *(
            (
                f"sample\tfasta\t{column}\na\ta.fasta\tt.fasta\n",
                [":2:", f"'a' has {column} and no reads", f"remove {column}"],
            )
            for column in ("contaminants", "reads_format")
        ),
        (
            "sample\tfasta\na\ta.fasta\nb\tb.fasta\tx\n",
            [":3:", "3 cells under 2 columns; remove the surplus"],
        ),
        ("sample\tfasta\n1\ta\ta.fasta\n", [":2:", "3 cells under 2", "row.names=FALSE"]),
        (
            "sample\tfasta\tgaps\n1\ta\ta.fasta\t\n2\tb\tb.fasta\t\n",
            [":2:", "4 cells", "row.names=FALSE"],
        ),
        (
            "sample\tfasta\tspecies\na\ta.fasta\thumam\n",
            [":2:", "unknown species 'humam'", "did you mean 'human'"],
        ),
        (
            "sample\treads\treads_format\na\tr.csv\tPEAKS X\n",
            [":2:", "unknown reads_format 'PEAKS X'", "did you mean 'peaks'"],
        ),
        (
            "sample fasta\na a.fasta\n",
            ["unknown column 'sample fasta'", "separate columns by tabs"],
        ),
        (
            "sample\tfasta\tnotes to self\na\ta.fasta\tb\n",
            ["unknown column 'notes to self'; remove it; known are sample, fasta"],
        ),
        ("Sample;Fast\na;a.fasta\n", ["unknown column 'fast'", "did you mean 'fasta'"]),
        (
            "sample\treads\na\ta.csv, b.csv\n",
            ["a.csv, b.csv' does not exist", "several files are joined by ;"],
        ),
        ("sample,fasta\na,no.fasta\n", [":2:", "no.fasta' does not exist"]),
        ('sample,fasta\na,"a.fasta\n', [":2:", "cannot be split into columns", "correct the line"]),
        ('sample\tfasta\na\t"a.fasta"\n', ["does not exist", "remove its quotes"]),
        (f"sample\tfasta\na\t{'x' * 200_000}\n", [":2:", "field limit", "correct the line"]),
        (f"sample\tfasta\na\t{'x' * 100_000}\n", [":2:", "'a'", "...' does not exist"]),
        (f"sample\tfasta\n{'x' * 100_000}\ta.fasta\n", [":2:", "100000 letters", "at most 100"]),
        (f"sample\tfasta\n{'x' * 101}\ta.fasta\n", [":2:", "has 101 letters", "at most 100"]),
        (f"sample\tfasta\t{'x' * 100_000}\n", [":1:", "unknown column"]),
        ("sample\tfasta\na\t{sample}.fasta\n", [":2:", "fasta", "holds braces", "rename"]),
        ("sample\tfasta\na\t~/a.fasta\n", [":2:", "'~/a.fasta' begins with '~'", "whole path"]),
        ("sample\tfasta\na\tC:\\data\\a.fasta\n", [":2:", "is a path of Windows", "'/'"]),
        ("sample\tfasta\na\thttps://lab.org/a.fasta\n", ["is a URL; download the file"]),
        ('sample,fasta\na,"a\nb.fasta"\n', ["holds a line end"]),
        ("sample\tfasta\na\ta\x1b[31m.fasta\n", ["control character"]),
        ("sample\tfasta\tgaps\na\ta.fasta\tb.fasta\n", ["is a FASTA file; give a table"]),
        ("sample\tfasta\tgaps\na\ta.bed\tb.fasta\n", ["is a FASTA file; swap it with"]),
        ("sample\tfasta\n../a\ta.fasta\n", [":2:", "'../a' is not a sample id"]),
        ("sample\tfasta\na;$(id)\ta.fasta\n", [":2:", "'a;$(id)' is not a sample id"]),
        ("sample\tfasta\n{a}\ta.fasta\n", [":2:", "'{a}' is not a sample id"]),
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


def test_the_schema_is_one_and_fits_what_reads_it() -> None:
    schema = yaml.safe_load(SAMPLES_SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert set(sheet.COLUMNS) == {field.name for field in fields(Sample)}
    assert sheet.CHAINS == ("fasta", "reads")
    assert set(sheet.PATHS) - set(sheet.CHAINS) == {
        "gaps",
        "truth",
        "homologs",
        "masses",
        "evidence",
        "contaminants",
        "spectra",
    }
    assert sheet.SEVERAL == SEVERAL
    # What the package knows must be among the values in samples.schema.yaml.
    assert set(sheet.ALKYLATIONS) == {AUTO, *READINGS}, "alkylation in samples.schema.yaml"
    assert sheet.SPECIES == ("auto", *SPECIES), "species in samples.schema.yaml"
    assert set(sheet.FORMATS) == {AUTO, *tool_names()}, "reads_format in samples.schema.yaml"
    defaults = Sample("x")
    for name in ("species", "alkylation", "reads_format"):
        assert schema["properties"][name]["default"] == getattr(defaults, name)
    assert schema["additionalProperties"] is False
