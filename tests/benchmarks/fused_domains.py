"""Fused V domains: is each filled as it is alone?

    python tests/benchmarks/fused_domains.py FOLDER [--chains 150]

FOLDER holds truth.jsonl (see bench_accuracy.py). Heavy and light V domains with a gap of five
residues are filled alone, and then fused by several linkers, in both orders and as a tandem of two
scFvs. Prints how many missing residues are right, and in how many chains every domain is named in
the column locus.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from common import options_of, read_truth

from lacuna.core.tables import CHAIN_TABLE
from lacuna.steps.one_file import fill_file

LONGEST = {"H": 135, "L": 125}  # residues of a V domain; what is longer has a constant region
LINKER = "GGGGSGGGGSGGGGS"
Design = Callable[[str, str], str]
DESIGNS: dict[str, Design] = {
    "H-linker-L": lambda h, k: h + LINKER + k,
    "L-linker-H": lambda h, k: k + LINKER + h,
    "short linker": lambda h, k: h + "GGGGS" + k,
    "no linker": lambda h, k: h + k,
    "218 linker": lambda h, k: h + "GSTSGSGKPGSGEGSTKG" + k,
    "tandem": lambda h, k: h + LINKER + k + "GGGGS" + h + LINKER + k,
}


def read_domains(path: Path, n: int) -> dict[str, list[tuple[str, str]]]:
    """The first n V domains of each locus: as they are, and with their gap."""
    found: dict[str, list[tuple[str, str]]] = {"H": [], "L": []}
    for record in read_truth(path):
        whole, kind = record["seq"], record["chain"]
        if record["protocol"] == "gap5" and len(whole) < LONGEST[kind]:
            first, *_, last = record["missing"]
            found[kind].append((whole, whole[:first] + "XXXXX" + whole[last + 1 :]))
    return {kind: pairs[:n] for kind, pairs in found.items()}


def count(name: str, chains: list[tuple[str, str]], domains: int) -> None:
    """Fill the chains (as they are, with gaps) and print how many residues are right."""
    with tempfile.TemporaryDirectory() as scratch:
        fasta, out = Path(scratch) / "chains.fasta", Path(scratch) / "out"
        fasta.write_text("".join(f">{i}\n{hidden}\n" for i, (_, hidden) in enumerate(chains)))
        fill_file({"fasta": fasta}, out, {})
        filled = (out / "filled.fasta").read_text().splitlines()[1::2]
        named = [row.locus.count("+") + 1 for row in CHAIN_TABLE.read(out / "chains.tsv")]
    right = total = 0
    for found, (whole, hidden) in zip(filled, chains, strict=True):
        pairs = [(a, b) for a, b, c in zip(found, whole, hidden, strict=True) if c == "X"]
        right += sum(a == b for a, b in pairs)
        total += len(pairs)
    all_named = sum(n == domains for n in named)
    print(f"| {name} | {right} | {total} | {right / total:.3f} | {all_named} of {len(named)} |")


if __name__ == "__main__":
    parser = options_of(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--chains", type=int, default=150, dest="n")
    options = parser.parse_args()
    given = read_domains(options.folder / "truth.jsonl", options.n)
    print("| | right | missing | share | every domain named |\n|---|---|---|---|---|")
    count("alone", given["H"] + given["L"], 1)
    for title, design in DESIGNS.items():
        pairs = [
            (design(h[0], k[0]), design(h[1], k[1]))
            for h, k in zip(given["H"], given["L"], strict=True)
        ]
        count(title, pairs, design("+", "+").count("+"))
