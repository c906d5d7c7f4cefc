"""Statistics of all tables and figures: intervals of shares, errors of probabilities."""

import math

import numpy as np

N_BINS = 10  # of probability, of equal width, for the expected calibration error
Z95 = 1.959963984540054
LEAST_LOG_ODDS, MOST_LOG_ODDS = -500.0, 50.0  # nats, beyond which a probability is 0 or 1


def probability_of(log_odds: float) -> float:
    """The probability, 0 to 1, that log odds in nats stand for, however far from 0 these are."""
    return 1 / (1 + math.exp(-max(min(log_odds, MOST_LOG_ODDS), LEAST_LOG_ODDS)))


def softmax(nats: np.ndarray) -> np.ndarray:
    """Probabilities (..., n) from logs of weights (..., n), over the last axis."""
    weights = np.exp(nats - nats.max(-1, keepdims=True))
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def wilson_interval(correct: float, n: float) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927, J Am Stat Assoc 22:209-212); n > 0."""
    share = correct / n
    centre = share + Z95**2 / (2 * n)
    half = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    below = 1 + Z95**2 / n
    # Rounding must not put the share outside its interval.
    low, high = min((centre - half) / below, share), max((centre + half) / below, share)
    return max(float(low), 0.0), min(float(high), 1.0)


def calibration_error(right: np.ndarray, probability: np.ndarray, n: int) -> float:
    """Expected calibration error of n > 0 residues.

    right, probability: (bins,) number of right residues and sum of probabilities of each bin.
    """
    return float(np.abs(right - probability).sum() / n)


def error_of_residues(right: np.ndarray, probability: np.ndarray) -> float:
    """Expected calibration error of residues, in N_BINS; 0 if there are none.

    right: (n,) bool; probability: (n,) from 0 to 1.
    """
    bins = np.minimum((probability * N_BINS).astype(int), N_BINS - 1)
    hits, sums = (np.bincount(bins, values, N_BINS) for values in (right, probability))
    return calibration_error(hits, sums, max(len(right), 1))
