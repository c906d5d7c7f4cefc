"""A gap whose length is given, but whose masses fit another one far better.

A sequence of the length given that has the masses may exist by chance, and is then as sure as a
right one. But the network finds it far less probable than any residues at the right length are to
have these masses.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.tables import MassDoubt
from lacuna.core.words import plural
from lacuna.filling.masses.weighing import WEIGHING_WIDTH
from lacuna.filling.search.decode import TINY, Ranking, mass_log_probability
from lacuna.filling.search.stages import UNBOUNDED, Stages
from lacuna.scaffolds.residue_masses import MassRules

MOST_OFF = 2  # residues by which a gap may have more or fewer than given
# Nats by which masses must fit another length better. Of 300 gaps of known mass and right length
# none is named (tests/benchmarks/given_lengths.py --masses).
FAR_BETTER_NATS = 4.0
MOST_OF_OTHER = -3.0  # log probability of masses that another length hardly exceeds


def other_length(probabilities: np.ndarray, own: float, fits: Callable[[np.ndarray], float]) -> str:
    """That masses of a gap (length, 20) fit another length far better, in words; '' if not.

    own: log probability of the masses at its length; fits: the same of distributions (n, 20). At
    other lengths the residues count as the network expects them anywhere in the gap.
    """
    length = len(probabilities)
    anywhere = (probabilities.mean(0) + 1 / N_RESIDUES) / 2
    others = {
        n: fits(np.tile(anywhere, (n, 1)))
        for n in range(max(length - MOST_OFF, 1), length + MOST_OFF + 1)
        if n != length
    }
    best = max(others, key=others.__getitem__)
    if others[best] - own < FAR_BETTER_NATS:
        return ""
    return f"{MassDoubt.OTHER_LENGTH} {plural(best, 'residue')}"


def length_by_masses(
    probabilities: np.ndarray, ranking: Ranking, stages: Stages, rules: MassRules
) -> str:
    """The same of a gap with a mass of its own, and of its beginnings if they are known; ranking:
    of its sequences."""

    def fits(some: np.ndarray, stages: Stages) -> float:
        return mass_log_probability(some, stages, rules, WEIGHING_WIDTH)

    if not ranking.candidates or sum(stage.ends_piece for stage in stages.passed) > 1:
        return ""
    own = math.log(max(ranking.mass_probability, TINY))
    if stages.spectra is not None:  # which count here, too
        own = fits(probabilities, stages)
    elif own > MOST_OF_OTHER - FAR_BETTER_NATS:
        return ""
    passed = tuple(replace(stage, least=0, most=UNBOUNDED) for stage in stages.passed)
    of_any = replace(stages, passed=passed)
    return other_length(probabilities, own, lambda some: fits(some, of_any))
