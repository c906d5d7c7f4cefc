"""Lengths of gaps that are given without one: which are tried, and which is chosen."""

from dataclasses import replace

import numpy as np
import pytest
from pyteomics.mass import std_aa_mass

import bundled
from chains import constant_region, germline_chain, random_protein
from gaps import chain_mass, mass_of
from lacuna.antibody.domain_ends import TYPICAL_CDR3
from lacuna.antibody.germlines import LOCI, j_segments, v_segments
from lacuna.antibody.imgt import (
    CONSTANT,
    CYS104,
    FR4_LAST,
    FR4_START,
    INSERTION_111,
    N_CODES,
    OTHER_INSERTION,
)
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import ABSENT, RESIDUES, encode
from lacuna.core.masses import AVERAGINE
from lacuna.filling.fill import Tables, fill_chains
from lacuna.filling.lengths import open_gaps, unknown
from lacuna.filling.lengths.ends import MAX_CONSTANT, missing_before, share_after, share_before
from lacuna.filling.lengths.open_gaps import open_chain
from lacuna.filling.lengths.possible import (
    MAX_BOUNDED_LENGTHS,
    MAX_LENGTHS,
    possible_lengths,
)
from lacuna.filling.lengths.unknown import resolve_lengths
from lacuna.filling.template_fit import _cut_off
from lacuna.network.encode import encode_scaffolds
from lacuna.network.kmers import KmerSet, PartSegments
from lacuna.network.predict import predict
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.residue_masses import MassRules, Modifications
from lacuna.scaffolds.resizing import with_lengths
from lacuna.scaffolds.scaffold import Gap, IntactMass, Piece, PositionEvidence, Scaffold
from lacuna.training.simulate import grid_to_chain

V_HEAVY = (
    "EVQLVESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKG"
    "RFTISRDNSKNTLYLQMNSLRAEDTAVYYC"
)


def opened(chain: str, start: int, end: int, *, mass: bool) -> Scaffold:
    """The chain with one gap of unknown length in place of start..end."""
    hidden = mass_of(chain[start:end])
    gap = Gap(
        start,
        start + 1,
        1,
        None,
        mass=hidden if mass else None,
        tolerance_da=hidden * 1e-5 if mass else None,
        truth=chain[start:end],
    )
    return Scaffold("chain", "", chain[:start] + "X" + chain[end:], (gap,), 1)


@pytest.fixture(scope="module")
def chain() -> str:
    """A heavy V domain assembled from germline segments."""
    from lacuna.core.alphabet import decode

    v, j = v_segments(), j_segments()
    grid = v.tokens[v.names.index("IGHV3-23*01")].copy()
    joined = j.tokens[j.names.index("IGHJ4*02")]
    grid[113:129] = joined[113:129]
    return decode(grid_to_chain(grid)[0])


def settle(scaffolds: list[Scaffold]) -> list[Scaffold]:
    return resolve_lengths(scaffolds, Modifications(), bundled.reader())


def test_a_mass_bounds_the_lengths() -> None:
    gap = Gap(0, 1, 1, None, mass=mass_of("GGGG"), tolerance_da=0.001)
    assert possible_lengths(gap) == [2, 3, 4]  # two tryptophans are heavier, five glycines too
    assert possible_lengths(Gap(0, 1, 3, None, mass=mass_of("GGGG"), tolerance_da=0.001)) == [3, 4]
    assert possible_lengths(Gap(0, 1, 1, 2, mass=mass_of("GGGG"), tolerance_da=0.001)) == [2]
    assert possible_lengths(Gap(0, 1, 5, None, mass=mass_of("GGGG"), tolerance_da=0.001)) == []


def test_bounds_alone_are_taken_as_they_are() -> None:
    assert possible_lengths(Gap(0, 1, 2, 5)) == [2, 3, 4, 5]
    assert possible_lengths(Gap(0, 1, 2, None)) == list(range(2, 2 + MAX_LENGTHS))
    assert possible_lengths(Gap(0, 1, 1, 100)) == list(range(1, 101))


