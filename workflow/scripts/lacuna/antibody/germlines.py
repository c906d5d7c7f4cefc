"""The bundled germline segments of all species as arrays on IMGT columns."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lacuna.antibody.imgt import CDR3_START, FR4_START, N_CODES, N_IMGT
from lacuna.core.alphabet import ABSENT, ABSENT_LETTER, N_RESIDUES, encode
from lacuna.core.paths import GERMLINES

LOCI = ("H", "K", "L")
SEEN = ("human", "mouse", "rat", "rabbit", "rhesus", "alpaca")
# Their segments are templates, but no chains of theirs, natural or simulated, are in training.
UNSEEN = ("dog", "cat", "cow", "sheep", "goat", "pig", "horse", "chicken")
SPECIES = SEEN + UNSEEN
CAMELIDS = ("alpaca",)  # many of their heavy chains have no light one: their V domains are VHHs


@dataclass(frozen=True, slots=True)
class Segments:
    """n V or J segments on IMGT columns."""

    names: tuple[str, ...]
    species: np.ndarray  # (n,) index into SPECIES
    locus: np.ndarray  # (n,) index into LOCI
    gene: np.ndarray  # (n,) index of the gene (species and name without the allele)
    genes: tuple[tuple[str, str], ...]  # (species, gene) of each gene index
    tokens: np.ndarray  # (n, N_CODES) residue tokens, ABSENT where the segment has none


@dataclass(frozen=True, slots=True)
class Constant:
    """One constant-region allele."""

    name: str
    species: str
    locus: str
    sequence: str


def _rows(name: str) -> list[dict[str, str]]:
    with open(GERMLINES / name, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def _read_aligned(name: str) -> Segments:
    rows = _rows(name)
    keys = [(r["species"], r["segment"].partition("*")[0]) for r in rows]
    genes = tuple(dict.fromkeys(keys))
    index = {gene: i for i, gene in enumerate(genes)}
    tokens = np.full((len(rows), N_CODES), ABSENT, dtype=np.uint8)
    for i, row in enumerate(rows):
        tokens[i, 1 : N_IMGT + 1] = encode(row["sequence"].replace("-", ABSENT_LETTER))
    return Segments(
        names=tuple(r["segment"] for r in rows),
        species=np.array([SPECIES.index(r["species"]) for r in rows]),
        locus=np.array([LOCI.index(r["locus"]) for r in rows]),
        gene=np.array([index[k] for k in keys]),
        genes=genes,
        tokens=tokens,
    )


@cache
def v_segments() -> Segments:
    """The bundled V segments."""
    return _read_aligned("V.tsv")


def is_camelid(v: np.ndarray | int) -> np.ndarray:
    """Whether V segments are of camelids, of the shape of v: their indices, -1 for none."""
    v = np.asarray(v)
    camelids = [SPECIES.index(species) for species in CAMELIDS]
    return (v >= 0) & np.isin(v_segments().species[v], camelids)


def value_of_species(v: np.ndarray, values: Sequence[float], none: float) -> np.ndarray:
    """The value of the species of each V segment: (t,) float.

    v: (t,) indices of V segments, -1 for none, which have the value `none`; values: of SPECIES.
    """
    return np.where(v >= 0, np.array(values)[v_segments().species[v]], none)


@cache
def j_segments() -> Segments:
    """The bundled J segments."""
    return _read_aligned("J.tsv")


@cache
def constants() -> tuple[Constant, ...]:
    """The bundled constant regions."""
    return tuple(
        Constant(r["segment"], r["species"], r["locus"], r["sequence"]) for r in _rows("C.tsv")
    )


def cdr3_part(tokens: np.ndarray) -> np.ndarray:
    """The residues that a segment, a row of `Segments.tokens`, has in CDR3."""
    part = tokens[CDR3_START:FR4_START]
    return part[part < N_RESIDUES]
