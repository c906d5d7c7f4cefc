"""The thorough mode: the large network answers for gaps of which the small one is not sure."""

import logging

import numpy as np

from lacuna.antibody.germlines import SPECIES, v_segments
from lacuna.network.kmers import KmerSet
from lacuna.network.predict import Predictor

ASK_BELOW = 0.9  # a gap whose residues together are at least as probable is not asked about
# Of the nearest V segment. The large network has seen few camelids: on VHH its probabilities are
# too high by 0.05. docs/explanation/measurements.md has what it reaches on each set.
SPECIES_LEFT_OUT = ("alpaca",)
LOG = logging.getLogger(__name__)


def ask_again(kmers: KmerSet, probabilities: np.ndarray, large: Predictor) -> np.ndarray:
    """Distributions (t, 20) of missing residues; those in doubt are the large network's.

    probabilities: (t, 20) of the small network for `kmers`. Residues of gaps that it is sure of, of
    SPECIES_LEFT_OUT and of proteins that are no antibodies are returned as they are.
    """
    _, _, chain, position = kmers.at()
    asked = in_doubt(chain, position, probabilities) & _of_species_asked(kmers.target_v())
    chosen = probabilities.copy()
    if asked.any():
        chosen[asked] = large.predict(kmers.of_targets(asked))
    chains = len(np.unique(chain[asked]))
    LOG.info("the large network read %d chains (%d residues)", chains, asked.sum())
    return chosen


def _of_species_asked(v: np.ndarray) -> np.ndarray:
    """(t,) bool: whether the nearest V segments (t,), -1 for none, are of a species asked about."""
    left_out = np.array([SPECIES.index(name) for name in SPECIES_LEFT_OUT])
    return (v >= 0) & ~np.isin(v_segments().species[v], left_out)


def in_doubt(chain: np.ndarray, position: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(t,) bool: the missing residues of gaps whose best candidate is less probable than ASK_BELOW.

    chain, position: (t,) sorted; a gap is a run of neighbours. probabilities: (t, 20).
    """
    starts = np.ones(len(chain), dtype=bool)
    starts[1:] = (np.diff(chain) != 0) | (np.diff(position) != 1)
    gap = np.cumsum(starts) - 1
    return np.bincount(gap, np.log(probabilities.max(1)))[gap] < np.log(ASK_BELOW)
