"""Nearest templates of chains on IMGT columns, for whole batches at once, in torch.

Chain and template are on the same columns, so the number of residues they share is a single
product of one-hot matrices: milliseconds for 200,000 templates. The same functions choose
templates in training, on a GPU, and in use; hidden residues are no evidence in either case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import embedding

from lacuna.antibody.imgt import FR4_START, N_CODES, N_IMGT, OTHER_INSERTION
from lacuna.core.alphabet import ABSENT, ALLOWED, MISSING, N_RESIDUES, N_TOKENS

N_GERMLINE = 5  # template slots: 3 nearest V genes over the domain, 2 over CDR1 and CDR2
N_HOMOLOGS = 3
N_SLOTS = N_GERMLINE + N_HOMOLOGS
N_PROFILES = 3  # V gene over the domain, V gene over the CDRs, homologs
PROFILE_NEIGHBOURS = 16  # homologs in the homolog profile
IDENTITY_WEIGHT = 20.0  # log weight of a homolog there, per identity from 0 to 1
NO_GENE = -1
FROM_J = 113  # column from which frequencies are those of the J gene

_EVIDENCE_WIDTH = N_RESIDUES + 1  # the last: no residue on this column
_LAST_GAPPED = 104  # up to here an empty column of a germline segment means a deletion
_V_LAST = 108
_J_FIRST = 110
_CDR1, _CDR2 = (27, 38), (55, 66)  # first and last column by which slots 3 and 4 are chosen
_FR_WEIGHT = 0.05  # of all other columns in that choice


@dataclass(frozen=True, slots=True)
class Library:
    """Germline segments and gene profiles as tensors on one device.

    v, j: (n, N_CODES) uint8 tokens; *_locus (n,) long; *_gene (n,) long;
    *_prior (n,) float: weight of the segment's use in natural repertoires, in matching residues;
    v_profile (genes of V, N_IMGT + 1, 20) and j_profile: uint8 residue frequencies as
    `pack_frequencies` makes them, zero rows for columns never seen.
    """

    v: Tensor
    v_locus: Tensor
    v_gene: Tensor
    v_prior: Tensor
    j: Tensor
    j_locus: Tensor
    j_gene: Tensor
    j_prior: Tensor
    v_profile: Tensor
    j_profile: Tensor

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> "Library":
        """The library from tensors by name; KeyError if one is missing."""
        return cls(**{k: tensors[k] for k in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class LocusLibrary:
    """The segments of one locus, n V and m J; `choose_by_locus` searches only these.

    v (n,), j (m,): long indices into the whole library; library: only these segments;
    v_one_hot, j_one_hot: see `one_hot_templates`.
    """

    v: Tensor
    j: Tensor
    library: Library
    v_one_hot: Tensor
    j_one_hot: Tensor


@dataclass(frozen=True, slots=True)
class GermlineChoice:
    """Templates chosen for a batch of b chains.

    v: (b, N_GERMLINE) long indices of V segments; j: the same for J segments;
    v_genes: (b, 2) long gene of slots 0 and 3; j_gene: (b,) long gene of slot 0;
    -1 means none.
    """

    v: Tensor
    j: Tensor
    v_genes: Tensor
    j_gene: Tensor


def pack_frequencies(frequencies: Tensor) -> Tensor:
    """Frequencies (any shape) as uint8: 255 times the square root, to keep rare ones precise."""
    return (255.0 * frequencies.sqrt()).round().to(torch.uint8)


def unpack_frequencies(packed: Tensor) -> Tensor:
    """Inverse of `pack_frequencies`: float32 frequencies of the same shape."""
    return (packed.float() / 255.0).square()


def evidence_table(device: torch.device) -> Tensor:
    """(N_TOKENS, 21): evidence of each token on a column; a missing residue gives none."""
    table = torch.zeros(N_TOKENS, _EVIDENCE_WIDTH)
    table[:, :N_RESIDUES] = torch.from_numpy(ALLOWED.copy()).float()
    table[MISSING] = 0.0
    table[ABSENT, N_RESIDUES] = 1.0
    return table.to(device)


def chain_grid(tokens: Tensor, columns: Tensor) -> Tensor:
    """Residues by column: (b, length) tokens and columns -> (b, N_CODES) tokens.

    Columns outside the numbered stretch are MISSING (no evidence); empty ones within it are
    ABSENT.
    """
    b = tokens.shape[0]
    index = columns.long()
    grid = tokens.new_full((b, N_CODES), ABSENT)
    grid.scatter_(1, index, tokens)
    v = (index >= 1) & (index <= N_IMGT)
    position = torch.arange(N_CODES, device=tokens.device)
    first = torch.where(v, index, N_CODES).amin(1, keepdim=True)
    last = torch.where(v, index, 0).amax(1, keepdim=True)
    outside = (position < first) | (position > last) | (position >= OTHER_INSERTION)
    grid.masked_fill_(outside, MISSING)
    grid[:, 0] = MISSING
    return grid


def _chain_evidence(grid: Tensor, table: Tensor) -> Tensor:
    evidence = embedding(grid[:, 1 : N_IMGT + 1].long(), table)  # (b, N_IMGT, 21)
    evidence[:, _LAST_GAPPED:, N_RESIDUES] = 0.0
    return evidence


def _shared(evidence: Tensor, first: int, last: int, templates: Tensor) -> Tensor:
    """Residues shared on columns first..last: (b, N_IMGT, 21), (n, N_IMGT * 21) -> (b, n).

    Counts are whole numbers below 256, exact in every type, so type and shape change no result.
    """
    query = evidence[:, first - 1 : last].flatten(1).to(templates.dtype)
    span = slice((first - 1) * _EVIDENCE_WIDTH, last * _EVIDENCE_WIDTH)
    return (query @ templates[:, span].T).float()


def one_hot_templates(tokens: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(n, N_CODES) tokens -> (n, N_IMGT * 21) for `_shared`."""
    evidence = _chain_evidence(tokens, evidence_table(tokens.device).to(dtype))
    return evidence.flatten(1)


