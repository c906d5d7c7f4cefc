"""The network's prediction of each position of a chain, with that position hidden.

Positions are hidden in interleaved masks, so that each is judged by its neighbours; those that
reads do not settle are hidden from every mask.
"""

from collections.abc import Sequence

import numpy as np
import torch

from lacuna.core.alphabet import MISSING_LETTER, N_RESIDUES
from lacuna.network.kmers import encode_scaffolds
from lacuna.network.model import GapNetwork
from lacuna.network.predict import predict
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.templates.homologs import Homologs
from lacuna.templates.nearest import Library

MASKS = 8


def network_shares(
    sequences: Sequence[str],
    weak: Sequence[np.ndarray],
    model: GapNetwork,
    library: Library,
    homologs: Homologs | None = None,
    *,
    k: int,
    stride: int,
    device: torch.device,
) -> list[np.ndarray]:
    """(t, 20) shares of the residues at every position of each chain.

    sequences: letters by reads and network so far, X if unknown; weak: of each, (t,) bool, the
    positions hidden in all masks, whose shares are geometric means over the masks.
    """
    scaffolds, origin = [], []
    for number, (sequence, hidden) in enumerate(zip(sequences, weak, strict=True)):
        at = np.arange(len(sequence))
        for mask in range(MASKS):
            shown = ~(hidden | (at % MASKS == mask))
            scaffolds.append(_scaffold(f"{number}.{mask}", sequence, shown))
            origin.append((number, mask))
    encoded = encode_scaffolds(scaffolds, library, homologs, k=k, stride=stride)
    shares = predict(model, encoded, library, device)
    targets = encoded.targets.numpy()
    total = [np.zeros((len(s), N_RESIDUES)) for s in sequences]
    count = [np.zeros(len(s)) for s in sequences]
    for i, (number, mask) in enumerate(origin):
        rows = np.flatnonzero(targets[:, 2] == i)
        position = targets[rows, 3]
        used = weak[number][position] | (position % MASKS == mask)
        rows, position = rows[used], position[used]
        total[number][position] += np.log(np.maximum(shares[rows], 1e-9))
        count[number][position] += 1
    found = []
    for nats, n in zip(total, count, strict=True):
        mean = np.exp(nats / np.maximum(n, 1)[:, None])
        found.append(mean / mean.sum(1, keepdims=True))
    return found


def _scaffold(name: str, sequence: str, shown: np.ndarray) -> Scaffold:
    """The chain with X at every position that is not shown."""
    letters = "".join(
        letter if see else MISSING_LETTER for letter, see in zip(sequence, shown, strict=True)
    )
    missing = np.array([letter in "XBJZ" for letter in letters], dtype=bool)
    edges = np.flatnonzero(np.diff(missing.astype(np.int8), prepend=0, append=0))
    gaps = tuple(
        Gap(int(a), int(b), int(b - a), int(b - a))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    )
    return Scaffold(name, "", letters, gaps, 0)
