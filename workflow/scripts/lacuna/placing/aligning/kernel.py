"""The compiled part of `align`: one read after another on its stretch of the text.

The recursion is that of Smith and Waterman in a band, with blocks beside single residues. Place w
of the band holds, after i residues of the read, an alignment that ends at column i + w + MAX_BLOCK
of the read's window: the stretch of the text from PADDING before its diagonal on.
"""

import numpy as np

from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.placing.aligning.alignment import (
    BLOCK,
    INSERTED,
    MATCH,
    MISMATCH,
    ON_MISSING,
    OTHER_BLOCK,
)
from lacuna.placing.aligning.carried import BIN, BLOCK_TOLERANCE, REACH_BINS, Carried
from lacuna.placing.aligning.compiled import compiled
from lacuna.placing.aligning.readset import MASSES, MAX_SHIFT

BAND = 3  # residues by which insertions, deletions and blocks may shift a read
MAX_BLOCK = 4
PADDING = BAND + MAX_BLOCK  # residues of the text that are looked at on both sides of a diagonal
BLOCK_SCORE = 1.2  # nats of a block of equal mass; about 3 % of blocks are wrong so, 1 % by chance
OTHER_LENGTH_SCORE = -0.7  # nats more for one of another length
GAP_SCORE = -5.5  # nats of an inserted or deleted residue
MISSING_SCORE = -0.2  # nats of a residue on an unknown one
BEYOND_SCORE = -50.0  # nats of a residue where the text has ended
LEAST_GAIN = 1e-9  # nats by which a step must be better than a simpler one
_OFFSETS = 2 * BAND + 1
_BEYOND = 255  # token of a window where the text has ended
_UNKNOWN_MASS = 1e4  # Da of an unknown residue: no block holds it

# Residues of the read and of the chain: a match or mismatch, an insertion, a deletion, blocks.
_STEPS = ((1, 1), (1, 0), (0, 1)) + tuple(
    (a, b)
    for a in range(1, MAX_BLOCK + 1)
    for b in range(1, MAX_BLOCK + 1)
    if (a, b) != (1, 1) and abs(a - b) <= MAX_SHIFT
)
_ONE, _INSERTION, _DELETION, _FIRST_BLOCK = range(4)
_NO_STEP = 255  # an alignment begins here
# Compiled code is kept until this file changes, with what it holds of other modules: a test asks
# that this is the number of their constants, so that a change of one is a change here.
OF_OTHER_MODULES = 807305929
_A, _B = (np.array(sizes) for sizes in zip(*_STEPS, strict=True))


