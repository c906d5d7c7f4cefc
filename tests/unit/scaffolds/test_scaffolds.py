"""Input: FASTA, gap table and truth become scaffolds, and every fault is named."""

import gzip
import random
import re
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import Write
from lacuna.core.alphabet import AMBIGUOUS, RESIDUES
from lacuna.core.files import LacunaError
from lacuna.scaffolds.fasta import count_records
from lacuna.scaffolds.json_lines import from_json, read_scaffold_block, to_json, write_scaffolds
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Gap, Piece, Rejected, Scaffold

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"
HEADER = "chain\tstart\tend\tmass\ttolerance_ppm\tmin_length\tmax_length\n"


class Reader:
    """Writes the files of a test and reads them as scaffolds."""

    def __init__(self, write: Write) -> None:
        self.write = write

    def __call__(
        self,
        fasta: str | bytes,
        gaps: str | None = None,
        truth: str | None = None,
        **options: float,
    ) -> list[Scaffold | Rejected]:
        return list(
            read_scaffolds(
                self.write("heavy.fasta", fasta),
                None if gaps is None else self.write("gaps.tsv", gaps),
                None if truth is None else self.write("truth.fasta", truth),
                **options,  # type: ignore[arg-type]
            )
        )

    def one(self, sequence: str, rows: str = "", truth: str | None = None) -> Scaffold:
        """The scaffold of one chain 'm'; `rows` are lines of a gap table without the chain."""
        table = rows and HEADER + "".join(f"m\t{row}\n" for row in rows.splitlines())
        found = self(
            f">m\n{sequence}\n", table or None, None if truth is None else f">m\n{truth}\n"
        )
        found = [r for r in found if isinstance(r, Scaffold) or not r.remark]
        assert len(found) == 1 and isinstance(found[0], Scaffold), found
        return found[0]

    def fault(self, sequence: str, rows: str = "", truth: str | None = None) -> Rejected:
        """The rejection of one chain 'm', read together with a good one."""
        table = rows and HEADER + "".join(f"m\t{row}\n" for row in rows.splitlines())
        fasta = f">m\n{sequence}\n>good\nACD\n"
        bad, good = self(fasta, table or None, None if truth is None else f">m\n{truth}\n")
        assert isinstance(bad, Rejected) and bad.chain == "m"
        assert isinstance(good, Scaffold) and good.sequence == "ACD"
        assert "\n" not in bad.reason
        return bad


@pytest.fixture
def read(write: Write) -> Reader:
    return Reader(write)


def fixed(start: int, end: int, truth: str | None = None) -> Gap:
    return Gap(start, end, end - start, end - start, None, None, truth)


# --- remarks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sequence", "words"),
    [
        ("AC*DE", "a stop codon within the chain, at 3, which is read as one missing residue; cut"),
        ("A*C*", "a stop codon within the chain, at 2"),
        ("ACXX[+516.2544]DE", "a missing residue right before the gap of known mass at 4"),
        ("AC--{420 Da}DE", "a missing residue right before the gap of known mass at 5"),
        (
            "A[+516.2544]C",
            "516.254 Da on A 1; if a gap of known mass is meant, write AX[+516.2544]",
        ),
    ],
)
def test_unusual_letters_are_remarked_on_and_read_all_the_same(
    read: Reader, sequence: str, words: str
) -> None:
    first, second, remark = read(f">a\n{sequence}\n>b\n{sequence}\n")
    assert isinstance(first, Scaffold) and isinstance(second, Scaffold)
    assert (
        isinstance(remark, Rejected) and remark.remark and (remark.chain, remark.line) == ("a", 1)
    )
    assert remark.reason.startswith("heavy.fasta:1: 'a' has ") and words in remark.reason
    assert remark.reason.endswith("(as in 1 more chain)")


@pytest.mark.parametrize(
    ("row", "remedy"),
    [("3\t5", "the start"), ("3\t6", "start and end"), ("7\t7", "the start")],
)
def test_rows_that_seem_to_count_from_one_are_remarked_on(
    read: Reader, row: str, remedy: str
) -> None:
    found = read(">a\nAC---DXEF\n", f"chain\tstart\tend\na\t{row}\n")
    scaffold, remark = found
    assert isinstance(scaffold, Scaffold)
    assert isinstance(remark, Rejected) and remark.remark
    assert remark.reason.startswith(f"gaps.tsv:2: 'a' has a gap at {row.replace(chr(9), '..')}, ")
    assert remark.reason.endswith(f"if yours count from 1, subtract 1 from {remedy}")


def test_the_gap_table_of_chains_found_from_reads_is_not_remarked_on(write: Write) -> None:
    fasta = write("scaffolds.fasta", ">heavy\nAC---DXEF\n")
    gaps = write("gaps.tsv", "chain\tstart\tend\nheavy\t3\t5\n")
    evidence = write("evidence.tsv", "chain\tposition\tresidue\tprobability\n")
    assert len(list(read_scaffolds(fasta, gaps, evidence=evidence))) == 2
    (scaffold,) = read_scaffolds(fasta, gaps, settled=evidence)
    assert isinstance(scaffold, Scaffold)


def test_the_column_of_closed_gaps_is_known_only_in_the_table_of_reads(write: Write) -> None:
    fasta = write("scaffolds.fasta", ">heavy\nACDEF\n")
    gaps = write("gaps.tsv", "chain\tstart\tend\tclosed\nheavy\t3\t3\t0.9\n")
    evidence = write("evidence.tsv", "chain\tposition\tresidue\tprobability\n")
    (scaffold,) = read_scaffolds(fasta, gaps, settled=evidence)
    assert isinstance(scaffold, Scaffold)
    with pytest.raises(LacunaError, match=r"gaps\.tsv:1: unknown column 'closed'; known columns"):
        list(read_scaffolds(fasta, gaps, evidence=evidence))


def test_a_gap_without_residues_is_known_only_in_the_table_of_reads(write: Write) -> None:
    fasta = write("scaffolds.fasta", ">heavy\nACFG\n")
    gaps = write("gaps.tsv", "chain\tstart\tend\tmin_length\nheavy\t2\t2\t0\n")
    evidence = write("evidence.tsv", "chain\tposition\tresidue\tprobability\n")
    (scaffold,) = read_scaffolds(fasta, gaps, settled=evidence)
    assert isinstance(scaffold, Scaffold) and scaffold.gaps == (Gap(2, 2, 0, None),)
    (bad,) = read_scaffolds(fasta, gaps, evidence=evidence)
    assert isinstance(bad, Rejected) and "min_length 0" in bad.reason


@pytest.mark.parametrize("rows", ["a\t2\t5", "a\t2\t3\na\t3\t5", "a\t3\t4", "a\t8\t9", "a\t0\t1"])
def test_rows_that_count_from_zero_are_not_remarked_on(read: Reader, rows: str) -> None:
    (found,) = read(">a\nAC---DX[+128.06]EF\n", f"chain\tstart\tend\n{rows}\n")
    assert isinstance(found, Scaffold)


@pytest.mark.parametrize(
    "sequence",
    [
        "ACD*",
        "ACX[+516.2544]XDE",
        "ACX[+300.1]X[+400.2]DE",
        "N[+1444.5339]C[+57.0215]A[+114.04]",
        "A[Glycan:Hex5HexNAc4]C",
    ],
)
def test_usual_letters_are_not_remarked_on(read: Reader, sequence: str) -> None:
    assert len(read(f">a\n{sequence}\n")) == 1


# --- sequences -----------------------------------------------------------------------------------


def test_a_chain_with_gaps(read: Reader) -> None:
    found = read(">mab1 heavy chain, lot 3\nEVQ---VE\nSGG--\n\n>mab2\nacd\n")
    assert found == [
        Scaffold("mab1", "heavy chain, lot 3", "EVQXXXVESGGXX", (fixed(3, 6), fixed(11, 13)), 1),
        Scaffold("mab2", "", "ACD", (), 5),
    ]


@pytest.mark.parametrize("character", "-Xx_?*")
def test_every_gap_character_is_one_missing_residue(read: Reader, character: str) -> None:
    scaffold = read.one(f"AC{character * 2}D{character}E")
    assert scaffold.sequence == "ACXXDXE"
    assert scaffold.gaps == (fixed(2, 4), fixed(5, 6))


def test_gap_characters_may_be_mixed_and_form_one_gap_with_ambiguity_codes(read: Reader) -> None:
    scaffold = read.one("AC-jX*_?bZD")
    assert scaffold.sequence == "ACXJXXXXBZD"
    assert scaffold.gaps == (fixed(2, 10),)


