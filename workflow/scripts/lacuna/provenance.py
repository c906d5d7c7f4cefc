"""Digests of the code and the inputs behind a rule, so that a change of them re-runs the rule."""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from lacuna.files import LacunaError, state_of

PACKAGE = Path(__file__).parent
# Files that a module reads wherever it is used: they count as code.
DATA = {"germlines.py": PACKAGE.parents[2] / "resources" / "germlines"}
_IMPORT = re.compile(r"^\s*(?:from lacuna\.(\w+) import|import lacuna\.(\w+))", re.MULTILINE)


@cache
def code_digest(path: Path) -> str:
    """sha256 over a Python file and every module of this package that it leads to."""
    digest = hashlib.sha256()
    for file in sorted(_closure(path)):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


class Inputs:
    """The user's files as they are when a run begins.

    Snakemake compares times: it takes a file that was replaced while jobs ran, or by an older one,
    for the one that its results are of. Digests as parameters of a rule tell them apart.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        """Read the files; LacunaError where one cannot be read."""
        named = {str(path) for path in paths}
        self._state = {path: state_of(path) for path in named}
        self._digest = {path: file_digest(path) for path in named}

    def digest(self, path: str | Path | None) -> str | None:
        """The sha256 of a file as it was; None for no file, or none of these."""
        return self._digest.get(str(path))

    def changed(self) -> list[str]:
        """The files that hold something else by now, or are gone."""
        moved = sorted(path for path, state in self._state.items() if state_of(path) != state)
        return [path for path in moved if _digest_now(path) != self._digest[path]]


def _digest_now(path: str) -> str | None:
    try:
        return file_digest(path)
    except LacunaError:
        return None


def file_digest(path: str | Path) -> str:
    """The sha256 of a file's bytes; LacunaError where it cannot be read."""
    try:
        with open(path, "rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise LacunaError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def _closure(path: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        if file.name in DATA:
            found.update(DATA[file.name].glob("*.tsv"))
        for names in _IMPORT.findall(file.read_text(encoding="utf-8")):
            waiting += [m for m in (PACKAGE / f"{n}.py" for n in names if n) if m.exists()]
    return found
