"""The gaps of a chain: from its letters, its inline masses and its rows of the gap table.

- A run of missing (`-`, `X`, `*`, `_`, `?`) or ambiguous (`B`, `J`, `Z`) letters is one gap of
  fixed length.
- An inline mass gap (`X[+367.0537]`, `{420 Da}`) is a gap of its own, of unknown length.
- Neighbouring mass gaps, inline or of rows, are one gap with a cleavage between them.
- A row of the gap table is a gap of its own: letters in it are hidden. If it covers part of a run,
  or cuts it as an insertion (start == end), the rest of the run remains a gap too. If a row gives
  only one of `min_length` and `max_length`, the other end is open (1, or no limit); an insertion
  with neither is open at both ends.
"""

import math
import re
from collections.abc import Sequence

from lacuna.core.alphabet import MISSING_LETTER, MISSING_LETTERS, RESIDUES
from lacuna.core.files import MAX_SHOWN, shortened
from lacuna.core.masses import MONOISOTOPIC
from lacuna.scaffolds.fasta import Fault, Record, first_of
from lacuna.scaffolds.gap_table import Row
from lacuna.scaffolds.notation import InlineGap, Letters, locate
from lacuna.scaffolds.residue_masses import HEAVIEST, LIGHTEST
from lacuna.scaffolds.scaffold import Gap, Piece

MAX_OPEN_GAPS = 1_000  # gaps of unknown length in a chain
MAX_CHOICES = 1_000  # possible lengths of a gap, from min_length to max_length
_RUN = re.compile(f"[{MISSING_LETTERS}]+")
_MOST_BELOW_DA = 0.5  # of a mass below the lightest residue: more is no error of measurement
_WEIGHED = frozenset(RESIDUES) - {"C"}  # residues whose mass does not depend on the sample


def gaps_in(sequence: str, start: int = 0, end: int | None = None) -> list[Gap]:
    """A gap for every run of missing letters, of all or between two positions."""
    end = len(sequence) if end is None else end
    return [
        Gap(first, last, last - first, last - first)
        for first, last in map(re.Match.span, _RUN.finditer(sequence, start, end))
    ]


def find_gaps(
    record: Record,
    letters: Letters,
    rows: Sequence[Row],
    tolerance_ppm: float,
    max_length: int,
    file: str,
) -> tuple[str, tuple[Gap, ...]]:
    """The sequence of a record without what rows hide, and its gaps in order.

    letters: of the record; rows: of the chain in the gap table, in order; tolerance_ppm: of masses
    that have none of their own; max_length: residues that the chain may have; file: name of the gap
    table. Raises Fault at the first row or inline mass that cannot be, which names other such rows.
    """
    sequence, inline = letters.sequence, letters.inline
    if not rows and not inline:
        return sequence, tuple(gaps_in(sequence))
    covered = {row.start for row in rows if row.end == row.start + 1}
    gaps = [
        _inline_gap(record, position, gap, tolerance_ppm, max_length)
        for position, gap in inline.items()
        if position not in covered
    ]
    gaps += _row_gaps(rows, letters, tolerance_ppm, max_length, file)
    shown = _without(sequence, rows)
    gaps = _joined(sorted(gaps, key=lambda gap: (gap.start, gap.end)))
    whole: list[Gap] = []
    done = 0
    for gap in gaps:
        whole += [*gaps_in(shown, done, gap.start), gap]
        done = gap.end
    _check_size(gaps, len(shown), max_length, record.line)
    return shown, (*whole, *gaps_in(shown, done))


def _row_gaps(
    rows: Sequence[Row], letters: Letters, tolerance_ppm: float, max_length: int, file: str
) -> list[Gap]:
    """The gaps of table rows; arguments and Fault: as of `find_gaps`."""
    gaps: list[Gap] = []
    before: Row | None = None
    bad: list[Fault] = []
    for row in rows:
        try:
            _check_place(row, before, len(letters.sequence))
            gaps.append(_row_gap(row, letters.sequence, letters.inline, tolerance_ppm, max_length))
            before = row
        except ValueError as error:
            bad.append(Fault(str(error), row.line))
    if bad:
        raise first_of(sorted(bad, key=lambda fault: fault.line), file)
    return gaps


def _without(sequence: str, rows: Sequence[Row]) -> str:
    """The sequence with X for the residues that rows hide."""
    letters = list(sequence)
    for row in rows:
        for position in range(row.start, row.end):
            if letters[position] in RESIDUES:
                letters[position] = MISSING_LETTER
    return "".join(letters)


def _check_place(row: Row, before: Row | None, length: int) -> None:
    """Raise ValueError if a row does not lie in its chain, behind the row before it."""
    if row.end > length:
        hint = (
            ": they count from 0, the end exclusive, so that the last residue is at "
            f"{length - 1}..{length}"
            if row.end == length + 1
            else ""
        )
        raise ValueError(
            f"has a gap {_at(row)} past its end at {length}; correct the positions{hint}"
        )
    if before is not None and (row.start < before.end or row[:2] == before[:2]):
        raise ValueError(
            f"has a gap {_at(row)} that overlaps the one {_at(before)}; keep one of them"
        )


