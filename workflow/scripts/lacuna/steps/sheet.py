"""The sample sheet: one row per FASTA file or set of reads, checked before anything runs."""

import csv
import difflib
import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lacuna.core.cells import SEPARATORS, below, have_row_names, miscounted, named
from lacuna.core.config import read_schema
from lacuna.core.files import LacunaError, open_bytes, open_text, path_fault, shortened
from lacuna.core.paths import SAMPLES_SCHEMA
from lacuna.core.words import AUTO

# The schema of a row; Lacuna's own messages describe a fault in terms of the sheet.
_SCHEMA = read_schema(SAMPLES_SCHEMA)
_CELLS = _SCHEMA["properties"]
COLUMNS: tuple[str, ...] = tuple(_CELLS)
REQUIRED: tuple[str, ...] = tuple(_SCHEMA["required"])
CHAINS = tuple(column for one in _SCHEMA["anyOf"] for column in one["required"])
PATHS = tuple(column for column in COLUMNS if "format" in _CELLS[column])
SEVERAL = tuple(column for column in PATHS if _CELLS[column]["format"] == "paths")
SPECIES: tuple[str, ...] = tuple(_CELLS["species"]["enum"])
FORMATS: tuple[str, ...] = tuple(_CELLS["reads_format"]["enum"])
ALKYLATIONS: tuple[str, ...] = tuple(filter(None, _CELLS["alkylation"]["enum"]))
SAMPLE_PATTERN: str = _CELLS["sample"]["pattern"]
MAX_NAME: int = _CELLS["sample"]["maxLength"]  # a sample's name is part of file names
RESERVED: list[str] = _CELLS["sample"]["not"]["enum"]  # other names in the output folder
SEPARATOR = ";"  # between several files


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of the sheet; relative paths are resolved against the folder of the sheet."""

    sample: str
    fasta: Path | None = None
    gaps: Path | None = None
    truth: Path | None = None
    homologs: Path | None = None
    species: str = AUTO
    alkylation: str = ""  # empty: that of the configuration
    masses: Path | None = None
    evidence: Path | None = None
    reads: tuple[Path, ...] = ()
    reads_format: str = AUTO  # recognised by content
    contaminants: Path | None = None
    spectra: tuple[Path, ...] = ()

    def files(self, column: str) -> tuple[Path, ...]:
        """The files in a column of the sheet; none if it is empty."""
        given: Path | tuple[Path, ...] | None = getattr(self, column)
        if isinstance(given, tuple):
            return given
        return (given,) if given else ()


def read_sheet(path: str | Path) -> tuple[Sample, ...]:
    """Read the samples of a sheet, in order: separated by tabs, or CSV as saved by a spreadsheet.

    Raises LacunaError for the first fault: a missing or unknown column, an invalid, reserved or
    repeated id, an unknown species, alkylation or format of reads, a file that does not exist,
    columns that need another one, a sheet without rows.
    """
    path = Path(path)
    lines = _read_lines(path)
    if not lines:
        raise LacunaError(
            f"{path}: the sample sheet is empty; give a header with {', '.join(COLUMNS)}"
        )
    columns = named([name.lower() for name in lines[0][1]])
    _check_header(path, lines[0][0], columns)
    if len(lines) == 1:
        raise LacunaError(f"{path}: the sample sheet has a header but no rows; give one per sample")

    if have_row_names(lines[0][1], [row for _, row in lines[1:]]):
        line, row = lines[1]
        raise LacunaError(f"{path}:{line}: {miscounted(len(row), len(row) - 1)}")

    first_line: dict[str, int] = {}
    samples = []
    for line, row in lines[1:]:
        where, cells = f"{path}:{line}", below(columns, row)
        if len(cells) > len(columns):
            raise LacunaError(
                f"{where}: {len(cells)} cells under {len(columns)} columns; remove the surplus"
            )
        sample = _sample(where, path.parent, dict(zip(columns, cells, strict=False)))
        if first_line.setdefault(sample.sample, line) != line:
            raise LacunaError(
                f"{where}: sample '{sample.sample}' is on line "
                f"{first_line[sample.sample]} already; rename one of them"
            )
        samples.append(sample)
    return tuple(samples)


def _read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """Non-empty lines with their numbers, as cells without surrounding blanks."""
    with open_text(path) as handle:
        text = handle.read()
    delimiter = _delimiter(text)
    source = io.StringIO(text)
    # Without quotes around the names of columns, those in a path belong to it.
    if delimiter == "\t" and not text.lstrip().startswith('"'):
        rows = csv.reader(source, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        rows = csv.reader(source, delimiter=delimiter, strict=True)
    lines = []
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                lines.append((rows.line_num, cells))
    except csv.Error as error:
        raise LacunaError(
            f"{path}:{rows.line_num}: cannot be split into columns ({error}); correct the line"
        ) from None
    return lines


def _delimiter(text: str) -> str:
    """The separator of cells, found from the first line that is not empty."""
    header = text.lstrip().partition("\n")[0]
    for delimiter in SEPARATORS:
        names = {name.strip(' "').lower() for name in header.split(delimiter)}
        if delimiter in header and not names.isdisjoint(COLUMNS):
            return delimiter
    return "\t"


def _check_header(path: Path, line: int, columns: list[str]) -> None:
    """Raise LacunaError if a column is missing, unknown, or there twice."""
    for name in columns:
        if name not in COLUMNS:
            do = "remove it" if set(columns) & set(COLUMNS) else "separate columns by tabs"
            hint = f"{do}; known are {', '.join(COLUMNS)}"
            # Blanks within a name: columns may be separated by blanks.
            near = [] if " " in name else difflib.get_close_matches(name, COLUMNS, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else hint
            raise LacunaError(f"{path}:{line}: unknown column '{shortened(name)}'; {remedy}")
        if columns.count(name) > 1:
            raise LacunaError(f"{path}:{line}: column '{name}' occurs twice; keep one of them")
    missing = [name for name in REQUIRED if name not in columns]
    if not missing and not set(CHAINS) & set(columns):
        missing = [CHAINS[0]]
    for name in missing:
        raise LacunaError(
            f"{path}:{line}: column '{name}' is missing (found: {', '.join(columns)}); add it"
        )


def _checked_name(where: str, sample: str) -> str:
    """The name of a sample, of which files can be named; raises LacunaError otherwise."""
    if not re.fullmatch(SAMPLE_PATTERN, sample):
        raise LacunaError(
            f"{where}: '{shortened(sample)}' is not a sample id; use letters, digits, '_', '-' and "
            "'.', but not only dots"
        )
    if len(sample) > MAX_NAME:
        raise LacunaError(
            f"{where}: the name of sample '{shortened(sample)}' has {len(sample)} letters; use at "
            f"most {MAX_NAME}, since files are named after it"
        )
    if sample in RESERVED:
        raise LacunaError(
            f"{where}: sample '{sample}' has the name of another file or folder of the results; "
            "rename it"
        )
    return sample


def _sample(where: str, folder: Path, cells: dict[str, str]) -> Sample:
    """The sample of a row; raises LacunaError that names row, column and fault."""
    sample = _checked_name(where, cells.get("sample", ""))
    where = f"{where}: sample '{sample}'"
    species = _chosen(where, "species", cells.get("species", ""), SPECIES) or AUTO
    alkylation = _chosen(where, "alkylation", cells.get("alkylation", ""), ALKYLATIONS)
    paths = {
        name: _existing(where, name, folder, cells[name])
        for name in PATHS
        if name not in SEVERAL and cells.get(name)
    }
    several = {name: _several(where, name, folder, cells.get(name, "")) for name in SEVERAL}
    reads_format = cells.get("reads_format", "")
    check_together(where, {**paths, **several, "reads_format": reads_format})
    _chosen(where, "reads_format", reads_format, FORMATS)
    if "gaps" in paths and _is_fasta(paths["gaps"]):
        swapped = not _is_fasta(paths["fasta"])
        remedy = "swap it with that of the column fasta" if swapped else "give a table of gaps"
        raise LacunaError(f"{where}: gaps '{paths['gaps']}' is a FASTA file; {remedy}")
    return Sample(
        sample=sample,
        species=species,
        alkylation=alkylation,
        reads=several["reads"],
        spectra=several["spectra"],
        reads_format=reads_format or AUTO,
        **paths,
    )


def check_together(where: str, given: Mapping[str, object]) -> None:
    """Raise LacunaError if a sample has no chains, or lacks a column that another one needs."""
    if not given.get("fasta") and not given.get("reads"):
        raise LacunaError(f"{where} has no fasta and no reads; give the path of one of them")
    if not given.get("fasta"):
        for name in ("gaps", "evidence"):
            if given.get(name):
                raise LacunaError(
                    f"{where} has {name} and no fasta, whose chains it would be of; reads alone "
                    f"give chains of their own: add the fasta or remove {name}"
                )
        if given.get("truth") and given.get("homologs"):
            raise LacunaError(
                f"{where} has a truth, homologs and no fasta; before the chains are found, no copy "
                "of them can be left out of the homologs: remove the homologs or the truth"
            )
    if not given.get("reads"):
        for name in ("contaminants", "reads_format"):
            if given.get(name):
                raise LacunaError(f"{where} has {name} and no reads; add reads or remove {name}")


def _chosen(where: str, column: str, given: str, known: tuple[str, ...]) -> str:
    """The value of a cell that may be empty; raises LacunaError if it is not a known one."""
    if given and given not in known:
        near = difflib.get_close_matches(given.lower(), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(known)}"
        raise LacunaError(f"{where} has the unknown {column} '{shortened(given)}'; {hint}")
    return given


def _several(where: str, column: str, folder: Path, cell: str) -> tuple[Path, ...]:
    """The paths in a cell; LacunaError if one is not a file or occurs twice."""
    names = [name.strip() for name in cell.split(SEPARATOR) if name.strip()]
    found: dict[Path, Path] = {}  # by the path without links, "." and ".."
    for name in names:
        path = _existing(where, column, folder, name)
        if found.setdefault(path.resolve(), path) is not path:
            raise LacunaError(f"{where}: {column} '{shortened(name)}' occurs twice; keep one")
    return tuple(found.values())


def _existing(where: str, column: str, folder: Path, cell: str) -> Path:
    """The path in a cell; raises LacunaError if it is not a file or cannot be used."""
    path = folder / cell
    # The full path includes the folder of the sheet; only the cell can begin with '~'.
    for text in (str(path), "" if os.path.isfile(path) else cell):
        if fault := path_fault(text):
            raise LacunaError(f"{where}: {column} '{shortened(text)}' {fault}")
    if not os.path.isfile(path):  # pathlib raises an error if a name is too long
        fault = "is a folder" if os.path.isdir(path) else "does not exist"
        remedy = "correct it (paths are relative to the sheet)"
        if cell[0] == cell[-1] == '"':
            remedy = "remove its quotes"
        if column in SEVERAL and "," in cell:
            remedy = f"correct it (several files are joined by {SEPARATOR})"
        raise LacunaError(f"{where}: {column} '{shortened(str(path))}' {fault}; {remedy}")
    return path


def _is_fasta(path: Path) -> bool:
    with open_bytes(path) as handle:
        return handle.read(4).removeprefix(b"\xef\xbb\xbf").startswith(b">")
