"""What probabilities are worth: residues of similar probability, and how often they are right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.core.statistics import calibration_error, wilson_interval

PLOT_BINS = 10  # of the plot; fewer if one would hold fewer than BIN_MIN residues
BIN_MIN = 10
PROBABILITY_STEPS = 10_000  # probabilities have four digits


@dataclass(frozen=True, slots=True)
class Bin:
    """Residues of similar probability: their mean probability and the share that is right."""

    n: int
    probability: float  # mean
    accuracy: float
    low: float
    high: float


def bins_of(known: np.ndarray, right: np.ndarray) -> tuple[Bin, ...]:
    """Up to PLOT_BINS bins with about the same number of residues, from counts by probability.

    Residues of the same probability stay together, so a bin may hold more than its share.
    """
    total = int(known.sum())
    if not total:
        return ()
    middle = (np.cumsum(known) - known / 2) / total
    bins = min(max(total // BIN_MIN, 1), PLOT_BINS)
    which = np.minimum((middle * bins).astype(int), bins - 1)
    n = np.bincount(which, known, bins)
    hits = np.bincount(which, right, bins)
    sums = np.bincount(which, known * np.arange(len(known)) / PROBABILITY_STEPS, bins)
    return tuple(
        Bin(
            int(n[i]), float(sums[i] / n[i]), float(hits[i] / n[i]), *wilson_interval(hits[i], n[i])
        )
        for i in np.flatnonzero(n)
    )


def error_of(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error over the bins; None without any."""
    if not bins:
        return None
    n, right, expected = np.array([(b.n, b.accuracy, b.probability) for b in bins]).T
    return calibration_error(n * right, n * expected, int(n.sum()))
