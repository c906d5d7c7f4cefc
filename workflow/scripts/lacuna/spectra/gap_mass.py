"""The mass of a gap that has none, as the precursors of the spectra that span it propose it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.scaffolds.residue_masses import (
    RESIDUE_MASSES,
    MassRules,
    completable,
    heaviest_residue,
)
from lacuna.scaffolds.scaffold import Gap
from lacuna.spectra.flanks import Flanks
from lacuna.spectra.match import LARGE, VOTE, Match, gap_masses
from lacuna.spectra.peaks import Fragments
from lacuna.spectra.read import Precursor

MOST_RESIDUES = 60  # of a gap that spectra are used for
LEAST_LOG_ODDS = 0.0  # of a gap's mass by precursors, from which it is looked at
# The same of a gap of unknown length, which far more peptides may span. With 276 spectra of another
# antibody, 18 of 100 such gaps have a mass at LEAST_LOG_ODDS, and 2 at these.
LEAST_IF_OPEN = 2.5
MOST_LOG_ODDS = 3.0  # of a gap's mass by precursors, one in twenty of which is another isotope
# Log odds of a second mass that is right too: as a share of the best, and at most; what has less is
# there by chance.
ALSO_SURE, SURE = 0.3, 12.0
MOST_BEHIND = 7.0  # nats by which a rival is less probable
MOST_RIVALS = 4
MOST_MASSES = 200  # that are compared for a gap
LIGHTEST = float(RESIDUE_MASSES.min())

Weighed = tuple[float, float, float]  # mass, tolerance, log odds


def _lengths(gap: Gap) -> range:
    """The lengths that a gap may have, of an open one up to MOST_RESIDUES."""
    if gap.fixed:
        return range(gap.end - gap.start, gap.end - gap.start + 1)
    most = MOST_RESIDUES if gap.max_length is None else min(gap.max_length, MOST_RESIDUES)
    return range(max(gap.min_length, 1), most + 1)


def _reachable(mass: float, tolerance: float, lengths: range, rules: MassRules) -> bool:
    """Whether residues of one of the lengths may have a mass, in Da."""
    fewest = math.ceil((mass - tolerance) / heaviest_residue(rules))
    most = math.floor((mass + tolerance) / LIGHTEST)
    possible = range(max(fewest, lengths.start), min(most + 1, lengths.stop))
    return any(completable(np.array([mass]), tolerance, n, rules)[0] for n in possible)


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


def masses_of_gap(
    gap: Gap,
    spectra: Sequence[tuple[Precursor, Fragments, Flanks]],
    rules: MassRules,
    ppm: float,
) -> Sequence[Weighed]:
    """The mass of a gap on which most spectra agree, then its rivals; none if none is probable.

    Several masses can be right, if some of the peptides carry a modification in the gap. The
    lightest is taken then, at even odds at most, and has no rivals. A gap of unknown length has
    none of a peptide that may as well end within it.
    """
    best: dict[tuple[tuple[int, int], int], _Proposed] = {}
    surest: list[_Proposed] = []  # of each spectrum
    for tolerance, matched in proposals(gap, spectra, rules, ppm):
        found = [
            _Proposed(
                match.gap_mass, tolerance, match.log_odds, (match.start, match.end), match.ends
            )
            for match in matched
        ]
        for one in found:
            key = one.peptide, round(one.mass / tolerance)
            if key not in best or one.log_odds > best[key].log_odds:
                best[key] = one
        surest += sorted(found, key=lambda one: -one.log_odds)[:1]
    if not best:
        return ()
    some = sorted(best.values(), key=lambda one: -one.log_odds)[:MOST_MASSES]
    totals = [_total(one, some) for one in some]
    most = max(totals)
    chosen = some[totals.index(most)]
    agreeing = [one for one in some if one.agrees(chosen)]
    ends_known = any(_ends_known(one.peptide, gap, spectra[0][2]) for one in agreeing)
    if not gap.fixed and not ends_known:
        return ()
    apart = [abs(one.mass - chosen.mass) > chosen.tolerance for one in some]
    rest = [(total, one) for total, one, other in zip(totals, some, apart, strict=True) if other]
    log_odds = most - float(np.logaddexp.reduce([0.0, *(total for total, _ in rest)]))
    of_best = max(one.log_odds for one in surest)
    sure = max(MOST_LOG_ODDS, min(ALSO_SURE * of_best, SURE))
    right = [one for one in surest if one.log_odds >= sure]
    if any(abs(one.mass - chosen.mass) > chosen.tolerance for one in right):
        lightest = min([chosen, *right], key=lambda one: one.mass)
        return [(lightest.mass, lightest.tolerance, 0.0)]
    log_odds = -float(np.logaddexp(-log_odds, -max(one.ends for one in agreeing)))
    if log_odds < (LEAST_LOG_ODDS if gap.fixed else LEAST_IF_OPEN):
        return ()
    log_odds = min(log_odds, MOST_LOG_ODDS)
    rivals: list[Weighed] = []
    for total, one in sorted(rest, key=lambda each: -each[0]):
        known_already = any(abs(one.mass - mass) <= within for mass, within, _ in rivals)
        if total >= most - MOST_BEHIND and not known_already:
            rivals.append((one.mass, one.tolerance, log_odds + total - most))
    return [(chosen.mass, chosen.tolerance, log_odds), *rivals[:MOST_RIVALS]]


def _ends_known(peptide: tuple[int, int], gap: Gap, known: Flanks) -> bool:
    """Whether a peptide has known residues on both sides of a gap, or a likely end there."""
    left = peptide[0] < gap.start or known.left.ends_at_gap
    return left and (peptide[1] > gap.end or known.right.ends_at_gap)


def proposals(
    gap: Gap,
    spectra: Iterable[tuple[Precursor, Fragments, Flanks]],
    rules: MassRules,
    ppm: float,
) -> Iterator[tuple[float, list[Match]]]:
    """Yield, for each spectrum, the tolerance of the mass that it proposes for a gap, in Da, and
    the peptides of which it may be, each with such a mass."""
    lengths = _lengths(gap)
    limits = lengths.start * LIGHTEST, (lengths.stop - 1) * heaviest_residue(rules)
    for precursor, fragments, known in spectra:
        tolerance = VOTE if precursor.mass > LARGE else precursor.mass * ppm * 1e-6
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
