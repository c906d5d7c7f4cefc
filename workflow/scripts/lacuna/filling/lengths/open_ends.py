"""Ends of V domains that are missing without a mark: chains that begin late or stop within FR4."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lacuna.antibody.germlines import LOCI, v_segments
from lacuna.antibody.imgt import CYS104, FR4_LAST, FR4_START
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import RESIDUES
from lacuna.filling.block import columns_of
from lacuna.filling.lengths.ends import (
    missing_after,
    missing_before,
    share_after,
    share_before,
    without_doubtful_fr4,
)
from lacuna.filling.masses.filled_mass import is_whole
from lacuna.network.encode import encode_scaffolds
from lacuna.network.kmers import PartSegments
from lacuna.scaffolds.residue_masses import Modifications
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.templates.nearest import Library


def open_ends(
    scaffolds: Sequence[Scaffold], library: Library, modifications: Modifications
) -> list[Scaffold]:
    """The scaffolds, in order, with a gap at each end of a V domain that they lack.

    The gap has the length that IMGT columns and the nearest V segment imply, and is where the
    chain begins or stops (start == end). Left as it is: an end that has a gap already, one outside
    of a V domain (a leader, a constant region), a chain that begins behind Cys104 or stops before
    FR4, or that has its intact mass without any further residue, in a form that the modifications
    allow.
    """
    late = [
        i
        for i, scaffold in enumerate(scaffolds)
        if _may_lack_an_end(scaffold.sequence) and not is_whole(scaffold, modifications)
    ]
    if not late:
        return list(scaffolds)
    chains = [scaffolds[i] for i in late]
    kmers = encode_scaffolds(chains, library)
    columns = columns_of(chains, kmers)
    found = list(scaffolds)
    for i, of_chain, parts in zip(late, columns, kmers.parts_of_chains(), strict=True):
        found[i] = _opened(
            found[i],
            _at_start(found[i].sequence, of_chain, parts[0]),
            _at_stop(found[i].sequence, of_chain, parts[-1]),
        )
    return found


def _at_start(sequence: str, columns: np.ndarray, first: PartSegments) -> tuple[int, float]:
    """How many residues a chain lacks at its start, and how probably; columns: of the chain; first:
    its first part."""
    if first.v < 0 or not _begins_late(sequence, columns):
        return 0, 1.0
    locus = LOCI[first.locus]
    missing = missing_before(columns, locus, v_segments().tokens[first.v]) or 0
    return missing, share_before(columns, locus)


def _at_stop(sequence: str, columns: np.ndarray, last: PartSegments) -> tuple[int, float]:
    """The same at its end; last: its last part."""
    if last.locus < 0 or not _stops_early(sequence, columns, LOCI[last.locus]):
        return 0, 1.0
    of_part, locus = columns[last.start :], LOCI[last.locus]
    return missing_after(of_part, locus, None, None) or 0, share_after(of_part, locus)


def _may_lack_an_end(sequence: str) -> bool:
    """Whether the columns of a chain show that an end of a V domain is missing."""
    parts = number_parts(sequence)
    columns = np.concatenate([part.numbering.columns for part in parts])
    locus = parts[-1].numbering.locus
    return _begins_late(sequence, columns) or _stops_early(sequence, columns, locus)


def _begins_late(sequence: str, columns: np.ndarray) -> bool:
    return sequence[:1] in RESIDUES and 1 < int(columns[0]) <= CYS104


def _stops_early(sequence: str, columns: np.ndarray, locus: str) -> bool:
    if not locus or sequence[-1:] not in RESIDUES:
        return False
    sure = without_doubtful_fr4(columns, sequence, locus)
    return FR4_START <= int(sure[-1]) < FR4_LAST[locus]


def _opened(
    scaffold: Scaffold, at_start: tuple[int, float], at_stop: tuple[int, float]
) -> Scaffold:
    """The scaffold with gaps at those of its ends that lack residues and have no gap.

    at_start, at_stop: how many residues are missing there, and how probably so many.
    """
    gaps = list(scaffold.gaps)
    marked = {place for gap in gaps for place in (gap.start, gap.end)}
    stop = len(scaffold.sequence)
    before, share = at_start
    if before and 0 not in marked:
        gaps.insert(0, Gap(0, 0, before, before, length_probability=share))
    after, share = at_stop
    if after and stop not in marked:
        gaps.append(Gap(stop, stop, after, after, length_probability=share))
    return replace(scaffold, gaps=tuple(gaps))
