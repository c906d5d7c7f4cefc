"""evidence.tsv: a row for every position of a chain, observed or filled."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from chains import germline_chain
from conftest import Write
from lacuna.core.alphabet import RESIDUES
from lacuna.core.tables import (
    DOUBTFUL,
    EVIDENCE_TABLE,
    GAP_TABLE,
    INFERRED,
    OBSERVED,
    RESIDUE_TABLE,
    SPECTRUM_TABLE,
    STRETCH,
    EvidenceRow,
    GapRow,
    ResidueRow,
    SpectrumRow,
)
from lacuna.core.tsv import Shares
from lacuna.results.evidence import _Known, _observed, _of_gap, _with_given, write_evidence
from lacuna.scaffolds.json_lines import write_scaffolds
from lacuna.scaffolds.scaffold import Gap, PositionEvidence, Scaffold
from tsv import row_of

NOTHING = Shares()


def gap_table(write: Write, *rows: GapRow) -> Path:
    return write("gaps.tsv", GAP_TABLE.whole(rows))


def candidate(rank: int, cleavages: str) -> GapRow:
    """A candidate of the first gap of chain a, as spectra show it to be cleaved."""
    letters = cleavages.replace("/", "")
    place = {"chain": "a", "gap": 1, "start": 4, "end": 5}
    return row_of(GAP_TABLE, **place, rank=rank, candidate=letters, cleavages=cleavages)


def weights(**shares: float) -> tuple[float, ...]:
    return tuple(shares.get(residue, 0.0) for residue in RESIDUES)


@pytest.fixture
def chain() -> str:
    return germline_chain("H", 3)


@pytest.fixture
def sample(write: Write, tmp_path: Path, chain: str) -> dict[str, Path]:
    """Files of a sample: a chain with a gap of unknown length and one without gaps."""
    gap = Gap(4, 5, 1, None, 300.0, 0.1)
    told = (
        PositionEvidence(0, weights(**{chain[0]: 0.9, "K": 0.1})),
        PositionEvidence(7, weights(**{chain[9]: 0.2, "W": 0.8})),
    )
    one = Scaffold("a", "", chain[:4] + "X" + chain[7:], (gap,), 1, (), told)
    two = Scaffold("b", "", chain, (), 3)
    (tmp_path / "scaffolds").mkdir()
    for number, scaffold in enumerate((one, two)):
        write_scaffolds(tmp_path / "scaffolds" / f"{number:05d}.jsonl", [scaffold])
    write_scaffolds(tmp_path / "scaffolds" / "evidence.jsonl", [two])  # no block
    filled = write("filled.fasta", f">a\n{chain}\n>b about\n{chain}\n")
    rows = [
        ResidueRow(
            "a", i + 1, 1, chain[i], 0.5, Shares([("W", 0.3)]), "G", "FR1", "", str(i), 4, ""
        )
        for i in range(4, 7)
    ]
    residues = write("residues.tsv", RESIDUE_TABLE.whole(rows))
    return {
        "scaffolds": tmp_path / "scaffolds",
        "filled": filled,
        "gaps": gap_table(write),
        "residues": residues,
    }


def test_evidence_that_was_given(sample: dict[str, Path], tmp_path: Path, chain: str) -> None:
    write_evidence(**sample, positions=None, out=tmp_path / "out")
    rows = list(EVIDENCE_TABLE.read(tmp_path / "out"))
    assert [(r.chain, r.position) for r in rows] == [
        (name, i + 1) for name in "ab" for i in range(len(chain))
    ]
    assert "".join(r.residue for r in rows) == chain * 2  # as they were filled, and observed
    assert [r.state for r in rows[4:7]] == ["inferred"] * 3
    assert rows[4].probability == 0.5 and rows[4].alternatives == (("W", 0.3),)
    assert [i for i, r in enumerate(rows) if r.flags == "length"] == [3, 4, 5, 6, 7]
    sure, doubted = rows[0], rows[9]
    assert (sure.state, sure.probability, sure.flags) == ("observed", 0.9, "")
    assert (doubted.residue, doubted.state) == (chain[9], "doubtful")  # left as it is
    assert (doubted.probability, doubted.flags) == (0.2, "against_evidence")
    assert doubted.alternatives == (("W", 0.8),)
    assert rows[1].probability is None and rows[1].depth is None
    assert (rows[0].imgt, rows[0].region, rows[-1].region) == ("1", "FR1", "FR4")


@pytest.mark.parametrize(
    ("residue", "given", "state", "flags"),
    [
        ("D", {"D": 0.9, "N": 0.1}, "observed", ""),
        ("D", {"D": 0.7, "N": 0.3}, "doubtful", ""),
        ("D", {"D": 0.5, "N": 0.5}, "doubtful", ""),
        ("D", {"D": 0.3, "N": 0.7}, "doubtful", "against_evidence"),
        ("I", {"I": 0.6, "L": 0.3, "V": 0.1}, "observed", "i_or_l"),
        ("I", {"I": 0.4, "L": 0.4, "V": 0.2}, "doubtful", ""),
    ],
)
def test_an_observed_residue_is_doubtful_by_evidence_below_what_is_observed(
    residue: str, given: dict[str, float], state: str, flags: str
) -> None:
    row = _with_given(_observed("a", residue), weights(**given))
    assert (row.residue, row.probability) == (residue, pytest.approx(given[residue]))
    assert (row.state, row.flags) == (state, flags)


@pytest.mark.parametrize(
    ("letter", "by_reads", "given", "expected"),
    [
        # Evenly unsure of it, together surer; at odds, the surer of the two.
        ("D", {"D": 0.9, "N": 0.1}, {"D": 0.9, "N": 0.1}, (0.988, "observed", "deamidation")),
        ("D", {"D": 0.99, "N": 0.01}, {"N": 0.9, "D": 0.1}, (0.917, "observed", "deamidation")),
        (
            "D",
            {"D": 0.9, "N": 0.1},
            {"N": 0.99, "D": 0.01},
            (0.083, "doubtful", "deamidation;against_evidence"),
        ),
        # Reads count I as L: evidence that tells them apart does so, any other does not.
        ("L", {"L": 0.99}, {"L": 0.2, "I": 0.8}, (0.2, "doubtful", "deamidation;against_evidence")),
        ("L", {"L": 0.99}, {"K": 0.5, "L": 0.25, "I": 0.25}, (0.998, "observed", "deamidation")),
    ],
)
def test_evidence_about_an_observed_residue_is_multiplied_with_what_reads_say(
    letter: str,
    by_reads: dict[str, float],
    given: dict[str, float],
    expected: tuple[float, str, str],
) -> None:
    probability, state, flags = expected
    others = Shares((r, p) for r, p in by_reads.items() if r != letter)
    of_reads = EvidenceRow(
        "a", 3, "", "", letter, by_reads[letter], OBSERVED, 7.0, "", others, "deamidation"
    )
    row = _with_given(of_reads, weights(**given))
    assert row.probability == pytest.approx(probability, abs=0.002)
    assert (row.state, row.flags, row.depth) == (state, flags, 7.0)


def test_what_reads_say_is_moved_to_the_filled_chain(
    sample: dict[str, Path], write: Write, tmp_path: Path, chain: str
) -> None:
    read = [
        EvidenceRow("b", 2, "", "", chain[1], 0.99, "observed", 7, "V", NOTHING, "minority"),
        EvidenceRow("a", 5, "", "", "X", None, "inferred", 0, "", NOTHING, "length"),
        EvidenceRow("a", 6, "", "", chain[7], 0.97, "doubtful", 3, "S", NOTHING, "deamidation"),
    ]
    positions = write("positions.tsv", EVIDENCE_TABLE.whole(read))
    write_evidence(**sample, positions=positions, out=tmp_path / "out")
    rows = {(r.chain, r.position): r for r in EVIDENCE_TABLE.read(tmp_path / "out")}
    moved = rows["a", 8]
    assert (moved.residue, moved.state, moved.depth) == (chain[7], "doubtful", 3)
    assert moved.imgt and moved.region == "FR1"
    assert [rows["a", i].flags for i in (5, 6, 7)] == ["length"] * 3
    assert [rows["a", i].residue for i in (5, 6, 7)] == list(chain[4:7])
    assert (rows["b", 2].probability, rows["b", 2].flags) == (0.99, "minority")


@pytest.mark.parametrize(
    ("settled", "state", "flags"),
    [(False, "inferred", "given"), (True, "inferred", ""), (False, "observed", "")],
)
def test_evidence_of_the_sheet_in_a_gap_that_no_reads_show_is_flagged(
    chain: str, settled: bool, state: str, flags: str
) -> None:
    """settled: whether it is what reads and network say themselves."""
    told = (PositionEvidence(5, weights(**{chain[5]: 1.0}), settled),)
    gap = Gap(4, 7, 3, 3)
    scaffold = Scaffold("a", "", chain[:4] + "XXX" + chain[7:], (gap,), 1, (), told)
    read = EvidenceRow("a", 6, "", "", chain[5], None, state, 0.0, "", NOTHING, "")
    row = ResidueRow("a", 6, 1, chain[5], 0.99, NOTHING, "", "FR1", "", "6", 5, "")
    known = _Known(scaffold, {1: gap}, {6: [read]}, {}, {})
    assert known.of_missing(row, 1).flags == flags


@pytest.mark.parametrize(
    ("shown", "state", "expected"),
    [
        ("W", "observed", ("doubtful", "isobaric;against_reads")),
        ("I", "observed", ("observed", "isobaric")),  # no read tells it from L
        ("W", "inferred", ("inferred", "isobaric")),
    ],
)
def test_a_residue_filled_against_reads_is_doubtful_and_says_why(
    shown: str, state: str, expected: tuple[str, str]
) -> None:
    filled = ResidueRow("a", 99, 1, "L", 1.0, NOTHING, "", "CDR3", "", "107", 98, "")
    read = EvidenceRow("a", 99, "", "", shown, None, state, 9, "", NOTHING, "isobaric")
    row = _of_gap(filled, read, given=True)
    assert (row.state, row.flags) == expected


@pytest.mark.parametrize(
    ("probability", "alternatives", "state"),
    [(0.28, NOTHING, "doubtful"), (0.5, [("I", 0.45)], "observed"), (0.95, NOTHING, "observed")],
)
def test_an_improbable_residue_is_not_observed(
    probability: float, alternatives: Sequence[tuple[str, float]], state: str
) -> None:
    """Even if a read shows it; I and L are one."""
    others = Shares(alternatives)
    filled = ResidueRow("a", 99, 1, "L", probability, others, "", "CDR3", "", "107", 98, "")
    read = EvidenceRow("a", 99, "", "", "L", None, "observed", 1, "", NOTHING, "")
    assert _of_gap(filled, read, given=True).state == state


@pytest.mark.parametrize("probability, other", [(0.97, ""), (0.5, ""), (0.97, "H")])
@pytest.mark.parametrize("fixed", [True, False])
def test_a_residue_that_spectra_show_is_observed(
    sample: dict[str, Path],
    write: Write,
    tmp_path: Path,
    chain: str,
    probability: float,
    other: str,
    fixed: bool,
) -> None:
    """If it is probable, and reads do not show another one; then they settle its block too."""
    if fixed:
        one = Scaffold("a", "", chain[:4] + "XXX" + chain[7:], (Gap(4, 7, 3, 3),), 1)
        write_scaffolds(sample["scaffolds"] / "00000.jsonl", [one])
    end = 7 if fixed else 5
    rows = [
        row._replace(
            probability=probability,
            alternatives=NOTHING,
            scaffold_position=row.position - 1 if fixed else 4,
        )
        for row in RESIDUE_TABLE.read(sample["residues"])
    ]
    write("residues.tsv", RESIDUE_TABLE.whole(rows))
    flags = "minority;isobaric;length"
    read = [
        EvidenceRow("a", i + 1, "", "", other or chain[i], 0.6, "doubtful", 2, "S", NOTHING, flags)
        for i in range(4, end)
    ]
    positions = write("positions.tsv", EVIDENCE_TABLE.whole(read))
    a, b, c = chain[4:7]
    for cleavages, shown in (
        (f"{a}/{b}/{c}", [4, 5, 6]),
        (f"{a}{b}/{c}", [6]),
        (a + b + c, []),
        ("", []),  # of another mass
    ):
        gap_table(write, candidate(1, cleavages), candidate(2, f"{a}/{b}/{c}"))
        write_evidence(**sample, positions=positions, out=tmp_path / "out")
        found = [r for r in EVIDENCE_TABLE.read(tmp_path / "out") if r.chain == "a"]
        of_gap = {i: found[i] for i in (4, 5, 6)}
        assert [i for i, row in of_gap.items() if "spectra" in row.flags] == shown
        observed = [i for i, row in of_gap.items() if row.state == "observed"]
        against = fixed and bool(other)
        assert observed == (shown if probability > 0.9 and not against else [])
        for i in shown:
            assert "isobaric" not in of_gap[i].flags and "minority" in of_gap[i].flags
        assert all(("length" in row.flags) is (len(shown) < 3) for row in of_gap.values())
        assert ("length" in found[3].flags) is (len(shown) < 3 and not fixed)


def test_an_end_without_a_position_of_its_own_has_nothing_of_its_neighbour(
    write: Write, tmp_path: Path, chain: str
) -> None:
    """The scaffold need not have the gap: ends may be missing without a mark."""
    cut = chain[3:-2]
    told = tuple(PositionEvidence(i, weights(**{cut[i]: 1.0})) for i in (0, len(cut) - 1))
    (tmp_path / "scaffolds").mkdir()
    write_scaffolds(
        tmp_path / "scaffolds" / "00000.jsonl", [Scaffold("a", "", cut, (), 1, (), told)]
    )
    places = {**dict.fromkeys(range(3), 0), **dict.fromkeys(range(len(chain) - 2, len(chain)), -1)}
    rows = [
        ResidueRow(
            *("a", i + 1, 1, chain[i], 0.5, NOTHING, "G", "FR1", "", str(i)),
            *(len(cut) if at else 0, ""),
        )
        for i, at in places.items()
    ]
    shown = [
        EvidenceRow("a", i + 1, "", "", cut[i], 0.9, "observed", 7.0, "", NOTHING, "isobaric")
        for i in range(len(cut))
    ]
    write_evidence(
        scaffolds=tmp_path / "scaffolds",
        filled=write("filled.fasta", f">a\n{chain}\n"),
        gaps=gap_table(write),
        residues=write("residues.tsv", RESIDUE_TABLE.whole(rows)),
        positions=write("positions.tsv", EVIDENCE_TABLE.whole(shown)),
        out=tmp_path / "out",
    )
    found = list(EVIDENCE_TABLE.read(tmp_path / "out"))
    assert "".join(row.residue for row in found) == chain
    filled = [row for i, row in enumerate(found) if i in places]
    assert {(r.state, r.depth, r.flags) for r in filled} == {("inferred", None, "length")}
    observed = [row for i, row in enumerate(found) if i not in places]
    assert {(r.state, r.depth, r.flags) for r in observed} == {("observed", 7.0, "isobaric")}


@pytest.mark.parametrize("lacks", [0, 3])
def test_an_inserted_residue_has_nothing_of_the_gap_behind_it(
    write: Write, tmp_path: Path, chain: str, lacks: int
) -> None:
    """lacks: residues at the start that are missing without a mark, which are the first gap."""
    shown = chain[lacks:]
    gaps = (Gap(40, 40, 1, 2), Gap(40, 42, 2, 2))
    told = (PositionEvidence(40, weights(A=1.0)),)
    (tmp_path / "scaffolds").mkdir()
    write_scaffolds(
        tmp_path / "scaffolds" / "00000.jsonl",
        [Scaffold("a", "", f"{shown[:40]}XX{shown[43:]}", gaps, 1, (), told)],
    )
    first = 2 if lacks else 1
    at = [(i, 1, 0) for i in range(lacks)]
    at += [(lacks + 40, first, 40), (lacks + 41, first + 1, 40), (lacks + 42, first + 1, 41)]
    rows = [
        ResidueRow("a", i + 1, gap, chain[i], 0.5, NOTHING, "", "FR1", "", "", place, "")
        for i, gap, place in at
    ]
    write_evidence(
        scaffolds=tmp_path / "scaffolds",
        filled=write("filled.fasta", f">a\n{chain}\n"),
        gaps=gap_table(write),
        residues=write("residues.tsv", RESIDUE_TABLE.whole(rows)),
        positions=None,
        out=tmp_path / "out",
    )
    found = list(EVIDENCE_TABLE.read(tmp_path / "out"))
    assert [i - lacks for i, row in enumerate(found) if "given" in row.flags] == [41]


def test_reads_that_lead_through_a_gap_show_each_of_its_residues(
    write: Write, tmp_path: Path, chain: str
) -> None:
    """One is of known mass, one between two residues, whose rows come before that of the second."""
    flat = tuple(PositionEvidence(i, weights(A=1.0)) for i in range(3))
    gaps = (
        Gap(4, 5, 3, 3, 300.0, 0.1, shown=flat),
        Gap(10, 10, 2, 2, shown=flat[:2]),
    )
    scaffold = Scaffold("a", "", f"{chain[:4]}X{chain[7:12]}{chain[14:]}", gaps, 1)
    (tmp_path / "scaffolds").mkdir()
    write_scaffolds(tmp_path / "scaffolds" / "00000.jsonl", [scaffold])
    filled = write("filled.fasta", f">a\n{chain}\n")
    missing = [(i, 1, 4) for i in range(4, 7)] + [(i, 2, 10) for i in range(12, 14)]
    rows = [
        ResidueRow("a", i + 1, gap, chain[i], 0.9, NOTHING, "", "FR1", "", str(i), place, "")
        for i, gap, place in missing
    ]
    residues = write("residues.tsv", RESIDUE_TABLE.whole(rows))
    places = [*range(4), 4, 4, 4, *range(5, 10), 10, 10, *range(10, len(chain) - 4)]
    read = [
        EvidenceRow("a", p + 1, "", "", chain[i], 0.8, "observed", float(i), "", NOTHING, "")
        for i, p in enumerate(places)
    ]
    positions = write("positions.tsv", EVIDENCE_TABLE.whole(read))
    write_evidence(
        tmp_path / "scaffolds", filled, gap_table(write), residues, positions, tmp_path / "out"
    )
    found = list(EVIDENCE_TABLE.read(tmp_path / "out"))
    assert [row.depth for row in found] == [float(i) for i in range(len(chain))]
    assert {row.flags for row in found} == {""} and {row.state for row in found} == {"observed"}
    assert [row.position for row in found] == list(range(1, len(chain) + 1))


def test_observed_residues_of_a_domain_that_they_do_not_tell_have_its_numbers(
    write: Write, tmp_path: Path
) -> None:
    whole = germline_chain("K", 3, constant=True)
    spans = (0, 38), (43, 107)
    missing = [i for span in spans for i in range(*span)]
    letters = "".join("X" if i in missing else residue for i, residue in enumerate(whole))
    gaps = tuple(Gap(a, b, b - a, b - a) for a, b in spans)
    (tmp_path / "scaffolds").mkdir()
    rows = [
        ResidueRow("k", i + 1, 1 + (i > 38), whole[i], 0.8, NOTHING, "", "", "", "", i, "")
        for i in missing
    ]
    for settled in (False, True):
        told = tuple(PositionEvidence(i, weights(**{whole[i]: 1.0}), settled) for i in missing)
        scaffold = Scaffold("k", "", letters, gaps, 1, (), told)
        write_scaffolds(tmp_path / "scaffolds" / "00000.jsonl", [scaffold])
        write_evidence(
            scaffolds=tmp_path / "scaffolds",
            filled=write("filled.fasta", f">k\n{whole}\n"),
            gaps=gap_table(write),
            residues=write("residues.tsv", RESIDUE_TABLE.whole(rows)),
            positions=None,
            out=tmp_path / "out",
        )
        observed = list(EVIDENCE_TABLE.read(tmp_path / "out"))[38:43]
        assert {row.region for row in observed} == ({"FR2"} if settled else {""})


@pytest.mark.parametrize(
    "probability, read, filled, state",
    [
        (0.95, INFERRED, True, OBSERVED),
        (0.85, INFERRED, True, INFERRED),  # seen, but not sure
        (0.95, DOUBTFUL, True, DOUBTFUL),  # a read shows another residue
        (0.95, INFERRED, False, INFERRED),  # filled with another residue than is likely
    ],
)
def test_likely_residues_that_spectra_show_are_observed(
    write: Write,
    tmp_path: Path,
    chain: str,
    probability: float,
    read: str,
    filled: bool,
    state: str,
) -> None:
    (tmp_path / "scaffolds").mkdir()
    letters = f"{chain[:40]}XXX{chain[43:]}"
    likely = chain[40] if filled else next(r for r in RESIDUES if r not in {chain[40], "I", "L"})
    told = tuple(
        PositionEvidence(i, weights(**{likely if i == 40 else chain[i]: 1.0}), True)
        for i in (40, 41, 42)
    )
    scaffold = Scaffold("a", "", letters, (Gap(40, 43, 3, 3),), 1, (), told)
    write_scaffolds(tmp_path / "scaffolds" / "00000.jsonl", [scaffold])
    rows = [
        ResidueRow("a", i + 1, 1, chain[i], probability, NOTHING, "", "FR1", "", "", i, "")
        for i in (40, 41, 42)
    ]
    other = "W" if read == DOUBTFUL else chain[40]
    known = [
        EvidenceRow("a", i + 1, "", "", other, 0.9, read, 1.0, "", NOTHING, "") for i in (40, 41)
    ]
    shown = SpectrumRow("a", 38, 41, STRETCH, 900.0, None, 15.0, "7/8 cleavages", "s as 36..45")
    write_evidence(
        scaffolds=tmp_path / "scaffolds",
        filled=write("filled.fasta", f">a\n{chain}\n"),
        gaps=gap_table(write),
        residues=write("residues.tsv", RESIDUE_TABLE.whole(rows)),
        positions=write("positions.tsv", EVIDENCE_TABLE.whole(known)),
        spectra=write("spectra.tsv", SPECTRUM_TABLE.whole([shown])),
        out=tmp_path / "out",
    )
    first, second, third = list(EVIDENCE_TABLE.read(tmp_path / "out"))[40:43]
    assert (first.state, first.flags) == (state, "spectra" if filled else "")
    assert (second.state, second.flags) == (read, "") and third.state == INFERRED


@pytest.mark.parametrize(
    ("probability", "shown", "expected"),
    [(0.6, "L", "isobaric;i_or_l"), (0.92, "L", "isobaric"), (0.6, "W", "isobaric;against_reads")],
)
def test_i_and_l_that_nothing_tells_apart_are_flagged(
    write: Write, tmp_path: Path, chain: str, probability: float, shown: str, expected: str
) -> None:
    filled = f"{chain[:40]}L{chain[41:]}"
    (tmp_path / "scaffolds").mkdir()
    scaffold = Scaffold("a", "", f"{chain[:40]}X{chain[41:]}", (Gap(40, 41, 1, 1),), 1)
    write_scaffolds(tmp_path / "scaffolds" / "00000.jsonl", [scaffold])
    others = Shares([("I", 0.98 - probability)])
    row = ResidueRow("a", 41, 1, "L", probability, others, "", "FR1", "", "", 40, "")
    read = EvidenceRow("a", 41, "", "", shown, 0.9, OBSERVED, 9.0, "", NOTHING, "isobaric")
    write_evidence(
        scaffolds=tmp_path / "scaffolds",
        filled=write("filled.fasta", f">a\n{filled}\n"),
        gaps=gap_table(write),
        residues=write("residues.tsv", RESIDUE_TABLE.whole([row])),
        positions=write("positions.tsv", EVIDENCE_TABLE.whole([read])),
        out=tmp_path / "out",
    )
    assert list(EVIDENCE_TABLE.read(tmp_path / "out"))[40].flags == expected


@pytest.mark.parametrize(
    ("residue", "of_reads", "others", "expected"),
    [
        ("L", 0.6, (("I", 0.3), ("V", 0.05)), (0.81, 0.09)),
        ("L", None, (), (0.9, 0.1)),  # of a chain that was given, of which the table has none
        ("V", 0.6, (("I", 0.3),), (0.9, 0.1)),
    ],
)
def test_i_or_l_is_as_probable_as_reads_have_it(
    write: Write,
    tmp_path: Path,
    chain: str,
    residue: str,
    of_reads: float | None,
    others: Sequence[tuple[str, float]],
    expected: tuple[float, float],
) -> None:
    """That it is one of the two is all that the code J says."""
    (tmp_path / "scaffolds").mkdir()
    scaffold = Scaffold("a", "", f"{chain[:40]}J{chain[41:]}", (Gap(40, 41, 1, 1),), 1)
    write_scaffolds(tmp_path / "scaffolds" / "00000.jsonl", [scaffold])
    row = ResidueRow("a", 41, 1, "L", 0.9, Shares([("I", 0.1)]), "", "FR1", "", "", 40, "J")
    read = EvidenceRow(
        "a", 41, "", "", residue, of_reads, OBSERVED, 9.0, "", Shares(others), "phase"
    )
    write_evidence(
        scaffolds=tmp_path / "scaffolds",
        filled=write("filled.fasta", f">a\n{chain[:40]}L{chain[41:]}\n"),
        gaps=gap_table(write),
        residues=write("residues.tsv", RESIDUE_TABLE.whole([row])),
        positions=write("positions.tsv", EVIDENCE_TABLE.whole([read])),
        out=tmp_path / "out",
    )
    found = list(EVIDENCE_TABLE.read(tmp_path / "out"))[40]
    assert found.probability == pytest.approx(expected[0])
    assert dict(found.alternatives)["I"] == pytest.approx(expected[1])


@pytest.mark.parametrize(
    ("filled", "given", "flags"),
    [
        ("K", {"D": 0.95, "K": 0.05}, "given;against_evidence"),
        ("K", {"I": 0.5, "L": 0.45, "K": 0.05}, "given;against_evidence"),
        ("K", {"D": 0.8, "K": 0.2}, "given"),
        ("L", {"I": 1.0}, "given"),
    ],
)
def test_a_gap_that_a_mass_fills_against_the_evidence_is_flagged(
    filled: str, given: dict[str, float], flags: str, write: Write, tmp_path: Path, chain: str
) -> None:
    told = (PositionEvidence(4, weights(**given)),)
    scaffold = Scaffold("a", "", chain[:4] + "X" + chain[5:], (Gap(4, 5, 1, 1),), 1, (), told)
    (tmp_path / "scaffolds").mkdir()
    write_scaffolds(tmp_path / "scaffolds" / "00000.jsonl", [scaffold])
    row = ResidueRow("a", 5, 1, filled, 1.0, NOTHING, "G", "FR1", "", "5", 4, "")
    files = {
        "scaffolds": tmp_path / "scaffolds",
        "filled": write("filled.fasta", f">a\n{chain[:4]}{filled}{chain[5:]}\n"),
        "gaps": gap_table(write),
        "residues": write("residues.tsv", RESIDUE_TABLE.whole([row])),
    }
    write_evidence(**files, positions=None, out=tmp_path / "out")
    assert list(EVIDENCE_TABLE.read(tmp_path / "out"))[4].flags == flags


def test_residues_that_reads_do_not_name_share_what_is_left() -> None:
    of_reads = EvidenceRow("a", 3, "", "", "E", 0.5, OBSERVED, 7.0, "", Shares([("D", 0.2)]), "")
    row = _with_given(of_reads, weights(E=0.5, V=0.5))
    assert row.probability == pytest.approx(0.5 / (0.5 + 0.3 / 18), abs=1e-4)
