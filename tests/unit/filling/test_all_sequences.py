"""Shares of all sequences with the masses of a gap, not only of those that a search kept."""

from itertools import product

import numpy as np
import pytest

from lacuna.core.alphabet import ISOLEUCINE, N_RESIDUES, RESIDUES, decode, il_as_one
from lacuna.filling.masses.all_sequences import over_all_sequences
from lacuna.filling.search.decode import Ranking, rank_sequences
from lacuna.filling.search.stages import Stage, Stages, one_mass
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES, MassRules, Modifications

RULES = MassRules(Modifications())


def weight(letters: str) -> float:
    return float(sum(RESIDUE_MASSES[RESIDUES.index(letter)] for letter in letters))


def one_by_one(probabilities: np.ndarray, stages: Stages) -> tuple[np.ndarray, np.ndarray]:
    """By the definition: all sequences (n, 4) that pass every stage, and their shares (n,)."""
    letters = [token for token in range(N_RESIDUES) if token != ISOLEUCINE]
    tokens = np.array(list(product(letters, repeat=len(probabilities))))
    begun = np.cumsum(RESIDUE_MASSES[tokens], axis=1)
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
    probabilities = np.random.default_rng(5).dirichlet(np.full(N_RESIDUES, 3.0), 4)
    passed = [Stage(weight(before), tolerance) for before in cuts]
    stages = Stages((*passed, *one_mass(weight("WDYG"), tolerance).passed))
    tokens, shares = one_by_one(probabilities, stages)
    true = np.array([np.bincount(row, shares, N_RESIDUES) for row in tokens.T])
    monkeypatch.setattr("lacuna.filling.search.decode.MASS_WIDTH", 60 if not cuts else 12)
    monkeypatch.setattr("lacuna.filling.masses.all_sequences.SURE", 1.1)
    monkeypatch.setattr("lacuna.filling.masses.all_sequences.DROPPED", 0.0)
    searched = rank_sequences(probabilities, 5, stages, RULES)
    exact = over_all_sequences(searched, probabilities, stages, RULES)

    def off_by(ranking: Ranking) -> float:
        return float(np.abs(il_as_one(ranking.distributions) - true).max())

    assert off_by(exact) < 0.02
    assert cuts or off_by(searched) > 0.05
    by_sequence = dict(zip(map(decode, tokens), shares.tolist(), strict=True))
    for one in exact.candidates:
        listed = by_sequence[one.sequence.replace("I", "L")]
        assert one.probability == pytest.approx(listed, rel=0.06)
    assert exact.bound <= searched.bound


def test_a_ranking_that_is_sure_or_complete_is_left_as_it_is() -> None:
    probabilities = np.eye(N_RESIDUES)[[3, 5]] * 0.81 + 0.01
    stages = one_mass(weight("E") + weight("G"), 0.005)
    searched = rank_sequences(probabilities, 5, stages, RULES)
    assert over_all_sequences(searched, probabilities, stages, RULES) is searched


def test_gaps_of_which_more_is_known_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lacuna.filling.masses.all_sequences.SURE", 1.1)
    monkeypatch.setattr("lacuna.filling.masses.all_sequences.DROPPED", 0.0)
    probabilities = np.full((3, N_RESIDUES), 1 / N_RESIDUES)
    whole = Stage(weight("WDY"), 0.005, ends_piece=True)
    pieces = Stages(
        (Stage(weight("W"), 0.005, ends_piece=True), Stage(weight("DY"), 0.005, ends_piece=True))
    )
    interval = Stages((Stage(weight("WDY"), 0.005, True, True),))
    two_states = MassRules(Modifications(((0.0, 0.5), (57.021464, 0.5))))
    for stages, rules in ((pieces, RULES), (interval, RULES), (Stages((whole,)), two_states)):
        searched = rank_sequences(probabilities, 5, stages, rules)
        assert over_all_sequences(searched, probabilities, stages, rules) is searched
