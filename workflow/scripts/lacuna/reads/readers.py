"""Read the peptides of a sample; the format of each file is recognised by its content."""

import hashlib
import logging
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from lacuna.core.files import LacunaError, open_bytes, open_text, printable, shortened
from lacuna.core.tables import RejectedRow
from lacuna.core.words import is_given, plural
from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin
from lacuna.reads.read import Peptides, Read
from lacuna.reads.recognition import check_columns, check_row_names, recognised, tool_names
from lacuna.reads.scale import scales_of
from lacuna.reads.table import BadLine, Layout, head_of, rows
from lacuna.reads.tools import casanovo, maxquant, plain

LOG = logging.getLogger(__name__)

ENOUGH_TO_VARY = 50  # reads; fewer may be equally sure, as in a table that was made by hand
# Of the reads of a file, with and without their confidences: two runs of a sample share a tenth of
# them, and two fifths of their peptides.
MOST_SHARED, MOST_SHARED_PEPTIDES = 0.5, 0.9
# Names of columns that a plain table does not use, and what to do if they matter.
_CONFIDENCE = (
    "conf|score|prob",
    "if it says from 0 to 1 how sure a peptide or its residues are, name it confidence",
)
_UNUSED = (
    ("modif", "write modifications within the peptide, as M(+15.9949)"),
    (
        r"^(hit_?|psm_?)?rank$|decoy|^label$|q.?value|_q$|fdr",
        "leave out decoys and all but the best peptide of a spectrum",
    ),
)
Found = list[Read] | BadLine  # the reads of a row, or what is wrong with it
Spectrum = tuple[str, ...]  # what names the spectrum and precursor of a row; () if nothing does


def read_peptides(paths: Iterable[str | Path], reads_format: str | None = None) -> Peptides:
    """The reads of a sample's files, in the order of the files and of their rows.

    reads_format: the tool that wrote them all, one of `tool_names()`; None: recognised by content.
    A row that cannot be read is a rejected row. Raises LacunaError if a file is of no known format,
    or if two are the same, whose reads would count twice.
    """
    files = [str(path) for path in paths]
    _check_different(files)
    if reads_format is not None and reads_format not in tool_names():
        raise LacunaError(
            f"reads_format: '{reads_format}' is none of the formats; choose among "
            f"{', '.join(tool_names())}"
        )
    reads: list[Read] = []
    rejected: list[RejectedRow] = []
    for path, name in zip(files, _names(files), strict=True):
        own: list[Read] = []
        for found in _surest(path, _reads_of(path, name, reads_format)):
            if isinstance(found, BadLine):
                reason = printable(f"{path}:{found.line}: {found.fault}")
                rejected.append(RejectedRow(f"{name}:{found.line}", found.line, None, reason))
            else:
                own.extend(found)
        reads.extend(_without_constant(path, own))
    if len(files) > 1:
        for words in _shared(files, reads):
            LOG.warning("%s", printable(words))
    return Peptides(reads, rejected)


