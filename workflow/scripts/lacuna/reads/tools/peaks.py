"""PEAKS: de novo peptides of PEAKS X to 13 and PEAKS AB, features, and peptides found in databases.

Columns are taken by name: their order, quoting and case change with the version.
"""

from collections.abc import Iterable

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, numbers
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_ALC = "alc (%)"
_CAA = "caa (%)"
_DEEP_NOVO = "deep novo score (%)"  # the score of version 12, with or without an ALC


def _de_novo(confidences: str) -> TableFormat:
    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        if not cells["peptide"]:
            return []
        scores = origin.shares(confidences, numbers(cells[confidences].split()))
        score = origin.share(cells, _ALC)
        if score is None:
            score = origin.share(cells, _DEEP_NOVO)
        return [origin.read(cells["peptide"], scores=scores, score=score)]

    return TableFormat(
        "peaks",
        "PEAKS",
        ("peptide", confidences),
        (_ALC, _DEEP_NOVO),
        read_row,
        percents=(confidences, _ALC, _DEEP_NOVO),
        spectrum=("scan", "m/z", "z", "fraction", "source file"),
    )


def _of_alc(cells: Cells, origin: Origin) -> Iterable[Read]:
    """A table of which the confidences of residues were left out."""
    return (
        [origin.read(cells["peptide"], score=origin.share(cells, _ALC))] if cells["peptide"] else []
    )


def _feature(cells: Cells, origin: Origin) -> Iterable[Read]:
    """Peptides that the spectra of one feature were read as; the ALC is that of the best."""
    peptides = [peptide for peptide in cells["denovo peptide"].split(";") if peptide]
    score = origin.share(cells, _ALC)
    return [
        origin.read(peptide, score=score, rank=rank)
        for rank, peptide in enumerate(dict.fromkeys(peptides), 1)
    ]


def _dia(cells: Cells, origin: Origin) -> Iterable[Read]:
    """Version 13: the CAA is the share of residues that are confident."""
    if not cells["peptide"]:
        return []
    return [origin.read(cells["peptide"], score=origin.share(cells, _CAA))]


def _database(cells: Cells, origin: Origin) -> Iterable[Read]:
    return [origin.read(cells["peptide"])] if cells["peptide"] else []


FORMATS = (
    _de_novo("local confidence (%)"),
    _de_novo("local confidence"),  # as the assembler ALPS wants it
    TableFormat("peaks", "PEAKS", ("peptide", _ALC), (), _of_alc, percents=(_ALC,)),
    TableFormat("peaks", "PEAKS", ("denovo peptide", _ALC), (), _feature, percents=(_ALC,)),
    TableFormat("peaks", "PEAKS", ("peptide", _CAA), (), _dia, percents=(_CAA,)),
    TableFormat("peaks_db", "PEAKS DB", ("peptide", "-10lgp", "mass"), (), _database),
)
