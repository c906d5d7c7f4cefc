"""Files of reads and their faults."""

import re

import numpy as np
import pytest

from conftest import ReadLines, Write
from lacuna.core.files import LacunaError
from lacuna.core.masses import NEM
from lacuna.reads.read import content_of, weight_of_equal
from lacuna.reads.readers import read_peptides
from lacuna.reads.recognition import tool_names
from read_tables import OXIDISED, PEAKS_X, only, reasons


def test_bytes_as_windows_writes_them(write: Write) -> None:
    text = "\ufeffpeptide,confidence\r\nEVK,1 1 1\r\n"
    assert only(read_peptides([write("a.csv", text)])).confidences == (1.0, 1.0, 1.0)
    assert only(read_peptides([write("a.csv.gz", text)])).name == "a.csv.gz:2"


def test_nem_is_a_name_as_it_is_one_of_alkylation(read_lines: ReadLines) -> None:
    assert only(read_lines("peptide", "AC(NEM)K")).modifications == ((1, NEM),)


@pytest.mark.parametrize("peptide", ["M[147.0354]K", "[228.11]QLV", "QC(57.02)LV"])
def test_the_remedy_of_a_mass_without_a_sign_is_one_of_peptides(
    read_lines: ReadLines, peptide: str
) -> None:
    (reason,) = reasons(read_lines("peptide", "EVK", peptide))
    remedy = "write what the residue gains, as in M[+15.9949]; if it is the mass of residues that "
    assert f", a mass without a sign; {remedy}" in reason
    assert "X[" not in reason  # X is no residue of a read
    assert only(read_lines("peptide", "M[+15.9949]K")).modifications == ((0, OXIDISED),)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("EVK,0.9 0.8,1", "2 confidences for 3 residues"),
        (
            "EVK,0.9 0.8 98,1",
            "a confidence of 98, which is not between 0 and 1; divide",
        ),
        ("EVK,0.9 0.8 -1,1", "a confidence of -1, which is not between 0 and 1; correct it"),
        ("EVK,0.9 0.8 nan,1", "a confidence of 'nan', which is no number"),
        ("EVK,0.9 0.8 .9_9,1", "a confidence of '.9_9', which is no number"),
        ("EVK,0.9 0.8 high,1", "a confidence of 'high', which is no number"),
        ("EXK,,1", "'X' in the peptide, which is none of the 20 residues"),
        ("evk,,1", "'e' in the peptide, a small letter; write residues as capitals"),
        ("E(Oxydation)K,,1", "modification 'Oxydation', a name that Unimod does not have"),
        ("E(16)K,,1", "modification '16', a mass without a sign"),
        ("E(+nan)K,,1", "modification '+nan'"),
        ("E(+1K,,1", "'(+1K' in the peptide"),
        ("(+42.01),,1", "a peptide without residues"),
        ("EV-K,,1", "'-' within the peptide; if it is a gap, keep the part of the peptide on one"),
        ("EVK-[Amidated]EVK,,1", "'-' within the peptide"),
        ("EVK", "1 cell where the table has 3 columns"),
        ("EVK,,1,2,3", "5 cells where the table has 3 columns"),
        ('"EVK,,1', "a quote that is not closed"),
        ('"EV"K,,1', "cannot be split into columns (',' expected after '\"'); correct"),
        ('EVK,,"' + "1" * 131_073 + '"', "cannot be split into columns (field larger than field"),
        ('E"VK,,1', "'\"VK' in the peptide"),
    ],
)
def test_a_bad_row_is_rejected_and_the_others_are_read(
    read_lines: ReadLines, row: str, fault: str
) -> None:
    found = read_lines("peptide,confidence,mass", "AAK,,1", row, "CCK,,1")
    assert [r.residues for r in found.reads] == ["AAK", "CCK"]
    (rejected,) = found.rejected
    assert (rejected.chain, rejected.line) == ("reads.csv:3", 3)
    assert f"reads.csv:3: {fault}" in rejected.reason
    assert "; " in rejected.reason  # and the remedy