def _without_constant(path: str, reads: list[Read]) -> list[Read]:
    """The reads of a file, those of a plain table without confidences if all of these are one
    number, as a script writes that has none: it tells no read from another."""
    if len(reads) < ENOUGH_TO_VARY or any(read.tool != plain.TOOL for read in reads):
        return reads
    stated = {one for read in reads for one in read.confidences or (read.score,)}
    if len(stated) > 1 or None in stated:
        return reads
    words = f"{path}: all confidences are {stated.pop():g}, which tells no read from another"
    LOG.warning("%s", printable(f"{words}: they are not used"))
    return [replace(read, confidences=None, score=None) for read in reads]


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
    one table, or after another export, which may have lost the confidences."""
    of_file: dict[str, list[Read]] = {path: [] for path in files}
    for read in reads:
        of_file[read.file].append(read)
    for pair in combinations(files, 2):
        small, large = sorted(pair, key=lambda path: len(of_file[path]))
        n = len(of_file[small])
        shared = _equal(of_file[small], of_file[large], _stated)
        words = "with the same confidences, "
        if shared < max(MOST_SHARED * n, 1):
            shared = _equal(of_file[small], of_file[large], lambda read: read.residues)
            words = ""
            if n < ENOUGH_TO_VARY or shared < MOST_SHARED_PEPTIDES * n:
                continue
        yield (
            f"{small}: {shared} of {plural(n, 'read')} are also in {large}, "
            f"{words}and count twice; give each read once"
        )


def _equal(some: Iterable[Read], others: Iterable[Read], key: Callable[[Read], object]) -> int:
    """How many of some reads are also among the others, by their keys; those of key None are in
    neither."""
    counts = (Counter(found for read in of if (found := key(read))) for of in (some, others))
    return (next(counts) & next(counts)).total()


def _stated(read: Read) -> tuple[str, tuple[float, ...]] | None:
    """A peptide and its confidences or score; None if it has neither."""
    stated = read.confidences or (() if read.score is None else (read.score,))
    return (read.residues, stated) if stated else None


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


def _surest(path: str, rows: Iterable[tuple[Spectrum, Found]]) -> list[Found]:
    """The rows of a file with one peptide for each spectrum and precursor: the surest.

    Other candidates for a spectrum make the same mistakes, and would count as further reads.
    """
    kept: list[Found] = []
    places: dict[Spectrum, int] = {}
    others = 0
    for spectrum, found in rows:
        at = len(kept)
        if spectrum and found and not isinstance(found, BadLine):
            at = places.setdefault(spectrum, at)
        if at == len(kept):
            kept.append(found)
            continue
        others += 1
        if _sureness(found) > _sureness(kept[at]):
            kept[at] = found
    if others:
        words = f"{path}: {plural(others, 'peptide')} left out: their spectra have surer ones"
        LOG.info("%s", printable(words))
    return kept


def _sureness(found: Found) -> float:
    """How sure the first read of a row is: its score, or the mean confidence of its residues."""
    if isinstance(found, BadLine):
        return 0.0
    read = found[0]
    if read.score is not None or not read.confidences:
        return read.score or 0.0
    return sum(read.confidences) / len(read.confidences)


def _reads_of(path: str, name: str, reads_format: str | None) -> Iterator[tuple[Spectrum, Found]]:
    with open_text(path) as handle:
        head = head_of(handle)
    if not any(line.strip() for line in head):
        raise LacunaError(f"{path}: the file is empty; give a file with peptides")
    separator = casanovo.separator_of(head)
    if separator and reads_format in (None, *casanovo.TOOLS):
        return _mztab_reads(path, name, separator, reads_format)
    form, layout = recognised(path, head, reads_format)
    check_columns(path, form, layout)
    check_row_names(path, head, layout)
    return _table_reads(path, name, form, layout)


def _table_reads(
    path: str, name: str, form: TableFormat, layout: Layout
) -> Iterator[tuple[Spectrum, Found]]:
    if form in plain.FORMATS:
        _tell_of_columns(path, layout.names, stated=form.shares[0] in layout.names)
    scales = _scales(path, form, layout)
    spectrum = form.spectrum if set(form.spectrum[:2]).issubset(layout.names) else ()
    with open_text(path) as handle:
        for row in rows(handle, layout, (*form.required, *form.used, *spectrum)):
            if isinstance(row, BadLine):
                yield (), row
                continue
            line, cells = row
            try:
                found = list(form.read_row(cells, Origin(form.tool, path, name, line, scales)))
            except ValueError as error:
                yield (), BadLine(line, str(error))
            else:
                named = tuple(cells.get(column, "") for column in spectrum)
                # Without scan and m/z nothing tells which rows are of one spectrum.
                yield named if all(map(_names_something, named[:2])) else (), found


def _names_something(cell: str) -> bool:
    return cell != "-" and is_given(cell)


def _tell_of_columns(path: str, names: Sequence[str], *, stated: bool) -> None:
    """Say which columns of a plain table are not used though they may matter.

    stated: whether one has the confidences.
    """
    near = [
        (found, remedy)
        for pattern, remedy in (_UNUSED if stated else (_CONFIDENCE, *_UNUSED))
        if (found := next((name for name in names if re.search(pattern, name)), None))
    ]
    for found, remedy in near:
        told = f"{path}: column '{shortened(found, 40)}' is not used; {remedy}"
        LOG.warning("%s", printable(told))
    if not stated and _CONFIDENCE[1] not in dict(near).values():
        LOG.info("%s", printable(f"{path}: no column 'confidence', so that all reads count alike"))


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


def _mztab_reads(
    path: str, name: str, separator: str, reads_format: str | None
) -> Iterator[tuple[Spectrum, Found]]:
    table = casanovo.read_mztab(path, separator)
    scores = casanovo.scores_of_file(table)
    yield from (((), bad) for bad in table.bad)
    for line, row in table.rows:
        origin = Origin(reads_format or table.tool, path, name, line)
        try:
            yield casanovo.spectrum_of(row), casanovo.read_row(row, origin, scores)
        except ValueError as error:
            yield (), BadLine(line, str(error))
