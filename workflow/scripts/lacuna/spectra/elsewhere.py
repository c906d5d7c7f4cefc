"""Where in the chains of a sample a spectrum fits best: a gap is shown only by those of its own.

Most spectra of a sample are of peptides whose residues are all known, or of those around another
gap. Some fit a gap by chance, but fit their own place far better.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lacuna.core.masses import DENSITY, ISOTOPE, WATER
from lacuna.scaffolds.residue_masses import PYROGLUTAMATE
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.spectra.flanks import (
    ANYWHERE,
    FIRST_OF_PEPTIDE,
    OTHER_END,
    Usual,
    is_end,
    known_stretches,
    masses_of,
)
from lacuna.spectra.ions import N_SERIES, OFFSET
from lacuna.spectra.match import LARGE, Match
from lacuna.spectra.peaks import Fragments, Spectra
from lacuna.spectra.read import Precursor
from lacuna.spectra.tally import tally_of

FAR_BETTER = 3.0  # nats
SURELY_KNOWN = 20.0  # log odds of a peptide of known residues from which it needs no comparison
ALIKE = 4  # residues at the ends of two peptides, or more, that make them the same if they agree
MOST_OF_READING = 20.0  # nats that the spectra of a peptide, or of a gap, give to a state of C
ENDS = 9.0  # weight of all ends that a peptide may have, if it begins somewhere
_APART = 10 * LARGE  # Da between two stretches of known residues


class Fit(NamedTuple):
    """A peptide that a spectrum fits; left, right: its known residues at either end, all of them
    if there is no gap between."""

    log_odds: float
    left: str
    right: str

    def is_same(self, other: "Fit") -> bool:
        """Whether both may be one peptide, of two chains that are alike."""
        n, m = (min(map(len, pair)) for pair in zip(self[1:], other[1:], strict=True))
        starts, ends = self.left[:n] == other.left[:n], self.right[-m:] == other.right[-m:]
        return n + m >= ALIKE and starts and (ends or not m)


def is_elsewhere(own: Fit, others: Iterable[Fit]) -> bool:
    """Whether a spectrum fits one of other places far better than its own."""
    better = (one for one in others if one.log_odds > own.log_odds + FAR_BETTER)
    return any(not own.is_same(one) for one in better)


@dataclass(frozen=True, slots=True)
class KnownPeptides:
    """The stretches of known residues of a chain.

    letters: of all stretches, a blank behind each; lies (n,): Da before each cleavage in them,
    before the letter of the same index, with `_APART` between stretches; shares (n,): log
    probability that a peptide begins there; ends (n,): the same of its end.
    """

    letters: str
    lies: np.ndarray
    shares: np.ndarray
    ends: np.ndarray

    def best(self, precursor: Precursor, fragments: Fragments, ppm: float) -> Fit | None:
        """The peptide without a gap that a spectrum fits best; None if the precursor of none has
        its mass within `ppm`, or is large."""
        if precursor.mass > LARGE:
            return None
        tolerance = precursor.mass * ppm * 1e-6
        by_mass = -float(np.log(min(4 * tolerance * DENSITY, 1.0)))  # 4: two isotopes
        found = [
            self._fit(precursor, fragments, start, stop, carried)
            for carried in (_NOTHING, *_CARRIED)
            for isotope in (0.0, ISOTOPE)
            for start, stop in self._spans(
                precursor.mass - WATER - carried.usual.mass - isotope, tolerance
            )
        ]
        fits = [one._replace(log_odds=one.log_odds + by_mass) for one in found if one is not None]
        return max(fits, default=None)

    def _spans(self, mass: float, tolerance: float) -> Iterator[tuple[int, int]]:
        """Yield start and stop of stretches of so many Da."""
        low = np.searchsorted(self.lies, self.lies + mass - tolerance)
        high = np.searchsorted(self.lies, self.lies + mass + tolerance, "right")
        for start in np.flatnonzero(high > low).tolist():
            for stop in range(low[start], high[start]):
                yield start, stop

    def _fit(
        self,
        precursor: Precursor,
        fragments: Fragments,
        start: int,
        stop: int,
        carried: "_Carried",
    ) -> Fit | None:
        """The peptide from start to stop, with the residue that carries something where it fits
        best; None if it has no such residue."""
        letters = self.letters[start:stop]
        lies = self.lies[start + 1 : stop] - self.lies[start]
        whole = self.lies[stop] - self.lies[start] + carried.usual.mass
        prior = self.shares[start] + self.ends[stop] + np.log(carried.usual.odds)
        best = -np.inf
        for place in carried.places(letters):
            before = lies + carried.usual.mass * (np.arange(1, len(letters)) > place)
            shown = 0.0
            for series in precursor.series:
                masses = before if series in N_SERIES else whole - before
                there = np.ones(len(masses), dtype=bool)
                shown += float(tally_of(fragments, masses + OFFSET[series], there).log_odds())
            best = max(best, shown)
        return Fit(float(prior + best), letters, letters) if best > -np.inf else None


class _Carried(NamedTuple):
    """What one residue of a peptide carries; residue: '' for nothing."""

    residue: str
    usual: Usual
    first: bool = False

    def places(self, letters: str) -> list[int]:
        """Where in a peptide it may be carried."""
        if not self.residue:
            return [len(letters)]
        some = letters[:1] if self.first else letters
        return [i for i, letter in enumerate(some) if letter == self.residue]


_NOTHING = _Carried("", Usual(0.0, 1.0, ""))
_CARRIED = (
    *(_Carried(residue, usual) for residue, usual in ANYWHERE.items()),
    *(
        _Carried(residue, Usual(PYROGLUTAMATE[residue], odds, ""), first=True)
        for residue, odds in FIRST_OF_PEPTIDE.items()
    ),
)


def known_peptides(scaffold: Scaffold, cysteine: float) -> KnownPeptides:
    """The known residues of a chain; cysteine: Da that every C carries if nothing is written."""
    masses = masses_of(scaffold, cysteine)
    letters, lies, weights = "", [np.empty(0)], [np.empty(0)]
    begin = 0.0
    for start, stop in known_stretches(scaffold):
        letters += _merged(scaffold.sequence[start:stop]) + " "
        lies.append(begin + np.cumsum([0.0, *masses[start:stop]]))
        begin = float(lies[-1][-1]) + _APART
        ends = [is_end(scaffold.sequence, at) for at in range(start, stop + 1)]
        weights.append(np.where(ends, 1.0, OTHER_END))
    weight = np.concatenate(weights)
    shares, ends_of = np.log(weight / max(weight.sum(), 1.0)), np.log(weight / ENDS)
    return KnownPeptides(letters, np.concatenate(lies), shares, ends_of)


def odds_of_known(
    chain: Scaffold, spectra: Spectra, states: Sequence[float], ppm: float, enough: int
) -> dict[str, np.ndarray]:
    """For each peptide of known residues with C that spectra surely fit, by its letters, the log
    odds (states,) of each state of C against the best, by its best spectrum; no more spectra are
    looked at once `enough` peptides are found. states: Da that every C carries."""
    known = [known_peptides(chain, carried) for carried in states]
    best: dict[str, np.ndarray] = {}
    for precursor, peaks in spectra:
        each = [peptides.best(precursor, peaks, ppm) for peptides in known]
        surest = max((fit for fit in each if fit is not None), default=None)
        if surest is None or surest.log_odds < SURELY_KNOWN or "C" not in surest.left:
            continue
        odds = np.array([0.0 if fit is None else max(fit.log_odds, 0.0) for fit in each])
        if surest.left not in best or odds.max() > best[surest.left].max():
            best[surest.left] = odds
        if len(best) == enough:
            break
    return {
        letters: np.maximum(odds - odds.max(), -MOST_OF_READING) for letters, odds in best.items()
    }


def fit_around(scaffold: Scaffold, gap: Gap, match: Match) -> Fit:
    """A peptide that spans a gap."""
    letters = scaffold.sequence
    left, right = letters[match.start : gap.start], letters[gap.end : match.end]
    return Fit(match.log_odds, _merged(left), _merged(right))


def _merged(letters: str) -> str:
    """The residues with L for I and for what is I or L."""
    return letters.replace("I", "L").replace("J", "L")