@compiled
def align_reads(
    tokens: np.ndarray,
    written: np.ndarray,
    length: np.ndarray,
    delta: np.ndarray,
    agrees: np.ndarray,
    differs: np.ndarray,
    diagonals: np.ndarray,
    text: np.ndarray,
    shift: int,
    least: float,
    carried: Carried,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(m,) scores in nats, 0 below `least`; (m, 2) core and span; (m, w) at and kind, as in
    `Alignment`.

    tokens, written, delta, agrees, differs (m, w), length, diagonals (m,): of `ReadSet`, nats of a
    residue that agrees with the text and of one that does not, and the position of the text (t,)
    under the first residue. shift: residues by which blocks may differ in length. carried: by the
    chains' residues.
    """
    m, width = tokens.shape
    scores = np.zeros(m)
    core, span = np.zeros((m, 2), np.int64), np.zeros((m, 2), np.int64)
    at, kind = np.full((m, width), -1, np.int64), np.zeros((m, width), np.uint8)
    window = np.empty(width + 2 * PADDING, np.uint8)
    t_mass, r_mass = np.zeros(len(window) + 1), np.zeros(width + 1)
    t_bins, r_bins = np.zeros(len(window) + 1, np.int32), np.zeros(width + 1, np.int32)
    score, step = np.zeros((width + 1, _OFFSETS)), np.empty((width + 1, _OFFSETS), np.uint8)
    step[0] = _NO_STEP
    for r in range(m):
        n, first = length[r], diagonals[r] - PADDING
        _lay_out(text, first, n + 2 * PADDING, window, t_mass, t_bins)
        _weigh_read(tokens[r], delta[r], n, r_mass, r_bins)
        top, end, place = 0.0, 0, 0
        for i in range(1, n + 1):
            for w in range(_OFFSETS):
                right = i + w + MAX_BLOCK
                letter = window[right - 1]
                if letter == _BEYOND:
                    single = BEYOND_SCORE
                elif letter >= N_RESIDUES:
                    single = MISSING_SCORE
                elif letter == tokens[r, i - 1] or letter == written[r, i - 1]:
                    single = agrees[r, i - 1]
                else:
                    single = differs[r, i - 1]
                best, how = score[i - 1, w] + single, _ONE
                # An insertion comes from the place of the band behind it.
                if w + 1 < _OFFSETS and score[i - 1, w + 1] > 0:
                    if score[i - 1, w + 1] + GAP_SCORE > best + LEAST_GAIN:
                        best, how = score[i - 1, w + 1] + GAP_SCORE, _INSERTION
                needed = best + LEAST_GAIN
                for s in range(_FIRST_BLOCK, len(_A)):
                    a, b = _A[s], _B[s]
                    before = w - b + a  # the place in the band that the block comes from
                    if a > i or abs(a - b) > shift or before < 0 or before >= _OFFSETS:
                        continue
                    came = score[i - a, before]
                    # A core begins with a block at the start of a read only.
                    if came <= 0 and a < i:
                        continue
                    gain = came + (BLOCK_SCORE + (OTHER_LENGTH_SCORE if a != b else 0.0))
                    if gain <= needed:
                        continue
                    # Rounded masses first: few blocks are possible.
                    off = r_bins[i] - r_bins[i - a] - t_bins[right] + t_bins[right - b] + REACH_BINS
                    if off < 0 or off >= len(carried.possible) or not carried.possible[off]:
                        continue
                    exact = r_mass[i] - r_mass[i - a] - (t_mass[right] - t_mass[right - b])
                    gain += nats_of_carried(exact, window[right - b : right], carried)
                    # Of equal blocks the first.
                    if gain > needed and (how < _FIRST_BLOCK or gain > best):
                        best, how = gain, s
                score[i, w], step[i, w] = best, how
            for w in range(1, _OFFSETS):
                # A deletion comes from the place before it, after the same residue of the read.
                gain = score[i, w - 1] + GAP_SCORE
                if window[i + w + MAX_BLOCK - 1] != _BEYOND and gain > score[i, w]:
                    score[i, w], step[i, w] = gain, _DELETION
            for w in range(_OFFSETS):
                if score[i, w] <= 0:
                    score[i, w], step[i, w] = 0.0, _NO_STEP
                elif score[i, w] > top:
                    top, end, place = score[i, w], i, w
        if top < least:
            continue
        scores[r] = top
        core[r, 1], span[r, 1] = end, first + end + place + MAX_BLOCK
        i, w = _walk(tokens[r], written[r], window, step, end, place, first, at[r], kind[r])
        core[r, 0], span[r, 0] = i, first + i + w + MAX_BLOCK
    return scores, core, span, at, kind


@compiled
def _lay_out(
    text: np.ndarray,
    first: int,
    n: int,
    window: np.ndarray,
    mass: np.ndarray,
    bins: np.ndarray,
) -> None:
    """Write the n tokens of the text from `first` on into a window, with its running masses (Da)
    and these in BINs; in place."""
    for c in range(n):
        position = first + c
        token = text[position] if 0 <= position < len(text) else ABSENT
        window[c] = _BEYOND if token == ABSENT else token
        mass[c + 1] = mass[c] + (MASSES[token] if token < N_RESIDUES else _UNKNOWN_MASS)
        bins[c + 1] = round(mass[c + 1] / BIN)


@compiled
def _weigh_read(
    tokens: np.ndarray, delta: np.ndarray, n: int, mass: np.ndarray, bins: np.ndarray
) -> None:
    """Write the running masses of the n residues of a read with what they carry; in place."""
    for i in range(n):
        mass[i + 1] = mass[i] + (MASSES[tokens[i]] + delta[i])
        bins[i + 1] = round(mass[i + 1] / BIN)


@compiled
def nats_of_carried(off: float, letters: np.ndarray, carried: Carried) -> float:
    """Nats of a block of the read that is `off` Da heavier than these letters of the text, -inf if
    the mass does not fit."""
    nats = 0.0 if abs(off) < BLOCK_TOLERANCE else -np.inf
    for k in range(len(carried.masses)):
        held = 0
        for letter in letters:
            held += carried.carriers[k, letter]
        # Every cysteine carries it; of other residues one does.
        mass = carried.masses[k] * (held if carried.costs[k] == 0.0 else 1)
        if held > 0 and abs(off - mass) < BLOCK_TOLERANCE:
            nats = max(nats, carried.costs[k])
    return nats


@compiled
def _walk(
    tokens: np.ndarray,
    written: np.ndarray,
    window: np.ndarray,
    step: np.ndarray,
    i: int,
    w: int,
    first: int,
    at: np.ndarray,
    kind: np.ndarray,
) -> tuple[int, int]:
    """Write what lies under each residue of a read, from the best end (i, w) to the beginning of
    its alignment, which is returned; at, kind: of one read, in place."""
    while step[i, w] != _NO_STEP:
        how, column = step[i, w], i + w + MAX_BLOCK
        a, b = _A[how], _B[how]
        for back in range(a):
            residue = i - 1 - back
            if b == 0:
                kind[residue] = INSERTED
                continue
            under = max(column - 1 - back, column - b)
            at[residue] = first + under
            if how != _ONE:
                kind[residue] = BLOCK if a == b else OTHER_BLOCK
            elif window[under] >= N_RESIDUES:
                kind[residue] = ON_MISSING
            else:
                same = window[under] == tokens[residue] or window[under] == written[residue]
                kind[residue] = MATCH if same else MISMATCH
        i, w = i - a, w + a - b
    return i, w
