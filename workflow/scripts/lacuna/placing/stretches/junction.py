"""Stretches that no template covers, weighed by all reads that touch them.

What is tried comes from paths through the words of reads, or from reads that lead into a stretch;
the stretch that lets reads gain most is taken, and edited by the blocks that they show.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import MISSING, N_RESIDUES
from lacuna.placing.aligning.align import align
from lacuna.placing.aligning.alignment import MATCH, Alignment
from lacuna.placing.aligning.joints import JointRule, joints_of
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.aligning.seeds import SEED_LENGTH, diagonals, known_words, words
from lacuna.placing.stretches.word_paths import LONGEST_STRETCH, WALKS_KEPT
from lacuna.placing.votes.placement import Text, text_of

FLANK_LENGTH = 28  # residues on either side of a stretch on which reads are aligned
BETTER_BY = 4.0  # nats that a stretch must be better than the one that is there
BETTER_ELSEWHERE = 1.0  # nats by which another place of a read may be better
MOST_EDITS = 4  # of a path, at most
LONGEST_EDIT = 6  # residues that an edit puts in
EDIT_WEIGHT = 0.8  # of the reads that show an edit
EDIT_MARGIN = 3.0  # nats that reads gain by an edit
LENGTH_MARGIN = 10.0  # the same by an edit that changes the length
LENGTH_SHARE = 0.15  # of what reads gain by the path so far
WELL_CROSSED = 1.5  # weight of reads over a joint that is enough
MOST_READS = 1500  # that weigh stretches; more say the same
NEAR_RESIDUES = 8  # residues on either side of a stretch within which a read touches it


@dataclass(frozen=True, slots=True)
class Path:
    """A stretch, what reads gain by it in nats, and the weight of the reads over each joint.

    joints (residues + 1,): a joint is in front of the first residue, between two, or behind the
    last; a JointRule says when a read is over it.
    """

    tokens: np.ndarray
    gain: float
    joints: np.ndarray

    @property
    def thinnest(self) -> float:
        """Weight of the reads over the joint that has least."""
        return float(self.joints.min())

    @property
    def length_margin(self) -> float:
        """Nats by which a stretch of another length must be better: reads have a residue more or
        fewer (N for GG) by mistake too."""
        return max(LENGTH_MARGIN, LENGTH_SHARE * self.gain)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a stretch is weighed with: the residues on both sides, and the reads.

    elsewhere (n,): score of every read on all other text; rule: when a read is over a joint.
    """

    reads: ReadSet
    left: np.ndarray
    right: np.ndarray
    elsewhere: np.ndarray
    rule: JointRule

    @property
    def before(self) -> np.ndarray:
        """The residues in front of the stretch on which reads are aligned."""
        return self.left[-FLANK_LENGTH:]

    @property
    def after(self) -> np.ndarray:
        """The same behind it."""
        return self.right[:FLANK_LENGTH]


def weigh_paths(around: Surroundings, stretches: Sequence[np.ndarray]) -> list[Path]:
    """Stretches with what reads gain by each over an open gap, the best first.

    A stretch may hold MISSING.
    """
    if not len(stretches):
        return []
    rows = touching(around, stretches)
    part = around.reads.take(rows)
    text, found = _aligned(around, part, [np.full(3, MISSING, np.uint8), *stretches])
    owner = text.owner[found.span[:, 0]]
    score = np.zeros((len(rows), len(stretches) + 1))
    np.maximum.at(score, (found.read, owner), found.score)
    score = np.maximum(score, around.elsewhere[rows][:, None])
    gain = np.maximum(score[:, 1:] - score[:, :1], 0.0)
    value = (gain * part.weight[:, None]).sum(0)
    weighed = []
    for i, stretch in enumerate(stretches, start=1):
        own = np.flatnonzero(owner == i)
        own = own[found.score[own] >= score[found.read[own], i] - BETTER_ELSEWHERE]
        start = int(text.start[i]) + len(around.before)
        held = found.take(own)
        weight = part.weight[held.read]
        joints = joints_of(around.rule, held, text.tokens, weight, start, len(stretch))
        weighed.append(Path(stretch, float(value[i - 1]), joints))
    return sorted(weighed, key=lambda p: (-p.gain, p.tokens.tolist()))


