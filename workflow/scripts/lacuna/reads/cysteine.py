"""What reads carry on C, as their tool wrote it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from lacuna.core.files import atomic_write
from lacuna.reads.read import Read

_DIGITS = 4  # of a mass in Da


def carried_by_c(reads: Iterable[Read]) -> Counter[float]:
    """Number of C's by the mass in Da that a modification on them has; the others are left out.

    A bare C says nothing: many tools leave out a modification that every C is taken to have.
    """
    return Counter(
        round(mass, _DIGITS)
        for read in reads
        for at, mass in read.modifications
        if 0 <= at < len(read.residues) and read.residues[at] == "C"
    )


def write_carried(path: Path, carried: Mapping[float, int]) -> None:
    """Write the numbers by mass as JSON, the commonest first."""
    ordered = sorted(carried.items(), key=lambda item: (-item[1], item[0]))
    with atomic_write(path) as handle:
        handle.write(json.dumps({f"{mass:.{_DIGITS}f}": n for mass, n in ordered}) + "\n")


def read_carried(path: Path) -> dict[float, int]:
    """The numbers that `write_carried` wrote."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    return {float(mass): int(n) for mass, n in fields.items()}
