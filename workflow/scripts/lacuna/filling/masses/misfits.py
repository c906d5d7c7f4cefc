"""Gaps whose masses fit no sequence, or hardly any: which mass is wrong, and why.

A prefix mass can belong to another fragment, and a mass to another isotope or charge: a peak of the
isotope with one 13C taken for the monoisotopic one weighs 1.00335 Da more, a proton counted as
mass 1.00728 Da, and either can be taken off once too often. `mass_errors.py` has these and others.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import N_RESIDUES, encode
from lacuna.core.tables import LETTERS_WEIGH, MassDoubt
from lacuna.filling.masses.all_sequences import over_all_sequences
from lacuna.filling.masses.mass_errors import NAMED_ODDS, SLIPS, likely_error
from lacuna.filling.masses.weighing import mass_probability
from lacuna.filling.search.decode import (
    Ranking,
    mass_log_probability,
    rank_plain,
    rank_sequences,
)
from lacuna.filling.search.stages import Stage, Stages
from lacuna.scaffolds.residue_masses import BIN_DA, RESIDUE_MASSES, MassRules, nearest_mass

SEQUENCES_RANKED = 20  # sequences of which the best is sought, however few are listed
LogProbability = Callable[[Stages], float]  # of masses, -inf if no sequence fits


def rank_weighed(
    probabilities: np.ndarray,
    n: int,
    stages: Stages,
    rules: MassRules,
    error: str | None = None,
) -> tuple[Ranking, str]:
    """`rank_sequences`, and what is wrong with the masses, in words; '' if nothing is.

    If no sequence fits because of one prefix mass, that mass is left out, unless it is all that is
    known of a gap of unknown length; if only improbable ones do, it is named. error: what
    `likely_error` found in the masses at several lengths; None if they were not compared.
    """

    def likely(some: Stages) -> float:
        return mass_log_probability(probabilities, some, rules)

    ranking = rank_sequences(probabilities, max(n, SEQUENCES_RANKED), stages, rules)
    ranking = over_all_sequences(ranking, probabilities, stages, rules)
    ranking = replace(ranking, candidates=ranking.candidates[:n])
    spectra = stages.spectra
    if spectra is not None:  # which say nothing of whether the masses are right
        stages = stages.without_spectra()
        by_masses = mass_probability(probabilities, stages, rules)
        ranking = replace(ranking, mass_probability=by_masses)
    compared = error is not None
    if error is None:
        alone = [(0.0, probabilities)]
        error = likely_error(alone, stages, rules, ranking.mass_probability)
    if ranking.candidates:
        if error:
            return ranking, f"{MassDoubt.FITS_BETTER} {error}"
        return ranking, _improbable_prefix(probabilities, stages, rules, ranking.mass_probability)
    stage, fits_without = at_odds(stages, likely)
    told = len(stages.passed) > 1 or not compared  # whether the length is known without it
    if stage is not None and fits_without and told:
        others = stages.without(stage)
        words = f"without the prefix mass {stage.mass:.4f} Da, {MassDoubt.LEFT_OUT}"
        if others.passed:
            ranking = rank_sequences(probabilities, n, replace(others, spectra=spectra), rules)
        else:  # by the residues alone, which have no mass to be met
            plain = next(rank_plain(probabilities[None], n))
            ranking = replace(plain, mass_probability=ranking.mass_probability)
    else:
        words = in_words(stage, fits_without=False) or _nothing_fits(probabilities, stages, rules)
        stage = stages.passed[-1]
    error = error or _slip(stages, stage, likely)
    return ranking, f"{words}; fits at {error}" if error else words


def _nothing_fits(probabilities: np.ndarray, stages: Stages, rules: MassRules) -> str:
    """Why no sequence has the masses of a gap, in words."""
    length, mass = len(probabilities), sum(s.mass for s in stages.passed if s.ends_piece)
    if (probabilities == 0).any():
        anything = np.full_like(probabilities, 1 / N_RESIDUES)
        if mass_log_probability(anything, stages, rules) > -math.inf:
            return f"what is known of its residues leaves none that weigh {mass:.4f} Da"
    nearest = nearest_mass(length, mass, rules)
    if abs(nearest - mass) <= BIN_DA:  # as exact as the nearest mass is known
        near = f"less than {2 * BIN_DA:g} Da off"
    else:
        near = f"{nearest:.2f} Da"
    return f"nearest of {length} residues: {near}, given {mass:.4f} Da"


def _improbable_prefix(
    probabilities: np.ndarray, stages: Stages, rules: MassRules, with_all: float
) -> str:
    """The prefix mass without which the masses are NAMED_ODDS times as probable as all of them,
    whose probability is `with_all`, in words; '' if there is none."""
    best, improbable = with_all * NAMED_ODDS, ""
    for prefix in stages.prefixes():
        others = stages.without(prefix)
        if others.passed:
            likely = mass_probability(probabilities, others, rules)
            if likely > best:
                best, improbable = likely, f"{MassDoubt.BETTER_WITHOUT} {prefix.mass:.4f} Da"
    return improbable


def at_odds_with_letters(letters: str, stages: Stages, rules: MassRules) -> str:
    """What the letters that a gap is known to have weigh, in words, if they do not fit its masses;
    '' if they do."""
    tokens = encode(letters)
    certain = np.zeros((len(tokens), N_RESIDUES))
    certain[np.arange(len(tokens)), tokens] = 1.0
    if mass_log_probability(certain, stages.without_spectra(), rules) > -math.inf:
        return ""
    plain, cysteines = float(RESIDUE_MASSES[tokens].sum()), letters.count("C")
    weights = {f"{plain + cysteines * mass:.4f}": None for mass, _ in rules.modifications.cysteine}
    return f"{LETTERS_WEIGH} {' or '.join(weights)} Da"


def at_odds(stages: Stages, log_probability: LogProbability) -> tuple[Stage | None, bool]:
    """The mass that keeps every sequence from fitting, and whether some would fit without it.

    This is the prefix mass without which the others are most probable. If no sequence fits without
    any single one, it is the first mass that no sequence fits which fits all masses before it;
    None if that is the last.
    """
    passed = stages.passed
    best, least = None, -math.inf
    for stage in stages.prefixes():
        others = stages.without(stage)
        without = log_probability(others) if others.passed else 0.0
        if without > least:
            best, least = stage, without
    if best is not None:
        return best, True
    for i, stage in enumerate(passed[:-1], start=1):
        if log_probability(Stages(passed[:i], opened=True)) == -math.inf:
            return stage, False
    return None, False


def in_words(stage: Stage | None, fits_without: bool) -> str:
    """What `at_odds` found; '' if it is the last mass."""
    if stage is None:
        return ""
    if fits_without:
        return f"fits without the prefix mass {stage.mass:.4f} Da"
    part = "piece" if stage.ends_piece else "prefix"
    return f"no {part} weighs {stage.mass:.4f} Da"


def _slipped(stages: Stages, stage: Stage, by: float) -> Stages:
    """The masses with one of them heavier by some Da."""
    moved = replace(stage, mass=stage.mass + by)
    return replace(stages, passed=tuple(moved if s is stage else s for s in stages.passed))


def _slip(stages: Stages, stage: Stage, log_probability: LogProbability) -> str:
    """The slip by which some sequence fits a mass that no sequence fits; '' if there is none."""
    found = [(log_probability(_slipped(stages, stage, slip.by)), slip.words) for slip in SLIPS]
    likely, words = max(found, key=lambda one: one[0])
    return words if likely > -math.inf else ""
