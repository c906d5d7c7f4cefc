"""Residues of a chain that may be those of another chain of its locus.

A mixture of antibodies has several chains of a locus. A read shows a stretch of one of them; if no
read joins two stretches in which the chains differ, each stretch is right, but the chain that they
make together may be half of one and half of the other.
"""

from collections.abc import Sequence

import numpy as np

from lacuna.antibody.imgt import CONSTANT, OTHER_INSERTION
from lacuna.core.alphabet import N_RESIDUES
from lacuna.placing.crossing import last_part, seam_nats
from lacuna.placing.draft import Draft, pairs_of_locus
from lacuna.placing.memory import Memory
from lacuna.placing.place import Placed
from lacuna.placing.placement import place_on

JOINED = 8.0  # nats that reads lose if two stretches that they join are taken apart
# Of the reads of a chain, from which another one of its locus may have lent it a stretch: residues
# of a chain that has three times the reads are the majority's everywhere.
RIVAL = 1 / 3


def holds_several(drafts: Sequence[Draft]) -> bool:
    """Whether chains are of more than one antibody: two heavy or two light ones."""
    heavy = [draft.locus == "H" for draft in drafts if draft.locus]
    return sum(heavy) > 1 or len(heavy) - sum(heavy) > 1


def unjoined(placed: Placed) -> tuple[np.ndarray, ...]:
    """(t,) of each chain: residues that may be those of another chain of its locus, as no read
    joins them to most of the others in which the two differ.

    Nothing is said of constant regions, of which a locus has one or two, and of chains that the
    user gave.
    """
    drafts, shares = placed.drafts, [p.share for p in placed.populations]
    found = [np.zeros(len(d), dtype=bool) for d in drafts]
    pairs = pairs_of_locus(drafts)
    if not pairs:
        return tuple(found)
    memory = Memory.of(placed.reads)
    placements = place_on(placed.reads, drafts, memory=memory)
    for pair in pairs:
        seams = seam_nats(memory, drafts, (), placements, pair)
        for side, (chain, rival) in enumerate((pair, pair[::-1])):
            if shares[rival] >= RIVAL * shares[chain]:
                cuts = [places[side] for places, nats in seams if nats < JOINED]
                found[chain] |= apart(drafts[chain], drafts[rival], cuts)
    return tuple(found)


def apart(draft: Draft, other: Draft, cuts: Sequence[int]) -> np.ndarray:
    """(t,) residues in which a chain differs from another one, without the stretch of it that has
    most of them; cuts: positions in front of which no read joins it to what is before."""
    start, stop = draft.cdr3()
    tells = differences(draft, other)
    tells[start:stop] = draft.tokens[start:stop] < N_RESIDUES
    behind_gap = [last_part(draft)] if not draft.bridged else []
    block = np.searchsorted(np.sort([*cuts, *behind_gap]), np.arange(len(draft)), "right")
    home = np.bincount(block[tells]).argmax() if tells.any() else 0
    found: np.ndarray = tells & (block != home)
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
