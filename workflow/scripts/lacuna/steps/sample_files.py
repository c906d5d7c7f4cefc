"""A sample and its files, as the functions that take all steps with it in one process pass them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lacuna.core.words import AUTO


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """A sample and its files.

    inputs: its FASTA and its other files, by column of the sheet, except for `reads` and `spectra`,
    which may be several; outputs: by name without suffix, including `alternatives` and `doubts` if
    requested, `airr` of a repertoire and `spectra` of a sample with some.
    """

    name: str
    species: str
    alkylation: str
    inputs: Mapping[str, Path]
    outputs: Mapping[str, Path]
    reads: tuple[Path, ...] = ()
    spectra: tuple[Path, ...] = ()
    reads_format: str = AUTO
