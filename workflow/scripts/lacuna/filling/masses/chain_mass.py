"""Gaps of a chain that together have a mass: the intact mass less all that is known.

A chain from reads may miss hundreds of residues, most of which are all but certain. So sequences
are not searched. The probabilities of all masses that the residues may have together are worked out
on a grid, from the first residue on and from the last one back. They give the distribution of every
residue given the mass, summed over all sequences of the others.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import N_RESIDUES, decode, il_as_one
from lacuna.core.masses import GROUP_RATIO
from lacuna.filling.search.decode import Candidate, Ranking, divided
from lacuna.filling.search.mass_search import SIGMAS
from lacuna.scaffolds.residue_masses import AVERAGE_MASSES, RESIDUE_MASSES, MassRules, told_apart

REACH_DA = 600.0  # by which all residues together may differ from the most probable ones
BINS_IN_TOLERANCE = 40  # of the grid in the tolerance of the mass
COARSEST_BIN = 0.02  # Da
MOST_CELLS = 15_000_000  # bins of all residues; if there are many residues, bins are wider
NEGLIGIBLE_RESIDUE = 1e-8  # probability of a residue that is left out
BEGINNINGS_KEPT = 512  # beginnings of a gap that are kept at each residue
FEW_MASSES = 64  # masses that are looked up one by one, and not for all bins together
MEAN_ERROR_DA = 150.0  # mean by which a chain with an error is heavier or lighter
WRONG_SHARE = 0.02  # of masses, those of a chain that carries what is not written
# Probability per Da that a wrong mass has at least, however far off it is: a mass of up to 100 kDa.
# If it is more than 900 Da off, it then says nothing of the residues and of how many there are.
LEAST_DENSITY = 1e-5
UNSEEN_SHARE = 0.15  # of errors, that leave the mass as it is, as residues in another order do
CLEAR_ODDS = 5.0  # of a mass as it is to one with an error, from which it says that there is none


@dataclass(frozen=True, slots=True)
class LeftMass:
    """What is left of the intact mass of a chain for the residues of its gaps.

    forms: the mass in Da and the probability of each form of the chain; tolerance: in Da; average:
    whether masses are average ones.
    """

    forms: tuple[tuple[float, float], ...]
    tolerance: float
    average: bool


class Options(NamedTuple):
    """What a missing residue may be, (m,) each: residues, I among L; bins of the grid that it
    weighs more than the most probable one; probabilities."""

    residues: np.ndarray
    bins: np.ndarray
    likely: np.ndarray


class Grid:
    """The masses that missing residues may have together, in bins from the sum of the most probable
    residues."""

    def __init__(
        self,
        distributions: np.ndarray,
        tolerance: float,
        average: bool,
        rules: MassRules,
        *,
        reach: float = REACH_DA,
        cells: int = MOST_CELLS,
    ) -> None:
        """distributions: (t, 20) of all residues, in order; reach: Da to each side of the most
        probable residues; cells: the most bins of all residues together."""
        widest = 2 * reach * (len(distributions) + 1) / cells
        self.bin = max(min(tolerance / BINS_IN_TOLERANCE, COARSEST_BIN), widest)
        self.half = int(reach / self.bin)
        self.options = []
        self.most: list[float] = []  # Da, of the most probable residues
        for i, row in enumerate(il_as_one(distributions)):
            residues, masses, shares = _weights(rules, average, first=i == 0)
            likely = row[residues] * np.exp(shares)
            most = float(masses[likely.argmax()])
            self.most.append(most)
            kept = likely > NEGLIGIBLE_RESIDUE
            bins = np.rint((masses - most) / self.bin).astype(int)
            self.options.append(Options(residues[kept], bins[kept], likely[kept]))

    @property
    def middle(self) -> float:
        """Da that all of the most probable residues weigh."""
        return sum(self.most)

    def tolerance(self, left: LeftMass) -> float:
        """That of a mass in Da; it is wider if bins are too wide for it."""
        return max(left.tolerance, SIGMAS * self.bin)

    def density(self, probability: float, left: LeftMass) -> float:
        """Probability per Da of a mass from its probability."""
        return probability * SIGMAS / (self.tolerance(left) * math.sqrt(2 * math.pi))

    def error(self, left: LeftMass) -> float:
        """Probability per Da of the mass that is left if something is wrong with the residues."""
        off = ((abs(mass - self.middle), share) for mass, share in left.forms)
        of_forms = (share * math.exp(-by / MEAN_ERROR_DA) for by, share in off)
        return max(sum(of_forms) / (2 * MEAN_ERROR_DA), LEAST_DENSITY)

    def start(self) -> np.ndarray:
        """(bins,) of no residues."""
        found = np.zeros(2 * self.half + 1)
        found[self.half] = 1.0
        return found

    def met(self, left: LeftMass) -> np.ndarray:
        """(bins,) weights of what all residues may weigh, by the mass that is left for them."""
        found = np.zeros(2 * self.half + 1)
        masses = self.middle + np.arange(-self.half, self.half + 1) * self.bin
        tolerance = self.tolerance(left)
        for mass, share in left.forms:
            z = SIGMAS * (masses - mass) / tolerance
            found += share * np.where(np.abs(z) <= SIGMAS, np.exp(-(z**2) / 2), 0.0)
        return found


def _weights(
    rules: MassRules, average: bool, *, first: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `MassRules.options` of a residue that is or is not the first one, in the kind of mass."""
    residues, masses, shares = rules.options(0 if first else 1, 3)
    if not average:
        return residues, masses, shares
    carried = masses - RESIDUE_MASSES[residues]
    return residues, AVERAGE_MASSES[residues] + carried * GROUP_RATIO, shares


