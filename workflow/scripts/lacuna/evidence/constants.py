"""Residues of a constant region of which it is not known which chain has it.

Where reads show an IgG1 and an IgG4, each residue of either is right, but a chain may have the
other constant region. So may two chains of one constant region that is mutated in each of them, as
knobs and holes of a bispecific antibody: hardly a read joins these to a V domain.
"""

from collections.abc import Sequence

import numpy as np

from lacuna.antibody.imgt import CONSTANT
from lacuna.core.alphabet import ISOLEUCINE, LEUCINE, N_RESIDUES, merge_il
from lacuna.placing.chains.subclasses import of_rivals
from lacuna.placing.votes.draft import Draft

SURE_SHARE = 0.99  # share of the chain's own residue there
ALMOST_EVEN = 0.9  # of its part that another chain's residue has, so that a chain keeps its own
LEAST_LEFT = 0.8  # of the posterior, without the residue of a rival; with less it says nothing


def with_rivals(posterior: np.ndarray, draft: Draft) -> tuple[np.ndarray, np.ndarray]:
    """(t, 20) the posterior with what a chain has if its constant region is a rival, and (t,) the
    residues in which they differ.

    posterior (t, 20): by all reads on the chain. Those that show the residue of a rival, as they do
    if no chain has the rival, say nothing of a chain that has its own constant region.
    """
    differ, rivals = of_rivals(draft)
    own = _letters(draft)
    mixed = posterior.copy()
    for residues, _ in rivals:
        mixed = _without(mixed, residues, own)
    mixed *= 1.0 - sum(probability for _, probability in rivals)
    for residues, probability in rivals:
        mixed += probability * _shares(residues)
    return np.where(differ[:, None], mixed, posterior), differ


def with_halves(
    posterior: np.ndarray, draft: Draft, others: Sequence[Draft]
) -> tuple[np.ndarray, np.ndarray]:
    """(t, 20) the posterior as if a chain had the residues of each other one of its constant region
    nearly as probably as its own, and (t,) the residues in which they differ.

    others: further chains of the locus, with as many residues of the region; the rest are left out.
    """
    start = draft.find(CONSTANT)
    regions = [
        _letters(other)[other.find(CONSTANT) :]
        for other in others
        if start >= 0 and other.c == draft.c
    ]
    regions = [region for region in regions if len(region) == len(draft) - start]
    part = ALMOST_EVEN / (len(regions) + 1)
    mixed = posterior * (1 - part * len(regions))
    differ = np.zeros(len(draft), dtype=bool)
    for region in regions:
        mixed[start:] += part * _shares(region)
        differ[start:] |= merge_il(region) != draft.tokens[start:]
    return np.where(differ[:, None], mixed, posterior), differ


def _letters(draft: Draft) -> np.ndarray:
    """(t,) residues of a chain, I where germline has it."""
    return np.where(merge_il(draft.germline) == draft.tokens, draft.germline, draft.tokens)


def _without(posterior: np.ndarray, residues: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The posterior (t, 20) without some residues (t,) that are not the chain's own (t,)."""
    theirs = merge_il(residues)
    rows = np.flatnonzero((theirs < N_RESIDUES) & (theirs != merge_il(own)))
    left = posterior.copy()
    left[rows, theirs[rows]] = 0.0
    left[rows[theirs[rows] == LEUCINE], ISOLEUCINE] = 0.0
    total = left.sum(1, keepdims=True)
    alone = SURE_SHARE * _shares(own) + (1 - SURE_SHARE) / N_RESIDUES
    return np.where(total < LEAST_LEFT, alone, left / np.maximum(total, LEAST_LEFT))


def _shares(tokens: np.ndarray) -> np.ndarray:
    """(t, 20) all of the share to the residue of each place, spread evenly where there is none."""
    found = np.full((len(tokens), N_RESIDUES), 1.0 / N_RESIDUES)
    known = np.flatnonzero(tokens < N_RESIDUES)
    found[known] = np.eye(N_RESIDUES)[tokens[known]]
    return found
