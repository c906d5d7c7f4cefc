"""What is computed of a block of chains over files: a function per rule."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import torch

from lacuna.core.device import set_precision
from lacuna.filling.decode import Modifications
from lacuna.filling.fill import fill_block
from lacuna.filling.lengths import resolve_lengths
from lacuna.filling.open_ends import open_ends
from lacuna.network.kmers import encode_scaffolds, read_kmers, write_kmers
from lacuna.network.model import GapNetwork
from lacuna.network.predict import predict
from lacuna.network.weights import load_weights
from lacuna.scaffolds.alkylation import read_alkylation
from lacuna.scaffolds.read import read_scaffold_block, write_scaffolds
from lacuna.templates.homologs import read_homologs
from lacuna.templates.library import load_library, of_species
from lacuna.templates.nearest import Library


@lru_cache(maxsize=1)
def tools(weights: Path, library: Path) -> tuple[GapNetwork, Library]:
    """The network and the germline library, read once by a process that fills many samples.

    They are inputs of its job, which nobody changes under it.
    """
    return load_weights(weights), load_library(library)


def encode_block(
    scaffolds: Path,
    homologs: Path | None,
    weights: Path,
    library: Path,
    alkylation: Path,
    kmers: Path,
    resolved: Path,
    *,
    length: int,
    stride: int,
    max_identity: float,
    species: str,
    modifications: Mapping[str, bool],
    precision: str,
    complete_ends: bool,
) -> None:
    """Settle the lengths of a block's gaps, find templates, and write its k-mer tensors.

    kmers, resolved: where the tensors, and the scaffolds with their lengths, are written;
    alkylation: what C weighs in the sample, as `find_alkylation` wrote it; complete_ends: whether
    ends of V domains that are missing are gaps without being marked.
    """
    torch.set_num_threads(1)  # sums in one order, whatever the number of cores
    set_precision(precision)
    model, germlines = tools(weights, library)
    chosen = of_species(germlines, species)
    references = read_homologs(homologs)
    given = read_scaffold_block(scaffolds)
    chains = resolve_lengths(
        open_ends(given, chosen) if complete_ends else given,
        model,
        chosen,
        references,
        k=length,
        stride=stride,
        max_identity=max_identity,
        modifications=Modifications(read_alkylation(alkylation).cysteine, **modifications),
        device=torch.device("cpu"),
    )
    write_scaffolds(resolved, chains)
    encoded = encode_scaffolds(
        chains, chosen, references, k=length, stride=stride, max_identity=max_identity
    )
    write_kmers(kmers, encoded)


def fill_block_files(
    scaffolds: Path,
    kmers: Path,
    weights: Path,
    library: Path,
    alkylation: Path,
    out: dict[str, Path],
    *,
    candidates: int,
    modifications: Mapping[str, bool],
    precision: str,
    device: torch.device,
) -> None:
    """Fill a block and write its part of every table."""
    torch.set_num_threads(1)
    set_precision(precision)
    block = read_kmers(kmers)
    model, germlines = tools(weights, library)
    probabilities = predict(model, block, germlines, device)
    chains = read_scaffold_block(scaffolds)
    allowed = Modifications(read_alkylation(alkylation).cysteine, **modifications)
    fill_block(chains, block, probabilities, candidates=candidates, modifications=allowed).write(
        out
    )
