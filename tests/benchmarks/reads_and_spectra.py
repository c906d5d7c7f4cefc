"""Antibodies from reads alone, and from the same reads with the fragment spectra of the sample.

    python tests/benchmarks/reads_and_spectra.py [--antibodies 6] [--seed 1] [--scarce 250]
        [--written] [--foreign]

Antibodies are those of resources/benchmark/therapeutics.fasta whose heavy and light chain are both
there, which no weights were trained on. Each is digested by two proteases. Every peptide that is
drawn has a spectrum (b and y ions, C carbamidomethylated, oxidised and deamidated residues as
drawn). Of half of the peptides the tool reports nothing, and of the others a few reads, many
of them wrong: the spectra of what it did not report have fewer ions.

Rows: reads alone; reads and spectra; with --written also a FASTA of the chains as reads alone show
them (X elsewhere, CDR3 a gap of unknown length) with the reads, and with both; with --foreign the
spectra of the next antibody instead. Residues of V domains are compared with the truth (I = L).
`worse`: residues of V domains that are right with reads alone, and wrong with spectra. One core,
about ten minutes with both options.
"""

import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from common import ROOT, merged, options_of, scaffolds_of
from pyteomics.mass import calculate_mass
from read_panel import FASTA, constant

from lacuna.antibody.imgt import regions_of
from lacuna.antibody.numbering import number_chain
from lacuna.benchmark import reads as scoring
from lacuna.benchmark.simulated_reads import SimulatedRead, simulate_reads, write_peaks
from lacuna.core.masses import CARBAMIDOMETHYL, DEAMIDATION, OXIDATION
from lacuna.core.tables import EVIDENCE_TABLE, EvidenceRow
from lacuna.results.evidence import probability_of_either
from lacuna.spectra.read import Spectrum
from lacuna.steps.one_file import fill_file

sys.path.insert(0, str(ROOT / "tests"))

from peaks import as_mgf, spectrum_of  # noqa: E402

PROTEASES = ("trypsin", "chymotrypsin")
SPECTRA = 800  # of a sample
UNREPORTED = 0.5  # of the peptides
MISSING = {True: 0.2, False: 0.35}  # of the cleavages of peptides, by whether the tool reports them
NOISE = 30  # peaks
SURE = 0.95


@dataclass(frozen=True, slots=True)
class Sample:
    """An antibody, what the tool reports of it, and the text of its file of spectra."""

    name: str
    truths: tuple[str, str]  # with constant regions
    domains: tuple[str, str]
    reads: list[SimulatedRead]
    spectra: str


class Domain(NamedTuple):
    """A V domain against its truth; arrays over the residues of the true one, False and 0 where the
    answer has none.

    sure: of the answer's residues stated at SURE or more; wrong: of these; length, exact: of CDR3.
    """

    right: np.ndarray
    sure: int
    wrong: int
    length: bool
    exact: bool


