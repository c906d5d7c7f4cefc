"""Safetensors files that are whole, undamaged and the same bytes for the same content."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from lacuna.files import LacunaError, writing

_DIGEST = "sha256"
_ALIGNMENT = 8  # of the header, in bytes


def write_tensors(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]
) -> None:
    """Write a safetensors file, whole or not at all, with a digest of its tensors.

    What a kill leaves beside it is overwritten next time. Raises LacunaError where the disk is full
    or may not be written.
    """
    path = Path(path)
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    blob = save(tensors, {**metadata, _DIGEST: digest_of(tensors)})
    # The library writes metadata in random order.
    size = int.from_bytes(blob[:_ALIGNMENT], "little")
    header = json.loads(blob[_ALIGNMENT : _ALIGNMENT + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    partial = path.with_name(f".{path.name}.part")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(partial, "wb") as handle:
                handle.write(len(text).to_bytes(_ALIGNMENT, "little"))
                handle.write(text)
                handle.write(memoryview(blob)[_ALIGNMENT + size :])
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def read_tensors(
    path: str | Path, remedy: str, device: str = "cpu"
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name on a device, and metadata; LacunaError with `remedy` where it is damaged.

    Files without a digest, as other programs write them, are taken as they are.
    """
    try:
        with safe_open(str(path), "pt") as handle:
            metadata = dict(handle.metadata() or {})
        tensors = load_file(str(path), device)
    except FileNotFoundError:
        raise LacunaError(f"{path}: no such file; check the path") from None
    except (OSError, SafetensorError, ValueError) as error:
        raise LacunaError(f"{path}: damaged or no safetensors file ({error}); {remedy}") from None
    if _DIGEST in metadata and metadata[_DIGEST] != digest_of(tensors):
        raise LacunaError(f"{path}: damaged (its digest does not fit its content); {remedy}")
    return tensors, metadata


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, types, shapes and values, in order of names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
