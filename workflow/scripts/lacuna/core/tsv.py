"""Tables of tab-separated text, whose rows are typed.

A row is a named tuple of typed values. Its class is the schema: each field gives a column's type,
meaning and, for floats, format; `T | None` is a value that may be missing. `Table` turns rows into
lines and lines into rows; nothing else formats a cell.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from operator import itemgetter
from pathlib import Path
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from lacuna.core.files import LacunaError, atomic_write, open_text

Row = TypeVar("Row", bound=tuple[Any, ...])

_WORDS = {int: "a whole number", float: "a number"}


class Shares(tuple[tuple[str, float], ...]):
    """Names, each with a probability, written `S:0.10,R:0.08`."""

    __slots__ = ()

    def __str__(self) -> str:
        return ",".join([f"{name}:{share:.2f}" for name, share in self])

    @classmethod
    def parse(cls, text: str) -> "Shares":
        """Parse a cell; ValueError if it holds anything else."""
        pairs = (pair.rpartition(":") for pair in text.split(",") if pair)
        return cls((name, float(share)) for name, _, share in pairs)


class Readings(Shares):
    """What C may carry, with probabilities; a single name is certain."""

    __slots__ = ()

    def __str__(self) -> str:
        return self[0][0] if len(self) == 1 else super().__str__()

    @classmethod
    def parse(cls, text: str) -> "Readings":
        """Parse a cell; ValueError if it holds anything else."""
        return cls(Shares.parse(text) if ":" in text else ((text, 1.0),) if text else ())


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `format` is a % format, `optional` says whether a value may be missing."""

    name: str
    type: type[Any]
    format: str
    optional: bool
    meaning: str

    def parse(self, cell: str) -> Any:
        """Parse a cell; ValueError if it is of another type."""
        if self.optional and not cell:
            return None
        if issubclass(self.type, Shares):
            return self.type.parse(cell)
        value: Any = self.type(cell)
        return value


def _column(name: str, annotation: Any) -> Column:
    kind, meaning, *formats = get_args(annotation)
    types = [t for t in get_args(kind) or (kind,) if t is not type(None)]
    (default,) = ("%d" if t is int else "%s" for t in types)
    return Column(name, types[0], (formats or [default])[0], len(get_args(kind)) > 1, meaning)


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table of tab-separated text; `row` is the named tuple class of its rows."""

    name: str
    row: type[Row]
    columns: tuple[Column, ...] = field(init=False)
    _optional: Callable[[Row], tuple[Any, ...]] | None = field(init=False, repr=False)
    _templates: dict[tuple[type, ...], str] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.row, include_extras=True)
        columns = tuple(_column(name, hint) for name, hint in hints.items())
        object.__setattr__(self, "columns", columns)
        places = [i for i, column in enumerate(columns) if column.optional]
        # itemgetter of one index returns a value, of two or more a tuple.
        pick = itemgetter(*places, *places[:1]) if places else None
        object.__setattr__(self, "_optional", pick)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def header(self) -> str:
        """The header line."""
        return "\t".join(self.names) + "\n"

    def text(self, rows: Sequence[Row]) -> str:
        """Lines of the rows; cells are quoted as in CSV where necessary."""
        if not rows:
            return ""
        optional = self._optional
        if optional is None:
            template = self._template(())
            lines = [template % row for row in rows]
        else:
            kinds = [tuple(map(type, optional(row))) for row in rows]
            templates = {kind: self._template(kind) for kind in set(kinds)}
            lines = [templates[kind] % row for kind, row in zip(kinds, rows, strict=True)]
        text = "".join(lines)
        tabs = (len(self.columns) - 1) * len(lines)
        if '"' in text or "\r" in text:
            return self._quoted(rows)
        if text.count("\n") != len(lines) or text.count("\t") != tabs:
            return self._quoted(rows)
        return text

    def whole(self, rows: Sequence[Row]) -> str:
        """The header line and those of the rows."""
        return self.header + self.text(rows)

    def write(self, path: str | Path, rows: Sequence[Row]) -> None:
        """Write a file of these rows under the header, whole or not at all."""
        with atomic_write(path) as handle:
            handle.write(self.whole(rows))

    def rows(self, *columns: Iterable[Any]) -> list[Row]:
        """Rows from columns of values; ValueError if the columns differ in length."""
        return list(map(partial(tuple.__new__, self.row), zip(*columns, strict=True)))

    def cells(self, row: Row) -> list[str]:
        """Cells of a row as text, not yet quoted."""
        pairs = zip(self.columns, row, strict=True)
        return ["" if value is None else column.format % (value,) for column, value in pairs]

    def _template(self, kinds: tuple[type, ...]) -> str:
        """The % format of a line whose optional values have these types."""
        if kinds not in self._templates:
            left = iter(kinds)
            # %.0s prints the first 0 letters of "None".
            cells = [
                "%.0s" if column.optional and next(left) is NoneType else column.format
                for column in self.columns
            ]
            self._templates[kinds] = "\t".join(cells) + "\n"
        return self._templates[kinds]

    def _quoted(self, rows: Iterable[Row]) -> str:
        text = StringIO()
        csv.writer(text, delimiter="\t", lineterminator="\n").writerows(map(self.cells, rows))
        return text.getvalue()

    def read(self, path: Path) -> Iterator[Row]:
        """Yield the rows of a file with a header.

        Raises LacunaError that names file, line and column if the header is another or a cell is
        not of its column's type.
        """
        with open_text(path) as handle:
            lines = csv.reader(handle, delimiter="\t")
            found = next(lines, [])
            if tuple(found) != self.names:
                raise LacunaError(
                    f"{path}:1: its columns are {', '.join(found) or 'none'}, not "
                    f"{', '.join(self.names)}; run the workflow again"
                )
            for cells in lines:
                try:
                    row = self.parse(cells)
                except ValueError as error:
                    where = f"{path}:{lines.line_num}: {error}"
                    raise LacunaError(f"{where}; run the workflow again") from None
                yield row

    def parse(self, cells: Sequence[str]) -> Row:
        """Row from its cells; ValueError names the column whose cell is of another type."""
        if len(cells) != len(self.columns):
            raise ValueError(f"it has {len(cells)} cells, not {len(self.columns)}")
        values = []
        for column, cell in zip(self.columns, cells, strict=True):
            try:
                values.append(column.parse(cell))
            except ValueError:
                wanted = _WORDS.get(column.type, "shares")
                raise ValueError(f"column '{column.name}' has '{cell}', not {wanted}") from None
        return self.row(*values)


def plain_row(cells: Iterable[object]) -> str:
    """A line of a table in the form of the user's, whose readers take a quote as part of an id."""
    return "\t".join(map(str, cells)) + "\n"
