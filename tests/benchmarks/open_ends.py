"""Ends that are missing without a mark: are they found, and filled with the right residues?

    python tests/benchmarks/open_ends.py CHAINS [--chains 1000] [--seed 1] [--speed 20000]

CHAINS is a table (csv or csv.gz) with the columns species, chain (H, K or L) and vdomain_aa, or a
truth.jsonl as bench_accuracy.py has it (set, chain and seq of each scaffold). Chains that begin at
IMGT 1 are drawn, cut so that they begin at an IMGT position from 2 to 30, written as an AIRR table,
and filled as `lacuna fill` does. Prints, by species and locus, the share of chains whose number of
missing residues is right, and of missing residues that are right (all of a chain whose number is
wrong count as wrong). --speed runs the workflow on so many chains of CHAINS as they are, on two
cores, and prints the seconds from the command to the last file, and those of the processors: on a
busy machine the first say little.

The weights saw the repertoires of OAS in training; the chains of a truth.jsonl were left out of it.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from common import ROOT, Chain, drawing, read_chains, share

from lacuna.antibody.numbering import number_chain
from lacuna.steps.one_file import fill_file

FIRST, LAST = 2, 30  # IMGT positions at which a cut chain begins


def draw(chains: list[Chain], n: int, rng: random.Random) -> list[tuple[Chain, int]]:
    """n chains that begin at IMGT 1, and how many of their first residues are cut off."""
    drawn = []
    for chain in rng.sample(chains, len(chains)):
        numbering = number_chain(chain.sequence)
        if numbering.locus and numbering.columns[0] == 1:
            begin = rng.randint(FIRST, LAST)
            cut = next(i for i, code in enumerate(numbering.columns) if code >= begin)
            drawn.append((chain, cut))
            if len(drawn) == n:
                break
    return drawn


def write_table(path: Path, sequences: list[str]) -> None:
    lines = [f"c{i}\t{sequence}\t\n" for i, sequence in enumerate(sequences)]
    path.write_text("sequence_id\tsequence_aa\tv_call\n" + "".join(lines))


def measure(drawn: list[tuple[Chain, int]], folder: Path) -> None:
    table = folder / "cut.tsv"
    write_table(table, [chain.sequence[cut:] for chain, cut in drawn])
    fill_file({"fasta": table}, folder / "out", {})
    filled = (folder / "out" / "filled.fasta").read_text().splitlines()[1::2]
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (chain, cut), found in zip(drawn, filled, strict=True):
        n = found.find(chain.sequence[cut:])
        told = found[:n] if n == cut else ""
        right = sum(a == b for a, b in zip(told, chain.sequence, strict=False))
        for group in ("all", chain.group):
            for i, value in enumerate((1, n == cut, cut, right)):
                counts[group][i] += value
    print("| chains | number | number right (95 %) | residues | residues right (95 %) |")
    print("|---|---|---|---|---|")
    for group, (n, exact, residues, right) in sorted(counts.items()):
        number, told = share(exact, n, 4), share(right, residues, 4)
        print(f"| {group} | {n} | {number} | {residues} | {told} |")


def time_run(chains: list[Chain], n: int, folder: Path) -> None:
    write_table(folder / "chains.tsv", [chain.sequence for chain in chains[:n]])
    (folder / "samples.tsv").write_text("sample\tfasta\nall\tchains.tsv\n")
    (folder / "config.yaml").write_text("samples: samples.tsv\noutdir: out\n")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    began, before = time.perf_counter(), os.times()
    subprocess.run(
        [*command, "--cores", "2", "--quiet", "all"], cwd=folder, check=True, capture_output=True
    )
    seconds, after = time.perf_counter() - began, os.times()
    user, system = (
        getattr(after, x) - getattr(before, x) for x in ("children_user", "children_system")
    )
    print((folder / "out" / "summary.txt").read_text().strip())
    done = min(n, len(chains))
    print(f"{done} chains in {seconds:.1f} s on two cores ({user + system:.1f} s of processors)")


if __name__ == "__main__":
    parser = drawing(__doc__, "CHAINS", chains=1_000)
    parser.add_argument("--speed", type=int, default=0)
    options = parser.parse_args()
    everything = read_chains(options.chains)
    with tempfile.TemporaryDirectory() as scratch:
        measure(draw(everything, options.n, random.Random(options.seed)), Path(scratch))
        if options.speed:
            time_run(everything, options.speed, Path(scratch))
