"""Simulated reads: peptides of their chains, of the right mass, with the mistakes asked for."""

import csv
import gzip
import io
import re
import runpy
from collections import Counter
from pathlib import Path

import pytest

from chains import germline_chain
from lacuna.benchmark.simulated_reads import (
    COLUMNS,
    OXIDATION,
    PROTON,
    Reading,
    SimulatedRead,
    calculated_mass,
    simulate_reads,
    write_peaks,
)

CHAIN = germline_chain("H", 1, constant=True)
EXACT = Reading(oxidised=0, deamidated=0, wrong_end=0, swapped=0, other_length=0, noise=0, ppm=0)


def letters(read: SimulatedRead) -> str:
    return re.sub(r"\([^)]*\)", "", read.peptide)


def test_a_seed_gives_the_same_reads() -> None:
    one, two, other = (simulate_reads([("H", CHAIN, 1.0)], 200, seed) for seed in (1, 1, 2))
    assert one == two and one != other


def test_reads_without_mistakes_are_peptides_of_the_chain() -> None:
    reads = simulate_reads([("H", CHAIN, 1.0)], 300, 1, reading=EXACT)
    assert len(reads) == 300
    for read in reads:
        assert letters(read) == CHAIN[read.start : read.end].replace("I", "L")
        assert len(read.confidences) == read.end - read.start
        assert read.mass == pytest.approx(calculated_mass(read.peptide), abs=0.01)
        assert read.peptide.count("C") == read.peptide.count("C(+57.02)")


@pytest.mark.parametrize("protease", ["trypsin", "aspn", "alp"])
def test_proteases_cut_where_they_do(protease: str) -> None:
    before = {"trypsin": "KR", "alp": "TASV"}
    reads = simulate_reads([("H", CHAIN, 1.0)], 100, 1, proteases=[protease], reading=EXACT)
    assert len(reads) == 100
    for read in reads:
        if protease == "aspn":
            assert read.start == 0 or CHAIN[read.start] == "D"
        else:
            assert read.start == 0 or CHAIN[read.start - 1] in before[protease]
            assert read.end == len(CHAIN) or CHAIN[read.end - 1] in before[protease]


def test_mistakes_keep_the_mass_of_the_precursor() -> None:
    wrong = Reading(oxidised=0, deamidated=0, noise=0, ppm=0, wrong_end=1, other_length=0.5)
    reads = simulate_reads([("H", CHAIN, 1.0)], 300, 1, reading=wrong)
    changed = [r for r in reads if letters(r) != CHAIN[r.start : r.end].replace("I", "L")]
    assert len(changed) > 200
    assert any(len(letters(r)) != r.end - r.start for r in changed)
    for read in reads:
        assert read.mass == pytest.approx(calculated_mass(read.peptide), abs=0.05)


def test_mistakes_may_be_those_of_other_reads_of_the_peptide() -> None:
    wrong = Reading(**{**_as_dict(EXACT), "wrong_end": 1.0, "swapped": 1.0})

    def readings(repeated: float) -> set[str]:
        how = Reading(**{**_as_dict(wrong), "repeated": repeated})
        reads = simulate_reads([("H", CHAIN, 1.0)], 2_000, 1, proteases=["trypsin"], reading=how)
        most = Counter((r.start, r.end) for r in reads).most_common(1)[0][0]
        return {r.peptide for r in reads if (r.start, r.end) == most}

    assert len(readings(1.0)) == 1 < len(readings(0.9)) < len(readings(0.0))


def test_an_oxidation_that_is_not_listed_is_read_as_other_residues() -> None:
    listed = Reading(**{**_as_dict(EXACT), "oxidised": 1.0})
    hidden = Reading(**{**_as_dict(listed), "lists_oxidation": False})
    shown = simulate_reads([("H", CHAIN, 1.0)], 200, 1, reading=listed)
    blind = simulate_reads([("H", CHAIN, 1.0)], 200, 1, reading=hidden)
    with_m = [r for r in shown if "M" in CHAIN[r.start : r.end]]
    assert with_m and all("M(+15.99)" in r.peptide for r in with_m)
    read_so = [r for r in blind if "M" in CHAIN[r.start : r.end] and "(+15.99)" not in r.peptide]
    assert len(read_so) > 5
    for read in read_so:
        bare = calculated_mass(CHAIN[read.start : read.end])
        assert read.mass > bare + OXIDATION - 0.1


def test_shares_of_a_mixture_and_noise() -> None:
    other = germline_chain("H", 2)
    reads = simulate_reads([("a", CHAIN, 0.8), ("b", other, 0.2)], 2000, 1)
    of = {name: sum(r.chain == name for r in reads) for name in ("a", "b", "")}
    assert of["a"] > of["b"] > 50
    assert 300 < of[""] < 500


def test_the_table_is_that_of_peaks() -> None:
    reads = simulate_reads([("H", CHAIN, 1.0)], 50, 3)
    handle = io.StringIO()
    write_peaks(reads, handle, "simulated")
    rows = list(csv.DictReader(io.StringIO(handle.getvalue())))
    assert tuple(rows[0]) == tuple(COLUMNS)
    for row, read in zip(rows, reads, strict=True):
        assert row["Peptide"] == read.peptide
        assert len(row["local confidence (%)"].split()) == len(letters(read))
        measured = (float(row["m/z"]) - PROTON) * int(row["z"])
        assert measured == pytest.approx(read.mass, abs=0.001)


def _as_dict(reading: Reading) -> dict[str, float]:
    return {name: getattr(reading, name) for name in Reading.__dataclass_fields__}


def test_the_bundled_table_is_what_its_script_makes() -> None:
    place = Path(__file__).parents[3] / "resources" / "examples" / "simulated_reads"
    made = runpy.run_path(str(place / "make.py"))
    (file,) = place.glob("*.csv.gz")
    assert "simulated" in file.name
    assert gzip.decompress(file.read_bytes()).decode() == made["table"]()