def _distinct_best(scores: Tensor, genes: Tensor, n: int) -> Tensor:
    """Indices (b, n) of the best segments of n different genes; ties go to the first.

    NO_GENE if no segment with a score above -inf is left.
    """
    chosen = []
    for i in range(n):
        score, best = scores.max(1)
        chosen.append(best.masked_fill(score == -torch.inf, NO_GENE))
        if i < n - 1:
            same = genes[None, :] == genes[best][:, None]
            scores = scores.masked_fill(same, -torch.inf)
    return torch.stack(chosen, 1)


def choose_germlines(
    grid: Tensor,
    locus: Tensor,
    library: Library,
    v_one_hot: Tensor,
    j_one_hot: Tensor,
    skip_best: Tensor | None = None,
) -> GermlineChoice:
    """The nearest V and J segments of each chain.

    grid: (b, N_CODES); locus: (b,) index into LOCI, -1 for no V domain (none chosen);
    skip_best: (b,) bool, treat the nearest gene as unknown (training only). If a library has
    fewer genes of a locus than there are slots, the remaining slots are empty.
    """
    table = evidence_table(grid.device)
    evidence = _chain_evidence(grid, table)
    other_v = library.v_locus[None, :] != locus[:, None]  # (b, n)
    other_j = library.j_locus[None, :] != locus[:, None]
    by_domain = _shared(evidence, 1, _V_LAST, v_one_hot)
    in_cdrs = _shared(evidence, *_CDR1, v_one_hot) + _shared(evidence, *_CDR2, v_one_hot)
    by_cdrs = in_cdrs + _FR_WEIGHT * (by_domain - in_cdrs)
    by_j = _shared(evidence, _J_FIRST, N_IMGT, j_one_hot)
    by_domain = (by_domain + library.v_prior).masked_fill(other_v, -torch.inf)
    by_cdrs = (by_cdrs + library.v_prior).masked_fill(other_v, -torch.inf)
    by_j = (by_j + library.j_prior).masked_fill(other_j, -torch.inf)
    if skip_best is not None:
        best_gene = library.v_gene[by_domain.argmax(1)]
        hide = skip_best[:, None] & (library.v_gene[None, :] == best_gene[:, None])
        by_domain = by_domain.masked_fill(hide, -torch.inf)
        by_cdrs = by_cdrs.masked_fill(hide, -torch.inf)
    v = torch.cat(
        (
            _distinct_best(by_domain, library.v_gene, 3),
            _distinct_best(by_cdrs, library.v_gene, N_GERMLINE - 3),
        ),
        1,
    )
    j = _distinct_best(by_j, library.j_gene, 2)[:, [0, 1, 0, 0, 1]]
    none = (locus < 0)[:, None]
    v, j = v.masked_fill(none, NO_GENE), j.masked_fill(none, NO_GENE)
    return GermlineChoice(v, j, _at(library.v_gene, v[:, [0, 3]]), _at(library.j_gene, j[:, 0]))


