"""How far reads lead into a stretch that none spans, up to where their peptides end."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import MISSING
from lacuna.placing.aligning.align import MIN_SCORE
from lacuna.placing.aligning.alignment import MATCH, Alignment
from lacuna.placing.aligning.joints import CDR3_JOINT
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.votes.draft import Draft, span_of_unknown
from lacuna.placing.votes.placement import Placements

MOST_SIDES = 12  # sides that are kept
LEAST_WEIGHT = 1.0  # of the reads that show a side
END_RESIDUES = 2  # residues at an end of a read that are mostly wrong together, or right
SUREST = 0.97  # that a side ends as reads show
INTO_FR4 = 2  # residues of FR4 with which a peptide in front of it may end
# Reads that fit nowhere lead a side on if they begin with its last residues.
OVERLAP_NATS = 8.0  # nats that these must count: so many are not the same by chance
LONGEST_OVERLAP = 10  # of these residues that are compared
AGREEING_WEIGHT = 2.0  # weight of the reads that lead it on in the same way
MOST_STEPS = 2  # reads, one behind another, that lead a side on

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """A stretch of a chain, start to stop, that no read spans.

    ahead: reads lead into it by residues in front of this position, if they begin in front of
    `before`; behind: and back into it by those from here on, if they end behind `after`; through:
    whether also those that go on to the other side.
    """

    start: int
    stop: int
    ahead: int
    behind: int
    before: int
    after: int
    through: bool

    @classmethod
    def of_cdr3(cls, draft: Draft) -> "Opening":
        """An open CDR3, around the residues that are not known."""
        start, stop = draft.cdr3()
        ahead, behind = (start + at for at in span_of_unknown(draft.tokens[start:stop]))
        return cls(
            start=start,
            stop=stop,
            ahead=ahead,
            behind=behind,
            before=start - 1,
            after=stop + 1,
            through=True,
        )


@dataclass(frozen=True, slots=True)
class Side:
    """A way that reads lead into an opening, up to the end of a peptide.

    tokens: residues of the opening, from its start or up to its stop; a left side may go on behind
    it, a right one begin in front of it. inside: residues behind the opening that are in front of
    the peptides of a right side, which then has no tokens. weight: of the reads that show it;
    right: probability that one of them ends as its peptide does.
    """

    tokens: Tokens
    inside: int
    weight: float
    right: float


class _Found:
    """Weight and probability of each side, read by read."""

    def __init__(self) -> None:
        self.weight: dict[tuple[Tokens, int], float] = defaultdict(float)
        self.wrong: dict[tuple[Tokens, int], float] = defaultdict(lambda: 1.0)

    def add(self, tokens: Tokens, inside: int, weight: float, right: float) -> None:
        """Count a read of some weight that shows a side, and is right with a probability."""
        self.weight[tokens, inside] += weight
        self.wrong[tokens, inside] *= 1.0 - right

    def sides(self, least: float) -> list[Side]:
        """Sides that may be right, of reads of at least this weight, the surest first."""
        found = [
            Side(*key, weight, min(1.0 - self.wrong[key], SUREST))
            for key, weight in self.weight.items()
            if weight >= least and self.wrong[key] < 1.0
        ]
        return sorted(found, key=lambda s: (-s.weight * s.right, s.tokens, s.inside))


def sides_of(
    reads: ReadSet, own: Placements, draft: Draft, opening: Opening, elsewhere: np.ndarray
) -> tuple[list[Side], list[Side]]:
    """The sides of an opening, left and right, MOST_SIDES of each at most, the surest first.

    own: placements on the draft; elsewhere (n,): score of each read on all text but this stretch.
    """
    left, right = _Found(), _Found()
    tokens, a, weights = tuple(draft.tokens.tolist()), own.alignment, own.weights(reads).tolist()
    beside = (a.span[:, 0] >= opening.before) | (a.span[:, 1] <= opening.after)
    for k in np.flatnonzero(beside | opening.through).tolist():
        one = _Placed.of(reads, a, k)
        if (led := _from_left(one, tokens, opening)) is not None:
            left.add(led[0], 0, weights[k], led[1])
        if (back := _from_right(one, tokens, opening)) is not None:
            right.add(back[0], back[1], weights[k], back[2])
    if opening.stop == draft.cdr3()[1]:
        # A peptide may end with the first residue of FR4 whether or not the next one is read.
        right.add((), 1, LEAST_WEIGHT, SUREST)
    free = np.flatnonzero(elsewhere < MIN_SCORE)
    return (
        _with_longer(left.sides(LEAST_WEIGHT), reads.take(free), turned=False)[:MOST_SIDES],
        _with_longer(right.sides(LEAST_WEIGHT), reads.take(free), turned=True)[:MOST_SIDES],
    )


@dataclass(frozen=True, slots=True)
class _Placed:
    """A read on a draft: its residues, how sure they are, and where on the draft it lies, in the
    terms of `Alignment`."""

    tokens: Tokens
    sure: np.ndarray
    at: np.ndarray
    same: np.ndarray
    core: tuple[int, int]
    span: tuple[int, int]

    @classmethod
    def of(cls, reads: ReadSet, found: Alignment, k: int) -> "_Placed":
        """The kth placement of reads."""
        r = int(found.read[k])
        tokens = tuple(reads.tokens[r, : reads.length[r]].tolist())
        core, span = ((int(a), int(b)) for a, b in (found.core[k], found.span[k]))
        same = found.kind[k] == MATCH
        return cls(tokens, reads.right[r, : len(tokens)], found.at[k], same, core, span)


def _from_left(one: _Placed, own: Tokens, opening: Opening) -> tuple[Tokens, float] | None:
    """The residues by which a read leads into an opening from the left, and the probability that it
    ends as they do; None if it does not. own: residues of the draft."""
    ahead = np.flatnonzero(one.same & (one.at >= opening.start - 1) & (one.at < opening.ahead))
    if not len(ahead) or one.span[0] >= opening.before:
        return None
    c, place = int(ahead[-1]), int(one.at[ahead[-1]])
    last = len(one.tokens) - 1
    if one.core[1] > last and _is_known(own, place, one.span[1], last - c):
        c, place = last, one.span[1] - 1
    beyond = one.sure[max(len(one.tokens) - END_RESIDUES, c + 1) :]
    return own[opening.start : place + 1] + one.tokens[c + 1 :], float(beyond.prod())


def _from_right(one: _Placed, own: Tokens, opening: Opening) -> tuple[Tokens, int, float] | None:
    """The residues by which a read leads back into an opening, how many behind the opening are in
    front of it, and the probability that it begins as they do; None if it does not."""
    stop = opening.stop
    behind = np.flatnonzero(one.same & (one.at >= opening.behind) & (one.at <= stop + INTO_FR4))
    if not len(behind) or one.span[1] <= opening.after:
        return None
    c, place = int(behind[0]), int(one.at[behind[0]])
    if one.core[0] == 0 and _is_known(own, one.span[0] - 1, place, c):
        c, place = 0, one.span[0]
    n = c - max(place - stop, 0)  # residues in front of the stop that are not placed
    if n >= 0:
        return one.tokens[:n] + own[place:stop], 0, float(one.sure[: min(n, END_RESIDUES)].prod())
    return ((), place - stop, float(one.sure[0])) if c == 0 else None


def _is_known(own: Tokens, before: int, stop: int, more: int) -> bool:
    """Whether a chain (own) has as many residues between two positions as a read has there (more),
    and all are known. Both weigh the same, as the alignment found, so the chain's order counts."""
    return stop - before - 1 == more and max(own[before + 1 : stop], default=0) < MISSING


