"""PepNet, and networks of its design that were trained on antibodies."""

from collections.abc import Iterable, Sequence

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number, numbers, of_product
from lacuna.reads.peptide import parse_peptide
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

# PepNet was trained on carbamidomethylated C, and writes oxidised M as Z. Networks of the same
# design that were trained on antibodies have small letters.
_LETTERS = str.maketrans(
    {
        "C": "C(Carbamidomethyl)",
        "Z": "M(Oxidation)",
        "m": "M(Oxidation)",
        "n": "N(Deamidated)",
        "q": "Q(Deamidated)",
    }
)


def _read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["denovo"]:
        return []
    peptide = parse_peptide(cells["denovo"].translate(_LETTERS))
    scores = origin.shares(
        "positional score", numbers(cells["positional score"].strip("[]").split(","))
    )
    score = of_product(number(cells.get("score", "")), len(peptide.residues))
    return [origin.read(peptide, scores=_without_corrected(scores), score=score)]


def _without_corrected(scores: Sequence[float]) -> list[float]:
    """PepNet's scores of residues without the 1 that it gives the residue that it changed.

    If a peptide does not have the mass of its precursor, PepNet exchanges the least sure residue
    and sets its score to 1 (`post_correction` of github.com/lkytal/PepNet). A score of 1 becomes
    the lower one of its neighbours, which changes little if it is its own.
    """
    return [
        min((*scores[max(i - 1, 0) : i], *scores[i + 1 : i + 2]), default=score)
        if score == 1
        else score
        for i, score in enumerate(scores)
    ]


FORMATS = (
    TableFormat(
        "pepnet",
        "PepNet",
        ("denovo", "positional score"),
        ("score",),
        _read_row,
        shares=("positional score",),
    ),
)
