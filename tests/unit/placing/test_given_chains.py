"""Reads on chains that are given: evidence for what the chains miss, and nothing else."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chains import germline_chain, hidden
from conftest import Write
from gaps import mass_of
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks
from lacuna.core.alphabet import RESIDUES, encode, merge_il
from lacuna.core.files import LacunaError
from lacuna.core.masses import CARBAMIDOMETHYL
from lacuna.core.paths import LIBRARY, WEIGHTS
from lacuna.core.records import read_record
from lacuna.core.tables import DOUBTFUL, EVIDENCE_TABLE, OBSERVED, EvidenceRow
from lacuna.filling.evidence import with_evidence
from lacuna.placing.aligning.alignment import BLOCK
from lacuna.placing.aligning.readset import MAX_READ, ReadSet, collapse
from lacuna.placing.given import MOST_OFF, Shown, _with_masses, show
from lacuna.placing.sources.contaminants import like_chains, read_contaminants
from lacuna.reads.errors.model import load_error_models
from lacuna.reads.read import Read
from lacuna.reads.readers import read_peptides
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.residue_masses import MassRules
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.steps.place_reads import PlacedReads, place_reads
from lacuna.steps.reader_files import ReaderFiles
from lacuna.steps.reads import write_reads
from lacuna.steps.weigh_evidence import weigh_evidence
from laws import fill
from reads import peptide, read_set, reads_of, tiles

HEAVY = germline_chain("H", 1, constant=True)
SPANS = [(30, 36), (98, 108)]
OTHER = germline_chain("L", 3)
SETTINGS: dict[str, Any] = {"species": "auto", "tolerance_ppm": 10.0, "modifications": {}}
READER = ReaderFiles(WEIGHTS, LIBRARY, None, "auto", 64, 8, 0.9, "fast")


def as_l(letters: Sequence[str] | str) -> str:
    return "".join(letters).replace("I", "L")


def as_tokens(letters: str) -> np.ndarray:
    return merge_il(encode(letters))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEAKS table of reads of a heavy chain and, a fifth, of another protein."""
    handle = io.StringIO()
    write_peaks(simulate_reads([("H", HEAVY, 0.8), ("x", OTHER, 0.2)], 2000, 1), handle, "sim")
    path = tmp_path_factory.mktemp("reads") / "reads.csv"
    path.write_text(handle.getvalue())
    return path


@pytest.fixture(scope="module")
def reads(table: Path) -> ReadSet:
    given = read_peptides([table]).reads
    return collapse(given, load_error_models().probabilities(given))


def test_what_cysteine_carries_is_found_on_given_chains() -> None:
    """C with 57.02 Da and the residue behind it exchanged are a block if C carries it."""
    whole = HEAVY[:60]
    at = whole.index("C")
    plain = [peptide(whole[i:], f"r{i}", [(at - i, 57.02146)]) for i in range(4)]
    exchanged = peptide(
        whole[:at] + whole[at + 1] + "C" + whole[at + 2 :], "x", [(at + 1, 57.02146)]
    )
    _, placements = show(reads_of([*plain, exchanged]), [whole], [])
    own = placements.alignment
    kinds = own.kind[own.read == len(plain), at : at + 2]
    assert kinds.tolist() == [[BLOCK, BLOCK]]


def test_reads_show_what_a_chain_misses(reads: ReadSet) -> None:
    (shown,), placements = show(reads, [hidden(HEAVY, SPANS)], [])
    best = [RESIDUES[i] for i in shown.weights.argmax(1)]
    for start, end in SPANS:
        assert shown.seen[start:end].all()
        assert as_l(best[start:end]) == as_l(HEAVY[start:end])
    assert np.allclose(shown.weights.sum(1), 1)
    i, leucine = RESIDUES.index("I"), RESIDUES.index("L")
    assert (shown.weights[:, i] == shown.weights[:, leucine]).all()  # no read tells them apart
    assert len(np.unique(placements.alignment.read)) > 400


def test_reads_of_a_contaminant_are_taken_away(reads: ReadSet) -> None:
    (alone,), _ = show(reads, [hidden(OTHER, [(30, 36)])], [])
    (shown,), placements = show(reads, [hidden(HEAVY, SPANS)], [OTHER])
    assert alone.depth.sum() > 50
    assert (placements.chain == 1).sum() > 50  # on the contaminant, behind the chain
    assert shown.depth.sum() > 0


