"""Reading plain or gzipped files, writing whole files or none, and the one error that users see."""

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_LEVEL = 6
# Of the tutorial's models, in the folder of their reports: what train_seed writes for others.
SEED_PREDICTIONS = "predictions.tsv"

# What the standard library raises when a gzip file is cut short or damaged.
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


def printable(text: str) -> str:
    """A text on one line, what is not seen in it as escapes: \\x1b, \\u2028, \\xa0.

    On a terminal it could hide or forge what a message says.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class LacunaError(Exception):
    """A fault of the input that stops the run: one line naming file, record, fault and remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


@contextmanager
def open_bytes(path: str | Path) -> Iterator[BinaryIO]:
    """Open a plain or gzipped file for reading; gzip is known by its first bytes, not by its name.

    Raises LacunaError when the file cannot be opened, or turns out damaged while it is read.
    """
    with ExitStack() as stack:
        try:
            plain = stack.enter_context(open(path, "rb"))
            start = plain.peek(len(_GZIP_MAGIC))
        except FileNotFoundError:
            raise LacunaError(f"{path}: no such file; check the path") from None
        except OSError as error:
            raise LacunaError(
                f"{path}: cannot be read ({error.strerror}); check the path"
            ) from None
        try:
            if start.startswith(_GZIP_MAGIC):
                yield cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=plain, mode="rb")))
            else:
                yield plain
        except _DAMAGED:
            raise LacunaError(
                f"{path}: the gzip file is damaged or cut short; copy it again"
            ) from None


@contextmanager
def open_text(path: str | Path) -> Iterator[TextIO]:
    """Open a plain or gzipped UTF-8 file for reading text; a byte-order mark is skipped.

    Line ends arrive as "\\n". Raises LacunaError as `open_bytes` does, and where it is not UTF-8.
    """
    with open_bytes(path) as binary:
        try:
            yield io.TextIOWrapper(binary, encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise LacunaError(
                f"{path}: not a text file in UTF-8 (byte 0x{byte:02x}); save it as plain text"
            ) from None


def read_lines(handle: TextIO, limit: int) -> Iterator[tuple[int, str, bool]]:
    """Yield (number, line without its end, whether it is whole) of every line, numbers from 1.

    Of a line longer than `limit` characters the beginning is given and the rest skipped.
    """
    number = 0
    while text := handle.readline(limit + 1):
        number += 1
        whole = len(text) <= limit or text.endswith("\n")
        yield number, text.rstrip("\r\n")[:limit], whole
        while not whole:
            rest = handle.readline(limit)
            whole = not rest or rest.endswith("\n")


@contextmanager
def atomic_write_bytes(path: str | Path) -> Iterator[BinaryIO]:
    """Write `path` whole or not at all, so that no reader ever meets half a file.

    The folder is made where it is missing. A name that ends in .gz is gzipped without a name or a
    time inside, so that the same content gives the same bytes.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, since a rename is atomic only within one file system.
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
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
            text.detach()  # flushes; the file below is closed by its own context
