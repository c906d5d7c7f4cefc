"""Weights files: safetensors with the sizes of the network and the record of its training."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from lacuna.antibody.germlines import SPECIES
from lacuna.core.files import LacunaError
from lacuna.core.sizes import read_sizes
from lacuna.core.tensor_files import (
    json_of,
    kinds_of,
    misfit,
    not_finite,
    read_header,
    read_tensors,
    write_tensors,
)
from lacuna.core.tensor_metadata import WEIGHTS_REMEDY
from lacuna.network.model import GapNetwork, ModelConfig, TemplateReader
from lacuna.network.packing import pack, packed_kinds, unpack

Record = dict[str, Any]  # JSON
Network = TypeVar("Network", bound=TemplateReader)
Sizes = TypeVar("Sizes")


def save_weights(path: Path, model: TemplateReader, record: Record) -> None:
    """Write weights, with the model settings and the training record as metadata."""
    tensors = {name: x.float() for name, x in model.state_dict().items()}
    write_tensors(path, tensors, _metadata(model, record))


def _metadata(model: TemplateReader, record: Record) -> dict[str, str]:
    return {
        "format": model.FORMAT,
        "model": json.dumps(model.settings(), sort_keys=True),
        "record": json.dumps(record, sort_keys=True),
    }


def save_packed(path: Path, model: TemplateReader, record: Record) -> None:
    """Write weights as `save_weights` does, but matrices in four bits a number (`packing`)."""
    tensors = {name: x.float() for name, x in model.state_dict().items()}
    packed = {k: v for name, x in tensors.items() for k, v in pack(name, x).items()}
    write_tensors(path, packed, _metadata(model, record))


def load_weights(path: Path | str) -> GapNetwork:
    """Load the network of a weights file, ready for use.

    Raises LacunaError if the file is damaged, is of another format, has sizes out of bounds, or if
    its tensors do not fit these sizes or are not finite. Sizes and shapes are checked before the
    network is built and any tensor is read.
    """
    stored, record = read_settings(path, GapNetwork.FORMAT)
    sizes = sizes_in(path, ModelConfig, stored)
    return filled(path, lambda: GapNetwork(sizes), record)


def read_settings(path: Path | str, expected: str) -> tuple[Record, Record]:
    """Model settings and training record of a file; LacunaError if it is of another format."""
    _, metadata = read_header(path, WEIGHTS_REMEDY)
    if metadata.get("format") != expected:
        given = ascii(metadata.get("format"))[:60]
        raise LacunaError(f"{path}: format {given}, not {expected!r}; give a file of that format")
    record = json_of(metadata, "record", path, WEIGHTS_REMEDY) if "record" in metadata else {}
    return json_of(metadata, "model", path, WEIGHTS_REMEDY), record


def sizes_in(path: Path | str, kind: type[Sizes], stored: object) -> Sizes:
    """Sizes stored in a file; LacunaError if one of them is invalid."""
    try:
        if not isinstance(stored, dict):
            raise ValueError("'transformer' is not a JSON object")
        return read_sizes(kind, stored)
    except ValueError as error:
        raise LacunaError(
            f"{path}: the weights do not fit their own model config ({error}); {WEIGHTS_REMEDY}"
        ) from None


def filled(path: Path | str, make: Callable[[], Network], record: Record) -> Network:
    """The network with the tensors of a file and its record; LacunaError if they do not fit.

    Tensors may be packed.
    """
    with torch.device("meta"):  # shapes without memory
        plain = kinds_of(make().state_dict())
    found, _ = read_header(path, WEIGHTS_REMEDY)
    fault = misfit(found, packed_kinds(plain, found))
    if fault:
        raise LacunaError(
            f"{path}: the weights do not fit their own model config ({fault}); {WEIGHTS_REMEDY}"
        )
    tensors, _ = read_tensors(path, WEIGHTS_REMEDY)
    fault = not_finite(tensors)
    if fault:
        raise LacunaError(f"{path}: the weights are damaged ({fault}); {WEIGHTS_REMEDY}")
    model = make()
    model.load_state_dict(unpack(tensors, plain), strict=True)
    model.record = record
    model.temperatures = _temperatures_in(path, record)
    return model.eval()


def _temperatures_in(path: Path | str, record: Record) -> dict[str, float]:
    """Temperatures by species stored in a record; LacunaError if one of them is invalid."""
    stored = record.get("temperatures", {})
    fit = isinstance(stored, dict) and all(
        name in SPECIES and type(value) in (int, float) and 0 < value < math.inf
        for name, value in stored.items()
    )
    if not fit:
        raise LacunaError(
            f"{path}: the temperatures of the weights are not positive numbers by species "
            f"({ascii(stored)[:60]}); {WEIGHTS_REMEDY}"
        )
    return {name: float(value) for name, value in stored.items()}
