"""Reads on chains that are given: their evidence for every position, above all missing residues.

The chains are kept as they are. Missing residues that reads agree on become part of the chain for
the next round, so that reads reach into a gap from both of its sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.antibody.imgt import OTHER_INSERTION
from lacuna.core.alphabet import ABSENT, ISOLEUCINE, LEUCINE, MISSING, N_RESIDUES, encode, merge_il
from lacuna.placing.alignment import BLOCK, OTHER_BLOCK
from lacuna.placing.consensus import (
    TEMPER,
    Votes,
    place_weights,
    residue_nats,
    votes,
    votes_for_template,
)
from lacuna.placing.draft import Draft
from lacuna.placing.modifications import carried_by_cysteine
from lacuna.placing.placement import Placements, place_on, unchanged
from lacuna.placing.readset import ReadSet

ROUNDS = 6  # a gap grows shorter by some residues on either side in each
AHEAD = 2.5  # nats by which reads prefer a residue from which it counts as known
MOST_NATS = 12.0  # by which reads may prefer a residue, however many they are
MIN_DEPTH = 0.5  # weight of the reads from which a position counts as shown


@dataclass(frozen=True, slots=True)
class Shown:
    """What reads show of the t positions of a chain.

    weights (t, 20): support of each residue by reads alone, rows that sum to 1, I and L alike; of
    positions that no read shows all are the same; depth (t,): weight of the reads; other_length
    (t,): whether a position is in a gap in which reads have more or fewer residues.
    """

    weights: np.ndarray
    depth: np.ndarray
    other_length: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """(t,) whether reads show a position."""
        return self.depth >= MIN_DEPTH


def show(
    reads: ReadSet, chains: Sequence[str], others: Sequence[str]
) -> tuple[list[Shown], Placements]:
    """What reads show of each chain, and where they lie.

    chains: letters of scaffolds, missing residues as X, B, J or Z; others: sequences that take
    reads away from them (contaminants), and come behind them in `Placements`.
    """
    fixed = [_draft(sequence) for sequence in others]
    drafts = given = [_draft(chain) for chain in chains]
    placements = place_on(reads, [*drafts, *fixed])
    reads = replace(reads, cysteine=carried_by_cysteine(reads, placements))
    for _ in range(ROUNDS):
        placements = place_on(reads, [*drafts, *fixed])
        found = [votes_for_template(reads, placements, i, d) for i, d in enumerate(drafts)]
        moved = [_known(*both) for both in zip(given, drafts, found, strict=True)]
        if unchanged(moved, drafts):
            break
        drafts = moved
    else:
        placements = place_on(reads, [*drafts, *fixed])
    final = [votes(reads, placements, i, len(d)) for i, d in enumerate(drafts)]
    lengths = [_other_length(reads, placements, i, d) for i, d in enumerate(given)]
    shown = [_shown(*each) for each in zip(drafts, final, lengths, strict=True)]
    return shown, placements


def _draft(sequence: str) -> Draft:
    """A chain as it is given: without segments, and open where a residue is missing."""
    tokens = merge_il(encode(sequence))
    tokens[tokens >= N_RESIDUES] = MISSING
    n = len(tokens)
    columns = np.full(n, OTHER_INSERTION, np.uint8)
    return Draft("", tokens, columns, np.full(n, ABSENT, np.uint8), -1, -1, -1, True)


def _known(given: Draft, draft: Draft, found: Votes) -> Draft:
    """The chain with the missing residues that reads agree on."""
    nats = residue_nats(draft, found)
    second, first = np.sort(nats, 1)[:, -2:].T  # I never has any
    now = np.where(first - second >= AHEAD, nats.argmax(1), MISSING)
    return draft.with_tokens(np.where(given.tokens == MISSING, now, given.tokens).astype(np.uint8))


def _other_length(reads: ReadSet, placements: Placements, chain: int, given: Draft) -> np.ndarray:
    """(t,) positions of gaps in which at least half of the reads that cross them insert residues or
    leave some out, edges included. Those with a block of equal mass there do not count."""
    own = placements.of(chain)
    a, first = own.alignment, int(own.text.start[chain])
    weights, span = place_weights(reads, own), a.span - first
    places = np.where(a.at >= 0, a.at - first, -1)
    blocks = np.isin(a.kind, (BLOCK, OTHER_BLOCK))
    column = np.arange(places.shape[1])
    result = np.zeros(len(given), dtype=bool)
    edges = np.flatnonzero(np.diff(given.tokens == MISSING, prepend=False, append=False))
    for start, end in edges.reshape(-1, 2).tolist():
        over = np.flatnonzero((span[:, 0] < start) & (span[:, 1] > end))
        at, block, weight = places[over], blocks[over], weights[over]
        left = np.where((at >= 0) & (at < start), column, -1).max(1, initial=-1)
        right = np.where(at >= end, column, at.shape[1]).min(1, initial=at.shape[1])
        inside = (column >= left[:, None]) & (column <= right[:, None])
        crossing = (left >= 0) & (right < at.shape[1]) & ~(block & inside).any(1)
        used, one, other = np.flatnonzero(crossing), left[crossing], right[crossing]
        straight = at[used, other] - at[used, one] == other - one
        against = weight[used][~straight].sum()
        result[start:end] = against >= max(weight[used][straight].sum(), MIN_DEPTH)
    return result


def _shown(draft: Draft, found: Votes, other_length: np.ndarray) -> Shown:
    nats = TEMPER * residue_nats(draft, found)
    nats[:, ISOLEUCINE] = nats[:, LEUCINE]
    nats = np.maximum(nats - nats.max(1, keepdims=True), -MOST_NATS)
    weights = np.exp(nats)
    weights[found.nats.max(1) <= 0] = 1.0
    return Shown(weights / weights.sum(1, keepdims=True), found.depth, other_length)
