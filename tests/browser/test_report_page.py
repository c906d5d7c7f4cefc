"""The report in a real browser, without network: what it shows, and what its script does.

The pictures of the last run are kept in `tests/browser/pictures`, for a person to look at.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from devtools import CHROMIUM, Browser
from pyteomics import mass as pyteomics_mass

from chains import germline_chain
from lacuna.core.tables import (
    ACCURACY_TABLE,
    GAP_TABLE,
    REJECTED_TABLE,
    SPECTRUM_TABLE,
    GapRow,
    MassRow,
    SpectrumRow,
)
from lacuna.results.report import ReportFiles, write_report
from lacuna.results.report import page as page_module
from lacuna.results.report.chains import read_chains
from lacuna.results.report.evidence import Doubt, Evidence
from lacuna.results.report.listing import read_listing
from lacuna.results.report.logo import LINE, draw_logo
from lacuna.results.report.map import draw
from lacuna.results.report.masses import forms_of
from lacuna.results.report.payload import FULL, encode_chains
from lacuna.scaffolds.scaffold import ResidueModification
from report_tables import write_tables

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on PATH (Debian: apt-get install chromium)"
)

WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")
SCOPES = [
    "overall all",
    *(f"region {region}" for region in "FR1 CDR1 FR2 CDR2 FR3 CDR3 FR4 C".split()),
    *(f"gap_length {length}" for length in (1, 5, 15, 25)),
    *(f"locus {locus}" for locus in "HKL"),
    "ambiguity J",
]
METHODS = "lacuna germline_copy nearest_homolog column_majority seed_lstm".split()
LONG = "a_chain_id_of_somebody_who_likes_to_write_everything_into_it_" * 3
HEAVY = "Q" + germline_chain("H", 1, constant=True)[1:]
LIGHT = germline_chain("K", 2, constant=True)
N_LISTED = 300
PICTURES = Path(__file__).parent / "pictures"
AXE = next((Path(__file__).parents[2] / ".axe").glob("*/axe.min.js"), None)

# Sizes, colours of all text on what is behind it, and what was loaded.
MEASURE = """
(() => {
  const root = document.documentElement, style = (e) => getComputedStyle(e);
  const seen = (e) => e.getClientRects().length && style(e).visibility !== "hidden";
  const within = (e) => !e.closest(".scroll, .rows") && seen(e);
  const right = (e) => e.getBoundingClientRect().right;
  const texts = [...document.querySelectorAll("body *")].filter((e) => [...e.childNodes].some(
    (n) => n.nodeType === 3 && n.textContent.trim()) && seen(e) && !e.closest("title, option"));
  const clear = (c) => c === "transparent" || c.endsWith(", 0)");
  const behind = (e) => {
    for (let p = e; p; p = p.parentElement) {
      if (!clear(style(p).backgroundColor)) return style(p).backgroundColor;
    }
    return style(root).backgroundColor;
  };
  // A letter of the map is on the box that is drawn at its place.
  const box = (e) => {
    const level = (e.getAttribute("class") || "").match(/^l (p\\d)/);
    const found = level && document.querySelector(`.map .b.${level[1]}`);
    return found ? style(found).fill : behind(e);
  };
  const drawn = [...document.querySelectorAll(".dot, .ci, .diagonal, .s, .bin, .b.p3, .b.p4")];
  return {
    width: innerWidth,
    scrollWidth: root.scrollWidth,
    wide: [...document.querySelectorAll("body *")].filter((e) => within(e) && !e.closest("svg")
      && right(e) > root.clientWidth + 0.5).map((e) => e.outerHTML.slice(0, 80)),
    dots: [...document.querySelectorAll(".methods .dot")].map((e) => {
      const box = e.getBoundingClientRect(), track = e.closest("svg").getBoundingClientRect();
      return (box.left + box.width / 2 - track.left) / track.width;
    }),
    texts: texts.map((e) => e.closest("svg")
      ? [e.textContent.slice(0, 40), style(e).fill, box(e), parseFloat(style(e).fontSize)]
      : [e.textContent.trim().slice(0, 40), style(e).color, behind(e),
         parseFloat(style(e).fontSize)]),
    drawn: [...new Set(drawn.map((e) => style(e).stroke === "none" ? style(e).fill
      : style(e).stroke))],
    ground: style(root).backgroundColor,
    tallest: Math.max(...[...document.querySelectorAll("tr:not(.space)")].map(
      (e) => e.offsetHeight)),
    tables: [...document.querySelectorAll(
      ":is(section, section > .screen) > .scroll > table, .candidates table")].map(
      (t) => [t.caption.offsetHeight > 0, t.tHead.querySelectorAll("th[scope=col]").length,
        t.tHead.rows[0].cells.length]),
    fetched: performance.getEntriesByType("resource").map((e) => e.name),
    unnamed: [...document.querySelectorAll("input, select, button, [role=region]")].filter((e) =>
      !(e.getAttribute("aria-label") || e.textContent.trim() || e.closest("label"))).length,
  };
})()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def drawn(folder: Path) -> Path:
    """A page of chains that are drawn: an antibody, long ids, every table and method; no chains."""
    accuracy = [
        f"{scope} {method} {protocol} 100 {90 - 12 * i} {0.9 - 0.12 * i:.2f} {0.8 - 0.12 * i:.2f}"
        f" {0.95 - 0.12 * i:.2f} 20 9 0.85 0.04"
        for scope in SCOPES
        for i, method in enumerate(METHODS)
        for protocol in ("scaffold", "true_context")
    ]
    rejected = [f"bad{i} {i} 27 x.fasta:{i}:_has_'O'_at_column_27;_" + "y" * 90 for i in range(60)]
    heavy = (HEAVY, [(20, 26), (50, 57), (97, 105), (200, 210)])
    light = (LIGHT, [(24, 30), (86, 94)])
    both = write_tables(folder / "both", [heavy, light], constant="IGHG1*01", codes=True)
    rows = both["chains"].read_text(encoding="utf-8").splitlines(keepends=True)
    light_row = rows[2].replace("\tH\t", "\tK\t").replace("IGHG1*01", "IGKC*01")
    both["chains"].write_text("".join([*rows[:2], light_row]), encoding="utf-8")
    long = [(HEAVY[:118], [(1, 36)])]
    samples = {
        "antibody": both,
        "no.truth_of_any_kind-" * 3: write_tables(folder / "long", long, names=[LONG]),
        "all_rejected": write_tables(folder / "none", []),
    }
    for name, table, lines in (
        ("antibody", ACCURACY_TABLE, accuracy),
        ("antibody", REJECTED_TABLE, rejected),
        ("all_rejected", REJECTED_TABLE, rejected[:3]),
    ):
        text = "".join(line.replace(" ", "\t") + "\n" for line in lines)
        file = samples[name][table.name.removesuffix(".tsv")]
        file.write_text(table.header + text, encoding="utf-8")
    out = folder / "drawn.html"
    files = [ReportFiles(name, tables) for name, tables in samples.items()]
    write_report(files, out, settings={"tolerance_ppm": 10})
    return out


