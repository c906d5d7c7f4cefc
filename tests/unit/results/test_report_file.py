"""The report as a file: bounded, escaped, self-contained, and whole or not at all."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from lacuna.core.files import LacunaError
from lacuna.results import streams
from lacuna.results.report import MAX_ROWS, ReportFiles, write_report
from lacuna.results.report.gaps import UNCERTAIN_GAPS
from report_page import COLUMNS, ORDINARY, Make, Page, Rows, gap, maker, residue, score


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    return maker(tmp_path, monkeypatch)


# --- long lists, large tables --------------------------------------------------------------------


def test_no_list_is_long_and_what_is_left_out_is_counted(make: Make) -> None:
    tables: dict[str, Rows] = {
        "accuracy": [score("gap_length", str(i)) for i in range(1, 1 + MAX_ROWS + 7)] + [score()],
        "gaps": [gap(f"c{i:03}", 1, 0.9 - i / 1000) for i in range(300)],
        "residues": [residue(f"c{i:03}", 1, "A", 0.5) for i in range(300)],
        "rejected": [(f"r{i}", i, "", "why") for i in range(MAX_ROWS + 70)],
    }
    page = Page(make({"s": tables}))
    assert len(page.table("By gap length")) == MAX_ROWS and "And 7 more rows." in page.text
    gaps = page.table(f"The {UNCERTAIN_GAPS} gaps")
    assert [row[0] for row in gaps] == [f"c{299 - i:03}" for i in range(UNCERTAIN_GAPS)]
    assert f"And {300 - UNCERTAIN_GAPS} more gaps." in page.text
    rejected = page.table("Records that could not be used")
    assert [row[0] for row in rejected] == [f"r{i}" for i in range(MAX_ROWS)]
    assert "And 70 more records." in page.text


def test_no_more_samples_than_rows(make: Make) -> None:
    page = Page(make({f"s{i}": {} for i in range(MAX_ROWS + 2)}))
    assert len(page.table("All samples")) == MAX_ROWS
    assert "And 2 more samples." in page.text


@pytest.mark.slow
def test_the_page_does_not_grow_with_the_sample(make: Make) -> None:
    def tables(n: int) -> dict[str, Rows]:
        return {
            "accuracy": [score(), *(score("chain", f"c{i:05}") for i in range(n))],
            "gaps": [gap(f"c{i:05}", 1, 0.5) for i in range(n)],
            "residues": [residue(f"c{i:05}", 1, "A", 0.5, "A") for i in range(n)],
            "rejected": [(f"r{i:05}", 1, "", "why") for i in range(n)],
        }

    small = make({"s": tables(100)}).stat().st_size
    assert make({"s": tables(5000)}).stat().st_size < small + 200


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_it_does_not_matter_in_what_pieces_the_tables_are_read(
    make: Make, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    many = ORDINARY | {
        "gaps": [
            gap(f"c{i // 6:02}", 1 + i // 3 % 2, p / (i % 3 + 1), i % 3 + 1, "ACDEF"[i % 3 :])
            for i, p in enumerate([0.5, 0.9, 0.3, 0.3, 0.7] * 30)
        ],
        "residues": [residue(f"c{i // 6:02}", 1 + i // 3 % 2, "A", 0.5) for i in range(150)],
    }
    whole = make({"s": many}).read_bytes()
    monkeypatch.setattr(streams, "CHUNK_ROWS", rows)
    assert make({"s": many}).read_bytes() == whole
    assert b"c24" in whole and b"CDEF 0." in whole  # a runner-up was found


# --- the page itself -----------------------------------------------------------------------------
# The constants of the script, and the script.

SCRIPTS: list[dict[str, str | None]] = [{"type": "application/json", "id": "constants"}, {}]

NASTY = "<script>alert('\"&\"')</script>"


def test_text_of_the_input_is_escaped(make: Make) -> None:
    tables: dict[str, Rows] = {
        "accuracy": [score(), score(method=NASTY), score("region", NASTY)],
        "gaps": [
            gap(NASTY, 1, 0.5, 1, NASTY),
            gap(NASTY, 1, 0.1, 2, NASTY),
            (NASTY, 2, NASTY, NASTY, 1, "", 0.5, NASTY, "", "", NASTY, *[NASTY] * 4, ""),
        ],
        "residues": [residue(NASTY, 1, NASTY, 0.5, NASTY + "?")],
        "rejected": [(NASTY, 7, 3, NASTY)],
    }
    page = Page(make({NASTY: tables}))
    assert [a for tag, a in page.elements if tag == "script"] == SCRIPTS
    assert page.text.count(NASTY) >= 15
    assert page.table("All samples")[0][0] == NASTY


def test_an_id_with_quotes_is_the_same_in_every_table(make: Make) -> None:
    name = 'mab "7"'
    tables: dict[str, Rows] = {
        "gaps": [gap(name, 1, 0.5, 1, "A")],
        "residues": [residue(name, 1, "A", 0.5, "C")],
    }
    row = Page(make({"s": tables})).table("The one gap")[0]
    assert (row[0], row[5]) == (name, "AC")


def test_what_cannot_be_seen_is_spelt(make: Make) -> None:
    """Escape sequences, and marks that change the direction of writing."""
    rejected = [("\x1b[31mred\u202eder", 1, "", "x:1: '\x1b]0;title\x07' has none")]
    row = Page(make({"s": {"rejected": rejected}})).table("Records")[0]
    assert row[0] == r"\x1b[31mred\u202eder" and row[3] == r"x:1: '\x1b]0;title\x07' has none"


def test_long_ids_and_reasons_are_cut(make: Make) -> None:
    tables: dict[str, Rows] = {"rejected": [("c" * 5000, 1, "", "r" * 5000)]}
    row = Page(make({"s": tables})).table("Records")[0]
    assert row[0] == "c" * 400 + "…" and row[3] == "r" * 400 + "…"


def test_nothing_is_loaded_from_elsewhere_and_nothing_else_runs(make: Make) -> None:
    path = make({"ordinary": ORDINARY})
    page = Page(path)
    assert not {tag for tag, _ in page.elements} & {"img", "iframe", "object", "form"}
    assert [a for tag, a in page.elements if tag == "script"] == SCRIPTS
    links = [a[k] or "" for _, a in page.elements for k in ("href", "src") if k in a]
    assert links and all(link.startswith("#") or link == "data:," for link in links)
    html = path.read_text(encoding="utf-8")
    markup = re.sub(r"<script>.*</script>", "", html, flags=re.DOTALL)
    assert not re.search(r"https?:|@import|url\(|\bon\w+=|\bstyle=|" + str(path.parent), markup)
    (policy,) = [a["content"] or "" for _, a in page.elements if "http-equiv" in a]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for kind in ("style", "script"):
        text = html.partition(f"<{kind}>")[2].partition(f"</{kind}>")[0]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy


def test_tables_have_captions_and_headers_and_links_lead_somewhere(make: Make) -> None:
    page = Page(make({"a": ORDINARY, "b": ORDINARY}))
    assert len(page.tables) == 1 + 2 * 7
    assert all(text.strip() for text in page.captions)
    for table in page.tables:
        assert len({len(row) for row in table}) == 1
    headers = [a for tag, a in page.elements if tag == "th"]
    assert {a.get("scope") for a in headers} == {"col", "row"}
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {(a["href"] or "")[1:] for tag, a in page.elements if tag == "a"}
    targets |= {a["aria-labelledby"] or "" for _, a in page.elements if "aria-labelledby" in a}
    assert targets <= set(ids)


def test_the_same_tables_give_the_same_bytes(make: Make) -> None:
    assert make({"s": ORDINARY}).read_bytes() == make({"s": ORDINARY}).read_bytes()


# --- faults --------------------------------------------------------------------------------------


def test_a_table_without_a_column_is_named(make: Make, tmp_path: Path) -> None:
    out = make({"s": ORDINARY})
    before = out.read_bytes()
    paths = {name: tmp_path / "0" / f"{name}.tsv" for name in COLUMNS}
    files = [ReportFiles("s", paths | {"filled": tmp_path / "0" / "filled.fasta"})]
    paths["gaps"].write_text("chain\tgap\n", encoding="utf-8")
    with pytest.raises(LacunaError, match=r"gaps\.tsv: is not a table with the columns chain, gap"):
        write_report(files, out)
    paths["gaps"].unlink()
    with pytest.raises(LacunaError, match=r"gaps\.tsv"):
        write_report(files, out)
    assert out.read_bytes() == before


def test_a_wrong_number_is_named(make: Make) -> None:
    row = list(score())
    row[6] = "much"
    with pytest.raises(LacunaError, match=r"accuracy\.tsv: has a row with a wrong number.*much"):
        make({"s": {"accuracy": [row]}})
