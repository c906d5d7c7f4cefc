"""Speed and memory of filling whole batches: runs of the workflow on simulated chains.

Each run is one that a user would start, from a FASTA to every table, with Snakemake in a process
of its own. Its seconds are wall-clock time, its memory that of its largest process.

The bound is the speed at which the matrix products of the network alone would run: torch makes
those of a forward pass over a batch of k-mers, one k-mer per chain, on one thread before the runs;
the speed is multiplied by the number of cores. A run would reach it if reading, numbering,
templates, decoding, tables, Snakemake and the rest of the network cost nothing.
"""

import csv
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lacuna.antibody.germlines import LOCI
from lacuna.benchmark.peak import peak_mb_of
from lacuna.benchmark.stages import STAGES
from lacuna.core.alphabet import MISSING_LETTER, N_RESIDUES, decode
from lacuna.core.device import product_dtype, set_precision
from lacuna.core.files import LacunaError, atomic_write
from lacuna.core.paths import SNAKEFILE
from lacuna.network.model import GapNetwork, ModelConfig
from lacuna.network.weights import load_weights
from lacuna.training.simulate import grid_to_chain, mutate, recombine

GAP = 5  # missing residues of each chain, in a row
MUTATIONS = 0.04  # share of framework residues that differ from germline
OTHER = "other"
REPEATS = 5  # of each product; the fastest counts

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run.

    stages: seconds by name of STAGES, divided by the cores; OTHER is the rest of the run: Snakemake
    and idle cores. bound: chains/s; peak_mb: MB (10^6 bytes) of its largest process.
    """

    chains: int
    stages: Mapping[str, float]
    seconds: float
    peak_mb: float
    bound: float

    def row(self) -> dict[str, str]:
        """The run's row of the table, by column."""
        rate = self.chains / self.seconds
        return {
            "chains": str(self.chains),
            **{f"{name} s": f"{seconds:.1f}" for name, seconds in self.stages.items()},
            "total s": f"{self.seconds:.1f}",
            "chains/s": f"{rate:.0f}",
            "peak MB": f"{self.peak_mb:.0f}",
            "bound chains/s": f"{self.bound:.0f}",
            "share": f"{rate / self.bound:.2f}",
        }


def write_chains(path: Path, n: int, seed: int) -> None:
    """Write a FASTA of n human V domains with distinct ids; heavy, kappa and lambda take turns.

    V and J segments are joined by random residues and mutated; a gap of GAP residues is anywhere.
    """
    rng = np.random.default_rng(seed)
    with atomic_write(path) as handle:
        for i in range(n):
            grid = recombine("human", LOCI[i % len(LOCI)], rng, [])
            sequence = decode(grid_to_chain(mutate(grid, MUTATIONS, rng))[0])
            start = int(rng.integers(len(sequence) - GAP + 1))
            hidden = sequence[:start] + MISSING_LETTER * GAP + sequence[start + GAP :]
            handle.write(f">chain{i:08d}\n{hidden}\n")


def measure_scale(
    weights: Path,
    library: Path,
    table: Path,
    *,
    chains: Sequence[int],
    k: int,
    settings: Mapping[str, object],
    cores: int,
    large_network: Path | None = None,
) -> list[Measured]:
    """Make a run for each number of chains, and write a row for each to `table`.

    k: residues per k-mer; settings: of the configuration; large_network: its weights, in thorough
    mode, which the bound leaves out. Raises LacunaError if a run fails; its
    output is in the log.
    """
    config = load_weights(weights).config
    set_precision(str(settings["precision"]))
    bound = cores / product_seconds(config, k, product_dtype(torch.device("cpu")))
    start, germlines = str(weights.resolve()), str(library.resolve())  # a run has its own folder
    given = {**settings, "train": {"from": start, "steps": 0}, "library": germlines}
    if large_network is not None:
        given["large_network"] = str(large_network.resolve())
    measured = [_run(n, given, cores, bound) for n in chains]
    write_table(table, measured)
    return measured


