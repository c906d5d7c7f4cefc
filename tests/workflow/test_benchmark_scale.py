"""The benchmark_scale target: a small batch, measured from start to end."""

from pathlib import Path

import pytest
from runs import Workspace

from chains import fasta, germline_chain
from tsv import read_tsv

pytestmark = pytest.mark.workflow


def test_a_batch_is_measured_and_its_table_printed(tmp_path: Path) -> None:
    """With the weights of the run, which need not be the default ones."""
    space = Workspace(tmp_path)
    space.write("chains.fasta", fasta({"a": germline_chain("H", 1)}))
    space.sheet({"sample": "a", "fasta": "chains.fasta"})
    space.config(block_size=5, benchmark_scale={"chains": [2, 8]}, weights="noncommercial")
    run = space.run("benchmark_scale")
    rows = read_tsv(tmp_path / "out" / "benchmark_scale.tsv")
    assert [row["chains"] for row in rows] == ["2", "8"]
    for row in rows:
        stages = sum(float(v) for k, v in row.items() if k.endswith(" s") and k != "total s")
        assert stages == pytest.approx(float(row["total s"]), abs=0.5)
        assert all(float(row[f"{name} s"]) > 0 for name in ("k-mers", "fill", "other"))
        assert 100 < float(row["peak MB"]) < 1500  # torch alone is more
        assert " ".join(row.values()).split() in [x.split() for x in run.output.splitlines()]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "benchmark_scale.tsv",
        "benchmarks",
        "logs",
    ]


def test_a_fault_is_one_line_on_the_terminal_and_in_the_log(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.write("chains.fasta", fasta({"a": germline_chain("H", 1)}))
    space.sheet({"sample": "a", "fasta": "chains.fasta"})
    space.config(train={"from": "chains.fasta"})
    run = space.run("benchmark_scale", status=1)
    assert run.error().startswith("Error: ") and len(run.error().splitlines()) == 1
    assert "chains.fasta: damaged or not a safetensors file (" in run.error()
    assert "Traceback" not in run.output
    log = (tmp_path / "out" / "logs" / "benchmark_scale.log").read_text()
    assert log.splitlines() == [run.error()]
