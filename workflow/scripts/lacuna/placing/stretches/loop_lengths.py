"""The length of a chain where proteases cut in front of CDR3, so that no read tells it.

Loops are cut too. Two peptides that follow each other show a loop whole, but laid on a germline
segment with a longer or a shorter one they leave residues between them, or overlap. Both are
followed to their ends, and every length that segments have there is weighed (`meeting`).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from lacuna.antibody.germlines import LOCI, is_camelid, v_segments
from lacuna.antibody.imgt import CDR_COLUMNS, CYS104, TRP41
from lacuna.core.alphabet import ABSENT, MISSING, N_RESIDUES, TOKEN, merge_il
from lacuna.core.runs import runs_of
from lacuna.placing.aligning.joints import V_JOINT, joints_of
from lacuna.placing.aligning.readset import ReadSet, running
from lacuna.placing.sources.segments import expressed_v
from lacuna.placing.stretches.junction import WELL_CROSSED, Surroundings
from lacuna.placing.stretches.loops import resized
from lacuna.placing.stretches.meeting import (
    MOST_ACROSS,
    Question,
    Trial,
    apart,
    meet,
    nats_of_germline,
    unseen_of,
)
from lacuna.placing.stretches.sides import Opening, sides_of
from lacuna.placing.stretches.word_paths import ANCHOR_LENGTH
from lacuna.placing.votes.cleavage import Cleavage
from lacuna.placing.votes.consensus import ALIKE_ERRORS, MUTATED_CDR, MUTATED_FR, Votes
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Placements
from lacuna.placing.votes.revise import fit_of

MOST_JOINTS = 10  # joints one after another that no read spans; one cut leaves five
MARGIN = 4  # residues on both sides of them that belong to the opening, or a whole loop
MOST_OFF = 4  # residues by which a chain may be longer or shorter than its draft
# Probability that a chain has another length than its V segment, in a loop and in a framework, and
# share of this for each residue more.
INDEL_CDR, INDEL_FR, EACH = 0.02, 0.002, 0.3
# The same of CDR1 and of CDR2 on segments of alpacas, since camelids have more genes than the few
# that are known: of 399 natural VHHs (AbNatiV 2), 0.07 and 0.21 have another length.
INDEL_CAMELID = 0.07, 0.2
MOST_SEGMENTS = 60  # that are asked, the most alike
# That the sides meet in another length than the draft's, from which it is taken. Natural VHHs show
# which lengths are wrong then (tests/benchmarks/read_panel.py --chains --digests one).
PROBABLE_LENGTH = 0.8


@dataclass(frozen=True, slots=True)
class Germline:
    """What V segments have in an opening of a chain.

    weights (n,): log probability of each stretch by what reads show of its segments elsewhere;
    tokens: its residues, L for I, and columns: theirs; indel: probability that the chain has
    another number of residues there.
    """

    weights: np.ndarray
    tokens: tuple[np.ndarray, ...]
    columns: tuple[np.ndarray, ...]
    indel: float

    @classmethod
    def of(cls, draft: Draft, found: Votes, opening: Opening) -> "Germline":
        """Of the expressed segments of the locus of a chain."""
        segments = v_segments()
        own = np.flatnonzero((segments.locus == LOCI.index(draft.locus)) & expressed_v())
        nats = ALIKE_ERRORS * (found.nats - found.nats.max(1, keepdims=True))
        first, last = draft.columns[opening.start], draft.columns[opening.stop - 1]
        rows = segments.tokens[own]
        fit = fit_of(draft, nats, rows, 1, int(first) - 1)
        fit += fit_of(draft, nats, rows, int(last) + 1, CYS104)
        best = np.argsort(-fit, kind="stable")[:MOST_SEGMENTS]
        # Those that have the same residues there count together.
        stretches, which = np.unique(
            merge_il(rows[best, first : int(last) + 1]), axis=0, return_inverse=True
        )
        weights = np.full(len(stretches), -np.inf)
        np.logaddexp.at(weights, which.ravel(), fit[best] - np.logaddexp.reduce(fit[best]))
        present = [np.flatnonzero(row != ABSENT) for row in stretches]
        tokens = tuple(row[at] for row, at in zip(stretches, present, strict=True))
        columns = tuple((first + at).astype(np.uint8) for at in present)
        return cls(weights, tokens, columns, _indel(draft, opening))

    def share_of(self, length: int) -> float:
        """Probability of a length of the opening by the segments alone."""
        each = [_length_nats(length, len(tokens), self.indel) for tokens in self.tokens]
        return float(np.exp(np.logaddexp.reduce(self.weights + each)))

    def nats(self, residues: np.ndarray) -> float:
        """Nats of residues for the opening, with their number, over any residues."""
        return float(np.logaddexp.reduce(self.weights + self._each_nats(residues)))

    def columns_for(self, residues: np.ndarray) -> np.ndarray | None:
        """Columns of residues by the segment that is most probable then; None if it has more, or
        fewer."""
        columns = self.columns[self._nearest(residues)]
        return columns if len(columns) == len(residues) else None

    def completed(self, residues: np.ndarray) -> np.ndarray:
        """Residues with those that segments of their number have in place of unknown ones."""
        whole = residues.copy()
        for i in np.flatnonzero(residues >= MISSING).tolist():
            votes = np.full(N_RESIDUES, -np.inf)
            for weight, tokens in zip(self.weights, self.tokens, strict=True):
                if len(tokens) == len(residues) and tokens[i] < N_RESIDUES:
                    votes[tokens[i]] = np.logaddexp(votes[tokens[i]], weight)
            whole[i] = votes.argmax() if votes.max() > -np.inf else TOKEN["G"]
        return whole

    def _nearest(self, residues: np.ndarray) -> int:
        """The segment that is most probable if these are the residues."""
        return int(np.argmax(self.weights + self._each_nats(residues)))

    def _each_nats(self, residues: np.ndarray) -> list[float]:
        """Nats of residues by each stretch."""
        stretches = zip(self.tokens, self.columns, strict=True)
        return [_nats(residues, *stretch, self.indel) for stretch in stretches]


def _indel(draft: Draft, opening: Opening) -> float:
    """Probability that a chain has another length in an opening than its V segment."""
    columns = draft.columns[opening.start : opening.stop]
    loop = columns[CDR_COLUMNS[columns]]
    if not len(loop):
        return INDEL_FR
    if is_camelid(draft.v):
        return INDEL_CAMELID[int(loop[-1] > TRP41)]
    return INDEL_CDR


def _nats(residues: np.ndarray, germline: np.ndarray, columns: np.ndarray, indel: float) -> float:
    """Nats of residues by those that a segment has, and by how many they are."""
    n = min(len(residues), len(germline))
    ahead = _each(residues[:n], germline[:n], columns[:n])
    if len(residues) == len(germline):
        return float(ahead.sum() + _length_nats(n, n, indel))
    back = _each(residues[len(residues) - n :], germline[len(germline) - n :], columns[-n:])
    # They may be inserted, or missing, at any place.
    places = running(ahead) + running(back[::-1])[::-1]
    any_place = np.logaddexp.reduce(places) - np.log(len(places))
    return float(any_place + _length_nats(len(residues), len(germline), indel))


def _length_nats(length: int, usual: int, indel: float) -> float:
    """Log probability of a number of residues where a segment has the usual one."""
    more = abs(length - usual)
    return float(np.log(indel * (1 - EACH) * EACH ** (more - 1) / 2 if more else 1 - indel))


def _each(residues: np.ndarray, germline: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Nats by which residues are those of germline rather than any."""
    kept = 1 - np.where(CDR_COLUMNS[columns], MUTATED_CDR, MUTATED_FR)
    return nats_of_germline(residues, germline, kept)