def _at(values: Tensor, index: Tensor) -> Tensor:
    """values[index], NO_GENE if the index is negative."""
    return values[index.clamp(min=0)].masked_fill(index < 0, NO_GENE)


def of_locus(library: Library, locus: int, dtype: torch.dtype) -> LocusLibrary:
    """The segments of one locus, an index into LOCI, with one-hot matrices of `dtype`."""
    own_v, own_j = library.v_locus == locus, library.j_locus == locus
    own_v[0] = own_j[0] = True  # never empty; a segment of another locus is never chosen
    v, j = torch.nonzero(own_v)[:, 0], torch.nonzero(own_j)[:, 0]
    part = replace(
        library,
        **{name: getattr(library, name)[v] for name in ("v", "v_locus", "v_gene", "v_prior")},
        **{name: getattr(library, name)[j] for name in ("j", "j_locus", "j_gene", "j_prior")},
    )
    return LocusLibrary(
        v, j, part, one_hot_templates(part.v, dtype), one_hot_templates(part.j, dtype)
    )


def choose_by_locus(
    grid: Tensor, locus: Tensor, parts: Mapping[int, LocusLibrary]
) -> GermlineChoice:
    """The same choice as `choose_germlines`, without searching loci that no chain has.

    grid: (b, N_CODES); locus: (b,); parts: `of_locus` by index of every locus that occurs.
    """
    v = locus.new_full((len(grid), N_GERMLINE), NO_GENE)
    j, v_genes, j_gene = v.clone(), v[:, :2].clone(), v[:, 0].clone()
    for index, part in parts.items():
        own = locus == index
        if own.any():
            # The whole batch goes through: a product of a new shape costs a millisecond once.
            found = choose_germlines(grid, locus, part.library, part.v_one_hot, part.j_one_hot)
            v[own], j[own] = _at(part.v, found.v[own]), _at(part.j, found.j[own])
            v_genes[own], j_gene[own] = found.v_genes[own], found.j_gene[own]
    return GermlineChoice(v, j, v_genes, j_gene)


def germline_tokens(choice: GermlineChoice, columns: Tensor, library: Library) -> Tensor:
    """Residue of each slot's V or J segment under each residue: (b, N_GERMLINE, length).

    V segments extend into CDR3 from its start, whatever its length: there their residues are
    counted from Cys104, not taken by column.
    """
    index = columns.long()  # (b, length)
    position = torch.arange(columns.shape[1], device=columns.device)
    cys = torch.where(index == _LAST_GAPPED, position, -N_CODES).amax(1, keepdim=True)
    in_cdr3 = ((index > _LAST_GAPPED) & (index < FR4_START)) | (index > N_IMGT)
    rank = torch.where(cys >= 0, position - cys, 0)
    counted = (_LAST_GAPPED + rank) * ((rank > 0) & (rank <= FR4_START - 1 - _LAST_GAPPED))
    v_index = torch.where(in_cdr3 & (index < OTHER_INSERTION), counted, index)
    v = _under(library.v[choice.v.clamp(min=0)], v_index)
    j = _under(library.j[choice.j.clamp(min=0)], index)
    j = j.masked_fill((choice.j < 0)[:, :, None], ABSENT)
    tokens = torch.where(v < N_RESIDUES, v, j)
    beyond = ((index == 0) | (index >= OTHER_INSERTION))[:, None] | (choice.v < 0)[:, :, None]
    return tokens.masked_fill(beyond, ABSENT)


