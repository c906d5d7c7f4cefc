"""Read plain or gzipped files, write whole files or none, and the one error that users see."""

import codecs
import errno
import gzip
import hashlib
import io
import os
import re
import stat
import tempfile
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn, TextIO, cast

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_LEVEL = 6
# First bytes of files that are often given in place of text, and what only an xlsx has near them.
_ZIP_MAGIC = b"PK\x03\x04"
_PACKED_MAGIC = (b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")  # zstd last
_XLS_MAGIC = b"\xd0\xcf\x11\xe0"
_XLSX_PART = b"[Content_Types].xml"
_HTML_STARTS = (b"<!doctype html", b"<html")
_TEMPORARY_BYTES = 1 << 20  # what a run may need for temporary files outside its folder

# What the standard library raises when a gzip file is cut short or damaged.
GZIP_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)


_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


MAX_SHOWN = 100  # characters of an id or sequence in a message


def printable(text: str) -> str:
    """The text on one line, with invisible characters as escapes: \\x1b, \\u2028, \\xa0.

    On a terminal such characters could hide or forge part of a message.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shortened(text: str, most: int = 200) -> str:
    """The text cut to `most` characters: a whole file in one cell would bury the message."""
    return text if len(text) <= most else text[: most - 3] + "..."


class LacunaError(Exception):
    """A fault of the input that stops the run: one line with file, record, fault and remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


@contextmanager
def in_sample(name: str) -> Iterator[None]:
    """Name the sample in a LacunaError: the files of several samples may have the same name."""
    try:
        yield
    except LacunaError as error:
        raise LacunaError(f"sample '{name}': {error}") from None


def state_of(path: str | Path) -> tuple[int, ...] | None:
    """Device, inode, size and time of a file, which change if it does; None if it is gone."""
    try:
        return _state(os.stat(path))
    except OSError:
        return None


def _state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def file_digest(path: str | Path) -> str:
    """The sha256 of a file's bytes; LacunaError if it cannot be read."""
    try:
        with open(path, "rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise LacunaError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def _check_file(path: str | Path, opened: BinaryIO) -> None:
    """Raise LacunaError if an open file is a pipe: every input is read more than once."""
    mode = os.fstat(opened.fileno()).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        raise LacunaError(f"{path}: is a pipe, and is read more than once; give a file instead")


@contextmanager
def open_bytes(path: str | Path) -> Iterator[BinaryIO]:
    """Open a plain or gzipped file for reading; gzip is detected by content, not by name.

    Raises LacunaError if the file cannot be opened, is a pipe or damaged, or has changed by the end
    of the block: what was read may then be a mix of two versions.
    """
    with ExitStack() as stack:
        try:
            plain = stack.enter_context(open(path, "rb"))
            _check_file(path, plain)
            start = plain.peek(len(_GZIP_MAGIC))
        except FileNotFoundError:
            raise LacunaError(f"{path}: no such file; check the path") from None
        except UnicodeEncodeError:
            raise LacunaError(
                f"{path}: this locale has no such letters; set PYTHONUTF8=1 or LC_ALL=C.UTF-8"
            ) from None
        except OSError as error:
            raise LacunaError(
                f"{path}: cannot be read ({error.strerror}); check the path"
            ) from None
        opened, damaged = _state(os.fstat(plain.fileno())), False
        try:
            if start.startswith(_GZIP_MAGIC):
                yield cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=plain, mode="rb")))
            else:
                yield plain
        except GZIP_DAMAGE:
            damaged = True
        if state_of(path) != opened:
            raise LacunaError(f"{path}: changed while it was read; run again when it is complete")
        if damaged:
            raise LacunaError(f"{path}: the gzip file is damaged or cut short; copy it again")