def test_one_stop_at_the_very_end_is_dropped_others_are_missing_residues(read: Reader) -> None:
    assert read.one("ACD*").sequence == "ACD"
    assert read.one("ACD*\n \n").sequence == "ACD"
    assert read.one("ACD**").gaps == (fixed(3, 4),)
    assert read.one("*ACD").sequence == "XACD"
    assert read.one("ACX[+367.0537]*").sequence == "ACX"


def test_whitespace_inside_a_sequence_is_ignored(read: Reader) -> None:
    assert read.one("  AC DE\t\n\nFG ").sequence == "ACDEFG"


def test_a_chain_without_a_known_residue_is_kept(read: Reader) -> None:
    assert read.one("-----").gaps == (fixed(0, 5),)


def test_a_chain_of_20000_residues_is_read_and_the_limit_is_named(read: Reader) -> None:
    assert read.one("ACDE" * 5000).sequence == "ACDE" * 5000
    long, good = read(f">long\n{'ACDE' * 3}\n>good\nACDEFGHIKL\n", max_length=10)
    assert isinstance(long, Rejected) and isinstance(good, Scaffold)
    assert long.reason == (
        "heavy.fasta:1: 'long' has 12 residues, more than the limit of 10; split the chain"
    )


def test_a_huge_record_is_skipped_without_being_held(read: Reader) -> None:
    # Longer than one read, so its middle is dropped; lines after it are still numbered right.
    huge = "\n".join(["ACDEFGHIKL" * 10] * 50_000)
    long, good, last = read(f">long\n{huge}\n>good\nACD\n>last\nAOD\n", max_length=100)
    assert isinstance(long, Rejected) and "'long' is too long" in long.reason
    assert good == Scaffold("good", "", "ACD", (), 50_002)
    assert isinstance(last, Rejected) and (last.line, last.column) == (50_005, 2)


@pytest.mark.parametrize(
    ("character", "shown", "remedy"),
    [
        ("O", "O", "write X for an unknown residue"),
        ("u", "u", "write X for an unknown residue"),
        ("é", "é", "write X for an unknown residue"),
        ("中", "中", "write X for an unknown residue"),
        (".", ".", "write X for a missing residue, and leave it out if it is a gap of an align"),
        ("7", "7", "remove it"),
        ("[", "[", "close the bracket"),
        ("{", "{", "close the brace"),
        ("]", "]", "open the bracket"),
        ("\x07", "U+0007", "remove it"),
        ("\u00a0", "U+00A0", "remove it"),
        ("!", "!", "write X"),
    ],
)
def test_a_wrong_character_is_named_with_line_column_and_remedy(
    read: Reader, character: str, shown: str, remedy: str
) -> None:
    found = read(f">ok\nACD\n>mab3 x\nACDEF\n  AC-\n AC{character}DE\n")
    assert found[0] == Scaffold("ok", "", "ACD", (), 1)
    bad = found[1]
    assert isinstance(bad, Rejected)
    assert (bad.chain, bad.line, bad.column) == ("mab3", 6, 4)
    start = f"heavy.fasta:6: 'mab3' has '{shown}' at column 4; "
    assert bad.reason.startswith(start) and remedy in bad.reason


def test_the_message_of_the_style_guide(read: Reader) -> None:
    text = ">a\nAC\n" + "\n" * 10 + ">mab3\n" + "A" * 26 + "O\n"
    assert read(text)[1] == Rejected(
        "mab3",
        14,
        27,
        "heavy.fasta:14: 'mab3' has 'O' at column 27; write X for an unknown residue",
    )


# --- records -------------------------------------------------------------------------------------


def test_ids_are_kept_as_they_are(read: Reader) -> None:
    ids = ["sp|P01834|IGKC_HUMAN", "a/b:c;d=e", "thera_dev|H|0|gap3", "ünïcode", "1", '"q"', "#5"]
    found = read("".join(f">{name}\twhat  it is \nACD\n" for name in ids))
    assert [record.chain for record in found] == ids
    assert all(isinstance(record, Scaffold) for record in found)
    assert found[0].description == "what  it is"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "character", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\x1b"]
)
def test_a_control_character_in_a_description_becomes_a_blank(read: Reader, character: str) -> None:
    (found,) = read(f">a some{character}text\twith{character}\nACD\n")
    assert found.chain == "a" and found.description == "some text\twith"  # type: ignore[union-attr]


@pytest.mark.parametrize("character", ["\xa0", "\x1c", "\x85", "\u2028", "\u3000"])
def test_an_id_ends_at_a_blank_of_ascii_alone(read: Reader, character: str) -> None:
    (found,) = read(f">a{character}b what it is\nACD\n")
    assert found.chain == f"a{character}b" and found.description == "what it is"  # type: ignore[union-attr]


def test_an_empty_record_is_rejected(read: Reader) -> None:
    found = read(">a\n>b\n\n>c\n*\n>d\nAC\n>e")
    assert [type(record) for record in found] == [Rejected] * 3 + [Scaffold, Rejected]
    assert found[1] == Rejected(
        "b", 2, None, "heavy.fasta:2: 'b' has no sequence; give one or remove the record"
    )


def test_a_record_without_an_id_is_rejected(read: Reader) -> None:
    found = read(">\nAC\n> name\nAC\n>x\nAC\n")
    assert [record.line for record in found if isinstance(record, Rejected)] == [1, 3]
    assert "has no id" in found[0].reason  # type: ignore[union-attr]


def test_the_second_record_of_an_id_is_rejected_even_where_the_first_is_bad(read: Reader) -> None:
    found = read(">a\nAC\n>b\nAOC\n>a again\nDE\n>b\nAC\n>a\nAC\n", "a\t0\t1\n")
    assert isinstance(found[0], Scaffold) and found[0].gaps == (fixed(0, 1, "A"),)
    assert [type(record) for record in found[1:]] == [Rejected] * 4
    assert found[2] == Rejected(
        "a",
        5,
        None,
        "heavy.fasta:5: 'a' is a second record of this id (first: line 1); rename it; an id ends "
        "at the first blank: write a_again, say",
    )


def test_an_id_that_is_not_utf8_is_rejected_a_description_is_not(read: Reader) -> None:
    found = read(b">caf\xe9 x\nAC\n>b caf\xe9\nAC\n")
    assert isinstance(found[0], Rejected) and "not UTF-8" in found[0].reason
    assert isinstance(found[1], Scaffold) and found[1].description == "caf\ufffd"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n \n", "  "])
def test_line_ends_and_starts_of_other_systems(read: Reader, end: str, start: str) -> None:
    lines = (start + ">a x\nAC\n-D\n>b\nAOC\n").replace("\n", end)
    good, bad = read(lines)
    above = start.count("\n")
    assert good == Scaffold("a", "x", "ACXD", (fixed(2, 3),), 1 + above)
    assert isinstance(bad, Rejected) and (bad.line, bad.column) == (5 + above, 2)


def test_the_last_line_needs_no_line_end(read: Reader) -> None:
    assert read(">a\nAC-") == read(">a\nAC-\n")


def test_gzip_is_known_by_its_bytes(write: Write) -> None:
    text = ">a\nAC-D\n"
    plain = list(read_scaffolds(write("a.fasta", text)))
    for path in (write("b.fa.gz", text), write("c.fasta", gzip.compress(text.encode()))):
        assert list(read_scaffolds(path)) == plain
        assert count_records(path) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PNG, r"not a FASTA file \(it begins with '\\ufffdPNG"),
        (b"\n>a\nAC\0\0", "3: holds a NUL character; save the file as plain text"),
        (b"PK\3\4 [Content_Types].xml", "not a FASTA file .*; it is a workbook of a spreadsheet"),
        (">a\nAC\n".encode("utf-16"), "not a FASTA file .*; it is text in UTF-16: give the FASTA"),
        (b"\n<!doctype HTML>\n", "not a FASTA file .*; it is a page of HTML"),
        (
            b">P1;h\na title\nACD*\n",
            r"not a FASTA file \(it begins with '>P1;h'\); this is PIR: co",
        ),
        (b"\r\n>F1;\r\ntitle\r\nACD*\r\n", "this is PIR: convert it to FASTA"),
        (b"ACDEF\n>a\nAC\n", r"not a FASTA file \(it begins with 'ACDEF"),
        (b"@read\nACGT\n+\nFFFF\n", "not a FASTA file"),
        (b"", "the file is empty; give at least one"),
        (b"\n \r\n", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (gzip.compress(PNG, mtime=0), "not a FASTA file"),
        (gzip.compress(random.Random(1).randbytes(99), mtime=0)[:50], "damaged"),
    ],
)
def test_a_file_that_is_no_fasta_stops_the_run(write: Write, content: bytes, words: str) -> None:
    path = write("light.fasta", content)
    for reads in (count_records, lambda path: list(read_scaffolds(path))):
        with pytest.raises(LacunaError, match=f"light.fasta:.*{words}") as error:
            reads(path)
        assert "\n" not in str(error.value)


