"""An environment for each antibody language model that Lacuna is compared with."""

import subprocess
import sys
from pathlib import Path

from lacuna.core.files import LacunaError

# The last releases that carry their weights in the package.
PEERS = {
    "antiberty": "antiberty==0.1.3",
    "sapiens": "sapiens==1.0.3",
    "iglm": "iglm==0.1.0",  # for non-commercial use alone
}


def build_env(package: str, requirements: Path, env: Path) -> None:
    """Build a virtual environment of `requirements` and, without what it asks for, `package`.

    The packages ask for libraries of their years (Sapiens for fairseq 0.10.2, which does not
    build any more): `requirements` names versions of today that they work with. Raises
    LacunaError where pip fails.
    """
    python = env / "bin" / "python"
    _run([sys.executable, "-m", "venv", str(env)], package)
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "--requirement", str(requirements)], package)
    _run([*pip, "--no-deps", package], package)


def _run(command: list[str], package: str) -> None:
    if subprocess.run(command, check=False).returncode:
        raise LacunaError(
            f"{package}: its environment cannot be built (see the log for what pip says); "
            "check the network, or leave it out of 'peers.methods'"
        )
