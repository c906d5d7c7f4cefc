"""Entries of MGF (Mascot Generic Format): headers as text, peaks as numbers.

A header may hold anything: programs write ranges and units into those that are not used here.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from lacuna.core.files import shortened
from lacuna.core.words import number_in

_BEGIN, _END = "BEGIN IONS", "END IONS"
_COMMENTS = tuple("#;!/")


class Entry(NamedTuple):
    """A spectrum as it is written.

    about: its headers and those of the whole file, by their names in lower case; mz, intensities,
    charges (peaks,): charges are NaN where none is written.
    """

    about: dict[str, str]
    mz: np.ndarray
    intensities: np.ndarray
    charges: np.ndarray


def read_entries(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries of a file; ValueError names the number of a spectrum and its fault."""
    common: dict[str, str] = {}
    number = 0
    lines = iter(lines)
    for line in lines:
        if line.strip() == _BEGIN:
            number += 1
            try:
                entry = _entry(lines, common)
            except ValueError as error:
                raise ValueError(f"spectrum {number} {error}") from None
            yield entry
        elif not number:
            _add_header(common, line.strip())


def _entry(lines: Iterator[str], common: dict[str, str]) -> Entry:
    """The entry whose first line was read; ValueError says what is wrong with it."""
    about = dict(common)
    mz: list[float] = []
    intensities: list[float] = []
    charges: list[float] = []
    for line in map(str.strip, lines):
        if line == _END:
            return Entry(about, np.array(mz), np.array(intensities), np.array(charges))
        if line == _BEGIN:
            raise ValueError("has no END IONS; export the file again")
        if not line or _add_header(about, line):
            continue
        cells = line.split()
        try:
            at, high = float(cells[0]), float(cells[1])
        except (ValueError, IndexError):
            if next(lines, None) is None:
                break  # the file ends within this line
            raise ValueError(
                f"has '{shortened(line, 60)}', which is no peak; write m/z and intensity, "
                "with decimal points"
            ) from None
        mz.append(at)
        intensities.append(high)
        charges.append(number_in(cells[2].strip("+-")) if len(cells) > 2 else math.nan)
    raise ValueError("has no END IONS: the file is cut short; copy it again")


def _add_header(about: dict[str, str], line: str) -> bool:
    """Take in a line if it is a header; whether it is one or a comment."""
    if line.startswith(_COMMENTS):
        return True
    name, is_header, value = line.partition("=")
    if is_header:
        about[name.strip().lower()] = value.strip()
    return bool(is_header)
