"""The sample sheet: one row per FASTA file, checked whole before anything runs."""

import csv
import difflib
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

from lacuna.core.config import shortened
from lacuna.core.files import LacunaError, open_bytes, open_text, path_fault
from lacuna.scaffolds.alkylation import CHOICES as ALKYLATIONS

REQUIRED = ("sample", "fasta")
OPTIONAL_PATHS = ("gaps", "truth", "homologs")
COLUMNS = (*REQUIRED, *OPTIONAL_PATHS, "species", "alkylation")
SPECIES = ("auto", "human", "mouse", "rat", "rabbit", "rhesus", "alpaca")
SAMPLE_PATTERN = (
    r"[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*"  # not '.' or '..': it names a folder
)
MAX_NAME = 100  # letters of a sample's name, which is a part of the names of files
_DELIMITERS = "\t,;"  # tabs, or what Excel writes as CSV in one language or another
# What else stands in the output folder, beside those of the samples.
RESERVED = (
    "accuracy.tsv benchmark_reads.tsv benchmark_scale.tsv benchmarks config.yaml logs model packs "
    "peers pretrain read_errors report.html summary.txt"
).split()


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of the sheet; relative paths are resolved against the folder of the sheet."""

    sample: str
    fasta: Path
    gaps: Path | None = None
    truth: Path | None = None
    homologs: Path | None = None
    species: str = SPECIES[0]
    alkylation: str = ""  # that of the configuration


def read_sheet(path: str | Path) -> tuple[Sample, ...]:
    """The samples of a sheet, in its order: separated by tabs, or CSV as a spreadsheet saves it.

    Raises LacunaError at the first fault: a column missing or unknown, an id that is bad, taken or
    stands twice, a species or an alkylation that is not known, a file that does not exist, a sheet
    without rows.
    """
    path = Path(path)
    lines = _read_lines(path)
    if not lines:
        raise LacunaError(
            f"{path}: the sample sheet is empty; give a header with {_names(COLUMNS)}"
        )
    columns = lines[0][1]
    _check_header(path, lines[0][0], columns)
    if len(lines) == 1:
        raise LacunaError(f"{path}: the sample sheet has a header but no rows; give one per sample")

    first_line: dict[str, int] = {}
    samples = []
    for line, cells in lines[1:]:
        where = f"{path}:{line}"
        if len(cells) > len(columns):
            raise LacunaError(
                f"{where}: {len(cells)} cells under {len(columns)} columns; remove what is too much"
            )
        sample = _sample(where, path.parent, dict(zip(columns, cells, strict=False)))
        if first_line.setdefault(sample.sample, line) != line:
            raise LacunaError(
                f"{where}: sample '{sample.sample}' stands on line "
                f"{first_line[sample.sample]} already; rename one of them"
            )
        samples.append(sample)
    return tuple(samples)


def _read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """The lines that are not empty, with their numbers, as cells without blanks around them."""
    with open_text(path) as handle:
        text = handle.read()
    if text.startswith("PK\3\4"):
        raise LacunaError(f"{path}: a workbook of a spreadsheet; save it as tab-separated text")
    delimiter = _delimiter(text)
    source = io.StringIO(text)
    if delimiter == "\t":  # has no quotes: those of a path belong to it
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
            f"{path}:{rows.line_num}: cannot be cut into cells ({error}); correct the line"
        ) from None
    return lines


def _delimiter(text: str) -> str:
    """What separates the cells: what the first line that is not empty is cut by."""
    header = text.lstrip().partition("\n")[0]
    for delimiter in _DELIMITERS:
        names = {name.strip(' "').lower() for name in header.split(delimiter)}
        if delimiter in header and not names.isdisjoint(COLUMNS):
            return delimiter
    return "\t"


def _check_header(path: Path, line: int, columns: list[str]) -> None:
    """Raise LacunaError where a column is missing, unknown, or there twice."""
    for name in columns:
        if name not in COLUMNS:
            hint = f"separate columns by tabs; known are {_names(COLUMNS)}"
            # Blanks within: a header whose columns are separated by blanks.
            near = [] if " " in name else difflib.get_close_matches(name.lower(), COLUMNS, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else hint
            raise LacunaError(f"{path}:{line}: unknown column '{shortened(name)}'; {remedy}")
        if columns.count(name) > 1:
            raise LacunaError(f"{path}:{line}: column '{name}' stands twice; keep one of them")
    for name in REQUIRED:
        if name not in columns:
            raise LacunaError(
                f"{path}:{line}: column '{name}' is missing (found: {_names(columns)}); add it"
            )


def _sample(where: str, folder: Path, cells: dict[str, str]) -> Sample:
    """The sample of a row; raises LacunaError naming row, column and fault."""
    sample = cells.get("sample", "")
    if not re.fullmatch(SAMPLE_PATTERN, sample):
        raise LacunaError(
            f"{where}: '{shortened(sample)}' is no sample id; use letters, digits, '_', '-' and "
            "'.', not dots alone"
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
    where = f"{where}: sample '{sample}'"
    species = _chosen(where, "species", cells.get("species", ""), SPECIES) or SPECIES[0]
    alkylation = _chosen(where, "alkylation", cells.get("alkylation", ""), ALKYLATIONS)
    if not cells.get("fasta"):
        raise LacunaError(f"{where} has no fasta; give the path of a FASTA file")
    paths = {
        name: _existing(where, name, folder, cells[name])
        for name in ("fasta", *OPTIONAL_PATHS)
        if cells.get(name)
    }
    if "gaps" in paths and _is_fasta(paths["gaps"]):
        swapped = not _is_fasta(paths["fasta"])
        remedy = "swap it with that of the column fasta" if swapped else "give a table of gaps"
        raise LacunaError(f"{where}: gaps '{paths['gaps']}' is a FASTA file; {remedy}")
    return Sample(sample=sample, species=species, alkylation=alkylation, **paths)


def _chosen(where: str, column: str, given: str, known: tuple[str, ...]) -> str:
    """A cell that is empty or one of those known; raises LacunaError where it is another."""
    if given and given not in known:
        near = difflib.get_close_matches(given.lower(), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"use one of {_names(known)}"
        raise LacunaError(f"{where} has the unknown {column} '{shortened(given)}'; {hint}")
    return given


def _existing(where: str, column: str, folder: Path, cell: str) -> Path:
    """The path of a cell; raises LacunaError where it is no file, or none that can be used."""
    path = folder / cell
    # The path itself shows the folder of the sheet too, the cell whether it begins with '~'.
    for text in (str(path), "" if os.path.isfile(path) else cell):
        if fault := path_fault(text):
            raise LacunaError(f"{where}: {column} '{shortened(text)}' {fault}")
    if not os.path.isfile(path):  # pathlib raises an error where a name is too long
        fault = "is a folder" if os.path.isdir(path) else "does not exist"
        remedy = "correct it (paths are relative to the sheet)"
        if cell[0] == cell[-1] == '"':
            remedy = "remove its quotes"
        raise LacunaError(f"{where}: {column} '{shortened(str(path))}' {fault}; {remedy}")
    return path


def _is_fasta(path: Path) -> bool:
    with open_bytes(path) as handle:
        return handle.read(4).removeprefix(b"\xef\xbb\xbf").startswith(b">")


def _names(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names)
