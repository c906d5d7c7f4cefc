"""Observed residues that look wrong: proofreads the result of de novo sequencing.

The network reads each residue with itself and its neighbours hidden, in eight interleaved masks,
so that a chain is read eight times. Each residue is then compared with those that such sequencing
confuses it with:

- `isobaric`: another residue or pair of residues of the same mass: K and Q, F and oxidised M, I and
  L, AD and EG, ... (C is left out, whose mass depends on its alkylation);
- `deamidated`: D for N, E for Q;
- `permuted`: two or three neighbours in another order;
- `against the germline`: the residue of the nearest germline segment, whatever the masses, and on
  less where that is a cysteine that nearly every V domain has.

An alternative that is far more probable is a doubt. Isobaric blocks of another length (GG for N)
and residues too many or too few, which move the rest of the chain, are in `proofread.py`.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations

import numpy as np
import torch

from lacuna.antibody.imgt import CYSTEINES, imgt_numbers
from lacuna.core.alphabet import MISSING, N_RESIDUES, RESIDUES, TOKEN, encode
from lacuna.core.isobaric import isobaric_blocks
from lacuna.core.tables import DoubtRow
from lacuna.filling.block import columns_of, starts_of_chains
from lacuna.network.kmers import KmerSet
from lacuna.network.predict import MASKS
from lacuna.scaffolds.scaffold import Scaffold

ISOBARIC, DEAMIDATED, PERMUTED = "isobaric", "deamidated", "permuted"
GERMLINE = "against the germline"
SAME_MASS = 0.01  # Da, of pairs; K and Q, F and oxidised M are 0.036 and 0.033 apart
ERROR_RATE = 0.01  # of observed residues that are wrong, from which `probability` starts
LEAST_PROBABILITY = 1e-12  # a probability of 0 is taken for
_SINGLE = (
    ("K", "Q", ISOBARIC),
    ("Q", "K", ISOBARIC),
    ("F", "M", ISOBARIC),
    ("M", "F", ISOBARIC),
    ("I", "L", ISOBARIC),
    ("L", "I", ISOBARIC),
    ("D", "N", DEAMIDATED),
    ("E", "Q", DEAMIDATED),
)
# Nats by which an alternative is more probable than what is observed, from which on it is a doubt.
# Chosen on 600 V domains each of published antibodies against influenza and of two repertoires,
# none of them in training or in the bench: of these one residue in 2,000, and in 12,000 or fewer,
# is a doubt. There are more orders of three residues than of two, and mutations are far more often
# against the germline than they are isobaric. How many doubts are right, and how many errors have
# one, is in tests/benchmarks/doubts.py.
_ENOUGH_NATS = {ISOBARIC: 7.0, DEAMIDATED: 6.0, PERMUTED: 7.5, GERMLINE: 10.0}
_ENOUGH_NATS_OF_THREE = 9.5
# GERMLINE at CYSTEINES, which hardly any V domain lacks: the network, which has learnt from
# sequences with errors, is seldom surer. Other residues than W41 are found in natural VHHs.
_ENOUGH_NATS_OF_CYSTEINE = 7.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """Residues `proposed` in place of those observed from `start` on (0-based, in the chain).

    score: nats by which they are more probable; margin: by how much that is more than enough.
    """

    start: int
    proposed: str
    reason: str
    score: float
    margin: float

    @property
    def probability(self) -> float:
        """The probability that the proposal is right."""
        return odds_to_probability(self.score)


def odds_to_probability(score: float) -> float:
    """Probability that a proposal is right, if the network finds it more probable than the observed
    residues by `score` nats, and ERROR_RATE of all residues are wrong."""
    return 1 / (1 + math.exp(-score) * (1 - ERROR_RATE) / ERROR_RATE)


@dataclass(frozen=True, slots=True)
class _Proposals:
    """n blocks of residues in place of those observed: start (n,) among the residues of all chains,
    tokens (n, width), and score, margin (n,) as in `Doubt`."""

    start: np.ndarray
    tokens: np.ndarray
    reason: str
    score: np.ndarray
    margin: np.ndarray


def hidden_in_turn(kmers: KmerSet) -> Iterator[tuple[np.ndarray, KmerSet]]:
    """Yield MASKS times the rows of the targets (t,) that are read, and the k-mers that hide them.

    kmers: those of every residue (`encode_scaffolds` with `observed`). Of neighbours in a chain
    every MASKS-th is read at a time, with the one before and the one after it hidden too.
    """
    at, tokens = kmers.at(), kmers.tokens.numpy()
    first = np.zeros(len(tokens), dtype=np.int64)  # position of each k-mer's first place
    first[at.kmer] = at.position - at.place
    turn = (first[:, None] + np.arange(tokens.shape[1])) % MASKS  # (n, k)
    for mask in range(MASKS):
        near = np.isin(turn, ((mask - 1) % MASKS, mask, (mask + 1) % MASKS))
        hidden = np.where(near & (tokens < N_RESIDUES), MISSING, tokens).astype(np.uint8)
        mine = at.position % MASKS == mask
        yield (
            np.flatnonzero(mine),
            replace(kmers, tokens=torch.from_numpy(hidden)).of_targets(mine),
        )


def find_doubts(
    scaffolds: Sequence[Scaffold],
    kmers: KmerSet,
    probabilities: np.ndarray,
    explained: Sequence[Collection[int]] | None = None,
) -> Iterator[DoubtRow]:
    """Yield a row for each observed residue that looks wrong, in the order of the chains.

    kmers: those of every residue of the scaffolds; probabilities: (t, 20) of their targets, each
    read with itself hidden; explained: places of each chain (0-based) that no proposal may touch.
    """
    at, observed = kmers.at(), observed_tokens(scaffolds, kmers)
    chain, columns = at.chain, columns_of(scaffolds, kmers)
    germline = kmers.templates.numpy()[at.kmer, 0, at.place]
    logs = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    rows = kmers.bounds().tolist()
    bonded = np.isin(kmers.columns.numpy()[at.kmer, at.place], CYSTEINES)
    found = _proposals(observed, chain, germline, bonded, logs)
    for i, doubts in _by_chain(found, rows, explained or [()] * len(scaffolds)):
        sequence, imgt = scaffolds[i].sequence, imgt_numbers(columns[i])
        for doubt in doubts:
            for place, residue in enumerate(doubt.proposed, start=doubt.start):
                if residue != sequence[place]:
                    yield DoubtRow(
                        chain=scaffolds[i].chain,
                        position=place + 1,
                        residue=sequence[place],
                        proposed=residue,
                        probability=doubt.probability,
                        reason=doubt.reason,
                        imgt=imgt[place],
                    )


def observed_tokens(scaffolds: Sequence[Scaffold], kmers: KmerSet) -> np.ndarray:
    """(t,) the token at each target of `kmers`."""
    at, tokens = kmers.at(), encode("".join(s.sequence for s in scaffolds))
    return tokens[starts_of_chains(scaffolds)[at.chain] + at.position]


def _by_chain(
    proposals: Sequence[_Proposals], rows: Sequence[int], explained: Sequence[Collection[int]]
) -> Iterator[tuple[int, list[Doubt]]]:
    """Yield the number of each chain with doubts, and these by their places, none over another.

    rows: where the residues of each chain begin among those of all, and their end; explained: as
    for `find_doubts`.
    """
    found: dict[int, list[Doubt]] = {}
    for some in proposals:
        chains = np.searchsorted(rows, some.start, "right") - 1
        for i, start, tokens, score, margin in zip(
            chains.tolist(),
            some.start.tolist(),
            some.tokens.tolist(),
            some.score.tolist(),
            some.margin.tolist(),
            strict=True,
        ):
            proposed = "".join(RESIDUES[token] for token in tokens)
            doubt = Doubt(start - rows[i], proposed, some.reason, score, margin)
            found.setdefault(i, []).append(doubt)
    for i in sorted(found):
        kept: list[Doubt] = []
        taken = set(explained[i])
        for doubt in sorted(found[i], key=lambda d: (-d.margin, d.start, d.proposed)):
            places = range(doubt.start, doubt.start + len(doubt.proposed))
            if taken.isdisjoint(places):
                taken.update(places)
                kept.append(doubt)
        yield i, sorted(kept, key=lambda doubt: doubt.start)


def _proposals(
    observed: np.ndarray,
    chain: np.ndarray,
    germline: np.ndarray,
    bonded: np.ndarray,
    logs: np.ndarray,
) -> list[_Proposals]:
    """All alternatives that are sufficiently more probable than the observed residues.

    observed, chain, germline: (t,) token, chain and germline's token of the residues of all chains,
    in order; bonded: (t,) whether it is one of the two cysteines that a bond joins; logs:
    (t, 20) log probabilities.
    """
    found = []
    own = _log_of(logs, np.arange(len(observed)), observed)  # (t,), nan for what is missing
    for one, other, reason in _SINGLE:
        start = np.flatnonzero(observed == TOKEN[one])
        tokens = np.full((len(start), 1), TOKEN[other], dtype=np.uint8)
        found.append(_better(start, tokens, reason, _ENOUGH_NATS[reason], own, logs))
    has = (germline < N_RESIDUES) & (observed < N_RESIDUES)
    for some, enough in ((has, _ENOUGH_NATS[GERMLINE]), (has & bonded, _ENOUGH_NATS_OF_CYSTEINE)):
        start = np.flatnonzero(some)
        found.append(_better(start, germline[start, None], GERMLINE, enough, own, logs))
    for width, enough in ((2, _ENOUGH_NATS[PERMUTED]), (3, _ENOUGH_NATS_OF_THREE)):
        start, blocks = _blocks(observed, chain, width)
        for order in permutations(range(width)):
            if order[0] != 0 and order[-1] != width - 1:  # else an order of fewer
                found.append(_better(start, blocks[:, order], PERMUTED, enough, own, logs))
    start, blocks = _blocks(observed, chain, 2)
    pair = blocks[:, 0].astype(np.int64) * N_RESIDUES + blocks[:, 1]
    for others in np.moveaxis(_isobaric_pairs(), 1, 0):  # (400, 2) each
        tokens = others[pair]
        has = tokens[:, 0] < N_RESIDUES
        pairs = _better(start[has], tokens[has], ISOBARIC, _ENOUGH_NATS[ISOBARIC], own, logs)
        found.append(pairs)
    return found


def _blocks(observed: np.ndarray, chain: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where `width` residues in a row are observed in one chain (n,), and their tokens
    (n, width)."""
    count = len(observed) - width + 1
    if count < 1:
        return np.empty(0, dtype=np.int64), np.empty((0, width), dtype=np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(observed, width)
    whole = (windows < N_RESIDUES).all(1) & (chain[:count] == chain[width - 1 :])
    start = np.flatnonzero(whole)
    return start, windows[start]


def _better(
    start: np.ndarray,
    tokens: np.ndarray,
    reason: str,
    enough: float,
    own: np.ndarray,
    logs: np.ndarray,
) -> _Proposals:
    """The blocks of `tokens` (n, width) that are more probable by `enough` nats than the residues
    observed from `start` (n,) on."""
    places = start[:, None] + np.arange(tokens.shape[1])
    score = (_log_of(logs, places, tokens) - own[places]).sum(1)
    kept = score >= enough
    return _Proposals(start[kept], tokens[kept], reason, score[kept], score[kept] - enough)


def _log_of(logs: np.ndarray, places: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """The log probability of each token at its place; nan for what is no residue."""
    known = tokens < N_RESIDUES
    return np.where(known, logs[places, np.where(known, tokens, 0)], np.nan)


@cache
def _isobaric_pairs() -> np.ndarray:
    """(400, most, 2) tokens of the pairs that weigh what pair 20 * a + b does; MISSING for none.

    Pairs that differ by their order, or by I and L, alone are left out, and those with C.
    """
    others: dict[str, list[str]] = {}
    for one, other in isobaric_blocks(2, 2, SAME_MASS):
        if _merged(one) != _merged(other):
            others.setdefault(one, []).append(other)
    most = max(map(len, others.values()))
    table = np.full((N_RESIDUES**2, most, 2), MISSING, dtype=np.uint8)
    for one, found in others.items():
        row = TOKEN[one[0]] * N_RESIDUES + TOKEN[one[1]]
        for slot, pair in enumerate(found):
            table[row, slot] = [TOKEN[r] for r in pair]
    return table


def _merged(pair: str) -> list[str]:
    """A pair without its order and without what tells I from L."""
    return sorted(pair.replace("I", "L"))
