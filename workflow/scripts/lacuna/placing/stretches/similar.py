"""Reads of unread stretches that differ too much from the template to be placed by it.

The peptides of one protease abut and never overlap, so no read leads from a framework into a
mutated loop. A read that fits no chain is compared with all V segments: where it is like one of
them, its columns say where it belongs. Only stretches that no other read covers are replaced.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lacuna.antibody.germlines import LOCI, v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, N_RESIDUES, merge_il
from lacuna.placing.aligning.align import MIN_SCORE
from lacuna.placing.aligning.readset import LEAST_RIGHT, MOST_RIGHT, ReadSet
from lacuna.placing.votes.draft import HELD, Draft

SHORTEST_READ = 7  # residues of a read that is compared with segments
LONGEST_READ = 24  # the same at most
MUTATED_SHARE = 0.35  # of residues to differ from the segment that is nearest there
MOST_READS = 400  # reads that are compared with all segments, the most certain
MIN_WORTH = 14.0  # nats of a read against chance if every residue of it were right
# Nats by which a read is like a segment: of 400 reads at 80 places of 300 segments (1e7, 16 nats)
# hardly one reaches as much by chance.
LIKE_NATS = 15.0
ABUTTING_NATS = 1.5  # nats for each end that begins or stops right where other reads do
AHEAD_NATS = 2.5  # nats more than at any other unread place
UNREAD_SHARE = 0.6  # share of the residues under a read that no other read covers
NEAR_POSITIONS = 2  # positions on either side of it, one of which another read must cover
COVERED_WEIGHT = 1.0  # weight of reads from which a position counts as covered
_CHANCE = 1.0 / 19.0  # of a residue to be the same by chance: I and L count as one


@dataclass(frozen=True, slots=True)
class Similar:
    """A read that is like a V segment at an unread place of a chain.

    read: its row; score: nats; columns (length of the read,): those under it.
    """

    read: int
    score: float
    chain: int
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


def similar_reads(
    reads: ReadSet, rows: np.ndarray, drafts: Sequence[Draft], depths: Sequence[np.ndarray]
) -> list[Similar]:
    """Reads (rows) that are like V segments at one unread place of the chains.

    depths (t,) of each draft: weight of reads over each position. The most alike come first.
    """
    rows = _most_certain(reads, rows)
    loci = sorted({LOCI.index(draft.locus) for draft in drafts})
    found: list[Similar] = []
    for n in np.unique(reads.length[rows]).tolist():
        part = rows[reads.length[rows] == n]
        places = {locus: _best_places(reads, part, locus, n) for locus in loci}
        for k, row in enumerate(part.tolist()):
            of_read = {locus: (score[k], under[k]) for locus, (score, under) in places.items()}
            found += _only_one(_unread_places(row, of_read, drafts, depths))
    return sorted(found, key=lambda x: (-x.score * float(reads.weight[x.read]), x.read))


def _most_certain(reads: ReadSet, rows: np.ndarray) -> np.ndarray:
    """The reads (rows) that are compared with segments, ascending."""
    right = np.clip(reads.right, LEAST_RIGHT, MOST_RIGHT)
    worth = np.where(reads.tokens < N_RESIDUES, np.log(right / _CHANCE), 0.0).sum(1)
    rows = rows[(reads.length[rows] >= SHORTEST_READ) & (reads.length[rows] <= LONGEST_READ)]
    rows = rows[worth[rows] >= MIN_WORTH]
    return np.sort(rows[np.argsort(-worth[rows] * reads.weight[rows], kind="stable")][:MOST_READS])


def _unread_places(
    read: int,
    of_read: Mapping[int, tuple[np.ndarray, np.ndarray]],
    drafts: Sequence[Draft],
    depths: Sequence[np.ndarray],
) -> list[Similar]:
    """Unread places of the chains at which a read is like a segment.

    of_read: what `_best_places` gives of it, by locus: (offsets,) and (offsets, n).
    """
    found = []
    for i, draft in enumerate(drafts):
        score, under = of_read[LOCI.index(draft.locus)]
        for o in np.flatnonzero(score >= LIKE_NATS - 2 * ABUTTING_NATS).tolist():
            nats = _fit(draft, depths[i], under[o])
            if nats is not None:
                found.append(Similar(read, float(score[o]) + nats, i, under[o].copy()))
    return found


def _only_one(places: Sequence[Similar]) -> list[Similar]:
    """The best of some places of a read, if it is good and none of another chain or further than a
    column away is nearly as good."""
    best = max(places, key=lambda p: (p.score, -p.chain), default=None)
    if best is None or best.score < LIKE_NATS:
        return []
    others = (
        p.score
        for p in places
        if p.chain != best.chain or abs(int(p.columns[0]) - int(best.columns[0])) > 1
    )
    return [best] if max(others, default=-np.inf) < best.score - AHEAD_NATS else []


def _fit(draft: Draft, depth: np.ndarray, columns: np.ndarray) -> float | None:
    """Nats for ends that abut other reads; None if the place is of another length than the read,
    other reads cover it, or none is near it."""
    at = _under(draft, columns)
    if len(at) != len(columns) or (depth[at] < COVERED_WEIGHT).mean() < UNREAD_SHARE:
        return None
    start, stop = int(at[0]), int(at[-1]) + 1
    before, behind = (
        depth[max(start - NEAR_POSITIONS, 0) : start],
        depth[stop : stop + NEAR_POSITIONS],
    )
    if max(before.max(initial=0.0), behind.max(initial=0.0)) < COVERED_WEIGHT:
        return None
    abuts = bool(len(before) and before[-1] >= COVERED_WEIGHT > depth[start])
    abuts_too = bool(len(behind) and behind[0] >= COVERED_WEIGHT > depth[stop - 1])
    return ABUTTING_NATS * (abuts + abuts_too)


def _under(draft: Draft, columns: np.ndarray) -> np.ndarray:
    """Positions of a draft from the first to the last of some columns."""
    return np.flatnonzero((draft.columns >= columns[0]) & (draft.columns <= columns[-1]))


def _best_places(
    reads: ReadSet, rows: np.ndarray, locus: int, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of reads of n residues at each offset along V segments: (rows, offsets) nats on the segment
    that is most alike there, and its columns (rows, offsets, n)."""
    tokens, columns = _segments_of(locus)
    right = np.clip(reads.right[rows, :n], LEAST_RIGHT, MOST_RIGHT)
    agrees = np.log(((1 - MUTATED_SHARE) * right + (1 - right) / 18) / _CHANCE)
    differs = np.log((MUTATED_SHARE / 18 * right + (1 - right) / 18) / _CHANCE)
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
    """Drafts whose unread stretches are replaced by reads that fit their columns.

    depths (t,) of each draft: weight of reads over each position; best (n,): score of each read on
    all chains.
    """
    current, depth = list(drafts), list(depths)
    for one in similar_reads(reads, np.flatnonzero(best < MIN_SCORE), drafts, depths):
        tokens = reads.tokens[one.read, : len(one.columns)]
        draft, covering = current[one.chain], depth[one.chain]
        at = _under(draft, one.columns)
        if not len(at) or (covering[at] < COVERED_WEIGHT).mean() < UNREAD_SHARE:
            continue  # an earlier one is there
        if not _keeps_held(draft, at, one.columns, tokens):
            continue
        start, stop = int(at[0]), int(at[-1]) + 1
        germline = v_segments().tokens[draft.v][one.columns]
        current[one.chain] = draft.spliced(start, stop, tokens, one.columns, germline)
        depth[one.chain] = np.concatenate(
            (covering[:start], np.full(len(tokens), 2 * COVERED_WEIGHT), covering[stop:])
        )
    return current


def _keeps_held(draft: Draft, at: np.ndarray, columns: np.ndarray, tokens: np.ndarray) -> bool:
    """Whether a read leaves the residues that no antibody changes as they are."""
    new = {int(c): int(t) for c, t in zip(columns, tokens, strict=True) if int(c) in HELD}
    old = {int(draft.columns[i]): int(draft.tokens[i]) for i in at if draft.columns[i] in HELD}
    return new == old
