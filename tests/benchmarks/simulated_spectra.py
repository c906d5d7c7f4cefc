"""Gaps filled by simulated spectra of their peptide: modified residues, no length, several spectra.

    python tests/benchmarks/simulated_spectra.py CHAINS.fasta [--chains 60] [--seed 1]

Gaps without a mass are drawn in tryptic peptides of the chains. The spectrum of a peptide has b and
y ions of four cleavages in five, and noise; C is carbamidomethylated.

The first table has gaps of five residues of known length, in peptides with M, W or N, or that begin
with Q or E, or with any residue: without a spectrum, with that of the peptide as written, and with
that of the peptide in which this residue is modified, which is not written. The second has gaps of
unknown length, the third gaps of known length with 1, 3 and 10 spectra of the peptide, of three
cleavages in five each. The fourth has gaps of known length whose mass is given, right or wrong by
an isotope, a methylene, a water or a glycine, without a spectrum and with that of the peptide. All
tell how many gaps have the right length and are exact (I = L), how many residues are stated at 0.9
or more and how many of these are wrong (all of a gap of wrong length), and seconds.
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

from lacuna.core.alphabet import RESIDUES
from lacuna.core.masses import (
    AMMONIA,
    CARBAMIDOMETHYL,
    CARBAMYL,
    DEAMIDATION,
    ISOTOPE,
    OXIDATION,
    WATER,
)
from lacuna.core.tables import GAP_TABLE, RESIDUE_TABLE
from lacuna.scaffolds.fasta import read_records
from lacuna.steps.one_file import fill_file

sys.path.insert(0, str(ROOT / "tests"))

from peaks import as_mgf, spectrum_of, weights  # noqa: E402

SHORTEST, LONGEST = 9, 40  # residues of a peptide
BESIDE = 2  # known residues of it on either side of the gap, or more
MISSING = 0.2  # of its cleavages
NOISE = 30  # peaks
POOR_MISSING, POOR_NOISE = 0.4, 60  # of each of several spectra
SEVERAL = (1, 3, 10)
SURE = 0.9
KNOWN_LENGTH = 5
METHYLENE, GLYCINE = 14.01565, 57.02146  # Da
WRONG = (-ISOTOPE, METHYLENE, WATER, GLYCINE)  # Da, of masses that are given
LENGTHS = (3, 5, 8, 12)


class Kind(NamedTuple):
    """A modification of residues (any of these letters); begins: of the first one of a peptide
    only; within: of one in the gap, and not of a known one."""

    name: str
    residues: str
    mass: float
    begins: bool = False
    within: bool = False


KINDS = (
    Kind("M oxidised", "M", OXIDATION),
    Kind("W oxidised", "W", OXIDATION),
    Kind("N deamidated", "N", DEAMIDATION),
    Kind("Q pyroglutamate", "Q", -AMMONIA, True),
    Kind("E pyroglutamate", "E", -WATER, True),
    Kind("first residue alkylated, as C is", RESIDUES, CARBAMIDOMETHYL, True),
    Kind("first residue carbamylated", RESIDUES, CARBAMYL, True),
    Kind("M of the gap oxidised", "M", OXIDATION, within=True),
    Kind("W of the gap oxidised", "W", OXIDATION, within=True),
    Kind("N of the gap deamidated", "N", DEAMIDATION, within=True),
)


class Case(NamedTuple):
    """A gap of a chain, of known length if `known`, and the peptide around it; modified: a known
    residue of that, if any; off: error of the mass that is given, in Da, None if none is."""

    chain: str
    start: int
    end: int
    gap: int
    length: int
    modified: int | None = None
    known: bool = True
    off: float | None = None

    @property
    def truth(self) -> str:
        return self.chain[self.gap : self.gap + self.length]


class Counts(NamedTuple):
    """Of gaps: lengths that are right, gaps filled exactly, residues stated as sure, and those of
    them that are wrong."""

    lengths: int
    exact: int
    sure: int
    wrong: int


def peptides(chains: list[str]) -> Iterator[tuple[str, int, int]]:
    for chain in chains:
        for match in re.finditer("[^KR]*[KR]|[^KR]+$", chain):
            if SHORTEST <= len(match.group()) <= LONGEST:
                yield chain, *match.span()


def with_modified(chains: list[str], kind: Kind) -> Iterator[Case]:
    for chain, start, end in peptides(chains):
        for place in [start] if kind.begins else range(start, end):
            for gap in range(start + BESIDE, end - KNOWN_LENGTH - BESIDE + 1):
                within = gap <= place < gap + KNOWN_LENGTH
                if chain[place] in kind.residues and within == kind.within:
                    yield Case(chain, start, end, gap, KNOWN_LENGTH, place)


def of_length(chains: list[str], length: int, known: bool) -> Iterator[Case]:
    for chain, start, end in peptides(chains):
        for gap in range(start + BESIDE, end - length - BESIDE + 1):
            yield Case(chain, start, end, gap, length, known=known)


def spectra(case: Case, mass: float, n: int, seed: int) -> str:
    """The text of a file with a spectrum, or n poor ones; mass: that the modified residue carries,
    in Da."""
    rng = random.Random(seed)
    missing, noise = (MISSING, NOISE) if not n else (POOR_MISSING, POOR_NOISE)
    made = [
        spectrum_of(
            case.chain[case.start : case.end],
            missing=[i for i in range(1, case.end - case.start) if rng.random() < missing],
            noise=noise,
            seed=seed + 1000 * number,
            carried=CARBAMIDOMETHYL,
            modified={} if case.modified is None else {case.modified - case.start: mass},
        )
        for number in range(max(n, 1))
    ]
    return as_mgf(made)


def fill(case: Case, text: str, folder: Path) -> Counts:
    """Fill the gap; text: of a file of spectra, '' for none."""
    fasta, table, file = (folder / name for name in ("c.fasta", "gaps.tsv", "spectra.mgf"))
    known = case.length if case.known else 0
    letters = case.chain[: case.gap] + "X" * known + case.chain[case.gap + case.length :]
    fasta.write_text(f">c\n{letters}\n")
    weight = float(weights(case.truth, CARBAMIDOMETHYL).sum())
    mass = "" if case.off is None else f"{weight + case.off:.5f}"
    row = "c", str(case.gap), str(case.gap + known), mass
    table.write_text("chain\tstart\tend\tmass\n" + "\t".join(row) + "\n")
    file.write_text(text)
    given, out = [file] if text else [], folder / "out"
    fill_file({"fasta": fasta, "gaps": table}, out, {"complete_ends": False}, spectra=given)
    first = next(iter(GAP_TABLE.read(out / "gaps.tsv")))
    rows = [row for row in RESIDUE_TABLE.read(out / "residues.tsv") if row.probability >= SURE]
    same = len(first.candidate) == case.length
    truth = merged(case.chain)
    right = [same and merged(row.residue) == truth[row.position - 1] for row in rows]
    exact = merged(first.candidate) == merged(case.truth)
    return Counts(same, exact, len(rows), right.count(False))


def row_of(drawn: list[Case], mass: float | None, n: int = 0) -> list[object]:
    """Cells of a row; mass: that the modified residues carry, None without spectra; n: poor spectra
    of each peptide, 0 for a good one."""
    begun = time.perf_counter()
    found = []
    for seed, case in enumerate(drawn):
        text = "" if mass is None else spectra(case, mass, n, seed)
        with tempfile.TemporaryDirectory() as folder:
            found.append(fill(case, text, Path(folder)))
    sums = list(map(sum, zip(*found, strict=True)))
    return [len(drawn), *sums, f"{time.perf_counter() - begun:.0f}"]


def main() -> None:
    given = drawing(__doc__, "CHAINS", 60).parse_args()
    chains = [r.body.decode().replace("\n", "") for r in read_records(given.chains, 1 << 20)]

    def draw(cases: Iterator[Case]) -> list[Case]:
        every = list(cases)
        return random.Random(given.seed).sample(every, min(given.n, len(every)))

    print("gap", "spectrum", "gaps", *Counts._fields, "seconds", sep="\t")
    for kind in KINDS:
        drawn = draw(with_modified(chains, kind))
        for name, mass in (("none", None), ("unmodified", 0.0), ("modified", kind.mass)):
            print(kind.name, name, *row_of(drawn, mass), sep="\t", flush=True)
    for length in LENGTHS:
        drawn = draw(of_length(chains, length, known=False))
        for name, mass in (("none", None), ("own", 0.0)):
            print(f"{length} residues, length unknown", name, *row_of(drawn, mass), sep="\t")
    for length in LENGTHS[1:3]:
        drawn = draw(of_length(chains, length, known=True))
        for n in SEVERAL:
            print(f"{length} residues", f"{n} poor", *row_of(drawn, 0.0, n), sep="\t", flush=True)
    drawn = draw(of_length(chains, KNOWN_LENGTH, known=True))
    right = [case._replace(off=0.0) for case in drawn]
    wrong = [case._replace(off=WRONG[i % len(WRONG)]) for i, case in enumerate(drawn)]
    for said, some in (("right", right), ("wrong", wrong)):
        for name, mass in (("none", None), ("own", 0.0)):
            print(f"mass given, {said}", name, *row_of(some, mass), sep="\t", flush=True)


if __name__ == "__main__":
    main()
