"""What the report says to check and to measure first."""

from dataclasses import replace
from pathlib import Path

import pytest

from chains import germline_chain
from lacuna.core.tables import MassDoubt, Readings
from lacuna.results.report import TABLES, write_report
from lacuna.results.report.chain import Chain
from lacuna.results.report.chains import read_chains
from lacuna.results.report.evidence import Doubt, Evidence
from lacuna.results.report.next_steps import MAX_STEPS, steps_of
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


def test_the_gaps_with_most_wrong_residues_come_first(chain: Chain) -> None:
    ((what, steps),) = steps_of([chain]).items()
    assert what == "the mass of the gap, or a spectrum of a peptide across it"
    assert [(s.place, round(s.wrong, 3), s.residues) for s in steps] == [
        ("101–108", 3.2, 8),
        ("41–46", 1.2, 6),
    ]
    found = steps_of([chain, replace(chain, name="b")])
    assert [s.chain for s in found[what]] == [chain.name, "b", chain.name]
    assert sum(map(len, found.values())) == MAX_STEPS
    sure = [replace(r, probability=990) for r in chain.residues]
    assert steps_of([replace(chain, residues=tuple(sure))]) == {}


def test_what_to_measure_follows_from_what_is_known_of_the_gap(chain: Chain) -> None:
    def what(found: Chain) -> list[str]:
        return list(steps_of([found]))

    def with_last(**values: object) -> Chain:
        last = chain.gaps[-1]
        row = last.candidates[0]._replace(cysteine=values.pop("cysteine", None))
        gap = replace(last, candidates=(row, *last.candidates[1:]), **values)
        return replace(chain, gaps=(gap,))

    known = Readings([("none", 1.0)])
    assert what(with_last(cysteine=known)) == ["a fragment that ends within the gap"]
    doubted = f"filled ({MassDoubt.FITS_BETTER} 0.9840 Da less)"
    assert what(with_last(status=doubted)) == ["what the status of the gap names, again"]
    read = replace(with_last(), evidence=Evidence(depths=(1.0,) * len(HEAVY)))
    (said,) = what(read)
    assert said.startswith("a peptide across the gap")


def test_residues_to_check_are_listed_by_how_many_are_expected_to_be_wrong(
    paths: dict[str, Path], chain: Chain
) -> None:
    sample = read_sample("s", paths, Room(10, 10))
    doubts = (Doubt(5, "5 V doubtful", True, 0.1), Doubt(90, "90 S doubtful", True, 0.4))
    chain = replace(chain, evidence=Evidence(doubts=doubts))
    places = [place for _, place, _ in replace(sample, chains=(chain,)).places_to_check]
    assert places == ["101–108", "90", "61", "5"]


def test_the_page_says_what_to_measure(paths: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    write_report(["s"], {name: [paths[name]] for name in TABLES}, out)
    page = out.read_text(encoding="utf-8")
    assert "<b>Measure next</b>: the mass of the gap, or a spectrum of a peptide" in page
    assert "residues expected to be wrong)" in page
