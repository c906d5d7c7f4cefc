"""Samples of few reads: what is there is found, and what is not sure is said to be so."""

import numpy as np
import pytest

from lacuna.antibody.germlines import SPECIES, v_segments
from lacuna.antibody.imgt import CYS104, OUTSIDE
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import N_RESIDUES
from lacuna.evidence.chain import ReadChain, chain_of
from lacuna.evidence.flags import other_lengths
from lacuna.evidence.posterior import hidden_from_network
from lacuna.placing.stretches.loop_lengths import Germline
from lacuna.placing.stretches.sides import Opening
from lacuna.placing.votes.consensus import Votes
from lacuna.placing.votes.draft import Draft, draft_of
from lacuna.reads.read import Read
from reads import (
    best_of,
    built,
    chain_with_cdr3,
    germline_draft,
    merged,
    opened,
    peptide,
    tiles,
    votes_with,
    weighed,
)

HEAVY = chain_with_cdr3("H", "ARTSYTGGYWYEDL")
KAPPA = chain_with_cdr3("K", "QQYNSYPLT")
SETTLED = 6.0  # nats


def pieces(chain: str, *spans: tuple[int, int], copies: int = 2) -> list[Read]:
    return [peptide(chain[a:b], f"{a}") for a, b in spans for _ in range(copies)]


# --- chains --------------------------------------------------------------------------------------

FEW_OF_HEAVY = pieces(HEAVY, (0, 20), (56, 72), (-40, -20), (-20, len(HEAVY)))


def test_a_chain_of_which_few_reads_show_the_constant_region_is_found_beside_another() -> None:
    """No segment has a large share of its runs of residues in reads."""
    light = pieces(KAPPA, (-45, -25))
    assert [d.locus for d in built([*FEW_OF_HEAVY, *light]).drafts] == ["H", "K"]
    assert [d.locus for d in built(FEW_OF_HEAVY).drafts] == ["H"]


def test_chains_whose_v_domains_no_read_shows_are_found_by_their_constant_regions() -> None:
    reads = [
        *pieces(HEAVY, (-59, -30), (-30, len(HEAVY))),
        *pieces(KAPPA, (-59, -30), (-30, len(KAPPA))),
    ]
    placed = built(reads)
    assert sorted(d.locus for d in placed.drafts) == ["H", "K"]
    for chain in weighed(placed, network=False):
        assert sum(row.depth > 0 for row in chain.rows) > 50
        assert all(row.probability < 0.95 for row in chain.rows)


def test_reads_of_a_constant_region_lie_there_however_few_they_are() -> None:
    """With only a V domain to lie on, those that resemble it would be taken for its residues."""
    domain = tiles(KAPPA[:-60], step=2)
    placed = built([*domain, *pieces(KAPPA, (-40, -20))])
    (draft,) = placed.drafts
    assert draft.c >= 0
    (alone,) = built(domain).drafts
    assert alone.c < 0


# --- lengths -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("species", "sure"), [("human", True), ("alpaca", False)])
@pytest.mark.parametrize(("first", "last"), [(27, 38), (56, 65)])
def test_the_v_segment_tells_the_length_of_a_loop_less_in_camelids(
    species: str, sure: bool, first: int, last: int
) -> None:
    segments = v_segments()
    own = (segments.species == SPECIES.index(species)) & (segments.locus == 0)
    v = int(np.flatnonzero(own & np.array(["/OR" not in n for n in segments.names]))[0])
    draft = draft_of("H", v, 0, -1)
    loop = np.flatnonzero((draft.columns >= first) & (draft.columns <= last))
    opening = Opening(int(loop[0]) - 4, int(loop[-1]) + 5, 0, 0, 0, 0, through=False)
    germline = Germline.of(draft, shown_by(draft.tokens), opening)
    assert (germline.share_of(len(loop) + 8) >= 0.95) == sure


def shown_by(tokens: np.ndarray) -> Votes:
    """Votes of reads that show residues, some 25 nats each."""
    five, known = np.full(len(tokens), 5.0), tokens < N_RESIDUES
    found = votes_with(len(tokens), depth=five, passed=five)
    found.nats[known, tokens[known]] = 25.0
    return found


