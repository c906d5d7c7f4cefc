"""Shares of all sequences with the masses of a gap, not only of those that a search kept."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from gaps import mass_of
from lacuna.core.alphabet import ISOLEUCINE, N_RESIDUES, RESIDUES, decode, il_as_one
from lacuna.core.masses import DEAMIDATION
from lacuna.filling.masses.all_sequences import over_all_sequences
from lacuna.filling.search.decode import Ranking, rank_sequences
from lacuna.filling.search.stages import Stage, Stages, one_mass
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES, MassRules, Modifications

RULES = MassRules(Modifications())
PROBABILITIES = np.random.default_rng(5).dirichlet(np.full(N_RESIDUES, 3.0), 4)


def one_by_one(
    probabilities: np.ndarray, stages: Stages, on_cysteine: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """By the definition: all sequences (n, 4) that pass every stage, and their shares (n,)."""
    letters = [token for token in range(N_RESIDUES) if token != ISOLEUCINE]
    tokens = np.array(list(product(letters, repeat=len(probabilities))))
    weights = RESIDUE_MASSES + on_cysteine * (np.arange(N_RESIDUES) == RESIDUES.index("C"))
    begun = np.cumsum(weights[tokens], axis=1)
    shares = il_as_one(probabilities)[np.arange(tokens.shape[1]), tokens].prod(1)
    *cuts, whole = stages.passed
    for stage, masses in ((whole, begun[:, -1:]), *((cut, begun[:, :-1]) for cut in cuts)):
        off = np.abs(masses - stage.mass).min(1)
        within = off <= stage.tolerance
        shares *= np.where(within, np.exp(-((3 * off / stage.tolerance) ** 2) / 2), 0.0)
    return tokens, shares / shares.sum()


@pytest.mark.parametrize("tolerance", [0.005, 0.3])
@pytest.mark.parametrize("cuts", [(), ("WD",), ("W", "WDY")])
def test_all_sequences_count_that_the_search_dropped(
    monkeypatch: pytest.MonkeyPatch, tolerance: float, cuts: tuple[str, ...]
) -> None:
    """The search, which keeps few beginnings here, makes some residues far too probable."""
    passed = [Stage(mass_of(before), tolerance) for before in cuts]
    stages = Stages((*passed, *one_mass(mass_of("WDYG"), tolerance).passed))
    tokens, shares = one_by_one(PROBABILITIES, stages)
    keep_few(monkeypatch, 12 if cuts else 60)
    searched = rank_sequences(PROBABILITIES, 5, stages, RULES)
    exact = over_all_sequences(searched, PROBABILITIES, stages, RULES)
    assert off_by(exact, tokens, shares) < 0.02
    assert cuts or off_by(searched, tokens, shares) > 0.05
    assert_shares(exact, tokens, shares)
    assert exact.bound <= searched.bound


def test_all_states_of_cysteine_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its probability, whatever that makes of the mass: D and G weigh as alkylated C."""
    states = ((0.0, 0.3), (57.021464, 0.7))
    stages = one_mass(mass_of("WDCG") + 57.021464, 0.005)
    of_states = [one_by_one(PROBABILITIES, stages, carried)[1] for carried, _ in states]
    tokens, _ = one_by_one(PROBABILITIES, stages)
    shares = sum(share * of for (_, share), of in zip(states, of_states, strict=True))
    keep_few(monkeypatch, 60)
    rules = MassRules(Modifications(states))
    searched = rank_sequences(PROBABILITIES, 5, stages, rules)
    exact = over_all_sequences(searched, PROBABILITIES, stages, rules)
    assert off_by(exact, tokens, shares) < 0.02 < off_by(searched, tokens, shares)
    assert_shares(exact, tokens, shares)


