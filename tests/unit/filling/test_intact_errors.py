"""Errors of intact masses: found, named with the form of the chain, and nothing else changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chains import germline_chain
from conftest import Write
from gaps import MASSES, chain_mass, mass_of
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.tables import GAP_TABLE, MassDoubt
from lacuna.filling.masses.filled_mass import error_of_missed, mass_row
from lacuna.filling.masses.intact import intact_rules
from lacuna.filling.masses.intact_errors import (
    intact_errors,
    likely_intact_error,
    unmodified_cysteines,
)
from lacuna.results.summary import mass_note
from lacuna.scaffolds.residue_masses import Modifications
from lacuna.scaffolds.scaffold import Gap, IntactMass, ResidueModification, Scaffold
from lacuna.steps.one_file import fill_file

PLAIN_RULES = Modifications()


CAM = 57.021464
WORDS = {
    "right": "",
    "kind": "as average, not monoisotopic",
    "disulfide": "with 1 disulfide bond reduced (2.0157 Da more)",
    "alkylated": "without carbamidomethylated C (114.0429 Da less)",
}


def wrong_mass(whole: str, error: str) -> float:
    """The monoisotopic mass of a chain with an error."""
    if error == "kind":
        return chain_mass(whole, average=True)
    off = {"right": 0.0, "disulfide": -2 * 1.00782503, "alkylated": CAM * whole.count("C")}
    return chain_mass(whole) + off[error]


@pytest.mark.parametrize("error", WORDS)
def test_an_error_of_an_intact_mass_is_named_and_changes_nothing(
    write: Write, tmp_path: Path, error: str
) -> None:
    whole = germline_chain("K", 1)
    assert whole.count("C") == 2
    rows = f"m\t{wrong_mass(whole, error):.4f}\t0.3\tmonoisotopic\n"
    inputs = {
        "fasta": write("c.fasta", f">m\n{whole[:60]}XXXX{whole[64:]}\n"),
        "masses": write("m.tsv", MASSES + rows),
    }
    fill_file(inputs, tmp_path / "out", {})
    (first, *_) = GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")
    if error == "right":
        assert (first.candidate, first.status) == (whole[60:64], "filled")
        return
    assert f"{MassDoubt.INTACT_ERROR} {WORDS[error]}" in first.status
    note = mass_note(tmp_path / "out" / "alkylation.json", tmp_path / "out" / "gaps.tsv")
    assert "1 gap of a chain whose intact mass is far more probable with an error" in note


def test_what_a_chain_of_weighed_gaps_would_meet_is_named(write: Write, tmp_path: Path) -> None:
    whole = germline_chain("K", 1)
    alkylated = wrong_mass(whole, "alkylated")
    inputs = {
        "fasta": write("c.fasta", f">m\n{whole[:60]}X[+{mass_of(whole[60:64]):.4f}]{whole[64:]}\n"),
        "masses": write("m.tsv", f"{MASSES}m\t{alkylated:.4f}\t0.3\tmonoisotopic\n"),
    }
    fill_file(inputs, tmp_path / "out", {})
    (first, *_) = GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")
    assert (
        first.status == f"filled ({MassDoubt.UNMET}; {MassDoubt.INTACT_ERROR} {WORDS['alkylated']})"
    )


def test_errors_are_those_that_the_cysteines_allow() -> None:
    chain = Scaffold(
        "m", "", "CACX", (Gap(3, 4, 1, 1),), 1, intact=IntactMass(500.0, 0.1, "average")
    )
    words = [error.words for error in intact_errors(chain, "CAAA")]
    assert not any("disulfide" in one for one in words)
    assert any("without carbamidomethylated C (57.05" in one for one in words)
    carried = replace(chain, modifications=(ResidueModification(0, CAM, "Carbamidomethyl"),))
    assert (unmodified_cysteines(chain, "CACA"), unmodified_cysteines(carried, "CACA")) == (2, 1)
    bonds = [e.mass.mass for e in intact_errors(chain, "CCCC") if "disulfide" in e.words]
    assert bonds == pytest.approx([502.0166, 504.0333], abs=1e-3)
    assert not list(intact_errors(replace(chain, intact=None), "CCCC"))
    (cysteinyl,) = (e.mass.mass for e in intact_errors(chain, "CAAA") if "cysteinyl" in e.words)
    assert cysteinyl == pytest.approx(500.0 - 119.14, abs=0.1)  # on average
    light = replace(chain, intact=IntactMass(60.0, 50.0, "average"))
    left = [error.mass.mass for error in intact_errors(light, "CAAA")]
    assert min(left) > 50.0  # no error leaves less than the tolerance
    words = [e.words.split(" (")[0] for e in intact_errors(chain, "AAAA")]
    assert words == [
        "as monoisotopic, not average",
        "without an oxygen on M or W",
        "without a hexose, as of glycation",
        "without a proton, as [M+H]+ has",
        "with the water that was not counted",
    ]


G0F_AVERAGE = 1445.338  # C56H92N4O39


@pytest.mark.parametrize(
    ("kind", "added", "said"),
    [
        ("average", G0F_AVERAGE, "without a G0F glycan on N-X-S/T (1445.33"),
        ("monoisotopic", 1606.5867, "without a G1F glycan on N-X-S/T (1606.5867 Da less)"),
        ("monoisotopic", 1768.6395, "without a G2F glycan on N-X-S/T (1768.6395 Da less)"),
        ("monoisotopic", 0.984016, "without the D that PNGase F leaves in place of N (0.9840 Da"),
    ],
)
def test_what_a_glycosylated_chain_carries_is_named_with_its_form(
    kind: str, added: float, said: str
) -> None:
    """Of a heavy chain without its lysine: the difference is that of this form."""
    whole = germline_chain("H", 1, constant=True)
    mass = chain_mass(whole[:-1], average=kind == "average") + added
    chain = Scaffold("m", "", whole, (), 1, intact=IntactMass(mass, 0.02, kind))
    error = error_of_missed(chain, whole)
    assert said in error and " or " not in error
    row = mass_row(chain, whole)
    assert row.form == "no C-terminal lysine" and not row.met
    assert row.difference == pytest.approx(-added, abs=0.02)
    written = (ResidueModification(whole.index("NST"), 203.0794, "HexNAc"),)
    heavier = IntactMass(mass + 203.0794, 0.02, kind)
    carried = replace(chain, modifications=written, intact=heavier)
    assert "N-X-S/T" not in error_of_missed(carried, whole)


@pytest.mark.parametrize("off", [1.0033548, -1.0033548])
def test_an_isotope_slip_is_an_error_of_a_monoisotopic_mass_alone(off: float) -> None:
    whole = germline_chain("H", 1)
    for kind, named in (("monoisotopic", True), ("average", False)):
        mass = chain_mass(whole, average=kind == "average") + off
        chain = Scaffold("m", "", whole, (), 1, intact=IntactMass(mass, 0.01, kind))
        assert ("without an isotope slip" in error_of_missed(chain, whole)) is named


@pytest.mark.parametrize("sequence", ["ANPSA", "ANAAA", "ANXSA"])
def test_a_glycan_is_an_error_only_where_its_site_is_observed(sequence: str) -> None:
    gaps = tuple(Gap(i, i + 1, 1, 1) for i, letter in enumerate(sequence) if letter == "X")
    given = IntactMass(5000.0, 1.0, "average")
    for letters, at, named in ((sequence, gaps, False), ("ANASA", (), True)):
        errors = intact_errors(Scaffold("m", "", letters, at, 1, intact=given), letters)
        assert any("glycan" in error.words for error in errors) == named


def test_the_difference_of_a_mass_that_nothing_explains_is_to_the_nearest_form() -> None:
    whole = "QASDFGHLGK"
    intact = IntactMass(chain_mass(whole[:-1]) + 5.0, 0.1, "monoisotopic")
    row = mass_row(Scaffold("m", "", whole, (), 1, intact=intact), whole)
    assert (row.form, row.met) == ("no C-terminal lysine", False)
    assert row.difference == pytest.approx(-5.0, abs=1e-3)


def test_the_usual_reagent_is_named_where_a_rare_one_fits_as_well() -> None:
    """Of two C's a carbamidomethyl each; a propionamide each leaves a mass that fits too."""
    whole = germline_chain("K", 1)
    intact = IntactMass(chain_mass(whole) + 2 * CAM, 40.0, "monoisotopic")
    chain = Scaffold("m", "", whole, (), 1, intact=intact)
    said = error_of_missed(chain, whole)
    assert "carbamidomethylated" in said and "propionamidated" not in said


