"""Peptide reads: what single tools and versions write in ways of their own."""

import pytest

from conftest import ReadLines
from lacuna.core.files import LacunaError
from lacuna.reads.read import N_TERMINUS
from read_tables import ACETYL, CAM, DEAMIDATED, OXIDISED, only

CARBAMYL, AMMONIA = 43.005814, 17.026549


# --- PepNet, PowerNovo, pi-PrimeNovo -------------------------------------------------------------

PEPNET = "TITLE\tDENOVO\tScore\tPPM Difference\tPositional Score"


@pytest.mark.parametrize("oxidised", "Zm")
def test_pepnet_letters_are_modified_residues(read_lines: ReadLines, oxidised: str) -> None:
    one = only(read_lines(PEPNET, f"x\tE{oxidised}Cnq\t0.03125\t1\t[0.9, 0.8, 0.7, 0.6, 0.5]"))
    assert one.residues == "EMCNQ"
    assert one.modifications == (
        (1, OXIDISED), (2, CAM), (3, DEAMIDATED), (4, DEAMIDATED)
    )  # fmt: skip
    assert one.score == 0.5  # the fifth root of the product


def test_pepnet_residue_that_was_changed_is_not_sure(read_lines: ReadLines) -> None:
    one = only(read_lines(PEPNET, "x\tEVQLK\t0.1\t1\t[0.9, 0.3, 1.0, 0.2, 1.0]"))
    assert one.confidences == (0.9, 0.3, 0.2, 0.2, 0.2)


def test_sure_residues_of_pepnet_remain(read_lines: ReadLines) -> None:
    one = only(read_lines(PEPNET, "x\tEVK\t1\t1\t[1.0, 1.0, 1.0]"))
    assert one.confidences == (1.0, 1.0, 1.0)


def test_powernovo_2_has_positional_scores(read_lines: ReadLines) -> None:
    one = only(
        read_lines(
            "SCAN ID,TITLE,PEPTIDE,CANONICAL SEQ.,PPM DIFFERENCE,SCORE,POSITIONAL SCORES",
            "1,x,AC[Carbamidomethyl]K,ACK,-0.1,0.97,0.98 0.9 1.0",
        )
    )
    assert (one.tool, one.residues, one.score) == ("powernovo", "ACK", 0.97)
    assert (one.confidences, one.modifications) == ((0.98, 0.9, 1.0), ((1, CAM),))


def test_powernovo_writes_carbamylation_without_a_sign(read_lines: ReadLines) -> None:
    header = "Spectrum Name,PowerNovo Peptides,PowerNovo aaScore,PowerNovo Score,Area"
    one = only(read_lines(header, "x,(43.01)PGC(+57.02),0.5 0.6 0.7,0.42,1"))
    assert one.modifications == ((N_TERMINUS, CARBAMYL), (2, CAM))


@pytest.mark.parametrize(
    ("written", "modifications"),
    [
        ("-[17.027]EN[+0.984]", ((N_TERMINUS, -AMMONIA), (1, DEAMIDATED))),
        ("+[43.006-17.027]EN", ((N_TERMINUS, CARBAMYL - AMMONIA),)),
        ("[+43.006-17.027]-EN", ((N_TERMINUS, CARBAMYL - AMMONIA),)),
        ("[+42.011]-E-[17.027]N", ((N_TERMINUS, ACETYL), (0, -AMMONIA))),
    ],
)
def test_pi_primenovo_writes_signs_outside_of_brackets(
    read_lines: ReadLines, written: str, modifications: tuple[tuple[int, float], ...]
) -> None:
    one = only(read_lines("label\tprediction\tcharge\tscore", f"x\t{written}\t2\t0.81"))
    assert (one.residues, one.score) == ("EN", 0.9)
    assert [at for at, _ in one.modifications] == [at for at, _ in modifications]
    assert [mass for _, mass in one.modifications] == pytest.approx(
        [mass for _, mass in modifications], abs=1e-6
    )


# --- InstaNovo, DeepNovo, Novor, pNovo -----------------------------------------------------------


@pytest.mark.parametrize("tokens", ["instanovo_prediction_", "instanovo_"])
def test_instanovo_of_both_models_with_a_modified_n_terminus(
    read_lines: ReadLines, tokens: str
) -> None:
    one = only(
        read_lines(
            f"predictions,log_probs,instanovo_predictions,{tokens}token_log_probabilities",
            "[UNIMOD:1]-C[UNIMOD:4]K,-0.3,\"['[UNIMOD:1]', 'C[UNIMOD:4]', 'K']\","
            '"[-0.1, -0.2, 0.0]"',
        )
    )
    assert (one.tool, one.residues) == ("instanovoplus", "CK")
    assert one.confidences == pytest.approx((0.818731, 1.0), abs=1e-5)


