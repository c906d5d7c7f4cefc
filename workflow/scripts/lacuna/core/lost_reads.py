"""Reads that resemble germline but fit no chain, as reads.tsv marks them, and what a user is told.

They are marked if they are so many that a chain was not found (`placing/chains/strays.py`).
"""

from collections.abc import Iterable

from lacuna.core.tables import RESEMBLES, RESEMBLES_SPECIES, PlacedRow


def count_lost(rows: Iterable[PlacedRow]) -> tuple[int, int, str]:
    """Marked reads, reads on chains and contaminants, and the species of the former, '' if it is
    not another one than stated."""
    lost, placed, species = 0, 0, ""
    for row in rows:
        placed += bool(row.chain)
        if row.placed_as.startswith(RESEMBLES):
            lost += 1
            species = row.placed_as.removeprefix(RESEMBLES_SPECIES).removeprefix(RESEMBLES).strip()
    return lost, placed, species


def about_lost(lost: int, species: str) -> str:
    """What a user should know of so many marked reads; species: as in `count_lost`."""
    found = f"{lost} reads that fit no chain resemble"
    if species:
        return f"{found} {species} germline: set species to auto"
    return (
        f"{found} germline: a chain was not found. It may be of another antibody, of serum IgG, of "
        "another species than the one stated (set species to auto), or of one that is not bundled "
        "(give its chains as a FASTA, with X for what is not known). Even residues with a high "
        "probability may belong to the missing chain"
    )
