"""What a format is: how its files are recognised, and how its rows become reads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from lacuna.reads.origin import Origin
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

ReadRow = Callable[[Cells, Origin], Iterable[Read]]


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A table that a tool writes.

    tool: its name in `reads_format`, and the key of the error model. title: its name in messages.
    required: columns by which a header is recognised, in lower case. used: others that are read.
    read_row: the reads of a row, none if the tool found no peptide; ValueError says what is wrong.
    names: those of the columns of files without a header; `fits` then tells such a file by the
    cells of its first row.
    """

    tool: str
    title: str
    required: tuple[str, ...]
    used: tuple[str, ...]
    read_row: ReadRow
    names: tuple[str, ...] = ()
    fits: Callable[[Sequence[str]], bool] = field(default=lambda cells: False)
