"""pUniFind, whose tables have no header."""

import re
from collections.abc import Iterable, Sequence

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number
from lacuna.reads.read import Read
from lacuna.reads.table import Cells, is_listed, listed

# "4,Oxidation[M];" counts residues from 1; "1,Carbamidomethyl[AnyN-term];" is the N terminus.
_PLACED = re.compile(r"(\d+),([^;]+?)\[([^\[\];]*)\]")


def _read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
    residues = listed(cells["peptide"])
    if not residues:
        return []
    parts = dict.fromkeys(range(len(residues)), "")
    n_terminus = ""
    for place, name, site in _PLACED.findall(cells["modifications"]):
        if site.endswith("N-term"):
            n_terminus += f"[{name}]"
        elif int(place) - 1 in parts:
            parts[int(place) - 1] += f"[{name}]"
        else:
            raise ValueError(f"a modification of residue {place}, which is not there; correct it")
    text = n_terminus + "".join(f"{residues[i]}{tag}" for i, tag in parts.items())
    return [origin.read(text, score=number(cells["probability"]))]


def _fits(cells: Sequence[str]) -> bool:
    return len(cells) == 9 and is_listed(cells[6])


FORMATS = (
    TableFormat(
        "punifind",
        "pUniFind",
        (
            "title",
            "logit",
            "probability",
            "retention",
            "sites",
            "delta",
            "peptide",
            "written",
            "modifications",
        ),
        (),
        _read_row,
        _fits,
    ),
)
