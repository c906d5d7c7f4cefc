"""Ranked sequences of gaps from the distributions of their missing residues."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import CYSTEINE, ISOLEUCINE, LEUCINE, N_RESIDUES, RESIDUES, decode
from lacuna.filling.search.cleavages import side_nats
from lacuna.filling.search.mass_search import Found, search
from lacuna.filling.search.stages import Stages
from lacuna.scaffolds.residue_masses import (
    MAX_BINNED,
    RESIDUE_MASSES,
    MassRules,
    told_apart,
)
from lacuna.scaffolds.scaffold import SpectralEvidence

_LETTERS = np.array(list(RESIDUES))
MASS_WIDTH = 4096  # sequences kept per step where a mass decides among them
TINY = 1e-300  # what a probability of 0 is taken for where it divides, or has a logarithm
MIN_WIDTH = 256  # sequences kept per step of the longest gaps
# The residues of a gap depend on each other, and of a long gap not all sequences are kept, so that
# shares are too sure without a temperature. Fitted on held-out natural chains, see the model card.
SURE_RESIDUES = 5  # per known mass: up to these the temperature is 1
WARMING_PER_RESIDUE = 0.05  # for each further residue
MOST_SPECTRA_ODDS = 1000.0  # most that the spectra of a gap give to a state of C


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sequence for a gap, with its joint probability and its mass in Da.

    In a gap of known mass the probability is that of the sequence with I and L as one residue: no
    mass tells them apart. readings: probability of each possible mass of C
    (`Modifications.cysteine`), given this sequence; `mass` is that under the most probable one.
    """

    sequence: str
    probability: float
    mass: float
    readings: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranked sequences of a gap, and the distributions of its residues.

    candidates: best first, empty if no sequence fits the masses; distributions: (length, 20) of
    each residue, given the masses if there are any; bound: no sequence that is not listed is, in
    one modified form, more probable than this or than the last candidate, whichever is higher (0:
    the list is exact);
    mass_probability: probability of the gap's masses, errors of measurement included.
    """

    candidates: tuple[Candidate, ...]
    distributions: np.ndarray
    bound: float = 0.0
    mass_probability: float = 1.0


def rank_plain(probabilities: np.ndarray, n: int) -> Iterator[Ranking]:
    """Yield the best n sequences of gaps without a mass, all of one length: (g, length, 20).

    Residues are taken as independent given everything observed; those with probability 0 are
    excluded. Ties go to the sequence that is first in the alphabet.
    """
    g, length = probabilities.shape[:2]
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities)
    scores, masses = np.zeros((g, 1)), np.zeros((g, 1))
    prefixes = np.zeros((g, 1, 0), dtype=np.uint8)
    for i in range(length):
        total = (scores[:, :, None] + logs[:, i, None]).reshape(g, -1)
        weight = (masses[:, :, None] + RESIDUE_MASSES).reshape(g, -1)
        keep = _highest_rows(total, n)
        parents, residues = np.divmod(keep, N_RESIDUES)
        before = np.take_along_axis(prefixes, parents[:, :, None], 1)
        prefixes = np.concatenate((before, residues[:, :, None].astype(np.uint8)), 2)
        scores = np.take_along_axis(total, keep, 1)
        masses = np.take_along_axis(weight, keep, 1)
    order = np.argsort(-scores, axis=1, kind="stable")
    letters = _LETTERS[np.take_along_axis(prefixes, order[:, :, None], 1)]  # (g, n, length)
    sequences = letters.view(f"U{length}")[:, :, 0].tolist()
    likely = np.exp(np.take_along_axis(scores, order, 1)).tolist()
    weights = np.take_along_axis(masses, order, 1).tolist()
    counts = np.isfinite(scores).sum(1).tolist()  # fewer than n if residues are excluded
    rows = zip(sequences, likely, weights, counts, probabilities, strict=True)
    for s, p, w, m, row in rows:  # p and w are read only as far as s
        yield Ranking(tuple(map(Candidate, s[:m], p, w)), row)


def rank_sequences(probabilities: np.ndarray, n: int, stages: Stages, rules: MassRules) -> Ranking:
    """The best n sequences of a gap that meet all of its known masses.

    probabilities: (length, 20), as in `rank_plain`. The candidates' probabilities are conditional:
    shares of all sequences that fit, each weighted by its mass errors (`search`). I and L are one
    residue during the search; then each candidate has the more probable one at each place. At
    every residue, of the prefixes that can still reach the masses, the MASS_WIDTH most probable
    are kept (fewer in long gaps). Ties go to the sequence that is first in the alphabet.

    A sequence that fits in several modified forms, or under several masses of C, has the
    probability of all of them, and the mass of the likeliest.
    """
    readings = rules.readings()
    pool = _pooled(probabilities, stages, readings)
    if pool is None:
        return Ranking((), probabilities, mass_probability=0.0)
    share = pool.shares.sum(1)
    probabilities = _by_sides(probabilities, pool.tokens, share, stages, pool.likeliest)
    candidates = tuple(
        Candidate(sequence, float(share[i]), float(pool.masses[i]), tuple((of / of.sum()).tolist()))
        for i, (sequence, of) in enumerate(
            zip(_letters(pool.tokens[:n], probabilities), pool.shares[:n], strict=True)
        )
    )
    distributions = _marginals(pool.tokens, share, probabilities)
    return Ranking(candidates, distributions, pool.lost, pool.mass_probability)


class _Pool(NamedTuple):
    """The different sequences that fit the masses of a gap under any mass of C, best first.

    tokens: (m, length); masses: (m,) Da of the likeliest form; shares: (m, readings) of the
    probability, by the mass of C; lost: share at most of a sequence that was dropped, in one form;
    mass_probability: as in `Ranking`; likeliest: rules with the likeliest mass of C.
    """

    tokens: np.ndarray
    masses: np.ndarray
    shares: np.ndarray
    lost: float
    mass_probability: float
    likeliest: MassRules


def _pooled(
    probabilities: np.ndarray, stages: Stages, readings: Sequence[tuple[float, MassRules]]
) -> _Pool | None:
    """The sequences of a gap that fit under each of `MassRules.readings`; None if there are none.

    Readings in which no sequence fits are dropped, and their probability goes to the others. Masses
    have had their say before, for the sample as a whole; what spectra show of the gap weighs here,
    with odds of MOST_SPECTRA_ODDS at most.
    """
    width = _width(len(probabilities))
    founds = [_once(search(probabilities, width, stages, rules), rules) for _, rules in readings]
    totals = np.array([np.logaddexp.reduce(f.scores, initial=-np.inf) for f in founds])
    weights = np.where(np.isfinite(totals), [weight for weight, _ in readings], 0.0)
    if not weights.any():
        return None
    weighed = float((weights * np.exp(np.minimum(totals, 0.0))).sum())
    if stages.spectra is not None:
        weights *= np.exp(np.maximum(totals - totals.max(), -math.log(MOST_SPECTRA_ODDS)))
    weights /= weights.sum()
    founds = [_tempered(found, stages) for found in founds]
    totals = np.array([np.logaddexp.reduce(f.scores, initial=-np.inf) for f in founds])
    fitting = [i for i, weight in enumerate(weights) if weight]
    tokens, masses, shares = _by_sequence(founds, fitting, weights, totals)
    lost = sum(weights[i] * math.exp(min(founds[i].lost - totals[i], 0.0)) for i in fitting)
    likeliest = readings[int(weights.argmax())][1]
    return _Pool(tokens, masses, shares, lost, weighed, likeliest)


def _by_sequence(
    founds: Sequence[Found], fitting: Sequence[int], weights: np.ndarray, totals: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sequences that fit under any reading, each once, best first: tokens (n, length), masses
    (n,) in the likeliest of its readings, and shares (n, readings).

    founds: of each reading; fitting: readings under which some fit; weights, totals (readings,): of
    each reading, and the log probability of all its sequences.
    """
    share = np.concatenate([weights[i] * np.exp(founds[i].scores - totals[i]) for i in fitting])
    reading = np.repeat(fitting, [len(founds[i].scores) for i in fitting])
    order = np.argsort(-share, kind="stable")
    tokens = np.concatenate([founds[i].tokens for i in fitting])[order]
    masses = np.concatenate([founds[i].masses for i in fitting])[order]
    share, reading = share[order], reading[order]
    if len(fitting) > 1:
        tokens, first, which = np.unique(tokens, axis=0, return_index=True, return_inverse=True)
        masses = masses[first]
    else:
        which = np.arange(len(tokens))
    shares = np.zeros((len(tokens), len(founds)))
    np.add.at(shares, (which.ravel(), reading), share)
    best = np.argsort(-shares.sum(1), kind="stable")
    return tokens[best], masses[best], shares[best]


