"""Which of two residues is whose, where chains that share a V segment differ.

Reads in front of CDR3 lie on each of these chains. A read that goes on into a CDR3 tells whose it
is, and so does one that shows a residue which is known to be of one chain; from there on, the
residues of further places are told. What no such read tells is told by how common the residues and
the chains are, as far as that goes: a peptide may have many reads or few for other reasons.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import lgamma

import numpy as np

from lacuna.antibody.germlines import v_segments
from lacuna.antibody.imgt import CYS104, FR4_START, N_IMGT
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.placing.alignment import MATCH, MISMATCH
from lacuna.placing.consensus import place_weights, with_overhang
from lacuna.placing.draft import HELD, Draft
from lacuna.placing.joints import CDR3_JOINT
from lacuna.placing.placement import Placements, place_on
from lacuna.placing.readset import ReadSet

PASSES = 3  # a residue that is in its chain brings more reads to it
SURE = 0.7  # probability of a residue of a read that counts
LEAST_READS = 2  # different reads that show the rarer residue
LEAST_WEIGHT = 1.8  # of these reads
LEAST_SHARE = 0.04  # of the reads that show one of the two
ONE_RESIDUE = 0.1  # prior probability that the rarer residue is a mistake
LINKED = 0.9  # probability of a residue that reads of known chains tell
TELLING = 0.6  # probability from which a residue tells whose its reads are
NO_SITE = 0.02  # probability of the rarer residue below which a place is none
# Beta distributions: of the share of reads that are wrong at a place, and of the share of reads
# there of the chains with one of its residues, of which this is the sum of both parameters.
_ERRORS, _SPREAD = (0.5, 6.0), 4.0
_WIDER = 2.0  # the same where a chain may have no read at all
_AMIDES = tuple({RESIDUES.index(a), RESIDUES.index(b)} for a, b in ("ND", "QE"))
_NONE = 255
IN_V, IN_FR4 = range(1, CYS104), range(FR4_START, N_IMGT + 1)


@dataclass(frozen=True, slots=True)
class Site:
    """A place where chains that share a V segment have two residues between them.

    chain, position: of one of the chains, from 0; residues: tokens, the commoner first; second:
    the probability that this chain has the second one.
    """

    chain: int
    position: int
    residues: tuple[int, int]
    second: float

    @property
    def token(self) -> int:
        return self.residues[self.second > 0.5]


@dataclass(frozen=True, slots=True)
class Apart:
    """How far chains that share a V segment are told apart.

    sites: places at which reads show two residues; hidden: by chain (t,), the probability that it
    differs at another place, where reads show the residue of another chain alone.
    """

    sites: tuple[Site, ...] = ()
    hidden: Mapping[int, np.ndarray] = field(default_factory=dict)


def told_apart(
    reads: ReadSet, drafts: Sequence[Draft], fixed: Sequence[Draft], placements: Placements
) -> tuple[list[Draft], Placements, Apart]:
    """Chains with the residues that are theirs where those that share a V segment differ, where all
    reads lie on them, and how far they are told apart.

    fixed: proteins that reads do not change, which follow the chains in `placements`.
    """
    groups = list(_groups(drafts))
    current, found = list(drafts), list[Apart]()
    for _ in range(PASSES if groups else 0):
        found = [phased(reads, placements, current, *group) for group in groups]
        sites = tuple(site for one in found for site in one.sites)
        current = list(drafts)
        for site in sites:
            tokens = current[site.chain].tokens.copy()
            tokens[site.position] = site.token
            current[site.chain] = current[site.chain].with_tokens(tokens)
        placements = place_on(reads, [*current, *fixed])
    sites = tuple(site for one in found for site in one.sites)
    hidden: dict[int, np.ndarray] = {}
    for one in found:
        for chain, nothing in one.hidden.items():
            hidden[chain] = hidden.get(chain, 0.0) + nothing  # of other columns
    return current, placements, Apart(sites, hidden)


def _groups(drafts: Sequence[Draft]) -> Iterator[tuple[list[int], range]]:
    """Yield chains that are alike but for their CDR3s, which are known, and the columns where they
    are: those of one V gene in front of CDR3, all of a locus behind it."""
    of_gene: dict[int, list[int]] = {}
    of_locus: dict[str, list[int]] = {}
    for i, draft in enumerate(drafts):
        if draft.v >= 0 and draft.j >= 0 and draft.bridged:
            of_gene.setdefault(int(v_segments().gene[draft.v]), []).append(i)
            of_locus.setdefault(draft.locus, []).append(i)
    for groups, columns in ((of_gene, IN_V), (of_locus, IN_FR4)):
        yield from ((group, columns) for group in groups.values() if len(group) > 1)


@dataclass(slots=True)
class _Pool:
    """The m reads of a group of n chains: seen (m, N_IMGT + 1) tokens by column, _NONE for none;
    weight (m,); label (m,): which of the chains a read is of, -1 if that is not told; trust (m,):
    how far that is believed."""

    n: int
    seen: np.ndarray
    weight: np.ndarray
    label: np.ndarray
    trust: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """(n,) of the chains by the reads that are told apart."""
        told = self.label >= 0
        count = 1.0 + np.bincount(self.label[told], self.weight[told], self.n)
        return count / count.sum()


def phased(
    reads: ReadSet,
    placements: Placements,
    drafts: Sequence[Draft],
    group: Sequence[int],
    columns: range,
) -> Apart:
    """Where the chains of a group, which are alike at some columns, differ there."""
    pool = _pool(reads, placements, drafts, group)
    left = dict(_two_residues(pool, [drafts[i] for i in group], columns))
    ways = [w for w in product((0, 1), repeat=len(group)) if not all(w)]
    found: list[Site] = []
    pairs: dict[int, tuple[int, int]] = {}
    shares: np.ndarray | None = None
    while left:
        judged = {c: _seconds(pool, c, pair, ways, shares) for c, pair in left.items()}
        column = max(judged, key=lambda c: (float(np.abs(judged[c] - 0.5).min()), -c))
        if shares is None and np.abs(judged[column] - 0.5).min() < LINKED - 0.5:
            # From here on by abundance too, for which reads that are told by it must not count.
            shares = pool.shares
            continue
        pair, second = left.pop(column), judged[column]
        _tell(pool, column, pair, second)
        if second.max() < NO_SITE:
            continue
        pairs[column] = pair
        places = [drafts[chain].find(column) for chain in group]
        found += [
            Site(chain, place, pair, float(p))
            for chain, place, p in zip(group, places, second, strict=True)
            if place >= 0
        ]
    hidden = {
        chain: _hidden(pool, number, drafts[chain], pairs, columns)
        for number, chain in enumerate(group)
    }
    return Apart(tuple(found), hidden)


def _share_of_second(pool: _Pool, column: int, pair: tuple[int, int]) -> float:
    """Share of the second residue among the reads that show one of a pair."""
    first, second = (pool.weight[pool.seen[:, column] == residue].sum() for residue in pair)
    return float(second / max(first + second, 1e-9))


def _hidden(
    pool: _Pool,
    number: int,
    draft: Draft,
    pairs: Mapping[int, tuple[int, int]],
    columns: range,
) -> np.ndarray:
    """(t,) probability that a chain differs where no read shows it, though others are there.

    Where a read that is told to be of this chain lies, it would show it. Elsewhere the chain may
    have no read at all by chance, the more so the fewer it has in all.
    """
    differs = (len(pairs) + 1) / len(columns)  # as often as elsewhere
    rarer = [_share_of_second(pool, column, pair) for column, pair in pairs.items()]
    share = float(pool.shares[number])
    if share < TELLING and rarer:
        share = min(share, float(np.median(rarer)))
    out = np.zeros(len(draft))
    for column in columns:
        place = draft.find(column)
        if place < 0 or column in HELD or column in pairs:
            continue
        shown = pool.seen[:, column] < N_RESIDUES
        if pool.weight[shown & (pool.label == number)].sum() >= LEAST_WEIGHT:
            continue
        others = float(pool.weight[shown].sum())
        none = np.exp(
            _log_beta_binomial(0.0, others, _WIDER * share, _WIDER * (1 - share))
        )
        out[place] = differs * none / (differs * none + 1 - differs)
    return out


def _pool(
    reads: ReadSet, placements: Placements, drafts: Sequence[Draft], group: Sequence[int]
) -> _Pool:
    a = placements.alignment
    own = np.flatnonzero(np.isin(placements.chain, group))
    own = own[np.lexsort((placements.chain[own], -placements.share[own], a.read[own]))]
    own = own[np.diff(a.read[own], prepend=-1) != 0]  # each read on the chain that it fits best
    part = Placements(a.take(own), placements.chain[own], placements.share[own], placements.text)
    seen = np.full((len(own), N_IMGT + 1), _NONE, np.uint8)
    label = np.full(len(own), -1)
    tokens, right = reads.tokens[a.read[own]], reads.right[a.read[own]]
    kind = part.alignment.kind
    plain = np.isin(kind, (MATCH, MISMATCH))
    likely = (tokens < N_RESIDUES) & (right >= SURE)
    for number, chain in enumerate(group):
        draft, start = drafts[chain], int(placements.text.start[chain])
        at = np.where(plain, part.alignment.at - start, -1)
        # A read of which the residues at an end differ lies there with its core alone.
        at, _ = with_overhang(reads, part, at, np.zeros(at.shape), start, len(draft))
        mine = (part.chain == chain)[:, None] & (at >= 0) & likely
        row, column = np.nonzero(mine)
        place = at[row, column]
        code = draft.columns[place]
        front = (code >= 1) & (code <= N_IMGT)
        seen[row[front], code[front]] = tokens[row[front], column[front]]
        low, high = _own_loop(drafts, group, chain)
        loop = (place >= low) & (place < high) & (kind[row, column] == MATCH)
        worth = CDR3_JOINT.worth_of(tokens[row, column]) * loop
        told = np.bincount(row, worth, len(own)) >= CDR3_JOINT.least
        label[told] = number
    # Those of a chain that are told by CDR3 are of that chain alone.
    weight = place_weights(reads, Placements(part.alignment, part.chain, np.ones(len(own)), part.text))
    return _Pool(len(group), seen, weight, label, (label >= 0).astype(float))


def _own_loop(drafts: Sequence[Draft], group: Sequence[int], chain: int) -> tuple[int, int]:
    """Start and stop of what a chain has in its CDR3 and no other one of the group."""
    start, stop = drafts[chain].cdr3()
    loop = drafts[chain].tokens[start:stop]
    ahead = behind = 0
    for other in group:
        if other != chain:
            rival = drafts[other].tokens[slice(*drafts[other].cdr3())]
            ahead = max(ahead, _alike(loop, rival))
            behind = max(behind, _alike(loop[::-1], rival[::-1]))
    return start + ahead, stop - behind


def _alike(one: np.ndarray, other: np.ndarray) -> int:
    """Residues with which both begin."""
    n = min(len(one), len(other))
    differ = np.flatnonzero(one[:n] != other[:n])
    return int(differ[0]) if len(differ) else n


def _two_residues(
    pool: _Pool, drafts: Sequence[Draft], columns: range
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield columns at which reads show two residues, with both, the commoner first."""
    for column in columns:
        if column in HELD:
            continue
        seen = pool.seen[:, column]
        shown = seen < N_RESIDUES
        weight = np.bincount(seen[shown], pool.weight[shown], N_RESIDUES)
        first, second = (int(x) for x in np.argsort(-weight, kind="stable")[:2])
        own = {int(d.tokens[d.find(column)]) for d in drafts if d.find(column) >= 0}
        known = len(own) > 1 and {first, second} == own and weight[second] > 0
        enough = (
            weight[second] >= LEAST_WEIGHT
            and weight[second] >= LEAST_SHARE * (weight[first] + weight[second])
            and int((seen == second).sum()) >= LEAST_READS
        )
        if (known or enough) and {first, second} not in _AMIDES:
            yield column, (first, second)


