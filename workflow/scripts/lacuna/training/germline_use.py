"""How often natural chains use each germline segment, and how they mutate it: the library."""

import torch

from lacuna.antibody.germlines import j_segments, v_segments
from lacuna.antibody.imgt import N_IMGT
from lacuna.core.alphabet import N_RESIDUES
from lacuna.templates.library import germline_counts, germline_profile, germlines_alone
from lacuna.templates.nearest import Library, choose_germlines, one_hot_templates
from lacuna.training.chains import Chains

MAX_PRIOR = 1.0  # highest weight of a segment's use, in matching residues


def germline_library(chains: Chains) -> Library:
    """The bundled V and J segments, with their use and mutations in natural chains.

    Residue frequencies are by gene and column. A chain counts for its nearest gene, and a gene's
    own residues count for `GERMLINE_CHAINS`, so that a rare gene stays near its germline.
    """
    library = germlines_alone()
    counts = [germline_counts(s) for s in (v_segments(), j_segments())]
    used = [torch.zeros_like(prior) for prior in (library.v_prior, library.j_prior)]
    one_hots = one_hot_templates(library.v), one_hot_templates(library.j)
    for i in range(0, len(chains), 4096):
        grids = torch.from_numpy(chains.grids[i : i + 4096])
        locus = torch.from_numpy(chains.locus[i : i + 4096])
        choice = choose_germlines(grids, locus, library, *one_hots)
        tokens = grids[:, : N_IMGT + 1].long()
        chain, column = torch.nonzero(tokens < N_RESIDUES, as_tuple=True)
        one = torch.ones(())
        for genes, count in zip((choice.v_genes[:, 0], choice.j_gene), counts, strict=True):
            index = (genes[chain], column, tokens[chain, column])
            count.index_put_(index, one, accumulate=True)
        for use, rows in zip(used, (choice.v[:, 0], choice.j[:, 0]), strict=True):
            use.index_put_((rows,), one, accumulate=True)
    for count, profile in zip(counts, (library.v_profile, library.j_profile), strict=True):
        profile.copy_(germline_profile(count))
    for prior, use in zip((library.v_prior, library.j_prior), used, strict=True):
        prior += (torch.log1p(use) / 6.0).clamp(max=MAX_PRIOR)
    return library