def openings_of(
    reads: ReadSet, own: Placements, draft: Draft
) -> tuple[list[Opening], list[Opening]]:
    """Where no read spans the chain in front of CDR3: around what may be one cut, and CDR1 and CDR2
    in wider places; each the last first. They may overlap.

    own: placements on the draft. One that spans a place by leaving out residues, or with others
    between, does not count.
    """
    loop = CDR_COLUMNS[draft.columns] & (draft.columns <= CYS104)
    cuts, unread = [], []
    for begin, stop in reversed(_unspanned(reads, own, draft)):
        if _is_cut(draft, begin, stop):
            low, high = begin - MARGIN, stop - 1 + MARGIN
            if loop[begin:stop].any():
                low, high = _with_whole_loop(loop, low, high)
            cuts.append(_opening(draft, low, high, begin, stop))
            continue
        for start, end in reversed(runs_of(loop)):
            first, last = max(begin, start), min(stop, end + 1)  # joints first..last - 1
            if first < last:
                unread.append(_opening(draft, start - MARGIN, end + MARGIN, first, last))
    return cuts, unread


def _unspanned(reads: ReadSet, own: Placements, draft: Draft) -> list[tuple[int, int]]:
    """Joints begin..stop - 1 in front of CDR3, one after another, that no read spans."""
    first, last = _span(draft)
    a = own.alignment
    on = own.take(np.flatnonzero(np.diff(a.span, axis=1) == np.diff(a.core, axis=1)))
    weight = on.weights(reads)
    joints = joints_of(V_JOINT, on.alignment, draft.tokens, weight, first, last - first)
    return [(first + low, first + high) for low, high in runs_of(joints < WELL_CROSSED)]


