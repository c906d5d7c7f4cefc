"""Many small samples: packs of them write what the rules of single steps write, in few jobs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runs import RUN_JOBS, SAMPLE_JOBS, Run, Workspace

from chains import fasta, germline_chain, hidden, mutated
from lacuna.steps.packs import FEWEST_SAMPLES
from peaks import as_mgf, spectrum_of

pytestmark = pytest.mark.workflow

NAMES = [f"s{i}" for i in range(FEWEST_SAMPLES)]
# Not in a pack: a sample with more chains than a pack may hold.
PACKS = {"fill_pack_00000": 1, "fill_pack_00001": 1, "fill_pack_00002": 1}
APART = SAMPLE_JOBS | {"write_alternatives": 1}


def batch(folder: Path) -> Workspace:
    """Nine samples of a chain in packs of four, and one of five chains among them."""
    space = Workspace(folder)
    rows = []
    for i, name in enumerate(NAMES):
        locus = "HKL"[i % 3]
        chain = mutated(germline_chain(locus, i), 4, i)
        space.write(f"{name}.fasta", fasta({f"c{i}": chain if i % 2 else hidden(chain, [(9, 13)])}))
        row = {"sample": name, "fasta": f"{name}.fasta"}
        if i % 2:
            space.write(f"{name}.bed", f"c{i}\t30\t35\nunknown\t1\t2\n")
            row["gaps"] = f"{name}.bed"
        if i == 1:
            space.write("known.tsv", "chain\tposition\tW\tF\nc1\t32\t.9\t.1\n")
            row["evidence"] = "known.tsv"
            space.write("c1.mgf", as_mgf([spectrum_of(chain[20:45])]))
            row["spectra"] = "c1.mgf"
        if i % 3 == 0:
            near = {f"h{j}": mutated(germline_chain(locus, i), 9, 20 + j) for j in range(3)}
            space.write(f"{name}.homologs.fasta", fasta(near))
            row["homologs"] = f"{name}.homologs.fasta"
        rows.append(row)
    large = {f"l{i}": hidden(germline_chain("H", i), [(20, 24)]) for i in range(5)}
    space.write("large.fasta", fasta(large))
    rows.insert(4, {"sample": "large.1", "fasta": "large.fasta"})
    space.sheet(*rows)
    space.config(pack_chains=4, alternatives=True, candidates=3, precision="float32")
    return space


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return batch(tmp_path_factory.mktemp("packs"))


@pytest.fixture(scope="module")
def finished(space: Workspace) -> Run:
    return space.run("--quiet", "reason")


def test_small_samples_share_jobs_and_leave_nothing_else(space: Workspace, finished: Run) -> None:
    assert finished.jobs() == RUN_JOBS | PACKS | APART
    assert "Fill 4 small samples, s0 to s3." in finished.output
    files = set(space.results())
    assert len([f for f in files if f.endswith("/alternatives.fasta")]) == len(NAMES) + 1
    kept = [f for f in files if "/blocks/" in f]  # of the sample that is in no pack
    assert kept == ["large.1/blocks/00000/scored.tsv.gz"]
    assert not [f for f in files if f.startswith("packs/")]
    assert not (space.folder / "out" / "packs").exists()
    assert "s1: 1 chain, 5 of 5 missing residues filled; 1 record rejected" in finished.output
    for kind in ("logs", "benchmarks"):
        assert len(list((space.folder / "out" / kind / "fill_pack").iterdir())) == len(PACKS)
    assert space.run().jobs() == {}  # nothing to be done


def test_lists_of_all_files_can_be_left_out(finished: Run) -> None:
    """They would bury what a run says."""
    assert "Fill 4 small samples" in finished.output
    assert not [line for line in finished.output.splitlines() if line.count("out/s") > len(NAMES)]


def test_the_bytes_are_those_of_jobs_of_their_own(space: Workspace, finished: Run) -> None:
    packed = space.results()
    some = ["s0", "s1"]
    wanted = [f"alone/{x.removeprefix('out/')}" for x in packed if x.split("/")[0] in some]
    assert len(wanted) == 9 * len(some) + 2  # s1 has evidence and spectra
    run = space.run(*wanted, "--config", "outdir=alone", "pack_chains=0")
    assert run.jobs() == {name: len(some) for name in APART} | {
        "write_evidence": 1,
        "read_spectra": 1,
    }
    alone = {name: x for name, x in space.results("alone").items() if "/blocks/" not in name}
    assert alone == {name: packed[name] for name in alone} and len(alone) == len(wanted)


def plan(space: Workspace, *arguments: str) -> set[str]:
    return set(space.run("--dry-run", *arguments).jobs()) - set(RUN_JOBS)


def test_a_change_fills_again_the_packs_that_it_is_in(space: Workspace, finished: Run) -> None:
    sheet = space.folder / "samples.tsv"
    rows = sheet.read_text()
    new = space.write("new.fasta", fasta({"n": hidden(germline_chain("H", 40), [(9, 13)])}))
    try:
        sheet.write_text(rows + f"new\t{new.name}\t\t\n")
        assert plan(space) == {"fill_pack_00002"}  # at the end: only the last pack
        edited = space.folder / "s5.fasta"
        before, status = edited.read_bytes(), edited.stat()
        edited.write_bytes(before.replace(b">c5", b">c5 text"))
        sheet.write_text(rows)
        assert plan(space) == {"fill_pack_00001"}
        edited.write_bytes(before)
        os.utime(edited, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert plan(space, "--config", "candidates=2") == set(PACKS) | set(APART)
    finally:
        sheet.write_text(rows)


def test_an_unreadable_sample_of_a_pack_is_named_in_one_line(
    space: Workspace, tmp_path: Path
) -> None:
    other = batch(tmp_path)
    other.write("s6.homologs.fasta", "no FASTA\n")
    run = other.run("out/s6/filled.fasta", status=1)
    said = "sample 's6': s6.homologs.fasta: not a FASTA file (it begins with 'no FASTA\\n'); "
    assert run.error() == f"Error: {said}the first line must be '>' and an id"
    assert "Traceback" not in run.output
    assert other.results() == {}  # of no sample of that pack, not even in part
    other.run("--keep-going", status=1)  # the jobs of other samples continue
    filled = {path.split("/")[0] for path in other.results()}
    assert filled == {"large.1", *NAMES} - set(NAMES[4:8])  # and no report


def test_a_killed_pack_leaves_nothing_and_is_filled_to_the_same_bytes(
    space: Workspace, finished: Run, tmp_path: Path
) -> None:
    killed = batch(tmp_path)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(killed.snakefile)]
    command += ["--directory", str(tmp_path), "--cores", "1"]
    job = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and job.poll() is None:
            if len(list((tmp_path / "out").glob("s*/filled.fasta"))) % 4:  # in the middle of a pack
                break
            time.sleep(0.005)
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    assert not (tmp_path / "out" / "report.html").exists()
    killed.run("--unlock")
    killed.run("--rerun-incomplete")
    assert killed.results() == space.results()
    assert not (tmp_path / "out" / "packs").exists()
