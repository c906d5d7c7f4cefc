"""PowerNovo and PowerNovo2."""

from collections.abc import Iterable

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number, numbers
from lacuna.reads.read import Read
from lacuna.reads.table import Cells


def _peptides(peptide: str, scores: str, score: str) -> TableFormat:
    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        if not cells[peptide]:
            return []
        return [
            origin.read(
                cells[peptide].replace("(43.01)", "(+43.01)"),  # its carbamylation has no sign
                scores=origin.shares(scores, numbers(cells[scores].split())),
                score=number(cells.get(score, "")),
            )
        ]

    return TableFormat(
        "powernovo", "PowerNovo", (peptide, scores, score), (), read_row, shares=(scores,)
    )


FORMATS = (
    _peptides("powernovo peptides", "powernovo aascore", "powernovo score"),
    _peptides("peptide", "positional scores", "score"),  # PowerNovo2
)
