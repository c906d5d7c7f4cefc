"""Runs of neighbours in an array."""

import numpy as np


def runs_of(where: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of each run of true values (n,), in order."""
    edges = np.flatnonzero(np.diff(where, prepend=False, append=False))
    return [(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]
