"""From scaffolds to k-mer tensors, the input of the network.

A chain is numbered, its templates are found, and windows of k residues are cut around its missing
residues. Each missing residue is predicted from the window in which it is most central. Each part
of a chain with several V domains (`number_parts`) is treated as a chain of its own: it has its own
templates, and no window extends into another part. Results do not depend on how a batch is cut into
blocks: chains go through the template search in batches of one fixed shape.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lacuna.antibody.constant_region import constant_tokens, diagonal_identity, on_diagonal
from lacuna.antibody.germlines import LOCI, constants
from lacuna.antibody.imgt import CONSTANT, OTHER_INSERTION
from lacuna.antibody.numbering import Numbering
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import ABSENT, MISSING, N_RESIDUES, RESIDUES, encode
from lacuna.core.device import product_dtype
from lacuna.network.kmers import KmerSet, Targets
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.templates.homologs import Homologs, find_homologs
from lacuna.templates.nearest import (
    N_GERMLINE,
    N_HOMOLOGS,
    GermlineChoice,
    Library,
    LocusLibrary,
    chain_grid,
    choose_by_locus,
    germline_tokens,
    of_locus,
    pack_frequencies,
)

SEARCH_BATCH = 128  # chains whose templates are searched together
_LENGTH_STEP = 64  # chains are padded to a multiple of this, so that there are few shapes


def window_starts(length: int, k: int, stride: int) -> list[int]:
    """Starts of the windows of a chain; the last window ends where the chain ends."""
    if length <= k:
        return [0]
    return [*range(0, length - k, stride), length - k]


def central_windows(
    positions: np.ndarray, starts: Sequence[int], k: int, length: int
) -> np.ndarray:
    """Start of the window in which each position is most central: (t,).

    The ends of the chain do not count as edges of a window: nothing is cut off there.
    """
    first = np.asarray(starts)[None]  # (1, windows)
    left = np.where(first == 0, length, positions[:, None] - first)
    right = np.where(first + k >= length, length, first + k - 1 - positions[:, None])
    inside = (positions[:, None] >= first) & (positions[:, None] < first + k)
    margin = np.where(inside, np.minimum(left, right), -1)
    return first[0][margin.argmax(1)]


def constant_templates(numbering: Numbering, tokens: np.ndarray) -> tuple[np.ndarray, int]:
    """The nearest constant regions under that of a chain.

    Returns tokens (N_GERMLINE, length) and the index of the nearest one; -1 if there is none or
    the chain does not overlap it.
    """
    rows = np.full((N_GERMLINE, len(tokens)), ABSENT, dtype=np.uint8)
    start = numbering.constant_start
    if start is None:
        return rows, -1
    scored = []
    for i, constant in enumerate(constants()):
        overlaps = -len(constant.sequence) < start < len(tokens)
        if constant.locus == numbering.locus and overlaps:
            matches, known = diagonal_identity(tokens, constant_tokens()[i], start)
            scored.append((known - 2 * matches, i))
    scored.sort()
    for slot, (_, i) in enumerate(scored[:N_GERMLINE]):
        under, residues = on_diagonal(rows[slot], constant_tokens()[i], start)
        under[:] = residues
    return rows, scored[0][1] if scored else -1


def encode_scaffolds(
    scaffolds: Sequence[Scaffold],
    library: Library,
    homologs: Homologs | None = None,
    *,
    k: int = 128,
    stride: int = 64,
    max_identity: float = 0.95,
    observed: bool = False,
    numbered_by: Sequence[str] | None = None,
) -> KmerSet:
    """Encode the missing residues of scaffolds whose gaps have known lengths as k-mers.

    k, stride: residues per window and between window starts. observed: every residue is encoded,
    missing or not, and none of the observed ones is hidden yet. For chains whose truth is known,
    homologs that share at least `max_identity` of the observed residues that both have are left
    out, since the accuracy of these chains is reported. numbered_by: a sequence as long as each
    scaffold, which is numbered in its place, if more is known of a chain's columns than its own
    residues tell. Likely residues are numbered as if they were observed.
    """
    chains = _numbered(scaffolds, numbered_by or [s.sequence for s in scaffolds])
    below = float(np.nextafter(np.float32(max_identity), np.float32(0.0)))
    limits = np.array([below if any(g.truth for g in s.gaps) else 1.0 for s in scaffolds])
    limits = limits[chains.owner]
    windows, targets = _windows(chains, k, stride, observed)
    out = _no_kmers(len(limits), len(windows), k, homologs is not None)
    dtype = product_dtype(torch.device("cpu"))
    by_locus = {i: of_locus(library, i, dtype) for i in np.unique(chains.loci).tolist() if i >= 0}
    # Chains of similar length and locus are searched together; this does not affect the result.
    group_of = np.empty(len(limits), dtype=np.int64)
    groups = list(_groups(_padded(chains.lengths), chains.loci))
    for number, group in enumerate(groups):
        group_of[group] = number
    by_group = np.argsort(group_of[windows[:, 0]], kind="stable")
    bounds = np.searchsorted(group_of[windows[by_group, 0]], np.arange(len(groups) + 1))
    for number, group in enumerate(groups):
        found = _search(group, chains, limits[group], library, by_locus, homologs)
        _cut(found, windows, by_group[bounds[number] : bounds[number + 1]], out)
    nearest = [out.pop(name) for name in ("chain_v", "chain_j", "chain_c")]
    parts = np.stack((chains.owner, chains.begin, chains.loci, *nearest), 1).astype(np.int32)
    first = parts[chains.begin == 0]
    several = np.bincount(chains.owner, minlength=len(scaffolds))[chains.owner] > 1
    whole = targets._replace(  # from parts to chains
        chain=chains.owner[targets.chain], position=targets.position + chains.begin[targets.chain]
    )
    return KmerSet(
        **{name: torch.from_numpy(array) for name, array in out.items()},
        targets=torch.from_numpy(np.stack(whole, 1).astype(np.int32)),
        chain_columns=torch.from_numpy(chains.columns),
        chain_locus=torch.from_numpy(first[:, 2].astype(np.int8)),
        chain_v=torch.from_numpy(first[:, 3].copy()),
        chain_j=torch.from_numpy(first[:, 4].copy()),
        chain_c=torch.from_numpy(first[:, 5].copy()),
        parts=torch.from_numpy(parts[several]),
    )


@dataclass(frozen=True, slots=True)
class Encoder:
    """Templates and settings of `encode_scaffolds`, which describes them."""

    library: Library
    homologs: Homologs | None
    k: int
    stride: int
    max_identity: float

    def encode(self, scaffolds: Sequence[Scaffold], *, observed: bool = False) -> KmerSet:
        """Encode scaffolds whose gaps have known lengths; with `observed` every residue."""
        return encode_scaffolds(
            scaffolds,
            self.library,
            self.homologs,
            k=self.k,
            stride=self.stride,
            max_identity=self.max_identity,
            observed=observed,
        )


@dataclass(frozen=True, slots=True)
class _Chains:
    """m parts of chains, concatenated: tokens, columns (residues of all,), ends (m,).

    loci: (m,) index into LOCI, -1 for none; owner, begin: (m,) index of each part's chain, and of
    the part's first residue in that chain; evident: whether the evidence of each chain is
    settled, which needs no network.
    """

    tokens: np.ndarray
    columns: np.ndarray
    ends: np.ndarray
    loci: np.ndarray
    owner: np.ndarray
    begin: np.ndarray
    numberings: list[Numbering]
    evident: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Number of residues of each chain: (m,)."""
        return np.diff(self.ends, prepend=0)

    def of(self, i: int) -> np.ndarray:
        """Tokens (length,) of chain i."""
        return self.tokens[self.ends[i - 1] if i else 0 : self.ends[i]]


