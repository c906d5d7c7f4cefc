"""Fragment spectra of known peptides, made in code, and files of them."""

import base64
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from pyteomics.mass import std_aa_mass

from lacuna.core.masses import ISOTOPE, PROTON, WATER
from lacuna.spectra.ions import N_SERIES, OFFSET
from lacuna.spectra.read import ALL_SERIES, Precursor, Spectrum

NOISE_MZ = (100.0, 1500.0)


def weights(peptide: str, carried: float = 0.0) -> np.ndarray:
    """Masses in Da of the residues; carried: by C."""
    return np.array([std_aa_mass[r] + carried * (r == "C") for r in peptide])


def spectrum_of(
    peptide: str,
    charge: int = 2,
    *,
    series: Sequence[str] = ("b", "y"),
    said: Sequence[str] = ALL_SERIES,
    fragment_charges: Iterable[int] = (1,),
    missing: Iterable[int] = (),
    isotopes: bool = False,
    noise: int = 0,
    seed: int = 0,
    off_ppm: float = 0.0,
    carried: float = 0.0,
    modified: Mapping[int, float] = {},
    extra: Iterable[float] = (),
    name: str = "made:1",
) -> Spectrum:
    """A spectrum with all ions of the series but those of cleavages `missing` (1: behind the first
    residue); said: the series that the file allows; noise: peaks at random; off_ppm: error of all
    fragments; carried: Da, by each C; modified: Da, by residues (0: the first); extra: m/z of other
    peaks."""
    each = weights(peptide, carried)
    each[list(modified)] += list(modified.values())
    inner = [i for i in range(1, len(peptide)) if i not in set(missing)]
    mz: list[float] = []
    high: list[float] = []
    for kind in series:
        for i in inner:
            part = each[:i] if kind in N_SERIES else each[i:]
            for z in fragment_charges:
                ion = (part.sum() + OFFSET[kind]) / z + PROTON
                mz.append(ion * (1 + off_ppm / 1e6))
                high.append(1000.0)
                if isotopes:
                    mz.append(mz[-1] + ISOTOPE / z)
                    high.append(400.0)
    rng = np.random.default_rng(seed)
    mz += [*rng.uniform(*NOISE_MZ, noise), *extra]
    high += [*rng.uniform(100, 900, noise), *([1500.0] * len(list(extra)))]
    order = np.argsort(mz)
    whole = float(each.sum()) + WATER
    return Spectrum(
        Precursor(name, whole, charge, tuple(said)),
        np.array(mz)[order],
        np.array(high)[order],
        np.zeros(len(mz), dtype=int),
    )


def as_mgf(spectra: Iterable[Spectrum], title: str = "scan") -> str:
    """The text of an MGF file."""
    lines = []
    for number, spectrum in enumerate(spectra, start=1):
        of = spectrum.precursor
        lines += ["BEGIN IONS", f"TITLE={title} {number}", f"SCANS={number}"]
        lines += [f"PEPMASS={of.mass / of.charge + PROTON:.6f}", f"CHARGE={of.charge}+"]
        pairs = zip(spectrum.mz, spectrum.intensities, strict=True)
        lines += [f"{mz:.5f} {high:.1f}" for mz, high in pairs]
        lines += ["END IONS", ""]
    return "\n".join(lines)


def as_mzml(
    spectra: Iterable[Spectrum],
    activation: str = "beam-type collision-induced dissociation",
    kind: str = "centroid spectrum",
    level: int = 2,
) -> str:
    """The text of an mzML file."""

    def array(values: np.ndarray, name: str) -> str:
        data = base64.b64encode(np.asarray(values, dtype="<f8").tobytes()).decode()
        return (
            f'<binaryDataArray encodedLength="{len(data)}">'
            '<cvParam cvRef="MS" accession="MS:1000523" name="64-bit float"/>'
            '<cvParam cvRef="MS" accession="MS:1000576" name="no compression"/>'
            f'<cvParam cvRef="MS" accession="MS:1000514" name="{name}"/>'
            f"<binary>{data}</binary></binaryDataArray>"
        )

    found = []
    for number, spectrum in enumerate(spectra, start=1):
        of = spectrum.precursor
        found.append(
            f'<spectrum index="{number - 1}" id="controller=1 scan={number}" '
            f'defaultArrayLength="{len(spectrum.mz)}">'
            f'<cvParam cvRef="MS" accession="MS:1000511" name="ms level" value="{level}"/>'
            f'<cvParam cvRef="MS" accession="MS:1000127" name="{kind}"/>'
            '<precursorList count="1"><precursor><selectedIonList count="1"><selectedIon>'
            '<cvParam cvRef="MS" accession="MS:1000744" name="selected ion m/z" '
            f'value="{of.mass / of.charge + PROTON:.6f}"/>'
            f'<cvParam cvRef="MS" accession="MS:1000041" name="charge state" value="{of.charge}"/>'
            "</selectedIon></selectedIonList><activation>"
            f'<cvParam cvRef="MS" accession="MS:1000422" name="{activation}"/>'
            '</activation></precursor></precursorList><binaryDataArrayList count="2">'
            f"{array(spectrum.mz, 'm/z array')}{array(spectrum.intensities, 'intensity array')}"
            "</binaryDataArrayList></spectrum>"
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<mzML xmlns="http://psi.hupo.org/ms/mzml" version="1.1.0"><run id="r">'
        f'<spectrumList count="{len(found)}">{"".join(found)}</spectrumList></run></mzML>\n'
    )
