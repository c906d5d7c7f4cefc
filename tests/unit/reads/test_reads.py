"""Peptide reads: every tool's tables become typed reads, and every fault is named."""

import csv
import gzip
import math
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Write
from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.masses import NEM, PROTON, WATER
from lacuna.core.paths import WORKFLOW
from lacuna.core.tables import REJECTED_TABLE
from lacuna.reads import single
from lacuna.reads.cysteine import carried_by_c, read_carried
from lacuna.reads.origin import neutral_mass, positive
from lacuna.reads.peptide import Peptide, parse_peptide, peptide_mass
from lacuna.reads.read import N_TERMINUS, Peptides, Read, content_of, weight_of_equal
from lacuna.reads.readers import read_peptides
from lacuna.reads.recognition import tools
from lacuna.reads.table import BadLine, head_of, layouts, layouts_without_header, rows
from lacuna.steps.reads import load_reads
from lacuna.steps.reads import read_peptides as step

SHARED = WORKFLOW.parents[1] / "shared" / "reads"
CAM, OXIDISED, DEAMIDATED, ACETYL = 57.021464, 15.994915, 0.984016, 42.010565


@pytest.fixture
def read(write: Write) -> Callable[..., Peptides]:
    """Reads of a file with such lines."""

    def read_lines(*lines: str, name: str = "reads.csv", form: str | None = None) -> Peptides:
        return read_peptides([write(name, "\n".join(lines) + "\n")], form)

    return read_lines


def only(found: Peptides) -> Read:
    assert found.rejected == []
    (one,) = found.reads
    return one


def reasons(found: Peptides) -> list[str]:
    return [row.reason for row in found.rejected]


def near(values: Any) -> Any:
    return pytest.approx(values, abs=1e-5)


# --- PEAKS ---------------------------------------------------------------------------------------

PEAKS_X = "Scan,Peptide,ALC (%),length,m/z,z,RT,Area,Mass,ppm,PTM,local confidence (%),tag (>=0%)"
PEAKS_12 = (
    '"Source File","Scan","Peptide","Deep Novo Score (%)","m/z","z","Area","Mass",'
    '"local confidence (%)","Feature Id"'
)


def test_peaks_residues_and_modifications_are_apart(read: Callable[..., Peptides]) -> None:
    one = only(
        read(
            PEAKS_X, "F2:9,EC(+57.02)M(+15.99)N(+.98)K,97,5,365.6,2,1,5.7E6,729,1,x,1 50 99 100 7,E"
        )
    )
    assert (one.tool, one.residues) == ("peaks", "ECMNK")
    assert one.modifications == ((1, CAM), (2, OXIDISED), (3, DEAMIDATED))
    assert one.confidences == near((0.01, 0.5, 0.99, 1.0, 0.07))
    assert (one.score, one.name) == (0.97, "reads.csv:2")


def test_peaks_columns_of_version_12_are_found_by_name(read: Callable[..., Peptides]) -> None:
    one = only(read(PEAKS_12, '"a.raw",4;5,TLSK,98.5,225.1,2,,448.2,100 99 98 97,3'))
    assert (one.residues, one.score) == ("TLSK", 0.985)


@pytest.mark.parametrize("first", ["sep=;", "sep=\t"])
def test_a_stated_separator_is_taken(read: Callable[..., Peptides], first: str) -> None:
    rows = [PEAKS_X, "1,EVK,97,3,188,2,1,,374.2,1,,9 9 9,E"]
    found = read(first, *(row.replace(",", first[4:]) for row in rows))
    assert only(found).name == "reads.csv:3"


def test_decimal_commas_are_read(read: Callable[..., Peptides]) -> None:
    one = only(read(PEAKS_X.replace(",", ";"), "1;EVK;97,5;3;188,1;2;1;5,7E6;374;1;;9 9 9;E"))
    assert (one.residues, one.score) == ("EVK", 0.975)


def test_a_score_of_another_scale_is_none(read: Callable[..., Peptides]) -> None:
    found = read("TITLE\tDENOVO\tScore\tPositional Score", "x\tEVK\t17.5\t[0.3, 0.4, 0.5]")
    assert only(found).score is None


def test_peaks_features_are_every_candidate_once(read: Callable[..., Peptides]) -> None:
    found = read(
        '"Feature Id","m/z","z","Area","Denovo Peptide","ALC (%)"',
        "7,300.2,2,9,DLQM;LDQM;DLQM,99.0",
    )
    assert [(r.name, r.residues) for r in found.reads] == [
        ("reads.csv:2", "DLQM"),
        ("reads.csv:2.2", "LDQM"),
    ]
    assert found.reads[0].confidences is None


def test_peaks_rows_without_confidences_keep_their_score(read: Callable[..., Peptides]) -> None:
    found = read("Peptide,ALC (%),local confidence (%)", "EVK,90,", "EVR,80,90 80 70", ",,")
    assert [r.confidences for r in found.reads] == [None, (0.9, 0.8, 0.7)]
    assert [r.score for r in found.reads] == [0.9, 0.8]
    assert not found.rejected


def test_a_score_of_0_is_a_score(read: Callable[..., Peptides]) -> None:
    header = "Peptide,ALC (%),Deep Novo Score (%),local confidence (%)"
    assert [r.score for r in read(header, "EVK,0,90,", "EVK,,90,").reads] == [0, 0.9]


def test_columns_that_are_not_used_may_hold_anything(read: Callable[..., Peptides]) -> None:
    plain = read("peptide\tmass\tintensity", "EVK\t2e6\t7", "EVK\t37_4.2\t-", "EVK")
    assert [one.residues for one in plain.reads] == ["EVK"] * 3 and plain.rejected == []
    header, peptide = PEAKS_X.split(",tag")[0], ",EVK,97,3,188,2,1,,374.2,1,,9 9 9"
    one = only(read(f"{header},Area", f"1{peptide}"))  # the line ends before its last column
    assert one == only(read(header, f"?{peptide.replace('188', 'NaN').replace('374.2', '-1')}"))


def test_peaks_variants_are_the_residue_that_was_read(read: Callable[..., Peptides]) -> None:
    found = read('"Peptide","-10LgP","Mass","CAA (%)","z"', "A(sub G)P(sub T)LV,25,382.2,66.7,2")
    assert (only(found).residues, only(found).modifications) == ("APLV", ())


def test_peaks_neighbours_of_a_database_peptide_are_left_out(read: Callable[..., Peptides]) -> None:
    header = "Protein Accession,Peptide,-10lgP,Mass,m/z,z"
    found = read(header, "H,K.HAC(+57.02)K.-,9,1,2,2", "H,EVQL.L,9,1,2,2", "H,EVQL,9,1,2,2")
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
    read: Callable[..., Peptides],
    written: str,
    residues: str,
    modifications: tuple[tuple[int, float], ...],
) -> None:
    found = only(read("peptide\tconfidence", f"{written}\t0.9"))
    assert (found.residues, found.modifications) == (residues, modifications)


