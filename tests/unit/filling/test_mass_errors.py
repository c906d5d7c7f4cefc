"""Errors that masses of gaps often have, and when they are named."""

import math
from functools import partial

import numpy as np
import pytest

import lacuna
from gaps import mass_of, sure_of
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.masses import (
    AVERAGE,
    DEAMIDATION,
    ISOTOPE,
    OXIDATION,
    PROTON,
    WATER,
)
from lacuna.core.tags import modification
from lacuna.filling.masses.mass_errors import OTHER_ERRORS, likely_error
from lacuna.filling.masses.misfits import rank_weighed
from lacuna.filling.search.decode import mass_log_probability
from lacuna.filling.search.stages import Stage, Stages, one_mass
from lacuna.scaffolds.residue_masses import MassRules, Modifications

RULES = MassRules()
CARBAMIDOMETHYL = 57.021464


sure = partial(sure_of, share=1 - 19e-4)


def error_of(letters: str, mass: float, rules: MassRules = RULES) -> str:
    """What is said of a gap that the network takes to be `letters`."""
    return rank_weighed(sure(letters), 5, one_mass(mass, 0.002), rules)[1]


@pytest.mark.parametrize(
    ("letters", "error", "words"),
    [
        ("AGNSE", DEAMIDATION, "0.9840 Da less: N or Q is deamidated"),
        ("AGWSE", OXIDATION, "15.9949 Da less: M or W is oxidised"),
        ("AGMSE", 2 * OXIDATION, "31.9898 Da less: M or W is oxidised twice"),
        ("AGVSE", WATER, "18.0106 Da less: a water is counted"),
        ("AGVSE", WATER + PROTON, "19.0178 Da less: a water and a proton are counted, [M+H]+"),
        ("AGVSE", 0.2507, "its monoisotopic mass: an average one is given"),
        ("FSGSE", CARBAMIDOMETHYL, "57.0215 Da less: a carbamidomethyl or G too many or too few"),
        ("FSNSE", -CARBAMIDOMETHYL, "57.0215 Da more: a carbamidomethyl or G too many or too few"),
        ("FSYSE", 79.966331, "79.9663 Da less: S, T or Y is phosphorylated"),
        ("FGYGE", 79.956815, "79.9568 Da less: Y is sulfated"),
        ("FGKGE", 162.052823, "162.0528 Da less: K is glycated"),
        ("AGVSE", ISOTOPE, "1.0034 Da less: isotope slip"),
        ("AGVSE", -17.026549, "17.0265 Da more: an ammonia is lost"),
        ("AGVSE", -WATER, "18.0106 Da more: a water is lost"),
        ("AGYWE", 14.01565, "14.0157 Da less: a residue is methylated"),
        ("AGYWE", 27.994915, "27.9949 Da less: a residue is formylated"),
    ],
)
def test_an_error_is_named(letters: str, error: float, words: str) -> None:
    found = error_of(letters, mass_of(letters) + error)
    assert found.endswith(f"at {words}"), found


@pytest.mark.parametrize(
    ("masses", "words"),
    [
        ([mass_of("AG"), mass_of("AGV")], ""),
        ([mass_of("E"), mass_of("SE")], "prefix masses that count from the end, as y ions do"),
        ([mass_of("AG") + PROTON, mass_of("AGV") + PROTON], "a proton is counted, as in a b ion"),
    ],
)
def test_prefix_masses_of_the_other_end_or_of_ions_are_named(
    masses: list[float], words: str
) -> None:
    """Whether some sequence fits them or, as with protons in most gaps, none does."""
    prefixes = [Stage(mass, 0.002) for mass in masses]
    stages = Stages((*prefixes, Stage(mass_of("AGVSE"), 0.004, False, True)))
    said = rank_weighed(sure("AGVSE"), 5, stages, RULES)[1]
    assert said.endswith(words) and bool(said) == bool(words), said


@pytest.mark.parametrize(("of_whole", "of_end", "named"), [(0.003, 0, True), (0, 0.012, False)])
def test_masses_of_ends_are_as_exact_as_both_of_which_they_are_the_difference(
    of_whole: float, of_end: float, named: bool
) -> None:
    """The mass of the whole gap may be off by more than that of an end."""
    whole = Stage(mass_of("AGVSE") + of_whole, 0.004, False, True)
    stages = Stages((Stage(mass_of("SE") + of_end, 0.001), whole))
    said = rank_weighed(sure("AGVSE"), 5, stages, RULES)[1]
    assert ("count from the end" in said) == named, said


def test_a_rounded_mass_is_named_and_no_slip() -> None:
    rounded = "the mass is rounded; give its tolerance_da in a gap table"
    mass = mass_of("AGMSE")
    assert abs(round(mass, 1) - mass) > 0.01
    ranking, misfit = rank_weighed(sure("AGMSE"), 5, one_mass(round(mass, 1), 0.004), RULES)
    assert not ranking.candidates and rounded in misfit and "slip" not in misfit
    assert f"given {round(mass, 1):.4f} Da" in misfit
    assert rounded not in error_of("AGMSE", round(mass, 1) + 0.0001)  # has four decimals
    assert rounded not in error_of("AGMSE", round(mass, 1) + 0.2)  # off by more than 0.05


