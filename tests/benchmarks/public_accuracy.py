"""Accuracy on public therapeutic antibodies: weights, thorough mode, and copies of the germline.

    python tests/benchmarks/public_accuracy.py OUT

Hides residues of the chains of resources/benchmark/therapeutics.fasta in six ways, fills them with
each set of weights and in the thorough mode, and prints a Markdown table: residue accuracy by
protocol with 95 % Wilson intervals, and the share of gaps that are exact. The scaffolds and what
was filled stay in OUT, with truth.jsonl as the target compare_peers reads it.
"""

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from Bio import SeqIO
from common import ROOT, given_paths

from lacuna.core.paths import DEFAULT_WEIGHTS, WEIGHT_SETS
from lacuna.steps.one_file import fill_file

CHAINS = ROOT / "resources" / "benchmark" / "therapeutics.fasta"
SIZES = {"gap3": 3, "gap5": 5, "gap10": 10, "gap15": 15}
PROTOCOLS = (*SIZES, "nterm15", "random10")
# Options of Lacuna, by the folder for what it fills.
WAYS = {name: {"weights": name} for name in WEIGHT_SETS}
WAYS["thorough"] = {"weights": DEFAULT_WEIGHTS, "mode": "thorough"}


class Scaffold(NamedTuple):
    """A chain, and the indices of its hidden residues."""

    name: str
    kind: str  # H or L
    protocol: str
    sequence: str
    missing: tuple[int, ...]

    @property
    def gapped(self) -> str:
        hidden = set(self.missing)
        return "".join("-" if i in hidden else r for i, r in enumerate(self.sequence))


def hidden(name: str, protocol: str, length: int) -> tuple[int, ...]:
    """Indices of the residues that a protocol hides in a chain; drawn from its name alone."""
    draw = random.Random(f"{name} {protocol}")
    if protocol == "random10":
        return tuple(sorted(draw.sample(range(length), 10)))
    if protocol == "nterm15":
        return tuple(range(15))
    start = draw.randrange(length - SIZES[protocol] + 1)
    return tuple(range(start, start + SIZES[protocol]))


def scaffolds(path: Path = CHAINS) -> Iterator[Scaffold]:
    """Yield every chain under every protocol."""
    for record in SeqIO.parse(path, "fasta"):
        sequence = str(record.seq)
        kind = record.description.split()[1][0].upper()
        for protocol in PROTOCOLS:
            missing = hidden(record.id, protocol, len(sequence))
            yield Scaffold(record.id, kind, protocol, sequence, missing)


def write_inputs(out: Path) -> None:
    """Write truth.jsonl, and for each protocol the scaffolds and their truth as FASTA."""
    out.mkdir(parents=True, exist_ok=True)
    drawn = list(scaffolds())
    with open(out / "truth.jsonl", "w", encoding="utf-8") as handle:
        for s in drawn:
            row = {"id": f"{s.name}|{s.protocol}", "set": "therapeutics", "protocol": s.protocol}
            row |= {"chain": s.kind, "seq": s.sequence}
            print(json.dumps({**row, "missing": s.missing}), file=handle)
    for protocol in PROTOCOLS:
        some = [s for s in drawn if s.protocol == protocol]
        for name, sequences in (
            ("scaffolds", [s.gapped for s in some]),
            ("truth", [s.sequence for s in some]),
        ):
            text = "".join(f">{s.name}\n{x}\n" for s, x in zip(some, sequences, strict=True))
            (out / f"{protocol}.{name}.fasta").write_text(text, encoding="utf-8")


def measured(out: Path, way: str, protocol: str) -> pd.DataFrame:
    """Overall accuracy by method (index) of a protocol, filled in one of WAYS."""
    inputs = {
        "fasta": out / f"{protocol}.scaffolds.fasta",
        "truth": out / f"{protocol}.truth.fasta",
    }
    filled = out / way / protocol
    fill_file(inputs, filled, WAYS[way])
    table = pd.read_csv(filled / "accuracy.tsv", sep="\t")
    return table[table["scope"] == "overall"].set_index("method")


def cells(tables: Mapping[str, pd.DataFrame], method: str) -> list[str]:
    """Accuracy of a method by protocol, and the share of exact gaps of all of them together."""
    total = pd.concat(tables[protocol].loc[[method]] for protocol in PROTOCOLS)
    shares = [f"{r.accuracy:.3f} ({r.ci_low:.3f}-{r.ci_high:.3f})" for r in total.itertuples()]
    exact = total["n_exact"].sum() / total["n_gaps"].sum()
    return [*shares, f"{exact:.3f}"]


def main(out: Path) -> None:
    write_inputs(out)
    tables = {way: {p: measured(out, way, p) for p in PROTOCOLS} for way in WAYS}
    print("| |", " | ".join(PROTOCOLS), "| exact gaps |")
    print("|---|" + "---|" * (len(PROTOCOLS) + 1))
    rows = {f"Lacuna, {', '.join(f'`{k}: {v}`' for k, v in WAYS[w].items())}": w for w in WAYS}
    for title, way in {**rows, "germline copy": DEFAULT_WEIGHTS}.items():
        method = "lacuna" if title in rows else "germline_copy"
        print(f"| {title} |", " | ".join(cells(tables[way], method)), "|")


if __name__ == "__main__":
    main(*given_paths(__doc__, "OUT"))
