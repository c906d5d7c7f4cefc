"""Doubts: are planted errors of de novo sequencing found, and natural chains left in peace?

    python tests/benchmarks/doubts.py FOLDER [--chains 1060] [--rate 0.01] [--seed 0]

FOLDER holds truth.jsonl (see bench_accuracy.py); its chains were left out of training. Each is
proofread twice, as it is and with errors planted by the model below, and the script prints, for
whole chains and for V domains alone: doubts on the chains as they are (a natural chain may hold
real errors, so this is an upper bound), and on the planted chains how many doubts are at wrong
residues (precision), how many wrong residues have one (recall), how many propose what is true, and
precision by the reason of the doubt and recall by the kind of error.

The error model: an error begins at one residue in 1 / `rate`. Of 10 errors 4 are permutations (of
two neighbours in three quarters of the cases, else of three), 3 isobaric of the same length (K and
Q, F and M, or a pair of residues of the same mass within 0.01 Da), 1 isobaric of another length
(GG for N, W for AD, ...; within 0.04 Da) and 2 deamidations (D for N, E for Q); an error that the
residue does not allow moves to the next within 12 that does. Of a block of another length all
residues are wrong.
"""

import random
import tempfile
from collections import Counter
from itertools import permutations, product
from pathlib import Path
from typing import NamedTuple

from common import drawing, read_truth, share
from pyteomics.mass import std_aa_mass

from lacuna.core.alphabet import RESIDUES
from lacuna.core.tables import DOUBT_TABLE, DoubtRow
from lacuna.steps.one_file import fill_file

KINDS = {"permuted": 4, "isobaric": 3, "another length": 1, "deamidated": 2}
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


def blocks() -> dict[str, list[str]]:
    """For a residue the pairs of its mass, for a pair the residues; none with C."""
    found: dict[str, list[str]] = {}
    for one, *two in product(RESIDUES.replace("C", ""), repeat=3):
        pair = "".join(two)
        if abs(std_aa_mass[one] - sum(std_aa_mass[r] for r in pair)) < 0.04:
            found.setdefault(one, []).append(pair)
            found.setdefault(pair, []).append(one)
    return found


BLOCKS = blocks()


def others_at(chain: str, i: int, kind: str, rng: random.Random) -> list[tuple[int, str]]:
    """What may be read from residue i on, by one kind of error, in place of how many residues."""
    pair = chain[i : i + 2]
    if kind == "deamidated":
        return [(1, DEAMIDATED[chain[i]])] if chain[i] in DEAMIDATED else []
    if kind == "another length":
        return [(len(x), other) for x in (chain[i], pair) for other in BLOCKS.get(x, ())]
    if kind == "isobaric":
        single = [(1, SINGLE[chain[i]])] if chain[i] in SINGLE else []
        return single + [(2, other) for other in PAIRS[pair]]
    block = pair if rng.random() < 0.75 else chain[i : i + 3]
    orders = {"".join(order) for order in permutations(block)} - {block}
    return [(len(block), order) for order in sorted(orders)]


class Error(NamedTuple):
    """What is read from `position` on (1-based, in the chain as it is read), and what is true."""

    position: int
    read: str
    true: str
    kind: str


def plant(chain: str, rate: float, rng: random.Random) -> tuple[str, list[Error]]:
    """The chain with errors, and each wrong residue or block of another length."""
    out, i = "", 0
    errors: list[Error] = []
    while i < len(chain):
        places = range(0)
        if rng.random() < rate:
            [kind] = rng.choices(list(KINDS), list(KINDS.values()))
            places = range(i, min(i + REACH, len(chain) - 2))
        for at in places:
            if others := others_at(chain, at, kind, rng):
                width, block = rng.choice(others)
                true = chain[at : at + width]
                out += chain[i:at]
                if len(block) != width:
                    errors.append(Error(len(out) + 1, block, true, kind))
                else:
                    pairs = enumerate(zip(block, true, strict=True), start=len(out) + 1)
                    errors += [Error(p, a, b, kind) for p, (a, b) in pairs if a != b]
                out += block
                i = at + width
                break
        else:
            out += chain[i]
            i += 1
    return out, errors