def test_j_is_i_or_l(read: Callable[..., Peptides]) -> None:
    assert only(read("peptide,confidence", "EJC(+57.02)J,1 1 1 1")).residues == "ELCL"


# --- InstaNovo -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "scan_number,precursor_mz,precursor_charge,preds,log_probs,token_log_probs",
        "scan_number,precursor_mz,precursor_charge,predictions,log_probabilities,"
        "token_log_probabilities",
        "scan_number,precursor_mz,precursor_charge,predictions,log_probs,token_log_probs",
    ],
)
def test_instanovo_confidences_are_powers_of_e(read: Callable[..., Peptides], header: str) -> None:
    one = only(read(header, '3,400.5,2,EC[UNIMOD:4]K,-3.0,"[-0.1, -0.5, 0.0]"'))
    assert one.confidences == near((math.exp(-0.1), math.exp(-0.5), 1.0))
    assert one.score == near(math.exp(-1.0))  # of one residue of three
    assert (one.tool, one.modifications) == ("instanovo", ((1, CAM),))


def test_an_n_terminal_token_has_its_score_taken_off(read: Callable[..., Peptides]) -> None:
    header = "preds,log_probs,token_log_probs"
    one = only(read(header, '[UNIMOD:1]EK,-1,"[-9.0, -0.1, -0.2]"'))
    assert one.modifications == ((N_TERMINUS, ACETYL),)
    assert one.confidences == near((math.exp(-0.1), math.exp(-0.2)))


@pytest.mark.parametrize("peptide", ["EC[UNIMOD:4]K", "[UNIMOD:1]EC[UNIMOD:4]K"])
def test_instanovo_by_beam_search_has_a_score_of_the_end(
    read: Callable[..., Peptides], peptide: str
) -> None:
    """It is not known whether it is the first or the last of the scores."""
    tokens = "-2.0, " * peptide.startswith("[")
    row = f'{peptide},-1,"[{tokens}-0.1, -0.3, -0.2, -0.4]"'
    one = only(read("predictions,log_probabilities,token_log_probabilities", row))
    assert one.confidences == near((math.exp(-0.3), math.exp(-0.3), math.exp(-0.4)))


def test_instanovo_without_tokens_has_a_score_alone(read: Callable[..., Peptides]) -> None:
    found = read(
        "experiment_name,scan_number,preds,log_probs", "x,1,EVQL,-0.4", "x,2,,-1.0", "x,3,EV"
    )
    assert [r.confidences for r in found.reads] == [None]
    assert reasons(found)[0].endswith(
        "reads.csv:4: 3 cells where the table has 4 columns; correct the line"
    )


def test_an_empty_column_of_tokens_is_instanovo_plus(read: Callable[..., Peptides]) -> None:
    found = read("predictions,log_probs,token_log_probs", 'EVK,-1,"[-1, -1, -1]"', "EVK,-1,")
    assert [r.tool for r in found.reads] == ["instanovo", "instanovoplus"]
    named = read("predictions,log_probs,token_log_probs", "EVK,-1,", form="instanovoplus")
    assert only(named).tool == "instanovoplus"


def test_instanovo_plus_has_residue_scores_only_of_the_other_model(
    read: Callable[..., Peptides],
) -> None:
    header = (
        "final_prediction,final_log_probabilities,selected_model,"
        "transformer_token_log_probabilities"
    )
    found = read(header, 'SR,-1,diffusion,"[-1, -1]"', 'SR,-1,transformer,"[-1, -2]"')
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
    found = read(header, *rows)
    assert [r.confidences is None for r in found.reads] == [True, False]


# --- Casanovo and its relatives ------------------------------------------------------------------


def mztab(*rows: tuple[str, float, str], version: str = "5.0.0", column: str = "") -> str:
    """An mzTab file of peptides, their scores and those of their residues."""
    name = column or "opt_ms_run[1]_aa_scores"
    lines = [
        "MTD\tmzTab-version\t1.0.0",
        f"MTD\tsoftware[1]\t[MS, MS:1003281, Casanovo, {version}]",
        "PSH\tsequence\tPSM_ID\tsearch_engine_score[1]\tcharge\texp_mass_to_charge\tspectra_ref\t"
        f"{name}",
    ]
    for number, (peptide, score, scores) in enumerate(rows, 1):
        lines.append(f"PSM\t{peptide}\t{number}\t{score}\t2.0\t400.5\tms_run[1]:index=1\t{scores}")
    return "\n".join(lines) + "\n"


def test_casanovo_5_is_taken_as_it_is(read: Callable[..., Peptides]) -> None:
    text = mztab(("[Acetyl]-EC[Carbamidomethyl]K", -0.25, "0.5,0.9,0.8,0.7"))
    one = only(read(text, name="any.txt"))
    assert one.modifications == ((N_TERMINUS, ACETYL), (1, CAM))
    assert one.confidences == (0.9, 0.8, 0.7)
    assert one.score == 0.75  # it does not fit its precursor, for which 1 was taken away
    assert (one.tool, one.name) == ("casanovo", "any.txt:4")


@pytest.mark.parametrize("tokens", ["+42.011", "+43.006-17.027", "-17.027"])
def test_casanovo_bare_masses_are_tokens_but_those_of_their_residue(
    read: Callable[..., Peptides], tokens: str
) -> None:
    one = only(read(mztab((f"{tokens}M+15.995EC+57.021", 0.9, "0.1,0.9,0.8,0.7"), version="3.2.0")))
    assert one.residues == "MEC"
    assert one.confidences == (0.9, 0.8, 0.7)
    assert one.modifications[1:] == ((0, OXIDISED), (2, CAM))


def test_modified_residues_that_a_model_of_the_user_knows_are_one_token(
    read: Callable[..., Peptides],
) -> None:
    one = only(read(mztab(("+42.011EC+58.005K", 0.9, "0.1,0.9,0.8,0.7"), version="3.2.0")))
    assert one.confidences == (0.9, 0.8, 0.7)
    assert one.modifications == ((N_TERMINUS, ACETYL), (1, near(58.005479)))


def test_averages_with_the_peptide_score_are_undone(read: Callable[..., Peptides]) -> None:
    true = (0.9, 0.1, 0.5)
    mean = sum(true) / 3
    written = ",".join(f"{(score + mean) / 2:.5f}" for score in true)
    rows = [("EVK", 0.5, written)] * 5
    found = read(mztab(*rows, version="4.3.1"))
    assert all(r.confidences == pytest.approx(true, abs=1e-4) for r in found.reads)
    # A row that can be no average shows that none is, and version 5 has none.
    plain = read(mztab(*rows, ("EVK", 0.5, "0.9,0.9,0.1"), version="4.3.1"))
    assert plain.reads[0].confidences == near(tuple(map(float, written.split(","))))
    five = read(mztab(*rows, version="5.0.0"))
    assert five.reads[0].confidences == near(tuple(map(float, written.split(","))))


