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

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.antibody.germlines import LOCI, v_segments
from lacuna.core.alphabet import MISSING_LETTERS, N_RESIDUES
from lacuna.filling.lengths.by_mass import weigh_lengths
from lacuna.filling.lengths.ends import (
    constant_left,
    missing_after,
    missing_before,
    share_after,
    share_before,
    without_doubtful_fr4,
)
from lacuna.filling.lengths.open_gaps import OpenChain, OpenGap, open_chain
from lacuna.filling.masses.by_spectra import nats_of_lengths
from lacuna.filling.masses.mass_errors import likely_error
from lacuna.filling.reader import VARIANTS, Reader, mean_surest, together
from lacuna.filling.search.decode import mass_log_probability
from lacuna.filling.search.rivals import SPAN
from lacuna.filling.search.stages import Stages
from lacuna.filling.template_fit import EMPTY_COLUMN, template_fits
from lacuna.network.encode import encode_scaffolds
from lacuna.network.kmers import PartSegments
from lacuna.scaffolds.residue_masses import MassRules, Modifications
from lacuna.scaffolds.resizing import with_lengths
from lacuna.scaffolds.scaffold import Gap, Scaffold, SpectralEvidence

ROUNDS = 2  # over the gaps of a chain that has several of unknown length
TURNS = 4  # per round: each gap is tried while its neighbours are fixed
REACH = 256  # residues on either side of a gap that are included in its trial
MAX_END_COST = 10.0  # nats, for an end that is shorter or longer than in germline
NO_FIT = -1e6  # nats, for a length at which no sequence has the gap's mass
# Without a mass, the probability of a length needs other weights than the choice: templates and
# network say more than the nats of their scores, and only those of the length of a CDR3 are right
# as they are. Fitted on 4,100 gaps of 1 to 15 residues in chains that were left out of training. On
# 2,460 others the expected calibration error of the length's probability is 0.008.
FIT_WEIGHT, SURE_WEIGHT = 2.5, 3.0
LEAST = math.log(1 / N_RESIDUES)  # nats, lower limit of the mean of a gap's most probable residues


def resolve_lengths(
    scaffolds: Sequence[Scaffold], modifications: Modifications, reader: Reader
) -> list[Scaffold]:
    """Give lengths to the gaps of scaffolds, in order; a gap that no length fits stays open."""
    chains = {}
    for i, scaffold in enumerate(scaffolds):
        observed = scaffold.sequence.strip(MISSING_LETTERS)
        if observed and not all(gap.fixed for gap in scaffold.gaps):
            chains[i] = open_chain(scaffold, modifications)
    _expect_ends(list(chains.values()), reader)
    for _ in range(ROUNDS):
        changed = False
        for turn in range(TURNS):
            changed |= _take_turn(chains.values(), turn, reader)
        if not changed:
            break
    for chain in chains.values():
        weigh_lengths(chain, modifications, reader)
    return [chains[i].settled() if i in chains else s for i, s in enumerate(scaffolds)]


# --- ends of chains ------------------------------------------------------------------------------


def _expect_ends(chains: Sequence[OpenChain], reader: Reader) -> None:
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
    for start in range(0, len(cut), VARIANTS):
        some = cut[start : start + VARIANTS]
        kmers = encode_scaffolds([rest for *_, rest in some], reader.encoder.library)
        columns = np.split(
            kmers.chain_columns.numpy(), np.cumsum([len(rest.sequence) for *_, rest in some])
        )
        for (chain, ends, rest), of_chain, parts in zip(
            some, columns, kmers.parts_of_chains(), strict=False
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
    """rest: the chain without the gap; columns: (length,) of its residues."""
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
    weighed = found.gap.mass is not None or _by_spectra(found) is not None
    if expected is not None and not weighed and found.lengths:
        most = expected if found.gap.max_length is None else found.gap.max_length
        length = max(min(expected, most), found.gap.min_length)
        found.lengths, found.untried = range(length, length + 1), False
        chain.chosen[found.number] = length
        if locus:
            found.share = (share_after if found.gap.start else share_before)(columns, locus)


# --- trials --------------------------------------------------------------------------------------


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
                    variants = [
                        with_lengths(excerpt, [*lengths[:number], length, *lengths[number + 1 :]])
                        for length in found.lengths
                    ]
                    yield _Trial(chain, found, variants, number)


def _excerpt(chain: OpenChain, number: int) -> tuple[Scaffold, list[int | None], int]:
    """The chain within REACH of a gap, lengths of the gaps there, and the gap's number there."""
    gaps, chosen = chain.scaffold.gaps, chain.chosen
    starts, ends = (np.array(x) for x in zip(*((g.start, g.end) for g in gaps), strict=True))
    sizes = [e - s if c is None else c for s, e, c in zip(starts, ends, chosen, strict=True)]
    grown = np.cumsum(sizes - (ends - starts))  # residues by which gaps up to each are longer
    begins, stops = ends + grown - sizes, ends + grown  # at the chosen lengths
    low, high = begins[number] - REACH, stops[number] + REACH
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
        evidence=(),
    )
    return excerpt, chosen[first:last], number - first