def _numbered(scaffolds: Sequence[Scaffold], numbered_by: Sequence[str]) -> _Chains:
    """Number the chains of scaffolds, in parts if they have several V domains."""
    letters = [likely_letters(s, given) for s, given in zip(scaffolds, numbered_by, strict=True)]
    known = {one: number_parts(one) for one in dict.fromkeys(letters)}
    of_chains = [known[one] for one in letters]
    parts = [part for of_chain in of_chains for part in of_chain]
    numberings = [part.numbering for part in parts]
    count = np.array([len(of_chain) for of_chain in of_chains], dtype=np.int64)
    return _Chains(
        tokens=encode("".join(scaffold.sequence for scaffold in scaffolds)),
        columns=np.concatenate([x.columns for x in numberings] or [np.empty(0, np.uint8)]),
        ends=np.cumsum([len(x.columns) for x in numberings], dtype=np.int64),
        loci=np.array([LOCI.index(x.locus) if x.locus else -1 for x in numberings], int),
        owner=np.repeat(np.arange(len(of_chains)), count),
        begin=np.array([part.start for part in parts], dtype=np.int64),
        numberings=numberings,
        evident=np.array([any(e.settled for e in s.evidence) for s in scaffolds], dtype=bool),
    )


def likely_letters(scaffold: Scaffold, letters: str) -> str:
    """The letters of a chain with its likely residues where reads settle how likely each is."""
    settled = [one for one in scaffold.evidence if one.settled]
    if not settled:
        return letters
    likely = list(letters)
    for one in settled:
        likely[one.position] = RESIDUES[one.weights.index(max(one.weights))]
    return "".join(likely)


