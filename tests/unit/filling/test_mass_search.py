"""All masses of a gap at once, against every sequence there is: prefixes, pieces, intervals."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaps import mass_of, scaffold
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.masses import DEAMIDATION
from lacuna.filling.search.decode import rank_sequences
from lacuna.filling.search.mass_search import search
from lacuna.filling.search.stages import (
    UNBOUNDED,
    Stage,
    Stages,
    allowed_lengths,
    one_mass,
    stages_of,
)
from lacuna.scaffolds.residue_masses import (
    AVERAGE_MASSES,
    BIN_DA,
    MAX_BINNED,
    RESIDUE_MASSES,
    UNMODIFIED,
    USUAL,
    MassRules,
    Modifications,
    _options,
    _reached,
    bounds,
    completable,
    mass_rules,
)
from lacuna.scaffolds.scaffold import Gap, Piece, SpectralEvidence

EVEN = np.full((4, N_RESIDUES), 1 / N_RESIDUES)


def few(*letters: str) -> np.ndarray:
    """(length, 20): those letters, as likely as each other, at each place."""
    table = np.zeros((len(letters), N_RESIDUES))
    for row, some in zip(table, letters, strict=True):
        row[[RESIDUES.index(letter) for letter in some]] = 1 / len(some)
    return table


def weight(sequence: str, stages: Stages) -> float:
    """How likely the masses are of a sequence by the definition: tried at all of its prefixes."""
    if not stages.passed:
        return 1.0 if stages.opened or not sequence else 0.0
    stage = stages.passed[0]
    total, begun = 1.0, 0
    rest = sequence
    for stage in stages.passed:
        places = range(begun, len(sequence) + 1)
        fits = [
            i
            for i in places
            if abs(mass_of(rest[: i - begun]) - stage.mass) <= stage.tolerance
            and (stage is not stages.passed[-1] or stages.opened or i == len(sequence))
        ]
        if not fits:
            return 0.0
        off = mass_of(rest[: fits[0] - begun]) - stage.mass
        if not stage.interval and stage.tolerance:
            total *= math.exp(-((3 * off / stage.tolerance) ** 2) / 2)
        if stage.ends_piece:
            if not stage.least <= fits[0] - begun <= stage.most:
                return 0.0
            begun = fits[0]
            rest = sequence[begun:]
    return total


@st.composite
def known(draw: st.DrawFn) -> tuple[np.ndarray, Stages]:
    """A gap of 2 to 5 residues, and masses of beginnings and pieces of one of its sequences."""
    letters = [
        "".join(sorted(draw(st.sets(st.sampled_from(RESIDUES), min_size=1, max_size=4))))
        for _ in range(draw(st.integers(2, 5)))
    ]
    true = "".join(draw(st.sampled_from(some)) for some in letters)
    tolerance = draw(st.sampled_from([0.001, 0.04, 1.5]))
    passed, begun = [], 0
    for i in range(1, len(true)):
        kind = draw(st.sampled_from(["", "", "prefix", "piece"]))
        off = draw(st.floats(-1, 1)) * tolerance
        if kind:
            ends = kind == "piece"
            interval = ends and draw(st.booleans())
            mass = mass_of(true[begun:i]) + off
            limits = (draw(st.integers(1, 2)), draw(st.integers(2, 4))) if ends else (0, UNBOUNDED)
            passed.append(Stage(mass, tolerance, interval, ends, *limits))
            begun = i if ends else begun
    opened = bool(passed) and draw(st.booleans()) and not passed[-1].ends_piece
    if not opened:
        passed.append(Stage(mass_of(true[begun:]), tolerance, False, True))
    table = few(*letters)
    bias = np.array([draw(st.integers(1, 9)) for _ in range(N_RESIDUES)])
    table = table * bias
    return table / table.sum(1, keepdims=True), Stages(tuple(passed), opened)


@settings(max_examples=150)
@given(known())
def test_sequences_within_all_masses_are_those_of_all_sequences(
    gap: tuple[np.ndarray, Stages],
) -> None:
    probabilities, stages = gap
    fitting: dict[str, float] = {}
    for tokens in product(*(np.flatnonzero(row) for row in probabilities)):
        sequence = "".join(RESIDUES[t] for t in tokens)
        p = float(np.prod([row[t] for row, t in zip(probabilities, tokens, strict=True)]))
        likely = p * weight(sequence, stages)
        if likely:
            one = sequence.replace("I", "L")
            fitting[one] = fitting.get(one, 0.0) + likely
    ranking = rank_sequences(probabilities, 2000, stages, MassRules())
    total = sum(fitting.values())
    assert ranking.mass_probability == pytest.approx(total)
    found = {c.sequence.replace("I", "L"): c.probability for c in ranking.candidates}
    assert found == pytest.approx({s: p / total for s, p in fitting.items()})
    assert ranking.bound == 0


@pytest.mark.parametrize("mass", [0.005, 0.02, mass_of("G")])
def test_no_residues_have_a_mass_only_if_that_is_none(mass: float) -> None:
    ranking = rank_sequences(np.zeros((0, N_RESIDUES)), 2, one_mass(mass, 0.01), MassRules())
    met = mass < 0.01
    assert [candidate.sequence for candidate in ranking.candidates] == [""] * met
    assert ranking.mass_probability == pytest.approx(math.exp(-(1.5**2) / 2) * met)
    average = replace(one_mass(0.0, 0.01, True), average=(mass, 0.01))
    assert len(search(np.zeros((0, N_RESIDUES)), 2, average, MassRules()).scores) == met


def test_a_known_cleavage_tells_permutations_apart() -> None:
    whole = one_mass(mass_of("AGVS"), 0.004)
    orders = {c.sequence for c in rank_sequences(EVEN, 400, whole, MassRules()).candidates}
    assert {"AGVS", "GAVS", "SVGA"} <= orders
    inner = Stages((Stage(mass_of("A"), 0.001), Stage(mass_of("AGV"), 0.003), *whole.passed))
    ranking = rank_sequences(EVEN, 400, inner, MassRules())
    assert {c.sequence for c in ranking.candidates} == {"AGVS", "AVGS"}


def test_a_mass_far_off_counts_less_and_beyond_the_tolerance_nothing() -> None:
    mass, tolerance = mass_of("K") - 0.02, 0.03
    ranking = rank_sequences(few("KQ"), 2, one_mass(mass, tolerance), MassRules())
    near, far = (math.exp(-((3 * off / tolerance) ** 2) / 2) for off in (0.0164, 0.02))
    assert [c.sequence for c in ranking.candidates] == ["Q", "K"]
    assert ranking.candidates[0].probability == pytest.approx(near / (near + far), abs=0.01)
    flat = rank_sequences(few("KQ"), 2, one_mass(mass, tolerance, True), MassRules())
    assert [c.probability for c in flat.candidates] == pytest.approx([0.5, 0.5])


def test_an_average_mass_far_off_counts_less_too() -> None:
    """The monoisotopic mass is only an estimate by it, and tells nothing within its interval."""
    average = {r: float(AVERAGE_MASSES[RESIDUES.index(r)]) for r in "KQ"}
    tolerance = 0.1
    stages = replace(one_mass(mass_of("K"), 0.2, True), average=(average["K"] + 0.01, tolerance))
    ranking = rank_sequences(few("KQ"), 2, stages, MassRules())
    off = (0.01, average["K"] + 0.01 - average["Q"])
    near, far = (math.exp(-((3 * one / tolerance) ** 2) / 2) for one in off)
    assert [c.sequence for c in ranking.candidates] == ["K", "Q"]
    assert ranking.candidates[0].probability == pytest.approx(near / (near + far))


@pytest.mark.parametrize("allowed", [False, True])
def test_pyroglutamate_is_rather_of_q_unless_it_is_allowed(allowed: bool) -> None:
    """That of Q and that of E have one mass."""
    rules = MassRules(Modifications(pyroglutamate=allowed), starts_chain=True)
    mass = mass_of("EG") - 18.010565
    ranking = rank_sequences(few("EQ", "G"), 2, one_mass(mass, 0.002), rules)
    found = {c.sequence: c.probability for c in ranking.candidates}
    assert (found["QG"] > 0.85) != allowed
    assert not allowed or found["QG"] == pytest.approx(found["EG"], rel=0.1)


@pytest.mark.parametrize(("usual", "others"), [(True, {}), (False, {"deamidated": True})])
def test_what_is_usual_is_as_probable_as_it_is_unless_it_is_allowed(
    usual: bool, others: dict[str, bool]
) -> None:
    """D, or deamidated N."""
    rules = MassRules(Modifications(usual=usual, **others))
    ranking = rank_sequences(few("DN", "G"), 2, one_mass(mass_of("NG") + DEAMIDATION, 0.002), rules)
    found = {c.sequence: c.probability for c in ranking.candidates}
    odds = USUAL["N"].odds
    expected = odds / (1 + 2 * odds) if usual else 0.5
    assert found["NG"] == pytest.approx(expected, rel=0.01)


def test_what_is_usual_counts_if_spectra_alone_may_give_a_gap_its_mass() -> None:
    chain = scaffold("EVQLVES", (2, 5))
    (gap,) = chain.gaps
    weighed = replace(gap, mass=mass_of("QLV"), tolerance_da=0.01)
    prefix = replace(gap, pieces=(Piece(3, 3, prefixes=((mass_of("Q"), 0.01),)),))
    for one, expected in ((gap, True), (weighed, False), (prefix, False)):
        shown = replace(one, spectra=SpectralEvidence())
        assert mass_rules(chain, shown, UNMODIFIED).modifications.usual == expected
        before = mass_rules(chain, one, UNMODIFIED, by_spectra=True)
        assert before.modifications.usual == expected
        assert not mass_rules(chain, one, UNMODIFIED).modifications.usual


def test_isoleucine_and_leucine_count_together_and_are_told_apart_after() -> None:
    table = np.zeros((2, N_RESIDUES))
    for letter, p in {"I": 0.3, "L": 0.25, "V": 0.45}.items():
        table[0, RESIDUES.index(letter)] = p
    table[1, RESIDUES.index("G")] = 0.5
    table[1, RESIDUES.index("A")] = 0.5
    ranking = rank_sequences(table, 5, one_mass(mass_of("LG"), 0.001), MassRules())  # as VA weighs
    assert [c.sequence for c in ranking.candidates] == ["IG", "VA"]
    assert ranking.candidates[0].probability == pytest.approx(0.55)
    shares = {letter: ranking.distributions[0, RESIDUES.index(letter)] for letter in "ILV"}
    assert shares == pytest.approx({"I": 0.3, "L": 0.25, "V": 0.45})


def test_pieces_are_weighed_each_by_itself() -> None:
    """Each mass of a row of pieces holds within its own tolerance, not the sum alone."""
    pieces = tuple(Piece(1, None, mass_of(x), 0.001) for x in ("AG", "SV"))
    gap = Gap(0, 2, 2, None, mass_of("AGSV"), 0.002, pieces=pieces)
    stages = stages_of(gap)
    assert stages is not None
    found = {c.sequence for c in rank_sequences(EVEN, 400, stages, MassRules()).candidates}
    assert found == {"AGSV", "AGVS", "GASV", "GAVS"}
    assert allowed_lengths(gap, stages, MassRules()) == range(3, 6)  # SV is too heavy for one


def test_lengths_follow_from_prefixes_and_bounds_of_pieces() -> None:
    rules = MassRules()
    prefix = Piece(1, None, None, None, False, ((mass_of("WW"), 0.001),))
    opened = Gap(0, 1, 1, None, pieces=(prefix,))
    stages = stages_of(opened)
    assert stages is not None and stages.opened
    assert allowed_lengths(opened, stages, rules).start == 2
    bounded = Gap(
        0,
        2,
        2,
        None,
        mass_of("GGGGGG"),
        0.002,
        pieces=(Piece(3, 3, mass_of("GGG"), 0.001), Piece(1, 2, mass_of("GGG"), 0.001)),
    )
    assert allowed_lengths(bounded, stages_of(bounded), rules) == range(4, 6)
    clipped = MassRules(Modifications(clipped_lysine=True), ends_chain=True)
    assert allowed_lengths(bounded, stages_of(bounded), clipped) == range(4, 7)


def test_the_same_cleavage_given_twice_is_one() -> None:
    """As b and y ions of one cleavage show it."""
    twice = Stages(
        (
            Stage(mass_of("A"), 0.002),
            Stage(mass_of("A") + 0.001, 0.002),
            Stage(mass_of("AGVS"), 0.004, False, True),
        )
    )
    found = rank_sequences(EVEN, 400, twice, MassRules()).candidates
    assert found and {c.sequence[0] for c in found} == {"A"}


def test_prefixes_are_compared_with_masses_only_at_numbers_of_residues_that_can_weigh_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []

    def counted(rest: np.ndarray, tolerance: float, residues: int, rules: MassRules) -> np.ndarray:
        calls.append(residues)
        return completable(rest, tolerance, residues, rules)

    monkeypatch.setattr("lacuna.filling.search.mass_search.completable", counted)
    counts = {}
    for n in (5, 20):
        calls.clear()
        probabilities = few(*(["GASP"] * 4 * n))
        pieces = tuple(Stage(mass_of("GASP"), 0.01, ends_piece=True) for _ in range(n))
        found = search(probabilities, 100, Stages(pieces), MassRules())
        assert len(found.scores) > 50
        counts[n] = len(calls)
        assert max(calls) <= 8  # of 30 or more that remain
    assert counts[20] < 6 * counts[5]


@pytest.mark.parametrize("width", [1, 3, 40])
def test_a_search_of_the_likely_prefixes_is_one_of_all(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(width)
    probabilities = rng.dirichlet(np.full(20, 0.5), 7)
    for true in ("GASPVTC", "WWKKRFY", "NDQKEMH"):
        stages = one_mass(mass_of(true), 0.02)
        monkeypatch.setattr("lacuna.filling.search.mass_search.LIKELY_WIDTHS", 3)
        found = search(probabilities, width, stages, MassRules())
        monkeypatch.setattr("lacuna.filling.search.mass_search.LIKELY_WIDTHS", 10**6)
        among_all = search(probabilities, width, stages, MassRules())
        assert np.array_equal(found.tokens, among_all.tokens)
        assert np.array_equal(found.scores, among_all.scores) and found.lost == among_all.lost


def test_masses_that_residues_can_have_are_those_of_their_sums() -> None:
    every = np.unique(np.rint(np.delete(RESIDUE_MASSES, RESIDUES.index("I")) / BIN_DA).astype(int))
    sums = {0}
    for n in range(1, 4):
        sums = {a + b for a in sums for b in every.tolist()}
        reached = _reached(n, Modifications())
        assert set(np.flatnonzero(reached.as_bool()).tolist()) == sums
        bins = np.array([0, 1, 63, 64, 65, *sorted(sums)[:200], reached.bins - 1, reached.bins])
        below = [sum(one < each for one in sums) for each in bins.tolist()]
        assert reached.below(bins).tolist() == below


def test_tables_of_masses_take_little_memory_and_are_bounded() -> None:
    taken = 0
    for n in range(MAX_BINNED + 1):
        reached = _reached(n, Modifications())
        taken += reached.words.nbytes + reached.before.nbytes
    assert taken < 4 << 20
    for cached in (_reached, _options, bounds):
        assert cached.cache_info().maxsize
    # What residues at the ends of a chain may weigh needs no tables of its own.
    rest = np.array([mass_of("GASP")])
    n = _reached.cache_info().currsize
    for ends in product((False, True), repeat=2):
        rules = MassRules(Modifications(pyroglutamate=ends[0], clipped_lysine=ends[1]))
        assert completable(rest, 0.01, 4, rules)
    assert _reached.cache_info().currsize == n