@pytest.mark.parametrize("length", [60, 100, 113, 140])
def test_lengths_tried_of_a_heavy_gap_surround_the_likely_one(chain: str, length: int) -> None:
    mass = mass_of((chain * 2)[:length])
    tried = possible_lengths(Gap(0, 1, 1, None, mass=mass, tolerance_da=mass * 1e-5))
    assert len(tried) == MAX_LENGTHS and tried[5] < length < tried[-5]
    bounded = possible_lengths(Gap(0, 1, 1, length, mass=mass, tolerance_da=mass * 1e-5))
    assert bounded[-1] == length and len(bounded) == len(range(bounded[0], length + 1))


def test_a_lysine_that_was_clipped_makes_a_gap_longer_than_its_mass() -> None:
    gap = Gap(0, 1, 1, None, mass=mass_of("PG"), tolerance_da=0.001)
    clipped = Modifications(clipped_lysine=True)
    assert possible_lengths(gap) == [1, 2]
    assert possible_lengths(gap, MassRules(clipped, ends_chain=True)) == [1, 2, 3]
    assert possible_lengths(gap, MassRules(clipped, starts_chain=True)) == [1, 2]


def test_a_stretched_scaffold_keeps_where_its_gaps_stood() -> None:
    gaps = (Gap(1, 2, 1, None), Gap(3, 3, 1, None), Gap(4, 6, 2, 2))
    scaffold = Scaffold("c", "", "AXCDXX", gaps, 1)
    longer = with_lengths(scaffold, [3, 1, None])
    assert longer.sequence == "AXXXCXDXX"
    assert [(g.start, g.end, g.fixed) for g in longer.gaps] == [
        (1, 4, True),
        (5, 6, True),
        (7, 9, True),
    ]
    assert [g.origin for g in longer.gaps] == [(1, 2), (3, 3), (4, 6)]


@pytest.mark.parametrize("place", [(3, 8), (40, 47), (60, 66), (75, 85)])
@pytest.mark.parametrize("mass", [True, False])
def test_the_length_of_a_germline_gap_is_found(
    chain: str, place: tuple[int, int], mass: bool
) -> None:
    (settled,) = settle([opened(chain, *place, mass=mass)])
    assert settled.gaps[0].fixed
    assert settled.gaps[0].end - settled.gaps[0].start == place[1] - place[0]
    assert settled.sequence[: place[0]] == chain[: place[0]]
    assert settled.sequence.endswith(chain[place[1] :])


@pytest.mark.parametrize("mass", [True, False])
@pytest.mark.parametrize("locus", "KL")
def test_a_constant_region_changes_no_length_in_a_cdr3(locus: str, mass: bool) -> None:
    """Long trial lengths move such a gap into another k-mer, in which more residues lie.

    The CDR3 is a random one of which the mass tells the length.
    """
    domain = germline_chain(locus, 9)
    start = domain.index("C", 80) + 3
    for end in (start + 4, start + 6):
        alone = opened(domain, start, end, mass=mass)
        whole = replace(alone, sequence=alone.sequence + constant_region(locus))
        of_alone, of_whole = (one.gaps[0] for one in settle([alone, whole]))
        assert of_alone.end == of_whole.end
        assert not mass or of_whole.end == end


@pytest.mark.parametrize("length", [4, 6])
@pytest.mark.parametrize("locus", "HL")
def test_a_prefix_mass_that_nothing_fits_changes_no_length_that_the_mass_tells(
    locus: str, length: int
) -> None:
    domain = germline_chain(locus, 9)
    start = domain.index("C", 80) + 3
    scaffold = opened(domain, start, start + length, mass=True)
    (gap,) = scaffold.gaps
    wrong = ((mass_of(domain[start : start + 2]) + 0.6, 0.002),)
    piece = Piece(1, None, gap.mass, gap.tolerance_da, prefixes=wrong)
    marked = replace(scaffold, gaps=(replace(gap, pieces=(piece,)),))
    without, with_wrong = settle([scaffold, marked])
    assert sizes(with_wrong) == sizes(without)


