"""Tables that are read side by side: each has the chains of a sample in the same order.

A table of gaps, residues or evidence has no row of a chain without any.
"""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Generic, TypeVar

Row = TypeVar("Row")


class RowsByChain(Generic[Row]):
    """The rows of a table, for chains that are asked for in its order; one chain is in memory."""

    def __init__(self, rows: Iterable[Row], chain: Callable[[Row], str]) -> None:
        """chain: gives the id of a row's chain."""
        self._groups = groupby(rows, chain)
        self._next = next(self._groups, None)

    @property
    def left(self) -> str | None:
        """The first chain whose rows were not asked for; None at the end of the table."""
        return None if self._next is None else self._next[0]

    def of(self, chain: str) -> list[Row]:
        """The rows of a chain; [] if the table has none of it."""
        if self._next is None or self._next[0] != chain:
            return []
        rows = list(self._next[1])
        self._next = next(self._groups, None)
        return rows
