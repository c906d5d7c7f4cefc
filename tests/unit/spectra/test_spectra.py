"""Spectra that span a gap: read, matched by the known flanks, and joined in the search."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chains import germline_chain, hidden
from conftest import Write
from gaps import mass_of
from lacuna.antibody.imgt import CDR_COLUMNS
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.masses import (
    AMMONIA,
    CARBAMIDOMETHYL,
    DEAMIDATION,
    ISOTOPE,
    OXIDATION,
    PROTON,
    WATER,
)
from lacuna.core.tables import (
    CLEAVAGE,
    GAP_TABLE,
    MASS,
    OTHER,
    RESIDUE_TABLE,
    SIDE,
    SPECTRUM,
    SPECTRUM_TABLE,
    GapRow,
    MassDoubt,
)
from lacuna.filling.masses.by_spectra import nats_of_lengths, rank_by_spectra
from lacuna.filling.search.cleavages import MOST_NATS, Shown, cut_where_shown, shown
from lacuna.filling.search.decode import Ranking, rank_plain, rank_sequences
from lacuna.filling.search.mass_search import search
from lacuna.filling.search.stages import Stages, one_mass
from lacuna.results.summary import mass_note, spectra_note
from lacuna.scaffolds.alkylation import READINGS as STATES
from lacuna.scaffolds.alkylation import Alkylation, read_alkylation
from lacuna.scaffolds.alkylation import with_spectra as with_spectra_of_cysteine
from lacuna.scaffolds.json_lines import from_json, to_json, write_scaffolds
from lacuna.scaffolds.residue_masses import PYROGLUTAMATE, MassRules, Modifications
from lacuna.scaffolds.scaffold import Gap, Piece, ResidueModification, Scaffold, SpectralEvidence
from lacuna.spectra.elsewhere import (
    ENOUGH_CONSTANT,
    FAR_BETTER,
    Fit,
    Lies,
    is_elsewhere,
    known_peptides,
)
from lacuna.spectra.flanks import flanks
from lacuna.spectra.gap_mass import _reachable
from lacuna.spectra.ions import LOST_BY_I, LOST_BY_L, OFFSET
from lacuna.spectra.match import gap_masses, matches
from lacuna.spectra.odds import _possible, look
from lacuna.spectra.peaks import LARGEST, TOP, Spectra, fragments
from lacuna.spectra.read import ALL, Precursor, Spectrum, read_spectra
from lacuna.spectra.spanning import fits, odds_of_readings
from lacuna.spectra.table import with_spectra
from lacuna.spectra.tally import tally_of, tally_of_flank
from lacuna.steps import read_spectra as read_spectra_step
from lacuna.steps.one_file import fill_file
from lacuna.steps.read_spectra import fits_of_known, look_at_spectra, odds_by_spectra, own_spectra
from peaks import as_mgf, as_mzml, spectrum_of, weights

CHAIN = "MGLSDGEWQLVLNVWGKVEADIPGHGQEVLIRLFKGHPETLEKFDKFKHLK"
PEPTIDE = "VEADIPGHGQEVLIR"  # from 17; a tryptic one
START, END = 20, 25  # of the gap: DIPGH
READINGS = MassRules().readings()
SHARED = Path(__file__).resolve().parents[4] / "shared" / "reads"


def gapped(start: int = START, end: int = END, mass: bool = True) -> tuple[Scaffold, Gap]:
    """The chain with a gap, of known mass or not."""
    whole = float(weights(CHAIN[start:end]).sum())
    given = (whole, whole * 1e-5) if mass else (None, None)
    gap = Gap(start, end, end - start, end - start, *given)
    letters = hidden(CHAIN, [(start, end)]).replace("-", "X")
    return Scaffold("c", "", letters, (gap,), 1), gap


def seen(*spectra: Spectrum) -> list[tuple[Precursor, object]]:
    return [(spectrum.precursor, fragments(spectrum)) for spectrum in spectra]


def evidence_of(*spectra: Spectrum, mass: bool = True) -> SpectralEvidence | None:
    scaffold, gap = gapped(mass=mass)
    found = look(scaffold, gap, seen(*spectra), READINGS, 10.0)
    return None if found is None else found.evidence


def cleaved(evidence: SpectralEvidence) -> dict[int, float]:
    """Nats of the true inner cleavages of the gap, by the number of residues before them."""
    true = np.cumsum(weights(CHAIN[START:END]))[:-1]
    nats = shown(evidence).nats(true) - evidence.unseen
    return dict(enumerate(nats.tolist(), start=1))


# --- files ---------------------------------------------------------------------------------------


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
        ("a EThcD scan", ALL),
        ("x@etd50.00@hcd20.00", ALL),
        ("nothing said of etdx", ALL),
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
        ("electron-transfer/collision-induced dissociation", ALL),
        ("electron-transfer/higher-energy collision dissociation", ALL),
        ("photodissociation", ALL),
        ("electron activated dissociation", ALL),
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
    assert found.precursor.series == ALL


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


# --- peaks ---------------------------------------------------------------------------------------


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
    assert np.allclose(fragments(of).masses + PROTON, mz[-TOP:])


def test_fragments_whose_isotope_is_unsure_are_left_out() -> None:
    mz = np.array([1000.0, LARGEST + 10])
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


# --- matching ------------------------------------------------------------------------------------


def test_a_spectrum_is_of_the_peptide_that_its_fragments_show() -> None:
    scaffold, gap = gapped()
    known = flanks(scaffold, gap, 0.0, 60)
    (pair,) = seen(spectrum_of(PEPTIDE))
    found = [m for m in matches(*pair, known, gap.mass, 0.005, 10.0) if m.probability > 0.5]
    assert [(m.start, m.end) for m in found] == [(17, 32)]
    assert found[0].probability > 0.999


def test_a_peptide_may_be_far_less_probable_than_another_of_its_spectrum() -> None:
    part = (CHAIN + "TIDEPAR") * 4  # of a chain: one residue on, and the mass is nearly the same
    chain = part + "LSK"
    whole = float(weights(chain[START:END]).sum())
    gap = Gap(START, END, END - START, END - START, whole, whole * 1e-5)
    letters = hidden(chain, [(START, END)]).replace("-", "X")
    spectrum = spectrum_of(part, 12, series=ALL)
    scaffold = Scaffold("c", "", letters, (gap,), 1)
    found = list(matches(*seen(spectrum)[0], flanks(scaffold, gap, 0.0, None), whole, 0.005, 10.0))
    odds = {(match.start, match.end): match.log_odds for match in found}
    assert odds[0, len(part)] - odds[1, len(part) + 1] > 750  # whose exponential overflows
    shown = look(scaffold, gap, seen(spectrum), READINGS, 10.0)
    assert shown is not None and shown.evidence.cleavages


@pytest.mark.parametrize("mass", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_noise_of_the_right_precursor_is_of_no_peptide(mass: bool, seed: int) -> None:
    of = replace(spectrum_of(PEPTIDE, series=(), noise=150, seed=seed))
    assert evidence_of(of, mass=mass) is None


def test_a_spectrum_of_another_mass_is_not_used() -> None:
    assert evidence_of(spectrum_of("VEADIPGHGQEVLIG" + "K")) is None
    other = spectrum_of(PEPTIDE)
    moved = replace(other.precursor, mass=other.precursor.mass + 0.5)
    assert evidence_of(replace(other, precursor=moved)) is None


def test_a_wrong_isotope_of_the_precursor_is_allowed_for() -> None:
    other = spectrum_of(PEPTIDE)
    moved = replace(other.precursor, mass=other.precursor.mass + 1.00335)
    assert evidence_of(replace(other, precursor=moved)) is not None


def test_a_modified_residue_weighs_what_is_written() -> None:
    scaffold, gap = gapped()
    heavier = replace(scaffold, modifications=(ResidueModification(18, 15.9949, "Oxidation"),))
    known, plain = (flanks(s, gap, 0.0, None) for s in (heavier, scaffold))
    assert np.allclose((known.left.parts[0] - plain.left.parts[0])[:4], [0, 0, 15.9949, 15.9949])


def test_cysteine_of_the_flanks_carries_what_the_sample_has() -> None:
    chain = "MKACDEFGHIKR"
    gap = Gap(4, 7, 3, 3)
    scaffold = Scaffold("c", "", "MKACXXXGHIKR", (gap,), 1)
    known, plain = (flanks(scaffold, gap, c, None) for c in (57.021464, 0.0))
    assert np.allclose((known.left.parts[0] - plain.left.parts[0])[1:], 57.021464)
    written = replace(scaffold, modifications=(ResidueModification(3, 0.9840, ""),))
    assert flanks(written, gap, 57.021464, None).left.masses[1] == pytest.approx(
        103.009185 + 0.9840
    )
    assert weights(chain[4:7]).sum() > 0


def test_flanks_have_each_usual_modification_once() -> None:
    """An oxidised M or W and a deamidated N anywhere, pyroglutamate where a peptide begins."""
    gap = Gap(6, 8, 2, 2)
    scaffold = Scaffold("c", "", "QAMKQWXXNGER", (gap,), 1)
    known = flanks(scaffold, gap, 0.0, 60)
    forms = zip(known.left.edges.tolist(), known.left.carried.tolist(), strict=True)
    assert set(forms) == {
        *((start, "") for start in range(7)),
        *((start, "W5 oxidised") for start in range(6)),
        *((start, "M2 oxidised") for start in range(3)),
        (4, "Q4 pyroglutamate"),
        (0, "Q0 pyroglutamate"),
    }
    assert known.left.shares.sum() == pytest.approx(1.0)
    beyond = known.left.carried == "M2 oxidised"
    more = known.left.parts[beyond] - known.left.parts[0]
    assert np.allclose(more, [0, 0, 0, 0, OXIDATION, OXIDATION, OXIDATION])
    assert known.left.inner(int(np.flatnonzero(beyond)[0])).tolist() == [*known.left.parts[0][:4]]
    assert set(known.right.carried) == {"", "N8 deamidated"}
    long = flanks(scaffold, gap, 0.0, None)
    assert set(long.left.carried) == {"", "Q4 pyroglutamate", "Q0 pyroglutamate"}
    written = replace(scaffold, modifications=(ResidueModification(5, OXIDATION, ""),))
    assert "W5 oxidised" not in flanks(written, gap, 0.0, 60).left.carried


def test_a_flank_ends_at_a_gap_between_two_residues() -> None:
    gap = Gap(12, 15, 3, 3)
    other = [Gap(at, at, 0, None) for at in (5, 18)]
    letters = hidden(CHAIN, [(12, 15)]).replace("-", "X")
    scaffold = Scaffold("c", "", letters, (other[0], gap, other[1]), 1)
    known = flanks(scaffold, gap, 0.0, None)
    assert (known.left.edges.min(), known.right.edges.max()) == (5, 18)
    whole = flanks(replace(scaffold, gaps=(gap,)), gap, 0.0, None)
    assert (whole.left.edges.min(), whole.right.edges.max()) == (0, len(CHAIN))


def test_flanks_go_on_over_i_or_l() -> None:
    """As chains from reads have it at every I and L; D or N is not known."""
    scaffold, gap = gapped()
    either = replace(scaffold, sequence=scaffold.sequence.replace("L", "J").replace("I", "J"))
    known, plain = flanks(either, gap, 0.0, None), flanks(scaffold, gap, 0.0, None)
    for one, other in ((known.left, plain.left), (known.right, plain.right)):
        assert one.edges.tolist() == other.edges.tolist() and len(one.edges) > 10
        assert np.allclose(one.masses, other.masses)
    other = replace(scaffold, sequence=scaffold.sequence.replace("L", "B"))
    assert len(flanks(other, gap, 0.0, None).right.edges) < len(known.right.edges)


def test_b_and_y_ions_say_nothing_of_i_or_l() -> None:
    letters = CHAIN.replace("L", "J")
    at = letters.index("J", START)
    gap = Gap(at, at + 1, 1, 1)
    scaffold = Scaffold("c", "", letters, (gap,), 1)
    for said, any_said in ((("b", "y"), False), (ALL, True)):
        made = spectrum_of(PEPTIDE, said=said)
        assert (look(scaffold, gap, seen(made), READINGS, 10.0) is not None) is any_said


MODIFIED = (  # peptide of CHAIN as positions, gap, the residue and what it carries
    ((1, 17), (9, 12), 7, OXIDATION, "W7 oxidised"),
    ((1, 17), (9, 12), 12, DEAMIDATION, "N12 deamidated"),
    ((0, 17), (4, 7), 0, OXIDATION, "M0 oxidised"),
    ((8, 17), (11, 14), 8, -AMMONIA, "Q8 pyroglutamate"),
)


@pytest.mark.parametrize(("peptide", "of_gap", "place", "mass", "words"), MODIFIED)
@pytest.mark.parametrize("weighed", [True, False])
def test_known_residues_may_carry_what_is_usual(
    peptide: tuple[int, int],
    of_gap: tuple[int, int],
    place: int,
    mass: float,
    words: str,
    weighed: bool,
) -> None:
    """The mass of the gap and its cleavages are those without what the known residue carries."""
    (start, end), (first, last) = peptide, of_gap
    carried = {place - start: mass}
    inner = np.cumsum(weights(CHAIN[first:last]))
    given = (float(inner[-1]), float(inner[-1]) * 1e-5) if weighed else (None, None)
    gap = Gap(first, last, last - first, last - first, *given)
    letters = hidden(CHAIN, [of_gap]).replace("-", "X")
    if peptide[0] == 8:
        letters = letters[:7] + "K" + letters[8:]  # trypsin cuts before it
    scaffold = Scaffold("c", "", letters, (gap,), 1)
    spectra = seen(spectrum_of(CHAIN[start:end], modified=carried))
    found = look(scaffold, gap, spectra, READINGS, 10.0)
    assert found is not None
    assert [row.spectrum for row in found.rows if row.kind == SPECTRUM] == [
        f"made:1 as {start}..{end}, {words}"
    ]
    assert all(nats > 2 for nats in shown(found.evidence).nats(inner[:-1]) - found.evidence.unseen)
    if weighed:
        assert found.evidence.mass is None
    else:
        assert found.evidence.mass is not None
        assert found.evidence.mass[0] == pytest.approx(inner[-1], abs=0.02)


def unread(chain: str, start: int, end: int) -> Scaffold:
    """A chain with a gap of known length."""
    letters = hidden(chain, [(start, end)]).replace("-", "X")
    return Scaffold("c", "", letters, (Gap(start, end, end - start, end - start),), 1)


def test_what_a_residue_beside_the_gap_carries_may_be_in_the_gap() -> None:
    """No fragment ends between them: it is a matter of how often M is oxidised."""
    scaffold = unread("AKGLSDMEWVEADIPGHK", 7, 10)
    made = spectrum_of("GLSDMEWVEADIPGHK", modified={4: OXIDATION}, missing=[4, 5])
    found = look(scaffold, scaffold.gaps[0], seen(made), READINGS, 10.0)
    assert found is not None and found.evidence.mass is not None
    mass, tolerance, log_odds = found.evidence.mass
    assert mass == pytest.approx(weights("EWV").sum() + OXIDATION, abs=tolerance)
    assert 1.5 < log_odds < 2.5
    rival, _, nats = found.evidence.rivals[0]
    assert rival == pytest.approx(mass - OXIDATION, abs=tolerance)
    assert nats - log_odds == pytest.approx(math.log(0.1), abs=0.1)
    assert [row.mass for row in found.rows if row.kind == MASS][:2] == [mass, rival]


def test_the_network_weighs_rival_masses_by_spectra() -> None:
    """The gap may have E, or Q beside an N that is deamidated: it takes Q for far likelier."""
    table = np.full((3, N_RESIDUES), 1e-4)
    table[[0, 2], [RESIDUES.index("A"), RESIDUES.index("S")]] = 1.0
    table[1, [RESIDUES.index("Q"), RESIDUES.index("E")]] = 0.96, 0.04
    table /= table.sum(1, keepdims=True)
    mass = float(weights("AES").sum())
    alone = SpectralEvidence(mass=(mass, 0.005, 3.0))
    rival = replace(alone, rivals=((mass - DEAMIDATION, 0.005, 3.0 + math.log(0.03)),))
    sure, unsure = (rank_by_spectra(table, 5, one, MassRules()) for one in (alone, rival))
    best = [ranking.candidates[0] for ranking, _ in (sure, unsure)]
    assert best[0].sequence == "AES" and best[0].probability > 0.99
    odds = 0.04 / (0.96 * 0.03)
    assert f"probability {odds / (1 + odds):.2f}" in unsure[1]
    assert best[1].probability == pytest.approx(odds / (1 + odds), abs=0.03)
    assert unsure[0].candidates[1].sequence == "AQS"
    scaffold = Scaffold("c", "", "AXXXC", (Gap(1, 4, 3, 3, spectra=rival),), 1)
    assert from_json(to_json(scaffold)) == scaffold


def test_two_residues_of_which_either_may_carry_something_are_no_rivals() -> None:
    """No fragment ends between the two M's, so each fits as well, and the gap has one mass."""
    scaffold = unread("AKGLMMSDGEWVEADIPGHK", 12, 15)
    made = spectrum_of("GLMMSDGEWVEADIPGHK", modified={2: OXIDATION}, missing=[3])
    found = look(scaffold, scaffold.gaps[0], seen(made), READINGS, 10.0)
    assert found is not None
    (row,) = [row for row in found.rows if row.kind == SPECTRUM]
    assert row.nats > 5


