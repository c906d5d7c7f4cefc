"""Antibodies of many kinds from simulated reads: is what is said of each residue true?

    python tests/benchmarks/read_panel.py [--digests deep,two,one] [--kinds WORD] [--seed 1]
        [--mode thorough] [--species NAMES] [--serum 0.3] [--chains FASTA] [--mixed 2]
        [--part 16] [--repeated 0.6]

Chains are those of resources/benchmark/therapeutics.fasta, which no weights were trained on, and
chains made of bundled germline segments, mutated, with CDR3s of random residues. Reads are
simulated (lacuna/benchmark/simulated_reads.py) with several digests, some in the tables of other
tools and with more mistakes, and go the whole road: read, placed, weighed. Prints a row for each
kind and digest, over all V domains of the kind (I = L). One core, about five minutes.

With --species, a list as `dog,cow`, two antibodies are made of each species instead. A heavy or
constant region that is not bundled is that of a relative. --serum adds reads of bovine IgG, as in
the serum of a cell culture, until they are this share of all.

With --chains the antibodies are those of a FASTA file instead: V domains whose names are a kind (as
`human` or `mouse`), the antibody and the locus, joined by |. Constant regions are added, those of
the kind if it is a species, human ones else; a domain that is alone gets tags. --mixed takes so
many antibodies of a kind together, in equal amounts. Each chain that is answered then counts
against the true one that its residues without the flag `phase` are most like, and `right` is of
these, all residues. --part takes one of so many reads only. --repeated: the share of the
reads that have the mistakes of others of their peptide, as if the same fragments were missing.
"""

import io
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from common import ROOT, options_of, scaffolds_of

from lacuna.antibody.germlines import (
    LOCI,
    SPECIES,
    constants,
    j_segments,
    v_segments,
)
from lacuna.antibody.imgt import (
    CYS104,
    FR4_START,
    N_CODES,
    N_IMGT,
    cdr3_codes,
)
from lacuna.benchmark import reads as scoring
from lacuna.benchmark.simulated_reads import (
    Reading,
    SimulatedRead,
    simulate_reads,
    write_peaks,
)
from lacuna.core.alphabet import ABSENT, RESIDUES, decode, encode, same_but_il
from lacuna.core.masses import PROTON
from lacuna.core.paths import LARGE_NETWORK, LIBRARY, WEIGHTS
from lacuna.core.statistics import error_of_residues
from lacuna.evidence.chain import WeighedChain
from lacuna.evidence.weigh import weigh
from lacuna.network.transformer import load_large
from lacuna.network.weights import load_weights
from lacuna.placing.place import Placed, place
from lacuna.placing.sources.contaminants import read_contaminants
from lacuna.placing.votes.draft import CONSERVED
from lacuna.reads.read import Read
from lacuna.reads.readers import read_peptides
from lacuna.templates.library import load_library
from lacuna.training.simulate import grid_to_chain, mutate

FASTA = ROOT / "resources" / "benchmark" / "therapeutics.fasta"
LINKER = "GGGGSGGGGSGGGGS"
HIS = "HHHHHH"
VHH_TAGS = "AAAEQKLISEEDLNGAAHHHHHH"
FAB_END = "EPKSCDKTHT"  # of CH1 and hinge, behind which a Fab ends
LOOP = "GYSDTRAVWNLPFEKH"  # residues of made CDR3s, the commonest first
# Digests: proteases, reads.
DIGESTS: dict[str, tuple[tuple[str, ...], int]] = {
    "deep": (("trypsin", "lysc", "chymotrypsin", "aspn", "gluc", "elastase", "alp"), 8000),
    "two": (("trypsin", "chymotrypsin"), 2500),
    "one": (("trypsin",), 1500),
    **{protease: ((protease,), 1500) for protease in ("trypsin", "lysc", "chymotrypsin", "alp")},
}
GIVEN_TOOLS = ("peaks", "casanovo4", "casanovo5", "instanovo")  # of given chains, in turn
# What tools do more often than PEAKS, which are then asked for fewer residues to a peptide.
CARELESS = Reading(wrong_end=0.6, swapped=0.2, other_length=0.18, noise=0.35)


