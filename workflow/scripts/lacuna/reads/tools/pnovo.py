"""pNovo, whose tables have no header."""

import re
from collections.abc import Iterable, Sequence

from lacuna.core.alphabet import RESIDUES
from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number, numbers, split_numbers
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_SHORTEST = 3  # residues of a stretch that is kept of a peptide


def _read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
    """The longest stretch of residues that are not modified.

    The user of pNovo chooses which residue a lower-case letter, or a B, is. The residues of the
    stretch have confidences if the row has one for every letter.
    """
    text = cells["peptide"]
    if not text:
        return []
    scores = origin.shares("scores", numbers(split_numbers(cells["scores"])))
    if len(scores) != len(text):
        scores = []
    stretches = [match.span() for match in re.finditer(f"[{RESIDUES}]+", text)]
    start, end = max(stretches, key=lambda span: span[1] - span[0], default=(0, 0))
    if end - start < min(_SHORTEST, len(text)):
        raise ValueError(
            f"'{text[:40]}', in which letters of modified residues leave no stretch of "
            f"{_SHORTEST} residues; leave the row out"
        )
    score = origin.share(cells, "score")
    return [
        origin.read(
            text[start:end],
            scores=scores[start:end],
            score=score if score is not None and 0 <= score <= 1 else None,
        )
    ]


def _fits(cells: Sequence[str]) -> bool:
    return (
        len(cells) == 9
        and cells[1].isalpha()
        and number(cells[4]) is not None
        and "," in cells[5]
        and all(number(cell) is not None for cell in split_numbers(cells[5]))
    )


FORMATS = (
    TableFormat(
        "pnovo",
        "pNovo",
        ("title", "peptide", "third", "fourth", "score", "scores", "seventh", "eighth", "ninth"),
        (),
        _read_row,
        _fits,
        percents=("score", "scores"),
    ),
)