def _under(rows: Tensor, index: Tensor) -> Tensor:
    """Look up (b, slots, N_CODES) rows at (b, length) columns -> (b, slots, length)."""
    return rows.gather(2, index[:, None].expand(-1, rows.shape[1], -1))


def germline_profiles(v_genes: Tensor, j_gene: Tensor, columns: Tensor, library: Library) -> Tensor:
    """Frequencies of the 20 residues by gene: (b, 2), (b,), (b, length) -> (b, length, 40)."""
    index = columns.long()
    index = torch.where(index <= N_IMGT, index, 0)  # row 0 of every profile is zero
    j = library.j_profile[j_gene.clamp(min=0)[:, None], index]  # (b, length, 20)
    parts = []
    for slot in range(v_genes.shape[1]):
        gene = v_genes[:, slot]
        v = library.v_profile[gene.clamp(min=0)[:, None], index]
        profile = unpack_frequencies(torch.where((index >= FROM_J)[:, :, None], j, v))
        parts.append(profile.masked_fill((gene < 0)[:, None, None], 0.0))
    return torch.cat(parts, -1)


def choose_homologs(
    grid: Tensor,
    references: Tensor,
    reference_one_hot: Tensor,
    max_identity: float | Tensor,
    n: int = PROFILE_NEIGHBOURS,
    left_out: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Nearest reference chains of each chain by shared residues, up to identity `max_identity`.

    grid: (b, N_CODES) of the chains; references: (m, N_CODES); max_identity: one for all chains,
    or (b, 1), over the residues that chain and reference both have, so that a chain is not its own
    reference if some of it is cut off; left_out: (b, m) bool, references that do not count. Returns
    indices (b, n) and identities (b, n) over the observed residues, best first; identity 0 if there
    are fewer than n.
    """
    evidence = _chain_evidence(grid, evidence_table(grid.device))
    known = evidence[..., :N_RESIDUES].amax(-1)  # (b, N_IMGT), 1 of observed columns
    evidence[..., N_RESIDUES] = 0.0
    matches = _shared(evidence, 1, N_IMGT, reference_one_hot)
    there = (references[:, 1 : N_IMGT + 1] < N_RESIDUES).to(reference_one_hot.dtype)
    compared = (known.to(there.dtype) @ there.T).float()
    identity = matches / known.sum(1).clamp(min=1.0)[:, None]
    unfit = matches / compared.clamp(min=1.0) > max_identity
    if left_out is not None:
        unfit |= left_out
    identity = torch.where(unfit, 0.0, identity)
    n = min(n, references.shape[0])
    best, index = identity.topk(n, dim=1)
    return index, best


def homolog_tokens(index: Tensor, columns: Tensor, references: Tensor) -> Tensor:
    """Tokens of (b, n) reference indices under each residue -> (b, n, length)."""
    at = columns.long()[:, None, :].expand(-1, index.shape[1], -1)
    tokens = references[index].gather(2, at)
    return tokens.masked_fill((at == 0) | (at >= OTHER_INSERTION), ABSENT)


def homolog_profile(tokens: Tensor, identity: Tensor) -> Tensor:
    """Column frequencies of homologs, (b, n, length) -> (b, length, 20); nearer ones weigh more."""
    weight = torch.softmax(IDENTITY_WEIGHT * identity, 1) * (identity > 0)  # (b, n)
    present = (tokens < N_RESIDUES) & (identity > 0)[:, :, None]
    flat = tokens.long().clamp(max=N_RESIDUES - 1).transpose(1, 2)  # (b, length, n)
    weights = (weight[:, :, None] * present).transpose(1, 2)
    profile = torch.zeros(*flat.shape[:2], N_RESIDUES, device=tokens.device)
    profile.scatter_add_(2, flat, weights.to(profile.dtype))
    return profile / profile.sum(-1, keepdim=True).clamp(min=1e-6)