@dataclass(frozen=True, slots=True)
class Antibody:
    """Molecules that are digested, and the V domains (with constant regions) to be found."""

    kind: str
    molecules: tuple[str, ...]
    truths: tuple[str, ...]
    tool: str = "peaks"
    single: str = "trypsin"  # the protease of the digest `one`


# --- chains --------------------------------------------------------------------------------------


def constant(species: str, name: str) -> str:
    """A bundled constant region; residues that are not known are left out."""
    return next(
        c.sequence.replace("X", "") for c in constants() if (c.species, c.name) == (species, name)
    )


def therapeutic(name: str) -> tuple[str, str]:
    """V domains, heavy and light, of a therapeutic antibody."""
    known = {r.chain: r.sequence for r in scaffolds_of(FASTA)}
    return known[f"{name}|HC1"], known[f"{name}|LC1"]


def made(
    species: str, locus: str, seed: int, *, cdr3: int, rate: float = 0.04, insert: int = 0
) -> str:
    """A V domain of germline segments with mutations (rate: of framework residues) and a made CDR3.

    insert: residues put into the framework behind CDR1, or into CDR1 if it is negative.
    """
    rng = np.random.default_rng([seed, LOCI.index(locus), SPECIES.index(species)])
    rows = []
    for segments, first, last in ((v_segments(), 1, CYS104), (j_segments(), FR4_START, N_IMGT - 1)):
        own = (segments.species == SPECIES.index(species)) & (segments.locus == LOCI.index(locus))
        whole = (segments.tokens[:, first] < len(RESIDUES)) & (
            segments.tokens[:, last] < len(RESIDUES)
        )
        known = np.array(["/OR" not in name for name in segments.names])
        rows.append(segments.tokens[rng.choice(np.flatnonzero(own & whole & known))])
    v, j = rows
    grid = np.full(N_CODES, ABSENT, dtype=np.uint8)
    grid[1 : CYS104 + 1], grid[FR4_START : N_IMGT + 1] = (
        v[1 : CYS104 + 1],
        j[FR4_START : N_IMGT + 1],
    )
    held = grid[list(CONSERVED)].copy()
    head, tail = v[105:118], j[105:118]
    head, tail = head[head < ABSENT][:3], tail[tail < ABSENT]
    tail = tail[-min(len(tail), max(cdr3 - len(head) - 1, 0), 6 if locus == "H" else 4) :]
    weights = 1 / np.arange(2, len(LOOP) + 2)
    middle = rng.choice(list(LOOP), cdr3 - len(head) - len(tail), p=weights / weights.sum())
    grid[cdr3_codes(cdr3)] = np.concatenate((head, encode("".join(middle)), tail))
    grid = mutate(grid, rate, rng)
    grid[list(CONSERVED)] = held
    tokens, columns = grid_to_chain(grid)
    letters = decode(tokens)
    at = int(np.flatnonzero(columns >= (32 if insert < 0 else 80))[0])
    more = "".join(rng.choice(list("SGNYTDA"), abs(insert)))
    return letters[:at] + more + letters[at:]


