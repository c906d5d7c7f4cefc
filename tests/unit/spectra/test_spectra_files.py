"""Files of spectra: what is read of them, and what is refused."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from conftest import Write
from gap_of_peptide import PEPTIDE, SHARED
from lacuna.core.files import LacunaError
from lacuna.spectra.read import ALL_SERIES, read_spectra
from lacuna.steps.read_spectra import odds_by_spectra
from peaks import as_mgf, as_mzml, spectrum_of


def test_mgf_and_mzml_hold_the_same(write: Write) -> None:
    made = [spectrum_of(PEPTIDE, 2), spectrum_of("LFKGHPETLEK", 3)]
    mgf = list(read_spectra([write("a.mgf", as_mgf(made))]))
    mzml = list(read_spectra([write("b.mzML", as_mzml(made))]))
    zipped = list(read_spectra([write("a.mgf.gz", as_mgf(made))]))
    assert [s.precursor.name for s in mgf] == ["a.mgf:1", "a.mgf:2"]
    assert [s.precursor.name for s in mzml] == ["b.mzML:1", "b.mzML:2"]
    for one, other, third, of in zip(mgf, mzml, zipped, made, strict=True):
        assert one.precursor.mass == pytest.approx(of.precursor.mass, abs=1e-4)
        assert one.precursor.charge == other.precursor.charge == of.precursor.charge
        assert other.precursor.mass == pytest.approx(of.precursor.mass, abs=1e-4)
        assert np.allclose(one.mz, other.mz, atol=1e-4) and np.array_equal(one.mz, third.mz)


@pytest.mark.parametrize(
    ("said", "series"),
    [
        ("run HCD 7", ("b", "y")),
        ("FTMS + c NSI d Full ms2 500.0@etd50.00", ("c", "z")),
        ("a EThcD scan", ALL_SERIES),
        ("x@etd50.00@hcd20.00", ALL_SERIES),
        ("nothing said of etdx", ALL_SERIES),
    ],
)
def test_the_title_may_name_the_method(write: Write, said: str, series: Sequence[str]) -> None:
    (found,) = read_spectra([write("a.mgf", as_mgf([spectrum_of(PEPTIDE)], said))])
    assert found.precursor.series == tuple(series)


@pytest.mark.parametrize(
    ("activation", "series"),
    [
        ("beam-type collision-induced dissociation", ("b", "y")),
        ("electron transfer dissociation", ("c", "z")),
        ("electron-transfer/collision-induced dissociation", ALL_SERIES),
        ("electron-transfer/higher-energy collision dissociation", ALL_SERIES),
        ("photodissociation", ALL_SERIES),
        ("electron activated dissociation", ALL_SERIES),
    ],
)
@pytest.mark.parametrize("energy", [False, True])
def test_mzml_names_the_method(
    write: Write, activation: str, series: Sequence[str], energy: bool
) -> None:
    text = as_mzml([spectrum_of(PEPTIDE)], activation)
    if energy:  # as converters write it for every method
        more = '<cvParam cvRef="MS" accession="MS:1000045" name="collision energy" value="27.0"/>'
        text = text.replace("</activation>", f"{more}</activation>")
    (found,) = read_spectra([write("a.mzML", text)])
    assert found.precursor.series == tuple(series)


def test_electron_transfer_with_supplemental_energy_has_all_series(write: Write) -> None:
    text = as_mzml([spectrum_of(PEPTIDE)], "electron transfer dissociation")
    more = '<cvParam cvRef="MS" accession="MS:1002680" name="supplemental collision energy"/>'
    (found,) = read_spectra(
        [write("a.mzML", text.replace("</activation>", f"{more}</activation>"))]
    )
    assert found.precursor.series == ALL_SERIES


def test_spectra_that_cannot_be_used_are_counted(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = as_mgf([spectrum_of(PEPTIDE)]), as_mgf([spectrum_of(PEPTIDE)])
    path = write("a.mgf", good + bad.replace("CHARGE=2+\n", "").replace("SCANS=1", "SCANS=2"))
    assert len(list(read_spectra([path]))) == 1
    assert "1 spectrum is used, others not: 1 without a charge of the precursor" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.mgf", "", "the file is empty"),
        ("a.mgf", ">chain\nEVQL\n", "neither MGF nor mzML: it begins with '>chain'"),
        (
            "a.mgf",
            "BEGIN IONS\nPEPMASS=500\n100 x\nEND IONS\n",
            r"spectrum 1 on \('100 x' is no peak, which has an m/z and an intensity\); copy",
        ),
        ("a.mgf", "BEGIN IONS\nPEPMASS=inf\nCHARGE=2+\n100 1\nEND IONS\n", "without an m/z"),
        (
            "a.mgf",
            "BEGIN IONS\nPEPMASS=500\nBEGIN IONS\n",
            r"cannot be read from spectrum 1 on \(Error when parsing",
        ),
        ("a.mgf", "BEGIN IONS\nPEPMASS=500\n100 1\nEND IONS\n", "without a charge"),
        ("a.mgf", "BEGIN IONS\nCHARGE=2+\n100 1\nEND IONS\n", "without an m/z"),
        ("a.mgf", "BEGIN IONS\nPEPMASS=500\nCHARGE=2+\nEND IONS\n", "without peaks"),
        ("a.mzML", as_mzml([spectrum_of(PEPTIDE)])[:-400], "cannot be read from spectrum 1 on"),
        ("a.mzML", as_mzml([spectrum_of(PEPTIDE)], kind="profile spectrum"), "in profile mode"),
        ("a.mzML", as_mzml([spectrum_of(PEPTIDE)], level=1), "no spectrum can be used"),
        ("a.mzML", '<!DOCTYPE a [<!ENTITY b "c">]>' + as_mzml([]), "neither MGF nor mzML"),
    ],
)
def test_a_file_without_usable_spectra_is_refused(
    write: Write, name: str, text: str, says: str
) -> None:
    path = write(name, text)
    with pytest.raises(LacunaError, match=says) as error:
        list(read_spectra([path]))
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SCANS=1", "RTINSECONDS=612.1-641.9\nSCANS=1"),
        ("TITLE=", "TITLE=5 \xb5l "),
        (" 1000.0\n", " 1000.0 y7\n"),
        ("CHARGE=2+", "CHARGE=2.0"),
        ("CHARGE=2+", "CHARGE=3+\nCHARGE=+2"),
    ],
)
def test_what_an_mgf_says_besides_is_ignored(tmp_path: Path, before: str, after: str) -> None:
    made = spectrum_of(PEPTIDE)
    path = tmp_path / "a.mgf"
    path.write_bytes(as_mgf([made]).replace(before, after).encode("latin-1"))
    (found,) = read_spectra([path])
    assert np.allclose(found.mz, made.mz, atol=1e-4) and not found.charges.any()
    assert (found.precursor.name, found.precursor.charge) == ("a.mgf:1", 2)


def test_a_spectrum_without_a_scan_is_named_by_its_number(write: Write) -> None:
    made = [spectrum_of(PEPTIDE)] * 2
    text = re.sub("(TITLE|SCANS)=.*\n", "", as_mgf(made))
    mgf, mzml = (
        write("a.mgf", text),
        write("a.mzML", re.sub(' id="[^"]*scan=.*?"', "", as_mzml(made))),
    )
    for path in (mgf, mzml):
        names = [found.precursor.name for found in read_spectra([path])]
        assert names == [f"{path.name}:1", f"{path.name}:2"]
    words = re.sub("SCANS=.*\n", "", as_mgf(made, "Cmpd"))  # as software of Bruker writes titles
    names = [found.precursor.name for found in read_spectra([write("b.mgf", words)])]
    assert names == ["b.mgf:1", "b.mgf:2"]


def test_headers_of_a_whole_mgf_are_those_of_its_spectra(write: Write) -> None:
    made = spectrum_of(PEPTIDE, 3)
    text = "# exported\nCHARGE=3+\n\n" + as_mgf([made]).replace("CHARGE=3+\n", "")
    (found,) = read_spectra([write("a.mgf", text.replace(" 1000.0\n", " 1000.0 1+\n"))])
    assert found.precursor.charge == 3 and set(found.charges) == {1}


@pytest.mark.parametrize(
    ("charge", "why"),
    [
        *((text, "without a charge") for text in ("", "two", "0", "2-", "2.5", "2+ and x")),
        *((text, "with several charges") for text in ("2+ and 3+", "2+,3+", "2+, 3+ and 4+")),
    ],
)
def test_a_spectrum_without_one_charge_is_left_out(
    write: Write, caplog: pytest.LogCaptureFixture, charge: str, why: str
) -> None:
    text = as_mgf([spectrum_of(PEPTIDE)] * 2).replace("CHARGE=2+", f"CHARGE={charge}", 1)
    (found,) = read_spectra([write("a.mgf", text)])
    assert found.precursor.name == "a.mgf:2"
    assert f"others not: 1 {why} of the precursor" in caplog.text


def test_one_step_warns_of_spectra_that_are_left_out(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Both steps that read them would say so twice on the terminal."""
    text = as_mgf([spectrum_of(PEPTIDE)] * 2).replace("CHARGE=2+", "CHARGE=0", 1)
    path = write("a.mgf", text)
    assert odds_by_spectra(tmp_path, [path], {}, 10.0) == []
    assert not caplog.records


