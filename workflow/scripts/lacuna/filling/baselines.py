"""Baselines for the network: germline, nearest homolog, and the majority of a column."""

import numpy as np

from lacuna.antibody.germlines import LOCI, j_segments, v_segments
from lacuna.antibody.imgt import N_CODES
from lacuna.core.alphabet import N_RESIDUES, decode
from lacuna.network.kmers import KmerSet
from lacuna.templates.nearest import N_GERMLINE


def column_majorities() -> np.ndarray:
    """Commonest residue in the germline segments of each locus: (loci, N_CODES) tokens."""
    table = np.full((len(LOCI), N_CODES), N_RESIDUES, dtype=np.uint8)
    for segments in (v_segments(), j_segments()):
        for locus in range(len(LOCI)):
            tokens = segments.tokens[segments.locus == locus]
            counts = np.stack([(tokens == r).sum(0) for r in range(N_RESIDUES)])  # (20, codes)
            free = (table[locus] == N_RESIDUES) & (counts.sum(0) > 0)
            table[locus, free] = counts.argmax(0)[free]
    return table


def baselines_of(kmers: KmerSet) -> list[list[str]]:
    """t residues each from the germline, the nearest homolog and the majority of the column.

    A baseline without an answer has X.
    """
    at = kmers.at()[:2]  # k-mers and places
    templates = kmers.templates.numpy()[at[0], :, at[1]]  # (t, slots)
    loci = kmers.target_loci()
    by_germline = column_majorities()[loci, kmers.columns.numpy()[at]]
    majority = np.where(loci >= 0, by_germline, N_RESIDUES)
    if len(kmers.homolog_profile):
        profile = kmers.homolog_profile.numpy()[at]
        majority = np.where(profile.any(1), profile.argmax(1), majority)
    germline, homologs = templates[:, :N_GERMLINE], templates[:, N_GERMLINE:]
    answers = _first_present(germline), _first_present(homologs), majority  # (t,) tokens
    return [list(decode(np.minimum(tokens, N_RESIDUES))) for tokens in answers]


def _first_present(tokens: np.ndarray) -> np.ndarray:
    """(t, slots) -> (t,) the first residue among template slots; another token if there is none."""
    first = (tokens < N_RESIDUES).argmax(1)
    return np.take_along_axis(tokens, first[:, None], 1)[:, 0]
