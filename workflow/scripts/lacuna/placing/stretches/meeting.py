"""A stretch whose sides end where the proteases cut: do they meet, or is a peptide missing?

Peptides of one protease hardly overlap, so that no read may join two that follow each other. That
they do is weighed against peptides between them that nothing shows: by the lengths that such
stretches have, by germline, by the residues that both sides share, by how often a whole peptide
goes unseen, and by the reads across.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, inf, log, prod

import numpy as np

from lacuna.antibody.domain_ends import CDR3_SCALE, TYPICAL_CDR3
from lacuna.core.alphabet import CYSTEINE, MISSING, N_RESIDUES, encode, merge_il
from lacuna.core.isobaric import isobaric_blocks
from lacuna.placing.aligning.joints import CDR3_JOINT, CDR3_SHARES
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.stretches.arms import SHARED_NATS
from lacuna.placing.stretches.cdr3 import LONGEST_CDR3, SHORTEST_CDR3
from lacuna.placing.stretches.frameworks import BEGINNING, begins_again, holds_framework
from lacuna.placing.stretches.junction import Surroundings, weigh_paths
from lacuna.placing.stretches.sides import SUREST, Opening, Side, sides_of
from lacuna.placing.votes.cleavage import Cleavage
from lacuna.placing.votes.consensus import ALIKE_ERRORS
from lacuna.placing.votes.draft import Draft, cdr3_germline, tail_of
from lacuna.placing.votes.placement import Placements

SAME_MASS = 0.001  # Da, of a residue and of two
WAYS_TRIED = 12  # ways to meet that are weighed by all reads
FRAMEWORK_CONTEXT = 20  # residues of FR3 and FR4 in which sides may overlap
# Whether CDR3s are closed in the right length with this and what follows is measured by reads of
# one protease, of two seeds (tests/benchmarks/read_panel.py --digests trypsin,lysc,chymotrypsin,alp
# --seed 2).
LEAST_OF_LENGTH = 0.002  # least probability of a length of CDR3
LONGEST_WEIGHED = 34  # residues of a CDR3; all longer ones together are rarer than LEAST_OF_LENGTH
MISREAD_END = 0.05  # probability that a peptide ends where the proteases do not cut
MOST_ACROSS = 6.0  # nats that the reads across a gap may count at most
# Probability that a residue of a CDR3 is germline's: of the three next to FR3 or FR4; of others.
KEPT, TRIMMED, NEXT = 0.8, 0.5, 3
UNSEEN_RANGE = (0.05, 0.9)  # least and most probability that reads show nothing of a long peptide
UNSPANNED_BESIDE = 0.2  # least probability that no read spans a cut near one that none spans
# Probability that proteases that cut in front of a residue cut behind it as well: most leave it on
# one of the two peptides.
CUT_ON_BOTH_SIDES = 0.2
SHORT_READS = 0.05  # share of the reads that are shorter than peptides that tools read

# No left side, and so of no read: a right one that begins with the last residues of FR3 shows the
# whole CDR3. Chymotrypsin cuts between Tyr103, or the Phe103 of rabbits, and Cys104.
NO_SIDE = Side((), 0, 0.0, SUREST)


@dataclass(frozen=True, slots=True)
class Question:
    """Whether the sides of an opening meet.

    around: what it is weighed with; lengths: that it may have; nats: of residues for it, by
    germline and by how many they are, -inf if they cannot be; unseen: residues below which every
    peptide goes unseen, and the share of longer stretches that does; most: nats that reads may
    count for one length and against another, if sides meet in both.
    """

    around: Surroundings
    lengths: range
    nats: Callable[[np.ndarray], float]
    cleavage: Cleavage
    unseen: tuple[int, float]
    most: float = np.inf


@dataclass(frozen=True, slots=True)
class Trial:
    """A way in which two sides may meet; at: where, among its residues; nats: of it, before all
    reads are asked."""

    left: Side
    right: Side
    tokens: np.ndarray
    at: int
    nats: float


@dataclass(frozen=True, slots=True)
class Met:
    """The likeliest way in which two sides meet, and what speaks against it.

    probability: that it has the right length; others: the same of other lengths, if the sides end
    as reads show them.
    """

    trial: Trial
    probability: float
    others: dict[int, float]

    def probability_of(self, length: int) -> float:
        """The probability of another length, which the stretch has if these sides are misread."""
        right = self.probability / max(1.0 - sum(self.others.values()), self.probability)
        return 1.0 - right * (1.0 - self.others.get(length, 0.0))


def closed_by_meeting(
    around: Surroundings, draft: Draft, own: Placements, cleavage: Cleavage
) -> Met | None:
    """How the sides of a CDR3 meet; None if no two can.

    own: placements on the draft, or on the same with a closed CDR3 of as many residues.
    """
    opening = Opening.of_cdr3(draft)

    def nats(tokens: np.ndarray) -> float:
        if begins_again(tokens) or holds_framework(tokens):
            return -inf
        return _length_nats(draft.locus, len(tokens)) + _germline_nats(draft, tokens)

    lengths = range(SHORTEST_CDR3, min(LONGEST_CDR3[draft.locus], LONGEST_WEIGHED) + 1)
    unseen = unseen_of(around.reads, draft, own)
    lefts, rights = sides_of(around.reads, own, draft, opening, around.elsewhere)
    # A CDR3 begins as its V segment ends: its first residues are seldom two others.
    lefts, rights = [*lefts, *_respelled(lefts, BEGINNING)], [*rights, *_respelled(rights, 0)]
    lefts.append(NO_SIDE)
    return meet(Question(around, lengths, nats, cleavage, unseen), lefts, rights)


def meet(asked: Question, lefts: Sequence[Side], rights: Sequence[Side]) -> Met | None:
    """How two of the sides of an opening meet, None if no two can."""
    if not asked.cleavage.share_of(CDR3_SHARES):
        return None
    fr3 = _known_first(asked.around.left[-FRAMEWORK_CONTEXT:][::-1])[::-1]
    fr4 = _known_first(asked.around.right[:FRAMEWORK_CONTEXT])
    trials: dict[bytes, list[Trial]] = defaultdict(list)
    for left in lefts:
        for right in rights:
            for trial in _trials(asked, (fr3, fr4), left, right):
                trials[trial.tokens.tobytes()].append(trial)
    tried = [max(alike, key=_worth) for alike in trials.values()]
    tried = sorted(tried, key=lambda t: (-_worth(t), t.tokens.tolist()))[:WAYS_TRIED]
    if not tried:
        return None
    gain = _gains(asked, tried)
    lengths = np.array([len(t.tokens) for t in tried])
    worth = np.array([_worth(t) for t in tried]) + _worth_of_reads(gain, lengths, asked.most)
    best = int(worth.argmax())
    one = tried[best]
    others = [
        (length, float(w - worth[best]))
        for w, length in zip(worth, lengths.tolist(), strict=True)
        if length != len(one.tokens)
    ]
    others += [(length, nats - one.nats) for length, nats in _apart(asked, one, gain[best])]
    odds: dict[int, float] = defaultdict(float)
    for length, nats in others:
        odds[length] += exp(min(nats, 50.0))
    total = 1.0 + sum(odds.values())
    same = trials[one.tokens.tobytes()]
    sure = _any_right(t.left for t in same) * _any_right(t.right for t in same)
    return Met(one, sure / total, {length: own / total for length, own in odds.items()})


def _respelled(sides: Iterable[Side], first: int) -> Iterator[Side]:
    """Yield sides with two residues for one of the same mass, from a position on, which tools write
    if no fragment parts the two: N for GG, Q for AG or GA. One with Cys may begin in FR3."""
    for side in sides:
        if CYSTEINE in side.tokens:
            continue
        for at, token in enumerate(side.tokens[first:], start=first):
            for pair in _pairs_of_mass().get(token, ()):
                yield replace(side, tokens=(*side.tokens[:at], *pair, *side.tokens[at + 1 :]))


@cache
def _pairs_of_mass() -> dict[int, list[tuple[int, ...]]]:
    """The pairs of residues that weigh the same as one."""
    found: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for one, pair in isobaric_blocks(1, 2, SAME_MASS):
        found[int(encode(one)[0])].append(tuple(encode(pair).tolist()))
    return found


def _gains(asked: Question, tried: Sequence[Trial]) -> np.ndarray:
    """(n,) what all reads gain by each of some trials."""
    weighed = weigh_paths(asked.around, [t.tokens for t in tried])
    gains = {p.tokens.tobytes(): p.gain for p in weighed}
    return np.array([gains[t.tokens.tobytes()] for t in tried])


def _worth_of_reads(gain: np.ndarray, lengths: np.ndarray, most: float) -> np.ndarray:
    """(n,) nats of reads for trials, `most` at most for the best of one length over that of
    another; gain (n,): what they gain; lengths (n,): of the trials."""
    reads = ALIKE_ERRORS * gain
    for length in set(lengths.tolist()):
        alike = lengths == length
        reads[alike] += max(reads.max() - most - reads[alike].max(), 0.0)
    return reads


def _any_right(sides: Iterable[Side]) -> float:
    """Probability that one of some sides is right."""
    return min(1.0 - prod(1.0 - side.right for side in set(sides)), SUREST)


def _worth(trial: Trial) -> float:
    """Nats of a trial, with those for its sides."""
    return trial.nats + log(trial.left.right) + log(trial.right.right)


def _trials(
    asked: Question, ends: tuple[np.ndarray, np.ndarray], left: Side, right: Side
) -> Iterator[Trial]:
    """Yield the ways in which two sides meet: end to end, and by residues that both show.

    ends: residues in front of the opening and behind it (of a CDR3, of FR3 and FR4).
    """
    cleavage, (fr3, fr4) = asked.cleavage, ends
    before = np.concatenate((fr3, np.array(left.tokens, np.uint8)))
    behind = np.concatenate((np.array(right.tokens, np.uint8), fr4[right.inside :]))
    if (before >= N_RESIDUES).any() or (behind >= N_RESIDUES).any():
        return
    most, least = min(len(before), len(behind)), 0 if left.weight else 1
    for n in range(most, least - 1, -1):
        length = len(left.tokens) + len(right.tokens) - right.inside - n
        if length not in asked.lengths:
            continue
        whole = np.concatenate((before, behind[n:]))
        stop = len(fr3) + length
        same = np.array_equal(before[len(before) - n :], behind[:n])
        framed = np.array_equal(whole[: len(fr3)], fr3) and np.array_equal(whole[stop:], fr4)
        if not same or not framed:
            continue
        tokens = whole[len(fr3) : stop]
        # Peptides that follow each other end and begin at one cut, overlapping ones at two.
        cuts = {len(before) - n, len(before)} if left.weight else {len(before) - n}
        nats = asked.nats(tokens) + sum(_cut_nats(cleavage, whole, at) for at in cuts)
        if nats == -inf:
            continue
        if len(cuts) > 1:
            nats += log(cleavage.share_of(CDR3_SHARES))
        # The left side goes on into FR4 and agrees with it, which is unlikely by chance.
        nats += float(CDR3_JOINT.worth_of(fr4[: right.inside]).sum())
        both = float(CDR3_JOINT.worth_of(behind[:n]).sum())
        yield Trial(left, right, tokens, max(len(left.tokens) - n, 0), nats + both)
        if both >= SHARED_NATS:  # too many residues to be in the stretch twice
            return


def _known_first(tokens: np.ndarray) -> np.ndarray:
    """Residues in front of the first unknown one, as between J and a kappa C of rabbits."""
    unknown = np.flatnonzero(tokens >= N_RESIDUES)
    return tokens[: unknown[0]] if len(unknown) else tokens


def _apart(asked: Question, met: Trial, gain: float) -> Iterator[tuple[int, float]]:
    """Yield lengths with residues between two sides that are missing, and the nats of each.

    met: how the sides meet, and gain: what reads gain by that.
    """
    cleavage = asked.cleavage
    left, right = met.left.tokens, met.right.tokens
    shown = len(left) + len(right) - met.right.inside
    shortest = max(shown + 1, len(left), asked.lengths.start)
    texts = [apart(met.left, met.right, length) for length in range(shortest, asked.lengths.stop)]
    alone = log(cleavage.not_spanned(met.left.weight + met.right.weight))
    nats = 0.0
    if left and not cleavage.behind[left[-1]]:
        nats += log(MISREAD_END + float(CDR3_SHARES[cleavage.before].sum()))
    for path in weigh_paths(asked.around, texts):
        length = len(path.tokens)
        # A short peptide never shows, but its two cuts must both be spanned by no read, and not one
        # as where sides meet. If reads show nothing of a longer one, then none can span its cuts.
        short = length - shown < asked.unseen[0]
        share = max(alone, log(UNSPANNED_BESIDE)) if short else log(asked.unseen[1]) - alone
        if length - shown == 1:
            share = alone + log(CUT_ON_BOTH_SIDES)
        across = float(np.clip(ALIKE_ERRORS * (path.gain - gain), -MOST_ACROSS, MOST_ACROSS))
        behind = length - len(right)
        own = asked.nats(path.tokens)
        if not met.right.inside:  # another cut in front of the right side
            own = _cut_behind(asked, path.tokens, behind)
        yield length, nats + share + own + across


def _cut_behind(asked: Question, tokens: np.ndarray, at: int) -> float:
    """Nats of residues of which the unknown one in front of a place is one behind which proteases
    cut, unless they cut in front of the next one."""
    any_residue = asked.nats(tokens)
    if at < len(tokens) and asked.cleavage.before[tokens[at]]:
        return any_residue
    every = [any_residue + log(MISREAD_END)]
    for residue in np.flatnonzero(asked.cleavage.behind).tolist():
        text = tokens.copy()
        text[at - 1] = residue
        every.append(asked.nats(text) + log(CDR3_SHARES[residue]))
    return float(np.logaddexp.reduce(every))


def apart(left: Side, right: Side, length: int) -> np.ndarray:
    """Two sides with so many unknown residues between them that they make a length."""
    text = np.full(length, MISSING, np.uint8)
    text[: len(left.tokens)] = left.tokens
    text[length - len(right.tokens) :] = right.tokens
    return text


def unseen_of(reads: ReadSet, draft: Draft, own: Placements) -> tuple[int, float]:
    """Residues below which peptides go unseen, and the share of longer ones that does: that of the
    residues in front of CDR3 that no read shows."""
    covered = np.zeros(len(draft), dtype=bool)
    for start, stop in own.alignment.span.tolist():
        covered[max(start, 0) : max(stop, 0)] = True
    share = float(np.clip(1.0 - covered[: draft.cdr3()[0]].mean(), *UNSEEN_RANGE))
    return int(np.quantile(reads.length, SHORT_READS)), share


def _cut_nats(cleavage: Cleavage, text: np.ndarray, at: int) -> float:
    """Nats of a peptide's end in front of a place of a text."""
    if not 0 < at < len(text) or cleavage.cuts(int(text[at - 1]), int(text[at])):
        return 0.0
    return log(MISREAD_END)


