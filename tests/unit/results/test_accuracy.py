"""Accuracy tables: intervals against published values, sums that add up, gaps and calibration."""

import math
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.core.statistics import wilson_interval
from lacuna.core.tables import ACCURACY_TABLE, SCORED_TABLE
from lacuna.results.accuracy import (
    SCOPES,
    accuracy_table,
    read_scored,
    sum_predictions,
    sum_scored,
)
from lacuna.results.streams import write_table


def scored(*rows: dict[str, str]) -> pd.DataFrame:
    """A table of scored residues: correct answers in a heavy chain's CDR1 unless a row differs."""
    usual = dict.fromkeys(SCORED_TABLE.names, "A") | {
        "chain": "m",
        "gap": "1",
        "gap_length": "5",
        "region": "CDR1",
        "locus": "H",
        "probability": "0.9000",
        "nearest_homolog": "X",
        "ambiguity": "",
    }
    table = pd.DataFrame([usual | {"position": str(i)} | row for i, row in enumerate(rows, 1)])
    return table[list(SCORED_TABLE.names)].astype(str)


def table(*parts: pd.DataFrame) -> pd.DataFrame:
    return accuracy_table([sum_scored(p) for p in parts])


def row(found: pd.DataFrame, method: str = "lacuna", scope: str = "overall", value: str = "all"):
    keys = (found["scope"] == scope) & (found["value"] == value) & (found["method"] == method)
    assert keys.sum() == 1, found
    return found[keys].iloc[0]


# --- one table -----------------------------------------------------------------------------------


def test_residues_and_gaps_are_counted() -> None:
    found = table(
        scored(
            {"gap": "1"},
            {"gap": "1", "germline_copy": "C"},
            {"gap": "2", "lacuna": "W", "germline_copy": "X"},
        )
    )
    assert tuple(found.columns) == ACCURACY_TABLE.names
    mine = row(found)
    assert (mine.n_residues, mine.n_correct, mine.n_gaps, mine.n_exact) == (3, 2, 2, 1)
    assert (mine.accuracy, mine.protocol) == ("0.6667", "scaffold")
    low, high = wilson_interval(2, 3)
    assert (mine.ci_low, mine.ci_high) == (f"{low:.4f}", f"{high:.4f}")
    copy = row(found, "germline_copy")  # no answer is not a correct one
    assert (copy.n_residues, copy.n_correct, copy.n_exact) == (3, 1, 0)
    assert (copy.mean_probability, copy.ece) == ("", "")


def test_a_gap_is_exact_with_i_and_l_taken_as_one_but_the_residue_is_wrong() -> None:
    found = row(table(scored({"lacuna": "I", "truth": "L"}, {"lacuna": "L", "truth": "I"}, {})))
    assert (found.n_correct, found.n_gaps, found.n_exact) == (1, 1, 1)
    found = row(table(scored({"lacuna": "V", "truth": "L"}, {})))
    assert (found.n_correct, found.n_exact) == (1, 0)


def test_gaps_of_the_same_number_in_two_chains_are_two() -> None:
    found = row(table(scored({"chain": "a"}, {"chain": "b", "lacuna": "W"})))
    assert (found.n_gaps, found.n_exact) == (2, 1)


def test_scopes_split_the_residues() -> None:
    rows = scored(
        {"region": "CDR1", "locus": "H", "chain": "a", "gap_length": "2"},
        {"region": "FR2", "locus": "H", "chain": "a", "gap_length": "2", "lacuna": "W"},
        {"region": "", "locus": "", "chain": "b", "gap_length": "10"},
    )
    found = table(rows)
    assert row(found, scope="region", value="CDR1").accuracy == "1.0000"
    assert row(found, scope="region", value="FR2").accuracy == "0.0000"
    assert row(found, scope="locus", value="H").n_residues == 2
    assert row(found, scope="chain", value="b").n_residues == 1
    mine = found[found["method"] == "lacuna"]
    assert set(mine["value"]) == {"all", "CDR1", "FR2", "H", "a", "b", "2", "10"}
    # A gap counts in the scope of its first residue, and its single error makes it inexact.
    first, rest = (row(found, scope="region", value=r) for r in ("CDR1", "FR2"))
    assert (first.n_gaps, first.n_exact, rest.n_gaps) == (1, 0, 0)


