"""The configuration of a run beside its results: every key, the defaults included."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lacuna.core.files import atomic_write

# Tells the file from a config.yaml of the user's, which is never overwritten.
FIRST_LINE = (
    "# The settings of the last run in this folder, written by Lacuna, defaults included.\n"
)


def write_record(path: Path, config: Mapping[str, Any]) -> bool:
    """Write a checked configuration as YAML; False if the file is somebody else's.

    Paths are as the user gave them. The file can be given back to Snakemake by --configfile. Raises
    LacunaError if it cannot be written.
    """
    if path.exists() and not _is_record(path):
        return False
    with atomic_write(path) as handle:
        handle.write(FIRST_LINE)
        # In the order of the run: Snakemake takes a section in another order for another setting.
        yaml.safe_dump(dict(config), handle, allow_unicode=True, sort_keys=False)
    return True


def is_rewritten(path: Path, record: Path) -> bool:
    """Whether a file that the run reads is the record itself, which the run replaces."""
    return path.exists() and _is_record(record) and path.samefile(record)


def _is_record(path: Path) -> bool:
    try:
        with open(path, "rb") as handle:
            return handle.readline() == FIRST_LINE.encode()
    except OSError:  # not there, a folder, or not to be read
        return False
