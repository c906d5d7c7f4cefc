"""Small tables of chains with a header, as of intact masses and evidence.

Columns are separated by tabs, commas or semicolons. Lines above the header that begin with `#` are
comments.
"""

import csv
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from lacuna.core.cells import SEPARATORS, UNNAMED, below, miscounted, named, unquoted
from lacuna.core.files import LacunaError, open_text, read_lines, shortened
from lacuna.core.words import number_in

MAX_LINE = 100_000  # characters
MAX_DIGITS = 12  # of a whole number
_ID = "chain"  # the column whose cells may begin and end with a quote

Rows = TypeVar("Rows")  # what a table keeps of a chain


class ByChain(ABC, Generic[Rows]):
    """What a table says of chains: each kind has `take`, which gives it once, and `left`."""

    def __init__(self, path: str | Path | None) -> None:
        self.file = Path(path).name if path is not None else ""
        self._rows: dict[str, Rows] = {}

    def discard(self, chain: str) -> None:
        """Forget the rows of a chain that was rejected for another reason."""
        self._rows.pop(chain, None)

    def left(self) -> Iterator[tuple[str, int]]:
        """Yield (chain, line) of rows whose chain did not occur, in order of lines."""
        lines = sorted((line, chain) for chain in self._rows for line in self._lines_of(chain))
        for line, chain in lines:
            yield chain, line

    @abstractmethod
    def _lines_of(self, chain: str) -> list[int]:
        """The lines of the rows of a chain that `left` names."""


def read_table(
    path: str | Path,
    name: str,
    form: str,
    known: Collection[str],
    fault_of: Callable[[Sequence[str]], str],
    number: str,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line (from 1) and the cells by column of every row that is not blank.

    name, form: of the table, and what columns it has, for messages; known: columns that it may
    have, in lower case, and single letters, which are residues, in upper case; fault_of: what else
    is wrong with the columns of a header, '' for nothing; number: a column whose cells are numbers,
    which shows where rows have a name in front. A row may end early. Raises LacunaError if there is
    no header, its columns are not those of the table, or a row has more cells than it.
    """
    columns: list[str] = []
    delimiter, quoted = "\t", False
    with open_text(path) as handle:
        for line, text, whole in read_lines(handle, MAX_LINE):
            if not whole:
                raise LacunaError(
                    f"{path}:{line}: a line of more than {MAX_LINE} characters; give a table of "
                    f"{form}"
                )
            if not text.strip() or (not columns and text.startswith("#")):
                continue
            if not columns:
                delimiter = next((d for d in SEPARATORS if d in text), "\t")
                # In a table with tabs and no quotes in its header, those of an id belong to it.
                quoted = delimiter != "\t" or text.lstrip().startswith('"')
                columns = named([_column(cell) for cell in text.split(delimiter)])
                if fault := _fault(columns, name, form, known) or fault_of(columns):
                    raise LacunaError(f"{path}:{line}: {fault}")
                continue
            cells = _cells(text, delimiter, quoted)
            named_row = _has_row_name(columns, cells, columns.index(number))
            if not named_row:
                cells = below(columns, cells)
            if not any(cells):
                continue
            if len(cells) > len(columns):
                raise LacunaError(f"{path}:{line}: {miscounted(len(cells), len(columns))}")
            row = dict(zip(columns, cells, strict=False))
            yield (
                line,
                {name: cell if name == _ID else unquoted(cell) for name, cell in row.items()},
            )
    if not columns:
        raise LacunaError(f"{path}: the {name} is empty; begin with {form}")


def _fault(columns: Sequence[str], name: str, form: str, known: Collection[str]) -> str:
    """What is wrong with a column of a header by itself; '' if nothing is. As in `read_table`."""
    if "" in columns:
        return UNNAMED
    for column in columns:
        if column not in known:
            return f"unknown column '{shortened(column)}' of the {name}; give {form}"
        if columns.count(column) > 1:
            return f"column '{column}' is there twice; keep one of them"
    return ""


def _has_row_name(columns: Sequence[str], cells: Sequence[str], number: int) -> bool:
    """Whether a row has one cell too many, the last one empty, and a name in front: the number of
    the column `number` is then one cell later."""
    if len(cells) != len(columns) + 1 or cells[-1]:
        return False
    at, later = (number_in(unquoted(cells[i])) for i in (number, number + 1))
    return math.isnan(at) and not math.isnan(later)


def _column(cell: str) -> str:
    name = cell.strip(' "')
    return name.upper() if len(name) == 1 else name.casefold()


def _cells(text: str, delimiter: str, quoted: bool) -> list[str]:
    if quoted and '"' in text:
        cells = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    else:
        cells = text.split(delimiter)
    return [cell.strip() for cell in cells]
