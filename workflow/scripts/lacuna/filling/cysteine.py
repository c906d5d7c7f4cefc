"""Find what cysteine weighs in a sample from the masses of its gaps, and errors they all share.

For every gap of known mass, the network gives the probability of that mass in each reading of C,
over the possible lengths of the gap (`masses/weighing.py`). The resulting odds are multiplied with
the priors and with those of modifications written on observed C's. The true residues of a gap are
never used.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, groupby, islice
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import RESIDUES
from lacuna.core.statistics import softmax
from lacuna.filling.lengths.possible import possible_lengths
from lacuna.filling.lengths.unknown import resolve_lengths
from lacuna.filling.masses.conventions import SETTLED_PROBABILITY, Conventions, TriedLength
from lacuna.filling.masses.weighing import (
    LONGEST_GAP,
    NEGLIGIBLE_PROBABILITY,
    READING_NAMES,
    any_cysteine,
    mass_probabilities,
    odds_of,
)
from lacuna.filling.reader import Reader, read_variants
from lacuna.filling.search.stages import stages_of
from lacuna.scaffolds.alkylation import (
    CERTAIN_READING,
    READINGS,
    TELLING_NATS,
    Alkylation,
    count_written,
    log_odds,
    state_of,
)
from lacuna.scaffolds.residue_masses import Modifications, mass_rules
from lacuna.scaffolds.resizing import variants_of
from lacuna.scaffolds.scaffold import Gap, Scaffold

WEIGHED_TOGETHER = 64  # chains read, or masses weighed, before it is asked whether these will do
MOST_MASSES = 2000  # of a sample that are weighed
MOST_OPEN_GAPS = 8  # gaps of unknown length in a chain that is read


def find_reading(
    chains: Sequence[Scaffold],
    modifications: Modifications,
    reader: Reader,
    read: Mapping[str, int] | None = None,
) -> Alkylation:
    """The state of a sample's C, from the chains that are evidence of it, in order, and an error
    that all their masses share.

    modifications: other modifications that masses may include; read: number of C's of reads by the
    reading that their tool wrote on them. Weighs WEIGHED_TOGETHER masses at a time until one
    reading has a probability of SETTLED_PROBABILITY, and goes on until it is settled whether they
    share an error. At most MOST_MASSES are weighed.
    """
    logs = log_odds(count_written(chains), read or {})
    conventions = Conventions()
    telling = weighed = 0
    enough = False
    masses = islice(_masses(chains, modifications, reader), MOST_MASSES)
    while batch := list(islice(masses, WEIGHED_TOGETHER)):
        if not enough:
            odds = [_odds(tried) for tried in batch]
            telling += sum(bool(np.ptp(one) > TELLING_NATS) for one in odds)
            for one in odds:
                logs += one
            weighed += len(batch)
            enough = len(batch) == WEIGHED_TOGETHER and bool(
                softmax(logs).max() >= SETTLED_PROBABILITY
            )
        known = bool(softmax(logs).max() >= CERTAIN_READING)
        carried = READINGS[READING_NAMES[int(logs.argmax())]].mass
        for tried in batch:
            conventions.add(
                [one._replace(rules=one.rules.with_cysteine(carried)) for one in tried], known
            )
        if enough and conventions.settled:
            break
    found = dict(zip(READING_NAMES, softmax(logs).tolist(), strict=True))
    return state_of(chains, found, telling, weighed, conventions.words)


def find_convention(
    chains: Sequence[Scaffold], modifications: Modifications, reader: Reader
) -> str:
    """The error that all masses of a sample share, in words; '' for none.

    modifications: those that masses may include, and the state of C. Weighs masses until the
    convention is settled, or MOST_MASSES are weighed.
    """
    conventions = Conventions()
    for tried in islice(_masses(chains, modifications, reader), MOST_MASSES):
        conventions.add(tried, cysteine_known=True)
        if conventions.settled:
            break
    return conventions.words


@dataclass(frozen=True, slots=True)
class _Trial:
    """A chain whose gaps have lengths, and the gaps in it to weigh.

    Trials of one group are different lengths of the same gap: one of them is right.
    """

    scaffold: Scaffold
    gaps: tuple[int, ...]
    group: int


def _masses(
    chains: Sequence[Scaffold], modifications: Modifications, reader: Reader
) -> Iterator[list[TriedLength]]:
    """Yield every mass of the chains that can be weighed, at the plausible lengths of its gap.

    WEIGHED_TOGETHER chains are read at a time.
    """
    for start in range(0, len(chains), WEIGHED_TOGETHER):
        yield from _masses_of(chains[start : start + WEIGHED_TOGETHER], modifications, reader)


def _masses_of(
    chains: Sequence[Scaffold], modifications: Modifications, reader: Reader
) -> Iterator[list[TriedLength]]:
    """Yield the masses of chains that are read together."""
    trials = list(_trials(chains, modifications, reader))
    fits = read_variants([(trial.scaffold, trial.gaps[0]) for trial in trials], reader)
    pairs = zip(trials, fits, strict=True)
    for _, group in groupby(pairs, key=lambda pair: pair[0].group):
        tried = list(group)
        chances = softmax(np.array([score for _, (score, _) in tried])).tolist()
        likely = [
            _ReadTrial(chance, trial.scaffold, read)
            for chance, (trial, (_, read)) in zip(chances, tried, strict=True)
            if chance >= NEGLIGIBLE_PROBABILITY
        ]
        for number in tried[0][0].gaps:
            yield list(_at_lengths(number, likely, modifications))


class _ReadTrial(NamedTuple):
    """A chain whose gaps have lengths, how probable these are, and distributions (length, 20) of
    its gaps."""

    chance: float
    scaffold: Scaffold
    read: Sequence[np.ndarray]


def _at_lengths(
    number: int, likely: Sequence[_ReadTrial], modifications: Modifications
) -> Iterator[TriedLength]:
    """Yield a gap at each of its likely lengths, if its masses are known."""
    for chance, scaffold, read in likely:
        gap = scaffold.gaps[number]
        stages = stages_of(gap)
        if stages is not None:
            rules = mass_rules(scaffold, gap, modifications)
            yield TriedLength(chance, read[number], stages, rules)


def _odds(tried: Sequence[TriedLength]) -> np.ndarray:
    """Log odds (readings,) from the mass of a gap."""
    total = np.zeros(len(READING_NAMES))
    if any(any_cysteine(distribution) >= NEGLIGIBLE_PROBABILITY for _, distribution, _, _ in tried):
        for chance, distribution, stages, rules in tried:
            total += chance * mass_probabilities(distribution, stages, rules)
    return odds_of(total)


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
        if several > MOST_OPEN_GAPS or not set(scaffold.sequence) & set(RESIDUES):
            continue
        whole = _settled(scaffold, modifications, reader) if several > 1 else scaffold
        lengths = [g.size if g.fixed else None for g in whole.gaps]
        weighed = tuple(i for i, gap in enumerate(scaffold.gaps) if _can_be_weighed(gap))
        if weighed:
            yield _Trial(whole, weighed, next(groups))
        for i, gap in enumerate(scaffold.gaps):
            if not gap.fixed and gap.mass is not None:
                group = next(groups)
                tried = _lengths(scaffold, gap, modifications)
                for variant in variants_of(scaffold, lengths, i, tried):
                    yield _Trial(variant, (i,), group)


def _can_be_weighed(gap: Gap) -> bool:
    return gap.fixed and gap.mass is not None and 0 < gap.size <= LONGEST_GAP


def _lengths(scaffold: Scaffold, gap: Gap, modifications: Modifications) -> list[int]:
    """Lengths up to LONGEST_GAP that a gap may have in any reading."""
    rules = mass_rules(scaffold, gap, modifications)
    found = (
        possible_lengths(gap, rules.with_cysteine(reading.mass)) for reading in READINGS.values()
    )
    return sorted(length for length in set().union(*found) if 0 < length <= LONGEST_GAP)


def _settled(scaffold: Scaffold, modifications: Modifications, reader: Reader) -> Scaffold:
    """The chain with first guesses of its gaps' lengths, and C as in most samples."""
    likeliest = replace(modifications, cysteine=((READINGS[READING_NAMES[0]].mass, 1.0),))
    (settled,) = resolve_lengths([scaffold], likeliest, reader)
    return settled