# --- cleavages -----------------------------------------------------------------------------------


def test_every_cleavage_that_is_shown_counts() -> None:
    found = evidence_of(spectrum_of(PEPTIDE))
    assert found is not None and found.mass is None
    assert all(nats > 3 for nats in cleaved(found).values())
    assert found.unseen < 0


def test_a_cleavage_that_nothing_shows_does_not() -> None:
    found = evidence_of(spectrum_of(PEPTIDE, missing=[4, 5]))
    assert found is not None
    nats = cleaved(found)
    assert nats[1] == nats[2] == 0 and nats[3] > 3 and nats[4] > 3


@pytest.mark.parametrize("charges", [(1,), (2,), (1, 2)])
@pytest.mark.parametrize("isotopes", [False, True])
def test_fragments_of_any_charge_count(charges: tuple[int, ...], isotopes: bool) -> None:
    made = spectrum_of(PEPTIDE, 3, fragment_charges=charges, isotopes=isotopes)
    found = evidence_of(made)
    assert found is not None
    assert all(2 < nats for nats in cleaved(found).values())


@pytest.mark.parametrize("isotopes", [False, True])
def test_a_fragment_of_two_charges_is_no_more_evidence_than_of_one(isotopes: bool) -> None:
    one, two = (
        evidence_of(
            spectrum_of(
                PEPTIDE, 3, series="b", said="b", fragment_charges=charges, isotopes=isotopes
            )
        )
        for charges in ((1,), (1, 2))
    )
    assert one is not None and two is not None
    # Both series together would be at the limit anyway.
    assert max(cleaved(two).values()) < MOST_NATS - two.unseen
    for nats, twice in zip(cleaved(one).values(), cleaved(two).values(), strict=True):
        assert 2 < twice <= nats


def test_a_peak_that_is_there_twice_counts_once() -> None:
    """As a deconvolution may list it, a little beside itself."""
    again = float(weights(PEPTIDE)[:5].sum()) + PROTON + 0.001
    one, two = (
        evidence_of(spectrum_of(PEPTIDE, series="b", said="b", extra=extra))
        for extra in ((), (again,))
    )
    assert one is not None and two is not None
    assert 2 < cleaved(two)[2] <= cleaved(one)[2]  # there are more peaks, one of which fits
    assert len(two.cleavages) == len(one.cleavages)


def test_spectra_of_one_peptide_do_not_add_up() -> None:
    one = evidence_of(spectrum_of(PEPTIDE))
    many = evidence_of(*(spectrum_of(PEPTIDE, name=f"made:{i}") for i in range(5)))
    assert one == many


def test_spectra_of_one_peptide_outvote_the_noise_and_the_holes_of_each() -> None:
    """The first, which fits best, lacks the cleavage behind two residues of the gap, and has noise
    as if there were one that is not true; each other spectrum lacks a cleavage of its own."""
    wrong = float(weights(PEPTIDE)[:3].sum() + weights("H").sum()) + PROTON
    lacking = [[5], [4], [6], [7]]
    made = [
        spectrum_of(PEPTIDE, missing=missing, extra=[wrong] * (i == 0), name=f"made:{i}")
        for i, missing in enumerate(lacking)
    ]
    alone, together = evidence_of(made[0]), evidence_of(*made)
    assert alone is not None and together is not None

    def of_wrong(evidence: SpectralEvidence) -> float:
        at = np.array([wrong - PROTON - weights(PEPTIDE)[:3].sum()])
        return float(shown(evidence).nats(at)[0] - evidence.unseen)

    assert cleaved(alone)[2] == 0 and of_wrong(alone) > 2
    assert all(nats > 2 for nats in cleaved(together).values())
    assert of_wrong(together) < of_wrong(alone) - 2


