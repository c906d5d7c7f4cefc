"""The compare_peers target: its jobs, its message without a bench, a run without peers."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from runs import Workspace

from chains import fasta, germline_chain

pytestmark = pytest.mark.workflow


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """Eight V domains and a whole chain with their truth; a sheet, which is not used."""
    space = Workspace(tmp_path)
    space.write("one.fasta", ">m\nQVXL\n")
    space.sheet({"sample": "one", "fasta": "one.fasta"})
    lines = []
    for i in range(9):
        seq = germline_chain("HK"[i % 2], i, constant=i == 8)
        sets = ("thera_dev", "oas_mouse") if i < 8 else ("full_dev",)
        record = {"id": f"c{i}", "set": sets[i // 2 % len(sets)], "protocol": "gap3"}
        record |= {"chain": "HL"[i % 2], "seq": seq, "missing": [20, 21, 22]}
        lines.append(json.dumps(record))
    space.write("bench/truth.jsonl", "\n".join(lines) + "\n")
    return space


def test_every_peer_gets_an_environment_and_a_run(space: Workspace) -> None:
    space.config(peers={"bench": "bench", "limit": 1})
    assert space.run("--dry-run", "compare_peers").jobs() == {
        "build_peer_env": 3,
        "choose_scaffolds": 1,
        "compare_peers": 1,
        "fill_by_lacuna": 1,
        "fill_by_peer": 3,
    }
    space.config(peers={"bench": "bench", "methods": ["sapiens"]})
    planned = space.run("--dry-run", "compare_peers", cores=2)
    assert planned.jobs()["fill_by_peer"] == planned.jobs()["build_peer_env"] == 1
    assert planned.output.count("threads: 2") == 2  # measured jobs take all cores


@pytest.mark.parametrize(
    ("peers", "words"),
    [
        ({}, "config: 'peers.bench' is null; name a folder with truth.jsonl"),
        ({"bench": "nowhere"}, "config: 'peers.bench' is 'nowhere', which has no truth.jsonl"),
        ({"bench": "bench", "methods": ["sapien"]}, "did you mean 'sapiens'?"),
        ({"bench": "bench", "limit": 0}, "'peers.limit' is 0; write at least 1"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    space: Workspace, peers: dict[str, object], words: str
) -> None:
    space.config(peers=peers)
    said = space.run("--dry-run", "compare_peers", status=1)
    assert words in said.error() and "\n" not in said.error()
    assert "Traceback" not in said.output


def test_both_modes_are_compared_in_a_thorough_run(space: Workspace) -> None:
    space.config(peers={"bench": "bench", "methods": []}, mode="thorough")
    assert space.run("--dry-run", "compare_peers").jobs()["fill_by_lacuna"] == 2


def test_other_targets_need_no_scaffolds_to_compare(space: Workspace) -> None:
    space.config()
    assert "fill_by_lacuna" not in space.run("--dry-run").jobs()


def test_lacuna_and_its_baselines_alone_need_no_network(space: Workspace) -> None:
    homologs = {"h": germline_chain("H", 10), "k": germline_chain("K", 11)}
    space.write("homologs.fasta", fasta(homologs))
    space.config(peers={"bench": "bench", "methods": [], "homologs": "homologs.fasta"})
    space.write("out/summary.txt", "the lines of an earlier run\n")
    said = space.run("compare_peers").output
    assert "the lines of an earlier run" not in said
    table = (space.folder / "out/peers/peers.md").read_text()
    assert table in said and "| Lacuna | 1.000" in table and "| nearest homolog |" in table
    rows = {(r["method"], r["set"], r["chain"]): r for r in space.rows("peers/accuracy.tsv")}
    assert rows["lacuna", "human", "all"]["n_residues"] == "12"
    assert rows["lacuna", "full_dev", "all"]["n_correct"] == "3"
    assert [r["method"] for r in space.rows("peers/speed.tsv")] == ["lacuna"]
    assert space.rows("peers/speed.tsv")[0]["scaffolds"] == "8"  # without the whole chain
    # Sets of any other names are pooled too.
    bench = space.folder / "bench" / "truth.jsonl"
    bench.write_text(bench.read_text().replace("thera_dev", "mine"))
    assert "scaffolds of all sets: " in space.run("compare_peers").output
    rows = {(r["method"], r["set"], r["chain"]): r for r in space.rows("peers/accuracy.tsv")}
    assert rows["lacuna", "all", "all"]["n_residues"] == "24"
    ElementTree.parse(space.folder / "out/peers/peers.svg")
    assert space.run("--dry-run", "compare_peers").jobs() == {}
