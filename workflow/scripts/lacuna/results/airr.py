"""A repertoire with its chains filled: `airr.tsv`, by the AIRR Rearrangement schema.

Its columns are those of the input (a paired row of OAS becomes a row a chain), those that the
schema requires, and `lacuna_filled`. `sequence_aa` holds the filled chain; what the input says of
alignment and regions is left as it is, so it covers what was observed.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path

from lacuna.core.files import LacunaError, atomic_write
from lacuna.results.by_chain import RowsByChain
from lacuna.scaffolds.fasta import split_header
from lacuna.scaffolds.repertoire import PAIRED, REQUIRED, Layout, layout_of, plain_name, read_rows

FILLED = "lacuna_filled"
_MOST_BYTES = 1 << 21  # of a chain; what was longer was rejected


def write_airr(fasta: Path, filled: Path, gaps: Path, out: Path) -> None:
    """The rows of a table of rearrangements with their filled chains, in order.

    fasta: the table as it was given; filled, gaps: files of the sample. Rows that could not be used
    are left out. Raises LacunaError if `fasta` is no such table, or no longer has every chain.
    """
    layout = layout_of(fasta)
    if layout is None:
        raise LacunaError(f"{fasta}: no table of rearrangements; run the workflow again")
    columns = _columns(layout)
    with (
        open(filled, "rb") as chains,
        open(gaps, newline="", encoding="utf-8") as table,
        atomic_write(out) as handle,
    ):
        rows = csv.writer(handle, delimiter="\t", lineterminator="\n")
        rows.writerow(columns)
        pairs = zip(chains, chains, strict=True)
        of_gaps = RowsByChain(csv.DictReader(table, delimiter="\t"), itemgetter("chain"))
        waiting = next(pairs, None)
        for chain, cells in _chains(fasta, layout):
            if waiting is None or split_header(waiting[0][1:])[0].decode() != chain:
                continue
            cells["sequence_aa"] = waiting[1].decode().rstrip("\n")
            cells[FILLED] = _spans(of_gaps.of(chain))
            rows.writerow([cells.get(column, "") for column in columns])
            waiting = next(pairs, None)
        if waiting is not None:
            raise LacunaError(f"{fasta}: changed since it was read; run again")


def _columns(layout: Layout) -> list[str]:
    """The columns of airr.tsv, each once: the input's in their order, then what is added."""
    added = [*REQUIRED, "sequence_aa", FILLED]
    if _paired(layout):
        return list(dict.fromkeys([*map(plain_name, layout.columns), "cell_id", *added]))
    return list(dict.fromkeys([*layout.columns, *added]))


def _paired(layout: Layout) -> bool:
    return layout.chains[0].suffix in PAIRED


def _chains(path: Path, layout: Layout) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the id of every chain and the cells of its row by their columns."""
    for row in read_rows(path, layout, _MOST_BYTES):
        if not row.cells:
            continue
        for chain, record in zip(layout.chains, row.records, strict=True):
            if record is None:
                continue
            cells = dict(zip(layout.columns, row.cells, strict=True))
            if chain.suffix:
                cells = dict(_of_chain(cells, chain.suffix))
                cells.setdefault("cell_id", f"row{row.line - layout.header}")
            cells["sequence_id"] = cells.get("sequence_id") or record.chain
            yield record.chain, cells


def _of_chain(cells: Mapping[str, str], suffix: str) -> Iterator[tuple[str, str]]:
    """The cells of one chain of a paired row, by plain names, with those of the whole row."""
    for column, cell in cells.items():
        if column.endswith(suffix):
            yield column.removesuffix(suffix), cell
        elif not column.endswith(PAIRED):
            yield column, cell


def _spans(gaps: Iterable[Mapping[str, str]]) -> str:
    """Where a chain was filled: `1-7;120-121`, positions from 1; gaps: its rows of gaps.tsv."""
    best = (row for row in gaps if row["rank"] == "1" and row["candidate"])
    return ";".join(f"{row['first']}-{row['last']}" for row in best)
