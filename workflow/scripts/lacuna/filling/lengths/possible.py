"""Lengths that a gap may have by its bounds and its mass."""

import math
from collections.abc import Sequence

from lacuna.core.masses import AVERAGINE
from lacuna.filling.search.stages import Stages, allowed_lengths, stages_of
from lacuna.scaffolds.residue_masses import (
    MAX_MASS,
    MAX_RESIDUES,
    MassRules,
)
from lacuna.scaffolds.scaffold import Gap

MAX_LENGTHS = 40  # lengths tried for a gap without an upper bound
MAX_BOUNDED_LENGTHS = 128  # for one with bounds
MAX_GAP_RESIDUES = 6_000  # in all lengths tried for a gap of known mass


def possible_lengths(gap: Gap, rules: MassRules | None = None) -> list[int]:
    """Lengths to try among those that the gap's bounds and mass allow, shortest first.

    Within given bounds, at most MAX_BOUNDED_LENGTHS; without an upper one, MAX_LENGTHS. If there
    are more, the shortest or, with a mass, those nearest to its expected number of residues at
    AVERAGINE each. Empty if the mass is too large to decode.
    """
    return list(nearest_to_mass(allowed_by(gap, rules), gap, limit_of(gap)))


def allowed_by(gap: Gap, rules: MassRules | None, stages: Stages | None = None) -> range:
    """All lengths that the gap's bounds and mass allow; MAX_LENGTHS if it has neither.

    stages: its masses, if they are not those of the gap itself.
    """
    stages = stages or stages_of(gap)
    if gap.mass is not None and gap.mass > MAX_MASS:
        return range(0)
    lengths = allowed_lengths(gap, stages, rules or MassRules())
    if gap.mass is not None:
        return lengths[: max(MAX_RESIDUES + 1 - lengths.start, 0)]
    return lengths[:MAX_LENGTHS] if gap.max_length is None else lengths


def limit_of(gap: Gap) -> int:
    """The largest number of lengths that are tried for a gap."""
    limit = MAX_LENGTHS if gap.max_length is None else MAX_BOUNDED_LENGTHS
    if gap.mass is None:
        return limit
    return max(1, min(limit, int(MAX_GAP_RESIDUES * AVERAGINE / gap.mass)))


def nearest_to_mass(lengths: range, gap: Gap, n: int) -> range:
    """Up to n lengths: those nearest to the number expected from the mass, or the shortest."""
    if gap.mass is None:
        return lengths[:n]
    first = math.ceil(gap.mass / AVERAGINE - n / 2)
    first = max(min(first, lengths.stop - n), lengths.start)
    return range(first, min(first + n, lengths.stop))


def first_guess(gap: Gap, choices: Sequence[int]) -> int | None:
    """A starting length: that expected from the mass at AVERAGINE per residue, or the shortest."""
    if not choices:
        return None
    if gap.mass is None:
        return choices[0]
    likely = gap.mass / AVERAGINE
    return min(choices, key=lambda length: abs(length - likely))
