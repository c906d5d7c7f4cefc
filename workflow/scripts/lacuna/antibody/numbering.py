"""IMGT columns of a scaffold whose gaps have known lengths.

immunum (profile alignment, tolerates X) numbers what is observed. If germline words leave no doubt
about the locus, only the profile of that locus is used. If a gap hides an anchor of the alignment,
the columns are completed from what is still known: the number of missing residues, the occupied
columns of the locus, the start of the constant region, and the J segments, whose end is the end of
the domain.

immunum's result is in doubt if there is a long gap, an insertion where there should be none, a
domain that starts late, or low confidence. The germline V segments are then placed on the chain
without gaps, so that the known length of every gap counts. Of the two numberings, the one in which
more residues agree with germline is used. A result that agrees with no germline is not an
antibody.

`number_chain` numbers one V domain, the one that immunum aligns best; everything outside it and
its constant region (a leader, a linker) is OUTSIDE. `number_parts` first cuts a chain with several
V domains (an scFv, a tandem, a bispecific chain) between them, as runs of germline words suggest,
and numbers each part as a chain of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import immunum
import numpy as np

from lacuna.antibody.germlines import LOCI, constants, j_segments, v_segments
from lacuna.antibody.imgt import (
    CONSTANT,
    CYS104,
    FR4_LAST,
    FR4_START,
    N_CODES,
    N_IMGT,
    OCCUPIED,
    OTHER_INSERTION,
    OUTSIDE,
    REGION_STARTS,
    cdr3_codes,
    column_code,
)
from lacuna.core.alphabet import ABSENT, N_RESIDUES, decode, encode

MIN_OBSERVED = 20  # numbered residues; with fewer there is no evidence of a V domain
MIN_CONFIDENCE = 0.3  # of immunum; masked chains of the bench reach 0.38 and more
WORD = 5  # residues of a word that indicates a locus
MIN_WORDS = 3  # of one locus, and twice as many as of the others together
MIN_C_IDENTITY = 0.6  # of observed residues with the chosen constant region
MIN_C_SCORE = 12.0  # of a constant region that does not follow a V domain
SEED = 5  # residues of an exact match that proposes a constant region
# Runs of germline residues that propose a V domain. With a gap of up to 30 residues, all of 2,000
# natural domains of several species contain enough of them; no bundled constant region does.
V_WORD = 7  # residues
MIN_V_WORDS = 4  # that agree on where the domain begins
V_DRIFT = 16  # residues by which CDR lengths may shift the start that words imply
MIN_APART = 60  # residues from the beginning of one V domain to that of the next
WORD_SPREAD = 8  # columns; a word whose columns in segments differ by more implies no place
MIN_PART = 70  # observed residues of a part of a chain; shorter parts belong to their neighbour
MIN_PART_V = 40  # of them on columns of a V domain
MAX_CDR3 = 45
MIN_FR4 = 4  # observed residues that settle where a domain ends
TYPICAL_CDR3 = {"H": 14, "K": 9, "L": 10}

# When germline segments are consulted. Up to 12 missing residues in a row immunum is right in
# 999 of 1,000 chains, from 20 on in fewer than 91 of 100.
LONG_GAP = 16
SURE_CONFIDENCE = 0.5
SURE_OBSERVED = 60
LATE_START = 20  # a domain whose first column is this or later may have lost its start
V_SEED = 4  # residues of an exact match that proposes a V segment
MAX_PLACEMENTS = 200
# A residue that agrees scores 1 - CHANCE, one that does not -CHANCE. Unrelated sequences in their
# best placement agree in less than CHANCE of 20 residues or more, mutated V domains in 0.6.
CHANCE = 0.4
MIN_AGREEMENT = 6.0

_STRIDE = 1 << 32  # between segments in the encoding of placements; longer than any chain

# Columns that a short CDR1 leaves empty, in this order: IMGT leaves the middle empty.
_EMPTIED = (33, 32, 34, 31, 35, 30, 36, 29, 37, 28)

_NUMBERABLE = str.maketrans("BJZ", "NLQ")
_FRAMEWORK = {
    locus: bytes(
        c
        for c in OCCUPIED[locus]
        if not REGION_STARTS["CDR1"] <= c < REGION_STARTS["FR2"]
        and not REGION_STARTS["CDR2"] <= c < REGION_STARTS["FR3"]
    )
    for locus in OCCUPIED
}


@dataclass(frozen=True, slots=True)
class Numbering:
    """Columns of one chain.

    locus: 'H', 'K', 'L', or '' if neither a V domain nor a constant region was found.
    columns: (length,) uint8 column codes.
    constant_start: index of the residue aligned with the first residue of the constant region
        (negative if the start is cut off), or None without a constant region.
    constant: index into `germlines.constants()`, or None.
    """

    locus: str
    columns: np.ndarray
    constant_start: int | None
    constant: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """The numbering of the residues of a chain from index `start` on, up to the next part."""

    start: int
    numbering: Numbering


@dataclass(frozen=True, slots=True)
class _VIndex:
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
def _annotator(chains: str) -> immunum.Annotator:
    """immunum for one locus, or for the best of all ('ig'), which takes three times as long."""
    return immunum.Annotator([chains], "imgt", min_confidence=0.0)


@cache
def _locus_words() -> dict[str, int]:
    """Index into LOCI of every run of WORD residues found in V segments of a single locus."""
    loci: dict[str, set[int]] = {}
    for row, locus in zip(v_segments().tokens, v_segments().locus.tolist(), strict=True):
        sequence = decode(row[row < N_RESIDUES])
        for i in range(len(sequence) - WORD + 1):
            loci.setdefault(sequence[i : i + WORD], set()).add(locus)
    return {word: next(iter(held)) for word, held in loci.items() if len(held) == 1}


def _likely_locus(sequence: str) -> str:
    """Locus indicated by the words of a chain; '' if they are few or contradictory."""
    locus_of = _locus_words().get
    votes = [0] * (len(LOCI) + 1)  # the last counts words that indicate no locus
    for i in range(0, len(sequence) - WORD + 1, 3):
        votes[locus_of(sequence[i : i + WORD], -1)] += 1
    of_loci = votes[:-1]
    most = max(of_loci)
    return LOCI[of_loci.index(most)] if most >= max(MIN_WORDS, 2 * (sum(of_loci) - most)) else ""


def _number(sequence: str) -> immunum.NumberingResult:
    """immunum's result for the likely locus if it is confident, else for the best locus.

    sequence: without ambiguity codes. For a single V domain the two never differ in practice (none
    of 16,000 chains); they could if a chain has domains of two loci.
    """
    locus = _likely_locus(sequence)
    if locus:
        result = _annotator(locus).number(sequence)
        if result.confidence is not None and result.confidence >= SURE_CONFIDENCE:
            return result
    return _annotator("ig").number(sequence)


_code = cache(column_code)


@cache
def _constant_seeds() -> dict[str, list[tuple[int, int]]]:
    """Places of each run of SEED residues: (constant region, position)."""
    seeds: dict[str, list[tuple[int, int]]] = {}
    for i, constant in enumerate(constants()):
        for j in range(len(constant.sequence) - SEED + 1):
            seeds.setdefault(constant.sequence[j : j + SEED], []).append((i, j))
    return seeds


@cache
def constant_tokens() -> tuple[np.ndarray, ...]:
    """Residues of each of `germlines.constants()` as tokens, (length,) uint8."""
    return tuple(encode(c.sequence) for c in constants())


@cache
def _v_index() -> _VIndex:
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
    return _VIndex(tokens, columns, segments.locus, arrays)


@cache
def _segments_of(locus: str) -> tuple[np.ndarray, np.ndarray]:
    """V and J segments of a locus by column: (N_CODES, n) and (N_CODES, m) tokens."""
    at = LOCI.index(locus)
    v, j = (x.tokens[x.locus == at].T.copy() for x in (v_segments(), j_segments()))
    return v, j


def diagonal_identity(tokens: np.ndarray, template: np.ndarray, start: int) -> tuple[int, int]:
    """Matches and comparable residues if a template is placed on a chain from index `start`.

    tokens: (length,) of the chain; template: (m,) residues; no indels. Missing residues of the
    chain are not comparable.
    """
    low, high = max(start, 0), min(start + len(template), len(tokens))
    if high <= low:
        return 0, 0
    chain, other = tokens[low:high], template[low - start : high - start]
    known = chain < N_RESIDUES
    return int((known & (chain == other)).sum()), int(known.sum())


def find_constant(
    tokens: np.ndarray, sequence: str, first: int, expected: int | None = None
) -> tuple[int, int] | None:
    """The constant region (index, start) that best fits the chain from index `first` on.

    tokens: (length,) of `sequence`. `expected` is where the V domain ends: near it a few matching
    residues suffice, anywhere else the score must reach MIN_C_SCORE. None if none fits.
    """
    votes: dict[tuple[int, int], int] = {}
    seeds = _constant_seeds()
    for i in range(first, len(sequence) - SEED + 1, 2):
        for constant, j in seeds.get(sequence[i : i + SEED], ()):
            votes[constant, i - j] = votes.get((constant, i - j), 0) + 1
    best, best_score = None, 0.0
    for (constant, start), _ in sorted(votes.items(), key=lambda v: (-v[1], v[0]))[:24]:
        matches, known = diagonal_identity(tokens, constant_tokens()[constant], start)
        score = matches - 2.0 * (known - matches)
        follows = expected is not None and abs(start - expected) <= MAX_CDR3
        if score < MIN_C_SCORE and not follows:
            continue
        if known and matches / known >= MIN_C_IDENTITY and score > best_score:
            best, best_score = (constant, start), score
    return best


def _place_j(
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
    template = _segments_of(locus)[1][FR4_START : last + 1]  # (j_length, m)
    known = (window < N_RESIDUES) & (template != ABSENT)  # (ends, j_length, m)
    agree = (known & (window == template)).sum(1, dtype=np.int8)
    differ = (known & (window != template)).sum(1, dtype=np.int8)
    prior = np.where(start + lengths + j_length == n, 2.0, 0.0) - 0.1 * abs(lengths - typical)
    length = int(lengths[np.argmax((agree - differ).max(1) + prior)])
    stop = min(start + length + j_length, n)
    codes = cdr3_codes(length) + list(range(FR4_START, last + 1))
    return stop, codes[: stop - start]


def _complete(
    tokens: np.ndarray, columns: np.ndarray, locus: str, c_start: int | None
) -> np.ndarray:
    """Complete the columns of a V domain: its ends and a hidden FR4."""
    numbered = np.flatnonzero((columns > 0) & (columns <= N_IMGT))
    occupied = OCCUPIED[locus]
    # Missing residues before the first numbered one get the columns before its column.
    first = int(numbered[0])
    column = int(columns[first])
    before = [c for c in occupied if c < column]
    for i in range(first - 1, -1, -1):
        if tokens[i] < N_RESIDUES or not before:
            break
        columns[i] = before.pop()
    in_v = numbered[columns[numbered] <= CYS104]
    if not len(in_v):  # the chain starts within CDR3 or FR4
        return columns
    # A gap ended the alignment before Cys104: continue along the occupied columns.
    last_v = int(in_v[-1])
    if columns[last_v] < CYS104:
        after = [c for c in occupied if c > columns[last_v]]
        stop = min(last_v + 1 + len(after), len(columns))
        columns[last_v + 1 : stop] = after[: stop - last_v - 1]
        columns[stop:] = 0
        if stop - last_v - 1 < len(after):
            return columns
        last_v = stop - 1
    end_codes = np.flatnonzero(columns == FR4_LAST[locus])
    fr4 = np.flatnonzero((columns >= FR4_START) & (columns <= N_IMGT))
    hidden = (tokens[last_v + 1 :] >= N_RESIDUES).any()
    expected_end = c_start if c_start is not None else len(tokens)
    settled = len(end_codes) == 1 and end_codes[0] + 1 == expected_end
    if settled and (tokens[fr4] < N_RESIDUES).sum() >= MIN_FR4 or not hidden and len(fr4) >= 2:
        return columns
    placed = _place_j(tokens, locus, last_v, c_start)
    if placed is not None:
        stop, codes = placed
        columns[last_v + 1 : stop] = codes
        columns[stop:] = 0
    return columns


def _constant_after(
    tokens: np.ndarray, sequence: str, columns: np.ndarray
) -> tuple[int, int] | None:
    """The constant region after the V domain of `columns`, or anywhere without a V domain."""
    domain = np.flatnonzero(columns)
    if not len(domain):
        return find_constant(tokens, sequence, 0)
    end = int(domain[-1]) + 1
    if len(sequence) - end < SEED and tokens[-1] < N_RESIDUES:
        return None
    found = find_constant(tokens, sequence, max(end - 12, 0), end)
    # A match that would start deep within the domain is accidental.
    return None if found is not None and found[1] <= end - 40 else found


def _align(tokens: np.ndarray, sequence: str) -> tuple[str, np.ndarray, bool]:
    """immunum's locus and columns, and whether they are beyond doubt; '' and zeros if it fails."""
    columns = np.zeros(len(sequence), dtype=np.uint8)
    result = _number(sequence.translate(_NUMBERABLE)) if sequence else None
    if (
        result is None
        or result.numbering is None
        or result.chain is None
        or result.query_start is None
        or result.confidence is None
    ):  # both are None or neither; immunum fails only on chains of a few residues
        return "", columns, False
    codes = bytes(map(_code, result.numbering))
    start = result.query_start
    stop = start + len(codes)
    observed = int(np.count_nonzero(tokens[start:stop] < N_RESIDUES))
    if result.confidence < MIN_CONFIDENCE or observed < MIN_OBSERVED:
        return "", columns, False
    columns[start:stop] = np.frombuffer(codes, dtype=np.uint8)
    left_out = _FRAMEWORK[result.chain].translate(None, codes)
    sure = (
        result.confidence >= SURE_CONFIDENCE
        and observed >= SURE_OBSERVED
        and OTHER_INSERTION not in codes
        and codes[0] < LATE_START
        and (codes[0] == 1 or start == 0 or tokens[start - 1] >= N_RESIDUES)
        and (max(codes) >= CYS104 or stop == len(sequence))
        and "X" * LONG_GAP not in sequence
        and not any(codes[0] < c < codes[-1] for c in left_out)
    )
    return result.chain, columns, sure


