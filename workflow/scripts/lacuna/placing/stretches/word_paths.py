"""Paths through the words of reads from one anchor to another.

A path begins with the residues before a stretch and ends with those after it; each residue is one
that reads show behind the last four.
"""

import numpy as np

from lacuna.core.alphabet import ISOLEUCINE, N_RESIDUES
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.aligning.seeds import word_weights

CONTEXT_LENGTH = 4  # residues behind which the next one is looked up
ANCHOR_LENGTH = 4  # residues of an anchor
WALKS_FOLLOWED = 200  # walks that are followed at a time
WALKS_KEPT = 12  # walks that are kept
LONGEST_STRETCH = 75  # residues of a stretch
UNSEEN_WEIGHT = 0.15  # weight of a word that reads never show, as prior of each residue


class WordGraph:
    """Which residue follows, or precedes, four others, by the weight of the reads that show it."""

    def __init__(self, reads: ReadSet) -> None:
        weights = word_weights(reads, CONTEXT_LENGTH + 1)
        self.after = weights.reshape(-1, N_RESIDUES)  # (context, next)
        self.before = weights.reshape(N_RESIDUES, -1).T  # (context, previous)


def paths(
    graph: WordGraph, left: np.ndarray, right: np.ndarray, shortest: int, longest: int
) -> list[np.ndarray]:
    """Stretches between two anchors (ANCHOR_LENGTH residues or more), the likeliest first; none
    with the same four residues twice (`repeats`).

    Walks from the left to the right anchor and from the right to the left one; the lengths are
    those of the stretch between.
    """
    return paths_and_repeats(graph, left, right, shortest, longest)[0]


def repeats(
    graph: WordGraph, left: np.ndarray, right: np.ndarray, shortest: int, longest: int
) -> list[np.ndarray]:
    """The stretches that `paths` leaves out, since they come to the same four residues twice, as
    those of a linker do."""
    return paths_and_repeats(graph, left, right, shortest, longest)[1]


def paths_and_repeats(
    graph: WordGraph, left: np.ndarray, right: np.ndarray, shortest: int, longest: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Both from the same walks: what `paths` and what `repeats` returns."""
    found = _stretches(graph, left, right, shortest, longest)
    straight = [stretch for stretch, again in found if not again]
    return straight[:WALKS_KEPT], [stretch for stretch, again in found if again]


def _stretches(
    graph: WordGraph, left: np.ndarray, right: np.ndarray, shortest: int, longest: int
) -> list[tuple[np.ndarray, bool]]:
    """Stretches between two anchors, the likeliest first, and whether they return."""
    forward = _walk(graph.after, left[-CONTEXT_LENGTH:], right[:ANCHOR_LENGTH], shortest, longest)
    backward = _walk(
        graph.before, right[:CONTEXT_LENGTH], left[-ANCHOR_LENGTH:], shortest, longest, reverse=True
    )
    found: dict[tuple[int, ...], float] = {}
    for score, stretch in forward + [(s, t[::-1]) for s, t in backward]:
        found[stretch] = max(found.get(stretch, -np.inf), score)
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ends = tuple(left[-CONTEXT_LENGTH:].tolist()), tuple(right[:CONTEXT_LENGTH].tolist())
    return [
        (np.array(stretch, dtype=np.uint8), _returns((*ends[0], *stretch, *ends[1])))
        for stretch, _ in ranked
    ]


def _returns(walk: tuple[int, ...]) -> bool:
    """Whether a walk comes to the same four residues twice."""
    contexts = [walk[i : i + CONTEXT_LENGTH] for i in range(len(walk) - CONTEXT_LENGTH + 1)]
    return len(set(contexts)) < len(contexts)


def _walk(
    follow: np.ndarray,
    start: np.ndarray,
    goal: np.ndarray,
    shortest: int,
    longest: int,
    reverse: bool = False,
) -> list[tuple[float, tuple[int, ...]]]:
    """(score, residues of the stretch) of walks from `start` that end with `goal`.

    follow: `after` of a graph, or `before` if walks lead from the right to the left (reverse).
    """
    if (start >= N_RESIDUES).any() or (goal >= N_RESIDUES).any():
        return []
    goal_key = tuple((goal[::-1] if reverse else goal).tolist())
    high = N_RESIDUES ** (
        CONTEXT_LENGTH - 1
    )  # what the first residue of a context counts in its number
    context = np.array([int(start @ N_RESIDUES ** np.arange(CONTEXT_LENGTH - 1, -1, -1))])
    score = np.zeros(1)
    history: list[tuple[int, ...]] = [()]
    done: list[tuple[float, tuple[int, ...]]] = []
    for step in range(longest + len(goal_key)):
        row, residue, score = _next_steps(follow[context], score)
        steps = zip(row.tolist(), residue.tolist(), strict=True)
        history = [(*history[r], x) for r, x in steps]
        if reverse:
            context = residue * high + context[row] // N_RESIDUES
        else:
            context = context[row] % high * N_RESIDUES + residue
        inner = step + 1 - len(goal_key)
        if inner < 0:
            continue
        keep = []
        for i, walked in enumerate(history):
            over = walked[inner:] == goal_key
            if over and inner >= shortest:
                done.append((float(score[i]) / (step + 1), walked[:inner]))
            elif not over:
                keep.append(i)
        if not keep:
            break
        history = [history[i] for i in keep]
        context, score = context[keep], score[keep]
    done.sort(key=lambda item: (-item[0], item[1]))
    return done[:WALKS_KEPT]


def _next_steps(weight: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The likeliest ways by which walks of some scores (n,) go on, WALKS_FOLLOWED at most: of each
    the walk, the residue and the score with it; weight (n, 20): of the reads that show each."""
    total = weight.sum(1, keepdims=True) + UNSEEN_WEIGHT * (N_RESIDUES - 1)
    gain = np.log((weight + 1e-6) / total)
    gain[weight < UNSEEN_WEIGHT] = -np.inf
    gain[:, ISOLEUCINE] = -np.inf
    reached = score[:, None] + gain
    row, residue = np.nonzero(reached > -np.inf)
    value = reached[row, residue]
    order = np.argsort(-value, kind="stable")[:WALKS_FOLLOWED]
    return row[order], residue[order], value[order]