class Found(NamedTuple):
    """Doubts of chains, and by chain and position the error that a residue belongs to."""

    doubts: list[DoubtRow]
    wrong: dict[tuple[str, int], Error]

    def of(self, chains: set[str]) -> "Found":
        wrong = {key: error for key, error in self.wrong.items() if key[0] in chains}
        return Found([d for d in self.doubts if d.chain in chains], wrong)

    def is_wrong(self, doubt: DoubtRow) -> bool:
        return any(place in self.wrong for place in places_of(doubt))

    def is_corrected(self, doubt: DoubtRow) -> bool:
        error = self.wrong.get((doubt.chain, doubt.position))
        told = doubt.position, doubt.residue, doubt.proposed
        return error is not None and error[:3] == told

    def hit(self) -> set[tuple[str, int]]:
        """Wrong residues that a doubt is about."""
        told = {place for doubt in self.doubts for place in places_of(doubt)}
        return told & self.wrong.keys()


def places_of(doubt: DoubtRow) -> list[tuple[str, int]]:
    return [(doubt.chain, doubt.position + i) for i in range(len(doubt.residue))]


def proofread(chains: dict[str, str], folder: Path) -> list[DoubtRow]:
    fasta = folder / "chains.fasta"
    fasta.write_text("".join(f">{name}\n{chain}\n" for name, chain in chains.items()))
    fill_file({"fasta": fasta}, folder / "out", {"doubts": True})
    return list(DOUBT_TABLE.read(folder / "out" / "doubts.tsv"))


def report(title: str, residues: int, clean: Found, planted: Found) -> None:
    natural, found, wrong = clean.doubts, planted.doubts, planted.wrong
    right = [doubt for doubt in found if planted.is_wrong(doubt)]
    hit, corrected = planted.hit(), sum(map(planted.is_corrected, right))
    print(f"\n{title}: {residues} residues, {len(wrong)} made wrong")
    per = f"one per {residues // len(natural)} residues" if natural else "none"
    print(f"  natural: {len(natural)} doubts, {per}: {dict(Counter(d.reason for d in natural))}")
    print(f"  planted: precision {share(len(right), len(found))} of {len(found)} doubts, ", end="")
    print(f"recall {share(len(hit), len(wrong))}; true one proposed {share(corrected, len(right))}")
    for reason in sorted({doubt.reason for doubt in found}):
        mine = [doubt for doubt in found if doubt.reason == reason]
        print(f"  precision, {reason}: {share(sum(map(planted.is_wrong, mine)), len(mine))}")
    for kind in KINDS:
        of_kind = {place for place, error in wrong.items() if error.kind == kind}
        print(f"  recall, {kind}: {share(len(hit & of_kind), len(of_kind))} of {len(of_kind)}")


def main(folder: Path, n: int, rate: float, seed: int) -> None:
    rng = random.Random(seed)
    records = read_truth(folder / "truth.jsonl")
    sets = {record["seq"]: record["set"] for record in records}  # each chain once
    drawn = rng.sample(list(sets), min(n, len(sets)))
    true = {f"{sets[chain]}|{i}": chain for i, chain in enumerate(drawn)}
    read = {name: plant(chain, rate, rng) for name, chain in true.items()}
    wrong = {
        (name, error.position + i): error
        for name, (_, errors) in read.items()
        for error in errors
        for i in range(len(error.read))
    }
    with tempfile.TemporaryDirectory() as scratch:
        clean = Found(proofread(true, Path(scratch)), {})
        given = {name: chain for name, (chain, _) in read.items()}
        planted = Found(proofread(given, Path(scratch)), wrong)
    groups = {"all": set(true), "V domains": {x for x, s in true.items() if len(s) <= V_DOMAIN}}
    for name in sorted(set(sets.values())):
        groups[name] = {x for x in true if x.startswith(f"{name}|")}
    for title, chains in groups.items():
        residues = sum(len(true[name]) for name in chains)
        title = f"{title}: {len(chains)} chains"
        report(title, residues, clean.of(chains), planted.of(chains))


if __name__ == "__main__":
    parser = drawing(__doc__, "FOLDER", chains=10_000, seed=0)
    parser.add_argument("--rate", type=float, default=0.01)
    main(**vars(parser.parse_args()))