def antibodies() -> Iterator[Antibody]:
    """The panel; chains differ with nothing but their names and seeds."""
    ck, cl, g1 = (constant("human", name) for name in ("IGKC*01", "IGLC2*01", "IGHG1*01"))
    g4 = constant("human", "IGHG4*01")

    def whole(kind: str, heavy: str, light: str, **more: str) -> Antibody:
        return Antibody(kind, (heavy, light), (heavy, light), **more)

    for i, name in enumerate(("Tildrakizumab", "Zuberitamab", "Ozanezumab")):
        h, k = therapeutic(name)
        tool = ("peaks", "casanovo4", "peaks")[i]
        yield whole("humanised and chimeric, kappa", h + g1, k + ck, tool=tool)
    for i, name in enumerate(("Orticumab", "Eblasakimab")):
        h, light = therapeutic(name)
        own = cl if light.endswith(("TVL", "TVLG")) else ck
        yield whole("human IgG4", h + g4, light + own, tool=("instanovo", "casanovo5")[i])
    for seed in (1, 2):
        h = made("human", "H", seed, cdr3=13) + g1
        light = made("human", "L", seed, cdr3=11) + cl
        yield whole("human, lambda", h, light, tool=("peaks", "novor")[seed - 1])
    for seed, isotype in ((1, "IGHG1*01"), (2, "IGHG2A*01"), (3, "IGHG2B*01")):
        h = made("mouse", "H", seed, cdr3=11) + constant("mouse", isotype)
        light = made("mouse", "K", seed, cdr3=9) + constant("mouse", "IGKC*01")
        tool = ("peaks", "casanovo4", "casanovo5")[seed - 1]
        single = ("trypsin", "chymotrypsin", "trypsin")[seed - 1]
        yield whole("mouse IgG1, 2a and 2b, kappa", h, light, tool=tool, single=single)
    for seed, c in ((1, "IGKC1*01"), (2, "IGKC1*04")):
        h = made("rabbit", "H", seed, cdr3=13, rate=0.06) + constant("rabbit", "IGHG*01")
        light = made("rabbit", "K", seed, cdr3=12, rate=0.06) + constant("rabbit", c)
        yield whole("rabbit", h, light, tool=("peaks", "plain")[seed - 1])
    for seed, light_locus, c in ((1, "K", "IGKC*01"), (2, "L", "IGLC1*01")):
        h = made("rhesus", "H", seed, cdr3=14) + constant("rhesus", "IGHG1*01")
        light = made("rhesus", light_locus, seed, cdr3=10) + constant("rhesus", c)
        yield whole("rhesus", h, light, tool=("peaks", "instanovo")[seed - 1])
    h = made("rat", "H", 1, cdr3=10) + constant("rat", "IGHG2A*01")
    yield whole("rat", h, made("rat", "K", 1, cdr3=9) + constant("rat", "IGKC*01"))
    for seed in (1, 2):
        vhh = made("alpaca", "H", seed, cdr3=(17, 12)[seed - 1], rate=0.06)
        yield Antibody("VHH with tags", (vhh + VHH_TAGS,), (vhh,), ("peaks", "novor")[seed - 1])
    for seed, length in ((1, 20), (2, 24)):
        h = made("human", "H", seed + 10, cdr3=length) + g1
        yield whole("CDR3 of 20 and 24", h, made("human", "K", seed + 10, cdr3=9) + ck)
    h = made("human", "H", 21, cdr3=5) + g1
    yield whole("CDR3 of 5", h, made("human", "K", 21, cdr3=5) + ck)
    for seed, insert in ((1, -2), (2, 4)):
        h = made("human", "H", seed + 30, cdr3=14, insert=insert) + g1
        yield whole("insertion in CDR1 and FR3", h, made("human", "K", seed + 30, cdr3=9) + ck)
    for seed in (1, 2):
        h = made("human", "H", seed + 40, cdr3=19, rate=0.16) + g1
        light = made("human", "K", seed + 40, cdr3=9, rate=0.13) + ck
        yield whole("a quarter of V mutated", h, light, tool=("peaks", "casanovo4")[seed - 1])
    h, k = therapeutic("Rosnilimab")
    yield Antibody("scFv and Fab with tags", (h + LINKER + k + "AAA" + HIS,), (h, k))
    h, k = therapeutic("Tovetumab")
    fab = h + g1[: g1.index(FAB_END) + len(FAB_END)] + HIS
    yield Antibody("scFv and Fab with tags", (fab, k + ck), (fab[: -len(HIS)], k + ck))


# Whose heavy chains and constant regions stand in for those of a species that are not bundled.
RELATIVE = {"cat": "dog", "goat": "sheep", "sheep": "cow"}
# Constant regions that are not the first of their species.
USUAL = {("human", "L"): "IGLC2*01", ("mouse", "L"): "IGLC2*01"}


