"""By how much the thorough mode, the fast one and AntiBERTy differ, with intervals.

    python tests/benchmarks/peer_differences.py FOLDER PEERS

FOLDER holds truth.jsonl (a record per scaffold: id, set, protocol, chain, seq, missing); PEERS is
the folder {outdir}/peers of a run of `compare_peers` with `mode: thorough`. Prints Markdown rows of
the human sets: accuracy by protocol and on average, and differences with 95 % intervals over
chains (bootstrap, 2,000 draws).
"""

import csv
from pathlib import Path

import numpy as np
from common import HUMAN, given_paths, read_truth

PROTOCOLS = ("gap3", "gap5", "gap10", "gap15", "nterm15", "random10")
METHODS = {"thorough": "lacuna_thorough", "fast": "lacuna", "AntiBERTy": "antiberty"}
PAIRS = (("thorough", "fast"), ("thorough", "AntiBERTy"), ("fast", "AntiBERTy"))
DRAWS = 2000


def filled_by(path: Path, method: str) -> dict[str, str]:
    """Filled chains of a method by scaffold; the file of Lacuna has its baselines as well."""
    with path.open(encoding="utf-8") as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        return {row["chain"]: row["filled"] for row in rows if row["method"] == method}


def with_average(by_protocol: np.ndarray) -> np.ndarray:
    """(..., protocols) with the mean of the protocols behind them."""
    return np.concatenate((by_protocol, by_protocol.mean(-1, keepdims=True)), -1)


def main(folder: Path, peers: Path) -> None:
    truth = read_truth(folder / "truth.jsonl")
    records = [r for r in truth if r["set"] in HUMAN and r["protocol"] in PROTOCOLS]
    chains = sorted({r["id"].rsplit("|", 1)[0] for r in records})
    number = {chain: i for i, chain in enumerate(chains)}
    right = {name: np.zeros((len(chains), len(PROTOCOLS))) for name in METHODS}
    missing = np.zeros((len(chains), len(PROTOCOLS)))
    filled = {name: filled_by(peers / f"{m}.tsv", m) for name, m in METHODS.items()}
    for r in records:
        at = number[r["id"].rsplit("|", 1)[0]], PROTOCOLS.index(r["protocol"])
        missing[at] += len(r["missing"])
        for name, found in filled.items():
            right[name][at] += sum(found[r["id"]][i] == r["seq"][i] for i in r["missing"])
    for name in METHODS:
        shares = with_average(right[name].sum(0) / missing.sum(0))
        print(f"| {name} | " + " | ".join(f"{x:.3f}" for x in shares) + " |")
    even = np.full(len(chains), 1 / len(chains))
    times = np.random.default_rng(0).multinomial(len(chains), even, size=DRAWS)
    for one, other in PAIRS:
        more = right[one] - right[other]
        whole = with_average(more.sum(0) / missing.sum(0))
        low, high = np.percentile(with_average(times @ more / (times @ missing)), (2.5, 97.5), 0)
        cells = (
            f"{x:+.3f} ({a:+.3f} to {b:+.3f})" for x, a, b in zip(whole, low, high, strict=True)
        )
        print(f"| {one} less {other} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(*given_paths(__doc__, "FOLDER", "PEERS"))
