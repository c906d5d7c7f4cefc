"""How far a run is: chains filled, how many a second, and about how long the rest takes.

Jobs are other processes, often on other machines. What Snakemake tells of them is the same whoever
runs them, so progress is counted from its messages.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

# What a chain takes in each step, compared with k-mers (docs/running.md and docs/outputs.md).
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


class Progress:
    """Counts the steps of a run as they end."""

    def __init__(
        self, steps: Mapping[int, Step], every: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """steps: by the number of their job; every: seconds between two lines at least."""
        self._steps = steps
        self._every = every
        self._clock = clock
        self._ended: set[int] = set()
        self._begun: float | None = None  # the time when the first step began
        self._told = 0.0  # the time of the last line
        self._filled = 0  # blocks, when it was written

    def begin(self, jobs: Iterable[int]) -> None:
        """Note that jobs have been started."""
        if self._begun is None and not self._steps.keys().isdisjoint(jobs):
            self._begun = self._told = self._clock()

    def end(self, job: int) -> None:
        """Note that a job has ended."""
        if job in self._steps:
            self._ended.add(job)

    def line(self) -> str | None:
        """What to tell now; None if no block was filled since, or if it is too early."""
        ended = [self._steps[job] for job in self._ended]
        blocks = [step for step in ended if step.fills]
        now = self._clock()
        if self._begun is None or len(blocks) == self._filled or now - self._told < self._every:
            return None
        self._told, self._filled = now, len(blocks)
        every = [step for step in self._steps.values() if step.fills]
        chains, total = (sum(step.chains for step in some) for some in (blocks, every))
        took = max(now - self._begun, 1e-3)
        done = sum(step.work for step in ended)
        left = took * (sum(step.work for step in self._steps.values()) / done - 1)
        return (
            f"Filled {len(blocks):,} of {len(every):,} blocks: {chains:,} of {total:,} chains, "
            f"{_rate(chains / took)} a second, {duration(left)} left."
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
        event = getattr(record, "event", None)
        if event is None:
            return
        if event == self._started:
            self._progress.begin(record.__dict__["jobs"])
        elif event == self._finished:
            self._progress.end(record.__dict__["job_id"])
        elif event == self._counted and (line := self._progress.line()):
            self._tell(line)


def _rate(chains: float) -> str:
    return f"{chains:,.0f}" if chains >= 10 else f"{chains:.1f}"


def duration(seconds: float) -> str:
    """A time in the unit that suits it: `40 s`, `about 12 min`, `about 3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
