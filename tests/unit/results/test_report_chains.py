"""Chains on the report: read from their tables, drawn as maps and logos, and shown."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from chains import constant_region
from lacuna import __version__
from lacuna.core.files import LacunaError, file_digest
from lacuna.core.paths import bundled_weights
from lacuna.core.tables import GAP_TABLE, SPECTRUM_TABLE, MassDoubt, SpectrumRow
from lacuna.results.report import logo
from lacuna.results.report.chain import (
    REGION_NUMBERS,
    Chain,
    Residue,
    bands_of,
    level_of,
    per_mille,
    verdict_of,
)
from lacuna.results.report.chains import with_modifications
from lacuna.results.report.logo import CAPITAL, describe, draw_logo
from lacuna.results.report.map import draw
from lacuna.results.report.masses import chain_mass
from report_chains import GAPS, HEAVY, LIGHT, antibody_in, chains_of, letters_of, report_on
from report_tables import regions_of_chain, write_tables
from tsv import row_of


@pytest.fixture
def antibody(tmp_path: Path) -> list[Chain]:
    return antibody_in(tmp_path)


# --- reading -------------------------------------------------------------------------------------


def test_chains_are_joined_from_their_tables(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, []), (LIGHT, GAPS[LIGHT])])
    one, none, two = chains_of(paths)
    assert [c.sequence for c in (one, none, two)] == [HEAVY, LIGHT, LIGHT]
    assert one.description == "made" and not none.gaps and not none.residues
    assert [(g.first, g.last) for g in one.gaps] == [(21, 26), (100, 104)]
    assert [r.position for r in one.residues] == [*range(21, 27), *range(100, 105)]
    assert "".join(r.letter for r in one.residues) == HEAVY[20:26] + HEAVY[99:104]
    assert [c.candidate for c in two.gaps[0].candidates][::2] == [LIGHT[:3], LIGHT[:2]]


def test_tables_of_other_chains_are_an_error(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, GAPS[LIGHT])])
    whole = paths["filled"].read_text()
    paths["filled"].write_text(whole.replace(">c000001", ">other"))
    with pytest.raises(LacunaError, match=r"chains\.tsv: has 'c000001' where .* has 'other'"):
        chains_of(paths)
    paths["filled"].write_text("".join(whole.splitlines(keepends=True)[:2]))
    with pytest.raises(LacunaError, match=r"gaps\.tsv: has 'c000001' where .* has not"):
        chains_of(paths)
    paths["filled"].write_text(whole)
    lines = paths["residues"].read_text().splitlines(keepends=True)
    paths["residues"].write_text("".join(lines[:-1]))
    with pytest.raises(LacunaError, match="'c000001' has other residues than in"):
        chains_of(paths)


def cleaved(paths: dict[str, Path], folder: Path) -> Path:
    """Marks in the first candidate of the heavy chain's second gap, and the table of its spectra.

    Four spectra span the gap."""
    rows = list(GAP_TABLE.read(paths["gaps"]))
    top = next(i for i, row in enumerate(rows) if row.gap == 2)
    letters = rows[top].candidate
    rows[top] = rows[top]._replace(cleavages=f"{letters[:2]}/{letters[2]}/{letters[3:]}")
    GAP_TABLE.write(paths["gaps"], rows)
    where = (rows[top].chain, rows[top].start, rows[top].end)
    spectra = [
        SpectrumRow(*where, "spectrum", 1500.7, None, 30.0, f"b {n}/6, y 5/6", f"m.mgf:{n} as 9..2")
        for n in range(1, 5)
    ]
    spectra.append(SpectrumRow(*where, "cleavage", 300.1, 0.01, 5.0, "b 301.1 (1+)", "m.mgf:1"))
    table = folder / "spectra.tsv"
    SPECTRUM_TABLE.write(table, spectra)
    return table


def test_the_cleavages_that_spectra_show_are_marked(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, GAPS[LIGHT])])
    plain = report_on(tmp_path, paths)
    assert 'class="cut"' not in plain and "Spectra:" not in plain
    table = cleaved(paths, tmp_path)
    page = report_on(tmp_path, paths, spectra=table)
    letters = HEAVY[99:104]
    mark = '<i class="cut"></i>'
    assert f">{letters[:2]}{mark}{letters[2]}{mark}{letters[3:]}<" in page
    assert page.count(mark) == 2 and page.count("probable. Bars: cleavages that spectra show.") == 1
    said = "m.mgf:1 (b 1/6, y 5/6); m.mgf:2 (b 2/6, y 5/6); m.mgf:3 (b 3/6, y 5/6); 1 more"
    assert page.count(f"Spectra: {said}<") == 1


def test_a_gap_of_no_residue_has_a_place(tmp_path: Path) -> None:
    """Behind a gap that took three residues more than it had positions."""
    paths = write_tables(tmp_path, [(HEAVY, [(20, 26)])])
    rows = paths["gaps"].read_text().splitlines(keepends=True)
    first = rows[1].split("\t")
    first[3] = "23"  # its end in the scaffold
    empty = row_of(
        GAP_TABLE, chain=first[0], gap=2, start=47, end=47, rank=1, length=0, status="filled"
    )
    paths["gaps"].write_text(rows[0] + "\t".join(first) + GAP_TABLE.text([empty]))
    gap = chains_of(paths)[0].gaps[1]
    assert (gap.first, gap.last, gap.place) == (51, 50, "none")


def test_regions_are_those_of_the_table() -> None:
    bands = bands_of(regions_of_chain(HEAVY))
    assert [b.region for b in bands] == "FR1 CDR1 FR2 CDR2 FR3 CDR3 FR4 C".split()
    assert bands[0].first == 1 and bands[-1].last == len(HEAVY)
    assert all(one.last + 1 == two.first for one, two in pairwise(bands))
    domain = len(HEAVY) - len(constant_region("H"))
    assert bands[-2].last == domain and bands_of("") == ()
    numbers = list(REGION_NUMBERS.values())
    assert numbers[0] == "1–26" and numbers[5:] == ["105–117", "118–128"]


def test_classes_are_not_reached_by_rounding() -> None:
    assert [level_of(per_mille(p)) for p in (1, 0.95, 0.9499, 0.8, 0.7999, 0.5, 0.4999, 0)] == [
        *(1, 1, 2, 2, 3, 3, 4, 4)
    ]
    assert [verdict_of(p) for p in (0.95, 0.9499, 0.5, 0.4999, None)] == [
        *("sure", "likely", "likely", "unsure", "open")
    ]


def test_modifications_move_with_the_filled_chain(tmp_path: Path) -> None:
    fasta = tmp_path / "in.fasta"
    letters = f"[Acetyl]-{HEAVY[:20]}X[+500.2]{HEAVY[26:95]}C[+57.0215]{HEAVY[96:]}"
    fasta.write_text(f">c000000\n{letters}\n")
    paths = write_tables(tmp_path / "t", [(HEAVY, [(20, 26)])])
    rows = [line.split("\t") for line in paths["gaps"].read_text().splitlines()]
    for row in rows[1:]:
        row[3] = "21"  # the mass gap is one position of the scaffold
    paths["gaps"].write_text("".join("\t".join(row) + "\n" for row in rows))
    (chain,) = with_modifications(chains_of(paths), fasta, None)
    assert [(m.position, m.name) for m in chain.modifications] == [(1, "Acetyl"), (96, "")]
    page = report_on(tmp_path, paths, given={"fasta": [fasta]})
    assert f"{HEAVY[0]}1 Acetyl +42.0106" in page and "with the modifications written" in page
    assert page.count('<circle class="m"') == 2 + 1  # in the map and in the legend


# --- the map -------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [60, 40, 20, 10])
def test_the_map_has_the_letters_of_the_chain_once_each(
    antibody: list[Chain], columns: int
) -> None:
    for chain in antibody:
        svg = draw(chain, columns)
        assert letters_of(svg, ["o", "l", "k"]) == chain.sequence
        assert letters_of(svg, ["l"]) == "".join(r.letter for r in chain.residues)
        boxes = re.findall(r'<rect class="b p(\d)" .*?><title>(\d+) (\w) (0\.\d+)', svg)
        assert [int(place) for _, place, _, _ in boxes] == [r.position for r in chain.residues]
        assert all(level_of(round(float(p) * 1000)) == int(level) for level, _, _, p in boxes)
        lines = re.findall(r'<text class="n" [^>]*>(\d+)<', svg)
        assert [int(n) for n in lines] == list(range(1, len(chain.sequence) + 1, columns))


def test_open_letters_second_choices_and_codes_have_marks_of_their_own(
    antibody: list[Chain],
) -> None:
    chain = antibody[1]
    svg = draw(chain)
    low = [r for r in chain.residues if r.level == 4]
    assert low and svg.count('<rect class="bar"') == len(low)
    assert letters_of(svg, ["c"]) == "".join(r.second for r in chain.residues)
    assert letters_of(svg, ["g"]) == "".join(r.germline for r in chain.residues)
    codes = [replace(r, code="J", truth="I") for r in chain.residues[:3]]
    coded = draw(replace(chain, residues=(*codes, *chain.residues[3:])))
    assert coded.count('<line class="s p') == 3 and letters_of(coded, ["w"]) == "III"
    assert letters_of(coded, ["k"]) == "".join(r.letter for r in codes)


def test_region_names_are_where_they_fit(antibody: list[Chain]) -> None:
    names = re.findall(r'<text class="t" [^>]*>([^<]*)<', draw(antibody[1]))
    assert names[:2] == ["FR1 1–26", "CDR1 27–38"]
    assert any(name.startswith("CDR3") for name in names) and "C" in names


# --- the page ------------------------------------------------------------------------------------


def test_the_page_shows_chains_candidates_and_masses(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, GAPS[LIGHT])])
    page = report_on(tmp_path, paths)
    maps = re.findall(r'<svg class="map".*?</svg>', page)
    assert [letters_of(svg, ["o", "l"]) for svg in maps] == [HEAVY, LIGHT]
    fasta = re.search(r'<pre class="fasta"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert fasta and fasta[1].replace("&gt;", ">") == paths["filled"].read_text()
    for gap in (gap for chain in chains_of(paths) for gap in chain.gaps):
        for row in gap.candidates:
            assert f'<span class="letters">{row.candidate}</span>' in page
    mass = chain_mass(HEAVY)
    assert mass and f"{mass.average:,.2f}" in page


def test_the_page_says_where_gaps_are_unsure(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY])])
    (chain,) = chains_of(paths)
    verdicts = [gap.verdict for gap in chain.gaps]
    assert sorted(verdicts) == ["likely", "unsure"]  # by the seed of the tables
    where = chain.gaps[verdicts.index("unsure")].region
    assert f"0 sure, 1 likely, 1 unsure (in {where})</span>" in report_on(tmp_path, paths)


def test_a_gap_at_odds_with_its_mass_is_to_be_checked_however_sure(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY])])
    (before,) = chains_of(paths)
    gap = next(gap for gap in before.gaps if gap.verdict == "likely")
    lines = paths["gaps"].read_text().splitlines(keepends=True)
    warned = f"filled ({MassDoubt.FITS_BETTER} 0.9840 Da less: N or Q is deamidated)"
    number = str(gap.candidates[0].gap)
    at = next(i for i, row in enumerate(lines) if row.split("\t")[1:2] == [number])
    lines[at] = lines[at].replace("\tfilled\t", f"\t{warned}\t")
    paths["gaps"].write_text("".join(lines))
    (chain,) = chains_of(paths)
    assert {found.verdict for found in chain.gaps} == {"unsure"}
    assert set(range(gap.first, gap.last + 1)) <= set(chain.to_check)
    page = report_on(tmp_path, paths)
    assert "0 sure, 0 likely, 2 unsure" in page and f'<td class="status">{warned}</td>' in page


def test_the_page_says_what_it_is_of(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY])])
    fasta = tmp_path / "in.fasta"
    fasta.write_text(f">c000000\n{HEAVY}\n")
    network, _ = bundled_weights("noncommercial")
    page = report_on(
        tmp_path,
        paths,
        given={"fasta": [fasta]},
        options={
            "settings": {"tolerance_ppm": 7.5, "modifications": {"deamidated": True}},
            "weights": network,
        },
    )
    assert f"Lacuna {__version__}." in page
    assert file_digest(fasta) in page and file_digest(network) in page
    assert "their germline library under CC BY-NC-SA 4.0. No rights" in page
    assert "these weights may be used for non-commercial purposes only" in page
    assert "±7.5 ppm unless given, deamidated" in page and ">modifications.deamidated<" in page
    assert str(tmp_path) not in page


def test_open_weights_limit_no_purpose(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY])])
    page = report_on(tmp_path, paths, options={"weights": bundled_weights("open")[0]})
    assert "their germline library under CC BY 4.0. No rights are claimed in the results." in page
    assert "non-commercial" not in page


# --- logos ---------------------------------------------------------------------------------------


def residue(position: int, letter: str, p: int, *others: tuple[str, int]) -> Residue:
    (second, share), *rest = others or (("", 0),)
    return Residue(position, letter, p, second, share, "", "", "", tuple(rest))


def test_letters_of_a_logo_are_as_high_as_they_are_probable() -> None:
    row = [
        residue(7, "A", 960),
        residue(8, "D", 300, ("E", 500), ("G", 100), ("K", 49)),
        residue(9, "W", 40),
    ]
    letters = re.findall(
        r'<text class="(\w)" transform="translate\((\S+) (\S+)\) scale\(1.5 (\S+)\)">(\w)<',
        draw_logo(row),
    )
    assert [(kind, letter) for kind, *_, letter in letters] == [
        *(("a", "A"), ("e", "G"), ("a", "D"), ("e", "E"))
    ]
    tall = [float(scale) * CAPITAL / logo.HEIGHT for *_, scale, _ in letters]
    assert tall == pytest.approx([0.96, 0.1, 0.3, 0.5], abs=0.001)
    # One stands on the other, the most probable on top.
    floors = [float(y) for _, _, y, *_ in letters]
    assert floors == pytest.approx([36 * p for p in (1, 1, 0.9, 0.6)], abs=0.01)
    assert len({x for _, x, *_ in letters}) == 2
    assert describe(row) == (
        "Logo of residues 7 to 9; 8: E 0.50, D 0.30, G 0.10; 9: no letter of 0.05 or more;"
        " the others at 0.95 or more"
    )
    assert describe(row[:1]) == "Logo of residues 7 to 7; all at 0.95 or more"


def test_a_long_logo_has_several_lines() -> None:
    svg = draw_logo([residue(i, "A", 990) for i in range(1, 2 * logo.LINE + 2)])
    places = re.findall(r"translate\((\d+) ([\d.]+)\)", svg)
    assert len({y for _, y in places}) == 3 and max(int(x) for x, _ in places) < 640
    assert 'width="640" height="128"' in svg


def test_every_filled_gap_has_its_logo_on_the_page(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY])], codes=True)
    (chain,) = chains_of(paths)
    page = report_on(tmp_path, paths)
    logos = re.findall(r'<svg class="logo".*?</svg>', page)
    assert logos == [draw_logo(chain.residues_of(gap)) for gap in chain.real_gaps]
