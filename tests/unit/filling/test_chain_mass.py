"""The mass that several gaps of a chain have together, against every sequence there is."""

import math
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains import constant_region, germline_chain, mutated
from conftest import Write
from gaps import MASSES, distributions, mass_of
from lacuna.antibody.numbering import number_chain
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks
from lacuna.core.alphabet import N_RESIDUES, RESIDUES, merge_il
from lacuna.core.alphabet import encode as tokens_of
from lacuna.core.masses import AVERAGE, chain_masses, glycan_masses
from lacuna.core.tables import APART, CHAIN_TABLE, GAP_TABLE, MASS_TABLE, MassDoubt
from lacuna.filling.masses.chain_mass import (
    CLEAR_ODDS,
    COARSEST_BIN,
    MEAN_ERROR_DA,
    UNSEEN_SHARE,
    WRONG_SHARE,
    LeftMass,
    TotalMass,
    rank_by_chain_mass,
)
from lacuna.filling.masses.intact import intact_rules, left_mass
from lacuna.filling.masses.intact_errors import ERROR_SHARE, ON_FC, left_with_errors
from lacuna.scaffolds import gap_table
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.residue_masses import ChainForm, MassRules, Modifications
from lacuna.scaffolds.scaffold import Gap, IntactMass, ResidueModification, Scaffold
from lacuna.steps.one_file import fill_file

RULES = MassRules()
THERAPEUTICS = Path(__file__).parents[3] / "resources" / "benchmark" / "therapeutics.fasta"


def weigh(sequence: str, average: bool) -> float:
    return sum(AVERAGE[r] for r in sequence) if average else mass_of(sequence)


def every(rows: np.ndarray, left: LeftMass) -> dict[str, float]:
    """By the definition: each sequence, L for I, with its probability times that of its mass."""
    options = [np.flatnonzero(row).tolist() for row in rows]
    found: dict[str, float] = {}
    for tokens in product(*options):
        sequence = "".join(RESIDUES[t] for t in tokens).replace("I", "L")
        likely = float(np.prod([row[t] for row, t in zip(rows, tokens, strict=True)]))
        of_forms = 0.0
        for mass, share in left.forms:
            z = 3 * (weigh(sequence, left.average) - mass) / left.tolerance
            of_forms += share * (math.exp(-(z**2) / 2) if abs(z) <= 3 else 0.0)
        found[sequence] = found.get(sequence, 0.0) + likely * of_forms
    return {sequence: share for sequence, share in found.items() if share}


def per_dalton(probability: float, tolerance: float) -> float:
    return probability * 3 / (tolerance * math.sqrt(2 * math.pi))


def some(letters: str, rng: np.random.Generator) -> dict[str, float]:
    return {letter: float(rng.uniform(0.05, 1)) for letter in letters}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_residues_and_sequences_have_the_shares_of_all_combinations_that_fit(
    seed: int, average: bool, two_forms: bool
) -> None:
    rng = np.random.default_rng(seed)
    pools = ["".join(rng.choice(list(RESIDUES), 4, replace=False)) for _ in range(5)]
    rows = distributions(*(some(pool, rng) for pool in pools))
    true = "".join(rng.choice(list(pool)) for pool in pools)
    mass = weigh(true, average)
    forms = ((mass, 0.3), (mass + 17.0, 0.7)) if two_forms else ((mass, 1.0),)
    left = LeftMass(forms, 1.0, average)
    wanted = every(rows, left)
    total = sum(wanted.values())
    rankings, share = rank_by_chain_mass([rows[:2], rows[2:]], 1_000, left, RULES)
    close = {"abs": 0.05}  # masses are rounded to bins
    assert TotalMass(rows, left, RULES).probability(left) == pytest.approx(total, rel=0.1)
    best = "".join(RESIDUES[t] for t in rows.argmax(1))
    away = [(abs(m - weigh(best, average)), p) for m, p in forms]
    error = sum(p * math.exp(-off / MEAN_ERROR_DA) for off, p in away) / (2 * MEAN_ERROR_DA)
    density = per_dalton(total, left.tolerance)
    assert share == pytest.approx(density / (density + WRONG_SHARE * error), abs=0.01)
    for ranking, part in zip(rankings, (slice(0, 2), slice(2, 5)), strict=True):
        found = {c.sequence.replace("I", "L"): c.probability for c in ranking.candidates}
        assert sum(found.values()) == pytest.approx(1.0, **close)
        likely = [c.probability for c in ranking.candidates]
        assert likely == sorted(likely, reverse=True)
        for sequence in found:
            of_all = sum(p for s, p in wanted.items() if s[part] == sequence) / total
            assert found[sequence] == pytest.approx(of_all, **close)
            letters = next(
                c for c in ranking.candidates if c.sequence.replace("I", "L") == sequence
            )
            assert letters.mass == pytest.approx(mass_of(letters.sequence))
        expected = np.zeros((part.stop - part.start, N_RESIDUES))
        for sequence, p in wanted.items():
            expected[np.arange(len(expected)), merge_il(tokens_of(sequence[part]))] += p / total
        merged = ranking.distributions.copy()
        merged[:, RESIDUES.index("L")] += merged[:, RESIDUES.index("I")]
        merged[:, RESIDUES.index("I")] = 0.0
        assert merged == pytest.approx(expected, **close)


