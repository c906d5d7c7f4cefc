"""What V and J genes have at each position of a chain of which reads show next to nothing.

Any one gene would be a guess. The genes of its locus and species are averaged, each weighed by what
reads say of it and by its use.
"""

import numpy as np
from torch import Tensor

from lacuna.antibody.germlines import j_segments, v_segments
from lacuna.antibody.imgt import CYS104, FR4_START, N_IMGT
from lacuna.core.alphabet import N_RESIDUES
from lacuna.placing.sources.segments import expressed_v
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.revise import BETTER_V, fit_of
from lacuna.templates.nearest import FROM_J, Library, unpack_frequencies


def gene_shares(draft: Draft, nats: np.ndarray, library: Library) -> np.ndarray:
    """(t, 20) shares of the residues that genes have in natural chains; even if none has any.

    nats (t, 20): of reads, the best residue of each position 0.
    """
    v, j = v_segments(), j_segments()
    locus, species = v.locus[draft.v], v.species[draft.v]
    own_v = np.flatnonzero((v.locus == locus) & (v.species == species) & expressed_v())
    own_j = np.flatnonzero((j.locus == locus) & (j.species == species))
    columns = np.where(draft.columns <= N_IMGT, draft.columns, 0)
    fit = fit_of(draft, nats, v.tokens[own_v], 1, CYS104)
    of_v = _average(fit, own_v, draft.v, v.gene, library.v_prior, library.v_profile)
    fit = fit_of(draft, nats, j.tokens[own_j], FR4_START, N_IMGT)
    of_j = _average(fit, own_j, draft.j, j.gene, library.j_prior, library.j_profile)
    shares = np.where((columns >= FROM_J)[:, None], of_j[columns], of_v[columns])
    total = shares.sum(1, keepdims=True)
    even = np.full(shares.shape, 1 / N_RESIDUES)
    return np.where(total > 0, shares / np.maximum(total, 1e-9), even)


def _average(
    fit: np.ndarray, own: np.ndarray, chosen: int, gene: np.ndarray, use: Tensor, profile: Tensor
) -> np.ndarray:
    """(N_IMGT + 1, 20) frequencies of residues by column over some segments (own).

    fit (own,): nats of each by reads; chosen: the segment of the draft, ahead by BETTER_V nats,
    since reads that no longer lie here helped to choose it; gene: of all segments; use, profile: of
    the library.
    """
    genes = gene[own]
    value = BETTER_V * (own == chosen) + fit + use.numpy()[own]
    weight = np.exp(value - value.max()) / np.bincount(genes)[genes]  # alleles share it
    frequencies = unpack_frequencies(profile).numpy()[genes]  # (own, columns, 20)
    return np.tensordot(weight / weight.sum(), frequencies, 1)
