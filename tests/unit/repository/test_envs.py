"""The conda environments and the requirements file agree on versions, and each is pinned."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from lacuna.results.software import PACKAGES

ROOT = Path(__file__).resolve().parents[3]
ENVS = sorted((ROOT / "envs").glob("*.yaml"))

# Packages that have another name in conda than in pip.
PIP_NAME = {"pytorch": "torch", "pytorch-cpu": "torch"}
# Parts of an environment rather than libraries of Lacuna.
NOT_PINNED = {"python", "pip"}


def required() -> dict[str, str]:
    """Versions in requirements.txt, by name."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.strip().lower(): version.strip() for name, version in pins}


def packages(path: Path) -> dict[str, str]:
    """Versions in a conda environment file, its pip section included, by pip name."""
    found = {}
    for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]:
        for pin in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, version = re.fullmatch(r"([\w.-]+)\s*(.*)", pin).groups()
            found[PIP_NAME.get(name, name).lower()] = version.lstrip("=")
    return found


# Packages that others import: pyteomics reads mzML by one, and whole runs need all of core.yaml.
INDIRECT = {
    "core": {"psims"},
    "scale": packages(ROOT / "envs" / "core.yaml").keys() - NOT_PINNED | {"snakemake"},
}


def test_there_are_environments() -> None:
    assert [path.stem for path in ENVS] == ["core", "scale", "train"]


def test_every_requirement_is_one_exact_pin() -> None:
    assert required()["snakemake"] == "9.27.1"
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in required().values())


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_environment_pins_equal_the_requirements(path: Path) -> None:
    pins = {name: version for name, version in packages(path).items() if name not in NOT_PINNED}
    assert {"numpy", "torch"} <= set(pins)
    assert pins == {name: required().get(name) for name in pins}


def test_a_run_lists_the_versions_of_what_it_is_made_with() -> None:
    pins = set(packages(ENVS[0])) - NOT_PINNED
    assert pins <= {name.lower() for name in PACKAGES}


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_environment_channels_are_free_ones(path: Path) -> None:
    channels = yaml.safe_load(path.read_text(encoding="utf-8"))["channels"]
    assert channels == ["conda-forge", "bioconda", "nodefaults"]


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_environment_python_is_the_projects(path: Path) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = "{packages(path)["python"]}"' in project


SCRIPTS = ROOT / "workflow" / "scripts"


def env_of_scripts() -> dict[str, str]:
    """The environment of each script's rule, by file name."""
    found = {}
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        text = path.read_text(encoding="utf-8")
        envs = re.findall(r"^ +\"\S+/envs/(\w+)\.yaml\"$", text, re.MULTILINE)
        scripts = re.findall(r"^ +\"\S+/scripts/(\w+)\.py\"$", text, re.MULTILINE)
        found |= dict(zip(scripts, envs, strict=True))
    return found


def imports(file: Path) -> Iterator[str]:
    """The dotted names of everything that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            package = (SCRIPTS / f"{node.module}".replace(".", "/")).is_dir()
            yield from (
                f"{node.module}.{a.name}" if package else f"{node.module}" for a in node.names
            )
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@cache
def distributions() -> dict[str, list[str]]:
    """The installed packages that provide each importable name."""
    return dict(packages_distributions())


def packages_behind(script: str) -> set[str]:
    """The packages, by pip name, imported by a script and the modules that it leads to."""
    files, waiting, found = set(), [SCRIPTS / f"{script}.py"], set()
    while waiting:
        file = waiting.pop()
        if file in files:
            continue
        files.add(file)
        for name in imports(file):
            top = name.partition(".")[0]
            if top == "lacuna":
                module = (SCRIPTS / name.replace(".", "/")).with_suffix(".py")
                waiting.append(module if module.is_file() else module.parent / "__init__.py")
            elif top not in sys.stdlib_module_names:
                found.add(distributions().get(top, [top])[0].lower())
    return found


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_an_environment_holds_what_its_scripts_import_and_nothing_else(path: Path) -> None:
    scripts = [script for script, env in env_of_scripts().items() if env == path.stem]
    assert scripts
    wanted = INDIRECT.get(path.stem, set()).union(*map(packages_behind, scripts))
    assert wanted == set(packages(path)) - NOT_PINNED
