"""All that the page shows of one sample, read from its tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lacuna.core.tables import EVIDENCE_TABLE, MASS_TABLE, SPECTRUM_TABLE
from lacuna.results.accuracy import SCAFFOLD
from lacuna.results.counts import MIN_CHAIN, Counts, count_sample
from lacuna.results.report.calibration import PROBABILITY_STEPS, Bin, bins_of, error_of
from lacuna.results.report.chain import LEVELS, MILLE, Chain
from lacuna.results.report.chains import (
    read_chains,
    with_doubts,
    with_evidence,
    with_measured,
    with_modifications,
    with_spectra,
)
from lacuna.results.report.distributions import Bars, distributions_of
from lacuna.results.report.evidence import (
    Placements,
    Proofread,
    doubts_by_chain,
    read_placements,
    read_proofread,
)
from lacuna.results.report.gaps import FILLED, Residues, UncertainGap, read_gaps, read_residues
from lacuna.results.report.listing import read_listing
from lacuna.results.report.masses import Antibody, antibody_of
from lacuna.results.report.methods import (
    BREAKDOWNS,
    Breakdown,
    Score,
    breakdown_of,
    model_of,
    read_scores,
)
from lacuna.results.report.next_steps import Step, read_steps
from lacuna.results.report.payload import BRIEF, FULL, encode_chains
from lacuna.results.report.words import MAX_ROWS, plural, shown, span
from lacuna.results.streams import chunks
from lacuna.scaffolds.alkylation import NONE, READINGS, Alkylation, read_alkylation

TABLES = ("filled", "accuracy", "residues", "gaps", "chains", "rejected")  # of every sample


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files of a sample from which the page is made.

    tables: by name, all of TABLES and, of a sample that has them, `alkylation` (the state of its
    C), `masses`, `doubts`, `evidence`, `reads` and `spectra`; given: the user's files by column of
    the sheet; stated: what else the sheet states of it, by column.
    """

    name: str
    tables: Mapping[str, Path]
    given: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    stated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Room:
    """How many chains a page still has room for: drawn in full, or listed."""

    drawn: int
    listed: int


class Intact(NamedTuple):
    """Intact masses: the chains of which they were measured, and how many of these meet theirs as
    filled."""

    measured: frozenset[str] = frozenset()
    met: int = 0


class Sure(NamedTuple):
    """Residues of gaps in the highest class of probability."""

    residues: int
    known: int  # with a truth
    right: int