def test_cleavages_are_marked_as_without_the_script(browser: Browser, tmp_path: Path) -> None:
    tables = write_tables(tmp_path, [(HEAVY[:118], [(20, 24), (99, 103)])])
    rows = list(GAP_TABLE.read(tables["gaps"]))
    marked = [
        row._replace(cleavages=f"{row.candidate[:1]}/{row.candidate[1:]}") if row.gap == 2 else row
        for row in rows
    ]
    GAP_TABLE.write(tables["gaps"], marked)
    where = (rows[-1].chain, rows[-1].start, rows[-1].end)
    found = SpectrumRow(*where, "spectrum", 1500.7, None, 30.0, "b 5/6, y 5/6", "m.mgf:7 as 9..2")
    spectra = tmp_path / "spectra.tsv"
    SPECTRUM_TABLE.write(spectra, [found])
    out = tmp_path / "report.html"
    write_report([ReportFiles("s", tables | {"spectra": spectra})], out)
    shown = """[
      [...document.querySelectorAll(".candidates .letters")].map((e) => e.innerHTML),
      [...document.querySelectorAll(".candidates .note")].map((e) => e.textContent),
      document.querySelector(".candidates caption").textContent.includes("Bars: cleavages")]"""
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(out, ready=False)
    without = browser.run(shown)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    browser.open(out)
    assert browser.run(shown) == without
    assert without[0][3:] == [f'{c[:1]}<i class="cut"></i>{c[1:]}' for c in candidates_of(rows, 2)]
    assert without[1:] == [["Spectra: m.mgf:7 (b 5/6, y 5/6)"], True]


