"""Which spectra are of peptides that span a gap, in each state of C and at each mass of the gap."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import NamedTuple

import numpy as np

from lacuna.scaffolds.residue_masses import MassRules
from lacuna.scaffolds.scaffold import Gap, Measured, Scaffold
from lacuna.spectra.elsewhere import MOST_READING_NATS, Fit, fit_around
from lacuna.spectra.flanks import MAX_FLANK, WEIGHTS, flanks
from lacuna.spectra.gap_mass import (
    GIVEN_LOG_ODDS,
    MOST_RESIDUES,
    Around,
    GapMass,
    against_given,
    masses_of_gap,
    proposals,
)
from lacuna.spectra.match import LARGE_MASS, Match, matches
from lacuna.spectra.peaks import Spectra

LEAST_PROBABILITY = 0.5  # that a spectrum is of the peptide, from which it counts
EXACT_TOLERANCE = 0.001  # Da, tolerance of a mass that is no measured one
LEAST_NATS = 2.0  # by which fragments of the flanks must speak for the peptide


class OfMass(NamedTuple):
    """The spectra that span a gap of one mass; by_precursors: what spectra say of it, None if it is
    given."""

    matches: list[Match]
    measured: Measured
    by_precursors: GapMass | None = None


@dataclass(frozen=True, slots=True)
class Spanned:
    """The spectra that span a gap in one state of C, by the mass of the gap that they show."""

    masses: Sequence[OfMass]
    rules: MassRules

    @property
    def log_odds(self) -> float:
        """Of the best match; -inf without any. That of another mass than the one given is less
        probable, by GIVEN_LOG_ODDS."""
        given = any(one.by_precursors is None for one in self.masses)
        return max(
            (
                match.log_odds - GIVEN_LOG_ODDS * (given and one.by_precursors is not None)
                for one in self.masses
                for match in one.matches
            ),
            default=-math.inf,
        )


def odds_of_readings(
    scaffold: Scaffold, gap: Gap, spectra: Spectra, readings: Sequence[MassRules], ppm: float
) -> np.ndarray:
    """Log odds (readings,) that spectra span a gap in each state of C, by the fragments of its
    known flanks, against the best: -MOST_READING_NATS at least, all 0 if no C is known there."""
    found = spanned(scaffold, gap, spectra, readings, ppm)
    odds = np.array([-math.inf if one is None else one.log_odds for one in found])
    odds = np.maximum(odds, 0.0)
    return np.maximum(odds - odds.max(), -MOST_READING_NATS)


def spanned(
    scaffold: Scaffold, gap: Gap, spectra: Spectra, readings: Sequence[MassRules], ppm: float
) -> Iterator[Spanned | None]:
    """Yield, for each state of C, the spectra that span a gap; None if they show no mass of it, or
    spectra cannot be used for it."""
    spectra = [spectra[i] for i in of_use(scaffold, gap, spectra)]
    gap, sure = _weighed(scaffold, gap), scaffold.is_i_or_l(gap)
    same: dict[float, Spanned | None] = {}  # by the mass of what is known: where no C is
    for rules in readings:
        if not spectra:
            yield None
            continue
        whole, around = _around(scaffold, gap, spectra, rules)
        if whole not in same:
            same[whole] = _at_reading(gap, around, rules, ppm, sure=sure)
        yield same[whole]


def of_use(scaffold: Scaffold, gap: Gap, spectra: Spectra) -> Sequence[int]:
    """The numbers of the spectra that can say anything of a gap."""
    if gap.mass is None and bool(gap.pieces) or gap.size > MOST_RESIDUES:
        return ()
    if scaffold.is_i_or_l(gap):  # w ions alone, of z, tell I from L
        return [i for i, (precursor, _) in enumerate(spectra) if "z" in precursor.series]
    return range(len(spectra))


def _weighed(scaffold: Scaffold, gap: Gap) -> Gap:
    """A gap with its mass if it is of I or L alone, which has one whatever is given."""
    if gap.mass is not None or not scaffold.is_i_or_l(gap):
        return gap
    return replace(gap, mass=gap.size * WEIGHTS["J"], tolerance_da=EXACT_TOLERANCE)


def _around(
    scaffold: Scaffold, gap: Gap, spectra: Spectra, rules: MassRules
) -> tuple[float, Around]:
    """What the flanks of a gap weigh in a state of C, in Da, and each spectrum with the flanks that
    its peptide may have."""
    ((carried, _),) = rules.modifications.cysteine
    known = flanks(scaffold, gap, carried, None)
    near = flanks(scaffold, gap, carried, MAX_FLANK)
    whole = float(known.left.masses.max() + known.right.masses.max())
    return whole, [(s, f, known if s.mass > LARGE_MASS else near) for s, f in spectra]


def fits(
    scaffold: Scaffold, gap: Gap, spectra: Spectra, readings: Sequence[MassRules], ppm: float
) -> dict[int, Fit]:
    """The peptide around a gap that each spectrum fits best in any state of C, by its number; none
    if it fits none. Arguments are those of `odds_of_readings`."""
    numbers = of_use(scaffold, gap, spectra)
    gap, sure = _weighed(scaffold, gap), scaffold.is_i_or_l(gap)
    some = [spectra[i] for i in numbers]
    best: dict[int, Fit] = {}
    done: set[float] = set()
    for rules in readings:
        whole, around = _around(scaffold, gap, some, rules)
        if whole in done:
            continue
        done.add(whole)
        # I or L has no other mass.
        proposed = repeat((0.0, []), len(some)) if sure else proposals(gap, around, rules, ppm)
        for number, of_spectrum, (_, others) in zip(numbers, around, proposed, strict=True):
            each = [fit_around(scaffold, gap, match) for match in others]
            if gap.measured is not None:
                each = [one._replace(log_odds=one.log_odds - GIVEN_LOG_ODDS) for one in each]
                own = matches(*of_spectrum, gap.measured, ppm)
                each += [fit_around(scaffold, gap, match) for match in own]
            each += [best[number]] if number in best else []
            if each:
                best[number] = max(each)
    return best


def _at_reading(
    gap: Gap, around: Around, rules: MassRules, ppm: float, *, sure: bool
) -> Spanned | None:
    """The spectra that span a gap in one state of C; None if they show no mass of it.

    sure: whether it can have no other mass than its own.
    """
    found = []
    given = gap.measured
    if given is not None:
        found.append(OfMass(_matching(around, given, ppm), given))
        masses = [] if sure else against_given(gap, given, around, rules, ppm)
    else:
        masses = masses_of_gap(gap, around, rules, ppm)
    for one in masses:
        of_others = frozenset[int]().union(*(other.spectra for other in masses if other != one))
        own = [each for i, each in enumerate(around) if i not in of_others]
        matching = _matching(own, one.shown.measured, ppm)
        if given is None or any(_surely_spans(match, gap) for match in matching):
            found.append(OfMass(matching, one.shown.measured, one))
    return Spanned(found, rules) if found else None


def _surely_spans(match: Match, gap: Gap) -> bool:
    """Whether a peptide has known residues on both sides of a gap; one that begins or ends with
    the gap may as well begin or end within it."""
    return match.start < gap.start and match.end > gap.end


def _matching(around: Around, measured: Measured, ppm: float) -> list[Match]:
    """The matches that count of spectra with a gap of a mass."""
    return [
        match
        for precursor, fragments, flanking in around
        for match in _rivals(matches(precursor, fragments, flanking, measured, ppm))
        if match.probability >= LEAST_PROBABILITY and match.shown >= LEAST_NATS
    ]


def _rivals(found: Iterable[Match]) -> Iterator[Match]:
    """Yield the matches of one spectrum, each with its odds against all others that weigh something
    else on a side of the gap."""
    each = list(found)
    for match in each:
        others = [
            0.0,
            *(other.log_odds for other in each if other.place_and_masses != match.place_and_masses),
        ]
        log_odds = match.log_odds - float(np.logaddexp.reduce(others))
        yield replace(match, log_odds=log_odds)
