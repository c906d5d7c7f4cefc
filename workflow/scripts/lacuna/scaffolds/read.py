"""Scaffolds, chains with gaps: from FASTA or repertoire, gap table and truth, one at a time.

Positions are those of the user's file: every letter and gap character of the FASTA counts one, and
so does an inline mass gap; a modification does not count.

How gaps are defined:

- A run of missing (`-`, `X`, `*`, `_`, `?`) or ambiguous (`B`, `J`, `Z`) letters is one gap of
  fixed length.
- An inline mass gap (`X[+367.0537]`, `{420 Da}`) is a gap of its own, of unknown length.
- Neighbouring mass gaps, inline or of rows, are one gap with a cleavage between them.
- A row of the gap table is a gap of its own: letters in it are hidden. If it covers part of a run,
  or cuts it as an insertion (start == end), the rest of the run remains a gap too. If a row gives
  only one of `min_length` and `max_length`, the other end is open (1, or no limit); an insertion
  with neither is open at both ends.

A modification stays with its residue; if a row hides the residue, the modification is dropped.
"""

import json
import logging
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

from lacuna.core.alphabet import AMBIGUOUS, MISSING_LETTER, RESIDUES
from lacuna.core.files import LacunaError, atomic_write, open_text, printable
from lacuna.core.masses import MONOISOTOPIC
from lacuna.scaffolds.evidence_table import EvidenceTable, joined
from lacuna.scaffolds.fasta import Fault, Record
from lacuna.scaffolds.gap_table import GapTable, Row
from lacuna.scaffolds.mass_table import MassTable
from lacuna.scaffolds.notation import InlineGap, Letters, locate, read_letters
from lacuna.scaffolds.records import read_records
from lacuna.scaffolds.scaffold import (
    Gap,
    IntactMass,
    Piece,
    PositionEvidence,
    Rejected,
    ResidueModification,
    Rival,
    Scaffold,
    SpectralEvidence,
)
from lacuna.scaffolds.truth import TruthFile, place

DEFAULT_MAX_LENGTH = 50_000  # residues of a chain, including the most that its gaps may have
DEFAULT_TOLERANCE_PPM = 10.0
MAX_OPEN_GAPS = 1_000  # gaps of unknown length in a chain
MAX_CHOICES = 1_000  # possible lengths of a gap, from min_length to max_length
MAX_LISTED = 100  # unusable homologs that get a line each
MAX_SHOWN_IDS = 3
MAX_SHOWN = 100  # characters of an id or sequence in a message

LOG = logging.getLogger(__name__)


_RUN = re.compile(f"[{MISSING_LETTER}{''.join(AMBIGUOUS)}]+")
_FORMULA = ("=", "+", "-", "@")  # characters that begin a formula in a spreadsheet
_HALF_DALTON = 0.5
_WEIGHED = frozenset(RESIDUES) - {"C"}  # residues whose mass does not depend on the sample


def read_scaffolds(
    fasta: str | Path,
    gaps: str | Path | None = None,
    truth: str | Path | None = None,
    homologs: str | Path | None = None,
    evidence: str | Path | Sequence[str | Path] | None = None,
    settled: str | Path | None = None,
    *,
    masses: str | Path | None = None,
    tolerance_ppm: float = DEFAULT_TOLERANCE_PPM,
    max_length: int = DEFAULT_MAX_LENGTH,
) -> Iterator[Scaffold | Rejected]:
    """Yield the records of a FASTA in order, usable or rejected; then other unusable input.

    The latter are rows of gaps or evidence of unknown chains, truth whose ids match only in part or
    not at all, and bad records of `homologs`, a FASTA that is read only for this. The files are
    streamed: only the ids, the tables, and true chains in another order than in `fasta` are held in
    memory. `evidence`: one table or several, which are then multiplied; `settled`: one in their
    place whose distributions hold the network's word already. `tolerance_ppm` applies to masses
    without a tolerance. Raises LacunaError if a file as a whole cannot be used.
    """
    # Generous: an inline gap takes about 16 bytes, plus blanks and line ends.
    max_bytes = 32 * max_length
    several = [evidence] if isinstance(evidence, str | Path) else evidence or []
    known = [EvidenceTable(path) for path in several]
    known += [EvidenceTable(settled, settled=True)] if settled is not None else []
    true = (
        TruthFile(truth, lambda record: _plain(record, max_length), max_bytes)
        if truth is not None
        else None
    )
    reader = _Reader(
        Path(fasta).name, GapTable(gaps), known, MassTable(masses), true, tolerance_ppm, max_length
    )
    for record in read_records(Path(fasta), max_bytes):
        try:
            yield reader.scaffold(record)
        except Fault as fault:
            yield reader.rejected(record.chain, fault)
    yield from reader.left()
    if homologs is not None:
        yield from _unusable(homologs)
    reader.warn()


