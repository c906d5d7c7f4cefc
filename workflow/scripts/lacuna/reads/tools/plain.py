"""Tables of any other tool: a peptide in each row and, if known, its confidence."""

from collections.abc import Iterable

from lacuna.core.words import is_given
from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number, numbers, probability, split_numbers
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

TOOL = "table"


def _confidences(text: str) -> list[str]:
    """Confidences joined by blanks, semicolons or commas; among blanks commas are decimal."""
    parts = text.replace(";", " ").split()
    return split_numbers(text) if len(parts) < 2 else [part.rstrip(",") for part in parts]


def _peptides(peptide: str, confidence: str, *required: str) -> TableFormat:
    """required: the columns among these without which a table is another."""

    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        if not cells[peptide]:
            return []
        cell = cells.get(confidence, "").strip("[]")
        cell = cell if is_given(cell) else ""  # NA, as R writes nothing
        one = number(cell)  # of the whole peptide
        values = numbers(_confidences(cell)) if one is None else [one]
        shares = origin.shares(confidence, values)
        return [
            origin.read(
                cells[peptide],
                scores=shares if one is None else None,
                score=None if one is None else probability(shares[0]),
            )
        ]

    return TableFormat(
        TOOL, "a plain table", required, (confidence,), read_row, shares=(confidence,)
    )


FORMATS = (
    _peptides("peptide", "confidence", "peptide"),
    # Of any tool, as the benchmark of github.com/bittremieuxlab/denovo_benchmarks collects them.
    _peptides("sequence", "aa_scores", "sequence", "aa_scores"),
)
