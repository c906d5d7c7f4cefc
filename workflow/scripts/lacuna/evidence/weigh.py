"""From placed reads to a probability for each residue: reads and network together."""

import numpy as np
import torch

from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.evidence.chain import WeighedChain, chain_of
from lacuna.evidence.network import network_shares
from lacuna.evidence.posterior import (
    first_letters,
    floors_of,
    likelihood,
    merged_il,
    only_germline,
    softmax,
    trust,
    with_floor,
)
from lacuna.network.model import GapNetwork
from lacuna.placing.consensus import votes
from lacuna.placing.leftover import gap_mass
from lacuna.placing.place import Placed
from lacuna.templates.homologs import Homologs
from lacuna.templates.nearest import Library

CPU = torch.device("cpu")
FLOOR = 0.01  # share of the network's that is spread evenly
ROUNDS = 3
WEAK = 0.9  # probability below which a position is hidden from all masks


def weigh(
    placed: Placed,
    model: GapNetwork | None,
    library: Library,
    homologs: Homologs | None = None,
    *,
    k: int = 128,
    stride: int = 64,
    device: torch.device = CPU,
    temper: bool = True,
) -> tuple[WeighedChain, ...]:
    """Every chain with a probability for each of its residues.

    model: None leaves the network out, and temper: False takes the errors of reads for independent
    of each other, as the benchmark does to show what both bring.

    The network judges a position without the reads' word on it; the two are multiplied.
    """
    chosen = range(len(placed.drafts))
    found = [
        votes(placed.reads, placed.placements, i, len(placed.drafts[i]), overhang=False)
        for i in chosen
    ]
    nats = [likelihood(d, v, temper) for d, v in zip(placed.drafts, found, strict=True)]
    germline_only = [only_germline(d, n) for d, n in zip(placed.drafts, nats, strict=True)]
    letters = [
        first_letters(d, n, b) for d, n, b in zip(placed.drafts, nats, germline_only, strict=True)
    ]
    posterior = [softmax(n) for n in nats]
    for _ in range(ROUNDS):
        weak = [
            (merged_il(p).max(1) < WEAK) & ~b for p, b in zip(posterior, germline_only, strict=True)
        ]
        shares = (
            network_shares(
                letters, weak, model, library, homologs, k=k, stride=stride, device=device
            )
            if model is not None
            else [np.full(n.shape, 1 / N_RESIDUES) for n in nats]
        )
        both = [
            softmax(n + trust(d, n)[:, None] * np.log((1 - FLOOR) * s + FLOOR / N_RESIDUES))
            for d, n, s in zip(placed.drafts, nats, shares, strict=True)
        ]
        posterior = [
            with_floor(p, floors_of(n, p, b, placed.serum))
            for n, p, b in zip(nats, both, germline_only, strict=True)
        ]
        letters = [
            "".join(RESIDUES[x] for x in p.argmax(1)) if not b.any() else before
            for p, b, before in zip(posterior, germline_only, letters, strict=True)
        ]
    return tuple(
        chain_of(
            *(name, draft, vote, n, p, b, placed.serum),
            None if placed.serum or draft.v < 0 else gap_mass(placed.reads, draft),
        )
        for name, draft, vote, n, p, b in zip(
            placed.names, placed.drafts, found, nats, posterior, germline_only, strict=True
        )
    )