def test_scores_of_an_order_that_is_not_known_are_the_lower_of_both(
    read: Callable[..., Peptides],
) -> None:
    found = read(mztab(("EVQK", 0.5, "0.9,0.1,0.8,0.7"), version="4.2.1"))
    assert only(found).confidences == (0.7, 0.1, 0.1, 0.7)
    found = read(mztab(("+42.011EVK", 0.5, "0.2,0.9,0.8,0.7"), version="4.2.1"))
    assert only(found).confidences == (0.8, 0.8, 0.2)


def test_casanovo_5_1_has_its_modifications_elsewhere(read: Callable[..., Peptides]) -> None:
    text = mztab(("MK", 0.5, "0.9,0.8"), column="opt_global_aa_scores").replace("PSH\t", "PSH\t", 1)
    head, row = text.rstrip("\n").rsplit("\n", 1)
    text = (
        head
        + "\topt_global_cv_MS:1003169_proforma_peptidoform_sequence\n"
        + row
        + "\tM[Oxidation]K/2\n"
    )
    assert only(read(text)).modifications == ((0, OXIDISED),)


def test_averages_of_a_relative_are_of_unknown_order(read: Callable[..., Peptides]) -> None:
    rows = [("EVQK", 0.5, "0.8,0.4,0.7,0.7")] * 5
    text = mztab(*rows).replace("Casanovo, 5.0.0", "Adanovo")
    stated = tuple(2 * c - 0.65 for c in (0.7, 0.4, 0.4, 0.7))
    assert read(text).reads[0].confidences == near(stated)


@pytest.mark.parametrize("tool", ["ContraNovo", "Adanovo"])
def test_relatives_of_casanovo_are_told_apart(read: Callable[..., Peptides], tool: str) -> None:
    text = mztab(("EVK", 0.5, "0.9,0.8,0.7")).replace(
        "PSH", f"MTD\tsoftware[1]-setting[1]\tmodel = {tool}/x.ckpt\nPSH", 1
    )
    assert only(read(text)).tool == tool.casefold()


def test_a_spoilt_psm_line_is_rejected_alone(read: Callable[..., Peptides]) -> None:
    text = mztab(("EVK", 0.5, "0.9,0.8,0.7"), ("", 0.1, ""), ("EXK", 0.5, "1,1,1")) + "PSM\tEVQ\n"
    found = read(text)
    assert [r.residues for r in found.reads] == ["EVK"]
    assert sorted(row.line for row in found.rejected) == [6, 7]


@pytest.mark.parametrize("separator", "\t,;")
def test_an_mztab_file_that_a_spreadsheet_saved_is_read(
    read: Callable[..., Peptides], separator: str
) -> None:
    text = mztab(("EVK", 0.5, "0.9,0.8,0.7"), ("EVR", 0.5, "0.9,0.8,0.6"), ("EXK", 0.5, "1,1,1"))
    lines = saved([line.split("\t") for line in text.splitlines()], separator)
    assert read(*lines) == read(text)
    assert len(read(*lines, f"PSM{separator}EVQ").rejected) == 2


def test_mztab_of_a_search_engine_is_one_clear_line(read: Callable[..., Peptides]) -> None:
    with pytest.raises(LacunaError, match="without scores of residues.*Casanovo"):
        read(mztab(("EVK", 0.5, "x"), column="opt_other"))


# --- the other tools -----------------------------------------------------------------------------

NOVOR = (
    "# id, scanNum, RT, mz(data), z, pepMass(denovo), err(data-denovo), ppm, score, peptide, "
    "aaScore, "
)


def test_novor_behind_its_licence(read: Callable[..., Peptides]) -> None:
    found = read(
        "#====== N-O-V-O-R ======", "#", "", "# fragmentation = HCD, x", NOVOR,
        "0, 7, 3.1, 400.5, 2, 799, 0, 1, 24.8, EC(Cam)M(O)K, 11-15-39-35",
        "1, 8, 3.1, 400.5, 2, 799, 0, 1, 24.8, (N-term|Acetyl)M(0)N(1)K, 11-15-39",
        "2, 9, 3.1, 400.5, 2, 799, 0, 1, 24.8, EVK, 11-15",
    )  # fmt: skip
    first, second = found.reads
    assert first.confidences == near((0.11, 0.15, 0.39, 0.35))
    assert first.modifications == ((1, CAM), (2, OXIDISED))
    assert second.modifications == ((N_TERMINUS, ACETYL), (0, OXIDISED), (1, DEAMIDATED))
    assert (first.tool, first.score, first.name) == ("novor", 0.248, "reads.csv:6")
    assert "reads.csv:8: 2 confidences for 3 residues" in reasons(found)[0]


def test_novor_cloud_has_no_residue_scores(read: Callable[..., Peptides]) -> None:
    header = (
        "Fraction,Scan #,m/z,z,Score,Peptide Mass,Error (ppm),Length,De Novo Peptide,DB Sequence"
    )
    one = only(read(header, "F1,9,400.5,2,97.9,799,0,3,EVK,"))
    assert (one.tool, one.score, one.confidences) == ("novor", 0.979, None)
    header = 'ID,Fraction,Scan #,m/z,z,Score,Mass,Error (ppm),"# Proteins",Sequence'
    assert only(read(header, "P1,1,9,400.5,2.0,16.7,799,0,2,EVK")).tool == "novor_db"


def test_novor_decoys_are_no_reads(read: Callable[..., Peptides]) -> None:
    found = read(
        "line, target/decoy, nDecoy, specId, scanNum, mz, z, ppm, score, peptide, protein",
        "1, target, 0, 11786, 22443, 188.1, 2, 4.2, 17.4, EVK, >light",
        "2, decoy, 1, 11787, 22444, 188.1, 2, 4.2, 17.4, KVE, >decoy",
    )
    assert (only(found).tool, only(found).residues) == ("novor_db", "EVK")


def test_deepnovo_scores_are_logarithms(read: Callable[..., Peptides]) -> None:
    header = "\t".join(
        "feature_id feature_area predicted_sequence predicted_score predicted_position_score "
        "precursor_mz precursor_charge".split()
    )
    rows = [
        "F1:1\t1.0\tC(Carbamidomethylation),Nmod,K\t-0.5\t-0.1,-0.5,0.0\t400.5\t2.0",
        "F1:2\t1.0\tE,V,K\t-0.5\t-0.1,-0.5\t400.5\t2.0",
        "F1:3\t1.0\t\t\t\t400.5\t2.0",
    ]
    found = read(header, *rows)
    first, short = found.reads
    assert first.modifications == ((0, CAM), (1, DEAMIDATED))
    assert first.confidences == near((math.exp(-0.1), math.exp(-0.5), 1.0))
    # One less than residues: that of the first or of the last is not there.
    assert short.confidences == near((math.exp(-0.1), math.exp(-0.5), math.exp(-0.5)))


