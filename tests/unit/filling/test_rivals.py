"""Sequences of several lengths for one gap, ranked together."""

from dataclasses import replace

import numpy as np
import pytest

from gaps import mass_of, sure_of
from lacuna.core.alphabet import N_RESIDUES
from lacuna.filling.search.decode import rank_sequences
from lacuna.filling.search.rivals import contest, with_rivals
from lacuna.filling.search.stages import one_mass
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.residue_masses import MassRules
from lacuna.scaffolds.scaffold import Gap, Scaffold

RULES = MassRules()
N = mass_of("N")  # GG too
STAGES = one_mass(N, 0.001)


def test_sequences_of_two_lengths_share_what_their_lengths_have() -> None:
    found = contest({2: (-1.0, sure_of("GG")), 1: (-2.0, sure_of("N"))}, STAGES, RULES)
    assert found is not None
    share = 1 / (1 + np.exp(-1.0))
    assert (found.length, found.probability) == (2, pytest.approx(share))
    odds = pytest.approx((1 - share) / share)
    assert [(r.sequence, r.odds) for r in found.rivals] == [("N", odds)]


def test_the_best_sequence_may_be_of_the_less_probable_length() -> None:
    """One length is likelier, but its probability is spread over many sequences."""
    even = np.full((3, N_RESIDUES), 1 / N_RESIDUES)
    mass = N + mass_of("A")
    found = contest({3: (-1.0, even), 2: (-1.2, sure_of("NA"))}, one_mass(mass, 0.001), RULES)
    assert found is not None and found.length == 2 and found.probability < 0.5
    assert {"GGA", "GAG", "AGG"} <= {rival.sequence for rival in found.rivals}
    assert all(len(rival.sequence) == 3 for rival in found.rivals)


def test_no_residues_are_no_rival_of_a_mass() -> None:
    found = contest({0: (0.0, sure_of("")), 1: (-2.0, sure_of("N"))}, STAGES, RULES)
    assert found is not None and found.length == 1 and not found.rivals


def test_nothing_is_ranked_where_nothing_fits() -> None:
    assert contest({1: (0.0, sure_of("N"))}, one_mass(5000.0, 0.01), RULES) is None


def test_a_ranking_lists_the_best_of_all_lengths() -> None:
    found = contest({2: (-1.0, sure_of("GG")), 1: (-2.0, sure_of("N"))}, STAGES, RULES)
    assert found is not None
    gap = Gap(3, 5, 2, 2, N, 0.001)
    gap = replace(gap, length_probability=found.probability, rivals=found.rivals, mass_error="")
    alone = rank_sequences(sure_of("GG"), 5, STAGES, RULES)
    ranking = with_rivals(alone, gap, 5)
    assert [c.sequence for c in ranking.candidates] == ["GG", "N"]
    assert sum(c.probability for c in ranking.candidates) == pytest.approx(1.0)
    assert ranking.distributions[0].sum() == pytest.approx(found.probability)
    assert [c.sequence for c in with_rivals(alone, gap, 1).candidates] == ["GG"]
    # If all sequences are counted, and not those of the search alone, every share is lower.
    (best,) = alone.candidates
    counted = replace(alone, candidates=(replace(best, probability=best.probability / 4),))
    of_all = with_rivals(counted, gap, 5).candidates
    assert [c.probability for c in of_all] == pytest.approx(
        [c.probability / 4 for c in ranking.candidates]
    )
    assert with_rivals(alone, Gap(3, 5, 2, 2, N, 0.001), 5) is alone
    scaffold = Scaffold("m", "", "ACDXXE", (gap,), 1)
    assert from_json(to_json(scaffold)) == scaffold
