"""Finds the spectra of peptides that span a gap.

Such a peptide has known residues on one or both sides of the gap. The precursor must weigh as much
as these residues and the gap together, and the fragments of the known residues give the probability
that the spectrum is of this peptide and of no other. The residues of the gap play no part in it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from lacuna.core.masses import DENSITY, ISOTOPE, WATER
from lacuna.core.statistics import probability_of
from lacuna.scaffolds.scaffold import Measured
from lacuna.spectra.flanks import Flank, Flanks
from lacuna.spectra.ions import N_SERIES, OFFSET
from lacuna.spectra.peaks import Fragments
from lacuna.spectra.read import Precursor
from lacuna.spectra.tally import Tally, tally_of, tally_of_flank

LARGE_MASS = 5000.0  # Da; a precursor as heavy may be a chain or a large part of one
# The mass of a large precursor may be the average one, or that of another isotope. The ratio of the
# average to the monoisotopic mass is at most a little more than that of averagine (1.00064).
HIGHEST_AVERAGE_RATIO = 1.0007
WRONG_ISOTOPE_DA = 3.0  # by which another isotope is off at most
HEAVIER_SHARE = 0.05  # of other precursors, that are the peak with one 13C
PRIOR_OF_SPANNING = 0.02  # probability that a spectrum is of any peptide that spans a given gap
PRESENT_SHARE = 0.2  # of its fragments that a series must show to explain peaks
LEAST_NEAR_NATS = 0.5  # by which fragments of the known residues must favour a peptide
RIVAL_LOG_ODDS = -8.0  # log odds of a peptide from which it is a rival of others
# A flank that ends at another gap: prior log odds that the peptide goes on into that one, so that
# its mass says nothing of this gap.
LOG_BEYOND = -3.0
LEAST_SHARE, MOST_SHARE = 0.01, 0.95  # of the fragments of a flank that are expected to be seen
BEST_PAIRS = 10  # peptides of a spectrum that are tried for a gap of unknown mass
VOTE_TOLERANCE = 0.03  # Da, within which large fragments agree on the mass of a gap
MASSES_VOTED = 8  # masses that are tried


Rows = TypeVar("Rows", int, np.ndarray)


@dataclass(frozen=True, slots=True, eq=False)
class _Peptides(Generic[Rows]):
    """One or several peptides around a gap: its flanks, and the rows a, b of theirs."""

    known: Flanks
    a: Rows
    b: Rows

    def in_order(self, series: str) -> tuple[tuple[Flank, Rows], tuple[Flank, Rows]]:
        """The flanks with their rows, the one that fragments of a series begin in first."""
        sides = (self.known.left, self.a), (self.known.right, self.b)
        return sides if series in N_SERIES else sides[::-1]


@dataclass(frozen=True, slots=True)
class Match:
    """A spectrum taken for one of a peptide, positions start..end of the scaffold, half-open.

    left, right: masses in Da of the known residues before and after the gap, with what they carry;
    carried: that of it which is not written, in words; gap_mass in Da; shown: log odds of the
    peptide by fragments alone; log_odds: by the precursor and the prior too; tallies: fragments of
    the known residues, by series; explained: their peaks; ends: log odds that the peptide ends
    where it seems to, and does not go on into the next gap.
    """

    precursor: Precursor
    fragments: Fragments
    start: int
    end: int
    left: float
    right: float
    carried: str
    gap_mass: float
    shown: float
    log_odds: float
    tallies: dict[str, Tally]
    explained: np.ndarray
    ends: float = math.inf

    @property
    def probability(self) -> float:
        """Probability that the spectrum is of the peptide."""
        return probability_of(self.log_odds)

    @property
    def place_and_masses(self) -> tuple[int, int, float, float]:
        """The peptide, and what it weighs on either side of the gap: equal if the place of a
        modification alone is another one."""
        return self.start, self.end, round(self.left, 4), round(self.right, 4)


def matches(
    precursor: Precursor,
    fragments: Fragments,
    known: Flanks,
    measured: Measured,
    ppm: float,
) -> Iterator[Match]:
    """Yield the peptides around a gap of known mass that the precursor's mass allows.

    measured: of the gap; ppm: tolerance of the precursor.
    """
    mass, tolerance = measured
    known = known.within(_heaviest(precursor) - mass + tolerance)
    pairs = known.left.masses[:, None] + known.right.masses[None, :] + mass + WATER  # (a, b) Da
    off = precursor.mass - pairs
    if precursor.mass > LARGE_MASS:
        fits = (off > -WRONG_ISOTOPE_DA) & (off < _most_over(precursor.mass))
        by_mass = 0.0
    else:
        within = precursor.mass * ppm * 1e-6 + tolerance
        fits = (np.abs(off) <= within) | (np.abs(off - ISOTOPE) <= within)
        by_mass = -math.log(min(4 * within * DENSITY, 1.0))  # 4: two isotopes
    for a, b in zip(*np.nonzero(fits), strict=True):
        if not a + b:
            continue  # nothing of the peptide is known
        prior = float(_prior(known.left.shares[a], known.right.shares[b])) + by_mass
        one = _Peptides(known, int(a), int(b))
        yield _match(precursor, fragments, one, mass, prior, weighed=True)


def gap_masses(
    precursor: Precursor, fragments: Fragments, known: Flanks, least: float, most: float
) -> Iterator[Match]:
    """Yield the most probable peptides around a gap whose mass is between `least` and `most` Da.

    A precursor that is not large may be the monoisotopic peak or that with one 13C: each peptide
    comes with both masses.
    """
    heaviest = _heaviest(precursor) - least
    tallies = {}
    for series in precursor.series:
        flank = known.left if series in N_SERIES else known.right
        tallies[series] = tally_of_flank(fragments, flank, series, heaviest)
    a, b = _best_pairs(precursor, known, tallies, least, most)
    if not len(a):
        return
    prior = _prior(known.left.shares[a], known.right.shares[b])
    rest = precursor.mass - WATER - known.left.masses[a] - known.right.masses[b]
    if precursor.mass > LARGE_MASS:
        yield from _large(precursor, fragments, _Peptides(known, a, b), prior, (least, most))
        return
    isotopes = np.repeat((0, 1), len(a))
    a, b = np.tile(a, 2), np.tile(b, 2)
    mass = np.tile(rest, 2) - isotopes * ISOTOPE
    of_peak = np.tile(prior, 2) + np.log(np.where(isotopes, HEAVIER_SHARE, 1 - HEAVIER_SHARE))
    shown = _shown_by_all(fragments, _Peptides(known, a, b), tallies, mass)
    for i in np.flatnonzero(of_peak + shown >= RIVAL_LOG_ODDS).tolist():
        one = _Peptides(known, int(a[i]), int(b[i]))
        yield _match(precursor, fragments, one, float(mass[i]), float(of_peak[i]), weighed=False)


def _best_pairs(
    precursor: Precursor, known: Flanks, tallies: Mapping[str, Tally], least: float, most: float
) -> tuple[np.ndarray, np.ndarray]:
    """The peptides around a gap of `least` to `most` Da that are most probable by their fragments
    that end before the gap, the best first: (n,), (n,) rows of both flanks.

    tallies: of these fragments, of each peptide of a flank, by series.
    """
    heaviest = _heaviest(precursor) - least
    flanks = known.left, known.right
    odds = [np.zeros(len(flank.masses)) for flank in flanks]
    for series, tally in tallies.items():
        odds[0 if series in N_SERIES else 1] += tally.log_odds()
    light = [np.flatnonzero(flank.masses <= heaviest) for flank in flanks]
    begins, stops = (of[rows] for of, rows in zip(odds, light, strict=True))
    pairs = np.nonzero(begins[:, None] + stops[None, :] >= LEAST_NEAR_NATS)
    a, b = (rows[some] for rows, some in zip(light, pairs, strict=True))
    rest = precursor.mass - WATER - known.left.masses[a] - known.right.masses[b]
    large = precursor.mass > LARGE_MASS
    under, over = (WRONG_ISOTOPE_DA, _most_over(precursor.mass)) if large else (0.0, 0.0)
    fits = (rest >= least - under) & (rest <= most + over) & (a + b > 0)  # a residue is known
    a, b = a[fits], b[fits]
    prior = _prior(known.left.shares[a], known.right.shares[b])
    best = np.argsort(-(prior + odds[0][a] + odds[1][b]), kind="stable")[:BEST_PAIRS]
    return a[best], b[best]


def _large(
    precursor: Precursor,
    fragments: Fragments,
    peptides: _Peptides[np.ndarray],
    log_prior: np.ndarray,
    limits: tuple[float, float],
) -> Iterator[Match]:
    """Yield, for each peptide of a large precursor, the most probable of the masses on which
    fragments agree; limits: of the mass of the gap in Da."""
    any_mass = math.log((limits[1] - limits[0]) / VOTE_TOLERANCE)
    each = peptides.a, peptides.b, (log_prior - any_mass).tolist()
    for a, b, log_odds in zip(*each, strict=True):
        one = _Peptides(peptides.known, int(a), int(b))
        exact = fragments.calibrated(_near(precursor, one))
        found = [
            _match(precursor, fragments, one, mass, log_odds, weighed=False)
            for mass in _votes(precursor, exact, one, limits)
        ]
        if found:
            yield max(found, key=lambda match: match.log_odds)


def _shown_by_all(
    fragments: Fragments,
    peptides: _Peptides[np.ndarray],
    tallies: Mapping[str, Tally],
    mass: np.ndarray,
) -> np.ndarray:
    """(n,) log odds of n peptides by their known fragments, before the spectrum is calibrated.

    tallies: fragments that end before the gap, of each flank; mass (n,): of the gap in Da.
    """
    shown = np.zeros(len(mass))
    for series, of_near in tallies.items():
        (near, i), (far, j) = peptides.in_order(series)
        behind = far.parts[j]
        masses = near.masses[i, None] + mass[:, None] + behind + OFFSET[series]
        after = tally_of(fragments, masses, behind < far.masses[j, None])
        shown += (of_near.of(i) + after).log_odds()
    return shown


def _most_over(mass: float) -> float:
    """Da by which the mass of a large precursor may exceed the monoisotopic one."""
    return mass * (HIGHEST_AVERAGE_RATIO - 1) + WRONG_ISOTOPE_DA


def _heaviest(precursor: Precursor) -> float:
    """Da that residues of a peptide of a precursor may weigh."""
    return precursor.mass - WATER + WRONG_ISOTOPE_DA


def _prior(begins: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Prior log probability of peptides, by the shares of their flanks."""
    return np.log(PRIOR_OF_SPANNING * begins * stops)


