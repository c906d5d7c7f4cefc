"""Chains of several antibodies that share a V gene: found by their CDR3s, and told apart."""

import numpy as np
import pytest
from test_placing import Sure, germline_chain, tiles

from lacuna.antibody.imgt import CDR_COLUMNS
from lacuna.core.alphabet import RESIDUES, decode, encode
from lacuna.evidence.posterior import FLOOR_SITE, at_sites, with_sites
from lacuna.placing.phase import Apart, Site
from lacuna.placing.place import Placed, place
from lacuna.placing.siblings import differing, siblings

pytestmark = pytest.mark.slow

ONE, OTHER = "ARWGGDGFYHMDY", "AKHWPSSKYESSLDV"


def with_residues(chain: str, **residues: str) -> str:
    """A chain with other residues, by position from 1: `p12="W"`."""
    letters = list(chain)
    for position, residue in residues.items():
        letters[int(position[1:]) - 1] = residue
    return "".join(letters)


def mixture(*chains: str, times: tuple[int, ...] = (1, 1)) -> Placed:
    reads = []
    for chain, n in zip(chains, times, strict=True):
        reads += [r for k in range(n) for r in tiles(chain[k:])]
    return place(reads, Sure())


def loops(placed: Placed) -> set[str]:
    return {decode(d.tokens[slice(*d.cdr3())]) for d in placed.drafts}


def sites_of(placed: Placed, cdr3: str) -> dict[int, Site]:
    """Sites in the chain with a CDR3, by position from 1."""
    (chain,) = (
        i for i, d in enumerate(placed.drafts) if decode(d.tokens[slice(*d.cdr3())]) == cdr3
    )
    return {s.position + 1: s for s in placed.apart.sites if s.chain == chain}


def shown(site: Site) -> dict[str, float]:
    first, second = (RESIDUES[token] for token in site.residues)
    return {first: 1 - site.second, second: site.second}


def test_a_second_cdr3_is_a_chain_of_its_own() -> None:
    placed = mixture(germline_chain("H", ONE), germline_chain("H", OTHER))
    assert placed.names == ("heavy", "heavy_2")
    assert loops(placed) == {ONE, OTHER}
    assert not placed.apart.sites  # their V domains are the same


def test_one_antibody_stays_one() -> None:
    placed = place(tiles(germline_chain("H", ONE)), Sure())
    assert placed.names == ("heavy",) and placed.apart == Apart()
    misread = tiles(germline_chain("H", ONE.replace("GG", "AG")))  # again and again
    reads = [*tiles(germline_chain("H", ONE)), *misread, *misread]
    assert place(reads, Sure()).names == ("heavy",)


def test_residues_that_reads_link_to_a_cdr3_are_of_its_chain() -> None:
    one = germline_chain("H", ONE)
    at = one.index("YYC")  # within reach of reads of CDR3
    other = with_residues(germline_chain("H", OTHER), **{f"p{at - 1}": "W"})
    placed = mixture(one, other, times=(2, 2))
    (mine, theirs) = (sites_of(placed, cdr3)[at - 1] for cdr3 in (ONE, OTHER))
    assert shown(theirs)["W"] > 0.95 and shown(mine)["W"] < 0.05
    tokens = {decode(d.tokens[at - 2 : at - 1]) for d in placed.drafts}
    assert tokens == {"W", one[at - 2]}


def test_residues_that_nothing_links_to_a_cdr3_are_of_either_chain() -> None:
    other = with_residues(germline_chain("H", OTHER), p12="W", p13="Y")
    placed = mixture(germline_chain("H", ONE), other, times=(3, 3))
    for cdr3 in (ONE, OTHER):
        sites = sites_of(placed, cdr3)
        assert {12, 13} <= set(sites)
        assert all(0.1 < sites[p].second < 0.9 for p in (12, 13))


def test_phases_of_far_places_go_over_reads_in_between() -> None:
    """Places that no read joins to CDR3, but whose reads overlap at other places."""
    one = germline_chain("H", ONE)
    far = {f"p{p}": "W" for p in range(56, 96, 8)}
    placed = mixture(one, with_residues(germline_chain("H", OTHER), **far), times=(3, 3))
    sites = sites_of(placed, OTHER)
    assert all(shown(sites[p])["W"] > 0.95 for p in range(56, 96, 8))


def test_a_place_without_reads_of_a_chain_may_differ() -> None:
    """Where reads show only one residue, a rare chain may have another: more if others differ."""
    one, other = germline_chain("H", ONE), germline_chain("H", OTHER)
    alike = mixture(one, other, times=(6, 1))
    residues = {f"p{p}": "W" for p in range(60, 95, 5)}
    differ = mixture(one, with_residues(other, **residues), times=(6, 1))
    for placed in (alike, differ):
        assert len(placed.drafts) == 2
    rare = [max(range(2), key=lambda i: p.apart.hidden[i].max()) for p in (alike, differ)]
    less, more = (p.apart.hidden[i].max() for p, i in zip((alike, differ), rare, strict=True))
    assert 0 < less < more < 0.5
    loop = CDR_COLUMNS[differ.drafts[0].columns] & (differ.drafts[0].columns > 104)
    assert not differ.apart.hidden[0][loop].any()


@pytest.mark.parametrize(("places", "many"), [(range(20, 90, 14), True), ((20, 70), False)])
def test_another_antibody_whose_cdr3_no_read_shows(places: range, many: bool) -> None:
    """Two residues at many places are of two antibodies; at a few they may be misread."""
    residues = {f"p{p}": "W" for p in places}
    other = with_residues(germline_chain("H", OTHER), **residues)[:92]
    placed = mixture(germline_chain("H", ONE), other, times=(3, 2))
    assert placed.names == ("heavy",) and loops(placed) == {ONE}
    assert set(sites_of(placed, ONE)) == (set(places) if many else set())
    for site in placed.apart.sites:
        assert 0.05 < site.second < 0.95


def test_no_chain_is_made_of_reads_that_chains_explain() -> None:
    placed = mixture(germline_chain("H", ONE), germline_chain("H", OTHER))
    best = placed.placements.best(len(placed.reads))
    assert siblings(placed.reads, placed.drafts, best) == []


@pytest.mark.parametrize(
    ("one", "other", "n"),
    [
        ("ARDY", "ARDY", 0),
        ("ARDY", "AKDY", 1),
        ("ARDY", "RDYY", 2),
        ("SRWGGDGFYAMDY", "SRWNDGFYWDY", 1),  # GG weighs as much as N, AM as oxidised W
        ("SRWGGDGFYAMDY", "ARYEWLPTFDS", 10),
    ],
)
def test_residues_that_differ(one: str, other: str, n: int) -> None:
    assert differing(encode(one), encode(other)) == n


def test_a_site_has_the_probability_of_its_phase() -> None:
    token = RESIDUES.index
    nats, posterior = np.zeros((2, 20)), np.full((2, 20), 0.05)
    posterior[0, [token("I"), token("L")]] = 0.03, 0.01
    site = Site(0, 0, (token("L"), token("W")), 0.3)
    said = at_sites(posterior, [site])
    assert said[0].sum() == pytest.approx(1.0)
    assert said[0, token("W")] == pytest.approx(0.3, abs=FLOOR_SITE)
    assert said[0, token("I")] == pytest.approx(3 * said[0, token("L")], rel=0.1)
    assert (said[1] == posterior[1]).all()
    reads = with_sites(nats, [site])[0]
    assert reads[token("L")] == 0 and reads[token("W")] == pytest.approx(np.log(3 / 7))
