"""Tables as pandas reads and writes them; those of a sample are streamed.

A million chains take no more memory than a hundred.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from lacuna.core.files import LacunaError, atomic_write

CHUNK_ROWS = 100_000


def chunks(path: Path, text: Sequence[str], whole: Sequence[str] = ()) -> Iterator[pd.DataFrame]:
    """Yield rows of a table in chunks, with its columns of `text` and of `whole` numbers.

    Raises LacunaError if one of these columns is missing, or if a number is none.
    """
    types: dict[str, type] = dict.fromkeys(whole, int) | dict.fromkeys(text, str)
    try:
        with pd.read_csv(
            path, sep="\t", usecols=list(types), dtype=types, na_filter=False, chunksize=CHUNK_ROWS
        ) as reader:
            yield from reader
    except (OSError, ValueError) as error:  # errors of pandas are ValueErrors
        wanted = ", ".join(types)
        raise LacunaError(
            f"{path}: is not a table with the columns {wanted} ({error}); run the workflow again"
        ) from None


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as TSV, whole or not at all."""
    with atomic_write(path) as handle:
        table.to_csv(handle, sep="\t", index=False, lineterminator="\n")
