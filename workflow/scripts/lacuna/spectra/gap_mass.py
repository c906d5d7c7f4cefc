"""The mass of a gap that has none, as the precursors of the spectra that span it propose it.

Spectra may show several masses of one gap: of forms of its peptide that carry something or have
lost it, and of other peptides, as of a second antibody in the sample. Each mass is then weighed by
how many spectra show it, and by what those of the others would have to be if it were right.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lacuna.core.masses import (
    AMMONIA,
    CARBAMIDOMETHYL,
    DEAMIDATION,
    HEXOSE,
    ISOTOPE,
    OXIDATION,
    WATER,
)
from lacuna.scaffolds.residue_masses import (
    LIGHTEST,
    PYROGLUTAMATE,
    MassRules,
    completable,
    heaviest_residue,
)
from lacuna.scaffolds.scaffold import Gap, Measured, ShownMass
from lacuna.spectra.flanks import Flanks
from lacuna.spectra.match import LARGE_MASS, VOTE_TOLERANCE, Match, gap_masses
from lacuna.spectra.peaks import Fragments
from lacuna.spectra.read import Precursor

MOST_RESIDUES = 60  # of a gap that spectra are used for
LEAST_LOG_ODDS = 0.0  # of a gap's mass by precursors, from which it is looked at
# The same of a gap of unknown length, which far more peptides may span. With 276 spectra of another
# antibody, 18 of 100 such gaps have a mass at LEAST_LOG_ODDS, and 2 at these.
LEAST_IF_OPEN = 2.5
MOST_LOG_ODDS = 3.0  # of a gap's mass by precursors, one in twenty of which is another isotope
CLEAR_LOG_ODDS = 2.5  # the same, from which a mass is named even if it does not count
# Log odds of a mass that is given for a gap: one in a hundred is wrong. What comes of it, and of
# EVEN_SHARE in filling, tests/benchmarks/simulated_spectra.py shows.
GIVEN_LOG_ODDS = 4.6
# Log odds of a mass that a spectrum surely shows: as a share of the best, and at most; what has
# less is there by chance.
ALSO_SURE_SHARE, SURE_LOG_ODDS = 0.3, 12.0
MOST_NATS_BEHIND = 7.0  # by which a rival is less probable
MOST_RIVALS = 4  # other masses of a gap that count
MOST_MASSES = 200  # that are compared for a gap
# Da by which forms of a peptide are heavier than its residues: they carry what is usual, or have
# lost water or ammonia. A methyl or formyl group is left out: it is rarer than D for E or K for R,
# which are as far apart.
FORM_MASSES = (
    ISOTOPE,
    DEAMIDATION,
    2 * DEAMIDATION,
    OXIDATION,
    2 * OXIDATION,
    CARBAMIDOMETHYL,
    HEXOSE,
    -WATER,
    -AMMONIA,
)
SAME_PEPTIDE_POWER = 0.6  # n spectra of a peptide count n ** 0.6, as n reads of one place do

# Spectra, each with the flanks of a gap that its peptide may have.
Around = Sequence[tuple[Precursor, Fragments, Flanks]]


def _lengths(gap: Gap) -> range:
    """The lengths that a gap may have, of an open one up to MOST_RESIDUES."""
    if gap.fixed:
        return range(gap.size, gap.size + 1)
    most = MOST_RESIDUES if gap.max_length is None else min(gap.max_length, MOST_RESIDUES)
    return range(max(gap.min_length, 1), most + 1)


def _reachable(mass: float, tolerance: float, lengths: range, rules: MassRules) -> bool:
    """Whether residues of one of the lengths may have a mass, in Da."""
    changes = (0.0, *PYROGLUTAMATE.values()) if rules.starts_chain else (0.0,)
    for whole in (mass - change for change in changes):
        fewest = math.ceil((whole - tolerance) / heaviest_residue(rules))
        most = math.floor((whole + tolerance) / LIGHTEST)
        possible = range(max(fewest, lengths.start), min(most + 1, lengths.stop))
        if any(completable(np.array([whole]), tolerance, n, rules)[0] for n in possible):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Proposed:
    """A mass of a gap that a spectrum proposes as one of a peptide, in Da; ends: as in `Match`."""

    mass: float
    tolerance: float
    log_odds: float
    peptide: tuple[int, int]
    ends: float = math.inf

    def agrees(self, other: "_Proposed") -> bool:
        """Whether both may be the same mass."""
        return abs(other.mass - self.mass) <= min(self.tolerance, other.tolerance)


class GapMass(NamedTuple):
    """A mass of a gap that spectra show.

    rivals: other masses that the precursors of the same spectra may show; spectra: the numbers of
    those that surely show it.
    """

    shown: ShownMass
    rivals: tuple[ShownMass, ...]
    spectra: frozenset[int]

    def may_be(self, other: "GapMass") -> bool:
        """Whether one of both may be that of a form of the other's peptide."""
        return are_forms(self.shown, other.shown)


