"""Reads on chains that are given: their evidence for every position, above all missing residues.

The chains are kept as they are. Missing residues that reads agree on become part of the chain for
the next round, so that reads reach into a gap from both of its sides. A gap of unknown length that
reads lead through (`stretches/closing.py`) is then one of as many residues as they show.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lacuna.antibody.imgt import OTHER_INSERTION
from lacuna.core.alphabet import ISOLEUCINE, LEUCINE, MISSING, N_RESIDUES
from lacuna.placing.aligning.alignment import BLOCK, OTHER_BLOCK
from lacuna.placing.aligning.joints import V_JOINT
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.stretches.closing import Through, path_through
from lacuna.placing.stretches.junction import Surroundings
from lacuna.placing.stretches.word_paths import WordGraph
from lacuna.placing.votes.chimeras import with_one_place
from lacuna.placing.votes.consensus import (
    ALIKE_ERRORS,
    MOST_PREFERENCE,
    Votes,
    place_weights,
    residue_nats,
    votes,
    votes_for_template,
)
from lacuna.placing.votes.draft import Draft, protein_of
from lacuna.placing.votes.modifications import carried_by_cysteine
from lacuna.placing.votes.placement import (
    Assembly,
    Placements,
    place_on,
    place_on_text,
    text_of,
    unchanged,
)
from lacuna.scaffolds.residue_masses import UNMODIFIED, MassRules, Modifications, may_weigh
from lacuna.scaffolds.scaffold import Gap

ROUNDS = 6  # a gap grows shorter by some residues on either side in each
# Nats by which reads prefer a residue from which it counts as known. Lengths of gaps that reads
# show wrongly are in tests/benchmarks/closed_gaps.py.
KNOWN_NATS = 2.5
FLANK_LENGTH = 4  # residues on each side of a gap by which a read is known to cross it
MIN_DEPTH = 0.5  # weight of the reads from which a position counts as shown
CLEAR_SHARE = 0.9  # share of a residue by reads, from which its mass counts against the one given
# The same of reads that must show a gap to be of another length than was given: a single read has a
# residue too many or too few so often that gaps of the right length would be named as well.
WEIGHT_OF_TWO = 1.5
WEIGHT_OF_PEPTIDES = 2.0  # of two, which must have more residues, or fewer, than are observed
MOST_OFF = 10  # residues by which a length that was given may be wrong


@dataclass(frozen=True, slots=True)
class Shown:
    """What reads show of the t positions of a chain.

    weights (t, 20): support of each residue by reads alone, rows that sum to 1, I and L alike; of
    positions that no read shows all are the same; depth (t,): weight of the reads; other_length
    (t,): whether a position is in a gap, or in a run of observed residues, in which reads have more
    or fewer; open (t,): whether it is in a gap whose length is not known; place (t,): the position
    in the chain as it was given; within (t,): of a gap that was given without a length, and of
    which reads show it, the number of the residue from 1, elsewhere 0; at_odds (t,): whether it is
    in a gap, and what reads show of it cannot have its mass.
    """

    weights: np.ndarray
    depth: np.ndarray
    other_length: np.ndarray
    open: np.ndarray
    place: np.ndarray
    within: np.ndarray
    at_odds: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """(t,) whether reads show a position."""
        return self.depth >= MIN_DEPTH


def show(
    reads: ReadSet,
    chains: Sequence[str],
    others: Sequence[str],
    gaps: Sequence[Sequence[Gap]] = (),
    modifications: Modifications = UNMODIFIED,
) -> tuple[list[Shown], Placements]:
    """What reads show of each chain, and where they lie.

    chains: letters of scaffolds, missing residues as X, B, J or Z; others: sequences that take
    reads away from them (contaminants), and come behind them in `Placements`; gaps: of each
    chain, in order; modifications: what their masses may hold.
    """
    fixed = [_draft(sequence) for sequence in others]
    gaps = gaps or [()] * len(chains)
    given = [_Given.of(*each) for each in zip(chains, gaps, strict=True)]
    templates = [one.draft for one in given]
    placements = place_on(reads, [*templates, *fixed])
    reads = replace(reads, cysteine=carried_by_cysteine(reads, placements))
    reads = with_one_place(reads, templates, fixed)
    assembly = _settled(Assembly.of(reads, templates, fixed), given)
    rules = MassRules(modifications)
    graph = WordGraph(reads)
    closed = _closed(assembly, graph, given, rules)
    if any(len(a.gaps) < len(b.gaps) for a, b in zip(closed, given, strict=True)):
        given = closed
        assembly = _settled(assembly.with_drafts([one.draft for one in given]), given)
    placements = assembly.placements
    final = [votes(reads, placements, i) for i in range(len(given))]
    lengths = [_other_length(reads, placements, i, one.draft) for i, one in enumerate(given)]
    lengths = _led_otherwise(assembly, graph, given, gaps, lengths, rules)
    shown = [_shown(*each) for each in zip(given, assembly.drafts, final, lengths, strict=True)]
    shown = [_with_masses(*each, rules) for each in zip(shown, gaps, strict=True)]
    return shown, placements


@dataclass(frozen=True, slots=True)
class _Given:
    """A chain as it is given: gaps of unknown length, and of its t positions what `Shown` says."""

    draft: Draft
    gaps: tuple[Gap, ...]
    place: np.ndarray
    within: np.ndarray
    at_odds: np.ndarray

    @classmethod
    def of(cls, sequence: str, gaps: Sequence[Gap]) -> "_Given":
        """A chain whose gaps are as they were given."""
        n = len(sequence)
        within, at_odds = np.zeros(n, dtype=int), np.zeros(n, dtype=bool)
        unsized = tuple(gap for gap in gaps if not gap.fixed)
        return cls(_draft(sequence), unsized, np.arange(n), within, at_odds)

    @property
    def open(self) -> np.ndarray:
        """(t,) bool: positions in gaps whose length is not known."""
        inside = [(self.place >= gap.start) & (self.place < gap.end) for gap in self.gaps]
        return np.logical_or.reduce(inside) if inside else np.zeros(len(self.place), dtype=bool)

    def closed(self, gap: Gap, found: Through) -> "_Given":
        """The chain where one of its open gaps has as many residues as reads show.

        Gaps in front of it must be as they were given, those behind need not.
        """
        start, stop, length = gap.start, gap.end, len(found.tokens)
        unknown = np.full(length, MISSING, np.uint8)
        columns = np.full(length, OTHER_INSERTION, np.uint8)

        def spliced(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
            return np.concatenate((values[:start], inside, values[stop:]))

        return _Given(
            self.draft.spliced(start, stop, unknown, columns),
            tuple(one for one in self.gaps if one is not gap),
            spliced(self.place, np.full(length, start)),
            spliced(self.within, np.arange(1, length + 1)),
            spliced(self.at_odds, np.full(length, found.at_odds)),
        )


def _settled(assembly: Assembly, given: Sequence[_Given]) -> Assembly:
    """The chains (as they are given) with what reads agree on, and the reads on them."""
    reads = assembly.reads
    for _ in range(ROUNDS):
        drafts, placements = assembly.drafts, assembly.placements
        found = [votes_for_template(reads, placements, i, d) for i, d in enumerate(drafts)]
        moved = [_known(*each) for each in zip(given, drafts, found, strict=True)]
        if unchanged(moved, drafts):
            break
        assembly = assembly.with_drafts(moved)
    return assembly


def _closed(
    assembly: Assembly, graph: WordGraph, given: Sequence[_Given], rules: MassRules
) -> list[_Given]:
    """The chains with as many residues in their open gaps as reads show; assembly: the chains with
    what reads agree on otherwise; rules: of no end of a chain, since no path leads to one."""
    result = list(given)
    sought = [(i, (gap.start, gap.end), gap) for i, one in enumerate(given) for gap in one.gaps]
    found = _paths_through(assembly, graph, sought, rules)
    # Backwards, so that positions in front of a gap are what they were.
    for (i, _, gap), through in reversed(list(zip(sought, found, strict=True))):
        if through is not None:
            result[i] = result[i].closed(gap, through)
    return result


def _led_otherwise(
    assembly: Assembly,
    graph: WordGraph,
    given: Sequence[_Given],
    gaps: Sequence[Sequence[Gap]],
    other_length: Sequence[np.ndarray],
    rules: MassRules,
) -> list[np.ndarray]:
    """Where reads have another length (t,), with gaps that no read crosses as a whole: reads lead
    through them by another number of residues than was given."""
    result = [one.copy() for one in other_length]
    sought = []
    for i, one in enumerate(given):
        for gap in gaps[i]:
            at = np.flatnonzero(_inside(one, gap))
            if gap.fixed and not result[i][at].any():
                start, stop = int(at[0]), int(at[-1]) + 1
                low, high = max(stop - start - MOST_OFF, 1), stop - start + MOST_OFF
                open_gap = replace(gap, min_length=low, max_length=high)
                sought.append((i, (start, stop), open_gap))
    found = _paths_through(assembly, graph, sought, rules)
    for (i, (start, stop), _), through in zip(sought, found, strict=True):
        result[i][start:stop] |= through is not None and len(through.tokens) != stop - start
    return result


def _paths_through(
    assembly: Assembly,
    graph: WordGraph,
    sought: Sequence[tuple[int, tuple[int, int], Gap]],
    rules: MassRules,
) -> list[Through | None]:
    """How reads lead through gaps: (chain, start and stop in it, what is known), in order."""
    if not sought:
        return []
    reads = assembly.reads
    edges: list[list[int]] = [[0] for _ in assembly.drafts]
    for i, stretch, _ in sought:
        edges[i] += stretch
    pieces = [
        draft.tokens[done:start]
        for draft, of_chain in zip(assembly.drafts, edges, strict=True)
        for done, start in zip(of_chain[::2], [*of_chain[1::2], len(draft)], strict=True)
    ]
    text = text_of([*pieces, *(draft.tokens for draft in assembly.fixed)])
    elsewhere = place_on_text(reads, text).best(len(reads))
    found = []
    for i, (start, stop), gap in sought:
        tokens = assembly.drafts[i].tokens
        around = Surroundings(reads, tokens[:start], tokens[stop:], elsewhere, V_JOINT)
        found.append(path_through(around, graph, gap, rules))
    return found


def _draft(sequence: str) -> Draft:
    """A chain as it is given: without segments, and open where a residue is missing."""
    draft = protein_of(sequence)
    return draft.with_tokens(np.minimum(draft.tokens, np.uint8(MISSING)))


def _known(given: _Given, draft: Draft, found: Votes) -> Draft:
    """The chain with the missing residues that reads agree on."""
    nats = residue_nats(draft, found)
    second, first = np.sort(nats, 1)[:, -2:].T  # I never has any
    now = np.where((first - second >= KNOWN_NATS) & ~given.open, nats.argmax(1), MISSING)
    tokens = given.draft.tokens
    return draft.with_tokens(np.where(tokens == MISSING, now, tokens).astype(np.uint8))


def _other_length(reads: ReadSet, placements: Placements, chain: int, given: Draft) -> np.ndarray:
    """(t,) positions at which at least half of the reads that cross them insert residues or leave
    some out, edges included: gaps, and observed residues that are not near one."""
    own = placements.of(chain)
    weights = place_weights(reads, own)
    result = np.zeros(len(given), dtype=bool)
    missing = given.tokens == MISSING
    for start, end in _runs_of_equal(given.tokens):
        gap = bool(missing[start])
        if not gap and missing[max(start - FLANK_LENGTH, 0) : end + FLANK_LENGTH].any():
            continue  # what reads have more or fewer there may be of the gap
        as_long, other = _crossing(own, weights, (start, end), 1 if gap else FLANK_LENGTH)
        result[start:end] = other >= max(as_long, WEIGHT_OF_TWO if gap else WEIGHT_OF_PEPTIDES)
        if gap:
            result[start:end] |= _apart_otherwise(reads, own, given.tokens, start, end)
    return result


def _crossing(
    own: Placements, weights: np.ndarray, run: tuple[int, int], beyond: int
) -> tuple[float, float]:
    """Weight of the reads that cross a run of positions with as many residues as it has, and of
    those with more or fewer. One with a block of equal mass there counts as neither.

    own: placements on the chain, with weights (m,); run: start and end; beyond: positions on both
    sides that a read with as many residues must cover too: an alignment ends beside a residue too
    many, so that only a read that goes on shows that there is none.
    """
    start, end = run
    span = own.alignment.span
    over = np.flatnonzero((span[:, 0] < start) & (span[:, 1] > end))
    at, weight = own.alignment.at[over], weights[over]
    column, width = np.arange(at.shape[1]), at.shape[1]
    # Of each read, the last residue in front of the run and the first one behind it.
    left = np.where((at >= 0) & (at < start), column, -1).max(1, initial=-1)
    right = np.where(at >= end, column, width).min(1, initial=width)
    inside = (column >= left[:, None]) & (column <= right[:, None])
    block = np.isin(own.alignment.kind[over], (BLOCK, OTHER_BLOCK))
    kept = np.flatnonzero((left >= 0) & (right < width) & ~(block & inside).any(1))
    left, right, weight = left[kept], right[kept], weight[kept]
    as_long = at[kept, right] - at[kept, left] == right - left
    first, stop = span[over[kept]].T
    tells = as_long & (first <= start - beyond) & (stop >= end + beyond)
    return float(weight[tells].sum()), float(weight[~as_long].sum())


def _with_masses(shown: Shown, gaps: Sequence[Gap], rules: MassRules) -> Shown:
    """The same with gaps of known length in which reads of several peptides show all residues, and
    these cannot have the mass that is given."""
    at_odds = shown.at_odds.copy()
    sure = shown.weights.copy()
    sure[:, LEUCINE] += sure[:, ISOLEUCINE]
    clear = (shown.depth >= WEIGHT_OF_PEPTIDES) & (sure.max(1) >= CLEAR_SHARE)
    for gap in gaps:
        inside = _inside(shown, gap)
        if gap.fixed and gap.measured is not None:
            tokens = sure[inside].argmax(1).astype(np.uint8)
            fits = may_weigh(tokens, gap.measured, rules)
            at_odds[inside] = clear[inside].all() and not fits
    return replace(shown, at_odds=at_odds)


def _inside(chain: _Given | Shown, gap: Gap) -> np.ndarray:
    """(t,) bool: the positions of a gap of known length."""
    # Residues of a gap without a length have the place of what follows it.
    return (chain.place >= gap.start) & (chain.place < gap.end) & (chain.within == 0)


def _runs_of_equal(tokens: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield start and end of each run of equal residues: if reads have one more or fewer, it may be
    any of them."""
    edges = np.flatnonzero(np.diff(tokens)) + 1
    yield from pairwise((0, *edges.tolist(), len(tokens)))


