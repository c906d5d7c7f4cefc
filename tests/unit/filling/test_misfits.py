"""Masses that nothing fits: which of them is named, and isotope and charge slips."""

import math
from functools import partial

import numpy as np
import pytest

import lacuna
from chains import germline_chain
from gaps import mass_of, sure_of
from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.masses import ISOTOPE, PROTON
from lacuna.core.tables import LETTERS_WEIGH
from lacuna.filling.masses.misfits import at_odds, at_odds_with_letters, in_words, rank_weighed
from lacuna.filling.search.decode import mass_log_probability
from lacuna.filling.search.stages import Stage, Stages, one_mass
from lacuna.scaffolds.residue_masses import MassRules, Modifications

EVEN = np.full((4, N_RESIDUES), 1 / N_RESIDUES)
RULES = MassRules()


sure = partial(sure_of, share=1 - 19e-5)


def test_the_prefix_that_contradicts_is_named() -> None:
    true = [Stage(mass_of("AGVS"[:n]), 0.002) for n in (1, 2, 3)]
    last = Stage(mass_of("AGVS"), 0.004, False, True)
    wrong = Stage(mass_of("AG") + 1.5, 0.002)

    def likely(stages: Stages) -> float:
        return mass_log_probability(EVEN, stages, RULES)

    assert likely(Stages((*true, last))) > -math.inf
    several = Stages((true[0], wrong, true[2], last))
    assert likely(several) == -math.inf
    assert at_odds(several, likely) == (wrong, True)
    assert in_words(wrong, True) == f"fits without the prefix mass {wrong.mass:.4f} Da"
    twice = Stages((Stage(30.0, 0.001), wrong, last))
    assert at_odds(twice, likely) == (twice.passed[0], False)
    assert in_words(twice.passed[0], False) == "no prefix weighs 30.0000 Da"
    heavy = Stages((Stage(mass_of("A"), 0.001, False, True), Stage(5000.0, 0.01, False, True)))
    assert at_odds(heavy, likely) == (None, False)


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (ISOTOPE, "1.0034 Da less: isotope slip"),
        (-ISOTOPE, "1.0034 Da more: isotope slip"),
        (PROTON, "1.0073 Da less: charge slip"),
        (-PROTON, "1.0073 Da more: charge slip"),
    ],
)
def test_a_slip_is_recognised(off: float, words: str) -> None:
    mass = mass_of("WWWW")
    ranking, misfit = rank_weighed(EVEN, 5, one_mass(mass + off, 0.001), RULES)
    assert not ranking.candidates
    heaviest = f"nearest of 4 residues: 744.32 Da, given {mass + off:.4f} Da"
    assert misfit.startswith("nearest of 4 residues: ") and misfit.endswith(f"fits at {words}")
    assert off < 0 or misfit.startswith(heaviest)


def test_a_slip_that_fits_far_better_is_named_and_one_that_does_not_is_not() -> None:
    known = sure("AGVSE")
    wide = Stages((Stage(mass_of("AGVSD") + ISOTOPE, 0.02, False, True),))
    ranking, misfit = rank_weighed(sure("AGVSD"), 5, wide, RULES)  # as AGVSN is with 0.984 Da
    assert ranking.candidates and misfit == "fits far better at 1.0034 Da less: isotope slip"
    assert rank_weighed(known, 5, one_mass(mass_of("AGVSE"), 0.001), RULES)[1] == ""
    assert rank_weighed(EVEN, 5, one_mass(mass_of("AGVS"), 0.001), RULES)[1] == ""


def test_a_prefix_that_only_improbable_sequences_fit_is_named() -> None:
    last = Stage(mass_of("AGVSD"), 0.005, False, True)
    right, wrong = (Stage(mass_of(residues), 0.002) for residues in ("AG", "AV"))
    for prefixes, words in (
        ((right,), ""),
        ((wrong,), f"fits far better without the prefix mass {wrong.mass:.4f} Da"),
        ((right, Stage(mass_of("AGS"), 0.002)), "fits far better without the prefix mass 215.0906"),
    ):
        ranking, misfit = rank_weighed(sure("AGVSD"), 5, Stages((*prefixes, last)), RULES)
        assert ranking.candidates and (misfit.startswith(words) if words else not misfit)


def test_none_of_many_prefixes_is_left_out() -> None:
    many = tuple(Stage(mass_of("A") + i, 0.001) for i in range(17))
    stages = Stages((*many, Stage(mass_of("AGVS"), 0.003, False, True)))
    ranking, misfit = rank_weighed(EVEN, 5, stages, RULES)
    assert not ranking.candidates and misfit.startswith("no prefix weighs 72.0371 Da")


def test_a_prefix_that_nothing_fits_is_left_out() -> None:
    wrong = Stage(mass_of("A") + 20.0, 0.001)
    stages = Stages((wrong, Stage(mass_of("AGVS"), 0.003, False, True)))
    ranking, misfit = rank_weighed(EVEN, 5, stages, RULES)
    assert misfit == f"without the prefix mass {wrong.mass:.4f} Da, which none fits"
    assert all(abs(c.mass - mass_of("AGVS")) <= 0.003 for c in ranking.candidates)
    assert ranking.mass_probability == pytest.approx(
        math.exp(mass_log_probability(EVEN, stages.without(wrong), RULES))
    )


