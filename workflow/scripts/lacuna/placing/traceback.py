"""The steps of an alignment, and the way back over those that were taken."""

import numpy as np

from lacuna.core.alphabet import N_RESIDUES
from lacuna.placing.alignment import (
    BLOCK,
    INSERTED,
    MATCH,
    MISMATCH,
    ON_MISSING,
    OTHER_BLOCK,
    Alignment,
)
from lacuna.placing.readset import MAX_SHIFT

MAX_BLOCK = 4
# Residues of the read and of the chain: a match or mismatch, an insertion, a deletion, blocks.
STEPS = ((1, 1), (1, 0), (0, 1)) + tuple(
    (a, b)
    for a in range(1, MAX_BLOCK + 1)
    for b in range(1, MAX_BLOCK + 1)
    if (a, b) != (1, 1) and abs(a - b) <= MAX_SHIFT
)
A_OF, B_OF = np.array(STEPS).T
INSERTION, DELETION = STEPS.index((1, 0)), STEPS.index((0, 1))
BLOCKS = tuple((i, (a, b)) for i, (a, b) in enumerate(STEPS) if a and b and i)  # with their numbers
NO_STEP = 255  # an alignment begins here


def trace(
    rows: np.ndarray,
    first: np.ndarray,
    score: np.ndarray,
    step: np.ndarray,
    tokens: np.ndarray,
    window: np.ndarray,
    width: int,
    least: float,
) -> tuple[Alignment, np.ndarray]:
    """Walk every read back from its best place.

    rows, first (m,): reads, and positions of the text at the first columns of their windows;
    width: of the result. Returns alignments that score `least` or more, and which of m they are.
    """
    _, m, offsets = score.shape
    flat = score.transpose(1, 0, 2).reshape(m, -1)
    top = flat.argmax(1)
    best = flat[np.arange(m), top]
    keep = np.flatnonzero(best >= least)
    i, w = np.divmod(top[keep], offsets)
    at = np.full((len(keep), width), -1)
    kind = np.zeros((len(keep), width), dtype=np.uint8)
    core_end, span_end = i.copy(), first[keep] + i + w + MAX_BLOCK
    live = np.ones(len(keep), dtype=bool)
    while live.any():
        which = np.flatnonzero(live)
        how = step[i[which], keep[which], w[which]]
        stopped = (how == NO_STEP) | (i[which] == 0)
        live[which[stopped]] = False
        which, how = which[~stopped], how[~stopped]
        a, b = A_OF[how], B_OF[how]
        column = i[which] + w[which] + MAX_BLOCK  # of the window, one past the last residue
        one = how == 0
        rows_one = which[one]
        letter = window[keep[rows_one], column[one] - 1]
        own = tokens[keep[rows_one], i[rows_one] - 1]
        at[rows_one, i[rows_one] - 1] = first[keep[rows_one]] + column[one] - 1
        kind[rows_one, i[rows_one] - 1] = np.where(
            letter >= N_RESIDUES, ON_MISSING, np.where(letter == own, MATCH, MISMATCH)
        )
        for back in range(MAX_BLOCK):
            inside = ~one & (a > back)
            r = which[inside]
            place = np.where(
                b[inside] > back, column[inside] - 1 - back, column[inside] - b[inside]
            )
            at[r, i[r] - 1 - back] = np.where(b[inside] == 0, -1, first[keep[r]] + place)
            kind[r, i[r] - 1 - back] = np.where(
                b[inside] == 0,
                INSERTED,
                np.where(a[inside] == b[inside], BLOCK, OTHER_BLOCK),
            )
        i[which] -= a
        w[which] += a - b
    core = np.stack((i, core_end), 1)
    span = np.stack((first[keep] + i + w + MAX_BLOCK, span_end), 1)
    return Alignment(rows[keep], best[keep], core, span, at, kind), keep