@pytest.mark.parametrize("locus", "HKL")
def test_the_length_of_a_cdr3_that_nothing_shows_is_not_sure(locus: str) -> None:
    """Its residues are only where they seem to be if it is; a framework's length is known."""
    chain = germline_chain(locus, 4)
    inside = chain.index("C", 80) + 3
    cdr3, framework = (opened(chain, *at, mass=False) for at in ((inside, inside + 6), (40, 46)))
    of_cdr3, of_framework = (one.gaps[0].length_probability for one in settle([cdr3, framework]))
    assert 0.02 < of_cdr3 < 0.9 < of_framework
    for scaffold, share in ((cdr3, of_cdr3), (framework, of_framework)):
        (filled,) = settle([scaffold])
        kmers = encode_scaffolds([filled], bundled.predictor().library)
        predict = bundled.predictor().predict
        texts = Tables(
            fill_chains([filled], kmers, bundled.reader().encoder, predict, candidates=3)
        ).texts
        residues = [float(row.split("\t")[4]) for row in texts["residues"].getvalue().splitlines()]
        assert residues and max(residues) <= share + 1e-4
        candidates = [row.split("\t")[6] for row in texts["gaps"].getvalue().splitlines()]
        assert sum(map(float, candidates)) <= share + 1e-3


def test_a_length_that_reads_leave_open_keeps_the_bound_of_its_sample(chain: str) -> None:
    shown = opened(chain, 98, 104, mass=False)
    bounded = replace(shown, gaps=(replace(shown.gaps[0], most=0.94),))
    assert settle([bounded])[0].gaps[0].length_probability == 1


def test_two_open_gaps_of_one_chain_are_settled_together(chain: str) -> None:
    first = opened(chain, 75, 80, mass=True)
    sequence = first.sequence[:40] + "X" + first.sequence[45:]
    hidden = chain[40:45]
    left = Gap(40, 41, 1, None, mass_of(hidden), mass_of(hidden) * 1e-5, hidden)
    moved = Gap(71, 72, 1, None, mass_of(chain[75:80]), 0.005, chain[75:80])
    (settled,) = settle([Scaffold("chain", "", sequence, (left, moved), 1)])
    assert [g.end - g.start for g in settled.gaps] == [5, 5]
    assert len(settled.sequence) == len(chain)


def test_neighbouring_masses_are_settled_as_one_gap(chain: str) -> None:
    """Each alone has several lengths; together they have one place between them."""
    left, right = chain[96:100], chain[100:106]
    pieces = tuple(Piece(1, None, mass_of(x), mass_of(x) * 1e-5) for x in (left, right))
    mass = mass_of(left + right)
    gap = Gap(96, 98, 2, None, mass, mass * 1e-5, pieces=pieces)
    (settled,) = settle([Scaffold("m", "", chain[:96] + "XX" + chain[106:], (gap,), 1)])
    assert len(settled.sequence) == len(chain)
    assert settled.gaps[0].origin == (96, 98) and settled.gaps[0].pieces == pieces


def test_a_mass_that_no_length_has_leaves_the_gap_open(chain: str) -> None:
    gap = Gap(40, 41, 9, None, mass=100.0, tolerance_da=0.001)
    scaffold = Scaffold("chain", "", chain[:40] + "X" + chain[45:], (gap,), 1)
    (settled,) = settle([scaffold])
    assert settled.sequence == scaffold.sequence
    assert not settled.gaps[0].fixed


