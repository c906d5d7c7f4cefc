"""From the peaks of a spectrum to masses of fragments: isotopes, losses and noise are removed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.core.masses import AMMONIA, CARBON_MONOXIDE, CROWDING, ISOTOPE, PROTON, WATER
from lacuna.spectra.read import Precursor, Spectrum

PPM = 20.0  # tolerance of fragment masses
CALIBRATED_PPM = 10.0  # the same once the spectrum is calibrated by known fragments
NEAR_PPM = 10.0  # tolerance of the distance between two peaks of a spectrum
CALIBRATING_FRAGMENTS = 6  # known fragments that must be seen to calibrate a spectrum
PEAKS_OF_WINDOW = 10  # peaks that are kept in each window
WINDOW_WIDTH = 100.0  # m/z, width of a window
MOST_CHARGE = 3  # of fragments whose isotopes do not show their charge
LIGHTER_SHARE = 0.3  # intensity of the lighter of two isotope peaks, as a share of the heavier
LOSSES = (WATER, AMMONIA, CARBON_MONOXIDE)  # of an ion that is more intense; the last makes a of b
PRECURSOR_ISOTOPES = 4  # peaks of the precursor, from the lightest on, that are no fragments
# Da. For heavier fragments, deconvolution often takes another isotope for the lightest one: of the
# c and z ions of an Fd, 9 in 10 up to 8 kDa have their monoisotopic mass, 3 in 10 over 10 kDa.
LARGEST_FRAGMENT = 8000.0
AROUND_DA = 50.0  # on either side of a mass, in which peaks are counted
LEAST_CHANCE, MOST_CHANCE = 1e-3, 0.5  # limits of the probability of a fragment by chance
# Da, and how often another peptide has a fragment that is as light: of one residue (K or R ends
# every tryptic peptide), and of two residues, of which there are 210 pairs.
SMALL_FRAGMENTS = ((200.0, 0.5), (310.0, 0.02))


@dataclass(frozen=True, slots=True)
class Fragments:
    """Neutral masses (k,) in Da that fragments of a spectrum may have, in ascending order.

    A peak of unknown charge is listed once for each charge that it may have. charges (k,);
    peaks (k,): number of the peak of each; ppm: tolerance of the masses.
    """

    masses: np.ndarray
    charges: np.ndarray
    peaks: np.ndarray
    ppm: float = PPM

    def tolerance(self, masses: np.ndarray) -> np.ndarray:
        """The tolerance (m,) in Da of masses (m,)."""
        return masses * (self.ppm * 1e-6)

    def matched(self, masses: np.ndarray) -> np.ndarray:
        """(m,): whether a fragment has each mass (m,) in Da, within `ppm`."""
        if not len(self.masses):
            return np.zeros(masses.shape, dtype=bool)
        after = np.searchsorted(self.masses, masses)
        last = len(self.masses) - 1
        near = np.minimum(
            np.abs(self.masses[np.minimum(after, last)] - masses),
            np.abs(self.masses[np.maximum(after - 1, 0)] - masses),
        )
        return near <= self.tolerance(masses)

    def near(self, masses: np.ndarray) -> np.ndarray:
        """Indices of the fragments that weigh one of the masses (m,) in Da."""
        low = np.searchsorted(self.masses, masses - self.tolerance(masses))
        high = np.searchsorted(self.masses, masses + self.tolerance(masses), "right")
        within = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
        return np.unique(np.concatenate((np.empty(0, dtype=int), *within)))

    def calibrated(self, masses: np.ndarray) -> "Fragments":
        """The fragments less their median error against known masses (m,) in Da.

        Unchanged if fewer than CALIBRATING_FRAGMENTS of these are seen.
        """
        seen = masses[self.matched(masses)]
        if len(seen) < CALIBRATING_FRAGMENTS:
            return self
        after = np.searchsorted(self.masses, seen).clip(1, len(self.masses) - 1)
        low, high = self.masses[after - 1], self.masses[after]
        nearest = np.where(seen - low < high - seen, low, high)
        error = float(np.median(nearest / seen - 1))
        return Fragments(self.masses / (1 + error), self.charges, self.peaks, CALIBRATED_PPM)

    def chance(self, masses: np.ndarray) -> np.ndarray:
        """(m,): probability that a fragment has each mass (m,) in Da by chance."""
        low, high = np.searchsorted(self.masses, (masses - AROUND_DA, masses + AROUND_DA))
        return self.chance_among(high - low, masses)

    def chance_among(self, around: np.ndarray, masses: np.ndarray) -> np.ndarray:
        """The same, if so many fragments (m,) are within AROUND_DA of each mass (m,)."""
        density = around / (2 * AROUND_DA)  # fragments per Da
        found = 1 - np.exp(-CROWDING * density * 2 * self.tolerance(masses))
        for most, least in SMALL_FRAGMENTS:
            found = np.where(masses < most, np.maximum(found, least), found)
        return np.clip(found, LEAST_CHANCE, MOST_CHANCE)

    def covers(self, masses: np.ndarray) -> np.ndarray:
        """Whether each mass (m,) in Da is within the range of the fragments."""
        if not len(self.masses):
            return np.zeros(masses.shape, dtype=bool)
        return (masses >= self.masses[0] - 1) & (masses <= self.masses[-1] + 1)


Spectra = Sequence[tuple[Precursor, Fragments]]


def fragments(spectrum: Spectrum) -> Fragments:
    """The fragments of a spectrum."""
    mz, high = spectrum.mz, spectrum.intensities
    charges = spectrum.charges.copy()
    keep = np.ones(len(mz), dtype=bool)
    if not charges.any():
        isotope, charges = _isotopes(mz, high, spectrum.precursor.charge)
        keep &= ~isotope
    keep &= ~_of_precursor(spectrum)
    keep &= ~_lost(mz, high, charges)
    keep[keep] = _highest(mz[keep], high[keep])
    mz, charges = mz[keep], charges[keep]
    most = min(max(spectrum.precursor.charge - 1, 1), MOST_CHARGE)
    states = [np.full(len(mz), z) for z in range(1, most + 1)]
    peaks = [np.flatnonzero((charges == 0) | (charges == z)) for z in range(1, most + 1)]
    peaks.append(np.flatnonzero(charges > most))
    states.append(charges)
    peak = np.concatenate(peaks)
    state = np.concatenate([of[some] for of, some in zip(states, peaks, strict=True)])
    masses = (mz[peak] - PROTON) * state
    order = np.argsort(masses, kind="stable")
    order = order[masses[order] <= LARGEST_FRAGMENT]
    return Fragments(masses[order], state[order], peak[order])


def _partners(mz: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Index (m,) of the peak nearest to each m/z wanted (m,), -1 if none is near."""
    after = np.searchsorted(mz, wanted).clip(0, len(mz) - 1)
    before = (after - 1).clip(0)
    nearest = np.where(np.abs(mz[before] - wanted) < np.abs(mz[after] - wanted), before, after)
    near = np.abs(mz[nearest] - wanted) <= mz[nearest] * NEAR_PPM * 1e-6
    return np.where(near, nearest, -1)


