"""Runs of neighbours in an array."""

import numpy as np

from lacuna.core.runs import places_within, runs_of, starts_of


def test_runs_at_both_ends_and_inside_are_found() -> None:
    where = np.array([True, False, False, True, True, False, True])
    assert runs_of(where) == [(0, 1), (3, 5), (6, 7)]
    assert runs_of(~where) == [(1, 3), (5, 6)]


def test_places_begin_anew_in_each_run_and_skip_empty_ones() -> None:
    lengths = np.array([3, 0, 2])
    assert starts_of(lengths).tolist() == [0, 3, 3]
    assert places_within(lengths).tolist() == [0, 1, 2, 0, 1]


def test_no_runs_have_no_places() -> None:
    none = np.empty(0, dtype=np.int64)
    assert starts_of(none).tolist() == places_within(none).tolist() == []
