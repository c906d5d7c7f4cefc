"""Where a job's words go: all of them to its log file, a fault to the terminal too.

A fault is the last line of the log, after `Error: `: there a run that failed finds its own last
line, wherever the job ran.
"""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from lacuna.core.files import LacunaError, disk_fault, printable, writing

_FORMAT = "%(asctime)s %(levelname)s %(message)s"
_FAULT = "Error: "
_TAIL = 1 << 16  # bytes at the end of a log in which its last line is looked for


class Redirection:
    """Output and logging of this process in a file, until `close`."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        with writing(path):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        sys.stdout.flush()
        sys.stderr.flush()
        self._saved = [os.dup(1), os.dup(2)]
        # On the level of the system, so that libraries and child processes are caught too.
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        self._stream = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8")
        self._handler = logging.StreamHandler(self._stream)
        self._handler.setFormatter(logging.Formatter(_FORMAT))
        root = logging.getLogger()
        self._level = root.level
        root.addHandler(self._handler)
        root.setLevel(logging.INFO)
        logging.captureWarnings(True)
        self._hook = sys.excepthook
        sys.excepthook = self._tell

    def _tell(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """An error that ends the process: a user's fault is one line, any other a traceback too."""
        text = f"{_FAULT}{explained(error, self._path)}\n"
        if not isinstance(error, LacunaError):
            text = "".join(traceback.format_exception(kind, error, trace)) + text
        # First to the terminal: a full disk takes no log.
        os.write(self._saved[1], text.encode())
        with suppress(OSError):
            sys.stdout.flush()
            self._stream.write(text)

    def close(self) -> None:
        """Give output, logging and the error hook back."""
        sys.stdout.flush()
        sys.stderr.flush()
        sys.excepthook = self._hook
        logging.captureWarnings(False)
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level)
        self._stream.close()
        for number, saved in zip((1, 2), self._saved, strict=True):
            os.dup2(saved, number)
            os.close(saved)


def explained(error: BaseException, log: str | Path) -> str:
    """One line for an error that ended a job; of another than a LacunaError the log knows more."""
    if isinstance(error, LacunaError):
        return str(error)
    if fault := disk_fault(getattr(error, "filename", None) or log, error):
        return printable(fault)
    if isinstance(error, KeyboardInterrupt):
        return f"{log}: the job was interrupted; run again to go on"
    if isinstance(error, MemoryError):
        return f"{log}: the job ran out of memory; lower 'block_size', or give it more memory"
    says = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return printable(f"{log}: {says}; this is a fault of Lacuna: please report it with this log")


def faults_since(folder: str | Path, start: float) -> list[str]:
    """Faults that logs under `folder`, written at `start` (seconds) or later, end with."""
    found = []
    for path in sorted(Path(folder).rglob("*.log")):
        with suppress(OSError):
            if path.stat().st_mtime >= start:
                found += list(_fault_in(path))
    return list(dict.fromkeys(found))


def _fault_in(log: Path) -> Iterator[str]:
    """The fault that a log ends with, if it does."""
    with open(log, "rb") as handle:
        handle.seek(max(log.stat().st_size - _TAIL, 0))
        lines = handle.read().decode("utf-8", "replace").splitlines()
    if lines and lines[-1].startswith(_FAULT):
        yield lines[-1].removeprefix(_FAULT)


def log_to(path: str | Path) -> Redirection:
    """Send logging (from INFO on), stdout, stderr and warnings of this process to a file.

    Called once at the top of a script; what is said after `close` goes where it went before. An
    error that ends the process until then is also shown where stderr went before: a LacunaError
    as its one line, any other whole and with such a line. A log that cannot be written ends it too.
    """
    try:
        return Redirection(path)
    except LacunaError as error:
        sys.exit(f"{_FAULT}{error}")
