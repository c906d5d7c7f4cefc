"""Chains beside the first ones: a second antibody, a carry-over, or the many of a serum.

Reads that no chain explains are asked which V segments they hold. A V segment that they hold in
part is the start of another chain; a serum offers more and more of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.antibody.germlines import v_segments
from lacuna.antibody.imgt import CDR_COLUMNS
from lacuna.placing.align import MIN_SCORE
from lacuna.placing.consensus import votes
from lacuna.placing.draft import Draft, draft_of
from lacuna.placing.placement import Laid
from lacuna.placing.readset import ReadSet
from lacuna.placing.seeds import word_weights
from lacuna.placing.segments import WORD, Locus, best_of_loci, score_segments

ANOTHER_WORDS = 14.0  # words of a V segment in reads that no chain explains
MAX_OF_LOCUS = 4  # chains of a locus; a sample that offers more is a serum
MIXED = 0.25  # share of the reads on a position that show another residue than most
MIXED_POSITIONS = 0.12  # share of read positions of CDRs that are mixed, in a serum
DEEP = 4.0  # weight of reads on a position that is asked


@dataclass(frozen=True, slots=True)
class Population:
    """A chain, how much of all reads it has, and how mixed its CDRs are (0 to 1)."""

    name: str
    share: float
    mixed: float


def further_drafts(
    reads: ReadSet, laid: Laid, drafts: Sequence[Draft], species: str, use: np.ndarray
) -> list[Draft]:
    """Germline chains of V segments that reads hold which lie on no chain yet."""
    left = np.flatnonzero(laid.best(len(reads)) < MIN_SCORE)
    scores = score_segments(word_weights(reads.take(left), WORD))
    known = {_gene(d.v) for d in drafts if d.v >= 0}
    found = []
    for one in best_of_loci(scores, species, use):
        of_locus = [d for d in drafts if d.locus == one.locus]
        if _is_another(one, known) and len(of_locus) < MAX_OF_LOCUS:
            # Its constant region is most likely the one that is there.
            c = of_locus[0].c if of_locus else -1
            found.append(draft_of(one.locus, one.v, one.j, c))
    return found


def _is_another(one: Locus, known: set[int]) -> bool:
    return one.v_seen >= ANOTHER_WORDS and _gene(one.v) not in known


def _gene(v: int) -> int:
    return int(v_segments().gene[v])


def populations(
    reads: ReadSet, laid: Laid, names: Sequence[str], drafts: Sequence[Draft]
) -> tuple[Population, ...]:
    """How much of the reads each chain has, and how mixed it is."""
    weight = reads.count[laid.alignment.read] * laid.share
    total = max(float(weight.sum()), 1.0)
    found = []
    for i, (name, draft) in enumerate(zip(names, drafts, strict=True)):
        told = votes(reads, laid, i, len(draft), overhang=False)
        nats = np.sort(np.maximum(told.nats, 0.0), axis=1)
        asked = CDR_COLUMNS[draft.columns] & (told.depth >= DEEP)
        second = nats[:, -2] / np.maximum(nats.sum(1), 1e-9)
        mixed = float((second[asked] >= MIXED).mean()) if asked.any() else 0.0
        found.append(Population(name, float(weight[laid.chain == i].sum()) / total, mixed))
    return tuple(found)


def is_serum(found: Sequence[Population], drafts: Sequence[Draft]) -> bool:
    """Whether the chains are those of many antibodies rather than of a few."""
    loci = [d.locus for d in drafts if d.v >= 0]
    crowded = any(loci.count(locus) >= MAX_OF_LOCUS for locus in set(loci))
    mixed = [p.mixed for p, d in zip(found, drafts, strict=True) if d.v >= 0]
    return crowded or (len(mixed) > 0 and float(np.mean(mixed)) >= MIXED_POSITIONS)
