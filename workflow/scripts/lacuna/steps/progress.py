"""How far a run is: chains filled, chains per second, and about how long the rest will take.

Jobs are other processes, often on other machines. Snakemake reports all of them in the same way,
so progress is counted from its messages.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

# What a chain takes in each step, compared with k-mers (docs/how-to/repertoires.md and
# docs/reference/outputs.md).
WORK = {"write_kmers": 1.0, "find_doubts": 40.0, "fill_gaps": 2.0}
FILLS = "fill_gaps"
EVERY = 60.0  # seconds between lines that go elsewhere than to a terminal


@dataclass(frozen=True, slots=True)
class Step:
    """A job that works on a block of chains; fills: whether they are filled when it ends."""

    chains: int
    work: float
    fills: bool


def step_of(rule: str, chains: int) -> Step:
    """The step of a rule on a block of so many chains; a pack of samples takes them all at once."""
    if rule in WORK:
        return Step(chains, chains * WORK[rule], rule == FILLS)
    return Step(chains, chains * (WORK["write_kmers"] + WORK[FILLS]), True)


@dataclass(slots=True)
class _Sums:
    """Blocks and chains that are filled, and work."""

    blocks: int = 0
    chains: int = 0
    work: float = 0.0

    def add(self, step: Step) -> None:
        self.work += step.work
        if step.fills:
            self.blocks += 1
            self.chains += step.chains


class Progress:
    """Counts the steps of a run as they end."""

    def __init__(
        self, steps: Mapping[int, Step], every: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """steps: by the number of their job; every: minimum of seconds between two lines.

        Steps without chains do not count, such as a pack of samples whose reads will give them.
        """
        self._left = {job: step for job, step in steps.items() if step.chains}
        self._every = every
        self._clock = clock
        self._begun: float | None = None  # the time when the first step began
        self._told = (0.0, 0)  # the time of the last line, and blocks filled by then
        # Sums, so that no message costs more in a run of many jobs.
        self._all, self._done = _Sums(), _Sums()
        for step in self._left.values():
            self._all.add(step)

    def begin(self, jobs: Iterable[int]) -> None:
        """Note that jobs have been started."""
        if self._begun is None and not self._left.keys().isdisjoint(jobs):
            self._begun = self._clock()
            self._told = (self._begun, 0)

    def end(self, job: int) -> None:
        """Note that a job has ended."""
        if step := self._left.pop(job, None):
            self._done.add(step)

    def line(self) -> str | None:
        """The line to print now; None if no block was filled since the last, or it is too early."""
        done, now = self._done, self._clock()
        before, blocks = self._told
        if self._begun is None or done.blocks == blocks or now - before < self._every:
            return None
        self._told = (now, done.blocks)
        took = max(now - self._begun, 1e-3)
        left = took * (self._all.work / done.work - 1)
        return (
            f"Filled {done.blocks:,} of {self._all.blocks:,} blocks: {done.chains:,} of "
            f"{self._all.chains:,} chains, {_rate(done.chains / took)} a second, "
            f"{duration(left)} left."
        )


class Watch(logging.Handler):
    """Follows Snakemake's messages and tells the progress after each count of its steps."""

    def __init__(
        self,
        progress: Progress,
        tell: Callable[[str], None],
        *,
        started: object,
        finished: object,
        counted: object,
    ) -> None:
        """started, finished, counted: Snakemake's names of these events."""
        super().__init__()
        self._progress = progress
        self._tell = tell
        self._started, self._finished, self._counted = started, finished, counted

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a message of Snakemake."""
        try:
            event = getattr(record, "event", None)
            if event == self._started:
                self._progress.begin(record.__dict__["jobs"])
            elif event == self._finished:
                self._progress.end(record.__dict__["job_id"])
            elif event == self._counted and (line := self._progress.line()):
                self._tell(line)
        except Exception:  # as every handler of logging does: a run is not ended by its messages
            self.handleError(record)


def _rate(chains: float) -> str:
    return f"{chains:,.0f}" if chains >= 10 else f"{chains:.1f}"


def duration(seconds: float) -> str:
    """A time in the unit that suits it: `40 s`, `about 12 min`, `about 3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
