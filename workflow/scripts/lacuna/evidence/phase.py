"""Residues by which two chains of a locus differ, and which of them reads join to the CDR3.

A mixture of antibodies has several chains of a locus. A read shows a stretch of one of them; if no
read joins two stretches in which the chains differ, each stretch is right, but the chain that they
make together may be half of one and half of the other.
"""

import numpy as np

from lacuna.antibody.imgt import CONSTANT, OTHER_INSERTION
from lacuna.core.alphabet import N_RESIDUES
from lacuna.placing.alignment import MATCH
from lacuna.placing.consensus import place_weights
from lacuna.placing.draft import Draft
from lacuna.placing.place import Placed
from lacuna.placing.placement import Placements
from lacuna.placing.readset import ReadSet

JOINS = 1.0  # weight of the reads that join two residues
# Of the reads of a chain, from which another one of its locus may have lent it a stretch: residues
# of a chain that has three times the reads are the majority's everywhere.
RIVAL = 1 / 3


def unjoined(placed: Placed, chain: int) -> np.ndarray:
    """(t,) residues of a chain that may be those of another chain of its locus, as no read joins
    them to the CDR3.

    Nothing is said of constant regions, of which a locus has one or two, and of chains that the
    user gave.
    """
    draft, own = placed.drafts[chain], placed.populations[chain]
    found = np.zeros(len(draft), dtype=bool)
    if draft.v < 0 or draft.j < 0:
        return found
    placements = placed.placements.of(chain)
    for i, (other, population) in enumerate(zip(placed.drafts, placed.populations, strict=True)):
        rival = i != chain and other.locus == draft.locus and other.v >= 0
        if rival and population.share >= RIVAL * own.share:
            start = int(placed.placements.text.start[chain])
            at = np.flatnonzero(differences(draft, other))
            joins = joins_of(placed.reads, placements, draft.tokens, start, at)
            found[_apart(at, joins, draft.cdr3())] = True
    return found


def differences(draft: Draft, other: Draft) -> np.ndarray:
    """(t,) residues of the V domain that the other chain does not have in the same column."""
    inside = (draft.columns > 0) & (draft.columns < CONSTANT)
    same = np.full(CONSTANT, N_RESIDUES, dtype=np.uint8)  # by column
    theirs = (other.columns > 0) & (other.columns < OTHER_INSERTION)
    same[other.columns[theirs]] = other.tokens[theirs]
    known = draft.tokens < N_RESIDUES
    column = np.where(inside, draft.columns, 0)
    return inside & known & (same[column] != draft.tokens)


def joins_of(
    reads: ReadSet, placements: Placements, tokens: np.ndarray, start: int, at: np.ndarray
) -> np.ndarray:
    """(n - 1,) weight of the reads that show both of two residues next to each other in `at`.

    placements: on one chain, which begins at `start` of the text; tokens (t,): its residues;
    at (n,): positions in it.
    """
    a = placements.alignment
    shows = np.zeros((len(a.read), len(tokens)), dtype=bool)
    row, column = np.nonzero(a.kind == MATCH)
    place = a.at[row, column] - start
    agrees = reads.tokens[a.read[row], column] == tokens[place]
    shows[row[agrees], place[agrees]] = True
    both = shows[:, at[:-1]] & shows[:, at[1:]]
    joined: np.ndarray = place_weights(reads, placements) @ both
    return joined


def _apart(at: np.ndarray, joins: np.ndarray, cdr3: tuple[int, int]) -> np.ndarray:
    """Those of positions (n,) that are not joined to most of the ones in CDR3."""
    if not len(at):
        return at
    block = np.concatenate(([0], np.cumsum(joins < JOINS)))
    of_cdr3 = block[(at >= cdr3[0]) & (at < cdr3[1])]
    home = np.bincount(of_cdr3).argmax() if len(of_cdr3) else block[-1]
    return at[block != home]