def constant_of(species: str, locus: str) -> str:
    """The first constant region of a species, of an IgG if it is heavy, or a relative's."""
    if (species, locus) in USUAL:
        return constant(species, USUAL[species, locus])
    genes = ("IGHG", "IGHY") if locus == "H" else f"IG{locus}C"
    for one in constants():
        if one.species == species and one.name.startswith(genes):
            return one.sequence.replace("X", "")
    return constant_of(RELATIVE[species], locus)


def of_species(name: str) -> Iterator[Antibody]:
    """Two antibodies made of germline segments of a species, with both light chains if it has
    them."""

    v, c = v_segments(), {(one.species, one.locus) for one in constants()}
    loci = {LOCI[i] for i in v.locus[v.species == SPECIES.index(name)]}
    light = [locus for locus in "KL" if locus in loci and (name, locus) in c]
    for seed in (1, 2):
        locus, of_heavy = light[seed % len(light)], name if "H" in loci else RELATIVE[name]
        heavy = made(of_heavy, "H", seed, cdr3=13, rate=0.05) + constant_of(name, "H")
        own = made(name, locus, seed, cdr3=9, rate=0.05) + constant_of(name, locus)
        yield Antibody(name, (heavy, own), (heavy, own))


def bovine_igg(share: float) -> list[tuple[str, str, float]]:
    """IgG1 and IgG2 of a hundred B cells, some of which are far more common than others: names,
    sequences and shares of the reads."""
    rng = random.Random(1)
    cells = []
    for seed in range(100):
        heavy = made("cow", "H", seed, cdr3=rng.randint(14, 28), rate=0.05)
        heavy += constant("cow", "IGHG1*02" if rng.random() < 0.6 else "IGHG2*03")
        light = made("cow", "L", seed, cdr3=11, rate=0.05) + constant("cow", "IGLC3*01")
        cells.append((heavy, light, rng.lognormvariate(0, 1)))
    each = share / 2 / sum(weight for *_, weight in cells)
    return [(f"s{i}", m, each * w) for i, (*pair, w) in enumerate(cells) for m in pair]


def given(path: Path, mixed: int = 1) -> Iterator[Antibody]:
    """The antibodies of a FASTA file, or mixtures of as many of one kind."""
    kinds: dict[str, dict[str, list[str]]] = {}
    for record in scaffolds_of(path):
        kind, antibody, locus = record.chain.split("|")
        chains = kinds.setdefault(kind, {}).setdefault(antibody, [])
        chains.append(record.sequence + constant_of(kind if kind in SPECIES else "human", locus))
    for record in scaffolds_of(path):
        kind, antibody, _ = record.chain.split("|")
        if len(kinds[kind][antibody]) == 1:
            kinds[kind][antibody] = [record.sequence + VHH_TAGS]
    for kind, own in kinds.items():
        every = list(own.values())
        for i in range(0, len(every) - mixed + 1, mixed):
            molecules = tuple(m for chains in every[i : i + mixed] for m in chains)
            tool = GIVEN_TOOLS[i % len(GIVEN_TOOLS)] if mixed == 1 else "peaks"
            single = ("trypsin", "chymotrypsin")[i % 2]
            yield Antibody(kind, molecules, molecules, tool, single)


# --- tables of tools -----------------------------------------------------------------------------


def _stated(reads: Sequence[SimulatedRead], rng: random.Random) -> list[list[float]]:
    """Confidences between 0 and 1, not rounded to 1."""
    return [[min(c / 100, 1 - 10 ** rng.uniform(-4, -1.5)) for c in r.confidences] for r in reads]


def _with(peptide: str, cam: str, oxidised: str, deamidated: str) -> str:
    """A peptide with the modifications of PEAKS written in another way."""
    for ours, theirs in (("(+57.02)", cam), ("(+15.99)", oxidised), ("(+.98)", deamidated)):
        peptide = peptide.replace(ours, theirs)
    return peptide


