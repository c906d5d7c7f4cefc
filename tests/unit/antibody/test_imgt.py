"""IMGT columns as small integers."""

import numpy as np
import pytest

from chains import rank
from lacuna.antibody.imgt import (
    CONSTANT,
    CYS104,
    FR4_LAST,
    FR4_START,
    INSERTION_111,
    INSERTION_112,
    N_CODES,
    N_IMGT,
    N_INSERTIONS,
    OCCUPIED,
    OTHER_INSERTION,
    OUTSIDE,
    PADDING,
    REGIONS,
    cdr3_codes,
    column_code,
    imgt_numbers,
    regions_of,
)


@pytest.mark.parametrize(
    ("position", "code"),
    [
        ("1", 1),
        ("128", 128),
        ("111A", INSERTION_111),
        ("111P", INSERTION_111 + 15),
        ("112A", INSERTION_112),
        ("112P", INSERTION_112 + 15),
        ("111Q", OTHER_INSERTION),
        ("32A", OTHER_INSERTION),
    ],
)
def test_a_position_has_a_code(position: str, code: int) -> None:
    assert column_code(position) == code


def test_no_two_kinds_of_column_share_a_code() -> None:
    kinds = [
        PADDING,
        *range(1, N_IMGT + 1),
        *range(INSERTION_111, INSERTION_111 + N_INSERTIONS),
        *range(INSERTION_112, INSERTION_112 + N_INSERTIONS),
        OTHER_INSERTION,
        CONSTANT,
        OUTSIDE,
    ]
    assert sorted(kinds) == list(range(N_CODES))


@pytest.mark.parametrize("length", range(13 + 2 * N_INSERTIONS + 1))
def test_a_cdr3_of_any_length_runs_from_105_to_117(length: int) -> None:
    codes = cdr3_codes(length)
    ranks = [rank(code) for code in codes]
    assert len(codes) == length
    assert ranks == sorted(set(ranks))
    assert all(105 <= at <= 117 for at in ranks)
    # The empty columns, or the insertions, are in the middle.
    left = sum(at < 111.5 for at in ranks)
    assert abs(left - (length - left)) <= 1


def test_a_cdr3_beyond_all_insertion_columns_still_has_a_code_per_residue() -> None:
    codes = cdr3_codes(50)
    assert len(codes) == 50
    assert codes.count(OTHER_INSERTION) == 50 - 13 - 2 * N_INSERTIONS
    assert len(set(codes)) == 50 - codes.count(OTHER_INSERTION) + 1


def test_regions_follow_the_imgt_borders() -> None:
    ends = {"FR1": 26, "CDR1": 38, "FR2": 55, "CDR2": 65, "FR3": 104, "CDR3": 117, "FR4": 128}
    regions = regions_of(np.arange(N_IMGT + 1))
    assert regions[0] == ""
    assert list(dict.fromkeys(regions[1:])) == list(ends) == [r for r in REGIONS if r != "C"]
    assert [int(np.flatnonzero(regions == region)[-1]) for region in ends] == list(ends.values())


def test_regions_of_the_other_columns() -> None:
    codes = [INSERTION_111, INSERTION_112 + 15, CONSTANT, OUTSIDE, PADDING]
    assert list(regions_of(np.array(codes))) == ["CDR3", "CDR3", "C", "", ""]


def test_an_insertion_takes_the_region_on_its_left() -> None:
    columns = np.array([OTHER_INSERTION, 26, OTHER_INSERTION, OTHER_INSERTION, 27, OTHER_INSERTION])
    assert list(regions_of(columns)) == ["", "FR1", "FR1", "FR1", "CDR1", "CDR1"]


def test_a_code_has_the_number_that_it_was_made_from() -> None:
    numbers = [*map(str, range(1, 112)), *(f"111{x}" for x in "ABCDEFGHIJKLMNOP")]
    numbers += [*(f"112{x}" for x in "PONMLKJIHGFEDCBA"), *map(str, range(112, 129))]
    columns = np.array([column_code(number) for number in numbers])
    assert imgt_numbers(columns).tolist() == numbers
    assert imgt_numbers(np.array([PADDING, CONSTANT, OUTSIDE])).tolist() == ["", "", ""]


@pytest.mark.parametrize(
    "numbers",
    [
        "32 33A 33",  # IMGT: insertions in a loop are on both sides of its middle
        "32 32A 33B 33A 33",
        "60 60A 60B 61B 61A 61",
        "82 82A 82B 83",
        "111P 111Q 112R 112Q 112P",
        "111 111A 112A 112",
        "128",
    ],
)
def test_an_insertion_is_numbered_by_its_neighbours(numbers: str) -> None:
    columns = np.array([column_code(number) for number in numbers.split()])
    assert imgt_numbers(columns).tolist() == numbers.split()


def test_an_insertion_that_follows_no_position_has_no_number() -> None:
    columns = np.array([OTHER_INSERTION, 5, OUTSIDE, OTHER_INSERTION, CONSTANT, OTHER_INSERTION])
    assert imgt_numbers(columns).tolist() == ["", "5", "", "", "", ""]


def test_more_insertions_than_letters_are_lettered_on() -> None:
    columns = np.array([82, *[OTHER_INSERTION] * 28, 83])
    assert imgt_numbers(columns).tolist()[-4:] == ["82Z", "82AA", "82BB", "83"]


def test_occupied_columns_hold_the_conserved_residues_and_end_with_cys104() -> None:
    for locus, columns in OCCUPIED.items():
        assert {23, 41, 89, CYS104} <= set(columns), locus
        assert list(columns) == sorted(set(columns))
        assert columns[0] == 1 and columns[-1] == CYS104 < FR4_START < FR4_LAST[locus]
    assert 10 in OCCUPIED["K"] and 10 not in OCCUPIED["H"] and 10 not in OCCUPIED["L"]
