"""The chains of a block and their gaps, before any of them is filled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lacuna.antibody.germlines import LOCI, SPECIES, constants, j_segments, v_segments
from lacuna.antibody.imgt import OUTSIDE, PADDING, imgt_numbers, regions_of
from lacuna.core.alphabet import AMBIGUOUS, MISSING_LETTER, N_RESIDUES
from lacuna.core.runs import starts_of
from lacuna.network.kmers import KmerSet, PartSegments
from lacuna.scaffolds.residue_masses import MAX_MASS, MAX_RESIDUES
from lacuna.scaffolds.scaffold import Gap, Scaffold

MAX_WARNINGS = 20  # of one kind that are logged one by one of a block


class Nearest(NamedTuple):
    """The nearest germline segments of a chain and their species; those of several parts joined
    by +."""

    species: str
    v_segment: str
    j_segment: str
    c_segment: str


@dataclass(frozen=True, slots=True)
class BlockChain:
    """A chain of the block before its gaps are filled.

    regions, imgt: region and IMGT number of every residue of the block; its own begin at `offset`;
    coded: whether it has ambiguity codes; rows: of its missing residues among those of the block,
    empty if nothing is observed.
    """

    scaffold: Scaffold
    regions: list[str]
    imgt: list[str]
    offset: int
    coded: bool
    rows: range
    locus: str
    nearest: Nearest

    def gaps(self) -> Iterator["BlockGap"]:
        """Yield its gaps, in order."""
        first = self.rows.start
        for number, gap in enumerate(self.scaffold.gaps, start=1):
            last = first + (gap.size if self.rows else 0)
            yield BlockGap(self, number, gap, range(first, last if gap.fixed else first))
            first = last


@dataclass(frozen=True, slots=True)
class BlockGap:
    """A gap of a chain; rows: of its residues among the missing ones of the block, empty if these
    are not read: it has no length, or no residue, or nothing of its chain is observed."""

    chain: BlockChain
    number: int
    given: Gap
    rows: range

    @property
    def among_all(self) -> slice:
        """Its residues among those of the block, to index `BlockChain.regions` and `imgt`."""
        offset = self.chain.offset
        return slice(offset + self.given.start, offset + self.given.end)

    @property
    def among_missing(self) -> slice:
        """Its residues among the missing ones of the block, as `rows`."""
        return slice(self.rows.start, self.rows.stop)

    @property
    def ambiguity(self) -> str:
        """The letters of a gap that consists of ambiguity codes, '' for any other."""
        if not self.chain.coded or not self.given.fixed:
            return ""
        letters = self.chain.scaffold.sequence[self.given.start : self.given.end]
        return "" if MISSING_LETTER in letters else letters

    @property
    def scaffold_positions(self) -> Sequence[int]:
        """Position of each of its residues in the scaffold, from 0.

        All are at the start of the gap if it has another number of residues than positions there.
        """
        start, end = self.given.origin or (self.given.start, self.given.end)
        length = self.given.size
        return range(start, end) if end - start == length else [start] * length


def chains_of(scaffolds: Sequence[Scaffold], kmers: KmerSet) -> Iterator[BlockChain]:
    """Yield the chains of a block, in order; kmers: those of their missing residues."""
    bounds = kmers.bounds().tolist()
    parts = kmers.parts_of_chains()
    starts = starts_of_chains(scaffolds)
    # Padding before each chain separates its regions and insertions from those of the last one.
    columns = np.insert(kmers.chain_columns.numpy(), starts, PADDING)
    regions, imgt = regions_of(columns).tolist(), imgt_numbers(columns).tolist()
    for i, (scaffold, start) in enumerate(zip(scaffolds, starts.tolist(), strict=True)):
        coded = any(code in scaffold.sequence for code in AMBIGUOUS)
        rows = range(bounds[i], bounds[i + 1])
        locus, nearest = _locus(parts[i]), _nearest(parts[i])
        offset = start + i + 1
        yield BlockChain(scaffold, regions, imgt, offset, coded, rows, locus, nearest)


def starts_of_chains(scaffolds: Sequence[Scaffold]) -> np.ndarray:
    """(m,) where each chain begins among the residues of all."""
    return starts_of(np.array([len(scaffold.sequence) for scaffold in scaffolds], dtype=np.int64))


def columns_of(scaffolds: Sequence[Scaffold], kmers: KmerSet) -> list[np.ndarray]:
    """(length,) IMGT columns of each chain; kmers: of these chains."""
    pieces = np.split(kmers.chain_columns.numpy(), starts_of_chains(scaffolds)[1:])
    return pieces[: len(scaffolds)]  # one piece, which is empty, of no chains


def slices_of(parts: Sequence[PartSegments], length: int) -> list[slice]:
    """Where each part of a chain of so many residues is."""
    edges = [*(part.start for part in parts), length]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _locus(parts: Sequence[PartSegments]) -> str:
    """Locus of a chain, such as H+K if it has several V domains; '' for none."""
    domains = [part for part in parts if part.v >= 0 or part.c < 0] or parts  # without an Fc
    return "+".join(LOCI[part.locus] for part in domains if part.locus >= 0)


def _nearest(parts: Sequence[PartSegments]) -> Nearest:
    species: dict[str, None] = {}  # in order
    for part in parts:
        if part.v >= 0:
            species[SPECIES[v_segments().species[part.v]]] = None
        elif part.c >= 0:
            species[constants()[part.c].species] = None
    v = [v_segments().names[part.v] for part in parts if part.v >= 0]
    j = [j_segments().names[part.j] for part in parts if part.j >= 0]
    c = [constants()[part.c].name for part in parts if part.c >= 0]
    return Nearest("+".join(species), "+".join(v), "+".join(j), "+".join(c))


def without_template(kmers: KmerSet) -> np.ndarray:
    """(t,) whether a missing residue has no template: outside domains, without homologs."""
    kmer, place, _, _ = kmers.at()
    shown = (kmers.templates.numpy()[kmer, :, place] < N_RESIDUES).any(1)
    return ~shown & (kmers.columns.numpy()[kmer, place] == OUTSIDE)


def too_large(gap: Gap) -> bool:
    """Whether the mass of a gap, or its residues if it has one, are too many to decode."""
    if gap.mass is None:
        return False
    return gap.size > MAX_RESIDUES if gap.fixed else gap.mass > MAX_MASS
