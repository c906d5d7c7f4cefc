"""A change re-runs only what depends on it, and a run that was killed continues."""

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
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks

pytestmark = pytest.mark.workflow

# Blocks are temporary except for their scored residues: a change in one of the steps that lead to
# the tables repeats all of them.
STEPS = "read_scaffolds find_alkylation write_kmers fill_gaps join_blocks measure_accuracy"
BLOCKS = set(STEPS.split())
ACROSS = {"join_accuracy", "write_report"}
# Of the sample with reads, whose placed reads are temporary.
READS = {"read_peptides", "place_reads", "weigh_evidence", "write_evidence"}
REFILLED = BLOCKS | ACROSS | {"write_evidence"}
MEASURED = {"measure_accuracy"} | ACROSS
# What an edit of a file re-runs: the rules whose scripts import it, and what depends on them.
EDITS = {
    "resources/germlines/V.tsv": BLOCKS | ACROSS | READS,
    "workflow/scripts/lacuna/results/accuracy.py": MEASURED,
    "workflow/scripts/lacuna/training/corpora.py": set(),  # used in pretraining only
    "workflow/scripts/lacuna/training/masking.py": set(),  # nothing is trained
    "workflow/scripts/lacuna/results/counts.py": ACROSS,
    "workflow/scripts/lacuna/filling/search/decode.py": REFILLED,
    "workflow/scripts/lacuna/results/report/page.py": ACROSS,
    "workflow/report/report.js": ACROSS,
    "workflow/scripts/lacuna/scaffolds/read.py": BLOCKS | ACROSS | READS | {"train_seed"},
    "workflow/scripts/lacuna/reads/tools/peaks.py": BLOCKS | ACROSS | READS,
    "workflow/scripts/lacuna/placing/aligning/align.py": BLOCKS | ACROSS | READS,
    "workflow/scripts/lacuna/evidence/flags.py": BLOCKS | ACROSS | READS,
    "workflow/scripts/lacuna/results/evidence.py": REFILLED,
    "workflow/scripts/lacuna/tutorial/kernel.py": MEASURED | {"train_seed"},
    "workflow/scripts/lacuna/steps/sheet.py": set(),  # read before any job
    "workflow/scripts/fill_gaps.py": REFILLED,
    "workflow/scripts/join_accuracy.py": {"join_accuracy"},
    "workflow/scripts/measure_accuracy.py": MEASURED,
    "workflow/scripts/write_alternatives.py": set(),  # not requested
    "workflow/scripts/find_doubts.py": set(),  # not requested
    "workflow/scripts/write_airr.py": set(),  # the chains are those of a FASTA
    "workflow/scripts/write_kmers.py": REFILLED,
    "workflow/scripts/weigh_evidence.py": BLOCKS | ACROSS | READS,
}


def batch(folder: Path, snakefile: Path, *, with_reads: bool) -> Workspace:
    """A folder with a sample of three chains in two blocks, with the tutorial's model.

    with_reads: and with a sample of reads.
    """
    space = Workspace(folder, snakefile)
    chains = {locus: mutated(germline_chain(locus, 1), 5, 1) for locus in "HKL"}
    space.write("chains.fasta", fasta(chains))
    space.write("gaps.bed", "".join(f"{name}\t30\t33\n" for name in chains))
    reads = simulate_reads([("H", germline_chain("H", 2), 1.0)], 200, 1)
    with open(space.write("reads.csv", ""), "w", encoding="utf-8") as handle:
        write_peaks(reads, handle, "simulated")
    rows = [{"sample": "three", "fasta": "chains.fasta", "gaps": "gaps.bed"}]
    space.sheet(*rows, *([{"sample": "read", "reads": "reads.csv"}] if with_reads else []))
    space.config(block_size=2, seed_lstm={"samples": ["three"], "epochs": 1})
    return space


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run of a copy of the workflow that tests may edit."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("workflow", "resources/germlines"):
        shutil.copytree(ROOT / name, copy / name)
    for name in ("weights", "read_errors", "contaminants", "unimod"):
        (copy / "resources" / name).symlink_to(ROOT / "resources" / name)
    (copy / "envs").symlink_to(ROOT / "envs")
    snakefile = Path(shutil.copy(SNAKEFILE, copy))
    space = batch(tmp_path_factory.mktemp("run"), snakefile, with_reads=True)
    jobs = space.run().jobs()
    assert set(jobs) == {"all", "train_seed"} | BLOCKS | ACROSS | READS
    assert jobs["fill_gaps"] == 3  # two blocks, and the one of reads
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
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # for scripts it counts
    assert set(planned.jobs()) - {"all"} == EDITS[file]


def test_new_settings_of_filling_train_no_model_of_the_tutorial_again(space: Workspace) -> None:
    planned = space.run("--dry-run", "--config", "candidates=2")
    assert set(planned.jobs()) - {"all"} == REFILLED


def test_other_weights_fill_everything_again(space: Workspace) -> None:
    planned = space.run("--dry-run", "--config", "weights=noncommercial")
    assert set(planned.jobs()) - {"all"} == BLOCKS | ACROSS | READS


def block_done(out: Path) -> bool:
    """Whether a block is filled and Snakemake has removed its temporary inputs."""
    filled = (out / "three" / "blocks").glob("*/filled.part")
    return any(not f.with_name("kmers.safetensors").exists() for f in filled)


def test_a_killed_run_goes_on_to_the_same_bytes(space: Workspace, tmp_path: Path) -> None:
    """As after a power cut: unlock, and run again what was cut short."""
    killed = batch(tmp_path, space.snakefile, with_reads=False)
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
    assert "--unlock" in refused.output  # names the remedy
    killed.run("--unlock")
    again = killed.run("--rerun-incomplete")
    assert again.jobs()["fill_gaps"] == 1
    found, whole = killed.results(), space.results()
    names = {name for name in whole if name.startswith("three/")}
    assert {name: found.get(name) for name in names} == {name: whole[name] for name in names}
