"""The report page: what it says, what it leaves out, and that it is self-contained."""

import base64
import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.core.files import LacunaError
from lacuna.core.tables import ACCURACY_TABLE, CHAIN_TABLE, GAP_TABLE, REJECTED_TABLE, RESIDUE_TABLE
from lacuna.results import streams
from lacuna.results.report import MAX_ROWS, ReportFiles, calibration, write_report
from lacuna.results.report import page as page_module
from lacuna.results.report.gaps import UNCERTAIN_GAPS
from lacuna.results.report.words import imgt_span, percent

COLUMNS = {
    "accuracy": ACCURACY_TABLE.names,
    "gaps": GAP_TABLE.names,
    "residues": RESIDUE_TABLE.names,
    "chains": CHAIN_TABLE.names,
    "rejected": REJECTED_TABLE.names,
}
VOID = {"meta", "link", "br", "wbr", "line", "circle"}

Rows = Iterable[Sequence[object]]
Make = Callable[..., Path]


class Page(HTMLParser):
    """Elements and text of a page; fails if elements are not closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.captions: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert self._open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
            self.captions.append("")
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open or "script" in self._open:
            return
        if self.elements and self.elements[-1][0] == "wbr":  # a place to break at is within a word
            self.words[-1] += data
        else:
            self.words.append(data)
        if "caption" in self._open:
            self.captions[-1] += data
        elif "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data

    def table(self, caption: str) -> list[list[str]]:
        """The rows below the header of the only table whose caption begins like this."""
        found = [i for i, text in enumerate(self.captions) if text.startswith(caption)]
        assert len(found) == 1, self.captions
        return self.tables[found[0]][1:]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Write the tables of samples, each a mapping of rows by table, and the report on them.

    A sample's chains are those of its gaps, unless it says others. None is drawn or listed here:
    test_report_chains.py is about that.
    """
    monkeypatch.setattr(page_module, "MAX_DRAWN", 0)
    monkeypatch.setattr(page_module, "MAX_LISTED", 0)

    def make_report(samples: dict[str, dict[str, Rows]]) -> Path:
        files = []
        for i, (sample, tables) in enumerate(samples.items()):
            tables = {"chains": chains_of(tables)} | tables
            (tmp_path / str(i)).mkdir(exist_ok=True)
            paths = {"filled": tmp_path / str(i) / "filled.fasta"}
            paths["filled"].touch()
            for name in COLUMNS:
                path = tmp_path / str(i) / f"{name}.tsv"
                with open(path, "w", newline="", encoding="utf-8") as handle:
                    writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
                    writer.writerow(COLUMNS[name])
                    writer.writerows(tables.get(name, []))
                paths[name] = path
            files.append(ReportFiles(sample, paths))
        out = tmp_path / "report.html"
        write_report(files, out)
        return out

    return make_report


def chain(
    name: object,
    *,
    gaps: int = 0,
    open: int = 0,
    filled: int = 0,
    codes: int = 0,
    length: int = 120,
) -> tuple[object, ...]:
    """A row of chains.tsv for a heavy chain whose gaps are filled with `filled` residues."""
    return (
        name,
        "H",
        "human",
        "V",
        "J",
        "",
        length,
        filled + open,
        filled,
        gaps,
        open,
        codes,
        codes,
        0,
        "",
        *(0, 0),
    )


def chains_of(tables: dict[str, Rows]) -> Rows:
    """Rows of chains.tsv for the gaps and residues of a sample."""
    gaps = [row for row in tables.get("gaps", []) if row[4] == 1]
    residues = [row[0] for row in tables.get("residues", [])]
    return [
        chain(
            name,
            gaps=sum(row[0] == name for row in gaps),
            open=sum(row[0] == name and row[5] == "" for row in gaps),
            filled=residues.count(name),
        )
        for name in dict.fromkeys([*(row[0] for row in gaps), *residues])
    ]


