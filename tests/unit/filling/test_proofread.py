"""Isobaric blocks of another length: where they are sought, and that the network finds them."""

from pathlib import Path

import numpy as np
import pytest
from pyteomics.mass import std_aa_mass

from chains import fasta, germline_chain, hidden, random_protein
from conftest import Write
from lacuna.core.tables import DOUBT_TABLE, DoubtRow
from lacuna.filling.doubts import proofread
from lacuna.filling.doubts.proofread import (
    ENOUGH_NATS,
    ENOUGH_NATS_MOVED,
    INSERTED,
    LACKING,
    MOST_BLOCKS,
    NEAR_RESIDUES,
    SUSPICIOUS_NATS,
    WINDOW_LENGTH,
    Block,
    _best_block,
    _Chain,
    blocks_to_try,
    moves_to_try,
)
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.steps.one_file import fill_file

CHAIN = germline_chain("H", 4)


def improbable(length: int, at: int) -> np.ndarray:
    """Log probabilities of a chain in which one window, from `at` on, is just suspicious."""
    logs = np.zeros(length)
    logs[at : at + WINDOW_LENGTH] = SUSPICIOUS_NATS / WINDOW_LENGTH - 1e-9
    return logs


def test_blocks_are_sought_near_improbable_residues_alone() -> None:
    sequence = "N" * 40
    found = blocks_to_try(sequence, improbable(40, 20))
    assert [block.start for block in found] == list(
        range(20 - NEAR_RESIDUES, 20 + WINDOW_LENGTH + NEAR_RESIDUES)
    )
    assert {(block.observed, block.proposed) for block in found} == {("N", "GG")}
    first = blocks_to_try(sequence, improbable(40, 0))
    assert [block.start for block in first] == list(range(WINDOW_LENGTH + NEAR_RESIDUES))
    assert blocks_to_try(sequence, improbable(40, 20) * 0.99) == []
    assert blocks_to_try("N", np.full(1, -99.0)) == []


def test_a_block_weighs_what_it_may_be_misread_as_and_holds_no_cysteine() -> None:
    letters = "".join(dict.fromkeys("ADEFGHIKLMNPQRSTVWYC"))
    sequence = "".join(a + b for a in letters for b in letters)
    found = blocks_to_try(sequence, np.full(len(sequence), -9.0))
    pairs = {(block.observed, block.proposed) for block in found}
    assert {("W", "AD"), ("GG", "N"), ("GA", "Q"), ("AG", "K"), ("R", "VG"), ("VS", "W")} <= pairs
    for one, other in pairs:
        assert len(one) + len(other) == 3 and "C" not in one + other and (other, one) in pairs
        assert sum(std_aa_mass[r] for r in one) == pytest.approx(
            sum(std_aa_mass[r] for r in other), abs=0.04
        )


def test_a_block_is_replaced_where_it_is() -> None:
    assert Block(2, "GG", "N").replaced("AAGGA") == "AANA"
    assert Block(0, "W", "AD").replaced("WA") == "ADA"


SAME_MASS, OTHER, MOVED, FURTHER = (
    Block(2, "GG", "N"),
    Block(5, "W", "AD"),
    Block(8, "AA", "A", INSERTED),
    Block(9, "A", "XA", LACKING),
)


@pytest.mark.parametrize(
    ("gains", "best"),
    [
        ({}, None),
        ({SAME_MASS: ENOUGH_NATS - 0.1}, None),
        ({SAME_MASS: ENOUGH_NATS}, (SAME_MASS, ENOUGH_NATS)),
        ({SAME_MASS: 11.0, OTHER: 12.0}, (OTHER, 12.0)),
        ({SAME_MASS: 11.0, None: 30.0}, (SAME_MASS, 11.0)),
        ({MOVED: ENOUGH_NATS_MOVED - 0.1}, None),
        ({MOVED: ENOUGH_NATS_MOVED}, (MOVED, ENOUGH_NATS_MOVED)),
        (
            {MOVED: ENOUGH_NATS_MOVED, None: -9.0},
            (MOVED, ENOUGH_NATS_MOVED),
        ),  # doubts that gain nothing
        ({MOVED: 12.0, FURTHER: 13.0, None: 4.0}, (FURTHER, 9.0)),
        ({MOVED: 12.0, None: 6.0}, None),
        ({MOVED: 20.0, SAME_MASS: 11.0, None: 4.0}, (MOVED, 9.0)),
        ({MOVED: 17.0, SAME_MASS: 11.0}, (SAME_MASS, 11.0)),
        ({MOVED: 17.0, SAME_MASS: -20.0}, (MOVED, 17.0)),
    ],
)
def test_the_block_to_replace_gains_enough_over_all_that_it_explains(
    gains: dict[Block | None, float], best: tuple[Block, float] | None
) -> None:
    """A residue too many or too few explains doubts, and blocks of equal mass, too."""
    assert _best_block(gains) == best
    assert _best_block(dict(reversed(gains.items()))) == best


