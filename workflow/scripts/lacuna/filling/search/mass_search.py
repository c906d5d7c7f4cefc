"""The best sequences of a gap within all masses that are known of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.core.alphabet import il_as_one
from lacuna.core.masses import GROUP_RATIO
from lacuna.filling.search.cleavages import shown
from lacuna.filling.search.stages import Stages, steps_of
from lacuna.scaffolds.residue_masses import (
    AVERAGE_MASSES,
    RESIDUE_MASSES,
    MassRules,
    bounds,
    completable,
)

SIGMAS = 3.0  # standard deviations of a measured mass in its tolerance
LIKELY_WIDTHS = 3  # times the prefixes kept: so many are looked at before all are


@dataclass(frozen=True, slots=True)
class Found:
    """n sequences of a gap, best first; L is I or L.

    tokens (n, length), log probabilities (n,), masses (n,) in Da; lost: log probability that
    a sequence dropped on the way has at most.
    """

    tokens: np.ndarray
    scores: np.ndarray
    masses: np.ndarray
    lost: float

    def average_masses(self) -> np.ndarray:
        """The average masses (n,) in Da; what sequences weigh beyond their residues are
        modifications."""
        carried = self.masses - RESIDUE_MASSES[self.tokens].sum(1)
        return AVERAGE_MASSES[self.tokens].sum(1) + carried * GROUP_RATIO


def search(probabilities: np.ndarray, width: int, stages: Stages, rules: MassRules) -> Found:
    """The best sequences of a gap within its masses, of all forms of its chain together.

    The log probability of a form is added to the scores of its sequences; one may be among the
    sequences of several forms.
    """
    if not rules.forms:
        return _search(probabilities, width, stages, rules)
    founds = []
    for form in rules.forms:
        one = _search(probabilities, width, stages.of_residues(form), replace(rules, forms=()))
        share = math.log(form.share)
        founds.append(replace(one, scores=one.scores + share, lost=one.lost + share))
    scores = np.concatenate([found.scores for found in founds])
    order = np.argsort(-scores, kind="stable")
    return Found(
        np.concatenate([found.tokens for found in founds])[order],
        scores[order],
        np.concatenate([found.masses for found in founds])[order],
        max(found.lost for found in founds),
    )


def _search(probabilities: np.ndarray, width: int, stages: Stages, rules: MassRules) -> Found:
    """The best sequences of a gap within its masses.

    probabilities: (length, 20). A sequence's score is its log probability, less z^2 / 2 for every
    mass that was measured: z is how far it is off in standard deviations, of which the tolerance is
    SIGMAS; plus the nats that spectra give its cleavages. The `width` best prefixes are kept at
    every residue, of those that some sequence of the residues still to come completes to the
    masses.
    """
    length = len(probabilities)
    if not length:
        return _of_no_residues(stages)
    with np.errstate(divide="ignore"):
        logs = np.log(il_as_one(probabilities))
    plan = _Plan(stages, length, rules)
    seen = None if stages.spectra is None else shown(stages.spectra)
    # The most that residues from each on can add to a log probability.
    ahead = np.concatenate((np.cumsum(logs.max(1)[::-1])[::-1], [0.0]))
    lost = -np.inf
    path: list[tuple[np.ndarray, np.ndarray]] = []  # residues, and the prefixes they extend
    found = _start()
    for i in range(length):
        residues, weights, shares = rules.options(i, length)
        grown = found.grown(logs[i, residues] + shares, weights)
        left = length - i - 1
        if seen is not None and left:
            grown.scores += seen.nats((found.masses[:, None] + weights).ravel())
        plan.passing(grown, i + 1)
        keep = _completable(plan, grown, i + 1, width)
        if not len(keep):
            nothing = np.zeros(0)
            return Found(np.zeros((0, length), dtype=np.uint8), nothing, nothing, lost)
        scores = grown.scores[keep]
        best = highest(scores, width)  # in the order of the alphabet
        if len(best) < len(keep):
            scores[best] = -np.inf
            most = float(scores.max()) + float(ahead[i + 1])
            if seen is not None and left:
                most += float(seen.ahead(found.masses.min(keepdims=True), left - 1)[0])
            lost = max(lost, most)
        keep = keep[best]
        parents, forms = np.divmod(keep, len(residues))
        path.append((residues[forms], parents))
        found = grown.only(keep, found.masses[parents] + weights[forms])
    order = np.argsort(-found.scores, kind="stable")
    tokens = _read_back(path, order)
    return _weighed(Found(tokens, found.scores[order], found.masses[order], lost), stages)


def _read_back(path: Sequence[tuple[np.ndarray, np.ndarray]], rows: np.ndarray) -> np.ndarray:
    """Sequences (n, length) from their last residues, at some rows (n,) of the last step; path: of
    each step the residues, and the rows of the step before that they extend."""
    tokens = np.empty((len(rows), len(path)), dtype=np.uint8)
    for i in range(len(path) - 1, -1, -1):
        letters, parents = path[i]
        tokens[:, i], rows = letters[rows], parents[rows]
    return tokens


def _of_no_residues(stages: Stages) -> Found:
    """The sequence without residues, if it is within all masses."""
    off = np.array([stage.mass for stage in stages.passed])
    tolerance = np.array([stage.tolerance for stage in stages.passed])
    measured = [not stage.interval and stage.tolerance > 0 for stage in stages.passed]
    n = int((np.abs(off) <= tolerance).all())
    score = -float(((SIGMAS * off[measured] / tolerance[measured]) ** 2).sum()) / 2
    nothing = np.zeros((n, 0), dtype=np.uint8)
    return _weighed(Found(nothing, np.full(n, score), np.zeros(n), -np.inf), stages)


def _weighed(found: Found, stages: Stages) -> Found:
    """Those of some sequences that have the average mass too, if one was given."""
    return found if stages.average is None else _on_average(found, *stages.average)


def _on_average(found: Found, mass: float, tolerance: float) -> Found:
    """Those of some sequences that have an average mass, in Da."""
    off = found.average_masses() - mass
    fits = np.flatnonzero(np.abs(off) <= tolerance)
    scores = found.scores[fits] - (SIGMAS * off[fits] / tolerance) ** 2 / 2
    order = np.argsort(-scores, kind="stable")
    return Found(found.tokens[fits[order]], scores[order], found.masses[fits[order]], found.lost)


def _completable(plan: "_Plan", grown: "_Prefixes", n: int, width: int) -> np.ndarray:
    """Indices, ascending, of the beginnings of n residues that can be completed: all of them, or
    at least the `width` + 1 most probable."""
    if len(grown.scores) > LIKELY_WIDTHS * width:
        likely = highest(grown.scores, LIKELY_WIDTHS * width)
        keep = likely[plan.completable(grown.only(likely, grown.masses), n)]
        if len(keep) > width:
            return keep
    return plan.completable(grown, n)


def highest(scores: np.ndarray, width: int) -> np.ndarray:
    """Indices (at most width,) of the highest scores, ascending; of equal ones the first."""
    if len(scores) <= width:
        return np.arange(len(scores))
    least = np.partition(scores, -width)[-width]
    above = np.flatnonzero(scores > least)
    level = np.flatnonzero(scores == least)[: width - len(above)]
    return np.sort(np.concatenate((above, level)))


@dataclass(slots=True)
class _Prefixes:
    """n beginnings of sequences: log probabilities (n,), what they weigh since their piece began
    (n,) in Da, how many residues came before it (n,), and the next stage of each (n,)."""

    scores: np.ndarray
    since: np.ndarray
    began: np.ndarray
    stage: np.ndarray
    masses: np.ndarray  # (n,) in Da, of those that are kept

    def grown(self, logs: np.ndarray, weights: np.ndarray) -> "_Prefixes":
        """Each with each of m residues: their log probabilities and weights (m,) in Da."""
        m = len(weights)
        return _Prefixes(
            (self.scores[:, None] + logs).ravel(),
            (self.since[:, None] + weights).ravel(),
            np.repeat(self.began, m),
            np.repeat(self.stage, m),
            self.masses,
        )

    def only(self, rows: np.ndarray, masses: np.ndarray) -> "_Prefixes":
        """Those of some rows, with these masses."""
        return _Prefixes(
            self.scores[rows], self.since[rows], self.began[rows], self.stage[rows], masses
        )


def _start() -> _Prefixes:
    """The one beginning of no residues."""
    zero = np.zeros(1, dtype=np.int32)
    return _Prefixes(np.zeros(1), np.zeros(1), zero, zero, np.zeros(1))


class _Plan:
    """Which stages sequences of a number of residues can pass."""

    def __init__(self, stages: Stages, length: int, rules: MassRules) -> None:
        self.stages, self.opened, self.length = stages.passed, stages.opened, length
        inside = replace(rules, ends_chain=False)
        last = len(self.stages) - 1
        self.rules = [inside] * last + [inside if stages.opened else rules]
        # (stages + 1, residues left): whether those from a stage on can be passed with that many.
        self.feasible = np.zeros((last + 2, length + 1), dtype=bool)
        self.feasible[-1] = stages.opened
        self.feasible[-1, 0] = True
        self.lightest, self.heaviest = lightest, heaviest = bounds(rules.modifications)
        for s, step in zip(range(last, 0, -1), steps_of(self.stages)[:0:-1], strict=True):
            mass = np.array([step.mass])
            least = max(math.floor((step.mass - step.tolerance) / heaviest), 0)
            most = min(math.ceil((step.mass + step.tolerance) / lightest) + 1, length)
            for n in range(least, most + 1):
                if step.whole_piece and not step.least <= n <= step.most:
                    continue
                if completable(mass, step.tolerance, n, self.rules[s])[0]:
                    self.feasible[s, n:] |= self.feasible[s + 1, : length + 1 - n]

    def passing(self, found: _Prefixes, n: int) -> None:
        """Let beginnings of n residues pass the stages that they have come to."""
        furthest = int(found.stage.max())
        for s in range(int(found.stage.min()), len(self.stages)):
            if s > furthest:
                break
            if s == len(self.stages) - 1 and n < self.length and not self.opened:
                break  # a wide tolerance may hold the masses of several beginnings
            stage = self.stages[s]
            hit = np.flatnonzero(np.abs(found.since - stage.mass) <= stage.tolerance)
            hit = hit[found.stage[hit] == s]
            if not stage.interval and stage.tolerance:
                off = found.since[hit] - stage.mass
                found.scores[hit] -= (SIGMAS * off / stage.tolerance) ** 2 / 2
            found.stage[hit] = s + 1
            furthest = max(furthest, s + bool(len(hit)))
            if stage.ends_piece:
                residues = n - found.began[hit]
                found.since[hit], found.began[hit] = 0.0, n
                found.scores[hit[(residues < stage.least) | (residues > stage.most)]] = -np.inf

    def completable(self, found: _Prefixes, n: int) -> np.ndarray:
        """Indices of the beginnings of n residues that can pass the stages still before them."""
        left = self.length - n
        fits = found.scores > -np.inf
        for s in range(int(found.stage.min()), int(found.stage.max()) + 1):
            if len(self.stages) == 1 and left and not self.opened:  # all are there
                fits &= self._reach(s, found.since, n - found.began, left)
                break
            rows = np.flatnonzero(fits & (found.stage == s))
            if s < len(self.stages):
                fits[rows] = self._reach(s, found.since[rows], n - found.began[rows], left)
            else:
                fits[rows] = self.opened or not left
        return np.flatnonzero(fits)

    def _reach(self, s: int, since: np.ndarray, grown: np.ndarray, left: int) -> np.ndarray:
        """Which of the beginnings at a stage (m,) get past it and the following ones; grown: (m,)
        residues of their piece."""
        stage = self.stages[s]
        rest = stage.mass - since
        fits = np.zeros(len(rest), dtype=bool)
        if not len(rest):  # all that are at this stage were dropped
            return fits
        # How many residues the following stages leave; others than `least` to `most` fit no mass.
        least = (rest.min() - stage.tolerance) / self.heaviest - 1
        most = (rest.max() + stage.tolerance) / self.lightest + 2
        for more in (left - np.flatnonzero(self.feasible[s + 1, :left])).tolist():
            if not least <= more <= most:
                continue
            reached = completable(rest, stage.tolerance, more, self.rules[s])
            if stage.ends_piece:
                reached &= (stage.least <= grown + more) & (grown + more <= stage.most)
            fits |= reached
        return fits
