"""The whole workflow on SLURM with its profile, while jobs, node, controller and Snakemake fail."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from runs import ROOT, SNAKEFILE, Workspace
from slurm import ETC, MARK, PARTITION, PROGRAMS, Cluster, Job, command, one_node, wait_for

from chains import fasta, germline_chain, hidden, mutated

SWITCH = "LACUNA_CLUSTER_TESTS"
pytestmark = pytest.mark.cluster

TABLES = ("filled.fasta", "residues.tsv", "gaps.tsv", "chains.tsv", "masses.tsv", "accuracy.tsv")
TABLES += ("rejected.tsv", "alkylation.json")
FILES = [
    *(f"{sample}/{table}" for sample in ("many", "few") for table in TABLES),
    "many/alternatives.fasta",
    "few/seed_lstm/predictions.tsv",
    "model/lacuna.safetensors",
    "accuracy.tsv",
    "report.html",
    "summary.txt",
    "lacuna_mqc.json",
    "software_mqc_versions.yml",
]
OUTAGE = 20  # seconds without slurmctld
# Settings of the test cluster in addition to the profile: its names, and shorter waits.
SITE = (
    *("--workflow-profile", str(ROOT / "workflow" / "profiles" / "slurm")),
    *("--default-resources", f"slurm_partition={PARTITION}", "slurm_account=tests"),
    *("--slurm-init-seconds-before-status-checks", "1", "--max-status-checks-per-second", "1"),
    *("--latency-wait", "5"),
)


def batch(folder: Path) -> Workspace:
    """Fifteen records, one of them bad, in eight blocks, and weights tuned in the run."""
    space = Workspace(folder)
    many = {f"{x}{i}": mutated(germline_chain(x, i), 5, i) for i in range(4) for x in "HKL"}
    few = {"light": germline_chain("K", 7), "heavy": germline_chain("H", 8)}
    homologs = {f"h{i}": mutated(germline_chain("HKL"[i % 3], i // 3), 12, i) for i in range(9)}
    spans = [f"{name}\t{9 + 5 * i}\t{15 + 5 * i}\n" for i, name in enumerate(many)]
    space.write("many.fasta", fasta(many | {"bad": "QVQLO"}))
    space.write("many.bed", "".join(spans))
    space.write("homologs.fasta", fasta(homologs))
    space.write("few.fasta", fasta({n: hidden(s, [(20, 25)]) for n, s in few.items()}))
    space.write("truth.fasta", fasta(few))
    space.sheet(
        {"sample": "many", "fasta": "many.fasta", "gaps": "many.bed", "homologs": "homologs.fasta"},
        {"sample": "few", "fasta": "few.fasta", "truth": "truth.fasta"},
    )
    space.config(
        block_size=2,
        alternatives=True,
        train={"steps": 3, "chains": 100, "batch_size": 16},
        seed_lstm={"samples": ["few"], "epochs": 1},
    )
    return space


class Submission:
    """Snakemake that submits to the cluster, in the background."""

    def __init__(self, space: Workspace, *arguments: str) -> None:
        self.said = space.folder / "snakemake.log"
        call = (sys.executable, "-m", "snakemake", "--nocolor", "--snakefile", str(SNAKEFILE))
        with open(self.said, "ab") as log:
            self.process = subprocess.Popen(
                (*call, "--directory", str(space.folder), *SITE, *arguments),
                cwd=ROOT,
                env=os.environ | {"PYTHONUTF8": "1", "PATH": path_without_sacct(space.folder)},
                stdout=log,
                stderr=log,
            )

    def end(self, seconds: float) -> int:
        """The exit status; fails if the run takes longer."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"Snakemake did not end in {seconds} s:\n{self.said.read_text()}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def path_without_sacct(folder: Path) -> str:
    """A PATH without sacct, which is installed here but has no database.

    The plugin uses it if slurmctld does not answer, and loses its jobs when it fails.
    """
    links = folder / "bin"
    if not links.exists():
        links.mkdir()
        for place in os.environ["PATH"].split(os.pathsep):
            for program in Path(place).glob("*"):
                link = links / program.name
                if program.name != "sacct" and not link.is_symlink():
                    link.symlink_to(program)
    return str(links)