@dataclass(slots=True)
class _Reader:
    """Makes scaffolds of the records of a FASTA, with what other files say of them.

    fasta: its name; truths: None if the truth is unknown; first_line: of each id so far;
    without_truth: ids of chains with gaps that have none; formulas: ids that look like formulas.
    """

    fasta: str
    gaps: GapTable
    evidence: Sequence[EvidenceTable]
    masses: MassTable
    truths: TruthFile | None
    tolerance_ppm: float
    max_length: int
    first_line: dict[str, int] = field(default_factory=dict)
    without_truth: list[str] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)

    @property
    def tables(self) -> tuple[GapTable | EvidenceTable | MassTable, ...]:
        """The tables with rows of single chains."""
        return (self.gaps, *self.evidence, self.masses)

    def scaffold(self, record: Record) -> Scaffold:
        """The scaffold of a record; raises Fault if it cannot be used."""
        chain, line = record.chain, record.line
        if chain and self.first_line.setdefault(chain, line) != line:
            first = self.first_line[chain]
            raise Fault(f"is a second record of this id (first: line {first}); rename it", line)
        letters = read_letters(record, self.max_length)
        sequence, rows = letters.sequence, self.gaps.take(chain)
        if rows or letters.inline:
            sequence, found = _lay_out(
                record, letters, rows, self.tolerance_ppm, self.max_length, self.gaps.file
            )
        else:
            found = tuple(_runs(sequence, 0, len(sequence)))
        if self.truths is not None:
            true = self.truths.take(chain)
            if true is not None:
                found = _with_truth(sequence, found, *true, self.truths.file)
            elif found:
                self.without_truth.append(chain)
        if chain.startswith(_FORMULA):
            self.formulas.append(chain)
        kept = _observed(letters, sequence) if letters.modifications else ()
        evidence = joined([table.take(chain, sequence, found) for table in self.evidence], line)
        masses = self.masses.take(chain)
        return Scaffold(chain, record.description, sequence, found, line, kept, evidence, masses)

    def rejected(self, chain: str, fault: Fault) -> Rejected:
        """The line of a record with a fault, whose rows in tables are dropped with it."""
        for table in self.tables:
            table.discard(chain)
        return _rejected(fault, chain, self.fasta)

    def left(self) -> Iterator[Rejected]:
        """Yield rows of tables, and ids of the truth, that belong to no record."""
        for table in self.tables:
            for chain, line in table.left():
                quoted = len(chain) > 1 and chain[0] == chain[-1] == '"'
                remedy = "remove the quotes" if quoted else "correct the id or remove the row"
                unknown = Fault(f"is not a chain of {self.fasta}; {remedy}", line)
                yield _rejected(unknown, chain, table.file)
        if self.truths is not None:
            yield from _unmatched(self.truths, self.first_line, self.without_truth, self.fasta)

    def warn(self) -> None:
        """Log that a spreadsheet would take some ids for formulas."""
        if self.formulas:
            LOG.warning(
                "%s: %s; a spreadsheet takes them for formulas: "
                "import the columns of tables as text",
                self.fasta,
                printable(f"{_named(self.formulas)} begin with one of {' '.join(_FORMULA)}"),
            )


def _observed(letters: Letters, sequence: str) -> tuple[ResidueModification, ...]:
    """The modifications of residues that no row of the gap table hides."""
    return tuple(
        ResidueModification(position, *tag)
        for position, tag in letters.modifications
        if sequence[position] in RESIDUES
    )


def _start(text: str) -> str:
    """A text, cut if it is long."""
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."


def _rejected(fault: Fault, chain: str, file: str) -> Rejected:
    chain = _start(chain)
    reason = f"{fault.file or file}:{fault.line}: '{chain}' {fault.text}"
    return Rejected(printable(chain), fault.line, fault.column, printable(reason))


def _named(ids: list[str]) -> str:
    """The number of ids and the first of them, in words."""
    first = ", ".join(map(_start, ids[:MAX_SHOWN_IDS]))
    more = ", ..." if len(ids) > MAX_SHOWN_IDS else ""
    return f"{len(ids)} ids ({first}{more})" if len(ids) > 1 else f"1 id ({first})"


