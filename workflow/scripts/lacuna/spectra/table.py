"""Puts the evidence of spectra in a table on the gaps that it belongs to."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from lacuna.core.tables import CLEAVAGE, MASS, OTHER, SIDE, SPECTRUM_TABLE, UNSEEN, SpectrumRow
from lacuna.scaffolds.scaffold import Scaffold, SpectralEvidence


def with_spectra(scaffolds: Sequence[Scaffold], table: Path) -> list[Scaffold]:
    """The scaffolds, as they were when `table` was written, with its evidence on their gaps."""
    found = {
        (chain, start, end): _evidence(rows)
        for (chain, start, end), rows in groupby(
            SPECTRUM_TABLE.read(table), lambda row: (row.chain, row.start, row.end)
        )
    }

    def with_evidence(scaffold: Scaffold) -> Scaffold:
        gaps = tuple(
            replace(gap, spectra=found.get((scaffold.chain, gap.start, gap.end)))
            for gap in scaffold.gaps
        )
        return replace(scaffold, gaps=gaps)

    return [with_evidence(scaffold) for scaffold in scaffolds]


def _evidence(rows: Iterable[SpectrumRow]) -> SpectralEvidence:
    """The evidence in the rows of a gap."""
    parts: list[list[SpectrumRow]] = [[]]
    for row in rows:
        if row.kind == OTHER:
            parts.append([row._replace(kind=MASS)])
        else:
            parts[-1].append(row)
    first, *others = map(_of_mass, parts)
    return replace(first, others=tuple(others))


def _of_mass(rows: Iterable[SpectrumRow]) -> SpectralEvidence:
    """The evidence in the rows of one mass of a gap."""
    bumps: dict[str, list[tuple[float, float, float]]] = {CLEAVAGE: [], SIDE: [], MASS: []}
    unseen = 0.0
    for row in rows:
        if row.kind == UNSEEN:
            unseen = row.nats
        elif row.kind in bumps:
            bumps[row.kind].append((row.mass or 0.0, row.tolerance_da or 0.0, row.nats))
    mass = bumps[MASS][0] if bumps[MASS] else None
    rivals = tuple(bumps[MASS][1:])
    return SpectralEvidence(tuple(bumps[CLEAVAGE]), unseen, tuple(bumps[SIDE]), mass, rivals)
