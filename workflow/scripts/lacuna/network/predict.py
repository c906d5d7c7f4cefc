"""Predicts residue distributions for the missing residues of a block with the network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from lacuna.antibody.germlines import SPECIES, UNSEEN, value_of_species
from lacuna.core.alphabet import ALLOWED, N_RESIDUES
from lacuna.core.device import product_dtype
from lacuna.core.tensor_files import on_device
from lacuna.network.kmers import KmerSet, Targets
from lacuna.network.model import PLACES_AT_ONCE, TemplateReader
from lacuna.network.nearness import temperatures_of_far, temperatures_of_sparse
from lacuna.templates.nearest import Library

Predict = Callable[[KmerSet], np.ndarray]  # distributions (t, 20) of the targets of a set
# What logits are divided by in chains of species that are not in training. Fitted on half of 104
# natural heavy chains of dogs, whose expected calibration error it halves; on the other half it is
# 0.030 instead of 0.046.
UNSEEN_TEMPERATURE = 1.2
MASKS = 8  # in which the positions of a chain are hidden in turn, if each is predicted
NEAR_PLACES = 16  # k-mers whose first targets are within the same 16 places are read together


@dataclass(frozen=True, slots=True)
class Predictor:
    """A network, the germline library with which it was trained, and its device."""

    model: TemplateReader
    library: Library
    device: torch.device

    def predict(self, kmers: KmerSet, *, far: bool = True) -> np.ndarray:
        """Residue distributions of the targets of a block: (t, 20), see `predict`."""
        return predict(self.model, kmers, self.library, self.device, far=far)


def predict(
    model: TemplateReader,
    kmers: KmerSet,
    library: Library,
    device: torch.device,
    *,
    far: bool = True,
    sparse: bool = True,
) -> np.ndarray:
    """Residue distributions of the targets of a block: (t, 20) float64, rows sum to 1.

    Logits are divided by the temperature of the chain's species, by more if `sparse` and little of
    its domain is observed, and, if `far`, by a higher one if the chain is far from its templates.
    Residues excluded by an ambiguity code get probability 0.
    """
    products = product_dtype(device)
    half = products is torch.bfloat16
    model = model.to(device, torch.float32 if half else products).eval()
    at = kmers.at()
    chosen = np.empty((len(at.kmer), N_RESIDUES))
    usual = dict.fromkeys(UNSEEN, UNSEEN_TEMPERATURE) | model.temperatures
    by_species = [usual.get(name, 1.0) for name in SPECIES]
    of_species = value_of_species(kmers.target_v(), by_species, none=1.0)
    temperatures = of_species * temperatures_of_sparse(kmers) if sparse else of_species
    if far:
        temperatures = np.maximum(temperatures, temperatures_of_far(kmers))
    order = _reading_order(at)
    turn = np.empty(len(kmers.tokens), dtype=np.int64)
    turn[order] = np.arange(len(order))
    by_turn = np.argsort(turn[at.kmer], kind="stable")
    turns = turn[at.kmer[by_turn]]
    done = 0
    for rows, batch in kmers.batches(model.AT_ONCE, library, torch.from_numpy(order)):
        mine = by_turn[slice(*np.searchsorted(turns, (done, done + len(rows))))]
        padding = (0, -len(mine) % PLACES_AT_ONCE)
        kmer = torch.from_numpy(np.pad(turn[at.kmer[mine]] - done, padding, "edge")).to(device)
        place = torch.from_numpy(np.pad(at.place[mine], padding, "edge")).long().to(device)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            logits = model.answer(on_device(batch, device), kmer, place)
        warm = torch.from_numpy(temperatures[mine, None]).to(device, logits.dtype)
        chosen[mine] = torch.softmax(logits[: len(mine)] / warm, -1).cpu().numpy()
        done += len(rows)
    chosen *= ALLOWED[kmers.tokens.numpy()[at.kmer, at.place]]
    return chosen / chosen.sum(1, keepdims=True)


def _reading_order(at: Targets) -> np.ndarray:
    """(n,) order that groups k-mers with similar target places."""
    begins = np.flatnonzero(np.diff(at.kmer, prepend=-1))  # every k-mer has a target
    ends = np.append(begins[1:], len(at.kmer)) - 1
    first, last = at.place[begins], at.place[ends[: len(begins)]]
    return np.lexsort((last, first // NEAR_PLACES))