def _unmatched(
    truths: TruthFile, known: dict[str, int], without: list[str], fasta: str
) -> Iterator[Rejected]:
    """Yield one line on ids that are only in a truth file or only among the chains."""
    if not truths.taken:
        unused = f"no id of the truth is one of {fasta}; give both files the same ids"
        yield Rejected("", 1, None, f"{truths.file}:1: {unused}")
        return
    unknown, twice = [], []
    for chain in truths.left():
        if chain in truths.taken:
            twice.append(chain)
        elif chain not in known:
            unknown.append(chain)
    said = []
    if unknown:
        said.append(f"{_named(unknown)} of the truth are not chains of {fasta}")
    if without:
        said.append(f"{_named(without)} of {fasta} with gaps have no truth and do not count")
    if twice:
        said.append(f"{_named(twice)} of the truth came before, and the first record counts")
    if said:
        reason = f"{truths.file}:1: {'; '.join(said)}; give both files the same ids"
        yield Rejected("", 1, None, printable(reason), remark=True)


def _unusable(homologs: str | Path) -> Iterator[Rejected]:
    """Yield the unusable records of a FASTA of homologs; the first get a line each."""
    count = 0
    for record in read_scaffolds(homologs):
        if isinstance(record, Rejected):
            count += 1
            if count <= MAX_LISTED:
                yield record
    if count > MAX_LISTED:
        name = Path(homologs).name
        yield Rejected(
            "", 1, None, f"{name}:1: {count - MAX_LISTED} more homologs cannot be used; see above"
        )


# --- from letters to gaps ------------------------------------------------------------------------


def _runs(sequence: str, start: int, end: int) -> list[Gap]:
    """A gap for every run of missing letters between two positions."""
    return [
        Gap(first, last, last - first, last - first)
        for first, last in map(re.Match.span, _RUN.finditer(sequence, start, end))
    ]


def _lay_out(
    record: Record,
    letters: Letters,
    rows: list[Row],
    tolerance_ppm: float,
    max_length: int,
    file: str,
) -> tuple[str, tuple[Gap, ...]]:
    """Hide what the rows cover and cut the chain into gaps; raises Fault at the first bad row."""
    sequence, inline = letters.sequence, letters.inline
    covered = {row.start for row in rows if row.end == row.start + 1}
    gaps = [
        _inline_gap(record, position, gap, tolerance_ppm, max_length)
        for position, gap in inline.items()
        if position not in covered
    ]
    before: Row | None = None
    hidden = list(sequence)
    for row in rows:
        try:
            if row.end > len(sequence):
                hint = (
                    f": they count from 0, the end exclusive, so that the last residue is at "
                    f"{len(sequence) - 1}..{len(sequence)}"
                    if row.end == len(sequence) + 1
                    else ""
                )
                raise ValueError(
                    f"has a gap {_at(row)} past its end at {len(sequence)}; "
                    f"correct the positions{hint}"
                )
            if before is not None and (row.start < before.end or row[:2] == before[:2]):
                raise ValueError(
                    f"has a gap {_at(row)} that overlaps the one {_at(before)}; keep one of them"
                )
            gaps.append(_row_gap(row, sequence, inline, tolerance_ppm, max_length))
        except ValueError as error:
            raise Fault(str(error), row.line, file=file) from None
        for position in range(row.start, row.end):
            if hidden[position] in RESIDUES:
                hidden[position] = MISSING_LETTER
        before = row
    shown = "".join(hidden)

    gaps = _joined(sorted(gaps, key=lambda gap: (gap.start, gap.end)))
    whole: list[Gap] = []
    done = 0
    for gap in gaps:
        whole += [*_runs(shown, done, gap.start), gap]
        done = gap.end
    _check_size(gaps, len(shown), max_length, record.line)
    return shown, (*whole, *_runs(shown, done, len(shown)))


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
        length -= gap.end - gap.start
    if length > max_length:
        raise Fault(
            f"may have {length} residues with what its gaps may hold, more than the limit of "
            f"{max_length}; lower their masses and lengths, or split the chain",
            line,
        )