def _best_lengths(trials: Sequence[_Trial], reader: Reader) -> list[int]:
    """The best-scoring length of each gap; ties go to the shorter."""
    pairs = [(trial, variant) for trial in trials for variant in trial.variants]
    kmers = reader.encoder.encode([variant for _, variant in pairs])
    variants = [(variant, trial.number) for trial, variant in pairs]
    templates = template_fits(variants, kmers)
    end_costs = np.array([_end_cost(trial, variant) for trial, variant in pairs])
    fits = templates.total - end_costs
    of_trial = np.repeat(np.arange(len(trials)), [len(trial.variants) for trial in trials])
    likely = np.array(
        [trial.found.gap.weighed or _by_spectra(trial.found) is not None for trial, _ in pairs]
    )
    for i in range(len(trials)):
        of_gap = fits[of_trial == i]
        likely[of_trial == i] |= of_gap >= of_gap.max() + LEAST  # without a mass, others cannot win
    distributions = reader.read_gaps(variants, kmers, likely)
    best = []
    for i, trial in enumerate(trials):
        rows = np.flatnonzero((of_trial == i) & likely)
        first = int(np.searchsorted(of_trial, i))
        found = trial.found
        read = {j - first: (fits[j], distributions[j]) for j in rows.tolist()}
        if found.stages is not None:
            best.append(_best_of(trial, read))
            continue
        of_gap = of_trial == i
        surest = {j: mean_surest(distribution) for j, (_, distribution) in read.items()}
        cdr3 = templates.cdr3[of_gap]
        evidence = _by_spectra(found)
        if evidence is not None:
            nats = nats_of_lengths([one for _, one in read.values()], evidence, found.rules)
            shown = np.array(nats) - end_costs[of_gap]
            shares = shares_of_lengths(templates.total[of_gap], cdr3, surest, shown)
            best.append(found.lengths[int(np.argmax(shares))])
        elif found.gap.closed is not None:
            shares = _of_closed(found, shares_of_lengths(fits[of_gap], cdr3, surest))
            best.append(found.lengths[int(np.argmax(shares))])
        else:
            shares = shares_of_lengths(fits[of_gap], cdr3, surest)
            best.append(_best_of(trial, read))
        found.shares = tuple(shares.tolist())
        found.share = found.shares[found.lengths.index(best[-1])]
    return best


def _of_closed(found: OpenGap, shares: np.ndarray) -> np.ndarray:
    """Probabilities of the lengths (n,) of a gap that reads closed, from those that templates and
    network give the other lengths."""
    none = np.array(found.lengths) == 0
    closed = found.gap.closed or 0.0
    others = np.where(none, 0.0, shares)
    return np.where(none, closed, (1 - closed) * others / max(others.sum(), 1e-300))


def _by_spectra(found: OpenGap) -> SpectralEvidence | None:
    """What spectra say of a gap, if they alone give its mass."""
    spectra = found.gap.spectra
    alone = found.stages is None and spectra is not None and spectra.mass is not None
    return spectra if alone else None


