"""What one gap's mass says of the readings of C.

By each reading the mass has a probability: that of all sequences which fit it. A mass can be wrong
and the network too sure of itself, so by no reading is a mass less probable than FLOOR, and none
turns the odds of two readings by more than ODDS: with the priors of `alkylation.READINGS` no
mass decides alone.
"""

import math

import numpy as np

from lacuna.core.alphabet import RESIDUES
from lacuna.filling.decode import mass_log_probability
from lacuna.filling.mass_search import Stages
from lacuna.filling.residue_masses import MassRules
from lacuna.scaffolds.alkylation import READINGS

CYSTEINE = RESIDUES.index("C")
NAMES = tuple(READINGS)
FLOOR = 1e-5  # one mass in thirty is wrong, and a wrong one fits by chance once in three thousand
ODDS = 50.0  # that one mass may give: of the gaps with a C, 1 % give them to a wrong reading
TOLD = 0.7  # nats between two readings from which a mass tells something of them
LONGEST = 20  # residues of a gap that is weighed; the masses of longer ones say little
WIDTH = 512  # sequences kept per residue to weigh a gap: a quarter of the time, odds within 10 %
LITTLE = 0.1  # share of a mass's probability that C's may make up before all readings are asked
NEGLIGIBLE = 1e-3  # probability of a C, or of a length, that may be passed over


def shares(logs: np.ndarray) -> np.ndarray:
    """Probabilities of log odds, both (n,)."""
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def odds_of(probabilities: np.ndarray) -> np.ndarray:
    """Log odds (readings,) by the probability of a mass by each, against the likeliest's."""
    logs = np.log(probabilities + FLOOR)
    return np.asarray(np.maximum(logs - logs.max(), -math.log(ODDS)))


def any_cysteine(distribution: np.ndarray) -> float:
    """Probability that a gap (length, 20) holds a C."""
    return 1.0 - float(np.prod(1.0 - distribution[:, CYSTEINE]))


def mass_probabilities(distribution: np.ndarray, stages: Stages, rules: MassRules) -> np.ndarray:
    """Probability (readings,) of a gap's masses by each of NAMES; they differ only by its C's."""
    found = np.full(len(NAMES), np.nan)
    for i, name in enumerate(NAMES):
        carried = rules.with_cysteine(READINGS[name].mass)
        found[i] = np.exp(mass_log_probability(distribution, stages, carried, WIDTH))
        if any_cysteine(distribution) < LITTLE * found[0]:
            return np.full(len(NAMES), found[0])
    return found


def contradiction(
    distribution: np.ndarray, stages: Stages, rules: MassRules, probability: float
) -> str | None:
    """The reading by which a gap's mass fits far better than by those that hold, if there is one.

    probability: of the mass by those that hold. Another contradicts them if the mass alone gives
    it the odds of ODDS; that takes a C, so it is looked for only where one can make that
    difference. Gaps longer than LONGEST are passed over.
    """
    least = ODDS * (probability + FLOOR)
    if any_cysteine(distribution) + probability + FLOOR < least or len(distribution) > LONGEST:
        return None
    found = mass_probabilities(distribution, stages, rules) + FLOOR
    best = int(found.argmax())
    return NAMES[best] if found[best] >= least else None
