"""PEAKS: de novo peptides of PEAKS X to 13 and PEAKS AB, features, and peptides found in databases.

Columns are taken by name: their order, quoting and case change with the version.
"""

from collections.abc import Iterable

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, numbers
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_ALC = "alc (%)"
_CAA = "caa (%)"  # of DIA, version 13: the share of residues that are confident
_DEEP_NOVO = "deep novo score (%)"  # the score of version 12, with or without an ALC
_SPECTRUM = ("scan", "m/z", "z", "fraction", "source file")


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
        spectrum=_SPECTRUM,
    )


def _feature(cells: Cells, origin: Origin) -> Iterable[Read]:
    """Peptides that the spectra of one feature were read as; the ALC is that of the best."""
    peptides = [peptide for peptide in cells["denovo peptide"].split(";") if peptide]
    score = origin.share(cells, _ALC)
    return [
        origin.read(peptide, score=score, rank=rank)
        for rank, peptide in enumerate(dict.fromkeys(peptides), 1)
    ]


def _of_peptides(confidence: str) -> TableFormat:
    """Tables with a confidence of each peptide alone."""

    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        if not cells["peptide"]:
            return []
        return [origin.read(cells["peptide"], score=origin.share(cells, confidence))]

    return TableFormat(
        "peaks",
        "PEAKS",
        ("peptide", confidence),
        (),
        read_row,
        percents=(confidence,),
        spectrum=_SPECTRUM,
    )


def _database(cells: Cells, origin: Origin) -> Iterable[Read]:
    return [origin.read(cells["peptide"])] if cells["peptide"] else []


FORMATS = (
    _de_novo("local confidence (%)"),
    _de_novo("local confidence"),  # as the assembler ALPS wants it
    TableFormat("peaks", "PEAKS", ("denovo peptide", _ALC), (), _feature, percents=(_ALC,)),
    _of_peptides(_CAA),
    _of_peptides(_ALC),  # without the confidences of residues, as a user may have cut it
    TableFormat("peaks_db", "PEAKS DB", ("peptide", "-10lgp", "mass"), (), _database),
)
