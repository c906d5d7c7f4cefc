"""Casanovo and its relatives: mzTab."""

import pytest

from conftest import ReadLines
from lacuna.core.files import LacunaError
from lacuna.reads.read import N_TERMINUS
from read_tables import ACETYL, CAM, OXIDISED, mztab, near, only, saved


def test_casanovo_5_is_taken_as_it_is(read_lines: ReadLines) -> None:
    text = mztab(("[Acetyl]-EC[Carbamidomethyl]K", -0.25, "0.5,0.9,0.8,0.7"))
    one = only(read_lines(text, name="any.txt"))
    assert one.modifications == ((N_TERMINUS, ACETYL), (1, CAM))
    assert one.confidences == (0.9, 0.8, 0.7)
    assert one.score == 0.75  # it does not fit its precursor, for which 1 was taken away
    assert (one.tool, one.name) == ("casanovo", "any.txt:4")


@pytest.mark.parametrize("tokens", ["+42.011", "+43.006-17.027", "-17.027"])
def test_casanovo_bare_masses_are_tokens_but_those_of_their_residue(
    read_lines: ReadLines, tokens: str
) -> None:
    one = only(
        read_lines(mztab((f"{tokens}M+15.995EC+57.021", 0.9, "0.1,0.9,0.8,0.7"), version="3.2.0"))
    )
    assert one.residues == "MEC"
    assert one.confidences == (0.9, 0.8, 0.7)
    assert one.modifications[1:] == ((0, OXIDISED), (2, CAM))


def test_modified_residues_that_a_model_of_the_user_knows_are_one_token(
    read_lines: ReadLines,
) -> None:
    one = only(read_lines(mztab(("+42.011EC+58.005K", 0.9, "0.1,0.9,0.8,0.7"), version="3.2.0")))
    assert one.confidences == (0.9, 0.8, 0.7)
    assert one.modifications == ((N_TERMINUS, ACETYL), (1, near(58.005479)))


def test_averages_with_the_peptide_score_are_undone(read_lines: ReadLines) -> None:
    true = (0.9, 0.1, 0.5)
    mean = sum(true) / 3
    written = ",".join(f"{(score + mean) / 2:.5f}" for score in true)
    rows = [("EVK", 0.5, written)] * 5
    found = read_lines(mztab(*rows, version="4.3.1"))
    assert all(r.confidences == pytest.approx(true, abs=1e-4) for r in found.reads)
    # A row that can be no average shows that none is, and version 5 has none.
    plain = read_lines(mztab(*rows, ("EVK", 0.5, "0.9,0.9,0.1"), version="4.3.1"))
    assert plain.reads[0].confidences == near(tuple(map(float, written.split(","))))
    five = read_lines(mztab(*rows, version="5.0.0"))
    assert five.reads[0].confidences == near(tuple(map(float, written.split(","))))


def test_scores_of_an_order_that_is_not_known_are_the_lower_of_both(
    read_lines: ReadLines,
) -> None:
    found = read_lines(mztab(("EVQK", 0.5, "0.9,0.1,0.8,0.7"), version="4.2.1"))
    assert only(found).confidences == (0.7, 0.1, 0.1, 0.7)
    found = read_lines(mztab(("+42.011EVK", 0.5, "0.2,0.9,0.8,0.7"), version="4.2.1"))
    assert only(found).confidences == (0.8, 0.8, 0.2)


def test_casanovo_5_1_has_its_modifications_elsewhere(read_lines: ReadLines) -> None:
    text = mztab(("MK", 0.5, "0.9,0.8"), column="opt_global_aa_scores").replace("PSH\t", "PSH\t", 1)
    head, row = text.rstrip("\n").rsplit("\n", 1)
    text = (
        head
        + "\topt_global_cv_MS:1003169_proforma_peptidoform_sequence\n"
        + row
        + "\tM[Oxidation]K/2\n"
    )
    assert only(read_lines(text)).modifications == ((0, OXIDISED),)


def test_averages_of_a_relative_are_of_unknown_order(read_lines: ReadLines) -> None:
    rows = [("EVQK", 0.5, "0.8,0.4,0.7,0.7")] * 5
    text = mztab(*rows).replace("Casanovo, 5.0.0", "Adanovo")
    stated = tuple(2 * c - 0.65 for c in (0.7, 0.4, 0.4, 0.7))
    assert read_lines(text).reads[0].confidences == near(stated)


@pytest.mark.parametrize("tool", ["ContraNovo", "Adanovo"])
def test_relatives_of_casanovo_are_told_apart(read_lines: ReadLines, tool: str) -> None:
    text = mztab(("EVK", 0.5, "0.9,0.8,0.7")).replace(
        "PSH", f"MTD\tsoftware[1]-setting[1]\tmodel = {tool}/x.ckpt\nPSH", 1
    )
    assert only(read_lines(text)).tool == tool.casefold()


def test_a_spoilt_psm_line_is_rejected_alone(read_lines: ReadLines) -> None:
    text = mztab(("EVK", 0.5, "0.9,0.8,0.7"), ("", 0.1, ""), ("EXK", 0.5, "1,1,1")) + "PSM\tEVQ\n"
    found = read_lines(text)
    assert [r.residues for r in found.reads] == ["EVK"]
    assert sorted(row.line for row in found.rejected) == [6, 7]


@pytest.mark.parametrize("separator", "\t,;")
def test_an_mztab_file_that_a_spreadsheet_saved_is_read(
    read_lines: ReadLines, separator: str
) -> None:
    text = mztab(("EVK", 0.5, "0.9,0.8,0.7"), ("EVR", 0.5, "0.9,0.8,0.6"), ("EXK", 0.5, "1,1,1"))
    lines = saved([line.split("\t") for line in text.splitlines()], separator)
    assert read_lines(*lines) == read_lines(text)
    assert len(read_lines(*lines, f"PSM{separator}EVQ").rejected) == 2


def test_mztab_of_a_search_engine_is_one_clear_line(read_lines: ReadLines) -> None:
    with pytest.raises(LacunaError, match="without scores of residues.*Casanovo"):
        read_lines(mztab(("EVK", 0.5, "x"), column="opt_other"))


def test_an_mztab_file_of_spoilt_psm_lines_says_what_is_wrong_with_them(
    read_lines: ReadLines,
) -> None:
    head, psh, row = (mztab(("EVK", 0.5, "0.9,0.8,0.7")).splitlines()[i] for i in (0, -2, -1))
    columns = psh.count("\t")
    with pytest.raises(LacunaError, match=f":3: no PSM row .* 1 cell where .* {columns} columns"):
        read_lines(head, psh, "PSM\tEVK")
    with pytest.raises(LacunaError, match=":2: no PSM row .* no PSH line .* add it"):
        read_lines(head, row)
    with pytest.raises(LacunaError, match="without PSM rows"):
        read_lines(head, psh)
