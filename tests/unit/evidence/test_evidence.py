"""Probabilities of residues from placed reads and the network: on reads cut in code."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pyteomics.mass import std_aa_mass

import bundled
from lacuna.antibody.germlines import SPECIES, constants, v_segments
from lacuna.antibody.imgt import CYS104, FR4_START, OTHER_INSERTION
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import (
    ABSENT,
    ISOLEUCINE,
    LEUCINE,
    N_RESIDUES,
    RESIDUES,
    encode,
    il_as_one,
    merge_il,
)
from lacuna.evidence.chain import OBSERVED_PROBABILITY, WeighedChain, _states
from lacuna.evidence.flags import (
    flags_of,
    may_have_been_glycosylated,
    other_lengths,
    weighs_as_germline,
)
from lacuna.evidence.genes import gene_shares
from lacuna.evidence.network import network_shares
from lacuna.evidence.posterior import (
    FLOOR_UNREAD,
    FLOORS,
    LOOP_WEIGHT,
    MOST_UNREAD,
    OBSERVED_MARGIN,
    first_letters,
    hidden_from_network,
    least_floors,
    likelihood,
    only_germline,
    weight_of_reads,
    with_floor,
    with_germline,
)
from lacuna.evidence.weigh import floors_of, weigh
from lacuna.network.transformer import load_large
from lacuna.placing.place import Placed
from lacuna.placing.stretches.junction_mass import JunctionMass, junction_mass
from lacuna.placing.votes.consensus import MOST_PREFERENCE, votes
from lacuna.placing.votes.draft import Draft, Loose, Meeting, draft_of
from lacuna.placing.votes.placement import place_on
from reads import (
    best_of,
    built,
    chain_with_cdr3,
    draft_from,
    germline_draft,
    opened,
    peptide,
    reads_of,
    tiles,
    votes_with,
)

MODEL, GERMLINES = bundled.predictor().model, bundled.predictor().library
CHAIN = chain_with_cdr3("H", "ARWGGDGFYHMDY")


def weighed(placed: Placed) -> WeighedChain:
    return weigh(placed, MODEL, GERMLINES)[0]


def observed(chain: WeighedChain) -> str:
    return "".join(row.residue if row.state == "observed" else "." for row in chain.rows)


@pytest.fixture(scope="module")
def whole() -> Placed:
    """Every residue is under several reads."""
    reads = [r for i in range(3) for r in tiles(CHAIN[i:120])]
    return built(reads)


@pytest.fixture(scope="module")
def part() -> Placed:
    """No read lies on residues 60 to 95."""
    reads = [r for i in range(3) for r in (*tiles(CHAIN[i:60]), *tiles(CHAIN[95 + i : 120]))]
    return built(reads)


def test_what_reads_show_is_observed(whole: Placed) -> None:
    chain = weighed(whole)
    assert best_of(chain).replace("I", "L") == CHAIN[:120].replace("I", "L")
    assert observed(chain).count(".") <= 4  # a read or two at the very ends
    assert chain.scaffold[20:100] == CHAIN[20:100].replace("I", "J").replace("L", "J")


def test_what_reads_show_is_observed_only_if_it_is_probable_with_the_network_too(
    whole: Placed, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [row for row in weighed(whole).rows if row.state == "observed"]
    limit = float(np.median([row.probability for row in shown if row.residue not in "IL"]))
    monkeypatch.setattr("lacuna.evidence.chain.OBSERVED_PROBABILITY", limit)
    stricter = [row for row in weighed(whole).rows if row.residue not in "IL"]
    assert min(row.probability for row in stricter if row.state == "observed") >= limit
    assert max(row.probability for row in stricter if row.state == "doubtful") < limit


def test_i_or_l_is_not_what_reads_tell(whole: Placed) -> None:
    vote = votes(whole.reads, whole.placements, 0)
    nats = likelihood(whole.drafts[0], vote)
    assert (nats[:, ISOLEUCINE] == nats[:, LEUCINE]).all()
    assert (nats.min(1) >= -MOST_PREFERENCE).all() and (nats.max(1) == 0.0).all()


def test_what_no_read_shows_is_inferred_and_never_sure(part: Placed) -> None:
    chain = weighed(part)
    unread = [row for row in chain.rows if 62 <= row.position <= 93]
    assert {row.state for row in unread} == {"inferred"}
    assert max(row.probability for row in unread) <= MOST_UNREAD + 1e-9 < 0.95
    assert set(chain.scaffold[62:93]) == {"X"}


def test_an_open_junction_is_a_gap_of_unknown_length() -> None:
    at = CHAIN.index("ARWGG")
    reads = [r for i in range(3) for r in (*tiles(CHAIN[i : at + 1]), *tiles(CHAIN[at + 14 : 120]))]
    placed = built(reads)
    chain = weighed(placed)
    (gap,) = chain.gaps
    assert gap.min_length == 0
    assert set(chain.scaffold[gap.start : gap.end]) == {"X"}
    joined = replace(placed, drafts=[replace(placed.drafts[0], bridged=True)])
    assert not weigh(joined, None, GERMLINES)[0].gaps  # reads tell how long it is


def test_an_open_junction_is_unknown_up_to_its_ends_and_weighs_what_is_within(
    whole: Placed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads show its first residue, but lead no further."""
    at = CHAIN.index("ARWGG") + 5
    given = [*tiles(CHAIN[:at], step=1), *tiles(CHAIN[at + 3 : 120], step=1)]
    given += [peptide(CHAIN[at - n : at + 1], f"to {n}") for n in range(12, 20)]
    reads = reads_of(given)
    drafts = [opened(whole.drafts[0], at, at + 3)]
    placed = replace(whole, reads=reads, drafts=drafts, placements=place_on(reads, drafts))
    for start, mass in ((at, 500.0), (at - 1, None)):
        of_run = JunctionMass(start, at + 3, 500.0)
        monkeypatch.setattr("lacuna.evidence.weigh.junction_mass", lambda *_, of=of_run: of)
        (chain,) = weigh(placed, None, GERMLINES)
        assert chain.rows[at].state == "observed" and chain.scaffold[at : at + 3] == "XXX"
        assert [(gap.start, gap.end, gap.mass) for gap in chain.gaps] == [(at, at + 3, mass)]


