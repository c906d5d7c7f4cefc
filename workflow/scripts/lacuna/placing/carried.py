"""What residues of a chain may carry that reads do not show."""

from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import RESIDUES
from lacuna.core.masses import DEAMIDATION, DIOXIDATION, OXIDATION
from lacuna.placing.readset import ReadSet, running

BLOCK_TOLERANCE = 0.025  # Da: a block of a read that weighs as much as one of the chain
UNLISTED = -1.6  # nats more for a modification that the tool did not report


def _counts(residues: str) -> np.ndarray:
    """(256,): 1 for the tokens of some residues."""
    table = np.zeros(256)
    table[[RESIDUES.index(r) for r in residues]] = 1
    return table


_CYSTEINE = _counts("C")
# What a search may not list, in Da, and the residues that carry it (Unimod 7, 35, 425, 526):
# deamidation, oxidation, dioxidation, loss of methanethiol.
UNLISTED_MASSES = (
    (DEAMIDATION, _counts("NQ")),
    (OXIDATION, _counts("MWH")),
    (DIOXIDATION, _counts("MW")),
    (-48.003371, _counts("M")),
)
BIN = 0.005  # Da, to which masses are rounded before they are compared exactly
_ROUNDED = 3  # steps of BIN by which a sum of five rounded masses may be off
_REACH = 52000  # steps of BIN, 260 Da: more than what two residues carry


@dataclass(frozen=True, slots=True)
class Carried:
    """What the residues of m windows of a text may carry that reads do not show.

    masses: Da, the nats that it costs, and (m, w + 1) how many residues of a window can carry it;
    bins: whether some of them, or none, may explain a difference, in steps of BIN from -_REACH on.
    """

    masses: tuple[tuple[float, float, np.ndarray], ...]
    bins: np.ndarray

    @classmethod
    def of(cls, reads: ReadSet, window: np.ndarray) -> "Carried":
        cysteines = running(_CYSTEINE[window])
        listed = ((mass, 0.0, cysteines) for mass in reads.cysteine)  # by the search or not
        unlisted = ((mass, UNLISTED, running(table[window])) for mass, table in UNLISTED_MASSES)
        masses = (*listed, *unlisted)
        bins = np.zeros(2 * _REACH + 1, dtype=bool)
        for mass in (0.0, *(m * k for m, cost, _ in masses for k in (1, 2) if k == 1 or not cost)):
            middle, near = _REACH + round(mass / BIN), round(BLOCK_TOLERANCE / BIN) + _ROUNDED
            bins[middle - near : middle + near + 1] = True
        bins[[0, -1]] = False
        return cls(masses, bins)

    def possible(self, off: np.ndarray) -> np.ndarray:
        """Whether some masses may explain differences, given in whole steps of BIN."""
        found: np.ndarray = self.bins[np.clip(off + _REACH, 0, 2 * _REACH)]
        return found

    def nats(
        self, off: np.ndarray, row: np.ndarray, right: np.ndarray, b: np.ndarray
    ) -> np.ndarray:
        """(n,) nats of blocks of b residues that end at column `right` of a window, -inf where the
        mass does not fit; off: Da by which the reads' blocks are heavier. All arguments (n,)."""
        nats = np.where(np.abs(off) < BLOCK_TOLERANCE, 0.0, -np.inf)
        for mass, cost, sites in self.masses:
            held = sites[row, right] - sites[row, right - b]
            # Every cysteine carries it; of other residues one does.
            carried = mass * (held if cost == 0.0 else 1.0)
            ok = (np.abs(off - carried) < BLOCK_TOLERANCE) & (held > 0)
            nats = np.where(ok, np.maximum(nats, cost), nats)
        return nats