def test_electron_transfer_gives_c_and_z() -> None:
    found = evidence_of(spectrum_of(PEPTIDE, series=("c", "z"), said=("c", "z")))
    unknown = evidence_of(spectrum_of(PEPTIDE, series=("c", "z")))
    for evidence in (found, unknown):
        assert evidence is not None and all(nats > 3 for nats in cleaved(evidence).values())


def test_a_spectrum_full_of_peaks_is_worth_little() -> None:
    clean, full = (evidence_of(spectrum_of(PEPTIDE, noise=n)) for n in (0, 1000))
    assert clean is not None and full is not None
    assert max(c[2] for c in full.cleavages) < max(c[2] for c in clean.cleavages) - 1


def test_by_chance_a_cleavage_has_odds_near_one() -> None:
    """Over many spectra that do not show the gap, a cleavage gains less than its absence loses."""
    true = np.cumsum(weights(CHAIN[START:END]))[:-1]
    gained = []
    for seed in range(40):
        found = evidence_of(spectrum_of(PEPTIDE, missing=range(3, 9), noise=120, seed=seed))
        if found is not None:
            likelihoods = np.exp(shown(found).nats(true))
            gained += likelihoods.tolist()
    assert len(gained) > 80
    assert 0.1 < np.mean(gained) < 1.5


def test_w_ions_tell_i_from_l() -> None:
    start, end = 28, 31  # VLI of ...QEVLIR
    whole = float(weights(CHAIN[start:end]).sum())
    gap = Gap(start, end, 3, 3, whole, whole * 1e-5)
    scaffold = Scaffold("c", "", hidden(CHAIN, [(start, end)]).replace("-", "X"), (gap,), 1)
    each = weights(PEPTIDE)
    z = {i: each[i:].sum() + OFFSET["z"] + PROTON for i in (12, 13)}
    made = spectrum_of(PEPTIDE, series=ALL, said=ALL, extra=[z[12] - LOST_BY_L, z[13] - LOST_BY_I])
    found = look(scaffold, gap, seen(made), READINGS, 10.0)
    assert found is not None
    assert {row.kind for row in found.rows} >= {SPECTRUM, CLEAVAGE, SIDE}
    even = np.full((3, N_RESIDUES), 1 / N_RESIDUES)
    stages = replace(one_mass(whole, whole * 1e-5), spectra=found.evidence)
    ranking = rank_sequences(even, 3, stages, MassRules())
    assert ranking.candidates[0].sequence == "VLI"
    isoleucine, leucine = RESIDUES.index("I"), RESIDUES.index("L")
    assert ranking.distributions[1, leucine] > 3 * ranking.distributions[1, isoleucine]
    assert ranking.distributions[2, isoleucine] > 3 * ranking.distributions[2, leucine]
    plain = rank_sequences(even, 3, one_mass(whole, whole * 1e-5), MassRules())
    assert plain.candidates[0].sequence.count("I") != 1


@pytest.mark.parametrize(("start", "end", "code"), [(29, 31, "XX"), (29, 30, "J"), (30, 31, "J")])
def test_w_ions_tell_i_from_l_at_the_first_residue_of_a_gap(
    start: int, end: int, code: str
) -> None:
    """...QEVLIR: the z ion before the gap is one of the known residues."""
    gap = Gap(start, end, end - start, end - start)
    scaffold = Scaffold("c", "", CHAIN[:start] + code + CHAIN[end:], (gap,), 1)
    each, first = weights(PEPTIDE), start - 17
    lost = LOST_BY_I if CHAIN[start] == "I" else LOST_BY_L
    w = float(each[first:].sum()) + OFFSET["z"] + PROTON - lost
    found = look(scaffold, gap, seen(spectrum_of(PEPTIDE, series=ALL, extra=[w])), READINGS, 10.0)
    assert found is not None
    ((at, _, nats),) = found.evidence.sides
    assert at == 0.0
    assert nats > 1 if lost == LOST_BY_I else nats < -1
    of_code = np.isin(list(RESIDUES), list("IL" if code == "J" else RESIDUES))
    even = np.tile(of_code / of_code.sum(), (end - start, 1))
    ranking, _ = rank_by_spectra(even, 1, found.evidence, MassRules())
    assert ranking.candidates[0].sequence[0] == CHAIN[start]
    assert ranking.distributions[0, RESIDUES.index(CHAIN[start])] > 0.7


@pytest.mark.parametrize("true", ["VEADIPGHGQEVLLR", "VEADIPGHGQEVLIR"])
def test_a_spectrum_of_a_peptide_with_i_or_l_tells_which(
    true: str, write: Write, tmp_path: Path
) -> None:
    """J is as good as known: the peptide is one without a gap."""
    each = weights(true)[13:].sum() + OFFSET["z"] + PROTON
    w = each - (LOST_BY_I if true[13] == "I" else LOST_BY_L)
    letters = CHAIN.replace(PEPTIDE, "VEADIPGHGQEVLJR")
    fasta = write("c.fasta", f">c\n{letters}\n")
    shares = {}
    for name, extra in (("with", [w]), ("without", [])):
        made = spectrum_of(true, series=("c", "z"), extra=extra)
        mgf = write(f"{name}.mgf", as_mgf([made], "ETD"))
        out = tmp_path / name
        fill_file({"fasta": fasta}, out, {"alkylation": "none"}, spectra=[mgf])
        (row,) = RESIDUE_TABLE.read(out / "residues.tsv")
        gaps = {gap.candidate: gap for gap in GAP_TABLE.read(out / "gaps.tsv")}
        shares[name], gap = gaps[true[13]].probability or 0.0, gaps[row.residue]
        assert gap.probability == pytest.approx(row.probability, abs=1e-3)
        assert "by spectra" not in gap.status
    odds = {name: share / (1 - share) for name, share in shares.items()}
    assert odds["with"] > 5 * odds["without"]


def test_w_ions_of_a_cleavage_that_other_spectra_lack_tell_nothing() -> None:
    """The first has a peak as if the gap began with P, and the w ion of L behind it."""
    z = float(weights(PEPTIDE)[3:].sum() - weights("P").sum()) + OFFSET["z"] + PROTON
    made = [
        spectrum_of(
            PEPTIDE, series=ALL, said=ALL, extra=[z, z - LOST_BY_L] * (i == 0), name=f"made:{i}"
        )
        for i in range(6)
    ]
    alone, together = evidence_of(made[0]), evidence_of(*made)
    assert alone is not None and together is not None

    def of_wrong(sides: Iterable[tuple[float, float, float]]) -> list[float]:
        return [mass for mass, *_ in sides if abs(mass - weights("P").sum()) < 0.01]

    assert of_wrong(alone.sides) and not of_wrong(together.sides)


# --- other places of the chains ------------------------------------------------------------------


@pytest.mark.parametrize("carried", [{}, {"missing": (3,)}, {"modified": {13: DEAMIDATION}}])
def test_a_spectrum_is_known_to_be_of_a_peptide_without_a_gap(carried: dict[str, Any]) -> None:
    """Also of one with a usual modification, and with J for I or L."""
    peptide = "VEADLPGHGQEVLNR"
    chain = CHAIN.replace(PEPTIDE, peptide.replace("L", "J"))
    known = known_peptides(Scaffold("c", "", chain, (), 1), 0.0)
    (precursor, peaks), *_ = seen(spectrum_of(peptide, **carried))
    fit = known.best(precursor, peaks, 10.0)
    assert fit is not None and fit.left == fit.right == peptide and fit.log_odds > 30
    (precursor, peaks), *_ = seen(spectrum_of("WWADMPGHGQE"))
    assert known.best(precursor, peaks, 10.0) is None


def test_no_peptide_without_a_gap_goes_over_one() -> None:
    letters, gap = gapped()[0].sequence, Gap(10, 10, 0, None)
    scaffold = Scaffold("c", "", letters, (gap, gapped()[1]), 1)
    for peptide in ("VEADIPGHGQEVLIR", "LSDGEWQLVLNV"):  # over the gap, and over the inserted one
        (precursor, peaks), *_ = seen(spectrum_of(peptide))
        fit = known_peptides(scaffold, 0.0).best(precursor, peaks, 10.0)
        assert fit is None or fit.left != peptide


@pytest.mark.parametrize(
    "left, right, same",
    [
        ("VEA", "GQEVLLR", True),  # the gap of a chain that is like the other one
        ("VEA", "GQEVLLK", False),
        ("VQA", "GQEVLLR", False),
        ("V", "R", False),  # too little to tell
        ("", "GQEVLLR", True),
    ],
)
def test_a_peptide_of_two_chains_that_are_alike_is_no_rival(
    left: str, right: str, same: bool
) -> None:
    own = Fit(5.0, left, right)
    known = Fit(30.0, PEPTIDE.replace("I", "L"), PEPTIDE.replace("I", "L"))
    assert is_elsewhere(own, [own, known]) is not same
    assert not is_elsewhere(own, [own, known._replace(log_odds=own.log_odds + FAR_BETTER / 2)])


def test_a_peptide_of_the_same_place_is_no_rival() -> None:
    own = Fit(5.0, "V", "R", ("c", 17, 32))
    around = Fit(30.0, "VEA", "LLR", own.place)  # a shorter gap between the same ends
    assert not is_elsewhere(own, [own, around])
    assert is_elsewhere(own, [own, around._replace(place=("c", 17, 33))])
    assert is_elsewhere(own, [own, around._replace(place=None)])


def test_peptides_whose_known_residues_cannot_both_be_there_are_not_the_same() -> None:
    """The ends agree, but the residues beside one gap do not fit into the other one."""
    whole = "YLQMNSLRDEDTAVYY"
    at = np.cumsum([0.0, *(mass_of(x) for x in whole)]).tolist()
    residues = tuple(Lies(*span, x) for *span, x in zip(at, at[1:], whole, strict=False))
    around = Fit(40.0, "YLQMNS", "TAVYY", ("c", 0, 16), (*residues[:6], *residues[11:]))
    beside = Fit(28.0, "YLQMNSLRDEDT", "YY", ("d", 0, 16), (*residues[:12], *residues[14:]))
    assert around.is_same(beside) and beside.is_same(around)
    moved = [one._replace(start=one.start + 72, stop=one.stop + 72) for one in residues[6:12]]
    other = beside._replace(lies=(*residues[:6], *moved, *residues[14:]))
    assert not around.is_same(other) and not other.is_same(around)
    assert is_elsewhere(other, [other, around])
    oxidised = [one._replace(start=one.start + 16, stop=one.stop + 16) for one in residues[6:12]]
    assert around.is_same(beside._replace(lies=(*residues[:6], *oxidised, *residues[14:])))


