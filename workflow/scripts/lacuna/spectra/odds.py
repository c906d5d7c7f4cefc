"""Evidence of spectra for a gap: prefix masses at which it is cleaved, each with its odds.

If some residues at the start of a gap have a given mass, a spectrum shows the fragment as often as
it shows those of the known flanks. If not, a peak of that mass is there by chance. The ratio of the
two probabilities is the evidence of the fragment. It is near 1 if the spectrum is probably of
another peptide, or full of peaks.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lacuna.core.masses import PROTON, WATER
from lacuna.core.tables import CLEAVAGE, MASS, OTHER, SIDE, SPECTRUM, UNSEEN, SpectrumRow
from lacuna.scaffolds.residue_masses import (
    LIGHTEST,
    MassRules,
    completable,
    heaviest_residue,
)
from lacuna.scaffolds.scaffold import Gap, Scaffold, SpectralEvidence
from lacuna.spectra.gap_mass import GapMass, carries_more
from lacuna.spectra.ions import LOST_BY_I, LOST_BY_L, N_SERIES, OFFSET
from lacuna.spectra.match import Match
from lacuna.spectra.peaks import PPM, Fragments, Spectra
from lacuna.spectra.spanning import OfMass, spanned

LEAST_NATS = 0.3  # of a cleavage that is kept
WIDEST_TOLERANCE = 0.1  # Da, tolerance of a gap from which fragments of its end say nothing
LONGEST_CHECKED = 16  # residues of a gap whose cleavages are checked; longer ones have any mass
MOST_TOGETHER = 10  # spectra of a peptide that are looked at together
W_SHARE = 0.3  # share of I and L whose w ion is seen with their z ion


class Cleavage(NamedTuple):
    """A fragment as a cleavage within the gap.

    mass: of the residues before the cleavage, in Da; nats: as in `SpectralEvidence`; nats_of_i: log
    odds of I against L right after it, 0 if unknown.
    """

    mass: float
    tolerance: float
    nats: float
    nats_of_i: float
    ion: str
    spectrum: str

    def row(self, where: tuple[str, int, int], kind: str, nats: float) -> SpectrumRow:
        """Its row of the table; where: chain, start and end of the gap."""
        mass, tolerance = self.mass, self.tolerance
        return SpectrumRow(*where, kind, mass, tolerance, nats, self.ion, self.spectrum)


@dataclass(frozen=True, slots=True)
class Found:
    """The evidence of spectra for a gap, its rows in the table, and the masses of the gap that
    spectra alone show, the most probable first."""

    evidence: SpectralEvidence
    rows: list[SpectrumRow]
    masses: Sequence[GapMass] = ()


def look(
    scaffold: Scaffold,
    gap: Gap,
    spectra: Spectra,
    readings: Sequence[tuple[float, MassRules]],
    ppm: float,
) -> Found | None:
    """The evidence of spectra for a gap; None if none spans it or shows a mass of it.

    readings: masses of residues in each state of C, with its probability; the state in which the
    spectra fit best is used; ppm: tolerance of precursors.
    """
    best, chosen = -math.inf, None
    found = spanned(scaffold, gap, spectra, [rules for _, rules in readings], ppm)
    for (share, _), one in zip(readings, found, strict=True):
        if one is not None and math.log(share) + one.log_odds > best:
            best, chosen = math.log(share) + one.log_odds, one
    if chosen is None:
        return None
    masses = [one for one in chosen.masses if not _carries_more(one, gap)]
    if not any(one.matches for one in masses):
        return None
    first, *others = (_weigh(scaffold.chain, gap, one, chosen.rules) for one in masses)
    return Found(
        replace(first.evidence, others=tuple(other.evidence for other in others)),
        first.rows + [row for other in others for row in _behind(other.rows)],
        tuple(one.by_precursors for one in masses if one.by_precursors is not None),
    )


def _carries_more(one: OfMass, gap: Gap) -> bool:
    """Whether spectra show a mass of a form of a peptide whose gap has the mass that is given."""
    if one.by_precursors is None or gap.measured is None:
        return False
    return carries_more(one.by_precursors.shown, gap.measured)


def _weigh(chain: str, gap: Gap, found: OfMass, rules: MassRules) -> Found:
    """The evidence of matches: for each peptide and series, that of the best matching spectra."""
    mass, tolerance = found.measured
    used = _used(found.matches)
    cleavages: list[Cleavage] = []
    sides: list[Cleavage] = []
    unseen = 0.0
    for (_, _, series), of_peptide in used.items():
        if series not in N_SERIES and tolerance > WIDEST_TOLERANCE:
            continue
        some = [match for match in of_peptide if _covers_gap(match, series, mass)]
        shown, of_unseen = _together(some, series, mass, tolerance)
        cleavages += shown
        unseen += of_unseen
        if series == "z":
            sides += filter(None, [_side_of_first(of_peptide, mass, tolerance)])
    cleavages.sort(key=lambda cleavage: cleavage.mass)
    possible = _possible(np.array([c.mass for c in cleavages]), gap, mass, tolerance, rules)
    each = zip(cleavages, possible, strict=True)
    kept = [one for one, fits in each if fits and one.nats >= LEAST_NATS]
    sides += [one for one in kept if one.nats_of_i]
    evidence = SpectralEvidence(
        tuple((one.mass, one.tolerance, one.nats) for one in kept),
        unseen,
        tuple((one.mass, one.tolerance, one.nats_of_i) for one in sides),
        found.by_precursors.shown if found.by_precursors else None,
        found.by_precursors.rivals if found.by_precursors else (),
    )
    where = chain, gap.start, gap.end
    matches = _different(one for some in used.values() for one in some)
    rows = [_row_of(where, match) for match in matches]
    return Found(evidence, rows + _rows_of(where, evidence, kept, sides))


def _rows_of(
    where: tuple[str, int, int],
    evidence: SpectralEvidence,
    cleavages: Sequence[Cleavage],
    sides: Sequence[Cleavage],
) -> list[SpectrumRow]:
    """The rows of the evidence for a gap; where: as in `Cleavage.row`; cleavages, sides: those of
    it."""
    masses = () if evidence.mass is None else (evidence.mass, *evidence.rivals)
    return [
        *(
            SpectrumRow(*where, MASS, one.mass, one.tolerance, one.log_odds, "", "")
            for one in masses
        ),
        SpectrumRow(*where, UNSEEN, None, None, evidence.unseen, "", ""),
        *(one.row(where, CLEAVAGE, one.nats) for one in cleavages),
        *(one.row(where, SIDE, one.nats_of_i) for one in sides),
    ]


def _used(found: Sequence[Match]) -> dict[tuple[int, int, str], list[Match]]:
    """For each peptide and series the matches that count, the best first, one of each spectrum."""
    used: dict[tuple[int, int, str], list[Match]] = {}
    for match in sorted(found, key=lambda match: -match.log_odds):
        for series in match.precursor.series:
            of_peptide = used.setdefault((match.start, match.end, series), [])
            once = all(match.precursor is not other.precursor for other in of_peptide)
            if once and len(of_peptide) < MOST_TOGETHER:
                of_peptide.append(match)
    return used


def _covers_gap(match: Match, series: str, mass: float) -> bool:
    """Whether a spectrum reaches fragments that end in the middle of a gap of some mass, in Da."""
    known = match.left if series in N_SERIES else match.right
    return bool(match.fragments.covers(np.array([known + mass / 2]))[0])


def _together(
    matches: Sequence[Match], series: str, mass: float, tolerance: float
) -> tuple[list[Cleavage], float]:
    """The cleavages of a series that spectra of one peptide show together, the best spectrum first,
    and the log odds of one that they do not show. mass, tolerance: of the gap in Da.

    The noise of each spectrum is another one, but all share internal fragments and impurities, and
    some bonds never break. So together they say no more of a cleavage than the one that shows it
    best, and of one that they do not show what the first says. If most of them lack a cleavage, it
    has less than 0 nats.
    """
    shares = [match.probability * match.tallies[series].share() for match in matches]
    unseen = [math.log1p(-share) for share in shares]
    each = [
        (i, one)
        for i, (match, share) in enumerate(zip(matches, shares, strict=True))
        for one in _once(_cleavages(match, series, share, mass, tolerance))
    ]
    if len(matches) < 2:
        return [one for _, one in each], sum(unseen)
    others = sum(unseen[1:])
    each.sort(key=lambda of_spectrum: -of_spectrum[1].nats)
    masses, within = np.array([one[:2] for _, one in each]).reshape(-1, 2).T
    left = np.ones(len(each), dtype=bool)
    shown = []
    for i, (_, first) in enumerate(each):
        if left[i]:
            same = left & (np.abs(masses - first.mass) <= within + first.tolerance)
            left &= ~same
            nats: dict[int, float] = {}  # that each spectrum gives it
            for number, one in (each[j] for j in np.flatnonzero(same)):
                nats.setdefault(number, one.nats)
            most = max(unseen[number] - unseen[0] + alone for number, alone in nats.items())
            shown.append(first._replace(nats=min(others + sum(nats.values()), most)))
    return shown, unseen[0]


def _behind(rows: Sequence[SpectrumRow]) -> list[SpectrumRow]:
    """The rows of another mass of a gap: that of the mass itself first, to part them from those of
    the mass before."""
    at = next(i for i, row in enumerate(rows) if row.kind == MASS)
    return [rows[at]._replace(kind=OTHER), *rows[:at], *rows[at + 1 :]]


def _different(found: Iterable[Match]) -> list[Match]:
    """Each match once, in order."""
    return list({id(match): match for match in found}.values())


def _row_of(where: tuple[str, int, int], match: Match) -> SpectrumRow:
    """The row of a spectrum that was used."""
    seen = [f"{series} {int(t.k)}/{int(t.n)}" for series, t in match.tallies.items()]
    name = f"{match.precursor.name} as {match.start}..{match.end}"
    name += f", {match.carried}" if match.carried else ""
    mass = match.precursor.mass
    return SpectrumRow(*where, SPECTRUM, mass, None, match.log_odds, ", ".join(seen), name)


def _cleavages(
    match: Match, series: str, share: float, mass: float, tolerance: float
) -> Iterator[Cleavage]:
    """Yield the fragments of a series that may be from cleavages within the gap.

    share: expected share of the series that is seen, times the probability of the match; mass,
    tolerance: of the gap in Da.
    """
    of_ends = series not in N_SERIES
    weights = match.fragments.masses
    begun = weights - OFFSET[series] - (match.right if of_ends else match.left)
    inside = (begun > LIGHTEST - WIDEST_TOLERANCE) & (begun < mass - LIGHTEST + WIDEST_TOLERANCE)
    inner = np.flatnonzero(inside & ~np.isin(match.fragments.peaks, match.explained))
    chance = match.fragments.chance(weights[inner])
    seen = np.log((share + (1 - share) * chance) / chance) - math.log1p(-share)
    of_i = _nats_of_i(match.fragments, weights[inner], share) if series == "z" else 0 * seen
    for i, nats, side in zip(inner, seen.tolist(), of_i.tolist(), strict=True):
        weight, charge = float(weights[i]), int(match.fragments.charges[i])
        within = weight * match.fragments.ppm * 1e-6 + (tolerance if of_ends else 0.0)
        prefix = mass - float(begun[i]) if of_ends else float(begun[i])
        ion = f"{series} {weight / charge + PROTON:.4f} ({charge}+)"
        yield Cleavage(prefix, within, nats, side, ion, match.precursor.name)


def _side_of_first(matches: Sequence[Match], mass: float, tolerance: float) -> Cleavage | None:
    """The cleavage before a gap, by the best spectrum of one peptide whose w ions say whether the
    first residue of the gap is I or L; None if none does. mass, tolerance: of the gap in Da."""
    for match in matches:
        if not match.left:  # a peptide that begins with the gap has no such z ion
            continue
        near = match.fragments.near(np.array([match.right + mass + OFFSET["z"]]))
        share = match.probability * match.tallies["z"].share()
        weights = match.fragments.masses[near]
        nats = _nats_of_i(match.fragments, weights, share)
        if nats.any():
            i = int(np.abs(nats).argmax())
            weight, charge = float(weights[i]), int(match.fragments.charges[near[i]])
            within = weight * match.fragments.ppm * 1e-6 + tolerance
            ion = f"z {weight / charge + PROTON:.4f} ({charge}+)"
            return Cleavage(0.0, within, 0.0, float(nats[i]), ion, match.precursor.name)
    return None


def _once(cleavages: Iterable[Cleavage]) -> list[Cleavage]:
    """Cleavages of one series of a spectrum, with those that may be the same as one.

    Another charge state of a fragment is no further evidence.
    """
    kept: list[Cleavage] = []
    for one in sorted(cleavages, key=lambda cleavage: -cleavage.nats):
        if all(abs(one.mass - other.mass) > one.tolerance + other.tolerance for other in kept):
            kept.append(one)
    return kept


def _nats_of_i(fragments: Fragments, weights: np.ndarray, share: float) -> np.ndarray:
    """Log likelihood ratio (n,) of I to L as the first residue of z ions (n,), by their w ions.

    0 if neither w ion is seen. share: of the series that is expected to be seen, as is W_SHARE.
    """
    shown = W_SHARE * share

    def ratio(lost: float) -> tuple[np.ndarray, np.ndarray]:
        chance, seen = fragments.chance(weights - lost), fragments.matched(weights - lost)
        return seen, np.where(seen, np.log((shown + (1 - shown) * chance) / chance), 0.0)

    (seen_i, of_i), (seen_l, of_l) = ratio(LOST_BY_I), ratio(LOST_BY_L)
    unseen = math.log1p(-shown)
    nats = np.where(seen_i, of_i, unseen) - np.where(seen_l, of_l, unseen)
    return np.where(seen_i | seen_l, nats, 0.0)


def _possible(
    prefixes: np.ndarray, gap: Gap, mass: float, tolerance: float, rules: MassRules
) -> np.ndarray:
    """Which prefixes (n,) in Da some residues have that leave others for the rest of the gap."""
    if gap.fixed:
        lengths = range(gap.size, gap.size + 1)
    else:
        lengths = range(math.ceil(mass / heaviest_residue(rules)), int(mass / LIGHTEST) + 1)
    # The first residue of a chain may be pyroglutamate, of which `completable` knows nothing.
    if lengths.stop > LONGEST_CHECKED or rules.starts_chain or not len(prefixes):
        return np.ones(len(prefixes), dtype=bool)
    within = tolerance + (mass + 2 * WATER) * PPM * 1e-6
    inside = replace(rules, ends_chain=False)
    ((carried, _),) = rules.modifications.cysteine
    one = inside.with_cysteine(carried)
    begun = [completable(prefixes, within, n, one) for n in range(1, lengths.stop)]
    left = [completable(mass - prefixes, within, n, rules) for n in range(1, lengths.stop)]
    fits = np.zeros(len(prefixes), dtype=bool)
    for i, before in enumerate(begun, start=1):
        for j, after in enumerate(left, start=1):
            if i + j in lengths:
                fits |= before & after
    return fits
