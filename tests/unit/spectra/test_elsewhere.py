"""Spectra that fit another place of the chains better than a gap."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chains import hidden
from conftest import Write
from gap_of_peptide import CHAIN, END, HEAVY, PEPTIDE, READINGS, START, gapped, seen, unread
from gaps import mass_of
from lacuna.antibody.imgt import CDR_COLUMNS
from lacuna.antibody.numbering import number_chain
from lacuna.core.files import LacunaError
from lacuna.core.masses import CARBAMIDOMETHYL, CARBAMYL, DEAMIDATION
from lacuna.core.tables import SPECTRUM, SPECTRUM_TABLE
from lacuna.scaffolds.alkylation import Alkylation
from lacuna.scaffolds.json_lines import write_scaffolds
from lacuna.scaffolds.residue_masses import MassRules, Modifications
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.spectra.elsewhere import (
    ENOUGH_OF_CONSTANT,
    FAR_BETTER_NATS,
    Fit,
    Lies,
    is_elsewhere,
    known_peptides,
)
from lacuna.spectra.odds import look
from lacuna.spectra.peaks import Spectra
from lacuna.spectra.read import Spectrum
from lacuna.spectra.spanning import fits
from lacuna.steps import read_spectra as read_spectra_step
from lacuna.steps.one_file import fill_file
from lacuna.steps.read_spectra import fits_of_known, look_at_spectra, own_spectra
from peaks import as_mgf, spectrum_of, weights


@pytest.mark.parametrize(
    "carried", [{}, {"missing": (3,)}, {"modified": {13: DEAMIDATION}}, {"modified": {0: CARBAMYL}}]
)
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
    assert not is_elsewhere(own, [own, known._replace(log_odds=own.log_odds + FAR_BETTER_NATS / 2)])


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


def test_a_peptide_that_a_chain_has_twice_tells_both_of_its_j() -> None:
    letters = CHAIN.replace(PEPTIDE, 2 * "VEADIPGHGQEVLJR")
    gaps = tuple(Gap(i, i + 1, 1, 1) for i, letter in enumerate(letters) if letter == "J")
    scaffold = Scaffold("c", "", letters, gaps, 1)
    made = seen(spectrum_of(PEPTIDE, series=("c", "z"), said=("c", "z")))
    own = own_of([scaffold], made, Modifications(((0.0, 1.0),)), 10.0)
    assert [len(spectra) for *_, spectra in own] == [1, 1]


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
    monkeypatch.setattr(read_spectra_step, "LARGE_MASS", 1000.0)  # a whole chain spans all its gaps
    own = [spectra for *_, spectra in own_of([scaffold], made, allowed, 10.0)]
    assert list(map(len, own)) == [1, 1]


@pytest.mark.parametrize("carried", [0.0, CARBAMIDOMETHYL])
def test_a_spectrum_fits_a_gap_as_it_does_in_the_best_state_of_c(carried: float) -> None:
    """Whichever of them is tried first."""
    scaffold = unread("AKGLSDCEWVEADIPGHK", 12, 15)
    made = seen(spectrum_of("GLSDCEWVEADIPGHK", carried=carried))
    states = [MassRules().with_cysteine(mass) for mass in (0.0, CARBAMIDOMETHYL)]
    both = [fits(scaffold, scaffold.gaps[0], made, some, 10.0) for some in (states, states[::-1])]
    assert both[0] == both[1] and both[0][0].log_odds > 20


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
    assert found.evidence.mass.mass == pytest.approx(weights("HG").sum(), abs=0.02)


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
    assert len(of_constant) == ENOUGH_OF_CONSTANT
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
