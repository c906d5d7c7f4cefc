"""Which residues of a filled gap fragment spectra show, whatever reads and network say."""

import numpy as np

from lacuna.core.alphabet import CYSTEINE, encode
from lacuna.scaffolds.alkylation import READINGS
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES
from lacuna.scaffolds.scaffold import Gap

LEAST_SEEN = 2.0  # nats of a cleavage, against chance, from which it is seen


def shown_by_spectra(letters: str, gap: Gap) -> np.ndarray:
    """(n,) whether spectra show the cleavages on either side of each residue of a filled gap.

    Those at the ends of the gap count as seen, since the spectra are of peptides around it. False
    for all residues if they have another mass than the gap.
    """
    none = np.zeros(len(letters), dtype=bool)
    evidence = gap.spectra
    mass = (gap.mass, gap.tolerance_da) if evidence is None or not evidence.mass else evidence.mass
    whole, within = mass[0], mass[1]
    if evidence is None or whole is None or within is None or not letters.isalpha():
        return none
    tokens = encode(letters)
    best = none
    for carried in {reading.mass for reading in READINGS.values()} if "C" in letters else (0.0,):
        lies = np.cumsum(RESIDUE_MASSES[tokens] + carried * (tokens == CYSTEINE))
        if abs(lies[-1] - whole) > within:
            continue
        seen = np.ones(len(letters) + 1, dtype=bool)
        for i, before in enumerate(lies[:-1].tolist(), start=1):
            seen[i] = any(
                abs(before - at) <= tolerance and nats >= LEAST_SEEN
                for at, tolerance, nats in evidence.cleavages
            )
        shown = seen[:-1] & seen[1:]
        best = shown if shown.sum() > best.sum() else best
    return best
