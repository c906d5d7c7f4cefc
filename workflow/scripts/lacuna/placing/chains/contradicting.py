"""Reads that contradict the chains in the same way, which are of a chain that was not found.

Such a read lies on the chain that is most like its own, as far as the two are alike. Beyond, it
goes on otherwise, or differs in several residues close to each other. Misread ones do so in many
ways, and those of a missing chain in one. A peptide with a modification that the search did not
list may be misread in one way too, but what differs weighs as much more as that modification.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lacuna.core.masses import (
    ACETYL,
    AMMONIA,
    CARBAMIDOMETHYL,
    CARBAMYL,
    CARBON_MONOXIDE,
    DEAMIDATION,
    DIOXIDATION,
    HEXOSE,
    ISOTOPE,
    METHYL,
    OXIDATION,
    PHOSPHO,
    SODIUM,
    WATER,
)
from lacuna.placing.aligning.alignment import MISMATCH, Alignment
from lacuna.placing.aligning.carried import BLOCK_TOLERANCE
from lacuna.placing.aligning.readset import MASSES, ReadSet, running
from lacuna.placing.aligning.seeds import words
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly

# Residues of a read in a row that are not those of the chain: none of them, or LEAST_OTHERS at
# least are others; and the probability that each of them must have.
RUN_LENGTH, LEAST_OTHERS, SURE_PROBABILITY = 5, 2, 0.6
RECURRENT_READS = 4  # different reads with one such run
# Da by which a peptide of the chain weighs more if it is modified or its isotope taken for another.
MODIFIED = np.array(
    (
        *(0.0, DEAMIDATION, ISOTOPE, METHYL, OXIDATION, SODIUM, CARBON_MONOXIDE, DIOXIDATION),
        *(ACETYL, CARBAMYL, CARBAMIDOMETHYL, PHOSPHO, HEXOSE),
        *(-AMMONIA, -WATER, -CARBAMIDOMETHYL),
    )
)
COLUMNS_APART = 8  # columns between places: one misread peptide shows no more than one


@dataclass(frozen=True, slots=True)
class Contradicting:
    """Reads that contradict the V domains of a locus, each in the same way as others.

    rows (n,): of the reads, ascending; share: of the weight of all on these V domains; places: how
    many the reads contradict; against: of each chain of the locus, by its number, how many reads
    contradict it from each position on (t,).
    """

    rows: np.ndarray
    share: float
    places: int
    against: Mapping[int, np.ndarray]


def contradicting(assembly: Assembly, locus: str) -> Contradicting:
    """Those among the reads on chains of a locus."""
    reads = assembly.reads
    number = words(reads.tokens, RUN_LENGTH)
    if not number.size:  # all reads are shorter
        return Contradicting(np.empty(0, dtype=np.int64), 0.0, 0, {})
    sure = (number >= 0) & (
        sliding_window_view(reads.right, RUN_LENGTH, axis=-1).min(-1) >= SURE_PROBABILITY
    )
    on_v, held = [], []
    for i, draft in enumerate(assembly.drafts):
        if draft.locus != locus:
            continue
        a = assembly.placements.of(i).alignment
        a = a.take(np.flatnonzero(a.span[:, 0] < draft.cdr3()[0]))
        on_v.append(a.read)
        row, at = np.nonzero(_others(a, reads, draft) & sure[a.read])
        place = _place(a, row, at)
        chain, column = np.full(len(row), i), draft.columns[place]
        held.append(np.stack([number[a.read[row], at], a.read[row], column, chain, place]))
    run, read, column, chain, place = np.concatenate(held, axis=1)
    of_reads = np.unique(np.stack([run, read]), axis=1)[0]
    runs, count = np.unique(of_reads, return_counts=True)
    recurs = np.isin(run, runs[count >= RECURRENT_READS])
    rows = np.unique(read[recurs])
    every = float(reads.weight[np.unique(np.concatenate(on_v))].sum())
    steps = np.diff(np.unique(column[recurs]).astype(int))
    places = int((steps >= COLUMNS_APART).sum()) + bool(len(rows))
    share = float(reads.weight[rows].sum()) / max(every, 1e-9)
    of_chains = np.unique(np.stack([chain, place, read])[:, recurs], axis=1)
    against = {
        i: np.bincount(of_chains[1, of_chains[0] == i], minlength=len(assembly.drafts[i]))
        for i in np.unique(of_chains[0]).tolist()
    }
    return Contradicting(rows, share, places, against)


def _others(a: Alignment, reads: ReadSet, draft: Draft) -> np.ndarray:
    """(m, w) bool: whether RUN_LENGTH residues of a placement, from each of w on, are not those of
    the chain in front of CDR3: right behind its core, right in front of it, or within it."""
    stop, width = draft.cdr3()[0], a.at.shape[1]
    first = np.arange(width - RUN_LENGTH + 1)
    begin, end = a.span[:, :1], a.span[:, 1:]
    in_front, beyond = _modified_ends(a, reads, draft)
    behind = (first == a.core[:, 1:]) & (end < stop) & ~beyond[:, None]
    front = (first == a.core[:, :1] - RUN_LENGTH) & (begin >= RUN_LENGTH) & ~in_front[:, None]
    other = (a.kind == MISMATCH) & (a.at < stop) & ~_modified(a, reads, draft)
    within = sliding_window_view(other, RUN_LENGTH, axis=1).sum(-1) >= LEAST_OTHERS
    found: np.ndarray = behind | front | within
    return found


def _modified(a: Alignment, reads: ReadSet, draft: Draft) -> np.ndarray:
    """(m, w) bool: residues of placements that are not those of the chain, and with those next to
    them, or next but one, weigh as much more as a modification."""
    differs = np.pad(a.kind == MISMATCH, ((0, 0), (1, 1)))
    group = differs[:, 1:-1] | (differs[:, :-2] & differs[:, 2:])
    begins = group & ~np.pad(group, ((0, 0), (1, 0)))[:, :-1]
    number = np.cumsum(begins).reshape(group.shape)
    own = MASSES[draft.tokens[np.maximum(a.at, 0)]]
    more = np.where(a.kind == MISMATCH, MASSES[reads.tokens[a.read]] - own, 0.0)
    total = np.bincount(number.ravel(), (more * group).ravel())
    found: np.ndarray = group & _is_modification(total)[number]
    return found


def _modified_ends(a: Alignment, reads: ReadSet, draft: Draft) -> tuple[np.ndarray, np.ndarray]:
    """(m,) bool each: whether reads in front of their cores, and behind them, weigh as much as the
    chain does there, a residue more or less of it, or as that with a modification."""
    chain, own = running(MASSES[draft.tokens]), running(MASSES[reads.tokens])[a.read]
    rows, length = np.arange(len(a.read)), reads.length[a.read]

    def found(weight: np.ndarray, at: np.ndarray, n: np.ndarray) -> np.ndarray:
        ends = np.clip((at + n)[:, None] + np.array((-1, 0, 1)), 0, len(draft))
        under = np.abs(chain[ends] - chain[at][:, None])
        fits: np.ndarray = _is_modification(weight[:, None] - under).max(1)
        return fits

    before = own[rows, a.core[:, 0]]
    after = own[rows, length] - own[rows, a.core[:, 1]]
    in_front = found(before, a.span[:, 0], -a.core[:, 0])
    return in_front, found(after, a.span[:, 1], length - a.core[:, 1])


def _is_modification(more: np.ndarray) -> np.ndarray:
    """Whether a peptide may weigh so much more (Da) than that of the chain."""
    found: np.ndarray = np.abs(more[..., None] - MODIFIED).min(-1) < BLOCK_TOLERANCE
    return found


def _place(a: Alignment, row: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(n,) positions of the chain under residues (at) of placements (row), on the diagonals of
    their ends beyond their cores; of those in front of the chain, its first."""
    left = a.span[row, 0] - a.core[row, 0] + at
    right = a.span[row, 1] - a.core[row, 1] + at
    beyond = np.where(at < a.core[row, 0], left, right)
    place: np.ndarray = np.where(a.at[row, at] >= 0, a.at[row, at], np.maximum(beyond, 0))
    return place
