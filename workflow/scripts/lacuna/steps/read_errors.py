"""Fit the error models of reads, from files to files."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError, atomic_write, open_text
from lacuna.reads.error_fit import CALIBRATION_TABLE, calibrate, fit_all, judge_all
from lacuna.reads.error_model import write_records
from lacuna.reads.judging import index_chains
from lacuna.reads.readers import read_peptides
from lacuna.scaffolds.fasta import read_records

_MAX_BYTES = 1 << 20  # of a chain
_COLUMNS = ("set", "protein", "reads", "truth")


class KnownReads(NamedTuple):
    """Reads of a protein whose sequence is known; sets of one protein are left out together."""

    name: str
    protein: str
    reads: tuple[Path, ...]
    truth: Path


def known_reads(path: str | Path | None) -> list[KnownReads]:
    """The rows of a table `set protein reads truth`; paths are relative to it, reads joined by `;`.

    Raises LacunaError that names the line if a cell or a file is missing.
    """
    if path is None:
        raise LacunaError("config: 'read_errors.sets' is null; give a table of reads with truths")
    folder = Path(path).parent
    found = []
    with open_text(path) as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        if missing := [name for name in _COLUMNS if name not in (rows.fieldnames or ())]:
            raise LacunaError(f"{path}:1: column '{missing[0]}' is missing; add it")
        for row in rows:
            where = f"{path}:{rows.line_num}"
            if empty := [name for name in _COLUMNS if not row[name]]:
                raise LacunaError(f"{where}: '{empty[0]}' is empty; fill it")
            reads = tuple(folder / one.strip() for one in row["reads"].split(";"))
            truth = folder / row["truth"]
            for file in (*reads, truth):
                if not file.is_file():
                    raise LacunaError(f"{where}: {file} is no file; correct the path")
            found.append(KnownReads(row["set"], row["protein"], reads, truth))
    if not found:
        raise LacunaError(f"{path}: it has no rows; give reads with truths")
    return found


def files_of(sets: Sequence[KnownReads]) -> list[Path]:
    """Every file that the sets name."""
    return list(dict.fromkeys(file for one in sets for file in (*one.reads, one.truth)))


def _sequences(path: Path) -> Iterator[str]:
    """The chains of a FASTA file; LacunaError if one holds anything but the 20 residues."""
    for record in read_records(path, _MAX_BYTES):
        sequence = b"".join(record.body.split()).decode("ascii", errors="replace").upper()
        if record.fault or not sequence or set(sequence) - set(RESIDUES):
            raise LacunaError(
                f"{path}:{record.line}: '{record.chain}' is no chain of the 20 residues; correct it"
            )
        yield sequence


def fit_read_errors(sets: Path, models: Path, calibration: Path) -> None:
    """Write the models fitted on the sets of a table; their calibration on proteins left out."""
    judged = []
    for one in known_reads(sets):
        chains = index_chains(_sequences(one.truth))
        judged.append(judge_all(one.name, one.protein, read_peptides(one.reads).reads, chains))
    if not any(one.reads for one in judged):
        raise LacunaError(f"{sets}: no read shares a run with its truth; correct the table")
    records = fit_all([one for one in judged if one.reads])
    write_records(models, records)
    rows = calibrate(judged, records)
    with atomic_write(calibration) as handle:
        handle.write(CALIBRATION_TABLE.header + CALIBRATION_TABLE.text(rows))
