"""Records with arrays, from one job to the next: frozen dataclasses as safetensors files.

A record is a dataclass or named tuple whose fields are arrays, texts, numbers, such records, or
tuples, lists and dicts of these. Its arrays are tensors of the file, the rest is JSON in its
metadata; types come from the annotations of the class that it is read as.
"""

import json
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import torch

from lacuna.core.tensor_files import read_tensors, write_tensors

Record = TypeVar("Record")

_KEY = "record"
_REMEDY = "remove the file and run again"


def write_record(path: str | Path, record: Any) -> None:
    """Write a record, whole or not at all; the same record gives the same bytes."""
    arrays: list[np.ndarray] = []
    skeleton = _flat(record, arrays)
    tensors = {f"{i:05d}": torch.from_numpy(np.array(array)) for i, array in enumerate(arrays)}
    write_tensors(path, tensors, {_KEY: json.dumps(skeleton, separators=(",", ":"))})


def read_record(path: str | Path, kind: type[Record]) -> Record:
    """The record that `write_record` wrote, as a `kind`; LacunaError if the file is damaged."""
    tensors, metadata = read_tensors(path, _REMEDY)
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    record: Record = _built(kind, json.loads(metadata[_KEY]), arrays)
    return record


def _flat(value: Any, arrays: list[np.ndarray]) -> Any:
    """The value as JSON can hold it, each array replaced by its number."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return len(arrays) - 1
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value):
        return [_flat(getattr(value, field.name), arrays) for field in fields(value)]
    if isinstance(value, Mapping):
        return [[_flat(k, arrays), _flat(v, arrays)] for k, v in value.items()]
    if isinstance(value, tuple | list):
        return [_flat(item, arrays) for item in value]
    return value


def _built(kind: Any, value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The value of a type from what `_flat` made of it."""
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if value is None:
        return None
    if origin in (types.UnionType, Union):
        (kind,) = (one for one in inner if one is not type(None))
        return _built(kind, value, arrays)
    if origin is np.ndarray:
        return arrays[f"{value:05d}"]
    if is_dataclass(origin) or hasattr(origin, "_fields"):
        # In the order of the fields.
        parts = zip(get_type_hints(origin).values(), value, strict=True)
        return origin(*(_built(hint, part, arrays) for hint, part in parts))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        of_key, of_value = inner
        pairs = ((_built(of_key, k, arrays), _built(of_value, v, arrays)) for k, v in value)
        return dict(pairs)
    if origin is tuple:
        return tuple(_items(inner, value, arrays))
    if isinstance(origin, type) and issubclass(origin, Sequence) and origin is not str:
        return [_built(inner[0], item, arrays) for item in value]
    return value


def _items(inner: tuple[Any, ...], value: Sequence[Any], arrays: Any) -> Iterator[Any]:
    kinds = [inner[0]] * len(value) if inner[1:] == (...,) else inner
    for kind, item in zip(kinds, value, strict=True):
        yield _built(kind, item, arrays)
