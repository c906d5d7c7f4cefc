"""Truth and homologs of the chains of a FASTA."""

import re

import pytest

from conftest import Write
from lacuna.scaffolds.read import unusable_homologs
from lacuna.scaffolds.scaffold import Rejected, Scaffold
from scaffold_reader import Reader, fixed


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
        "give both files the same ids; "
        "1 id (a) is in the truth more than once, and its first record counts; remove the others",
        remark=True,
    )


def test_ids_that_the_truth_has_more_than_once_are_said(read: Reader) -> None:
    *_, note = read(">a\nA-\n>b\nA-\n", truth=">a\nAC\n>b\nAC\n>a\nAD\n>b\nAD\n")
    assert isinstance(note, Rejected) and note.reason == (
        "truth.fasta:1: 2 ids (a, b) are in the truth more than once, and their first record "
        "counts; remove the others"
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
    homologs = write("h.fasta", ">good\nACD\n" + "".join(f">h{i}\nAO\n" for i in range(103)))
    bad = list(unusable_homologs(homologs))
    assert len(bad) == 101
    assert bad[0].reason.startswith("h.fasta:4: 'h0' has 'O' at column 2")
    assert bad[-1].reason == "h.fasta:1: 3 more homologs cannot be used; see above"
