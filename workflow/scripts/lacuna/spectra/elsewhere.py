"""Where in the chains of a sample a spectrum fits best: a gap is shown only by those of its own.

Most spectra of a sample are of peptides whose residues are all known, or of those around another
gap. Some fit a gap by chance, but fit their own place far better. Spectra of another antibody fit
the constant regions, which both have, and not the CDRs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lacuna.antibody.imgt import CDR_COLUMNS, CONSTANT
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import MISSING_LETTER, RESIDUES, l_for_i_or_l
from lacuna.core.masses import DENSITY, ISOTOPE, WATER
from lacuna.core.runs import places_within, starts_of
from lacuna.scaffolds.residue_masses import PYROGLUTAMATE, USUAL, Usual
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.spectra.flanks import (
    FIRST_OF_PEPTIDE,
    OTHER_END_WEIGHT,
    WEIGHTS,
    is_end,
    known_stretches,
    left_by_reagents,
    masses_of,
)
from lacuna.spectra.ions import N_SERIES, OFFSET
from lacuna.spectra.match import LARGE_MASS, Match
from lacuna.spectra.peaks import Fragments, Spectra
from lacuna.spectra.read import Precursor
from lacuna.spectra.tally import tallies_of

FAR_BETTER_NATS = 3.0  # by which a spectrum must fit another place better to be of that one
SURELY_KNOWN = 20.0  # log odds of a peptide of known residues from which it needs no comparison
ALIKE_RESIDUES = 4  # at the ends of two peptides, that make them the same if they agree
# Da by which known residues of two peptides may overlap that are the same: what one residue carries
# in one of them, as oxygen, and no residue.
MOST_OVERLAP = 20.0
MOST_READING_NATS = 20.0  # that the spectra of a peptide, or of a gap, give to a state of C
ENDS_WEIGHT = 9.0  # of all ends that a peptide may have, if it begins somewhere
# Spectra of constant regions, and known residues of CDRs, from which it is asked whether peptides
# of CDRs are there too; the log odds from which a peptide is; and the share of the former that the
# latter have at least. Twelve simulated antibodies: .05 to 3 by their own spectra, and by those of
# another one 0 but for one pair that shares a germline.
ENOUGH_OF_CONSTANT, ENOUGH_OF_CDRS, CLEARLY_KNOWN, LEAST_CDR_SHARE = 20, 10, 10.0, 0.02
LONGEST_JOINED = 15  # residues of two gaps that one peptide spans, and between them
_APART_DA = 10 * LARGE_MASS  # between two stretches of known residues


class Lies(NamedTuple):
    """Where a known residue lies in a peptide: Da from the start of the peptide on, L for I."""

    start: float
    stop: float
    residue: str

    def is_at_odds(self, other: "Lies") -> bool:
        """Whether one peptide cannot have both."""
        overlap = min(self.stop, other.stop) - max(self.start, other.start)
        same = self.residue == other.residue and abs(self.start - other.start) <= MOST_OVERLAP
        return overlap > MOST_OVERLAP and not same


class Fit(NamedTuple):
    """A peptide that a spectrum fits; left, right: its known residues at either end, all of them
    if there is no gap between; place: its chain, start and end, if there is one; lies: where its
    known residues are."""

    log_odds: float
    left: str
    right: str
    place: tuple[str, int, int] | None = None
    lies: tuple[Lies, ...] = ()

    def is_same(self, other: "Fit") -> bool:
        """Whether both may be one peptide, of two chains that are alike."""
        if self.place is not None and self.place == other.place:
            return True
        n = min(len(self.left), len(other.left))
        m = min(len(self.right), len(other.right))
        starts, ends = self.left[:n] == other.left[:n], self.right[-m:] == other.right[-m:]
        alike = n + m >= ALIKE_RESIDUES and starts and (ends or not m)
        return alike and not any(a.is_at_odds(b) for a in self.lies for b in other.lies)


def is_elsewhere(own: Fit, others: Iterable[Fit]) -> bool:
    """Whether a spectrum fits one of other places far better than its own."""
    better = (one for one in others if one.log_odds > own.log_odds + FAR_BETTER_NATS)
    return any(not own.is_same(one) for one in better)


@dataclass(frozen=True, slots=True)
class KnownPeptides:
    """The peptides of known residues of a chain, two residues or more.

    letters: of all stretches of known residues, a blank behind each; lies (n,): Da before each
    cleavage in them, before the letter of the same index, with `_APART_DA` between stretches;
    shares (n,): log probability that a peptide begins there; ends (n,): the same of its end;
    masses (m,): what the residues of each peptide weigh that is not large, in Da, rising; starts,
    stops (m,): its first and last cleavage; carried: what one of its residues may carry.
    """

    letters: str
    lies: np.ndarray
    shares: np.ndarray
    ends: np.ndarray
    masses: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    carried: tuple["_Carried", ...]

    def best(self, precursor: Precursor, fragments: Fragments, ppm: float) -> Fit | None:
        """The peptide without a gap that a spectrum fits best; None if the precursor of none has
        its mass within `ppm`, or is large."""
        if precursor.mass > LARGE_MASS:
            return None
        tolerance = precursor.mass * ppm * 1e-6
        heavier = np.array([one.usual.mass for one in self.carried])
        wanted = precursor.mass - WATER - heavier[:, None] - np.array([0.0, ISOTOPE])
        low = np.searchsorted(self.masses, wanted - tolerance)
        high = np.searchsorted(self.masses, wanted + tolerance, "right")
        forms = [
            (row, i, place)
            for i, j in np.argwhere(high > low).tolist()
            for row in range(low[i, j], high[i, j])
            for place in self.carried[i].places(self.letters[self.starts[row] : self.stops[row]])
        ]
        if not forms:
            return None
        rows, carried, places = np.array(forms).T
        starts, stops = self.starts[rows], self.stops[rows]
        shown = self._shown(precursor, fragments, (starts, stops), heavier[carried], places)
        prior = np.log([one.usual.odds for one in self.carried])
        log_odds = self.shares[starts] + self.ends[stops] + prior[carried] + shown
        by_mass = -float(np.log(min(4 * tolerance * DENSITY, 1.0)))  # 4: two isotopes
        chosen = int(np.argmax(log_odds))
        letters = self.letters[starts[chosen] : stops[chosen]]
        lies = self.lies[starts[chosen] : stops[chosen] + 1] - self.lies[starts[chosen]]
        where = tuple(
            Lies(*span, x) for span, x in zip(pairwise(lies.tolist()), letters, strict=True)
        )
        return Fit(float(log_odds[chosen]) + by_mass, letters, letters, lies=where)

    def _shown(
        self,
        precursor: Precursor,
        fragments: Fragments,
        peptides: tuple[np.ndarray, np.ndarray],
        carried: np.ndarray,
        places: np.ndarray,
    ) -> np.ndarray:
        """(n,) log odds of peptides by their fragments. peptides: starts, stops (n,); carried (n,):
        Da that the residue at one of the places (n,) carries, counted from the start."""
        starts, stops = peptides
        lengths = stops - starts - 1
        of = np.repeat(np.arange(len(starts)), lengths)  # the peptide of each fragment
        residues = places_within(lengths) + 1  # before its cleavage
        first = self.lies[starts]
        before = (
            self.lies[starts[of] + residues] - first[of] + carried[of] * (residues > places[of])
        )
        behind = (self.lies[stops] - first + carried)[of] - before
        masses = [
            (before if series in N_SERIES else behind) + OFFSET[series]
            for series in precursor.series
        ]
        return tallies_of(fragments, np.stack(masses), starts_of(lengths)).log_odds().sum(0)


class _Carried(NamedTuple):
    """What one residue of a peptide carries; residues: those that may, '' for nothing that is
    carried; first: whether only the first one of the peptide."""

    residues: str
    usual: Usual
    first: bool = False

    def places(self, letters: str) -> list[int]:
        """Where in a peptide it may be carried; nothing: behind its end."""
        if not self.residues:
            return [len(letters)]
        some = letters[:1] if self.first else letters
        return [i for i, letter in enumerate(some) if letter in self.residues]


def _carried(cysteine: float) -> tuple[_Carried, ...]:
    """What residues of a peptide may carry; cysteine: as in `known_peptides`."""
    return (
        _Carried("", Usual(0.0, 1.0, "")),
        *(_Carried(residue, usual) for residue, usual in USUAL.items()),
        *(
            _Carried(residue, Usual(PYROGLUTAMATE[residue], odds, ""), first=True)
            for residue, odds in FIRST_OF_PEPTIDE.items()
        ),
        *(_Carried(RESIDUES, usual, first=True) for usual in left_by_reagents(cysteine)),
    )


def known_peptides(scaffold: Scaffold, cysteine: float) -> KnownPeptides:
    """The known residues of a chain; cysteine: Da that every C carries if nothing is written."""
    masses = masses_of(scaffold, cysteine)
    letters, lies, weights = "", [np.empty(0)], [np.empty(0)]
    begin = 0.0
    for start, stop in known_stretches(scaffold):
        letters += l_for_i_or_l(scaffold.sequence[start:stop]) + " "
        lies.append(begin + np.cumsum([0.0, *masses[start:stop]]))
        begin = float(lies[-1][-1]) + _APART_DA
        ends = [is_end(scaffold.sequence, at) for at in range(start, stop + 1)]
        weights.append(np.where(ends, 1.0, OTHER_END_WEIGHT))
    weight = np.concatenate(weights)
    all_lies = np.concatenate(lies)
    shares, ends_of = np.log(weight / max(weight.sum(), 1.0)), np.log(weight / ENDS_WEIGHT)
    peptides = _peptides(all_lies)
    return KnownPeptides(letters, all_lies, shares, ends_of, *peptides, _carried(cysteine))


def _peptides(lies: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masses, starts and stops (m,) of the peptides between cleavages at `lies`, in Da, of two
    residues or more, by their mass."""
    longest = np.searchsorted(lies, lies + LARGE_MASS, "right") - 1
    counts = np.maximum(longest - np.arange(len(lies)) - 1, 0)
    starts = np.repeat(np.arange(len(lies)), counts)
    stops = starts + 2 + places_within(counts)
    masses = lies[stops] - lies[starts]
    order = np.argsort(masses, kind="stable")
    return masses[order], starts[order], stops[order]


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
        letters: np.maximum(odds - odds.max(), -MOST_READING_NATS) for letters, odds in best.items()
    }


