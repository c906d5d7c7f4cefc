"""DeepNovo and its family (PointNovo, PGPointNovo, BiATNovo): residues and natural logarithms.

Both are joined by commas. The oldest writes modified residues as `Cmod`, `Mmod`, `Nmod` and `Qmod`,
and one logarithm less than residues: that of the first or the last, which the mass determines.
"""

from collections.abc import Iterable

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number, numbers, per_residue, probabilities
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_MOD = {
    "Cmod": "C(Carbamidomethyl)",
    "Mmod": "M(Oxidation)",
    "Nmod": "N(Deamidated)",
    "Qmod": "Q(Deamidated)",
}


def _table(peptide: str, score: str, positions: str = "") -> TableFormat:
    """positions: the column of the residues' logarithms; "" if there is none."""

    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        residues = [residue for residue in cells[peptide].split(",") if residue]
        if not residues:
            return []
        mean = number(cells[score])  # of the logarithms of the residues
        scores = probabilities(numbers(cells[positions].split(","))) if positions else []
        if scores and len(scores) == len(residues) - 1:
            # For each residue, the lower of the two scores that may be its own.
            scores = list(map(min, [*scores, 1.0], [1.0, *scores]))
        return [
            origin.read(
                "".join(_MOD.get(residue, residue) for residue in residues),
                scores=scores,
                score=per_residue(mean, 1),
            )
        ]

    required = (peptide, score, positions) if positions else (peptide, score)
    return TableFormat("deepnovo", "DeepNovo", required, (), read_row)


FORMATS = (
    _table("predicted_sequence", "predicted_score", "predicted_position_score"),
    _table("predicted_sequence", "predicted_score"),  # DeepNovo-DIA, what no database has
    _table("output_seq", "output_score", "aa_score"),
)
