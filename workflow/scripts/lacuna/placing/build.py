"""From germline segments to chains: reads are placed, their consensus becomes the template,
and what no template covers is bridged, until nothing changes."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np

from lacuna.antibody.domain_ends import TYPICAL_CDR3
from lacuna.antibody.germlines import j_segments, v_segments
from lacuna.antibody.imgt import CONSTANT, CYS104, FR4_START, OTHER_INSERTION
from lacuna.core.alphabet import ABSENT, MISSING, N_RESIDUES, RESIDUES
from lacuna.placing.align import Alignment
from lacuna.placing.consensus import TEMPER, Votes, next_draft, residue_nats, votes
from lacuna.placing.draft import Draft, cdr3_germline, head_of, tail_of
from lacuna.placing.junction import (
    ANCHOR,
    CDR3_JOINT,
    V_JOINT,
    Beside,
    JointRule,
    Path,
    WordGraph,
    front_arms,
    into_j,
    joined,
    paths,
    read_arms,
    refined,
    touching,
    weigh_paths,
    without_overlap,
)
from lacuna.placing.memory import Memory
from lacuna.placing.modifications import carried_by_cysteine
from lacuna.placing.placement import Placements, place_on
from lacuna.placing.readset import ISOLEUCINE, ReadSet, merge_il
from lacuna.placing.segments import expressed_v
from lacuna.placing.similar import with_similar

ROUNDS = 6
SIMILAR_ROUNDS = (2, 4)  # in which unplaced reads are compared with all V segments
FIRST_BRIDGES = 1  # round from which stretches are bridged
MIN_GAIN = 12.0  # nats that reads gain by a bridge
MIN_JOINT = 1.5  # weight of reads over the thinnest joint of a bridge
OPEN_SHARE = 0.75  # of what reads gain by an open junction that a bridge must keep
MARGIN = 4.0  # nats that a stretch must be better than the one that is there
LENGTH_COST = 6.0  # nats for a stretch whose length is not that of germline
LONGER_SHARE = 0.15  # of what reads gain so far that one of another length must gain more
RESIDUE_COST = 1.0  # nats more for each residue of the difference
ARM_JOINT = 1.5  # weight of reads over each joint of an arm
ARM_COST = 1.5  # nats for each residue of an arm
WIDEST = 30  # residues of a stretch that is bridged
SHORTEST = 3  # residues of CDR3
LONGEST = {"H": 34, "K": 18, "L": 18}
INSERTED = 6  # residues that a V domain may have beside those of germline
LONGER = 4  # residues by which a stretch may differ from germline
LEAST_ROOM = 6  # unknown residues of an open CDR3, into which reads may lead
CLEAR = 1.5  # nats by which reads prefer a residue that they settle
SETTLED = 8.0  # nats from which a loop is not bridged again
REPEATED = 4  # residues of a CDR3 among which a cysteine may be Cys104 again
GERMLINE_START = 3  # residues behind Cys104 by which reads are told to be of a V segment
LIKE_START = 2  # of these that reads must have; reads of other proteins begin with C as well
GERMLINE_END = 2  # residues at the end of a CDR3 that are those of germline, and join it to V or J
OPEN = 3  # unknown residues that stand for an open stretch
BETTER_V = 2.0  # nats by which another V segment must be better
CYSTEINE = RESIDUES.index("C")
V_CAP = 4.0  # nats that a position may count when V is chosen again


def build(
    reads: ReadSet,
    drafts: Sequence[Draft],
    fixed: Sequence[Draft],
    use: np.ndarray,
    rounds: int = ROUNDS,
    *,
    bridges: bool = True,
) -> tuple[ReadSet, list[Draft], Placements]:
    """Reads with what C carries, chains after reads and templates agree, and where all reads lie.

    drafts: chains of germline segments; fixed: proteins that reads do not change (contaminants);
    bridges: whether stretches that no template covers are bridged.
    """
    if not drafts:
        return reads, [], place_on(reads, fixed)
    graph = WordGraph(reads)
    tried: set[bytes] = set()
    current = list(drafts)
    placements = place_on(reads, [*current, *fixed])
    reads = replace(reads, cysteine=carried_by_cysteine(reads, placements))
    memory = Memory.of(reads)
    placements = place_on(reads, [*current, *fixed], memory=memory)
    for number in range(rounds):
        before = current
        found = [votes(reads, placements, i, len(d), overhang=True) for i, d in enumerate(current)]
        current = [
            with_lengths(next_draft(choose_v(d, v, use), v), v) if d.v >= 0 else d
            for d, v in zip(current, found, strict=True)
        ]
        placements = _again(memory, current, fixed, before, placements)
        if bridges and number in SIMILAR_ROUNDS:
            depths = [
                votes(reads, placements, i, len(d), overhang=False).depth
                for i, d in enumerate(current)
            ]
            settled = current
            current = with_similar(reads, current, depths, placements.best(len(reads)))
            placements = _again(memory, current, fixed, settled, placements)
        if bridges and number >= FIRST_BRIDGES:
            settled = current
            current = bridge_all(memory, current, fixed, graph, placements, tried)
            placements = _again(memory, current, fixed, settled, placements)
        if _same(current, before) and (number >= SIMILAR_ROUNDS[0] or not bridges):
            break
    settled = current
    current = [of_usual_length(d) for d in current]
    return reads, current, _again(memory, current, fixed, settled, placements)


def of_usual_length(draft: Draft) -> Draft:
    """The draft whose open CDR3 is as long as most are, not as long as reads might have needed."""
    start, stop = draft.cdr3()
    unknown = np.flatnonzero(draft.tokens[start:stop] >= MISSING)
    more = min(stop - start - TYPICAL_CDR3.get(draft.locus, 0), len(unknown) - 1)
    if draft.bridged or draft.j < 0 or more <= 0:
        return draft
    return draft.with_cdr3(np.delete(draft.tokens[start:stop], unknown[:more]))


def _same(one: Sequence[Draft], other: Sequence[Draft]) -> bool:
    return all(np.array_equal(a.tokens, b.tokens) for a, b in zip(one, other, strict=True))


def _again(
    memory: Memory,
    drafts: Sequence[Draft],
    fixed: Sequence[Draft],
    before: Sequence[Draft],
    placements: Placements,
) -> Placements:
    """Reads on drafts; `placements` if these are as they were before."""
    if _same(drafts, before):
        return placements
    return place_on(memory.reads, [*drafts, *fixed], memory=memory)


def choose_v(draft: Draft, found: Votes, use: np.ndarray) -> Draft:
    """The draft on the V segment of its locus that reads like best; its residues are kept."""
    segments = v_segments()
    own = np.flatnonzero((segments.locus == segments.locus[draft.v]) & expressed_v())
    inside = np.flatnonzero((draft.columns >= 1) & (draft.columns <= CYS104))
    nats = np.clip(TEMPER * (found.nats - found.nats.max(1, keepdims=True)), -V_CAP, 0.0)[inside]
    rows = merge_il(segments.tokens[own][:, draft.columns[inside]])  # (segments, positions)
    known = rows < N_RESIDUES
    index = np.minimum(rows, N_RESIDUES - 1).astype(int)
    value = np.where(known, nats[np.arange(len(inside)), index], -V_CAP)
    # A column that the segment fills and the draft does not have costs as much.
    every = (segments.tokens[own][:, : CYS104 + 1] != ABSENT).sum(1)
    score = value.sum(1) - V_CAP * np.maximum(every - known.sum(1), 0) + use[own]
    best = int(own[np.argmax(score)])
    if score.max() < score[own == draft.v].max(initial=-np.inf) + BETTER_V:
        best = draft.v
    if best == draft.v or draft.j < 0:  # the user's own chains stay templates
        return replace(draft, v=best)
    germline = draft.germline.copy()
    row = segments.tokens[best]
    new = row[draft.columns[inside]]
    germline[inside] = np.where(new < N_RESIDUES, new, ABSENT)
    start, stop = draft.cdr3()
    if 0 < start <= stop:
        germline[start:stop] = cdr3_germline(best, draft.j, stop - start)
    return replace(draft, v=best, germline=germline)


def with_lengths(draft: Draft, found: Votes) -> Draft:
    """The draft with the insertions and without the residues that most reads agree on."""
    edits: list[tuple[int, int, tuple[int, ...]]] = []
    room = INSERTED - int((draft.columns == OTHER_INSERTION).sum())
    for place, ways in found.inserted.items():
        residues, weight = max(ways.items(), key=lambda item: (item[1], item[0]))
        if not 0 < place < len(draft) or len(residues) > room:
            continue
        if sum(ways.values()) > found.passed[place] and weight >= 2.0:
            edits.append((place, place, residues))
            room -= len(residues)
    gone = (found.deleted > np.maximum(found.depth - found.deleted, 0.0)) & (found.deleted >= 2.0)
    gone &= ~draft.held
    edits += [(p, p + 1, ()) for p in np.flatnonzero(gone).tolist()]
    for start, stop, residues in sorted(edits, reverse=True):
        column = draft.columns[max(start - 1, 0)]
        code = column if column > 128 else OTHER_INSERTION
        draft = draft.spliced(
            start, stop, np.array(residues, np.uint8), np.full(len(residues), code, np.uint8)
        )
    return draft


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
        placements = _again(memory, current, fixed, settled, placements)
        settled = list(current)
        best = placements.best(len(reads))
        margin = _margins(votes(reads, placements, i, len(before), overhang=True), before)
        on_chain = placements.of(i).alignment
        others = [d for j, d in enumerate(current) if j != i]

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
                fronts = _own_fronts(weighed, draft, others)
                draft = _with_junction(weighed, draft, span, graph, inside >= CLEAR, arms, fronts)
                draft = _with_cysteine(memory, weighed, current, fixed, i, draft)
                draft = _with_end_of_fr3(memory, weighed, current, fixed, i, draft, arms)
                _remember(tried, key, draft, before)
        # From the end on, so that positions before a stretch stay what they are.
        for span in reversed(_weak_windows(before, margin)):
            key, now = _key(draft, span), draft
            if key not in tried:
                weighed = beside(draft, span, V_JOINT)
                draft = _with_loop(weighed, draft, span, graph)
                if draft is not now and _is_of_another(
                    *(memory, weighed, current, fixed, i, now, draft, span)
                ):
                    draft = now
                _remember(tried, key, draft, now)
        current[i] = draft
    return exchanged(memory, current, fixed, _again(memory, current, fixed, settled, placements))


def _with_cysteine(
    memory: Memory,
    beside: Beside,
    drafts: Sequence[Draft],
    fixed: Sequence[Draft],
    chain: int,
    draft: Draft,
) -> Draft:
    """The draft whose CDR3 does not repeat the end of FR3, if reads like it better.

    Where reads have another residue than germline right in front of Cys104, what they show does not
    fit behind it, and the junction would begin with those residues and a second cysteine.
    """
    start, stop = draft.cdr3()
    repeated = np.flatnonzero(draft.tokens[start : start + REPEATED] == CYSTEINE)
    if not draft.bridged or not len(repeated) or stop - start - repeated[0] - 1 < SHORTEST:
        return draft
    n = int(repeated[0]) + 1
    tokens = draft.tokens.copy()
    tokens[start - n : start] = draft.tokens[start : start + n]
    without = draft.with_tokens(tokens).with_cdr3(draft.tokens[start + n : stop])
    rows = touching(beside, [draft.tokens[start:stop]])
    return without if _gain(memory, drafts, fixed, chain, (draft, without), rows) > 0 else draft


def _with_end_of_fr3(
    memory: Memory,
    beside: Beside,
    drafts: Sequence[Draft],
    fixed: Sequence[Draft],
    chain: int,
    draft: Draft,
    arms: Sequence[np.ndarray],
) -> Draft:
    """The draft with the residues in front of Cys104 that the reads of its CDR3 have there, if
    reads like it better.

    Where another chain has the germline's residues, its reads would outvote a mutation.
    """
    start, stop = draft.cdr3()
    if not draft.bridged:
        return draft
    whole = draft.tokens[start - 1 : stop]  # with Cys104
    for arm in arms:
        n = len(arm) - len(whole)
        if not 0 < n < start or not np.array_equal(arm[n:], whole):
            continue
        tokens = draft.tokens.copy()
        tokens[start - 1 - n : start - 1] = arm[:n]
        changed = draft.with_tokens(np.where(draft.held, draft.tokens, tokens))
        if np.array_equal(changed.tokens, draft.tokens):
            continue
        rows = touching(beside, [whole[1:]])
        if _gain(memory, drafts, fixed, chain, (draft, changed), rows) > MARGIN:
            return changed
    return draft


def _gain(
    memory: Memory,
    drafts: Sequence[Draft],
    fixed: Sequence[Draft],
    chain: int,
    of: tuple[Draft, Draft],
    rows: np.ndarray,
) -> float:
    """Nats of some reads that a chain gains by the second of two drafts over the first."""
    now, then = (
        _explained(memory, [*drafts[:chain], draft, *drafts[chain + 1 :], *fixed], rows)
        for draft in of
    )
    return then - now


def _explained(memory: Memory, drafts: Sequence[Draft], rows: np.ndarray) -> float:
    """Nats of some reads on the chains that they fit best."""
    best = place_on(memory.reads, drafts, rows, memory).best(len(memory.reads))
    return float(best @ memory.reads.weight)


def _is_of_another(
    memory: Memory,
    beside: Beside,
    drafts: Sequence[Draft],
    fixed: Sequence[Draft],
    chain: int,
    before: Draft,
    after: Draft,
    span: tuple[int, int],
) -> bool:
    """Whether the stretch that a chain got explains reads better in another chain of its locus."""
    new = after.tokens[span[0] : span[1] + len(after) - len(before)]
    first, last = before.columns[span[0]], before.columns[span[1] - 1]
    rows = touching(beside, [new, before.tokens[span[0] : span[1]]])
    own = None
    for i, other in enumerate(drafts):
        start, stop = other.find(first), other.find(last) + 1
        if i == chain or other.locus != before.locus or not 0 <= start < stop:
            continue
        changed = list(drafts)
        changed[chain], changed[i] = before, resized(other, start, stop, new)
        if own is None:
            mine = [*drafts[:chain], after, *drafts[chain + 1 :], *fixed]
            own = _explained(memory, mine, rows)
        if _explained(memory, [*changed, *fixed], rows) > own + MARGIN:
            return True
    return False


def exchanged(
    memory: Memory, drafts: Sequence[Draft], fixed: Sequence[Draft], placements: Placements
) -> list[Draft]:
    """Drafts whose CDR3 and J are with the V segments that reads over both link them to.

    The V segments of a locus end alike, so that the CDR3 of either chain fits both.
    """
    current = list(drafts)
    chains = [i for i, d in enumerate(drafts) if d.v >= 0 and d.bridged]
    for one, other in combinations(chains, 2):
        a, b = current[one], current[other]
        if a.locus != b.locus:
            continue
        rows = np.unique(
            np.concatenate([_over_cdr3(placements, i, drafts[i]) for i in (one, other)])
        )
        swapped = list(current)
        swapped[one], swapped[other] = _with_end_of(a, b), _with_end_of(b, a)
        now, then = (_explained(memory, [*d, *fixed], rows) for d in (current, swapped))
        if then > now + MARGIN:
            current = swapped
    return current


def _with_end_of(draft: Draft, other: Draft) -> Draft:
    """The draft with CDR3 and FR4 of another one of its locus."""
    (start, stop), (first, last) = _end(draft), _end(other)
    germline = other.germline[first:last].copy()
    length = other.cdr3()[1] - first
    germline[:length] = cdr3_germline(draft.v, other.j, length)
    tokens, columns = other.tokens[first:last], other.columns[first:last]
    return replace(draft.spliced(start, stop, tokens, columns, germline), j=other.j)


def _end(draft: Draft) -> tuple[int, int]:
    """Start and stop of CDR3 and FR4."""
    constant = draft.find(CONSTANT)
    return draft.cdr3()[0], constant if constant >= 0 else len(draft)


def _over_cdr3(placements: Placements, chain: int, draft: Draft) -> np.ndarray:
    """Reads that lie on the CDR3 of a chain."""
    own = placements.of(chain)
    span = own.alignment.span - own.text.start[chain]
    start, stop = draft.cdr3()
    return own.alignment.read[(span[:, 0] < stop) & (span[:, 1] > start)]


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


def _with_junction(
    beside: Beside,
    draft: Draft,
    span: tuple[int, int],
    graph: WordGraph,
    clear: np.ndarray,
    arms: Sequence[np.ndarray],
    fronts: Sequence[np.ndarray],
) -> Draft:
    """The draft with the CDR3 that reads like best, open where nothing joins it.

    clear (residues of the CDR3,): whether reads settle each of them; arms: how reads that lie
    behind it go on in front; fronts: how those that begin at its start go on behind.
    """
    present = draft.tokens[span[0] : span[1]]
    known = _open_stretch(beside, present, clear, arms)
    best = _closed(beside, draft, known, present, graph)
    if best is None:
        # Reads of another chain may begin there too, so what others join goes first.
        longer = _with_front(beside, known, fronts)
        if longer is not known:
            known, best = longer, _closed(beside, draft, longer, present, graph)
    if best is not None:
        return replace(draft.with_cdr3(best.tokens), bridged=True)
    ahead, back = _arms_of(known)
    whole = into_j(ahead, merge_il(head_of(draft.j)))
    if whole is not None and np.array_equal(whole[len(whole) - len(back) :], back):
        return replace(draft.with_cdr3(whole), bridged=True)
    ahead = without_overlap(ahead, back)
    more = max(TYPICAL_CDR3[draft.locus] - len(ahead) - len(back), LEAST_ROOM)
    opened = np.concatenate((ahead, np.full(more, MISSING, np.uint8), back))
    return replace(draft.with_cdr3(opened), bridged=False)


def _open_stretch(
    beside: Beside, present: np.ndarray, clear: np.ndarray, arms: Sequence[np.ndarray]
) -> np.ndarray:
    """The residues on both sides of what is not known of a CDR3, as reads like them best."""
    known = np.full(OPEN, MISSING, np.uint8)
    doubtful = np.flatnonzero(~clear)
    if not len(doubtful):
        return known
    ahead, back = present[: doubtful[0]], present[doubtful[-1] + 1 :]
    trials = weigh_paths(beside, [np.concatenate((ahead, known, arm)) for arm in (back, *arms)])
    best_arm = max(trials, key=lambda p: (p.gain - ARM_COST * len(p.tokens), p.tokens.tolist()))
    return _supported(refined(beside, best_arm))


def _arms_of(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The residues in front of and behind what is not known."""
    unknown = np.flatnonzero(known >= MISSING)
    return known[: unknown[0]], known[unknown[-1] + 1 :]