def against_given(
    gap: Gap,
    given: Measured,
    spectra: Around,
    rules: MassRules,
    ppm: float,
) -> list[GapMass]:
    """The masses that spectra clearly show of a gap for which another mass is given."""

    def is_another(shown: ShownMass) -> bool:
        return abs(shown.mass - given.mass) > shown.tolerance + given.tolerance

    return [
        one
        for one in masses_of_gap(gap, spectra, rules, ppm)
        if one.shown.log_odds >= CLEAR_LOG_ODDS and is_another(one.shown)
    ]


def carries_more(shown: ShownMass, given: Measured) -> bool:
    """Whether a mass that spectra show may be that of the peptide whose gap has the mass that is
    given, if it carries something besides."""
    heavier = shown.mass - given.mass
    return heavier > 0 and _is_form(heavier, shown.tolerance + given.tolerance)


def are_forms(one: ShownMass, other: ShownMass) -> bool:
    """Whether two masses may be those of forms of one peptide."""
    more, tolerance = one.mass - other.mass, max(one.tolerance, other.tolerance)
    return _is_form(more, tolerance) or _is_form(-more, tolerance)


def _is_form(heavier: float, tolerance: float) -> bool:
    """Whether a form of a peptide may be heavier than its residues by so many Da."""
    return any(abs(heavier - form) <= tolerance for form in FORM_MASSES)


def masses_of_gap(
    gap: Gap,
    spectra: Around,
    rules: MassRules,
    ppm: float,
) -> list[GapMass]:
    """The masses of a gap that spectra show, the most probable first; none if none is probable.

    A peptide that may as well end within the gap shows none.
    """
    found = [
        [
            _Proposed(
                match.gap_mass, tolerance, match.log_odds, (match.start, match.end), match.ends
            )
            for match in matched
        ]
        for tolerance, matched in proposals(gap, spectra, rules, ppm)
    ]
    groups = [
        group
        for group in _groups(found)
        if any(_ends_known(_surest(found[i]).peptide, gap, spectra[i][2]) for i in group)
    ]
    if len(groups) < 2:
        (only,) = groups or [[]]
        shown = _mass_of(gap, found, spectra[0][2]) if spectra else ()
        return [GapMass(shown[0], shown[1:], frozenset(only))] if shown else []
    odds = _odds_of_groups(found, groups)
    masses = []
    for group, behind in zip(groups, odds, strict=True):
        shown = _mass_of(gap, [found[i] for i in group], spectra[0][2])
        shifted = [replace(one, log_odds=one.log_odds + behind) for one in shown]
        if shifted:
            masses.append(GapMass(shifted[0], tuple(shifted[1:]), frozenset(group)))
    masses.sort(key=lambda one: -one.shown.log_odds)
    return masses[: MOST_RIVALS + 1]


def _surest(some: Sequence[_Proposed]) -> _Proposed:
    """What a spectrum most probably shows."""
    return max(some, key=lambda one: one.log_odds)


def _groups(found: Sequence[Sequence[_Proposed]]) -> list[list[int]]:
    """The numbers of the spectra that surely show a mass, by that mass.

    found: what each spectrum proposes.
    """
    surest = {i: _surest(some) for i, some in enumerate(found) if some}
    of_best = max((one.log_odds for one in surest.values()), default=0.0)
    sure = max(MOST_LOG_ODDS, min(ALSO_SURE_SHARE * of_best, SURE_LOG_ODDS))
    groups: list[list[int]] = []
    for i, one in sorted(surest.items(), key=lambda each: -each[1].log_odds):
        if one.log_odds < sure:
            break
        for group in groups:
            first = surest[group[0]]
            if abs(first.mass - one.mass) <= max(first.tolerance, one.tolerance):
                group.append(i)
                break
        else:
            groups.append([i])
    return groups


def _odds_of_groups(
    found: Sequence[Sequence[_Proposed]], groups: Sequence[Sequence[int]]
) -> list[float]:
    """Log probabilities that the mass of each group of spectra is the one of the gap: by the share
    of the spectra that are then of its peptide, or of a form of that.

    A second antibody may have more spectra than the first, all of them as sure, so that many
    against one are not surer than their share.
    """
    surest = [[_surest(found[i]) for i in group] for group in groups]
    of_best = max(one.log_odds for group in surest for one in group)
    weighed = [(group[0], _weight(group, of_best)) for group in surest]
    told = [
        sum(weight for other, weight in weighed if other is one or _is_form_of(other, one))
        for one, _ in weighed
    ]
    return [math.log(one / sum(told)) for one in told]