def product_seconds(config: ModelConfig, k: int, dtype: torch.dtype) -> float:
    """Seconds of one thread for the matrix products of a k-mer of k residues with a gap.

    Measured on those of a batch of k-mers: of the features, the convolution, both directions
    of each LSTM layer (inputs all at once, states step by step; the last layer only from both ends
    to the end of the gap), and the head for the residues of the gap.
    """
    n_kmers = GapNetwork.AT_ONCE
    positions, missing = n_kmers * k, n_kmers * GAP
    d, h = config.channels, config.hidden
    shapes = [
        (positions, 2 * config.slots + config.profiles * N_RESIDUES, d, 1),
        (positions, config.kernel * d, d, 1),
        (missing, 2 * h + d, d, 1),
        (missing, d, N_RESIDUES + config.slots + config.profiles, 1),
    ]
    for layer in range(config.layers):
        steps = k + GAP if layer == config.layers - 1 else 2 * k
        shapes.append((n_kmers * steps, 2 * h if layer else d, 4 * h, 1))
        shapes.append((n_kmers, h, 4 * h, steps))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return (
            sum(_seconds_of(m, inner, n, dtype) * times for m, inner, n, times in shapes) / n_kmers
        )
    finally:
        torch.set_num_threads(threads)


def _seconds_of(m: int, inner: int, n: int, dtype: torch.dtype) -> float:
    """Seconds of one product (m, inner) x (inner, n), repeated until it can be timed."""
    left, right = torch.randn(m, inner).to(dtype), torch.randn(n, inner).to(dtype).T
    several = max(10**8 // (m * inner * n), 1)

    def products() -> None:
        for _ in range(several):
            torch.mm(left, right)

    products()
    return min(_clock(products) for _ in range(REPEATS)) / several


def _clock(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _run(n: int, settings: Mapping[str, object], cores: int, bound: float) -> Measured:
    """Fill n chains in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_chains(folder / "chains.fasta", n, seed=n)
        (folder / "samples.tsv").write_text("sample\tfasta\nscale\tchains.fasta\n")
        config = {**settings, "samples": "samples.tsv", "outdir": "out"}
        (folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE)]
        command += ["--directory", str(folder), "--cores", str(cores), "--resources", "gpu=0"]
        LOG.info("%d chains: %s", n, " ".join(command))
        began = time.perf_counter()
        try:
            peak = peak_mb_of(command, SNAKEFILE.parent)
        except subprocess.CalledProcessError:
            raise LacunaError(
                f"benchmark_scale: the run of {n} chains failed; see the log"
            ) from None
        seconds = time.perf_counter() - began
        stages = {
            stage: sum(_job_seconds(folder / "out" / "benchmarks", rule) for rule in rules) / cores
            for stage, rules in STAGES.items()
        }
        stages[OTHER] = seconds - sum(stages.values())
        return Measured(n, stages, seconds, peak, bound)


def _job_seconds(folder: Path, rule: str) -> float:
    """Seconds of all jobs of a rule, from Snakemake's benchmark files."""
    found = 0.0
    for path in [folder / f"{rule}.tsv", *sorted((folder / rule).glob("*.tsv"))]:
        if path.exists():
            with open(path, encoding="utf-8", newline="") as handle:
                found += sum(float(row["s"]) for row in csv.DictReader(handle, delimiter="\t"))
    return found


def write_table(path: Path, measured: Sequence[Measured]) -> None:
    """Write a TSV with one row per run."""
    rows = [m.row() for m in measured]
    with atomic_write(path) as handle:
        writer = csv.DictWriter(handle, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def table_of(measured: Sequence[Measured]) -> str:
    """The same table as text with aligned columns."""
    rows = [list(measured[0].row()), *(list(m.row().values()) for m in measured)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(lines)
