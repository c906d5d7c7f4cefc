"""The state of cysteine in a sample, and errors that all its masses share, from its files."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lacuna.core.words import AUTO
from lacuna.reads.cysteine import read_carried
from lacuna.scaffolds.alkylation import EVIDENCE, by_reads, prior_shares, state_of, with_spectra
from lacuna.scaffolds.json_lines import read_scaffold_block
from lacuna.steps.reader_files import ReaderFiles

LOG = logging.getLogger(__name__)


def find_alkylation(
    scaffolds: Path,
    out: Path,
    *,
    alkylation: str,
    reader: ReaderFiles,
    modifications: Mapping[str, bool],
    tolerance_ppm: float,
    spectra: Sequence[Path] = (),
    reads: Path | None = None,
) -> None:
    """Write the state of a sample's C, as stated in `alkylation` or, with `auto`, as found, and an
    error that all masses share.

    scaffolds: a folder with the blocks of the sample and, if it has masses, the chains that are
    evidence (`EvidenceChains`); spectra: those of the sample, asked if masses leave the state open,
    or if it is stated or that of reads, since spectra may be of another preparation; tolerance_ppm:
    of their precursors; reads: what its reads carry on C. The network is loaded only for samples
    with masses. The log says if masses, reads or spectra show something else than what is taken to
    be true.
    """
    evidence = scaffolds / EVIDENCE
    chains = read_scaffold_block(evidence) if evidence.exists() else []
    stated = alkylation != AUTO
    read = by_reads(read_carried(reads) if reads else {})
    state = state_of(chains, {alkylation: 1.0} if stated else prior_shares(read))
    if stated:
        state = replace(state, how="stated")
    if chains:  # imports torch, and most samples have no masses
        from lacuna.filling.cysteine import find_convention, find_reading
        from lacuna.scaffolds.residue_masses import PLAIN_CYSTEINE, Modifications
        from lacuna.steps.load import load_reader

        if not stated:
            allowed = Modifications(PLAIN_CYSTEINE, **modifications)
            state = find_reading(chains, allowed, load_reader(reader), read)
        elif state.masses:
            allowed = Modifications(state.cysteine, **modifications)
            network = load_reader(reader)
            convention = find_convention(chains, allowed, network)
            by_masses = find_reading(
                chains, Modifications(PLAIN_CYSTEINE, **modifications), network
            )
            state = replace(state, convention=convention, by_masses=by_masses.against(alkylation))
    state = replace(state, read=tuple(sorted(read.items())))
    if spectra and (stated or state.read or state.how == "open"):
        from lacuna.steps.read_spectra import odds_by_spectra

        odds = odds_by_spectra(scaffolds, spectra, modifications, tolerance_ppm, gaps=not stated)
        state = with_spectra(state, odds)
    if state.read or state.contradicted:
        LOG.log(logging.WARNING if state.contradicted else logging.INFO, "%s", state.sentence())
    state.write(out)