def test_a_record_of_pir_among_others_is_rejected(read: Reader) -> None:
    first, bad, last = read(">P1\nACD\n>DL;h\na title\nACD*\n>P;1\nACD\n")
    assert isinstance(first, Scaffold) and isinstance(last, Scaffold)
    assert isinstance(bad, Rejected) and bad.line == 3
    assert bad.reason.endswith("is PIR, whose second line is a title; convert it to FASTA")


def test_a_missing_file_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(LacunaError, match=r"no\.fasta: no such file"):
        count_records(tmp_path / "no.fasta")


@pytest.mark.parametrize("size", [3, 64, 1 << 20])
def test_records_are_whole_wherever_the_reads_cut_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("lacuna.scaffolds.fasta._CHUNK", size)
    path = write("a.fasta", "\n>a > b\nAC>\n>b\n\n\nDE\nFG\n>c\nA\n")
    bad, *good = read_scaffolds(path)
    assert isinstance(bad, Rejected) and (bad.line, bad.column) == (3, 3)
    assert good == [Scaffold("b", "", "DEFG", (), 4), Scaffold("c", "", "A", (), 9)]
    assert count_records(path) == 3


# --- inline masses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mass", "tolerance"),
    [
        ("X[+367.0537]", 367.0537, 0.003670537),
        ("x[+367.0537]", 367.0537, 0.003670537),
        ("X[+367\n.0537 ]", 367.0537, 0.003670537),
        ("X[Obs:+367.0537]", 367.0537, 0.003670537),
        ("{420.18 Da}", 420.18, 0.0042018),
        ("{420.18Da}", 420.18, 0.0042018),
        ("{420.0 da}", 420.0, 0.0042),
        ("{420 Da}", 420.5, 0.5),
        ("{ 420\nDa }", 420.5, 0.5),
    ],
)
def test_an_inline_mass_is_one_position_of_unknown_length(
    read: Reader, text: str, mass: float, tolerance: float
) -> None:
    scaffold = read.one(f"AC{text}DE-")
    assert scaffold.sequence == "ACXDEX"
    whole = "." not in text and "+" not in text
    gap = Gap(2, 3, 1, None, mass, pytest.approx(tolerance), interval=whole)
    assert scaffold.gaps == (gap, fixed(5, 6))
    assert not scaffold.gaps[0].fixed and scaffold.gaps[1].fixed


def test_inline_masses_stand_apart_from_the_runs_beside_them(read: Reader) -> None:
    scaffold = read.one("X[+300.1]--X[+400.1]JD")
    assert scaffold.sequence == "XXXXJD"
    spans = [(gap.start, gap.end, gap.mass) for gap in scaffold.gaps]
    assert spans == [(0, 1, 300.1), (1, 3, None), (3, 4, 400.1), (4, 5, None)]


def test_neighbouring_masses_are_one_gap_with_cleavages(read: Reader) -> None:
    scaffold = read.one("AX[+300.1]{500 Da}X[+400.2]D{420 Da}")
    assert scaffold.sequence == "AXXXDX"
    first, last = scaffold.gaps
    assert (first.start, first.end, first.min_length, first.max_length) == (1, 4, 3, None)
    assert first.mass == pytest.approx(1200.8) and first.tolerance_da == pytest.approx(0.507003)
    assert not first.interval and last.interval and not last.pieces
    assert [(p.mass, p.tolerance_da, p.interval) for p in first.pieces] == [
        (300.1, pytest.approx(0.003001), False),
        (500.5, 0.5, True),
        (400.2, pytest.approx(0.004002), False),
    ]
    assert from_json(to_json(scaffold)) == scaffold


def test_neighbouring_rows_with_masses_are_one_gap_and_keep_their_lengths(read: Reader) -> None:
    scaffold = read.one("ACDEFGHIK", "1\t3\t218.037\n3\t5\t276.111\t\t2\t3\n6\t7\n7\t8\t113.084")
    first, second, third = scaffold.gaps
    assert (first.start, first.end, first.min_length, first.max_length) == (1, 5, 4, 5)
    assert [(p.min_length, p.max_length) for p in first.pieces] == [(2, 2), (2, 3)]
    assert first.truth == "CDEF"
    assert (second.mass, third.mass) == (None, 113.084)


def test_gaps_whose_edge_no_mass_tells_stay_apart(write: Write) -> None:
    head = "chain\tstart\tend\tmass\ttolerance_da\n"
    fasta = write("a.fasta", ">a\nACDEFGHIK\n")
    table = write("g.tsv", head + "a\t1\t3\t218\t40\na\t3\t5\t276\t0.1\n")
    (scaffold,) = read_scaffolds(fasta, table)
    assert isinstance(scaffold, Scaffold)
    assert [(gap.start, gap.end) for gap in scaffold.gaps] == [(1, 3), (3, 5)]


PREFIXES = "chain\tstart\tend\tmass\ttolerance_ppm\ttolerance_da\tprefix_masses\n"


def test_masses_of_beginnings_have_the_tolerance_of_the_gap(write: Write) -> None:
    fasta = write("a.fasta", ">a\nACDEFGHIK\n")
    rows = (
        "a\t0\t2\t\t\t\t71.0371\n"
        "a\t3\t5\t276.111\t20\t\t 129.04 ;129.0426;129.0426;\n"
        "a\t6\t8\t250.14\t\t0.02\t137.06\n"
    )
    (scaffold,) = read_scaffolds(fasta, write("g.tsv", PREFIXES + rows), tolerance_ppm=5)
    assert isinstance(scaffold, Scaffold)
    first, second, third = (gap.pieces for gap in scaffold.gaps)
    assert first == (Piece(2, 2, None, None, False, ((71.0371, pytest.approx(71.0371 * 5e-6)),)),)
    assert [mass for mass, _ in second[0].prefixes] == [129.04, 129.0426]
    assert second[0].prefixes[1][1] == pytest.approx(129.0426 * 20e-6)
    assert third[0].prefixes == ((137.06, 0.02),)
    assert scaffold.gaps[0].weighed and scaffold.gaps[0].mass is None
    assert from_json(to_json(scaffold)) == scaffold


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("276\t\t\tabc", "prefix_masses 'abc'; give a number"),
        ("276\t\t\t100;-3", "prefix_masses -3; give 0 or more"),
        ("276\t\t\t100,5", "prefix_masses '100,5'; write a decimal point: 100.5"),
        ("276\t\t\t" + "1;" * 100 + "1", "101 prefix_masses, more than the limit of 100"),
        (
            "276\t\t40\t100",
            "prefix mass of 100 Da and a tolerance of 40 Da; give a tolerance",
        ),
    ],
)
def test_bad_prefix_masses_are_named(write: Write, cells: str, words: str) -> None:
    fasta = write("a.fasta", ">a\nACDEFGHIK\n")
    (bad,) = read_scaffolds(fasta, write("g.tsv", PREFIXES + f"a\t3\t5\t{cells}\n"))
    assert isinstance(bad, Rejected)
    assert bad.reason.startswith("g.tsv:2: 'a' has a gap") and words in bad.reason


def test_the_default_tolerance_is_an_argument(read: Reader) -> None:
    (scaffold,) = read(">a\nAX[+500.0]\n", tolerance_ppm=100)
    assert isinstance(scaffold, Scaffold)
    assert scaffold.gaps[0].tolerance_da == pytest.approx(0.05)


@pytest.mark.parametrize(
    "tag", ["+-3", "367.05", "Oxidation", "", "+", "+nan", "+inf", "U:4", "é", "+1|+1", "Formula:C"]
)
def test_a_gap_in_brackets_is_a_mass(read: Reader, tag: str) -> None:
    bad = read.fault(f"AC\nDX[{tag}]F")
    assert (bad.line, bad.column) == (3, 4)
    assert bad.reason.endswith(
        f"has '[{tag}]' at column 4, which is not a mass in Da; "
        "write a gap of known mass as X[+367.0537]"
    )


