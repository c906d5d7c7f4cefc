"""Lines of MGF (Mascot Generic Format) as pyteomics reads them.

Programs write ranges, units and notes into headers and behind peaks. pyteomics converts all of them
and refuses a file for one that it cannot, so only those that are used here are passed on.
"""

import math
import re
from collections.abc import Iterable, Iterator

from lacuna.core.files import shortened
from lacuna.core.words import number_in

KEYS = ("title", "activation", "fragmentation", "instrument")  # in which methods are named
_NO_CHARGE = "0+"
_BEGIN = "BEGIN IONS"
_COMMENTS = tuple("#;!/")
_END = "END IONS"
_CHARGE = re.compile(r"\+?(\d{1,3})(?:\.0*)?\+?")  # 2+, +2 or 2.0
_AND = re.compile(r"\s*(?:,|\band\b)\s*", re.IGNORECASE)  # 2+ and 3+, of charges to choose from


def used_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a file that are used, with the headers of the whole file in each entry.

    An m/z or charge of a precursor that is none is 0. Raises ValueError at a line that is no peak.
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
            yield _peak(line) if begun and line and line != _END else line


def _header(name: str, value: str) -> list[str]:
    """A header that is used, as pyteomics can convert it; none if it is not used."""
    if name == "pepmass":  # m/z, intensity and charge, of which the latter two may be absent
        mz, *others = value.split() or [""]
        charge = f" 0 {_charge(others[1])}" if len(others) > 1 else ""
        return [f"PEPMASS={max(number_in(mz), 0.0)}{charge}"]
    if name == "charge":
        charges = dict.fromkeys(map(_charge, _AND.split(value)))
        return [f"CHARGE={' and '.join(charges) if _NO_CHARGE not in charges else _NO_CHARGE}"]
    return [f"{name}={value}"] if name in (*KEYS, "scans") else []


def _charge(text: str) -> str:
    found = _CHARGE.fullmatch(text)
    return f"{found[1]}+" if found else _NO_CHARGE


def _peak(line: str) -> str:
    """A peak without what is written behind its intensity, if that is no charge."""
    if line.startswith(_COMMENTS):
        return line
    cells = line.split(maxsplit=2)
    if any(math.isnan(number_in(cell)) and cell.casefold() != "nan" for cell in cells[:2]):
        raise ValueError(f"'{shortened(line, 40)}' is no peak, which has an m/z and an intensity")
    return " ".join(cells[:2]) if len(cells) > 2 and not _CHARGE.fullmatch(cells[2]) else line
