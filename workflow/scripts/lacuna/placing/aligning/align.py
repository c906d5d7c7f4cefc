"""Alignment of reads with chains: local, banded, and aware of masses.

A read is aligned to a stretch of a chain by dynamic programming over steps (a, b): a residues of
the read against b of the chain. (1, 1) is a match or a mismatch; a block of up to four residues
against up to four counts as explained if both weigh the same, with a modification that the search
may not have listed (de novo reads confuse such blocks: N = GG, Q = AG, W = AD, M(ox)L = YP). What
is left is an insertion or a deletion.

Scores are log odds in nats against residues by chance.
"""

import numpy as np

from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.placing.aligning.alignment import Alignment
from lacuna.placing.aligning.carried import Carried
from lacuna.placing.aligning.kernel import align_reads
from lacuna.placing.aligning.readset import LEAST_RIGHT, MOST_RIGHT, ReadSet

# Share of each residue in proteins (UniProtKB/Swiss-Prot 2024_01), I with L: reads that are of no
# chain hold runs of the common ones, which would fit any chain that does.
_SHARES = {
    **{"A": 0.0826, "C": 0.0139, "D": 0.0546, "E": 0.0672, "F": 0.0387, "G": 0.0707, "H": 0.0228},
    **{"I": 0.1555, "K": 0.0580, "L": 0.1555, "M": 0.0241, "N": 0.0406, "P": 0.0475, "Q": 0.0393},
    **{"R": 0.0553, "S": 0.0665, "T": 0.0536, "V": 0.0686, "W": 0.0110, "Y": 0.0292},
}
CHANCE_OF_RESIDUE = np.full(256, 1.0)
CHANCE_OF_RESIDUE[:N_RESIDUES] = [_SHARES[r] for r in RESIDUES]
MUTATED_SHARE = 0.04  # of a residue to differ from the one a template has
MIN_SCORE = 12.0  # nats of a core that is placed


def align(
    reads: ReadSet,
    rows: np.ndarray,
    diagonals: np.ndarray,
    text: np.ndarray,
    least: float = MIN_SCORE,
) -> Alignment:
    """The best local alignment of each read (rows) near a diagonal of the text.

    rows, diagonals (m,): read, and the position of the text under its first residue; text (t,)
    tokens with L for I. Alignments whose core scores less than `least` are left out.
    """
    found, _ = align_each(reads, rows, diagonals, text, least)
    return found.take(np.lexsort((found.span[:, 0], found.read)))


def align_each(
    reads: ReadSet,
    rows: np.ndarray,
    diagonals: np.ndarray,
    text: np.ndarray,
    least: float = MIN_SCORE,
) -> tuple[Alignment, np.ndarray]:
    """As `align`, in the order of the m reads and diagonals, and which of them each alignment is
    of."""
    part = reads.take(rows)
    score, core, span, at, kind = align_reads(
        part.tokens,
        part.written,
        part.length,
        part.delta,
        *_score_tables(part),
        diagonals,
        text,
        reads.shift,
        least,
        Carried.of(reads.cysteine),
    )
    kept = np.flatnonzero(score >= least)
    return Alignment(rows[kept], *(x[kept] for x in (score, core, span, at, kind))), kept


def _score_tables(reads: ReadSet) -> tuple[np.ndarray, np.ndarray]:
    """(n, w) nats of a residue that agrees with the template, and of one that does not."""
    right = np.clip(reads.right, LEAST_RIGHT, MOST_RIGHT)
    chance = CHANCE_OF_RESIDUE[reads.tokens]
    wrong = (1 - right) * chance  # what a read has by mistake is like any other residue
    agrees = np.log(((1 - MUTATED_SHARE) * right + MUTATED_SHARE * wrong) / chance)
    differs = np.log(
        ((1 - MUTATED_SHARE) * wrong + MUTATED_SHARE / (N_RESIDUES - 2) * right) / chance
    )
    return agrees, differs