class _Starts:
    """Reads by their first residues, or from their ends on (turned) by their last ones.

    tokens, right (n, w): as of a ReadSet, so turned.
    """

    def __init__(self, reads: ReadSet, *, turned: bool) -> None:
        place = np.arange(reads.tokens.shape[1])
        inside = place < reads.length[:, None]
        at = np.where(inside & turned, reads.length[:, None] - 1 - place, place)
        self.tokens = np.take_along_axis(reads.tokens, at, axis=1)
        self.right = np.take_along_axis(reads.right, at, axis=1)
        self.length, self.weight = reads.length, reads.weight
        first = _number(self.tokens[:, :2])
        self._order = np.argsort(first, kind="stable")
        self._first = first[self._order]

    def beginning(self, piece: np.ndarray) -> np.ndarray:
        """Reads that begin with a piece of two residues or more, and go on behind it."""
        if len(piece) >= self.tokens.shape[1]:  # no read is longer
            return np.empty(0, dtype=np.int64)
        low, high = np.searchsorted(self._first, _number(piece[:2]) + np.array([0, 1]))
        rows = self._order[low:high]
        same = (self.tokens[rows, : len(piece)] == piece).all(1)
        return rows[same & (self.length[rows] > len(piece))]


def _number(pairs: np.ndarray) -> np.ndarray:
    """A number for each pair of residues (..., 2)."""
    return pairs[..., 0].astype(np.int64) * 256 + pairs[..., 1]


def _with_longer(sides: Sequence[Side], reads: ReadSet, *, turned: bool) -> list[Side]:
    """Sides, and those that other reads lead further; turned: of the right."""
    starts = _Starts(reads, turned=turned)
    every, newest = list(sides), list(sides)
    for _ in range(MOST_STEPS):
        newest = _longer(newest, starts, step=-1 if turned else 1)
        every += newest
    return sorted(every, key=lambda s: (-s.weight * s.right, s.tokens, s.inside))


def _longer(sides: Iterable[Side], starts: _Starts, step: int) -> list[Side]:
    """Sides that reads lead on which begin with the last residues of others.

    step: -1 for right sides, whose last residue comes first.
    """
    found = _Found()
    for side in sides:
        text = side.tokens[::step]
        for n in range(2, min(len(text), LONGEST_OVERLAP) + 1):
            piece = np.array(text[-n:], np.uint8)
            if CDR3_JOINT.worth_of(piece).sum() < OVERLAP_NATS:
                continue
            for r in starts.beginning(piece).tolist():
                length = int(starts.length[r])
                more = tuple(starts.tokens[r, n:length].tolist())
                sure = side.right * float(starts.right[r, length - END_RESIDUES : length].prod())
                weight = min(float(starts.weight[r]), side.weight)
                found.add((text + more)[::step], 0, weight, sure)
    return found.sides(AGREEING_WEIGHT)