def _length_nats(locus: str, length: int) -> float:
    """Log probability of a length of CDR3."""
    scale = CDR3_SCALE[locus]
    usual = exp(-abs(length - TYPICAL_CDR3[locus]) / scale) / (2 * scale)
    return log(max(usual, LEAST_OF_LENGTH))


def _germline_nats(draft: Draft, tokens: np.ndarray) -> float:
    """Nats by which the residues of a CDR3 are those of V and J rather than any."""
    germline = merge_il(cdr3_germline(draft.v, draft.j, len(tokens)))
    place = np.arange(len(tokens))
    off = np.where(place < len(tail_of(draft.v)), place, len(tokens) - 1 - place)
    kept = np.where(off < NEXT, KEPT, TRIMMED)
    known = (germline < N_RESIDUES) & (tokens < N_RESIDUES)
    return float(nats_of_germline(tokens[known], germline[known], kept[known]).sum())


def nats_of_germline(residues: np.ndarray, germline: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(n,) nats by which residues are those of germline rather than any, 0 if one of the two is not
    known; kept (n,): probability that a residue is germline's."""
    known = (residues < N_RESIDUES) & (germline < N_RESIDUES)
    chance = CDR3_SHARES[np.where(known, germline, 0)]
    nats = np.where(residues == germline, np.log(kept / chance), np.log((1 - kept) / (1 - chance)))
    return np.where(known, nats, 0.0)
