"""The table of intact masses: read, and its faults named."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import Write
from gaps import MASSES
from lacuna.core.files import LacunaError
from lacuna.scaffolds.mass_table import MassTable
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import IntactMass, Rejected, Scaffold


def test_rows_are_read_by_chain(write: Write) -> None:
    rows = "a\t13000.5\t1\tAverage\n\nb\t12990\t0.5\tmonoisotopic\n"
    table = MassTable(write("m.tsv", MASSES + rows))
    assert table.take("a") == IntactMass(13000.5, 1.0, "average")
    assert table.take("a") is None
    assert list(table.left()) == [("b", 4)]
    table.discard("b")
    assert list(table.left()) == []


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("a\t-5\t1\taverage", "mass '-5'; give a number of Da above 0"),
        ("a\t0.000\t1\taverage", "mass '0.000'; give a number of Da above 0"),
        ("a\t1_0\t1\taverage", "mass '1_0'"),
        ("a\t13000\t\taverage", "tolerance_da ''"),
        ("a\t13000,5\t1\taverage", "mass '13000,5'; write a decimal point: 13000.5"),
        ("a\t13,000.5\t1\taverage", "without separators of thousands: 13000.5"),
        ("a\t13,122\t1\taverage", "write 13122, or 13.122 if the comma is a decimal one"),
        ("a\t0.23\t0.1\taverage", "mass of 0.23 Da, less than its 2 observed residues can weigh"),
        ("a\t13000\t1\tmean", "kind 'mean'; use one of average, monoisotopic"),
        ("a\t130\t131\taverage", "give a tolerance that is less than the mass"),
        ("a\t130\t1\taverage\na\t130\t1\taverage", "has two intact masses; keep one"),
    ],
)
def test_a_bad_row_rejects_its_chain(write: Write, cells: str, words: str) -> None:
    fasta = write("a.fasta", ">a\nACX\n>b\nACX\n")
    first, second = read_scaffolds(fasta, masses=write("m.tsv", MASSES + cells + "\n"))
    assert isinstance(first, Rejected) and words in first.reason
    assert first.reason.startswith("m.tsv:")
    assert isinstance(second, Scaffold) and second.intact is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chain\tmass\ttolerance_da\n", "m.tsv:1: column 'kind' is missing"),
        ("", "m.tsv: the table of intact masses is empty; begin with chain, mass"),
        (MASSES.strip() + "\tform\n", "m.tsv:1: unknown column 'form' of the table of "),
        ("chain,mass,Mass,tolerance_da,kind\n", "m.tsv:1: column 'mass' is there twice; keep one"),
    ],
)
def test_a_table_without_its_columns_stops_the_run(write: Write, text: str, said: str) -> None:
    with pytest.raises(LacunaError, match=said):
        MassTable(write("m.tsv", text))


@given(st.binary(max_size=200))
@example(b"chain\tmass\ttolerance_da\tkind\na\t\xff\t1\taverage\n")
@example(b"chain,mass,tolerance_da,kind\n" + b"a" * 100_001)
def test_any_file_is_a_table_or_named(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("masses") / "m.tsv"
    path.write_bytes(raw)
    try:
        MassTable(path)
    except LacunaError as error:
        assert str(error).startswith(str(path))


def test_masses_of_unknown_chains_are_listed(write: Write) -> None:
    row = MASSES + "z\t13000\t1\taverage\n"
    _, unknown = read_scaffolds(write("a.fasta", ">a\nACX\n"), masses=write("m.tsv", row))
    assert isinstance(unknown, Rejected)
    assert unknown.reason.startswith("m.tsv:2: 'z' is not a chain of a.fasta")


def test_the_light_chain_of_reads_is_known_without_its_locus(write: Write) -> None:
    path = write("m.tsv", MASSES + "light\t23000\t1\taverage\nheavy\t49000\t1\taverage\n")
    for names, chain in (
        (["heavy", "kappa"], "kappa"),
        (["heavy", "lambda"], "lambda"),
        (["kappa_1", "kappa_2"], "light"),
        (["heavy"], "light"),
    ):
        table = MassTable(path)
        table.name_light(names)
        found = table.take(chain)
        assert found is not None and found.mass == 23000.0
    both = MassTable(write("n.tsv", MASSES + "light\t1\t1\taverage\nkappa\t2\t1\taverage\n"))
    both.name_light(["kappa"])
    kept = both.take("kappa")
    assert kept is not None and kept.mass == 2.0


def test_a_chain_that_reads_gave_is_filled_without_a_mass_that_cannot_be_used(write: Write) -> None:
    """One of a FASTA is rejected: it is the user's record."""
    fasta = write("chains.fasta", ">heavy\nACDX\n>kappa\nACDX\n")
    masses = write("m.tsv", MASSES + "heavy\t0.3\t0.1\taverage\nlight\t4,5\t1\taverage\n")
    evidence = write("e.tsv", "chain\tposition\tresidue\tprobability\n")
    heavy, kappa, *rejected = read_scaffolds(fasta, masses=masses, settled=evidence)
    assert isinstance(heavy, Scaffold) and isinstance(kappa, Scaffold)
    assert heavy.intact is kappa.intact is None
    said = [one.reason for one in rejected if isinstance(one, Rejected)]
    assert "m.tsv:2: 'heavy' has an intact mass of 0.3 Da, less than its 3 observed" in said[0]
    assert "m.tsv:3: 'kappa' has an intact mass with mass '4,5'" in said[1] and len(said) == 2
    assert all(reason.endswith("; until then the chain is filled without it") for reason in said)
    assert isinstance(next(read_scaffolds(fasta, masses=masses)), Rejected)
