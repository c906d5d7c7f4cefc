"""`make fuzz`: every target with inputs drawn by grammar and by coverage, and a table of findings.

    fuzz_runner.py --seconds 600            all targets, both engines, all cores; the
                                            start of the processes takes extra time
    fuzz_runner.py --targets fasta config   some targets
    fuzz_runner.py --replay FILE --targets fasta

A target runs in a process of its own with a limit of memory; a watchdog ends it if it hangs. The
engine `grammar` changes valid files as defined in `fuzz_grammar`; `coverage` is atheris, which also
uses these changes and is left out if it is not installed.
"""

import argparse
import hashlib
import importlib.util
import json
import logging
import operator
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "workflow" / "scripts")]

# Shares of the time. Readers are fast and need many inputs; whole runs are slow.
SHARES = {
    "fasta": 3,
    "gap_table": 3,
    "evidence_table": 2,
    "notation": 3,
    "truth": 2,
    "homologs": 1,
    "reads": 3,
    "sheet": 2,
    "config": 2,
    "weights": 1,
    "large": 1,
    "library": 1,
    "fill": 3,
}
ENGINES = {"grammar": 2, "coverage": 1}
SILENCE = 120.0  # seconds without a sign of life before the watchdog acts
KINDS = ("crash", "hang", "traceback", "message", "law", "memory")
TRACED = (int, str, bytes)  # whose comparisons guide libFuzzer
# In the order of `dis.cmp_op`.
COMPARISONS = (operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge)
REDUCING = 3.0  # seconds to make a finding shorter


