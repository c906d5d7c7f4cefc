"""Where a job's words go: all of them to its log file, a fault to the terminal too."""

import logging
import os
import sys
import traceback
from pathlib import Path
from types import TracebackType

from lacuna.files import LacunaError

_FORMAT = "%(asctime)s %(levelname)s %(message)s"


class Redirection:
    """Output and logging of this process in a file, until `close`."""

    def __init__(self, path: str | Path) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        self._saved = [os.dup(1), os.dup(2)]
        # On the level of the system, so that libraries and child processes are caught too.
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
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
        """An error that ends the process: a user's fault is one line, any other a traceback."""
        if isinstance(error, LacunaError):
            text = f"Error: {error}\n"
        else:
            text = "".join(traceback.format_exception(kind, error, trace))
        sys.stdout.flush()
        self._stream.write(text)
        os.write(self._saved[1], text.encode())

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


def log_to(path: str | Path) -> Redirection:
    """Send logging (from INFO on), stdout, stderr and warnings of this process to a file.

    Called once at the top of a script; what is said after `close` goes where it went before. An
    error that ends the process until then is also shown where stderr went before: a LacunaError
    as its one line, any other whole.
    """
    return Redirection(path)
