"""Tables that Lacuna wrote, as any reader of tab-separated values reads them."""

import csv
from pathlib import Path


def read_tsv(path: Path) -> list[dict[str, str]]:
    """The rows of a table, by column."""
    with open(path, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))
