"""Gaps whose templates are of the wrong species: a stated one that is wrong, or one of which no
germline is known."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.antibody.germlines import SPECIES
from lacuna.antibody.species_fit import Nearer, nearer_species
from lacuna.core.alphabet import encode
from lacuna.core.tables import FAR, NEARER
from lacuna.core.words import plural
from lacuna.filling.block import MAX_WARNINGS, BlockGap, columns_of, slices_of
from lacuna.network.kmers import KmerSet, PartSegments
from lacuna.network.nearness import is_far, of_targets
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.templates.library import stated_species
from lacuna.templates.nearest import Library

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GermlineDoubts:
    """What the status of gaps says of germlines.

    stated: the species, '' for any; nearer: chains that are clearly nearer to another one; far:
    (t,) whether what is known around a missing residue is far from every germline and homolog.
    """

    stated: str
    nearer: Mapping[str, Nearer]
    far: np.ndarray

    def of_gap(self, gap: BlockGap) -> str:
        """The note on a gap, '' for none."""
        nearer = self.nearer.get(gap.chain.scaffold.chain)
        if nearer is not None:
            return f"{NEARER} {nearer.species} than of {self.stated}"
        if _is_moved(gap.chain.scaffold):
            return ""
        return FAR if gap.rows and self.far[gap.among_missing].any() else ""


def germline_doubts(
    scaffolds: Sequence[Scaffold], kmers: KmerSet, library: Library
) -> GermlineDoubts:
    """What to know of the germlines of a block of chains, which were searched in a library."""
    stated = stated_species(library)
    nearer = _nearer(scaffolds, kmers, stated) if stated else {}
    part, shares = of_targets(kmers)
    far = is_far(shares, kmers.target_v()).any(1) & (part >= 0)
    moved = {scaffold.chain for scaffold in scaffolds if _is_moved(scaffold)}
    _warn(nearer, stated, _named(scaffolds, kmers, far) - set(nearer) - moved)
    return GermlineDoubts(stated, nearer, far)


def _is_moved(scaffold: Scaffold) -> bool:
    """Whether a gap of another length than was given makes a chain look far from its germline."""
    return any(gap.better_length is not None for gap in scaffold.gaps)


def _nearer(scaffolds: Sequence[Scaffold], kmers: KmerSet, stated: str) -> dict[str, Nearer]:
    """Chains with gaps that are nearer to another species, by name."""
    found: dict[str, Nearer] = {}
    each = zip(scaffolds, columns_of(scaffolds, kmers), kmers.parts_of_chains(), strict=True)
    for scaffold, columns, parts in each:
        if scaffold.gaps:
            one = _of_parts(encode(scaffold.sequence), columns, parts, stated)
            if one is not None:
                found[scaffold.chain] = one
    return found


def _of_parts(
    tokens: np.ndarray, columns: np.ndarray, parts: Sequence[PartSegments], stated: str
) -> Nearer | None:
    for part, where in zip(parts, slices_of(parts, len(tokens)), strict=True):
        nearer = nearer_species(tokens[where], columns[where], part.locus, stated)
        if nearer is not None:
            return nearer
    return None


def _named(scaffolds: Sequence[Scaffold], kmers: KmerSet, far: np.ndarray) -> set[str]:
    return {scaffolds[i].chain for i in np.unique(kmers.at().chain[far]).tolist()}


def _warn(nearer: Mapping[str, Nearer], stated: str, far: set[str]) -> None:
    """Log the chains that were searched in the wrong germlines, with the remedy."""
    for name, one in list(nearer.items())[:MAX_WARNINGS]:
        LOG.warning(
            "'%s' has %.2f of its V residues in common with %s germline and %.2f with %s; set "
            "'species' of its sample to auto",
            name,
            one.share,
            one.species,
            one.stated_share,
            stated,
        )
    if len(nearer) > MAX_WARNINGS:
        LOG.warning("%d chains are nearer to another species; see gaps.tsv", len(nearer))
    if far:
        LOG.warning(
            "%s %s far from the germlines of all species that are known here (%s), such as '%s'; "
            "give homologs of them",
            plural(len(far), "chain"),
            "is" if len(far) == 1 else "are",
            ", ".join(SPECIES),
            min(far),
        )
