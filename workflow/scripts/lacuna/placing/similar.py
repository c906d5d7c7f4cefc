"""Reads of unread stretches that differ too much from the template to be placed by it.

The peptides of one protease abut and never overlap, so no read leads from a framework into a
mutated loop. A read that fits no chain is laid on all V segments of a locus: where it is like one
of them, its columns tell where it belongs. Only stretches that nothing else tells are replaced.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from lacuna.antibody.germlines import v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.placing.align import MIN_SCORE
from lacuna.placing.draft import Draft
from lacuna.placing.readset import ReadSet, merge_il

SHORTEST = 7  # residues of a read that is laid on all segments
LONGEST = 24
MUTATED = 0.35  # of residues to differ from the segment that is nearest there
SURE_READ = 14.0  # nats of a read against chance if every residue of it agreed
LIKE = 10.0  # nats by which a read is like a segment
BEFORE_OTHERS = 2.5  # nats by which it is less like segments at any other columns
UNREAD = 0.6  # share of the residues under a read that no other read tells
_CHANCE = 1.0 / 19.0


@dataclass(frozen=True, slots=True)
class Similar:
    """Reads that are like V segments: row of the read, first column, columns under its residues."""

    read: int
    score: float
    segment: int
    columns: np.ndarray


@cache
def _segments_of(locus: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Segments of a locus without gaps: (n,) index, (n, w) tokens and columns."""
    segments = v_segments()
    own = np.flatnonzero(segments.locus == locus)
    grid = segments.tokens[own][:, : CYS104 + 1]
    present = grid != ABSENT
    width = int(present.sum(1).max())
    tokens = np.full((len(own), width), ABSENT, np.uint8)
    columns = np.zeros((len(own), width), np.uint8)
    for i, row in enumerate(present):
        at = np.flatnonzero(row)
        tokens[i, : len(at)], columns[i, : len(at)] = merge_il(grid[i, at]), at
    # Equal ones once.
    _, first = np.unique(tokens, axis=0, return_index=True)
    first = np.sort(first)
    return own[first], tokens[first], columns[first]


def similar_reads(reads: ReadSet, rows: np.ndarray, locus: int) -> list[Similar]:
    """Reads (rows) that are like V segments of a locus at one place, the most alike first."""
    right = np.clip(reads.right, 0.05, 0.995)
    agrees = np.log(((1 - MUTATED) * right + (1 - right) / 18) / _CHANCE)
    differs = np.log((MUTATED / 18 * right + (1 - right) / 18) / _CHANCE)
    worth = np.where(reads.tokens < N_RESIDUES, agrees, 0.0).sum(1)
    rows = rows[(reads.length[rows] >= SHORTEST) & (reads.length[rows] <= LONGEST)]
    rows = rows[worth[rows] >= SURE_READ]
    own, tokens, columns = _segments_of(locus)
    found = []
    for n in np.unique(reads.length[rows]).tolist():
        part = rows[reads.length[rows] == n]
        weights = np.zeros((len(part), n, N_RESIDUES), np.float32)
        gain = (agrees - differs)[part, :n]
        r, c = np.indices(gain.shape)
        weights[r, c, np.minimum(reads.tokens[part, :n], N_RESIDUES - 1)] = gain
        base = differs[part, :n].sum(1)
        windows = np.lib.stride_tricks.sliding_window_view(tokens, n, axis=1)  # (v, offsets, n)
        best = np.full((len(part), windows.shape[1]), -np.inf)
        which = np.zeros(best.shape, dtype=np.int64)
        for offset in range(windows.shape[1]):
            letters = windows[:, offset]
            hot = np.zeros((len(own), n, N_RESIDUES), np.float32)
            i, j = np.nonzero(letters < N_RESIDUES)
            hot[i, j, letters[i, j]] = 1.0
            score = base[:, None] + weights.reshape(len(part), -1) @ hot.reshape(len(own), -1).T
            score[:, letters[:, -1] >= N_RESIDUES] = -np.inf
            which[:, offset], best[:, offset] = score.argmax(1), score.max(1)
        for k, row in enumerate(part.tolist()):
            at = int(best[k].argmax())
            top = float(best[k, at])
            # Segments with shorter loops have the same columns at neighbouring offsets.
            segment = int(which[k, at])
            where = columns[segment, at : at + n]
            others = [
                float(best[k, o])
                for o in np.flatnonzero(best[k] > top - BEFORE_OTHERS).tolist()
                if abs(int(columns[which[k, o], o]) - int(where[0])) > 1
            ]
            if top >= LIKE and not others:
                found.append(Similar(row, top, int(own[segment]), where.copy()))
    return sorted(found, key=lambda s: (-s.score * float(reads.weight[s.read]), s.read))


def with_similar(
    reads: ReadSet, draft: Draft, depth: np.ndarray, best: np.ndarray, locus: int
) -> Draft:
    """The draft with unread stretches as reads have it that are like other V segments there.

    depth (t,): weight of reads over each position; best (n,): score of each read on all chains.
    """
    rows = np.flatnonzero(best < MIN_SCORE)
    for one in similar_reads(reads, rows, locus):
        inside = (draft.columns >= one.columns[0]) & (draft.columns <= one.columns[-1])
        at = np.flatnonzero(inside)
        if not len(at) or (depth[at] < 1.0).mean() < UNREAD:
            continue
        start, stop = int(at[0]), int(at[-1]) + 1
        tokens = reads.tokens[one.read, : len(one.columns)]
        held = np.isin(one.columns, (23, 41, CYS104))
        anchors = {int(c): int(t) for c, t in zip(one.columns[held], tokens[held], strict=True)}
        if any(
            anchors[int(c)] != t
            for c, t in zip(draft.columns[at], draft.tokens[at], strict=True)
            if int(c) in anchors
        ):
            continue
        row = v_segments().tokens[draft.v]
        germline = row[one.columns]
        draft = draft.spliced(start, stop, tokens, one.columns, germline)
        depth = np.concatenate((depth[:start], np.full(len(tokens), 2.0), depth[stop:]))
    return draft
