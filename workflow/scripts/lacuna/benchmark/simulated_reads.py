"""Simulated peptide reads of known chains, for tests and the bundled example.

A chain is cut by proteases, its peptides are modified, and each is read with the mistakes that de
novo tools make: a wrong block at an end, residues in another order, blocks of equal mass of the
same or another length, and leucine for isoleucine. How often that happens, and how sure the tool
then claims to be, is about what PEAKS does on antibodies of known sequence: two reads in three
share six residues with their chain, most have a mistake, and of residues stated at 90 % nine in
ten are right. Mixtures and contaminants are chains with a share; a tag or an insertion is in the
sequence that is given.

Everything is drawn from one `random.Random(seed)`: the same arguments give the same reads.
"""

import csv
import math
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TextIO

from pyteomics.mass import calculate_mass, std_aa_mass
from pyteomics.parser import xcleave

from lacuna.core.alphabet import RESIDUES
from lacuna.core.isobaric import UNALKYLATED, blocks
from lacuna.core.masses import CARBAMIDOMETHYL, DEAMIDATION, OXIDATION, PROTON, WATER

# Where proteases cut: names of pyteomics (Expasy), or expressions of the residue before the cut.
PROTEASES = {
    "trypsin": "trypsin",
    "lysc": "lysc",
    "chymotrypsin": "chymotrypsin low specificity",
    "aspn": "asp-n",
    "gluc": "glutamyl endopeptidase",
    "elastase": "[AVSGLI]",
    "alp": "[TASV]",  # alpha-lytic protease (Meyer et al. 2014, 10.1038/ncomms12616)
}
MISSED = 3  # cuts that may be missed within a peptide
SHORTEST, LONGEST = 6, 24  # residues of a peptide that is seen
SAME_MASS = 0.02  # Da, within which a tool takes two blocks for each other
MAX_BLOCK = 3
_UNREAD = "I"  # L is written for both
COLUMNS = (
    "Fraction,Source File,Feature,Peptide,Scan,Tag Length,Denovo Score,ALC (%),length,m/z,z,RT,"
    "Predict RT,Area,Mass,ppm,PTM,local confidence (%),tag (>=0%),mode"
).split(",")


@dataclass(frozen=True, slots=True)
class Reading:
    """How peptides are modified and read, as shares of peptides unless said otherwise.

    oxidised, deamidated: of M's and of N's (those before G four times as often); lists_oxidation:
    whether the search knows oxidation, or reads unmodified residues of that mass instead;
    wrong_end: with a wrong block at an end, the N terminus twice as often; swapped: with two
    neighbours swapped; other_length: with a block taken for one of another length; noise: reads
    that are of no chain at all; repeated: reads with the mistakes that others of their peptide have
    too; ppm: standard deviation of the precursor's mass.
    """

    oxidised: float = 0.15
    deamidated: float = 0.03
    lists_oxidation: bool = True
    wrong_end: float = 0.45
    swapped: float = 0.12
    other_length: float = 0.10
    noise: float = 0.2
    repeated: float = 0.0
    ppm: float = 3.0


@dataclass(frozen=True, slots=True)
class SimulatedRead:
    """A read of a simulated peptide.

    chain, start, end: the peptide's place, 0-based and half-open; '' and 0 for noise; peptide:
    what was read, modifications as PEAKS writes them; confidences: 0 to 100, one a residue; mass:
    of the precursor in Da.
    """

    chain: str
    start: int
    end: int
    protease: str
    peptide: str
    confidences: tuple[int, ...]
    mass: float
    charge: int
    area: float


class _Place(NamedTuple):
    """Where a peptide is from: the first fields of `SimulatedRead`."""

    chain: str
    start: int
    end: int
    protease: str


