"""True chains from a FASTA: matched with their scaffolds, checked, and cut into gaps."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lacuna.core.alphabet import AMBIGUOUS, MISSING_LETTER, RESIDUES
from lacuna.core.masses import MONOISOTOPIC
from lacuna.scaffolds.fasta import Fault, Record
from lacuna.scaffolds.records import read_records
from lacuna.scaffolds.scaffold import Gap

TRUTH = "truth.fasta"  # of chains that reads gave, next to their blocks

_CHOICES = {residue: frozenset(residue) for residue in RESIDUES}
_CHOICES |= {letter: frozenset(choices) for letter, choices in AMBIGUOUS.items()}
_CHOICES[MISSING_LETTER] = frozenset(RESIDUES)

# For each letter of a scaffold, a pattern of the letters that the truth may have in its place.
_PATTERN = {
    letter: "[" + "".join(true for true, may in _CHOICES.items() if may & choices) + "]"
    for letter, choices in _CHOICES.items()
}


class TruthFile:
    """Looks up true chains by id while both files are streamed.

    If truth and scaffolds are in the same order, only one record is held; otherwise, also those
    that were skipped.
    """

    def __init__(self, path: str | Path, clean: Callable[[Record], str], max_bytes: int) -> None:
        """`clean` turns a record into letters of the alphabet, or raises its Fault."""
        self.file = Path(path).name
        self.taken: set[str] = set()
        self._clean = clean
        self._records: Iterator[Record] = read_records(path, max_bytes)
        self._passed: dict[str, Record] = {}

    def take(self, chain: str) -> tuple[str, int] | None:
        """The true sequence of a chain and its line, or None; raises Fault if it is bad."""
        record = self._passed.pop(chain, None)
        while record is None:
            ahead = next(self._records, None)
            if ahead is None:
                return None
            if ahead.chain == chain:
                record = ahead
            else:
                self._passed.setdefault(ahead.chain, ahead)
        self.taken.add(chain)
        try:
            return self._clean(record), record.line
        except Fault as fault:
            fault.file = self.file
            raise

    def left(self) -> Iterator[str]:
        """Yield the ids of the records that were not taken; reads the file to its end."""
        yield from self._passed
        yield from (record.chain for record in self._records)


def place(sequence: str, gaps: Sequence[Gap], truth: str) -> list[str | None]:
    """The true residues of each gap, in the order of `gaps`; None if the truth leaves them open.

    `sequence` is the scaffold's. Gaps of unknown length are resolved by matching the residues
    between them. If that leaves a choice, the masses decide; if there is still a choice, the gap's
    truth is None. Raises ValueError that names the first disagreement if the truth does not fit the
    scaffold.
    """
    if all(gap.fixed for gap in gaps):
        _compare(sequence, truth)
        places: list[tuple[int, int] | None] = [(gap.start, gap.end) for gap in gaps]
    else:
        places = _match(sequence, gaps, truth)
    letters = [truth[at[0] : at[1]] if at is not None else MISSING_LETTER for at in places]
    return [found if all(letter in RESIDUES for letter in found) else None for found in letters]


def _compare(sequence: str, truth: str) -> None:
    """Raise ValueError at the first contradiction of a truth and a scaffold of the same length."""
    if len(sequence) != len(truth):
        raise ValueError(
            f"has {len(truth)} residues, the scaffold {len(sequence)}; correct one of them"
        )
    for position, (seen, true) in enumerate(zip(sequence, truth, strict=True), start=1):
        if seen != true and not _CHOICES[seen] & _CHOICES[true]:
            raise ValueError(
                f"has '{true}' at position {position}, the scaffold '{seen}'; correct one of them"
            )


def _match(sequence: str, gaps: Sequence[Gap], truth: str) -> list[tuple[int, int] | None]:
    """(start, end) of each gap in the truth; None if it may be in more than one place."""
    loose = [gap for gap in gaps if not gap.fixed]
    edges = [0, *(edge for gap in loose for edge in (gap.start, gap.end)), len(sequence)]
    pieces = [sequence[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]

    starts = _starts(pieces, [_by_length(gap, len(truth)) for gap in loose], truth)
    if starts is None:
        raise ValueError(
            "does not fit what the scaffold shows around its gaps; correct one of them"
        )
    if None in starts and any(gap.mass is not None for gap in loose):
        weights = _weights(truth)
        ranges = [_by_mass(gap, weights, *_by_length(gap, len(truth))) for gap in loose]
        # A true chain may be modified, and then no mass fits: the result by lengths is used.
        starts = _starts(pieces, ranges, truth) or starts

    return _places(gaps, edges[::2], pieces, starts)


def _places(
    gaps: Sequence[Gap], begins: Sequence[int], pieces: Sequence[str], starts: Sequence[int | None]
) -> list[tuple[int, int] | None]:
    """(start, end) of each gap in the truth; None if it may be in more than one place.

    pieces: what is between gaps of unknown length; piece i begins at begins[i] of the scaffold and
    at starts[i] of the truth.
    """
    places: list[tuple[int, int] | None] = []
    piece = 0
    for gap in gaps:
        here = starts[piece]
        if gap.fixed:
            shift = None if here is None else here - begins[piece]
            places.append(None if shift is None else (gap.start + shift, gap.end + shift))
            continue
        following = starts[piece + 1]
        if here is None or following is None:
            places.append(None)
        else:
            places.append((here + len(pieces[piece]), following))
        piece += 1
    return places


Ranges = tuple[NDArray[np.int64], NDArray[np.int64]]


def _starts(pieces: list[str], ranges: list[Ranges], truth: str) -> list[int | None] | None:
    """Start of each piece in the truth (None: more than one is possible); None if nothing fits.

    `ranges[i]`, two arrays (len(truth) + 1,), gives the first and the last possible end of gap i
    for each of its possible starts. Two sweeps keep what can be reached from both ends of the
    truth.
    """
    n = len(truth) + 1
    may = np.zeros((len(pieces), n), dtype=bool)  # (pieces, n): piece i may begin here
    for row, piece in zip(may, pieces, strict=True):
        pattern = "(?=" + "".join(_PATTERN[letter] for letter in piece) + ")"
        row[[match.start() for match in re.finditer(pattern, truth)]] = True
    may[0, 1:] = False
    may[-1, np.arange(n) != n - 1 - len(pieces[-1])] = False

    for i, (first, last) in enumerate(ranges):
        begins = np.flatnonzero(may[i]) + len(pieces[i])
        begins = begins[last[begins] >= first[begins]]
        opened = np.bincount(first[begins], minlength=n + 1) - np.bincount(
            last[begins] + 1, minlength=n + 1
        )
        may[i + 1] &= np.cumsum(opened)[:n] > 0
    for i, (first, last) in reversed(list(enumerate(ranges))):
        before = np.concatenate(
            ([0], np.cumsum(may[i + 1]))
        )  # (n + 1,): allowed ends before each place
        begins = np.flatnonzero(may[i]) + len(pieces[i])
        ends = before[np.maximum(last[begins], first[begins] - 1) + 1] - before[first[begins]]
        may[i, begins[ends == 0] - len(pieces[i])] = False
    if not may.any(axis=1).all():
        return None
    return [int(np.argmax(row)) if row.sum() == 1 else None for row in may]


def _by_length(gap: "Gap", length: int) -> Ranges:
    """The ends allowed by a gap's length range, for each start 0..length."""
    begin = np.arange(length + 1)
    first = begin + gap.min_length
    last = np.full(length + 1, length) if gap.max_length is None else begin + gap.max_length
    return np.minimum(first, length + 1), np.minimum(last, length)


def _by_mass(
    gap: "Gap", weights: NDArray[np.float64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> Ranges:
    """Those of the ends allowed by a gap's length range that its mass allows too."""
    if gap.measured is None:
        return first, last
    mass, tolerance = gap.measured
    lightest = np.searchsorted(weights, weights + mass - tolerance, side="left")
    heaviest = np.searchsorted(weights, weights + mass + tolerance, side="right") - 1
    return np.maximum(first, lightest), np.minimum(last, heaviest)


def _weights(truth: str) -> NDArray[np.float64]:
    """(len(truth) + 1,) Da: the mass before each position; an unknown residue has mass 0."""
    masses = [MONOISOTOPIC.get(letter, 0.0) for letter in truth]
    return np.concatenate(([0.0], np.cumsum(masses)))
