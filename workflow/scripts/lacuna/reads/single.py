"""Tools that write one table each, some without a header, and the plain table."""

import math
import re
from collections.abc import Iterable, Sequence

from lacuna.core.alphabet import RESIDUES
from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number, numbers, per_residue, positive, probability
from lacuna.reads.peptide import is_peptide, parse_peptide
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

_LIST = re.compile(r"\[\s*'(.*)'\s*\]")  # of one text, as Python writes it
_SHORTEST = 3  # residues of a stretch that is kept of a peptide


def _listed(text: str) -> str:
    match = _LIST.fullmatch(text)
    return match[1] if match else text


# --- PowerNovo, PepNet, pi-PrimeNovo, pi-HelixNovo -----------------------------------------------


def _powernovo(peptide: str, scores: str, score: str) -> TableFormat:
    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        if not cells[peptide]:
            return []
        return [
            origin.read(
                cells[peptide].replace("(43.01)", "(+43.01)"),  # its carbamylation has no sign
                scores=origin.shares(scores, numbers(cells[scores].split())),
                score=number(cells.get(score, "")),
            )
        ]

    return TableFormat(
        "powernovo", "PowerNovo", (peptide, scores, score), (), read_row, shares=(scores,)
    )


# PepNet was trained on carbamidomethylated C, and writes oxidised M as Z. Networks of the same
# design that were trained on antibodies have small letters.
_PEPNET = str.maketrans(
    {
        "C": "C(Carbamidomethyl)",
        "Z": "M(Oxidation)",
        "m": "M(Oxidation)",
        "n": "N(Deamidated)",
        "q": "Q(Deamidated)",
    }
)


def _pepnet(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["denovo"]:
        return []
    peptide = parse_peptide(cells["denovo"].translate(_PEPNET))
    scores = origin.shares(
        "positional score", numbers(cells["positional score"].strip("[]").split(","))
    )
    score = _of_product(number(cells.get("score", "")), len(peptide.residues))
    return [origin.read(peptide, scores=_without_corrected(scores), score=score)]


def _without_corrected(scores: Sequence[float]) -> list[float]:
    """PepNet's scores of residues without the 1 that it gives the residue that it changed.

    If a peptide does not have the mass of its precursor, PepNet exchanges the least sure residue
    and sets its score to 1 (`post_correction` of github.com/lkytal/PepNet). A score of 1 becomes
    the lower one of its neighbours, which changes little if it is its own.
    """
    return [
        min((*scores[max(i - 1, 0) : i], *scores[i + 1 : i + 2]), default=score)
        if score == 1
        else score
        for i, score in enumerate(scores)
    ]


def _of_product(product: float | None, length: int) -> float | None:
    """A score from the product of the probabilities of so many residues: their geometric mean."""
    if product is None or not 0 <= product <= 1:
        return None
    return per_residue(math.log(product), length) if product else 0.0


# pi-PrimeNovo writes every token's mass in brackets behind its first character, which is the sign
# of a token without a residue: Q[+0.984], but -[17.027] and +[43.006-17.027].
_SIGN_OUTSIDE = re.compile(r"([+-])\[(?=\d)")


def _pi_primenovo(cells: Cells, origin: Origin) -> Iterable[Read]:
    """The score is the product of the residues' probabilities."""
    if not cells["prediction"]:
        return []
    peptide = parse_peptide(_SIGN_OUTSIDE.sub(r"[\1", cells["prediction"]))
    score = _of_product(positive(cells["score"]), len(peptide.residues))
    return [origin.read(peptide, score=score)]


def _pi_helixnovo(cells: Cells, origin: Origin) -> Iterable[Read]:
    if not cells["peptide"]:
        return []
    return [origin.read(cells["peptide"], score=number(cells["score"]))]


def _fits_pi_helixnovo(cells: Sequence[str]) -> bool:
    """A third column of whole numbers may be a charge."""
    if len(cells) != 3 or cells[2].isdecimal() or not is_peptide(cells[1]):
        return False
    score = number(cells[2])
    return score is not None and 0 <= score <= 1


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

    The user of pNovo chooses which residue a lower-case letter, or a B, is. The residues of the
    stretch have confidences if the row has one for every letter.
    """
    text = cells["peptide"]
    if not text:
        return []
    scores = origin.shares("scores", numbers(_split(cells["scores"])))
    if len(scores) != len(text):
        scores = []
    stretches = [match.span() for match in re.finditer(f"[{RESIDUES}]+", text)]
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


def _plain(peptide: str, confidence: str, *required: str) -> TableFormat:
    """required: the columns among these without which a table is another."""

    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        if not cells[peptide]:
            return []
        cell = cells.get(confidence, "").strip("[]")
        one = number(cell)  # of the whole peptide
        values = numbers(_confidences(cell)) if one is None else [one]
        shares = origin.shares(confidence, values)
        return [
            origin.read(
                cells[peptide],
                scores=shares if one is None else None,
                score=None if one is None else probability(shares[0]),
            )
        ]

    return TableFormat(
        "table", "a plain table", required, (confidence,), read_row, shares=(confidence,)
    )


FORMATS = (
    _powernovo("powernovo peptides", "powernovo aascore", "powernovo score"),
    _powernovo("peptide", "positional scores", "score"),  # PowerNovo2
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
    _plain("peptide", "confidence", "peptide"),
    # Of any tool, as the benchmark of github.com/bittremieuxlab/denovo_benchmarks collects them.
    _plain("sequence", "aa_scores", "sequence", "aa_scores"),
)
