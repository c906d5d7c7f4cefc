"""A chain in the making: germline residues that placed reads replace step by step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from lacuna.antibody.domain_ends import TYPICAL_CDR3
from lacuna.antibody.germlines import constants, j_segments, v_segments
from lacuna.antibody.imgt import (
    CONSTANT,
    CYS104,
    FR4_LAST,
    FR4_START,
    N_IMGT,
    OTHER_INSERTION,
    cdr3_codes,
)
from lacuna.core.alphabet import ABSENT, MISSING, N_RESIDUES, encode, merge_il

# Columns in which every antibody has a residue, nearly always the same (Lefranc et al. 2003):
# Cys23, Trp41, Cys104 and the J motif. Of the motif, the first residue is another one in 10 % of
# camelid VHHs (mostly W118R), 2 % of human VH and 4 % of human VL (test sets of AbNatiV 2), so that
# the motif is not held.
HELD = (23, 41, 104)
MOTIF = (FR4_START, 119, 121)
CONSERVED = (*HELD, *MOTIF)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where two sides of a CDR3 meet that no read joins for sure.

    at: index of the first residue of the CDR3 that the right side alone shows; probability: that
    the CDR3 has the right length.
    """

    at: int
    probability: float


@dataclass(frozen=True, slots=True)
class Loose:
    """Residues start..stop of which no read tells how many there are: in front of CDR3, or in the
    constant region; probability: that there are as many."""

    start: int
    stop: int
    probability: float


@dataclass(frozen=True, slots=True)
class Draft:
    """A chain of t positions.

    tokens (t,): residues, L for I, MISSING where nothing is known; columns (t,) codes; germline
    (t,): the residue of the segment (I and L apart) or ABSENT; v, j, c: segments, -1 for none;
    bridged: whether reads join V and J; meeting: of the sides of its CDR3 if they do not, or
    not for sure; loose: where no read tells the length otherwise; rivals: constant
    regions that it may have instead of its own, if reads show several, with their probabilities.
    """

    locus: str
    tokens: np.ndarray
    columns: np.ndarray
    germline: np.ndarray
    v: int
    j: int
    c: int
    bridged: bool = False
    meeting: Meeting | None = None
    loose: tuple[Loose, ...] = ()
    rivals: tuple[tuple[int, float], ...] = ()

    def __len__(self) -> int:
        return len(self.tokens)

    def find(self, column: int) -> int:
        """Position of a column, -1 for none."""
        at = np.flatnonzero(self.columns == column)
        return int(at[0]) if len(at) else -1

    def cdr3(self) -> tuple[int, int]:
        """Start and stop of CDR3."""
        return self.find(CYS104) + 1, self.find(FR4_START)

    @property
    def held(self) -> np.ndarray:
        """(t,) bool: residues that do not change."""
        return np.isin(self.columns, HELD)

    @property
    def conserved(self) -> np.ndarray:
        """(t,) bool: residues that no chain lacks."""
        return np.isin(self.columns, CONSERVED)

    @property
    def before_cdr3(self) -> np.ndarray:
        """(t,) bool: positions of the V domain in front of CDR3."""
        return np.arange(len(self)) < self.cdr3()[0]

    def with_tokens(self, tokens: np.ndarray) -> "Draft":
        """The draft with other residues (t,) in the same columns."""
        return replace(self, tokens=tokens)

    def with_residues(self, at: int | slice, tokens: np.ndarray | int) -> "Draft":
        """The draft with other residues at some positions alone, in the same columns."""
        every = self.tokens.copy()
        every[at] = tokens
        return self.with_tokens(every)

    def spliced(
        self,
        start: int,
        stop: int,
        tokens: np.ndarray,
        columns: np.ndarray,
        germline: np.ndarray | None = None,
    ) -> "Draft":
        """The draft with other residues at start..stop."""
        if germline is None:
            germline = np.full(len(tokens), ABSENT, np.uint8)
        return replace(
            self,
            tokens=np.concatenate((self.tokens[:start], tokens, self.tokens[stop:])),
            columns=np.concatenate((self.columns[:start], columns, self.columns[stop:])).astype(
                np.uint8
            ),
            germline=np.concatenate((self.germline[:start], germline, self.germline[stop:])),
        )

    def with_cdr3(self, tokens: np.ndarray) -> "Draft":
        """The draft with another CDR3; germline residues are counted from both of its ends."""
        start, stop = self.cdr3()
        columns = np.array(cdr3_codes(len(tokens)), dtype=np.uint8)
        germline = cdr3_germline(self.v, self.j, len(tokens))
        return replace(self.spliced(start, stop, tokens, columns, germline), meeting=None)

    def without_cdr3(self) -> "Draft":
        """The draft with a CDR3 of which nothing is known."""
        start, stop = self.cdr3()
        return self.with_cdr3(np.full(stop - start, MISSING, dtype=np.uint8))

    def on_segment(self, v: int) -> "Draft":
        """The draft with the germline residues of a V segment; its own residues are kept."""
        germline, row = self.germline.copy(), v_segments().tokens[v]
        inside = (self.columns > 0) & (self.columns <= CYS104)
        own = row[self.columns[inside]]
        germline[inside] = np.where(own < N_RESIDUES, own, ABSENT)
        start, stop = self.cdr3()
        if 0 < start <= stop:
            germline[start:stop] = cdr3_germline(v, self.j, stop - start)
        return replace(self, v=v, germline=germline)


