"""Errors that all masses of a sample share: found together, and told in every status."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bundled
from chains import germline_chain, hidden
from conftest import Write
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.masses import AVERAGE, ISOTOPE, MONOISOTOPIC, PROTON, WATER
from lacuna.core.tables import GAP_TABLE, OF_ALL_MASSES, MassDoubt
from lacuna.filling.cysteine import find_convention, find_reading
from lacuna.filling.masses.conventions import (
    CONVENTIONS,
    MOST_ODDS,
    Conventions,
    TriedLength,
    odds_of_conventions,
)
from lacuna.filling.masses.mass_errors import AVERAGE_GIVEN, INEXACT, ION, WATER_COUNTED
from lacuna.filling.search.stages import Stage, one_mass
from lacuna.filling.status import with_convention
from lacuna.results.summary import mass_note
from lacuna.scaffolds.alkylation import Alkylation, read_alkylation
from lacuna.scaffolds.residue_masses import MassRules, Modifications
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.steps.one_file import fill_file

ADDED = {ION.words: WATER + PROTON, WATER_COUNTED.words: WATER, "": 0.0}
SPANS = [(40, 45), (66, 71), (79, 83)]  # framework residues without C


def weight(residues: str, table: dict[str, float] = MONOISOTOPIC) -> float:
    return sum(table[residue] for residue in residues)


def chain(whole: str, error: str, spans: list[tuple[int, int]] = SPANS) -> Scaffold:
    """A chain with gaps whose masses have an error."""
    gaps = []
    for start, end in spans:
        residues = whole[start:end]
        if error == AVERAGE_GIVEN.words:
            mass = weight(residues, AVERAGE)
        elif error == INEXACT.words:
            mass = weight(residues) * (1 + 15e-6)
        else:
            mass = weight(residues) + ADDED[error]
        gaps.append(Gap(start, end, end - start, end - start, mass, mass * 1e-5))
    return Scaffold("m", "", hidden(whole, spans), tuple(gaps), 1)


def tried(letters: str, mass: float) -> list[TriedLength]:
    """A gap that the network takes to be `letters`, with a mass."""
    table = np.full((len(letters), N_RESIDUES), 1e-4)
    table[np.arange(len(letters)), [RESIDUES.index(letter) for letter in letters]] = 1 - 19e-4
    return [TriedLength(1.0, table, one_mass(mass, 0.002), MassRules())]


@pytest.mark.parametrize("error", [*ADDED, AVERAGE_GIVEN.words, INEXACT.words])
def test_an_error_that_all_masses_share_is_found(error: str) -> None:
    found = chain(germline_chain("H", 1), error)
    assert find_convention([found], Modifications(), bundled.reader()) == error
    assert find_reading([found], Modifications(), bundled.reader()).convention == error


def test_no_mass_decides_alone_and_two_that_agree_do() -> None:
    conventions = Conventions()
    for letters, words in (("AGVSE", ""), ("FSYSE", ION.words)):
        conventions.add(tried(letters, weight(letters) + WATER + PROTON), True)
        assert conventions.words == words
    conventions.add(tried("AGNSE", weight("AGNSE")), True)  # a right one speaks against it
    assert conventions.words == ""


def test_only_masses_that_tell_are_counted() -> None:
    conventions = Conventions()
    before = conventions.logs.copy()
    conventions.add(tried("AGCSE", weight("AGCSE")), False)  # C may be alkylated
    (once,) = tried("AGVSE", weight("AGVSE"))
    two = Stage(weight("AG"), 0.002), *once.stages.passed  # that of a beginning besides
    conventions.add([once, once._replace(stages=replace(once.stages, passed=two))], True)
    # At another length it may have a C.
    conventions.add([once, *tried("AGCGG", weight("AGVSE"))], False)
    assert np.array_equal(conventions.logs, before)
    conventions.add(tried("AGCSE", weight("AGCSE")), True)
    assert not np.array_equal(conventions.logs, before)


@pytest.mark.parametrize(
    ("off", "words"), [(PROTON, "charge slip"), (-PROTON, "charge slip"), (ISOTOPE, "")]
)
def test_masses_share_a_charge_but_not_an_isotope(off: float, words: str) -> None:
    """Which peak of a peptide was taken is by chance."""
    conventions = Conventions()
    for letters in ("AGVSE", "FSYSE", "TGVDK"):
        conventions.add(tried(letters, weight(letters) + off), True)
    assert words in conventions.words and bool(words) == bool(conventions.words)


def test_no_more_masses_are_counted_once_it_is_settled_what_they_share() -> None:
    conventions = Conventions()
    right, ion = (tried("AGVSE", weight("AGVSE") + off) for off in (0.0, WATER + PROTON))
    added = 0
    while not conventions.settled:
        assert added < 10
        conventions.add(right, True)
        added += 1
    assert added > 1
    settled = conventions.logs.copy()
    conventions.add(ion, True)
    assert np.array_equal(conventions.logs, settled)


def test_an_average_mass_is_that_of_the_sequence_and_not_only_near_it() -> None:
    odds = odds_of_conventions(tried("AGMSE", weight("AGMSE", AVERAGE)))
    assert odds[1 + CONVENTIONS.index(AVERAGE_GIVEN)] > 5  # sulfur makes it far from the usual
    near = odds_of_conventions(tried("AGVSE", weight("AGVSE", AVERAGE) - 0.1))
    assert near[1 + CONVENTIONS.index(AVERAGE_GIVEN)] < 1


@pytest.mark.parametrize(
    ("off", "odds"),  # log odds of uniform within twice the tolerance to normal errors
    [(0.0, -1.57), (0.5, -0.44), (0.9, 2.08), (1.5, math.log(MOST_ODDS)), (2.1, 0.0)],
)
def test_a_mass_speaks_for_a_wider_tolerance_if_it_is_off_by_most_of_its_own(
    off: float, odds: float
) -> None:
    found = odds_of_conventions(tried("AGMSE", weight("AGMSE") + off * 0.002))
    assert found[1 + CONVENTIONS.index(INEXACT)] == pytest.approx(odds, abs=0.1)


def test_a_status_says_it_once() -> None:
    shared = f"fits far better at {ION.words} {OF_ALL_MASSES}"
    assert with_convention("filled", ION.words) == f"filled ({shared})"
    own = f"filled (no template; fits far better at {ION.words})"
    assert with_convention(own, ION.words) == f"filled (no template; {shared})"
    none = f"no_sequence_fits_mass (fits at {ION.words}; contradicts C: none)"
    fits = none.replace(ION.words, f"{ION.words} {OF_ALL_MASSES}")
    assert with_convention(none, ION.words) == fits


def test_the_summary_counts_errors_of_single_gaps_beside_the_shared_one(
    write: Write, tmp_path: Path
) -> None:
    """A gap names an oxygen besides; another has the shared error alone."""
    Alkylation((("none", 1.0),), "stated", 2, convention=ION.words).write(tmp_path / "a.json")
    own = f"filled ({MassDoubt.FITS_BETTER} 15.9949 Da less)"
    rows = [f"1\t{with_convention(status, ION.words)}\n" for status in ("filled", own)]
    note = mass_note(tmp_path / "a.json", write("g.tsv", "".join(["rank\tstatus\n", *rows])))
    assert f"all masses together fit far better at {ION.words}, " in note
    assert "1 gap whose mass fits far better with an error" in note


@pytest.mark.parametrize("alkylation", ["auto", "none"])
def test_a_run_says_it_of_every_gap_with_a_mass(
    write: Write, tmp_path: Path, alkylation: str
) -> None:
    found = chain(germline_chain("K", 2), ION.words)
    rows = "".join(f"m\t{g.start}\t{g.end}\t{g.mass:.4f}\n" for g in found.gaps)
    inputs = {
        "fasta": write("c.fasta", f">m\n{found.sequence[:-2]}XX\n"),
        "gaps": write("g.tsv", f"chain\tstart\tend\tmass\n{rows}"),
    }
    out = tmp_path / "out"
    fill_file(inputs, out, {"alkylation": alkylation})
    state = read_alkylation(out / "alkylation.json")
    assert state.convention == ION.words
    first = [row.status for row in GAP_TABLE.read(out / "gaps.tsv") if row.rank == 1]
    assert all(f"{ION.words} {OF_ALL_MASSES}" in status for status in first[:-1])
    assert first[-1] == "filled"  # has no mass
    note = mass_note(out / "alkylation.json", out / "gaps.tsv")
    assert f"WARNING: all masses together fit far better at {ION.words}" in note


def test_a_state_without_such_an_error_is_written_as_before(tmp_path: Path) -> None:
    plain = Alkylation((("none", 1.0),), "stated", 3)
    plain.write(tmp_path / "a.json")
    assert "convention" not in (tmp_path / "a.json").read_text()
    shared = replace(plain, convention=ION.words)
    shared.write(tmp_path / "b.json")
    assert read_alkylation(tmp_path / "b.json") == shared