def test_a_few_residues_are_found_among_hundreds_that_are_all_but_certain() -> None:
    whole = germline_chain("H", 1) * 2
    likely = [{r: 0.999} | dict.fromkeys(set("AVST") - {r}, 3e-4) for r in whole]
    for at, letters in ((40, "DW"), (150, "KS")):
        likely[at] = {letters[0]: 0.6, letters[1]: 0.4}
    rows = distributions(*likely)
    true = f"{whole[:40]}W{whole[41:150]}K{whole[151:]}"
    left = LeftMass(((weigh(true, True), 1.0),), 1.0, True)
    (one, two), share = rank_by_chain_mass([rows[:100], rows[100:]], 3, left, RULES)
    assert one.candidates[0].sequence + two.candidates[0].sequence == true
    assert one.candidates[0].probability > 0.9 and share > 0.99
    assert one.distributions[40, RESIDUES.index("W")] > 0.95


def test_what_is_spread_evenly_says_nothing_of_masses_and_less_if_the_chain_has_its_mass() -> None:
    plain = distributions(*({r: 1.0} for r in "ACDKW"))
    even = np.array([0.05, 0.0, 0.05, 0.2, 0.05])[:, None]
    rows = (1 - even) * plain + even / N_RESIDUES
    fits = LeftMass(((mass_of("ACDKW"), 1.0),), 0.5, False)
    assert TotalMass(rows, fits, RULES).probability(fits) == pytest.approx(1.0)
    (ranking,), share = rank_by_chain_mass([rows], 3, fits, RULES)
    assert share > 0.999
    left = 1 - ranking.distributions.max(1)
    before = (even * (1 - 1 / N_RESIDUES)).ravel()
    assert (left <= 0.25 * before).all() and (left >= UNSEEN_SHARE * before - 1e-9).all()
    held = float(np.prod(1 - left))
    assert ranking.candidates[0].probability == pytest.approx(held)
    # A mass that hardly any sequence has leaves it as it is.
    unsure = np.concatenate([rows[:4], np.full((1, N_RESIDUES), 1 / N_RESIDUES)])
    unsure[4] = 0.999 * unsure[4] * (np.arange(N_RESIDUES) != 0) + 1e-9
    unsure[4, 0] = 1 - unsure[4, 1:].sum()
    off = LeftMass(((mass_of("ACDK") + mass_of("W"), 1.0),), 0.5, False)
    rare = TotalMass(unsure, off, RULES).probability(off)
    (doubted,), _ = rank_by_chain_mass([unsure], 3, off, RULES)
    most = mass_of("ACDK" + "".join(RESIDUES[unsure[4].argmax()]))
    error = math.exp(-abs(off.forms[0][0] - most) / MEAN_ERROR_DA) / (2 * MEAN_ERROR_DA)
    kept = CLEAR_ODDS * error / (0.05 * error + 0.95 * per_dalton(rare, off.tolerance))
    expected = 0.05 * (UNSEEN_SHARE + (1 - UNSEEN_SHARE) * min(kept, 1.0)) * (1 - 1 / N_RESIDUES)
    assert 1 - doubted.distributions[0].max() == pytest.approx(expected, rel=0.15)


