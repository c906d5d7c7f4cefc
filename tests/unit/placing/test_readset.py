"""Reads as arrays: equal ones, modifications, limits."""

import numpy as np
import pytest

from lacuna.placing.aligning.readset import MAX_READ, MIN_READ
from reads import TEXT, peptide, read_set, reads_of


def test_equal_reads_count_once_and_little_more() -> None:
    found = read_set("PEPTIDE", "PEPTLDE", "PEPTIDE", "OTHER"[:3])
    assert len(found) == 1
    assert found.count.tolist() == [3]
    assert found.weight[0] == pytest.approx(1 + 0.5 * np.log2(3))
    assert found.group.tolist() == [0, 0, 0, -1]


def test_modifications_tell_reads_apart_and_weigh() -> None:
    reads = [peptide("NAMED", modifications=[(2, 15.995)]), peptide("NAMED")]
    found = reads_of(reads)
    weights = found.cumulative()[:, -1]
    assert len(found) == 2
    assert weights[0] - weights[1] == pytest.approx(15.995)


def test_modifications_of_the_ends_are_on_the_end_residues() -> None:
    reads = [peptide("PEPTK", modifications=[(-1, 42.01), (5, -0.98)])]
    found = reads_of(reads)
    assert found.delta[0, [0, 4]].tolist() == [42.01, -0.98]
    assert len(read_set("P" * (MIN_READ - 1))) == 0


def test_modifications_of_residues_that_are_cut_off_are_cut_off_too() -> None:
    chain = (TEXT + TEXT[::-1])[: MAX_READ + 3]
    found = read_set(chain, modifications=[(-1, 42.01), (MAX_READ, 57.02), (len(chain), -0.98)])
    assert found.length.tolist() == [MAX_READ]
    assert found.delta[0].nonzero()[0].tolist() == [0]