def simulate_reads(
    chains: Sequence[tuple[str, str, float]],
    n: int,
    seed: int,
    *,
    proteases: Sequence[str] = tuple(PROTEASES),
    reading: Reading | None = None,
) -> list[SimulatedRead]:
    """n reads of chains (name, sequence, share of the molecules), in the order in which they come.

    Peptides differ in how often they are seen, as those of real digests do, so that some residues
    have many reads and others few.
    """
    rng = random.Random(seed)
    how = reading or Reading()
    peptides: list[tuple[_Place, str]] = []
    weights: list[float] = []
    for name, sequence, share in chains:
        for protease in proteases:
            for start, peptide in _digest(sequence, protease):
                place = _Place(name, start, start + len(peptide), protease)
                peptides.append((place, peptide))
                # Few peptides make up most spectra: log-normal, as intensities are.
                weights.append(share * rng.lognormvariate(0.0, 1.3))
    reads = []
    for place, peptide in rng.choices(peptides, weights, k=n):
        if rng.random() < how.noise:
            letters = [rng.choice(RESIDUES) for _ in range(rng.randint(SHORTEST, 15))]
            nowhere = _Place("", 0, 0, place.protease)
            reads.append(_read(rng, nowhere, _modify(rng, letters, how), how))
        else:
            modified = _modify(rng, list(peptide), how)
            by = rng
            if how.repeated and rng.random() < how.repeated:
                by = random.Random(f"{place.chain} {place.start} {place.end} {modified}")
            reads.append(_read(by, place, modified, how))
    return reads


def write_peaks(reads: Iterable[SimulatedRead], handle: TextIO, source: str) -> None:
    """Write reads as PEAKS X+ exports them (`source` is the name of the raw file in the table)."""
    rows = csv.writer(handle, lineterminator="\n")
    rows.writerow(COLUMNS)
    for scan, read in enumerate(reads, start=1):
        alc = round(sum(read.confidences) / len(read.confidences))
        mass = calculated_mass(read.peptide)
        cells = {
            "Fraction": 1,
            "Source File": f"{source}_{read.protease}.raw",
            "Feature": "-",
            "Peptide": read.peptide,
            "Scan": f"F1:{scan}",
            "Tag Length": len(read.confidences),
            "Denovo Score": alc,
            "ALC (%)": alc,
            "length": len(read.confidences),
            "m/z": f"{read.mass / read.charge + PROTON:.4f}",
            "z": read.charge,
            "RT": "-",
            "Predict RT": "-",
            "Area": f"{read.area:.3E}",
            "Mass": f"{mass:.4f}",
            "ppm": f"{1e6 * (read.mass - mass) / mass:.1f}",
            "PTM": "",
            "local confidence (%)": " ".join(map(str, read.confidences)),
            "tag (>=0%)": read.peptide,
            "mode": "HCD",
        }
        rows.writerow(cells[column] for column in COLUMNS)


def calculated_mass(peptide: str) -> float:
    """Neutral monoisotopic mass in Da of a peptide with modifications as PEAKS writes them."""
    masses = [float(mass) for mass in re.findall(r"\(([+-][\d.]+)\)", peptide)]
    return calculate_mass(re.sub(r"\([^)]*\)", "", peptide)) + sum(masses)


# --- peptides ------------------------------------------------------------------------------------


def _digest(sequence: str, protease: str) -> Iterator[tuple[int, str]]:
    """Yield start and residues of the peptides into which a protease cuts a chain."""
    rule = PROTEASES[protease]
    options = {"min_length": SHORTEST, "max_length": LONGEST}
    yield from sorted(set(xcleave(sequence, rule, MISSED, **options)))


@dataclass(slots=True)
class _Token:
    """A residue, the mass it carries in Da, and whether it was read right."""

    residue: str
    delta: float = 0.0
    right: bool = True

    @property
    def mass(self) -> float:
        return std_aa_mass[self.residue] + self.delta


def _modify(rng: random.Random, residues: Sequence[str], how: Reading) -> list[_Token]:
    """The residues of a peptide with their modifications; C is carbamidomethylated."""
    tokens = []
    for i, residue in enumerate(residues):
        delta = 0.0
        if residue == "C":
            delta = CARBAMIDOMETHYL
        elif residue == "M" and rng.random() < how.oxidised:
            delta = OXIDATION
        elif residue == "N":
            before_g = i + 1 < len(residues) and residues[i + 1] == "G"
            if rng.random() < how.deamidated * (4 if before_g else 1):
                delta = DEAMIDATION
        tokens.append(_Token(residue, delta))
    return tokens


# --- reading -------------------------------------------------------------------------------------


