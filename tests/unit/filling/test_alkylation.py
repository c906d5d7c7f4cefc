"""The mass of cysteine: found from masses, written on residues, stated, or undecidable."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyteomics.mass import calculate_mass, std_aa_mass

import bundled
from chains import germline_chain, hidden
from conftest import Write
from gaps import distributions
from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.masses import CARBAMIDOMETHYL
from lacuna.core.statistics import softmax
from lacuna.core.tables import GAP_TABLE
from lacuna.core.words import AUTO
from lacuna.filling.cysteine import find_convention, find_reading
from lacuna.filling.fill import Tables, fill_chains
from lacuna.filling.masses.conventions import CONVENTIONS
from lacuna.filling.masses.weighing import (
    FLOOR_OF_MASS,
    MOST_ODDS,
    READING_NAMES,
    contradiction,
    odds_of,
)
from lacuna.filling.reader import Reader
from lacuna.filling.search.decode import mass_log_probability, rank_sequences
from lacuna.filling.search.mass_search import LIKELY_WIDTHS
from lacuna.filling.search.stages import one_mass
from lacuna.network.encode import encode_scaffolds
from lacuna.reads.cysteine import write_carried
from lacuna.scaffolds.alkylation import (
    EVIDENCE,
    MAX_CHAINS,
    READINGS,
    Alkylation,
    EvidenceChains,
    read_alkylation,
    reading_of,
    state_of,
    with_spectra,
)
from lacuna.scaffolds.residue_masses import MAX_MASS, MassRules, Modifications
from lacuna.scaffolds.scaffold import Gap, ResidueModification, Scaffold
from lacuna.steps.find_alkylation import find_alkylation
from lacuna.steps.one_file import fill_file
from lacuna.steps.reader_files import ReaderFiles

CAM = READINGS["carbamidomethyl"].mass


def mass_of(residues: str, carried: float = 0.0) -> float:
    return sum(std_aa_mass[r] for r in residues) + carried * residues.count("C")


def chain(
    name: str, whole: str, *spans: tuple[int, int], carried: float = 0.0, known: bool = True
) -> Scaffold:
    """The chain with gaps of known mass; `known`: of known length too."""
    gaps: list[Gap] = []
    letters = hidden(whole, spans)
    for a, b in reversed(spans):
        mass = mass_of(whole[a:b], carried)
        if not known:
            letters = letters[:a] + "X" + letters[b:]
        gaps.append(Gap(a, b, b - a, b - a, mass, mass * 1e-5))
    if not known:
        assert len(gaps) == 1  # the others would have shifted
        gaps = [replace(gaps[0], end=gaps[0].start + 1, min_length=1, max_length=None)]
    return Scaffold(name, "", letters, tuple(reversed(gaps)), 1)


def around_cysteines(whole: str, before: int = 2, behind: int = 3) -> list[tuple[int, int]]:
    """A span around each cysteine of a chain."""
    return [(i - before, i + behind) for i, c in enumerate(whole) if c == "C" and i > before]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return bundled.reader()


def gap_rows(chains: Sequence[Scaffold], modifications: Modifications) -> list[dict[str, str]]:
    """The rows of gaps.tsv for chains whose gaps have known lengths."""
    kmers = encode_scaffolds(chains, bundled.predictor().library)
    predict = bundled.predictor().predict
    tables = Tables(
        fill_chains(
            chains,
            kmers,
            bundled.reader().encoder,
            predict,
            candidates=3,
            modifications=modifications,
        )
    )
    lines = tables.texts["gaps"].getvalue().splitlines()
    return [dict(zip(GAP_TABLE.names, line.split("\t"), strict=True)) for line in lines]


# --- readings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READINGS)
def test_masses_are_those_of_their_formulas(name: str) -> None:
    reading = READINGS[name]
    carried = calculate_mass(formula=reading.formula) if reading.formula else 0.0
    assert reading.mass == pytest.approx(carried, abs=2e-6)
    assert reading_of(carried) == reading_of(round(carried, 2)) == name


def test_what_no_reading_weighs_is_none_of_them() -> None:
    assert reading_of(119.0041) is reading_of(-17.0) is reading_of(57.5) is None


def test_no_mass_decides_alone_and_two_that_agree_do() -> None:
    assert sum(reading.prior for reading in READINGS.values()) == pytest.approx(1.0), "priors"
    prior = np.log([reading.prior for reading in READINGS.values()])
    for name, needed in (("carbamidomethyl", 2), ("none", 2), ("nem", 3)):
        by_name = np.full(len(READING_NAMES), 0.0)
        by_name[READING_NAMES.index(name)] = 1.0
        odds = odds_of(by_name)
        assert np.exp(-odds.min()) == pytest.approx(MOST_ODDS)
        for n in range(1, 4):
            share = softmax(prior + n * odds)[READING_NAMES.index(name)]
            assert (share >= 0.99) == (n >= needed)


def test_a_mass_that_fits_by_no_reading_says_nothing() -> None:
    found = np.full(len(READING_NAMES), FLOOR_OF_MASS / 1e6)
    found[2] *= 100
    assert np.ptp(odds_of(found)) < 1e-3


# --- the state of a sample -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["none", "carbamidomethyl", "propionamide"])
@pytest.mark.parametrize("known", [True, False])
def test_the_state_is_found_from_masses(reader: Reader, name: str, known: bool) -> None:
    carried = READINGS[name].mass
    chains = []
    for i, locus in enumerate("HKLHK"):
        whole = germline_chain(locus, i)
        span = around_cysteines(whole)[0]
        chains.append(chain(f"{i}", whole, span, carried=carried, known=known))
    state = find_reading(chains, Modifications(), reader)
    assert state.how == "found" and state.readings == ((name, 1.0),)
    assert state.masses == 5 and state.informative >= 3
    assert f"C weighs {mass_of('C', carried):.3f} Da" in state.sentence()


def test_gaps_without_a_cysteine_tell_nothing(reader: Reader) -> None:
    whole = germline_chain("H", 1)
    state = find_reading([chain("a", whole, (40, 45))], Modifications(), reader)
    assert (state.how, state.informative) == ("open", 0)
    assert [name for name, _ in state.readings] == ["carbamidomethyl", "none"]
    assert state.indifferent and "do not depend on what C carries" in state.sentence()
    unweighed = replace(state, indifferent=False)
    assert "cannot be determined (no evidence from masses)" in unweighed.sentence()


def test_one_wrong_mass_does_not_decide(reader: Reader) -> None:
    whole = germline_chain("K", 2)
    wrong = chain("wrong", whole, around_cysteines(whole)[0], carried=CAM)
    assert find_reading([wrong], Modifications(), reader).how == "open"
    others = [germline_chain("K", i) for i in range(4, 7)]
    right = [chain(str(i), other, around_cysteines(other)[0]) for i, other in enumerate(others)]
    assert find_reading([wrong, *right], Modifications(), reader).readings[0][0] == "none"


def test_what_is_written_on_observed_cysteines_holds(reader: Reader) -> None:
    whole = germline_chain("H", 1)
    scaffold = chain("a", whole, (40, 45))
    at = whole.index("C")
    written = replace(scaffold, modifications=(ResidueModification(at, 57.02, "+57.02"),))
    state = find_reading([written], Modifications(), reader)
    assert state.how == "found" and state.written == (("carbamidomethyl", 1),)
    assert state.sentence().endswith("found from 1 observed C")
    other = replace(scaffold, modifications=(ResidueModification(at - 1, 57.02),))
    assert find_reading([other], Modifications(), reader).how == "open"


def test_the_true_residues_are_not_looked_at(reader: Reader) -> None:
    whole = germline_chain("H", 3)
    span = around_cysteines(whole)[0]
    scaffold = chain("a", whole, span, carried=CAM)
    told = replace(scaffold, gaps=(replace(scaffold.gaps[0], truth="C" * (span[1] - span[0])),))
    one, other = (find_reading([s], Modifications(), reader) for s in (scaffold, told))
    assert one == other


def test_no_more_chains_are_read_than_it_takes(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counted(chains: Sequence[Scaffold], *_: object) -> list[object]:
        nonlocal read
        read += len(chains)
        return [[]] * len(chains)

    odds = np.full(len(READING_NAMES), -np.log(MOST_ODDS))
    odds[0] = 0.0
    errors = np.array([0.0, *[-3.0] * len(CONVENTIONS)])
    monkeypatch.setattr("lacuna.filling.cysteine._masses_of", counted)
    monkeypatch.setattr("lacuna.filling.cysteine._odds", lambda _: odds)
    monkeypatch.setattr("lacuna.filling.masses.conventions.odds_of_conventions", lambda _: errors)
    whole = germline_chain("H", 1)
    chains = [chain(str(i), whole, (20, 25)) for i in range(1000)]
    assert find_reading(chains, Modifications(), reader).how == "found"
    assert read == 64
    read = 0
    assert find_convention(chains, Modifications(), reader) == ""
    assert read == 64


def test_the_chains_that_can_tell_do_not_depend_on_their_order(tmp_path: Path) -> None:
    plain = [Scaffold(f"p{i}", "", "AXC", (Gap(1, 2, 1, 1),), 1) for i in range(50)]
    oxidised = (ResidueModification(0, 15.9949, "Oxidation"),)
    plain += [Scaffold("pm", "", "MXC", (Gap(1, 2, 1, 1),), 1, oxidised)]
    gap = Gap(1, 2, 1, 1, 57.02, 0.01)
    massed = [Scaffold(f"m{i}", "", "AXC", (gap,), 1) for i in range(MAX_CHAINS + 500)]
    texts = []
    for seed in (1, 2):
        chains = plain + massed
        random.Random(seed).shuffle(chains)
        evident = EvidenceChains()
        assert list(evident.watch(chains)) == chains
        evident.write(tmp_path)
        texts.append((tmp_path / EVIDENCE).read_text())
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == MAX_CHAINS and '"p' not in texts[0]


@pytest.mark.parametrize("stated", [AUTO, "nem"])
def test_without_masses_nothing_is_loaded(tmp_path: Path, stated: str) -> None:
    nowhere = tmp_path / "no_file"
    reader = ReaderFiles(nowhere, nowhere, None, AUTO, 128, 64, 0.95, "fast")
    out = tmp_path / "alkylation.json"
    given: dict[str, Any] = {"modifications": {}, "tolerance_ppm": 10.0}
    find_alkylation(tmp_path, out, alkylation=stated, reader=reader, **given)
    state = read_alkylation(out)
    assert state.masses == 0 and json.loads(out.read_text())["how"] == state.how
    if stated == "nem":
        assert state == Alkylation((("nem", 1.0),), "stated")
        assert state.sentence() == "C weighs 228.057 Da, N-ethylmaleimide-modified: as stated"


def state_by_reads(folder: Path, carried: dict[float, int], stated: str = AUTO) -> Alkylation:
    """The state of a sample without masses whose reads carry so many of these masses on C."""
    nowhere, reads, out = (folder / name for name in ("no_file", "cysteine.json", "state.json"))
    write_carried(reads, carried)
    reader = ReaderFiles(nowhere, nowhere, None, AUTO, 128, 64, 0.95, "fast")
    given: dict[str, Any] = {"modifications": {}, "tolerance_ppm": 10.0, "reads": reads}
    find_alkylation(folder, out, alkylation=stated, reader=reader, **given)
    return read_alkylation(out)


def test_what_reads_carry_on_c_holds_unless_it_is_stated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    state = state_by_reads(tmp_path, {57.0215: 800, 58.0055: 8})
    assert state.readings == (("carbamidomethyl", 1.0),) and state.how == "found"
    assert state.read == (("carbamidomethyl", 800), ("carboxymethyl", 8))
    weighs = "C weighs 160.031 Da, carbamidomethylated"
    assert state.sentence() == f"{weighs}: found from 800 C's of reads"
    rare = state_by_reads(tmp_path, {58.01: 40})
    assert rare.readings == (("carboxymethyl", 1.0),)
    # A few on C are mistakes, and a mass that is none of the states says nothing of them.
    for carried in ({58.01: 4}, {27.99: 500}, {}):
        assert state_by_reads(tmp_path, carried).how == "open"
    assert not caplog.records
    state = state_by_reads(tmp_path, {57.0215: 800}, "none")
    assert state.readings == (("none", 1.0),)
    told = "as stated, but 800 of the C's of reads are carbamidomethylated: if the reads"
    assert told in state.sentence() and told in caplog.text


def test_reads_of_two_preparations_leave_the_state_open(tmp_path: Path) -> None:
    state = state_by_reads(tmp_path, {57.0215: 300, 58.0055: 200})
    assert state.how == "open"
    assert [name for name, _ in state.readings] == ["carbamidomethyl", "carboxymethyl"]
    assert dict(state.readings)["carboxymethyl"] == pytest.approx(0.4, abs=1e-3)
    assert (
        "(reads show it carbamidomethylated in 300 C's and carboxymethylated in 200 C's): 0.60"
        in state.sentence()
    )


def test_masses_may_contradict_what_reads_carry_on_c(reader: Reader) -> None:
    """A single mass does not; several do, and the sentence says so."""
    whole = germline_chain("H", 1)
    chains = [chain(str(i), whole, *around_cysteines(whole)) for i in range(8)]
    read = {"carbamidomethyl": 800}
    one = find_reading(
        [chain("m", whole, around_cysteines(whole)[0])], Modifications(), reader, read
    )
    assert one.readings[0][0] == "carbamidomethyl"
    state = replace(find_reading(chains, Modifications(), reader, read), read=tuple(read.items()))
    assert state.readings == (("none", 1.0),) and state.contradicted
    assert "but 800 of the C's of reads are carbamidomethylated" in state.sentence()


def test_a_state_that_is_open_is_not_contradicted() -> None:
    """Reads that carry another one than the likeliest are among what leaves it open."""
    read = (("propionamide", 9),)
    state = state_of([], {"carbamidomethyl": 0.6, "propionamide": 0.4}, informative=2)
    both = replace(state, read=read)
    assert not both.contradicted and "C's of reads" not in both.sentence()
    found = replace(state_of([], {"carbamidomethyl": 0.999, "propionamide": 0.001}), read=read)
    assert found.contradicted and "9 of the C's of reads" in found.sentence()


# --- candidates ----------------------------------------------------------------------------------


def test_candidates_by_several_readings_are_ranked_together() -> None:
    """S C in one reading has the mass of S and a residue heavier by 57 Da in the other."""
    read = distributions({"S": 0.9, "G": 0.1}, {"C": 0.6, "W": 0.2, "A": 0.2})
    mass = mass_of("SC", CAM)
    both = Modifications(((CAM, 0.75), (0.0, 0.25)))
    each = {c: MassRules(Modifications(((c, 1.0),))) for c in (CAM, 0.0)}
    wide = mass_of("SW") - mass + 0.01  # SW fits by both
    ranking = rank_sequences(read, 5, one_mass(mass, wide), MassRules(both))
    alone = {c: rank_sequences(read, 5, one_mass(mass, wide), rules) for c, rules in each.items()}
    expected: dict[str, float] = {}
    for c, share in both.cysteine:
        for candidate in alone[c].candidates:
            given = share * candidate.probability
            expected[candidate.sequence] = expected.get(candidate.sequence, 0.0) + given
    found = {c.sequence: c.probability for c in ranking.candidates}
    assert found == pytest.approx(expected) and sum(found.values()) == pytest.approx(1.0)
    best = ranking.candidates[0]
    assert best.sequence == "SC" and best.readings == (1.0, 0.0)
    assert best.mass == pytest.approx(mass)
    np.testing.assert_allclose(ranking.distributions.sum(1), 1.0)
    logs = [mass_log_probability(read, one_mass(mass, wide), rules) for rules in each.values()]
    assert ranking.mass_probability == pytest.approx(
        0.75 * np.exp(logs[0]) + 0.25 * np.exp(logs[1])
    )
    assert mass_log_probability(read, one_mass(mass, wide), MassRules(both)) == pytest.approx(
        np.log(ranking.mass_probability)
    )


def test_a_reading_by_which_nothing_fits_drops_out() -> None:
    read = distributions({"C": 0.9, "A": 0.1})
    both = MassRules(Modifications(((0.0, 0.9), (CAM, 0.1))))
    ranking = rank_sequences(read, 5, one_mass(mass_of("C", CAM), 0.002), both)
    assert [(c.sequence, c.probability) for c in ranking.candidates] == [("C", 1.0)]
    assert ranking.candidates[0].readings == (0.0, 1.0)
    assert rank_sequences(read, 5, one_mass(300.0, 0.002), both).candidates == ()


def test_a_contradiction_is_looked_for_only_where_a_cysteine_could_make_one() -> None:
    read = distributions({"C": 0.9, "A": 0.1}, {"G": 1.0})
    mass = mass_of("CG", CAM)
    plain = MassRules()
    assert contradiction(read, one_mass(mass, 0.002), plain, 0.0) == "carbamidomethyl"
    assert contradiction(read, one_mass(mass, 0.002), plain, 0.5) is None
    assert contradiction(distributions({"A": 1.0}), one_mass(mass, 0.002), plain, 0.0) is None


def test_the_table_says_what_cysteine_weighs_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    whole = germline_chain("H", 2)
    spans = around_cysteines(whole)[:1] + [(40, 45)]
    massed = chain("alkylated", whole, *spans, carried=CAM)
    plain = replace(massed, chain="plain", gaps=tuple(replace(g, mass=None) for g in massed.gaps))
    cam = Modifications(((CAM, 1.0),))
    rows = [r for r in gap_rows([massed, plain], cam) if r["rank"] == "1"]
    assert [r["cysteine"] for r in rows] == ["carbamidomethyl"] * 2 + ["", ""]
    assert [r["candidate"] for r in rows[:2]] == [whole[a:b] for a, b in spans]
    assert abs(float(rows[0]["mass_error_ppm"])) < 0.1
    assert not caplog.records
    rows = [r for r in gap_rows([massed], Modifications()) if r["rank"] == "1"]
    assert "contradicts C: fits far better with carbamidomethylated C" in rows[0]["status"]
    assert rows[1]["status"] == "filled" and rows[1]["cysteine"] == "none"
    assert "gap 1 of 'alkylated' contradicts the mass of C: fits far better" in caplog.text
    open_state = Modifications(((CAM, 0.8), (0.0, 0.2)))
    rows = [r for r in gap_rows([massed], open_state) if r["rank"] == "1"]
    assert [r["cysteine"] for r in rows] == ["carbamidomethyl", "carbamidomethyl:0.80,none:0.20"]
    assert rows[0]["candidate"] == whole[slice(*spans[0])]


def test_a_cysteine_written_otherwise_than_stated_is_told() -> None:
    whole = germline_chain("H", 2)
    at = whole.index("C")
    written = (ResidueModification(at, 57.0215, "Carbamidomethyl"),)
    scaffold = replace(chain("m", whole, (40, 45)), modifications=written)
    (row, *_) = gap_rows([scaffold], Modifications())
    says = f"contradicts C: C {at + 1} of the chain is written as carbamidomethylated"
    assert row["status"] == f"filled ({says})"


def test_a_mass_beyond_what_is_decoded_leaves_the_gap_open_and_says_so() -> None:
    whole = germline_chain("H", 2)
    heavy = Scaffold("m", "", whole[:40] + "X" + whole[45:], (Gap(40, 41, 1, None, 1e5, 1.0),), 1)
    long = Scaffold("n", "", "EVQL" + "X" * 500, (Gap(4, 504, 500, 500, 55_000.0, 0.5),), 1)
    rows = gap_rows([heavy, long], Modifications())
    assert len(rows) == 2
    for row in rows:
        assert row["candidate"] == "" and row["status"].startswith("mass_too_large (decoded")
        assert f"{MAX_MASS:.0f} Da" in row["status"]


@pytest.mark.parametrize("length", [30, 100, 450])
def test_the_work_of_a_long_gap_is_bounded(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefixes times residues, at every length, down to the smallest useful beam width: those that
    are kept, and the likely ones that are looked at first."""
    chosen = 0

    def counted(scores: np.ndarray, width: int) -> np.ndarray:
        nonlocal chosen
        chosen += width
        return np.arange(min(len(scores), width))

    monkeypatch.setattr("lacuna.filling.search.mass_search.highest", counted)
    even = np.full((length, N_RESIDUES), 1 / N_RESIDUES)
    mass_log_probability(even, one_mass(length * 110.0, 1.0))
    assert chosen <= (1 + LIKELY_WIDTHS) * 30 * 4096