def _seconds(
    pool: _Pool,
    column: int,
    pair: tuple[int, int],
    ways: Sequence[tuple[int, ...]],
    shares: np.ndarray | None,
) -> np.ndarray:
    """(chains,) probabilities that each chain has the second residue of a pair.

    ways: for each chain 0 or 1, which of the two it has; shares (chains,): of the reads, None to
    leave abundance out.
    """
    seen, each = pool.seen[:, column], range(pool.n)
    told = (pool.label >= 0) & np.isin(seen, pair)
    count = np.array(
        [
            [pool.weight[(pool.label == h) & (seen == residue)].sum() for residue in pair]
            for h in (*each, -1)
        ]
    )
    every = count.sum(0)
    if pool.weight[told].sum() < LEAST_WEIGHT:
        posterior = _posterior(ways, np.zeros((pool.n, 2)), every, shares)
    else:
        trust = float(np.average(pool.trust[told], weights=pool.weight[told]))
        # If they are not of the chains that they are believed to be of, they are of others.
        right, wrong = (
            _posterior(ways, np.roll(count[:-1], by, axis=0), every, None) for by in (0, 1)
        )
        posterior = trust * right + (1 - trust) * wrong
    found: np.ndarray = posterior @ np.array(ways, dtype=float)
    return found


