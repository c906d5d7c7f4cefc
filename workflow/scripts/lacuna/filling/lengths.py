"""Lengths of gaps that are given without one.

At an end of a chain, columns and germline segments show how many residues are missing (`ends.py`):
this is the length of a gap without a mass, and preferred for one of known mass. For any other gap,
every length that its mass and bounds allow is tried: the chain is numbered, aligned and read by the
network as if the gap had it. With the right length, observed residues agree with their templates,
no germline column is empty or doubled, and some sequence with the gap's mass is probable. The sum
of these scores, in nats, decides.

Work is linear in the number of gaps and bounded: a gap is tried in the part of its chain around it,
neighbouring gaps take turns, and a gap is tried again only after a gap near it has changed.
`untried` marks a gap with more possible lengths than may be tried.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lacuna.antibody.germlines import LOCI, v_segments
from lacuna.antibody.imgt import CYS104, FR4_LAST, FR4_START, INSERTION_111, N_IMGT, OTHER_INSERTION
from lacuna.antibody.numbering import TYPICAL_CDR3
from lacuna.core.alphabet import ABSENT, MISSING, MISSING_LETTER, N_RESIDUES
from lacuna.filling.decode import mass_log_probability
from lacuna.filling.ends import constant_left, missing_after, missing_before
from lacuna.filling.intact import left_for_gaps, unweighed
from lacuna.filling.mass_search import Stages, allowed_lengths, stages_of
from lacuna.filling.residue_masses import (
    MAX_MASS,
    MAX_RESIDUES,
    MassRules,
    Modifications,
    mass_rules,
)
from lacuna.filling.rivals import SPAN, Contest, contest
from lacuna.network.kmers import Encoder, KmerSet, PartSegments, Targets, encode_scaffolds
from lacuna.network.predict import Predictor
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.templates.nearest import N_GERMLINE

MAX_LENGTHS = 40  # lengths tried for a gap without an upper bound
MAX_BOUNDED_LENGTHS = 128  # for one with bounds
MAX_GAP_RESIDUES = 6_000  # in all lengths tried for a gap of known mass
MAX_TRIALS = 4_000  # lengths tried for all gaps of a chain
MAX_WEIGHED = 2_500  # residues in all lengths tried for all gaps of known mass of a chain, where
COSTLY = 30  # residues of a gap count: of longer ones fewer sequences are kept
AVERAGINE = (
    111.0543  # Da, the mean residue of proteins (Senko et al. 1995, 10.1016/1044-0305(95)00017-8)
)
ROUNDS = 2  # over the gaps of a chain that has several of unknown length
TURNS = 4  # per round: each gap is tried while its neighbours are fixed
REACH = 256  # residues on either side of a gap that are included in its trial
VARIANTS = 256  # chains with a trial length that are read together
MATCH = 1.0  # nats per observed residue that agrees with its template
CUT_COLUMN = 1.0  # nats per column by which a V domain begins late or ends early
EMPTY_COLUMN = 2.0  # nats per germline column without a residue, or the reverse
MAX_END_COST = 10.0  # nats, for an end that is shorter or longer than in germline
CDR3_SCALE = {"H": 3.0, "K": 0.5, "L": 1.0}  # residues off the typical length that cost a nat
NO_FIT = -1e6  # nats, for a length at which no sequence has the gap's mass
LEAST = math.log(1 / N_RESIDUES)  # nats, lower limit of the mean of a gap's most probable residues


def possible_lengths(gap: Gap, rules: MassRules | None = None) -> list[int]:
    """Lengths to try among those that the gap's bounds and mass allow, shortest first.

    Within given bounds, at most MAX_BOUNDED_LENGTHS; without an upper one, MAX_LENGTHS. If there
    are more, the shortest or, with a mass, those nearest to its expected number of residues at
    AVERAGINE each. None if the mass is too large to decode.
    """
    return list(_nearest(_allowed(gap, rules), gap, _limit(gap)))


def _allowed(gap: Gap, rules: MassRules | None) -> range:
    """All lengths that the gap's bounds and mass allow; MAX_LENGTHS if it has neither."""
    stages = stages_of(gap)
    if gap.mass is not None and gap.mass > MAX_MASS:
        return range(0)
    lengths = allowed_lengths(gap, stages, rules or MassRules())
    if gap.mass is not None:
        return lengths[: max(MAX_RESIDUES + 1 - lengths.start, 0)]
    return lengths[:MAX_LENGTHS] if gap.max_length is None else lengths


