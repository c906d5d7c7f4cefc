"""Rows of the tables: those of a gap, its residues and their truth, and the counts of a chain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.tables import (
    OTHER_LENGTH,
    RESIDUE_TABLE,
    SCORED_TABLE,
    GapRow,
    ResidueRow,
    ScoredRow,
)
from lacuna.core.tsv import Readings
from lacuna.filling.block import BlockGap
from lacuna.filling.masses.by_spectra import masses_shown
from lacuna.filling.residues import NO_SHARES, Residues
from lacuna.filling.search.cleavages import cut_where_shown
from lacuna.filling.search.decode import Candidate
from lacuna.filling.status import GapResult
from lacuna.scaffolds.alkylation import reading_of
from lacuna.scaffolds.residue_masses import Modifications, mass_rules

LEAST_LISTED = 0.005  # probability from which a reading of C is listed
SAME_MASS_PPM = 10.0  # within which two masses are the same, if the gap has no tolerance


def gap_rows_of(gap: BlockGap, found: GapResult, modifications: Modifications) -> list[GapRow]:
    """Rows of a gap's candidates; one without a candidate if it stays open.

    The gap was filled with the first; the status of the others says whether their mass is the same
    within the tolerance (`isobaric`) or not (`alternative`).
    """
    given, open_row = gap.given, _open_row(gap, found.status, modifications)
    if not found.candidates:
        return [open_row]
    inexact = given.interval or any(piece.interval for piece in given.pieces)
    weighed = None if inexact else given.mass
    best = found.candidates[0].mass
    tolerance = given.tolerance_da or SAME_MASS_PPM * best / 1e6
    rows = []
    for rank, candidate in enumerate(found.candidates, 1):
        mass, status = candidate.mass, found.status
        if rank > 1:
            status = "isobaric" if abs(mass - best) <= tolerance else "alternative"
        row = open_row._replace(
            rank=rank,
            candidate=candidate.sequence,
            probability=candidate.probability,
            length=len(candidate.sequence),
            mass=mass,
            mass_error_ppm=None if weighed is None else 1e6 * (mass - weighed) / weighed,
            status=status,
            cysteine=_cysteine(gap, modifications, candidate),
            cleavages=_cleavages(gap, modifications, candidate),
        )
        rows.append(row)
    return rows


def _open_row(gap: BlockGap, status: str, modifications: Modifications) -> GapRow:
    """The row of a gap without a candidate."""
    given, at, imgt = gap.given, gap.among_all, gap.chain.imgt
    start, end = given.origin or (given.start, given.end)
    empty = given.start == given.end  # it holds no residue, and so has no place
    return GapRow(
        chain=gap.chain.scaffold.chain,
        gap=gap.number,
        start=start,
        end=end,
        rank=1,
        candidate="",
        probability=None,
        length=None,
        mass=None,
        mass_error_ppm=None,
        status=status,
        first=None if empty else given.start + 1,
        last=None if empty else given.end,
        imgt_first="" if empty else imgt[at.start],
        imgt_last="" if empty else imgt[at.stop - 1],
        ambiguity=gap.ambiguity,
        cysteine=_cysteine(gap, modifications),
        cleavages="",
    )


def _cysteine(
    gap: BlockGap, modifications: Modifications, candidate: Candidate | None = None
) -> Readings | None:
    """What C carries in a candidate of a gap, or in the sample; None for a gap without a mass."""
    spectra = gap.given.spectra
    if not gap.given.weighed and (spectra is None or spectra.mass is None):
        return None
    names = [reading_of(carried) or "" for carried, _ in modifications.cysteine]
    shares = [share for _, share in modifications.cysteine]
    if candidate is not None and len(candidate.readings) == len(names):
        shares = list(candidate.readings)
    pairs = sorted(zip(names, shares, strict=True), key=lambda pair: -pair[1])
    return Readings((name, share) for name, share in pairs if share >= LEAST_LISTED)


def _cleavages(gap: BlockGap, modifications: Modifications, candidate: Candidate) -> str:
    """A candidate as spectra show it to be cleaved, '' if they say nothing of it."""
    given, spectra = gap.given, gap.given.spectra
    if spectra is None:
        return ""
    rules = mass_rules(gap.chain.scaffold, given, modifications)
    readings = rules.readings()
    if len(candidate.readings) == len(readings):
        _, rules = readings[int(np.argmax(candidate.readings))]
    else:
        _, rules = readings[0]
    for shown in masses_shown(spectra):
        measured = given.measured if shown.mass is None else shown.mass.measured
        if measured is not None:
            cut = cut_where_shown(candidate.sequence, shown, measured, rules)
            if cut:
                return cut
    return ""


def residue_rows_of(gap: BlockGap, residues: Residues) -> list[ResidueRow]:
    """Rows of a gap's residues: X without a probability if it stays open."""
    name, number, at = gap.chain.scaffold.chain, gap.number, gap.among_all
    places = range(gap.given.start + 1, gap.given.end + 1)
    n, rows = len(places), gap.among_missing
    truth: Sequence[str] = gap.given.truth or ""
    if len(truth) != n:
        truth = [OTHER_LENGTH if truth else ""] * n
    return RESIDUE_TABLE.rows(
        [name] * n,
        places,
        [number] * n,
        residues.letters[rows] if gap.rows else MISSING_LETTER * n,
        residues.shares[rows] if gap.rows else [0.0] * n,
        residues.alternatives(gap.rows) if gap.rows else [NO_SHARES] * n,
        residues.germline[rows] if gap.rows else [""] * n,
        gap.chain.regions[at],
        truth,
        gap.chain.imgt[at],
        gap.scaffold_positions,
        gap.ambiguity or [""] * n,
    )


