"""The commands in README.md work in a fresh clone as described."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from runs import ROOT

from chains import fasta, germline_chain, hidden

pytestmark = pytest.mark.workflow

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
COMMANDS = [
    shlex.join(words)
    for language, body in BLOCKS
    if language == "sh"
    for line in body.splitlines()
    if (words := shlex.split(line, comments=True))
]
RUN_HERE = [
    "make run",
    "snakemake --cores 4 --config samples=my/samples.tsv outdir=out",
]
NOT_HERE = {
    "make test": "this test is a part of it",
    "lacuna fill chains.fasta --gaps gaps.tsv --out filled/": "test_package.py runs it, and the "
    "lines of Python, in an environment with the package alone",
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
    return folder


def said(command: str, clone: Path) -> str:
    """Output of a command that must succeed."""
    path = f"{clone / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        shlex.split(command),
        cwd=clone,
        env={**os.environ, "PATH": path, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_command_is_run_or_it_is_said_why_not() -> None:
    assert sorted(COMMANDS) == sorted([*RUN_HERE, *NOT_HERE])
    unmarked = [body for language, body in BLOCKS if not language]
    assert not [body for body in unmarked if re.match(r"make |snakemake |lacuna |pip |git ", body)]


def test_the_first_run_ends_with_the_line_that_is_shown(clone: Path) -> None:
    shown = next(body for _, body in BLOCKS if "missing residues filled" in body)
    run = said(RUN_HERE[0], clone)
    assert any(line.startswith(shown.strip().removesuffix("...")) for line in run.splitlines())
    assert (clone / "results" / "report.html").exists()


def test_a_sheet_of_ones_own_is_filled(clone: Path) -> None:
    (clone / "my").mkdir()
    chains = {"m": hidden(germline_chain("H", 1), [(9, 12)])}
    (clone / "my" / "chains.fasta").write_text(fasta(chains))
    (clone / "my" / "samples.tsv").write_text("sample\tfasta\nmine\tchains.fasta\n")
    assert "mine: 1 chain, 3 of 3 missing residues filled" in said(RUN_HERE[1], clone)
    assert (clone / "out" / "mine" / "filled.fasta").read_text().startswith(">m\n")
