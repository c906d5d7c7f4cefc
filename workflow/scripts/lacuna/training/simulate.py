"""Training chains made from germline segments, natural CDR3s and grafts.

Natural repertoires contain few chains of some species and no humanised ones, so both kinds are
simulated here, on IMGT columns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lacuna.antibody.germlines import LOCI, SPECIES, cdr3_part, j_segments, v_segments
from lacuna.antibody.imgt import (
    CDR3_START,
    CDR_COLUMNS,
    CHAIN_ORDER,
    FR4_START,
    N_CODES,
    N_IMGT,
    cdr3_codes,
)
from lacuna.core.alphabet import ABSENT, CYSTEINE, N_RESIDUES, TOKEN
from lacuna.core.files import LacunaError
from lacuna.training.chains import Chains, cdr3s

# Residues that a residue is likely to mutate to: mainly those of its chemical class.
_CLASSES = ("AGST", "ILMV", "FWY", "DENQ", "HKR", "C", "P")
_D_LIKE = "GYSDTRAVWNLPIFEQKHMC"  # residues in the middle of CDR3s, the commonest first


def _mutation_table() -> np.ndarray:
    table = np.full((N_RESIDUES, N_RESIDUES), 1.0)
    for group in _CLASSES:
        members = [TOKEN[r] for r in group]
        table[np.ix_(members, members)] = 6.0
    table[:, CYSTEINE] = 0.1
    np.fill_diagonal(table, 0.0)
    return table / table.sum(1, keepdims=True)


_MUTATIONS = _mutation_table()
_CUMULATIVE = _MUTATIONS.cumsum(1)


@dataclass(frozen=True, slots=True)
class Divergence:
    """How far the chains of a species are from the nearest germline V segment.

    a, b: of the beta distribution of the share of framework residues that differ; in_cdrs: how
    many times more often a residue of a CDR does.
    """

    a: float = 1.0
    b: float = 20.0
    in_cdrs: float = 3.0

    def draw(self, rng: np.random.Generator) -> float:
        """The share of framework residues of one chain that are mutated."""
        return float(rng.beta(self.a, self.b))


# Of the framework residues and those of CDR1 and CDR2, .09 and .53 differ in the alpaca chains of
# CoV-AbDab, .08 and .38 in rabbit heavy chains of OAS: immunised animals, whose alleles and gene
# conversions the known segments cover in part. Chains of mouse, rhesus and human have .01 to .05
# and .02 to .16.
_DIVERGENCE = {"alpaca": Divergence(3.0, 30.0, 5.5), "rabbit": Divergence(2.5, 30.0, 5.0)}
_LIKE_MOST = Divergence()


def mutate(
    grid: np.ndarray, rate: float, rng: np.random.Generator, in_cdrs: float = _LIKE_MOST.in_cdrs
) -> np.ndarray:
    """Point mutations in a (N_CODES,) row of tokens, more of them in CDRs.

    rate: probability that a framework residue is mutated; in_cdrs: how many times more often one
    of a CDR is. Empty columns stay empty, occupied ones occupied.
    """
    out = grid.copy()
    chance = np.where(CDR_COLUMNS, rate * in_cdrs, rate)
    hit = np.flatnonzero((out < N_RESIDUES) & (rng.random(N_CODES) < chance))
    draws = rng.random(len(hit))
    out[hit] = (_CUMULATIVE[out[hit]] < draws[:, None]).sum(1).clip(max=N_RESIDUES - 1)
    return out


def recombine(
    species: str, locus: str, rng: np.random.Generator, cdr3_pool: list[np.ndarray]
) -> np.ndarray:
    """A simulated V(D)J chain of a species: (N_CODES,) tokens.

    cdr3_pool: natural CDR3s (token arrays) of the locus; half of the chains get one of them, the
    other half get the ends of V and J joined by random residues.
    """
    v, j = v_segments(), j_segments()
    rows_v = np.flatnonzero((v.species == SPECIES.index(species)) & (v.locus == LOCI.index(locus)))
    at_j = (j.species == SPECIES.index(species)) & (j.locus == LOCI.index(locus))
    rows_j = np.flatnonzero(at_j) if at_j.any() else np.flatnonzero(j.locus == LOCI.index(locus))
    v_row, j_row = v.tokens[rng.choice(rows_v)], j.tokens[rng.choice(rows_j)]
    grid = np.full(N_CODES, ABSENT, dtype=np.uint8)
    grid[1:CDR3_START] = v_row[1:CDR3_START]
    grid[FR4_START : N_IMGT + 1] = j_row[FR4_START : N_IMGT + 1]
    if cdr3_pool and rng.random() < 0.5:
        cdr3 = cdr3_pool[rng.integers(len(cdr3_pool))]
    else:
        left = cdr3_part(v_row)
        right = cdr3_part(j_row)
        left = left[: max(len(left) - rng.integers(0, 3), 0)]
        right = right[rng.integers(0, min(len(right), 5) + 1) :]
        n = int(rng.integers(0, 9)) if locus == "H" else int(rng.integers(0, 2))
        weights = 1.0 / np.arange(2, len(_D_LIKE) + 2)
        middle = rng.choice([TOKEN[r] for r in _D_LIKE], n, p=weights / weights.sum())
        cdr3 = np.concatenate((left, middle, right)).astype(np.uint8)
    grid[cdr3_codes(len(cdr3))] = cdr3
    return grid


def graft(
    acceptor: np.ndarray, donor: np.ndarray, rng: np.random.Generator, back: float
) -> np.ndarray:
    """The donor's CDRs on the acceptor's frameworks: (N_CODES,) tokens.

    acceptor, donor: (N_CODES,) tokens; back: share of the differing framework residues that stay
    the donor's (back mutations). The ends of CDRs vary by a residue or two.
    """
    take = CDR_COLUMNS.copy()
    for start, stop in ((27, 39), (56, 66)):
        take[max(start - int(rng.integers(0, 3)), 1) : start] = True
        take[stop : stop + int(rng.integers(0, 5))] = True
    framework = ~take & (rng.random(N_CODES) < back)
    return np.where(
        take | framework & (donor < N_RESIDUES) & (acceptor < N_RESIDUES), donor, acceptor
    )


def grid_to_chain(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N_CODES,) tokens -> tokens and columns along the chain, both (length,)."""
    row = grid[CHAIN_ORDER]
    there = row < N_RESIDUES
    return row[there], CHAIN_ORDER[there].astype(np.uint8)


