"""Gaps whose length is given wrong: how sure are their residues, and is the length named?

    python tests/benchmarks/given_lengths.py CHAINS [--chains 500] [--seed 1] [--masses]

CHAINS is a table (csv or csv.gz) with the columns species, chain (H, K or L) and vdomain_aa, or a
truth.jsonl as bench_accuracy.py has it. From each chain drawn, 3 to 15 residues are left out behind
its first, and it is filled with the number of them as it is and with one or two less and more. Half
of the chains of a table are human heavy chains. Prints by the region of the gap, or `several`, and
by what was given: gaps, those whose status names another length, those where this is the right one,
residues stated at 0.95 or more, and of these the share that is wrong: not among the true residues
of the gap in their order (by the longest common subsequence). With --masses each gap has the mass
of its true residues, as measured (3 ppm), and rows are by their number instead of the region.
"""

import random
import re
import tempfile
from collections import Counter
from pathlib import Path

from common import Chain, drawing, read_chains
from pyteomics.mass import std_aa_mass

from lacuna.antibody.imgt import regions_of
from lacuna.antibody.numbering import number_chain
from lacuna.core.tables import GAP_TABLE, RESIDUE_TABLE, MassDoubt
from lacuna.steps.one_file import fill_file

SHORTEST, LONGEST = 3, 15  # residues of a gap
REACH = 128  # residues of a chain within which a gap lies
OFF = (-2, -1, 0, 1, 2)
CLASSES = ((3, 5), (6, 9), (10, 15))  # of residues
SURE = 0.95
ERROR_PPM = 3.0  # standard deviation of the error of a mass


def draw(chains: list[Chain], n: int, rng: random.Random) -> list[Chain]:
    """n chains, half of them human heavy chains if there are such."""
    human = [chain for chain in chains if chain.group == "human H"]
    others = [chain for chain in chains if chain.group != "human H"]
    half = min(n // 2, len(human))
    return rng.sample(human, half) + rng.sample(others, min(n - half, len(others)))


def region_of(sequence: str, start: int, length: int) -> str:
    regions = set(regions_of(number_chain(sequence).columns)[start : start + length].tolist())
    return regions.pop() if len(regions) == 1 else "several"


def in_order(found: str, true: str) -> list[bool]:
    """Which letters of `found` are in a longest common subsequence with `true`."""
    n, m = len(found), len(true)
    best = [[0] * (m + 1) for _ in range(n + 1)]
    for i in reversed(range(n)):
        for j in reversed(range(m)):
            taken = best[i + 1][j + 1] + (found[i] == true[j])
            best[i][j] = max(taken, best[i + 1][j], best[i][j + 1])
    right, i, j = [False] * n, 0, 0
    while i < n and j < m:
        if found[i] == true[j] and best[i][j] == best[i + 1][j + 1] + 1:
            right[i] = True
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return right


def measure(chains: list[Chain], rng: random.Random, folder: Path, masses: bool) -> None:
    truth: dict[str, tuple[str, str, int]] = {}  # region, residues left out, and number too many
    given, rows = {}, ["chain\tstart\tend\tmass"]
    for i, (_, sequence) in enumerate(chains):
        length = rng.randint(SHORTEST, LONGEST)
        start = rng.randrange(1, min(len(sequence), REACH) - length - 1)
        true = sequence[start : start + length]
        number = next(f"{a:2} to {b}" for a, b in CLASSES if length <= b)
        region = number if masses else region_of(sequence, start, length)
        mass = sum(std_aa_mass[residue] for residue in true)
        for off in OFF:
            name = f"{i}|{off}"
            hidden = "X" * (length + off)
            given[name] = sequence[:start] + hidden + sequence[start + length :]
            truth[name] = region, true, off
            measured = mass * (1 + rng.gauss(0, ERROR_PPM) / 1e6)
            rows.append(f"{name}\t{start}\t{start + length + off}\t{measured:.5f}")
    fasta, table = folder / "chains.fasta", folder / "gaps.tsv"
    fasta.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in given.items()))
    table.write_text("\n".join(rows) + "\n")
    inputs = {"fasta": fasta, "gaps": table} if masses else {"fasta": fasta}
    fill_file(inputs, folder / "out", {"alkylation": "none"})
    doubt = MassDoubt.OTHER_LENGTH if masses else MassDoubt.LENGTH
    counts: Counter[tuple[str, int, str]] = Counter()
    for gap in GAP_TABLE.read(folder / "out" / "gaps.tsv"):
        if gap.rank == 1:
            region, true, off = truth[gap.chain]
            better = re.search(rf"{re.escape(doubt)} (\d*)", gap.status)
            counts[region, off, "gaps"] += 1
            counts[region, off, "named"] += better is not None
            counts[region, off, "right"] += better is not None and better[1] == str(len(true))
    of_gaps: dict[str, list[tuple[str, float]]] = {}
    for row in RESIDUE_TABLE.read(folder / "out" / "residues.tsv"):
        of_gaps.setdefault(row.chain, []).append((row.residue, row.probability))
    for name, residues in of_gaps.items():
        region, true, off = truth[name]
        right = in_order("".join(residue for residue, _ in residues), true)
        sure = [ok for ok, (_, p) in zip(right, residues, strict=True) if p >= SURE]
        counts[region, off, "sure"] += len(sure)
        counts[region, off, "wrong"] += sure.count(False)
    print("| gap | given | gaps | named | right length | sure residues | wrong |")
    print("|---|---|---|---|---|---|---|")
    for region in sorted({region for region, *_ in counts}):
        for off in OFF:
            cells = (counts[region, off, what] for what in ("gaps", "named", "right", "sure"))
            wrong = counts[region, off, "wrong"] / max(counts[region, off, "sure"], 1)
            print(f"| {region} | {off:+d} | {' | '.join(map(str, cells))} | {wrong:.3f} |")


if __name__ == "__main__":
    parser = drawing(__doc__, "CHAINS", chains=500)
    parser.add_argument("--masses", action="store_true")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    drawn = draw(read_chains(options.chains), options.n, rng)
    with tempfile.TemporaryDirectory() as scratch:
        measure(drawn, rng, Path(scratch), options.masses)
