"""Tables of PEAKS."""

import pytest

from conftest import ReadLines
from read_tables import ACETYL, CAM, DEAMIDATED, OXIDISED, PEAKS_X, near, only

PEAKS_12 = (
    '"Source File","Scan","Peptide","Deep Novo Score (%)","m/z","z","Area","Mass",'
    '"local confidence (%)","Feature Id"'
)


def test_peaks_residues_and_modifications_are_apart(read_lines: ReadLines) -> None:
    one = only(
        read_lines(
            PEAKS_X, "F2:9,EC(+57.02)M(+15.99)N(+.98)K,97,5,365.6,2,1,5.7E6,729,1,x,1 50 99 100 7,E"
        )
    )
    assert (one.tool, one.residues) == ("peaks", "ECMNK")
    assert one.modifications == ((1, CAM), (2, OXIDISED), (3, DEAMIDATED))
    assert one.confidences == near((0.01, 0.5, 0.99, 1.0, 0.07))
    assert (one.score, one.name) == (0.97, "reads.csv:2")


def test_peaks_columns_of_version_12_are_found_by_name(read_lines: ReadLines) -> None:
    one = only(read_lines(PEAKS_12, '"a.raw",4;5,TLSK,98.5,225.1,2,,448.2,100 99 98 97,3'))
    assert (one.residues, one.score) == ("TLSK", 0.985)


def test_peaks_without_confidences_of_residues_has_those_of_peptides(read_lines: ReadLines) -> None:
    """As if the user had kept some columns alone."""
    one = only(read_lines("Peptide,ALC (%),Mass", "EVM(+15.99)K,97,521.2"))
    assert (one.tool, one.residues, one.score, one.confidences) == ("peaks", "EVMK", 0.97, None)


@pytest.mark.parametrize("first", ["sep=;", "sep=\t"])
def test_a_stated_separator_is_taken(read_lines: ReadLines, first: str) -> None:
    rows = [PEAKS_X, "1,EVK,97,3,188,2,1,,374.2,1,,9 9 9,E"]
    found = read_lines(first, *(row.replace(",", first[4:]) for row in rows))
    assert only(found).name == "reads.csv:3"


def test_decimal_commas_are_read(read_lines: ReadLines) -> None:
    one = only(read_lines(PEAKS_X.replace(",", ";"), "1;EVK;97,5;3;188,1;2;1;5,7E6;374;1;;9 9 9;E"))
    assert (one.residues, one.score) == ("EVK", 0.975)


def test_a_score_of_another_scale_is_none(read_lines: ReadLines) -> None:
    found = read_lines("TITLE\tDENOVO\tScore\tPositional Score", "x\tEVK\t17.5\t[0.3, 0.4, 0.5]")
    assert only(found).score is None


def test_peaks_features_are_every_candidate_once(read_lines: ReadLines) -> None:
    found = read_lines(
        '"Feature Id","m/z","z","Area","Denovo Peptide","ALC (%)"',
        "7,300.2,2,9,DLQM;LDQM;DLQM,99.0",
    )
    assert [(r.name, r.residues) for r in found.reads] == [
        ("reads.csv:2", "DLQM"),
        ("reads.csv:2.2", "LDQM"),
    ]
    assert found.reads[0].confidences is None


def test_peaks_rows_without_confidences_keep_their_score(read_lines: ReadLines) -> None:
    found = read_lines("Peptide,ALC (%),local confidence (%)", "EVK,90,", "EVR,80,90 80 70", ",,")
    assert [r.confidences for r in found.reads] == [None, (0.9, 0.8, 0.7)]
    assert [r.score for r in found.reads] == [0.9, 0.8]
    assert not found.rejected


def test_a_score_of_0_is_a_score(read_lines: ReadLines) -> None:
    header = "Peptide,ALC (%),Deep Novo Score (%),local confidence (%)"
    assert [r.score for r in read_lines(header, "EVK,0,90,", "EVK,,90,").reads] == [0, 0.9]


def test_columns_that_are_not_used_may_hold_anything(read_lines: ReadLines) -> None:
    plain = read_lines("peptide\tmass\tintensity", "EVK\t2e6\t7", "EVK\t37_4.2\t-", "EVK")
    assert [one.residues for one in plain.reads] == ["EVK"] * 3 and plain.rejected == []
    header, peptide = PEAKS_X.split(",tag")[0], ",EVK,97,3,188,2,1,,374.2,1,,9 9 9"
    one = only(read_lines(f"{header},Area", f"1{peptide}"))  # the line ends before its last column
    assert one == only(
        read_lines(header, f"?{peptide.replace('188', 'NaN').replace('374.2', '-1')}")
    )


def test_peaks_variants_are_the_residue_that_was_read(read_lines: ReadLines) -> None:
    found = read_lines(
        '"Peptide","-10LgP","Mass","CAA (%)","z"', "A(sub G)P(sub T)LV,25,382.2,66.7,2"
    )
    assert (only(found).residues, only(found).modifications) == ("APLV", ())


def test_peaks_neighbours_of_a_database_peptide_are_left_out(read_lines: ReadLines) -> None:
    header = "Protein Accession,Peptide,-10lgP,Mass,m/z,z"
    found = read_lines(header, "H,K.HAC(+57.02)K.-,9,1,2,2", "H,EVQL.L,9,1,2,2", "H,EVQL,9,1,2,2")
    assert [r.residues for r in found.reads] == ["HACK", "EVQL", "EVQL"]
    assert {(r.tool, r.confidences) for r in found.reads} == {("peaks_db", None)}


@pytest.mark.parametrize(
    ("written", "residues", "modifications"),
    [
        ("K.EVQLVESGG.A", "EVQLVESGG", ()),
        ("-.EVQ.L", "EVQ", ()),
        ("_.EVQ._", "EVQ", ()),
        ("[K].EVQ.[-]", "EVQ", ()),
        ("R.EVQ", "EVQ", ()),
        ("K.M(+15.99)EM(+15.99).A", "MEM", ((0, OXIDISED), (2, OXIDISED))),
        ("K.C[+57.021]EC[+57.021].A", "CEC", ((0, CAM), (2, CAM))),
        ("K.EM+15.995.A", "EM", ((1, OXIDISED),)),
        ("K.EM+15,995.A", "EM", ((1, OXIDISED),)),
        ("K.[Acetyl]-EVQ.A", "EVQ", ((-1, ACETYL),)),
        ("K.+42.011EVQ.A", "EVQ", ((-1, ACETYL),)),
        ("EM+16.K", "EMK", ((1, 16.0),)),
        ("-.98EVQ", "EVQ", ((-1, -0.98),)),
    ],
)
def test_neighbours_are_left_out_in_any_table(
    read_lines: ReadLines,
    written: str,
    residues: str,
    modifications: tuple[tuple[int, float], ...],
) -> None:
    found = only(read_lines("peptide\tconfidence", f"{written}\t0.9"))
    assert (found.residues, found.modifications) == (residues, modifications)


def test_j_is_i_or_l(read_lines: ReadLines) -> None:
    assert only(read_lines("peptide,confidence", "EJC(+57.02)J,1 1 1 1")).residues == "ELCL"
