"""Reads of known proteins twice, as if a second tool had read the same spectra.

    python tests/benchmarks/two_tools.py SETS [--seeds 1,2]

SETS is a table `set protein reads truth` (docs/explanation/measurements.md). The second reads are
those of the table with their mistakes; where the first tool is unsure, a residue changes places
with the next one, more often the less sure it is. They state one confidence for each peptide.
Prints a row for each set, of V domains: how many residues are right, how many of those called
observed are wrong, how many at 0.95 or more, and the ECE. One core, about four minutes.
"""

import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from common import options_of

from lacuna.benchmark import reads as scoring
from lacuna.core.paths import LIBRARY, WEIGHTS
from lacuna.network.weights import load_weights
from lacuna.reads.known import known_reads
from lacuna.reads.read import Read
from lacuna.reads.readers import read_peptides
from lacuna.templates.library import load_library

EXCHANGED = 0.35  # share of the residues of confidence 0 that change places with the next one


def second_reads(reads: Sequence[Read], seed: int) -> Iterator[Read]:
    """Yield the reads of the other tool."""
    rng = random.Random(seed)
    for read in reads:
        n = len(read.residues)
        confidences = read.confidences or (read.score or 0.0,) * n
        order = list(range(n))
        for i in range(n - 1):
            if rng.random() < EXCHANGED * (1.0 - confidences[i]):
                order[i], order[i + 1] = order[i + 1], order[i]
        where = {old: new for new, old in enumerate(order)} | {-1: -1, n: n}
        yield replace(
            read,
            name=f"{read.name}, second",
            tool="table",
            residues="".join(read.residues[i] for i in order),
            confidences=None,
            score=sum(confidences) / n,
            modifications=tuple(sorted((where[at], mass) for at, mass in read.modifications)),
        )


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--seeds", default="1,2")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    networks, library = (load_weights(WEIGHTS), None), load_library(LIBRARY)
    print("| set | seed | right | observed, and wrong | wrong at p >= 0.95 | ECE |")
    print("|---" * 6 + "|")
    for known in known_reads(options.sets):
        first, truths = read_peptides(known.reads).reads, scoring._true_domains(known.truth)
        for seed in map(int, options.seeds.split(",")):
            reads = [*first, *second_reads(first, seed)]
            row = scoring._measure(known, reads, truths, scoring.VARIANTS[0], networks, library)
            said = (f"{row.right:.3f}", row.observed, str(row.wrong_sure), f"{row.ece:.3f}")
            print(f"| {known.name} | {seed} | {' | '.join(said)} |", flush=True)


if __name__ == "__main__":
    main()
