"""Flags of residues that may be wrong, with the reason."""

import numpy as np

from lacuna.antibody.imgt import OTHER_INSERTION
from lacuna.core.alphabet import N_RESIDUES, TOKEN, merge_il
from lacuna.core.tables import Flag
from lacuna.placing.aligning.carried import BLOCK_TOLERANCE
from lacuna.placing.aligning.kernel import MAX_BLOCK
from lacuna.placing.aligning.readset import MASSES
from lacuna.placing.votes.consensus import AMIDES, Votes
from lacuna.placing.votes.draft import Draft

MINORITY_SHARE = 0.15  # share of the nats of reads for another residue
DEAMIDATED_SHARE = 0.1  # share of reads that show D for N, or E for Q
ISOBARIC_SHARE = 0.4  # share of the reads that have the residue in a block of equal mass
FEW_NATS = 4.0  # nats; less is little evidence against germline
LEAST_LENGTH_WEIGHT = 0.5  # of reads that have residues more, from which they count
_D, _P, _S, _T = (TOKEN[r] for r in "DPST")


def flags_of(draft: Draft, found: Votes, best: np.ndarray, margin: np.ndarray) -> list[list[Flag]]:
    """Flags of each position.

    deamidation: reads show N and D, or Q and E, or a D may be an N that carried a glycan
    (`may_have_been_glycosylated`); against_germline: on little evidence; isobaric: many reads show
    other residues of the same mass, or germline has some (`weighs_as_germline`); length: inserted
    against germline, or next to where two sides of CDR3 meet that no read joins for sure; minority:
    some reads show another residue.

    best (t,) residues, L for I; margin (t,) nats by which reads alone prefer theirs.
    """
    flags: list[list[Flag]] = []
    germline = merge_il(draft.germline)
    meeting = None if draft.meeting is None else draft.cdr3()[0] + draft.meeting.at
    deamidated = deamidations(found, best) | may_have_been_glycosylated(germline, best)
    contradicted = contradictions(found, best)
    weighs_alike = weighs_as_germline(germline, best)
    for i, residue in enumerate(best.tolist()):
        own = [Flag.DEAMIDATION] if deamidated[i] else []
        if germline[i] < N_RESIDUES and germline[i] != residue and margin[i] < FEW_NATS:
            own.append(Flag.AGAINST_GERMLINE)
        if found.blocks[i] >= ISOBARIC_SHARE * max(found.depth[i], 1.0) or weighs_alike[i]:
            own.append(Flag.ISOBARIC)
        if draft.columns[i] == OTHER_INSERTION or meeting is not None and 0 <= meeting - i <= 1:
            own.append(Flag.LENGTH)
        if contradicted[i]:
            own.append(Flag.MINORITY)
        flags.append(own)
    return flags


def weighs_as_germline(germline: np.ndarray, best: np.ndarray) -> np.ndarray:
    """(t,) whether a residue is of a block that is not germline's but weighs as much, as VG for GV:
    reads of peptides that hardly break there may all be misread alike. germline, best: (t,)
    residues, L for I."""
    known = (germline < N_RESIDUES) & (best < N_RESIDUES)
    differs = known & (germline != best)
    more = np.where(known, MASSES[best] - MASSES[germline], np.inf)
    found = np.zeros(len(best), dtype=bool)
    for size in range(2, MAX_BLOCK + 1):
        for start in np.flatnonzero(differs[: 1 - size] & differs[size - 1 :]).tolist():
            block = slice(start, start + size)
            if abs(more[block].sum()) < BLOCK_TOLERANCE:
                found[block] = True
    return found


def deamidations(found: Votes, best: np.ndarray) -> np.ndarray:
    """(t,) whether reads show N and D, or Q and E; best: (t,) residues."""
    result = np.zeros(len(best), dtype=bool)
    for pair, both in enumerate(AMIDES):
        shown = found.amide[:, 2 * pair : 2 * pair + 2]
        total = shown.sum(1)
        some = (total > 0) & (shown.min(1) >= DEAMIDATED_SHARE * total)
        result |= np.isin(best, both) & some
    return result


def may_have_been_glycosylated(germline: np.ndarray, best: np.ndarray) -> np.ndarray:
    """(t,) whether a residue is D where germline has another one and N would be a site of a glycan,
    N-X-S/T: PNGase F, which takes glycans off, leaves D (Tarentino et al. 1985, Biochemistry 24,
    4665). germline, best: (t,) residues, L for I."""
    result = np.zeros(len(best), dtype=bool)
    other = (germline < N_RESIDUES) & (germline != _D)
    site = (best[1:-1] != _P) & np.isin(best[2:], (_S, _T))
    result[:-2] = (best[:-2] == _D) & other[:-2] & site
    return result


def contradictions(found: Votes, best: np.ndarray) -> np.ndarray:
    """(t,) whether some reads show another residue than `best` (t,), deamidation left out."""
    nats = np.maximum(found.nats, 0.0)
    others = nats.copy()
    others[np.arange(len(best)), best] = 0.0
    total = nats.sum(1)
    found_other = (total > 0) & (others.max(1) >= MINORITY_SHARE * total)
    return found_other & ~deamidations(found, best)


def other_lengths(found: Votes) -> np.ndarray:
    """(t,) residues that at least half of the reads across them leave out, and those on either side
    of a place where so many have more.

    Where reads are few, they change the chain only if they agree (`placing/votes/revise.py`).
    """
    result: np.ndarray = (found.deleted > 0) & (found.deleted >= found.depth)
    for place, ways in found.inserted.items():
        if 0 < place < len(result) and sum(ways.values()) >= max(
            found.passed[place], LEAST_LENGTH_WEIGHT
        ):
            result[place - 1 : place + 1] = True
    return result
