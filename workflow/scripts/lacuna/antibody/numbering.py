"""IMGT columns of a scaffold whose gaps have known lengths.

immunum (profile alignment, tolerates X) numbers what is observed. If germline words leave no doubt
about the locus, only the profile of that locus is used. If a gap hides an anchor of the alignment,
the columns are completed from what is still known: the number of missing residues, the occupied
columns of the locus, the start of the constant region, and the J segments, whose end is the end of
the domain.

immunum's result is in doubt if there is a long gap, a gap in an FR3 that may be a short one, an
insertion where there should be none, a domain that starts late, or low confidence. The germline V
segments are then placed on the chain without gaps, so that the known length of every gap counts,
and FR3 is numbered as each segment has it. Of these numberings, the one in which most residues
agree with germline is used. A result that agrees with no germline is not an antibody.

`number_chain` numbers one V domain, the one that immunum aligns best; everything outside it and
its constant region (a leader, a linker) is OUTSIDE. Chains of several V domains: `parts.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import immunum
import numpy as np

from lacuna.antibody.constant_region import C_SEED, find_constant
from lacuna.antibody.domain_ends import MIN_FR4, complete, number_before_constant
from lacuna.antibody.germline_fit import (
    FRAMEWORK,
    agreement,
    from_column_one,
    is_fr3_open,
    place_v,
    with_other_fr3,
)
from lacuna.antibody.germlines import LOCI, constants, v_segments
from lacuna.antibody.imgt import (
    CONSTANT,
    CYS104,
    FR4_LAST,
    FR4_START,
    N_IMGT,
    OTHER_INSERTION,
    OUTSIDE,
    column_code,
)
from lacuna.core.alphabet import MISSING_LETTERS, N_RESIDUES, decode, encode

MIN_OBSERVED = 20  # numbered residues; with fewer there is no evidence of a V domain
MIN_CONFIDENCE = 0.3  # of immunum; masked chains of the bench reach 0.38 and more
WORD = 5  # residues of a word that indicates a locus
MIN_WORDS = 3  # of one locus, and twice as many as of the others together

# When germline segments are consulted. Up to 12 missing residues in a row immunum is right in
# 999 of 1,000 chains, from 20 on in fewer than 91 of 100.
LONG_GAP = 16
SURE_CONFIDENCE = 0.5
SURE_OBSERVED = 60
C_OVERLAP = 12  # last residues of a V domain that may be the constant region's instead
C_TOO_DEEP = 40  # residues before the end of a V domain, where no constant region begins
LATE_START = 20  # a domain whose first column is this or later may have lost its start
MIN_AGREEMENT = 6.0  # of a numbering with the germline segments (`germline_fit.agreement`)
# Residues of FR4 that hardly vary, by column. Of 27,000 natural chains and scaffolds, 800 of which
# go on behind FR4 without a constant region, none lacks all of them.
FR4_CONSERVED = {FR4_START: "FW", 119: "G", 121: "G"}
LAST_BEFORE_LOOP = 111  # column up to which CDR3 is numbered from its start

_NUMBERABLE = str.maketrans("BJZ", "NLQ")


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


def _constant_after(
    tokens: np.ndarray, sequence: str, columns: np.ndarray
) -> tuple[int, int] | None:
    """The constant region after the V domain of `columns`, or anywhere without a V domain."""
    domain = np.flatnonzero(columns)
    if not len(domain):
        return find_constant(tokens, sequence, 0)
    end = int(domain[-1]) + 1
    if len(sequence) - end < C_SEED and tokens[-1] < N_RESIDUES:
        return None
    found = find_constant(tokens, sequence, max(end - C_OVERLAP, 0), end)
    # A match that would start deep within the domain is accidental.
    return None if found is not None and found[1] <= end - C_TOO_DEEP else found


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
    left_out = FRAMEWORK[result.chain].translate(None, codes)
    sure = (
        result.confidence >= SURE_CONFIDENCE
        and observed >= SURE_OBSERVED
        and OTHER_INSERTION not in codes
        and codes[0] < LATE_START
        and (codes[0] == 1 or start == 0 or tokens[start - 1] >= N_RESIDUES)
        and (max(codes) >= CYS104 or stop == len(sequence))
        and "X" * LONG_GAP not in sequence
        and not any(codes[0] < c < codes[-1] for c in left_out)
        and not is_fr3_open(tokens, columns, result.chain)
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


def n_observed(tokens: np.ndarray, columns: np.ndarray) -> int:
    """Number of known residues that have a column of a V domain or a constant region."""
    return int(((columns > 0) & (tokens < N_RESIDUES)).sum())


def _candidates(
    tokens: np.ndarray, sequence: str, aligned: tuple[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield locus and columns of each numbering to compare, the most trusted first."""
    by_germline = place_v(tokens, sequence)
    pairs = [(locus, columns) for locus, columns in (aligned, by_germline) if locus]
    yield from pairs
    for locus, columns in pairs:
        moved = from_column_one(locus, columns)
        if moved is not None:
            yield locus, moved
        if is_fr3_open(tokens, columns, locus):
            for moved in with_other_fr3(locus, columns):
                yield locus, moved