def _limit(gap: Gap) -> int:
    """The largest number of lengths that are tried for a gap."""
    limit = MAX_LENGTHS if gap.max_length is None else MAX_BOUNDED_LENGTHS
    if gap.mass is None:
        return limit
    return max(1, min(limit, int(MAX_GAP_RESIDUES * AVERAGINE / gap.mass)))


def _nearest(lengths: range, gap: Gap, n: int) -> range:
    """Up to n lengths: those nearest to the number expected from the mass, or the shortest."""
    if gap.mass is None:
        return lengths[:n]
    first = math.ceil(gap.mass / AVERAGINE - n / 2)
    first = max(min(first, lengths.stop - n), lengths.start)
    return range(first, min(first + n, lengths.stop))


def with_lengths(scaffold: Scaffold, lengths: Sequence[int | None]) -> Scaffold:
    """The scaffold with one X per residue of every gap; with None a gap stays as it is.

    Gaps keep their position in the user's coordinates as `origin`.
    """
    parts: list[str] = []
    gaps: list[Gap] = []
    done = shift = 0
    for gap, length in zip(scaffold.gaps, lengths, strict=True):
        parts.append(scaffold.sequence[done : gap.start])
        here = scaffold.sequence[gap.start : gap.end]
        if length is not None and not gap.fixed:
            here = MISSING_LETTER * length
        start = gap.start + shift
        parts.append(here)
        moved = replace(gap, start=start, end=start + len(here), origin=(gap.start, gap.end))
        if length is not None and not gap.fixed:
            moved = replace(moved, min_length=length, max_length=length)
        gaps.append(moved)
        done = gap.end
        shift += len(here) - (gap.end - gap.start)
    parts.append(scaffold.sequence[done:])
    ends = [gap.end for gap in scaffold.gaps]
    grown = [new.end - old.end for old, new in zip(scaffold.gaps, gaps, strict=True)]

    def now_at(position: int) -> int:
        """Where a position ends up that is in no gap of unknown length."""
        before = bisect_right(ends, position)
        return position + (grown[before - 1] if before else 0)

    return replace(
        scaffold,
        sequence="".join(parts),
        gaps=tuple(gaps),
        modifications=tuple(
            replace(m, position=now_at(m.position)) for m in scaffold.modifications
        ),
        evidence=tuple(replace(e, position=now_at(e.position)) for e in scaffold.evidence),
    )


@dataclass(slots=True)
class _Open:
    """A gap of unknown length: its number in the chain, its masses, what is known of its length.

    lengths: those to try; untried: whether bounds and mass allow more; expected: from germline, at
    an end of its chain; around: chosen lengths of the gaps near it when it was last tried; read: if
    it has a mass, its plausible lengths then, each with its score and distributions.
    """

    number: int
    gap: Gap
    rules: MassRules
    stages: Stages | None
    lengths: range
    untried: bool = False
    expected: int | None = None
    around: tuple[int | None, ...] | None = None
    read: Mapping[int, tuple[float, np.ndarray]] = field(default_factory=dict)

    def contest(self) -> Contest | None:
        """Its sequences of all plausible lengths; None if there are not several."""
        if self.stages is None or len(self.read) < 2:
            return None
        return contest(self.read, self.stages, self.rules)


@dataclass(slots=True)
class _Chain:
    """A chain with gaps of unknown length; chosen: a length for each of its gaps."""

    scaffold: Scaffold
    open: list[_Open]
    chosen: list[int | None]

    def settled(self) -> Scaffold:
        """The scaffold with the chosen lengths; a gap with a mass has that of its best sequence."""
        contests = {found.number: found.contest() for found in self.open}
        chosen = list(self.chosen)
        for number, ranked in contests.items():
            if ranked is not None:
                chosen[number] = ranked.length
        scaffold = with_lengths(self.scaffold, chosen)
        gaps = list(scaffold.gaps)
        for found in self.open:
            gap, ranked = gaps[found.number], contests[found.number]
            if ranked is not None:
                share, rivals = ranked.probability, ranked.rivals
                gap = replace(gap, length_probability=share, rivals=rivals)
            gaps[found.number] = replace(gap, untried=found.untried)
        return replace(scaffold, gaps=tuple(gaps))


