"""The peaks of a spectrum as fragments."""

from dataclasses import replace

import numpy as np

from gap_of_peptide import PEPTIDE
from lacuna.core.masses import PROTON, WATER
from lacuna.spectra.peaks import LARGEST_FRAGMENT, PEAKS_OF_WINDOW, fragments
from lacuna.spectra.read import Precursor, Spectrum
from peaks import spectrum_of, weights


def test_isotopes_are_taken_off_and_show_the_charge() -> None:
    mz = np.array([400.0, 400.50168, 401.0034, 600.0, 601.00335])
    high = np.array([100.0, 60.0, 20.0, 100.0, 30.0])
    of = Spectrum(Precursor("s", 2000.0, 3), mz, high, np.zeros(5, dtype=int))
    found = fragments(of)
    assert found.masses.round(2).tolist() == [598.99, 797.99]
    assert found.charges.tolist() == [1, 2]


def test_a_peak_of_unknown_charge_may_have_any_below_the_precursors() -> None:
    of = Spectrum(Precursor("s", 2000.0, 3), np.array([400.0]), np.ones(1), np.zeros(1, dtype=int))
    assert fragments(of).charges.tolist() == [1, 2]
    known = replace(of, charges=np.array([3]))
    assert fragments(known).masses.round(2).tolist() == [1196.98]


def test_losses_of_water_and_ammonia_and_the_precursor_are_left_out() -> None:
    mz = np.array([482.0, 483.0 - 0.0 + 0.0, 500.0106, 700.0])
    mz[1] = 500.0106 - 17.026549
    mz[0] = 500.0106 - WATER
    of = Precursor("s", 2 * (700.0 - PROTON), 2)
    found = fragments(Spectrum(of, mz, np.array([10.0, 20.0, 90.0, 500.0]), np.zeros(4, dtype=int)))
    assert (found.masses[found.charges == 1] + PROTON).round(3).tolist() == [500.011]


def test_of_each_window_the_highest_peaks_are_kept() -> None:
    mz = np.linspace(300.05, 399.9, 40)
    of = Spectrum(Precursor("s", 900.0, 2), mz, np.arange(40) + 1.0, np.zeros(40, dtype=int))
    assert np.allclose(fragments(of).masses + PROTON, mz[-PEAKS_OF_WINDOW:])


def test_fragments_whose_isotope_is_unsure_are_left_out() -> None:
    mz = np.array([1000.0, LARGEST_FRAGMENT + 10])
    of = Spectrum(Precursor("s", 24000.0, 1), mz, np.ones(2), np.ones(2, dtype=int))
    assert len(fragments(of).masses) == 1


def test_a_calibrated_spectrum_has_no_error_left() -> None:
    made = spectrum_of(PEPTIDE, off_ppm=12.0)
    true = np.cumsum(weights(PEPTIDE))[:-1]
    found = fragments(made)
    assert found.matched(true).mean() > 0.7
    exact = found.calibrated(true)
    assert exact.ppm < found.ppm and exact.matched(true).mean() > 0.7
    assert found.calibrated(true[:2]) is found  # too few


def test_chance_grows_with_the_number_of_peaks() -> None:
    few, many = (fragments(spectrum_of(PEPTIDE, noise=n)) for n in (0, 400))
    at = np.array([700.0])
    assert few.chance(at)[0] < many.chance(at)[0] <= 0.5
