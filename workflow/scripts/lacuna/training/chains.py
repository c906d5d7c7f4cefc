"""Natural chains on IMGT columns: which are usable, and which are too much alike."""

import hashlib
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lacuna.antibody.germlines import LOCI
from lacuna.antibody.imgt import (
    CDR3_START,
    CHAIN_ORDER,
    CYS104,
    FR4_START,
    N_CODES,
    N_IMGT,
    OTHER_INSERTION,
    in_v_domain,
)
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import ABSENT, N_RESIDUES, RESIDUES, encode

MIN_RESIDUES = 70  # of a V domain worth training on
MAX_RESIDUES = 150
CHAINS_TOGETHER = 2000  # chains that a process numbers at a time
_RESIDUE_SET = frozenset(RESIDUES)


@dataclass(frozen=True, slots=True)
class Chains:
    """n chains on columns: grids (n, N_CODES) uint8 and locus (n,) index into LOCI."""

    grids: np.ndarray
    locus: np.ndarray

    def __len__(self) -> int:
        return len(self.grids)

    def take(self, rows: np.ndarray) -> "Chains":
        """The chains of the given rows, in their order, or those selected by (n,) bool."""
        return Chains(self.grids[rows], self.locus[rows])


def _number_many(sequences: list[str]) -> list[tuple[np.ndarray, int] | None]:
    return [_number_one(s) for s in sequences]


def _number_one(sequence: str) -> tuple[np.ndarray, int] | None:
    """The V domain of a chain on columns, and its locus; None if it is unfit for training."""
    if not _RESIDUE_SET.issuperset(sequence):
        return None
    numbering = number_chain(sequence)
    columns = numbering.columns
    v = in_v_domain(columns)
    if not numbering.locus or not MIN_RESIDUES <= v.sum() <= MAX_RESIDUES:
        return None
    if (columns == OTHER_INSERTION).any() or not (columns == CYS104).any():
        return None
    grid = np.full(N_CODES, ABSENT, dtype=np.uint8)
    grid[columns[v]] = encode(sequence)[v]
    return grid, LOCI.index(numbering.locus)


def number_all(sequences: Sequence[str], processes: int) -> tuple[Chains, np.ndarray]:
    """V domains on columns of the m of n chains that have a usable one, and their indices (m,).

    A chain is usable if it consists of the 20 residues, has Cys104 and no insertion outside CDR3,
    and has MIN_RESIDUES to MAX_RESIDUES in its domain. The work is shared by forked processes.
    """
    pieces = [
        list(sequences[i : i + CHAINS_TOGETHER]) for i in range(0, len(sequences), CHAINS_TOGETHER)
    ]
    if processes > 1 and len(pieces) > 1:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
            found = [one for piece in pool.map(_number_many, pieces) for one in piece]
    else:
        found = [one for piece in pieces for one in _number_many(piece)]
    kept = [(one, i) for i, one in enumerate(found) if one is not None]
    if not kept:
        return Chains(np.empty((0, N_CODES), np.uint8), np.empty(0, np.int64)), np.empty(0, int)
    chains = Chains(np.stack([one[0] for one, _ in kept]), np.array([one[1] for one, _ in kept]))
    return chains, np.array([i for _, i in kept])


def cdr3s(chains: Chains) -> list[bytes]:
    """The CDR3 of each chain as bytes of tokens."""
    in_cdr3 = [c for c in CHAIN_ORDER if c >= CDR3_START and not FR4_START <= c <= N_IMGT]
    rows = chains.grids[:, in_cdr3]
    return [row[row < N_RESIDUES].tobytes() for row in rows]


def like_held_out(
    chains: Chains, held_out: Chains, identity: float, *, of_held_out: bool = False
) -> np.ndarray:
    """(n,) bool: which chains share at least `identity` of a held-out chain's residues.

    Residues are compared on columns 1 to 128. Identity is relative to the longer of the two domains
    or, with `of_held_out`, to the held-out one's residues: a scaffold has hidden residues.
    """
    result = np.zeros(len(chains), dtype=bool)
    if not len(held_out):
        return result
    table = torch.eye(N_RESIDUES + 1)[:, :N_RESIDUES]

    def hot(grids: np.ndarray) -> Tensor:
        tokens = torch.from_numpy(grids[:, 1 : N_IMGT + 1]).long().clamp(max=N_RESIDUES)
        return table[tokens].flatten(1)

    others = hot(held_out.grids)
    other_length = others.sum(1)
    for i in range(0, len(chains), 4096):
        rows = hot(chains.grids[i : i + 4096])
        whole = other_length[None]
        if not of_held_out:
            whole = torch.maximum(rows.sum(1)[:, None], whole)
        shared = (rows @ others.T) / whole.clamp(min=1.0)
        result[i : i + 4096] = (shared >= identity).any(1).numpy()
    return result


def near_duplicates(chains: Chains, identity: float) -> np.ndarray:
    """(n,) bool: which chains are too similar to an earlier one that is kept.

    Identity as in `like_held_out`; only chains of the same locus and CDR3 are compared.
    """
    result = np.zeros(len(chains), dtype=bool)
    groups: dict[tuple[int, bytes], list[int]] = {}
    for row, key in enumerate(zip(chains.locus.tolist(), cdr3s(chains), strict=True)):
        groups.setdefault(key, []).append(row)
    for rows in groups.values():
        if len(rows) < 2:
            continue
        tokens = chains.grids[rows, 1 : N_IMGT + 1]  # (m, N_IMGT)
        length = (tokens < N_RESIDUES).sum(1)
        kept: list[int] = []
        for i, row in enumerate(tokens):
            others = tokens[kept]
            same = ((others == row) & (row < N_RESIDUES)).sum(1)
            if (same >= identity * np.maximum(length[kept], length[i])).any():
                result[rows[i]] = True
            else:
                kept.append(i)
    return result


def held_out_share(chains: Chains, share: float) -> np.ndarray:
    """(n,) bool: about one in 1/`share`, rounded, of the chains; either all chains with one CDR3 or
    none of them."""
    if share <= 0:
        return np.zeros(len(chains), dtype=bool)
    result = []
    for cdr3, locus in zip(cdr3s(chains), chains.locus, strict=True):
        digest = hashlib.sha256(bytes([locus]) + cdr3).hexdigest()
        result.append(int(digest[:8], 16) % round(1 / share) == 0)
    return np.array(result, dtype=bool)


def joined(parts: Sequence[Chains]) -> Chains:
    """The chains of all parts, in order."""
    return Chains(
        np.concatenate([p.grids for p in parts]), np.concatenate([p.locus for p in parts])
    )
