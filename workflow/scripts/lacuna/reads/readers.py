"""Read the peptides of a sample; the format of each file is recognised by its content."""

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedIOBase
from pathlib import Path
from typing import cast

from lacuna.core.files import LacunaError, kind_of, open_bytes, open_text, printable, shortened
from lacuna.core.tables import RejectedRow
from lacuna.reads import casanovo, deepnovo, instanovo, maxquant, novor, peaks, single
from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number
from lacuna.reads.peptide import is_peptide
from lacuna.reads.read import Peptides, Read
from lacuna.reads.scale import scales_of
from lacuna.reads.table import (
    SEPARATORS,
    BadLine,
    Layout,
    head_of,
    layouts,
    layouts_without_header,
    rows,
    split_line,
    stated_separator,
)

# The first that recognises a file reads it, so those that ask for more come first: tables with a
# header, tables without, and last the plain table, whose one column others have too.
TABLES: tuple[tuple[TableFormat, ...], ...] = (
    (
        *peaks.FORMATS,
        *instanovo.FORMATS,
        *novor.FORMATS,
        *deepnovo.FORMATS,
        *maxquant.FORMATS,
        *single.FORMATS,
    ),
    single.HEADERLESS,
    single.PLAIN,
)
FIRST_ROWS = 20  # of a table without a header, by which it is recognised
SHORTEST = 5  # letters of a cell that is taken for a peptide, not for the name of a column

LOG = logging.getLogger(__name__)

Found = list[Read] | BadLine  # the reads of a row, or what is wrong with it


def read_peptides(paths: Iterable[str | Path], reads_format: str | None = None) -> Peptides:
    """The reads of a sample's files, in the order of the files and of their rows.

    reads_format: the tool that wrote them all, one of `tools()`; None: recognised by content.
    A row that cannot be read is a rejected row. Raises LacunaError if a file is of no known format,
    or if two are the same, whose reads would count twice.
    """
    files = [str(path) for path in paths]
    _check_different(files)
    if reads_format is not None and reads_format not in tools():
        raise LacunaError(
            f"reads_format: '{reads_format}' is none of the formats; choose among "
            f"{', '.join(tools())}"
        )
    reads: list[Read] = []
    rejected: list[RejectedRow] = []
    unread = 0
    for path, name in zip(files, _names(files), strict=True):
        for found in _reads_of(path, name, reads_format):
            if isinstance(found, BadLine):
                reason = printable(f"{path}:{found.line}: {found.fault}")
                rejected.append(RejectedRow(f"{name}:{found.line}", found.line, None, reason))
            else:
                reads.extend(found)
                unread += not found
    return Peptides(reads, rejected, unread)


def _check_different(paths: Sequence[str]) -> None:
    """Raise LacunaError if a file is named twice, or is a copy of another, gzipped or not."""
    if len(paths) < 2:
        return
    first: dict[bytes, str] = {}  # by the digest of the content
    for path in paths:
        digest = _digest(path)
        if digest not in first:
            first[digest] = path
            continue
        fault = "is named twice" if first[digest] == path else f"is a copy of {first[digest]}"
        raise LacunaError(f"{path}: {fault}, so that each of its reads counts twice; give it once")


def _digest(path: str) -> bytes:
    """The sha256 of the content of a file, plain or gzipped."""
    with open_bytes(path) as handle:
        return hashlib.file_digest(cast(BufferedIOBase, handle), "sha256").digest()


def why_empty(path: str | Path, reads_format: str | None) -> str:
    """Of a file without a peptide: which columns are empty, and the remedy; "" if none is empty."""
    with open_text(path) as handle:
        head = head_of(handle)
    if casanovo.separator_of(head):
        return ""
    form, layout = _recognised(str(path), head, reads_format)
    empty, any_row = dict.fromkeys(form.required), False
    with open_text(path) as handle:
        for row in rows(handle, layout, form.required):
            if not isinstance(row, BadLine):
                any_row = True
                empty = dict.fromkeys(name for name in empty if not row[1][name])
    if not (any_row and empty):
        return ""
    such = ", as msmsScans.txt" if form.title in (f.title for f in maxquant.FORMATS) else ""
    names = " and ".join(f"'{name}'" for name in empty)
    columns = f"column {names} is" if len(empty) == 1 else f"columns {names} are"
    return f"{columns} empty in every row; give a table with sequences{such}"


