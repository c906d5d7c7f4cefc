"""Fragment spectra from MGF and mzML, which are recognised by content."""

import logging
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lacuna.core.files import LacunaError, open_bytes, open_text, printable, shortened
from lacuna.core.masses import PROTON
from lacuna.core.words import number_in, plural
from lacuna.spectra.mgf import KEYS, used_lines

MAX_SPECTRA = 500_000  # of a sample
MAX_PEAKS = 50_000  # of a spectrum
MAX_CHARGE = 100  # of a precursor
HEAD_BYTES = 1 << 16  # bytes by which a file is recognised
COLLISION_SERIES = ("b", "y")
ELECTRON_SERIES = ("c", "z")
ALL_SERIES = COLLISION_SERIES + ELECTRON_SERIES
# Of the terms of mzML for a method.
COLLISION_WORDS = ("collision induced", "collision dissociation", "higher energy", "supplemental")

LOG = logging.getLogger(__name__)

# The methods of fragmentation, as titles and filter lines of instruments have them: `@hcd27.00`.
_METHODS = {
    "ethcd": ALL_SERIES,
    "etcid": ALL_SERIES,
    "etd": ELECTRON_SERIES,
    "ecd": ELECTRON_SERIES,
    "hcd": COLLISION_SERIES,
    "cid": COLLISION_SERIES,
}
_METHOD = re.compile(f"(?<![a-z])({'|'.join(_METHODS)})(?![a-z])", re.IGNORECASE)
# What pyteomics raises, besides, at an array or a value that it cannot decode.
_UNDECODED = (zlib.error, OverflowError)