def _settle(
    tokens: np.ndarray, sequence: str, aligned: tuple[str, np.ndarray]
) -> tuple[str, np.ndarray, tuple[int, int] | None]:
    """Locus, columns and constant region if the numbering `aligned` by immunum is in doubt."""
    best: tuple[str, np.ndarray, tuple[int, int] | None] | None = None
    best_score = MIN_AGREEMENT
    constant_after: dict[int, tuple[int, int] | None] = {}  # by the end of the V domain
    for locus, columns in _candidates(tokens, sequence, aligned):
        end = len(np.trim_zeros(columns, "b"))
        if end not in constant_after:
            constant_after[end] = _constant_after(tokens, sequence, columns)
        found = constant_after[end]
        columns = complete(tokens, columns.copy(), locus, found[1] if found else None)
        follows = found is not None and constants()[found[0]].locus == locus
        if n_observed(tokens, columns) < MIN_OBSERVED and not follows:
            continue
        score = agreement(tokens, columns, locus)
        if score > best_score:
            best, best_score = (locus, columns, found), score
    if best is None:
        return "", np.zeros(len(tokens), dtype=np.uint8), find_constant(tokens, sequence, 0)
    return best


def _reach(columns: np.ndarray, locus: str, start: int) -> None:
    """Number the last residues of FR4 up to a constant region at `start`, in place.

    immunum leaves them out if the constant region goes on like no J segment that it knows.
    """
    before = columns[: max(start, 0)]
    numbered = np.flatnonzero(before)
    if not len(numbered):
        return
    last = int(numbered[-1])
    code, left = int(before[last]), len(before) - last - 1
    if FR4_START <= code and code + left <= FR4_LAST[locus]:
        before[last + 1 :] = range(code + 1, code + 1 + left)


def _without_false_fr4(sequence: str, columns: np.ndarray, locus: str) -> np.ndarray:
    """The columns, without those behind 111 if what was taken for FR4 has none of its residues that
    never vary, and the chain goes on behind it.

    So it is where CDR3 has more than MAX_CDR3 residues, as in some antibodies of cattle.
    """
    fr4 = np.flatnonzero((columns >= FR4_START) & (columns <= FR4_LAST[locus])).tolist()
    if not fr4 or not sequence[fr4[-1] + 1 :].strip(MISSING_LETTERS):
        return columns
    places = [(sequence[i], FR4_CONSERVED.get(int(columns[i]), "")) for i in fr4]
    agree = [letter in of for letter, of in places if of and letter not in MISSING_LETTERS]
    if len(agree) < 2 or any(agree):
        return columns
    before = np.flatnonzero((columns > 0) & (columns <= LAST_BEFORE_LOOP))
    kept = columns.copy()
    kept[before[-1] + 1 if len(before) else fr4[0] :] = 0
    return kept


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
        columns = complete(tokens, columns, locus, found[1] if found else None)
    else:
        locus, columns, found = _settle(tokens, sequence, (locus, columns))
    if locus and found is None:
        columns = _without_false_fr4(sequence, columns, locus)
    if found is not None:
        constant, start = found
        if not locus:
            locus = constants()[constant].locus
            if start > 0:
                number_before_constant(tokens, columns, locus, start)
        _reach(columns, locus, start)
        stop = min(start + len(constants()[constant].sequence), len(sequence))
        span = slice(max(start, 0), stop)
        columns[span][columns[span] == 0] = CONSTANT
        tail = sequence[stop:]
        if tail and not tail.strip(MISSING_LETTERS):
            columns[stop:] = OUTSIDE
    columns[columns == 0] = OUTSIDE
    return Numbering(locus, columns, found[1] if found else None, found[0] if found else None)