def _isotopes(mz: np.ndarray, high: np.ndarray, charge: int) -> tuple[np.ndarray, np.ndarray]:
    """Which peaks (n,) have one 13C more than another; charges (n,) by isotopes, 0 if unknown."""
    isotope = np.zeros(len(mz), dtype=bool)
    charges = np.zeros(len(mz), dtype=int)
    for z in range(max(charge, 1), 0, -1):
        partner = _partners(mz, mz - ISOTOPE / z)
        found = (partner >= 0) & (high[partner] >= LIGHTER_SHARE * high) & (charges == 0)
        heavier = np.flatnonzero(found & (partner != np.arange(len(mz))))
        isotope[heavier] = True
        charges[heavier] = z
        lighter = partner[heavier]
        charges[lighter] = np.where(charges[lighter] == 0, z, charges[lighter])
    return isotope, charges


def _of_precursor(spectrum: Spectrum) -> np.ndarray:
    """Which peaks (n,) are the precursor, with or without water, at its charge or a lower one."""
    found = np.zeros(len(spectrum.mz), dtype=bool)
    for z in range(1, spectrum.precursor.charge + 1):
        for lost in (0.0, WATER, AMMONIA):
            for isotopes in range(PRECURSOR_ISOTOPES):
                at = (spectrum.precursor.mass - lost + isotopes * ISOTOPE) / z + PROTON
                found |= np.abs(spectrum.mz - at) <= at * PPM * 1e-6
    return found


def _lost(mz: np.ndarray, high: np.ndarray, charges: np.ndarray) -> np.ndarray:
    """Which peaks (n,) are a more intense one less water, ammonia or carbon monoxide."""
    found = np.zeros(len(mz), dtype=bool)
    for loss in LOSSES:
        of_charge = loss / np.maximum(charges, 1)
        partner = _partners(mz, mz + of_charge)
        found |= (partner >= 0) & (high[partner] > high)
    return found


def _highest(mz: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Which peaks (n,) are among the PEAKS_OF_WINDOW of their window."""
    window = (mz // WINDOW_WIDTH).astype(int)
    order = np.lexsort((-high, window))
    first = np.searchsorted(window[order], window[order], "left")
    keep = np.zeros(len(mz), dtype=bool)
    keep[order] = np.arange(len(mz)) - first < PEAKS_OF_WINDOW
    return keep
