"""Reads of several tools that may be of the same spectra count once."""

from dataclasses import replace

import numpy as np
import pytest

from lacuna.placing.aligning.readset import ReadSet, collapse
from lacuna.reads.read import Read
from reads import peptide

CAM = 57.0215


def of(tool: str, residues: str, *modifications: tuple[int, float]) -> Read:
    return replace(peptide(residues, modifications=modifications), tool=tool)


def weights(*reads: Read) -> list[float]:
    """Of each read, by the order of the different ones."""
    found: ReadSet = collapse(reads, [np.full(len(r.residues), 0.9) for r in reads])
    return [round(float(found.weight[row]), 3) for row in found.group]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GLEWVARLYPTNGYTR", "GLEVWARLYPTNGYTR"),  # two residues in another order
        ("GLEWVARLYPTNGYTR", "GLEWVARLYPTGGGYTR"),  # N is GG
        ("WEVARLYPTNGYTR", "ADEVARLYPTNGYTR"),  # W is AD and weighs a little more
        ("WEVARLYPTNGYTQ", "ADEVARLYPTNGYTK"),  # the same, and K weighs a little more than Q
    ],
)
def test_reads_of_two_tools_that_weigh_the_same_and_are_alike_share_their_weight(
    one: str, other: str
) -> None:
    assert weights(of("peaks", one), of("casanovo", other)) == [0.5, 0.5]
    assert weights(of("peaks", one), of("peaks", other)) == [1.0, 1.0]  # two spectra


@pytest.mark.parametrize(
    "other",
    [
        "GLEWVARLYPTNGYTK",  # weighs less
        "RTYGNTPYLRAVWELG",  # the same residues in another order
    ],
)
def test_reads_of_other_peptides_keep_their_weight(other: str) -> None:
    assert weights(of("peaks", "GLEWVARLYPTNGYTR"), of("casanovo", other)) == [1.0, 1.0]


@pytest.mark.parametrize(("other", "weight"), [("AEDQSKT", 0.5), ("AEDQSQT", 1.0)])
def test_reads_of_one_spectrum_differ_by_less_than_two_k_for_q(other: str, weight: float) -> None:
    """K weighs 0.036 Da more than Q."""
    assert weights(of("peaks", "AEDKSKT"), of("casanovo", other)) == [weight, weight]


@pytest.mark.parametrize(("other", "weight"), [("AEDRSTK", 0.5), ("AETKSRD", 1.0)])
def test_reads_are_alike_if_they_share_half_of_their_cleavages(other: str, weight: float) -> None:
    """Three or two of six."""
    assert weights(of("peaks", "AEDTKSR"), of("casanovo", other)) == [weight, weight]


def test_the_weight_of_a_spectrum_is_shared_by_as_many_tools_as_have_it() -> None:
    reads = [of("peaks", "AEDTKSR"), of("casanovo", "AEDTSKR"), of("instanovo", "AEDKTSR")]
    assert weights(*reads) == [0.333] * 3


def test_equal_reads_of_two_tools_are_those_of_the_one_that_has_more() -> None:
    one, other = of("peaks", "AEDTKSR"), of("casanovo", "AEDTKSR")
    assert weights(one, other) == [1.0, 1.0]
    assert weights(one, one, other)[0] == weights(one, one)[0] == 1.5


def test_a_read_that_both_tools_have_keeps_its_weight_beside_one_of_either() -> None:
    both, one = of("casanovo", "AEDTKSR"), of("peaks", "AEDTSKR")
    assert weights(of("peaks", "AEDTKSR"), both, one) == [1.0, 1.0, 0.5]


def test_what_c_carries_may_be_written_by_one_tool_alone() -> None:
    written = of("peaks", "AEDTCSR", (4, CAM))
    assert weights(written, of("casanovo", "AEDTCSR")) == [0.5, 0.5]
    oxidised = of("peaks", "AEDTMSR", (4, 15.9949))
    assert weights(oxidised, of("casanovo", "AEDTMSR")) == [1.0, 1.0]


def test_no_reads_have_no_weights() -> None:
    assert len(collapse([], []).weight) == 0
