"""pi-PrimeNovo."""

import re
from collections.abc import Iterable

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, of_product, positive
from lacuna.reads.peptide import parse_peptide
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

# Every token's mass is written in brackets behind its first character, which is the sign
# of a token without a residue: Q[+0.984], but -[17.027] and +[43.006-17.027].
_SIGN_OUTSIDE = re.compile(r"([+-])\[(?=\d)")


def _read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
    """The score is the product of the residues' probabilities."""
    if not cells["prediction"]:
        return []
    peptide = parse_peptide(_SIGN_OUTSIDE.sub(r"[\1", cells["prediction"]))
    score = of_product(positive(cells["score"]), len(peptide.residues))
    return [origin.read(peptide, score=score)]


FORMATS = (
    TableFormat(
        "piprimenovo",
        "pi-PrimeNovo",
        ("label", "prediction", "charge", "score"),
        (),
        _read_row,
    ),
)
