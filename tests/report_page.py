"""Report pages on tables made in code, a row at a time, and what their HTML holds."""

import csv
from collections.abc import Callable, Iterable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lacuna.core.tables import ACCURACY_TABLE, CHAIN_TABLE, GAP_TABLE, REJECTED_TABLE, RESIDUE_TABLE
from lacuna.results.report import ReportFiles, write_report
from lacuna.results.report import page as page_module

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


def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A function that writes the tables of samples, each a mapping of rows by table, and the report
    on them.

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
