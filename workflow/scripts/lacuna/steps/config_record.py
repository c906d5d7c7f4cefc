"""The configuration of a run, written next to its results: every key, including defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lacuna.core.files import atomic_write

# Distinguishes the file from a user's config.yaml, which is never overwritten.
FIRST_LINE = (
    "# The settings of the last run in this folder, written by Lacuna, defaults included.\n"
)


def write_record(path: Path, config: Mapping[str, Any]) -> bool:
    """Write a checked configuration as YAML; returns False if the file is not Lacuna's.

    Paths are as the user gave them. The file can be used with --configfile. Raises LacunaError if
    it cannot be written.
    """
    if path.exists() and not _is_record(path):
        return False
    with atomic_write(path) as handle:
        handle.write(FIRST_LINE)
        # In the run's order: to Snakemake, a section in another order is another setting.
        yaml.safe_dump(dict(config), handle, allow_unicode=True, sort_keys=False)
    return True


def is_rewritten(path: Path, record: Path) -> bool:
    """Whether an input of the run is the record itself, which the run replaces."""
    return path.exists() and _is_record(record) and path.samefile(record)


def _is_record(path: Path) -> bool:
    try:
        with open(path, "rb") as handle:
            return handle.readline() == FIRST_LINE.encode()
    except OSError:  # missing, a folder, or not readable
        return False
