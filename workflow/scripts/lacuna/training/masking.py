"""Training batches on any device: k-mers with gaps as sequencing leaves them.

A batch is a pure function of (seed, step): a run that was killed resumes with the batches it would
have seen. Windows are cut from chains, parts of them are hidden, and templates are chosen from the
visible rest, as in use.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from lacuna.antibody.imgt import CDR3_START, CONSTANT, OUTSIDE
from lacuna.core.alphabet import ABSENT, AMBIGUOUS, MISSING, N_RESIDUES, TOKEN
from lacuna.network.model import Kmers
from lacuna.templates.nearest import (
    N_GERMLINE,
    N_HOMOLOGS,
    GermlineChoice,
    Library,
    chain_grid,
    choose_germlines,
    choose_homologs,
    germline_profiles,
    germline_tokens,
    homolog_profile,
    homolog_tokens,
    one_hot_templates,
)

MIN_FRAGMENT = 50  # residues of the shortest training fragment
MAX_GAP = 30


@dataclass(frozen=True, slots=True)
class MaskingConfig:
    """How training chains are hidden; shares are of chains unless stated otherwise."""

    terminal: float = 0.15  # a gap at an end
    scattered: float = 0.2  # single residues instead of gaps
    fragment: float = 0.15  # only a part of the chain is present
    isobaric: float = 0.12  # every I and L becomes J
    constant: float = 0.12  # windows that extend into a constant region
    homologs: float = 0.35  # homologs are given
    max_identity: float = 0.97  # of the homologs given
    generic: float = 0.04  # no columns and no germlines: a protein that is not an antibody
    no_germline: float = 0.04
    skip_best: float = 0.15  # the nearest V gene is not among the templates
    wrong_slot: float = 0.03  # share of template slots
    absent_slot: float = 0.1  # share of template slots
    constant_mutations: float = 0.01  # share of residues


@dataclass(frozen=True, slots=True)
class ChainSet:
    """Training chains on one device.

    grids: (n, N_CODES) uint8; locus: (n,) long; cumulative: (n,) sums of sampling weights;
    order: (columns along a chain,) long; constants (m, length) uint8 with
    constant_templates (m, slots, length) uint8 aligned to them and constant_locus (m,).
    """

    grids: Tensor
    locus: Tensor
    cumulative: Tensor
    order: Tensor
    constants: Tensor
    constant_templates: Tensor
    constant_locus: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """k-mers, their true residues (n, k) long, and which residues are scored (n, k) bool."""

    kmers: Kmers
    truth: Tensor
    scored: Tensor


class References:
    """Homologs for training: a pool of training chains with their one-hot matrix."""

    def __init__(self, grids: Tensor, dtype: torch.dtype) -> None:
        self.grids = grids
        self.one_hot = one_hot_templates(grids, dtype)


class _Rows(NamedTuple):
    """Chains or windows of them, residue by residue: tokens and columns (b, length), ABSENT and 0
    beyond the end, and templates of constant regions (b, N_GERMLINE, length)."""

    tokens: Tensor
    columns: Tensor
    c_templates: Tensor


def _compact(grids: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """(b, N_CODES) -> tokens and columns (b, length), residues first, then ABSENT and 0."""
    row = grids[:, order]
    absent = row >= N_RESIDUES
    along = torch.sort(absent.to(torch.uint8), dim=1, stable=True).indices
    tokens = row.gather(1, along)
    columns = order[along].to(torch.uint8)
    empty = tokens >= N_RESIDUES
    return tokens.masked_fill(empty, ABSENT), columns.masked_fill(empty, 0)


def _windows(x: Tensor, start: Tensor, k: int, fill: int) -> Tensor:
    """Cut (b, length) to (b, k) from each row's start; `fill` beyond the end."""
    at = start[:, None] + torch.arange(k, device=x.device)
    inside = at < x.shape[1]
    cut = x.gather(1, at.clamp(max=x.shape[1] - 1))
    return cut.masked_fill(~inside, fill)


def draw_gaps(lengths: Tensor, k: int, config: MaskingConfig, generator: torch.Generator) -> Tensor:
    """Draw which residues are hidden: (b,) lengths -> (b, k) bool, at least one per chain.

    Either up to three gaps of 1 to MAX_GAP residues, mostly short; or a gap at an end and up to two
    more; or single residues. Shares are those of `config`.
    """
    device, b = lengths.device, lengths.shape[0]
    uniform = partial(torch.rand, generator=generator, device=device)
    position = torch.arange(k, device=device)[None]
    hidden = torch.zeros(b, k, dtype=torch.bool, device=device)
    kind = uniform(b)
    scattered = kind < config.scattered
    terminal = (kind >= config.scattered) & (kind < config.scattered + config.terminal)
    for i, chance in enumerate((1.0, 0.6, 0.35)):
        size = 1 + (uniform(b) ** 1.5 * MAX_GAP).long()
        start = (uniform(b) * (lengths - size + 1).clamp(min=1)).long()
        if i == 0:
            at_end = torch.where(uniform(b) < 0.6, torch.zeros_like(start), lengths - size)
            start = torch.where(terminal, at_end.clamp(min=0), start)
        use = (uniform(b) < chance) & ~scattered
        stop = start + size
        hidden |= use[:, None] & (position >= start[:, None]) & (position < stop[:, None])
    rate = 0.02 + 0.16 * uniform(b, 1)
    single = uniform(b, k) < rate
    sure = (uniform(b) * lengths).long()[:, None] == position
    hidden |= scattered[:, None] & (single | sure)
    return hidden & (position < lengths[:, None])


