"""What cysteine carries, as spectra tell."""

import json
from pathlib import Path

import numpy as np
import pytest

from chains import germline_chain, hidden
from conftest import Write
from gap_of_peptide import FIRST, HEAVY, LAST, around, gapped, of_peptides, seen, unread
from lacuna.core.masses import CARBAMIDOMETHYL
from lacuna.core.tables import GAP_TABLE, GapRow
from lacuna.results.summary import mass_note
from lacuna.scaffolds.alkylation import READINGS as STATES
from lacuna.scaffolds.alkylation import Alkylation, read_alkylation
from lacuna.scaffolds.alkylation import with_spectra as with_spectra_of_cysteine
from lacuna.scaffolds.residue_masses import MassRules, Modifications
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.spectra.odds import look
from lacuna.spectra.spanning import odds_of_readings
from lacuna.steps import read_spectra as read_spectra_step
from lacuna.steps.one_file import fill_file
from peaks import as_mgf, spectrum_of, weights


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
    assert found.evidence.mass.mass == pytest.approx(weights("GHW").sum(), abs=0.02)
    assert heavier[0] > made.precursor.mass


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


@pytest.mark.parametrize("how", ["stated", "found"])
def test_spectra_that_show_another_state_than_reads_are_told_of(how: str) -> None:
    """The state stays what the reads carry, or what was stated."""
    state = Alkylation((("none", 1.0),), how, read=(("none", 40),))
    odds = [dict.fromkeys(STATES, 0.0) | {"carbamidomethyl": 9.0}] * 3
    told = with_spectra_of_cysteine(state, odds)
    assert (told.readings, told.how) == (state.readings, how)
    assert "spectra of 3 peptides show C carbamidomethylated" in told.sentence()
