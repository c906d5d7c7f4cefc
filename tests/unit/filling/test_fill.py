"""Filling a block: every residue is filled, and observed residues never change."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bundled
from chains import germline_chain, hidden, mutated, random_protein
from filler import COLUMNS, Filler, evenly
from gaps import mass_of, scaffold
from lacuna.core.alphabet import AMBIGUOUS, RESIDUES
from lacuna.filling.fill import Tables, fill_chains
from lacuna.filling.search.decode import Ranking, rank_plain
from lacuna.network.encode import encode_scaffolds
from lacuna.scaffolds.scaffold import (
    MOST_UNSHOWN,
    Gap,
    IntactMass,
    Scaffold,
    ShownMass,
    SpectralEvidence,
)
from lacuna.templates.library import of_species

METHODS = ("lacuna", "germline_copy", "nearest_homolog", "column_majority")


@pytest.fixture(scope="module")
def fill() -> Filler:
    return Filler(bundled.predictor().model, bundled.predictor().library)


def test_no_residue_exceeds_what_its_gap_allows(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    free = scaffold(whole, (40, 46))
    shares = [
        [float(row["probability"]) for row in fill(chain).rows["residues"]]
        for chain in (free, replace(free, gaps=(replace(free.gaps[0], most=MOST_UNSHOWN),)))
    ]
    assert max(shares[0]) > MOST_UNSHOWN and max(shares[1]) == pytest.approx(MOST_UNSHOWN, abs=1e-4)
    # Nor is a sequence more probable than its residues allow.
    gap = replace(free.gaps[0], most=MOST_UNSHOWN)
    (first, *_) = fill(replace(free, gaps=(gap,))).rows["gaps"]
    assert float(first["probability"]) == pytest.approx(np.prod(shares[1]), rel=1e-2)


def test_a_gap_weighed_by_spectra_is_no_surer_than_its_length(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    mass = mass_of(whole[40:44])
    spectra = SpectralEvidence(mass=ShownMass(mass, 0.01, 3.0))
    gap = Gap(40, 44, 4, 4, length_probability=0.6, spectra=spectra)
    found = fill(Scaffold("m", "", hidden(whole, [(40, 44)]), (gap,), 1))
    assert found.chains["m"] == whole
    first = found.rows["gaps"][0]
    assert "by spectra" in first["status"] and 0.5 < float(first["probability"]) <= 0.6
    assert all(0.5 < float(row["probability"]) <= 0.6 for row in found.rows["residues"])


def test_a_gap_of_no_residues_is_no_surer_than_its_length(fill: Filler) -> None:
    """Reads do not show the lengths of their gaps."""
    whole = germline_chain("H", 1)
    empty = Gap(40, 40, 0, 0)
    for gap in (empty, replace(empty, most=MOST_UNSHOWN)):
        (row,) = fill(Scaffold("m", "", whole, (gap,), 1)).rows["gaps"]
        assert row["length"] == "0" and float(row["probability"]) == gap.most


def test_gaps_that_follow_each_other_at_an_end_of_a_chain_count_together(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    stop = len(whole)
    places = [(0, 4), (4, 6), (20, 23), (stop - 5, stop - 2), (stop - 2, stop)]
    (row,) = fill(scaffold(whole, *places)).rows["chains"]
    assert (row["missing"], row["n_terminal"], row["c_terminal"]) == ("14", "6", "5")


@settings(max_examples=25)
@given(st.sampled_from("HKL"), st.integers(0, 5), st.booleans(), st.data())
def test_all_that_is_missing_is_filled_and_nothing_else_changes(
    fill: Filler, locus: str, seed: int, constant: bool, data: st.DataObject
) -> None:
    whole = germline_chain(locus, seed, constant=constant)
    cuts = data.draw(st.sets(st.integers(0, len(whole)), min_size=2, max_size=8))
    edges = sorted(cuts)
    spans = [(a, min(b, a + 20)) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    chain = scaffold(whole, *spans)
    found = fill(chain)
    sequence = found.chains["m"]
    assert len(sequence) == len(whole) and set(sequence) <= set(RESIDUES)
    for i, letter in enumerate(chain.sequence):
        assert letter in ("X", sequence[i])
    missing = [i for a, b in spans for i in range(a, b)]
    rows = found.rows["residues"]
    assert [int(r["position"]) for r in rows] == [i + 1 for i in missing]
    assert "".join(r["residue"] for r in rows) == "".join(sequence[i] for i in missing)
    assert found.rows["chains"][0]["missing"] == found.rows["chains"][0]["filled"] == str(len(rows))


def test_a_framework_is_filled_with_its_germline(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    assert fill(scaffold(whole, (66, 80))).chains["m"] == whole


def test_codes_of_two_residues_become_one_of_them(fill: Filler) -> None:
    whole = germline_chain("K", 1)
    letters = {"L": "J", "I": "J", "D": "B", "N": "B", "E": "Z", "Q": "Z"}
    sequence = "".join(
        letters[c] if i % 5 == 0 and c in letters else c for i, c in enumerate(whole)
    )
    gaps = tuple(Gap(i, i + 1, 1, 1) for i, c in enumerate(sequence) if c in AMBIGUOUS)
    filled = fill(Scaffold("m", "", sequence, gaps, 1)).chains["m"]
    assert len(gaps) > 3
    for before, after in zip(sequence, filled, strict=True):
        assert after in AMBIGUOUS.get(before, before)


def test_ids_descriptions_and_order_are_kept(fill: Filler) -> None:
    whole = germline_chain("L", 1)
    names = ['"q', 'a"b"', "sp|P01|x", "NA", "b", "a"]
    chains = [
        replace(scaffold(whole, (5, 7), name=n), description=f"of {n}\tand more") for n in names
    ]
    found = fill(*chains)
    assert list(found.chains) == [f"{n} of {n}\tand more" for n in names]
    for table in ("residues", "gaps", "chains"):
        assert list(dict.fromkeys(r["chain"] for r in found.rows[table])) == names


def test_a_chain_with_nothing_missing_comes_back_as_it_is(fill: Filler) -> None:
    whole = germline_chain("H", 2, constant=True)
    found = fill(scaffold(whole))
    assert found.chains == {"m": whole}
    assert not found.rows["residues"] and not found.rows["gaps"]
    row = found.rows["chains"][0]
    assert (row["locus"], row["missing"], row["filled"]) == ("H", "0", "0")
    assert (row["species"], row["length"]) == ("human", str(len(whole)))
    assert row["v_segment"].startswith("IGHV") and row["j_segment"].startswith("IGHJ")
    assert row["c_segment"].startswith("IGHG1")


def test_a_chain_with_nothing_observed_stays_missing_and_says_why(fill: Filler) -> None:
    found = fill(scaffold("A" * 30, (0, 30)), scaffold(germline_chain("H", 1), (3, 5), name="b"))
    assert found.chains["m"] == "X" * 30
    rows = found.rows["residues"]
    assert [r["chain"] for r in rows] == ["m"] * 30 + ["b", "b"]
    assert [r["position"] for r in rows[:30]] == [str(i) for i in range(1, 31)]
    assert {(r["residue"], r["probability"], r["truth"]) for r in rows[:30]} == {
        ("X", "0.0000", "")
    }
    gap = found.rows["gaps"][0]
    assert (gap["chain"], gap["candidate"], gap["status"]) == ("m", "", "nothing_observed")
    row = found.rows["chains"][0]
    assert (row["locus"], row["missing"], row["filled"]) == ("", "30", "0")


def test_a_gap_without_a_length_stays_missing_and_says_why(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    gap = Gap(30, 31, 1, None, mass=30.0, tolerance_da=0.1)
    sequence = hidden(whole, [(30, 31), (60, 62)])
    found = fill(Scaffold("m", "", sequence, (gap, Gap(60, 62, 2, 2)), 1))
    assert found.chains["m"][30] == "X" and "X" not in found.chains["m"][31:]
    first = found.rows["gaps"][0]
    assert (first["status"], first["candidate"]) == ("no_length_fits_mass", "")
    assert [(r["gap"], r["position"]) for r in found.rows["residues"]] == [
        ("1", "31"),
        ("2", "61"),
        ("2", "62"),
    ]
    assert found.rows["residues"][0]["residue"] == "X"
    assert (found.rows["chains"][0]["missing"], found.rows["chains"][0]["filled"]) == ("3", "2")


def test_a_gap_between_known_residues_alone_says_what_is_wrong_with_its_mass(fill: Filler) -> None:
    """Nothing else is missing in the chain, and the gap itself has no residues."""
    whole = germline_chain("H", 1)
    found = fill(Scaffold("m", "", whole, (Gap(40, 40, 10, 12, 420.2, 0.004),), 1))
    assert found.chains["m"] == whole and not found.rows["residues"]
    assert found.rows["gaps"][0]["status"] == "no_length_fits_mass"
    assert found.rows["chains"][0]["open"] == "1"


def test_a_chain_with_an_open_gap_has_no_mass_even_without_an_x(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    intact = IntactMass(20_000.0, 1.0, "average")
    found = fill(
        Scaffold("open", "", whole, (Gap(40, 40, 10, 12, 420.2, 0.004),), 1, intact=intact),
        replace(scaffold(whole, (60, 62), name="filled"), intact=intact),
    )
    masses = [
        [row["monoisotopic"], row["average"], row["difference"]] for row in found.rows["masses"]
    ]
    assert not any(masses[0]) and all(masses[1])
    assert found.rows["gaps"][0]["status"] == "no_length_fits_mass"  # not: its mass is not met


def test_a_gap_that_turned_out_to_hold_nothing_is_filled_with_nothing(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    found = fill(Scaffold("m", "", whole, (Gap(40, 40, 0, 0, origin=(40, 40)),), 1))
    assert found.chains["m"] == whole
    (row,) = found.rows["gaps"]
    assert (row["candidate"], row["length"], row["status"]) == ("", "0", "filled")


def test_a_long_gap_of_known_mass_has_shares_and_no_underflow(fill: Filler) -> None:
    """The joint probability of 400 residues is below the smallest float."""
    protein = random_protein(450, 1)
    mass = mass_of(protein[20:420])
    gap = Gap(20, 420, 400, 400, mass, 400.0)
    found = fill(Scaffold("m", "", hidden(protein, [(20, 420)]), (gap,), 1))
    shares = [float(row["probability"]) for row in found.rows["gaps"]]
    assert shares[0] > 0 and sum(shares) <= 1 and "X" not in found.chains["m"]


def test_what_is_ranked_together_is_bounded_and_changes_nothing(
    fill: Filler, monkeypatch: pytest.MonkeyPatch
) -> None:
    chains = [scaffold(germline_chain("H", i), (30, 40), name=str(i)) for i in range(9)]
    whole = fill(*chains, candidates=20)
    sizes = []

    def ranked(probabilities: np.ndarray, n: int) -> Iterator[Ranking]:
        sizes.append(probabilities.shape[0] * probabilities.shape[1] * n)
        return rank_plain(probabilities, n)

    monkeypatch.setattr("lacuna.filling.rank_gaps.MAX_LETTERS", 500)
    monkeypatch.setattr("lacuna.filling.rank_gaps.rank_plain", ranked)
    assert fill(*chains, candidates=20) == whole
    assert len(sizes) == 5 and max(sizes) <= 500


def test_what_stays_unfilled_counts_as_wrong_where_the_truth_is_known(fill: Filler) -> None:
    chain = germline_chain("H", 1)
    open_gap = Gap(40, 41, 9, None, mass=100.0, tolerance_da=0.01, truth=chain[40:45])
    unfilled = Scaffold("m", "", chain[:40] + "X" + chain[45:], (open_gap,), 1)
    too_long = Gap(40, 47, 7, 7, truth=chain[40:45], origin=(40, 41))
    stretched = Scaffold("n", "", chain[:40] + "X" * 7 + chain[45:], (too_long,), 3)
    for other in (unfilled, stretched):
        scored = fill(other).rows["scored"]
        assert [row["truth"] for row in scored] == list(chain[40:45])
        assert {row[method] for row in scored for method in METHODS} == {"X"}


@pytest.mark.parametrize("length", [4, 5, 7])
def test_a_wrong_length_is_wrong_with_the_probabilities_that_were_stated(
    fill: Filler, length: int
) -> None:
    chain = germline_chain("H", 1)
    gap = Gap(40, 40 + length, length, length, truth=chain[40:45], origin=(40, 41))
    filled = fill(Scaffold("n", "", chain[:40] + "X" * length + chain[45:], (gap,), 1))
    stated = [row["probability"] for row in filled.rows["residues"]][:5]
    scored = [row["probability"] for row in filled.rows["scored"]]
    assert scored == [*stated, "0.0000"][:5] and float(scored[0]) > 0
    truths = [row["truth"] for row in filled.rows["residues"]]
    assert truths == (list(chain[40:45]) if length == 5 else ["-"] * length)


@pytest.mark.parametrize("name", ["a\u00a0", "b\x85", "c"])
def test_an_id_comes_out_as_it_went_in(fill: Filler, name: str) -> None:
    whole = germline_chain("H", 1)
    kmers = encode_scaffolds([scaffold(whole, name=name)], fill.library)
    tables = Tables(
        fill_chains([scaffold(whole, name=name)], kmers, fill.encoder(), evenly, candidates=1)
    )
    assert tables.texts["filled"].getvalue() == f">{name}\n{whole}\n"


def test_codes_that_nothing_can_settle_become_x(fill: Filler) -> None:
    nothing = Scaffold("m", "", "JBZX", (Gap(0, 4, 4, 4),), 1)
    assert list(fill(nothing).chains.values()) == ["XXXX"]


@pytest.mark.parametrize("species", ["auto", "human"])
def test_an_empty_block_writes_empty_files(fill: Filler, tmp_path: Path, species: str) -> None:
    filler = replace(fill, library=of_species(fill.library, species))
    kmers = encode_scaffolds([], filler.library)
    tables = Tables(fill_chains([], kmers, filler.encoder(), evenly, candidates=3))
    tables.write({name: tmp_path / name for name in tables.texts})
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == dict.fromkeys(tables.texts, b"")


def test_chains_of_a_block_are_filled_as_each_alone(fill: Filler) -> None:
    """Gaps of similar length are decoded together, those with a mass first."""
    heavy, light = germline_chain("H", 1), germline_chain("K", 2)
    weighed = scaffold(heavy, (20, 23), (50, 53), (98, 104), name="c", truth=True)
    mass = mass_of(heavy[50:53])
    gap = replace(weighed.gaps[1], mass=mass, tolerance_da=0.01)
    unsure = Gap(40, 41, 9, None, mass=100.0, tolerance_da=0.01, truth=light[40:45])
    chains = [
        scaffold(light, (10, 13), (30, 36), name='"a"', truth=True),
        scaffold("A" * 6, (0, 6), name="b", truth=True),
        replace(weighed, gaps=(weighed.gaps[0], gap, weighed.gaps[2])),
        Scaffold("d", "", light[:40] + "X" + light[45:60] + "XXX", (unsure, Gap(56, 59, 3, 3)), 1),
        scaffold(heavy, name="e"),
        scaffold(light, (0, 3), name="f"),
    ]
    alone = [fill(chain) for chain in chains]
    together = fill(*chains)
    assert together.chains == {k: v for found in alone for k, v in found.chains.items()}
    for table in COLUMNS:
        assert together.rows[table] == [row for found in alone for row in found.rows[table]]
        assert together.rows[table]


def test_a_mass_overrules_the_most_probable_sequence(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    free = fill(scaffold(whole, (70, 74)))
    wanted = mutated(free.chains["m"][70:74], 1, 3)
    mass = mass_of(wanted)
    chain = scaffold(whole, (70, 74))
    weighed = replace(chain.gaps[0], mass=mass, tolerance_da=mass * 1e-5)
    found = fill(replace(chain, gaps=(weighed,)))
    best = found.rows["gaps"][0]
    assert best["candidate"] == found.chains["m"][70:74] != free.chains["m"][70:74]
    assert best["status"] == "filled" and abs(float(best["mass_error_ppm"])) <= 10
    chosen = [r["residue"] for r in found.rows["residues"]]
    assert "".join(chosen) == best["candidate"]
    chances = [float(r["probability"]) for r in found.rows["gaps"]]
    assert sum(chances) <= 1.001  # conditional on the mass: few sequences share all of it
    assert chances[0] > float(free.rows["gaps"][0]["probability"]) / 10


def test_both_domains_of_a_single_chain_fv_are_filled_and_named(fill: Filler) -> None:
    heavy, kappa = germline_chain("H", 1), germline_chain("K", 2)
    whole = heavy + "GGGGS" * 3 + kappa
    spans = ((30, 40), (len(heavy) + 15 + 46, len(heavy) + 15 + 56))
    found = fill(scaffold(whole, *spans, truth=True))
    assert all(float(row["probability"]) > 0.3 for row in found.rows["gaps"] if row["rank"] == "1")
    (chain,) = found.rows["chains"]
    assert chain["locus"] == "H+K" and chain["species"] == "human"
    assert [name[:3] for name in chain["v_segment"].split("+")] == ["IGH", "IGK"]
    assert [name[:4] for name in chain["j_segment"].split("+")] == ["IGHJ", "IGKJ"]
    assert {row["locus"] for row in found.rows["scored"]} == {"H+K"}
    alone = fill(scaffold(kappa, (46, 56), truth=True)).rows["scored"]
    assert [r["column_majority"] for r in found.rows["scored"][10:]] == [
        r["column_majority"] for r in alone
    ]
