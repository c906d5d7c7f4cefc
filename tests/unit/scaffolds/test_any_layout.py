"""What holds for any layout of chains, tables and truth."""

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lacuna.core.alphabet import AMBIGUOUS, RESIDUES
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Rejected, Scaffold

OBSERVED = st.text(alphabet=RESIDUES + RESIDUES.lower(), max_size=12)
MISSING = st.text(alphabet="-Xx_?", min_size=1, max_size=4)
AMBIGUITY = st.sampled_from([*AMBIGUOUS, *(letter.lower() for letter in AMBIGUOUS)])
INLINE = st.floats(58, 9000).map(lambda mass: f"X[+{mass:.4f}]") | st.integers(57, 9000).map(
    lambda mass: f"{{{mass} Da}}"
)
PIECES = st.lists(OBSERVED | MISSING | AMBIGUITY | INLINE, min_size=1, max_size=12)


def expected_letters(pieces: list[str]) -> str:
    """The sequence that the pieces of a chain mean, position by position."""
    letters = ""
    for piece in pieces:
        if piece.startswith(("X[", "{")):
            letters += "X"
        else:
            letters += re.sub("[-_?]", "X", piece.upper())
    return letters


@given(PIECES.filter(lambda pieces: any(pieces)), st.randoms(use_true_random=False))
@example(["X[+58.0000]"], random.Random(0))
def test_observed_residues_and_coordinates_survive_any_layout(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], dice: random.Random
) -> None:
    text = "".join(
        character + dice.choice(["", "", "", " ", "\n", "\r\n"]) for character in "".join(pieces)
    )
    path = tmp_path_factory.mktemp("fasta") / "a.fasta"
    path.write_text(f">a\n{text}\n", encoding="utf-8", newline="")
    scaffold, *others = read_scaffolds(path)
    assert isinstance(scaffold, Scaffold)
    assert all(isinstance(other, Rejected) and other.remark for other in others)
    assert scaffold.sequence == expected_letters(pieces)

    # Gaps are sorted, disjoint, and hold exactly the letters that are not residues.
    covered = [position for gap in scaffold.gaps for position in range(gap.start, gap.end)]
    assert covered == [
        position for position, letter in enumerate(scaffold.sequence) if letter not in RESIDUES
    ]
    massive = [piece.startswith(("X[", "{")) for piece in pieces if piece]
    assert sum(len(gap.pieces) or gap.weighed for gap in scaffold.gaps) == sum(massive)
    runs = sum(now and not before for before, now in zip([False, *massive], massive, strict=False))
    assert sum(gap.weighed for gap in scaffold.gaps) == runs
    assert from_json(to_json(scaffold)) == scaffold


@given(st.text(alphabet=RESIDUES, min_size=1, max_size=40), st.data())
def test_hiding_and_truth_put_together_are_the_chain(
    tmp_path_factory: pytest.TempPathFactory, sequence: str, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sequence)), max_size=8)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    folder = tmp_path_factory.mktemp("table")
    (folder / "a.fasta").write_text(f">a\n{sequence}\n", encoding="utf-8")
    (folder / "a.bed").write_text(
        "".join(f"a\t{start}\t{end}\n" for start, end in reversed(spans)), encoding="utf-8"
    )
    table = folder / "a.bed" if spans else None
    (scaffold,) = read_scaffolds(folder / "a.fasta", table)
    assert isinstance(scaffold, Scaffold)
    assert [(gap.start, gap.end) for gap in scaffold.gaps] == spans
    filled = list(scaffold.sequence)
    for gap in scaffold.gaps:
        assert filled[gap.start : gap.end] == ["X"] * (gap.end - gap.start) and gap.fixed
        filled[gap.start : gap.end] = gap.truth or ""
    assert "".join(filled) == sequence


@given(st.binary(max_size=200))
@example(b"[\xff]")
@example(b"{\xd9\xa4 Da}")
def test_no_bytes_whatever_raise_anything_but_a_rejection(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a.fasta"
    path.write_bytes(b">a\nACD\n>b\n" + body.replace(b"\0", b"").replace(b">", b""))
    first, second = read_scaffolds(path)
    assert isinstance(first, Scaffold) and first.sequence == "ACD"
    assert second.chain == "b"


@given(
    st.text(alphabet=RESIDUES, min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=3),
)
def test_a_truth_cut_into_loose_gaps_never_comes_back_wrong(
    tmp_path_factory: pytest.TempPathFactory, truth: str, cuts: list[tuple[int, int]]
) -> None:
    # Cut pieces of unknown length out of a chain: the truth is found, or nothing.
    spans: list[tuple[int, int]] = []
    for start, end in sorted((min(cut), max(cut)) for cut in cuts):
        if end <= len(truth) and start < end and (not spans or start >= spans[-1][1]):
            spans.append((start, end))
    sequence, done = "", 0
    for start, end in spans:
        sequence += truth[done:start] + "{9000 Da}"
        done = end
    folder = tmp_path_factory.mktemp("truth")
    (folder / "a.fasta").write_text(f">a\n{sequence}{truth[done:]}\n", encoding="utf-8")
    (folder / "t.fasta").write_text(f">a\n{truth}\n", encoding="utf-8")
    (scaffold,) = read_scaffolds(folder / "a.fasta", truth=folder / "t.fasta")
    assert isinstance(scaffold, Scaffold)
    for gap, (start, end) in zip(scaffold.gaps, spans, strict=True):
        assert gap.truth in (truth[start:end], None)
    if len(spans) == 1:
        assert scaffold.gaps[0].truth == truth[spans[0][0] : spans[0][1]]
