"""Masses of fragment ions as neutral masses: that of an ion of charge z less z protons.

A series has the N-terminal fragments of a peptide (b, c) or the C-terminal ones (y, z). z is the
radical left by electron transfer (z dot), which may lose the side chain of its first residue (w).
"""

from lacuna.core.masses import AMMONIA, HYDROGEN, WATER

N_SERIES = ("b", "c")
# Da on top of the residues of a fragment.
OFFSET = {"b": 0.0, "c": AMMONIA, "y": WATER, "z": WATER - AMMONIA + HYDROGEN}
LOST_BY_L = 43.054775  # Da, C3H7
LOST_BY_I = 29.039125  # Da, C2H5
