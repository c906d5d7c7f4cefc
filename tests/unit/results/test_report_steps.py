"""What the report says to check and to measure first."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains import germline_chain
from lacuna.core.tables import (
    GAP_TABLE,
    MASS_TABLE,
    NOTHING_OBSERVED,
    PLACED_TABLE,
    RESIDUE_TABLE,
    MassDoubt,
    MassRow,
    PlacedRow,
    ResidueRow,
)
from lacuna.core.tsv import Readings
from lacuna.results import streams
from lacuna.results.report import ReportFiles, write_report
from lacuna.results.report.chain import Chain
from lacuna.results.report.chains import read_chains
from lacuna.results.report.evidence import Doubt, Evidence
from lacuna.results.report.next_steps import Step, read_steps
from lacuna.results.report.sample import Room, read_sample
from report_tables import write_tables

HEAVY = germline_chain("H", 1)
PLACES = [(20, 22), (40, 46), (60, 61), (100, 108)]


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    return write_tables(tmp_path, [(HEAVY, PLACES)])


@pytest.fixture
def chain(paths: dict[str, Path]) -> Chain:
    """A chain whose residues in gaps have probabilities of .9, .8, .7 and .6 by gap."""
    (chain,) = read_chains(*(paths[name] for name in ("filled", "chains", "gaps", "residues")))
    of_gap = {p: g for g, (start, end) in enumerate(PLACES) for p in range(start + 1, end + 1)}
    made = (replace(r, probability=900 - 100 * of_gap[r.position]) for r in chain.residues)
    return replace(chain, residues=tuple(made))


def steps(tables: dict[str, Path], *, reads: bool = False) -> dict[str, list[Step]]:
    return read_steps(tables["gaps"], tables["residues"], reads=reads)


def change(path: Path, table: Any, made: Callable[[Any], Any]) -> None:
    """Write a table with each of its rows changed."""
    table.write(path, [made(row) for row in table.read(path)])


def of_probability(row: ResidueRow) -> ResidueRow:
    """The residue with a probability of .9, .8, .7 or .6, by its gap."""
    return row._replace(probability=1 - row.gap / 10)


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_the_gaps_with_most_wrong_residues_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(streams, "CHUNK_ROWS", rows)
    paths = write_tables(tmp_path, [(HEAVY, PLACES)] * 2, names="ab")
    change(paths["residues"], RESIDUE_TABLE, of_probability)
    change(paths["gaps"], GAP_TABLE, lambda row: row._replace(cysteine=None))
    ((what, found),) = steps(paths).items()
    assert what == "the mass of the gap, or a spectrum of a peptide across it"
    assert [(s.chain, s.place, s.region, round(s.wrong, 3), s.residues) for s in found] == [
        ("a", "101–108", "CDR1", 3.2, 8),
        ("b", "101–108", "CDR1", 3.2, 8),
        ("a", "41–46", "CDR1", 1.2, 6),
    ]
    change(paths["residues"], RESIDUE_TABLE, lambda row: row._replace(probability=0.99))
    assert steps(paths) == {}
    change(paths["residues"], RESIDUE_TABLE, lambda row: row._replace(residue="X"))
    change(paths["residues"], RESIDUE_TABLE, lambda row: row._replace(ambiguity="J"))
    assert steps(paths) == {}


def test_what_to_measure_follows_from_what_is_known_of_the_gap(paths: dict[str, Path]) -> None:
    change(paths["residues"], RESIDUE_TABLE, lambda row: row._replace(probability=row.gap / 100))

    def what(*, reads: bool = False, **values: object) -> str:
        made = {"cysteine": None, **values}
        change(paths["gaps"], GAP_TABLE, lambda row: row._replace(**made))
        (found,) = steps(paths, reads=reads)
        return found

    assert what(cysteine=Readings([("none", 1.0)])) == "a fragment that ends within the gap"
    assert what(reads=True).startswith("a peptide across the gap")
    assert what(reads=True).endswith("or the mass of the gap or of the chain")
    (name,) = {row.chain for row in GAP_TABLE.read(paths["gaps"])}
    known = read_steps(paths["gaps"], paths["residues"], reads=True, measured={name})
    assert [one.endswith("or the mass of the gap") for one in known] == [True]
    again = "the mass again (the status of the gap says why)"
    assert what(status=f"filled ({MassDoubt.FITS_BETTER} 0.9840 Da less)") == again
    assert what(status="no_sequence_fits_mass", probability=None) == again
    assert what(status=NOTHING_OBSERVED, probability=None) == "any peptide of the chain"


def test_a_page_that_draws_no_chain_says_what_to_measure(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, PLACES)] * 3)
    change(paths["residues"], RESIDUE_TABLE, of_probability)
    drawn, listed = (read_sample(ReportFiles("s", paths), Room(most, 10)) for most in (3, 2))
    assert len(drawn.chains) == 3 and not listed.chains
    assert drawn.steps == listed.steps != {}


def test_a_page_that_draws_no_chain_knows_its_intact_masses_and_reads(tmp_path: Path) -> None:
    """Reads are of two antibodies; the mass of the first chain is known."""
    names = ["heavy", "heavy_2"]
    paths = write_tables(tmp_path, [(HEAVY, PLACES)] * 2, names=names)
    change(paths["residues"], RESIDUE_TABLE, of_probability)
    change(paths["gaps"], GAP_TABLE, lambda row: row._replace(cysteine=None))
    masses, reads = tmp_path / "masses.tsv", tmp_path / "reads.tsv"
    weighed = [MassRow(name, None, None, None, "", None, None) for name in names]
    weighed[0] = weighed[0]._replace(measured=13000.0, kind="average", tolerance_da=1.0)
    MASS_TABLE.write(masses, weighed)
    placed = [PlacedRow(f"r:{i}", "t", names[i % 2], 0, 9, 20.0, "whole", "") for i in range(4)]
    PLACED_TABLE.write(reads, placed)
    files = ReportFiles("s", paths | {"masses": masses, "reads": reads})
    for most in (2, 1):
        sample = read_sample(files, Room(most, 10))
        assert len(sample.chains) == (2 if most == 2 else 0)
        what = {step.chain: what for what, found in sample.steps.items() for step in found}
        assert what["heavy"].endswith("or the mass of the gap")
        assert what["heavy_2"].endswith("or the mass of the gap or of the chain")
        listed = "heavy (0.50 of the placed reads), heavy_2 (0.50)"
        assert f"Chains of more than one antibody: {listed}." in sample.notes


def test_residues_to_check_are_listed_by_how_many_are_expected_to_be_wrong(
    paths: dict[str, Path], chain: Chain
) -> None:
    sample = read_sample(ReportFiles("s", paths), Room(10, 10))
    doubts = (Doubt(5, "5 V doubtful", True, 0.1), Doubt(90, "90 S doubtful", True, 0.4))
    chain = replace(chain, evidence=Evidence(doubts=doubts))
    places = [place for _, place, _ in replace(sample, chains=(chain,)).places_to_check]
    assert places == ["101–108", "90", "61", "5"]


def test_the_page_says_what_to_measure(paths: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    write_report([ReportFiles("s", paths)], out)
    page = out.read_text(encoding="utf-8")
    assert "<b>Measure next</b>: the mass of the gap, or a spectrum of a peptide" in page
    assert "residues expected to be wrong)" in page
