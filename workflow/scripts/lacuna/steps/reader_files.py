"""Files and settings needed to read the chains of a sample."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ReaderFiles:
    """Inputs and settings of `load.load_reader`.

    weights, library: of the network; homologs: a FASTA; species: one of `sheet.SPECIES`; length,
    stride: of the k-mers, in residues; max_identity: share of a chain's observed residues from
    which a homolog is left out if the chain's truth is known; precision: as in `set_precision`.
    The rules name the settings in `READER`.
    """

    weights: Path
    library: Path
    homologs: Path | None
    species: str
    length: int
    stride: int
    max_identity: float
    precision: str
