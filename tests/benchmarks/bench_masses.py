"""What masses are worth: gaps filled exactly with their mass, fragment masses, hidden lengths.

    python tests/benchmarks/bench_masses.py FOLDER OUT [--shares 0 0.1 0.2 0.3 0.5] [--hide-lengths]
        [--error-ppm 3] [--draws 3] [--intact DA] [--every N] [--mode thorough]

FOLDER holds scaffolds.fasta, gaps.tsv (chain, start, end, mass: measured, 10 ppm) and truth.jsonl
(a record per scaffold: id, set, protocol, chain, seq, missing). For each share the masses of so
many inner cleavages of each gap, drawn at random, are written into OUT/SHARE/DRAW/masses.tsv with
that of the gap, and the chains are filled with them. Masses of cleavages have normal errors with a
standard deviation of --error-ppm. Prints a Markdown table of the human sets: gaps with every
residue right (I = L) and their 95 % Wilson intervals, those whose truth is among the candidates,
and those of the right length. With --intact gaps have no masses, but each chain has its average
mass, with that tolerance and normal errors of a third of it.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import HUMAN, merged, options_of, read_truth
from pyteomics.mass import calculate_mass, std_aa_mass

from lacuna.core.statistics import wilson_interval
from lacuna.core.tables import GAP_TABLE
from lacuna.scaffolds.fasta import read_records
from lacuna.steps.one_file import fill_file

PROTOCOLS = ("gap3", "gap5", "gap10")  # one gap a chain
PPM = 10.0  # tolerance
ERROR_PPM = 3.0  # standard deviation of the errors, as of the masses of gaps in FOLDER
CANDIDATES = 5


def draw(
    record: dict[str, Any],
    seed: tuple[int, int],
    mass: str,
    share: float,
    given: argparse.Namespace,
) -> dict[str, object]:
    """A row of the gap table: the mass of the gap, and those of a share of its inner cleavages.

    Of a chain the cleavages known at one share are known at every larger one, with the same errors.
    """
    rng = np.random.default_rng(seed)
    start, end = record["missing"][0], record["missing"][-1] + 1
    weights = np.cumsum([std_aa_mass[residue] for residue in record["seq"][start : end - 1]])
    n = int(share * len(weights) + rng.random())  # on average that share of them
    known = np.sort(rng.permutation(len(weights))[:n])
    weights *= 1 + rng.normal(0.0, given.error_ppm, len(weights)) / 1e6
    return {
        "chain": record["id"],
        "start": start,
        "end": end,
        "mass": "" if given.intact else mass,
        "min_length": 1 if given.hide_lengths else "",
        "prefix_masses": ";".join(f"{prefix:.5f}" for prefix in weights[known]),
    }


def fill(
    given: argparse.Namespace,
    truth: Sequence[dict[str, Any]],
    rows: list[dict[str, object]],
    out: Path,
) -> Path:
    """Fill the chains with the rows as their gap table; the path of gaps.tsv."""
    out.mkdir(parents=True, exist_ok=True)
    wanted = {record["id"] for record in truth}
    with open(out / "chains.fasta", "w", encoding="utf-8") as handle:
        for scaffold in read_records(given.folder / "scaffolds.fasta", 1 << 20):
            if scaffold.chain in wanted:
                handle.write(f">{scaffold.chain}\n{scaffold.body.decode()}\n")
    with open(out / "masses.tsv", "w", newline="", encoding="utf-8") as handle:
        table = csv.DictWriter(handle, list(rows[0]), delimiter="\t", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    inputs = {"fasta": out / "chains.fasta", "gaps": out / "masses.tsv"}
    if given.intact:
        inputs["masses"] = out / "intact.tsv"
        with open(inputs["masses"], "w", encoding="utf-8") as handle:
            handle.write("chain\tmass\ttolerance_da\tkind\n")
            for i, record in enumerate(truth):
                mass = calculate_mass(sequence=record["seq"], average=True)
                mass += np.random.default_rng(i).normal(0.0, given.intact / 3)
                handle.write(f"{record['id']}\t{mass:.3f}\t{given.intact}\taverage\n")
    options = {
        "alkylation": "none",
        "candidates": CANDIDATES,
        "tolerance_ppm": PPM,
        "mode": given.mode,
    }
    fill_file(inputs, out / "filled", options)
    return out / "filled" / "gaps.tsv"


def count(truth: Sequence[dict[str, Any]], gaps: Path) -> Counter[tuple[str, str]]:
    """Gaps of each protocol; those exact, among the candidates, and of the right length."""
    found: dict[str, list[str]] = {}
    for row in GAP_TABLE.read(gaps):
        found.setdefault(row.chain, []).append(merged(row.candidate))
    counts: Counter[tuple[str, str]] = Counter()
    for record in truth:
        true = merged("".join(record["seq"][i] for i in record["missing"]))
        candidates, protocol = found[record["id"]], record["protocol"]
        counts[protocol, "gaps"] += 1
        counts[protocol, "exact"] += candidates[0] == true
        counts[protocol, "among"] += true in candidates
        counts[protocol, "length"] += len(candidates[0]) == len(true)
    return counts


def cells(counts: Counter[tuple[str, str]], draws: int) -> Iterator[str]:
    """A cell of the table for each protocol; intervals are those of one draw's gaps."""
    for protocol in PROTOCOLS:
        n = counts[protocol, "gaps"]
        exact, among, length = (counts[protocol, x] / n for x in ("exact", "among", "length"))
        low, high = wilson_interval(round(exact * n / draws), n // draws)
        yield f"{exact:.3f} ({low:.3f}-{high:.3f}); {among:.3f}; {length:.3f}"


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--shares", type=float, nargs="+", default=[0, 0.1, 0.2, 0.3, 0.5])
    parser.add_argument("--hide-lengths", action="store_true")
    parser.add_argument("--error-ppm", type=float, default=ERROR_PPM)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--intact", type=float, default=0.0, metavar="DA")
    parser.add_argument("--every", type=int, default=1, help="N: one chain of N alone")
    parser.add_argument("--mode", choices=("fast", "thorough"), default="fast")
    given = parser.parse_args()
    records = read_truth(given.folder / "truth.jsonl")
    human = [r for r in records if r["set"] in HUMAN and r["protocol"] in PROTOCOLS]
    numbered = list(enumerate(human))
    # Scaffolds of a chain follow each other, one a protocol: every n-th chain with all of them.
    some = [(i, r) for i, r in numbered if i // len(PROTOCOLS) % given.every == 0]
    truth = [record for _, record in some]
    with open(given.folder / "gaps.tsv", encoding="utf-8") as handle:
        masses = {row["chain"]: row["mass"] for row in csv.DictReader(handle, delimiter="\t")}
    titles = [f"{protocol} exact; among {CANDIDATES}; length" for protocol in PROTOCOLS]
    print("| cleavages known |", " | ".join(titles), "|")
    print("|---" * (len(PROTOCOLS) + 1) + "|")
    for share in given.shares:
        counts: Counter[tuple[str, str]] = Counter()
        draws = given.draws if share else 1
        for seed in range(draws):
            rows = [draw(r, (seed, i), masses[r["id"]], share, given) for i, r in some]
            out = given.out / f"{share:g}" / f"draw{seed}"
            counts += count(truth, fill(given, truth, rows, out))
        print(f"| {share:g} |", " | ".join(cells(counts, draws)), "|", flush=True)


if __name__ == "__main__":
    main()
