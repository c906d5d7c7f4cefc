"""The commands in README.md, CONTRIBUTING.md and docs/ work in a fresh clone as described."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import reference
from runs import ROOT, snakemake

from chains import fasta, germline_chain, hidden
from documents import alike
from lacuna.core.tables import GAP_TABLE

pytestmark = pytest.mark.workflow

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*/*.md"))]
}
README = PAGES["README.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [block for page in PAGES.values() for block in FENCE.findall(page)]
COMMANDS = {
    shlex.join(words)
    for language, body in BLOCKS
    if language == "sh"
    for line in body.splitlines()
    if (words := shlex.split(line, comments=True))
}
FIRST_RUN = "make run"
OWN_SHEET = "snakemake --cores 4 --config samples=my/samples.tsv outdir=out"
TOP_DOWN = "snakemake --cores 2 --config samples=resources/examples/top_down/samples.tsv outdir=out"
OWN_READS = [
    "mkdir -p my",
    "cp resources/examples/simulated_reads/benralizumab_simulated_peaks.csv.gz my/",
    "printf 'sample\\treads\\nmab1\\tbenralizumab_simulated_peaks.csv.gz\\n' '>' my/reads.tsv",
    "snakemake --cores 2 --config samples=my/reads.tsv outdir=out",
]
# Planned here; what they do is run in small by the tests that are named.
PLANNED = {
    "snakemake --cores 4 --dry-run": "it is a plan",
    "snakemake --cores 4 --config precision=float64 outdir=out": "the first run, test_blocks.py",
    "snakemake --cores 4 --resources gpu=0 --config samples=my/samples.tsv outdir=out": "above",
    "snakemake --cores 4 --config mode=thorough samples=my/samples.tsv": "test_thorough.py",
    "snakemake --cores 2 benchmark_scale": "minutes; test_benchmark_scale.py",
    "snakemake --cores 2 pretrain --configfile resources/pretrain/default.yaml": "an hour and the "
    "network; test_pretrain.py",
    "snakemake --cores 16 pretrain --configfile resources/pretrain/default.yaml "
    "resources/pretrain/teacher.yaml": "a GPU and the network; test_pretrain.py",
    "snakemake --workflow-profile workflow/profiles/slurm --default-resources "
    "slurm_partition=PARTITION slurm_account=ACCOUNT": "a cluster; tests/cluster",
    "snakemake --workflow-profile workflow/profiles/generic": "a cluster; tests/cluster",
}
ELSEWHERE = {
    "make setup": "every target does this first",
    "PIP_EXTRA_INDEX_URL=ADDRESS make setup": "network",
    "make check": "a part of make test",
    "make test": "this test is a part of it",
    "make lint": "make test does this first",
    "make format": "it changes the files",
    "LACUNA_CLUSTER_TESTS=1 make test": "needs root and a cluster of this machine",
    "pip install .": "test_package.py",
    "lacuna fill chains.fasta --gaps gaps.tsv --out filled/": "test_package.py runs it, and the "
    "lines of Python, in an environment with the package alone",
    "lacuna fill chains.fasta --mode thorough --out filled/": "test_package.py",
    "lacuna fill --reads reads.csv --out filled/": "test_cli.py",
    "lacuna fill --reads trypsin.csv --reads elastase.csv --out filled/": "test_cli.py",
    "snakemake --unlock": "test_incremental.py, after a kill",
    "snakemake --cores 4 --snakefile /opt/lacuna/Snakefile --config samples=my/samples.tsv "
    "outdir=out": "tests of the workflow start so, in folders of their own",
    "snakemake --cores 4 --rerun-incomplete": "test_incremental.py, after a kill",
    "snakemake --cores 4 --sdm conda": "needs conda and the network",
    "docker build -t lacuna .": "needs docker and the network",
    "docker run --rm --user '$(id -u):$(id -g)' -v '$PWD:/work' lacuna --cores 4 --configfile "
    "my.yaml": "needs docker",
    "pip install snakemake-executor-plugin-kubernetes snakemake-storage-plugin-s3": "network",
    "snakemake --executor kubernetes --jobs 50 --container-image IMAGE --default-storage-provider "
    "s3 --default-storage-prefix s3://BUCKET/lacuna": "needs a Kubernetes cluster",
    "snakemake --cores 2 compare_peers --configfile peers.yaml": "network; test_compare_peers.py",
    "make faults": "an hour; tests/workflow/test_faults.py runs some",
    ".venv/bin/python tests/faults/run.py --only kill 'full disk' --trials 5 --verbose": "the same",
    "make fuzz SECONDS=600": "ten minutes; tests/fuzz replays what it found",
    "make sbom": "network",
    "make numbers BENCH=FOLDER": "minutes, and scaffolds that are not in the repository",
    "python tests/benchmarks/numeric_differences.py FOLDER --every 47": "the same",
}
CLONED = "Makefile Snakefile config.yaml requirements.txt envs resources workflow".split()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that a run needs, with this environment in place of the one built by `make`."""
    folder = tmp_path_factory.mktemp("clone")
    for name in CLONED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    environment = folder / ".venv"
    environment.mkdir()
    for path in Path(sys.prefix).iterdir():
        (environment / path.name).symlink_to(path)
    stamp = environment / ".stamp"
    stamp.unlink(missing_ok=True)
    stamp.touch()  # newer than requirements.txt
    (folder / "my").mkdir()
    chains = {"m": hidden(germline_chain("H", 1), [(9, 12)])}
    (folder / "my" / "chains.fasta").write_text(fasta(chains))
    (folder / "my" / "samples.tsv").write_text("sample\tfasta\nmine\tchains.fasta\n")
    return folder


