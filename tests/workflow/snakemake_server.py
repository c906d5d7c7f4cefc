"""Snakemake in a process that has imported it: each run is a fork, spared a second of imports.

It imports nothing of Lacuna, whose modules each run loads as the Snakefile names them. For each
line of standard input (JSON: arguments, folder, environment, file for the output) it prints an exit
status.
"""

import gc
import json
import os
import sys

import Bio.SeqIO  # noqa: F401 - Snakemake and the Snakefile import it later, as the next four
import jsonschema  # noqa: F401
import nbformat  # noqa: F401
import numpy  # noqa: F401 - no thread is started
import smart_open  # noqa: F401
from snakemake.cli import get_argument_parser, main


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
    get_argument_parser()  # imports the plugins
    gc.freeze()  # else a run would copy most of the memory that it is forked with
    for line in sys.stdin:
        process = os.fork()
        if not process:
            run(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
