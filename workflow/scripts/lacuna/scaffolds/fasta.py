"""FASTA as raw records, streamed: Biopython gives neither line numbers nor a length limit."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lacuna.core.files import LacunaError, is_workbook, open_bytes, remedy_of

MAX_ID = 1_000  # characters of an id

_MAX_LINES = 5  # of further bad rows, in a message
_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"
_START = b"\n>"
_WHITESPACE = b" \t\r\n\x0b\x0c"
# The header of PIR: a kind of sequence before the id. A line of title follows.
_PIR = re.compile(rb"(?:P1|F1|DL|DC|RL|RC|N1|N3|XX);")
# Characters, except tab, that would end a line or are invisible on a terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class Record(NamedTuple):
    """One record as written in its file; `line` (1-based) is that of a FASTA header.

    Control characters in the description are replaced by blanks; one that is not UTF-8 is read as
    Windows-1252, and `foreign`. In a table of rearrangements `line` is that of the row, which also
    has the sequence.
    """

    chain: str
    description: str
    body: bytes  # the sequence lines, line ends included
    line: int
    fault: str | None  # what is wrong with the header, or with the size of the record
    below: int = 1  # lines from `line` to the first of the sequence
    foreign: bool = False


class Fault(Exception):
    """Why a record cannot be used: `text` follows its name; `line`, `column` are 1-based."""

    def __init__(
        self, text: str, line: int, column: int | None = None, file: str | None = None
    ) -> None:
        super().__init__(text)
        self.text, self.line, self.column, self.file = text, line, column, file


def first_of(faults: Sequence[Fault], file: str) -> Fault:
    """The first of the faults that rows of a table have, with the lines of the others."""
    first, *others = faults
    lines = ", ".join(str(fault.line) for fault in others[:_MAX_LINES])
    more = f" and {len(others) - _MAX_LINES} more" if len(others) > _MAX_LINES else ""
    also = f" (bad as well: line {lines}{more})" if others else ""
    return Fault(f"{first.text}{also}", first.line, first.column, file)


def split_header(header: bytes) -> tuple[bytes, bytes]:
    """Id and description of a header without its '>': the id ends at the first ASCII blank."""
    chain, *description = header.split(None, 1) or (b"",)
    return chain, b"".join(description)


def fasta_record(chain: str, description: str, sequence: str) -> str:
    """A record as it is written: id and description, if there is one, then the sequence on one
    line."""
    header = " ".join(filter(None, (chain, description)))
    return f">{header}\n{sequence}\n"


def count_records(path: str | Path) -> int:
    """Count the records of a FASTA file, usable or not, in one pass over its bytes.

    Raises LacunaError if the file cannot be read or is not FASTA.
    """
    count, before = 0, b"\n"
    with open_bytes(path) as handle:
        for chunk in _chunks(handle, path):
            count += (before + chunk).count(_START)
            before = chunk[-1:]
    return count


def read_records(path: str | Path, max_bytes: int) -> Iterator[Record]:
    """Yield the records of a FASTA file (plain or gzipped) in order, one at a time.

    At most about `max_bytes` of a record are kept: the rest of a longer one is skipped, and its
    `fault` says so. Raises LacunaError if the file cannot be read or is not FASTA.
    """
    with open_bytes(path) as handle:
        buffer, line, skipped, cut = b"\n", 0, 0, False
        for chunk in _chunks(handle, path):
            whole = (buffer + chunk).split(_START)
            buffer = whole.pop()
            for blob in whole:
                if line:  # text before the first '>' is not a record
                    yield _record(blob, line, cut)
                line += blob.count(b"\n") + skipped + 1
                skipped, cut = 0, False
            if len(buffer) > max_bytes:
                # Keep a line end if it is the last byte, and only there: with the next chunk it may
                # form the start of a record.
                kept = buffer[:max_bytes].rstrip(b"\n") + b"\n" * buffer.endswith(b"\n")
                skipped += buffer.count(b"\n") - kept.count(b"\n")
                buffer, cut = kept, True
        yield _record(buffer, line, cut)


def _chunks(handle: BinaryIO, path: str | Path) -> Iterator[bytes]:
    """Yield the file in chunks with "\\n" as line end; LacunaError if it is not FASTA."""
    chunk = handle.read(_CHUNK).removeprefix(_BOM)
    old_mac = _has_cr_lines(chunk)
    start = chunk.lstrip(_WHITESPACE)
    if not start:
        raise LacunaError(f"{path}: the file is empty; give at least one FASTA record")
    if start.startswith(b">") and b"\0" in chunk:
        line = chunk[: chunk.index(b"\0")].count(b"\r" if old_mac else b"\n") + 1
        raise LacunaError(f"{path}:{line}: holds a NUL character; save the file as plain text")
    if not start.startswith(b">"):
        seen = ascii(start[:12].decode("utf-8", errors="replace"))
        remedy = "the first line must be '>' and an id"
        if max(map(start.splitlines()[0].count, b"\t,;")) > 1:
            remedy += (
                " (a table must have the columns of AIRR, such as sequence_id and sequence_aa)"
            )
        if is_workbook(start):
            remedy = (
                "it is a workbook of a spreadsheet: save its chains as FASTA, or its sheet as text "
                "with the columns of AIRR"
            )
        else:
            remedy = remedy_of(start) or remedy
        raise LacunaError(f"{path}: not a FASTA file (it begins with {seen}); {remedy}")
    if _PIR.match(start, 1):
        seen = ascii(start.split(maxsplit=1)[0][:12].decode("utf-8", errors="replace"))
        raise LacunaError(
            f"{path}: not a FASTA file (it begins with {seen}); this is PIR: convert it to FASTA"
        )
    # Blank lines before the first record count as lines; blanks in them are ignored.
    above = chunk[: -len(start)].count(b"\r" if old_mac else b"\n")
    chunk = b"\n" * above + start
    while chunk:
        yield chunk.replace(b"\r", b"\n") if old_mac else chunk
        chunk = handle.read(_CHUNK)


def _has_cr_lines(chunk: bytes) -> bool:
    """Whether lines end with CR alone; the last may end differently, as some editors leave it."""
    alone = chunk.count(b"\r") - chunk.count(b"\r\n") - chunk.count(b"\r\r")
    return 0 < alone >= chunk.count(b"\n")


def _record(blob: bytes, line: int, cut: bool) -> Record:
    """Parse a record: `blob` is everything after its '>'."""
    header, _, body = blob.partition(b"\n")
    name, about = split_header(header)
    fault = "is too long to be one chain; split the record" if cut else None
    if not name or header[:1].isspace():
        return Record("", "", body, line, "has no id; write one right after '>'")
    try:
        chain = name.decode("utf-8")
    except UnicodeDecodeError:
        chain = name.decode("utf-8", "backslashreplace")
        fault = "has an id that is not UTF-8; save the file as UTF-8"
    if len(chain) > MAX_ID:
        fault = f"has an id of {len(chain)} characters, more than the limit of {MAX_ID}; shorten it"
    elif b"\0" in name:
        fault = "has a NUL character in its id; save the file as plain text"
    elif _PIR.match(header):
        fault = "is PIR, whose second line is a title; convert it to FASTA"
    elif b"\r>" in header:
        fault = "has both CR and LF as line ends; save the file with one kind of line end"
    foreign = False
    try:
        description = about.decode("utf-8")
    except UnicodeDecodeError:
        description, foreign = about.decode("cp1252", "replace"), True
    if not description.isprintable():
        description = _CONTROL.sub(" ", description)
    return Record(chain, description.strip(), body, line, fault, foreign=foreign)