def test_reads_of_a_contaminant_show_nothing_of_a_chain_that_is_like_it() -> None:
    """Both have the same residues on both sides of the gap."""
    start, stop = 30, 36
    contaminant = HEAVY[:start] + "HKDWPE" + HEAVY[stop:]
    chain = hidden(HEAVY, [(start, stop)])
    given = reads_of(tiles(contaminant[:80], step=1))
    (alone,), _ = show(given, [chain], [])
    (shown,), _ = show(given, [chain], [contaminant])
    assert alone.seen[start:stop].all() and not shown.seen[start:stop].any()
    assert np.allclose(shown.weights[start:stop], 1 / 20)
    beside = slice(start - 10, stop + 10)
    assert (shown.depth[beside] <= alone.depth[beside] / 2).all()


def test_reads_reach_into_a_gap_from_what_others_have_shown() -> None:
    """Of the reads that lie within it none touches a residue that is given."""
    start, stop = 20, 70
    given = reads_of(tiles(HEAVY[:100], step=1))
    (shown,), _ = show(given, [hidden(HEAVY, [(start, stop)])], [])
    best = [RESIDUES[i] for i in shown.weights[start:stop].argmax(1)]
    assert shown.seen[start:stop].all() and as_l(best) == as_l(HEAVY[start:stop])


def test_a_position_without_reads_says_nothing(reads: ReadSet) -> None:
    (shown,), _ = show(reads, [germline_chain("K", 9, constant=False)[:12] + "XXXX"], [])
    assert not shown.seen[12:].any()
    assert np.allclose(shown.weights[12:], 1 / 20)


@pytest.mark.parametrize("more", [-2, -1, 1, 2])
def test_a_gap_whose_length_reads_contradict_is_doubtful(
    write: Write, tmp_path: Path, more: int
) -> None:
    """Of two gaps one is stated longer or shorter than it is."""
    (start, stop), (first, last) = SPANS
    chain = hidden(HEAVY, [(start, stop)])[:first] + "X" * (last - first + more) + HEAVY[last:]
    write_reads(tmp_path / "r.jsonl.gz", tiles(HEAVY[:150], length=24, step=1))
    paths = (write("c.fasta", f">c\n{chain}\n"), None, None, LIBRARY, tmp_path / "placed")
    place_reads(tmp_path / "r.jsonl.gz", *paths, **SETTINGS)
    out = [tmp_path / name for name in ("chains", "reads", "evidence", "gaps", "positions")]
    weigh_evidence(tmp_path / "placed", *out, reader=READER)
    rows = list(EVIDENCE_TABLE.read(tmp_path / "positions"))
    doubted = {row.position - 1 for row in rows if row.flags == "length"}
    assert doubted == set(range(first, last + more))
    assert {row.position - 1 for row in rows if row.state == DOUBTFUL} >= doubted
    (found,) = read_scaffolds(paths[0], evidence=tmp_path / "evidence")
    assert isinstance(found, Scaffold)
    targets = np.array([[0, 0, 0, e.position] for e in found.evidence])
    sure = np.full((len(targets), 20), 1e-6)
    sure[:, 0] = 1.0  # the network agrees with whatever is in slot 0, and with evidence for it
    weights = [replace(e, weights=(1.0,) + (0.0,) * 19) for e in found.evidence]
    best = with_evidence([replace(found, evidence=tuple(weights))], targets, sure).max(1)
    assert [p < 0.95 for p in best] == [t[3] in doubted for t in targets.tolist()]


def test_reads_tell_a_length_that_they_are_not_aligned_with() -> None:
    """With two residues too many, alignments go on in the gap with what is behind it."""
    start, stop = 20, 26
    given = reads_of(tiles(HEAVY[:150], length=24, step=1))
    for more in (0, 2):
        chain = HEAVY[:start] + "X" * (stop - start + more) + HEAVY[stop:]
        (shown,), _ = show(given, [chain], [])
        assert shown.other_length[start : stop + more].tolist() == [more > 0] * (6 + more)
    twin = HEAVY[:start] + "X" * 8 + HEAVY[stop:]
    both, _ = show(given, [twin, twin], [])  # reads that may be of either tell nothing
    assert not any(one.other_length.any() for one in both)
    longer = HEAVY[: start + 3] + "WH" + HEAVY[start + 3 : 150]
    mixed = reads_of([*tiles(HEAVY[:150], length=24, step=1), *tiles(longer, length=24, step=9)])
    (shown,), _ = show(mixed, [hidden(HEAVY[:150], [(start, stop)])], [])
    assert not shown.other_length.any()  # most are as long as the chain