@dataclass(frozen=True, slots=True)
class Reader:
    """Everything needed to read the chains of a sample."""

    encoder: Encoder
    predictor: Predictor

    def predict(self, kmers: KmerSet, asked: np.ndarray) -> np.ndarray:
        """Distributions (asked, 20) of only those targets with `asked` (t,) bool."""
        return self.predictor.predict(kmers.of_targets(asked))


def resolve_lengths(
    scaffolds: Sequence[Scaffold], modifications: Modifications, reader: Reader
) -> list[Scaffold]:
    """Give lengths to the gaps of scaffolds, in order; a gap that no length fits stays open."""
    chains = {}
    for i, scaffold in enumerate(scaffolds):
        observed = any(c not in "XBJZ" for c in scaffold.sequence)
        if observed and not all(gap.fixed for gap in scaffold.gaps):
            chains[i] = _opened(scaffold, modifications)
    _expect_ends(list(chains.values()), reader)
    for _ in range(ROUNDS):
        changed = False
        for turn in range(TURNS):
            changed |= _take_turn(chains.values(), turn, reader)
        if not changed:
            break
    return [chains[i].settled() if i in chains else s for i, s in enumerate(scaffolds)]


def _opened(scaffold: Scaffold, modifications: Modifications) -> _Chain:
    """A chain with the lengths to try for each of its gaps of unknown length."""
    found = []
    alone = unweighed(scaffold)
    rest = left_for_gaps(scaffold) if len(alone) == 1 else None
    for number, gap in enumerate(scaffold.gaps):
        if not gap.fixed:
            if number in alone and rest is not None:
                (whole,) = rest.passed
                gap = replace(gap, mass=whole.mass, tolerance_da=whole.tolerance)
            rules = mass_rules(scaffold, gap, modifications)
            found.append(_Open(number, gap, rules, stages_of(gap), _allowed(gap, rules)))
    most = MAX_TRIALS
    if sum(min(len(one.lengths), _limit(one.gap)) for one in found) > MAX_TRIALS:
        most = max(MAX_TRIALS // len(found), 1)
    share = min(MAX_WEIGHED / max(sum(map(_cost, found)), 1.0), 1.0)
    chosen: list[int | None] = [None] * len(scaffold.gaps)
    for one in found:
        limit = _limit(one.gap)
        usual = one.lengths if one.gap.max_length is not None else one.lengths[:MAX_LENGTHS]
        if one.gap.mass is not None and share < 1.0:
            limit = max(int(share * min(len(one.lengths), limit)), 1)
        one.lengths = _nearest(one.lengths, one.gap, min(limit, most))
        one.untried = len(one.lengths) < len(usual)
        chosen[one.number] = _first_guess(one.gap, one.lengths)
    return _Chain(scaffold, found, chosen)


def _cost(found: _Open) -> float:
    """Residues in all lengths of a gap of known mass, up to COSTLY in each."""
    if found.gap.mass is None:
        return 0.0
    lengths = min(len(found.lengths), _limit(found.gap))
    return lengths * min(found.gap.mass / AVERAGINE, COSTLY)


def _first_guess(gap: Gap, choices: Sequence[int]) -> int | None:
    """A starting length: that expected from the mass at AVERAGINE per residue, or the shortest."""
    if not choices:
        return None
    if gap.mass is None:
        return choices[0]
    likely = gap.mass / AVERAGINE
    return min(choices, key=lambda length: abs(length - likely))


# --- ends of chains ------------------------------------------------------------------------------


def _expect_ends(chains: Sequence[_Chain], reader: Reader) -> None:
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
    chain: _Chain,
    found: _Open,
    rest: str,
    columns: np.ndarray,
    parts: Sequence[PartSegments],
) -> None:
    """rest: the chain without the gap; columns: (length,) of its residues."""
    part = parts[0] if found.gap.start == 0 else parts[-1]
    locus = LOCI[part.locus] if part.locus >= 0 else ""
    v_row = v_segments().tokens[part.v] if part.v >= 0 else None
    if found.gap.start == 0:
        expected = missing_before(columns, locus, v_row)
    else:
        expected = missing_after(columns[part.start :], locus, v_row, constant_left(rest))
    found.expected = expected
    if expected is not None and found.gap.mass is None and found.lengths:
        most = expected if found.gap.max_length is None else found.gap.max_length
        length = max(min(expected, most), found.gap.min_length)
        found.lengths, found.untried = range(length, length + 1), False
        chain.chosen[found.number] = length


# --- trials --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Trial:
    """An excerpt of a chain with every length of one of its gaps, which is `number` there."""

    chain: _Chain
    found: _Open
    variants: list[Scaffold]
    number: int