def test_the_only_mass_of_a_gap_is_left_out_where_its_length_is_given() -> None:
    stages = Stages((Stage(mass_of("A") + 20.0, 0.001),), opened=True)
    ranking, misfit = rank_weighed(sure("AGVS"), 5, stages, RULES)
    assert ranking.candidates[0].sequence == "AGVS" and ranking.mass_probability == 0.0
    assert misfit.startswith("without the prefix mass 91.0371 Da, which none fits")
    ranking, misfit = rank_weighed(sure("AGVS"), 5, stages, RULES, "")
    assert not ranking.candidates and misfit.startswith("no prefix weighs 91.0371 Da")


@pytest.mark.parametrize(
    ("letters", "mass", "words"),
    [
        ("TLQS", "TLQS", ""),
        ("TIQS", "TLQS", ""),
        ("TLQS", "STLQS", f"{LETTERS_WEIGH} 429.2223 Da"),
        ("ACS", "ACS", ""),
        ("ACSG", "ACS", f"{LETTERS_WEIGH} 318.0998 or 375.1213 Da"),
    ],
)
def test_letters_that_do_not_have_the_mass_are_told(letters: str, mass: str, words: str) -> None:
    rules = MassRules(Modifications(((0.0, 0.5), (57.021464, 0.5))))
    stages = one_mass(mass_of(mass), 0.002)
    assert at_odds_with_letters(letters, stages, rules) == words


def test_the_status_of_a_gap_says_what_its_letters_weigh() -> None:
    whole = germline_chain("H", 1)
    mass = mass_of(whole[66:71])
    row = {"start": 66, "end": 71}
    found = lacuna.fill(
        [
            {"id": name, "sequence": whole, "gaps": [{**row, "mass": mass + more}]}
            for name, more in (("right", 0.0), ("wrong", 15.9949))
        ]
    )
    right, wrong = (chain.gaps[0].status for chain in found)
    assert right == "filled" and f"{LETTERS_WEIGH} {mass:.4f} Da" in wrong


def test_an_interval_of_masses_has_no_mass_error() -> None:
    whole = germline_chain("H", 1)
    mass = mass_of(whole[66:71])
    written = {"interval": f"{{{int(mass)} Da}}", "mass": f"{{{mass:.2f} Da}}"}
    chains = [
        {"id": name, "sequence": whole[:66] + gap + whole[71:]} for name, gap in written.items()
    ]
    interval, one = (chain.gaps[0].candidates[0] for chain in lacuna.fill(chains))
    assert interval.mass_error_ppm is None
    assert abs(one.mass_error_ppm or 99.0) < 10


def test_why_nothing_fits_is_said_as_it_is() -> None:
    """Residues that are excluded, a mass that is missed by less than masses are compared with, and
    one that no residues have."""
    given = one_mass(mass_of("AGVS"), 0.001)
    excluded = sure("WWWW") * (sure("WWWW") > 0.5)
    said = f"what is known of its residues leaves none that weigh {mass_of('AGVS'):.4f} Da"
    assert rank_weighed(excluded, 5, given, RULES)[1] == said
    near = one_mass(mass_of("AGVS") + 1e-4, 1e-6)
    _, words = rank_weighed(EVEN, 5, near, RULES)
    assert words.startswith("nearest of 4 residues: less than 0.01 Da off, given ")
    for known in (EVEN, excluded):
        assert rank_weighed(known, 5, one_mass(2000.0, 0.001), RULES)[1].startswith("nearest of 4")


def test_candidates_are_as_probable_however_many_are_asked_for() -> None:
    given = one_mass(mass_of("AGVS"), 0.001)
    one, many = (rank_weighed(EVEN, n, given, RULES)[0].candidates for n in (1, 30))
    assert len(one) == 1 and len(many) == 30
    assert many[0].probability == pytest.approx(one[0].probability)


def test_a_prefix_that_nothing_fits_is_left_out_where_the_whole_tells_the_length() -> None:
    """Though errors of the masses were compared at several lengths."""
    wrong = Stage(mass_of("A") + 20.0, 0.001)
    stages = Stages((wrong, Stage(mass_of("AGVS"), 0.003, False, True)))
    ranking, misfit = rank_weighed(EVEN, 5, stages, RULES, "")
    assert misfit == f"without the prefix mass {wrong.mass:.4f} Da, which none fits"
    assert ranking.candidates


def test_a_piece_that_nothing_fits_is_named_as_a_piece() -> None:
    stages = Stages((Stage(60.0, 0.001, False, True), Stage(mass_of("AGV"), 0.003, False, True)))
    ranking, misfit = rank_weighed(EVEN, 5, stages, RULES)
    assert not ranking.candidates and misfit.startswith("no piece weighs 60.0000 Da")
