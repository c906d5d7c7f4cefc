"""Calibration: residues in bins by their probability."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.results.report import calibration


def counted(steps: list[int], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    size = calibration.PROBABILITY_STEPS + 1
    return (
        np.bincount(steps, minlength=size),
        np.bincount([s for s, r in zip(steps, right, strict=True) if r], minlength=size),
    )


@given(st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), max_size=300))
def test_every_residue_is_in_one_bin(residues: list[tuple[int, bool]]) -> None:
    steps, right = [s for s, _ in residues], [r for _, r in residues]
    bins = calibration.bins_of(*counted(steps, right))
    assert sum(b.n for b in bins) == len(residues)
    assert sum(b.n * b.accuracy for b in bins) == pytest.approx(sum(right))
    assert sum(b.n * b.probability for b in bins) == pytest.approx(sum(steps) / 10_000)
    assert [b.probability for b in bins] == sorted(b.probability for b in bins)
    assert all(0 <= b.low <= b.accuracy <= b.high <= 1 for b in bins)


def test_bins_hold_as_many_residues_each() -> None:
    steps = list(range(0, 10_000, 10))
    bins = calibration.bins_of(*counted(steps, [s > 4999 for s in steps]))
    assert [b.n for b in bins] == [100] * 10
    assert [b.accuracy for b in bins] == [0.0] * 5 + [1.0] * 5
    assert calibration.error_of(bins) == pytest.approx(0.25, abs=0.001)


def test_few_residues_make_few_bins_and_equal_probabilities_one() -> None:
    assert len(calibration.bins_of(*counted(list(range(29)), [True] * 29))) == 2
    assert len(calibration.bins_of(*counted([9000] * 500, [True] * 500))) == 1
    assert calibration.bins_of(*counted([], [])) == ()
    assert calibration.error_of(()) is None