def _apart_otherwise(
    reads: ReadSet, own: Placements, chain: np.ndarray, start: int, end: int
) -> bool:
    """Whether at least half of the reads that hold what is on both sides of a gap (start, end) have
    more or fewer residues between: where a gap is much too short or too long, an alignment ends in
    it, or goes on with other residues.

    own: placements on the chain (t,); a read that fits another chain as well does not count.
    """
    left, right = chain[max(start - FLANK_LENGTH, 0) : start], chain[end : end + FLANK_LENGTH]
    if min(len(left), len(right), reads.tokens.shape[1]) < FLANK_LENGTH:
        return False
    if max(left.max(), right.max()) >= N_RESIDUES:
        return False
    rows = np.unique(own.alignment.read[own.share > 0.5])
    held = np.lib.stride_tricks.sliding_window_view(reads.tokens[rows], FLANK_LENGTH, axis=1)
    first, last = ((held == side).all(-1) for side in (left, right))
    both = first.any(1) & last.any(1)
    # The last place of the left side and the first one of the right side.
    begin = first.shape[1] - 1 - first[both][:, ::-1].argmax(1) + FLANK_LENGTH
    between = last[both].argmax(1) - begin
    weight = reads.weight[rows][both]
    against = float(weight[(between >= 0) & (between != end - start)].sum())
    return against >= max(float(weight[between == end - start].sum()), WEIGHT_OF_TWO)


def _shown(given: _Given, draft: Draft, found: Votes, other_length: np.ndarray) -> Shown:
    nats = ALIKE_ERRORS * residue_nats(draft, found)
    nats[:, ISOLEUCINE] = nats[:, LEUCINE]
    nats = np.maximum(nats - nats.max(1, keepdims=True), -MOST_PREFERENCE)
    weights = np.exp(nats)
    weights[found.nats.max(1) <= 0] = 1.0
    return Shown(
        weights=weights / weights.sum(1, keepdims=True),
        depth=found.depth,
        other_length=other_length & ~given.open,
        open=given.open,
        place=given.place,
        within=given.within,
        at_odds=given.at_odds,
    )
