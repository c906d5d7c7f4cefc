"""The gap table: TSV with a header, or BED. It is read once and kept as a compact dict by chain.

With a header, cells may also be separated by commas or semicolons, as spreadsheets write them.
"""

import csv
import difflib
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from lacuna.core.cells import UNNAMED, below, miscounted, named, unquoted
from lacuna.core.files import LacunaError, open_text, read_lines, shortened
from lacuna.core.words import is_given, number_in, number_remedy, plural
from lacuna.scaffolds.fasta import Fault, first_of
from lacuna.scaffolds.small_table import MAX_DIGITS, MAX_LINE, ByChain

REQUIRED = ("chain", "start", "end")
OPTIONAL = tuple("mass tolerance_ppm tolerance_da min_length max_length prefix_masses".split())
COLUMNS = REQUIRED + OPTIONAL
CLOSED = "closed"  # column of a gap that reads closed: the probability that nothing is missing

MAX_PREFIXES = 100  # masses of beginnings of a gap

_BED_KEYWORDS = ("track", "browser")  # first words of lines for genome browsers
_WORD = r"[^ \t\x0b\x0c]+"
_BLANKS = " \t\x0b\x0c"  # only those of ASCII: an id may contain others
_DECIMAL = re.compile(r"\d+[.,]\d+", re.ASCII)
_HEADER_MARK = re.compile(r"^#\s*(?=chain\s)", re.IGNORECASE)
_MAX_SHOWN = 40  # characters of a cell in a message
_MAX_COLUMNS = 20  # listed in a message
_MAX_PPM = 1e6  # a tolerance as large as the mass itself is meaningless


class Row(NamedTuple):
    """One usable row: 0-based, half-open positions; None for values that are not given."""

    start: int
    end: int
    mass: float | None
    tolerance_ppm: float | None
    tolerance_da: float | None
    min_length: int | None
    max_length: int | None
    prefix_masses: tuple[float, ...]  # Da, ascending
    line: int
    closed: float | None = None


class GapTable(ByChain[list[Row | Fault]]):
    """The rows of a gap table by chain."""

    def __init__(self, path: str | Path | None = None, *, of_reads: bool = False) -> None:
        """Read `path`. Raises LacunaError if the table as a whole cannot be understood.

        of_reads: whether Lacuna wrote it, of the chains that reads gave; it may then have CLOSED.
        """
        super().__init__(path)
        if path is not None:
            for chain, row in _read(path, (*COLUMNS, CLOSED) if of_reads else COLUMNS):
                self._rows.setdefault(chain, []).append(row)

    def take(self, chain: str) -> list[Row]:
        """Remove and return the rows of a chain, sorted; raises the Fault of its first bad row,
        which names the lines of the others."""
        rows = self._rows.pop(chain, [])
        bad = [row for row in rows if isinstance(row, Fault)]
        if bad:
            raise first_of(bad, self.file)
        return sorted(
            (row for row in rows if isinstance(row, Row)), key=lambda row: (row.start, row.end)
        )

    def _lines_of(self, chain: str) -> list[int]:
        if chain.startswith("#"):  # a comment, since there is no such chain
            return []
        return [row.line for row in self._rows[chain]]


def _read(path: str | Path, known: tuple[str, ...]) -> Iterator[tuple[str, Row | Fault]]:
    """Yield (chain, row) for every row, or (chain, Fault) if it is unusable.

    known: the columns that a header may name. A comment that could be the row of a chain '#...'
    is included: an id may begin with '#'.
    """
    lines = _Lines(path, known)
    # Reads may show that nothing is missing; a gap that a user gives holds a residue.
    least = 0 if CLOSED in known else 1
    with open_text(path) as handle:
        for line, text, whole in read_lines(handle, MAX_LINE):
            found = lines.cells_of(line, text)
            if found is not None:
                cells, more = found
                yield cells.get("chain", ""), _row(cells, more, line, whole, least)
    lines.check()


