"""Weak stretches of all chains, bridged one after another by the paths that reads like best."""

from dataclasses import dataclass, replace

import numpy as np

from lacuna.core.alphabet import ISOLEUCINE, MISSING, N_RESIDUES
from lacuna.placing.aligning.joints import ANY_JOINT, CDR3_JOINT, V_JOINT, JointRule
from lacuna.placing.chains.crossing import exchanged
from lacuna.placing.chains.parting import parted
from lacuna.placing.stretches.arms import read_arms
from lacuna.placing.stretches.cdr3 import own_fronts, with_junction
from lacuna.placing.stretches.cdr3_joints import loosest_joint
from lacuna.placing.stretches.junction import LENGTH_MARGIN, Surroundings, weigh_paths
from lacuna.placing.stretches.loop_lengths import Germline, Resized, openings_of, resized_at_cut
from lacuna.placing.stretches.loops import with_loop
from lacuna.placing.stretches.meeting import closed_by_meeting
from lacuna.placing.stretches.word_paths import ANCHOR_LENGTH, WordGraph
from lacuna.placing.votes.cleavage import Cleavage, cleavage_of
from lacuna.placing.votes.consensus import ALIKE_ERRORS, Votes, residue_nats, votes_for_template
from lacuna.placing.votes.draft import Draft, Loose, Meeting
from lacuna.placing.votes.placement import Assembly, Placements, place_on

WIDEST_STRETCH = 30  # residues of a stretch that is bridged
CLEAR_NATS = 1.5  # nats by which reads prefer a residue that they settle
# That the sides of an open CDR3 meet, from which it is closed: of lengths with 0.5 to 0.7 a few are
# wrong (tests/benchmarks/read_panel.py, with one protease each).
PROBABLE_MEETING = 0.5
SETTLED_NATS = 8.0  # nats from which a loop is not bridged again


@dataclass(frozen=True, slots=True)
class _ReadChain:
    """A chain when a round comes to it, and what reads say of it.

    number: of its draft in the assembly; own: placements on it; found: votes for the next template;
    margin (t,): nats by which reads prefer the residue of each position to any other.
    """

    assembly: Assembly
    number: int
    own: Placements
    found: Votes
    margin: np.ndarray

    @classmethod
    def of(cls, assembly: Assembly, i: int) -> "_ReadChain":
        """One of the drafts, with its reads among all."""
        draft, placements = assembly.drafts[i], assembly.placements
        found = votes_for_template(assembly.reads, placements, i, draft)
        return cls(assembly, i, placements.of(i), found, _margins(found, draft))

    @property
    def draft(self) -> Draft:
        """Its draft."""
        return self.assembly.drafts[self.number]

    def around(self, draft: Draft, span: tuple[int, int], rule: JointRule) -> Surroundings:
        """What a stretch is weighed with: the reads on it have the score that they have elsewhere.

        draft: the chain, changed at most behind the stretch.
        """
        assembly, place = self.assembly, self.own.alignment.span
        shift = len(draft) - len(self.draft)
        on_it = (place[:, 1] > span[0]) & (place[:, 0] < span[1] - min(shift, 0))
        rows = np.unique(self.own.alignment.read[on_it])
        left, _, right = np.split(draft.tokens, span)
        chains = [*assembly.drafts, *assembly.fixed]
        chains[self.number] = draft.with_residues(slice(*span), MISSING)
        n = len(assembly.reads)
        elsewhere = assembly.placements.best(n)
        elsewhere[rows] = place_on(assembly.reads, chains, rows, assembly.memory).best(n)[rows]
        return Surroundings(assembly.reads, left, right, elsewhere, rule)


def bridge_all(assembly: Assembly, graph: WordGraph, tried: set[bytes]) -> Assembly:
    """The drafts with weak stretches as the paths that reads like best.

    tried: stretches with their anchors that were left as they are before, which is added to.
    """
    for i in range(len(assembly.drafts)):
        # On the chains as they are now: reads that one of them has just explained lead no other.
        chain, drafts = _ReadChain.of(assembly, i), list(assembly.drafts)
        drafts[i] = _with_loops(chain, _with_cdr3(chain, graph, tried), graph, tried)
        assembly = assembly.with_drafts(drafts)
    return parted(exchanged(assembly))


def met_at_cuts(assembly: Assembly) -> list[Draft]:
    """Drafts that are closed where two sides probably meet at a cut: open CDR3s, and places in
    front of CDR3 where they would be of another length."""
    cleavage = cleavage_of(assembly.reads, assembly.placements)
    chains = (_ReadChain.of(assembly, i) for i in range(len(assembly.drafts)))
    return [_of_lengths(chain, _met(chain, cleavage), cleavage) for chain in chains]


def _met(chain: _ReadChain, cleavage: Cleavage) -> Draft:
    """The draft of a chain, its CDR3 closed if it is open and its sides probably meet. One that is
    not surely joined is closed in another way, or its length is in doubt, if reads like another
    length better."""
    draft = chain.draft
    span = draft.cdr3()
    if not ANCHOR_LENGTH <= span[0] <= span[1] <= len(draft) - ANCHOR_LENGTH:
        return draft
    opened, joint = draft, None
    if draft.bridged:
        joint = loosest_joint(chain.assembly.reads, chain.own, draft)
        if joint is None:
            return replace(draft, meeting=None)
        opened = draft.with_residues(span[0] + max(joint - 1, 0), MISSING)
    if (opened.tokens[slice(*span)] < MISSING).all():
        return draft
    around = chain.around(opened, span, ANY_JOINT)
    met = closed_by_meeting(around, opened, chain.own, cleavage)
    if met is None:
        return draft
    tokens, present = met.trial.tokens, draft.tokens[slice(*span)]
    if joint is not None and not _is_better(around, tokens, present):
        return draft
    if met.probability >= PROBABLE_MEETING:
        return replace(draft.with_cdr3(tokens), meeting=Meeting(met.trial.at, met.probability))
    if joint is None:
        return draft
    # Not sure enough to be changed, and no longer sure as it is.
    return replace(draft, meeting=Meeting(joint, met.probability_of(len(present))))


