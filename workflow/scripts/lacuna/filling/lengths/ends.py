"""Number of residues missing at an end of a chain, from its columns and germline segments."""

from bisect import bisect_right

import numpy as np

from lacuna.antibody.domain_ends import TYPICAL_CDR3
from lacuna.antibody.germlines import constants
from lacuna.antibody.imgt import (
    CONSTANT,
    CYS104,
    FR4_LAST,
    FR4_START,
    INSERTION_111,
    N_IMGT,
    OCCUPIED,
    OTHER_INSERTION,
    REGION_STARTS,
    cdr3_length,
)
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import ABSENT
from lacuna.filling.template_fit import share_of_typical_cdr3

_LOOPS = (
    (REGION_STARTS["CDR1"], REGION_STARTS["FR2"]),
    (REGION_STARTS["CDR2"], REGION_STARTS["FR3"]),
)
FR4_BEGINS = {"H": "WG-GT", "K": "FG-GT", "L": "FG-GT"}  # any residue at -
# How often the length is right if a chain begins in FR1, CDR1, FR2, CDR2 or FR3: of 2,460 chains
# (human, therapeutic, mouse, camelid) without their first 20 to 85 residues. The loops that are
# missing are taken to be as long as those of the nearest V segment.
_REGIONS = [REGION_STARTS[name] for name in ("FR1", "CDR1", "FR2", "CDR2", "FR3")]
SHARES_BEFORE = (0.99, 0.95, 0.94, 0.87, 0.83)
# The same for chains that stop at the first residue of FR4, or at a later one: of 820 chains, cut
# at any place of CDR3 and FR4, those that stop where they seem to.
SHARES_AFTER = (0.78, 0.98)
MAX_CONSTANT = 120  # residues of a constant region that are completed, about one domain


def missing_before(columns: np.ndarray, locus: str, v_row: np.ndarray | None) -> int | None:
    """Number of germline residues before the first residue of a V domain; None without one.

    columns: (length,) of the observed part of the chain; v_row: (N_CODES,) tokens of its nearest V
    segment, None if that is unknown. A CDR3 that is cut off is assumed to be of typical length.
    """
    code = int(columns[0]) if len(columns) else 0
    if not locus or not 1 <= code < OTHER_INSERTION:
        return None
    occupied = _occupied(locus, v_row)
    for begin, stop in _LOOPS:
        if begin <= code < stop:
            # What is left of a loop is numbered from its middle, so its length counts.
            loop = int(((occupied >= begin) & (occupied < stop)).sum())
            inside = (columns >= begin) & (columns < stop) | (columns == OTHER_INSERTION)
            left = int(np.argmin(np.append(inside, False)))
            return int((occupied < begin).sum()) + max(loop - left, 0)
    if code <= CYS104:
        return int((occupied < code).sum())
    if FR4_START <= code < INSERTION_111:
        return len(occupied) + TYPICAL_CDR3[locus] + code - FR4_START
    return len(occupied) + max(TYPICAL_CDR3[locus] - cdr3_length(columns), 0)


def missing_after(
    columns: np.ndarray, locus: str, v_row: np.ndarray | None, constant_left: int | None
) -> int | None:
    """Number of residues missing up to the end of FR4, or of the constant region that has begun.

    columns, v_row: as in `missing_before`; constant_left: residues of the nearest constant region
    after the chain's last one, counted up to MAX_CONSTANT. None for a chain that ends in neither.
    """
    code = int(columns[-1]) if len(columns) else 0
    if code == CONSTANT and constant_left is not None:
        return min(max(constant_left, 0), MAX_CONSTANT)
    if not locus or not 1 <= code < OTHER_INSERTION:
        return None
    if FR4_START <= code < INSERTION_111:
        return max(FR4_LAST[locus] - code, 0)
    fr4 = FR4_LAST[locus] - FR4_START + 1
    if code <= CYS104:
        return int((_occupied(locus, v_row) > code).sum()) + TYPICAL_CDR3[locus] + fr4
    return max(TYPICAL_CDR3[locus] - cdr3_length(columns), 0) + fr4


def without_doubtful_fr4(columns: np.ndarray, residues: str, locus: str) -> np.ndarray:
    """Columns (length,) of a chain that stops early, with the last of CDR3 for residues that were
    taken for the start of FR4 and do not begin as FR4 does.

    A CDR3 that is cut off behind an aromatic residue is numbered as if that were residue 118. FR4
    begins with W (heavy) or F (light), G, any residue, G and T; if all are shown, one of these may
    have mutated. residues: of those columns.
    """
    in_fr4 = (columns >= FR4_START) & (columns <= N_IMGT)
    shown = int(np.argmin(np.append(in_fr4[::-1], False)))  # at the end of the chain
    if not locus or not shown:
        return columns
    begin = residues[len(columns) - shown :]
    agree = [a == b for a, b in zip(FR4_BEGINS[locus], begin, strict=False)]
    if all(agree[:2]) or sum(agree) >= 3:
        return columns
    changed = columns.copy()
    changed[-shown:] = FR4_START - 1
    return changed


def share_before(columns: np.ndarray, locus: str) -> float:
    """Probability of the length that `missing_before` gives, 0 to 1."""
    code = int(columns[0])
    if CYS104 < code < OTHER_INSERTION:
        return share_of_typical_cdr3(cdr3_length(columns), locus)
    return SHARES_BEFORE[bisect_right(_REGIONS, code) - 1]


def share_after(columns: np.ndarray, locus: str) -> float:
    """Probability of the length that `missing_after` gives for the end of a V domain, 0 to 1."""
    code = int(columns[-1])
    if code < FR4_START or INSERTION_111 <= code < OTHER_INSERTION:
        return share_of_typical_cdr3(cdr3_length(columns), locus)
    return SHARES_AFTER[code > FR4_START]


def constant_left(sequence: str) -> int | None:
    """Residues of the constant region at the end of a chain after the chain's last residue."""
    part = number_parts(sequence)[-1]
    numbering = part.numbering
    if numbering.constant is None or numbering.constant_start is None:
        return None
    length = len(constants()[numbering.constant].sequence)
    return part.start + numbering.constant_start + length - len(sequence)


def _occupied(locus: str, v_row: np.ndarray | None) -> np.ndarray:
    """Columns 1 to 104 occupied in a V segment, rising; where it lacks ends, those of the locus."""
    usual = np.array(OCCUPIED[locus])
    if v_row is None:
        return usual
    own = np.flatnonzero(v_row[: CYS104 + 1] != ABSENT)
    if not len(own):
        return usual
    before, after = usual[usual < own[0]], usual[usual > own[-1]]
    return np.concatenate((before, own, after))
