"""What the user should know of a residue: where it may be wrong, and why."""

import numpy as np

from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.placing.consensus import Votes
from lacuna.placing.draft import Draft
from lacuna.placing.readset import I, L

MINORITY = 0.15  # share of the nats of reads for another residue
SOME = 0.1  # share of reads that show D for N, or E for Q
FEW = 4.0  # nats: against germline on so little evidence
_D, _N, _E, _Q = (RESIDUES.index(r) for r in "DNEQ")


def flags_of(draft: Draft, found: Votes, best: np.ndarray, told: np.ndarray) -> list[list[str]]:
    """Flags of each position: deamidation, germline, minority.

    best (t,) residues, L for I; told (t,) nats by which reads alone prefer theirs.
    """
    flags: list[list[str]] = []
    germline = np.where(draft.germline == I, L, draft.germline)
    for i, residue in enumerate(best.tolist()):
        own: list[str] = []
        for pair, (amide, acid) in enumerate(((_N, _D), (_Q, _E))):
            plain, acidic = found.amide[i, 2 * pair : 2 * pair + 2]
            total = plain + acidic
            if residue in (amide, acid) and total and min(plain, acidic) >= SOME * total:
                own.append("deamidation")
        if germline[i] < N_RESIDUES and germline[i] != residue and told[i] < FEW:
            own.append("against_germline")
        nats = np.maximum(found.nats[i], 0.0)
        others = nats.copy()
        others[residue] = 0.0
        if nats.sum() and others.max() >= MINORITY * nats.sum() and "deamidation" not in own:
            own.append("minority")
        flags.append(own)
    return flags
