"""What fragment spectra are worth: gaps of a known chain filled with and without them.

    python tests/benchmarks/spectra_gaps.py TRUTH.fasta SPECTRA --out OUT [--lengths 3 5 8]
        [--every N] [--within 115-125 ...] [--alkylation none] [--species auto]

Every N-th stretch of each length of every true chain, or of parts of it, is a gap of a chain of its
own; those that the spectra span are filled without them and with them, each with and without the
mass of the gap (measured: 3 ppm, as bench_masses.py has it). Prints a Markdown table: gaps
that are right (I = L), mean probability of the sequence chosen and of the true one, and how many of
the right answers became wrong; then of the cleavages in spectra.tsv the share that are true, by
their nats.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import merged, options_of
from pyteomics.mass import std_aa_mass

from lacuna.core.tables import CLEAVAGE, GAP_TABLE, SPECTRUM_TABLE
from lacuna.scaffolds.alkylation import READINGS
from lacuna.scaffolds.fasta import read_records
from lacuna.steps.one_file import fill_file

ERROR_PPM = 3.0  # standard deviation of the error of a gap's mass
EDGES = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 99.0)  # nats
CANDIDATES = 20


class Planned(NamedTuple):
    """A gap of a known chain."""

    name: str
    chain: str
    start: int
    end: int

    @property
    def truth(self) -> str:
        return self.chain[self.start : self.end]

    def prefixes(self, carried: float) -> np.ndarray:
        """Masses in Da of its beginnings, the whole last; carried: by C."""
        weights = [std_aa_mass[r] + carried * (r == "C") for r in self.truth]
        return np.cumsum(weights)


class Answer(NamedTuple):
    right: bool
    chosen: float
    truth: float


def part(text: str) -> tuple[int, int]:
    """A part of a chain, from 0, end exclusive."""
    start, end = map(int, text.split("-"))
    return start, end


def plan(given: argparse.Namespace) -> Iterator[Planned]:
    for record in read_records(given.truth, 1 << 20):
        chain = record.body.decode().replace("\n", "")
        for length in given.lengths:
            for start in range(1, len(chain) - length, given.every):
                if given.within and not any(a < start < b - length for a, b in given.within):
                    continue
                name = f"{record.chain}_{start}_{length}"
                yield Planned(name, chain, start, start + length)


def fill(
    gaps: list[Planned], out: Path, given: argparse.Namespace, masses: bool, spectra: bool
) -> Path:
    """Fill the chains; the folder of results."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    with (
        open(out / "chains.fasta", "w", encoding="utf-8") as fasta,
        open(out / "gaps.tsv", "w", encoding="utf-8") as table,
    ):
        table.write("chain\tstart\tend\tmass\n")
        for gap in gaps:
            hidden = "X" * (gap.end - gap.start)
            fasta.write(f">{gap.name}\n{gap.chain[: gap.start]}{hidden}{gap.chain[gap.end :]}\n")
            whole = gap.prefixes(READINGS[given.alkylation].mass)[-1]
            whole *= 1 + rng.normal(0.0, ERROR_PPM) / 1e6
            mass = f"{whole:.5f}" if masses else ""
            table.write(f"{gap.name}\t{gap.start}\t{gap.end}\t{mass}\n")
    inputs = {"fasta": out / "chains.fasta", "gaps": out / "gaps.tsv"}
    options = {"alkylation": given.alkylation, "candidates": CANDIDATES, "complete_ends": False}
    used = given.spectra if spectra else []
    fill_file(inputs, out / "filled", options, species=given.species, spectra=used)
    return out / "filled"


def answers(gaps: list[Planned], folder: Path) -> dict[str, Answer]:
    truth = {gap.name: merged(gap.truth) for gap in gaps}
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in GAP_TABLE.read(folder / "gaps.tsv"):
        letters = merged(row.candidate)
        found[row.chain][letters] = found[row.chain].get(letters, 0.0) + (row.probability or 0.0)
    return {
        name: Answer(
            next(iter(of_gap)) == truth[name],
            next(iter(of_gap.values())),
            of_gap.get(truth[name], 0.0),
        )
        for name, of_gap in found.items()
    }


def compare(gaps: list[Planned], folder: Path, given: argparse.Namespace) -> None:
    """Print the tables."""
    spanned = {}
    shares: dict[int, list[bool]] = defaultdict(list)
    carried = READINGS[given.alkylation].mass
    by_name = {gap.name: gap for gap in gaps}
    both = {}
    for masses in (False, True):
        named = "with_masses" if masses else "without_masses"
        with_them = fill(gaps, folder / named / "spectra", given, masses, True)
        without = fill(gaps, folder / named / "alone", given, masses, False)
        rows = list(SPECTRUM_TABLE.read(with_them / "spectra.tsv"))
        spanned[masses] = {row.chain for row in rows if row.kind == CLEAVAGE}
        both[masses] = answers(gaps, without), answers(gaps, with_them)
        for row in rows:
            if row.kind == CLEAVAGE and masses:
                true = by_name[row.chain].prefixes(carried)[:-1]
                hit = bool((np.abs(true - (row.mass or 0.0)) <= (row.tolerance_da or 0.0)).any())
                shares[int(np.searchsorted(EDGES, row.nats))].append(hit)
    print("| gaps | | n | exact | p of chosen | p of truth | right to wrong | wrong to right |")
    print("|---" * 8 + "|")
    for length in given.lengths:
        for masses, (alone, helped) in both.items():
            some = [g for g in gaps if g.name in spanned[masses] and len(g.truth) == length]
            pairs = [(alone[g.name], helped[g.name]) for g in some]
            title = f"{length} residues{', mass given' if masses else ''}"
            for which, name in ((0, "without"), (1, "with spectra")):
                found = [pair[which] for pair in pairs]
                cells = [np.mean([getattr(a, key) for a in found]) for key in Answer._fields]
                worse = sum(a.right and not b.right for a, b in pairs) if which else ""
                better = sum(b.right and not a.right for a, b in pairs) if which else ""
                shown = " | ".join(f"{cell:.3f}" for cell in cells) if found else "- | - | -"
                print(f"| {title} | {name} | {len(found)} | {shown} | {worse} | {better} |")
    print("\n| nats of a cleavage | n | true |\n|---|---|---|")
    for edge, hits in sorted(shares.items()):
        low, high = EDGES[edge - 1], EDGES[edge]
        print(f"| {low:g} to {high:g} | {len(hits)} | {np.mean(hits):.3f} |")


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("truth", type=Path)
    parser.add_argument("spectra", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lengths", type=int, nargs="+", default=[3, 5, 8])
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--within", type=part, nargs="+", default=[], metavar="START-END")
    parser.add_argument("--alkylation", default="none", choices=list(READINGS))
    parser.add_argument("--species", default="auto")
    given = parser.parse_args()
    compare(list(plan(given)), given.out, given)


if __name__ == "__main__":
    main()
