"""Novor: de novo tables of the program and of Novor.Cloud, and its tables of database peptides.

`aaScore` is 0 to 100, joined by `-`; Novor.Cloud exports none. Versions that number the variable
modifications (`M(0)`) mean those that are usual on the residue.
"""

import re
from collections.abc import Iterable

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, numbers
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_NUMBERED = re.compile(r"([CMNQ])\(\d+\)")
_USUAL = {"C": "C(Cam)", "M": "M(O)", "N": "N(Deamidated)", "Q": "Q(Deamidated)"}
_TERMINUS = re.compile(r"[NC]-term\|")  # (N-term|Acetyl)EVQ
_DECOY = "target/decoy"
_PYRO_GLU = {"Q(Pyro-Glu)": "Q(Gln->pyro-Glu)", "E(Pyro-Glu)": "E(Glu->pyro-Glu)"}


def _peptide(text: str) -> str:
    if "(" not in text:
        return text
    text = _TERMINUS.sub("", _NUMBERED.sub(lambda match: _USUAL[match[1]], text))
    for written, meant in _PYRO_GLU.items():
        text = text.replace(written, meant)
    return text


def _de_novo(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["peptide"]:
        return []
    scores = origin.shares("aascore", numbers(cells["aascore"].split("-")))
    score = origin.share(cells, "score")
    return [origin.read(_peptide(cells["peptide"]), scores=scores, score=score)]


def _table(tool: str, title: str, peptide: str, mz: str, *also: str) -> TableFormat:
    """Tables without scores of residues; the score of a de novo peptide is 0 to 100."""

    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        if not cells[peptide] or cells.get(_DECOY, "").casefold() == "decoy":
            return []  # a decoy is no peptide of the database
        score = origin.share(cells, "score") if tool == "novor" else None
        return [origin.read(_peptide(cells[peptide]), score=score)]

    return TableFormat(
        tool,
        title,
        (peptide, mz, "score", *also),
        (),
        read_row,
        percents=("score",) if tool == "novor" else (),
    )


_DB = ("novor_db", "Novor's database search")

FORMATS = (
    TableFormat(
        "novor",
        "Novor",
        ("peptide", "aascore", "mz(data)", "score"),
        (),
        _de_novo,
        percents=("aascore", "score"),
    ),
    _table("novor", "Novor", "de novo peptide", "m/z"),
    _table(*_DB, "peptide", "mz", "noptmpeptide"),
    _table(*_DB, "peptide", "mz", _DECOY),
    _table(*_DB, "sequence", "m/z", "proteins", "error (ppm)"),
)
