"""MaxNovo, the de novo part of MaxQuant, and the peptides that MaxQuant finds in databases.

MaxNovo writes residues that it cannot tell apart in braces ({I|L}, {M(Oxidation (M))|F}), residues
of unknown order in brackets ([QA], taken as written) and the masses of the ends that it did not
read. Residues, ends and water make up the mass of the peptide, which distinguishes M(ox) from F; if
they do not, the spectrum has other ions than y and b, and the masses of the ends are not usable.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, neutral_mass, number
from lacuna.reads.peptide import Peptide, parse_peptide, peptide_mass
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_CHOICE = re.compile(r"\{([^{}]*)\}")
_BARE_C = re.compile(r"C(?![\w(])|C(?=[A-Z])")
_CHOICES = 64  # of a read that are tried
_SAME = 0.01  # Da within which a mass is met: M(ox) and F are 0.033 Da apart


def _choices(text: str) -> Iterable[Peptide]:
    """Possible peptides, beginning with the first letter of every choice.

    A fixed modification is not written: C may be carbamidomethylated.
    """
    for written in islice(_expanded(text.replace("[", "").replace("]", "")), _CHOICES):
        yield parse_peptide(written)
        if "C" in written:
            yield parse_peptide(_BARE_C.sub("C(Carbamidomethyl)", written))


def _expanded(text: str) -> Iterator[str]:
    """A text without braces, for each choice in the innermost of them."""
    match = _CHOICE.search(text)
    if match is None:
        yield text
        return
    for option in match[1].split("|"):
        yield from _expanded(text[: match.start()] + option + text[match.end() :])


def _de_novo(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["dn sequence"]:
        return []
    candidates = list(_choices(cells["dn sequence"]))
    n_mass, c_mass = number(cells["dn nterm mass"]), number(cells["dn cterm mass"])
    mass = neutral_mass(cells.get("m/z", ""), cells.get("charge", ""))
    peptide = candidates[0]
    if mass is not None and n_mass is not None and c_mass is not None and min(n_mass, c_mass) >= 0:
        read = [abs(peptide_mass(p) + n_mass + c_mass - mass) for p in candidates]
        best = min(range(len(read)), key=read.__getitem__)
        if read[best] <= _SAME:
            peptide = candidates[best]
    return [origin.read(peptide)]


def _database(cells: Cells, origin: Origin) -> Iterable[Read]:
    text = cells["modified sequence"].strip("_")
    if not text or cells.get("reverse") == "+":
        return []
    return [origin.read(text)]


FORMATS = (
    TableFormat(
        "maxnovo",
        "MaxNovo",
        ("dn sequence", "dn nterm mass", "dn cterm mass"),
        ("m/z", "charge"),
        _de_novo,
    ),
    TableFormat("maxquant", "MaxQuant", ("modified sequence", "raw file"), ("reverse",), _database),
)
