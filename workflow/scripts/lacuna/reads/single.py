"""Tools that write one table each, some without a header, and the plain table."""

import math
import re
from collections.abc import Iterable, Sequence

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number, numbers, per_residue, positive
from lacuna.reads.peptide import is_peptide, parse_peptide
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_LIST = re.compile(r"\[\s*'(.*)'\s*\]")  # of one text, as Python writes it
_SHORTEST = 3  # residues of a stretch that is kept of a peptide


def _listed(text: str) -> str:
    match = _LIST.fullmatch(text)
    return match[1] if match else text


# --- PowerNovo, PepNet, pi-PrimeNovo, pi-HelixNovo -----------------------------------------------


def _powernovo(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["powernovo peptides"]:
        return []
    return [
        origin.read(
            cells["powernovo peptides"],
            scores=origin.shares("powernovo aascore", numbers(cells["powernovo aascore"].split())),
            score=number(cells["powernovo score"]),
        )
    ]


def _pepnet(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["denovo"]:
        return []
    return [
        origin.read(
            cells["denovo"],
            scores=origin.shares(
                "positional score", numbers(cells["positional score"].strip("[]").split(","))
            ),
            score=number(cells.get("score", "")),
        )
    ]


def _of_product(product: float | None, length: int) -> float | None:
    """A score from the product of the probabilities of so many residues: their geometric mean."""
    if product is None or not 0 <= product <= 1:
        return None
    return per_residue(math.log(product), length) if product else 0.0


def _pi_primenovo(cells: Cells, origin: Origin) -> Iterable[Read]:
    """The score is the product of the residues' probabilities."""
    if not cells["prediction"]:
        return []
    peptide = parse_peptide(cells["prediction"])
    score = _of_product(positive(cells["score"]), len(peptide.residues))
    return [origin.read(peptide, score=score)]


def _pi_helixnovo(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["peptide"]:
        return []
    return [origin.read(cells["peptide"], score=number(cells["score"]))]


def _fits_pi_helixnovo(cells: Sequence[str]) -> bool:
    return len(cells) == 3 and number(cells[2]) is not None and is_peptide(cells[1])


# --- pUniFind, NovoB -----------------------------------------------------------------------------

# "4,Oxidation[M];" counts residues from 1; "1,Carbamidomethyl[AnyN-term];" is the N terminus.
_PLACED = re.compile(r"(\d+),([^;]+?)\[([^\[\];]*)\]")


def _punifind(cells: Cells, origin: Origin) -> Iterable[Read]:
    residues = _listed(cells["peptide"])
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


def _fits_punifind(cells: Sequence[str]) -> bool:
    return len(cells) == 9 and bool(_LIST.fullmatch(cells[6]))


# NovoB's letters: lower case is modified, C always is. Checked against the masses of its rows.
_NOVOB = str.maketrans(
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


def _novob(cells: Cells, origin: Origin) -> Iterable[Read]:
    """Each spectrum is read from both ends: the more probable read, or the one that fits better.

    `prob` is the product of the residues' probabilities, with six decimals.
    """
    ways = [
        (
            -(number(cells[f"prob{way}"]) or 0.0),
            _distance(number(cells[f"delta_mass{way}"])),
            _listed(cells[f"senten{way}"]),
        )
        for way in ("", "_reverse")
    ]
    ways = [way for way in ways if way[2] and way[2] != "['']"]
    if not ways:
        return []
    probability, _, text = min(ways)
    peptide = parse_peptide(text.translate(_NOVOB))
    return [origin.read(peptide, score=_of_product(-probability, len(peptide.residues)))]


def _distance(error: float | None) -> float:
    """How far from 0 an error of a mass is; one that is not given is the worst."""
    return math.inf if error is None else abs(error)


def _fits_novob(cells: Sequence[str]) -> bool:
    return len(cells) == 9 and all(_LIST.fullmatch(cells[i]) for i in (3, 6))


_NOVOB_COLUMNS = (
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

# --- pNovo ---------------------------------------------------------------------------------------


def _pnovo(cells: Cells, origin: Origin) -> Iterable[Read]:
    """The longest stretch of residues that are not modified.

    The user of pNovo chooses which residue a lower-case letter is. The residues of the stretch have
    confidences if the row has one for every letter.
    """
    text = cells["peptide"]
    if not text:
        return []
    scores = origin.shares("scores", numbers(_split(cells["scores"])))
    if len(scores) != len(text):
        scores = []
    stretches = [match.span() for match in re.finditer("[A-Z]+", text)]
    start, end = max(stretches, key=lambda span: span[1] - span[0], default=(0, 0))
    if end - start < min(_SHORTEST, len(text)):
        raise ValueError(
            f"'{text[:40]}', in which letters of modified residues leave no stretch of "
            f"{_SHORTEST} residues; leave the row out"
        )
    score = origin.share(cells, "score")
    return [
        origin.read(
            text[start:end],
            scores=scores[start:end],
            score=score if score is not None and 0 <= score <= 1 else None,
        )
    ]


def _split(text: str) -> list[str]:
    """Numbers that are joined by blanks, commas or semicolons."""
    return text.replace(",", " ").replace(";", " ").split()


def _fits_pnovo(cells: Sequence[str]) -> bool:
    return (
        len(cells) == 9
        and cells[1].isalpha()
        and number(cells[4]) is not None
        and "," in cells[5]
        and all(number(cell) is not None for cell in _split(cells[5]))
    )


# --- ProteoScape, plain tables -------------------------------------------------------------------


def _proteoscape(cells: Cells, origin: Origin) -> Iterable[Read]:
    return [origin.read(cells["peptide sequence"].replace("(", "(+").replace("(+-", "(-"))]


def _confidences(text: str) -> list[str]:
    """Confidences joined by blanks, semicolons or commas; among blanks commas are decimal."""
    parts = text.replace(";", " ").split()
    return _split(text) if len(parts) < 2 else [part.rstrip(",") for part in parts]


def _plain(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["peptide"]:
        return []
    cell = cells.get("confidence", "").strip("[]")
    one = number(cell)  # of the whole peptide
    values = numbers(_confidences(cell)) if one is None else [one]
    shares = origin.shares("confidence", values)
    return [
        origin.read(
            cells["peptide"],
            scores=shares if one is None else None,
            score=None if one is None else shares[0],
        )
    ]


FORMATS = (
    TableFormat(
        "powernovo",
        "PowerNovo",
        ("powernovo peptides", "powernovo aascore", "powernovo score"),
        (),
        _powernovo,
        shares=("powernovo aascore",),
    ),
    TableFormat(
        "pepnet",
        "PepNet",
        ("denovo", "positional score"),
        ("score",),
        _pepnet,
        shares=("positional score",),
    ),
    TableFormat(
        "piprimenovo",
        "pi-PrimeNovo",
        ("label", "prediction", "charge", "score"),
        (),
        _pi_primenovo,
    ),
    TableFormat("novob", "NovoB", _NOVOB_COLUMNS, (), _novob),
    TableFormat(
        "proteoscape",
        "ProteoScape",
        ("peptide sequence", "precursor mz", "charge"),
        (),
        _proteoscape,
    ),
)
HEADERLESS = (
    TableFormat("novob", "NovoB", _NOVOB_COLUMNS, (), _novob, _fits_novob),
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
        _punifind,
        _fits_punifind,
    ),
    TableFormat(
        "pnovo",
        "pNovo",
        ("title", "peptide", "third", "fourth", "score", "scores", "seventh", "eighth", "ninth"),
        (),
        _pnovo,
        _fits_pnovo,
        percents=("score", "scores"),
    ),
    TableFormat(
        "pihelixnovo",
        "pi-HelixNovo",
        ("title", "peptide", "score"),
        (),
        _pi_helixnovo,
        _fits_pi_helixnovo,
    ),
)
PLAIN = (
    TableFormat(
        "table",
        "a plain table",
        ("peptide",),
        ("confidence",),
        _plain,
        shares=("confidence",),
    ),
)
