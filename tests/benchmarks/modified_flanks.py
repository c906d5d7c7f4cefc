"""Gaps filled by a spectrum of a peptide whose known residues carry what is not written on them.

    python tests/benchmarks/modified_flanks.py CHAINS.fasta [--chains 60] [--seed 1]

Tryptic peptides of the chains that have M, W or N, or begin with Q or E, are drawn; each has a gap
of five residues of known length and unknown mass elsewhere. Its spectrum has b and y ions of four
cleavages in five, and noise; C is carbamidomethylated. Prints for each modification how many gaps
are exact (I = L) without a spectrum, with that of the peptide as written and with that of the
modified one, how many residues are stated at 0.9 or more, how many of these are wrong, and seconds.
"""

import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from common import ROOT, drawing, merged

from lacuna.core.masses import AMMONIA, CARBAMIDOMETHYL, DEAMIDATION, OXIDATION, WATER
from lacuna.core.tables import GAP_TABLE, RESIDUE_TABLE
from lacuna.scaffolds.fasta import read_records
from lacuna.steps.one_file import fill_file

sys.path.insert(0, str(ROOT / "tests"))

from peaks import as_mgf, spectrum_of  # noqa: E402

LENGTH = 5  # of gaps
SHORTEST, LONGEST = 9, 35  # residues of a peptide
MISSING = 0.2  # of its cleavages
NOISE = 30  # peaks
SURE = 0.9
SPECTRA = ("none", "unmodified", "modified")


class Kind(NamedTuple):
    """A modification; begins: of the first residue of a peptide only."""

    name: str
    residue: str
    mass: float
    begins: bool = False


KINDS = (
    Kind("M oxidised", "M", OXIDATION),
    Kind("W oxidised", "W", OXIDATION),
    Kind("N deamidated", "N", DEAMIDATION),
    Kind("Q pyroglutamate", "Q", -AMMONIA, True),
    Kind("E pyroglutamate", "E", -WATER, True),
)


class Case(NamedTuple):
    """A peptide of a chain, a residue of it, and where the gap begins."""

    chain: str
    start: int
    end: int
    modified: int
    gap: int

    @property
    def hidden(self) -> str:
        return self.chain[self.gap : self.gap + LENGTH]


class Counts(NamedTuple):
    """Gaps filled exactly, residues stated as sure, and those of them that are wrong."""

    exact: int
    sure: int
    wrong: int


def cases(chains: list[str], kind: Kind) -> Iterator[Case]:
    for chain in chains:
        for match in re.finditer("[^KR]*[KR]|[^KR]+$", chain):
            start, end = match.span()
            if not SHORTEST <= end - start <= LONGEST:
                continue
            places = [start] if kind.begins else range(start, end)
            for place in places:
                if chain[place] != kind.residue:
                    continue
                for gap in range(start + 2, end - LENGTH - 1):
                    if not gap <= place < gap + LENGTH:
                        yield Case(chain, start, end, place, gap)


def spectrum(case: Case, mass: float, seed: int) -> str:
    """The text of a file with the spectrum; mass: that the residue carries, in Da."""
    rng = random.Random(seed)
    made = spectrum_of(
        case.chain[case.start : case.end],
        missing=[i for i in range(1, case.end - case.start) if rng.random() < MISSING],
        noise=NOISE,
        seed=seed,
        carried=CARBAMIDOMETHYL,
        modified={case.modified - case.start: mass},
    )
    return as_mgf([made])


def fill(case: Case, text: str, folder: Path) -> Counts:
    """Fill the gap; text: of a file of spectra, '' for none."""
    fasta, spectra, out = folder / "chain.fasta", folder / "spectra.mgf", folder / "out"
    letters = case.chain[: case.gap] + "X" * LENGTH + case.chain[case.gap + LENGTH :]
    fasta.write_text(f">c\n{letters}\n")
    spectra.write_text(text)
    given = [spectra] if text else []
    fill_file({"fasta": fasta}, out, {"complete_ends": False}, spectra=given)
    first = next(iter(GAP_TABLE.read(out / "gaps.tsv")))
    rows = [row for row in RESIDUE_TABLE.read(out / "residues.tsv") if row.probability >= SURE]
    wrong = sum(merged(row.residue) != merged(case.chain[row.position - 1]) for row in rows)
    return Counts(merged(first.candidate) == merged(case.hidden), len(rows), wrong)


def main() -> None:
    given = drawing(__doc__, "CHAINS", 60).parse_args()
    chains = [r.body.decode().replace("\n", "") for r in read_records(given.chains, 1 << 20)]
    print("modification", "spectrum", "gaps", *Counts._fields, "seconds", sep="\t")
    for kind in KINDS:
        every = list(cases(chains, kind))
        drawn = random.Random(given.seed).sample(every, min(given.n, len(every)))
        for name in SPECTRA:
            begun = time.perf_counter()
            mass = kind.mass if name == "modified" else 0.0
            found = []
            for seed, case in enumerate(drawn):
                text = "" if name == "none" else spectrum(case, mass, seed)
                with tempfile.TemporaryDirectory() as folder:
                    found.append(fill(case, text, Path(folder)))
            sums = map(sum, zip(*found, strict=True))
            seconds = f"{time.perf_counter() - begun:.0f}"
            print(kind.name, name, len(drawn), *sums, seconds, sep="\t", flush=True)


if __name__ == "__main__":
    main()
