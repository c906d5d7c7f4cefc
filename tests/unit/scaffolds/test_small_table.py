"""What the tables of intact masses and of evidence have in common: separators, quotes, comments."""

import re
from collections.abc import Sequence

import pytest

from conftest import Write
from lacuna.core.files import LacunaError
from lacuna.scaffolds.evidence_table import EvidenceTable
from lacuna.scaffolds.gap_table import GapTable
from lacuna.scaffolds.mass_table import MassTable
from lacuna.scaffolds.scaffold import IntactMass
from lacuna.scaffolds.small_table import MAX_LINE, read_table

TABLE = "chain\tmass\ttolerance_da\tkind\nh\t13164.6\t1\taverage\n"
CELLS = {"chain": "h", "mass": "13164.6", "tolerance_da": "1", "kind": "average"}


def any_columns(columns: Sequence[str]) -> str:
    """A check that every header passes."""
    return ""


def quoted(text: str, separator: str) -> str:
    """The table as R writes it, with words in quotes."""
    return re.sub(r"[a-z_]+", r'"\g<0>"', text).replace("\t", separator)


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        TABLE.replace("\t", ","),
        TABLE.replace("\t", ";").replace("\n", "\r\n"),
        quoted(TABLE, "\t"),
        quoted(TABLE, ","),
        quoted(TABLE, " , ").replace(" ,", ","),
        TABLE.replace("average", '"average"').replace("13164.6", '"13164.6"'),
        "# by hand\n\n#, too\n" + TABLE,
        "\ufeff" + TABLE.replace("chain", "Chain"),
        TABLE + "\t\t\t\n \n",
    ],
)
def test_a_table_of_any_program_says_the_same(write: Write, text: str) -> None:
    path = write("m.tsv", text)
    line = text.splitlines().index(next(row for row in text.splitlines() if "13164" in row)) + 1
    assert list(read_table(path, "table", "chain", CELLS, any_columns, "mass")) == [(line, CELLS)]
    assert MassTable(path).take("h") == IntactMass(13164.6, 1.0, "average")


@pytest.mark.parametrize(
    "text",
    [
        '"chain"\t"position"\t"residue"\t"probability"\n"h"\t1\t"D"\t0.7\n',
        "# from a spectrum\nchain,position,residue,probability\nh,1,D,0.7\n",
        '"chain"\t"position"\t"d"\n"h"\t1\t0.7\n',
    ],
)
def test_evidence_is_read_in_the_same_ways(write: Write, text: str) -> None:
    (known,), _ = EvidenceTable(write("e.tsv", text)).take("h", "X", ())
    assert max(known.weights) == pytest.approx(0.7)


def test_the_quotes_of_an_id_belong_to_it_under_a_header_without_quotes(write: Write) -> None:
    table = MassTable(write("m.tsv", TABLE.replace("h\t1", '"h"\t1')))
    assert table.take("h") is None and table.take('"h"') is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# nothing\n", "m.tsv: the table is empty; begin with chain"),
        (TABLE + "h\t1\t1\taverage\t1\t1\n", "m.tsv:3: 6 cells under 4 columns; remove what is"),
        (
            quoted(TABLE, "\t").replace('"h"', '"1"\t"h"'),
            "m.tsv:2: 5 cells under 4 columns; if the first are row names, write the table with "
            "row.names=FALSE; otherwise remove",
        ),
        (TABLE + "h" * (MAX_LINE + 1), "m.tsv:3: a line of more than 100000 characters"),
    ],
)
def test_what_is_no_table_is_named(write: Write, text: str, said: str) -> None:
    with pytest.raises(LacunaError, match=re.escape(said)):
        list(read_table(write("m.tsv", text), "table", "chain", CELLS, any_columns, "mass"))


@pytest.mark.parametrize(
    ("read", "columns", "row"),
    [
        (MassTable, "chain mass tolerance_da kind", "1 h 100 1 "),
        (EvidenceTable, "chain position A C", "1 h 3 0.5 "),
        (EvidenceTable, "chain position A C", "first h 3 0.5 "),
        (GapTable, "chain start end mass", "1 h 0 3 "),
    ],
)
def test_row_names_beside_an_empty_last_cell_are_named(
    write: Write, read: type, columns: str, row: str
) -> None:
    """As R writes a table with na="": the empty cell does not make up for the name."""
    text = f"{columns}\n{row}\n".replace(" ", "\t")
    with pytest.raises(LacunaError, match=r"t.tsv:2: 5 cells under 4 columns; .*row.names=FALSE"):
        read(write("t.tsv", text))


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
@pytest.mark.parametrize(
    ("read", "columns"),
    [
        (MassTable, ("", "chain", "mass", "tolerance_da", "kind")),
        (EvidenceTable, ("", "chain", "position", "residue", "probability")),
        (GapTable, ("", "chain", "start", "end")),
    ],
)
def test_row_names_under_a_column_without_a_name_are_named(
    write: Write, read: type, columns: Sequence[str], separator: str
) -> None:
    header = separator.join(f'"{name}"' for name in columns)
    path = write("t.csv", header + "\n")
    with pytest.raises(LacunaError, match=r"t.csv:1: a column has no name; .*row.names=FALSE"):
        read(path)


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
@pytest.mark.parametrize(
    ("read", "text"),
    [
        (MassTable, "chain mass tolerance_da kind  |h 100 1 average  |    |k 100 1 average"),
        (EvidenceTable, "chain position residue probability |h 1 D 0.9 |k 1 D 0.9"),
        (GapTable, "chain start end mass  |h 1 2   |k 1 2 115.0269  "),
    ],
)
def test_empty_columns_that_a_spreadsheet_writes_beside_a_table_do_not_count(
    write: Write, read: type, text: str, separator: str
) -> None:
    table = read(write("t.csv", text.replace("|", "\n").replace(" ", separator) + "\n"))
    assert {chain for chain, _ in table.left()} == {"h", "k"}


def test_a_cell_beside_a_table_is_one_too_many(write: Write) -> None:
    path = write("m.csv", "chain,mass,tolerance_da,kind,,\nh,100,1,average,,2\n")
    with pytest.raises(LacunaError, match="m.csv:2: 6 cells under 4 columns"):
        MassTable(path)
