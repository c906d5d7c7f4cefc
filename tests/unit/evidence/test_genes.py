"""The average of genes for chains that are hardly read: of genes made up for it."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from lacuna.antibody.germlines import Segments, j_segments, v_segments
from lacuna.antibody.imgt import CYS104, N_IMGT
from lacuna.core.alphabet import ABSENT, N_RESIDUES, RESIDUES
from lacuna.evidence.genes import gene_shares
from lacuna.placing.votes.revise import BETTER_V
from lacuna.templates.library import germlines_alone
from lacuna.templates.nearest import Library, pack_frequencies
from reads import germline_draft

DRAFT = germline_draft("H")
UNREAD = np.zeros((len(DRAFT), N_RESIDUES))
IN_J = (DRAFT.columns >= 113) & (DRAFT.columns <= N_IMGT)
V, J = v_segments(), j_segments()
EXPRESSED = np.array(["/OR" not in name for name in V.names])
A, W, Y = (RESIDUES.index(letter) for letter in "AWY")


def of_draft(segments: Segments) -> np.ndarray:
    """Which segments are of the locus and species of the draft."""
    same_locus = segments.locus == V.locus[DRAFT.v]
    result: np.ndarray = same_locus & (segments.species == V.species[DRAFT.v])
    return result


def profile(segments: Segments, usual: int, genes: Iterable[int] = (), residue: int = W) -> Tensor:
    """Of genes that have one residue in all columns, but some genes another one."""
    tokens = np.full(len(segments.genes), usual)
    tokens[list(genes)] = residue
    frequencies = torch.eye(N_RESIDUES)[torch.from_numpy(tokens)]
    return pack_frequencies(frequencies[:, None].repeat(1, N_IMGT + 1, 1))


def library_of(**changed: Tensor) -> Library:
    return replace(germlines_alone(), **changed)


def share_of(gene: int, **changed: Tensor) -> float:
    """Of one V gene in the average of all."""
    library = library_of(v_profile=profile(V, A, [gene]), **changed)
    return float(gene_shares(DRAFT, UNREAD, library)[0, W])


def test_the_genes_are_those_of_the_locus_and_species_that_are_expressed() -> None:
    assert (of_draft(V) & ~EXPRESSED).any()
    genes = np.unique(V.gene[of_draft(V) & EXPRESSED]), np.unique(J.gene[of_draft(J)])
    library = library_of(v_profile=profile(V, W, genes[0], A), j_profile=profile(J, W, genes[1], Y))
    shares = gene_shares(DRAFT, UNREAD, library)
    assert np.flatnonzero(shares[:, Y] == 1.0).tolist() == np.flatnonzero(IN_J).tolist()
    assert np.flatnonzero(shares[:, A] == 1.0).tolist() == np.flatnonzero(~IN_J).tolist()


def test_what_no_gene_has_is_even() -> None:
    library = library_of(v_profile=torch.zeros_like(germlines_alone().v_profile))
    shares = gene_shares(DRAFT, UNREAD, library)
    assert (shares[~IN_J] == 1 / N_RESIDUES).all() and (shares[IN_J] != 1 / N_RESIDUES).all()
    inserted = DRAFT.columns > N_IMGT  # into CDR3: on no column of the genes
    shares = gene_shares(DRAFT, UNREAD, germlines_alone())
    assert inserted.any() and (shares[inserted] == 1 / N_RESIDUES).all()


def test_genes_of_the_same_columns_count_alike_and_the_chosen_one_more() -> None:
    """However many alleles a gene has."""
    filled = V.tokens[:, : CYS104 + 1] != ABSENT
    same = of_draft(V) & EXPRESSED & (filled == filled[DRAFT.v]).all(1)
    genes, alleles = np.unique(V.gene[same], return_counts=True)
    whole = {n: int(genes[alleles == n][-1]) for n in (1, 4)}
    assert all((V.gene == gene).sum() == n for n, gene in whole.items())
    one, four = (share_of(gene) for gene in whole.values())
    assert one > 0.0 and one == pytest.approx(four)
    chosen = V.gene == V.gene[DRAFT.v]
    allele = 1 / chosen.sum()  # the others of its gene are not ahead
    ahead = allele * np.exp(BETTER_V) + (1 - allele)
    assert share_of(V.gene[DRAFT.v]) == pytest.approx(ahead * one)


def test_genes_count_by_their_use() -> None:
    gene = int(np.unique(V.gene[of_draft(V) & EXPRESSED])[-1])
    use = torch.where(torch.from_numpy(V.gene == gene), 30.0, 0.0)
    assert share_of(gene) < 0.1 and share_of(gene, v_prior=use) > 0.99
