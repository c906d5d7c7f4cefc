"""A peptide read, as every reader of a tool's output returns it."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lacuna.core.masses import DEAMIDATION
from lacuna.core.tables import RejectedRow

N_TERMINUS = -1  # index of a modification of the N terminus; that of the C terminus is the length

Modification = tuple[int, float]  # index of the residue, what it gains in Da

_ACID_OF = {"N": "D", "Q": "E"}
_HALF_AMIDE = 0.5  # Da: a modification of about +0.98
_EXTRA_PER_DOUBLING = 0.5  # of the weight of equal reads


@dataclass(frozen=True, slots=True)
class Read:
    """A peptide as a tool read it.

    name: unique in the sample, the same in every run: file, line, rank if a row holds several.
    tool: key of the error model ("peaks", "casanovo", ...).
    residues: letters of the 20 residues, without modifications; I and L as the tool writes them.
    confidences: one for each residue, 0 to 1, as the tool states them; None if it states none.
    score: of the whole peptide, 0 to 1; None if the tool gives none or its scale has no upper end.
    modifications: (index of the residue, gain in Da), by index; -1 is the N terminus,
        `len(residues)` the C terminus. Fixed modifications that a tool does not write are absent.
    file: the path that it is from.
    """

    name: str
    tool: str
    residues: str
    confidences: tuple[float, ...] | None
    score: float | None
    modifications: tuple[Modification, ...]
    file: str


def with_acids(read: Read) -> Read:
    """The read with D and E for deamidated N and Q, which weigh as much.

    Tools write them where the protein has D and E: in reads of trastuzumab (PEAKS, six proteases)
    583 of 783 N(+.98) lie on D and 77 on N, and 123 of 127 Q(+.98) on E.
    """
    if not read.modifications:
        return read
    letters, kept = list(read.residues), []
    for at, mass in read.modifications:
        letter = letters[at] if 0 <= at < len(letters) else ""
        if letter in _ACID_OF and abs(mass - DEAMIDATION) < _HALF_AMIDE:
            letters[at] = _ACID_OF[letter]
        else:
            kept.append((at, mass))
    return replace(read, residues="".join(letters), modifications=tuple(kept))


class Peptides(NamedTuple):
    """Contents of a sample's files: reads in the order of the files, and rows that cannot be read.

    A row of a spectrum in which the tool found no peptide is neither.
    """

    reads: list[Read]
    rejected: list[RejectedRow]


def content_of(read: Read) -> tuple[str, tuple[Modification, ...]]:
    """What equal reads have in common: residues, with L for I, and modifications to a tenth of a
    dalton, since tools round them differently."""
    modifications = tuple((at, round(mass, 1)) for at, mass in read.modifications)
    return read.residues.replace("I", "L"), modifications


def weight_of_equal(count: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,): how many reads each number (n,) of equal ones counts as; their errors are alike."""
    return 1.0 + _EXTRA_PER_DOUBLING * np.log2(np.maximum(count, 1))


def weights_of_residues(reads: Sequence[Read], contents: Sequence[Hashable]) -> NDArray[np.float64]:
    """(residues of all reads,): the reads whose contents are equal share `weight_of_equal` of their
    number; contents: one of each read."""
    times = Counter(contents)
    count = np.array([times[content] for content in contents])
    return np.repeat(weight_of_equal(count) / count, [len(read.residues) for read in reads])