MAXNOVO = "Raw file \tScan number \tm/z \tCharge \tDN sequence \tDN nterm mass \tDN cterm mass "


def test_maxnovo_ends_tell_which_residue_it_is(read: Callable[..., Peptides]) -> None:
    n_mass, c_mass = 300.1, 114.042927
    row = "x \t9 \t{mz} \t2 \t{{M(Oxidation (M))|F}}[{{I|L}}K] \t300.1 \t114.042927"
    for text, modifications in (("FIK", ()), ("M(Oxidation)IK", ((0, OXIDISED),))):
        mass = peptide_mass(parse_peptide(text)) + n_mass + c_mass
        one = only(read(MAXNOVO, row.format(mz=mass / 2 + PROTON)))
        assert (one.residues[-2:], one.modifications) == ("IK", modifications)
    one = only(read(MAXNOVO, row.format(mz=mass / 2 + PROTON + 0.1)))  # nothing fits
    assert (one.residues, one.modifications) == ("MIK", ((0, OXIDISED),))


def test_maxnovo_knows_a_fixed_modification_by_the_mass(read: Callable[..., Peptides]) -> None:
    mass = peptide_mass(parse_peptide("EC(+57.02)K"))
    one = only(read(MAXNOVO, f"x\t9\t{mass / 2 + PROTON}\t2\tECK\t0\t0"))
    assert one.modifications == ((1, CAM),)


def test_maxquant_decoys_are_no_reads(read: Callable[..., Peptides]) -> None:
    header = "Raw file\tModified sequence\tm/z\tCharge\tReverse"
    found = read(
        header,
        "x\t_(Acetyl (Protein N-term))EC(Carbamidomethyl (C))K_\t9\t1\t",
        "x\t_EVK_\t9\t1\t+",
    )
    assert only(found).modifications == ((N_TERMINUS, ACETYL), (1, CAM))


def test_tables_of_one_tool_each(read: Callable[..., Peptides]) -> None:
    one = only(
        read(
            "Spectrum Name,PowerNovo Peptides,PowerNovo aaScore,PowerNovo Score,Area",
            "x,EVK,0.3 0.4 0.5,0.57,1",
        )
    )
    assert (one.tool, one.confidences) == ("powernovo", (0.3, 0.4, 0.5))
    one = only(
        read(
            "TITLE\tDENOVO\tScore\tPPM Difference\tPositional Score",
            "x\tEVK\t0.1\t1\t[0.3, 0.4, 0.5]",
        )
    )
    assert (one.tool, one.confidences) == ("pepnet", (0.3, 0.4, 0.5))
    one = only(read("label\tprediction\tcharge\tscore", "x\tN[+0.984]K\t2\t0.25"))
    assert (one.tool, one.score, one.modifications) == ("piprimenovo", 0.5, ((0, DEAMIDATED),))
    one = only(
        read("MS2 Id\tPeptide Sequence\tPrecursor MZ\tCharge", "9\t-MK.C(57.021464)K.RDA\t125\t2")
    )
    assert (one.tool, one.residues, one.modifications) == ("proteoscape", "CK", ((0, CAM),))


def test_tables_without_a_header(read: Callable[..., Peptides]) -> None:
    one = only(read('x.5.5.2 File:"x.raw", NativeID:"scan=5"\tHG+42.011N+0.984\t0.41'))
    assert (one.tool, one.residues, one.score) == ("pihelixnovo", "HGN", 0.41)
    assert one.modifications == ((1, ACETYL), (2, DEAMIDATED))
    one = only(
        read("x,17.4,0.92,2974.9,0_11,0.001,['CSVMK'],CSVMK,"
            '"1,Carbamidomethyl[AnyN-term];4,Oxidation[M];"')
    )  # fmt: skip
    assert (one.tool, one.score) == ("punifind", 0.92)
    assert one.modifications == ((N_TERMINUS, CAM), (3, OXIDISED))


@pytest.mark.parametrize("form", [None, "pihelixnovo"])
def test_an_unusual_first_row_does_not_hide_a_table_without_a_header(
    read: Callable[..., Peptides], form: str | None
) -> None:
    found = read("a\t\tnan", "b\tEV?\t0.5", "c\tEVK\t0.41", form=form)
    (one,) = found.reads
    assert (one.tool, one.residues, one.name) == ("pihelixnovo", "EVK", "reads.csv:3")
    assert ":2: '?' in the peptide" in reasons(found)[0]
    row = ",".join(["x,17.4,0.92,2974.9,0_11,0.001", "{0}", "CSVMK", ""])
    found = read(row.format("?"), row.format("['CSVMK']"))
    assert [r.tool for r in found.reads] == ["punifind"]
    assert only(read("Index:1,x\tEVQK\t1\t2\tnan\t\t3\t4\t5", form="pnovo")).score is None


@pytest.mark.parametrize("form", [None, "pihelixnovo"])
def test_a_header_of_another_table_is_no_first_row(
    read: Callable[..., Peptides], form: str | None
) -> None:
    with pytest.raises(LacunaError, match=r"it begins with 'id\\tsequence\\tscore'"):
        read("id\tsequence\tscore", "a\tEVK\t0.41", form=form)
    for header in ("id\tpeptide\tscore", "\tpeptide\tscore"):
        assert only(read(header, "a\tEVK\t0.41")).tool == "table"


def test_novob_takes_the_likelier_direction(read: Callable[..., Peptides]) -> None:
    rows = [
        "1\t2\t700.3\t['ECmK']\t0.1\t0.2\t['EVK']\t0.0\t0.729",
        "2\t2\t700.3\t['ECmK']\t0.1\t0.0\t['EVK']\t9.0\t0.0",
        "3\t2\t700.3\t['']\t700\t0.0\t['']\t700\t0.0",
        "4\t2\t700.3\t['ECmK']\t0.1\t0.2\t['AAK']\t0.0\t0.2",  # as likely, and fits better
    ]
    found = read(*rows)
    assert [r.residues for r in found.reads] == ["EVK", "ECMK", "AAK"]
    assert found.reads[1].modifications == ((1, CAM), (2, OXIDISED))
    # NovoB multiplies the probabilities of the residues.
    assert [r.score for r in found.reads[:2]] == [near(0.9), 0]


