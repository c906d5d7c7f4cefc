"""A weighed chain as its rows, and as a scaffold with what is known of its gaps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.antibody.imgt import OTHER_INSERTION, imgt_numbers, regions_of
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import (
    ISOLEUCINE,
    LEUCINE,
    MISSING,
    MISSING_LETTER,
    N_RESIDUES,
    RESIDUES,
    il_as_one,
)
from lacuna.core.runs import runs_of
from lacuna.core.tables import (
    ALTERNATIVES,
    DOUBTFUL,
    INFERRED,
    OBSERVED,
    OBSERVED_PROBABILITY,
    EvidenceRow,
    Flag,
)
from lacuna.core.tsv import Shares
from lacuna.evidence.flags import flags_of
from lacuna.evidence.posterior import OBSERVED_MARGIN, as_l, margin_of
from lacuna.placing.stretches.junction_mass import TOLERANCE, JunctionMass
from lacuna.placing.votes.consensus import Votes
from lacuna.placing.votes.draft import Draft

DOUBTFUL_MARGIN = 0.5  # nats, tempered: from here on doubtful, below just inferred
LEAST_WRITTEN = 0.005  # probability of an alternative that is written


@dataclass(frozen=True, slots=True)
class ReadChain:
    """A chain of n residues with what reads say of it.

    nats: (n, 20) of their votes, as `likelihood` makes them; germline_only: (n,) whether nothing
    but germline shows a residue.
    """

    draft: Draft
    votes: Votes
    nats: np.ndarray
    germline_only: np.ndarray


@dataclass(frozen=True, slots=True)
class GapHint:
    """A gap of unknown length in a scaffold, with its columns of a gap table: 0-based, half-open,
    masses in Da."""

    start: int
    end: int
    mass: float | None
    tolerance_da: float | None
    min_length: int = 0
    closed: float | None = None  # probability that it has no residues


@dataclass(frozen=True, slots=True)
class WeighedChain:
    """A chain as reads and network have it.

    scaffold: residues that reads show, J for I or L, X elsewhere; an open stretch of unknown
    length has a typical one, and its row in `gaps`. rows: one for each position of the scaffold.
    """

    name: str
    scaffold: str
    gaps: tuple[GapHint, ...]
    rows: tuple[EvidenceRow, ...]


def chain_of(
    name: str,
    chain: ReadChain,
    posterior: np.ndarray,
    marked: Mapping[Flag, np.ndarray],
    mass: JunctionMass | None,
) -> WeighedChain:
    """What is written of a chain of n residues.

    posterior: (n, 20) by reads and the network; marked: (n,) which residues have a flag that is due
    to the whole sample, by flag; mass: of its open CDR3, if reads agree on one.
    """
    draft, found = chain.draft, chain.votes
    best = posterior.argmax(1)
    margin = margin_of(chain.nats)
    state = _states(chain.nats, posterior)
    flags = flags_of(draft, found, il_as_one(posterior).argmax(1), margin)
    for flag, where in marked.items():
        more = where & np.array([flag not in own for own in flags], dtype=bool)
        flags = [[flag, *own] if hit else own for hit, own in zip(more, flags, strict=True)]
    rows = _rows(name, draft, found.depth, posterior, state, flags)
    unknown = (draft.tokens >= MISSING) & (not draft.bridged) & ~chain.germline_only
    # A read of which only an end beyond its core shows a residue does not lie across it.
    crossing = np.where(found.depth > 0, margin, 0.0)
    in_doubt = marked.get(Flag.LENGTH, np.zeros(len(best), dtype=bool))
    open_run = _not_crossed(unknown, crossing, in_doubt)
    scaffold = _scaffold(best, state == OBSERVED, open_run)
    gaps = [_gap(start, end, mass) for start, end in runs_of(open_run)]
    gaps += _closed(draft, open_run)
    return WeighedChain(name, scaffold, tuple(gaps), tuple(rows))


def _rows(
    name: str,
    draft: Draft,
    depth: np.ndarray,
    posterior: np.ndarray,
    state: np.ndarray,
    flags: Sequence[Sequence[str]],
) -> Iterator[EvidenceRow]:
    """Yield the row of each position of a chain; depth (n,): how many reads show it; posterior:
    (n, 20); state (n,)."""
    order = np.argsort(-posterior, axis=1, kind="stable")[:, : ALTERNATIVES + 1]
    ranked = np.take_along_axis(posterior, order, 1).tolist()
    letters = [[RESIDUES[token] for token in row] for row in order.tolist()]
    columns = _columns_of(draft, "".join(row[0] for row in letters))
    numbers, regions = imgt_numbers(columns), regions_of(columns)
    each = zip(letters, ranked, strict=True)
    for i, ((best, *others), (probability, *shares)) in enumerate(each):
        germline = draft.germline[i]
        yield EvidenceRow(
            chain=name,
            position=i + 1,
            imgt=str(numbers[i]),
            region=str(regions[i]),
            residue=best,
            probability=probability,
            state=str(state[i]),
            depth=float(depth[i]),
            germline=RESIDUES[germline] if germline < N_RESIDUES else "",
            alternatives=Shares(
                (r, p) for r, p in zip(others, shares, strict=True) if p >= LEAST_WRITTEN
            ),
            flags=";".join(flags[i]),
        )


def _columns_of(draft: Draft, letters: str) -> np.ndarray:
    """(n,) columns of the residues (letters) of a chain; those of its segments if these residues
    are too few that are right to tell."""
    columns = np.concatenate([part.numbering.columns for part in number_parts(letters)])
    numbered = (columns <= OTHER_INSERTION).any()
    return columns if numbered else draft.columns


def _closed(draft: Draft, open_run: np.ndarray) -> list[GapHint]:
    """The place in CDR3 where nothing is missing by what reads say, unless an open run (n,) is
    there; a mass of the chain may say otherwise."""
    if draft.meeting is None:
        return []
    at = draft.cdr3()[0] + draft.meeting.at
    if open_run[at - 1 : at + 1].any():
        return []
    return [GapHint(at, at, None, None, closed=draft.meeting.probability)]


def _gap(start: int, end: int, mass: JunctionMass | None) -> GapHint:
    """A gap of unknown length, with the mass if it is of the same residues."""
    if mass is None or (mass.start, mass.stop) != (start, end):
        return GapHint(start, end, None, None)
    return GapHint(start, end, mass.mass, TOLERANCE)


def _states(nats: np.ndarray, posterior: np.ndarray) -> np.ndarray:
    """(n,) states of positions; nats, posterior: (n, 20) by reads alone, and with the network."""
    merged, margin = il_as_one(posterior), margin_of(nats)
    observed = (
        (margin >= OBSERVED_MARGIN)
        & (as_l(nats).argmax(1) == merged.argmax(1))
        & (merged.max(1) >= OBSERVED_PROBABILITY)
    )
    return np.where(observed, OBSERVED, np.where(margin >= DOUBTFUL_MARGIN, DOUBTFUL, INFERRED))


def _not_crossed(unknown: np.ndarray, margin: np.ndarray, in_doubt: np.ndarray) -> np.ndarray:
    """(n,) bool: the stretches of `unknown` (n,) of which reads do not show every residue, or whose
    length is in doubt (n,).

    Reads that show them all, even a single one, lie across the stretch, and so its length is as in
    the draft, unless they do so with other residues than the draft's beside it.
    """
    left = unknown.copy()
    for start, stop in runs_of(unknown):
        shown = margin[start:stop].min() >= DOUBTFUL_MARGIN
        left[start:stop] = not shown or in_doubt[start:stop].any()
    return left


def _scaffold(best: np.ndarray, observed: np.ndarray, open_run: np.ndarray) -> str:
    """The best residues (n,) where they are observed (n,), J for I or L; X elsewhere and in open
    runs (n,)."""
    letters = np.array([*RESIDUES])[best]
    letters[np.isin(best, (ISOLEUCINE, LEUCINE))] = "J"
    letters[~observed | open_run] = MISSING_LETTER
    return "".join(letters)
