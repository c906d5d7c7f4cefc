"""What the jobs that only copy text load."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"


@pytest.mark.parametrize(
    ("module", "heavy"), [("join", {"torch", "pandas"}), ("scores", {"torch"})]
)
def test_a_job_loads_no_library_that_it_does_not_need(module: str, heavy: set[str]) -> None:
    code = f"import sys, lacuna.results.{module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert not heavy & set(done.stdout.split())