def test_instanovo_of_both_models_with_beams_has_no_scores_of_tokens(
    read_lines: ReadLines,
) -> None:
    one = only(
        read_lines(
            "predictions,log_probs,instanovo_predictions,instanovo_token_log_probabilities",
            "EK,-0.2,\"['E', 'K']\",[0]",
        )
    )
    assert (one.residues, one.confidences) == ("EK", None)


def test_deepnovo_dia_without_position_scores(read_lines: ReadLines) -> None:
    one = only(
        read_lines(
            "feature_id\tfeature_area\tpredicted_sequence\tpredicted_score\tpredicted_score_max",
            "F1:2\t9\tK,C(Carbamidomethylation),E\t0.0\t0.0",
        )
    )
    assert (one.tool, one.residues, one.score) == ("deepnovo", "KCE", 1.0)
    assert (one.confidences, one.modifications) == (None, ((1, CAM),))


@pytest.mark.parametrize(
    ("written", "mass"),
    [
        ("K(Frm)", 27.994915),
        ("K(TMT6)", 229.162932),
        ("K(Lys4)", 4.025107),
        ("K(Lys8)", 8.014199),
        ("R(Arg6)", 6.020129),
        ("R(Arg10)", 10.008269),
    ],
)
def test_names_of_novor(read_lines: ReadLines, written: str, mass: float) -> None:
    one = only(read_lines("peptide,aaScore,mz(data),score", f"E{written},90-80,300.2,85"))
    assert one.modifications == ((1, mass),)


def test_b_of_pnovo_is_a_modified_residue(read_lines: ReadLines) -> None:
    one = only(read_lines("i,x\tEVBQLK\t1\t2\t87.5\t90,80,70,60,50,40\t3\t4\t5"))
    assert (one.residues, one.confidences) == ("QLK", (0.6, 0.5, 0.4))


# --- tables that went through other programs -----------------------------------------------------


def test_columns_that_r_has_renamed(read_lines: ReadLines) -> None:
    one = only(read_lines('"Peptide","ALC....","local.confidence...."', '"EVK",85,"90 80 70"'))
    assert (one.tool, one.confidences, one.score) == ("peaks", (0.9, 0.8, 0.7), 0.85)


def test_peaks_as_alps_wants_it(read_lines: ReadLines) -> None:
    one = only(read_lines("Scan,Peptide,local confidence,Area", "F1:2,EC(+57.02)K,95 80 70,1E5"))
    assert (one.tool, one.confidences, one.score) == ("peaks", (0.95, 0.8, 0.7), None)


def test_tables_of_the_public_benchmark(read_lines: ReadLines) -> None:
    one = only(read_lines("sequence,score,aa_scores", 'EC[UNIMOD:4]K,0.9,"0.9,0.8,0.7"'))
    assert (one.tool, one.confidences, one.modifications) == ("table", (0.9, 0.8, 0.7), ((1, CAM),))


@pytest.mark.parametrize("nothing", ["nan", "NaN", "None", "<NA>"])
def test_what_pandas_writes_for_nothing_is_no_peptide(read_lines: ReadLines, nothing: str) -> None:
    assert only(read_lines("peptide\tconfidence", f"{nothing}\t0.9", f"NAN\t{nothing}")) == only(
        read_lines("peptide\tconfidence", "\t", "NAN\t")
    )


def test_a_percentage_of_a_peptide_among_shares_is_rejected(read_lines: ReadLines) -> None:
    found = read_lines("peptide\tconfidence", "EVK\t0.9", "EVR\t0.8", "EVQ\t93")
    assert [r.residues for r in found.reads] == ["EVK", "EVR"]
    assert "a confidence of 93" in found.rejected[0].reason


@pytest.mark.parametrize("third", ["2", "-0.5", "97"])
def test_three_columns_with_a_charge_are_no_pi_helixnovo(read_lines: ReadLines, third: str) -> None:
    with pytest.raises(LacunaError, match="add one that names the columns, column 2 peptide"):
        read_lines(f"x\tEVQLVESK\t{third}")


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("Modifications", "write modifications within the peptide"),
        ("hit_rank", "leave out decoys"),
        ("Is Decoy", "leave out decoys"),
    ],
)
def test_columns_that_matter_and_are_not_used_are_told_of(
    read_lines: ReadLines, caplog: pytest.LogCaptureFixture, column: str, told: str
) -> None:
    read_lines(f"peptide\tconfidence\t{column}", "EVK\t0.9\t1")
    assert f"column '{column.casefold()}' is not used; {told}" in caplog.text