def score(
    scope: str = "overall",
    value: str = "all",
    method: str = "lacuna",
    right: int = 90,
    n: int = 100,
    protocol: str = "scaffold",
    width: float = 0.05,
    mean: str = "",
    ece: str = "",
) -> tuple[object, ...]:
    share = right / n
    low, high = max(share - width, 0.0), min(share + width, 1.0)
    return (
        *(scope, value, method, protocol, n, right, f"{share:.4f}", f"{low:.4f}", f"{high:.4f}"),
        *(n // 5, right // 6, mean, ece),
    )


def gap(
    chain: str,
    number: int,
    probability: float,
    rank: int = 1,
    candidate: str = "ACDEF",
    code: str = "",
) -> tuple[object, ...]:
    start = 10 * number
    first, last = start + 1, start + len(candidate)
    return (
        *(chain, number, start, last, rank, candidate, probability),
        *(len(candidate), "500.1", "", "filled", first, last, f"{first + 2}", "111A", code),
    )


def residue(
    chain: str, number: int, letter: str, probability: float, truth: str = "", code: str = ""
) -> tuple[object, ...]:
    told = (letter, f"{probability:.4f}", "S:0.08", "A", "FR1", truth)
    return (chain, 1, number, *told, "7", 0, code)


ORDINARY: dict[str, Rows] = {
    "accuracy": [
        score(method="germline_copy", right=80),
        score(mean="0.8900", ece="0.0210"),
        score(method="seed_lstm", right=20, protocol="true_context"),
        score("region", "CDR3", right=6, n=15),
        score("region", "CDR3", "germline_copy", right=3, n=15),
        score("region", "FR1", right=84, n=85),
        score("gap_length", "12", right=60, n=60),
        score("gap_length", "3", right=30, n=40),
        score("locus", "H"),
        score("chain", "mab1"),
    ],
    "gaps": [
        gap("mab1", 1, 0.9),
        gap("mab1", 1, 0.05, 2, "ACDEY"),
        gap("mab1", 2, 0.2, 1, "WW"),
        gap("mab1", 2, 0.1, 2, "WY"),
        gap("mab2", 1, 0.5, 1, "KL"),
        ("mab2", 2, 40, 41, 1, *[""] * 5, "no_length_fits_mass", 41, 41, "", "", ""),
    ],
    "residues": [
        *(residue("mab1", 1, letter, 0.98, letter) for letter in "ACDEF"),
        residue("mab1", 2, "W", 0.97, "W"),
        residue("mab1", 2, "W", 0.21, "Y"),
        residue("mab2", 1, "K", 0.7),
        residue("mab2", 1, "L", 0.7),
    ],
    "rejected": [("bad", 14, 27, "x.fasta:14: 'bad' has 'O' at column 27; write X")],
}


# --- what it says --------------------------------------------------------------------------------


def test_counts_of_a_sample(make: Make) -> None:
    page = Page(make({"ordinary": ORDINARY}))
    overview = page.table("All samples")
    assert overview == [
        ["ordinary", "2", "0", "4", "9", "3", "0", "1"]
        + ["90.0 (85.0 to 95.0)", "80.0, germline copy"]
    ]
    assert "1 gap left open: no number of residues has its mass." in page.text
    assert "Gaps 3 of 4 filled 0 sure, 2 likely, 1 unsure, 1 left open" in page.text
    assert "Check before ordering a gene 3 residues" in page.text


def test_the_model_stands_first_and_each_method_with_its_protocol(make: Make) -> None:
    rows = Page(make({"ordinary": ORDINARY})).table("Residues of gaps whose truth is known")
    assert [row[0] for row in rows] == ["Lacuna", "Germline copy", "Tutorial LSTM, true context"]
    assert rows[0][1:] == ["90.0", "85.0 to 95.0", "90 of 100", "15 of 20", "0.890", "0.021"]
    assert rows[1][5:] == ["", ""]


def test_breakdowns_are_sorted_along_the_chain_and_by_number(make: Make) -> None:
    page = Page(make({"ordinary": ORDINARY}))
    regions = page.table("By region")
    assert [(row[0], row[1], row[3], row[4]) for row in regions] == [
        ("FR1", "85", "98.8", ""),
        ("CDR3", "15", "40.0", "20.0"),
    ]
    assert [row[0] for row in page.table("By gap length")] == ["3", "12"]
    assert [row[0] for row in page.table("By locus")] == ["H"]
    assert "By chain" not in page.text


def test_marks_are_drawn_at_their_shares(make: Make) -> None:
    page = Page(make({"ordinary": ORDINARY}))
    dots = [a for tag, a in page.elements if tag == "circle" and a.get("cy") == "50%"]
    assert [dot["cx"] for dot in dots[:3]] == ["90%", "80%", "20%"]
    assert ["model" in (dot["class"] or "") for dot in dots[:3]] == [True, False, False]
    intervals = [a for tag, a in page.elements if tag == "line" and "ci" in (a["class"] or "")]
    assert (intervals[0]["x1"], intervals[0]["x2"]) == ("85%", "95%")


def test_the_least_certain_gaps_come_first_with_their_truth(make: Make) -> None:
    path = make({"ordinary": ORDINARY})
    rows = Page(path).table("The 3 gaps")
    assert [row[:5] for row in rows] == [
        ["mab1", "21–22", "23–111A", "2", "0.2"],
        ["mab2", "11–12", "13–111A", "2", "0.5"],
        ["mab1", "11–15", "13–111A", "5", "0.9"],
    ]
    assert [row[5] for row in rows] == ["WW·Y", "KL", "ACDEF"]
    assert [row[6] for row in rows] == ["WY 0.1", "", "ACDEY 0.05"]
    html = path.read_text(encoding="utf-8")
    assert '<span class="s2 wrong" title="W 0.21, in truth Y">W</span>' in html
    assert "And 1 more gap." in Page(path).text


@pytest.mark.parametrize(
    ("baseline", "width", "words"),
    [
        (80, 0.02, "10.0 points above the best baseline, germline copy."),
        (80, 0.06, "10.0 points above the best baseline, germline copy, which may be chance"),
        (99, 0.02, "9.0 points below the best baseline, germline copy."),
        (90, 0.02, "The best baseline, germline copy, does just as well."),
    ],
)
def test_it_says_whether_the_model_is_better(
    make: Make, baseline: int, width: float, words: str
) -> None:
    rows = [score(width=width), score(method="germline_copy", right=baseline, width=width)]
    page = Page(make({"s": ORDINARY | {"accuracy": rows}}))
    assert words in page.text


@pytest.mark.parametrize(
    ("right", "mean", "ece", "words"),
    [
        (90, "0.9200", "0.0200", "can be taken at face value (off by 2.0 points on average)"),
        (60, "0.9200", "0.3200", "It is overconfident: it expects 92.0 %"),
        (90, "0.6000", "0.3000", "It is underconfident: it expects 60.0 %"),
        (90, "0.9000", "0.2000", "off by 20.0 points in both directions"),
    ],
)
def test_it_says_what_probabilities_are_worth(
    make: Make, right: int, mean: str, ece: str, words: str
) -> None:
    rows = [score(right=right, mean=mean, ece=ece)]
    assert words in Page(make({"s": ORDINARY | {"accuracy": rows}})).text


def test_it_names_the_weakest_region_and_warns_of_few_residues(make: Make) -> None:
    page = Page(make({"s": ORDINARY}))
    assert "It is weakest in CDR3: 40.0 % of 15 residues." in page.text
    assert "more than a hint" not in page.text
    few = ORDINARY | {"accuracy": [score(right=9, n=10)]}
    assert "With 10 residues, none of this is more than a hint." in Page(make({"s": few})).text


def test_a_share_is_rounded_once(make: Make) -> None:
    """378 of 408 are 92.647 %; the table has 0.9265, which would be 92.7."""
    page = Page(make({"s": ORDINARY | {"accuracy": [score(right=378, n=408)]}}))
    assert "378 are right: 92.6 %" in page.text


def test_a_calibration_of_few_residues_says_how_few(make: Make) -> None:
    few, enough = (
        Page(make({"s": ORDINARY | {"residues": [residue("a", 1, "A", 0.95, "A")] * n}})).text
        for n in (99, 100)
    )
    assert "With 99 residues, the plot says little of what a probability means." in few
    assert "it is off by" in enough and "the plot says little" not in enough


def test_of_sure_residues_those_with_a_truth_are_counted(make: Make) -> None:
    residues = [residue("a", 1, "A", 0.95, "A")] * 3 + [residue("a", 1, "A", 0.99, "C")]
    residues += [residue("a", 1, "A", 0.9499, "C"), residue("a", 1, "A", 0.96)]
    page = Page(make({"s": ORDINARY | {"residues": residues}}))
    assert "Of the 4 with a probability of 0.95 or more, 75.0 % are right." in page.text


# --- unusual samples -----------------------------------------------------------------------------


def test_without_truth_it_says_so_and_gives_what_the_model_expects(make: Make) -> None:
    tables: dict[str, Rows] = {
        "gaps": [gap("a", 1, 0.5)],
        "residues": [residue("a", 1, "A", p) for p in (0.5, 0.7, 0.96, 0.84)],
    }
    page = Page(make({"blind": tables}))
    assert "No truth is known here" in page.text
    assert "expects 3 of 4 residues to be right (75.0 %); 1 has a probability" in page.text
    assert "Check residues below 0.80" in page.text
    assert "What a probability is worth" not in page.text
    assert len(page.tables) == 2  # all samples, the least certain gaps
    assert page.table("All samples") == [["blind", "1", "0", "1", "4", "2", "0", "0"]]


def test_it_asks_to_check_residues_only_if_some_are_unsure(make: Make) -> None:
    tables: dict[str, Rows] = {
        "gaps": [gap("a", 1, 0.9)],
        "residues": [residue("a", 1, "A", p) for p in (0.8, 0.96)],
    }
    page = Page(make({"blind": tables}))
    assert "expects 2 of 2 residues to be right" in page.text
    assert "Check residues" not in page.text


def test_where_everything_was_rejected(make: Make) -> None:
    page = Page(make({"s": {"rejected": [("a", 1, "", "s.fasta:1: 'a' has no sequence")]}}))
    assert "Nothing was filled: every record was rejected" in page.text
    assert page.table("Records that could not be used")[0][3] == "s.fasta:1: 'a' has no sequence"


def test_where_there_is_nothing_at_all(make: Make) -> None:
    assert "Nothing was filled, so there is nothing to trust." in Page(make({"s": {}})).text
    assert Page(make({})).table("All samples") == []


def test_samples_with_and_without_truth_stand_side_by_side(make: Make) -> None:
    page = Page(make({"known": ORDINARY, "blind": {"residues": [residue("a", 1, "A", 0.5)]}}))
    rows = page.table("All samples")
    assert [row[0] for row in rows] == ["known", "blind"]
    assert rows[1][8:] == ["not known", ""]


def test_where_no_chain_has_a_gap(make: Make) -> None:
    page = Page(make({"s": {"chains": [chain(f"c{i}", length=3 + 7 * i) for i in range(4)]}}))
    assert "Nothing was filled: no chain has a gap. Mark missing residues with X or -." in page.text
    assert page.table("All samples") == [["s", "0", "4", "0", "0", "0", "0", "0"]]
    assert "4 chains without a gap." in page.text
    assert "1 chain of less than 10 residues." in page.text


def test_gaps_that_were_filled_without_a_template_are_told(make: Make) -> None:
    rows = [list(gap("a", i, 0.1)) for i in range(5)]
    for row, status in zip(
        rows, ["filled (no template)", "filled (no template; not p)"], strict=False
    ):
        row[10] = status
    rows[2][10] = "filled (not proven best: another may have up to 0.2)"
    rows[3][10] = "filled (not proven best: another may have up to 0.3)"
    text = Page(make({"s": {"gaps": rows}})).text
    assert "2 gaps filled without a template: no antibody domain and no homolog there." in text
    assert "2 gaps filled with what is not proven to be the best of its mass." in text


def test_ambiguity_codes_are_told_apart_from_gaps(make: Make) -> None:
    """They are likely right and, unlike gaps, numerous."""
    tables: dict[str, Rows] = {
        "accuracy": [
            score(right=6, n=10),
            score("ambiguity", "J", right=58, n=60),
            score("ambiguity", "J", "germline_copy", right=57, n=60),
            score("ambiguity", "Z", right=2, n=2),
        ],
        "gaps": [
            gap("a", 1, 0.9, 1, "A"),
            gap("a", 2, 0.5, 1, "L", "J"),
            gap("a", 3, 0.6, 1, "L", "J"),
        ],
        "residues": [
            residue("a", 1, "A", 0.97, "C"),
            *(residue("a", i, "L", 0.99, "L", "J") for i in range(2, 4)),
        ],
        "chains": [chain("a", gaps=1, filled=1, codes=62)],
    }
    page = Page(make({"s": tables}))
    assert page.table("All samples")[0][:5] == ["s", "1", "0", "1", "1"]
    assert page.table("All samples")[0][6:8] == ["62", "0"]
    assert "Of 10 residues whose truth is known, 6 are right" in page.text
    assert "Of the 1 with a probability of 0.95 or more, 0 % are right." in page.text
    assert (
        "62 of 62 ambiguity codes are resolved; right where that is known: J 58 of 60, Z 2 of 2."
        in page.text
    )
    rows = page.table("By ambiguity code")
    assert [[row[0], row[1], *row[3:]] for row in rows] == [
        ["J", "60", "96.7", "95.0"],
        ["Z", "2", "100", ""],
    ]
    assert [row[0] for row in page.table("The one gap")] == ["a"]
    assert [row[0] for row in page.table("Probability given")] == ["1"]  # residue


def test_codes_alone_need_no_gap(make: Make) -> None:
    tables: dict[str, Rows] = {
        "accuracy": [score("ambiguity", "J", right=3, n=4)],
        "gaps": [gap("a", i, 0.5, 1, "L", "J") for i in range(4)],
        "residues": [residue("a", i, "L", 0.5, "L", "J") for i in range(4)],
        "chains": [chain("a", codes=4)],
    }
    page = Page(make({"s": tables}))
    assert "4 of 4 ambiguity codes are resolved; right where that is known: J 3 of 4." in page.text
    assert "No truth" not in page.text and "Nothing was filled" not in page.text
    assert page.table("All samples") == [["s", "1", "0", "0", "0", "4", "4", "0"]]


def test_a_method_that_is_not_known_is_shown_by_its_name(make: Make) -> None:
    rows = [score(), score(method="my_method", right=50)]
    page = Page(make({"s": ORDINARY | {"accuracy": rows}}))
    assert page.table("Residues of gaps")[1][0] == "my_method"


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


# --- calibration ---------------------------------------------------------------------------------


def counted(steps: list[int], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    size = calibration.PROBABILITY_STEPS + 1
    return (
        np.bincount(steps, minlength=size),
        np.bincount([s for s, r in zip(steps, right, strict=True) if r], minlength=size),
    )


@given(st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), max_size=300))
def test_every_residue_is_in_one_bin(residues: list[tuple[int, bool]]) -> None:
    steps, right = [s for s, _ in residues], [r for _, r in residues]
    bins = calibration.bins_of(*counted(steps, right))
    assert sum(b.n for b in bins) == len(residues)
    assert sum(b.n * b.accuracy for b in bins) == pytest.approx(sum(right))
    assert sum(b.n * b.probability for b in bins) == pytest.approx(sum(steps) / 10_000)
    assert [b.probability for b in bins] == sorted(b.probability for b in bins)
    assert all(0 <= b.low <= b.accuracy <= b.high <= 1 for b in bins)


