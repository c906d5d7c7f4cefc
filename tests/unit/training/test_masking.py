"""Training batches: reproducible, with gaps as in use, independent of what they hide."""

from dataclasses import fields, replace

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lacuna.antibody.germlines import LOCI
from lacuna.antibody.imgt import CHAIN_ORDER, CONSTANT, OUTSIDE
from lacuna.core.alphabet import ABSENT, AMBIGUOUS, MISSING, N_RESIDUES, RESIDUES, TOKEN
from lacuna.templates.nearest import N_GERMLINE, one_hot_templates
from lacuna.training.batches import step_generator
from lacuna.training.chains import Chains
from lacuna.training.germline_use import germline_library
from lacuna.training.masking import (
    MAX_GAP,
    Batch,
    ChainSet,
    MaskingConfig,
    References,
    draw_gaps,
    make_batch,
)
from lacuna.training.simulate import mutate, recombine

CPU = torch.device("cpu")
N = 48
# Residues without an ambiguity code: hidden residues may change to them and stay hidden.
PLAIN = [i for i, r in enumerate(RESIDUES) if r not in "".join(AMBIGUOUS.values())]


def make_chains() -> ChainSet:
    rng = np.random.default_rng(0)
    kinds = [("human", "H"), ("mouse", "K"), ("human", "L")]
    grids = [mutate(recombine(*kinds[i % 3], rng, []), 0.05, rng) for i in range(N)]
    constants = rng.integers(0, N_RESIDUES, (6, 60)).astype(np.uint8)
    templates = rng.integers(0, N_RESIDUES, (6, N_GERMLINE, 60)).astype(np.uint8)
    return ChainSet(
        grids=torch.from_numpy(np.stack(grids)),
        locus=torch.tensor([LOCI.index(kinds[i % 3][1]) for i in range(N)]),
        cumulative=torch.ones(N, dtype=torch.float64).cumsum(0),
        order=torch.from_numpy(CHAIN_ORDER),
        constants=torch.from_numpy(constants),
        constant_templates=torch.from_numpy(templates),
        constant_locus=torch.arange(6) % 3,
    )


CHAINS = make_chains()
LIBRARY = germline_library(Chains(CHAINS.grids.numpy(), CHAINS.locus.numpy()))


