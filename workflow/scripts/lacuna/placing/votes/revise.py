"""What the votes of reads change in a draft besides its residues: its V segment and its length."""

import numpy as np

from lacuna.antibody.germlines import v_segments
from lacuna.antibody.imgt import CYS104, N_IMGT, OTHER_INSERTION
from lacuna.core.alphabet import ABSENT, N_RESIDUES, merge_il
from lacuna.placing.sources.segments import expressed_v
from lacuna.placing.votes.consensus import ALIKE_ERRORS, Votes
from lacuna.placing.votes.draft import Draft

MOST_INSERTED = 6  # residues that a V domain may have in addition to those of germline
BETTER_V = 2.0  # nats by which another V segment must be better
LONGEST_REPEAT = 4  # residues that may stand in a draft twice, though reads show them once
V_CAP = 4.0  # nats that a position may count when V is chosen again


def choose_v(draft: Draft, found: Votes, use: np.ndarray) -> Draft:
    """The draft on the V segment of its locus that reads like best; its residues are kept."""
    segments = v_segments()
    own = np.flatnonzero((segments.locus == segments.locus[draft.v]) & expressed_v())
    nats = ALIKE_ERRORS * (found.nats - found.nats.max(1, keepdims=True))
    score = fit_of(draft, nats, segments.tokens[own], 1, CYS104) + use[own]
    best = int(own[np.argmax(score)])
    if score.max() < score[own == draft.v].max(initial=-np.inf) + BETTER_V:
        best = draft.v
    return draft if best == draft.v else draft.on_segment(best)


def fit_of(
    draft: Draft, nats: np.ndarray, segments: np.ndarray, first: int, last: int
) -> np.ndarray:
    """(n,) nats of segments (n, N_CODES) by reads on the columns first..last of a draft.

    nats (t, 20): of each residue by reads, the best of each position 0.
    """
    inside = np.flatnonzero((draft.columns >= first) & (draft.columns <= last))
    rows = merge_il(segments[:, draft.columns[inside]])  # (segments, positions)
    known = rows < N_RESIDUES
    index = np.minimum(rows, N_RESIDUES - 1).astype(int)
    capped = np.clip(nats[inside], -V_CAP, 0.0)
    value = np.where(known, capped[np.arange(len(inside)), index], -V_CAP)
    # A column that the segment fills and the draft does not have costs as much.
    every = (segments[:, first : last + 1] != ABSENT).sum(1)
    fit: np.ndarray = value.sum(1) - V_CAP * np.maximum(every - known.sum(1), 0)
    return fit


def with_lengths(draft: Draft, found: Votes) -> Draft:
    """The draft with the insertions and without the residues that most reads agree on."""
    edits: list[tuple[int, int, tuple[int, ...]]] = []
    room = MOST_INSERTED - int((draft.columns == OTHER_INSERTION).sum())
    ahead: tuple[int, ...] = ()
    # Those that more reads show first, since there is not room for any number.
    insertions = sorted(found.inserted.items(), key=lambda item: (-max(item[1].values()), item[0]))
    for place, ways in insertions:
        residues, weight = max(ways.items(), key=lambda item: (item[1], item[0]))
        if place >= len(draft) or sum(ways.values()) <= found.passed[place] or weight < 2.0:
            continue
        if place == 0:
            ahead = residues
        elif len(residues) <= room:
            edits.append((place, place, residues))
            room -= len(residues)
    gone = (found.deleted > _shown(draft, found)) & (found.deleted >= 2.0)
    draft, gone = _with_start_of_fr4(draft, gone)
    gone &= ~draft.conserved
    edits += [(p, p + 1, ()) for p in np.flatnonzero(gone).tolist()]
    for start, stop, residues in sorted(edits, reverse=True):
        column = draft.columns[max(start - 1, 0)]
        code = column if column > N_IMGT else OTHER_INSERTION
        draft = draft.spliced(
            start, stop, np.array(residues, np.uint8), np.full(len(residues), code, np.uint8)
        )
    return _with_front(draft, ahead)


def _shown(draft: Draft, found: Votes) -> np.ndarray:
    """(t,) weight of the reads that show a residue. Residues that follow once more (VQ in VQVQ) are
    shown by those reads alone that go on into the second copy, since one that ends before it may as
    well lie on either."""
    shown = found.depth.copy()
    for n in range(1, LONGEST_REPEAT + 1):
        alike = np.append(draft.tokens[n:] == draft.tokens[:-n], np.zeros(n, dtype=bool))
        for start in np.flatnonzero(np.lib.stride_tricks.sliding_window_view(alike, n).all(1)):
            place = slice(start, start + n)
            shown[place] = np.minimum(shown[place], found.passed[start + n])
    return shown


def _with_front(draft: Draft, residues: tuple[int, ...]) -> Draft:
    """The draft with residues in front of its first one, if IMGT has columns for them.

    Rabbit V segments without a residue in column 1 (QSLEESGG) are templates of chains that have one
    (QEQLEESGG).
    """
    first = int(draft.columns[0])
    if not len(residues) < first <= CYS104:
        return draft
    columns = np.arange(first - len(residues), first, dtype=np.uint8)
    return draft.spliced(0, 0, np.array(residues, np.uint8), columns)


def _with_start_of_fr4(draft: Draft, gone: np.ndarray) -> tuple[Draft, np.ndarray]:
    """The draft whose last residue of CDR3 is the first one of FR4 if reads leave that out, and
    which residues (t,) they leave out then.

    Where the J motif is mutated (RGQG for WGQG), reads join what is in front of it to its second
    residue.
    """
    start, at = draft.cdr3()
    if not 0 < start < at or not gone[at] or draft.tokens[at - 1] >= N_RESIDUES:
        return draft, gone
    tokens, left_out = draft.tokens.copy(), gone.copy()
    tokens[at], left_out[at - 1 : at + 1] = tokens[at - 1], (True, False)
    return draft.with_tokens(tokens), left_out
