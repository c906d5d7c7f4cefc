"""Chains on the report: read from their tables, drawn, weighed, and packed for its script."""

import base64
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pandas.testing import assert_frame_equal
from pyteomics import mass as pyteomics_mass

from chains import constant_region, germline_chain
from lacuna import __version__
from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError, file_digest
from lacuna.core.masses import chain_masses
from lacuna.core.paths import bundled_weights
from lacuna.core.tables import (
    DOUBT_TABLE,
    EVIDENCE_TABLE,
    GAP_TABLE,
    MASS_TABLE,
    SPECTRUM_TABLE,
    DoubtRow,
    MassDoubt,
    MassRow,
    SpectrumRow,
)
from lacuna.results import streams
from lacuna.results.report import MAX_DRAWN, ReportFiles, logo, write_report
from lacuna.results.report import page as page_module
from lacuna.results.report.chain import (
    REGION_NUMBERS,
    Chain,
    Residue,
    bands_of,
    level_of,
    per_mille,
    verdict_of,
)
from lacuna.results.report.chains import read_chains, with_doubts, with_evidence, with_modifications
from lacuna.results.report.distributions import distributions_of
from lacuna.results.report.evidence import (
    Evidence,
    doubts_by_chain,
    evidence_of,
    read_placements,
)
from lacuna.results.report.gaps import read_gaps, read_residues
from lacuna.results.report.listing import read_listing
from lacuna.results.report.logo import CAPITAL, describe, draw_logo
from lacuna.results.report.map import DEPTH, draw
from lacuna.results.report.masses import antibody_of, chain_mass, forms_of
from lacuna.results.report.payload import BRIEF, FULL, Detail, encode_chains
from lacuna.scaffolds.alkylation import Alkylation
from lacuna.scaffolds.scaffold import ResidueModification
from report_tables import regions_of_chain, write_tables
from tsv import row_of

HEAVY = germline_chain("H", 1, constant=True)
LIGHT = germline_chain("K", 2, constant=True)
GAPS = {HEAVY: [(20, 26), (99, 104)], LIGHT: [(0, 3), (88, 92)]}


def chains_of(paths: dict[str, Path]) -> list[Chain]:
    return list(read_chains(*(paths[name] for name in ("filled", "chains", "gaps", "residues"))))


@pytest.fixture
def antibody(tmp_path: Path) -> list[Chain]:
    """A heavy and a light chain with two gaps each."""
    paths = write_tables(tmp_path / "h", [(HEAVY, GAPS[HEAVY])], constant="IGHG1*01")
    (heavy,) = chains_of(paths)
    paths = write_tables(tmp_path / "k", [(LIGHT, GAPS[LIGHT])], locus="K", constant="IGKC*01")
    (light,) = chains_of(paths)
    return [replace(light, name="light"), replace(heavy, name="heavy")]


def report_on(
    folder: Path,
    paths: dict[str, Path],
    given: dict[str, list[Path]] | None = None,
    options: dict[str, Any] | None = None,
    **tables: Path,
) -> str:
    """The page on a sample; tables: those that not every sample has; options: of the run."""
    out = folder / "report.html"
    write_report([ReportFiles("s", paths | tables, given or {})], out, **options or {})
    return out.read_text(encoding="utf-8").partition("<script>")[0]


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
    assert page.count(mark) == 2 and page.count("Bars: cleavages that spectra show") == 1
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


def letters_of(svg: str, kinds: Sequence[str]) -> str:
    """Letters of a map's texts of some classes, in lines from left to right."""
    placed = []
    for kind, xs, y, text in re.findall(
        r'<text class="(\w+)[^"]*" x="([^"]*)" y="(\d+)">(\w+)<', svg
    ):
        if kind in kinds:
            assert len(xs.split()) == len(text)
            placed += [(int(y), int(x), c) for x, c in zip(xs.split(), text, strict=True)]
    return "".join(letter for _, _, letter in sorted(placed))


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


# --- masses --------------------------------------------------------------------------------------


def test_masses_of_a_chain_are_those_of_pyteomics() -> None:
    for sequence in (RESIDUES, HEAVY, LIGHT, "G"):
        found = chain_mass(sequence)
        assert found is not None
        for value, average in ((found.monoisotopic, False), (found.average, True)):
            wanted = pyteomics_mass.calculate_mass(sequence=sequence, average=average)
            assert value == pytest.approx(wanted, abs=0.001)
    assert chain_mass("ACX") is None and chain_mass("") is None


