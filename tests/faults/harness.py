"""Runs of the workflow that are broken on purpose, and the results of an undisturbed run.

A trial breaks a run, repairs what was broken, and runs again. It passes if the second run gives the
same bytes as an undisturbed run, and if the first run, when it could not finish, said why in one
line.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("workflow/scripts", "tests", "tests/workflow")]

from runs import Workspace  # noqa: E402

from chains import fasta, germline_chain, hidden, mutated  # noqa: E402
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks  # noqa: E402
from peaks import as_mgf, spectrum_of  # noqa: E402

LIMIT_S = 600  # after this many seconds a run counts as hung
# The first line of a job has its rule or the rule's message; its number is there or below.
_BEGINS = re.compile(r"^(?:(?:local)?rule (?P<rule>\w+):|Job (?P<job>\d+): (?P<message>.*))$")
_NUMBER = re.compile(r"^ +jobid: (\d+)$")
_FINISHED = re.compile(r"^Finished jobid: (\d+) \(Rule: (\w+)\)$")
# Snakemake's own lines at the very end of a run.
_TRAILER = re.compile(
    r"Complete log|Elapsed time|At least one job did not complete|Exiting because a job|"
    r"Shutting down|WorkflowError:$|\s*$"
)

Kind = Literal["same bytes", "clear line", "FAILED", "skipped"]
Results = Mapping[str, bytes]
Change = Callable[[Workspace], None]  # of a case's inputs


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial ended: how it passed, or what is wrong."""

    kind: Kind
    note: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Exit status and output of a run; the status is negative if a signal ended it."""

    status: int
    output: str

    @property
    def line(self) -> str | None:
        """The line that says what is wrong, if it is the last and there is no traceback."""
        said = [x for x in self.output.splitlines() if not _TRAILER.match(x)]
        if not said or "Traceback (most recent call last)" in self.output:
            return None
        return said[-1] if said[-1].startswith("Error: ") else None

    @property
    def tail(self) -> str:
        """The end of the output, on one line."""
        said = [x.strip() for x in self.output.splitlines() if not _TRAILER.match(x)]
        return " | ".join(said[-4:])[-400:]


@dataclass(frozen=True, slots=True)
class Step:
    """A job of an undisturbed run, identified by how it begins; its number among these; seconds."""

    rule: str
    number: int = 1
    seconds: float = 0.0
    message: str = ""

    def begins(self, line: str) -> bool:
        """Whether a line announces a job that begins like this one."""
        begun = _BEGINS.match(line)
        return begun is not None and (begun["message"] or begun["rule"]) == self.words

    @property
    def words(self) -> str:
        """The text by which the beginning of the job is recognised."""
        return self.message or self.rule


class Running:
    """A run in progress, in a process group of its own, whose output is read as it comes.

    One that hangs is killed after LIMIT_S seconds.
    """

    def __init__(self, space: Workspace, *arguments: str, env: Mapping[str, str] | None = None):
        command = [sys.executable, "-m", "snakemake", "--nocolor", "--cores", "2"]
        command += ["--resources", "gpu=0", "--snakefile", str(space.snakefile)]
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            [*command, "--directory", str(space.folder), *arguments],
            cwd=ROOT,
            env=environment() if env is None else env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self.pid = self._process.pid
        self._watch = threading.Timer(LIMIT_S, self.signal, [signal.SIGKILL])
        self._watch.daemon = True  # so that it never keeps an interrupted bench waiting
        self._watch.start()

    def lines(self) -> Iterator[str]:
        """Yield its output, line by line as it comes."""
        for line in self._process.stdout or ():
            self._lines.append(line)
            yield line.rstrip("\n")

    def wait_for(self, step: Step) -> bool:
        """Read on until a job begins; False if the run ends before."""
        seen = 0
        for line in self.lines():
            seen += step.begins(line)
            if seen == step.number:
                return True
        return False

    def signal(self, number: int) -> None:
        """Send a signal to the run and all its jobs."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def end(self) -> Ended:
        """Read the rest of the output and wait for the end."""
        for _ in self.lines():
            pass
        status = self._process.wait()
        self._watch.cancel()
        return Ended(status, "".join(self._lines))


