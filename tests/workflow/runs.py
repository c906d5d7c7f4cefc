"""Runs of the whole workflow, with the arguments that users give, each in a folder of its own."""

import atexit
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lacuna.core.config import check_config
from tsv import read_tsv

ROOT = Path(__file__).resolve().parents[2]
SNAKEFILE = ROOT / "Snakefile"
# Jobs of a sample of one block that has a FASTA, and of a run.
SAMPLE_JOBS = dict.fromkeys(
    "read_scaffolds find_alkylation write_kmers fill_gaps join_blocks measure_accuracy".split(), 1
)
RUN_JOBS = {"all": 1, "join_accuracy": 1, "write_report": 1}
_LOCALE = {"PYTHONUTF8": "1"}


@dataclass
class Run:
    """Exit status and output of a run."""

    status: int
    output: str

    def jobs(self) -> dict[str, int]:
        """The table of jobs that Snakemake prints before it begins (and after a dry run)."""
        table = re.search(r"^job +count\n-.*\n((?:.+\n)+?)total +\d+$", self.output, re.MULTILINE)
        lines = table[1].splitlines() if table else []
        return {name: int(count) for name, count in (line.split() for line in lines)}

    def error(self) -> str:
        """Lacuna's own lines on a fault, without those of Snakemake around them.

        The fault of a job is printed when it happens and again at the end; here it occurs once.
        """
        said = [x for x in self.output.splitlines() if x.startswith("Error: ")]
        return "\n".join(dict.fromkeys(said))


class Workspace:
    """A folder with a config.yaml, like that of a user who has the workflow elsewhere."""

    def __init__(self, folder: Path, snakefile: Path = SNAKEFILE) -> None:
        self.folder = folder
        self.snakefile = snakefile
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def sheet(self, *samples: dict[str, str], name: str = "samples.tsv") -> Path:
        columns = list(dict.fromkeys(column for sample in samples for column in sample))
        lines = ["\t".join(columns)]
        lines += ["\t".join(sample.get(c, "") for c in columns) for sample in samples]
        return self.write(name, "\n".join(lines) + "\n")

    def config(self, name: str = "config.yaml", **settings: Any) -> Path:
        settings = {"samples": "samples.tsv", "outdir": "out"} | settings
        return self.write(name, yaml.safe_dump(settings))

    def settings(self) -> dict[str, Any]:
        """The settings of config.yaml, defaults included."""
        given = yaml.safe_load((self.folder / "config.yaml").read_text())
        return check_config(given)

    def run(self, *arguments: str, cores: int = 2, status: int = 0) -> Run:
        """Run the workflow in this folder; an exit status other than `status` fails the test."""
        return snakemake(
            *("--snakefile", str(self.snakefile), "--directory", str(self.folder)),
            *("--cores", str(cores), *arguments),
            status=status,
        )

    def results(self, folder: str = "out") -> dict[str, bytes]:
        """Every result under an output folder, by path.

        Logs and times differ between runs, and the record of the settings may differ too.
        """
        out = self.folder / folder
        found = {p.relative_to(out): p for p in out.rglob("*") if p.is_file()}
        apart = ("logs", "benchmarks", "config.yaml")
        return {str(n): p.read_bytes() for n, p in found.items() if n.parts[0] not in apart}

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of a table under the output folder."""
        return read_tsv(self.folder / "out" / name)

    def columns(self, name: str) -> list[str]:
        return (self.folder / "out" / name).read_text().splitlines()[0].split("\t")

    def chains(self, sample: str) -> dict[str, str]:
        """The filled chains of a sample, by header text."""
        lines = (self.folder / "out" / sample / "filled.fasta").read_text().splitlines()
        pairs = zip(lines[::2], lines[1::2], strict=True)
        return {header.removeprefix(">"): sequence for header, sequence in pairs}


def snakemake(*arguments: str, status: int = 0, folder: Path = ROOT) -> Run:
    """Run Snakemake in a folder, by default the workflow's, with a plain UTF-8 locale.

    It is forked from a process that has imported it, one run at a time; its jobs are processes of
    their own, forked from one that has imported their libraries.
    """
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as output:
        asked = (["--nocolor", *arguments], str(folder), os.environ | _LOCALE, output.name)
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        ended = server.stdout.readline()
        text = output.read()
    assert ended == f"{status}\n", text
    return Run(status, text)


@cache
def _server() -> subprocess.Popen[str]:
    """The process that all runs of this test process are forked from."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("snakemake_server.py"))],
        cwd=ROOT,
        env=os.environ | _LOCALE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.communicate)  # closes its input, which ends it
    return server
