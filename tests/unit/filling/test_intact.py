"""Intact masses: compared with filled chains, and met by all gaps of a chain together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chains import germline_chain, mutated
from conftest import Write
from gaps import MASSES, chain_mass, mass_of
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.tables import GAP_TABLE, MASS_TABLE, RESIDUE_TABLE, MassDoubt, MassRow
from lacuna.filling.masses.filled_mass import error_of_missed, is_missed, is_whole, mass_row
from lacuna.filling.masses.intact import (
    chain_forms,
    intact_rules,
    left_for_gaps,
    likely_end,
    unweighed,
)
from lacuna.filling.search.mass_search import search
from lacuna.results.summary import intact_note
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.residue_masses import MassRules, Modifications
from lacuna.scaffolds.scaffold import Gap, IntactMass, Piece, ResidueModification, Scaffold
from lacuna.steps.one_file import fill_file

PLAIN = "ACDEFGHIKLMNPQRSTVWY"
PLAIN_RULES = Modifications()


# --- masses of chains ----------------------------------------------------------------------------


def test_the_mass_of_a_chain_is_that_of_pyteomics() -> None:
    row = mass_row(Scaffold("m", "", PLAIN, (), 1), PLAIN)
    assert row.monoisotopic == pytest.approx(chain_mass(PLAIN), abs=1e-4)
    assert row.average == pytest.approx(chain_mass(PLAIN, average=True), abs=1e-3)
    assert (row.measured, row.kind, row.difference) == (None, "", None)


def test_modifications_and_the_measured_mass_are_in_the_row() -> None:
    carbamidomethyl = ResidueModification(1, 57.021464, "Carbamidomethyl")
    intact = IntactMass(chain_mass(PLAIN, average=True) + 57.05, 1.0, "average")
    chain = Scaffold("m", "", PLAIN, (), 1, (carbamidomethyl,), intact=intact)
    row = mass_row(chain, PLAIN)
    assert row.monoisotopic == pytest.approx(chain_mass(PLAIN) + 57.021464, abs=1e-4)
    assert row.difference == pytest.approx(0.0, abs=0.01)
    exact = replace(intact, mass=chain_mass(PLAIN) + 60.0, kind="monoisotopic")
    difference = mass_row(replace(chain, intact=exact), PLAIN).difference
    assert difference == pytest.approx(57.021464 - 60.0, abs=1e-3)


def test_a_chain_with_a_gap_left_open_has_no_mass() -> None:
    intact = IntactMass(2000.0, 1.0, "average")
    row = mass_row(Scaffold("m", "", "ACX", (Gap(2, 3, 1, 1),), 1, intact=intact), "ACX")
    assert (row.monoisotopic, row.average, row.measured) == (None, None, 2000.0)
    between = mass_row(Scaffold("m", "", "AC", (Gap(1, 1, 1, None),), 1), "AC", is_open=True)
    assert (between.monoisotopic, between.average) == (None, None)


def test_a_chain_is_whole_if_it_has_no_gap_and_its_intact_mass() -> None:
    chain = Scaffold(
        "m", "", PLAIN, (), 1, intact=IntactMass(chain_mass(PLAIN), 0.01, "monoisotopic")
    )
    assert is_whole(chain, PLAIN_RULES) and not is_whole(replace(chain, intact=None), PLAIN_RULES)
    assert not is_whole(replace(chain, sequence=PLAIN[1:]), PLAIN_RULES)
    assert not is_whole(
        replace(chain, sequence=f"X{PLAIN[1:]}", gaps=(Gap(0, 1, 1, 1),)), PLAIN_RULES
    )


# --- what is left for gaps -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["average", "monoisotopic"])
def test_what_is_left_is_what_the_gaps_without_a_mass_weigh(kind: str) -> None:
    whole = germline_chain("H", 1)
    known = mass_of(whole[50:55])
    gaps = (Gap(20, 24, 4, 4), Gap(50, 55, 5, 5, known, known * 1e-5), Gap(90, 91, 1, None))
    sequence = f"{whole[:20]}XXXX{whole[24:50]}XXXXX{whole[55:90]}X{whole[97:]}"
    intact = IntactMass(chain_mass(whole, average=kind == "average"), 0.8, kind)
    chain = Scaffold("m", "", sequence, gaps, 1, intact=intact)
    assert list(unweighed(chain)) == [0, 2]
    stages = left_for_gaps(chain)
    assert stages is not None
    (stage,) = stages.passed
    true = mass_of(whole[20:24]) + mass_of(whole[90:97])
    assert abs(stage.mass - true) < (0.3 if kind == "average" else 1e-3)
    if kind == "average":  # sequences must have the average mass within the tolerance as well
        assert stages.average is not None and 0.8 < stages.average[1] < 0.95
        assert stage.interval and stage.tolerance > stages.average[1]
    else:
        assert 0.8 < stage.tolerance < 1.0
    assert left_for_gaps(replace(chain, intact=IntactMass(500.0, 1.0, kind))) is None
    assert unweighed(replace(chain, intact=None)) == {}
    assert from_json(to_json(chain)) == chain


def test_i_or_l_has_a_mass() -> None:
    whole = germline_chain("H", 1)
    at = whole.index("L")
    sequence = f"{whole[:at]}J{whole[at + 1 : 90]}X{whole[97:]}"
    gaps = (Gap(at, at + 1, 1, 1), Gap(90, 91, 1, None))
    intact = IntactMass(chain_mass(whole), 0.02, "monoisotopic")
    chain = Scaffold("m", "", sequence, gaps, 1, intact=intact)
    assert list(unweighed(chain)) == [1]
    stages = left_for_gaps(chain)
    assert stages is not None
    assert stages.passed[0].mass == pytest.approx(mass_of(whole[90:97]), abs=1e-3)
    several = replace(chain, gaps=(Gap(at, at + 1, 1, None), gaps[1]))
    assert list(unweighed(several)) == [0, 1]
    weighed = replace(gaps[0], mass=mass_of("L"), tolerance_da=0.001)
    given = left_for_gaps(replace(chain, gaps=(weighed, gaps[1])))
    assert given is not None and given.passed[0].mass == pytest.approx(stages.passed[0].mass)


def test_a_gap_of_which_prefix_masses_alone_are_known_leaves_an_intact_mass_no_say() -> None:
    prefix = Piece(1, None, None, None, False, ((100.0, 0.01),))
    intact = IntactMass(900.0, 1.0, "average")
    for pieces, numbers in (((), [0, 1]), ((prefix,), [])):
        gaps = (Gap(2, 3, 1, None, pieces=pieces), Gap(5, 6, 1, 1))
        assert list(unweighed(Scaffold("m", "", "ACXDEX", gaps, 1, intact=intact))) == numbers


def test_an_average_mass_is_met_within_the_tolerance_given() -> None:
    """The monoisotopic mass of what is left, by the usual ratio, is only an estimate."""
    whole = germline_chain("H", 1)
    sequence = whole[:30] + "XX" + whole[32:]
    average = chain_mass(whole, average=True)
    for off in (0.0, 0.011):
        intact = IntactMass(average + off, 0.001, "average")
        chain = Scaffold("m", "", sequence, (Gap(30, 32, 2, 2),), 1, intact=intact)
        assert is_missed(chain, whole) == bool(off)
        stages = left_for_gaps(chain)
        assert stages is not None
        even = np.full((2, N_RESIDUES), 1 / N_RESIDUES)
        found = search(even, 512, stages, MassRules())
        true = tuple(RESIDUES.index(letter) for letter in whole[30:32].replace("I", "L"))
        assert (true in {tuple(row) for row in found.tokens.tolist()}) == (not off)


def test_the_average_mass_of_a_gap_is_as_exact_as_the_usual_ratio() -> None:
    """Of a gap without a mass of its own, and of one that has a monoisotopic mass."""
    whole = "AGRSTAGKLMNAG"
    table = np.zeros((3, N_RESIDUES))
    for row, letters in zip(table, ("RK", "SA", "TG"), strict=True):
        row[[RESIDUES.index(letter) for letter in letters]] = 0.5
    letters = whole.replace("RST", "XXX").replace("KLMN", "XXXX")
    known = Gap(7, 11, 4, 4, mass_of("KLMN"), 0.001)
    intact = IntactMass(chain_mass(whole, average=True), 0.002, "average")
    for gap, shown in ((known, letters), (None, whole.replace("RST", "XXX"))):
        gaps = (Gap(2, 5, 3, 3), *([gap] if gap else []))
        stages = left_for_gaps(Scaffold("m", "", shown, gaps, 1, intact=intact))
        assert stages is not None
        found = search(table, 10, stages, MassRules())
        assert found.tokens.tolist() == [[RESIDUES.index(letter) for letter in "RST"]]


# --- forms of chains -----------------------------------------------------------------------------

PYRO, AMMONIA = "N-terminal pyroglutamate", 17.026549
LYSINE = 128.094963


def end_of_heavy(whole: str) -> str:
    return whole + "LSPGK"


@pytest.mark.parametrize(
    ("change", "form"),
    [
        (0.0, ""),
        (-AMMONIA, PYRO),
        (-LYSINE, "no C-terminal lysine"),
        (-AMMONIA - LYSINE, f"{PYRO}, no C-terminal lysine"),
    ],
)
@pytest.mark.parametrize("opened", [False, True])
def test_the_form_that_an_intact_mass_is_of_is_found(
    write: Write, tmp_path: Path, change: float, form: str, opened: bool
) -> None:
    whole = end_of_heavy(germline_chain("H", 1))
    assert whole.startswith("Q")
    missing = "X" if opened else "XXX"
    gap = "chain\tstart\tend\tmin_length\nm\t60\t61\t1\n"
    mass = chain_mass(whole) + change
    inputs = {
        "fasta": write("c.fasta", f">m\n{whole[:60]}{missing}{whole[63:]}\n"),
        "masses": write("m.tsv", f"{MASSES}m\t{mass:.4f}\t0.3\tmonoisotopic\n"),
        **({"gaps": write("g.tsv", gap)} if opened else {}),
    }
    fill_file(inputs, tmp_path / "out", {})
    (first, *_) = GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")
    assert (first.candidate, first.status) == (whole[60:63], "filled")
    assert first.mass == pytest.approx(mass_of(whole[60:63]), abs=1e-3)
    (row,) = MASS_TABLE.read(tmp_path / "out" / "masses.tsv")
    assert row.form == form and abs(row.difference or 0.0) < 0.01


def test_forms_are_those_that_the_ends_of_a_chain_allow() -> None:
    def words(sequence: str, allowed: Modifications = PLAIN_RULES, at: int = -1) -> list[str]:
        written = () if at < 0 else (ResidueModification(at, -AMMONIA, "x"),)
        chain = Scaffold("m", "", sequence, (), 1, written)
        forms = chain_forms(chain, sequence, allowed)
        assert sum(form.share for form in forms) == pytest.approx(1.0)
        return [form.words for form in forms]

    assert words("QAA") == words("EAA") == ["", PYRO]
    assert words("QAA", at=0) == words("XAA") == words("AEIK") == [""]
    assert words("AGK") == ["", "no C-terminal lysine"]
    clipped = Modifications(clipped_lysine=True)
    assert words("AGK", at=2) == words("AEIK", clipped, at=3) == [""]  # lysine with a modification
    assert words("AEIK", clipped) == ["", "no C-terminal lysine"]
    assert len(words("QAGK")) == 4
    chain = Scaffold("m", "", "EA", (), 1)
    _, pyro = chain_forms(chain, "EA", PLAIN_RULES)
    _, stated = chain_forms(chain, "EA", Modifications(pyroglutamate=True))
    assert pyro.share < 0.1 and stated.share == 0.5
    usual = Scaffold("m", "", "QAGK", (), 1)  # what is usual is no rarer if it is allowed
    both = Modifications(pyroglutamate=True, clipped_lysine=True)
    assert chain_forms(usual, "QAGK", PLAIN_RULES) == chain_forms(usual, "QAGK", both)


@pytest.mark.parametrize(
    ("first", "off", "form"), [("Q", 8.5, PYRO), ("Q", 0.0, ""), ("Q", 17.0, PYRO), ("E", 9.0, "")]
)
def test_of_forms_within_the_tolerance_the_usual_and_the_nearest_count(
    first: str, off: float, form: str
) -> None:
    """Of an inexact mass between that of a chain and that of its pyroglutamate."""
    sequence = first + "ASDFGHL"
    intact = IntactMass(chain_mass(sequence) - off, 30.0, "monoisotopic")
    assert mass_row(Scaffold("m", "", sequence, (), 1, intact=intact), sequence).form == form


@pytest.mark.parametrize("start", [0, 4])
def test_a_gap_at_the_start_of_a_chain_may_begin_with_pyroglutamate(start: int) -> None:
    whole = "ASDW"[:start] + "EDFGHTSW"
    letters = f"{whole[:start]}XX{whole[start + 2 :]}"
    intact = IntactMass(chain_mass(whole) - 18.010565, 0.01, "monoisotopic")
    chain = Scaffold("m", "", letters, (Gap(start, start + 2, 2, 2),), 1, intact=intact)
    scores = []
    for allowed in (False, True):
        rules = intact_rules(chain, Modifications(pyroglutamate=allowed))
        stages = left_for_gaps(chain, rules.forms)
        assert stages is not None
        found = search(np.full((2, N_RESIDUES), 1 / N_RESIDUES), 512, stages, rules)
        is_true = (found.tokens == [RESIDUES.index(letter) for letter in "ED"]).all(1)
        assert is_true.any() == (start == 0)
        scores.append(found.scores[is_true].max(initial=-np.inf))
    assert start or scores[1] > scores[0] + 2  # of E it is rare unless it is allowed


def test_an_end_without_a_missing_residue_lends_no_pyroglutamate_to_a_later_gap() -> None:
    intact = IntactMass(2000.0, 1.0, "average")
    empty, later = Gap(0, 0, 0, 0), Gap(4, 6, 2, 2)
    for gaps, starts in (
        ((empty, later), False),
        ((empty,), False),
        ((Gap(0, 0, 0, None), later), True),
        ((empty, Gap(0, 2, 2, 2)), True),
    ):
        letters = "XXDFXXHTSW" if gaps[-1].start == 0 else "EDAFXXHTSW"
        chain = Scaffold("m", "", letters, gaps, 1, intact=intact)
        assert intact_rules(chain, PLAIN_RULES).starts_chain == starts


@pytest.mark.parametrize("residue", ["G", "W"])
@pytest.mark.parametrize("kind", ["average", "monoisotopic"])
def test_the_mass_of_a_form_is_met_within_the_tolerance_given(kind: str, residue: str) -> None:
    """Without its lysine a chain weighs 128.17 Da less on average, or 128.09 Da."""
    whole = f"AAAAA{residue}AAAAGK"
    chain = Scaffold("m", "", whole[:5] + "X" + whole[6:], (Gap(5, 6, 1, 1),), 1)
    clipped = chain_mass(whole[:-1], average=kind == "average")
    for off, missed in ((0.0, False), (0.03, True)):
        weighed = replace(chain, intact=IntactMass(clipped + off, 0.002, kind))
        assert is_missed(weighed, whole) == missed
        rules = intact_rules(weighed, PLAIN_RULES)
        stages = left_for_gaps(weighed, rules.forms)
        assert stages is not None
        found = search(np.full((1, N_RESIDUES), 1 / N_RESIDUES), 512, stages, rules)
        assert ([RESIDUES.index(residue)] in found.tokens.tolist()) == (not missed)


@pytest.mark.parametrize("hidden", [(1, "a"), (4, "a"), (4, "")])
def test_a_lysine_that_is_not_observed_may_be_missing_from_the_mass(
    write: Write, tmp_path: Path, hidden: tuple[int, str]
) -> None:
    """Reads of a heavy chain without its lysine end in front of it; the chain is filled with it."""
    whole = germline_chain("H", 1, constant=True)
    last, another = hidden
    letters = whole[:-last] + "X" * last
    if another:
        letters = letters[:20] + "XXX" + letters[23:]
    mass = f"m\t{chain_mass(whole[:-1], average=True):.3f}\t1\taverage\n"
    inputs = {
        "fasta": write("c.fasta", f">m\n{letters}\n"),
        "masses": write("m.tsv", MASSES + mass),
    }
    fill_file(inputs, tmp_path / "out", {"alkylation": "none"})
    rows = [row for row in GAP_TABLE.read(tmp_path / "out" / "gaps.tsv") if row.rank == 1]
    assert rows[-1].candidate == whole[-last:] and {row.status for row in rows} == {"filled"}
    (row,) = MASS_TABLE.read(tmp_path / "out" / "masses.tsv")
    assert row.form == "no C-terminal lysine"
    if another:
        assert rows[0].candidate == whole[20:23] and (rows[0].probability or 0.0) > 0.99


def test_the_likely_end_of_a_chain_is_that_of_a_gap_that_ends_it() -> None:
    chain = Scaffold("m", "", "AXXXAXX", (Gap(1, 4, 3, 3), Gap(5, 7, 2, 2)), 1)
    rows = np.eye(N_RESIDUES)[[RESIDUES.index(letter) for letter in "SPLGK"]]
    inner, last = chain.gaps
    assert likely_end(chain, inner, rows[:3]) == ""
    assert likely_end(chain, last, rows[3:]) == likely_end(chain, last, rows) == "GK"
    one = Scaffold("m", "", "AG", (Gap(1, 2, 1, 1),), 1)
    assert likely_end(one, one.gaps[0], rows) == "K"
    none = Scaffold("m", "", "AG", (Gap(2, 2, 0, 0),), 1)
    assert likely_end(none, none.gaps[0], rows) == ""


# --- a whole run ---------------------------------------------------------------------------------


def test_an_intact_mass_decides_among_sequences_and_lengths(write: Write, tmp_path: Path) -> None:
    """Of two gaps of known length together, and of one of unknown length."""
    whole = mutated(germline_chain("H", 3), 2, 2)
    two = f"{whole[:30]}XXX{whole[33:60]}XXX{whole[63:]}"
    opened = f"{whole[:60]}X{whole[66:]}"
    fasta = write("c.fasta", f">two\n{two}\n>open\n{opened}\n>not\n{two}\n>none\n{two}\n")
    table = write("g.tsv", "chain\tstart\tend\tmin_length\nopen\t60\t61\t1\n")
    true = chain_mass(whole)
    rows = "".join(
        f"{name}\t{mass:.3f}\t0.3\tmonoisotopic\n"
        for name, mass in (("two", true), ("open", true), ("not", true + 5000.0))
    )
    masses = write("m.tsv", MASSES + rows)
    out = tmp_path / "out"
    fill_file({"fasta": fasta, "gaps": table, "masses": masses}, out, {})
    rows_of = {row.chain: row for row in MASS_TABLE.read(out / "masses.tsv")}
    assert list(rows_of) == ["two", "open", "not", "none"]
    for name in ("two", "open"):
        assert abs(rows_of[name].difference or 9.0) <= 0.3
        assert rows_of[name].measured == pytest.approx(true, abs=1e-3)
    assert rows_of["none"].measured is None and rows_of["none"].difference is None
    best = [row for row in GAP_TABLE.read(out / "gaps.tsv") if row.rank == 1]
    assert {row.status for row in best if row.chain == "not"} == {
        "filled (the intact mass of the chain is not met)"
    }
    assert {row.status for row in best if row.chain != "not"} == {"filled"}
    lengths = [row for row in RESIDUE_TABLE.read(out / "residues.tsv") if row.chain == "open"]
    assert len(lengths) == 6


def test_gaps_with_masses_of_their_own_are_in_doubt_if_the_chain_weighs_otherwise(
    write: Write, tmp_path: Path
) -> None:
    whole = germline_chain("H", 3)
    gap = mass_of(whole[60:65])
    heavier = {"right": 0.0, "wrong": 57.02146, "both": 57.02146}
    fasta = "".join(
        f">{name}\n{whole[:60]}X[+{gap + more:.4f}]{whole[65:]}\n" for name, more in heavier.items()
    )
    rows = "".join(
        f"{name}\t{chain_mass(whole, average=True) + more:.3f}\t1\taverage\n"
        for name, more in (("right", 0.0), ("wrong", 0.0), ("both", 57.05))
    )
    inputs = {"fasta": write("c.fasta", fasta), "masses": write("m.tsv", MASSES + rows)}
    fill_file(inputs, tmp_path / "out", {})
    statuses = {
        row.chain: row.status
        for row in GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")
        if row.rank == 1
    }
    assert [name for name, status in statuses.items() if MassDoubt.UNMET in status] == ["wrong"]


@pytest.mark.parametrize("kind", ["average", "monoisotopic"])
def test_a_modified_residue_in_a_gap_does_not_make_a_chain_miss_its_mass(kind: str) -> None:
    """The gap weighs what its residues do and an oxygen, and so does the chain."""
    gap = Gap(4, 8, 4, 4, mass_of(PLAIN[4:8]) + 15.9949, 0.005)
    letters = PLAIN[:4] + "XXXX" + PLAIN[8:]
    mass = chain_mass(PLAIN, average=kind == "average") + 16.0
    for off, missed in ((0.0, False), (5.0, True)):
        chain = Scaffold("m", "", letters, (gap,), 1, intact=IntactMass(mass + off, 1.0, kind))
        assert is_missed(chain, PLAIN) == missed
        assert mass_row(chain, PLAIN).met != missed
    assert not is_missed(chain, letters)  # which has no mass
    assert not is_missed(replace(chain, intact=None), PLAIN)


@pytest.mark.parametrize("kind", ["average", "monoisotopic"])
def test_the_difference_is_to_what_the_masses_of_gaps_imply(kind: str) -> None:
    """A pyroglutamate is in front of the gap, and so in the form; the gap holds an oxygen."""
    whole = f"Q{PLAIN}"
    gap = Gap(5, 9, 4, 4, mass_of(whole[5:9]) + 15.9949, 0.005)
    letters = whole[:5] + "XXXX" + whole[9:]
    plain, pyro = chain_mass(whole, average=kind == "average"), -17.03
    for held, form, in_gaps in (
        (16.0, "N-terminal pyroglutamate, gaps by their own masses", 15.9949),
        (0.0, "N-terminal pyroglutamate", None),
    ):
        intact = IntactMass(plain + pyro + held, 0.5, kind)
        row = mass_row(Scaffold("m", "", letters, (gap,), 1, intact=intact), whole)
        assert (row.form, row.met) == (form, True)
        assert row.in_gaps == (None if in_gaps is None else pytest.approx(in_gaps, abs=1e-4))
        assert abs(row.difference or 9.0) < (0.2 if kind == "average" else 0.02)
        assert (row.tolerance_da == 0.5) == (in_gaps is None)


@pytest.mark.parametrize("off", [0.0, 5.0])
def test_a_gap_with_the_mass_of_its_residues_changes_no_form(off: float) -> None:
    """Not even if a chain that misses its mass is nearer to it by a millidalton of the gap's."""
    gap = Gap(4, 8, 4, 4, mass_of(PLAIN[4:8]) + 0.002, 0.005)
    intact = IntactMass(chain_mass(PLAIN) + off, 0.5, "monoisotopic")
    chain = Scaffold("m", "", PLAIN[:4] + "XXXX" + PLAIN[8:], (gap,), 1, intact=intact)
    row = mass_row(chain, PLAIN)
    assert (row.form, row.in_gaps, row.tolerance_da, row.met) == ("", None, 0.5, not off)