@pytest.mark.parametrize(
    "text", ["{420}", "{Da}", "{}", "{-420 Da}", "{4e2 Da}", "{420 kDa}", "{٤٢٠ Da}"]
)
def test_braces_that_hold_no_mass_are_named(read: Reader, text: str) -> None:
    bad = read.fault(f"AC\nDE{text}F")
    assert (bad.line, bad.column) == (3, 4)
    assert "which is not a mass in Da; write a gap of known mass as {420.18 Da}" in bad.reason


@pytest.mark.parametrize(
    "text",
    ["X[-18.01]", "X[-9999]", "X[+0]", "X[+56.4]", "D{55 Da}", "X[+1e9]"]
    + ["D{" + "9" * 190 + " Da}", "X[+1e300]"],
)
def test_an_absurd_mass_is_rejected(read: Reader, text: str) -> None:
    bad = read.fault(f"AC\nD{text}F")
    assert (bad.line, bad.column) == (3, 4)
    assert "heavy.fasta:3: 'm' has a gap mass of" in bad.reason
    assert bad.reason.endswith("correct the mass (column 4)")


def test_a_glycine_measured_out_of_tolerance_does_not_cost_the_chain(read: Reader) -> None:
    assert read.one("ACX[+57.0208]D").gaps[0].mass == 57.0208


# --- gap tables ----------------------------------------------------------------------------------


def test_letters_under_a_gap_are_hidden_and_kept_as_truth(read: Reader) -> None:
    scaffold = read.one("ACDEFGHIKL", "0\t3\n8\t10")
    assert scaffold.sequence == "XXXEFGHIXX"
    assert scaffold.gaps == (fixed(0, 3, "ACD"), fixed(8, 10, "KL"))


def test_a_row_over_gap_characters_only_adds_what_it_knows(read: Reader) -> None:
    scaffold = read.one("AC---FG", "2\t5\t340.2\t20")
    assert scaffold.sequence == "ACXXXFG"
    assert scaffold.gaps == (Gap(2, 5, 3, 3, 340.2, pytest.approx(0.006804), None),)


def test_a_row_over_letters_and_gap_characters_hides_the_letters_and_has_no_truth(
    read: Reader,
) -> None:
    scaffold = read.one("ACD--GJK", "1\t7")
    assert scaffold.sequence == "AXXXXXJK"
    assert scaffold.gaps == (fixed(1, 7),)


def test_rows_split_a_run_and_what_is_left_of_it_stays_a_gap(read: Reader) -> None:
    scaffold = read.one("A------C", "2\t4\t200.1\n4\t5")
    assert [(gap.start, gap.end) for gap in scaffold.gaps] == [(1, 2), (2, 4), (4, 5), (5, 7)]
    assert [gap.mass for gap in scaffold.gaps] == [None, 200.1, None, None]


def test_an_empty_row_inserts_a_gap_of_unknown_length(read: Reader) -> None:
    scaffold = read.one("AC--D", "0\t0\n1\t1\t300.1\n3\t3\t\t\t2\t4\n5\t5\t\t\t1")
    assert scaffold.sequence == "ACXXD"
    assert scaffold.gaps == (
        Gap(0, 0, 1, None),
        Gap(1, 1, 1, None, 300.1, pytest.approx(0.003001)),
        fixed(2, 3),
        Gap(3, 3, 2, 4),
        fixed(3, 4),
        Gap(5, 5, 1, None),
    )


def test_lengths_of_a_row(read: Reader) -> None:
    scaffold = read.one("ACDEFGHIKL", "0\t2\t\t\t1\t4\n3\t5\t\t\t2\n6\t8\t\t\t\t9")
    assert scaffold.gaps == (
        Gap(0, 2, 1, 4, truth="AC"),
        Gap(3, 5, 2, None, truth="EF"),
        Gap(6, 8, 1, 9, truth="HI"),
    )


def test_a_row_adds_to_an_inline_mass(read: Reader) -> None:
    scaffold = read.one("AX[+400.1]C{420 Da}D", "1\t2\t\t50\t3\t4\n3\t4\t\t50")
    assert scaffold.gaps == (
        Gap(1, 2, 3, 4, 400.1, pytest.approx(0.020005)),
        Gap(3, 4, 1, None, 420.5, 0.5, interval=True),
    )


@pytest.mark.parametrize("tolerance", [0.02, 0.5, 2.0])
def test_a_row_may_only_widen_an_interval(write: Write, tolerance: float) -> None:
    fasta = write("c.fasta", ">a\nAC{420 Da}D\n")
    gaps = write("g.tsv", f"chain\tstart\tend\ttolerance_da\na\t2\t3\t{tolerance}\n")
    [found] = read_scaffolds(fasta, gaps)
    if tolerance >= 0.5:
        assert isinstance(found, Scaffold)
        assert (found.gaps[0].mass, found.gaps[0].tolerance_da) == (420.5, tolerance)
    else:
        assert isinstance(found, Rejected)
        assert found.reason == (
            "g.tsv:2: 'a' has a tolerance of 0.02 Da for the gap at 2..3, whose mass of {420 Da} "
            "is known to 1 Da; write the mass with decimals, or leave the tolerance out"
        )


@pytest.mark.parametrize(
    ("sequence", "rows", "line", "words"),
    [
        ("ACDE", "2\t9", 2, "has a gap at 2..9 past its end at 4; correct the positions"),
        ("ACDE*", "4\t5", 2, "past its end at 4"),
        ("ACDE", "0\t1\n5\t5", 3, "past its end"),
        ("ACDE", "2\t4\n0\t3", 2, "has a gap at 2..4 that overlaps the one at 0..3; keep one"),
        ("ACDE", "0\t4\n2\t2", 3, "overlaps"),
        ("ACDE", "2\t2\n2\t2", 3, "overlaps"),
        ("ACDE", "1\t2\n1\t2", 3, "overlaps"),
        ("ACDE", "3\t1", 2, "starts at 3 and ends before, at 1; swap them"),
        ("ACDE", "one\t2", 2, "has a gap with start 'one'; give a whole number"),
        ("ACDE", "1\t2.5", 2, "end '2.5'"),
        ("ACDE", "-1\t2", 2, "start -1; give 0 or more"),
        ("ACDE", "1", 2, "without start or end"),
        ("ACDE", "0\t2\theavy", 2, "mass 'heavy'; give a number"),
        ("ACDE", "0\t2\tinf", 2, "mass 'inf'; give a number"),
        ("ACDE", "0\t2\t-200", 2, "mass -200; give 0 or more"),
        ("ACDE", "0\t2\t20.1", 2, "gap mass of 20.1 Da, less than the lightest residue (57.02146"),
        ("ACDE", "0\t2\t1e8", 2, "more than 50000 residues weigh"),
        ("ACDE", "0\t2\t200\t1e6", 2, "tolerance_ppm 1e+06; give less than 1e+06"),
        ("ACDE", "0\t2\t200\t-1", 2, "tolerance_ppm -1; give 0 or more"),
        ("ACDE", "0\t2\t\t\t5\t3", 2, "min_length 5 and max_length 3"),
        ("ACDE", "0\t2\t\t\t\t0", 2, "min_length 1 and max_length 0"),
        (
            "ACDE",
            "2\t2\t\t\t0",
            2,
            "min_length 0, but a gap holds at least one residue; give 1, or",
        ),
        ("ACDE", "2\t2\t\t\t0.0\t3", 2, "remove the row if nothing is missing"),
        ("ACDE", "0\t2\t\t\t3\t4", 2, "hides 2 residues, outside its lengths 3 to 4"),
        ("ACDE", "0\t2\t\t\t3", 2, "hides 2 residues, outside its lengths 3 to open"),
        ("ACDE", "0\t2\t\t\t1\t2\tmore", 2, "1 cell more than the header; remove it"),
        ("ACDE", "0\t2\t\t\t1\t2\tand\tmore", 2, "2 cells more than the header; remove them"),
        ("AEQLVE", "1\t3\t200.0797", 2, "weigh 257.1012 Da, not 200.0797 Da, which those"),
        ("AEQLVE", "1\t3\t200.0797", 2, "count from 0, so subtract 1 from start and end"),
        ("AEQLVE", "2\t3\t257.1012", 2, "which they and the one before weigh"),
        ("AEQLVE", "2\t3\t257.1012", 2, "count from 0, so subtract 1 from start, or"),
        ("AX[+400.1]C", "1\t2\t400", 2, "both inline and in the table; keep one of them"),
        ("AX[+400.1]C", "0\t2", 2, "covers an inline mass gap"),
    ],
)
def test_a_bad_row_rejects_its_chain_alone(
    read: Reader, sequence: str, rows: str, line: int, words: str
) -> None:
    bad = read.fault(sequence, rows)
    assert (bad.line, bad.column) == (line, None)
    assert bad.reason.startswith(f"gaps.tsv:{line}: 'm' has a ")
    assert words in bad.reason


