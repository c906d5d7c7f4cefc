"""The constant region of a chain: which it is and where it begins."""

from functools import cache

import numpy as np

from lacuna.antibody.germlines import constants
from lacuna.core.alphabet import N_RESIDUES, encode

MIN_C_SCORE = 12.0  # of a constant region that does not follow a V domain
C_SEED = 5  # residues of an exact match that proposes a constant region
MAX_CDR3 = 45  # residues that are considered
MISMATCH_COST = 2.0  # of the score, in matches
MAX_PROPOSED = 24  # places that are compared, those with most seeds


@cache
def _constant_seeds() -> dict[str, list[tuple[int, int]]]:
    """Places of each run of C_SEED residues: (constant region, position)."""
    seeds: dict[str, list[tuple[int, int]]] = {}
    for i, constant in enumerate(constants()):
        for j in range(len(constant.sequence) - C_SEED + 1):
            seeds.setdefault(constant.sequence[j : j + C_SEED], []).append((i, j))
    return seeds


@cache
def constant_tokens() -> tuple[np.ndarray, ...]:
    """Residues of each of `germlines.constants()` as tokens, (length,) uint8."""
    return tuple(encode(c.sequence) for c in constants())


def diagonal_identity(tokens: np.ndarray, template: np.ndarray, start: int) -> tuple[int, int]:
    """Matches and comparable residues if a template is placed on a chain from index `start`.

    tokens: (length,) of the chain; template: (m,) residues; no indels. Missing residues of the
    chain are not comparable.
    """
    chain, other = on_diagonal(tokens, template, start)
    known = chain < N_RESIDUES
    return int((known & (chain == other)).sum()), int(known.sum())


def on_diagonal(
    tokens: np.ndarray, template: np.ndarray, start: int
) -> tuple[np.ndarray, np.ndarray]:
    """What lies on each other of a chain and a template that is placed at `start`: (n,) of both."""
    low = max(start, 0)
    high = max(min(start + len(template), len(tokens)), low)
    return tokens[low:high], template[low - start : high - start]


def find_constant(
    tokens: np.ndarray, sequence: str, first: int, expected: int | None = None
) -> tuple[int, int] | None:
    """The constant region (index, start) that best fits the chain from index `first` on.

    tokens: (length,) of `sequence`. `expected` is where the V domain ends: near it a few matching
    residues suffice, anywhere else the score must reach MIN_C_SCORE. So must that of a stretch
    between gaps, if the whole fits too badly. None if none fits.
    """
    votes: dict[tuple[int, int], int] = {}
    seeds = _constant_seeds()
    for i in range(first, len(sequence) - C_SEED + 1, 2):
        for constant, j in seeds.get(sequence[i : i + C_SEED], ()):
            votes[constant, i - j] = votes.get((constant, i - j), 0) + 1
    best, best_score = None, 0.0
    proposed = sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))[:MAX_PROPOSED]
    for (constant, start), _ in proposed:
        template = constant_tokens()[constant]
        matches, known = diagonal_identity(tokens, template, start)
        score = matches - MISMATCH_COST * (known - matches)
        follows = expected is not None and abs(start - expected) <= MAX_CDR3
        least = 0.0 if follows else MIN_C_SCORE
        if score < least:
            score, least = _best_stretch(tokens, template, start), MIN_C_SCORE
        if score >= least and score > best_score:
            best, best_score = (constant, start), score
    return best


def _best_stretch(tokens: np.ndarray, template: np.ndarray, start: int) -> float:
    """The highest score of a stretch from gap to gap of a template that is placed at `start`.

    Behind a gap that is given too long or too short every residue is off its place.
    """
    chain, other = on_diagonal(tokens, template, start)
    known = chain < N_RESIDUES
    worth = np.where(known, np.where(chain == other, 1.0, -MISMATCH_COST), 0.0)
    edges = [0, *np.flatnonzero(~known).tolist(), len(chain)]
    before = np.append(0.0, worth.cumsum())[edges]
    return float((before - np.minimum.accumulate(before)).max())
