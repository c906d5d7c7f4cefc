"""The mass of a gap by the precursors of the spectra that span it."""

import math
from dataclasses import astuple, replace

import numpy as np
import pytest

from chains import hidden
from gap_of_peptide import (
    CHAIN,
    END,
    LIGHTER,
    PEPTIDE,
    READINGS,
    SHARED,
    START,
    cleaved,
    evidence_of,
    gapped,
    mixed,
    of_peptides,
    seen,
    unread,
)
from gaps import mass_of
from lacuna.core.masses import AMMONIA, CARBAMIDOMETHYL, ISOTOPE, OXIDATION, WATER
from lacuna.core.tables import OTHER, SPECTRUM, MassDoubt
from lacuna.filling.search.cleavages import shown
from lacuna.scaffolds.residue_masses import PYROGLUTAMATE, MassRules, Modifications
from lacuna.scaffolds.scaffold import Gap, Piece, Scaffold, ShownMass, SpectralEvidence
from lacuna.spectra.flanks import flanks
from lacuna.spectra.gap_mass import _reachable, are_forms
from lacuna.spectra.match import LARGE_MASS, gap_masses
from lacuna.spectra.odds import _possible, look
from lacuna.spectra.peaks import fragments
from lacuna.spectra.read import read_spectra
from peaks import spectrum_of, weights


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
    mass, tolerance, log_odds = astuple(found.mass)
    assert mass == pytest.approx(weights(CHAIN[START:END]).sum(), abs=tolerance)
    assert log_odds > 2
    assert all(nats > 2 for nats in cleaved(found).values())


def test_a_wrong_isotope_of_the_precursor_is_no_other_mass_of_the_gap() -> None:
    true = spectrum_of(PEPTIDE)
    heavier = replace(true, precursor=replace(true.precursor, mass=true.precursor.mass + ISOTOPE))
    for spectrum in (true, heavier):
        found = evidence_of(spectrum, mass=False)
        assert found is not None and found.mass is not None
        assert found.mass.mass == pytest.approx(float(weights(CHAIN[START:END]).sum()), abs=0.01)
        assert found.mass.log_odds > 2


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
    assert found.evidence.mass.mass == pytest.approx(float(weights(residue).sum()) + off, abs=0.001)


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


def test_what_a_peptide_carries_is_a_rival_of_what_it_is_without() -> None:
    """As if two spectra showed the peptide with something of the mass of a G on the gap."""
    carrying = [spectrum_of("VEADIPGGHGQEVLIR", z, name=f"made:{z}") for z in (2, 3)]
    longer = spectrum_of("KVEADIPGGHGQEVLIR", 3, name="made:4")
    found = evidence_of(*carrying, longer, spectrum_of(PEPTIDE, name="made:1"), mass=False)
    assert found is not None and found.mass is not None
    mass, tolerance, log_odds = astuple(found.mass)
    assert mass == pytest.approx(weights(CHAIN[START:END]).sum(), abs=tolerance)
    (other,) = found.others
    assert other.mass is not None and log_odds - 1 < other.mass.log_odds < log_odds
    assert other.mass.mass - mass == pytest.approx(CARBAMIDOMETHYL, abs=tolerance)


@pytest.mark.parametrize("n", [1, 10])
def test_masses_are_weighed_by_the_spectra_that_show_them(n: int) -> None:
    """One spectrum of a lighter peptide, and n of that of the chain."""
    scaffold, gap = gapped(mass=False)
    spectra = of_peptides([*[PEPTIDE] * n, LIGHTER])
    found = look(scaffold, gap, seen(*spectra), READINGS, 10.0)
    assert found is not None
    true, lighter = (float(weights(peptide[3:8]).sum()) for peptide in (PEPTIDE, LIGHTER))
    evidence = [one for one in (found.evidence, *found.evidence.others) if one.mass is not None]
    masses = sorted(evidence, key=lambda one: -one.mass.mass)
    assert [one.mass.mass for one in masses] == pytest.approx([true, lighter], abs=0.03)
    odds = [one.mass.log_odds for one in masses]
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
    assert found.mass.mass == pytest.approx(true, abs=found.mass.tolerance)
    ranking, words = mixed(found, sure=0.0)
    assert ranking.candidates[0].sequence == "DLPGH" and ranking.candidates[0].probability > 0.9
    assert not MassDoubt.of_status(words)


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
    mass, tolerance, log_odds = astuple(both.evidence.mass)
    assert mass == pytest.approx(true, abs=tolerance) and log_odds == 3.0


@pytest.mark.parametrize("longest", [9, None])
def test_precursors_give_the_mass_of_a_gap_of_unknown_length(longest: int | None) -> None:
    scaffold, gap = gapped(mass=False)
    opened = replace(gap, min_length=0, max_length=longest)
    found = look(scaffold, opened, seen(spectrum_of(PEPTIDE)), READINGS, 10.0)
    assert found is not None and found.evidence.mass is not None
    assert found.evidence.mass.mass == pytest.approx(weights(CHAIN[START:END]).sum(), abs=0.02)


