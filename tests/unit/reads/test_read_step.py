"""Reads between steps."""

from pathlib import Path

import pytest

from conftest import Write
from lacuna.core.files import LacunaError
from lacuna.core.tables import REJECTED_TABLE
from lacuna.reads.cysteine import carried_by_c, read_carried
from lacuna.reads.readers import read_peptides
from lacuna.steps.reads import load_reads
from lacuna.steps.reads import read_peptides as step


def test_reads_are_written_and_loaded_as_they_were(write: Write, tmp_path: Path) -> None:
    path = write("a.csv", "peptide,confidence\nEC(+57.02)K,0.9 0.8 0.7\nEVK,\nEXK,\n")
    out, rejected = tmp_path / "out" / "reads.jsonl.gz", tmp_path / "rejected.tsv"
    carried = tmp_path / "cysteine.json"
    step([path], "auto", out, rejected, carried)
    assert load_reads(out) == read_peptides([path]).reads
    assert list(REJECTED_TABLE.read(rejected)) == read_peptides([path]).rejected
    assert read_carried(carried) == {57.0215: 1}
    once = out.read_bytes()
    step([path], "table", out, rejected, carried)
    assert out.read_bytes() == once


def test_what_reads_carry_on_c_is_counted(write: Write) -> None:
    """Modifications of C alone, not of an end next to it, whatever the notation."""
    rows = ("AC(+57.02)C(+57.02)K", "C[Carbamidomethyl]AM[Oxidation]K", "[Acetyl]-CAK", "CAK")
    found = read_peptides([write("a.csv", "peptide\n" + "\n".join(rows) + "\n")]).reads
    assert len(found) == 4
    assert {round(mass, 2): n for mass, n in carried_by_c(found[:1]).items()} == {57.02: 2}
    assert {round(mass, 2): n for mass, n in carried_by_c(found[1:]).items()} == {57.02: 1}


def test_a_sample_without_any_read_stops_no_other(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, out, rejected = write("a.csv", "peptide\nEXK\n"), tmp_path / "out", tmp_path / "r.tsv"
    carried = tmp_path / "cysteine.json"
    step([path], "auto", out, rejected, carried)
    assert "no row can be read as a peptide" in caplog.text and "'X' in the peptide" in caplog.text
    assert load_reads(out) == [] and len(list(REJECTED_TABLE.read(rejected))) == 1
    with pytest.raises(LacunaError, match="no row can be read"):
        step([write("b.csv", "peptide\n")], "auto", out, rejected, carried)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("peptide\n", "check it"),
        ("peptide\tmass\n\t500\n", "column 'peptide' is empty in every row; give a table with"),
        ("Raw file\tModified sequence\nx\t \n", "column 'modified sequence' is .*, as msmsScans"),
        ("Raw file\tReverse\tModified sequence\nx\t+\t_EVK_\n", "check it"),
        (
            "Peptide,local confidence (%)\n,\n",
            "columns 'peptide' and 'local confidence .* are empty",
        ),
    ],
)
def test_an_empty_column_of_peptides_is_named(
    write: Write, tmp_path: Path, text: str, why: str
) -> None:
    path = write("a.csv", text)
    with pytest.raises(LacunaError, match=f"a.csv: no row can be read as a peptide; {why}"):
        step([path], "auto", tmp_path / "out", tmp_path / "r.tsv", tmp_path / "cysteine.json")


@pytest.mark.parametrize("line", ["{", "{}", "[]", '{"confidences": 1, "modifications": 2}'])
def test_a_spoilt_file_of_reads_names_its_line(write: Write, line: str) -> None:
    with pytest.raises(LacunaError, match="reads.jsonl:1: not a read"):
        load_reads(write("reads.jsonl", line + "\n"))
