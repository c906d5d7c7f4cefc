"""AntiBERTy as a second reader of V domains, for the thorough mode.

It knows antibodies from far more sequences than the network, but no templates: it reads a V domain
with its missing residues masked and predicts each of them.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.core.device import product_dtype
from lacuna.core.files import LacunaError
from lacuna.core.tensor_files import (
    kinds_of,
    misfit,
    not_finite,
    read_header,
    read_tensors,
    write_tensors,
)
from lacuna.network.transformer import (
    FETCH,
    AntibertyBody,
    TransformerConfig,
    antiberty_sizes,
    antiberty_tensors,
)
from lacuna.network.weights import Record, read_settings, sizes_in

FORMAT = "antiberty-1"
REMEDY = "delete it and fetch it again by 'snakemake --cores 1 fetch_thorough'"
STORED = torch.float16  # halves the file; no probability changes by more than .002
BATCH = 8  # domains per forward pass; fixed, so that results do not depend on the batch
STEP = 64  # domains are padded to a multiple of this, less the two marks


class LanguageModel(AntibertyBody):
    """Logits of the 20 residues at masked places of V domains."""

    def __init__(self, sizes: TransformerConfig) -> None:
        super().__init__()
        self.record: Record = {}  # where the weights are from
        self.build_body(sizes)
        self.residue_logits = nn.Linear(sizes.width, N_RESIDUES)

    @property
    def longest(self) -> int:
        """Residues of the longest domain that it reads."""
        return self.sizes.positions - 2

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (n, k, 20) at every place of n domains: tokens (n, k), ABSENT after each one."""
        logits: Tensor = self.residue_logits(self.states(tokens))
        return logits


def predict_masked(
    model: LanguageModel,
    domains: Sequence[np.ndarray],
    places: Sequence[np.ndarray],
    device: torch.device,
) -> list[np.ndarray]:
    """Distributions at places of V domains, a (t, 20) float64 array for each.

    domains: tokens (k,) of each, at most `model.longest`; places: (t,) of each.
    """
    products = product_dtype(device)
    half = products is torch.bfloat16
    model = model.to(device, torch.float32 if half else products).eval()
    found: list[np.ndarray] = [np.empty((0, N_RESIDUES))] * len(domains)
    padded = [-(-(len(domain) + 2) // STEP) * STEP - 2 for domain in domains]
    for width in sorted(set(padded)):
        alike = [i for i, n in enumerate(padded) if n == width]
        for first in range(0, len(alike), BATCH):
            some = alike[first : first + BATCH]
            tokens = np.full((BATCH, min(width, model.longest)), ABSENT, dtype=np.uint8)
            for row, i in enumerate(some):
                tokens[row, : len(domains[i])] = domains[i]
            tokens[len(some) :] = tokens[0]  # a row of padding alone has no attention
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
                logits = model(torch.from_numpy(tokens).to(device))
            shares = torch.softmax(logits.double(), -1).cpu().numpy()
            for row, i in enumerate(some):
                found[i] = shares[row, places[i]]
    return found


def convert_antiberty(wheel: Path | str, out: Path, record: Record) -> None:
    """Write AntiBERTy's weights as `load_language_model` reads them, with a record of their origin.

    Raises LacunaError if the wheel is not AntiBERTy's.
    """
    sizes, tensors = read_antiberty(wheel)
    metadata = {
        "format": FORMAT,
        "model": json.dumps(sizes.as_dict(), sort_keys=True),
        "record": json.dumps(record, sort_keys=True),
    }
    write_tensors(out, {name: x.to(STORED) for name, x in tensors.items()}, metadata)


def read_antiberty(wheel: Path | str) -> tuple[TransformerConfig, dict[str, Tensor]]:
    """AntiBERTy's sizes and tensors, from its wheel; LacunaError if it is not AntiBERTy's."""
    tensors = antiberty_tensors(wheel)
    try:
        sizes = antiberty_sizes(tensors)
        fault = misfit(kinds_of(tensors), _wanted(sizes, torch.float32))
    except (ValueError, RuntimeError) as error:  # sizes out of bounds or inconsistent
        fault = " ".join(str(error).split())
    fault = fault or not_finite(tensors)
    if fault:
        raise LacunaError(f"{wheel}: its weights are not AntiBERTy's ({fault}); {FETCH}")
    return sizes, tensors


def load_language_model(path: Path | str) -> LanguageModel:
    """Load the model of a file of `convert_antiberty`; LacunaError if it cannot be used."""
    stored, record = read_settings(path, FORMAT)
    sizes = sizes_in(path, TransformerConfig, stored)
    try:
        wanted = _wanted(sizes, STORED)
    except (ValueError, RuntimeError) as error:
        raise LacunaError(f"{path}: {error}; {REMEDY}") from None
    found, _ = read_header(path, REMEDY)
    fault = misfit(found, wanted)
    if fault is None:
        tensors, _ = read_tensors(path, REMEDY)
        fault = not_finite(tensors)
    if fault:
        raise LacunaError(f"{path}: not AntiBERTy's weights ({fault}); {REMEDY}")
    model = LanguageModel(sizes)
    model.load_state_dict({name: x.float() for name, x in tensors.items()}, strict=True)
    model.record = record
    return model.eval()


def _wanted(sizes: TransformerConfig, dtype: torch.dtype) -> dict[str, tuple[torch.dtype, tuple]]:
    """Types and shapes of the tensors of a model of these sizes; ValueError if they do not fit."""
    if sizes.width % sizes.heads:
        raise ValueError(f"'width' is {sizes.width}, not a multiple of 'heads', {sizes.heads}")
    with torch.device("meta"):  # shapes without memory
        kinds = kinds_of(LanguageModel(sizes).state_dict())
    return {name: (dtype, shape) for name, (_, shape) in kinds.items()}
