"""Errors that all masses of a sample share: what was counted, which kind of mass was given, or a
tolerance that is too narrow.

A single mass seldom shows such an error. But if one mass of a sample is an [M+H]+, all of them are,
and what each of them says adds up. As for the state of C, no probability is taken as lower than
FLOOR_OF_MASS (`weighing.py`), and no mass changes the odds of two explanations by more than
MOST_ODDS.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lacuna.core.masses import PROTON
from lacuna.core.statistics import softmax
from lacuna.filling.masses.mass_errors import (
    AVERAGE_GIVEN,
    INEXACT,
    ION,
    SLIPS,
    WATER_COUNTED,
    log_probability,
)
from lacuna.filling.masses.weighing import FLOOR_OF_MASS, WEIGHING_WIDTH, any_cysteine
from lacuna.filling.search.decode import mass_log_probability
from lacuna.filling.search.stages import Stages
from lacuna.scaffolds.residue_masses import MassRules

CONVENTIONS = (
    ION,
    WATER_COUNTED,
    AVERAGE_GIVEN,
    INEXACT,
    *(slip for slip in SLIPS if abs(slip.by) == PROTON),
)
# Of 438 right masses of gaps of 3 to 10 residues the most telling gave odds of 20 to an error; of
# those with an error nine in ten give it more than 50.
MOST_ODDS = 200.0
PRIOR_OF_ANY = 0.05  # that all masses of a sample share one of them
NAMED_PROBABILITY = 0.95  # probability from which it is named
SETTLED_PROBABILITY = 0.9999  # of one of them, or of none, from which no more masses are weighed
RARE_CYSTEINE = 0.1  # probability of a C in a gap up to which it does not matter what it weighs


class TriedLength(NamedTuple):
    """A gap at a length: how probable that is, distributions (length, 20), and its masses."""

    share: float
    distribution: np.ndarray
    stages: Stages
    rules: MassRules


def _priors() -> np.ndarray:
    each = PRIOR_OF_ANY / len(CONVENTIONS)
    return np.log([1 - PRIOR_OF_ANY, *[each] * len(CONVENTIONS)])


@dataclass(slots=True)
class Conventions:
    """What the masses of a sample say so far.

    logs: log odds (1 + conventions,), the first is for no error.
    """

    logs: np.ndarray = field(default_factory=_priors)

    def add(self, tried: Sequence[TriedLength], cysteine_known: bool) -> None:
        """Count the mass of a gap at its plausible lengths, unless it is settled already.

        Left out are gaps with several masses, and those that may have a C if it is not known what
        that weighs.
        """
        if self.settled or any(len(one.stages.passed) > 1 for one in tried):
            return
        if cysteine_known or all(any_cysteine(t.distribution) < RARE_CYSTEINE for t in tried):
            self.logs = self.logs + odds_of_conventions(tried)

    @property
    def settled(self) -> bool:
        """Whether one explanation is so probable that no more masses need be weighed."""
        return bool(softmax(self.logs).max() >= SETTLED_PROBABILITY)

    @property
    def words(self) -> str:
        """The error that the masses share; '' if none is certain."""
        probable = softmax(self.logs)
        best = int(probable.argmax())
        return CONVENTIONS[best - 1].words if best and probable[best] >= NAMED_PROBABILITY else ""


def odds_of_conventions(tried: Sequence[TriedLength]) -> np.ndarray:
    """Log odds (1 + conventions,) by the mass of one gap, against no error, which is the first."""
    found = np.full(1 + len(CONVENTIONS), FLOOR_OF_MASS)
    for share, distribution, stages, rules in tried:
        as_given = mass_log_probability(distribution, stages, rules, WEIGHING_WIDTH)
        without = (log_probability(distribution, stages, rules, e) for e in CONVENTIONS)
        found += share * np.exp(np.minimum([as_given, *without], 0.0))
    logs = np.log(found)
    return np.clip(logs - logs[0], -math.log(MOST_ODDS), math.log(MOST_ODDS))
