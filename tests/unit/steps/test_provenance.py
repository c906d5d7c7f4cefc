"""Digests of inputs and of a rule's code, that is of all modules its script leads to."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Write
from lacuna.core.files import LacunaError
from lacuna.steps import provenance
from lacuna.steps.provenance import Inputs, code_digest, files_led_to, files_of

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package: top imports middle, middle imports bottom and top; other is separate."""
    tmp_path = tmp_path / "lacuna"
    tmp_path.mkdir()
    (tmp_path / "top.py").write_text("from lacuna.middle import (\n    x,\n)\nfrom csv import y\n")
    (tmp_path / "middle.py").write_text(
        "def f():\n    from lacuna.bottom import z\nimport lacuna.top\n"
    )
    (tmp_path / "bottom.py").write_text("import numpy\n")
    (tmp_path / "other.py").write_text("from lacuna.bottom import z\n")
    (tmp_path / "script.py").write_text("from lacuna.top import x\n")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    """A run reads each file once."""
    code_digest.cache_clear()
    files_led_to.cache_clear()
    files_of.cache_clear()


def digest(folder: Path) -> str:
    forget()
    return code_digest(folder / "script.py")


@pytest.mark.parametrize("module", ["script", "top", "middle", "bottom"])
def test_a_change_anywhere_behind_a_script_changes_its_digest(package: Path, module: str) -> None:
    before = digest(package)
    file = package / f"{module}.py"
    file.write_text(file.read_text() + "x = 1\n")
    assert digest(package) != before


def test_a_change_that_it_does_not_lead_to_leaves_the_digest(package: Path) -> None:
    before = digest(package)
    (package / "other.py").write_text("from lacuna.top import x\n")
    (package / "new.py").write_text("")
    assert digest(package) == before


def test_code_that_moves_between_two_modules_changes_the_digest(package: Path) -> None:
    before = digest(package)
    middle, bottom = package / "middle.py", package / "bottom.py"
    bottom.write_text(middle.read_text() + bottom.read_text())
    middle.write_text("")
    assert digest(package) != before


def test_the_digest_does_not_depend_on_where_the_workflow_stands(
    package: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest(package)
    clone = tmp_path_factory.mktemp("clone") / "lacuna"
    clone.mkdir()
    for file in package.glob("*.py"):
        (clone / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(provenance, "PACKAGE", clone)
    assert digest(clone) == before


@pytest.mark.parametrize(
    "statement",
    [
        "import lacuna.far.deep",
        "import lacuna.far.deep as d",
        "from lacuna.far.deep import x",
        "from lacuna.far import deep",
        "def f():\n    from lacuna.far.deep import (\n        x,\n    )",
        "if True:\n    import csv, lacuna.far.deep",
    ],
)
def test_modules_of_sub_packages_are_seen(package: Path, statement: str) -> None:
    for folder in (package, package / "far"):
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").write_text("")
    deep = package / "far" / "deep.py"
    deep.write_text("x = 1\n")
    (package / "script.py").write_text(f"{statement}\n")
    before = digest(package)
    for file in (deep, package / "far" / "__init__.py", package / "__init__.py"):
        file.write_text(file.read_text() + "y = 1\n")
        assert digest(package) != before, file
        before = digest(package)
    (package / "far" / "other.py").write_text("from lacuna.top import x\n")
    assert digest(package) == before


def test_a_relative_import_is_refused(package: Path) -> None:
    (package / "top.py").write_text("from .middle import x\n")
    with pytest.raises(ValueError, match="line 1"):
        digest(package)


def test_a_script_leads_to_its_modules_and_their_data_alone() -> None:
    names = {file.name for file in provenance.code_behind(SCRIPTS / "measure_accuracy.py")}
    assert {"measure_accuracy.py", "scores.py", "accuracy.py", "files.py"} <= names
    assert not names & {"page.py", "trainer.py", "corpora.py"}
    assert {"V.tsv", "J.tsv", "C.tsv"} <= {
        file.name for file in provenance.code_behind(SCRIPTS / "write_kmers.py")
    }


def test_the_modules_that_read_data_exist_and_their_data_too() -> None:
    for module, (folder, pattern) in provenance.DATA.items():
        assert (provenance.PACKAGE / module).is_file(), module
        data = set(folder.glob(pattern))
        assert data and data <= provenance.code_behind(provenance.PACKAGE / module), module


def test_a_file_is_known_by_what_it_holds_and_not_by_its_time(write: Write) -> None:
    kept, replaced = write("kept.fasta", ">a\nA\n"), write("replaced.fasta", ">a\nA\n")
    before = Inputs([kept, replaced])
    os.utime(kept)
    time = replaced.stat().st_mtime_ns
    replaced.write_text(">a\nC\n")
    os.utime(replaced, ns=(time, time))
    assert before.changed() == []  # with the same size and time it is not read again
    os.utime(replaced, ns=(0, 0))  # like that of a backup
    assert before.changed() == [str(replaced)]
    after = Inputs([kept, replaced])
    assert after.digest(kept) == before.digest(kept) == before.digest(replaced)
    assert after.digest(replaced) != before.digest(replaced)
    assert after.digest(None) is None and after.changed() == []
    kept.unlink()
    assert after.changed() == [str(kept)]


def test_an_input_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LacunaError, match=r"none\.tsv: cannot be read \(No such file"):
        Inputs([tmp_path / "none.tsv"])
