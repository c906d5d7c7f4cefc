"""What each part of the way from reads to chains brings: it is left out, and the rest is measured.

    python tests/benchmarks/read_ablation.py [--digest one] [--kinds WORD] [--seed 1]

Antibodies and reads are those of read_panel.py. Prints a row for each variant of the method (those
of lacuna/benchmark/reads.py), with germline copy as what is right without reads; what is wrong
among residues with each flag; and for how many open CDR3s reads leave a mass, without which that
bears on nothing. One core, about six minutes with one protease.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from common import options_of
from read_panel import DIGESTS, Result, Road, antibodies

from lacuna.benchmark import reads as scoring
from lacuna.core.statistics import error_of_residues


def row(name: str, results: Sequence[Result]) -> str:
    """A row of the table of variants."""
    n = sum(r.residues for r in results)
    good = np.concatenate([r.good for r in results])
    probability = np.concatenate([r.probability for r in results])
    cells = (
        name,
        f"{sum(r.right for r in results) / n:.3f}",
        int(((probability >= scoring.CONFIDENT) & ~good).sum()),
        f"{error_of_residues(good, probability):.3f}",
        f"{sum(sum(r.cdr3) for r in results)} of {sum(len(r.cdr3) for r in results)}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--digest", default="one", choices=DIGESTS)
    parser.add_argument("--kinds", default="", metavar="WORD", help="kinds that hold this word")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    road, asked = Road(), [a for a in antibodies() if options.kinds in a.kind]
    print("| left out | right | wrong at p >= .95 | ECE | CDR3s |\n" + "|---" * 5 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for variant in scoring.VARIANTS:
            found = [
                road.run(a, options.digest, options.seed, Path(folder), variant) for a in asked
            ]
            if variant is scoring.VARIANTS[0]:
                whole = found
            print(row("nothing" if found is whole else variant.name, found), flush=True)
    n = sum(r.residues for r in whole)
    print(f"| reads (germline copy) | {sum(r.germline for r in whole) / n:.3f} | | | |")
    flags = [flag for r in whole for flag in r.flags]
    print("\nflags:", scoring._by_flag(flags, np.concatenate([r.good for r in whole])))
    gaps = [gap for r in whole for chain in r.chains for gap in chain.gaps]
    weighed = sum(gap.mass is not None for gap in gaps)
    print(f"masses: reads leave one for {weighed} of {len(gaps)} open CDR3s")


if __name__ == "__main__":
    main()