def test_ambiguity_codes_are_counted_apart_and_gaps_alone_everywhere_else() -> None:
    """Single J's once turned 39 of 45 residues of gaps into 101 of 107."""
    right = {"truth": "L", "lacuna": "L", "germline_copy": "L", "probability": "0.9900"}
    found = table(
        scored(
            *({"gap": "1"} | x for x in ({}, {"lacuna": "W"})),
            {"gap": "2", "ambiguity": "J"} | right,
            {"gap": "3", "ambiguity": "J"} | right | {"lacuna": "I"},
            {"gap": "4", "ambiguity": "J"} | right,
            {"gap": "4", "ambiguity": "B", "truth": "D", "lacuna": "N"},
            {"gap": "5", "ambiguity": "Z", "chain": "coded", "gap_length": "1", "locus": "K"},
        )
    )
    mine = found[found["method"] == "lacuna"]
    others = mine[mine["scope"] != "ambiguity"]
    assert others["value"].tolist() == ["all", "H", "CDR1", "5", "m"]
    assert {(r.n_residues, r.n_correct, r.n_gaps, r.n_exact) for r in others.itertuples()} == {
        (2, 1, 1, 0)
    }
    assert others["mean_probability"].tolist() == ["0.9000"] * 5
    codes = mine[mine["scope"] == "ambiguity"]
    columns = ["value", "n_residues", "n_correct", "n_gaps", "n_exact"]
    # I for L is wrong here. Adjacent codes are one gap, which counts in the row of the first.
    assert codes[columns].to_numpy().tolist() == [
        ["B", 1, 0, 0, 0],
        ["J", 3, 2, 3, 1],
        ["Z", 1, 1, 1, 1],
    ]
    assert row(found, "germline_copy", "ambiguity", "J").n_correct == 3


def test_codes_alone_have_no_overall_row() -> None:
    found = table(scored({"ambiguity": "J"}))
    assert set(found["scope"]) == {"ambiguity"}


def test_rows_come_by_scope_then_length_as_a_number_then_method() -> None:
    found = table(
        scored(
            *({"gap_length": n, "gap": n} for n in ("15", "3", "1")),
            {"gap": "9", "ambiguity": "J"},
        )
    )
    assert found["scope"].drop_duplicates().tolist() == list(SCOPES)
    by_length = found[found["scope"] == "gap_length"]
    assert by_length["value"].drop_duplicates().tolist() == ["1", "3", "15"]
    overall = found[found["scope"] == "overall"]["method"].tolist()
    assert overall == ["lacuna", "germline_copy", "column_majority"]


def test_a_method_with_nothing_to_go_by_in_any_chain_is_left_out() -> None:
    assert "nearest_homolog" not in set(table(scored({}))["method"])
    assert "nearest_homolog" in set(table(scored({}, {"nearest_homolog": "C"}))["method"])


def test_the_model_is_never_left_out() -> None:
    """A gap that no sequence fits stays X, and is wrong."""
    found = table(scored({"lacuna": "X", "probability": "0.0000"}))
    assert row(found, "lacuna").n_residues == 1 and row(found, "lacuna").n_correct == 0


def test_a_method_with_nothing_to_go_by_in_one_block_is_wrong_there() -> None:
    blocks = [scored({"chain": "a", "germline_copy": "X"}), scored({"chain": "b"})]
    together = table(pd.concat(blocks, ignore_index=True))
    pd.testing.assert_frame_equal(table(*blocks), together)
    assert row(together, "germline_copy").n_residues == 2


def test_without_truth_the_table_is_a_header(tmp_path: Path) -> None:
    (tmp_path / "scored").write_text("")
    found = table(read_scored(tmp_path / "scored"))
    assert found.empty and tuple(found.columns) == ACCURACY_TABLE.names
    write_table(tmp_path / "accuracy.tsv", found)
    assert (tmp_path / "accuracy.tsv").read_text() == ACCURACY_TABLE.header


def test_other_predictions_stand_beside_under_their_protocol() -> None:
    rows = scored({}, {})
    answers = rows.assign(answer=["A", "C"], probability=["0.5000", "0.5000"])
    sums = [sum_scored(rows)]
    sums += [sum_predictions(answers, p) for p in ("true_context", "scaffold")]
    found = accuracy_table(sums)
    seed = found[(found["method"] == "seed_lstm") & (found["scope"] == "overall")]
    assert seed["protocol"].tolist() == ["scaffold", "true_context"]
    assert (
        seed["n_correct"].tolist() == [1, 1] and seed["mean_probability"].tolist() == ["0.5000"] * 2
    )


# --- calibration ---------------------------------------------------------------------------------


def test_the_calibration_error_weighs_bins_by_their_residues() -> None:
    # Bin 0.8 to 0.9: 4 of 5 right at 0.85, off by 0.05. Bin 0.5 to 0.6: none of 3 right at 0.55.
    rows = scored(
        *({"probability": "0.8500"} for _ in range(4)),
        {"probability": "0.8500", "lacuna": "W"},
        *({"probability": "0.5500", "lacuna": "W"} for _ in range(3)),
    )
    found = row(table(rows))
    assert float(found.ece) == pytest.approx((5 * 0.05 + 3 * 0.55) / 8, abs=5e-5)
    assert float(found.mean_probability) == pytest.approx((5 * 0.85 + 3 * 0.55) / 8, abs=5e-5)