def tools() -> list[str]:
    """Possible values of `reads_format`."""
    return list(dict.fromkeys([*casanovo.TOOLS, *(f.tool for fs in TABLES for f in fs)]))


def _names(paths: Sequence[str]) -> list[str]:
    """Names of files in those of reads: the file's name, or its path if two have the same name."""
    names = [Path(path).name for path in paths]
    pairs = zip(paths, names, strict=True)
    return [name if names.count(name) == 1 else path for path, name in pairs]


def _reads_of(path: str, name: str, reads_format: str | None) -> Iterator[Found]:
    with open_text(path) as handle:
        head = head_of(handle)
    if not any(line.strip() for line in head):
        raise LacunaError(f"{path}: the file is empty; give a file with peptides")
    separator = casanovo.separator_of(head)
    if separator and reads_format in (None, *casanovo.TOOLS):
        return _mztab_reads(path, name, separator, reads_format)
    return _table_reads(path, name, *_recognised(path, head, reads_format))


def _recognised(
    path: str, head: Sequence[str], reads_format: str | None
) -> tuple[TableFormat, Layout]:
    """The format of a table and its first row, from its first lines."""
    filled = [line for line in head if line.strip()]
    first, rest = filled[0], filled[bool(stated_separator(head)) :]
    for forms in TABLES:
        wanted = [form for form in forms if reads_format in (None, form.tool)]
        for layout in layouts(head):
            for form in wanted:
                if form.fits is None and set(form.required).issubset(layout.names):
                    return form, layout
        for form in wanted:
            for layout in layouts_without_header(head, form.required):
                if _fits(form, layout, rest[:FIRST_ROWS], stated=reads_format is not None):
                    return form, layout
    shown = f"it begins with '{printable(first[:60])}'"
    if reads_format is not None:
        raise LacunaError(
            f"{path}: not a file of {reads_format}: {shown}; leave reads_format out to have the "
            "tool recognised"
        )
    if kind := _no_reads(filled):
        raise LacunaError(f"{path}: {kind}")
    unknown = f"{path}: no format of peptide reads that is known: {shown}"
    if remedy := _remedy_of_columns(filled[:FIRST_ROWS]):
        raise LacunaError(f"{unknown}; {remedy}")
    titles = dict.fromkeys([*casanovo.TOOLS.values(), *(f.title for fs in TABLES for f in fs)])
    names = (name for layout in layouts(filled[:1]) for name in layout.names)
    near = next((name for name in names if re.search("sequence|peptide", name)), None)
    rename = (
        f"if its column '{shortened(near, 40)}' has peptides, name it peptide; or " if near else ""
    )
    raise LacunaError(
        f"{unknown}; {rename}give the output of "
        f"{', '.join(titles)} (column peptide and, if known, confidence: a number for each "
        "residue, separated by blanks, or one for the peptide)"
    )


def _remedy_of_columns(lines: Sequence[str]) -> str:
    """What to do with peptides whose columns blanks separate, or no header names; "" otherwise."""
    first, rest = lines[0], lines[1:]
    blanks = not any(separator in first for separator in SEPARATORS)
    remedy = "separate columns by tabs or commas"
    if re.search("sequence|peptide", first, re.IGNORECASE):
        if not (blanks and len(first.split()) > 1 and any(len(row.split()) > 1 for row in rest)):
            return ""
        return f"{remedy}, and name that of the peptides peptide"
    for separator in (None,) if blanks else SEPARATORS:
        table = [[cell.strip(' "') for cell in line.split(separator)] for line in lines]
        for place in range(len(table[0])):
            column = [row[place] for row in table if place < len(row)]
            found = [len(cell) >= SHORTEST and is_peptide(cell) for cell in column]
            if not (found[0] and 2 * sum(found) > len(lines)):
                continue
            if len(table[0]) == 1:
                return "its first line is no header; add a line 'peptide' before it"
            named = f"add one that names the columns, column {place + 1} peptide"
            return f"its first line is no header; {named}" + (f", and {remedy}" if blanks else "")
    return ""