def test_a_state_that_is_open_is_not_shown_as_settled(tmp_path: Path) -> None:
    """No second one is plausible, and yet the first is not certain."""
    chains = [chain("m", germline_chain("H", 1), (40, 45))]
    shares = {"carbamidomethyl": 0.985, "none": 0.012, "nem": 0.003}
    state = state_of(chains, shares, informative=1)
    assert state.how == "open" and [name for name, _ in state.readings] == list(shares)[:2]
    said = "(too little evidence from 1 mass): 0.99 carbamidomethylated, 0.01 unmodified"
    assert said in state.sentence()
    state.write(tmp_path / "a.json")
    assert read_alkylation(tmp_path / "a.json") == state
    row = gap_rows(chains, Modifications(state.cysteine))[0]
    assert row["cysteine"].startswith("carbamidomethyl:0.99,none:")


# --- what spectra say ----------------------------------------------------------------------------

OPEN = {name: reading.prior for name, reading in READINGS.items()}


def only(name: str, nats: float) -> dict[str, float]:
    """Log odds that a gap's spectra give, to one reading above all others."""
    return {other: 0.0 if other == name else -nats for other in READINGS}


def test_masses_that_are_evidence_only_together_are_named_so() -> None:
    chains = [chain(str(i), germline_chain("H", 1), (40, 45)) for i in range(10)]
    found = state_of(chains, {"carbamidomethyl": 0.995, "none": 0.005})
    assert found.sentence().endswith(": found from 10 masses together")
    spectra = with_spectra(state_of([], OPEN), [only("none", 0.6)] * 20)
    assert spectra.sentence().endswith(": found from spectra of 20 peptides together")


