"""Templates: products of one-hot matrices compared with counting, and their limits."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lacuna.antibody.germlines import LOCI, j_segments, v_segments
from lacuna.antibody.imgt import N_CODES, N_IMGT, OTHER_INSERTION
from lacuna.core.alphabet import ABSENT, ALLOWED, MISSING, N_RESIDUES, N_TOKENS, TOKEN, encode
from lacuna.templates.nearest import (
    N_GERMLINE,
    GermlineChoice,
    Library,
    chain_grid,
    choose_by_locus,
    choose_germlines,
    choose_homologs,
    germline_profiles,
    germline_tokens,
    homolog_profile,
    homolog_tokens,
    of_locus,
    one_hot_templates,
    pack_frequencies,
    unpack_frequencies,
)

SEEDS = st.integers(0, 2**31)


def random_grids(n: int, rng: np.random.Generator, tokens: int = N_TOKENS) -> Tensor:
    grids = rng.integers(0, tokens, (n, N_CODES)).astype(np.uint8)
    grids[rng.random(grids.shape) < 0.3] = ABSENT
    return torch.from_numpy(grids)


def random_library(rng: np.random.Generator, n_v: int = 12, n_j: int = 6) -> Library:
    def genes(n: int) -> Tensor:
        return torch.from_numpy(np.sort(rng.integers(0, n // 2 + 1, n)))

    def profile(n: int) -> Tensor:
        return torch.from_numpy(rng.integers(0, 256, (n, N_IMGT + 1, N_RESIDUES)).astype(np.uint8))

    return Library(
        v=random_grids(n_v, rng, N_RESIDUES),
        v_locus=torch.zeros(n_v, dtype=torch.long),
        v_gene=genes(n_v),
        v_prior=torch.from_numpy(rng.random(n_v)).float(),
        j=random_grids(n_j, rng, N_RESIDUES),
        j_locus=torch.zeros(n_j, dtype=torch.long),
        j_gene=genes(n_j),
        j_prior=torch.from_numpy(rng.random(n_j)).float(),
        v_profile=profile(n_v),
        j_profile=profile(n_j),
    )


def fits(token: int, template: int, column: int) -> bool:
    """Whether a chain's token on a column is evidence for a template's token."""
    if token == MISSING:
        return False
    if token == ABSENT:
        return template == ABSENT and column <= 104
    return template < N_RESIDUES and bool(ALLOWED[token, template])


def matches(grid: Tensor, template: Tensor, columns: range) -> int:
    return sum(fits(int(grid[c]), int(template[c]), c) for c in columns)


@settings(max_examples=20)
@given(SEEDS)
def test_neither_type_nor_company_changes_what_is_chosen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    library, grid = random_library(rng, 40, 12), random_grids(9, rng)
    locus = torch.zeros(9, dtype=torch.long)
    chosen = []
    for dtype, rows in ((torch.float32, 9), (torch.bfloat16, 9), (torch.bfloat16, 1)):
        one_hots = one_hot_templates(library.v, dtype), one_hot_templates(library.j, dtype)
        choice = choose_germlines(grid[:rows], locus[:rows], library, *one_hots)
        chosen.append((choice.v[0].tolist(), choice.j[0].tolist()))
    assert chosen[0] == chosen[1] == chosen[2]


@settings(max_examples=20)
@given(SEEDS)
def test_the_nearest_segments_are_those_that_counting_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    library, grid = random_library(rng), random_grids(3, rng)
    one_hots = one_hot_templates(library.v), one_hot_templates(library.j)
    choice = choose_germlines(grid, torch.zeros(3, dtype=torch.long), library, *one_hots)
    cdrs = [*range(27, 39), *range(55, 67)]
    for i in range(3):
        domain = [matches(grid[i], v, range(1, 109)) for v in library.v]
        in_cdrs = [sum(fits(int(grid[i, c]), int(v[c]), c) for c in cdrs) for v in library.v]
        both = [c + 0.05 * (d - c) for c, d in zip(in_cdrs, domain, strict=True)]
        joining = [matches(grid[i], j, range(110, N_IMGT + 1)) for j in library.j]
        for score, prior, gene, chosen in (
            (domain, library.v_prior, library.v_gene, choice.v[i, :3]),
            (both, library.v_prior, library.v_gene, choice.v[i, 3:]),
            (joining, library.j_prior, library.j_gene, choice.j[i, :2]),
        ):
            total = torch.tensor(score) + prior
            best = {int(g): float(total[gene == g].max()) for g in gene.unique()}
            expected = sorted(best.values(), reverse=True)[: len(chosen)]
            found = [float(total[row]) for row in chosen[: len(expected)]]
            assert found == pytest.approx(expected, abs=1e-4)
            assert len({int(gene[row]) for row in chosen[: len(expected)]}) == len(expected)
    assert torch.equal(choice.v_genes, library.v_gene[choice.v[:, [0, 3]]])


@given(SEEDS)
def test_other_loci_and_hidden_genes_are_never_chosen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    library, grid = random_library(rng), random_grids(4, rng)
    library.v_locus[::2] = 1
    library.j_locus[::2] = 1
    one_hots = one_hot_templates(library.v), one_hot_templates(library.j)
    locus = torch.tensor([0, 1, -1, 1])
    open_choice = choose_germlines(grid, locus, library, *one_hots)
    hidden = choose_germlines(
        grid, locus, library, *one_hots, skip_best=torch.tensor([True, True, True, False])
    )
    for choice in (open_choice, hidden):
        assert (choice.v[2] < 0).all() and (choice.j[2] < 0).all() and choice.j_gene[2] < 0
        assert (choice.v_genes[2] < 0).all()
        first = choice.v[[0, 1, 3], 0]
        assert torch.equal(library.v_locus[first], locus[[0, 1, 3]])
    assert (open_choice.v_genes[:2, 0] != hidden.v_genes[:2, 0]).all()
    assert torch.equal(open_choice.v[3], hidden.v[3])


@given(SEEDS, st.sampled_from([torch.float32, torch.bfloat16]))
def test_a_search_of_the_own_locus_alone_chooses_as_one_of_all(
    seed: int, dtype: torch.dtype
) -> None:
    """Even if a locus has no segments, or fewer genes than slots."""
    rng = np.random.default_rng(seed)
    library, grid = random_library(rng, 20, 8), random_grids(9, rng)
    library.v_locus[:] = torch.from_numpy(rng.choice([-2, 0, 0, 0, 1], 20))
    library.j_locus[:] = torch.from_numpy(rng.choice([-2, 0, 0, 0, 1], 8))
    locus = torch.from_numpy(rng.integers(-1, len(LOCI), 9))
    one_hots = one_hot_templates(library.v, dtype), one_hot_templates(library.j, dtype)
    of_all = choose_germlines(grid, locus, library, *one_hots)
    parts = {i: of_locus(library, i, dtype) for i in range(len(LOCI))}
    of_own = choose_by_locus(grid, locus, parts)
    for name in GermlineChoice.__dataclass_fields__:
        assert torch.equal(getattr(of_own, name), getattr(of_all, name)), name


def test_missing_residues_are_no_evidence() -> None:
    rng = np.random.default_rng(0)
    library = random_library(rng)
    one_hots = one_hot_templates(library.v), one_hot_templates(library.j)
    grid = random_grids(1, rng, N_RESIDUES)
    grid[0, 40:60] = MISSING
    changed = library.v.clone()
    changed[:, 40:60] = random_grids(len(changed), rng, N_RESIDUES)[:, 40:60]
    locus = torch.zeros(1, dtype=torch.long)
    before = choose_germlines(grid, locus, library, *one_hots)
    after = choose_germlines(grid, locus, library, one_hot_templates(changed), one_hots[1])
    assert torch.equal(before.v, after.v)


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.3, 0.6, 0.9, 1.0]))
def test_homologs_are_the_nearest_below_the_limit(seed: int, max_identity: float) -> None:
    rng = np.random.default_rng(seed)
    references = random_grids(20, rng, N_RESIDUES)
    grid = references[:4].clone()
    change = torch.from_numpy(rng.random(grid.shape) < rng.random((4, 1)))
    grid = torch.where(change, random_grids(4, rng, N_RESIDUES), grid)
    grid[:, 30:50] = MISSING
    one_hot = one_hot_templates(references)
    index, identity = choose_homologs(grid, references, one_hot, max_identity, n=5)
    half = choose_homologs(grid, references, one_hot.bfloat16(), max_identity, n=5)
    assert torch.equal(half[1], identity)  # counts are exact in bfloat16
    for i in range(4):
        observed = [c for c in range(1, N_IMGT + 1) if grid[i, c] < N_RESIDUES]
        same = torch.tensor([sum(int(grid[i, c] == r[c]) for c in observed) for r in references])
        both = torch.tensor([sum(int(r[c] < N_RESIDUES) for c in observed) for r in references])
        by_hand = same / len(observed)
        by_hand[same / both > max_identity] = 0.0
        assert identity[i].tolist() == pytest.approx(
            by_hand.sort(descending=True).values[:5].tolist()
        )
        assert by_hand[index[i]].tolist() == pytest.approx(identity[i].tolist())
        assert (identity[i] <= max_identity).all()


def test_the_target_itself_is_no_homolog_even_with_gaps() -> None:
    rng = np.random.default_rng(1)
    references = random_grids(10, rng, N_RESIDUES)
    grid = references[:1].clone()
    grid[0, 100:] = MISSING
    index, identity = choose_homologs(grid, references, one_hot_templates(references), 0.97)
    assert index.shape == (1, 10)
    assert 0 not in index[0][identity[0] > 0].tolist()
    assert choose_homologs(grid, references, one_hot_templates(references), 1.0)[0][0, 0] == 0


@pytest.mark.parametrize("cut", [slice(1, 20), slice(100, None), slice(1, 110)])
def test_a_part_of_the_target_is_no_homolog(cut: slice) -> None:
    rng = np.random.default_rng(1)
    references = random_grids(10, rng, N_RESIDUES)
    grid = references[:1].clone()
    grid[0, 50:60] = MISSING
    references[0, cut] = ABSENT
    index, identity = choose_homologs(grid, references, one_hot_templates(references), 0.97)
    assert 0 not in index[0][identity[0] > 0].tolist()


@settings(max_examples=20)
@given(SEEDS)
def test_homologs_lie_under_their_columns_and_vote_by_identity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    references = random_grids(6, rng, N_RESIDUES)
    columns = torch.from_numpy(rng.integers(0, N_CODES, (2, 15)).astype(np.uint8))
    index = torch.from_numpy(rng.integers(0, 6, (2, 4)))
    identity = torch.from_numpy(rng.random((2, 4)).astype(np.float32))
    identity[:, 3] = 0.0
    tokens = homolog_tokens(index, columns, references)
    profile = homolog_profile(tokens, identity)
    weight = torch.softmax(20 * identity, 1)
    for i in range(2):
        for at, column in enumerate(columns[i].tolist()):
            votes = torch.zeros(N_RESIDUES)
            for slot in range(4):
                token = int(references[index[i, slot], column])
                outside = column == 0 or column >= OTHER_INSERTION
                assert tokens[i, slot, at] == (ABSENT if outside else token)
                if not outside and token < N_RESIDUES and identity[i, slot] > 0:
                    votes[token] += weight[i, slot]
            expected = votes / votes.sum().clamp(min=1e-6)
            torch.testing.assert_close(profile[i, at], expected, atol=1e-5, rtol=1e-4)


def test_a_grid_tells_deletions_from_what_is_not_known() -> None:
    tokens = torch.from_numpy(encode("AXCJD")).unsqueeze(0)
    columns = torch.tensor([[3, 4, 6, 7, 0]], dtype=torch.uint8)
    grid = chain_grid(tokens, columns)[0]
    assert grid[:9].tolist() == [
        *(MISSING, MISSING, MISSING),  # column 0 and those before the chain
        *(TOKEN["A"], MISSING, ABSENT, TOKEN["C"], TOKEN["J"], MISSING),
    ]
    assert (grid[8:] == MISSING).all()


@given(SEEDS)
def test_frequencies_survive_packing(seed: int) -> None:
    frequencies = torch.from_numpy(np.random.default_rng(seed).dirichlet(np.ones(N_RESIDUES), 5))
    back = unpack_frequencies(pack_frequencies(frequencies))
    assert (back - frequencies).abs().max() < 0.005
    assert torch.equal(pack_frequencies(back), pack_frequencies(frequencies))


def bundled() -> Library:
    v, j = v_segments(), j_segments()
    v_tokens, j_tokens = torch.from_numpy(v.tokens), torch.from_numpy(j.tokens)
    return Library(
        *(
            v_tokens,
            torch.from_numpy(v.locus),
            torch.from_numpy(v.gene),
            torch.zeros(len(v_tokens)),
        ),
        *(
            j_tokens,
            torch.from_numpy(j.locus),
            torch.from_numpy(j.gene),
            torch.zeros(len(j_tokens)),
        ),
        torch.zeros(len(v.genes), N_IMGT + 1, N_RESIDUES, dtype=torch.uint8),
        torch.zeros(len(j.genes), N_IMGT + 1, N_RESIDUES, dtype=torch.uint8),
    )


@pytest.mark.parametrize("locus", LOCI)
def test_a_germline_chain_finds_its_own_gene(locus: str) -> None:
    library = bundled()
    rows = torch.nonzero(library.v_locus == LOCI.index(locus))[::9, 0]
    j = library.j[library.j_locus == LOCI.index(locus)][:1]
    grid = library.v[rows].clone()
    grid[:, 110:] = j[:, 110:]
    grid[:, 0] = MISSING
    one_hots = one_hot_templates(library.v), one_hot_templates(library.j)
    choice = choose_germlines(grid, library.v_locus[rows], library, *one_hots)
    found = (library.v[choice.v[:, 0], 1:105] == library.v[rows, 1:105]).all(1)
    assert found.all()
    columns = torch.arange(N_IMGT + 1, dtype=torch.uint8).expand(len(rows), -1)
    tokens = germline_tokens(choice, columns, library)
    assert tokens.shape == (len(rows), N_GERMLINE, N_IMGT + 1)
    assert torch.equal(tokens[:, 0, 1:105], library.v[rows, 1:105])
    assert (tokens[:, :, 0] == ABSENT).all()


def test_no_gene_means_no_tokens_and_no_profile() -> None:
    rng = np.random.default_rng(2)
    library = random_library(rng)
    columns = torch.from_numpy(rng.integers(0, N_CODES, (2, 9)).astype(np.uint8))
    none = torch.full((2, N_GERMLINE), -1)
    choice = GermlineChoice(none, none, none[:, :2], none[:, 0])
    assert (germline_tokens(choice, columns, library) == ABSENT).all()
    assert not germline_profiles(choice.v_genes, choice.j_gene, columns, library).any()