def test_a_block_is_replaced_once_and_told_where_it_is_in_the_chain_as_given() -> None:
    letters = "EVGGGWTEVGGSWT"
    chain = _Chain(Scaffold("c", "", letters, (), 1), list(range(len(letters))))
    chain.accept(Block(2, "GG", "N"), 11.0)
    assert chain.scaffold.sequence == "EVNGWTEVGGSWT"
    chain.accept(Block(4, "W", "AD"), 12.0)
    assert chain.scaffold.sequence == "EVNGADTEVGGSWT"
    chain.logs = np.full(len(chain.scaffold.sequence), SUSPICIOUS_NATS)
    chain.imgt = np.array([str(i) for i in range(len(chain.scaffold.sequence))], dtype=object)
    assert chain.replaced() == {2, 4, 5}
    tried = chain.variants()
    assert {b.start for b in tried if b.observed == "GG"} == {9}
    assert not any(b.observed == "GA" for b in tried)  # of which the A was put in
    assert all(chain.replaced().isdisjoint(range(b.start, b.stop)) for b in tried)
    assert [(row.position, row.residue, row.proposed, row.imgt) for row in chain.rows()] == [
        (3, "GG", "N", "2"),
        (6, "W", "AD", "4"),
    ]


def test_doubts_are_told_at_the_places_of_the_chain_as_given() -> None:
    letters = "EVGGSWTEV"
    chain = _Chain(Scaffold("c", "", letters, (), 1), list(range(len(letters))))
    chain.accept(Block(2, "GG", "N"), 11.0)
    chain.imgt = np.array([str(i) for i in range(len(chain.scaffold.sequence))], dtype=object)
    chain.doubts = [DoubtRow("c", 5, "W", "Y", 0.9, "germline", "7")]
    assert chain.with_doubts_settled() == "EVNSYTEV"
    assert [(row.position, row.residue) for row in chain.rows()] == [(3, "GG"), (6, "W")]
    assert chain.rows()[0].imgt == "2"


def test_a_residue_less_or_more_is_tried_near_doubts_alone() -> None:
    found = moves_to_try("ADEFGHIKLM", [5])
    taken = [b.replaced("ADEFGHIKLM") for b in found if b.reason == INSERTED]
    put_in = [b.replaced("ADEFGHIKLM") for b in found if b.reason == LACKING]
    assert taken == ["ADEGHIKLM", "ADEFHIKLM", "ADEFGIKLM", "ADEFGHKLM", "ADEFGHILM"]
    assert put_in == [f"{'ADEFGHIKLM'[:i]}X{'ADEFGHIKLM'[i:]}" for i in range(3, 8)]
    assert moves_to_try("ADEFGHIKLM", []) == []
    # Neither at a gap nor beyond the ends of the chain.
    assert [b.observed for b in moves_to_try("AXD", [1])] == ["A", "D"]


def doubts(write: Write, folder: Path, **chains: str) -> list[DoubtRow]:
    fill_file({"fasta": write("a.fasta", fasta(chains))}, folder, {"doubts": True})
    return list(DOUBT_TABLE.read(folder / "doubts.tsv"))


def told(rows: list[DoubtRow]) -> list[tuple[str, int, str, str, str]]:
    return [(r.chain, r.position, r.residue, r.proposed, r.imgt) for r in rows]


