"""The documentation is up to date: generated tables, rows of real runs, pictures, pages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import pictures
import pytest
import reference
import yaml

from documents import alike
from lacuna.core import tables
from lacuna.core.tsv import Table
from lacuna.reads.recognition import tool_names

ROOT = reference.ROOT
OUTPUTS = ROOT / "docs" / "reference" / "outputs.md"
FORMATS = ROOT / "docs" / "reference" / "formats.md"
PARTS = [
    (path, name, body)
    for path in reference.PAGES
    for _, name, body in reference.parts(path.read_text(encoding="utf-8"))
    if not reference.needs_run(name)  # tests/workflow/test_readme.py compares these
]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PICTURES = sorted((ROOT / "docs" / "pictures").iterdir())


def needs_filling(name: str) -> bool:
    return name.startswith(("rows of", "filled"))


@pytest.mark.parametrize(
    ("path", "name", "body"),
    [
        pytest.param(*part, id=part[1], marks=[pytest.mark.slow] if needs_filling(part[1]) else [])
        for part in PARTS
    ],
)
def test_a_generated_part_is_up_to_date(path: Path, name: str, body: str) -> None:
    """If this fails, run `make docs`."""
    made = reference.generated(name, ROOT / "results")
    if needs_filling(name):
        assert alike(made, body), f"run `make docs`, which makes:\n{made}"
    else:
        assert made.strip().splitlines() == body.strip().splitlines(), "run `make docs`"


def test_every_table_has_its_columns_and_rows_under_its_heading() -> None:
    all_tables = [x for x in vars(tables).values() if isinstance(x, Table)]
    written = [table for table in all_tables if table is not tables.SCORED_TABLE]
    assert len(written) == len(reference.TABLES), "name it in TABLES of docs/tools/reference.py"
    sections = re.split(r"^## ", OUTPUTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for table in written:
        own = [s for s in sections if re.match(rf"`{{sample}}/(\w+/)?{table.name}`", s)]
        assert len(own) == 1, f"{OUTPUTS} needs a section '## `{{sample}}/{table.name}`: ...'"
        for part in (f"columns of {table.name}", f"rows of {table.name}"):
            assert f"<!-- generated: {part} -->" in own[0]


def test_every_flag_is_in_the_reference() -> None:
    section = OUTPUTS.read_text(encoding="utf-8").partition("### Flags\n")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert told == set(tables.Flag), f"{OUTPUTS}, Flags, has others than lacuna/core/tables.py"


def test_every_key_and_column_is_in_the_reference() -> None:
    for name in ("config", "sheet"):
        text = {"config": reference.config, "sheet": reference.sheet}[name]()
        schema = yaml.safe_load(reference.SCHEMAS[name].read_text(encoding="utf-8"))
        for key, told in schema["properties"].items():
            assert re.search(rf"^\| `{key}:?` \|", text, re.MULTILINE), key
            for inner in told.get("properties", ()):
                assert f"| `{key}.{inner}` |" in text
    assert "| `seed` | whole number, 0 to 4,294,967,295 | `0` |" in reference.config()


def test_every_tool_whose_peptides_are_read_is_in_the_reference() -> None:
    section = FORMATS.read_text(encoding="utf-8").partition("## Peptide reads\n")[2]
    section = section.partition("\n## ")[0]
    columns = re.findall(r"^\| [^|]+ \| ([^|]+) \|", section.partition("\n\nPeptides ")[0], re.M)
    others = re.search(r"without confidences\s+\(([^)]+)\)", section)
    assert others is not None
    named = re.findall(r"`(\w+)`", " ".join([*columns[1:], others[1]]))
    differing = set(named) ^ set(tool_names())
    assert not differing, f"in {FORMATS} (Peptide reads), or in lacuna/reads, alone: {differing}"
    assert len(named) == len(set(named))


def test_every_picture_is_shown_with_words_for_it() -> None:
    shown = {}
    for page in PAGES:
        for words, link in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text("utf-8")):
            shown[(page.parent / link).resolve()] = words
    assert set(PICTURES) <= set(shown)
    assert all(path.is_file() and len(words) > 30 for path, words in shown.items())


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_small_and_stands_alone(path: Path) -> None:
    assert path.stat().st_size < 200_000
    if path.suffix == ".svg":
        text = path.read_text(encoding="utf-8")
        assert re.search(r'fill="#fff"|fill: #ffffff', text)  # a ground of its own
        links = re.findall(r'(?:href|src)="([^"]+)"|url\(([^)]+)\)', text)
        assert all(target.startswith("#") for pair in links for target in pair if target)


@pytest.mark.parametrize("name", ["accuracy", "calibration"])
def test_a_figure_is_that_of_its_table(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, run `make pictures`."""
    monkeypatch.setattr(pictures, "PICTURES", tmp_path)
    file = {"accuracy": "peers.svg", "calibration": "calibration.svg"}[name]
    with matplotlib.rc_context(pictures.STYLE):
        pictures.save(file, getattr(pictures, name)())
    drawn = (tmp_path / file).read_text(encoding="utf-8")
    assert drawn == (ROOT / "docs" / "pictures" / file).read_text(encoding="utf-8")


def test_the_rules_are_drawn_from_left_to_right() -> None:
    graph = """
	id0[all]
	id1[fill_gaps]
	id2[write_kmers]
	id3[write_report]
	id1 --> id0
	id3 --> id0
	id2 --> id1
	id1 --> id3
	id2 --> id3
"""
    (axes,) = pictures.rules(graph).axes
    places = {t.get_text(): t.get_position()[0] for t in axes.texts if t.get_text()}
    assert places == {"write\nkmers": 0, "fill\ngaps": 1, "write\nreport": 2}
    arrows = [t for t in axes.texts if not t.get_text()]
    assert len(arrows) == 2  # write_kmers is needed by write_report by way of fill_gaps


@pytest.mark.slow
def test_a_chain_is_drawn_before_and_after() -> None:
    chain = pictures.filled(pictures.TOP_DOWN / "cleavages.fasta")
    before = pictures.as_scaffold(chain)
    assert before.sequence[26:34] == "X" * 8 and before.sequence[1] == "J"
    assert (chain.sequence[26:34], chain.sequence[1]) == ("QDISSYLN", "I")
    drawn = pictures.maps({"one": before, "two": chain})
    assert drawn.count('<rect class="b p4"') == 13  # the missing residues, open before
    assert drawn.index(">one<") < drawn.index(">two<")
    assert len(pictures.beginning(chain, 50).sequence) == 50


def test_the_pages_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    command += ["--config-file", "docs/tools/mkdocs.yml", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert {"top-down.html", "CONTRIBUTING.html", "config.html"} <= {page.name for page in pages}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)\b[^>]*\bsrc=\"?([^\s\">]+)", text)
        loaded += re.findall(r"<link\b[^>]*rel=\"?stylesheet[^>]*href=\"?([^\s\">]+)", text)
        assert loaded and not [x for x in loaded if re.match(r"\w+:|//", x)]
