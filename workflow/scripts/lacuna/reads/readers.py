"""Reading the peptides of a sample: every file in the format that its content shows."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lacuna.core.files import LacunaError, open_text, printable
from lacuna.core.tables import RejectedRow
from lacuna.reads import instanovo, peaks
from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin
from lacuna.reads.read import Peptides, Read
from lacuna.reads.table import BadLine, Layout, head_of, layouts, rows

# The first that recognises a file reads it, so those that ask for more come first.
TABLES: tuple[TableFormat, ...] = (*peaks.FORMATS, *instanovo.FORMATS)

_EMPTY_REMEDY = "give a file with peptides"


def read_peptides(paths: Iterable[str | Path], reads_format: str | None = None) -> Peptides:
    """The reads of a sample's files, in the order of the files and of their rows.

    reads_format: the tool that wrote them all, one of `tools()`; recognised by content without it.
    A row that cannot be read is a rejected row. Raises LacunaError if a file is of no known format.
    """
    files = [str(path) for path in paths]
    if reads_format is not None and reads_format not in tools():
        raise LacunaError(
            f"reads_format: '{reads_format}' is none of the formats; choose among "
            f"{', '.join(tools())}"
        )
    found = Peptides([], [], 0)
    for path, name in zip(files, _names(files), strict=True):
        one = _read_file(path, name, reads_format)
        found.reads.extend(one.reads)
        found.rejected.extend(one.rejected)
        found = found._replace(unread=found.unread + one.unread)
    return found


def tools() -> list[str]:
    """What `reads_format` may be."""
    return list(dict.fromkeys(form.tool for form in TABLES))


def _titles() -> str:
    return ", ".join(dict.fromkeys(form.title for form in TABLES))


def _names(paths: Sequence[str]) -> list[str]:
    """What the reads of each file are named by: its name, or its path if two have the same name."""
    names = [Path(path).name for path in paths]
    return [
        name if names.count(name) == 1 else path for path, name in zip(paths, names, strict=True)
    ]


def _read_file(path: str, name: str, reads_format: str | None) -> Peptides:
    with open_text(path) as handle:
        head = head_of(handle)
    if not any(line.strip() for line in head):
        raise LacunaError(f"{path}: the file is empty; {_EMPTY_REMEDY}")
    form, layout = _recognised(path, head, reads_format)
    return _read_table(path, name, form, layout)


def _recognised(
    path: str, head: Sequence[str], reads_format: str | None
) -> tuple[TableFormat, Layout]:
    """The format of a file and where its table begins, by its first lines."""
    forms = [form for form in TABLES if reads_format in (None, form.tool)]
    for layout in layouts(head):
        for form in forms:
            if set(form.required).issubset(layout.names):
                return form, layout
    first = next(line for line in head if line.strip())
    if reads_format is not None:
        raise LacunaError(
            f"{path}: not a file of {reads_format}: it begins with '{printable(first[:60])}'; "
            "leave reads_format out to have the tool recognised"
        )
    raise LacunaError(
        f"{path}: no format of peptide reads that is known: it begins with "
        f"'{printable(first[:60])}'; give the output of {_titles()}, or a table with the columns "
        "peptide and confidence"
    )


def _read_table(path: str, name: str, form: TableFormat, layout: Layout) -> Peptides:
    reads: list[Read] = []
    rejected: list[RejectedRow] = []
    unread = 0
    with open_text(path) as handle:
        for row in rows(handle, layout, (*form.required, *form.used)):
            if isinstance(row, BadLine):
                rejected.append(_rejected(path, name, row.line, row.fault))
                continue
            line, cells = row
            try:
                found = list(form.read_row(cells, Origin(form.tool, path, name, line)))
            except ValueError as error:
                rejected.append(_rejected(path, name, line, str(error)))
                continue
            reads.extend(found)
            unread += not found
    return Peptides(reads, rejected, unread)


def _rejected(path: str, name: str, line: int, fault: str) -> RejectedRow:
    return RejectedRow(f"{name}:{line}", line, None, printable(f"{path}:{line}: {fault}"))
