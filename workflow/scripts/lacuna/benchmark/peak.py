"""How much memory a command takes, seen by a process that itself takes little.

The system counts the peak of a process that starts another as the other's, too: asked by one that
has loaded torch, no command takes less than torch does.

    python -m lacuna.benchmark.peak COMMAND...
"""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lacuna.benchmark.peer_worker import peak_mb
from lacuna.core.paths import SCRIPTS


def peak_mb_of(command: Sequence[str], folder: Path) -> float:
    """Run a command in a folder; MB (10^6 bytes) of the largest process that it consisted of.

    What it prints goes to standard error. Raises CalledProcessError where it fails.
    """
    return float(
        subprocess.run(
            [sys.executable, "-m", "lacuna.benchmark.peak", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
    )


def main() -> None:
    """Run the command of the arguments, print its peak, and end as it ended."""
    status = subprocess.call(sys.argv[1:], stdout=sys.stderr)
    print(peak_mb(resource.RUSAGE_CHILDREN))
    sys.exit(status)


if __name__ == "__main__":
    main()
