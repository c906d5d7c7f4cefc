"""ProteoScape."""

from collections.abc import Iterable

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin
from lacuna.reads.read import Read
from lacuna.reads.table import Cells


def _read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
    return [origin.read(cells["peptide sequence"].replace("(", "(+").replace("(+-", "(-"))]


FORMATS = (
    TableFormat(
        "proteoscape",
        "ProteoScape",
        ("peptide sequence", "precursor mz", "charge"),
        (),
        _read_row,
    ),
)
