"""From distributions of missing residues to ranked sequences of gaps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from pyteomics.mass import std_aa_mass

from lacuna.core.alphabet import N_RESIDUES, RESIDUES, decode
from lacuna.scaffolds.scaffold import Gap, Scaffold

_LETTERS = np.array(list(RESIDUES))
RESIDUE_MASSES = np.array([std_aa_mass[r] for r in RESIDUES])  # Da, monoisotopic
MASS_WIDTH = 4096  # sequences kept per step where a mass decides among them
MAX_RESIDUES = 450  # of a gap that is decoded within a mass: a whole heavy chain
MAX_MASS = 50_000.0  # Da, of a gap of unknown length that is decoded: the same chain
MIN_WIDTH = 256  # sequences kept per step of the longest gaps
SPARSE = 10  # residues whose masses leave wide holes; those of more do only near the extremes
BIN = 0.005  # Da, resolution of the tables of masses that a number of residues can have
MAX_BINNED = (
    30  # residues of the longest such table; beyond it only the lightest and heaviest count
)

# Monoisotopic mass changes in Da (Unimod 35, 28, 27 and 7); those of C: `alkylation.py`.
OXIDATION = 15.994915
PYROGLUTAMATE_Q = -17.026549
PYROGLUTAMATE_E = -18.010565
DEAMIDATION = 0.984016

PLAIN = ((0.0, 1.0),)  # C carries nothing


@dataclass(frozen=True, slots=True)
class Modifications:
    """Which modifications a gap's mass may hold.

    cysteine: what every C of the sample carries in Da, with the probability that it does; more
    than one where that cannot be told.
    """

    cysteine: tuple[tuple[float, float], ...] = PLAIN
    oxidised_methionine: bool = False
    pyroglutamate: bool = False  # of Q or E at the chain's first position
    deamidated: bool = False  # N and Q
    clipped_lysine: bool = False  # K at the chain's last position weighs nothing


@dataclass(frozen=True, slots=True)
class MassRules:
    """What the residues of one gap may weigh: by modification, and by where it stands."""

    modifications: Modifications = Modifications()
    starts_chain: bool = False
    ends_chain: bool = False

    def readings(self) -> tuple[tuple[float, "MassRules"], ...]:
        """These rules with each mass that C may have, and its probability."""
        several = self.modifications.cysteine
        if len(several) == 1:
            return ((1.0, self),)
        return tuple((share, self.with_cysteine(carried)) for carried, share in several)

    def with_cysteine(self, carried: float) -> "MassRules":
        """These rules where every C carries so many Da."""
        return replace(self, modifications=replace(self.modifications, cysteine=((carried, 1.0),)))

    def options(self, position: int, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Residues (m,) and what each may weigh (m,) in Da at a position of a gap."""
        first = self.starts_chain and position == 0
        last = self.ends_chain and position == length - 1
        return _options(self.modifications, first, last)


def mass_rules(scaffold: Scaffold, gap: Gap, modifications: Modifications) -> MassRules:
    """What the residues of one gap of a chain may weigh."""
    return MassRules(modifications, gap.start == 0, gap.end == len(scaffold.sequence))