@pytest.mark.parametrize(
    ("rows", "line", "others"),
    [
        ("0\t1\n5\t5\n3\t1", 4, ""),  # rows that cannot be read go before those that do not fit
        ("3\t1\n0\t1\n3\tx", 2, " (bad as well: line 4)"),
        ("6\t7\n0\t1\n5\t9", 2, " (bad as well: line 4)"),
        ("\n".join(["3\t1"] * 9), 2, " (bad as well: line 3, 4, 5, 6, 7 and 3 more)"),
    ],
)
def test_all_bad_rows_of_a_chain_are_named_at_once(
    read: Reader, rows: str, line: int, others: str
) -> None:
    bad = read.fault("ACDE", rows)
    assert bad.line == line
    assert bad.reason.endswith(others) and ("bad as well" in bad.reason) == bool(others)


@pytest.mark.parametrize(
    ("sequence", "row"),
    [
        ("AEQLVE", "1\t3\t257.1012"),  # the mass of the letters
        ("AEQLVE", "1\t3\t300.1"),  # of neither: the letters are thought wrong
        ("ACQLVE", "1\t3\t231.1"),  # what C carries is not known
        ("AAEALVE", "1\t3\t200.0797"),  # these weigh as much as those before
        ("AEXXVE", "1\t3\t200.0797"),  # there is nothing to compare
        ("AEQLVE", "0\t2\t257.1012"),
    ],
)
def test_a_mass_that_may_be_of_the_letters_given_is_taken(
    read: Reader, sequence: str, row: str
) -> None:
    assert read.one(sequence, row).gaps[0].mass == float(row.split()[2])


def test_ids_with_blanks_and_in_another_case_are_explained(read: Reader) -> None:
    fasta = ">mab heavy chain\nACD\n>mab light chain\nACD\n"
    first, second, blank, case, other = read(fasta, "mab L1\t0\t1\nMAB\t0\t1\nz\t0\t1\n")
    assert isinstance(first, Scaffold)
    reasons = [found.reason for found in (second, blank, case, other)]
    assert "an id ends at the first blank: write mab_light_chain, say" in reasons[0]
    assert "an id ends at the first blank: did you mean 'mab'?" in reasons[1]
    assert reasons[2].endswith("'MAB' is not a chain of heavy.fasta; did you mean 'mab'?")
    assert reasons[3].endswith("correct the id (known: mab) or remove the row")


def test_rows_of_unknown_chains_come_last_in_order_of_their_lines(read: Reader) -> None:
    found = read(">a\nACD\n", "z\t0\t1\na\t0\t1\ny\t1\nz\t9\t1\n")
    assert isinstance(found[0], Scaffold) and found[0].gaps[0].truth == "A"
    assert [(record.chain, record.line) for record in found[1:]] == [("z", 1), ("y", 3), ("z", 4)]
    assert found[1] == Rejected(
        "z",
        1,
        None,
        "gaps.tsv:1: 'z' is not a chain of heavy.fasta; correct the id (known: a) or remove the "
        "row",
    )


def test_rows_of_a_rejected_chain_are_not_reported_as_unknown(read: Reader) -> None:
    assert len(read(">a\nAOC\n>b\nAC\n", "a\t0\t1\n")) == 2


@pytest.mark.parametrize(
    "table",
    [
        "a\t1\t3\n",
        "# made by hand\ntrack name=gaps\nbrowser position x\na\t1\t3\tname\t0\t+\n",
        "a 1 3\n",
        "a\t1\t3\t1\n",
        "a\t1\t3\t2.5\t0\t+\nz\t1\t3\tgap2\n",
        "a\t1\t3\r\n",
        "\ufeffchain\tstart\tend\na\t1\t3\n",
        "end\tCHAIN\tstart\n\n3\ta\t1\n",
        "#chain\tstart\tend\na\t1\t3\n",
        "chain\tstart\tend\tmass\na\t1\t3\t.\n",
        "chain\tstart\tend\tmass\na\t1\t3\tNA\n",
        "chain\tstart\tend\tmass\na\t1\t3\tnull\n",
    ],
)
def test_bed_and_tsv_say_the_same(read: Reader, table: str) -> None:
    found, *_ = read(">a\nACDE\n", table)
    assert found == Scaffold("a", "", "AXXE", (fixed(1, 3, "CD"),), 1)


@pytest.mark.parametrize("row", ["a\t1\t3\t559.3118", "a 1 3 559.3118 10", "a,1,3,559.3118"])
def test_masses_without_a_header_are_not_taken_for_names(read: Reader, row: str) -> None:
    remedy = "if it is the mass of the gap, begin with a line of chain, start, end, mass"
    with pytest.raises(LacunaError, match=rf"gaps.tsv:1: .* holds '559.3118' here; {remedy}"):
        read(">a\nACDE\n", f"{row}\n")


@pytest.mark.parametrize("name", ["track_7", "browsers", "a\u00a0b", "c\u00a0"])
@pytest.mark.parametrize("table", ["chain\tstart\tend\n{}\t1\t3\n", "z 0 0\n{} 1 3\n"])
def test_rows_of_chains_of_unusual_names_count(read: Reader, name: str, table: str) -> None:
    first, *_ = read(f">{name}\nACDE\n", table.format(name))
    assert first == Scaffold(name, "", "AXXE", (fixed(1, 3, "CD"),), 1)


@pytest.mark.parametrize("table", [HEADER, "# nothing\n"])
def test_a_table_without_rows_adds_nothing(read: Reader, table: str) -> None:
    assert read(">a\nACDE\n", table) == [Scaffold("a", "", "ACDE", (), 1)]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("chain\tstart\n", "gaps.tsv:1: column 'end' is missing; found chain, start; rename"),
        ("chain\tstart\tend\tlength\n", "'length'; remove it, or give min_length and max_length"),
        ("chain\tstart\tend\tmas\n", "gaps.tsv:1: unknown column 'mas'; did you mean 'mass'?"),
        ("chain\tstart\tend\tend\n", "gaps.tsv:1: column 'end' occurs twice"),
        ("\nname\tfrom\tto\n", "gaps.tsv:2: neither the header of a gap table nor a BED row"),
        (">a\nACD\n", "gaps.tsv:1: neither"),
        ("", "gaps.tsv: the gap table is empty; begin with chain, start, end"),
        ("\n \n", "gaps.tsv: the gap table is empty"),
    ],
)
def test_a_table_that_is_none_stops_the_run(read: Reader, table: str, words: str) -> None:
    with pytest.raises(LacunaError, match=re.escape(words)):
        read(">a\nACDE\n", table)


# --- truth ---------------------------------------------------------------------------------------


def test_the_truth_of_fixed_gaps(read: Reader) -> None:
    scaffold = read.one("AC--FJG", truth="acdefIg*")
    assert [gap.truth for gap in scaffold.gaps] == ["DE", "I"]


def test_a_truth_that_is_not_known_everywhere(read: Reader) -> None:
    assert [gap.truth for gap in read.one("A--D-F", truth="ACXXEX").gaps] == [None, "E"]


@pytest.mark.parametrize(
    ("sequence", "truth", "words"),
    [
        ("AC--F", "ACDEG", "has 'G' at position 5, the scaffold 'F'; correct one of them"),
        ("AC--J", "ACDEV", "has 'V' at position 5, the scaffold 'J'"),
        ("AC--F", "ACDEFG", "has 6 residues, the scaffold 5; correct one of them"),
        ("AC--F", "ACDOF", "has 'O' at column 4; write X"),
        ("AC--F", "ACX[+300]F", "has a mass gap in the truth"),
        ("ACX[+300]F", "ACDEG", "does not fit what the scaffold shows around its gaps"),
        ("ACX[+300]F", "AF", "does not fit"),
        ("ACX[+300]F", "ACF", "does not fit"),
    ],
)
def test_a_chain_whose_truth_contradicts_it_is_filled_without(
    read: Reader, sequence: str, truth: str, words: str
) -> None:
    chain, note = read(f">m\n{sequence}\n", truth=f">m\n{truth}\n")
    assert isinstance(chain, Scaffold) and {gap.truth for gap in chain.gaps} == {None}
    assert isinstance(note, Rejected) and note.remark
    assert re.match(r"truth\.fasta:\d: 'm' ", note.reason)
    assert words in note.reason
    assert note.reason.endswith("; until then the chain is filled, and does not count for accuracy")


