"""Two chains of a locus that a sample has: put right where they are half of each other."""

from dataclasses import replace

import numpy as np
import pytest

from lacuna.core.alphabet import RESIDUES, decode
from lacuna.placing.aligning.memory import Memory
from lacuna.placing.chains.crossing import _reads_over, exchanged, seams
from lacuna.placing.chains.parting import parted
from lacuna.placing.place import Placed
from lacuna.placing.votes.draft import Draft, in_both
from lacuna.placing.votes.placement import Assembly, place_on, reads_over
from reads import built, merged, peptide, reads_of, tiles
from two_chains import ONE, OTHER, letters, placed_two, variant


@pytest.fixture(scope="module")
def two() -> Placed:
    return placed_two()


def crossed(drafts: tuple[Draft, ...], column: int, last: int) -> list[Draft]:
    """Two drafts, each with the columns `column` to `last` of the other."""
    tokens = [d.tokens.copy() for d in drafts]
    for i, j in in_both(*drafts):
        if column <= drafts[0].columns[i] <= last:
            tokens[0][i], tokens[1][j] = drafts[1].tokens[j], drafts[0].tokens[i]
    return [d.with_tokens(t) for d, t in zip(drafts, tokens, strict=True)]


@pytest.mark.parametrize(("column", "last"), [(105, 128), (66, 100), (39, 55), (5, 20), (1, 50)])
def test_chains_are_put_right_by_the_reads_over_their_seams(
    two: Placed, column: int, last: int
) -> None:
    a, b = two.drafts
    b = replace(b, j=b.j + 1)
    wrong = crossed((a, b), column, last)
    if column == 105:  # CDR3s are of different lengths
        n, m = a.cdr3()[0], b.cdr3()[0]
        wrong = [
            replace(x.spliced(i, len(x), y.tokens[j:], y.columns[j:], y.germline[j:]), j=y.j)
            for x, i, y, j in ((a, n, b, m), (b, m, a, n))
        ]
    assert sorted(letters(wrong)) != sorted(letters(two.drafts))
    right = exchanged(Assembly.of(two.reads, wrong)).drafts
    assert sorted(letters(right)) == sorted(letters(two.drafts))
    segments = {text: (d.v, d.j) for text, d in zip(letters(right), right, strict=True)}
    assert segments == {text: (d.v, d.j) for text, d in zip(letters([a, b]), (a, b), strict=True)}


def test_chains_of_other_loci_do_not_cross(two: Placed) -> None:
    one, other = crossed(two.drafts, 66, 100)
    kept = [one, replace(other, locus="K")]
    assert letters(exchanged(Assembly.of(two.reads, kept)).drafts) == letters(kept)