@pytest.mark.parametrize(("decimals", "named"), [(1, True), (2, True), (3, False)])
def test_a_mass_of_two_decimals_is_rounded_and_one_of_three_is_not(
    decimals: int, named: bool
) -> None:
    mass = round(mass_of("AGMSE"), decimals)
    assert 2e-5 < abs(mass - mass_of("AGMSE"))
    said = rank_weighed(sure("AGMSE"), 5, one_mass(mass, 1e-5), RULES)[1]
    assert ("the mass is rounded" in said) == named


@pytest.mark.parametrize(("off", "named"), [(0.0019, False), (0.003, True), (0.0041, False)])
def test_a_mass_that_is_off_by_a_little_more_than_its_tolerance_is_named(
    off: float, named: bool
) -> None:
    said = error_of("AGVSE", mass_of("AGVSE") + off)
    assert ("fits at twice its tolerance" in said) == named, said
    assert "slip" not in said or not named


def test_the_limits_of_an_interval_are_exact() -> None:
    beside = one_mass(mass_of("AGVSE") + 0.6, 0.5, interval=True)
    assert "tolerance" not in rank_weighed(sure("AGVSE"), 5, beside, RULES)[1]


def test_many_prefix_masses_within_their_tolerances_are_not_off_by_more() -> None:
    """Each is off by half of its tolerance, as some of right ones are: all together say more."""
    letters = "AGVSEFHKTM"
    off = [0.001, -0.001]
    masses = [mass_of(letters[:n]) + off[n % 2] for n in range(1, len(letters) + 1)]
    stages = Stages(tuple(Stage(m, 0.002, False, m == masses[-1]) for m in masses))
    assert rank_weighed(sure(letters), 5, stages, RULES)[1] == ""


def test_a_sequence_that_fits_by_chance_does_not_hide_one_that_is_sure_and_just_too_heavy() -> None:
    """HAKH weighs 0.0013 Da more than VTVSS: the mass is within the tolerance of HAKH alone."""
    mass = 473.2533
    read = [(0.0, sure("VTVSS")), (0.0, np.full((4, N_RESIDUES), 1 / N_RESIDUES))]
    fits = [mass_log_probability(r, one_mass(mass, 0.00473), RULES) for _, r in read]
    assert fits[0] == -math.inf < fits[1]
    probability = float(np.exp(fits).sum()) / 2
    said = likely_error(read, one_mass(mass, 0.00473), RULES, probability)
    assert said.startswith("twice its tolerance")


def test_prefix_masses_alone_and_long_gaps_tell_no_error() -> None:
    for letters, named in (("AGVSE" * 4, True), ("AGVSE" * 4 + "A", False)):
        whole = one_mass(mass_of(letters) + ISOTOPE, 0.002)
        said = likely_error([(0.0, sure(letters))], whole, RULES, 0.0)
        assert ("isotope slip" in said) == named == bool(said)
    prefix = Stages((Stage(mass_of("AG") + ISOTOPE, 0.002),), True)
    assert likely_error([(0.0, sure("AGVSE"))], prefix, RULES, 0.0) == ""


def test_no_error_is_named_where_none_is_likely() -> None:
    assert error_of("AGNSE", mass_of("AGNSE")) == ""
    assert error_of("AGNSE", mass_of("AGDSE"), MassRules(Modifications(deamidated=True))) == ""
    even = np.full((5, N_RESIDUES), 1 / N_RESIDUES)
    assert rank_weighed(even, 5, one_mass(mass_of("AGDSE"), 0.002), RULES)[1] == ""
    doubtful = sure("AGNSE")  # one N in ten is D in relatives: no reason to think of deamidation
    doubtful[2, [RESIDUES.index("D"), RESIDUES.index("N")]] = 0.1, 0.8981
    assert rank_weighed(doubtful, 5, one_mass(mass_of("AGDSE"), 0.002), RULES)[1] == ""


def test_an_average_mass_is_named_by_the_table_of_any_program_and_with_modifications() -> None:
    average = sum(AVERAGE[residue] for residue in "AGCSE")
    cam = MassRules(Modifications(((CARBAMIDOMETHYL, 1.0),)))
    for rules, carried in ((RULES, 0.0), (cam, 57.0513)):
        for off, named in ((0.007, True), (0.06, False)):
            said = error_of("AGCSE", average + carried + off, rules)
            assert ("an average one is given" in said) == named, said