def _mztab(reads: Sequence[SimulatedRead], version: str, rng: random.Random) -> str:
    lines = [
        "MTD\tmzTab-version\t1.0.0",
        "MTD\tmzTab-mode\tSummary",
        "MTD\tmzTab-type\tIdentification",
        "MTD\tdescription\tsimulated",
        f"MTD\tsoftware[1]\t[MS, MS:1003281, Casanovo, {version}]",
        "MTD\tms_run[1]-location\tfile:///simulated.mgf",
        "PSH\tsequence\tPSM_ID\taccession\tunique\tdatabase\tdatabase_version\tsearch_engine\t"
        "search_engine_score[1]\tmodifications\tretention_time\tcharge\texp_mass_to_charge\t"
        "calc_mass_to_charge\tspectra_ref\tpre\tpost\tstart\tend\topt_ms_run[1]_aa_scores",
    ]
    new = version.startswith("5")
    for i, (read, stated) in enumerate(zip(reads, _stated(reads, rng), strict=True), 1):
        mean = sum(stated) / len(stated)
        written = stated if new else [(s + mean) / 2 for s in stated]
        marks = ("[Carbamidomethyl]", "[Oxidation]", "[Deamidated]")
        old = ("+57.021", "+15.995", "+0.984")
        cells = (
            *("PSM", _with(read.peptide, *(marks if new else old)), i, *["null"] * 4),
            *(f"[MS, MS:1003281, Casanovo, {version}]", mean, "null", "null", read.charge),
            *(read.mass / read.charge + PROTON, read.mass / read.charge + PROTON),
            *(f"ms_run[1]:index={i}", *["null"] * 4, ",".join(f"{s:.5f}" for s in written)),
        )
        lines.append("\t".join(map(str, cells)))
    return "\n".join(lines) + "\n"


def _instanovo(reads: Sequence[SimulatedRead], rng: random.Random) -> str:
    rows = ["scan_number,precursor_mz,precursor_charge,preds,log_probs,token_log_probs"]
    for i, (read, stated) in enumerate(zip(reads, _stated(reads, rng), strict=True), 1):
        logs = [float(np.log(max(s, 1e-3))) for s in stated]
        peptide = _with(read.peptide, "[UNIMOD:4]", "[UNIMOD:35]", "[UNIMOD:7]")
        mz = read.mass / read.charge + PROTON
        rows.append(f'{i},{mz:.5f},{read.charge},{peptide},{sum(logs):.4f},"{logs}"')
    return "\n".join(rows) + "\n"


def _novor(reads: Sequence[SimulatedRead], _: random.Random) -> str:
    rows = [
        "# id, scanNum, RT, mz(data), z, pepMass(denovo), err(data-denovo), ppm(1e6*err/(mz*z)), "
        "score, peptide, aaScore,"
    ]
    for i, read in enumerate(reads, 1):
        peptide = _with(read.peptide, "(Cam)", "(O)", "(Deamidated)")
        scores = "-".join(map(str, read.confidences))
        mz, mean = read.mass / read.charge + PROTON, sum(read.confidences) / len(read.confidences)
        rows.append(
            f"{i}, {i}, 0, {mz:.5f}, {read.charge}, {read.mass:.4f}, 0, 0, {mean:.1f}, {peptide}, "
            f"{scores},"
        )
    return "\n".join(rows) + "\n"


def _plain(reads: Sequence[SimulatedRead], _: random.Random) -> str:
    rows = ["peptide\tconfidence\tmass"]
    for read in reads:
        peptide = _with(read.peptide, "[+57.021]", "[+15.995]", "[+0.984]")
        stated = " ".join(f"{c / 100:.2f}" for c in read.confidences)
        rows.append(f"{peptide}\t{stated}\t{read.mass:.4f}")
    return "\n".join(rows) + "\n"


def _peaks(reads: Sequence[SimulatedRead], _: random.Random) -> str:
    handle = io.StringIO()
    write_peaks(reads, handle, "simulated")
    return handle.getvalue()


Writer = Callable[[Sequence[SimulatedRead], random.Random], str]
# Of each tool: the name of its file, how it is written, and how peptides are read.
TOOLS: dict[str, tuple[str, Writer, Reading]] = {
    "peaks": ("reads.csv", _peaks, Reading()),
    "casanovo4": ("reads.mztab", lambda r, g: _mztab(r, "4.2.1", g), CARELESS),
    "casanovo5": ("reads.mztab", lambda r, g: _mztab(r, "5.0.0", g), CARELESS),
    "instanovo": ("reads.csv", _instanovo, CARELESS),
    "novor": ("reads.csv", _novor, Reading()),
    "plain": ("reads.tsv", _plain, Reading()),
}


