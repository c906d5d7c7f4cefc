"""Chains packed for the script of the report, and what is shown of how many of them."""

import re
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from chains import germline_chain
from lacuna.core.files import LacunaError
from lacuna.core.tables import MASS_TABLE, MassRow
from lacuna.results import streams
from lacuna.results.report import MAX_DRAWN, ReportFiles, write_report
from lacuna.results.report import page as page_module
from lacuna.results.report.distributions import distributions_of
from lacuna.results.report.gaps import read_gaps, read_residues
from lacuna.results.report.listing import read_listing
from lacuna.results.report.payload import BRIEF, FULL, Detail
from report_chains import (
    GAPS,
    HEAVY,
    LIGHT,
    chains_of,
    decoded,
    packed,
    report_on,
    unpacked,
    write_evidence,
)
from report_tables import write_tables


@pytest.mark.parametrize("detail", [FULL, BRIEF, Detail(2, 1)])
def test_the_script_gets_every_chain(tmp_path: Path, detail: Detail) -> None:
    """The columns, read from whole tables, against the chains, read one by one."""
    sequences = [germline_chain("HKL"[i % 3], i) for i in range(9)]
    places = [[(0, 2), (40, 44)], [], [(100, 110)]]
    pairs = [(s, places[i % 3] if i != 5 else []) for i, s in enumerate(sequences)]
    paths = write_tables(tmp_path, pairs, codes=True)
    chains = chains_of(paths)
    columns, step = packed(paths, detail), detail.step
    order = columns["order"]
    assert sorted(order) == list(range(9)) and order != sorted(order)
    assert columns["name"].split("\n") == [c.name for c in chains]
    chains = [chains[i] for i in order]
    assert columns["sequence"].split("\n") == [c.sequence for c in chains]
    assert decoded(columns["v"]) == [c.row.v_segment for c in chains]
    bands = [[(b.region, b.first, b.last) for b in c.bands] for c in chains]
    assert [[tuple(b) for b in found] for found in decoded(columns["bands"])] == bands
    assert columns["gaps"] == [len(c.gaps) for c in chains]
    assert columns["residues"] == [len(c.residues) for c in chains]

    gaps = [gap for c in chains for gap in c.gaps]
    for name, values in (
        ("first", [g.first for g in gaps]),
        ("length", [g.last - g.first + 1 for g in gaps]),
        ("candidates", [len(g.candidates[: detail.candidates]) for g in gaps]),
    ):
        assert columns[name] == values
    for name, values in (
        ("code", [g.code for g in gaps]),
        ("region", [g.region for g in gaps]),
        ("imgt", [g.imgt for g in gaps]),
    ):
        assert decoded(columns[name]) == values
    shown = [c for g in gaps for c in g.candidates[: detail.candidates]]
    assert columns["candidate"].split("\n") == [c.candidate for c in shown if c.rank > 1]
    assert decoded(columns["status"]) == [c.status for c in shown]
    assert columns["ppm"] == [c.mass_error_ppm for c in shown]
    below = 0.01 if step > 1 else 5e-5
    off = [(c.probability or 0) - p for c, p in zip(shown, columns["p"], strict=True)]
    assert max(off) < below and min(off) >= (-5e-5 if step == 1 else 0)

    residues = [r for c in chains for r in c.residues]
    assert columns["letter_p"] == [r.probability // step for r in residues]
    assert columns["second_p"] == [r.second_probability // step for r in residues]
    for name, text in (
        ("second", [r.second for r in residues]),
        ("germline", [r.germline for r in residues]),
        ("truth", [r.truth for r in residues]),
    ):
        assert columns[name] == "".join(letter or "." for letter in text)
    assert packed(paths, detail) == columns


def test_a_gap_that_stays_open_is_packed(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY[:50] + "XXX" + HEAVY[53:], [(20, 22), (50, 53)])])
    lines = paths["gaps"].read_text().splitlines()
    row = lines[4].split("\t")  # the first candidate of the second gap
    row[5:11] = ["", "", "", "", "", "no_length_fits_mass"]
    paths["gaps"].write_text("\n".join([*lines[:4], "\t".join(row)]) + "\n")
    columns = packed(paths, FULL)
    assert columns["candidates"] == [3, 0] and columns["length"] == [2, 3]
    assert decoded(columns["open"]) == ["", "no_length_fits_mass"]
    assert columns["letter_p"][2:] == [0, 0, 0] and columns["second"][2:] == "..."
    (chain,) = chains_of(paths)
    assert chain.to_check[-3:] == [51, 52, 53]
    page = report_on(tmp_path, paths)
    assert "not filled" in page and "Its mass is not known: it holds an X." in page


@pytest.mark.parametrize("chains", [[(HEAVY, [])], [("XXXXX", [(0, 5)])], [("A", []), ("", [])]])
@pytest.mark.parametrize("drawn", [0, MAX_DRAWN])
def test_odd_chains_have_a_page(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chains: list[tuple[str, list[tuple[int, int]]]],
    drawn: int,
) -> None:
    """Without a gap, of nothing but X, and empty."""
    monkeypatch.setattr(page_module, "MAX_DRAWN", drawn)
    regions = [""] * len(chains)
    paths = write_tables(tmp_path, chains, regions=regions)
    page = report_on(tmp_path, paths)
    block = re.search(r'<script type="application/gzip"[^>]*>([^<]*)<', page)
    assert block and len(unpacked(block[1])["gaps"]) == len(chains)
    assert sorted(unpacked(block[1])["sequence"].split("\n")) == sorted(s for s, _ in chains)
    assert page.count('<svg class="map"') == (len(chains) if drawn else 0)