@dataclass(frozen=True, slots=True)
class Precursor:
    """What a spectrum is of. name: file and scan; mass: neutral, in Da; series: the ions to look
    for, by the method of fragmentation."""

    name: str
    mass: float
    charge: int
    series: tuple[str, ...] = ALL_SERIES


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A centroided fragment spectrum.

    mz, intensities (peaks,): by ascending m/z; charges (peaks,): as in the file, 0 if unknown.
    """

    precursor: Precursor
    mz: np.ndarray
    intensities: np.ndarray
    charges: np.ndarray


class _Term:
    """A term of which nothing is known: its value is read as a number if it can be one."""

    name = None
    relationship = ()


class _NoVocabulary:
    """In place of the vocabulary of mass spectrometry, which pyteomics would fetch."""

    def __getitem__(self, accession: str) -> _Term:
        return _Term()


class _LeftOut(ValueError):
    """Why a spectrum is not used."""


def read_spectra(paths: Sequence[Path], *, level: int = logging.WARNING) -> Iterator[Spectrum]:
    """Yield the usable spectra of files, in order; the log says how many others there are, and why.

    level: of that line in the log. Raises LacunaError if a file is neither MGF nor mzML, is
    damaged, has no usable spectrum, or if there are more than MAX_SPECTRA.
    """
    total = 0
    for path in paths:
        left: Counter[str] = Counter()
        used = 0
        for spectrum in _spectra(path):
            if isinstance(spectrum, _LeftOut):
                left[str(spectrum)] += 1
                continue
            used += 1
            total += 1
            if total > MAX_SPECTRA:
                raise LacunaError(
                    f"{path}: more than {MAX_SPECTRA} spectra with those before; give those that "
                    "span the gaps"
                )
            yield spectrum
        why = ", ".join(f"{n} {reason}" for reason, n in sorted(left.items()))
        if not used:
            raise LacunaError(
                f"{path}: no spectrum can be used ({why or 'it has none'}); give centroided "
                "fragment spectra with m/z and charge of their precursors"
            )
        if why:
            some = plural(used, "spectrum is", "spectra are")
            LOG.log(level, "%s: %s used, others not: %s", path, some, why)


def _spectra(path: Path) -> Iterator[Spectrum | _LeftOut]:
    """Yield the spectra of a file, or why one is left out."""
    with open_bytes(path) as handle:
        head = handle.read(HEAD_BYTES)
    if b"BEGIN IONS" in head:
        return _mgf(path)
    if b"<mzML" in head and b"<!DOCTYPE" not in head:  # no mzML declares entities
        return _mzml(path)
    first = head.decode("utf-8", "replace").lstrip("\ufeff \r\n").split("\n", 1)[0]
    if not first:
        raise LacunaError(f"{path}: the file is empty; give spectra as MGF or mzML")
    raise LacunaError(
        f"{path}: neither MGF nor mzML: it begins with '{printable(shortened(first, 60))}'; "
        "convert it, by msconvert for example"
    )


def _mgf(path: Path) -> Iterator[Spectrum | _LeftOut]:
    from pyteomics.auxiliary import PyteomicsError
    from pyteomics.mgf import MGF  # slow to import, and most samples have no spectra

    number = 0
    # Titles may be in any encoding, and only name the spectrum.
    with open_text(path, errors="backslashreplace") as handle:
        try:
            entries = MGF(used_lines(handle), use_header=False)
            for number, entry in enumerate(entries, start=1):
                if entry is None:
                    raise LacunaError(
                        f"{path}: spectrum {number} has no END IONS: the file is cut short; "
                        "copy it again"
                    )
                yield _checked(_of_mgf, entry, path.name, number)
        except (PyteomicsError, ValueError) as error:
            raise _damaged(path, number + 1, error) from None


def _mzml(path: Path) -> Iterator[Spectrum | _LeftOut]:
    from lxml.etree import XMLSyntaxError
    from pyteomics.auxiliary import PyteomicsError
    from pyteomics.mzml import MzML

    number = 0
    with open_bytes(path) as handle:
        try:
            entries = MzML(handle, use_index=False, cv=_NoVocabulary())
            for number, entry in enumerate(entries, start=1):
                if entry.get("ms level", 2) > 1:
                    yield _checked(_of_mzml, entry, path.name, number)
        except (XMLSyntaxError, PyteomicsError, ValueError, KeyError, *_UNDECODED) as error:
            raise _damaged(path, number + 1, error) from None


def _damaged(path: Path, number: int, error: Exception) -> LacunaError:
    """number: of the spectrum that cannot be read."""
    # An error of pyteomics has its text in `message`, which str() puts behind the library's name.
    said = printable(shortened(" ".join(str(getattr(error, "message", error)).split())))
    return LacunaError(
        f"{path}: cannot be read from spectrum {number} on ({said}); copy it again, or export it "
        "again"
    )


Entry = Mapping[str, Any]  # a spectrum as pyteomics reads it


def _checked(
    read: Callable[[Entry, str, int], Spectrum], entry: Entry, file: str, number: int
) -> Spectrum | _LeftOut:
    """The spectrum of an entry, or why it is left out."""
    try:
        return read(entry, file, number)
    except _LeftOut as reason:
        return reason


def _of_mgf(entry: Entry, file: str, number: int) -> Spectrum:
    """The spectrum of an entry of MGF, which is the number-th of its file."""
    about = entry["params"]
    (mz, _), (charge, *more) = about.get("pepmass", (0.0, None)), about.get("charge", [0])
    if more:
        raise _LeftOut("with several charges of the precursor")
    known = np.ma.filled(entry["charge array"], 0)
    peak_charges = np.where((known >= 1) & (known <= MAX_CHARGE), known, 0).astype(int)
    said = " ".join(about[key] for key in KEYS if key in about)
    series = _series(found.lower() for found in _METHOD.findall(said))
    word = about.get("title", "").split(" ")[0]
    scan = about.get("scans", "") or (word if any(map(str.isdigit, word)) else "")
    return _spectrum(
        _name(file, scan, number),
        (mz, float(charge)),
        (entry["m/z array"], entry["intensity array"], peak_charges),
        series,
    )


def _of_mzml(entry: Entry, file: str, number: int) -> Spectrum:
    """The spectrum of an entry of mzML, which is the number-th of its file."""
    if "profile spectrum" in entry:
        raise _LeftOut("in profile mode")
    precursors = entry.get("precursorList", {}).get("precursor", [])
    if len(precursors) != 1:
        raise _LeftOut("without a single precursor")
    ions = precursors[0].get("selectedIonList", {}).get("selectedIon", [{}])
    # Terms of two methods in one have hyphens: `electron-transfer/collision-induced dissociation`.
    said = " ".join(precursors[0].get("activation", {})).lower().replace("-", " ")
    series: tuple[str, ...] = ()
    if "electron transfer" in said or "electron capture" in said:
        series += ELECTRON_SERIES
    # `collision energy` alone names no method: electrons and photons are given one too.
    if any(words in said for words in COLLISION_WORDS):
        series = COLLISION_SERIES + series
    mz = entry.get("m/z array", np.empty(0))
    return _spectrum(
        _name(file, str(entry.get("id", "")).rpartition("scan=")[2], number),
        (
            number_in(str(ions[0].get("selected ion m/z"))),
            number_in(str(ions[0].get("charge state"))),
        ),
        (mz, entry.get("intensity array", np.empty(0)), np.zeros(len(mz), dtype=int)),
        series or ALL_SERIES,
    )


def _name(file: str, scan: str, number: int) -> str:
    """A name for a spectrum: file and scan or, if it has none, which of the file it is."""
    return f"{file}:{printable(shortened(scan, 80)) or number}"


def _series(methods: Iterator[str]) -> tuple[str, ...]:
    """The series of ions that methods give, in the order of ALL_SERIES; all of them if no method is
    named."""
    shown = {ion for method in methods for ion in _METHODS[method]}
    return tuple(ion for ion in ALL_SERIES if ion in shown) or ALL_SERIES


def _spectrum(
    name: str,
    precursor: tuple[float, float],
    peaks: tuple[np.ndarray, np.ndarray, np.ndarray],
    series: tuple[str, ...],
) -> Spectrum:
    """precursor: m/z and charge, NaN if unknown; peaks: m/z, intensity and charge. Raises
    _LeftOut."""
    mz, charge = precursor
    if not 0 < mz < math.inf:
        raise _LeftOut("without an m/z of the precursor")
    if not (0 < charge <= MAX_CHARGE and charge.is_integer()):
        raise _LeftOut("without a charge of the precursor")
    if len(peaks[0]) != len(peaks[1]):
        raise _LeftOut("with more m/z than intensities, or fewer")
    if len(peaks[0]) > MAX_PEAKS:
        raise _LeftOut(f"of more than {MAX_PEAKS} peaks, which are not centroided")
    good = np.isfinite(peaks[0]) & np.isfinite(peaks[1]) & (peaks[0] > 0) & (peaks[1] > 0)
    if not good.any():
        raise _LeftOut("without peaks")
    at, high, known = (np.asarray(values)[good] for values in peaks)
    order = np.argsort(at, kind="stable")
    of = Precursor(name, (mz - PROTON) * charge, int(charge), series)
    return Spectrum(of, at[order], high[order], known[order])
