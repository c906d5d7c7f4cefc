"""Scaffolds, chains with gaps: from FASTA, gap table and truth, one at a time, good or rejected.

Positions are the user's: every letter and gap character of the FASTA counts one, an inline mass
gap too.

How gaps come about:

- A run of missing (`-`, `X`, `*`, `_`, `?`) or ambiguous (`B`, `J`, `Z`) letters is one gap of
  fixed length.
- An inline mass gap (`X[+367.0537]`, `{420 Da}`) is a gap of its own, of unknown length.
- A row of the gap table is a gap of its own: letters under it are hidden, and what is left of a
  run that it covers in part, or that an insertion (start == end) cuts, stays a gap too. Where a
  row gives `min_length` or `max_length` alone the other end is open (1, or no limit); an insertion
  without either is open at both.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lacuna.alphabet import AMBIGUOUS, MISSING_LETTER, RESIDUES
from lacuna.fasta import Fault, Record, count_records, read_records
from lacuna.files import LacunaError, atomic_write, open_text
from lacuna.gap_table import GapTable, Row
from lacuna.truth import TruthFile, place

__all__ = [
    "Gap",
    "Rejected",
    "ResidueModification",
    "Scaffold",
    "count_records",
    "from_json",
    "read_scaffold_block",
    "read_scaffolds",
    "to_json",
    "write_scaffolds",
]

DEFAULT_MAX_LENGTH = 50_000
DEFAULT_TOLERANCE_PPM = 10.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap over the positions start..end (0-based, half-open) of its scaffold; masses in Da."""

    start: int
    end: int
    min_length: int
    max_length: int | None  # None: no limit known
    mass: float | None = None  # sum of monoisotopic residue masses
    tolerance_da: float | None = None
    truth: str | None = None  # the residues that really stand here, never shown to a model
    origin: tuple[int, int] | None = None  # the user's start and end, where the chain was stretched
    untried: bool = False  # not all lengths that bounds and mass allow were tried

    @property
    def fixed(self) -> bool:
        """Whether the gap has as many residues as it has positions in the scaffold."""
        return self.min_length == self.max_length == self.end - self.start


@dataclass(frozen=True, slots=True)
class ResidueModification:
    """A modification that the user wrote on an observed residue; `mass` is its change in Da.

    `position` is the residue's (0-based) in the scaffold's sequence. A modification of the chain's
    N terminus is on its first residue, one of the C terminus on its last.
    """

    position: int
    mass: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A chain with its gaps, sorted and apart.

    `sequence` has one letter per position: a residue (observed), X (missing), or B, J, Z (missing,
    of two). Every letter that is no residue lies in exactly one gap. `line` is that of the FASTA
    header. `modifications` are those of observed residues, in order of their positions.
    """

    chain: str
    description: str
    sequence: str
    gaps: tuple[Gap, ...]
    line: int
    modifications: tuple[ResidueModification, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be used; `reason` is whole: file, line, record, fault and remedy."""

    chain: str
    line: int
    column: int | None
    reason: str


class _InlineGap(NamedTuple):
    """An inline mass gap; `tolerance_da` is None where the default in ppm applies."""

    mass: float
    tolerance_da: float | None
    line: int
    column: int


_BLANKS = b" \t\r\n\x0b\x0c"
_STOP = b"*"
_BAD = b"!"
_MISSING_CHARACTERS = b"-_?Xx"
_RUN = re.compile(f"[{MISSING_LETTER}{''.join(AMBIGUOUS)}]+")
_INLINE = re.compile(rb"[Xx]?\[([^\[\]]*)\]|\{([^{}]*)\}")
_DALTONS = re.compile(r"(\d+)(\.\d+)?da", re.IGNORECASE | re.ASCII)
_HALF_DALTON = 0.5


def _letter_table() -> bytes:
    """256 bytes: what each byte of a sequence reads as; stops stay stops, the rest is `_BAD`."""
    table = bytearray(_BAD * 256)
    for letter in RESIDUES + "".join(AMBIGUOUS):
        table[ord(letter)] = table[ord(letter.lower())] = ord(letter)
    for character in _MISSING_CHARACTERS:
        table[character] = ord(MISSING_LETTER)
    table[_STOP[0]] = _STOP[0]
    return bytes(table)


_LETTERS = _letter_table()


