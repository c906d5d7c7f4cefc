"""Logs of jobs: all output goes to the job's log file, an error to the terminal as well.

An error is the last line of the log, after `Error: `. From there a failed run takes its own last
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
_TAIL = 1 << 16  # bytes at the end of a log that are searched for its last line


class Redirection:
    """Sends output and logging of this process to a file, until `close`."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        with writing(path):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        sys.stdout.flush()
        sys.stderr.flush()
        self._saved = [os.dup(1), os.dup(2)]
        # At the level of file descriptors, so that libraries and child processes are caught too.
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
        """Report an error that ends the process; any but a LacunaError with its traceback."""
        text = f"{_FAULT}{explained(error, self._path)}\n"
        if not isinstance(error, LacunaError):
            text = "".join(traceback.format_exception(kind, error, trace)) + text
        # The terminal first: a log on a full disk cannot be written.
        os.write(self._saved[1], text.encode())
        with suppress(OSError):
            sys.stdout.flush()
            self._stream.write(text)

    def close(self) -> None:
        """Restore output, logging and the error hook."""
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
    """One line for an error that ended a job; it names the log unless it is a LacunaError."""
    if isinstance(error, LacunaError):
        return str(error)
    if fault := disk_fault(getattr(error, "filename", None) or log, error):
        return printable(fault)
    if isinstance(error, KeyboardInterrupt):
        return f"{log}: the job was interrupted; run again to continue"
    if isinstance(error, MemoryError):
        return f"{log}: the job ran out of memory; lower 'block_size', or give it more memory"
    says = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return printable(f"{log}: {says}; this is a fault of Lacuna: please report it with this log")


def faults_since(folder: str | Path, start: float) -> list[str]:
    """Faults at the end of the logs under `folder` written at `start` (epoch seconds) or later, the
    earliest first."""
    found = []
    for path in Path(folder).rglob("*.log"):
        with suppress(OSError):
            written = path.stat().st_mtime
            if written >= start:
                found += [(written, str(path), fault) for fault in _fault_in(path)]
    return list(dict.fromkeys(fault for *_, fault in sorted(found)))


def _fault_in(log: Path) -> Iterator[str]:
    """Yield the fault at the end of a log, if there is one."""
    with open(log, "rb") as handle:
        handle.seek(max(log.stat().st_size - _TAIL, 0))
        lines = handle.read().decode("utf-8", "replace").splitlines()
    if lines and lines[-1].startswith(_FAULT):
        yield lines[-1].removeprefix(_FAULT)


def log_to(path: str | Path) -> Redirection:
    """Send logging (from INFO on), stdout, stderr and warnings of this process to a file.

    Call it once at the top of a script; after `close` output goes where it went before. An error
    that ends the process before that is also shown on the original stderr: a LacunaError as its one
    line, any other with its traceback and then such a line. A log that cannot be written ends the
    process too.
    """
    try:
        return Redirection(path)
    except LacunaError as error:
        sys.exit(f"{_FAULT}{error}")
