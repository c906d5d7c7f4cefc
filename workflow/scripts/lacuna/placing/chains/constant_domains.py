"""Constant domains that germline has and a molecule lacks.

A Fab has no CH2 and CH3, a VHH or an scFv on an Fc no CH1. Where the proteases of a sample would
leave peptides of a domain, and no read is one of them, the domain is probably not there. One that
reads cover is there, wherever these reads begin and end.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lacuna.antibody.constant_region import constant_tokens
from lacuna.antibody.germlines import is_camelid
from lacuna.antibody.imgt import CONSTANT
from lacuna.core.runs import runs_of
from lacuna.placing.aligning.readset import running
from lacuna.placing.votes.cleavage import Cleavage, cleavage_of
from lacuna.placing.votes.consensus import votes
from lacuna.placing.votes.draft import Draft, Loose
from lacuna.placing.votes.placement import Assembly, Placements

FIRST_DOMAIN = 98  # residues of CH1 of IgG; of other classes, and of light chains, 96 to 107
LAST_DOMAIN = 90  # residues at least of what a chain may lack at its end
REACH_RESIDUES = 15  # residues by which peptides of what is beside a domain reach into it
SHORTEST, LONGEST = 8, 24  # residues of peptides that tools read well
PIECE_LENGTH = 12  # residues of a peptide where it is not known at what the proteases cut
SEEN_WEIGHT = 2.0  # weight of reads, on the average of its residues, from which a peptide is seen
# Residues on which reads lie, of a peptide that shows a domain: those of a linker may lie on a few
# that are like it (GSTSG of Whitlow's on KSTSG of CH1).
LEAST_LAIN_ON = 6
ONE_READ = 0.9  # weight over a residue on which a single read lies; the rest is for rounding
COVERED_SHARE = 0.5  # of the residues of a domain on which any read lies, from which it is there
LACKING_DOMAIN = 0.02  # of chains, that lack a domain
# Of heavy chains in a sample without a whole light chain, that lack CH1: such a chain is a VHH or
# an scFv on an Fc, or was separated from its light chain.
LACKING_ALONE = 0.5
# The same if it is of a camelid, whose heavy-chain antibodies have neither light chain nor CH1
# (Hamers-Casterman et al. 1993, 10.1038/363446a0).
LACKING_IN_CAMELIDS = 0.95
# Of the nats by which a peptide that is not seen tells that it is not there: peptides of a domain
# are lost together, as under a bond or a glycan.
LOST_TOGETHER = 0.7
# Probability of a domain below which the chain goes on without it: domains that are lost, and those
# that are not there and stay, are in tests/benchmarks/constant_domains.py.
SURELY_LACKING = 0.05
HINGE_LENGTH = 30  # residues beside a domain that is not there which may be others than in germline
AS_IN_GERMLINE = 0.5  # probability that they are not, if reads do not show it


def without_unread(assembly: Assembly) -> list[Draft]:
    """The drafts without the constant domains that are almost certainly not there."""
    found = []
    for draft, unread in zip(assembly.drafts, _unread(assembly), strict=True):
        for one in reversed(unread):
            if one.probability < SURELY_LACKING:
                empty = np.empty(0, np.uint8)
                draft = draft.spliced(one.start, one.stop, empty, empty)
        if draft.find(CONSTANT) < 0:
            draft = replace(draft, c=-1)
        found.append(draft)
    return found


def lacks_ch1(draft: Draft, whole: Draft) -> bool:
    """Whether a draft has some of the constant region that it had as a whole, but not its start."""
    start = draft.find(CONSTANT)
    return draft.c >= 0 and len(draft) < len(whole) and not begins(draft, start)


def with_doubts(assembly: Assembly) -> list[Draft]:
    """The drafts with the constant domains that may not be there, and what no read shows beside one
    that was left out, among what is `loose`."""
    found = []
    placements = assembly.placements
    pairs = zip(assembly.drafts, _unread(assembly), strict=True)
    for i, (draft, lacking) in enumerate(pairs):
        loose = [*draft.loose, *lacking]
        start = draft.find(CONSTANT)
        if draft.c >= 0 and start >= 0 and not lacking:
            if not begins(draft, start):
                joint = _unjoined(placements.of(i), start, len(draft))
                loose += [Loose(*joint, AS_IN_GERMLINE)] if joint else []
            if not _ends(draft):
                unshown = _unshown_end(placements.of(i), start, len(draft))
                loose += [Loose(*unshown, AS_IN_GERMLINE)] if unshown else []
        found.append(replace(draft, loose=tuple(loose)))
    return found


def begins(draft: Draft, start: int) -> bool:
    """Whether the constant region of a draft begins with the first residues of its gene."""
    first = constant_tokens()[draft.c][:SHORTEST]
    return np.array_equal(draft.germline[start : start + SHORTEST], first)


def _ends(draft: Draft) -> bool:
    """Whether the constant region of a draft ends with the last residues of its gene."""
    return np.array_equal(draft.germline[-SHORTEST:], constant_tokens()[draft.c][-SHORTEST:])


def _unshown_end(own: Placements, first: int, length: int) -> tuple[int, int] | None:
    """The residues behind the last read of a constant region that begins at `first`, if there are
    any: a Fab may end in front of them, within a peptide of which reads show the beginning."""
    stop = int(own.alignment.span[:, 1].max(initial=0))
    return (stop, length) if first < stop < length else None


def _unjoined(own: Placements, at: int, length: int) -> tuple[int, int] | None:
    """The residues from `at` on to the last one of a hinge that no read shows, or those beside `at`
    if no read lies on both of them; None if reads show all and join them."""
    span = own.alignment.span
    place = np.arange(at, min(at + HINGE_LENGTH, length))
    covered = own.alignment.covers(place).any(0)
    if not covered.all():
        return at, at + int(np.flatnonzero(~covered)[-1]) + 1
    joined = bool(((span[:, 0] < at) & (span[:, 1] > at)).any())
    return None if joined else (at - 1, at + 1)


def _unread(assembly: Assembly) -> list[list[Loose]]:
    """For each draft the constant domains that no read shows, and how probably they are there."""
    reads, drafts, placements = assembly.reads, assembly.drafts, assembly.placements
    cleavage = cleavage_of(reads, placements)
    depths = [votes(reads, placements, i).depth for i in range(len(drafts))]
    pieces = [_pieces(d.tokens, cleavage) for d in drafts]
    seen = [_seen(depth, own) for depth, own in zip(depths, pieces, strict=True)]
    with_light = _with_light(drafts, depths)
    missed = sum(int((~one).sum()) for one in seen)
    total = sum(map(len, seen))
    found: list[list[Loose]] = []
    for draft, depth, own, shown in zip(drafts, depths, pieces, seen, strict=True):
        found.append([])
        first = draft.find(CONSTANT)
        if draft.c < 0 or first < 0:
            continue
        under = np.diff(running(depth >= ONE_READ)[own])[:, 0] >= LEAST_LAIN_ON
        read = np.concatenate([own[shown & under], _stretches(first, depth)])
        for start, stop in _domains(first, depth, read):
            if _covered(depth[start:stop]):
                continue
            n = int(((own[:, 0] >= start) & (own[:, 1] <= stop) & ~shown).sum())
            nats = LOST_TOGETHER * n * -np.log((missed - n + 1) / (total - n + 2))
            lacking = _lacking_ch1(draft, with_light) if start == first else LACKING_DOMAIN
            odds = (1 - lacking) / lacking * np.exp(-nats)
            if (start, stop) == (first, len(depth)) and not len(_stretches(first, depth, ONE_READ)):
                odds = 0.0  # its words in reads are of something else
            if n or not odds:
                found[-1].append(Loose(start, stop, float(odds / (1 + odds))))
    return found


def _with_light(drafts: Sequence[Draft], depths: Sequence[np.ndarray]) -> bool:
    """Whether any draft is a light chain of whose constant region reads show a peptide; depths: of
    reads over the residues of each."""
    starts = [draft.find(CONSTANT) if draft.locus != "H" else -1 for draft in drafts]
    pairs = zip(starts, depths, strict=True)
    return any(start >= 0 and len(_stretches(start, depth, ONE_READ)) > 0 for start, depth in pairs)


def _lacking_ch1(draft: Draft, with_light: bool) -> float:
    """Of chains like a draft, how many lack their first constant domain; with_light: whether the
    sample has a whole light chain."""
    if with_light or draft.locus != "H" or draft.v < 0:
        return LACKING_DOMAIN
    return LACKING_IN_CAMELIDS if is_camelid(draft.v) else LACKING_ALONE


def _domains(first: int, depth: np.ndarray, shown: np.ndarray) -> list[tuple[int, int]]:
    """The stretches of whole domains that no read shows, of a constant region that begins at
    `first`.

    depth (t,): weight of reads over each residue; shown (n, 2): starts and stops of what reads
    show, of which nothing counts that only reaches into a domain.
    """
    shown = shown[shown[:, 1] > first + REACH_RESIDUES]
    if not len(shown):
        return [(first, len(depth))]
    found = []
    end = first + FIRST_DOMAIN
    if shown[:, 0].min() >= end - REACH_RESIDUES:
        read = depth[end - REACH_RESIDUES : end] >= SEEN_WEIGHT
        found.append((first, end - REACH_RESIDUES + int(np.argmax(read)) if read.any() else end))
    last = max(int(shown[:, 1].max()), end)
    if len(depth) - last >= LAST_DOMAIN:
        found.append((last, len(depth)))
    return found


def _stretches(first: int, depth: np.ndarray, least: float = SEEN_WEIGHT) -> np.ndarray:
    """(n, 2) starts and stops of what reads show of a constant region that begins at `first`,
    whether or not proteases are known to cut there: longer than peptides reach into a domain.

    depth (t,): weight of reads over each residue; least: of what they show.
    """
    edges = first + np.array(runs_of(depth[first:] >= least), dtype=int).reshape(-1, 2)
    return edges[edges[:, 1] - edges[:, 0] > REACH_RESIDUES]


def _covered(depth: np.ndarray) -> bool:
    """Whether reads, however few, lie on enough residues of any domain of a stretch; depth (t,):
    weight of reads over each residue."""
    size = min(LAST_DOMAIN, len(depth))
    under = running(depth >= ONE_READ)
    return bool((under[size:] - under[:-size]).max() >= COVERED_SHARE * size)


def _pieces(tokens: np.ndarray, cleavage: Cleavage) -> np.ndarray:
    """(n, 2) starts and stops of peptides, one behind another, that tools can read."""
    n = len(tokens)
    if cleavage.behind.any() or cleavage.before.any():
        pairs = zip(tokens[:-1].tolist(), tokens[1:].tolist(), strict=True)
        cuts = [0, *(i for i, (a, b) in enumerate(pairs, 1) if cleavage.cuts(a, b)), n]
    else:
        cuts = [*range(0, n, PIECE_LENGTH), n]
    found, begin = [], 0
    for cut in cuts[1:]:
        if cut - begin > LONGEST:
            begin = cut
        elif cut - begin >= SHORTEST:
            found.append((begin, cut))
            begin = cut
    return np.array(found, dtype=int).reshape(-1, 2)


def _seen(depth: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """(n,) whether reads show peptides (n, 2) of a chain; depth (t,): weight of reads."""
    mean = np.diff(running(depth)[pieces])[:, 0] / np.diff(pieces)[:, 0]
    return np.asarray(mean >= SEEN_WEIGHT)
