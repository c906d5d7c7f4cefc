"""What cysteine weighs in a sample, over its files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lacuna.scaffolds.alkylation import AUTO, EVIDENCE, READINGS, state_of
from lacuna.scaffolds.read import read_scaffold_block


def find_alkylation(
    scaffolds: Path,
    homologs: Path | None,
    weights: Path,
    library: Path,
    out: Path,
    *,
    alkylation: str,
    length: int,
    stride: int,
    max_identity: float,
    species: str,
    modifications: Mapping[str, bool],
    precision: str,
) -> None:
    """Write the state of a sample's C: as `alkylation` states it, or with `auto` as found.

    scaffolds: a folder with the blocks of the sample and, where it has masses, the chains that can
    tell (`Telling`). The network is loaded where it is needed alone.
    """
    evidence = scaffolds / EVIDENCE
    chains = read_scaffold_block(evidence) if evidence.exists() else []
    if alkylation != AUTO:
        state = replace(state_of(chains, {alkylation: 1.0}), how="stated")
    elif not chains:
        state = state_of(chains, {name: reading.prior for name, reading in READINGS.items()})
    else:  # imports torch, and most samples have no masses
        from lacuna.filling.cysteine import find_reading, reader_of_files
        from lacuna.filling.decode import PLAIN, Modifications

        reader = reader_of_files(
            homologs,
            weights,
            library,
            length=length,
            stride=stride,
            max_identity=max_identity,
            species=species,
            precision=precision,
        )
        state = find_reading(chains, Modifications(PLAIN, **modifications), reader)
    state.write(out)
