"""The samples of a run as a table that MultiQC reads, next to those of other programs.

https://docs.seqera.io/multiqc/custom_content has the format.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lacuna.core.files import atomic_write
from lacuna.results.counts import Counts

Cell = int | float


class Column(NamedTuple):
    """A column of the table, as MultiQC takes it."""

    title: str
    description: str
    format: str = "{:,.0f}"
    suffix: str = ""
    scale: str = "Blues"
    max: float | None = None


def _share(title: str, description: str, scale: str = "Greens") -> Column:
    return Column(title, description, "{:,.1f}", " %", scale, 100.0)


COLUMNS = {
    "chains": Column("Chains", "chains in filled.fasta"),
    "gaps": Column("Gaps", "gaps, without ambiguity codes that stand alone", scale="Purples"),
    "open": Column("Left open", "gaps that stay X", scale="Reds"),
    "missing": Column("Missing", "missing residues of gaps", scale="Purples"),
    "filled": _share("Filled", "share of them that was filled"),
    "resolved": Column("Codes", "ambiguity codes (J, B, Z) that were resolved", scale="Greens"),
    "right": _share(
        "Right", "share of residues of gaps that are right, where the truth is known", "RdYlGn"
    ),
    "best_baseline": _share("Best baseline", "the same of the most accurate baseline", "RdYlGn"),
    "placed": _share("Reads placed", "share of the peptide reads that lie on a chain", "Blues"),
    "doubts": Column("Doubts", "observed residues that look wrong", scale="Oranges"),
    "rejected": Column("Rejected", "records that could not be used", scale="Reds"),
}


def row_of(
    counts: Counts, right: float | None, best_baseline: float | None, doubts: int | None
) -> dict[str, Cell]:
    """The cells of a sample, for the columns whose values are known.

    right, best_baseline: shares from 0 to 1, None without a truth; doubts: None if the sample was
    not proofread.
    """
    cells: dict[str, Cell | None] = {
        "chains": counts.chains,
        "gaps": counts.gaps,
        "open": counts.open,
        "missing": counts.missing,
        "filled": _percent(counts.filled / counts.missing if counts.missing else None),
        "resolved": counts.resolved if counts.ambiguous else None,
        "right": _percent(right),
        "best_baseline": _percent(best_baseline),
        "placed": _percent(counts.placed / counts.reads if counts.reads else None),
        "doubts": doubts,
        "rejected": counts.rejected,
    }
    return {name: cell for name, cell in cells.items() if cell is not None}


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def write_multiqc(out: Path, samples: Mapping[str, Mapping[str, Cell]]) -> None:
    """Write the table of samples; columns that no sample has are left out."""
    used = [name for name in COLUMNS if any(name in row for row in samples.values())]
    content = {
        "id": "lacuna",
        "section_name": "Lacuna",
        "description": "gaps of antibody protein sequences, filled; report.html has the chains.",
        "plot_type": "table",
        "pconfig": {"id": "lacuna_samples", "title": "Lacuna: samples", "col1_header": "Sample"},
        "headers": {name: _header(COLUMNS[name]) for name in used},
        "data": samples,
    }
    with atomic_write(out) as handle:
        json.dump(content, handle, indent=1, ensure_ascii=False)
        handle.write("\n")


def _header(column: Column) -> dict[str, Any]:
    header = {name: value for name, value in column._asdict().items() if value is not None}
    return {**header, "min": 0}