class Coverage(NamedTuple):
    """What spectra show of chains: known residues of CDRs, how many spectra are of peptides with
    residues of CDRs, and how many of peptides of constant regions."""

    known: int = 0
    of_cdrs: int = 0
    of_constant: int = 0

    @property
    def of_another(self) -> bool:
        """Whether the spectra are those of another antibody that has the same constant regions."""
        enough = self.known >= ENOUGH_OF_CDRS and self.of_constant >= ENOUGH_OF_CONSTANT
        return enough and self.of_cdrs < LEAST_CDR_SHARE * self.of_constant


def coverage_of(chain: Scaffold, fits: Iterable[Fit]) -> Coverage:
    """What spectra show of a chain; fits: the peptide of known residues that each fits best."""
    columns = number_chain(chain.sequence).columns
    of_cdrs, constant = CDR_COLUMNS[columns], columns == CONSTANT
    known = np.zeros(len(columns), dtype=bool)
    for start, stop in known_stretches(chain):
        known[start:stop] = True
    letters = l_for_i_or_l(chain.sequence)
    places = [
        slice(at, at + len(fit.left))
        for fit in fits
        if fit.log_odds >= CLEARLY_KNOWN and (at := letters.find(fit.left)) >= 0
    ]
    return Coverage(
        int((known & of_cdrs).sum()),
        sum(bool(of_cdrs[place].any()) for place in places),
        sum(bool(constant[place].all()) for place in places),
    )