def test_chains_without_open_gaps_and_without_residues_stay_as_they_are(chain: str) -> None:
    whole = Scaffold("a", "", chain[:10] + "XX" + chain[12:], (Gap(10, 12, 2, 2),), 1)
    nothing = Scaffold("b", "", "X", (Gap(0, 1, 1, None, 500.0, 0.005),), 3)
    assert settle([whole, nothing]) == [whole, nothing]


def sizes(scaffold: Scaffold) -> list[int]:
    return [gap.end - gap.start for gap in scaffold.gaps]


# --- ends of chains ------------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No length is tried."""

    def refuse(*_: object) -> None:
        raise AssertionError("a length was tried")

    monkeypatch.setattr("lacuna.network.predict.predict", refuse)


@pytest.mark.parametrize(
    ("locus", "species"),
    [*((x, "human") for x in "HKL"), ("H", "mouse"), ("K", "rabbit"), ("H", "alpaca")],
)
@pytest.mark.usefixtures("no_network")
def test_a_lost_start_is_as_long_as_germline_says(locus: str, species: str) -> None:
    wholes = [germline_chain(locus, seed, species=species) for seed in range(25)]
    cut = [opened(whole, 0, k, mass=False) for k, whole in enumerate(wholes, start=1)]
    assert [sizes(s) for s in settle(cut)] == [[k] for k in range(1, 26)]


@pytest.mark.usefixtures("no_network")
def test_a_gap_inserted_before_a_chain_reaches_back_to_column_one(chain: str) -> None:
    inserted = Scaffold("c", "", chain[6:], (Gap(0, 0, 1, None),), 1)
    bounded = replace(inserted, gaps=(Gap(0, 0, 1, 4),))
    whole = Scaffold("c", "", chain, (Gap(0, 0, 1, None),), 1)
    assert [sizes(s) for s in settle([inserted, bounded, whole])] == [[6], [4], [1]]


@pytest.mark.parametrize("locus", "HKL")
@pytest.mark.usefixtures("no_network")
def test_a_chain_cut_off_in_fr4_is_completed_to_the_end_of_its_domain(locus: str) -> None:
    wholes = [germline_chain(locus, seed) for seed in range(8)]
    cut = [opened(w, len(w) - k, len(w), mass=False) for k, w in enumerate(wholes, start=1)]
    assert [sizes(s) for s in settle(cut)] == [[k] for k in range(1, 9)]
    both = replace(cut[4], sequence="X" + cut[4].sequence[3:])
    moved = replace(both.gaps[0], start=both.gaps[0].start - 2, end=both.gaps[0].end - 2)
    (settled,) = settle([replace(both, gaps=(Gap(0, 1, 1, None), moved))])
    assert sizes(settled) == [3, 5]


@pytest.mark.parametrize("kept", [60, 90])
@pytest.mark.usefixtures("no_network")
def test_a_chain_cut_off_in_front_of_cdr3_is_completed_with_a_typical_one(
    chain: str, kept: int
) -> None:
    (settled,) = settle([opened(chain, kept, len(chain), mass=False)])
    of_fr4 = FR4_LAST["H"] - FR4_START + 1
    assert sizes(settled) == [len(V_HEAVY) - kept + TYPICAL_CDR3["H"] + of_fr4]


@pytest.mark.parametrize("order", ["HK", "KH"])
@pytest.mark.usefixtures("no_network")
def test_each_end_of_a_chain_of_two_domains_is_that_of_its_own(order: str) -> None:
    """FR1 of a heavy chain lacks column 10, and FR4 ends with column 128, not 127."""
    first, last = (germline_chain(locus, 3) for locus in order)
    linked = first + "GGGGS" * 3 + last
    ends = [
        opened(linked, 0, 14, mass=False),
        opened(linked, len(linked) - 4, len(linked), mass=False),
    ]
    assert [sizes(s) for s in settle(ends)] == [[14], [4]]


