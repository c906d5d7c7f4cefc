"""Counts which fragments of a peptide a spectrum shows, and how probable that is by chance."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from lacuna.spectra.flanks import Flank
from lacuna.spectra.ions import OFFSET
from lacuna.spectra.peaks import AROUND_DA, Fragments

SEEN, UNSEEN = 1.0, 1.5  # Beta prior of the share of its fragments that a series shows
MOST_COUNTED = 1000  # fragments of a series; bounds a table
PRESENT_PRIOR = 0.5  # prior probability that a spectrum has a series at all
LADDERS_KEPT = 64  # of the flanks of a gap, by series and state of C


class Tally(NamedTuple):
    """How many fragments of a series a peptide can have (n), how many of them are seen (k), and the
    log probability that chance alone would show these; arrays of any shape."""

    n: np.ndarray
    k: np.ndarray
    by_chance: np.ndarray

    def __add__(self, other: "Tally") -> "Tally":  # type: ignore[override]
        return Tally(self.n + other.n, self.k + other.k, self.by_chance + other.by_chance)

    def of(self, rows: np.ndarray) -> "Tally":
        """The tallies of some peptides (rows)."""
        return Tally(self.n[rows], self.k[rows], self.by_chance[rows])

    def log_odds(self) -> np.ndarray:
        """Log odds of the peptide against chance, whether or not the spectrum has this series."""
        present = math.log(PRESENT_PRIOR) + _shown(self) - self.by_chance
        return np.asarray(np.logaddexp(present, math.log(1 - PRESENT_PRIOR)))

    def share(self) -> float:
        """Expected share of the other fragments of one peptide that are seen, given these."""
        odds = math.log(PRESENT_PRIOR / (1 - PRESENT_PRIOR)) + float(_shown(self) - self.by_chance)
        present = 1 / (1 + math.exp(-max(min(odds, 50.0), -50.0)))
        return present * float((SEEN + self.k) / (SEEN + UNSEEN + self.n))


def _log_gamma(start: float) -> np.ndarray:
    """(MOST_COUNTED + 1,): log gamma at `start`, `start` + 1, ..."""
    return np.array([math.lgamma(start + more) for more in range(MOST_COUNTED + 1)])


_OF_SEEN, _OF_UNSEEN, _OF_BOTH = (_log_gamma(x) for x in (SEEN, UNSEEN, SEEN + UNSEEN))


def _shown(tally: Tally) -> np.ndarray:
    """Log probability of the fragments seen if the spectrum has the series, of unknown share."""
    n, k = (np.minimum(count, MOST_COUNTED) for count in (tally.n, tally.k))
    none = _OF_SEEN[0] + _OF_UNSEEN[0] - _OF_BOTH[0]
    return np.asarray(_OF_SEEN[k] + _OF_UNSEEN[n - k] - _OF_BOTH[n] - none)


def tally_of(fragments: Fragments, masses: np.ndarray, exist: np.ndarray | bool = True) -> Tally:
    """Count the masses (..., m) that are seen, over the last axis; exist: which of them count."""
    return Tally(*(values.sum(-1) for values in _counted(fragments, masses, exist)))


def tallies_of(fragments: Fragments, masses: np.ndarray, begins: np.ndarray) -> Tally:
    """Count the masses (..., m) that are seen, of n peptides along the last axis: (..., n).

    begins (n,): where the masses of each begin; each has some.
    """
    there, seen, by_chance = _counted(fragments, masses, True)
    each = there.astype(np.int64), seen.astype(np.int64), by_chance
    return Tally(*(np.add.reduceat(values, begins, axis=-1) for values in each))


def _counted(
    fragments: Fragments, masses: np.ndarray, exist: np.ndarray | bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each mass whether it counts, whether it is seen, and the log probability of that by
    chance."""
    there = exist & fragments.covers(masses)
    seen = fragments.matched(masses) & there
    return there, seen, _by_chance(seen, there, fragments.chance(masses))


def _by_chance(seen: np.ndarray, there: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Log probability that chance shows of each fragment what is seen; 0 of what is not there."""
    found = np.where(there, np.log1p(-chance), 0.0)
    found[seen] = np.log(chance[seen])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The fragments of a series that end before the gap, of every peptide of a flank.

    masses, low, high (m,): in Da, rising, and within the tolerance of each; rows (m,): its peptide.
    """

    masses: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rows: np.ndarray


@lru_cache(maxsize=LADDERS_KEPT)
def ladder(flank: Flank, series: str, ppm: float) -> Ladder:
    """The fragments of a series that end in a flank; ppm: tolerance of masses."""
    masses = flank.masses[:, None] - flank.parts
    rows, _ = np.nonzero(masses > 0)
    masses = masses[masses > 0] + OFFSET[series]
    order = np.argsort(masses, kind="stable")
    masses, rows = masses[order], rows[order]
    within = masses * (ppm * 1e-6)
    return Ladder(masses, masses - within, masses + within, rows)


def tally_of_flank(fragments: Fragments, flank: Flank, series: str, heaviest: float) -> Tally:
    """Tallies (a,) of the fragments that end before the gap, of each peptide of a flank; those of
    fragments above `heaviest` Da are left out.

    The same as `tally_of`, but each peak is looked up among the fragments: there are fewer of them.
    """
    every = ladder(flank, series, fragments.ppm)
    m = int(np.searchsorted(every.masses, heaviest + OFFSET[series], "right"))
    masses, rows, peaks = every.masses[:m], every.rows[:m], fragments.masses

    def below(edges: np.ndarray, side: Literal["left", "right"] = "right") -> np.ndarray:
        """How many peaks are below each of the edges (m,); 'left': or at it."""
        first = np.searchsorted(edges, peaks, side)
        return np.cumsum(np.bincount(first, minlength=m + 1))[:m]

    seen = below(every.high[:m], "left") > below(every.low[:m])
    around = below(masses + AROUND_DA) - below(masses - AROUND_DA)
    there = fragments.covers(masses)
    seen &= there
    by_chance = _by_chance(seen, there, fragments.chance_among(around, masses))
    n, k, logs = (
        np.bincount(rows, values, len(flank.masses)) for values in (there, seen, by_chance)
    )
    return Tally(n.astype(np.int64), k.astype(np.int64), logs)
