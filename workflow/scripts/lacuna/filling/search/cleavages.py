"""What spectra show of the cleavages in a gap, by the mass of what is before them."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from lacuna.core.alphabet import encode, merge_il
from lacuna.core.tables import CUT
from lacuna.scaffolds.residue_masses import LIGHTEST, MassRules, sums_of, weights_of
from lacuna.scaffolds.scaffold import Measured, SpectralEvidence

MOST_NATS = 10.0  # of one cleavage, or of I against L, by all spectra
SHOWN_NATS = 2.0  # nats of its ions against chance from which a cleavage counts as shown
MOST_CLEAVAGES = 64  # that are counted ahead
_LEAST_APART = LIGHTEST - 0.1  # Da between two cleavages


class Shown:
    """What spectra say of cleavages, by the mass of what is before them."""

    def __init__(self, evidence: SpectralEvidence) -> None:
        self.unseen = evidence.unseen
        self.edges, values = _steps_of(evidence.cleavages)
        self.values = values.clip(max=MOST_NATS - evidence.unseen)
        low, high = self.edges[:-1], self.edges[1:]
        some = self.values[1:-1] > 0
        self._high = high[some]
        # (intervals + 1, cleavages): the most that so many give from an interval on.
        self._most = np.zeros((len(self._high) + 1, MOST_CLEAVAGES + 1))
        following = np.searchsorted(self._high, low[some] + _LEAST_APART)
        gains = zip(self.values[1:-1][some], following, strict=True)
        for j, (nats, after) in reversed(list(enumerate(gains))):
            self._most[j] = self._most[j + 1]
            better = nats + self._most[max(after, j + 1), :-1]
            self._most[j, 1:] = np.maximum(self._most[j, 1:], better)

    def nats(self, masses: np.ndarray) -> np.ndarray:
        """Nats (n,) of cleavages behind beginnings of so many Da (n,)."""
        return self.unseen + self.of_ions(masses)

    def of_ions(self, masses: np.ndarray) -> np.ndarray:
        """The same (n,), of the ions found against chance."""
        return self.values[np.searchsorted(self.edges, masses, "right")]

    def ahead(self, masses: np.ndarray, cleavages: int) -> np.ndarray:
        """The most nats (n,) of so many cleavages behind beginnings of more than masses (n,) Da."""
        first = np.searchsorted(self._high, masses + _LEAST_APART)
        most = self._most[first, min(cleavages, MOST_CLEAVAGES)]
        return most + self.unseen * cleavages


@lru_cache(maxsize=32)
def shown(evidence: SpectralEvidence) -> Shown:
    """What spectra show of a gap, as the search looks it up."""
    return Shown(evidence)


def cut_where_shown(
    sequence: str, evidence: SpectralEvidence, measured: Measured, rules: MassRules
) -> str:
    """A sequence for a gap with a slash at each cleavage that spectra show: `G/GD/GF`.

    measured: the mass of the gap, as the spectra were matched with it; '' if the residues cannot
    have it. rules: with one mass of C.
    """
    mass, tolerance = measured
    weights = weights_of(merge_il(encode(sequence)), rules)
    begun, left = sums_of(weights), sums_of(weights[::-1])[::-1]
    spectra, parts, n = shown(evidence), [], len(sequence)
    for i in range(n):
        prefixes, rest = begun[i + 1], left[i + 1]
        fits = (np.abs(np.add.outer(prefixes, rest) - mass) <= tolerance).any(1)
        if not fits.any():
            return ""
        seen = i + 1 < n and (spectra.of_ions(prefixes[fits]) >= SHOWN_NATS).any()
        parts.append(sequence[i] + CUT * bool(seen))
    return "".join(parts)


def side_nats(evidence: SpectralEvidence, masses: np.ndarray) -> np.ndarray:
    """Nats (n,) of I against L behind beginnings of a gap of so many Da (n,)."""
    edges, values = _steps_of(evidence.sides)
    return values[np.searchsorted(edges, masses, "right")].clip(-MOST_NATS, MOST_NATS)


def _steps_of(bumps: Sequence[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of mass +- tolerance with a height each, summed: edges (e,), heights (e + 1,)."""
    mass, tolerance, height = np.array(bumps).reshape(-1, 3).T
    ends = np.concatenate((mass - tolerance, mass + tolerance))
    order = np.argsort(ends, kind="stable")
    changes = np.concatenate((height, -height))[order]
    heights = np.concatenate(([0.0], np.cumsum(changes)))
    heights[np.abs(heights) < 1e-9] = 0.0  # left by rounding
    return ends[order], heights
