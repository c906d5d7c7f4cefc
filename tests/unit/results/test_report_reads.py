"""Reads and doubts on the report."""

import re
from pathlib import Path

import pytest

from lacuna.core.tables import DOUBT_TABLE, EVIDENCE_TABLE, DoubtRow
from lacuna.results.report import page as page_module
from lacuna.results.report.chains import with_doubts, with_evidence
from lacuna.results.report.evidence import Evidence, doubts_by_chain, evidence_of, read_placements
from lacuna.results.report.map import DEPTH, draw
from report_chains import GAPS, HEAVY, LIGHT, chains_of, report_on, write_evidence
from report_tables import write_tables
from tsv import row_of


def test_reads_are_drawn_below_and_doubts_above(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, [])])
    evidence = tmp_path / "evidence.tsv"
    write_evidence(evidence, HEAVY, doubtful=33, flagged=20)
    chain, without = with_evidence(chains_of(paths), EVIDENCE_TABLE.read(evidence))
    assert without.evidence == Evidence()
    assert chain.evidence.depths[:3] == (0.1, 0.2, 0.3) and len(chain.evidence.depths) == len(HEAVY)
    svg = draw(chain)
    text = f"33 {HEAVY[32]} doubtful, against_evidence (or T:0.60, S:0.10)"
    assert re.findall(r'<path class="d"[^>]*><title>([^<]*)', svg) == [text]
    assert re.findall(r'<path class="f"[^>]*><title>([^<]*)', svg) == [
        f"20 {HEAVY[19]} observed, length"
    ]
    bars = "".join(re.findall(r'<path class="h" d="([^"]*)"', svg))
    heights = [int(h) for h in re.findall(r"v-(\d+)h", bars)]
    assert len(heights) == 100 and heights == sorted(heights) and heights[-1] == DEPTH
    assert 'class="h"' not in draw(without)


def test_a_residue_that_spectra_show_is_not_marked_for_that() -> None:
    rows = [
        row_of(EVIDENCE_TABLE, position=i, residue="A", state="observed", flags=flags)
        for i, flags in enumerate(("", "spectra", "minority;spectra"), start=1)
    ]
    assert [doubt.text for doubt in evidence_of(rows).doubts] == ["3 A observed, minority"]


def write_doubts(path: Path, *rows: DoubtRow) -> Path:
    DOUBT_TABLE.write(path, rows)
    return path


def test_doubts_of_proofreading_are_marked_and_listed(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, []), (LIGHT, GAPS[LIGHT])])
    evidence = tmp_path / "evidence.tsv"
    write_evidence(evidence, HEAVY, doubtful=33, flagged=20)
    rows = [
        DoubtRow("c000000", 30, HEAVY[29], "D", 0.9712, "deamidated", "35"),
        DoubtRow("c000000", 33, HEAVY[32], "K", 0.9, "isobaric", "38"),
        DoubtRow("c000001", 40, LIGHT[39], "NA", 0.99, "isobaric", "46"),
    ]
    doubts = write_doubts(tmp_path / "doubts.tsv", *rows)
    heavy, light = with_doubts(
        with_evidence(chains_of(paths), EVIDENCE_TABLE.read(evidence)), doubts_by_chain(doubts)
    )
    assert [d.position for d in heavy.evidence.doubts] == [20, 30, 33, 33]
    marks = re.findall(r'<path class="d"[^>]*><title>([^<]*)', draw(light))
    assert marks == [f"40 {LIGHT[39]}: NA is more likely (isobaric)"]
    assert heavy.to_check == [30, 33] and 40 in light.to_check

    page = report_on(tmp_path, paths, doubts=doubts)
    table = page.partition("<h3>Observed residues that look wrong</h3>")[2].partition("</table>")[0]
    cells = [re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", row) for row in table.split("<tr>")[2:]]
    assert cells == [
        [r.chain, str(r.position), r.imgt, r.residue, r.proposed, f"{r.probability:.4f}", r.reason]
        for r in rows
    ]
    assert page.count('<path class="d"') == 3 + 1  # in the maps and in the legend
    # Nothing is said where nothing looks wrong.
    assert "look wrong" not in report_on(tmp_path, paths, doubts=write_doubts(doubts))


def test_doubts_of_chains_that_are_listed_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "MAX_DRAWN", 0)
    paths = write_tables(tmp_path, [(HEAVY, [])])
    row = DoubtRow("c000000", 30, HEAVY[29], "D", 0.9712, "deamidated", "35")
    doubts = write_doubts(tmp_path / "doubts.tsv", *[row] * 60)
    page = report_on(tmp_path, paths, doubts=doubts)
    assert "<b>60 residues</b>" in page and "And 10 more residues." in page


def test_the_page_says_how_reads_were_placed(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY])])
    evidence, reads = tmp_path / "evidence.tsv", tmp_path / "reads.tsv"
    write_evidence(evidence, HEAVY, doubtful=33, flagged=20)
    lines = ["read tool chain start end score placed_as differences"]
    lines += [f"a.csv:{i} PEAKS c000000 3 9 20.1 whole " for i in range(6)]
    lines += ["b.csv:1 Casanovo c000000 3 9 20.1 core ", "b.csv:2 Casanovo    1.0 too_short "]
    lines += ["b.csv:3 Casanovo TRYP_PIG 3 9 20.1 contaminant "]
    reads.write_text("".join(line.replace(" ", "\t") + "\n" for line in lines))
    assert read_placements(reads).rows == (
        ("whole", 6, True),
        ("core", 1, True),
        ("contaminant", 1, False),
        ("too_short", 1, False),
    )
    page = report_on(tmp_path, paths, evidence=evidence, reads=reads)
    assert (
        "7 of 9 reads are on a chain, and 1 is of a contaminant. Format: Casanovo, PEAKS."
    ) in page
    empty = write_tables(tmp_path / "empty", [])
    reads.write_text("".join(line.replace(" ", "\t") + "\n" for line in (lines[0], lines[-1])))
    unplaced = report_on(tmp_path, empty, evidence=evidence, reads=reads)
    assert "No read could be placed on a chain." in unplaced
    assert 33 not in {r.position for chain in chains_of(paths) for r in chain.residues}
    assert re.search(r"33 \(CDR1\)|32–33 \(CDR1\)", page.partition("card alert")[2][:600])
    assert f"show 100 of {len(HEAVY)} residues" in page and "10 at most" in page
    assert f"Filled triangles (open ones are other flags): 33 {HEAVY[32]} doubtful" in page
