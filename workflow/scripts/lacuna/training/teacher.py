"""A large network that teaches the small one: a transformer that also reads templates.

Its body is that of AntiBERTy (`transformer.py`) and starts from its weights. The added
layers that read and copy templates start at zero: before training the teacher gives the same
predictions as AntiBERTy.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from lacuna.core.files import LacunaError
from lacuna.core.tensor_files import kinds_of, misfit, not_finite
from lacuna.network.model import GapNetwork, Kmers, ModelConfig, TemplateReader
from lacuna.network.transformer import (
    EPSILON,
    FETCH,
    N_WORDS,
    PAD,
    TransformerConfig,
    TransformerLayer,
    antiberty_sizes,
    antiberty_tensors,
    as_words,
)
from lacuna.network.weights import REMEDY, filled, read_settings, sizes_in


class Teacher(TemplateReader):
    """Logits of the 20 residues at every position of a k-mer."""

    FORMAT = GapNetwork.FORMAT + "-teacher"

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
        for added in (self.features, self.template_trust, self.profile_trust):
            nn.init.zeros_(added.weight)
            nn.init.zeros_(added.bias)
        nn.init.zeros_(self.lookup)

    def settings(self) -> dict[str, object]:
        """Settings from which the network is built; stored with its weights."""
        return {**self.config.as_dict(), "transformer": self.sizes.as_dict()}

    def forward(self, kmers: Kmers) -> Tensor:
        """Kmers of n windows -> (n, k, 20) logits."""
        words = as_words(kmers.tokens)
        at = torch.arange(words.shape[1], device=words.device)
        x = self.words(words) + self.positions(at)
        read = self.read(kmers)
        x = x + nn.functional.pad(read.x, (0, 0, 1, 1))
        x = self.drop(self.norm(x))
        there = (words != PAD)[:, None, None]
        for layer in self.layers:
            x = layer(x, there)
        y = self.norm_out(gelu(self.transform(x[:, 1:-1])))
        return self.logits(y, read.templates, read.profiles)


def teacher_from(wheel: Path | str, config: ModelConfig) -> Teacher:
    """The teacher before training; LacunaError if the wheel is not AntiBERTy's."""
    tensors = antiberty_tensors(wheel)
    try:
        sizes = antiberty_sizes(tensors)
        with torch.device("meta"):  # shapes without memory
            made = kinds_of(Teacher(config, sizes).state_dict())
        fault = misfit(kinds_of(tensors), {k: v for k, v in made.items() if k in tensors})
    except (ValueError, RuntimeError) as error:  # sizes out of bounds or inconsistent
        fault = " ".join(str(error).split())
    fault = fault or not_finite(tensors)
    if fault:
        raise LacunaError(f"{wheel}: its weights are not AntiBERTy's ({fault}); {FETCH}")
    teacher = Teacher(config, sizes)
    teacher.load_state_dict({**teacher.state_dict(), **tensors}, strict=True)
    return teacher


def load_teacher(path: Path | str) -> Teacher:
    """Load a teacher from a weights file; raises LacunaError as `load_weights` does."""
    stored, record = read_settings(path, Teacher.FORMAT)
    transformer = stored.pop("transformer", {})
    sizes, inner = (
        sizes_in(path, ModelConfig, stored),
        sizes_in(path, TransformerConfig, transformer),
    )
    if inner.width % inner.heads:
        raise LacunaError(
            f"{path}: 'width' is {inner.width}, not a multiple of 'heads', {inner.heads}; {REMEDY}"
        )
    return filled(path, lambda: Teacher(sizes, inner), record)