def test_only_the_first_chains_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chains = [(germline_chain("H", i), [(30, 34), (60, 63)]) for i in range(8)]
    paths = write_tables(tmp_path, chains)
    whole = read_listing(paths, 5, 3)
    assert len(whole.chains) == 5 and whole.gaps["at"].tolist() == [i // 2 for i in range(10)]
    for size in (1, 2, 7):
        monkeypatch.setattr(streams, "CHUNK_ROWS", size)
        part = read_listing(paths, 5, 3)
        for name in ("chains", "gaps", "candidates", "residues"):
            one, two = (getattr(x, name).reset_index(drop=True) for x in (whole, part))
            assert_frame_equal(one, two)


def test_columns_of_other_chains_are_an_error(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, GAPS[LIGHT])])
    lines = paths["residues"].read_text().splitlines(keepends=True)
    paths["residues"].write_text("".join(lines[:-1]))
    with pytest.raises(LacunaError, match=r"residues\.tsv: has other residues than .*gaps\.tsv"):
        read_listing(paths, 10, 3)
    whole = paths["filled"].read_text()
    paths["filled"].write_text(whole.replace(">c000001", ">other"))
    with pytest.raises(LacunaError, match=r"filled\.fasta: has 'other' where .* has 'c000001'"):
        read_listing(paths, 10, 3)


def test_many_chains_are_listed_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chains = [(germline_chain("H", i), [(30, 34)]) for i in range(12)]
    paths = write_tables(tmp_path, chains)
    assert report_on(tmp_path, paths).count('<svg class="map"') == 12 <= MAX_DRAWN
    monkeypatch.setattr(page_module, "MAX_DRAWN", 11)
    page = report_on(tmp_path, paths)
    assert '<svg class="map"' not in page and "The repertoire" in page
    assert "The first" not in page and "The least certain gaps" in page
    monkeypatch.setattr(page_module, "MAX_LISTED", 10)
    page = report_on(tmp_path, paths)
    assert "The first 10 of 12 chains; figures above are of all." in page
    block = re.search(r'<script type="application/gzip"[^>]*>([^<]*)<', page)
    assert block and len(unpacked(block[1])["gaps"]) == 10


def test_what_a_page_says_of_a_sample_does_not_depend_on_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intact masses and residues to check of chains that are listed count as of those drawn."""
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, [(30, 34)])])
    gaps = paths["gaps"].read_text().splitlines(keepends=True)
    warned = "filled, but masses fit another length far better: 5 residues"
    gaps[1] = gaps[1].replace("\tfilled\t", f"\t{warned}\t")
    paths["gaps"].write_text("".join(gaps))
    paths["evidence"] = tmp_path / "evidence.tsv"
    write_evidence(paths["evidence"], HEAVY, doubtful=33, flagged=20)
    masses = [
        MassRow("c000000", 1.0, 1.0, 25016.5, "average", 1.0, 0.5),
        MassRow("c000001", 1.0, 1.0, 23019.5, "average", 1.0, 5.5),
    ]
    paths["masses"] = tmp_path / "masses.tsv"
    MASS_TABLE.write(paths["masses"], masses)
    pages = [report_on(tmp_path, paths)]
    monkeypatch.setattr(page_module, "MAX_DRAWN", 1)
    pages.append(report_on(tmp_path, paths))
    of_cards = [
        re.findall(r"<b>(.*?)</b>", "".join(re.findall(r'<div class="card.*?</div>', page, re.S)))
        for page in pages
    ]
    assert of_cards[0] == of_cards[1]
    assert all("1 of 2 intact masses met" in page for page in pages)
    checked = read_residues(paths["residues"], read_gaps(paths["gaps"])).to_check
    assert checked == sum(len(chain.to_check) for chain in chains_of(paths)) > 0


def test_room_is_shared_by_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "MAX_DRAWN", 5)
    sets = [[(germline_chain("H", 10 * k + i), [(30, 34)]) for i in range(3)] for k in range(2)]
    paths = [write_tables(tmp_path / str(k), chains) for k, chains in enumerate(sets)]
    out = tmp_path / "report.html"
    write_report([ReportFiles(name, p) for name, p in zip("ab", paths, strict=True)], out)
    page = out.read_text().partition("<script>")[0]
    assert page.count('<svg class="map"') == 3 and page.count('class="work list"') == 1


def test_distributions_count_chains_and_residues(tmp_path: Path) -> None:
    chains = [(germline_chain("H", i), [(30, 34), (50, 51)]) for i in range(30)]
    paths = write_tables(tmp_path, chains)
    residues = read_residues(paths["residues"], read_gaps(paths["gaps"]))
    found = {b.title: b for b in distributions_of(paths["chains"], residues)}
    assert sum(n for _, n in found["Probability"].bars) == 30 * 5
    assert found["Region"].bars == (("CDR1", 150),)
    assert dict(found["Where residues are missing"].bars)["IMGT 27"] == 150
    assert sum(n for _, n in found["Length"].bars) == 30
    genes = found["V genes"]
    assert sum(n for _, n in genes.bars) + genes.others[1] == 30
    assert [n for _, n in genes.bars] == sorted((n for _, n in genes.bars), reverse=True)
