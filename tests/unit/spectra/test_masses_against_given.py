"""A mass that is given for a gap, of which spectra show another one."""

from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from chains import hidden
from lacuna.core.alphabet import N_RESIDUES, encode
from lacuna.core.masses import CARBAMIDOMETHYL, OXIDATION
from lacuna.core.tables import SPECTRUM_TABLE, MassDoubt
from lacuna.filling.masses.by_spectra import EVEN_SHARE, with_shown_masses
from lacuna.filling.search.decode import rank_sequences
from lacuna.filling.search.stages import one_mass
from lacuna.scaffolds.residue_masses import MassRules, Modifications
from lacuna.scaffolds.scaffold import Gap, Scaffold, ShownMass, SpectralEvidence
from lacuna.spectra.gap_mass import GIVEN_LOG_ODDS
from lacuna.spectra.odds import look
from lacuna.spectra.peaks import Spectra, fragments
from lacuna.spectra.spanning import odds_of_readings
from lacuna.spectra.table import with_spectra
from peaks import spectrum_of, weights

CHAIN = "MGLSDGEWQLVLNVWGKVEACIPGHGQEVLIRLFKGHPETLEKFDKFKHLK"
PEPTIDE = "VEACIPGHGQEVLIR"  # from 17; a tryptic one
START, END = 22, 26  # of the gap: PGHG
METHYLENE = 14.01565
PLAIN = MassRules().readings()


def gapped(off: float = 0.0, start: int = START) -> tuple[Scaffold, Gap]:
    """The chain with a gap whose mass is given too high by so many Da."""
    mass = float(weights(CHAIN[start:END]).sum()) + off
    gap = Gap(start, END, END - start, END - start, mass, mass * 1e-5)
    letters = hidden(CHAIN, [(start, END)]).replace("-", "X")
    return Scaffold("c", "", letters, (gap,), 1), gap


def spectra(peptide: str = PEPTIDE, **made: object) -> Spectra:
    spectrum = spectrum_of(peptide, **made)  # type: ignore[arg-type]
    return [(spectrum.precursor, fragments(spectrum))]


@pytest.mark.parametrize("off", [METHYLENE, -METHYLENE, OXIDATION, CARBAMIDOMETHYL])
def test_spectra_show_another_mass_than_the_one_given(off: float, tmp_path: Path) -> None:
    """Also through the table."""
    scaffold, gap = gapped(off)
    found = look(scaffold, gap, spectra(), PLAIN, 10.0)
    assert found is not None and found.evidence.mass is None and not found.evidence.cleavages
    (other,) = found.evidence.others
    assert other.mass is not None and other.cleavages
    assert other.mass.mass == pytest.approx(float(weights(CHAIN[START:END]).sum()), abs=0.01)
    table = tmp_path / "spectra.tsv"
    SPECTRUM_TABLE.write(table, found.rows)
    (read,) = with_spectra([scaffold], table)
    shown = read.gaps[0].spectra
    assert shown is not None and len(shown.others) == 1
    again = shown.others[0].mass
    assert again is not None and astuple(again) == pytest.approx(astuple(other.mass), abs=1e-3)


@pytest.mark.parametrize("off", [0.0, 0.002])
def test_the_mass_that_is_given_is_none_of_the_others(off: float) -> None:
    found = look(*gapped(off), spectra(), PLAIN, 10.0)
    assert found is not None and found.evidence.cleavages and not found.evidence.others


def test_a_peptide_that_carries_something_in_the_gap_says_nothing_against_its_mass() -> None:
    of_h = PEPTIDE.index("H")
    assert look(*gapped(), spectra(modified={of_h: OXIDATION}), PLAIN, 10.0) is None


def test_a_peptide_that_begins_with_the_gap_says_nothing_against_its_mass() -> None:
    """It may as well begin in it."""
    assert look(*gapped(METHYLENE, start=17), spectra(), PLAIN, 10.0) is None


def states(scaffold: Scaffold, gap: Gap, seen: Spectra) -> Sequence[float]:
    """Log odds of no C carrying anything, and of all being carbamidomethylated."""
    each = [MassRules(Modifications(((carried, 1.0),))) for carried in (0.0, CARBAMIDOMETHYL)]
    return odds_of_readings(scaffold, gap, seen, each, 10.0).tolist()


