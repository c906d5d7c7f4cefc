"""How sure the network may be of chains that are far from their templates, or hardly observed.

The network learned on chains of the bundled species, whose germlines are its templates. It copies
them for chains of any other species as well, and is too sure of what it copies. How like its
nearest template the observed part of a chain is shows when that is so.

Of a domain of which little is observed, little shows how mutated it is. The network is then too
sure of its germline residues.

Of a protein that is not an antibody it knows nothing but its homologs, which it takes to be as near
as germline.
"""

import numpy as np

from lacuna.antibody.germlines import SPECIES, is_camelid, value_of_species
from lacuna.antibody.imgt import (
    CDR_COLUMNS,
    CONSTANT,
    CYS104,
    in_v_domain,
)
from lacuna.core.alphabet import MISSING, N_RESIDUES
from lacuna.network.kmers import KmerSet
from lacuna.templates.nearest import N_GERMLINE

V, C = 0, 1  # rows of what is known apart: frameworks of V, and the constant region
# Share of residues that chains of bundled species have in common with their nearest segment; so
# many more residues are taken to be like it, since a share of few residues says little.
USUAL_SHARES = np.array((0.92, 1.0))
PRIOR_RESIDUES = 20
# Shares below which a chain is far from every germline. Camelid VHHs differ more from the seven
# alpaca segments that are known than other natural antibodies do from theirs.
FAR_SHARES = np.array((0.76, 0.93))
LESS_OF_VHH = 0.1  # so much less of V
# Below NEAR_SHARES logits are divided by more and more, HOTTEST_AT further down by
# HOTTEST_TEMPERATURES. Fitted on V domains of 13 species and constant regions of 8, when none of
# these was bundled.
NEAR_SHARES = np.array((0.80, 0.97))
HOTTEST_AT = 0.08
HOTTEST_TEMPERATURES = np.array((1.2, 1.4))
# Of a protein that is not an antibody, logits are divided by more, the fewer of its residues its
# nearest homolog has: at a share of 0.9 by 1.2, at 0.5 by 1.52. Fitted on lysozymes, globins,
# cytochromes c, serine proteases, albumins, keratins and carbonic anhydrases with 0.3 to 0.9 of
# their residues in common.
OTHER_PROTEIN, STEEPNESS = 1.15, 0.8
# A domain is sparse if less than this share of it is observed, so many residues of which half are
# added, since a share of few says little. Logits are then divided by more, by so much for a share
# of nothing, times what the species has. Fitted on natural human V domains and VHHs of the test
# sets of AbNatiV 2 of which 0.1 to 0.5 are observed; natural mouse chains are less mutated.
SPARSE_SHARE, ADDED_RESIDUES = 0.5, 20
HOTTER_UNOBSERVED = 0.35
TIMES_OF_SPECIES = {"alpaca": 2.0, "mouse": 0.0}


def usual_share(same: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Shares (..., 2) of `same` among `known` residues of V and C, of few ones nearer to
    USUAL_SHARES."""
    return (same + PRIOR_RESIDUES * USUAL_SHARES) / (known + PRIOR_RESIDUES)


def is_far(shares: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(..., 2) whether V and C are far from every germline.

    shares: (..., 2) of `usual_share`; v: (...,) indices of the nearest V segments, -1 for none.
    """
    return shares < FAR_SHARES - _less(v)


def _less(v: np.ndarray) -> np.ndarray:
    """(..., 2) what the limits are lower by for chains with these nearest V segments (...,)."""
    return is_camelid(v)[..., None] * np.array((LESS_OF_VHH, 0.0))


def compared(columns: np.ndarray) -> np.ndarray:
    """(2, ...) the columns that are compared with germline: frameworks of V, and C."""
    frameworks = (columns >= 1) & (columns <= CYS104) & ~CDR_COLUMNS[columns]
    return np.stack((frameworks, columns == CONSTANT))


def part_of(columns: np.ndarray) -> np.ndarray:
    """V, C, or -1 for neither: (t,) of the columns (t,) of residues."""
    domain = in_v_domain(columns)
    return np.where(domain, V, np.where(columns == CONSTANT, C, -1))


def shares_of_kmers(kmers: KmerSet) -> np.ndarray:
    """(n, 2) shares of the observed residues of V and C that the nearest template of each k-mer
    has: a germline segment or a homolog."""
    tokens, templates = kmers.tokens.numpy(), kmers.templates.numpy()
    where = compared(kmers.columns.numpy()) & (tokens < N_RESIDUES)  # (2, n, k)
    slots = [0, *range(N_GERMLINE, templates.shape[1])]
    same = np.stack([(where & (templates[:, s] == tokens)).sum(2) for s in slots]).max(0)
    return usual_share(same.T, where.sum(2).T)


def of_targets(kmers: KmerSet) -> tuple[np.ndarray, np.ndarray]:
    """(t,) V or C of each missing residue, -1 for neither, and (t, 2) shares of its k-mer."""
    at = kmers.at()
    part = part_of(kmers.columns.numpy()[at.kmer, at.place])
    return part, shares_of_kmers(kmers)[at.kmer]


def temperatures_of_far(kmers: KmerSet) -> np.ndarray:
    """(t,) what the logits of missing residues are divided by, 1 in an antibody that is not far."""
    part, shares = of_targets(kmers)
    below = NEAR_SHARES - _less(kmers.target_v()) - shares  # (t, 2)
    hot = 1.0 + (HOTTEST_TEMPERATURES - 1.0) * np.clip(below / HOTTEST_AT, 0.0, 1.0)
    of_protein = _of_other_proteins(kmers)[kmers.at().kmer]
    return np.where(part >= 0, hot[np.arange(len(part)), part], of_protein)


def _of_other_proteins(kmers: KmerSet) -> np.ndarray:
    """(n,) what the logits of k-mers are divided by that have a homolog and no antibody domain; 1
    of others."""
    tokens, homolog = kmers.tokens.numpy(), kmers.templates.numpy()[:, N_GERMLINE]
    known = (tokens < N_RESIDUES) & (homolog < N_RESIDUES)
    same = (known & (tokens == homolog)).sum(1)
    share = (same + PRIOR_RESIDUES * USUAL_SHARES[V]) / (known.sum(1) + PRIOR_RESIDUES)
    only = known.any(1) & (part_of(kmers.columns.numpy()) < 0).all(1)
    return np.where(only, 1.0 + STEEPNESS * (OTHER_PROTEIN - share), 1.0)


def temperatures_of_sparse(kmers: KmerSet) -> np.ndarray:
    """(t,) what the logits of missing residues are divided by, 1 outside of V domains and in those
    that are not sparse."""
    at, columns = kmers.at(), kmers.columns.numpy()
    domain = part_of(columns) == V
    observed = domain & (kmers.tokens.numpy() != MISSING)
    share = (observed.sum(1) + ADDED_RESIDUES / 2) / (domain.sum(1) + ADDED_RESIDUES)  # (n,)
    more = HOTTER_UNOBSERVED * np.clip(1 - share / SPARSE_SHARE, 0.0, None)[at.kmer]
    times = [TIMES_OF_SPECIES.get(name, 1.0) for name in SPECIES]
    more *= value_of_species(kmers.target_v(), times, none=1.0)
    return np.where(domain[at.kmer, at.place], 1.0 + more, 1.0)
