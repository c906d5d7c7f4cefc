"""The environments of the peers: their pins, and what is installed from them."""

import re
import subprocess
import zipfile
from pathlib import Path

import pytest
import yaml

from lacuna.benchmark.peer_envs import PEERS, build_env
from lacuna.core.files import LacunaError

ROOT = Path(__file__).resolve().parents[3]
PINS = {path.stem: path.read_text().splitlines() for path in (ROOT / "envs" / "peers").glob("*")}


def write_wheel(folder: Path, name: str, requires: str = "") -> None:
    info = f"{name}-1.0.dist-info/"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "x = 1\n")
        wheel.writestr(
            info + "METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else "")
        )
        wheel.writestr(
            info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(info + "RECORD", "")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that is pip's only source."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return wheels


def test_every_peer_has_an_environment_of_exact_pins() -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    methods = schema["properties"]["peers"]["properties"]["methods"]
    known = {
        "envs/peers/": set(PINS),
        "PEERS": set(PEERS),
        "peers.methods in config.schema.yaml": set(methods["items"]["enum"]),
        "its default": set(methods["default"]),
    }
    assert all(peers == set(PEERS) for peers in known.values()), known
    project = (ROOT / "requirements.txt").read_text().splitlines()
    for lines in PINS.values():
        pins = [line for line in lines if not line.startswith("#")]
        assert all(re.fullmatch(r"[\w-]+==\d+(\.\d+)+", pin) for pin in pins)
        for package in ("torch", "numpy"):  # as in Lacuna: the same arithmetic for all
            [pin] = [pin for pin in pins if pin.startswith(f"{package}==")]
            assert pin in project
    assert all(re.fullmatch(r"\w+==\d+(\.\d+)+", pin) for pin in PEERS.values())


@pytest.mark.slow
def test_a_peer_is_installed_beside_its_requirements_and_nothing_that_it_asks_for(
    offline: Path, tmp_path: Path
) -> None:
    write_wheel(offline, "library_of_today")
    write_wheel(offline, "peer", requires="library_of_2020==0.10.2")
    (tmp_path / "pins.txt").write_text("library_of_today==1.0\n")
    build_env("peer==1.0", tmp_path / "pins.txt", tmp_path / "env")
    done = subprocess.run(
        [tmp_path / "env/bin/python", "-c", "import peer, library_of_today"], check=False
    )
    assert done.returncode == 0


@pytest.mark.slow
def test_a_peer_that_cannot_be_fetched_is_named(offline: Path, tmp_path: Path) -> None:
    (tmp_path / "pins.txt").write_text("")
    with pytest.raises(LacunaError, match="peer==1.0: its environment cannot be built .*methods"):
        build_env("peer==1.0", tmp_path / "pins.txt", tmp_path / "env")
