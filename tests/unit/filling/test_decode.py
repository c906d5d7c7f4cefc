"""The best sequences of a gap, compared with all possible ones, with and without a mass."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaps import distributions, mass_of
from lacuna.core.alphabet import AMBIGUOUS, N_RESIDUES, RESIDUES, encode
from lacuna.core.masses import DEAMIDATION
from lacuna.filling.search.decode import Candidate, rank_plain, rank_sequences
from lacuna.filling.search.stages import one_mass
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES, MassRules, Modifications

GLYCINE, ALANINE, ASPARAGINE, GLUTAMINE, LYSINE = (
    57.02146,
    71.03711,
    114.04293,
    128.05858,
    128.09496,
)


@st.composite
def gaps(draw: st.DrawFn) -> np.ndarray:
    """Distributions of gaps of 1 to 4 residues, each over a few to all 20 residues."""
    length = draw(st.integers(1, 4))
    most = {1: 20, 2: 20, 3: 12, 4: 6}[length]
    weights = []
    for _ in range(length):
        residues = draw(st.sets(st.sampled_from(RESIDUES), min_size=1, max_size=most))
        weights.append({r: draw(st.integers(1, 1000)) for r in sorted(residues)})
    return distributions(*weights)


def every_sequence(probabilities: np.ndarray) -> dict[str, tuple[float, float]]:
    """Probability and mass of each possible sequence of a gap."""
    found = {}
    for tokens in product(*(np.flatnonzero(row) for row in probabilities)):
        p = float(np.prod([row[t] for row, t in zip(probabilities, tokens, strict=True)]))
        found["".join(RESIDUES[t] for t in tokens)] = p, float(RESIDUE_MASSES[list(tokens)].sum())
    return found


def best(probabilities: np.ndarray, n: int) -> tuple[Candidate, ...]:
    """The best sequences of one gap without a mass."""
    (ranking,) = rank_plain(probabilities[None], n)
    return ranking.candidates


def within(probabilities: np.ndarray, n: int, mass: float, tolerance: float) -> list[str]:
    """The best sequences of a gap of known mass."""
    ranking = rank_sequences(probabilities, n, one_mass(mass, tolerance), MassRules())
    return [candidate.sequence for candidate in ranking.candidates]


@given(gaps(), st.integers(1, 30))
def test_the_best_are_those_of_all_sequences(probabilities: np.ndarray, n: int) -> None:
    every = every_sequence(probabilities)
    found = best(probabilities, n)
    assert len({c.sequence for c in found}) == len(found) == min(n, len(every))
    for candidate in found:
        p, mass = every[candidate.sequence]  # KeyError if a residue is not allowed there
        assert candidate.probability == pytest.approx(p)
        assert candidate.mass == pytest.approx(mass)
    highest = sorted((p for p, _ in every.values()), reverse=True)[:n]
    assert [c.probability for c in found] == pytest.approx(highest)


@settings(max_examples=200)
@given(gaps(), st.integers(1, 30), st.data(), st.sampled_from([0.001, 0.02, 0.6, 15.0]))
def test_the_best_within_a_mass_are_those_of_all_sequences(
    probabilities: np.ndarray, n: int, data: st.DataObject, tolerance: float
) -> None:
    every = every_sequence(probabilities)
    mass = every[data.draw(st.sampled_from(sorted(every)))][1] + tolerance / 2
    fitting: dict[str, float] = {}  # I as L, weighed by how far the mass is off
    of_residues = np.zeros_like(probabilities)
    for sequence, (p, m) in every.items():
        if abs(m - mass) <= tolerance:
            one = sequence.replace("I", "L")
            off = 3 * (m - mass) / tolerance
            weight = p * math.exp(-off * off / 2)
            fitting[one] = fitting.get(one, 0.0) + weight
            of_residues[np.arange(len(sequence)), encode(sequence)] += weight
    ranking = rank_sequences(probabilities, n, one_mass(mass, tolerance), MassRules())
    assert {c.sequence.replace("I", "L") for c in ranking.candidates} <= set(fitting)
    total = sum(fitting.values())
    highest = [p / total for p in sorted(fitting.values(), reverse=True)[:n]]
    assert [c.probability for c in ranking.candidates] == pytest.approx(highest)
    for candidate in ranking.candidates:
        for letter, row in zip(candidate.sequence, probabilities, strict=True):
            if letter in "IL":
                assert row[RESIDUES.index(letter)] == max(row[[RESIDUES.index(x) for x in "IL"]])
    assert ranking.distributions == pytest.approx(of_residues / total)
    assert ranking.mass_probability == pytest.approx(total)


@given(gaps(), st.integers(1, 5))
def test_where_no_sequence_fits_the_mass_none_is_given(probabilities: np.ndarray, n: int) -> None:
    heaviest = max(mass for _, mass in every_sequence(probabilities).values())
    ranking = rank_sequences(probabilities, n, one_mass(heaviest + 5.0, 1.0), MassRules())
    assert ranking.candidates == () and ranking.mass_probability == 0
    assert np.array_equal(ranking.distributions, probabilities)


def test_masses_are_those_of_residues_not_of_free_amino_acids() -> None:
    found = best(distributions({"G": 1}, {"A": 1}), 1)
    assert found[0].mass == pytest.approx(GLYCINE + ALANINE, abs=1e-4)


def test_a_mass_tells_lysine_from_glutamine() -> None:
    likely_k = distributions({"K": 0.9, "Q": 0.1})
    assert best(likely_k, 1)[0].sequence == "K"
    assert within(likely_k, 5, GLUTAMINE, 0.005) == ["Q"]
    assert within(likely_k, 5, (GLUTAMINE + LYSINE) / 2, 0.05) == ["K", "Q"]


def test_a_sequence_on_the_edge_of_the_tolerance_fits() -> None:
    alanine = mass_of("A")
    assert within(distributions({"A": 1}), 1, alanine + 0.25, 0.25) == ["A"]
    assert within(distributions({"A": 1}), 1, alanine + 0.26, 0.25) == []


@pytest.mark.parametrize("code", sorted(AMBIGUOUS))
def test_an_ambiguity_code_leaves_its_two_residues(code: str) -> None:
    choices = AMBIGUOUS[code]
    found = best(distributions(dict.fromkeys(choices, 1.0), {"W": 1.0}), 10)
    assert [c.sequence for c in found] == [f"{r}W" for r in sorted(choices)]


def test_ties_go_to_the_sequence_first_in_the_alphabet() -> None:
    uneven = {"A": 0.25, "C": 0.5, "D": 0.25}
    found = best(distributions(uneven, uneven), 5)
    assert [c.sequence for c in found] == ["CC", "AC", "CA", "CD", "DC"]
    even = distributions(*[dict.fromkeys(RESIDUES, 1.0)] * 2)
    assert [c.sequence for c in best(even, 3)] == ["AA", "AC", "AD"]
    assert within(even, 2, ASPARAGINE, 0.01) == ["GG"]
    assert within(even, 2, GLYCINE + ALANINE, 0.01) == ["AG", "GA"]


def test_a_long_gap_of_known_mass_is_filled_within_it() -> None:
    rng = np.random.default_rng(4)
    probabilities = rng.dirichlet(np.full(N_RESIDUES, 0.3), 15) + 1e-9
    probabilities /= probabilities.sum(1, keepdims=True)
    free = best(probabilities, 1)[0]
    second = probabilities.copy()
    second[np.arange(15), encode(free.sequence)] = 0
    mass = best(second, 1)[0].mass
    ranking = rank_sequences(probabilities, 5, one_mass(mass, 1e-5 * mass), MassRules())
    assert len(ranking.candidates) == 5
    for candidate in ranking.candidates:
        assert abs(candidate.mass - mass) <= 1e-5 * mass
        assert candidate.probability * ranking.mass_probability < free.probability
    chances = [c.probability for c in ranking.candidates]
    assert chances == sorted(chances, reverse=True)


def test_a_sequence_of_no_probability_is_never_offered() -> None:
    certain = distributions({"W": 1.0}, {"D": 0.999, "N": 0.001})
    assert [c.sequence for c in best(certain, 400)] == ["WD", "WN"]


@given(st.lists(gaps(), min_size=1, max_size=6), st.integers(1, 25))
def test_gaps_ranked_together_are_ranked_as_each_alone(found: list[np.ndarray], n: int) -> None:
    length = len(found[0])
    together = np.stack([gap for gap in found if len(gap) == length])
    alone = [next(rank_plain(gap[None], n)) for gap in together]
    for ranking, other in zip(rank_plain(together, n), alone, strict=True):
        assert ranking.candidates == other.candidates
        assert np.array_equal(ranking.distributions, other.distributions)


def test_ties_among_gaps_ranked_together_go_to_the_first_in_the_alphabet() -> None:
    level = np.full((2, 2, N_RESIDUES), 1 / N_RESIDUES)
    first, second = rank_plain(level, 4)
    for ranking in (first, second):
        assert [c.sequence for c in ranking.candidates] == ["AA", "AC", "AD", "AE"]


def test_modified_forms_of_a_sequence_count_together() -> None:
    """N in three places, one of them deamidated, against D in the first and N in the others."""
    probabilities = distributions({"N": 4, "D": 5, "G": 1}, {"A": 1}, {"N": 1}, {"A": 1}, {"N": 1})
    mass = 3 * ASPARAGINE + 2 * ALANINE + DEAMIDATION
    deamidated = MassRules(Modifications(deamidated=True))
    ranking = rank_sequences(probabilities, 5, one_mass(mass, 0.001), deamidated)
    first, second = ranking.candidates
    assert (first.sequence, second.sequence) == ("NANAN", "DANAN")
    # Three forms of 0.4 each against one of 0.5.
    assert first.probability == pytest.approx(1.2 / 1.7, abs=1e-3)
    assert first.probability + second.probability == pytest.approx(1)
    assert ranking.distributions[0, RESIDUES.index("N")] == pytest.approx(first.probability)


def test_forms_are_added_before_shares_are_tempered() -> None:
    """Nine N of which one is deamidated have nine forms, DNNNNNNNN has eleven times each."""
    places = [{"D": 11, "N": 1}, *[{"N": 1}] * 8]
    mass = 9 * ASPARAGINE + DEAMIDATION
    rules = MassRules(Modifications(deamidated=True))
    ranking = rank_sequences(distributions(*places), 5, one_mass(mass, 0.001), rules)
    assert [c.sequence for c in ranking.candidates] == ["D" + "N" * 8, "N" * 9]
    first, second = ranking.candidates
    odds = (11 / 9) ** (1 / 1.2)
    assert first.probability / second.probability == pytest.approx(odds, abs=1e-3)


@pytest.mark.parametrize(("length", "temperature"), [(5, 1.0), (10, 1.25), (15, 1.5)])
def test_shares_of_long_gaps_of_known_mass_are_tempered(length: int, temperature: float) -> None:
    """Two orders of the same residues: the odds between them are those of the network's, cooled."""
    sure = [{"W": 1} for _ in range(length - 2)]
    probabilities = distributions(*sure, {"A": 9, "G": 1}, {"A": 1, "G": 4})
    mass = (length - 2) * 186.07931 + GLYCINE + ALANINE
    ranking = rank_sequences(probabilities, 5, one_mass(mass, 0.01), MassRules())
    first, second = ranking.candidates
    assert (first.sequence[-2:], second.sequence[-2:]) == ("AG", "GA")
    odds = (9 * 4) ** (1 / temperature)
    assert first.probability == pytest.approx(odds / (1 + odds), abs=1e-3)
    assert ranking.distributions[-1, RESIDUES.index("G")] == pytest.approx(first.probability)
    # The probability of the mass itself is that of the network.
    assert ranking.mass_probability == pytest.approx((36 + 1) / 50, abs=1e-3)


@pytest.mark.parametrize(("length", "temperature"), [(5, 1.0), (10, 1.25)])
def test_what_a_search_dropped_is_tempered_too(
    length: int, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of AG and GA only the first is kept; G and the likelier residue after it bound the other."""
    monkeypatch.setattr("lacuna.filling.search.decode.MASS_WIDTH", 1)
    sure = [{"W": 1} for _ in range(length - 2)]
    probabilities = distributions(*sure, {"A": 9, "G": 1}, {"A": 1, "G": 4})
    mass = (length - 2) * 186.07931 + GLYCINE + ALANINE
    ranking = rank_sequences(probabilities, 5, one_mass(mass, 0.01), MassRules())
    assert [c.sequence[-2:] for c in ranking.candidates] == ["AG"]
    assert ranking.bound == pytest.approx((1 / 9) ** (1 / temperature), abs=1e-3)