def test_a_calibrated_model_has_no_error_and_certainty_has_a_bin() -> None:
    right = ({"probability": "0.7500"} for _ in range(3))
    rows = scored(*right, {"probability": "0.7500", "lacuna": "W"}, {"probability": "1.0000"})
    assert row(table(rows)).ece == "0.0000"


@pytest.mark.parametrize("tenth", range(10))
def test_a_probability_on_the_edge_belongs_to_the_bin_above(tenth: int) -> None:
    """In one bin, errors of opposite sign cancel; in two bins they add up."""
    edge, inside, below = (f"{tenth / 10 + x:.4f}" for x in (0.0, 0.05, -0.0001))
    same = scored({"probability": edge, "lacuna": "W"}, {"probability": inside})
    off = abs(1 - (float(edge) + float(inside))) / 2
    assert float(row(table(same)).ece) == pytest.approx(off, abs=1e-4)
    if tenth:
        two = scored({"probability": edge, "lacuna": "W"}, {"probability": below})
        off = (float(edge) + 1 - float(below)) / 2
        assert float(row(table(two)).ece) == pytest.approx(off, abs=1e-4)


# --- blocks --------------------------------------------------------------------------------------

residues = st.builds(
    lambda truth, answer, other, p, region: {
        "truth": truth,
        "lacuna": answer,
        "germline_copy": other,
        "probability": f"{p / 10_000:.4f}",
        "region": region,
    },
    st.sampled_from("IL"),
    st.sampled_from("ILV"),
    st.sampled_from("ILX"),
    st.integers(0, 10_000),
    st.sampled_from(["CDR1", "FR2", ""]),
)
chains = st.lists(st.lists(residues, min_size=1, max_size=4), min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=10)
@given(chains, st.data())
def test_sums_add_up_over_any_split_into_blocks(chosen: list, data: st.DataObject) -> None:
    parts = [scored(*({"chain": f"m{i}"} | r for r in rows)) for i, rows in enumerate(chosen)]
    together = table(pd.concat(parts, ignore_index=True))
    cuts = data.draw(st.sets(st.integers(1, len(parts)), max_size=4))
    edges = [0, *sorted(cuts), len(parts)]
    blocks = [
        pd.concat(parts[a:b], ignore_index=True) if b > a else parts[0][:0]
        for a, b in zip(edges, edges[1:], strict=False)
    ]
    pd.testing.assert_frame_equal(table(*blocks), together)
    pd.testing.assert_frame_equal(table(*reversed(blocks)), together)


def test_a_million_probabilities_add_up_exactly() -> None:
    """With floats, the last digits would depend on the order."""
    rows = pd.concat([scored({"probability": f"{p:.4f}"}) for p in (0.1, 0.7, 0.3)])
    many = pd.concat([rows] * 3000, ignore_index=True).assign(
        chain=[str(i // 3) for i in range(9000)]
    )
    sums = sum_scored(many)
    mine = sums[(sums["method"] == "lacuna") & (sums["scope"] == "overall")].iloc[0]
    total = math.fsum(float(mine[f"p_{i}"]) for i in range(10))
    assert total == 3000 * (1000 + 7000 + 3000)


def test_ids_of_any_kind_come_through_the_file(tmp_path: Path) -> None:
    ids = ['"', 'a"b', "NA", "nan", "1e5", "007", "'", "#x", "α"]
    rows = scored(*({"chain": name} for name in ids))
    path = tmp_path / "scored"
    rows.to_csv(path, sep="\t", index=False, header=False, lineterminator="\n")
    back = read_scored(path)
    pd.testing.assert_frame_equal(back, rows)
    found = table(back)
    assert set(found[found["scope"] == "chain"]["value"]) == set(ids)
    write_table(tmp_path / "accuracy.tsv", found)
    again = pd.read_csv(tmp_path / "accuracy.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert set(again[again["scope"] == "chain"]["value"]) == set(ids)


def test_every_scope_of_every_method_adds_up_to_the_overall_row() -> None:
    loci, regions = "HKL", ("FR1", "CDR3", "C")
    rows = scored(
        *(
            {"locus": locus, "region": region, "chain": locus, "gap": region, "gap_length": str(n)}
            for (locus, region), n in zip(product(loci, regions), range(1, 10), strict=True)
        )
    )
    found = table(rows)
    for (method, _), part in found.groupby(["method", "scope"]):
        total = row(found, str(method))
        for column in ("n_residues", "n_correct", "n_gaps", "n_exact"):
            assert part[column].sum() == total[column]