@contextmanager
def open_text(path: str | Path, errors: str = "strict") -> Iterator[TextIO]:
    """Open a plain or gzipped UTF-8 file for reading text; a byte-order mark is skipped.

    Line ends are read as "\\n"; errors: what is done about bytes that are not UTF-8. Raises
    LacunaError as `open_bytes` does, and if the file is not UTF-8 and `errors` is "strict".
    """
    with open_bytes(path) as binary:
        how = _NOT_UTF8 if errors == "strict" else errors
        try:
            yield io.TextIOWrapper(binary, encoding="utf-8-sig", errors=how)
        except _NotUtf8Error as error:
            byte = error.text[error.at]
            raise LacunaError(
                f"{path}: not a text file in UTF-8 (byte 0x{byte:02x}); {_as_utf8(error.text)}"
            ) from None


class _NotUtf8Error(Exception):
    """That a file of `open_text` is not UTF-8: its own error, since the block of its caller may
    decode something else."""

    def __init__(self, text: bytes, at: int) -> None:
        super().__init__()
        self.text, self.at = text, at


def _refuse(error: UnicodeError) -> NoReturn:
    """What is done about bytes that are not UTF-8."""
    if isinstance(error, UnicodeDecodeError):
        raise _NotUtf8Error(error.object, error.start)
    raise error


_NOT_UTF8 = "lacuna.not_utf8"  # the name of `_refuse` for Python's decoders
codecs.register_error(_NOT_UTF8, _refuse)


_UTF16, _WORKBOOK, _PACKED, _HTML = (
    "text in UTF-16",
    "a workbook of a spreadsheet",
    "a compressed file",
    "a page of HTML",
)
_REMEDIES = {
    _UTF16: "it is in UTF-16: save it as UTF-8 (in a spreadsheet, CSV UTF-8, not Unicode Text)",
    _WORKBOOK: f"it is {_WORKBOOK}: save its sheet as CSV UTF-8",
    _PACKED: f"it is {_PACKED}: unpack it, or compress it with gzip instead",
    _HTML: f"it is {_HTML}: download the file itself",
}


def kind_of(start: bytes) -> str:
    """What a file is that is often given in place of another, by its first bytes; "" if none."""
    if start[: len(BOM_UTF16_LE)] in (BOM_UTF16_LE, BOM_UTF16_BE):
        return _UTF16
    if start.startswith(_XLS_MAGIC) or (start.startswith(_ZIP_MAGIC) and _XLSX_PART in start):
        return _WORKBOOK
    if start.startswith((_ZIP_MAGIC, *_PACKED_MAGIC)):
        return _PACKED
    return _HTML if start.lstrip()[:14].lower().startswith(_HTML_STARTS) else ""


def is_workbook(start: bytes) -> bool:
    """Whether a file is a workbook of a spreadsheet, by its first bytes."""
    return kind_of(start) == _WORKBOOK


def remedy_of(start: bytes) -> str:
    """What a file of `kind_of` is, by its first bytes, and what to do with it; "" for any other."""
    return _REMEDIES.get(kind_of(start), "")


def _as_utf8(start: bytes) -> str:
    """What a file is that is not UTF-8, by its first bytes, and what to do with it."""
    if remedy := remedy_of(start):
        return remedy
    if b"\0" in start:
        return "save it as plain text"
    return "it is text in another encoding: save it as UTF-8 (in a spreadsheet, CSV UTF-8)"


def read_lines(handle: TextIO, limit: int) -> Iterator[tuple[int, str, bool]]:
    """Yield (number from 1, line without its end, whether it is whole) for every line.

    Lines are cut to `limit` characters; the rest of a longer line is skipped.
    """
    number = 0
    while text := handle.readline(limit + 1):
        number += 1
        whole = len(text) <= limit or text.endswith("\n")
        yield number, text.rstrip("\r\n")[:limit], whole
        while not whole:
            rest = handle.readline(limit)
            whole = not rest or rest.endswith("\n")