@pytest.mark.parametrize(
    ("letters", "other", "words", "odds"),
    [("AGNSE", "D", "deamidated", 100.0), ("AGSVE", "T", "methylated", 2000.0)],
)
def test_a_rare_error_is_named_only_if_it_is_far_more_probable(
    letters: str, other: str, words: str, odds: float
) -> None:
    """Relatives of the chain sometimes have a residue that weighs as the modified one."""
    heavier = letters[:2] + other + letters[3:]
    for share, named in ((2 / odds, False), (0.5 / odds, True)):
        table = sure(letters)
        table[2, [RESIDUES.index(other), RESIDUES.index(letters[2])]] = share, 1 - 18e-4 - share
        said = rank_weighed(table, 5, one_mass(mass_of(heavier), 0.002), RULES)[1]
        assert (words in said) == named == bool(said), (share, said)


def test_pyroglutamate_at_the_start_of_a_chain_is_found_and_said() -> None:
    whole = "QVQLVESGGGLVQPGGSLRLSCAASGFTFSSYAMHWVRQAPGKGLEWVAVISYDGSNKYYADSVKGRFTISRDNSKNTLYL"
    for change, status in ((-17.026549, "filled (its Q 1 as pyroglutamate)"), (0.0, "filled")):
        mass = mass_of(whole[:4]) + change
        gap = lacuna.fill([f"X[+{mass:.4f}]{whole[4:]}"])[0].gaps[0]
        assert (gap.candidates[0].sequence, gap.status) == (whole[:4], status)
    chain, allowed = f"X[+{mass_of(whole[:4]) - 17.026549:.4f}]{whole[4:]}", {"pyroglutamate": True}
    gap = lacuna.fill([chain], modifications=allowed)[0].gaps[0]
    assert (gap.candidates[0].sequence, gap.status) == (whole[:4], "filled")


def test_a_modification_needs_its_residue() -> None:
    assert "deamidated" not in error_of("AGVSE", mass_of("AGVSE") + DEAMIDATION)


def test_a_modified_residue_weighs_in_all_masses_behind_it() -> None:
    mass = mass_of("AGNSE") + DEAMIDATION
    before, behind = mass_of("AG"), mass_of("AGNS") + DEAMIDATION
    last = Stage(mass, 0.002, False, True)
    stages = Stages((Stage(before, 0.002), Stage(behind, 0.002), last))
    assert "N or Q is deamidated" in rank_weighed(sure("AGNSE"), 5, stages, RULES)[1]
    pieces = Stages(
        (
            Stage(mass_of("AGN") + DEAMIDATION, 0.002, False, True),
            Stage(mass_of("SE"), 0.002, False, True),
        )
    )
    assert "N or Q is deamidated" in rank_weighed(sure("AGNSE"), 5, pieces, RULES)[1]


def test_all_lengths_count_by_how_well_the_chain_agrees_with_them() -> None:
    stages = one_mass(mass_of("FSGS") + CARBAMIDOMETHYL, 0.002)
    longer = math.exp(mass_log_probability(sure("FSGSG"), stages, RULES))
    assert longer > 0.9
    worse = [(0.0, sure("FSGS")), (-12.0, sure("FSGSG"))]
    assert "57.0215 Da less" in likely_error(worse, stages, RULES, math.exp(-12.0) * longer)
    alike = [(0.0, sure("FSGS")), (0.0, sure("FSGSG"))]
    assert likely_error(alike, stages, RULES, longer / 2) == ""


def test_the_network_is_sure_of_a_wrong_sequence_and_the_status_says_so() -> None:
    start = (
        "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAY"
        "LQMNSLRAEDTAVYYCSRWGGDGFYAMDYWG"
    )
    end = "QGTLVTVSS"
    gap = {"start": len(start), "end": len(start), "mass": mass_of(end[:4]) + DEAMIDATION}
    deamidated = {"id": "deamidated", "sequence": start + end[4:], "gaps": [gap]}
    right = {**deamidated, "id": "right", "gaps": [{**gap, "mass": mass_of(end[:4])}]}
    found = [chain.gaps[0] for chain in lacuna.fill([deamidated, right])]
    assert found[0].candidates[0].sequence == "EGTL" and found[0].candidates[0].probability > 0.9
    assert found[0].status == "filled (fits far better at 0.9840 Da less: N or Q is deamidated)"
    assert (found[1].candidates[0].sequence, found[1].status) == ("QGTL", "filled")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("N or Q is deamidated", "Deamidated"),
        ("M or W is oxidised", "Oxidation"),
        ("M or W is oxidised twice", "Dioxidation"),
        ("a residue is methylated", "Methyl"),
        ("a residue is formylated", "Formyl"),
        ("K is acetylated", "Acetyl"),
        ("K or R is carbamylated", "Carbamyl"),
        ("S, T or Y is phosphorylated", "Phospho"),
        ("Y is sulfated", "Sulfo"),
        ("K is glycated", "Hex"),
    ],
)
def test_modifications_that_a_mass_may_hold_weigh_as_in_unimod(words: str, name: str) -> None:
    (error,) = (error for error in OTHER_ERRORS if error.words.endswith(f": {words}"))
    tag = modification(name)
    assert tag is not None and -error.by == pytest.approx(tag.mass, abs=2e-6)
    assert error.words.startswith(f"{tag.mass:.4f} Da less")