class _Lines:
    """The lines of a gap table in order, of which the first ones show how to cut the others.

    columns: None before the header, or the first row of a BED file; first: line and fourth cell of
    that row; named: whether a fourth cell is a name, as it is in BED; empty: whether all lines are
    blank.
    """

    def __init__(self, path: str | Path, known: tuple[str, ...]) -> None:
        """known: the columns that a header may name."""
        self.path, self.known = path, known
        self.split: Callable[[str], list[str]] = _fields
        self.columns: tuple[str, ...] | None = None
        self.bed = self.named = False
        self.empty = True
        self.first: tuple[int, str] | None = None

    def cells_of(self, line: int, text: str) -> tuple[dict[str, str], int] | None:
        """The cells of a row by column, and how many more the header does not name; None if the
        line is none. LacunaError if no row can be understood."""
        if self.columns is None:
            # Some tools write '#chain', as others write '#chrom'.
            text = _HEADER_MARK.sub("", text)
        fields = self.split(text)
        if not any(fields):
            return None
        self.empty = False
        comment = fields[0].startswith("#")
        said = _says_nothing(fields, self._by_column(fields))
        if said and (comment or self.columns is None or self.bed):
            return None
        if self.columns is None and not comment:
            self.split = _separator(text)
            fields = self.split(text)
            header = _header(self.path, line, fields, self.known)
            self.columns, self.bed = header or REQUIRED, header is None
            if header:
                return None
        if self.columns is not None and not self.bed:
            if _has_row_name(fields, self.columns):
                cells, columns = len(fields), len(self.columns)
                raise LacunaError(f"{self.path}:{line}: {miscounted(cells, columns)}")
            fields = below(self.columns, fields)
        return self._by_column(fields), self._surplus(line, fields)

    def _by_column(self, fields: list[str]) -> dict[str, str]:
        return dict(zip(self.columns or REQUIRED, fields, strict=False))

    def _surplus(self, line: int, fields: list[str]) -> int:
        """The number of cells that no column names."""
        if self.bed:  # a row may have a name and more columns
            fourth = fields[len(REQUIRED)] if len(fields) > len(REQUIRED) else ""
            self.named = self.named or not _DECIMAL.fullmatch(unquoted(fourth))
            self.first = self.first or (line, fourth)
            return 0
        return 0 if self.columns is None else len(fields) - len(self.columns)

    def check(self) -> None:
        """Raise LacunaError, after the last line, if the table as a whole cannot be meant so."""
        if self.empty:
            raise LacunaError(
                f"{self.path}: the gap table is empty; begin with {', '.join(REQUIRED)}"
            )
        if self.first and not self.named:
            number, fourth = self.first
            raise LacunaError(
                f"{self.path}:{number}: the fourth column is a name in BED, and holds "
                f"'{_shown(fourth)}' here; if it is the mass of the gap, begin with a line of "
                f"{', '.join(REQUIRED)}, mass; otherwise remove it"
            )


def _has_row_name(fields: list[str], columns: tuple[str, ...]) -> bool:
    """Whether a row has one cell too many, of which the first is its name, as R writes it: the
    positions are then one cell later. The last may be empty."""

    def has_positions(cells: list[str]) -> bool:
        found = dict(zip(columns, cells, strict=False))
        return _is_integer(found.get("start", "")) and _is_integer(found.get("end", ""))

    if len(fields) != len(columns) + 1 or not has_positions(fields[1:]):
        return False
    return not has_positions(fields) or (bool(fields[-1]) and fields[0].isdecimal())


def _says_nothing(fields: list[str], cells: dict[str, str]) -> bool:
    """Whether a line is a comment, or one for genome browsers, rather than a row of that chain."""
    keyword = fields[0].startswith("#") or fields[0].split(" ")[0] in _BED_KEYWORDS
    return keyword and not (
        _is_integer(cells.get("start", "")) and _is_integer(cells.get("end", ""))
    )


