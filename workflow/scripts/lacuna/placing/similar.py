"""Reads of unread stretches that differ too much from the template to be placed by it.

The peptides of one protease abut and never overlap, so no read leads from a framework into a
mutated loop. A read that fits no chain is laid on the columns of the V segments of each locus:
how often germline segments have its residues there tells where it belongs. Only stretches that
nothing else tells are replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lacuna.antibody.germlines import LOCI, v_segments
from lacuna.antibody.imgt import CYS104, N_CODES
from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.placing.align import MIN_SCORE
from lacuna.placing.draft import HELD, Draft
from lacuna.placing.readset import ReadSet, merge_il

SHORTEST = 7  # residues of a read that is laid on columns
LONGEST = 24
FREE = 0.25  # share of residues that follow no segment
SURE_READ = 14.0  # nats of a read against chance if every residue of it were right
LIKE = 8.0  # nats of a read on its columns against chance
BEFORE_OTHERS = 3.0  # nats more than on any other columns
UNREAD = 0.6  # share of the residues under a read that no other read tells
_CHANCE = 1.0 / 19.0


@dataclass(frozen=True, slots=True)
class Similar:
    """A read on columns of a locus: its row, nats, and the columns under its residues."""

    read: int
    score: float
    locus: int
    columns: np.ndarray


@cache
def _columns_of(locus: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """(N_CODES, 20) odds of the residues of V segments against chance, and the different sets of
    columns that they fill. Each gene counts once."""
    segments = v_segments()
    own = np.flatnonzero(segments.locus == locus)
    _, first = np.unique(segments.gene[own], return_index=True)
    own = own[first]
    grid = segments.tokens[own][:, : CYS104 + 1]
    present = grid != ABSENT
    tokens = merge_il(grid)
    count = np.full((N_CODES, N_RESIDUES), 0.5)
    for column in range(1, CYS104 + 1):
        known = tokens[:, column] < N_RESIDUES
        count[column] += np.bincount(tokens[known, column], minlength=N_RESIDUES)
    share = count / count.sum(1, keepdims=True)
    odds = (1 - FREE) * share / _CHANCE + FREE
    patterns = {tuple(np.flatnonzero(row).tolist()): None for row in present}
    return odds, tuple(np.array(p) for p in patterns)


def similar_reads(reads: ReadSet, rows: np.ndarray, loci: Sequence[int]) -> list[Similar]:
    """Reads (rows) that fit one place of the columns of some loci, the surest first."""
    right = np.clip(reads.right, 0.05, 0.995)
    worth = np.where(reads.tokens < N_RESIDUES, np.log(right / _CHANCE), 0.0).sum(1)
    rows = rows[(reads.length[rows] >= SHORTEST) & (reads.length[rows] <= LONGEST)]
    rows = rows[worth[rows] >= SURE_READ]
    found = []
    for row in rows.tolist():
        n = int(reads.length[row])
        tokens, q = reads.tokens[row, :n], right[row, :n]
        if tokens.max() >= N_RESIDUES:
            continue
        places: dict[tuple[int, int], tuple[float, np.ndarray]] = {}
        for locus in loci:
            odds, patterns = _columns_of(locus)
            for pattern in patterns:
                windows = np.lib.stride_tricks.sliding_window_view(pattern, n)
                nats = np.log(q * odds[windows, tokens] + 1 - q).sum(1)
                for at in np.flatnonzero(nats > LIKE - BEFORE_OTHERS).tolist():
                    key = (locus, int(windows[at, n // 2]) // 2)  # loops of any length agree
                    if key not in places or nats[at] > places[key][0]:
                        places[key] = (float(nats[at]), windows[at])
        ranked = sorted(places.items(), key=lambda item: (-item[1][0], item[0]))
        if not ranked or ranked[0][1][0] < LIKE:
            continue
        (locus, middle), (score, columns) = ranked[0]
        rivals = [p for (where, m), (p, _) in ranked[1:] if where != locus or abs(m - middle) > 1]
        if not rivals or rivals[0] < score - BEFORE_OTHERS:
            found.append(Similar(row, score, locus, columns.copy()))
    return sorted(found, key=lambda s: (-s.score * float(reads.weight[s.read]), s.read))


def with_similar(
    reads: ReadSet, drafts: Sequence[Draft], depths: Sequence[np.ndarray], best: np.ndarray
) -> list[Draft]:
    """Drafts with unread stretches as reads have it that fit their columns.

    depths (t,) of each draft: weight of reads over each position; best (n,): score of each read on
    all chains.
    """
    current, depth = list(drafts), list(depths)
    loci = sorted({LOCI.index(d.locus) for d in drafts if d.v >= 0})
    for one in similar_reads(reads, np.flatnonzero(best < MIN_SCORE), loci):
        tokens = reads.tokens[one.read, : len(one.columns)]
        for i, draft in enumerate(current):
            if draft.v < 0 or LOCI.index(draft.locus) != one.locus:
                continue
            at = np.flatnonzero(
                (draft.columns >= one.columns[0]) & (draft.columns <= one.columns[-1])
            )
            if not len(at) or (depth[i][at] < 1.0).mean() < UNREAD:
                continue
            if not _keeps_held(draft, at, one.columns, tokens):
                continue
            start, stop = int(at[0]), int(at[-1]) + 1
            germline = v_segments().tokens[draft.v][one.columns]
            current[i] = draft.spliced(start, stop, tokens, one.columns, germline)
            depth[i] = np.concatenate(
                (depth[i][:start], np.full(len(tokens), 2.0), depth[i][stop:])
            )
            break
    return current


def _keeps_held(draft: Draft, at: np.ndarray, columns: np.ndarray, tokens: np.ndarray) -> bool:
    """Whether the residues that no antibody changes stay under a read."""
    new = {int(c): int(t) for c, t in zip(columns, tokens, strict=True) if int(c) in HELD}
    old = {int(draft.columns[i]): int(draft.tokens[i]) for i in at if draft.columns[i] in HELD}
    return new == old
