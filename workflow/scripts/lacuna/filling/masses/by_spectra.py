"""Candidates of a gap whose mass is known from spectra alone.

The mass is right if the spectra are of peptides that span the gap. The odds of this are those given
by fragments of the known flanks, times the ratio of two probabilities of the mass: for a sequence
that the network expects, and for any peptide. The final ranking mixes the one with the mass and the
one without it by their probabilities.

Several masses that spectra show are weighed by how many show each, and by how probable the network
holds it, which makes none surer than its share of the spectra. What their cleavages show counts for
none of them against another: it depends on the quality of the best spectrum.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import decode, encode, il_as_one, merge_il
from lacuna.core.masses import DENSITY
from lacuna.core.statistics import probability_of, softmax
from lacuna.core.tables import MassDoubt
from lacuna.filling.masses.mass_errors import likely_error
from lacuna.filling.masses.other_length import other_length
from lacuna.filling.masses.weighing import WEIGHING_WIDTH, mass_probability
from lacuna.filling.search.decode import (
    Candidate,
    Ranking,
    mass_log_probability,
    rank_plain,
    rank_sequences,
    told_by_sides,
)
from lacuna.filling.search.mass_search import SIGMAS
from lacuna.filling.search.stages import Stages, one_mass
from lacuna.scaffolds.residue_masses import (
    RESIDUE_MASSES,
    MassRules,
    told_apart,
)
from lacuna.scaffolds.scaffold import Measured, ShownMass, SpectralEvidence
from lacuna.spectra.gap_mass import CLEAR_LOG_ODDS, GIVEN_LOG_ODDS, are_forms

LEAST_OF_MASS = 0.01  # probability of the mass from which it counts
EVEN_SHARE = 0.2  # of the probability, that a given mass and others of spectra share evenly
SEQUENCES_MIXED = 50  # of each mass and of none, that are ranked together; more if asked for


def masses_shown(evidence: SpectralEvidence) -> tuple[SpectralEvidence, ...]:
    """What spectra say of each mass of a gap that they show, the most probable by them first."""
    return evidence, *evidence.others


def nats_of_lengths(
    distributions: Sequence[np.ndarray], evidence: SpectralEvidence, rules: MassRules
) -> list[float]:
    """Nats for each length of a gap, with distributions (length, 20), by the masses that spectra
    give it: log(1 + odds of these).

    Of several masses none gains more by its cleavages than the most probable one does: they choose
    among its lengths alone.
    """
    masses = masses_shown(evidence)
    odds = _odds_at(distributions, masses, rules)
    if len(masses) > 1:
        plain = [replace(one, cleavages=(), unseen=0.0, sides=()) for one in masses]
        most, alone = odds.max(1), _odds_at(distributions, plain, rules).max(1)
        has_any = np.isfinite(most) & np.isfinite(alone)
        gains = np.subtract(most, alone, out=np.zeros(len(masses)), where=has_any)
        odds += (gains[np.argmax(alone)] - gains)[:, None]
    return np.logaddexp(0.0, np.logaddexp.reduce(odds)).tolist()


def _odds_at(
    distributions: Sequence[np.ndarray], masses: Sequence[SpectralEvidence], rules: MassRules
) -> np.ndarray:
    """Log odds (masses, lengths) of each mass at each length of a gap, by spectra and by the
    network; -inf if no sequence has it, or there is none."""
    odds = np.full((len(masses), len(distributions)), -np.inf)
    for i, one in enumerate(masses):
        for j, of_length in enumerate(distributions):
            if one.mass is not None and len(of_length):
                odds[i, j] = _log_odds(of_length, one.mass, one, rules, WEIGHING_WIDTH)
    return odds


def length_by_spectra(
    probabilities: np.ndarray, evidence: SpectralEvidence, rules: MassRules
) -> str:
    """That spectra of a gap (length, 20), whose length is given, fit another one far better, in
    words; '' if they do not, or if no sequence of the length has a mass that they show."""
    masses = masses_shown(evidence)
    own = float(_odds_at([probabilities], masses, rules).max())
    if own == -math.inf:
        return ""
    return other_length(
        probabilities, max(own, 0.0), lambda some: float(_odds_at([some], masses, rules).max())
    )


def _log_odds(
    probabilities: np.ndarray,
    shown: ShownMass,
    evidence: SpectralEvidence | None,
    rules: MassRules,
    width: int | None = None,
) -> float:
    """Log odds of a mass by spectra and by the density that the network gives it; evidence: of
    cleavages; width: as in `mass_log_probability`."""
    stages = _stages_of(shown, evidence)
    density = mass_log_probability(probabilities, stages, rules, width)
    density -= math.log(shown.tolerance / SIGMAS * math.sqrt(2 * math.pi))
    return shown.log_odds + density - math.log(DENSITY)


def _stages_of(shown: ShownMass, evidence: SpectralEvidence | None = None) -> Stages:
    """What a mass that spectra show says of a gap; evidence: of cleavages."""
    return replace(one_mass(*shown.measured), spectra=evidence)


def _shares(
    probabilities: np.ndarray, masses: Sequence[SpectralEvidence], rules: MassRules
) -> list[float]:
    """Probability of each mass that spectra show against the others and the rivals of all; those of
    rivals are not known, so no cleavages count."""
    weighed = [one.mass for one in masses if one.mass is not None]
    rivals = [rival for one in masses for rival in one.rivals]
    if len(weighed) + len(rivals) < 2:
        return [1.0] * len(weighed)
    every = (*weighed, *rivals)
    odds = [_log_odds(probabilities, one, None, rules, WEIGHING_WIDTH) for one in every]
    total = float(np.logaddexp.reduce(odds))
    if total == -math.inf:
        return [1 / len(masses)] * len(masses)
    return [math.exp(one - total) for one in odds[: len(masses)]]


def _rank_within(
    probabilities: np.ndarray, n: int, shown: ShownMass, one: SpectralEvidence, rules: MassRules
) -> tuple[Ranking, float]:
    """The best n sequences of a gap that have a mass, and its probability against no mass, 0 if
    none has it; one: what spectra say of that mass."""
    within = rank_sequences(probabilities, n, _stages_of(shown, one), rules)
    odds = _log_odds(probabilities, shown, one, rules) if within.candidates else -math.inf
    return within, probability_of(odds)


def _words(
    probabilities: np.ndarray,
    best: ShownMass,
    share: float,
    others: Sequence[ShownMass],
    rules: MassRules,
) -> str:
    """What is to be said of the most probable mass of a gap, with its share: an error that it may
    have, and other masses that cannot be those of forms of the same peptide."""
    stages = _stages_of(best)
    words = [f"mass {best.mass:.4f} Da by spectra, probability {share:.3f}"]
    fitting = mass_probability(probabilities, stages, rules)
    error = likely_error([(0.0, probabilities)], stages, rules, fitting)
    if error:
        words.append(f"{MassDoubt.FITS_BETTER} {error}")
    unlike = [other for other in others if other != best and not are_forms(other, best)]
    return "; ".join([*words, *_other_masses(unlike)])


def _other_masses(some: Sequence[ShownMass]) -> list[str]:
    """That spectra show these masses; none without any."""
    named = " and ".join(f"{one.mass:.4f} Da" for one in some)
    return [f"{MassDoubt.OF_SPECTRA} {named}"] if some else []


def rank_by_spectra(
    probabilities: np.ndarray, n: int, evidence: SpectralEvidence, rules: MassRules
) -> tuple[Ranking, str]:
    """The best n sequences of a gap (length, 20) of which `evidence` has masses, or which is I or L
    alone, and what is to be said of these. A mass does not count if the network finds no such
    sequence probable: '' then, unless fragments speak clearly for it."""
    if evidence.mass is None:  # of I or L alone
        return next(rank_plain(told_by_sides(probabilities, evidence)[None], n)), ""
    ranked = max(n, SEQUENCES_MIXED)
    every = next(rank_plain(probabilities[None], ranked))
    masses = [one for one in masses_shown(evidence) if one.mass is not None]
    weighed = [one.mass for one in masses if one.mass is not None]
    parts: list[tuple[Ranking, float]] = []
    against_others = _shares(probabilities, masses, rules)
    # The network finds a peptide of another antibody as probable: no mass is surer by that than by
    # its share of the spectra.
    by_spectra = np.exp([mass.log_odds for mass in weighed])
    most = (by_spectra / by_spectra.sum()).tolist()
    for mass, one, *limits in zip(weighed, masses, against_others, most, strict=True):
        within, share = _rank_within(probabilities, ranked, mass, one, rules)
        parts.append((within, share * min(limits)))
    shares = [share for _, share in parts]
    if max(shares, default=0.0) < LEAST_OF_MASS:
        clear = [mass for mass in weighed if mass.log_odds >= CLEAR_LOG_ODDS]
        return replace(every, candidates=every.candidates[:n]), "".join(_other_masses(clear))
    best = int(np.argmax(shares))
    words = _words(probabilities, weighed[best], shares[best], weighed, rules)
    counted = [(within, share) for within, share in parts if share >= LEAST_OF_MASS]
    return mixed(probabilities, n, counted, every), words


def with_shown_masses(
    within: Ranking,
    probabilities: np.ndarray,
    n: int,
    given: Measured,
    evidence: SpectralEvidence,
    rules: MassRules,
) -> tuple[Ranking, str]:
    """The ranking of a gap (length, 20) within the mass that is given for it, mixed with those of
    other masses that spectra clearly show; and these in words, '' if there are none. One of the
    masses is wrong, and EVEN_SHARE of the probability is shared evenly."""
    masses = [(one.mass, one) for one in evidence.others if one.mass is not None]
    if not masses:
        return within, ""
    every = [(ShownMass(*given, GIVEN_LOG_ODDS), replace(evidence, others=())), *masses]
    odds = np.array([_log_odds(probabilities, *one, rules, WEIGHING_WIDTH) for one in every])
    words = "; ".join(_other_masses([shown for shown, _ in masses]))
    if not np.isfinite(odds).any():
        return within, words
    shares = (1 - EVEN_SHARE) * softmax(odds) + EVEN_SHARE / len(odds)
    parts = [(within, float(shares[0]))]
    for (shown, one), share in zip(masses, shares[1:].tolist(), strict=True):
        stages = _stages_of(shown, one)
        parts.append((rank_sequences(probabilities, n, stages, rules), share))
    plain = next(rank_plain(probabilities[None], n))
    fitting = [(ranking, share) for ranking, share in parts if ranking.candidates]
    if not fitting:
        return within, words
    all_mixed = mixed(probabilities, n, fitting, plain)
    return replace(all_mixed, mass_probability=within.mass_probability), words


def mixed(
    probabilities: np.ndarray, n: int, parts: Sequence[tuple[Ranking, float]], plain: Ranking
) -> Ranking:
    """Rankings within masses, each with its probability, and the one without as one ranking, I and
    L as one residue. A sequence that fits several masses is listed with the likeliest of them."""
    merged = il_as_one(probabilities)
    places = np.arange(len(probabilities))
    rest = 1 - sum(share for _, share in parts)
    listed: dict[str, Candidate] = {}
    within: dict[str, float] = {}  # probability of a sequence by the masses
    most: dict[str, float] = {}  # the same by the one that is its likeliest
    for ranking, share in parts:
        for candidate in ranking.candidates:
            own = share * candidate.probability
            if own > most.get(candidate.sequence, -1.0):
                listed[candidate.sequence], most[candidate.sequence] = candidate, own
            within[candidate.sequence] = within.get(candidate.sequence, 0.0) + own
    for candidate in plain.candidates:
        tokens = merge_il(encode(candidate.sequence))
        letters = decode(told_apart(tokens[None], probabilities)[0])
        mass = float(RESIDUE_MASSES[tokens].sum())
        listed.setdefault(letters, Candidate(letters, 0.0, mass))
    candidates = []
    for letters, candidate in listed.items():
        tokens = merge_il(encode(letters))
        without = float(merged[places, tokens].prod())
        both = within.get(letters, 0.0) + rest * without
        candidates.append(replace(candidate, probability=both))
    candidates.sort(key=lambda candidate: -candidate.probability)
    shown = sum((share * ranking.distributions for ranking, share in parts), np.zeros(()))
    return Ranking(
        tuple(candidates[:n]),
        shown + rest * plain.distributions,
        max(share * ranking.bound for ranking, share in parts),
    )