@pytest.mark.parametrize("locus", "HKL")
@pytest.mark.usefixtures("no_network")
def test_an_end_beyond_a_cdr3_or_other_loops_is_not_sure(locus: str) -> None:
    whole = germline_chain(locus, 4)
    columns = number_chain(whole).columns.tolist()
    ends = [len(whole) - 3, columns.index(118) + 1, columns.index(107), columns.index(90)]
    late = [opened(whole, end, len(whole), mass=False) for end in ends]
    starts = [columns.index(code) for code in (8, 28, 45, 80)]
    early = [opened(whole, 0, start, mass=False) for start in starts]
    shares = [one.gaps[0].length_probability for one in settle(late + early)]
    assert shares[0] > 0.95 > shares[1] > shares[2] and shares[3] < 0.8
    assert shares[4] > shares[5] > shares[7]
    assert all(0.1 < share < 1 for share in shares)


@pytest.mark.parametrize("cdr3", ["ARFSGSNYDYFD", "ARGRQMFGAGIDF", "ARDAGTYSPFGYGMD"])
@pytest.mark.usefixtures("no_network")
def test_an_aromatic_residue_of_a_cdr3_is_not_the_start_of_fr4(cdr3: str) -> None:
    """Cut off behind it, such a CDR3 is numbered as if it were complete."""
    shown = V_HEAVY + cdr3
    assert number_chain(shown).columns[-1] >= FR4_START
    (settled,) = settle([Scaffold("c", "", shown, (Gap(len(shown), len(shown), 1, None),), 1)])
    of_fr4 = FR4_LAST["H"] - FR4_START + 1
    assert sizes(settled) == [max(TYPICAL_CDR3["H"] - len(cdr3), 0) + of_fr4]
    assert settled.gaps[0].length_probability < 0.5


@pytest.mark.usefixtures("no_network")
def test_a_chain_cut_off_in_its_constant_region_is_completed_up_to_a_bound() -> None:
    light, heavy = (germline_chain(x, 1, constant=True) for x in "KH")
    cut = [opened(light, len(light) - 30, len(light), mass=False)]
    start = len(heavy) - len(constant_region("H")) + 90
    cut.append(opened(heavy, start, len(heavy), mass=False))
    assert [sizes(s) for s in settle(cut)] == [[30], [MAX_CONSTANT]]


def test_a_mass_and_germline_settle_an_end_together(chain: str) -> None:
    ends = [opened(chain, 0, k, mass=True) for k in (3, 11, 20)]
    ends += [opened(chain, len(chain) - k, len(chain), mass=True) for k in (2, 7)]
    assert [sizes(s) for s in settle(ends)] == [[3], [11], [20], [2], [7]]


# --- bounds of work ------------------------------------------------------------------------------


def test_lengths_beyond_what_may_be_tried_are_told(chain: str) -> None:
    endless = Gap(40, 41, 1, 10**9)
    assert possible_lengths(endless) == list(range(1, MAX_BOUNDED_LENGTHS + 1))
    mass = Gap(40, 41, 1, None, mass=45_000.0, tolerance_da=1.0)
    assert 1 < len(possible_lengths(mass)) < MAX_LENGTHS
    assert min(abs(n - 45_000 / AVERAGINE) for n in possible_lengths(mass)) < 1
    sequence = chain[:40] + "X" + chain[45:]
    (settled,) = settle([Scaffold("c", "", sequence, (endless,), 1)])
    assert sizes(settled) == [5] and settled.gaps[0].untried
    assert from_json(to_json(settled)) == settled
    kmers = encode_scaffolds([settled], bundled.predictor().library)
    predict = bundled.predictor().predict
    texts = Tables(
        fill_chains([settled], kmers, bundled.reader().encoder, predict, candidates=1)
    ).texts
    row = texts["gaps"].getvalue()
    assert row.split("\t")[10] == "filled (not all possible lengths were tried)"


