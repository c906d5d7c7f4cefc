"""Residues of a chain that may be those of another one of its locus."""

from dataclasses import replace

import numpy as np
import pytest

from lacuna.antibody.imgt import CONSTANT
from lacuna.core.alphabet import MISSING, RESIDUES, decode, encode, merge_il
from lacuna.evidence.phase import (
    CROSSED_WEIGHT,
    JOINED_NATS,
    _crossed,
    apart,
    copied_into_cdr3,
    differences,
    holds_several,
    unjoined,
)
from lacuna.placing.chains.crossing import seam_nats, seams
from lacuna.placing.place import Placed
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly, place_on
from lacuna.reads.read import weight_of_equal
from reads import built, chain_with_cdr3, draft_from, merged, opened, reads_of, tiles, weighed
from two_chains import ONE, OTHER, placed_two, variant


@pytest.fixture(scope="module")
def two() -> Placed:
    return placed_two()


def mixture(placed: Placed, changed: list[int], share: float = 0.5) -> Placed:
    """A chain, and one with W or F at some positions, both read."""
    (draft,) = placed.drafts
    tokens = draft.tokens.copy()
    for at in changed:
        tokens[at] = RESIDUES.index("F" if RESIDUES[tokens[at]] == "W" else "W")
    drafts = (draft, draft.with_tokens(tokens))
    reads = reads_of([*tiles(ONE), *tiles(decode(tokens)[: len(ONE)])])
    (one,) = placed.populations
    return replace(
        placed,
        names=("heavy", "heavy_2"),
        drafts=drafts,
        reads=reads,
        placements=place_on(reads, drafts),
        populations=(replace(one, share=1 - share), replace(one, share=share)),
        rivalled=(False, False),
    )


@pytest.fixture(scope="module")
def whole() -> Placed:
    return built(tiles(ONE))


CDR3 = ONE.index("ARWGG")


def test_a_residue_that_no_read_joins_to_the_others_may_be_of_the_other_chain(
    whole: Placed,
) -> None:
    far = [30, 34]  # reads are of 14 residues
    found = mixture(whole, [*far, CDR3 + 3])
    assert np.flatnonzero(unjoined(found)[0]).tolist() == far
    chain = weighed(found)[0]
    assert [row.position - 1 for row in chain.rows if "phase" in row.flags] == far
    assert max(chain.rows[at].probability for at in far) < 0.95
    on_the_way = [*range(far[-1], CDR3 - 2, 7), CDR3 - 2]
    assert not unjoined(mixture(whole, [*far, *on_the_way, CDR3 + 3]))[0].any()


@pytest.mark.parametrize("unread", [1, 0])
def test_what_is_read_of_one_of_two_chains_joins_nothing(whole: Placed, unread: int) -> None:
    """It may be the same in the other one, which is germline, or a mutation of this one."""
    far, on_the_way = [30, 34], [*range(41, CDR3 - 2, 7), CDR3 - 2]
    found = mixture(whole, [*far, *on_the_way, CDR3 + 3])
    assert not unjoined(found)[0].any()
    part, text = (decode(found.drafts[i].tokens)[: len(ONE)] for i in (unread, 1 - unread))
    shown = [*tiles(part[: on_the_way[0]]), *tiles(part[on_the_way[-1] + 1 :])]
    reads = reads_of([*tiles(text), *shown])
    found = replace(found, reads=reads, placements=place_on(reads, found.drafts))
    assert [np.flatnonzero(flagged[:CDR3]).tolist() for flagged in unjoined(found)] == [far, far]


def test_a_residue_of_fr4_that_no_read_joins_to_cdr3_may_be_of_the_other_chain(
    whole: Placed,
) -> None:
    """Though reads join the start of FR4 to it."""
    fr4 = ONE.index("WGQG")
    far, differ = [fr4 + 5, fr4 + 6], list(range(CDR3 + 3, 5, -7))
    assert np.flatnonzero(unjoined(mixture(whole, [*differ, *far]))[0]).tolist() == far
    joined = mixture(whole, [*differ, *range(CDR3 + 7, fr4), fr4 + 2, *far])
    assert not unjoined(joined)[0].any()


