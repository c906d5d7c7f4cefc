"""Reads that are like other V segments than a chain's, at places that no other read covers."""

from collections.abc import Sequence

import numpy as np
import pytest

from lacuna.antibody.germlines import v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, RESIDUES, decode, encode, merge_il
from lacuna.placing.aligning.readset import ReadSet, collapse
from lacuna.placing.stretches.similar import (
    ABUTTING_NATS,
    COVERED_WEIGHT,
    LONGEST_READ,
    SHORTEST_READ,
    Similar,
    _most_certain,
    _only_one,
    similar_reads,
    with_similar,
)
from lacuna.placing.votes.draft import Draft
from reads import Mixed, germline_draft, peptide, read_set

DRAFT = germline_draft("H")
OTHER = next(i for i, name in enumerate(v_segments().names) if name.startswith("IGHV14-3"))


def residues(first: int, last: int, v: int = OTHER) -> str:
    """Those that a segment has on some columns."""
    row = v_segments().tokens[v, first : last + 1]
    return decode(row[row != ABSENT]).replace("I", "L")


def depth_without(first: int, last: int, draft: Draft = DRAFT) -> np.ndarray:
    """Weight of other reads, of which there are none on some columns of a chain."""
    return np.where((draft.columns >= first) & (draft.columns <= last), 0.0, 5.0)


def like(reads: ReadSet, *depths: np.ndarray) -> list[Similar]:
    """Reads that are like segments at places of as many equal chains."""
    return similar_reads(reads, np.arange(len(reads)), [DRAFT] * len(depths), depths)


def score(read: str, at: tuple[int, int] = (76, 90)) -> float:
    (found,) = like(read_set(read), depth_without(*at))
    return found.score


@pytest.mark.parametrize(("first", "last"), [(1, 15), (5, 22), (28, 42), (60, 75), (90, CYS104)])
def test_a_read_lies_on_the_columns_of_the_segment_that_it_is_like(first: int, last: int) -> None:
    (found,) = like(read_set(residues(first, last)), depth_without(first, last))
    filled = np.flatnonzero(v_segments().tokens[OTHER, : last + 1] != ABSENT)
    assert found.columns.tolist() == filled[filled >= first].tolist()


def test_all_reads_that_are_the_same_as_a_segment_score_the_same() -> None:
    """Isoleucine of germline is leucine of reads."""
    row = v_segments().tokens[OTHER]
    assert RESIDUES.index("I") in row[76:91] and RESIDUES.index("I") not in row[90 : CYS104 - 4]
    same = score(residues(76, 90))
    assert same == pytest.approx(score(residues(76, 90, DRAFT.v)))
    assert same == pytest.approx(score(residues(90, CYS104), (90, CYS104)))


@pytest.mark.parametrize(
    ("wider", "ends"), [((0, 0), 2), ((1, 0), 1), ((0, 1), 1), ((2, 1), 0), ((1, 2), 0)]
)
def test_a_place_is_the_surer_the_more_of_its_ends_abut_other_reads(
    wider: tuple[int, int], ends: int
) -> None:
    read = residues(76, 90)
    off = score(read) - score(read, (76 - wider[0], 90 + wider[1]))
    assert off == pytest.approx((2 - ends) * ABUTTING_NATS)


def test_a_place_far_from_other_reads_is_not_taken() -> None:
    read = read_set(residues(76, 90))
    assert like(read, depth_without(75, 92)) and like(read, depth_without(74, 91))
    assert not like(read, depth_without(74, 92))


def test_a_place_at_the_start_of_a_chain_abuts_other_reads_at_its_other_end_alone() -> None:
    read, long = residues(1, 16), residues(76, 90)
    assert score(long) - score(read, (1, 16)) == pytest.approx(ABUTTING_NATS)


def test_a_place_one_residue_behind_the_start_of_a_chain_abuts_other_reads_too() -> None:
    read = residues(2, 17)
    assert len(read) == len(residues(76, 90))
    assert score(read, (2, 17)) == pytest.approx(score(residues(76, 90)))