def saved(rows: list[list[str]], separator: str) -> list[str]:
    """The lines of a table as a spreadsheet saves it: rows filled up, cells in quotes as needed."""
    width = max(map(len, rows))
    out = StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerows([*row, *[""] * (width - len(row))] for row in rows)
    return out.getvalue().splitlines()


HEADERLESS = {
    "novob": ["1", "2", "700.3", "['ECmK']", "0.1", "0.2", "['EVK']", "0.0", "0.9"],
    "punifind": [
        "x, y",
        "17.4",
        "0.92",
        "2974.9",
        "0_11",
        "0.1",
        "['EVK']",
        "EVK",
        "1,Oxidation[M];",
    ],
    "pnovo": ["x, y", "EVQK", "1", "2", "87.5", "90,80,70,60", "3", "4", "5"],
    "pihelixnovo": ['x File:"x.raw", scan=5', "EVK", "0.41"],
}


@pytest.mark.parametrize("stated", ["", "sep="])
@pytest.mark.parametrize("separator", "\t,;")
@pytest.mark.parametrize("tool", HEADERLESS)
def test_tables_without_a_header_are_told_apart_by_their_content(
    read: Callable[..., Peptides], tool: str, separator: str, stated: str
) -> None:
    first = [f"sep={separator}"] if stated else []
    lines = saved([HEADERLESS[tool]], separator)
    one = only(read(*first, *lines))
    assert (one.tool, one.residues[:2]) == (tool, "EV")
    assert only(read(*first, *lines, form=tool)) == one


def test_decimal_commas_without_a_header(read: Callable[..., Peptides]) -> None:
    assert only(read("x;EVK;0,41")).score == 0.41


def test_pnovo_keeps_what_is_not_modified(read: Callable[..., Peptides]) -> None:
    row = "Index:{n},x\t{peptide}\t1\t2\t87.5\t{scores}\t3\t4\t5"
    found = read(
        row.format(n=1, peptide="EVQK", scores="90,80,70,60"),
        row.format(n=2, peptide="EVaQLK", scores="90,80,70,60,50,40"),
        row.format(n=3, peptide="EVQLK", scores="90,80"),
        row.format(n=4, peptide="EaVb", scores="90,80,70,60"),
    )
    assert [(r.tool, r.residues) for r in found.reads] == [
        ("pnovo", "EVQK"), ("pnovo", "QLK"), ("pnovo", "EVQLK")
    ]  # fmt: skip
    assert found.reads[0].confidences == (0.9, 0.8, 0.7, 0.6)
    assert found.reads[1].confidences == near((0.6, 0.5, 0.4))
    assert found.reads[2].confidences is None  # as many as nothing in the row
    assert ":4: 'EaVb'" in reasons(found)[0]


@pytest.mark.parametrize("separator", "\t,;")
def test_a_plain_table(read: Callable[..., Peptides], separator: str) -> None:
    rows = ["Peptide,confidence,mass,intensity", "EC(+57.02)K,0.9 0.8 1,435.2,7", "EVK,,,"]
    found = read(*(row.replace(",", separator) for row in rows))
    first, second = found.reads
    assert (first.tool, first.confidences) == ("table", (0.9, 0.8, 1.0))
    assert (second.residues, second.confidences) == ("EVK", None)


@pytest.mark.parametrize(("column", "score"), [("0.9", 0.9), ("[0,9]", 0.9), ("90", 0.9)])
def test_one_confidence_is_the_score_of_the_peptide(
    read: Callable[..., Peptides], column: str, score: float
) -> None:
    one = only(read("peptide\tconfidence", f"ECK\t{column}"))
    assert (one.confidences, one.score) == (None, score)


@pytest.mark.parametrize(
    ("header", "level", "told"),
    [
        (
            "peptide\tScore",
            "WARNING",
            "reads.csv: column 'score' is not used; if it says",
        ),
        (
            "peptide\tscan",
            "INFO",
            "reads.csv: no column 'confidence', so that all",
        ),
        ("peptide\tconfidence", "", ""),
    ],
)
def test_a_plain_table_without_confidences_is_told_of(
    read: Callable[..., Peptides],
    caplog: pytest.LogCaptureFixture,
    header: str,
    level: str,
    told: str,
) -> None:
    caplog.set_level("INFO")
    assert only(read(header, "ECKAAK\t0.9")).residues == "ECKAAK"
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert len(said) == bool(told)
    assert all(name == level and told in text for name, text in said)


def test_one_score_of_a_tool_that_has_one_per_residue_is_a_fault() -> None:
    with pytest.raises(ValueError, match="^1 confidence for 3 residues; give one for each"):
        parse_peptide("EVK").of_residues([0.9])


@pytest.mark.parametrize(
    "written", ["0,9 0,8 1", "0.9, 0.8, 1", "0.9,0.8,1", "0,9;0,8;1", "[0.9, 0.8, 1.0]"]
)
def test_confidences_may_have_decimal_commas(read: Callable[..., Peptides], written: str) -> None:
    assert only(read("peptide\tconfidence", f"ECK\t{written}")).confidences == (0.9, 0.8, 1.0)


@pytest.mark.parametrize("written", ["M(+15,99)", "M[+15,9949]", "M+15,995"])
def test_masses_of_modifications_may_have_decimal_commas(
    read: Callable[..., Peptides], written: str
) -> None:
    one = only(read("peptide;confidence", f"(+42,01)E{written}N(+,98)K;1 1 0,5 0,5"))
    assert one.modifications == ((N_TERMINUS, ACETYL), (1, OXIDISED), (2, DEAMIDATED))
    assert one.confidences == (1, 1, 0.5, 0.5)


def test_a_mass_with_thousands_is_not_read_as_another(read: Callable[..., Peptides]) -> None:
    (said,) = reasons(read("peptide", "EVK", '"EN(+1,444.53)K"'))
    assert "modification '+1,444.53', which is not a mass in Da" in said


def test_a_table_of_one_column(read: Callable[..., Peptides]) -> None:
    assert [r.residues for r in read("peptide", "EVK", "", "LLK").reads] == ["EVK", "LLK"]


# --- scales --------------------------------------------------------------------------------------

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
    read: Callable[..., Peptides], header: str, percentages: str, fractions: str
) -> None:
    of_percentages, of_fractions = (read(header, row) for row in (percentages, fractions))
    assert of_percentages == of_fractions
    one = only(of_fractions)
    assert max(one.confidences or [one.score or 0.0]) > 0.5


def test_shares_of_pnovo_are_recognised(read: Callable[..., Peptides]) -> None:
    one = only(read(PNOVO_ROW.format("0.8", "0.9,0.8,0.7")))
    assert (one.score, one.confidences) == (0.8, (0.9, 0.8, 0.7))


