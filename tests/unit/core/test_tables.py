"""The schema of the tables: what is written reads back."""

import csv
import re
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains import germline_chain, hidden, random_protein
from conftest import Write
from gaps import mass_of
from lacuna.core.files import LacunaError
from lacuna.core.tables import (
    ACCURACY_TABLE,
    CHAIN_TABLE,
    DOUBT_TABLE,
    EVIDENCE_TABLE,
    GAP_TABLE,
    MASS_TABLE,
    PLACED_TABLE,
    REJECTED_TABLE,
    RESIDUE_TABLE,
    SCORED_TABLE,
    TUTORIAL_TABLE,
    DoubtRow,
    EvidenceRow,
    PlacedRow,
    RejectedRow,
    TutorialRow,
)
from lacuna.core.tsv import Readings, Shares, Table
from lacuna.results.scores import measure
from lacuna.scaffolds.scaffold import Gap, Scaffold
from laws import fill

TABLES = (
    *(RESIDUE_TABLE, GAP_TABLE, CHAIN_TABLE, MASS_TABLE, ACCURACY_TABLE, REJECTED_TABLE),
    *(DOUBT_TABLE, TUTORIAL_TABLE, EVIDENCE_TABLE, PLACED_TABLE, SCORED_TABLE),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every table by its name, from chains with odd ids, masses, truths and open gaps."""
    folder = tmp_path_factory.mktemp("tables")
    heavy, light = germline_chain("H", 1), germline_chain("K", 2)
    mass = mass_of(heavy[50:54])
    weighed = Gap(50, 54, 4, 4, mass, 0.01, truth=heavy[50:54])
    coded = Gap(20, 21, 1, 1, truth=light[20])
    chains = [
        Scaffold('"a', "", hidden(heavy, [(50, 54), (98, 104)]), (weighed, Gap(98, 104, 6, 6)), 1),
        Scaffold("007", "", light[:20] + "J" + light[21:], (coded,), 3),
        Scaffold("NA", "", "X" * 12, (Gap(0, 12, 12, 12),), 5),
        Scaffold("whole", "", random_protein(40, 1), (), 7),
    ]
    fill(chains, folder, candidates=3)
    measure([folder / "scored"], [], folder / "accuracy")
    rejected = RejectedRow("b", 9, None, 'b.fasta:9: a "fault"')
    tutorial = TutorialRow("NA", 3, "scaffold", "V", 0.5)
    doubt = DoubtRow('"a', 3, "K", "Q", 0.8239, "isobaric", "3")
    DOUBT_TABLE.write(folder / "doubts", [doubt])
    REJECTED_TABLE.write(folder / "rejected", [rejected])
    TUTORIAL_TABLE.write(folder / "predictions", [tutorial])
    known = [
        EvidenceRow("a", 1, "1", "FR1", "Q", 0.9, "observed", 7, "E", Shares([("E", 0.1)]), ""),
        EvidenceRow("a", 2, "", "", "V", None, "inferred", None, "", Shares(), "length;minority"),
    ]
    placed = [
        PlacedRow("r.csv:2", "peaks", "a", 3, 9, 31.5, "whole", "N4D(deamidated)"),
        PlacedRow("r.csv:3", "peaks", "", None, None, None, "not placed", ""),
    ]
    EVIDENCE_TABLE.write(folder / "evidence", known)
    PLACED_TABLE.write(folder / "reads", placed)
    scored = folder / "scored"
    scored.write_text(SCORED_TABLE.header + scored.read_text())
    return {table.name: folder / table.name.removesuffix(".tsv") for table in TABLES}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_is_written_reads_back(table: Table, written: dict[str, Path]) -> None:
    rows = list(table.read(written[table.name]))
    assert rows and all(type(row) is table.row for row in rows)
    for row in rows:
        for column, value in zip(table.columns, row, strict=True):
            assert isinstance(value, column.type) or (column.optional and value is None)
    assert table.whole(rows) == written[table.name].read_text()


def test_every_column_has_a_meaning_and_every_float_its_digits() -> None:
    for column in (column for table in TABLES for column in table.columns):
        assert column.meaning and "\n" not in column.meaning
        assert (column.type is float) == bool(re.fullmatch(r"%\.\d[fg]", column.format))


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=5)


@given(st.lists(st.builds(RejectedRow, TEXT, st.integers(), st.none() | st.integers(), TEXT)))
def test_lines_are_those_of_a_csv_writer(rows: list[RejectedRow]) -> None:
    text = StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerows((c, line, "" if at is None else at, reason) for c, line, at, reason in rows)
    assert REJECTED_TABLE.text(rows) == text.getvalue()


def test_shares_are_written_with_two_digits_and_a_certain_reading_without() -> None:
    assert str(Shares([("S", 0.104), ("R", 0.08)])) == "S:0.10,R:0.08"
    assert (str(Shares()), str(Readings())) == ("", "")
    assert str(Shares([("S", 0.5)])) == "S:0.50"
    assert str(Readings([("none", 0.997)])) == "none"
    assert Readings.parse("none") == (("none", 1.0),)
    assert Readings.parse("a:0.81,b:0.19") == (("a", 0.81), ("b", 0.19))


def test_rows_come_from_columns_of_one_length() -> None:
    assert TUTORIAL_TABLE.rows("a", [1], ["p"], "V", [0.5]) == [("a", 1, "p", "V", 0.5)]
    with pytest.raises(ValueError, match="shorter"):
        TUTORIAL_TABLE.rows("ab", [1], ["p"], "V", [0.5])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1: its columns are none, not chain, line"),
        ("chain\treason\n", "1: its columns are chain, reason, not chain, line"),
        ("{}a\t1\t\tx\nb\ttwo\t\tx\n", "3: column 'line' has 'two', not a whole number; run"),
        ("{}a\t1\n", "2: it has 2 cells, not 4"),
    ],
)
def test_a_damaged_table_is_named_with_line_and_column(write: Write, text: str, words: str) -> None:
    path = write("rejected.tsv", text.replace("{}", REJECTED_TABLE.header))
    with pytest.raises(LacunaError, match=f"rejected.tsv:{words}"):
        list(REJECTED_TABLE.read(path))