def _take_turn(chains: Iterable[_Chain], turn: int, reader: Reader) -> bool:
    """Choose lengths of every TURNS-th gap, others as chosen so far; return whether any changed."""
    changed = False
    batch: list[_Trial] = []
    for trial in (*_trials(chains, turn), None):
        if batch and (trial is None or sum(len(t.variants) for t in batch) >= VARIANTS):
            for done, length in zip(batch, _best_lengths(batch, reader), strict=True):
                changed |= done.chain.chosen[done.found.number] != length
                done.chain.chosen[done.found.number] = length
            batch = []
        if trial is not None:
            batch.append(trial)
    return changed


def _trials(chains: Iterable[_Chain], turn: int) -> Iterator[_Trial]:
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


def _excerpt(chain: _Chain, number: int) -> tuple[Scaffold, list[int | None], int]:
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
    variants = [(trial, variant) for trial in trials for variant in trial.variants]
    kmers = reader.encoder.encode([variant for _, variant in variants])
    fits = _fits([(variant, trial.number) for trial, variant in variants], kmers)
    fits -= [_end_cost(trial, variant) for trial, variant in variants]
    of_trial = np.repeat(np.arange(len(trials)), [len(trial.variants) for trial in trials])
    likely = np.array([trial.found.gap.weighed for trial, _ in variants])
    for i in range(len(trials)):
        of_gap = fits[of_trial == i]
        likely[of_trial == i] |= of_gap >= of_gap.max() + LEAST  # without a mass, others cannot win
    gap_at = np.array([(v.gaps[t.number].start, v.gaps[t.number].end) for t, v in variants])
    _, _, variant, position = kmers.at()
    asked = (gap_at[variant, 0] <= position) & (position < gap_at[variant, 1]) & likely[variant]
    distributions = np.split(
        reader.predict(kmers, asked),
        np.searchsorted(variant[asked], np.arange(1, len(variants))),
    )
    best = []
    for i, trial in enumerate(trials):
        rows = np.flatnonzero((of_trial == i) & likely)
        first = int(np.searchsorted(of_trial, i))
        read = {j - first: (fits[j], distributions[j]) for j in rows.tolist()}
        best.append(_best_of(trial, read))
    return best


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
    return best