def make_batch(
    chains: ChainSet,
    library: Library,
    one_hots: tuple[Tensor, Tensor],
    references: References,
    *,
    size: int,
    k: int,
    config: MaskingConfig,
    generator: torch.Generator,
    rows: Tensor | None = None,
) -> Batch:
    """Hide parts of `size` chains drawn by weight (or of the given rows) and find templates.

    one_hots: of the library's V and J segments, see `one_hot_templates`; references: the pool
    from which homologs are taken; k: width of the windows; rows: (b,) long indices of chains, in
    place of `size` drawn ones.
    The result depends only on the arguments and the state of the generator. Its k-mers do not
    depend on residues that are MISSING: templates are chosen by the visible residues.
    """
    uniform = partial(torch.rand, generator=generator, device=chains.grids.device)
    if rows is None:
        draws = uniform(size).double() * chains.cumulative[-1]
        rows = torch.searchsorted(chains.cumulative, draws).clamp(max=len(chains.grids) - 1)
    b = len(rows)
    tokens, columns, c_templates = _draw_windows(chains, rows, k, config, generator)
    hidden = draw_gaps((columns > 0).sum(1), k, config, generator)
    truth = tokens.long().clamp(max=N_RESIDUES - 1)
    seen = tokens.masked_fill(hidden, MISSING)
    seen, scored = _ambiguous(seen, truth, hidden, config, uniform)

    grid = chain_grid(seen, columns)
    numbered = (grid[:, 1:CDR3_START] < N_RESIDUES).sum(1) > 5
    no_germline = (uniform(b) < config.no_germline) | ~numbered
    generic = uniform(b) < config.generic
    locus = chains.locus[rows].masked_fill(no_germline | generic, -1)
    choice = _choose_germlines(grid, locus, library, one_hots, config, uniform)
    germline = germline_tokens(choice, columns, library)
    germline = torch.where(columns[:, None] == CONSTANT, c_templates, germline)
    profile = germline_profiles(choice.v_genes, choice.j_gene, columns, library)
    given = (uniform(b) < config.homologs) | generic
    homologs, h_profile = _find_homologs(grid, columns, given, references, config.max_identity)

    absent = uniform(b, N_GERMLINE + N_HOMOLOGS) < config.absent_slot
    templates = torch.cat((germline, homologs), 1)
    templates = templates.masked_fill(absent[:, :, None], ABSENT)
    templates = templates.masked_fill(columns[:, None] == 0, ABSENT)
    drop_profile = (uniform(b) < config.absent_slot)[:, None, None]
    profiles = torch.cat((profile.masked_fill(drop_profile, 0.0), h_profile), -1)
    columns = torch.where(generic[:, None] & (columns > 0), OUTSIDE, columns)
    return Batch(Kmers(seen, columns, templates, profiles), truth, scored)


def _draw_windows(
    chains: ChainSet, rows: Tensor, k: int, config: MaskingConfig, generator: torch.Generator
) -> _Rows:
    """Draw windows of k residues from chains, some of which get a constant region first.

    rows: (b,) long indices of the chains.
    """
    b, device = len(rows), rows.device
    uniform = partial(torch.rand, generator=generator, device=device)
    locus = chains.locus[rows]
    tokens, columns = _compact(chains.grids[rows], chains.order)
    c_templates = tokens.new_full((b, N_GERMLINE, tokens.shape[1]), ABSENT)

    # Windows that extend into a constant region of the chain's locus.
    with_c = uniform(b) < config.constant
    fits = chains.constant_locus[None] == locus[:, None]
    pick = (uniform(b, fits.shape[1]) * fits).argmax(1)
    drawn = _Rows(tokens, columns, c_templates)
    drawn = _append_constant(chains, drawn, pick, with_c, config, generator)
    tokens, columns, c_templates = drawn
    lengths = (columns > 0).sum(1)
    start = (uniform(b) * (lengths - k + 1).clamp(min=1)).long()
    fragment = uniform(b) < config.fragment
    offset = (uniform(b) * (lengths - MIN_FRAGMENT).clamp(min=1)).long()
    start = torch.where(fragment, offset, start)
    tokens = _windows(tokens, start, k, ABSENT)
    columns = _windows(columns, start, k, 0)
    starts = start.repeat_interleave(N_GERMLINE)
    c_templates = _windows(c_templates.flatten(0, 1), starts, k, ABSENT)
    c_templates = c_templates.unflatten(0, (b, N_GERMLINE))
    keep = MIN_FRAGMENT + (uniform(b) * (k - MIN_FRAGMENT)).long()
    beyond = fragment[:, None] & (torch.arange(k, device=device)[None] >= keep[:, None])
    tokens, columns = tokens.masked_fill(beyond, ABSENT), columns.masked_fill(beyond, 0)
    return _Rows(tokens, columns, c_templates)