@pytest.mark.parametrize(
    "text",
    [
        "peptide\tconfidence\n1\tEVK\t0.9\n2\tAAK\t0.8\n",
        '"peptide" "confidence"\n"a" "EVK" 0.9\n"b" "AAK" 0.8\n'.replace(" ", ","),
        f"{PEAKS_X}\n1{',1,EVK' + ',1' * 9},9 9 9,EVK\n",
    ],
)
def test_row_names_of_r_are_named_once(write: Write, text: str) -> None:
    with pytest.raises(LacunaError, match=r"a.tsv:2: \d+ cells under .*row.names=FALSE"):
        read_peptides([write("a.tsv", text)])


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [("peptide,RT,Peptide", "EVK,1,AAAK", "peptide"), (f"{PEAKS_X},ALC (%)", "", r"alc \(%\)")],
)
def test_two_columns_of_one_name_are_refused(
    read_lines: ReadLines, header: str, row: str, name: str
) -> None:
    with pytest.raises(LacunaError, match=f"reads.csv:1: 2 columns are named '{name}'; remove"):
        read_lines(header, row)
    assert read_lines("peptide,RT,RT", "EVK,1,2").reads  # which are not read


@pytest.mark.parametrize("name", ["a.csv", "b.csv", "a.csv.gz"])
def test_reads_that_are_given_twice_are_refused(write: Write, name: str) -> None:
    text = "peptide\nEVK\n"
    paths = [write("a.csv", text), write("other.csv", text + "\n"), write(name, text)]
    fault = "is named twice" if name == "a.csv" else f"is a copy of {re.escape(str(paths[0]))}"
    with pytest.raises(LacunaError, match=f"/{name}: {fault}, so that each of its reads counts"):
        read_peptides(paths)
    assert len(read_peptides(paths[:2]).reads) == 2


def test_a_copy_with_other_ends_of_lines_is_one(write: Write) -> None:
    paths = [write("a.csv", "peptide\nEVK\n"), write("b.csv", "\ufeffpeptide\r\nEVK\r\n")]
    with pytest.raises(LacunaError, match=r"b\.csv: is a copy of .*a\.csv"):
        read_peptides(paths)


