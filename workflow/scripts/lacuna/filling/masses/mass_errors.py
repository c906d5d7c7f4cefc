"""Errors that masses of gaps often have: something counted wrongly, or a residue that is modified.

A mass that is wrong by so much still fits some sequence, and among those that fit the network may
be sure of one. What shows the error is that the mass is improbable, and that it would be probable
without the error. A mass has the probability of all sequences that fit it. If the number of
residues is not known, each length counts by how well the chain agrees with its templates.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.core.alphabet import TOKEN
from lacuna.core.masses import (
    ACETYL,
    AMMONIA,
    AVERAGINE_RATIO,
    CARBAMIDOMETHYL,
    CARBAMYL,
    CARBON_MONOXIDE,
    DEAMIDATION,
    HEXOSE,
    ISOTOPE,
    METHYL,
    OXIDATION,
    PHOSPHO,
    PROTON,
    WATER,
)
from lacuna.core.statistics import softmax
from lacuna.filling.masses.weighing import FLOOR_OF_MASS, LONGEST_GAP, WEIGHING_WIDTH
from lacuna.filling.search.mass_search import Found, search
from lacuna.filling.search.stages import Stage, Stages
from lacuna.scaffolds.residue_masses import MassRules

# Of a mass without an error to the mass as it is, from which the error is named: the rarer an error
# is, the more.
NAMED_ODDS = 1000.0
COMMON_ODDS = 50.0  # of deamidation and oxidation, which one mass in fifty may well have
# A mass that is off by more than its tolerance is within so many of them, and anywhere there. Any
# one mass is then less probable than in a normal distribution with the tolerance as three sigmas.
TIMES_WIDER = 2.0
TIMES_THINNER = math.sqrt(2 * math.pi) / (2 * 3 * TIMES_WIDER)
COUNTED_SHARE = 0.1  # share of the least probability by which a length counts
# Of an average mass: what the ratio of a few residues to their monoisotopic mass is off from that
# of a mean one, and what two tables of average masses differ by in a residue.
RATIO_SPREAD = 3e-4
TABLES_DIFFER_DA = 0.002


@dataclass(frozen=True, slots=True)
class MassError:
    """An error by `by` Da: what is to be added to the mass as it was given.

    residues: the gap must then have one of them, which is modified; '' if the error is in the
    measurement or in the count; odds: from which it is named; average, rounded, inexact: whether
    the error is that an average mass is given, a rounded one, or one that is off by more than its
    tolerance, all of which are off by no fixed number of Da; prefixes: whether it is in every
    prefix mass and in none of a whole; mirrored: whether they are masses of ends.
    """

    words: str
    by: float = 0.0
    residues: str = ""
    odds: float = NAMED_ODDS
    average: bool = False
    rounded: bool = False
    inexact: bool = False
    prefixes: bool = False
    mirrored: bool = False


def _either_way(size: float, words: str) -> tuple[MassError, MassError]:
    less, more = (f"{size:.4f} Da {way}: {words}" for way in ("less", "more"))
    return MassError(less, -size), MassError(more, size)


def _modified(size: float, words: str, residues: str, odds: float = NAMED_ODDS) -> MassError:
    return MassError(f"{size:.4f} Da less: {words}", -size, residues, odds)


SLIPS = (*_either_way(ISOTOPE, "isotope slip"), *_either_way(PROTON, "charge slip"))
WATER_COUNTED = MassError(f"{WATER:.4f} Da less: a water is counted", -WATER)
ION = MassError(
    f"{WATER + PROTON:.4f} Da less: a water and a proton are counted, [M+H]+", -WATER - PROTON
)
AVERAGE_GIVEN = MassError("its monoisotopic mass: an average one is given", average=True)
INEXACT = MassError("twice its tolerance: the mass is off by more", inexact=True)
ROUNDED = MassError(
    "a wider tolerance: the mass is rounded; give its tolerance_da in a gap table, 0.05 for one "
    "decimal, 0.005 for two",
    odds=COMMON_ODDS,
    rounded=True,
)
B_IONS = MassError(
    f"{PROTON:.4f} Da less of each prefix mass: a proton is counted, as in a b ion",
    -PROTON,
    prefixes=True,
)
Y_IONS = MassError("prefix masses that count from the end, as y ions do", mirrored=True)
# Masses of modifications are those of Unimod; I stands for L, as everywhere in a mass.
OTHER_ERRORS = (
    WATER_COUNTED,
    ION,
    AVERAGE_GIVEN,
    INEXACT,
    ROUNDED,
    B_IONS,
    Y_IONS,
    _modified(DEAMIDATION, "N or Q is deamidated", "NQ", COMMON_ODDS),
    _modified(OXIDATION, "M or W is oxidised", "MW", COMMON_ODDS),
    _modified(2 * OXIDATION, "M or W is oxidised twice", "MW"),
    *_either_way(CARBAMIDOMETHYL, "a carbamidomethyl or G too many or too few"),
    MassError(f"{AMMONIA:.4f} Da more: an ammonia is lost", AMMONIA),
    MassError(f"{WATER:.4f} Da more: a water is lost", WATER),
    _modified(METHYL, "a residue is methylated", ""),
    _modified(CARBON_MONOXIDE, "a residue is formylated", ""),
    MassError(f"{DEAMIDATION:.4f} Da more: an acid is amidated", DEAMIDATION),
    _modified(ACETYL, "K is acetylated", "K"),
    _modified(CARBAMYL, "K or R is carbamylated", "KR"),
    _modified(PHOSPHO, "S, T or Y is phosphorylated", "STY"),
    _modified(79.956815, "Y is sulfated", "Y"),
    _modified(HEXOSE, "K is glycated", "K"),
)


def log_probability(
    distribution: np.ndarray, stages: Stages, rules: MassRules, error: MassError
) -> float:
    """Log probability of a gap's masses without an error; -inf if no sequence fits.

    distribution: (length, 20).
    """
    tokens = [TOKEN[residue] for residue in error.residues]
    best = -math.inf
    for moved in _corrected(stages, error):
        total = -math.inf
        for share, reading in rules.readings():
            found = search(distribution, WEIGHING_WIDTH, moved, reading)
            scores = found.scores
            if tokens:
                scores = scores[np.isin(found.tokens, tokens).any(1)]
            elif error.average:
                scores = scores[_weighs_on_average(found, stages)]
            fits = float(np.logaddexp.reduce(scores, initial=-np.inf))
            total = float(np.logaddexp(total, math.log(share) + fits))
        best = max(best, total)
    if error.inexact:
        best += math.log(TIMES_THINNER) * sum(not stage.interval for stage in stages.passed)
    return best


def _weighs_on_average(found: Found, stages: Stages) -> np.ndarray:
    """Which sequences (n,) have the gap's only mass as their average one."""
    (given,) = stages.passed
    allowed = given.tolerance + TABLES_DIFFER_DA * found.tokens.shape[1]
    return np.abs(found.average_masses() - given.mass) <= allowed


