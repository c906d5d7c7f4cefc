"""What fragment ions weigh, as neutral masses: an ion of charge z less z protons.

A series is of beginnings of a peptide (b, c) or of its ends (y, z). z is the radical that electron
transfer leaves (z dot), which may lose the side chain of its first residue (w ions).
"""

from lacuna.core.masses import WATER

AMMONIA = 17.026549
HYDROGEN = 1.00782503
N_SERIES = ("b", "c")
# Da on top of the residues of a fragment.
OFFSET = {"b": 0.0, "c": AMMONIA, "y": WATER, "z": WATER - AMMONIA + HYDROGEN}
LOST_BY_L = 43.054775  # Da, C3H7
LOST_BY_I = 29.039125  # Da, C2H5
