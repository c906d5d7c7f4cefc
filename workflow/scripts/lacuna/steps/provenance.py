"""Digests of the code and the inputs behind a rule, so that a change re-runs the rule."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from lacuna.core.files import LacunaError, file_digest, state_of
from lacuna.core.paths import CONTAMINANTS, GERMLINES, PACKAGE, READ_ERRORS, UNIMOD

# Data files that a module of this package reads in every use: they count as code.
DATA = {
    "antibody/germlines.py": (GERMLINES, "*.tsv"),
    "core/tags.py": (UNIMOD.parent, "*.tsv"),
    "reads/errors/model.py": (READ_ERRORS.parent, "*.tsv"),
    "placing/sources/contaminants.py": (CONTAMINANTS.parent, "*.fasta"),
}


@cache
def code_digest(path: Path) -> str:
    """sha256 (hex) of a Python file and every module of this package that it leads to."""
    digest = hashlib.sha256()
    for name, file in sorted((_name(file), file) for file in code_behind(path)):
        digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


class Inputs:
    """The user's files as they are when a run begins.

    Snakemake compares times: it does not notice a file that was replaced while jobs ran, or by an
    older one. Digests as parameters of a rule reveal both.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        """Read the files; LacunaError if one cannot be read."""
        named = {str(path) for path in paths}
        self._state = {path: state_of(path) for path in named}
        self._digest = {path: file_digest(path) for path in named}

    def digest(self, path: str | Path | None) -> str | None:
        """The sha256 (hex) of a file as it was; None for no file, or one that was not read."""
        return self._digest.get(str(path))

    def changed(self) -> list[str]:
        """The files whose content has changed since, or that are gone."""
        moved = sorted(path for path, state in self._state.items() if state_of(path) != state)
        return [path for path in moved if _digest_now(path) != self._digest[path]]


def _digest_now(path: str) -> str | None:
    try:
        return file_digest(path)
    except LacunaError:
        return None


def code_behind(path: Path) -> set[Path]:
    """A Python file, the modules of this package that it leads to, and the data they read."""
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        if (name := _name(file)) in DATA:
            folder, pattern = DATA[name]
            found.update(folder.glob(pattern))
        waiting += files_led_to(file)
    return found


@cache  # most modules are behind several scripts, and parsing one takes milliseconds
def files_led_to(file: Path) -> frozenset[Path]:
    """The files that importing a Python file of this package runs first."""
    names = imported(file.read_text(encoding="utf-8"))
    return frozenset(path for name in names for path in files_of(name))


def imported(source: str) -> frozenset[str]:
    """The dotted names that a module imports, anywhere in it: of modules and of what is in them.

    Raises ValueError for a relative import, which would have to be resolved.
    """
    names: set[str] = set()
    for node in _statements(ast.parse(source).body):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"line {node.lineno}: write out the name of the package")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def _statements(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield statements and all within them, without expressions, which import nothing."""
    for node in nodes:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(node, part, ()))


@cache  # many modules import the same name, and looking for its files takes as long as parsing
def files_of(dotted: str) -> tuple[Path, ...]:
    """The files that importing a name of this package runs: packages, then the module.

    The last part of the name may be something in a module instead.
    """
    package, *parts = dotted.split(".")
    if package != PACKAGE.name:
        return ()
    files, folder = [], PACKAGE
    for part in ["", *parts]:
        module = folder / f"{part}.py"
        folder = folder / part
        file = folder / "__init__.py" if folder.is_dir() else module
        if file.is_file():
            files.append(file)
    return tuple(files)


def _name(file: Path) -> str:
    """A name of a file that does not depend on where the workflow is."""
    return file.relative_to(PACKAGE).as_posix() if file.is_relative_to(PACKAGE) else file.name
