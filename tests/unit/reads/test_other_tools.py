"""Tables of the other tools, and plain ones."""

import math

import pytest

from conftest import ReadLines
from lacuna.core.files import LacunaError
from lacuna.core.masses import PROTON
from lacuna.reads.peptide import parse_peptide, peptide_mass
from lacuna.reads.read import N_TERMINUS
from read_tables import ACETYL, CAM, DEAMIDATED, NOVOR, OXIDISED, near, only, reasons, saved


def test_novor_behind_its_licence(read_lines: ReadLines) -> None:
    found = read_lines(
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


def test_novor_cloud_has_no_residue_scores(read_lines: ReadLines) -> None:
    header = (
        "Fraction,Scan #,m/z,z,Score,Peptide Mass,Error (ppm),Length,De Novo Peptide,DB Sequence"
    )
    one = only(read_lines(header, "F1,9,400.5,2,97.9,799,0,3,EVK,"))
    assert (one.tool, one.score, one.confidences) == ("novor", 0.979, None)
    header = 'ID,Fraction,Scan #,m/z,z,Score,Mass,Error (ppm),"# Proteins",Sequence'
    assert only(read_lines(header, "P1,1,9,400.5,2.0,16.7,799,0,2,EVK")).tool == "novor_db"


def test_novor_decoys_are_no_reads(read_lines: ReadLines) -> None:
    found = read_lines(
        "line, target/decoy, nDecoy, specId, scanNum, mz, z, ppm, score, peptide, protein",
        "1, target, 0, 11786, 22443, 188.1, 2, 4.2, 17.4, EVK, >light",
        "2, decoy, 1, 11787, 22444, 188.1, 2, 4.2, 17.4, KVE, >decoy",
    )
    assert (only(found).tool, only(found).residues) == ("novor_db", "EVK")


def test_deepnovo_scores_are_logarithms(read_lines: ReadLines) -> None:
    header = "\t".join(
        "feature_id feature_area predicted_sequence predicted_score predicted_position_score "
        "precursor_mz precursor_charge".split()
    )
    rows = [
        "F1:1\t1.0\tC(Carbamidomethylation),Nmod,K\t-0.5\t-0.1,-0.5,0.0\t400.5\t2.0",
        "F1:2\t1.0\tE,V,K\t-0.5\t-0.1,-0.5\t400.5\t2.0",
        "F1:3\t1.0\t\t\t\t400.5\t2.0",
    ]
    found = read_lines(header, *rows)
    first, short = found.reads
    assert first.modifications == ((0, CAM), (1, DEAMIDATED))
    assert first.confidences == near((math.exp(-0.1), math.exp(-0.5), 1.0))
    # One less than residues: that of the first or of the last is not there.
    assert short.confidences == near((math.exp(-0.1), math.exp(-0.5), math.exp(-0.5)))


MAXNOVO = "Raw file \tScan number \tm/z \tCharge \tDN sequence \tDN nterm mass \tDN cterm mass "


def test_maxnovo_ends_tell_which_residue_it_is(read_lines: ReadLines) -> None:
    n_mass, c_mass = 300.1, 114.042927
    row = "x \t9 \t{mz} \t2 \t{{M(Oxidation (M))|F}}[{{I|L}}K] \t300.1 \t114.042927"
    for text, modifications in (("FIK", ()), ("M(Oxidation)IK", ((0, OXIDISED),))):
        mass = peptide_mass(parse_peptide(text)) + n_mass + c_mass
        one = only(read_lines(MAXNOVO, row.format(mz=mass / 2 + PROTON)))
        assert (one.residues[-2:], one.modifications) == ("IK", modifications)
    one = only(read_lines(MAXNOVO, row.format(mz=mass / 2 + PROTON + 0.1)))  # nothing fits
    assert (one.residues, one.modifications) == ("MIK", ((0, OXIDISED),))


def test_maxnovo_knows_a_fixed_modification_by_the_mass(read_lines: ReadLines) -> None:
    mass = peptide_mass(parse_peptide("EC(+57.02)K"))
    one = only(read_lines(MAXNOVO, f"x\t9\t{mass / 2 + PROTON}\t2\tECK\t0\t0"))
    assert one.modifications == ((1, CAM),)


def test_maxquant_decoys_are_no_reads(read_lines: ReadLines) -> None:
    header = "Raw file\tModified sequence\tm/z\tCharge\tReverse"
    found = read_lines(
        header,
        "x\t_(Acetyl (Protein N-term))EC(Carbamidomethyl (C))K_\t9\t1\t",
        "x\t_EVK_\t9\t1\t+",
    )
    assert only(found).modifications == ((N_TERMINUS, ACETYL), (1, CAM))


def test_tables_of_one_tool_each(read_lines: ReadLines) -> None:
    one = only(
        read_lines(
            "Spectrum Name,PowerNovo Peptides,PowerNovo aaScore,PowerNovo Score,Area",
            "x,EVK,0.3 0.4 0.5,0.57,1",
        )
    )
    assert (one.tool, one.confidences) == ("powernovo", (0.3, 0.4, 0.5))
    one = only(
        read_lines(
            "TITLE\tDENOVO\tScore\tPPM Difference\tPositional Score",
            "x\tEVK\t0.1\t1\t[0.3, 0.4, 0.5]",
        )
    )
    assert (one.tool, one.confidences) == ("pepnet", (0.3, 0.4, 0.5))
    one = only(read_lines("label\tprediction\tcharge\tscore", "x\tN[+0.984]K\t2\t0.25"))
    assert (one.tool, one.score, one.modifications) == ("piprimenovo", 0.5, ((0, DEAMIDATED),))
    one = only(
        read_lines(
            "MS2 Id\tPeptide Sequence\tPrecursor MZ\tCharge", "9\t-MK.C(57.021464)K.RDA\t125\t2"
        )
    )
    assert (one.tool, one.residues, one.modifications) == ("proteoscape", "CK", ((0, CAM),))


def test_tables_without_a_header(read_lines: ReadLines) -> None:
    one = only(read_lines('x.5.5.2 File:"x.raw", NativeID:"scan=5"\tHG+42.011N+0.984\t0.41'))
    assert (one.tool, one.residues, one.score) == ("pihelixnovo", "HGN", 0.41)
    assert one.modifications == ((1, ACETYL), (2, DEAMIDATED))
    one = only(
        read_lines("x,17.4,0.92,2974.9,0_11,0.001,['CSVMK'],CSVMK,"
            '"1,Carbamidomethyl[AnyN-term];4,Oxidation[M];"')
    )  # fmt: skip
    assert (one.tool, one.score) == ("punifind", 0.92)
    assert one.modifications == ((N_TERMINUS, CAM), (3, OXIDISED))


@pytest.mark.parametrize("form", [None, "pihelixnovo"])
def test_an_unusual_first_row_does_not_hide_a_table_without_a_header(
    read_lines: ReadLines, form: str | None
) -> None:
    found = read_lines("a\t\tnan", "b\tEV?\t0.5", "c\tEVK\t0.41", form=form)
    (one,) = found.reads
    assert (one.tool, one.residues, one.name) == ("pihelixnovo", "EVK", "reads.csv:3")
    assert ":2: '?' in the peptide" in reasons(found)[0]
    row = ",".join(["x,17.4,0.92,2974.9,0_11,0.001", "{0}", "CSVMK", ""])
    found = read_lines(row.format("?"), row.format("['CSVMK']"))
    assert [r.tool for r in found.reads] == ["punifind"]
    assert only(read_lines("Index:1,x\tEVQK\t1\t2\tnan\t\t3\t4\t5", form="pnovo")).score is None


@pytest.mark.parametrize("form", [None, "pihelixnovo"])
def test_a_header_of_another_table_is_no_first_row(read_lines: ReadLines, form: str | None) -> None:
    with pytest.raises(LacunaError, match=r"it begins with 'id\\tsequence\\tscore'"):
        read_lines("id\tsequence\tscore", "a\tEVK\t0.41", form=form)
    for header in ("id\tpeptide\tscore", "\tpeptide\tscore"):
        assert only(read_lines(header, "a\tEVK\t0.41")).tool == "table"


def test_novob_takes_the_likelier_direction(read_lines: ReadLines) -> None:
    rows = [
        "1\t2\t700.3\t['ECmK']\t0.1\t0.2\t['EVK']\t0.0\t0.729",
        "2\t2\t700.3\t['ECmK']\t0.1\t0.0\t['EVK']\t9.0\t0.0",
        "3\t2\t700.3\t['']\t700\t0.0\t['']\t700\t0.0",
        "4\t2\t700.3\t['ECmK']\t0.1\t0.2\t['AAK']\t0.0\t0.2",  # as likely, and fits better
    ]
    found = read_lines(*rows)
    assert [r.residues for r in found.reads] == ["EVK", "ECMK", "AAK"]
    assert found.reads[1].modifications == ((1, CAM), (2, OXIDISED))
    # NovoB multiplies the probabilities of the residues.
    assert [r.score for r in found.reads[:2]] == [near(0.9), 0]


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
    read_lines: ReadLines, tool: str, separator: str, stated: str
) -> None:
    first = [f"sep={separator}"] if stated else []
    lines = saved([HEADERLESS[tool]], separator)
    one = only(read_lines(*first, *lines))
    assert (one.tool, one.residues[:2]) == (tool, "EV")
    assert only(read_lines(*first, *lines, form=tool)) == one