def _closed(
    beside: Beside, draft: Draft, known: np.ndarray, present: np.ndarray, graph: WordGraph
) -> Path | None:
    """The CDR3 without a gap that reads like best, None if they do not join its residues.

    known: the CDR3 with a gap; present: as it is.
    """
    ahead, back = _arms_of(known)
    suffixes = [back[n:] for n in range(1, len(back))]
    longest = LONGEST[draft.locus]
    stretches = [s for s in (*joined(ahead, back), *suffixes, present) if (s < MISSING).all()]
    stretches += paths(graph, beside.left, beside.right, SHORTEST, longest)
    stretches = [s for s in stretches if SHORTEST <= len(s) <= longest and not _holds_fr4(s)]
    every = list({s.tobytes(): s for s in (known, *stretches)}.values())
    weighed = weigh_paths(beside, every)
    open_gain = next(p.gain for p in weighed if np.array_equal(p.tokens, known))
    closed = [p for p in weighed if (p.tokens < MISSING).all() and _is_joined(p, draft)]
    if not closed or closed[0].gain < max(MIN_GAIN, OPEN_SHARE * open_gain):
        return None
    best = closed[0]
    now = next((p for p in closed if np.array_equal(p.tokens, present)), None)
    if now is not None and now.gain > best.gain - MARGIN:
        best = now
    return refined(beside, best, longest=longest)