def check_temporary_folder() -> None:
    """Write and remove a temporary file; LacunaError if there is no space or folder for it."""
    # Python skips a TMPDIR that is full, but the solver that Snakemake starts does not.
    folder = os.environ.get("TMPDIR", "")
    try:
        if not os.access(folder, os.W_OK):
            folder = tempfile.gettempdir()
        with tempfile.TemporaryFile(dir=folder) as handle:
            handle.write(bytes(_TEMPORARY_BYTES))
    except OSError as error:
        raise LacunaError(
            f"{folder or 'TMPDIR'}: temporary files cannot be written ({error.strerror}); "
            "free some space, or set TMPDIR to another folder"
        ) from None


@contextmanager
def atomic_write_bytes(path: str | Path) -> Iterator[BinaryIO]:
    """Write `path` whole or not at all, so that no reader ever sees half a file.

    Missing folders are created. A name that ends in .gz is gzipped without name and time in the
    header, so that the same content gives the same bytes. Raises LacunaError if the disk is full or
    the file may not be written.
    """
    path = Path(path)
    # In the same folder, since a rename is atomic only within one file system. The name is always
    # the same: what a killed process leaves behind is overwritten next time.
    partial = path.with_name(f".{path.name}.part")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(partial, "wb") as plain:
                if path.suffix == ".gz":
                    with gzip.GzipFile("", "wb", _GZIP_LEVEL, plain, mtime=0) as zipped:
                        yield cast(BinaryIO, zipped)
                else:
                    yield plain
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def atomic_write(path: str | Path) -> Iterator[TextIO]:
    """As `atomic_write_bytes`, for text: UTF-8 with "\\n" as line end on every system."""
    with atomic_write_bytes(path) as binary:
        text = io.TextIOWrapper(binary, encoding="utf-8", newline="\n")
        try:
            yield text
        finally:
            text.detach()  # flushes; the file below is closed by its own context manager


# Faults of the disk that the user can fix, and how.
_DISK_REMEDIES = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some of your quota and run again",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f) and run again",
    errno.EROFS: "choose an outdir that can be written",
    errno.EACCES: "change its permissions, or choose another outdir",
    errno.EPERM: "change its permissions, or choose another outdir",
    errno.ENOTDIR: "a part of the path is a file: remove it, or choose another outdir",
    errno.EEXIST: "a part of the path is a file, or a link to nothing: remove it, or choose "
    "another outdir",
    errno.ENAMETOOLONG: "choose shorter names",
}


def path_fault(text: str) -> str | None:
    """What is wrong with a path as written, and the remedy; None if nothing is.

    The text completes "the path, which ...".
    """
    if _CONTROL.search(text):
        return "holds a line end or another control character; rename it"
    if "{" in text or "}" in text:
        return "holds braces, which Snakemake takes for its own; rename the file or folder"
    if re.match("[a-z0-9+]{2,}://", text, re.IGNORECASE):
        return "is a URL; download the file and give its path"
    if os.path.exists(text):
        return None
    if re.match(r"[A-Za-z]:[\\/]", text) or "\\" in text:
        return "is a path of Windows; write it with '/' (under WSL 'C:\\' is '/mnt/c/')"
    if text.startswith("~"):
        return "begins with '~', which only a shell reads; write the whole path"
    return None


def disk_fault(path: str | Path, error: BaseException) -> str | None:
    """A disk fault while writing `path`, with its remedy; None for any other error."""
    if not isinstance(error, OSError) or error.errno not in _DISK_REMEDIES:
        return None
    remedy = _DISK_REMEDIES[error.errno]
    return f"{path}: cannot be written ({os.strerror(error.errno)}); {remedy}"


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turn disk faults (full, not writable) while `path` is written into LacunaError."""
    path = Path(path)
    try:
        yield
    except OSError as error:
        # A failed write has no file name; a name elsewhere is that of a file being read.
        elsewhere = error.filename and Path(os.fsdecode(error.filename)).parent not in path.parents
        fault = disk_fault(path, error)
        if fault is None or elsewhere:
            raise
        raise LacunaError(fault) from None