@dataclass(frozen=True, slots=True)
class Sample:
    """All that the page shows of one sample.

    chains: those that are drawn; listed: how many are in its table instead; data: the block that
    the script reads, of either.
    """

    name: str
    counts: Counts
    statuses: tuple[tuple[str, int], ...]  # gaps that are not simply filled, in words
    verdicts: Mapping[str, int]  # gaps that are sure, likely, unsure and open
    sure_codes: int  # ambiguity codes that are sure
    to_check: int  # residues
    steps: Mapping[str, Sequence[Step]]  # what to measure next, and in which gaps
    weighed: int  # gaps of known mass that were filled
    intact: Intact
    rejected_rows: tuple[tuple[str, ...], ...]
    overall: tuple[Score, ...]
    breakdowns: tuple[Breakdown, ...]
    bins: tuple[Bin, ...]
    ece: float | None
    expected: float | None  # mean probability of all residues
    sure: Sure
    uncertain: tuple[UncertainGap, ...]
    alkylation: Alkylation | None
    chains: tuple[Chain, ...]
    listed: int
    data: str
    distributions: tuple[Bars, ...]
    antibody: Antibody | None
    placements: Placements | None
    proofread: Proofread | None

    @property
    def with_gaps(self) -> int:
        """Number of chains with gaps or ambiguity codes."""
        return self.counts.chains - self.counts.without_gap

    @property
    def notes(self) -> Iterator[str]:
        """Yield what to know about its chains, in sentences."""
        if self.counts.species:
            yield f"Species of the nearest germline: {self.counts.nearest_species(separator=',')}."
        if self.counts.several:
            yield f"Chains of more than one antibody: {self.counts.several}."
        if self.counts.without_gap:
            yield f"{plural(self.counts.without_gap, 'chain')} without a gap."
        if self.counts.short:
            yield f"{plural(self.counts.short, 'chain')} of less than {MIN_CHAIN} residues."
        for status, n in self.statuses:
            yield f"{plural(n, 'gap')} {shown(status)}."

    @property
    def model(self) -> Score | None:
        """Overall score of the model, if the truth is known."""
        return model_of(self.overall)

    @property
    def best_baseline(self) -> Score | None:
        """Overall score of the most accurate baseline, if there is one."""
        others = [s for s in self.overall if not s.is_model and s.protocol == SCAFFOLD]
        return max(others, key=lambda s: s.accuracy, default=None)

    @property
    def only_leucines(self) -> bool:
        """Whether its ambiguity codes are all J; known of chains that are drawn alone."""
        return {code for chain in self.chains for gap in chain.gaps for code in gap.code} == {"J"}

    @property
    def cysteine(self) -> str:
        """The mass of C in it and how that is known, as a sentence; '' without masses."""
        if self.alkylation is None or not (self.alkylation.masses or self.alkylation.spanned):
            return ""
        sentence = self.alkylation.sentence()
        return f"{sentence[0].upper()}{sentence[1:]}."

    @property
    def carried(self) -> str:
        """What C carries, in a few letters."""
        if self.alkylation is None or self.alkylation.how == "open":
            return "C not known"
        name = self.alkylation.readings[0][0]
        return "C unmodified" if name == NONE else f"C {READINGS[name].mass:+.4f}"

    @property
    def unsure_regions(self) -> list[str]:
        """Where the gaps are that are neither sure nor likely, of chains that are drawn."""
        regions = (
            gap.region
            for chain in self.chains
            for gap in chain.real_gaps
            if gap.verdict in ("unsure", "open")
        )
        return list(dict.fromkeys(filter(None, regions)))

    @property
    def places_to_check(self) -> list[tuple[str, str, str]]:
        """Chain, positions and region of runs of residues to check, of chains that are drawn.

        Those with most residues that are expected to be wrong come first.
        """
        found: list[tuple[float, tuple[str, str, str]]] = []
        for chain in self.chains:
            wrong = _wrong(chain)
            for run in _runs(chain):
                place = (chain.name, span(str(run[0]), str(run[-1])), chain.region_at(run[0]))
                found.append((sum(wrong.get(position, 0.0) for position in run), place))
        return [place for _, place in sorted(found, key=lambda one: -one[0])]


def read_sample(files: ReportFiles, room: Room) -> Sample:
    """A sample from its tables, with its chains if the page has room for them.

    Raises LacunaError if a table cannot be read.
    """
    tables = files.tables
    reads, doubts, masses = (tables.get(name) for name in ("reads", "doubts", "masses"))
    scores = read_scores(tables["accuracy"])
    gaps = read_gaps(tables["gaps"])
    residues = read_residues(tables["residues"], gaps)
    counts = count_sample(tables["chains"], tables["rejected"], reads)
    overall = tuple(scores["overall"])
    bins = bins_of(residues.known, residues.right)
    model = model_of(overall)
    drawn = counts.chains <= room.drawn
    detail = FULL if drawn else BRIEF
    listing = read_listing(tables, room.drawn if drawn else room.listed, detail.candidates)
    chains = tuple(_read_chains(files)) if drawn else ()
    proofread = read_proofread(doubts) if doubts is not None else None
    intact = _read_intact(masses) if masses is not None else Intact()
    to_check = residues.to_check + (proofread.total if proofread else 0)
    if drawn or "evidence" in tables:  # evidence and proofreading may doubt the same residue
        to_check = sum(len(chain.to_check) for chain in (chains or _read_chains(files)))
    return Sample(
        name=files.name,
        counts=counts,
        statuses=_unusual(gaps.statuses),
        verdicts=gaps.verdicts,
        sure_codes=residues.sure_codes,
        to_check=to_check,
        steps=read_steps(
            tables["gaps"],
            tables["residues"],
            reads=reads is not None,
            measured=intact.measured,
        ),
        weighed=gaps.weighed,
        intact=intact,
        rejected_rows=_read_rejected(tables["rejected"]),
        overall=overall,
        breakdowns=tuple(
            breakdown_of(title, scores[scope])
            for scope, title in BREAKDOWNS.items()
            if scores[scope]
        ),
        bins=bins,
        ece=model.ece if model is not None and model.ece is not None else error_of(bins),
        expected=_expected(residues),
        sure=_sure(residues),
        uncertain=tuple(gaps.uncertain),
        alkylation=read_alkylation(tables["alkylation"]) if "alkylation" in tables else None,
        chains=chains,
        listed=0 if drawn else len(listing.chains),
        data=encode_chains(listing, detail.step, chains) if len(listing.chains) else "",
        distributions=() if drawn else distributions_of(tables["chains"], residues),
        antibody=antibody_of(chains) if drawn else None,
        placements=read_placements(reads) if reads is not None else None,
        proofread=proofread,
    )