def moved(what: np.ndarray, bins: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The sum of (bins,) moved up by each of some numbers of bins, each times a number."""
    found = np.zeros_like(what)
    n = len(what)
    for by, share in zip(bins.tolist(), times.tolist(), strict=True):
        found[max(by, 0) : n + min(by, 0)] += share * what[max(-by, 0) : n - max(by, 0)]
    return found


def joined(before: np.ndarray, behind: np.ndarray, by: int) -> float:
    """The sum over all masses before, times what is behind if so many bins lie between; 0 if these
    are more than the grid has."""
    n = len(before)
    if abs(by) >= n:
        return 0.0
    return float(before[max(-by, 0) : n - max(by, 0)] @ behind[max(by, 0) : n + min(by, 0)])


class TotalMass:
    """The mass of residues together, as a distribution."""

    def __init__(self, distributions: np.ndarray, like: LeftMass, rules: MassRules) -> None:
        """distributions: (t, 20) of the residues; like: a mass of the kind and the tolerance."""
        settled, _ = _apart(distributions)
        self.grid = Grid(settled, like.tolerance, like.average, rules)
        self.shares = self.grid.start()
        for one in self.grid.options:
            self.shares = moved(self.shares, one.bins, one.likely)

    def probability(self, left: LeftMass) -> float:
        """Probability that they have the mass that is left, its errors included."""
        return float(self.shares @ self.grid.met(left))

    def density(self, left: LeftMass) -> float:
        """The same per Da, or that the mass is of something else."""
        density = self.grid.density(self.probability(left), left)
        return density + WRONG_SHARE * self.grid.error(left)


def rank_by_chain_mass(
    probabilities: Sequence[np.ndarray], n: int, left: LeftMass, rules: MassRules
) -> tuple[list[Ranking], float]:
    """The best n sequences of each of several gaps within the mass that they have together, and the
    probability that the mass is one of these sequences.

    probabilities: (length, 20) of each gap. What is spread evenly in a distribution stands for
    errors of whole stretches and not of single residues: it is kept apart, and is less if the chain
    has the mass without them. A gap's sequence has the probability of all combinations that include
    it. No sequences if none fits.
    """
    settled, even = _apart(np.concatenate(probabilities))
    grid = Grid(settled, left.tolerance, left.average, rules)
    behind = [grid.met(left)]  # probability of the mass by what lies before each residue, from last
    for one in reversed(grid.options):
        behind.append(moved(behind[-1], -one.bins, one.likely))
    behind.reverse()
    total = float(behind[0][grid.half])
    if not total:
        return [Ranking((), of_gap) for of_gap in probabilities], 0.0
    density = grid.density(total, left)
    error = grid.error(left)
    odds = CLEAR_ODDS * error / (even * error + (1 - even) * density)
    even *= UNSEEN_SHARE + (1 - UNSEEN_SHARE) * np.minimum(odds, 1.0)
    rankings = []
    before, at = grid.start(), 0
    for of_gap in probabilities:
        rows = slice(at, at + len(of_gap))
        options, ahead = grid.options[rows], behind[at + 1 : rows.stop + 1]
        marginals, after = _marginals(options, before, ahead)
        spread = even[rows, None]
        held = float(np.prod(1 - spread * (1 - 1 / N_RESIDUES)))
        candidates = [
            replace(one, probability=held * one.probability)
            for one in _candidates(options, before, ahead, of_gap, total)
        ]
        shown = (1 - spread) * divided(marginals, of_gap) + spread / N_RESIDUES
        rankings.append(Ranking(tuple(candidates[:n]), shown))
        before, at = after, rows.stop
    return rankings, density / (density + WRONG_SHARE * error)


def _apart(distributions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distributions (t, 20) without what is spread evenly over residues, and that share (t,)."""
    least = distributions.min(1, keepdims=True)
    even = N_RESIDUES * least
    apart = np.divide(distributions - least, 1 - even, out=distributions.copy(), where=even < 0.999)
    return apart, even[:, 0]


def _marginals(
    options: Sequence[Options], before: np.ndarray, ahead: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Distributions (length, 20) of the residues of a gap, I among L, and what lies before the next
    gap.

    before: (bins,) probability of what lies before the gap; ahead: of each residue, what the mass
    makes of all up to it.
    """
    found = np.zeros((len(options), N_RESIDUES))
    for i, (one, behind) in enumerate(zip(options, ahead, strict=True)):
        for residue, by, share in zip(*map(np.ndarray.tolist, one), strict=True):
            found[i, residue] += share * joined(before, behind, by)
        before = moved(before, one.bins, one.likely)
    return found / found.sum(1, keepdims=True), before


def _candidates(
    options: Sequence[Options],
    before: np.ndarray,
    ahead: Sequence[np.ndarray],
    probabilities: np.ndarray,
    total: float,
) -> list[Candidate]:
    """The sequences of a gap, best first: at each residue, BEGINNINGS_KEPT are kept, those that the
    mass makes most probable, whatever follows. before, ahead: as in `_marginals`; total:
    probability of the mass."""
    scores, bins, whole = np.zeros(1), np.zeros(1, dtype=int), np.zeros(1)
    tokens = np.zeros((1, 0), dtype=np.uint8)
    for one, behind in zip(options, ahead, strict=True):
        grown = (scores[:, None] + np.log(one.likely)).ravel()
        where = (bins[:, None] + one.bins).ravel()
        with np.errstate(divide="ignore"):
            whole = grown + np.log(_looked_up(before, behind, where))
        kept = np.argsort(-whole, kind="stable")[:BEGINNINGS_KEPT]
        kept = kept[np.isfinite(whole[kept])]
        parents, which = np.divmod(kept, len(one.likely))
        tokens = np.concatenate((tokens[parents], one.residues[which, None].astype(np.uint8)), 1)
        scores, bins, whole = grown[kept], where[kept], whole[kept]
    return list(_different(tokens, np.exp(whole) / total, probabilities))


def _looked_up(before: np.ndarray, behind: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """`joined` for each of some numbers of bins (m,)."""
    different, which = np.unique(bins, return_inverse=True)
    if len(different) <= FEW_MASSES:
        found = np.array([joined(before, behind, by) for by in different.tolist()])
    else:
        size = 1 << (2 * len(before) - 1).bit_length()
        both = np.conj(np.fft.rfft(before, size)) * np.fft.rfft(behind, size)
        inside = np.abs(different) < len(before)
        found = np.where(inside, np.fft.irfft(both, size)[different % size], 0.0)
    return np.maximum(found, 0.0)[which]


def _different(
    tokens: np.ndarray, shares: np.ndarray, probabilities: np.ndarray
) -> Iterator[Candidate]:
    """Yield different sequences (m, length) with the sum of their shares (m,), best first; one may
    be there in several forms."""
    if not len(tokens):
        return
    sequences, first, which = np.unique(tokens, axis=0, return_index=True, return_inverse=True)
    sums = np.bincount(which.ravel(), shares)
    for i in np.lexsort((first, -sums)).tolist():
        letters = told_apart(sequences[i : i + 1], probabilities)[0]
        mass = float(RESIDUE_MASSES[letters].sum())
        yield Candidate(decode(letters), float(sums[i]), mass)
