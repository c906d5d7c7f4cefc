"""A chain with everything that the page shows about it, joined from the tables of its sample.

All tables have the chains in the order of filled.fasta, so they are read side by side, one chain
at a time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from lacuna.antibody.imgt import N_IMGT, REGION_STARTS
from lacuna.core.alphabet import MISSING_LETTER, RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.tables import (
    CHAIN_TABLE,
    GAP_TABLE,
    RESIDUE_TABLE,
    ChainRow,
    GapRow,
    MassDoubt,
    MassRow,
    ResidueRow,
)
from lacuna.results.report.evidence import Doubt, Evidence
from lacuna.results.report.listing import read_filled
from lacuna.results.report.words import span
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import ResidueModification, Scaffold

MILLE = 1000
LEVELS = (950, 800, 500)  # per mille, from which a residue is of class 1, 2, 3
SECOND = 50  # per mille from which a second choice is shown
CONSTANT = "C"
# IMGT numbers of each region.
REGION_NUMBERS = {
    region: f"{start}–{stop - 1}"
    for (region, start), stop in zip(
        REGION_STARTS.items(), [*list(REGION_STARTS.values())[1:], N_IMGT + 1], strict=True
    )
}

Row = TypeVar("Row", GapRow, ResidueRow)


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of one region: positions from 1, both included."""

    region: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Residue:
    """A missing residue. Probabilities are per mille, rounded down: 999 is not certain.

    second: the next most probable residue, '' without one; germline and truth: '' where they
    are the same as `letter` or not known; code: the ambiguity code it had; others: residues after
    the second, with their probabilities.
    """

    position: int
    letter: str
    probability: int
    second: str
    second_probability: int
    germline: str
    truth: str
    code: str
    others: tuple[tuple[str, int], ...] = ()

    @property
    def level(self) -> int:
        """The class of its probability, 1 to 4."""
        return level_of(self.probability)


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap or an ambiguity code; `candidates` are empty if it stays open."""

    number: int
    start: int  # in the scaffold, from 0
    end: int  # in the scaffold, exclusive
    first: int  # in the filled chain, from 1; last < first if it holds no residue
    last: int
    region: str  # or regions, joined by a dash
    imgt: str
    code: str
    status: str
    candidates: tuple[GapRow, ...]

    @property
    def verdict(self) -> str:
        """Whether the whole sequence is sure, likely or unsure, or the gap is left open."""
        probability = self.candidates[0].probability if self.candidates else None
        return verdict_of(probability, self.doubted)

    @property
    def doubted(self) -> bool:
        """Whether a mass is at odds with what it was filled with."""
        return bool(MassDoubt.of_status(self.status))

    @property
    def place(self) -> str:
        """Its positions in words."""
        return span(str(self.first), str(self.last)) if self.last >= self.first else "none"


@dataclass(frozen=True, slots=True)
class Chain:
    """A filled chain; `residues` are its missing ones, in order."""

    name: str
    description: str
    sequence: str
    row: ChainRow
    bands: tuple[Band, ...]
    gaps: tuple[Gap, ...]
    residues: tuple[Residue, ...]
    modifications: tuple[ResidueModification, ...] = ()  # positions from 1, in the filled chain
    evidence: Evidence = Evidence()
    measured: MassRow | None = None  # its row of masses.tsv, if its intact mass was measured

    @property
    def real_gaps(self) -> list[Gap]:
        """Its gaps, without ambiguity codes that stand alone."""
        return [gap for gap in self.gaps if not gap.code]

    def residues_of(self, gap: Gap) -> list[Residue]:
        """The missing residues of one of its gaps."""
        return [r for r in self.residues if gap.first <= r.position <= gap.last]

    @property
    def to_check(self) -> list[int]:
        """Positions to check before a gene is ordered: below .80, not filled, doubtful, or in a gap
        whose mass or length is in doubt."""
        unsure = {r.position for r in self.residues if r.level > 2}
        for gap in self.gaps:
            if gap.doubted:
                unsure.update(range(gap.first, gap.last + 1))
        return sorted(unsure | {d.position for d in self.evidence.doubts if d.strong})

    def region_at(self, position: int) -> str:
        """The region of a position, '' outside."""
        return next((b.region for b in self.bands if b.first <= position <= b.last), "")


def level_of(probability: int) -> int:
    """The class, 1 to 4, of a probability per mille."""
    return next((i for i, least in enumerate(LEVELS, 1) if probability >= least), len(LEVELS) + 1)


def verdict_of(probability: float | None, doubted: bool = False) -> str:
    """What the probability of a gap's sequence makes it: sure, likely or unsure.

    A gap without one stays X: it is open, as in chains.tsv and summary.txt. doubted: whether its
    masses are at odds with its sequence, which is then unsure, since the probability assumes that
    they are right.
    """
    if probability is None:
        return "open"
    if doubted or probability < LEVELS[2] / MILLE:
        return "unsure"
    return "sure" if probability >= LEVELS[0] / MILLE else "likely"


def per_mille(probability: float) -> int:
    """A share of 0 to 1 per mille, rounded down, so that no class is reached by rounding."""
    return int(probability * MILLE + 1e-6)


def read_chains(filled: Path, chains: Path, gaps: Path, residues: Path) -> Iterator[Chain]:
    """Yield the chains of a sample in order.

    Raises LacunaError if a table cannot be read, or if they are not of the same chains.
    """
    by_gap = _by_chain(GAP_TABLE.read(gaps))
    by_residue = _by_chain(RESIDUE_TABLE.read(residues))
    gap_rows, residue_rows = next(by_gap, None), next(by_residue, None)
    rows = CHAIN_TABLE.read(chains)
    for name, description, sequence in read_filled(filled):
        row = next(rows, None)
        if row is None or row.chain != name:
            found = "ends" if row is None else f"has '{row.chain}'"
            raise LacunaError(f"{chains}: {found} where {filled} has '{name}'; run again")
        mine: list[GapRow] = []
        if gap_rows is not None and gap_rows[0] == name:
            mine, gap_rows = gap_rows[1], next(by_gap, None)
        missing: list[ResidueRow] = []
        if residue_rows is not None and residue_rows[0] == name:
            missing, residue_rows = residue_rows[1], next(by_residue, None)
        regions: dict[int, list[str]] = {}
        for r in missing:
            regions.setdefault(r.gap, []).append(r.region)
        of_gaps = tuple(_gaps(mine, regions))
        places = [i for gap in of_gaps for i in range(gap.first, gap.last + 1)]
        if [r.position for r in missing] != places:
            raise LacunaError(f"{residues}: '{name}' has other residues than in {gaps}; run again")
        yield Chain(
            name,
            description,
            sequence,
            row,
            bands_of(row.regions),
            of_gaps,
            tuple(_residue(r) for r in missing),
        )
    for path, left in ((gaps, gap_rows), (residues, residue_rows)):
        if left is not None:
            raise LacunaError(f"{path}: has '{left[0]}' where {filled} has not; run again")


def _by_chain(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    for name, group in groupby(rows, key=lambda row: row.chain):
        yield name, list(group)


def _gaps(rows: Iterable[GapRow], regions: Mapping[int, Sequence[str]]) -> Iterator[Gap]:
    shift = 0  # by which the filled chain is ahead of the scaffold
    for number, group in groupby(rows, key=lambda row: row.gap):
        candidates = list(group)
        top = candidates[0]
        first = top.first or top.start + shift + 1  # a gap of no residue has no first one
        last = top.last if top.last is not None else first - 1
        shift += last - first + 1 - (top.end - top.start)
        filled = top.probability is not None
        yield Gap(
            number,
            top.start,
            top.end,
            first,
            last,
            _ends(regions.get(number, ())),
            span(top.imgt_first, top.imgt_last) if top.imgt_first or top.imgt_last else "",
            top.ambiguity,
            top.status,
            tuple(candidates) if filled else (),
        )


def _ends(regions: Sequence[str]) -> str:
    """The first and the last region of a gap, joined if they differ."""
    return "–".join(dict.fromkeys(filter(None, (*regions[:1], *regions[-1:]))))


def _residue(row: ResidueRow) -> Residue:
    second, share = row.alternatives[0] if row.alternatives else ("", 0.0)
    filled = row.residue != MISSING_LETTER
    return Residue(
        row.position,
        row.residue,
        per_mille(row.probability) if filled else 0,
        second if filled else "",
        per_mille(share) if filled else 0,
        row.germline if row.germline != row.residue else "",
        row.truth if row.truth != row.residue else "",
        row.ambiguity,
        tuple((letter, per_mille(p)) for letter, p in row.alternatives[1:]) if filled else (),
    )


# --- regions -------------------------------------------------------------------------------------


def bands_of(regions: str) -> tuple[Band, ...]:
    """The bands that the column `regions` of chains.tsv names, in order."""
    bands = []
    for part in filter(None, regions.split(",")):
        region, _, places = part.partition(":")
        first, _, last = places.partition("-")
        bands.append(Band(region, int(first), int(last)))
    return tuple(bands)


# --- modifications -------------------------------------------------------------------------------


def with_modifications(chains: Iterable[Chain], fasta: Path, gaps: Path | None) -> Iterator[Chain]:
    """The chains with the modifications that the user wrote on their observed residues.

    fasta, gaps: what the user gave. Positions of a scaffold become those of the filled chain.
    """
    written = {
        record.chain: record
        for record in read_scaffolds(fasta, gaps)
        if isinstance(record, Scaffold) and record.modifications
    }
    for chain in chains:
        scaffold = written.get(chain.name)
        yield (
            chain
            if scaffold is None
            else replace(
                chain,
                modifications=tuple(
                    replace(m, position=_in_filled(m.position, chain) + 1)
                    for m in scaffold.modifications
                ),
            )
        )


def with_evidence(
    chains: Iterable[Chain], evidence: Iterable[tuple[str, Evidence]]
) -> Iterator[Chain]:
    """The chains with their evidence, which is in their order."""
    rows = iter(evidence)
    waiting = next(rows, None)
    for chain in chains:
        if waiting is not None and waiting[0] == chain.name:
            yield replace(chain, evidence=waiting[1])
            waiting = next(rows, None)
        else:
            yield chain


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


def _in_filled(position: int, chain: Chain) -> int:
    """Where a scaffold's position (from 0) is in the filled chain (from 0)."""
    shift = 0
    for gap in chain.gaps:
        if gap.end <= position:
            shift += gap.last - gap.first + 1 - (gap.end - gap.start)
    return position + shift


def known(sequence: str) -> bool:
    """Whether a sequence has no X and no other letter than the 20 residues."""
    return all(letter in RESIDUES for letter in sequence)
