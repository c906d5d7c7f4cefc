"""The package: built from a clone and from an sdist, installed, and used without the workflow."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from runs import ROOT, Workspace

from chains import fasta, germline_chain, hidden, mutated
from lacuna.core.paths import WEIGHT_SETS

pytestmark = pytest.mark.workflow

README = (ROOT / "README.md").read_text(encoding="utf-8")
BUILD = ("--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet")


def said(*command: str | Path, cwd: Path, status: int = 0) -> str:
    """Output of a command that exits with `status`; it finds only an installed Lacuna."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def pip(*arguments: str | Path, cwd: Path) -> str:
    return said(sys.executable, "-m", "pip", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("package")


@pytest.fixture(scope="module")
def sdist(folder: Path) -> Path:
    said(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    return next(folder.glob("lacuna-*.tar.gz"))


@pytest.fixture(scope="module")
def installed(folder: Path, sdist: Path) -> Path:
    """The `bin` of an environment with the sdist installed; its dependencies are in this one."""
    said(sys.executable, "-m", "venv", "--without-pip", "env", cwd=folder)
    site = next((folder / "env").glob("lib/python*/site-packages"))
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    programs = folder / "env" / "bin"
    # With dependencies: this checks that every pin is within the range in the metadata.
    pip("--python", programs / "python", "install", *BUILD, sdist, cwd=folder)
    return programs


def wheel_files(source: Path, out: Path) -> dict[str, bytes]:
    """The files of the wheel that pip builds from a clone or an sdist, without its metadata."""
    pip("wheel", "--no-deps", *BUILD, "-w", out, source, cwd=out.parent)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name}


def test_clone_and_sdist_make_the_same_package_with_all_modules_and_data(
    folder: Path, sdist: Path
) -> None:
    files = wheel_files(ROOT, folder / "of_clone")
    assert wheel_files(sdist, folder / "of_sdist") == files
    package = ROOT / "workflow" / "scripts" / "lacuna"
    modules = {str(p.relative_to(package.parent)) for p in package.rglob("*.py")}
    assert modules == {name for name in files if name.endswith(".py") and "resources" not in name}
    weights = [f"weights/{name}/lacuna.safetensors" for name in WEIGHT_SETS]
    for name in (*weights, "germlines/V.tsv", "unimod/unimod.tsv"):
        assert files[f"lacuna/resources/{name}"] == (ROOT / "resources" / name).read_bytes()


def test_the_lines_of_the_documentation_run_in_an_empty_folder(
    folder: Path, installed: Path
) -> None:
    lines = re.search(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert lines is not None and "lacuna.fill(" in lines[1]
    checks = """
import sys
assert "/env/" in lacuna.__file__ and "snakemake" not in sys.modules
assert "X" not in filled[0].sequence and filled[0].status == "filled"
assert filled[0].gaps[0].candidates[0].sequence == filled[0].sequence[10:13]
assert filled.to_dataframe().residue.str.cat() == filled[0].sequence[10:13]
"""
    page = (ROOT / "docs" / "how-to" / "python.md").read_text(encoding="utf-8")
    others = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(others) == 3
    (folder / "lines.py").write_text(lines[1] + checks + "\n".join(others))
    told = said(installed / "python", "-I", "lines.py", cwd=folder)
    assert "columns]\nGFNIK 0." in told and "     id " in told


def test_the_command_writes_the_bytes_of_the_workflow(folder: Path, installed: Path) -> None:
    space = Workspace(folder / "run")
    true = {f"c{i}": mutated(germline_chain("HKL"[i % 3], i), 4, i) for i in range(6)}
    shown = {name: hidden(chain, [(12, 15), (40, 44)]) for name, chain in true.items()}
    space.write("chains.fasta", fasta(shown | {"odd": "EVQLVO"}))
    rows = ["c1\t60\t64\t\t3\t5", "c2\t30\t33\t350.0\t\t", "lost\t1\t2\t\t\t"]
    header = "chain\tstart\tend\tmass\tmin_length\tmax_length"
    space.write("gaps.tsv", "\n".join([header, *rows]) + "\n")
    space.write("truth.fasta", fasta(true))
    space.write("homologs.fasta", fasta({"h": mutated(germline_chain("H", 0), 9, 1)}))
    columns = ("gaps.tsv", "truth.fasta", "homologs.fasta")
    files = {name.partition(".")[0]: name for name in columns}
    space.sheet({"sample": "a", "fasta": "chains.fasta", **files})
    space.config()
    space.run()
    line = re.search(r"^lacuna (fill chains\.fasta --gaps gaps\.tsv .*)$", README, re.MULTILINE)
    assert line is not None
    others = ("--truth", "truth.fasta", "--homologs", "homologs.fasta")
    told = said(installed / "lacuna", *shlex.split(line[1]), *others, cwd=space.folder)
    assert "chains.fasta: 6 chains, " in told and "2 records rejected" in told
    assert "%|" not in told  # no progress bar without a terminal
    written = space.results("filled")
    of_workflow = space.results("out/a")
    assert written == {n: x for n, x in of_workflow.items() if not n.startswith("blocks/")}


def test_the_thorough_mode_needs_no_more_than_the_package(folder: Path, installed: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "thorough.md").read_text(encoding="utf-8")
    line = re.search(r"^lacuna (fill chains\.fasta --mode thorough .*)$", page, re.MULTILINE)
    assert line is not None
    place = folder / "thorough"
    place.mkdir()
    chains = {"a": hidden(mutated(germline_chain("H", 1), 4, 1), [(28, 36)])}
    (place / "chains.fasta").write_text(fasta(chains))
    told = said(installed / "lacuna", *shlex.split(line[1]), cwd=place)
    assert "1 chain, 8 of 8 missing residues filled" in told


def test_jobs_import_the_lacuna_of_their_workflow(folder: Path) -> None:
    """Another one may be installed in the environment, and be older."""
    space = Workspace(folder / "beside")
    (space.folder / "other" / "lacuna").mkdir(parents=True)
    space.write("other/lacuna/__init__.py", "raise ImportError('of the other one')\n")
    space.write("a.fasta", fasta({"a": hidden(germline_chain("H", 1), [(20, 25)])}))
    space.sheet({"sample": "one", "fasta": "a.fasta"})
    space.config()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1"],
        cwd=space.folder,
        env=os.environ | {"PYTHONPATH": str(space.folder / "other")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "X" not in space.chains("one")["a"]