def _own_fronts(beside: Beside, draft: Draft, others: Sequence[Draft]) -> list[np.ndarray]:
    """How reads go on that begin at the start of a CDR3 and are more like the V segment of this
    chain there than like that of another locus."""
    rivals = [d.v for d in others if d.v >= 0 and d.locus != draft.locus]

    def like(arm: np.ndarray, v: int) -> int:
        n = min(GERMLINE_START, len(arm), len(tail_of(v)))
        return int((arm[:n] == merge_il(tail_of(v)[:n])).sum())

    return [
        arm
        for arm in front_arms(beside.reads, beside.left, beside.elsewhere)
        if like(arm, draft.v) >= LIKE_START
        and like(arm, draft.v) > max((like(arm, v) for v in rivals), default=0)
    ]


def _with_front(beside: Beside, known: np.ndarray, fronts: Sequence[np.ndarray]) -> np.ndarray:
    """An open stretch with the beginning that reads like best, as far as they tell it."""
    ahead = int(np.flatnonzero(known >= MISSING)[0])
    trials = weigh_paths(beside, [known, *(np.concatenate((a, known[ahead:])) for a in fronts)])
    best = max(trials, key=lambda p: (p.gain - ARM_COST * len(p.tokens), p.tokens.tolist()))
    stop = int(np.flatnonzero(best.tokens >= MISSING)[0])
    thin = np.flatnonzero(best.joints[1:stop] < ARM_JOINT)
    kept = int(thin[0]) + 1 if len(thin) else stop
    if kept <= ahead:
        return known
    return np.concatenate((best.tokens[:kept], best.tokens[stop:]))


