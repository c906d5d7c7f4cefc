"""Comparison of Lacuna with other programs: which scaffolds are filled and how this is timed.

Every method fills the same scaffolds in the same way: one process per core with one thread each,
scaffolds shuffled and dealt out in turn. Only filling is timed, after startup, imports, loading of
weights and a small first batch.
"""

import csv
import json
import os
import random
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lacuna.benchmark.peer_worker import Answer, Question
from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError, atomic_write, open_text
from lacuna.core.paths import SCRIPTS

TRUTH = "truth.jsonl"
# Residues of a V domain; none of the peers takes a longer chain (Sapiens has 144 positions).
DOMAIN = 144
SPECIES = {"oas_mouse": "mouse", "vhh": "camel"}  # of sets that are not human
HUMAN, ALL = "human", "all"  # labels of several sets, protocols or chain types together
OURS = ("lacuna", "lacuna_thorough")  # methods that are modes of Lacuna
WARM_UP = 2  # scaffolds
ANSWER_COLUMNS = ("method", "chain", "filled", "probabilities")


@dataclass(frozen=True, slots=True)
class Target:
    """A scaffold with its truth: `seq` is whole, `missing` has the 0-based hidden positions.

    missing: rising, since probabilities are given in the order of the chain.
    """

    id: str
    set: str
    protocol: str
    chain: str  # H or L
    seq: str
    missing: tuple[int, ...]

    @property
    def scaffold(self) -> str:
        """The chain with X at missing residues."""
        hidden = set(self.missing)
        return "".join("X" if i in hidden else letter for i, letter in enumerate(self.seq))

    def question(self, with_truth: bool) -> Question:
        """The scaffold as a question to a worker, optionally with its truth."""
        asked: Question = {
            "id": self.id,
            "sequence": self.scaffold,
            "chain": self.chain,
            "species": SPECIES.get(self.set, "human"),
        }
        return {**asked, "truth": self.seq} if with_truth else asked


@dataclass(frozen=True, slots=True)
class Speed:
    """Speed of a method on the V domains; memory is that of its largest process."""

    method: str
    scaffolds: int
    seconds: float
    processes: int
    peak_mb: float


def bench_file(folder: str | None) -> Path:
    """The file of scaffolds with their truth; LacunaError if its folder is not given."""
    if folder is None:
        raise LacunaError(
            f"config: 'peers.bench' is null; name a folder with {TRUTH} (a scaffold with its "
            "truth a line) in a config file"
        )
    path = Path(folder) / TRUTH
    if not path.is_file():
        raise LacunaError(f"config: 'peers.bench' is '{folder}', which has no {TRUTH}; add it")
    return path


def read_targets(path: Path) -> list[Target]:
    """Read scaffolds from a JSON-lines file with id, set, protocol, chain, seq and missing.

    Raises LacunaError that names file, line and fault if a record cannot be used.
    """
    targets: dict[str, Target] = {}
    with open_text(path) as handle:  # not splitlines: text in JSON may have a U+2028
        for number, line in enumerate(handle, start=1):
            try:
                target = _target(json.loads(line))
                if target.id in targets:
                    raise ValueError(f"'{target.id}' occurs twice")
            except (ValueError, KeyError, TypeError) as error:
                raise LacunaError(
                    f"{path}:{number}: not a scaffold with its truth ({error!r}); "
                    "write id, set, protocol, chain, seq and missing"
                ) from None
            targets[target.id] = target
    if not targets:
        raise LacunaError(f"{path}: holds no scaffold; give at least one")
    return list(targets.values())


def _target(record: dict[str, Any]) -> Target:
    """Make a target; raises ValueError, KeyError or TypeError if the record is not valid."""
    given = {name: record[name] for name in ("id", "set", "protocol", "chain", "seq")}
    if not all(isinstance(text, str) and text for text in given.values()):
        raise ValueError(f"{', '.join(given)} are not all text")
    target = Target(**given, missing=tuple(sorted(record["missing"])))
    if target.set in (HUMAN, ALL) or target.protocol == ALL:
        raise ValueError(f"'{HUMAN}' and '{ALL}' are names of what is pooled")
    if target.chain not in ("H", "L"):
        raise ValueError("chain is neither H nor L")
    if not set(target.seq) <= set(RESIDUES):
        raise ValueError("seq has a letter that is not a residue")
    if not 0 < len(target.missing) < len(target.seq):
        raise ValueError("missing has no position of seq, or all of them")
    if not all(isinstance(p, int) and 0 <= p < len(target.seq) for p in target.missing):
        raise ValueError("missing has a position outside seq")
    if len(set(target.missing)) < len(target.missing):
        raise ValueError("missing has a position twice")
    return target