def test_an_error_is_one_of_the_forms_that_are_allowed() -> None:
    intact = IntactMass(chain_mass("ACDEI") + CAM, 0.01, "monoisotopic")
    chain = Scaffold("m", "", "ACDEIK", (), 1, intact=intact)
    assert error_of_missed(chain, "ACDEIK") == ""
    clipped = Modifications(clipped_lysine=True)
    assert "carbamidomethylated" in error_of_missed(chain, "ACDEIK", clipped)


def test_a_common_reagent_is_named_with_a_rare_one_that_fits_better() -> None:
    """V weighs two methylenes more than A, and two propionamides so much more than the other."""
    intact = IntactMass(chain_mass("CACA") + 2 * 71.037114, 0.05, "monoisotopic")
    chain = Scaffold("m", "", "CACX", (Gap(3, 4, 1, 1),), 1, intact=intact)
    table = np.full((1, N_RESIDUES), 1e-9)
    for of_v, named in ((1e-4, "propionamid"), (0.01, "both"), (0.9, "carbamidomethyl")):
        table[0, RESIDUES.index("V")] = of_v
        table[0, RESIDUES.index("A")] = 0.9 if of_v < 0.5 else 0.1
        said = likely_intact_error(chain, table, intact_rules(chain, PLAIN_RULES))
        assert ("without propionamidated C (" in said) == (named in ("propionamid", "both"))
        assert ("without carbamidomethylated C (" in said) == (named in ("carbamidomethyl", "both"))


