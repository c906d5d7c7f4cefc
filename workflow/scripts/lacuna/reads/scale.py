"""Whether the numbers of a column are percentages or shares of 1, by the whole column.

A table that went through a spreadsheet or a script may have the other scale than its tool writes.
"""

import re
from collections.abc import Iterable, Sequence

from lacuna.reads.origin import number
from lacuna.reads.table import Cells

PERCENT = 100.0
SHARE = 1.0

_JOINED = re.compile(r"[,;-]")  # confidences of a cell, if no blanks separate them


def scales_of(
    rows: Iterable[Cells], percents: Sequence[str], shares: Sequence[str]
) -> dict[str, float]:
    """What the numbers of each column are to be divided by.

    percents, shares: columns in which the tool writes percentages, and shares of 1. Those of the
    first are shares if none is above 1 and some lie between 0 and 1; those of the second
    are percentages if most are above 1. ValueError names a column of percentages that has 0 and 1
    alone, which may be either.
    """
    counts = {name: [0, 0, 0, 0] for name in (*percents, *shares)}
    for cells in rows:
        for name, count in counts.items():
            for value in _values(cells.get(name, "")):
                count[_kind(value)] += 1
        if not shares and all(count[_ABOVE] for count in counts.values()):
            break  # percentages, whatever follows
    return {name: _percent_or_share(name, counts[name]) for name in percents} | {
        name: PERCENT if 2 * counts[name][_ABOVE] > sum(counts[name]) else SHARE for name in shares
    }


_NOTHING, _BETWEEN, _ONE, _ABOVE = range(4)


def _kind(value: float) -> int:
    if value > 1:
        return _ABOVE
    if value == 1:
        return _ONE
    return _BETWEEN if value > 0 else _NOTHING


def _percent_or_share(name: str, count: Sequence[int]) -> float:
    if count[_ABOVE]:
        return PERCENT
    if count[_BETWEEN]:
        return SHARE
    if count[_ONE]:
        raise ValueError(
            f"column '{name}' has no number but 0 and 1, which may be percentages or not; "
            "write percentages"
        )
    return PERCENT


def _values(cell: str) -> list[float]:
    """The numbers of a cell, however they are joined."""
    value = number(cell)
    if value is not None:
        return [value]
    cell = cell.strip("[]")
    parts = [part.rstrip(",;") for part in cell.split()]
    parts = parts if len(parts) > 1 else _JOINED.split(cell)
    return [value for part in parts if (value := number(part)) is not None]