def _unusual(statuses: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """The most frequent statuses, with numbers of gaps, but for that of a gap simply filled."""
    most = sorted(statuses.items(), key=lambda x: (-x[1], x[0]))[:MAX_ROWS]
    return tuple((status, n) for status, n in most if status != FILLED)


def _expected(residues: Residues) -> float | None:
    """Mean probability of the residues of gaps; None if there are none."""
    steps = np.arange(PROBABILITY_STEPS + 1) / PROBABILITY_STEPS
    total = int(residues.all.sum())
    return float((residues.all * steps).sum() / total) if total else None


def _sure(residues: Residues) -> Sure:
    first = LEVELS[0] * PROBABILITY_STEPS // MILLE
    of_class = (counts[first:].sum() for counts in (residues.all, residues.known, residues.right))
    return Sure(*map(int, of_class))


def _read_chains(files: ReportFiles) -> Iterable[Chain]:
    """The chains of a sample, with all that its files say of them."""
    tables, given = files.tables, files.given
    found: Iterable[Chain] = read_chains(
        *(tables[name] for name in ("filled", "chains", "gaps", "residues"))
    )
    if "evidence" in tables:
        found = with_evidence(found, EVIDENCE_TABLE.read(tables["evidence"]))
    if "doubts" in tables:
        found = with_doubts(found, doubts_by_chain(tables["doubts"]))
    if "fasta" in given:
        gaps = given.get("gaps", [])
        found = with_modifications(found, given["fasta"][0], gaps[0] if gaps else None)
    if "masses" in tables:
        found = with_measured(found, MASS_TABLE.read(tables["masses"]))
    if "spectra" in tables:
        found = with_spectra(found, SPECTRUM_TABLE.read(tables["spectra"]))
    return found


def _read_intact(masses: Path) -> Intact:
    """The intact masses of masses.tsv."""
    rows = [row for row in MASS_TABLE.read(masses) if row.measured is not None]
    return Intact(frozenset(row.chain for row in rows), sum(row.met for row in rows))


def _read_rejected(path: Path) -> tuple[tuple[str, ...], ...]:
    """The first MAX_ROWS rows."""
    columns = ("chain", "line", "column", "reason")
    for chunk in chunks(path, columns):
        rows = chunk.head(MAX_ROWS).to_dict("records")
        return tuple(tuple(row[c] for c in columns) for row in rows)
    return ()


def _runs(chain: Chain) -> Iterator[list[int]]:
    """Yield residues to check that follow each other, as one run."""
    for _, run in groupby(enumerate(chain.to_check), lambda pair: pair[1] - pair[0]):
        yield [position for _, position in run]


def _wrong(chain: Chain) -> dict[int, float]:
    """The probability that a residue is wrong, by position, of those that something is said of."""
    wrong = {r.position: 1 - r.probability / MILLE for r in chain.residues}
    for doubt in chain.evidence.doubts:
        wrong[doubt.position] = max(doubt.wrong, wrong.get(doubt.position, 0.0))
    return wrong
