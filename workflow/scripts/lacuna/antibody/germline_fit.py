"""How well germline segments fit a chain whose gaps have known lengths.

V segments are placed on the chain without gaps of their own, so that the known length of every gap
counts; columns, whatever their source, are judged by the V and J segments that agree with them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from lacuna.antibody.germlines import LOCI, j_segments, v_segments
from lacuna.antibody.imgt import (
    CYS104,
    FR4_LAST,
    FR4_START,
    N_CODES,
    N_IMGT,
    OCCUPIED,
    OTHER_INSERTION,
    REGION_STARTS,
)
from lacuna.core.alphabet import ABSENT, N_RESIDUES, decode

V_SEED = 4  # residues of an exact match that proposes a V segment
MAX_PLACEMENTS = 200  # of segments that are compared, those that most seeds propose
# A residue that agrees scores 1 less this, one that does not 0 less this. Unrelated sequences in
# their best placement agree in a smaller share of 20 residues or more, mutated V domains in 0.6.
CHANCE_SHARE = 0.4
_STRIDE = 1 << 32  # between segments in the encoding of placements; longer than any chain
# Columns that a short CDR1 leaves empty, in this order: IMGT leaves the middle empty.
_EMPTIED = (33, 32, 34, 31, 35, 30, 36, 29, 37, 28)
_EMPTIED_CDR2 = (61, 60, 62, 59, 63, 58, 64, 57)  # the same of a short CDR2
_FR3_END = 85  # from here on all V segments of a locus occupy the same columns of FR3
FRAMEWORK = {
    locus: bytes(
        c
        for c in OCCUPIED[locus]
        if not REGION_STARTS["CDR1"] <= c < REGION_STARTS["FR2"]
        and not REGION_STARTS["CDR2"] <= c < REGION_STARTS["FR3"]
    )
    for locus in OCCUPIED
}


@dataclass(frozen=True, slots=True)
class VIndex:
    """n V segments up to Cys104 without their gaps, at most w residues each.

    tokens: (n, w) uint8, ABSENT past the end of a segment; columns: (n, w) uint8, 0 past the end.
    locus: (n,) index into LOCI; seeds: for each run of V_SEED residues, the segments that contain
    it and their starts relative to the run: (m,) _STRIDE * segment + w - position of the run.
    """

    tokens: np.ndarray
    columns: np.ndarray
    locus: np.ndarray
    seeds: dict[str, np.ndarray]


@cache
def v_index() -> VIndex:
    """The bundled V segments, indexed by their runs of V_SEED residues."""
    segments = v_segments()
    grid = segments.tokens[:, : CYS104 + 1]
    present = grid != ABSENT
    length = present.sum(1)
    tokens = np.full((len(grid), length.max()), ABSENT, dtype=np.uint8)
    columns = np.zeros(tokens.shape, dtype=np.uint8)
    seeds: dict[str, list[int]] = {}
    for i, row in enumerate(grid):
        columns[i, : length[i]] = np.flatnonzero(present[i])
        tokens[i, : length[i]] = row[present[i]]
        sequence = decode(tokens[i, : length[i]])
        for j in range(len(sequence) - V_SEED + 1):
            place = _STRIDE * i + tokens.shape[1] - j
            seeds.setdefault(sequence[j : j + V_SEED], []).append(place)
    arrays = {seed: np.array(places) for seed, places in seeds.items()}
    return VIndex(tokens, columns, segments.locus, arrays)


@cache
def segments_of(locus: str) -> tuple[np.ndarray, np.ndarray]:
    """V and J segments of a locus by column: (N_CODES, n) and (N_CODES, m) tokens."""
    at = LOCI.index(locus)
    v, j = (x.tokens[x.locus == at].T.copy() for x in (v_segments(), j_segments()))
    return v, j


def place_v(tokens: np.ndarray, sequence: str) -> tuple[str, np.ndarray]:
    """Locus and columns up to Cys104 of the V segment that fits best without indels.

    tokens: (length,) of `sequence`. Every run of V_SEED observed residues proposes the segments
    that contain it, and their starts. '' and zeros if no run is shared.
    """
    index = v_index()
    columns = np.zeros(len(tokens), dtype=np.uint8)
    hits = []
    for i in range(len(sequence) - V_SEED + 1):
        places = index.seeds.get(sequence[i : i + V_SEED])
        if places is not None:
            hits.append(places + i)
    if not hits:
        return "", columns
    placements, votes = np.unique(np.concatenate(hits), return_counts=True)
    order = np.argsort(-votes, kind="stable")[:MAX_PLACEMENTS]
    segment, start = np.divmod(placements[order], _STRIDE)
    width = index.tokens.shape[1]
    edge = np.full(width, ABSENT, dtype=np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate((edge, tokens, edge)), width)
    placed, template = windows[start], index.tokens[segment]  # (placements, width)
    known = (placed < N_RESIDUES) & (template != ABSENT)
    agree = (known & (placed == template)).sum(1, dtype=np.uint8)
    best = int(np.argmax(agree - CHANCE_SHARE * known.sum(1, dtype=np.uint8)))
    at = start[best] - width + np.arange(width)  # index into the chain
    inside = (at >= 0) & (at < len(tokens)) & (template[best] != ABSENT)
    columns[at[inside]] = index.columns[segment[best], inside]
    return LOCI[index.locus[segment[best]]], columns


def from_column_one(locus: str, columns: np.ndarray) -> np.ndarray | None:
    """The same columns, but with the residues before FR2 numbered from column 1 and a shorter CDR1.

    If a CDR1 is shorter than any in germline, a segment placed without indels starts late. None if
    the domain already starts on column 1, or if FR1 and a CDR1 do not fit.
    """
    fr2 = np.flatnonzero(columns == REGION_STARTS["FR2"])
    if columns[0] == 1 or len(fr2) != 1:
        return None
    stop = int(fr2[0])
    before = [c for c in OCCUPIED[locus] if c < REGION_STARTS["FR2"]]
    surplus = len(before) - stop
    if not 0 <= surplus <= len(_EMPTIED):
        return None
    moved = columns.copy()
    moved[:stop] = [c for c in before if c not in _EMPTIED[:surplus]]
    return moved


@cache
def _fr3_patterns(locus: str) -> tuple[tuple[int, ...], ...]:
    """The columns of FR3 that V segments of a locus occupy, up to Cys104, each pattern once."""
    present = segments_of(locus)[0][REGION_STARTS["FR3"] : CYS104 + 1].T != ABSENT
    patterns = np.unique(present[present[:, -1]], axis=0)  # of those that reach Cys104
    return tuple(tuple((REGION_STARTS["FR3"] + np.flatnonzero(p)).tolist()) for p in patterns)


def is_fr3_open(tokens: np.ndarray, columns: np.ndarray, locus: str) -> bool:
    """Whether a gap from CDR2 to strand E hides which columns of FR3 are occupied.

    So it is if V segments that have another FR3 there agree best with the end of FR3.
    """
    inside = (columns >= REGION_STARTS["CDR2"]) & (columns < _FR3_END)
    if not (inside & (tokens >= N_RESIDUES)).any():
        return False
    v, _ = segments_of(locus)
    end = np.flatnonzero((columns >= _FR3_END) & (columns <= CYS104) & (tokens < N_RESIDUES))
    agree = (v[columns[end]] == tokens[end, None]).sum(0)
    nearest = v[REGION_STARTS["FR3"] : _FR3_END, agree == agree.max()] != ABSENT
    occupied = np.isin(np.arange(REGION_STARTS["FR3"], _FR3_END), columns)
    return bool((nearest != occupied[:, None]).any())


def with_other_fr3(locus: str, columns: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the columns with FR3 as each V segment has it, counted back from Cys104.

    In some segments FR3 is shorter, as in most of rabbit heavy chains between strands D and E. If
    a gap hides this place, an alignment leaves any column of the gap empty. What is left between
    FR2 and FR3 is numbered as a CDR2. Nothing is yielded where FR2 or Cys104 are not numbered.
    """
    fr2 = np.flatnonzero(columns == REGION_STARTS["CDR2"] - 1)
    cys = np.flatnonzero(columns == CYS104)
    if len(fr2) != 1 or len(cys) != 1:
        return
    start, stop = int(fr2[0]) + 1, int(cys[0]) + 1
    cdr2 = range(REGION_STARTS["CDR2"], REGION_STARTS["FR3"])
    for pattern in _fr3_patterns(locus):
        surplus = len(cdr2) - (stop - start - len(pattern))
        if 0 <= surplus <= len(_EMPTIED_CDR2):
            moved = columns.copy()
            empty = _EMPTIED_CDR2[:surplus]
            moved[start:stop] = [*(c for c in cdr2 if c not in empty), *pattern]
            if not np.array_equal(moved, columns):
                yield moved