def own_of(
    chains: Sequence[Scaffold], spectra: Spectra, allowed: Modifications, ppm: float
) -> list[tuple[Scaffold, Gap, Spectra]]:
    """Every gap with the spectra that are its own."""
    known = [fits_of_known(chain, spectra, allowed, ppm) for chain in chains]
    return list(own_spectra(chains, known, spectra, allowed, ppm))


def test_a_spectrum_of_another_place_says_nothing_of_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two gaps of a chain: the spectrum of one peptide is of the first gap alone, even if the other
    has residues of the same mass at its side."""
    chain = "MGLSDGEWQLVLNVWGKVEADIPGHGQEVLIRLFKGHPETLEKVEADPMSTAFNGWHK"
    start, end = chain.rindex("MSTAF"), chain.rindex("NGWHK")
    spans = [(20, 25), (start, end)]
    gaps = tuple(Gap(a, b, b - a, b - a) for a, b in spans)
    letters = hidden(chain, spans).replace("-", "X")
    scaffold = Scaffold("c", "", letters, gaps, 1)
    made = seen(spectrum_of(PEPTIDE))
    allowed = Modifications(((0.0, 1.0),))
    own = [spectra for *_, spectra in own_of([scaffold], made, allowed, 10.0)]
    assert list(map(len, own)) == [1, 0]
    assert fits(scaffold, gaps[1], made, [MassRules()], 10.0)  # alone it would be taken
    monkeypatch.setattr(read_spectra_step, "LARGE", 1000.0)  # a whole chain spans all its gaps
    own = [spectra for *_, spectra in own_of([scaffold], made, allowed, 10.0)]
    assert list(map(len, own)) == [1, 1]


def test_a_spectrum_of_a_chain_without_gaps_says_nothing_of_another() -> None:
    start = len("GHPETLEKVEADP")
    letters = "GHPETLEKVEADPMSTAFNGWHK"
    gap = Gap(start + 5, start + 10, 5, 5)
    scaffold = Scaffold("c", "", hidden(letters, [(gap.start, gap.end)]), (gap,), 1)
    scaffold = replace(scaffold, sequence=scaffold.sequence.replace("-", "X"))
    whole = Scaffold("d", "", CHAIN, (), 3)
    made, allowed = seen(spectrum_of(PEPTIDE)), Modifications(((0.0, 1.0),))
    for chains, used in (([scaffold], 1), ([scaffold, whole], 0)):
        ((_, _, own),) = own_of(chains, made, allowed, 10.0)
        assert len(own) == used


def test_a_peptide_that_goes_on_into_another_gap_gives_no_mass() -> None:
    """Its fragments beside the first gap are not those of a peptide that begins behind it."""
    spans = [(17, 18), (24, 26)]
    gaps = tuple(Gap(a, b, b - a, b - a) for a, b in spans)
    scaffold = Scaffold("c", "", hidden(CHAIN, spans).replace("-", "X"), gaps, 1)
    spectra = seen(spectrum_of(PEPTIDE))
    assert look(scaffold, gaps[1], spectra, READINGS, 10.0) is None
    found = look(scaffold, gaps[1], seen(spectrum_of(PEPTIDE[1:])), READINGS, 10.0)
    assert found is not None and found.evidence.mass is not None
    assert found.evidence.mass[0] == pytest.approx(weights("HG").sum(), abs=0.02)


@pytest.mark.parametrize("inside", [3, 4])
def test_a_peptide_that_ends_in_a_gap_of_unknown_length_gives_no_mass(inside: int) -> None:
    """Where another gap follows, no known residue tells whether its end is that of the gap."""
    spans = [(START, END), (END, END + 4)]
    gaps = Gap(START, END, 1, 30), Gap(END, END + 4, 4, 4)
    scaffold = Scaffold("c", "", hidden(CHAIN, spans).replace("-", "X"), gaps, 1)
    ends_within = seen(spectrum_of(CHAIN[3 : START + inside], said=("b", "y")))
    assert look(scaffold, gaps[0], ends_within, READINGS, 10.0) is None
    alone = replace(scaffold, sequence=hidden(CHAIN, spans[:1]).replace("-", "X"), gaps=gaps[:1])
    assert look(alone, gaps[0], seen(spectrum_of(PEPTIDE)), READINGS, 10.0) is not None


def test_i_or_l_does_not_count_towards_the_limit(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As most gaps of a chain from reads are such, and b and y ions say nothing of them."""
    letters = hidden(CHAIN, [(START, END)]).replace("L", "J")
    fasta = write("c.fasta", f">c\n{letters}\n")
    hcd = write("hcd.mgf", as_mgf([spectrum_of(PEPTIDE)], "HCD"))
    etd = write("etd.mgf", as_mgf([spectrum_of(PEPTIDE, series=("c", "z"))], "ETD"))
    options = {"alkylation": "none"}
    monkeypatch.setattr(read_spectra_step, "MAX_LOOKS", 2)
    fill_file({"fasta": fasta}, tmp_path / "out", options, spectra=[hcd])
    with pytest.raises(LacunaError, match="make more than 2 pairs"):
        fill_file({"fasta": fasta}, tmp_path / "out", options, spectra=[etd])


# --- the mass of a gap ---------------------------------------------------------------------------


def test_masses_of_a_gap_at_the_start_of_a_chain_may_hold_pyroglutamate() -> None:
    """The search always tries it there."""
    rules = MassRules(Modifications(), starts_chain=True, ends_chain=False)
    for letters in ("QVQLV", "EGG"):
        change = PYROGLUTAMATE[letters[0]]
        mass, n = sum(weights(letters)) + change, len(letters)
        prefixes = np.cumsum(weights(letters))[:-1] + change
        assert _possible(prefixes, Gap(0, n, n, n), mass, 0.005, rules).all()
        assert _reachable(mass, 0.0005, range(n, n + 1), rules)


def test_precursors_give_the_mass_of_a_gap_of_known_length() -> None:
    found = evidence_of(spectrum_of(PEPTIDE), mass=False)
    assert found is not None and found.mass is not None
    mass, tolerance, log_odds = found.mass
    assert mass == pytest.approx(weights(CHAIN[START:END]).sum(), abs=tolerance)
    assert log_odds > 2
    assert all(nats > 2 for nats in cleaved(found).values())


def test_a_wrong_isotope_of_the_precursor_is_no_other_mass_of_the_gap() -> None:
    true = spectrum_of(PEPTIDE)
    heavier = replace(true, precursor=replace(true.precursor, mass=true.precursor.mass + ISOTOPE))
    for spectrum in (true, heavier):
        found = evidence_of(spectrum, mass=False)
        assert found is not None and found.mass is not None
        assert found.mass[0] == pytest.approx(float(weights(CHAIN[START:END]).sum()), abs=0.01)
        assert found.mass[2] > 2


@pytest.mark.parametrize("off", [-0.005, 0.005])
@pytest.mark.parametrize("residue", ["G", "W"])
def test_the_lightest_and_the_heaviest_residue_have_a_mass_in_spite_of_errors(
    residue: str, off: float
) -> None:
    chain = CHAIN.replace(PEPTIDE, "VEADIPXHGQEVLIR")
    at = chain.index("X")
    scaffold = Scaffold("c", "", chain, (Gap(at, at + 1, 1, 1),), 1)
    true = spectrum_of("VEADIPXHGQEVLIR".replace("X", residue))
    measured = replace(true, precursor=replace(true.precursor, mass=true.precursor.mass + off))
    found = look(scaffold, scaffold.gaps[0], seen(measured), READINGS, 10.0)
    assert found is not None and found.evidence.mass is not None
    assert found.evidence.mass[0] == pytest.approx(float(weights(residue).sum()) + off, abs=0.001)


def test_a_precursor_is_nineteen_times_as_often_monoisotopic_as_with_one_13c() -> None:
    true = spectrum_of(PEPTIDE)
    heavier = replace(true, precursor=replace(true.precursor, mass=true.precursor.mass + ISOTOPE))
    scaffold, gap = gapped(mass=False)
    known = flanks(scaffold, gap, 0.0, 60)
    mass = float(weights(CHAIN[START:END]).sum())
    odds = []
    for pair in seen(true, heavier):
        found = gap_masses(*pair, known, 57.0, 2000.0)
        odds += [m.log_odds for m in found if m.start == 17 and abs(m.gap_mass - mass) < 0.01]
    assert odds[0] - odds[1] == pytest.approx(math.log(19))


LIGHTER = PEPTIDE.replace("DIPGH", "DIPGS")


def of_peptides(peptides: Iterable[str], **made: Any) -> list[Spectrum]:
    """A spectrum of each peptide."""
    return [spectrum_of(one, name=f"made:{i}", **made) for i, one in enumerate(peptides)]


def test_what_a_peptide_carries_is_a_rival_of_what_it_is_without() -> None:
    """As if two spectra showed the peptide with something of the mass of a G on the gap."""
    carrying = [spectrum_of("VEADIPGGHGQEVLIR", z, name=f"made:{z}") for z in (2, 3)]
    longer = spectrum_of("KVEADIPGGHGQEVLIR", 3, name="made:4")
    found = evidence_of(*carrying, longer, spectrum_of(PEPTIDE, name="made:1"), mass=False)
    assert found is not None and found.mass is not None
    mass, tolerance, log_odds = found.mass
    assert mass == pytest.approx(weights(CHAIN[START:END]).sum(), abs=tolerance)
    (other,) = found.others
    assert other.mass is not None and log_odds - 1 < other.mass[2] < log_odds
    assert other.mass[0] - mass == pytest.approx(CARBAMIDOMETHYL, abs=tolerance)


