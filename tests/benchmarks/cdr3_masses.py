"""Gaps in CDR3 with their mass: are the probabilities of their residues true?

    python tests/benchmarks/cdr3_masses.py [--length 10] [--tolerance-ppm 10] [--mode fast]

Each heavy chain of resources/benchmark/therapeutics.fasta, on which no weights were trained, has a
gap of so many residues in the middle of its CDR3, if that is long enough. It is filled without a
mass, with the mass of the gap, and with the mass of its first half besides, all exact. Prints
residues that are right (I = L), those stated at 0.95 or more and how many of these are wrong, and
the expected calibration error. One core, about three minutes.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from common import ROOT, merged
from pyteomics.mass import std_aa_mass

from lacuna.antibody.imgt import CYS104, FR4_START
from lacuna.antibody.numbering import number_chain
from lacuna.core.statistics import error_of_residues
from lacuna.core.tables import RESIDUE_TABLE
from lacuna.scaffolds.read import read_scaffolds
from lacuna.steps.one_file import fill_file

FASTA = ROOT / "resources" / "benchmark" / "therapeutics.fasta"
SURE = 0.95


def weight(residues: str) -> float:
    """Monoisotopic mass of residues in Da."""
    return sum(std_aa_mass[residue] for residue in residues)


def gaps_in_cdr3(length: int) -> dict[str, tuple[str, int]]:
    """Heavy chains by name, each with the start of a gap in the middle of its CDR3."""
    found = {}
    for record in read_scaffolds(FASTA):
        numbering = number_chain(record.sequence)
        columns = numbering.columns.tolist()
        if numbering.locus != "H" or not {CYS104, FR4_START} <= set(columns):
            continue
        first, stop = columns.index(CYS104) + 1, columns.index(FR4_START)
        if stop - first >= length:
            found[record.chain] = record.sequence, first + (stop - first - length) // 2
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=10)
    parser.add_argument("--tolerance-ppm", type=float, default=10.0)
    parser.add_argument("--mode", choices=("fast", "thorough"), default="fast")
    options = parser.parse_args()
    n, chains = options.length, gaps_in_cdr3(options.length)
    known = {
        "no mass": lambda gap: ("", ""),
        "mass": lambda gap: (f"{weight(gap):.5f}", ""),
        "mass, one cleavage": lambda gap: (f"{weight(gap):.5f}", f"{weight(gap[: n // 2]):.5f}"),
    }
    print(
        "| known | gaps | residues | right | at p >= 0.95 | wrong there | ECE |\n"
        + "|---" * 7
        + "|"
    )
    with tempfile.TemporaryDirectory() as folder:
        fasta, table = Path(folder) / "chains.fasta", Path(folder) / "gaps.tsv"
        fasta.write_text("".join(f">{name}\n{s}\n" for name, (s, _) in chains.items()))
        settings = {"alkylation": "none", "mode": options.mode}
        settings["tolerance_ppm"] = options.tolerance_ppm
        for title, of_gap in known.items():
            rows = ["chain\tstart\tend\tmass\tprefix_masses"]
            for name, (sequence, start) in chains.items():
                rows.append(
                    "\t".join(
                        (name, str(start), str(start + n), *of_gap(sequence[start : start + n]))
                    )
                )
            table.write_text("\n".join(rows) + "\n")
            out = Path(folder) / "out"
            fill_file({"fasta": fasta, "gaps": table}, out, settings)
            found = list(RESIDUE_TABLE.read(out / "residues.tsv"))
            right = np.array([merged(row.residue) == merged(row.truth) for row in found])
            stated = np.array(
                [
                    (row.probability or 0.0)
                    + sum(
                        p for other, p in row.alternatives if merged(other) == merged(row.residue)
                    )
                    for row in found
                ]
            )
            sure = stated >= SURE
            cells = (
                len(chains),
                len(found),
                f"{right.mean():.3f}",
                sure.sum(),
                (sure & ~right).sum(),
            )
            error = error_of_residues(right, stated)
            print("| " + " | ".join(map(str, (title, *cells, f"{error:.3f}"))) + " |", flush=True)


if __name__ == "__main__":
    main()
