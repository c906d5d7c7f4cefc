"""A species that is stated wrongly, and chains that are far from every germline: they are named,
and the network is less sure of what it copies."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

import bundled
from chains import constant_region, germline_chain, hidden, mutated
from gaps import scaffold
from lacuna.antibody.germlines import LOCI, SPECIES, v_segments
from lacuna.antibody.numbering import number_chain
from lacuna.antibody.species_fit import LEAST_AHEAD, nearer_species
from lacuna.core.alphabet import encode
from lacuna.core.tables import FAR, GAP_TABLE, NEARER
from lacuna.filling.fill import fill_chains
from lacuna.network import nearness
from lacuna.network.encode import Encoder
from lacuna.network.nearness import (
    C,
    V,
    is_far,
    of_targets,
    temperatures_of_far,
    temperatures_of_sparse,
    usual_share,
)
from lacuna.network.predict import predict
from lacuna.network.transformer import share_of_large
from lacuna.results.summary import mass_note
from lacuna.scaffolds.alkylation import NONE, Alkylation
from lacuna.templates.homologs import index_homologs
from lacuna.templates.library import of_species, stated_species
from tsv import row_of

HUMAN = germline_chain("H", 2)
FOREIGN = mutated(HUMAN, 44, 5)  # as far from every germline as chains of fish are
LIBRARY = bundled.predictor().library


def statuses(chain: str, species: str, *spans: tuple[int, int]) -> list[str]:
    encoder = Encoder(of_species(LIBRARY, species), None, 128, 64, 0.95)
    scaffolds = [scaffold(chain, *spans)]
    kmers = encoder.encode(scaffolds)
    (filled,) = fill_chains(scaffolds, kmers, encoder, bundled.predictor().predict, candidates=1)
    return [row.status for row in filled.gaps]


# --- a stated species ----------------------------------------------------------------------------


@pytest.mark.parametrize("locus", LOCI)
@pytest.mark.parametrize("species", ["human", "mouse"])
def test_a_species_is_told_from_a_wrong_one(species: str, locus: str) -> None:
    wrong = {"human": "mouse", "mouse": "human"}[species]
    for seed in range(5):
        chain = mutated(germline_chain(locus, seed, species=species), 6, seed)
        tokens, columns = encode(hidden(chain, [(20, 30)])), number_chain(chain).columns
        found = nearer_species(tokens, columns, LOCI.index(locus), wrong)
        assert found is not None and found.share > found.stated_share
        assert found.species == species
        assert nearer_species(tokens, columns, LOCI.index(locus), species) is None


def test_little_of_a_chain_tells_no_species() -> None:
    columns = number_chain(HUMAN).columns
    few = encode(hidden(HUMAN, [(LEAST_AHEAD - 1, len(HUMAN))]))
    assert nearer_species(few, columns, 0, "mouse") is None
    assert nearer_species(encode("X" * len(HUMAN)), columns, 0, "mouse") is None
    assert nearer_species(encode(HUMAN), columns, -1, "mouse") is None


def test_a_library_tells_the_species_that_it_is_restricted_to() -> None:
    assert stated_species(of_species(LIBRARY, "auto")) == ""
    assert [stated_species(of_species(LIBRARY, name)) for name in SPECIES] == [*SPECIES]


def test_gaps_are_named_if_the_stated_species_is_wrong(caplog: pytest.LogCaptureFixture) -> None:
    assert statuses(HUMAN, "auto", (10, 20), (70, 75)) == ["filled", "filled"]
    assert statuses(HUMAN, "human", (10, 20)) == ["filled"]
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        (status,) = statuses(HUMAN, "mouse", (10, 20))
    assert status == f"filled ({NEARER} human than of mouse)"
    (message,) = (record.getMessage() for record in caplog.records)
    assert message.startswith("'m' has") and message.endswith("set 'species' of its sample to auto")
    # Of a locus of which the species has no germline, those of all species are templates.
    assert statuses(germline_chain("K", 1), "alpaca", (10, 20)) == ["filled"]


def test_the_second_v_domain_counts_too() -> None:
    tandem = germline_chain("H", 1) + "GGGGSGGGGSGGGGS" + germline_chain("K", 1, species="mouse")
    assert statuses(tandem, "auto", (10, 20)) == ["filled"]
    assert NEARER in statuses(tandem, "human", (10, 20))[0]


# --- chains that are far from germline -----------------------------------------------------------


def test_gaps_of_a_chain_far_from_germline_are_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert statuses(FOREIGN, "auto", (40, 50)) == [f"filled ({FAR})"]
    (message,) = (record.getMessage() for record in caplog.records)
    assert "1 chain is far from the germlines" in message and "give homologs" in message
    changed = HUMAN + mutated(constant_region("H"), 60, 1)
    inside = len(HUMAN) + 40, len(HUMAN) + 50
    assert statuses(changed, "auto", inside) == [f"filled ({FAR})"]
    assert statuses(HUMAN + constant_region("H"), "auto", inside) == ["filled"]


def test_a_homolog_brings_a_chain_near() -> None:
    relative = index_homologs([mutated(FOREIGN, 8, 1)])
    gap = scaffold(FOREIGN, (40, 50))
    alone, helped = (
        bundled.reader(homologs).encoder.encode([gap]) for homologs in (None, relative)
    )
    far = [is_far(of_targets(kmers)[1], kmers.target_v())[:, V].all() for kmers in (alone, helped)]
    assert far == [True, False]
    assert (temperatures_of_far(alone) > 1.1).all()
    assert (temperatures_of_far(helped) == 1.0).all()


def test_the_network_is_less_sure_of_a_chain_far_from_germline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kmers = bundled.reader().encoder.encode(
        [scaffold(FOREIGN, (30, 50)), scaffold(HUMAN, (30, 50))]
    )
    loaded = bundled.predictor()

    def read() -> np.ndarray:
        return predict(loaded.model, kmers, loaded.library, torch.device("cpu"))

    calm = read()
    monkeypatch.setattr(nearness, "HOTTEST_TEMPERATURES", np.ones(2))
    sure = read()
    np.testing.assert_array_equal(calm.argmax(1), sure.argmax(1))
    assert calm[:20].max(1).mean() < sure[:20].max(1).mean() - 0.03
    np.testing.assert_array_equal(calm[20:], sure[20:])


def test_the_network_is_less_sure_of_species_that_are_not_in_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the large network, which has not seen them either, is not asked."""
    chains = [germline_chain("H", 3, species=species) for species in ("dog", "human")]
    kmers = bundled.reader().encoder.encode([scaffold(chain, (30, 50)) for chain in chains])
    assert [SPECIES[v_segments().species[v]] for v in kmers.chain_v.tolist()] == ["dog", "human"]
    loaded = bundled.predictor()

    def read() -> np.ndarray:
        return predict(loaded.model, kmers, loaded.library, torch.device("cpu"))

    calm = read()
    monkeypatch.setattr("lacuna.network.predict.UNSEEN_TEMPERATURE", 1.0)
    sure = read()
    assert calm[:20].max(1).mean() < sure[:20].max(1).mean() - 0.02
    np.testing.assert_array_equal(calm[20:], sure[20:])
    assert (share_of_large(kmers.target_v(), loaded.model.temperatures) > 0).tolist() == (
        20 * [False] + 20 * [True]
    )


