"""Size and speed of the report of a repertoire, in Chromium.

    python tests/benchmarks/report_page.py [CHAINS] [FOLDER]

Prints the page's size, how long it takes to write, to open and to search, and writes a picture of it.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "workflow" / "scripts")]
sys.path[:0] = [str(Path(__file__).parents[1] / part) for part in ("", "browser")]

from chains import germline_chain
from devtools import Browser
from report_tables import write_tables

from lacuna.core.alphabet import RESIDUES
from lacuna.results.report import TABLES, write_report

CLONES = 3000
SEARCHES = ("ighv3", "c0004", "CAR", "nothing at all")


def repertoire(n: int, seed: int = 1) -> list[tuple[str, list[tuple[int, int]]]]:
    """Mutated chains of some clones, each with one to three gaps (start, end)."""
    rng = random.Random(seed)
    clones = [germline_chain("HKL"[i % 3], i, cdr3=10 + i % 8) for i in range(min(CLONES, n))]
    chains = []
    for _ in range(n):
        letters = list(rng.choice(clones))
        for _ in range(rng.randrange(16)):
            letters[rng.randrange(len(letters))] = rng.choice(RESIDUES)
        gaps, at = [], rng.randrange(20)
        for _ in range(rng.randint(1, 3)):
            end = at + rng.randint(1, 8)
            if end < len(letters):
                gaps.append((at, end))
            at = end + rng.randint(5, 40)
        chains.append(("".join(letters), gaps))
    return chains


def main(n: int = 100_000, folder: str = "") -> None:
    """Write the page of `n` chains and measure it."""
    place = Path(folder or tempfile.mkdtemp(prefix="report-"))
    paths = write_tables(place, repertoire(n))
    out = place / "report.html"
    begin = time.monotonic()
    write_report(["repertoire"], {name: [paths[name]] for name in TABLES}, out)
    print(f"{n} chains: written in {time.monotonic() - begin:.1f} s")
    print(f"size: {out.stat().st_size / 1e6:.2f} MB")
    with Browser() as browser:
        browser.size(1280)
        begin = time.monotonic()
        browser.open(out)
        print(f"open, until the table can be used: {time.monotonic() - begin:.2f} s")
        for query in SEARCHES:
            took = browser.run(
                "(() => { const f = document.querySelector('input[type=search]');"
                f" f.value = {query!r}; const t = performance.now();"
                " f.dispatchEvent(new Event('input')); document.body.offsetHeight;"
                " return performance.now() - t; })()"
            )
            print(f"search {query!r}: {took:.0f} ms")
        print("errors:", browser.errors)
        (place / "report.png").write_bytes(browser.picture(height=2400))
    print(out)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:3])
