"""Scales of confidences: shares, percentages, logarithms."""

import pytest

from conftest import ReadLines
from lacuna.core.files import LacunaError
from read_tables import NOVOR, only, reasons

PNOVO_ROW = "Index:1,x\tEVK\t1\t2\t{}\t{}\t3\t4\t5"


@pytest.mark.parametrize(
    ("header", "percentages", "fractions"),
    [
        ("Peptide,ALC (%),local confidence (%)", "EVK,80,90 80 70", "EVK,.8,0.9 0.8 0.7"),
        ("Peptide;ALC (%);local confidence (%)", "EVK;80;90 80 70", "EVK;0,8;0,9 0,8 0,7"),
        ("Peptide,Deep Novo Score (%),local confidence (%)", "EVK,80,90 80 70", "EVK,.8,.9 .8 .7"),
        ("Denovo Peptide,ALC (%)", "EVK,80.0", "EVK,0.8"),
        ("Peptide,CAA (%)", "EVK,66.7", "EVK,0.667"),
        (
            NOVOR,
            "0, 7, 3, 400, 2, 7, 0, 1, 80, EVK, 90-80-7",
            "0, 7, 3, 400, 2, 7, 0, 1, .8, EVK, .9-.8-.07",
        ),
        ("m/z,z,Score,De Novo Peptide", "400.5,2,97.9,EVK", "400.5,2,0.979,EVK"),
        ("peptide,confidence", '"EVK","90, 80, 70"', "EVK,0.9 0.8 0.7"),
        ("peptide;confidence", "EVK;[90.5, 80.5, 70.5]", "EVK;0.905 0.805 0.705"),
        (
            "PowerNovo Peptides,PowerNovo aaScore,PowerNovo Score",
            "EVK,90 80 70,0.9",
            "EVK,0.9 0.8 0.7,0.9",
        ),
        ("DENOVO\tPositional Score", "EVK\t[90, 80.5, 70]", "EVK\t[0.9, 0.805, 0.7]"),
    ],
)
def test_the_whole_column_tells_percentages_from_shares(
    read_lines: ReadLines, header: str, percentages: str, fractions: str
) -> None:
    of_percentages, of_fractions = (read_lines(header, row) for row in (percentages, fractions))
    assert of_percentages == of_fractions
    one = only(of_fractions)
    assert max(one.confidences or [one.score or 0.0]) > 0.5


def test_shares_of_pnovo_are_recognised(read_lines: ReadLines) -> None:
    one = only(read_lines(PNOVO_ROW.format("0.8", "0.9,0.8,0.7")))
    assert (one.score, one.confidences) == (0.8, (0.9, 0.8, 0.7))


def test_a_column_of_each_scale(read_lines: ReadLines) -> None:
    found = read_lines("Peptide,ALC (%),local confidence (%)", "EVK,80,0.9 0.8 1", "EVK,1,1 1 1")
    assert [(r.score, r.confidences) for r in found.reads] == [
        (0.8, (0.9, 0.8, 1.0)), (0.01, (1.0, 1.0, 1.0))
    ]  # fmt: skip


def test_shares_among_percentages_are_rejected(read_lines: ReadLines) -> None:
    found = read_lines("Peptide,local confidence (%)", "EVK,90 80 70", "EVR,0.9 0.8 1", "EVH,0 1 1")
    assert [(r.residues, r.confidences) for r in found.reads] == [
        ("EVK", (0.9, 0.8, 0.7)), ("EVH", (0.0, 0.01, 0.01))
    ]  # fmt: skip
    assert "confidences of at most 1 among percentages in column 'local" in reasons(found)[0]


def test_a_percentage_among_shares_is_rejected(read_lines: ReadLines) -> None:
    found = read_lines("peptide,confidence", "EVK,0.9 0.8 0.7", "EVR,1 1 90")
    assert only(found._replace(rejected=[])).confidences == (0.9, 0.8, 0.7)
    assert "divide percentages by 100" in reasons(found)[0]


def test_a_column_that_may_have_either_scale_is_refused(read_lines: ReadLines) -> None:
    with pytest.raises(LacunaError, match=r"reads.csv: column 'local confidence \(%\)' has no"):
        read_lines("Peptide,local confidence (%)", "EVK,1 1 1")
    assert only(read_lines("Peptide,local confidence (%)", "EVK,0 0 0")).confidences == (
        0.0,
        0.0,
        0.0,
    )


def test_probabilities_are_no_logarithms(read_lines: ReadLines) -> None:
    fault = "a log probability of 0.9, where none is above 0"
    for header, row in (
        ("preds,log_probs,token_log_probs", 'EVK,-1,"[0.9, -0.5, 0.0]"'),
        ("experiment_name,preds,log_probs", "x,EVK,2.7"),
        ("predicted_sequence\tpredicted_score\tpredicted_position_score", "E,V\t-1\t0.9,0.8"),
        ("predicted_sequence\tpredicted_score\tpredicted_position_score", "E,V\t0.9\t-1,-2"),
    ):
        found = read_lines(header, row)
        assert (found.reads, fault in reasons(found)[0]) == ([], True)


def test_a_product_above_one_is_no_probability(read_lines: ReadLines) -> None:
    assert only(read_lines("label\tprediction\tcharge\tscore", "x\tEVK\t2\t97.2")).score is None


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        (["EVK,0.9"] * 50, False),
        (["EVK,0.9 0.9 0.9", "QLVK,0.9 0.9 0.9 0.9"] * 25, False),
        (["EVK,0.9"] * 49, True),  # as in a table that was made by hand
        (["EVK,0.9"] * 49 + ["EVK,0.8"], True),
        (["EVK,0.9"] * 49 + ["EVK,"], True),
        (["EVK,0.9 0.9 0.8"] + ["EVK,0.9"] * 49, True),
    ],
)
def test_confidences_that_are_all_one_number_are_not_used(
    read_lines: ReadLines, caplog: pytest.LogCaptureFixture, rows: list[str], kept: bool
) -> None:
    found = read_lines("peptide,confidence", *rows).reads
    assert len(found) == len(rows)
    assert any(read.score or read.confidences for read in found) == kept
    assert ("all confidences are 0.9" in caplog.text) != kept


def test_equal_confidences_of_a_tool_stay(read_lines: ReadLines) -> None:
    """The error model of the tool knows what they mean."""
    found = read_lines("Peptide,ALC (%),local confidence (%)", *["EVK,90,90 90 90"] * 60)
    assert {read.confidences for read in found.reads} == {(0.9, 0.9, 0.9)}
