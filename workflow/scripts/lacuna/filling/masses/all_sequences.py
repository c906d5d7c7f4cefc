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
from lacuna.filling.masses.chain_mass import TINY, Grid, LeftMass, joined, moved
from lacuna.filling.search.decode import Candidate, Ranking, divided
from lacuna.filling.search.mass_search import SIGMAS
from lacuna.filling.search.stages import Stage, Stages
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES, MassRules

# How probable a sequence may be that the search has dropped, and how improbable the best one,
# before all are counted; and how much wider bins are then than those of a chain. Whether residues
# are as sure as stated, tests/benchmarks/cdr3_masses.py shows, and the time bench_masses.py.
DROPPED, SURE, FINE = 1e-4, 0.2, 3.0
MOST_CUTS = 2  # cleavages of a gap; more of them leave few sequences
SPREAD = 300.0  # Da by which the first residues may differ from the most probable ones and the mass
MOST_CELLS = 6_000_000  # bins of all residues in a copy of the grid, 48 MB

# By the number of cleavages that are passed: (bins,) each, None for nothing.
Copies = list[np.ndarray | None]


class _Window(NamedTuple):
    """Where on a grid a cleavage may be: bins, and what its mass makes of each."""

    bins: slice
    weights: np.ndarray


def over_all_sequences(
    ranking: Ranking, probabilities: np.ndarray, stages: Stages, rules: MassRules
) -> Ranking:
    """The ranking of a gap with the shares of all sequences that have its masses, not only of those
    that the search kept, if others may matter.

    probabilities: (length, 20). Of a gap with spectra, an average mass, several pieces, or several
    states of C, the ranking is left as it is.
    """
    if not ranking.candidates or ranking.bound < DROPPED:
        return ranking
    if ranking.candidates[0].probability >= SURE or not _countable(stages, rules):
        return ranking
    *cuts, whole = stages.passed
    ((_, reading),) = rules.readings()
    tolerance = min(stage.tolerance for stage in stages.passed)
    probable = float(RESIDUE_MASSES[probabilities.argmax(1)].sum())
    reach = abs(whole.mass - probable) + SPREAD
    grid = Grid(probabilities, FINE * tolerance, False, reading, reach=reach, cells=MOST_CELLS)
    windows = [_windows(grid, cut) for cut in cuts]
    left = LeftMass(((whole.mass, 1.0),), whole.tolerance, False)
    values = _values(grid, windows, grid.met(left))
    start = values[0][0]
    total = 0.0 if start is None else float(start[grid.half])
    if not total:
        return ranking
    marginals = _marginals(grid, windows, values)
    shares = [_joint(one, probabilities, stages) / total for one in ranking.candidates]
    candidates = tuple(
        replace(one, probability=min(one.probability, share))
        for one, share in zip(ranking.candidates, shares, strict=True)
    )
    less = candidates[0].probability / ranking.candidates[0].probability
    return replace(
        ranking,
        candidates=candidates,
        distributions=divided(marginals, probabilities),
        bound=ranking.bound * less,
    )


def _countable(stages: Stages, rules: MassRules) -> bool:
    """Whether all sequences of a gap can be counted: one piece with measured masses."""
    *cuts, whole = stages.passed
    measured = not any(stage.interval or not stage.tolerance for stage in stages.passed)
    one_piece = whole.ends_piece and not any(cut.ends_piece for cut in cuts)
    more = stages.opened or stages.spectra is not None or stages.average is not None
    alone = not more and not rules.forms and len(rules.readings()) == 1
    return measured and one_piece and alone and len(cuts) <= MOST_CUTS


def _windows(grid: Grid, cut: Stage) -> list[_Window | None]:
    """Where a cleavage is behind each number of residues, None where it cannot be. Its tolerance is
    wider if bins are too wide for it, as that of the whole mass is."""
    tolerance = max(cut.tolerance, SIGMAS * grid.bin)
    found: list[_Window | None] = [None]
    before = 0.0
    for most in grid.most[:-1]:
        before += most
        middle, reach = (cut.mass - before) / grid.bin, tolerance / grid.bin
        first = max(math.ceil(middle - reach), -grid.half)
        last = min(math.floor(middle + reach), grid.half)
        z = SIGMAS * (np.arange(first, last + 1) - middle) / reach
        bins = slice(first + grid.half, last + 1 + grid.half)
        found.append(_Window(bins, np.exp(-(z**2) / 2)) if first <= last else None)
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


def _joint(one: Candidate, probabilities: np.ndarray, stages: Stages) -> float:
    """Probability of a sequence and of the errors of its masses; TINY if it is even less."""
    tokens = merge_il(encode(one.sequence))
    likely = il_as_one(probabilities)[np.arange(len(tokens)), tokens]
    *cuts, whole = stages.passed
    off = [SIGMAS * (one.mass - whole.mass) / whole.tolerance]
    begun = np.cumsum(RESIDUE_MASSES[tokens])
    off += [SIGMAS * float(np.abs(begun - cut.mass).min()) / cut.tolerance for cut in cuts]
    squares = sum(min(abs(z), SIGMAS) ** 2 for z in off)
    return max(math.exp(float(np.log(np.maximum(likely, TINY)).sum()) - squares / 2), TINY)