@cache
def _options(rules: Modifications, first: bool, last: bool) -> tuple[np.ndarray, np.ndarray]:
    masses = dict(zip(RESIDUES, RESIDUE_MASSES, strict=True))
    ((carried, _),) = rules.cysteine
    masses["C"] += carried
    forms = [(residue, mass) for residue, mass in masses.items()]
    if rules.oxidised_methionine:
        forms.append(("M", masses["M"] + OXIDATION))
    if rules.deamidated:
        forms += [(residue, masses[residue] + DEAMIDATION) for residue in "NQ"]
    if rules.pyroglutamate and first:
        forms += [("Q", masses["Q"] + PYROGLUTAMATE_Q), ("E", masses["E"] + PYROGLUTAMATE_E)]
    if rules.clipped_lysine and last:
        forms.append(("K", 0.0))
    residues = np.array([RESIDUES.index(residue) for residue, _ in forms])
    return residues, np.array([mass for _, mass in forms])


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sequence for a gap, its joint probability and its mass in Da.

    readings: probability of each mass that C may have (`Modifications.cysteine`), given that
    the sequence stands there; `mass` is by the likeliest.
    """

    sequence: str
    probability: float
    mass: float
    readings: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True)
class _Found:
    """n sequences of a gap, best first.

    tokens (n, length), log probabilities (n,), masses (n,) in Da; lost: log probability that
    a sequence dropped on the way has at most.
    """

    tokens: np.ndarray
    scores: np.ndarray
    masses: np.ndarray
    lost: float


def _different(sequences: _Found, n: int, log_total: float) -> list[Candidate]:
    """The first n different sequences; one may fit a mass in more than one modified form.

    log_total: log probability of all that they are shares of.
    """
    found: dict[str, Candidate] = {}
    rows = zip(sequences.tokens, sequences.scores, sequences.masses, strict=True)
    for tokens, score, m in rows:
        sequence = decode(tokens)
        if sequence not in found:
            found[sequence] = Candidate(sequence, float(np.exp(score - log_total)), float(m))
        if len(found) == n:
            break
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranked sequences of a gap and what they say of its residues.

    candidates: best first, empty where no sequence fits the mass; distributions: (length,
    20) of each residue given the mass too; bound: no sequence that is not listed is more
    probable than this or the last candidate, whichever is more (0: the list is exact);
    mass_probability: that the gap weighs what it does.
    """

    candidates: tuple[Candidate, ...]
    distributions: np.ndarray
    bound: float = 0.0
    mass_probability: float = 1.0


def rank_plain(probabilities: np.ndarray, n: int) -> Iterator[Ranking]:
    """The best n sequences of gaps without a mass, all of one length: (g, length, 20).

    Residues are taken as independent given everything observed; those of probability 0 may not
    stand there. Ties go to the sequence first in the alphabet.
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
    counts = np.isfinite(scores).sum(1).tolist()  # fewer than n where residues are ruled out
    rows = zip(sequences, likely, weights, counts, probabilities, strict=True)
    for s, p, w, m, row in rows:  # p and w are read as far as s goes
        yield Ranking(tuple(map(Candidate, s[:m], p, w)), row)


def rank_sequences(
    probabilities: np.ndarray, n: int, mass: float, tolerance: float, rules: MassRules
) -> Ranking:
    """The best n sequences of a gap of known mass (Da), which they meet within the tolerance (Da).

    probabilities: (length, 20), as in `rank_plain`. Those of the sequences are conditional: shares
    of all that fit. At every residue the MASS_WIDTH most probable prefixes are kept (fewer of long
    gaps), of those that can still reach the mass. Ties go to the sequence first in the alphabet.
    """
    readings = rules.readings()
    if len(readings) > 1:
        return _rank_readings(probabilities, n, mass, tolerance, readings)
    found = _search(probabilities, _width(len(probabilities)), mass, tolerance, rules)
    if not len(found.scores):
        return Ranking((), probabilities, mass_probability=0.0)
    log_total = float(np.logaddexp.reduce(found.scores))
    share = np.exp(found.scores - log_total)
    given_mass = tuple(_different(found, n, log_total))
    return Ranking(
        given_mass,
        _marginals(found.tokens, share),
        math.exp(min(found.lost - log_total, 0.0)),
        math.exp(min(log_total, 0.0)),
    )


def _rank_readings(
    probabilities: np.ndarray,
    n: int,
    mass: float,
    tolerance: float,
    readings: tuple[tuple[float, MassRules], ...],
) -> Ranking:
    """`rank_sequences` where C may have several masses: P(sequence | mass) summed over them.

    Readings by which no sequence fits drop out, and the others share their probability.
    """
    width = _width(len(probabilities))
    founds = [_search(probabilities, width, mass, tolerance, rules) for _, rules in readings]
    totals = np.array([np.logaddexp.reduce(f.scores, initial=-np.inf) for f in founds])
    weights = np.where(np.isfinite(totals), [weight for weight, _ in readings], 0.0)
    if not weights.any():
        return Ranking((), probabilities, mass_probability=0.0)
    weighed = float((weights * np.exp(np.minimum(totals, 0.0))).sum())
    weights /= weights.sum()
    fitting = [i for i, weight in enumerate(weights) if weight]
    share = np.concatenate([weights[i] * np.exp(founds[i].scores - totals[i]) for i in fitting])
    reading = np.repeat(fitting, [len(founds[i].scores) for i in fitting])
    order = np.argsort(-share, kind="stable")
    tokens = np.concatenate([founds[i].tokens for i in fitting])[order]
    masses = np.concatenate([founds[i].masses for i in fitting])[order]
    share, reading = share[order], reading[order]
    different, first, which = np.unique(tokens, axis=0, return_index=True, return_inverse=True)
    shares = np.zeros((len(different), len(readings)))
    np.add.at(shares, (which.ravel(), reading), share)
    best = np.argsort(-shares.sum(1), kind="stable")[:n]
    candidates = tuple(
        Candidate(
            decode(different[i]),
            float(shares[i].sum()),
            float(masses[first[i]]),
            tuple((shares[i] / shares[i].sum()).tolist()),
        )
        for i in best
    )
    lost = sum(weights[i] * math.exp(min(founds[i].lost - totals[i], 0.0)) for i in fitting)
    return Ranking(candidates, _marginals(tokens, share), lost, weighed)


def _marginals(tokens: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Distributions (length, 20) of the residues of sequences (n, length) with shares (n,)."""
    marginals = np.zeros((tokens.shape[1], N_RESIDUES))
    for i, row in enumerate(tokens.T):
        np.add.at(marginals[i], row, share)
    return marginals


