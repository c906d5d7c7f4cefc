"""DeepNovo and its family (PointNovo, PGPointNovo, BiATNovo): residues and natural logarithms.

Both are joined by commas. The oldest writes modified residues as `Cmod`, `Mmod`, `Nmod` and `Qmod`,
and one logarithm less than residues: that of the first or the last, which the mass determines.
"""

from collections.abc import Iterable

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import (
    Origin,
    charge,
    neutral_mass,
    number,
    numbers,
    per_residue,
    positive,
    probabilities,
)
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_MOD = {
    "Cmod": "C(Carbamidomethyl)",
    "Mmod": "M(Oxidation)",
    "Nmod": "N(Deamidated)",
    "Qmod": "Q(Deamidated)",
}
_NO_AREA = 1.0  # written for an unknown area


def _table(peptide: str, positions: str, score: str) -> TableFormat:
    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        residues = [residue for residue in cells[peptide].split(",") if residue]
        if not residues:
            return []
        z = cells.get("precursor_charge", "")
        mean = number(cells[score])  # of the logarithms of the residues
        area = positive(cells.get("feature_area", ""))
        scores = probabilities(numbers(cells[positions].split(",")))
        if scores and len(scores) == len(residues) - 1:
            # For each residue, the lower of the two scores that may be its own.
            scores = list(map(min, [*scores, 1.0], [1.0, *scores]))
        return [
            origin.read(
                "".join(_MOD.get(residue, residue) for residue in residues),
                scores=scores,
                score=per_residue(mean, 1),
                mass=neutral_mass(cells.get("precursor_mz", ""), z),
                charge=charge(z),
                intensity=None if area == _NO_AREA else area,
                scan=cells.get("scan") or cells.get("feature_id") or "",
            )
        ]

    used = ("precursor_mz", "precursor_charge", "feature_area", "scan", "feature_id")
    return TableFormat("deepnovo", "DeepNovo", (peptide, positions, score), used, read_row)


FORMATS = (
    _table("predicted_sequence", "predicted_position_score", "predicted_score"),
    _table("output_seq", "aa_score", "output_score"),
)