def _is_whole(tokens: np.ndarray, columns: np.ndarray, locus: str) -> bool:
    """Whether a chain is one V domain from first to last residue, with nothing left to settle."""
    last = FR4_LAST[locus]
    if not columns[0] or columns[-1] != last or tokens[-1] >= N_RESIDUES:
        return False
    codes = columns.tobytes()
    if CYS104 not in codes or codes.count(last) != 1:
        return False
    end = slice(-(last - FR4_START + 1), None)
    fr4 = (columns[end] >= FR4_START) & (columns[end] <= N_IMGT)
    return int(np.count_nonzero(fr4 & (tokens[end] < N_RESIDUES))) >= MIN_FR4


def _lay_germline(tokens: np.ndarray, sequence: str) -> tuple[str, np.ndarray]:
    """Locus and columns up to Cys104 of the V segment that fits best without indels.

    tokens: (length,) of `sequence`. Every run of V_SEED observed residues proposes the segments
    that contain it, and their starts. '' and zeros if no run is shared.
    """
    index = _v_index()
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
    best = int(np.argmax(agree - CHANCE * known.sum(1, dtype=np.uint8)))
    at = start[best] - width + np.arange(width)  # index into the chain
    inside = (at >= 0) & (at < len(tokens)) & (template[best] != ABSENT)
    columns[at[inside]] = index.columns[segment[best], inside]
    return LOCI[index.locus[segment[best]]], columns


