"""Blocks of residues that weigh the same, by which one sequence is read as another."""

from collections.abc import Iterator
from functools import cache
from itertools import product

from lacuna.core.alphabet import RESIDUES
from lacuna.core.masses import MONOISOTOPIC

UNALKYLATED = RESIDUES.replace("C", "")  # residues whose mass no reagent changes


@cache
def blocks(size: int, residues: str = UNALKYLATED) -> tuple[tuple[str, float], ...]:
    """Every block of `size` residues, each with its mass (Da)."""
    return tuple(
        ("".join(block), sum(MONOISOTOPIC[residue] for residue in block))
        for block in product(residues, repeat=size)
    )


def isobaric_blocks(size: int, other_size: int, within: float) -> Iterator[tuple[str, str]]:
    """Yield each block of `size` residues with each of `other_size` that weighs the same.

    Masses are the same if they differ by less than `within` (Da). A block is yielded with itself
    too; blocks with C are left out, since its mass depends on the sample.
    """
    for (one, mass), (other, other_mass) in product(blocks(size), blocks(other_size)):
        if abs(mass - other_mass) < within:
            yield one, other
