"""Which constant region each chain has, where reads show several of a locus.

What joins a V domain to a constant region are reads over the border of the two, of which there
seldom are any, and how common both are in the reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from lacuna.antibody.constant_region import constant_tokens
from lacuna.antibody.imgt import CONSTANT
from lacuna.core.alphabet import merge_il
from lacuna.placing.aligning.seeds import known_words, word_weights
from lacuna.placing.sources.segments import WORD, species_of_c
from lacuna.placing.sources.shown_constants import blocks_of, of_other, shown_constants
from lacuna.placing.votes.consensus import next_draft, votes_for_template
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly, reads_over

COMMON_SD = 0.7  # standard deviation of the log of how common a chain is by its reads
UNFOUND_SHARE = 0.05  # share of a locus of which no V domain may have been found
JOINED_NATS = 8.0  # nats of reads over the border by which one way is better than the others
ALIKE_ERRORS = 0.5  # of these nats: errors of reads are alike
MOST_UNJOINED = 0.94  # probability at most, if nothing but abundance joins V domains to C
PREVAILING_SHARE = 0.75  # share of a constant region that is surely that of the only V domain
AHEAD_BY = 0.1  # by which the constant region that a chain gets is more probable than others
MOST_WAYS = 256  # of giving constant regions to chains, that are compared: four to four
ROUNDS = 2  # in which new constant regions follow their reads
LEAST_DOMAIN = 40  # residues at least of a constant domain that a chain lacks

Way = tuple[int, ...]  # of each chain, the number of its constant region


@dataclass(frozen=True, slots=True)
class Subclasses:
    """A locus of a species of which reads show several constant regions.

    chains: drafts of both; constants: rows of `constants()`; shares: how common each is.
    """

    chains: tuple[int, ...]
    constants: tuple[int, ...]
    shares: tuple[float, ...]


def with_subclasses(assembly: Assembly) -> tuple[Assembly, list[Subclasses]]:
    """The drafts, each with the constant region that is most probably its own, and its `rivals`;
    and the loci of which reads show several constant regions.

    All stays as it is if there is no such locus.
    """
    reads, drafts = assembly.reads, assembly.drafts
    weights = word_weights(reads, WORD)
    current, found = list(drafts), []
    # A chain of another species, as of the serum in which cells grew, has a region of its own.
    kinds = [(d.locus, species_of_c(d.c)) if d.c >= 0 else None for d in drafts]
    for kind in filter(None, dict.fromkeys(kinds)):
        chains = [i for i, own in enumerate(kinds) if own == kind]
        shown = shown_constants(weights, drafts[chains[0]].c)
        while len(shown) ** len(chains) > MOST_WAYS:
            shown.remove(min(shown, key=lambda constant: constant[1]))
        if len(shown) > 1:
            one = Subclasses(tuple(chains), *zip(*shown, strict=True))
            # Where reads lie on the V domains, and on chains of this locus, is as it was.
            current = _shared_out(replace(assembly, drafts=current), weights, one)
            found.append(one)
    if not found:
        return assembly, found
    alone = {one.chains[0] for one in found if len(one.chains) == 1}
    assembly = assembly.with_drafts(current)
    for _ in range(ROUNDS):
        current = list(assembly.drafts)
        for i, draft in enumerate(current):
            if draft.rivals and i not in alone:
                vote = votes_for_template(reads, assembly.placements, i, draft)
                inside = draft.columns == CONSTANT
                settled = next_draft(draft, vote).tokens
                current[i] = draft.with_tokens(np.where(inside, settled, draft.tokens))
        assembly = assembly.with_drafts(current)
    return assembly, found


def _shared_out(assembly: Assembly, weights: np.ndarray, found: Subclasses) -> list[Draft]:
    """The drafts with the constant regions of a locus shared out among its chains."""
    drafts, chains = assembly.drafts, found.chains
    ways = list(product(range(len(found.constants)), repeat=len(chains)))
    tried = [_with_constants(drafts, found, way) for way in ways]
    common = how_common([drafts[i] for i in chains], weights)
    by_shares = np.array([nats_of_way(way, common, found.shares) for way in ways])
    by_reads = np.zeros(len(ways))
    if len(chains) > 1:
        # Over the last residue of V and the first of C.
        borders = ((i, drafts[i].find(CONSTANT)) for i in chains)
        stretches = ((i, at - 1, at + 1) for i, at in borders)
        rows = reads_over(assembly.reads, assembly.placements, stretches)
        by_reads = np.array([assembly.nats_on(trial, rows) for trial in tried])
    best = int(np.argmax(by_shares + ALIKE_ERRORS * by_reads))
    probability = marginals(ways, by_shares + ALIKE_ERRORS * by_reads, len(found.constants))
    current = tried[best]
    for place, chain in enumerate(chains):
        own = ways[best][place]
        shares = _ahead(probability[place], own)
        if len(chains) > 1 and _is_joined(ways, by_reads, place, own):
            shares = np.eye(len(shares))[own]
        elif len(chains) > 1 or found.shares[own] < PREVAILING_SHARE:
            shares = _unsure(shares, own)
        rivals = [(c, float(p)) for c, p in zip(found.constants, shares, strict=True)]
        if shares[own] < 1.0 or len(chains) == 1:
            del rivals[own]
            current[chain] = replace(current[chain], rivals=tuple(rivals))
    return current


def _with_constants(drafts: Sequence[Draft], found: Subclasses, way: Way) -> list[Draft]:
    current = list(drafts)
    for chain, number in zip(found.chains, way, strict=True):
        current[chain] = on_constant(drafts[chain], found.constants[number])
    return current


def on_constant(draft: Draft, c: int) -> Draft:
    """The draft with the residues of a constant region of germline, of which it lacks the domains
    that it lacks now."""
    start = draft.find(CONSTANT)
    germline = constant_tokens()[c]
    kept = np.ones(len(germline), dtype=bool)
    for (i, j), (k, m) in blocks_of(draft.tokens[start:], merge_il(germline)):
        if (m - k) - (j - i) >= LEAST_DOMAIN:
            kept[k:m] = False
    germline = germline[kept]
    columns = np.full(len(germline), CONSTANT)
    changed = draft.spliced(start, len(draft), merge_il(germline), columns, germline)
    return replace(changed, c=c)


def how_common(drafts: Sequence[Draft], weights: np.ndarray) -> np.ndarray:
    """(chains,) share of each V domain among those of a locus, by the words that it alone has.

    weights (20 ** WORD,): how often reads hold each word.
    """
    own = [known_words(d.tokens[d.columns < CONSTANT], WORD) for d in drafts]
    found = np.zeros(len(drafts))
    for i, one in enumerate(own):
        others = [*own[:i], *own[i + 1 :]]
        alone = one[~np.isin(one, np.concatenate(others))] if others else one
        found[i] = weights[alone].mean() if len(alone) else 0.0
    return found / found.sum() if found.all() else np.full(len(drafts), 1.0 / len(drafts))


def nats_of_way(way: Way, common: np.ndarray, shares: Sequence[float]) -> float:
    """Log-likelihood of a way to give constant regions to chains, by how common both are.

    common (chains,): shares of V domains; shares: of constant regions.
    """
    total = np.bincount(way, common, len(shares)) + UNFOUND_SHARE
    off = np.log(total / (np.asarray(shares) + UNFOUND_SHARE))
    return float(-(off**2).sum() / (2 * COMMON_SD**2))


def marginals(ways: Sequence[Way], nats: np.ndarray, n: int) -> np.ndarray:
    """(chains, n) probability of each constant region of each chain, from those of all ways."""
    weight = np.exp(nats - nats.max())
    return np.array(
        [np.bincount(column, weight, n) / weight.sum() for column in zip(*ways, strict=True)]
    )


def _is_joined(ways: Sequence[Way], by_reads: np.ndarray, place: int, own: int) -> bool:
    """Whether reads alone tell that a chain has its own constant region."""
    mine = np.array([way[place] == own for way in ways])
    return bool(by_reads[mine].max() >= by_reads[~mine].max() + JOINED_NATS)


def _ahead(shares: np.ndarray, own: int) -> np.ndarray:
    """Probabilities of which one is the largest: residues of others never take its place."""
    least = np.delete(shares, own).max() + AHEAD_BY
    found = np.where(np.arange(len(shares)) == own, np.maximum(shares, least), shares)
    return np.asarray(found / found.sum())


def _unsure(shares: np.ndarray, own: int) -> np.ndarray:
    """Probabilities of which one is MOST_UNJOINED at most; the others share the rest evenly."""
    if shares[own] <= MOST_UNJOINED:
        return shares
    spread = np.full(len(shares), (1.0 - MOST_UNJOINED) / (len(shares) - 1))
    spread[own] = MOST_UNJOINED
    return spread


# --- what it means for single residues -----------------------------------------------------------


def of_rivals(draft: Draft) -> tuple[np.ndarray, list[tuple[np.ndarray, float]]]:
    """(t,) in which residues the constant regions that a chain may have differ; and of each rival
    the residues there (t,), I and L apart, ABSENT for none, with its probability."""
    inside = draft.columns == CONSTANT
    differ = np.zeros(len(draft), dtype=bool)
    theirs = []
    for c, probability in draft.rivals:
        residues = draft.tokens.copy()
        residues[inside] = of_other(draft.tokens[inside], constant_tokens()[c])
        differ |= merge_il(residues) != draft.tokens
        theirs.append((residues, probability))
    return differ, theirs
