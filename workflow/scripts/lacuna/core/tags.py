"""Masses of the tags of a sequence: modifications in ProForma 2 and PEAKS notation, mass gaps.

pyteomics parses a ProForma tag. Masses of names are looked up in the bundled Unimod table, since
pyteomics itself would fetch it from the network.
"""

import csv
import difflib
import math
import re
from functools import cache, lru_cache
from typing import Any, NamedTuple

from lacuna.core.paths import UNIMOD

MAX_TAG = 200  # characters of a tag
MAX_MODIFICATION = 100_000.0  # Da: above any group on a residue
MIN_MODIFICATION = -187.0  # Da: no residue can lose more than the mass of tryptophan
SAME_MASS = 0.1  # Da within which two descriptions of a modification agree

_NEAREST = 3
_SITES = re.compile(r"\((?:[A-Z]+|(?:Protein ?)?[NC]-term)\)$", re.IGNORECASE)  # Oxidation (M)
_DALTONS = re.compile(r"(\d+)(\.\d+)?da", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"(?:\w+:)?[+-]?[\d_.]+")
_DECIMAL_COMMA = re.compile(r"([+-]?\d+),(\d+)(da)?", re.IGNORECASE | re.ASCII)
_HALF_DALTON = 0.5
_AS_GAP = "write a gap of known mass as X[+367.0537]"
_AS_MASS = "give its mass, as in M[+15.9949]"
_NO_MASS = "which is not a mass in Da; "


class Tag(NamedTuple):
    """A modification: its mass in Da, and its name in Unimod ("" if only a mass is given)."""

    mass: float
    name: str


class UnsignedMass(ValueError):
    """A tag that is a number without a sign, so that it may be a gain or a mass."""


class _Unimod(NamedTuple):
    by_accession: dict[int, Tag]
    by_name: dict[str, Tag]  # without case and blanks, including synonyms


def modification(text: str) -> Tag | None:
    """The modification of a ProForma tag ("+57.0215", "Oxidation", "U:4"), without its brackets.

    None for a tag that is only information. Raises ValueError with the fault and the remedy.
    """
    tags = _proforma(text)
    if not tags:
        return None
    for other in tags[1:]:
        if abs(other.mass - tags[0].mass) > SAME_MASS:
            raise ValueError(
                f"which gives masses of {tags[0].mass:g} and {other.mass:g} Da; keep one of them"
            )
    return _within_reason(next((tag for tag in tags if tag.name), tags[0]))


@lru_cache(maxsize=4096)
def peaks_modification(text: str) -> Tag:
    """The modification of a PEAKS tag ("+57.02", "Carbamidomethylation"), without parentheses.

    Raises ValueError with the fault and the remedy.
    """
    _check_text(text)
    return _within_reason(_signed(text) if text.startswith(("+", "-")) else _named(text))


def gap_mass(text: str) -> float:
    """The mass in Da of a gap in ProForma ("+367.0537"); ValueError if the tag is not a mass."""
    fault = ValueError(_NO_MASS + _AS_GAP)
    _check_text(text)
    try:
        tags = _proforma(text)
    except ValueError:
        raise fault from None
    if len(tags) != 1 or tags[0].name:
        raise fault
    return tags[0].mass


def dalton_mass(text: str) -> tuple[float, float | None]:
    """Mass and tolerance in Da of "420.18 Da"; an integer m means [m, m + 1).

    The tolerance is None if the mass has decimals. Raises ValueError if the text is not a mass.
    """
    _check_text(text)
    match = _DALTONS.fullmatch(text)
    if match is None:
        if re.match(r"[A-Za-z]+(:|$)", text) and text.casefold() != "da":
            raise ValueError(
                "a labile modification of ProForma, which is not read; leave it out, or write a "
                "gap of known mass as {420.18 Da}"
            )
        raise ValueError(_NO_MASS + "write a gap of known mass as {420.18 Da}")
    if match[2] is None:
        return float(match[1]) + _HALF_DALTON, _HALF_DALTON
    return float(match[1] + match[2]), None


def _check_text(text: str) -> None:
    """Raise ValueError if a tag is too long, or its mass has a decimal comma."""
    if "_" in text and _NUMBER.fullmatch(text):  # Python reads +1_0 as 10
        raise ValueError(_NO_MASS + _AS_MASS)
    if len(text) > MAX_TAG:
        raise ValueError(
            f"which is {len(text)} characters long, more than the limit of {MAX_TAG}; shorten it"
        )
    comma = _DECIMAL_COMMA.fullmatch(text)
    if comma:
        raise ValueError(f"which has a decimal comma; write a point: {comma[1]}.{comma[2]}")


