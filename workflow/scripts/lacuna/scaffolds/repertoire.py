"""Tables of rearrangements as records: AIRR TSV, and data units of OAS, plain or gzipped.

A table is known by its first lines, not by its name. AIRR: the names of columns are those of the
Rearrangement schema (https://docs.airr-community.org/en/stable/datarep/rearrangements.html),
separated by tabs, or by commas or semicolons, as spreadsheets write them. OAS (Olsen et al. 2022,
Protein Sci 31:141-146): a first line of metadata in JSON, then CSV with the same names, in paired
units with `_heavy` or `_light` at their end.

A chain is the first of these cells that is given (neither empty nor `NA` or the like) and has no
stop codon within:

1. `sequence_aa`, with the notations of a FASTA;
2. `sequence_alignment_aa`, whose `.` and `-` are gaps of the alignment and no residues;
3. `sequence_alignment` translated, in the frame of `junction`, which begins with the codon of
   Cys104.

Its id is `sequence_id` or, without that column, `row` and the number of the row (from 1). A row
that is not productive (`productive` or, if that is not given, `vj_in_frame`) codes for no chain.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from lacuna.core.cells import below, have_row_names, miscounted, named
from lacuna.core.files import LacunaError, open_bytes, open_text, read_lines, shortened
from lacuna.core.words import is_given
from lacuna.scaffolds.fasta import MAX_ID, Record, split_header

PAIRED = ("_heavy", "_light")
# Columns that the schema (version 1.4) requires to be there; their cells may be empty.
REQUIRED = (
    "sequence_id sequence rev_comp productive v_call d_call j_call sequence_alignment "
    "germline_alignment junction junction_aa v_cigar d_cigar j_cigar"
).split()
_CHAIN_COLUMNS = ("sequence_aa", "sequence_alignment_aa", "sequence_alignment")
# Names by which a table of rearrangements is known: two of them are enough.
_KNOWN = frozenset((*REQUIRED, *_CHAIN_COLUMNS, "locus", "vj_in_frame"))
_PRODUCTIVE = ("productive", "vj_in_frame")  # the first that is given tells
_NO = frozenset({"f", "false", "no", "0"})  # in any case
_CHECKED = 1_000  # rows at the beginning that show whether a column holds chains
_MIN_CHAIN = 40  # residues: V domains of repertoires have more, and CDR3s fewer
_NUCLEOTIDES = "ACGTUNacgtun.-"
_OTHER_CELLS = 1 << 20  # characters of a row besides its chain
_START = 1 << 16  # bytes in which the header of a table ends
_CHUNK = 1 << 20
_LINE_END = re.compile("\r\n?|\n")  # what `open_text` takes for one
_BASES = str.maketrans("", "", ".-")
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as Python reads them
_QUOTED = re.compile('".*"').fullmatch
_TAGS = frozenset("[({")  # with which masses and modifications begin


@dataclass(frozen=True, slots=True)
class _Chain:
    """Places of the columns of one chain of a row; None for a column that the table lacks."""

    suffix: str  # of the names of its columns, in paired tables
    own: tuple[int, ...]  # its columns with that suffix
    sequence_id: int | None
    sequences: tuple[tuple[str, int], ...]  # of _CHAIN_COLUMNS those there are, in order
    junction: int | None
    productive: tuple[tuple[str, int], ...]  # of _PRODUCTIVE those there are, in order


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is cut into cells: `header` is the line (1-based) of the names of columns."""

    columns: tuple[str, ...]
    delimiter: str
    header: int
    chains: tuple[_Chain, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its line (1-based), its cells, and the record of each of its chains.

    cells: none if the row cannot be used; records: None for a chain of a paired unit of which the
    row says nothing.
    """

    line: int
    cells: list[str]
    records: tuple[Record | None, ...]


def layout_of(path: str | Path) -> Layout | None:
    """How a table of rearrangements is laid out; None if the file is no such table.

    Raises LacunaError if it cannot be read, or is such a table with two columns of one name,
    without one of chains, with row names, or with another separator.
    """
    with open_bytes(path) as handle:
        start = handle.read(_START).removeprefix(b"\xef\xbb\xbf")
    if start.lstrip().startswith(b">"):
        return None
    lines = _LINE_END.split(start.decode("utf-8", "replace"))
    layout = _layout_in([*lines, ""])
    if not _is_known(layout.columns):
        if _is_known(re.split(r"[\s|]+", lines[0].casefold())):
            raise LacunaError(
                f"{path}:1: the columns of a table of rearrangements, but not separated by tabs, "
                "commas or semicolons; save it as TSV"
            )
        return None
    for name in filter(None, layout.columns):
        if layout.columns.count(name) > 1:
            raise LacunaError(
                f"{path}:{layout.header}: column '{shortened(name)}' is there twice; "
                "keep one of them"
            )
    if not layout.chains:
        raise LacunaError(
            f"{path}:{layout.header}: a table of rearrangements without a column of chains; add "
            "sequence_aa or sequence_alignment_aa (or sequence_alignment with junction)"
        )
    _check_row_names(path, layout, lines[:-1])  # the last may be cut short
    return layout


def _is_known(columns: Sequence[str]) -> bool:
    """Whether names of columns are those of a table of rearrangements."""
    return sum(plain_name(name) in _KNOWN for name in columns) >= 2


def _check_row_names(path: str | Path, layout: Layout, lines: Sequence[str]) -> None:
    """Raise LacunaError if the first rows have names: each cell is then in the next column, and the
    names would be taken for ids."""
    header, *rows = lines[layout.header - 1 :] or [""]
    try:
        cells = [_cut(row, layout.delimiter) for row in rows if row.strip(layout.delimiter)]
    except csv.Error:  # of a single row, which is rejected
        return
    if have_row_names(_cut(header, layout.delimiter), cells):
        raise LacunaError(
            f"{path}:{layout.header + 1}: {miscounted(len(cells[0]), len(cells[0]) - 1)}"
        )


def _layout_in(lines: Sequence[str]) -> Layout:
    """How a table is laid out, by its first lines, two or more."""
    metadata = lines[0].lstrip('"').startswith("{")
    line = lines[metadata]
    # A semicolon is what spreadsheets write where the comma is a decimal one.
    delimiter = "\t" if "\t" in line else max(",;", key=line.count)
    columns = _columns(named([name.strip() for name in _cut(line, delimiter)]))
    paired = {name + suffix for name in _CHAIN_COLUMNS for suffix in PAIRED}
    suffixes = ("",) if paired.isdisjoint(columns) else PAIRED
    chains = (_chain(columns, suffix) for suffix in suffixes)
    header = 2 if metadata else 1
    return Layout(columns, delimiter, header, tuple(c for c in chains if c))


def _columns(names: Sequence[str]) -> tuple[str, ...]:
    """The names of columns, those of the schema in small letters, as it has them."""
    small = [name.casefold() for name in names]
    return tuple(
        low if plain_name(low) in _KNOWN and small.count(low) == 1 else name
        for name, low in zip(names, small, strict=True)
    )


def plain_name(column: str) -> str:
    """The name of a column of a paired unit without its chain."""
    return column.removesuffix(PAIRED[0]).removesuffix(PAIRED[1])


def _chain(columns: Sequence[str], suffix: str) -> _Chain | None:
    """The columns of one chain; None if it has none that holds a sequence."""
    at = {name: i for i, name in enumerate(columns)}
    junction = at.get(f"junction{suffix}")

    def places(names: Sequence[str]) -> tuple[tuple[str, int], ...]:
        return tuple((name, at[name + suffix]) for name in names if name + suffix in at)

    usable = places(_CHAIN_COLUMNS[: None if junction is not None else -1])
    if not usable:
        return None
    own = tuple(i for i, name in enumerate(columns) if name.endswith(suffix))
    return _Chain(
        suffix, own, at.get(f"sequence_id{suffix}"), usable, junction, places(_PRODUCTIVE)
    )


def _cut(line: str, delimiter: str) -> list[str]:
    """The cells of a line. Between tabs a quote belongs to its cell, unless some cell of the line
    begins and ends with one, as R writes them."""
    if '"' not in line:
        return line.split(delimiter)
    if delimiter == "\t":
        cells = line.split(delimiter)
        if not any(map(_QUOTED, cells)):
            return cells
    return next(csv.reader([line], delimiter=delimiter), [])


def count_chains(path: str | Path, layout: Layout) -> int:
    """The chains of a table, usable or not, by one pass over its bytes: as many, or too many by its
    blank lines and the chains that pairs lack."""
    lines, last = 0, b"\n"
    with open_bytes(path) as handle:
        while chunk := handle.read(_CHUNK):
            lines += chunk.count(b"\n") + chunk.count(b"\r") - chunk.count(b"\r\n")
            last = chunk[-1:]
    lines += last not in b"\r\n"
    return max(lines - layout.header, 0) * len(layout.chains)


def read_chains(path: str | Path, layout: Layout, max_bytes: int) -> Iterator[Record]:
    """Yield the chains of a table as records, in order, one at a time.

    Raises LacunaError if the first rows show that a column holds no chains.
    """
    for row in read_rows(path, layout, max_bytes):
        yield from filter(None, row.records)


def read_rows(path: str | Path, layout: Layout, max_bytes: int) -> Iterator[Row]:
    """Yield the rows of a table, in order, one at a time, the chains of each among them.

    Raises LacunaError if the first rows show that a column holds no chains.
    """
    with open_text(path, errors="surrogateescape") as handle:
        rows = _rows(handle, layout, max_bytes)
        first = list(islice(rows, _CHECKED))
        _check_chains(path, layout, first)
        yield from first
        yield from rows


def _rows(handle: TextIO, layout: Layout, max_bytes: int) -> Iterator[Row]:
    for line, text, whole in read_lines(handle, max_bytes + _OTHER_CELLS):
        if line <= layout.header or not text:
            continue
        fault = None if whole else "is too long to be one chain; split the row"
        if not text.isascii() and _ESCAPED.search(text):
            text, fault = "", "has bytes that are not UTF-8; save the file as UTF-8"
        try:
            cells = below(layout.columns, _cut(text, layout.delimiter))
        except csv.Error as error:
            cells, fault = [], f"cannot be split into columns ({error}); correct the line"
        if fault is None and not any(cells):
            continue
        if fault is None and len(cells) != len(layout.columns):
            fault = f"has {miscounted(len(cells), len(layout.columns))}"
        number = line - layout.header
        if fault is not None:  # in a table with ids, another row may be the one named so
            name = f"row{number}" if layout.chains[0].sequence_id is None else ""
            yield Row(line, [], (Record(name, "", b"", line, fault, 0),))
            continue
        records = (_record(cells, chain, number, line) for chain in layout.chains)
        yield Row(line, cells, tuple(records))


def _record(cells: Sequence[str], chain: _Chain, number: int, line: int) -> Record | None:
    """The record of one chain of row `number` (from 1); None if its row of a pair lacks it."""
    body, fault = _sequence(cells, chain)
    if not body and chain.suffix and not any(is_given(cells[place].strip()) for place in chain.own):
        return None
    fault = _unproductive(cells, chain) or fault
    name, about = f"row{number}{chain.suffix}", ""
    if chain.sequence_id is not None:
        given, description = split_header(cells[chain.sequence_id].encode())
        name, about = given.decode(), description.decode().strip()
    if not name:
        fault = f"has no id; give one in the column sequence_id{chain.suffix}"
    elif len(name) > MAX_ID:
        fault = f"has an id of {len(name)} characters, more than the limit of {MAX_ID}; shorten it"
    return Record(name, about, body.encode(), line, fault, 0)


def _unproductive(cells: Sequence[str], chain: _Chain) -> str | None:
    """Why a row codes for no chain, by what its table says; None if it may code for one."""
    for name, place in chain.productive:
        told = cells[place].strip()
        if told.casefold() in _NO:
            return (
                f"codes for no chain ({name}{chain.suffix} is {told}); remove the row, or empty "
                "that cell if the chain is real"
            )
        if is_given(told):
            break
    return None


def _sequence(cells: Sequence[str], chain: _Chain) -> tuple[str, str | None]:
    """The letters of a chain, and what is wrong with them."""
    fault = None
    for name, place in chain.sequences:
        text = cells[place].strip()
        if not is_given(text):
            continue
        if name == "sequence_alignment" and chain.junction is not None:
            try:
                text = _translated(text, cells[chain.junction].strip())
            except ValueError as error:
                fault = fault or str(error)
                continue
        elif name == "sequence_alignment_aa":
            if not _TAGS.isdisjoint(text):  # a point in a mass would be lost
                fault = fault or (
                    f"has a mass or a modification in {name}{chain.suffix}, where points are gaps "
                    "of the alignment; give the chain in sequence_aa"
                )
                continue
            text = text.translate(_BASES)
        if not text:
            continue
        stop = text.find("*", 0, -1)
        if stop < 0:
            return text, None
        fault = (
            f"has a stop codon at residue {stop + 1} of {name}{chain.suffix}; it codes for no "
            "chain: remove the row, or write X for a residue that was misread"
        )
    return "", fault or (
        f"has no sequence; give one in sequence_aa{chain.suffix} or "
        f"sequence_alignment_aa{chain.suffix}, or remove the row"
    )


def _translated(alignment: str, junction: str) -> str:
    """An aligned V(D)J region as protein.

    ValueError says why it or its junction cannot be used, and what to do. A codon with an N that
    leaves a choice is X; bases before the first whole codon, and after the last, are left out.
    """
    bases, begin = alignment.upper().translate(_BASES), junction.upper().translate(_BASES)
    at = bases.find(begin)
    fault = ""
    if not is_given(begin):
        fault = "no junction"
    elif len(begin) % 3:
        fault = f"a junction of {len(begin)} bases, which are no whole codons"
    elif at < 0:
        fault = "a junction that is not in it"
    if fault:
        raise ValueError(
            f"has nucleotides in sequence_alignment and {fault}, so that their reading frame is "
            "not known; correct the junction, give sequence_aa, or remove the row"
        )
    from Bio.Data.CodonTable import TranslationError  # most tables hold amino acids
    from Bio.Seq import translate

    frame = at % 3
    try:
        protein: str = translate(bases[frame : len(bases) - (len(bases) - frame) % 3])
    except TranslationError as error:
        raise ValueError(
            f"has nucleotides in sequence_alignment that cannot be translated ({error}); write N "
            "for an unknown base"
        ) from None
    return protein


def _check_chains(path: str | Path, layout: Layout, rows: Sequence[Row]) -> None:
    """Raise LacunaError if the first rows show that the columns of a chain hold something else."""
    for i, chain in enumerate(layout.chains):
        records = [row.records[i] for row in rows if i < len(row.records)]
        given = [record for record in records if record and record.body]
        if not given:
            continue
        names = " and ".join(name + chain.suffix for name, _ in chain.sequences)
        shown = given[0].body.decode()[:30]
        where = f"{path}:{given[0].line}: {names} holds"
        if all(len(record.body) < _MIN_CHAIN for record in given):
            raise LacunaError(
                f"{where} no chains ('{shown}'; none of the first {len(given)} has {_MIN_CHAIN} "
                f"residues); put the residues of each chain into sequence_aa{chain.suffix}"
            )
        if all(not record.body.decode().strip(_NUCLEOTIDES) for record in given):
            raise LacunaError(
                f"{where} nucleotides ('{shown}'); translate them to protein, or leave the column "
                "out and give sequence_alignment and junction"
            )
