"""Residues by which reads lead into a stretch from one of its ends, and how two such arms meet."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from lacuna.core.alphabet import N_RESIDUES
from lacuna.placing.aligning.align import MIN_SCORE
from lacuna.placing.aligning.alignment import Alignment
from lacuna.placing.aligning.joints import CDR3_JOINT
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.stretches.word_paths import ANCHOR_LENGTH, LONGEST_STRETCH, WALKS_KEPT

EVEN_PROBABILITY = 0.4  # probability of a residue that neither leads an arm on nor ends it
ARM_LENGTHS = (4, 7, 11)  # residues of arms that are tried as well as the surest
SHARED_NATS = 7.0  # nats that residues must count to be those of both arms, three or four of them
BEHIND_HEAD = 2  # residues of FR4 with which a stretch may end
ANOTHER_PLACE = 3.0  # nats by which another place of the segment must be worse


def read_arms(reads: ReadSet, found: Alignment, stop: int) -> list[np.ndarray]:
    """Residues of reads in front of position `stop` of a text, on which they lie behind it."""
    weights: dict[tuple[int, ...], float] = defaultdict(float)
    lies = (found.span[:, 0] <= stop + 3) & (found.span[:, 1] >= stop + ANCHOR_LENGTH)
    for k in np.flatnonzero(lies).tolist():
        r, core = int(found.read[k]), int(found.core[k, 0])
        at = found.at[k]
        behind = np.flatnonzero(at >= stop)
        edge = int(behind[0]) - int(at[behind[0]] - stop)
        if edge < 2 or edge > LONGEST_STRETCH or core > edge + 3:
            continue
        for n, sure in _arm_lengths(reads.right[r, :edge][::-1]):
            weights[tuple(reads.tokens[r, edge - n : edge].tolist())] += sure * reads.weight[r]
    return _heaviest(weights)


def front_arms(reads: ReadSet, left: np.ndarray, elsewhere: np.ndarray) -> list[np.ndarray]:
    """Residues of reads behind a text's end `left`, of which the reads hold the last one to three.

    Proteases cut right in front of a CDR3 (chymotrypsin behind Tyr103), where no seed can place
    reads. elsewhere (n,): score of each read on all text; reads that lie somewhere are left out.
    """
    weights: dict[tuple[int, ...], float] = defaultdict(float)
    for m in range(1, ANCHOR_LENGTH):
        lies = (reads.tokens[:, :m] == left[-m:]).all(1) & (elsewhere < MIN_SCORE)
        for r in np.flatnonzero(lies & (reads.length > m + 1)).tolist():
            right = reads.right[r, m : min(int(reads.length[r]), LONGEST_STRETCH + m)]
            for n, sure in _arm_lengths(right):
                weights[tuple(reads.tokens[r, m : m + n].tolist())] += sure * reads.weight[r]
    return _heaviest(weights)


def _arm_lengths(right: np.ndarray) -> Iterator[tuple[int, float]]:
    """Yield lengths of an arm and how many of its residues are right on average.

    right: probability that each residue from the anchor on is right.
    """
    odds = np.cumsum(np.log(right / EVEN_PROBABILITY))
    for n in {int(np.argmax(odds)) + 1, *ARM_LENGTHS}:
        if n <= len(right):
            yield n, float(right[:n].sum())


def _heaviest(weights: Mapping[tuple[int, ...], float]) -> list[np.ndarray]:
    """The arms of most weight, without those that have an unknown residue."""
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[: 2 * WALKS_KEPT]
    return [np.array(arm, np.uint8) for arm, _ in ranked if max(arm) < N_RESIDUES]


def ways_to_join(left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
    """Two arms that lead into a stretch from its ends, put together: end to end, or overlapping.

    Arms whose ends are read wrongly overlap in residues inside them.
    """
    found = [np.concatenate((left, right))]
    for n in range(1, min(len(left), len(right)) + 1):
        if np.array_equal(left[-n:], right[:n]):
            found.append(np.concatenate((left, right[n:])))
    found += [np.concatenate((left[:i], right[j:])) for i, j in _shared_runs(left, right)]
    return found


def without_overlap(ahead: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Residues in front of an open stretch without those that the ones behind it show as well.

    Reads from both sides may show the same residues, which must not be stated twice.
    """
    for n in range(min(len(ahead), len(back)), 0, -1):
        if np.array_equal(ahead[-n:], back[:n]):
            return ahead[:-n]
    return ahead[: min((i for i, _ in _shared_runs(ahead, back)), default=len(ahead))]


def _shared_runs(left: np.ndarray, right: np.ndarray) -> list[tuple[int, int]]:
    """Where in two arms begin residues that are the same, too many to be so by chance."""
    found = []
    for i, j in zip(*np.nonzero(left[:, None] == right[None]), strict=True):
        if i and j and left[i - 1] == right[j - 1]:
            continue  # within a run
        n = 1
        while i + n < len(left) and j + n < len(right) and left[i + n] == right[j + n]:
            n += 1
        if CDR3_JOINT.worth_of(left[i : i + n]).sum() >= SHARED_NATS:
            found.append((int(i), int(j)))
    return found


def into_j(
    ahead: np.ndarray, head: np.ndarray, fr4: np.ndarray, least: float = CDR3_JOINT.least
) -> np.ndarray | None:
    """A stretch that ends inside the head of a J segment, with the rest of the head.

    fr4: the residues behind the head; least: nats that the shared residues must count. Proteases
    cut behind the first one of FR4 (chymotrypsin behind Trp118 and Phe118), so that no read joins
    what they separate: a stretch that ends with it is whole. None if the residues that they share
    may be alike by chance, or fit at two places.
    """
    text = np.concatenate((head, fr4[:BEHIND_HEAD]))
    found: list[tuple[float, int]] = []
    for stop in range(1, len(text) + 1):
        n = 0
        while n < min(stop, len(ahead)) and ahead[-1 - n] == text[stop - 1 - n]:
            n += 1
        if n > stop - len(head):  # FR4 alone is as likely as W or F within a CDR3
            found.append((float(CDR3_JOINT.worth_of(ahead[len(ahead) - n :]).sum()), stop))
    found.sort(reverse=True)
    if not found or found[0][0] < least:
        return None
    if len(found) > 1 and found[1][0] > found[0][0] - ANOTHER_PLACE:
        return None
    stop = found[0][1]
    return np.concatenate((ahead, head[stop:]))[: len(ahead) + len(head) - stop]
