"""Read a sample's peptide reads, from files to files."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

from lacuna.core.files import LacunaError, atomic_write, open_text
from lacuna.core.tables import REJECTED_TABLE
from lacuna.core.words import AUTO
from lacuna.reads import readers
from lacuna.reads.cysteine import carried_by_c, write_carried
from lacuna.reads.read import Read

_FIELDS = tuple(field.name for field in fields(Read))

LOG = logging.getLogger(__name__)


def read_peptides(
    paths: Sequence[Path], reads_format: str, out: Path, rejected: Path, cysteine: Path
) -> None:
    """Write the reads of a sample's files, one JSON object per line, and list unusable rows.

    reads_format: the tool that wrote the files, or `auto`; cysteine: what reads carry on C. If no
    row is usable the log says so, and the sample has no chain. Raises LacunaError if a file is of
    no known format or has no row.
    """
    stated = None if reads_format == AUTO else reads_format
    found = readers.read_peptides(paths, stated)
    if not found.reads:
        files = ", ".join(map(str, paths))
        if not found.rejected:
            why = next(
                filter(None, (readers.why_empty(path, stated) for path in paths)), "check it"
            )
            raise LacunaError(f"{files}: no row can be read as a peptide; {why}")
        LOG.warning("%s: no row can be read as a peptide: %s", files, found.rejected[0].reason)
    write_reads(out, found.reads)
    write_carried(cysteine, carried_by_c(found.reads))
    REJECTED_TABLE.write(rejected, found.rejected)


def write_reads(path: Path, reads: Sequence[Read]) -> None:
    """Write reads, one JSON object per line."""
    with atomic_write(path) as handle:
        for read in reads:
            cells = {name: getattr(read, name) for name in _FIELDS}
            handle.write(json.dumps(cells, separators=(",", ":")) + "\n")


def load_reads(path: Path) -> list[Read]:
    """The reads that `write_reads` wrote; LacunaError names the first bad line."""
    return list(_reads(path))


def _reads(path: Path) -> Iterator[Read]:
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            try:
                found = json.loads(line)
                if found["confidences"] is not None:
                    found["confidences"] = tuple(found["confidences"])
                found["modifications"] = tuple((at, mass) for at, mass in found["modifications"])
                yield Read(**{name: found[name] for name in _FIELDS})
            except (ValueError, KeyError, TypeError):
                raise LacunaError(f"{path}:{number}: not a read; run the workflow again") from None
