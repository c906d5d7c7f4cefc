"""Residues of a constant region of which it is not known which chain has it.

Where reads show an IgG1 and an IgG4, each residue of either is right, but a chain may have the
other constant region.
"""

import numpy as np

from lacuna.core.alphabet import ISOLEUCINE, LEUCINE, N_RESIDUES, merge_il
from lacuna.placing.draft import Draft
from lacuna.placing.subclasses import of_rivals

SURE = 0.99  # share of the chain's own residue there
LEFT = 0.8  # share of the posterior that the residue of a rival leaves, below which it says nothing


def with_rivals(posterior: np.ndarray, draft: Draft) -> tuple[np.ndarray, np.ndarray]:
    """(t, 20) the posterior with what a chain has if its constant region is a rival, and (t,) the
    residues in which they differ.

    posterior (t, 20): by all reads on the chain. Those that show the residue of a rival, as they do
    if no chain has the rival, say nothing of a chain that has its own constant region.
    """
    differ, rivals = of_rivals(draft)
    own = np.where(merge_il(draft.germline) == draft.tokens, draft.germline, draft.tokens)
    mixed = posterior.copy()
    for residues, _ in rivals:
        mixed = _without(mixed, residues, own)
    mixed *= 1.0 - sum(probability for _, probability in rivals)
    for residues, probability in rivals:
        mixed += probability * _shares(residues)
    return np.where(differ[:, None], mixed, posterior), differ


def _without(posterior: np.ndarray, residues: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The posterior (t, 20) without some residues (t,) that are not the chain's own (t,)."""
    theirs = merge_il(residues)
    rows = np.flatnonzero((theirs < N_RESIDUES) & (theirs != merge_il(own)))
    left = posterior.copy()
    left[rows, theirs[rows]] = 0.0
    left[rows[theirs[rows] == LEUCINE], ISOLEUCINE] = 0.0
    total = left.sum(1, keepdims=True)
    alone = SURE * _shares(own) + (1 - SURE) / N_RESIDUES
    return np.where(total < LEFT, alone, left / np.maximum(total, LEFT))


def _shares(tokens: np.ndarray) -> np.ndarray:
    """(t, 20) all of the share to the residue of each place, spread evenly where there is none."""
    found = np.full((len(tokens), N_RESIDUES), 1.0 / N_RESIDUES)
    known = np.flatnonzero(tokens < N_RESIDUES)
    found[known] = np.eye(N_RESIDUES)[tokens[known]]
    return found