@pytest.fixture(scope="module")
def first_run(clone: Path) -> str:
    """What the first run says."""
    return said(FIRST_RUN, clone)


def said(command: str, clone: Path) -> str:
    """Output of a command that must succeed."""
    path = f"{clone / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=clone,
        env={**os.environ, "PATH": path, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def block_with(page: str, words: str) -> str:
    """The block of a page that holds these words."""
    (found,) = (body for _, body in FENCE.findall(PAGES[page]) if words in body)
    return found


def test_every_command_is_run_or_it_is_said_why_not() -> None:
    run = {FIRST_RUN, OWN_SHEET, TOP_DOWN, *OWN_READS}
    assert COMMANDS == run | set(PLANNED) | set(ELSEWHERE)
    unmarked = [body for language, body in BLOCKS if not language]
    commands = r"(make|snakemake|lacuna|pip|git|python|docker) "
    assert not [body for body in unmarked if re.match(commands, body, re.MULTILINE)]


def test_the_first_run_ends_with_the_line_that_is_shown(clone: Path, first_run: str) -> None:
    for page in ("README.md", "docs/reference/outputs.md"):
        for line in block_with(page, "missing residues filled").splitlines():
            shown = line.removesuffix("...")
            assert any(told.startswith(shown) for told in first_run.splitlines())
    assert (clone / "results" / "report.html").exists()


def test_a_sheet_of_ones_own_is_filled(clone: Path) -> None:
    assert "mine: 1 chain, 3 of 3 missing residues filled" in said(OWN_SHEET, clone)
    assert (clone / "out" / "mine" / "filled.fasta").read_text().startswith(">m\n")


@pytest.mark.parametrize("command", PLANNED, ids=str)
def test_a_longer_command_is_planned(clone: Path, command: str) -> None:
    arguments = shlex.split(command)[1:]
    planned = snakemake(*arguments, "--dry-run", folder=clone).output
    assert "This was a dry-run" in planned or "Nothing to be done" in planned


def test_the_tutorial_from_reads_is_what_the_first_run_did(clone: Path, first_run: str) -> None:
    """Its own run would take the reads of the bundled sample, and so is only planned."""
    page = "docs/tutorials/from-reads.md"
    said(block_with(page, "mkdir"), clone)
    assert "place_reads" in said(block_with(page, "my/reads.tsv outdir").strip() + " -n", clone)
    shown = block_with(page, "reads placed").strip().removesuffix("...")
    mine = shown.replace("mab1", "benralizumab_simulated", 1)
    assert any(line.startswith(mine) for line in first_run.splitlines())


def test_the_tutorial_of_masses_says_what_its_run_gives(clone: Path) -> None:
    said(TOP_DOWN, clone)
    page = PAGES["docs/tutorials/top-down.md"]
    tables = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    for sample, table in zip(("total", "cleavages"), tables, strict=True):
        rows = list(GAP_TABLE.read(clone / "out" / sample / "gaps.tsv"))
        for first, cell in re.findall(r"^\| residues (\d+) to .*\| ([^|]+) \|$", table, re.M):
            told = re.findall(r"`(\w+)` (0\.\d+)", cell)
            found = [row for row in rows if row.first == int(first)]
            assert len(told) >= 2
            for (candidate, probability), row in zip(told, found, strict=False):
                assert candidate == row.candidate
                assert row.probability == pytest.approx(float(probability), abs=0.03)
    masses = (clone / "out" / "cleavages" / "masses.tsv").read_text()
    assert "-0.0053 Da" in page and masses.endswith("\t-0.0053\t\t\n")
    summary = (clone / "out" / "summary.txt").read_text()
    assert summary.count("; 1 of 1 intact mass met\n") == 2


def test_rows_of_the_first_run_are_those_of_the_documentation(clone: Path, first_run: str) -> None:
    """If this fails, run `make docs`."""
    made = {
        name: (body, reference.generated(name, clone / "results"))
        for path in reference.PAGES
        for _, name, body in reference.parts(path.read_text(encoding="utf-8"))
        if reference.needs_run(name)
    }
    # What the tutorial's model answers depends on the processor: only its header is compared.
    answers = made.pop("rows of predictions.tsv")
    assert answers[0].split()[:6] == answers[1].split()[:6]
    assert len(made) == 2
    assert [name for name, texts in made.items() if not alike(*texts)] == []
