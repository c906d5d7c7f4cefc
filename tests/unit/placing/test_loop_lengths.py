"""Places in front of CDR3 that proteases cut: how many residues a chain has there."""

from functools import cache

import numpy as np
import pytest

from lacuna.antibody.germlines import v_segments
from lacuna.antibody.imgt import CYS104, OTHER_INSERTION
from lacuna.core.alphabet import ABSENT, MISSING, decode, encode
from lacuna.placing.bridge import met_at_cuts
from lacuna.placing.place import Placed
from lacuna.placing.stretches.loop_lengths import INDEL_CDR, Germline, Resized, openings_of
from lacuna.placing.stretches.sides import Opening
from lacuna.placing.votes.consensus import votes
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly, place_on
from reads import (
    built,
    chain_with_cdr3,
    digest,
    germline_draft,
    merged,
    read_set,
    reads_of,
    tiles,
    weighed,
    without,
)

CHAIN = chain_with_cdr3("H", "ARTSYTGGYWYEDL")
COPIES = 8  # of each read


@cache
def cut(loop: str, other: str, at: str, behind: str = "KR") -> Placed:
    """A chain with another loop from its peptides, none of which spans the cut that | marks."""
    chain = CHAIN.replace(loop, other, 1)
    reads = without(digest(chain, behind=behind), chain, across=at)
    return built([read for read in reads for _ in range(COPIES)])


def shown(placed: Placed) -> str:
    draft = placed.drafts[0]
    return decode(draft.tokens[: draft.cdr3()[0]])


def true(loop: str, other: str) -> str:
    return CHAIN.replace(loop, other, 1).replace("I", "L")


@pytest.mark.parametrize(
    ("loop", "other", "at"),
    [
        ("GNTNYAQK", "GNTKNYAQK", "GNTK|NYA"),  # in CDR2
        ("GNTNYAQK", "GTNRAQK", "TNR|AQK"),
        ("TSYGISW", "TSKYGISW", "TSK|YGI"),  # in CDR1
    ],
)
def test_a_loop_of_another_length_is_as_long_as_two_peptides_show(
    loop: str, other: str, at: str
) -> None:
    placed = cut(loop, other, at)
    assert true(loop, other).startswith(shown(placed))
    (loose,) = [one for one in placed.drafts[0].loose if one.probability < 0.95]
    around = decode(placed.drafts[0].tokens[loose.start : loose.stop])
    assert around == at[at.index("|") - 1] + at[at.index("|") + 1]


def test_a_peptide_that_is_missing_leaves_a_loop_as_long_as_germline_has_it() -> None:
    """Between the cuts behind NK and in front of NYA no read shows TR."""
    placed = cut("YNGNTNYAQK", "YNKTRNYAQK", "NK|TRN")
    assert len(shown(placed)) == len(CHAIN[: CHAIN.index("ARTSY")])


def test_a_length_that_no_read_tells_is_sure_if_all_germline_segments_have_it() -> None:
    placed = cut("GNTNYAQK", "GNTNYAQK", "WVR|QAP")
    assert shown(placed) == true("GNTNYAQK", "GNTNYAQK")[: len(shown(placed))]
    at = CHAIN.index("QAPG")
    assert any(
        one.start < at < one.stop and one.probability > 0.99 for one in placed.drafts[0].loose
    )


def test_no_residue_is_sure_where_the_length_is_not() -> None:
    placed = cut("GNTNYAQK", "GNTKNYAQK", "GNTK|NYA")
    (chain,) = weighed(placed, network=False)
    (loose,) = [one for one in placed.drafts[0].loose if one.probability < 0.95]
    unsure = chain.rows[loose.start : loose.stop]
    assert [row.residue for row in unsure] == ["K", "N"]
    assert all("length" in row.flags.split(";") and row.probability < 0.95 for row in unsure)


def test_residues_that_both_sides_of_a_loop_show_are_in_the_chain_once() -> None:
    """Peptides of missed cuts overlap by SGK, and none spans it: a chain with it twice is as good
    for each of them."""
    chain = CHAIN.replace("YNGNTNYAQK", "YNKSGKYAQK", 1)
    at = chain.index("SGK")
    spans = [(read, *map(int, read.name.split("-"))) for read in digest(chain, behind="KR")]
    own = [r for r, start, stop in spans if start >= at or stop <= at + 3]
    draft = built([r for r in own for _ in range(COPIES)]).drafts[0]
    assert decode(draft.tokens).startswith(merged(chain)[:97])
    reads = reads_of([r for r in own for _ in range(COPIES)])
    more = np.full(3, OTHER_INSERTION, np.uint8)
    twice = draft.spliced(at + 3, at + 3, encode("SGK"), more)
    (once,) = met_at_cuts(Assembly.of(reads, [twice]))
    assert np.array_equal(once.tokens, draft.tokens)


