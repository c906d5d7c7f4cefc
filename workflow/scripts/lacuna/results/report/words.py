"""How numbers and text of the input are written on the page."""

import re
from collections.abc import Sequence
from functools import partial

from markupsafe import Markup

from lacuna.core import words
from lacuna.core.files import printable
from lacuna.core.tables import CUT

MAX_ROWS = 50  # of any list on the page
MAX_LETTERS = 40  # of a gap or its truth that are shown
MAX_TEXT = 400  # characters of a reason or a chain id that are shown


def percent(share: float) -> str:
    """A share from 0 to 1 in percent, with one digit; 100 and 0 only if it is all or none."""
    text = f"{100 * share:.1f}"
    if text == "100.0" and share < 1:
        return "99.9"
    if text == "0.0" and share > 0:
        return "0.1"
    return {"100.0": "100", "0.0": "0"}.get(text, text)


def count(n: int) -> str:
    """A number with commas between thousands."""
    return f"{n:,}"


plural = partial(words.plural, separator=",")


def shown(text: str, limit: int = MAX_TEXT) -> str:
    """Text of the input, cut, with invisible characters (control, bidirectional) as escapes."""
    text = printable(text)
    return text if len(text) <= limit else f"{text[:limit]}…"


def breakable(text: str) -> Markup:
    """Text that may be broken after the marks by which ids are put together."""
    return Markup("<wbr>").join(re.split(r"(?<=[_./:|-])(?=[^_./:|-])", text))


def clip(letters: str) -> str:
    """The residues of a gap or its truth, up to MAX_LETTERS."""
    return shown(letters, MAX_LETTERS)


def cut(candidate: str, cleavages: str) -> Markup:
    """The letters of a candidate, with a mark at each cleavage that spectra show."""
    parts = shown(cleavages or candidate).split(CUT)
    return Markup('<i class="cut"></i>').join(parts)


def axis(share: float) -> str:
    """A share as a coordinate of a drawing of width 100."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".")


def ends(regions: Sequence[str]) -> str:
    """The first and the last of some regions, joined if they differ."""
    return "–".join(dict.fromkeys(filter(None, (*regions[:1], *regions[-1:]))))


def span(first: str, last: str) -> str:
    """Two positions, both included; a single one if they are the same."""
    return first if first == last else f"{first}–{last}"


def imgt_span(first: str, last: str) -> str:
    """Two IMGT numbers, both included; '' is the one of a residue outside any V domain."""
    if not last:
        return f"from {first}" if first else ""
    return span(first, last) if first else f"to {last}"