def test_a_column_of_each_scale(read: Callable[..., Peptides]) -> None:
    found = read("Peptide,ALC (%),local confidence (%)", "EVK,80,0.9 0.8 1", "EVK,1,1 1 1")
    assert [(r.score, r.confidences) for r in found.reads] == [
        (0.8, (0.9, 0.8, 1.0)), (0.01, (1.0, 1.0, 1.0))
    ]  # fmt: skip


def test_shares_among_percentages_are_rejected(read: Callable[..., Peptides]) -> None:
    found = read("Peptide,local confidence (%)", "EVK,90 80 70", "EVR,0.9 0.8 1", "EVH,0 1 1")
    assert [(r.residues, r.confidences) for r in found.reads] == [
        ("EVK", (0.9, 0.8, 0.7)), ("EVH", (0.0, 0.01, 0.01))
    ]  # fmt: skip
    assert "confidences of at most 1 among percentages in column 'local" in reasons(found)[0]


def test_a_percentage_among_shares_is_rejected(read: Callable[..., Peptides]) -> None:
    found = read("peptide,confidence", "EVK,0.9 0.8 0.7", "EVR,1 1 90")
    assert only(found._replace(rejected=[])).confidences == (0.9, 0.8, 0.7)
    assert "divide percentages by 100" in reasons(found)[0]


def test_a_column_that_may_have_either_scale_is_refused(read: Callable[..., Peptides]) -> None:
    with pytest.raises(LacunaError, match=r"reads.csv: column 'local confidence \(%\)' has no"):
        read("Peptide,local confidence (%)", "EVK,1 1 1")
    assert only(read("Peptide,local confidence (%)", "EVK,0 0 0")).confidences == (0.0, 0.0, 0.0)


def test_probabilities_are_no_logarithms(read: Callable[..., Peptides]) -> None:
    fault = "a log probability of 0.9, where none is above 0"
    for header, row in (
        ("preds,log_probs,token_log_probs", 'EVK,-1,"[0.9, -0.5, 0.0]"'),
        ("experiment_name,preds,log_probs", "x,EVK,2.7"),
        ("predicted_sequence\tpredicted_score\tpredicted_position_score", "E,V\t-1\t0.9,0.8"),
        ("predicted_sequence\tpredicted_score\tpredicted_position_score", "E,V\t0.9\t-1,-2"),
    ):
        found = read(header, row)
        assert (found.reads, fault in reasons(found)[0]) == ([], True)


def test_a_product_above_one_is_no_probability(read: Callable[..., Peptides]) -> None:
    assert only(read("label\tprediction\tcharge\tscore", "x\tEVK\t2\t97.2")).score is None


# --- files and faults ----------------------------------------------------------------------------


def test_bytes_as_windows_writes_them(write: Write) -> None:
    text = "\ufeffpeptide,confidence\r\nEVK,1 1 1\r\n"
    assert only(read_peptides([write("a.csv", text)])).confidences == (1.0, 1.0, 1.0)
    assert only(read_peptides([write("a.csv.gz", text)])).name == "a.csv.gz:2"


def test_nem_is_a_name_as_it_is_one_of_alkylation(read: Callable[..., Peptides]) -> None:
    assert only(read("peptide", "AC(NEM)K")).modifications == ((1, NEM),)


@pytest.mark.parametrize("peptide", ["M[147.0354]K", "[228.11]QLV", "QC(57.02)LV"])
def test_the_remedy_of_a_mass_without_a_sign_is_one_of_peptides(
    read: Callable[..., Peptides], peptide: str
) -> None:
    (reason,) = reasons(read("peptide", "EVK", peptide))
    remedy = "write what the residue gains, as in M[+15.9949]; if it is the mass of residues that "
    assert f", a mass without a sign; {remedy}" in reason
    assert "X[" not in reason  # X is no residue of a read
    assert only(read("peptide", "M[+15.9949]K")).modifications == ((0, OXIDISED),)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("EVK,0.9 0.8,1", "2 confidences for 3 residues"),
        (
            "EVK,0.9 0.8 98,1",
            "a confidence of 98, which is not between 0 and 1; divide",
        ),
        ("EVK,0.9 0.8 -1,1", "a confidence of -1, which is not between 0 and 1; correct it"),
        ("EVK,0.9 0.8 nan,1", "a confidence of 'nan', which is no number"),
        ("EVK,0.9 0.8 .9_9,1", "a confidence of '.9_9', which is no number"),
        ("EVK,0.9 0.8 high,1", "a confidence of 'high', which is no number"),
        ("EXK,,1", "'X' in the peptide, which is none of the 20 residues"),
        ("evk,,1", "'e' in the peptide, a small letter; write residues as capitals"),
        ("E(Oxydation)K,,1", "modification 'Oxydation', a name that Unimod does not have"),
        ("E(16)K,,1", "modification '16', a mass without a sign"),
        ("E(+nan)K,,1", "modification '+nan'"),
        ("E(+1K,,1", "'(+1K' in the peptide"),
        ("(+42.01),,1", "a peptide without residues"),
        ("EVK", "1 cells where the table has 3 columns"),
        ("EVK,,1,2,3", "5 cells where the table has 3 columns"),
        ('"EVK,,1', "a quote that is not closed"),
        ('"EV"K,,1', "cannot be split into columns (',' expected after '\"'); correct"),
        ('EVK,,"' + "1" * 131_073 + '"', "cannot be split into columns (field larger than field"),
        ('E"VK,,1', "'\"VK' in the peptide"),
    ],
)
def test_a_bad_row_is_rejected_and_the_others_are_read(
    read: Callable[..., Peptides], row: str, fault: str
) -> None:
    found = read("peptide,confidence,mass", "AAK,,1", row, "CCK,,1")
    assert [r.residues for r in found.reads] == ["AAK", "CCK"]
    (rejected,) = found.rejected
    assert (rejected.chain, rejected.line) == ("reads.csv:3", 3)
    assert f"reads.csv:3: {fault}" in rejected.reason
    assert "; " in rejected.reason  # and the remedy


@pytest.mark.parametrize("name", ["a.csv", "b.csv", "a.csv.gz"])
def test_reads_that_are_given_twice_are_refused(write: Write, name: str) -> None:
    text = "peptide\nEVK\n"
    paths = [write("a.csv", text), write("other.csv", text + "\n"), write(name, text)]
    fault = "is named twice" if name == "a.csv" else f"is a copy of {re.escape(str(paths[0]))}"
    with pytest.raises(LacunaError, match=f"/{name}: {fault}, so that each of its reads counts"):
        read_peptides(paths)
    assert len(read_peptides(paths[:2]).reads) == 2