@pytest.mark.parametrize("n", [1, 10])
def test_masses_are_weighed_by_the_spectra_that_show_them(n: int) -> None:
    """One spectrum of a lighter peptide, and n of that of the chain."""
    scaffold, gap = gapped(mass=False)
    spectra = of_peptides([*[PEPTIDE] * n, LIGHTER])
    found = look(scaffold, gap, seen(*spectra), READINGS, 10.0)
    assert found is not None
    true, lighter = (float(weights(peptide[3:8]).sum()) for peptide in (PEPTIDE, LIGHTER))
    masses = sorted(
        (found.evidence, *found.evidence.others), key=lambda one: -(one.mass or (0,))[0]
    )
    assert [one.mass and one.mass[0] for one in masses] == pytest.approx([true, lighter], abs=0.03)
    odds = [one.mass[2] for one in masses if one.mass is not None]
    assert odds[0] - odds[1] == pytest.approx(0.6 * math.log(n), abs=0.2)
    for one, peptide in zip(masses, (PEPTIDE, LIGHTER), strict=True):
        assert (shown(one).of_ions(np.cumsum(weights(peptide[3:7]))) > 2).all()
    used = [row.spectrum for row in found.rows if row.kind == SPECTRUM]
    assert [row.kind for row in found.rows].count(OTHER) == 1 and len(used) == n + 1


@pytest.mark.parametrize("lost", [WATER, AMMONIA])
def test_a_peptide_that_lost_something_is_no_lighter_one(lost: float) -> None:
    whole = spectrum_of(PEPTIDE, name="made:1")
    less = spectrum_of(PEPTIDE, modified={4: -lost}, name="made:2")
    found = evidence_of(whole, less, mass=False)
    assert found is not None and found.mass is not None
    true = float(weights(CHAIN[START:END]).sum())
    assert found.mass[0] == pytest.approx(true, abs=found.mass[1])
    ranking, words = mixed(found, sure=0.0)
    assert ranking.candidates[0].sequence == "DLPGH" and ranking.candidates[0].probability > 0.9
    assert not MassDoubt.of_status(words)


def rivals(*masses: tuple[str, float, float]) -> SpectralEvidence:
    """Masses of residues that spectra show, each with log odds and the nats of its cleavages."""
    each = []
    for residues, log_odds, nats in masses:
        prefixes = np.cumsum(weights(residues))
        cleavages = tuple((float(one), 0.01, nats) for one in prefixes[:-1])
        mass = float(prefixes[-1]), 0.01, log_odds
        each.append(SpectralEvidence(cleavages, -0.1, mass=mass))
    return replace(each[0], others=tuple(each[1:]))


def even(*sequences: str) -> np.ndarray:
    """A network that holds these equally probable, residue by residue."""
    table = np.full((len(sequences[0]), N_RESIDUES), 1e-4)
    for sequence in sequences:
        table[np.arange(len(sequence)), [RESIDUES.index(r) for r in sequence]] += 1.0
    return np.asarray(table / table.sum(1, keepdims=True))


def test_cleavages_of_one_mass_do_not_count_against_another() -> None:
    """The one is of a spectrum with far more ions."""
    table = even("AGNK", "AGNS")
    for few, many in ((1.0, 8.0), (8.0, 1.0)):
        found = rivals(("AGNK", 3.0, few), ("AGNS", 0.0, many))
        ranking, words = rank_by_spectra(table, 5, found, MassRules())
        likely = {one.sequence: one.probability for one in ranking.candidates}
        assert likely["AGNK"] == pytest.approx(1 / (1 + math.exp(-3)), abs=0.05)
        assert likely["AGNK"] + likely["AGNS"] == pytest.approx(1.0, abs=0.05)
        assert words.endswith(f"; {MassDoubt.OF_SPECTRA} {weights('AGNS').sum():.4f} Da")
    none = rank_by_spectra(
        even("WWWW"), 5, rivals(("AGNK", 3.0, 1.0), ("AGNS", 3.0, 1.0)), MassRules()
    )
    assert none[1].startswith(MassDoubt.OF_SPECTRA) and " and " in none[1]


def test_the_network_makes_no_mass_surer_than_its_share_of_the_spectra() -> None:
    """It finds the one mass far more probable than the other, but leaves the last residue open."""
    table = even("AGNK")
    table[3] = 1.0
    table[3, RESIDUES.index("S")] = 1e-6
    table[3] /= table[3].sum()
    found = rivals(("AGNK", 3.0, 1.0), ("AGNS", 3.0, 1.0))
    ranking, _ = rank_by_spectra(table, 5, found, MassRules())
    first = ranking.candidates[0]
    assert first.sequence == "AGNK" and 0.5 < first.probability < 0.6


def test_cleavages_of_one_mass_choose_no_length_against_another() -> None:
    tables = [even("AGNK", "AGNK"), even("AGNSK", "AGNSK")]
    for few, many in ((1.0, 8.0), (8.0, 1.0)):
        found = rivals(("AGNK", 3.0, few), ("AGNSK", 0.0, many))
        shorter, longer = nats_of_lengths(tables, found, MassRules())
        assert shorter - longer == pytest.approx(3.0, abs=1.0)


def test_masses_of_different_peptides_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scaffold, _ = gapped(mass=False)
    write_scaffolds(tmp_path / "00000.jsonl", [scaffold])
    Alkylation((("none", 1.0),), "stated").write(tmp_path / "alkylation.json")
    for second, told in ((LIGHTER, True), (PEPTIDE, False)):
        caplog.clear()
        (tmp_path / "s.mgf").write_text(as_mgf(of_peptides([PEPTIDE, PEPTIDE, second])))
        look_at_spectra(
            tmp_path,
            [tmp_path / "s.mgf"],
            tmp_path / "alkylation.json",
            tmp_path / "spectra.tsv",
            tolerance_ppm=10.0,
            modifications={},
        )
        warned = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
        assert bool(warned) == told
    read = with_spectra([scaffold], tmp_path / "spectra.tsv")
    assert read[0].gaps[0].spectra is not None and not read[0].gaps[0].spectra.others


def test_a_lighter_mass_that_few_fragments_show_is_not_taken() -> None:
    """Another peptide with some fragments of the flanks is surer than chance, but not by much."""
    scaffold, gap = gapped(mass=False)
    true = float(weights(CHAIN[START:END]).sum())
    few = spectrum_of("VEASTGQEVLIR", missing=range(1, 8), noise=200, name="made:2")
    (pair,) = seen(few)
    of_few = gap_masses(*pair, flanks(scaffold, gap, 0.0, 60), 300.0, 900.0)
    best = max(of_few, key=lambda match: match.log_odds)
    assert best.gap_mass < true - 1 and best.log_odds > 5
    both = look(scaffold, gap, seen(spectrum_of(PEPTIDE), few), READINGS, 10.0)
    assert both is not None and both.evidence.mass is not None
    mass, tolerance, log_odds = both.evidence.mass
    assert mass == pytest.approx(true, abs=tolerance) and log_odds == 3.0


@pytest.mark.parametrize("longest", [9, None])
def test_precursors_give_the_mass_of_a_gap_of_unknown_length(longest: int | None) -> None:
    scaffold, gap = gapped(mass=False)
    opened = replace(gap, min_length=0, max_length=longest)
    found = look(scaffold, opened, seen(spectrum_of(PEPTIDE)), READINGS, 10.0)
    assert found is not None and found.evidence.mass is not None
    assert found.evidence.mass[0] == pytest.approx(weights(CHAIN[START:END]).sum(), abs=0.02)


def test_a_mass_that_no_allowed_length_has_is_none_of_a_gap() -> None:
    scaffold, gap = gapped(mass=False)
    for least, most in ((1, 2), (10, 20)):
        opened = replace(gap, min_length=least, max_length=most)
        assert look(scaffold, opened, seen(spectrum_of(PEPTIDE)), READINGS, 10.0) is None


def test_little_evidence_gives_no_mass_to_a_gap_of_unknown_length() -> None:
    """A few cleavages on one side and noise: they would do if the length were known."""
    scaffold, gap = gapped(mass=False)
    spectra = seen(spectrum_of(PEPTIDE, missing=range(3, 13), noise=120))
    opened = replace(gap, min_length=0, max_length=None)
    fixed, free = (look(scaffold, one, spectra, READINGS, 10.0) for one in (gap, opened))
    assert fixed is not None and fixed.evidence.mass is not None and free is None


def test_a_gap_of_which_only_a_prefix_weighs_something_has_no_mass_by_spectra() -> None:
    scaffold, gap = gapped(mass=False)
    prefix = replace(gap, pieces=(Piece(5, 5, prefixes=((115.027, 0.01),)),))
    assert look(scaffold, prefix, seen(spectrum_of(PEPTIDE)), READINGS, 10.0) is None


def mixed(evidence: SpectralEvidence, sure: float = 0.6) -> tuple[Ranking, str]:
    """The gap ranked by a network that holds DLPGN likely, and less so the truth."""
    table = np.full((5, N_RESIDUES), 0.0)
    for row, first, second in zip(table, "DLPGN", CHAIN[START:END].replace("I", "L"), strict=True):
        row[:] = 0.001
        row[RESIDUES.index(second)] += 0.3
        row[RESIDUES.index(first)] += sure
    table /= table.sum(1, keepdims=True)
    return rank_by_spectra(table, 5, evidence, MassRules())


def test_a_mass_by_spectra_weighs_by_its_odds() -> None:
    found = evidence_of(spectrum_of(PEPTIDE), mass=False)
    assert found is not None
    ranking, words = mixed(found)
    assert ranking.candidates[0].sequence == "DLPGH"
    assert words.startswith("mass ") and "by spectra, probability " in words
    assert sum(c.probability for c in ranking.candidates) <= 1 + 1e-9
    assert np.allclose(ranking.distributions.sum(1), 1.0)


def test_a_mass_by_spectra_that_holds_a_modification_is_in_doubt() -> None:
    table = np.full((4, N_RESIDUES), 1e-4)
    table[np.arange(4), [RESIDUES.index(r) for r in "AGNS"]] = 1 - 19e-4
    for carried, doubted in ((0.0, False), (DEAMIDATION, True)):
        mass = float(weights("AGNS").sum()) + carried
        ranking, words = rank_by_spectra(
            table, 5, SpectralEvidence(mass=(mass, 0.005, 30.0)), MassRules()
        )
        assert ranking.candidates[0].sequence == ("AGDS" if doubted else "AGNS")
        assert words.endswith("N or Q is deamidated") == doubted
        assert bool(MassDoubt.of_status(words)) == doubted