def test_an_error_is_named_of_the_form_that_the_masses_of_gaps_imply() -> None:
    """The gap holds an oxygen, and the chain that and a disulfide bond."""
    whole = PLAIN + "C"
    gap = Gap(4, 8, 4, 4, mass_of(PLAIN[4:8]) + 15.9949, 0.005)
    intact = IntactMass(chain_mass(whole) + 15.9949 - 2.0157, 0.1, "monoisotopic")
    chain = Scaffold("m", "", whole[:4] + "XXXX" + whole[8:], (gap,), 1, intact=intact)
    assert "disulfide" in error_of_missed(chain, whole)
    row = mass_row(chain, whole)
    assert (row.form, row.met) == ("gaps by their own masses", False)
    assert row.difference == pytest.approx(2.0157, abs=1e-3)


def test_the_form_without_an_error_is_the_most_probable_one() -> None:
    """A bond and the chain as it is, not an oxygen and pyroglutamate, which weigh as much less."""
    whole = "EVC" + PLAIN
    intact = IntactMass(chain_mass(whole) - 2.0157, 0.1, "monoisotopic")
    chain = Scaffold("m", "", whole, (), 1, intact=intact)
    assert "disulfide" in error_of_missed(chain, whole)
    row = mass_row(chain, whole)
    assert row.form == "" and row.difference == pytest.approx(2.0157, abs=1e-3)


