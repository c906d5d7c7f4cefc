"""Filling a block: every residue, every table; observed residues never change."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import bundled
from chains import germline_chain, hidden, mutated, random_protein
from gaps import mass_of, scaffold
from lacuna.antibody.germlines import LOCI
from lacuna.antibody.imgt import CYS104, OTHER_INSERTION
from lacuna.core.alphabet import AMBIGUOUS, N_RESIDUES, RESIDUES
from lacuna.core.tables import (
    ALTERNATIVES,
    CHAIN_TABLE,
    GAP_TABLE,
    MASS_TABLE,
    RESIDUE_TABLE,
    SCORED_TABLE,
)
from lacuna.filling.baselines import column_majorities
from lacuna.filling.fill import Tables, fill_chains
from lacuna.filling.rows import regions_as_text
from lacuna.filling.search.decode import Ranking, rank_plain
from lacuna.network.encode import Encoder, encode_scaffolds
from lacuna.network.kmers import KmerSet
from lacuna.network.model import GapNetwork
from lacuna.network.predict import Predictor
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES
from lacuna.scaffolds.resizing import with_lengths
from lacuna.scaffolds.scaffold import (
    UNSHOWN,
    Gap,
    IntactMass,
    Piece,
    Scaffold,
    SpectralEvidence,
)
from lacuna.templates.homologs import Homologs, index_homologs
from lacuna.templates.library import of_species
from lacuna.templates.nearest import Library

COLUMNS = {
    "residues": RESIDUE_TABLE.names,
    "gaps": GAP_TABLE.names,
    "chains": CHAIN_TABLE.names,
    "masses": MASS_TABLE.names,
    "scored": SCORED_TABLE.names,
}
METHODS = ("lacuna", "germline_copy", "nearest_homolog", "column_majority")
Rows = list[dict[str, str]]


@dataclass
class Filled:
    """The text of all `Tables`: header and sequence per chain, and rows of each table."""

    chains: dict[str, str]
    rows: dict[str, Rows]


@dataclass
class Filler:
    model: GapNetwork
    library: Library

    def encoder(self, homologs: Homologs | None = None) -> Encoder:
        return Encoder(self.library, homologs, 128, 64, 0.95)

    def __call__(
        self, *scaffolds: Scaffold, homologs: list[str] | None = None, candidates: int = 5
    ) -> Filled:
        index = index_homologs(homologs) if homologs else None
        encoder = self.encoder(index)
        kmers = encoder.encode(scaffolds)
        predictor = Predictor(self.model, self.library, torch.device("cpu"))
        return read(
            Tables(fill_chains(scaffolds, kmers, encoder, predictor.predict, candidates=candidates))
        )


def evenly(kmers: KmerSet) -> np.ndarray:
    """A network that knows nothing."""
    return np.full((len(kmers.targets), N_RESIDUES), 1 / N_RESIDUES)


def read(tables: Tables) -> Filled:
    lines = tables.texts["filled"].getvalue().splitlines()
    chains = {
        header[1:]: sequence for header, sequence in zip(lines[::2], lines[1::2], strict=True)
    }
    rows = {
        name: [
            dict(zip(columns, cells, strict=True))
            for cells in csv.reader(StringIO(tables.texts[name].getvalue()), delimiter="\t")
        ]
        for name, columns in COLUMNS.items()
    }
    return Filled(chains, rows)


@pytest.fixture(scope="module")
def fill() -> Filler:
    return Filler(bundled.predictor().model, bundled.predictor().library)


# --- what is filled ------------------------------------------------------------------------------


def test_no_residue_exceeds_what_its_gap_allows(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    free = scaffold(whole, (40, 46))
    shares = [
        [float(row["probability"]) for row in fill(chain).rows["residues"]]
        for chain in (free, replace(free, gaps=(replace(free.gaps[0], most=UNSHOWN),)))
    ]
    assert max(shares[0]) > UNSHOWN and max(shares[1]) == pytest.approx(UNSHOWN, abs=1e-4)
    # Nor is a sequence more probable than its residues allow.
    gap = replace(free.gaps[0], most=UNSHOWN)
    (first, *_) = fill(replace(free, gaps=(gap,))).rows["gaps"]
    assert float(first["probability"]) == pytest.approx(np.prod(shares[1]), rel=1e-2)


def test_a_gap_weighed_by_spectra_is_no_surer_than_its_length(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    mass = mass_of(whole[40:44])
    spectra = SpectralEvidence(mass=(mass, 0.01, 3.0))
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
    for gap in (empty, replace(empty, most=UNSHOWN)):
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


# --- the tables ----------------------------------------------------------------------------------


def test_columns_keep_their_order() -> None:
    """A new one is put at the end, since users may read columns by number."""
    residues = (
        "chain position gap residue probability alternatives germline region truth "
        "imgt scaffold_position ambiguity"
    ).split()
    gaps = (
        "chain gap start end rank candidate probability length mass mass_error_ppm status "
        "first last imgt_first imgt_last ambiguity cysteine cleavages"
    ).split()
    assert list(RESIDUE_TABLE.names[: len(residues)]) == residues
    assert list(GAP_TABLE.names[: len(gaps)]) == gaps


def test_gaps_list_their_candidates_best_first(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    found = fill(scaffold(whole, (48, 56), (98, 104)), candidates=4)
    for number, start, end in (("1", "48", "56"), ("2", "98", "104")):
        rows = [r for r in found.rows["gaps"] if r["gap"] == number]
        assert [r["rank"] for r in rows] == ["1", "2", "3", "4"]
        assert {(r["start"], r["end"]) for r in rows} == {(start, end)}
        assert rows[0]["status"] == "filled"
        assert {r["status"] for r in rows[1:]} <= {"alternative", "isobaric"}
        assert rows[0]["candidate"] == found.chains["m"][int(start) : int(end)]
        assert len({r["candidate"] for r in rows}) == 4
        chances = [float(r["probability"]) for r in rows]
        assert chances == sorted(chances, reverse=True) and 0 < chances[0] <= 1
        for r in rows:
            assert int(r["length"]) == len(r["candidate"]) == int(end) - int(start)
            mass = mass_of(r["candidate"])
            assert float(r["mass"]) == pytest.approx(mass, abs=1e-5)
            assert r["mass_error_ppm"] == ""


def test_the_probability_of_a_candidate_is_that_of_its_residues(fill: Filler) -> None:
    found = fill(scaffold(germline_chain("H", 1), (50, 54)), candidates=1)
    product = np.prod([float(r["probability"]) for r in found.rows["residues"]])
    assert float(found.rows["gaps"][0]["probability"]) == pytest.approx(product, rel=1e-3)


def test_alternatives_are_the_next_best_and_leave_out_the_chosen(fill: Filler) -> None:
    found = fill(scaffold(germline_chain("H", 1), (98, 106)))
    several = 0
    for row in found.rows["residues"]:
        pairs = [a.split(":") for a in row["alternatives"].split(",") if a]
        assert len(pairs) <= ALTERNATIVES and row["residue"] not in [r for r, _ in pairs]
        chances = [float(row["probability"]), *(float(p) for _, p in pairs)]
        assert chances == sorted(chances, reverse=True) and sum(chances) <= 1.01
        assert all(p >= 0.01 for p in chances[1:])
        several += len(pairs) > 1
    assert several


def test_a_sum_of_pieces_with_an_interval_has_no_error_in_ppm(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    chain = scaffold(whole, (70, 74))
    first, last = (mass_of(whole[a:b]) for a, b in ((70, 72), (72, 74)))
    pieces = Piece(1, None, first, 0.002), Piece(1, None, last + 0.3, 0.5, interval=True)
    gap = replace(
        chain.gaps[0], mass=first + last + 0.3, tolerance_da=0.502, pieces=pieces, interval=False
    )
    found = fill(replace(chain, gaps=(gap,)))
    assert found.rows["gaps"][0]["status"].startswith("filled")
    assert {row["mass_error_ppm"] for row in found.rows["gaps"]} == {""}


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


def test_a_gap_of_a_mass_that_nothing_has_stays_missing_and_says_why(fill: Filler) -> None:
    chain = scaffold(germline_chain("H", 1), (30, 32), (70, 74))
    off = replace(chain.gaps[1], mass=1000.0, tolerance_da=0.01)
    found = fill(replace(chain, gaps=(chain.gaps[0], off)))
    assert found.chains["m"][70:74] == "XXXX" and "X" not in found.chains["m"][:70]
    row = next(r for r in found.rows["gaps"] if r["gap"] == "2")
    assert row["status"].startswith("no_sequence_fits_mass") and row["candidate"] == ""
    assert (found.rows["chains"][0]["missing"], found.rows["chains"][0]["filled"]) == ("6", "2")


def test_a_prefix_that_contradicts_is_left_out_and_named(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    chain = scaffold(whole, (70, 74))
    weights = [float(RESIDUE_MASSES[RESIDUES.index(x)]) for x in whole[70:74]]
    mass, prefix = sum(weights), sum(weights[:2])

    def row(*prefixes: float) -> dict[str, str]:
        known = tuple((p, p * 1e-5) for p in prefixes)
        piece = Piece(4, 4, mass, mass * 1e-5, False, known)
        gap = replace(chain.gaps[0], mass=mass, tolerance_da=mass * 1e-5, pieces=(piece,))
        return fill(replace(chain, gaps=(gap,))).rows["gaps"][0]

    assert row(prefix)["candidate"].replace("I", "L") == whole[70:74].replace("I", "L")
    wrong = row(prefix, prefix + 60.0)
    assert wrong["candidate"] == row(prefix)["candidate"]
    named = f"without the prefix mass {prefix + 60.0:.4f} Da, which none fits"
    assert wrong["status"] == f"filled ({named})"
    slipped = row(prefix + 1.00336)["status"]
    assert slipped.endswith("which none fits; fits at 1.0034 Da less: isotope slip)")


def test_sequences_of_one_mass_are_told_from_others(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    rows = fill(scaffold(whole[:50] + "II" + whole[52:], (50, 52)), candidates=30).rows["gaps"]
    best = float(rows[0]["mass"])
    for row in rows[1:]:
        same = abs(float(row["mass"]) - best) <= 1e-5 * best
        assert row["status"] == ("isobaric" if same else "alternative")
    assert {r["status"] for r in rows[1:]} == {"isobaric", "alternative"}


def test_truth_stands_beside_what_was_filled_and_changes_nothing(fill: Filler) -> None:
    whole = mutated(germline_chain("H", 1), 10, 1)
    spans = ((10, 14), (100, 103))
    shown, unknown = fill(scaffold(whole, *spans, truth=True)), fill(scaffold(whole, *spans))
    assert shown.chains == unknown.chains and shown.rows["gaps"] == unknown.rows["gaps"]
    assert "".join(r["truth"] for r in shown.rows["residues"]) == whole[10:14] + whole[100:103]
    stripped = [r | {"truth": ""} for r in shown.rows["residues"]]
    assert stripped == unknown.rows["residues"]
    assert len(shown.rows["scored"]) == 7 and unknown.rows["scored"] == []


def test_scored_rows_tell_what_each_method_answers(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    relative = mutated(whole[:70], 10, 5) + "WWWWW" + whole[75:]
    target = whole[:70] + "CCCCC" + whole[75:]
    rows = fill(scaffold(target, (70, 75), truth=True), homologs=[relative]).rows["scored"]
    assert [r["position"] for r in rows] == ["71", "72", "73", "74", "75"]
    assert {(r["gap"], r["gap_length"], r["locus"], r["region"]) for r in rows} == {
        ("1", "5", "H", "FR3")
    }
    answers = {
        m: "".join(r[m] for r in rows) for m in ("truth", "germline_copy", "nearest_homolog")
    }
    assert answers == {
        "truth": "CCCCC",
        "germline_copy": whole[70:75],
        "nearest_homolog": "WWWWW",
    }
    assert "".join(r["column_majority"] for r in rows) == "WWWWW"  # of homologs, if there are any
    rows = fill(scaffold(target, (70, 75), truth=True)).rows["scored"]
    assert "".join(r["nearest_homolog"] for r in rows) == "XXXXX"
    assert set("".join(r["column_majority"] for r in rows)) <= set(RESIDUES)


def test_a_protein_without_templates_has_no_germline_and_no_region(fill: Filler) -> None:
    found = fill(scaffold(random_protein(80, 1), (30, 33), truth=True))
    assert {(r["germline"], r["region"]) for r in found.rows["residues"]} == {("", "")}
    assert {(r["germline_copy"], r["column_majority"]) for r in found.rows["scored"]} == {
        ("X", "X")
    }
    assert "X" not in found.chains["m"]


def test_both_tables_name_the_same_places(fill: Filler) -> None:
    """Before, between and after gaps of unknown length, one of which stays open."""
    whole = germline_chain("H", 1, cdr3=16)
    scaffold_text = (
        f"{whole[:10]}X{whole[14:30]}X{whole[33:50]}XX{whole[52:60]}{whole[60:98]}XX{whole[100:]}"
    )
    a, b = 10, 27  # starts of the gaps of unknown length in the scaffold
    c, d, e = 45, 55, 93  # of gaps of known, no and known length
    gaps = (
        Gap(a, a + 1, 4, 4),
        Gap(b, b + 1, 1, None, mass=30.0, tolerance_da=0.1),  # stays open
        Gap(c, c + 2, 2, 2),
        Gap(d, d, 0, 0),
        Gap(e, e + 2, 2, 2),
    )
    unsettled = Scaffold("m", "", scaffold_text, gaps, 1)
    found = fill(with_lengths(unsettled, [4, None, 2, 0, 2]))
    filled = found.chains["m"]
    assert len(filled) == len(whole) - 2 and filled[30] == "X"
    of_gaps = [r for r in found.rows["gaps"] if r["rank"] == "1"]
    assert [(r["start"], r["end"]) for r in of_gaps] == [
        ("10", "11"),
        ("27", "28"),
        ("45", "47"),
        ("55", "55"),
        ("93", "95"),
    ]
    places = [(r["first"], r["last"]) for r in of_gaps]
    assert places == [("11", "14"), ("31", "31"), ("49", "50"), ("", ""), ("97", "98")]
    for row in of_gaps:
        residues = [r for r in found.rows["residues"] if r["gap"] == row["gap"]]
        if not row["first"]:
            assert residues == [] and row["imgt_first"] == row["imgt_last"] == ""
            continue
        positions = [int(r["position"]) for r in residues]
        assert positions == list(range(int(row["first"]), int(row["last"]) + 1))
        assert "".join(r["residue"] for r in residues) == filled[positions[0] - 1 : positions[-1]]
        assert (residues[0]["imgt"], residues[-1]["imgt"]) == (row["imgt_first"], row["imgt_last"])
        inside = [int(r["scaffold_position"]) for r in residues]
        start, end = int(row["start"]), int(row["end"])
        assert inside == (list(range(start, end)) if end - start == len(residues) else [start] * 4)
    # The numbers are those of the true residues: column 10 is empty in heavy chains.
    number = {r["position"]: r["imgt"] for r in found.rows["residues"]}
    assert [number[p] for p in ("11", "12", "14")] == ["12", "13", "15"]
    assert (number["97"], number["98"]) == ("107", "108")


def test_imgt_numbers_of_an_insertion_and_beyond_the_domain(fill: Filler) -> None:
    whole = germline_chain("H", 1, cdr3=17, constant=True)
    domain = whole.index("ASTKG")
    found = fill(scaffold(whole, (domain - 22, domain - 17), (domain + 40, domain + 42)))
    numbers = [r["imgt"] for r in found.rows["residues"]]
    assert numbers == ["111", "111A", "111B", "112B", "112A", "", ""]
    assert {(r["imgt_first"], r["imgt_last"]) for r in found.rows["gaps"] if r["gap"] == "2"} == {
        ("", "")
    }


def test_codes_that_stand_alone_are_told_from_gaps(fill: Filler) -> None:
    """`XXJ` is a gap, `JB` is not."""
    whole = germline_chain("K", 1)
    at = next(i for i in range(30, 80) if whole[i] in "IL" and whole[i + 1] not in "ILDNEQ")
    pair = next(i for i in range(at + 3, 100) if whole[i] in "IL" and whole[i + 1] in "DNEQ")
    second = "B" if whole[pair + 1] in "DN" else "Z"
    letters = list(whole)
    letters[at], letters[at + 1 : at + 3] = "J", "XX"
    letters[pair : pair + 2] = "J", second
    sequence = "".join(letters)
    spans = ((at, at + 3), (pair, pair + 2))
    gaps = tuple(Gap(i, j, j - i, j - i, truth=whole[i:j]) for i, j in spans)
    found = fill(Scaffold("m", "", sequence, gaps, 1))
    codes = [(r["gap"], r["ambiguity"]) for r in found.rows["residues"]]
    assert codes == [*[("1", "")] * 3, ("2", "J"), ("2", second)]
    assert [(r["gap"], r["ambiguity"]) for r in found.rows["scored"]] == codes
    assert {(r["gap"], r["ambiguity"]) for r in found.rows["gaps"]} == {
        ("1", ""),
        ("2", f"J{second}"),
    }
    names = "missing filled gaps open ambiguous resolved without_template".split()
    assert [found.rows["chains"][0][name] for name in names] == list("3310220")


def test_a_gap_of_which_a_part_has_no_template_says_so(fill: Filler) -> None:
    heavy = germline_chain("H", 1)
    end = len(heavy)
    found = fill(scaffold(heavy + "GGGGSGGGGSGGGGS", (end - 3, end + 4)))
    assert found.rows["gaps"][0]["status"] == "filled (no template for 4 of 7 residues)"
    assert found.rows["chains"][0]["without_template"] == "0"


def test_what_is_filled_without_a_template_says_so(fill: Filler) -> None:
    protein, heavy = random_protein(80, 1), germline_chain("H", 1)
    relative = mutated(protein, 8, 3)
    found = fill(scaffold(protein, (30, 33)), scaffold(heavy, (98, 104), name="h"))
    status = {r["chain"]: r["status"] for r in found.rows["gaps"] if r["rank"] == "1"}
    assert status == {"m": "filled (no template)", "h": "filled"}
    counts = [(r["chain"], r["gaps"], r["without_template"]) for r in found.rows["chains"]]
    assert counts == [("m", "1", "1"), ("h", "1", "0")]
    guided = fill(scaffold(protein, (30, 33)), homologs=[relative])
    assert guided.rows["gaps"][0]["status"] == "filled"
    assert guided.rows["chains"][0]["without_template"] == "0"


def test_regions_follow_the_chain(fill: Filler) -> None:
    whole = germline_chain("K", 1, constant=True)
    found = fill(scaffold(whole, *((i, i + 1) for i in (*range(0, 108, 5), 150, 180))))
    regions = list(dict.fromkeys(r["region"] for r in found.rows["residues"]))
    assert regions == ["FR1", "CDR1", "FR2", "CDR2", "FR3", "CDR3", "FR4", "C"]
    # chains.tsv has them with their places, which hold every residue.
    runs = [run.partition(":") for run in found.rows["chains"][0]["regions"].split(",")]
    places = {region: tuple(map(int, place.split("-"))) for region, _, place in runs}
    assert list(places) == regions and places["FR1"][0] == 1 and places["C"][1] == len(whole)
    for row in found.rows["residues"]:
        first, last = places[row["region"]]
        assert first <= int(row["position"]) <= last


def test_regions_of_residues_outside_of_domains_are_left_out() -> None:
    regions = ["", "", "FR1", "FR1", "CDR1", "", "FR1", ""]
    assert regions_as_text(regions) == "FR1:3-4,CDR1:5-5,FR1:7-7"
    assert regions_as_text(["", ""]) == regions_as_text([]) == ""


def test_a_region_does_not_go_over_into_the_next_chain(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    chains = [scaffold(whole, (5, 7), name="a"), scaffold(whole, (0, 2), name="b")]
    kmers = encode_scaffolds(chains, fill.library)
    columns = kmers.chain_columns.clone()
    columns[len(whole) : len(whole) + 2] = OTHER_INSERTION
    tables = Tables(
        fill_chains(
            chains, replace(kmers, chain_columns=columns), fill.encoder(), evenly, candidates=1
        )
    )
    regions = [(r["chain"], r["region"]) for r in read(tables).rows["residues"]]
    assert regions == [("a", "FR1")] * 2 + [("b", "")] * 2


def test_the_commonest_residue_of_a_conserved_column_is_it() -> None:
    table = column_majorities()
    for locus in range(len(LOCI)):
        assert RESIDUES[table[locus, 23]] == RESIDUES[table[locus, CYS104]] == "C"
        assert RESIDUES[table[locus, 41]] == "W"
        assert RESIDUES[table[locus, 118]] == ("W" if LOCI[locus] == "H" else "F")


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
