"""The letters of a chain: residues, gaps, limits, faults."""

import pytest

from lacuna.scaffolds.scaffold import Rejected, Scaffold
from scaffold_reader import Reader, fixed


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
