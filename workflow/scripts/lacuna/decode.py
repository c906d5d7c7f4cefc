"""From distributions of missing residues to ranked sequences of gaps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pyteomics.mass import std_aa_mass

from lacuna.alphabet import N_RESIDUES, RESIDUES

RESIDUE_MASSES = np.array([std_aa_mass[r] for r in RESIDUES])  # Da, monoisotopic
MASS_WIDTH = 4096  # sequences kept per step where a mass decides among them


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sequence for a gap: its tokens, joint probability and mass in Da."""

    tokens: tuple[int, ...]
    probability: float
    mass: float

    @property
    def sequence(self) -> str:
        return "".join(RESIDUES[t] for t in self.tokens)


def best_sequences(
    probabilities: np.ndarray,
    n: int,
    mass: float | None = None,
    tolerance: float | None = None,
) -> tuple[list[Candidate], bool]:
    """The n most probable sequences of a gap, best first, and whether they fit its mass.

    probabilities: (length, 20), zero where a residue may not stand; residues are taken as
    independent given everything observed. mass and tolerance in Da: of sequences within
    the tolerance the best n among the MASS_WIDTH most probable prefixes; where none fits,
    the best n regardless, and False. Ties go to the sequence first in the alphabet.
    """
    width = n if mass is None else max(n, MASS_WIDTH)
    prefixes, scores, masses = _search(probabilities, width, mass, tolerance)
    fits = bool(len(scores))
    if not fits:
        prefixes, scores, masses = _search(probabilities, n, None, None)
    found = [
        Candidate(tuple(int(t) for t in row), float(np.exp(score)), float(m))
        for row, score, m in zip(prefixes[:n], scores[:n], masses[:n], strict=True)
    ]
    return found, fits


def mass_log_probability(probabilities: np.ndarray, mass: float, tolerance: float) -> float:
    """Log probability that a gap weighs `mass` (Da): its MASS_WIDTH best fitting sequences summed.

    -inf where none fits.
    """
    _, scores, _ = _search(probabilities, MASS_WIDTH, mass, tolerance)
    return float(np.logaddexp.reduce(scores)) if len(scores) else -np.inf


def _search(
    probabilities: np.ndarray, width: int, mass: float | None, tolerance: float | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tokens (n, length), log probabilities (n,) and masses (n,) of the best sequences.

    The `width` best prefixes are kept at every residue; those that cannot reach the mass with
    the lightest or heaviest residues that may follow are dropped at once.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities)
    heavy = np.concatenate((_suffix_mass(probabilities, max), [0.0]))
    light = np.concatenate((_suffix_mass(probabilities, min), [0.0]))
    scores, masses = np.zeros(1), np.zeros(1)
    prefixes = np.zeros((1, 0), dtype=np.uint8)
    for i in range(len(probabilities)):
        total = (scores[:, None] + logs[i]).ravel()
        new_mass = (masses[:, None] + RESIDUE_MASSES).ravel()
        usable = np.isfinite(total)
        if mass is not None and tolerance is not None:
            usable &= new_mass + light[i + 1] <= mass + tolerance
            usable &= new_mass + heavy[i + 1] >= mass - tolerance
        keep = np.flatnonzero(usable)
        if len(keep) > width:
            worst = np.partition(total[keep], -width)[-width]
            keep = keep[total[keep] >= worst]  # more than width where it is tied
            keep = np.sort(keep[np.argsort(-total[keep], kind="stable")[:width]])
        parents, residues = np.divmod(keep, N_RESIDUES)
        prefixes = np.concatenate((prefixes[parents], residues[:, None].astype(np.uint8)), 1)
        scores, masses = total[keep], new_mass[keep]
    order = np.argsort(-scores, kind="stable")  # of ties the first in the alphabet comes first
    return prefixes[order], scores[order], masses[order]


def _suffix_mass(probabilities: np.ndarray, extreme: Callable[[np.ndarray], float]) -> np.ndarray:
    """Lightest or heaviest mass from each position to the end, over residues that may stand."""
    masses = [extreme(RESIDUE_MASSES[row > 0]) for row in probabilities]
    return np.cumsum(masses[::-1])[::-1]
