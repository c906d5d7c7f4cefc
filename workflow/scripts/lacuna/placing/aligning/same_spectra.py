"""Reads of several tools that may be of the same spectra, which must not count twice.

Two tools that read one spectrum often make the same mistake. Tables seldom name spectra in the same
way, so that reads are compared: those of one spectrum weigh the same and share most cleavages. Two
spectra of a peptide cannot be told from one then, but tools mistake both in the same way too.
"""

import numpy as np

from lacuna.placing.aligning.compiled import compiled

TOLERANCE = 0.05  # Da, of a read and of each of its cleavages
ALIKE_SHARE = 0.5  # of the inner cleavages of the longer of two reads, in both


def shares_of_spectra(cleavages: np.ndarray, length: np.ndarray, tools: np.ndarray) -> np.ndarray:
    """(n,) of each read, one by the number of tools of which a read is like it, its own included.

    cleavages (n, w + 1): Da of the first 0 to w residues; length (n,); tools (n, tools) bool: which
    of them have this read.
    """
    if tools.shape[1] < 2:
        return np.ones(len(length))
    order = np.argsort(cleavages[np.arange(len(length)), length], kind="stable")
    found = np.empty_like(tools)
    found[order] = _like(cleavages[order], length[order], tools[order], TOLERANCE, ALIKE_SHARE)
    shares: np.ndarray = 1.0 / (1.0 + (found & ~tools).sum(1))
    return shares


@compiled
def _like(
    cleavages: np.ndarray, length: np.ndarray, tools: np.ndarray, tolerance: float, alike: float
) -> np.ndarray:
    """(n, tools) bool: which tools have a read like each one; reads are in ascending mass."""
    n = len(length)
    found = tools.copy()
    for i in range(n):
        for k in range(i + 1, n):
            if cleavages[k, length[k]] - cleavages[i, length[i]] > tolerance:
                break
            if (tools[i] == tools[k]).all():
                continue
            a, b, common = 1, 1, 0
            while a < length[i] and b < length[k]:
                more = cleavages[i, a] - cleavages[k, b]
                if abs(more) <= tolerance:
                    common += 1
                if more <= tolerance:
                    a += 1
                if more >= -tolerance:
                    b += 1
            if common >= alike * (max(length[i], length[k]) - 1):
                found[i] |= tools[k]
                found[k] |= tools[i]
    return found
