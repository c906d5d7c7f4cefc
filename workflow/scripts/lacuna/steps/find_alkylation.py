"""The state of cysteine in a sample, and errors that all its masses share, from its files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lacuna.core.words import AUTO
from lacuna.scaffolds.alkylation import EVIDENCE, READINGS, state_of, with_spectra
from lacuna.scaffolds.json_lines import read_scaffold_block
from lacuna.steps.reader_files import ReaderFiles


def find_alkylation(
    scaffolds: Path,
    out: Path,
    *,
    alkylation: str,
    reader: ReaderFiles,
    modifications: Mapping[str, bool],
    tolerance_ppm: float,
    spectra: Sequence[Path] = (),
) -> None:
    """Write the state of a sample's C, as stated in `alkylation` or, with `auto`, as found, and an
    error that all masses share.

    scaffolds: a folder with the blocks of the sample and, if it has masses, the chains that are
    evidence (`EvidenceChains`); spectra: those of the sample, asked if masses leave the state open;
    tolerance_ppm: of their precursors. The network is loaded only for samples with masses.
    """
    evidence = scaffolds / EVIDENCE
    chains = read_scaffold_block(evidence) if evidence.exists() else []
    stated = alkylation != AUTO
    priors = {name: reading.prior for name, reading in READINGS.items()}
    state = state_of(chains, {alkylation: 1.0} if stated else priors)
    if stated:
        state = replace(state, how="stated")
    if chains:  # imports torch, and most samples have no masses
        from lacuna.filling.cysteine import find_convention, find_reading
        from lacuna.scaffolds.residue_masses import PLAIN, Modifications
        from lacuna.steps.load import load_reader

        if not stated:
            state = find_reading(chains, Modifications(PLAIN, **modifications), load_reader(reader))
        elif state.masses:
            allowed = Modifications(state.cysteine, **modifications)
            convention = find_convention(chains, allowed, load_reader(reader))
            state = replace(state, convention=convention)
    if spectra and not stated and state.how == "open":
        from lacuna.steps.read_spectra import odds_by_spectra

        odds = odds_by_spectra(scaffolds, spectra, modifications, tolerance_ppm)
        state = with_spectra(state, odds)
    state.write(out)
