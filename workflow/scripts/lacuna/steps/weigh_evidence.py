"""What reads and network say about each position, as files: scaffolds, evidence, reads.tsv."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import atomic_write
from lacuna.core.records import read_record
from lacuna.core.tables import (
    ALTERNATIVES,
    DOUBTFUL,
    EVIDENCE_TABLE,
    INFERRED,
    MIN_ALTERNATIVE,
    OBSERVED,
    PLACED_TABLE,
    EvidenceRow,
    Flag,
)
from lacuna.core.tsv import Shares, plain_row
from lacuna.evidence.chain import GapHint
from lacuna.evidence.posterior import FLOORS
from lacuna.evidence.weigh import weigh
from lacuna.placing.place import Placed
from lacuna.placing.votes.draft import Meeting
from lacuna.scaffolds.evidence_table import AT_ODDS, SPREAD, WITHIN
from lacuna.scaffolds.evidence_table import LONG_FORM as EVIDENCE_COLUMNS
from lacuna.scaffolds.fasta import fasta_record
from lacuna.scaffolds.gap_table import CLOSED
from lacuna.scaffolds.gap_table import COLUMNS as GAP_COLUMNS
from lacuna.steps.load import load_large_network, load_reader
from lacuna.steps.place_reads import GivenChain, PlacedReads
from lacuna.steps.reader_files import ReaderFiles

LOG = logging.getLogger(__name__)


class _Evidence(NamedTuple):
    """A row of the evidence table of a chain; position from 1, the last three as there."""

    position: int
    residue: str
    share: float
    spread: float = 0.0
    within: int = 0
    at_odds: bool = False


class _Weighed(NamedTuple):
    """A chain as it is written: its scaffold, and what is known about its gaps and positions.

    evidence: rows for its missing residues, by reads alone if the chain was given, by reads and
    network if the reads gave it.
    """

    name: str
    about: str
    scaffold: str
    gaps: Sequence[GapHint]
    evidence: Iterable[_Evidence]
    positions: Sequence[EvidenceRow]


def weigh_evidence(
    placed: Path,
    scaffolds: Path,
    reads: Path,
    evidence: Path,
    gaps: Path,
    positions: Path,
    *,
    reader: ReaderFiles,
) -> None:
    """Weigh what reads say against the network, and write what the chains are filled from.

    scaffolds: FASTA of the chains, X where reads show nothing; evidence, gaps: tables of what is
    known there all the same, in the form of the sheet's columns; positions: rows of evidence.tsv in
    the coordinates of the scaffolds, from 1; reads: reads.tsv.
    """
    found = read_record(placed, PlacedReads)
    if found.found is None:
        chains = [_of_given(chain) for chain in found.given]
    else:
        chains = _of_reads(found.found, reader)
    _write(chains, scaffolds, evidence, gaps, positions)
    PLACED_TABLE.write(reads, found.rows)


def _of_reads(placed: Placed, reader: ReaderFiles) -> list[_Weighed]:
    """The chains that reads gave, by reads and network."""
    if placed.serum:
        LOG.warning("the reads are of many antibodies, of which none can be told apart")
    loaded, large_network = load_reader(reader), reader.large_network
    weighed = weigh(
        placed,
        loaded.predictor.model,
        loaded.encoder.library,
        loaded.encoder.homologs,
        large=None if large_network is None else load_large_network(large_network),
        k=loaded.encoder.k,
        stride=loaded.encoder.stride,
    )
    shares = {population.name: population.share for population in placed.populations}
    meetings = {
        name: None if placed.serum else draft.meeting
        for name, draft in zip(placed.names, placed.drafts, strict=True)
    }
    return [
        _Weighed(
            name=c.name,
            about=_about(shares[c.name], meetings[c.name]),
            scaffold=c.scaffold,
            gaps=c.gaps,
            evidence=_posterior(c.scaffold, c.gaps, c.rows),
            positions=c.rows,
        )
        for c in weighed
    ]


def _posterior(
    scaffold: str, gaps: Sequence[GapHint], rows: Sequence[EvidenceRow]
) -> Iterator[_Evidence]:
    """Yield the probabilities of the missing residues of known places."""
    unknown = {position for gap in gaps for position in range(gap.start, gap.end)}
    for i, (letter, row) in enumerate(zip(scaffold, rows, strict=True)):
        if letter not in RESIDUES and i not in unknown:
            yield _Evidence(i + 1, row.residue, row.probability or 0.0)
            for residue, share in row.alternatives:
                yield _Evidence(i + 1, residue, share)


def _about(share: float, meeting: Meeting | None) -> str:
    """The description of a chain that reads gave; meeting: of the sides of its CDR3."""
    about = f"{share:.2f} of the placed reads"
    if meeting is None:
        return about
    return f"{about}; nothing is missing in CDR3 with a probability of {meeting.probability:.2f}"


def _write(
    chains: Sequence[_Weighed], scaffolds: Path, evidence: Path, gaps: Path, positions: Path
) -> None:
    with atomic_write(scaffolds) as handle:
        for chain in chains:
            handle.write(fasta_record(chain.name, chain.about, chain.scaffold))
    with atomic_write(evidence) as handle:
        handle.write(plain_row((*EVIDENCE_COLUMNS, SPREAD, WITHIN, AT_ODDS)))
        for chain in chains:
            for row in chain.evidence:
                found = chain.name, row.position, row.residue, f"{row.share:.6g}"
                last = row.spread or "", row.within or "", "yes" if row.at_odds else ""
                handle.write(plain_row((*found, *last)))
    with atomic_write(gaps) as handle:
        handle.write(plain_row((*GAP_COLUMNS, CLOSED)))
        for chain in chains:
            for gap in chain.gaps:
                cells = [getattr(gap, name, None) for name in (*GAP_COLUMNS[1:], CLOSED)]
                handle.write(plain_row((chain.name, *("" if c is None else c for c in cells))))
    with atomic_write(positions) as handle:
        handle.write(EVIDENCE_TABLE.header)
        for chain in chains:
            handle.write(EVIDENCE_TABLE.text(chain.positions))


def _of_given(chain: GivenChain) -> _Weighed:
    """A chain of the sample's FASTA: reads are evidence for what it misses."""
    letters, shown = chain.sequence, chain.shown
    told = ~shown.open & (shown.seen | shown.other_length | (shown.within > 0))
    evidence = [
        _Evidence(
            position=int(shown.place[i]) + 1,
            residue=residue,
            share=float(shown.weights[i, r]),
            spread=FLOORS[Flag.LENGTH] if shown.other_length[i] else 0.0,
            within=int(shown.within[i]),
            at_odds=bool(shown.at_odds[i]),
        )
        for i, letter in enumerate(letters)
        if letter not in RESIDUES and told[i]
        for r, residue in enumerate(RESIDUES)
    ]
    return _Weighed(
        name=chain.name,
        about="",
        scaffold=letters,
        gaps=(),
        evidence=evidence,
        positions=list(_positions(chain)),
    )