def test_the_network_is_less_sure_of_a_domain_that_is_hardly_observed() -> None:
    """By how little of it is observed, twice as much in a VHH; not in a constant region or a mouse
    chain."""
    heavy, vhh, mouse = (germline_chain("H", 3, species=s) for s in ("human", "alpaca", "mouse"))
    gaps = [(30, 100)], [(45, 115)], [(45, 65)]
    chains = [scaffold(heavy, *of) for of in gaps]
    chains += [scaffold(vhh, (45, 115)), scaffold(mouse, (45, 115))]
    whole, end = heavy + constant_region("H"), len(heavy)
    chains.append(scaffold(whole, (10, end - 10), (end + 20, end + 40)))
    kmers = bundled.reader().encoder.encode(chains)
    at, found = kmers.at(), temperatures_of_sparse(kmers)
    *equal, with_constant = (found[at.chain == i] for i in range(len(chains)))
    assert all(len(set(of)) == 1 for of in equal)
    half, hardly, most, of_vhh, of_mouse = (float(of[0]) for of in equal)
    assert 1 < half < 1.1 and most == of_mouse == 1
    assert 1.05 < hardly < 1 + nearness.HOTTER_UNOBSERVED
    assert of_vhh - 1 == pytest.approx(2 * (hardly - 1), rel=0.2)
    assert (with_constant[-20:] == 1).all() and with_constant[0] > hardly
    loaded = bundled.predictor()
    calm, sure = (
        predict(loaded.model, kmers, loaded.library, torch.device("cpu"), sparse=sparse)
        for sparse in (True, False)
    )
    mine = found > 1
    np.testing.assert_array_equal(calm[~mine], sure[~mine])
    np.testing.assert_array_equal(calm.argmax(1), sure.argmax(1))
    assert calm[mine].max(1).mean() < sure[mine].max(1).mean() - 0.02


def test_a_share_of_few_residues_is_near_the_usual_one() -> None:
    shares = usual_share(np.array((0, 30)), np.array((0, 60)))
    np.testing.assert_allclose(shares, (nearness.USUAL_SHARES[V], 50 / 80))
    far = is_far(np.array([(0.70, 1.0), (0.70, 1.0), (0.9, 0.9)]), np.array((-1, ALPACA, -1)))
    assert far.tolist() == [[True, False], [False, False], [False, True]]
    assert C == 1


ALPACA = int(np.flatnonzero(v_segments().species == SPECIES.index("alpaca"))[0])


def test_the_summary_counts_such_gaps(tmp_path: Path) -> None:
    notes = (f"{NEARER} human than of mouse", FAR, "no template")
    rows = [
        row_of(GAP_TABLE, chain="a", gap=i, rank=1, candidate="AAA", status=f"filled ({x})")
        for i, x in enumerate(notes)
    ]
    gaps, alkylation = tmp_path / "gaps.tsv", tmp_path / "alkylation.json"
    GAP_TABLE.write(gaps, rows)
    Alkylation(((NONE, 1.0),), "stated").write(alkylation)
    note = mass_note(alkylation, gaps)
    assert note.startswith("; WARNING: 1 gap of chains of another species than the one stated (set")
    assert "1 gap of chains that are far from every germline (give homologs), see" in note