def _fields(text: str) -> list[str]:
    """The cells of a line, separated by tabs or, if it has none, by blanks."""
    cells = text.split("\t") if "\t" in text else re.findall(_WORD, text)
    return [cell.strip(_BLANKS) for cell in cells]


def _separator(header: str) -> Callable[[str], list[str]]:
    """How to split lines, according to the first one: at tabs, or as CSV with its separator.

    Quoted cells are those of CSV only if the header is quoted too, or its separator is a comma or
    semicolon: an id may begin and end with a quote.
    """
    if "\t" not in header:
        for separator in ";,":  # before blanks, which may be around it
            cells = [cell.strip(' "').casefold() for cell in header.split(separator)]
            if set(REQUIRED) <= set(cells):
                return _csv_fields(separator)
    plain = _fields(header)
    names = [cell.strip('"').casefold() for cell in plain]
    if REQUIRED[0] in names:
        if plain[names.index(REQUIRED[0])].startswith('"'):
            return _csv_fields("\t" if "\t" in header else " ")
        return _fields
    if _has_positions(plain):
        return _fields
    for separator in ";,":
        cells = [cell.strip(' "').casefold() for cell in header.split(separator)]
        if REQUIRED[0] in cells or _has_positions(cells):
            return _csv_fields(separator)
    return _fields


def _csv_fields(separator: str) -> Callable[[str], list[str]]:
    def split(text: str) -> list[str]:
        rows = csv.reader([text], delimiter=separator, skipinitialspace=True)
        return [cell.strip(_BLANKS) for cell in next(rows, [])]

    return split


def _has_positions(fields: list[str]) -> bool:
    return len(fields) >= len(REQUIRED) and all(_is_integer(field) for field in fields[1:3])


def _header(
    path: str | Path, number: int, fields: list[str], known: tuple[str, ...]
) -> tuple[str, ...] | None:
    """The columns of a TSV header; None if the line is the first row of a BED file."""
    if _has_positions(fields):
        return None
    columns = tuple(field.lower() for field in named(fields))
    where = f"{path}:{number}:"
    if REQUIRED[0] not in columns:
        raise LacunaError(
            f"{where} neither the header of a gap table nor a BED row; begin with a line of "
            f"{', '.join(REQUIRED)} (and optionally {', '.join(OPTIONAL)})"
        )
    for missing in (name for name in REQUIRED if name not in columns):
        found = ", ".join(map(_shown, columns[:_MAX_COLUMNS]))
        raise LacunaError(
            f"{where} column '{missing}' is missing; found {found}; rename a column or add it"
        )
    if "" in columns:
        raise LacunaError(f"{where} {UNNAMED}")
    for name in columns:
        if name not in known:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            remedy = (
                f"did you mean '{near[0]}'?" if near else f"known columns are {', '.join(COLUMNS)}"
            )
            if name == "length":
                remedy = "remove it, or give min_length and max_length"
            raise LacunaError(f"{where} unknown column '{_shown(name)}'; {remedy}")
        if columns.count(name) > 1:
            raise LacunaError(f"{where} column '{_shown(name)}' occurs twice; keep one")
    return columns


def _row(cells: dict[str, str], more: int, line: int, whole: bool, least: int) -> Row | Fault:
    """The row of a line, or the Fault that says what is wrong with it.

    more: cells that the header does not name; least: what min_length may be.
    """
    try:
        if not whole:
            raise ValueError(
                f"has a gap row of more than {MAX_LINE} characters; correct or remove the line"
            )
        if more > 0:
            remedy = "remove it" if more == 1 else "remove them"
            raise ValueError(
                f"has a gap row with {plural(more, 'cell')} more than the header; {remedy}"
            )
        start, end = _positions(cells)
        row = Row(
            start=start,
            end=end,
            mass=_number(cells, "mass"),
            tolerance_ppm=_number(cells, "tolerance_ppm"),
            tolerance_da=_number(cells, "tolerance_da"),
            min_length=_whole(cells, "min_length"),
            max_length=_whole(cells, "max_length"),
            prefix_masses=_numbers(cells, "prefix_masses"),
            line=line,
            closed=_number(cells, CLOSED),
        )
        _check_lengths(row, least)
        _check_tolerance(row)
    except ValueError as error:
        return Fault(str(error), line)
    return row