def test_a_mass_that_nothing_has_leaves_no_sequence() -> None:
    rows = distributions({"A": 0.5, "V": 0.5}, {"S": 0.5, "G": 0.5})
    for mass in (mass_of("AS") + 40.0, 90_000.0):
        left = LeftMass(((mass, 1.0),), 0.5, False)
        rankings, share = rank_by_chain_mass([rows[:1], rows[1:]], 5, left, RULES)
        assert share == 0.0 and not any(ranking.candidates for ranking in rankings)
        assert np.array_equal(rankings[0].distributions, rows[:1])


def test_a_first_residue_may_be_pyroglutamate() -> None:
    rows = distributions({"Q": 0.5, "S": 0.5}, {"A": 0.9, "G": 0.1})
    left = LeftMass(((mass_of("QA") - 17.026549, 1.0),), 0.1, False)
    rankings, _ = rank_by_chain_mass(
        [rows[:1], rows[1:]], 5, left, replace(RULES, starts_chain=True)
    )
    assert [ranking.candidates[0].sequence for ranking in rankings] == ["Q", "A"]
    rankings, share = rank_by_chain_mass([rows[:1], rows[1:]], 5, left, RULES)
    assert share == 0.0


def test_a_sequence_far_heavier_than_the_most_probable_one_has_no_share() -> None:
    """Twelve W's weigh 1,548 Da more than twelve G's."""
    rows = distributions(*({"G": 0.9, "W": 0.1} for _ in range(12)))
    left = LeftMass(((mass_of("G" * 12), 1.0),), 0.5, False)
    (one, two), _ = rank_by_chain_mass(
        [rows, rows[:1]], 3, replace(left, forms=((mass_of("G" * 13), 1.0),)), RULES
    )
    assert (one.candidates[0].sequence, two.candidates[0].sequence) == ("G" * 12, "G")
    assert one.candidates[0].probability == pytest.approx(1.0)


def test_bins_are_finer_than_the_tolerance_and_bounded_by_memory() -> None:
    """K and Q are 0.036 Da apart."""
    rows = distributions({"K": 0.5, "Q": 0.5}, {"A": 0.5, "G": 0.5})
    left = LeftMass(((mass_of("KA"), 1.0),), 0.02, False)
    rankings, _ = rank_by_chain_mass([rows[:1], rows[1:]], 5, left, RULES)
    assert rankings[0].candidates[0].probability == pytest.approx(1.0)
    many = np.concatenate([rows] * 300)
    assert TotalMass(many, left, RULES).grid.bin > 0.04 > TotalMass(rows, left, RULES).grid.bin
    assert TotalMass(rows, replace(left, tolerance=9.0), RULES).grid.bin == COARSEST_BIN


# --- errors of masses ----------------------------------------------------------------------------


def test_usual_errors_of_a_mass_are_forms_of_their_own() -> None:
    whole = germline_chain("K", 1)
    hidden = f"{whole[:30]}X{whole[31:60]}X{whole[61:]}"
    gaps = (Gap(30, 31, 1, 1), Gap(60, 61, 1, 1))
    given = IntactMass(chain_masses(whole)[0], 0.5, "monoisotopic")
    chain = Scaffold("m", "", hidden, gaps, 1, intact=given)
    rows = distributions({whole[30]: 1.0}, {whole[60]: 0.9, "C": 0.1})
    forms = intact_rules(chain, Modifications()).forms
    plain, left = left_mass(chain, forms), left_with_errors(chain, rows, forms)
    assert plain is not None and left is not None
    assert sum(share for _, share in left.forms) == pytest.approx(1.0)
    right = [(mass, (1 - ERROR_SHARE) * share) for mass, share in plain.forms]
    assert list(left.forms[: len(right)]) == right
    off = {round(mass - plain.forms[0][0], 3) for mass, _ in left.forms}
    assert {-15.995, -162.053, 2.016, -114.043} <= off  # an oxygen, a hexose, a bond, both C's
    assert 4.031 not in off and -171.064 not in off  # the third C is improbable
    assert left_with_errors(replace(chain, intact=None), rows, forms) is None


