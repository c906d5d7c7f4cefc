"""The conda environments and the requirements file name the same versions, and each is a pin."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ENVS = sorted((ROOT / "envs").glob("*.yaml"))

# What conda calls otherwise than pip.
PIP_NAME = {"pytorch": "torch", "snakemake-minimal": "snakemake"}
# Parts of an environment rather than libraries of Lacuna.
NOT_PINNED = {"python", "pip"}


def required() -> dict[str, str]:
    """Versions by name of requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.strip().lower(): version.strip() for name, version in pins}


def packages(path: Path) -> dict[str, str]:
    """Versions by pip name of a conda environment file, its pip section included."""
    found = {}
    for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]:
        for pin in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, version = re.fullmatch(r"([\w.-]+)\s*(.*)", pin).groups()
            found[PIP_NAME.get(name, name).lower()] = version.lstrip("=")
    return found


def test_there_are_environments() -> None:
    assert [path.stem for path in ENVS] == ["core", "train"]


def test_every_requirement_is_one_exact_pin() -> None:
    assert required()["snakemake"] == "9.27.1"
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in required().values())


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_environment_pins_equal_the_requirements(path: Path) -> None:
    pins = {name: version for name, version in packages(path).items() if name not in NOT_PINNED}
    assert {"numpy", "torch"} <= set(pins)
    assert pins == {name: required().get(name) for name in pins}


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_environment_channels_are_free_ones(path: Path) -> None:
    channels = yaml.safe_load(path.read_text(encoding="utf-8"))["channels"]
    assert channels == ["conda-forge", "bioconda", "nodefaults"]


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_environment_python_is_the_projects(path: Path) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = "{packages(path)["python"]}"' in project
