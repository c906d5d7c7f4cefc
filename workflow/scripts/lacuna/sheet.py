"""The sample sheet: one row per FASTA file, checked whole before anything runs."""

import csv
import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from lacuna.alkylation import CHOICES as ALKYLATIONS
from lacuna.files import LacunaError, open_text

REQUIRED = ("sample", "fasta")
OPTIONAL_PATHS = ("gaps", "truth", "homologs")
COLUMNS = (*REQUIRED, *OPTIONAL_PATHS, "species", "alkylation")
SPECIES = ("auto", "human", "mouse", "rat", "rabbit", "rhesus", "alpaca")
SAMPLE_PATTERN = (
    r"[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*"  # not '.' or '..': it names a folder
)
# What else stands in the output folder, beside those of the samples.
RESERVED = (
    "accuracy.tsv benchmark_scale.tsv benchmarks logs model peers pretrain report.html summary.txt"
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
    """The samples of a tab-separated sheet, in its order.

    Raises LacunaError at the first fault: a column missing or unknown, an id that is bad, taken or
    stands twice, a species or an alkylation that is not known, a file that does not exist, a sheet
    without rows.
    """
    path = Path(path)
    with open_text(path) as handle:
        rows = csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        lines = [
            (rows.line_num, [cell.strip() for cell in row])
            for row in rows
            if any(cell.strip() for cell in row)
        ]
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


def _check_header(path: Path, line: int, columns: list[str]) -> None:
    """Raise LacunaError where a column is missing, unknown, or there twice."""
    for name in columns:
        if name not in COLUMNS:
            hint = f"separate columns by tabs; known are {_names(COLUMNS)}"
            near = difflib.get_close_matches(name.lower(), COLUMNS, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else hint
            raise LacunaError(f"{path}:{line}: unknown column '{name}'; {remedy}")
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
            f"{where}: '{sample}' is no sample id; use letters, digits, '_', '-' and '.', "
            "not dots alone"
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
        name: _existing(where, name, folder / cells[name])
        for name in ("fasta", *OPTIONAL_PATHS)
        if cells.get(name)
    }
    return Sample(sample=sample, species=species, alkylation=alkylation, **paths)


def _chosen(where: str, column: str, given: str, known: tuple[str, ...]) -> str:
    """A cell that is empty or one of those known; raises LacunaError where it is another."""
    if given and given not in known:
        near = difflib.get_close_matches(given.lower(), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"use one of {_names(known)}"
        raise LacunaError(f"{where} has the unknown {column} '{given}'; {hint}")
    return given


def _existing(where: str, column: str, path: Path) -> Path:
    """The path of a cell; raises LacunaError where it is no file."""
    if not path.is_file():
        fault = "is a folder" if path.is_dir() else "does not exist"
        raise LacunaError(
            f"{where}: {column} '{path}' {fault}; correct it (paths are relative to the sheet)"
        )
    return path


def _names(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names)
