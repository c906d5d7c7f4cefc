"""Candidates of a gap whose mass is known from spectra alone.

The mass is right if the spectra are of peptides that span the gap. The odds of this are those given
by fragments of the known flanks, times the ratio of two probabilities of the mass: for a sequence
that the network expects, and for any peptide. The final ranking mixes the one with the mass and the
one without it by their probabilities.
"""

import math
from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import decode, encode, il_as_one, merge_il
from lacuna.core.masses import DENSITY
from lacuna.core.tables import MassDoubt
from lacuna.filling.decode import (
    Candidate,
    Ranking,
    mass_log_probability,
    rank_plain,
    rank_sequences,
)
from lacuna.filling.mass_errors import likely_error
from lacuna.filling.mass_search import SIGMAS
from lacuna.filling.stages import one_mass
from lacuna.filling.weighing import WIDTH
from lacuna.scaffolds.residue_masses import (
    RESIDUE_MASSES,
    MassRules,
    told_apart,
)
from lacuna.scaffolds.scaffold import SpectralEvidence

LEAST = 0.01  # probability of the mass from which it counts
CLEAR = 2.5  # log odds of a mass by fragments alone, from which it is named if it does not count
RANKED = 50  # sequences with the mass and without it that are ranked together, or more if asked for


def mass_log_odds(
    probabilities: np.ndarray,
    evidence: SpectralEvidence,
    rules: MassRules,
    width: int | None = None,
) -> float:
    """Log odds of the mass that spectra give a gap (length, 20), by them and by the network; -inf
    if no sequence has it, or there is none. width: as in `mass_log_probability`."""
    if evidence.mass is None or not len(probabilities):
        return -math.inf
    return _log_odds(probabilities, evidence.mass, evidence, rules, width)


def _log_odds(
    probabilities: np.ndarray,
    weighed: tuple[float, float, float],
    evidence: SpectralEvidence | None,
    rules: MassRules,
    width: int | None = None,
) -> float:
    """Log odds of a mass, tolerance and log odds by spectra, with the density that the network
    gives the mass; evidence: of cleavages."""
    mass, tolerance, log_odds = weighed
    stages = replace(one_mass(mass, tolerance), spectra=evidence)
    density = mass_log_probability(probabilities, stages, rules, width)
    density -= math.log(tolerance / SIGMAS * math.sqrt(2 * math.pi))
    return log_odds + density - math.log(DENSITY)


def _share_against(
    probabilities: np.ndarray, evidence: SpectralEvidence, rules: MassRules
) -> float:
    """Probability of the mass of `evidence` against its rivals, whose cleavages are not known."""
    if evidence.mass is None or not evidence.rivals:
        return 1.0
    odds = [
        _log_odds(probabilities, weighed, None, rules, WIDTH)
        for weighed in (evidence.mass, *evidence.rivals)
    ]
    total = float(np.logaddexp.reduce(odds))
    return math.exp(odds[0] - total) if total > -math.inf else 1.0


def rank_by_spectra(
    probabilities: np.ndarray, n: int, evidence: SpectralEvidence, rules: MassRules
) -> tuple[Ranking, str]:
    """The best n sequences of a gap (length, 20) of which `evidence` has a mass, and what is to be
    said of that mass, an error that it may have included. It does not count if the network finds no
    such sequence probable: '' then, unless fragments speak clearly for it."""
    ranked = max(n, RANKED)
    every = next(rank_plain(probabilities[None], ranked))
    plain = replace(every, candidates=every.candidates[:n])
    if evidence.mass is None:
        return plain, ""
    mass, tolerance, log_odds = evidence.mass
    stages = replace(one_mass(mass, tolerance), spectra=evidence)
    within = rank_sequences(probabilities, ranked, stages, rules)
    unmet = f"{MassDoubt.OF_SPECTRA} {mass:.4f} Da" if log_odds >= CLEAR else ""
    if not within.candidates:
        return plain, unmet
    share = 1 / (1 + math.exp(-min(mass_log_odds(probabilities, evidence, rules), 50.0)))
    share *= _share_against(probabilities, evidence, rules)
    if share < LEAST:
        return plain, unmet
    words = f"mass {mass:.4f} Da by spectra, probability {share:.3f}"
    weighed = stages.weighed()
    fitting = math.exp(min(mass_log_probability(probabilities, weighed, rules, WIDTH), 0.0))
    error = likely_error([(0.0, probabilities)], weighed, rules, fitting)
    if error:
        words += f"; {MassDoubt.FITS_BETTER} {error}"
    return mixed(probabilities, n, within, every, share), words


def mixed(
    probabilities: np.ndarray, n: int, within: Ranking, plain: Ranking, share: float
) -> Ranking:
    """Both rankings as one, I and L as one residue; share: probability of the first."""
    merged = il_as_one(probabilities)
    places = np.arange(len(probabilities))
    listed = {candidate.sequence: candidate for candidate in within.candidates}
    for candidate in plain.candidates:
        tokens = merge_il(encode(candidate.sequence))
        letters = decode(told_apart(tokens[None], probabilities)[0])
        mass = float(RESIDUE_MASSES[tokens].sum())
        listed.setdefault(letters, Candidate(letters, 0.0, mass))
    candidates = []
    for letters, candidate in listed.items():
        tokens = merge_il(encode(letters))
        without = float(merged[places, tokens].prod())
        both = share * candidate.probability + (1 - share) * without
        candidates.append(replace(candidate, probability=both))
    candidates.sort(key=lambda candidate: -candidate.probability)
    return Ranking(
        tuple(candidates[:n]),
        share * within.distributions + (1 - share) * plain.distributions,
        share * within.bound,
    )
