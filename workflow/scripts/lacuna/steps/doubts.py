"""Proofreading of a block of chains, over files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.device import set_precision
from lacuna.core.files import atomic_write
from lacuna.core.tables import DOUBT_TABLE
from lacuna.filling.doubts import hidden_in_turn
from lacuna.filling.proofread import Reading, proofread
from lacuna.network.kmers import encode_scaffolds
from lacuna.network.predict import predict
from lacuna.scaffolds.read import read_scaffold_block
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.steps.blocks import tools
from lacuna.templates.homologs import read_homologs
from lacuna.templates.library import of_species


def find_doubts_of_block(
    scaffolds: Path,
    homologs: Path | None,
    weights: Path,
    library: Path,
    out: Path,
    *,
    length: int,
    stride: int,
    max_identity: float,
    species: str,
    precision: str,
    device: torch.device,
) -> None:
    """Write the observed residues of a block that look wrong: its part of doubts.tsv.

    scaffolds: the block with the lengths of its gaps found.
    """
    torch.set_num_threads(1)  # sums in one order, whatever the number of cores
    set_precision(precision)
    model, germlines = tools(weights, library)
    chosen = of_species(germlines, species)
    references = read_homologs(homologs)
    chains = read_scaffold_block(scaffolds)

    def read(some: Sequence[Scaffold]) -> Reading:
        kmers = encode_scaffolds(
            *(some, chosen, references),
            k=length,
            stride=stride,
            max_identity=max_identity,
            observed=True,
        )
        told = np.empty((len(kmers.targets), N_RESIDUES))
        for rows, hidden in hidden_in_turn(kmers):
            told[rows] = predict(model, hidden, germlines, device)
        return Reading(kmers, told)

    with atomic_write(out) as handle:
        handle.write(DOUBT_TABLE.text(list(proofread(chains, read))))