@pytest.mark.parametrize("hidden", [False, True])
def test_a_glycan_of_the_fc_is_more_usual_than_other_errors(hidden: bool) -> None:
    """It is left on by mistake; its site may be among what is filled, as in chains from reads."""
    whole = germline_chain("H", 1, constant=True)
    site = whole.index("NST")
    places = (50, site) if hidden else (50,)
    gaps = tuple(Gap(at, at + 1, 1, 1) for at in places)
    letters = "".join("X" if at in places else letter for at, letter in enumerate(whole))
    given = IntactMass(chain_masses(whole)[1], 1.0, "average")
    chain = Scaffold("m", "", letters, gaps, 1, intact=given)
    rows = distributions(*({whole[at]: 1.0} for at in places))
    left = left_with_errors(chain, rows, (ChainForm("", 1.0),))
    assert left is not None and sum(share for _, share in left.forms) == pytest.approx(1.0)
    of_glycans = {name: glycan_masses(name)[1] for name in ON_FC}
    shares = {round(left.forms[0][0] - mass, 2): share for mass, share in left.forms}
    assert {name: shares[round(mass, 2)] for name, mass in of_glycans.items()} == ON_FC
    assert left.forms[0][1] == pytest.approx(1 - ERROR_SHARE - sum(ON_FC.values()))
    written = (ResidueModification(site, 1444.53, "G0F"),)
    carried = left_with_errors(replace(chain, modifications=written), rows, (ChainForm("", 1.0),))
    assert hidden or (carried is not None and carried.forms[0][1] == pytest.approx(1 - ERROR_SHARE))


def test_a_residue_that_only_an_error_of_the_mass_would_change_is_not_sure() -> None:
    """F and an oxygen weigh as much as Y."""
    whole = germline_chain("K", 1)
    gaps = (Gap(30, 31, 1, 1), Gap(60, 61, 1, 1))
    true = f"{whole[:30]}F{whole[31:60]}G{whole[61:]}"
    oxidised = IntactMass(chain_masses(true)[0] + 15.9949, 0.3, "monoisotopic")
    hidden = f"{whole[:30]}X{whole[31:60]}X{whole[61:]}"
    chain = Scaffold("m", "", hidden, gaps, 1, intact=oxidised)
    rows = distributions({"F": 0.999, "Y": 0.001}, {"G": 1.0})
    rules = intact_rules(chain, Modifications())
    of_y = {}
    for name, left in (
        ("without", left_mass(chain, rules.forms)),
        ("with", left_with_errors(chain, rows, rules.forms)),
    ):
        assert left is not None
        (one, _), _ = rank_by_chain_mass([rows[:1], rows[1:]], 2, left, rules)
        of_y[name] = one.distributions[0, RESIDUES.index("Y")]
    assert of_y["without"] > 0.99 and of_y["with"] < 0.6


# --- whole runs ----------------------------------------------------------------------------------


def filled(write: Write, out: Path, chain: str, mass: float, gaps: str = "") -> dict[str, list]:
    inputs = {
        "fasta": write("c.fasta", f">m\n{chain}\n"),
        "masses": write("m.tsv", f"{MASSES}m\t{mass:.3f}\t0.6\taverage\n"),
    }
    if gaps:
        inputs["gaps"] = write("g.tsv", gaps)
    fill_file(inputs, out, {})
    rows = list(GAP_TABLE.read(out / "gaps.tsv"))
    return {
        "best": [row for row in rows if row.rank == 1],
        "masses": list(MASS_TABLE.read(out / "masses.tsv")),
    }


