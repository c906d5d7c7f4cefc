"""The evidence of the reads on a chain for each of its positions."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import lgamma

import numpy as np

from lacuna.antibody.imgt import CDR_COLUMNS
from lacuna.core.alphabet import ABSENT, ISOLEUCINE, MISSING, N_RESIDUES, TOKEN, merge_il
from lacuna.core.runs import runs_of
from lacuna.placing.aligning.alignment import (
    BLOCK,
    INSERTED,
    KINDS,
    MATCH,
    MISMATCH,
    ON_MISSING,
    OTHER_BLOCK,
    UNALIGNED,
    Alignment,
)
from lacuna.placing.aligning.carried import BLOCK_TOLERANCE
from lacuna.placing.aligning.readset import MASSES, ReadSet, running
from lacuna.placing.votes.draft import MOTIF, Draft
from lacuna.placing.votes.placement import Placements

BLOCK_WEIGHT = 0.1  # of a residue in a block of equal mass: the order, or the block, may be wrong
OVERHANG_RESIDUES = 6  # residues beyond a core that may vote for a new template
OVERHANG_WEIGHT = 0.25  # of each in CDR3, and where many cores lie; 1 elsewhere
# Weight of the cores over a position below which the next template follows what few reads show.
# Without a limit, reads of a second antibody make the chain a mixture of both
# (docs/explanation/measurements.md).
FEW_CORES = 8.0
# Limits of the probability that a residue is right when it votes. Below 1 in 19 it would vote
# against itself.
VOTE_RANGE = 0.06, 0.99
SINGLE_READ_SHARE = 0.5  # of the strongest vote of 1 for a residue: a single read may end wrongly
SAME_PLACE_POWER = 0.6  # n reads of one place count n ** 0.6: they are spectra of one peptide
MUTATED_FR, MUTATED_CDR = 0.04, 0.25  # of residues to differ from germline
# Of the nats of reads, whose errors are alike: with 1, residues at 0.95 or more are wrong
# (tests/benchmarks/read_ablation.py).
ALIKE_ERRORS = 0.5
MOST_PREFERENCE = 12.0  # nats, times these, by which reads prefer a residue, however many they are
NATS_A_READ = 5.0  # of one confident residue
_ERRORS = (0.5, 6.0)  # beta distribution of the share of reads that are wrong at a position
_LETTERS = 0.3  # Dirichlet parameter of each residue among errors

Insertions = dict[int, dict[tuple[int, ...], float]]  # weight, by position and residues

_PLAIN = (MATCH, MISMATCH, ON_MISSING)  # residues of reads that lie on one of the chain each
# What a residue of a core counts when it votes, by how it is aligned.
_COUNTED = np.zeros(len(KINDS))
_COUNTED[list(_PLAIN)], _COUNTED[BLOCK] = 1.0, BLOCK_WEIGHT
AMIDES = ((TOKEN["N"], TOKEN["D"]), (TOKEN["Q"], TOKEN["E"]))  # each with its acid


@dataclass(frozen=True, slots=True)
class Votes:
    """The evidence of reads for the t positions of a chain.

    nats (t, 20): log-likelihood of each residue by reads, up to a constant, I never; depth (t,):
    weight of the reads whose core covers a position; amide (t, 4): weight of reads that show N, D
    (or deamidated N), Q, E (or deamidated Q); inserted: weight and residues of insertions before a
    position; deleted, passed (t,): weight of reads that leave a position out, and that read it;
    blocks (t,): weight of reads that show it in a block of equal mass.
    """

    nats: np.ndarray
    depth: np.ndarray
    amide: np.ndarray
    inserted: Insertions
    deleted: np.ndarray
    passed: np.ndarray
    blocks: np.ndarray


def place_weights(reads: ReadSet, placements: Placements) -> np.ndarray:
    """(m,) weight of each placement: n reads of one place count n ** SAME_PLACE_POWER."""
    span = placements.alignment.span
    count = reads.count[placements.alignment.read] * placements.share
    key = span[:, 0] * (len(placements.text.tokens) + 1) + span[:, 1]
    _, group = np.unique(key, return_inverse=True)
    total = np.bincount(group, count) if len(count) else np.zeros(0)
    return (
        count * (np.maximum(total, 1e-9) ** (SAME_PLACE_POWER - 1))[group] if len(count) else count
    )


def votes(reads: ReadSet, placements: Placements, chain: int) -> Votes:
    """Votes of the placements on one chain, by the cores of reads, and by a first or last residue
    alone beyond a core: alignments end before one that differs."""
    return _votes(reads, placements.of(chain), None)


def votes_for_template(reads: ReadSet, placements: Placements, chain: int, draft: Draft) -> Votes:
    """Votes of the placements on one chain (draft), by residues beyond the cores of reads too.

    These count little in CDR3, which reads join from its ends, and where many cores lie.
    """
    return _votes(reads, placements.of(chain), draft.before_cdr3)


def _votes(reads: ReadSet, own: Placements, leading: np.ndarray | None) -> Votes:
    """own: placements on the chain; leading (t,) bool: where residues beyond cores may count as
    much as those of cores; None if none votes but a single one at an end of a read."""
    length = len(own.text.tokens) - 1
    a, weight = own.alignment, place_weights(reads, own)
    depth = _depth(a, weight, length)
    at, beyond = _with_overhang(reads, a, length, alone=leading is None)
    counted, leads = _COUNTED[a.kind], np.zeros(at.shape, dtype=bool)
    if leading is None:
        counted[beyond] = 1.0
    else:
        leads = beyond & (leading & (depth < FEW_CORES))[at]
        counted[beyond] = np.where(leads[beyond], 1.0, OVERHANG_WEIGHT)
    tokens = reads.tokens[a.read]
    row, column = np.nonzero((at >= 0) & (at < length) & (counted > 0) & (tokens < N_RESIDUES))
    place, residue = at[row, column], tokens[row, column]
    q = np.clip(reads.right[a.read][row, column], *VOTE_RANGE)
    worth = weight[row] * counted[row, column]
    says = worth * np.log(q * (N_RESIDUES - 2) / (1 - q))
    nats = _nats(place, residue, says, leads[row, column], length)
    shown = (residue == code for pair in AMIDES for code in pair)
    amide = np.stack([np.bincount(place[x], (worth * q)[x], length) for x in shown], axis=1)
    row, column = np.nonzero(np.isin(a.kind, (BLOCK, OTHER_BLOCK)) & (a.at >= 0))
    blocks = np.bincount(a.at[row, column], weight[row], length)
    inserted, deleted, passed = _lengths(reads, a, _weighs_the_same(reads, own), weight, length)
    return Votes(nats, depth, amide, inserted, deleted, passed, blocks)


def _nats(
    place: np.ndarray, residue: np.ndarray, says: np.ndarray, leads: np.ndarray, length: int
) -> np.ndarray:
    """(length, 20) sums of the nats (n,) by which residues of reads speak for a residue at a place
    of the chain, I never.

    leads (n,) bool: those beyond cores that count as much as cores do, of which the strongest for a
    residue counts SINGLE_READ_SHARE.
    """
    nats, strongest = np.zeros((length, N_RESIDUES)), np.zeros((length, N_RESIDUES))
    np.add.at(nats, (place, residue), says)
    np.maximum.at(strongest, (place[leads], residue[leads]), says[leads])
    nats -= (1 - SINGLE_READ_SHARE) * strongest
    nats[:, ISOLEUCINE] = 0.0
    return nats


def _depth(a: Alignment, weight: np.ndarray, length: int) -> np.ndarray:
    """(length,) weight of the reads whose core covers each position of a chain.

    a: placements by positions of the chain, as below.
    """
    row, column = np.nonzero((a.kind != UNALIGNED) & (a.at >= 0))
    sure = np.where(np.isin(a.kind[row, column], (BLOCK, OTHER_BLOCK)), BLOCK_WEIGHT, 1.0)
    return np.bincount(a.at[row, column], weight[row] * sure, length)


def _with_overhang(
    reads: ReadSet, a: Alignment, length: int, *, alone: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Positions with those of residues beyond cores, on the diagonals of their ends, and which
    residues these are; alone: only of those that are a read's first or last one."""
    place = np.arange(a.at.shape[1])
    n = reads.length[a.read][:, None]
    before = (place < a.core[:, :1]) & (place >= a.core[:, :1] - OVERHANG_RESIDUES)
    after = (place >= a.core[:, 1:]) & (place < np.minimum(a.core[:, 1:] + OVERHANG_RESIDUES, n))
    if alone:
        before &= a.core[:, :1] == 1
        after &= n - a.core[:, 1:] == 1
    left = a.span[:, :1] - a.core[:, :1] + place
    right = a.span[:, 1:] - a.core[:, 1:] + place
    at = np.where(before, left, np.where(after, right, a.at))
    at = np.where((at < 0) | (at >= length), -1, at)
    return at, before | after


