"""Possible masses of a gap with modifications and tolerances, and the effect on candidates."""

import numpy as np
import pytest

from gaps import mass_of
from lacuna.core.alphabet import N_RESIDUES, RESIDUES, encode
from lacuna.filling.search.decode import mass_log_probability, rank_sequences
from lacuna.filling.search.stages import one_mass
from lacuna.scaffolds.alkylation import READINGS
from lacuna.scaffolds.residue_masses import (
    DEAMIDATION,
    OXIDATION,
    PYROGLUTAMATE,
    RESIDUE_MASSES,
    MassRules,
    Modifications,
    mass_rules,
    may_weigh,
    nearest_mass,
)
from lacuna.scaffolds.scaffold import Gap, Measured, Scaffold

EVEN = np.full((2, N_RESIDUES), 1.0 / N_RESIDUES)


def found(length: int, mass: float, rules: MassRules, tolerance: float = 0.002) -> set[str]:
    """Every sequence of a length that fits a mass."""
    even = np.full((length, N_RESIDUES), 1.0 / N_RESIDUES)
    ranking = rank_sequences(even, 400, one_mass(mass, tolerance), rules)
    return {c.sequence for c in ranking.candidates}


def test_a_carbamidomethyl_group_is_on_every_cysteine() -> None:
    carried = READINGS["carbamidomethyl"].mass
    rules = MassRules(Modifications(((carried, 1.0),)))
    assert "CA" in found(2, mass_of("CA") + carried, rules)
    assert "CA" not in found(2, mass_of("CA"), rules)
    assert "CA" in found(2, mass_of("CA"), MassRules())


@pytest.mark.parametrize(
    ("modifications", "residue", "change"),
    [
        (Modifications(oxidised_methionine=True), "M", OXIDATION),
        (Modifications(deamidated=True), "N", DEAMIDATION),
        (Modifications(deamidated=True), "Q", DEAMIDATION),
    ],
)
def test_a_variable_modification_may_be_there_or_not(
    modifications: Modifications, residue: str, change: float
) -> None:
    rules = MassRules(modifications)
    assert residue + "W" in found(2, mass_of(residue + "W") + change, rules)
    assert residue + "W" in found(2, mass_of(residue + "W"), rules)
    assert residue + "W" not in found(2, mass_of(residue + "W") + change, MassRules())


def test_pyroglutamate_stands_at_the_start_of_a_chain_alone() -> None:
    modifications = Modifications(pyroglutamate=True)
    mass = mass_of("QW") + PYROGLUTAMATE["Q"]
    assert "QW" in found(2, mass, MassRules(modifications, starts_chain=True))
    assert "WQ" not in found(2, mass, MassRules(modifications, starts_chain=True))
    assert "QW" not in found(2, mass, MassRules(modifications))


def test_a_clipped_lysine_weighs_nothing_at_the_end_of_a_chain() -> None:
    modifications = Modifications(clipped_lysine=True)
    assert "GK" in found(2, mass_of("G"), MassRules(modifications, ends_chain=True))
    assert "GK" in found(2, mass_of("GK"), MassRules(modifications, ends_chain=True))
    assert found(2, mass_of("G"), MassRules(modifications)) == set()
    last = found(2, mass_of("W"), MassRules(modifications, ends_chain=True))
    assert {"WK", "KW"} & last == {"WK"}


@pytest.mark.parametrize(
    ("longest", "at_ends"), [(None, False), (3, False), (0, True)]
)  # no bound, a bound, a place without residues
def test_a_gap_beside_residues_that_may_be_inserted_is_at_no_end(
    longest: int | None, at_ends: bool
) -> None:
    before, first = Gap(0, 0, 0, longest), Gap(0, 1, 1, None, 300.1, 0.01)
    last, behind = Gap(3, 4, 1, None, 300.1, 0.01), Gap(4, 4, 0, longest)
    chain = Scaffold("m", "", "XDFX", (before, first, last, behind), 1)
    of_gap = {gap: mass_rules(chain, gap, Modifications()) for gap in chain.gaps}
    assert (of_gap[first].starts_chain, of_gap[last].ends_chain) == (at_ends, at_ends)
    assert of_gap[before].starts_chain and of_gap[behind].ends_chain
    assert not (of_gap[last].starts_chain or of_gap[first].ends_chain)


@pytest.mark.parametrize(
    ("modifications", "sequence", "change"),
    [
        (Modifications(deamidated=True), "NQ", DEAMIDATION),
        (Modifications(oxidised_methionine=True), "MM", OXIDATION),
        (Modifications(usual=True), "MW", OXIDATION),
    ],
)
def test_a_sequence_that_fits_in_two_forms_is_listed_once(
    modifications: Modifications, sequence: str, change: float
) -> None:
    given = one_mass(mass_of(sequence) + change, 0.002)
    ranking = rank_sequences(EVEN, 400, given, MassRules(modifications))
    sequences = [c.sequence for c in ranking.candidates]
    assert len(sequences) == len(set(sequences))
    assert sequence in sequences