def _choose_germlines(
    grid: Tensor,
    locus: Tensor,
    library: Library,
    one_hots: tuple[Tensor, Tensor],
    config: MaskingConfig,
    uniform: Callable[..., Tensor],
) -> GermlineChoice:
    """Germline templates of b chains, some without the nearest one, some of them wrong."""
    b = len(locus)
    skip_best = uniform(b) < config.skip_best
    choice = choose_germlines(grid, locus, library, *one_hots, skip_best=skip_best)
    wrong = (uniform(b, N_GERMLINE) < config.wrong_slot) & (choice.v >= 0)
    other = (uniform(b, N_GERMLINE) * len(library.v)).long()
    return replace(choice, v=torch.where(wrong, other, choice.v))


def _find_homologs(
    grid: Tensor, columns: Tensor, given: Tensor, references: References, max_identity: float
) -> tuple[Tensor, Tensor]:
    """Homologs (b, N_HOMOLOGS, k) and their profile (b, k, 20), none unless `given` (b,)."""
    (b, k), device = columns.shape, columns.device
    homologs = grid.new_full((b, N_HOMOLOGS, k), ABSENT)
    profile = torch.zeros(b, k, N_RESIDUES, device=device)
    # A CPU searches only for chains that get homologs. On a GPU, finding out which these are would
    # take as long as searching for all.
    asked = given.nonzero()[:, 0] if device.type == "cpu" else torch.arange(b, device=device)
    best, identity = choose_homologs(
        grid[asked], references.grids, references.one_hot, max_identity
    )
    identity = identity * given[asked, None]
    tokens = homolog_tokens(best, columns[asked], references.grids)
    tokens = tokens.masked_fill((identity <= 0)[:, :, None], ABSENT)
    homologs[asked], profile[asked] = tokens[:, :N_HOMOLOGS], homolog_profile(tokens, identity)
    return homologs, profile


def _append_constant(
    chains: ChainSet,
    rows: _Rows,
    pick: Tensor,
    with_c: Tensor,
    config: MaskingConfig,
    generator: torch.Generator,
) -> _Rows:
    """Append the constant region number `pick` (b,) to each chain with `with_c` (b,) bool; this
    widens the rows."""
    device = rows.tokens.device
    c_width = chains.constants.shape[1]
    pad = (0, c_width)
    tokens = torch.nn.functional.pad(rows.tokens, pad, value=ABSENT)
    columns = torch.nn.functional.pad(rows.columns, pad, value=0)
    c_templates = torch.nn.functional.pad(rows.c_templates, pad, value=ABSENT)
    c = chains.constants[pick]  # (b, c_width)
    random = torch.randint(0, N_RESIDUES, c.shape, generator=generator, device=device)
    mutated = torch.rand(c.shape, generator=generator, device=device) < config.constant_mutations
    c = torch.where(mutated & (c < N_RESIDUES), random.to(c.dtype), c)
    c = c.masked_fill(~with_c[:, None], ABSENT)
    at = (columns > 0).sum(1)[:, None] + torch.arange(c_width, device=device)
    tokens.scatter_(1, at, c)
    columns.scatter_(1, at, torch.where(c < N_RESIDUES, CONSTANT, 0).to(columns.dtype))
    around = at[:, None].expand(-1, c_templates.shape[1], -1)
    c_templates.scatter_(2, around, chains.constant_templates[pick])
    return _Rows(tokens, columns, c_templates)


def _ambiguous(
    seen: Tensor,
    truth: Tensor,
    hidden: Tensor,
    config: MaskingConfig,
    uniform: Callable[..., Tensor],
) -> tuple[Tensor, Tensor]:
    """Replace some residues by J, B and Z; they are scored together with the hidden ones."""
    b, k = seen.shape
    scored = hidden
    everywhere = (uniform(b) < config.isobaric)[:, None]
    some = uniform(b, k) < 0.01
    for code, residues in AMBIGUOUS.items():
        one_of = torch.zeros_like(hidden)
        for residue in residues:
            one_of |= (truth == TOKEN[residue]) & (seen != ABSENT)
        use = one_of & (some | (everywhere & ~hidden if code == "J" else False))
        seen = seen.masked_fill(use, TOKEN[code])
        scored = scored | use
    return seen, scored