def test_a_copy_with_other_ends_of_lines_is_one(write: Write) -> None:
    paths = [write("a.csv", "peptide\nEVK\n"), write("b.csv", "\ufeffpeptide\r\nEVK\r\n")]
    with pytest.raises(LacunaError, match=r"b\.csv: is a copy of .*a\.csv"):
        read_peptides(paths)


def test_a_file_whose_reads_are_in_another_is_told(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [f"{'ACDEFGHK'[: n + 2]},{' '.join(['0.9'] * (n + 2))}" for n in range(6)]
    whole = write("whole.csv", "\n".join(("peptide,confidence", *rows)))
    part = write("part.csv", "\n".join(("peptide,confidence", *rows[:3], "CCK,0.1 0.2 0.3")))
    other = write(
        "other.csv",
        "\n".join(("peptide,confidence", rows[0], "DDK,0.1 0.2 0.3", "EEK,0.1 0.2 0.3")),
    )
    read_peptides([whole, other])
    assert not caplog.records
    read_peptides([whole, part])
    (record,) = caplog.records
    assert f"{part}: 3 of 4 reads are also in {whole}" in record.getMessage()


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_a_clear_line(write: Write, text: str) -> None:
    with pytest.raises(LacunaError, match="empty"):
        read_peptides([write("a.csv", text)])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!DOCTYPE html>\n<html>", "no peptides, but a page of HTML; give the file itself"),
        (">chain\nEVQLVESGG\n", "no peptides, but a FASTA file; give it in another column"),
        ("COM=x\nBEGIN IONS\nPEPMASS=1\n", "no peptides, but fragment spectra; give those that"),
        ('<?xml version="1.0"?>\n<indexedmzML>\n<mzML>', "no peptides, but fragment spectra"),
        ('<?xml version="1.0"?>\n<mzIdentML>', "but XML or JSON; export the peptides as a table"),
        ('{"peptide": "EVK"}', "but XML or JSON; export"),
        ("Sequence;Score\nEVK;1\n", "if its column 'sequence' has peptides, name it peptide"),
        ("My peptide\nEVK\n", "if its column 'my peptide' has peptides, name it peptide"),
        ("peptide confidence\nEVK 1.0\n", "; separate columns by tabs or commas, and name that"),
        ("EVQLVESGG\nEVQLC(cam)\n\n?\n", "; its first line is no header; add a line 'peptide' be"),
        ("1\tEVQLVESGG\n", "no header; add one that names the columns, column 2 peptide"),
        ("EVQLVESGG 1.0\n", ", column 1 peptide, and separate columns by tabs or commas"),
    ],
)
def test_a_file_of_another_kind_is_named(write: Write, text: str, says: str) -> None:
    with pytest.raises(LacunaError, match=f"a.csv: .*{re.escape(says)}") as error:
        read_peptides([write("a.csv", text)])
    assert "\n" not in str(error.value)


def test_an_unknown_file_names_the_tools(write: Write) -> None:
    with pytest.raises(LacunaError) as error:
        read_peptides([write("a.csv", "a,b\n1,2\n")])
    assert "\n" not in str(error.value)
    for title in ("PEAKS", "Casanovo", "InstaNovo", "Novor", "pNovo", "MaxNovo", "plain table"):
        assert title in str(error.value)


def test_a_named_format_is_the_only_one(read: Callable[..., Peptides]) -> None:
    with pytest.raises(LacunaError, match="not a file of novor"):
        read("peptide", "EVK", form="novor")
    with pytest.raises(LacunaError, match="'peak' is none of the formats; choose among .*peaks"):
        read("peptide", "EVK", form="peak")
    assert only(read("peptide", "EVK", form="table")).tool == "table"
    assert "casanovo" in tools()
    # What others would be recognised by does not count.
    one = only(read(PEAKS_X, "1,EVK,97,3,188,2,1,,374,1,,9 9 9,E", form="table"))
    assert (one.tool, one.confidences) == ("table", None)


def test_names_are_unique_in_a_sample(write: Write) -> None:
    paths = [write(f"{folder}/a.csv", f"peptide\nEVK\nEVK{folder}K\n") for folder in "AG"]
    names = [r.name for r in read_peptides(paths).reads]
    assert len(set(names)) == 4
    assert read_peptides(paths).reads == read_peptides(paths).reads


def test_equal_reads_differ_in_nothing_that_was_measured(read: Callable[..., Peptides]) -> None:
    rows = ("EIN(+.98)K", "ELN(+1.0)K", "EINK", "EIN(+14.02)K", "EI(+.98)NK", "EIN(+.98)R")
    first, *others = map(content_of, read("peptide", *rows).reads)
    assert [one == first for one in others] == [True, False, False, False, False]


def test_equal_reads_count_half_a_read_more_with_each_doubling() -> None:
    assert weight_of_equal(np.array([0, 1, 2, 4, 1024])).tolist() == [1, 1, 1.5, 2, 6]


# --- the step ------------------------------------------------------------------------------------


def test_reads_are_written_and_loaded_as_they_were(write: Write, tmp_path: Path) -> None:
    path = write("a.csv", "peptide,confidence\nEC(+57.02)K,0.9 0.8 0.7\nEVK,\nEXK,\n")
    out, rejected = tmp_path / "out" / "reads.jsonl.gz", tmp_path / "rejected.tsv"
    carried = tmp_path / "cysteine.json"
    step([path], "auto", out, rejected, carried)
    assert load_reads(out) == read_peptides([path]).reads
    assert list(REJECTED_TABLE.read(rejected)) == read_peptides([path]).rejected
    assert read_carried(carried) == {57.0215: 1}
    once = out.read_bytes()
    step([path], "table", out, rejected, carried)
    assert out.read_bytes() == once


def test_what_reads_carry_on_c_is_counted(write: Write) -> None:
    """Modifications of C alone, not of an end next to it, whatever the notation."""
    rows = ("AC(+57.02)C(+57.02)K", "C[Carbamidomethyl]AM[Oxidation]K", "[Acetyl]-CAK", "CAK")
    found = read_peptides([write("a.csv", "peptide\n" + "\n".join(rows) + "\n")]).reads
    assert len(found) == 4
    assert {round(mass, 2): n for mass, n in carried_by_c(found[:1]).items()} == {57.02: 2}
    assert {round(mass, 2): n for mass, n in carried_by_c(found[1:]).items()} == {57.02: 1}


