"""Blocks of residues that weigh the same."""

import pytest

from lacuna.core.isobaric import blocks, isobaric_blocks


def test_a_block_weighs_as_much_as_its_residues() -> None:
    pairs = dict(blocks(2))
    assert len(pairs) == 19**2 and "CG" not in pairs
    assert pairs["GG"] == pytest.approx(2 * 57.02146, abs=1e-4)
    assert [block for block, _ in blocks(1, "GA")] == ["G", "A"]


def test_blocks_that_tools_confuse_weigh_the_same() -> None:
    of_one = set(isobaric_blocks(1, 2, 0.01))
    assert {("N", "GG"), ("Q", "AG"), ("Q", "GA")} <= of_one
    wider = {("W", "AD"), ("W", "EG"), ("K", "AG")}  # 0.015 Da and 0.036 Da apart
    assert not wider & of_one and wider <= set(isobaric_blocks(1, 2, 0.04))
    of_two = set(isobaric_blocks(2, 2, 0.01))
    assert ("LS", "TV") in of_two and ("LS", "SI") in of_two and ("LS", "LT") not in of_two
    assert all((other, one) in of_two for one, other in of_two)
