"""Which format a file of peptides has, by its first lines, and what a file is that has none."""

import re
from collections.abc import Sequence

from lacuna.core.cells import SEPARATORS, have_row_names, miscounted
from lacuna.core.files import LacunaError, kind_of, printable, shortened
from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import number
from lacuna.reads.peptide import is_peptide
from lacuna.reads.table import (
    Layout,
    layouts,
    layouts_without_header,
    split_line,
    stated_separator,
)
from lacuna.reads.tools import (
    casanovo,
    deepnovo,
    instanovo,
    maxquant,
    novob,
    novor,
    peaks,
    pepnet,
    pihelixnovo,
    piprimenovo,
    plain,
    pnovo,
    powernovo,
    proteoscape,
    punifind,
)

# The first that recognises a file reads it, so those that ask for more come first: tables with a
# header, tables without, and last the plain table, whose one column others have too.
OF_TOOLS = (
    *peaks.FORMATS,
    *instanovo.FORMATS,
    *novor.FORMATS,
    *deepnovo.FORMATS,
    *maxquant.FORMATS,
    *powernovo.FORMATS,
    *pepnet.FORMATS,
    *piprimenovo.FORMATS,
    *novob.FORMATS,
    *proteoscape.FORMATS,
    *punifind.FORMATS,
    *pnovo.FORMATS,
    *pihelixnovo.FORMATS,
)
TABLES: tuple[tuple[TableFormat, ...], ...] = (
    tuple(form for form in OF_TOOLS if form.fits is None),
    tuple(form for form in OF_TOOLS if form.fits is not None),
    plain.FORMATS,
)
_OF_R = {
    re.sub(r"[^a-z0-9._]", ".", name): name
    for forms in TABLES
    for form in forms
    for name in (*form.required, *form.used, *form.spectrum)
}
FIRST_ROWS = 20  # of a table without a header, by which it is recognised
_OF_PEPTIDES = re.compile(r"^(?!.*(score|prob|conf)).*(seq|peptide|predict)")
SHORTEST_PEPTIDE = 5  # letters of a cell that is taken for a peptide, not for the name of a column


def tool_names() -> list[str]:
    """Possible values of `reads_format`."""
    return list(dict.fromkeys([*casanovo.TOOLS, *(f.tool for fs in TABLES for f in fs)]))


def recognised(
    path: str, head: Sequence[str], reads_format: str | None
) -> tuple[TableFormat, Layout]:
    """The format of a table, and how it is laid out, by its first lines.

    reads_format: the only tool whose formats are asked for, None for any. Raises LacunaError that
    says what the file is instead.
    """
    filled = [line for line in head if line.strip()]
    rest = filled[bool(stated_separator(head)) :]
    for forms in TABLES:
        wanted = [form for form in forms if reads_format in (None, form.tool)]
        for layout in map(_without_names_of_r, layouts(head)):
            for form in wanted:
                if form.fits is None and set(form.required).issubset(layout.names):
                    return form, layout
        for form in wanted:
            for layout in layouts_without_header(head, form.required):
                if _fits(form, layout, rest[:FIRST_ROWS], stated=reads_format is not None):
                    return form, layout
    raise _unknown(path, filled, reads_format)


def check_row_names(path: str, head: Sequence[str], layout: Layout) -> None:
    """Raise LacunaError if the first rows of a table have names for which it has no column, as R
    writes them: every cell would be in the next column."""
    lines = [(n, line) for n, line in enumerate(head, 1) if n > layout.header and line.strip()]
    rows = [split_line(line, layout.separator) or [] for _, line in lines]
    # If all end with a separator, a column of numbers is first, as in tables of some tools.
    if have_row_names(layout.names, rows) and any(row[-1] for row in rows):
        said = miscounted(len(rows[0]), len(layout.names))
        raise LacunaError(f"{path}:{lines[0][0]}: {said}")


def check_columns(path: str, form: TableFormat, layout: Layout) -> None:
    """Raise LacunaError if a column that is read has the name of another: the peptides of one of
    them would be lost."""
    for name in (*form.required, *form.used):
        if layout.names.count(name) > 1:
            raise LacunaError(
                f"{path}:{layout.header}: {layout.names.count(name)} columns are named '{name}'; "
                "remove or rename all but one"
            )


def _without_names_of_r(layout: Layout) -> Layout:
    """A layout with the tools' names of columns where R has written its own.

    R's make.names puts a point for every character but letters, digits, points and underscores.
    """
    return layout._replace(names=tuple(_OF_R.get(name, name) for name in layout.names))