def test_a_place_of_another_length_than_the_read_is_not_taken() -> None:
    """The other segment has two residues more in CDR2."""
    longer = next(i for i, name in enumerate(v_segments().names) if name.startswith("IGHV3-15"))
    places = (54, 69), (70, 85)
    reads = [read_set(residues(*at, longer)) for at in places]
    found = [like(read, depth_without(*at)) for read, at in zip(reads, places, strict=True)]
    assert [len(of_read) for of_read in found] == [0, 1]


def test_a_read_that_goes_on_into_cdr3_is_not_compared() -> None:
    assert not like(read_set(residues(98, CYS104 + 1)), depth_without(98, CYS104 + 1))


@pytest.mark.parametrize(("covered", "taken"), [(6, True), (7, False)])
def test_other_reads_cover_less_than_half_of_a_place(covered: int, taken: bool) -> None:
    read = read_set(residues(76, 90))  # 15 residues
    for at in ((76 + covered, 90), (76, 90 - covered)):
        assert bool(like(read, depth_without(*at))) == taken


def test_other_reads_of_the_least_weight_cover_a_place() -> None:
    read = read_set(residues(76, 90))
    least = np.minimum(depth_without(76, 90), COVERED_WEIGHT)
    assert like(read, least)[0].score == like(read, depth_without(76, 90))[0].score
    assert not like(read, np.full(len(DRAFT), COVERED_WEIGHT))


def test_a_read_that_fits_two_places_alike_is_at_none() -> None:
    read, unread, full = read_set(residues(76, 90)), depth_without(76, 90), depth_without(0, 0)
    assert not like(read, unread, unread)
    assert [one.chain for one in like(read, full, unread)] == [1]
    assert [one.chain for one in like(read, unread, full)] == [0]
    beside = depth_without(75, 92)  # is so much less likely there that the first is taken
    assert [one.chain for one in like(read, unread, beside)] == [0]


def test_a_read_that_is_not_like_any_segment_is_at_no_place() -> None:
    letters = list(residues(76, 90))
    scores = []
    for at in (2, 5, 8, 11):
        scores += [one.score for one in like(read_set("".join(letters)), depth_without(76, 90))]
        letters[at] = "W"
    assert len(scores) == 4 and scores == sorted(scores, reverse=True)
    assert not like(read_set("WHPMWHPMWHPMWHP"), depth_without(76, 90))


def test_a_read_that_is_hardly_like_a_segment_is_taken_only_where_it_abuts_other_reads() -> None:
    read = read_set("W" + residues(77, 82) + "W")
    assert [len(like(read, depth_without(76, 83 + wider))) for wider in (0, 1)] == [1, 0]


def placed(chain: int, score: float, first: int) -> Similar:
    return Similar(0, score, chain, np.arange(first, first + 10))


@pytest.mark.parametrize(
    ("chain", "first", "less", "several"),
    [
        (0, 30, 1.0, True),
        (0, 18, 1.0, True),
        (0, 21, 1.0, False),  # a column away: the same place
        (0, 19, 1.0, False),
        (1, 20, 1.0, True),
        (0, 30, 3.0, False),
        (1, 20, 3.0, False),
    ],
)
def test_a_read_is_at_one_place_if_all_others_are_less_like_it(
    chain: int, first: int, less: float, several: bool
) -> None:
    best, other = placed(0, 30.0, 20), placed(chain, 30.0 - less, first)
    for places in ([best, other], [other, best]):
        assert _only_one(places) == ([] if several else [best])
    assert _only_one([]) == []


def test_an_unsure_residue_says_less_whether_it_is_the_same_or_not() -> None:
    right = residues(76, 90)
    wrong = right[:7] + "W" + right[8:]
    sure, unsure = [0.95] * len(right), [0.95] * 7 + [0.3] + [0.95] * 7

    def of(letters: str, probabilities: Sequence[float]) -> float:
        reads = [peptide(letters)]
        given = collapse(reads, Mixed({"r": probabilities}).probabilities(reads))
        return like(given, depth_without(76, 90))[0].score

    assert of(right, sure) > of(right, unsure) > of(wrong, unsure) > of(wrong, sure)


