"""Reads of unread stretches that differ too much from the template to be placed by it.

The peptides of one protease abut and never overlap, so no read leads from a framework into a
mutated loop. A read that fits no chain is laid on all V segments: where it is like one of them, its
columns tell where it belongs. Only stretches that nothing else tells are replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lacuna.antibody.germlines import LOCI, v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.placing.align import MIN_SCORE
from lacuna.placing.draft import HELD, Draft
from lacuna.placing.readset import ReadSet, merge_il

SHORTEST = 7  # residues of a read that is laid on segments
LONGEST = 24
MUTATED = 0.35  # of residues to differ from the segment that is nearest there
MOST = 400  # reads that are laid on all segments, the surest
SURE_READ = 14.0  # nats of a read against chance if every residue of it were right
LIKE = 10.0  # nats by which a read is like a segment
BEFORE_OTHERS = 2.5  # nats more than at any other columns of any segment
NEAR = 2  # positions beside it, one of which another read must tell
UNREAD = 0.6  # share of the residues under a read that no other read tells
_CHANCE = 1.0 / 19.0


@dataclass(frozen=True, slots=True)
class Similar:
    """A read that is like V segments of a locus: its row, nats, and the columns under it."""

    read: int
    score: float
    locus: int
    columns: np.ndarray


@cache
def _segments_of(locus: int) -> tuple[np.ndarray, np.ndarray]:
    """Different V segments of a locus up to Cys104 without gaps: (n, w) tokens and columns."""
    segments = v_segments()
    grid = segments.tokens[segments.locus == locus][:, : CYS104 + 1]
    present = grid != ABSENT
    tokens = np.full((len(grid), int(present.sum(1).max())), ABSENT, np.uint8)
    columns = np.zeros(tokens.shape, np.uint8)
    for i, row in enumerate(present):
        at = np.flatnonzero(row)
        tokens[i, : len(at)], columns[i, : len(at)] = merge_il(grid[i, at]), at
    _, first = np.unique(tokens, axis=0, return_index=True)
    return tokens[np.sort(first)], columns[np.sort(first)]


def similar_reads(reads: ReadSet, rows: np.ndarray, loci: Sequence[int]) -> list[Similar]:
    """Reads (rows) that are like V segments at one place, the most alike first."""
    right = np.clip(reads.right, 0.05, 0.995)
    worth = np.where(reads.tokens < N_RESIDUES, np.log(right / _CHANCE), 0.0).sum(1)
    rows = rows[(reads.length[rows] >= SHORTEST) & (reads.length[rows] <= LONGEST)]
    rows = rows[worth[rows] >= SURE_READ] if loci else rows[:0]
    rows = np.sort(rows[np.argsort(-worth[rows] * reads.weight[rows], kind="stable")][:MOST])
    found = []
    for n in np.unique(reads.length[rows]).tolist():
        part = rows[reads.length[rows] == n]
        places = [(locus, *_best_places(reads, part, locus, n)) for locus in loci]
        for k, row in enumerate(part.tolist()):
            tops = [(float(score[k].max()), locus) for locus, score, _ in places]
            top, locus = max(tops)
            if top < LIKE:
                continue
            at = next((int(s[k].argmax()), c) for where, s, c in places if where == locus)
            columns = at[1][k, at[0]]
            rival = max(
                float(score[k, o])
                for where, score, under in places
                for o in range(score.shape[1])
                if where != locus or abs(int(under[k, o, 0]) - int(columns[0])) > 1
            )
            if rival < top - BEFORE_OTHERS:
                found.append(Similar(row, top, locus, columns.copy()))
    return sorted(found, key=lambda s: (-s.score * float(reads.weight[s.read]), s.read))


def _best_places(
    reads: ReadSet, rows: np.ndarray, locus: int, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of reads of n residues at each offset along V segments: (rows, offsets) nats on the segment
    that is most alike there, and its columns (rows, offsets, n)."""
    tokens, columns = _segments_of(locus)
    right = np.clip(reads.right[rows, :n], 0.05, 0.995)
    agrees = np.log(((1 - MUTATED) * right + (1 - right) / 18) / _CHANCE)
    differs = np.log((MUTATED / 18 * right + (1 - right) / 18) / _CHANCE)
    weights = np.zeros((len(rows), n, N_RESIDUES), np.float32)
    r, c = np.indices(right.shape)
    weights[r, c, np.minimum(reads.tokens[rows, :n], N_RESIDUES - 1)] = agrees - differs
    offsets = tokens.shape[1] - n + 1
    best = np.full((len(rows), offsets), -np.inf)
    under = np.zeros((len(rows), offsets, n), dtype=np.uint8)
    for offset in range(offsets):
        letters = tokens[:, offset : offset + n]
        hot = np.zeros((len(tokens), n, N_RESIDUES), np.float32)
        i, j = np.nonzero(letters < N_RESIDUES)
        hot[i, j, letters[i, j]] = 1.0
        score = weights.reshape(len(rows), -1) @ hot.reshape(len(tokens), -1).T
        score[:, letters[:, -1] >= N_RESIDUES] = -np.inf
        which = score.argmax(1)
        best[:, offset] = score[np.arange(len(rows)), which] + differs.sum(1)
        under[:, offset] = columns[which, offset : offset + n]
    return best, under


def with_similar(
    reads: ReadSet, drafts: Sequence[Draft], depths: Sequence[np.ndarray], best: np.ndarray
) -> list[Draft]:
    """Drafts with unread stretches as reads have it that fit their columns.

    depths (t,) of each draft: weight of reads over each position; best (n,): score of each read on
    all chains.
    """
    current, depth = list(drafts), list(depths)
    loci = sorted({LOCI.index(d.locus) for d in drafts if d.v >= 0})
    found = similar_reads(reads, np.flatnonzero(best < MIN_SCORE), loci)
    # Those of the chain's own length first: a block of another length shifts what is behind it.
    for one in sorted(found, key=lambda s: _longer(current, s)):
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
            beside = depth[i][max(start - NEAR, 0) : start], depth[i][stop : stop + NEAR]
            if max(part.max(initial=0.0) for part in beside) < 1.0:
                continue
            germline = v_segments().tokens[draft.v][one.columns]
            current[i] = draft.spliced(start, stop, tokens, one.columns, germline)
            depth[i] = np.concatenate(
                (depth[i][:start], np.full(len(tokens), 2.0), depth[i][stop:])
            )
            break
    return current


def _longer(drafts: Sequence[Draft], one: Similar) -> int:
    """By how many residues chains of its locus are longer or shorter under a read."""
    return min(
        abs(
            int(((d.columns >= one.columns[0]) & (d.columns <= one.columns[-1])).sum())
            - len(one.columns)
        )
        for d in drafts
        if d.v >= 0 and LOCI.index(d.locus) == one.locus
    )


def _keeps_held(draft: Draft, at: np.ndarray, columns: np.ndarray, tokens: np.ndarray) -> bool:
    """Whether the residues that no antibody changes stay under a read."""
    new = {int(c): int(t) for c, t in zip(columns, tokens, strict=True) if int(c) in HELD}
    old = {int(draft.columns[i]): int(draft.tokens[i]) for i in at if draft.columns[i] in HELD}
    return new == old