def _fragments_of(
    peptide: _Peptides[int], series: str, mass: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Masses in Da of the fragments of a series that end before the gap (n,), and of those that end
    behind it (m,), if it has a mass in Da."""
    (near, i), (far, j) = peptide.in_order(series)
    whole = near.masses[i]
    before, behind = whole - near.inner(i), whole + mass + far.inner(j)
    return before + OFFSET[series], behind + OFFSET[series]


def _near(precursor: Precursor, peptide: _Peptides[int]) -> np.ndarray:
    """Masses in Da of the fragments that end before the gap."""
    return np.concatenate([_fragments_of(peptide, s)[0] for s in precursor.series])


def _match(
    precursor: Precursor,
    fragments: Fragments,
    peptide: _Peptides[int],
    mass: float,
    log_prior: float,
    *,
    weighed: bool,
) -> Match:
    """The match of a spectrum with a peptide; mass: of the gap in Da; weighed: whether that is
    known, apart from the spectrum."""
    known, a, b = peptide.known, peptide.a, peptide.b
    fragments = fragments.calibrated(_near(precursor, peptide))
    tallies, explained = {}, [np.empty(0, dtype=int)]
    sides: list[tuple[Tally, Tally]] = []  # of each series: of cleavages in the left flank, right
    for series in precursor.series:
        masses = _fragments_of(peptide, series, mass)
        near, far = (tally_of(fragments, some) for some in masses)
        tally = near + far
        tallies[series] = tally
        sides.append((near, far) if series in N_SERIES else (far, near))
        if tally.share() >= PRESENT_SHARE:
            explained.append(fragments.peaks[fragments.near(np.concatenate(masses))])
    shown = float(sum(tally.log_odds() for tally in tallies.values()))
    return Match(
        precursor=precursor,
        fragments=fragments,
        start=int(known.left.edges[a]),
        end=int(known.right.edges[b]),
        left=float(known.left.masses[a]),
        right=float(known.right.masses[b]),
        carried=", ".join(filter(None, (known.left.carried[a], known.right.carried[b]))),
        gap_mass=mass,
        shown=shown,
        log_odds=log_prior + shown,
        tallies=tallies,
        explained=np.concatenate(explained),
        ends=math.inf if weighed else _log_odds_of_ends(known, sides),
    )


def _log_odds_of_ends(known: Flanks, sides: Sequence[tuple[Tally, Tally]]) -> float:
    """Log odds that a peptide ends where it seems to, and does not go on into the next gap.

    sides: of each series the cleavages in the left flank, and in the right one.
    """
    mirrored = [(right, left) for left, right in sides]
    both = ((known.left, sides), (known.right, mirrored))
    beyond = [LOG_BEYOND - _nats_of_end(parts) for flank, parts in both if flank.cut]
    return -float(np.logaddexp.reduce(beyond)) if beyond else math.inf


def _nats_of_end(sides: Sequence[tuple[Tally, Tally]]) -> float:
    """Nats by which fragments that end in one flank speak for the end that the peptide has there.

    sides: of each series those, and those of the other flank, which tell the share that is seen.
    """
    nats = 0.0
    for own, other in sides:
        share = min(max(other.share(), LEAST_SHARE), MOST_SHARE)
        seen = own.k * math.log(share) + (own.n - own.k) * math.log1p(-share)
        nats += float(seen - own.by_chance)
    return nats


def _votes(
    precursor: Precursor,
    fragments: Fragments,
    peptide: _Peptides[int],
    limits: tuple[float, float],
) -> list[float]:
    """Up to MASSES_VOTED masses of a gap within limits in Da, those on which most fragments that
    span it agree.

    Such fragments end in the flank on the other side of the gap.
    """
    (least, most), votes = limits, []
    for series in precursor.series:
        (near, i), (far, j) = peptide.in_order(series)
        found = fragments.masses[:, None] - OFFSET[series] - near.masses[i] - far.inner(j)[None, :]
        votes.append(found[(found >= least) & (found <= most)])
    given = np.sort(np.concatenate(votes))
    counts = np.searchsorted(given, given + VOTE_TOLERANCE, "right") - np.arange(len(given))
    chosen: list[float] = []
    for first in np.argsort(-counts, kind="stable"):
        mass = float(given[first : first + counts[first]].mean())
        if all(abs(mass - other) > VOTE_TOLERANCE for other in chosen):
            chosen.append(mass)
        if len(chosen) == MASSES_VOTED:
            break
    return chosen
