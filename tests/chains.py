"""Antibody chains and other proteins made in code, for tests of every layer."""

import random
from collections.abc import Iterable

import numpy as np

from lacuna.antibody.germlines import LOCI, SPECIES, constants, j_segments, v_segments
from lacuna.antibody.imgt import (
    CYS104,
    FR4_LAST,
    FR4_START,
    INSERTION_111,
    INSERTION_112,
    OTHER_INSERTION,
)
from lacuna.core.alphabet import RESIDUES, decode

FIRST_CONSTANT = {"H": "IGHG1*01", "K": "IGKC*01", "L": "IGLC2*01"}


def germline_chain(
    locus: str, seed: int, *, species: str = "human", cdr3: int = 12, constant: bool = False
) -> str:
    """A V domain of a random V and J segment with a random CDR3, and a human constant region."""
    rng = random.Random(f"{locus}{seed}{species}")
    v, j = v_segments(), j_segments()
    parts = []
    for segments, first, last in ((v, 1, CYS104), (j, FR4_START, FR4_LAST[locus])):
        mine = (segments.locus == LOCI.index(locus)) & (segments.species == SPECIES.index(species))
        grids = segments.tokens[mine, first : last + 1]
        # Only complete segments: some in the databases lack an end or the cysteine.
        whole = grids[(grids[:, 0] < len(RESIDUES)) & (grids[:, -1] < len(RESIDUES))]
        grid = whole[rng.randrange(len(whole))]
        parts.append(decode(grid[grid < len(RESIDUES)]))
    loop = "AR" + "".join(rng.choice("ADEGHKNPQRSTVWY") for _ in range(cdr3 - 4)) + "DY"
    return parts[0] + loop + parts[1] + (constant_region(locus) if constant else "")


def constant_region(locus: str) -> str:
    """A common human constant region of the locus."""
    name = FIRST_CONSTANT[locus]
    return next(c.sequence for c in constants() if c.name == name and c.species == "human")


def random_protein(length: int, seed: int) -> str:
    rng = random.Random(f"protein{seed}")
    return "".join(rng.choice(RESIDUES) for _ in range(length))


def mutated(sequence: str, changes: int, seed: int) -> str:
    """The sequence with exactly `changes` residues replaced by others."""
    rng = random.Random(f"mutated{seed}")
    letters = list(sequence)
    for at in rng.sample(range(len(letters)), changes):
        letters[at] = rng.choice([r for r in RESIDUES if r != letters[at]])
    return "".join(letters)


def hidden(sequence: str, spans: Iterable[tuple[int, int]]) -> str:
    """The sequence with X in the 0-based, half-open spans."""
    letters = np.array(list(sequence))
    for start, end in spans:
        letters[start:end] = "X"
    return "".join(letters)


def fasta(chains: dict[str, str]) -> str:
    return "".join(f">{name}\n{sequence}\n" for name, sequence in chains.items())


def rank(code: int) -> float:
    """Rank of a code along a V domain; 111A, 111B, ... 112B, 112A lie between 111 and 112."""
    if INSERTION_111 <= code < INSERTION_112:
        return 111 + (code - INSERTION_111 + 1) / 100
    if INSERTION_112 <= code < OTHER_INSERTION:
        return 112 - (code - INSERTION_112 + 1) / 100
    return code
