"""The CDR3 of a chain by the reads that lead into it from both sides: closed if they join, and open
if they do not."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from lacuna.antibody.domain_ends import TYPICAL_CDR3
from lacuna.antibody.germlines import LOCI, j_segments
from lacuna.antibody.imgt import FR4_START
from lacuna.core.alphabet import MISSING, merge_il
from lacuna.placing.aligning.joints import ANY_JOINT, CDR3_JOINT
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.stretches.arms import (
    SHARED_NATS,
    front_arms,
    into_j,
    ways_to_join,
    without_overlap,
)
from lacuna.placing.stretches.cdr3_joints import asked_joints
from lacuna.placing.stretches.frameworks import BEGINNING, OF_FR4, begins_again, holds_framework
from lacuna.placing.stretches.junction import (
    BETTER_BY,
    WELL_CROSSED,
    Path,
    Surroundings,
    refined,
    weigh_paths,
)
from lacuna.placing.stretches.word_paths import WordGraph, paths
from lacuna.placing.votes.draft import Draft, head_of, span_of_unknown, tail_of

MIN_GAIN = 12.0  # nats that reads gain by a bridge
OPEN_SHARE = 0.75  # of what reads gain by an open junction that a bridge must keep
ARM_JOINT = 1.5  # weight of reads over each joint of an arm
ARM_COST = 1.5  # nats for each residue of an arm
SHORTEST_CDR3 = 3  # residues of CDR3
# Residues of CDR3: of cattle up to 70 (Wang et al. 2013, 10.1016/j.cell.2013.04.049). IMGT has
# columns for 45.
LONGEST_CDR3 = {"H": 75, "K": 18, "L": 18}
LEAST_ROOM = 6  # unknown residues of an open CDR3, into which reads may lead
GERMLINE_START = 3  # residues behind Cys104 by which reads are told to be of a V segment
LIKE_START = 2  # of these that reads must have; reads of other proteins begin with C as well
# Weight of the reads that show a mutated first one, from which it is, whatever others show.
OFTEN_SHOWN = 4.0
OPEN_RESIDUES = 3  # unknown residues that stand for an open stretch


def with_junction(
    around: Surroundings,
    draft: Draft,
    graph: WordGraph,
    clear: np.ndarray,
    arms: Sequence[np.ndarray],
    fronts: Sequence[np.ndarray],
) -> Draft:
    """The draft with the CDR3 that reads like best, open where nothing joins it.

    clear (residues of the CDR3,): whether reads settle each of them; arms: how reads that lie
    behind it go on in front; fronts: how those that begin at its start go on behind.
    """
    present = draft.tokens[slice(*draft.cdr3())]
    again = begins_again(present)
    present, clear = present[again:], clear[again:]
    known = _open_stretch(around, present, clear, arms)
    best = _closed(around, draft, known, present, graph)
    if best is None and clear.all():
        best = _closed(around, draft, np.full(OPEN_RESIDUES, MISSING, np.uint8), present, graph)
    if best is None:
        mutated = _with_start_of_fr4(around, draft, known, graph)
        if mutated is not None:
            return mutated
        # Reads of another chain may begin there too, so what others join goes first.
        longer = _with_front(around, known, fronts)
        if longer is not known:
            known, best = longer, _closed(around, draft, longer, present, graph)
    if best is not None:
        return replace(draft.with_cdr3(best.tokens), bridged=True)
    ahead, back = _arms_of(known)
    whole = _with_end_of_j(around, draft, ahead, back)
    if whole is not None:
        return replace(whole, bridged=True)
    ahead = without_overlap(ahead, back)
    more = max(TYPICAL_CDR3[draft.locus] - len(ahead) - len(back), LEAST_ROOM)
    opened = np.concatenate((ahead, np.full(more, MISSING, np.uint8), back))
    return replace(draft.with_cdr3(opened), bridged=False)


def _with_start_of_fr4(
    around: Surroundings, draft: Draft, known: np.ndarray, graph: WordGraph
) -> Draft | None:
    """The draft with the CDR3 and the first residue of FR4 that reads join to the second one, None
    if they join nothing to it.

    Where that residue is mutated (RGQG for WGQG), reads lead into no CDR3 from the germline's.
    """
    behind = replace(around, right=around.right[1:])
    best = _closed(behind, draft, known, known, graph)
    if best is None or len(best.tokens) <= SHORTEST_CDR3:
        return None
    if np.array_equal(best.tokens[-2:], around.right[:2]):  # WGGQG: a residue too many
        return None
    if int(best.tokens[-1]) in _starts_elsewhere(draft.locus):  # WGQG in a light chain
        return None
    start = around.right[:OF_FR4]
    mutated, germline = (
        _shown(around.reads, np.concatenate((first, start[1:])))
        for first in (best.tokens[-1:], start[:1])
    )
    if not mutated or mutated < min(OFTEN_SHOWN, germline):  # it is misread, or germline joins it
        return None
    closed = draft.with_cdr3(best.tokens[:-1])
    return replace(closed.with_residues(closed.cdr3()[1], best.tokens[-1]), bridged=True)


@cache
def _starts_elsewhere(locus: str) -> frozenset[int]:
    """First residues of FR4 that only J segments of other loci have: W for light chains, F for
    heavy ones. Reads that join one of them to a chain go on from the CDR3 of another chain."""
    j = j_segments()
    own = j.locus == LOCI.index(locus)
    first = merge_il(j.tokens[:, FR4_START])
    return frozenset(first[~own].tolist()) - frozenset(first[own].tolist())


def _shown(reads: ReadSet, run: np.ndarray) -> float:
    """Weight of the reads that hold a run of residues."""
    windows = np.lib.stride_tricks.sliding_window_view(reads.tokens, len(run), axis=1)
    return float(reads.weight[(windows == run).all(-1).any(1)].sum())


def _with_end_of_j(
    around: Surroundings, draft: Draft, ahead: np.ndarray, back: np.ndarray
) -> Draft | None:
    """The draft with the CDR3 that ends as a J segment does, if its beginning reaches that end;
    None if it does not, or if J segments disagree.

    A J segment other than the draft's must share more with the beginning itself, since reads may
    show nothing else of it.
    """
    fr4 = draft.tokens[draft.cdr3()[1] :]
    j = j_segments()
    alike = np.flatnonzero((j.species == j.species[draft.j]) & (j.locus == j.locus[draft.j]))
    own = (_into_fr4(around, ahead, fr4), [draft.j], CDR3_JOINT.least)
    for led, segments, least in (own, (ahead, alike.tolist(), SHARED_NATS)):
        found: dict[bytes, Draft] = {}
        for segment in segments:
            whole = into_j(led, merge_il(head_of(segment)), fr4, least)
            # The first residue of reads is wrong more often than J segments differ there.
            if whole is not None and (len(back) < 2 or np.array_equal(whole[-len(back) :], back)):
                closed = replace(draft, j=segment).with_cdr3(whole)
                found.setdefault(whole.tobytes(), closed)  # of alleles that end alike the first
        if len(found) == 1:
            return found.popitem()[1]
    return None


def _into_fr4(around: Surroundings, ahead: np.ndarray, fr4: np.ndarray) -> np.ndarray:
    """The beginning of a CDR3, with the first residue of FR4 if reads go on into it.

    Reads of what is behind may have the last residue of the beginning in front of FR4 by chance, so
    none is laid on more than the first residue.
    """
    (path,) = weigh_paths(replace(around, right=fr4[:1], rule=ANY_JOINT), [ahead])
    return np.concatenate((ahead, fr4[:1])) if path.joints[-1] >= WELL_CROSSED else ahead


def _open_stretch(
    around: Surroundings, present: np.ndarray, clear: np.ndarray, arms: Sequence[np.ndarray]
) -> np.ndarray:
    """The residues on both sides of what is not known of a CDR3, as reads like them best."""
    known = np.full(OPEN_RESIDUES, MISSING, np.uint8)
    doubtful = np.flatnonzero(~clear)
    settled = 0
    if len(doubtful):
        ahead, back = present[: doubtful[0]], present[doubtful[-1] + 1 :]
    else:
        cut = _loosest(around, present)
        ahead, back = present[:cut], present[cut:]
        settled = len(back)
    best = _best_open(around, [np.concatenate((ahead, known, arm)) for arm in (back, *arms)])
    ahead, back = _arms_of(_supported(refined(around, best), settled))
    return np.concatenate((ahead, known, _behind_beginning(ahead, back)))


def _behind_beginning(ahead: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """The residues of an arm that are behind those ahead: one that begins in FR3 has these too."""
    again = begins_again(np.concatenate((ahead, arm))) - len(ahead)
    if len(ahead) < BEGINNING or again <= 0:
        return arm
    rest = arm[again:]
    n = min(len(rest), len(ahead))
    other = np.flatnonzero(rest[:n] != ahead[:n])
    return rest[int(other[0]) if len(other) else n :]


def _best_open(around: Surroundings, stretches: Sequence[np.ndarray]) -> Path:
    """The open stretch that reads like best; each residue of one must be worth its cost."""
    trials = weigh_paths(around, stretches)
    return max(trials, key=lambda p: (p.gain - ARM_COST * len(p.tokens), p.tokens.tolist()))


def _loosest(around: Surroundings, present: np.ndarray) -> int:
    """Index of the residue of a CDR3 in front of which the fewest reads go on.

    Reads settle all residues of a CDR3 that none of them spans if the protease cuts within it.
    """
    (path,) = weigh_paths(replace(around, rule=ANY_JOINT), [present])
    return int(path.joints.argmin())


def _arms_of(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The residues in front of and behind what is not known."""
    start, stop = span_of_unknown(known)
    return known[:start], known[stop:]


