"""Masses that are written down are those of pyteomics."""

import pytest
from pyteomics.mass import calculate_mass, std_aa_comp, std_aa_mass

from lacuna.core.alphabet import RESIDUES
from lacuna.core.masses import (
    AVERAGE,
    AVERAGE_WATER,
    GLYCANS,
    MONOISOTOPIC,
    SUGARS,
    WATER,
    glycan_masses,
)


def test_masses_of_residues_are_those_of_pyteomics() -> None:
    assert std_aa_mass == MONOISOTOPIC
    averages = {r: calculate_mass(composition=std_aa_comp[r], average=True) for r in RESIDUES}
    assert averages == AVERAGE


def test_masses_of_water_are_those_of_pyteomics() -> None:
    assert calculate_mass(formula="H2O") == WATER
    assert calculate_mass(formula="H2O", average=True) == AVERAGE_WATER


def test_masses_of_sugars_are_those_of_pyteomics() -> None:
    formulas = {"HexNAc": "C8H13NO5", "Hex": "C6H10O5", "Fuc": "C6H10O4"}
    assert {
        sugar: (calculate_mass(formula=formula), calculate_mass(formula=formula, average=True))
        for sugar, formula in formulas.items()
    } == SUGARS
    monoisotopic = [glycan_masses(name)[0] for name in GLYCANS]
    assert monoisotopic == pytest.approx([1444.5339, 1606.5867, 1768.6395], abs=1e-4)
