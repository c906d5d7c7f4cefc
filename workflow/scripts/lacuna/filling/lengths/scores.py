"""Which of the lengths tried for a gap is best, and how probable each is."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.statistics import softmax
from lacuna.filling.lengths.open_gaps import OpenGap
from lacuna.filling.masses.by_spectra import nats_of_lengths
from lacuna.filling.masses.mass_errors import likely_error
from lacuna.filling.reader import mean_surest
from lacuna.filling.search.decode import TINY, mass_log_probability
from lacuna.filling.search.rivals import PLAUSIBLE_NATS
from lacuna.filling.search.stages import Stages
from lacuna.filling.template_fit import TemplateFits
from lacuna.scaffolds.residue_masses import MassRules

NO_FIT_NATS = -1e6  # nats, for a length at which no sequence has the gap's mass
# Without a mass, the probability of a length needs other weights than the choice: templates and
# network say more than the nats of their scores, and only those of the length of a CDR3 are right
# as they are. Fitted on 4,100 gaps of 1 to 15 residues in chains that were left out of training. On
# 2,460 others the expected calibration error of the length's probability is 0.008. That of residues
# in such gaps is in tests/benchmarks/open_lengths.py.
FIT_WEIGHT, SURE_WEIGHT = 2.5, 3.0
LEAST_SUREST = math.log(1 / N_RESIDUES)  # nats, lower limit of `mean_surest`

# By the number of a length: how well the chain fits its templates then, in nats, and distributions
# (length, 20) of the gap.
Read = Mapping[int, tuple[float, np.ndarray]]


def may_be_best(found: OpenGap, fits: np.ndarray) -> np.ndarray:
    """(lengths,) bool: the lengths of a gap for which the network is asked.

    Without a mass, one that fits the templates far worse than another cannot be best. fits
    (lengths,): how well the chain fits them at each length, in nats.
    """
    if found.gap.weighed or found.by_spectra is not None:
        return np.ones(len(fits), dtype=bool)
    return fits >= fits.max() + LEAST_SUREST


def best_length(
    found: OpenGap,
    templates: TemplateFits,
    end_costs: np.ndarray,
    asked: np.ndarray,
    distributions: Sequence[np.ndarray],
) -> int:
    """The best length of a gap; what is known of the others is kept in `found`.

    Of its chain with each of the lengths: how well it fits the templates; end_costs (lengths,):
    nats that it costs to be of another length than germline; asked (lengths,) bool: whether the
    network was asked, and distributions (length, 20) of the gap by it.
    """
    fits = templates.total - end_costs
    read = {i: (float(fits[i]), distributions[i]) for i in np.flatnonzero(asked).tolist()}
    if found.stages is not None:
        return _best_with_masses(found, found.stages, read)
    surest = {i: mean_surest(distribution) for i, (_, distribution) in read.items()}
    if found.by_spectra is not None:
        nats = nats_of_lengths([one for _, one in read.values()], found.by_spectra, found.rules)
        shown = np.array(nats) - end_costs
        shares = shares_of_lengths(templates.total, templates.cdr3, surest, shown)
        best = int(np.argmax(shares))
    else:
        shares = shares_of_lengths(fits, templates.cdr3, surest)
        if found.gap.closed is not None:
            shares = _of_closed(found.lengths, found.gap.closed, shares)
            best = int(np.argmax(shares))
        else:
            best = max(read, key=lambda i: (read[i][0] + surest[i], -i))
    found.shares = tuple(shares.tolist())
    found.share = found.shares[best]
    return found.lengths[best]


def _of_closed(lengths: range, closed: float, shares: np.ndarray) -> np.ndarray:
    """Probabilities of the lengths (n,) of a gap that reads closed, from those that templates and
    network give the other lengths; closed: the probability that it has no residues."""
    none = np.array(lengths) == 0
    others = np.where(none, 0.0, shares)
    return np.where(none, closed, (1 - closed) * others / max(others.sum(), TINY))


def shares_of_lengths(
    fits: np.ndarray,
    cdr3: np.ndarray,
    surest: Mapping[int, float],
    shown: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Probabilities of the lengths (n,) of a gap without a mass.

    fits: how well the chain agrees with its templates then, in nats; cdr3: the part of this that
    is due to the length of the CDR3; surest: by the number of a length, the mean log probability of
    its most probable residues, where the network was asked; elsewhere that of the best is taken;
    shown: nats of each by what else is known, as by the mass that spectra give.
    """
    sure = np.full(len(fits), max(surest.values()))
    sure[list(surest)] = list(surest.values())
    nats = FIT_WEIGHT * (fits - cdr3) + cdr3 + SURE_WEIGHT * sure + shown
    return softmax(nats)


def _best_with_masses(found: OpenGap, stages: Stages, read: Read) -> int:
    """The best length of a gap with masses; what was read at plausible ones is kept in `found`.

    A prefix mass is left out if no length fits because of it.
    """
    scores = _scores(found, stages, read)
    if max(scores.values()) <= NO_FIT_NATS / 2:
        options = [stages.without(prefix) for prefix in stages.prefixes()]
        for others in (some for some in options if some.passed):
            fewer = _scores(found, others, read)
            if max(fewer.values()) > max(scores.values()):
                scores, stages = fewer, others
    best = max(scores, key=lambda i: (scores[i], -i))
    least = max(scores[best] - PLAUSIBLE_NATS, NO_FIT_NATS / 2)
    found.stages = stages
    found.read = {found.lengths[i]: (s, read[i][1]) for i, s in scores.items() if s >= least}
    if found.gap.weighed:
        found.mass_error = _mass_error(found, stages.without_spectra(), scores, read)
    return found.lengths[best]


def _scores(found: OpenGap, stages: Stages, read: Read) -> dict[int, float]:
    """The score of every length that can be plausible, in nats."""
    scores: dict[int, float] = {}
    best = -math.inf
    for i, (fit, distributions) in sorted(read.items(), key=lambda item: -item[1][0]):
        # No gap adds more than that: a residue that may be modified counts up to twice.
        length = found.lengths[i]
        most = fit + length * math.log(2) + stages.most_shown(length)
        if most >= best - PLAUSIBLE_NATS:
            scores[i] = fit + _nats_of_masses(distributions, stages, found.rules)
            best = max(best, scores[i])
    return scores


def _nats_of_masses(distribution: np.ndarray, stages: Stages, rules: MassRules) -> float:
    """Log probability of a gap's masses; NO_FIT_NATS if no sequence has them."""
    return max(mass_log_probability(distribution, stages, rules), NO_FIT_NATS)


def _mass_error(
    found: OpenGap,
    stages: Stages,
    scores: Mapping[int, float],
    read: Read,
) -> str:
    """What the masses of a gap fit far better without, in words; '' if nothing.

    stages: without spectra; scores: of the plausible lengths; read: of all.
    """
    if found.stages is not stages:  # scores of which spectra are a part say nothing of the masses
        scores = {i: read[i][0] + _nats_of_masses(read[i][1], stages, found.rules) for i in scores}
    total = np.logaddexp.reduce([fit for fit, _ in read.values()])
    probability = math.exp(min(float(np.logaddexp.reduce(list(scores.values())) - total), 0.0))
    return likely_error(list(read.values()), stages, found.rules, probability)