def test_hidden_letters_must_agree_with_the_truth(read: Reader) -> None:
    assert read.one("ACDEF", "1\t3", truth="ACDEF").gaps == (fixed(1, 3, "CD"),)
    assert read.one("ACDEF", "1\t3", truth="AXXEF").gaps == (fixed(1, 3, "CD"),)
    chain, note = read(">m\nACDEF\n", "m\t1\t3\n", truth=">m\nAGGEF\n")
    assert isinstance(chain, Scaffold) and chain.gaps[0].truth is None
    assert isinstance(note, Rejected) and "has GG where the scaffold hides CD" in note.reason


@pytest.mark.parametrize(
    ("sequence", "rows", "truth", "found"),
    [
        ("ACX[+300]FG", "", "ACDEEFG", ["DEE"]),
        ("X[+300]FGX[+300]", "", "ACFGDE", ["AC", "DE"]),
        ("ACX[+300]F--H", "", "ACDEEFGGH", ["DEE", "GG"]),
        ("--CX[+300]J-", "", "AACDDLG", ["AA", "DD", "LG"]),
        ("ACFG", "2\t2", "ACDEFG", ["DE"]),
        ("AC-FG", "2\t3\t\t\t1\t4", "ACDEEFG", ["DEE"]),
        # FG occurs twice in the truth: a length range, then a mass, show where the gap ends.
        ("ACX[+300]FGX[+300]", "2\t3\t\t\t1\t2", "ACDFGFGH", ["D", "FGH"]),
        ("ACX[+115.0269]FGX[+341.148]", "", "ACDFGFGH", ["D", "FGH"]),
        ("ACX[+319.117]FGX[+137.059]", "", "ACDFGFGH", ["DFG", "H"]),
        # Without them that gap, and no other, stays open.
        ("-CX[+300]FGX[+300]", "", "ACDFGFGH", ["A", None, None]),
        ("ACX[+300]GX[+300]E", "", "ACDGDGDE", [None, None]),
        ("ACX[+300]X[+300]E", "", "ACDDDE", ["DDD"]),
        # Masses that fit nowhere (a modified residue) do not overrule the letters.
        ("ACX[+999]FGX[+999]", "", "ACDFGFGH", [None, None]),
        ("ACX[+999]FG", "", "ACDEFG", ["DE"]),
    ],
)
def test_gaps_of_unknown_length_find_their_truth(
    read: Reader, sequence: str, rows: str, truth: str, found: list[str | None]
) -> None:
    assert [gap.truth for gap in read.one(sequence, rows, truth).gaps] == found


def test_a_gap_that_the_truth_leaves_open_is_noted(read: Reader) -> None:
    fasta, truth = ">a\n-C--D-\n>b\nA-\n>c\nA-\n>d\nA-\n", ">a\nACXADJ\n>b\nAC\n>c\nAX\n>d\nAJ\n"
    a, *_, note = read(fasta, truth=truth)
    assert isinstance(a, Scaffold) and [gap.truth for gap in a.gaps] == ["A", None, None]
    assert note == Rejected(
        "a",
        1,
        None,
        "truth.fasta:1: 'a' has a truth that leaves the gap at 3 and 1 other open, so that nothing "
        "there counts for accuracy; if its residues are known, write them (no X, J, B or Z), and "
        "those around it (as in 2 more chains)",
        remark=True,
    )


def test_truth_in_any_order_and_with_chains_that_are_not_asked_for(read: Reader) -> None:
    truth = ">z\nAA\n>c\nCC\n>a\nAA\n>a\nCC\n>b\nDD\n"
    found = read(">a\nA-\n>b\nD-\n>x\nA-\n>c\nC-\n", truth=truth)
    assert [record.gaps[0].truth for record in found if isinstance(record, Scaffold)] == [
        "A",
        "D",
        None,
        "C",
    ]


def test_a_truth_file_of_other_ids_is_reported_once(read: Reader) -> None:
    good, note = read(">a\nA-\n", truth=">b\nAA\n")
    assert isinstance(good, Scaffold) and isinstance(note, Rejected)
    assert note.reason.startswith("truth.fasta:1: no id of the truth is one of heavy.fasta")


def test_a_truth_of_chains_that_cannot_be_used_has_the_right_ids(read: Reader) -> None:
    (rejected,) = read(">a\nA1-\n", truth=">a\nAA\n")
    assert isinstance(rejected, Rejected) and rejected.chain == "a"


# --- files as users and attackers have them ------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        ">a x\rAC\r-D\r>b\rAOC\n",
        ">a x\rAC\r-D\r>b\rAOC\r\n",
        ">a x\rAC\r-D\r>b\rAOC\r",
        ">a x\r\r\nAC\r\r\n-D\r\r\n>b\r\r\nAOC\r\r\n",
    ],
)
def test_line_ends_of_cr_with_another_at_the_end(read: Reader, text: str) -> None:
    good, bad = read(text)
    assert good == Scaffold("a", "x", "ACXD", (fixed(2, 3),), 1)
    assert isinstance(bad, Rejected) and (bad.chain, bad.line, bad.column) == ("b", 5, 2)


def test_records_of_cr_among_those_of_lf_are_not_lost_in_silence(read: Reader) -> None:
    lines = "".join(f">c{i}\nACD\n" for i in range(9))
    found = read(f"{lines}>a\rACD\r>b\rACD\n")
    assert found[-1] == Rejected(
        "a",
        19,
        None,
        "heavy.fasta:19: 'a' has both CR and LF as line ends; "
        "save the file with one kind of line end",
    )


@pytest.mark.parametrize("before", [b"\n", b"A"])
@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_chain_begins_at_the_start_of_a_line_alone(
    write: Write, monkeypatch: pytest.MonkeyPatch, before: bytes, shift: int
) -> None:
    """Regardless of the length of the record and of where it is cut."""
    monkeypatch.setattr("lacuna.scaffolds.fasta._CHUNK", 64)
    body = b"A" * (63 + shift - 3) + before + b"A" * 64 + b">b\nACD\n"
    path = write("a.fasta", b">a\n" + body + b">c\nACD\n")
    for max_length in (1, 2, 3):
        found = list(read_scaffolds(path, max_length=max_length))
        assert [record.chain for record in found] == ["a", "c"]
        assert found[-1].line == 1 + (b">a\n" + body).count(b"\n")


def test_an_id_has_a_length(read: Reader) -> None:
    found = read(f">{'a' * 1000}\nACD\n>{'b' * 200_000}\nACD\n>c\nACD\n")
    assert isinstance(found[0], Scaffold) and isinstance(found[2], Scaffold)
    assert isinstance(found[1], Rejected) and len(found[1].chain) == 100
    assert found[1].reason == (
        f"heavy.fasta:3: '{'b' * 97}...' has an id of 200000 characters, "
        "more than the limit of 1000; shorten it"
    )