def test_a_wrong_mass_shows_no_state_of_cysteine_for_sure() -> None:
    """It fits alkylated C, of which there is none."""
    wrong, right = states(*gapped(-CARBAMIDOMETHYL), spectra()), states(*gapped(), spectra())
    assert wrong[0] - wrong[1] >= -GIVEN_LOG_ODDS
    assert right[0] - right[1] >= GIVEN_LOG_ODDS


def test_candidates_have_either_mass_and_are_not_surer_than_that_allows() -> None:
    """Letters on which both masses agree stay as sure as they are."""
    probabilities = np.full((4, N_RESIDUES), 0.001)
    probabilities[np.arange(4), encode("PGHG")] = 1 - 0.001 * (N_RESIDUES - 1)
    true, given = (float(weights(letters).sum()) for letters in ("PGHG", "PGHA"))
    rules = MassRules()
    within = rank_sequences(probabilities, 5, one_mass(given, 0.01), rules)
    assert within.candidates[0].sequence == "PGHA"
    shown = SpectralEvidence(others=(SpectralEvidence(mass=ShownMass(true, 0.01, 3.0)),))
    ranking, words = with_shown_masses(within, probabilities, 5, (given, 0.01), shown, rules)
    assert words == f"{MassDoubt.OF_SPECTRA} {true:.4f} Da"
    best, other = ranking.candidates[:2]
    assert (best.sequence, other.sequence) == ("PGHG", "PGHA")
    assert 1 - EVEN_SHARE < best.probability < 1 - EVEN_SHARE / 2
    assert EVEN_SHARE / 4 < other.probability < EVEN_SHARE
    assert ranking.distributions[2, encode("H")[0]] > 0.99
    assert ranking.distributions.sum(1) == pytest.approx(np.ones(4))


def test_neither_the_given_nor_the_shown_mass_may_fit() -> None:
    """Five W in a gap of three residues."""
    probabilities = np.full((3, N_RESIDUES), 1 / N_RESIDUES)
    heavy = float(weights("WWWWW").sum())
    within = rank_sequences(probabilities, 5, one_mass(heavy, 0.01), MassRules())
    shown = SpectralEvidence(others=(SpectralEvidence(mass=ShownMass(heavy, 0.01, 3.0)),))
    kept, _ = with_shown_masses(within, probabilities, 5, (heavy, 0.01), shown, MassRules())
    assert (kept, kept.candidates) == (within, ())


@pytest.mark.parametrize("given_fits", [True, False])
def test_either_the_given_or_the_shown_mass_may_fit_none(given_fits: bool) -> None:
    probabilities = np.full((3, N_RESIDUES), 0.001)
    probabilities[np.arange(3), encode("PGH")] = 1 - 0.001 * (N_RESIDUES - 1)
    heavy, fitting = (float(weights(letters).sum()) for letters in ("WWWWW", "PGH"))
    given, other = (fitting, heavy) if given_fits else (heavy, fitting)
    rules = MassRules()
    within = rank_sequences(probabilities, 5, one_mass(given, 0.01), rules)
    shown = SpectralEvidence(others=(SpectralEvidence(mass=ShownMass(other, 0.01, 3.0)),))
    ranking, words = with_shown_masses(within, probabilities, 5, (given, 0.01), shown, rules)
    assert words == f"{MassDoubt.OF_SPECTRA} {other:.4f} Da"
    assert ranking.candidates[0].sequence == "PGH"
    assert ranking.distributions.sum(1) == pytest.approx(np.ones(3))
    assert ranking.distributions[np.arange(3), encode("PGH")].min() > 0.99


def test_without_another_mass_the_ranking_stays() -> None:
    probabilities = np.full((2, N_RESIDUES), 1 / N_RESIDUES)
    within = rank_sequences(probabilities, 5, one_mass(128.0586, 0.01), MassRules())
    kept = with_shown_masses(
        within, probabilities, 5, (128.0586, 0.01), SpectralEvidence(), MassRules()
    )
    assert kept == (within, "")
