"""Repertoires in whole runs: AIRR and OAS in, airr.tsv out, ends completed, residues doubted."""

import csv
import json
import re
from pathlib import Path

import pytest
from runs import Workspace

from chains import fasta, germline_chain, hidden
from lacuna.steps.one_file import fill_file
from lacuna.steps.outputs import AIRR, DOUBTS, OUTPUTS
from lacuna.steps.packs import FEWEST_SAMPLES

pytestmark = pytest.mark.workflow


def unit(space: Workspace, name: str, chains: list[str]) -> Path:
    """A data unit of OAS."""
    path = space.folder / name
    with open(path, "w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow([json.dumps({"Run": "ERR1", "Chain": "Heavy"})])
        rows.writerow(["sequence", "locus", "sequence_alignment_aa", "Redundancy"])
        rows.writerows(["ACGT", "H", chain, "1"] for chain in chains)
    return path


def test_a_repertoire_is_filled_as_lacuna_fill_fills_it(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "run")
    whole = [germline_chain("H", i) for i in range(5)]
    at = whole[3].index("WIRQ")
    swapped = whole[3][:at] + "WRIQ" + whole[3][at + 4 :]
    path = unit(
        space, "unit.csv", [whole[0][7:], whole[1], whole[2][:-3], swapped, "AC*" + whole[4]]
    )
    rows = [{"sample": "oas", "fasta": "unit.csv"}]
    for i in range(FEWEST_SAMPLES):
        space.write(f"s{i}.fasta", fasta({"c": hidden(germline_chain("K", i)[5:], [(40, 43)])}))
        rows.append({"sample": f"s{i}", "fasta": f"s{i}.fasta"})
    space.sheet(*rows)
    space.config(block_size=3, doubts=True, precision="float32")
    run = space.run()
    jobs = run.jobs()
    assert jobs["write_airr"] == jobs["join_doubts"] == jobs["fill_pack_00000"] == 1
    assert jobs["find_doubts"] == 2
    options = {"doubts": True, "precision": "float32"}
    fill_file({"fasta": path}, tmp_path / "oas", options)
    found = space.results()
    names = (OUTPUTS | AIRR | DOUBTS).values()
    for name in names:
        assert found[f"oas/{name}"] == (tmp_path / "oas" / name).read_bytes(), name
    fill_file({"fasta": space.folder / "s0.fasta"}, tmp_path / "s0", options)
    for name in (OUTPUTS | DOUBTS).values():
        assert found[f"s0/{name}"] == (tmp_path / "s0" / name).read_bytes(), name
    assert [x for x in found if x.endswith("airr.tsv")] == ["oas/airr.tsv"]
    filled = space.rows("oas/airr.tsv")
    assert [row["sequence_id"] for row in filled] == ["row1", "row2", "row3", "row4"]
    assert [row["lacuna_filled"] for row in filled] == [
        "1-7",
        "",
        f"{len(whole[2]) - 2}-{len(whole[2])}",
        "",
    ]
    assert filled[1]["sequence_aa"] == whole[1]
    doubts = [(r["chain"], r["position"], r["proposed"]) for r in space.rows("oas/doubts.tsv")]
    assert doubts == [("row4", str(at + 2), "I"), ("row4", str(at + 3), "R")]
    said = "oas: 4 chains, 10 of 10 missing residues filled; 2 chains without a gap; of 4 chains, "
    said += "1 lacked the N terminus and 1 lacked the C terminus; 1 record rejected"
    assert said in run.output
    assert "; 2 observed residues look wrong (see out/oas/doubts.tsv)" in run.output
    page = (space.folder / "out" / "report.html").read_text(encoding="utf-8")
    marked = re.findall(r'class="d"[^>]*><title>(\d+) \w: (\w) is more likely \(permuted\)<', page)
    assert marked[:2] == [(position, proposed) for _, position, proposed in doubts]
