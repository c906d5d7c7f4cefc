"""Several masses of one gap, and how they weigh in its ranking."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gap_of_peptide import LIGHTER, PEPTIDE, even, evidence_of, gapped, mixed, of_peptides
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.masses import DEAMIDATION, DENSITY, OXIDATION
from lacuna.core.tables import MassDoubt
from lacuna.filling.masses.by_spectra import nats_of_lengths, rank_by_spectra
from lacuna.filling.search.mass_search import SIGMAS
from lacuna.scaffolds.alkylation import Alkylation
from lacuna.scaffolds.json_lines import write_scaffolds
from lacuna.scaffolds.residue_masses import MassRules, Modifications
from lacuna.scaffolds.scaffold import ShownMass, SpectralEvidence
from lacuna.spectra.table import with_spectra
from lacuna.steps.read_spectra import look_at_spectra
from peaks import as_mgf, spectrum_of, weights


def rivals(*masses: tuple[str, float, float]) -> SpectralEvidence:
    """Masses of residues that spectra show, each with log odds and the nats of its cleavages."""
    each = []
    for residues, log_odds, nats in masses:
        prefixes = np.cumsum(weights(residues))
        cleavages = tuple((float(one), 0.01, nats) for one in prefixes[:-1])
        mass = ShownMass(float(prefixes[-1]), 0.01, log_odds)
        each.append(SpectralEvidence(cleavages, -0.1, mass=mass))
    return replace(each[0], others=tuple(each[1:]))


def one(residues: str, log_odds: float, *, tolerance: float = 0.01) -> SpectralEvidence:
    """A mass of residues that spectra show, but no cleavage."""
    return SpectralEvidence(mass=ShownMass(float(weights(residues).sum()), tolerance, log_odds))


@pytest.mark.parametrize("tolerance", [0.003, 0.012])
@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_a_mass_counts_by_its_odds_and_by_how_dense_masses_of_peptides_are(
    tolerance: float, probability: float
) -> None:
    """A tolerance of three standard deviations; only AGNK has the mass, in any order."""
    table = even("AGNK")
    expected = float(np.prod(table.max(1)))
    most = expected * SIGMAS / (tolerance * math.sqrt(2 * math.pi))  # of a normal error, per Da
    log_odds = math.log(probability / (1 - probability)) - math.log(most / DENSITY)
    ranking, words = rank_by_spectra(
        table, 5, one("AGNK", log_odds, tolerance=tolerance), MassRules()
    )
    assert float(words.split()[-1]) == pytest.approx(probability, abs=0.002)
    first = ranking.candidates[0]
    shares = probability + (1 - probability) * expected
    assert (first.sequence, first.probability) == ("AGNK", pytest.approx(shares, abs=0.002))
    assert np.allclose(ranking.distributions.sum(1), 1.0)


def test_masses_share_what_the_spectra_and_the_network_leave_them() -> None:
    three = replace(one("AGNK", 9.0), others=(one("AGNS", 9.0), one("AGNT", 9.0)))
    ranking, words = rank_by_spectra(even("AGNK", "AGNS", "AGNT"), 5, three, MassRules())
    assert {c.sequence for c in ranking.candidates[:3]} == {"AGNK", "AGNS", "AGNT"}
    for candidate in ranking.candidates[:3]:
        assert candidate.probability == pytest.approx(1 / 3, abs=0.02)
    assert words.split("; ")[0].endswith("probability 0.333")
    # Rivals of one of the masses take their shares, too.
    others = tuple(one(residues, 9.0).mass for residues in ("AGNS", "AGNT"))
    rivalled = replace(one("AGNK", 9.0), rivals=others)
    _, words = rank_by_spectra(even("AGNK", "AGNS", "AGNT"), 5, rivalled, MassRules())
    assert words.endswith("probability 0.333")


@pytest.mark.parametrize(
    ("off", "tolerances", "named"),
    [
        (DEAMIDATION, (0.003, 0.003), False),
        (DEAMIDATION + 0.01, (0.003, 0.003), True),
        (DEAMIDATION + 0.01, (0.02, 0.003), False),
        (DEAMIDATION + 0.01, (0.003, 0.02), False),
    ],
)
def test_a_mass_of_a_form_of_the_same_peptide_is_not_named(
    off: float, tolerances: tuple[float, float], named: bool
) -> None:
    """The masses may be apart from that of a form by the wider of their tolerances."""
    best = one("AGNK", 9.0, tolerance=tolerances[0])
    other = SpectralEvidence(mass=ShownMass(weights("AGNK").sum() + off, tolerances[1], 2.0))
    _, words = rank_by_spectra(even("AGNK"), 5, replace(best, others=(other,)), MassRules())
    assert (MassDoubt.OF_SPECTRA in words) == named


@pytest.mark.parametrize("n", [1, 150])
def test_as_many_sequences_are_listed_as_are_asked_for(n: int) -> None:
    table = np.full((4, N_RESIDUES), 1 / N_RESIDUES)
    ranking, _ = rank_by_spectra(table, n, one("AGNK", 3.0), MassRules())
    sequences = [candidate.sequence for candidate in ranking.candidates]
    assert len(set(sequences)) == len(sequences) == n


@pytest.mark.parametrize("log_odds", [-14.0, -11.0, 3.0])
def test_i_or_l_is_one_residue_however_probable_the_mass_is(log_odds: float) -> None:
    table = even("AGLK", "AGIK", "AGIK")
    ranking, _ = rank_by_spectra(table, 3, one("AGLK", log_odds), MassRules())
    first, second = ranking.candidates[:2]
    assert first.sequence == "AGIK" and first.probability > 0.99
    assert second.sequence != "AGLK" and second.probability < 0.01


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


def test_a_sequence_that_fits_two_masses_is_listed_with_the_likelier_one() -> None:
    """M is rarely oxidised, so that of masses that spectra show as often the plain one is."""
    plain = rivals(("AMNK", 3.0, 1.0))
    mass = float(weights("AMNK").sum())
    oxidised = SpectralEvidence((), -0.1, mass=ShownMass(mass + OXIDATION, 0.01, 3.0))
    rules = MassRules(Modifications(usual=True))
    for either in (replace(oxidised, others=(plain,)), replace(plain, others=(oxidised,))):
        ranking, words = rank_by_spectra(even("AMNK"), 5, either, rules)
        first = ranking.candidates[0]
        assert first.sequence == "AMNK" and first.mass == pytest.approx(mass, abs=1e-3)
        assert words.startswith(f"mass {mass:.4f} Da")


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


def test_no_mass_chooses_its_length_by_more_cleavages_than_the_most_probable_one_has() -> None:
    tables = [even("AGNK", "AGNS"), even("AGNKK", "AGNSK")]
    few, many = (
        nats_of_lengths(tables, rivals(("AGNK", 3.0, 1.0), ("AGNS", 0.0, n)), MassRules())
        for n in (1.0, 8.0)
    )
    assert many == pytest.approx(few, abs=0.01)
    surer = nats_of_lengths(tables, rivals(("AGNK", 3.0, 8.0), ("AGNS", 0.0, 1.0)), MassRules())
    assert surer[0] > few[0] + 10.0


def test_spectra_say_nothing_of_a_length_that_has_no_residues_or_of_masses_that_none_shows() -> (
    None
):
    tables = [np.zeros((0, N_RESIDUES)), even("AGNK")]
    none, four = nats_of_lengths(tables, one("AGNK", 3.0), MassRules())
    assert none == 0.0 < four
    assert nats_of_lengths(tables, SpectralEvidence(), MassRules()) == [0.0, 0.0]


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
            table, 5, SpectralEvidence(mass=ShownMass(mass, 0.005, 30.0)), MassRules()
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
    evidence = SpectralEvidence(((first, 0.01, 1.7),), mass=ShownMass(mass, 0.02, -10.0))
    one, *others = (rank_by_spectra(table, n, evidence, MassRules())[0] for n in (1, 2, 5, 60))
    for other in others:
        assert other.candidates[:1] == one.candidates


@pytest.mark.parametrize(
    ("log_odds", "said"), [(-3.0, ""), (2.0, ""), (3.0, "spectra show another mass, 430.1230 Da")]
)
def test_a_mass_that_no_probable_sequence_has_changes_nothing(log_odds: float, said: str) -> None:
    wrong = SpectralEvidence(mass=ShownMass(430.123, 0.01, log_odds))
    ranking, words = mixed(wrong)
    table = mixed(SpectralEvidence())[0]
    assert words == said and ranking.candidates == table.candidates
    assert bool(MassDoubt.of_status(words)) == bool(said)
