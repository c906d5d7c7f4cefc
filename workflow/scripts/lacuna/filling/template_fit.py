"""How well chains agree with their templates, in nats, by residues and by columns."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lacuna.antibody.domain_ends import CDR3_SCALE, TYPICAL_CDR3
from lacuna.antibody.germlines import LOCI, v_segments
from lacuna.antibody.imgt import (
    CONSTANT,
    CYS104,
    FR4_LAST,
    FR4_START,
    N_IMGT,
    OTHER_INSERTION,
    cdr3_length,
)
from lacuna.core.alphabet import ABSENT, MISSING, N_RESIDUES, encode
from lacuna.filling.block import columns_of, slices_of
from lacuna.network.encode import likely_letters
from lacuna.network.kmers import KmerSet, PartSegments, Targets
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.templates.nearest import N_GERMLINE

MATCH_NATS = 0.5  # of an observed residue that agrees with its template; against one that differs
# Residues on either side of a gap that are compared with templates. As many are in every k-mer of a
# gap, wherever a trial length shifts it, so that all lengths are judged by the same residues.
FLANK_LENGTH = 32
CUT_COLUMN_COST = 1.0  # nats per column by which a V domain begins late or ends early
EMPTY_COLUMN_COST = 2.0  # nats per germline column without a residue, or the reverse
FARTHEST_CDR3_NATS = 10.0  # nats up to which lengths count


class TemplateFits(NamedTuple):
    """How well chains agree with their templates, in nats: (variants,).

    total: by everything; cdr3: the part of it, 0 or less, that is due to the length of the CDR3;
    misfits: germline columns without a residue, and residues without one, of the V domain and as
    near to the gap as FLANK_LENGTH.
    """

    total: np.ndarray
    cdr3: np.ndarray
    misfits: np.ndarray

    def part(self, where: slice) -> "TemplateFits":
        """Those of some variants."""
        return TemplateFits(*(array[where] for array in self))


class Misfits(NamedTuple):
    """Where the columns of a V domain are not those of its germline, CDR3 left out: (length,) int.

    extra: 1 for a residue that germline has no column for; missing: number of germline columns
    without a residue in front of each residue.
    """

    extra: np.ndarray
    missing: np.ndarray

    @property
    def total(self) -> int:
        """How many there are."""
        return int(self.extra.sum() + self.missing.sum())


def template_fits(variants: Sequence[tuple[Scaffold, int]], kmers: KmerSet) -> TemplateFits:
    """How well chains agree with their templates, likely residues as if they were observed.

    variants: each chain with the number of the gap whose length is tried.
    """
    targets, bounds = kmers.at(), kmers.bounds()
    templates = _nearest_templates(kmers)
    columns = columns_of([scaffold for scaffold, _ in variants], kmers)
    fits, cdr3 = np.zeros(len(variants)), np.zeros(len(variants))
    misfits = np.zeros(len(variants), dtype=int)
    for i, ((scaffold, number), parts) in enumerate(
        zip(variants, kmers.parts_of_chains(), strict=True)
    ):
        rows = Targets(*(column[bounds[i] : bounds[i + 1]] for column in targets))
        gap, length = scaffold.gaps[number], len(scaffold.sequence)
        around = slice(max(gap.start - FLANK_LENGTH, 0), gap.end + FLANK_LENGTH)
        fits[i] = MATCH_NATS * int(_agreement(rows, templates, scaffold)[around].sum())
        at = part_of(parts, gap)
        part = parts[at]
        if part.v >= 0:
            of_part = columns[i][slices_of(parts, length)[at]]
            found = _misfits(of_part, part)
            near = slice(
                max(gap.start - part.start - FLANK_LENGTH, 0), gap.end - part.start + FLANK_LENGTH
            )
            misfits[i] = Misfits(*(array[near] for array in found)).total
            fits[i] -= EMPTY_COLUMN_COST * found.total + CUT_COLUMN_COST * _cut_off(of_part, part)
            cdr3[i] -= _cdr3_cost(of_part, LOCI[part.locus])
        else:
            inside = (rows.position >= gap.start) & (rows.position < gap.end)
            empty = templates[rows.kmer[inside], rows.place[inside]] >= N_RESIDUES
            fits[i] -= EMPTY_COLUMN_COST * int(empty.sum())
    return TemplateFits(fits + cdr3, cdr3, misfits)


def part_of(parts: Sequence[PartSegments], gap: Gap) -> int:
    """The number of the part of a chain in which a gap is."""
    return sum(part.start <= gap.start for part in parts) - 1


def fits_as_given(
    chains: Sequence[Scaffold], kmers: KmerSet, which: Sequence[int]
) -> Iterator[tuple[np.ndarray, Misfits]]:
    """Yield of chains number `which` whether each residue near a gap differs from its template
    (length,), and the misfits of all its V domains."""
    targets, bounds = kmers.at(), kmers.bounds()
    templates = _nearest_templates(kmers)
    columns, parts = columns_of(chains, kmers), kmers.parts_of_chains()
    for i in which:
        rows = Targets(*(column[bounds[i] : bounds[i + 1]] for column in targets))
        length = len(columns[i])
        found = Misfits(np.zeros(length, dtype=int), np.zeros(length, dtype=int))
        for part, where in zip(parts[i], slices_of(parts[i], length), strict=True):
            if part.v >= 0:
                own = _misfits(columns[i][where], part)
                for whole, piece in zip(found, own, strict=True):
                    whole[where] = piece
        yield _agreement(rows, templates, chains[i]) < 0, found


def _nearest_templates(kmers: KmerSet) -> np.ndarray:
    """(k-mers, k) tokens of the nearest germline segment or, for a protein without one, of the
    nearest homolog."""
    slots = kmers.templates.numpy()
    return np.where(slots[:, 0] < N_RESIDUES, slots[:, 0], slots[:, N_GERMLINE])


def _agreement(rows: Targets, templates: np.ndarray, scaffold: Scaffold) -> np.ndarray:
    """Of each residue of a chain, 1 where it agrees with its template, -1 where not, 0 where either
    is unknown or no k-mer is: (length,)."""
    tokens = encode(likely_letters(scaffold, scaffold.sequence))
    along = np.full(len(tokens), MISSING, dtype=templates.dtype)
    first = np.flatnonzero(np.diff(rows.kmer, prepend=-1))  # k-mers are in order
    for kmer, place, _, position in zip(*(column[first] for column in rows), strict=True):
        start = position - place
        along[start : start + templates.shape[1]] = templates[kmer, : len(along) - start]
    known = (tokens < N_RESIDUES) & (along < N_RESIDUES)
    return np.where(tokens == along, 1, -1) * known


def _misfits(columns: np.ndarray, part: PartSegments) -> Misfits:
    """Of the columns (length,) of a part of a chain that has a V domain."""
    v_row = v_segments().tokens[part.v]
    missing = np.zeros(len(columns), dtype=int)
    inside = np.flatnonzero((columns > 0) & (columns <= CYS104))
    of_v = columns[inside].astype(int)
    extra = (columns == OTHER_INSERTION).astype(int)
    extra[inside] = v_row[of_v] == ABSENT
    filled = np.cumsum(v_row[: CYS104 + 1] < MISSING)
    missing[inside[1:]] = filled[of_v[1:] - 1] - filled[of_v[:-1]]
    fr4 = np.flatnonzero((columns >= FR4_START) & (columns <= N_IMGT))
    missing[fr4] = np.diff(columns[fr4].astype(int), prepend=FR4_START - 1) - 1
    return Misfits(extra, missing)


def _cut_off(columns: np.ndarray, part: PartSegments) -> int:
    """Number of germline columns before a V domain's first residue, and after its last in FR4.

    In front of a constant region, a domain without FR4 lacks all of it: behind a CDR3 for which
    IMGT has too few columns, nothing is numbered.
    """
    v_row, locus = v_segments().tokens[part.v], LOCI[part.locus]
    first = int(columns[0]) if len(columns) else 0
    late = int((v_row[1:first] < MISSING).sum()) if first <= CYS104 else 0
    fr4 = columns[(columns >= FR4_START) & (columns <= N_IMGT)]
    if not len(fr4) and CONSTANT not in columns:
        return late
    return late + max(FR4_LAST[locus] - int(fr4.max(initial=FR4_START - 1)), 0)


def _cdr3_cost(columns: np.ndarray, locus: str) -> float:
    """Cost in nats of the length of a complete CDR3."""
    present = set(columns.tolist())
    if not {CYS104, FR4_START} <= present:
        return 0.0
    return abs(cdr3_length(columns) - TYPICAL_CDR3[locus]) / CDR3_SCALE[locus]


def share_of_typical_cdr3(shown: int, locus: str) -> float:
    """Probability that a CDR3 of which `shown` residues are known has the typical length, or no
    further residues if as many are known; by the nats of `TemplateFits.cdr3`."""
    typical, scale = TYPICAL_CDR3[locus], CDR3_SCALE[locus]
    longest = max(shown, typical) + int(FARTHEST_CDR3_NATS * scale)
    nats = -np.abs(np.arange(shown, longest + 1) - typical) / scale
    return math.exp(float(nats.max())) / float(np.exp(nats).sum())
