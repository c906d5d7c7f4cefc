"""mzTab of Casanovo and its relatives (ContraNovo, AdaNovo), parsed by pyteomics.

The meaning of residue scores changed with the version (Casanovo's CHANGELOG.md and issues 408 and
485): from 3.3.0 to before 5.0 each is the average of its own and the peptide's; before 4.3.0 some
builds write them in reverse. A modification of the N terminus is a token with a score of its own. 1
is subtracted from the score of a peptide that does not fit its precursor.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any, NamedTuple

from lacuna.core.cells import SEPARATORS
from lacuna.core.files import LacunaError, open_text, read_lines
from lacuna.reads.origin import Origin, number, numbers
from lacuna.reads.peptide import parse_peptide
from lacuna.reads.read import Read
from lacuna.reads.table import MAX_LINE, BadLine, other_number, split_line

TOOLS = {"casanovo": "Casanovo", "contranovo": "ContraNovo", "adanovo": "AdaNovo"}

_AA_SCORES = ("opt_ms_run[1]_aa_scores", "opt_global_aa_scores")  # to 5.1, since 5.2
_SPECTRUM = ("spectra_ref", "exp_mass_to_charge", "charge")
_PROFORMA = "1003169"  # accession of "proforma peptidoform sequence", in the name of a column
_MISFIT = 1.0  # subtracted from the score of a peptide that does not fit
_AVERAGED = (3, 3), (5, 0)  # versions whose scores are averages: from, before
_REVERSED = (3, 3), (4, 3)  # versions of which builds write scores in reverse
_FEWEST = 5  # rows that show whether scores are averages
_WRITTEN = 2e-5  # rounding error of a score written with five decimals

Row = Mapping[str, Any]


class Scores(NamedTuple):
    """Whether the scores of a file are averages with the peptide's, and in unknown order."""

    averaged: bool
    unordered: bool


class MzTab(NamedTuple):
    """The peptides of an mzTab file: rows with their line numbers, bad lines, the tool."""

    tool: str
    version: tuple[int, ...]
    rows: list[tuple[int, Row]]
    bad: list[BadLine]


def separator_of(head: Sequence[str]) -> str:
    """What separates the cells of an mzTab file, by its first lines; "" if it is none.

    A tab, unless a spreadsheet has saved it.
    """
    for line in head:
        for separator in SEPARATORS:
            kind, name = [*_cells(line, separator), ""][:2]
            if kind == "MTD" and name.startswith("mzTab-"):
                return separator
    return ""


def read_mztab(path: str, separator: str) -> MzTab:
    """The rows of a file's PSM section; LacunaError if it has no scores of residues."""
    text, lines, bad = _well_formed(path, separator)
    from pyteomics.mztab import MzTab as Parser  # slow to import

    try:
        with warnings.catch_warnings():  # of a version that is not stated
            warnings.simplefilter("ignore")
            parsed = Parser(StringIO(text), table_format="dict")
    except Exception as error:  # the parser raises errors of many kinds
        raise LacunaError(f"{path}: not a valid mzTab file ({error}); export it again") from None
    rows = parsed.spectrum_match_table["rows"]
    software = str(parsed.metadata.get("software[1]"))
    if not rows and bad:
        raise LacunaError(
            f"{path}:{bad[0].line}: no PSM row can be read; of this one, {bad[0].fault}"
        )
    if not rows:
        raise LacunaError(f"{path}: an mzTab file without PSM rows; give one with peptides")
    if "sequence" not in rows[0]:
        raise LacunaError(f"{path}: an mzTab file without the column 'sequence'; export it again")
    if _scores_of(rows[0]) is None:
        raise LacunaError(
            f"{path}: an mzTab file without scores of residues (columns {', '.join(_AA_SCORES)}), "
            "so no de novo reads; give the output of Casanovo, ContraNovo or AdaNovo"
        )
    return MzTab(
        _tool(parsed.metadata, software),
        tuple(map(int, re.findall(r"\d+", _version(software)))),
        list(zip(lines, rows, strict=True)),
        bad,
    )


def _cells(line: str, separator: str) -> list[str]:
    """The cells of a line; a quote that is not closed is a letter."""
    return split_line(line, separator) or line.split(separator)