# --- running and scoring -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one antibody in one digest; arrays over residues of the answers' V domains."""

    kind: str
    digest: str
    residues: int
    right: int
    germline: int
    lengths: tuple[bool, ...]
    cdr3: tuple[bool, ...]
    loci: tuple[bool, ...]  # chains whose locus and number are those of the truth
    good: np.ndarray
    probability: np.ndarray
    states: np.ndarray
    flags: tuple[str, ...]
    seconds: float
    chains: tuple[WeighedChain, ...]
    placed: Placed


class Road:
    """Weights, library and contaminants, loaded once; with `thorough` the large network too."""

    def __init__(
        self, thorough: bool = False, part: int = 1, serum: float = 0.0, repeated: float = 0.0
    ) -> None:
        self.part = part  # of which one read is taken
        self.serum = serum  # share of the reads that are of bovine IgG
        self.repeated = repeated  # share of the reads with the mistakes of others of their peptide
        self.model = load_weights(WEIGHTS)
        self.large = load_large(LARGE_NETWORK) if thorough else None
        self.library = load_library(LIBRARY)
        self.contaminants = read_contaminants()

    def run(
        self,
        antibody: Antibody,
        digest: str,
        seed: int,
        folder: Path,
        variant: scoring.Variant = scoring.VARIANTS[0],
        *,
        by_answer: bool = False,
    ) -> Result:
        """One antibody by one digest; variant: of the method; by_answer: whether each answered
        chain is compared with the true one that it is most like, not the reverse."""
        reads = self.read(antibody, digest, seed, folder)
        return self.answer(antibody, digest, reads, folder, variant, by_answer=by_answer)

    def read(self, antibody: Antibody, digest: str, seed: int, folder: Path) -> Sequence[Read]:
        """Simulated reads of an antibody, from a table as its tool writes it."""
        proteases, n = DIGESTS[digest]
        n //= self.part
        proteases = (antibody.single,) if digest == "one" else proteases
        file, write, reading = TOOLS[antibody.tool]
        reading = replace(reading, repeated=self.repeated)
        share = (1.0 - self.serum) / len(antibody.molecules)
        molecules = [(f"m{i}", m, share) for i, m in enumerate(antibody.molecules)]
        if self.serum:
            n = round(n / (1.0 - self.serum))
            molecules += bovine_igg(self.serum)
        simulated = simulate_reads(molecules, n, seed, proteases=proteases, reading=reading)
        (folder / file).write_text(write(simulated, random.Random(seed)), encoding="utf-8")
        peptides = read_peptides([folder / file])
        if len(peptides.reads) != n:
            raise SystemExit(f"{antibody.tool}: {len(peptides.reads)} of {n} rows read")
        return peptides.reads

    def answer(
        self,
        antibody: Antibody,
        digest: str,
        reads: Sequence[Read],
        folder: Path,
        variant: scoring.Variant = scoring.VARIANTS[0],
        *,
        by_answer: bool = False,
        placed: Placed | None = None,
    ) -> Result:
        """What comes of the reads of an antibody; placed: where they lie, if that is known."""
        truth = folder / "truth.fasta"
        records = (f">t{i}\n{t}\n" for i, t in enumerate(antibody.truths))
        truth.write_text("".join(records), encoding="utf-8")
        start = time.process_time()
        placed = placed or place(
            reads,
            variant.models(""),
            contaminants=self.contaminants,
            use=self.library.v_prior.numpy(),
            shift=variant.shift,
        )
        model, large = (self.model, self.large) if variant.network else (None, None)
        chains = weigh(placed, model, self.library, large=large, temper=variant.temper)
        seconds = time.process_time() - start
        truths = scoring._true_domains(truth)
        if by_answer:
            answers: list[WeighedChain | None] = list(chains)
            truths = [_nearest(truths, c) for c in chains]
        else:
            answers = [scoring._answer(t.domain, chains) for t in truths]
        scores = [scoring._score(t, c, placed, reads) for t, c in zip(truths, answers, strict=True)]
        return Result(
            antibody.kind,
            digest,
            sum(len(t.domain) for t in truths),
            sum(s.right for s in scores),
            sum(s.germline for s in scores),
            tuple(s.length for s in scores),
            tuple(s.cdr3 for s in scores),
            (len(chains) == len(antibody.truths) and None not in answers,),
            np.concatenate([s.good for s in scores]).astype(bool),
            np.concatenate([s.probability for s in scores]),
            np.concatenate([s.states for s in scores]),
            tuple(flag for s in scores for flag in s.flags),
            seconds,
            chains,
            placed,
        )


