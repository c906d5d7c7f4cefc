"""Numbers in words, and words as numbers."""

import math


def plural(n: int, one: str, more: str = "", *, separator: str = "") -> str:
    """`1 gap`, `2 gaps`; more: the plural, if it takes more than an s; separator: of thousands."""
    return f"{n:{separator}} {one if n == 1 else more or one + 's'}"


def number_in(text: str) -> float:
    """The number that a cell holds; NaN if it holds none."""
    try:
        return float(text) if "_" not in text else math.nan  # Python reads 1_0 as 10
    except ValueError:
        return math.nan