@pytest.mark.parametrize("unknown", [1, 3])
def test_a_residue_that_reads_show_in_an_open_junction_is_kept(whole: Placed, unknown: int) -> None:
    """The gap would be filled with whatever length the network likes best."""
    (draft,) = whole.drafts
    at = draft.cdr3()[0] + 3
    chain = weighed(replace(whole, drafts=[opened(draft, at, at + unknown)]))
    assert not chain.gaps and chain.scaffold[at : at + unknown] == CHAIN[at : at + unknown]


def test_one_read_over_an_open_junction_says_how_long_it_is(whole: Placed) -> None:
    """That is too little to close it, but more than the network knows of its length."""
    at = CHAIN.index("ARWGG") + 5
    sides = (CHAIN[:at], CHAIN[at + 3 : 120])
    reads = [r for i in range(3) for side in sides for r in tiles(side[i:])]
    reads.append(peptide(CHAIN[at - 12 : at + 14], "over"))
    placed = built(reads)
    drafts = [opened(whole.drafts[0], at, at + 3)]
    chain = weighed(replace(placed, drafts=drafts, placements=place_on(placed.reads, drafts)))
    assert not chain.gaps and {row.state for row in chain.rows[at : at + 3]} == {"doubtful"}
    assert "".join(row.residue for row in chain.rows[at : at + 3]) == CHAIN[at : at + 3]


@pytest.mark.parametrize(
    ("right", "crossed"), [("WHFYHMDY", False), ("GFYHMDY", False), ("WGFYHMDY", True)]
)
def test_reads_that_show_another_residue_beside_an_unknown_one_do_not_cross_it(
    whole: Placed, right: str, crossed: bool
) -> None:
    """They lie one residue off: the draft has one too few."""
    (draft,) = whole.drafts
    opened = replace(draft.with_cdr3(encode("ARWGXYHMDY")), bridged=False)
    at = opened.cdr3()[0] + 4
    sides = (CHAIN[: at - 1] + "G", right + CHAIN[CHAIN.index("WGQG") : 120])
    given = [r for i in range(3) for side in (sides[0][i:], sides[1]) for r in tiles(side)]
    reads = reads_of(given)
    placements = place_on(reads, [opened])
    chain = weighed(replace(whole, reads=reads, drafts=(opened,), placements=placements))
    flagged = [i for i, row in enumerate(chain.rows) if "length" in row.flags]
    assert flagged == ([] if crossed else [at - 1, at, at + 1])
    assert max((chain.rows[i].probability for i in flagged), default=0.0) < 0.95
    assert [(gap.start, gap.end) for gap in chain.gaps] == ([] if crossed else [(at, at + 1)])


