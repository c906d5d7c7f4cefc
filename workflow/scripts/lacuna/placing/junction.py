"""Stretches that no template covers: paths through the words of reads, weighed by reads.

A path begins with the residues before the stretch and ends with those after it; each residue is
one that reads show behind the last four. Paths are then compared under all reads
that touch them, and the one that lets reads gain most is taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import MISSING, N_RESIDUES, RESIDUES
from lacuna.placing.align import MATCH, MIN_SCORE, MISMATCH, Alignment, align
from lacuna.placing.placement import text_of
from lacuna.placing.readset import ISOLEUCINE, ReadSet
from lacuna.placing.seeds import SEED, diagonals, word_weights, words

CONTEXT = 4
ANCHOR = 4
BEAM = 200
CANDIDATES = 12
FLANK = 28
FLOOR = 0.15  # weight of a word that reads never show, as prior of each residue
LONGEST = 34
SHARED = 1.0  # nats by which another place of a read may be better
EDITS = 4  # of a path, at most
EDIT_WEIGHT = 0.8  # of the reads that show an edit
EDIT_MARGIN = 3.0  # nats that reads gain by an edit
LENGTH_MARGIN = 10.0  # the same by an edit that changes the length
LENGTH_SHARE = 0.15  # of what reads gain by the path so far
ANOTHER_PLACE = 3.0  # nats by which another place of the segment must be worse
THIN = 1.5  # weight of reads over a joint that is enough
EVEN = 0.4  # probability of a residue that neither leads an arm on nor ends it
ARM_LENGTHS = (4, 7, 11)  # residues of arms that are tried beside the surest
MOST_READS = 1500  # that weigh stretches; more say the same
NEAR = 8  # residues beside a stretch within which a read touches it

# Share of each residue in CDR3s, I with L (means of human VH, human VL and camelid VHH in the test
# sets of AbNatiV 2): Y and S say little there, W and H much.
_IN_CDR3 = {
    **{"A": 0.096, "C": 0.017, "D": 0.079, "E": 0.022, "F": 0.031, "G": 0.093, "H": 0.015},
    **{"I": 0.069, "K": 0.013, "L": 0.069, "M": 0.013, "N": 0.030, "P": 0.042, "Q": 0.029},
    **{"R": 0.057, "S": 0.125, "T": 0.068, "V": 0.063, "W": 0.026, "Y": 0.111},
}


@dataclass(frozen=True, slots=True)
class JointRule:
    """When a read is over a joint.

    reach: residues on both sides that do not differ from the chain; worth (residues,): what each
    residue counts that is the same in read and chain, and least: what they must sum to on both
    sides, since blocks of equal mass, and a residue or two, agree by chance.
    """

    reach: int
    worth: np.ndarray
    least: float

    def worth_of(self, tokens: np.ndarray) -> np.ndarray:
        """What residues count, of the shape of `tokens`; 0 of one that is not known."""
        known = tokens < N_RESIDUES
        found: np.ndarray = np.where(known, self.worth[np.where(known, tokens, 0)], 0.0)
        return found


# In front of CDR3 other chains have much the same residues, so that even rare ones say little; in
# CDR3 each says more the rarer it is there.
V_JOINT = JointRule(reach=2, worth=np.ones(N_RESIDUES), least=3.0)
CDR3_JOINT = JointRule(reach=1, worth=-np.log([_IN_CDR3[r] for r in RESIDUES]), least=5.0)


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
        return float(self.joints.min())


class WordGraph:
    """Which residue follows, or precedes, four others, by the weight of the reads that show it."""

    def __init__(self, reads: ReadSet) -> None:
        weights = word_weights(reads, CONTEXT + 1)
        self.after = weights.reshape(-1, N_RESIDUES)  # (context, next)
        self.before = weights.reshape(N_RESIDUES, -1).T  # (context, previous)


def paths(
    graph: WordGraph, left: np.ndarray, right: np.ndarray, shortest: int, longest: int
) -> list[np.ndarray]:
    """Stretches between two anchors (ANCHOR residues or more), the likeliest first.

    Walks from the left to the right anchor and from the right to the left one; the lengths are
    those of the stretch between.
    """
    forward = _walk(graph.after, left[-CONTEXT:], right[:ANCHOR], shortest, longest)
    backward = _walk(graph.before, right[:CONTEXT], left[-ANCHOR:], shortest, longest, reverse=True)
    found: dict[tuple[int, ...], float] = {}
    for score, stretch in forward + [(s, t[::-1]) for s, t in backward]:
        found[stretch] = max(found.get(stretch, -np.inf), score)
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ends = tuple(left[-CONTEXT:].tolist()), tuple(right[:CONTEXT].tolist())
    ranked = [item for item in ranked if not _returns((*ends[0], *item[0], *ends[1]))]
    return [np.array(stretch, dtype=np.uint8) for stretch, _ in ranked[:CANDIDATES]]


def joined(left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
    """Two arms that lead into a stretch from its ends, put together: end to end, or overlapping."""
    found = [np.concatenate((left, right))]
    for n in range(1, min(len(left), len(right)) + 1):
        if np.array_equal(left[-n:], right[:n]):
            found.append(np.concatenate((left, right[n:])))
    return found


def without_overlap(ahead: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Residues in front of an open stretch without those that the ones behind it begin with.

    Reads from both sides may show the same residues, which must not be stated twice.
    """
    for n in range(min(len(ahead), len(back)), 0, -1):
        if np.array_equal(ahead[-n:], back[:n]):
            return ahead[:-n]
    return ahead


