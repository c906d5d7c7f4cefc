"""The large network: a transformer that reads k-mers with their templates.

It has the shape of AntiBERTy (Ruffolo, Gray and Sulam 2021, arXiv:2112.07782), a BERT with 26
million parameters, and starts its training from AntiBERTy's weights (`lacuna.training.antiberty`).
It teaches the small network, and reads chains together with it in the thorough mode.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from lacuna.antibody.germlines import SPECIES, UNSEEN, value_of_species
from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.sizes import share, size
from lacuna.core.tensor_metadata import WEIGHTS_REMEDY
from lacuna.core.windows import MARKS
from lacuna.network.model import Kmers, ModelConfig, TemplateReader
from lacuna.network.weights import filled, read_settings, sizes_in

# AntiBERTy's vocabulary: five special tokens, then the residues in our order.
PAD, _CLS, _SEP, _MASK, FIRST_RESIDUE = 0, 2, 3, 4, 5
N_WORDS = FIRST_RESIDUE + N_RESIDUES
EPSILON = 1e-12  # of its layer norms
# Share of its distributions in a mean with the small network's. Chosen by the likelihood of 400
# human chains of AbNatiV's tests and 300 of therapeutics: from 0.5 to 0.8 it hardly matters.
LARGE_SHARE = 0.7
# Of these species it has seen few natural chains, and its probabilities are too high. Its share is
# smaller there, by the likelihood of 250 VHHs of AbNatiV's tests, and none if the small network has
# seen more. It has none of species that neither has seen: fewer residues of natural dogs are right
# with any.
HARDLY_SEEN = {"alpaca": 0.5}
_STEP = 8  # k-mers are padded to a multiple of this: processors multiply such sizes faster


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """Sizes of the transformer; the defaults are AntiBERTy's."""

    width: int = size(512, range(1, 8193))
    layers: int = size(8, range(1, 129))
    heads: int = size(8, range(1, 129))
    inner: int = size(2048, range(1, 65537))
    positions: int = size(512, range(3, 65537))
    dropout: float = share(0.1)


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
        return self.norm_2(x + self.drop(self.down(gelu(self.up(x)))))


class LargeNetwork(TemplateReader):
    """Logits of the 20 residues at every position of a k-mer."""

    FORMAT = "lacuna-1-large"
    AT_ONCE = 8

    def __init__(self, config: ModelConfig, sizes: TransformerConfig) -> None:
        d = sizes.width
        super().__init__(config, d)
        self.sizes = sizes
        self.words = nn.Embedding(N_WORDS, d)
        self.positions = nn.Embedding(sizes.positions, d)
        self.norm = nn.LayerNorm(d, EPSILON)
        self.layers = nn.ModuleList(TransformerLayer(sizes) for _ in range(sizes.layers))
        self.transform = nn.Linear(d, d)
        self.norm_out = nn.LayerNorm(d, EPSILON)
        self.drop = nn.Dropout(sizes.dropout)

    def settings(self) -> dict[str, object]:
        """Settings from which the network is built; stored with its weights."""
        return {**asdict(self.config), "transformer": asdict(self.sizes)}

    def forward(self, kmers: Kmers) -> Tensor:
        """Kmers of n windows -> (n, k, 20) logits; LacunaError if k is more than it can read."""
        k, most = kmers.tokens.shape[1], self.sizes.positions - MARKS
        if k > most:
            raise LacunaError(
                f"k-mers of {k} residues: the large network reads at most {most}; "
                "lower 'kmer.length'"
            )
        read = self.read(kmers)
        words = as_words(kmers.tokens)  # (n, k + 2)
        words = nn.functional.pad(words, (0, -words.shape[1] % _STEP), value=PAD)
        there = (words != PAD)[:, None, None]
        # Padding may lie beyond the last position; what is there is not read.
        at = torch.arange(words.shape[1], device=words.device).clamp(max=self.sizes.positions - 1)
        x = self.words(words) + self.positions(at)
        x = x + nn.functional.pad(read.x, (0, 0, 1, words.shape[1] - k - 1))
        x = self.drop(self.norm(x))
        for layer in self.layers:
            x = layer(x, there)
        states = self.norm_out(gelu(self.transform(x[:, 1 : k + 1])))
        return self.logits(states, read.templates, read.profiles)


def as_words(tokens: Tensor) -> Tensor:
    """Words (n, k + 2) of chains (n, k) of tokens, from the first place on, with their two marks.

    Every residue that is not known for certain is masked; what is absent is padding.
    """
    words = torch.where(tokens < N_RESIDUES, tokens.long() + FIRST_RESIDUE, _MASK)
    words = words.masked_fill(tokens == ABSENT, PAD)
    words = nn.functional.pad(words, (1, 1), value=PAD)
    words[:, 0] = _CLS
    return words.scatter(1, 1 + (tokens != ABSENT).sum(1, keepdim=True), _SEP)


def share_of_large(v: np.ndarray, temperatures: Mapping[str, float]) -> np.ndarray:
    """(t,) share of the large network's distributions in a mean with the small network's.

    v: (t,) indices of the nearest V segments, -1 for none: the large network knows antibodies only.
    temperatures: of the small network, by species; one that has seen as few natural chains of a
    species has a temperature for it.
    """
    none_of = {*UNSEEN, *HARDLY_SEEN}.difference(temperatures)
    by_species = [
        0.0 if name in none_of else HARDLY_SEEN.get(name, LARGE_SHARE) for name in SPECIES
    ]
    return value_of_species(v, by_species, none=0.0)


def load_large(path: Path | str) -> LargeNetwork:
    """Load the large network of a weights file; raises LacunaError as `load_weights` does."""
    stored, record = read_settings(path, LargeNetwork.FORMAT)
    transformer = stored.pop("transformer", {})
    sizes = sizes_in(path, ModelConfig, stored)
    inner = sizes_in(path, TransformerConfig, transformer)
    if inner.width % inner.heads:
        raise LacunaError(
            f"{path}: 'width' is {inner.width}, not a multiple of 'heads', {inner.heads};"
            f" {WEIGHTS_REMEDY}"
        )
    return filled(path, lambda: LargeNetwork(sizes, inner), record)
