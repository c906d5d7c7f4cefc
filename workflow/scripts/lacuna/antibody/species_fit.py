"""Which species' V segments a chain is like, to notice a stated species that is wrong."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from lacuna.antibody.germlines import LOCI, SPECIES, v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import N_RESIDUES

# Residues of a V domain by which another species must be ahead of the stated one. Of 2,912 natural
# chains, under the species that their source names, three have one so far ahead: all said to be of
# mouse, and most like human or rat. Under the other one of human and mouse, 97 % or more have;
# of human chains under rhesus, and of VHHs under human, about half.
LEAST_AHEAD = 6


@dataclass(frozen=True, slots=True)
class Nearer:
    """A species whose nearest V segment is more like a chain than that of the one stated.

    share, stated_share: of the observed residues up to Cys104 that are those of either segment.
    """

    species: str
    share: float
    stated_share: float


def nearer_species(
    tokens: np.ndarray, columns: np.ndarray, locus: int, stated: str
) -> Nearer | None:
    """The species that a chain is of, if it is clearly not the stated one; None otherwise.

    tokens, columns: (length,) of a chain or a part of one; locus: index into LOCI, -1 for none.
    """
    at = np.flatnonzero((columns >= 1) & (columns <= CYS104) & (tokens < N_RESIDUES))
    if locus not in range(len(LOCI)) or not len(at):
        return None
    by_column, species = _segments(locus)
    if SPECIES.index(stated) not in species:  # the templates are those of all species
        return None
    same = by_column[columns[at]] == tokens[at][:, None]
    shared = np.add.reduce(same, axis=0, dtype=np.uint8)  # of CYS104 residues at most
    most = np.zeros(len(SPECIES), dtype=np.int64)
    np.maximum.at(most, species, shared)
    best, of_stated = int(most.argmax()), int(most[SPECIES.index(stated)])
    if most[best] - of_stated < LEAST_AHEAD:
        return None
    return Nearer(SPECIES[best], float(most[best] / len(at)), of_stated / len(at))


@cache
def _segments(locus: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of the V segments of a locus by column, (columns, segments), and their species."""
    v = v_segments()
    own = np.flatnonzero(v.locus == locus)
    return np.ascontiguousarray(v.tokens[own].T), v.species[own]
