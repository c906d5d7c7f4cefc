"""Where each read lies, as rows of reads.tsv."""

from collections.abc import Sequence

import numpy as np

from lacuna.core.alphabet import decode
from lacuna.core.tables import CONTAMINANT, LOW_CONFIDENCE, UNSURE_FILE, PlacedRow
from lacuna.placing.aligning.alignment import BLOCK, INSERTED, MATCH, ON_MISSING, OTHER_BLOCK
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.votes.placement import Placements
from lacuna.reads.read import Read

TOO_SHORT = "shorter than a seed"
NOWHERE = "fits no chain"
MAX_DIFFERENCES = 6  # that are written of a read
# Kinds of aligned residues that are one difference with those that follow.
_RUNS = {
    INSERTED: (INSERTED,),
    ON_MISSING: (ON_MISSING,),
    BLOCK: (BLOCK, OTHER_BLOCK),
    OTHER_BLOCK: (BLOCK, OTHER_BLOCK),
}


def rows_of(
    reads: Sequence[Read],
    found: ReadSet,
    placements: Placements,
    names: Sequence[str],
    n_chains: int,
) -> list[PlacedRow]:
    """A row for each given read, in order.

    names: of all chains; those from `n_chains` on are contaminants.
    """
    order = np.lexsort((-placements.share, placements.alignment.read))
    read_of = placements.alignment.read[order]
    first = order[np.diff(read_of, prepend=-1) != 0]
    shared = np.bincount(read_of, minlength=len(found)) > 1
    cells = {}  # of each different read that is placed
    for k in first.tolist():
        row = int(placements.alignment.read[k])
        cells[row] = _cells(found, placements, k, names, n_chains, shared=bool(shared[row]))
    sure = {read.file for read in reads if not _is_unsure(read)}
    rows = []
    for read, group in zip(reads, found.group.tolist(), strict=True):
        nowhere = NOWHERE if read.file in sure else UNSURE_FILE
        why = TOO_SHORT if group < 0 else nowhere
        placed = cells.get(group, ("", None, None, None, why, ""))
        rows.append(PlacedRow(read.name, read.tool, *placed))
    return rows


def _cells(
    found: ReadSet,
    placements: Placements,
    k: int,
    names: Sequence[str],
    n_chains: int,
    *,
    shared: bool,
) -> tuple[str, int | None, int | None, float | None, str, str]:
    """The cells of the row of a read behind its name and tool, by its placement k."""
    a, chain = placements.alignment, int(placements.chain[k])
    start, end = (a.span[k] - placements.text.start[chain]).tolist()
    if chain >= n_chains:
        placed_as = CONTAMINANT
    elif shared:
        placed_as = "shared"
    else:
        whole = a.core[k, 0] == 0 and a.core[k, 1] == found.length[a.read[k]]
        placed_as = "whole" if whole else "core"
    differences = _differences(found, placements, k)
    return names[chain], start, end, float(a.score[k]), placed_as, differences


def _is_unsure(read: Read) -> bool:
    """Whether a read has confidences, or a score, none of them above LOW_CONFIDENCE."""
    highest = max(read.confidences) if read.confidences else read.score
    return highest is not None and highest <= LOW_CONFIDENCE


def _differences(reads: ReadSet, placements: Placements, k: int) -> str:
    """Where a read and its chain differ, at positions from 1, joined by commas.

    `D54N` (chain, position, read) and `GG55-56N`; residues that the read lacks, `V37del`, and those
    that the chain lacks, `37-38insGH` between two positions.
    """
    a = placements.alignment
    chain = int(placements.text.start[placements.chain[k]])
    at, kind, letters = a.at[k].tolist(), a.kind[k].tolist(), decode(reads.tokens[a.read[k]])
    c, stop = a.core[k].tolist()
    place = int(a.span[k, 0])  # of the chain, behind what was compared
    found = []

    def written(start: int, end: int, after: str) -> str:
        where = f"{start - chain + 1}" + (f"-{end - chain}" if end - start > 1 else "")
        return f"{decode(placements.text.tokens[start:end])}{where}{after}"

    while c < stop:
        begin, c = c, c + 1
        while c < stop and kind[c] in _RUNS.get(kind[begin], ()):
            c += 1
        after = letters[begin:c]
        if kind[begin] == INSERTED:
            found.append(f"{place - chain}-{place - chain + 1}ins{after}")
            continue
        # A block of another length may be longer in front of its first residue.
        start = place if kind[begin] == OTHER_BLOCK else at[begin]
        if start > place:
            found.append(written(place, start, "del"))
        place = at[c - 1] + 1
        if kind[begin] != MATCH and decode(placements.text.tokens[start:place]) != after:
            found.append(written(start, place, after))
    more = ["..."] if len(found) > MAX_DIFFERENCES else []
    return ",".join(found[:MAX_DIFFERENCES] + more)