def test_the_most_alike_of_most_reads_comes_first() -> None:
    near, far, twice = residues(76, 90), residues(28, 44), residues(5, 20)
    changed = near[:5] + "WW" + near[7:]
    depth = np.minimum(depth_without(76, 90), depth_without(28, 44))
    depth = np.minimum(depth, depth_without(5, 20))
    for order in ([near, far, changed, twice, twice], [twice, changed, far, twice, near]):
        reads = read_set(*order)
        found = [decode(reads.tokens[one.read, : len(one.columns)]) for one in like(reads, depth)]
        assert found == [twice, near, far, changed]


def test_reads_that_are_compared_are_neither_short_nor_long_nor_unsure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = residues(1, 60)
    reads = read_set(*(text[:n] for n in range(SHORTEST_READ - 1, LONGEST_READ + 2)))
    kept = _most_certain(reads, np.arange(len(reads)))
    assert sorted(reads.length[kept].tolist()) == list(range(SHORTEST_READ, LONGEST_READ + 1))
    unsure = read_set(*(text[:n] for n in range(8, LONGEST_READ)), probability=0.1)
    least = reads.length[_most_certain(unsure, np.arange(len(unsure)))].min()
    assert least > 8
    monkeypatch.setattr("lacuna.placing.stretches.similar.MOST_READS", 3)
    longest = reads.length[_most_certain(reads, np.arange(len(reads)))]
    assert sorted(longest.tolist()) == [LONGEST_READ - 2, LONGEST_READ - 1, LONGEST_READ]


def test_reads_that_were_read_more_often_are_compared_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lacuna.placing.stretches.similar.MOST_READS", 1)
    one, other = residues(76, 90), residues(60, 76)[:15]
    for often, seldom in ((one, other), (other, one)):
        reads = read_set(seldom, often, often)
        (kept,) = _most_certain(reads, np.arange(len(reads)))
        assert reads.tokens[kept, : len(often)].tolist() == encode(often).tolist()


def test_a_read_with_a_residue_that_is_all_but_wrong_is_compared() -> None:
    reads = [peptide(residues(76, 90))]
    given = collapse(reads, Mixed({"r": [0.95] * 14 + [0.0]}).probabilities(reads))
    assert len(like(given, depth_without(76, 90))) == 1


def taken(*letters: str, depth: np.ndarray, best: float = 0.0) -> Draft:
    reads = read_set(*letters)
    (draft,) = with_similar(reads, [DRAFT], [depth], np.full(len(reads), best))
    return draft


def test_a_read_takes_the_place_of_what_no_read_covers() -> None:
    read = residues(76, 90)
    draft = taken(read, depth=depth_without(76, 90))
    inside = (DRAFT.columns >= 76) & (DRAFT.columns <= 90)
    assert decode(draft.tokens[inside]) == read
    assert np.array_equal(draft.tokens[~inside], DRAFT.tokens[~inside])
    assert np.array_equal(draft.columns, DRAFT.columns)
    assert np.array_equal(draft.germline[inside], v_segments().tokens[DRAFT.v, 76:91])


def test_a_read_that_fits_a_chain_takes_no_place_of_another() -> None:
    draft = taken(residues(76, 90), depth=depth_without(76, 90), best=99.0)
    assert np.array_equal(draft.tokens, DRAFT.tokens)


def test_of_two_reads_for_one_place_the_more_alike_takes_it() -> None:
    read = residues(76, 90)
    other = read[:6] + "WW" + read[8:]
    for pair in ((read, other), (other, read)):
        draft = taken(*pair, depth=depth_without(76, 90))
        assert decode(draft.tokens[(DRAFT.columns >= 76) & (DRAFT.columns <= 90)]) == read


def test_a_read_leaves_the_residues_that_no_antibody_changes() -> None:
    read = residues(16, 30)
    at = [c for c in range(16, 31) if v_segments().tokens[OTHER, c] != ABSENT].index(23)
    for letter in "CW":
        draft = taken(read[:at] + letter + read[at + 1 :], depth=depth_without(16, 30))
        changed = not np.array_equal(merge_il(draft.tokens), merge_il(DRAFT.tokens))
        assert changed == (letter == "C")
        assert draft.tokens[DRAFT.columns == 23] == RESIDUES.index("C")
