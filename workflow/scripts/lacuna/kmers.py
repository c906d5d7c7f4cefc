"""From scaffolds to k-mer tensors: the files that the network reads.

A chain is numbered, its templates are found, and windows of k residues around its missing
residues are cut. A missing residue is predicted from the window that it stands most
centrally in. Results do not depend on how a batch is cut into blocks: chains go through
the template search in batches of one fixed shape.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from lacuna.alphabet import ABSENT, MISSING, N_RESIDUES, encode
from lacuna.files import LacunaError, atomic_write_bytes
from lacuna.germlines import LOCI, SPECIES, constants, j_segments, v_segments
from lacuna.homologs import Homologs, HomologTemplates, find_homologs
from lacuna.imgt import CONSTANT, OTHER_INSERTION
from lacuna.network import Kmers
from lacuna.numbering import Numbering, constant_tokens, diagonal_identity, number_chain
from lacuna.scaffolds import Scaffold
from lacuna.templates import (
    N_GERMLINE,
    N_HOMOLOGS,
    Choice,
    Library,
    chain_grid,
    choose_germlines,
    germline_profiles,
    germline_tokens,
    one_hot_templates,
    pack_frequencies,
    unpack_frequencies,
)

SEARCH_BATCH = 32  # chains whose templates are searched for together
_LENGTH_STEP = 64  # chains are padded to a multiple of this, so that shapes are few


@dataclass(frozen=True, slots=True)
class KmerSet:
    """k-mers of a block of m chains, n in all, and what its tables tell of the chains.

    tokens, columns (n, k) uint8; templates (n, slots, k) uint8; v_genes (n, 2) and j_gene
    (n,) int16, -1 for none; homolog_profile (n, k, 20) uint8 (`pack_frequencies`), or
    (0, k, 20) without homologs.
    targets (t, 4) int32: k-mer, place in it, chain of the block and position in the chain
    (expanded, 0-based) of each missing residue.
    chain_columns (residues of all chains,) uint8; chain_v, chain_j, chain_c (m,) int32
    nearest germline segments, -1 for none; chain_locus (m,) int8 index into LOCI or -1.
    """

    tokens: Tensor
    columns: Tensor
    templates: Tensor
    v_genes: Tensor
    j_gene: Tensor
    homolog_profile: Tensor
    targets: Tensor
    chain_columns: Tensor
    chain_v: Tensor
    chain_j: Tensor
    chain_c: Tensor
    chain_locus: Tensor

    def batches(self, size: int, library: Library) -> Iterator[tuple[slice, Kmers]]:
        """The k-mers `size` at a time, the last batch padded to it, with their profiles."""
        n, k = self.tokens.shape
        for i in range(0, n, size):
            rows = slice(i, min(i + size, n))
            pad = size - (rows.stop - rows.start)

            def part(x: Tensor, fill: int, rows: slice = rows, pad: int = pad) -> Tensor:
                filler = x.new_full((pad, *x.shape[1:]), fill)
                return torch.cat((x[rows], filler)) if pad else x[rows]

            columns = part(self.columns, 0)
            germline = germline_profiles(
                part(self.v_genes, -1).long(), part(self.j_gene, -1).long(), columns, library
            )
            if len(self.homolog_profile):
                homologs = unpack_frequencies(part(self.homolog_profile, 0))
            else:
                homologs = torch.zeros(size, k, N_RESIDUES)
            yield (
                rows,
                Kmers(
                    tokens=part(self.tokens, ABSENT),
                    columns=columns,
                    templates=part(self.templates, ABSENT),
                    profiles=torch.cat((germline, homologs), -1),
                ),
            )


def load_library(path: Path | str) -> Library:
    """The germline library of the weights; LacunaError where it is not of these germlines."""
    library = Library.from_tensors(load_file(str(path)))
    for name, ours, theirs in (
        ("V", v_segments().tokens, library.v),
        ("J", j_segments().tokens, library.j),
    ):
        if not torch.equal(torch.from_numpy(ours), theirs):
            raise LacunaError(
                f"{path}: made from other {name} segments than resources/germlines; "
                "make both anew with the pretrain target"
            )
    return library


def of_species(library: Library, species: str) -> Library:
    """The library with the germlines of one species alone, or all for 'auto'."""
    if species == "auto":
        return library
    index = SPECIES.index(species)
    other_v = torch.from_numpy(v_segments().species != index)
    other_j = torch.from_numpy(j_segments().species != index)
    return replace(
        library,
        v_locus=library.v_locus.masked_fill(other_v, -2),
        j_locus=library.j_locus.masked_fill(other_j, -2),
    )


def window_starts(length: int, k: int, stride: int) -> list[int]:
    """Where the windows of a chain begin; the last one ends with the chain."""
    if length <= k:
        return [0]
    return [*range(0, length - k, stride), length - k]


def central_windows(
    positions: np.ndarray, starts: Sequence[int], k: int, length: int
) -> np.ndarray:
    """For each position the start of the window it stands most centrally in (t,).

    The chain's own ends are no edges: nothing is cut off there.
    """
    first = np.asarray(starts)[None]  # (1, windows)
    left = np.where(first == 0, length, positions[:, None] - first)
    right = np.where(first + k >= length, length, first + k - 1 - positions[:, None])
    inside = (positions[:, None] >= first) & (positions[:, None] < first + k)
    margin = np.where(inside, np.minimum(left, right), -1)
    return first[0][margin.argmax(1)]


def constant_templates(numbering: Numbering, tokens: np.ndarray) -> tuple[np.ndarray, int]:
    """The nearest constant regions under a chain's: (N_GERMLINE, length) tokens, and the
    index of the nearest one, -1 for none."""
    rows = np.full((N_GERMLINE, len(tokens)), ABSENT, dtype=np.uint8)
    start = numbering.constant_start
    if start is None:
        return rows, -1
    scored = []
    for i, constant in enumerate(constants()):
        if constant.locus == numbering.locus:
            matches, known = diagonal_identity(tokens, constant_tokens()[i], start)
            scored.append((known - 2 * matches, i))
    scored.sort()
    for slot, (_, i) in enumerate(scored[:N_GERMLINE]):
        template = constant_tokens()[i]
        low, high = max(start, 0), min(start + len(template), len(tokens))
        rows[slot, low:high] = template[low - start : high - start]
    return rows, scored[0][1]


def encode_scaffolds(
    scaffolds: Sequence[Scaffold],
    library: Library,
    homologs: Homologs | None = None,
    *,
    k: int = 128,
    stride: int = 64,
    max_identity: float = 0.95,
) -> KmerSet:
    """k-mers of the missing residues of scaffolds whose gaps have known lengths.

    Homologs that share `max_identity` of the observed residues or more are left out for
    chains whose truth is known, since their accuracy will be reported.
    """
    tokens = [encode(s.sequence) for s in scaffolds]
    numberings = [number_chain(s.sequence) for s in scaffolds]
    below = float(np.nextafter(np.float32(max_identity), np.float32(0.0)))
    limits = [below if any(g.truth for g in s.gaps) else 1.0 for s in scaffolds]
    one_hots = one_hot_templates(library.v), one_hot_templates(library.j)
    # Chains of like length are searched together; the order does not show in the result.
    order = sorted(range(len(scaffolds)), key=lambda i: (_padded(len(tokens[i])), i))
    found: dict[int, _Searched] = {}
    for group in _groups(order, [_padded(len(t)) for t in tokens]):
        found.update(_search(group, tokens, numberings, limits, library, one_hots, homologs))
    return _cut(tokens, numberings, found, k, stride, homologs is not None)


@dataclass(frozen=True, slots=True)
class _Searched:
    """Templates of one chain along all of it."""

    templates: np.ndarray  # (slots, length)
    homolog_profile: np.ndarray | None  # (length, 20) uint8
    v_genes: np.ndarray
    j_gene: int
    v: int
    j: int
    c: int


def _padded(length: int) -> int:
    return -(-max(length, 1) // _LENGTH_STEP) * _LENGTH_STEP


def _groups(order: list[int], padded: list[int]) -> Iterator[list[int]]:
    group: list[int] = []
    for i in order:
        if group and (len(group) == SEARCH_BATCH or padded[i] != padded[group[0]]):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def _search(
    group: list[int],
    tokens: list[np.ndarray],
    numberings: list[Numbering],
    limits: list[float],
    library: Library,
    one_hots: tuple[Tensor, Tensor],
    homologs: Homologs | None,
) -> dict[int, _Searched]:
    """Templates of a group of chains of one padded length, in a batch of fixed shape."""
    length = _padded(len(tokens[group[0]]))
    batch = torch.full((SEARCH_BATCH, length), ABSENT, dtype=torch.uint8)
    columns = torch.zeros((SEARCH_BATCH, length), dtype=torch.uint8)
    locus = torch.full((SEARCH_BATCH,), -1)
    c_rows = torch.full((SEARCH_BATCH, N_GERMLINE, length), ABSENT, dtype=torch.uint8)
    c_best = [-1] * len(group)
    for row, i in enumerate(group):
        n = len(tokens[i])
        batch[row, :n] = torch.from_numpy(tokens[i])
        columns[row, :n] = torch.from_numpy(numberings[i].columns)
        if numberings[i].locus and (numberings[i].columns < OTHER_INSERTION).any():
            locus[row] = LOCI.index(numberings[i].locus)
        laid, c_best[row] = constant_templates(numberings[i], tokens[i])
        c_rows[row, :, :n] = torch.from_numpy(laid)
    grid = chain_grid(batch, columns)
    choice: Choice = choose_germlines(grid, locus, library, *one_hots)
    germline = germline_tokens(choice, columns, library)
    germline = torch.where(columns[:, None] == CONSTANT, c_rows, germline)
    given = HomologTemplates(
        torch.full((SEARCH_BATCH, N_HOMOLOGS, length), ABSENT, dtype=torch.uint8),
        torch.zeros(SEARCH_BATCH, length, N_RESIDUES),
    )
    if homologs is not None:
        limit = torch.ones(SEARCH_BATCH)
        limit[: len(group)] = torch.tensor([limits[i] for i in group])
        given = find_homologs(homologs, batch, columns, grid, [numberings[i] for i in group], limit)
    templates = torch.cat((germline, given.tokens), 1).numpy()
    profile = pack_frequencies(given.profile).numpy()
    return {
        i: _Searched(
            templates=templates[row, :, : len(tokens[i])],
            homolog_profile=profile[row, : len(tokens[i])] if homologs is not None else None,
            v_genes=choice.v_genes[row].numpy(),
            j_gene=int(choice.j_gene[row]),
            v=int(choice.v[row, 0]),
            j=int(choice.j[row, 0]),
            c=c_best[row],
        )
        for row, i in enumerate(group)
    }


def _cut(
    tokens: list[np.ndarray],
    numberings: list[Numbering],
    found: dict[int, _Searched],
    k: int,
    stride: int,
    with_homologs: bool,
) -> KmerSet:
    """Windows around the missing residues of every chain."""
    windows: list[tuple[int, int]] = []
    targets: list[np.ndarray] = []
    for i, chain in enumerate(tokens):
        missing = np.flatnonzero(chain >= MISSING)
        if not len(missing) or len(missing) == len(chain):
            continue
        starts = window_starts(len(chain), k, stride)
        at = central_windows(missing, starts, k, len(chain))
        used, which = np.unique(at, return_inverse=True)
        rows = len(windows) + which
        targets.append(np.stack((rows, missing - at, np.full(len(missing), i), missing), 1))
        windows += [(i, int(start)) for start in used]
    n = len(windows)
    slots = N_GERMLINE + N_HOMOLOGS
    out_tokens = np.full((n, k), ABSENT, dtype=np.uint8)
    out_columns = np.zeros((n, k), dtype=np.uint8)
    out_templates = np.full((n, slots, k), ABSENT, dtype=np.uint8)
    out_profile = np.zeros((n if with_homologs else 0, k, N_RESIDUES), dtype=np.uint8)
    for row, (i, start) in enumerate(windows):
        stop = min(start + k, len(tokens[i]))
        span, width = slice(start, stop), stop - start
        out_tokens[row, :width] = tokens[i][span]
        out_columns[row, :width] = numberings[i].columns[span]
        out_templates[row, :, :width] = found[i].templates[:, span]
        profile = found[i].homolog_profile
        if profile is not None:
            out_profile[row, :width] = profile[span]
    chains = [found[i] for i in range(len(tokens))]
    by_window = [found[i] for i, _ in windows]
    loci = [LOCI.index(x.locus) if x.locus else -1 for x in numberings]
    no_targets = np.empty((0, 4))
    all_columns = [x.columns for x in numberings] or [np.empty(0, np.uint8)]
    return KmerSet(
        tokens=torch.from_numpy(out_tokens),
        columns=torch.from_numpy(out_columns),
        templates=torch.from_numpy(out_templates),
        v_genes=torch.tensor([x.v_genes.tolist() for x in by_window], dtype=torch.int16).reshape(
            -1, 2
        ),
        j_gene=torch.tensor([x.j_gene for x in by_window], dtype=torch.int16),
        homolog_profile=torch.from_numpy(out_profile),
        targets=torch.from_numpy(np.concatenate([*targets, no_targets]).astype(np.int32)),
        chain_columns=torch.from_numpy(np.concatenate(all_columns)),
        chain_v=torch.tensor([x.v for x in chains], dtype=torch.int32),
        chain_j=torch.tensor([x.j for x in chains], dtype=torch.int32),
        chain_c=torch.tensor([x.c for x in chains], dtype=torch.int32),
        chain_locus=torch.tensor(loci, dtype=torch.int8),
    )


def write_kmers(path: Path | str, kmers: KmerSet) -> None:
    """Write a block's k-mer tensors, whole or not at all."""
    tensors = {name: getattr(kmers, name).contiguous() for name in KmerSet.__dataclass_fields__}
    with atomic_write_bytes(path) as handle:
        handle.write(save(tensors))


def read_kmers(path: Path | str) -> KmerSet:
    """Read what `write_kmers` wrote."""
    return KmerSet(**load_file(str(path)))
