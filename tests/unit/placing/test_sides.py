"""How far reads lead into a CDR3 that none spans, from either side."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from lacuna.core.alphabet import decode, encode
from lacuna.placing.stretches.sides import (
    LEAST_WEIGHT,
    MOST_SIDES,
    SUREST,
    Opening,
    Side,
    _with_longer,
    sides_of,
)
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import place_on
from reads import germline_draft, read_set

SURE = 0.95  # that a residue of a read is right
Shown = tuple[str, int, float, float]


def open_cdr3(cdr3: str) -> Draft:
    return replace(germline_draft("K").with_cdr3(encode(cdr3)), bridged=False)


DRAFT = open_cdr3("QQYXXXPFT")
START, STOP = DRAFT.cdr3()
LEFT, RIGHT = decode(DRAFT.tokens[START - 12 : START]), decode(DRAFT.tokens[STOP:])
OF_FR4 = ("", 1, LEAST_WEIGHT, SUREST)  # whether or not a read shows it


def shown(side: Side) -> Shown:
    return decode(np.array(side.tokens, np.uint8)), side.inside, side.weight, side.right


def sides(
    *residues: str, draft: Draft = DRAFT, through: bool = True
) -> tuple[list[Shown], list[Shown]]:
    """The left and the right sides that reads show of an open CDR3."""
    reads = read_set(*residues, probability=SURE)
    placed = place_on(reads, [draft])
    opening = Opening.of_cdr3(draft)
    if not through:
        opening = replace(opening, through=False)
    left, right = sides_of(reads, placed.of(0), draft, opening, placed.best(len(reads)))
    return [shown(one) for one in left], [shown(one) for one in right]


@pytest.mark.parametrize(
    ("tokens", "right"),
    [
        ("", SUREST),
        ("Q", SUREST),
        ("QQY", SUREST),
        ("QQYS", SURE),
        ("QQYSG", SURE**2),
        ("QQYSGA", SURE**2),  # the last two residues are right or wrong together
        ("QQH", SURE),
    ],
)
def test_a_left_side_is_what_a_read_shows_and_as_sure_as_its_unplaced_end(
    tokens: str, right: float
) -> None:
    (left,), (alone,) = sides(LEFT + tokens)
    assert left == (tokens, 0, 1.0, pytest.approx(right)) and alone == OF_FR4


@pytest.mark.parametrize(
    ("tokens", "right"),
    [
        ("FT", SUREST),
        ("PFT", SUREST),
        ("SPFT", SURE),
        ("GSPFT", SURE**2),
        ("AGSPFT", SURE**2),
        ("HFT", SURE),
    ],
)
def test_a_right_side_is_what_a_read_shows_and_as_sure_as_its_unplaced_beginning(
    tokens: str, right: float
) -> None:
    left, found = sides(tokens + RIGHT)
    assert not left and len(found) == 2 and OF_FR4 in found
    assert (tokens, 0, 1.0, pytest.approx(right)) in found


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (RIGHT, [("", 0, 1.0, SUREST), OF_FR4]),
        (RIGHT[1:], [("", 1, 1.0 + LEAST_WEIGHT, SUREST)]),
        (RIGHT[2:], [OF_FR4, ("", 2, 1.0, SURE)]),
        (RIGHT[3:], [OF_FR4]),
        ("W" + RIGHT[2:], [OF_FR4]),
    ],
)
def test_a_peptide_that_begins_in_fr4_may_follow_one_that_ends_there(
    read: str, expected: list[Shown]
) -> None:
    assert sides(read) == ([], expected)


def test_reads_that_agree_make_a_side_surer_but_not_certain() -> None:
    unsure = LEFT + "QQYSGA"
    (one,), _ = sides(unsure)
    (two,), _ = sides(unsure, unsure[3:])
    assert one[3] < two[3] == SUREST and two[2] == 2.0
    assert 1 - (1 - SURE**2) ** 2 > SUREST


def test_a_read_must_lie_beyond_the_residue_beside_a_cdr3() -> None:
    for more, found in (1, 0), (2, 1), (3, 1):
        assert len(sides(LEFT[-more:] + "QQYSGAD")[0]) == found
    for more, found in (1, 0), (2, 1), (3, 1):
        assert len(sides("SGAPFT" + RIGHT[:more])[1]) == 1 + found


def test_a_read_that_goes_through_shows_both_sides_where_such_reads_count() -> None:
    read = LEFT + "QQYSGAPFT" + RIGHT
    left, right = sides(read)
    assert [side[0] for side in left] == [read[12:]]
    assert [side[0] for side in right] == ["", read[: -len(RIGHT)]]
    assert sides(read, through=False) == ([], [OF_FR4])
    for half in (LEFT + "QQYSG", "SGPFT" + RIGHT):
        assert sides(half, through=False) == sides(half)


@pytest.mark.parametrize(
    ("cdr3", "end", "tokens"),
    [
        ("QQYXXXPFT", "QYQ", "QQY"),
        ("QNYXXXPFT", "QGG", "QGG"),  # as many as the read has
        ("QGGXXXPFT", "QN", "QN"),
    ],
)
def test_at_its_end_a_read_has_the_order_of_the_chain_where_both_weigh_the_same(
    cdr3: str, end: str, tokens: str
) -> None:
    (left,), _ = sides(LEFT + end, draft=open_cdr3(cdr3))
    assert left[0] == tokens


@pytest.mark.parametrize(
    ("cdr3", "beginning", "tokens"),
    [("QQYXXXPFT", "FPT", "PFT"), ("QQYXXXPNT", "GGT", "GGT"), ("QQYXXXGGT", "NT", "NT")],
)
def test_at_its_beginning_too(cdr3: str, beginning: str, tokens: str) -> None:
    _, right = sides(beginning + RIGHT, draft=open_cdr3(cdr3))
    assert [side[0] for side in right if side != OF_FR4] == [tokens]


def test_the_side_of_most_and_surest_reads_comes_first_and_few_are_kept() -> None:
    likely = LEFT + "QQYSG"
    for order in ([likely, likely[3:], LEFT + "QQYSH"], [LEFT + "QQYSH", likely[3:], likely]):
        assert [side[0] for side in sides(*order)[0]] == ["QQYSG", "QQYSH"]
    assert [side[0] for side in sides(LEFT + "QQYSG", LEFT + "QQ")[0]] == ["QQ", "QQYSG"]
    every = "ADEFGHKLMNPQRSTVWY"
    left, right = sides(*(LEFT + "QQYSG" + one for one in every))
    assert len(left) == MOST_SIDES < len(every)
    left, right = sides(*(one + "GSPFT" + RIGHT for one in every))
    assert len(right) == MOST_SIDES


def longer(side: Side, *reads: str, turned: bool, probability: float = SURE) -> list[Shown]:
    step = -1 if turned else 1
    own = replace(side, tokens=side.tokens[::step])
    given = read_set(*(read[::step] for read in reads), probability=probability)
    found = (shown(one) for one in _with_longer([own], given, turned=turned))
    return [(tokens[::step], *rest) for tokens, *rest in found]  # type: ignore[misc]


def test_reads_that_fit_nowhere_lead_either_side_on() -> None:
    left, right = "GAWMHDEPP", "PPEDHMWAGPFT"
    (first, *_), _ = sides(LEFT + "QQYSGAWMH", left, left[1:])
    assert first[0] == "QQYSGAWMHDEPP"
    _, found = sides("HMWAGPFT" + RIGHT, right, right[:-1])
    assert right in [side[0] for side in found]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("weight", [0.9, 4.0])
def test_a_side_that_reads_lead_on_weighs_no_more_than_they_and_is_no_surer(
    turned: bool, weight: float
) -> None:
    side = Side(tuple(encode("CARHWKDE").tolist()), 0, weight, 0.9)
    leading = "RHWKDEPPWM", "HWKDEPPWM", "WKDEPPWM"
    found = longer(side, *leading, turned=turned, probability=0.7)
    right = 1 - (1 - 0.9 * 0.7**2) ** 3
    expected = "CARHWKDEPPWM", 0, pytest.approx(3 * min(1.0, weight)), pytest.approx(right)
    assert sorted(found, key=lambda x: len(x[0])) == [("CARHWKDE", 0, weight, 0.9), expected]
    assert found == sorted(found, key=lambda x: -x[2] * x[3])


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "reads",
    [
        ("RHWKDE", "HWKDE", "GGGGGGGGGG"),  # end where the side does
        ("PHWKDEPPWM", "PWKDEPPWM"),  # begin otherwise
        ("HWKAEPPWM", "WKAEPPWM"),  # go on otherwise
    ],
)
def test_reads_that_do_not_begin_with_its_end_and_go_on_lead_no_side_on(
    reads: Sequence[str], turned: bool
) -> None:
    side = Side(tuple(encode("CARHWKDE").tolist()), 0, 4.0, 0.9)
    assert longer(side, *reads, turned=turned) == [("CARHWKDE", 0, 4.0, 0.9)]