def _closed(
    around: Surroundings, draft: Draft, known: np.ndarray, present: np.ndarray, graph: WordGraph
) -> Path | None:
    """The CDR3 without a gap that reads like best, None if they do not join its residues.

    known: the CDR3 with a gap; present: as it is.
    """
    ahead, back = _arms_of(known)
    suffixes = [back[n:] for n in range(1, len(back))]
    longest = LONGEST_CDR3[draft.locus]
    stretches = [s for s in (*ways_to_join(ahead, back), *suffixes, present) if (s < MISSING).all()]
    stretches += paths(graph, around.left, around.right, SHORTEST_CDR3, longest)
    stretches = [
        s for s in stretches if SHORTEST_CDR3 <= len(s) <= longest and not holds_framework(s)
    ]
    every = list({s.tobytes(): s for s in (known, *stretches)}.values())
    weighed = weigh_paths(around, every)
    open_gain = next(p.gain for p in weighed if np.array_equal(p.tokens, known))
    closed = [p for p in weighed if (p.tokens < MISSING).all() and _is_joined(p, draft)]
    if not closed or closed[0].gain < max(MIN_GAIN, OPEN_SHARE * open_gain):
        return None
    best = closed[0]
    now = next((p for p in closed if np.array_equal(p.tokens, present)), None)
    if now is not None and now.gain > best.gain - BETTER_BY:
        best = now
    edited = refined(around, best, longest=longest)
    return best if holds_framework(edited.tokens) else edited