def fit_around(scaffold: Scaffold, gap: Gap, match: Match) -> Fit:
    """A peptide that spans a gap."""
    letters = scaffold.sequence
    left = l_for_i_or_l(letters[match.start : gap.start])
    right = l_for_i_or_l(letters[gap.end : match.end])
    place = scaffold.chain, match.start, match.end
    begins = 0.0, match.left + match.gap_mass
    lies = (*_lying(left, begins[0], match.left), *_lying(right, begins[1], match.right))
    return Fit(match.log_odds, left, right, place, lies)


def _lying(letters: str, start: float, mass: float) -> Iterator[Lies]:
    """Yield where known residues lie, one behind the other; mass: of all, with what they carry,
    which is mostly what C does."""
    carried = (mass - sum(WEIGHTS[x] for x in letters)) / max(letters.count("C"), 1)
    for letter in letters:
        stop = start + WEIGHTS[letter] + (carried if letter == "C" else 0.0)
        yield Lies(start, stop, letter)
        start = stop


def joined_gaps(scaffold: Scaffold) -> Iterator[tuple[Scaffold, Gap]]:
    """Yield every gap of a chain, and every two neighbours of known length within LONGEST_JOINED
    residues, which one peptide may span, as one gap of the chain."""
    letters, gaps = scaffold.sequence, scaffold.gaps
    yield from ((scaffold, gap) for gap in gaps)
    for i, (first, last) in enumerate(pairwise(gaps)):
        length = last.end - first.start
        if first.fixed and last.fixed and length <= LONGEST_JOINED:
            gap = Gap(first.start, last.end, length, length)
            hidden = letters[: gap.start] + MISSING_LETTER * length + letters[gap.end :]
            yield replace(scaffold, sequence=hidden, gaps=(*gaps[:i], gap, *gaps[i + 2 :])), gap