@dataclass(frozen=True, slots=True)
class _Searched:
    """Templates along the chains of one group, in rows padded to the same length.

    chains (rows,) index of each row's chain; length (rows,); tokens, columns (rows, padded)
    uint8; templates (rows, slots, padded); profile (rows, padded, 20) uint8 of homologs, None
    without homologs; choice of germline segments; c (rows,) nearest constant region, -1 for none.
    """

    chains: np.ndarray
    length: np.ndarray
    tokens: np.ndarray
    columns: np.ndarray
    templates: np.ndarray
    profile: np.ndarray | None
    choice: GermlineChoice
    c: np.ndarray


def _padded(lengths: np.ndarray) -> np.ndarray:
    return -(-np.maximum(lengths, 1) // _LENGTH_STEP) * _LENGTH_STEP


def _groups(padded: np.ndarray, loci: np.ndarray) -> Iterator[np.ndarray]:
    """Yield rising indices of up to SEARCH_BATCH chains of one padded length and few loci."""
    for length in np.unique(padded):
        members = np.flatnonzero(padded == length)
        members = members[np.argsort(loci[members], kind="stable")]
        for start in range(0, len(members), SEARCH_BATCH):
            yield np.sort(members[start : start + SEARCH_BATCH])


def _windows(chains: _Chains, k: int, stride: int, observed: bool) -> tuple[np.ndarray, Targets]:
    """Windows around missing residues, as chain and start (n, 2), and those residues.

    With `observed` around every residue. Otherwise a chain with no missing residue has none; a
    chain with neither an observed residue nor settled evidence never has one.
    """
    lengths = chains.lengths
    chain = np.repeat(np.arange(len(lengths)), lengths)
    missing = chains.tokens >= MISSING
    share = np.bincount(chain[missing], minlength=len(lengths))
    something = (share < lengths) | chains.evident[chains.owner]
    at = np.flatnonzero((missing | observed) & something[chain])
    chain = chain[at]  # (t,)
    position = at - (chains.ends - lengths)[chain]
    start = np.zeros_like(position)
    bounds = np.searchsorted(chain, np.arange(len(lengths) + 1))
    for i in np.flatnonzero((lengths > k) & (np.diff(bounds) > 0)).tolist():
        rows, length = slice(bounds[i], bounds[i + 1]), int(lengths[i])
        start[rows] = central_windows(position[rows], window_starts(length, k, stride), k, length)
    pairs = np.stack((chain, start), 1)  # sorted: starts rise with positions
    new = (np.diff(pairs, axis=0, prepend=-1) != 0).any(1)
    return pairs[new], Targets(np.cumsum(new) - 1, position - start, chain, position)


def _no_kmers(m: int, n: int, k: int, with_homologs: bool) -> dict[str, np.ndarray]:
    """The arrays of a KmerSet of m chains and n k-mers that the template search will fill."""
    return {
        "tokens": np.full((n, k), ABSENT, dtype=np.uint8),
        "columns": np.zeros((n, k), dtype=np.uint8),
        "templates": np.full((n, N_GERMLINE + N_HOMOLOGS, k), ABSENT, dtype=np.uint8),
        "v_genes": np.full((n, 2), -1, dtype=np.int16),
        "j_gene": np.full(n, -1, dtype=np.int16),
        "homolog_profile": np.zeros((n if with_homologs else 0, k, N_RESIDUES), dtype=np.uint8),
        **{name: np.full(m, -1, dtype=np.int32) for name in ("chain_v", "chain_j", "chain_c")},
    }


def _search(
    group: np.ndarray,
    chains: _Chains,
    limits: np.ndarray,
    library: Library,
    parts: Mapping[int, LocusLibrary],
    homologs: Homologs | None,
) -> _Searched:
    """Find templates for a group of chains of one padded length, in a batch of fixed shape."""
    rows, length = len(group), chains.lengths[group]
    padded = int(_padded(length[0]))
    shape = (SEARCH_BATCH, padded)
    tokens, columns = np.full(shape, ABSENT, np.uint8), np.zeros(shape, np.uint8)
    inside = np.arange(padded) < length[:, None]
    at = ((chains.ends[group] - length)[:, None] + np.arange(padded))[inside]
    tokens[:rows][inside], columns[:rows][inside] = chains.tokens[at], chains.columns[at]
    locus = np.full(SEARCH_BATCH, -1)
    in_v = ((columns[:rows] > 0) & (columns[:rows] < OTHER_INSERTION)).any(1)
    locus[:rows] = np.where(in_v, chains.loci[group], -1)
    c_rows = torch.full((SEARCH_BATCH, N_GERMLINE, padded), ABSENT, dtype=torch.uint8)
    c_best = np.full(rows, -1)
    numberings = [chains.numberings[i] for i in group]
    for row, numbering in enumerate(numberings):
        if numbering.constant_start is not None:
            aligned, c_best[row] = constant_templates(numbering, chains.of(group[row]))
            c_rows[row, :, : length[row]] = torch.from_numpy(aligned)
    batch, under = torch.from_numpy(tokens), torch.from_numpy(columns)
    grid = chain_grid(batch, under)
    choice = choose_by_locus(grid, torch.from_numpy(locus), parts)
    germline = germline_tokens(choice, under, library)
    germline = torch.where(under[:, None] == CONSTANT, c_rows, germline)
    given = torch.full((SEARCH_BATCH, N_HOMOLOGS, padded), ABSENT, dtype=torch.uint8)
    profile = None
    if homologs is not None:
        limit = torch.ones(SEARCH_BATCH)
        limit[:rows] = torch.from_numpy(limits)
        found = find_homologs(homologs, batch, under, grid, numberings, limit)
        given, profile = found.tokens, pack_frequencies(found.profile).numpy()
    templates = torch.cat((germline, given), 1).numpy()
    return _Searched(group, length, tokens, columns, templates, profile, choice, c_best)


def _cut(
    found: _Searched, windows: np.ndarray, rows: np.ndarray, out: dict[str, np.ndarray]
) -> None:
    """Write the chains of a group, and the windows `rows` cut from them, into `out`."""
    choice, n = found.choice, len(found.chains)
    out["chain_v"][found.chains] = choice.v[:n, 0].numpy()
    out["chain_j"][found.chains] = choice.j[:n, 0].numpy()
    out["chain_c"][found.chains] = found.c
    chain, start = windows[rows].T
    local = np.searchsorted(found.chains, chain)  # row in the group; its chains are sorted
    place = start[:, None] + np.arange(out["tokens"].shape[1])  # (windows, k)
    inside = place < found.length[local][:, None]
    place = np.minimum(place, found.tokens.shape[1] - 1)
    out["tokens"][rows] = np.where(inside, found.tokens[local[:, None], place], ABSENT)
    out["columns"][rows] = np.where(inside, found.columns[local[:, None], place], 0)
    templates = np.take_along_axis(found.templates[local], place[:, None], 2)
    out["templates"][rows] = np.where(inside[:, None], templates, ABSENT)
    out["v_genes"][rows] = choice.v_genes.numpy()[local]
    out["j_gene"][rows] = choice.j_gene.numpy()[local]
    if found.profile is not None:
        profile = found.profile[local[:, None], place]
        out["homolog_profile"][rows] = np.where(inside[..., None], profile, 0)