def positions_of(write: Write, folder: Path, chain: str, reads: list[Read]) -> list[EvidenceRow]:
    """What reads say of every position of a given chain."""
    write_reads(folder / "r.jsonl.gz", reads)
    place_reads(
        folder / "r.jsonl.gz",
        *(write("c.fasta", f">c\n{chain}\n"), None, None, LIBRARY, folder / "placed"),
        **SETTINGS,
    )
    out = [folder / name for name in ("chains", "reads", "evidence", "gaps", "positions")]
    weigh_evidence(folder / "placed", *out, reader=READER)
    return list(EVIDENCE_TABLE.read(out[-1]))


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_observed_residues_of_which_reads_have_another_number_are_doubtful(
    write: Write, tmp_path: Path, more: int
) -> None:
    """A residue of CDR3 is missing, or there twice; they stay as they are."""
    at = SPANS[1][0] + 4
    assert len(set(HEAVY[at - 1 : at + 2])) == 3
    chain = HEAVY[:at] + HEAVY[at] * (1 + more) + HEAVY[at + 1 :]
    rows = positions_of(write, tmp_path, chain, tiles(HEAVY[:150], step=1))
    assert as_l([row.residue for row in rows]) == as_l(chain)
    flagged = {row.position - 1 for row in rows if "length" in row.flags.split(";")}
    there = {-1: {at - 1, at}, 0: set(), 1: {at, at + 1}}[more]
    assert there <= flagged <= {i + off for i in there for off in (-1, 0, 1)}
    assert all(rows[i].state == DOUBTFUL for i in flagged)


def test_reads_tell_the_number_of_observed_residues_if_they_are_several_and_go_on() -> None:
    at = SPANS[1][0] + 4
    chain = HEAVY[:at] + HEAVY[at + 1 :]

    def doubted(*reads: str) -> bool:
        given = reads_of(peptide(read, f"{i}") for i, read in enumerate(reads))
        (shown,), _ = show(given, [chain], [])
        return bool(shown.other_length.any())

    across = HEAVY[at - 9 : at + 10], HEAVY[at - 11 : at + 9]
    ends = [HEAVY[at - n : at] for n in range(8, 20)]
    agreeing = chain[at - 9 : at + 10], chain[at - 10 : at + 8], chain[at - 12 : at + 9]
    assert not doubted(across[0], *ends)
    assert doubted(*across, *ends)  # which end in front of the place
    assert not doubted(*across, *agreeing)


def test_what_is_behind_a_gap_may_be_in_front_of_it_too() -> None:
    """Residues that come twice tell no other length."""
    whole = f"{HEAVY[:40]}WPKDHTWEACFGWPKD{HEAVY[60:120]}"
    at = whole.index("ACFG")
    reads = reads_of(tiles(whole, length=24, step=1))
    (shown,), _ = show(reads, [hidden(whole, [(at, at + 4)])], [])
    assert shown.seen[at : at + 4].all() and not shown.other_length.any()


def test_a_single_read_shows_residues_unless_it_may_be_of_many_chains() -> None:
    read = reads_of([peptide(HEAVY[25:45])])
    for n in (1, 4):
        shown, _ = show(read, [hidden(HEAVY[:120], [(30, 36)])] * n, [])
        assert all(one.seen[30:36].all() == (n == 1) for one in shown)


def test_too_many_chains_are_refused(write: Write, table: Path, tmp_path: Path) -> None:
    write_reads(tmp_path / "r.jsonl.gz", read_peptides([table]).reads[:20])
    chains = write("many.fasta", "".join(f">c{i}\nACDEFGHIKL\n" for i in range(201)))
    arguments = (None, None, LIBRARY, tmp_path / "placed")
    with pytest.raises(LacunaError, match="more than 200 chains in a sample with reads"):
        place_reads(tmp_path / "r.jsonl.gz", chains, *arguments, **SETTINGS)
    few = write("few.fasta", ">c\nAC-EFGX[+300.1]KL\n")
    place_reads(tmp_path / "r.jsonl.gz", few, *arguments, **SETTINGS)
    found = read_record(tmp_path / "placed", PlacedReads)
    assert found.found is None and len(found.rows) == 20
    assert found.given[0].sequence == "ACXEFGXKL"
    assert found.given[0].shown.open.tolist() == [False] * 6 + [True] + [False] * 2


