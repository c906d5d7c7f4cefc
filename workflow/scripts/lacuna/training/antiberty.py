"""AntiBERTy's weights from its Python wheel: the large network begins with them.

AntiBERTy (Ruffolo, Gray and Sulam 2021, arXiv:2112.07782; MIT licence) was trained on 558 million
antibody sequences. It knows no templates: the layers that read and copy them start at zero, so that
before training the large network gives the same predictions as AntiBERTy.
"""

import io
import pickle  # nosec B403
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from lacuna.core.files import LacunaError, file_digest
from lacuna.core.sizes import read_sizes
from lacuna.core.tensor_files import kinds_of, misfit, not_finite
from lacuna.network.model import ModelConfig
from lacuna.network.transformer import FIRST_RESIDUE, LargeNetwork, TransformerConfig

CHECKPOINT = "antiberty/trained_models/AntiBERTy_md_smooth/pytorch_model.bin"
MOST_BYTES = 1 << 29  # of the checkpoint; AntiBERTy's has a fifth of that
FETCH = "fetch antiberty 0.1.3 again"
_ADDED = ("features", "template_trust", "profile_trust", "lookup")  # the layers that it lacks


def large_network_from(wheel: Path | str, config: ModelConfig) -> LargeNetwork:
    """The large network before training; LacunaError if the wheel is not AntiBERTy's."""
    tensors = antiberty_tensors(wheel)
    fault: str | None
    try:
        network = LargeNetwork(config, antiberty_sizes(tensors))
    except (ValueError, RuntimeError) as error:  # sizes out of bounds or inconsistent
        fault = " ".join(str(error).split())
    else:
        own = network.state_dict()
        theirs = {name: x for name, x in own.items() if name.split(".")[0] not in _ADDED}
        fault = misfit(kinds_of(tensors), kinds_of(theirs)) or not_finite(tensors)
    if fault:
        raise LacunaError(f"{wheel}: its weights are not AntiBERTy's ({fault}); {FETCH}")
    network.load_state_dict({**own, **tensors}, strict=True)
    for added in (network.features, network.template_trust, network.profile_trust):
        nn.init.zeros_(added.weight)
        nn.init.zeros_(added.bias)
    nn.init.zeros_(network.lookup)
    network.record = {"package": "antiberty 0.1.3", "licence": "MIT", "sha256": file_digest(wheel)}
    return network


def antiberty_sizes(tensors: Mapping[str, Tensor]) -> TransformerConfig:
    """Sizes of AntiBERTy's tensors; ValueError if they are out of bounds."""
    positions, width = tensors["positions.weight"].shape
    return read_sizes(
        TransformerConfig,
        {
            "width": width,
            "layers": len([name for name in tensors if name.endswith(".qkv.weight")]),
            "inner": len(tensors["layers.0.up.weight"]),
            "positions": positions,
        },
    )


def antiberty_tensors(path: Path | str) -> dict[str, Tensor]:
    """AntiBERTy's weights from its Python wheel, named as in `LargeNetwork`.

    Raises LacunaError if the file is not a wheel of AntiBERTy with its weights (0.1.3 is).
    """
    try:
        with zipfile.ZipFile(path) as wheel:
            if wheel.getinfo(CHECKPOINT).file_size > MOST_BYTES:
                raise LacunaError(f"{path}: its weights are too large for AntiBERTy's; {FETCH}")
            stored = io.BytesIO(wheel.read(CHECKPOINT))
    except (KeyError, zipfile.BadZipFile):
        raise LacunaError(
            f"{path}: not a wheel with {CHECKPOINT}; give that of antiberty 0.1.3"
        ) from None
    try:
        theirs = torch.load(stored, map_location="cpu", weights_only=True)  # runs no code
    except (pickle.UnpicklingError, RuntimeError, EOFError):
        raise LacunaError(
            f"{path}: its weights cannot be read without running code; {FETCH}"
        ) from None
    try:
        return _renamed(theirs)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        raise LacunaError(f"{path}: its weights are not AntiBERTy's ({fault}); {FETCH}") from None


def _renamed(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of AntiBERTy's checkpoint by our names; raises some error for other checkpoints."""
    embeddings = "bert.embeddings."
    kinds = theirs[embeddings + "token_type_embeddings.weight"][0]  # all tokens are of type 0
    ours = {
        "words.weight": theirs[embeddings + "word_embeddings.weight"],
        "positions.weight": theirs[embeddings + "position_embeddings.weight"] + kinds,
    }
    pairs = {
        "norm": embeddings + "LayerNorm",
        "transform": "cls.predictions.transform.dense",
        "norm_out": "cls.predictions.transform.LayerNorm",
    }
    last = 1 + max(int(name.split(".")[3]) for name in theirs if ".layer." in name)
    parts = {
        "out": "attention.output.dense",
        "norm": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm_2": "output.LayerNorm",
    }
    for i in range(last):
        layer = f"bert.encoder.layer.{i}."
        pairs |= {f"layers.{i}.{our}": layer + their for our, their in parts.items()}
        for kind in ("weight", "bias"):
            qkv = [theirs[f"{layer}attention.self.{x}.{kind}"] for x in ("query", "key", "value")]
            ours[f"layers.{i}.qkv.{kind}"] = torch.cat(qkv)
    for our, their in pairs.items():
        for kind in ("weight", "bias"):
            ours[f"{our}.{kind}"] = theirs[f"{their}.{kind}"]
    ours["residue_logits.weight"] = theirs["cls.predictions.decoder.weight"][FIRST_RESIDUE:]
    ours["residue_logits.bias"] = theirs["cls.predictions.decoder.bias"][FIRST_RESIDUE:]
    return ours