def _posterior(
    ways: Sequence[tuple[int, ...]],
    told: np.ndarray,
    every: np.ndarray,
    shares: np.ndarray | None,
) -> np.ndarray:
    """(ways,) probabilities by reads of known chains, or by the shares of the chains.

    told (chains, 2): weight of the reads of each chain that show the first and the second residue;
    every (2,): of all reads.
    """
    nats = []
    for way in ways:
        has = np.array(way)
        if not has.any():
            wrong = _log_beta_binomial(float(every[1]), float(every.sum()), *_ERRORS)
            nats.append(np.log(ONE_RESIDUE) + wrong)
            continue
        wrong = float(told[np.arange(len(has)), 1 - has].sum())
        value = np.log((1 - ONE_RESIDUE) / (len(ways) - 1))
        value += _log_beta_binomial(wrong, float(told.sum()), *_ERRORS)
        if shares is not None:
            share = _SPREAD * float(shares[has == 1].sum())
            value += _log_beta_binomial(float(every[1]), float(every.sum()), share, _SPREAD - share)
        nats.append(value)
    odds = np.exp(np.array(nats) - max(nats))
    posterior: np.ndarray = odds / odds.sum()
    return posterior


def _log_beta_binomial(some: float, every: float, alpha: float, beta: float) -> float:
    """Nats of a number of reads of a kind among all, if their share is beta distributed."""
    now = lgamma(some + alpha) + lgamma(every - some + beta) - lgamma(every + alpha + beta)
    return now - lgamma(alpha) - lgamma(beta) + lgamma(alpha + beta)


def _tell(pool: _Pool, column: int, pair: tuple[int, int], second: np.ndarray) -> None:
    """Note whose the reads of a place are that only one chain can have."""
    for residue, has in zip(pair, (1 - second, second), strict=True):
        owners = np.flatnonzero(has > 0.5)
        if len(owners) != 1 or has[owners[0]] < TELLING:
            continue
        mine = (pool.label < 0) & (pool.seen[:, column] == residue)
        pool.label[mine] = owners[0]
        pool.trust[mine] = has[owners[0]]