def test_a_sample_without_any_read_stops_no_other(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, out, rejected = write("a.csv", "peptide\nEXK\n"), tmp_path / "out", tmp_path / "r.tsv"
    carried = tmp_path / "cysteine.json"
    step([path], "auto", out, rejected, carried)
    assert "no row can be read as a peptide" in caplog.text and "'X' in the peptide" in caplog.text
    assert load_reads(out) == [] and len(list(REJECTED_TABLE.read(rejected))) == 1
    with pytest.raises(LacunaError, match="no row can be read"):
        step([write("b.csv", "peptide\n")], "auto", out, rejected, carried)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("peptide\n", "check it"),
        ("peptide\tmass\n\t500\n", "column 'peptide' is empty in every row; give a table with"),
        ("Raw file\tModified sequence\nx\t \n", "column 'modified sequence' is .*, as msmsScans"),
        ("Raw file\tReverse\tModified sequence\nx\t+\t_EVK_\n", "check it"),
        (
            "Peptide,local confidence (%)\n,\n",
            "columns 'peptide' and 'local confidence .* are empty",
        ),
    ],
)
def test_an_empty_column_of_peptides_is_named(
    write: Write, tmp_path: Path, text: str, why: str
) -> None:
    path = write("a.csv", text)
    with pytest.raises(LacunaError, match=f"a.csv: no row can be read as a peptide; {why}"):
        step([path], "auto", tmp_path / "out", tmp_path / "r.tsv", tmp_path / "cysteine.json")


@pytest.mark.parametrize("line", ["{", "{}", "[]", '{"confidences": 1, "modifications": 2}'])
def test_a_spoilt_file_of_reads_names_its_line(write: Write, line: str) -> None:
    with pytest.raises(LacunaError, match="reads.jsonl:1: not a read"):
        load_reads(write("reads.jsonl", line + "\n"))


# --- properties ----------------------------------------------------------------------------------

MARKS = st.sampled_from(["", "(+57.02)", "[UNIMOD:35]", "(Deamidated)", "[+15.9949]"])


@given(st.lists(st.tuples(st.sampled_from(RESIDUES), MARKS), min_size=1, max_size=40))
def test_residues_survive_their_modifications(parts: list[tuple[str, str]]) -> None:
    peptide = parse_peptide("".join(residue + mark for residue, mark in parts))
    assert peptide.residues == "".join(residue for residue, _ in parts)
    assert [at for at, _ in peptide.modifications] == [i for i, (_, m) in enumerate(parts) if m]
    assert peptide.tokens == tuple(range(len(parts)))


@given(st.text(max_size=60))
def test_any_text_is_a_peptide_or_a_value_error(text: str) -> None:
    try:
        peptide = parse_peptide(text)
    except ValueError as error:
        assert str(error)
    else:
        assert peptide.residues and set(peptide.residues) <= set(RESIDUES)
        assert all(-1 <= at <= len(peptide.residues) for at, _ in peptide.modifications)


@given(st.text(max_size=300))
def test_any_text_is_reads_or_a_clear_line(tmp_path_factory: Any, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "a.csv"
    for start in ("", "peptide,confidence\n", PEAKS_X + "\n", mztab()):
        path.write_text(start + text, encoding="utf-8", errors="surrogatepass")
        try:
            found = read_peptides([path])
        except LacunaError as error:
            assert "\n" not in str(error)
        else:
            assert all(len(r.residues) == len(r.confidences or r.residues) for r in found.reads)


# --- real files ----------------------------------------------------------------------------------

FORMATS = SHARED / "formats"
WRITERS = {  # what a file's name begins with, and the tools that it may be of
    "peaks__DATA_DB": {"peaks_db"},
    "peaks": {"peaks"},
    "instanovo": {"instanovo", "instanovoplus"},
    "novor": {"novor", "novor_db"},
    "deepnovofamily": {"deepnovo"},
    "maxquant__MAXQUANT_NOVO": {"maxnovo"},
    "maxquant": {"maxquant"},
    "mztab__CASANOVO": {"casanovo"},
    "mztab__CONTRANOVO": {"contranovo"},
    "mztab__ADANOVO": {"adanovo"},
}
# Whose residues and modifications mostly weigh what was measured, in these files.
WEIGHED = {"peaks", "peaks__DATA_DB", "novor", "deepnovofamily", "novob", "proteoscape"}
NO_PEPTIDES = {"maxquant__MAXNOVO_ALL_PEPTIDES"}  # features without one
MZ = {"m/z", "mz(data)", "mz", "precursor_mz", "precursor mz", "pepmass"}
CHARGE = {"z", "precursor_charge", "charge"}
files = sorted(FORMATS.glob("*.txt")) or [FORMATS]


def measured(path: Path) -> dict[str, float]:
    """Masses (Da) of the peptides in a file, by line: of precursors, else as the tool has them."""
    with path.open() as handle:
        head = head_of(handle)
    without_header = layouts_without_header(head, single.HEADERLESS[0].required)  # NovoB
    layout = next(one for one in (*layouts(head), *without_header) if MZ.intersection(one.names))
    with path.open() as handle:
        table = [row for row in rows(handle, layout, layout.names) if not isinstance(row, BadLine)]
    found = {}
    for line, cells in table:
        mz, z = ([cells[n] for n in cells if n in names] or [""] for names in (MZ, CHARGE))
        mass = neutral_mass(mz[0], z[0]) or positive(cells.get("mass", ""))
        if "pepmass" in cells and "delta_mass" in cells:
            mass = float(cells["pepmass"]) + WATER
        if mass is not None:
            found[str(line)] = mass
    return found


@pytest.mark.parametrize("path", files, ids=lambda path: path.stem)
def test_real_files_are_recognised(path: Path) -> None:
    if not path.is_file():
        pytest.skip("../shared/reads/formats is not here")
    kind = next((k for k in WRITERS if path.name.startswith(k)), path.name.partition("__")[0])
    if kind == "mztab":
        with pytest.raises(LacunaError, match="without scores of residues"):
            read_peptides([path])
        return
    found = read_peptides([path])
    assert {r.tool for r in found.reads} <= WRITERS.get(kind, {kind})
    assert bool(found.reads) != (path.stem in NO_PEPTIDES)
    assert len(found.rejected) <= 2
    if kind in WEIGHED:
        masses = measured(path)
        fit = [
            abs(masses[line] - peptide_mass(Peptide(one.residues, one.modifications, (), 0))) < 0.05
            for one in found.reads
            if (line := one.name.split(":")[-1].split(".")[0]) in masses
        ]
        assert sum(fit) >= 0.65 * len(fit)
    for one in found.reads:
        assert one.residues and set(one.residues) <= set(RESIDUES)
        assert one.confidences is None or len(one.confidences) == len(one.residues)
        assert all(0 <= c <= 1 for c in one.confidences or ())


def test_real_gzipped_reads_keep_their_broken_last_line() -> None:
    path = SHARED / "NB6_instanovo.csv.gz"
    if not path.is_file():
        pytest.skip("../shared/reads is not here")
    found = read_peptides([path])
    with gzip.open(path, "rt") as handle:
        n_lines = sum(1 for _ in handle)
    assert [row.line for row in found.rejected] == [n_lines]
    assert len(found.reads) < n_lines - 1
