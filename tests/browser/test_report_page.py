"""The report in a real browser: nothing overflows, everything is legible, nothing is fetched.

Chromium runs headless. The page has no script of its own; a frame around it measures.
"""

import html
import json
import re
import shutil
import struct
import subprocess
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lacuna.core.tables import ACCURACY_TABLE, CHAIN_TABLE, GAP_TABLE, REJECTED_TABLE, RESIDUE_TABLE
from lacuna.results.report import TABLES, write_report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on PATH (Debian: apt-get install chromium)"
)

WIDTHS = (1280, 400)
SCHEMES = {"dark": 0, "light": 1}  # numbers of chromium's preferredColorScheme
COLUMNS = {
    "accuracy": ACCURACY_TABLE.names,
    "gaps": GAP_TABLE.names,
    "residues": RESIDUE_TABLE.names,
    "chains": CHAIN_TABLE.names,
    "rejected": REJECTED_TABLE.names,
}
SCOPES = [
    "overall all",
    *(f"region {region}" for region in "FR1 CDR1 FR2 CDR2 FR3 CDR3 FR4 C".split()),
    *(f"gap_length {length}" for length in (1, 5, 15, 25)),
    *(f"locus {locus}" for locus in "HKL"),
    "ambiguity J",
]
METHODS = "lacuna germline_copy nearest_homolog column_majority seed_lstm".split()

# Runs in the frame around the page: sizes, colours of all text and background, loaded resources.
MEASURE = """
const frame = document.querySelector("iframe");
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement;
  const style = (e) => frame.contentWindow.getComputedStyle(e);
  const within = (e) => !e.closest(".scroll");
  const right = (e) => e.getBoundingClientRect().right;
  const texts = [...page.querySelectorAll("body *")].filter((e) => [...e.childNodes].some(
    (n) => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length);
  const drawn = [...page.querySelectorAll(".dot, .ci, .diagonal")];
  document.getElementById("found").textContent = JSON.stringify({
    width: frame.contentWindow.innerWidth,
    scrollWidth: root.scrollWidth,
    wide: [...page.querySelectorAll("body *")].filter((e) => within(e) && !e.closest("svg")
      && right(e) > root.clientWidth + 0.5).map((e) => e.outerHTML.slice(0, 80)),
    dots: [...page.querySelectorAll(".methods .dot")].map((e) => {
      const box = e.getBoundingClientRect(), track = e.closest("svg").getBoundingClientRect();
      return (box.left + box.width / 2 - track.left) / track.width;
    }),
    texts: texts.map((e) => [e.textContent.trim().slice(0, 40), e.closest("svg") ? style(e).fill
      : style(e).color, parseFloat(style(e).fontSize)]),
    drawn: [...new Set(drawn.map((e) => style(e).stroke))].concat(
      [...new Set([...page.querySelectorAll(".dot.model")].map((e) => style(e).fill))]),
    ground: style(root).backgroundColor,
    tallest: Math.max(...[...page.querySelectorAll("tr")].map((e) => e.offsetHeight)),
    tables: [...page.querySelectorAll("table")].map((t) => [t.caption.offsetHeight > 0,
      t.tHead.querySelectorAll("th[scope=col]").length, t.tHead.rows[0].cells.length]),
    fetched: frame.contentWindow.performance.getEntriesByType("resource").map((e) => e.name),
  });
};
frame.srcdoc = document.getElementById("page").textContent;
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything in it: three samples, long ids, every table, every method."""
    folder = tmp_path_factory.mktemp("report")
    accuracy = [
        f"{scope} {method} {protocol} 100 {90 - 12 * i} {0.9 - 0.12 * i:.2f} {0.8 - 0.12 * i:.2f}"
        f" {0.95 - 0.12 * i:.2f} 20 9 0.85 0.04"
        for scope in SCOPES
        for i, method in enumerate(METHODS)
        for protocol in ("scaffold", "true_context")
    ]
    long = "a_chain_id_of_somebody_who_likes_to_write_everything_into_it_" * 3
    gaps, residues, chains = [], [], []
    for i in range(30):
        chain = f"{long if i == 0 else 'mab'}{i}"
        length = 35 if i == 1 else 5
        gaps += [f"{chain} 1 9 {9 + length} {rank} {'ACDEY' * (length // 5)}" for rank in (1, 2)]
        for j in range(length):
            p = (i * 7 + j * 13) % 100 / 100
            residues.append(f"{chain} {j} 1 {'ACDEY'[j % 5]} {p:.4f}  A FR1 {'ACDWY'[j % 5]} 27 9 ")
        chains.append(f"{chain} H human V J  120 {length} {length} 1 0 3 3 1")
    gaps = [
        f"{row} {(i + 1) / 90:.4f} 5 500.1  filled 10 14 111A 112B " for i, row in enumerate(gaps)
    ]
    rejected = [f"bad{i} {i} 27 x.fasta:{i}:_has_'O'_at_column_27;_" + "y" * 90 for i in range(60)]
    rows = {"accuracy": accuracy, "gaps": gaps, "residues": residues, "rejected": rejected}
    rows["chains"] = chains
    unknown = residues[0].replace(" FR1 A ", " FR1  ")
    samples: dict[str, dict[str, list[str]]] = {
        "everything": rows,
        "no.truth_of_any_kind-" * 3: {
            "gaps": gaps[:2],
            "residues": [unknown],
            "chains": chains[:1],
        },
        "all_rejected": {"rejected": rejected[:3]},
    }
    for i, tables in enumerate(samples.values()):
        (folder / str(i)).mkdir()
        for name in TABLES:
            lines = [" ".join(COLUMNS[name]), *tables.get(name, [])]
            text = "".join(line.replace(" ", "\t") + "\n" for line in lines)
            (folder / str(i) / f"{name}.tsv").write_text(text, encoding="utf-8")
    out = folder / "report.html"
    paths = {n: [folder / str(i) / f"{n}.tsv" for i in range(len(samples))] for n in TABLES}
    write_report(list(samples), paths, out)
    return out


