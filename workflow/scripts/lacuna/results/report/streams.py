"""The tables of a sample, streamed: no more memory for a million chains than for a hundred."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from lacuna.core.files import LacunaError

MAX_ROWS = 50  # of any list on the page
CHUNK_ROWS = 500_000


def chunks(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield rows of a table in chunks, columns as text; LacunaError if a column is missing."""
    try:
        with pd.read_csv(
            path,
            sep="\t",
            usecols=list(columns),
            dtype=str,
            na_filter=False,
            chunksize=CHUNK_ROWS,
        ) as reader:
            yield from reader
    except (OSError, ValueError, pd.errors.ParserError) as error:
        wanted = ", ".join(columns)
        raise LacunaError(
            f"{path}: is not a table with the columns {wanted} ({error}); run the workflow again"
        ) from None
