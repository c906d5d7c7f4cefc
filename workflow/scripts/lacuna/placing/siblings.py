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
from lacuna.placing.cdr3 import LONGEST, SHORTEST, holds_fr4, is_joined
from lacuna.placing.draft import Draft, cdr3_germline
from lacuna.placing.joints import CDR3_JOINT
from lacuna.placing.junction import Path, Surroundings, refined, weigh_paths
from lacuna.placing.populations import MAX_OF_LOCUS
from lacuna.placing.readset import ReadSet
from lacuna.placing.word_paths import ANCHOR, WordGraph, paths

ANOTHER_GAIN = 60.0  # nats that reads gain by a second CDR3
APART = 3  # residues by which it differs from all that are there: misread ones differ by fewer
UNEXPLAINED = 8.0  # nats that a read could score beyond what it does, from which it asks for another


def with_other_cdr3(
    reads: ReadSet, drafts: Sequence[Draft], best: np.ndarray
) -> Iterator[tuple[int, Draft, Path]]:
    """Yield chains with another CDR3 that reads show: which one, as a draft, and its path.

    best (n,): score of each read on all chains.
    """
    left_over = np.flatnonzero(_most(reads) - best >= UNEXPLAINED)
    graph = WordGraph(reads.take(left_over))
    for i, draft in enumerate(drafts):
        if draft.v < 0 or draft.j < 0 or not draft.bridged:
            continue
        loops = [d.tokens[slice(*d.cdr3())] for d in drafts if d.locus == draft.locus]
        found = []
        for one in _with_each_j(draft):
            path = _another(reads, one, graph, best, loops)
            if path is not None:
                found.append((path.gain, path, one))
        if found:
            _, path, one = max(found, key=lambda item: item[0])
            yield i, one.with_cdr3(path.tokens), path


def siblings(reads: ReadSet, drafts: Sequence[Draft], best: np.ndarray) -> list[Draft]:
    """Further chains, each of a second CDR3 on the V domain of one that is there."""
    found: list[Draft] = []
    for _, draft, _ in with_other_cdr3(reads, drafts, best):
        if sum(d.locus == draft.locus for d in (*drafts, *found)) < MAX_OF_LOCUS:
            found.append(draft)
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
        if path.gain < ANOTHER_GAIN or not is_joined(path, draft):
            continue
        path = refined(around, path, longest=LONGEST[draft.locus])
        if all(differing(path.tokens, loop) >= APART for loop in loops):
            return path
    return None


def differing(one: np.ndarray, other: np.ndarray) -> int:
    """Residues that have to be changed, put in or left out to make one sequence the other."""
    row = np.arange(len(other) + 1)
    for i, residue in enumerate(one, start=1):
        changed = row[:-1] + (other != residue)
        new = [i]
        for j in range(len(other)):
            new.append(min(int(changed[j]), int(row[j + 1]) + 1, new[j] + 1))
        row = np.array(new)
    return int(row[-1])


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
