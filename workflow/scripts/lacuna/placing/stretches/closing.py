"""Gaps of unknown length in given chains, closed by the reads that lead through them.

What is tried are paths through the words of reads from the residues in front of a gap to those
behind it. A gap whose mass is known is closed by the path that reads like best among those with
that mass. If there is none, or the gap has no mass, reads must be over every joint of the path, and
no path of another length may come near it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.placing.stretches.junction import WELL_CROSSED, Path, Surroundings, refined, weigh_paths
from lacuna.placing.stretches.word_paths import (
    ANCHOR_LENGTH,
    LONGEST_STRETCH,
    WordGraph,
    paths_and_repeats,
)
from lacuna.scaffolds.residue_masses import MassRules, may_weigh
from lacuna.scaffolds.scaffold import Gap

MIN_GAIN = 12.0  # nats that reads gain by a path over the gap


@dataclass(frozen=True, slots=True)
class Through:
    """The residues of a gap, L for I, as reads show them; at_odds: whether they cannot have the
    mass that is given for it."""

    tokens: np.ndarray
    at_odds: bool


def path_through(
    around: Surroundings, graph: WordGraph, gap: Gap, rules: MassRules
) -> Through | None:
    """What reads show of a gap of unknown length; None if they do not lead through it.

    around: the residues on both sides of the gap; rules: what its residues may weigh.
    """
    if min(len(around.left), len(around.right)) < ANCHOR_LENGTH:
        return None  # as at an end of the chain
    shortest = max(gap.min_length, 1)
    longest = LONGEST_STRETCH if gap.max_length is None else min(gap.max_length, LONGEST_STRETCH)
    straight, again = paths_and_repeats(graph, around.left, around.right, shortest, longest)
    if gap.mass is None:  # reads must decide how often a repeat is there
        straight, again = [*straight, *again], []
    weighed = weigh_paths(around, straight)
    if not weighed:
        return None
    if any(_has_mass(stretch, gap, rules) for stretch in again) and not any(
        _has_mass(path.tokens, gap, rules) for path in weighed
    ):
        return None  # the mass needs a repeat more often than a path without returns has it
    best = refined(around, weighed[0], longest=longest)
    if len(best.tokens) >= shortest:
        weighed = [best, *weighed]
    fitting = [path for path in weighed if _has_mass(path.tokens, gap, rules)]
    if fitting and fitting[0].gain > weighed[0].gain - weighed[0].length_margin:
        sure = _is_sure(fitting[0], fitting, WELL_CROSSED if gap.mass is None else 0.0)
        return Through(fitting[0].tokens, False) if sure else None
    return Through(weighed[0].tokens, True) if _is_sure(weighed[0], weighed, WELL_CROSSED) else None


def _has_mass(tokens: np.ndarray, gap: Gap, rules: MassRules) -> bool:
    """Whether residues may have the mass of a gap, or it has none."""
    return gap.measured is None or may_weigh(tokens, gap.measured, rules)


def _is_sure(best: Path, rivals: Sequence[Path], least: float) -> bool:
    """Whether reads show a path and its length; least: weight of the reads over each joint."""
    other = max((p.gain for p in rivals if len(p.tokens) != len(best.tokens)), default=0.0)
    return best.gain >= max(MIN_GAIN, other + best.length_margin) and best.thinnest >= least