def many_gaps(n: int) -> Scaffold:
    """A protein with n gaps of 4 residues and known mass, 6 residues between them."""
    whole, sequence, gaps = random_protein(10 * n, 1), "", []
    for start in range(0, 10 * n, 10):
        sequence += whole[start : start + 6] + "X"
        mass = mass_of(whole[start + 6 : start + 10])
        gaps.append(Gap(len(sequence) - 1, len(sequence), 1, None, mass, mass * 1e-5))
    return Scaffold("c", "", sequence, tuple(gaps), 1)


@pytest.mark.slow
def test_work_grows_with_the_number_of_gaps_and_no_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []

    def counted(model: object, kmers: KmerSet, *rest: object, **options: bool) -> object:
        read.append(len(kmers.tokens))
        return predict(model, kmers, *rest, **options)

    monkeypatch.setattr("lacuna.network.predict.predict", counted)
    work = []
    for n in (15, 30):
        read.clear()
        (settled,) = settle([many_gaps(n)])
        assert sum(size == 4 for size in sizes(settled)) > n / 2
        work.append(sum(read))
    assert work[1] < 2.5 * work[0]
    assert work[1] < 30 * 7 * unknown.ROUNDS * 2


def test_a_chain_of_more_gaps_than_may_be_tried_is_filled_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(open_gaps, "MAX_TRIALS", 40)
    (settled,) = settle([many_gaps(20)])
    assert all(gap.fixed and gap.untried for gap in settled.gaps)
    monkeypatch.setattr(open_gaps, "MAX_TRIALS", 5)
    (guessed,) = settle([many_gaps(20)])
    assert all(gap.fixed and gap.untried for gap in guessed.gaps)


def heavy_gaps(n: int, mass: float) -> Scaffold:
    """A protein with n gaps of one mass in Da, 6 residues between them."""
    whole, gaps = random_protein(6 * n, 1), []
    sequence = "X".join(whole[i : i + 6] for i in range(0, 6 * n, 6)) + "X"
    for at, letter in enumerate(sequence):
        if letter == "X":
            gaps.append(Gap(at, at + 1, 1, None, mass, mass * 1e-5))
    return Scaffold("c", "", sequence, tuple(gaps), 1)


def lengths_to_try(scaffold: Scaffold) -> list[tuple[range, bool]]:
    chain = open_chain(scaffold, Modifications())
    return [(found.lengths, found.untried) for found in chain.open]


@pytest.mark.parametrize("off", [0.0, 2000.0])
def test_residues_that_reads_show_are_as_many_whatever_the_chain_weighs(
    chain: str, off: float
) -> None:
    whole = sum(std_aa_mass[r] for r in chain) + 18.010565
    shown = tuple(PositionEvidence(i, (0.05,) * 20) for i in range(6))
    gap = Gap(60, 61, 6, 6, shown=shown)
    intact = IntactMass(whole + off, 0.5, "monoisotopic")
    given = Scaffold("c", "", chain[:60] + "X" + chain[66:], (gap,), 1, intact=intact)
    assert lengths_to_try(given) == [(range(6, 7), False)]
    unseen = replace(given, gaps=(Gap(60, 61, 6, 6),))
    assert [list(lengths) for lengths, _ in lengths_to_try(unseen)] == [[] if off else [6]]


def test_an_intact_mass_changes_no_length_of_a_gap_that_has_its_own_mass(chain: str) -> None:
    """What is left of it is the mass of the other gap."""
    shown = opened(chain, 60, 65, mass=True)
    known, other = shown.gaps[0], Gap(80, 81, 1, None)
    sequence = shown.sequence[:80] + "X" + shown.sequence[90:]
    intact = IntactMass(chain_mass(chain), 0.02, "monoisotopic")
    given = Scaffold("c", "", sequence, (known, other), 1, intact=intact)
    of_known, of_other = lengths_to_try(given)
    assert of_known == lengths_to_try(shown)[0]
    assert 10 in of_other[0] and 5 not in of_other[0]