def shares_of_lengths(
    fits: np.ndarray,
    cdr3: np.ndarray,
    surest: Mapping[int, float],
    shown: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Probabilities of the lengths (n,) of a gap without a mass.

    fits: how well the chain agrees with its templates then, in nats; cdr3: the part of this that
    is due to the length of the CDR3; surest: by the number of a length, the mean log probability of
    its most probable residues, where the network was asked; elsewhere that of the best is taken;
    shown: nats of each by what else is known, as by the mass that spectra give.
    """
    sure = np.full(len(fits), max(surest.values()))
    sure[list(surest)] = list(surest.values())
    nats = FIT_WEIGHT * (fits - cdr3) + cdr3 + SURE_WEIGHT * sure + shown
    shares = np.exp(nats - nats.max())
    return np.asarray(shares / shares.sum())


def _best_of(trial: _Trial, read: Mapping[int, tuple[float, np.ndarray]]) -> int:
    """The best length of a gap; read: how well variants fit, and distributions (length, 20).

    If the gap has a mass, what was read at plausible lengths is kept. A prefix mass is left out
    if no length fits because of it.
    """
    found = trial.found
    scores = _scores(found, found.stages, read)
    if found.stages is not None and max(scores.values()) <= NO_FIT / 2:
        options = [found.stages.without(prefix) for prefix in found.stages.prefixes()]
        for others in (some for some in options if some.passed):
            fewer = _scores(found, others, read)
            if max(fewer.values()) > max(scores.values()):
                scores, found.stages = fewer, others
    lengths = {found.lengths[i]: score for i, score in scores.items()}
    best = max(lengths, key=lambda length: (lengths[length], -length))
    if found.stages is not None:
        least = max(lengths[best] - SPAN, NO_FIT / 2)
        found.read = {found.lengths[i]: (s, read[i][1]) for i, s in scores.items() if s >= least}
        if found.gap.weighed:
            found.mass_error = _mass_error(found, found.stages.weighed(), scores, read)
    return best


def _mass_error(
    found: OpenGap,
    stages: Stages,
    scores: Mapping[int, float],
    read: Mapping[int, tuple[float, np.ndarray]],
) -> str:
    """What the masses of a gap fit far better without, in words; '' if nothing.

    stages: without spectra; scores: of the plausible variants; read: of all.
    """
    if found.stages is not stages:  # scores of which spectra are a part say nothing of the masses
        scores = {i: read[i][0] + _gap_score(read[i][1], stages, found.rules) for i in scores}
    total = np.logaddexp.reduce([fit for fit, _ in read.values()])
    probability = math.exp(min(float(np.logaddexp.reduce(list(scores.values())) - total), 0.0))
    return likely_error(list(read.values()), stages, found.rules, probability)


def _scores(
    found: OpenGap, stages: Stages | None, read: Mapping[int, tuple[float, np.ndarray]]
) -> dict[int, float]:
    """The score of every variant that can be the best or, with masses, plausible, in nats."""
    scores: dict[int, float] = {}
    best = -math.inf
    for i, (fit, distributions) in sorted(read.items(), key=lambda item: -item[1][0]):
        # No gap adds more than that: a residue that may be modified counts up to twice.
        most = fit + found.lengths[i] * math.log(2)
        most += 0.0 if stages is None else stages.most_shown(found.lengths[i])
        if most >= best - (0.0 if stages is None else SPAN):
            scores[i] = fit + _gap_score(distributions, stages, found.rules)
            best = max(best, scores[i])
    return scores


def _end_cost(trial: _Trial, variant: Scaffold) -> float:
    """Nats that a gap at an end costs for its difference in length from germline."""
    if trial.found.expected is None:
        return 0.0
    gap = variant.gaps[trial.number]
    off = abs(gap.end - gap.start - trial.found.expected)
    return min(EMPTY_COLUMN * off, MAX_END_COST)


def _gap_score(distribution: np.ndarray, stages: Stages | None, rules: MassRules) -> float:
    """Log probability of the gap's masses; without any, the mean of its most probable residues."""
    if stages is None:
        return mean_surest(distribution)
    found = mass_log_probability(distribution, stages, rules)
    return max(found, NO_FIT)