def test_a_loop_that_no_read_of_its_chain_alone_shows_may_be_of_the_other_one(two: Placed) -> None:
    """It is like that of the other one, of another gene, whose reads are all that there is."""
    drafts = list(two.drafts)
    number = next(i for i, d in enumerate(drafts) if decode(d.tokens)[:9] == merged(ONE[:9]))
    at = [i for i, c in enumerate(drafts[number].columns.tolist()) if 27 <= c <= 38]
    lent = variant(ONE, **{f"p{i}": OTHER[i] for i in at})
    drafts[number] = drafts[number].with_tokens(
        np.concatenate((merge_il(encode(lent[: at[-1] + 1])), drafts[number].tokens[at[-1] + 1 :]))
    )

    def flagged(*of_one: str) -> list[int]:
        reads = reads_of([r for text in (*of_one, OTHER, OTHER[2:]) for r in tiles(text)])
        placed = replace(two, reads=reads, drafts=tuple(drafts), placements=place_on(reads, drafts))
        return np.flatnonzero(unjoined(placed)[number]).tolist()

    assert set(at) <= set(flagged(ONE[: at[0]], ONE[at[-1] + 1 :]))
    assert not set(at) & set(flagged(lent, lent[2:], lent[4:]))


@pytest.mark.parametrize(("mutations", "may"), [(2, True), (1, False)])
def test_chains_of_one_gene_seldom_have_several_mutations_of_a_loop_in_common(
    whole: Placed, mutations: int, may: bool
) -> None:
    """Reads show those of the second chain alone."""
    columns = whole.drafts[0].columns.tolist()
    at = [columns.index(column) for column in (29, 36)][:mutations]
    one = variant(ONE, **{f"p{i}": "W" for i in at})
    two = variant(one, p10="W", p12="W", p45="W", p47="W", p49="W", p51="W")
    reads = [*tiles(ONE[: at[0]]), *tiles(ONE[at[-1] + 1 :]), *tiles(two), *tiles(two[2:])]
    drafts = tuple(
        draft.with_tokens(np.concatenate((merge_il(encode(own)), draft.tokens[len(own) :])))
        for draft, own in zip(mixture(whole, []).drafts, (one, two), strict=True)
    )
    found = replace(mixture(whole, []), reads=reads_of(reads), drafts=drafts)
    found = replace(found, placements=place_on(found.reads, drafts))
    assert (set(at) <= set(np.flatnonzero(unjoined(found)[0]).tolist())) == may


def test_weights_of_reads_over_a_place_leave_no_rest_behind_them() -> None:
    spans = np.array([(10, 23), (6, 18), (24, 36), (7, 18), (5, 19), (26, 35), (29, 41)])
    weight = weight_of_equal(np.array([6, 3, 4, 5, 7, 5, 7]))
    over = _crossed(spans, weight, 4, 60)
    assert over[28] == weight[2] == CROSSED_WEIGHT  # of one read alone


def test_a_chain_beside_one_that_was_not_found_may_hold_residues_of_it(whole: Placed) -> None:
    """Though no other chain is there to differ from it: what no read joins to most of it."""
    assert not unjoined(replace(whole, rivalled=(True,)))[0].any()
    far = ONE.index("WVRQ")
    apart = [*tiles(ONE[:far]), *tiles(ONE[far:])]
    parted = built(apart)
    assert not unjoined(parted)[0].any()
    beside = replace(parted, rivalled=(True,))
    assert np.flatnonzero(unjoined(beside)[0]).tolist() == list(range(far))
    (chain,) = weighed(beside)
    assert [row.position - 1 for row in chain.rows if "phase" in row.flags] == list(range(far))
    assert max(row.probability or 0.0 for row in chain.rows[:far]) < 0.95
    for size in (30, 44):
        pieces = [read for i in range(0, len(ONE), size) for read in tiles(ONE[i : i + size])]
        small = replace(built(pieces), rivalled=(True,))
        (draft,) = small.drafts
        of_v = (draft.columns > 0) & (draft.columns < CONSTANT)
        assert np.array_equal(unjoined(small)[0], of_v)  # no stretch is most of the chain


def test_pieces_of_two_genes_that_no_read_joins_may_be_of_two_chains(whole: Placed) -> None:
    """As where a chain was not found whose reads lie on another one; a mutated piece is no sign."""
    far = ONE.index("WVRQ")
    parted = built([*tiles(ONE[:far]), *tiles(ONE[far:])])

    def found(placed: Placed, front: str) -> list[int]:
        (draft,) = placed.drafts
        other = draft.with_residues(slice(len(front)), merge_il(encode(front)))
        (flagged,) = unjoined(replace(placed, drafts=(other,)))
        return np.flatnonzero(flagged).tolist()

    other = OTHER[: OTHER.index("WVRQ")]
    mutated = "".join("Y" if i % 6 == 3 else x for i, x in enumerate(ONE[:far]))
    assert found(parted, ONE[:far]) == found(parted, mutated) == []
    assert found(parted, other) == list(range(far))
    assert found(whole, other) == []