def test_the_best_sequence_does_not_depend_on_how_many_are_listed() -> None:
    table = np.full((2, N_RESIDUES), 1e-6)
    for row, shares in zip(table, ({"S": 0.65, "T": 0.35}, {"S": 0.3, "T": 0.7}), strict=True):
        for residue, share in shares.items():
            row[RESIDUES.index(residue)] = share
    table /= table.sum(1, keepdims=True)
    first, mass = float(weights("T")[0]), float(weights("ST").sum())
    evidence = SpectralEvidence(((first, 0.01, 1.7),), mass=(mass, 0.02, -10.0))
    one, *others = (rank_by_spectra(table, n, evidence, MassRules())[0] for n in (1, 2, 5, 60))
    for other in others:
        assert other.candidates[:1] == one.candidates


@pytest.mark.parametrize(
    ("log_odds", "said"), [(-3.0, ""), (2.0, ""), (3.0, "spectra show another mass, 430.1230 Da")]
)
def test_a_mass_that_no_probable_sequence_has_changes_nothing(log_odds: float, said: str) -> None:
    wrong = SpectralEvidence(mass=(430.123, 0.01, log_odds))
    ranking, words = mixed(wrong)
    table = mixed(SpectralEvidence())[0]
    assert words == said and ranking.candidates == table.candidates
    assert bool(MassDoubt.of_status(words)) == bool(said)


# --- the search ----------------------------------------------------------------------------------


def test_cleavages_choose_among_permutations() -> None:
    even = np.full((4, N_RESIDUES), 1 / N_RESIDUES)
    mass = float(weights("ADSV").sum())
    for true in permutations("ADSV"):
        prefixes = np.cumsum(weights("".join(true)))[:-1]
        evidence = SpectralEvidence(tuple((float(m), 0.005, 5.0) for m in prefixes), -0.5)
        stages = replace(one_mass(mass, 0.005), spectra=evidence)
        ranking = rank_sequences(even, 3, stages, MassRules())
        assert ranking.candidates[0].sequence == "".join(true)
        assert ranking.candidates[0].probability > 0.9


def test_evidence_multiplies_the_odds_of_sequences() -> None:
    even = np.full((3, N_RESIDUES), 1 / N_RESIDUES)
    mass = float(weights("ADS").sum())
    evidence = SpectralEvidence(((float(weights("A").sum()), 0.005, 2.0),), -0.3)
    alone = rank_sequences(even, 9, one_mass(mass, 0.005), MassRules()).candidates
    stages = replace(one_mass(mass, 0.005), spectra=evidence)
    helped = rank_sequences(even, 9, stages, MassRules()).candidates
    before = {c.sequence: c.probability for c in alone}
    after = {c.sequence: c.probability for c in helped}
    ratio = (after["ADS"] / after["DAS"]) / (before["ADS"] / before["DAS"])
    assert ratio == pytest.approx(math.exp(2.0))


def test_a_narrow_search_says_what_it_may_have_lost() -> None:
    rng = np.random.default_rng(5)
    table = rng.dirichlet(np.full(N_RESIDUES, 0.5), 5)
    mass = float(weights("ADSVK").sum())
    prefixes = np.cumsum(weights("ADSVK"))[:-1]
    evidence = SpectralEvidence(tuple((float(m), 0.005, 4.0) for m in prefixes), -0.5)
    stages = replace(one_mass(mass, 0.01), spectra=evidence)
    full, narrow = (search(table, width, stages, MassRules()) for width in (10**6, 3))
    missed = set(full.scores.round(6).tolist()) - set(narrow.scores.round(6).tolist())
    assert full.lost == -math.inf
    assert missed and narrow.lost >= max(missed) - 1e-6


def test_bumps_that_overlap_add_up_to_a_limit() -> None:
    evidence = SpectralEvidence(((100.0, 0.1, 7.0), (100.15, 0.1, 7.0)), -1.0)
    at = np.array([99.0, 99.95, 100.08, 100.2, 101.0])
    assert np.allclose(Shown(evidence).nats(at), [-1, 6, MOST_NATS, 6, -1])


def test_without_cleavages_a_ranking_is_as_without_spectra() -> None:
    table = np.random.default_rng(1).dirichlet(np.ones(N_RESIDUES), 4)
    plain = rank_sequences(table, 5, one_mass(400.2, 0.05), MassRules())
    stages: Stages = replace(one_mass(400.2, 0.05), spectra=SpectralEvidence())
    assert [c.sequence for c in rank_sequences(table, 5, stages, MassRules()).candidates] == [
        c.sequence for c in plain.candidates
    ]
    assert next(rank_plain(table[None], 5)).candidates


# --- tables and files ----------------------------------------------------------------------------


def test_the_table_holds_all_that_the_search_needs(tmp_path: Path) -> None:
    scaffold, gap = gapped(mass=False)
    found = look(scaffold, gap, seen(spectrum_of(PEPTIDE)), READINGS, 10.0)
    assert found is not None
    path = tmp_path / "spectra.tsv"
    path.write_text(SPECTRUM_TABLE.header + SPECTRUM_TABLE.text(found.rows))
    (read,) = with_spectra([scaffold], path)
    (other,) = read.gaps
    assert other.spectra is not None and other.spectra.mass is not None
    assert np.allclose(other.spectra.mass, found.evidence.mass, atol=1e-3)
    assert np.allclose(other.spectra.cleavages, found.evidence.cleavages, atol=1e-3)
    assert other.spectra.unseen == pytest.approx(found.evidence.unseen, abs=1e-3)
    assert from_json(to_json(read)) == read


def test_the_table_holds_every_mass_of_a_gap(tmp_path: Path) -> None:
    scaffold, gap = gapped(mass=False)
    spectra = seen(*of_peptides([PEPTIDE, PEPTIDE, LIGHTER]))
    found = look(scaffold, gap, spectra, READINGS, 10.0)
    assert found is not None and len(found.evidence.others) == 1
    (tmp_path / "spectra.tsv").write_text(SPECTRUM_TABLE.header + SPECTRUM_TABLE.text(found.rows))
    (read,) = with_spectra([scaffold], tmp_path / "spectra.tsv")
    spectral = read.gaps[0].spectra
    assert spectral is not None and len(spectral.others) == 1
    for one, other in ((spectral, found.evidence), (spectral.others[0], found.evidence.others[0])):
        assert one.mass is not None and np.allclose(one.mass, other.mass or (), atol=1e-3)
        assert np.allclose(one.cleavages, other.cleavages, atol=1e-3)
        assert one.unseen == pytest.approx(other.unseen, abs=1e-3)
    assert from_json(to_json(read)) == read


def test_the_summary_counts_gaps_without_i_or_l(write: Write) -> None:
    """As it does not count J among the gaps."""
    columns = "chain\tstart\tend\trank\tambiguity\n"
    gaps = write(
        "gaps.tsv", columns + "a\t3\t4\t1\tJ\na\t9\t9\t1\t\na\t9\t9\t2\t\na\t20\t22\t1\t\n"
    )
    spectra = write("s.tsv", "chain\tstart\tend\na\t3\t4\na\t9\t9\na\t9\t9\n")
    assert spectra_note(spectra, gaps) == "; spectra span 1 of 2 gaps"
    assert "WARNING" in spectra_note(write("none.tsv", "chain\tstart\tend\n"), gaps)


HEAVY = germline_chain("H", 1, constant=True)
FIRST, LAST = 60, 65  # of a gap; the tryptic peptide around it is found in the chain


def around(chain: str, start: int, end: int) -> str:
    """The tryptic peptide that holds a stretch."""
    cuts = [0, *(i + 1 for i, r in enumerate(chain) if r in "KR"), len(chain)]
    return chain[max(c for c in cuts if c <= start) : min(c for c in cuts if c >= end)]


def test_spectra_fill_a_gap_and_noise_does_not_change_it(write: Write, tmp_path: Path) -> None:
    """The chain has residues in the gap that germlines do not hold likely."""
    chain = HEAVY[:FIRST] + "GHWPE" + HEAVY[LAST:]
    peptide = around(chain, FIRST, LAST)
    fasta = write("c.fasta", f">c\n{hidden(chain, [(FIRST, LAST)])}\n")
    good = write("good.mgf", as_mgf([spectrum_of(peptide, noise=30)]))
    bad = write("bad.mgf", as_mgf([spectrum_of(peptide, series=(), noise=200)]))
    options = {"alkylation": "none"}
    filled = {}
    for name, spectra in (("none", []), ("good", [good]), ("bad", [bad])):
        made = fill_file({"fasta": fasta}, tmp_path / name, options, spectra=spectra)
        assert ("spectra" in made) == bool(spectra)
        filled[name] = list(GAP_TABLE.read(tmp_path / name / "gaps.tsv"))
    assert filled["none"][0].candidate != "GHWPE"
    assert filled["good"][0].candidate == "GHWPE"
    assert (filled["good"][0].probability or 0) > 0.9
    assert "by spectra" in filled["good"][0].status
    assert filled["good"][0].cleavages == "G/H/W/P/E"
    assert all(row.cleavages.count("/") < 4 for row in filled["good"][1:])
    assert filled["bad"] == filled["none"]
    kinds = [row.kind for row in SPECTRUM_TABLE.read(tmp_path / "good" / "spectra.tsv")]
    assert kinds.count(SPECTRUM) == kinds.count(MASS) == 1 and kinds.count(CLEAVAGE) >= 4


