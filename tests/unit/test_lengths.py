"""Lengths of gaps that come without one: what is tried, and what is chosen."""

from pathlib import Path

import pytest
import torch
from pyteomics.mass import std_aa_mass

from lacuna.decode import MassRules, Modifications
from lacuna.germlines import j_segments, v_segments
from lacuna.kmers import load_library
from lacuna.lengths import MAX_LENGTHS, possible_lengths, resolve_lengths, with_lengths
from lacuna.scaffolds import Gap, Scaffold
from lacuna.simulate import grid_to_chain
from lacuna.train import load_weights

WEIGHTS = Path(__file__).parents[2] / "resources" / "weights"


def mass_of(residues: str) -> float:
    return sum(std_aa_mass[r] for r in residues)


def opened(chain: str, start: int, end: int, *, mass: bool) -> Scaffold:
    """The chain with one gap of unknown length in place of start..end."""
    hidden = mass_of(chain[start:end])
    gap = Gap(
        start,
        start + 1,
        1,
        None,
        mass=hidden if mass else None,
        tolerance_da=hidden * 1e-5 if mass else None,
        truth=chain[start:end],
    )
    return Scaffold("chain", "", chain[:start] + "X" + chain[end:], (gap,), 1)


@pytest.fixture(scope="module")
def chain() -> str:
    """A heavy V domain put together from germline segments."""
    from lacuna.alphabet import decode

    v, j = v_segments(), j_segments()
    grid = v.tokens[v.names.index("IGHV3-23*01")].copy()
    joined = j.tokens[j.names.index("IGHJ4*02")]
    grid[113:129] = joined[113:129]
    return decode(grid_to_chain(grid)[0])


def settle(scaffolds: list[Scaffold]) -> list[Scaffold]:
    return resolve_lengths(
        scaffolds,
        load_weights(WEIGHTS / "lacuna.safetensors"),
        load_library(WEIGHTS / "library.safetensors"),
        None,
        k=128,
        stride=64,
        max_identity=0.95,
        modifications=Modifications(),
        device=torch.device("cpu"),
    )


def test_a_mass_bounds_the_lengths() -> None:
    gap = Gap(0, 1, 1, None, mass=mass_of("GGGG"), tolerance_da=0.001)
    assert possible_lengths(gap) == [2, 3, 4]  # two tryptophans weigh more, five glycines too
    assert possible_lengths(Gap(0, 1, 3, None, mass=mass_of("GGGG"), tolerance_da=0.001)) == [3, 4]
    assert possible_lengths(Gap(0, 1, 1, 2, mass=mass_of("GGGG"), tolerance_da=0.001)) == [2]
    assert possible_lengths(Gap(0, 1, 5, None, mass=mass_of("GGGG"), tolerance_da=0.001)) == []


def test_bounds_alone_are_taken_as_they_are() -> None:
    assert possible_lengths(Gap(0, 1, 2, 5)) == [2, 3, 4, 5]
    assert possible_lengths(Gap(0, 1, 2, None)) == list(range(2, 2 + MAX_LENGTHS))
    assert possible_lengths(Gap(0, 1, 1, 100)) == list(range(1, 101))


@pytest.mark.parametrize("length", [60, 100, 113, 140])
def test_lengths_tried_of_a_heavy_gap_surround_the_likely_one(chain: str, length: int) -> None:
    mass = mass_of((chain * 2)[:length])
    tried = possible_lengths(Gap(0, 1, 1, None, mass=mass, tolerance_da=mass * 1e-5))
    assert len(tried) == MAX_LENGTHS and tried[5] < length < tried[-5]
    bounded = possible_lengths(Gap(0, 1, 1, length, mass=mass, tolerance_da=mass * 1e-5))
    assert bounded[-1] == length and len(bounded) == len(range(bounded[0], length + 1))


def test_a_lysine_that_was_clipped_makes_a_gap_longer_than_its_mass() -> None:
    gap = Gap(0, 1, 1, None, mass=mass_of("PG"), tolerance_da=0.001)
    clipped = Modifications(clipped_lysine=True)
    assert possible_lengths(gap) == [1, 2]
    assert possible_lengths(gap, MassRules(clipped, ends_chain=True)) == [1, 2, 3]
    assert possible_lengths(gap, MassRules(clipped, starts_chain=True)) == [1, 2]


def test_a_stretched_scaffold_keeps_where_its_gaps_stood() -> None:
    gaps = (Gap(1, 2, 1, None), Gap(3, 3, 1, None), Gap(4, 6, 2, 2))
    scaffold = Scaffold("c", "", "AXCDXX", gaps, 1)
    longer = with_lengths(scaffold, [3, 1, None])
    assert longer.sequence == "AXXXCXDXX"
    assert [(g.start, g.end, g.fixed) for g in longer.gaps] == [
        (1, 4, True),
        (5, 6, True),
        (7, 9, True),
    ]
    assert [g.origin for g in longer.gaps] == [(1, 2), (3, 3), (4, 6)]


@pytest.mark.parametrize("place", [(3, 8), (40, 47), (60, 66), (75, 85)])
@pytest.mark.parametrize("mass", [True, False])
def test_the_length_of_a_germline_gap_is_found(
    chain: str, place: tuple[int, int], mass: bool
) -> None:
    (settled,) = settle([opened(chain, *place, mass=mass)])
    assert settled.gaps[0].fixed
    assert settled.gaps[0].end - settled.gaps[0].start == place[1] - place[0]
    assert settled.sequence[: place[0]] == chain[: place[0]]
    assert settled.sequence.endswith(chain[place[1] :])


def test_two_open_gaps_of_one_chain_are_settled_together(chain: str) -> None:
    first = opened(chain, 75, 80, mass=True)
    sequence = first.sequence[:40] + "X" + first.sequence[45:]
    hidden = chain[40:45]
    left = Gap(40, 41, 1, None, mass_of(hidden), mass_of(hidden) * 1e-5, hidden)
    moved = Gap(71, 72, 1, None, mass_of(chain[75:80]), 0.005, chain[75:80])
    (settled,) = settle([Scaffold("chain", "", sequence, (left, moved), 1)])
    assert [g.end - g.start for g in settled.gaps] == [5, 5]
    assert len(settled.sequence) == len(chain)


def test_a_mass_that_no_length_has_leaves_the_gap_open(chain: str) -> None:
    gap = Gap(40, 41, 9, None, mass=100.0, tolerance_da=0.001)
    scaffold = Scaffold("chain", "", chain[:40] + "X" + chain[45:], (gap,), 1)
    (settled,) = settle([scaffold])
    assert settled.sequence == scaffold.sequence
    assert not settled.gaps[0].fixed


def test_chains_without_open_gaps_and_without_residues_stay_as_they_are(chain: str) -> None:
    whole = Scaffold("a", "", chain[:10] + "XX" + chain[12:], (Gap(10, 12, 2, 2),), 1)
    nothing = Scaffold("b", "", "X", (Gap(0, 1, 1, None, 500.0, 0.005),), 3)
    assert settle([whole, nothing]) == [whole, nothing]
