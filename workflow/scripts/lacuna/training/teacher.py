"""A large network that teaches the small one: a transformer that also reads templates.

Its body is that of AntiBERTy (`transformer.py`) and starts from its weights. The added layers that
read and copy templates start at zero: before training the teacher gives the same predictions as
AntiBERTy.
"""

from pathlib import Path

from torch import Tensor, nn

from lacuna.core.files import LacunaError
from lacuna.network.language_model import read_antiberty
from lacuna.network.model import GapNetwork, Kmers, ModelConfig, TemplateReader
from lacuna.network.transformer import AntibertyBody, TransformerConfig
from lacuna.network.weights import REMEDY, filled, read_settings, sizes_in


class Teacher(TemplateReader, AntibertyBody):
    """Logits of the 20 residues at every position of a k-mer."""

    FORMAT = GapNetwork.FORMAT + "-teacher"

    def __init__(self, config: ModelConfig, sizes: TransformerConfig) -> None:
        super().__init__(config, sizes.width)
        self.build_body(sizes)
        for added in (self.features, self.template_trust, self.profile_trust):
            nn.init.zeros_(added.weight)
            nn.init.zeros_(added.bias)
        nn.init.zeros_(self.lookup)

    def settings(self) -> dict[str, object]:
        """Settings from which the network is built; stored with its weights."""
        return {**self.config.as_dict(), "transformer": self.sizes.as_dict()}

    def forward(self, kmers: Kmers) -> Tensor:
        """Kmers of n windows -> (n, k, 20) logits."""
        read = self.read(kmers)
        return self.logits(self.states(kmers.tokens, read.x), read.templates, read.profiles)


def teacher_from(wheel: Path | str, config: ModelConfig) -> Teacher:
    """The teacher before training; LacunaError if the wheel is not AntiBERTy's."""
    sizes, tensors = read_antiberty(wheel)
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
