"""Tables of text: finding the header among the first lines, rows by the names of their columns.

pandas parses the cells. Each line of a file is a row: a quote that is never closed spoils only its
own line, and line numbers are exact.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import NamedTuple, TextIO

from lacuna.core.cells import SEPARATORS
from lacuna.core.files import read_lines
from lacuna.core.words import plural

MAX_LINE = 1_000_000  # characters

_NOTHING = ("nan", "NaN", "None", "<NA>")  # but not NAN, which is a peptide
_HEAD_LINES = 100  # within which the header is looked for: Novor writes 25 lines before it
_CHUNK = 5_000  # rows held as text at once
_LISTED = re.compile(r"\[\s*'(.*)'\s*\]")
_NOT_CLOSED = "unexpected end of data"  # what the module csv says of a quote

Cells = dict[str, str]  # of a row, by the name of the column in lower case


class Layout(NamedTuple):
    """Separator and columns of a table; its rows begin after the line of number `header`."""

    separator: str
    header: int
    names: tuple[str, ...]


class BadLine(NamedTuple):
    """A line that is not a row of its table: its number and the fault."""

    line: int
    fault: str


def column_name(cell: str) -> str:
    """The name of a column without case, padding and the `#` of a comment."""
    return " ".join(cell.lstrip("#").split()).casefold()


def head_of(handle: TextIO) -> list[str]:
    """The first lines of a file, without their ends."""
    return [line for _, line, _ in islice(read_lines(handle, MAX_LINE), _HEAD_LINES)]


def layouts(head: Sequence[str]) -> Iterator[Layout]:
    """Yield every way to read one of the first lines as a header, the most likely first."""
    stated = stated_separator(head)
    for number, line in enumerate(head, 1):
        if stated and number == 1:
            continue
        for separator in stated or SEPARATORS:
            if separator in line:
                cells = split_line(line, separator) or []
                yield Layout(separator, number, tuple(map(column_name, cells)))
        if line.strip() and not line.startswith("#") and not any(s in line for s in SEPARATORS):
            yield Layout("\t", number, (column_name(line),))  # one column


def layouts_without_header(head: Sequence[str], names: tuple[str, ...]) -> Iterator[Layout]:
    """Yield every way to read the first lines as rows of columns without a header."""
    stated = stated_separator(head)
    for separator in stated or SEPARATORS:
        yield Layout(separator, len(stated), names)


def stated_separator(head: Sequence[str]) -> str:
    """The separator in a first line `sep=;`, as Excel writes it; "" without one."""
    first = head[0] if head else ""
    return first[4:5] if first.startswith("sep=") else ""


def split_line(line: str, separator: str) -> list[str] | None:
    """The cells of a line; None if its quotes do not fit, or a cell with one is too long."""
    try:
        return _cells_of(line, separator)
    except csv.Error:
        return None


def _cells_of(line: str, separator: str) -> list[str]:
    """The cells of a line; csv.Error says why it has none."""
    if '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator, strict=True))


def is_listed(cell: str) -> bool:
    """Whether a cell is a list of one text, as Python writes it."""
    return _LISTED.fullmatch(cell) is not None


def listed(cell: str) -> str:
    """The text of such a list; any other cell as it is."""
    return match[1] if (match := _LISTED.fullmatch(cell)) else cell


def rows(
    handle: TextIO, layout: Layout, used: Iterable[str]
) -> Iterator[tuple[int, Cells] | BadLine]:
    """Yield (number of the line, cells of the columns `used`) for every row that is not blank.

    A line that ends before the last of its used columns is a BadLine, and so is one with more cells
    than the header.
    """
    wanted = set(used)
    places = [i for i, name in enumerate(layout.names) if name in wanted]
    lines = read_lines(handle, MAX_LINE)
    good: list[tuple[int, str]] = []
    bad: list[BadLine] = []
    for number, line, whole in lines:
        if number <= layout.header or not line.strip():
            continue
        fault = _fault(line, whole, layout, places[-1] + 1)
        if fault:
            bad.append(BadLine(number, fault))
        else:
            good.append((number, line))
        if len(good) + len(bad) >= _CHUNK:
            yield from _in_order(good, bad, layout, places)
            good, bad = [], []
    yield from _in_order(good, bad, layout, places)


def _filled(cell: str) -> str:
    """A cell without padding; "" if it holds what pandas and Python write for nothing."""
    cell = cell.strip()
    return "" if cell in _NOTHING else cell


def _fault(line: str, whole: bool, layout: Layout, least: int) -> str:
    """What is wrong with a line, and the remedy; "" if nothing is."""
    if not whole:
        return f"longer than {MAX_LINE:,} characters; leave the line out"
    try:
        cells = len(_cells_of(line, layout.separator))
    except csv.Error as error:
        if str(error) == _NOT_CLOSED:
            return "a quote that is not closed; close it"
        return f"cannot be split into columns ({error}); correct the line"
    most = len(layout.names)
    too_many = cells > most and not (cells == most + 1 and line.endswith(layout.separator))
    return other_number(cells, most) if cells < least or too_many else ""


def other_number(cells: int, columns: int) -> str:
    """What is wrong with a line that has another number of cells than its table has columns."""
    return f"{plural(cells, 'cell')} where the table has {columns} columns; correct the line"


def _in_order(
    good: list[tuple[int, str]], bad: list[BadLine], layout: Layout, places: list[int]
) -> Iterator[tuple[int, Cells] | BadLine]:
    """The rows of good lines and the bad ones, by line."""
    found: list[tuple[int, Cells] | BadLine] = [*_split(good, layout, places), *bad]
    yield from sorted(found, key=lambda row: row[0])


def _split(
    lines: list[tuple[int, str]], layout: Layout, places: list[int]
) -> list[tuple[int, Cells]]:
    from pandas import read_csv  # slow to import

    if not lines:
        return []
    n = len(layout.names)
    # A first line of full width, skipped: pandas wants to see every column.
    text = "\n".join([layout.separator * (n - 1), *(line for _, line in lines)])
    frame = read_csv(
        StringIO(text),
        sep=layout.separator,
        header=0,
        names=list(range(n)),
        usecols=places,
        index_col=False,
        dtype=str,
        na_filter=False,
        skip_blank_lines=False,
    )
    columns = [list(map(_filled, frame[place])) for place in places]
    names = [layout.names[place] for place in places]
    return [
        (number, dict(zip(names, cells, strict=True)))
        for (number, _), cells in zip(lines, zip(*columns, strict=True), strict=True)
    ]
