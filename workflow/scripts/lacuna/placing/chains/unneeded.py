"""Chains that reads do not need: started by misread peptides, or by a part of another chain."""

from collections.abc import Sequence

from lacuna.placing.chains.contradicting import contradicting
from lacuna.placing.chains.parting import parted
from lacuna.placing.votes.draft import Draft, in_both
from lacuna.placing.votes.placement import Assembly

# Of the nats that reads have on a V domain, what they lose without it. Chains too many have 0.12
# (2489 and NB6) and 0.06 and less (two mixtures of VHHs), real ones of mixtures of natural
# antibodies 0.17 and more (tests/benchmarks/read_panel.py --mixed 2 and 3).
LOST_SHARE = 0.14
# Columns outside of CDR3 in which a chain differs from every other one of its locus. Reads lose
# little without one that differs less, even if it is there.
UNLIKE_COLUMNS = 10


def without_unneeded(assembly: Assembly) -> Assembly:
    """The drafts without those that others of their locus make up for: reads on such a V domain
    lose little without it, and no more of them contradict the others then.

    The others are parted first: one of them may lack what such a chain took from it. Of several,
    the one without which reads lose least goes first, and the rest are judged again.
    """
    drafts, unneeded = assembly.drafts, []
    for i, draft in enumerate(drafts):
        if not _is_unlike(drafts, i):
            continue
        rest = parted(assembly.with_drafts([*drafts[:i], *drafts[i + 1 :]]))
        lost = _share_lost(assembly, rest, i)
        if lost < LOST_SHARE and _contradicting(rest, draft) <= _contradicting(assembly, draft):
            unneeded.append((lost, rest))
    if not unneeded:
        return assembly
    _, rest = min(unneeded, key=lambda one: one[0])
    return without_unneeded(rest)


def _is_unlike(drafts: Sequence[Draft], chain: int) -> bool:
    """Whether there are others of the locus of a draft, and it is like none of them."""
    one = drafts[chain]
    others = [d for i, d in enumerate(drafts) if i != chain and d.locus == one.locus]
    return bool(others) and min(_differing(one, other) for other in others) >= UNLIKE_COLUMNS


def _differing(one: Draft, other: Draft) -> int:
    """In how many columns outside of CDR3 two drafts have different residues."""
    return sum(int(one.tokens[i] != other.tokens[k]) for i, k in in_both(one, other))


def _contradicting(assembly: Assembly, draft: Draft) -> int:
    """How many reads contradict the chains of the locus of a draft."""
    return len(contradicting(assembly, draft.locus).rows)


def _share_lost(assembly: Assembly, rest: Assembly, chain: int) -> float:
    """Of the nats that reads on a V domain have, the share that they lose without it (rest)."""
    reads, own = assembly.reads, assembly.placements.of(chain).alignment
    on_v = own.read[own.span[:, 0] < assembly.drafts[chain].cdr3()[1]]
    now, then = (x.placements.best(len(reads))[on_v] for x in (assembly, rest))
    weight = reads.weight[on_v]
    return float((now - then) @ weight / max(float(now @ weight), 1e-9))