def test_spectra_tell_a_rare_state_and_little_of_them_tells_nothing() -> None:
    state = state_of([], OPEN)
    found = with_spectra(state, [only("nem", 5.0), only("nem", 5.0)])
    assert (found.how, found.readings, found.told) == ("found", (("nem", 1.0),), 2)
    assert found.sentence().endswith("N-ethylmaleimide-modified: found from spectra of 2 peptides")
    flat = with_spectra(state, [dict.fromkeys(READINGS, 0.0)])
    assert flat.how == "open" and flat.told == 0
    assert dict(flat.readings) == pytest.approx(
        OPEN, abs=0.01
    )  # the spectra of a gap may show a rare one
    assert "no evidence from masses or spectra" in flat.sentence()
    one = with_spectra(state, [only("nem", 3.0)])
    assert one.how == "open" and "nem" in dict(one.readings)


def test_spectra_that_disagree_leave_the_state_open(tmp_path: Path) -> None:
    nats = [only("none", 20.0)] * 7 + [only("carbamidomethyl", 20.0)] * 3
    state = with_spectra(state_of([], OPEN), nats)
    assert state.how == "open" and state.readings == (("none", 0.7), ("carbamidomethyl", 0.3))
    assert "unmodified in 7 peptides and carbamidomethylated in 3 peptides" in state.sentence()
    state.write(tmp_path / "a.json")
    assert read_alkylation(tmp_path / "a.json") == state
    masses = replace(state_of([], OPEN), masses=9, indifferent=True)  # which tell nothing of C
    assert with_spectra(masses, nats).sentence() == state.sentence()
    many = with_spectra(state_of([], OPEN), nats * 10)
    assert many.readings == state.readings
    few = with_spectra(state_of([], OPEN), nats[:8] + [only("carbamidomethyl", 2.0)] * 2)
    assert few.readings == (("none", 1.0),) and few.how == "found"