def test_decimal_commas_without_a_header(read_lines: ReadLines) -> None:
    assert only(read_lines("x;EVK;0,41")).score == 0.41


def test_pnovo_keeps_what_is_not_modified(read_lines: ReadLines) -> None:
    row = "Index:{n},x\t{peptide}\t1\t2\t87.5\t{scores}\t3\t4\t5"
    found = read_lines(
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
def test_a_plain_table(read_lines: ReadLines, separator: str) -> None:
    rows = ["Peptide,confidence,mass,intensity", "EC(+57.02)K,0.9 0.8 1,435.2,7", "EVK,,,"]
    found = read_lines(*(row.replace(",", separator) for row in rows))
    first, second = found.reads
    assert (first.tool, first.confidences) == ("table", (0.9, 0.8, 1.0))
    assert (second.residues, second.confidences) == ("EVK", None)


@pytest.mark.parametrize(("column", "score"), [("0.9", 0.9), ("[0,9]", 0.9), ("90", 0.9)])
def test_one_confidence_is_the_score_of_the_peptide(
    read_lines: ReadLines, column: str, score: float
) -> None:
    one = only(read_lines("peptide\tconfidence", f"ECK\t{column}"))
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
    read_lines: ReadLines,
    caplog: pytest.LogCaptureFixture,
    header: str,
    level: str,
    told: str,
) -> None:
    caplog.set_level("INFO")
    assert only(read_lines(header, "ECKAAK\t0.9")).residues == "ECKAAK"
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert len(said) == bool(told)
    assert all(name == level and told in text for name, text in said)