def _least(mass: float) -> int:
    """The smallest number of residues with a mass of `mass` Da."""
    return int(mass / _extreme_masses()[1])


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
    return Gap(position, position + 1, 1, None, gap.mass, tolerance, interval=interval)


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
    mass, tolerance = row.mass, None
    interval = False
    if within:
        if mass is not None:
            raise ValueError(
                f"has a mass for the gap {_at(row)} both inline and in the table; keep one of them"
            )
        mass, tolerance = within[0].mass, within[0].tolerance_da
        interval = tolerance is not None and row.tolerance_da is None
    if row.tolerance_da is not None:
        tolerance = row.tolerance_da
    ppm = tolerance_ppm if row.tolerance_ppm is None else row.tolerance_ppm
    if mass is not None:
        if tolerance is None:
            tolerance = mass * ppm / 1e6
        _check_mass(mass, tolerance, max_length)
        _check_counting(row, sequence, mass, tolerance)

    shortest, longest = row.min_length, row.max_length
    if shortest is None and longest is None and under and not within:
        shortest = longest = len(under)
    shortest = 1 if shortest is None else shortest
    if longest is not None and longest - shortest >= MAX_CHOICES:
        raise ValueError(
            f"has a gap {_at(row)} of {shortest} to {longest} residues, more choices than the "
            f"limit of {MAX_CHOICES}; narrow them"
        )
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
        *(row.start, row.end, shortest, longest, mass, tolerance, truth),
        interval=interval,
        pieces=pieces,
    )


