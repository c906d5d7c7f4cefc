"""Lengths of gaps that are given without one.

At an end of a chain, columns and germline segments show how many residues are missing (`ends.py`):
this is the length of a gap without a mass, and preferred for one of known mass. For any other gap,
every length that its mass and bounds allow is tried: the chain is numbered, aligned and read by the
network as if the gap had it. With the right length, observed residues agree with their templates,
no germline column is empty or doubled, and some sequence with the gap's mass is probable. The sum
of these scores, in nats, decides. The probability of the length chosen is that of every residue's
being where it is, so it counts in their probabilities.

If spectra alone give the gap a mass, a length gains by how probable the network then holds it. If
its chain has an intact mass and other gaps too, so does a length by how probable that mass then is
(`by_mass.py`).

Work is linear in the number of gaps and bounded: a gap is tried in the part of its chain around it,
neighbouring gaps take turns, and a gap is tried again only after a gap near it has changed.
`untried` marks a gap with more possible lengths than may be tried.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.core.alphabet import MISSING_LETTERS
from lacuna.filling.lengths.by_mass import weigh_lengths
from lacuna.filling.lengths.expected import expect_ends
from lacuna.filling.lengths.open_gaps import OpenChain, OpenGap, open_chain
from lacuna.filling.lengths.scores import best_length, may_be_best
from lacuna.filling.reader import Reader, places_of, together
from lacuna.filling.template_fit import EMPTY_COLUMN_COST, template_fits
from lacuna.scaffolds.residue_masses import Modifications
from lacuna.scaffolds.resizing import variants_of
from lacuna.scaffolds.scaffold import Scaffold

ROUNDS = 2  # over the gaps of a chain that has several of unknown length
TURNS = 4  # per round: each gap is tried while its neighbours are fixed
REACH_RESIDUES = 256  # residues on either side of a gap that are included in its trial
MAX_END_COST = 10.0  # nats, for an end that is shorter or longer than in germline


def resolve_lengths(
    scaffolds: Sequence[Scaffold], modifications: Modifications, reader: Reader
) -> list[Scaffold]:
    """Give lengths to the gaps of scaffolds, in order; a gap that no length fits stays open."""
    chains = {}
    for i, scaffold in enumerate(scaffolds):
        observed = scaffold.sequence.strip(MISSING_LETTERS)
        if observed and not all(gap.fixed for gap in scaffold.gaps):
            chains[i] = open_chain(scaffold, modifications)
    expect_ends(list(chains.values()), reader.encoder.library)
    for _ in range(ROUNDS):
        changed = False
        for turn in range(TURNS):
            changed |= _take_turn(chains.values(), turn, reader)
        if not changed:
            break
    for chain in chains.values():
        weigh_lengths(chain, modifications, reader)
    return [chains[i].settled() if i in chains else s for i, s in enumerate(scaffolds)]


@dataclass(frozen=True, slots=True)
class _Trial:
    """An excerpt of a chain with every length of one of its gaps, which is `number` there."""

    chain: OpenChain
    found: OpenGap
    variants: list[Scaffold]
    number: int


def _take_turn(chains: Iterable[OpenChain], turn: int, reader: Reader) -> bool:
    """Choose lengths of every TURNS-th gap, others as chosen so far; return whether any changed."""
    changed = False
    for batch in together(list(_trials(chains, turn))):  # all by the lengths chosen so far
        for done, length in zip(batch, _best_lengths(batch, reader), strict=True):
            changed |= done.chain.chosen[done.found.number] != length
            done.chain.chosen[done.found.number] = length
    return changed


def _trials(chains: Iterable[OpenChain], turn: int) -> Iterator[_Trial]:
    """Yield every gap whose turn it is and near which a length has changed since its last trial."""
    for chain in chains:
        for found in chain.open[turn::TURNS]:
            if len(found.lengths) > 1:
                excerpt, lengths, number = _excerpt(chain, found.number)
                around = (*lengths[:number], *lengths[number + 1 :])
                if around != found.around:
                    found.around = around
                    variants = variants_of(excerpt, lengths, number, found.lengths)
                    yield _Trial(chain, found, variants, number)


def _excerpt(chain: OpenChain, number: int) -> tuple[Scaffold, list[int | None], int]:
    """The chain within REACH_RESIDUES of a gap, lengths of the gaps there, and the gap's number
    there.

    Residues are counted at the chosen lengths. If REACH_RESIDUES were 4, the excerpt of the second
    gap of ACDEF--GHIKL---MNPQR would be HIKL---MNPQ; if it were 6, GHIKL---MNPQR: the first gap is
    further away than that, and an excerpt does not begin within a gap.
    """
    gaps, chosen = chain.scaffold.gaps, chain.chosen
    starts, ends = (np.array(x) for x in zip(*((g.start, g.end) for g in gaps), strict=True))
    sizes = [e - s if c is None else c for s, e, c in zip(starts, ends, chosen, strict=True)]
    grown = np.cumsum(sizes - (ends - starts))  # residues by which gaps up to each are longer
    begins, stops = ends + grown - sizes, ends + grown  # at the chosen lengths
    low, high = begins[number] - REACH_RESIDUES, stops[number] + REACH_RESIDUES
    first = int(np.searchsorted(begins, low))
    last = int(np.searchsorted(stops, high, "right"))
    start = max(starts[first] - (begins[first] - low), ends[first - 1] if first else 0)
    end = ends[last - 1] + (high - stops[last - 1])
    end = min(end, starts[last] if last < len(gaps) else len(chain.scaffold.sequence))
    excerpt = replace(
        chain.scaffold,
        sequence=chain.scaffold.sequence[start:end],
        gaps=tuple(replace(g, start=g.start - start, end=g.end - start) for g in gaps[first:last]),
        modifications=(),
        evidence=tuple(
            replace(one, position=one.position - start)
            for one in chain.scaffold.evidence
            if start <= one.position < end
        ),
    )
    return excerpt, chosen[first:last], number - first


def _best_lengths(trials: Sequence[_Trial], reader: Reader) -> list[int]:
    """The best length of each gap; ties go to the shorter."""
    variants = [(variant, trial.number) for trial in trials for variant in trial.variants]
    kmers = reader.encoder.encode([variant for variant, _ in variants])
    templates = template_fits(variants, kmers)
    end_costs = np.array([_end_cost(one, variant) for one in trials for variant in one.variants])
    fits = templates.total - end_costs
    places = list(zip(trials, places_of(trials), strict=True))
    asked = np.concatenate([may_be_best(one.found, fits[at]) for one, at in places])
    read = reader.read_gaps(variants, kmers, asked)
    return [
        best_length(one.found, templates.part(at), end_costs[at], asked[at], read[at])
        for one, at in places
    ]


def _end_cost(trial: _Trial, variant: Scaffold) -> float:
    """Nats that a gap at an end costs for its difference in length from germline."""
    if trial.found.expected is None:
        return 0.0
    gap = variant.gaps[trial.number]
    off = abs(gap.size - trial.found.expected)
    return min(EMPTY_COLUMN_COST * off, MAX_END_COST)
