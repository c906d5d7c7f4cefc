"""The tables of a sample made in code: known chains, with gaps that are taken as filled."""

import random
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from lacuna.antibody.imgt import regions_of
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import AMBIGUOUS, RESIDUES
from lacuna.core.tables import (
    ACCURACY_TABLE,
    CHAIN_TABLE,
    GAP_TABLE,
    REJECTED_TABLE,
    RESIDUE_TABLE,
    ChainRow,
    GapRow,
    ResidueRow,
)
from lacuna.core.tsv import Readings, Shares
from lacuna.filling.rows import regions_as_text
from tsv import row_of

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
    names: Sequence[str] = (),
    v_segments: Sequence[str] = (),
    regions: Sequence[str] = (),
    locus: str = "H",
    constant: str = "",
    codes: bool = False,
    seed: int = 0,
) -> dict[str, Path]:
    """Write tables of chains, each a sequence and its gaps (start, end), and return their paths.

    Probabilities are drawn. The first candidate of a gap is what the chain has there; the second
    has another last residue, the third one residue less. codes: every I and L outside of gaps was
    a J.
    """
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    filled, rows = [], []
    gaps: list[GapRow] = []
    residues: list[ResidueRow] = []
    for number, (sequence, places) in enumerate(chains):
        name = names[number] if names else f"c{number:06}"
        gapped = list(places)
        in_gaps = {i for start, end in gapped for i in range(start, end)}
        coded = [i for i, c in enumerate(sequence) if c in AMBIGUOUS["J"] and i not in in_gaps]
        every = sorted([*gapped, *((i, i + 1) for i in coded if codes)])
        filled.append(f">{name} made\n{sequence}\n")
        v_segment = v_segments[number] if v_segments else rng.choice(V_SEGMENTS)
        n_codes = len(every) - len(gapped)
        rows.append(
            ChainRow(
                chain=name,
                locus=locus,
                species="human",
                v_segment=v_segment,
                j_segment=rng.choice(J_SEGMENTS),
                c_segment=constant,
                length=len(sequence),
                missing=len(in_gaps),
                filled=len(in_gaps),
                gaps=len(gapped),
                open=0,
                ambiguous=n_codes,
                resolved=n_codes,
                without_template=0,
                regions=regions[number] if regions else regions_of_chain(sequence),
                n_terminal=sum(end for start, end in gapped if start == 0),
                c_terminal=sum(end - start for start, end in gapped if end == len(sequence)),
            )
        )
        for gap, (start, end) in enumerate(every, 1):
            code = "" if (start, end) in gapped else "J"
            place = (name, gap, start, end)
            gaps += _candidates(place, sequence, code, rng)
            residues += _residues(place, sequence, code, gaps[-1], rng)
    texts = {
        "filled": "".join(filled),
        "accuracy": ACCURACY_TABLE.header,
        "residues": RESIDUE_TABLE.whole(residues),
        "gaps": GAP_TABLE.whole(gaps),
        "chains": CHAIN_TABLE.whole(rows),
        "rejected": REJECTED_TABLE.header,
    }
    for name, text in texts.items():
        (folder / NAMES[name]).write_text(text, encoding="utf-8")
    return {name: folder / file for name, file in NAMES.items()}


@cache
def regions_of_chain(sequence: str) -> str:
    """The column `regions` of a chain without gaps."""
    columns = [part.numbering.columns for part in number_parts(sequence)]
    return regions_as_text(regions_of(np.concatenate(columns)).tolist())


def _candidates(
    place: tuple[str, int, int, int], sequence: str, code: str, rng: random.Random
) -> list[GapRow]:
    name, gap, start, end = place
    top, p = sequence[start:end], rng.random()
    if code:
        listed = [(top, 0.5 + p / 2), ("I" if top == "L" else "L", 0.5 - p / 2)]
    else:
        other = rng.choice(RESIDUES.replace(top[-1], ""))
        listed = [(top, p), (top[:-1] + other, p * 0.3), (top[:-1], p * 0.1)]
    return [
        row_of(
            GAP_TABLE,
            chain=name,
            gap=gap,
            start=start,
            end=end,
            rank=rank,
            candidate=letters,
            probability=share,
            length=len(letters),
            mass=500.1,
            mass_error_ppm=1.25 if gap % 2 else None,
            status="alternative" if rank > 1 else "filled",
            first=start + 1,
            last=end,
            imgt_first="27",
            imgt_last="38",
            ambiguity=code,
            cysteine=Readings((("none", 1.0),)) if gap % 2 else None,
        )
        for rank, (letters, share) in enumerate(listed, 1)
    ]


def _residues(
    place: tuple[str, int, int, int], sequence: str, code: str, last: GapRow, rng: random.Random
) -> list[ResidueRow]:
    name, gap, start, end = place
    rows = []
    for i in range(start, end):
        second = [(last.candidate, 0.2)] if code else []
        if i == start and not code:
            second = [(rng.choice(RESIDUES.replace(sequence[i], "")), 0.2)]
        rows.append(
            row_of(
                RESIDUE_TABLE,
                chain=name,
                position=i + 1,
                gap=gap,
                residue=sequence[i],
                germline=rng.choice(RESIDUES),
                probability=round(rng.random(), 4),
                alternatives=Shares(second),
                region="CDR1",
                imgt="27",
                scaffold_position=i,
                ambiguity=code,
            )
        )
    return rows
