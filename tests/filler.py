"""Blocks of scaffolds filled with the bundled network, as rows of each table."""

import csv
from dataclasses import dataclass
from io import StringIO

import numpy as np
import torch

from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.tables import CHAIN_TABLE, GAP_TABLE, MASS_TABLE, RESIDUE_TABLE, SCORED_TABLE
from lacuna.filling.fill import Tables, fill_chains
from lacuna.network.encode import Encoder
from lacuna.network.kmers import KmerSet
from lacuna.network.model import GapNetwork
from lacuna.network.predict import Predictor
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.templates.homologs import Homologs, index_homologs
from lacuna.templates.nearest import Library

COLUMNS = {
    "residues": RESIDUE_TABLE.names,
    "gaps": GAP_TABLE.names,
    "chains": CHAIN_TABLE.names,
    "masses": MASS_TABLE.names,
    "scored": SCORED_TABLE.names,
}
Rows = list[dict[str, str]]


@dataclass
class Filled:
    """The text of all `Tables`: header and sequence per chain, and rows of each table."""

    chains: dict[str, str]
    rows: dict[str, Rows]


@dataclass
class Filler:
    """Fills scaffolds as one block."""

    model: GapNetwork
    library: Library

    def encoder(self, homologs: Homologs | None = None) -> Encoder:
        return Encoder(self.library, homologs, 128, 64, 0.95)

    def __call__(
        self, *scaffolds: Scaffold, homologs: list[str] | None = None, candidates: int = 5
    ) -> Filled:
        index = index_homologs(homologs) if homologs else None
        encoder = self.encoder(index)
        kmers = encoder.encode(scaffolds)
        predictor = Predictor(self.model, self.library, torch.device("cpu"))
        return read(
            Tables(fill_chains(scaffolds, kmers, encoder, predictor.predict, candidates=candidates))
        )


def evenly(kmers: KmerSet) -> np.ndarray:
    """A network that knows nothing."""
    return np.full((len(kmers.targets), N_RESIDUES), 1 / N_RESIDUES)


def read(tables: Tables) -> Filled:
    lines = tables.texts["filled"].getvalue().splitlines()
    chains = {
        header[1:]: sequence for header, sequence in zip(lines[::2], lines[1::2], strict=True)
    }
    rows = {
        name: [
            dict(zip(columns, cells, strict=True))
            for cells in csv.reader(StringIO(tables.texts[name].getvalue()), delimiter="\t")
        ]
        for name, columns in COLUMNS.items()
    }
    return Filled(chains, rows)
