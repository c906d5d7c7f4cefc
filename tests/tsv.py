"""Rows of tables: read as any reader of tab-separated values reads them, and made for tests."""

import csv
from pathlib import Path

from lacuna.core.tsv import Row, Table


def read_tsv(path: Path) -> list[dict[str, str]]:
    """The rows of a table, by column."""
    with open(path, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def row_of(table: Table[Row], **values: object) -> Row:
    """A row with these values by column; every other column is empty, or 0 if it may not be."""
    empty = {c.name: None if c.optional else c.type() for c in table.columns}
    return table.row(**(empty | values))