def _unknown(path: str, filled: Sequence[str], reads_format: str | None) -> LacunaError:
    """The error of a table that has no known format, or not the one that is stated.

    filled: its first lines, without blank ones.
    """
    shown = f"it begins with '{printable(filled[0][:60])}'"
    if reads_format is not None:
        return LacunaError(
            f"{path}: not a file of {reads_format}: {shown}; leave reads_format out to have the "
            "tool recognised"
        )
    if kind := _no_reads(filled):
        return LacunaError(f"{path}: {kind}")
    unknown = f"{path}: no format of peptide reads that is known: {shown}"
    if remedy := _remedy_of_columns(filled[:FIRST_ROWS]):
        return LacunaError(f"{unknown}; {remedy}")
    titles = dict.fromkeys([*casanovo.TOOLS.values(), *(f.title for fs in TABLES for f in fs)])
    names = (name for layout in layouts(filled[:1]) for name in layout.names)
    near = next((name for name in names if _OF_PEPTIDES.search(name)), None)
    rename = (
        f"if its column '{shortened(near, 40)}' has peptides, name it peptide; or " if near else ""
    )
    return LacunaError(
        f"{unknown}; {rename}give the output of "
        f"{', '.join(titles)} (column peptide and, if known, confidence: a number for each "
        "residue, separated by blanks, or one for the peptide)"
    )


def _remedy_of_columns(lines: Sequence[str]) -> str:
    """What to do with peptides whose columns blanks separate, or no header names; "" otherwise."""
    first, rest = lines[0], lines[1:]
    blanks = not any(separator in first for separator in SEPARATORS)
    remedy = "separate columns by tabs or commas"
    if re.search("sequence|peptide", first, re.IGNORECASE):
        if not (blanks and len(first.split()) > 1 and any(len(row.split()) > 1 for row in rest)):
            return ""
        return f"{remedy}, and name that of the peptides peptide"
    for separator in (None,) if blanks else SEPARATORS:
        table = [[cell.strip(' "') for cell in line.split(separator)] for line in lines]
        place = next((i for i in range(len(table[0])) if _has_peptides(table, i)), None)
        if place is None:
            continue
        if len(table[0]) == 1:
            return "its first line is no header; add a line 'peptide' before it"
        named = f"add one that names the columns, column {place + 1} peptide"
        return f"its first line is no header; {named}" + (f", and {remedy}" if blanks else "")
    return ""


def _has_peptides(table: Sequence[Sequence[str]], place: int) -> bool:
    """Whether most rows of a table, and its first one, have a peptide in a place."""
    column = [row[place] for row in table if place < len(row)]
    found = [len(cell) >= SHORTEST_PEPTIDE and is_peptide(cell) for cell in column]
    return found[0] and 2 * sum(found) > len(table)


def _no_reads(lines: Sequence[str]) -> str:
    """What the first lines of a file are that is none of peptides, and the remedy; "" otherwise."""
    first = lines[0].lstrip()
    if kind := kind_of(first.encode()):
        return f"no peptides, but {kind}; give the file itself"
    if first.startswith(">>"):
        return (
            "no table of peptides, but what looks like PepNovo's; write the peptides as a table "
            "with the column peptide"
        )
    if first.startswith(">"):
        return "no peptides, but a FASTA file; give it in another column (fasta, truth, homologs)"
    if any(line.startswith("BEGIN IONS") or "<mzML" in line for line in lines):
        return (
            "no peptides, but fragment spectra; give those that a de novo tool reads from them, "
            "and the spectra in the column spectra"
        )
    if first.startswith(("<", "{", "[")):
        return "no table of peptides, but XML or JSON; export the peptides as a table"
    return ""


def _fits(form: TableFormat, layout: Layout, lines: Sequence[str], *, stated: bool) -> bool:
    """Whether a table is of a format without a header: its first line is none, and one line fits.

    stated: whether the user says so; a row of as many cells is then enough.
    """
    if form.fits is None:
        return False
    rows = [[cell.strip() for cell in split_line(line, layout.separator) or []] for line in lines]
    if all(map(_is_name, filter(None, rows[0]))):
        return False
    return any(len(row) == len(form.required) if stated else form.fits(row) for row in rows)


def _is_name(cell: str) -> bool:
    """Whether a cell can be the name of a column, since it is no number."""
    return cell.casefold() != "nan" and number(cell) is None
