"""The best sequences of a gap within all masses that are known of it.

A gap has a mass, or is a row of pieces with a mass each, and of any piece the masses of some of its
beginnings may be known: fragment ions show them. All of them are stages that a sequence passes, in
order, at some of its residues.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import il_as_one
from lacuna.filling.residue_masses import (
    RESIDUE_MASSES,
    MassRules,
    bounds,
    completable,
    heaviest_residue,
)
from lacuna.scaffolds.read import DEFAULT_MAX_LENGTH
from lacuna.scaffolds.scaffold import Gap, SpectralEvidence

SIGMAS = 3.0  # standard deviations of a measured mass in its tolerance
UNBOUNDED = 1 << 30  # residues
LIKELY = 3  # times the prefixes kept: so many are looked at before all are
MOST_NATS = 10.0  # of one cleavage, or of I against L, by all spectra
MOST_CLEAVAGES = 64  # that are counted ahead
MAX_SUSPECTS = 16  # prefix masses of a gap that are each left out if nothing fits all of them
_APART = float(RESIDUE_MASSES.min()) - 0.1  # Da between two cleavages


@dataclass(frozen=True, slots=True)
class Stage:
    """A cleavage of a gap: the residues since its piece began weigh `mass`, in Da.

    tolerance: in Da; interval: any mass within it is as likely as another, where one that is
    measured is normally distributed; ends_piece: the next stage weighs from here on, and the piece
    has `least` to `most` residues.
    """

    mass: float
    tolerance: float
    interval: bool = False
    ends_piece: bool = False
    least: int = 0
    most: int = UNBOUNDED


@dataclass(frozen=True, slots=True)
class Stages:
    """All that masses say of a gap; `opened`: nothing of what follows the last stage; spectra: what
    they show of cleavages between."""

    passed: tuple[Stage, ...]
    opened: bool = False
    spectra: SpectralEvidence | None = None

    def without(self, stage: Stage) -> "Stages":
        """All others."""
        return replace(self, passed=tuple(one for one in self.passed if one is not stage))

    def weighed(self) -> "Stages":
        """What masses say without spectra."""
        return self if self.spectra is None else replace(self, spectra=None)

    def most_shown(self, length: int) -> float:
        """The most nats that spectra add to a gap of so many residues."""
        if self.spectra is None:
            return 0.0
        return max(float(shown(self.spectra).ahead(np.zeros(1), length - 1)[0]), 0.0)

    def prefixes(self) -> tuple[Stage, ...]:
        """Those of which one may be left out: none if there are more than MAX_SUSPECTS."""
        found = tuple(stage for stage in self.passed if not stage.ends_piece)
        return found if len(found) <= MAX_SUSPECTS else ()


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


def one_mass(mass: float, tolerance: float, interval: bool = False) -> Stages:
    """A gap of which nothing but its mass is known, in Da."""
    return Stages((Stage(mass, tolerance, interval, True),))


def stages_of(gap: Gap) -> Stages | None:
    """What masses say of a gap; None of one that has none."""
    if not gap.pieces:
        if gap.mass is None or gap.tolerance_da is None:
            return None
        return replace(one_mass(gap.mass, gap.tolerance_da, gap.interval), spectra=gap.spectra)
    passed: list[Stage] = []
    for piece in gap.pieces:
        passed += [Stage(mass, tolerance) for mass, tolerance in piece.prefixes]
        if piece.mass is not None and piece.tolerance_da is not None:
            most = UNBOUNDED if piece.max_length is None else piece.max_length
            limits = piece.min_length, most
            passed.append(Stage(piece.mass, piece.tolerance_da, piece.interval, True, *limits))
    return Stages(tuple(passed), not passed[-1].ends_piece, gap.spectra)


def allowed_lengths(gap: Gap, stages: Stages | None, rules: MassRules) -> range:
    """The lengths that the bounds of a gap and masses allow, up to DEFAULT_MAX_LENGTH."""
    least, most = (0, UNBOUNDED) if stages is None else _lengths_within(stages, rules)
    high = DEFAULT_MAX_LENGTH if gap.max_length is None else gap.max_length
    return range(max(gap.min_length, least), min(high, most) + 1)


def _lengths_within(stages: Stages, rules: MassRules) -> tuple[int, int]:
    """The fewest and most residues that the masses leave a gap; most is UNBOUNDED if opened."""
    lightest, heaviest = float(RESIDUE_MASSES.min()), heaviest_residue(rules)
    fewest = most = 0
    for step in _steps(stages.passed):
        low, high = (step.least, step.most) if step.whole_piece else (0, UNBOUNDED)
        fewest += max(math.ceil((step.mass - step.tolerance) / heaviest), low)
        most += min(math.floor((step.mass + step.tolerance) / lightest), high)
    if rules.ends_chain and rules.modifications.clipped_lysine:
        most += 1  # a lysine that weighs nothing
    return fewest, UNBOUNDED if stages.opened else most


def search(probabilities: np.ndarray, width: int, stages: Stages, rules: MassRules) -> Found:
    """The best sequences of a gap within its masses.

    probabilities: (length, 20). A sequence's score is its log probability, less z^2 / 2 for every
    mass that was measured: z is how far it is off in standard deviations, of which the tolerance is
    SIGMAS; plus the nats that spectra give its cleavages. The `width` best prefixes are kept at
    every residue, of those that some sequence of the residues still to come completes to the
    masses.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(il_as_one(probabilities))
    length = len(probabilities)
    plan = _Plan(stages, length, rules)
    seen = None if stages.spectra is None else shown(stages.spectra)
    # The most that residues from each on can add to a log probability.
    ahead = np.concatenate((np.cumsum(logs.max(1)[::-1])[::-1], [0.0]))
    lost = -np.inf
    path: list[tuple[np.ndarray, np.ndarray]] = []  # residues, and the prefixes they extend
    found = _start()
    for i in range(length):
        residues, weights = rules.options(i, length)
        grown = found.grown(logs[i, residues], weights)
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
    tokens = np.empty((len(order), length), dtype=np.uint8)
    rows = order
    for i in range(length - 1, -1, -1):
        letters, parents = path[i]
        tokens[:, i], rows = letters[rows], parents[rows]
    return Found(tokens, found.scores[order], found.masses[order], lost)


