"""An open CDR3 whose sides end where the proteases cut: do they meet, or is a peptide missing?

Peptides of one protease hardly overlap, so that no read may join two that follow each other. That
they do is weighed against peptides between them that nothing shows: by the lengths that CDR3s have,
by germline, by the residues that both sides share, by how often a whole peptide goes unseen, and by
the reads across.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import exp, log, prod

import numpy as np

from lacuna.antibody.domain_ends import CDR3_SCALE, TYPICAL_CDR3
from lacuna.core.alphabet import MISSING, N_RESIDUES, merge_il
from lacuna.placing.alignment import Alignment
from lacuna.placing.arms import SHARED
from lacuna.placing.cdr3 import LONGEST, SHORTEST
from lacuna.placing.cleavage import Cleavage
from lacuna.placing.consensus import TEMPER
from lacuna.placing.draft import Draft, Meeting, cdr3_germline, tail_of
from lacuna.placing.joints import CDR3_JOINT, CDR3_SHARES
from lacuna.placing.junction import Surroundings, weigh_paths
from lacuna.placing.sides import SUREST, Side, sides_of

TRIED = 12  # ways to meet that are weighed by all reads
CONTEXT = 20  # residues of FR3 and FR4 in which sides may overlap
UNUSUAL = 0.002  # least probability of a length of CDR3
MISREAD = 0.05  # probability that a peptide ends where the proteases do not cut
ACROSS = 6.0  # nats that the reads across a gap may count at most
# Probability that a residue of a CDR3 is germline's: of the three next to FR3 or FR4; of others.
KEPT, TRIMMED, NEXT = 0.8, 0.5, 3
UNSEEN = (0.05, 0.9)  # least and most probability that reads show nothing of a long peptide
BESIDE = 0.2  # least probability that no read spans a cut near one that none spans
SHORT = 0.05  # share of the reads that are shorter than peptides that tools read


@dataclass(frozen=True, slots=True)
class _Trial:
    """A way in which two sides may meet; nats: of it, before all reads are asked."""

    left: Side
    right: Side
    tokens: np.ndarray
    at: int
    nats: float


def closed_by_meeting(
    around: Surroundings, draft: Draft, found: Alignment, share: np.ndarray, cleavage: Cleavage
) -> tuple[np.ndarray, Meeting] | None:
    """A CDR3 whose sides meet, and how probably they do; None if no two can.

    found: placements on the draft by its positions; share (m,): of their reads.
    """
    if not cleavage.share_of(CDR3_SHARES):
        return None
    lefts, rights = sides_of(around.reads, found, share, draft, around.elsewhere)
    trials: dict[bytes, list[_Trial]] = defaultdict(list)
    for left in lefts:
        for right in rights:
            for trial in _trials(around, draft, left, right, cleavage):
                trials[trial.tokens.tobytes()].append(trial)
    tried = [max(alike, key=_worth) for alike in trials.values()]
    tried = sorted(tried, key=lambda t: (-_worth(t), t.tokens.tolist()))[:TRIED]
    if not tried:
        return None
    gains = {p.tokens.tobytes(): p.gain for p in weigh_paths(around, [t.tokens for t in tried])}
    gain = np.array([gains[t.tokens.tobytes()] for t in tried])
    worth = TEMPER * gain + [_worth(t) for t in tried]
    best = int(worth.argmax())
    one = tried[best]
    others = [
        float(w - worth[best])
        for w, trial in zip(worth, tried, strict=True)
        if len(trial.tokens) != len(one.tokens)
    ]
    others += [
        nats - one.nats
        for nats in _apart(around, draft, one, cleavage, _unseen(around, draft, found), gain[best])
    ]
    odds = float(np.exp(np.minimum(others, 50.0)).sum())
    alike = trials[one.tokens.tobytes()]
    sure = _any_right(t.left for t in alike) * _any_right(t.right for t in alike)
    return one.tokens, Meeting(one.at, sure / (1.0 + odds))


def _any_right(sides: Iterable[Side]) -> float:
    """Probability that one of some sides is right."""
    return min(1.0 - prod(1.0 - side.right for side in set(sides)), SUREST)


def _worth(trial: _Trial) -> float:
    """Nats of a trial, with those for its sides."""
    return trial.nats + log(trial.left.right) + log(trial.right.right)


def _trials(
    around: Surroundings, draft: Draft, left: Side, right: Side, cleavage: Cleavage
) -> Iterator[_Trial]:
    """Yield the ways in which two sides meet: end to end, and by residues that both show."""
    fr3, fr4 = around.left[-CONTEXT:], around.right[:CONTEXT]
    before = np.concatenate((fr3, np.array(left.tokens, np.uint8)))
    behind = np.concatenate((np.array(right.tokens, np.uint8), fr4[right.inside :]))
    if (before >= N_RESIDUES).any() or (behind >= N_RESIDUES).any():
        return
    for n in range(min(len(before), len(behind)), -1, -1):
        length = len(left.tokens) + len(right.tokens) - right.inside - n
        if not SHORTEST <= length <= LONGEST[draft.locus]:
            continue
        whole = np.concatenate((before, behind[n:]))
        stop = len(fr3) + length
        same = np.array_equal(before[len(before) - n :], behind[:n])
        framed = np.array_equal(whole[: len(fr3)], fr3) and np.array_equal(whole[stop:], fr4)
        if not same or not framed:
            continue
        tokens = whole[len(fr3) : stop]
        nats = _length_nats(draft.locus, length) + _germline_nats(draft, tokens)
        nats += _cut_nats(cleavage, whole, len(before))
        both = float(CDR3_JOINT.worth_of(behind[:n]).sum())
        if n:
            # Peptides that follow each other end and begin at one cut, overlapping ones at two.
            nats += _cut_nats(cleavage, whole, len(before) - n)
            nats += log(cleavage.share_of(CDR3_SHARES)) + both
        yield _Trial(left, right, tokens, max(len(left.tokens) - n, 0), nats)
        if both >= SHARED:  # too many residues to be in the CDR3 twice
            return


def _apart(
    around: Surroundings,
    draft: Draft,
    met: _Trial,
    cleavage: Cleavage,
    unseen: tuple[int, float],
    gain: float,
) -> Iterator[float]:
    """Yield nats of each number of residues that may be missing between two sides.

    met: how the sides meet, and gain: what reads gain by that; unseen: residues below which every
    peptide goes unseen, and the share of longer stretches that does.
    """
    left, right = met.left.tokens, met.right.tokens
    shown = len(left) + len(right) - met.right.inside
    lengths = range(max(shown + 1, len(left), SHORTEST), LONGEST[draft.locus] + 1)
    texts = {}
    for length in lengths:
        text = np.full(length, MISSING, np.uint8)
        text[: len(left)] = left
        text[length - len(right) :] = right
        texts[length] = text
    alone = log(cleavage.not_spanned(met.left.weight + met.right.weight))
    nats = 0.0
    if not met.right.inside:  # another cut in front of the right side, at whatever residue
        nats += log(cleavage.share_of(CDR3_SHARES))
    if left and not cleavage.behind[left[-1]]:
        nats += log(MISREAD + float(CDR3_SHARES[cleavage.before].sum()))
    for path in weigh_paths(around, list(texts.values())):
        length = len(path.tokens)
        # A short peptide never shows, but its two cuts must both be spanned by no read, and not one
        # as where sides meet. If reads show nothing of a longer one, then none can span its cuts.
        short = length - shown < unseen[0]
        share = max(alone, log(BESIDE)) if short else log(unseen[1]) - alone
        across = float(np.clip(TEMPER * (path.gain - gain), -ACROSS, ACROSS))
        yield (
            nats
            + share
            + _length_nats(draft.locus, length)
            + _germline_nats(draft, path.tokens)
            + across
        )


def _unseen(around: Surroundings, draft: Draft, found: Alignment) -> tuple[int, float]:
    """Residues below which peptides go unseen, and the share of longer ones that does: that of the
    residues in front of CDR3 that no read shows."""
    covered = np.zeros(len(draft), dtype=bool)
    for start, stop in found.span.tolist():
        covered[max(start, 0) : max(stop, 0)] = True
    share = float(np.clip(1.0 - covered[: draft.cdr3()[0]].mean(), *UNSEEN))
    return int(np.quantile(around.reads.length, SHORT)), share


def _cut_nats(cleavage: Cleavage, text: np.ndarray, at: int) -> float:
    """Nats of a peptide's end in front of a place of a text."""
    if not 0 < at < len(text) or cleavage.cuts(int(text[at - 1]), int(text[at])):
        return 0.0
    return log(MISREAD)


def _length_nats(locus: str, length: int) -> float:
    """Log probability of a length of CDR3."""
    scale = CDR3_SCALE[locus]
    usual = exp(-abs(length - TYPICAL_CDR3[locus]) / scale) / (2 * scale)
    return log(max(usual, UNUSUAL))


def _germline_nats(draft: Draft, tokens: np.ndarray) -> float:
    """Nats by which the residues of a CDR3 are those of V and J rather than any."""
    germline = merge_il(cdr3_germline(draft.v, draft.j, len(tokens)))
    place = np.arange(len(tokens))
    off = np.where(place < len(tail_of(draft.v)), place, len(tokens) - 1 - place)
    kept = np.where(off < NEXT, KEPT, TRIMMED)
    known = (germline < N_RESIDUES) & (tokens < N_RESIDUES)
    chance = CDR3_SHARES[np.where(known, germline, 0)]
    nats = np.where(tokens == germline, np.log(kept / chance), np.log((1 - kept) / (1 - chance)))
    return float(nats[known].sum())
