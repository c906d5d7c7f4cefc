"""Alignment of reads with chains: local, banded, and aware of masses.

A read is aligned to a stretch of a chain by dynamic programming over steps (a, b): a residues of
the read against b of the chain. (1, 1) is a match or a mismatch; a block of up to four residues
against up to four counts as explained if both weigh the same, with a modification that the search
may not have listed (de novo reads confuse such blocks: N = GG, Q = AG, W = AD, M(ox)L = YP). What
is left is an insertion or a deletion. All reads go through the steps together.

Scores are log odds in nats against residues by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import ABSENT, N_RESIDUES, RESIDUES
from lacuna.core.masses import DEAMIDATION, OXIDATION
from lacuna.placing.readset import MASSES, MAX_SHIFT, ReadSet

BAND = 3  # residues by which insertions, deletions and blocks may shift a read
MAX_BLOCK = 4
BLOCK_TOLERANCE = 0.025  # Da: a block of a read that weighs as much as one of the chain
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
UNLISTED = -1.6  # nats more for a modification that the tool did not report
GAP = -5.5  # nats of an inserted or deleted residue
MISSING_SCORE = -0.2  # nats of a residue on an unknown one
MIN_SCORE = 12.0  # nats of a core that is placed
MARGIN = BAND + MAX_BLOCK  # residues of the text that are looked at on both sides of a diagonal
MAX_BATCH = 4096

UNALIGNED, MATCH, MISMATCH, BLOCK, OTHER_BLOCK, INSERTED, ON_MISSING = range(7)

STEPS = ((1, 1), (1, 0), (0, 1)) + tuple(
    (a, b)
    for a in range(1, MAX_BLOCK + 1)
    for b in range(1, MAX_BLOCK + 1)
    if (a, b) != (1, 1) and abs(a - b) <= MAX_SHIFT
)


def _counts(residues: str) -> np.ndarray:
    """(256,): 1 for the tokens of some residues."""
    table = np.zeros(256)
    table[[RESIDUES.index(r) for r in residues]] = 1
    return table


_CYSTEINE = _counts("C")
# What a search may not list, in Da, and the residues that carry it (Unimod 7, 35, 425, 526):
# deamidation, oxidation, dioxidation, loss of methanethiol.
UNLISTED_MASSES = (
    (DEAMIDATION, _counts("NQ")),
    (OXIDATION, _counts("MWH")),
    (31.989829, _counts("MW")),
    (-48.003371, _counts("M")),
)


_BIN = 0.005  # Da
_REACH = 150.0  # Da, more than what two residues carry


@dataclass(frozen=True, slots=True)
class _Carried:
    """What the residues of m windows of a text may carry beside what reads say.

    masses: Da, the nats that it costs, and (m, w + 1) how many residues of a window can carry it;
    bins: whether some of them, or none, explain a difference, in steps of _BIN from -_REACH on.
    """

    masses: tuple[tuple[float, float, np.ndarray], ...]
    bins: np.ndarray

    @classmethod
    def of(cls, reads: ReadSet, window: np.ndarray) -> "_Carried":
        cysteines = _running(_CYSTEINE[window])
        listed = ((mass, 0.0, cysteines) for mass in reads.cysteine)  # by the search or not
        unlisted = ((mass, UNLISTED, _running(table[window])) for mass, table in UNLISTED_MASSES)
        masses = (*listed, *unlisted)
        bins = np.zeros(round(2 * _REACH / _BIN), dtype=bool)
        near = np.linspace(-BLOCK_TOLERANCE, BLOCK_TOLERANCE, round(4 * BLOCK_TOLERANCE / _BIN) + 1)
        for mass in (0.0, *(m * k for m, cost, _ in masses for k in (1, 2) if k == 1 or not cost)):
            bins[((mass + near + _REACH) / _BIN).astype(int)] = True
        return cls(masses, bins)

    def possible(self, off: np.ndarray) -> np.ndarray:
        """Which differences (Da) some masses explain."""
        inside = np.flatnonzero(np.abs(off) < _REACH)
        return inside[self.bins[((off[inside] + _REACH) / _BIN).astype(np.int32)]]

    def nats(self, off: np.ndarray, row: np.ndarray, right: np.ndarray, b: int) -> np.ndarray:
        """(n,) nats of blocks of b residues that end at column `right` of a window, -inf where the
        mass does not fit; off: Da by which the reads' blocks are heavier."""
        nats = np.where(np.abs(off) < BLOCK_TOLERANCE, 0.0, -np.inf)
        for mass, cost, sites in self.masses:
            held = sites[row, right] - sites[row, right - b]
            # Every cysteine carries it; of other residues one does.
            carried = mass * (held if cost == 0.0 else 1.0)
            ok = (np.abs(off - carried) < BLOCK_TOLERANCE) & (held > 0)
            nats = np.where(ok, np.maximum(nats, cost), nats)
        return nats