def test_lengths_of_heavy_gaps_are_fewer_in_a_chain_of_many() -> None:
    (alone,) = lengths_to_try(heavy_gaps(1, 5000.2))
    assert alone == (range(27, 67), False)
    assert lengths_to_try(heavy_gaps(2, 5000.2)) == [alone] * 2
    for n in (3, 10, 30):
        tried = lengths_to_try(heavy_gaps(n, 5000.2))
        assert 0.6 * 2500 < sum(30 * len(some) for some, _ in tried) <= 2500
        for some, untried in tried:
            assert untried and 45 in some and some[0] >= alone[0][0] and some[-1] <= alone[0][-1]
    assert all(len(some) == 1 for some, _ in lengths_to_try(heavy_gaps(400, 5000.2)))
    light = lengths_to_try(heavy_gaps(20, 700.3))
    assert light == lengths_to_try(heavy_gaps(1, 700.3)) * 20 and not light[0][1]


def test_what_is_settled_does_not_depend_on_company_or_order(chain: str) -> None:
    light = germline_chain("K", 3)
    chains = [
        opened(chain, 75, 82, mass=False),
        opened(light, 40, 45, mass=True),
        opened(light, 0, 5, mass=False),
        many_gaps(6),
        opened(chain + "GGGGS" * 3 + light, 170, 176, mass=False),
    ]
    together = settle(chains)
    assert [s for c in chains for s in settle([c])] == together
    assert settle(chains[::-1]) == together[::-1]
    assert sizes(together[4]) == [6]


@pytest.mark.parametrize("place", [(36, 42), (40, 46), (46, 53), (62, 70)])
def test_a_gap_without_mass_leaves_no_framework_column_empty_or_doubled(
    chain: str, place: tuple[int, int]
) -> None:
    """Even if a gap one residue too long would push others into a longer CDR."""
    (settled,) = settle([opened(chain, *place, mass=False)])
    assert sizes(settled) == [place[1] - place[0]]


@pytest.mark.parametrize(("first", "last"), [(-10, -2), (-8, -1), (-6, -3)])
def test_a_gap_in_fr4_leaves_no_column_of_it_empty(first: int, last: int) -> None:
    """A gap one residue too short would end FR4 early, or extend CDR3 into it."""
    kappa = [germline_chain("K", seed, cdr3=9) for seed in range(6)]
    cut = [opened(k, len(k) + first, len(k) + last, mass=False) for k in kappa]
    assert [sizes(s) for s in settle(cut)] == [[last - first]] * 6


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("read", ["AADLWY", "AADRGSWFLSD", "AADKVHDYCSLH", "ATTPGICDPDSGLFEYENW"])
def test_a_gap_in_front_of_a_framework_that_is_only_likely_stays_within_cdr3(
    read: str, behind: bool
) -> None:
    """Reads show the first residues of CDR3 and nothing behind them: FR4 is that of germline, and
    no part of the gap, whatever the residues look like, and also in the last domain of a chain."""
    fr4 = "WGQGTQVTVSS"
    front = ("GGGGS" * 60) * behind + V_HEAVY + read
    gaps = (
        Gap(len(front), len(front) + 4, 0, None),
        Gap(len(front) + 4, len(front) + 4 + len(fr4), len(fr4), len(fr4)),
    )
    likely = tuple(
        PositionEvidence(gaps[1].start + i, weights_of(letter), settled=True)
        for i, letter in enumerate(fr4)
    )
    sequence = front + "X" * (4 + len(fr4))
    (found,) = settle([Scaffold("chain", "", sequence, gaps, 1, evidence=likely)])
    filled = found.gaps[0].end - found.gaps[0].start
    assert filled <= max(TYPICAL_CDR3["H"] - len(read), 0) + 4
    kmers = encode_scaffolds([found], bundled.reader().encoder.library)
    columns = kmers.chain_columns.numpy()
    assert columns[-len(fr4) :].tolist() == list(range(FR4_START, FR4_LAST["H"] + 1))


