"""Evidence for single missing residues, multiplied with the network's prediction of them."""

from collections.abc import Sequence

import numpy as np

from lacuna.core.alphabet import ALLOWED, N_RESIDUES, TOKEN
from lacuna.scaffolds.scaffold import Scaffold

LEAST_BY_NETWORK = 1e-12  # least probability by the network of a residue that a position may have


def with_evidence(
    scaffolds: Sequence[Scaffold], targets: np.ndarray, probabilities: np.ndarray
) -> np.ndarray:
    """Distributions (t, 20) of missing residues, those with evidence times its weights.

    targets: (t, 4) as in `KmerSet`, of which the last two columns are chain and position;
    probabilities: (t, 20), zero if an ambiguity code rules a residue out. The network judges a
    residue without its evidence, so that the two are independent given the residue and their
    product is its posterior. A settled distribution takes the network's place. What no scaffold has
    evidence of is returned as it is.
    """
    if not any(scaffold.evidence for scaffold in scaffolds):
        return probabilities
    bounds = np.searchsorted(targets[:, 2], np.arange(len(scaffolds) + 1))
    joined = probabilities.copy()
    for i, scaffold in enumerate(scaffolds):
        first = int(bounds[i])
        rows = {int(p): first + n for n, p in enumerate(targets[first : bounds[i + 1], 3])}
        for evidence in scaffold.evidence:
            row = rows.get(evidence.position)
            if row is None:  # observed
                continue
            allowed = ALLOWED[TOKEN[scaffold.sequence[evidence.position]]]
            network = 1.0 if evidence.settled else np.maximum(probabilities[row], LEAST_BY_NETWORK)
            product = network * allowed * evidence.weights
            joined[row] = _spread(product / product.sum(), allowed, evidence.spread)
    return joined


def _spread(shares: np.ndarray, allowed: np.ndarray, share: float) -> np.ndarray:
    """The distribution (20,) of which a share is spread over the residues that are allowed: over
    few of them more, so that the likeliest loses as much."""
    if not share:
        return shares
    even = allowed / allowed.sum()
    share = min(share * (1 - 1 / N_RESIDUES) / (1 - even.max()), 1.0)
    return (1 - share) * shares + share * even
