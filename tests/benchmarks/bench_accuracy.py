"""Accuracy on a folder of scaffolds with truth, compared with the results of other programs.

    python tests/benchmarks/bench_accuracy.py FOLDER FILLED.fasta

FOLDER holds truth.jsonl (a record per scaffold: id, set, protocol, chain, seq, missing) and
peers.tsv (method, set, protocol, chain, n_residues, residue_accuracy, n_gaps,
exact_gap_accuracy). Prints a Markdown table: residue accuracy per group of sets, protocol and
locus with 95 % Wilson intervals, pooled over residues. All residues of a chain that is absent or
has changed elsewhere count as wrong.
"""

import csv
from collections import defaultdict
from pathlib import Path

from common import HUMAN, given_paths, merged, read_truth, share

from lacuna.scaffolds.fasta import read_records

PROTOCOLS = ("gap3", "gap5", "gap10", "gap15", "nterm15", "random10")


def group_of(name: str) -> str:
    return "human" if name in HUMAN else name


def print_pooled(
    group: str,
    counts: dict[tuple[str, str, str], list[int]],
    peers: dict[tuple[str, str, str], dict[str, list[float]]],
    methods: list[str],
) -> None:
    """Print residue accuracy of one group of sets by protocol, chains pooled."""
    lines: dict[str, list[str]] = {"Lacuna": [], **{m: [] for m in methods}}
    for protocol in PROTOCOLS:
        keys = [k for k in counts if k[:2] == (group, protocol)]
        n, right = (sum(counts[k][i] for k in keys) for i in (0, 1))
        told, interval = share(right, n).split(" ")
        lines["Lacuna"].append(f"**{told}** {interval}")
        for method in methods:
            sums = [peers[k][method] for k in keys]
            lines[method].append(f"{sum(s[1] for s in sums) / sum(s[0] for s in sums):.3f}")
    for name, cells in lines.items():
        print(f"| {name} |", " | ".join(cells), "|")


def main(folder: Path, filled: Path) -> None:
    chains = {r.chain: r.body.decode().replace("\n", "") for r in read_records(filled, 1 << 20)}
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for record in read_truth(folder / "truth.jsonl"):
        true, missing = record["seq"], record["missing"]
        got = chains.get(record["id"], "")
        hidden = set(missing)
        intact = len(got) == len(true) and all(
            a == b for i, (a, b) in enumerate(zip(got, true, strict=True)) if i not in hidden
        )
        right = [intact and got[i] == true[i] for i in missing]
        exact = intact and merged(got) == merged(true)
        count = counts[group_of(record["set"]), record["protocol"], record["chain"]]
        for i, value in enumerate((len(right), sum(right), 1, exact)):
            count[i] += value
    peers: dict[tuple[str, str, str], dict[str, list[float]]] = defaultdict(dict)
    methods: list[str] = []
    with open(folder / "peers.tsv", encoding="utf-8") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            key = (group_of(row["set"]), row["protocol"], row["chain"])
            sums = peers[key].setdefault(row["method"], [0.0, 0.0])
            sums[0] += int(row["n_residues"])
            sums[1] += int(row["n_residues"]) * float(row["residue_accuracy"])
            if row["method"] not in methods:
                methods.append(row["method"])
    print_pooled("human", counts, peers, methods)
    print()
    names = " | ".join(methods)
    print(f"| sets | protocol | chain | residues | Lacuna (95 %) | {names} | exact gaps |")
    print("|---|---|---|---|---|" + "---|" * (len(methods) + 1))
    for key in sorted(counts):
        n, n_right, gaps, n_exact = counts[key]
        others = [f"{s[1] / s[0]:.3f}" if (s := peers[key].get(m)) else "" for m in methods]
        print(
            f"| {key[0]} | {key[1]} | {key[2]} | {n} | {share(n_right, n)} |",
            " | ".join(others),
            f"| {n_exact / gaps:.3f} |",
        )


if __name__ == "__main__":
    main(*given_paths(__doc__, "FOLDER", "FILLED"))