def _check_size(gaps: list[Gap], length: int, max_length: int, line: int) -> None:
    """Raise Fault if a chain of `length` positions may become longer than `max_length`."""
    open_gaps = [gap for gap in gaps if not gap.fixed]
    if len(open_gaps) > MAX_OPEN_GAPS:
        raise Fault(
            f"has {len(open_gaps)} gaps of unknown length, more than the limit of "
            f"{MAX_OPEN_GAPS}; split the chain",
            line,
        )
    for gap in open_gaps:
        least = gap.min_length if gap.mass is None else max(gap.min_length, _least(gap.mass))
        length += least if gap.max_length is None else gap.max_length
        length -= gap.size
    if length > max_length:
        raise Fault(
            f"may have {length} residues with what its gaps may hold, more than the limit of "
            f"{max_length}; lower their masses and lengths, or split the chain",
            line,
        )


def _least(mass: float) -> int:
    """The smallest number of residues with a mass of `mass` Da."""
    return int(mass / HEAVIEST)


def _inline_gap(
    record: Record, position: int, gap: InlineGap, tolerance_ppm: float, max_length: int
) -> Gap:
    """The gap of an inline mass, of unknown length; raises Fault if the mass is impossible."""
    tolerance = gap.mass * tolerance_ppm / 1e6 if gap.tolerance_da is None else gap.tolerance_da
    try:
        _check_mass(gap.mass, tolerance, max_length)
    except ValueError as error:
        line, column, _ = locate(record, gap.offset)
        raise Fault(f"{error} (column {column})", line, column) from None
    interval = gap.tolerance_da is not None
    return Gap(
        start=position,
        end=position + 1,
        min_length=1,
        max_length=None,
        mass=gap.mass,
        tolerance_da=tolerance,
        interval=interval,
    )


def _row_gap(
    row: Row, sequence: str, inline: dict[int, InlineGap], tolerance_ppm: float, max_length: int
) -> Gap:
    """The gap of a table row; ValueError if row and sequence contradict each other."""
    under = sequence[row.start : row.end]
    within = [inline[position] for position in range(row.start, row.end) if position in inline]
    if within and len(under) > 1:
        raise ValueError(
            f"has a gap {_at(row)} that covers an inline mass gap; give that one a row of its own"
        )
    ppm = tolerance_ppm if row.tolerance_ppm is None else row.tolerance_ppm
    mass, tolerance, interval = _row_mass(row, within[0] if within else None, ppm)
    if mass is not None and tolerance is not None:
        _check_mass(mass, tolerance, max_length)
        _check_counting(row, sequence, mass, tolerance)
    shortest, longest = _row_lengths(row, 0 if within else len(under))
    truth = under if under and all(letter in RESIDUES for letter in under) else None
    if truth and not shortest <= len(truth) <= (math.inf if longest is None else longest):
        limit = "open" if longest is None else longest
        raise ValueError(
            f"has a gap {_at(row)} that hides {len(truth)} residues, outside its lengths "
            f"{shortest} to {limit}; correct them"
        )
    prefixes = _prefixes(row, ppm)
    pieces = (Piece(shortest, longest, mass, tolerance, interval, prefixes),) if prefixes else ()
    return Gap(
        start=row.start,
        end=row.end,
        min_length=shortest,
        max_length=longest,
        mass=mass,
        tolerance_da=tolerance,
        truth=truth,
        interval=interval,
        pieces=pieces,
        closed=row.closed,
    )


def _row_mass(
    row: Row, inline: InlineGap | None, ppm: float
) -> tuple[float | None, float | None, bool]:
    """The mass of a row's gap, its tolerance in Da, and whether all masses within it are equally
    likely. ValueError if the row contradicts the inline mass under it; ppm: the tolerance of a mass
    with none in Da."""
    mass, tolerance = row.mass, row.tolerance_da
    interval = False
    if inline is not None:
        if mass is not None:
            raise ValueError(
                f"has a mass for the gap {_at(row)} both inline and in the table; keep one of them"
            )
        mass, known_to = inline.mass, inline.tolerance_da
        if known_to is not None and tolerance is not None and tolerance < known_to:
            raise ValueError(
                f"has a tolerance of {tolerance:g} Da for the gap {_at(row)}, whose mass of "
                f"{{{math.floor(mass)} Da}} is known to 1 Da; write the mass with decimals, or "
                "leave the tolerance out"
            )
        interval = known_to is not None and tolerance is None
        tolerance = known_to if tolerance is None else tolerance
    if mass is not None and tolerance is None:
        tolerance = mass * ppm / 1e6
    return mass, tolerance, interval


def _row_lengths(row: Row, letters: int) -> tuple[int, int | None]:
    """The least and the greatest length of a row's gap, None for no limit; letters: how many are
    under it, 0 if they say nothing of its length. ValueError if there are too many lengths."""
    shortest, longest = row.min_length, row.max_length
    if shortest is None and longest is None and letters:
        shortest = longest = letters
    shortest = 1 if shortest is None else shortest
    if longest is not None and longest - shortest >= MAX_CHOICES:
        raise ValueError(
            f"has a gap {_at(row)} of {shortest} to {longest} residues, more choices than the "
            f"limit of {MAX_CHOICES}; narrow them"
        )
    return shortest, longest


