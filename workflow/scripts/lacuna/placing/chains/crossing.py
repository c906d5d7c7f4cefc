"""Two chains of a locus that are each half of the other, put right by the reads over the seam.

Chains of one locus are much alike, and each stretch of a chain is built for itself. From stretch to
stretch a chain may go on as the other one. Where both differ, reads that span the place show which
of their residues belong together.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np

from lacuna.antibody.germlines import v_segments
from lacuna.antibody.imgt import CONSTANT, CYS104
from lacuna.core.alphabet import MISSING, merge_il
from lacuna.placing.stretches.junction import BETTER_BY
from lacuna.placing.votes.draft import Draft, in_both, pairs_of_locus, span_of_unknown
from lacuna.placing.votes.placement import Assembly, reads_over

MOST_OVER = 400  # reads over a seam that are asked; more say the same


def exchanged(assembly: Assembly) -> Assembly:
    """The drafts that go on, from a residue in which two of a locus differ, as the other one does
    if reads over the place fit so better."""
    for pair in pairs_of_locus(assembly.drafts):
        drafts = assembly.drafts
        for number in _worst_of_runs([nats for _, nats in seam_nats(assembly, pair)]):
            drafts = _crossed_over(drafts, pair, number)
        assembly = assembly.with_drafts(drafts)  # either may cross with a third one
    return assembly


def _worst_of_runs(nats: Sequence[float]) -> list[int]:
    """Of each run of seams at which reads gain by a crossing, the one where they gain most."""
    found = []
    for gains, run in groupby(range(len(nats)), key=lambda i: nats[i] < -BETTER_BY):
        if gains:
            found.append(min(run, key=lambda i: nats[i]))
    return found


def seam_nats(assembly: Assembly, pair: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
    """The seams of two drafts, and the nats that reads would lose if they crossed there."""
    found = []
    for number, places in enumerate(seams(*(assembly.drafts[i] for i in pair))):
        rows = _reads_over(assembly, pair, places)
        ways = assembly.drafts, _crossed_over(assembly.drafts, pair, number)
        straight, crossed = (assembly.nats_on(way, rows) for way in ways)
        found.append((places, straight - crossed))
    return found


def _reads_over(assembly: Assembly, pair: tuple[int, int], places: tuple[int, int]) -> np.ndarray:
    """Rows of the reads over a seam of two chains, the MOST_OVER surest."""
    reads = assembly.reads
    seam = [(i, place - 1, place + 1) for i, place in zip(pair, places, strict=True)]
    rows = reads_over(reads, assembly.placements, seam)
    worth = reads.right[rows].sum(1) * reads.weight[rows]
    return np.sort(rows[np.argsort(-worth, kind="stable")[:MOST_OVER]])


def seams(one: Draft, other: Draft) -> list[tuple[int, int]]:
    """Positions at which two chains may cross: of all residues in front of CDR3, but the first, in
    which they differ, of the start of CDR3, of FR4 with what is joined to it, and of the residues
    of FR4 in which they differ.

    A stretch that one of them lacks, or that is of no column, counts as one residue. Two chains
    that have crossed have as many seams as before.
    """
    found = []
    start = one.cdr3()[0], other.cdr3()[0]
    common = [places for places in in_both(one, other) if places < start]
    for (i, j), (k, m) in pairwise([(-1, -1), *common, start]):
        if not np.array_equal(one.tokens[i + 1 : k], other.tokens[j + 1 : m]):
            found.append((i + 1, j + 1))
        if k < start[0] and one.tokens[k] != other.tokens[m]:
            found.append((k, m))
    last = last_part(one), last_part(other)
    in_fr4 = [
        (k, m)
        for k, m in in_both(one, other)
        if k > last[0] and m > last[1] and one.tokens[k] != other.tokens[m]
    ]
    return [*found[1:], start, last, *in_fr4]


def last_part(draft: Draft) -> int:
    """Where FR4 begins, or the residues in front of it that belong to it if a CDR3 is open."""
    start, stop = draft.cdr3()
    if draft.meeting is not None:  # of an earlier round, in which the CDR3 may have been longer
        return min(start + draft.meeting.at, stop)
    cdr3 = draft.tokens[start:stop]
    return start + span_of_unknown(cdr3)[1] if (cdr3 >= MISSING).any() else stop


def _crossed_over(drafts: Sequence[Draft], pair: tuple[int, int], number: int) -> list[Draft]:
    """Drafts of which two go on as each other, from one of their seams to the end of FR4."""
    one, other = (drafts[i] for i in pair)
    start, first = seams(one, other)[number]
    crossed = list(drafts)
    crossed[pair[0]] = _with_end_of(one, start, other, first)
    crossed[pair[1]] = _with_end_of(other, first, one, start)
    return crossed


def _with_end_of(draft: Draft, start: int, other: Draft, first: int) -> Draft:
    """The draft that goes on, from a position to the end of FR4, as another does from `first`."""
    stop, last = _end(draft), _end(other)
    tokens, columns = other.tokens[first:last], other.columns[first:last]
    longer = draft.spliced(start, stop, tokens, columns, other.germline[first:last])
    longer = replace(longer, j=other.j)
    if first <= other.cdr3()[0]:
        longer = replace(longer, bridged=other.bridged, meeting=other.meeting)
    else:  # the CDR3 may have become longer or shorter
        longer = longer.with_cdr3(longer.tokens[slice(*longer.cdr3())])
    return longer.on_segment(max(draft.v, other.v, key=lambda v: _alike(longer, v)))


def _end(draft: Draft) -> int:
    """Where FR4 ends."""
    constant = draft.find(CONSTANT)
    return constant if constant >= 0 else len(draft)


def _alike(draft: Draft, v: int) -> int:
    """Residues of a draft that are those of a V segment."""
    row = merge_il(v_segments().tokens[v])
    inside = (draft.columns > 0) & (draft.columns <= CYS104)
    return int((row[draft.columns[inside]] == draft.tokens[inside]).sum())
