"""Where reads may lie on a text: diagonals that share runs of residues, and words of reads."""

import numpy as np

from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.runs import places_within
from lacuna.placing.aligning.kernel import BAND
from lacuna.placing.aligning.readset import ReadSet

SEED_LENGTH = 4  # residues in a row that a read and a text must share to be aligned there
# If a tool judges no single residue, those of a read are right or wrong together: after a right one
# the next is right in 0.91 to 0.93 of the reads of trastuzumab, 2489 (PEAKS) and NB6 (InstaNovo).
RIGHT_AFTER_RIGHT = 0.92


def words(tokens: np.ndarray, k: int) -> np.ndarray:
    """Numbers of the runs of k residues: (..., w) tokens -> (..., w - k + 1), -1 for none."""
    n = max(tokens.shape[-1] - k + 1, 0)
    number = np.zeros((*tokens.shape[:-1], n), dtype=np.int64)
    known = np.ones(number.shape, dtype=bool)
    for i in range(k):
        letter = tokens[..., i : i + n]
        number = number * N_RESIDUES + letter
        known &= letter < N_RESIDUES
    return np.where(known, number, -1)


def known_words(tokens: np.ndarray, k: int) -> np.ndarray:
    """Numbers of the runs of k residues of a sequence (w,), without those that hold another
    token."""
    number = words(tokens, k)
    return number[number >= 0]


def word_weights(reads: ReadSet, k: int) -> np.ndarray:
    """(20 ** k,) float32: weight of the reads that hold each run of k residues, if right."""
    number = words(reads.tokens, k)
    if not number.size:  # all reads are shorter
        return np.zeros(N_RESIDUES**k, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(reads.right, k, axis=-1)
    together = windows.mean(-1) * (windows.min(-1) > 0) * RIGHT_AFTER_RIGHT ** (k - 1)
    right = np.where(reads.judged[:, None], windows.prod(-1), together)
    weight = right * reads.weight[:, None]
    ok = number >= 0
    return np.bincount(number[ok], weight[ok], minlength=N_RESIDUES**k).astype(np.float32)


def diagonals(
    reads: ReadSet, text: np.ndarray, owner: np.ndarray, per_owner: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Reads and diagonals that share a seed: (m,) rows, (m,) positions under the first residue.

    owner (t,): which chain each position of the text belongs to; of each chain the best
    `per_owner` diagonals of a read are given, by the seeds on it and its neighbours.
    """
    row, at, place = _shared_seeds(reads, text)
    width, n_owners = reads.tokens.shape[1], int(owner.max(initial=0)) + 1
    n_shift = len(text) + 2 * width
    # A number for each read, chain and diagonal, which `width` keeps from being negative.
    key = (row * n_owners + owner[place]) * n_shift + place - at + width
    unique, count = np.unique(key, return_counts=True)
    group = unique // n_shift  # of a read and a chain
    rank = np.lexsort((unique, -_with_neighbours(unique, count), group))
    _, of_group = np.unique(group, return_counts=True)
    picked = unique[np.sort(rank[places_within(of_group) < per_owner])]
    return picked // n_shift // n_owners, picked % n_shift - width


def _shared_seeds(reads: ReadSet, text: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every seed of a read that is in a text: (m,) rows, places in the read, places in the text."""
    mine = words(text, SEED_LENGTH)
    places = np.flatnonzero(mine >= 0)
    places = places[np.argsort(mine[places], kind="stable")]
    theirs = words(reads.tokens, SEED_LENGTH)
    row, at = np.nonzero(theirs >= 0)
    low, high = (np.searchsorted(mine[places], theirs[row, at], side) for side in ("left", "right"))
    hits = high - low
    place = places[np.repeat(low, hits) + places_within(hits)]
    return np.repeat(row, hits), np.repeat(at, hits), place


def _with_neighbours(diagonal: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """(n,) seeds on each diagonal (n,), ascending; those on neighbouring ones count half, since an
    insertion or a block of another length shifts a read."""
    near = seeds.astype(float)
    for step in (*range(-BAND, 0), *range(1, BAND + 1)):
        other = np.minimum(np.searchsorted(diagonal, diagonal + step), len(diagonal) - 1)
        near += 0.5 * np.where(diagonal[other] == diagonal + step, seeds[other], 0)
    return near
