"""Where reads lie on a text, residue by residue."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

KINDS = range(7)  # of residues of a read, by how each lies on the text
UNALIGNED, MATCH, MISMATCH, BLOCK, OTHER_BLOCK, INSERTED, ON_MISSING = KINDS


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
        """The placements of some rows, in their order."""
        return Alignment(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def best(self, n: int) -> np.ndarray:
        """(n,) best score of each read, 0 for none."""
        best = np.zeros(n)
        np.maximum.at(best, self.read, self.score)
        return best

    def best_of_each(self, owner: np.ndarray | None = None) -> np.ndarray:
        """Rows, ascending, of the best placement of each read, or of each read on each owner (m,)
        of the text; of equal ones the first."""
        keys = (self.read,) if owner is None else (owner, self.read)
        order = np.lexsort((-self.score, *keys))
        changes = np.logical_or.reduce([np.diff(key[order], prepend=-1) != 0 for key in keys])
        return np.sort(order[changes])

    def covers(self, place: np.ndarray) -> np.ndarray:
        """(m, n) bool: whether each placement lies over each of some positions (n,) of the text."""
        found: np.ndarray = (self.span[:, :1] <= place) & (self.span[:, 1:] > place)
        return found

    def moved(self, by: np.ndarray | int) -> "Alignment":
        """The placements so many positions further on in the text; by: of each (m,), or of all."""
        step = np.reshape(by, (-1, 1))
        return replace(self, span=self.span + step, at=np.where(self.at >= 0, self.at + step, -1))


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
