"""What residues of a chain may carry that reads do not show."""

from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import TOKEN
from lacuna.core.masses import DEAMIDATION, DIOXIDATION, OXIDATION

BLOCK_TOLERANCE = 0.025  # Da: a block of a read that weighs as much as one of the chain
UNLISTED_SCORE = -1.6  # nats more for a modification that the tool did not report
# What a search may not list, in Da, and the residues that carry it (Unimod 7, 35, 425, 526):
# deamidation, oxidation, dioxidation, loss of methanethiol.
UNLISTED_MASSES = (
    (DEAMIDATION, "NQ"),
    (OXIDATION, "MWH"),
    (DIOXIDATION, "MW"),
    (-48.003371, "M"),
)
BIN = 0.005  # Da, to which masses are rounded before they are compared exactly
_ROUNDED = 3  # steps of BIN by which a sum of five rounded masses may be off
REACH_BINS = 52000  # steps of BIN, 260 Da: more than what two residues carry


class Carried(NamedTuple):
    """What residues may carry; a named tuple, since compiled code takes one.

    masses (k,) Da; costs (k,): nats of each, 0 for what every residue carries that can; carriers
    (k, 256): 1 for the tokens of residues that can; possible (2 * REACH_BINS + 1,): whether some of
    them, or none, may explain a difference, in steps of BIN from -REACH_BINS on.
    """

    masses: np.ndarray
    costs: np.ndarray
    carriers: np.ndarray
    possible: np.ndarray

    @classmethod
    def of(cls, cysteine: tuple[float, ...]) -> "Carried":
        """cysteine: what C may carry, in Da, whether the search listed it or not."""
        kinds = [(mass, "C", 0.0) for mass in cysteine]
        kinds += [(mass, residues, UNLISTED_SCORE) for mass, residues in UNLISTED_MASSES]
        carriers = np.zeros((len(kinds), 256), dtype=np.int64)
        possible = np.zeros(2 * REACH_BINS + 1, dtype=bool)
        _allow(possible, 0.0)
        for row, (mass, residues, cost) in zip(carriers, kinds, strict=True):
            row[[TOKEN[r] for r in residues]] = 1
            _allow(possible, mass)
            if cost == 0.0:
                _allow(possible, 2 * mass)
        masses, _, costs = zip(*kinds, strict=True)
        return cls(np.array(masses), np.array(costs), carriers, possible)


def _allow(possible: np.ndarray, mass: float) -> None:
    """Mark what may be a difference of `mass` Da; possible: in place."""
    middle, near = REACH_BINS + round(mass / BIN), round(BLOCK_TOLERANCE / BIN) + _ROUNDED
    possible[middle - near : middle + near + 1] = True
