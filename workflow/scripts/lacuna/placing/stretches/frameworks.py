"""Whether a CDR3 runs into a framework, or through one: it is then made of reads of two chains."""

from functools import cache

import numpy as np

from lacuna.antibody.germlines import j_segments, v_segments
from lacuna.antibody.imgt import CYS104, FR4_START, TRP41
from lacuna.core.alphabet import ABSENT, CYSTEINE, N_RESIDUES, TRYPTOPHAN, merge_il

# Residues in a row by which FR4 is told. Of 10,600 natural CDR3s 0.2 % hold such a run, and 1 % one
# of four (FGSG, WGAG); mixtures of VHHs have wrong CDR3s if FR4 is not told without its first
# residue, which may be mutated (tests/benchmarks/read_panel.py --mixed 2).
OF_FR4 = 5
IN_FRONT = 2  # residues of CDR3 with which the first three of FR4 are told, as DVWGK
# Residues of FR2 around Trp41 and at the end of FR3, and how many of these a CDR3 has that runs
# through them: of 10,600 natural CDR3s (test sets of AbNatiV 2, OAS) none has more than 7.
OF_FRAMEWORK, LIKE_FRAMEWORK = 16, 9
# Residues that no CDR3 begins with and has once more behind a Cys: the side that shows them begins
# in FR3, with other residues of it than the chain has, and shows the whole CDR3.
BEGINNING = 2


@cache
def _fr4_ends() -> frozenset[bytes]:
    """The first and the last residues of FR4 of all J segments, those behind the first, and the
    first ones with what is in front of them."""
    j = merge_il(j_segments().tokens)
    starts = FR4_START - IN_FRONT, FR4_START, FR4_START + 1
    runs = [row for start in starts for row in j[:, start : start + OF_FR4]]
    runs += [row[row != ABSENT][-OF_FR4:] for row in j]
    return frozenset(run.tobytes() for run in runs if (run < N_RESIDUES).all())


def holds_fr4(stretch: np.ndarray) -> bool:
    """Whether a CDR3 goes on into an FR4, or through it, and from there to the end of its own."""
    runs = (stretch[i : i + OF_FR4].tobytes() for i in range(len(stretch) - OF_FR4 + 1))
    return not _fr4_ends().isdisjoint(runs)


def begins_again(tokens: np.ndarray) -> int:
    """Where a CDR3 has Cys and what it begins with once more, the last such place; 0 if nowhere."""
    start = tokens[:BEGINNING]
    if (start >= N_RESIDUES).any():
        return 0
    behind = np.flatnonzero(tokens == CYSTEINE) + 1
    again = [at for at in behind.tolist() if np.array_equal(tokens[at : at + BEGINNING], start)]
    return again[-1] if again else 0


def holds_framework(stretch: np.ndarray) -> bool:
    """Whether a CDR3 goes on into a framework, or through one."""
    return holds_fr4(stretch) or holds_v(stretch)


@cache
def _frameworks() -> tuple[tuple[int, int, np.ndarray], ...]:
    """Of FR2 and of the end of FR3: a residue that hardly any V segment lacks, how many are in
    front of it, and (m, OF_FRAMEWORK) the residues around it of all V segments."""
    rows = merge_il(v_segments().tokens)
    ends = [row[row != ABSENT][-OF_FRAMEWORK:] for row in rows[:, : CYS104 + 1]]
    starts = rows[:, TRP41 - 1 : TRP41 - 1 + OF_FRAMEWORK]
    fr2, fr3 = (
        np.unique([r for r in of if (r < N_RESIDUES).all()], axis=0) for of in (starts, ends)
    )
    return (TRYPTOPHAN, 1, fr2), (CYSTEINE, OF_FRAMEWORK - 1, fr3)


def holds_v(stretch: np.ndarray) -> bool:
    """Whether a CDR3 runs through FR2 or the end of an FR3, and so through another chain."""
    for residue, ahead, runs in _frameworks():
        for start in (np.flatnonzero(stretch == residue) - ahead).tolist():
            part = stretch[start : start + OF_FRAMEWORK] if start >= 0 else stretch[:0]
            if len(part) == OF_FRAMEWORK and (runs == part).sum(1).max() >= LIKE_FRAMEWORK:
                return True
    return False