def _from_column_one(locus: str, columns: np.ndarray) -> np.ndarray | None:
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


def _agreement(tokens: np.ndarray, columns: np.ndarray, locus: str) -> float:
    """Residues that agree with the best V and J segment, less a penalty for chance and indels."""
    v, j = _segments_of(locus)
    grid = np.full(N_CODES, ABSENT, dtype=np.uint8)
    grid[columns] = np.where(tokens < N_RESIDUES, tokens, ABSENT)
    grid[0] = ABSENT
    score = 0.0
    for template, first, last in ((v, 1, CYS104), (j, FR4_START, FR4_LAST[locus])):
        known = first + np.flatnonzero(grid[first : last + 1] != ABSENT)
        agree = (template[known] == grid[known, None]).sum(0, dtype=np.uint8)
        score += float(agree.max() - CHANCE * len(known))
    taken = columns[(columns >= 1) & (columns <= N_IMGT)].tobytes()
    first, last = min(taken, default=0), max(taken, default=0)
    deleted = sum(first < c < last for c in _FRAMEWORK[locus].translate(None, taken))
    return score - float((columns == OTHER_INSERTION).sum()) - deleted


def _observed(tokens: np.ndarray, columns: np.ndarray) -> int:
    return int(((columns > 0) & (tokens < N_RESIDUES)).sum())


