"""Corpora of natural chains: fetching them, and reading the sequences of their files."""

import csv
import gzip
import io
import itertools
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fnmatch import fnmatch, fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast

from Bio.SeqIO.FastaIO import SimpleFastaParser

from lacuna.core.files import GZIP_DAMAGE, LacunaError, file_digest, open_text

# Names of sequence columns, the preferred first; of a pair both columns are read.
SEQUENCE_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("vdomain_aa",),
    ("sequence_alignment_aa_heavy", "sequence_alignment_aa_light"),
    ("sequence_alignment_aa",),
    ("input_seq_vh", "input_seq_vl"),
    ("input_seq",),
    ("sequence_aa",),
    ("aa_seq",),
    ("sequence",),
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """One source of natural chains, as a config names it.

    path: FASTA, AIRR TSV, OAS data unit, CSV or wheel; weight: how often its chains are drawn,
    relative to 1; files: patterns of the tables to read in a wheel; columns: names of the sequence
    columns, known names if empty; rows: patterns that a row's cell must fit, by column; sha256: of
    the file, unless None; near_identity: replaces that of the run unless None.
    """

    name: str
    path: Path
    weight: float
    licence: str
    source: str
    files: tuple[str, ...] = ("*.csv", "*.csv.gz")
    columns: tuple[str, ...] = ()
    rows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sha256: str | None = None
    near_identity: float | None = None


def read_sequences(
    path: Path,
    columns: Sequence[str] = (),
    files: Sequence[str] = ("*.csv", "*.csv.gz"),
    rows: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[str]:
    """Yield the amino-acid sequences of a FASTA, AIRR TSV, OAS data unit, CSV or wheel.

    OAS data units are CSVs with a line of JSON before the header. columns: names of the columns to
    read, by default the first of SEQUENCE_COLUMNS that is present; files: patterns of the tables to
    read in a wheel; rows: by column, patterns of which a cell must fit one for its row to be read.
    Letters become upper case; alignment gaps and a final stop are dropped; nothing else is checked.
    Raises LacunaError if the file cannot be read or lacks a column.
    """
    if path.suffix == ".whl":
        yield from _read_wheel(path, columns, files, rows)
        return
    with open_text(path) as handle:
        first = handle.readline()
        if not first:
            raise LacunaError(f"{path}: the file is empty; check where it comes from")
        if first.startswith(">"):
            if rows:
                raise LacunaError(f"{path}: a FASTA has no columns; remove 'rows' of this corpus")
            for _, sequence in SimpleFastaParser(itertools.chain([first], handle)):
                yield _tidy(sequence)
        else:
            yield from _read_table(first, handle, str(path), columns, rows)


def _tidy(sequence: str) -> str:
    return sequence.strip().upper().replace("-", "").replace(".", "").rstrip("*")


def _read_table(
    first: str,
    lines: Iterable[str],
    name: str,
    columns: Sequence[str],
    rows: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    """Yield the sequences of a CSV or TSV whose first line is `first`; empty cells are skipped."""
    rest, above = iter(lines), 0
    if first.strip().startswith(("{", '"{')):  # OAS metadata
        first, above = next(rest, ""), 1
    delimiter = "\t" if "\t" in first else ","
    names = next(_rows([first], delimiter, name, above), [])
    at = [names.index(column) for column in _columns_of_sequences(name, names, columns)]
    if absent := [column for column in rows if column not in names]:
        raise LacunaError(
            f"{name}: no column '{absent[0]}'; found {', '.join(names)[:200]}; correct the corpus' "
            "'rows'"
        )
    wanted_in = [(names.index(column), patterns) for column, patterns in rows.items()]
    for row in _rows(rest, delimiter, name, above + 1):
        if all(i < len(row) and _fits(row[i], patterns) for i, patterns in wanted_in):
            for i in at:
                if i < len(row) and row[i]:
                    yield _tidy(row[i])


def _rows(lines: Iterable[str], delimiter: str, name: str, above: int) -> Iterator[list[str]]:
    """Yield the rows of lines of a table that has so many above them; LacunaError if one cannot be
    read."""
    table = csv.reader(lines, delimiter=delimiter)
    try:
        yield from table
    except csv.Error as error:
        line = above + table.line_num
        raise LacunaError(
            f"{name}: {error}, near line {line}; correct the line, or leave it out"
        ) from None


def _fits(cell: str, patterns: Sequence[str]) -> bool:
    """Whether a cell fits one of the patterns; case matters."""
    return any(fnmatchcase(cell, pattern) for pattern in patterns)


def _columns_of_sequences(name: str, names: Sequence[str], wanted: Sequence[str]) -> Sequence[str]:
    """The columns of a table that hold sequences: those that are wanted, if any are, else the first
    known ones. LacunaError if one is missing; name: of the table; names: of its columns."""
    found = [c for c in wanted if c in names] if wanted else _known_columns(names)
    if found and len(found) >= len(wanted):
        return found
    known = wanted or sum(SEQUENCE_COLUMNS, ())
    raise LacunaError(
        f"{name}: no column of sequences ({', '.join(known)}); found {', '.join(names)[:200]}; "
        "name it in the corpus' 'columns'"
    )


def _known_columns(names: Sequence[str]) -> Sequence[str]:
    """The first group of known columns of which a table has all."""
    return next((group for group in SEQUENCE_COLUMNS if set(group) <= set(names)), ())


def _read_wheel(
    path: Path, columns: Sequence[str], files: Sequence[str], rows: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield the sequences of every table inside a wheel whose name matches a pattern."""
    try:
        with zipfile.ZipFile(path) as wheel:
            names = sorted(n for n in wheel.namelist() if any(fnmatch(n, f) for f in files))
            if not names:
                raise LacunaError(f"{path}: holds no file like {', '.join(files)}; see 'files'")
            for name in names:
                with wheel.open(name) as packed, ExitStack() as stack:
                    raw = stack.enter_context(gzip.open(packed)) if name.endswith(".gz") else packed
                    lines = io.TextIOWrapper(cast(BinaryIO, raw), encoding="utf-8-sig", newline="")
                    table = f"{path}/{name}"
                    try:
                        yield from _read_table(lines.readline(), lines, table, columns, rows)
                    except UnicodeDecodeError:
                        raise LacunaError(
                            f"{table}: not a text file in UTF-8; leave it out of the corpus' "
                            "'files'"
                        ) from None
    except (zipfile.BadZipFile, UnicodeDecodeError, *GZIP_DAMAGE) as error:
        raise LacunaError(f"{path}: the wheel is damaged ({error}); fetch it again") from None
    except FileNotFoundError:
        raise LacunaError(f"{path}: no such file; check the path") from None


def fetch_wheel(requirement: str, wheel: Path, sha256: str | None = None) -> None:
    """Fetch the wheel of `name==version` with pip, without its dependencies, as the file `wheel`.

    Raises LacunaError if pip cannot find it or its digest is not `sha256`.
    """
    wheel.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wheel.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*command, "--dest", folder, "--", requirement], check=False)
        found = sorted(Path(folder).glob("*.whl"))
        if done.returncode or len(found) != 1:
            raise LacunaError(
                f"{requirement}: pip cannot download this wheel (see its output in the log); "
                "check name, version and network"
            )
        digest = file_digest(found[0])
        if sha256 is not None and digest != sha256:
            raise LacunaError(
                f"{requirement}: sha256 is {digest}, config says {sha256}; do not use this file"
            )
        os.replace(found[0], wheel)
