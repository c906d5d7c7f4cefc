"""Rows of reads: contaminants, differences, reasons."""

from dataclasses import replace

import pytest

from conftest import Write
from lacuna.placing.place import place
from lacuna.placing.rows import rows_of
from lacuna.placing.sources.contaminants import read_contaminants
from lacuna.placing.votes.draft import protein_of
from lacuna.placing.votes.placement import place_on
from reads import TEXT, Sure, built, chain_with_cdr3, peptide, read_set, reads_of, tiles


def test_contaminants_attract_their_reads() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    reads = [*tiles(chain), peptide("LGEHNIDVLEGNEQFINAAK", "trypsin"), peptide("DYKDDDDK", "tag")]
    placed = place(reads, Sure(), contaminants=read_contaminants())
    rows = {row.read: row for row in placed.rows}
    assert rows["trypsin"].chain == "trypsin_porcine"
    assert rows["trypsin"].placed_as == "contaminant"
    assert rows["tag"].chain.startswith("tag_")


@pytest.mark.parametrize(
    ("residues", "protein"),
    [
        ("LVNELTEFAK", "serum_albumin_bovine"),
        ("TNAENEFVTLKK", "keratin_1_human"),
        ("SSGGSSSVK", "keratin_1_human"),  # it led to wrong residues of kappa chains
        ("NLDLDSLLAEVK", "keratin_2_human"),
        ("TLLDLDNTR", "keratin_9_human"),
        ("SQYEQLAEQNR", "keratin_10_human"),
        ("GSTLACTGSLVNNTANDRK", "Lys-C_Achromobacter"),
        ("QGTMWCTGSLVNNSANDK", "Lys-C_Lysobacter"),
        ("YSGEGDLALVK", "Glu-C_Staphylococcus"),
        ("VGLAPVA", "pepsin_A_porcine"),
        ("DDPSVSKELLAEAK", "protein_A"),
    ],
)
def test_usual_contaminants_are_bundled(residues: str, protein: str) -> None:
    reads = [*tiles(chain_with_cdr3("H", "ARWGGDGFYHMDY")), peptide(residues, "other")]
    rows = {row.read: row for row in place(reads, Sure(), contaminants=read_contaminants()).rows}
    assert (rows["other"].chain, rows["other"].placed_as) == (protein, "contaminant")


def test_contaminants_that_cannot_be_used_are_named(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    text = ">alb\nMKWVuTFISOLLF*LFSS*\n>alb\nMKWVM[Oxidation]TF\n>odd\nMKWV1TF\n>empty\n"
    bundled = len(read_contaminants())
    assert not caplog.text
    found = read_contaminants(write("con.fasta", text))[bundled:]
    assert found == [("alb", "MKWVXTFISXLLFXLFSS"), ("alb", "MKWVMTF")]
    lines = caplog.text.splitlines()
    assert len(lines) == 2
    assert "con.fasta:6: 'odd' has '1' at column 5" in lines[0]
    assert "con.fasta:7: 'empty' has no sequence" in lines[1]


@pytest.mark.parametrize(
    ("highest", "why"),
    [(0.5, "fits no chain, all confidences low"), (0.51, "fits no chain"), (None, "fits no chain")],
)
def test_reads_of_files_of_low_confidences_are_told_from_others(
    highest: float | None, why: str
) -> None:
    # Of other files the second alone is low, and so all of its reads are.
    given = [
        replace(peptide("GGGGSGGGGS"), score=0.2, file="a"),
        replace(peptide("GGGGSGGGGS"), score=highest, file="a"),
        replace(peptide("GGGGSGGGGS"), score=0.9, confidences=(0.1,) * 9 + (0.5,), file="b"),
    ]
    found = [row.placed_as for row in built(given).rows]
    assert found == [why, why, "fits no chain, all confidences low"]


def test_every_read_has_its_row() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    reads = [*tiles(chain), peptide("WWHKP", "odd"), peptide("AC", "short")]
    rows = built(reads).rows
    assert [row.read for row in rows] == [read.name for read in reads]
    assert {row.placed_as for row in rows[-2:]} == {"fits no chain", "shorter than a seed"}
    changed = tiles(chain)
    mutated = peptide(chain[40:47] + "P" + chain[48:56], "mutated")
    row = built([*changed, mutated]).rows[-1]
    assert row.differences == f"{chain[47]}48P".replace("I", "L")
    assert (row.start, row.end) == (40, 56)


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (TEXT[26:36] + TEXT[37:50], "V37del"),
        (TEXT[26:36] + TEXT[38:56], "VR37-38del"),
        (TEXT[26:37] + "HD" + TEXT[37:50], "37-38insHD"),
        (TEXT[26:37] + "W" + TEXT[37:50], "37-38insW"),
        (TEXT[26:36] + "W" + TEXT[37:50], "V37W"),
        (TEXT[26:37] + "WF" + TEXT[39:52], "R38W,Q39F"),
        (TEXT[3:14] + "N" + TEXT[16:30], "GG15-16N"),
        (TEXT[3:14] + "N" + TEXT[16:26] + TEXT[27:40], "GG15-16N,F27del"),
    ],
)
def test_differences_say_what_is_missing_and_what_is_more(read: str, said: str) -> None:
    reads = read_set(read)
    placements = place_on(reads, [protein_of(TEXT)])
    (row,) = rows_of([peptide(read)], reads, placements, ["c"], 1)
    assert (row.differences, row.placed_as) == (said, "whole")


def test_a_read_is_shared_by_chains_that_it_fits_equally_well_and_by_no_others() -> None:
    """The chains differ in one residue."""
    one, other = TEXT, TEXT[:40] + "H" + TEXT[41:]
    given = [peptide(residues) for residues in (one[34:48], other[36:50], one[10:24])]
    reads = reads_of(given)
    placements = place_on(reads, [protein_of(one), protein_of(other)])
    rows = rows_of(given, reads, placements, ["one", "other"], 2)
    assert [row.placed_as for row in rows] == ["whole", "whole", "shared"]
    assert [row.chain for row in rows[:2]] == ["one", "other"]
    assert placements.alignment.read.tolist() == [0, 1, 2, 2]
    assert placements.share == pytest.approx([1.0, 1.0, 0.5, 0.5])
