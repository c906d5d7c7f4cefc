"""Templates aligned to a chain by sequence, for chains without IMGT columns."""

from functools import cache

import numpy as np
from Bio.Align import PairwiseAligner, substitution_matrices

from lacuna.core.alphabet import ABSENT, N_RESIDUES, encode

_PLAIN = str.maketrans("BJZ", "XXX")


@cache
def blosum_aligner() -> PairwiseAligner:
    """Global aligner with BLOSUM62 and affine gaps; X scores 0 against everything."""
    aligner = PairwiseAligner(mode="global", open_gap_score=-11, extend_gap_score=-1)
    matrix = substitution_matrices.load("BLOSUM62")
    matrix["X", :] = 0.0
    matrix[:, "X"] = 0.0
    aligner.substitution_matrix = matrix
    aligner.end_gap_score = -0.5
    return aligner


def residue_tokens(sequence: str) -> np.ndarray:
    """Tokens (length,) uint8 of a template, ABSENT at residues that are not known."""
    tokens = encode(sequence)
    return np.where(tokens < N_RESIDUES, tokens, ABSENT).astype(np.uint8)


def lay_template(target: str, template: str) -> np.ndarray:
    """Tokens of the template aligned to each residue of the target: (length of the target,)."""
    row = np.full(len(target), ABSENT, dtype=np.uint8)
    tokens = residue_tokens(template)
    plain = target.translate(_PLAIN), template.translate(_PLAIN)
    alignment = blosum_aligner().align(*plain)[0]
    for (a, b), (c, d) in zip(*alignment.aligned, strict=True):
        row[a:b] = tokens[c:d]
    return row
