"""Fit the error models of reads, from files to files."""

from collections.abc import Iterator
from pathlib import Path

from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError
from lacuna.reads.errors.fit import CALIBRATION_TABLE, calibrate, fit_all, judge_all
from lacuna.reads.errors.judging import index_chains
from lacuna.reads.errors.model import write_records
from lacuna.reads.known import known_reads
from lacuna.reads.readers import read_peptides
from lacuna.scaffolds.fasta import read_records

_MAX_BYTES = 1 << 20  # of a chain


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
    CALIBRATION_TABLE.write(calibration, rows)
