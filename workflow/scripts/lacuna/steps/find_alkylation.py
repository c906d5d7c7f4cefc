"""What cysteine weighs in a sample, from its files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lacuna.scaffolds.alkylation import AUTO, EVIDENCE, READINGS, state_of
from lacuna.scaffolds.json_lines import read_scaffold_block
from lacuna.steps.reader_files import ReaderFiles


def find_alkylation(
    scaffolds: Path,
    out: Path,
    *,
    alkylation: str,
    reader: ReaderFiles,
    modifications: Mapping[str, bool],
) -> None:
    """Write the state of a sample's C: as stated in `alkylation` or, with `auto`, as found.

    scaffolds: a folder with the blocks of the sample and, if it has masses, the chains that are
    evidence (`Telling`). The network is loaded only if it is needed.
    """
    evidence = scaffolds / EVIDENCE
    chains = read_scaffold_block(evidence) if evidence.exists() else []
    if alkylation != AUTO:
        state = replace(state_of(chains, {alkylation: 1.0}), how="stated")
    elif not chains:
        state = state_of(chains, {name: reading.prior for name, reading in READINGS.items()})
    else:  # imports torch, and most samples have no masses
        from lacuna.filling.cysteine import find_reading
        from lacuna.filling.residue_masses import PLAIN, Modifications
        from lacuna.steps.load import load_reader

        state = find_reading(chains, Modifications(PLAIN, **modifications), load_reader(reader))
    state.write(out)