def test_a_file_whose_reads_are_in_another_is_told(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [f"{'ACDEFGHK'[: n + 2]},{' '.join(['0.9'] * (n + 2))}" for n in range(6)]
    whole = write("whole.csv", "\n".join(("peptide,confidence", *rows)))
    part = write("part.csv", "\n".join(("peptide,confidence", *rows[:3], "CCK,0.1 0.2 0.3")))
    other = write(
        "other.csv",
        "\n".join(("peptide,confidence", rows[0], "DDK,0.1 0.2 0.3", "EEK,0.1 0.2 0.3")),
    )
    read_peptides([whole, other])
    assert not caplog.records
    read_peptides([whole, part])
    (record,) = caplog.records
    assert f"{part}: 3 of 4 reads are also in {whole}" in record.getMessage()


def test_a_file_whose_peptides_are_in_another_is_told_whatever_their_confidences(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    peptides = [f"{a}{b}CDEFK" for a in "ACDEFGHK" for b in "ACDEFGHK"]
    stated = [f"{one},0.{n:02}" for n, one in enumerate(peptides, 10)]
    tables = {
        "whole.csv": ["peptide,confidence", *stated],
        "bare.csv": ["peptide", *peptides],
        "most.csv": ["peptide", *peptides[:50], *["DDK"] * 5],
        "fewer.csv": ["peptide", *peptides[:50], *["DDK"] * 6],
        "few.csv": ["peptide", *peptides[:49]],
    }
    whole, bare, most, fewer, few = (write(name, "\n".join(rows)) for name, rows in tables.items())
    for paths, told in (
        ([whole, bare], f"{whole}: 64 of 64 reads are also in {bare}, and count twice"),
        ([most, bare], f"{most}: 50 of 55 reads are also in {bare}, and count twice"),
        ([bare, fewer], None),
        ([bare, few], None),
    ):
        caplog.clear()
        read_peptides(paths)
        warnings = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
        assert len(warnings) == (told is not None), warnings
        assert told is None or told in warnings[0]


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_a_clear_line(write: Write, text: str) -> None:
    with pytest.raises(LacunaError, match="empty"):
        read_peptides([write("a.csv", text)])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!DOCTYPE html>\n<html>", "no peptides, but a page of HTML; give the file itself"),
        (">chain\nEVQLVESGG\n", "no peptides, but a FASTA file; give it in another column"),
        ("COM=x\nBEGIN IONS\nPEPMASS=1\n", "no peptides, but fragment spectra; give those that"),
        ('<?xml version="1.0"?>\n<indexedmzML>\n<mzML>', "no peptides, but fragment spectra"),
        ('<?xml version="1.0"?>\n<mzIdentML>', "but XML or JSON; export the peptides as a table"),
        ('{"peptide": "EVK"}', "but XML or JSON; export"),
        ("Sequence;Score\nEVK;1\n", "if its column 'sequence' has peptides, name it peptide"),
        ("My peptide\nEVK\n", "if its column 'my peptide' has peptides, name it peptide"),
        ("peptide confidence\nEVK 1.0\n", "; separate columns by tabs or commas, and name that"),
        ("EVQLVESGG\nEVQLC(cam)\n\n?\n", "; its first line is no header; add a line 'peptide' be"),
        ("1\tEVQLVESGG\n", "no header; add one that names the columns, column 2 peptide"),
        ("EVQLVESGG 1.0\n", ", column 1 peptide, and separate columns by tabs or commas"),
    ],
)
def test_a_file_of_another_kind_is_named(write: Write, text: str, says: str) -> None:
    with pytest.raises(LacunaError, match=f"a.csv: .*{re.escape(says)}") as error:
        read_peptides([write("a.csv", text)])
    assert "\n" not in str(error.value)


def test_an_unknown_file_names_the_tools(write: Write) -> None:
    with pytest.raises(LacunaError) as error:
        read_peptides([write("a.csv", "a,b\n1,2\n")])
    assert "\n" not in str(error.value)
    for title in ("PEAKS", "Casanovo", "InstaNovo", "Novor", "pNovo", "MaxNovo", "plain table"):
        assert title in str(error.value)


def test_a_named_format_is_the_only_one(read_lines: ReadLines) -> None:
    with pytest.raises(LacunaError, match="not a file of novor"):
        read_lines("peptide", "EVK", form="novor")
    with pytest.raises(LacunaError, match="'peak' is none of the formats; choose among .*peaks"):
        read_lines("peptide", "EVK", form="peak")
    assert only(read_lines("peptide", "EVK", form="table")).tool == "table"
    assert "casanovo" in tool_names()
    # What others would be recognised by does not count.
    one = only(read_lines(PEAKS_X, "1,EVK,97,3,188,2,1,,374,1,,9 9 9,E", form="table"))
    assert (one.tool, one.confidences) == ("table", None)


def test_names_are_unique_in_a_sample(write: Write) -> None:
    paths = [write(f"{folder}/a.csv", f"peptide\nEVK\nEVK{folder}K\n") for folder in "AG"]
    names = [r.name for r in read_peptides(paths).reads]
    assert len(set(names)) == 4
    assert read_peptides(paths).reads == read_peptides(paths).reads


def test_equal_reads_differ_in_nothing_that_was_measured(read_lines: ReadLines) -> None:
    rows = ("EIN(+.98)K", "ELN(+1.0)K", "EINK", "EIN(+14.02)K", "EI(+.98)NK", "EIN(+.98)R")
    first, *others = map(content_of, read_lines("peptide", *rows).reads)
    assert [one == first for one in others] == [True, False, False, False, False]


def test_equal_reads_count_half_a_read_more_with_each_doubling() -> None:
    assert weight_of_equal(np.array([0, 1, 2, 4, 1024])).tolist() == [1, 1, 1.5, 2, 6]
