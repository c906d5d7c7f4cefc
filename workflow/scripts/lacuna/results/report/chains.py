"""The chains of a sample, each joined from its tables.

All tables have the chains in the order of filled.fasta, so they are read side by side, one chain
at a time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.files import LacunaError
from lacuna.core.tables import (
    CHAIN_TABLE,
    GAP_TABLE,
    RESIDUE_TABLE,
    SPECTRUM,
    EvidenceRow,
    GapRow,
    MassRow,
    ResidueRow,
    SpectrumRow,
)
from lacuna.results.by_chain import RowsByChain
from lacuna.results.report.chain import Chain, Gap, Residue, bands_of, per_mille
from lacuna.results.report.evidence import Doubt, evidence_of
from lacuna.results.report.listing import read_filled
from lacuna.results.report.words import ends, imgt_span
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Scaffold


def read_chains(filled: Path, chains: Path, gaps: Path, residues: Path) -> Iterator[Chain]:
    """Yield the chains of a sample in order.

    Raises LacunaError if a table cannot be read, or if they are not of the same chains.
    """
    of_gaps = RowsByChain(GAP_TABLE.read(gaps), attrgetter("chain"))
    of_residues = RowsByChain(RESIDUE_TABLE.read(residues), attrgetter("chain"))
    rows = CHAIN_TABLE.read(chains)
    for name, description, sequence in read_filled(filled):
        row = next(rows, None)
        if row is None or row.chain != name:
            found = "ends" if row is None else f"has '{row.chain}'"
            raise LacunaError(f"{chains}: {found} where {filled} has '{name}'; run again")
        missing = of_residues.of(name)
        regions: dict[int, list[str]] = {}
        for r in missing:
            regions.setdefault(r.gap, []).append(r.region)
        own = tuple(_gaps(of_gaps.of(name), regions))
        places = [i for gap in own for i in range(gap.first, gap.last + 1)]
        if [r.position for r in missing] != places:
            raise LacunaError(f"{residues}: '{name}' has other residues than in {gaps}; run again")
        yield Chain(
            name=name,
            description=description,
            sequence=sequence,
            row=row,
            bands=bands_of(row.regions),
            gaps=own,
            residues=tuple(_residue(r) for r in missing),
        )
    for path, left in ((gaps, of_gaps.left), (residues, of_residues.left)):
        if left is not None:
            raise LacunaError(f"{path}: has '{left}' where {filled} has not; run again")


def _gaps(rows: Iterable[GapRow], regions: Mapping[int, Sequence[str]]) -> Iterator[Gap]:
    shift = 0  # by which the filled chain is ahead of the scaffold
    for number, group in groupby(rows, key=lambda row: row.gap):
        candidates = list(group)
        top = candidates[0]
        first = top.first or top.start + shift + 1  # a gap of no residue has no first one
        last = top.last if top.last is not None else first - 1
        shift = last - top.end
        filled = top.probability is not None
        yield Gap(
            start=top.start,
            end=top.end,
            first=first,
            last=last,
            region=ends(regions.get(number, ())),
            imgt=imgt_span(top.imgt_first, top.imgt_last),
            code=top.ambiguity,
            status=top.status,
            candidates=tuple(candidates) if filled else (),
        )


def _residue(row: ResidueRow) -> Residue:
    second, share = row.alternatives[0] if row.alternatives else ("", 0.0)
    filled = row.residue != MISSING_LETTER
    return Residue(
        position=row.position,
        letter=row.residue,
        probability=per_mille(row.probability) if filled else 0,
        second=second if filled else "",
        second_probability=per_mille(share) if filled else 0,
        germline=row.germline if row.germline != row.residue else "",
        truth=row.truth if row.truth != row.residue else "",
        code=row.ambiguity,
        others=tuple((r, per_mille(p)) for r, p in row.alternatives[1:]) if filled else (),
    )


def with_modifications(chains: Iterable[Chain], fasta: Path, gaps: Path | None) -> Iterator[Chain]:
    """The chains with the modifications that the user wrote on their observed residues.

    fasta, gaps: what the user gave. Positions of a scaffold become those of the filled chain.
    """
    written = {
        record.chain: record.modifications
        for record in read_scaffolds(fasta, gaps)
        if isinstance(record, Scaffold)
    }
    for chain in chains:
        found = tuple(
            replace(m, position=_in_filled(m.position, chain) + 1)
            for m in written.get(chain.name, ())
        )
        yield replace(chain, modifications=found)


def with_evidence(chains: Iterable[Chain], rows: Iterable[EvidenceRow]) -> Iterator[Chain]:
    """The chains with their evidence; rows: of evidence.tsv."""
    by_chain = RowsByChain(rows, attrgetter("chain"))
    for chain in chains:
        yield replace(chain, evidence=evidence_of(by_chain.of(chain.name)))


def with_doubts(chains: Iterable[Chain], doubts: Mapping[str, Sequence[Doubt]]) -> Iterator[Chain]:
    """The chains with the doubts of proofreading, next to those of their evidence.

    doubts: by chain, in the order of positions.
    """
    for chain in chains:
        found = sorted(
            (*chain.evidence.doubts, *doubts.get(chain.name, ())), key=lambda doubt: doubt.position
        )
        yield replace(chain, evidence=replace(chain.evidence, doubts=tuple(found)))


def with_measured(chains: Iterable[Chain], masses: Iterable[MassRow]) -> Iterator[Chain]:
    """The chains with the intact masses that were measured; masses: a row for each of them."""
    for chain, row in zip(chains, masses, strict=True):
        yield chain if row.measured is None else replace(chain, measured=row)


def with_spectra(chains: Iterable[Chain], rows: Iterable[SpectrumRow]) -> Iterator[Chain]:
    """The chains with the spectra that span their gaps; rows: of spectra.tsv."""
    found: dict[tuple[str, int, int], list[str]] = {}
    for row in rows:
        if row.kind == SPECTRUM:
            name, _, _ = row.spectrum.partition(" as ")
            found.setdefault((row.chain, row.start, row.end), []).append(f"{name} ({row.ions})")
    for chain in chains:
        gaps = tuple(
            replace(gap, spectra=tuple(found.get((chain.name, gap.start, gap.end), ())))
            for gap in chain.gaps
        )
        yield replace(chain, gaps=gaps)


def _in_filled(position: int, chain: Chain) -> int:
    """Where a scaffold's position (from 0) is in the filled chain (from 0)."""
    before = [gap for gap in chain.gaps if gap.end <= position]
    return position + (before[-1].last - before[-1].end if before else 0)
