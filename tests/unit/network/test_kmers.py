"""k-mers of missing residues: where they are cut, and that chains do not affect each other."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

import bundled
from chains import constant_region, germline_chain, mutated, random_protein
from gaps import scaffold
from lacuna.antibody.germlines import LOCI, SPECIES, constants, v_segments
from lacuna.antibody.imgt import CONSTANT, CYS104, regions_of
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import ABSENT, ALLOWED, MISSING, N_RESIDUES, RESIDUES, TOKEN, encode
from lacuna.core.files import LacunaError
from lacuna.network.encode import (
    SEARCH_BATCH,
    central_windows,
    constant_templates,
    encode_scaffolds,
    window_starts,
)
from lacuna.network.kmers import KmerSet, read_kmers, write_kmers
from lacuna.network.model import GapNetwork
from lacuna.network.predict import predict
from lacuna.scaffolds.scaffold import Gap, PositionEvidence, Scaffold
from lacuna.templates.homologs import Homologs, index_homologs
from lacuna.templates.library import load_library, of_species
from lacuna.templates.nearest import N_GERMLINE, N_SLOTS, Library, unpack_frequencies

WEIGHTS = Path(__file__).parents[3] / "resources" / "weights" / "open"
CPU = torch.device("cpu")

Tensors = Callable[[dict[str, Tensor]], dict[str, Tensor]]


@pytest.fixture(scope="module")
def model() -> GapNetwork:
    return bundled.predictor().model


def single_chain_fv(*spans: tuple[int, int]) -> Scaffold:
    """V domains of 119 (heavy) and 110 (kappa) residues with a linker of 15 between them."""
    return scaffold(germline_chain("H", 1) + "GGGGS" * 3 + germline_chain("K", 2), *spans)


def mixed_chains() -> list[Scaffold]:
    """More chains of one padded length than are searched together, and other chains."""
    chains = [
        scaffold(germline_chain("HKL"[i % 3], i, constant=i % 10 == 0), (20 + i, 26 + i))
        for i in range(SEARCH_BATCH + 4)
    ]
    chains += [
        single_chain_fv((30, 40), (117, 125), (180, 190)),
        scaffold(random_protein(90, 1), (4, 8), (80, 90)),
        scaffold(germline_chain("H", 50)),
        scaffold("ACDEFGHIKLMNPQ", (0, 14)),
        scaffold("W" * 3, (1, 2)),
        scaffold(germline_chain("L", 51, constant=True), (0, 5), (108, 122), (180, 200)),
    ]
    return [replace(chain, chain=f"m{i}") for i, chain in enumerate(chains)]


def per_chain(
    kmers: KmerSet, probabilities: np.ndarray, chains: Sequence[Scaffold]
) -> list[object]:
    """All that a KmerSet holds for each chain, as bytes, independent of the other chains."""
    targets = kmers.targets.numpy()
    profile = kmers.homolog_profile if len(kmers.homolog_profile) else kmers.tokens[:, :0]
    told, end = [], 0
    for i, chain in enumerate(chains):
        rows = np.flatnonzero(targets[:, 2] == i)
        mine = targets[rows]
        windows = np.unique(mine[:, 0])
        start, end = end, end + len(chain.sequence)
        tensors = [kmers.tokens, kmers.columns, kmers.templates, kmers.v_genes, kmers.j_gene]
        parts = [t[windows.tolist()].numpy().tobytes() for t in (*tensors, profile)]
        parts += [np.searchsorted(windows, mine[:, 0]).tobytes(), mine[:, [1, 3]].tobytes()]
        parts += [kmers.chain_columns[start:end].numpy().tobytes(), probabilities[rows].tobytes()]
        parts += [kmers.parts_of_chains()[i], kmers.target_loci()[rows].tolist()]
        of_chain = (kmers.chain_v, kmers.chain_j, kmers.chain_c, kmers.chain_locus)
        told.append((chain.chain, parts, [int(x[i]) for x in of_chain]))
    assert end == len(kmers.chain_columns)
    return told


# --- where windows are cut -----------------------------------------------------------------------

lengths = st.integers(1, 700)
windows = st.integers(2, 150).flatmap(lambda k: st.tuples(st.just(k), st.integers(1, k)))


@given(lengths, windows)
def test_windows_follow_each_other_as_their_positions_do(
    length: int, window: tuple[int, int]
) -> None:
    k, stride = window
    at = central_windows(np.arange(length), window_starts(length, k, stride), k, length)
    assert (np.diff(at) >= 0).all()  # so that targets are in the order of their k-mers


@given(lengths, windows)
def test_windows_cover_the_chain_and_stay_inside_it(length: int, window: tuple[int, int]) -> None:
    k, stride = window
    starts = window_starts(length, k, stride)
    assert starts[0] == 0 and starts == sorted(set(starts))
    assert all(b - a <= stride for a, b in zip(starts, starts[1:], strict=False))
    assert starts[-1] + k == length or (length <= k and starts == [0])


@given(lengths, windows)
def test_a_residue_is_read_where_it_stands_most_centrally(
    length: int, window: tuple[int, int]
) -> None:
    k, stride = window
    starts = window_starts(length, k, stride)
    chosen = central_windows(np.arange(length), starts, k, length)

    def margin(position: int, start: int) -> int:
        """Residues between a position and the nearer cut; an end of the chain is not a cut."""
        left = position - start if start > 0 else length
        right = start + k - 1 - position if start + k < length else length
        return min(left, right)

    for position, start in enumerate(chosen):
        inside = [s for s in starts if s <= position < s + k]
        assert start in inside
        assert margin(position, int(start)) == max(margin(position, s) for s in inside)


def test_with_the_usual_settings_a_residue_has_a_quarter_of_the_window_on_each_side() -> None:
    starts = window_starts(500, 128, 64)
    for position, start in enumerate(central_windows(np.arange(500), starts, 128, 500)):
        assert start == 0 or position - start >= 31
        assert start + 128 >= 500 or start + 127 - position >= 31


# --- what k-mers hold ----------------------------------------------------------------------------


def test_kmers_hold_what_stands_around_each_missing_residue(library: Library) -> None:
    chain = scaffold(germline_chain("H", 1, constant=True), (0, 3), (95, 105), (300, 301))
    kmers = encode_scaffolds([chain], library, k=64, stride=32)
    tokens = encode(chain.sequence)
    assert kmers.targets[:, 3].tolist() == [0, 1, 2, *range(95, 105), 300]
    for row, place, index, position in kmers.targets.tolist():
        assert index == 0
        start = position - place
        np.testing.assert_array_equal(kmers.tokens[row], tokens[start : start + 64])
        np.testing.assert_array_equal(kmers.columns[row], kmers.chain_columns[start : start + 64])
        assert kmers.tokens[row, place] == MISSING
    assert sorted(set(kmers.targets[:, 0].tolist())) == list(range(len(kmers.tokens)))


def test_what_lies_beyond_a_short_chain_is_absent(library: Library) -> None:
    chain = germline_chain("K", 2)
    kmers = encode_scaffolds([scaffold(chain, (5, 9))], library, k=256, stride=64)
    beyond = len(chain)
    assert (kmers.tokens[0, beyond:] == ABSENT).all()
    assert (kmers.columns[0, beyond:] == 0).all()
    assert (kmers.templates[0, :, beyond:] == ABSENT).all()
    assert (kmers.tokens[0, :beyond] != ABSENT).all()


@pytest.mark.parametrize("locus", LOCI)
def test_the_germline_under_a_gap_is_that_of_the_chain(library: Library, locus: str) -> None:
    whole = germline_chain(locus, 3)
    kmers = encode_scaffolds([scaffold(whole, (36, 46))], library)
    under = kmers.templates[kmers.targets[:, 0], :, kmers.targets[:, 1]].numpy()
    alike = [RESIDUES[t] == r for t, r in zip(under[:, 0], whole[36:46], strict=True)]
    assert sum(alike) >= 9  # an allele may differ in the hidden residues
    assert int(kmers.chain_locus[0]) == LOCI.index(locus)


@pytest.mark.parametrize("locus", LOCI)
def test_a_gap_in_a_constant_region_lies_over_constant_regions(
    library: Library, locus: str
) -> None:
    whole = germline_chain(locus, 4, constant=True)
    start = len(whole) - 40
    kmers = encode_scaffolds([scaffold(whole, (start, start + 12))], library)
    at = kmers.targets
    assert (kmers.columns[at[:, 0], at[:, 1]] == CONSTANT).all()
    under = kmers.templates[at[:, 0], :, at[:, 1]].numpy()
    assert "".join(RESIDUES[t] for t in under[:, 0]) == whole[start : start + 12]
    nearest = constants()[int(kmers.chain_c[0])]
    assert nearest.locus == locus and nearest.sequence == constant_region(locus)


def test_a_constant_region_alone_is_recognised(library: Library) -> None:
    whole = constant_region("H")
    kmers = encode_scaffolds([scaffold(whole, (100, 110))], library)
    under = kmers.templates[kmers.targets[:, 0], 0, kmers.targets[:, 1]]
    assert "".join(RESIDUES[t] for t in under) == whole[100:110]
    assert int(kmers.chain_v[0]) == -1


@given(st.data())
def test_templates_of_any_fragment_of_a_constant_region_lie_where_they_overlap(
    data: st.DataObject,
) -> None:
    """Even if others of its locus end before the rest of the region begins."""
    region = data.draw(st.sampled_from(constants())).sequence
    first = data.draw(st.integers(0, len(region) - 1))
    fragment = region[first : first + data.draw(st.integers(1, len(region)))]
    numbering = number_chain(fragment)
    rows, nearest = constant_templates(numbering, encode(fragment))
    assert rows.shape == (N_GERMLINE, len(fragment))
    assert (nearest >= 0) == (numbering.constant is not None) == (rows != ABSENT).any()


def test_a_human_igg4_fc_does_not_stop_its_block(library: Library) -> None:
    region = next(c.sequence for c in constants() if c.name.startswith("IGHG4"))
    fc = region[-220:]
    others = scaffold(germline_chain("H", 1), (0, 3))
    kmers = encode_scaffolds([others, scaffold(fc, (100, 110)), others], library)
    under = kmers.templates[kmers.targets[:, 0], 0, kmers.targets[:, 1]]
    assert "".join(RESIDUES[t] for t in under[3:13]) == fc[100:110]


def test_a_chain_of_20000_residues_is_read_in_windows_around_its_gaps(
    library: Library, model: GapNetwork
) -> None:
    whole = random_protein(20_000, 1)
    spans = ((0, 4), (9_990, 10_010), (19_999, 20_000))
    kmers = encode_scaffolds([scaffold(whole, *spans)], library)
    assert kmers.targets[:, 3].tolist() == [p for a, b in spans for p in range(a, b)]
    assert kmers.tokens.shape[1] == 128 and len(kmers.tokens) <= 4
    assert kmers.chain_columns.shape == (20_000,)
    chances = predict(model, kmers, library, CPU)
    np.testing.assert_allclose(chances.sum(1), 1.0)


def test_a_domain_deep_in_a_long_chain_is_found(library: Library) -> None:
    domain = germline_chain("H", 5)
    whole = random_protein(3_000, 2) + domain + random_protein(3_000, 3)
    kmers = encode_scaffolds([scaffold(whole, (3_030, 3_060))], library)
    under = kmers.templates[kmers.targets[:, 0], 0, kmers.targets[:, 1]]
    assert "".join(RESIDUES[t] for t in under) == domain[30:60]


def test_each_domain_of_a_single_chain_fv_has_templates_of_its_own(library: Library) -> None:
    chain = single_chain_fv((30, 40), (180, 190))
    kmers = encode_scaffolds([scaffold(germline_chain("L", 1), (0, 2)), chain], library)
    whole = germline_chain("H", 1) + "GGGGS" * 3 + germline_chain("K", 2)
    under = kmers.templates[kmers.targets[2:, 0], 0, kmers.targets[2:, 1]]
    alike = [RESIDUES[t] == whole[p] for t, p in zip(under, kmers.targets[2:, 3], strict=True)]
    assert sum(alike) >= 18
    assert kmers.targets[2:, 2].tolist() == [1] * 20
    of_lambda, (heavy, kappa) = kmers.parts_of_chains()
    assert len(of_lambda) == 1
    assert (heavy.start, LOCI[heavy.locus]) == (0, "H")
    assert (kappa.start, LOCI[kappa.locus]) == (119, "K")
    assert (int(kmers.chain_v[1]), int(kmers.chain_locus[1])) == (heavy.v, heavy.locus)
    assert [LOCI[i] for i in kmers.target_loci()] == ["L"] * 2 + ["H"] * 10 + ["K"] * 10
    alone = encode_scaffolds([scaffold(germline_chain("K", 2), (46, 56))], library)
    assert int(alone.chain_v[0]) == kappa.v


def test_a_homolog_with_two_domains_lends_both(library: Library) -> None:
    whole = germline_chain("H", 1) + "GGGGS" * 3 + germline_chain("K", 2)
    found = index_homologs([mutated(whole, 20, 1)])
    assert found is not None and len(found.sequences) == 2
    for domain, span in ((whole[:119], (30, 40)), (whole[134:], (46, 56))):
        kmers = encode_scaffolds([scaffold(domain, span)], library, found)
        under = kmers.templates[kmers.targets[:, 0], N_GERMLINE, kmers.targets[:, 1]]
        same = [RESIDUES[t] == r for t, r in zip(under, domain[slice(*span)], strict=True)]
        assert sum(same) >= 7


def test_a_chain_with_nothing_missing_asks_nothing_and_is_still_described(library: Library) -> None:
    kmers = encode_scaffolds([scaffold(germline_chain("L", 6))], library)
    assert kmers.tokens.shape == (0, 128) and kmers.targets.shape == (0, 4)
    assert int(kmers.chain_v[0]) >= 0 and int(kmers.chain_locus[0]) == LOCI.index("L")


def test_a_chain_with_nothing_observed_asks_nothing(library: Library, model: GapNetwork) -> None:
    chains = [scaffold("A" * 30, (0, 30)), Scaffold("b", "", "XBJZ", (Gap(0, 4, 4, 4),), 1)]
    kmers = encode_scaffolds(chains, library)
    assert kmers.tokens.shape == (0, 128) and kmers.targets.shape == (0, 4)
    assert kmers.chain_v.tolist() == kmers.chain_locus.tolist() == [-1, -1]
    assert predict(model, kmers, library, CPU).shape == (0, N_RESIDUES)
    # What is settled without the network is something to answer with.
    for settled in (True, False):
        told = PositionEvidence(0, (0.05,) * N_RESIDUES, settled)
        asked = encode_scaffolds([replace(chains[0], evidence=(told,))], library)
        assert len(asked.targets) == (30 if settled else 0)


def test_a_domain_of_which_hardly_a_residue_is_sure_is_numbered_by_what_is_likely(
    library: Library,
) -> None:
    whole = germline_chain("K", 3, constant=True)
    chain = scaffold(whole, (0, 38), (43, 107))
    hidden = [i for i, letter in enumerate(chain.sequence) if letter == "X"]

    def regions(settled: bool) -> set[str]:
        told = [PositionEvidence(i, weights_of(whole[i]), settled) for i in hidden]
        kmers = encode_scaffolds([replace(chain, evidence=tuple(told))], library)
        return set(regions_of(kmers.chain_columns.numpy()))

    of_domain = {"FR1", "CDR1", "FR2", "CDR2", "FR3"}
    assert not of_domain & regions(settled=False)
    assert of_domain < regions(settled=True)


def weights_of(residue: str) -> tuple[float, ...]:
    return tuple(0.43 if one == residue else 0.03 for one in RESIDUES)


def test_no_chains_give_no_kmers(library: Library, model: GapNetwork) -> None:
    kmers = encode_scaffolds([], library, index_homologs([germline_chain("H", 1)]))
    assert len(kmers.tokens) == len(kmers.targets) == len(kmers.chain_v) == 0
    assert predict(model, kmers, library, CPU).shape == (0, N_RESIDUES)


def test_ambiguity_codes_are_asked_and_answered_with_what_they_allow(
    library: Library, model: GapNetwork
) -> None:
    whole = germline_chain("H", 7)
    sequence = "".join({"L": "J", "D": "B", "Q": "Z"}.get(c, c) for c in whole)
    gaps = tuple(Gap(i, i + 1, 1, 1) for i, c in enumerate(sequence) if c in "BJZ")
    kmers = encode_scaffolds([Scaffold("m", "", sequence, gaps, 1)], library)
    chances = predict(model, kmers, library, CPU)
    assert len(chances) == len(gaps) > 10
    np.testing.assert_allclose(chances.sum(1), 1.0)
    for gap, row in zip(gaps, chances, strict=True):
        ruled_out = ~ALLOWED[TOKEN[sequence[gap.start]]]
        assert (row[ruled_out] == 0).all() and (row[~ruled_out] > 0).all()


def test_probabilities_of_a_species_have_its_temperature(
    library: Library, model: GapNetwork
) -> None:
    chains = [scaffold(germline_chain("H", 1, species=s), (30, 40)) for s in ("human", "alpaca")]
    kmers = encode_scaffolds([*chains, scaffold(random_protein(90, 1), (40, 45))], library)
    cold, warm = copy.copy(model), copy.copy(model)
    cold.temperatures, warm.temperatures = {}, {"alpaca": 2.0}
    before, after = (predict(m, kmers, library, CPU) for m in (cold, warm))
    alpaca = kmers.at().chain == 1
    assert np.array_equal(before[~alpaca], after[~alpaca])
    root = np.sqrt(before[alpaca])
    np.testing.assert_allclose(after[alpaca], root / root.sum(1, keepdims=True), rtol=1e-4)


# --- independence of other chains ----------------------------------------------------------------


@pytest.fixture(scope="module")
def told(library: Library, model: GapNetwork) -> dict[bool, tuple[list[Scaffold], list[object]]]:
    """The mixed chains in one block, without and with homologs."""
    chains = mixed_chains()
    out = {}
    for with_homologs in (False, True):
        kmers = encode_scaffolds(chains, library, homologs_of() if with_homologs else None)
        out[with_homologs] = chains, per_chain(kmers, predict(model, kmers, library, CPU), chains)
    return out


def homologs_of() -> Homologs | None:
    """Relatives of some of the mixed chains."""
    wholes = [germline_chain("HKL"[i % 3], i, constant=i % 10 == 0) for i in range(0, 30, 2)]
    return index_homologs(
        [*(mutated(w, 12, i) for i, w in enumerate(wholes)), random_protein(88, 1)]
    )


@pytest.mark.parametrize("with_homologs", [False, True])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_is_said_of_a_chain_does_not_depend_on_the_size_of_blocks(
    told: dict, library: Library, model: GapNetwork, size: int, with_homologs: bool
) -> None:
    chains, expected = told[with_homologs]
    homologs = homologs_of() if with_homologs else None
    if size == 1:  # searching for every chain alone takes long
        chains, expected = chains[::4], expected[::4]
    found = []
    for start in range(0, len(chains), size):
        block = chains[start : start + size]
        kmers = encode_scaffolds(block, library, homologs)
        found += per_chain(kmers, predict(model, kmers, library, CPU), block)
    assert found == expected


def test_what_is_said_of_a_chain_does_not_depend_on_the_order(
    told: dict, library: Library, model: GapNetwork
) -> None:
    chains, expected = told[False]
    order = np.random.default_rng(1).permutation(len(chains)).tolist()
    shuffled = [chains[i] for i in order]
    kmers = encode_scaffolds(shuffled, library)
    found = per_chain(kmers, predict(model, kmers, library, CPU), shuffled)
    assert found == [expected[i] for i in order]


def test_truth_is_never_seen(library: Library) -> None:
    whole = germline_chain("H", 8)
    shown = scaffold(whole, (20, 40), truth=True)
    unknown = scaffold(whole, (20, 40))
    other = replace(shown, gaps=(replace(shown.gaps[0], truth="W" * 20),))
    nothing = np.empty((20, 0))
    tables = [
        per_chain(encode_scaffolds([c], library), nothing, [c]) for c in (shown, unknown, other)
    ]
    assert tables[0] == tables[1] == tables[2]


# --- homologs, species, files --------------------------------------------------------------------


def test_a_homolog_as_alike_as_the_limit_is_left_out_where_accuracy_is_reported(
    library: Library,
) -> None:
    whole = germline_chain("H", 9)
    observed = len(whole) - 20
    alike = whole[:40] + mutated(whole[40:], observed // 10, 2)
    share = 1 - (observed // 10) / observed  # of observed residues

    def seen(homolog: str, truth: bool, max_identity: float) -> bool:
        chain = scaffold(whole, (20, 40), truth=truth)
        kmers = encode_scaffolds(
            [chain], library, index_homologs([homolog]), max_identity=max_identity
        )
        return bool((kmers.templates[:, N_GERMLINE] != ABSENT).any())

    assert seen(whole, truth=False, max_identity=0.95)
    assert not seen(whole, truth=True, max_identity=0.95)
    assert not seen(whole, truth=True, max_identity=1.0)  # the target itself, at any setting
    assert seen(alike, truth=True, max_identity=share + 0.02)
    assert not seen(alike, truth=True, max_identity=share - 0.02)
    assert seen(alike, truth=False, max_identity=share - 0.02)


def test_species_restricts_the_germlines(library: Library) -> None:
    chain = scaffold(germline_chain("H", 10), (20, 30))
    v = v_segments()
    of_heavy = {SPECIES[int(i)] for i in v.species[v.locus == LOCI.index("H")]}
    for species in of_heavy:
        kmers = encode_scaffolds([chain], of_species(library, species))
        assert v.species[int(kmers.chain_v[0])] == SPECIES.index(species)
    assert of_species(library, "auto") is library


@pytest.mark.parametrize(("species", "locus"), [("alpaca", "K"), ("cat", "H"), ("horse", "L")])
def test_of_a_locus_that_a_species_lacks_the_germlines_of_all_are_there(
    library: Library, species: str, locus: str
) -> None:
    chain = scaffold(germline_chain(locus, 1, species="human"), (20, 30))
    restricted, every = (
        encode_scaffolds([chain], of_species(library, name)) for name in (species, "auto")
    )
    assert restricted.chain_v.item() == every.chain_v.item() >= 0
    assert restricted.chain_j.item() == every.chain_j.item() >= 0


def test_kmers_come_back_from_their_file(library: Library, tmp_path: Path) -> None:
    homologs = index_homologs([mutated(germline_chain("H", 0), 10, 1)])
    kmers = encode_scaffolds(mixed_chains()[:6], library, homologs)
    write_kmers(tmp_path / "kmers.safetensors", kmers)
    back = read_kmers(tmp_path / "kmers.safetensors")
    for name in KmerSet.__dataclass_fields__:
        assert torch.equal(getattr(back, name), getattr(kmers, name)), name


@pytest.mark.parametrize("with_homologs", [False, True])
def test_batches_hold_every_kmer_and_are_padded_to_one_size(
    library: Library, with_homologs: bool
) -> None:
    homologs = index_homologs([mutated(germline_chain("H", 0), 10, 1)]) if with_homologs else None
    kmers = encode_scaffolds(mixed_chains()[:10], library, homologs)
    n = len(kmers.tokens)
    seen = 0
    for rows, batch in kmers.batches(4, library):
        count = len(rows)
        assert batch.tokens.shape == (4, 128) and batch.templates.shape == (4, N_SLOTS, 128)
        assert batch.profiles.shape == (4, 128, 3 * N_RESIDUES)
        assert torch.equal(batch.tokens[:count], kmers.tokens[rows])
        assert (batch.tokens[count:] == ABSENT).all()
        by_homologs = batch.profiles[:count, :, 2 * N_RESIDUES :]
        if with_homologs:
            assert torch.equal(by_homologs, unpack_frequencies(kmers.homolog_profile[rows]))
        else:
            assert (by_homologs == 0).all()
        seen += count
    assert seen == n and n % 4


def test_a_library_of_other_germlines_is_refused(tmp_path: Path) -> None:
    tensors = load_file(str(WEIGHTS / "library.safetensors"))
    tensors["v"][0, CYS104] = TOKEN["W"]
    save_file(tensors, tmp_path / "library.safetensors")
    with pytest.raises(LacunaError, match="other V segments"):
        load_library(tmp_path / "library.safetensors")


def test_segments_that_a_library_lacks_are_added_with_their_own_residues(tmp_path: Path) -> None:
    tensors = load_file(str(WEIGHTS / "library.safetensors"))
    library, v = load_library(WEIGHTS / "library.safetensors"), v_segments()
    n, genes = len(tensors["v"]), len(tensors["v_profile"])
    assert n < len(v.names) == len(library.v) and genes < len(v.genes) == len(library.v_profile)
    for name in ("v", "v_locus", "v_gene", "v_prior", "v_profile"):
        assert torch.equal(getattr(library, name)[: len(tensors[name])], tensors[name]), name
    assert not library.v_prior[n:].any()
    cow = next(i for i, gene in enumerate(v.genes) if gene[0] == "cow")
    (row, *_) = np.flatnonzero(v.gene == cow)
    of_cys = unpack_frequencies(library.v_profile[cow, CYS104])
    assert of_cys.argmax() == v.tokens[row, CYS104] and of_cys.max() > 0.99
    # A whole library, as training makes one, is as it is.
    path = tmp_path / "library.safetensors"
    save_file({f.name: getattr(library, f.name).contiguous() for f in fields(library)}, path)
    again = load_library(path)
    assert all(torch.equal(getattr(again, f.name), getattr(library, f.name)) for f in fields(again))


def set_value(name: str, at: int | tuple[int, ...], value: float) -> Tensors:
    def changed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        tensors[name][at] = value
        return tensors

    return changed


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (set_value("v_prior", 3, float("nan")), "v_prior holds values that are not finite"),
        (set_value("j_prior", 0, float("inf")), "j_prior holds values that are not finite"),
        (set_value("v_gene", 7, 1155), "other V segments than resources/germlines (v_gene)"),
        (set_value("j_gene", 7, -5), "other J segments than resources/germlines (j_gene)"),
        (set_value("v_locus", 0, 9), "other V segments than resources/germlines (v_locus)"),
        (set_value("v_profile", (4, 0, 3), 1), "a profile has frequencies outside its columns"),
        (lambda t: t | {"v_prior": t["v_prior"].double()}, "v_prior is float64 of 1600, not "),
        (lambda t: t | {"v_gene": t["v_gene"].int()}, "v_gene is int32 of 1600, not int64 of "),
        (lambda t: t | {"v": t["v"][:-1].clone()}, "v_locus is int64 of 1600, not int64 of 1599"),
        (lambda t: t | {"j_prior": torch.zeros(102, 1)}, "j_prior is float32 of 102 x 1, not "),
        (lambda t: t | {"v_profile": torch.zeros(0, 129, 20, dtype=torch.uint8)}, "of 0 x 129 "),
        (lambda t: t | {"x\x1b[2J" * 99: torch.zeros(1)}, "it has 'x\\x1b[2Jx\\x1b"),
    ],
)
def test_a_library_of_wrong_shapes_types_or_values_is_refused(
    tmp_path: Path, change: Tensors, fault: str
) -> None:
    tensors = load_file(str(WEIGHTS / "library.safetensors"))
    path = tmp_path / "library.safetensors"
    save_file(change(tensors), path)
    with pytest.raises(LacunaError) as error:
        load_library(path)
    said = str(error.value)
    assert said.startswith(f"{path}: ") and fault in said and said.isprintable()
    remedies = ("make both anew with the pretrain target", "that was made with the weights")
    assert said.endswith(remedies)


def test_a_file_that_is_no_library_is_named_with_fault_and_remedy(tmp_path: Path) -> None:
    whole = (WEIGHTS / "library.safetensors").read_bytes()
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    other = tmp_path / "other.txt"
    other.write_text("block_size: 3\n" * 20)
    part = tmp_path / "part.safetensors"
    save_file({"v": torch.zeros(1), "j": torch.zeros(1)}, part)
    for path, words in (
        (damaged, "damaged (its digest does not fit its content)"),
        (other, "damaged or not a safetensors file ("),
        (part, "not a germline library (it lacks v_locus, v_gene, "),
        (WEIGHTS / "lacuna.safetensors", "not a germline library (it lacks v, v_locus, "),
    ):
        with pytest.raises(LacunaError) as error:
            load_library(path)
        said = str(error.value)
        assert said.startswith(f"{path}: {words}") and "\n" not in said
        assert said.endswith("; give the library that was made with the weights")
    with pytest.raises(LacunaError, match="is a folder; name a file$"):
        load_library(tmp_path)
