"""The thorough mode: AntiBERTy also reads the gaps of which the network is not sure.

The two err in different places: the network sees templates, AntiBERTy has seen more antibodies.
Their distributions are multiplied, each raised to a power:

    p(r) ~ network(r)^NETWORK * AntiBERTy(r)^ANTIBERTY

The powers also calibrate the product.
"""

import logging
from collections.abc import Sequence

import numpy as np
import torch

from lacuna.antibody.germlines import SPECIES, v_segments
from lacuna.antibody.imgt import OTHER_INSERTION, PADDING
from lacuna.core.alphabet import ALLOWED, encode
from lacuna.network.kmers import KmerSet
from lacuna.network.language_model import LanguageModel, predict_masked
from lacuna.scaffolds.scaffold import Scaffold

ASK_BELOW = 0.9  # a gap whose residues together are at least as probable is not asked about
# Fitted on natural chains that neither the weights nor the benchmark contain:
# docs/explanation/measurements.md.
NETWORK, ANTIBERTY = 0.56, 0.41
# Of the nearest V segment. AntiBERTy knows few camelids: on VHH its accuracy is 0.07 below the
# network's, and that of both together 0.007 below it. It was not tried on rabbits.
SPECIES_ASKED = ("human", "mouse", "rat", "rhesus")
LEAST = 1e-6  # probability that either leaves any residue
LOG = logging.getLogger(__name__)


def ask_again(
    scaffolds: Sequence[Scaffold],
    kmers: KmerSet,
    probabilities: np.ndarray,
    model: LanguageModel,
    device: torch.device,
) -> np.ndarray:
    """Distributions (t, 20) of missing residues; those in doubt are AntiBERTy's as well.

    probabilities: (t, 20) of the network for `kmers`. AntiBERTy reads each V domain that has a gap
    in doubt once, with all that is missing masked. Residues outside V domains, those of other
    species than SPECIES_ASKED and of gaps that the network is sure of are returned as they are.
    """
    _, _, chain, position = (column.astype(np.int64) for column in kmers.at())
    lengths = np.array([len(scaffold.sequence) for scaffold in scaffolds], dtype=np.int64)
    among_all = np.cumsum(lengths)[chain] - lengths[chain] + position  # (t,)
    domain = _domains(kmers, lengths)
    size = np.bincount(domain[domain >= 0], minlength=1)
    asked = in_doubt(chain, position, probabilities) & (domain[among_all] >= 0)
    asked &= (size[domain[among_all]] <= model.longest) & _of_species_asked(kmers.target_v())
    rows = np.flatnonzero(asked)
    first = np.zeros_like(size)  # of each domain among all residues
    inside = np.flatnonzero(domain >= 0)
    first[domain[inside[::-1]]] = inside[::-1]
    read, begins = np.unique(domain[among_all[rows]], return_index=True)
    tokens = encode("".join(scaffold.sequence for scaffold in scaffolds))
    of_domains = np.split(among_all[rows], begins[1:]) if len(rows) else []
    answers = predict_masked(
        model,
        [tokens[first[d] : first[d] + size[d]] for d in read],
        [at - first[d] for d, at in zip(read, of_domains, strict=True)],
        device,
    )
    joined = probabilities.copy()
    if len(rows):
        both = join(probabilities[rows], np.concatenate(answers)) * ALLOWED[tokens[among_all[rows]]]
        joined[rows] = both / both.sum(1, keepdims=True)
    chains = len(np.unique(chain[rows]))
    LOG.info("AntiBERTy read %d of %d chains (%d residues)", chains, len(scaffolds), len(rows))
    return joined


def _of_species_asked(v: np.ndarray) -> np.ndarray:
    """(t,) bool: whether the nearest V segments (t,), -1 for none, are of SPECIES_ASKED."""
    asked = np.array([SPECIES.index(name) for name in SPECIES_ASKED])
    return (v >= 0) & np.isin(v_segments().species[v], asked)


def in_doubt(chain: np.ndarray, position: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(t,) bool: the missing residues of gaps whose best candidate is less probable than ASK_BELOW.

    chain, position: (t,) sorted; a gap is a run of neighbours. probabilities: (t, 20).
    """
    starts = np.ones(len(chain), dtype=bool)
    starts[1:] = (np.diff(chain) != 0) | (np.diff(position) != 1)
    gap = np.cumsum(starts) - 1
    return np.bincount(gap, np.log(probabilities.max(1)))[gap] < np.log(ASK_BELOW)


def join(network: np.ndarray, antiberty: np.ndarray) -> np.ndarray:
    """The normalised product of two distributions (t, 20), each raised to its power."""
    logs = NETWORK * np.log(np.maximum(network, LEAST))
    logs += ANTIBERTY * np.log(np.maximum(antiberty, LEAST))
    shares: np.ndarray = np.exp(logs - logs.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def _domains(kmers: KmerSet, lengths: np.ndarray) -> np.ndarray:
    """Number of the V domain of each residue of a block, or -1: (residues of all chains,).

    lengths: (m,) of the chains. A domain is a run of V residues within a part of a chain.
    """
    columns = kmers.chain_columns.numpy()
    inside = (columns != PADDING) & (columns <= OTHER_INSERTION)
    starts = np.cumsum(lengths) - lengths
    begins = np.zeros(len(columns) + 1, dtype=bool)
    begins[starts] = True
    of_chain, start = kmers.parts.numpy().astype(np.int64).T[:2]
    begins[starts[of_chain] + start] = True
    begins = begins[:-1]
    begins[1:] |= inside[1:] & ~inside[:-1]
    number = np.cumsum(begins & inside) - 1
    return np.where(inside, number, -1)
