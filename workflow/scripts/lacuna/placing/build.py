"""From germline segments to chains: reads are placed, their consensus becomes the template,
and what no template covers is bridged, until nothing changes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lacuna.antibody.domain_ends import TYPICAL_CDR3
from lacuna.core.alphabet import MISSING
from lacuna.placing.aligning.memory import Memory
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.bridge import bridge_all, met_at_cuts
from lacuna.placing.stretches.similar import with_similar
from lacuna.placing.stretches.word_paths import WordGraph
from lacuna.placing.votes.consensus import next_draft, votes, votes_for_template
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.modifications import carried_by_cysteine
from lacuna.placing.votes.placement import (
    Placements,
    of_one_locus,
    place_again,
    place_on,
    unchanged,
)
from lacuna.placing.votes.revise import choose_v, with_lengths

ROUNDS = 6  # of placing reads and revising chains, fewer if nothing moves
SIMILAR_ROUNDS = (2, 4)  # in which unplaced reads are compared with all V segments
FIRST_BRIDGES = 1  # round from which stretches are bridged


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
        telling = of_one_locus(placements, current)
        found = [votes_for_template(reads, telling, i, d) for i, d in enumerate(current)]
        current = [
            with_lengths(next_draft(choose_v(d, v, use), v), v)
            for d, v in zip(current, found, strict=True)
        ]
        placements = place_again(memory, current, fixed, before, placements)
        if bridges and number in SIMILAR_ROUNDS:
            depths = [votes(reads, placements, i, len(d)).depth for i, d in enumerate(current)]
            settled = current
            current = with_similar(reads, current, depths, placements.best(len(reads)))
            placements = place_again(memory, current, fixed, settled, placements)
        if bridges and number >= FIRST_BRIDGES:
            settled = current
            current = bridge_all(memory, current, fixed, graph, placements, tried)
            placements = place_again(memory, current, fixed, settled, placements)
        if unchanged(current, before) and (number >= SIMILAR_ROUNDS[0] or not bridges):
            break
    settled = current
    if bridges:
        current = met_at_cuts(memory, current, fixed, placements)
    current = [of_usual_length(d) for d in current]
    return reads, current, place_again(memory, current, fixed, settled, placements)


def of_usual_length(draft: Draft) -> Draft:
    """The draft whose open CDR3 is as long as most are, not as long as reads might have needed."""
    start, stop = draft.cdr3()
    unknown = np.flatnonzero(draft.tokens[start:stop] >= MISSING)
    more = min(stop - start - TYPICAL_CDR3.get(draft.locus, 0), len(unknown) - 1)
    if draft.bridged or more <= 0:
        return draft
    return draft.with_cdr3(np.delete(draft.tokens[start:stop], unknown[:more]))
