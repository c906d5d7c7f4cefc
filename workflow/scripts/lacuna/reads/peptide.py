"""Peptides as tools write them: residues, modifications, and the place of each residue's score.

Modifications are written in parentheses (`M(+15.99)`, `C(Cam)`), in brackets (`C[UNIMOD:4]`,
`[Acetyl]-E`) or as a bare mass (`M+15.995`); a mass may have a decimal comma. Before the first
residue they belong to the N terminus. Neighbours of the peptide (`K.EVQ.L`) are left out. Tools
that predict one token at a time give a modification of the N terminus a token, and so a score, of
its own; those that write bare masses do so in any place.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from lacuna.core.alphabet import RESIDUES
from lacuna.core.masses import MONOISOTOPIC, WATER
from lacuna.core.tags import Tag, UnsignedMass, modification, peaks_modification
from lacuna.reads.read import N_TERMINUS, Modification

Score = TypeVar("Score")


_NO_RESIDUES = {ord(residue): None for residue in RESIDUES}
_TOKEN = re.compile(
    r"(?P<residue>[A-Za-z])"
    r"|\((?P<round>(?:[^()]|\([^()]*\))*)\)"
    r"|\[(?P<square>(?:[^\[\]]|\[[^\[\]]*\])*)\]"
    r"|(?P<bare>\+43\.006-17\.027|[+-](?:\d+\.?\d*|\.\d+))"  # carbamylation less ammonia is one
    r"|(?P<dash>-)"
)
_SIGNED = re.compile(r"[+-][\d.]+")
# A decimal comma, as in spreadsheets of some languages; a point behind it means thousands.
_DECIMAL_COMMA = re.compile(r"([+-]\d*),(\d+)(?![\d.,])", re.ASCII)
_SITE = re.compile(r"_[A-Z]+$")  # Oxidation_W
# Neighbours of a peptide in its protein: K.EVQ.L, -.EVQ.L, [K].EVQ.[L], of some tools up to three
# on both sides. -.98 is a mass, and so may be what is in front of the point in M+16.K.
_FLANKED = (
    re.compile(r"(?:[A-Z_-]{1,3}|\[[A-Z-]\])\.(?!\d)(.+)\.(?:[A-Z_-]{1,3}|\[[A-Z-]\])"),
    re.compile(r"(?:[A-Z_-]|\[[A-Z-]\])\.(?!\d)(.+)"),
    re.compile(r"(.*\D)\.(?:[A-Z_-]|\[[A-Z-]\])"),
)
# Modified residues as tokens with bare masses: the vocabulary of Casanovo and its relatives.
_BARE = ("C+57.021", "M+15.995", "N+0.984", "Q+0.984")
# PEAKS marks residues that differ from its database: A(sub G), (ins), (del K).
_VARIANT = re.compile(r"(?:sub|del) [A-Z]+|ins", re.IGNORECASE)

# Names that tools use and Unimod lacks.
_ABBREVIATIONS = {
    "o": "Oxidation",
    "ox": "Oxidation",
    "cam": "Carbamidomethyl",
    "ac": "Acetyl",
    "de": "Deamidated",
    "ph": "Phospho",
    "deamidation": "Deamidated",
    "gl": "Gln->pyro-Glu",
    "nem": "Nethylmaleimide",
    "ammonium loss": "Ammonia-loss",
    "frm": "Formyl",
    "tmt6": "TMT6plex",
    "lys4": "Label:2H(4)",
    "lys8": "Label:13C(6)15N(2)",
    "arg6": "Label:13C(6)",
    "arg10": "Label:13C(6)15N(4)",
}
# Masses that tools round to two or three decimals, exact to Unimod's six.
_USUAL = (
    "Carbamidomethyl",
    "Carboxymethyl",
    "Oxidation",
    "Dioxidation",
    "Deamidated",
    "Acetyl",
    "Carbamyl",
    "Ammonia-loss",
    "Dehydrated",
    "Phospho",
    "Methyl",
    "Dimethyl",
    "Formyl",
)
_MAX_ROUNDED = 4  # decimals: a mass with more is used as written


class Peptide(NamedTuple):
    """Residues, modifications, and the index of each residue among the tool's tokens."""

    residues: str
    modifications: tuple[Modification, ...]
    tokens: tuple[int, ...]
    n_tokens: int

    def of_residues(self, scores: Sequence[Score]) -> Sequence[Score]:
        """Scores of the residues, from scores of residues or of tokens; ValueError otherwise."""
        if len(scores) == len(self.residues):
            return scores
        if len(scores) == self.n_tokens:
            return [scores[token] for token in self.tokens]
        before = self.tokens[0]
        if len(scores) == before + len(self.residues):
            # A model of the user's own has tokens for modified residues that others lack.
            return scores[before:]
        if len(scores) == 1:
            raise ValueError(
                f"1 confidence for {len(self.residues)} residues; give one for each residue, "
                "separated by blanks, or remove the column"
            )
        raise ValueError(
            f"{len(scores)} confidences for {len(self.residues)} residues; leave the row out or "
            "correct it"
        )