def test_spectra_of_another_antibody_are_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They show the constant region, which both have, and a peptide that spans the gap."""
    peptide = "NTLYLQMNSLR"
    start = HEAVY.index(peptide) + 4
    gap = Gap(start, start + 2, 2, 2)
    scaffold = Scaffold("h", "", hidden(HEAVY, [(gap.start, gap.end)]), (gap,), 1)
    cuts = re.findall("[^KR]*[KR]", HEAVY[HEAVY.index("ASTK") :])
    constant = [one for one in cuts if 6 <= len(one) <= 20][:10]
    of_constant = [spectrum_of(one, z, name=f"{one}:{z}") for one in constant for z in (2, 3)]
    assert len(of_constant) == ENOUGH_CONSTANT
    spanning, of_cdr = spectrum_of(peptide), spectrum_of("LSCSASGFTFSSYAMHWVR")
    write_scaffolds(tmp_path / "00000.jsonl", [scaffold])
    Alkylation((("none", 1.0),), "stated").write(tmp_path / "alkylation.json")
    table = tmp_path / "spectra.tsv"

    def used(*spectra: Spectrum) -> int:
        caplog.clear()
        (tmp_path / "s.mgf").write_text(as_mgf(spectra))
        look_at_spectra(
            *(tmp_path, [tmp_path / "s.mgf"], tmp_path / "alkylation.json", table),
            tolerance_ppm=10.0,
            modifications={},
        )
        return sum(row.kind == SPECTRUM for row in SPECTRUM_TABLE.read(table))

    def warned() -> bool:
        return any(record.levelname == "WARNING" for record in caplog.records)

    assert used(*of_constant, spanning) == 0 and warned()
    assert used(*of_constant, of_cdr, spanning) == 1 and not warned()
    assert used(*of_constant[1:], spanning) == 1 and not warned()  # too few tell nothing
    loops = [
        place for place, of_cdr in enumerate(CDR_COLUMNS[number_chain(HEAVY).columns]) if of_cdr
    ]
    gaps = tuple(Gap(place, place + 1, 1, 1) for place in loops)
    letters = hidden(scaffold.sequence, [(place, place + 1) for place in loops])
    every = tuple(sorted((*gaps, gap), key=lambda one: one.start))
    blind = replace(scaffold, sequence=letters.replace("-", "X"), gaps=every)
    write_scaffolds(tmp_path / "00000.jsonl", [blind])
    assert used(*of_constant, spanning) == 1 and not warned()  # nor does a chain without CDRs


@pytest.mark.parametrize("noise", [0, 30, 400])
@pytest.mark.parametrize("heaviest", [300.0, 1e4])
def test_fragments_of_a_flank_are_counted_as_one_peptide_by_one(
    noise: int, heaviest: float
) -> None:
    scaffold, gap = gapped()
    both = flanks(scaffold, gap, 0.0, 60)
    found = fragments(spectrum_of(PEPTIDE, noise=noise, missing=[3, 9]))
    for flank, series in ((both.left, "b"), (both.right, "y")):
        masses = flank.masses[:, None] - flank.parts
        each = tally_of(found, masses + OFFSET[series], masses > 0)
        together = tally_of_flank(found, flank, series, heaviest)
        light = flank.masses <= heaviest
        assert light.all() == (heaviest > 300) and light.sum() > 1
        for one, other in zip(each, together, strict=True):
            np.testing.assert_allclose(one[light], other[light], atol=1e-9)
    assert together.k.max() >= 2


def cut(
    sequence: str,
    evidence: SpectralEvidence,
    mass: str,
    rules: MassRules | None = None,
    by: float = 0.0,
) -> str:
    """A candidate as spectra show it; mass: that of these residues, and `by` Da."""
    whole = float(weights(mass).sum()) + by
    return cut_where_shown(sequence, evidence, whole, 0.01, rules or MassRules())


def test_a_candidate_is_marked_where_spectra_show_its_cleavages() -> None:
    """After AG and AGS; the masses of permutations and of other residues do not have both."""
    behind = [float(weights(part).sum()) for part in ("AG", "AGS")]
    evidence = SpectralEvidence(tuple((mass, 0.01, 5.0) for mass in behind), -1.0)
    assert cut("AGSYV", evidence, "AGSYV") == "AG/S/YV"
    assert cut("GASYV", evidence, "AGSYV") == "GA/S/YV"
    assert cut("AYSGV", evidence, "AGSYV") == "AYSGV"
    assert cut("QSYV", evidence, "AGSYV") == "Q/S/YV"
    assert cut("AGSYW", evidence, "AGSYV") == ""
    faint = replace(evidence, cleavages=((behind[0], 0.01, 1.9), (behind[1], 0.01, 2.1)))
    assert cut("AGSYV", faint, "AGSYV") == "AGS/YV"


def test_a_candidate_is_marked_at_the_masses_that_its_residues_carry() -> None:
    carried, oxygen = 57.02146, 15.99491
    behind = float(weights("AC").sum()) + carried
    evidence = SpectralEvidence(((behind, 0.01, 5.0),), -1.0)
    alkylated = MassRules(Modifications(((carried, 1.0),)))
    assert cut("ACY", evidence, "ACY", alkylated, by=carried) == "AC/Y"
    assert cut("ACY", evidence, "ACY", by=carried) == ""
    oxidised = MassRules(Modifications(oxidised_methionine=True))
    evidence = SpectralEvidence(((float(weights("MA").sum()) + oxygen, 0.01, 5.0),), -1.0)
    assert cut("MAY", evidence, "MAY", oxidised, by=oxygen) == "MA/Y"
    assert cut("MAY", evidence, "MAY", oxidised) == "MAY"  # not the oxidised one


def test_spectra_say_more_of_a_gap_than_the_mass_of_its_chain(write: Write, tmp_path: Path) -> None:
    chain = HEAVY[:FIRST] + "GHWPE" + HEAVY[LAST:]
    fasta = write("c.fasta", f">c\n{hidden(chain, [(FIRST, LAST)])}\n")
    whole = float(weights(chain).sum()) + WATER
    masses = write("m.tsv", f"chain\tmass\ttolerance_da\tkind\nc\t{whole:.3f}\t1\tmonoisotopic\n")
    good = write("good.mgf", as_mgf([spectrum_of(around(chain, FIRST, LAST))]))
    inputs = {"fasta": fasta, "masses": masses}
    fill_file(inputs, tmp_path / "out", {"alkylation": "none"}, spectra=[good])
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    assert first.candidate == "GHWPE" and "by spectra" in first.status


@pytest.mark.parametrize("inserted", [False, True])
def test_spectra_choose_a_length(write: Write, tmp_path: Path, inserted: bool) -> None:
    """A gap of known mass, written inline, or as a row of the gap table between two residues."""
    chain = HEAVY[:FIRST] + "GHWPE" + HEAVY[LAST:]
    mass = float(weights("GHWPE").sum())
    good = write("good.mgf", as_mgf([spectrum_of(around(chain, FIRST, LAST))]))
    inline = "" if inserted else f"X[+{mass:.4f}]"
    inputs = {"fasta": write("c.fasta", f">c\n{chain[:FIRST]}{inline}{chain[LAST:]}\n")}
    if inserted:
        row = f"c\t{FIRST}\t{FIRST}\t{mass:.4f}"
        inputs["gaps"] = write("gaps.tsv", f"chain\tstart\tend\tmass\n{row}\n")
    fill_file(inputs, tmp_path / "out", {"alkylation": "none"}, spectra=[good])
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    assert first.candidate == "GHWPE" and (first.probability or 0) > 0.9
    kinds = [row.kind for row in SPECTRUM_TABLE.read(tmp_path / "out" / "spectra.tsv")]
    assert kinds.count(CLEAVAGE) >= 4


def filled_by(
    write: Write, folder: Path, gap: tuple[int, int], carried: float
) -> tuple[GapRow, dict[str, object]]:
    """The best candidate of a gap of HEAVY by a spectrum of its peptide, and the state of C."""
    fasta = write("c.fasta", f">c\n{hidden(HEAVY, [gap])}\n")
    made = spectrum_of(around(HEAVY, *gap), carried=carried, noise=30)
    fill_file({"fasta": fasta}, folder / "out", {}, spectra=[write("s.mgf", as_mgf([made]))])
    state = json.loads((folder / "out" / "alkylation.json").read_text())
    return next(iter(GAP_TABLE.read(folder / "out" / "gaps.tsv"))), state


@pytest.mark.parametrize("name", ["none", "carbamidomethyl", "carboxymethyl", "propionamide"])
def test_what_cysteine_carries_is_found_from_spectra(
    write: Write, tmp_path: Path, name: str
) -> None:
    """A C beside the gap; no mass is given, and some of the reagents are rare."""
    at = HEAVY.index("C")
    first, state = filled_by(write, tmp_path, (at + 2, at + 6), STATES[name].mass)
    assert first.candidate == HEAVY[at + 2 : at + 6]
    assert state["readings"] == {name: 1.0} and state["told"] == 1
    assert str(state["sentence"]).endswith("found from spectra of 1 peptide")
    assert first.cysteine == ((name, 1.0),)


@pytest.mark.parametrize("name", ["none", "carbamidomethyl", "nem"])
def test_the_spectra_of_a_gap_tell_what_its_cysteine_carries(
    write: Write, tmp_path: Path, name: str
) -> None:
    """The only C of the peptide is in the gap: for the sample the state stays open."""
    at = HEAVY.index("C")
    first, state = filled_by(write, tmp_path, (at - 1, at + 3), STATES[name].mass)
    assert state["how"] == "open" and "masses or spectra" in str(state["sentence"])
    assert first.candidate == HEAVY[at - 1 : at + 3] and (first.probability or 0) > 0.9
    assert first.cysteine is not None and first.cysteine[0][0] == name


def test_modified_cysteine_is_found_by_the_flanks() -> None:
    """Of two readings of C that one counts under which the flanks fit."""
    chain = "MKACDEFGHWPECSTVLIRK"
    gap = Gap(7, 10, 3, 3)
    scaffold = Scaffold("c", "", hidden(chain, [(7, 10)]).replace("-", "X"), (gap,), 1)
    both = Modifications(cysteine=((0.0, 0.5), (57.021464, 0.5)))
    made = spectrum_of(chain[2:19])
    heavier = [made.precursor.mass + 2 * 57.021464]
    found = look(scaffold, gap, seen(made), MassRules(both).readings(), 10.0)
    assert found is not None and found.evidence.mass is not None
    assert found.evidence.mass[0] == pytest.approx(weights("GHW").sum(), abs=0.02)
    assert heavier[0] > made.precursor.mass


@pytest.mark.parametrize(
    ("name", "series", "n"),
    [
        ("trastuzumab_middle_down_fd.mgf.gz", ALL, 1),
        ("tryptic_demo_spectra.mgf.gz", ("b", "y"), 276),
    ],
)
def test_real_spectra_are_read(name: str, series: tuple[str, ...], n: int) -> None:
    if not (SHARED / name).is_file():
        pytest.skip(f"../shared/reads/{name} is not here")
    found = list(read_spectra([SHARED / name]))
    assert len(found) == n
    assert {spectrum.precursor.series for spectrum in found} == {series}


def real_gap(chain: str, start: int, end: int, name: str) -> SpectralEvidence:
    spectra = [(s.precursor, fragments(s)) for s in read_spectra([SHARED / name])]
    gap = Gap(start, end, end - start, end - start)
    scaffold = Scaffold("c", "", hidden(chain, [(start, end)]).replace("-", "X"), (gap,), 1)
    found = look(scaffold, gap, spectra, READINGS, 10.0)
    assert found is not None
    return found.evidence


@pytest.mark.parametrize(
    ("name", "chain", "start", "end"),
    [
        ("trastuzumab_middle_down_fd.mgf.gz", "", 50, 55),
        # IgG1 of a mouse.
        ("tryptic_demo_spectra.mgf.gz", "TKGRPKAPQVYTIPPPKEQMAKDKVSLTCMITDFFPEDITVEWQWNGQ", 9, 12),
    ],
)
def test_real_spectra_show_the_mass_of_a_gap(name: str, chain: str, start: int, end: int) -> None:
    if not (SHARED / name).is_file():
        pytest.skip(f"../shared/reads/{name} is not here")
    if not chain:
        chain = (SHARED / "truth.fasta").read_text().split("\n")[1]
    found = real_gap(chain, start, end, name)
    true = np.cumsum(weights(chain[start:end]))
    assert found.mass is not None
    assert found.mass[0] == pytest.approx(true[-1], abs=2 * found.mass[1])
    assert (shown(found).nats(true[:-1]) - found.unseen > 1).any()


def test_a_weak_spectrum_of_a_lighter_peptide_tells_no_state_of_cysteine() -> None:
    """Three clear ones fit free C; with the mass of the weak one, only another state fits them."""
    chain, peptide = "QPGGSLRLSCAASGFNIKDTYIHWVRQAPGK", "LSCAASGFNIKDTYIHWVR"
    at = chain.index("GFNIK")
    scaffold = unread(chain, at, at + 5)
    seldom = [1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 15]
    weak = spectrum_of(peptide.replace("IK", "IS"), missing=seldom, name="made:4")
    states = [MassRules(Modifications(((state.mass, 1.0),))) for state in STATES.values()]
    spectra = seen(*of_peptides([peptide] * 3), weak)
    odds = odds_of_readings(scaffold, scaffold.gaps[0], spectra, states, 10.0)
    assert dict(zip(STATES, odds.tolist(), strict=True)) == {
        name: 0.0 if name == "none" else -20.0 for name in STATES
    }


def test_spectra_that_span_no_gap_tell_no_state_of_cysteine() -> None:
    scaffold, gap = gapped()
    states = [Modifications(((state.mass, 1.0),)) for state in STATES.values()]
    odds = odds_of_readings(scaffold, gap, [], [MassRules(one) for one in states], 10.0)
    assert odds.tolist() == [0.0] * len(STATES)


@pytest.mark.parametrize("name", ["none", "carbamidomethyl", "nem"])
def test_peptides_without_a_gap_tell_what_cysteine_carries(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Gaps, which take far longer, are only asked if these leave it open."""
    whole = germline_chain("H", 3, constant=True)
    peptides = dict.fromkeys(
        around(whole, i, i + 1) for i, residue in enumerate(whole) if residue == "C"
    )
    made = [
        spectrum_of(peptide, carried=STATES[name].mass, said=("b", "y"), name=f"made:{i}")
        for i, peptide in enumerate(p for p in peptides if 6 <= len(p) <= 40)
    ]
    assert len(made) >= 3
    fasta = write("c.fasta", f">c\n{hidden(whole, [(40, 43)])}\n")
    asked: list[int] = []

    def odds_of_gap(*_: object) -> np.ndarray:
        asked.append(1)
        return np.zeros(len(STATES))

    monkeypatch.setattr(read_spectra_step, "odds_of_readings", odds_of_gap)
    spectra = [write("s.mgf", as_mgf([*made, spectrum_of("PEPTLDEK"), made[0]]))]
    fill_file({"fasta": fasta}, tmp_path / "out", {}, spectra=spectra)
    state = json.loads((tmp_path / "out" / "alkylation.json").read_text())
    assert state["readings"] == {name: 1.0} and state["told"] == len(made)
    assert not asked
    write("s.mgf", as_mgf([spectrum_of("PEPTLDEK")]))
    fill_file({"fasta": fasta}, tmp_path / "out", {}, spectra=spectra)
    assert len(asked) == 1