def _lengths(
    reads: ReadSet, a: Alignment, as_long: np.ndarray, weight: np.ndarray, length: int
) -> tuple[Insertions, np.ndarray, np.ndarray]:
    """Insertions, deletions and straight passages of reads.

    as_long (m,): reads that weigh as much as the stretch on which they lie. Such a read has no
    residue more or less: some of its residues are wrong (PKWALDRF for RATGIPDRF). That it is one
    shorter says nothing. What reads have in front of the first residue of a chain is an insertion
    before it, also if the first ones differ, in front of which alignments end.
    """
    inserted: Insertions = {}
    deleted, passed = np.zeros(length + 1), np.zeros(length + 1)
    left, right = a.at[:, :-1], a.at[:, 1:]
    plain = np.isin(a.kind, _PLAIN)
    pair = plain[:, :-1] & plain[:, 1:] & (left >= 0) & (right >= 0)
    row, column = np.nonzero(pair & (right == left + 1))
    np.add.at(passed, right[row, column], weight[row])
    for r in np.flatnonzero((a.kind == INSERTED).any(1) & ~as_long).tolist():
        tokens = reads.tokens[a.read[r]]
        for place, back, residues in _insertions(tokens, a.kind[r], a.at[r]):
            _count(inserted, place - back, residues, weight[r])
            passed[place - back] -= weight[r]
            passed[place] += weight[r]
    ahead = a.core[:, 0] - a.span[:, 0]
    for r in np.flatnonzero((ahead >= 0) & (a.core[:, 0] <= OVERHANG_RESIDUES)).tolist():
        if ahead[r]:
            _count(inserted, 0, tuple(reads.tokens[a.read[r], : ahead[r]].tolist()), weight[r])
        else:
            passed[0] += weight[r]
    row, column = np.nonzero(pair & (right > left + 1) & ~as_long[:, None])
    for r, c in zip(row.tolist(), column.tolist(), strict=True):
        deleted[left[r, c] + 1 : right[r, c]] += weight[r]
    return inserted, deleted[:length], passed[:length]


