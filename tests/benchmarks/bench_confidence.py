"""Calibration, thresholds and ranked gaps of a filled benchmark, as reported in the model card.

    python tests/benchmarks/bench_confidence.py FOLDER OUT

FOLDER holds truth.jsonl (see bench_accuracy.py); OUT is a sample's output folder, filled with or
without masses and lengths of gaps. Prints the expected calibration error by set, precision and
coverage at several thresholds, the share that is right in each tenth of probability, and, by
protocol on the human sets, the number of gaps that are exact (I = L), have the truth among their
candidates, and have the right length.
"""

from pathlib import Path

import pandas as pd
from common import HUMAN, given_paths, merged, read_truth

CUT_OFFS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def print_confidence(residues: pd.DataFrame) -> None:
    known = residues[residues["truth"] != ""]
    right = known["residue"] == known["truth"]
    p = known["probability"].astype(float)
    groups = known["chain"].str.split("|").str[0]
    bins = (p * 10).astype(int).clip(upper=9)
    for name in sorted(groups.unique()):
        rows = groups == name
        gap = (right[rows] - p[rows]).groupby(bins[rows]).sum().abs().sum()
        print(f"calibration error {name}: {gap / rows.sum():.3f} of {rows.sum()} residues")
    for cut in CUT_OFFS:
        kept = p >= cut
        print(f"probability >= {cut}: right {right[kept].mean():.3f}, share {kept.mean():.3f}")
    for tenth in range(10):
        rows = bins == tenth
        told = f"{tenth / 10} to {(tenth + 1) / 10} (mean {p[rows].mean():.3f})"
        print(f"probability {told}: {right[rows].sum()} of {rows.sum()} right")


def print_gaps(gaps: pd.DataFrame, truth: dict[str, dict]) -> None:
    counts: dict[str, list[int]] = {}
    for (chain, _), ranked in gaps.groupby(["chain", "gap"], sort=False):
        record = truth[str(chain)]
        if record["set"] not in HUMAN:
            continue
        # Every protocol but random10 has one gap; in random10 gaps do not shift each other.
        start = int(ranked["start"].iloc[0])
        stop = int(ranked["end"].iloc[0])
        if record["protocol"] != "random10":
            start, stop = record["missing"][0], record["missing"][-1] + 1
        true = merged(record["seq"][start:stop])
        told = [merged(c) for c in ranked["candidate"]]
        row = counts.setdefault(record["protocol"], [0, 0, 0, 0])
        for i, value in enumerate((1, told[0] == true, true in told, len(told[0]) == len(true))):
            row[i] += value
    for protocol, (n, exact, among, length) in counts.items():
        shares = f"exact {exact / n:.3f}, among candidates {among / n:.3f}, length {length / n:.3f}"
        print(f"{protocol}: {n} gaps, {shares}")


def main(folder: Path, out: Path) -> None:
    truth = {record["id"]: record for record in read_truth(folder / "truth.jsonl")}
    print_confidence(read(out / "residues.tsv"))
    print_gaps(read(out / "gaps.tsv"), truth)


if __name__ == "__main__":
    main(*given_paths(__doc__, "FOLDER", "OUT"))
