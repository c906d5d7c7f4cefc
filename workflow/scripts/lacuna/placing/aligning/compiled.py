"""Loops that are compiled."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable)


def compiled(function: F) -> F:
    """The function compiled at its first call, and kept for the next run wherever numba can write
    beside the source or in the user's cache."""
    try:
        return cast(F, njit(cache=True)(function))
    except RuntimeError:  # nowhere to keep it
        return cast(F, njit(function))
