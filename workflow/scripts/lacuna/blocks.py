"""What is computed of a block of chains over files: a function per rule."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from lacuna.decode import Modifications
from lacuna.files import LacunaError, atomic_write
from lacuna.fill import fill_block, predict
from lacuna.homologs import read_homologs
from lacuna.kmers import encode_scaffolds, load_library, of_species, read_kmers, write_kmers
from lacuna.lengths import resolve_lengths
from lacuna.samples import PREDICTION_COLUMNS, PREDICTIONS
from lacuna.scaffolds import Scaffold, read_scaffold_block, write_scaffolds
from lacuna.seed import SeedResult, run_seed, write_seed_report
from lacuna.train import load_weights


def encode_block(
    scaffolds: Path,
    homologs: Path | None,
    weights: Path,
    library: Path,
    out: Path,
    resolved: Path,
    *,
    length: int,
    stride: int,
    max_identity: float,
    species: str,
    modifications: Mapping[str, bool],
) -> None:
    """Settle the lengths of a block's gaps, find templates, and write its k-mer tensors.

    resolved: where the scaffolds with their lengths are written.
    """
    torch.set_num_threads(1)  # sums in one order, whatever the number of cores
    chosen = of_species(load_library(library), species)
    references = read_homologs(homologs)
    chains = resolve_lengths(
        read_scaffold_block(scaffolds),
        load_weights(weights),
        chosen,
        references,
        k=length,
        stride=stride,
        max_identity=max_identity,
        modifications=Modifications(**modifications),
        device=torch.device("cpu"),
    )
    write_scaffolds(resolved, chains)
    kmers = encode_scaffolds(
        chains, chosen, references, k=length, stride=stride, max_identity=max_identity
    )
    write_kmers(out, kmers)


def fill_block_files(
    scaffolds: Path,
    kmers: Path,
    weights: Path,
    library: Path,
    out: dict[str, Path],
    *,
    candidates: int,
    modifications: Mapping[str, bool],
    device: torch.device,
) -> None:
    """Fill a block and write its part of every table."""
    torch.set_num_threads(1)
    block = read_kmers(kmers)
    probabilities = predict(load_weights(weights), block, load_library(library), device)
    chains = read_scaffold_block(scaffolds)
    allowed = Modifications(**modifications)
    fill_block(chains, block, probabilities, candidates=candidates, modifications=allowed).write(
        out
    )


def train_seed_models(folder: Path, out: Path, *, k: int, epochs: int, seed: int) -> None:
    """The tutorial's model on every chain of a sample whose truth is known.

    Writes its report per chain and one table of predictions beside the truth.
    """
    rows: list[tuple[object, ...]] = []
    out.mkdir(parents=True, exist_ok=True)
    for index, block in enumerate(sorted(folder.glob("*.jsonl"))):
        for number, scaffold in enumerate(read_scaffold_block(block)):
            chain = true_chain(scaffold)
            if chain is None:
                raise LacunaError(
                    f"seed_lstm: '{scaffold.chain}' has a gap without truth or known length; "
                    "leave its sample out of seed_lstm.samples"
                )
            missing = [p for g in scaffold.gaps for p in range(g.start, g.end)]
            result = run_seed(scaffold.chain, chain, missing, k=k, epochs=epochs, seed=seed)
            write_seed_report(result, out / f"{index:05d}_{number:05d}")
            rows += _seed_rows(scaffold, result)
    with atomic_write(out / PREDICTIONS) as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerows((PREDICTION_COLUMNS, *rows))


def true_chain(scaffold: Scaffold) -> str | None:
    """The whole chain with its truth filled in; None where a gap has none or is of other length."""
    sequence = list(scaffold.sequence)
    for gap in scaffold.gaps:
        if gap.truth is None or len(gap.truth) != gap.end - gap.start:
            return None
        sequence[gap.start : gap.end] = gap.truth
    return "".join(sequence)


def _seed_rows(scaffold: Scaffold, result: SeedResult) -> Iterator[tuple[object, ...]]:
    for protocol, told in result.predictions.items():
        for position, residue, probability in zip(
            told.positions, told.residues, told.probabilities, strict=True
        ):
            share = f"{float(probability):.4f}"
            yield scaffold.chain, int(position) + 1, protocol, residue, share
