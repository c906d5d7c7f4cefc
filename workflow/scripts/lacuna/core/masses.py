"""Monoisotopic masses in Da that several packages need; those of residues are pyteomics's."""

PROTON = 1.007276466621  # CODATA 2022
WATER = 18.010564684
ISOTOPE = 1.0033548  # 13C less 12C
OXIDATION = 15.994915  # Unimod 35
DEAMIDATION = 0.984016  # Unimod 7