def _read(rng: random.Random, place: _Place, tokens: list[_Token], how: Reading) -> SimulatedRead:
    """What a tool reads of a peptide."""
    mass = sum(token.mass for token in tokens) + WATER
    measured = mass * (1 + rng.gauss(0.0, how.ppm) / 1e6)
    if not how.lists_oxidation:
        tokens = _without_oxidation(rng, tokens)
    if rng.random() < how.other_length:
        tokens = _replaced(rng, tokens, rng.randrange(len(tokens) - 1), 2, other_length=True)
    if rng.random() < how.swapped:
        at = rng.randrange(len(tokens) - 1)
        tokens = _swapped(tokens, at)
    if rng.random() < how.wrong_end:
        size = rng.randint(2, MAX_BLOCK)
        at = 0 if rng.random() < 2 / 3 else len(tokens) - size
        tokens = _replaced(rng, tokens, at, size, other_length=False)
    confidences = tuple(
        _confidence(rng, token, i, len(tokens), place.chain) for i, token in enumerate(tokens)
    )
    charge = 2 if len(tokens) < 14 else rng.choice((2, 3))
    area = 10 ** rng.gauss(6.5, 0.8)
    peptide = "".join(_as_peaks(token) for token in tokens)
    return SimulatedRead(*place, peptide, confidences, measured, charge, area)


def _as_peaks(token: _Token) -> str:
    letter = "L" if token.residue == _UNREAD else token.residue
    if not token.delta:
        return letter
    # Two decimals without a leading 0: C(+57.02), N(+.98).
    return f"{letter}({token.delta:+.2f})".replace("+0.", "+.")


def _swapped(tokens: list[_Token], at: int) -> list[_Token]:
    one, two = tokens[at], tokens[at + 1]
    if (one.residue, one.delta) == (two.residue, two.delta):
        return tokens
    wrong = [_Token(t.residue, t.delta, right=False) for t in (two, one)]
    return [*tokens[:at], *wrong, *tokens[at + 2 :]]


def _replaced(
    rng: random.Random, tokens: list[_Token], at: int, size: int, *, other_length: bool
) -> list[_Token]:
    """The tokens with another block of the same mass at `at`, if there is one."""
    block = tokens[at : at + size]
    now = "".join(token.residue.replace(_UNREAD, "L") for token in block)
    plain = not any(token.delta for token in block)
    found = [
        letters
        for letters in _blocks_of(sum(token.mass for token in block))
        if not (plain and letters == now) and (not other_length or len(letters) != size)
    ]
    if not found:
        return tokens
    wrong = [_Token(letter, 0.0, right=False) for letter in rng.choice(found)]
    return [*tokens[:at], *wrong, *tokens[at + size :]]


def _without_oxidation(rng: random.Random, tokens: list[_Token]) -> list[_Token]:
    """The tokens with each oxidised residue and a neighbour read as a block of their mass."""
    for i in range(len(tokens)):
        if i < len(tokens) and tokens[i].delta == OXIDATION:
            for size, at in ((2, i), (2, i - 1), (1, i), (3, i - 1)):
                if 0 <= at and at + size <= len(tokens):
                    changed = _replaced(rng, tokens, at, size, other_length=False)
                    if changed is not tokens:
                        tokens = changed
                        break
    return tokens


@cache
def _blocks() -> dict[int, list[tuple[float, str]]]:
    """Blocks of up to MAX_BLOCK residues without I, by their mass in bins of SAME_MASS."""
    bins: dict[int, list[tuple[float, str]]] = {}
    residues = UNALKYLATED.replace(_UNREAD, "")
    for size in range(1, MAX_BLOCK + 1):
        for block, mass in blocks(size, residues):
            bins.setdefault(math.floor(mass / SAME_MASS), []).append((mass, block))
    return bins


def _blocks_of(mass: float) -> list[str]:
    """Blocks that weigh as much as `mass` (Da)."""
    middle = math.floor(mass / SAME_MASS)
    near = [pair for i in (-1, 0, 1) for pair in _blocks().get(middle + i, [])]
    return [block for weight, block in near if abs(weight - mass) <= SAME_MASS]


def _confidence(rng: random.Random, token: _Token, i: int, n: int, chain: str) -> int:
    """The confidence that the tool states for a residue, in percent: high for right ones, and for
    many wrong ones."""
    sure = rng.random() < (0.9 if token.right and chain else 0.3)
    spread = 3.0 if sure else 22.0
    if i in (0, 1, n - 1):
        spread *= 1.5
    return max(1, min(100, round(100 - rng.expovariate(1 / spread))))
