"""The network's prediction of each position of a chain, with that position hidden.

Positions are hidden in interleaved masks, so that each is judged by its neighbours; those that
reads do not settle are hidden from every mask.
"""

from collections.abc import Sequence

import numpy as np
import torch

from lacuna.core.alphabet import MISSING_LETTER, N_RESIDUES
from lacuna.network.encode import encode_scaffolds
from lacuna.network.model import TemplateReader
from lacuna.network.predict import MASKS, predict
from lacuna.scaffolds.gaps import gaps_in
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.templates.homologs import Homologs
from lacuna.templates.nearest import Library


def network_shares(
    sequence: str,
    numbered_by: str,
    weak: np.ndarray,
    networks: Sequence[tuple[TemplateReader, float]],
    library: Library,
    homologs: Homologs | None = None,
    *,
    k: int,
    stride: int,
) -> np.ndarray:
    """(t, 20) shares of the residues at every position of a chain.

    sequence: letters by reads and network so far, X if unknown; numbered_by: the same with more
    letters, which tell the columns of a chain that is hardly read; weak (t,) bool: positions hidden
    in all masks, whose shares are geometric means over the masks; networks: what reads the chain,
    each with its part in the mean.
    """
    at = np.arange(len(sequence))
    scaffolds = [
        _scaffold(str(mask), sequence, ~(weak | (at % MASKS == mask))) for mask in range(MASKS)
    ]
    encoded = encode_scaffolds(
        scaffolds, library, homologs, k=k, stride=stride, numbered_by=[numbered_by] * MASKS
    )
    cpu = torch.device("cpu")
    # What is inferred is capped later, by what reads show around it.
    read = [
        part * predict(network, encoded, library, cpu, sparse=False) for network, part in networks
    ]
    shares = np.sum(read, axis=0)
    _, _, mask, position = encoded.at()
    used = weak[position] | (position % MASKS == mask)
    total = np.zeros((len(sequence), N_RESIDUES))
    np.add.at(total, position[used], np.log(np.maximum(shares[used], 1e-9)))
    count = np.bincount(position[used], minlength=len(sequence))
    mean = np.exp(total / np.maximum(count, 1)[:, None])
    return mean / mean.sum(1, keepdims=True)


def _scaffold(name: str, sequence: str, shown: np.ndarray) -> Scaffold:
    """The chain with X at every position that is not shown."""
    letters = "".join(
        letter if see else MISSING_LETTER for letter, see in zip(sequence, shown, strict=True)
    )
    return Scaffold(name, "", letters, tuple(gaps_in(letters)), 0)