def test_given_a_mass_probabilities_are_shares_of_what_fits() -> None:
    mass = mass_of("GG")
    ranking = rank_sequences(EVEN, 5, one_mass(mass, 0.002), MassRules())
    assert [c.sequence for c in ranking.candidates] == ["GG"]
    assert ranking.candidates[0].probability == pytest.approx(1.0)
    assert ranking.distributions[0, RESIDUES.index("G")] == pytest.approx(1.0)
    isobaric = rank_sequences(EVEN, 5, one_mass(mass_of("AG"), 0.002), MassRules())
    assert {c.sequence for c in isobaric.candidates} == {"AG", "GA"}
    assert isobaric.candidates[0].probability == pytest.approx(0.5)
    assert mass_log_probability(EVEN, one_mass(mass_of("AG"), 0.002)) == pytest.approx(
        np.log(2 / 400)
    )


def test_where_nothing_fits_the_nearest_mass_is_told() -> None:
    ranking = rank_sequences(EVEN, 5, one_mass(mass_of("GG") + 3.0, 0.01), MassRules())
    assert ranking.candidates == ()
    assert nearest_mass(2, mass_of("GG") + 3.0, MassRules()) == pytest.approx(
        mass_of("GG"), abs=0.02
    )
    assert nearest_mass(2, 10.0, MassRules()) == pytest.approx(mass_of("GG"))


@pytest.mark.parametrize("tolerance", [0.0, 1e-9])
def test_no_tolerance_asks_for_the_mass_itself(tolerance: float) -> None:
    exact = mass_of("W")
    assert found(1, exact, MassRules(), tolerance) == {"W"}
    assert found(1, exact + 1e-4, MassRules(), tolerance) == set()


def test_a_tolerance_as_large_as_the_mass_excludes_little() -> None:
    assert len(found(2, 200.0, MassRules(), 200.0)) == 19 * 19  # I is L


@pytest.mark.parametrize("length", [5, 12, 30])
def test_every_candidate_is_within_the_tolerance(length: int) -> None:
    rng = np.random.default_rng(length)
    for _ in range(5):
        probabilities = rng.dirichlet(np.full(N_RESIDUES, 0.2), length)
        true = [int(rng.choice(N_RESIDUES, p=row)) for row in probabilities]
        mass = float(RESIDUE_MASSES[true].sum())
        ranking = rank_sequences(probabilities, 5, one_mass(mass, mass * 1e-5), MassRules())
        assert ranking.candidates  # the true sequence fits, so there are some
        for candidate in ranking.candidates:
            assert abs(candidate.mass - mass) <= mass * 1e-5
            assert candidate.mass == pytest.approx(RESIDUE_MASSES[encode(candidate.sequence)].sum())
        np.testing.assert_allclose(ranking.distributions.sum(1), 1.0)


def test_what_a_narrow_search_may_have_missed_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    probabilities = rng.dirichlet(np.full(N_RESIDUES, 1.0), 4)
    true = [int(rng.choice(N_RESIDUES, p=row)) for row in probabilities]
    mass = float(RESIDUE_MASSES[true].sum())
    whole = rank_sequences(probabilities, 3, one_mass(mass, 0.02), MassRules())
    monkeypatch.setattr("lacuna.filling.search.decode.MASS_WIDTH", 5)
    narrow = rank_sequences(probabilities, 3, one_mass(mass, 0.02), MassRules())
    assert whole.bound <= whole.candidates[0].probability  # proven best
    assert narrow.bound > 0
    best = np.prod(
        [row[t] for row, t in zip(probabilities, encode(whole.candidates[0].sequence), strict=True)]
    )
    found = np.prod(
        [
            row[t]
            for row, t in zip(probabilities, encode(narrow.candidates[0].sequence), strict=True)
        ]
    )
    # In the units of the narrow search, the true best is within its bound.
    assert best <= max(found, found * narrow.bound / narrow.candidates[0].probability) + 1e-12


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("modifications", "allowed"),
    [
        (Modifications(), ""),
        (Modifications(usual=True), ""),
        (Modifications(pyroglutamate=True, usual=True), "QE"),
        (Modifications(deamidated=True), "NQ"),
        (Modifications(oxidised_methionine=True), "M"),
    ],
)
def test_a_residue_has_one_of_its_masses_or_any_that_is_allowed(
    modifications: Modifications, allowed: str, first: bool
) -> None:
    """What is usual without being allowed is only as probable as it is usual."""
    residues, _, shares = MassRules(modifications, starts_chain=first).options(0, 3)
    of = {RESIDUES[token]: np.exp(shares[residues == token]) for token in set(residues.tolist())}
    assert sorted(of) == [letter for letter in RESIDUES if letter != "I"]  # it weighs as L
    for letter, probabilities in of.items():
        with_more = letter in allowed and (first or not modifications.pyroglutamate)
        assert probabilities.sum() == pytest.approx(2.0 if with_more else 1.0)
        assert probabilities.max() <= 1.0 and probabilities.min() > 0.0


@pytest.mark.parametrize(
    ("residues", "off", "may"),
    [
        ("ACD", 0.0, True),
        ("ACD", 0.0009, True),
        ("ACD", 0.002, False),
        ("ACD", -0.002, False),
        ("ACD", READINGS["carbamidomethyl"].mass, True),
        ("ACDC", READINGS["carbamidomethyl"].mass, False),  # on all C or on none
        ("AMD", OXIDATION, True),
        ("AND", OXIDATION, False),
    ],
)
def test_residues_may_have_a_mass_with_what_they_may_carry(
    residues: str, off: float, may: bool
) -> None:
    carried = (0.0, 0.5), (READINGS["carbamidomethyl"].mass, 0.5)
    rules = MassRules(Modifications(carried, oxidised_methionine=True))
    assert may_weigh(encode(residues), Measured(mass_of(residues) + off, 0.001), rules) == may