def _positions(chain: GivenChain) -> Iterator[EvidenceRow]:
    """Yield what reads say about every position of a given chain, I and L as one.

    A position is that of the chain as it was given: all residues of a gap whose length reads show
    have the same, and come in order.
    """
    shown = chain.shown
    for i, letter in enumerate(chain.sequence):
        shares = _il_as_one(shown.weights[i], letter)
        best = sorted(shares.items(), key=lambda pair: -pair[1])
        others = [(r, p) for r, p in best if r != letter and p >= MIN_ALTERNATIVE]
        known, seen = letter in RESIDUES, bool(shown.seen[i])
        observed = known or (seen and not shown.open[i])
        told = known and seen
        flags = [Flag.AGAINST_READS] if told and best[0][0] != letter else []
        flags += [Flag.LENGTH] if shown.other_length[i] else []
        yield EvidenceRow(
            chain=chain.name,
            position=int(shown.place[i]) + 1,
            imgt="",
            region="",
            residue=letter if known else best[0][0],
            probability=shares[letter] if told else None,
            state=DOUBTFUL if flags else OBSERVED if observed else INFERRED,
            depth=float(shown.depth[i]),
            germline="",
            alternatives=Shares(others[:ALTERNATIVES] if told else ()),
            flags=";".join(flags),
        )


def _il_as_one(weights: np.ndarray, letter: str) -> dict[str, float]:
    """Weights (20,) by residue, those of I and L together under L, or under I if that is given."""
    shares = dict(zip(RESIDUES, weights.tolist(), strict=True))
    both = shares["I"] + shares["L"]
    if letter == "I":
        del shares["L"]
        return shares | {"I": both}
    return shares | {"I": 0.0, "L": both}