def test_lengths_are_found_by_the_mass_of_the_chain(write: Write, tmp_path: Path) -> None:
    """Of two gaps one has no length, in CDR3: the mass that the other leaves tells it."""
    chains = [r for r in read_scaffolds(THERAPEUTICS) if isinstance(r, Scaffold)][:48:4]
    fasta, gaps, masses = "", "chain\tstart\tend\tmin_length\n", MASSES
    for chain in chains:
        whole = chain.sequence
        (at, *_) = np.flatnonzero(number_chain(whole).columns == 107).tolist()
        fasta += f">{chain.chain}\n{whole[:30]}XX{whole[32:at]}X{whole[at + 4 :]}\n"
        gaps += f"{chain.chain}\t{at}\t{at + 1}\t1\n"
        masses += f"{chain.chain}\t{chain_masses(whole)[1]:.3f}\t0.6\taverage\n"
    inputs = {"fasta": write("c.fasta", fasta), "gaps": write("g.tsv", gaps)}
    right, sure = {}, {}
    for name, more in (("without", {}), ("with", {"masses": write("m.tsv", masses)})):
        fill_file({**inputs, **more}, tmp_path / name, {})
        rows = GAP_TABLE.read(tmp_path / name / "gaps.tsv")
        best = [row for row in rows if row.rank == 1 and row.gap == 2]
        right[name] = sum(row.length == 4 for row in best)
        sure[name] = sum(row.probability or 0.0 for row in best)
    assert right["with"] >= 2 + right["without"]
    assert sure["with"] > 2 + sure["without"]  # as the mass makes one length likely


def test_gaps_that_do_not_have_the_mass_together_say_so_once_it_counts(
    write: Write, tmp_path: Path
) -> None:
    """Of many gaps each has its own best candidate; without the mass they would be unmet."""
    whole = mutated(germline_chain("K", 1), 3, 9)
    letters = list(whole)
    letters[20:100:4] = "X" * 20
    found = filled(write, tmp_path / "far", "".join(letters), chain_masses(whole)[1] + 900.0)
    assert all(MassDoubt.UNMET in row.status for row in found["best"])
    statuses = set()
    for off in range(0, 60, 3):
        found = filled(write, tmp_path / str(off), "".join(letters), chain_masses(whole)[1] + off)
        met = abs(found["masses"][0].difference or 9.0) <= 0.6
        said = {APART in row.status for row in found["best"]}
        unmet = any(MassDoubt.UNMET in row.status for row in found["best"])
        assert said == {not met and not unmet}
        statuses |= said
    assert statuses == {True, False}


# --- gaps that reads close -----------------------------------------------------------------------


def test_a_closed_gap_is_known_only_with_an_intact_mass(write: Write) -> None:
    whole = germline_chain("H", 1)
    fasta = write("c.fasta", f">a\n{whole}\n>b\n{whole}\n")
    gaps = write(
        "g.tsv", "chain\tstart\tend\tmin_length\tclosed\na\t97\t97\t0\t0.8\nb\t97\t97\t0\t0.8\n"
    )
    masses = write("m.tsv", f"{MASSES}b\t{chain_masses(whole)[1]:.2f}\t1\taverage\n")
    of_reads = write("e.tsv", "chain\tposition\tresidue\tprobability\n")
    found = read_scaffolds(fasta, gaps, settled=of_reads, masses=masses)
    one, two = (r for r in found if isinstance(r, Scaffold))
    assert one.gaps == ()
    (gap,) = two.gaps
    assert (gap.start, gap.end, gap.min_length, gap.closed) == (97, 97, 0, 0.8)
    assert from_json(to_json(two)) == two