@pytest.mark.parametrize("nothing", ["", "NA", "nan", "None", "null"])
def test_a_plain_table_may_lack_a_confidence(read_lines: ReadLines, nothing: str) -> None:
    found = read_lines("peptide,confidence", "EVK,0.9 0.8 0.7", f"EVK,{nothing}")
    assert [read.confidences for read in found.reads] == [(0.9, 0.8, 0.7), None]


def test_one_score_of_a_tool_that_has_one_per_residue_is_a_fault() -> None:
    with pytest.raises(ValueError, match="^1 confidence for 3 residues; give one for each"):
        parse_peptide("EVK").of_residues([0.9])


@pytest.mark.parametrize(
    "written", ["0,9 0,8 1", "0.9, 0.8, 1", "0.9,0.8,1", "0,9;0,8;1", "[0.9, 0.8, 1.0]"]
)
def test_confidences_may_have_decimal_commas(read_lines: ReadLines, written: str) -> None:
    assert only(read_lines("peptide\tconfidence", f"ECK\t{written}")).confidences == (0.9, 0.8, 1.0)


@pytest.mark.parametrize("written", ["M(+15,99)", "M[+15,9949]", "M+15,995"])
def test_masses_of_modifications_may_have_decimal_commas(
    read_lines: ReadLines, written: str
) -> None:
    one = only(read_lines("peptide;confidence", f"(+42,01)E{written}N(+,98)K;1 1 0,5 0,5"))
    assert one.modifications == ((N_TERMINUS, ACETYL), (1, OXIDISED), (2, DEAMIDATED))
    assert one.confidences == (1, 1, 0.5, 0.5)


def test_a_mass_with_thousands_is_not_read_as_another(read_lines: ReadLines) -> None:
    (said,) = reasons(read_lines("peptide", "EVK", '"EN(+1,444.53)K"'))
    assert "modification '+1,444.53', which is not a mass in Da" in said


def test_a_table_of_one_column(read_lines: ReadLines) -> None:
    assert [r.residues for r in read_lines("peptide", "EVK", "", "LLK").reads] == ["EVK", "LLK"]


def test_pnovo_leaves_no_short_stretch_of_a_modified_peptide(read_lines: ReadLines) -> None:
    row = "Index:1,x\t{}\t1\t2\t87.5\t9,9,9,9,9,9,9\t3\t4\t5"
    found = read_lines(*map(row.format, ("aEVQbLa", "aEVbQLa")))
    assert [read.residues for read in found.reads] == ["EVQ"]
    assert ":2: 'aEVbQLa'" in reasons(found)[0]
