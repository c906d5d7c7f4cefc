"""Scaffolds as JSON lines: how a block of them is passed from one rule to the next.

A line is the list of a scaffold's fields in their order, and so is each record within it.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args, get_type_hints

from lacuna.core.files import LacunaError, atomic_write, open_text
from lacuna.scaffolds.scaffold import Scaffold


def to_json(scaffold: Scaffold) -> str:
    """A scaffold as one compact line of JSON, without a line end."""
    return json.dumps(scaffold, default=_listed, ensure_ascii=False, separators=(",", ":"))


def from_json(line: str) -> Scaffold:
    """The scaffold in a line of `to_json`; ValueError if it is not such a line."""
    try:
        scaffold: Scaffold = _record(Scaffold, json.loads(line))
    except (TypeError, ValueError) as error:
        raise ValueError(f"not a scaffold ({error})") from None
    return scaffold


def _listed(record: Any) -> tuple[Any, ...]:
    """The fields of a record; dataclasses.astuple does the same ten times slower."""
    kind: type = type(record)
    return _fields_of(kind)(record)


@cache
def _fields_of(kind: type) -> attrgetter:
    return attrgetter(*(field.name for field in fields(kind)))


def _record(kind: type, values: list[Any]) -> Any:
    """A record from the list of its fields."""
    each = zip(_makers(kind), values, strict=True)
    return kind(*(v if make is None or v is None else make(v) for make, v in each))


@cache  # type hints take longer to read than a line
def _makers(kind: type) -> list[Callable[[Any], Any] | None]:
    """What makes each field of a record of what JSON has in its place; None if that is the same."""
    return [_maker(hint) for hint in get_type_hints(kind).values()]


def _maker(hint: Any) -> Callable[[Any], Any] | None:
    """As `_makers`, for a type: a record, a tuple, a plain value, or one of these or None."""
    if isinstance(hint, type) and is_dataclass(hint):
        return partial(_record, hint)
    inner = get_args(hint)
    if type(None) in inner:
        return _maker(inner[0])
    if not inner:
        return None
    make = _maker(inner[0])
    return tuple if make is None else lambda values: tuple(map(make, values))


def block_path(folder: Path, block: int | str) -> Path:
    """File of the scaffolds of a block."""
    return folder / f"{int(block):05d}.jsonl"


def write_scaffolds(path: str | Path, scaffolds: Iterable[Scaffold]) -> None:
    """Write a block of scaffolds as JSON lines, whole or not at all (gzipped if named .gz)."""
    with atomic_write(path) as handle:
        for scaffold in scaffolds:
            handle.write(to_json(scaffold) + "\n")


def read_scaffold_block(path: str | Path) -> list[Scaffold]:
    """Read a file of `write_scaffolds`; LacunaError names a line that is invalid."""
    scaffolds = []
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            try:
                scaffolds.append(from_json(line))
            except ValueError as error:
                raise LacunaError(
                    f"{path}:{number}: {error}; remove the file and run again"
                ) from None
    return scaffolds


def read_blocks(folder: Path) -> Iterator[Scaffold]:
    """Yield the scaffolds of all blocks in a folder, in order; LacunaError as of one block."""
    for block in sorted(folder.glob("[0-9]*.jsonl")):
        yield from read_scaffold_block(block)
