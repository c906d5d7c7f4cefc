"""The steps of the workflow over files: one function per rule."""

import csv
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

import pandas as pd
import torch

from lacuna.accuracy import (
    accuracy_table,
    read_scored,
    sum_predictions,
    sum_scored,
    write_accuracy,
)
from lacuna.decode import Modifications
from lacuna.files import SEED_PREDICTIONS, LacunaError, atomic_write
from lacuna.fill import (
    BASELINES,
    CHAIN_COLUMNS,
    GAP_COLUMNS,
    RESIDUE_COLUMNS,
    fill_block,
    predict,
)
from lacuna.homologs import read_homologs
from lacuna.kmers import encode_scaffolds, load_library, of_species, read_kmers, write_kmers
from lacuna.lengths import resolve_lengths
from lacuna.scaffolds import (
    Rejected,
    Scaffold,
    read_scaffold_block,
    read_scaffolds,
    write_scaffolds,
)
from lacuna.train import load_weights

METHODS = ("lacuna", *BASELINES, "seed_lstm")
HEADERS = {"residues": RESIDUE_COLUMNS, "gaps": GAP_COLUMNS, "chains": CHAIN_COLUMNS}
REJECTED_COLUMNS = ("chain", "line", "column", "reason")

LOG = logging.getLogger(__name__)


def block_path(folder: Path, block: int | str) -> Path:
    return folder / f"{int(block):05d}.jsonl"


def split_scaffolds(
    fasta: Path,
    gaps: Path | None,
    truth: Path | None,
    folder: Path,
    rejected: Path,
    *,
    block_size: int,
    n_blocks: int,
    tolerance_ppm: float,
    on_bad_record: str,
) -> None:
    """Write usable chains into n_blocks files of block_size and list the others.

    Raises LacunaError where `on_bad_record` is 'fail' and there are bad records, after it has
    named each in the log: Snakemake removes what a failed job wrote. Raises it too where a
    FASTA is unreadable as a whole.
    """
    faults: list[Rejected] = []

    def usable() -> Iterator[Scaffold]:
        for record in read_scaffolds(fasta, gaps, truth, tolerance_ppm=tolerance_ppm):
            if isinstance(record, Rejected):
                faults.append(record)
            else:
                yield record

    folder.mkdir(parents=True, exist_ok=True)
    chains = usable()
    for block in range(n_blocks):
        write_scaffolds(block_path(folder, block), islice(chains, block_size))
    if next(chains, None) is not None:
        raise LacunaError(f"{fasta}: grew while it was read; run again")
    with atomic_write(rejected) as handle:
        rows = csv.writer(handle, delimiter="\t", lineterminator="\n")
        rows.writerow(REJECTED_COLUMNS)
        rows.writerows((f.chain, f.line, f.column or "", f.reason) for f in faults)
    if faults and on_bad_record == "fail":
        for fault in faults:
            LOG.error(fault.reason)
        listed = "" if len(faults) == 1 else f" (1 of {len(faults)} bad records; all in the log)"
        raise LacunaError(f"{faults[0].reason}{listed}")


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


def join_parts(parts: Iterable[Path], out: Path, columns: Sequence[str] = ()) -> None:
    """Join parts without headers under one header, in order."""
    with atomic_write(out) as handle:
        if columns:
            handle.write("\t".join(columns) + "\n")
        for part in parts:
            with open(part, encoding="utf-8") as source:
                shutil.copyfileobj(source, handle)