def _width(length: int) -> int:
    """Sequences kept per residue of a gap with a mass; the work of long gaps grows no further."""
    return max(MASS_WIDTH * MAX_BINNED // max(length, MAX_BINNED), min(MIN_WIDTH, MASS_WIDTH))


def mass_log_probability(
    probabilities: np.ndarray,
    mass: float,
    tolerance: float,
    rules: MassRules | None = None,
    width: int | None = None,
) -> float:
    """Log probability that a gap weighs `mass` (Da): its best fitting sequences summed.

    Where C may have several masses, the mean over them. -inf where no sequence fits. width:
    sequences kept per residue, if other than those of `rank_sequences`.
    """
    width = width or _width(len(probabilities))
    total = -np.inf
    for share, reading in (rules or MassRules()).readings():
        found = _search(probabilities, width, mass, tolerance, reading)
        fits = float(np.logaddexp.reduce(found.scores, initial=-np.inf))
        total = float(np.logaddexp(total, math.log(share) + fits))
    return total


def nearest_mass(length: int, mass: float, rules: MassRules) -> float:
    """The mass nearest to `mass` that `length` residues can have, in Da, to about BIN."""
    nearest = [_nearest_mass(length, mass, reading) for _, reading in rules.readings()]
    return min(nearest, key=lambda found: abs(found - mass))


def _nearest_mass(length: int, mass: float, rules: MassRules) -> float:
    lightest, heaviest = _bounds(rules.modifications)
    if length > MAX_BINNED or not length * lightest <= mass <= length * heaviest:
        return min(max(mass, length * lightest), length * heaviest)
    reached = np.flatnonzero(_ahead(length, rules.modifications) == 0)
    return float(reached[np.abs(reached * BIN - mass).argmin()] * BIN)


def _search(
    probabilities: np.ndarray, width: int, mass: float, tolerance: float, rules: MassRules
) -> _Found:
    """The best sequences of a gap of known mass.

    The `width` best prefixes are kept at every residue, of those that some sequence of the
    residues still to come completes to the mass.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities)
    length = len(probabilities)
    # The most that residues from each on can add to a log probability.
    ahead = np.concatenate((np.cumsum(logs.max(1)[::-1])[::-1], [0.0]))
    lost = -np.inf
    scores, masses = np.zeros(1), np.zeros(1)
    prefixes = np.zeros((1, 0), dtype=np.uint8)
    for i in range(length):
        residues, weights = rules.options(i, length)
        total = (scores[:, None] + logs[i, residues]).ravel()
        new_mass = (masses[:, None] + weights).ravel()
        keep = np.flatnonzero(np.isfinite(total))
        rest = mass - new_mass[keep]
        keep = keep[_completable(rest, tolerance, length - i - 1, rules)]
        best = _highest(total[keep], width)  # in the order of the alphabet
        if len(best) < len(keep):
            dropped = np.delete(total[keep], best)
            lost = max(lost, float(dropped.max()) + float(ahead[i + 1]))
        keep = keep[best]
        parents, forms = np.divmod(keep, len(residues))
        prefixes = np.concatenate((prefixes[parents], residues[forms, None].astype(np.uint8)), 1)
        scores, masses = total[keep], new_mass[keep]
    order = np.argsort(-scores, kind="stable")
    return _Found(prefixes[order], scores[order], masses[order], lost)


def _highest(scores: np.ndarray, width: int) -> np.ndarray:
    """Indices (at most width,) of the highest scores, ascending; of equal ones the first."""
    if len(scores) <= width:
        return np.arange(len(scores))
    least = np.partition(scores, -width)[-width]
    above = np.flatnonzero(scores > least)
    level = np.flatnonzero(scores == least)[: width - len(above)]
    return np.sort(np.concatenate((above, level)))


def _highest_rows(scores: np.ndarray, width: int) -> np.ndarray:
    """`_highest` of every row: (g, m) -> (g, at most width) indices, ascending."""
    g, m = scores.shape
    if m <= width:
        return np.broadcast_to(np.arange(m), (g, m))
    least = np.partition(scores, m - width, axis=1)[:, m - width, None]
    level = scores == least
    room = width - (scores > least).sum(1, keepdims=True)
    chosen = (scores > least) | level & (np.cumsum(level, axis=1) <= room)
    return np.nonzero(chosen)[1].reshape(g, width)


def _completable(rest: np.ndarray, tolerance: float, residues: int, rules: MassRules) -> np.ndarray:
    """Which masses (n,) in Da that many residues can have, within the tolerance.

    Exact for no residues left; else true at least wherever a sequence exists.
    """
    if residues == 0:
        return np.abs(rest) <= tolerance
    lightest, heaviest = _bounds(rules.modifications)
    if rules.ends_chain and rules.modifications.clipped_lysine:
        lightest *= (residues - 1) / residues  # the last of them may weigh nothing
    fits = (rest + tolerance >= residues * lightest) & (rest - tolerance <= residues * heaviest)
    special = rules.ends_chain and rules.modifications.clipped_lysine
    if residues > MAX_BINNED or special:
        return fits
    ahead = _ahead(residues, rules.modifications)
    slack = tolerance + (residues / 2 + 1) * BIN  # each residue's mass is rounded to a bin
    low = np.floor((rest - slack) / BIN).astype(int).clip(0, len(ahead))
    high = (np.ceil((rest + slack) / BIN).astype(int) + 1).clip(0, len(ahead))
    following = ahead[np.minimum(low, len(ahead) - 1)]
    return fits & (low < len(ahead)) & (following < high - low)


def heaviest_residue(rules: MassRules) -> float:
    """What the heaviest form of a residue weighs, in Da."""
    return max(_bounds(reading.modifications)[1] for _, reading in rules.readings())


@cache
def _bounds(modifications: Modifications) -> tuple[float, float]:
    """The lightest and heaviest form of a residue inside a chain, in Da."""
    masses = _options(modifications, False, False)[1]
    return float(masses.min()), float(masses.max())


@cache
def _ahead(residues: int, modifications: Modifications) -> np.ndarray:
    """Bins from each to the next that is a mass of that many residues inside a chain.

    (bins,), at most what the type holds: uint16 up to SPARSE residues, uint8 (1.3 Da) beyond. The
    tables of 30 numbers of residues by each reading of C are kept for the next gap.
    """
    if residues == 0:
        return np.zeros(1, dtype=np.uint16)
    steps = np.unique(np.rint(_options(modifications, False, False)[1] / BIN).astype(int))
    before = _ahead(residues - 1, modifications) == 0
    reached = np.zeros(len(before) + steps[-1], dtype=bool)
    for step in steps:
        reached[step : step + len(before)] |= before
    bins = np.arange(len(reached), dtype=np.int32)
    masses = np.where(reached, bins, bins[-1])  # the last bin is one
    following = np.minimum.accumulate(masses[::-1])[::-1]
    kind = np.uint16 if residues <= SPARSE else np.uint8
    return np.minimum(following - bins, np.iinfo(kind).max).astype(kind)
