"""Lines of MGF (Mascot Generic Format) as pyteomics reads them.

Programs write ranges, units and notes into headers and behind peaks. pyteomics converts all of them
and refuses a file for one that it cannot, so only those that are used here are passed on.
"""

import re
from collections.abc import Iterable, Iterator

from lacuna.core.words import number_in

KEYS = ("title", "activation", "fragmentation", "instrument")  # in which methods are named
_BEGIN = "BEGIN IONS"
_COMMENTS = tuple("#;!/")
_CHARGE = re.compile(r"\+?(\d{1,3})(?:\.0*)?\+?")  # 2+, +2 or 2.0


def used_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a file that are used, with the headers of the whole file in each entry.

    An m/z or charge of a precursor that is none is 0.
    """
    common: list[str] = []
    begun = False
    for line in map(str.strip, lines):
        name, is_header, value = line.partition("=")
        if line == _BEGIN:
            begun = True
            yield line
            yield from common
        elif is_header and not line.startswith(_COMMENTS):
            kept = _header(name.strip().lower(), value.strip())
            if begun:
                yield from kept
            else:
                common += kept
        else:
            yield _peak(line)


def _header(name: str, value: str) -> list[str]:
    """A header that is used, as pyteomics can convert it; none if it is not used."""
    if name == "pepmass":  # m/z, intensity and charge, of which the latter two may be absent
        mz, *others = value.split() or [""]
        charge = f" 0 {_charge(others[1])}" if len(others) > 1 else ""
        return [f"PEPMASS={max(number_in(mz), 0.0)}{charge}"]
    if name == "charge":
        return [f"CHARGE={_charge(value)}"]
    return [f"{name}={value}"] if name in (*KEYS, "scans") else []


def _charge(text: str) -> str:
    found = _CHARGE.fullmatch(text)
    return f"{found[1]}+" if found else "0+"


def _peak(line: str) -> str:
    """A peak without what is written behind its intensity, if that is no charge."""
    cells = line.split(maxsplit=2)
    return " ".join(cells[:2]) if len(cells) > 2 and not _CHARGE.fullmatch(cells[2]) else line
