"""The joints of a closed CDR3 that only reads can show: which of them hardly any shows."""

import math
from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import MISSING, merge_il
from lacuna.core.runs import runs_of
from lacuna.placing.aligning.joints import ANY_JOINT, CDR3_JOINT, joints_of
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.stretches.junction import WELL_CROSSED
from lacuna.placing.votes.draft import Draft, head_of, tail_of
from lacuna.placing.votes.placement import Placements

GERMLINE_END = 2  # residues at the end of a CDR3 that are those of germline, and join it to V or J
# Two rare residues that end the peptides on one side and begin those on the other suffice to close
# a CDR3, and a CDR3 may have them twice (GIWNFYLWG). Joints of this rule are none of these.
SURE_JOINT = replace(CDR3_JOINT, least=8.0)
CROSSING_SHARE = 0.25  # of the reads that lie on unknown residues, those that must cross them
INNER_JOINT = replace(CDR3_JOINT, in_front=math.inf)  # of a stretch that begins within a CDR3


def asked_joints(cdr3: np.ndarray, draft: Draft) -> slice:
    """The joints of a CDR3 that only reads can show: not those to V and J if it ends like them."""
    tail, head = merge_il(tail_of(draft.v)), merge_il(head_of(draft.j))
    n = GERMLINE_END
    first = int(len(tail) >= n and np.array_equal(cdr3[:n], tail[:n]))
    last = int(len(head) >= n and np.array_equal(cdr3[-n:], head[-n:]))
    return slice(first, len(cdr3) + 1 - last)


def loosest_joint(reads: ReadSet, own: Placements, draft: Draft) -> int | None:
    """The joint of a CDR3 that the fewest reads show: the index of the residue behind it. None if
    all joints are sure.

    own: placements on the draft.
    """
    start, stop = draft.cdr3()
    weight = own.weights(reads)
    joined = joints_of(SURE_JOINT, own.alignment, draft.tokens, weight, start, stop - start)
    asked = asked_joints(draft.tokens[start:stop], draft)
    if joined[asked].min(initial=np.inf) >= WELL_CROSSED:
        return None
    return range(len(joined))[asked][int(joined[asked].argmin())]


def unjoined_in_cdr3(reads: ReadSet, own: Placements, draft: Draft) -> np.ndarray:
    """(t,) residues of a closed CDR3 between which no read, or hardly any, joins what is in front
    of them to what is behind: there may be others between.

    own: placements on the chain.
    """
    found = np.zeros(len(draft), dtype=bool)
    start, stop = draft.cdr3()
    cdr3 = draft.tokens[start:stop]
    if not 0 < start < stop or (cdr3 >= MISSING).any():
        return found
    a, weight = own.alignment, own.weights(reads)
    joined, over = (
        joints_of(rule, a, draft.tokens, weight, start, len(cdr3))
        for rule in (CDR3_JOINT, ANY_JOINT)
    )
    asked = asked_joints(cdr3, draft)
    thin = np.zeros(len(joined), dtype=bool)
    thin[asked] = joined[asked] < WELL_CROSSED
    for first, last in runs_of(thin):
        loosest = start + first + int(np.lexsort((over[first:last], joined[first:last]))[0])
        found[loosest - 1 : loosest + 1] = True
    return found


def uncrossed_in_cdr3(reads: ReadSet, own: Placements, draft: Draft) -> np.ndarray:
    """(t,) unknown residues of a CDR3 on which reads lie but which few cross, and those beside.

    Reads that show another residue beside an unknown one lie there one residue off, and those that
    have little in common with one of the sides may lie there by chance: there may be more residues,
    or fewer. Unknown residues on which no read lies are open anyway.

    own: placements on the chain.
    """
    found = np.zeros(len(draft), dtype=bool)
    start, stop = draft.cdr3()
    if not 0 < start < stop:
        return found
    a, weight = own.alignment, own.weights(reads)
    for first, last in runs_of(draft.tokens[start:stop] >= MISSING):
        at = start + np.arange(first, last)
        lies = a.covers(at)
        over = joints_of(INNER_JOINT, a, draft.tokens, weight, start + first, len(at))
        if lies.any(0).all() and over.min() < CROSSING_SHARE * weight[lies.any(1)].sum():
            found[start + first - 1 : start + last + 1] = True
    return found
