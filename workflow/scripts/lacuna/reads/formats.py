"""Formats of tables: how their files are recognised, and how their rows become reads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lacuna.reads.origin import Origin
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

ReadRow = Callable[[Cells, Origin], Iterable[Read]]


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A table that a tool writes.

    tool: its name in `reads_format`, and the key of the error model. title: its name in messages.
    required: columns by which a header is recognised, in lower case. used: others that are read.
    read_row: the reads of a row, none if the tool found no peptide; ValueError states the fault.
    percents, shares: the columns among these whose numbers the tool writes as percentages, and
    those with shares of 1 that its user may have written as percentages.
    fits: of a table without a header, whose columns are `required`: whether the cells of a row are
    of this format.
    spectrum: columns that together name the spectrum and the precursor of a row. Rows that agree in
    those of them that the table has are candidates for one spectrum. Empty: every row is a read.
    """

    tool: str
    title: str
    required: tuple[str, ...]
    used: tuple[str, ...]
    read_row: ReadRow
    fits: Callable[[Sequence[str]], bool] | None = None
    percents: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    spectrum: tuple[str, ...] = ()
