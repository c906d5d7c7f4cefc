"""Proofreading of a block of chains, from files to files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.files import atomic_write
from lacuna.core.tables import DOUBT_TABLE
from lacuna.filling.doubts.observed import hidden_in_turn
from lacuna.filling.doubts.proofread import Reading, proofread
from lacuna.scaffolds.json_lines import read_scaffold_block
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.steps.load import load_reader
from lacuna.steps.reader_files import ReaderFiles


def find_doubts_of_block(
    scaffolds: Path, out: Path, *, reader: ReaderFiles, device: torch.device
) -> None:
    """Write the observed residues of a block that look wrong: its part of doubts.tsv.

    scaffolds: the block with the lengths of its gaps found.
    """
    loaded = load_reader(reader, device)
    chains = read_scaffold_block(scaffolds)

    def read(some: Sequence[Scaffold]) -> Reading:
        kmers = loaded.encoder.encode(some, observed=True)
        shares = np.empty((len(kmers.targets), N_RESIDUES))
        for rows, hidden in hidden_in_turn(kmers):
            # A residue too many makes a chain seem far from germline behind it.
            shares[rows] = loaded.predictor.predict(hidden, far=False)
        return Reading(kmers, shares)

    with atomic_write(out) as handle:
        handle.write(DOUBT_TABLE.text(list(proofread(chains, read))))
