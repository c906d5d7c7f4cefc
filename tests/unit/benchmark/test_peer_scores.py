"""One function scores Lacuna and its peers; the tables and the figure show its result."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from lacuna.benchmark.peer_envs import PEERS
from lacuna.benchmark.peer_scores import COLUMNS, TITLES, draw, score, speed_table, summarise
from lacuna.benchmark.peers import DOMAIN, Speed, Target
from lacuna.core.statistics import wilson_interval

HEAVY = Target("h", "thera_dev", "gap3", "H", "QVQLVESIGG", (1, 2, 7))  # truth V Q I
LIGHT = Target("l", "shehata", "gap3", "L", "DIQMTQSPSS", (1, 2))  # I Q
MOUSE = Target("m", "oas_mouse", "gap5", "H", "EVQLQQSGPE", (0, 4))  # E Q
TARGETS = [HEAVY, LIGHT, MOUSE]


def answers(method: str, *filled: str | None, told: Any = None) -> list[Any]:
    found = zip(TARGETS, filled, strict=True)
    return [(method, t.id, f, told and [told] * len(t.missing)) for t, f in found if f is not None]


def cell(table: pd.DataFrame, method: str, *key: str) -> dict[str, Any]:
    names = ("method", "set", "protocol", "chain")
    rows = table.to_dict("records")
    [row] = [r for r in rows if tuple(r[name] for name in names) == (method, *key)]
    return row


def test_residues_and_gaps_are_counted_in_every_cell() -> None:
    # Right, right, L for I: two of three, and the gap is exact with I = L.
    table = score(TARGETS, answers("lacuna", "QVQLVESLGG", "DIAMTQSPSS", "EVQLQQSGPE", told=0.75))
    assert list(table.columns) == list(COLUMNS)
    heavy = cell(table, "lacuna", "thera_dev", "gap3", "H")
    counted = [heavy[name] for name in ("n_residues", "n_correct", "n_gaps", "n_exact")]
    assert counted == [3, 2, 1, 1]
    pooled = cell(table, "lacuna", "human", "all", "all")
    assert (pooled["n_residues"], pooled["n_correct"]) == (5, 3)
    assert (pooled["n_gaps"], pooled["n_exact"], pooled["exact"]) == (2, 1, "0.5000")
    low, high = wilson_interval(3, 5)
    assert (pooled["ci_low"], pooled["ci_high"]) == (f"{low:.4f}", f"{high:.4f}")
    assert (pooled["mean_probability"], pooled["ece"]) == ("0.7500", "0.1500")
    keys = {tuple(row) for row in table[["set", "protocol", "chain"]].to_numpy()}
    assert ("human", "gap5", "H") not in keys and ("oas_mouse", "gap5", "all") in keys


def test_calibration_is_measured_bin_by_bin() -> None:
    given = answers("lacuna", "QVQLVESIGG", None, None, told=0.95)
    given.append(("lacuna", "l", "DAAMTQSPSS", [0.05, 0.05]))
    pooled = cell(score(TARGETS, given), "lacuna", "human", "all", "all")
    assert pooled["ece"] == "0.0500"  # each bin is off by .05, in its own direction


def test_a_changed_or_absent_chain_is_wrong_in_all_of_its_residues() -> None:
    changed = score(TARGETS, answers("lacuna", "AVQLVESIGG", "DIQMTQSPS", MOUSE.seq))
    assert cell(changed, "lacuna", "human", "all", "all")["n_correct"] == 0
    absent = score(TARGETS, answers("lacuna", HEAVY.seq, None, MOUSE.seq))
    assert cell(absent, "lacuna", "human", "all", "all")["n_correct"] == 3
    assert cell(absent, "lacuna", "human", "all", "all")["n_residues"] == 5


def test_what_a_method_does_not_take_is_blank_and_not_zero() -> None:
    table = score(TARGETS, answers("sapiens", HEAVY.seq, LIGHT.seq, None))
    row = cell(table, "sapiens", "oas_mouse", "gap5", "H")
    assert {row[name] for name in COLUMNS[4:]} == {""}


def test_a_method_that_fills_nothing_is_left_out() -> None:
    nothing = answers("nearest_homolog", *(t.scaffold for t in TARGETS))
    something = answers("germline_copy", HEAVY.scaffold, "DXQMTQSPSS", MOUSE.scaffold)
    table = score(TARGETS, [*nothing, *something])
    assert set(table["method"]) == {"germline_copy"}
    assert cell(table, "germline_copy", "human", "all", "all")["n_correct"] == 1


# --- for readers ---------------------------------------------------------------------------------


def both() -> tuple[pd.DataFrame, pd.DataFrame]:
    given = answers("sapiens", HEAVY.seq, "DAAMTQSPSS", None, told=0.5)
    given += answers("lacuna", HEAVY.seq, LIGHT.seq, MOUSE.seq, told=0.9)
    given += answers("germline_copy", HEAVY.scaffold, LIGHT.seq, MOUSE.seq)
    speeds = [Speed("sapiens", 3, 0.1, 2, 300.4), Speed("lacuna", 3, 0.05, 2, 400.0)]
    return score(TARGETS, given), speed_table(speeds)


def test_the_summary_has_a_row_per_method_and_says_what_is_not_there() -> None:
    accuracy, speed = both()
    assert list(speed["method"]) == ["lacuna", "sapiens"]
    assert list(speed["chains_per_second"]) == ["60.0", "30.0"]
    lines = summarise(accuracy, speed).splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["", "gap3", "exact gaps", "ECE", "chains/s", "MB"]
    assert cells[2] == ["Lacuna", "1.000 (0.566-1.000)", "1.000", "0.100", "60.0", "400"]
    assert cells[3][0] == "Sapiens 1.0.3" and cells[3][-2:] == ["30.0", "300"]
    assert cells[4][0] == "germline copy" and cells[4][-3:] == ["", "", ""]
    assert lines[-2].startswith("2 scaffolds of thera_dev, cov_abdab, shehata")
    assert lines[-1] == "No nearest homolog: 'peers.homologs' names no FASTA."


def test_without_a_human_set_all_sets_are_pooled_and_summary_and_picture_say_so() -> None:
    mine = replace(HEAVY, set="mine")
    given = [("lacuna", t.id, t.seq, [0.9] * len(t.missing)) for t in (mine, MOUSE)]
    table, speed = score([mine, MOUSE], given), both()[1]
    assert set(table["set"]) == {"all", "mine", "oas_mouse"}
    assert cell(table, "lacuna", "all", "all", "all")["n_residues"] == 5
    lines = summarise(table, speed).splitlines()
    assert lines[0] == "|  | gap3 | gap5 | exact gaps | ECE | chains/s | MB |"
    assert lines[-2].startswith("2 scaffolds of all sets: ")
    assert "Residues filled correctly, all sets," in draw(table, speed)
    assert "Residues filled correctly, human sets," in draw(*both())


def test_whole_chains_which_no_peer_takes_are_never_pooled() -> None:
    mine = replace(HEAVY, set="mine")
    whole = replace(mine, id="w", seq=mine.seq + "A" * DOMAIN)
    table = score([mine, whole], [("iglm", "h", HEAVY.seq, None)])
    assert cell(table, "iglm", "all", "all", "all")["accuracy"] == "1.0000"
    assert cell(table, "iglm", "mine", "all", "all")["n_residues"] == 6


def test_the_picture_is_svg_with_every_interval_in_its_frame() -> None:
    root = ElementTree.fromstring(draw(*both()))
    svg = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{svg}svg"
    titles = [e.text or "" for e in root.iter(f"{svg}title")]
    assert len(titles) == 2 * 3 and titles[0].startswith("Lacuna, gap3: 1.0000")
    width = float(root.get("viewBox", "").split()[2])
    places = [float(e.get(x, "0")) for e in root.iter(f"{svg}line") for x in ("x1", "x2")]
    assert min(places) >= 120 and max(places) <= 470 < width
    bars = [float(e.get("width", "0")) for e in root.iter(f"{svg}rect")][1:]
    assert bars == [100.0, 50.0]
    assert {"30.0", "60.0", "Sapiens 1.0.3"} <= {e.text for e in root.iter(f"{svg}text")}


def test_every_method_that_can_be_compared_has_a_title_and_a_colour() -> None:
    for peer, pin in PEERS.items():
        assert TITLES[peer].lower() == pin.replace("==", " ")
    template = Path(__file__).parents[3] / "workflow" / "report" / "peers.svg.j2"
    assert all(f'"{method}": "#' in template.read_text() for method in TITLES)


def test_a_set_of_whole_chains_is_a_cell_of_its_own() -> None:
    whole = replace(HEAVY, id="w", set="full_dev")
    table = score([HEAVY, whole], [("iglm", "h", HEAVY.seq, None)])
    assert cell(table, "iglm", "full_dev", "all", "all")["n_residues"] == ""
    assert cell(table, "iglm", "human", "all", "all")["n_residues"] == 3