def test_forms_of_a_chain(antibody: list[Chain]) -> None:
    heavy = replace(antibody[1], sequence="Q" + HEAVY[1:-1] + "K")
    forms = {form.name: form.mass for form in forms_of(heavy, None)}
    assert list(forms) == [
        "reduced",
        "N-terminal pyroglutamate",
        "no C-terminal lysine",
        "N-terminal pyroglutamate, no C-terminal lysine",
    ]
    plain = forms["reduced"]
    both = forms["N-terminal pyroglutamate, no C-terminal lysine"]
    assert plain.monoisotopic - both.monoisotopic == pytest.approx(17.02655 + 128.09496, abs=1e-4)
    assert plain.average - both.average == pytest.approx(17.0305 + 128.1723, abs=1e-3)

    state = Alkylation((("carbamidomethyl", 1.0),), "stated", 2)
    at = HEAVY.index("C") + 1
    modified = replace(antibody[1], modifications=(ResidueModification(at, 57.0215, ""),))
    forms = {form.name: form.mass for form in forms_of(modified, state)}
    written, alkylated = (
        forms["with the modifications written"],
        forms["every C carbamidomethylated"],
    )
    left = (HEAVY.count("C") - 1) * 57.02146
    assert alkylated.monoisotopic - written.monoisotopic == pytest.approx(left, abs=1e-3)
    assert forms_of(replace(heavy, sequence="X" + HEAVY), None) == ()
    unknown = Alkylation((("none", 0.6), ("nem", 0.4)), "open", 1)
    assert len(forms_of(antibody[1], unknown)) == len(forms_of(antibody[1], None))


def test_masses_of_the_antibody(antibody: list[Chain]) -> None:
    """Against its formula: 2 heavy and 2 light chains, less 2 H a disulfide, with the glycans."""
    light, heavy = antibody
    heavy = replace(heavy, sequence="E" + HEAVY[1:-1] + "K")
    light = replace(light, sequence="D" + LIGHT[1:])
    found = antibody_of([light, heavy])
    assert found is not None
    pairs = heavy.sequence.count("C") + light.sequence.count("C")
    assert found.disulfides == pairs and found.pyroglutamates == 0 and found.lysine
    whole = sum(
        2 * pyteomics_mass.calculate_mass(sequence=s, average=True)
        for s in (heavy.sequence, light.sequence)
    )
    rows = dict(found.rows)
    hydrogen = pyteomics_mass.calculate_mass(formula="H2", average=True)
    bare = whole - pairs * hydrogen
    assert rows["no glycan"][0].average == pytest.approx(bare, abs=0.01)
    # G0F as it is attached: C56H92N4O39.
    g0f = pyteomics_mass.calculate_mass(formula="C56H92N4O39", average=True)
    assert rows["G0F / G0F"][0].average == pytest.approx(bare + 2 * g0f, abs=0.01)
    assert rows["G0F / G0F"][2].average == pytest.approx(bare + 2 * g0f - 2 * 128.1723, abs=0.01)
    galactose = rows["G2F / G2F"][1].average - rows["G0F / G0F"][1].average
    assert galactose == pytest.approx(4 * 162.1406, abs=0.01)
    pyro = antibody_of([replace(heavy, sequence="Q" + HEAVY[1:]), light])
    assert pyro is not None and pyro.pyroglutamates == 2


def test_no_antibody_of_other_chains(antibody: list[Chain]) -> None:
    light, heavy = antibody
    domain = replace(heavy, row=heavy.row._replace(c_segment=""))
    unsure = replace(heavy, sequence=HEAVY[:50] + "X" + HEAVY[51:])
    fab = replace(heavy, sequence=HEAVY.replace("NST", "QST"))
    for chains in ([light], [light, light], [heavy, heavy], [domain, light], [unsure, light]):
        assert antibody_of(chains) is None
    assert antibody_of([fab, light]) is None and antibody_of([light, heavy, light]) is None


# --- the page ------------------------------------------------------------------------------------


def unpacked(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(text)))
    return found


def packed(paths: dict[str, Path], detail: Detail, chains: Sequence[Chain] = ()) -> dict[str, Any]:
    listing = read_listing(paths, MAX_DRAWN, detail.candidates)
    return unpacked(encode_chains(listing, detail.step, chains))


def decoded(column: dict[str, list[Any]]) -> list[Any]:
    return [column["values"][i] for i in column["index"]]


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


# --- reads ---------------------------------------------------------------------------------------


def write_evidence(path: Path, sequence: str, doubtful: int, flagged: int) -> None:
    """Reads over the first hundred positions, a doubtful and a flagged position (from 1)."""
    lines = [
        "chain position imgt region residue probability state depth germline alternatives flags"
    ]
    for i, letter in enumerate(sequence, 1):
        state = "doubtful" if i == doubtful else "observed"
        depth = f"{i / 10:.1f}" if i <= 100 else "0.0"
        flags = "against_evidence" if i == doubtful else "length" if i == flagged else ""
        others = "T:0.60,S:0.10" if i == doubtful else ""
        lines.append(f"c000000 {i} {i} FR1 {letter} 0.9 {state} {depth} A {others} {flags}")
    path.write_text("".join(line.replace(" ", "\t") + "\n" for line in lines))


