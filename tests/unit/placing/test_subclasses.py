"""Constant regions of a locus of which reads show several: which, and of which chain each is."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from lacuna.antibody.germlines import SPECIES, constants, v_segments
from lacuna.antibody.imgt import CONSTANT
from lacuna.core.alphabet import N_RESIDUES, RESIDUES, decode, encode, merge_il
from lacuna.evidence.chain import WeighedChain
from lacuna.evidence.constants import with_halves, with_rivals
from lacuna.placing.aligning.seeds import word_weights
from lacuna.placing.chains.subclasses import (
    how_common,
    marginals,
    nats_of_way,
    of_rivals,
    on_constant,
    with_subclasses,
)
from lacuna.placing.place import Placed
from lacuna.placing.sources.segments import WORD
from lacuna.placing.sources.shown_constants import blocks_of, names_of, of_other, shown_constants
from lacuna.placing.votes.draft import draft_of
from lacuna.placing.votes.placement import Assembly
from lacuna.reads.read import Read
from reads import best_of, built, chain_with_cdr3, merged, other_heavy, reads_of, tiles, weighed

V_ONE = chain_with_cdr3("H", "ARWGGDGFYHMDY", constant=False)
V_OTHER = other_heavy("AKHWPSSKYESSLDV")[:-60]


def row(name: str, species: str = "human") -> int:
    return next(i for i, c in enumerate(constants()) if (c.species, c.name) == (species, name))


IGG1, IGG2, IGG4 = (row(f"IGHG{n}*01") for n in (1, 2, 4))
C1, C2, C4 = (constants()[c].sequence for c in (IGG1, IGG2, IGG4))


def seen(chain: str, times: int = 1, length: int = 14) -> list[Read]:
    """Reads of a chain that cover it, and `times` as many."""
    return [read for i in range(times) for read in tiles(chain[i:], step=2, length=length)]


def of(*parts: list[Read]) -> Placed:
    return built([read for part in parts for read in part])


def weights_of(*chains: str) -> np.ndarray:
    return word_weights(reads_of([r for c in chains for r in seen(c)]), WORD)


def test_reads_show_one_constant_region_or_two() -> None:
    assert shown_constants(weights_of(C1), IGG1) == [(IGG1, 1.0)]
    found = dict(shown_constants(weights_of(C1, C4), IGG1))
    assert set(found) == {IGG1, IGG4} and abs(found[IGG1] - 0.5) < 0.1
    found = dict(shown_constants(weights_of(C1, C1[1:], C1[2:], C4), IGG1))
    assert set(found) == {IGG1, IGG4} and 0.65 < found[IGG1] < 0.85
    three = [c for c, _ in shown_constants(weights_of(C1, C2, C4), IGG4)]
    assert sorted(names_of(three)) == ["IGHG1", "IGHG2", "IGHG4"]


def test_a_hybrid_of_two_constant_regions_is_one() -> None:
    """CH1 and hinge of IgG2 in front of CH2 and CH3 of IgG4, as some medicines have."""
    hybrid = C2[: C2.index("CPAP")] + C4[C4.index("CPAP") :]
    assert shown_constants(weights_of(hybrid), IGG2) == [(IGG2, 1.0)]
    # Deamidation, or K for Q, is no other constant region.
    changed = C1.replace("N", "D").replace("Q", "K")
    assert shown_constants(weights_of(C1, changed), IGG1) == [(IGG1, 1.0)]


def test_a_domain_of_another_constant_region_is_none() -> None:
    """Reads must show both at many of the places at which they differ."""
    ch1, most = C4[:110], C4[:230]
    assert shown_constants(weights_of(C1, ch1), IGG1) == [(IGG1, 1.0)]
    assert {c for c, _ in shown_constants(weights_of(C1, most), IGG1)} == {IGG1, IGG4}


def test_blocks_in_which_two_chains_differ() -> None:
    one, other = (merge_il(encode(x)) for x in ("AAAAAWGGCGGGGGGGG", "AAAAAFGGDGGGGGGHHGG"))
    assert blocks_of(one, other) == [((5, 9), (5, 9)), ((15, 15), (15, 17))]
    assert decode(of_other(one, other)) == "AAAAAFGGDGGGGGGGG"
    shorter = merge_il(encode("AAAAAFGDGGGGGGGG"))
    assert (of_other(one, shorter)[5:9] >= N_RESIDUES).all()
    assert names_of([IGG1, IGG4]) == ["IGHG1", "IGHG4"]
    assert names_of([IGG1, row("IGHG1*03")]) == ["IGHG1*01", "IGHG1*03"]


def test_how_common_chains_are_tells_which_is_whose() -> None:
    common, shares = np.array([0.8, 0.2]), [0.7, 0.3]
    ways = [(0, 0), (0, 1), (1, 0), (1, 1)]
    nats = np.array([nats_of_way(way, common, shares) for way in ways])
    assert nats.argmax() == 1
    found = marginals(ways, nats, 2)
    assert found[0, 0] > 0.8 and np.allclose(found.sum(1), 1.0)
    even = np.array([nats_of_way(way, np.array([0.5, 0.5]), [0.5, 0.5]) for way in ways])
    assert np.allclose(marginals(ways, even, 2), 0.5)


def parts(placed: Placed) -> list[tuple[str, str]]:
    """The V domains up to CDR3, and the constant regions, of what was found, in order."""
    cut = [d.find(CONSTANT) for d in placed.drafts]
    texts = [merged(decode(d.tokens)) for d in placed.drafts]
    return sorted((text[:95], text[at:]) for text, at in zip(texts, cut, strict=True))


def pairs(*chains: tuple[str, str]) -> list[tuple[str, str]]:
    return sorted((merged(v[:95]), merged(c)) for v, c in chains)


def shares_of(chain: WeighedChain) -> np.ndarray:
    """The probability of the most probable residue of each position."""
    return np.array([row.probability for row in chain.rows], dtype=float)


def telling(placed: Placed, chain: int) -> np.ndarray:
    return of_rivals(placed.drafts[chain])[0]


def test_a_mixture_of_two_subclasses_has_both_and_says_what_is_not_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The commoner V domain has the commoner constant region, but no read joins them."""
    caplog.set_level(logging.WARNING)
    placed = of(seen(V_ONE + C4, 3), seen(V_OTHER + C1))
    assert len(placed.drafts) == 2 and not placed.serum
    assert parts(placed) == pairs((V_ONE, C4), (V_OTHER, C1))
    (message,) = [r.message for r in caplog.records if "constant regions" in r.message]
    assert "IGHG4" in message and "IGHG1" in message and "few reads link them" in message
    for i, chain in enumerate(weighed(placed, network=False)):
        differ = telling(placed, i)
        assert 25 < differ.sum() < 45
        flagged = np.array(["phase" in row.flags.split(";") for row in chain.rows])
        constant = placed.drafts[i].columns == CONSTANT
        assert flagged[constant].tolist() == differ[constant].tolist()
        assert shares_of(chain)[differ].max() < 0.95
        assert np.median(shares_of(chain)[constant & ~differ]) > 0.95