def _weight(group: Iterable[_Proposed], of_best: float) -> float:
    """How many spectra those count that show one mass: each by its log odds as a share of the best
    one's, and fewer if they are of one peptide."""
    peptides: dict[tuple[int, int], float] = {}
    for one in group:
        peptides[one.peptide] = peptides.get(one.peptide, 0.0) + one.log_odds / of_best
    return sum(n**SAME_PEPTIDE_POWER for n in peptides.values())


def _is_form_of(other: _Proposed, one: _Proposed) -> bool:
    """Whether a mass may be that of a form of the peptide of another."""
    return _is_form(other.mass - one.mass, max(one.tolerance, other.tolerance))


def _mass_of(
    gap: Gap, found: Iterable[Sequence[_Proposed]], known: Flanks
) -> tuple[ShownMass, ...]:
    """The mass of a gap on which most spectra agree, then its rivals; none if none is probable.

    found: what each spectrum proposes; known: the flanks of the gap.
    """
    some = _best_of_peptides(found)
    if not some:
        return ()
    totals = [_total(one, some) for one in some]
    most = max(totals)
    chosen = some[totals.index(most)]
    agreeing = [one for one in some if one.agrees(chosen)]
    if not any(_ends_known(one.peptide, gap, known) for one in agreeing):
        return ()
    apart = [abs(one.mass - chosen.mass) > chosen.tolerance for one in some]
    rest = [(total, one) for total, one, other in zip(totals, some, apart, strict=True) if other]
    log_odds = most - float(np.logaddexp.reduce([0.0, *(total for total, _ in rest)]))
    log_odds = -float(np.logaddexp(-log_odds, -max(one.ends for one in agreeing)))
    if log_odds < (LEAST_LOG_ODDS if gap.fixed else LEAST_IF_OPEN):
        return ()
    log_odds = min(log_odds, MOST_LOG_ODDS)
    best = ShownMass(chosen.mass, chosen.tolerance, log_odds)
    return best, *_rivals(rest, most, log_odds)


def _best_of_peptides(found: Iterable[Sequence[_Proposed]]) -> list[_Proposed]:
    """The surest proposals, one for each peptide and mass; found: as in `_mass_of`."""
    best: dict[tuple[tuple[int, int], int], _Proposed] = {}
    for one in (one for of_spectrum in found for one in of_spectrum):
        key = one.peptide, round(one.mass / one.tolerance)
        if key not in best or one.log_odds > best[key].log_odds:
            best[key] = one
    return sorted(best.values(), key=lambda one: -one.log_odds)[:MOST_MASSES]


def _rivals(
    rest: Iterable[tuple[float, _Proposed]], most: float, log_odds: float
) -> list[ShownMass]:
    """The masses that are hardly less probable than the one that is chosen, the best first.

    rest: other masses with the totals of their log odds; most: the total of the chosen one, and
    log_odds: those that it is written with.
    """
    rivals: list[ShownMass] = []
    for total, one in sorted(rest, key=lambda each: -each[0]):
        known_already = any(abs(one.mass - rival.mass) <= rival.tolerance for rival in rivals)
        if total >= most - MOST_NATS_BEHIND and not known_already:
            rivals.append(ShownMass(one.mass, one.tolerance, log_odds + total - most))
    return rivals[:MOST_RIVALS]


def _ends_known(peptide: tuple[int, int], gap: Gap, known: Flanks) -> bool:
    """Whether a peptide has known residues on both sides of a gap, or a likely end there."""
    left = peptide[0] < gap.start or known.left.ends_at_gap
    return left and (peptide[1] > gap.end or known.right.ends_at_gap)


def proposals(
    gap: Gap,
    spectra: Around,
    rules: MassRules,
    ppm: float,
) -> Iterator[tuple[float, list[Match]]]:
    """Yield, for each spectrum, the tolerance of the mass that it proposes for a gap, in Da, and
    the peptides of which it may be, each with such a mass."""
    lengths = _lengths(gap)
    lightest, heaviest = lengths.start * LIGHTEST, (lengths.stop - 1) * heaviest_residue(rules)
    for precursor, fragments, known in spectra:
        tolerance = VOTE_TOLERANCE if precursor.mass > LARGE_MASS else precursor.mass * ppm * 1e-6
        limits = lightest - tolerance, heaviest + tolerance
        yield (
            tolerance,
            [
                match
                for match in gap_masses(precursor, fragments, known, *limits)
                if match.ends >= 0.0 and _reachable(match.gap_mass, tolerance, lengths, rules)
            ],
        )


def _total(one: _Proposed, others: Iterable[_Proposed]) -> float:
    """Log odds of a mass by all peptides that have it: the best one, and others if probable."""
    peptides: dict[tuple[int, int], float] = {}
    for other in others:
        if one.agrees(other):
            before = peptides.get(other.peptide, -math.inf)
            peptides[other.peptide] = max(before, other.log_odds)
    first, *more = sorted(peptides.values(), reverse=True)
    return first + sum(log_odds for log_odds in more if log_odds > 0)
