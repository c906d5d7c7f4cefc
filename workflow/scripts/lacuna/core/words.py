"""Numbers in words."""


def plural(n: int, one: str, more: str = "", *, separator: str = "") -> str:
    """`1 gap`, `2 gaps`; more: the plural, if it takes more than an s; separator: of thousands."""
    return f"{n:{separator}} {one if n == 1 else more or one + 's'}"