def test_reads_are_drawn_below_and_doubts_above(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, [])])
    evidence = tmp_path / "evidence.tsv"
    write_evidence(evidence, HEAVY, doubtful=33, flagged=20)
    chain, without = with_evidence(chains_of(paths), EVIDENCE_TABLE.read(evidence))
    assert without.evidence == Evidence()
    assert chain.evidence.depths[:3] == (0.1, 0.2, 0.3) and len(chain.evidence.depths) == len(HEAVY)
    svg = draw(chain)
    text = f"33 {HEAVY[32]} doubtful, against_evidence; or T:0.60, S:0.10"
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
    assert (
        f"Doubtful (filled triangles; open ones have other flags): 33 {HEAVY[32]} doubtful" in page
    )


def test_a_measured_mass_is_on_the_page(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, [])])
    masses = tmp_path / "masses.tsv"
    rows = [
        MassRow("c000000", 1.0, 1.0, 49123.4, "average", 2.5, 0.1),
        MassRow("c000001", 1.0, 1.0, None, "", None, None),
    ]
    MASS_TABLE.write(masses, rows)
    page = report_on(tmp_path, paths, masses=masses)
    assert page.count("Measured: ") == 1 and "Measured: 49,123.40 Da (average, ±2.5)." in page
    block = re.search(r'<script type="application/gzip"[^>]*>([^<]*)<', page)
    assert block and sorted(decoded(unpacked(block[1])["measured"])) == [[], [49123.4, "average"]]


def test_a_mass_that_is_met_by_the_masses_of_gaps_is_so_on_the_page(tmp_path: Path) -> None:
    """The chain has a form that weighs as much; its mass is one of those that are met."""
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY])])
    ((mass, average),) = [chain_masses(chain.sequence) for chain in chains_of(paths)]
    masses = tmp_path / "masses.tsv"
    of_mass = mass, average, mass + 15.9949, "monoisotopic", 0.505, 0.0
    row = MassRow("c000000", *of_mass, "gaps by their own masses", 15.9949)
    MASS_TABLE.write(masses, [row])
    page = report_on(tmp_path, paths, masses=masses)
    cells = re.search(r"gaps by their own masses</th>(.*?)</tr>", page)
    assert (
        cells and f"{mass + 15.9949:,.2f}" in cells[1] and f"{average + 16.0029:,.2f}" in cells[1]
    )
    assert "; 1 of 1 intact mass met." in page
    block = re.search(r'<script type="application/gzip"[^>]*>([^<]*)<', page)
    (measured,) = decoded(unpacked(block[1])["measured"]) if block else ((),)
    assert measured == [pytest.approx(mass + 15.9949, abs=1e-3), "monoisotopic", 15.9949]


def test_every_form_of_a_chain_has_the_modifications_that_were_written(tmp_path: Path) -> None:
    """But for the first, which is the bare chain; a written pyroglutamate is not one more."""
    heavy = "Q" + HEAVY[1:]
    paths = write_tables(tmp_path, [(heavy, GAPS[HEAVY])])
    (chain,) = chains_of(paths)
    plain = chain_mass(chain.sequence)
    assert plain is not None
    glycan = ResidueModification(60, 1444.53)
    forms = {
        form.name: form.mass for form in forms_of(replace(chain, modifications=(glycan,)), None)
    }
    assert forms["reduced"] == plain
    pyro = forms["N-terminal pyroglutamate"].monoisotopic
    assert pyro == pytest.approx(plain.monoisotopic + 1444.53 - 17.0265, abs=1e-3)
    first = ResidueModification(1, -17.0265)
    names = [form.name for form in forms_of(replace(chain, modifications=(first,)), None)]
    assert names == ["reduced", "with the modifications written"]


def test_how_many_intact_masses_are_met_is_on_the_page(tmp_path: Path) -> None:
    """One is met, one is not, and a chain that stays open meets none."""
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, []), (LIGHT, [])])
    masses = tmp_path / "masses.tsv"
    rows = [
        MassRow("c000000", 1.0, 1.0, 49123.4, "average", 2.5, 2.4),
        MassRow("c000001", 1.0, 1.0, 23123.4, "average", 1.0, -1.1),
        MassRow("c000002", None, None, 23123.4, "average", 1.0, None),
    ]
    MASS_TABLE.write(masses, rows)
    assert "; 1 of 3 intact masses met." in report_on(tmp_path, paths, masses=masses)
    unweighed = [row._replace(cysteine=None) for row in GAP_TABLE.read(paths["gaps"])]
    GAP_TABLE.write(paths["gaps"], unweighed)
    assert "<b>1 of 3 met</b>" in report_on(tmp_path, paths, masses=masses)
    unmeasured = [row._replace(measured=None) for row in rows]
    MASS_TABLE.write(masses, unmeasured)
    assert "<b>none given</b>" in report_on(tmp_path, paths, masses=masses)
