"""Tables of InstaNovo and InstaNovo+."""

import math

import pytest

from conftest import ReadLines
from lacuna.reads.read import N_TERMINUS
from read_tables import ACETYL, CAM, near, only, reasons


@pytest.mark.parametrize(
    "header",
    [
        "scan_number,precursor_mz,precursor_charge,preds,log_probs,token_log_probs",
        "scan_number,precursor_mz,precursor_charge,predictions,log_probabilities,"
        "token_log_probabilities",
        "scan_number,precursor_mz,precursor_charge,predictions,log_probs,token_log_probs",
    ],
)
def test_instanovo_confidences_are_powers_of_e(read_lines: ReadLines, header: str) -> None:
    one = only(read_lines(header, '3,400.5,2,EC[UNIMOD:4]K,-3.0,"[-0.1, -0.5, 0.0]"'))
    assert one.confidences == near((math.exp(-0.1), math.exp(-0.5), 1.0))
    assert one.score == near(math.exp(-1.0))  # of one residue of three
    assert (one.tool, one.modifications) == ("instanovo", ((1, CAM),))


def test_an_n_terminal_token_has_its_score_taken_off(read_lines: ReadLines) -> None:
    header = "preds,log_probs,token_log_probs"
    one = only(read_lines(header, '[UNIMOD:1]EK,-1,"[-9.0, -0.1, -0.2]"'))
    assert one.modifications == ((N_TERMINUS, ACETYL),)
    assert one.confidences == near((math.exp(-0.1), math.exp(-0.2)))


@pytest.mark.parametrize("peptide", ["EC[UNIMOD:4]K", "[UNIMOD:1]EC[UNIMOD:4]K"])
def test_instanovo_by_beam_search_has_a_score_of_the_end(
    read_lines: ReadLines, peptide: str
) -> None:
    """It is not known whether it is the first or the last of the scores."""
    tokens = "-2.0, " * peptide.startswith("[")
    row = f'{peptide},-1,"[{tokens}-0.1, -0.3, -0.2, -0.4]"'
    one = only(read_lines("predictions,log_probabilities,token_log_probabilities", row))
    assert one.confidences == near((math.exp(-0.3), math.exp(-0.3), math.exp(-0.4)))


def test_instanovo_without_tokens_has_a_score_alone(read_lines: ReadLines) -> None:
    found = read_lines(
        "experiment_name,scan_number,preds,log_probs", "x,1,EVQL,-0.4", "x,2,,-1.0", "x,3,EV"
    )
    assert [r.confidences for r in found.reads] == [None]
    assert reasons(found)[0].endswith(
        "reads.csv:4: 3 cells where the table has 4 columns; correct the line"
    )


def test_an_empty_column_of_tokens_is_instanovo_plus(read_lines: ReadLines) -> None:
    found = read_lines("predictions,log_probs,token_log_probs", 'EVK,-1,"[-1, -1, -1]"', "EVK,-1,")
    assert [r.tool for r in found.reads] == ["instanovo", "instanovoplus"]
    named = read_lines("predictions,log_probs,token_log_probs", "EVK,-1,", form="instanovoplus")
    assert only(named).tool == "instanovoplus"


def test_instanovo_plus_has_residue_scores_only_of_the_other_model(
    read_lines: ReadLines,
) -> None:
    header = (
        "final_prediction,final_log_probabilities,selected_model,"
        "transformer_token_log_probabilities"
    )
    found = read_lines(header, 'SR,-1,diffusion,"[-1, -1]"', 'SR,-1,transformer,"[-1, -2]"')
    assert [(r.tool, r.confidences is None) for r in found.reads] == [
        ("instanovoplus", True),
        ("instanovoplus", False),
    ]
    header = (
        "predictions,log_probs,instanovo_predictions,instanovo_prediction_token_log_probabilities"
    )
    rows = [
        "SR,-1,\"['K', 'R']\",\"[-1, -1]\"",
        "S[UNIMOD:21]R,-1,\"['S[UNIMOD:21]', 'R']\",\"[-1, -2]\"",
    ]
    found = read_lines(header, *rows)
    assert [r.confidences is None for r in found.reads] == [True, False]
