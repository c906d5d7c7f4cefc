"""Metadata of safetensors files, read without torch: before a run, or by jobs that need no more."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from lacuna.core.files import LacunaError

WEIGHTS_REMEDY = "train or fetch it again"


def read_metadata(path: Path | str, key: str) -> dict[str, Any]:
    """The JSON object under a key of the metadata in a file of weights or in its library.

    {} if there is none. Raises LacunaError if the file is damaged, or the text is not JSON.
    """
    with damage_named(path, WEIGHTS_REMEDY):
        with safe_open(str(path), "np") as handle:
            text = (handle.metadata() or {}).get(key, "{}")
        found = json.loads(text)
    return found if isinstance(found, dict) else {}


@contextmanager
def damage_named(path: Path | str, remedy: str) -> Iterator[None]:
    """Turn errors of reading a safetensors file into LacunaError with `remedy`."""
    try:
        yield
    except FileNotFoundError:
        raise LacunaError(f"{path}: no such file; check the path") from None
    except (
        OSError,
        SafetensorError,
        ValueError,
        KeyError,
        OverflowError,
        RecursionError,  # of nested JSON
    ) as error:
        if Path(path).is_dir():
            raise LacunaError(f"{path}: is a folder; name a file") from None
        raise LacunaError(
            f"{path}: damaged or not a safetensors file ({error}); {remedy}"
        ) from None