def chromium(folder: Path, url: str, *options: str) -> str:
    """Run chromium on a page and return what it prints."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--disable-dev-shm-usage", f"--user-data-dir={folder / 'profile'}", *options, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def measure(page: Path, width: int, scheme: str, folder: Path) -> dict[str, Any]:
    """The result of MEASURE in a frame of `width` pixels with a colour scheme."""
    source = html.escape(page.read_text(encoding="utf-8"))
    around = folder / "around.html"
    around.write_text(
        '<!DOCTYPE html><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f'<iframe style="border:0;width:{width}px;height:900px"></iframe>'
        f'<pre id="found"></pre><textarea id="page" hidden>{source}</textarea>'
        f"<script>{MEASURE}</script>",
        encoding="utf-8",
    )
    scheme_option = f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"
    options = ("--window-size=1400,1000", "--virtual-time-budget=5000", scheme_option)
    dom = chromium(folder, around.as_uri(), *options, "--dump-dom")
    found = re.search(r'<pre id="found">(.+?)</pre>', dom, re.DOTALL)
    assert found, dom[-2000:]
    result: dict[str, Any] = json.loads(html.unescape(found[1]))
    assert result["width"] == width
    return result


def luminance(colour: str) -> float:
    """Relative luminance of rgb(...), as defined by WCAG 2.2."""
    channels = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_to_the_side(page: Path, tmp_path: Path, width: int) -> None:
    found = measure(page, width, "light", tmp_path)
    assert found["scrollWidth"] <= width
    assert found["wide"] == []
    assert found["tallest"] < 400  # no column is squeezed to one letter per line
    assert min(size for _, _, size in found["texts"]) >= 12


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_and_marks_stand_out_from_the_ground(page: Path, tmp_path: Path, scheme: str) -> None:
    found = measure(page, WIDTHS[0], scheme, tmp_path)
    ground = found["ground"]
    assert (luminance(ground) < 0.05) == (scheme == "dark")
    assert len(found["texts"]) > 300
    faint = {text: colour for text, colour, _ in found["texts"] if contrast(colour, ground) < 4.5}
    assert faint == {}
    # Filled marks are outlined in the background colour.
    marks = [colour for colour in found["drawn"] if colour != ground]
    assert len(marks) >= 2 and all(contrast(colour, ground) >= 3 for colour in marks)


def test_tables_are_headed_marks_are_in_place_and_nothing_is_fetched(
    page: Path, tmp_path: Path
) -> None:
    found = measure(page, WIDTHS[0], "light", tmp_path)
    assert len(found["tables"]) == 1 + 8 + 1 + 1
    assert all(caption and headers == cells for caption, headers, cells in found["tables"])
    shares = [0.9 - 0.12 * i for i in range(len(METHODS)) for _ in range(2)]
    assert found["dots"] == pytest.approx(shares, abs=0.002)
    assert found["fetched"] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_painted(page: Path, tmp_path: Path, width: int) -> None:
    shot = tmp_path / "page.png"
    chromium(tmp_path, page.as_uri(), f"--window-size={width},900", f"--screenshot={shot}")
    data = shot.read_bytes()
    assert struct.unpack(">II", data[16:24]) == (width, 900)
    ends, at = [], 8
    while at < len(data):  # the chunks of a PNG: length, kind, data, checksum
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            ends.append(data[at + 8 : at + 8 + length])
        at += 12 + length
    pixels = zlib.decompress(b"".join(ends))
    row = len(pixels) // 900
    rows = [pixels[i * row : (i + 1) * row] for i in range(900)]
    assert sum(one != two for one, two in pairwise(rows)) > 200
