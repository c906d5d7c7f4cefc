"""Masses of gaps in a sequence, and of beginnings of gaps."""

import pytest

from conftest import Write
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Gap, Piece, Rejected, Scaffold
from scaffold_reader import Reader, fixed


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


@pytest.mark.parametrize("letters", ["AXXEFGHIK", "ACDXXGHIK"])
def test_neighbouring_masses_of_which_one_hides_no_residues_have_no_truth(
    read: Reader, letters: str
) -> None:
    (gap,) = read.one(letters, "1\t3\t218.037\n3\t5\t276.111").gaps
    assert (gap.start, gap.end, len(gap.pieces), gap.truth) == (1, 5, 2, None)


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
