"""Python in a process that has imported the libraries of jobs: each script is a fork of it.

A script is spared two to four seconds, most of them for torch. Nothing of Lacuna is imported
before the fork. Two uses:

- `python job_server.py PATH`: listens on a socket until its standard input ends.
- `python -SI job_server.py PATH SCRIPT`, in place of `python SCRIPT`: passes its folder,
  environment and streams to the first one, and ends as the script does.
"""

import json
import os
import socket
import sys


def ask(path: str, script: str) -> int:
    """Exit status of a script that a fork of the server has run with this process's streams."""
    request = json.dumps([script, os.getcwd(), dict(os.environ)]).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [len(request).to_bytes(4)], [0, 1, 2])
        server.sendall(request)
        return int(server.makefile().read() or 1)


def serve(path: str) -> None:
    """Import what jobs import, say so by a line of output, and run each script in a fork."""
    import gc
    import select
    import signal

    import Bio.Align  # noqa: F401
    import Bio.SeqIO  # noqa: F401
    import immunum  # noqa: F401
    import jinja2  # noqa: F401
    import jsonschema  # noqa: F401
    import numba  # noqa: F401 - as torch, it starts no thread before it computes
    import pandas  # noqa: F401
    import pyteomics.mgf  # noqa: F401
    import pyteomics.mztab  # noqa: F401
    import safetensors.torch  # noqa: F401
    import snakemake.script  # noqa: F401
    import yaml  # noqa: F401

    gc.freeze()  # else a job would copy most of the memory that it is forked with
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        print(flush=True)
        while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
            client, _ = server.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                return _run(client)
            client.close()


def _run(client: socket.socket) -> None:
    """Run a client's script in a fork, and tell the client how it ended."""
    import runpy

    size, streams, _, _ = socket.recv_fds(client, 4, 3)
    script, folder, environment = json.loads(client.recv(int.from_bytes(size), socket.MSG_WAITALL))
    process = os.fork()
    if process:
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        client.sendall(str(status if status >= 0 else 128 - status).encode())
        os._exit(0)
    client.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [script]
    sys.path[0] = os.path.dirname(script)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    sys.exit(ask(*sys.argv[1:]) if len(sys.argv) == 3 else serve(sys.argv[1]))
