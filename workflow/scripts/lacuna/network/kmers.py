"""K-mers of a block of chains, the input of the network: tensors, and the file that holds them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.core.files import atomic_write_bytes
from lacuna.core.tensor_files import tensors_of
from lacuna.network.model import Kmers
from lacuna.templates.nearest import Library, germline_profiles, unpack_frequencies


class PartSegments(NamedTuple):
    """A part of a chain: its first position, index into LOCI, nearest segments; -1 for none."""

    start: int
    locus: int
    v: int
    j: int
    c: int


class Targets(NamedTuple):
    """Places of the t missing residues of a block, in the order of the chains: (t,) int32 each.

    kmer, place: the k-mer from which each is predicted, and its place there; chain, position: its
    chain in the block, and its position in the chain (expanded, from 0).
    """

    kmer: np.ndarray
    place: np.ndarray
    chain: np.ndarray
    position: np.ndarray


@dataclass(frozen=True, slots=True)
class KmerSet:
    """n k-mers of a block of m chains, and what its tables need to know of the chains.

    tokens, columns (n, k) uint8; templates (n, slots, k) uint8; v_genes (n, 2) and j_gene
    (n,) int16, -1 for none; homolog_profile (n, k, 20) uint8 (`pack_frequencies`), or
    (0, k, 20) without homologs.
    targets (t, 4) int32, a row per missing residue with the fields of `Targets`.
    chain_columns (residues of all chains,) uint8; chain_v, chain_j, chain_c (m,) int32
    nearest germline segments, -1 for none; chain_locus (m,) int8 index into LOCI or -1. For a
    chain in several parts these are those of the first part.
    parts (p, 6) int32, sorted: chain, first position, locus and nearest V, J and C of each part
    of chains with several parts; no rows for other chains.
    """

    tokens: Tensor
    columns: Tensor
    templates: Tensor
    v_genes: Tensor
    j_gene: Tensor
    homolog_profile: Tensor
    targets: Tensor
    chain_columns: Tensor
    chain_v: Tensor
    chain_j: Tensor
    chain_c: Tensor
    chain_locus: Tensor
    parts: Tensor

    def at(self) -> Targets:
        """Places of the missing residues."""
        return Targets(*self.targets.numpy().T)

    def bounds(self) -> np.ndarray:
        """(m + 1,) where the missing residues of each chain begin among all, and where they end."""
        return np.searchsorted(self.at().chain, np.arange(len(self.chain_v) + 1))

    def parts_of_chains(self) -> list[list[PartSegments]]:
        """The parts of each chain, in order; a chain of one part has a list of one."""
        columns = self.chain_locus.int(), self.chain_v, self.chain_j, self.chain_c
        whole = zip(*(column.tolist() for column in columns), strict=True)
        found = [[PartSegments(0, *nearest)] for nearest in whole]
        for chain, start, *nearest in self.parts.tolist():
            if start == 0:
                found[chain].clear()
            found[chain].append(PartSegments(start, *nearest))
        return found

    def of_targets(self, asked: np.ndarray) -> "KmerSet":
        """The set with only those targets with `asked` (t,) bool, and the k-mers that have them."""
        at = Targets(*(column[asked] for column in self.at()))
        used, kmer = np.unique(at.kmer, return_inverse=True)
        rows = torch.from_numpy(used).long()
        few = {
            name: getattr(self, name)[rows]
            for name in ("tokens", "columns", "templates", "v_genes", "j_gene")
        }
        return replace(
            self,
            **few,
            homolog_profile=self.homolog_profile[rows if len(self.homolog_profile) else slice(0)],
            targets=torch.from_numpy(np.stack(at._replace(kmer=kmer), 1).astype(np.int32)),
        )

    def target_loci(self) -> np.ndarray:
        """Index into LOCI of the part of each missing residue, or -1: (t,) int."""
        return self._of_parts(self.chain_locus, 2)

    def target_v(self) -> np.ndarray:
        """Index of the V segment nearest to the part of each missing residue, or -1: (t,) int."""
        return self._of_parts(self.chain_v, 3)

    def _of_parts(self, of_chains: Tensor, column: int) -> np.ndarray:
        """A column of `parts` for each missing residue; of_chains (m,): that of whole chains."""
        _, _, chain, position = (field.astype(np.int64) for field in self.at())
        found = of_chains.numpy().astype(np.int64)[chain]
        if len(self.parts):
            parts = self.parts.numpy().astype(np.int64)
            of_chain, start, of_part = parts[:, 0], parts[:, 1], parts[:, column]
            far = 1 << 32  # longer than any chain
            part = np.searchsorted(of_chain * far + start, chain * far + position, "right") - 1
            found = np.where(of_chain[part] == chain, of_part[part], found)
        return found

    def batches(
        self, size: int, library: Library, order: Tensor | None = None
    ) -> Iterator[tuple[Tensor, Kmers]]:
        """Yield row numbers of up to `size` k-mers, and those k-mers with their profiles.

        order: (n,) long order of the rows; as stored by default. The last batch is padded to
        `size`.
        """
        n, k = self.tokens.shape
        order = torch.arange(n) if order is None else order
        for i in range(0, n, size):
            rows = order[i : i + size]
            pad = size - len(rows)

            def part(x: Tensor, fill: int, rows: Tensor = rows, pad: int = pad) -> Tensor:
                filler = x.new_full((pad, *x.shape[1:]), fill)
                return torch.cat((x[rows], filler)) if pad else x[rows]

            columns = part(self.columns, 0)
            germline = germline_profiles(
                part(self.v_genes, -1).long(), part(self.j_gene, -1).long(), columns, library
            )
            if len(self.homolog_profile):
                homologs = unpack_frequencies(part(self.homolog_profile, 0))
            else:
                homologs = torch.zeros(size, k, N_RESIDUES)
            yield (
                rows,
                Kmers(
                    tokens=part(self.tokens, ABSENT),
                    columns=columns,
                    templates=part(self.templates, ABSENT),
                    profiles=torch.cat((germline, homologs), -1),
                ),
            )


def write_kmers(path: Path | str, kmers: KmerSet) -> None:
    """Write a block's k-mer tensors, whole or not at all."""
    tensors = {name: tensor.contiguous() for name, tensor in tensors_of(kmers).items()}
    with atomic_write_bytes(path) as handle:
        handle.write(save(tensors))


def read_kmers(path: Path | str) -> KmerSet:
    """Read a file of `write_kmers`."""
    return KmerSet(**load_file(str(path)))
