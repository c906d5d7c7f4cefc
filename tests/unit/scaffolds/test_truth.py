"""Positions of gaps in a true chain: the two sweeps compared with every possible placement."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.scaffolds.scaffold import Gap
from lacuna.scaffolds.truth import place

LIMIT = 4  # the longest gap that the placements below try


def placements(pieces: list[str], gaps: list[Gap], truth: str) -> Iterator[list[str]]:
    """Yield the contents of the gaps for every way to place pieces and gaps along the truth."""
    piece, *later = pieces
    if not all(a in ("X", b) for a, b in zip(piece, truth, strict=False)) or len(piece) > len(
        truth
    ):
        return
    truth = truth[len(piece) :]
    if not later:
        if not truth:
            yield []
        return
    longest = gaps[0].max_length if gaps[0].max_length is not None else len(truth)
    for length in range(gaps[0].min_length, min(longest, len(truth)) + 1):
        for rest in placements(later, gaps[1:], truth[length:]):
            yield [truth[:length], *rest]


@given(
    st.lists(st.text(alphabet="AC", max_size=3), min_size=2, max_size=4),
    st.lists(
        st.tuples(st.integers(0, 2), st.none() | st.integers(2, LIMIT)), min_size=3, max_size=3
    ),
    st.text(alphabet="AC", max_size=9),
)
def test_what_is_found_is_what_all_placements_share(
    pieces: list[str], lengths: list[tuple[int, int | None]], truth: str
) -> None:
    gaps, at = [], 0
    for piece, (shortest, longest) in zip(pieces[:-1], lengths, strict=False):
        at += len(piece)
        gaps.append(Gap(at, at + 1, shortest, longest))
        at += 1
    if all(gap.fixed for gap in gaps):
        return
    every = list(placements(pieces, gaps, truth))
    if not every:
        with pytest.raises(ValueError, match="does not fit"):
            place("X".join(pieces), gaps, truth)
        return
    found = place("X".join(pieces), gaps, truth)
    for i, letters in enumerate(found):
        if letters is None:
            assert len(every) > 1
        else:
            assert {placement[i] for placement in every} == {letters}


def test_a_long_chain_with_many_loose_gaps_is_placed_quickly() -> None:
    letters = np.random.default_rng(0).choice(list("ACDEFGHIKLMNPQRSTVWY"), 5000)
    truth = "".join(letters)
    spans = [(start, start + 7) for start in range(40, 4900, 50)]
    sequence, gaps, done = "", [], 0
    for start, end in spans:
        sequence += truth[done:start]
        gaps.append(Gap(len(sequence), len(sequence) + 1, 1, None))
        sequence, done = sequence + "X", end
    found = place(sequence + truth[done:], gaps, truth)
    assert found == [truth[start:end] for start, end in spans]
