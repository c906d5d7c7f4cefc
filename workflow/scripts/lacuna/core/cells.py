"""Rows of a user's table beside its header: cells too many, too few, or one column later."""

from collections.abc import Sequence

from lacuna.core.words import plural

SEPARATORS = "\t,;"  # tabs, or those of CSV as spreadsheets write it, by language
# What is wrong with a column without a name, as write.csv of R and to_csv of pandas begin with.
UNNAMED = (
    "a column has no name; if it holds row names, write the table with row.names=FALSE (R) or "
    "index=False (pandas), otherwise remove it"
)


def named(header: Sequence[str]) -> list[str]:
    """The columns of a header less those without a name at its end, which a spreadsheet writes if
    cells beside the table were in use."""
    return list(header[: max((n for n, name in enumerate(header, start=1) if name), default=0)])


def below(columns: Sequence[str], cells: Sequence[str]) -> list[str]:
    """The cells of a row less empty ones beyond its columns."""
    beyond = cells[len(columns) :]
    return list(cells if any(beyond) else cells[: len(columns)])


def have_row_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether all rows have a name in front, as R writes them under a header that has none for it.

    header: cells, those without a name at its end included. If the last cells are empty, only
    numbers of several rows are taken for names: some tools end rows with a separator.
    """
    if not rows or any(len(cells) != len(header) + 1 for cells in rows):
        return False
    if any(cells[-1] for cells in rows):
        return True
    names = {unquoted(cells[0]) for cells in rows}
    return len(names) == len(rows) > 1 and all(map(str.isdecimal, names))


def unquoted(cell: str) -> str:
    """A cell without the quotes that some tools put around all of them."""
    return cell[1:-1].strip() if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def miscounted(cells: int, columns: int) -> str:
    """What is wrong with a row of more or fewer cells than columns, and the remedy."""
    said = f"{plural(cells, 'cell')} under {plural(columns, 'column')}; "
    if cells < columns:
        return f"{said}add what is missing"
    if cells == columns + 1:  # as write.table of R does, whose header lacks the first
        said += "if the first are row names, write the table with row.names=FALSE; otherwise "
    return f"{said}remove what is too much"