def scored_rows_of(gap: BlockGap, residues: Residues) -> list[ScoredRow]:
    """Rows of a gap's true residues; none if its truth is unknown."""
    truth = gap.given.truth
    if not truth:
        return []
    if not gap.rows or len(truth) != len(gap.rows):
        stated = residues.shares[gap.among_missing]
        return list(_wrong_rows(gap, truth, stated))
    chain, number, n = gap.chain, gap.number, len(truth)
    name, locus, rows = chain.scaffold.chain, chain.locus, gap.among_missing
    return SCORED_TABLE.rows(
        [name] * n,
        [number] * n,
        [n] * n,
        range(gap.given.start + 1, gap.given.end + 1),
        truth,
        chain.regions[gap.among_all],
        [locus] * n,
        residues.letters[rows],
        residues.shares[rows],
        *(baseline[rows] for baseline in residues.baselines),
        gap.ambiguity or [""] * n,
    )


def _wrong_rows(gap: BlockGap, truth: str, stated: Sequence[float]) -> Iterator[ScoredRow]:
    """Rows of a gap left open, or filled at a wrong length: wrong in every true residue.

    stated: probabilities of its residues, which count too, paired from the first on. Otherwise a
    gap of a wrong length would pass for one of which nothing was said.
    """
    chain = gap.chain
    last = len(chain.scaffold.sequence) - 1
    codes = gap.ambiguity or [""] * len(truth)
    paired = [*stated, *[0.0] * len(truth)][: len(truth)]
    for i, (letter, code, probability) in enumerate(zip(truth, codes, paired, strict=True)):
        at = min(gap.given.start + i, last)
        yield ScoredRow(
            chain=chain.scaffold.chain,
            gap=gap.number,
            gap_length=len(truth),
            position=at + 1,
            truth=letter,
            region=chain.regions[chain.offset + at],
            locus=chain.locus,
            lacuna=MISSING_LETTER,
            probability=probability,
            germline_copy=MISSING_LETTER,
            nearest_homolog=MISSING_LETTER,
            column_majority=MISSING_LETTER,
            ambiguity=code,
        )


def regions_as_text(regions: Sequence[str]) -> str:
    """The regions of a chain's residues as runs, `FR1:1-25,CDR1:26-33`, without those outside."""
    runs, last = [], 0
    for region, run in groupby(regions):
        first, last = last + 1, last + len(list(run))
        if region:
            runs.append(f"{region}:{first}-{last}")
    return ",".join(runs)


@dataclass(slots=True)
class ChainCounts:
    """Counts of a chain for chains.tsv, by its columns: gaps and, apart, ambiguity codes."""

    missing: int = 0
    filled: int = 0
    gaps: int = 0
    open: int = 0
    ambiguous: int = 0
    resolved: int = 0
    without_template: int = 0
    n_terminal: int = 0
    c_terminal: int = 0

    def add(self, gap: BlockGap, piece: str, is_open: bool, without_template: bool) -> None:
        """Count a gap that is filled with `piece`, X where it stays open."""
        known = len(piece) - piece.count(MISSING_LETTER)
        if gap.ambiguity:
            self.ambiguous += len(piece)
            self.resolved += known
            return
        self.missing += len(piece)
        self.filled += known
        self.gaps += 1
        self.open += is_open
        self.without_template += without_template