def _once(found: Found, rules: MassRules) -> Found:
    """The same sequences, each once, with the log probability of all its modified forms and the
    mass of the likeliest; best first. rules: of the search."""
    if not rules.several_forms:
        return found
    different, first, which = np.unique(
        found.tokens, axis=0, return_index=True, return_inverse=True
    )
    if len(different) == len(found.tokens):
        return found
    scores = np.full(len(different), -np.inf)
    np.logaddexp.at(scores, which.ravel(), found.scores)
    best = np.argsort(-scores, kind="stable")
    return replace(
        found, tokens=different[best], scores=scores[best], masses=found.masses[first[best]]
    )


def _tempered(found: Found, stages: Stages) -> Found:
    """The same sequences with the log probabilities that their shares are made of."""
    surplus = found.tokens.shape[1] / max(len(stages.passed), 1) - SURE_RESIDUES
    temperature = 1.0 + WARMING_PER_RESIDUE * max(surplus, 0.0)
    return replace(found, scores=found.scores / temperature, lost=found.lost / temperature)


def _letters(tokens: np.ndarray, probabilities: np.ndarray) -> list[str]:
    """Sequences (n, length) as text, with I or L where they were one."""
    return [decode(row) for row in told_apart(tokens, probabilities)]


def _marginals(tokens: np.ndarray, share: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Distributions (length, 20) of the residues of sequences (n, length) with shares (n,).

    What I and L have together is divided as in `probabilities` (length, 20).
    """
    marginals = np.zeros((tokens.shape[1], N_RESIDUES))
    for i, row in enumerate(tokens.T):
        marginals[i] = np.bincount(row, share, N_RESIDUES)
    return divided(marginals, probabilities)


def divided(merged: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Distributions (length, 20) with what L has, I included, divided among the two as in
    `probabilities` (length, 20)."""
    pair = probabilities[:, [ISOLEUCINE, LEUCINE]]
    both = pair.sum(1, keepdims=True)
    of_pair = np.divide(pair, both, out=np.zeros_like(pair), where=both > 0)
    apart = merged.copy()
    apart[:, [ISOLEUCINE, LEUCINE]] = of_pair * merged[:, LEUCINE, None]
    return apart


def _by_sides(
    probabilities: np.ndarray,
    tokens: np.ndarray,
    share: np.ndarray,
    stages: Stages,
    rules: MassRules,
) -> np.ndarray:
    """The distributions (length, 20) of a gap with I and L divided anew where w ions tell them
    apart; tokens (n, length), share (n,): its sequences."""
    if stages.spectra is None or not stages.spectra.sides:
        return probabilities
    ((carried, _),) = rules.modifications.cysteine
    weights = RESIDUE_MASSES.copy()
    weights[CYSTEINE] += carried
    begun = np.cumsum(weights[tokens], axis=1) - weights[tokens]
    apart = probabilities.copy()
    for i, row in enumerate(tokens.T):
        either = row == LEUCINE
        if either.any():
            nats = np.average(side_nats(stages.spectra, begun[either, i]), weights=share[either])
            pair = probabilities[i, [ISOLEUCINE, LEUCINE]] * (np.exp(nats), 1.0)
            both = probabilities[i, [ISOLEUCINE, LEUCINE]].sum()
            apart[i, [ISOLEUCINE, LEUCINE]] = both * pair / max(pair.sum(), TINY)
    return apart


def told_by_sides(probabilities: np.ndarray, evidence: SpectralEvidence) -> np.ndarray:
    """The distributions (length, 20) of a gap of I or L alone as w ions tell them apart."""
    tokens = np.full((1, len(probabilities)), LEUCINE, dtype=np.uint8)
    stages = Stages((), spectra=evidence)
    return _by_sides(probabilities, tokens, np.ones(1), stages, MassRules())


def _width(length: int) -> int:
    """Sequences kept per residue of a gap with a mass; fewer in long gaps, to bound the work."""
    return max(MASS_WIDTH * MAX_BINNED // max(length, MAX_BINNED), min(MIN_WIDTH, MASS_WIDTH))


def mass_log_probability(
    probabilities: np.ndarray,
    stages: Stages,
    rules: MassRules | None = None,
    width: int | None = None,
) -> float:
    """Log probability of a gap's masses: the sum over its best fitting sequences.

    If C may have several masses, their weighted mean. -inf if no sequence fits. width: sequences
    kept per residue, if other than in `rank_sequences`. It may exceed 0, since a residue that may
    be modified counts in each form.
    """
    width = width or _width(len(probabilities))
    total = -np.inf
    for share, reading in (rules or MassRules()).readings():
        found = search(probabilities, width, stages, reading)
        fits = float(np.logaddexp.reduce(found.scores, initial=-np.inf))
        total = float(np.logaddexp(total, math.log(share) + fits))
    return total


def _highest_rows(scores: np.ndarray, width: int) -> np.ndarray:
    """`mass_search.highest` of every row: (g, m) -> (g, at most width) indices, rising."""
    g, m = scores.shape
    if m <= width:
        return np.broadcast_to(np.arange(m), (g, m))
    least = np.partition(scores, m - width, axis=1)[:, m - width, None]
    level = scores == least
    room = width - (scores > least).sum(1, keepdims=True)
    chosen = (scores > least) | level & (np.cumsum(level, axis=1) <= room)
    return np.nonzero(chosen)[1].reshape(g, width)