def read_scaffolds(
    fasta: str | Path,
    gaps: str | Path | None = None,
    truth: str | Path | None = None,
    *,
    tolerance_ppm: float = DEFAULT_TOLERANCE_PPM,
    max_length: int = DEFAULT_MAX_LENGTH,
) -> Iterator[Scaffold | Rejected]:
    """Yield the records of a FASTA in order, usable or rejected; then gap rows of unknown chains.

    The files are streamed: only the ids, the gap table, and true chains that stand elsewhere in
    their file than in `fasta` are held. `tolerance_ppm` is the tolerance of masses that come
    without one. Raises LacunaError where a file as a whole cannot be used.
    """
    fasta = Path(fasta)
    max_bytes = (
        32 * max_length
    )  # generous: an inline gap takes about 16 bytes, blanks and line ends come on top
    table = GapTable(gaps)
    truths = (
        TruthFile(truth, lambda record: _plain(record, max_length), max_bytes)
        if truth is not None
        else None
    )
    first_line: dict[str, int] = {}
    for record in read_records(fasta, max_bytes):
        chain, line = record.chain, record.line
        try:
            if chain and first_line.setdefault(chain, line) != line:
                raise Fault(
                    f"is a second record of this id (first: line {first_line[chain]}); rename it",
                    line,
                )
            sequence, inline = _letters(record, max_length)
            rows = table.take(chain)
            if rows or inline:
                sequence, found = _lay_out(
                    sequence, inline, rows, tolerance_ppm, max_length, table.file
                )
            else:
                found = tuple(_runs(sequence, 0, len(sequence)))
            if truths is not None:
                found = _with_truth(chain, sequence, found, truths)
            yield Scaffold(chain, record.description, sequence, found, line)
        except Fault as fault:
            table.discard(chain)
            yield _rejected(fault, chain, fasta.name)
    for chain, line in table.left():
        unknown = Fault(f"is no chain of {fasta.name}; correct the id or remove the row", line)
        yield _rejected(unknown, chain, table.file)
    if truths is not None and not truths.used:
        unused = f"no id of the truth is one of {fasta.name}; give both files the same ids"
        yield Rejected("", 1, None, f"{truths.file}:1: {unused}")


def _rejected(fault: Fault, chain: str, file: str) -> Rejected:
    reason = f"{fault.file or file}:{fault.line}: '{chain}' {fault.text}"
    return Rejected(chain, fault.line, fault.column, reason)


# --- from the text of a record to letters --------------------------------------------------------


def _letters(record: Record, max_length: int) -> tuple[str, dict[int, _InlineGap]]:
    """The letters of a record and its inline mass gaps by position; raises its first Fault."""
    if record.fault is not None:
        raise Fault(record.fault, record.line)
    raw = record.body.translate(_LETTERS, _BLANKS)
    inline: dict[int, _InlineGap] = {}
    if _BAD in raw:
        raw, inline = _unusual_letters(record)
    if _STOP in raw:
        raw = raw.removesuffix(_STOP).replace(_STOP, MISSING_LETTER.encode())
    if not raw:
        raise Fault("has no sequence; give one or remove the record", record.line)
    if len(raw) > max_length:
        raise Fault(
            f"has {len(raw)} residues, more than the limit of {max_length}; split the chain",
            record.line,
        )
    return raw.decode("ascii"), inline


def _unusual_letters(record: Record) -> tuple[bytes, dict[int, _InlineGap]]:
    """The same where the record holds more than letters: inline gaps, or what is a Fault."""
    text = record.body.translate(None, _BLANKS)
    letters = bytearray()
    inline: dict[int, _InlineGap] = {}
    at = 0
    for match in [*_INLINE.finditer(text), None]:
        piece = text[at : match.start() if match else len(text)].translate(_LETTERS)
        if _BAD in piece:
            raise _bad_character(record, at + piece.index(_BAD))
        letters += piece
        if match:
            tag, braces = match.groups()
            line, column, _ = _locate(
                record, match.end() - 1 - len(tag if tag is not None else braces)
            )
            try:
                mass, tolerance = _proforma_mass(tag) if tag is not None else _dalton_mass(braces)
            except ValueError as error:
                raise Fault(f"has {error} at column {column}", line, column) from None
            inline[len(letters)] = _InlineGap(mass, tolerance, line, column)
            letters += MISSING_LETTER.encode()
            at = match.end()
    return bytes(letters), inline


def _proforma_mass(tag: bytes) -> tuple[float, None]:
    """The mass of a ProForma tag such as +367.0537; ValueError where it has none."""
    from pyteomics import proforma  # slow to import, and most files hold no tag

    text = tag.decode("utf-8", "replace")
    fault = ValueError(
        f"'[{text}]', which is no mass in Da; write a gap of known mass as X[+367.0537]"
    )
    try:
        parsed = proforma.process_tag_tokens(text)
    except Exception:  # whatever the parser stumbles over, the tag is not a mass
        raise fault from None
    if not isinstance(parsed, proforma.MassModification) or not math.isfinite(parsed.mass):
        raise fault
    return parsed.mass, None


