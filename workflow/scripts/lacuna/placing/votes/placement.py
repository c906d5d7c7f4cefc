"""All reads on all chains: which read lies where, and with which share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.core.alphabet import ABSENT, merge_il
from lacuna.placing.aligning.align import align
from lacuna.placing.aligning.alignment import Alignment
from lacuna.placing.aligning.memory import Memory
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.aligning.seeds import diagonals
from lacuna.placing.votes.draft import Draft

EVEN_PROBABILITY = 0.4  # probability of a residue that says nothing of whether a read is of a chain
UNEXPLAINED_RESIDUES = 3.0  # sure residues beyond a core that cost nothing: a wrong end has as many
# Nats for each residue of a read that is that of germline, where it lies on a chain at two places:
# one that was made like the other by misread peptides would draw its reads.
LIKE_GERMLINE = 0.2
SHARED_WITHIN = 1.5  # nats by which a placement may be worse than the best and share the read


@dataclass(frozen=True, slots=True)
class Text:
    """Chains one after another, an ABSENT behind each, which belongs to it.

    tokens, owner (t,); start (chains + 1,): where each begins.
    """

    tokens: np.ndarray
    owner: np.ndarray
    start: np.ndarray


@dataclass(frozen=True, slots=True)
class Placements:
    """m placements: what `Alignment` says, the chain of each, and its share of the read."""

    alignment: Alignment
    chain: np.ndarray
    share: np.ndarray
    text: Text

    def of(self, chain: int) -> "Placements":
        """Those on one chain, by the positions of this chain, which is all of their text."""
        own = self.take(np.flatnonzero(self.chain == chain))
        start, stop = self.text.start[chain : chain + 2].tolist()
        text = text_of([self.text.tokens[start : stop - 1]])
        return Placements(own.alignment.moved(-start), own.chain - chain, own.share, text)

    def weights(self, reads: ReadSet) -> np.ndarray:
        """(m,) weight of each read, by its share."""
        found: np.ndarray = reads.weight[self.alignment.read] * self.share
        return found

    def take(self, rows: np.ndarray) -> "Placements":
        """Some of them, in the order of rows."""
        return Placements(self.alignment.take(rows), self.chain[rows], self.share[rows], self.text)

    def best(self, n: int) -> np.ndarray:
        """(n,) best score of each read, 0 for none."""
        return self.alignment.best(n)


def text_of(chains: Sequence[np.ndarray]) -> Text:
    """Tokens of chains joined to one text."""
    lengths = np.array([len(c) + 1 for c in chains], dtype=np.int64)
    start = np.concatenate(([0], np.cumsum(lengths)))
    tokens = np.full(int(start[-1]), ABSENT, dtype=np.uint8)
    for chain, at in zip(chains, start, strict=False):
        tokens[at : at + len(chain)] = chain
    return Text(tokens, np.repeat(np.arange(len(chains)), lengths), start)


def place_on(
    reads: ReadSet,
    drafts: Sequence[Draft],
    rows: np.ndarray | None = None,
    memory: Memory | None = None,
) -> Placements:
    """Reads (all, or some rows, ascending) on the chains that they fit best; equally good ones
    share them.

    memory: alignments of the same reads, which those of all reads replace.
    """
    germline = text_of([merge_il(d.germline) for d in drafts]).tokens
    return place_on_text(reads, text_of([d.tokens for d in drafts]), rows, memory, germline)


def place_on_text(
    reads: ReadSet,
    text: Text,
    rows: np.ndarray | None = None,
    memory: Memory | None = None,
    germline: np.ndarray | None = None,
) -> Placements:
    """The same on a text; germline (t,): residues of segments, L for I, or ABSENT."""
    part = reads if rows is None else reads.take(rows)
    read, diagonal = diagonals(part, text.tokens, text.owner, per_owner=2)
    if memory is None:
        found = align(part, read, diagonal, text.tokens)
    else:
        every = read if rows is None else rows[read]
        found = memory.align(every, diagonal, text.tokens, keep=rows is None)
        if rows is not None:
            found = replace(found, read=np.searchsorted(rows, found.read))
    if reads.least:
        found = found.take(np.flatnonzero(_worth(part, found) >= reads.least))
    # Of a read on one chain the better of two diagonals.
    like = 0.0 if germline is None else LIKE_GERMLINE * _like(part, found, germline)
    better = replace(found, score=found.score + like)
    found = found.take(better.best_of_each(text.owner[found.span[:, 0]]))
    best = found.best(len(part))
    found = found.take(np.flatnonzero(found.score >= best[found.read] - SHARED_WITHIN))
    worth = np.exp(found.score - best[found.read])
    share = worth / np.maximum(np.bincount(found.read, worth, len(part)), 1e-9)[found.read]
    if rows is not None:
        found = replace(found, read=rows[found.read])
    return Placements(found, text.owner[found.span[:, 0]], share, text)


def _worth(reads: ReadSet, found: Alignment) -> np.ndarray:
    """(m,) nats of cores, less those for sure residues of the reads beyond them.

    An end of a read is wrong, or of a mutated stretch, but a long one that is read well beside a
    short core is that of another protein.
    """
    place = np.arange(reads.tokens.shape[1])
    beyond = (place < found.core[:, :1]) | (place >= found.core[:, 1:])  # right is 0 past the end
    sure = np.maximum(reads.right[found.read] - EVEN_PROBABILITY, 0.0) / (1.0 - EVEN_PROBABILITY)
    unexplained = (sure * beyond).sum(1)
    worth: np.ndarray = found.score - np.maximum(unexplained - UNEXPLAINED_RESIDUES, 0.0)
    return worth


def _like(reads: ReadSet, found: Alignment, germline: np.ndarray) -> np.ndarray:
    """(m,) residues of placements that are those of germline."""
    same = (found.at >= 0) & (reads.tokens[found.read] == germline[found.at])
    like: np.ndarray = same.sum(1)
    return like


def reads_over(
    reads: ReadSet, placements: Placements, stretches: Iterable[tuple[int, int, int]]
) -> np.ndarray:
    """Rows, ascending, of the reads within which one of some stretches (chain, start, stop) lies,
    even if their cores end before."""
    a = placements.alignment
    first = placements.text.start[placements.chain]
    left = a.span[:, 0] - a.core[:, 0] - first
    right = a.span[:, 1] - a.core[:, 1] + reads.length[a.read] - first
    over = np.zeros(len(a.read), dtype=bool)
    for chain, start, stop in stretches:
        over |= (placements.chain == chain) & (left <= start) & (right >= stop)
    return np.unique(a.read[over])


def of_one_locus(placements: Placements, drafts: Sequence[Draft]) -> Placements:
    """Those of reads that fit chains (drafts) of one locus only.

    What a read shows that fits a heavy chain as well as a light one is mutated in one of the two.
    Each would be made like the other if it voted for both.
    """
    loci, locus = np.unique([d.locus for d in drafts], return_inverse=True)
    read = placements.alignment.read
    inside = np.flatnonzero(placements.chain < len(drafts))
    seen = np.zeros((read.max(initial=0) + 1, len(loci)), dtype=bool)
    seen[read[inside], locus[placements.chain[inside]]] = True
    return placements.take(np.flatnonzero(seen.sum(1)[read] < 2))


def unchanged(one: Sequence[Draft], other: Sequence[Draft]) -> bool:
    """Whether drafts have the same residues."""
    return len(one) == len(other) and all(
        np.array_equal(a.tokens, b.tokens) for a, b in zip(one, other, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Assembly:
    """Chains as far as they are built, and where reads lie on them.

    memory: of the reads; fixed: proteins that reads do not change; placements: on drafts and fixed.
    """

    memory: Memory
    drafts: Sequence[Draft]
    fixed: Sequence[Draft]
    placements: Placements

    @classmethod
    def of(cls, reads: ReadSet, drafts: Sequence[Draft], fixed: Sequence[Draft] = ()) -> "Assembly":
        """Reads on drafts and other proteins."""
        memory = Memory.of(reads)
        return cls(memory, drafts, fixed, place_on(reads, [*drafts, *fixed], memory=memory))

    @property
    def reads(self) -> ReadSet:
        """All reads."""
        return self.memory.reads

    def with_drafts(self, drafts: Sequence[Draft]) -> "Assembly":
        """The same reads on these drafts."""
        if unchanged(drafts, self.drafts):
            return replace(self, drafts=drafts)
        placements = place_on(self.reads, [*drafts, *self.fixed], memory=self.memory)
        return replace(self, drafts=drafts, placements=placements)

    def nats_on(self, drafts: Sequence[Draft], rows: np.ndarray) -> float:
        """Nats of some reads if the drafts were these."""
        placements = place_on(self.reads, [*drafts, *self.fixed], rows, self.memory)
        return float(placements.best(len(self.reads)) @ self.reads.weight)
