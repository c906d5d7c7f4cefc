"""From germline segments to chains: reads are placed, their consensus becomes the template,
and what no template covers is bridged, until nothing changes."""

from dataclasses import replace

import numpy as np

from lacuna.antibody.domain_ends import TYPICAL_CDR3
from lacuna.core.alphabet import MISSING
from lacuna.placing.bridge import bridge_all, met_at_cuts
from lacuna.placing.stretches.similar import with_similar
from lacuna.placing.stretches.word_paths import WordGraph
from lacuna.placing.votes.consensus import next_draft, votes, votes_for_template
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.modifications import carried_by_cysteine
from lacuna.placing.votes.placement import Assembly, of_one_locus, unchanged
from lacuna.placing.votes.revise import choose_v, with_lengths

ROUNDS = 6  # of placing reads and revising chains, fewer if nothing moves
SIMILAR_ROUNDS = (2, 4)  # in which unplaced reads are compared with all V segments
FIRST_BRIDGES = 1  # round from which stretches are bridged


def build(
    assembly: Assembly, use: np.ndarray, rounds: int = ROUNDS, *, bridges: bool = True
) -> Assembly:
    """Chains after reads and templates agree, with the reads, of which is known what C carries.

    assembly: reads on chains of germline segments, or on what was made of these; bridges: whether
    stretches that no template covers are bridged.
    """
    if not assembly.drafts:
        return assembly
    carried = carried_by_cysteine(assembly.reads, assembly.placements)
    reads = replace(assembly.reads, cysteine=carried)
    assembly = Assembly.of(reads, assembly.drafts, assembly.fixed)
    graph = WordGraph(reads)
    tried: set[bytes] = set()
    for number in range(rounds):
        before = assembly.drafts
        telling = of_one_locus(assembly.placements, before)
        found = [votes_for_template(reads, telling, i, d) for i, d in enumerate(before)]
        pairs = zip(before, found, strict=True)
        assembly = assembly.with_drafts(
            [with_lengths(next_draft(choose_v(d, v, use), v), v) for d, v in pairs]
        )
        if bridges and number in SIMILAR_ROUNDS:
            depths = [
                votes(reads, assembly.placements, i).depth for i in range(len(assembly.drafts))
            ]
            best = assembly.placements.best(len(reads))
            assembly = assembly.with_drafts(with_similar(reads, assembly.drafts, depths, best))
        if bridges and number >= FIRST_BRIDGES:
            assembly = bridge_all(assembly, graph, tried)
        if unchanged(assembly.drafts, before) and (number >= SIMILAR_ROUNDS[0] or not bridges):
            break
    current = met_at_cuts(assembly) if bridges else assembly.drafts
    return assembly.with_drafts([of_usual_length(d) for d in current])


def of_usual_length(draft: Draft) -> Draft:
    """The draft whose open CDR3 is as long as most are, not as long as reads might have needed."""
    start, stop = draft.cdr3()
    unknown = np.flatnonzero(draft.tokens[start:stop] >= MISSING)
    more = min(stop - start - TYPICAL_CDR3.get(draft.locus, 0), len(unknown) - 1)
    if draft.bridged or more <= 0:
        return draft
    return draft.with_cdr3(np.delete(draft.tokens[start:stop], unknown[:more]))