def antibodies(n: int) -> Iterator[tuple[str, str, str]]:
    """Yield name and V domains, heavy and light, of antibodies all over the file."""
    known = {r.chain: r.sequence for r in scaffolds_of(FASTA)}
    both = [name for chain in known for name, end in [chain.split("|")] if end == "HC1"]
    both = [name for name in both if f"{name}|LC1" in known]
    for name in both[:: max(len(both) // n, 1)][:n]:
        yield name, known[f"{name}|HC1"], known[f"{name}|LC1"]


def samples(n: int, seed: int, scarce: int) -> Iterator[Sample]:
    """Yield samples of n antibodies; scarce: reads that the tool reports."""
    for name, heavy, light in antibodies(n):
        locus = number_chain(light).locus
        of_light = constant("human", "IGLC2*01" if locus == "L" else "IGKC*01")
        truths = heavy + constant("human", "IGHG1*01"), light + of_light
        molecules = [(f"m{i}", one, 0.5) for i, one in enumerate(truths)]
        drawn = simulate_reads(molecules, SPECTRA, seed, proteases=PROTEASES)
        rng = random.Random(f"{seed} {name}")
        peptides = sorted({(r.chain, r.start, r.end) for r in drawn if r.chain})
        silent = {one for one in peptides if rng.random() < UNREPORTED}
        reported = [r for r in drawn if (r.chain, r.start, r.end) not in silent]
        reads = sorted(rng.sample(range(len(reported)), min(scarce, len(reported))))
        chains = dict(zip(("m0", "m1"), truths, strict=True))
        spectra = [
            spectrum(read, chains[read.chain], (read.chain, read.start, read.end) not in silent, i)
            for i, read in enumerate(drawn)
            if read.chain
        ]
        chosen = [reported[i] for i in reads]
        yield Sample(name, truths, (heavy, light), chosen, as_mgf(spectra, "HCD scan"))


def spectrum(read: SimulatedRead, chain: str, reported: bool, seed: int) -> Spectrum:
    """The spectrum of the peptide that was read, with the modifications that its mass shows."""
    peptide = chain[read.start : read.end]
    plain = calculate_mass(peptide) + CARBAMIDOMETHYL * peptide.count("C")
    rng = random.Random(seed)
    oxidised, deamidated = carried(read.mass - plain, peptide)
    modified = {i: OXIDATION for i in rng.sample(places(peptide, "M"), oxidised)}
    modified |= {i: DEAMIDATION for i in rng.sample(places(peptide, "N"), deamidated)}
    made = spectrum_of(
        peptide,
        read.charge,
        missing=[i for i in range(1, len(peptide)) if rng.random() < MISSING[reported]],
        noise=NOISE,
        seed=seed,
        carried=CARBAMIDOMETHYL,
        modified=modified,
    )
    return replace(made, precursor=replace(made.precursor, mass=read.mass))


def places(peptide: str, residue: str) -> list[int]:
    return [match.start() for match in re.finditer(residue, peptide)]


def carried(mass: float, peptide: str) -> tuple[int, int]:
    """How many M's are oxidised and N's deamidated in a peptide that weighs so much more, in Da."""
    options = [
        (oxidised, deamidated)
        for oxidised in range(peptide.count("M") + 1)
        for deamidated in range(peptide.count("N") + 1)
    ]
    return min(options, key=lambda o: abs(o[0] * OXIDATION + o[1] * DEAMIDATION - mass))


def fill(sample: Sample, folder: Path, spectra: str = "", fasta: Path | None = None) -> Path:
    """Fill a sample, and return the folder of its results; spectra: text of a file, '' for none."""
    reads, mgf = folder / "reads.csv", folder / "spectra.mgf"
    with open(reads, "w", encoding="utf-8") as handle:
        write_peaks(sample.reads, handle, "simulated")
    mgf.write_text(spectra)
    inputs = {} if fasta is None else {"fasta": fasta, "gaps": fasta.with_suffix(".tsv")}
    number = len(list(folder.glob("out*")))
    out, given = folder / f"out{number}", [mgf] if spectra else []
    fill_file(inputs, out, {"complete_ends": False}, reads=[reads], spectra=given)
    return out


def chains_of(out: Path) -> dict[str, list[EvidenceRow]]:
    """Rows of V domains of each chain."""
    found: dict[str, list[EvidenceRow]] = {}
    for row in EVIDENCE_TABLE.read(out / "evidence.tsv"):
        if row.region not in ("C", ""):
            found.setdefault(row.chain, []).append(row)
    return found


def domain_of(truth: str, chains: Sequence[Sequence[EvidenceRow]]) -> Domain:
    """The chain that is most like a true V domain, against it."""

    def pairs(rows: Sequence[EvidenceRow]) -> list[tuple[int, int]]:
        letters = "".join(row.residue for row in rows)
        # Loops that differ in length by as much in opposite directions: an X more has it aligned.
        ways = [scoring._pairs(truth, letters), scoring._pairs(truth, letters + "X")]
        right = [
            [(i, j) for i, j in way if j < len(letters) and merged(truth[i]) == merged(letters[j])]
            for way in ways
        ]
        return max(right, key=len)

    rows = max(chains, key=lambda rows: len(pairs(rows)), default=())
    good = dict(pairs(rows)) if rows else {}
    if len(good) <= scoring.LEAST_LIKE * len(truth):  # a chain of the other locus
        rows, good = (), {}
    right = np.zeros(len(truth), dtype=bool)
    right[list(good)] = True
    sure = [probability_of_either(row) >= SURE for row in rows]
    wrong = sum(one and j not in good.values() for j, one in enumerate(sure))
    columns = number_chain(truth).columns
    loop = "".join(r for r, of in zip(truth, regions_of(columns), strict=True) if of == "CDR3")
    found = "".join(row.residue for row in rows if row.region == "CDR3")
    return Domain(right, sum(sure), wrong, len(found) == len(loop), merged(found) == merged(loop))


HEAD = (
    "| sample | antibodies | residues | right | CDR3 of right length | exact | p >= .95 "
    "| wrong there | worse | better | seconds |\n" + "|---" * 11 + "|"
)


class Row(NamedTuple):
    """V domains of all antibodies in one kind of sample, and seconds."""

    found: list[Domain]
    seconds: float

    def text(self, title: str, base: "Row") -> str:
        n = sum(len(one.right) for one in self.found)
        right = sum(int(one.right.sum()) for one in self.found)
        pairs = list(zip(base.found, self.found, strict=True))
        cells = (
            title,
            len(self.found) // 2,
            n,
            f"{right / n:.4f}",
            sum(one.length for one in self.found),
            sum(one.exact for one in self.found),
            sum(one.sure for one in self.found),
            sum(one.wrong for one in self.found),
            sum(int((a.right & ~b.right).sum()) for a, b in pairs),
            sum(int((~a.right & b.right).sum()) for a, b in pairs),
            f"{self.seconds:.0f}",
        )
        return "| " + " | ".join(map(str, cells)) + " |"


def write_scaffold(out: Path, folder: Path) -> Path:
    """A FASTA of the chains as reads alone show them, with a table of their gaps of no length."""
    fasta = folder / "given.fasta"
    fasta.write_text((out / "scaffolds.fasta").read_text())
    rows = ["chain\tstart\tend\tmin_length\tmax_length"]
    for record in scaffolds_of(fasta):
        columns = number_chain(record.sequence).columns
        at = np.flatnonzero(regions_of(columns) == "CDR3")
        missing = [i for i in at.tolist() if record.sequence[i] == "X"]
        if missing:
            first, last = missing[0], missing[-1] + 1
            rows.append(f"{record.chain}\t{first}\t{last}\t1\t30")
    fasta.with_suffix(".tsv").write_text("\n".join(rows) + "\n")
    return fasta


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--antibodies", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scarce", type=int, default=250, help="reads that the tool reports")
    parser.add_argument("--written", action="store_true")
    parser.add_argument("--foreign", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    every = list(samples(given.antibodies, given.seed, given.scarce))
    titles = ["reads", "reads and spectra"]
    titles += ["chains and reads", "chains, reads and spectra"] if given.written else []
    titles += ["spectra of another antibody"] if given.foreign else []
    found: dict[str, list[Domain]] = {title: [] for title in titles}
    seconds = dict.fromkeys(titles, 0.0)
    for number, sample in enumerate(every):
        with tempfile.TemporaryDirectory() as scratch:
            folder = given.keep / sample.name if given.keep else Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            fasta = None
            for title in titles:
                text = "" if title in ("reads", "chains and reads") else sample.spectra
                if title == "spectra of another antibody":
                    text = every[(number + 1) % len(every)].spectra
                begun = time.process_time()
                out = fill(sample, folder, text, fasta if title.startswith("chains") else None)
                seconds[title] += time.process_time() - begun
                chains = list(chains_of(out).values())
                found[title] += [domain_of(truth, chains) for truth in sample.domains]
                if title == "reads" and given.written:
                    fasta = write_scaffold(out, folder)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(HEAD)
    rows = {title: Row(found[title], seconds[title]) for title in titles}
    for title, row in rows.items():
        print(row.text(title, rows["chains and reads" if title.startswith("chains") else "reads"]))


if __name__ == "__main__":
    main()
