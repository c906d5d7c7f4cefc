"""A virtual environment for each antibody language model that Lacuna is compared with."""

import subprocess
import sys
from pathlib import Path

from lacuna.core.files import LacunaError

# The last releases that include their weights in the package.
PEERS = {
    "antiberty": "antiberty==0.1.3",
    "sapiens": "sapiens==1.0.3",
    "iglm": "iglm==0.1.0",  # for non-commercial use only
}


def build_env(package: str, requirements: Path, env: Path) -> None:
    """Build a virtual environment with `requirements` and, without its dependencies, `package`.

    The packages depend on old libraries (Sapiens on fairseq 0.10.2, which no longer builds).
    `requirements` names current versions with which they work. Raises LacunaError if pip fails.
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