def _well_formed(path: str, separator: str) -> tuple[str, list[int], list[BadLine]]:
    """The lines that pyteomics needs, the numbers of their PSM lines, and broken PSM lines.

    Spreadsheets fill all lines up to the longest with empty cells.
    """
    kept: list[str] = []
    psm_lines: list[int] = []
    bad: list[BadLine] = []
    columns = 0
    with open_text(path) as handle:
        for at, line, whole in read_lines(handle, MAX_LINE):
            cells = _cells(line, separator)
            kind = cells[0]
            if kind in ("PSH", "MTD"):
                while cells[-1] == "":
                    cells.pop()
            if kind == "PSH":
                columns = len(cells)
                kept.append("\t".join(cells))
            elif kind == "MTD" and len(cells) > 2:
                kept.append("\t".join(cells))
            elif kind == "PSM" and not columns:
                bad.append(BadLine(at, "no PSH line with the names of columns is above; add it"))
            elif kind == "PSM":
                if not whole or len(cells) < columns or any(cells[columns:]):
                    bad.append(BadLine(at, other_number(len(cells) - 1, columns - 1)))
                else:
                    psm_lines.append(at)
                    kept.append("\t".join(cells[:columns]))
    return "\n".join(kept), psm_lines, bad


def _version(software: str) -> str:
    match = re.search(r"\d+(?:\.\d+)+", software)
    return match[0] if match else ""


def _tool(metadata: Row, software: str) -> str:
    """Which relative wrote the file: some call themselves Casanovo, but not their model."""
    settings = " ".join(str(v) for k, v in metadata.items() if k.startswith("software["))
    text = f"{software} {settings}".casefold()
    return next((tool for tool in ("contranovo", "adanovo") if tool in text), "casanovo")


def _scores_of(row: Row) -> str | None:
    """The scores of residues as text; None if there is no such column."""
    for column in _AA_SCORES:
        if column in row:
            return "" if row[column] is None else str(row[column])
    return None


def scores_of_file(table: MzTab) -> Scores:
    """The meaning of the scores, from the version of the tool and from the scores themselves.

    An average of a score and the mean is at least half the mean: if this is true of every row, the
    scores are averages. Their order cannot be found from them: it is unknown in the versions that
    reversed it, and in relatives with averages, which are derived from one of those.
    """
    low, high = _AVERAGED
    perhaps = table.tool != "casanovo" or low <= table.version < high
    shown = [scores for _, row in table.rows if (scores := _stated(row))]
    averaged = len(shown) >= _FEWEST and all(
        min(scores) >= sum(scores) / len(scores) / 2 - _WRITTEN for scores in shown
    )
    low, high = _REVERSED
    reversed_by_some = low <= table.version < high if table.tool == "casanovo" else averaged
    return Scores(perhaps and averaged, reversed_by_some)


def _stated(row: Row) -> list[float]:
    """The scores of a row; an empty list if one is not a number."""
    try:
        return numbers((_scores_of(row) or "").split(","))
    except ValueError:
        return []


def spectrum_of(row: Row) -> tuple[str, ...]:
    """What names the spectrum and precursor of a PSM row; () if nothing does.

    With `top_match` above 1 Casanovo writes several peptides for a spectrum.
    """
    named = tuple(str(row.get(name) or "") for name in _SPECTRUM)
    return named if all(named) else ()


def read_row(row: Row, origin: Origin, scores: Scores) -> list[Read]:
    """The read of a PSM row; none if the tool found no peptide. ValueError states the fault."""
    text = _peptide(row)
    if not text:
        return []
    peptide = parse_peptide(text)
    stated = numbers((_scores_of(row) or "").split(","))
    if scores.averaged and stated:
        mean = sum(stated) / len(stated)
        stated = [min(1.0, max(0.0, 2 * score - mean)) for score in stated]
    values = list(peptide.of_residues(stated)) if stated else None
    if scores.unordered and values:
        # Either order may be right: use the lower of the two scores.
        values = list(map(min, values, peptide.of_residues(stated[::-1])))
    score = number(str(row.get("search_engine_score[1]")))
    if score is not None and score < 0:
        score += _MISFIT
    return [origin.read(peptide, scores=values, score=score)]


def _peptide(row: Row) -> str:
    """The peptide with its modifications: since 5.1 in a column of its own."""
    for column, value in row.items():
        if _PROFORMA in column and value:
            return str(value).partition("/")[0]  # a charge may follow
    return str(row["sequence"] or "")