def test_one_of_many_reads_over_an_unknown_residue_does_not_say_how_many_there_are(
    whole: Placed,
) -> None:
    (draft,) = whole.drafts
    opened = replace(draft.with_cdr3(encode("ARWGXYHMDY")), bridged=False)
    at = opened.cdr3()[0] + 4
    behind = CHAIN[CHAIN.index("WGQG") : 120]
    sides = (CHAIN[: at - 1] + "G", "WHFYHMDY" + behind)
    given = [r for i in range(3) for side in (sides[0][i:], sides[1]) for r in tiles(side)]
    given += [peptide(sides[1][: 13 + i], f"on{i}") for i in range(8)]
    given.append(peptide("WGFYHMDY" + behind[:8], "over"))
    reads = reads_of(given)
    placements = place_on(reads, [opened])
    chain = weighed(replace(whole, reads=reads, drafts=(opened,), placements=placements))
    flagged = [i for i, row in enumerate(chain.rows) if "length" in row.flags]
    assert flagged == [at - 1, at, at + 1]


def test_reads_over_an_open_junction_say_what_it_weighs() -> None:
    at = CHAIN.index("ARWGG")
    reads = [r for i in range(3) for r in (*tiles(CHAIN[i : at + 1]), *tiles(CHAIN[at + 14 : 120]))]
    whole = sum(std_aa_mass[r] for r in CHAIN[at : at + 13])
    over = []
    for n, wrong in ((9, "HPMF"), (10, "KKWN"), (11, "DTVH")):  # each wrong in its own way
        off = whole - sum(std_aa_mass[r] for r in "A" + wrong) + std_aa_mass[CHAIN[at + 13]]
        residues = CHAIN[at - n : at + 1] + wrong + CHAIN[at + 14 : at + 24]
        over.append(peptide(residues, "", [(n + 1, off)]))
    placed = built([*reads, *over])
    (gap,) = weighed(placed).gaps
    known = placed.drafts[0].tokens[slice(*placed.drafts[0].cdr3())]
    given = sum(std_aa_mass[RESIDUES[t]] for t in known if t < 20)
    assert gap.mass == pytest.approx(whole - given, abs=0.03)


@pytest.mark.parametrize(("agreeing", "weighs"), [(1, False), (2, True)])
def test_one_read_over_an_open_junction_does_not_say_what_it_weighs(
    whole: Placed, agreeing: int, weighs: bool
) -> None:
    """It may be wrong on one of its sides too: others must agree with it."""
    (draft,) = whole.drafts
    start, stop = draft.cdr3()
    mass = sum(std_aa_mass[r] for r in CHAIN[start:stop])
    # Each is wrong in its own way, and all but the first few are of another mass.
    over = []
    for n, off in enumerate([0.0] * agreeing + [5.0, 11.0]):
        residues = CHAIN[start - 10 - n : start] + "HPMF" + CHAIN[stop : stop + 12]
        more = mass - sum(std_aa_mass[r] for r in "HPMF") + off
        over.append(peptide(residues, f"{n}", [(10 + n, more)]))
    found = junction_mass(reads_of(over), opened(draft, start, stop))
    if weighs:
        assert found == JunctionMass(start, stop, pytest.approx(mass, abs=0.01))
    else:
        assert found is None


def test_flags_are_of_what_a_good_part_of_the_reads_shows() -> None:
    draft = draft_from(CHAIN[:120])
    n, best = len(draft), draft.tokens.copy()
    blocks, amide, margin = np.zeros(n), np.zeros((n, 4)), np.full(n, 9.0)
    blocks[10], blocks[11] = 3.0, 1.0
    best[[20, 21]], margin[20] = RESIDUES.index("W"), 1.0
    best[[30, 31]] = RESIDUES.index("N")
    amide[30, :2], amide[31, :2] = (20.0, 8.0), (20.0, 1.0)
    germline = draft.germline.copy()
    germline[[30, 31]] = best[[30, 31]]
    germline[[40, 41, 50, 51, 52, 53]] = encode("GVGTNK")
    best[[40, 41, 50, 51, 52, 53]] = encode("VGKTNG")
    found = votes_with(n, depth=np.full(n, 5.0), amide=amide, blocks=blocks)
    flags = flags_of(replace(draft, germline=germline), found, best, margin)
    assert {i: own for i, own in enumerate(flags) if own} == {
        10: ["isobaric"],
        20: ["against_germline"],
        30: ["deamidation"],
        **dict.fromkeys([40, 41, 50, 51, 52, 53], ["isobaric"]),
    }


