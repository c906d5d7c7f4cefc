"""Gaps of unknown length at ends of chains: the lengths that columns and germlines imply."""

from collections.abc import Sequence

import numpy as np

from lacuna.antibody.germlines import LOCI, v_segments
from lacuna.filling.block import columns_of
from lacuna.filling.lengths.ends import (
    constant_left,
    missing_after,
    missing_before,
    share_after,
    share_before,
    without_doubtful_fr4,
)
from lacuna.filling.lengths.open_gaps import OpenChain, OpenGap
from lacuna.filling.reader import VARIANTS_TOGETHER
from lacuna.network.encode import encode_scaffolds
from lacuna.network.kmers import PartSegments
from lacuna.scaffolds.resizing import with_lengths
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.templates.nearest import Library


def expect_ends(chains: Sequence[OpenChain], library: Library) -> None:
    """Set the lengths that germline implies for gaps at ends; without a mass they are final."""
    cut = []
    for chain in chains:
        ends = [
            found
            for found in chain.open
            if len(found.lengths) > 1 and _is_end(chain.scaffold, found.gap)
        ]
        if ends:
            lengths = list(chain.chosen)
            for found in ends:
                lengths[found.number] = 0
            cut.append((chain, ends, with_lengths(chain.scaffold, lengths)))
    for start in range(0, len(cut), VARIANTS_TOGETHER):
        some = cut[start : start + VARIANTS_TOGETHER]
        rests = [rest for *_, rest in some]
        kmers = encode_scaffolds(rests, library)
        columns = columns_of(rests, kmers)
        for (chain, ends, rest), of_chain, parts in zip(
            some, columns, kmers.parts_of_chains(), strict=True
        ):
            for found in ends:
                _expect_end(chain, found, rest.sequence, of_chain, parts)


def _is_end(scaffold: Scaffold, gap: Gap) -> bool:
    return (gap.start == 0) != (gap.end == len(scaffold.sequence))


def _expect_end(
    chain: OpenChain,
    found: OpenGap,
    rest: str,
    columns: np.ndarray,
    parts: Sequence[PartSegments],
) -> None:
    """Set the length that germline implies for a gap at an end.

    rest: the chain without the gap; columns: (length,) of its residues.
    """
    part = parts[0] if found.gap.start == 0 else parts[-1]
    locus = LOCI[part.locus] if part.locus >= 0 else ""
    v_row = v_segments().tokens[part.v] if part.v >= 0 else None
    if found.gap.start == 0:
        columns = columns[: parts[1].start if len(parts) > 1 else None]
        expected = missing_before(columns, locus, v_row)
    else:
        columns = without_doubtful_fr4(columns[part.start :], rest[part.start :], locus)
        expected = missing_after(columns, locus, v_row, constant_left(rest))
    found.expected = expected
    weighed = found.gap.mass is not None or found.by_spectra is not None
    if expected is not None and not weighed and found.lengths:
        most = expected if found.gap.max_length is None else found.gap.max_length
        length = max(min(expected, most), found.gap.min_length)
        found.lengths, found.untried = range(length, length + 1), False
        chain.chosen[found.number] = length
        if locus:
            found.share = (share_after if found.gap.start else share_before)(columns, locus)