def test_a_gap_in_a_cdr3_that_is_long_already_does_not_take_fr4_out_of_the_domain() -> None:
    """Nothing is numbered behind a CDR3 of more residues than IMGT has columns for."""
    domain = germline_chain("K", 3, cdr3=9)
    front, behind = domain[: domain.index("C", 80) + 1], domain[-10:]
    cdr3 = "QKHGYHQRSNWPAA"  # with residues of FR3 that reads show twice
    whole = front + cdr3 + behind + constant_region("K")
    (found,) = settle([opened(whole, len(front) + 1, len(front) + 2, mass=False)])
    assert sizes(found)[0] <= 2


@pytest.mark.parametrize(
    ("stop", "constant", "lacking"), [(CYS104, 0, 0), (CYS104, 5, 11), (FR4_START, 5, 10)]
)
def test_a_domain_in_front_of_a_constant_region_lacks_the_fr4_that_is_not_numbered(
    stop: int, constant: int, lacking: int
) -> None:
    """One that just ends may go on behind what is there."""
    v = int(np.flatnonzero(v_segments().locus == LOCI.index("H"))[0])
    columns = np.array([*range(1, stop + 1), *[CONSTANT] * constant], np.uint8)
    assert _cut_off(columns, PartSegments(0, LOCI.index("H"), v, -1, -1)) == lacking


def weights_of(residue: str) -> tuple[float, ...]:
    return tuple(0.905 if one == residue else 0.005 for one in RESIDUES)


def test_open_gaps_of_one_chain_may_be_far_from_each_other(chain: str) -> None:
    """Two domains of a chain with so many residues between them that neither shows the other."""
    linked = chain + constant_region("H") + "GGGGS" * 3 + chain
    first, second = 75, len(linked) - len(chain) + 40
    sequence = linked[:first] + "X" + linked[first + 5 : second] + "X" + linked[second + 5 :]
    gaps = tuple(
        Gap(at - earlier, at - earlier + 1, 1, None, mass_of(linked[at : at + 5]), 0.005)
        for at, earlier in ((first, 0), (second, 4))
    )
    (settled,) = settle([Scaffold("chain", "", sequence, gaps, 1)])
    assert [(gap.start, gap.end) for gap in settled.gaps] == [
        (first, first + 5),
        (second, second + 5),
    ]


def test_a_start_within_a_cdr3_is_as_sure_as_its_length() -> None:
    """CDR3s of kappa chains vary least, those of heavy chains most."""

    def share(locus: str, code: int) -> float:
        columns = number_chain(germline_chain(locus, 4)).columns
        return share_before(columns[columns.tolist().index(code) :], locus)

    heavy, light, kappa = (share(locus, 108) for locus in "HLK")
    assert 0.0 < heavy < light < kappa < share("K", 9) < 1.0


@pytest.mark.parametrize("locus", "HKL")
@pytest.mark.parametrize("code", [105, 107, 116, FR4_START, FR4_START + 3])
def test_a_start_within_a_cdr3_of_typical_length_or_fr4_lacks_all_in_front_of_it(
    locus: str, code: int
) -> None:
    whole = germline_chain(locus, 4, cdr3=TYPICAL_CDR3[locus])
    columns = number_chain(whole).columns
    in_v = columns <= CYS104
    v_row = np.full(N_CODES, ABSENT, np.uint8)
    v_row[columns[in_v]] = encode(whole)[in_v]
    at = columns.tolist().index(code)
    assert missing_before(columns[at:], locus, v_row) == at


def test_an_end_among_the_insertions_of_a_long_cdr3_is_not_sure() -> None:
    columns = number_chain(germline_chain("H", 4, cdr3=19)).columns
    inserted = np.flatnonzero((columns >= INSERTION_111) & (columns < OTHER_INSERTION))
    assert len(inserted) > 2
    for at in inserted.tolist():
        assert 0.0 < share_after(columns[: at + 1], "H") < 0.5
