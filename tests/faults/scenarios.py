"""Every way to break a run: generators of the outcomes of its trials."""

import gzip
import hashlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil  # comes with Snakemake
from harness import (
    CASES,
    FILL,
    FILL_SETTINGS,
    Bench,
    Case,
    Ended,
    Outcome,
    Reference,
    Running,
    Step,
    Workspace,
    environment,
    gap_table,
    judge,
    moment,
    no_mounts,
    run,
    tmpfs,
)

from chains import fasta, germline_chain, mutated

Trials = Iterator[Outcome]
Scenario = Callable[[Bench, random.Random, int], Trials]
SCENARIOS: dict[str, Scenario] = {}
FEW = 10  # kills per trial of a scenario that depends less on timing


def scenario(function: Scenario) -> Scenario:
    """Register a scenario under its name; its docstring is its line in the table."""
    SCENARIOS[function.__name__.replace("_", " ")] = function
    return function


def every_rule(bench: Bench) -> list[tuple[Case, tuple[Step, ...]]]:
    """Every rule of the cases, once: the first case that runs it, and its jobs there."""
    found: dict[str, tuple[Case, tuple[Step, ...]]] = {}
    for case in CASES:
        reference = bench.undisturbed(case)
        for rule in reference.rules:
            jobs = tuple(step for step in reference.steps if step.rule == rule)
            found.setdefault(rule, (case, jobs))
    return list(found.values())


def after_a_kill(space: Workspace, case: Case) -> Ended:
    """The commands that Snakemake recommends after a power cut."""
    run(space, "--unlock")
    return run(space, *case.targets, "--rerun-incomplete")


def cleaned(bench: Bench, space: Workspace, outcome: Outcome) -> Outcome:
    """Return the outcome, after removing the files of a trial that has passed."""
    if outcome.kind != "FAILED":
        bench.clean(space)
    return outcome


