"""What `make lint` reports for an import that leads up, to a sibling or in a circle."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UP = ("core/alphabet.py", "lacuna.antibody.imgt")
BESIDE = ("scaffolds/scaffold.py", "lacuna.antibody.imgt")
# Within a package: folders have their order, and the contract on circles sees the rest.
SEARCHING = ("filling/search/stages.py", "lacuna.filling.masses.intact")
ALIGNING = ("placing/aligning/seeds.py", "lacuna.placing.votes.draft")
AROUND = ("antibody/imgt.py", "lacuna.antibody.numbering")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the settings of the linters and a copy of the package."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    package = Path("workflow", "scripts", "lacuna")
    shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    return tmp_path


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    """As `make lint` runs it."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": "workflow/scripts"},
        capture_output=True,
        text=True,
    )


def test_make_lint_runs_it() -> None:
    recipe = (ROOT / "Makefile").read_text()
    assert "PYTHONPATH=workflow/scripts $(BIN)/lint-imports --no-cache" in recipe


def test_the_package_keeps_to_its_layers(checkout: Path) -> None:
    done = lint_imports(checkout)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("planted", "broken"),
    [
        (UP, "layers BROKEN"),
        (BESIDE, "layers BROKEN"),
        (SEARCHING, "layers of filling BROKEN"),
        (ALIGNING, "layers of placing BROKEN"),
        (AROUND, "no circles BROKEN"),
    ],
    ids=["up", "beside", "searching", "aligning", "around"],
)
def test_an_import_against_the_flow_is_refused(
    checkout: Path, planted: tuple[str, str], broken: str
) -> None:
    module, imported = planted
    path = checkout / "workflow" / "scripts" / "lacuna" / module
    path.write_text(path.read_text() + f"\nimport {imported}\n")
    done = lint_imports(checkout)
    assert done.returncode == 1, done.stderr
    assert broken in done.stdout and imported.rpartition(".")[2] in done.stdout


def test_a_package_without_a_layer_is_refused(checkout: Path) -> None:
    package = checkout / "workflow" / "scripts" / "lacuna" / "helpers"
    package.mkdir()
    (package / "__init__.py").touch()
    done = lint_imports(checkout)
    assert done.returncode == 1 and "helpers" in done.stdout


def test_git_ignores_no_module() -> None:
    """It would ignore those of a package named like a folder of a run: `results`."""
    git = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "workflow"]
    done = subprocess.run(git, cwd=ROOT, capture_output=True, text=True)
    assert not [name for name in done.stdout.split() if name.endswith(".py")]
    folders = [p for p in (ROOT / "workflow" / "scripts" / "lacuna").rglob("*") if p.is_dir()]
    for folder in (f for f in folders if f.name != "__pycache__"):
        assert (folder / "__init__.py").is_file(), folder
