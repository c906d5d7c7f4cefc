"""The tables of a sample, streamed: no more memory for a million chains than for a hundred."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from lacuna.core.files import LacunaError

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