def test_status_and_summary_agree_on_a_modified_gap(write: Write, tmp_path: Path) -> None:
    whole = germline_chain("H", 1)
    at = whole.index("M")
    gap = mass_of(whole[at - 2 : at + 2]) + 15.9949
    mass = chain_mass(whole) + 15.9949
    inputs = {
        "fasta": write("c.fasta", f">h\n{whole[: at - 2]}X[+{gap:.4f}]{whole[at + 2 :]}\n"),
        "masses": write("m.tsv", f"{MASSES}h\t{mass:.4f}\t0.3\tmonoisotopic\n"),
    }
    out = tmp_path / "out"
    fill_file(inputs, out, {"modifications": {"oxidised_methionine": True}})
    first = next(GAP_TABLE.read(out / "gaps.tsv"))
    assert (first.candidate, first.status) == (whole[at - 2 : at + 2], "filled")
    assert intact_note(out / "masses.tsv") == "; 1 of 1 intact mass met"
    (row,) = MASS_TABLE.read(out / "masses.tsv")
    assert (row.form, row.in_gaps) == ("gaps by their own masses", pytest.approx(15.9949, abs=1e-3))
    assert abs(row.difference or 0.0) < 0.001


@pytest.mark.parametrize(
    ("kind", "oxygen", "far"), [("average", 15.9994, 0.3), ("monoisotopic", 15.994915, 0.02)]
)
def test_masses_of_gaps_count_within_their_own_tolerances(
    kind: str, oxygen: float, far: float
) -> None:
    """They are monoisotopic; their average is known by the usual ratio, and less exactly."""
    letters, mass = "KLMN", chain_mass(PLAIN, average=kind == "average")
    at = PLAIN.index(letters)
    gap = Gap(at, at + 4, 4, 4, mass_of(letters) + 15.994915 + 0.004, 0.005)
    chain = Scaffold("m", "", PLAIN.replace(letters, "XXXX"), (gap,), 1)
    for off, missed in ((0.0, False), (far, True), (-far, True), (-oxygen, False)):
        weighed = replace(chain, intact=IntactMass(mass + oxygen + off, 0.002, kind))
        assert mass_row(weighed, PLAIN).met != missed
        assert is_missed(weighed, PLAIN) == missed  # the last is met by the residues themselves


def test_the_summary_says_which_intact_masses_are_met(tmp_path: Path) -> None:
    def note(*differences: float | None) -> str:
        path = tmp_path / "masses.tsv"
        row = MassRow("", 9000.0, 9005.0, 9000.0, "monoisotopic", 0.5, None)
        rows = [
            row._replace(chain=f"c{i}", difference=found) for i, found in enumerate(differences)
        ]
        plain = row._replace(chain="plain", measured=None, kind="", tolerance_da=None)
        MASS_TABLE.write(path, [*rows, plain])
        return intact_note(path).replace(str(path), "masses.tsv")

    assert note() == ""
    assert note(0.4) == "; 1 of 1 intact mass met"
    assert note(0.4, -0.5) == "; 2 of 2 intact masses met"
    assert note(15.995, 0.0, None) == (
        "; 1 of 3 intact masses met, not that of 'c0' (+15.99 Da) or 'c2' (open), see masses.tsv"
    )
    assert note(*[1.0] * 5).endswith("'c2' (+1.00 Da) or 2 more, see masses.tsv")
