"""The evidence table: probabilities of the residues of single positions, by chain.

A row gives residues of one position of a chain with a probability each: one residue a row (`chain
position residue probability`), or one column a residue. Positions count from 1, a letter or gap
character each, an inline mass gap too.

The probabilities of a position are evidence for its residues apart from everything else that is
known of the chain, as a spectrum alone would give it; they are multiplied with the network's. What
they leave of 1 is shared by the residues that are not named, so that a position whose named
residues make up 1 can be no other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lacuna.core.alphabet import AMBIGUOUS, N_RESIDUES, RESIDUES, TOKEN
from lacuna.core.files import shortened
from lacuna.core.words import is_given, number_in, number_remedy, plural
from lacuna.scaffolds.fasta import Fault
from lacuna.scaffolds.scaffold import SHOWN_LENGTH, Gap, PositionEvidence
from lacuna.scaffolds.small_table import MAX_DIGITS, ByChain, read_table

REQUIRED = ("chain", "position")
LONG_FORM = (*REQUIRED, "residue", "probability")
SPREAD = "spread"  # column of tables that reads gave: `PositionEvidence.spread`, empty for none
WITHIN = "within"  # the number of a residue in a gap of unknown length, from 1; elsewhere empty
# Column of tables that reads gave: `yes` if what they show of a gap cannot have its mass.
AT_ODDS = "at_odds"
ROUNDING_ERROR = 0.05  # by which 20 probabilities of two decimals may differ from 1
_NAME = "evidence table"
_FORM = f"{', '.join(LONG_FORM)}, or one column a residue after {' and '.join(REQUIRED)}"
_KNOWN = (*LONG_FORM, SPREAD, WITHIN, AT_ODDS, *RESIDUES)


@dataclass(slots=True)
class _Position:
    """What the rows of a position say: the line of the first, and probabilities by residue."""

    line: int
    shares: dict[str, float] = field(default_factory=dict)
    spread: float = 0.0
    at_odds: bool = False


class EvidenceTable(ByChain[dict[tuple[int, int], _Position] | Fault]):
    """The rows of an evidence table by chain: by position and number within a gap of unknown
    length, 0 outside of one."""

    def __init__(self, path: str | Path | None = None, *, settled: bool = False) -> None:
        """Read `path`. Raises LacunaError if the table as a whole cannot be understood.

        settled: its distributions are those of `PositionEvidence.settled`.
        """
        super().__init__(path)
        self._settled = settled
        self._first: dict[str, int] = {}  # line of each chain
        if path is not None:
            for line, cells in read_table(path, _NAME, _FORM, _KNOWN, _of_neither_form, "position"):
                self._add(cells.get("chain", ""), line, cells)

    def take(
        self, chain: str, sequence: str, gaps: Sequence[Gap]
    ) -> tuple[tuple[PositionEvidence, ...], tuple[Gap, ...]]:
        """Remove and return what is known of the positions of a chain, sorted, and its gaps with
        what is known of the residues of those that have no length.

        sequence, gaps: of its scaffold. Raises the Fault of its first bad row.
        """
        found = self._rows.pop(chain, None)
        if found is None:
            return (), tuple(gaps)
        if isinstance(found, Fault):
            raise found
        evidence = tuple(
            self._evidence(position, found[position, 0], sequence, gaps)
            for position, within in sorted(found)
            if not within
        )
        inside: dict[int, dict[int, _Position]] = {}
        for position, within in sorted(found):
            if within:
                inside.setdefault(position, {})[within] = found[position, within]
        at_odds = {p for (p, within), of in found.items() if of.at_odds and not within}
        known = [_without_mass(gap) if gap.start + 1 in at_odds else gap for gap in gaps]
        for position, residues in inside.items():
            number, gap = self._with_residues(position, residues, gaps)
            known[number] = gap
        return evidence, tuple(known)

    def _lines_of(self, chain: str) -> list[int]:
        return [self._first[chain]]

    def _add(self, chain: str, line: int, cells: dict[str, str]) -> None:
        """Take in a row; the first bad one of a chain is kept as a Fault in place of the others."""
        self._first.setdefault(chain, line)
        of_chain = self._rows.setdefault(chain, {})
        if isinstance(of_chain, Fault):
            return
        try:
            position = _number("position", cells.get("position", ""))
            within = _number(WITHIN, cells[WITHIN]) if is_given(cells.get(WITHIN, "")) else 0
            of_position = of_chain.setdefault((position, within), _Position(line))
            shares = of_position.shares
            if is_given(cells.get(SPREAD, "")):
                of_position.spread = _share(SPREAD, cells[SPREAD])
            of_position.at_odds |= _yes(cells.get(AT_ODDS, ""))
            for residue, share in _shares(cells):
                if residue in shares:
                    raise ValueError(
                        f"has two probabilities of {residue} at position {position}; keep one of "
                        "them"
                    )
                shares[residue] = share
        except ValueError as error:
            self._rows[chain] = Fault(str(error), line, file=self.file)

    def _with_residues(
        self, position: int, residues: Mapping[int, _Position], gaps: Sequence[Gap]
    ) -> tuple[int, Gap]:
        """The gap of unknown length at a position (from 1), with what is known of its residues, and
        its number; raises Fault if there is none, or they do not go together."""
        line, length = residues[min(residues)].line, max(residues)
        where = f"in the gap of unknown length at position {position}"
        try:
            number = _number_of_gap(position, gaps)
            gap = gaps[number]
            if not gap.min_length <= length <= (gap.max_length or length):
                raise ValueError(
                    f"has evidence for {plural(length, 'residue')} {where}, outside of its "
                    "lengths; correct one of them"
                )
            shown = []
            for within in range(1, length + 1):
                if within not in residues:
                    raise ValueError(
                        f"has no evidence for residue {within} of {length} {where}; add it"
                    )
                line, known = residues[within].line, residues[within]
                weights = _weights(known.shares, position)
                shown.append(PositionEvidence(within - 1, weights, spread=known.spread))
        except ValueError as error:
            raise Fault(str(error), line, file=self.file) from None
        both = joined([gap.shown, tuple(shown)] if gap.shown else [tuple(shown)], line)
        share = gap.length_probability * SHOWN_LENGTH
        if any(residue.at_odds for residue in residues.values()):
            gap = _without_mass(gap)
        return number, replace(
            gap, min_length=length, max_length=length, shown=both, length_probability=share
        )

    def _evidence(
        self, position: int, found: _Position, sequence: str, gaps: Sequence[Gap]
    ) -> PositionEvidence:
        """The evidence of a position (from 1); raises Fault if the chain has no such residue, or
        the probabilities do not go together."""
        try:
            if position > len(sequence):
                raise ValueError(
                    f"has evidence for position {position} past its end at {len(sequence)}; "
                    "correct the position (they count from 1)"
                )
            if any(gap.start < position <= gap.end and not gap.fixed for gap in gaps):
                raise ValueError(
                    f"has evidence for position {position}, which is a gap of unknown length; add "
                    "a column 'within' with the number of the residue in the gap, give the gap its "
                    "length, or remove the row"
                )
            weights = _weights(found.shares, position)
            letter = sequence[position - 1]
            if letter in AMBIGUOUS and not any(
                weights[TOKEN[residue]] for residue in AMBIGUOUS[letter]
            ):
                raise ValueError(
                    f"has {letter} at position {position} and evidence for neither of its "
                    "residues; correct one of them"
                )
        except ValueError as error:
            raise Fault(str(error), found.line, file=self.file) from None
        return PositionEvidence(position - 1, weights, self._settled, found.spread)


def _number_of_gap(position: int, gaps: Sequence[Gap]) -> int:
    """The number of the gap of unknown length that begins at a position (from 1), from 0;
    ValueError if there is none."""
    for number, gap in enumerate(gaps):
        if gap.start == position - 1 and (gap.shown or not gap.fixed):
            return number
    raise ValueError(
        f"has evidence within a gap of unknown length at position {position}, where "
        f"none begins; correct the position, or leave '{WITHIN}' empty"
    )


def _without_mass(gap: Gap) -> Gap:
    """A gap whose mass what reads show cannot have."""
    return replace(gap, mass=None, tolerance_da=None, pieces=(), unmet=gap.mass)


def joined(
    tables: Sequence[tuple[PositionEvidence, ...]], line: int
) -> tuple[PositionEvidence, ...]:
    """The evidence of several tables of one chain, by position, weights of one position multiplied.

    line: of the chain's header. Raises Fault if tables contradict each other.
    """
    if len(tables) == 1:
        return tables[0]
    found: dict[int, tuple[float, ...]] = {}
    for position, weights in ((e.position, e.weights) for table in tables for e in table):
        before = found.get(position, (1.0,) * N_RESIDUES)
        both = [a * b for a, b in zip(before, weights, strict=True)]
        whole = sum(both)
        if not whole:
            raise Fault(
                f"has evidence for position {position + 1} that contradicts its reads; correct it",
                line,
            )
        found[position] = tuple(weight / whole for weight in both)
    spread = {e.position: e.spread for table in tables for e in table if e.spread}
    return tuple(
        PositionEvidence(position, found[position], spread=spread.get(position, 0.0))
        for position in sorted(found)
    )


def _weights(shares: dict[str, float], position: int) -> tuple[float, ...]:
    """Probabilities of the 20 residues, of those that are named; ValueError if they make no sum."""
    total = sum(shares.values())
    if not shares or total > 1 + ROUNDING_ERROR:
        fault = f"probabilities that sum to {total:.4g}" if shares else "no probability"
        raise ValueError(f"has {fault} at position {position}; give probabilities that sum to 1")
    unnamed = N_RESIDUES - len(shares)
    if total < 1 - ROUNDING_ERROR and not unnamed:
        raise ValueError(
            f"has probabilities of all 20 residues that sum to {total:.4g} at position {position}; "
            "give probabilities that sum to 1"
        )
    rest = max(1.0 - total, 0.0) / unnamed if unnamed else 0.0
    weights = [shares.get(residue, rest) for residue in RESIDUES]
    whole = sum(weights)
    return tuple(weight / whole for weight in weights)


def _of_neither_form(columns: Sequence[str]) -> str:
    """Why the columns are those of neither form of the table; '' if they are of one."""
    wide = any(name in RESIDUES for name in columns)
    for name in REQUIRED if wide else LONG_FORM:
        if name not in columns:
            return f"column '{name}' of the {_NAME} is missing; add it"
    both = next((name for name in LONG_FORM[len(REQUIRED) :] if wide and name in columns), "")
    if both:
        return f"column '{both}' as well as one column a residue; keep one form of the table"
    return ""


def _number(column: str, cell: str) -> int:
    """A number from 1; ValueError if the cell holds none."""
    given, cell = cell, cell.removesuffix(".0")  # pandas writes 3.0 for 3 beside empty cells
    if not (cell.isdecimal() and cell.isascii()) or len(cell) > MAX_DIGITS or int(cell) < 1:
        raise ValueError(
            f"has evidence for {column} '{shortened(given)}'; give a whole number from 1"
        )
    return int(cell)


def _yes(cell: str) -> bool:
    """Whether a cell of AT_ODDS says so; ValueError if it says anything but yes or no."""
    if cell.casefold() not in ("", "no", "yes"):
        raise ValueError(f"has '{shortened(cell)}' as {AT_ODDS}; give yes, or nothing")
    return cell.casefold() == "yes"


def _shares(cells: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Yield the residues that a row names, with their probabilities; ValueError at a bad cell."""
    if "residue" in cells:
        residue = cells["residue"].upper()
        if len(residue) != 1 or residue not in RESIDUES:
            raise ValueError(
                f"has evidence for the residue '{shortened(residue)}'; give one of {RESIDUES}"
            )
        yield residue, _share(residue, cells.get("probability", ""))
        return
    for residue in RESIDUES:
        if is_given(cells.get(residue, "")):
            yield residue, _share(residue, cells[residue])


def _share(residue: str, cell: str) -> float:
    """A probability; ValueError if the cell holds none."""
    share = number_in(cell)
    if not 0 <= share <= 1:
        remedy = number_remedy(cell, "give a number from 0 to 1")
        raise ValueError(f"has '{shortened(cell)}' as the probability of {residue}; {remedy}")
    return share
