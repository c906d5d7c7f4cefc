"""Files and settings needed to read the chains of a sample."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Networks(NamedTuple):
    """The files of a run's networks: weights of the small one and the library that goes with them;
    weights of the large one in thorough mode."""

    weights: Path
    library: Path
    large_network: Path | None = None


@dataclass(frozen=True, slots=True)
class ReaderFiles:
    """Inputs and settings of the functions of `load`.

    weights, library, large_network: as in `Networks`; homologs: a FASTA; species: one of
    `sheet.SPECIES`; length, stride: of the k-mers, in residues; max_identity: share of a chain's
    observed residues from which a homolog is left out if the chain's truth is known; precision: as
    in `set_precision`. The rules name the settings in `READER`.
    """

    weights: Path
    library: Path
    homologs: Path | None
    species: str
    length: int
    stride: int
    max_identity: float
    precision: str
    large_network: Path | None = None