def simulate_chains(
    natural: Chains, counts: dict[str, int], seed: int
) -> tuple[Chains, np.ndarray]:
    """Simulate chains: `species:locus` -> number, and `graft` -> number of grafted ones.

    Grafted chains carry the CDRs of simulated chains of other species on human frameworks, half
    of which are simulated and half from `natural`. Returns the chains and (n,) bool, true for
    grafts. Raises LacunaError if grafts are requested without any chain of another species.
    """
    if not sum(counts.values()):
        return natural.take(np.empty(0, np.int64)), np.empty(0, dtype=bool)
    rng = np.random.default_rng(seed)
    pools = _cdr3_pools(natural, rng)
    grids: list[np.ndarray] = []
    loci: list[int] = []
    foreign: dict[int, list[np.ndarray]] = {}  # chains of other species than human, by locus
    for kind, n in counts.items():
        if kind == "graft":
            continue
        species, locus = kind.split(":")
        differ = _DIVERGENCE.get(species, _LIKE_MOST)
        for _ in range(n):
            chain = recombine(species, locus, rng, pools.get(locus, []))
            grids.append(mutate(chain, differ.draw(rng), rng, differ.in_cdrs))
            loci.append(LOCI.index(locus))
            if species != "human":
                foreign.setdefault(loci[-1], []).append(grids[-1])
    n_grafts = counts.get("graft", 0)
    if n_grafts and not foreign:
        raise LacunaError(
            "pretrain.simulate: 'graft' needs chains of a species that is not human; add some"
        )
    grafted = np.arange(len(grids) + n_grafts) >= len(grids)
    for locus_index, grid in _grafts(natural, foreign, n_grafts, rng):
        grids.append(grid)
        loci.append(locus_index)
    return Chains(np.stack(grids), np.array(loci)), grafted


def _cdr3_pools(natural: Chains, rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """CDR3s of usual length of natural chains, by locus."""
    pools: dict[str, list[np.ndarray]] = {}
    sample = natural.take(np.sort(rng.permutation(len(natural))[:40000]))
    for cdr3, locus in zip(cdr3s(sample), sample.locus, strict=True):
        if 3 <= len(cdr3) <= 35:
            pools.setdefault(LOCI[locus], []).append(np.frombuffer(cdr3, dtype=np.uint8))
    return pools


def _grafts(
    natural: Chains, foreign: Mapping[int, list[np.ndarray]], n: int, rng: np.random.Generator
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield n grafted chains, each with the index of its locus; foreign: donors by that index."""
    acceptors = {i: np.flatnonzero(natural.locus == i) for i in range(len(LOCI))}
    for _ in range(n):
        locus = int(rng.choice(list(foreign)))
        donor = foreign[locus][rng.integers(len(foreign[locus]))]
        if rng.random() < 0.5 and len(acceptors[locus]):
            acceptor = natural.grids[rng.choice(acceptors[locus])]
        else:
            acceptor = mutate(recombine("human", LOCI[locus], rng, []), 0.01, rng)
        back = float(rng.choice([0.0, 0.1, 0.25, 0.5]))
        yield locus, graft(acceptor, donor, rng, back)