@pytest.mark.parametrize(("share", "may"), [(0.08, False), (0.12, True)])
def test_what_few_reads_are_of_has_lent_nothing_to_what_most_are_of(
    whole: Placed, share: float, may: bool
) -> None:
    assert unjoined(mixture(whole, [30, 34, CDR3 + 3], share=share))[0].any() == may


@pytest.mark.parametrize(("share", "may"), [(0.04, False), (0.06, True)])
def test_what_few_reads_each_are_of_may_have_lent_it_together(
    whole: Placed, share: float, may: bool
) -> None:
    """As the B cells of a serum beside an antibody."""
    two = mixture(whole, [30, 34, CDR3 + 3])
    (one, other), (draft, another) = two.populations, two.drafts
    drafts = (draft, another, another)
    populations = (
        replace(one, share=1 - 2 * share),
        replace(other, share=share),
        replace(other, share=share, name="heavy_3"),
    )
    three = replace(
        two,
        names=("heavy", "heavy_2", "heavy_3"),
        drafts=drafts,
        placements=place_on(two.reads, drafts),
        populations=populations,
        rivalled=(False,) * 3,
    )
    assert unjoined(three)[0].any() == may


@pytest.mark.parametrize(
    ("loci", "several"),
    [("HK", False), ("HL", False), ("KL", True), ("HHK", True), ("HKK", True), ("H", False)],
)
def test_two_heavy_or_two_light_chains_are_of_several_antibodies(
    whole: Placed, loci: str, several: bool
) -> None:
    drafts = [replace(whole.drafts[0], locus=locus) for locus in loci]
    assert holds_several(drafts) == several


@pytest.mark.parametrize("several", [False, True])
def test_a_residue_that_some_reads_contradict_is_not_sure_in_a_mixture(several: bool) -> None:
    """The others may be of a chain that was not found."""
    at = 60
    changed = ONE[:at] + "W" + ONE[at + 1 :]
    reads = [r for i in range(6) for r in (*tiles(ONE[i:]), *(tiles(changed[i:]) * (i < 2)))]
    second = [*tiles(OTHER), *tiles(OTHER[2:])] if several else []
    placed = built([*reads, *second])
    assert len(placed.drafts) == 1 + several
    chain = weighed(placed)[0]
    row = chain.rows[at]
    assert (row.residue, row.flags) == (ONE[at], "minority")
    assert (row.probability < 0.95) == several


def test_most_of_the_residues_that_differ_are_those_of_the_chain(whole: Placed) -> None:
    (draft,) = whole.drafts
    (other,) = mixture(whole, [*range(3, 60)]).drafts[1:]
    start, stop = draft.cdr3()
    # The CDR3 is the smaller part here: it is the one that may be the other chain's.
    assert np.flatnonzero(apart(draft, other, [start], differences(draft, other))).tolist() == list(
        range(start, stop)
    )
    assert not apart(draft, other, [], differences(draft, other)).any()
    unread = draft.with_tokens(np.where(np.arange(len(draft)) < start, draft.tokens, MISSING))
    assert not apart(
        unread, unread, [30], differences(unread, unread)
    ).any()  # in which nothing differs


def test_a_stretch_with_the_mutations_of_the_other_chain_may_be_its_own(whole: Placed) -> None:
    (draft,) = whole.drafts
    start, cuts = draft.cdr3()[0], [20, 30]
    germline = draft.germline.copy()
    germline[[24, 26]] = RESIDUES.index("W")
    mutated = replace(draft, germline=germline)
    alone = [start - 20, start - 10]

    def found(chain: Draft, *changed: int) -> list[int]:
        (other,) = mixture(whole, [*changed, *alone]).drafts[1:]
        return np.flatnonzero(apart(chain, other, cuts, differences(chain, other))).tolist()

    assert found(mutated) == list(range(20, 30))
    assert found(mutated, 22) == list(range(20, 30))  # a residue of it may be read wrongly
    assert found(mutated, 22, 23, 25) == [22, 23, 25]  # it differs in more: it is this chain's
    assert found(draft) == []  # germline residues of both
    cuts.clear()
    assert found(mutated) == []