def test_of_many_reads_over_a_seam_the_surest_are_asked(
    two: Placed, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = np.random.default_rng(1).uniform(0.8, 0.99, (len(two.reads), 1))
    reads = replace(two.reads, right=two.reads.right * sure)
    assembly = Assembly(Memory.of(reads), two.drafts, (), two.placements)
    place = seams(*two.drafts)[9]
    rows = _reads_over(assembly, (0, 1), place)
    monkeypatch.setattr("lacuna.placing.chains.crossing.MOST_OVER", 3)
    asked = _reads_over(assembly, (0, 1), place)
    worth = {row: reads.right[row].sum() for row in rows.tolist()}
    assert len(rows) > 6
    assert asked.tolist() == sorted(sorted(worth, key=lambda row: -worth[row])[:3])


def test_seams_are_where_chains_begin_to_differ() -> None:
    (draft,) = built(tiles(ONE)).drafts
    ends = [(at, at) for at in draft.cdr3()]
    assert seams(draft, draft) == ends
    start = draft.find(30)
    stop = start + 3
    shorter = draft.spliced(start, start + 1, *[np.empty(0, np.uint8)] * 2)
    tokens = draft.tokens.copy()
    tokens[[0, stop]] = RESIDUES.index("W")
    found = seams(draft.with_tokens(tokens), shorter)
    # The first residue that differs has none in front of it to be joined to.
    assert found == [(start, start), (stop, stop - 1), *((at, at - 1) for at, _ in ends)]
    fr4 = ends[1][0]
    tokens[[fr4 + 2, fr4 + 6]] = RESIDUES.index("W")
    in_fr4 = seams(draft.with_tokens(tokens), shorter)[len(found) :]
    assert in_fr4 == [(fr4 + 2, fr4 + 1), (fr4 + 6, fr4 + 5)]


def test_reads_are_over_a_place_beyond_their_cores_too() -> None:
    (draft,) = built(tiles(ONE)).drafts
    # Cores of the first and the last read end at 42; the third read does not reach it.
    texts = [ONE[28:42] + "HHHH", ONE[34:50], ONE[26:40], "HHHH" + ONE[42:56]]
    found = built([*tiles(ONE), *(peptide(text) for text in texts)])
    reads = [
        decode(tokens[: len(text)])
        for tokens, text in zip(found.reads.tokens[-4:], texts, strict=True)
    ]
    assert reads == [merged(text) for text in texts]
    over = reads_over(found.reads, place_on(found.reads, [draft]), [(0, 41, 43)])
    last = len(found.reads) - 4
    assert [row - last for row in over.tolist() if row >= last] == [0, 1, 3]


def test_a_residue_that_a_part_of_the_reads_shows_is_of_one_of_two_chains(two: Placed) -> None:
    fr4 = OTHER.index("WGQG") + 2
    changed = variant(OTHER, **{f"p{fr4}": "R"})
    placed = built([*tiles(ONE), *tiles(changed), *tiles(changed[2:])])
    drafts = list(placed.drafts)
    number = next(i for i, d in enumerate(drafts) if decode(d.tokens)[:9] == changed[:9])
    at = drafts[number].find(120)
    drafts[number] = drafts[number].with_residues(at, RESIDUES.index("Q"))
    found = parted(Assembly.of(placed.reads, drafts)).drafts
    assert decode(found[number].tokens[at : at + 1]) == "R"
    assert decode(found[1 - number].tokens)[:110] == decode(drafts[1 - number].tokens)[:110]
    # If no read shows anything else, nothing changes.
    assert letters(parted(Assembly.of(two.reads, two.drafts)).drafts) == letters(two.drafts)


@pytest.mark.parametrize(
    ("at", "n_reads", "parts"),
    [
        (59, 8, True),
        (59, 4, False),  # they gain as little by it as misread ones might
        (35, 8, False),  # every antibody has Trp41
    ],
)
def test_a_second_residue_is_one_that_reads_show_clearly_and_that_may_change(
    two: Placed, at: int, n_reads: int, parts: bool
) -> None:
    changed = variant(OTHER, **{f"p{at}": "H"})
    others = [peptide(changed[at - 7 - i : at + 7 - i]) for i in range(n_reads)]
    reads = reads_of([*tiles(ONE), *tiles(OTHER), *others])
    assert [RESIDUES[d.tokens[at]] for d in two.drafts] == [OTHER[at]] * 2
    found = parted(Assembly.of(reads, two.drafts)).drafts
    assert sorted(RESIDUES[d.tokens[at]] for d in found) == sorted(
        ["H" if parts else OTHER[at], OTHER[at]]
    )


def test_fr4s_are_exchanged_if_reads_go_on_into_the_other_one(two: Placed) -> None:
    fr4 = OTHER.index("WGQG") + 2
    changed = variant(OTHER, **{f"p{fr4}": "R"})
    placed = built([*tiles(ONE), *tiles(changed), *tiles(changed[2:])])
    wrong = crossed(placed.drafts, 118, 128)
    assert letters(wrong) != letters(placed.drafts)
    right = exchanged(Assembly.of(placed.reads, wrong)).drafts
    assert letters(right) == letters(placed.drafts)
    assert all(d.bridged for d in right)


@pytest.mark.parametrize(("was", "seen"), [("N", "D"), ("Q", "E"), ("K", "Q"), ("M", "F")])
def test_what_reads_mistake_is_no_second_residue(was: str, seen: str) -> None:
    at = 12
    one, other = (variant(chain, p12=was) for chain in (ONE, OTHER))
    read = variant(other, p12=seen)
    reads = [*tiles(one), *tiles(other), *tiles(read), *tiles(read[2:])]
    placed = built(reads)
    drafts = [draft.with_residues(at, RESIDUES.index(was)) for draft in placed.drafts]
    found = parted(Assembly.of(placed.reads, drafts)).drafts
    assert {int(d.tokens[at]) for d in found} == {RESIDUES.index(was)}
