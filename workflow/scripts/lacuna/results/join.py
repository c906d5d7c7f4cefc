"""The files of a sample: joined from the results of its blocks.

Neither torch nor pandas is imported here, so that jobs that only copy text start at once.
"""

import csv
import shutil
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path

from lacuna.core.files import atomic_write, atomic_write_bytes
from lacuna.core.tables import CHAIN_TABLE, DOUBT_TABLE, GAP_TABLE, MASS_TABLE, RESIDUE_TABLE
from lacuna.results.by_chain import RowsByChain
from lacuna.scaffolds.fasta import fasta_record, split_header

MODEL = "lacuna"
BASELINES = ("germline_copy", "nearest_homolog", "column_majority")
HEADERS = {
    "residues": RESIDUE_TABLE.header,
    "gaps": GAP_TABLE.header,
    "chains": CHAIN_TABLE.header,
    "masses": MASS_TABLE.header,
    "doubts": DOUBT_TABLE.header,
}


def join_parts(table: str, parts: Iterable[Path], out: Path) -> None:
    """Concatenate the parts of a table in order, under its header; a FASTA (`filled`) has none."""
    with atomic_write_bytes(out) as handle:
        handle.write(HEADERS.get(table, "").encode())
        for part in parts:
            with open(part, "rb") as source:
                shutil.copyfileobj(source, handle)


def write_alternatives(gaps: Path, filled: Path, out: Path) -> None:
    """Write chains with one gap filled differently: `>chain|gap2|rank3 probability=0.04`.

    gaps, filled: tables of a sample from `join_parts`, with chains in the same order.
    """
    with (
        open(gaps, newline="", encoding="utf-8") as table,
        open(filled, "rb") as fasta,
        atomic_write(out) as handle,
    ):
        rows = RowsByChain(csv.DictReader(table, delimiter="\t"), itemgetter("chain"))
        for header, sequence in zip(fasta, fasta, strict=True):
            chain, letters = split_header(header[1:])[0].decode(), sequence.decode().rstrip("\n")
            for row in rows.of(chain):
                if row["rank"] != "1":
                    name = f"{chain}|gap{row['gap']}|rank{row['rank']}"
                    before, after = letters[: int(row["first"]) - 1], letters[int(row["last"]) :]
                    about = f"probability={row['probability']}"
                    handle.write(fasta_record(name, about, before + row["candidate"] + after))