def is_open(more: str) -> bool:
    """Whether the place behind GQG of FR2 is an opening, on a chain with residues more there than
    the reads that span it have; others end and begin there."""
    draft = germline_draft("H")
    text = decode(draft.tokens)
    at = text.index("LEWMG")
    spans = [text[i : i + 20] for i in range(at - 14, at - 6, 2)]
    beside = [text[i:at] for i in range(at - 20, at - 12)]
    behind = [text[at : at + n] for n in range(12, 20)]
    reads = read_set(*spans, *beside, *behind)
    kept = draft.columns[at - 1 : at].repeat(len(more))
    longer = draft.spliced(at, at, encode(more), kept)
    placements = place_on(reads, [longer])
    found, _ = openings_of(reads, placements, longer)
    return any(o.start <= at < o.stop for o in found)


def test_a_stretch_that_reads_span_is_an_opening_only_if_they_leave_out_residues() -> None:
    assert not is_open("")
    assert is_open("H")


def around_loop(draft: Draft) -> tuple[Opening, Germline]:
    """CDR2 with two residues on both sides, of a draft without reads."""
    inside = np.flatnonzero((draft.columns >= 54) & (draft.columns <= 67))
    start, stop = int(inside[0]), int(inside[-1]) + 1
    opening = Opening(start, stop, stop, start, start, stop, through=False)
    reads = read_set("WWWWWWWW")
    found = votes(reads, place_on(reads, [draft]), 0)
    return opening, Germline.of(draft, found, opening)


def test_lengths_of_an_opening_are_those_of_v_segments() -> None:
    opening, around = around_loop(germline_draft("H"))
    usual = opening.stop - opening.start
    shares = [around.share_of(n) for n in range(usual - 6, usual + 8)]
    assert sum(shares) == pytest.approx(1, abs=0.02)
    assert around.share_of(usual) > 0.3
    assert 0 < around.share_of(usual + 7) < INDEL_CDR


def test_residues_of_an_opening_may_be_inserted_or_missing_anywhere() -> None:
    draft = germline_draft("H")
    opening, around = around_loop(draft)
    own = draft.tokens[opening.start : opening.stop]
    one_more = [np.insert(own, at, encode("H")[0]) for at in (5, 8)]
    assert around.nats(own) > max(around.nats(text) for text in one_more)
    assert around.nats(one_more[0]) > around.nats(np.append(encode("H"), own[::-1]))


def test_unknown_residues_between_two_sides_are_those_of_germline() -> None:
    draft = germline_draft("H")
    opening, around = around_loop(draft)
    own = draft.tokens[opening.start : opening.stop]
    hidden = own.copy()
    hidden[-3:-1] = MISSING
    assert np.array_equal(around.completed(hidden)[-3:], own[-3:])


def test_an_opening_of_a_length_that_no_segment_has_gets_an_insertion_in_its_middle() -> None:
    draft = germline_draft("H")
    opening, around = around_loop(draft)
    more = np.insert(draft.tokens[opening.start : opening.stop], 6, encode("HHHH"))
    assert around.columns_for(more) is None
    longer = Resized(opening, more, None, (0, 1), 0.9).put_into(draft)
    assert len(longer) == len(draft) + 4
    assert (longer.columns == OTHER_INSERTION).sum() == 4


@pytest.mark.parametrize(("name", "doubtful"), [("IGHV1-2*02", False), ("IGHV4-59*01", True)])
def test_a_loop_that_no_read_shows_is_in_doubt_if_segments_have_it_of_several_lengths(
    name: str, doubtful: bool
) -> None:
    """Segments of IGHV4 that differ by little else have 8, 9 or 10 residues in CDR1."""
    row = v_segments().tokens[v_segments().names.index(name), : CYS104 + 1]
    chain = decode(row[row != ABSENT]) + CHAIN[CHAIN.index("ARTSY") :]
    behind = chain.index("RQ", 30)
    reads = [r for i in range(3) for r in (*tiles(chain[i:20]), *tiles(chain[behind + i :]))]
    placed = built(reads)
    first, stop = (int(placed.drafts[0].find(column)) for column in (27, 38))
    (loose,) = [one for one in placed.drafts[0].loose if one.start <= first < stop <= one.stop]
    assert (loose.probability < 0.95) == doubtful
    (answer,) = weighed(placed, network=False)
    flagged = ["length" in row.flags.split(";") for row in answer.rows[first:stop]]
    assert all(flagged) if doubtful else not any(flagged)