def _no_reads(lines: Sequence[str]) -> str:
    """What the first lines of a file are that is none of peptides, and the remedy; "" otherwise."""
    first = lines[0].lstrip()
    if kind := kind_of(first.encode()):
        return f"no peptides, but {kind}; give the file itself"
    if first.startswith(">"):
        return "no peptides, but a FASTA file; give it in another column (fasta, truth, homologs)"
    if any(line.startswith("BEGIN IONS") or "<mzML" in line for line in lines):
        return (
            "no peptides, but fragment spectra; give those that a de novo tool reads from them, "
            "and the spectra in the column spectra"
        )
    if first.startswith(("<", "{", "[")):
        return "no table of peptides, but XML or JSON; export the peptides as a table"
    return ""


def _fits(form: TableFormat, layout: Layout, lines: Sequence[str], *, stated: bool) -> bool:
    """Whether a table is of a format without a header: its first line is none, and one line fits.

    stated: whether the user says so; a row of as many cells is then enough.
    """
    if form.fits is None:
        return False
    rows = [[cell.strip() for cell in split_line(line, layout.separator) or []] for line in lines]
    if all(map(_is_name, filter(None, rows[0]))):
        return False
    return any(len(row) == len(form.required) if stated else form.fits(row) for row in rows)


def _is_name(cell: str) -> bool:
    """Whether a cell can be the name of a column, since it is no number."""
    return cell.casefold() != "nan" and number(cell) is None


def _table_reads(path: str, name: str, form: TableFormat, layout: Layout) -> Iterator[Found]:
    if form in single.PLAIN and "confidence" not in layout.names:
        _tell_of_confidences(path, layout.names)
    scales = _scales(path, form, layout)
    with open_text(path) as handle:
        for row in rows(handle, layout, (*form.required, *form.used)):
            if isinstance(row, BadLine):
                yield row
                continue
            line, cells = row
            try:
                yield list(form.read_row(cells, Origin(form.tool, path, name, line, scales)))
            except ValueError as error:
                yield BadLine(line, str(error))


def _tell_of_confidences(path: str, names: Iterable[str]) -> None:
    """Say that a plain table has none, and which of its columns (names) may be meant to be it."""
    near = next((name for name in names if re.search("conf|score|prob", name)), None)
    if near is None:
        LOG.info("%s", printable(f"{path}: no column 'confidence', so that all reads count alike"))
        return
    told = (
        f"{path}: column '{shortened(near, 40)}' is not used; if it says from 0 to 1 how sure a "
        "peptide is, name it confidence"
    )
    LOG.warning("%s", printable(told))


def _scales(path: str, form: TableFormat, layout: Layout) -> dict[str, float]:
    """What the numbers of a table's columns of percentages or shares are divided by."""
    percents, shares = (
        [name for name in names if name in layout.names] for names in (form.percents, form.shares)
    )
    if not (percents or shares):
        return {}
    with open_text(path) as handle:
        found = rows(handle, layout, (*percents, *shares))
        cells = (row[1] for row in found if not isinstance(row, BadLine))
        try:
            return scales_of(cells, percents, shares)
        except ValueError as error:
            raise LacunaError(f"{path}: {error}") from None


def _mztab_reads(path: str, name: str, separator: str, reads_format: str | None) -> Iterator[Found]:
    table = casanovo.read_mztab(path, separator)
    scores = casanovo.scores_of_file(table)
    yield from table.bad
    for line, row in table.rows:
        try:
            origin = Origin(reads_format or table.tool, path, name, line)
            yield casanovo.read_row(row, origin, scores)
        except ValueError as error:
            yield BadLine(line, str(error))
