"""What lies between a V domain and the hinge of a constant region that lacks CH1.

A VHH or an scFv on an Fc is joined to it directly or by a linker, anywhere in the hinge. So what
reads show behind the V domain is tried in front of each of the first residues of the hinge.
"""

from collections.abc import Sequence

import numpy as np

from lacuna.antibody.imgt import CONSTANT
from lacuna.core.alphabet import ABSENT, MISSING
from lacuna.placing.aligning.joints import V_JOINT
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.stretches.junction import (
    LENGTH_MARGIN,
    WELL_CROSSED,
    Path,
    Surroundings,
    weigh_paths,
)
from lacuna.placing.stretches.word_paths import WordGraph, paths, repeats
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly, place_on

HINGE_LENGTH = 20  # first residues of the hinge, in front of any of which a linker may end
LEAST_OF_HINGE = 4  # of these that remain: an anchor of paths
LONGEST_LINKER = 30  # residues of a linker at most
RESIDUE_COST = 1.5  # nats: where proteases cut, reads may end and begin with the same residue
LINKERS_TRIED = 4  # linkers in front of each residue, and as many that repeat themselves


def with_linkers(assembly: Assembly, without_ch1: Sequence[bool]) -> list[Draft]:
    """The drafts; those without CH1 with what reads show in front of their hinge, if that explains
    reads clearly better than the hinge from its start."""
    found = list(assembly.drafts)
    for i, lacking in enumerate(without_ch1):
        start = found[i].find(CONSTANT)
        if lacking and LEAST_OF_HINGE < start and start + 2 * HINGE_LENGTH <= len(found[i]):
            others = [*found[:i], *found[i + 1 :], *assembly.fixed]
            found[i] = _with_linker(assembly.reads, found[i], start, others)
    return found


def _with_linker(reads: ReadSet, draft: Draft, start: int, others: Sequence[Draft]) -> Draft:
    """A draft whose hinge begins at `start`, with what reads show in front of it."""
    span = start, start + HINGE_LENGTH
    left, hinge, right = np.split(draft.tokens, span)
    opened = draft.with_residues(slice(*span), MISSING)
    elsewhere = place_on(reads, [opened, *others]).best(len(reads))
    around = Surroundings(reads, left, right, elsewhere, V_JOINT)
    kept = {hinge.tobytes(): HINGE_LENGTH}  # residues of the hinge in each stretch
    stretches = [hinge]
    for stretch, of_hinge in _stretches(WordGraph(reads), left, hinge, right):
        if stretch.tobytes() not in kept:
            kept[stretch.tobytes()] = of_hinge
            stretches.append(stretch)
    weighed = weigh_paths(around, stretches)
    now = next(path for path in weighed if np.array_equal(path.tokens, hinge))

    def is_read(path: Path) -> bool:
        """Whether reads lie over all joints up to the hinge's; those within it may be cut."""
        joints = path.joints[: len(path.tokens) - kept[path.tokens.tobytes()] + 1]
        return bool(joints.min() >= WELL_CROSSED)

    margin = now.length_margin if is_read(now) else LENGTH_MARGIN
    better = [p for p in weighed if p.gain >= now.gain + margin and is_read(p)]
    if not better:
        return draft
    best = max(better, key=lambda path: path.gain - RESIDUE_COST * len(path.tokens))
    of_hinge = kept[best.tokens.tobytes()]
    germline = np.full(len(best.tokens), ABSENT, np.uint8)
    germline[-of_hinge:] = draft.germline[span[1] - of_hinge : span[1]]
    columns = np.full(len(best.tokens), CONSTANT, draft.columns.dtype)
    return draft.spliced(*span, best.tokens, columns, germline)


def _stretches(
    graph: WordGraph, left: np.ndarray, hinge: np.ndarray, right: np.ndarray
) -> list[tuple[np.ndarray, int]]:
    """What may lie between a V domain and what is behind the hinge: nothing or a linker, and the
    hinge from any of its residues on; and how many residues are the hinge's."""
    found = []
    for skipped in range(HINGE_LENGTH - LEAST_OF_HINGE + 1):
        rest = hinge[skipped:]
        behind = np.concatenate((rest, right))
        linkers = [
            np.empty(0, np.uint8),
            *paths(graph, left, behind, 1, LONGEST_LINKER)[:LINKERS_TRIED],
            *repeats(graph, left, behind, 1, LONGEST_LINKER)[:LINKERS_TRIED],
        ]
        found += [(np.concatenate((linker, rest)), len(rest)) for linker in linkers]
    return found
