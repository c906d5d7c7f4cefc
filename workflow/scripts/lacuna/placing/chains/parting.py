"""Residues in which two chains of a locus differ, although both were built alike, or as one.

The reads of both lie on both, so that each follows the majority there. A residue that a good part
of them shows instead is tried in either chain: in the right one it explains these reads, and the
other chain still explains the rest.
"""

from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.placing.aligning.readset import MISTAKEN, ReadSet
from lacuna.placing.chains.contradicting import contradicting
from lacuna.placing.votes.consensus import Votes, votes_for_template
from lacuna.placing.votes.draft import Draft, in_both, pairs_of_locus
from lacuna.placing.votes.placement import Assembly, reads_over

SECOND_SHARE = 0.15  # of the nats of the two residues that reads show most
MIN_GAIN = 12.0  # nats that reads gain by the second residue in one of the chains
# A chain was built as one with another of its locus if reads disagree at so many places, of which
# none is so near to another that one misread peptide shows both: there the second residue has this
# share of the nats of the two, no less and no more. Of 80 chains of natural antibodies alone, none
# has more than one (tests/benchmarks/read_panel.py --chains), and real samples of one have two.
DIVIDED, FAR, OF_BOTH = 3, 8, (0.25, 0.75)
DIVIDED_INSIDE = 2  # of these places, which reads show that do not end there
END_RESIDUES = 4  # residues at an end of a read, most of which are misread if any are
_MISTAKEN = [{RESIDUES.index(r) for r in pair} for pair in MISTAKEN]


def parted(assembly: Assembly) -> Assembly:
    """The drafts with the second residue of reads in one of two chains of a locus that have the
    first."""
    current = list(assembly.drafts)
    for pair in pairs_of_locus(current):
        for places, residue in _seconds(assembly, pair):
            column = [(i, at, at + 1) for i, at in zip(pair, places, strict=True)]
            rows = reads_over(assembly.reads, assembly.placements, column)
            trials = [current]
            for i, at in zip(pair, places, strict=True):
                changed = current[i].with_residues(at, residue)
                trials.append([*current[:i], changed, *current[i + 1 :]])
            nats = [assembly.nats_on(trial, rows) for trial in trials]
            best = int(np.argmax(nats))
            if nats[best] > nats[0] + MIN_GAIN:
                current = trials[best]
    return _without_contradiction(assembly.with_drafts(current))


def _without_contradiction(assembly: Assembly) -> Assembly:
    """The drafts, of which one of several of a locus has the residues of the reads that contradict
    it, if reads gain by that: it was partly built like another one."""
    every = np.arange(len(assembly.reads))
    pairs = pairs_of_locus(assembly.drafts)
    for locus in sorted({assembly.drafts[i].locus for i, _ in pairs}):
        rows = contradicting(assembly, locus).rows
        if not len(rows):
            continue
        current = list(assembly.drafts)
        trials = [current]
        for i, draft in enumerate(current):
            if draft.locus == locus:
                changed = with_residues_of(assembly, i, rows)
                trials.append([*current[:i], changed, *current[i + 1 :]])
        nats = [assembly.nats_on(trial, every) for trial in trials]
        best = int(np.argmax(nats))
        if nats[best] > nats[0] + MIN_GAIN:
            assembly = assembly.with_drafts(trials[best])
    return assembly


def divided(assembly: Assembly) -> list[Draft]:
    """Chains that were built as one with another: of each draft that is alone in its locus and in
    front of whose CDR3 reads disagree at several places, one with the other residues.

    The ends of reads, which are misread most, do not suffice.
    """
    reads, drafts = assembly.reads, assembly.drafts
    found, inner = [], _without_ends(reads)
    for i, draft in enumerate(drafts):
        if sum(other.locus == draft.locus for other in drafts) > 1:
            continue  # reads of the others lie on it too
        by_all, by_inner = (
            _with_other_residues(draft, votes_for_template(part, assembly.placements, i, draft))
            for part in (reads, inner)
        )
        other, inside = (changed.tokens != draft.tokens for changed in (by_all, by_inner))
        if _places(other) >= DIVIDED and _places(other & inside) >= DIVIDED_INSIDE:
            found.append(by_all.without_cdr3())
    return found


def _with_other_residues(draft: Draft, found: Votes) -> Draft:
    """The draft with the second residue in front of CDR3 wherever it may be another chain's."""
    nats = np.maximum(found.nats, 0.0)
    tokens = draft.tokens.copy()
    for at in np.flatnonzero(draft.before_cdr3 & ~draft.held & (tokens < N_RESIDUES)).tolist():
        first = int(tokens[at])
        second, share = _second(nats[at], first)
        of_both = OF_BOTH[0] <= share <= OF_BOTH[1] and nats[at, second] >= MIN_GAIN
        if of_both and {first, second} not in _MISTAKEN:
            tokens[at] = second
    return draft.with_tokens(tokens)


def with_residues_of(assembly: Assembly, chain: int, rows: np.ndarray) -> Draft:
    """A chain with the residues in front of its CDR3 that some of the reads on it (rows) show."""
    draft = assembly.drafts[chain]
    of_rows = np.isin(assembly.placements.alignment.read, rows)
    placements = assembly.placements.take(np.flatnonzero(of_rows))
    nats = votes_for_template(assembly.reads, placements, chain, draft).nats
    shown = draft.before_cdr3 & ~draft.held & (nats.max(1) >= MIN_GAIN)
    return draft.with_tokens(np.where(shown, nats.argmax(1), draft.tokens).astype(np.uint8))


def _places(differ: np.ndarray) -> int:
    """How many of the positions that differ (t,) are FAR or more from the one counted before."""
    last, found = -FAR, 0
    for at in np.flatnonzero(differ).tolist():
        if at - last >= FAR:
            last, found = at, found + 1
    return found


def _without_ends(reads: ReadSet) -> ReadSet:
    """The reads, of which END_RESIDUES residues at either end say next to nothing."""
    place = np.arange(reads.tokens.shape[1])
    inside = (place >= END_RESIDUES) & (place < reads.length[:, None] - END_RESIDUES)
    return replace(reads, right=np.where(inside, reads.right, 0.0))


def _seconds(assembly: Assembly, pair: tuple[int, int]) -> list[tuple[tuple[int, int], int]]:
    """Positions of one column in two chains that have the same residue there, and the other
    residue that a good part of the reads on either shows."""
    one, other = (assembly.drafts[i] for i in pair)
    own = [
        votes_for_template(assembly.reads, assembly.placements, i, assembly.drafts[i]).nats
        for i in pair
    ]
    found = []
    for i, j in in_both(one, other):
        first = int(one.tokens[i])
        if first != other.tokens[j] or first >= N_RESIDUES or one.held[i]:
            continue
        shown = [np.maximum(nats[at], 0.0) for nats, at in zip(own, (i, j), strict=True)]
        second = max((_second(nats, first) for nats in shown), key=lambda x: x[1])
        if second[1] >= SECOND_SHARE and {first, second[0]} not in _MISTAKEN:
            found.append(((i, j), second[0]))
    return found


def _second(nats: np.ndarray, first: int) -> tuple[int, float]:
    """The residue that reads show most besides the first, and its share of the nats of the two."""
    others = nats.copy()
    others[first] = 0.0
    most = int(others.argmax())
    return most, float(others[most] / max(nats[first] + others[most], MIN_GAIN))
