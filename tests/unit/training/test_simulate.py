"""Simulated chains: valid columns, only the 20 residues, the same chains for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.antibody.germlines import LOCI, SPECIES, v_segments
from lacuna.antibody.imgt import (
    CDR3_START,
    CDR_COLUMNS,
    CHAIN_ORDER,
    CYS104,
    FR4_START,
    N_CODES,
    N_IMGT,
    OTHER_INSERTION,
    cdr3_codes,
)
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import ABSENT, N_RESIDUES, decode
from lacuna.training.chains import Chains
from lacuna.training.simulate import graft, grid_to_chain, mutate, recombine, simulate_chains

SEEDS = st.integers(0, 2**31)
KINDS = sorted(
    {
        (SPECIES[s], LOCI[locus])
        for s, locus in zip(v_segments().species, v_segments().locus, strict=True)
    }
)


def check_columns(grid: np.ndarray) -> None:
    """Check a V domain: known columns only, residues or nothing, CDR3 filled from both ends."""
    assert grid.shape == (N_CODES,) and grid.dtype == np.uint8
    assert (grid[[0, *range(OTHER_INSERTION, N_CODES)]] == ABSENT).all()
    assert ((grid < N_RESIDUES) | (grid == ABSENT)).all()
    in_cdr3 = [c for c in CHAIN_ORDER if 105 <= c < FR4_START or c > N_IMGT]
    filled = [int(c) for c in in_cdr3 if grid[c] < N_RESIDUES]
    assert filled == cdr3_codes(len(filled))


def test_the_order_along_a_chain_is_that_of_imgt() -> None:
    assert sorted(CHAIN_ORDER) == list(range(1, OTHER_INSERTION))
    for length in (5, 13, 14, 20, 45):
        codes = cdr3_codes(length)
        places = [int(np.flatnonzero(CHAIN_ORDER == c)[0]) for c in codes]
        assert places == sorted(places) and len(codes) == length


@pytest.mark.parametrize(("species", "locus"), KINDS)
def test_recombined_chains_stand_on_valid_columns(species: str, locus: str) -> None:
    rng = np.random.default_rng(0)
    pool = [rng.integers(0, N_RESIDUES, n).astype(np.uint8) for n in (3, 13, 14, 35)]
    for cdr3s in ([], pool):
        for _ in range(10):
            grid = recombine(species, locus, rng, cdr3s)
            check_columns(grid)
            tokens, columns = grid_to_chain(grid)
            assert 80 < len(tokens) < 150 and len(columns) == len(tokens)
            assert np.array_equal(grid[columns], tokens)
            assert (np.diff([int(np.flatnonzero(CHAIN_ORDER == c)[0]) for c in columns]) > 0).all()


def test_a_simulated_chain_is_numbered_as_it_was_made() -> None:
    rng = np.random.default_rng(1)
    same = total = 0
    for locus in LOCI:
        for _ in range(8):
            tokens, columns = grid_to_chain(recombine("human", locus, rng, []))
            numbering = number_chain(decode(tokens))
            assert numbering.locus == locus
            same += int((numbering.columns == columns).sum())
            total += len(columns)
    assert same / total > 0.97


@settings(max_examples=30)
@given(SEEDS, st.sampled_from([0.0, 0.05, 1.0]))
def test_mutations_change_residues_and_no_column(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    before = recombine(*KINDS[seed % len(KINDS)], rng, [])
    kept = before.copy()
    after = mutate(before, rate, rng)
    assert np.array_equal(before, kept)
    assert np.array_equal(before < N_RESIDUES, after < N_RESIDUES)
    check_columns(after)
    changed = (before != after) & (before < N_RESIDUES)
    if rate == 0.0:
        assert not changed.any()
    if rate == 1.0:
        assert np.array_equal(changed, before < N_RESIDUES)


@settings(max_examples=30)
@given(SEEDS, st.sampled_from([0.0, 0.5]), st.sampled_from(LOCI))
def test_a_graft_has_the_donors_cdrs_on_the_acceptors_frameworks(
    seed: int, back: float, locus: str
) -> None:
    rng = np.random.default_rng(seed)
    acceptor = recombine("human", locus, rng, [])
    donor = recombine("mouse", locus, rng, [])
    grid = graft(acceptor, donor, rng, back)
    check_columns(grid)
    assert np.array_equal(grid[CDR_COLUMNS], donor[CDR_COLUMNS])
    framework = ~CDR_COLUMNS
    assert ((grid == acceptor) | (grid == donor))[framework].all()
    # Ends of CDRs vary by a few residues; outside, the framework is human without back mutations.
    far = framework.copy()
    far[[*range(24, 27), *range(39, 44), *range(52, 56), *range(66, 71)]] = False
    if back == 0.0:
        assert np.array_equal(grid[far], acceptor[far])
    assert grid[CYS104] == acceptor[CYS104] or grid[CYS104] == donor[CYS104]


def test_the_same_seed_gives_the_same_chains() -> None:
    chains = [
        [mutate(recombine("rat", "K", rng, []), 0.1, rng) for _ in range(3)]
        for rng in (np.random.default_rng(7), np.random.default_rng(7))
    ]
    assert np.array_equal(*np.array(chains))


@pytest.mark.parametrize(
    ("species", "framework", "cdrs"),
    [("alpaca", (0.06, 0.12), (0.35, 0.6)), ("mouse", (0.03, 0.07), (0.09, 0.2))],
)
def test_simulated_chains_are_as_far_from_germline_as_natural_ones(
    species: str, framework: tuple[float, float], cdrs: tuple[float, float]
) -> None:
    """Of immunised alpacas CDRs differ in half of their residues, those of mice in a seventh."""
    nothing = Chains(np.empty((0, N_CODES), np.uint8), np.empty(0, np.int64))
    chains, _ = simulate_chains(nothing, {f"{species}:H": 60}, 1)
    v = v_segments()
    own = (v.species == SPECIES.index(species)) & (v.locus == LOCI.index("H"))
    segments, in_v = v.tokens[own][:, 1:CDR3_START], chains.grids[:, None, 1:CDR3_START]
    both = (segments < N_RESIDUES) & (in_v < N_RESIDUES)
    differ, in_cdrs = both & (segments != in_v), CDR_COLUMNS[1:CDR3_START]
    nearest = (differ.sum(2) + (~both).sum(2)).argmin(1)
    differ, both = (x[np.arange(len(chains)), nearest] for x in (differ, both))
    for part, (least, most) in ((~in_cdrs, framework), (in_cdrs, cdrs)):
        assert least < differ[:, part].sum() / both[:, part].sum() < most