def test_both_sides_of_an_open_cdr3_are_not_joined(whole: Placed) -> None:
    (draft,) = whole.drafts
    start, stop = draft.cdr3()
    (other,) = mixture(whole, [*range(3, 60)]).drafts[1:]
    gap = opened(draft, start + 4, start + 8)
    found = np.flatnonzero(apart(gap, other, [], differences(gap, other)))
    assert found.tolist() == list(range(start + 8, stop))


def test_reads_over_a_seam_speak_for_it(two: Placed) -> None:
    found = seam_nats(Assembly.of(two.reads, two.drafts), (0, 1))
    assert [places for places, _ in found] == seams(*two.drafts)
    assert min(nats for _, nats in found[1:]) > JOINED_NATS


def test_a_chain_alone_is_in_phase(whole: Placed) -> None:
    assert not unjoined(whole)[0].any()


@pytest.mark.parametrize("copied", ["WVRQAPG", "GGVVQPGR", "WVRQAP", "XXXXXXXX"])
def test_what_a_cdr3_has_of_another_place_may_not_be_its_own(copied: str) -> None:
    """Of its own FR2, or of the FR1 of another chain; six residues may be alike by chance."""
    draft = draft_from(chain_with_cdr3("H", f"ARD{copied}MDY", constant=False))
    other = draft_from(
        chain_with_cdr3("K", "QQHYTTPPT", constant=False).replace("TQSPSS", "GGVVQPGR")
    )
    start = draft.cdr3()[0] + 3
    found = np.flatnonzero(copied_into_cdr3([other, draft], 1)).tolist()
    known = len(copied) > 6 and "X" not in copied
    assert found == (list(range(start, start + len(copied))) if known else [])
    assert not copied_into_cdr3([other, draft], 0).any()
    unread = other.with_residues(slice(40, 60), np.full(20, MISSING, np.uint8))
    assert copied_into_cdr3([unread, other, draft], 2).sum() == len(found)


def test_what_is_read_of_one_fr4_alone_still_differs(whole: Placed) -> None:
    """In front of CDR3 the other chain may have the same there."""
    fr4 = ONE.index("WGQG")
    far, differ = [fr4 + 5, fr4 + 6], list(range(CDR3 + 3, 5, -7))
    found = mixture(whole, [*differ, *far])
    reads = reads_of([*tiles(ONE), *tiles(decode(found.drafts[1].tokens)[:fr4])])
    found = replace(found, reads=reads, placements=place_on(reads, found.drafts))
    assert np.flatnonzero(unjoined(found)[0]).tolist() == far


@pytest.mark.parametrize(("joined", "like"), [(False, False), (True, False), (False, True)])
def test_chains_that_differ_much_hardly_have_most_of_a_cdr3_in_common(
    two: Placed, joined: bool, like: bool
) -> None:
    """One has that of the other, to which reads join it, behind residues of its own."""
    own, copied = "TGGTRG", "WPSSKYESSLDV"
    start = OTHER.index("AKH" + copied)
    if like:  # chains of one clone
        front = variant(OTHER[:start], p20="W", p60="W") + own
    else:
        front = ONE[:CDR3] + own
    chain = front + OTHER[start + 3 :]
    drafts = [draft_from(merged(x[:-60])) for x in (chain, OTHER)]
    shown = [chain] if joined else [front, OTHER]
    reads = reads_of([r for text in (*shown, OTHER) for r in tiles(text, length=20, step=1)])
    placed = replace(two, reads=reads, drafts=tuple(drafts), placements=place_on(reads, drafts))
    found = [set(np.flatnonzero(x).tolist()) for x in unjoined(placed)]
    behind = set(range(len(front), len(drafts[0])))
    assert (behind <= found[0]) == (not joined and not like)
    assert not found[1] & behind


def test_a_place_at_which_reads_contradict_a_chain_parts_it(whole: Placed) -> None:
    """Chains of a locus have a few residues in common, over which reads of two seem to be joined;
    those that cross them with more show that they are."""
    other = ONE[:40] + "WHFYMHWMFYHHWYM"

    def parted(joined: str = "") -> list[int]:
        shown = [r for text in (ONE[:40], other[24:], ONE[34:]) for r in tiles(text, step=1)]
        reads = reads_of([*shown, *(tiles(joined, length=20, step=1) if joined else [])])
        found = replace(whole, reads=reads, placements=place_on(reads, whole.drafts))
        return np.flatnonzero(unjoined(found)[0]).tolist()

    assert parted() == list(range(40))
    assert not parted(ONE[20:62])
