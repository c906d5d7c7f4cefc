"""Reads of proteins whose sequences are known: what error models are fitted on and tested with."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from lacuna.core.files import LacunaError, open_text

_COLUMNS = ("set", "protein", "reads", "truth")


class KnownReads(NamedTuple):
    """Reads of a protein whose sequence is known; sets of one protein are left out together."""

    name: str
    protein: str
    reads: tuple[Path, ...]
    truth: Path


def known_reads(path: str | Path | None, key: str = "sets") -> list[KnownReads]:
    """The rows of a table `set protein reads truth`; paths are relative to it, reads joined by `;`.

    key: of the configuration that names the table. Raises LacunaError that names the line if a cell
    or a file is missing.
    """
    if path is None:
        raise LacunaError(f"config: '{key}' is null; give a table of reads with truths")
    try:
        with open_text(path) as handle:
            found = list(_rows(path, handle))
    except csv.Error as error:
        raise LacunaError(
            f"{path}: cannot be read as a table ({error}); write columns with tabs between them"
        ) from None
    if not found:
        raise LacunaError(f"{path}: it has no rows; give reads with truths")
    return found


def _rows(path: str | Path, handle: TextIO) -> Iterator[KnownReads]:
    """Yield the rows of the table at `path`."""
    folder, rows = Path(path).parent, csv.DictReader(handle, delimiter="\t")
    if missing := [name for name in _COLUMNS if name not in (rows.fieldnames or ())]:
        raise LacunaError(f"{path}:1: column '{missing[0]}' is missing; add it")
    for row in rows:
        where = f"{path}:{rows.line_num}"
        if empty := [name for name in _COLUMNS if not row[name]]:
            raise LacunaError(f"{where}: '{empty[0]}' is empty; fill it")
        names = filter(None, map(str.strip, row["reads"].split(";")))
        reads = tuple(folder / name for name in names)
        truth = folder / row["truth"]
        for file in (*reads, truth):
            if not file.is_file():
                raise LacunaError(f"{where}: {file} is no file; correct the path")
        yield KnownReads(row["set"], row["protein"], reads, truth)


def files_of(sets: Sequence[KnownReads]) -> list[Path]:
    """Every file that the sets name."""
    return list(dict.fromkeys(file for one in sets for file in (*one.reads, one.truth)))
