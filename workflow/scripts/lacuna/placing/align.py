"""Alignment of reads with chains: local, banded, and aware of masses.

A read is aligned to a stretch of a chain by dynamic programming over steps (a, b): a residues of
the read against b of the chain. (1, 1) is a match or a mismatch; a block of up to four residues
against up to four counts as explained if both weigh the same, with a modification that the search
may not have listed (de novo reads confuse such blocks: N = GG, Q = AG, W = AD, M(ox)L = YP). What
is left is an insertion or a deletion. All reads go through the steps together.

Scores are log odds in nats against residues by chance.
"""

from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import ABSENT, N_RESIDUES, RESIDUES
from lacuna.placing.alignment import Alignment, joined
from lacuna.placing.carried import BIN, Carried
from lacuna.placing.readset import MASSES, ReadSet, running
from lacuna.placing.traceback import (
    A_OF,
    BLOCKS,
    DELETION,
    INSERTION,
    MAX_BLOCK,
    NO_STEP,
    trace,
)

BAND = 3  # residues by which insertions, deletions and blocks may shift a read
# Share of each residue in proteins (UniProtKB/Swiss-Prot 2024_01), I with L: reads that are of no
# chain hold runs of the common ones, which would fit any chain that does.
_SHARES = {
    **{"A": 0.0826, "C": 0.0139, "D": 0.0546, "E": 0.0672, "F": 0.0387, "G": 0.0707, "H": 0.0228},
    **{"I": 0.1555, "K": 0.0580, "L": 0.1555, "M": 0.0241, "N": 0.0406, "P": 0.0475, "Q": 0.0393},
    **{"R": 0.0553, "S": 0.0665, "T": 0.0536, "V": 0.0686, "W": 0.0110, "Y": 0.0292},
}
CHANCE = np.full(256, 1.0)
CHANCE[:N_RESIDUES] = [_SHARES[r] for r in RESIDUES]
MUTATED = 0.04  # of a residue to differ from the one a template has
BLOCK_SCORE = 1.2  # nats of a block of equal mass; about 3 % of blocks are wrong so, 1 % by chance
OTHER_LENGTH = -0.7  # nats more for one of another length
GAP = -5.5  # nats of an inserted or deleted residue
MISSING_SCORE = -0.2  # nats of a residue on an unknown one
MIN_SCORE = 12.0  # nats of a core that is placed
MARGIN = BAND + MAX_BLOCK  # residues of the text that are looked at on both sides of a diagonal
MAX_BATCH = 4096
BEYOND = 255  # token of a window where the text has ended


@dataclass(frozen=True, slots=True)
class _Running:
    """Running masses of m reads (m, n + 1) and windows of a text (m, w + 1), in Da and in whole
    steps of `carried.BIN`."""

    reads: np.ndarray
    text: np.ndarray
    reads_in_steps: np.ndarray
    text_in_steps: np.ndarray

    @classmethod
    def of(cls, reads: np.ndarray, text: np.ndarray) -> "_Running":
        return cls(reads, text, *(np.rint(x / BIN).astype(np.int32) for x in (reads, text)))

    def in_steps(self, i: int, a: int, ends: slice, b: int) -> np.ndarray:
        """(m, columns) steps by which blocks of a residues of the reads, up to residue i, are
        heavier than those of b residues of the text that end at columns `ends`."""
        own = self.reads_in_steps[:, i] - self.reads_in_steps[:, i - a]
        starts = slice(ends.start - b, ends.stop - b)
        difference: np.ndarray = self.text_in_steps[:, starts] - self.text_in_steps[:, ends]
        difference += own[:, None]
        return difference


def _score_tables(reads: ReadSet) -> tuple[np.ndarray, np.ndarray]:
    """(n, w) nats of a residue that agrees with the template, and of one that does not."""
    right = np.clip(reads.right, 0.05, 0.995)
    chance = CHANCE[reads.tokens]
    wrong = (1 - right) * chance  # what a read has by mistake is like any other residue
    agrees = np.log(((1 - MUTATED) * right + MUTATED * wrong) / chance)
    differs = np.log(((1 - MUTATED) * wrong + MUTATED / (N_RESIDUES - 2) * right) / chance)
    return agrees, differs


def align(
    reads: ReadSet,
    rows: np.ndarray,
    diagonals: np.ndarray,
    text: np.ndarray,
    least: float = MIN_SCORE,
) -> Alignment:
    """The best local alignment of each read (rows) near a diagonal of the text.

    rows, diagonals (m,): read, and the position of the text under its first residue; text (t,)
    tokens with L for I. Alignments whose core scores less than `least` are left out.
    """
    found, _ = align_each(reads, rows, diagonals, text, least)
    return found.take(np.lexsort((found.span[:, 0], found.read)))


def align_each(
    reads: ReadSet,
    rows: np.ndarray,
    diagonals: np.ndarray,
    text: np.ndarray,
    least: float = MIN_SCORE,
) -> tuple[Alignment, np.ndarray]:
    """As `align`, in any order, and which of the m reads and diagonals each alignment is of."""
    order = np.argsort(reads.length[rows], kind="stable")
    found, which = [], [np.empty(0, dtype=np.int64)]
    for start in range(0, len(order), MAX_BATCH):
        part = order[start : start + MAX_BATCH]
        one, kept = _align_batch(reads, rows[part], diagonals[part], text, least)
        found.append(one)
        which.append(part[kept])
    return joined(found, reads.tokens.shape[1]), np.concatenate(which)


