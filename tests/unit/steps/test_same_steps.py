"""All steps of a sample in one process are those of the rules."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from lacuna.core.paths import WORKFLOW
from lacuna.steps import fill_sample

CONTRIBUTING = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text(encoding="utf-8")
TUTORIAL = {"train_seed"}  # a baseline, which packs of small samples do not have
NO_STEP = {"lacuna.steps.arguments"}  # what adapters pass values with


def imported(tree: ast.AST) -> dict[str, str]:
    """The module of each function of steps and results that a file imports."""
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
        if re.match(r"lacuna\.(steps|results)\.", node.module) and alias.name.islower()
    }


def called(tree: ast.AST) -> list[str]:
    """The names of the functions that are called, in order of the text."""
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    calls.sort(key=lambda n: (n.lineno, n.col_offset))
    return [n.func.id for n in calls if isinstance(n.func, ast.Name)]


def of_rules() -> dict[str, str]:
    """The function behind each rule that writes files of a sample."""
    found = {}
    for path in sorted((WORKFLOW / "rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        for name, body in re.findall(r"^rule (\w+):\n((?:(?: .*)?\n)*)", text, re.MULTILINE):
            output = re.search(r"^    output:(.*\n(?:        .*\n)*)", body, re.MULTILINE)
            if output is None or '"{sample}"' not in output[1] or name in TUTORIAL:
                continue
            [script] = re.findall(r'^        "\.\./(scripts/\w+\.py)"', body, re.MULTILINE)
            tree = ast.parse((WORKFLOW / script).read_text(encoding="utf-8"))
            where = {n: m for n, m in imported(tree).items() if m not in NO_STEP}
            [function] = {name for name in called(tree) if name in where}
            found[name] = f"{where[function]}.{function}"
    return found


def taken_in(module: ModuleType, function: str, steps: set[str]) -> Iterator[str]:
    """Yield the functions of `steps` that one calls, itself or by others, in order."""
    tree = ast.parse(inspect.getsource(module))
    where = imported(tree)
    own = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in called(own[function]):
        whole = f"{where[name]}.{name}" if name in where else ""
        if whole in steps:
            yield whole
        elif name in own:
            yield from taken_in(module, name, steps)
        elif whole:
            yield from taken_in(importlib.import_module(where[name]), name, steps)


def test_a_sample_in_one_process_takes_the_steps_of_its_rules() -> None:
    steps = set(of_rules().values())
    assert len(steps) > 10
    left_out = steps - set(taken_in(fill_sample, "fill_sample", steps))
    assert not left_out, f"take in lacuna/steps/fill_sample.py, too: {sorted(left_out)}"


def test_it_takes_them_in_the_order_of_contributing() -> None:
    """Its table of how data flows, which must name each rule that writes files of a sample, with
    its function, in the order in which `fill_sample` takes them."""
    flow = CONTRIBUTING.partition("## How data flows")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [^|]+ \| `(\w+)`[^|]* \| `(\S+)\.py:(\w+)`", flow, re.MULTILINE)
    told = {rule: f"{path.replace('/', '.')}.{function}" for rule, path, function in rows}
    rules = of_rules()
    assert {rule: told.get(rule) for rule in rules.keys() - {"join_doubts"}} == {
        rule: function for rule, function in rules.items() if rule != "join_doubts"
    }
    steps = set(rules.values())
    in_order = [function for function in told.values() if function in steps]
    assert list(taken_in(fill_sample, "fill_sample", steps)) == in_order