def _check_counting(row: Row, sequence: str, mass: float, tolerance: float) -> None:
    """Raise ValueError if a row hides residues and its mass is that of those one position before.

    Then its positions count from 1. Residues that hold C are not compared: what it carries is not
    known here.
    """
    hidden, before = sequence[row.start : row.end], sequence[row.start - 1 : row.end - 1]
    if not row.start or not hidden or not set(hidden + before) <= _WEIGHED:
        return
    weighs, would = map(_weigh, (hidden, before))
    if abs(weighs - mass) > tolerance >= abs(would - mass):
        raise ValueError(
            f"has a gap {_at(row)} whose letters {_start(hidden)} weigh {weighs:.4f} Da, not "
            f"{mass:.4f} Da, which those one position before weigh; positions count from 0, so "
            "subtract 1 from start and end, or write X for the letters if they are right"
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
        if tolerance >= _extreme_masses()[0] / 2:
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
    most = _extreme_masses()[0] / 2
    return all(
        gap.mass is not None and gap.tolerance_da is not None and gap.tolerance_da < most
        for gap in (left, right)
    )


def _one_gap(left: Gap, right: Gap) -> Gap:
    """Two gaps of known mass as one, with a cleavage where they meet."""
    longest = None
    if left.max_length is not None and right.max_length is not None:
        longest = left.max_length + right.max_length
    truth = None if left.truth is None or right.truth is None else left.truth + right.truth
    return Gap(
        left.start,
        right.end,
        left.min_length + right.min_length,
        longest,
        (left.mass or 0.0) + (right.mass or 0.0),
        (left.tolerance_da or 0.0) + (right.tolerance_da or 0.0),
        truth,
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
    lightest, heaviest = _extreme_masses()
    if mass < lightest - max(tolerance, _HALF_DALTON):
        raise ValueError(
            f"has a gap mass of {mass:g} Da, less than the lightest residue "
            f"({lightest:.5f} Da); correct the mass"
        )
    if tolerance >= mass:
        raise ValueError(
            f"has a gap mass of {mass:g} Da with a tolerance of {tolerance:g} Da; "
            "give a tolerance that is less than the mass"
        )
    if mass > heaviest * max_length + tolerance:
        raise ValueError(
            f"has a gap mass of {mass:g} Da, more than {max_length} residues weigh; "
            "correct the mass"
        )


def _extreme_masses() -> tuple[float, float]:
    """Masses of the lightest and the heaviest residue, in Da."""
    masses = [MONOISOTOPIC[residue] for residue in RESIDUES]
    return min(masses), max(masses)


def _weigh(residues: str) -> float:
    """Mass of residues without modifications, in Da."""
    return sum(MONOISOTOPIC[residue] for residue in residues)


def _at(row: Row) -> str:
    return f"at {row.start}..{row.end}"


# --- truth ---------------------------------------------------------------------------------------


def _plain(record: Record, max_length: int) -> str:
    """The letters of a true chain; raises Fault if it is invalid or has inline gaps."""
    letters = read_letters(record, max_length)
    if letters.inline:
        raise Fault(
            "has a mass gap in the truth; write residues, or X where they are unknown", record.line
        )
    return letters.sequence


def _with_truth(
    sequence: str, gaps: tuple[Gap, ...], true: str, line: int, file: str
) -> tuple[Gap, ...]:
    """The gaps with their truth; raises Fault if truth and scaffold contradict each other."""
    try:
        letters = place(sequence, gaps, true)
        for gap, true_letters in zip(gaps, letters, strict=True):
            if true_letters is not None and gap.truth is not None and true_letters != gap.truth:
                raise ValueError(
                    f"has {_start(true_letters)} where the scaffold hides {_start(gap.truth)}; "
                    "correct one of them"
                )
    except ValueError as error:
        raise Fault(str(error), line, file=file) from None
    return tuple(
        gap if true_letters is None else replace(gap, truth=true_letters)
        for gap, true_letters in zip(gaps, letters, strict=True)
    )


# --- as JSON lines -------------------------------------------------------------------------------


def to_json(scaffold: Scaffold) -> str:
    """A scaffold as one compact line of JSON, without a line end."""
    fields: dict[str, object] = {
        "chain": scaffold.chain,
        "description": scaffold.description,
        "sequence": scaffold.sequence,
        "gaps": [_as_list(gap) for gap in scaffold.gaps],
        "line": scaffold.line,
        "modifications": [[m.position, m.mass, m.name] for m in scaffold.modifications],
    }
    if scaffold.evidence:
        fields["evidence"] = [[e.position, e.weights, e.settled] for e in scaffold.evidence]
    if scaffold.intact is not None:
        fields["intact"] = astuple(scaffold.intact)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _as_list(gap: Gap) -> list[object]:
    """The fields of a gap, origin last; dataclasses.astuple does the same ten times slower."""
    return [
        gap.start,
        gap.end,
        gap.min_length,
        gap.max_length,
        gap.mass,
        gap.tolerance_da,
        gap.truth,
        gap.interval,
        [astuple(piece) for piece in gap.pieces],
        gap.length_probability,
        [astuple(rival) for rival in gap.rivals],
        gap.untried,
        gap.most,
        None if gap.spectra is None else astuple(gap.spectra),
        gap.mass_error,
        gap.origin,
    ]


def from_json(line: str) -> Scaffold:
    """The scaffold in a line of `to_json`; ValueError if it is not such a line."""
    try:
        fields = json.loads(line)
        gaps = tuple(
            replace(
                Gap(*values),
                interval=interval,
                pieces=tuple(map(_piece, pieces)),
                length_probability=share,
                rivals=tuple(map(_rival, rivals)),
                untried=untried,
                most=most,
                spectra=_spectra(seen) if seen else None,
                mass_error=mass_error,
                origin=tuple(origin) if origin else None,
            )
            for (
                *values,
                interval,
                pieces,
                share,
                rivals,
                untried,
                most,
                seen,
                mass_error,
                origin,
            ) in fields.pop("gaps")
        )
        modifications = tuple(ResidueModification(*m) for m in fields.pop("modifications"))
        evidence = tuple(
            PositionEvidence(position, tuple(weights), settled)
            for position, weights, settled in fields.pop("evidence", ())
        )
        weighed = fields.pop("intact", None)
        intact = None if weighed is None else IntactMass(*weighed)
        return Scaffold(
            **fields, gaps=gaps, modifications=modifications, evidence=evidence, intact=intact
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a scaffold ({error})") from None


def _piece(values: list[Any]) -> Piece:
    """A piece of a gap from a list of its fields."""
    shortest, longest, mass, tolerance, interval, prefixes = values
    return Piece(shortest, longest, mass, tolerance, interval, tuple(map(tuple, prefixes)))


def _rival(values: list[Any]) -> Rival:
    """A sequence of another length from a list of its fields."""
    sequence, probability, mass, readings = values
    return Rival(sequence, probability, mass, tuple(readings))


def _spectra(values: list[Any]) -> SpectralEvidence:
    """What spectra say of a gap from a list of its fields."""
    cleavages, unseen, sides, mass = values
    shown = tuple(map(tuple, cleavages)), unseen, tuple(map(tuple, sides))
    return SpectralEvidence(*shown, tuple(mass) if mass else None)


def write_scaffolds(path: str | Path, scaffolds: Iterable[Scaffold]) -> None:
    """Write a block of scaffolds as JSON lines, whole or not at all (gzipped if named .gz)."""
    with atomic_write(path) as handle:
        for scaffold in scaffolds:
            handle.write(to_json(scaffold) + "\n")


def read_scaffold_block(path: str | Path) -> list[Scaffold]:
    """Read a file of `write_scaffolds`; LacunaError names a line that is invalid."""
    scaffolds = []
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            try:
                scaffolds.append(from_json(line))
            except ValueError as error:
                raise LacunaError(
                    f"{path}:{number}: {error}; remove the file and run again"
                ) from None
    return scaffolds
