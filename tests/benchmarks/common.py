"""What benchmarks share. Importing it first makes the package importable."""

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from lacuna.core.files import open_text  # noqa: E402
from lacuna.core.statistics import wilson_interval  # noqa: E402
from lacuna.scaffolds.read import read_scaffolds  # noqa: E402
from lacuna.scaffolds.scaffold import Scaffold  # noqa: E402

HUMAN = ("thera_dev", "cov_abdab", "shehata")  # sets


class Chain(NamedTuple):
    group: str  # species, or set, and locus
    sequence: str


def read_truth(path: Path) -> list[dict[str, Any]]:
    """The records of a truth.jsonl, as bench_accuracy.py has it."""
    with open_text(path) as handle:
        return [json.loads(line) for line in handle]


def read_chains(path: Path) -> list[Chain]:
    """The chains of a truth.jsonl, or of a table with species, chain and vdomain_aa, each once."""
    if ".jsonl" in path.name:
        chains = [Chain(f"{r['set']} {r['chain']}", r["seq"]) for r in read_truth(path)]
    else:
        with open_text(path) as handle:
            table = csv.DictReader(handle)
            chains = [Chain(f"{r['species']} {r['chain']}", r["vdomain_aa"]) for r in table]
    return list(dict.fromkeys(chains))


def scaffolds_of(path: Path) -> list[Scaffold]:
    """The chains of a FASTA; one that cannot be used ends the benchmark."""
    found = []
    for record in read_scaffolds(path):
        if isinstance(record, Scaffold):
            found.append(record)
        elif not record.remark:
            sys.exit(record.reason)
    return found


def options_of(of: str | None) -> argparse.ArgumentParser:
    """Options of a benchmark, so far none; of: its docstring."""
    return argparse.ArgumentParser(description=(of or "").partition("\n")[0])


def given_paths(of: str | None, *names: str) -> list[Path]:
    """The paths that a benchmark is given, which has no options; of: its docstring."""
    parser = options_of(of)
    for name in names:
        parser.add_argument(name.lower(), type=Path, metavar=name)
    given = parser.parse_args()
    return [getattr(given, name.lower()) for name in names]


def drawing(of: str | None, given: str, chains: int, seed: int = 1) -> argparse.ArgumentParser:
    """Options of a benchmark that draws chains from a file or folder: the name of that, how many.

    of: its docstring.
    """
    parser = options_of(of)
    parser.add_argument(given.lower(), type=Path, metavar=given)
    parser.add_argument("--chains", type=int, default=chains, dest="n")
    parser.add_argument("--seed", type=int, default=seed)
    return parser


def merged(residues: str) -> str:
    """The residues with I and L merged."""
    return residues.replace("I", "L")


def share(part: int, whole: int, digits: int = 3) -> str:
    """`0.902 (0.884-0.917)`: a share with its 95 % Wilson interval; `-` of nothing."""
    if not whole:
        return "-"
    low, high = wilson_interval(part, whole)
    return f"{part / whole:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