@dataclass(frozen=True)
class Story:
    """Observations while the run was disturbed."""

    space: Workspace
    training: str  # output of scontrol on the training that was cancelled
    waiting: list[Job]  # jobs that could not start while the node was drained
    before_outage: list[Job]
    after_outage: list[Job]
    locked: int  # exit status of a start after Snakemake was killed
    status: int
    jobs: list[Job]  # all jobs of the cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A SLURM cluster of one node. If it is requested, anything it lacks is a failure."""
    if os.environ.get(SWITCH) != "1":
        pytest.skip(
            f"needs SLURM: as root, apt-get install slurm-wlm munge, then {SWITCH}=1 make test"
        )
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    assert not missing, f"{SWITCH}=1, but {', '.join(missing)} not found: install slurm-wlm, munge"
    assert os.geteuid() == 0, f"{SWITCH}=1 needs root: SLURM reads its configuration from {ETC}"
    for path in (ETC / "slurm.conf", ETC / "gres.conf"):
        ours = not path.exists() or path.read_text().startswith(MARK)
        assert ours, f"{path} is of a SLURM that this machine has already; unset {SWITCH} here"
    with one_node(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def story(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """One batch with a fault of every kind, each while a job of a known kind is running."""
    space = batch(tmp_path_factory.mktemp("cluster") / "batch")
    run = Submission(space)
    try:
        job = cluster.running("train_model")
        training = command("scontrol", "--details", "show", "job", str(job.number))
        command("scancel", str(job.number))

        cluster.running("train_model", after=job.number)
        cluster.set_node("drain")
        wait_for(lambda: cluster.node_state() == "drain", "the last job of the node to end")
        waiting = wait_for(lambda: cluster.jobs("PENDING"), "jobs that wait for the node")
        cluster.set_node("resume")

        cluster.running("fill_gaps")
        before_outage = cluster.jobs()
        cluster.stop_controller()
        time.sleep(OUTAGE)
        cluster.start_controller()
        after_outage = cluster.jobs()

        cluster.running("join_blocks")
        run.kill()
        cluster.cancel_all()
        assert not (space.folder / "out" / "report.html").exists()
        locked = Submission(space).end(60)
        assert Submission(space, "--unlock").end(60) == 0
        run = Submission(space)
        status = run.end(400)
        yield Story(
            space, training, waiting, before_outage, after_outage, locked, status, cluster.jobs()
        )
    finally:
        run.kill()


@pytest.fixture(scope="module")
def local(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of the same batch without a cluster."""
    space = batch(tmp_path_factory.mktemp("cluster") / "local")
    space.run("--scheduler", "greedy")
    return space.folder / "out"


def states(story: Story, rule: str) -> list[str]:
    """Final states of the jobs with a step of the rule, in the order of their submission."""
    return [job.state for job in story.jobs if rule in job.name]


def test_the_run_completes(story: Story) -> None:
    assert story.status == 0
    assert not [job for job in story.jobs if job.state in ("PENDING", "RUNNING")]


def test_training_alone_gets_the_gpu(story: Story) -> None:
    assert "GRES=gpu:1(IDX:0)" in story.training
    assert {job.gpus for job in story.jobs if "train_model" in job.name} == {"gres:gpu:1"}
    assert {job.gpus for job in story.jobs if "train_model" not in job.name} == {"N/A"}


def test_a_cancelled_job_is_submitted_again(story: Story) -> None:
    assert states(story, "train_model") == ["CANCELLED", "COMPLETED"]


def test_jobs_wait_for_a_drained_node(story: Story) -> None:
    assert story.waiting
    assert all("find_alkylation" in job.name for job in story.waiting)  # the step after training


def test_jobs_outlive_the_controller(story: Story) -> None:
    """Jobs that began a step without it fail, and are submitted again."""
    known = {job.number for job in story.after_outage}
    assert {job.number for job in story.before_outage} <= known
    assert states(story, "fill_gaps").count("COMPLETED") == 2


def test_a_killed_run_leaves_a_lock_and_is_gone_on_with(story: Story) -> None:
    assert story.locked != 0
    assert states(story, "join_blocks") == ["CANCELLED", "COMPLETED"]


def test_few_jobs_are_submitted(story: Story) -> None:
    """Eleven for 32 steps: two samples are read, two jobs fill eight blocks, ..."""
    assert sum(job.state == "COMPLETED" for job in story.jobs) == 11
    assert states(story, "write_report") == ["COMPLETED"]


@pytest.mark.parametrize("file", FILES)
def test_every_byte_is_that_of_a_local_run(story: Story, local: Path, file: str) -> None:
    assert (story.space.folder / "out" / file).read_bytes() == (local / file).read_bytes()