def agreement(tokens: np.ndarray, columns: np.ndarray, locus: str) -> float:
    """Residues that agree with the best V and J segment, less a penalty for chance and indels.

    A column of the framework counts as an indel if only the chain or only the segment has a
    residue there, shown or not.
    """
    v, j = segments_of(locus)
    grid = np.full(N_CODES, ABSENT, dtype=np.uint8)
    grid[columns] = np.where(tokens < N_RESIDUES, tokens, ABSENT)
    grid[0] = ABSENT
    taken = columns[(columns >= 1) & (columns <= N_IMGT)].tobytes()
    first, last = min(taken, default=0), max(taken, default=0)
    framework = np.array([c for c in FRAMEWORK[locus] if first < c < last], dtype=np.int64)
    empty = ~np.isin(framework, columns)
    score = -float((columns == OTHER_INSERTION).sum())
    for template, low, high in ((v, 1, CYS104), (j, FR4_START, FR4_LAST[locus])):
        known = low + np.flatnonzero(grid[low : high + 1] != ABSENT)
        agree = (template[known] == grid[known, None]).sum(0, dtype=np.int16)
        if template is v:
            agree -= ((template[framework] == ABSENT) != empty[:, None]).sum(0, dtype=np.int16)
        score += float(agree.max() - CHANCE_SHARE * len(known))
    return score