@dataclass(frozen=True, slots=True)
class Alignment:
    """m placements of reads on a text.

    read (m,) row; score (m,) nats; core (m, 2): first residue of the read in the core and the one
    after its last; span (m, 2): the same of the text; at (m, w): position of the text under each
    residue of the read, -1 for none; kind (m, w): MATCH ... of each.
    """

    read: np.ndarray
    score: np.ndarray
    core: np.ndarray
    span: np.ndarray
    at: np.ndarray
    kind: np.ndarray

    def take(self, rows: np.ndarray) -> "Alignment":
        return Alignment(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


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


def joined(parts: Sequence[Alignment], width: int) -> Alignment:
    """Placements of reads of up to `width` residues, one part after another."""
    none = Alignment(
        np.empty(0, int),
        np.empty(0),
        np.empty((0, 2), int),
        np.empty((0, 2), int),
        np.empty((0, width), int),
        np.empty((0, width), np.uint8),
    )
    names = Alignment.__dataclass_fields__
    every = [none, *parts]
    return Alignment(*(np.concatenate([getattr(x, f) for x in every]) for f in names))


def _align_batch(
    reads: ReadSet, rows: np.ndarray, diagonals: np.ndarray, text: np.ndarray, least: float
) -> tuple[Alignment, np.ndarray]:
    m, width = len(rows), reads.tokens.shape[1]
    n = int(reads.length[rows].max())
    offsets = 2 * BAND + 1
    tokens = reads.tokens[rows, :n]
    agrees, differs = (x[:, :n] for x in _score_tables(reads.take(rows)))
    r_mass = _running(MASSES[tokens] + reads.delta[rows, :n])
    # The window of the text: column c is position diagonal - BAND - MAX_BLOCK + c.
    first = diagonals - MARGIN
    span = n + 2 * MARGIN
    index = first[:, None] + np.arange(span)
    inside = (index >= 0) & (index < len(text))
    window = np.where(inside, text[np.clip(index, 0, len(text) - 1)], ABSENT)
    window = np.where(window == ABSENT, 255, window).astype(np.uint8)  # nothing lies there
    known = window < N_RESIDUES
    # An unknown residue weighs so much that no block holds it.
    t_mass = _running(np.where(known, MASSES[window], 1e4))
    carried = _Carried.of(reads, window)

    score = np.full((n + 1, m, offsets), 0.0)
    step = np.full((n + 1, m, offsets), 255, dtype=np.uint8)
    beyond = np.arange(n) >= reads.length[rows][:, None]  # (m, n)
    for i in range(1, n + 1):
        # Place w of the band: i residues of the read end at column i + w + MAX_BLOCK.
        end = slice(i + MAX_BLOCK, i + MAX_BLOCK + offsets)
        letter = window[:, end.start - 1 : end.stop - 1]
        same = letter == tokens[:, i - 1, None]
        one = np.where(same, agrees[:, i - 1, None], differs[:, i - 1, None])
        one = np.where(letter >= N_RESIDUES, np.where(letter == 255, -50.0, MISSING_SCORE), one)
        best = score[i - 1] + one
        how = np.zeros((m, offsets), dtype=np.uint8)
        for number, (a, b) in enumerate(STEPS):
            if number == 0 or a == 0 or a > i or b and abs(a - b) > reads.shift:
                continue
            shift = b - a  # the place in the band that the step comes from is w - shift
            low, high = max(0, shift), min(offsets, offsets + shift)
            came = score[i - a][:, low - shift : high - shift]
            if b == 0:
                gain = np.where(came > 0, came + GAP, -1e9)
                better = gain > best[:, low:high] + 1e-9
                best[:, low:high] = np.where(better, gain, best[:, low:high])
                how[:, low:high] = np.where(better, number, how[:, low:high])
                continue
            worth = BLOCK_SCORE + (OTHER_LENGTH if a != b else 0.0)
            # A core begins with a block at the start of a read only.
            useful = came + worth > best[:, low:high] + 1e-9
            row, place = np.nonzero(useful if a == i else useful & (came > 0))
            right = place + end.start + low
            off = r_mass[row, i] - r_mass[row, i - a]
            off -= t_mass[row, right] - t_mass[row, right - b]
            some = carried.possible(off)
            row, place, right, off = row[some], place[some], right[some], off[some]
            gain = came[row, place] + worth + carried.nats(off, row, right, b)
            place += low
            better = gain > best[row, place] + 1e-9
            row, place = row[better], place[better]
            best[row, place] = gain[better]
            how[row, place] = number
        for w in range(1, offsets):  # a deletion comes from the place before, same residue
            gain = np.where(letter[:, w] == 255, -1e9, best[:, w - 1] + GAP)
            better = gain > best[:, w]
            best[better, w] = gain[better]
            how[better, w] = 2
        stop = (best <= 0) | beyond[:, i - 1, None]
        best[stop] = 0.0
        how[stop] = 255
        score[i], step[i] = best, how
    return _trace(rows, first, score, step, tokens, window, width, least)


def _running(values: np.ndarray) -> np.ndarray:
    """(m, w) -> (m, w + 1) sums of the first values of each row."""
    total = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=total[:, 1:])
    return total


def _trace(
    rows: np.ndarray,
    first: np.ndarray,
    score: np.ndarray,
    step: np.ndarray,
    tokens: np.ndarray,
    window: np.ndarray,
    width: int,
    least: float,
) -> tuple[Alignment, np.ndarray]:
    """Walk every read back from its best place; which of them scored enough comes with it."""
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
    a_of = np.array([a for a, _ in STEPS])
    b_of = np.array([b for _, b in STEPS])
    while live.any():
        which = np.flatnonzero(live)
        how = step[i[which], keep[which], w[which]]
        stopped = (how == 255) | (i[which] == 0)
        live[which[stopped]] = False
        which, how = which[~stopped], how[~stopped]
        a, b = a_of[how], b_of[how]
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
