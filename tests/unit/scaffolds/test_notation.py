"""Modifications and masses in a sequence, in the notations of ProForma and PEAKS."""

import re
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Write
from lacuna.core.alphabet import RESIDUES
from lacuna.core.tags import MAX_TAG, _unimod, dalton_mass, modification, peaks_modification
from lacuna.scaffolds.fasta import Record
from lacuna.scaffolds.gaps import MAX_OPEN_GAPS
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.notation import MIN_NUCLEOTIDES, locate, read_letters
from lacuna.scaffolds.read import read_scaffolds, unusable_homologs
from lacuna.scaffolds.scaffold import Gap, Rejected, ResidueModification, Scaffold

CARBAMIDOMETHYL = (57.021464, "Carbamidomethyl")
OXIDATION = (15.994915, "Oxidation")
DEAMIDATED = (0.984016, "Deamidated")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def read(write: Write, sequence: str, rows: str | None = None) -> Scaffold | Rejected:
    table = None if rows is None else write("gaps.tsv", "chain\tstart\tend\n" + rows)
    (found,) = read_scaffolds(write("a.fasta", f">m\n{sequence}\n"), table)
    return found


def scaffold(write: Write, sequence: str, rows: str | None = None) -> Scaffold:
    found = read(write, sequence, rows)
    assert isinstance(found, Scaffold), found
    return found


def reason(write: Write, sequence: str) -> str:
    found = read(write, sequence)
    assert isinstance(found, Rejected), found
    assert "\n" not in found.reason
    return found.reason


# --- modifications -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "letters", "modifications"),
    [
        ("SC[+57.0215]AG", "SCAG", [(1, 57.0215, "")]),
        ("AM[Oxidation]K", "AMK", [(1, *OXIDATION)]),
        ("AM[oxidation]K", "AMK", [(1, *OXIDATION)]),
        ("AN[U:7]K", "ANK", [(1, *DEAMIDATED)]),
        ("AN[U:Deamidated]K", "ANK", [(1, *DEAMIDATED)]),
        ("ac[UNIMOD:4]k", "ACK", [(1, *CARBAMIDOMETHYL)]),
        ("AC[U:+57.02]K", "ACK", [(1, 57.02, "")]),
        ("AC[Obs:+57.02]K", "ACK", [(1, 57.02, "")]),
        ("AC[Carbamidomethyl|+57.0215|INFO:sure]K", "ACK", [(1, *CARBAMIDOMETHYL)]),
        ("AC[INFO:seen twice]K", "ACK", []),
        ("AM[Oxidation][+1.003]K", "AMK", [(1, *OXIDATION), (1, 1.003, "")]),
        ("[Acetyl]-EVQ", "EVQ", [(0, 42.010565, "Acetyl")]),
        ("[Gln->pyro-Glu]-Q[U:7]VQ", "QVQ", [(0, -17.026549, "Gln->pyro-Glu"), (0, *DEAMIDATED)]),
        ("EVK-[Amidated]", "EVK", [(2, -0.984016, "Amidated")]),
        ("EVK[+1.5]*-[Amidated]", "EVK", [(2, 1.5, ""), (2, -0.984016, "Amidated")]),
        ("K[Label:13C(6)15N(2)]A", "KA", [(0, 8.014199, "Label:13C(6)15N(2)")]),
        ("AC[Formula:C2H3NO]", "AC", [(1, pytest.approx(57.021464), "Formula:C2H3NO")]),
        ("AN[Glycan:HexNAc2]", "AN", [(1, pytest.approx(406.1587), "Glycan:HexNAc2")]),
        ("AC(+57.02)M(+15.99)", "ACM", [(1, 57.02, ""), (2, 15.99, "")]),
        ("N(+.98)GQ(-17.03)", "NGQ", [(0, 0.98, ""), (2, -17.03, "")]),
        ("AC(Carbamidomethylation)K", "ACK", [(1, *CARBAMIDOMETHYL)]),
        ("AM(Oxidation (M))K", "AMK", [(1, *OXIDATION)]),
        ("AN(Deamidation (NQ))K", "ANK", [(1, *DEAMIDATED)]),
        ("A\nC[+57.\n02]K", "ACK", [(1, 57.02, "")]),
    ],
)
def test_a_modification_belongs_to_its_residue(
    write: Write, text: str, letters: str, modifications: list[tuple[int, float, str]]
) -> None:
    found = scaffold(write, text)
    assert found.sequence == letters and found.gaps == ()
    assert found.modifications == tuple(ResidueModification(*m) for m in modifications)
    assert from_json(to_json(found)) == found


