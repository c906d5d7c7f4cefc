"""The transformer of AntiBERTy, and its weights from its Python wheel.

AntiBERTy (Ruffolo, Gray and Sulam 2021, arXiv:2112.07782; MIT licence) is a BERT with 26 million
parameters, trained on 558 million antibody sequences.
"""

import io
import pickle  # nosec B403
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.sizes import read_sizes, share, size

CHECKPOINT = "antiberty/trained_models/AntiBERTy_md_smooth/pytorch_model.bin"
MOST_BYTES = 1 << 29  # of the checkpoint; AntiBERTy's has a fifth of that
# AntiBERTy's vocabulary: five special tokens, then the residues in our order.
PAD, _CLS, _SEP, _MASK, _FIRST_RESIDUE = 0, 2, 3, 4, 5
FETCH = "fetch antiberty 0.1.3 again"
N_WORDS = _FIRST_RESIDUE + N_RESIDUES
EPSILON = 1e-12  # of its layer norms


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """Sizes of the transformer; the defaults are AntiBERTy's."""

    width: int = size(512, range(1, 8193))
    layers: int = size(8, range(1, 129))
    heads: int = size(8, range(1, 129))
    inner: int = size(2048, range(1, 65537))
    positions: int = size(512, range(3, 65537))
    dropout: float = share(0.1)

    def as_dict(self) -> dict[str, int | float]:
        """Sizes by name."""
        return asdict(self)


class TransformerLayer(nn.Module):
    """Self-attention and a feed-forward block, each with a residual connection and layer norm."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        d = config.width
        self.heads, self.dropout = config.heads, config.dropout
        self.qkv = nn.Linear(d, 3 * d)
        self.out = nn.Linear(d, d)
        self.norm = nn.LayerNorm(d, EPSILON)
        self.up, self.down = nn.Linear(d, config.inner), nn.Linear(config.inner, d)
        self.norm_2 = nn.LayerNorm(d, EPSILON)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """x (n, k, d); there (n, 1, 1, k) bool, False at padding -> (n, k, d)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        mixed = scaled_dot_product_attention(q, k, v, attn_mask=there, dropout_p=dropout)
        x = self.norm(x + self.drop(self.out(mixed.transpose(1, 2).flatten(2))))
        result: Tensor = self.norm_2(x + self.drop(self.down(gelu(self.up(x)))))
        return result


class AntibertyBody(nn.Module):
    """The part of AntiBERTy that its readers share: from residues to states of its last layer."""

    def build_body(self, sizes: TransformerConfig) -> None:
        """Add the layers, under the names that weights files have for them."""
        d = sizes.width
        self.sizes = sizes
        self.words = nn.Embedding(N_WORDS, d)
        self.positions = nn.Embedding(sizes.positions, d)
        self.norm = nn.LayerNorm(d, EPSILON)
        self.layers = nn.ModuleList(TransformerLayer(sizes) for _ in range(sizes.layers))
        self.transform = nn.Linear(d, d)
        self.norm_out = nn.LayerNorm(d, EPSILON)
        self.drop = nn.Dropout(sizes.dropout)

    def states(self, tokens: Tensor, added: Tensor | None = None) -> Tensor:
        """States (n, k, d) of n chains: tokens (n, k), ABSENT after each chain.

        added: (n, k, d), what else is known of each place.
        """
        words = as_words(tokens)
        # A GPU multiplies and attends several times faster in multiples of eight.
        words = nn.functional.pad(words, (0, -words.shape[1] % 8), value=PAD)
        there = (words != PAD)[:, None, None]
        at = torch.arange(words.shape[1], device=words.device).clamp(max=self.sizes.positions - 1)
        x = self.words(words) + self.positions(at)  # (n, k + 2, d)
        if added is not None:
            x = x + nn.functional.pad(added, (0, 0, 1, words.shape[1] - added.shape[1] - 1))
        x = self.drop(self.norm(x))
        for layer in self.layers:
            x = layer(x, there)
        states: Tensor = self.norm_out(gelu(self.transform(x[:, 1 : 1 + tokens.shape[1]])))
        return states


def as_words(tokens: Tensor) -> Tensor:
    """Words (n, k + 2) of chains (n, k) of tokens, from the first place on, with their two marks.

    Every residue that is not known for certain is masked; what is absent is padding.
    """
    words = torch.where(tokens < N_RESIDUES, tokens.long() + _FIRST_RESIDUE, _MASK)
    words = words.masked_fill(tokens == ABSENT, PAD)
    words = nn.functional.pad(words, (1, 1), value=PAD)
    words[:, 0] = _CLS
    return words.scatter(1, 1 + (tokens != ABSENT).sum(1, keepdim=True), _SEP)


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
    """AntiBERTy's weights from its Python wheel, named as in `AntibertyBody`.

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
    ours["residue_logits.weight"] = theirs["cls.predictions.decoder.weight"][_FIRST_RESIDUE:]
    ours["residue_logits.bias"] = theirs["cls.predictions.decoder.bias"][_FIRST_RESIDUE:]
    return ours
