"""Shares of all sequences with the masses of a gap, where a search keeps too few of them.

In a long CDR3, hundreds of thousands of sequences have a mass and are as probable as those that the
search keeps, so that shares of the latter are far too high. All are counted here on the grid of
`chain_mass.py`, from the first residue on and from the last one back, in as many copies of the grid
as there are cleavages: one for what has passed none of them yet, one for what has passed one.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import N_RESIDUES, encode, il_as_one, merge_il
from lacuna.filling.masses.chain_mass import Grid, LeftMass, joined, moved
from lacuna.filling.search.decode import MASS_WIDTH, TINY, Candidate, Ranking, divided
from lacuna.filling.search.mass_search import SIGMAS, search
from lacuna.filling.search.stages import UNBOUNDED, Stages
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES, MassRules

# How probable a sequence may be that the search has dropped, and how improbable the best one,
# before all are counted; and how much wider bins are then than those of a chain. Whether residues
# are as sure as stated, tests/benchmarks/cdr3_masses.py shows, and the time bench_masses.py.
DROPPED_PROBABILITY, SURE_PROBABILITY, BINS_WIDER = 1e-4, 0.2, 3.0
MOST_CUTS = 2  # cleavages of a gap; more of them leave few sequences
REACH_DA = 300.0  # by which the first residues may differ from the most probable ones and the mass
MOST_CELLS = 6_000_000  # bins of all residues in a copy of the grid, 48 MB

# By the number of cleavages that are passed: (bins,) each, None for nothing.
Copies = list[np.ndarray | None]


class _Cut(NamedTuple):
    """A mass from the first residue of a gap on, in Da: of a cleavage, or of the whole gap. least,
    most: residues up to it."""

    mass: float
    tolerance: float
    least: int
    most: int


class _Window(NamedTuple):
    """Where on a grid a cleavage may be: bins, and what its mass makes of each."""

    bins: slice
    weights: np.ndarray


def over_all_sequences(
    ranking: Ranking, probabilities: np.ndarray, stages: Stages, rules: MassRules
) -> Ranking:
    """The ranking of a gap with the shares of all sequences that have its masses, not only of those
    that the search kept, if others may matter.

    probabilities: (length, 20). Of a gap with spectra, an average mass, or an open end, the ranking
    is left as it is.
    """
    if not ranking.candidates or ranking.bound < DROPPED_PROBABILITY:
        return ranking
    if ranking.candidates[0].probability >= SURE_PROBABILITY or not _countable(stages, rules):
        return ranking
    cuts = _from_start(stages)
    readings = rules.readings()
    counted = [_counted(probabilities, cuts, reading) for _, reading in readings]
    weights = np.array([w if of else 0.0 for (w, _), of in zip(readings, counted, strict=True)])
    if not weights.any():
        return ranking
    weights /= weights.sum()
    marginals = np.zeros_like(probabilities)
    shares = np.zeros((len(ranking.candidates), len(readings)))
    for i, ((_, reading), of_reading) in enumerate(zip(readings, counted, strict=True)):
        if of_reading is not None:
            total, of_residues = of_reading
            marginals += weights[i] * of_residues
            joint = [_joint(one, probabilities, stages, reading) for one in ranking.candidates]
            shares[:, i] = weights[i] * np.array(joint) / total
    candidates = list(map(_with_shares, ranking.candidates, shares))
    candidates.sort(key=lambda candidate: -candidate.probability)
    less = candidates[0].probability / ranking.candidates[0].probability
    return replace(
        ranking,
        candidates=tuple(candidates),
        distributions=divided(marginals, probabilities),
        bound=ranking.bound * less,
    )


def _with_shares(one: Candidate, shares: np.ndarray) -> Candidate:
    """A candidate with its shares (readings,) of all sequences, which are not more than its own."""
    total = float(shares.sum())
    probability = max(min(one.probability, total), TINY)
    readings = tuple((shares / total).tolist()) if total else one.readings
    return replace(one, probability=probability, readings=readings)


def _countable(stages: Stages, rules: MassRules) -> bool:
    """Whether all sequences of a gap can be counted: its masses are measured, to its last one."""
    measured = not any(stage.interval or not stage.tolerance for stage in stages.passed)
    more = stages.opened or stages.spectra is not None or stages.average is not None
    few = len(stages.passed) <= MOST_CUTS + 1
    clipped = rules.ends_chain and rules.modifications.clipped_lysine
    return measured and few and not more and not rules.forms and not clipped


def _from_start(stages: Stages) -> list[_Cut]:
    """The masses of a gap, each from its first residue on; the last one is that of the whole gap.
    Errors of pieces, each of which is measured by itself, add up as squares."""
    found = []
    before, squares, least, most = 0.0, 0.0, 0, 0
    for stage in stages.passed:
        tolerance = math.sqrt(squares + stage.tolerance**2)
        if stage.ends_piece:
            least, most = least + stage.least, min(most + stage.most, UNBOUNDED)
            found.append(_Cut(before + stage.mass, tolerance, least, most))
            before, squares = before + stage.mass, tolerance**2
        else:
            found.append(_Cut(before + stage.mass, tolerance, least, UNBOUNDED))
    return found


def _counted(
    probabilities: np.ndarray, cuts: Sequence[_Cut], rules: MassRules
) -> tuple[float, np.ndarray] | None:
    """How probable all sequences with the masses are together, and distributions (length, 20) of
    their residues, I among L; None if there is none. rules: with one mass of C."""
    *inner, whole = cuts
    probable = float(RESIDUE_MASSES[probabilities.argmax(1)].sum())
    grid = Grid(
        probabilities,
        BINS_WIDER * min(cut.tolerance for cut in cuts),
        False,
        rules,
        reach=abs(whole.mass - probable) + REACH_DA,
        cells=MOST_CELLS,
    )
    windows = [_windows(grid, cut) for cut in inner]
    left = LeftMass(((whole.mass, 1.0),), whole.tolerance, False)
    values = _values(grid, windows, grid.met(left))
    start = values[0][0]
    total = 0.0 if start is None else float(start[grid.half])
    return (total, _marginals(grid, windows, values)) if total else None


def _windows(grid: Grid, cut: _Cut) -> list[_Window | None]:
    """Where a cleavage is behind each number of residues, None where it cannot be. Its tolerance is
    wider if bins are too wide for it, as that of the whole mass is."""
    tolerance = max(cut.tolerance, SIGMAS * grid.bin)
    found: list[_Window | None] = [None]
    before = 0.0
    for i, most in enumerate(grid.most[:-1], start=1):
        before += most
        middle, reach = (cut.mass - before) / grid.bin, tolerance / grid.bin
        first = max(math.ceil(middle - reach), -grid.half)
        last = min(math.floor(middle + reach), grid.half)
        z = SIGMAS * (np.arange(first, last + 1) - middle) / reach
        bins = slice(first + grid.half, last + 1 + grid.half)
        there = first <= last and cut.least <= i <= cut.most
        found.append(_Window(bins, np.exp(-(z**2) / 2)) if there else None)
    return [*found, None]


def _values(
    grid: Grid, windows: Sequence[Sequence[_Window | None]], last: np.ndarray
) -> list[Copies]:
    """How probable all masses are by what lies before each residue, and behind the last; windows:
    of each cleavage; last: by what all residues weigh."""
    values: list[Copies] = [[*[None] * len(windows), last]]
    for i in range(len(grid.options) - 1, -1, -1):
        one = grid.options[i]
        behind = [None if v is None else moved(v, -one.bins, one.likely) for v in values[-1]]
        for cut, of_cut in enumerate(windows):
            window, passed = of_cut[i], behind[cut + 1]
            if window is not None and passed is not None:
                own = behind[cut]
                own = np.zeros_like(passed) if own is None else own
                own[window.bins] = window.weights * passed[window.bins]
                behind[cut] = own
        values.append(behind)
    return values[::-1]


def _marginals(
    grid: Grid, windows: Sequence[Sequence[_Window | None]], values: Sequence[Copies]
) -> np.ndarray:
    """Distributions (length, 20) of the residues, I among L; values: as `_values` gives them."""
    found = np.zeros((len(grid.options), N_RESIDUES))
    before: Copies = [grid.start(), *[None] * len(windows)]
    for i, one in enumerate(grid.options):
        pairs = [
            (ahead, behind)
            for ahead, behind in zip(before, values[i + 1], strict=True)
            if ahead is not None and behind is not None
        ]
        for residue, by, share in zip(*map(np.ndarray.tolist, one), strict=True):
            found[i, residue] += share * sum(joined(*pair, by) for pair in pairs)
        before = [None if b is None else moved(b, one.bins, one.likely) for b in before]
        for cut in range(len(windows) - 1, -1, -1):
            window, own = windows[cut][i + 1], before[cut]
            if window is not None and own is not None:
                passed = before[cut + 1]
                passed = np.zeros_like(own) if passed is None else passed
                passed[window.bins] += window.weights * own[window.bins]
                own[window.bins] = 0.0
                before[cut + 1] = passed
    return found / found.sum(1, keepdims=True)


def _joint(one: Candidate, probabilities: np.ndarray, stages: Stages, rules: MassRules) -> float:
    """Probability of a sequence in all its forms, and of the errors of its masses; 0 if it does not
    have the masses. rules: with one mass of C."""
    tokens = merge_il(encode(one.sequence))
    at = np.arange(len(tokens)), tokens
    alone = np.zeros_like(probabilities)
    alone[at] = np.maximum(il_as_one(probabilities)[at], TINY)
    scores = search(alone, MASS_WIDTH, stages, rules).scores
    return math.exp(float(np.logaddexp.reduce(scores, initial=-math.inf)))
