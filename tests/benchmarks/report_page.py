"""Size and speed of the report of a repertoire, in Chromium.

    python tests/benchmarks/report_page.py [--chains 100000] [--folder FOLDER]

Prints the size of the page and how long it takes to write, to open and to search it, by the clock
and by the processor time of the page's main thread, which other programs hardly change; and takes a
picture of it, in FOLDER or in a new one.
"""

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from common import ROOT, options_of

from lacuna.core.alphabet import RESIDUES
from lacuna.results.report import ReportFiles, write_report

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

from devtools import Browser  # noqa: E402

from chains import germline_chain  # noqa: E402
from report_tables import V_SEGMENTS, regions_of_chain, write_tables  # noqa: E402

CLONES = 3000
SEARCHES = ("ighv3", "c0004", "CAR", "nothing at all")


class Repertoire(NamedTuple):
    """Chains with their gaps (start, end), and the V segment and the regions of each."""

    chains: list[tuple[str, list[tuple[int, int]]]]
    segments: list[str]
    regions: list[str]


def repertoire(n: int, seed: int = 1) -> Repertoire:
    """Mutated chains of some clones, each with one to three gaps."""
    rng = random.Random(seed)
    clones = [germline_chain("HKL"[i % 3], i, cdr3=10 + i % 8) for i in range(min(CLONES, n))]
    found = Repertoire([], [], [])
    for _ in range(n):
        clone = rng.randrange(len(clones))
        found.segments.append(V_SEGMENTS[clone % len(V_SEGMENTS)])
        found.regions.append(regions_of_chain(clones[clone]))
        letters = list(clones[clone])
        for _ in range(rng.randrange(16)):
            letters[rng.randrange(len(letters))] = rng.choice(RESIDUES)
        gaps: list[tuple[int, int]] = []
        at = rng.randrange(20)
        for _ in range(rng.randint(1, 3)):
            end = at + rng.randint(1, 8)
            if end < len(letters):
                gaps.append((at, end))
            at = end + rng.randint(5, 40)
        found.chains.append(("".join(letters), gaps))
    return found


def _worked(browser: Browser) -> float:
    """Seconds of processor time that the page's main thread has taken."""
    metrics = browser.call("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def main() -> None:
    """Write the page of a repertoire and measure it."""
    parser = options_of(__doc__)
    parser.add_argument("--chains", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    n, place = given.chains, given.folder or Path(tempfile.mkdtemp(prefix="report-"))
    chains, segments, regions = repertoire(n)
    paths = write_tables(place, chains, v_segments=segments, regions=regions)
    out = place / "report.html"
    begin = time.monotonic()
    write_report([ReportFiles("repertoire", paths)], out)
    print(f"{n} chains: written in {time.monotonic() - begin:.1f} s")
    print(f"size: {out.stat().st_size / 1e6:.2f} MB")
    with Browser() as browser:
        browser.size(1280)
        browser.call("Performance.enable", timeDomain="threadTicks")
        begin, before = time.monotonic(), _worked(browser)
        browser.open(out)
        took, worked = time.monotonic() - begin, _worked(browser) - before
        print(f"open, until the table can be used: {took:.2f} s, processor {worked:.2f} s")
        for query in SEARCHES:
            before = _worked(browser)
            took = browser.run(
                "(() => { const f = document.querySelector('input[type=search]');"
                f" f.value = {query!r}; const t = performance.now();"
                " f.dispatchEvent(new Event('input')); document.body.offsetHeight;"
                " return performance.now() - t; })()"
            )
            worked = 1000 * (_worked(browser) - before)
            print(f"search {query!r}: {took:.0f} ms, processor {worked:.0f} ms")
        print("errors:", browser.errors)
        (place / "report.png").write_bytes(browser.picture(height=2400))
    print(out)


if __name__ == "__main__":
    main()
