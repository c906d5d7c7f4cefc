"""A change re-runs what it changes and nothing else, and a run that was killed goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runs import ROOT, SNAKEFILE, Workspace

from chains import fasta, germline_chain, mutated

pytestmark = pytest.mark.workflow

# Blocks are temporary, but for their scored residues: what changes one of the steps to the tables
# makes all of them again.
STEPS = "read_scaffolds find_alkylation write_kmers fill_gaps join_blocks measure_accuracy"
BLOCKS = set(STEPS.split())
ACROSS = {"join_accuracy", "write_report"}
MEASURED = {"measure_accuracy"} | ACROSS
# What an edit of a file runs again: the rules whose scripts lead to it, and what depends on those.
EDITS = {
    "resources/germlines/V.tsv": BLOCKS | ACROSS,
    "workflow/scripts/lacuna/results/accuracy.py": MEASURED,
    "workflow/scripts/lacuna/training/corpus.py": set(),  # of pretraining
    "workflow/scripts/lacuna/training/masking.py": set(),  # nothing is trained
    "workflow/scripts/lacuna/results/counts.py": MEASURED,
    "workflow/scripts/lacuna/filling/decode.py": BLOCKS | ACROSS,
    "workflow/scripts/lacuna/results/report.py": {"write_report"},
    "workflow/scripts/lacuna/scaffolds/read.py": BLOCKS | ACROSS | {"train_seed"},
    "workflow/scripts/lacuna/tutorial/kernel.py": MEASURED | {"train_seed"},
    "workflow/scripts/lacuna/steps/sheet.py": set(),  # read before any job
    "workflow/scripts/fill_gaps.py": BLOCKS | ACROSS,
    "workflow/scripts/join_accuracy.py": {"join_accuracy"},
    "workflow/scripts/measure_accuracy.py": MEASURED,
    "workflow/scripts/write_alternatives.py": set(),  # not asked for
    "workflow/scripts/find_doubts.py": set(),  # nor this
    "workflow/scripts/write_airr.py": set(),  # the chains are those of a FASTA
    "workflow/scripts/write_kmers.py": BLOCKS | ACROSS,
}


def batch(folder: Path, snakefile: Path = SNAKEFILE) -> Workspace:
    """A folder with a sample of three chains in as many blocks, with the tutorial's model."""
    space = Workspace(folder, snakefile)
    chains = {locus: mutated(germline_chain(locus, 1), 5, 1) for locus in "HKL"}
    space.write("chains.fasta", fasta(chains))
    space.write("gaps.bed", "".join(f"{name}\t30\t33\n" for name in chains))
    space.sheet({"sample": "three", "fasta": "chains.fasta", "gaps": "gaps.bed"})
    space.config(block_size=1, seed_lstm={"samples": ["three"], "epochs": 1})
    return space


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run of a copy of the workflow, which a test may edit."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("workflow", "resources/germlines"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "resources" / "weights").symlink_to(ROOT / "resources" / "weights")
    (copy / "envs").symlink_to(ROOT / "envs")
    space = batch(tmp_path_factory.mktemp("run"), Path(shutil.copy(SNAKEFILE, copy)))
    assert set(space.run().jobs()) == {"all", "train_seed"} | BLOCKS | ACROSS
    return space


@pytest.mark.parametrize("file", EDITS)
def test_an_edit_re_runs_the_rules_that_use_it(space: Workspace, file: str) -> None:
    path = space.snakefile.parent / file
    before, status = path.read_text(), path.stat()
    try:
        path.write_text(before + "\n# edited\n")
        planned = space.run("--dry-run")
    finally:
        path.write_text(before)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # of scripts it counts
    assert set(planned.jobs()) - {"all"} == EDITS[file]


def test_new_settings_of_filling_train_no_model_of_the_tutorial_again(space: Workspace) -> None:
    planned = space.run("--dry-run", "--config", "candidates=2")
    assert set(planned.jobs()) - {"all"} == BLOCKS | ACROSS


def block_done(out: Path) -> bool:
    """A block is filled, and Snakemake has removed what it alone was filled from."""
    filled = (out / "three" / "blocks").glob("*/filled.part")
    return any(not f.with_name("kmers.safetensors").exists() for f in filled)


def test_a_killed_run_goes_on_to_the_same_bytes(space: Workspace, tmp_path: Path) -> None:
    """As a user would after a power cut: unlock, and run again what was cut short."""
    killed = batch(tmp_path, space.snakefile)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(space.snakefile)]
    command += ["--directory", str(tmp_path), "--cores", "1"]
    job = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not block_done(tmp_path / "out") and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    assert block_done(tmp_path / "out") and not (tmp_path / "out" / "report.html").exists()
    refused = killed.run("--rerun-incomplete", status=1)
    assert "--unlock" in refused.output  # says what to type
    killed.run("--unlock")
    again = killed.run("--rerun-incomplete")
    assert again.jobs()["fill_gaps"] < 3
    assert killed.results() == space.results()