def _insertions(
    tokens: np.ndarray, kinds: np.ndarray, at: np.ndarray
) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Yield each insertion of a read (w,): the position of the chain behind it, by how many
    positions further in front it is counted, and its residues there.

    A residue too many among equal ones (SSS for SS) may be any of them, in each read the one that
    is least sure: so that reads count together, it is taken for the first.
    """
    for begin, stop in runs_of(kinds == INSERTED):
        if begin and at[begin - 1] >= 0:
            back = _steps_back(tokens, kinds, begin, stop)
            yield int(at[begin - 1]) + 1, back, tuple(tokens[begin - back : stop - back].tolist())


def _count(inserted: Insertions, place: int, residues: tuple[int, ...], weight: float) -> None:
    """Add the weight of a read to those with the same insertion before a position."""
    known = inserted.setdefault(place, {})
    known[residues] = known.get(residues, 0.0) + float(weight)


def _weighs_the_same(reads: ReadSet, own: Placements) -> np.ndarray:
    """(m,) whether the core of each read weighs as much as the stretch of the chain under it."""
    a = own.alignment
    row = np.arange(len(a.read))[:, None]
    read = running(MASSES[reads.tokens[a.read]])
    text = running(MASSES[own.text.tokens])
    off = np.diff(read[row, a.core]) - np.diff(text[a.span])
    return np.abs(off[:, 0]) < BLOCK_TOLERANCE


def _steps_back(tokens: np.ndarray, kinds: np.ndarray, begin: int, stop: int) -> int:
    """Residues by which those inserted at begin..stop of a read may as well be further in front."""
    back = 0
    while begin - back > 1 and kinds[begin - back - 1] == MATCH:
        if tokens[begin - back - 1] != tokens[stop - back - 1]:
            break
        back += 1
    return back


def germline_prior(draft: Draft) -> np.ndarray:
    """(t, 20) log-probability of each residue by the germline residue, L for I."""
    mutated = np.where(CDR_COLUMNS[draft.columns], MUTATED_CDR, MUTATED_FR)
    prior = np.repeat(np.log(mutated / (N_RESIDUES - 2))[:, None], N_RESIDUES, 1)
    known = np.flatnonzero(draft.germline < MISSING)
    prior[known, merge_il(draft.germline)[known]] = np.log(1 - mutated[known])
    unknown = draft.germline >= MISSING
    prior[unknown] = np.log(1 / (N_RESIDUES - 1))
    prior[:, ISOLEUCINE] = -np.inf
    return prior


# Beta distributions (alpha, beta) of the share of D among reads of an N, where G follows or not,
# of E among reads of a Q, and of N or Q among reads of a true D or E.
_NG, _NX, _QX, _ACID = (1.2, 1.5), (0.5, 1.5), (0.4, 4.0), (0.6, 50.0)


def _log_beta(a: np.ndarray | float, b: np.ndarray | float) -> np.ndarray:
    """The logarithm of the beta function, element by element."""
    return _lgamma(a) + _lgamma(b) - _lgamma(a + b)


_lgamma = np.vectorize(lgamma, otypes=[float])


def amide_nats(found: Votes, before_g: np.ndarray, pair: int) -> np.ndarray:
    """(t,) nats by which reads prefer N to D (pair 0), or Q to E (pair 1).

    Deamidation turns N into D and never back. Its share is not known: beta-binomial, larger where
    G follows (Robinson and Robinson 2001, PNAS 98:944). Of a true D reads show N by mistake only.
    """
    plain, acid = found.amide[:, 2 * pair], found.amide[:, 2 * pair + 1]
    alpha, beta = np.where(before_g[:, None], _NG, _NX).T if pair == 0 else _QX
    as_amide = _log_beta(acid + alpha, plain + beta) - _log_beta(alpha, beta)
    alpha, beta = _ACID
    return as_amide - (_log_beta(plain + alpha, acid + beta) - _log_beta(alpha, beta))


def settle(draft: Draft, found: Votes) -> np.ndarray:
    """(t, 20) log-posterior, not normalised, by reads and germline.

    Where few reads lie, their nats are not tempered: this only chooses the next template, and one
    that follows the few reads of a mutated loop recruits the others. How sure a residue is, is
    weighed later. Where many lie, those of another chain would turn a chain into a mixture of both.
    """
    temper = np.where((found.depth < FEW_CORES) & draft.before_cdr3, 1.0, ALIKE_ERRORS)[:, None]
    return temper * residue_nats(draft, found) + germline_prior(draft)


def residue_nats(draft: Draft, found: Votes) -> np.ndarray:
    """(t, 20) nats of each residue by reads, whose errors are alike.

    Each residue is weighed as if it were right and all else that reads show wrong: the share of
    errors is beta distributed, and which residues they show follows a Dirichlet distribution, so
    that one that turns up again and again is believed to be one systematic error rather than many.
    N and D, and Q and E, count as in `amide_nats`.
    """
    counts = np.maximum(found.nats, 0.0) / NATS_A_READ
    counts[:, ISOLEUCINE] = 0.0
    total = counts.sum(1, keepdims=True)
    others = total - counts
    alpha, beta = _ERRORS
    nats = _log_beta(others + alpha, counts + beta)
    each = _lgamma(counts + _LETTERS) - lgamma(_LETTERS)
    nats += each.sum(1, keepdims=True) - each
    nats -= _lgamma(others + _LETTERS * (N_RESIDUES - 2))
    follows = np.append(draft.tokens[1:], ABSENT) == TOKEN["G"]
    for pair, (amide, acid) in enumerate(AMIDES):
        top = np.maximum(nats[:, amide], nats[:, acid])
        more = amide_nats(found, follows, pair) / ALIKE_ERRORS
        read = found.amide[:, 2 * pair : 2 * pair + 2].sum(1) > 0
        nats[read, amide] = (top + np.minimum(more, 0.0))[read]
        nats[read, acid] = (top - np.maximum(more, 0.0))[read]
    return nats


def next_draft(draft: Draft, found: Votes) -> Draft:
    """The draft with the residues that reads and germline make likeliest."""
    log_posterior = settle(draft, found)
    tokens = log_posterior.argmax(1).astype(np.uint8)
    unread = (found.nats.max(1) < 2.0) & (draft.germline >= MISSING)
    tokens = np.where(unread, MISSING, tokens)
    tokens = np.where(draft.held | _overrun(draft, tokens), draft.tokens, tokens).astype(np.uint8)
    return draft.with_tokens(tokens)


def _overrun(draft: Draft, tokens: np.ndarray) -> np.ndarray:
    """(t,) the J motif, if two of its three residues in `tokens` (t,) are not those of germline.

    One may be mutated. Where two are, reads of a CDR3 that is longer than the draft's lie on FR4.
    """
    motif = np.isin(draft.columns, MOTIF)
    changed = (tokens != merge_il(draft.germline)) & (draft.germline < N_RESIDUES)
    return motif & (changed[motif].sum() > 1)