def into_j(ahead: np.ndarray, head: np.ndarray) -> np.ndarray | None:
    """A stretch that ends inside the head of a J segment, with the rest of the head.

    None if the residues that they share may be alike by chance, or fit at two places.
    """
    found: list[tuple[float, int]] = []
    for stop in range(1, len(head) + 1):
        n = 0
        while n < min(stop, len(ahead)) and ahead[-1 - n] == head[stop - 1 - n]:
            n += 1
        found.append((float(CDR3_JOINT.worth_of(ahead[len(ahead) - n :]).sum()), stop))
    found.sort(reverse=True)
    if not found or found[0][0] < CDR3_JOINT.least:
        return None
    if len(found) > 1 and found[1][0] > found[0][0] - ANOTHER_PLACE:
        return None
    return np.concatenate((ahead, head[found[0][1] :]))


def _returns(walk: tuple[int, ...]) -> bool:
    """Whether a walk comes to the same four residues twice."""
    contexts = [walk[i : i + CONTEXT] for i in range(len(walk) - CONTEXT + 1)]
    return len(set(contexts)) < len(contexts)


def _walk(
    follow: np.ndarray,
    start: np.ndarray,
    goal: np.ndarray,
    shortest: int,
    longest: int,
    reverse: bool = False,
) -> list[tuple[float, tuple[int, ...]]]:
    """(score, residues of the stretch) of walks from `start` that end with `goal`."""
    goal_key = tuple((goal[::-1] if reverse else goal).tolist())
    size = N_RESIDUES**CONTEXT
    base = N_RESIDUES ** np.arange(CONTEXT - 1, -1, -1)
    done: list[tuple[float, tuple[int, ...]]] = []
    if (start >= N_RESIDUES).any() or (goal >= N_RESIDUES).any():
        return []
    context = np.array([int(start @ base)])
    score = np.zeros(1)
    history: list[tuple[int, ...]] = [()]
    for step in range(longest + len(goal_key)):
        weight = follow[context]  # (beam, 20)
        total = weight.sum(1, keepdims=True) + FLOOR * (N_RESIDUES - 1)
        gain = np.log((weight + 1e-6) / total)
        gain[weight < FLOOR] = -np.inf
        gain[:, ISOLEUCINE] = -np.inf
        reached = score[:, None] + gain
        row, residue = np.nonzero(reached > -np.inf)
        if not len(row):
            break
        value = reached[row, residue]
        order = np.argsort(-value, kind="stable")[:BEAM]
        row, residue, value = row[order], residue[order], value[order]
        history = [
            (*history[r], int(x)) for r, x in zip(row.tolist(), residue.tolist(), strict=True)
        ]
        if reverse:
            context = residue * (size // N_RESIDUES) + context[row] // N_RESIDUES
        else:
            context = context[row] % (size // N_RESIDUES) * N_RESIDUES + residue
        score = value
        inner = step + 1 - len(goal_key)
        if inner < 0:
            continue
        keep = []
        for i, walked in enumerate(history):
            over = walked[inner:] == goal_key
            if over and inner >= shortest:
                done.append((float(score[i]) / (step + 1), walked[:inner]))
            elif not over:
                keep.append(i)
        history = [history[i] for i in keep]
        context, score = context[keep], score[keep]
        if not keep:
            break
    done.sort(key=lambda item: (-item[0], item[1]))
    return done[:CANDIDATES]


@dataclass(frozen=True, slots=True)
class Beside:
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
        return self.left[-FLANK:]

    @property
    def after(self) -> np.ndarray:
        return self.right[:FLANK]


def weigh_paths(beside: Beside, stretches: Sequence[np.ndarray]) -> list[Path]:
    """Stretches with what reads gain by each over an open gap, the best first.

    A stretch may hold MISSING.
    """
    if not len(stretches):
        return []
    before, after, elsewhere = beside.before, beside.after, beside.elsewhere
    gap = np.full(3, MISSING, np.uint8)
    text = text_of([np.concatenate((before, s, after)) for s in (gap, *stretches)])
    rows = touching(beside, stretches)
    part = beside.reads.take(rows)
    read, diagonal = diagonals(part, text.tokens, text.owner)
    found = align(part, read, diagonal, text.tokens)
    owner = text.owner[found.span[:, 0]]
    score = np.zeros((len(rows), len(stretches) + 1))
    np.maximum.at(score, (found.read, owner), found.score)
    score = np.maximum(score, elsewhere[rows][:, None])
    gain = np.maximum(score[:, 1:] - score[:, :1], 0.0)
    value = (gain * part.weight[:, None]).sum(0)
    weighed = []
    for i, stretch in enumerate(stretches, start=1):
        own = np.flatnonzero(owner == i)
        own = own[found.score[own] >= score[found.read[own], i] - SHARED]
        start = int(text.start[i]) + len(before)
        held = found.take(own)
        weight = part.weight[held.read]
        joints = _joints(beside.rule, held, text.tokens, weight, start, len(stretch))
        weighed.append(Path(stretch, float(value[i - 1]), joints))
    return sorted(weighed, key=lambda p: (-p.gain, p.tokens.tolist()))


def refined(beside: Beside, path: Path, usual: int | None = None, longest: int = LONGEST) -> Path:
    """A path after the edits that reads like: blocks that they read otherwise, one by one.

    usual: length that no edit leads away from; tools split a residue at the end of a peptide (Q
    into GA) in all of its spectra. longest: residues that no edit exceeds.
    """
    for _ in range(EDITS):
        tried = [t for t in _edited(beside, path.tokens) if len(t) <= longest]
        if usual is not None:
            off = abs(len(path.tokens) - usual)
            tried = [t for t in tried if abs(len(t) - usual) <= off]
        if not tried:
            return path
        weighed = weigh_paths(beside, [path.tokens, *tried])
        now = next(p for p in weighed if np.array_equal(p.tokens, path.tokens))
        good = [p for p in weighed if p.gain >= now.gain + _edit_margin(p, now)]
        good = [p for p in good if p.thinnest >= min(now.thinnest, THIN)]
        if not good:
            return now
        path = good[0]
    return path


def _edit_margin(path: Path, now: Path) -> float:
    """Nats that an edit must gain; one of another length (N for GG) is read so by mistake too."""
    if len(path.tokens) == len(now.tokens):
        return EDIT_MARGIN
    return max(LENGTH_MARGIN, LENGTH_SHARE * now.gain)


def _edited(beside: Beside, stretch: np.ndarray) -> list[np.ndarray]:
    """A stretch with one run of residues as reads have it, by the weight of those reads."""
    before, after = beside.before, beside.after
    text = text_of([np.concatenate((before, stretch, after))])
    rows = touching(beside, [stretch])
    part = beside.reads.take(rows)
    read, diagonal = diagonals(part, text.tokens, text.owner)
    found = align(part, read, diagonal, text.tokens)
    better = found.score > beside.elsewhere[rows][found.read]
    found = found.take(np.flatnonzero(better))
    weights: dict[tuple[int, ...], float] = {}
    for k in range(len(found.read)):
        r = int(found.read[k])
        c, place = int(found.core[k, 0]), int(found.span[k, 0])
        while c < found.core[k, 1]:
            if found.kind[k, c] == MATCH:
                place, c = int(found.at[k, c]) + 1, c + 1
                continue
            begin = c
            while c < found.core[k, 1] and found.kind[k, c] != MATCH:
                c += 1
            if c == found.core[k, 1]:
                break
            stop = int(found.at[k, c])
            low, high = place - len(before), stop - len(before)
            place = stop
            if low < 0 or high > len(stretch) or high < low or c - begin > 6:
                continue
            if (stretch[low:high] >= MISSING).any():
                continue
            residues = part.tokens[r, begin:c].tolist()
            edit = (*stretch[:low].tolist(), *residues, *stretch[high:].tolist())
            sure = float(part.right[r, begin:c].min())
            weights[edit] = weights.get(edit, 0.0) + sure * float(part.weight[r])
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:CANDIDATES]
    return [np.array(edit, np.uint8) for edit, weight in ranked if weight >= EDIT_WEIGHT]


def read_arms(reads: ReadSet, found: Alignment, stop: int) -> list[np.ndarray]:
    """Residues of reads in front of position `stop` of a text, on which they lie behind it."""
    weights: dict[tuple[int, ...], float] = {}
    lies = (found.span[:, 0] <= stop + 3) & (found.span[:, 1] >= stop + ANCHOR)
    for k in np.flatnonzero(lies).tolist():
        r, core = int(found.read[k]), int(found.core[k, 0])
        at = found.at[k]
        behind = np.flatnonzero(at >= stop)
        edge = int(behind[0]) - int(at[behind[0]] - stop)
        if edge < 2 or edge > LONGEST or core > edge + 3:
            continue
        right = reads.right[r, :edge][::-1]
        for n, sure in _arm_lengths(right):
            arm = tuple(reads.tokens[r, edge - n : edge].tolist())
            weights[arm] = weights.get(arm, 0.0) + sure * float(reads.weight[r])
    return _heaviest(weights)


def front_arms(reads: ReadSet, left: np.ndarray, elsewhere: np.ndarray) -> list[np.ndarray]:
    """Residues of reads behind a text's end `left`, of which the reads hold the last one to three.

    Proteases cut right in front of a CDR3 (chymotrypsin behind Tyr103), where no seed can place
    reads. elsewhere (n,): score of each read on all text; reads that lie somewhere are left out.
    """
    weights: dict[tuple[int, ...], float] = {}
    for m in range(1, ANCHOR):
        lies = (reads.tokens[:, :m] == left[-m:]).all(1) & (elsewhere < MIN_SCORE)
        for r in np.flatnonzero(lies & (reads.length > m + 1)).tolist():
            n_read = min(int(reads.length[r]), LONGEST + m)
            right = reads.right[r, m:n_read]
            for n, sure in _arm_lengths(right):
                arm = tuple(reads.tokens[r, m : m + n].tolist())
                weights[arm] = weights.get(arm, 0.0) + sure * float(reads.weight[r])
    return _heaviest(weights)


def _arm_lengths(right: np.ndarray) -> Iterator[tuple[int, float]]:
    """Yield lengths of an arm and how many of its residues are right on average.

    right: probability that each residue from the anchor on is right.
    """
    odds = np.cumsum(np.log(right / EVEN))
    for n in {int(np.argmax(odds)) + 1, *ARM_LENGTHS}:
        if n <= len(right):
            yield n, float(right[:n].sum())


def _heaviest(weights: Mapping[tuple[int, ...], float]) -> list[np.ndarray]:
    """The arms of most weight, without those that have an unknown residue."""
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[: 2 * CANDIDATES]
    return [np.array(arm, np.uint8) for arm, _ in ranked if max(arm) < N_RESIDUES]


def _joints(
    rule: JointRule,
    found: Alignment,
    text: np.ndarray,
    weight: np.ndarray,
    start: int,
    length: int,
) -> np.ndarray:
    """(length + 1,) weight of the reads over each joint of a stretch of the text."""
    window = start - rule.reach + np.arange(length + 2 * rule.reach)
    agrees = (found.span[:, :1] <= window) & (found.span[:, 1:] > window)
    row, column = np.nonzero(found.kind == MISMATCH)
    place = found.at[row, column] - window[0]
    inside = (place >= 0) & (place < len(window))
    agrees[row[inside], place[inside]] = False
    over = np.lib.stride_tricks.sliding_window_view(agrees, 2 * rule.reach, axis=1).all(-1)
    same = np.where(found.kind == MATCH, found.at, -1)
    worth = np.where(same >= 0, rule.worth_of(text[same]), 0.0)
    before = np.stack([(worth * (same < start + j)).sum(1) for j in range(length + 1)], 1)
    behind = worth.sum(1)[:, None] - before
    over &= (before >= rule.least) & (behind >= rule.least)
    return (over * weight[:, None]).sum(0)


def touching(beside: Beside, stretches: Sequence[np.ndarray]) -> np.ndarray:
    """Reads that share a seed with a stretch or the residues right beside it, MOST_READS at most.

    Those with a seed that reaches into a stretch go first, then the surest.
    """
    reads = beside.reads
    found = words(reads.tokens, SEED)
    inside, near = (_holding(beside, stretches, found, n) for n in (SEED - 1, NEAR))
    rows = np.flatnonzero(near)
    worth = reads.right[rows].sum(1) * reads.weight[rows]
    return np.sort(rows[np.lexsort((-worth, ~inside[rows]))[:MOST_READS]])


def _holding(
    beside: Beside, stretches: Sequence[np.ndarray], found: np.ndarray, beyond: int
) -> np.ndarray:
    """(n,) whether reads of some words hold one of a stretch and `beyond` residues beside it."""
    texts = [np.concatenate((beside.left[-beyond:], s, beside.right[:beyond])) for s in stretches]
    wanted = np.unique(np.concatenate([words(t, SEED) for t in texts]))
    marked = np.zeros(N_RESIDUES**SEED + 1, dtype=bool)
    marked[wanted[wanted >= 0]] = True
    held: np.ndarray = marked[found].any(1)
    return held