@pytest.mark.parametrize(
    ("germline", "best", "alike"),
    [
        ("SAGVTS", "SAVGTS", [2, 3]),
        ("SDSVKG", "SAETKG", [1, 2, 3]),
        ("SGTNKG", "SQGSKG", [1, 2, 3]),
        ("SAGVTS", "SAVATS", []),
        ("SAG.TS", "SATGGS", []),  # what germline has is not known
        ("SAGVTS", "SAGVTS", []),
    ],
)
def test_residues_that_weigh_as_germlines_are_isobaric(
    germline: str, best: str, alike: list[int]
) -> None:
    assert np.flatnonzero(weighs_as_germline(encode(germline), encode(best))).tolist() == alike


def test_what_few_reads_show_or_have_no_say_in_is_not_flagged() -> None:
    draft = draft_from(CHAIN[:120])
    n, best = len(draft), draft.tokens.copy()
    blocks, amide, margin = np.zeros(n), np.zeros((n, 4)), np.full(n, 9.0)
    depth, nats, columns = np.full(n, 5.0), np.zeros((n, N_RESIDUES)), draft.columns.copy()
    asp, asn, trp, tyr = (RESIDUES.index(letter) for letter in "DNWY")
    blocks[10], depth[10] = 0.3, 0.2
    germline = draft.germline.copy()
    germline[20], margin[20] = ABSENT, 1.0
    best[[30, 31]] = germline[[30, 31]] = asn, trp
    amide[[30, 31], :2] = 20.0, 8.0
    nats[30, [asn, asp]] = 20.0, 8.0  # deamidation, and no other residue
    best[[40, 41, 42]] = germline[[40, 41, 42]] = trp
    nats[40, [trp, tyr]] = 20.0, 8.0
    nats[41, [trp, tyr]] = 20.0, 1.0
    nats[42, [trp, tyr, asp]] = 20.0, 8.0, -30.0  # against a third one
    columns[50] = OTHER_INSERTION
    found = votes_with(n, nats=nats, depth=depth, amide=amide, blocks=blocks)
    changed = replace(draft, germline=germline, columns=columns)
    assert {at: own for at, own in enumerate(flags_of(changed, found, best, margin)) if own} == {
        30: ["deamidation"],
        40: ["minority"],
        42: ["minority"],
        50: ["length"],
    }


@pytest.mark.parametrize(
    ("letters", "germline", "flagged"),
    [
        ("DGS", "SGS", True),
        ("DGT", "NGT", True),
        ("DGS", "DGS", False),
        ("DPS", "SPS", False),
        ("DGA", "SGA", False),
        ("EGS", "SGS", False),
        ("DGS", "-GS", False),
        ("GSD", "GSN", False),
    ],
)
def test_a_d_that_germline_lacks_may_be_an_n_that_carried_a_glycan(
    letters: str, germline: str, flagged: bool
) -> None:
    best, own = (encode(text.replace("-", "X")) for text in (letters, germline))
    assert may_have_been_glycosylated(own, best).tolist() == [flagged, False, False]


def test_another_length_is_one_that_half_of_the_reads_across_show() -> None:
    n = 20
    deleted, depth, passed = np.zeros(n), np.ones(n), np.ones(n)
    deleted[[2, 3]] = 1.0, 0.9
    depth[4] = 0.0  # no read at all
    passed[13] = 0.0
    inserted = {
        0: {(1,): 2.0},  # in front of the chain
        7: {(1,): 0.5, (1, 2): 0.5},
        10: {(1,): 0.8},
        13: {(1,): 0.3},
        n: {(1,): 2.0},
    }
    found = votes_with(n, depth=depth, inserted=inserted, deleted=deleted, passed=passed)
    assert np.flatnonzero(other_lengths(found)).tolist() == [2, 6, 7]