@pytest.mark.parametrize("opened", [False, True])
def test_precursors_give_the_mass_of_a_gap_at_the_end_of_a_chain(opened: bool) -> None:
    chain, start = "AKVEADIPGHGQEVLIR", 12
    scaffold = unread(chain, start, len(chain))
    (gap,) = scaffold.gaps
    gap = replace(gap, min_length=0, max_length=None) if opened else gap
    found = look(scaffold, gap, seen(spectrum_of(chain[2:])), READINGS, 10.0)
    assert found is not None and found.evidence.mass is not None
    assert found.evidence.mass.mass == pytest.approx(weights(chain[start:]).sum(), abs=0.02)


def test_a_spectrum_that_may_show_two_masses_adds_none_to_that_of_another() -> None:
    """Its peptide begins behind one K or the other, and no fragment tells which."""
    chain = "AKVEKADIPGHGQEVLIR"
    opened = Gap(6, 11, 0, None)
    scaffold = replace(unread(chain, 6, 11), gaps=(opened,))
    clear = spectrum_of("ADIPGSGQEVLIR", name="made:1")
    either = spectrum_of(chain[2:], series="y", said="y", missing=range(1, 9), name="made:2")
    assert look(scaffold, opened, seen(either), READINGS, 10.0) is None
    found = look(scaffold, opened, seen(clear, either), READINGS, 10.0)
    assert found is not None and found.evidence.mass is not None and not found.evidence.others
    assert found.evidence.mass.mass == pytest.approx(weights("DIPGS").sum(), abs=0.02)


@pytest.mark.parametrize("form", [OXIDATION, -WATER])
def test_either_of_two_masses_may_be_that_of_a_form_of_the_others_peptide(form: float) -> None:
    light, heavy, other = (
        ShownMass(mass, 0.01, 1.0) for mass in (500.0, 500.0 + form, 500.1 + form)
    )
    assert are_forms(light, heavy) and are_forms(heavy, light)
    assert not are_forms(light, other)


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
    assert found.mass.mass == pytest.approx(true[-1], abs=2 * found.mass.tolerance)
    assert (shown(found).nats(true[:-1]) - found.unseen > 1).any()


def test_a_peptide_that_may_end_within_a_gap_shows_no_mass_of_it() -> None:
    """LSCAASGFNIK ends four residues into a gap of five, FNIKD, which might weigh as much if it
    were FGGIK; from a peptide with known residues on both sides its mass is known, whatever others
    there are, as one that ends with the gap."""
    letters = "LSCAASGFNIKDTYIHWVR"
    scaffold = Scaffold("c", "", letters[:7] + "XXXXX" + letters[12:], (Gap(7, 12, 5, 5),), 1)
    rules = MassRules(Modifications())
    true = mass_of("FNIKD")
    for stops, mass in (((11,), None), ((19,), true), ((19, 11), true), ((19, 12), true)):
        spectra = seen(*of_peptides(letters[:stop] for stop in stops))
        found = look(scaffold, scaffold.gaps[0], spectra, [(1.0, rules)], 10.0)
        shown = None if found is None or found.evidence.mass is None else found.evidence.mass.mass
        assert shown == (None if mass is None else pytest.approx(mass, abs=0.02))


@pytest.mark.parametrize("off", [-ISOTOPE, 0.0, ISOTOPE, 3.6])
def test_fragments_of_a_large_peptide_agree_on_the_mass_of_a_gap(off: float) -> None:
    """Its precursor, whose mass may be that of another isotope or the average one, is not asked;
    nor does a fragment end beside the gap."""
    scaffold, gap = gapped(mass=False)
    made = spectrum_of(CHAIN, 6, missing=range(START, END + 1))
    precursor = replace(made.precursor, mass=made.precursor.mass + off)
    assert precursor.mass > LARGE_MASS
    found = look(scaffold, gap, seen(replace(made, precursor=precursor)), READINGS, 10.0)
    assert found is not None and found.evidence.mass is not None
    assert found.evidence.mass.mass == pytest.approx(weights(CHAIN[START:END]).sum(), abs=0.03)


def test_a_large_peptide_without_fragments_behind_a_gap_shows_no_mass_of_it() -> None:
    scaffold, gap = gapped(mass=False)
    made = spectrum_of(CHAIN, 6, series="b", said="b", missing=range(START, len(CHAIN)))
    assert made.precursor.mass > LARGE_MASS
    (pair,) = seen(made)
    true = float(weights(CHAIN[START:END]).sum())
    known = flanks(scaffold, gap, 0.0, None)
    assert not list(gap_masses(*pair, known, true - 0.2, true + 0.2))
    assert look(scaffold, gap, [pair], READINGS, 10.0) is None
