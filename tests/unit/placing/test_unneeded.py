"""Chains that reads do not need beside others of their locus, and those that they do."""

import pytest

from lacuna.core.alphabet import decode
from lacuna.placing.chains.unneeded import UNLIKE_COLUMNS, without_unneeded
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly
from lacuna.reads.read import Read
from reads import built, chain_with_cdr3, draft_from, merged, peptide, reads_of, tiles
from two_chains import ONE, OTHER, variant

DOMAIN = len(ONE) - 60
MAIN = ONE[:DOMAIN]
SECOND = OTHER[: len(OTHER) - 60]
# The second chain as misread peptides start it: the main one, with a stretch of the second.
HALF = MAIN[:40] + SECOND[40:85] + MAIN[85:]


def left(chains: list[str], reads: list[Read]) -> list[str]:
    """The chains that are left, of which reads show what they show."""
    drafts: list[Draft] = [draft_from(chain) for chain in chains]
    rest = without_unneeded(Assembly.of(reads_of(reads), drafts)).drafts
    return [chains[i] for i, draft in enumerate(drafts) if any(draft is d for d in rest)]


def windows(chain: str, first: int, last: int) -> list[Read]:
    """Every stretch of 18 residues that begins at first to last."""
    return [peptide(chain[at : at + 18]) for at in range(first, last + 1)]


@pytest.mark.parametrize("chains", [[MAIN, HALF], [HALF, MAIN]])
def test_a_chain_that_no_read_needs_is_left_out(chains: list[str]) -> None:
    assert left(chains, tiles(MAIN)) == [MAIN]


def test_several_chains_that_no_read_needs_are_left_out() -> None:
    other_half = SECOND[:45] + MAIN[45:]
    assert left([MAIN, HALF, other_half], tiles(MAIN)) == [MAIN]


def test_a_chain_of_reads_that_contradict_the_other_stays_however_few_they_are() -> None:
    few = windows(HALF, 36, 39)  # which begin like the main chain and go on like the other
    assert left([MAIN, HALF], tiles(MAIN, step=1)) == [MAIN]
    assert left([MAIN, HALF], [*tiles(MAIN, step=1), *few]) == [MAIN, HALF]
    assert left([MAIN, HALF], [*tiles(MAIN, step=1), *few[:3]]) == [MAIN]


def test_a_chain_without_which_reads_lose_much_stays_though_none_contradicts_the_other() -> None:
    """Reads that lie on no other chain contradict none."""
    assert left([MAIN, SECOND], [*tiles(MAIN), *tiles(SECOND)[::6]]) == [MAIN, SECOND]


def test_a_part_of_a_chain_goes_back_to_it() -> None:
    """The second chain was built with residues of the main one, and its own started a third."""
    wrong, third = SECOND[:66] + MAIN[66:76] + SECOND[76:], MAIN[:50] + SECOND[50:]
    reads = [*tiles(MAIN, step=1), *tiles(SECOND, step=1)]
    drafts = [*map(draft_from, (MAIN, wrong)), draft_from(third).without_cdr3()]
    found = without_unneeded(Assembly.of(reads_of(reads), drafts)).drafts
    assert [decode(d.tokens) for d in found] == [merged(MAIN), merged(SECOND)]


def test_a_chain_that_is_like_another_stays() -> None:
    """Reads tell little of which of two that differ in a few residues is there."""
    places = (3, 13, 23, 33, 43, 53, 63, 73, 83, 86)
    changes = {f"p{at}": "W" for at in places if MAIN[at] not in "CW"}
    assert len(changes) == UNLIKE_COLUMNS
    unlike = variant(MAIN, **changes)
    changes.popitem()
    like = variant(MAIN, **changes)
    assert left([MAIN, unlike], tiles(MAIN)) == [MAIN]
    assert left([MAIN, like], tiles(MAIN)) == [MAIN, like]
    reads = [*tiles(MAIN), *tiles(SECOND)]
    assert left([MAIN, like, SECOND], reads) == [MAIN, like, SECOND]


def test_the_only_chain_of_a_locus_stays() -> None:
    light = chain_with_cdr3("K", "QQYNSYPLT", constant=False)
    assert left([MAIN, light], tiles(MAIN)) == [MAIN, light]


def test_of_two_that_make_up_for_each_other_the_one_that_explains_more_stays() -> None:
    """Neither is needed beside the other and the main chain."""
    less = variant(SECOND, **{f"p{at}": "W" for at in range(2, 88, 8) if SECOND[at] not in "CW"})
    reads = [*tiles(MAIN), *tiles(SECOND)]
    for chains in ([MAIN, SECOND, less], [less, SECOND, MAIN]):
        assert sorted(left(chains, reads)) == sorted([MAIN, SECOND])


def test_reads_on_the_constant_region_do_not_speak_for_a_v_domain() -> None:
    """Both chains have it, so that they lose nothing by either."""
    reads = [*tiles(ONE), *tiles(ONE[DOMAIN:], step=1), *tiles(SECOND)[::8]]
    assert left([ONE, OTHER], reads) == [ONE, OTHER]


def test_reads_of_a_chain_that_is_left_out_go_to_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two misread peptides at each of three places keep it as it is, once it is there."""
    misread = [r for at in (36, 48, 62) for r in windows(HALF, at, at + 1)]
    further = iter([[], [draft_from(HALF)], []])
    monkeypatch.setattr("lacuna.placing.place.further_drafts", lambda *_: next(further))
    (one,) = built([*tiles(MAIN, step=1), *misread]).drafts
    assert decode(one.tokens) == merged(MAIN)


def test_further_chains_must_have_their_share_though_one_of_the_first_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second chain has 0.3 % of the reads: as one of the first it would have enough."""
    light = chain_with_cdr3("K", "QQYNSYPLT", constant=False)
    misread = [r for at in (36, 48, 62) for r in windows(HALF, at, at + 1)]
    reads = [*tiles(MAIN, step=1) * 13, *tiles(light, step=1) * 13]
    reads += [*misread, *windows(SECOND, 14, 16)]
    first = [draft_from(chain) for chain in (HALF, MAIN, light)]
    further = iter([[], [draft_from(SECOND)], []])
    monkeypatch.setattr("lacuna.placing.place._germline_drafts", lambda *_: first)
    monkeypatch.setattr("lacuna.placing.place.further_drafts", lambda *_: next(further))
    assert built(reads).names == ("heavy", "kappa")