def test_alternatives_are_those_that_are_not_all_but_excluded(part: Placed) -> None:
    shares = [share for row in weighed(part).rows for _, share in row.alternatives]
    assert 0.005 <= min(shares) < 0.05


def test_a_conflict_is_flagged_and_not_sure() -> None:
    changed = CHAIN[:70] + "W" + CHAIN[71:]
    reads = [r for i in range(3) for r in tiles(CHAIN[i:120]) + tiles(changed[i:120])]
    chain = weighed(built(reads))
    row = chain.rows[70]
    assert "minority" in row.flags
    assert row.state != "observed" or row.probability < 0.999


def test_reads_against_the_network_leave_a_residue_unsure() -> None:
    nats = np.full((1, 20), -9.0)
    nats[0, RESIDUES.index("T")] = 0.0
    nats[0, RESIDUES.index("S")] = -OBSERVED_MARGIN
    both = np.full((1, 20), 1e-4)
    both[0, RESIDUES.index("S")] = 1 - 19e-4
    none = np.zeros(1, bool)
    assert floors_of(nats, both, none) == FLOOR_UNREAD
    assert floors_of(nats, np.roll(both, 1, axis=1), none) == 0.0
    assert _states(nats, both) == "doubtful"
    assert _states(nats, np.roll(both, 1, axis=1)) == "observed"


