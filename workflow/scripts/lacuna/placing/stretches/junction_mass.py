"""The mass of an open junction, from reads placed on both sides of it.

Such a read is right on both sides and wrong between them, but the mass between is right: it is
what the read leaves for the residues of the gap.
"""

from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import CYSTEINE, MISSING
from lacuna.placing.aligning.align import align
from lacuna.placing.aligning.alignment import Alignment
from lacuna.placing.aligning.readset import MASSES, ReadSet
from lacuna.placing.aligning.seeds import diagonals
from lacuna.placing.votes.draft import Draft, span_of_unknown

LEAST_SCORE = 8.0  # nats of a side of a read
TOLERANCE = 0.03  # Da within which reads agree
MIN_READS = 2  # different reads that agree
LIGHTEST = 57.0  # Da, a glycine
HEAVIEST = 4_500.0  # Da, more than any CDR3


@dataclass(frozen=True, slots=True)
class JunctionMass:
    """Da of the residues from position start up to stop of a draft."""

    start: int
    stop: int
    mass: float


def junction_mass(reads: ReadSet, draft: Draft) -> JunctionMass | None:
    """The mass on which most reads agree, from the first to the last unknown residue of CDR3."""
    start, stop = draft.cdr3()
    if (draft.tokens[start:stop] < MISSING).all():
        return None
    start, stop = (start + at for at in span_of_unknown(draft.tokens[start:stop]))
    left, right = draft.tokens[:start], draft.tokens[stop:]
    before, behind = _side(reads, left), _side(reads, right)
    on_left = {int(read): k for k, read in enumerate(before.read.tolist())}
    cumulative = reads.cumulative()
    masses: list[float] = []
    for k, read in enumerate(behind.read.tolist()):
        other = on_left.get(read)
        if other is None or before.core[other, 1] > behind.core[k, 0]:
            continue
        between = cumulative[read, behind.core[k, 0]] - cumulative[read, before.core[other, 1]]
        # Residues of the chain next to the gap that the read has wrong.
        wrong = np.concatenate((left[before.span[other, 1] :], right[: behind.span[k, 0]]))
        between -= float(MASSES[wrong].sum())
        held = int((wrong == CYSTEINE).sum())
        options = [between - carried * held for carried in (0.0, *reads.cysteine)]
        masses += [m for m in dict.fromkeys(options) if LIGHTEST <= m <= HEAVIEST]
    if not masses:
        return None
    values = np.sort(masses)
    alike = np.abs(values[:, None] - values) <= TOLERANCE
    best = int(alike.sum(1).argmax())
    if alike[best].sum() < MIN_READS:
        return None
    return JunctionMass(start, stop, float(np.median(values[alike[best]])))


def _side(reads: ReadSet, tokens: np.ndarray) -> Alignment:
    """The best placement of each read on one side of the gap."""
    found = align(
        reads,
        *diagonals(reads, tokens, np.zeros(len(tokens), dtype=np.int64)),
        tokens,
        least=LEAST_SCORE,
    )
    return found.take(found.best_of_each())
