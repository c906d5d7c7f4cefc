"""Peak memory of a command, measured by a process that itself needs little.

The system counts the peak of a parent process as its child's too: if a process that has loaded
torch starts the command, no peak below torch's own can be measured.

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
    """Run a command in a folder; returns the peak of its largest process in MB (10^6 bytes).

    Its output goes to standard error. Raises CalledProcessError if it fails.
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
    """Run the command given as arguments, print its peak, and exit with its status."""
    status = subprocess.call(sys.argv[1:], stdout=sys.stderr)
    print(peak_mb(resource.RUSAGE_CHILDREN))
    sys.exit(status)


if __name__ == "__main__":
    main()