def candidates_of(rows: Iterable[GapRow], gap: int) -> list[str]:
    return [row.candidate for row in rows if row.gap == gap]


@pytest.fixture(scope="module")
def listed(folder: Path) -> Path:
    """A page of a repertoire."""
    chains = [(germline_chain("HKL"[i % 3], i), [(20, 24), (99, 103)]) for i in range(N_LISTED)]
    tables = write_tables(folder / "listed", chains)
    out = folder / "listed.html"
    write_report([ReportFiles("repertoire", tables)], out)
    return out


def luminance(colour: str) -> float:
    """Relative luminance of rgb(...), as defined by WCAG 2.2."""
    channels = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


# --- what it looks like --------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", ["drawn", "listed"])
def test_it_can_be_read(
    browser: Browser, request: pytest.FixtureRequest, kind: str, scheme: str, width: int
) -> None:
    """Nothing overflows to the side, all text stands out, nothing is fetched, and no error."""
    browser.errors.clear()
    browser.size(width)
    browser.scheme(scheme)
    browser.open(request.getfixturevalue(kind))
    if kind == "listed":
        browser.run("document.querySelector('.rows tr[data-row]').click()")
    PICTURES.mkdir(exist_ok=True)
    shot = browser.picture(width=width, height=3000)
    (PICTURES / f"{kind}_{scheme}_{width}.png").write_bytes(shot)
    found = browser.run(MEASURE)
    assert browser.errors == [] and found["fetched"] == []
    assert found["width"] == width and found["scrollWidth"] <= width and found["wide"] == []
    assert found["tallest"] < 400  # no column is squeezed to one letter per line
    assert len(found["texts"]) > 200 and min(size for *_, size in found["texts"]) >= 12
    assert (luminance(found["ground"]) < 0.05) == (scheme == "dark")
    faint = {text for text, colour, behind, _ in found["texts"] if contrast(colour, behind) < 4.5}
    assert faint == set()
    # Filled marks are outlined in the background colour.
    marks = [colour for colour in found["drawn"] if colour != found["ground"]]
    assert marks and all(contrast(colour, found["ground"]) >= 3 for colour in marks)
    assert found["unnamed"] == 0


def test_the_table_of_samples_is_seen_whole(browser: Browser, drawn: Path) -> None:
    browser.size(1280)
    browser.open(drawn)
    box = browser.run(
        "(() => { const box = document.querySelector('[aria-label=\"All samples\"]');"
        " return [box.scrollWidth, box.clientWidth]; })()"
    )
    assert box[0] <= box[1]


def test_tables_are_headed_and_marks_are_in_place(browser: Browser, drawn: Path) -> None:
    browser.size(1280)
    browser.open(drawn)
    found = browser.run(MEASURE)
    assert len(found["tables"]) >= 10
    assert all(caption and headers == cells for caption, headers, cells in found["tables"])
    shares = [0.9 - 0.12 * i for i in range(len(METHODS)) for _ in range(2)]
    assert found["dots"] == pytest.approx(shares, abs=0.002)


def test_classes_of_probability_differ_in_more_than_colour(browser: Browser, drawn: Path) -> None:
    browser.open(drawn)
    cues = browser.run(
        """[1, 2, 3, 4].map((level) => {
          const box = document.querySelector(`.map .b.p${level}`), style = getComputedStyle(box);
          const y = box.y.baseVal.value, x = box.x.baseVal.value;
          const bar = [...box.closest("svg").querySelectorAll(".bar")].some((b) =>
            b.x.baseVal.value === x && b.y.baseVal.value === y + 19);
          return [style.fill === style.stroke, style.strokeDasharray !== "none", bar].join();
        })"""
    )
    assert len(set(cues)) == 4


