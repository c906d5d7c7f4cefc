"""Read the peptides of a sample; the format of each file is recognised by its content."""

import hashlib
import logging
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

from lacuna.core.files import LacunaError, open_bytes, open_text, printable, shortened
from lacuna.core.tables import RejectedRow
from lacuna.core.words import plural
from lacuna.reads import casanovo, maxquant, single
from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin
from lacuna.reads.read import Peptides, Read
from lacuna.reads.recognition import recognised, tools
from lacuna.reads.scale import scales_of
from lacuna.reads.table import BadLine, Layout, head_of, rows

LOG = logging.getLogger(__name__)

MOST_SHARED = 0.5  # of the reads of a file; two runs of a sample share a tenth
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
    for path, name in zip(files, _names(files), strict=True):
        for found in _reads_of(path, name, reads_format):
            if isinstance(found, BadLine):
                reason = printable(f"{path}:{found.line}: {found.fault}")
                rejected.append(RejectedRow(f"{name}:{found.line}", found.line, None, reason))
            else:
                reads.extend(found)
    if len(files) > 1:
        for words in _shared(files, reads):
            LOG.warning("%s", printable(words))
    return Peptides(reads, rejected)


def _check_different(paths: Sequence[str]) -> None:
    """Raise LacunaError if a file is named twice, or is a copy of another, gzipped or not, whatever
    its lines end with."""
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
    """The sha256 of the lines of a file, plain or gzipped, without a mark of their encoding."""
    found = hashlib.sha256()
    with open_bytes(path) as handle:
        for number, line in enumerate(handle):
            line = line.removeprefix(BOM_UTF8) if not number else line
            found.update(line.rstrip(b"\r\n") + b"\n")
    return found.digest()


def _shared(files: Sequence[str], reads: Iterable[Read]) -> Iterator[str]:
    """Yield what is to be said of files of which most reads are in a file before, too: as parts of
    one table, or after another export. Reads without confidences are not compared: those of two
    runs are often equal."""
    of_file: dict[str, Counter[tuple[str, tuple[float, ...]]]] = {path: Counter() for path in files}
    for read in reads:
        if read.confidences is not None:
            of_file[read.file][read.residues, read.confidences] += 1
    for first, second in combinations(files, 2):
        small, large = sorted((first, second), key=lambda path: of_file[path].total())
        shared = (of_file[small] & of_file[large]).total()
        if shared >= max(MOST_SHARED * of_file[small].total(), 1):
            yield (
                f"{small}: {shared} of {plural(of_file[small].total(), 'read')} are also in "
                f"{large}, with the same confidences, and count twice; give each read once"
            )


def why_empty(path: str | Path, reads_format: str | None) -> str:
    """Of a file without a peptide: which columns are empty, and the remedy; "" if none is empty."""
    with open_text(path) as handle:
        head = head_of(handle)
    if casanovo.separator_of(head):
        return ""
    form, layout = recognised(str(path), head, reads_format)
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
    return _table_reads(path, name, *recognised(path, head, reads_format))


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