def test_gaps_and_modifications_stand_side_by_side(write: Write) -> None:
    found = scaffold(write, "[Acetyl]-EC[+57.0215]X[+400.2]-C(+57.02){420 Da}M[Oxidation]--")
    assert found.sequence == "ECXXCXMXX"
    assert [(gap.start, gap.end, gap.mass) for gap in found.gaps] == [
        (2, 3, 400.2),
        (3, 4, None),
        (5, 6, 420.5),
        (7, 9, None),
    ]
    assert [m.position for m in found.modifications] == [0, 1, 4, 6]


def test_what_a_row_hides_takes_its_modifications_along(write: Write) -> None:
    found = scaffold(write, "[Acetyl]-EC[+57.0215]AM[Oxidation]K", "m\t0\t2\n")
    assert found.sequence == "XXAMK" and found.gaps == (Gap(0, 2, 2, 2, truth="EC"),)
    assert found.modifications == (ResidueModification(3, *OXIDATION),)


def test_truth_and_homologs_may_be_modified(write: Write) -> None:
    fasta = write("a.fasta", ">m\nAC--K\n")
    truth = write("t.fasta", ">m\nAC[+57.0215]M(+15.99)N[U:7]K-[Amidated]\n")
    homologs = write("h.fasta", ">h\n[Acetyl]-AC[+57.0215]MNK\n")
    (found,) = read_scaffolds(fasta, None, truth)
    assert not list(unusable_homologs(homologs)) and isinstance(found, Scaffold)
    assert found.gaps[0].truth == "MN" and found.modifications == ()


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("AM[Oxidaton]K", 4, "a name that Unimod does not have (nearest: Oxidation, "),
        ("AM[Oxidaton]K", 4, "; give its mass, as in M[+15.9949]"),
        ("AM(Oxidatoin)K", 4, "(nearest: Oxidation"),
        ("AM[#g1]K", 4, "a group or cross-link of ProForma"),
        ("AM[Phospho#g1(0.5)]K", 4, "a group or cross-link of ProForma"),
        ("AM[U:99999]K", 4, "a number that Unimod does not have"),
        ("AM[MOD:00719]K", 4, "of another vocabulary than Unimod"),
        ("AM[XLMOD:02001]K", 4, "of another vocabulary than Unimod"),
        ("AN[GNO:G59626AS]K", 4, "of another vocabulary than Unimod"),
        ("AN[Glycan:Sugar3]K", 4, "which is not a composition"),
        ("AN[Formula:Xx3]K", 4, "which is not a composition"),
        ("AC[160.03]K", 4, "a mass without a sign; write what the residue gains"),
        ("AC[4]K", 4, "a mass without a sign"),
        ("AC[160.03 Da]K", 4, "or a gap of known mass as X[+367.0537]"),
        ("A C[160.03 \n Da]K", 5, "has '[160.03 Da]' at column 5, "),
        ("AC[+57,0215]K", 4, "a decimal comma; write a point: +57.0215"),
        ("AC(+57,02)K", 4, "a decimal comma; write a point: +57.02"),
        ("AX[+367,0537]K", 4, "a decimal comma; write a point: +367.0537"),
        ("A{420,18 Da}K", 3, "a decimal comma; write a point: 420.18"),
        ("AC[]K", 4, "which is not a modification"),
        ("AC[+5_7]K", 4, "which is not a mass in Da"),
        ("AC[+1e9]K", 4, "which changes a residue by 1e+09 Da"),
        ("AC[-300]K", 4, "which changes a residue by -300 Da"),
        ("AC[Oxidation|+57.02]K", 4, "which gives masses of 15.9949 and 57.02 Da"),
        ("AC[+" + "9" * 5000 + "]K", 4, f"characters long, more than the limit of {MAX_TAG}"),
        ("A{" + "9" * 5000 + " Da}K", 3, f"characters long, more than the limit of {MAX_TAG}"),
        ("A-[+367.05]K", 4, "on a missing residue; write a gap of known mass as X[+367.0537]"),
        ("AX(+367.05)K", 4, "on a missing residue"),
        ("AJ[+57.02]K", 4, "on a missing residue"),
        ("AX[+367.05][+57.02]K", 13, "on a missing residue"),
        ("[Acetyl]--VQ", 2, "on a terminus whose residue is missing"),
        ("EV--[Amidated]", 6, "on a terminus whose residue is missing"),
        ("[+367.05]EVQ", 2, "before the first residue; write X[+367.0537] for a gap"),
        ("[Phospho]?EVQ", 2, "a modification of unknown place in ProForma"),
        ("[Phospho]^2?EVQ", 2, "before the first residue"),
        ("A(ESFRMS)[+19.05]K", 3, "a range or a name of ProForma"),
        ("A(?DQ)K", 3, "a range or a name of ProForma"),
        ("(>my chain)EVQ", 2, "a range or a name of ProForma"),
        ("{Glycan:Hex}EVQ", 2, "a labile modification of ProForma"),
        ("<[+57.02]@C>EVQ", 1, "it begins a global modification of ProForma"),
        ("EVQ/2", 4, "it begins a charge or another chain of ProForma"),
        ("AM(+15.99K", 3, "close the parenthesis, as in C(+57.02)"),
        ("AM[+15.99K", 3, "close the bracket"),
        ("AM+15.99)K", 3, "remove it, or write a gap of known mass as X[+367.0537] and a modif"),
        ("AC[INFO:é]AOK", 12, "write X for an unknown residue"),
    ],
)
def test_what_is_not_read_is_one_clear_fault(
    write: Write, text: str, column: int, words: str
) -> None:
    said = reason(write, text)
    assert said.startswith("a.fasta:2: 'm' has '") and f"at column {column}" in said
    assert words in said and len(said) < 250