def test_a_sequence_counts_in_states_in_which_it_was_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a C it fits in every state, whichever the search kept it in."""
    rules = MassRules(Modifications(((0.0, 0.3), (57.021464, 0.7))))
    stages = one_mass(mass_of("WDYG"), 0.005)
    keep_few(monkeypatch, 60)
    searched = rank_sequences(PROBABILITIES, 5, stages, rules)
    in_one = [replace(one, readings=(1.0, 0.0)) for one in searched.candidates]
    dropped = replace(searched, candidates=tuple(in_one))
    exact = over_all_sequences(dropped, PROBABILITIES, stages, rules)
    assert exact.candidates == over_all_sequences(searched, PROBABILITIES, stages, rules).candidates
    assert any(min(one.readings) > 0 for one in exact.candidates)
    order = [one.probability for one in exact.candidates]
    assert order == sorted(order, reverse=True)


def test_modified_forms_of_a_sequence_have_their_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of two N may be the deamidated one."""
    probabilities = np.full((4, N_RESIDUES), 0.2 / (N_RESIDUES - 1))
    probabilities[np.arange(4), [RESIDUES.index(letter) for letter in "NGNA"]] = 0.8
    stages = one_mass(mass_of("NGNA") + DEAMIDATION, 0.002)
    keep_few(monkeypatch, 60)
    rules = MassRules(Modifications(deamidated=True))
    searched = rank_sequences(probabilities, 5, stages, rules)
    exact = over_all_sequences(searched, probabilities, stages, rules)
    best, *others = exact.candidates
    assert best.sequence == "NGNA"
    single = next(one for one in others if one.sequence == "DGNA")
    p, q = 0.8, 0.2 / (N_RESIDUES - 1)
    # D weighs as the one, and the other N may not be deamidated then.
    assert best.probability / single.probability == pytest.approx(2 * p / q, rel=0.01)


@pytest.mark.parametrize("bounds", [(1, 3), (2, 2)])
def test_pieces_with_a_mass_each_count_as_cleavages(
    monkeypatch: pytest.MonkeyPatch, bounds: tuple[int, int]
) -> None:
    """The second piece weighs from the first one on, and has an error of its own."""
    first = Stage(mass_of("WD"), 0.005, False, True, *bounds)
    second = Stage(mass_of("YG"), 0.005, False, True, 1, 3)
    cut = Stages((Stage(first.mass, 0.005), Stage(mass_of("WDYG"), 0.005 * 2**0.5)))
    tokens, shares = one_by_one(PROBABILITIES, cut)
    if bounds == (2, 2):
        shares = shares * (np.abs(RESIDUE_MASSES[tokens[:, :2]].sum(1) - first.mass) < 0.005)
    shares = shares / shares.sum()
    keep_few(monkeypatch, 12)
    stages = Stages((first, second))
    searched = rank_sequences(PROBABILITIES, 5, stages, RULES)
    exact = over_all_sequences(searched, PROBABILITIES, stages, RULES)
    assert exact is not searched
    assert off_by(exact, tokens, shares) < 0.02
    assert_shares(exact, tokens, shares)


def keep_few(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Let a search keep so few beginnings, and all sequences be counted whatever it finds."""
    monkeypatch.setattr("lacuna.filling.search.decode.MASS_WIDTH", width)
    monkeypatch.setattr("lacuna.filling.masses.all_sequences.SURE_PROBABILITY", 1.1)
    monkeypatch.setattr("lacuna.filling.masses.all_sequences.DROPPED_PROBABILITY", 0.0)


def off_by(ranking: Ranking, tokens: np.ndarray, shares: np.ndarray) -> float:
    """The most by which a residue's probability is wrong."""
    true = np.array([np.bincount(row, shares, N_RESIDUES) for row in tokens.T])
    return float(np.abs(il_as_one(ranking.distributions) - true).max())


def assert_shares(ranking: Ranking, tokens: np.ndarray, shares: np.ndarray) -> None:
    """That candidates have their shares of all sequences."""
    by_sequence = dict(zip(map(decode, tokens), shares.tolist(), strict=True))
    assert ranking.candidates
    for one in ranking.candidates:
        listed = by_sequence[one.sequence.replace("I", "L")]
        assert one.probability == pytest.approx(listed, rel=0.06)


def test_a_ranking_that_is_sure_or_complete_is_left_as_it_is() -> None:
    probabilities = np.eye(N_RESIDUES)[[3, 5]] * 0.81 + 0.01
    stages = one_mass(mass_of("E") + mass_of("G"), 0.005)
    searched = rank_sequences(probabilities, 5, stages, RULES)
    assert over_all_sequences(searched, probabilities, stages, RULES) is searched


def test_gaps_of_which_more_is_known_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lacuna.filling.masses.all_sequences.SURE_PROBABILITY", 1.1)
    monkeypatch.setattr("lacuna.filling.masses.all_sequences.DROPPED_PROBABILITY", 0.0)
    probabilities = np.full((3, N_RESIDUES), 1 / N_RESIDUES)
    whole = Stage(mass_of("WDY"), 0.005, ends_piece=True)
    interval = Stages((Stage(mass_of("WDY"), 0.005, True, True),))
    opened = Stages((replace(whole, mass=mass_of("WD")),), opened=True)
    for stages in (interval, opened, Stages((whole,), average=(467.4, 0.1))):
        searched = rank_sequences(probabilities, 5, stages, RULES)
        assert over_all_sequences(searched, probabilities, stages, RULES) is searched