def test_the_page_is_printed_with_its_maps(browser: Browser, drawn: Path) -> None:
    browser.open(drawn)
    printed = browser.pdf()
    assert printed.startswith(b"%PDF") and len(printed) > 20_000
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(drawn, ready=False)
    without = browser.pdf()
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    pages = [len(re.findall(rb"/Type\s*/Page\b", pdf)) for pdf in (printed, without)]
    assert pages[0] >= 3 and abs(pages[0] - pages[1]) <= 1


def test_what_is_printed_is_a_summary(browser: Browser, tmp_path: Path) -> None:
    chains = [(germline_chain("H", i), [(20, 24), (99, 103)]) for i in range(8)]
    tables = write_tables(tmp_path, chains, seed=2)
    write_report([ReportFiles("s", tables)], tmp_path / "report.html")
    browser.open(tmp_path / "report.html")
    seen = """((selector) => [...document.querySelectorAll(selector)].map(
        (e) => e.getClientRects().length > 0))"""
    on_screen = browser.run(f"{seen}('.chain')")
    verdicts = browser.run(
        "[...document.querySelectorAll('.chain:not(.screen) .candidates tbody')].map("
        "(e) => e.querySelector('.verdict').textContent)"
    )
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        on_paper = browser.run(f"{seen}('.chain')")
        gaps = browser.run(f"{seen}('.chain:not(.screen) .candidates tbody')")
        shown = [
            browser.run(f"{seen}('{one}')")
            for one in (".paper", ".fasta", "[aria-labelledby=words]")
        ]
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")
    assert on_screen == [True] * 8
    assert on_paper == [i < page_module.PRINTED for i in range(8)]
    assert {"sure", "likely"} & {*verdicts} and "unsure" in verdicts
    assert gaps == [verdict in ("unsure", "open") for verdict in verdicts]
    assert shown == [[True], [False], [False]]


def test_notes_are_not_larger_than_text_on_paper(browser: Browser, drawn: Path) -> None:
    browser.open(drawn)
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        sizes = browser.run(
            "[...document.querySelectorAll('body, .note, caption, .legend, .methods, h3 .soft')]"
            ".map((e) => parseFloat(getComputedStyle(e).fontSize))"
        )
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")
    assert len(sizes) > 10 and max(sizes) == sizes[0]


# --- chains that are drawn -----------------------------------------------------------------------

LETTERS = """
[...document.querySelectorAll(".chain .map")].map((map) => {
  const placed = [];
  for (const text of map.querySelectorAll(".o, .l, .k")) {
    const xs = text.getAttribute("x").split(" ").map(Number);
    const y = Number(text.getAttribute("y"));
    [...text.textContent].forEach((letter, i) => placed.push([y, xs[i], letter]));
  }
  return placed.sort((a, b) => a[0] - b[0] || a[1] - b[1]).map((p) => p[2]).join("");
})
"""
FASTA = "document.querySelector('pre.fasta').textContent"
MASSES = """
[...document.querySelector(".chain .masses tbody").rows[0].cells].map((c) => c.textContent)
"""


def sequences(fasta: str) -> list[str]:
    return fasta.split("\n")[1::2]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_maps_have_the_letters_of_the_fasta(browser: Browser, drawn: Path, width: int) -> None:
    browser.size(width)
    browser.open(drawn)
    assert browser.run(LETTERS) == [HEAVY, LIGHT, HEAVY[:118]]
    wanted = (drawn.parent / "both" / "filled.fasta").read_text(encoding="utf-8")
    assert browser.run(FASTA) == wanted