def _corrected(stages: Stages, error: MassError) -> Iterator[Stages]:
    """The masses without an error. That of a modified residue is in all masses of its piece from
    some one on, any other in the last mass alone. An average mass is that of a gap with no other.
    """
    passed = stages.passed
    if error.average:
        if len(passed) == 1:
            (given,) = passed
            mass, wide = given.mass / AVERAGINE_RATIO, RATIO_SPREAD * given.mass
            about = replace(given, mass=mass, tolerance=given.tolerance + wide, interval=True)
            yield replace(stages, passed=(about,))
        return
    if error.inexact or error.rounded:
        wider = tuple(map(_inexact if error.inexact else _unrounded, passed))
        if wider != passed:
            yield replace(stages, passed=wider)
        return
    if error.prefixes or error.mirrored:
        if any(not stage.ends_piece for stage in passed):
            yield replace(stages, passed=tuple(_other_prefixes(passed, error)))
        return
    starts = range(len(passed)) if error.residues else (len(passed) - 1,)
    for start in starts:
        end = next((i for i, s in enumerate(passed) if i >= start and s.ends_piece), start)
        moved = [
            replace(stage, mass=stage.mass + error.by) if start <= i <= end else stage
            for i, stage in enumerate(passed)
        ]
        if all(stage.mass > 0 for stage in moved):
            yield replace(stages, passed=tuple(moved))


def _other_prefixes(passed: Sequence[Stage], error: MassError) -> Iterator[Stage]:
    """Yield the masses, the last of which ends a piece, with other prefix masses."""
    piece: list[Stage] = []
    for stage in passed:
        if not stage.ends_piece:
            piece.append(stage)
            continue
        if error.mirrored:
            for prefix in reversed(piece):
                tolerance = prefix.tolerance + stage.tolerance
                yield replace(prefix, mass=stage.mass - prefix.mass, tolerance=tolerance)
        else:
            yield from (replace(prefix, mass=prefix.mass + error.by) for prefix in piece)
        yield stage
        piece = []


def _inexact(stage: Stage) -> Stage:
    """A measured mass as one of a wider interval; the limits of one that is given are exact."""
    if stage.interval:
        return stage
    return replace(stage, tolerance=TIMES_WIDER * stage.tolerance, interval=True)


def _unrounded(stage: Stage) -> Stage:
    """A mass of at most two decimals with all that it may be rounded from as its tolerance."""
    decimals = next((n for n in range(3) if abs(round(stage.mass, n) - stage.mass) < 1e-9), None)
    half = 0.0 if decimals is None else 0.5 * 10.0**-decimals
    if half <= stage.tolerance:
        return stage
    return replace(stage, tolerance=half, interval=True)


def likely_error(
    read: Sequence[tuple[float, np.ndarray]], stages: Stages, rules: MassRules, probability: float
) -> str:
    """The error without which a gap's masses are far more probable, in words; '' for none.

    read: by length how well the chain agrees with it, in nats, and distributions (length, 20);
    stages: its masses, without spectra, which do not say whether a mass is right; probability: of
    the masses as they are. Gaps longer than LONGEST_GAP are passed over: almost any mass fits them.
    """
    probability += FLOOR_OF_MASS
    least = COMMON_ODDS * probability
    if least >= 1.0 or not stages.passed[-1].ends_piece:
        return ""
    weights = softmax(np.array([fit for fit, _ in read]))
    plausible = [
        (weight, distribution)
        for weight, (_, distribution) in zip(weights.tolist(), read, strict=True)
        if weight >= COUNTED_SHARE * least
    ]
    if any(len(distribution) > LONGEST_GAP for _, distribution in plausible):
        return ""
    best, words = 1.0, ""
    for error in (*SLIPS, *OTHER_ERRORS):
        least = error.odds * probability
        if least >= 1.0:
            continue
        likely = sum(
            weight * math.exp(min(log_probability(distribution, stages, rules, error), 0.0))
            for weight, distribution in plausible
            if weight * _chance(distribution, error) >= COUNTED_SHARE * least
        )
        if likely / least >= best:
            best, words = likely / least, error.words
    return words


def _chance(distribution: np.ndarray, error: MassError) -> float:
    """Probability that a gap has a residue that may be modified so; 1 for any other error."""
    if not error.residues:
        return 1.0
    tokens = [TOKEN[residue] for residue in error.residues]
    return 1.0 - float(np.prod(1.0 - distribution[:, tokens].sum(1)))