def own_fronts(around: Surroundings, draft: Draft) -> list[np.ndarray]:
    """How reads go on that begin at the start of a CDR3 and are like the V segment there."""
    germline = merge_il(tail_of(draft.v)[:GERMLINE_START])

    def like(arm: np.ndarray) -> int:
        n = min(len(arm), len(germline))
        return int((arm[:n] == germline[:n]).sum())

    found = front_arms(around.reads, around.left, around.elsewhere)
    return [arm for arm in found if like(arm) >= LIKE_START]


def _with_front(
    around: Surroundings, known: np.ndarray, fronts: Sequence[np.ndarray]
) -> np.ndarray:
    """An open stretch with the beginning that reads like best, as far as they tell it."""
    ahead, _ = span_of_unknown(known)
    best = _best_open(around, [known, *(np.concatenate((a, known[ahead:])) for a in fronts)])
    stop, _ = span_of_unknown(best.tokens)
    thin = np.flatnonzero(best.joints[1:stop] < ARM_JOINT)
    kept = int(thin[0]) + 1 if len(thin) else stop
    if kept <= ahead:
        return known
    return np.concatenate((best.tokens[:kept], best.tokens[stop:]))


def _is_joined(path: Path, draft: Draft) -> bool:
    """Whether reads are over every joint of a CDR3; germline joins its ends to V and J as well."""
    asked = asked_joints(path.tokens, draft)
    return float(path.joints[asked].min()) >= WELL_CROSSED


def _supported(path: Path, settled: int) -> np.ndarray:
    """An open stretch without the residues in front of its right arm that too few reads cover.

    settled: residues at its end that reads settle one by one, and which stay.
    """
    _, stop = span_of_unknown(path.tokens)
    thin = np.flatnonzero(path.joints[stop + 1 :] < ARM_JOINT)
    n = min(int(thin[-1]) + 1, max(len(path.tokens) - settled - stop, 0)) if len(thin) else 0
    return np.concatenate((path.tokens[:stop], path.tokens[stop + n :]))
