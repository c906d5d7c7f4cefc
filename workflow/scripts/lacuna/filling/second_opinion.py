"""The thorough mode: the large network answers for gaps of which the small one is not sure."""

import logging

import numpy as np

from lacuna.network.kmers import KmerSet
from lacuna.network.predict import Predict, Predictor
from lacuna.network.transformer import is_known

ASK_BELOW = 0.9  # a gap whose residues together are at least as probable is not asked about
LOG = logging.getLogger(__name__)


def with_second_opinion(small: Predictor, large: Predictor | None) -> Predict:
    """What reads missing residues: the small network and, in thorough mode, `large` for gaps of
    which that is not sure."""
    if large is None:
        return small.predict

    def predict(kmers: KmerSet) -> np.ndarray:
        return ask_again(kmers, small.predict(kmers), large)

    return predict


def ask_again(kmers: KmerSet, probabilities: np.ndarray, large: Predictor) -> np.ndarray:
    """Distributions (t, 20) of missing residues; those in doubt are the large network's.

    probabilities: (t, 20) of the small network for `kmers`. Residues of gaps that it is sure of and
    of chains that the large network does not know (`is_known`), are returned as they are.
    """
    _, _, chain, position = kmers.at()
    asked = in_doubt(chain, position, probabilities) & is_known(kmers.target_v())
    chosen = probabilities.copy()
    if asked.any():
        chosen[asked] = large.predict(kmers.of_targets(asked))
    chains = len(np.unique(chain[asked]))
    LOG.info("the large network read %d chains (%d residues)", chains, asked.sum())
    return chosen


def in_doubt(chain: np.ndarray, position: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(t,) bool: the missing residues of gaps whose best candidate is less probable than ASK_BELOW.

    chain, position: (t,) sorted; a gap is a run of neighbours. probabilities: (t, 20).
    """
    starts = np.ones(len(chain), dtype=bool)
    starts[1:] = (np.diff(chain) != 0) | (np.diff(position) != 1)
    gap = np.cumsum(starts) - 1
    return np.bincount(gap, np.log(probabilities.max(1)))[gap] < np.log(ASK_BELOW)
