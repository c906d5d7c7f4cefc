"""Which spectra are of a peptide that spans a gap, by its known flanks."""

import math
from dataclasses import astuple, replace

import numpy as np
import pytest

from chains import hidden
from gap_of_peptide import CHAIN, END, PEPTIDE, READINGS, START, evidence_of, gapped, seen, unread
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.masses import AMMONIA, CARBAMIDOMETHYL, CARBAMYL, DEAMIDATION, OXIDATION
from lacuna.core.tables import MASS, SPECTRUM
from lacuna.filling.masses.by_spectra import rank_by_spectra
from lacuna.filling.search.cleavages import shown
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.residue_masses import MassRules
from lacuna.scaffolds.scaffold import (
    Gap,
    Measured,
    ResidueModification,
    Scaffold,
    ShownMass,
    SpectralEvidence,
)
from lacuna.spectra.flanks import flanks
from lacuna.spectra.ions import OFFSET
from lacuna.spectra.match import matches
from lacuna.spectra.odds import look
from lacuna.spectra.peaks import fragments
from lacuna.spectra.read import ALL_SERIES
from lacuna.spectra.tally import tally_of, tally_of_flank
from peaks import spectrum_of, weights


def test_a_spectrum_is_of_the_peptide_that_its_fragments_show() -> None:
    scaffold, gap = gapped()
    known = flanks(scaffold, gap, 0.0, 60)
    (pair,) = seen(spectrum_of(PEPTIDE))
    measured = Measured(gap.mass, 0.005)
    found = [m for m in matches(*pair, known, measured, 10.0) if m.probability > 0.5]
    assert [(m.start, m.end) for m in found] == [(17, 32)]
    assert found[0].probability > 0.999


def test_a_peptide_may_be_far_less_probable_than_another_of_its_spectrum() -> None:
    part = (CHAIN + "TIDEPAR") * 4  # of a chain: one residue on, and the mass is nearly the same
    chain = part + "LSK"
    whole = float(weights(chain[START:END]).sum())
    gap = Gap(START, END, END - START, END - START, whole, whole * 1e-5)
    letters = hidden(chain, [(START, END)]).replace("-", "X")
    spectrum = spectrum_of(part, 12, series=ALL_SERIES)
    scaffold = Scaffold("c", "", letters, (gap,), 1)
    known = flanks(scaffold, gap, 0.0, None)
    found = list(matches(*seen(spectrum)[0], known, Measured(whole, 0.005), 10.0))
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


@pytest.mark.parametrize(("off_ppm", "used"), [(-9.0, True), (9.0, True), (16.0, False)])
def test_a_precursor_may_be_off_by_its_tolerance_and_that_of_the_gap(
    off_ppm: float, used: bool
) -> None:
    """10 ppm of either, which are 13 ppm of the precursor."""
    made = spectrum_of(PEPTIDE)
    moved = replace(made.precursor, mass=made.precursor.mass * (1 + off_ppm / 1e6))
    assert (evidence_of(replace(made, precursor=moved)) is not None) == used


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
    """An oxidised M or W and a deamidated N anywhere, pyroglutamate where a peptide begins, and
    what reagents leave there if it is at a tryptic end."""
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
        (4, "Q4 carbamylated"),
        (0, "Q0 carbamylated"),
    }
    assert known.left.shares.sum() == pytest.approx(1.0)
    beyond = known.left.carried == "M2 oxidised"
    more = known.left.parts[beyond] - known.left.parts[0]
    assert np.allclose(more, [0, 0, 0, 0, OXIDATION, OXIDATION, OXIDATION])
    assert known.left.inner(int(np.flatnonzero(beyond)[0])).tolist() == [*known.left.parts[0][:4]]
    assert set(known.right.carried) == {"", "N8 deamidated"}
    alkylated = flanks(scaffold, gap, CARBAMIDOMETHYL, 60).left
    (row,) = np.flatnonzero(alkylated.carried == "Q4 alkylated").tolist()
    assert alkylated.masses[row] - known.left.masses[2] == pytest.approx(CARBAMIDOMETHYL)
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
    for said, any_said in ((("b", "y"), False), (ALL_SERIES, True)):
        made = spectrum_of(PEPTIDE, said=said)
        assert (look(scaffold, gap, seen(made), READINGS, 10.0) is not None) is any_said


MODIFIED = (  # peptide of CHAIN as positions, gap, the residue and what it carries
    ((1, 17), (9, 12), 7, OXIDATION, "W7 oxidised"),
    ((1, 17), (9, 12), 12, DEAMIDATION, "N12 deamidated"),
    ((0, 17), (4, 7), 0, OXIDATION, "M0 oxidised"),
    ((8, 17), (11, 14), 8, -AMMONIA, "Q8 pyroglutamate"),
    ((17, 32), (20, 23), 17, CARBAMYL, "V17 carbamylated"),
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
        assert found.evidence.mass.mass == pytest.approx(inner[-1], abs=0.02)


def test_what_a_residue_beside_the_gap_carries_may_be_in_the_gap() -> None:
    """No fragment ends between them: it is a matter of how often M is oxidised."""
    scaffold = unread("AKGLSDMEWVEADIPGHK", 7, 10)
    made = spectrum_of("GLSDMEWVEADIPGHK", modified={4: OXIDATION}, missing=[4, 5])
    found = look(scaffold, scaffold.gaps[0], seen(made), READINGS, 10.0)
    assert found is not None and found.evidence.mass is not None
    mass, tolerance, log_odds = astuple(found.evidence.mass)
    assert mass == pytest.approx(weights("EWV").sum() + OXIDATION, abs=tolerance)
    assert 1.5 < log_odds < 2.5
    rival, _, nats = astuple(found.evidence.rivals[0])
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
    alone = SpectralEvidence(mass=ShownMass(mass, 0.005, 3.0))
    rival = replace(alone, rivals=(ShownMass(mass - DEAMIDATION, 0.005, 3.0 + math.log(0.03)),))
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
