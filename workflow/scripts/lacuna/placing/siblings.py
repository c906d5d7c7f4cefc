"""Other antibodies of a sample whose chain has the V gene of one that is there.

Their V domains are so alike that their reads lie on that chain, but their CDR3s are their own: a
second CDR3 that reads join to the same V segment on both sides is the sign of another chain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from lacuna.antibody.germlines import j_segments, v_segments
from lacuna.antibody.imgt import CONSTANT, FR4_START, N_IMGT
from lacuna.core.alphabet import ABSENT, merge_il
from lacuna.placing.align import score_tables
from lacuna.placing.carried import BLOCK_TOLERANCE, UNLISTED_MASSES
from lacuna.placing.cdr3 import LONGEST, SHORTEST, holds_fr4, is_joined
from lacuna.placing.draft import Draft
from lacuna.placing.joints import CDR3_JOINT
from lacuna.placing.junction import Path, Surroundings, refined, weigh_paths
from lacuna.placing.populations import MAX_OF_LOCUS
from lacuna.placing.readset import MASSES, ReadSet
from lacuna.placing.word_paths import ANCHOR, WordGraph, paths

ANOTHER_GAIN = 60.0  # nats that reads gain by a second CDR3
APART = 3  # residues by which it differs from all that are there: misread ones differ by fewer
BLOCK = 3  # residues of blocks that are read for each other; longer ones weigh the same by chance
UNEXPLAINED = 8.0  # nats that a read scores less than it could, from which it asks for another

_UNLISTED = np.abs([mass for mass, _ in UNLISTED_MASSES])  # Da


def siblings(reads: ReadSet, drafts: Sequence[Draft], best: np.ndarray) -> list[Draft]:
    """Further chains: the V domain of one that is there, with another CDR3 that reads show.

    best (n,): score of each read on all chains.
    """
    graph = WordGraph(reads.take(np.flatnonzero(_most(reads) - best >= UNEXPLAINED)))
    found: list[Draft] = []
    for draft in drafts:
        of_locus = [d for d in (*drafts, *found) if d.locus == draft.locus]
        if draft.v < 0 or draft.j < 0 or not draft.bridged or len(of_locus) >= MAX_OF_LOCUS:
            continue
        loops = [d.tokens[slice(*d.cdr3())] for d in of_locus]
        tried = [
            (path, one)
            for one in _with_each_j(draft)
            if (path := _another(reads, one, graph, best, loops)) is not None
        ]
        if tried:
            path, one = max(tried, key=lambda item: item[0].gain)
            found.append(one.with_cdr3(path.tokens))
    return found


def _most(reads: ReadSet) -> np.ndarray:
    """(n,) score of each read on a chain that agrees with all of it."""
    agrees, _ = score_tables(reads)
    inside = np.arange(agrees.shape[1]) < reads.length[:, None]
    return np.where(inside, np.maximum(agrees, 0.0), 0.0).sum(1)


def _another(
    reads: ReadSet, draft: Draft, graph: WordGraph, best: np.ndarray, loops: Sequence[np.ndarray]
) -> Path | None:
    """The CDR3 that reads gain most by, around those that are there."""
    start, stop = draft.cdr3()
    around = Surroundings(reads, draft.tokens[:start], draft.tokens[stop:], best, CDR3_JOINT)
    if len(around.left) < ANCHOR or len(around.right) < ANCHOR:
        return None
    tried = paths(graph, around.left, around.right, SHORTEST, LONGEST[draft.locus])
    weighed = weigh_paths(around, [t for t in tried if not holds_fr4(t)])
    for path in weighed:
        if path.gain >= ANOTHER_GAIN and is_joined(path, draft) and _is_new(path, loops):
            path = refined(around, path, longest=LONGEST[draft.locus])
            return path if _is_new(path, loops) else None
    return None


def _is_new(path: Path, loops: Sequence[np.ndarray]) -> bool:
    return all(differing(path.tokens, loop) >= APART for loop in loops)


def differing(one: np.ndarray, other: np.ndarray) -> int:
    """Residues that have to be changed, put in or left out to make one sequence the other.

    A block of equal mass counts nothing and one with a modification that the search did not list a
    single residue: tools read one for the other in all spectra of a peptide (N for GG, oxidised W
    for AM).
    """
    mine, theirs = (np.concatenate(([0.0], np.cumsum(MASSES[t]))) for t in (one, other))
    cost = np.full((len(one) + 1, len(other) + 1), len(one) + len(other))
    cost[0, 0] = 0
    steps = [(a, b) for a in range(BLOCK + 1) for b in range(BLOCK + 1) if a or b]
    for i in range(len(one) + 1):
        for j in range(len(other) + 1):
            for a, b in steps:
                if a > i or b > j:
                    continue
                off = abs((mine[i] - mine[i - a]) - (theirs[j] - theirs[j - b]))
                equal = a and b and off < BLOCK_TOLERANCE
                alike = a and b and (np.abs(off - _UNLISTED) < BLOCK_TOLERANCE).any()
                if equal or alike or max(a, b) == 1:
                    cost[i, j] = min(cost[i, j], cost[i - a, j - b] + (0 if equal else 1))
    return int(cost[-1, -1])


def _with_each_j(draft: Draft) -> Iterator[Draft]:
    """The draft as it is, and with each other FR4 of its species."""
    yield draft
    start = draft.cdr3()[1]
    constant = draft.find(CONSTANT)
    stop = constant if constant >= 0 else len(draft)
    known = {draft.tokens[start:stop].tobytes()}
    for j in _joins(draft.v):
        row = j_segments().tokens[j, FR4_START : N_IMGT + 1]
        columns = FR4_START + np.flatnonzero(row != ABSENT)
        germline = row[row != ABSENT]
        if len(germline) != stop - start or merge_il(germline).tobytes() in known:
            continue
        known.add(merge_il(germline).tobytes())
        yield replace(draft.spliced(start, stop, merge_il(germline), columns, germline), j=j)


@cache
def _joins(v: int) -> tuple[int, ...]:
    """J segments of the species and locus of a V segment."""
    segments, j = v_segments(), j_segments()
    own = (j.species == segments.species[v]) & (j.locus == segments.locus[v])
    return tuple(np.flatnonzero(own).tolist())