@pytest.mark.parametrize("text", ["GLU VAL\nGLN LEU", "Ala-Glu-Val", "valglugluXaa"])
def test_the_three_letter_code_is_named(write: Write, text: str) -> None:
    words = "is in the three-letter code; write one letter for each residue, as E for GLU"
    assert reason(write, text) == f"a.fasta:2: 'm' {words}"


def test_the_bundled_masses_are_those_of_pyteomics_compositions() -> None:
    from pyteomics.mass import calculate_mass

    compositions = {
        "Carbamidomethyl": "C2H3NO",
        "Oxidation": "O",
        "Acetyl": "C2H2O",
        "Hex": "C6H10O5",
    }
    for name, formula in compositions.items():
        assert modification(name) == (
            pytest.approx(calculate_mass(formula=formula), abs=1e-5),
            name,
        )
    assert len(_unimod().by_accession) == 1574
    assert modification("carboxymethylation") == (58.005479, "Carboxymethyl")
    assert peaks_modification("Pyro-glu from Q") == (-17.026549, "Gln->pyro-Glu")


def test_every_name_of_the_table_is_read() -> None:
    for number, tag in _unimod().by_accession.items():
        assert modification(f"U:{number}") == modification(tag.name) == tag


@given(st.text(max_size=30))
def test_any_tag_is_a_mass_or_a_value_error(text: str) -> None:
    for reads in (modification, peaks_modification, dalton_mass):
        try:
            reads(text)
        except ValueError as error:
            assert ";" in str(error)  # a fault and its remedy


TAGS = ["[+57.0215]", "[Oxidation]", "(+15.99)", "[U:7]", "(Carbamidomethylation)", "[Hex|+162.05]"]


