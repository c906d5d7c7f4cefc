"""A cache of alignments, so that only reads on changed text are aligned again.

An alignment depends on the read and on the text around its diagonal, and on nothing else. Chains
change in a few places from one round to the next.
"""

from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import ABSENT
from lacuna.placing.aligning.align import align_each
from lacuna.placing.aligning.alignment import Alignment, joined
from lacuna.placing.aligning.kernel import PADDING
from lacuna.placing.aligning.readset import ReadSet

# Odd multipliers modulo 2 ** 64: of positions in a window, and of reads.
_POSITION = 0x9E3779B97F4A7C15
_INVERSE = pow(_POSITION, -1, 2**64)
_READ = 0xC2B2AE3D27D4EB4F


@dataclass(slots=True)
class Memory:
    """The alignments of the last round, by read and text around the diagonal.

    keys (k,) sorted; rows (k,): of `found`, -1 for a read that did not align; found: text positions
    count from PADDING before the diagonal.
    """

    reads: ReadSet
    keys: np.ndarray
    rows: np.ndarray
    found: Alignment

    @classmethod
    def of(cls, reads: ReadSet) -> "Memory":
        """An empty one."""
        nothing = joined([], reads.tokens.shape[1])
        return cls(reads, np.empty(0, np.uint64), np.empty(0, np.int64), nothing)

    def align(
        self, rows: np.ndarray, diagonals: np.ndarray, text: np.ndarray, *, keep: bool
    ) -> Alignment:
        """As `align` of these reads; keep: remember what comes out, and nothing else."""
        keys = self._keys(rows, diagonals, text)
        place = np.searchsorted(self.keys, keys)
        known = np.zeros(len(keys), dtype=bool)
        inside = np.flatnonzero(place < len(self.keys))
        known[inside] = self.keys[place[inside]] == keys[inside]
        new = np.flatnonzero(~known)
        made, which = align_each(self.reads, rows[new], diagonals[new], text)
        made = made.moved(PADDING - diagonals[new[which]])
        old = np.flatnonzero(known)
        old = old[self.rows[place[old]] >= 0]
        found = joined([self.found.take(self.rows[place[old]]), made], self.reads.tokens.shape[1])
        origin = np.concatenate((old, new[which]))
        if keep:
            row = np.full(len(keys), -1)
            row[origin] = np.arange(len(origin))
            self.keys, first = np.unique(keys, return_index=True)
            self.rows, self.found = row[first], found
        found = found.moved(diagonals[origin] - PADDING)
        return found.take(np.lexsort((found.span[:, 0], found.read)))

    def _keys(self, rows: np.ndarray, diagonals: np.ndarray, text: np.ndarray) -> np.ndarray:
        """(m,) numbers that are the same for the same read on the same stretch of text."""
        pad = self.reads.tokens.shape[1] + 2 * PADDING
        padded = np.full(len(text) + 2 * pad, ABSENT, np.uint64)
        padded[pad : pad + len(text)] = text
        powers, inverse = (
            np.cumprod(np.full(len(padded), one, np.uint64)) for one in (_POSITION, _INVERSE)
        )
        total = np.concatenate((np.zeros(1, np.uint64), np.cumsum(padded * powers)))
        start = diagonals - PADDING + pad
        stop = start + self.reads.length[rows] + 2 * PADDING
        window = (total[stop] - total[start]) * inverse[start]  # wherever it is
        mixed = (window ^ (window >> np.uint64(29))) * np.uint64(_READ)
        key: np.ndarray = mixed + rows.astype(np.uint64) * np.uint64(_POSITION)
        return key
