"""The thorough mode: gaps of which the small network is not sure are read by the large one too."""

import logging

import numpy as np

from lacuna.core.words import plural
from lacuna.network.kmers import KmerSet
from lacuna.network.predict import Predict, Predictor
from lacuna.network.transformer import share_of_large

ASK_BELOW = 0.9  # a gap whose residues together are at least as probable is not asked about
LOG = logging.getLogger(__name__)


def with_second_opinion(small: Predictor, large: Predictor | None) -> Predict:
    """What reads missing residues: the small network and, in thorough mode, `large` too for gaps of
    which that is not sure."""
    if large is None:
        return small.predict

    def predict(kmers: KmerSet) -> np.ndarray:
        share = share_of_large(kmers.target_v(), small.model.temperatures)
        return ask_again(kmers, small.predict(kmers), large, share)

    return predict


def ask_again(
    kmers: KmerSet, probabilities: np.ndarray, large: Predictor, share: np.ndarray
) -> np.ndarray:
    """Distributions (t, 20) of missing residues; those in doubt are means of both networks.

    probabilities: (t, 20) of the small network for `kmers`; share: (t,) of the large network in the
    mean. Residues of gaps of which the small network is sure are returned as they are.
    """
    _, _, chain, position = kmers.at()
    asked = in_doubt(chain, position, probabilities) & (share > 0)
    chosen = probabilities.copy()
    if asked.any():
        part = share[asked, None]
        read = large.predict(kmers.of_targets(asked))
        chosen[asked] = part * read + (1 - part) * probabilities[asked]
    chains = len(np.unique(chain[asked]))
    LOG.info("the large network read %s (%d residues)", plural(chains, "chain"), asked.sum())
    return chosen


def in_doubt(chain: np.ndarray, position: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(t,) bool: the missing residues of gaps whose best candidate is less probable than ASK_BELOW.

    chain, position: (t,) sorted; a gap is a run of neighbours. probabilities: (t, 20).
    """
    starts = np.ones(len(chain), dtype=bool)
    starts[1:] = (np.diff(chain) != 0) | (np.diff(position) != 1)
    gap = np.cumsum(starts) - 1
    return np.bincount(gap, np.log(probabilities.max(1)))[gap] < np.log(ASK_BELOW)
