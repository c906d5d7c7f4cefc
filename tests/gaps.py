"""Gaps made in code: scaffolds with them, distributions over their residues, and masses."""

import numpy as np
from pyteomics.mass import calculate_mass

from chains import hidden
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES
from lacuna.scaffolds.scaffold import Gap, Scaffold

MASSES = "chain\tmass\ttolerance_da\tkind\n"  # header of a table of intact masses


def scaffold(whole: str, *spans: tuple[int, int], name: str = "m", truth: bool = False) -> Scaffold:
    """A scaffold with gaps of known length over the 0-based, half-open spans."""
    gaps = tuple(Gap(a, b, b - a, b - a, truth=whole[a:b] if truth else None) for a, b in spans)
    return Scaffold(name, "", hidden(whole, spans), gaps, 1)


def distributions(*weights: dict[str, float]) -> np.ndarray:
    """(length, 20) probabilities from weights of residues; zero for residues not named."""
    table = np.zeros((len(weights), N_RESIDUES))
    for row, weight in zip(table, weights, strict=True):
        for residue, value in weight.items():
            row[RESIDUES.index(residue)] = value
    return table / table.sum(1, keepdims=True)


def sure_of(letters: str, share: float = 0.9) -> np.ndarray:
    """(length, 20): each letter with a probability, the others alike."""
    table = np.full((len(letters), N_RESIDUES), (1 - share) / (N_RESIDUES - 1))
    table[np.arange(len(letters)), [RESIDUES.index(letter) for letter in letters]] = share
    return table


def mass_of(residues: str) -> float:
    """Monoisotopic mass of unmodified residues within a chain, in Da."""
    return sum(float(RESIDUE_MASSES[RESIDUES.index(r)]) for r in residues)


def chain_mass(chain: str, average: bool = False) -> float:
    """Mass of a whole chain, in Da."""
    return float(calculate_mass(sequence=chain, average=average))