@lru_cache(maxsize=4096)
def _proforma(text: str) -> tuple[Tag, ...]:
    """The descriptions in a tag, separated by `|` in it; those that only inform are left out."""
    from pyteomics import proforma  # slow to import, and most files contain no tag

    _check_text(text)
    try:
        main = proforma.process_tag_tokens(text)
    except Exception:  # the parser raises errors of many kinds
        raise ValueError(f"which is not a modification; {_AS_MASS}") from None
    parts = [main, *main.extra]
    grouped = (proforma.PositionLabelTag, proforma.LocalizationMarker)
    if any(part.group_id or isinstance(part, grouped) for part in parts):
        raise ValueError(
            "a group or cross-link of ProForma (#), which is not read; leave the label out"
        )
    return tuple(tag for part in parts if (tag := _described(part, proforma)) is not None)


def _described(part: Any, proforma: Any) -> Tag | None:
    """The tag of one description of a modification; None if it only informs."""
    if isinstance(part, proforma.InformationTag):
        return None
    if isinstance(part, proforma.MassModification):
        return _finite(part.mass)
    if isinstance(part, proforma.FormulaModification | proforma.GlycanModification):
        return _composed(part, proforma)
    value = str(part.value)
    if value.startswith(("+", "-")):  # U:+15.9949 too
        return _signed(value)
    if isinstance(part, proforma.UnimodModification):
        return _accession(int(value)) if value.isascii() and value.isdigit() else _named(value)
    if isinstance(part, proforma.GenericModification):
        return _named(value)
    raise ValueError(f"of another vocabulary than Unimod, which is not read; {_AS_MASS}")


def _composed(part: Any, proforma: Any) -> Tag:
    """The mass of a formula or of the composition of a glycan."""
    try:
        whole = (
            not isinstance(part, proforma.GlycanModification)
            or "".join(match[0] for match in part.tokenizer.finditer(part.value)) == part.value
        )
        mass = float(part.mass) if whole and part.value else math.nan
    except Exception:  # an element, sugar or number unknown to pyteomics
        mass = math.nan
    if not math.isfinite(mass):
        raise ValueError(f"which is not a composition; {_AS_MASS}")
    return Tag(mass, f"{part.prefix_name}:{part.value}")


def _signed(text: str) -> Tag:
    try:
        mass = float(text)
    except ValueError:
        mass = math.nan
    return _finite(mass)


def _finite(mass: float) -> Tag:
    if not math.isfinite(mass):
        raise ValueError(_NO_MASS + _AS_MASS)
    return Tag(mass, "")


def _within_reason(tag: Tag) -> Tag:
    if not MIN_MODIFICATION <= tag.mass <= MAX_MODIFICATION:
        raise ValueError(
            f"which changes a residue by {tag.mass:g} Da, outside {MIN_MODIFICATION:g} to "
            f"{MAX_MODIFICATION:g}; correct the mass"
        )
    return tag


def _accession(number: int) -> Tag:
    if number not in _unimod().by_accession:
        raise ValueError(f"a number that Unimod does not have; correct it, or {_AS_MASS}")
    return _unimod().by_accession[number]


def _named(name: str) -> Tag:
    """The modification of a name or synonym in Unimod, with or without sites after it."""
    known = _unimod().by_name
    for key in (_key(name), _key(_SITES.sub("", name))):
        if key in known:
            return known[key]
    try:
        float(re.sub(r"da$", "", name, flags=re.IGNORECASE))
    except ValueError:
        raise ValueError(
            f"a name that Unimod does not have{_nearest(_key(name))}; {_AS_MASS}"
        ) from None
    raise UnsignedMass(
        "a mass without a sign; write what the residue gains, as in C[+57.0215], or a gap of known "
        "mass as X[+367.0537]"
    )


@lru_cache(maxsize=4096)
def _nearest(key: str) -> str:
    """The known names most similar to an unknown one, in words."""
    # Only those with the same first letter: comparing with all takes 30 times longer, and a file
    # may be full of unknown names.
    alike = [known for known in _unimod().by_name if known[:1] == key[:1]]
    near = difflib.get_close_matches(key, alike, n=_NEAREST)
    names = dict.fromkeys(_unimod().by_name[one].name for one in near)
    return f" (nearest: {', '.join(names)})" if names else ""


def _key(name: str) -> str:
    return "".join(name.split()).casefold()


@cache
def _unimod() -> _Unimod:
    """The bundled table of modifications."""
    by_accession: dict[int, Tag] = {}
    synonyms: dict[str, Tag] = {}
    with open(UNIMOD, newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE):
            tag = Tag(float(row["mass"]), row["name"])
            by_accession[int(row["accession"])] = tag
            synonyms |= {_key(name): tag for name in row["synonyms"].split("|") if name}
    return _Unimod(by_accession, synonyms | {_key(t.name): t for t in by_accession.values()})
