"""Other ways to run: imported by another workflow, and through the commands of a batch system."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from runs import ROOT, RUN_JOBS, SAMPLE_JOBS, SNAKEFILE, Workspace

from chains import fasta, germline_chain, mutated

pytestmark = pytest.mark.workflow

CHAINS = {"light": mutated(germline_chain("K", 1), 5, 1), "heavy": germline_chain("H", 2)}
GAPS = "light\t20\t25\nlight\t90\t94\nheavy\t30\t33\n"
SETTINGS = {"samples": "data/samples.tsv", "outdir": "out"}
JOBS = {name: n for name, n in (SAMPLE_JOBS | RUN_JOBS).items() if name != "all"}


def workspace(folder: Path, snakefile: Path = SNAKEFILE) -> Workspace:
    """A folder with one sample of two chains with homologs."""
    space = Workspace(folder, snakefile)
    space.write("data/chains.fasta", fasta(CHAINS))
    space.write("data/gaps.bed", GAPS)
    homologs = {f"h{i}": mutated(germline_chain("K", i), 12, i) for i in range(3)}
    space.write("data/homologs.fasta", fasta(homologs))
    names = {"fasta": "chains.fasta", "gaps": "gaps.bed", "homologs": "homologs.fasta"}
    space.sheet({"sample": "known"} | names, name="data/samples.tsv")
    return space


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of a run of the workflow itself."""
    space = workspace(tmp_path_factory.mktemp("direct"))
    space.config(**SETTINGS)
    assert space.run().jobs() == {"all": 1, **JOBS}
    results = space.results()
    assert {"known/filled.fasta", "accuracy.tsv", "report.html"} <= set(results)
    return results


OUTER = """\
configfile: "config.yaml"

module lacuna:
    snakefile: {snakefile}
    config: config["lacuna"]

use rule * from lacuna as lacuna_*

rule all:
    default_target: True
    input: rules.lacuna_all.input, "lengths.tsv"

rule measure_lengths:
    input: expand(rules.lacuna_join_blocks.output.filled, sample=lacuna.SAMPLES)
    output: "lengths.tsv"
    shell: "awk '!/^>/ {{{{ print length }}}}' {{input}} > {{output}}"
"""


def outer(folder: Path, snakefile: str) -> Workspace:
    """Another workflow, with a config and a rule of its own, that imports this one."""
    space = workspace(folder)
    space.snakefile = space.write("Snakefile", OUTER.format(snakefile=snakefile))
    space.config(samples="of the other workflow", lacuna=SETTINGS | {"outdir": "results/filled"})
    return space


def test_another_workflow_imports_this_one_and_gets_the_same_files(
    direct: dict[str, bytes], tmp_path: Path
) -> None:
    space = outer(tmp_path, f'"{SNAKEFILE}"')
    run = space.run()
    theirs = {f"lacuna_{name}": count for name, count in JOBS.items()}
    assert run.jobs() == {"all": 1, "measure_lengths": 1, **theirs}
    assert space.results("results/filled") == direct
    lengths = [str(len(c)) for c in CHAINS.values()]
    assert (space.folder / "lengths.tsv").read_text().split() == lengths
    assert space.run().jobs() == {}  # nothing to be done


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ("", "config.yaml: no such file here; start where it is, or give one by --configfile"),
        ("config: {}", "config: 'samples' is missing; add it to the config file"),
        ("config: {'sample': 'a.tsv'}", "config: unknown key 'sample'; did you mean 'samples'?"),
    ],
)
def test_a_module_without_its_config_ends_with_one_line(
    tmp_path: Path, config: str, fault: str
) -> None:
    space = workspace(tmp_path)
    lines = f'module lacuna:\n    snakefile: "{SNAKEFILE}"\n    {config}\n'
    space.snakefile = space.write("Snakefile", f"{lines}use rule * from lacuna as lacuna_*\n")
    run = space.run("--dry-run", status=1)
    assert run.error() == f"Error: {fault}" and "Traceback" not in run.output


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_an_import_from_a_url_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snakemake fetches rules and scripts from a URL one by one: no package, no weights."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    clone = cache / "snakemake/snakemake/source-cache/snakemake-git-cache/github.com/lab/lacuna"
    git = ["git", "-c", "user.name=lab", "-c", "user.email=lab"]
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "workflow", tree / "workflow")
    shutil.copy(SNAKEFILE, tree)
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"], ["tag", "v1"]):
        subprocess.run([*git, *arguments], cwd=tree, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", tree, clone], check=True)
    space = outer(tmp_path, 'github("lab/lacuna", path="Snakefile", tag="v1")')
    run = space.run("--dry-run", status=1)
    assert run.error().startswith("Error: Lacuna is imported from a clone")
    assert "Traceback" not in run.output


# A batch system on one machine: takes the arguments of qsub, prints an id and starts the job.
QSUB = """\
#!/bin/sh
echo "$@" >> {folder}/submitted
for script; do :; done
nohup sh "$script" > {folder}/"$$".log 2>&1 &
echo $$
"""


def test_a_batch_system_gives_the_same_files(
    direct: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = workspace(tmp_path)
    space.config(**SETTINGS)
    space.write("bin/qsub", QSUB.format(folder=tmp_path)).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    profile = ROOT / "workflow" / "profiles" / "generic"
    run = space.run(
        "--workflow-profile", str(profile), *("--jobs", "2", "--seconds-between-status-checks", "1")
    )
    assert run.jobs() == {"all": 1, **JOBS}
    assert space.results() == direct
    submitted = (tmp_path / "submitted").read_text().splitlines()
    assert len(submitted) == sum(JOBS.values())
    asked = "-l select=1:ncpus=1:ngpus=0:mem=2000mb -l walltime=60:00 "
    assert sum(asked in line for line in submitted) >= JOBS["fill_gaps"]
    assert not any("{" in line for line in submitted)


def test_a_batch_system_is_asked_for_a_gpu_where_a_rule_trains(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    space.config(**SETTINGS, train={"steps": 1})
    profile = ROOT / "workflow" / "profiles" / "generic"
    planned = space.run("--dry-run", "--workflow-profile", str(profile), "--printshellcmds")
    assert planned.output.count("gpu=1") == planned.jobs()["train_model"] == 1
    assert "runtime=240" in planned.output


@pytest.mark.skipif(
    shutil.which("conda") is None,
    reason="conda is not installed, and Snakemake asks it for its version even in a dry run",
)
def test_conda_makes_an_environment_for_every_rule(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    space.config(**SETTINGS, train={"steps": 1})
    planned = space.run("--dry-run", "--sdm", "conda")
    made = re.findall(r"Conda environment \S*envs/(\w+)\.yaml will be created", planned.output)
    assert sorted(made) == ["core", "train"]
