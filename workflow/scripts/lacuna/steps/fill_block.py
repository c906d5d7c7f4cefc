"""Filling of a block of encoded chains, from files to files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from lacuna.filling.fill import Tables, fill_chains
from lacuna.filling.rereading import is_read_twice
from lacuna.filling.second_opinion import with_second_opinion
from lacuna.network.kmers import read_kmers
from lacuna.scaffolds.alkylation import read_alkylation
from lacuna.scaffolds.json_lines import read_scaffold_block
from lacuna.scaffolds.residue_masses import Modifications
from lacuna.steps.load import load_large_predictor, load_reader
from lacuna.steps.reader_files import ReaderFiles


def fill_block_files(
    scaffolds: Path,
    kmers: Path,
    alkylation: Path,
    out: dict[str, Path],
    *,
    reader: ReaderFiles,
    candidates: int,
    modifications: Mapping[str, bool],
    device: torch.device,
) -> None:
    """Fill a block and write its part of every table."""
    block = read_kmers(kmers)
    chains = read_scaffold_block(scaffolds)
    if not any(is_read_twice(gap) for chain in chains for gap in chain.gaps):
        reader = replace(reader, homologs=None)  # slow to index, and only asked the second time
    loaded = load_reader(reader, device)
    state = read_alkylation(alkylation)
    filled = fill_chains(
        chains,
        block,
        loaded.encoder,
        with_second_opinion(loaded.predictor, load_large_predictor(reader, device)),
        candidates=candidates,
        modifications=Modifications(state.cysteine, **modifications),
        convention=state.convention,
        shown_of_c=state.against_spectra,
    )
    Tables(filled).write(out)
