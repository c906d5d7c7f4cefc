"""The quick ones among the faults of `make faults`, in one small folder."""

import os
import signal
from pathlib import Path

import pytest
from harness import Running, Step, Workspace, run

from chains import fasta, germline_chain, hidden, mutated

pytestmark = pytest.mark.workflow


def tiny(folder: Path, homologs: int) -> Workspace:
    """A folder with one chain, and that many mutations in its only homolog."""
    space = Workspace(folder)
    chain = germline_chain("K", 1)
    space.write("chains.fasta", fasta({"light": hidden(mutated(chain, 4, 1), [(30, 33)])}))
    space.write("homologs.fasta", fasta({"near": mutated(chain, homologs, 2)}))
    space.sheet({"sample": "one", "fasta": "chains.fasta", "homologs": "homologs.fasta"})
    space.config()
    return space


def test_a_changed_input_is_said_and_the_next_run_is_of_the_new_one(tmp_path: Path) -> None:
    space, fresh = tiny(tmp_path / "changed", 30), tiny(tmp_path / "fresh", 5)
    running = Running(space)
    assert running.wait_for(Step("join_blocks"))  # the homologs have been read by then
    os.replace(fresh.folder / "homologs.fasta", space.folder / "homologs.fasta")
    ended = running.end()
    assert ended.status == 1 and ended.line is not None
    assert "homologs.fasta: changed during the run" in ended.line

    # The partial file of a killed process is gone after the next run.
    half = space.write("out/one/.filled.fasta.part", ">half")
    again = run(space)
    assert again.status == 0 and not half.exists()
    tiny(fresh.folder, 5).run()
    assert space.results() == fresh.results()
    assert space.run("--dry-run").jobs() == {}

    # A file from a backup has an old time, by which Snakemake would consider it unchanged.
    space.write("chains.fasta", fasta({"light": hidden(germline_chain("K", 3), [(30, 33)])}))
    os.utime(space.folder / "chains.fasta", (1e9, 1e9))
    assert "read_scaffolds" in space.run("--dry-run").jobs()


def test_a_run_that_hangs_before_the_job_that_is_awaited_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.LIMIT_S", 0)
    running = Running(tiny(tmp_path, 5))
    assert not running.wait_for(Step("join_blocks"))
    assert running.end().status == -signal.SIGKILL
