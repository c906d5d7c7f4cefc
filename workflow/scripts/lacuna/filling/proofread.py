"""Proofreading of whole chains: doubts of single residues, and isobaric blocks of another length.

N for GG, or AD for W, moves the rest of the chain by one residue, and the network finds the
residues around it improbable. There, each block that may have been misread is replaced and the
chain is read again. The block is wrong if the log probabilities of all residues then have a higher
sum. Other doubts of such a chain are those that remain once the block is replaced. A chain that is
improbable throughout, such as one of another protein, is not searched for blocks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

import numpy as np

from lacuna.antibody.imgt import imgt_numbers
from lacuna.core.alphabet import RESIDUES
from lacuna.core.isobaric import isobaric_blocks
from lacuna.core.tables import DoubtRow
from lacuna.filling.doubts import (
    ISOBARIC,
    find_doubts,
    observed_tokens,
    odds_to_probability,
)
from lacuna.network.kmers import KmerSet
from lacuna.scaffolds.scaffold import Scaffold

SAME_MASS = 0.04  # Da: K and AG are 0.036 apart, W and SV 0.021
WINDOW = 2  # residues in a row that are improbable together
SUSPICIOUS = -9.0  # nats, of such a window; a natural V domain has about one block to try for it
REACH = 2  # residues from it within which a block may have been misread
# Nats by which a chain must read better: the most that any of 300 natural V domains won by a block
# was 7.1 (tests/benchmarks/doubts.py).
ENOUGH = 10.0
ROUNDS = 3  # blocks of a chain at most
MOST_TRIED = 64  # blocks of a chain in a round; one with more is improbable all over
READ_TOGETHER = 1_000  # chains, whose distributions of every residue are in memory
_LEAST = 1e-12  # a probability of 0 is taken for


class Reading(NamedTuple):
    """k-mers of every residue of some chains, and (t, 20) probabilities of their targets, each read
    with itself and its neighbours hidden."""

    kmers: KmerSet
    probabilities: np.ndarray


Read = Callable[[Sequence[Scaffold]], Reading]


class Block(NamedTuple):
    """Residues from `start` on (0-based) that may have been misread, and what weighs the same."""

    start: int
    observed: str
    proposed: str

    def replaced(self, sequence: str) -> str:
        return sequence[: self.start] + self.proposed + sequence[self.start + len(self.observed) :]


@dataclass(slots=True)
class _Chain:
    """The best version of a chain so far, and the blocks replaced in it.

    logs: (length,) log probability of each residue, 0 of a missing one; origin: of each residue its
    place in the chain as it was given, or -1 - e for those of block e; gains: of each block.
    """

    scaffold: Scaffold
    logs: np.ndarray
    origin: list[int]
    blocks: list[Block] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)

    def variants(self) -> list[Block]:
        """Blocks of residues, as given, that may have been misread."""
        found = blocks_to_try(self.scaffold.sequence, self.logs)
        if len(found) > MOST_TRIED:
            return []
        return [b for b in found if min(self.origin[b.start : b.start + len(b.observed)]) >= 0]

    def accept(self, block: Block, gain: float, logs: np.ndarray) -> None:
        sequence, edit = block.replaced(self.scaffold.sequence), -1 - len(self.blocks)
        stop = block.start + len(block.observed)
        self.blocks.append(block._replace(start=self.origin[block.start]))
        self.gains.append(gain)
        self.origin[block.start : stop] = [edit] * len(block.proposed)
        self.scaffold, self.logs = replace(self.scaffold, sequence=sequence), logs


def proofread(scaffolds: Sequence[Scaffold], read: Read) -> Iterator[DoubtRow]:
    """Yield a row for each observed residue or block that looks wrong, in order.

    read: reads some chains with the network.
    """
    for first in range(0, len(scaffolds), READ_TOGETHER):
        yield from _proofread(scaffolds[first : first + READ_TOGETHER], read)


def _proofread(scaffolds: Sequence[Scaffold], read: Read) -> Iterator[DoubtRow]:
    reading = read(scaffolds)
    rows: dict[str, list[DoubtRow]] = {s.chain: [] for s in scaffolds}
    for row in find_doubts(scaffolds, *reading):
        rows[row.chain].append(row)
    chains = [
        _Chain(s, logs, list(range(len(s.sequence))))
        for s, logs in zip(scaffolds, logs_of(scaffolds, reading), strict=True)
    ]
    active = chains
    for _ in range(ROUNDS):
        active = _improve(active, read)
    for chain, of_chain in _moved([c for c in chains if c.blocks], read):
        rows[chain] = of_chain
    for of_rows in rows.values():
        yield from of_rows


def _improve(chains: Sequence[_Chain], read: Read) -> list[_Chain]:
    """Replace the best block of each chain, if one is good enough; returns the chains changed."""
    tried = [(i, block) for i, chain in enumerate(chains) for block in chain.variants()]
    best: dict[int, tuple[float, Block, np.ndarray]] = {}
    for first in range(0, len(tried), READ_TOGETHER):
        some = tried[first : first + READ_TOGETHER]
        variants = [
            replace(chains[i].scaffold, sequence=block.replaced(chains[i].scaffold.sequence))
            for i, block in some
        ]
        logs_of_variants = logs_of(variants, read(variants))
        for (i, block), logs in zip(some, logs_of_variants, strict=True):
            gain = float(logs.sum() - chains[i].logs.sum())
            if gain >= ENOUGH and (i not in best or gain > best[i][0]):
                best[i] = gain, block, logs
    for i, (gain, block, logs) in best.items():
        chains[i].accept(block, gain, logs)
    return [chains[i] for i in best]


def _moved(chains: Sequence[_Chain], read: Read) -> Iterator[tuple[str, list[DoubtRow]]]:
    """Yield the ids and rows of chains with blocks, at positions of the chains as given."""
    if not chains:
        return
    scaffolds = [chain.scaffold for chain in chains]
    reading = read(scaffolds)
    rows: dict[str, list[DoubtRow]] = {s.chain: [] for s in scaffolds}
    for row in find_doubts(scaffolds, *reading):
        rows[row.chain].append(row)
    ends = np.cumsum([len(s.sequence) for s in scaffolds])
    columns = np.split(reading.kmers.chain_columns.numpy(), ends[:-1])
    for chain, of_chain in zip(chains, columns, strict=True):
        name, imgt = chain.scaffold.chain, imgt_numbers(of_chain)
        kept = [
            row._replace(position=chain.origin[row.position - 1] + 1)
            for row in rows[name]
            if chain.origin[row.position - 1] >= 0
        ]
        for edit, (block, gain) in enumerate(zip(chain.blocks, chain.gains, strict=True)):
            number = imgt[chain.origin.index(-1 - edit)]
            probability = odds_to_probability(gain)
            kept.append(
                DoubtRow(
                    *(name, block.start + 1, block.observed, block.proposed),
                    *(probability, ISOBARIC, number),
                )
            )
        yield name, sorted(kept, key=lambda row: row.position)


def logs_of(scaffolds: Sequence[Scaffold], reading: Reading) -> list[np.ndarray]:
    """(length,) log probabilities of the residues of each chain, 0 of those that are missing."""
    targets, observed = reading.kmers.at(), observed_tokens(scaffolds, reading.kmers)
    known = observed < len(RESIDUES)
    own = reading.probabilities[np.arange(len(observed)), np.where(known, observed, 0)]
    ends = np.cumsum([len(s.sequence) for s in scaffolds])
    starts = np.insert(ends, 0, 0)[:-1]
    logs = np.zeros(ends[-1])
    at = starts[targets.chain] + targets.position
    logs[at] = np.where(known, np.log(np.maximum(own, _LEAST)), 0)
    return np.split(logs, ends[:-1])


def blocks_to_try(sequence: str, logs: np.ndarray) -> list[Block]:
    """Every isobaric block of another length near residues that are improbable, in order.

    logs: (length,) log probability of each residue.
    """
    if len(sequence) < WINDOW:
        return []
    low = np.flatnonzero(np.convolve(logs, np.ones(WINDOW), "valid") <= SUSPICIOUS)
    near = np.zeros(len(sequence), dtype=bool)
    for start in low.tolist():
        near[max(start - REACH, 0) : start + WINDOW + REACH] = True
    found = []
    for start in np.flatnonzero(near).tolist():
        for width in (1, 2):
            observed = sequence[start : start + width]
            found += [Block(start, observed, other) for other in _blocks().get(observed, ())]
    return found


@cache
def _blocks() -> dict[str, list[str]]:
    """For a residue the pairs that weigh the same, for a pair the residues."""
    blocks: dict[str, list[str]] = {}
    for one, two in isobaric_blocks(1, 2, SAME_MASS):
        blocks.setdefault(one, []).append(two)
        blocks.setdefault(two, []).append(one)
    return blocks