def _check_counting(row: Row, sequence: str, mass: float, tolerance: float) -> None:
    """Raise ValueError if a row hides residues, and its mass is that of other residues, which it
    would hide if its positions, or its start alone, counted from 1.

    Residues that hold C are not compared: what it carries is not known here.
    """
    hidden = sequence[row.start : row.end]
    if not row.start or not hidden or not set(hidden) <= _WEIGHED:
        return
    weighs = _weigh(hidden)
    if abs(weighs - mass) <= tolerance:
        return
    first = row.start - 1
    for meant, words, remedy in (
        (sequence[first : row.end - 1], "those one position before", "start and end"),
        (sequence[first : row.end], "they and the one before", "start"),
    ):
        if set(meant) <= _WEIGHED and abs(_weigh(meant) - mass) <= tolerance:
            raise ValueError(
                f"has a gap {_at(row)} whose letters {shortened(hidden, MAX_SHOWN)} weigh "
                f"{weighs:.4f} Da, not {mass:.4f} Da, which {words} weigh; "
                f"positions count from 0, so subtract 1 from {remedy}, or write X for the letters "
                "if they are right"
            )


def _prefixes(row: Row, ppm: float) -> tuple[tuple[float, float], ...]:
    """The masses of beginnings of a row's gap, each with its tolerance in Da; ppm: of each, if the
    row gives no tolerance in Da. ValueError if that is too wide to tell one cleavage from the next.
    """
    given = tuple(
        (mass, mass * ppm / 1e6 if row.tolerance_da is None else row.tolerance_da)
        for mass in row.prefix_masses
    )
    for mass, tolerance in given:
        if tolerance >= LIGHTEST / 2:
            raise ValueError(
                f"has a gap {_at(row)} with a prefix mass of {mass:g} Da and a tolerance of "
                f"{tolerance:g} Da; give a tolerance of less than half a residue (28.5 Da)"
            )
    return given


def _joined(gaps: Sequence[Gap]) -> list[Gap]:
    """The gaps in order, neighbouring ones of known mass as one."""
    joined: list[Gap] = []
    for gap in gaps:
        before = joined[-1] if joined else None
        if before is not None and before.end == gap.start and _has_edge(before, gap):
            joined[-1] = _one_gap(before, gap)
        else:
            joined.append(gap)
    return joined


def _has_edge(left: Gap, right: Gap) -> bool:
    """Whether masses of two gaps tell where one ends and the other begins."""
    most = LIGHTEST / 2
    return all(gap.measured and gap.measured.tolerance < most for gap in (left, right))


def _one_gap(left: Gap, right: Gap) -> Gap:
    """Two gaps of known mass as one, with a cleavage where they meet."""
    longest = None
    if left.max_length is not None and right.max_length is not None:
        longest = left.max_length + right.max_length
    truth = None if left.truth is None or right.truth is None else left.truth + right.truth
    return Gap(
        start=left.start,
        end=right.end,
        min_length=left.min_length + right.min_length,
        max_length=longest,
        mass=(left.mass or 0.0) + (right.mass or 0.0),
        tolerance_da=(left.tolerance_da or 0.0) + (right.tolerance_da or 0.0),
        truth=truth,
        interval=left.interval and right.interval,
        pieces=(*_pieces(left), *_pieces(right)),
    )


def _pieces(gap: Gap) -> tuple[Piece, ...]:
    whole = Piece(gap.min_length, gap.max_length, gap.mass, gap.tolerance_da, gap.interval)
    return gap.pieces or (whole,)


def _check_mass(mass: float, tolerance: float, max_length: int) -> None:
    """Raise ValueError if a mass (Da) is impossible.

    That is, below one residue, below its tolerance, or above `max_length` residues. Up to half a
    dalton below glycine is accepted: it is a measurement out of tolerance, which the decoder
    reports with the gap, not a reason to reject the chain.
    """
    if mass < LIGHTEST - max(tolerance, _MOST_BELOW_DA):
        raise ValueError(
            f"has a gap mass of {mass:g} Da, less than the lightest residue "
            f"({LIGHTEST:.5f} Da); correct the mass"
        )
    if tolerance >= mass:
        raise ValueError(
            f"has a gap mass of {mass:g} Da with a tolerance of {tolerance:g} Da; "
            "give a tolerance that is less than the mass"
        )
    if mass > HEAVIEST * max_length + tolerance:
        raise ValueError(
            f"has a gap mass of {mass:g} Da, more than {max_length} residues weigh; "
            "correct the mass"
        )


def _weigh(residues: str) -> float:
    """Mass of residues without modifications, in Da."""
    return sum(MONOISOTOPIC[residue] for residue in residues)


def _at(row: Row) -> str:
    return f"at {row.start}..{row.end}"
