"""Parts of the reads of known proteins: does what is said of each residue stay true?

    python tests/benchmarks/fewer_reads.py SETS [--shares 0.5,0.2,0.1,0.05,0.02] [--seeds 1,2,3,4]

SETS is a table `set protein reads truth` (docs/explanation/measurements.md). Parts of the reads of
each set, drawn at random, are processed as by the target benchmark_reads. Prints a row for each
share, of V domains: how many residues are right, how many of those called observed are wrong, and
how many at 0.95 or more; lengths and CDR3s that are right. One core, about 25 minutes.
"""

import logging
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from common import options_of

from lacuna.benchmark import reads as scoring
from lacuna.core.paths import LIBRARY, WEIGHTS
from lacuna.network.weights import load_weights
from lacuna.reads.known import known_reads
from lacuna.reads.readers import read_peptides
from lacuna.templates.library import load_library

SHARES, SEEDS = "0.5,0.2,0.1,0.05,0.02", "1,2,3,4"


def total(rows: Sequence[scoring.ReadsRow], column: str) -> str:
    """The sums of a column of `5 of 7`, written `5/7`, or of `5, 1 wrong`."""
    pairs = [getattr(row, column).replace("/", ", ").split(", ") for row in rows]
    first, second = (sum(int(pair[i].split()[0]) for pair in pairs) for i in (0, 1))
    return f"{first} of {second}" if "/" in getattr(rows[0], column) else f"{first}, {second}"


def line(share: float, rows: Sequence[scoring.ReadsRow]) -> str:
    """A row of the table."""
    n = sum(row.residues for row in rows)
    right = f"{sum(row.right * row.residues for row in rows) / n:.3f}"
    wrong = str(sum(row.wrong_sure for row in rows))
    counted = [total(rows, column) for column in ("observed", "lengths", "cdr3")]
    return " | ".join((f"| {share:g}", str(n), right, counted[0], wrong, *counted[1:])) + " |"


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--shares", default=SHARES)
    parser.add_argument("--seeds", default=SEEDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    networks, library = (load_weights(WEIGHTS), None), load_library(LIBRARY)
    found: dict[float, list[scoring.ReadsRow]] = {}
    for known in known_reads(options.sets):
        every, truths = read_peptides(known.reads).reads, scoring._true_domains(known.truth)
        for share in map(float, options.shares.split(",")):
            for seed in map(int, options.seeds.split(",")):
                rng = random.Random(seed)
                part = [read for read in every if rng.random() < share]
                row = scoring._measure(known, part, truths, scoring.VARIANTS[0], networks, library)
                found.setdefault(share, []).append(row)
    print(
        "| share | residues | right | observed, and wrong | wrong at p >= 0.95 | lengths | CDR3s |"
    )
    print("|---" * 7 + "|")
    for share, rows in found.items():
        print(line(share, rows))


if __name__ == "__main__":
    main()