@pytest.mark.parametrize("columns", [60, 20])
def test_script_and_workflow_draw_the_same_map(browser: Browser, drawn: Path, columns: int) -> None:
    tables = [drawn.parent / "both" / name for name in ("filled.fasta", "chains.tsv")]
    tables += [drawn.parent / "both" / name for name in ("gaps.tsv", "residues.tsv")]
    chains = list(read_chains(*tables))
    doubts = (Doubt(3, "3 Q <doubtful>", True), Doubt(70, "70 K observed, length", False))
    depths = tuple(i % 17 / 3 for i in range(len(HEAVY)))
    modified = (ResidueModification(22, -17.0265, ""), ResidueModification(1, 42.0106, "Acetyl"))
    full = replace(chains[0], modifications=modified, evidence=Evidence(depths, doubts))
    measured = MassRow(full.name, 1.0, 1.0, 49_000.5, "monoisotopic", 1.0, 0.0, "", 15.9949)
    full = replace(full, measured=measured)
    files = {path.stem: path for path in tables}
    listing = read_listing(files, 10, FULL.candidates)
    data = encode_chains(listing, FULL.step, [full, chains[1]])
    browser.open(drawn)
    found = browser.run(
        f"""(async () => {{
          const all = await Chains.read({{ textContent: {data!r} }});
          const own = [...views].slice(0, 2).map((view) => view.chain);
          const whole = all.chain(all.place[0]), view = massesView("", "");
          view.measured(...whole.measured);
          view.update(whole);
          const rows = [...view.element.querySelectorAll("tbody tr")].slice(1, 3);
          const written = rows.map(
            (row) => [...row.cells].map((c) => c.textContent.replace(",", "")));
          return [...[...own, whole].map((chain) => drawMap(chain, {columns})), written];
        }})()"""
    )
    *found, rows = found
    names = ["with the modifications written", "gaps by their own masses"]
    assert [name for name, *_ in rows] == names
    for (name, mono, average, difference, _), form in zip(
        rows, forms_of(full, None)[1:3], strict=True
    ):
        assert name == form.name
        assert float(mono) == pytest.approx(form.mass.monoisotopic, abs=0.006)
        assert float(average) == pytest.approx(form.mass.average, abs=0.006)
        off = float(difference.replace("−", "-"))
        assert off == pytest.approx(form.mass.monoisotopic - 49_000.5, abs=0.006)
    assert found == [draw(chain, columns) for chain in [*chains, full]]


def test_script_and_workflow_draw_the_same_logos(browser: Browser, drawn: Path) -> None:
    names = ("filled.fasta", "chains.tsv", "gaps.tsv", "residues.tsv")
    tables = [drawn.parent / "both" / name for name in names]
    heavy, light = read_chains(*tables)
    # Third and fourth choices, which the tables made here lack.
    more = [replace(r, others=(("K", 60 + r.position % 90), ("W", 49))) for r in heavy.residues]
    full = replace(heavy, residues=tuple(more))
    listing = read_listing({path.stem: path for path in tables}, 10, FULL.candidates)
    data = encode_chains(listing, FULL.step, [full, light])
    browser.open(drawn)
    found = browser.run(
        f"""(async () => {{
          const all = await Chains.read({{ textContent: {data!r} }});
          const chain = all.chain(all.place[0]);
          const logos = chain.gaps.filter((gap) => !gap.code).map((gap) => drawLogo(
            chain.residues.filter((r) => r.position >= gap.first && r.position <= gap.last)));
          return [...logos, drawLogo(chain.residues)];
        }})()"""
    )
    wanted = [draw_logo(full.residues_of(gap)) for gap in full.real_gaps]
    assert found == [*wanted, draw_logo(full.residues)] and len(full.residues) > LINE
    logos = "document.querySelector('.chain').querySelectorAll('.candidates tbody .logo').length"
    assert browser.run(logos) == len(wanted)


@pytest.mark.skipif(AXE is None, reason="no axe-core (make test installs it into .axe)")
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("page", ["drawn", "listed"])
def test_axe_finds_no_fault(
    browser: Browser, page: str, scheme: str, request: pytest.FixtureRequest
) -> None:
    assert AXE is not None
    browser.size(1280)
    browser.scheme(scheme)
    browser.open(request.getfixturevalue(page))
    if page == "listed":
        browser.run("document.querySelectorAll('.rows tr[data-row]')[1].click()")
    browser.run(f"{AXE.read_text(encoding='utf-8')};1")
    faults = browser.run(
        "axe.run(document).then((found) => found.violations.map((v) =>"
        " [v.impact, v.id, v.nodes.map((n) => n.html.slice(0, 200))]))"
    )
    assert faults == []