def test_an_id_holds_no_nul(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lacuna.scaffolds.fasta._CHUNK", 8)  # in the first chunk, it stops the run
    good, bad = read_scaffolds(write("a.fasta", ">a\nACDEFG\n>b\0c\nACD\n"))
    assert isinstance(good, Scaffold) and isinstance(bad, Rejected)
    assert bad.reason == (
        "a.fasta:3: 'b\\x00c' has a NUL character in its id; save the file as plain text"
    )


def test_messages_show_control_characters_as_escapes(read: Reader) -> None:
    good, bad = read(">a\x1b[2J\nACD\n>b\x1b]0;x\x07\u202e\nAOD\n")
    assert good.chain == "a\x1b[2J"  # an id is never rewritten
    assert isinstance(bad, Rejected) and bad.chain == "b\\x1b]0;x\\x07\\u202e"
    assert bad.reason.startswith("heavy.fasta:4: 'b\\x1b]0;x\\x07\\u202e' has 'O'")


def test_ids_that_a_spreadsheet_takes_for_formulas_are_said_once(
    read: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    found = read(">=1+1\nACD\n>@a\nACD\n>a=1\nACD\n>-x\nACD\n")
    assert [record.chain for record in found] == ["=1+1", "@a", "a=1", "-x"]
    (said,) = caplog.messages
    assert said.startswith("heavy.fasta: 3 ids (=1+1, @a, -x) begin with one of = + - @")


# --- gap tables as users and attackers write them ------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        "chain,start,end,mass\na,1,3,200.1\n",
        "chain;start;end;mass\r\na;1;3;200.1\r\n",
        '\ufeff"chain","start","end","mass"\n"a","1","3","200.1"\n',
        '"chain"\t"start"\t"end"\t"mass"\n"a"\t1\t3\t200.1\n',
        '"chain" "start" "end" "mass"\n"a" 1 3 200.1\n',
        'chain\tstart\tend\tmass\na\t"1"\t"3"\t"200.1"\n',
        "Chain, Start, End, Mass\na, 1, 3, 200.1\n",
        "chain ,start , end, mass\na , 1 , 3 , 200.1\n",
        "chain ;start ;end\na ;1 ;3\n",
        "chain\tstart\tend\tmin_length\tmax_length\na\t1.0\t3.0\t2.0\t2.0\n",
        "chain\rstart\rend\n".replace("\r", "\t") + "a\t1\t3\r",
        "a,1,3\n",
        "a;1;3\n",
    ],
)
def test_tables_of_spreadsheets_are_read(read: Reader, table: str) -> None:
    (found,) = read(">a\nACDE\n", table)
    assert isinstance(found, Scaffold)
    assert [(gap.start, gap.end, gap.truth) for gap in found.gaps] == [(1, 3, "CD")]
    assert found.gaps[0].mass == (200.1 if "200.1" in table else None)


@pytest.mark.parametrize(
    "table",
    [
        '"chain"\t"start"\t"end"\n"1"\t"a"\t1\t3\n',
        '"chain" "start" "end"\n"one" "a" 1 3\n',
        "chain start end\n1 1 0 3\n",
        "chain\tstart\tend\n1\ta\t1\t3\n",
        '"chain","start","end"\n"1","a",1,3\n',
    ],
)
def test_row_names_of_r_are_named(read: Reader, table: str) -> None:
    said = (
        "gaps.tsv:2: 4 cells under 3 columns; if the first are row names, write the table with "
        "row.names=FALSE; otherwise remove what is too much"
    )
    with pytest.raises(LacunaError, match=re.escape(said)):
        read(">a\nACDE\n>1\nACDE\n", table)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("0\t2\t367,0537", "mass '367,0537'; write a decimal point: 367.0537"),
        ("0\t2\t1_000", "mass '1_000'; give a number"),
        ("0\t2\t1,591.3", "mass '1,591.3'; write it without separators of thousands: 1591.3"),
        ("0\t2\t1.591,3", "mass '1.591,3'; write it without separators of thousands: 1591.3"),
        ("0\t2\t1,591", "mass '1,591'; write 1591, or 1.591 if the comma is a decimal one"),
        ("0\t2.5", "a gap with end '2.5'; give a whole number"),
        ("0\t02-Jan", "a gap with end '02-Jan'; give a whole number"),
        ("1\t5", "past its end at 4; correct the positions: they count from 0, the end exclusive"),
        ("0\t" + "9" * 5000, "a gap with end of 5000 digits; give a smaller number"),
        ("0\t" + "x" * 5000, f"a gap with end '{'x' * 37}...'; give a whole number"),
        ("0\t2\t" + "9" * 99_000, "a gap with mass"),
        ("0\t2\t" + "9" * 200_000, "a gap row of more than 100000 characters"),
        ("2\t2\t\t\t1\t1e9", "max_length '1e9'; give a whole number"),
        ("2\t2\t\t\t1\t1000000000", "of 1 to 1000000000 residues, more choices than the limit of"),
        ("2\t2\t\t\t3000000000", "may have 3000000004 residues with what its gaps may hold, more"),
        ("2\t2\t9e6\n3\t3\t9e6", "may have 96736 residues with what its gaps may hold, more"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(read: Reader, rows: str, words: str) -> None:
    bad = read.fault("ACDE", rows)
    assert words in bad.reason and len(bad.reason) < 250


@pytest.mark.parametrize("name", ["track", "browser", "#5", "#a"])
@pytest.mark.parametrize("table", ["{}\t1\t3\n", "{} 1 3\n", "chain\tstart\tend\n{}\t1\t3\n"])
def test_a_chain_may_be_called_as_a_keyword_or_comment(read: Reader, name: str, table: str) -> None:
    (found,) = read(f">{name}\nACDE\n", table.format(name))
    assert found == Scaffold(name, "", "AXXE", (fixed(1, 3, "CD"),), 1)


def test_a_row_behind_a_comment_mark_is_no_row_of_a_chain_that_is_not_there(read: Reader) -> None:
    assert read(">a\nACDE\n", "#a\t0\t1\n#b 5 9\na\t1\t3\n#a\t3\t4\n") == [
        Scaffold("a", "", "AXXE", (fixed(1, 3, "CD"),), 1)
    ]


def test_a_header_without_end_is_told_in_a_short_line(read: Reader) -> None:
    for header in ("chain\tstart\tend\t" + "x" * 200_000, "chain" + "\tx" * 40_000):
        with pytest.raises(LacunaError) as error:
            read(">a\nACDE\n", header + "\n")
        assert len(str(error.value)) < 500


def test_a_contradiction_of_long_gaps_is_told_in_a_short_line(read: Reader) -> None:
    letters = "A" * 40_000, "C" * 40_000
    _, bad = read(f">m\n{letters[0]}\n", "m\t0\t40000\n", truth=f">m\n{letters[1]}\n")
    assert isinstance(bad, Rejected)
    assert "where the scaffold hides AAAA" in bad.reason and len(bad.reason) < 500


def test_a_quoted_id_that_is_no_chain_is_told_why(read: Reader) -> None:
    _, bad = read(">a\nACDE\n", '"a"\t1\t3\n'.replace("\t1\t3", " 1 3"))
    assert isinstance(bad, Rejected) and bad.reason.endswith("heavy.fasta; remove the quotes")
    good = read('>"a"\nACDE\n', '"a" 1 3\n')[0]
    assert isinstance(good, Scaffold) and good.gaps


def test_a_bomb_is_read_in_little_memory(write: Write) -> None:
    table = write("g.tsv.gz", "chain\tstart\tend\na\t1\t" + "3" * 30_000_000)
    fasta = write("a.fasta", ">a\nACDE\n")
    tracemalloc.start()
    (bad,) = read_scaffolds(fasta, table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(bad, Rejected) and "more than 100000 characters" in bad.reason
    assert peak < 10_000_000


# --- truth and homologs that match in part -------------------------------------------------------


def test_ids_of_the_truth_that_match_in_part_are_said_in_one_line(read: Reader) -> None:
    fasta = ">a\nA-\n>b\nA-\n>c\nAC\n>d\nA-\n>e\nAO\n"
    truth = ">y\nAC\n>a\nAC\n>a\nAD\n>e\nAC\n>x\nAC\n"
    *found, bad, note = read(fasta, truth=truth)
    assert all(isinstance(record, Scaffold) for record in found) and bad.chain == "e"
    assert note == Rejected(
        "",
        1,
        None,
        "truth.fasta:1: 2 ids (y, x) of the truth are not chains of heavy.fasta; "
        "2 ids (b, d) of heavy.fasta with gaps have no truth and do not count; "
        "1 id (a) of the truth came before, and the first record counts; "
        "give both files the same ids",
        remark=True,
    )


def test_one_chain_without_truth_is_said_in_the_singular(read: Reader) -> None:
    *_, note = read(">a\nA-\n>l\nA-\n", truth=">a\nAC\n")
    assert isinstance(note, Rejected)
    assert "1 id (l) of heavy.fasta with gaps has no truth and does not count;" in note.reason
    *_, note = read(">a\nA-\n", truth=">a\nAC\n>y\nAC\n")
    assert isinstance(note, Rejected)
    assert "1 id (y) of the truth is not a chain of heavy.fasta;" in note.reason


def test_truth_of_every_chain_says_nothing(read: Reader) -> None:
    assert len(read(">a\nA-\n>c\nAC\n", truth=">a\nAC\n")) == 2


def test_homologs_that_cannot_be_used_are_listed(write: Write) -> None:
    fasta = write("a.fasta", ">a\nAC-\n")
    homologs = write("h.fasta", ">good\nACD\n" + "".join(f">h{i}\nAO\n" for i in range(103)))
    scaffold, *bad = read_scaffolds(fasta, homologs=homologs)
    assert isinstance(scaffold, Scaffold) and len(bad) == 101
    assert isinstance(bad[0], Rejected) and isinstance(bad[-1], Rejected)
    assert bad[0].reason.startswith("h.fasta:4: 'h0' has 'O' at column 2")
    assert bad[-1].reason == "h.fasta:1: 3 more homologs cannot be used; see above"


# --- properties ----------------------------------------------------------------------------------

OBSERVED = st.text(alphabet=RESIDUES + RESIDUES.lower(), max_size=12)
MISSING = st.text(alphabet="-Xx_?", min_size=1, max_size=4)
AMBIGUITY = st.sampled_from([*AMBIGUOUS, *(letter.lower() for letter in AMBIGUOUS)])
INLINE = st.floats(58, 9000).map(lambda mass: f"X[+{mass:.4f}]") | st.integers(57, 9000).map(
    lambda mass: f"{{{mass} Da}}"
)
PIECES = st.lists(OBSERVED | MISSING | AMBIGUITY | INLINE, min_size=1, max_size=12)


def expected_letters(pieces: list[str]) -> str:
    """The sequence that the pieces of a chain mean, position by position."""
    letters = ""
    for piece in pieces:
        if piece.startswith(("X[", "{")):
            letters += "X"
        else:
            letters += re.sub("[-_?]", "X", piece.upper())
    return letters


@given(PIECES.filter(lambda pieces: any(pieces)), st.randoms(use_true_random=False))
@example(["X[+58.0000]"], random.Random(0))
def test_observed_residues_and_coordinates_survive_any_layout(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], dice: random.Random
) -> None:
    text = "".join(
        character + dice.choice(["", "", "", " ", "\n", "\r\n"]) for character in "".join(pieces)
    )
    path = tmp_path_factory.mktemp("fasta") / "a.fasta"
    path.write_text(f">a\n{text}\n", encoding="utf-8", newline="")
    scaffold, *others = read_scaffolds(path)
    assert isinstance(scaffold, Scaffold)
    assert all(isinstance(other, Rejected) and other.remark for other in others)
    assert scaffold.sequence == expected_letters(pieces)

    # Gaps are sorted, disjoint, and hold exactly the letters that are not residues.
    covered = [position for gap in scaffold.gaps for position in range(gap.start, gap.end)]
    assert covered == [
        position for position, letter in enumerate(scaffold.sequence) if letter not in RESIDUES
    ]
    massive = [piece.startswith(("X[", "{")) for piece in pieces if piece]
    assert sum(len(gap.pieces) or gap.weighed for gap in scaffold.gaps) == sum(massive)
    runs = sum(now and not before for before, now in zip([False, *massive], massive, strict=False))
    assert sum(gap.weighed for gap in scaffold.gaps) == runs
    assert from_json(to_json(scaffold)) == scaffold


@given(st.text(alphabet=RESIDUES, min_size=1, max_size=40), st.data())
def test_hiding_and_truth_put_together_are_the_chain(
    tmp_path_factory: pytest.TempPathFactory, sequence: str, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sequence)), max_size=8)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    folder = tmp_path_factory.mktemp("table")
    (folder / "a.fasta").write_text(f">a\n{sequence}\n", encoding="utf-8")
    (folder / "a.bed").write_text(
        "".join(f"a\t{start}\t{end}\n" for start, end in reversed(spans)), encoding="utf-8"
    )
    table = folder / "a.bed" if spans else None
    (scaffold,) = read_scaffolds(folder / "a.fasta", table)
    assert isinstance(scaffold, Scaffold)
    assert [(gap.start, gap.end) for gap in scaffold.gaps] == spans
    filled = list(scaffold.sequence)
    for gap in scaffold.gaps:
        assert filled[gap.start : gap.end] == ["X"] * (gap.end - gap.start) and gap.fixed
        filled[gap.start : gap.end] = gap.truth or ""
    assert "".join(filled) == sequence