def choose(targets: Sequence[Target], limit: int | None) -> list[Target]:
    """At most `limit` of each set, protocol and chain type, evenly spaced, in order."""
    if limit is None:
        return list(targets)
    places = defaultdict(list)
    for i, target in enumerate(targets):
        places[target.set, target.protocol, target.chain].append(i)
    kept: set[int] = set()
    for group in places.values():
        n = min(limit, len(group))
        kept.update(group[i * len(group) // n] for i in range(n))
    return [target for i, target in enumerate(targets) if i in kept]


def choose_scaffolds(truth: Path, scaffolds: Path, *, limit: int | None) -> None:
    """Choose the scaffolds that all methods fill, and write them."""
    with atomic_write(scaffolds) as handle:
        for target in choose(read_targets(truth), limit):
            handle.write(json.dumps(asdict(target)) + "\n")


class Worker:
    """A process that answers questions by the protocol of `peer_worker`."""

    def __init__(self, command: Sequence[str], settings: Mapping[str, Any]) -> None:
        # One thread, no GPU, no network: the same for every method.
        same = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
        self._name = Path(command[-1]).name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **same, "PYTHONPATH": str(SCRIPTS)},
        )
        self.send(settings)

    def send(self, message: object) -> None:
        """Send a message as a line of JSON; LacunaError if the process has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def reply(self) -> dict[str, Any]:
        """Wait for an answer; LacunaError if the process ends without one."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        return json.loads(line)

    def close(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.communicate()

    def _ended(self) -> LacunaError:
        return LacunaError(f"{self._name}: ended before it answered; see the log for why")


@contextmanager
def working(
    command: Sequence[str], settings: Mapping[str, Any], processes: int
) -> Iterator[list[Worker]]:
    """Start workers in parallel; they are killed at the end of the block in any case."""
    workers: list[Worker] = []
    try:
        for _ in range(processes):
            workers.append(Worker(command, settings))
        yield workers
    finally:
        for worker in workers:
            worker.close()


def ask(workers: Sequence[Worker], shares: Sequence[Sequence[Question]]) -> list[dict[str, Any]]:
    """Send every worker its share, all at once, and wait for all replies."""
    for worker, share in zip(workers, shares, strict=True):
        worker.send(share)
    return [worker.reply() for worker in workers]


def measure(
    method: str,
    command: Sequence[str],
    settings: Mapping[str, Any],
    targets: Sequence[Target],
    *,
    processes: int,
    whole_chains: bool,
    with_truth: bool,
) -> tuple[list[Answer], Speed]:
    """Answers to all targets that the method takes, and its speed on the V domains.

    whole_chains: whether it takes chains longer than DOMAIN; filling these is not timed. Raises
    LacunaError if there is no V domain to time.
    """
    domains = [t.question(with_truth) for t in targets if len(t.seq) <= DOMAIN]
    longer = [t.question(with_truth) for t in targets if len(t.seq) > DOMAIN]
    if not domains:
        raise LacunaError(f"peers.bench: no chain of {DOMAIN} residues or fewer; give V domains")
    processes = min(processes, len(domains))
    random.Random(0).shuffle(domains)  # targets are sorted by protocol, and some take longer
    with working(command, settings, processes) as workers:
        ask(workers, [domains[:WARM_UP]] * processes)
        timed = ask(workers, [domains[i::processes] for i in range(processes)])
        replies = timed
        if whole_chains and longer:
            replies = timed + ask(workers, [longer[i::processes] for i in range(processes)])
    speed = Speed(
        method,
        len(domains),
        max(reply["seconds"] for reply in timed),
        processes,
        max(reply["peak_mb"] for reply in timed),
    )
    order = {target.id: i for i, target in enumerate(targets)}
    answers: list[Answer] = [tuple(a) for reply in replies for a in reply["answers"]]
    return sorted(answers, key=lambda a: (a[0], order[a[1]])), speed


def measure_method(
    scaffolds: Path,
    answers: Path,
    speed: Path,
    *,
    method: str,
    python: Path,
    settings: Mapping[str, Any],
    processes: int,
) -> None:
    """Fill all scaffolds with one method and write its answers and its speed.

    python: interpreter of the method's environment. Lacuna, unlike its peers, takes whole chains,
    and is given the truth in order to leave out homologs near it.
    """
    ours = method in OURS
    worker = "lacuna" if ours else method
    command = [str(python), str(SCRIPTS / "peers" / f"{worker}_worker.py")]
    found, speed_of_method = measure(
        method,
        command,
        settings,
        read_targets(scaffolds),
        processes=processes,
        whole_chains=ours,
        with_truth=ours,
    )
    write_answers(answers, found)
    with atomic_write(speed) as handle:
        handle.write(json.dumps(asdict(speed_of_method)) + "\n")


def write_answers(path: Path, answers: Iterable[Answer]) -> None:
    """Write answers as TSV; probabilities have four digits, a cell without any is empty."""
    with atomic_write(path) as handle:
        rows = csv.writer(handle, delimiter="\t", lineterminator="\n")
        rows.writerow(ANSWER_COLUMNS)
        for method, chain, filled, probabilities in answers:
            cell = ",".join(f"{p:.4f}" for p in probabilities or ())
            rows.writerow((method, chain, filled, cell))


def read_answers(path: Path) -> Iterator[Answer]:
    """Read a file of `write_answers`."""
    with open(path, newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            cell = row["probabilities"]
            probabilities = [float(p) for p in cell.split(",")] if cell else None
            yield row["method"], row["chain"], row["filled"], probabilities


def read_speed(path: Path) -> Speed:
    """Read a file of speed that `measure_method` wrote."""
    return Speed(**json.loads(path.read_text(encoding="utf-8")))