def test_another_candidate_changes_map_fasta_and_masses(browser: Browser, drawn: Path) -> None:
    browser.size(1280)
    browser.open(drawn)
    gap = "document.querySelectorAll('.chain .candidates tbody')[1]"  # of residues 51 to 57
    second, third = (
        browser.run(f"{gap}.querySelectorAll('.letters')[{rank}].textContent") for rank in (1, 2)
    )
    assert len(second) == 7 and second[:-1] == HEAVY[50:56] == third

    for rank, letters in ((1, second), (2, third), (0, HEAVY[50:57])):
        browser.run(f"{gap}.querySelectorAll('input')[{rank}].click()")
        changed = HEAVY[:50] + letters + HEAVY[57:]
        assert browser.run(LETTERS)[0] == changed
        assert sequences(browser.run(FASTA)) == [changed, LIGHT]
        _, mono, average = browser.run(MASSES)
        for text, is_average in ((mono, False), (average, True)):
            wanted = pyteomics_mass.calculate_mass(sequence=changed, average=is_average)
            assert float(text.replace(",", "")) == pytest.approx(wanted, abs=0.006)
        whole = browser.run("document.querySelector('.whole tbody').rows[0].cells[1].textContent")
        bonds = changed.count("C") + LIGHT.count("C")
        wanted = 2 * sum(
            pyteomics_mass.calculate_mass(sequence=s, average=True) for s in (changed, LIGHT)
        )
        wanted -= bonds * pyteomics_mass.calculate_mass(formula="H2", average=True)
        wanted -= 2 * pyteomics_mass.calculate_mass(formula="NH3", average=True)
        assert float(whole.replace(",", "")) == pytest.approx(wanted, abs=0.05)
        # What was chosen is marked, and the regions keep covering the chain.
        chosen = browser.run("document.querySelectorAll('.map .b.chosen').length")
        assert (chosen > 0) == (rank > 0)
        bands = browser.run("[...views][0].current.bands.map((b) => [b[1], b[2]])")
        assert bands[0][0] == 1 and bands[-1][1] == len(changed)
        assert all(one[1] + 1 == two[0] for one, two in pairwise(bands))


def test_candidates_are_chosen_by_keyboard(browser: Browser, drawn: Path) -> None:
    browser.size(1280)
    browser.open(drawn)
    gap = "document.querySelectorAll('.chain .candidates tbody')[1]"
    letters = browser.run(f"[...{gap}.querySelectorAll('.letters')].map((e) => e.textContent)")
    browser.run(f"{gap}.querySelector('input').focus()")
    for rank in (1, 2):
        browser.press("ArrowDown")
        assert browser.run(f"{gap}.querySelectorAll('input')[{rank}].checked")
        assert sequences(browser.run(FASTA))[0] == HEAVY[:50] + letters[rank] + HEAVY[57:]
    # Everything that can be used is reached by Tab, and shows that it is.
    names = set()
    for _ in range(12):
        browser.press("Tab")
        names.add(browser.run("document.activeElement.tagName"))
        shown = browser.run("getComputedStyle(document.activeElement).outlineStyle")
        assert shown != "none"
    assert {"INPUT", "DIV"} <= names


def test_fasta_in_lower_case_and_masked(browser: Browser, drawn: Path) -> None:
    browser.open(drawn)
    style = "document.querySelector('.fasta-tools select')"
    residues = browser.run("[...views][0].chain.residues.map((r) => [r.position, r.p])")
    for name, change in (
        ("lower", lambda letter, p: letter.lower()),
        ("masked", lambda letter, p: "X" if p < 500 else letter),
    ):
        browser.run(f"{style}.value = {name!r}; {style}.dispatchEvent(new Event('change'))")
        if name == "masked":
            browser.write(".fasta-tools input[type=number]", "0.5")
        wanted = list(HEAVY)
        for position, p in residues:
            wanted[position - 1] = change(wanted[position - 1], p)
        assert sequences(browser.run(FASTA))[0] == "".join(wanted)


