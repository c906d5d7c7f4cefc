"""Reads that contradict chains in the same way: which they are, and what becomes of the chains."""

import pytest

from lacuna.core.alphabet import RESIDUES, decode
from lacuna.placing.chains.contradicting import Contradicting, contradicting
from lacuna.placing.chains.parting import parted
from lacuna.placing.place import Placed
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly
from lacuna.reads.read import Read
from reads import built, merged, read_set, reads_of, tiles
from two_chains import ONE, OTHER, letters, placed_two, variant

CDR3 = ONE.index("ARWGG")
DOMAIN = len(ONE) - 60
THREE = {"p40": "W", "p41": "H", "p42": "W"}


@pytest.fixture(scope="module")
def one() -> Draft:
    """A V domain."""
    (draft,) = built(tiles(ONE[:DOMAIN])).drafts
    assert decode(draft.tokens) == merged(ONE[:DOMAIN])
    return draft


@pytest.fixture(scope="module")
def two() -> Placed:
    return placed_two()


def against(one: Draft, *sequences: str, probability: float = 0.95) -> Contradicting:
    """Those among such reads, and reads of the chain."""
    reads = read_set(*map(merged, sequences), probability=probability)
    return contradicting(Assembly.of(reads, [one]), "H")


def windows(chain: str, first: int, last: int, n: int = 14) -> list[str]:
    """Every stretch of n residues that begins at first to last."""
    return [chain[at : at + n] for at in range(first, last + 1)]


def test_reads_that_differ_in_several_residues_in_the_same_way_contradict_a_chain(
    one: Draft,
) -> None:
    found = against(one, *windows(ONE, 0, 80), *windows(variant(ONE, **THREE), 32, 38))
    assert found.rows.tolist() == list(range(81, 88)) and found.places == 1
    assert found.share == pytest.approx(7 / 88, abs=0.001)


@pytest.mark.parametrize(
    ("other", "first", "last"),
    [
        (variant(ONE, **THREE), 35, 37),  # three reads
        (variant(ONE, p41="H"), 30, 40),  # one residue: a mutation, or two that a tool mistakes
        (variant(ONE, **{f"p{CDR3 + i}": "W" for i in range(2, 5)}), CDR3 - 9, CDR3),  # of a CDR3
    ],
)
def test_what_does_not_contradict(one: Draft, other: str, first: int, last: int) -> None:
    found = against(one, *windows(ONE, 0, 80), *windows(other, first, last))
    assert not len(found.rows) and found.share == 0 and found.places == 0


def test_misread_reads_differ_each_in_its_own_way(one: Draft) -> None:
    ways = ["WHW", "HWF", "WFW", "FWH", "YFY", "FYF", "HYH"]
    changes = ({"p40": a, "p41": b, "p42": c} for a, b, c in ways)
    shown = [variant(ONE, **way)[at : at + 14] for at, way in enumerate(changes, start=32)]
    assert not len(against(one, *windows(ONE, 0, 80), *shown).rows)


def test_unsure_residues_contradict_nothing(one: Draft) -> None:
    other = windows(variant(ONE, **THREE), 32, 38)
    assert len(against(one, *other, probability=0.61).rows) == 7
    assert not len(against(one, *other, probability=0.59).rows)


@pytest.mark.parametrize(
    ("shown", "contradicts"),
    [
        ([ONE[at:44] + "WHMWYH" for at in range(24, 32)], True),  # goes on otherwise
        (["WHMWYH" + ONE[44:at] for at in range(56, 64)], True),  # begins otherwise
        (["WHMWYH" + ONE[:at] for at in range(12, 20)], False),  # a tag
        ([ONE[at : CDR3 + 1] + "WHMWYH" for at in range(CDR3 - 18, CDR3 - 10)], False),
    ],
)
def test_reads_that_go_on_otherwise_contradict_a_chain(
    one: Draft, shown: list[str], contradicts: bool
) -> None:
    assert bool(len(against(one, *windows(ONE, 0, 80), *shown).rows)) == contradicts


@pytest.mark.parametrize(
    ("at", "shown", "contradicts"),
    [
        (56, "WH", True),
        (56, "EE", False),  # carbamyl
        (56, "TQ", False),  # methyl
        (53, "DNF", False),  # acetyl, of Y and G with an N between them
        (53, "DNW", True),
    ],
)
def test_what_weighs_as_much_more_as_a_modification_is_a_misread_peptide(
    one: Draft, at: int, shown: str, contradicts: bool
) -> None:
    assert ONE[53:58] == "YNGNT"
    other = variant(ONE, **{f"p{i}": residue for i, residue in enumerate(shown, start=at)})
    found = against(one, *windows(ONE, 0, 80), *windows(other, 48, 53))
    assert bool(len(found.rows)) == contradicts


def test_ends_that_weigh_as_much_as_the_chain_contradict_nothing(one: Draft) -> None:
    """They are misread: its residues in another order, one modified or taken for two."""

    def contradict(end: str) -> bool:
        shown = [ONE[at:44] + end for at in range(24, 32)]
        return bool(len(against(one, *windows(ONE, 0, 80), *shown).rows))

    backwards = ONE[50:43:-1]
    assert contradict("WHMWYH")
    assert not contradict(backwards)
    assert not contradict(backwards.replace("G", "A"))  # methyl
    assert not contradict(backwards.replace("W", "AD", 1))


def test_places_are_further_apart_than_what_one_misread_peptide_shows(one: Draft) -> None:
    def places(**more: str) -> int:
        other = variant(ONE, **THREE, **more)
        return against(one, *windows(other, 33, 39), *windows(other, 53, 59)).places

    assert [places(), places(p50="W", p51="H"), places(p62="W", p63="H")] == [1, 1, 2]


def test_what_a_read_has_in_front_of_the_chain_is_no_place_at_its_end(one: Draft) -> None:
    other = variant(ONE, p2="W", p3="H")
    found = against(one, *windows(ONE, 0, 80), *("W" + other[:n] for n in range(14, 20)))
    assert len(found.rows) == 6 and found.places == 1


@pytest.fixture(scope="module")
def many() -> list[Read]:
    """Reads of two chains."""
    return [read for chain in (ONE, OTHER) for read in tiles(chain, step=1)]


@pytest.mark.parametrize("which", [0, 1])
def test_a_chain_that_was_partly_built_otherwise_is_put_right(
    two: Placed, many: list[Read], which: int
) -> None:
    """Several residues at once: with one of them alone, no read would fit better."""
    drafts = list(two.drafts)
    drafts[which] = drafts[which].with_residues(slice(52, 55), RESIDUES.index("H"))
    right = parted(Assembly.of(reads_of(many), drafts)).drafts
    assert letters(list(right)) == letters(two.drafts)


def test_a_chain_does_not_become_one_that_was_not_found(two: Placed, many: list[Read]) -> None:
    third = variant(ONE, p52="W", p53="H", p54="W")
    assembly = Assembly.of(reads_of([*many, *tiles(third[42:66], step=2)]), two.drafts)
    assert len(contradicting(assembly, "H").rows)
    assert letters(list(parted(assembly).drafts)) == letters(two.drafts)
