"""Reads of two peptides at once: they begin at one place of the chains, and go on at another that
cannot follow it.

Peptides that a disulphide bond still joins are read so: AEDTAVYY, in front of Cys104, goes on as
AASGFNIKDTY, behind Cys23. Spectra of two precursors are, too. Where no other read lies, the second
peptide would be taken for what follows the first.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import ABSENT
from lacuna.core.runs import places_within
from lacuna.placing.aligning.readset import IN_REPEAT, ReadSet
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Placements, place_on

SHORTEST_END = 6  # residues beyond a core that are looked for elsewhere
# Nats that they must have there: a CDR3 may be like another place by chance. Parts of the reads of
# known proteins showed such reads (tests/benchmarks/fewer_reads.py).
SECOND_NATS = 14.0
FARTHEST = 30  # residues by which a chain may be longer or shorter where a read goes on


def with_one_place(reads: ReadSet, drafts: Sequence[Draft], fixed: Sequence[Draft]) -> ReadSet:
    """The reads; residues beyond the core of one are not believed if they lie at another place.

    drafts: chains without what such reads may have led to; fixed: other proteins. A read skips what
    a chain lacks (a constant domain), so that another place is one in front, or on another chain.
    """
    placements = place_on(reads, [*drafts, *fixed])
    first = placements.alignment
    beyond = np.maximum(first.core[:, 0], reads.length[first.read] - first.core[:, 1])
    rows = np.unique(first.read[beyond >= SHORTEST_END])
    tokens, written = reads.tokens.copy(), reads.written.copy()
    for read, (start, stop) in zip(first.read, first.core, strict=True):
        tokens[read, start:stop] = written[read, start:stop] = ABSENT
    others = place_on(replace(reads, tokens=tokens, written=written, least=0.0), drafts, rows)
    others = others.take(np.flatnonzero(others.alignment.score >= SECOND_NATS))
    second = others.alignment
    # Pairs of a placement and one of the rest of the read, the places sorted by reads.
    left, right = (np.searchsorted(second.read, first.read, side) for side in ("left", "right"))
    i = np.repeat(np.arange(len(first.read)), right - left)
    j = np.repeat(left, right - left) + places_within(right - left)
    jump = _under(others)[j] - _under(placements)[i]
    jump = np.where(second.core[j, 0] >= first.core[i, 0], jump, -jump)
    same = others.chain[j] == placements.chain[i]
    follows = (jump >= -FARTHEST) & (same | (jump <= FARTHEST))
    elsewhere = np.setdiff1d(second.read, first.read[i[follows]])
    believed = reads.right.copy()
    for k in np.flatnonzero(np.isin(second.read, elsewhere)):
        inside = np.s_[second.read[k], slice(*second.core[k])]
        believed[inside] = np.minimum(believed[inside], IN_REPEAT)
    return replace(reads, right=believed)


def _under(placements: Placements) -> np.ndarray:
    """(m,) place of the chain under the first residue of each read, by the start of its core."""
    a = placements.alignment
    found: np.ndarray = a.span[:, 0] - placements.text.start[placements.chain] - a.core[:, 0]
    return found
