"""Find what cysteine weighs in a sample from the masses of its gaps.

For every gap of known mass, the network gives the probability of that mass in each reading of C,
over the possible lengths of the gap (`weighing.py`). The resulting odds are multiplied with the
priors and with those of modifications written on observed C's. The true residues of a gap are never
used.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, groupby

import numpy as np

from lacuna.core.alphabet import RESIDUES
from lacuna.filling.lengths import Reader, read_variants, resolve_lengths
from lacuna.filling.mass_search import stages_of
from lacuna.filling.possible_lengths import possible_lengths
from lacuna.filling.residue_masses import Modifications, mass_rules
from lacuna.filling.weighing import (
    LONGEST,
    NAMES,
    NEGLIGIBLE,
    TELLING,
    any_cysteine,
    mass_probabilities,
    odds_of,
    shares,
)
from lacuna.scaffolds.alkylation import READINGS, Alkylation, count_written, state_of
from lacuna.scaffolds.resizing import with_lengths
from lacuna.scaffolds.scaffold import Gap, Scaffold

WRITTEN_ODDS = 1000.0  # given by modifications that the user wrote on observed C's
ENOUGH = 0.9999  # probability of a reading at which no more chains are read
TOGETHER = 64  # chains read, or masses weighed, between two checks of that
MOST_MASSES = 2000  # of a sample that are weighed
MOST_OPEN = 8  # gaps of unknown length in a chain that is read


def find_reading(
    chains: Sequence[Scaffold], modifications: Modifications, reader: Reader
) -> Alkylation:
    """The state of a sample's C, from the chains that are evidence of it, in order.

    modifications: other modifications that masses may include. Reads TOGETHER chains at a time and
    weighs as many masses, until one reading has a probability of ENOUGH or MOST_MASSES are weighed.
    """
    logs = written_odds(chains)
    telling = weighed = 0
    starts = range(0, len(chains), TOGETHER)
    batches = (_evidence(chains[at : at + TOGETHER], modifications, reader) for at in starts)
    for weighed, odds in enumerate(chain.from_iterable(batches), start=1):
        telling += bool(np.ptp(odds) > TELLING)
        logs += odds
        if weighed % TOGETHER == 0 and shares(logs).max() >= ENOUGH or weighed == MOST_MASSES:
            break
    return state_of(chains, dict(zip(NAMES, shares(logs).tolist(), strict=True)), telling, weighed)


def written_odds(chains: Sequence[Scaffold]) -> np.ndarray:
    """Log odds (readings,) from the priors and from modifications written on observed C's."""
    written = count_written(chains)
    logs = np.log([reading.prior for reading in READINGS.values()])
    for name, n in written.items():
        logs[NAMES.index(name)] += math.log(WRITTEN_ODDS) * n / written.total()
    return logs


@dataclass(frozen=True, slots=True)
class _Trial:
    """A chain whose gaps have lengths, and the gaps in it to weigh.

    Trials of one group are different lengths of the same gap: one of them is right.
    """

    scaffold: Scaffold
    gaps: tuple[int, ...]
    group: int


def _evidence(
    chains: Sequence[Scaffold], modifications: Modifications, reader: Reader
) -> Iterator[np.ndarray]:
    """Yield log odds (readings,) from every mass of some chains that can be weighed."""
    trials = list(_trials(chains, modifications, reader))
    fits = read_variants([(trial.scaffold, trial.gaps[0]) for trial in trials], reader)
    pairs = zip(trials, fits, strict=True)
    for _, group in groupby(pairs, key=lambda pair: pair[0].group):
        tried = list(group)
        chances = shares(np.array([score for _, (score, _) in tried]))
        for number in tried[0][0].gaps:
            total = np.zeros(len(NAMES))
            likely = [(c, *t) for c, t in zip(chances, tried, strict=True) if c >= NEGLIGIBLE]
            if any(any_cysteine(read[number]) >= NEGLIGIBLE for _, _, (_, read) in likely):
                for chance, trial, (_, read) in likely:
                    gap = trial.scaffold.gaps[number]
                    rules = mass_rules(trial.scaffold, gap, modifications)
                    if (stages := stages_of(gap)) is not None:
                        total += chance * mass_probabilities(read[number], stages, rules)
            yield odds_of(total)


def _trials(
    chains: Sequence[Scaffold], modifications: Modifications, reader: Reader
) -> Iterator[_Trial]:
    """Yield the chains with lengths for all their gaps.

    Gaps of known length are weighed together, those of unknown length one by one, at every length
    that their mass allows.
    """
    groups = count()
    for scaffold in chains:
        several = sum(not gap.fixed for gap in scaffold.gaps)
        if several > MOST_OPEN or not set(scaffold.sequence) & set(RESIDUES):
            continue
        whole = _settled(scaffold, modifications, reader) if several > 1 else scaffold
        lengths = [g.end - g.start if g.fixed else None for g in whole.gaps]
        weighed = tuple(i for i, gap in enumerate(scaffold.gaps) if _can_be_weighed(gap))
        if weighed:
            yield _Trial(whole, weighed, next(groups))
        for i, gap in enumerate(scaffold.gaps):
            if not gap.fixed and gap.mass is not None:
                group = next(groups)
                for length in _lengths(scaffold, gap, modifications):
                    tried = with_lengths(scaffold, [*lengths[:i], length, *lengths[i + 1 :]])
                    yield _Trial(tried, (i,), group)


def _can_be_weighed(gap: Gap) -> bool:
    return gap.fixed and gap.mass is not None and 0 < gap.end - gap.start <= LONGEST


def _lengths(scaffold: Scaffold, gap: Gap, modifications: Modifications) -> list[int]:
    """Lengths up to LONGEST that a gap may have in any reading."""
    rules = mass_rules(scaffold, gap, modifications)
    found = (
        possible_lengths(gap, rules.with_cysteine(reading.mass)) for reading in READINGS.values()
    )
    return sorted(length for length in set().union(*found) if 0 < length <= LONGEST)


def _settled(scaffold: Scaffold, modifications: Modifications, reader: Reader) -> Scaffold:
    """The chain with first guesses of its gaps' lengths, and C as in most samples."""
    likeliest = replace(modifications, cysteine=((READINGS[NAMES[0]].mass, 1.0),))
    (settled,) = resolve_lengths([scaffold], likeliest, reader)
    return settled
