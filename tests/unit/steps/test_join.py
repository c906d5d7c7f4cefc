"""Scripts of jobs load no library, and no part of the package, that they do not need."""

import subprocess
import sys
from pathlib import Path

import pytest

from lacuna.core.paths import PACKAGE
from lacuna.steps.provenance import code_behind

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
FILLING = ("find_alkylation", "write_kmers", "fill_gaps", "fill_pack")
TRAINING = ("fetch_wheel", "encode_corpus", "encode_training")
TABLES = ("read_scaffolds", "join_blocks", "measure_accuracy", "join_accuracy", "write_report")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("results.join", {"torch", "pandas"}),
        ("results.scores", {"torch"}),
        ("results.summary", {"torch"}),
        ("results.report", {"torch"}),
        ("steps.split_scaffolds", {"torch", "pandas"}),
        ("steps.find_alkylation", {"torch", "pandas"}),  # most samples have no masses
        ("benchmark.peers", {"torch", "pandas"}),  # the worker loads them
        ("core.windows", {"torch"}),  # asked by the Snakefile
        ("core.licences", {"torch"}),
        ("training.trainer", {"pandas", "immunum", "Bio"}),
    ],
)
def test_a_job_loads_no_library_that_it_does_not_need(module: str, heavy: set[str]) -> None:
    assert not heavy & loaded_by(f"import lacuna.{module}")


def test_filling_loads_no_table_library_and_no_compiler() -> None:
    """torch loads its compiler (a second) when a network of shapes alone is drawn at random."""
    code = "import lacuna.steps.fill_block; from lacuna.network.weights import load_weights; "
    heavy = loaded_by(code + "from lacuna.core.paths import WEIGHTS; load_weights(WEIGHTS)")
    assert not heavy & {"pandas", "pyteomics", "torch._dynamo", "sympy"}


def loaded_by(code: str) -> set[str]:
    """The modules that are loaded after `code` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        cwd=SCRIPTS,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def parts_behind(script: str) -> set[str]:
    """The parts of the package that a script leads to, such as `training`, `training/encode`."""
    files = {f for f in code_behind(SCRIPTS / f"{script}.py") if f.is_relative_to(PACKAGE)}
    modules = {f.relative_to(PACKAGE).with_suffix("") for f in files if f.name != "__init__.py"}
    return {path.as_posix() for module in modules for path in (module, module.parent)}


@pytest.mark.parametrize(
    ("scripts", "needless"),
    [
        (FILLING, {"training", "tutorial", "benchmark"}),
        (TRAINING, {"network", "filling", "results", "tutorial"}),
        (("pretrain_model",), {"training/encode", "antibody/numbering", "filling", "results"}),
        (("train_seed",), {"antibody", "network", "filling", "results", "training"}),
        (TABLES, {"network", "filling", "training", "templates", "tutorial"}),
    ],
    ids=["filling", "training", "pretraining", "tutorial", "tables"],
)
def test_an_edit_of_what_a_job_does_not_need_leaves_its_code_as_it_is(
    scripts: tuple[str, ...], needless: set[str]
) -> None:
    for script in scripts:
        assert not parts_behind(script) & needless, script
