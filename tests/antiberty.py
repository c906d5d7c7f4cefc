"""A wheel like AntiBERTy's, with small random weights."""

import io
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from lacuna.training.antiberty import CHECKPOINT

WIDTH, INNER, LAYERS = 32, 48, 2
BERT = "bert.embeddings."
HEAD = "cls.predictions."


def checkpoint() -> dict[str, Tensor]:
    """Random weights under the names of AntiBERTy's checkpoint."""
    generator = torch.Generator().manual_seed(3)
    shapes: dict[str, tuple[int, ...]] = {
        BERT + "word_embeddings.weight": (25, WIDTH),
        BERT + "position_embeddings.weight": (256, WIDTH),
        BERT + "token_type_embeddings.weight": (2, WIDTH),
        HEAD + "decoder.weight": (25, WIDTH),
        HEAD + "decoder.bias": (25,),
    }
    norms = [BERT + "LayerNorm", HEAD + "transform.LayerNorm"]
    products = {HEAD + "transform.dense": (WIDTH, WIDTH)}
    for i in range(LAYERS):
        layer = f"bert.encoder.layer.{i}."
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            products[f"{layer}attention.{name}"] = (WIDTH, WIDTH)
        products[layer + "intermediate.dense"] = (INNER, WIDTH)
        products[layer + "output.dense"] = (WIDTH, INNER)
        norms += [layer + "attention.output.LayerNorm", layer + "output.LayerNorm"]
    for name in norms:
        shapes |= {f"{name}.{kind}": (WIDTH,) for kind in ("weight", "bias")}
    for name, shape in products.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return {k: torch.randn(v, generator=generator) * 0.3 for k, v in shapes.items()}


def write_wheel(path: Path) -> None:
    """Write a wheel of antiberty 0.1.3 that contains this checkpoint and that pip accepts."""
    content = io.BytesIO()
    torch.save(checkpoint(), content)
    info = "antiberty-0.1.3.dist-info/"
    about = "Metadata-Version: 2.1\nName: antiberty\nVersion: 0.1.3\n"
    tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(CHECKPOINT, content.getvalue())
        wheel.writestr(info + "METADATA", about)
        wheel.writestr(info + "WHEEL", tag)
        wheel.writestr(info + "RECORD", "")