def _align_batch(
    reads: ReadSet, rows: np.ndarray, diagonals: np.ndarray, text: np.ndarray, least: float
) -> tuple[Alignment, np.ndarray]:
    m, width = len(rows), reads.tokens.shape[1]
    n = int(reads.length[rows].max())
    offsets = 2 * BAND + 1
    tokens = reads.tokens[rows, :n]
    agrees, differs = (x[:, :n] for x in _score_tables(reads.take(rows)))
    r_mass = running(MASSES[tokens] + reads.delta[rows, :n])
    # The window of the text: column c is position diagonal - BAND - MAX_BLOCK + c.
    first = diagonals - MARGIN
    window = _window(text, first, n + 2 * MARGIN)
    # An unknown residue weighs so much that no block holds it.
    t_mass = running(np.where(window < N_RESIDUES, MASSES[window], 1e4))
    masses = _Running.of(r_mass, t_mass)
    carried = Carried.of(reads, window)

    score = np.full((n + 1, m, offsets), 0.0)
    step = np.full((n + 1, m, offsets), NO_STEP, dtype=np.uint8)
    beyond = np.arange(n) >= reads.length[rows][:, None]  # (m, n)
    for i in range(1, n + 1):
        # Place w of the band: i residues of the read end at column i + w + MAX_BLOCK.
        end = slice(i + MAX_BLOCK, i + MAX_BLOCK + offsets)
        letter = window[:, end.start - 1 : end.stop - 1]
        same = letter == tokens[:, i - 1, None]
        one = np.where(same, agrees[:, i - 1, None], differs[:, i - 1, None])
        one = np.where(letter >= N_RESIDUES, np.where(letter == BEYOND, -50.0, MISSING_SCORE), one)
        best = score[i - 1] + one
        how = np.zeros((m, offsets), dtype=np.uint8)
        came = score[i - 1][:, 1:]  # an insertion comes from the place of the band behind it
        gain = np.where(came > 0, came + GAP, -1e9)
        _take_better(best[:, :-1], how[:, :-1], gain, INSERTION)
        _take_blocks(best, how, score, i, masses, carried, reads.shift)
        _delete(best, how, letter)
        stop = (best <= 0) | beyond[:, i - 1, None]
        best[stop] = 0.0
        how[stop] = NO_STEP
        score[i], step[i] = best, how
    return trace(rows, first, score, step, tokens, window, width, least)


def _take_blocks(
    best: np.ndarray,
    how: np.ndarray,
    score: np.ndarray,
    i: int,
    masses: _Running,
    carried: Carried,
    most_shift: int,
) -> None:
    """Take blocks of equal mass wherever they score more; best, how: in place.

    score: of all ends of the reads up to residue i.
    """
    offsets = best.shape[1]
    found = []
    for step, (a, b) in BLOCKS:
        if a > i or abs(a - b) > most_shift:
            continue
        shift = b - a  # the place in the band that the step comes from is w - shift
        low, high = max(0, shift), min(offsets, offsets + shift)
        worth = BLOCK_SCORE + (OTHER_LENGTH if a != b else 0.0)
        before = score[i - a][:, low - shift : high - shift]
        useful = before + worth > best[:, low:high] + 1e-9
        if a < i:  # a core begins with a block at the start of a read only
            useful &= before > 0
        ends = slice(i + MAX_BLOCK + low, i + MAX_BLOCK + high)
        useful &= carried.possible(masses.in_steps(i, a, ends, b))
        row, place = np.nonzero(useful)
        if len(row):
            sizes = np.full(len(row), b), np.full(len(row), step, dtype=np.uint8)
            found.append((row, place + low, place + ends.start, before[row, place] + worth, *sizes))
    if not found:
        return
    row, place, right, gain, width, number = map(np.concatenate, zip(*found, strict=True))
    off = masses.reads[row, i] - masses.reads[row, i - A_OF[number]]
    off -= masses.text[row, right] - masses.text[row, right - width]
    gain += carried.nats(off, row, right, width)
    better = np.flatnonzero(gain > best[row, place] + 1e-9)
    # Of blocks that end at one place the best is taken, and of equals the first.
    better = better[np.lexsort((-better, gain[better]))]
    best[row[better], place[better]] = gain[better]
    how[row[better], place[better]] = number[better]


def _window(text: np.ndarray, first: np.ndarray, span: int) -> np.ndarray:
    """(m, span) tokens of the text from positions first (m,) on, BEYOND where nothing lies."""
    index = first[:, None] + np.arange(span)
    inside = (index >= 0) & (index < len(text))
    window = np.where(inside, text[np.clip(index, 0, len(text) - 1)], ABSENT)
    return np.where(window == ABSENT, BEYOND, window).astype(np.uint8)


def _take_better(best: np.ndarray, how: np.ndarray, gain: np.ndarray, step: int) -> None:
    """Take a step wherever its score `gain` is higher; best, how: scores and steps, in place."""
    better = gain > best + 1e-9
    best[better], how[better] = gain[better], step


def _delete(best: np.ndarray, how: np.ndarray, letter: np.ndarray) -> None:
    """Leave residues of the text (letter) out where that scores more; best, how: in place.

    A deletion comes from the place of the band before it, after the same residue of the read.
    """
    for w in range(1, best.shape[1]):
        gain = np.where(letter[:, w] == BEYOND, -1e9, best[:, w - 1] + GAP)
        better = gain > best[:, w]
        best[better, w], how[better, w] = gain[better], DELETION
