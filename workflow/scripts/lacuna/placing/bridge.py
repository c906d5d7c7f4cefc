"""Weak stretches of all chains, bridged one after another by the paths that reads like best."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import MISSING, N_RESIDUES
from lacuna.placing.alignment import Alignment
from lacuna.placing.arms import read_arms
from lacuna.placing.cdr3 import own_fronts, with_junction
from lacuna.placing.consensus import TEMPER, Votes, residue_nats, votes
from lacuna.placing.draft import Draft
from lacuna.placing.joints import CDR3_JOINT, V_JOINT, JointRule
from lacuna.placing.junction import Beside
from lacuna.placing.loops import with_loop
from lacuna.placing.memory import Memory
from lacuna.placing.placement import Placements, place_again, place_on
from lacuna.placing.readset import ISOLEUCINE
from lacuna.placing.trials import Among, exchanged, is_of_another, with_cysteine, with_end_of_fr3
from lacuna.placing.word_paths import ANCHOR, WordGraph

WIDEST = 30  # residues of a stretch that is bridged
CLEAR = 1.5  # nats by which reads prefer a residue that they settle
SETTLED = 8.0  # nats from which a loop is not bridged again


def bridge_all(
    memory: Memory,
    drafts: Sequence[Draft],
    fixed: Sequence[Draft],
    graph: WordGraph,
    placements: Placements,
    tried: set[bytes],
) -> list[Draft]:
    """Drafts whose weak stretches are the paths that reads like best.

    placements: reads on these drafts; tried: stretches with their anchors that were left as they
    are before, which is added to.
    """
    current, settled = list(drafts), list(drafts)
    reads = memory.reads
    for i, before in enumerate(drafts):
        if before.v < 0:
            continue
        # On the chains as they are now: reads that one of them has just explained lead no other.
        placements = place_again(memory, current, fixed, settled, placements)
        settled = list(current)
        best = placements.best(len(reads))
        margin = _margins(votes(reads, placements, i, len(before), overhang=True), before)
        on_chain = placements.of(i).alignment
        others = [d for j, d in enumerate(current) if j != i]
        among = Among(memory, tuple(current), fixed, i)

        def beside(draft: Draft, span: tuple[int, int], rule: JointRule) -> Beside:
            """A stretch with the reads on it at what they are worth without it."""
            shift = len(draft) - len(before)  # noqa: B023 of stretches behind this one
            place = on_chain.span - placements.text.start[i]  # noqa: B023
            on_it = (place[:, 1] > span[0]) & (place[:, 0] < span[1] - min(shift, 0))
            rows = np.unique(on_chain.read[on_it])  # noqa: B023
            masked = draft.with_tokens(_masked(draft.tokens, *span))
            elsewhere = best.copy()  # noqa: B023
            elsewhere[rows] = 0.0
            again = place_on(reads, [masked, *others, *fixed], rows, memory).alignment  # noqa: B023
            np.maximum.at(elsewhere, again.read, again.score)
            left, right = draft.tokens[: span[0]], draft.tokens[span[1] :]
            return Beside(reads, left, right, elsewhere, rule)

        draft = before
        span = draft.cdr3()
        if ANCHOR <= span[0] <= span[1] <= len(draft) - ANCHOR:
            inside = margin[span[0] : span[1]]
            key = _key(draft, span)
            if not (draft.bridged and (inside >= SETTLED).all()) and key not in tried:
                arms = read_arms(reads, _shifted(on_chain, int(placements.text.start[i])), span[1])
                weighed = beside(draft, span, CDR3_JOINT)
                fronts = own_fronts(weighed, draft, others)
                draft = with_junction(weighed, draft, span, graph, inside >= CLEAR, arms, fronts)
                draft = with_cysteine(among, weighed, draft)
                draft = with_end_of_fr3(among, weighed, draft, arms)
                _remember(tried, key, draft, before)
        # From the end on, so that positions before a stretch stay what they are.
        for span in reversed(_weak_windows(before, margin)):
            key, now = _key(draft, span), draft
            if key not in tried:
                weighed = beside(draft, span, V_JOINT)
                draft = with_loop(weighed, draft, span, graph)
                if draft is not now and is_of_another(among, weighed, now, draft, span):
                    draft = now
                _remember(tried, key, draft, now)
        current[i] = draft
    return exchanged(
        memory, current, fixed, place_again(memory, current, fixed, settled, placements)
    )


def _key(draft: Draft, span: tuple[int, int]) -> bytes:
    """A stretch with its anchors."""
    return draft.tokens[max(span[0] - ANCHOR, 0) : span[1] + ANCHOR].tobytes()


def _remember(tried: set[bytes], key: bytes, draft: Draft, before: Draft) -> None:
    """Note a stretch that was left as it is: another trial would leave it so too."""
    if np.array_equal(draft.tokens, before.tokens):
        tried.add(key)


def _shifted(found: Alignment, start: int) -> Alignment:
    """Placements by positions of their chain, which starts at `start` of the text."""
    return replace(found, span=found.span - start, at=np.where(found.at >= 0, found.at - start, -1))


def _weak_windows(draft: Draft, margin: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of the V domain in front of CDR3 that reads leave in doubt, between anchors."""
    end = draft.cdr3()[0]
    strong = (margin[:end] >= SETTLED) | draft.held[:end]
    windows: list[tuple[int, int]] = []
    i = 0
    while i < end:
        if strong[i]:
            i += 1
            continue
        start = i
        while i < end and not strong[i : i + ANCHOR].all():
            i += 1
        if start >= ANCHOR and i + ANCHOR <= end and i - start <= WIDEST:
            windows.append((start, i))
    return windows


def _margins(found: Votes, draft: Draft) -> np.ndarray:
    """(t,) nats by which reads prefer the residue of each position to any other."""
    nats = TEMPER * residue_nats(draft, found)
    nats[:, ISOLEUCINE] = -np.inf
    known = np.minimum(draft.tokens, N_RESIDUES - 1)[:, None].astype(int)
    own = np.take_along_axis(nats, known, 1)[:, 0]
    others = nats.copy()
    np.put_along_axis(others, known, -np.inf, 1)
    return np.where(draft.tokens < N_RESIDUES, own - others.max(1), 0.0)


def _masked(tokens: np.ndarray, start: int, stop: int) -> np.ndarray:
    out = tokens.copy()
    out[start:stop] = MISSING
    return out
