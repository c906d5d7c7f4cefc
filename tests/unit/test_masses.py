"""Masses that are written down are those of pyteomics."""

from pyteomics.mass import calculate_mass, std_aa_comp, std_aa_mass

from lacuna.core.alphabet import RESIDUES
from lacuna.core.masses import AVERAGE, AVERAGE_WATER, MONOISOTOPIC, WATER


def test_masses_of_residues_are_those_of_pyteomics() -> None:
    assert std_aa_mass == MONOISOTOPIC
    averages = {r: calculate_mass(composition=std_aa_comp[r], average=True) for r in RESIDUES}
    assert averages == AVERAGE


def test_masses_of_water_are_those_of_pyteomics() -> None:
    assert calculate_mass(formula="H2O") == WATER
    assert calculate_mass(formula="H2O", average=True) == AVERAGE_WATER