def _is_joined(path: Path, draft: Draft) -> bool:
    """Whether reads are over every joint of a CDR3; germline joins its ends to V and J as well."""
    tail, head = merge_il(tail_of(draft.v)), merge_il(head_of(draft.j))
    n = GERMLINE_END
    first = int(len(tail) >= n and np.array_equal(path.tokens[:n], tail[:n]))
    last = int(len(head) >= n and np.array_equal(path.tokens[-n:], head[-n:]))
    return float(path.joints[first : len(path.joints) - last].min()) >= MIN_JOINT


@cache
def _fr4_heads() -> frozenset[bytes]:
    """The first residues of FR4 of all J segments."""
    heads = merge_il(j_segments().tokens[:, FR4_START : FR4_START + ANCHOR])
    return frozenset(row.tobytes() for row in heads)


def _holds_fr4(stretch: np.ndarray) -> bool:
    """Whether a CDR3 goes on into an FR4, and from there to the end of its own."""
    runs = (stretch[i : i + ANCHOR].tobytes() for i in range(len(stretch) - ANCHOR + 1))
    return not _fr4_heads().isdisjoint(runs)


def _supported(path: Path) -> np.ndarray:
    """An open stretch without the residues in front of its right arm that too few reads cover."""
    unknown = np.flatnonzero(path.tokens >= MISSING)
    first = unknown[-1] + 1
    thin = np.flatnonzero(path.joints[first + 1 :] < ARM_JOINT)
    if len(thin):
        first += int(thin[-1]) + 1
    return np.concatenate((path.tokens[: unknown[-1] + 1], path.tokens[first:]))