def _span(draft: Draft) -> tuple[int, int]:
    """The first and the last joint that is asked for."""
    return ANCHOR_LENGTH + MARGIN, draft.cdr3()[0] - 1 - MARGIN


def _is_cut(draft: Draft, begin: int, stop: int) -> bool:
    """Whether joints that no read spans may be one cut, of which reads show both sides."""
    first, last = _span(draft)
    return first < begin and stop <= last and stop - begin <= MOST_JOINTS


def _opening(draft: Draft, low: int, high: int, begin: int, stop: int) -> Opening:
    """Residues low..high, with those next to insertions at their ends, around some joints."""
    while low > 0 and draft.columns[low] > CYS104:
        low -= 1
    while draft.columns[high - 1] > CYS104:
        high += 1
    return Opening(
        start=low,
        stop=high,
        ahead=stop - 1,
        behind=begin,
        before=begin - 1,
        after=stop,
        through=False,
    )


def _with_whole_loop(loop: np.ndarray, start: int, stop: int) -> tuple[int, int]:
    """A stretch with all of the loops (t,) at its ends."""
    while start > 0 and loop[start - 1] and loop[start]:
        start -= 1
    while loop[stop - 1] and loop[stop]:
        stop += 1
    return start, stop


@dataclass(frozen=True, slots=True)
class Resized:
    """An opening with the length that it most probably has.

    columns: of its residues, None if no V segment has as many; loose: the first of those that no
    read joins, and the one behind them; probability: of the length.
    """

    opening: Opening
    tokens: np.ndarray
    columns: np.ndarray | None
    loose: tuple[int, int]
    probability: float

    @classmethod
    def untold(cls, opening: Opening, draft: Draft, germline: Germline) -> "Resized":
        """An opening as it is in the draft, where no reads tell its length."""
        now = draft.tokens[opening.start : opening.stop]
        loose = (opening.behind - 1 - opening.start, opening.ahead + 1 - opening.start)
        return cls(opening, now, None, loose, germline.share_of(len(now)))

    @property
    def more(self) -> int:
        """By how many residues the chain is longer then, less than 0 if it is shorter."""
        return len(self.tokens) - (self.opening.stop - self.opening.start)

    def put_into(self, draft: Draft) -> Draft:
        """The draft with these residues."""
        start, stop = self.opening.start, self.opening.stop
        if self.columns is None:
            return resized(draft, start, stop, self.tokens)
        germline = v_segments().tokens[draft.v][self.columns]
        return draft.spliced(start, stop, self.tokens, self.columns, germline)


def resized_at_cut(
    around: Surroundings,
    draft: Draft,
    germline: Germline,
    own: Placements,
    cleavage: Cleavage,
    opening: Opening,
) -> Resized:
    """An opening of another length if that is probable, else as it is."""
    now = draft.tokens[opening.start : opening.stop]
    lengths = range(max(len(now) - MOST_OFF, 1), len(now) + MOST_OFF + 1)
    unseen = unseen_of(around.reads, draft, own)
    sides = sides_of(around.reads, own, draft, opening, around.elsewhere)
    nats = cache(lambda text: germline.nats(np.frombuffer(text, np.uint8)))
    asked = Question(
        around, lengths, lambda text: nats(text.tobytes()), cleavage, unseen, MOST_ACROSS
    )
    met = meet(asked, *sides)
    if met is None:
        return Resized.untold(opening, draft, germline)
    trial = met.trial
    probable = {**met.others, len(trial.tokens): met.probability}
    length = max(probable, key=lambda n: (probable[n], -n))
    # A length of another trial may be too short for the sides of this one.
    longest = max(len(trial.left.tokens), len(trial.right.tokens))
    if probable[length] < PROBABLE_LENGTH or (length != len(trial.tokens) and length < longest):
        length = len(now)
    tokens = now if length == len(now) else _of_length(trial, length, germline)
    # If no sides are as peptides end, the length is one that segments have.
    by_germline = (1.0 - sum(probable.values())) * germline.share_of(length)
    loose = (trial.at - 1, trial.at + 1)
    if length != len(trial.tokens):
        loose = (len(trial.left.tokens) - 1, length + 1 - len(trial.right.tokens))
    return Resized(
        opening,
        tokens,
        germline.columns_for(tokens),
        (max(loose[0], 0), min(loose[1], length)),
        probable.get(length, 0.0) + by_germline,
    )


def _of_length(trial: Trial, length: int, germline: Germline) -> np.ndarray:
    """The residues of two sides, with those of germline between them if they do not meet."""
    if length == len(trial.tokens):
        return trial.tokens
    return germline.completed(apart(trial.left, trial.right, length))
