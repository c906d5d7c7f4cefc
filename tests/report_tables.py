"""The tables of a sample made in code: chains that are known, with gaps that are taken as filled."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from lacuna.core.alphabet import RESIDUES
from lacuna.core.tables import (
    ACCURACY_TABLE,
    CHAIN_TABLE,
    GAP_TABLE,
    REJECTED_TABLE,
    RESIDUE_TABLE,
    ChainRow,
    GapRow,
    ResidueRow,
    Shares,
)

NAMES = {
    "filled": "filled.fasta",
    **{name: f"{name}.tsv" for name in ("accuracy", "residues", "gaps", "chains", "rejected")},
}
V_SEGMENTS = [f"IGHV{family}-{number}*01" for family in range(1, 8) for number in range(2, 70, 9)]
J_SEGMENTS = [f"IGHJ{number}*01" for number in range(1, 7)]


def write_tables(
    folder: Path,
    chains: Sequence[tuple[str, Iterable[tuple[int, int]]]],
    *,
    locus: str = "H",
    constant: str = "",
    seed: int = 0,
) -> dict[str, Path]:
    """Write tables of chains, each a sequence and its gaps (start, end), and return their paths.

    Probabilities are drawn; the first candidate of a gap is what the chain has there, the second has
    another last residue, the third one residue less.
    """
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    filled, rows, gaps, residues = [], [], [], []
    for number, (sequence, places) in enumerate(chains):
        name = f"c{number:06}"
        places = list(places)
        filled.append(f">{name} made\n{sequence}\n")
        missing = sum(end - start for start, end in places)
        segments = ("human", rng.choice(V_SEGMENTS), rng.choice(J_SEGMENTS), constant)
        counts = (len(sequence), missing, missing, len(places), 0, 0, 0, 0)
        rows.append(ChainRow(name, locus, *segments, *counts))
        for gap, (start, end) in enumerate(places, 1):
            top = sequence[start:end]
            other = rng.choice(RESIDUES.replace(top[-1], ""))
            p = rng.random()
            listed = [(top, p), (top[:-1] + other, p * 0.3), (top[:-1], p * 0.1)]
            for rank, (letters, share) in enumerate(listed, 1):
                where = (start + 1, end, "27", "38", "", None)
                status = "filled" if rank == 1 else "alternative"
                mass = (len(letters), 500.1, 1.25 if gap == 1 else None, status)
                gaps.append(GapRow(name, gap, start, end, rank, letters, share, *mass, *where))
            for i in range(start, end):
                last = i == end - 1
                share = Shares([(other, 0.2)] if last else [])
                cells = (round(rng.random(), 4), share, rng.choice(RESIDUES), "CDR1", "", "27")
                residues.append(ResidueRow(name, i + 1, gap, sequence[i], *cells, i, ""))
    texts = {
        "filled": "".join(filled),
        "accuracy": ACCURACY_TABLE.header,
        "residues": RESIDUE_TABLE.header + RESIDUE_TABLE.text(residues),
        "gaps": GAP_TABLE.header + GAP_TABLE.text(gaps),
        "chains": CHAIN_TABLE.header + CHAIN_TABLE.text(rows),
        "rejected": REJECTED_TABLE.header,
    }
    for name, text in texts.items():
        (folder / NAMES[name]).write_text(text, encoding="utf-8")
    return {name: folder / file for name, file in NAMES.items()}
