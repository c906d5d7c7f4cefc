"""Lengths of gaps that were given wrong: named in the status where germline tells, and kept."""

from dataclasses import replace
from pathlib import Path

import pytest

import bundled
import lacuna
from chains import fasta, germline_chain, random_protein
from conftest import Write
from lacuna import cli
from lacuna.antibody.germlines import constants
from lacuna.core.tables import MassDoubt
from lacuna.filling.lengths import given
from lacuna.filling.lengths.given import MOST_GAPS, note_better_lengths
from lacuna.filling.reader import Reader
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.scaffold import Gap, Piece, Scaffold

HEAVY, KAPPA = germline_chain("H", 4), germline_chain("K", 4)
[CONSTANT_KAPPA] = (c.sequence for c in constants() if c.name == "IGKC*01" and c.species == "human")
PLACES = ((35, 5), (40, 6), (62, 6))  # in FR2, over CDR2, and in FR3


def stated(chain: str, start: int, length: int, off: int) -> str:
    """The chain with a gap of `length` residues that is given as `off` more."""
    return chain[:start] + "-" * (length + off) + chain[start + length :]


def status_of(*chains: str) -> list[str]:
    return [filled.gaps[0].status for filled in lacuna.fill(list(chains), precision="float32")]


def named(given: int, better: int) -> str:
    return f"filled ({given} residues given; {MassDoubt.LENGTH} {better})"


@pytest.mark.parametrize("chain", [HEAVY, KAPPA])
@pytest.mark.parametrize("off", [-2, 2])
def test_a_length_that_germline_contradicts_is_named_and_kept(chain: str, off: int) -> None:
    given = [stated(chain, start, length, off) for start, length in PLACES]
    filled = lacuna.fill(given, precision="float32")
    for (start, length), sequence, found in zip(PLACES, given, filled, strict=True):
        assert found.gaps[0].status == named(length + off, length)
        assert len(found.sequence) == len(sequence)  # as given
        assert found.sequence.startswith(chain[:start])
        assert found.sequence.endswith(chain[start + length :])


@pytest.mark.parametrize("off", [-3, -1, 1, 6])
@pytest.mark.parametrize("start", [15, 50, 85])
def test_a_length_in_a_constant_region_is_named_too(start: int, off: int) -> None:
    """Wherever it is, though a residue of V that germline lacks fits at no length."""
    at = len(KAPPA) + start
    whole = KAPPA[:70] + "G" + KAPPA[70:] + CONSTANT_KAPPA
    assert status_of(stated(whole, at, 5, off)) == [named(5 + off, 5)]
    assert status_of(stated(whole, at, 5, 0)) == ["filled"]


def test_a_right_length_is_not_named() -> None:
    right = [
        stated(chain, start, length, 0) for chain in (HEAVY, KAPPA) for start, length in PLACES
    ]
    assert status_of(*right) == ["filled"] * len(right)


def test_what_germline_says_nothing_of_is_not_named() -> None:
    in_cdr3, protein = HEAVY.index("AR", 90) + 4, random_protein(150, 1)
    for off in (-2, 2):
        given = [
            stated(HEAVY, 0, 5, off),  # at an end
            stated(HEAVY, in_cdr3, 4, off),
            stated(protein, 60, 5, off),
        ]
        lacking = "filled (no template for 2 of 7 residues)" if off > 0 else "filled"
        assert status_of(*given) == [lacking, "filled", "filled (no template)"]


# --- which gaps are looked at --------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader() -> Reader:
    return bundled.reader()


def better_lengths(scaffold: Scaffold, reader: Reader) -> list[int | None]:
    kmers = reader.encoder.encode([scaffold])
    [noted] = note_better_lengths([scaffold], [scaffold], kmers, reader)
    plain = tuple(replace(gap, better_length=None) for gap in noted.gaps)
    assert replace(noted, gaps=plain) == scaffold
    return [gap.better_length for gap in noted.gaps]


def wrong(*more: Gap, **facts: object) -> Scaffold:
    """A heavy chain with a gap in FR2 that is given as 7 residues, in truth 5, and more gaps."""
    sequence = list(stated(HEAVY, 35, 5, 2).replace("-", "X"))
    for gap in more:
        sequence[gap.start : gap.end] = "X" * (gap.end - gap.start)
    gaps = sorted([Gap(35, 42, 7, 7, **facts), *more], key=lambda gap: gap.start)  # type: ignore[arg-type]
    return Scaffold("c", "", "".join(sequence), tuple(gaps), 1)


def test_only_gaps_whose_length_was_given_are_looked_at(reader: Reader) -> None:
    assert better_lengths(wrong(), reader) == [5]
    assert better_lengths(wrong(mass=700.0, tolerance_da=0.01), reader) == [None]
    assert better_lengths(wrong(pieces=(Piece(7, 7),)), reader) == [None]
    assert better_lengths(wrong(most=0.94), reader) == [None]
    chain = wrong()
    before = replace(chain, gaps=(replace(chain.gaps[0], max_length=None),))
    kmers = reader.encoder.encode([chain])
    assert note_better_lengths([before], [chain], kmers, reader) == [chain]


def test_each_of_several_gaps_is_judged_by_itself(reader: Reader) -> None:
    assert better_lengths(wrong(Gap(80, 84, 4, 4)), reader) == [5, None]
    many = [Gap(50 + 3 * i, 51 + 3 * i, 1, 1) for i in range(MOST_GAPS)]
    assert better_lengths(wrong(*many), reader) == [None] * (MOST_GAPS + 1)
    assert better_lengths(wrong(*many[1:]), reader) == [5] + [None] * (MOST_GAPS - 1)


def test_chains_that_fit_germline_are_not_read_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = given._better
    monkeypatch.setattr(
        given, "_better", lambda trials, r: read.append(len(trials)) or real(trials, r)
    )
    right = stated(HEAVY, 35, 5, 0).replace("-", "X")
    assert better_lengths(Scaffold("c", "", right, (Gap(35, 40, 5, 5),), 1), reader) == [None]
    assert read == []
    assert better_lengths(wrong(), reader) == [5] and read == [1]
    monkeypatch.setattr(given, "LONGEST_CHAIN", 50)
    assert better_lengths(wrong(), reader) == [None] and read == [1]


def test_results_do_not_depend_on_what_is_read_together(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    chains = [wrong(), wrong(Gap(80, 84, 4, 4)), wrong()]
    kmers = reader.encoder.encode(chains)
    together = note_better_lengths(chains, chains, kmers, reader)
    monkeypatch.setattr("lacuna.filling.reader.VARIANTS_TOGETHER", 1)
    assert note_better_lengths(chains, chains, kmers, reader) == together
    assert [from_json(to_json(chain)) for chain in together] == together


def test_the_summary_counts_such_gaps(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("a.fasta", fasta({"wrong": stated(HEAVY, 35, 5, 2), "right": KAPPA}))
    assert cli.main(["fill", str(path), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "WARNING: 1 gap whose length, as given, hardly fits germline, see status in" in said