def _candidates(
    tokens: np.ndarray, sequence: str, aligned: tuple[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield locus and columns of each numbering to compare, the most trusted first."""
    by_germline = _lay_germline(tokens, sequence)
    pairs = [(locus, columns) for locus, columns in (aligned, by_germline) if locus]
    yield from pairs
    for locus, columns in pairs:
        moved = _from_column_one(locus, columns)
        if moved is not None:
            yield locus, moved


def _settle(
    tokens: np.ndarray, sequence: str, aligned: tuple[str, np.ndarray]
) -> tuple[str, np.ndarray, tuple[int, int] | None]:
    """Locus, columns and constant region if the numbering `aligned` by immunum is in doubt."""
    best: tuple[str, np.ndarray, tuple[int, int] | None] | None = None
    best_score = MIN_AGREEMENT
    for locus, columns in _candidates(tokens, sequence, aligned):
        found = _constant_after(tokens, sequence, columns)
        columns = _complete(tokens, columns.copy(), locus, found[1] if found else None)
        follows = found is not None and constants()[found[0]].locus == locus
        if _observed(tokens, columns) < MIN_OBSERVED and not follows:
            continue
        score = _agreement(tokens, columns, locus)
        if score > best_score:
            best, best_score = (locus, columns, found), score
    if best is None:
        return "", np.zeros(len(tokens), dtype=np.uint8), find_constant(tokens, sequence, 0)
    return best


def _rest_of_v(tokens: np.ndarray, columns: np.ndarray, locus: str, c_start: int) -> None:
    """Assign columns to the rest of FR4 and CDR3 before a constant region, in place."""
    last = FR4_LAST[locus]
    j_length = last - FR4_START + 1
    start = max(c_start - j_length, 0)
    window = tokens[start:c_start]
    template = _segments_of(locus)[1][last + 1 - len(window) : last + 1]
    known = (window < N_RESIDUES)[:, None] & (template != ABSENT)
    agree = (known & (window[:, None] == template)).sum(0) - CHANCE * known.sum(0)
    if not len(window) or agree.max() < 0:
        return
    columns[start:c_start] = range(last + 1 - len(window), last + 1)
    cdr3 = range(max(start - (FR4_START - 1 - 111), 0), start)  # 112 to 117, counted from FR4
    columns[cdr3.start : start] = range(FR4_START - len(cdr3), FR4_START)


def number_chain(sequence: str) -> Numbering:
    """Number a chain given as upper-case residues with X, B, J and Z for missing ones.

    A chain with fewer than MIN_OBSERVED observed residues in its V domain and no constant region
    is not recognised: locus '' and all columns OUTSIDE. Raises ValueError for any other letter.
    """
    tokens = encode(sequence)
    locus, columns, sure = _align(tokens, sequence)
    if sure and _is_whole(tokens, columns, locus):
        return Numbering(locus, columns, None, None)
    if sure:
        found = _constant_after(tokens, sequence, columns)
        columns = _complete(tokens, columns, locus, found[1] if found else None)
    else:
        locus, columns, found = _settle(tokens, sequence, (locus, columns))
    if found is not None:
        constant, start = found
        if not locus:
            locus = constants()[constant].locus
            if start > 0:
                _rest_of_v(tokens, columns, locus, start)
        stop = min(start + len(constants()[constant].sequence), len(sequence))
        span = slice(max(start, 0), stop)
        columns[span][columns[span] == 0] = CONSTANT
        tail = sequence[stop:]
        if tail and not tail.strip("XBJZ"):
            columns[stop:] = OUTSIDE
    columns[columns == 0] = OUTSIDE
    return Numbering(locus, columns, found[1] if found else None, found[0] if found else None)


# --- chains of several domains -------------------------------------------------------------------


@cache
def _v_words() -> dict[str, int]:
    """Column of the first residue of each run of V_WORD residues in V segments (the lowest)."""
    columns: dict[str, set[int]] = {}
    index = _v_index()
    for tokens, places in zip(index.tokens, index.columns.tolist(), strict=True):
        sequence = decode(tokens[tokens < N_RESIDUES])
        for i in range(len(sequence) - V_WORD + 1):
            columns.setdefault(sequence[i : i + V_WORD], set()).add(places[i])
    return {w: min(c) for w, c in columns.items() if max(c) - min(c) <= WORD_SPREAD}


def _v_cores(sequence: str) -> list[tuple[int, int]]:
    """Half-open index range of the germline words of each proposed V domain, in order.

    Words of one domain imply the same start, apart from the lengths of its CDRs and of a gap.
    """
    column_of = _v_words().get
    hits = []
    for i in range(len(sequence) - V_WORD + 1):
        column = column_of(sequence[i : i + V_WORD])
        if column is not None:
            hits.append((i - column, i))
    hits.sort()
    breaks = [k for k in range(1, len(hits)) if hits[k][0] - hits[k - 1][0] > V_DRIFT]
    cores: list[tuple[int, int]] = []
    begin = -len(sequence)  # of the last domain, as its words imply
    for first, last in pairwise([0, *breaks, len(hits)]):
        if last - first < MIN_V_WORDS:
            continue
        places = [i for _, i in hits[first:last]]
        core = (min(places), max(places) + V_WORD)
        if cores and hits[first][0] - begin < MIN_APART:
            cores[-1] = (min(cores[-1][0], core[0]), max(cores[-1][1], core[1]))
        else:
            cores.append(core)
        begin = hits[last - 1][0]
    return cores


@dataclass(frozen=True, slots=True)
class _Domain:
    """A V domain among others.

    start, stop: half-open index range of its residues; low: index of the first residue of the
    stretch in which it was numbered.
    """

    start: int
    stop: int
    low: int
    numbering: Numbering


def _v_domains(sequence: str) -> list[_Domain]:
    """The V domains of a chain that holds several, in order."""
    cores = _v_cores(sequence)
    if len(cores) < 2:
        return []
    edges = [0, *(edge for core in cores for edge in core), len(sequence)]
    domains = []
    for k in range(len(cores)):
        # The stretch in which a domain is numbered ends at the words of its neighbours.
        low, high = edges[2 * k], max(edges[2 * k + 3], edges[2 * k + 2])
        numbering = number_chain(sequence[low:high])
        inside = np.flatnonzero(numbering.columns <= OTHER_INSERTION)
        tokens = encode(sequence[low:high])[inside]
        if _observed(tokens, numbering.columns[inside]) >= MIN_PART_V:
            start, last = low + int(inside[0]), low + int(inside[-1])
            domains.append(_Domain(start, last + 1, low, numbering))
    return domains


def _border(sequence: str, one: _Domain, two: _Domain) -> int:
    """Index where the part of a domain ends.

    It ends with its constant region, else with its V domain if FR4 shows where that ends, else
    halfway to the next domain.
    """
    columns, constant = one.numbering.columns, one.numbering.constant
    if constant is not None and one.numbering.constant_start is not None:
        stop = one.numbering.constant_start + len(constants()[constant].sequence)
        return min(one.low + stop, two.start)
    tokens = encode(sequence[one.low : two.start])
    cys = np.flatnonzero(columns[: len(tokens)] == CYS104)
    placed = _place_j(tokens, one.numbering.locus, int(cys[-1]), None) if len(cys) else None
    if placed is not None:
        stop, codes = placed
        fr4 = [c for c in codes if FR4_START <= c <= N_IMGT]
        if np.count_nonzero(tokens[stop - len(fr4) : stop] < N_RESIDUES) >= MIN_FR4:
            return one.low + stop
    return min((one.stop + two.start) // 2, two.start)


def _fc_start(sequence: str, numbering: Numbering) -> int | None:
    """Start of a constant region without its first domain after a V domain, as in an scFv-Fc."""
    domain = np.flatnonzero(numbering.columns <= OTHER_INSERTION)
    if numbering.constant is not None or not len(domain):
        return None
    stop = int(domain[-1]) + 1
    tail = encode(sequence[stop:])
    if np.count_nonzero(tail < N_RESIDUES) < MIN_PART:
        return None
    return stop if find_constant(tail, sequence[stop:], 0) is not None else None


def number_parts(sequence: str) -> tuple[Part, ...]:
    """Number a chain in parts, each with at most one V domain and what follows it.

    sequence: as for `number_chain`, with its errors. A linker belongs to the domain after it. A
    constant region without its first domain (an Fc) is a part of its own. Any other chain with
    one V domain, or with none, is a single part.
    """
    if len(sequence) < 2 * MIN_PART:
        return (Part(0, number_chain(sequence)),)
    cuts = [_border(sequence, one, two) for one, two in pairwise(_v_domains(sequence))]
    parts = []
    for start, stop in pairwise([0, *cuts, len(sequence)]):
        part = sequence[start:stop]
        numbering = number_chain(part)
        fc = _fc_start(part, numbering)
        if fc is None:
            parts.append(Part(start, numbering))
        else:
            parts.append(Part(start, number_chain(part[:fc])))
            parts.append(Part(start + fc, number_chain(part[fc:])))
    return tuple(parts)