def test_a_spectrum_of_mzml_without_a_charge_is_left_out(write: Write) -> None:
    old, text = '"charge state" value="2"', as_mzml([spectrum_of(PEPTIDE)] * 2)
    (found,) = read_spectra([write("a.mzML", text.replace(old, old.replace("2", ""), 1))])
    assert found.precursor.name == "a.mzML:2"
    path = write("b.mzML", text.replace(old, old.replace("2", "1e999")))
    with pytest.raises(LacunaError, match="cannot be read from spectrum 1 on .*infinity"):
        list(read_spectra([path]))


@pytest.mark.parametrize("end", ["END IONS", "\n1", ".0"])
def test_an_mgf_that_is_cut_short_is_named(write: Write, end: str) -> None:
    text = as_mgf([spectrum_of(PEPTIDE)] * 2)
    path = write("a.mgf", text[: text.rindex(end)])
    with pytest.raises(LacunaError, match="spectrum 2 has no END IONS: the file is cut short"):
        list(read_spectra([path]))


def test_a_damaged_array_of_an_mzml_is_named(write: Write) -> None:
    """It cannot be decompressed, though the file itself is not compressed."""
    text = as_mzml([spectrum_of(PEPTIDE)] * 2)
    at = text.index('<spectrum index="1"')
    bad = text[at:].replace('1000576" name="no', '1000574" name="zlib')
    with pytest.raises(LacunaError, match="cannot be read from spectrum 2 on .*decompressing"):
        list(read_spectra([write("a.mzML", text[:at] + bad)]))


@pytest.mark.parametrize(
    ("name", "series", "n"),
    [
        ("trastuzumab_middle_down_fd.mgf.gz", ALL_SERIES, 1),
        ("tryptic_demo_spectra.mgf.gz", ("b", "y"), 276),
    ],
)
def test_real_spectra_are_read(name: str, series: tuple[str, ...], n: int) -> None:
    if not (SHARED / name).is_file():
        pytest.skip(f"../shared/reads/{name} is not here")
    found = list(read_spectra([SHARED / name]))
    assert len(found) == n
    assert {spectrum.precursor.series for spectrum in found} == {series}
