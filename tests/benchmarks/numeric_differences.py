"""How far results depend on precision, processor and threads.

    python tests/benchmarks/numeric_differences.py FOLDER [--every N]
    make numbers BENCH=FOLDER

FOLDER holds scaffolds.fasta, chains with gaps of known length. They are filled once for each row of
the table, in a separate process: with each `precision` of the configuration, on 1, 2 and 4 threads,
and as on processors without AMX, AVX-512 or AVX2, by switches of ATen, oneDNN and MKL. Every row is
compared with the first: residues that differ, printed probabilities (4 digits) that differ, gaps
whose ranked candidates differ, and the largest difference between probabilities.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from common import ROOT, options_of

from lacuna.core.device import product_dtype, set_precision
from lacuna.filling.fill import Tables, fill_chains
from lacuna.network.encode import Encoder
from lacuna.network.predict import Predictor
from lacuna.network.weights import load_weights
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.templates.library import load_library

WEIGHTS = ROOT / "resources" / "weights" / "open"
CPU = torch.device("cpu")
CANDIDATES = 5
BLOCK = 2000  # chains
# Processors by the highest instruction set allowed: names in ATen and MKL, then in oneDNN.
PROCESSORS = {
    "this one": {},
    "without AMX": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"},
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
    "neither": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    },
}
COLUMNS = (
    "precision | processor | threads | residues | filled otherwise | printed otherwise "
    "| largest difference | gaps | other candidates | s"
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to compute."""

    precision: str
    processor: str
    threads: int


WAYS = (
    Way("float64", "this one", 1),
    Way("float64", "this one", 2),
    Way("float64", "AVX2", 1),
    Way("float64", "neither", 1),
    Way("float32", "this one", 1),
    Way("float32", "this one", 2),
    Way("float32", "this one", 4),
    Way("float32", "AVX2", 1),
    Way("float32", "neither", 1),
    Way("fast", "this one", 1),
    Way("fast", "this one", 2),
    Way("fast", "this one", 4),
    Way("fast", "without AMX", 1),
)


@dataclass(frozen=True, slots=True)
class Filled:
    """Results of one way: probabilities (t, 20) of t residues, and cells of the tables.

    residues, printed: (t,) letters and probabilities; candidates: (gaps,) candidates in order.
    """

    probabilities: np.ndarray
    residues: np.ndarray
    printed: np.ndarray
    candidates: np.ndarray
    seconds: float


def fill(folder: Path, every: int, precision: str, threads: int, out: Path) -> None:
    """Fill every `every`-th scaffold and write the results."""
    torch.set_num_threads(threads)
    set_precision(precision)
    library = load_library(WEIGHTS / "library.safetensors")
    predictor = Predictor(load_weights(WEIGHTS / "lacuna.safetensors"), library, CPU)
    encoder = Encoder(library, None, 128, 64, 0.95)
    read = (s for s in read_scaffolds(folder / "scaffolds.fasta") if isinstance(s, Scaffold))
    chains = list(read)[::every]
    began = time.perf_counter()
    probabilities, rows = [], []
    gaps: dict[tuple[str, str], list[str]] = {}
    for i in range(0, len(chains), BLOCK):
        block = chains[i : i + BLOCK]
        kmers = encoder.encode(block)
        probabilities.append(predictor.predict(kmers))
        tables = Tables(
            fill_chains(block, kmers, encoder, predictor.predict, candidates=CANDIDATES)
        ).texts
        rows += [x.split("\t") for x in tables["residues"].getvalue().splitlines()]
        for line in tables["gaps"].getvalue().splitlines():
            cells = line.split("\t")
            gaps.setdefault((cells[0], cells[1]), []).append(cells[5])
    np.savez(
        out,
        probabilities=np.concatenate(probabilities),
        residues=[row[3] for row in rows],
        printed=[row[4] for row in rows],
        candidates=[" ".join(ranked) for ranked in gaps.values()],
        seconds=time.perf_counter() - began,
    )


def filled(way: Way, folder: Path, every: int) -> Filled:
    """Results of a process that computes in this way."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "filled.npz"
        command = [sys.executable, __file__, str(folder), "--every", str(every)]
        command += ["--fill", way.precision, str(way.threads), str(out)]
        subprocess.run(command, env={**os.environ, **PROCESSORS[way.processor]}, check=True)
        with np.load(out) as found:
            return Filled(*(found[name] for name in Filled.__dataclass_fields__))


def row_of(way: Way, one: Filled, other: Filled) -> str:
    """Differences of one way from the first, as a row of the table."""
    cells = (
        *(way.precision, way.processor, way.threads, len(other.residues)),
        np.count_nonzero(one.residues != other.residues),
        np.count_nonzero(one.printed != other.printed),
        f"{np.abs(one.probabilities - other.probabilities).max():.1e}",
        len(other.candidates),
        np.count_nonzero(one.candidates != other.candidates),
        f"{float(other.seconds):.0f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def compare(folder: Path, every: int) -> None:
    """Print the table, each row as soon as it is known."""
    if not (folder / "scaffolds.fasta").is_file():
        sys.exit(f"Error: {folder} has no scaffolds.fasta; give a folder of chains with gaps")
    dtype = str(product_dtype(CPU)).removeprefix("torch.")
    capability = torch.backends.cpu.get_cpu_capability()
    print(f"torch {torch.__version__} on {capability}; fast is {dtype} here\n")
    print(f"| {COLUMNS} |\n|{' --- |' * len(COLUMNS.split('|'))}", flush=True)
    first = None
    for way in WAYS:
        found = filled(way, folder, every)
        first = first or found
        print(row_of(way, first, found), flush=True)


def main(arguments: Sequence[str]) -> None:
    parser = options_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="fill one scaffold of so many")
    parser.add_argument("--fill", nargs=3, help=argparse.SUPPRESS)  # for child processes
    given = parser.parse_args(arguments)
    if given.fill:
        precision, threads, out = given.fill
        fill(given.folder, given.every, precision, int(threads), Path(out))
    else:
        compare(given.folder, given.every)


if __name__ == "__main__":
    main(sys.argv[1:])