def test_enough_gaps_tell_what_cysteine_carries(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [i for i, residue in enumerate(HEAVY) if residue == "C"][:2]
    gaps = [(i + 2, i + 5) for i in at]
    fasta = write("c.fasta", f">c\n{hidden(HEAVY, gaps)}\n")
    made = [spectrum_of(around(HEAVY, *gap), name=f"made:{gap}") for gap in gaps]
    spectra = [write("s.mgf", as_mgf(made))]
    for enough, told in ((20, 2), (1, 1)):
        monkeypatch.setattr("lacuna.steps.read_spectra.ENOUGH", enough)
        fill_file({"fasta": fasta}, tmp_path / "out", {}, spectra=spectra)
        state = json.loads((tmp_path / "out" / "alkylation.json").read_text())
        assert (state["readings"], state["told"]) == ({"none": 1.0}, told)


WITH_C = (
    ("AVCDEFGHK", "LLCNPQSTR", "MGCHVVWYK", "TTCSPGLER"),
    ("EYCADVNQK", "QSCFLMTAR", "HPCWGSLDK", "NICVETYFR"),
)


def test_the_state_of_cysteine_does_not_depend_on_the_order_of_chains(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One chain is carbamidomethylated, the other not: neither is the state of the sample."""
    monkeypatch.setattr("lacuna.steps.read_spectra.ENOUGH", 4)
    monkeypatch.setattr("lacuna.steps.read_spectra.FEW", 1)
    made = []
    for peptides, carried in zip(WITH_C, (CARBAMIDOMETHYL, 0.0), strict=True):
        made += of_peptides(peptides, carried=carried, said=("b", "y"))
    spectra = [write("s.mgf", as_mgf(made))]
    records = [f">{i}\n{''.join(peptides)}XXX\n" for i, peptides in enumerate(WITH_C)]
    states = []
    for ordered in (records, records[::-1]):
        fill_file(
            {"fasta": write("c.fasta", "".join(ordered))}, tmp_path / "out", {}, spectra=spectra
        )
        states.append(json.loads((tmp_path / "out" / "alkylation.json").read_text()))
    assert states[0] == states[1]
    assert states[0]["how"] == "open" and states[0]["shown"] == {"carbamidomethyl": 2, "none": 2}
    assert states[0]["readings"] == {"carbamidomethyl": 0.5, "none": 0.5}
    said = "(spectra show it carbamidomethylated in 2 peptides and unmodified in 2 peptides)"
    assert said in states[0]["sentence"]


def test_a_wrong_state_of_cysteine_is_told_by_spectra(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """C is stated to be free and is not: the gap is weighed as stated, and the log, the status and
    the summary say what spectra of peptides without a gap show."""
    known, gap = around(HEAVY, 90, 91), (FIRST - 2, LAST - 2)
    assert "C" in known and not set(range(*gap)) & set(range(85, 98))
    made = of_peptides([known, around(HEAVY, *gap)], carried=CARBAMIDOMETHYL, said=("b", "y"))
    spectra = [write("s.mgf", as_mgf(made))]
    fasta = write("c.fasta", f">c\n{hidden(HEAVY, [gap])}\n")
    told = "spectra of 1 peptide show C carbamidomethylated"
    for stated in ("none", "carbamidomethyl"):
        caplog.clear()
        fill_file({"fasta": fasta}, tmp_path / "out", {"alkylation": stated}, spectra=spectra)
        first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
        state = read_alkylation(tmp_path / "out" / "alkylation.json")
        wrong = stated == "none"
        assert state.readings == ((stated, 1.0),) and state.how == "stated"
        assert (f"contradicts C: {told}" in first.status) == wrong
        assert (f"as stated, but {told}: if the spectra are right" in state.sentence()) == wrong
        assert ("contradicts the mass of C: " + told in caplog.text) == wrong
        assert (
            told in mass_note(tmp_path / "out" / "alkylation.json", tmp_path / "out" / "gaps.tsv")
        ) == wrong


@pytest.mark.parametrize("place", ["loop", "start"])
@pytest.mark.parametrize("noisy", [False, True])
def test_spectra_give_a_gap_its_length(
    write: Write, tmp_path: Path, place: str, noisy: bool
) -> None:
    """Germline has other lengths there: a CDR1 has two residues more, the start two less."""
    cdr1 = HEAVY.index("C") + 4
    chain = HEAVY[:cdr1] + "NW" + HEAVY[cdr1:] if place == "loop" else "DV" + HEAVY[4:]
    start, end = (cdr1 - 2, cdr1 + 4) if place == "loop" else (0, 3)
    fasta = write("c.fasta", f">c\n{chain[:start]}{chain[end:]}\n")
    table = write("gaps.tsv", f"chain\tstart\tend\nc\t{start}\t{start}\n")
    series = () if noisy else ("b", "y")
    made = spectrum_of(around(chain, start, end), series=series, noise=40)
    inputs = {"fasta": fasta, "gaps": table}
    options = {"complete_ends": False, "alkylation": "none"}
    fill_file(inputs, tmp_path / "out", options, spectra=[write("s.mgf", as_mgf([made]))])
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    right_length = len(first.candidate) == end - start
    assert right_length == (not noisy)
    if not noisy:
        assert "Da by spectra" in first.status and (first.probability or 0.0) > 0.9
        assert first.candidate.replace("I", "L") == chain[start:end].replace("I", "L")


@pytest.mark.parametrize("how", ["stated", "found"])
def test_spectra_that_show_another_state_than_reads_are_told_of(how: str) -> None:
    """The state stays what the reads carry, or what was stated."""
    state = Alkylation((("none", 1.0),), how, read=(("none", 40),))
    odds = [dict.fromkeys(STATES, 0.0) | {"carbamidomethyl": 9.0}] * 3
    told = with_spectra_of_cysteine(state, odds)
    assert (told.readings, told.how) == (state.readings, how)
    assert "spectra of 3 peptides show C carbamidomethylated" in told.sentence()


def test_a_peptide_that_may_end_within_a_gap_shows_no_mass_of_it() -> None:
    """LSCAASGFNIK ends four residues into a gap of five, FNIKD, which might weigh as much if it
    were FGGIK; from a peptide with known residues on both sides its mass is known."""
    letters = "LSCAASGFNIKDTYIHWVR"
    scaffold = Scaffold("c", "", letters[:7] + "XXXXX" + letters[12:], (Gap(7, 12, 5, 5),), 1)
    rules = MassRules(Modifications())
    for peptide, mass in ((letters[:11], None), (letters, mass_of("FNIKD"))):
        found = look(scaffold, scaffold.gaps[0], seen(spectrum_of(peptide)), [(1.0, rules)], 10.0)
        shown = None if found is None or found.evidence.mass is None else found.evidence.mass[0]
        assert shown == (None if mass is None else pytest.approx(mass, abs=0.02))