@pytest.mark.parametrize("column", ["denovo_seq", "pred_seq", "prediction"])
def test_a_column_that_may_hold_peptides_is_named(read_lines: ReadLines, column: str) -> None:
    with pytest.raises(LacunaError, match=f"if its column '{column}' has peptides"):
        read_lines(f"scan,peptide_score,{column}", "1,0.9,EVK")


def test_the_output_of_pepnovo_is_no_fasta(read_lines: ReadLines) -> None:
    with pytest.raises(LacunaError, match="PepNovo"):
        read_lines(">> 0 1 scan=5", "#Index\tRnkScr\tSequence", "0\t5.1\tEVK")


# --- several peptides of one spectrum ------------------------------------------------------------


def test_the_surest_peptide_of_a_spectrum_counts(
    read_lines: ReadLines, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    found = read_lines(
        "Source File,Scan,Peptide,ALC (%),m/z,z,local confidence (%)",
        "a.raw,7,EVK,70,300.2,2,70 70 70",
        "a.raw,7,VEK,90,300.2,2,90 90 90",
        "a.raw,7,KEV,80,300.2,2,80 80 80",
        "a.raw,7,EEK,60,310.2,2,60 60 60",  # another precursor in the same spectrum
        "b.raw,7,EVK,50,300.2,2,50 50 50",
    )
    assert [r.residues for r in found.reads] == ["VEK", "EEK", "EVK"]
    assert found.rejected == []
    assert "2 peptides left out: their spectra have surer ones" in caplog.text


def test_without_a_precursor_every_peptide_counts(read_lines: ReadLines) -> None:
    row = "7,EVK,70,70 70 70"
    found = read_lines("Scan,Peptide,ALC (%),local confidence (%)", row, row)
    assert len(found.reads) == 2


@pytest.mark.parametrize("spectrum", [",", "-,300.2", "7,"])
def test_rows_that_name_no_spectrum_are_reads_each(read_lines: ReadLines, spectrum: str) -> None:
    row = f"{spectrum},EVK,70,70 70 70"
    found = read_lines(
        "Scan,m/z,Peptide,ALC (%),local confidence (%)", row, row.replace("EVK", "VEK")
    )
    assert [r.residues for r in found.reads] == ["EVK", "VEK"]


@pytest.mark.parametrize(
    "lines",
    [
        ("Peptide,CAA (%)", ",90"),
        ("Peptide,-10lgP,Mass", ",20,300.2"),
        ("peptide,aaScore,mz(data),score", ",,300.2,80"),
        ("De Novo Peptide,m/z,score", ",300.2,80"),
    ],
)
def test_a_row_without_a_peptide_is_neither_read_nor_rejected(
    read_lines: ReadLines, lines: tuple[str, str]
) -> None:
    found = read_lines(*lines)
    assert (found.reads, found.rejected) == ([], [])


def test_casanovo_with_several_matches_for_a_spectrum(read_lines: ReadLines) -> None:
    columns = ("sequence", "search_engine_score[1]", "charge", "exp_mass_to_charge")
    found = read_lines(
        "MTD\tmzTab-version\t1.0.0",
        "MTD\tsoftware[1]\t[MS, MS:1003281, Casanovo, 5.0.0]",
        "\t".join(("PSH", *columns, "spectra_ref", "opt_ms_run[1]_aa_scores")),
        "PSM\tEVK\t0.9\t2\t300.2\tms_run[1]:index=0\t0.9,0.8,0.9",
        "PSM\tVEK\t-0.2\t2\t300.2\tms_run[1]:index=0\t0.9,0.8,0.7",
        "PSM\tVER\t0.5\t2\t310.2\tms_run[1]:index=1\t0.9,0.8,0.7",
    )
    assert [r.residues for r in found.reads] == ["EVK", "VER"]


@pytest.mark.parametrize(
    ("scores", "confidences"),
    [("1.0, 0.9, 0.3", (0.9, 0.9, 0.3)), ("0.3, 0.9, 1.0", (0.3, 0.9, 0.9))],
)
def test_pepnet_residue_that_was_changed_is_as_sure_as_the_one_beside_it(
    read_lines: ReadLines, scores: str, confidences: tuple[float, ...]
) -> None:
    assert only(read_lines(PEPNET, f"x\tEVK\t0.1\t1\t[{scores}]")).confidences == confidences


def test_a_spectrum_without_a_peptide_of_pi_primenovo_is_no_fault(read_lines: ReadLines) -> None:
    found = read_lines("label\tprediction\tcharge\tscore", "a\t\t2\t", "b\tEVK\t2\t0.9")
    assert only(found).residues == "EVK"