def _aligned(
    around: Surroundings, reads: ReadSet, stretches: Sequence[np.ndarray]
) -> tuple[Text, Alignment]:
    """Each of some stretches between the residues on both sides, as one text, and reads on it."""
    text = text_of([np.concatenate((around.before, s, around.after)) for s in stretches])
    read, diagonal = diagonals(reads, text.tokens, text.owner)
    return text, align(reads, read, diagonal, text.tokens)


def refined(
    around: Surroundings, path: Path, usual: int | None = None, longest: int = LONGEST_STRETCH
) -> Path:
    """A path after the edits that reads like: blocks that they read otherwise, one by one.

    usual: length that no edit leads away from; tools split a residue at the end of a peptide (Q
    into GA) in all of its spectra. longest: residues that no edit exceeds.
    """
    for _ in range(MOST_EDITS):
        tried = [t for t in _edited(around, path.tokens) if len(t) <= longest]
        if usual is not None:
            off = abs(len(path.tokens) - usual)
            tried = [t for t in tried if abs(len(t) - usual) <= off]
        if not tried:
            return path
        weighed = weigh_paths(around, [path.tokens, *tried])
        now = next(p for p in weighed if np.array_equal(p.tokens, path.tokens))
        good = [p for p in weighed if p.gain >= now.gain + _edit_margin(p, now)]
        good = [p for p in good if p.thinnest >= min(now.thinnest, WELL_CROSSED)]
        if not good:
            return now
        path = good[0]
    return path


def _edit_margin(path: Path, now: Path) -> float:
    """Nats that an edit must gain."""
    return EDIT_MARGIN if len(path.tokens) == len(now.tokens) else now.length_margin


def _edited(around: Surroundings, stretch: np.ndarray) -> list[np.ndarray]:
    """A stretch with one run of residues as reads have it, by the weight of those reads."""
    rows = touching(around, [stretch])
    part = around.reads.take(rows)
    _, found = _aligned(around, part, [stretch])
    better = found.score > around.elsewhere[rows][found.read]
    first = len(around.before)
    weights: dict[tuple[int, ...], float] = defaultdict(float)
    for k in np.flatnonzero(better).tolist():
        r = int(found.read[k])
        for begin, end, low, high in _differing(found, k):
            low, high = low - first, high - first
            if not 0 <= low <= high <= len(stretch) or end - begin > LONGEST_EDIT:
                continue
            if (stretch[low:high] >= MISSING).any():
                continue
            residues = part.tokens[r, begin:end].tolist()
            edit = (*stretch[:low].tolist(), *residues, *stretch[high:].tolist())
            weights[edit] += float(part.right[r, begin:end].min()) * float(part.weight[r])
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:WALKS_KEPT]
    return [np.array(edit, np.uint8) for edit, weight in ranked if weight >= EDIT_WEIGHT]


def _differing(found: Alignment, k: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield start and stop in the read, and in the text, of each run of residues of placement k
    that do not match, if residues that do are behind it."""
    matched = np.flatnonzero(found.kind[k] == MATCH)
    # The last one in front of a run, or what is in front of the core.
    place, text = int(found.core[k, 0]) - 1, int(found.span[k, 0]) - 1
    for c, at in zip(matched.tolist(), found.at[k, matched].tolist(), strict=True):
        if c > place + 1:
            yield place + 1, c, text + 1, at
        place, text = c, at


def touching(around: Surroundings, stretches: Sequence[np.ndarray]) -> np.ndarray:
    """Reads that share a seed with a stretch or the residues next to it, MOST_READS at most.

    Those with a seed that reaches into a stretch go first, then the surest.
    """
    reads = around.reads
    found = words(reads.tokens, SEED_LENGTH)
    inside, near = (_holding(around, stretches, found, n) for n in (SEED_LENGTH - 1, NEAR_RESIDUES))
    rows = np.flatnonzero(near)
    worth = reads.right[rows].sum(1) * reads.weight[rows]
    return np.sort(rows[np.lexsort((-worth, ~inside[rows]))[:MOST_READS]])


def _holding(
    around: Surroundings, stretches: Sequence[np.ndarray], found: np.ndarray, beyond: int
) -> np.ndarray:
    """(n,) whether reads of some words hold one of a stretch or of `beyond` residues around it."""
    texts = [np.concatenate((around.left[-beyond:], s, around.right[:beyond])) for s in stretches]
    marked = np.zeros(N_RESIDUES**SEED_LENGTH + 1, dtype=bool)  # the last for words that are none
    for text in texts:
        marked[known_words(text, SEED_LENGTH)] = True
    held: np.ndarray = marked[found].any(1)
    return held