def test_a_measured_mass_is_compared(browser: Browser, drawn: Path) -> None:
    """Differences are those of masses.tsv: of the chain less the measured mass."""
    browser.open(drawn)
    mass = pyteomics_mass.calculate_mass(sequence=HEAVY, average=True)
    browser.write(".chain .masses input", f"{mass + 10:,.2f}")
    rows = browser.run(
        "[...document.querySelector('.chain .masses tbody').rows].map((r) =>"
        " [...r.cells].map((c) => c.textContent))"
    )
    of = {row[0]: [float(text.replace("\N{MINUS SIGN}", "-")) for text in row[3:]] for row in rows}
    assert rows[0][0] == "reduced" and of["reduced"][0] == pytest.approx(-10, abs=0.02)
    assert of["reduced"][1] == pytest.approx(-1e6 * 10 / (mass + 10), abs=0.5)
    assert of["N-terminal pyroglutamate"][0] == pytest.approx(-27.03, abs=0.02)


@pytest.mark.parametrize(
    ("text", "mass"),
    [
        ("49156.9", 49156.9),
        ("49,156.9", 49156.9),
        ("49 156.9", 49156.9),
        ("49,156", 49156.0),
        ("145,423,100", 145423100.0),
        ("49156,9", 49156.9),
        ("49156,907", 49156.907),
        ("49.156,9", 49156.9),
        ("49'156.9", 49156.9),
        ("heavy", 0),
        ("4,9156,9", 0),
        ("", 0),
    ],
)
def test_a_measured_mass_is_read_as_people_write_it(
    browser: Browser, drawn: Path, text: str, mass: float
) -> None:
    browser.open(drawn)
    assert browser.run(f"massIn({{ value: {json.dumps(text)} }})") == mass


def test_a_measured_mass_of_the_antibody_is_compared(browser: Browser, drawn: Path) -> None:
    browser.open(drawn)
    texts = "[...document.querySelectorAll('.whole td')].map((c) => c.textContent)"
    mass = float(browser.run(texts)[0].replace(",", ""))
    browser.write(".whole + .tools input", f"{mass + 5:.2f}")
    assert browser.run(texts)[0].endswith(" (\N{MINUS SIGN}5.0)")


def test_an_exported_map_stands_alone(browser: Browser, drawn: Path) -> None:
    browser.open(drawn)
    svg = browser.run("standalone([...views][0].chain)")
    assert svg.startswith("<svg") and "--p1: #" in svg and "prefers-color-scheme" not in svg
    size = browser.run(
        f"""(async () => {{
          const picture = new Image();
          picture.src = `data:image/svg+xml,${{encodeURIComponent({json.dumps(svg)})}}`;
          await picture.decode();
          const canvas = make("canvas", {{ width: picture.width, height: picture.height }});
          const context = canvas.getContext("2d");
          context.drawImage(picture, 0, 0);
          const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
          return [picture.width, pixels.filter((v, i) => i % 4 === 0 && v < 128).length];
        }})()"""
    )
    assert size[0] == 52 + 60 * 15 + 4 and size[1] > 5000


# --- chains that are listed ----------------------------------------------------------------------

COLUMN = "[...document.querySelectorAll('.rows tr[data-row]')].map((r) => r.cells[{}].textContent)"
NAMES_SHOWN = COLUMN.format(0)


def test_the_table_is_sorted_by_its_headers(browser: Browser, listed: Path) -> None:
    browser.size(1280)
    browser.open(listed)
    assert browser.run(NAMES_SHOWN)[:3] == ["c000000", "c000001", "c000002"]
    for title, cell, kind in (("Length", 4, int), ("V segment", 2, str), ("Least p", 8, float)):
        head = (
            "[...document.querySelectorAll('.rows thead th')].find((h) =>"
            f" h.textContent.startsWith({title!r}))"
        )
        for order, way in ((False, "ascending"), (True, "descending")):
            browser.run(f"{head}.firstChild.click()")
            values = [kind(text) for text in browser.run(COLUMN.format(cell))]
            assert len(values) > 10 and values == sorted(values, reverse=order)
            assert browser.run(f"{head}.getAttribute('aria-sort')") == way


