"""Safetensors files: written whole, checked by digest, the same bytes for the same content."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from lacuna.core.files import LacunaError, atomic_write_bytes
from lacuna.core.tensor_metadata import damage_named

Kinds = Mapping[str, tuple[torch.dtype, tuple[int, ...]]]  # type and shape by name

Record = TypeVar("Record")

_DIGEST = "sha256"
_ALIGNMENT = 8  # of the header, in bytes
_TYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}


def tensors_of(found: Any) -> dict[str, Tensor]:
    """The tensors of a dataclass that holds nothing else, by the names of its fields."""
    return {field.name: getattr(found, field.name) for field in fields(found)}


def on_device(found: Record, device: torch.device) -> Record:
    """The dataclass, which holds nothing but tensors, with these on a device."""
    return type(found)(**{name: x.to(device) for name, x in tensors_of(found).items()})


def write_tensors(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]
) -> None:
    """Write a safetensors file with a digest of its tensors, as `atomic_write_bytes` writes it."""
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    blob = save(tensors, {**metadata, _DIGEST: digest_of(tensors)})
    # The library writes metadata in random order.
    size = int.from_bytes(blob[:_ALIGNMENT], "little")
    header = json.loads(blob[_ALIGNMENT : _ALIGNMENT + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with atomic_write_bytes(path) as handle:
        handle.write(len(text).to_bytes(_ALIGNMENT, "little"))
        handle.write(text)
        handle.write(memoryview(blob)[_ALIGNMENT + size :])


def read_header(path: str | Path, remedy: str) -> tuple[Kinds, dict[str, str]]:
    """Types and shapes of the tensors, and the metadata, as the header states them.

    No tensor is read. Raises LacunaError with `remedy` if the file is damaged.
    """
    with damage_named(path, remedy), safe_open(str(path), "pt") as handle:
        kinds = {name: _kind(handle.get_slice(name)) for name in handle.keys()}
        return kinds, dict(handle.metadata() or {})


def _kind(tensor: Any) -> tuple[torch.dtype, tuple[int, ...]]:
    return _TYPES[tensor.get_dtype()], tuple(tensor.get_shape())


def kinds_of(tensors: Mapping[str, Tensor]) -> Kinds:
    """Types and shapes, as `read_header` returns them for a file of these tensors."""
    return {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()}


def misfit(found: Kinds, wanted: Kinds) -> str | None:
    """The first difference from the wanted tensors, in a few words; None if they fit."""
    for name, (dtype, shape) in wanted.items():
        if name not in found:
            return f"it lacks {name}"
        if found[name] != (dtype, shape):
            return f"{name} is {_shown(*found[name])}, not {_shown(dtype, shape)}"
    surplus = next((name for name in found if name not in wanted), None)
    return None if surplus is None else f"it has {ascii(surplus)[:60]} too"


def _shown(dtype: torch.dtype, shape: tuple[int, ...]) -> str:
    """Type and shape in words, such as `float32 of 3 x 128`."""
    return f"{str(dtype).removeprefix('torch.')} of {' x '.join(map(str, shape)) or 'one number'}"


def not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The first tensor with NaN or infinite values, in a few words; None if all are finite."""
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            return f"{name} holds values that are not finite"
    return None


def json_of(metadata: Mapping[str, str], key: str, path: str | Path, remedy: str) -> dict[str, Any]:
    """The JSON object under a key of a file's metadata; LacunaError if there is none."""
    try:
        found = json.loads(metadata[key])
    except KeyError:
        raise LacunaError(f"{path}: its metadata lack '{key}'; {remedy}") from None
    except (ValueError, RecursionError):
        raise LacunaError(f"{path}: '{key}' in its metadata is not JSON; {remedy}") from None
    if not isinstance(found, dict):
        raise LacunaError(f"{path}: '{key}' in its metadata is not a JSON object; {remedy}")
    return found


def read_tensors(
    path: str | Path, remedy: str, device: str = "cpu"
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name on a device, and metadata. Raises LacunaError with `remedy` if damaged.

    Files without a digest, as other programs write them, are read unchecked.
    """
    with damage_named(path, remedy):
        with safe_open(str(path), "pt") as handle:
            metadata = dict(handle.metadata() or {})
        tensors = load_file(str(path), device)
    if _DIGEST in metadata and metadata[_DIGEST] != digest_of(tensors):
        raise LacunaError(f"{path}: damaged (its digest does not fit its content); {remedy}")
    return tensors, metadata


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) of names, types, shapes and values, in order of names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        if tensor.numel():  # an empty one has no bytes, and may have a stride that forbids a view
            digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