def test_a_stated_state_holds_against_spectra_that_are_told() -> None:
    stated = replace(state_of([], {"none": 1.0}), how="stated")
    others = [only("carbamidomethyl", 20.0)] * 3
    state = with_spectra(stated, others)
    assert state.readings == (("none", 1.0),) and state.contradicted
    told = (
        "as stated, but spectra of 3 peptides show C carbamidomethylated: if the spectra are right"
    )
    assert told in state.sentence()
    few = with_spectra(stated, [*others, *[only("none", 20.0)] * 9])
    assert not few.contradicted and few.sentence().endswith("as stated")
    both = replace(state, read=(("nem", 30),)).sentence()
    assert "are N-ethylmaleimide-modified and spectra of 3" in both
    assert "if the reads and spectra are right, correct 'alkylation'" in both


@pytest.mark.parametrize(("stated", "told"), [("none", True), ("carbamidomethyl", False)])
def test_a_stated_state_that_masses_of_open_gaps_contradict_is_told(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture, stated: str, told: bool
) -> None:
    """At another length, a gap fits without what C carries: a G weighs as much."""
    text = ""
    for i in range(6):
        whole = germline_chain("HKL"[i % 3], i)
        at = whole.index("C")
        mass = mass_of(whole[at - 2 : at + 3], CARBAMIDOMETHYL)
        text += f">{i}\n{whole[: at - 2]}X[+{mass:.4f}]{whole[at + 3 :]}\n"
    out = tmp_path / "out"
    fill_file({"fasta": write("c.fasta", text)}, out, {"alkylation": stated})
    state = read_alkylation(out / "alkylation.json")
    assert state.readings == ((stated, 1.0),) and state.contradicted == told
    words = "as stated, but masses show C carbamidomethylated: if the masses are right, correct"
    assert (words in state.sentence()) == told
    assert any(words in record.getMessage() for record in caplog.records) == told


def test_a_state_that_masses_ruled_out_takes_more_spectra(tmp_path: Path) -> None:
    masses = state_of([], {"carbamidomethyl": 0.6, "none": 0.4}, informative=2)
    nats = [only("nem", 10.0)]
    assert with_spectra(masses, nats).how == "open"
    assert with_spectra(state_of([], OPEN), nats).how == "found"
    found = with_spectra(masses, nats * 2)
    assert found.readings[0][0] == "nem"
    found.write(tmp_path / "a.json")
    assert read_alkylation(tmp_path / "a.json") == found