class Worker:
    """Judges inputs of one target, counts them, and keeps the shortest one per finding."""

    def __init__(self, target: str, folder: Path, seconds: float) -> None:
        from fuzz_judge import judge
        from fuzz_targets import TARGETS

        self.folder, self.started = folder, time.time()
        self.end = self.started + seconds  # imports before this do not count
        self.run: Callable[[bytes], Any] = lambda data: judge(TARGETS[target], data)
        self.inputs, self.saved = 0, 0.0
        self.found: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()
        self.begun = time.process_time()
        self.current = os.open(folder / "current", os.O_RDWR | os.O_CREAT)

    def __call__(self, data: bytes) -> None:
        """Judge one input; the process ends when its time is up."""
        # If the process dies of the input, this file shows which input it was.
        os.pwrite(self.current, len(data).to_bytes(8, "little") + data, 0)
        finding = self.run(data)
        self.inputs += 1
        if finding is not None:
            key = str(finding)
            self.counts[key] += 1
            if key not in self.found or len(data) < len(self.found[key]):
                self.found[key] = data
        now = time.time()
        if now - self.saved > 1.0 or finding is not None and self.counts[key] == 1:
            self.save(now)
        if now > self.end:
            self.finish()

    def save(self, now: float) -> None:
        self.saved = now
        seconds = time.process_time() - self.begun
        counts = {
            "inputs": self.inputs,
            "seconds": seconds,
            "wall": now - self.started,
            "findings": self.counts,
        }
        partial = self.folder / "counts.part"
        partial.write_text(json.dumps(counts))
        partial.replace(self.folder / "counts.json")
        for key, data in self.found.items():
            (self.folder / f"found-{_digest(key)}").write_bytes(data)
            (self.folder / f"found-{_digest(key)}.txt").write_text(key, encoding="utf-8")

    def finish(self) -> None:
        from fuzz_targets import scratch

        self.save(time.time())
        for key in list(self.found):
            if not key.startswith(("hang", "memory")):
                self.found[key] = self._shorter(key, self.found[key])
        self.save(time.time())
        shutil.rmtree(scratch(), ignore_errors=True)
        os._exit(0)  # without a report of libFuzzer

    def _shorter(self, key: str, data: bytes) -> bytes:
        """A part of the input with the same finding."""
        size, end = max(len(data) // 2, 1), time.time() + REDUCING
        while size and time.time() < end:
            for start in range(0, len(data), size):
                less = data[:start] + data[start + size :]
                if str(self.run(less)) == key:
                    data = less
                    break
            else:
                size //= 2
        return data


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def work(target: str, engine: str, folder: Path, seconds: float, seed: int) -> None:
    """Run the process of one target and engine."""
    if engine == "coverage":
        import atheris
        from atheris.version_dependent import CMP_OP_SHIFT_AMOUNT as SHIFT

        with atheris.instrument_imports(include=["lacuna", "pyteomics.proforma"]):
            import fuzz_targets  # noqa: F401
    import torch

    torch.set_num_threads(1)
    logging.disable()
    from fuzz_grammar import MAX_BYTES, draw, mutate, seeds
    from fuzz_judge import judge, limit_memory
    from fuzz_targets import TARGETS

    judge(TARGETS[target], seeds(target)[-1])  # not counted: loads what is loaded once
    limit_memory()
    worker = Worker(target, folder, seconds)
    if engine == "grammar":
        rng = Random(f"{target} {seed}")
        while True:
            worker(draw(rng, target))

    def change(data: bytes, max_size: int, number: int) -> bytes:
        rng = Random(number)
        if rng.random() < 0.5:
            return atheris.Mutate(data, max_size)
        return mutate(rng, target, data)[:max_size]

    def judged(data: bytes) -> None:
        if worker.inputs == 0:  # atheris sets its own when it begins
            atheris._trace_cmp = traced_without_leak(atheris._trace_cmp, SHIFT)
        worker(data)

    options = {"seed": seed + 1, "max_len": 2 * MAX_BYTES, "rss_limit_mb": 0}
    options |= {"timeout": 3600, "artifact_prefix": f"{folder}/"}  # the judge has its own limits
    grown = folder / "grown"
    grown.mkdir(exist_ok=True)
    for i, data in enumerate(seeds(target)):
        (grown / f"seed-{i}").write_bytes(data)
    arguments = [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(grown)]
    atheris.Setup(arguments, judged, custom_mutator=change)
    atheris.Fuzz()


def traced_without_leak(trace: Callable[..., Any], shift: int) -> Callable[..., Any]:
    """The function by which instrumented code compares, without what atheris 3.0.0 loses.

    `trace` never frees the result of a comparison. That is memory where it is an array, and of
    no use there: only numbers and text tell libFuzzer which values to try.
    shift: of the number of the comparison in a bytecode's argument.
    """

    def compare(left: Any, right: Any, argument: int, counter: int, is_constant: bool) -> Any:
        if type(left) in TRACED and type(right) in TRACED:
            return trace(left, right, argument, counter, is_constant)
        return COMPARISONS[argument >> shift](left, right)

    return compare


# --- the process that starts the others ----------------------------------------------------------


def supervise(target: str, engine: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Run a worker until its time is up, restarting it if it dies; returns its summed counts."""
    total: dict[str, Any] = {"inputs": 0, "seconds": 0.0, "findings": Counter()}
    seed = 0
    while seconds > 1:
        here = folder / target / f"{engine}-{seed}"
        here.mkdir(parents=True)
        died = _one_worker(target, engine, here, seconds, seed)
        counts = here / "counts.json"
        if counts.exists():
            told = json.loads(counts.read_text())
            total["inputs"] += told["inputs"]
            total["seconds"] += told["seconds"]
            total["findings"].update(told["findings"])
            seconds -= told["wall"]
        if not died:
            break
        total["findings"][died] += 1
        if not _keep_last(here, died):
            break  # it did not even reach an input
        seed += 1
    return total


def _one_worker(target: str, engine: str, here: Path, seconds: float, seed: int) -> str:
    """How a worker died; empty if it ran until its time was up."""
    command = [sys.executable, __file__, "--work", target, engine, here, f"{seconds}", f"{seed}"]
    with open(here / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        counts, begun = here / "counts.json", time.time()
        while process.poll() is None:
            time.sleep(0.5)
            last = counts.stat().st_mtime if counts.exists() else begun + SILENCE
            if time.time() - last > SILENCE:
                process.kill()
                process.wait()
                return "hang: no Python ran; the watchdog ended the process"
    return "" if process.returncode == 0 else f"crash: the process ended with {process.returncode}"


def _keep_last(here: Path, key: str) -> bool:
    """Save the input on which a worker died; returns whether there was one."""
    blob = (here / "current").read_bytes() if (here / "current").exists() else b""
    if not blob:
        return False
    (here / f"found-{_digest(key)}").write_bytes(blob[8 : 8 + int.from_bytes(blob[:8], "little")])
    (here / f"found-{_digest(key)}.txt").write_text(key)
    return True


def gather(folder: Path) -> list[tuple[str, str, Path]]:
    """(target, finding, shortest input) of all workers, with the inputs under distinct names."""
    best: dict[tuple[str, str], Path] = {}
    for text in sorted(folder.glob("*/*/found-*.txt")):
        key = (text.parts[-3], text.read_text(encoding="utf-8"))
        data = text.with_suffix("")
        if key not in best or data.stat().st_size < best[key].stat().st_size:
            best[key] = data
    found = []
    for (target, key), data in sorted(best.items()):
        path = folder / target / f"{key.partition(':')[0]}-{_digest(key)}"
        shutil.copyfile(data, path)
        found.append((target, key, path))
    return found


def table(results: dict[tuple[str, str], dict[str, Any]]) -> str:
    """A row per target and engine.

    Columns: inputs, inputs per second of one core, and the number of inputs per kind of finding.
    """
    columns = ("target", "engine", "inputs", "/s", *KINDS)
    rows: list[tuple[str, ...]] = [columns]
    totals: Counter[str] = Counter()
    for (target, engine), counts in results.items():
        kinds: Counter[str] = Counter()
        for key, n in counts["findings"].items():
            kinds[key.partition(":")[0]] += n
        rate = counts["inputs"] / max(counts["seconds"], 1e-9)
        cells = [str(kinds[kind]) for kind in KINDS]
        rows.append((target, engine, f"{counts['inputs']:,}", f"{rate:,.0f}", *cells))
        totals.update(kinds, inputs=counts["inputs"])
    rows.append(("all", "", f"{totals['inputs']:,}", "", *(str(totals[kind]) for kind in KINDS)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def fuzz(targets: list[str], seconds: float, cores: int, out: Path) -> int:
    """Run all jobs, print table and findings, and return the exit status."""
    engines = [e for e in ENGINES if e != "coverage" or importlib.util.find_spec("atheris")]
    if len(engines) < len(ENGINES):
        print("atheris is not installed: coverage does not guide the inputs")
    shutil.rmtree(out, ignore_errors=True)
    jobs = [(target, engine) for target in targets for engine in engines]
    shares = [SHARES[target] * ENGINES[engine] for target, engine in jobs]
    with ThreadPoolExecutor(cores) as pool:
        waiting = {
            job: pool.submit(supervise, *job, out, cores * seconds * share / sum(shares))
            for job, share in zip(jobs, shares, strict=True)
        }
        results = {job: future.result() for job, future in waiting.items()}
    print(table(results))
    found = gather(out)
    for target, key, path in found:
        print(f"{target}: {key}\n    {path}")
    return int(any(counts["findings"] for counts in results.values()))


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the readers and whole runs.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--targets", nargs="+", choices=SHARES, default=list(SHARES))
    parser.add_argument("--out", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--replay", type=Path, help="judge this file alone")
    parser.add_argument("--work", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        target, engine, folder, seconds, seed = options.work
        work(target, engine, Path(folder), float(seconds), int(seed))
    if options.replay:
        from fuzz_judge import judge
        from fuzz_targets import TARGETS

        found = [judge(TARGETS[name], options.replay.read_bytes()) for name in options.targets]
        for name, each in zip(options.targets, found, strict=True):
            print(f"{name}: {each}")
        return int(any(found))
    return fuzz(options.targets, options.seconds, options.cores, options.out)


if __name__ == "__main__":
    sys.exit(main())
