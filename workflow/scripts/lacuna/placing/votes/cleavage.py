"""Where the proteases of a sample cut, as the ends of its own reads show.

Which proteases were used is not asked: residues behind which, or in front of which, peptides end
and begin wherever a chain is well read are those at which they cut.
"""

from dataclasses import dataclass

import numpy as np

from lacuna.core.alphabet import N_RESIDUES, PHENYLALANINE, TRYPTOPHAN, TYROSINE
from lacuna.placing.aligning.alignment import MATCH
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.votes.placement import Placements

WELL_READ = 4.0  # weight of the reads that end, begin or go on at a place that is well read
ENDING_SHARE = 0.1  # of these, that end or begin there: a cut
LEAST_ENDING = 2.0  # weight of those: single reads end wrongly anywhere
MOSTLY_CUT = 0.5  # of the places at a residue that are cut, from which proteases cut there
MOST_DEPTHS = 1.5  # times the weight of reads at a cut, up to which others are like it
BOTH_SIDES_WEIGHT = 1.0  # of the reads that end, and of those that begin, at a cut seen from both


@dataclass(frozen=True, slots=True)
class Cleavage:
    """Residues at which the proteases of a sample cut, and how often a peptide spans a cut.

    behind, before (20,) bool: residues behind which, and in front of which, they cut; depth,
    spanned (cuts,): of the cuts that reads show from both sides, the weight of the reads that end
    or begin there, and whether others span them.
    """

    behind: np.ndarray
    before: np.ndarray
    depth: np.ndarray
    spanned: np.ndarray

    def share_of(self, shares: np.ndarray) -> float:
        """The share of the residues behind or in front of which they cut; shares (20,): of each."""
        return float(shares[self.behind | self.before].sum())

    def not_spanned(self, depth: float) -> float:
        """Probability that no read spans a cut at which reads of this weight end or begin."""
        alike = self.depth <= MOST_DEPTHS * depth
        return float((~self.spanned[alike]).sum() + 1) / float(alike.sum() + 2)

    def cuts(self, one: int, other: int) -> bool:
        """Whether the proteases cut between two residues."""
        known = one < N_RESIDUES, other < N_RESIDUES
        return bool((known[0] and self.behind[one]) or (known[1] and self.before[other]))


def cleavage_of(reads: ReadSet, placements: Placements) -> Cleavage:
    """What the ends of placed reads show."""
    text = placements.text.tokens
    ends, begins, spans = _weights(reads, placements)
    ending = ends + begins
    total = ending + spans
    place = np.arange(1, len(text))
    known = (text[place - 1] < N_RESIDUES) & (text[place] < N_RESIDUES)
    place = place[known & (total[place] >= WELL_READ)]
    cut = (ending[place] >= ENDING_SHARE * total[place]) & (ending[place] >= LEAST_ENDING)
    behind = _mostly(text[place - 1], cut)
    # A chain has so few W that the reads may not tell, but what cuts behind F and Y does behind W.
    behind[TRYPTOPHAN] |= behind[PHENYLALANINE] & behind[TYROSINE]
    # Where they cut behind a residue, the next one is not why.
    rest = ~behind[text[place - 1]]
    before = _mostly(text[place[rest]], cut[rest])
    both = cut & (behind[text[place - 1]] | before[text[place]])
    both &= (ends[place] >= BOTH_SIDES_WEIGHT) & (begins[place] >= BOTH_SIDES_WEIGHT)
    return Cleavage(behind, before, ending[place[both]], spans[place[both]] > 0)


def _weights(reads: ReadSet, placements: Placements) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(t + 1,) weight of the reads that end, begin and go on in front of each residue of the text.

    Of reads that differ from the chain at an end, this end does not count.
    """
    a, n = placements.alignment, len(placements.text.tokens) + 1
    rows = np.arange(len(a.read))
    weight = placements.weights(reads)
    last = np.maximum(a.core[:, 1] - 1, 0)
    ended = (a.core[:, 1] == reads.length[a.read]) & (a.kind[rows, last] == MATCH)
    begun = (a.core[:, 0] == 0) & (a.kind[rows, 0] == MATCH)
    ends = np.bincount(a.span[ended, 1], weight[ended], n)
    begins = np.bincount(a.span[begun, 0], weight[begun], n)
    inside = a.span[:, 1] > a.span[:, 0] + 1
    steps = np.bincount(a.span[inside, 0] + 1, weight[inside], n + 1)[: n + 1]
    steps -= np.bincount(a.span[inside, 1], weight[inside], n + 1)[: n + 1]
    spans = np.cumsum(steps)[:n]
    return ends, begins, np.where(spans > 1e-6, spans, 0.0)


def _mostly(residues: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """(20,) bool: residues most of whose places are cut."""
    every = np.bincount(residues, minlength=N_RESIDUES)
    found = np.bincount(residues[cut], minlength=N_RESIDUES)
    return np.asarray(found > MOSTLY_CUT * (every + 1))