def _scores(
    found: _Open, stages: Stages | None, read: Mapping[int, tuple[float, np.ndarray]]
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


def _fits(variants: Sequence[tuple[Scaffold, int]], kmers: KmerSet) -> np.ndarray:
    """How well chains agree with their templates, in nats: (variants,).

    variants: each chain with the number of the gap whose length is tried.
    """
    targets, tokens = kmers.at(), kmers.tokens.numpy()
    bounds = np.searchsorted(targets.chain, np.arange(len(variants) + 1))
    slots = kmers.templates.numpy()
    # The nearest germline segment or, for a protein without one, the nearest homolog.
    templates = np.where(slots[:, 0] < N_RESIDUES, slots[:, 0], slots[:, N_GERMLINE])
    known = (tokens < N_RESIDUES) & (templates < N_RESIDUES)
    agreement = np.where(tokens == templates, 1, -1) * known  # (k-mers, k)
    lengths = [len(scaffold.sequence) for scaffold, _ in variants]
    columns = np.split(kmers.chain_columns.numpy(), np.cumsum(lengths))
    fits = np.zeros(len(variants))
    for i, ((scaffold, number), parts) in enumerate(
        zip(variants, kmers.parts_of_chains(), strict=True)
    ):
        rows = Targets(*(column[bounds[i] : bounds[i + 1]] for column in targets))
        gap = scaffold.gaps[number]
        fits[i] = MATCH * _agreement(rows, agreement, lengths[i])
        at = sum(part.start <= gap.start for part in parts)
        stop = parts[at].start if at < len(parts) else lengths[i]
        part = parts[at - 1]
        if part.v >= 0:
            fits[i] -= _column_cost(columns[i][part.start : stop], part)
        else:
            inside = (rows.position >= gap.start) & (rows.position < gap.end)
            bare = templates[rows.kmer[inside], rows.place[inside]] >= N_RESIDUES
            fits[i] -= EMPTY_COLUMN * int(bare.sum())
    return fits


def _column_cost(columns: np.ndarray, part: PartSegments) -> float:
    """Cost in nats of the columns (length,) of a part with a V domain, compared with germline."""
    v_row = v_segments().tokens[part.v]
    locus = LOCI[part.locus]
    misfits = _misfits(columns, v_row) + _fr4_holes(columns)
    cut = _cut_off(columns, v_row, locus)
    return EMPTY_COLUMN * misfits + CUT_COLUMN * cut + _cdr3_cost(columns, locus)


def read_variants(
    variants: Sequence[tuple[Scaffold, int]], reader: Reader
) -> Iterator[tuple[float, list[np.ndarray]]]:
    """Read chains whose gaps have lengths with the network; each comes with the number of a gap.

    Yields, for each chain, how well it agrees with its templates, in nats and without the mass of
    that gap, and the distributions (length, 20) of all its gaps.
    """
    for start in range(0, len(variants), VARIANTS):
        batch = variants[start : start + VARIANTS]
        chains = [scaffold for scaffold, _ in batch]
        kmers = reader.encoder.encode(chains)
        read = reader.predictor.predict(kmers)
        fits = _fits(batch, kmers)
        targets = kmers.at()
        bounds = np.searchsorted(targets.chain, np.arange(len(chains) + 1))
        for i, (scaffold, number) in enumerate(batch):
            at = slice(bounds[i], bounds[i + 1])
            position = targets.position[at]
            edges = [np.searchsorted(position, (g.start, g.end)) for g in scaffold.gaps]
            of_gaps = [read[at][low:high] for low, high in edges]
            yield float(fits[i]) + _surest(of_gaps[number]), of_gaps


def _agreement(rows: Targets, agreement: np.ndarray, length: int) -> float:
    """Half of matches less mismatches in one chain; residues in two windows count once."""
    along = np.zeros(length, dtype=int)
    first = np.unique(rows.kmer, return_index=True)[1]
    for kmer, place, _, position in zip(*(column[first] for column in rows), strict=True):
        start = position - place
        width = min(agreement.shape[1], length - start)
        along[start : start + width] = agreement[kmer, :width]
    return float(along.sum()) / 2


def _misfits(columns: np.ndarray, v_row: np.ndarray) -> int:
    """Count germline columns of FR1 to FR3 without a residue, and residues without a column."""
    v_columns = columns[(columns > 0) & (columns <= CYS104)]
    extra = int((columns == OTHER_INSERTION).sum()) + int((v_row[v_columns] == ABSENT).sum())
    if not len(v_columns):
        return extra
    span = np.arange(int(v_columns.min()), int(v_columns.max()) + 1)
    expected = span[v_row[span] < MISSING]
    return extra + int((~np.isin(expected, v_columns)).sum())


def _fr4_holes(columns: np.ndarray) -> int:
    """Number of empty columns of FR4 before the last occupied one."""
    fr4 = columns[(columns >= FR4_START) & (columns <= N_IMGT)]
    return int(fr4.max()) + 1 - FR4_START - len(fr4) if len(fr4) else 0


def _cut_off(columns: np.ndarray, v_row: np.ndarray, locus: str) -> int:
    """Number of germline columns before a V domain's first residue, and after its last in FR4."""
    first = int(columns[0]) if len(columns) else 0
    late = int((v_row[1:first] < MISSING).sum()) if first <= CYS104 else 0
    fr4 = columns[(columns >= FR4_START) & (columns <= N_IMGT)]
    return late + (max(FR4_LAST[locus] - int(fr4.max()), 0) if len(fr4) else 0)


def _cdr3_cost(columns: np.ndarray, locus: str) -> float:
    """Cost in nats of the length of a complete CDR3."""
    present = set(columns.tolist())
    if not {CYS104, FR4_START} <= present:
        return 0.0
    length = int(((columns > CYS104) & (columns < FR4_START)).sum())
    length += int(((columns >= INSERTION_111) & (columns < OTHER_INSERTION)).sum())
    return abs(length - TYPICAL_CDR3[locus]) / CDR3_SCALE[locus]


def _gap_score(distribution: np.ndarray, stages: Stages | None, rules: MassRules) -> float:
    """Log probability of the gap's masses; without any, the mean of its most probable residues."""
    if stages is None or not len(distribution):
        return _surest(distribution)
    found = mass_log_probability(distribution, stages, rules)
    return max(found, NO_FIT)


def _surest(distribution: np.ndarray) -> float:
    """Mean log probability of the most probable residues of (length, 20); 0 if there are none."""
    return float(np.log(distribution.max(1)).mean()) if len(distribution) else 0.0
