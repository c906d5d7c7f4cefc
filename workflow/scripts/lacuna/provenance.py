"""Digests of the code behind a rule, so that a change of it re-runs the rule."""

import hashlib
import re
from functools import cache
from pathlib import Path

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
