"""Proofreading of whole chains: doubts of single residues, and of what moves the rest of a chain.

N for GG, or AD for W, moves the rest of the chain by one residue, and the network finds the
residues around it improbable. There, each block that may have been misread is replaced and the
chain is read again. The block is wrong if the log probabilities of all residues then have a higher
sum. Other doubts of such a chain are those that remain once the block is replaced. A chain that is
improbable throughout, such as one of another protein, is not searched for blocks.

A residue too many or too few moves the rest too, whatever it weighs. Residues near it then look
permuted, although they are right. So near every doubt each residue is taken out in turn, and an
unknown one is put in before it. This must make the chain more probable than all its doubts and
blocks do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

import numpy as np

from lacuna.antibody.imgt import imgt_numbers
from lacuna.core.alphabet import MISSING_LETTER, RESIDUES
from lacuna.core.isobaric import isobaric_blocks
from lacuna.core.tables import DoubtRow
from lacuna.filling.block import columns_of, starts_of_chains
from lacuna.filling.doubts.observed import (
    ISOBARIC,
    LEAST_PROBABILITY,
    find_doubts,
    observed_tokens,
    odds_to_probability,
)
from lacuna.network.kmers import KmerSet
from lacuna.scaffolds.scaffold import Scaffold

INSERTED, LACKING = "one too many", "one too few"
SAME_MASS = 0.04  # Da: K and AG are 0.036 apart, W and SV 0.021
WINDOW_LENGTH = 2  # residues in a row that are improbable together
SUSPICIOUS_NATS = -9.0  # of such a window; a natural V domain has about one block to try for it
NEAR_RESIDUES = 2  # residues from it within which a block may have been misread
# Nats by which a chain must read better: the most that any of 300 natural V domains won by a block
# was 7.1 (tests/benchmarks/doubts.py).
ENOUGH_NATS = 10.0
# Nats by which it must read better with a residue more or less than with its doubts or a block.
# Of 190 V domains as they are, and with one other error of each of five kinds, the most was 5.8;
# of 380 with one residue too many 155 gained more than 7.
ENOUGH_NATS_MOVED = 7.0
ROUNDS = 3  # blocks of a chain at most
MOST_BLOCKS = 64  # blocks of a chain in a round; one with more isobaric ones is improbable all over
READ_TOGETHER = 1_000  # chains, whose distributions of every residue are in memory


class Reading(NamedTuple):
    """k-mers of every residue of some chains, and (t, 20) probabilities of their targets, each read
    with itself and its neighbours hidden."""

    kmers: KmerSet
    probabilities: np.ndarray


Read = Callable[[Sequence[Scaffold]], Reading]


class Block(NamedTuple):
    """Residues from `start` on (0-based) that may have been misread, and what may be true."""

    start: int
    observed: str
    proposed: str
    reason: str = ISOBARIC

    @property
    def stop(self) -> int:
        """Where the residues that may have been misread end, exclusive."""
        return self.start + len(self.observed)

    def replaced(self, sequence: str) -> str:
        """The sequence with what may be true in place of what was observed."""
        return sequence[: self.start] + self.proposed + sequence[self.stop :]


@dataclass(slots=True)
class _Chain:
    """The best version of a chain so far, and the blocks replaced in it.

    origin: of each residue its place in the chain as it was given, or -1 - e for those of block e;
    gains: of each block. Of the version: logs, (length,) log probability of each residue, 0 of a
    missing one; imgt, its IMGT numbers; doubts, at its positions.
    """

    scaffold: Scaffold
    origin: list[int]
    blocks: list[Block] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)
    logs: np.ndarray = field(default_factory=lambda: np.empty(0))
    imgt: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=object))
    doubts: list[DoubtRow] = field(default_factory=list)

    def replaced(self) -> set[int]:
        """Places of the version that are of a block."""
        return {place for place, origin in enumerate(self.origin) if origin < 0}

    def variants(self) -> list[Block]:
        """Blocks of residues, as given, that may have been misread."""
        isobaric = blocks_to_try(self.scaffold.sequence, self.logs)
        tried = isobaric if len(isobaric) <= MOST_BLOCKS else []
        if any(self.imgt):  # of another protein doubts say little
            moved = moves_to_try(self.scaffold.sequence, [row.position - 1 for row in self.doubts])
            tried = [*tried, *_of_ends(moved)]
        return [b for b in tried if min(self.origin[b.start : b.stop]) >= 0]

    def with_doubts_settled(self) -> str:
        """The sequence with every doubt as it is proposed."""
        letters = list(self.scaffold.sequence)
        for row in self.doubts:
            letters[row.position - 1] = row.proposed
        return "".join(letters)

    def accept(self, block: Block, gain: float) -> None:
        """Replace a block in the version, which gains so many nats."""
        edit = -1 - len(self.blocks)
        self.scaffold = replace(self.scaffold, sequence=block.replaced(self.scaffold.sequence))
        self.blocks.append(block._replace(start=self.origin[block.start]))
        self.gains.append(gain)
        self.origin[block.start : block.stop] = [edit] * len(block.proposed)

    def rows(self) -> list[DoubtRow]:
        """Its doubts and blocks, at positions of the chain as it was given, in order."""
        rows = [row._replace(position=self.origin[row.position - 1] + 1) for row in self.doubts]
        for edit, (block, gain) in enumerate(zip(self.blocks, self.gains, strict=True)):
            number = self.imgt[self.origin.index(-1 - edit)]
            told = self.scaffold.chain, block.start + 1, block.observed, block.proposed
            rows.append(DoubtRow(*told, odds_to_probability(gain), block.reason, number))
        return sorted(rows, key=lambda row: row.position)


def proofread(scaffolds: Sequence[Scaffold], read: Read) -> Iterator[DoubtRow]:
    """Yield a row for each observed residue or block that looks wrong, in order.

    read: reads some chains with the network.
    """
    for first in range(0, len(scaffolds), READ_TOGETHER):
        yield from _proofread(scaffolds[first : first + READ_TOGETHER], read)


def _proofread(scaffolds: Sequence[Scaffold], read: Read) -> Iterator[DoubtRow]:
    chains = [_Chain(s, list(range(len(s.sequence)))) for s in scaffolds]
    active: Sequence[_Chain] = chains
    for _ in range(ROUNDS):
        _read_versions(active, read)
        active = _improve(active, read)
    _read_versions(active, read)
    for chain in chains:
        yield from chain.rows()


def _read_versions(chains: Sequence[_Chain], read: Read) -> None:
    """Set what the network says of the versions of chains."""
    if not chains:
        return
    scaffolds = [chain.scaffold for chain in chains]
    reading = read(scaffolds)
    of_chain: dict[str, list[DoubtRow]] = {s.chain: [] for s in scaffolds}
    for row in find_doubts(scaffolds, *reading, [chain.replaced() for chain in chains]):
        of_chain[row.chain].append(row)
    columns = columns_of(scaffolds, reading.kmers)
    for chain, logs, codes in zip(chains, logs_of(scaffolds, reading), columns, strict=True):
        chain.logs, chain.imgt = logs, imgt_numbers(codes)
        chain.doubts = of_chain[chain.scaffold.chain]


def _improve(chains: Sequence[_Chain], read: Read) -> list[_Chain]:
    """Replace the best block of each chain, if one is good enough; returns the chains changed."""
    tried: list[tuple[int, Block | None, Scaffold]] = []  # no block: all doubts settled
    for i, chain in enumerate(chains):
        sequence = chain.scaffold.sequence
        versions = [(block, block.replaced(sequence)) for block in chain.variants()]
        settled = [(None, chain.with_doubts_settled())] if chain.doubts else []
        tried += [
            (i, block, replace(chain.scaffold, sequence=version))
            for block, version in (*versions, *settled)
        ]
    gains: list[dict[Block | None, float]] = [{} for _ in chains]
    for first in range(0, len(tried), READ_TOGETHER):
        some = tried[first : first + READ_TOGETHER]
        variants = [variant for *_, variant in some]
        for (i, block, _), logs in zip(some, logs_of(variants, read(variants)), strict=True):
            gains[i][block] = float(logs.sum() - chains[i].logs.sum())
    changed = []
    for chain, of_chain in zip(chains, gains, strict=True):
        if best := _best_block(of_chain):
            chain.accept(*best)
            changed.append(chain)
    return changed


def _best_block(gains: Mapping[Block | None, float]) -> tuple[Block, float] | None:
    """The block to replace and the nats that this gains; None if no block gains enough.

    gains: of each block and, for None, of all doubts settled. A block of a residue too many or too
    few counts by what it gains over these, and over the best isobaric block.
    """
    isobaric = {b: gain for b, gain in gains.items() if b is not None and b.reason == ISOBARIC}
    moved = {b: gain for b, gain in gains.items() if b is not None and b.reason != ISOBARIC}
    best = max(isobaric, key=isobaric.__getitem__, default=None)
    won = 0.0 if best is None else isobaric[best]
    least = max(gains.get(None, 0.0), won, 0.0)
    other = max(moved, key=moved.__getitem__, default=None)
    if other is not None and moved[other] - least >= ENOUGH_NATS_MOVED:
        return other, moved[other] - least
    return (best, won) if best is not None and won >= ENOUGH_NATS else None


def logs_of(scaffolds: Sequence[Scaffold], reading: Reading) -> list[np.ndarray]:
    """(length,) log probabilities of the residues of each chain, 0 of those that are missing."""
    targets, observed = reading.kmers.at(), observed_tokens(scaffolds, reading.kmers)
    known = observed < len(RESIDUES)
    own = reading.probabilities[np.arange(len(observed)), np.where(known, observed, 0)]
    starts = starts_of_chains(scaffolds)
    logs = np.zeros(sum(len(scaffold.sequence) for scaffold in scaffolds))
    at = starts[targets.chain] + targets.position
    logs[at] = np.where(known, np.log(np.maximum(own, LEAST_PROBABILITY)), 0)
    return np.split(logs, starts[1:])


def blocks_to_try(sequence: str, logs: np.ndarray) -> list[Block]:
    """Every isobaric block of another length near residues that are improbable, in order.

    logs: (length,) log probability of each residue.
    """
    if len(sequence) < WINDOW_LENGTH:
        return []
    low = np.flatnonzero(np.convolve(logs, np.ones(WINDOW_LENGTH), "valid") <= SUSPICIOUS_NATS)
    near = np.zeros(len(sequence), dtype=bool)
    for start in low.tolist():
        near[max(start - NEAR_RESIDUES, 0) : start + WINDOW_LENGTH + NEAR_RESIDUES] = True
    found = []
    for start in np.flatnonzero(near).tolist():
        for width in (1, 2):
            observed = sequence[start : start + width]
            found += [Block(start, observed, other) for other in _blocks().get(observed, ())]
    return found


def moves_to_try(sequence: str, doubtful: Sequence[int]) -> list[Block]:
    """A residue less and an unknown one more at every place near doubtful ones (0-based), in order.

    A residue is taken out as a block with the next one, and put in as a block with the one behind
    it, so that each block is at a residue that stays.
    """
    reach = range(-NEAR_RESIDUES, NEAR_RESIDUES + 1)
    near = {place + by for place in doubtful for by in reach}
    found = []
    for start in sorted(near & set(range(len(sequence)))):
        one, two = sequence[start], sequence[start + 1 : start + 2]
        if one in RESIDUES:
            found.append(Block(start, one, MISSING_LETTER + one, LACKING))
            if two and two in RESIDUES:
                found.append(Block(start, one + two, two, INSERTED))
    return found


def _of_ends(moves: Sequence[Block]) -> Sequence[Block]:
    """At most MOST_BLOCKS of them: three quarters from the first on, and the last.

    The residue at fault is at an end of the doubts that it causes, in a constant region before all.
    """
    if len(moves) <= MOST_BLOCKS:
        return moves
    last = MOST_BLOCKS // 4
    return [*moves[: MOST_BLOCKS - last], *moves[-last:]]


@cache
def _blocks() -> dict[str, list[str]]:
    """For a residue the pairs that weigh the same, for a pair the residues."""
    blocks: dict[str, list[str]] = {}
    for one, two in isobaric_blocks(1, 2, SAME_MASS):
        blocks.setdefault(one, []).append(two)
        blocks.setdefault(two, []).append(one)
    return blocks