def _dalton_mass(braces: bytes) -> tuple[float, float | None]:
    """Mass and tolerance of {420.18 Da}; an integer m stands for [m, m + 1). ValueError else."""
    text = braces.decode("utf-8", "replace")
    match = _DALTONS.fullmatch(text)
    if match is None:
        raise ValueError(
            f"'{{{text}}}', which is no mass in Da; write a gap of known mass as {{420.18 Da}}"
        )
    if match[2] is None:
        return int(match[1]) + _HALF_DALTON, _HALF_DALTON
    return float(match[1] + match[2]), None


def _bad_character(record: Record, offset: int) -> Fault:
    """The Fault for the character at `offset` among the non-blank bytes of a record."""
    line, column, character = _locate(record, offset)
    remedy = {
        "[": "close the bracket, as in X[+367.0537]",
        "{": "close the brace, as in {420.18 Da}",
        "]": "open the bracket before it, as in X[+367.0537]",
        "}": "open the brace before it, as in {420.18 Da}",
        ".": "write - or X for a missing residue",
    }.get(character, "write X for an unknown residue")
    if character.isdecimal() or character in "+":
        remedy = "remove it, or write a gap of known mass as X[+367.0537]"
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return Fault(f"has '{shown}' at column {column}; {remedy}", line, column)


def _locate(record: Record, offset: int) -> tuple[int, int, str]:
    """Line, column (1-based) and character of the `offset`-th non-blank byte of a body.

    It is the first that cannot be read, so what stands before it is ASCII: a byte is a character.
    """
    not_blank = re.finditer(rb"[^ \t\r\n\x0b\x0c]", record.body)
    at = next(islice(not_blank, offset, None)).start()
    line = record.line + 1 + record.body.count(b"\n", 0, at)
    column = at - record.body.rfind(b"\n", 0, at)
    return line, column, record.body[at : at + 4].decode("utf-8", "replace")[0]


# --- from letters to gaps ------------------------------------------------------------------------


def _runs(sequence: str, start: int, end: int) -> Iterator[Gap]:
    """Yield a gap for every run of missing letters between two positions."""
    for run in _RUN.finditer(sequence, start, end):
        first, last = run.span()
        yield Gap(first, last, last - first, last - first)