def test_residues_that_no_read_shows_are_surer_the_more_of_the_domain_is_read() -> None:
    draft = draft_from(CHAIN[:120])
    open_at = {"T": 70, "L": 80, "S": 90}
    both = np.full((len(draft), 20), 1e-4)
    for residue, at in open_at.items():
        both[at] = 0.2 / 19
        both[at, RESIDUES.index(residue)] = 0.8
    both[open_at["L"]] = np.eye(20)[LEUCINE]

    def after(read: int) -> np.ndarray:
        nats = np.zeros((len(draft), 20))
        nats[:read, RESIDUES.index("A")] = 9.0
        nats[list(open_at.values())] = 0.0
        return il_as_one(with_floor(both, least_floors(draft, nats, both))).max(1)

    whole, half = after(len(draft)), after(len(draft) // 2)
    assert 0.94 * 0.8 < half[70] < whole[70] < 0.8
    assert whole[80] == pytest.approx(MOST_UNREAD) and half[80] == pytest.approx(MOST_UNREAD)


def test_residues_that_reads_settle_are_seen_and_all_others_of_a_hardly_read_chain_are_not() -> (
    None
):
    draft = draft_from(CHAIN[:120])
    n, read = len(draft), [10, 11, 12]
    germline, tokens = draft.germline.copy(), draft.tokens.copy()
    tokens[read] = LEUCINE
    germline[read] = ISOLEUCINE, LEUCINE, RESIDUES.index("V")
    draft = replace(draft, tokens=tokens, germline=germline)
    nats = np.zeros((n, N_RESIDUES))
    nats[read] = -9.0
    nats[np.ix_(read, [ISOLEUCINE, LEUCINE])] = 0.0
    copied = only_germline(draft, nats)
    assert not copied[read].any() and copied[40:60].all()
    assert first_letters(draft, nats, np.zeros(n, bool))[9:14] == "XILJX"
    unsure = np.full((n, N_RESIDUES), 0.05)
    assert np.flatnonzero(~hidden_from_network(draft, nats, unsure)).tolist() == read
    either = np.zeros((n, N_RESIDUES))
    either[:, [ISOLEUCINE, LEUCINE]] = 0.5
    assert not hidden_from_network(draft, nats, either).any()  # I or L is sure


def test_the_little_that_reads_show_counts_for_more_in_cdr1_and_cdr2(whole: Placed) -> None:
    (draft,) = whole.drafts
    loops = ((draft.columns >= 27) & (draft.columns <= 38)) | (
        (draft.columns >= 56) & (draft.columns <= 65)
    )
    for nats, expected in ((1.0, np.where(loops, LOOP_WEIGHT, 1.0)), (OBSERVED_MARGIN, 1.0)):
        shown = np.zeros((len(draft), N_RESIDUES))
        shown[:, RESIDUES.index("T")] = nats
        np.testing.assert_array_equal(weight_of_reads(draft, shown), expected * np.ones(len(draft)))


def test_residues_where_two_sides_of_a_cdr3_meet_have_an_unsure_length(whole: Placed) -> None:
    (draft,) = whole.drafts
    start, _ = draft.cdr3()
    chain = weighed(replace(whole, drafts=(replace(draft, meeting=Meeting(3, 0.5)),)))
    flagged = [i for i, row in enumerate(chain.rows) if "length" in row.flags]
    assert flagged == [start + 2, start + 3]


def test_residues_of_a_cdr3_that_no_read_joins_are_flagged_and_unsure(whole: Placed) -> None:
    at = CHAIN.index("ARWGG") + 6
    given = [r for i in range(3) for side in (CHAIN[i:at], CHAIN[at:120]) for r in tiles(side)]
    reads = reads_of(given)
    placements = place_on(reads, whole.drafts)
    chain = weighed(replace(whole, reads=reads, placements=placements))
    flagged = [i for i, row in enumerate(chain.rows) if "length" in row.flags]
    assert flagged == [at - 1, at]
    assert max(chain.rows[i].probability for i in flagged) < 0.95


def test_deamidation_is_flagged() -> None:
    at = CHAIN.index("N", 50)
    changed = CHAIN[:at] + "D" + CHAIN[at + 1 :]
    reads = [r for i in range(3) for r in tiles(CHAIN[i:120])] + tiles(changed[:120])
    chain = weighed(built(reads))
    assert chain.rows[at].residue == "N"
    assert "deamidation" in chain.rows[at].flags


def test_no_residue_of_a_serum_is_sure(whole: Placed) -> None:
    chain = weighed(replace(whole, serum=True))
    assert max(row.probability for row in chain.rows) <= 1 - FLOORS["serum"] * 0.95
    assert all("serum" in row.flags and row.state != "observed" for row in chain.rows)


def test_the_network_sees_what_reads_show_of_a_serum(part: Placed) -> None:
    chain, serum = weighed(part), weighed(replace(part, serum=True))
    unread = slice(62, 93)
    same = sum(a == b for a, b in zip(best_of(chain)[unread], best_of(serum)[unread], strict=True))
    assert same > 0.9 * 31


def nearly_unread(placed: Placed, draft: Draft) -> Placed:
    """One read on the V domain of a chain, in place of those that were placed."""
    few = reads_of([peptide(CHAIN[30:40])])
    placements = place_on(few, [draft])
    return replace(placed, names=("heavy",), drafts=(draft,), reads=few, placements=placements)


def test_a_nearly_unread_domain_is_germline(whole: Placed) -> None:
    chain = weighed(nearly_unread(whole, draft_from(CHAIN)))
    domain = [row for row in chain.rows if row.region not in ("C", "")]
    right = sum(a == b.residue for a, b in zip(CHAIN, domain, strict=False))
    assert right > 0.8 * len(domain)
    assert max(row.probability for row in domain if row.state == "inferred") < OBSERVED_PROBABILITY


def test_a_length_in_doubt_takes_nothing_from_a_nearly_unread_domain(whole: Placed) -> None:
    """What is the average of genes is that of genes of all lengths."""
    draft = draft_from(CHAIN)
    loose = replace(draft, loose=(Loose(50, 60, 0.6),))
    chain, flagged = (weighed(nearly_unread(whole, one)) for one in (draft, loose))
    assert all("length" in row.flags for row in flagged.rows[50:60])
    for row, other in zip(chain.rows[50:60], flagged.rows[50:60], strict=True):
        assert row.probability == pytest.approx(other.probability)


def test_a_nearly_unread_domain_is_what_the_genes_of_its_locus_have_on_average() -> None:
    """Residues that all genes have are surer than those that tell one gene from another."""
    draft = germline_draft("K")
    none = np.zeros((len(draft), N_RESIDUES))
    shares = gene_shares(draft, none, GERMLINES)
    assert np.allclose(shares.sum(1), 1.0)
    at = {column: int(np.flatnonzero(draft.columns == column)[0]) for column in (23, 41, 104, 37)}
    sure = {column: shares[i].max() for column, i in at.items()}
    assert min(sure[23], sure[41], sure[104]) > 0.95 > 0.8 > sure[37]
    # Reads of the first 26 columns tell one gene from the others.
    v = v_segments()
    gene = next(
        row
        for row, locus, species in zip(v.tokens, v.locus, v.species, strict=True)
        if (locus, species) == (1, 0)
        and np.array_equal(row[:CYS104] < N_RESIDUES, np.isin(np.arange(CYS104), draft.columns))
        and (row[:27] != v.tokens[draft.v, :27]).sum() > 5
    )
    told = none.copy()
    read = np.flatnonzero(draft.columns <= 26)
    told[read] = -4.0
    told[read, merge_il(gene[draft.columns[read]])] = 0.0
    rest = np.flatnonzero((draft.columns > 26) & (draft.columns < CYS104))
    best = gene_shares(draft, told, GERMLINES)[rest].argmax(1)
    assert (best == gene[draft.columns[rest]]).mean() > 0.9


def test_a_chain_that_is_hardly_read_has_the_columns_of_its_segments() -> None:
    """Without letters behind FR2, CDR2 would be numbered as if residues were inserted there."""
    v = next(i for i, name in enumerate(v_segments().names) if name == "IGKV4-1*01")
    draft = draft_of(
        "K",
        v,
        germline_draft("K").j,
        next(i for i, c in enumerate(constants()) if (c.locus, c.species) == ("K", "human")),
    )
    shown = (draft.columns <= 55) | (draft.columns >= FR4_START)
    letters = "".join(
        RESIDUES[t] if see and t < N_RESIDUES else "X"
        for t, see in zip(draft.tokens.tolist(), shown.tolist(), strict=True)
    )
    own = (draft.columns > 0) & (draft.columns <= CYS104)
    assert not np.array_equal(number_chain(letters).columns[own], draft.columns[own])
    filled = with_germline(draft, letters)
    assert np.array_equal(number_chain(filled).columns[own], draft.columns[own])


def test_the_network_does_not_see_what_it_judges() -> None:
    letters = CHAIN[:120]
    weak = np.zeros(120, bool)
    networks = [(MODEL, 1.0)]
    changed = letters[:50] + ("W" if letters[50] != "W" else "A") + letters[51:]
    shares = [
        network_shares(s, s, weak, networks, GERMLINES, k=128, stride=64)
        for s in (letters, changed)
    ]
    assert np.allclose(shares[0][50], shares[1][50], atol=1e-5)
    assert not np.allclose(shares[0][51], shares[1][51], atol=1e-5)
    assert np.allclose(shares[0].sum(1), 1.0)


def test_without_the_network_reads_speak_alone(whole: Placed) -> None:
    (chain,) = weigh(whole, None, GERMLINES)
    assert best_of(chain).replace("I", "L") == CHAIN[:120].replace("I", "L")


def test_a_residue_with_several_flags_is_no_less_sure_than_with_one(
    whole: Placed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probability(*flags: str) -> float:
        where = np.arange(len(whole.drafts[0])) == 60
        marked = dict.fromkeys(flags, where)
        monkeypatch.setattr("lacuna.evidence.weigh._marked", lambda *_: marked)
        return weighed(whole).rows[60].probability

    assert probability("phase", "length") == probability("phase") < 0.95 < probability()


def test_networks_speak_by_their_part(large_network: Path) -> None:
    letters, weak = CHAIN[:120], np.arange(120) == 60
    models = [MODEL, load_large(large_network)]
    read = partial(network_shares, letters, letters, weak, library=GERMLINES, k=128, stride=64)
    one, other = (read(networks=[(model, 1.0)]) for model in models)
    mean = read(networks=[(models[0], 0.25), (models[1], 0.75)])
    settled = ~weak  # the others are geometric means over masks
    assert np.allclose(mean[settled], (0.25 * one + 0.75 * other)[settled], atol=1e-9)
    assert np.allclose(mean.sum(1), 1.0) and not np.allclose(one, other)


@pytest.mark.parametrize("species", ["human", "alpaca"])
def test_the_large_network_reads_the_chains_it_knows(
    part: Placed, large_network: Path, monkeypatch: pytest.MonkeyPatch, species: str
) -> None:
    monkeypatch.setattr(MODEL, "temperatures", {})
    (draft,), large = part.drafts, load_large(large_network)
    v = next(i for i, s in enumerate(v_segments().species) if SPECIES[s] == species)
    placed = replace(part, drafts=(replace(draft, v=v),))
    (fast,) = weigh(placed, MODEL, GERMLINES)
    (thorough,) = weigh(placed, MODEL, GERMLINES, large=large)
    assert len(fast.rows) == len(thorough.rows)
    assert (fast.rows == thorough.rows) == (species == "alpaca")
