"""Runs of neighbours in an array: where each one starts, and places within it."""

import numpy as np


def runs_of(where: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of each run of true values (n,), in order."""
    edges = np.flatnonzero(np.diff(where, prepend=False, append=False))
    return [(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]


def starts_of(lengths: np.ndarray) -> np.ndarray:
    """(n,) start of each of n runs, one behind the other, of some lengths (n,), which may be 0."""
    starts: np.ndarray = np.cumsum(lengths) - lengths
    return starts


def places_within(lengths: np.ndarray) -> np.ndarray:
    """(sum of lengths,) place of each element in its run, from 0: 0 1 2 0 1 for runs of 3 and 2."""
    return np.arange(lengths.sum()) - np.repeat(starts_of(lengths), lengths)
