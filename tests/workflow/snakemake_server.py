"""Snakemake in a process that has imported it: each run is a fork, spared a second of imports.

It imports nothing of Lacuna, whose modules each run loads as the Snakefile names them. Its jobs are
commands of the shell, as always, but their Python is a fork too (`job_server.py`). For each line of
standard input (JSON: arguments, folder, environment, file for the output) it prints an exit status.
"""

import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import Bio.SeqIO  # noqa: F401 - Snakemake and the Snakefile import it later, as the next four
import jsonschema  # noqa: F401
import nbformat  # noqa: F401
import numpy  # noqa: F401 - no thread is started
import smart_open  # noqa: F401
from snakemake.cli import get_argument_parser, main
from snakemake.script import PythonScript

JOB_SERVER = Path(__file__).with_name("job_server.py")


def fork_jobs(listening: str) -> None:
    """Let scripts run in forks of the job server that listens on a socket."""
    start = PythonScript._execute_cmd

    def ask(script: PythonScript, command: str, *, py_exec: str, **others: Any) -> Any:
        if py_exec == sys.executable:  # not that of a conda environment
            py_exec = f"{py_exec} -SI {JOB_SERVER} {listening}"
        return start(script, command, py_exec=py_exec, **others)

    PythonScript._execute_cmd = ask


def run(arguments: list[str], folder: str, environment: dict[str, str], output: str) -> None:
    """Do what `python -m snakemake ARGUMENTS` does, output into a file; ends the process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[0] = folder
    with open(output, "wb") as handle, open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(handle.fileno(), 1)
        os.dup2(handle.fileno(), 2)
    main(arguments)


if __name__ == "__main__":
    socket_folder = tempfile.mkdtemp()
    listening = f"{socket_folder}/jobs"
    jobs = subprocess.Popen(
        [sys.executable, JOB_SERVER, listening], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    fork_jobs(listening)
    get_argument_parser()  # imports the plugins
    gc.freeze()  # else a run would copy most of the memory that it is forked with
    assert jobs.stdout is not None
    jobs.stdout.readline()  # it listens
    for line in sys.stdin:
        process = os.fork()
        if not process:
            run(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
    jobs.communicate()  # closes its input, which ends it
    shutil.rmtree(socket_folder)
