"""When a read is over a joint of two residues, and how many are over each joint of a stretch."""

import math
from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.placing.aligning.alignment import INSERTED, MATCH, MISMATCH, OTHER_BLOCK, Alignment

# Share of each residue in CDR3s, I with L (means of human VH, human VL and camelid VHH in the test
# sets of AbNatiV 2): Y and S say little there, W and H much.
_IN_CDR3 = {
    **{"A": 0.096, "C": 0.017, "D": 0.079, "E": 0.022, "F": 0.031, "G": 0.093, "H": 0.015},
    **{"I": 0.069, "K": 0.013, "L": 0.069, "M": 0.013, "N": 0.030, "P": 0.042, "Q": 0.029},
    **{"R": 0.057, "S": 0.125, "T": 0.068, "V": 0.063, "W": 0.026, "Y": 0.111},
}
CDR3_SHARES = np.array([_IN_CDR3[r] for r in RESIDUES])


@dataclass(frozen=True, slots=True)
class JointRule:
    """When a read is over a joint.

    reach: residues on both sides that do not differ from the chain; worth (residues,): what each
    residue counts that is the same in read and chain, and least: what those of an unbroken piece
    must sum to on both sides, since blocks of equal mass, and a residue or two, agree by chance.
    in_front: the most that a residue counts in front of the first joint, where chains are alike and
    tools write YC if they cannot read how a CDR3 begins. A CDR3 may hold YC itself: reads that
    agree in few residues there, and differ in front of these, count together at most as much as all
    other reads.
    """

    reach: int
    worth: np.ndarray
    least: float
    in_front: float = math.inf

    def worth_of(self, tokens: np.ndarray) -> np.ndarray:
        """What residues count, of the shape of `tokens`; 0 of one that is not known."""
        known = tokens < N_RESIDUES
        found: np.ndarray = np.where(known, self.worth[np.where(known, tokens, 0)], 0.0)
        return found


# In front of CDR3 other chains have much the same residues, so that even rare ones say little; in
# CDR3 each says more the rarer it is there.
V_JOINT = JointRule(reach=2, worth=np.ones(N_RESIDUES), least=3.0)
# Three residues are enough in front of the first joint. If five were needed, a mixture of 2489 and
# NB6 would lose the CDR3 of 2489, since no read of it has more (docs/explanation/measurements.md).
CDR3_JOINT = JointRule(reach=1, worth=-np.log(CDR3_SHARES), least=5.0, in_front=1.7)
FEW_IN_FRONT = 3  # residues in front of a CDR3 that reads of its YC may have by a mistake
ANY_JOINT = JointRule(reach=1, worth=np.zeros(N_RESIDUES), least=0.0)  # however it goes on


def joints_of(
    rule: JointRule,
    found: Alignment,
    text: np.ndarray,
    weight: np.ndarray,
    start: int,
    length: int,
) -> np.ndarray:
    """(length + 1,) weight of the reads over each joint of a stretch of the text."""
    window = start - rule.reach + np.arange(length + 2 * rule.reach)
    agrees = found.covers(window)
    row, column = np.nonzero(found.kind == MISMATCH)
    place = found.at[row, column] - window[0]
    inside = (place >= 0) & (place < len(window))
    agrees[row[inside], place[inside]] = False
    over = np.lib.stride_tricks.sliding_window_view(agrees, 2 * rule.reach, axis=1).all(-1)
    worth = np.where(found.kind == MATCH, rule.worth_of(text[found.at]), 0.0)
    piece = _pieces(found)
    told = np.ones((len(found.at), length + 1), dtype=bool)
    unlike = np.zeros(len(found.at), dtype=bool)
    for joint in range(length + 1):
        front = (found.at >= 0) & (found.at < start + joint)
        own = piece == np.where(front, piece, -1).max(1, initial=-1)[:, None]
        ahead = worth if joint else np.minimum(worth, rule.in_front)
        for side, says in ((own & front, ahead), (own & (found.at >= start + joint), worth)):
            told[:, joint] &= side.any(1) & ((says * side).sum(1) >= rule.least)
        if not joint and math.isfinite(rule.in_front):
            same = own & front
            unlike = ((same & (worth > 0)).sum(1) <= FEW_IN_FRONT) & ~same[:, 0]
    joined = (over & told) * weight[:, None]
    total: np.ndarray = joined.sum(0)
    total[0] = min(total[0], 2 * joined[~unlike, 0].sum())
    return total


def _pieces(found: Alignment) -> np.ndarray:
    """(m, w) number of the piece of a read to which each residue belongs: one ends where residues
    differ, where the read has one that the text lacks, and where it leaves out two or more.

    A read of another chain may lie on both sides of a joint, with other residues between.
    """
    at, kind = found.at, found.kind
    apart = (kind == MISMATCH) | (kind == INSERTED)
    apart[:, 1:] |= apart[:, :-1]
    # Tools leave out single residues, and a block may have more in the text than in the read.
    left_out = (at[:, :-1] >= 0) & (at[:, 1:] > at[:, :-1] + 2)
    apart[:, 1:] |= left_out & (kind[:, 1:] != OTHER_BLOCK)
    pieces: np.ndarray = np.cumsum(apart, axis=1)
    return pieces
