"""Gaps of unknown length and without a mass: is the length right, and are probabilities calibrated?

    python tests/benchmarks/open_lengths.py FOLDER [--residues 2 5 12] [--chains 820] [--seed 0]

FOLDER holds truth.jsonl (see bench_accuracy.py), whose chains were left out of training. In each V
domain a gap of every given number of residues is drawn, inside the chain, and inserted without a
length. All residues of a gap of wrong length count as wrong. Prints, by region of the middle of the
gap, the share of right lengths and residues, how many of those stated at 0.95 or more are wrong,
and the expected calibration error.
"""

import random
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import drawing, read_truth

from lacuna.core.statistics import error_of_residues
from lacuna.core.tables import RESIDUE_TABLE
from lacuna.steps.one_file import fill_file

LONGEST = 140  # residues of a V domain; what is longer has a constant region
SURE = 0.95


class Drawn(NamedTuple):
    sequence: str
    start: int
    end: int


class Filled(NamedTuple):
    """Of a gap: its true residues, those found with their probabilities, and its region."""

    truth: str
    letters: str
    shares: list[float]
    region: str

    def right(self) -> list[bool]:
        same = len(self.letters) == len(self.truth)
        return [same and a == b for a, b in zip(self.letters, self.truth.ljust(999), strict=False)]


def draw(path: Path, size: int, n: int, rng: random.Random) -> list[Drawn]:
    """A gap of `size` residues in each of n V domains."""
    chains = dict.fromkeys(record["seq"] for record in read_truth(path))
    domains = [chain for chain in chains if len(chain) <= LONGEST]
    starts = [rng.randint(1, len(chain) - 1 - size) for chain in domains]
    drawn = [Drawn(c, start, start + size) for c, start in zip(domains, starts, strict=True)]
    return rng.sample(drawn, min(n, len(drawn)))


def fill(drawn: list[Drawn]) -> list[Filled]:
    with tempfile.TemporaryDirectory() as scratch:
        fasta, gaps, out = (Path(scratch) / name for name in ("c.fasta", "gaps.tsv", "out"))
        fasta.write_text(
            "".join(f">{i}\n{c[:start]}{c[end:]}\n" for i, (c, start, end) in enumerate(drawn))
        )
        rows = "".join(f"{i}\t{start}\t{start}\n" for i, (_, start, _) in enumerate(drawn))
        gaps.write_text("chain\tstart\tend\n" + rows)
        fill_file({"fasta": fasta, "gaps": gaps}, out, {})
        rows_of = defaultdict(list)
        for row in RESIDUE_TABLE.read(out / "residues.tsv"):
            rows_of[int(row.chain)].append(row)
    return [
        Filled(
            chain[start:end],
            "".join(row.residue for row in rows_of[i]),
            [row.probability for row in rows_of[i]],
            rows_of[i][len(rows_of[i]) // 2].region,
        )
        for i, (chain, start, end) in enumerate(drawn)
    ]


def print_row(name: str, filled: list[Filled]) -> None:
    right = [ok for gap in filled for ok in gap.right()]
    shares = [share for gap in filled for share in gap.shares]
    lengths = sum(len(gap.letters) == len(gap.truth) for gap in filled)
    sure = [ok for ok, share in zip(right, shares, strict=True) if share >= SURE]
    missing = sum(len(gap.truth) for gap in filled)
    error = error_of_residues(np.array(right), np.array(shares))
    print(
        f"| {name} | {len(filled)} | {lengths / len(filled):.3f} | {sum(right) / missing:.3f}"
        f" | {len(sure) - sum(sure)} of {len(sure)} | {error:.3f} |"
    )


if __name__ == "__main__":
    parser = drawing(__doc__, "FOLDER", chains=820, seed=0)
    parser.add_argument("--residues", type=int, nargs="+", default=[2, 5, 12])
    options = parser.parse_args()
    generator = random.Random(options.seed)
    everything: list[Filled] = []
    for size in options.residues:
        everything += fill(draw(options.folder / "truth.jsonl", size, options.n, generator))
    print(f"| region | gaps | length right | residues right | wrong at {SURE} | ECE |")
    print("|---|---|---|---|---|---|")
    for region in sorted({gap.region for gap in everything} - {""}):
        print_row(region, [gap for gap in everything if gap.region == region])
    print_row("all", everything)