@pytest.mark.slow
def test_a_block_of_another_length_is_one_doubt_of_its_chain(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = CHAIN.replace("DNSKN", "DGGSKN")  # GG for N
    shorter = CHAIN.replace("YADSV", "YWSV")  # W for AD
    assert len(longer) == len(CHAIN) + 1 and len(shorter) == len(CHAIN) - 1
    at, then = longer.index("DGGSKN"), shorter.index("YWSV")
    given = {"longer": longer, "good": CHAIN, "shorter": shorter}
    rows = doubts(write, tmp_path / "one", **given)
    assert told(rows) == [
        ("longer", at + 2, "GG", "N", "82"),
        ("shorter", then + 2, "W", "AD", "68"),
    ]
    assert {row.reason for row in rows} == {"isobaric"} and min(r.probability for r in rows) > 0.99
    monkeypatch.setattr(proofread, "READ_TOGETHER", 16)  # fewer than are tried of a chain
    assert doubts(write, tmp_path / "two", **given) == rows


@pytest.mark.slow
def test_other_doubts_keep_their_places_in_the_chain_as_it_is(write: Write, tmp_path: Path) -> None:
    wrong = CHAIN.replace("YADSV", "YWSV").replace("DNSKN", "DGGSKN").replace("EDTAV", "ETDAV")
    wrong = hidden(wrong.replace("MYWVRQ", "MYWRVQ"), [(0, 2)])
    assert told(doubts(write, tmp_path / "out", c=wrong)) == [
        ("c", wrong.index("WRVQ") + 2, "R", "V", "42"),
        ("c", wrong.index("WRVQ") + 3, "V", "R", "43"),
        ("c", wrong.index("YWSV") + 2, "W", "AD", "68"),
        ("c", wrong.index("DGGSKN") + 2, "GG", "N", "82"),
        ("c", wrong.index("ETDAV") + 2, "T", "D", "98"),
        ("c", wrong.index("ETDAV") + 3, "D", "T", "99"),
    ]


def test_a_chain_that_is_improbable_all_over_is_not_searched(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = proofread.logs_of

    def watched(scaffolds: list, reading: proofread.Reading) -> list[np.ndarray]:
        read.append(len(scaffolds))
        return [np.full(len(logs), -9.0) for logs in real(scaffolds, reading)]

    monkeypatch.setattr(proofread, "logs_of", watched)
    doubts(write, tmp_path / "out", protein=random_protein(200, 1))
    assert read == [1]


INSERTIONS = {
    "framework": (CHAIN.replace("EWVAV", "EFWVAV"), "EFWVAV", "FW", "W"),
    "doubled": (CHAIN.replace("DTAVYY", "DTAAVYY"), "DTAAVYY", "AA", "A"),
}


@pytest.mark.slow
def test_a_residue_too_many_or_too_few_is_one_row_and_its_neighbours_are_none(
    write: Write, tmp_path: Path
) -> None:
    given = {name: chain for name, (chain, *_) in INSERTIONS.items()}
    given["fewer"] = CHAIN.replace("YADSVKGR", "YADVKGR")
    assert all(len(chain) != len(CHAIN) for chain in given.values())
    rows = doubts(write, tmp_path / "out", **given)
    expected = [
        (name, chain.index(around) + 1 + around.index(residue), residue, proposed, INSERTED)
        for name, (chain, around, residue, proposed) in INSERTIONS.items()
    ]
    expected.append(("fewer", given["fewer"].index("VKGR") + 1, "V", "XV", LACKING))
    assert [(r.chain, r.position, r.residue, r.proposed, r.reason) for r in rows] == expected
    assert min(row.probability for row in rows) > 0.9


@pytest.mark.slow
def test_real_permutations_are_not_taken_for_a_residue_too_many(
    write: Write, tmp_path: Path
) -> None:
    swapped = CHAIN.replace("EWVAV", "EVWAV").replace("DTAVYY", "DTVAYY")
    rows = doubts(write, tmp_path / "out", c=swapped)
    assert {row.reason for row in rows} == {"permuted"} and len(rows) == 4


@pytest.mark.slow
def test_a_residue_too_many_in_a_constant_region_is_one_row(write: Write, tmp_path: Path) -> None:
    whole = germline_chain("H", 4, constant=True)
    longer = whole.replace("PPCPAPELLG", "PPCPAPWELLG")
    assert told(doubts(write, tmp_path / "out", c=longer)) == [
        ("c", longer.index("WELLG") + 1, "WE", "E", "")
    ]


def test_of_many_moves_the_first_and_the_last_are_tried() -> None:
    chain = proofread._Chain(Scaffold("c", "", CHAIN, (), 1), list(range(len(CHAIN))))
    chain.logs, chain.imgt = np.zeros(len(CHAIN)), np.full(len(CHAIN), "1", dtype=object)
    row = DoubtRow("c", 10, "A", "D", 0.9, "permuted", "")
    chain.doubts = [row]
    assert {b.reason for b in chain.variants()} == {INSERTED, LACKING}
    chain.doubts = [row._replace(position=i) for i in range(1, len(CHAIN) + 1)]
    found = chain.variants()
    assert len(found) == MOST_BLOCKS < len(moves_to_try(CHAIN, range(len(CHAIN))))
    assert found[0].start == 0 and found[-1].start == len(CHAIN) - 1
    chain.imgt = np.full(len(CHAIN), "", dtype=object)  # another protein
    assert chain.variants() == []
