"""What is read but remarked on."""

import pytest

from conftest import Write
from lacuna.core.files import LacunaError
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Gap, Rejected, Scaffold
from scaffold_reader import Reader


@pytest.mark.parametrize(
    ("sequence", "words"),
    [
        ("AC*DE", "a stop codon within the chain, at 3, which is read as one missing residue; cut"),
        ("A*C*", "a stop codon within the chain, at 2"),
        ("ACXX[+516.2544]DE", "a missing residue right before the gap of known mass at 4"),
        ("AC--{420 Da}DE", "a missing residue right before the gap of known mass at 5"),
        (
            "A[+516.2544]C",
            "516.254 Da on A 1; if a gap of known mass is meant, write AX[+516.2544]",
        ),
    ],
)
def test_unusual_letters_are_remarked_on_and_read_all_the_same(
    read: Reader, sequence: str, words: str
) -> None:
    first, second, remark = read(f">a\n{sequence}\n>b\n{sequence}\n")
    assert isinstance(first, Scaffold) and isinstance(second, Scaffold)
    assert (
        isinstance(remark, Rejected) and remark.remark and (remark.chain, remark.line) == ("a", 1)
    )
    assert remark.reason.startswith("heavy.fasta:1: 'a' has ") and words in remark.reason
    assert remark.reason.endswith("(as in 1 more chain)")


@pytest.mark.parametrize(
    ("row", "remedy"),
    [("3\t5", "the start"), ("3\t6", "start and end"), ("7\t7", "the start")],
)
def test_rows_that_seem_to_count_from_one_are_remarked_on(
    read: Reader, row: str, remedy: str
) -> None:
    found = read(">a\nAC---DXEF\n", f"chain\tstart\tend\na\t{row}\n")
    scaffold, remark = found
    assert isinstance(scaffold, Scaffold)
    assert isinstance(remark, Rejected) and remark.remark
    assert remark.reason.startswith(f"gaps.tsv:2: 'a' has a gap at {row.replace(chr(9), '..')}, ")
    assert remark.reason.endswith(f"if yours count from 1, subtract 1 from {remedy}")


def test_the_gap_table_of_chains_found_from_reads_is_not_remarked_on(write: Write) -> None:
    fasta = write("scaffolds.fasta", ">heavy\nAC---DXEF\n")
    gaps = write("gaps.tsv", "chain\tstart\tend\nheavy\t3\t5\n")
    evidence = write("evidence.tsv", "chain\tposition\tresidue\tprobability\n")
    assert len(list(read_scaffolds(fasta, gaps, evidence=evidence))) == 2
    (scaffold,) = read_scaffolds(fasta, gaps, settled=evidence)
    assert isinstance(scaffold, Scaffold)


def test_the_column_of_closed_gaps_is_known_only_in_the_table_of_reads(write: Write) -> None:
    fasta = write("scaffolds.fasta", ">heavy\nACDEF\n")
    gaps = write("gaps.tsv", "chain\tstart\tend\tclosed\nheavy\t3\t3\t0.9\n")
    evidence = write("evidence.tsv", "chain\tposition\tresidue\tprobability\n")
    (scaffold,) = read_scaffolds(fasta, gaps, settled=evidence)
    assert isinstance(scaffold, Scaffold)
    with pytest.raises(LacunaError, match=r"gaps\.tsv:1: unknown column 'closed'; known columns"):
        list(read_scaffolds(fasta, gaps, evidence=evidence))


def test_a_gap_without_residues_is_known_only_in_the_table_of_reads(write: Write) -> None:
    fasta = write("scaffolds.fasta", ">heavy\nACFG\n")
    gaps = write("gaps.tsv", "chain\tstart\tend\tmin_length\nheavy\t2\t2\t0\n")
    evidence = write("evidence.tsv", "chain\tposition\tresidue\tprobability\n")
    (scaffold,) = read_scaffolds(fasta, gaps, settled=evidence)
    assert isinstance(scaffold, Scaffold) and scaffold.gaps == (Gap(2, 2, 0, None),)
    (bad,) = read_scaffolds(fasta, gaps, evidence=evidence)
    assert isinstance(bad, Rejected) and "min_length 0" in bad.reason


@pytest.mark.parametrize("rows", ["a\t2\t5", "a\t2\t3\na\t3\t5", "a\t3\t4", "a\t8\t9", "a\t0\t1"])
def test_rows_that_count_from_zero_are_not_remarked_on(read: Reader, rows: str) -> None:
    (found,) = read(">a\nAC---DX[+128.06]EF\n", f"chain\tstart\tend\n{rows}\n")
    assert isinstance(found, Scaffold)


@pytest.mark.parametrize(
    "sequence",
    [
        "ACD*",
        "ACX[+516.2544]XDE",
        "ACX[+300.1]X[+400.2]DE",
        "N[+1444.5339]C[+57.0215]A[+114.04]",
        "A[Glycan:Hex5HexNAc4]C",
    ],
)
def test_usual_letters_are_not_remarked_on(read: Reader, sequence: str) -> None:
    assert len(read(f">a\n{sequence}\n")) == 1
