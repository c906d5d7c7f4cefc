"""Weak stretches in front of CDR3: the path that reads like best, of the usual length unless reads
speak clearly for another."""

import numpy as np

from lacuna.antibody.imgt import OTHER_INSERTION
from lacuna.core.alphabet import ABSENT, MISSING, N_RESIDUES
from lacuna.placing.aligning.carried import Carried
from lacuna.placing.aligning.kernel import nats_of_carried
from lacuna.placing.aligning.readset import MASSES
from lacuna.placing.stretches.junction import (
    BETTER_BY,
    WELL_CROSSED,
    Surroundings,
    refined,
    weigh_paths,
)
from lacuna.placing.stretches.word_paths import WordGraph, paths
from lacuna.placing.votes.draft import Draft

LENGTH_COST = 6.0  # nats for a stretch whose length is not that of germline
LONGER_SHARE = 0.15  # of what reads gain so far that one of another length must gain more
RESIDUE_COST = 1.0  # nats more for each residue of the difference
MOST_LONGER = 4  # residues by which a stretch may differ from germline


def with_loop(around: Surroundings, draft: Draft, span: tuple[int, int], graph: WordGraph) -> Draft:
    """The draft with the stretch that reads like best."""
    start, stop = span
    present = draft.tokens[start:stop]
    usual = int((draft.germline[start:stop] < MISSING).sum())
    found = paths(
        graph, around.left, around.right, max(usual - MOST_LONGER, 1), usual + MOST_LONGER
    )
    if not any(np.array_equal(present, s) for s in found):
        found.append(present)
    weighed = weigh_paths(around, found)
    best = next(p for p in weighed if np.array_equal(p.tokens, present))
    good = [p for p in weighed if p.thinnest >= WELL_CROSSED]
    for path in good:  # the best first; of the usual length before others
        if len(path.tokens) == usual and path.gain >= best.gain + BETTER_BY:
            best = path
    for path in good:
        more = abs(len(path.tokens) - usual)
        cost = LENGTH_COST + RESIDUE_COST * more + LONGER_SHARE * best.gain
        better = more and path.gain >= best.gain + max(BETTER_BY, cost)
        if better and not weighs_as(around, path.tokens, best.tokens):
            best = path
    best = refined(around, best, usual, longest=usual + MOST_LONGER)
    if np.array_equal(best.tokens, present):
        return draft
    return resized(draft, start, stop, best.tokens)


def weighs_as(around: Surroundings, one: np.ndarray, other: np.ndarray) -> bool:
    """Whether reads may show the first stretch because its residues weigh as much as those of the
    second with a modification that the search may not have listed: GMSN for QMN if M is oxidised.
    All spectra of the peptide are misread then; where both weigh the same without one, as GG and N,
    the search can tell."""
    off = float(MASSES[one].sum() - MASSES[other].sum())
    known = (one < N_RESIDUES).all() and (other < N_RESIDUES).all()
    nats = nats_of_carried(off, other, Carried.of(around.reads.cysteine))
    return bool(known) and -np.inf < nats < 0.0


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