def write_alternatives(gaps: Path, filled: Path, out: Path) -> None:
    """A FASTA of chains with one gap filled otherwise: `>chain|gap 2|rank 3 probability=0.04`.

    gaps, filled: tables of a sample as `join_parts` makes them, chains in the same order.
    """
    with (
        open(gaps, newline="", encoding="utf-8") as table,
        open(filled, encoding="utf-8") as fasta,
        atomic_write(out) as handle,
    ):
        rows = csv.DictReader(table, delimiter="\t")
        by_chain = groupby(rows, key=itemgetter("chain"))
        waiting = next(by_chain, None)
        for header, sequence in zip(fasta, fasta, strict=True):
            chain = header[1:].split()[0]
            if waiting is None or waiting[0] != chain:
                continue
            shift = 0  # of the filled chain against the user's positions
            for number, ranked in groupby(waiting[1], key=itemgetter("gap")):
                first, *others = ranked
                start = int(first["start"]) + shift
                stop = start + len(first["candidate"])
                for row in others:
                    name = f"{chain}|gap{number}|rank{row['rank']} probability={row['probability']}"
                    chain_text = sequence[:start] + row["candidate"] + sequence[stop:]
                    handle.write(f">{name}\n{chain_text}")
                if first["candidate"]:
                    shift += len(first["candidate"]) - (int(first["end"]) - int(first["start"]))
            waiting = next(by_chain, None)


def measure(scored: Iterable[Path], seed: Iterable[Path], out: Path) -> None:
    """Add up the scored residues of all blocks and write the accuracy table.

    seed: folders of the tutorial's models, where they were trained.
    """
    sums = []
    told = [
        pd.read_csv(folder / SEED_PREDICTIONS, sep="\t", dtype=str, keep_default_na=False)
        for folder in seed
    ]
    for path in scored:
        table = read_scored(path)
        sums.append(sum_scored(table))
        for predictions in told:
            for protocol, answers in predictions.groupby("protocol"):
                rows = table.drop(columns="probability").merge(answers, on=["chain", "position"])
                sums.append(sum_predictions(rows, "seed_lstm", str(protocol)))
    write_accuracy(out, accuracy_table(sums, METHODS))


def join_accuracy(
    samples: Sequence[str],
    accuracy: Sequence[Path],
    chains: Sequence[Path],
    rejected: Sequence[Path],
    out: Path,
    summary: Path,
) -> None:
    """One table over samples (without the rows of single chains) and one line per sample."""
    tables, lines = [], []
    for sample, path, chain_path, rejected_path in zip(
        samples, accuracy, chains, rejected, strict=True
    ):
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        tables.append(table[table["scope"] != "chain"].assign(sample=sample))
        lines.append(_summary_line(sample, table, chain_path, rejected_path))
    joined = pd.concat(tables)
    write_accuracy(out, joined[["sample", *(c for c in joined.columns if c != "sample")]])
    with atomic_write(summary) as handle:
        handle.write("".join(f"{line}\n" for line in lines))


def _summary_line(sample: str, accuracy: pd.DataFrame, chains: Path, rejected: Path) -> str:
    """`sample: 2 chains, 80 of 80 missing residues filled; right: lacuna 78/80 (0.975), ...`"""
    n_chains = missing = filled = 0
    columns = ["missing", "filled"]
    for part in pd.read_csv(chains, sep="\t", usecols=columns, chunksize=100_000):
        n_chains += len(part)
        missing += int(part["missing"].sum())
        filled += int(part["filled"].sum())
    with open(rejected, encoding="utf-8") as handle:
        n_rejected = sum(1 for _ in handle) - 1
    chains_said = "1 chain" if n_chains == 1 else f"{n_chains} chains"
    line = f"{sample}: {chains_said}, {filled} of {missing} missing residues filled"
    if n_rejected:
        line += f", {n_rejected} records rejected (see {rejected})"
    overall = accuracy[accuracy["scope"] == "overall"]
    parts = []
    for row in overall.to_dict("records"):
        name = row["method"]
        if row["protocol"] != "scaffold":
            name += f" ({row['protocol']})"
        parts.append(
            f"{name} {row['n_correct']}/{row['n_residues']} ({float(row['accuracy']):.3f})"
        )
    return f"{line}; right: {', '.join(parts)}" if parts else f"{line}; no truth given"
