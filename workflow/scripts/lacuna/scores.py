"""Accuracy over files: of a sample from its blocks, and of all samples."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from lacuna.accuracy import (
    accuracy_table,
    read_scored,
    sum_predictions,
    sum_scored,
    write_accuracy,
)
from lacuna.files import atomic_write
from lacuna.samples import BASELINES, PREDICTIONS

METHODS = ("lacuna", *BASELINES, "seed_lstm")


def measure(scored: Iterable[Path], seed: Iterable[Path], out: Path) -> None:
    """Add up the scored residues of all blocks and write the accuracy table.

    seed: folders of the tutorial's models, where they were trained.
    """
    sums = []
    told = [
        pd.read_csv(folder / PREDICTIONS, sep="\t", dtype=str, keep_default_na=False)
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