def run(space: Workspace, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
    """A whole run."""
    return Running(space, *arguments, env=env).end()


def environment(**changed: str | None) -> dict[str, str]:
    """This process's environment with a UTF-8 locale and changes; None removes a variable."""
    merged: dict[str, str | None] = {**os.environ, "PYTHONUTF8": "1", **changed}
    return {name: value for name, value in merged.items() if value is not None}


@dataclass(frozen=True)
class Case:
    """A set of inputs, and the targets to make from them."""

    name: str
    build: Callable[[Workspace], None]
    targets: tuple[str, ...] = ()


FILL_SETTINGS = {
    "block_size": 1,
    "alternatives": True,
    "seed_lstm": {"samples": ["several"], "epochs": 1},
}


def build_fill(space: Workspace) -> None:
    """A sample of two blocks with homologs and the tutorial's model; one with a separate truth."""
    chains = {f"{locus}1": mutated(germline_chain(locus, 1), 4, 1) for locus in "HK"}
    space.write("chains.fasta", fasta(chains))
    space.write("gaps.tsv", gap_table(chains))
    homologs = {f"h{i}": mutated(germline_chain("K", i), 12, i) for i in range(3)}
    space.write("homologs.fasta", fasta(homologs))
    space.write("open.fasta", fasta({"open": hidden(germline_chain("L", 1), [(20, 24)])}))
    space.write("truth.fasta", fasta({"open": germline_chain("L", 1)}))
    space.sheet(
        dict(sample="several", fasta="chains.fasta", gaps="gaps.tsv", homologs="homologs.fasta"),
        dict(sample="open", fasta="open.fasta", truth="truth.fasta"),
    )
    space.config(**FILL_SETTINGS)


def gap_table(chains: Mapping[str, str], start: int = 30) -> str:
    """A gap of three residues in each chain, at the same place."""
    rows = "".join(f"{name}\t{start}\t{start + 3}\n" for name in chains)
    return f"chain\tstart\tend\n{rows}"


def build_train(space: Workspace) -> None:
    """A sample whose run trains a small network first."""
    space.write("chains.fasta", fasta({"heavy": hidden(germline_chain("H", 7), [(40, 44)])}))
    space.sheet({"sample": "trained", "fasta": "chains.fasta"})
    space.config(
        train={"steps": 1, "chains": 100, "batch_size": 8, "from": None},
        model={"channels": 8, "hidden": 8},
        kmer={"length": 32, "stride": 16},
    )


def build_screen(space: Workspace) -> None:
    """Many small samples, which may share jobs."""
    rows = []
    for i in range(9):
        name = f"clone{i}"
        space.write(f"{name}.fasta", fasta({name: hidden(germline_chain("K", i), [(30, 33)])}))
        rows.append({"sample": name, "fasta": f"{name}.fasta"})
    space.sheet(*rows)
    space.config()


def build_evidence(space: Workspace) -> None:
    """An antibody from reads and spectra, chains that are proofread, and a repertoire."""
    whole = {"m0": germline_chain("H", 1), "m1": germline_chain("K", 1)}
    reads = simulate_reads([(name, chain, 0.5) for name, chain in whole.items()], 300, 1)
    with open(space.folder / "reads.csv", "w", encoding="utf-8") as handle:
        write_peaks(reads, handle, "simulated")
    chain = whole["m0"]
    space.write("spectra.mgf", as_mgf([spectrum_of(chain[i : i + 15]) for i in range(0, 90, 10)]))
    space.write("repertoire.tsv", f"sequence_id\tsequence_alignment_aa\na\t{chain[10:]}\n")
    space.sheet(
        dict(sample="read", reads="reads.csv", spectra="spectra.mgf"),
        dict(sample="sorted", fasta="repertoire.tsv"),
    )
    space.config(doubts=True)


FILL = Case("fill", build_fill)
TRAIN = Case("train", build_train)
SCREEN = Case("screen", build_screen)
EVIDENCE = Case("evidence", build_evidence)
CASES = (FILL, TRAIN, SCREEN, EVIDENCE)


@dataclass
class Bench:
    """Makes trials, each in a new folder, and keeps the results of undisturbed runs."""

    folder: Path
    _made: int = 0
    _known: dict[str, "Reference"] = field(default_factory=dict)

    def space(self, case: Case, name: str = "") -> Workspace:
        """A new folder with the inputs of a case, optionally with a given name."""
        self._made += 1
        space = Workspace(self.folder / f"{self._made:04d}" / (name or case.name))
        case.build(space)
        return space

    def undisturbed(self, case: Case, change: Change | None = None) -> "Reference":
        """The undisturbed run of a case, with changed inputs if `change` is given; cached."""
        key = f"{case.name} {getattr(change, '__name__', '')}"
        if key not in self._known:
            space = self.space(case)
            if change is not None:
                change(space)
            self._known[key] = Reference.of(space, case)
        return self._known[key]

    def clean(self, space: Workspace) -> None:
        """Remove the files of a trial that has passed."""
        shutil.rmtree(space.folder.parent, ignore_errors=True)


@dataclass(frozen=True)
class Reference:
    """Results and jobs of an undisturbed run."""

    results: Results
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, space: Workspace, case: Case) -> "Reference":
        """Run a case without disturbance; SystemExit if even that fails."""
        running = Running(space, *case.targets)
        steps: list[Step] = []
        counts: Counter[str] = Counter()
        begun: dict[str, tuple[re.Match[str], int, float]] = {}  # by the number of the job
        for line in running.lines():
            if first := _BEGINS.match(line):
                words = first["message"] or first["rule"]
                counts[words] += 1
                job = (first, counts[words], time.monotonic())
                if first["job"]:
                    begun[first["job"]] = job
            elif number := _NUMBER.match(line):
                begun.setdefault(number[1], job)
            elif done := _FINISHED.match(line):
                first, nth, start = begun[done[1]]
                seconds = time.monotonic() - start
                steps.append(Step(done[2], nth, seconds, first["message"] or ""))
        ended = running.end()
        if ended.status:
            sys.exit(f"The undisturbed run of '{case.name}' failed:\n{ended.output}")
        return cls(space.results(), tuple(step for step in steps if step.rule != "all"))

    @cached_property
    def rules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.rule for step in self.steps))

    def differs(self, results: Results) -> str:
        """How results differ from these; empty if they are the same bytes."""
        both = sorted({*results, *self.results})
        names = [name for name in both if results.get(name) != self.results.get(name)]
        if not names:
            return ""
        if names[0] not in results:
            what = "is missing"
        else:
            what = "differs" if names[0] in self.results else "is left over"
        more = f" (and {len(names) - 1} more files)" if len(names) > 1 else ""
        return f"{names[0]} {what}{more}"


