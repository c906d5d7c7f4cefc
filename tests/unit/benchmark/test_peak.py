"""The measured memory is that of the command, whatever the measuring process has used."""

import subprocess
import sys
from pathlib import Path

import pytest

from lacuna.benchmark.peak import peak_mb_of
from lacuna.benchmark.peer_worker import peak_mb

TAKE = "b'x' * 200_000_000"  # bytes use memory only once they are written
START = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TAKE!r}])"


def test_what_the_asking_process_took_is_not_counted(tmp_path: Path) -> None:
    taken = b"x" * 200_000_000
    assert peak_mb() > len(taken) / 1e6
    assert 5 < peak_mb_of([sys.executable, "-c", ""], tmp_path) < 100


@pytest.mark.parametrize("code", [TAKE, START])
def test_the_largest_process_of_a_command_counts(code: str, tmp_path: Path) -> None:
    assert 200 < peak_mb_of([sys.executable, "-c", code], tmp_path) < 300


def test_what_a_command_prints_is_no_figure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert peak_mb_of([sys.executable, "-c", "import os; print(os.getcwd())"], tmp_path) < 100
    assert capfd.readouterr() == ("", f"{tmp_path}\n")


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    for code in ("import sys; sys.exit(3)", "import os; os.kill(os.getpid(), 9)"):
        with pytest.raises(subprocess.CalledProcessError):
            peak_mb_of([sys.executable, "-c", code], tmp_path)