@pytest.mark.parametrize(
    ("of_y", "of_f", "named"),
    [(0.03, 0.97, False), (1e-4, 0.9999, True), (0.0, 1e-9, False), (0.0, 0.5, True)],
)
def test_an_error_is_named_only_if_it_is_far_more_probable(
    of_y: float, of_f: float, named: bool
) -> None:
    """F and an oxygen weigh as much as Y."""
    intact = IntactMass(chain_mass("MAY"), 0.01, "monoisotopic")
    chain = Scaffold("m", "", "MAX", (Gap(2, 3, 1, 1),), 1, intact=intact)
    table = np.zeros((1, N_RESIDUES))
    table[0, [RESIDUES.index(letter) for letter in "YFG"]] = of_y, of_f, 1 - of_y - of_f
    said = likely_intact_error(chain, table, intact_rules(chain, PLAIN_RULES))
    assert ("without an oxygen on M or W" in said) == named == bool(said)


def test_what_a_cysteine_of_a_gap_carries_is_named() -> None:
    intact = IntactMass(chain_mass("AAC") + CAM, 0.01, "monoisotopic")
    chain = Scaffold("m", "", "AAX", (Gap(2, 3, 1, 1),), 1, intact=intact)
    for letter in "CS":
        table = np.full((1, N_RESIDUES), 1e-6)
        table[0, RESIDUES.index(letter)] = 1.0
        said = likely_intact_error(chain, table, intact_rules(chain, PLAIN_RULES))
        assert ("carbamidomethylated" in said) == (letter == "C")


def test_only_modifications_of_cysteines_leave_fewer_without_one() -> None:
    modified = ResidueModification(2, 15.9949, ""), ResidueModification(3, CAM, "")
    chain = Scaffold("a", "", "ACMCXK", (Gap(4, 5, 1, 1),), 1, modifications=modified)
    assert unmodified_cysteines(chain, "ACMCCK") == 2