def _nearest(truths: Sequence[scoring._Truth], chain: WeighedChain) -> scoring._Truth:
    """The true chain that an answered one is most like, by the residues that are said to be of
    one chain: those with the flag `phase` may be another's."""
    rows = scoring._domain_rows(chain)
    letters = "".join(row.residue for row in rows)

    def same(truth: scoring._Truth) -> int:
        pairs = scoring._pairs(truth.domain, letters)
        return sum(
            same_but_il(truth.domain[i], letters[j])
            for i, j in pairs
            if "phase" not in rows[j].flags
        )

    return max(truths, key=same)


def row(title: str, digest: str, results: Sequence[Result]) -> str:
    """A row of the table: results pooled."""
    n = sum(r.residues for r in results)
    good = np.concatenate([r.good for r in results])
    probability = np.concatenate([r.probability for r in results])
    observed = np.concatenate([r.states for r in results]) == "observed"
    cells = (
        title,
        digest,
        len(results),
        n,
        f"{sum(r.right for r in results) / n:.3f}",
        f"{sum(r.germline for r in results) / n:.3f}",
        _of([x for r in results for x in r.lengths]),
        _of([x for r in results for x in r.cdr3]),
        _of([x for r in results for x in r.loci]),
        f"{int((observed & ~good).sum())} of {int(observed.sum())}",
        int(((probability >= scoring.CONFIDENT) & ~good).sum()),
        f"{error_of_residues(good, probability):.3f}",
        f"{max(r.seconds for r in results):.0f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _of(found: Sequence[bool]) -> str:
    return f"{sum(found)} of {len(found)}"


HEAD = (
    "| kind | digest | antibodies | residues | right | germline copy | lengths | CDR3s | chains "
    "| observed wrong | wrong at p >= .95 | ECE | seconds at most |\n" + "|---" * 13 + "|"
)


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--digests", default="deep,two,one")
    parser.add_argument("--kinds", default="", metavar="WORD", help="kinds that hold this word")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", choices=("fast", "thorough"), default="fast")
    parser.add_argument("--species", default="", metavar="NAMES")
    parser.add_argument("--serum", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--chains", type=Path, metavar="FASTA")
    parser.add_argument("--mixed", type=int, default=1)
    parser.add_argument("--part", type=int, default=1)
    parser.add_argument("--repeated", type=float, default=0.0, metavar="SHARE")
    options = parser.parse_args()
    torch.set_num_threads(1)
    thorough, found = options.mode == "thorough", []
    road = Road(thorough, options.part, options.serum, options.repeated)
    with tempfile.TemporaryDirectory() as folder:
        for digest in options.digests.split(","):
            every = antibodies()
            if options.species:
                every = chain.from_iterable(map(of_species, options.species.split(",")))
            elif options.chains:
                every = given(options.chains, options.mixed)
            for antibody in (a for a in every if options.kinds in a.kind):
                by_answer = options.mixed > 1
                one = road.run(antibody, digest, options.seed, Path(folder), by_answer=by_answer)
                found.append(one)
                print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(HEAD)
    for digest in options.digests.split(","):
        of_digest = [r for r in found if r.digest == digest]
        for kind in dict.fromkeys(r.kind for r in of_digest):
            print(row(kind, digest, [r for r in of_digest if r.kind == kind]))
        print(row("all", digest, of_digest))


if __name__ == "__main__":
    main()
