"""Columns of what a gap hides of a V domain: its ends, and FR4 by the J segments."""

import numpy as np

from lacuna.antibody.constant_region import MAX_CDR3
from lacuna.antibody.germline_fit import CHANCE_SHARE, segments_of
from lacuna.antibody.imgt import CYS104, FR4_LAST, FR4_START, N_IMGT, OCCUPIED, cdr3_codes
from lacuna.core.alphabet import ABSENT, N_RESIDUES

MIN_FR4 = 4  # observed residues that settle where a domain ends
TYPICAL_CDR3 = {"H": 14, "K": 9, "L": 10}
CDR3_SCALE = {"H": 3.0, "K": 0.5, "L": 1.0}  # residues off the typical length that cost a nat


def place_j(
    tokens: np.ndarray, locus: str, cys: int, end: int | None
) -> tuple[int, list[int]] | None:
    """Index after the domain's last residue, and the codes from cys + 1 to there.

    Each J segment is tried with every possible end of the domain; observed residues vote. `end`
    (where the constant region starts) settles the place. Without it, the chain is assumed to end
    with its domain unless observed residues say otherwise.
    """
    n, start = len(tokens), cys + 1
    last, typical = FR4_LAST[locus], TYPICAL_CDR3[locus]
    j_length = last - FR4_START + 1
    lengths = np.arange(MAX_CDR3 + 1)  # of CDR3
    # A chain cut off within CDR3 is assumed to have a CDR3 of typical length.
    tried = lengths <= max(n - start, typical)
    if end is not None:
        tried = start + lengths + j_length == end
    lengths = lengths[tried]  # (ends,)
    if not len(lengths):
        return None
    padded = np.concatenate((tokens, np.full(MAX_CDR3 + j_length, ABSENT, np.uint8)))
    window = padded[start + lengths[:, None] + np.arange(j_length)][:, :, None]
    template = segments_of(locus)[1][FR4_START : last + 1]  # (j_length, m)
    known = (window < N_RESIDUES) & (template != ABSENT)  # (ends, j_length, m)
    agree = (known & (window == template)).sum(1, dtype=np.int8)
    differ = (known & (window != template)).sum(1, dtype=np.int8)
    prior = np.where(start + lengths + j_length == n, 2.0, 0.0) - 0.1 * abs(lengths - typical)
    length = int(lengths[np.argmax((agree - differ).max(1) + prior)])
    stop = min(start + length + j_length, n)
    codes = cdr3_codes(length) + list(range(FR4_START, last + 1))
    return stop, codes[: stop - start]


def complete(
    tokens: np.ndarray, columns: np.ndarray, locus: str, c_start: int | None
) -> np.ndarray:
    """Complete the columns of a V domain: its ends and a hidden FR4."""
    numbered = np.flatnonzero((columns > 0) & (columns <= N_IMGT))
    _complete_start(tokens, columns, locus, int(numbered[0]))
    in_v = numbered[columns[numbered] <= CYS104]
    if not len(in_v):  # the chain starts within CDR3 or FR4
        return columns
    cys = _complete_v(columns, locus, int(in_v[-1]))
    if cys is None or _has_fr4(tokens, columns, locus, cys, c_start):
        return columns
    placed = place_j(tokens, locus, cys, c_start)
    if placed is not None:
        stop, codes = placed
        columns[cys + 1 : stop] = codes
        columns[stop:] = 0
    return columns


def _complete_start(tokens: np.ndarray, columns: np.ndarray, locus: str, first: int) -> None:
    """Give missing residues before the first numbered one the columns before its column."""
    before = [c for c in OCCUPIED[locus] if c < int(columns[first])]
    for i in range(first - 1, -1, -1):
        if tokens[i] < N_RESIDUES or not before:
            break
        columns[i] = before.pop()


def _complete_v(columns: np.ndarray, locus: str, last: int) -> int | None:
    """Continue along the occupied columns if a gap ended the alignment before Cys104.

    last: index of the last residue of V that is numbered. Returns the index of Cys104, None if the
    chain ends before it.
    """
    if columns[last] >= CYS104:
        return last
    after = [c for c in OCCUPIED[locus] if c > columns[last]]
    stop = min(last + 1 + len(after), len(columns))
    columns[last + 1 : stop] = after[: stop - last - 1]
    columns[stop:] = 0
    return None if stop - last - 1 < len(after) else stop - 1


def _has_fr4(
    tokens: np.ndarray, columns: np.ndarray, locus: str, cys: int, c_start: int | None
) -> bool:
    """Whether the columns behind Cys104 need not be completed: the domain ends where it should, by
    enough observed residues, or nothing is missing there."""
    end_codes = np.flatnonzero(columns == FR4_LAST[locus])
    fr4 = np.flatnonzero((columns >= FR4_START) & (columns <= N_IMGT))
    hidden = (tokens[cys + 1 :] >= N_RESIDUES).any()
    expected_end = c_start if c_start is not None else len(tokens)
    settled = len(end_codes) == 1 and end_codes[0] + 1 == expected_end
    observed = np.count_nonzero(tokens[fr4] < N_RESIDUES)
    return bool(settled and observed >= MIN_FR4 or not hidden and len(fr4) >= 2)


def number_before_constant(
    tokens: np.ndarray, columns: np.ndarray, locus: str, c_start: int
) -> None:
    """Assign columns to the rest of FR4 and CDR3 before a constant region, in place."""
    last = FR4_LAST[locus]
    j_length = last - FR4_START + 1
    start = max(c_start - j_length, 0)
    window = tokens[start:c_start]
    template = segments_of(locus)[1][last + 1 - len(window) : last + 1]
    known = (window < N_RESIDUES)[:, None] & (template != ABSENT)
    agree = (known & (window[:, None] == template)).sum(0) - CHANCE_SHARE * known.sum(0)
    if not len(window) or agree.max() < 0:
        return
    columns[start:c_start] = range(last + 1 - len(window), last + 1)
    cdr3 = range(max(start - (FR4_START - 1 - 111), 0), start)  # 112 to 117, counted from FR4
    columns[cdr3.start : start] = range(FR4_START - len(cdr3), FR4_START)