def _positions(cells: dict[str, str]) -> tuple[int, int]:
    """Start and end of a row's gap; ValueError if there is no such gap."""
    start, end = _whole(cells, "start"), _whole(cells, "end")
    if start is None or end is None:
        raise ValueError("has a gap row without start or end; give chain, start and end")
    if start > end:
        raise ValueError(f"has a gap that starts at {start} and ends before, at {end}; swap them")
    return start, end


def _check_lengths(row: Row, least: int) -> None:
    """Raise ValueError if no gap can be so long; least: what min_length may be."""
    shortest, longest = row.min_length, row.max_length
    if shortest is not None and shortest < least:
        raise ValueError(
            f"has a gap with min_length {shortest}, but a gap holds at least one residue; "
            "give 1, or remove the row if nothing is missing"
        )
    if longest is not None and longest < max(shortest or 0, 1):
        raise ValueError(
            f"has a gap with min_length {shortest or 1} and max_length {longest}; "
            "give a max_length that is not less"
        )


def _check_tolerance(row: Row) -> None:
    """Raise ValueError if the tolerance of a row is there twice, or as large as the mass."""
    ppm = row.tolerance_ppm
    if ppm is not None and row.tolerance_da is not None:
        raise ValueError("has a gap with tolerance_ppm and tolerance_da; keep one of them")
    if ppm is not None and ppm >= _MAX_PPM:
        raise ValueError(f"has a gap with tolerance_ppm {ppm:g}; give less than {_MAX_PPM:g}")


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def _has_value(text: str) -> bool:
    return text != "." and is_given(text)  # BED has a point in empty columns


def _shown(text: str) -> str:
    return shortened(text, _MAX_SHOWN)


def _whole(cells: dict[str, str], name: str) -> int | None:
    """A cell as an integer of at least 0; None if it is not given; ValueError otherwise."""
    text = unquoted(cells.get(name, ""))
    if not _has_value(text):
        return None
    text = text.removesuffix(".0")  # pandas writes 3.0 for 3 if the column has empty cells
    if not _is_integer(text):
        raise ValueError(f"has a gap with {name} '{_shown(text)}'; give a whole number")
    if len(text) > MAX_DIGITS:
        raise ValueError(f"has a gap with {name} of {len(text)} digits; give a smaller number")
    value = int(text)
    if value < 0:
        raise ValueError(f"has a gap with {name} {value}; give 0 or more")
    return value


def _numbers(cells: dict[str, str], name: str) -> tuple[float, ...]:
    """The different numbers in a cell, `;` between them, ascending; ValueError as of `_number`."""
    text = unquoted(cells.get(name, ""))
    parts = [part.strip(_BLANKS) for part in text.split(";")]
    if len(parts) > MAX_PREFIXES:
        raise ValueError(
            f"has a gap with {len(parts)} {name}, more than the limit of {MAX_PREFIXES}; give fewer"
        )
    given = [_as_number(part, name) for part in parts if _has_value(part)]
    return tuple(sorted(set(given)))


def _number(cells: dict[str, str], name: str) -> float | None:
    """A cell as a finite number of at least 0; None if it is not given; ValueError otherwise."""
    text = unquoted(cells.get(name, ""))
    return _as_number(text, name) if _has_value(text) else None


def _as_number(text: str, name: str) -> float:
    value = number_in(text)
    if not math.isfinite(value):
        remedy = shortened(number_remedy(text), 100)
        raise ValueError(f"has a gap with {name} '{_shown(text)}'; {remedy}")
    if value < 0:
        raise ValueError(f"has a gap with {name} {value:g}; give 0 or more")
    return value