def crossed(changed: str, whole: str) -> list[Read]:
    """Reads of a chain that end and begin at a place, and one across it that has other residues.

    None shows residues that this one leaves out.
    """
    at = HEAVY.index(whole)
    cut = at + len(whole) // 2
    ends = [peptide(HEAVY[i:cut], f"l{i}") for i in range(cut - 20, cut - 11)]
    behind = cut + max(len(whole) - len(changed), 0)
    ends += [peptide(HEAVY[behind:i], f"r{i}") for i in range(cut + 12, cut + 21)]
    others = [r for r in tiles(HEAVY, step=2) if not at - 14 < int(r.name[1:]) < at + len(whole)]
    across = peptide(HEAVY[at - 8 : at] + changed + HEAVY[at + len(whole) : at + len(whole) + 8])
    return [*ends, *others, across]


@pytest.mark.parametrize(
    ("changed", "doubted"), [("APGQLEW", True), ("APGQWGLEW", True), ("APGQGLEW", False)]
)
def test_a_length_that_the_only_read_across_contradicts_is_in_doubt(
    changed: str, doubted: bool
) -> None:
    """It is too little to change the chain."""
    placed = built(crossed(changed, "APGQGLEW"))
    (chain,) = weighed(placed, network=False)
    at = HEAVY.index("APGQGLEW")
    assert len(chain.rows) >= len(HEAVY) and merged(best_of(chain)[at + 5 : at + 8]) == "LEW"
    near = chain.rows[at : at + 8]
    assert any("length" in row.flags.split(";") for row in near) == doubted
    assert all(row.probability < 0.95 for row in near if "length" in row.flags)


def test_reads_that_leave_residues_out_outweigh_those_that_show_them() -> None:
    left_out = np.array([0.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    depth = np.array([3.0, 1.0, 2.0, 0.0, 0.0, 3.0])
    found = votes_with(6, depth=depth, deleted=left_out)
    assert other_lengths(found).tolist() == [False, True, False, True, False, False]


def test_reads_that_have_residues_more_outweigh_those_that_pass() -> None:
    more = {2: {(3,): 1.0}, 5: {(3,): 1.0}, 0: {(4,): 1.0}}
    passed = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 2.0])
    found = votes_with(6, depth=np.full(6, 2.0), inserted=more, passed=passed)
    assert other_lengths(found).tolist() == [False, True, True, False, False, False]


# --- probabilities -------------------------------------------------------------------------------


def domain_of(draft: Draft) -> np.ndarray:
    found: np.ndarray = (draft.columns > 0) & (draft.columns <= CYS104)
    return found


def test_the_network_sees_what_reads_settle_if_hardly_anything_is_sure() -> None:
    draft = germline_draft("H")
    n = len(draft)
    nats, posterior = np.full((n, 20), -SETTLED), np.full((n, 20), 0.01)
    nats[:, 0], nats[n // 2 :, 1] = 0.0, 0.0  # reads settle the first half
    posterior[:, 0] = 0.8
    assert not hidden_from_network(draft, nats, posterior)[: n // 2].any()
    assert hidden_from_network(draft, nats, posterior)[n // 2 :].all()
    posterior[: n // 3, 0] = 0.95  # sure ones are enough
    assert np.flatnonzero(~hidden_from_network(draft, nats, posterior)).tolist() == [*range(n // 3)]


@pytest.mark.parametrize(("depth", "crossed"), [(1.0, True), (0.0, False)])
def test_a_read_that_ends_beyond_its_core_does_not_cross_an_unknown_residue(
    depth: float, crossed: bool
) -> None:
    """Its last residue says what lies there, but not how many do."""
    draft = germline_draft("K")
    at = draft.cdr3()[0] + 1
    n = len(draft)
    nats, posterior, no = np.zeros((n, 20)), np.full((n, 20), 1 / 20), np.zeros(n, dtype=bool)
    nats[at, 0] = 20.0
    found = votes_with(n, nats=nats, depth=np.where(np.arange(n) == at, depth, 1.0))
    read = ReadChain(opened(draft, at, at + 1), found, nats, no)
    chain = chain_of("k", read, posterior, {}, None)
    assert [(gap.start, gap.end) for gap in chain.gaps] == ([] if crossed else [(at, at + 1)])


def test_a_chain_whose_residues_cannot_be_numbered_has_the_columns_of_its_segments() -> None:
    draft = germline_draft("K")
    n = len(draft)
    posterior = np.full((n, 20), 1 / 20)
    assert (number_chain("A" * n).columns == OUTSIDE).all()
    read = ReadChain(draft, votes_with(n), np.zeros((n, 20)), np.zeros(n, dtype=bool))
    chain = chain_of("k", read, posterior, {}, None)
    assert {row.region for row in chain.rows} == {
        *("FR1", "CDR1", "FR2", "CDR2", "FR3", "CDR3", "FR4")
    }
    assert chain.rows[draft.find(CYS104)].imgt == "104"
