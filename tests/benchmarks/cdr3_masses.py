"""Gaps in CDR3 with their mass: are the probabilities of their residues true?

    python tests/benchmarks/cdr3_masses.py [--length 10] [--tolerance-ppm 10] [--mode fast]

Each heavy chain of resources/benchmark/therapeutics.fasta, on which no weights were trained, has a
gap of so many residues in the middle of its CDR3, if that is long enough. It is filled without a
mass, with the mass of the gap, and with the mass of its first half besides, all exact; with the
mass of the gap also as a sample of its own, of whose C's no state is stated. Prints residues that
are right (I = L), those stated at 0.95 or more and how many of these are wrong, and the expected
calibration error. One core, about three minutes.
"""

import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import ROOT, merged, options_of, scaffolds_of
from pyteomics.mass import std_aa_mass

from lacuna.antibody.imgt import CYS104, FR4_START
from lacuna.antibody.numbering import number_chain
from lacuna.core.statistics import error_of_residues
from lacuna.core.tables import RESIDUE_TABLE, ResidueRow
from lacuna.steps.one_file import fill_file

FASTA = ROOT / "resources" / "benchmark" / "therapeutics.fasta"
SURE = 0.95

Known = Callable[[str], tuple[str, str]]


def weight(residues: str) -> float:
    """Monoisotopic mass of residues in Da."""
    return sum(std_aa_mass[residue] for residue in residues)


def with_mass(gap: str) -> tuple[str, str]:
    """The mass of a gap and no prefix mass, as the gap table has them."""
    return f"{weight(gap):.5f}", ""


def with_half(gap: str) -> tuple[str, str]:
    """The mass of a gap and that of its first half."""
    return f"{weight(gap):.5f}", f"{weight(gap[: len(gap) // 2]):.5f}"


def gaps_in_cdr3(length: int) -> dict[str, tuple[str, int]]:
    """Heavy chains by name, each with the start of a gap in the middle of its CDR3."""
    found = {}
    for record in scaffolds_of(FASTA):
        numbering = number_chain(record.sequence)
        columns = numbering.columns.tolist()
        if numbering.locus != "H" or not {CYS104, FR4_START} <= set(columns):
            continue
        first, stop = columns.index(CYS104) + 1, columns.index(FR4_START)
        if stop - first >= length:
            found[record.chain] = record.sequence, first + (stop - first - length) // 2
    return found


class Residue(NamedTuple):
    """A missing residue: whether it is right, and how probable it is stated to be, I = L."""

    right: bool
    stated: float


def fill(
    chains: dict[str, tuple[str, int]], length: int, known: Known, settings: dict[str, object]
) -> list[Residue]:
    """Fill a gap of each chain of one sample; known: its mass and prefix masses by its residues."""
    rows = ["chain\tstart\tend\tmass\tprefix_masses"]
    for name, (sequence, start) in chains.items():
        stop = start + length
        rows.append("\t".join((name, str(start), str(stop), *known(sequence[start:stop]))))
    with tempfile.TemporaryDirectory() as folder:
        fasta, table, out = (Path(folder) / name for name in ("chains.fasta", "gaps.tsv", "out"))
        fasta.write_text("".join(f">{name}\n{s}\n" for name, (s, _) in chains.items()))
        table.write_text("\n".join(rows) + "\n")
        fill_file({"fasta": fasta, "gaps": table}, out, settings)
        return [judged(row) for row in RESIDUE_TABLE.read(out / "residues.tsv")]


def judged(row: ResidueRow) -> Residue:
    """A row of residues.tsv."""
    residue = merged(row.residue)
    same = sum(p for other, p in row.alternatives if merged(other) == residue)
    return Residue(residue == merged(row.truth), (row.probability or 0.0) + same)


def show(title: str, gaps: int, found: list[Residue]) -> None:
    """Print a row of the table."""
    right, stated = (np.array(of_all) for of_all in zip(*found, strict=True))
    sure = stated >= SURE
    counts = gaps, len(found), f"{right.mean():.3f}", sure.sum(), (sure & ~right).sum()
    error = f"{error_of_residues(right, stated):.3f}"
    print("| " + " | ".join(map(str, (title, *counts, error))) + " |", flush=True)


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--length", type=int, default=10)
    parser.add_argument("--tolerance-ppm", type=float, default=10.0)
    parser.add_argument("--mode", choices=("fast", "thorough"), default="fast")
    options = parser.parse_args()
    n, chains = options.length, gaps_in_cdr3(options.length)
    settings = {"tolerance_ppm": options.tolerance_ppm, "mode": options.mode}
    stated = settings | {"alkylation": "none"}
    header = ("known", "gaps", "residues", "right", "at p >= 0.95", "wrong there", "ECE")
    print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
    show("no mass", len(chains), fill(chains, n, lambda gap: ("", ""), stated))
    show("mass", len(chains), fill(chains, n, with_mass, stated))
    alone = [fill({name: of}, n, with_mass, settings) for name, of in chains.items()]
    show("mass, each chain alone, C unknown", len(chains), list(chain.from_iterable(alone)))
    show("mass, one cleavage", len(chains), fill(chains, n, with_half, stated))


if __name__ == "__main__":
    main()