@given(st.binary(max_size=200))
@example(b"[\xff]")
@example(b"{\xd9\xa4 Da}")
def test_no_bytes_whatever_raise_anything_but_a_rejection(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a.fasta"
    path.write_bytes(b">a\nACD\n>b\n" + body.replace(b"\0", b"").replace(b">", b""))
    first, second = read_scaffolds(path)
    assert isinstance(first, Scaffold) and first.sequence == "ACD"
    assert second.chain == "b"


@given(
    st.text(alphabet=RESIDUES, min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=3),
)
def test_a_truth_cut_into_loose_gaps_never_comes_back_wrong(
    tmp_path_factory: pytest.TempPathFactory, truth: str, cuts: list[tuple[int, int]]
) -> None:
    # Cut pieces of unknown length out of a chain: the truth is found, or nothing.
    spans: list[tuple[int, int]] = []
    for start, end in sorted((min(cut), max(cut)) for cut in cuts):
        if end <= len(truth) and start < end and (not spans or start >= spans[-1][1]):
            spans.append((start, end))
    sequence, done = "", 0
    for start, end in spans:
        sequence += truth[done:start] + "{9000 Da}"
        done = end
    folder = tmp_path_factory.mktemp("truth")
    (folder / "a.fasta").write_text(f">a\n{sequence}{truth[done:]}\n", encoding="utf-8")
    (folder / "t.fasta").write_text(f">a\n{truth}\n", encoding="utf-8")
    (scaffold,) = read_scaffolds(folder / "a.fasta", truth=folder / "t.fasta")
    assert isinstance(scaffold, Scaffold)
    for gap, (start, end) in zip(scaffold.gaps, spans, strict=True):
        assert gap.truth in (truth[start:end], None)
    if len(spans) == 1:
        assert scaffold.gaps[0].truth == truth[spans[0][0] : spans[0][1]]


# --- JSON lines and speed ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["block.jsonl", "block.jsonl.gz"])
def test_blocks_are_read_as_they_were_written(read: Reader, tmp_path: Path, name: str) -> None:
    scaffolds = [
        read.one("AC{420 Da}D-"),
        read.one("ACDEF", "1\t3\t200.1"),
        Scaffold('ü"\\', "a\tb", "ACD", (), 3),
    ]
    write_scaffolds(tmp_path / name, scaffolds)
    assert read_scaffold_block(tmp_path / name) == scaffolds
    assert all("\n" not in to_json(scaffold) for scaffold in scaffolds)


@pytest.mark.parametrize("line", ["", "[]", "{}", "null", '{"gaps":[[1]]}', "nonsense"])
def test_a_line_that_is_no_scaffold_is_named(write: Write, line: str) -> None:
    good = to_json(Scaffold("a", "", "ACD", (), 1))
    path = write("block.jsonl", f"{good}\n{line}\n")
    with pytest.raises(LacunaError, match="block.jsonl:2: .*remove the file"):
        read_scaffold_block(path)


def test_many_chains_are_not_held(write: Write) -> None:
    """Held, they would take 28 MB."""
    n = 20_000
    chain = "EVQLVESGGGLVQPGGSLRLSCAAS-----" * 4
    path = write("many.fasta", "".join(f">c{i}\n{chain}\n" for i in range(n)))
    tracemalloc.start()
    found = sum(isinstance(record, Scaffold) for record in read_scaffolds(path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == count_records(path) == n
    assert most < 10e6


def test_a_tolerance_may_be_given_in_daltons(write: Write) -> None:
    fasta = write("a.fasta", ">a\nACDEF\n")
    head = "chain\tstart\tend\tmass\ttolerance_ppm\ttolerance_da\n"
    (scaffold,) = read_scaffolds(fasta, write("g.tsv", head + "a\t1\t3\t200\t\t0.02\n"))
    assert isinstance(scaffold, Scaffold)
    assert scaffold.gaps[0].tolerance_da == 0.02
    (bad,) = read_scaffolds(fasta, write("h.tsv", head + "a\t1\t3\t200\t10\t0.02\n"))
    assert isinstance(bad, Rejected)
    assert "tolerance_ppm and tolerance_da; keep one of them" in bad.reason
    (bad,) = read_scaffolds(fasta, write("i.tsv", head + "a\t1\t3\t0\t\t200\n"))
    assert isinstance(bad, Rejected)
    assert (
        "gap mass of 0 Da with a tolerance of 200 Da; give a tolerance that is less" in bad.reason
    )
