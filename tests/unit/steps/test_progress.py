"""Progress of a run, counted from what Snakemake tells of its jobs."""

import logging

import pytest

from lacuna.steps.progress import Progress, Watch, duration, step_of


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_is_by_the_work_that_is_done() -> None:
    clock = Clock()
    names = ("write_kmers", "fill_gaps")
    steps = {i: step_of(names[i % 2], 500) for i in range(8)}
    progress = Progress(steps, 0, clock)
    progress.begin([99])  # a job that fills nothing
    clock.now = 200.0
    progress.begin([0])
    clock.now = 210.0
    progress.end(0)
    assert progress.line() is None  # no block is filled yet
    progress.end(1)
    progress.end(99)
    # A quarter of the work took 10 s.
    assert progress.line() == ("Filled 1 of 4 blocks: 500 of 2,000 chains, 50 a second, 30 s left.")
    assert progress.line() is None
    clock.now = 240.0
    for job in range(2, 8):
        progress.end(job)
    assert progress.line() == (
        "Filled 4 of 4 blocks: 2,000 of 2,000 chains, 50 a second, 0 s left."
    )


def test_elsewhere_than_on_a_terminal_a_minute_passes_between_lines() -> None:
    clock = Clock()
    progress = Progress({i: step_of("fill_gaps", 10) for i in range(400)}, 60, clock)
    progress.begin([0])
    told = []
    for job in range(400):
        clock.now += 1
        progress.end(job)
        if progress.line():
            told.append(job + 1)
    assert told == [60, 120, 180, 240, 300, 360]


def test_a_pack_does_all_steps_at_once() -> None:
    pack, kmers, fill = (step_of(r, 7) for r in ("fill_pack_00000", "write_kmers", "fill_gaps"))
    assert pack.work == kmers.work + fill.work
    assert (pack.fills, kmers.fills, fill.fills) == (True, False, True)


def test_packs_whose_chains_are_not_known_do_not_count() -> None:
    clock = Clock()
    steps = {0: step_of("fill_pack_00000", 0), 1: step_of("fill_pack_00001", 5)}
    for n, said in (
        (1, None),  # only the pack of samples of reads
        (2, "Filled 1 of 1 blocks: 5 of 5 chains, 2.5 a second, 0 s left."),
    ):
        progress = Progress({job: steps[job] for job in range(n)}, 0, clock)
        progress.begin(range(n))
        clock.now += 2
        progress.end(0)
        assert progress.line() is None
        progress.end(1)
        assert progress.line() == said


def test_snakemakes_messages_are_followed() -> None:
    clock = Clock()
    told: list[str] = []
    progress = Progress({3: step_of("fill_gaps", 5)}, 0, clock)
    watch = Watch(progress, told.append, started="s", finished="f", counted="c")
    log = logging.Logger("snakemake")
    log.addHandler(watch)
    log.warning("no event")
    log.info(None, extra={"event": "s", "jobs": [3]})
    clock.now += 2
    log.info(None, extra={"event": "f", "job_id": 3})
    assert told == []  # told below Snakemake's count of steps
    log.info(None, extra={"event": "c"})
    assert told == ["Filled 1 of 1 blocks: 5 of 5 chains, 2.5 a second, 0 s left."]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.4, "3 s"), (89, "89 s"), (600, "about 10 min"), (7200, "about 2.0 h")],
)
def test_times_are_in_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
