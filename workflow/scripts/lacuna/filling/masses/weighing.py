"""Evidence of one gap's mass for the readings of C.

Each reading gives the mass a probability: that of all sequences that fit it. A mass can be wrong
and the network overconfident, so no probability is taken as lower than FLOOR_OF_MASS, and no mass
changes the odds of two readings by more than MOST_ODDS: with the priors of `alkylation.READINGS`,
no single mass decides.
"""

import math

import numpy as np

from lacuna.core.alphabet import CYSTEINE
from lacuna.filling.search.decode import mass_log_probability
from lacuna.filling.search.stages import Stages
from lacuna.scaffolds.alkylation import READINGS
from lacuna.scaffolds.residue_masses import MassRules

READING_NAMES = tuple(READINGS)
# Probability of any mass in any reading at least: one mass in thirty is wrong, and a wrong one fits
# by chance once in three thousand.
FLOOR_OF_MASS = 1e-5
MOST_ODDS = 50.0  # that one mass gives: of gaps with a C, 1 % give this to a wrong reading
LONGEST_GAP = 20  # residues; masses of longer gaps contain little evidence and are not used
WEIGHING_WIDTH = 512  # sequences kept per residue here: a quarter of the time, odds within 10 %
LITTLE_BY_CYSTEINE = 0.1  # of a mass's probability, below which other readings are not tried
NEGLIGIBLE_PROBABILITY = 1e-3  # probability of a C, or of a length, that is ignored


def odds_of(probabilities: np.ndarray) -> np.ndarray:
    """Log odds (readings,) from the probability of a mass in each, relative to the highest."""
    logs = np.log(probabilities + FLOOR_OF_MASS)
    return np.maximum(logs - logs.max(), -math.log(MOST_ODDS))


def any_cysteine(distribution: np.ndarray) -> float:
    """Probability that a gap with distributions (length, 20) contains a C."""
    return 1.0 - float(np.prod(1.0 - distribution[:, CYSTEINE]))


def mass_probability(distribution: np.ndarray, stages: Stages, rules: MassRules) -> float:
    """Probability of the masses of a gap, 0 to 1; distribution: (length, 20)."""
    return math.exp(min(mass_log_probability(distribution, stages, rules, WEIGHING_WIDTH), 0.0))


def mass_probabilities(distribution: np.ndarray, stages: Stages, rules: MassRules) -> np.ndarray:
    """Probability (readings,) of a gap's masses in each of READING_NAMES; only its C's differ."""
    by_c = any_cysteine(distribution)
    found = np.full(len(READING_NAMES), np.nan)
    for i, reading in enumerate(READINGS.values()):
        carried = rules.with_cysteine(reading.mass)
        found[i] = np.exp(mass_log_probability(distribution, stages, carried, WEIGHING_WIDTH))
        if by_c < LITTLE_BY_CYSTEINE * found[0]:
            return np.full(len(READING_NAMES), found[0])
    return found


def contradiction(
    distribution: np.ndarray, stages: Stages, rules: MassRules, probability: float
) -> str | None:
    """A reading in which a gap's mass fits far better than in the sample's, if there is one.

    probability: of the mass in the sample's readings. Another reading contradicts them if the mass
    alone gives it odds of MOST_ODDS. That takes a C, so the search is made only if a C is probable
    enough. Gaps longer than LONGEST_GAP are ignored.
    """
    least = MOST_ODDS * (probability + FLOOR_OF_MASS)
    if (
        any_cysteine(distribution) + probability + FLOOR_OF_MASS < least
        or len(distribution) > LONGEST_GAP
    ):
        return None
    found = mass_probabilities(distribution, stages, rules) + FLOOR_OF_MASS
    best = int(found.argmax())
    return READING_NAMES[best] if found[best] >= least else None
