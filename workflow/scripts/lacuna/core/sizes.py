"""Sizes of a network as stored with its weights: read strictly, within bounds."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

Config = TypeVar("Config")


def size(default: int, allowed: range | None = None) -> Any:
    """A field for a whole number in `allowed`; without `allowed` only its default is valid."""
    allowed = range(default, default + 1) if allowed is None else allowed
    return dataclasses.field(default=default, metadata={"allowed": allowed})


def share(default: float) -> Any:
    """A field for a number from 0 to less than 1."""
    return dataclasses.field(default=default, metadata={"allowed": None})


def read_sizes(kind: type[Config], stored: Mapping[str, object]) -> Config:
    """Make the dataclass `kind`, whose fields come from `size` and `share`, from stored values.

    Values that are not stored take their defaults. Raises ValueError that names the first value
    that is unknown, of another type or out of bounds, so no network of such sizes is ever built.
    """
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name, value in stored.items():
        shown = f"{name[:40]!r} is {repr(value)[:40]}"
        if name not in fields:
            raise ValueError(f"{shown}, which is not a size of a network")
        allowed: range | None = fields[name].metadata["allowed"]
        if allowed is None:
            if type(value) not in (int, float) or not _is_share(value):
                raise ValueError(f"{shown}, not a number from 0 to less than 1")
        elif type(value) is not int or value not in allowed:
            raise ValueError(f"{shown}, not {_said(allowed)}")
    return kind(**stored)


def _is_share(value: Any) -> bool:
    return math.isfinite(value) and 0 <= value < 1


def _said(allowed: range) -> str:
    first, last = allowed[0], allowed[-1]
    if first == last:
        return str(first)
    return f"{'an odd' if allowed.step == 2 else 'a whole'} number from {first} to {last}"
