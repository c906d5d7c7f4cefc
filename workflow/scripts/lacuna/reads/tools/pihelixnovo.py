"""pi-HelixNovo, whose tables have no header."""

from collections.abc import Iterable, Sequence

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number
from lacuna.reads.peptide import is_peptide
from lacuna.reads.read import Read
from lacuna.reads.table import Cells


def _read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["peptide"]:
        return []
    return [origin.read(cells["peptide"], score=number(cells["score"]))]


def _fits(cells: Sequence[str]) -> bool:
    """A third column of whole numbers may be a charge."""
    if len(cells) != 3 or cells[2].isdecimal() or not is_peptide(cells[1]):
        return False
    score = number(cells[2])
    return score is not None and 0 <= score <= 1


FORMATS = (
    TableFormat(
        "pihelixnovo",
        "pi-HelixNovo",
        ("title", "peptide", "score"),
        (),
        _read_row,
        _fits,
    ),
)
