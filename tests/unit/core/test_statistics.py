"""Intervals against published values, and calibration error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.core.statistics import (
    calibration_error,
    error_of_residues,
    probability_of,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [
        # Newcombe 1998, Stat Med 17:857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_intervals_are_those_published(correct: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(correct, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_hold_the_share_and_mirror(of: tuple[int, int]) -> None:
    correct, n = of
    low, high = wilson_interval(correct, n)
    assert 0 <= low <= correct / n <= high <= 1
    assert wilson_interval(n - correct, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_the_calibration_error_weighs_bins_by_their_residues() -> None:
    right, probability = np.array([0.0, 3.0, 8.0]), np.array([0.5, 3.0, 9.0])
    assert calibration_error(right, probability, 20) == pytest.approx((0.5 + 1) / 20)
    assert calibration_error(right, right, 20) == 0


def test_residues_are_put_into_ten_bins_for_the_calibration_error() -> None:
    right, probability = np.array([True, False, True]), np.array([0.91, 1.0, 0.1])
    assert error_of_residues(right, probability) == pytest.approx((1.91 - 1 + 1 - 0.1) / 3)
    assert error_of_residues(right[:0], probability[:0]) == 0


@pytest.mark.parametrize(
    ("log_odds", "probability"),
    [(0.0, 0.5), (np.log(3), 0.75), (1e4, 1.0), (-1e4, 0.0), (np.inf, 1.0), (-np.inf, 0.0)],
)
def test_log_odds_of_any_size_are_a_probability(log_odds: float, probability: float) -> None:
    assert probability_of(log_odds) == pytest.approx(probability, abs=1e-9)