def judge(
    broken: Ended | None, again: Ended, results: Results, expected: Reference, note: str
) -> Outcome:
    """Outcome of a trial, from its broken run (None: killed, it printed nothing) and the next."""
    if broken is not None and broken.status and broken.line is None:
        return Outcome("FAILED", f"{note}: no clear line, but: {broken.tail}")
    if again.status:
        return Outcome("FAILED", f"{note}: the next run ends with {again.status}: {again.tail}")
    if differs := expected.differs(results):
        return Outcome("FAILED", f"{note}: {differs}")
    if broken is not None and broken.status:
        return Outcome("clear line", f"{note}: {broken.line}")
    return Outcome("same bytes", note)


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A small disk mounted on a folder (root only); yields a function to remount with options."""
    folder.mkdir(parents=True, exist_ok=True)

    def mount(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    mount(f"size={size}")
    try:
        yield lambda options: mount(f"remount,{options}")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def no_mounts(folder: Path) -> str:
    """Why small disks cannot be mounted in a folder; empty if they can."""
    if os.geteuid() != 0:
        return "only root can mount a small disk"
    try:
        with tmpfs(folder / "probe", "64k"):
            return ""
    except (OSError, subprocess.CalledProcessError):
        return "this machine lets nobody mount a small disk"


def moment(rng: random.Random, steps: tuple[Step, ...]) -> tuple[Step, float]:
    """A random one of the jobs, and a random time after its start."""
    step = rng.choice(steps)
    return step, rng.uniform(0, step.seconds)
