"""Numbers in words, words as numbers, and a word that several settings share."""

import math
import re

AUTO = "auto"  # a setting that Lacuna finds out for itself
_NOT_GIVEN = frozenset({"", "na", "nan", "n/a", "none", "null"})  # as R and pandas write it
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:([,. '])\d{3})+(?:(?!\1)[.,]\d+)?", re.ASCII)


def plural(n: int, one: str, more: str = "", *, separator: str = "") -> str:
    """`1 gap`, `2 gaps`; more: the plural, if it takes more than an s; separator: of thousands."""
    return f"{n:{separator}} {one if n == 1 else more or one + 's'}"


def type_of(value: object) -> str:
    """The type of a value, as messages say it: `a list`, `an int`, `None`."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def is_given(cell: str) -> bool:
    """Whether a cell has a value, and is neither empty nor one of the words for none (`NA`)."""
    return cell.casefold() not in _NOT_GIVEN


def number_in(text: str) -> float:
    """The number that a cell holds; NaN if it holds none."""
    try:
        return float(text) if "_" not in text else math.nan  # Python reads 1_0 as 10
    except ValueError:
        return math.nan


def number_remedy(text: str, otherwise: str = "give a number") -> str:
    """What to write instead of a cell that holds no number; otherwise: if it is none in any way.

    A single comma before three digits may be either, as in 13,122: both readings are named.
    """
    grouped = _THOUSANDS.fullmatch(text)
    comma = _DECIMAL_COMMA.fullmatch(text)
    point = text.replace(",", ".")
    if grouped is None:
        return f"write a decimal point: {point}" if comma else otherwise
    mark = grouped[1]
    plain = text.replace(mark, "").replace(",", ".")
    if comma:
        return f"write {plain}, or {point} if the comma is a decimal one"
    return f"write it without separators of thousands: {plain}"