def _lay_out(
    sequence: str,
    inline: dict[int, _InlineGap],
    rows: list[Row],
    tolerance_ppm: float,
    max_length: int,
    file: str,
) -> tuple[str, tuple[Gap, ...]]:
    """Hide what the rows cover and cut the chain into gaps; raises Fault at the first bad row."""
    gaps = [
        _inline_gap(position, gap, tolerance_ppm, max_length)
        for position, gap in inline.items()
        if not any(row.start == position and row.end == position + 1 for row in rows)
    ]
    before: Row | None = None
    hidden = list(sequence)
    for row in rows:
        try:
            if row.end > len(sequence):
                raise ValueError(
                    f"has a gap {_at(row)} past its end at {len(sequence)}; correct the positions"
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
    letters = "".join(hidden)

    whole: list[Gap] = []
    done = 0
    for gap in sorted(gaps, key=lambda gap: (gap.start, gap.end)):
        whole += [*_runs(letters, done, gap.start), gap]
        done = gap.end
    return letters, (*whole, *_runs(letters, done, len(letters)))


def _inline_gap(position: int, gap: _InlineGap, tolerance_ppm: float, max_length: int) -> Gap:
    """The gap of an inline mass, its length unknown; raises Fault where the mass is impossible."""
    tolerance = gap.mass * tolerance_ppm / 1e6 if gap.tolerance_da is None else gap.tolerance_da
    try:
        _check_mass(gap.mass, tolerance, max_length)
    except ValueError as error:
        raise Fault(f"{error} (column {gap.column})", gap.line, gap.column) from None
    return Gap(position, position + 1, 1, None, gap.mass, tolerance)


def _row_gap(
    row: Row, sequence: str, inline: dict[int, _InlineGap], tolerance_ppm: float, max_length: int
) -> Gap:
    """The gap of a table row; ValueError where row and sequence contradict each other."""
    under = sequence[row.start : row.end]
    within = [inline[position] for position in range(row.start, row.end) if position in inline]
    if within and len(under) > 1:
        raise ValueError(
            f"has a gap {_at(row)} that swallows an inline mass gap; give that one a row of its own"
        )
    mass, tolerance = row.mass, None
    if within:
        if mass is not None:
            raise ValueError(
                f"has a mass for the gap {_at(row)} both inline and in the table; keep one of them"
            )
        mass, tolerance = within[0].mass, within[0].tolerance_da
    if row.tolerance_da is not None:
        tolerance = row.tolerance_da
    if mass is not None:
        if tolerance is None:
            tolerance = (
                mass * (tolerance_ppm if row.tolerance_ppm is None else row.tolerance_ppm) / 1e6
            )
        _check_mass(mass, tolerance, max_length)

    shortest, longest = row.min_length, row.max_length
    if shortest is None and longest is None and under and not within:
        shortest = longest = len(under)
    shortest = 1 if shortest is None else shortest
    truth = under if under and all(letter in RESIDUES for letter in under) else None
    if truth and not shortest <= len(truth) <= (math.inf if longest is None else longest):
        limit = "open" if longest is None else longest
        raise ValueError(
            f"has a gap {_at(row)} that hides {len(truth)} residues, outside its lengths "
            f"{shortest} to {limit}; correct them"
        )
    return Gap(row.start, row.end, shortest, longest, mass, tolerance, truth)


def _check_mass(mass: float, tolerance: float, max_length: int) -> None:
    """Raise ValueError where a mass (Da) is absurd: below one residue, its tolerance or above
    `max_length` residues.

    Up to half a dalton below glycine is let through: that is a measurement out of tolerance, for
    the decoder to report with the gap, not a reason to lose the chain.
    """
    from pyteomics.mass import std_aa_mass  # slow to import, and most files hold no mass

    lightest = min(std_aa_mass[residue] for residue in RESIDUES)
    heaviest = max(std_aa_mass[residue] for residue in RESIDUES)
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


def _at(row: Row) -> str:
    return f"at {row.start}..{row.end}"


# --- truth ---------------------------------------------------------------------------------------


def _plain(record: Record, max_length: int) -> str:
    """The letters of a true chain; raises Fault where it is none, or holds inline gaps."""
    sequence, inline = _letters(record, max_length)
    if inline:
        raise Fault(
            "has a mass gap in the truth; write residues, or X where they are unknown", record.line
        )
    return sequence


def _with_truth(
    chain: str, sequence: str, gaps: tuple[Gap, ...], truths: TruthFile
) -> tuple[Gap, ...]:
    """The gaps with what the truth file says of them; raises Fault where it contradicts."""
    found = truths.take(chain)
    if found is None:
        return gaps
    true, line = found
    try:
        letters = place(sequence, gaps, true)
        for gap, told in zip(gaps, letters, strict=True):
            if told is not None and gap.truth is not None and told != gap.truth:
                raise ValueError(
                    f"has {told} where the scaffold hides {gap.truth}; correct one of them"
                )
    except ValueError as error:
        raise Fault(str(error), line, file=truths.file) from None
    return tuple(
        gap if told is None else replace(gap, truth=told)
        for gap, told in zip(gaps, letters, strict=True)
    )


# --- as JSON lines -------------------------------------------------------------------------------


def to_json(scaffold: Scaffold) -> str:
    """A scaffold as one compact line of JSON, without a line end."""
    fields = {
        "chain": scaffold.chain,
        "description": scaffold.description,
        "sequence": scaffold.sequence,
        "gaps": [_as_list(gap) for gap in scaffold.gaps],
        "line": scaffold.line,
        "modifications": [[m.position, m.mass, m.name] for m in scaffold.modifications],
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _as_list(gap: Gap) -> list[object]:
    """The fields of a gap, the origin last; dataclasses.astuple does the same ten times slower."""
    return [
        gap.start,
        gap.end,
        gap.min_length,
        gap.max_length,
        gap.mass,
        gap.tolerance_da,
        gap.truth,
        gap.untried,
        gap.origin,
    ]


def from_json(line: str) -> Scaffold:
    """The scaffold of a line that `to_json` wrote; ValueError where it is no such line."""
    try:
        fields = json.loads(line)
        gaps = tuple(
            replace(Gap(*values), untried=untried, origin=tuple(origin) if origin else None)
            for *values, untried, origin in fields.pop("gaps")
        )
        modifications = tuple(ResidueModification(*m) for m in fields.pop("modifications"))
        return Scaffold(**fields, gaps=gaps, modifications=modifications)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a scaffold ({error})") from None


def write_scaffolds(path: str | Path, scaffolds: Iterable[Scaffold]) -> None:
    """Write a block of scaffolds as JSON lines, whole or not at all (gzipped if named .gz)."""
    with atomic_write(path) as handle:
        for scaffold in scaffolds:
            handle.write(to_json(scaffold) + "\n")


def read_scaffold_block(path: str | Path) -> list[Scaffold]:
    """The scaffolds that `write_scaffolds` wrote; LacunaError names a line that is none."""
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
