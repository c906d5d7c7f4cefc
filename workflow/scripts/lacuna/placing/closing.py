"""Gaps of unknown length in given chains, closed by the reads that lead through them.

What is tried are paths through the words of reads from the residues in front of a gap to those
behind it. A gap whose mass is known is closed by the path that reads like best among those with
that mass; one without a mass only if reads are over every joint of the path, and no path of another
length comes near it.
"""

from collections.abc import Sequence

import numpy as np

from lacuna.placing.junction import (
    LENGTH_MARGIN,
    LENGTH_SHARE,
    THIN,
    Path,
    Surroundings,
    refined,
    weigh_paths,
)
from lacuna.placing.word_paths import LONGEST, WordGraph, paths
from lacuna.scaffolds.residue_masses import MassRules, may_weigh
from lacuna.scaffolds.scaffold import Gap

MIN_GAIN = 12.0  # nats that reads gain by a path over the gap


def path_through(
    around: Surroundings, graph: WordGraph, gap: Gap, rules: MassRules
) -> np.ndarray | None:
    """Residues of a gap of unknown length, L for I, as reads show them; None if they do not.

    around: the residues on both sides of the gap; rules: what its residues may weigh.
    """
    longest = LONGEST if gap.max_length is None else min(gap.max_length, LONGEST)
    stretches = paths(graph, around.left, around.right, max(gap.min_length, 1), longest)
    stretches = [s for s in stretches if _has_mass(s, gap, rules)]
    if not stretches:
        return None
    weighed = weigh_paths(around, stretches)
    best = refined(around, weighed[0], longest=longest)
    if not gap.min_length <= len(best.tokens) or not _has_mass(best.tokens, gap, rules):
        best = weighed[0]
    return best.tokens if _is_sure(best, weighed, weighs=gap.mass is not None) else None


def _has_mass(stretch: np.ndarray, gap: Gap, rules: MassRules) -> bool:
    """Whether residues may have the mass of a gap, or it has none."""
    if gap.mass is None or gap.tolerance_da is None:
        return True
    return may_weigh(stretch, gap.mass, gap.tolerance_da, rules)


def _is_sure(best: Path, weighed: Sequence[Path], *, weighs: bool) -> bool:
    """Whether reads show a path and its length; weighs: it has the known mass of its gap."""
    other = max((p.gain for p in weighed if len(p.tokens) != len(best.tokens)), default=0.0)
    if best.gain < max(MIN_GAIN, other + max(LENGTH_MARGIN, LENGTH_SHARE * best.gain)):
        return False
    return weighs or best.thinnest >= THIN