def test_the_table_is_searched_by_id_segment_and_motif(browser: Browser, listed: Path) -> None:
    browser.open(listed)
    found = "document.querySelector('.work.list .said').textContent"
    fasta = (listed.parent / "listed" / "filled.fasta").read_text(encoding="utf-8")
    rows = (listed.parent / "listed" / "chains.tsv").read_text(encoding="utf-8").splitlines()[1:]
    motif = sequences(fasta)[7][95:101]
    for query, n in (
        ("c0000", 100),
        ("C000123", 1),
        ("ighv3", sum("IGHV3" in row for row in rows)),
        (motif, sum(motif in sequence for sequence in sequences(fasta))),
        ("no such chain", 0),
        ("", N_LISTED),
    ):
        browser.write("input[type=search]", query)
        assert browser.run(found) == f"{n} of {N_LISTED} chains"
        assert len(browser.run(NAMES_SHOWN)) >= min(n, 10)


def test_the_table_is_used_by_keyboard(browser: Browser, listed: Path) -> None:
    browser.size(1280)
    browser.open(listed)
    at = "document.querySelector('.rows tr.at')?.cells[0].textContent"
    browser.run("document.querySelector('.rows').focus()")
    for key, name in (
        ("ArrowDown", "c000000"),
        ("ArrowDown", "c000001"),
        ("ArrowUp", "c000000"),
        ("End", f"c{N_LISTED - 1:06}"),
        ("Home", "c000000"),
    ):
        browser.press(key)
        assert browser.run(at) == name
    browser.press("PageDown")
    browser.press("Enter")
    name = browser.run(at)
    assert browser.run("document.querySelector('.work.list h3 .name').textContent") == name
    fasta = (listed.parent / "listed" / "filled.fasta").read_text(encoding="utf-8")
    records = dict(re.findall(r">(\S+) made\n(\w+)\n", fasta))
    assert browser.run(LETTERS) == [records[name]]
    second = browser.run(
        "(() => { const gap = document.querySelectorAll('.candidates tbody')[1];"
        " gap.querySelectorAll('input')[1].click();"
        " return gap.querySelectorAll('.letters')[1].textContent; })()"
    )
    changed = records[name][:99] + second + records[name][103:]
    assert browser.run(LETTERS) == [changed]
    mass = pyteomics_mass.calculate_mass(sequence=changed, average=True)
    assert float(browser.run(MASSES)[2].replace(",", "")) == pytest.approx(mass, abs=0.006)


def test_far_rows_are_drawn_when_they_are_scrolled_to(browser: Browser, listed: Path) -> None:
    browser.open(listed)
    assert len(browser.run(NAMES_SHOWN)) < 60
    browser.run(
        "new Promise((done) => { const rows = document.querySelector('.rows');"
        " rows.addEventListener('scroll', () => setTimeout(done), { once: true });"
        " rows.scrollTop = 200 * 30; })"
    )
    shown = browser.run(NAMES_SHOWN)
    assert "c000205" in shown and "c000000" not in shown


@pytest.mark.slow
def test_a_page_of_100_000_chains(
    browser: Browser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = page_module.MAX_LISTED
    some = [germline_chain("HKL"[i % 3], i) for i in range(500)]
    chains = [(some[i * 7 % 500], [(i % 40, i % 40 + 1 + i % 6)]) for i in range(n)]
    tables = write_tables(folder / "many", chains)
    out = folder / "many.html"
    write_report([ReportFiles("many", tables)], out)
    assert out.stat().st_size < 10_000_000
    browser.errors.clear()
    browser.open(out)
    browser.write("input[type=search]", "c09999")
    assert browser.run("document.querySelector('.work.list .said').textContent") == (
        "10 of 100,000 chains"
    )
    browser.run("document.querySelectorAll('.rows tr[data-row]')[4].click()")
    assert browser.run("document.querySelector('.work.list h3 .name').textContent") == "c099994"
    assert browser.run(LETTERS) == [some[99_994 * 7 % 500]]
    assert browser.errors == []
