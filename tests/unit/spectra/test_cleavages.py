"""What a spectrum says of the cleavages of a gap."""

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from gap_of_peptide import (
    CHAIN,
    END,
    PEPTIDE,
    READINGS,
    START,
    cleaved,
    evidence_of,
    gapped,
    seen,
)
from gaps import mass_of
from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.masses import PROTON
from lacuna.core.tables import CLEAVAGE
from lacuna.filling.search.cleavages import MOST_NATS, Shown, shown
from lacuna.filling.search.decode import rank_plain, rank_sequences
from lacuna.filling.search.mass_search import search
from lacuna.filling.search.stages import Stages, one_mass
from lacuna.scaffolds.residue_masses import MassRules
from lacuna.scaffolds.scaffold import Gap, Scaffold, SpectralEvidence
from lacuna.spectra.odds import look
from peaks import spectrum_of, weights


def test_every_cleavage_that_is_shown_counts() -> None:
    found = evidence_of(spectrum_of(PEPTIDE))
    assert found is not None and found.mass is None
    assert all(nats > 3 for nats in cleaved(found).values())
    assert found.unseen < 0


@pytest.mark.parametrize("charge", [1, 2])
def test_a_cleavage_is_named_by_the_peak_that_shows_it(charge: int) -> None:
    made = spectrum_of(PEPTIDE, 3, said=("b", "y"), fragment_charges=(charge,))
    found = look(*gapped(), seen(made), READINGS, 10.0)
    assert found is not None
    ions = [row.ions.split() for row in found.rows if row.kind == CLEAVAGE]
    assert sum(ion[2] == f"({charge}+)" for ion in ions) == 8
    for _, mz, _ in ions:
        assert np.abs(made.mz - float(mz)).min() < 1e-3


def test_a_fragment_of_known_residues_is_no_cleavage_of_a_gap() -> None:
    """The y ion FYR is as heavy as the b ion QAWV would be, which the gap might begin with."""
    peptide, gap = "QAWDVGSAEFYR", Gap(3, 7, 4, 4, mass_of("DVGS"), 0.005)
    scaffold = Scaffold("c", "", "QAWXXXXAEFYR", (gap,), 1)
    made = spectrum_of(peptide, said=("b", "y"))
    again = float(weights("QAWV").sum()) + PROTON
    assert np.abs(made.mz - again).min() < 0.001
    found = look(scaffold, gap, seen(made), READINGS, 10.0)
    assert found is not None
    true = np.cumsum(weights("DVG")).tolist()
    masses = [mass for mass, *_ in found.evidence.cleavages]
    assert masses == pytest.approx(np.repeat(true, 2), abs=0.01)


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


def test_a_spectrum_full_of_peaks_takes_nothing_from_a_clean_one_of_its_peptide() -> None:
    clean, full = (spectrum_of(PEPTIDE, series="b", said="b", noise=n) for n in (0, 1000))
    alone, poor, both = evidence_of(clean), evidence_of(full), evidence_of(clean, full)
    assert alone is not None and poor is not None and both is not None
    assert max(cleaved(poor).values()) < min(cleaved(alone).values()) - 1
    for cleavage, nats in cleaved(alone).items():
        assert cleaved(both)[cleavage] == pytest.approx(nats, abs=0.1)


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


def test_two_spectra_of_one_peptide_do_not_add_up() -> None:
    one, two = (
        evidence_of(*(spectrum_of(PEPTIDE, name=f"made:{i}") for i in range(n))) for n in (1, 2)
    )
    assert one == two


@pytest.mark.parametrize(("series", "more"), [("b", 0.0), ("y", 0.03)])
def test_a_cleavage_by_y_ions_is_as_exact_as_the_mass_of_the_gap(series: str, more: float) -> None:
    """Its prefix is what is left of that mass."""
    spectra = seen(spectrum_of(PEPTIDE, series=series, said=series))
    scaffold, gap = gapped()
    wide = replace(gap, tolerance_da=(gap.tolerance_da or 0.0) + 0.03)
    exact, inexact = (
        look(replace(scaffold, gaps=(one,)), one, spectra, READINGS, 10.0) for one in (gap, wide)
    )
    assert exact is not None and inexact is not None
    pairs = list(zip(exact.evidence.cleavages, inexact.evidence.cleavages, strict=True))
    assert len(pairs) == 4
    for (prefix, tolerance, _), (same, wider, _) in pairs:
        assert same == prefix and wider - tolerance == pytest.approx(more)


def test_cleavages_behind_and_before_the_lightest_residue_are_shown() -> None:
    """The gap is GHG, of which one series is read."""
    made = spectrum_of(PEPTIDE, series="b", said="b")
    found = look(*gapped(23, 26), seen(made), READINGS, 10.0)
    assert found is not None
    at = np.cumsum(weights("GHG"))[:-1]
    assert (shown(found.evidence).nats(at) - found.evidence.unseen > 2).all()
