"""Puts the evidence of spectra in a table on the gaps that it belongs to."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from lacuna.core.tables import (
    CLEAVAGE,
    MASS,
    OTHER,
    SIDE,
    SPECTRUM_TABLE,
    STRETCH,
    UNSEEN,
    SpectrumRow,
)
from lacuna.scaffolds.scaffold import Scaffold, ShownMass, SpectralEvidence
from lacuna.spectra.likely import confirmed


def with_spectra(scaffolds: Sequence[Scaffold], table: Path) -> list[Scaffold]:
    """The scaffolds, as they were when `table` was written, with its evidence on their gaps and on
    the likely residues that spectra show."""
    rows = list(SPECTRUM_TABLE.read(table))
    of_gaps = (row for row in rows if row.kind != STRETCH)
    found = {
        (chain, start, end): _evidence(of_gap)
        for (chain, start, end), of_gap in groupby(
            of_gaps, lambda row: (row.chain, row.start, row.end)
        )
    }
    stretches = stretches_of(rows)

    def with_evidence(scaffold: Scaffold) -> Scaffold:
        gaps = tuple(
            replace(gap, spectra=found.get((scaffold.chain, gap.start, gap.end)))
            for gap in scaffold.gaps
        )
        shown = stretches.get(scaffold.chain, [])
        return replace(scaffold, gaps=gaps, evidence=confirmed(scaffold.evidence, shown))

    return [with_evidence(scaffold) for scaffold in scaffolds]


def stretches_of(rows: Iterable[SpectrumRow]) -> dict[str, list[tuple[int, int]]]:
    """By chain the stretches with likely residues that spectra show, half-open in its scaffold."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        if row.kind == STRETCH:
            found.setdefault(row.chain, []).append((row.start, row.end))
    return found


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
    bumps: dict[str, list[tuple[float, float, float]]] = {CLEAVAGE: [], SIDE: []}
    masses: list[ShownMass] = []
    unseen = 0.0
    for row in rows:
        values = row.mass or 0.0, row.tolerance_da or 0.0, row.nats
        if row.kind == UNSEEN:
            unseen = row.nats
        elif row.kind == MASS:
            masses.append(ShownMass(*values))
        elif row.kind in bumps:
            bumps[row.kind].append(values)
    mass, rivals = masses[0] if masses else None, tuple(masses[1:])
    return SpectralEvidence(tuple(bumps[CLEAVAGE]), unseen, tuple(bumps[SIDE]), mass, rivals)