@scenario
def kill(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """SIGKILL of a run and its jobs, as in a power cut; every rule in turn"""
    rules = every_rule(bench)
    for trial in range(trials):
        case, jobs = rules[trial % len(rules)]
        step, delay = moment(rng, jobs)
        space = bench.space(case)
        running = Running(space, *case.targets)
        running.wait_for(step)
        time.sleep(delay)
        running.signal(signal.SIGKILL)
        running.end()
        again = after_a_kill(space, case)
        note = f"{step.rule} {step.number}, {delay:.2f} s into it"
        expected = bench.undisturbed(case)
        yield cleaned(bench, space, judge(None, again, space.results(), expected, note))


@scenario
def kill_a_job(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """SIGKILL of one job, as if out of memory; the run continues to its end"""
    for trial in range(max(trials // FEW, 1)):
        rules = every_rule(bench)
        case, jobs = rules[(trial * 3 + 1) % len(rules)]
        step, delay = moment(rng, jobs)
        space = bench.space(case)
        running = Running(space, *case.targets)
        running.wait_for(step)
        time.sleep(delay)
        for process in leaves(running.pid):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        running.end()
        again = run(space, *case.targets)
        note = f"{step.rule} {step.number}, {delay:.2f} s into it"
        expected = bench.undisturbed(case)
        yield cleaned(bench, space, judge(None, again, space.results(), expected, note))


def leaves(pid: int) -> list[psutil.Process]:
    """The processes under a process that have no children: those that do a job's work."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                found += [] if process.children() else [process]
    return found


@scenario
def kill_snakemake(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """SIGKILL of Snakemake alone; its jobs continue during the next run"""
    for _ in range(max(trials // FEW, 1)):
        expected = bench.undisturbed(FILL)
        step, delay = moment(rng, expected.steps)
        space = bench.space(FILL)
        running = Running(space)
        running.wait_for(step)
        time.sleep(delay)
        with suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGKILL)
        again = after_a_kill(space, FILL)
        if again.status and again.line:  # it may say that the other run is still going
            running.end()
            again = after_a_kill(space, FILL)
        running.signal(signal.SIGKILL)
        running.end()
        note = f"{step.rule} {step.number}, {delay:.2f} s into it"
        yield cleaned(bench, space, judge(None, again, space.results(), expected, note))


@scenario
def interrupt(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """Ctrl-C, or SIGTERM as from a batch system; the next run needs no option"""
    for trial in range(max(trials // FEW, 2)):
        expected = bench.undisturbed(FILL)
        step, delay = moment(rng, expected.steps)
        space = bench.space(FILL)
        running = Running(space)
        running.wait_for(step)
        time.sleep(delay)
        number = (signal.SIGINT, signal.SIGTERM)[trial % 2]
        running.signal(number)
        running.end()
        again = run(space)
        note = f"{number.name} at {step.rule} {step.number}, {delay:.2f} s into it"
        yield cleaned(bench, space, judge(None, again, space.results(), expected, note))


@scenario
def full_disk(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """No space left on the disk of the output folder; then space is freed"""
    if reason := no_mounts(bench.folder):
        yield Outcome("skipped", reason)
        return
    expected = bench.undisturbed(FILL)
    most = int(space_taken(bench) * 1.1)
    for _ in range(max(trials // FEW, 2)):
        space = bench.space(FILL)
        size = rng.randrange(16, most // 1024) * 1024
        with tmpfs(space.folder / "out", str(size)) as again_with:
            broken = run(space)
            again_with("size=64m")
            again = run(space)
            outcome = judge(broken, again, space.results(), expected, f"{size // 1024} KiB")
        yield cleaned(bench, space, outcome)


def space_taken(bench: Bench) -> int:
    """Disk space that the case `fill` needs at most, in bytes, roughly."""
    space = bench.space(FILL)
    run(space, "--notemp")
    return sum(p.lstat().st_blocks * 512 for p in (space.folder / "out").rglob("*"))


@scenario
def disk_fills(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """Others fill the disk of the output folder during the run; then they free it"""
    if reason := no_mounts(bench.folder):
        yield Outcome("skipped", reason)
        return
    expected = bench.undisturbed(FILL)
    for _ in range(max(trials // FEW, 2)):
        step, delay = moment(rng, expected.steps)
        space = bench.space(FILL)
        with tmpfs(space.folder / "out", "16m"):
            running = Running(space)
            running.wait_for(step)
            time.sleep(delay)
            filler = space.folder / "out" / "filler"
            with suppress(OSError):
                filler.write_bytes(bytes(32 << 20))
            broken = running.end()
            filler.unlink(missing_ok=True)
            again = run(space)
            note = f"at {step.rule} {step.number}, {delay:.2f} s into it"
            outcome = judge(broken, again, space.results(), expected, note)
        yield cleaned(bench, space, outcome)


@scenario
def read_only_output(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """An output folder without write permission; then it is granted"""
    if reason := no_mounts(bench.folder):
        yield Outcome("skipped", reason)
        return
    space = bench.space(FILL)
    with tmpfs(space.folder / "out", "64m") as again_with:
        again_with("ro")
        broken = run(space)
        again_with("rw")
        again = run(space)
        expected = bench.undisturbed(FILL)
        outcome = judge(broken, again, space.results(), expected, "read-only disk")
    yield cleaned(bench, space, outcome)


def _hex_digest(content: bytes) -> bytes:
    """SHA-256 of a file's content as the report writes it."""
    return hashlib.sha256(content).hexdigest().encode()


@scenario
def truncated_gzip(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """A gzipped input that is cut short; then it is complete"""
    expected = bench.undisturbed(FILL)
    for name in ("chains.fasta", "gaps.tsv", "homologs.fasta", "truth.fasta"):
        space = bench.space(FILL)
        path = space.folder / name
        plain = path.read_bytes()
        whole = gzip.compress(plain, mtime=0)
        kept = rng.randrange(3, len(whole) - 1)
        path.write_bytes(whole[:kept])
        broken = run(space)
        path.write_bytes(whole)
        again = run(space)
        note = f"{name}, {kept} of {len(whole)} bytes"
        results = space.results()
        if "report.html" in results:  # it has the digest of each input, here of the gzipped one
            results["report.html"] = results["report.html"].replace(
                *map(_hex_digest, (whole, plain))
            )
        outcome = judge(broken, again, results, expected, note)
        if broken.status == 0:
            outcome = Outcome("FAILED", f"{note}: taken for whole")
        yield cleaned(bench, space, outcome)


def other_chains(space: Workspace) -> None:
    """The FASTA has other chains under the same ids."""
    text = (space.folder / "chains.fasta").read_text()
    ids = [line[1:] for line in text.splitlines() if line.startswith(">")]
    chains = {name: mutated(germline_chain(name[0], int(name[1:])), 9, 99) for name in ids}
    replace(space, "chains.fasta", fasta(chains))


def other_gaps(space: Workspace) -> None:
    """The gap table has other positions."""
    rows = (space.folder / "gaps.tsv").read_text().splitlines()[1:]
    replace(space, "gaps.tsv", gap_table({row.split("\t")[0]: "" for row in rows}, 50))


def other_homologs(space: Workspace) -> None:
    """The homologs are other chains."""
    chains = {f"h{i}": mutated(germline_chain("K", i), 3, i) for i in (1, 2)}
    replace(space, "homologs.fasta", fasta(chains))


def more_chains(space: Workspace) -> None:
    """Chains are appended to the FASTA, as while it is being copied."""
    with open(space.folder / "chains.fasta", "a") as handle:
        handle.write(fasta({f"late{i}": germline_chain("H", 20 + i) for i in range(3)}))


def older_chains(space: Workspace) -> None:
    """Other chains from a backup, in a file with an old time."""
    other_chains(space)
    os.utime(space.folder / "chains.fasta", (1e9, 1e9))


def other_settings(space: Workspace) -> None:
    """The configuration has other settings."""
    space.config(**{**FILL_SETTINGS, "candidates": 2})


def replace(space: Workspace, name: str, text: str) -> None:
    """Replace a file by another, atomically."""
    path = space.folder / name
    new = path.with_name(f"{name}.new")
    new.write_text(text)
    os.replace(new, path)


CHANGES = (other_chains, other_gaps, other_homologs, more_chains, older_chains, other_settings)


@scenario
def changed_input(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """An input is replaced or grows during the run: this is said; the next run uses the new one"""
    before = bench.undisturbed(FILL)
    for trial in range(max(trials // FEW * 2, len(CHANGES))):
        change = CHANGES[trial % len(CHANGES)]
        after = bench.undisturbed(FILL, change)
        early = tuple(s for s in before.steps if s.rule in ("read_scaffolds", "write_kmers"))
        step, delay = moment(rng, early if trial % 2 else before.steps)
        space = bench.space(FILL)
        running = Running(space)
        running.wait_for(step)
        time.sleep(delay)
        change(space)
        broken = running.end()
        mixed = broken.status == 0 and not is_one_of(space, before, after)
        again = run(space)
        note = f"{change.__name__} at {step.rule} {step.number}, {delay:.2f} s into it"
        outcome = judge(broken, again, space.results(), after, note)
        if outcome.kind == "same bytes" and mixed and "changed during the run" not in broken.output:
            outcome = Outcome("FAILED", f"{note}: old and new are mixed without a word")
        yield cleaned(bench, space, outcome)


def is_one_of(space: Workspace, *references: Reference) -> bool:
    results = space.results()
    return any(not reference.differs(results) for reference in references)


@scenario
def two_runs(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """Two runs of different inputs from different folders into one output folder"""
    own = bench.undisturbed(FILL)
    for _ in range(max(trials // FEW, 2)):
        step, delay = moment(rng, own.steps)
        first, second = bench.space(FILL), bench.space(FILL)
        other_chains(second)
        out = f"outdir={first.folder / 'out'}"
        running = Running(first, "--config", out)
        running.wait_for(step)
        time.sleep(delay)
        late = run(second, "--config", out)
        early = running.end()
        note = f"the second begins at {step.rule} {step.number}"
        if early.status:
            outcome = Outcome("FAILED", f"{note}: the first run ends with: {early.tail}")
        elif late.status:
            outcome = judge(late, early, first.results(), own, note)
        else:  # one after the other, or without noticing each other
            others = bench.undisturbed(FILL, other_chains)
            outcome = judge(None, late, first.results(), others, f"{note}, both end")
        bench.clean(second)
        yield cleaned(bench, first, outcome)


@scenario
def run_twice(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """The same run started again in its own folder while it is going"""
    expected = bench.undisturbed(FILL)
    step, delay = moment(rng, expected.steps)
    space = bench.space(FILL)
    running = Running(space)
    running.wait_for(step)
    time.sleep(delay)
    late = run(space)
    early = running.end()
    note = f"again at {step.rule} {step.number}"
    # Snakemake's own lock may answer first, in its own words, which name the remedy.
    said = None if "--unlock" in late.output else late
    yield cleaned(bench, space, judge(said, early, space.results(), expected, note))


NAMES = (
    "with blanks in it",
    "größe 抗体 é",
    'it\'s "quoted"',
    "$(touch ran)",
    "a;touch ran;&touch ran|touch ran",
    "-rf",
    "[x] * ? ~ # % ! ^",
    "back\\slash",
    "{braces} {0}",
)


@scenario
def odd_paths(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """Blanks, quotes, non-ASCII and shell syntax in the paths of outdir, sheet and FASTA"""
    expected = bench.undisturbed(FILL)
    for name in NAMES:
        yield odd_path(bench, expected, name, environment())


def odd_path(bench: Bench, expected: Reference, name: str, env: dict[str, str]) -> Outcome:
    """A trial whose folder, sheet, inputs and output folder all have an odd name."""
    space = bench.space(FILL, name)
    for path in list(space.folder.iterdir()):
        if path.name not in ("config.yaml", "samples.tsv"):
            path.rename(path.with_name(f"{name} {path.name}"))
    sheet = (space.folder / "samples.tsv").read_text()
    rows = [line.split("\t") for line in sheet.splitlines()]
    rows = [[f"{name} {cell}" if "." in cell else cell for cell in row] for row in rows]
    space.write(f"{name} samples.tsv", "".join("\t".join(row) + "\n" for row in rows))
    (space.folder / "samples.tsv").unlink()
    space.config(
        **FILL_SETTINGS, samples=f"{name} samples.tsv", outdir=str(space.folder / f"{name} out")
    )
    ended = run(space, env=env)
    if any(p.name == "ran" for p in [*space.folder.rglob("*"), *Path.cwd().glob("ran")]):
        return Outcome("FAILED", f"{name!r}: a name was run by a shell")
    if ended.status and ended.line:
        return cleaned(bench, space, Outcome("clear line", f"{name!r}: {ended.line}"))
    results = space.results(f"{name} out")
    if "report.html" in results:  # it names the input files, whose names are others here
        results["report.html"] = expected.results["report.html"]
    return cleaned(bench, space, judge(None, ended, results, expected, repr(name)))


@scenario
def posix_locale(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """LC_ALL=C without Python's UTF-8 mode, with plain and with odd paths"""
    expected = bench.undisturbed(FILL)
    plain = environment(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", LANG=None)
    for name in ("plain", NAMES[1]):
        yield odd_path(bench, expected, name, plain)


@scenario
def temporary_folder(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """TMPDIR is unset, missing, not writable, or full"""
    yield from under(bench, {"unset": environment(TMPDIR=None)})
    yield from under(bench, {"not there": environment(TMPDIR="/nonexistent/tmp")})
    if reason := no_mounts(bench.folder):
        yield Outcome("skipped", reason)
        return
    for note, option in (("read-only", "ro"), ("full", "rw")):
        folder = bench.folder / f"tmp {note}"
        with tmpfs(folder, "64k") as again_with:
            with suppress(OSError):
                (folder / "fill").write_bytes(bytes(1 << 20))
            again_with(option)
            yield from under(bench, {note: environment(TMPDIR=str(folder))})


@scenario
def home_folder(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """HOME is unset, or not writable while the caches are (XDG_CACHE_HOME)"""
    yield from under(bench, {"unset": environment(HOME=None, XDG_CACHE_HOME=None)})
    if reason := no_mounts(bench.folder):
        yield Outcome("skipped", reason)
        return
    home, caches = bench.folder / "home", bench.folder / "caches"
    caches.mkdir(exist_ok=True)
    with tmpfs(home, "64k") as again_with:
        again_with("ro")
        env = environment(HOME=str(home), XDG_CACHE_HOME=str(caches))
        yield from under(bench, {"read-only": env})


def under(bench: Bench, environments: dict[str, dict[str, str]]) -> Trials:
    """A run in each environment, which gives the same bytes or says what is wrong."""
    expected = bench.undisturbed(FILL)
    for note, env in environments.items():
        space = bench.space(FILL)
        broken = run(space, env=env)
        again = broken if broken.status == 0 else run(space)
        yield cleaned(bench, space, judge(broken, again, space.results(), expected, note))


@scenario
def umask(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """New files are accessible only to their owner (umask 077)"""
    before = os.umask(0o077)
    try:
        yield from under(bench, {"umask 077": environment()})
    finally:
        os.umask(before)


@scenario
def left_overs(bench: Bench, rng: random.Random, trials: int) -> Trials:
    """Partial files that a killed process has left next to every result"""
    expected = bench.undisturbed(FILL)
    space = bench.space(FILL)
    (space.folder / "out" / "logs").mkdir(parents=True)  # which the killed run has made first
    for name in (n for n in expected.results if "seed_lstm" not in n):  # a folder, made anew
        path = space.folder / "out" / name
        space.write(str(path.with_name(f".{path.name}.part").relative_to(space.folder)), b"half")
    again = run(space)
    yield cleaned(bench, space, judge(None, again, space.results(), expected, "of every result"))