def test_reads_over_the_border_join_v_and_c(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    # Both are as common, and reads are long enough to reach from CDR3 into what tells C1 from C4.
    placed = of(seen(V_ONE + C1, length=45), seen(V_OTHER + C4, length=45))
    assert {placed.drafts[i].rivals for i in range(2)} == {()}
    assert parts(placed) == pairs((V_ONE, C1), (V_OTHER, C4))
    assert "and join them to V domains" in caplog.text
    rows = [row for c in weighed(placed, network=False) for row in c.rows]
    assert not [row for row in rows if "phase" in row.flags.split(";") and row.region == "C"]


def test_two_constant_regions_of_one_v_domain_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """A part of another subclass is flagged; if both are as common, neither is sure."""
    caplog.set_level(logging.WARNING)
    for times, sure in ((6, True), (1, False)):
        placed = of(seen(V_ONE + C1, times), seen(C4))
        (draft,) = placed.drafts
        assert "but one V domain for them" in caplog.text
        caplog.clear()
        (chain,) = weighed(placed, network=False)
        differ = telling(placed, 0) & ~np.isin(list(best_of(chain)), ["I", "L"])
        flagged = np.array(["minority" in row.flags.split(";") for row in chain.rows])
        assert flagged[differ].all() and differ.sum() > 20
        own = C1 if constants()[draft.c].name.startswith("IGHG1") else C4
        assert own == C1 or not sure
        stated = merged(best_of(chain))[draft.find(CONSTANT) :]
        assert sum(a != b for a, b in zip(stated, merged(own), strict=True)) <= (0 if sure else 3)
        assert (shares_of(chain)[differ].min() > 0.9) == sure
        assert (shares_of(chain)[differ].max() < 0.95) != sure


def test_the_commoner_of_two_constant_regions_of_one_v_domain_is_not_sure() -> None:
    """Reads show twice as much of it, and none joins it to the V domain."""
    placed = of(seen(V_ONE + C1, 2), seen(C4))
    (draft,) = placed.drafts
    (chain,) = weighed(placed, network=False)
    differ = telling(placed, 0) & ~np.isin(list(best_of(chain)), ["I", "L"])
    assert draft.c == IGG1 and [c for c, _ in draft.rivals] == [IGG4]
    assert 0.8 < shares_of(chain)[differ].min() <= shares_of(chain)[differ].max() < 0.95


def test_subclasses_of_a_species_are_those_of_its_chains() -> None:
    """A human antibody in bovine serum, of which reads show IgG1 and IgG2."""
    own, other = (row(f"IGHG{name}", "cow") for name in ("1*02", "2*03"))
    v = next(i for i, x in enumerate(v_segments().species) if SPECIES[x] == "cow")
    bovine, human = draft_of("H", v, 0, own), draft_of("H", 0, 0, IGG1)
    each = [decode(bovine.tokens), constants()[other].sequence, decode(human.tokens)]
    reads = reads_of([r for text in each for r in seen(text)])
    assembly, several = with_subclasses(Assembly.of(reads, [bovine, human]))
    assert [one.chains for one in several] == [(0,)] and set(several[0].constants) == {own, other}
    own = assembly.drafts[1]
    assert own.c == IGG1 and not own.rivals


def test_a_chain_without_a_domain_gets_none_with_another_constant_region() -> None:
    (draft,) = of(seen(V_ONE + C1)).drafts
    start = draft.find(CONSTANT)
    empty = np.empty(0, np.uint8)
    fab = draft.spliced(start + 110, len(draft), empty, empty)
    changed = on_constant(fab, IGG4)
    letters = merged(decode(changed.tokens[start:]))
    assert letters == merged(C4[: len(letters)]) and 95 < len(letters) < 115
    assert merged(decode(on_constant(draft, IGG4).tokens[start:])) == merged(C4)


def test_reads_of_a_rival_count_for_it_alone() -> None:
    (draft,) = of(seen(V_ONE + C1)).drafts
    at = draft.find(CONSTANT) + 13  # S of IgG1, C of IgG4
    posterior = np.full((len(draft), N_RESIDUES), 1e-4)
    posterior[np.arange(len(draft)), draft.tokens] = 1.0
    posterior[at] = np.eye(N_RESIDUES)[RESIDUES.index("C")]
    mixed, differ = with_rivals(posterior, replace(draft, rivals=((IGG4, 0.3),)))
    assert differ[at] and RESIDUES[mixed[at].argmax()] == "S"
    assert abs(mixed[at, RESIDUES.index("C")] - 0.3) < 0.01
    assert (mixed[~differ] == posterior[~differ]).all()
    # If they are few, the others say what else it may be.
    posterior[at] = 0.0
    posterior[at, [RESIDUES.index(letter) for letter in "STC"]] = 0.6, 0.3, 0.1
    mixed, _ = with_rivals(posterior, replace(draft, rivals=((IGG4, 0.3),)))
    found = mixed[at, [RESIDUES.index(letter) for letter in "STC"]]
    assert found == pytest.approx([0.7 * 2 / 3, 0.7 / 3, 0.3], abs=0.01)
    posterior[-3] = 0.0  # P of IgG1, L of IgG4, which reads cannot tell from I
    posterior[-3, [RESIDUES.index(letter) for letter in "PIL"]] = 0.7, 0.15, 0.15
    mixed, _ = with_rivals(posterior, replace(draft, rivals=((IGG4, 0.3),)))
    found = mixed[-3, [RESIDUES.index(letter) for letter in "PIL"]]
    assert found == pytest.approx([0.7, 0.0, 0.3], abs=0.01)


def test_knobs_and_holes_may_be_of_either_chain() -> None:
    """One constant region is mutated in two ways, and no read joins these to a V domain."""
    start = C1.index("NQVSLTCLVK") + 5
    knob, hole = (C1[:start] + letters + C1[start + 4 :] for letters in ("WCNV", "SCAV"))
    placed = of(seen(V_ONE + knob, 3), seen(V_OTHER + hole, 3))
    chains = weighed(placed, network=False)
    first, second = (
        chain.rows[draft.find(CONSTANT) + start :][:4]
        for chain, draft in zip(chains, placed.drafts, strict=True)
    )
    at = slice(start, start + 4)
    for rows, draft in zip((first, second), placed.drafts, strict=True):
        own = decode(draft.tokens[draft.find(CONSTANT) :][at])
        assert own in ("WCNV", "SCAV") and "".join(r.residue for r in rows) == own
    for row, other in zip(first, second, strict=True):
        differ = row.residue != other.residue
        assert ("phase" in row.flags.split(";")) == differ
        assert (
            (row.probability or 0) > 0.9
            or differ
            and row.probability == pytest.approx(0.5, abs=0.05)
        )


def test_chains_of_constant_regions_of_other_lengths_say_nothing_of_each_other() -> None:
    (draft,) = of(seen(V_ONE + C1)).drafts
    posterior = np.full((len(draft), N_RESIDUES), 1 / N_RESIDUES)
    empty = np.empty(0, np.uint8)
    fab = draft.spliced(draft.find(CONSTANT) + 110, len(draft), empty, empty)
    for other in (fab, replace(draft, c=IGG4), draft):
        mixed, differ = with_halves(posterior, draft, [other])
        assert not differ.any() and (mixed == posterior).all()


def test_allele_differences_at_one_place_need_more_reads() -> None:
    one, other = row("IGKC*01"), row("IGKC*04")
    kappa = [constants()[c].sequence for c in (one, other)]
    assert shown_constants(weights_of(*kappa), one) == [(one, 1.0)]
    many = [chain[i:] for chain in kappa for i in range(4)]
    assert set(dict(shown_constants(weights_of(*many), one))) == {one, other}


def test_how_common_a_v_domain_is_counts_what_it_alone_has() -> None:
    placed = of(seen(V_ONE + C1, 3), seen(V_OTHER + C1))
    weights = word_weights(placed.reads, WORD)
    found = how_common(placed.drafts, weights)
    ahead = int(np.argmax([merged(V_ONE[:20]) in merged(decode(d.tokens)) for d in placed.drafts]))
    assert 0.65 < found[ahead] < 0.85
    assert how_common([placed.drafts[0]] * 2, weights).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("bovine_first", [True, False])
def test_loci_with_several_constant_regions_are_in_the_order_of_chains(bovine_first: bool) -> None:
    own, other = (row(f"IGHG{name}", "cow") for name in ("1*02", "2*03"))
    v = next(i for i, x in enumerate(v_segments().species) if SPECIES[x] == "cow")
    drafts = [draft_of("H", v, 0, own), draft_of("H", 0, 0, IGG1)][:: 1 if bovine_first else -1]
    texts = [*(decode(d.tokens) for d in drafts), constants()[other].sequence, C4]
    reads = reads_of([r for text in texts for r in seen(text)])
    _, several = with_subclasses(Assembly.of(reads, drafts))
    assert [one.chains for one in several] == [(0,), (1,)]
    assert set(several[0].constants) == ({own, other} if bovine_first else {IGG1, IGG4})
