"""Sequences of different lengths for one gap of known mass, in one ranking.

A length has the probability exp(s) over the sum of exp(s) of all lengths tried, where s is its
score in nats (`lengths/scores.py`): the log probability of the gap's masses at that length, plus
how well the chain then agrees with its templates. A sequence has that of its length times its own
at that length. On 360 gaps of 3, 5 and 10 residues in chains of mouse and of human B cells the most
probable length is right in 358, and the mean log probability of the true length is within 0.003 of
what any other scale of the scores gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lacuna.core.statistics import softmax
from lacuna.filling.search.decode import Candidate, Ranking, rank_sequences
from lacuna.filling.search.stages import Stages
from lacuna.scaffolds.residue_masses import MassRules
from lacuna.scaffolds.scaffold import Gap, Rival

RIVALS_KEPT = 20  # sequences of other lengths that are kept of a gap
PLAUSIBLE_NATS = 7.0  # below the best, within which a length is plausible: to a probability of .001


class Contest(NamedTuple):
    """The length of the most probable sequence, its probability, and sequences of other lengths."""

    length: int
    probability: float
    rivals: tuple[Rival, ...]


def contest(
    read: Mapping[int, tuple[float, np.ndarray]], stages: Stages, rules: MassRules
) -> Contest | None:
    """The best sequences of all plausible lengths of a gap; None if no sequence fits.

    read: by length its score in nats and the distributions (length, 20) of the gap's residues.
    """
    lengths = sorted(read)
    shares = softmax(np.array([read[length][0] for length in lengths]))
    found: list[tuple[int, float, Sequence[Candidate]]] = []
    for length, share in zip(lengths, shares.tolist(), strict=True):
        ranked = rank_sequences(read[length][1], RIVALS_KEPT, stages, rules).candidates
        if ranked:
            found.append((length, share, ranked))
    if not found:
        return None
    best, probability, (first, *_) = max(found, key=lambda one: one[1] * one[2][0].probability)
    whole = probability * first.probability
    rivals = [
        Rival(c.sequence, share * c.probability / whole, c.mass, c.readings)
        for length, share, ranked in found
        if length != best
        for c in ranked
    ]
    rivals.sort(key=lambda rival: -rival.odds)
    return Contest(best, probability, tuple(rivals[:RIVALS_KEPT]))


def with_rivals(ranking: Ranking, gap: Gap, n: int) -> Ranking:
    """The ranking of a gap at the length chosen, with the best sequences of other lengths: the n
    best of all, and residues by the probability of that length too."""
    if gap.length_probability == 1 or not ranking.candidates:
        return ranking
    share = gap.length_probability
    first, *others = (replace(c, probability=share * c.probability) for c in ranking.candidates)
    # To find the length, the chain was read around the gap, and shares were those of the sequences
    # that the search keeps. So rivals count by their odds against the best sequence.
    rivals = [
        Candidate(r.sequence, r.odds * first.probability, r.mass, r.readings) for r in gap.rivals
    ]
    listed = sorted([*others, *rivals], key=lambda candidate: -candidate.probability)
    return replace(
        ranking,
        candidates=(first, *listed)[:n],
        distributions=ranking.distributions * share,
        bound=ranking.bound * share,
    )