def test_a_contaminant_that_is_like_a_chain_is_told(
    write: Write, table: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether chains are given or found: the constant region, or a V domain, of the antibody."""
    write_reads(tmp_path / "r.jsonl.gz", read_peptides([table]).reads)
    constant = HEAVY[HEAVY.index("ASTKG") :]
    own = {"igg": "MKW" + constant, "albumin": "MKWVTFISLLFLFSSAYSRGVFRRDAHKSEVAHRFKDLGEENF"}
    user = write("con.fasta", "".join(f">{name}\n{letters}\n" for name, letters in own.items()))
    chains = write("c.fasta", f">mab\n{hidden(HEAVY, SPANS)}\n")
    for fasta, name in ((chains, "mab"), (None, "heavy")):
        paths = (fasta, None, user, LIBRARY, tmp_path / "placed")
        place_reads(tmp_path / "r.jsonl.gz", *paths, **SETTINGS)
        (told,) = [r.message for r in caplog.records if "in common" in r.message]
        n = len(constant)
        assert f"con.fasta: 'igg' has {n} of its {n + 3} residues in common" in told
        assert f"the chain '{name}'" in told and "remove it" in told and "\n" not in told
        caplog.clear()
    assert [*like_chains([("v", "GG" + HEAVY[:60]), ("x", OTHER)], [("h", as_tokens(HEAVY))])] == [
        (0, "h", 60)
    ]
    assert not [*like_chains(read_contaminants(), [("h", as_tokens(HEAVY))])]
    assert not [*like_chains([("short", "ACDEF")], [("h", as_tokens(HEAVY))])]


@pytest.mark.parametrize(("run", "alike"), [(8, False), (15, True)])
def test_a_contaminant_is_like_a_chain_by_long_runs_of_residues(run: int, alike: bool) -> None:
    """Short ones are common to proteins of any kind, however many they are."""
    chain = HEAVY[:120]
    runs = "HKH".join(chain[i : i + run] for i in range(0, 120, run + 3))
    assert bool([*like_chains([("p", runs)], [("h", as_tokens(chain))])]) == alike


def test_reads_that_are_cut_are_counted(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    long = write("long.tsv", f"peptide\n{HEAVY[:MAX_READ]}\n{HEAVY[: MAX_READ + 1]}\n")
    write_reads(tmp_path / "r.jsonl.gz", read_peptides([long]).reads)
    paths = (write("c.fasta", f">c\n{HEAVY}\n"), None, None, LIBRARY, tmp_path / "placed")
    place_reads(tmp_path / "r.jsonl.gz", *paths, **SETTINGS)
    found = read_record(tmp_path / "placed", PlacedReads)
    assert [(row.start, row.end) for row in found.rows] == [(0, MAX_READ)] * 2
    assert "1 read: longer than 120 residues, and cut there" in caplog.text


def test_reads_are_evidence_whatever_the_id_of_a_chain(
    write: Write, table: Path, tmp_path: Path
) -> None:
    chains = write("c.fasta", f'>"mab"_1 one\n{hidden(HEAVY, SPANS)}\n')
    write_reads(tmp_path / "r.jsonl.gz", read_peptides([table]).reads)
    paths = (chains, None, None, LIBRARY, tmp_path / "placed")
    place_reads(tmp_path / "r.jsonl.gz", *paths, **SETTINGS)
    out = [tmp_path / name for name in ("chains", "reads", "evidence", "gaps", "positions")]
    weigh_evidence(tmp_path / "placed", *out, reader=READER)
    (found,) = read_scaffolds(chains, evidence=tmp_path / "evidence")
    assert isinstance(found, Scaffold)
    assert {e.position for e in found.evidence} == {i for span in SPANS for i in range(*span)}


# --- gaps of unknown length ----------------------------------------------------------------------

START, STOP = 98, 108


def weighed(
    write: Write, folder: Path, chain: str, reads: Sequence[Read], gaps: str = ""
) -> tuple[Scaffold, list[EvidenceRow], dict[str, Path]]:
    """A chain with the evidence of reads: its scaffold, what they say of its positions, files."""
    write_reads(folder / "r.jsonl.gz", reads)
    fasta = write("c.fasta", f">c\n{chain}\n")
    table = write("g.tsv", f"chain\tstart\tend\tmass\n{gaps}") if gaps else None
    place_reads(folder / "r.jsonl.gz", fasta, table, None, LIBRARY, folder / "placed", **SETTINGS)
    names = ("chains", "reads", "evidence", "gaps", "positions")
    out = {name: folder / name for name in names}
    weigh_evidence(folder / "placed", *out.values(), reader=READER)
    (found,) = read_scaffolds(fasta, table, evidence=out["evidence"])
    assert isinstance(found, Scaffold)
    return found, list(EVIDENCE_TABLE.read(out["positions"])), out


def shown_in(scaffold: Scaffold) -> str:
    """The residues that reads show of the only gap of a chain."""
    (gap,) = scaffold.gaps
    return as_l([RESIDUES[int(np.argmax(e.weights))] for e in gap.shown])


@pytest.mark.parametrize("known", [True, False])
def test_a_single_read_closes_a_gap_of_its_mass(write: Write, tmp_path: Path, known: bool) -> None:
    across = peptide(HEAVY[START - 9 : STOP + 9], "c")
    reads = [*tiles(HEAVY[:START], step=1), across, *tiles(HEAVY[STOP:150], step=1)]
    mass = f"{mass_of(HEAVY[START:STOP]):.4f}" if known else ""
    chain = HEAVY[:START] + HEAVY[STOP:]
    found, *_ = weighed(write, tmp_path, chain, reads, f"c\t{START}\t{START}\t{mass}\n")
    assert shown_in(found) == (as_l(HEAVY[START:STOP]) if known else "")


@pytest.mark.parametrize(("probability", "closed"), [(0.95, True), (0.5, False)])
def test_a_single_doubtful_read_closes_no_gap(probability: float, closed: bool) -> None:
    """Even if what it has there has the gap's mass."""
    start, stop = START, START + 2
    across = read_set(HEAVY[start - 8 : stop + 8], probability=probability)
    gap = Gap(start, start + 1, 1, None, mass_of(HEAVY[start:stop]), 0.005)
    (shown,), _ = show(across, [HEAVY[:start] + "X" + HEAVY[stop:150]], [], [[gap]])
    assert shown.within.max() == (stop - start if closed else 0)


@pytest.mark.parametrize("start", [0, 2, 147, 149])
def test_no_path_leads_through_a_gap_at_an_end_of_a_chain(start: int) -> None:
    chain = HEAVY[:start] + "X" + HEAVY[start + 1 : 150]
    gap = Gap(start, start + 1, 1, None, mass_of(HEAVY[start]), 0.005)
    reads = reads_of(tiles(HEAVY[:150], length=20, step=1))
    (shown,), _ = show(reads, [chain], [], [[gap]])
    assert not shown.within.any()


def test_a_mass_decides_how_often_a_repeat_is_there() -> None:
    """Reads show GGGGS behind GGGGS, and the words of one are those of three."""
    linker = "GGGGS" * 3
    chain = HEAVY[:120] + linker + OTHER[:107]
    reads = reads_of(tiles(chain, length=30, step=1))
    gap = Gap(120, 121, 1, None, mass_of(linker), 0.01)
    (shown,), _ = show(reads, [f"{HEAVY[:120]}X{OTHER[:107]}"], [], [[gap]])
    assert not shown.at_odds.any() and not shown.within.any()


@pytest.mark.parametrize("mass", [0.0, CARBAMIDOMETHYL])
def test_reads_close_a_gap_of_known_mass(write: Write, tmp_path: Path, mass: float) -> None:
    """Its positions stay those of the user, with a row for each residue that reads show. What C
    carries in the mass need not be known."""
    start, stop = 90, 98  # with C
    truth = HEAVY[start:stop]
    chain = f"{HEAVY[:start]}X[+{mass_of(truth) + mass:.4f}]{HEAVY[stop:]}"
    found, rows, files = weighed(write, tmp_path, chain, tiles(HEAVY[:150], length=20, step=1))
    (gap,) = found.gaps
    assert truth.count("C") == 1 and shown_in(found) == as_l(truth) and gap.unmet is None
    assert (gap.start, gap.end, gap.max_length) == (start, start + 1, stop - start)
    places = [*range(start), *[start] * (stop - start), *range(start + 1, len(found.sequence))]
    assert [row.position - 1 for row in rows] == places
    assert {row.state for row in rows[start:stop]} == {OBSERVED}
    assert as_l([row.residue for row in rows]) == as_l(HEAVY)
    assert files["chains"].read_text().split()[1] == hidden(HEAVY, [(start, stop)])


def test_reads_close_a_gap_between_two_residues(write: Write, tmp_path: Path) -> None:
    chain = HEAVY[:START] + HEAVY[STOP:]
    reads = tiles(HEAVY[:150], length=20, step=1)
    found, *_ = weighed(write, tmp_path, chain, reads, f"c\t{START}\t{START}\t\n")
    assert shown_in(found) == as_l(HEAVY[START:STOP])


def test_two_gaps_of_a_chain_are_closed_at_their_own_places(write: Write, tmp_path: Path) -> None:
    weight = mass_of(HEAVY[30:36])
    chain = f"{HEAVY[:30]}X[+{weight:.4f}]{HEAVY[36:START]}{HEAVY[STOP:]}"
    at = START - 5
    reads = tiles(HEAVY[:150], length=20, step=1)
    found, positions, _ = weighed(write, tmp_path, chain, reads, f"c\t{at}\t{at}\t\n")
    assert [len(gap.shown) for gap in found.gaps] == [6, STOP - START]
    assert as_l([row.residue for row in positions]) == as_l(HEAVY)


@pytest.mark.parametrize(
    ("off", "step", "kept"), [(0, 1, True), (15.9949, 1, False), (16, 9, True)]
)
def test_a_mass_that_reads_contradict_in_a_gap_of_known_length_is_left_out(
    write: Write, tmp_path: Path, off: float, step: int, kept: bool
) -> None:
    """If they are of several peptides: with a step of 9 a single one is over most residues."""
    mass = mass_of(HEAVY[START:STOP]) + off
    chain = hidden(HEAVY, [(START, STOP)])
    reads = tiles(HEAVY[:150], length=20, step=step)
    found, *_ = weighed(write, tmp_path, chain, reads, f"c\t{START}\t{STOP}\t{mass:.4f}\n")
    (gap,) = found.gaps
    assert (gap.mass, gap.unmet) == (
        (pytest.approx(mass), None) if kept else (None, pytest.approx(mass))
    )


def test_a_gap_stays_open_if_no_read_leads_through(write: Write, tmp_path: Path) -> None:
    middle = (START + STOP) // 2
    reads = [*tiles(HEAVY[:middle], step=1), *tiles(HEAVY[middle:150], step=1)]
    chain = HEAVY[:START] + HEAVY[STOP:]
    found, rows, _ = weighed(write, tmp_path, chain, reads, f"c\t{START}\t{START}\t\n")
    (gap,) = found.gaps
    assert gap.shown == () and gap.max_length is None
    assert [row.position - 1 for row in rows] == list(range(len(chain)))


@pytest.mark.parametrize("known", [False, True])
def test_of_two_lengths_that_reads_show_the_mass_decides(
    write: Write, tmp_path: Path, known: bool
) -> None:
    """As many reads are of a chain that has two residues more."""
    other = HEAVY[:103] + "WH" + HEAVY[103:]
    reads = [r for chain in (HEAVY, other) for r in tiles(chain[:150], length=20, step=1)]
    mass = f"{mass_of(HEAVY[START:STOP]):.4f}" if known else ""
    chain = HEAVY[:START] + HEAVY[STOP:]
    found, *_ = weighed(write, tmp_path, chain, reads, f"c\t{START}\t{START}\t{mass}\n")
    assert shown_in(found) == (as_l(HEAVY[START:STOP]) if known else "")


def through(
    reads: Sequence[Read],
    start: int,
    stop: int,
    mass: float | None = None,
    others: Sequence[str] = (),
    bounds: tuple[int, int | None] = (1, None),
) -> tuple[str, bool]:
    """The residues that reads show of a gap of unknown length, and whether they are at odds with
    its mass."""
    gap = Gap(start, start + 1, *bounds, mass, None if mass is None else mass * 1e-5)
    chain = HEAVY[:start] + "X" + HEAVY[stop:150]
    (shown, beside), _ = show(reads_of(reads), [chain, OTHER], others, [[gap], []])
    assert not beside.within.any()  # nothing becomes of a chain without such a gap
    inside = shown.within > 0
    letters = [RESIDUES[i] for i in shown.weights[inside].argmax(1)]
    return as_l(letters), bool(shown.at_odds.any())


@pytest.mark.parametrize(("crossing", "at_odds"), [(1, True), (6, False)])
def test_a_mass_that_few_reads_have_is_contradicted_by_the_others(
    crossing: int, at_odds: bool
) -> None:
    """Some reads are of a chain that has two residues more, and so has the mass."""
    other = HEAVY[:103] + "WH" + HEAVY[103:150]
    some = [peptide(other[START - 9 - i : STOP + 11], f"c{i}") for i in range(crossing)]
    reads = [*tiles(HEAVY[:150], length=20, step=1), *some]
    longer = other[START : STOP + 2]
    expected = HEAVY[START:STOP] if at_odds else longer
    assert through(reads, START, STOP, mass_of(longer)) == (as_l(expected), at_odds)


@pytest.mark.parametrize(("bounds", "longer"), [((11, None), True), ((1, 11), False)])
def test_bounds_hold_even_if_most_reads_show_another_length(
    bounds: tuple[int, int | None], longer: bool
) -> None:
    """Some show ten residues or two more, and most the other length."""
    other = HEAVY[:103] + "WH" + HEAVY[103:150]
    some, most = (other, HEAVY[:150]) if longer else (HEAVY[:150], other)
    few = [peptide(some[START - 9 - i : STOP + 11 - i], f"c{i}") for i in range(8)]
    shown = through([*tiles(most, length=20, step=1), *few], START, STOP, bounds=bounds)
    assert shown == (as_l(some[START : STOP + 2 * longer]), False)


def test_reads_of_a_contaminant_close_no_gap_and_lead_no_other_way() -> None:
    """It is like the chain, but for some residues of the gap."""
    start, stop = 60, 88
    contaminant = HEAVY[:150]
    for place in (64, 70, 76, 82):
        contaminant = f"{contaminant[:place]}W{contaminant[place + 1 :]}"
    lost = tiles(contaminant, length=21, step=1)
    assert through(lost, start, stop) == (as_l(contaminant[start:stop]), False)
    assert through(lost, start, stop, others=[contaminant]) == ("", False)
    own = tiles(HEAVY[:150], length=20, step=1)
    mass = mass_of(HEAVY[start:stop])
    letters, at_odds = through([*own, *lost], start, stop, mass, [contaminant])
    assert len(letters) == stop - start and not at_odds


def test_the_x_of_a_gap_that_stays_open_is_no_residue() -> None:
    """Reads that reach into the gap end in front of it."""
    reads = reads_of([*tiles(HEAVY[: START + 1], step=1), *tiles(HEAVY[STOP:150], step=1)])
    chain = HEAVY[:START] + "X" + HEAVY[STOP:150]
    (shown,), placements = show(reads, [chain], [], [[Gap(START, START + 1, 1, None)]])
    span = placements.alignment.span
    assert ((span[:, 1] <= START) | (span[:, 0] > START)).all() and shown.depth[START] < 1
    assert shown.depth[START - 1] > 2


def test_a_gap_of_unknown_length_has_no_other_length() -> None:
    """Even if reads show two lengths, and neither is that of its X."""
    other = HEAVY[:103] + "WH" + HEAVY[103:]
    reads = [r for chain in (HEAVY, other) for r in tiles(chain[:150], length=20, step=1)]
    chain = HEAVY[:START] + "X" + HEAVY[STOP:150]
    for gaps, doubted in (([], True), ([Gap(START, START + 1, 1, None)], False)):
        (shown,), _ = show(reads_of(reads), [chain], [], [gaps])
        assert shown.other_length[START] == doubted and shown.open[START] != doubted


@pytest.mark.parametrize(("crossing", "shown"), [(3, True), (1, False)])
def test_a_mass_that_reads_contradict_is_left_out_if_several_agree(
    write: Write, tmp_path: Path, crossing: int, shown: bool
) -> None:
    across = [peptide(HEAVY[START - 9 - i : STOP + 9], f"c{i}") for i in range(crossing)]
    reads = [*tiles(HEAVY[:START], step=1), *across, *tiles(HEAVY[STOP:150], step=1)]
    mass = round(mass_of(HEAVY[START:STOP]) + 1.003, 4)
    chain = f"{HEAVY[:START]}X[+{mass}]{HEAVY[STOP:]}"
    found, *_ = weighed(write, tmp_path, chain, reads)
    (gap,) = found.gaps
    if shown:
        assert shown_in(found) == as_l(HEAVY[START:STOP])
        assert (gap.mass, gap.unmet) == (None, mass)
        assert from_json(to_json(found)) == found
        best = fill([found], tmp_path).of("gaps", "c").iloc[0]
        said = f"filled (reads show another mass than the one given, {mass:.4f} Da)"
        assert (best.status, as_l(best.candidate)) == (said, as_l(HEAVY[START:STOP]))
    else:
        assert (gap.shown, gap.mass, gap.unmet) == ((), mass, None)


def test_residues_of_a_gap_without_a_length_do_not_weigh_in_the_next_gap() -> None:
    """What reads show in front of a gap, WYF, has the same place as its first residue."""
    n, no = 5, np.zeros(5, dtype=bool)
    letters = as_tokens("WYFST")
    within, place = np.array([1, 2, 3, 0, 0]), np.array([7, 7, 7, 7, 8])
    shown = Shown(np.eye(20)[letters], np.full(n, 9.0), no, no, place, within, no)
    for residues, expected in (("ST", [False] * 5), ("SS", [False] * 3 + [True] * 2)):
        gap = Gap(7, 9, 2, 2, mass_of(residues), 0.005)
        assert _with_masses(shown, [gap], MassRules()).at_odds.tolist() == expected


@pytest.mark.parametrize("length", [20, 11])  # of reads; those of 11 lead through, one by one
@pytest.mark.parametrize("more", [-MOST_OFF, -2, 0, 1, MOST_OFF])
def test_another_length_that_reads_show_is_told(
    write: Write, tmp_path: Path, more: int, length: int
) -> None:
    stop = START + MOST_OFF + 1
    chain = HEAVY[:START] + "X" * (stop - START + more) + HEAVY[stop:]
    found, *_ = weighed(write, tmp_path, chain, tiles(HEAVY[:150], length=length, step=1))
    status = fill([found], tmp_path).of("gaps", "c").iloc[0].status
    told = "reads show another length than the one given" in status
    assert told == (more != 0)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_reads_decide_how_often_a_repeat_is_in_a_gap_without_a_mass(turns: int) -> None:
    repeat = HEAVY[START : START + 2]
    chain = HEAVY[:START] + repeat * turns + HEAVY[STOP:150]
    stop = START + 2 * turns
    left = chain[: START + 1] + chain[stop - 1 :]
    gap = Gap(START + 1, START + 1, 0, None)
    (shown,), _ = show(reads_of(tiles(chain, length=20, step=1)), [left], [], [[gap]])
    assert np.count_nonzero(shown.within) == stop - START - 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_single_read_does_not_show_another_length(
    write: Write, tmp_path: Path, times: int
) -> None:
    """It may be misread; the length that was given is right more often."""
    chain = HEAVY[:START] + "X" * (STOP - START - 2) + HEAVY[STOP:]
    across = peptide(HEAVY[START - 8 : STOP + 8])
    found, *_ = weighed(write, tmp_path, chain, [*tiles(HEAVY[:START]), *[across] * times])
    status = fill([found], tmp_path).of("gaps", "c").iloc[0].status
    assert ("reads show another length than the one given" in status) == (times > 1)


def test_reads_of_another_antibody_are_told_of(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = germline_chain("H", 5, constant=True)
    few = tiles(HEAVY[:12], length=12)
    for chain, reads, told in (
        (HEAVY, tiles(HEAVY, length=12, step=2), False),
        (other, tiles(HEAVY, length=12, step=2), True),
        (HEAVY[:3] + "WWW" + HEAVY[6:], few * 3, False),  # nearly half, of 12 residues
    ):
        caplog.clear()
        write_reads(tmp_path / "r.jsonl.gz", reads)
        fasta = write("c.fasta", f">c\n{chain[:30]}XXX{chain[33:]}\n")
        out = tmp_path / "placed"
        place_reads(tmp_path / "r.jsonl.gz", fasta, None, None, LIBRARY, out, **SETTINGS)
        assert ("check that they are of this antibody" in caplog.text) == told


def test_residues_that_reads_show_have_bounds(write: Write, tmp_path: Path) -> None:
    write_reads(tmp_path / "r.jsonl.gz", tiles(HEAVY[:150], length=20, step=1))
    fasta = write("c.fasta", f">c\n{HEAVY[:START]}X{HEAVY[STOP:]}\n")
    n = STOP - START
    for shortest, longest, length in ((n, n, n), (1, n - 1, 0), (n + 1, 20, 0)):
        header = "chain\tstart\tend\tmin_length\tmax_length\n"
        table = write("g.tsv", f"{header}c\t{START}\t{START + 1}\t{shortest}\t{longest}\n")
        out = tmp_path / "placed"
        place_reads(tmp_path / "r.jsonl.gz", fasta, table, None, LIBRARY, out, **SETTINGS)
        (given,) = read_record(out, PlacedReads).given
        assert given.shown.within.max() == length
