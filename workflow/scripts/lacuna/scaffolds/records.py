"""The records of a file of chains: FASTA, or a table of rearrangements, whichever it is."""

from collections.abc import Iterator
from pathlib import Path

from lacuna.scaffolds.fasta import Record
from lacuna.scaffolds.fasta import count_records as count_fasta
from lacuna.scaffolds.fasta import read_records as read_fasta
from lacuna.scaffolds.repertoire import count_chains, layout_of, read_chains

# Of a record, for each residue that its chain may have. Generous: an inline gap takes about 16,
# plus blanks and line ends.
BYTES_PER_RESIDUE = 32


def is_repertoire(path: str | Path) -> bool:
    """Whether a file is a table of rearrangements (AIRR, OAS).

    Raises LacunaError if it cannot be read, or is such a table without a column of chains.
    """
    return layout_of(path) is not None


def count_records(path: str | Path) -> int:
    """The number of records of a file, usable or not, by one pass over its bytes.

    Of a table it may be too high, by blank lines and chains that pairs lack. Raises LacunaError if
    the file cannot be read or holds no chains.
    """
    layout = layout_of(path)
    return count_fasta(path) if layout is None else count_chains(path, layout)


def read_records(path: str | Path, max_bytes: int) -> Iterator[Record]:
    """Yield the records of a file (plain or gzipped) in order, one at a time.

    No more than about `max_bytes` of one sequence are held: of a longer record `fault` says so.
    Raises LacunaError if the file cannot be read or holds no chains.
    """
    layout = layout_of(path)
    if layout is None:
        yield from read_fasta(path, max_bytes)
    else:
        yield from read_chains(path, layout, max_bytes)
