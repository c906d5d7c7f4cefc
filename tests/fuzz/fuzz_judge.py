"""The verdict on an input: whether the target kept its contract, within time and memory."""

import os
import re
import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from lacuna.core.files import LacunaError

MAX_SECONDS = 30.0  # CPU time, since neither a busy nor a slow machine is a fault
MAX_GROWTH = 100 << 20  # bytes of memory, in addition to ten times the input
TIMES_INPUT = 10
MAX_MEMORY = 4 << 30  # bytes of address space, in addition to what is used at the start
_LINE_BREAK = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class Hang(BaseException):
    """An input took longer than MAX_SECONDS; `except Exception` does not catch this."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken contract. kind: hang, memory, law, message or traceback; where: its last line."""

    kind: str
    where: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}"


def judge(target: Callable[[bytes], None], data: bytes) -> Finding | None:
    """What is wrong with the target's behaviour on an input, or None."""
    _forget_peak()
    before = _peak()
    try:
        with _limited_time():
            target(data)
    except LacunaError as error:
        if _LINE_BREAK.search(str(error)):
            return Finding("message", f"not one line of text: {_where(error)}")
    except Hang as error:
        return Finding("hang", _where(error))
    except MemoryError as error:
        return Finding("memory", _where(error))
    except AssertionError as error:
        return Finding("law", _where(error))
    except Exception as error:
        return Finding("traceback", f"{type(error).__name__} {_where(error)}")
    if _peak() - before > MAX_GROWTH + TIMES_INPUT * len(data):
        return Finding("memory", "more than 100 MB and ten times the input")
    return None


def _where(error: BaseException) -> str:
    """Function and line of code that raised: the innermost of Lacuna or of the checks."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "lacuna" in frame.filename or "fuzz" in frame.filename]
    last = (ours or frames)[-1]
    return f"{os.path.basename(last.filename)} {last.name}: {last.line}"


@contextmanager
def _limited_time() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _forget_peak() -> None:
    """Reset the peak of memory, if the system can."""
    try:
        with open("/proc/self/clear_refs", "wb", buffering=0) as handle:
            handle.write(b"5")
    except OSError:
        pass


def _peak() -> int:
    """Peak memory so far, in bytes; that of `getrusage` may be the parent process's."""
    try:
        with open("/proc/self/status", encoding="ascii") as handle:
            return next(int(line.split()[1]) << 10 for line in handle if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def limit_memory() -> None:
    """Limit memory to MAX_MEMORY from here on; more ends in a MemoryError."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (size + MAX_MEMORY, hard))