def pairs_of_locus(drafts: Sequence[Draft]) -> list[tuple[int, int]]:
    """Which pairs of drafts are of one locus."""
    pairs = combinations(range(len(drafts)), 2)
    return [(i, k) for i, k in pairs if drafts[i].locus == drafts[k].locus]


def in_both(one: Draft, other: Draft) -> list[tuple[int, int]]:
    """Positions in both of the columns of V and FR4 that two drafts have, in order."""
    first, second = (
        np.where((d.columns <= CYS104) | (d.columns >= FR4_START), d.columns, 0)
        * (d.columns <= N_IMGT)
        for d in (one, other)
    )
    common, of_one, of_other = np.intersect1d(first, second, return_indices=True)
    kept = common > 0
    return list(zip(of_one[kept].tolist(), of_other[kept].tolist(), strict=True))


def span_of_unknown(tokens: np.ndarray) -> tuple[int, int]:
    """Start of the first and stop of the last unknown residue, of which there is one at least."""
    unknown = np.flatnonzero(tokens >= MISSING)
    return int(unknown[0]), int(unknown[-1]) + 1


def tail_of(v: int) -> np.ndarray:
    """Residues of a V segment behind Cys104, I and L apart."""
    row = v_segments().tokens[v, CYS104 + 1 :]
    return row[row != ABSENT]


def head_of(j: int) -> np.ndarray:
    """Residues of a J segment in front of column 118."""
    row = j_segments().tokens[j, :FR4_START]
    return row[row != ABSENT]


def cdr3_germline(v: int, j: int, length: int) -> np.ndarray:
    """(length,) residues that V and J have in a CDR3, ABSENT between them; V goes first."""
    tokens = np.full(length, ABSENT, dtype=np.uint8)
    if length:
        head = head_of(j)[-length:]
        tokens[length - len(head) :] = head
    tail = tail_of(v)[:length]
    tokens[: len(tail)] = tail
    return tokens


def draft_of(locus: str, v: int, j: int, c: int) -> Draft:
    """V, a CDR3 of typical length and unknown middle, J and C of germline."""
    row = v_segments().tokens[v]
    v_columns = np.flatnonzero(row[: CYS104 + 1] != ABSENT)
    tail, head = tail_of(v), head_of(j)
    length = TYPICAL_CDR3[locus]
    if locus != "H":  # no N residues to speak of: V's tail and J's head meet
        length = max(length, len(tail) + len(head) if len(tail) + len(head) <= length + 3 else 0)
    cdr3 = cdr3_germline(v, j, length)
    last = FR4_LAST[locus]
    j_tokens = j_segments().tokens[j, FR4_START : last + 1]
    present = j_tokens != ABSENT
    j_columns = np.arange(FR4_START, last + 1)[present]
    constant = encode(constants()[c].sequence) if c >= 0 else np.empty(0, np.uint8)
    germline = np.concatenate((row[v_columns], cdr3, j_tokens[present], constant))
    columns = np.concatenate(
        (v_columns, cdr3_codes(length), j_columns, np.full(len(constant), CONSTANT))
    )
    tokens = np.where(germline == ABSENT, MISSING, merge_il(germline))
    germline = np.where(germline >= MISSING, ABSENT, germline)
    return Draft(locus, tokens.astype(np.uint8), columns.astype(np.uint8), germline, v, j, c)


def protein_of(sequence: str) -> Draft:
    """A chain of which no segments are asked for, as a contaminant."""
    tokens = merge_il(encode(sequence))
    columns, germline = np.full_like(tokens, OTHER_INSERTION), np.full_like(tokens, ABSENT)
    return Draft("", tokens, columns, germline, v=-1, j=-1, c=-1, bridged=True)