def _completable(plan: "_Plan", grown: "_Prefixes", n: int, width: int) -> np.ndarray:
    """Indices, ascending, of the beginnings of n residues that can be completed: all of them, or
    at least the `width` + 1 most probable."""
    if len(grown.scores) > LIKELY * width:
        likely = highest(grown.scores, LIKELY * width)
        keep = likely[plan.completable(grown.only(likely, grown.masses), n)]
        if len(keep) > width:
            return keep
    return plan.completable(grown, n)


class Shown:
    """What spectra say of cleavages, by the mass of what is before them."""

    def __init__(self, evidence: SpectralEvidence) -> None:
        self.unseen = evidence.unseen
        self.edges, values = _steps_of(evidence.cleavages)
        self.values = values.clip(max=MOST_NATS - evidence.unseen)
        low, high = self.edges[:-1], self.edges[1:]
        some = self.values[1:-1] > 0
        self._high = high[some]
        # (intervals + 1, cleavages): the most that so many give from an interval on.
        self._most = np.zeros((len(self._high) + 1, MOST_CLEAVAGES + 1))
        following = np.searchsorted(self._high, low[some] + _APART)
        gains = zip(self.values[1:-1][some], following, strict=True)
        for j, (nats, after) in reversed(list(enumerate(gains))):
            self._most[j] = self._most[j + 1]
            better = nats + self._most[max(after, j + 1), :-1]
            self._most[j, 1:] = np.maximum(self._most[j, 1:], better)

    def nats(self, masses: np.ndarray) -> np.ndarray:
        """Nats (n,) of cleavages behind beginnings of so many Da (n,)."""
        return self.unseen + self.values[np.searchsorted(self.edges, masses, "right")]

    def ahead(self, masses: np.ndarray, cleavages: int) -> np.ndarray:
        """The most nats (n,) of so many cleavages behind beginnings of more than masses (n,) Da."""
        first = np.searchsorted(self._high, masses + _APART)
        most = self._most[first, min(cleavages, MOST_CLEAVAGES)]
        return np.asarray(most + self.unseen * cleavages)


@lru_cache(maxsize=32)
def shown(evidence: SpectralEvidence) -> Shown:
    """What spectra show of a gap, as the search looks it up."""
    return Shown(evidence)


def side_nats(evidence: SpectralEvidence, masses: np.ndarray) -> np.ndarray:
    """Nats (n,) of I against L behind beginnings of a gap of so many Da (n,)."""
    edges, values = _steps_of(evidence.sides)
    return np.asarray(values[np.searchsorted(edges, masses, "right")]).clip(-MOST_NATS, MOST_NATS)


def _steps_of(bumps: Sequence[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of mass +- tolerance with a height each, summed: edges (e,), heights (e + 1,)."""
    mass, tolerance, height = np.array(bumps).reshape(-1, 3).T
    ends = np.concatenate((mass - tolerance, mass + tolerance))
    order = np.argsort(ends, kind="stable")
    changes = np.concatenate((height, -height))[order]
    heights = np.concatenate(([0.0], np.cumsum(changes)))
    heights[np.abs(heights) < 1e-9] = 0.0  # left by rounding
    return ends[order], heights


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
        for s, step in zip(range(last, 0, -1), _steps(self.stages)[:0:-1], strict=True):
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


class _Step(NamedTuple):
    """What lies between a stage and the one before it; whole_piece: a piece of so many residues."""

    mass: float
    tolerance: float
    whole_piece: bool
    least: int
    most: int


def _steps(passed: Sequence[Stage]) -> list[_Step]:
    steps = []
    mass = tolerance = 0.0  # since the piece began
    for stage in passed:
        whole = stage.ends_piece and not mass
        apart = stage.mass - mass, stage.tolerance + tolerance
        steps.append(_Step(*apart, whole, stage.least, stage.most))
        mass, tolerance = (0.0, 0.0) if stage.ends_piece else (stage.mass, stage.tolerance)
    return steps