@given(
    st.lists(st.tuples(st.sampled_from(RESIDUES), st.sampled_from(["", *TAGS])), min_size=1),
    st.booleans(),
    st.booleans(),
)
def test_an_annotated_chain_reads_as_the_same_letters_as_the_plain_one(
    residues: list[tuple[str, str]], n_terminus: bool, c_terminus: bool
) -> None:
    plain = "".join(letter for letter, _ in residues)
    text = "[Acetyl]-" * n_terminus + "".join(map("".join, residues)) + "-[Amidated]" * c_terminus
    if len(plain) >= MIN_NUCLEOTIDES and set(plain) == set("ACGT"):
        return
    letters = read_letters(Record("m", "", text.encode(), 1, None), 50_000)
    assert letters.sequence == plain and letters.inline == {}
    positions = [position for position, _ in letters.modifications]
    expected = [i for i, (_, tag) in enumerate(residues) if tag]
    assert positions == [0] * n_terminus + expected + [len(plain) - 1] * c_terminus


def test_inline_gaps_cost_the_same_each(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """No search through the whole record for every gap: positions are found at their tags."""
    asked: list[int] = []
    monkeypatch.setattr(
        "lacuna.scaffolds.notation.locate",
        lambda record, offset: asked.append(offset) or locate(record, offset),
    )
    assert len(scaffold(write, "AX[+400.1]" * MAX_OPEN_GAPS).gaps) == MAX_OPEN_GAPS
    assert asked == []
    assert f"{MAX_OPEN_GAPS + 1} gaps of unknown length, more than the limit" in reason(
        write, "AX[+400.1]" * (MAX_OPEN_GAPS + 1)
    )


# --- DNA and RNA ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("GAGGTGCAGCTGGTGGAGTCTGGGGGAGGCTTGG", "DNA"),
        ("gaggtgcagctggtggagtctgggggnnnnaggcttgg", "DNA"),
        ("GAGGTGCAGCTG---GTGGAGTCTGGGGGAGGCTTGGTA", "DNA"),
        ("GAGGUGCAGCUGGUGGAGUCUGGGGGAGGCUUGG", "RNA"),
    ],
)
def test_nucleotides_are_no_protein(write: Write, text: str, kind: str) -> None:
    said = reason(write, text)
    assert said.startswith(f"a.fasta:1: 'm' looks like {kind}: all its ")
    assert said.endswith("; translate it to protein")


def test_letters_for_several_bases_are_no_residues(write: Write) -> None:
    said = reason(write, "SAGGTGCAGCTGRTGGAGTCTGGGGGAGGCTTGG")  # a primer of a library
    assert said.startswith("a.fasta:1: 'm' looks like DNA: 32 of its 34 letters are A, C, G, T")


@pytest.mark.parametrize(
    "text",
    [
        "GAGGTGCAGCTGGTGGAGTCTGG",
        "GAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGA",
        "A" * 200,
        "ACGTACGTW" * 9,
    ],
)
def test_short_or_simple_proteins_are_not_taken_for_dna(write: Write, text: str) -> None:
    assert scaffold(write, text).sequence == text


def test_dna_among_homologs_and_truth_is_said(write: Write) -> None:
    dna = "GAGGTGCAGCTGGTGGAGTCTGGGGGAGGCTTGG"
    fasta = write("a.fasta", ">m\nAC-\n")
    truth = write("t.fasta", f">m\n{dna}\n")
    _, bad = read_scaffolds(fasta, None, truth)
    assert isinstance(bad, Rejected) and bad.remark
    assert bad.reason.startswith("t.fasta:1: 'm' looks like DNA")
    (homolog,) = unusable_homologs(write("h.fasta", f">x\nACD\n>h\n{dna}\n"))
    assert (homolog.chain, homolog.line) == ("h", 3)
    assert homolog.reason.startswith("h.fasta:3: 'h' looks like DNA") and not homolog.remark


def test_every_notation_of_the_documentation_is_read(write: Write) -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "formats.md").read_text(
        encoding="utf-8"
    )
    text = text[: text.index("## Gap tables")]
    examples = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| ", text, re.MULTILINE)
    assert len(examples) > 15
    for written, letters in examples:
        assert scaffold(write, written.replace("\\|", "|")).sequence == letters, written
