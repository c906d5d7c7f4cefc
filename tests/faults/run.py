"""Break runs of the workflow in every way known, and see that none is lost or wrong in silence.

    make faults SEED=0 TRIALS=50
    python tests/faults/run.py --only kill "full disk"

Prints a table, a row when its scenario ends. Ends with 1 if a trial failed, and keeps its folder.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import get_args

from harness import Bench, Kind, Outcome
from scenarios import SCENARIOS

KINDS: tuple[Kind, ...] = get_args(Kind)


def main() -> int:
    """Run the scenarios that are asked for; the exit status."""
    options = read_options()
    folder = Path(tempfile.mkdtemp(prefix="lacuna-faults-"))
    bench = Bench(folder)
    failed = False
    print_header()
    for name in options.only or SCENARIOS:
        began = time.monotonic()
        counts: Counter[Kind] = Counter()
        # A stream of its own: a scenario alone breaks runs as it does among the others.
        rng = random.Random(f"{options.seed} {name}")
        for outcome in SCENARIOS[name](bench, rng, options.trials):
            counts[outcome.kind] += 1
            say(name, outcome, options.verbose)
        print_row(name, counts, time.monotonic() - began)
        failed = failed or counts["FAILED"] > 0
    if failed:
        print(f"The runs that failed are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return int(failed)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of every random moment")
    parser.add_argument("--trials", type=int, default=50, help="kills; other scenarios take fewer")
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), help="scenarios to run")
    parser.add_argument("--verbose", action="store_true", help="say every trial")
    return parser.parse_args()


def say(name: str, outcome: Outcome, verbose: bool) -> None:
    """A trial's line on the terminal; those that passed only where asked for."""
    if verbose or outcome.kind in ("FAILED", "skipped"):
        print(f"{name}: {outcome.kind}: {outcome.note}", file=sys.stderr, flush=True)


def print_header() -> None:
    """The head of a table in Markdown, with a column for each way in which trials end."""
    print("| scenario | what breaks | trials |", " | ".join(KINDS), "| s |")
    print("| --- | --- |", " | ".join("---:" for _ in range(len(KINDS) + 2)), "|", flush=True)


def print_row(name: str, counts: Counter[Kind], seconds: float) -> None:
    """The row of a scenario, written at once: the whole run takes hours."""
    what = (SCENARIOS[name].__doc__ or "").strip()
    cells = " | ".join(str(counts[kind]) for kind in KINDS)
    print(f"| {name} | {what} | {counts.total()} | {cells} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
