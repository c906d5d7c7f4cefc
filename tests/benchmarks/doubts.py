"""Doubts: are planted errors of de novo sequencing found, and natural chains left in peace?

    python tests/benchmarks/doubts.py FOLDER [--chains 1060] [--rate 0.01] [--seed 0]

FOLDER holds truth.jsonl (see bench_accuracy.py); its chains were left out of training. Each is
proofread twice, as it is and with errors planted by the model below, and the script prints, for
whole chains and for V domains alone: doubts on the chains as they are (a natural chain may hold
real errors, so this is an upper bound), and by reason how many doubts there are on the planted
chains, how many of them are at wrong residues (precision), how many wrong residues have one
(recall), and how many propose the true residue.

The error model: an error begins at one residue in 1 / `rate`. Of 10 errors 4 are permutations (of
two neighbours in three quarters of the cases, else of three), 4 isobaric (K and Q, F and M, or a
pair of residues of the same mass within 0.01 Da) and 2 deamidations (D for N, E for Q); an error
that the residue does not allow moves to the next within 12 that does. These are the kinds that
reads of known antibodies show most, but for blocks of another length.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import permutations, product
from pathlib import Path
from typing import NamedTuple

from pyteomics.mass import std_aa_mass

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from lacuna.core.alphabet import RESIDUES  # noqa: E402
from lacuna.core.tables import DOUBT_TABLE, DoubtRow  # noqa: E402
from lacuna.results.statistics import wilson_interval  # noqa: E402
from lacuna.steps.one_file import fill_file  # noqa: E402

KINDS = {"permuted": 4, "isobaric": 4, "deamidated": 2}
SINGLE = {"K": "Q", "Q": "K", "F": "M", "M": "F"}
DEAMIDATED = {"N": "D", "Q": "E"}
SAME_MASS = 0.01  # Da
REACH = 12  # residues
V_DOMAIN = 135  # residues; what is longer has a constant region


def isobaric_pairs() -> dict[str, list[str]]:
    """For each pair of residues the others of its mass, but for orders of it and I for L."""
    pairs = ["".join(pair) for pair in product(RESIDUES, repeat=2)]
    weigh = {pair: sum(std_aa_mass[r] for r in pair) for pair in pairs}
    merged = {pair: sorted(pair.replace("I", "L")) for pair in pairs}
    return {
        one: [
            other
            for other in pairs
            if abs(weigh[one] - weigh[other]) < SAME_MASS and merged[one] != merged[other]
        ]
        for one in pairs
    }


PAIRS = isobaric_pairs()


def others_at(chain: Sequence[str], i: int, kind: str, rng: random.Random) -> list[str]:
    """What may stand from residue i on in place of what does, by one kind of error."""
    if kind == "deamidated":
        return [DEAMIDATED[chain[i]]] if chain[i] in DEAMIDATED else []
    if kind == "isobaric":
        single = [SINGLE[chain[i]]] if chain[i] in SINGLE else []
        return single + PAIRS["".join(chain[i : i + 2])]
    block = "".join(chain[i : i + (2 if rng.random() < 0.75 else 3)])
    return sorted({"".join(p) for p in permutations(block)} - {block})


def plant(chain: str, rate: float, rng: random.Random) -> str:
    """The chain with errors; those of one place never reach into the next."""
    letters, i = list(chain), 0
    while i < len(chain) - 2:
        i += 1
        if rng.random() >= rate:
            continue
        [kind] = rng.choices(list(KINDS), list(KINDS.values()))
        for at in range(i - 1, min(i - 1 + REACH, len(chain) - 2)):
            if others := others_at(letters, at, kind, rng):
                block = rng.choice(others)
                letters[at : at + len(block)] = block
                i = at + len(block)
                break
    return "".join(letters)


class Found(NamedTuple):
    doubts: list[DoubtRow]
    given: dict[str, str]
    true: dict[str, str]

    def of(self, chains: set[str]) -> "Found":
        return Found([d for d in self.doubts if d.chain in chains], self.given, self.true)

    def is_wrong(self, doubt: DoubtRow) -> bool:
        return doubt.residue != self.true[doubt.chain][doubt.position - 1]

    def is_corrected(self, doubt: DoubtRow) -> bool:
        return doubt.proposed == self.true[doubt.chain][doubt.position - 1]


def proofread(given: dict[str, str], true: dict[str, str], folder: Path) -> Found:
    fasta = folder / "chains.fasta"
    fasta.write_text("".join(f">{name}\n{chain}\n" for name, chain in given.items()))
    fill_file({"fasta": fasta}, folder / "out", {"doubts": True})
    return Found(list(DOUBT_TABLE.read(folder / "out" / "doubts.tsv")), given, true)


def share(part: int, whole: int) -> str:
    low, high = wilson_interval(part, whole)
    return f"{part / whole:.3f} ({low:.3f}-{high:.3f})" if whole else "-"


def report(title: str, clean: Found, planted: Found, chains: set[str]) -> None:
    n = sum(len(clean.true[name]) for name in chains)
    wrong = sum(
        a != b
        for name in chains
        for a, b in zip(planted.given[name], planted.true[name], strict=True)
    )
    natural, found = clean.of(chains).doubts, planted.of(chains).doubts
    right = [doubt for doubt in found if planted.is_wrong(doubt)]
    corrected = sum(map(planted.is_corrected, right))
    print(f"\n{title}: {len(chains)} chains, {n} residues, {wrong} of them made wrong")
    per = f"one per {n // len(natural)} residues" if natural else "none"
    print(f"  natural: {len(natural)} doubts, {per}: {dict(Counter(d.reason for d in natural))}")
    print(
        f"  planted: precision {share(len(right), len(found))}, recall {share(len(right), wrong)}"
    )
    print(f"  true residue proposed for {share(corrected, len(right))} of them")
    for reason in sorted({doubt.reason for doubt in found}):
        mine = [doubt for doubt in found if doubt.reason == reason]
        print(f"  {reason}: {share(sum(map(planted.is_wrong, mine)), len(mine))} of {len(mine)}")


def main(folder: Path, n: int, rate: float, seed: int) -> None:
    rng = random.Random(seed)
    with open(folder / "truth.jsonl", encoding="utf-8") as handle:
        records = [json.loads(line) for line in handle]
    sets = {record["seq"]: record["set"] for record in records}  # each chain once
    drawn = rng.sample(list(sets), min(n, len(sets)))
    true = {f"{sets[chain]}|{i}": chain for i, chain in enumerate(drawn)}
    given = {name: plant(chain, rate, rng) for name, chain in true.items()}
    with tempfile.TemporaryDirectory() as scratch:
        clean = proofread(true, true, Path(scratch))
        planted = proofread(given, true, Path(scratch))
    report("all", clean, planted, set(true))
    report("V domains", clean, planted, {x for x, s in true.items() if len(s) <= V_DOMAIN})
    for name in sorted(set(sets.values())):
        report(name, clean, planted, {x for x in true if x.startswith(f"{name}|")})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--chains", type=int, default=10_000, dest="n")
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
