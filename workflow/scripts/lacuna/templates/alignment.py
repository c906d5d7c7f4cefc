"""Templates laid under a chain by alignment, where columns do not say what stands on what."""

from functools import cache

import numpy as np
from Bio.Align import PairwiseAligner, substitution_matrices

from lacuna.core.alphabet import ABSENT, N_RESIDUES, encode

_PLAIN = str.maketrans("BJZ", "XXX")


@cache
def blosum_aligner() -> PairwiseAligner:
    """Global alignment by BLOSUM62 with affine gaps; X is neither like nor unlike anything."""
    aligner = PairwiseAligner(mode="global", open_gap_score=-11, extend_gap_score=-1)
    matrix = substitution_matrices.load("BLOSUM62")
    matrix["X", :] = 0.0
    matrix[:, "X"] = 0.0
    aligner.substitution_matrix = matrix
    aligner.end_gap_score = -0.5
    return aligner


def residue_tokens(sequence: str) -> np.ndarray:
    """Tokens (length,) uint8 of a template, ABSENT where it has no known residue."""
    tokens = encode(sequence)
    return np.where(tokens < N_RESIDUES, tokens, ABSENT).astype(np.uint8)


def lay_template(target: str, template: str) -> np.ndarray:
    """Tokens (length of the target,) of the template under each of its residues."""
    row = np.full(len(target), ABSENT, dtype=np.uint8)
    tokens = residue_tokens(template)
    plain = target.translate(_PLAIN), template.translate(_PLAIN)
    alignment = blosum_aligner().align(*plain)[0]
    for (a, b), (c, d) in zip(*alignment.aligned, strict=True):
        row[a:b] = tokens[c:d]
    return row
