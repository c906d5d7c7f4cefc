"""NovoB, whose tables have a header or none."""

import math
from collections.abc import Iterable, Sequence

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number, of_product
from lacuna.reads.peptide import parse_peptide
from lacuna.reads.read import Read
from lacuna.reads.table import Cells, is_listed, listed

_COLUMNS = (
    "mcount",
    "charge",
    "pepmass",
    "senten",
    "delta_mass",
    "prob",
    "senten_reverse",
    "delta_mass_reverse",
    "prob_reverse",
)
# Lower case is modified, C always is. Checked against the masses of its rows.
_LETTERS = str.maketrans(
    {
        "C": "C(Carbamidomethyl)",
        "m": "M(Oxidation)",
        "n": "N(Deamidated)",
        "q": "Q(Deamidated)",
        "s": "S(Phospho)",
        "t": "T(Phospho)",
        "y": "Y(Phospho)",
    }
)


def _read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
    """Each spectrum is read from both ends: the more probable read, or the one that fits better.

    `prob` is the product of the residues' probabilities, with six decimals.
    """
    ways = [
        (
            -(number(cells[f"prob{way}"]) or 0.0),
            _distance(number(cells[f"delta_mass{way}"])),
            listed(cells[f"senten{way}"]),
        )
        for way in ("", "_reverse")
    ]
    ways = [way for way in ways if way[2]]
    if not ways:
        return []
    probability, _, text = min(ways)
    peptide = parse_peptide(text.translate(_LETTERS))
    return [origin.read(peptide, score=of_product(-probability, len(peptide.residues)))]


def _distance(error: float | None) -> float:
    """How far from 0 an error of a mass is; one that is not given is the worst."""
    return math.inf if error is None else abs(error)


def _fits(cells: Sequence[str]) -> bool:
    return len(cells) == 9 and is_listed(cells[3]) and is_listed(cells[6])


FORMATS = (
    TableFormat("novob", "NovoB", _COLUMNS, (), _read_row),
    TableFormat("novob", "NovoB", _COLUMNS, (), _read_row, _fits),
)
