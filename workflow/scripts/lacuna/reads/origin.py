"""Make a read from the cells of a row: the part that is the same for every tool."""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from lacuna.core.masses import PROTON
from lacuna.core.words import is_given, number_in
from lacuna.reads.peptide import Peptide, parse_peptide
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_ROUNDING = 1e-6  # by which a written probability may exceed 1


class Origin(NamedTuple):
    """A row of a file: `name` is the file's in the sample, `tool` what wrote it.

    scales: what the numbers of some columns are divided by, as in `scale.scales_of`.
    """

    tool: str
    file: str
    name: str
    line: int
    scales: Mapping[str, float] = MappingProxyType({})

    def share(self, cells: Cells, column: str) -> float | None:
        """The number in a cell of a column with a scale, as a share of 1."""
        value = number(cells.get(column, ""))
        return None if value is None else value / self.scales[column]

    def shares(self, column: str, values: Sequence[float]) -> list[float]:
        """Numbers of a column with a scale, as shares of 1."""
        scale = self.scales.get(column, 1.0)
        if scale > 1 and max(values, default=0) <= 1 and any(0 < value < 1 for value in values):
            raise ValueError(
                f"confidences of at most 1 among percentages in column '{column}'; "
                "write percentages"
            )
        return [value / scale for value in values]

    def read(
        self,
        peptide: str | Peptide,
        *,
        scores: Sequence[float] | None = None,
        score: float | None = None,
        rank: int = 1,
    ) -> Read:
        """The read that a row holds.

        scores: 0 to 1, of its residues or tokens; None or empty if the tool gives none.
        rank: which of the row's peptides. Raises ValueError that names what is wrong.
        """
        if isinstance(peptide, str):
            peptide = parse_peptide(peptide)
        confidences = None
        if scores:
            confidences = tuple(map(probability, peptide.of_residues(scores)))
        return Read(
            name=f"{self.name}:{self.line}" + (f".{rank}" if rank > 1 else ""),
            tool=self.tool,
            residues=peptide.residues,
            confidences=confidences,
            score=score if score is None else _score(score),
            modifications=peptide.modifications,
            file=self.file,
        )


def probability(value: float) -> float:
    """A confidence, rounded to what a tool can mean; ValueError if it is not one."""
    if not -_ROUNDING <= value <= 1 + _ROUNDING:
        remedy = "divide percentages by 100" if 1 < value <= 100 else "correct it"
        raise ValueError(f"a confidence of {value:g}, which is not between 0 and 1; {remedy}")
    return min(1.0, max(0.0, round(value, 6)))


def _score(value: float) -> float | None:
    """The score of a peptide; None if its scale is another than 0 to 1."""
    return probability(value) if -_ROUNDING <= value <= 1 + _ROUNDING else None


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if cell.count(",") == 1 and "." not in cell else cell


def number(cell: str) -> float | None:
    """The number in a cell; None if it is empty, no number or not finite.

    A single comma is a decimal point, as spreadsheets of some languages write it.
    """
    if cell == "-" or not is_given(cell):
        return None
    value = number_in(_with_point(cell))
    return value if math.isfinite(value) else None


def positive(cell: str) -> float | None:
    """The number in a cell; None if there is none above 0."""
    value = number(cell)
    return value if value is not None and value > 0 else None


def _charge(cell: str) -> int | None:
    """The charge in a cell (`2`, `2.0`, `2+`); None if there is none."""
    value = positive(cell.rstrip("+"))
    return int(value) if value is not None and value < 100 else None


def neutral_mass(mz: str, z: str) -> float | None:
    """The mass in Da of a precursor by its m/z and charge; None unless both are given."""
    ratio, charges = positive(mz), _charge(z)
    return None if ratio is None or charges is None else (ratio - PROTON) * charges


def numbers(cells: Iterable[str]) -> list[float]:
    """Numbers of the cells that are not empty; ValueError names the first that is not one."""
    values = []
    for cell in filter(None, cells):
        value = number_in(_with_point(cell))
        if math.isnan(value):
            raise ValueError(f"a confidence of '{cell[:20]}', which is no number; correct it")
        values.append(value)
    return values


def split_numbers(text: str) -> list[str]:
    """The numbers of a text, which blanks, commas or semicolons separate."""
    return text.replace(",", " ").replace(";", " ").split()


def probabilities(logarithms: Sequence[float]) -> list[float]:
    """Probabilities from natural logarithms; ValueError if one is above 0."""
    above = [value for value in logarithms if not value <= _ROUNDING]
    if above:
        raise ValueError(
            f"a log probability of {above[0]:g}, where none is above 0; write natural logarithms"
        )
    return [math.exp(min(value, 0.0)) for value in logarithms]


def per_residue(logarithm: float | None, length: int) -> float | None:
    """A score from the log probability of a peptide: its geometric mean over the residues.

    The probability itself falls with the length, and says little about one residue.
    """
    return None if logarithm is None else probabilities([logarithm / max(length, 1)])[0]


def of_product(product: float | None, length: int) -> float | None:
    """The same from the product of the probabilities of so many residues."""
    if product is None or not 0 <= product <= 1:
        return None
    return per_residue(math.log(product), length) if product else 0.0