def test_bins_hold_as_many_residues_each() -> None:
    steps = list(range(0, 10_000, 10))
    bins = calibration.bins_of(*counted(steps, [s > 4999 for s in steps]))
    assert [b.n for b in bins] == [100] * 10
    assert [b.accuracy for b in bins] == [0.0] * 5 + [1.0] * 5
    assert calibration.error_of(bins) == pytest.approx(0.25, abs=0.001)


def test_few_residues_make_few_bins_and_equal_probabilities_one() -> None:
    assert len(calibration.bins_of(*counted(list(range(29)), [True] * 29))) == 2
    assert len(calibration.bins_of(*counted([9000] * 500, [True] * 500))) == 1
    assert calibration.bins_of(*counted([], [])) == ()
    assert calibration.error_of(()) is None


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0"), (1, "100"), (0.9999, "99.9"), (0.0001, "0.1"), (0.5, "50.0"), (0.8956, "89.6")],
)
def test_all_and_none_are_said_only_where_true(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_gap_that_reaches_out_of_its_domain_and_one_too_large_are_told(make: Make) -> None:
    at, status = COLUMNS["gaps"].index("imgt_last"), COLUMNS["gaps"].index("status")
    rows = [list(gap("a", number, 0.5)) for number in (1, 2)]
    rows[0][at] = ""
    rows[1][status] = "mass_too_large (decoded are up to 60 residues or 8000 Da)"
    page = Page(make({"s": {"gaps": rows, "residues": [residue("a", 1, "A", 0.5)]}}))
    assert [row[2] for row in page.table("The 2 gaps")] == ["from 13", "23–111A"]
    assert "1 gap left open: too long or heavy to be searched by its mass." in page.text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [("5", "7", "5–7"), ("5", "5", "5"), ("127", "", "from 127"), ("", "3", "to 3"), ("", "", "")],
)
def test_a_gap_may_reach_out_of_its_domain(first: str, last: str, text: str) -> None:
    assert imgt_span(first, last) == text
