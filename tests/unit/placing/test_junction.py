"""Stretches between two known sides: what reads gain by each, and the blocks that they edit."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from lacuna.core.alphabet import decode, encode, merge_il
from lacuna.placing.aligning.joints import ANY_JOINT
from lacuna.placing.aligning.readset import collapse
from lacuna.placing.stretches.junction import (
    LENGTH_MARGIN,
    LENGTH_SHARE,
    LONGEST_EDIT,
    Path,
    Surroundings,
    refined,
    weigh_paths,
)
from reads import Mixed, peptide, read_set

LEFT, RIGHT = "LQMNSLRAEDTAVYYC", "WGQGTLVTVSSASTKGP"
TRUE = "ARDHWKTGMFPY"


def tiled(stretch: str = TRUE, length: int = 12) -> list[str]:
    """Reads of a stretch and what is beside it, one from each residue on."""
    whole = LEFT + stretch + RIGHT
    return [whole[i : i + length] for i in range(len(whole) - length + 1)]


def around(
    reads: Sequence[str], *, probability: float = 0.95, elsewhere: float = 0.0
) -> Surroundings:
    given = read_set(*reads, probability=probability)
    left, right = (merge_il(encode(side)) for side in (LEFT, RIGHT))
    return Surroundings(given, left, right, np.full(len(given), elsewhere), ANY_JOINT)


def weighed(where: Surroundings, *stretches: str) -> list[Path]:
    return weigh_paths(where, [encode(one) for one in stretches])


def after_edits(
    stretch: str,
    reads: Sequence[str],
    *,
    usual: int | None = None,
    longest: int = 30,
    probability: float = 0.95,
) -> str:
    where = around(reads, probability=probability)
    (path,) = weighed(where, stretch)
    return decode(refined(where, path, usual, longest).tokens)


def test_the_stretch_by_which_reads_gain_most_comes_first() -> None:
    wrong, far = TRUE.replace("W", "S"), "GGGGGGGGGGGG"
    for order in ([TRUE, wrong, far], [far, wrong, TRUE]):
        found = weighed(around(tiled()), *order)
        assert [decode(path.tokens) for path in found] == [TRUE, wrong, far]
        gains = [path.gain for path in found]
        assert gains[0] > gains[1] > gains[2] >= 0.0
    assert weighed(around(tiled())) == []


def test_reads_gain_nothing_where_they_fit_better_elsewhere() -> None:
    (path,) = weighed(around(tiled(), elsewhere=99.0), TRUE)
    assert path.gain == 0.0 and path.thinnest == 0.0


def test_reads_gain_by_their_weight() -> None:
    one, (often,) = weighed(around(tiled()), TRUE)[0], weighed(around(tiled() * 3), TRUE)
    weight = around(tiled() * 3).reads.weight
    assert (weight == weight[0]).all() and weight[0] > 1.0
    assert often.gain == pytest.approx(weight[0] * one.gain)


def test_the_thinnest_joint_is_that_over_which_fewest_reads_go() -> None:
    (path,) = weighed(around(tiled()), TRUE)
    whole = path.thinnest
    assert len(path.joints) == len(TRUE) + 1 and whole > 2.0
    at = (LEFT + TRUE).index("WKT") + 1
    apart = [r for r in tiled() if "WK" not in r]
    (path,) = weighed(around(apart), TRUE)
    assert path.thinnest == 0.0 and path.joints.argmin() == at - len(LEFT)


def test_the_more_reads_gain_by_a_stretch_the_more_another_length_must_bring() -> None:
    few, many = (Path(encode("A"), gain, np.ones(2)) for gain in (10.0, 1000.0))
    assert few.length_margin == LENGTH_MARGIN < many.length_margin == 1000.0 * LENGTH_SHARE


@pytest.mark.parametrize(
    "stretch",
    [
        TRUE,
        TRUE.replace("W", "S"),
        TRUE.replace("WK", "SS"),
        TRUE.replace("W", ""),  # one too few
        TRUE.replace("W", "SG"),  # one too many
        TRUE.replace("D", "S").replace("F", "S"),  # two blocks
        "S" + TRUE[1:],
    ],
)
def test_blocks_that_reads_show_otherwise_are_edited(stretch: str) -> None:
    assert after_edits(stretch, tiled()) == TRUE


def test_no_edit_makes_a_stretch_longer_than_it_may_be() -> None:
    short = TRUE.replace("W", "")
    for longest, expected in ((len(TRUE), TRUE), (len(short), short)):
        assert after_edits(short, tiled(), longest=longest) == expected


def test_no_edit_leads_away_from_the_usual_length() -> None:
    short, long = TRUE.replace("W", ""), TRUE.replace("W", "SG")
    for stretch in (short, long):
        assert after_edits(stretch, tiled(), usual=len(TRUE)) == TRUE
        assert after_edits(stretch, tiled(), usual=len(stretch)) == stretch
    wrong = TRUE.replace("W", "S")
    assert after_edits(wrong, tiled(), usual=len(TRUE)) == TRUE
    # One too few or one too many are as far from the usual length.
    assert after_edits(short, tiled(TRUE.replace("W", "WH")), usual=len(TRUE)) == TRUE.replace(
        "W", "WH"
    )


def test_what_an_unsure_read_shows_is_no_edit() -> None:
    wrong = TRUE.replace("W", "S")
    spanning = [(LEFT + TRUE + RIGHT)[8:34]]
    for probability, expected in ((0.95, TRUE), (0.7, wrong)):
        assert after_edits(wrong, spanning, probability=probability) == expected


def test_what_is_not_known_is_not_edited() -> None:
    unknown = TRUE.replace("W", "X")
    assert after_edits(unknown, tiled()) == unknown


def test_reads_that_show_either_of_two_residues_as_often_edit_neither() -> None:
    other = TRUE.replace("T", "S")
    both = [*tiled(), *tiled(other)]
    for stretch in (TRUE, other):
        assert after_edits(stretch, both) == stretch


@pytest.mark.parametrize(("n", "edited"), [(LONGEST_EDIT, True), (LONGEST_EDIT + 1, False)])
def test_a_long_block_is_not_edited(n: int, edited: bool) -> None:
    wrong = TRUE[:2] + "S" * n + TRUE[2 + n :]
    assert after_edits(wrong, tiled(length=24)) == (TRUE if edited else wrong)


@pytest.mark.parametrize("unsure", [None, 0, 1])
def test_a_block_is_as_sure_as_the_least_sure_of_its_residues(unsure: int | None) -> None:
    letters = (LEFT + TRUE + RIGHT)[8:34]
    at = letters.index("WK")
    probabilities = [0.95] * len(letters)
    if unsure is not None:
        probabilities[at + unsure] = 0.7
    reads = [peptide(letters)]
    given = collapse(reads, Mixed({"r": probabilities}).probabilities(reads))
    where = replace(around(tiled()), reads=given, elsewhere=np.zeros(1))
    wrong = TRUE.replace("WK", "SS")
    (path,) = weighed(where, wrong)
    assert decode(refined(where, path).tokens) == (TRUE if unsure is None else wrong)
