"""Each script passes what its rule names to a function with parameters of the same names."""

import ast
import importlib
import inspect
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from runs import ROOT, SNAKEFILE, Workspace
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

import lacuna.core.logs
from chains import fasta, germline_chain
from lacuna.steps.arguments import arguments, files_by_sample
from lacuna.steps.packs import FEWEST_SAMPLES

pytestmark = pytest.mark.workflow

HELPERS = {"log_to", "files_by_sample"}
LOOPS = {"join_blocks", "join_doubts"}  # calls its function once for each of its tables
# Parameters that no rule names.
OF_JOB = {"device", "gpus", "processes", "cores", "method", "python"}
# Parameters that combine several names.
GATHERED = {"given", "out", "tables", "config", "samples", "settings", "reader", "networks"}
# Optional parameters of training.
STARTS = {"start", "antiberty", "teacher", "minutes", "library"}


class Called(Exception):
    """Ends a script at the call of its function; carries the arguments."""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimpleNamespace]:
    """The `snakemake` object of each rule's script, by the rule's name."""
    space = Workspace(tmp_path_factory.mktemp("rules"))
    space.write("chain.fasta", fasta({"H": germline_chain("H", 1)}))
    table = str(space.folder / "chain.fasta")
    space.sheet(*({"sample": f"s{i}", "fasta": table} for i in range(FEWEST_SAMPLES)))
    config = {"samples": str(space.folder / "samples.tsv"), "outdir": str(space.folder / "out")}
    output = OutputSettings(quiet={Quietness.ALL})
    with SnakemakeApi(output) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(config=config),
            snakefile=SNAKEFILE,
        )
        return {r.name: given(r) for r in workflow._workflow.rules if r.script}


def given(rule: Any) -> SimpleNamespace:
    """The `snakemake` of a job of a rule: its names, and a value of the right kind for each."""

    class Named(dict):
        __getattr__ = dict.__getitem__

    def values(names: Any) -> Named:
        return Named({name: value for name, value in names._allitems() if name is not None})

    def path(value: Any) -> Any:
        """A file name, or several, as a job gets it."""
        if isinstance(value, str) or callable(value):
            return str(value)
        return [str(one) for one in value]

    def parameter(value: Any) -> Any:
        return f"{value}" if callable(value) else value

    return SimpleNamespace(
        script=ROOT / "workflow" / "rules" / rule.script,
        rule=rule.name,
        input=Named({name: path(value) for name, value in values(rule.input).items()}),
        output=Named({name: path(value) for name, value in values(rule.output).items()}),
        params=Named({name: parameter(value) for name, value in values(rule.params).items()}),
        wildcards=Named(sample="s0", block="00000", peer="sapiens", ours="lacuna"),
        resources={"gpu": 0},
        threads=1,
        log=["log"],
    )


def function_of(script: Path) -> tuple[Any, str]:
    """The module and the name of the function behind an adapter."""
    tree = ast.parse(script.read_text())
    where = {
        alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    statements = [n for n in ast.walk(tree) if isinstance(n, ast.Expr | ast.Assign)]
    calls = [
        n.value.func.id
        for n in statements
        if isinstance(n.value, ast.Call) and isinstance(n.value.func, ast.Name)
    ]
    (name,) = (n for n in calls if n in where and n not in HELPERS)
    return importlib.import_module(str(where[name])), name


def call_of(job: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> inspect.BoundArguments:
    """Run a script up to the call of its function; returns the arguments of the call."""
    module, name = function_of(job.script)
    signature = inspect.signature(getattr(module, name))

    def record(*args: object, **kwargs: object) -> None:
        raise Called(signature.bind(*args, **kwargs))

    monkeypatch.setattr(module, name, record)
    monkeypatch.setattr(lacuna.core.logs, "log_to", lambda path: nullcontext())
    with pytest.raises(Called) as called:
        exec(compile(job.script.read_text(), job.script, "exec"), {"snakemake": job})
    return called.value.args[0]


def test_a_script_calls_its_function_by_the_names_of_its_rule(
    jobs: dict[str, SimpleNamespace],
) -> None:
    assert len(jobs) > 20 and "fill_pack_00000" in jobs
    for rule in jobs.keys() - LOOPS:
        job = jobs[rule]
        with pytest.MonkeyPatch.context() as patch:
            call = call_of(job, patch)  # a TypeError names what does not fit
        assert call.signature.parameters.keys() - call.arguments.keys() <= STARTS, rule
        named = {**job.input, **job.output, **job.params}
        assert call.arguments.keys() - named.keys() <= OF_JOB | GATHERED, rule
        for name, value in call.arguments.items():
            if isinstance(value, Path) and name not in {"python", "scaffolds"}:
                assert str(value) == named[name], (rule, name)


def job(**parts: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**{"rule": "r", "input": {}, "output": {}, "params": {}, **parts})


def test_files_are_paths_and_none_where_there_are_none() -> None:
    files = {"one": "a", "several": ["b", "c"], "single": ["d"], "no_file": [], "no_files": []}
    made = {"x": "e", "y": "f"}
    given = job(input=files, output=made, params={"k": [1], "code": "0a", "inputs": ["0b"]})
    expected: dict[str, Any] = {
        "one": Path("a"),
        "several": [Path("b"), Path("c")],
        "single": [Path("d")],
        "no_file": None,
        "no_files": [],
        "k": [1],
    }
    paths = {"x": Path("e"), "y": Path("f")}
    assert arguments(given, lists=["no_files"]) == expected | paths
    assert arguments(given, lists=["no_files"], outputs="out") == expected | {"out": paths}
    assert arguments(given, "one", "several", "single", "no_file", "no_files", "x") == {
        "y": Path("f"),
        "k": [1],
    }


def test_files_of_all_samples_are_dealt_out() -> None:
    files = {"gaps": ["a/g", "b/g"], "reads": ["b/r"]}
    found = files_by_sample(files, [["gaps"], ["gaps", "reads"]])
    assert list(found) == [
        {"gaps": Path("a/g")},
        {"gaps": Path("b/g"), "reads": Path("b/r")},
    ]


@dataclass(frozen=True)
class Bundle:
    one: Path
    k: int
    three: Path | None = None


def test_arguments_that_belong_together_are_passed_as_one() -> None:
    given = job(input={"one": "a", "two": "b"}, params={"k": 3})
    found = arguments(given, bundles={"bundle": Bundle})
    assert found == {"two": Path("b"), "bundle": Bundle(Path("a"), 3)}
    given = job(input={"one": "a", "three": "c"}, params={"k": 3})
    found = arguments(given, bundles={"bundle": Bundle})
    assert found == {"bundle": Bundle(Path("a"), 3, Path("c"))}


def test_a_name_for_two_things_is_refused() -> None:
    given = job(input={"chains": "a"}, params={"chains": 3})
    with pytest.raises(ValueError, match="rule r: 'chains' names two things"):
        arguments(given)
    assert arguments(given, "chains") == {}