def parse_peptide(text: str) -> Peptide:
    """The peptide in a cell; ValueError names what cannot be read."""
    if text and not text.translate(_NO_RESIDUES):
        return Peptide(text, (), tuple(range(len(text))), len(text))
    return _parse_modified(text)


def is_peptide(text: str) -> bool:
    """Whether a cell can be read as a peptide."""
    try:
        parse_peptide(text)
    except ValueError:
        return False
    return True


def _without_flanks(text: str) -> str:
    """A peptide without the neighbours that search engines write: `K.VDNALQ.S` is VDNALQ."""
    found = next(filter(None, (form.fullmatch(text) for form in _FLANKED)), None)
    return found[1] if found else text


def peptide_mass(peptide: Peptide) -> float:
    """The neutral monoisotopic mass of a peptide with its modifications, in Da."""
    residues = sum(MONOISOTOPIC[residue] for residue in peptide.residues)
    return float(residues + sum(mass for _, mass in peptide.modifications)) + WATER


@lru_cache(maxsize=4096)
def modification_mass(text: str) -> float:
    """The mass of a modification in Da, from a number, a name or an accession of Unimod.

    A rounded mass of a usual modification is made exact. ValueError if nothing is known of it.
    """
    text = text.strip()
    terms = _SIGNED.findall(text)
    if len(terms) > 1 and "".join(terms) == text:  # +43.006-17.027
        return sum(map(modification_mass, terms))
    try:
        mass = _named(_ABBREVIATIONS.get(text.casefold(), _SITE.sub("", text))).mass
    except UnsignedMass:
        raise ValueError(
            f"modification '{text[:40]}', a mass without a sign; write what the residue gains, as "
            "in M[+15.9949]; if it is the mass of residues that were not read, keep the part of "
            "the peptide on one side of it"
        ) from None
    except ValueError as error:
        raise ValueError(f"modification '{text[:40]}', {error}") from None
    return _exact(mass, len(text.partition(".")[2])) if text[:1] in ("+", "-") else mass


def _named(name: str) -> Tag:
    name = name.removeprefix("C:")  # ProForma: of a vocabulary of the user's own
    if ":" in name:
        tag = modification(name)  # ProForma: UNIMOD:4, U:4
        if tag is not None:
            return tag
    return peaks_modification(name)


def _exact(mass: float, decimals: int) -> float:
    if not 0 < decimals <= _MAX_ROUNDED:
        return mass
    for name in _USUAL:
        known = peaks_modification(name).mass
        if abs(mass - known) <= 0.51 * 10.0**-decimals:
            return known
    return mass


def _parse_modified(text: str) -> Peptide:
    residues: list[str] = []
    modifications: list[Modification] = []
    tokens: list[int] = []
    n_tokens = 0
    place = N_TERMINUS
    ended = False  # by a dash, which only a modification of the C terminus may follow
    text = _DECIMAL_COMMA.sub(r"\1.\2", _without_flanks(text) if "." in text else text)
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"'{text[at : at + 20]}' in the peptide; correct it")
        at = match.end()
        kind, value = str(match.lastgroup), match[match.lastgroup or 0]
        if kind == "residue":
            if ended:
                raise ValueError(
                    "'-' within the peptide; if it is a gap, keep the part of the peptide on one "
                    "side of it"
                )
            place = len(residues)
            residues.append(_residue(value))
            tokens.append(n_tokens)
            n_tokens += 1
        elif kind == "dash":  # [Acetyl]-EVQ, EVQ-[Amidated]
            ended = bool(residues)
            place = len(residues) if residues else N_TERMINUS
        elif kind == "bare":
            modifications.append((place, modification_mass(value)))
            last = residues[-1] if residues else ""
            n_tokens += f"{last}{value}" not in _BARE
        elif not _VARIANT.fullmatch(value):
            modifications.append((place, modification_mass(value)))
            n_tokens += place == N_TERMINUS
    if not residues:
        raise ValueError("a peptide without residues; leave the row out")
    return Peptide("".join(residues), tuple(modifications), tuple(tokens), n_tokens)


def _residue(letter: str) -> str:
    if letter == "J":  # I or L: no mass tells them apart, and tools write L for both
        return "L"
    if letter.upper() in RESIDUES and letter.islower():
        raise ValueError(
            f"'{letter}' in the peptide, a small letter; write residues as capitals, and "
            "modifications as M(+15.9949)"
        )
    if letter not in RESIDUES:
        raise ValueError(f"'{letter}' in the peptide, which is none of the 20 residues; correct it")
    return letter