def test_a_closed_gap_opens_if_the_chain_is_heavier_and_no_other_length_changes(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is missing: then, with another gap; and a mass with an oxygen opens nothing."""
    # So that a table that is given may be one that reads gave.
    monkeypatch.setattr(gap_table, "COLUMNS", (*gap_table.COLUMNS, gap_table.CLOSED))
    chains = [r for r in read_scaffolds(THERAPEUTICS) if isinstance(r, Scaffold)][:3]
    fasta, gaps, masses, lengths = "", "chain\tstart\tend\tmin_length\tclosed\n", MASSES, {}
    for chain in chains:
        for kind, off in (("whole", 0.0), ("oxidised", 15.9994), ("cut", 0.0), ("two", 0.0)):
            whole, name = chain.sequence, f"{chain.chain}_{kind}"
            (at, *_) = np.flatnonzero(number_chain(whole).columns == 107).tolist()
            shown = f"{whole[:at]}{whole[at + 3 :]}" if kind in ("cut", "two") else whole
            shown = f"{shown[:30]}XX{shown[32:]}" if kind == "two" else shown
            fasta += f">{name}\n{shown}\n"
            gaps += f"{name}\t{at}\t{at}\t0\t0.9\n"
            masses += f"{name}\t{chain_masses(whole)[1] + off:.3f}\t0.6\taverage\n"
            lengths[name] = 3 if kind in ("cut", "two") else 0
    inputs = {"fasta": write("c.fasta", fasta), "gaps": write("g.tsv", gaps)}
    fill_file({**inputs, "masses": write("m.tsv", masses)}, tmp_path / "out", {})
    rows = [row for row in GAP_TABLE.read(tmp_path / "out" / "gaps.tsv") if row.rank == 1]
    found = {row.chain: row.length for row in rows if row.start == row.end}
    assert found == lengths
    changed = {r.chain for r in rows if "3 residues by the intact mass, without it 0" in r.status}
    assert changed == {name for name, length in lengths.items() if length == 3}
    unmet = {row.chain for row in rows if MassDoubt.UNMET in row.status}
    assert unmet == {name for name in lengths if name.endswith("oxidised")}


def cut_by_chymotrypsin(name: str, seed: int, path: Path) -> str:
    """The heavy chain of a therapeutic antibody of which the reads of one protease are written."""
    found = {r.chain: r.sequence for r in read_scaffolds(THERAPEUTICS)}
    domains = [("H", found[f"{name}|HC1"]), ("K", found[f"{name}|LC1"])]
    heavy, kappa = (domain + constant_region(locus) for locus, domain in domains)
    molecules = [("m0", heavy, 0.5), ("m1", kappa, 0.5)]
    reads = simulate_reads(molecules, 1_500, seed, proteases=["chymotrypsin"])
    with open(path, "w", encoding="utf-8") as handle:
        write_peaks(reads, handle, "simulated")
    return heavy


def test_reads_say_where_they_close_a_cdr3(tmp_path: Path) -> None:
    """The peptides of chymotrypsin join a CDR3 that lacks seven residues; the mass knows better,
    and the status says what it changed. One that nothing explains changes nothing."""
    heavy = cut_by_chymotrypsin("Alomfilimab", 8, tmp_path / "reads.csv")
    missing, said = {}, {}
    for name, mass in (("without", None), ("with", chain_masses(heavy)[1]), ("hopeless", 60e3)):
        inputs = {} if mass is None else {"masses": tmp_path / "masses.tsv"}
        (tmp_path / "masses.tsv").write_text(f"{MASSES}heavy\t{mass}\t1\taverage\n")
        out = tmp_path / name
        fill_file(inputs, out, {"complete_ends": False}, reads=[tmp_path / "reads.csv"])
        lengths = {row.chain: row.length for row in CHAIN_TABLE.read(out / "chains.tsv")}
        missing[name] = len(heavy) - lengths["heavy"]
        statuses = [r.status for r in GAP_TABLE.read(out / "gaps.tsv") if r.chain == "heavy"]
        said[name] = any("by the intact mass, without it" in status for status in statuses)
    assert abs(missing["with"]) <= 1 < missing["without"] == missing["hopeless"]
    assert said == {"without": False, "with": True, "hopeless": False}


def test_a_glycan_left_on_a_mass_is_named_and_adds_nothing_to_cdr3(tmp_path: Path) -> None:
    """A dozen residues too many would weigh as much, and no read shows how many there are."""
    heavy = cut_by_chymotrypsin("Bleselumab", 9, tmp_path / "reads.csv")
    mass = chain_masses(heavy)[1] - AVERAGE["K"] + glycan_masses("G0F")[1]
    (tmp_path / "masses.tsv").write_text(f"{MASSES}heavy\t{mass:.2f}\t1\taverage\n")
    inputs = {"masses": tmp_path / "masses.tsv"}
    out = tmp_path / "out"
    fill_file(inputs, out, {"complete_ends": False}, reads=[tmp_path / "reads.csv"])
    lengths = {row.chain: row.length for row in CHAIN_TABLE.read(out / "chains.tsv")}
    assert abs(lengths["heavy"] - len(heavy)) <= 1
    rows = [r for r in GAP_TABLE.read(out / "gaps.tsv") if r.chain == "heavy"]
    assert any(f"{MassDoubt.INTACT_ERROR} without a G0F glycan" in row.status for row in rows)