def _is_better(around: Surroundings, tokens: np.ndarray, present: np.ndarray) -> bool:
    """Whether reads like a CDR3 of another length better than the present one."""
    gain = {p.tokens.tobytes(): p.gain for p in weigh_paths(around, [tokens, present])}
    more = gain[tokens.tobytes()] - gain[present.tobytes()]
    return len(tokens) != len(present) and more >= LENGTH_MARGIN


def _of_lengths(chain: _ReadChain, draft: Draft, cleavage: Cleavage) -> Draft:
    """The draft with the most probable length wherever no read tells it in front of CDR3.

    draft: the chain, changed at most behind that.
    """
    reads, before = chain.assembly.reads, chain.draft
    loose: list[Loose] = []
    changed = len(before)
    cuts, unread = openings_of(reads, chain.own, before)
    # From the end on, so that positions before an opening stay what they are.
    for opening in sorted((*cuts, *unread), key=lambda one: -one.start):
        germline = Germline.of(before, chain.found, opening)
        if opening in unread:
            found = Resized.untold(opening, before, germline)
        else:
            around = chain.around(before, (opening.start, opening.stop), V_JOINT)
            found = resized_at_cut(around, before, germline, chain.own, cleavage, opening)
        if found.more and opening.stop > changed:
            continue
        if found.more:
            loose = [
                replace(one, start=one.start + found.more, stop=one.stop + found.more)
                for one in loose
            ]
            draft, changed = found.put_into(draft), opening.start
        first, stop = (opening.start + at for at in found.loose)
        loose.append(Loose(first, stop, found.probability))
    return replace(draft, loose=tuple(reversed(loose)))


def _with_cdr3(chain: _ReadChain, graph: WordGraph, tried: set[bytes]) -> Draft:
    """The draft of a chain with the CDR3 that reads like best, if they leave it in doubt."""
    before = chain.draft
    span = before.cdr3()
    if not ANCHOR_LENGTH <= span[0] <= span[1] <= len(before) - ANCHOR_LENGTH:
        return before
    inside, key = chain.margin[span[0] : span[1]], _key(before, span)
    if key in tried or before.bridged and (inside >= SETTLED_NATS).all():
        return before
    arms = read_arms(chain.assembly.reads, chain.own.alignment, span[1])
    around = chain.around(before, span, CDR3_JOINT)
    fronts = own_fronts(around, before)
    draft = with_junction(around, before, graph, inside >= CLEAR_NATS, arms, fronts)
    _remember(tried, key, draft, before)
    return draft


def _with_loops(chain: _ReadChain, draft: Draft, graph: WordGraph, tried: set[bytes]) -> Draft:
    """The draft with the weak stretches in front of CDR3 as reads like them best."""
    # From the end on, so that positions before a stretch stay what they are.
    for span in reversed(_weak_windows(chain.draft, chain.margin)):
        key, before = _key(draft, span), draft
        if key in tried:
            continue
        around = chain.around(before, span, V_JOINT)
        draft = with_loop(around, before, span, graph)
        _remember(tried, key, draft, before)
    return draft


def _key(draft: Draft, span: tuple[int, int]) -> bytes:
    """A stretch with its anchors."""
    return draft.tokens[max(span[0] - ANCHOR_LENGTH, 0) : span[1] + ANCHOR_LENGTH].tobytes()


def _remember(tried: set[bytes], key: bytes, draft: Draft, before: Draft) -> None:
    """Note a stretch that was left as it is: another trial would leave it so too."""
    if np.array_equal(draft.tokens, before.tokens):
        tried.add(key)


def _weak_windows(draft: Draft, margin: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of the V domain in front of CDR3 that reads leave in doubt, between anchors."""
    end = draft.cdr3()[0]
    strong = (margin[:end] >= SETTLED_NATS) | draft.held[:end]
    windows: list[tuple[int, int]] = []
    i = 0
    while i < end:
        if strong[i]:
            i += 1
            continue
        start = i
        while i < end and not strong[i : i + ANCHOR_LENGTH].all():
            i += 1
        if start >= ANCHOR_LENGTH and i + ANCHOR_LENGTH <= end and i - start <= WIDEST_STRETCH:
            windows.append((start, i))
    return windows


def _margins(found: Votes, draft: Draft) -> np.ndarray:
    """(t,) nats by which reads prefer the residue of each position to any other."""
    nats = ALIKE_ERRORS * residue_nats(draft, found)
    nats[:, ISOLEUCINE] = -np.inf
    known = np.minimum(draft.tokens, N_RESIDUES - 1)[:, None].astype(int)
    own = np.take_along_axis(nats, known, 1)[:, 0]
    others = nats.copy()
    np.put_along_axis(others, known, -np.inf, 1)
    return np.where(draft.tokens < N_RESIDUES, own - others.max(1), 0.0)