def _with_loop(beside: Beside, draft: Draft, span: tuple[int, int], graph: WordGraph) -> Draft:
    """The draft with the stretch that reads like best."""
    start, stop = span
    present = draft.tokens[start:stop]
    usual = int((draft.germline[start:stop] < MISSING).sum())
    found = paths(graph, beside.left, beside.right, max(usual - LONGER, 1), usual + LONGER)
    if not any(np.array_equal(present, s) for s in found):
        found.append(present)
    weighed = weigh_paths(beside, found)

    now = next(p for p in weighed if np.array_equal(p.tokens, present))
    good = [p for p in weighed if p.thinnest >= MIN_JOINT]
    best = now
    for path in good:  # the best first; of the usual length before others
        if len(path.tokens) == usual and path.gain >= best.gain + MARGIN:
            best = path
    for path in good:
        more = abs(len(path.tokens) - usual)
        cost = LENGTH_COST + RESIDUE_COST * more + LONGER_SHARE * best.gain
        if more and path.gain >= best.gain + max(MARGIN, cost):
            best = path
    best = refined(beside, best, usual, longest=usual + LONGER)
    if np.array_equal(best.tokens, present):
        return draft
    return resized(draft, start, stop, best.tokens)


def resized(draft: Draft, start: int, stop: int, tokens: np.ndarray) -> Draft:
    """The draft with other residues in a loop; one of another length changes in its middle."""
    columns, germline = draft.columns[start:stop], draft.germline[start:stop]
    more = len(tokens) - (stop - start)
    if more:
        half = (stop - start - max(-more, 0) + 1) // 2
        rest = stop - start - half - max(-more, 0)
        columns = np.concatenate(
            (columns[:half], np.full(max(more, 0), OTHER_INSERTION), columns[len(columns) - rest :])
        )
        germline = np.concatenate(
            (germline[:half], np.full(max(more, 0), ABSENT), germline[len(germline) - rest :])
        )
    return draft.spliced(start, stop, tokens, columns, germline.astype(np.uint8))
