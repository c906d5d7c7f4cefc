"""What a result was made from: version, settings, and the digests of the files that were read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lacuna import __version__
from lacuna.core.files import file_digest


@dataclass(frozen=True, slots=True)
class File:
    """A file that the results were made from. Its folder is left out, since it is one machine's."""

    role: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """version of Lacuna; settings by name, in the order of the configuration; files."""

    version: str
    settings: tuple[tuple[str, str], ...]
    files: tuple[File, ...]


def provenance_of(settings: Mapping[str, Any], files: Iterable[tuple[str, Path]]) -> Provenance:
    """The provenance of a page. settings: of the run; files: what each is, and its path.

    Raises LacunaError if a file cannot be read.
    """
    return Provenance(
        __version__,
        tuple(_flat(settings)),
        tuple(File(role, path.name, file_digest(path)) for role, path in files),
    )


def _flat(settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield f"{name}.{key}", _written(inner)
        else:
            yield name, _written(value)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