def batch_of(
    seed: int, rows: Tensor | None = None, chains: ChainSet | None = None, **masking: float
) -> Batch:
    return make_batch(
        chains or CHAINS,
        LIBRARY,
        (one_hot_templates(LIBRARY.v), one_hot_templates(LIBRARY.j)),
        References(CHAINS.grids[: N // 2], torch.float32),
        size=16,
        k=128,
        config=replace(MaskingConfig(), **masking),
        generator=step_generator(0, seed, CPU),
        rows=rows,
    )


def parts(batch: Batch) -> dict[str, Tensor]:
    kmers = {f.name: getattr(batch.kmers, f.name) for f in fields(batch.kmers)}
    return {**kmers, "truth": batch.truth, "scored": batch.scored}


def test_a_batch_is_a_pure_function_of_seed_and_step() -> None:
    first, other = parts(batch_of(5)), parts(batch_of(6))
    torch.manual_seed(99)  # the global generator has no effect
    again = parts(batch_of(5))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["tokens"], other["tokens"])
    generators = [step_generator(seed, step, CPU) for seed, step in ((0, 0), (0, 1), (1, 0))]
    assert len({g.initial_seed() for g in generators}) == 3


def test_shapes_and_values() -> None:
    batch = batch_of(1)
    kmers = batch.kmers
    assert kmers.tokens.shape == kmers.columns.shape == batch.scored.shape == (16, 128)
    assert kmers.templates.shape == (16, 8, 128) and kmers.profiles.shape == (16, 128, 60)
    there = kmers.columns > 0
    assert (kmers.tokens[~there] == ABSENT).all() and (kmers.tokens[there] != ABSENT).all()
    assert (kmers.templates.transpose(1, 2)[~there] == ABSENT).all()
    assert batch.scored.any(1).all() and not (batch.scored & ~there).any()
    assert (kmers.tokens[~batch.scored & there] == batch.truth[~batch.scored & there]).all()
    sums = kmers.profiles.unflatten(2, (3, 20)).sum(-1)
    assert ((sums == 0) | ((sums - 1).abs() < 0.1)).all()


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_what_is_hidden_leaks_into_nothing_but_the_truth(seed: int) -> None:
    rows = torch.arange(16)
    # Without constant regions, whose residues are in no grid.
    before = batch_of(seed, rows, constant=0.0)
    hidden = before.kmers.tokens == MISSING
    assert hidden.any()
    grids = CHAINS.grids.clone()
    generator = torch.Generator().manual_seed(seed)
    for i in range(16):
        at = before.kmers.columns[i][hidden[i]].long()
        at = at[(at > 0) & (at < OUTSIDE)]
        grids[i, at] = torch.tensor(PLAIN, dtype=torch.uint8)[
            torch.randint(0, len(PLAIN), (len(at),), generator=generator)
        ]
    changed = replace(CHAINS, grids=grids)
    batch = batch_of(seed, rows, changed, constant=0.0)
    old, new = parts(before), parts(batch)
    for name in ("tokens", "columns", "templates", "profiles", "scored"):
        assert torch.equal(old[name], new[name]), name
    assert torch.equal(old["truth"][~hidden], new["truth"][~hidden])
    assert not torch.equal(old["truth"], new["truth"])


def test_no_homolog_is_the_chain_itself() -> None:
    rows = torch.arange(16)
    batch = batch_of(3, rows, homologs=1.0, absent_slot=0.0, fragment=0.0, constant=0.0)
    for slot in range(N_GERMLINE, 8):
        template = batch.kmers.templates[:, slot]
        seen = (batch.kmers.tokens < N_RESIDUES) & (template < N_RESIDUES)
        alike = (seen & (batch.kmers.tokens == template)).sum(1) / seen.sum(1).clamp(min=1)
        assert (alike < 1.0).all()


def test_homologs_are_given_to_those_that_ask() -> None:
    none = batch_of(4, homologs=0.0, generic=0.0)
    assert (none.kmers.templates[:, N_GERMLINE:] == ABSENT).all()
    assert not none.kmers.profiles[..., 40:].any()
    given_to_all = batch_of(4, homologs=1.0, generic=0.0, absent_slot=0.0)
    assert given_to_all.kmers.profiles[..., 40:].any(2).any(1).all()
    # The result for a chain does not depend on how many others get homologs.
    some = batch_of(4, homologs=0.5, generic=0.0, absent_slot=0.0)
    has = some.kmers.profiles[..., 40:].any(2).any(1)
    assert has.any() and not has.all()
    assert torch.equal(some.kmers.profiles[has], given_to_all.kmers.profiles[has])


def test_generic_chains_have_no_columns_and_no_germlines() -> None:
    batch = batch_of(2, generic=1.0, constant=0.0)
    assert set(batch.kmers.columns.unique().tolist()) <= {0, OUTSIDE}
    assert (batch.kmers.templates[:, :N_GERMLINE] == ABSENT).all()
    assert not batch.kmers.profiles[..., :40].any()


def test_constant_regions_follow_the_domain() -> None:
    rows = torch.arange(16)
    with_c = batch_of(2, rows, constant=1.0, fragment=0.0, constant_mutations=0.0)
    is_c = with_c.kmers.columns == CONSTANT
    assert is_c.any(1).sum() > 12
    for i in range(16):
        at = torch.nonzero(is_c[i])[:, 0]
        own = CHAINS.constants[CHAINS.constant_locus == CHAINS.locus[i]]
        if len(at):
            assert torch.equal(at, torch.arange(at[0], at[0] + len(at)))
            found = with_c.truth[i, at].to(torch.uint8)
            assert any(torch.equal(found, c[: len(at)]) for c in own)


def test_isobaric_chains_are_scored_at_every_i_and_l() -> None:
    batch = batch_of(2, isobaric=1.0)
    j = batch.kmers.tokens == TOKEN["J"]
    either = (batch.truth == RESIDUES.index("I")) | (batch.truth == RESIDUES.index("L"))
    assert j.any(1).all() and batch.scored[j].all() and either[j].all()
    visible = (batch.kmers.tokens < N_RESIDUES) & either & (batch.kmers.columns > 0)
    assert not visible.any()


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0]))
def test_gaps_lie_within_the_chain(seed: int, scattered: float, terminal: float) -> None:
    lengths = torch.tensor([50, 51, 80, 128])
    config = replace(MaskingConfig(), scattered=scattered, terminal=terminal)
    hidden = draw_gaps(lengths, 128, config, step_generator(0, seed, CPU))
    assert hidden.shape == (4, 128) and hidden.any(1).all()
    assert not (hidden & (torch.arange(128)[None] >= lengths[:, None])).any()
    if scattered == 0.0:
        assert (hidden.sum(1) <= 3 * MAX_GAP).all()
        if terminal == 1.0:
            assert (hidden[:, 0] | hidden[range(4), lengths - 1]).all()


def test_gaps_have_every_length_in_use() -> None:
    lengths = torch.full((4096,), 120)
    config = replace(MaskingConfig(), scattered=0.0)
    hidden = draw_gaps(lengths, 128, config, step_generator(0, 0, CPU)).numpy()
    found = set()
    for row in hidden:
        edges = np.flatnonzero(np.diff(np.concatenate(([0], row, [0]))))
        found |= set((edges[1::2] - edges[::2]).tolist())
    assert set(range(1, 26)) <= found
