"""Lengths of gaps that come without one.

Columns and germline segments say how many residues are missing at an end of a chain (`ends.py`):
that many are given, or of a gap of known mass preferred. Of any other gap every length that its
mass and bounds allow is tried: the chain is numbered, aligned and read by the network as if the
gap had it. The right length lets what is observed agree with its templates, leaves no germline
column empty or doubled, and lets the network find a sequence of the gap's mass probable; the sum
of these, in nats, chooses.

Work is linear in the number of gaps and bounded: a gap is tried in the part of its chain around
it, neighbouring gaps take turns, and a gap is tried again only after a gap near it has changed. Of
a gap with more possible lengths than may be tried `untried` tells.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from lacuna.antibody.germlines import LOCI, v_segments
from lacuna.antibody.imgt import CYS104, FR4_LAST, FR4_START, INSERTION_111, N_IMGT, OTHER_INSERTION
from lacuna.antibody.numbering import TYPICAL_CDR3
from lacuna.core.alphabet import ABSENT, MISSING, MISSING_LETTER, N_RESIDUES
from lacuna.filling.decode import (
    MAX_MASS,
    MAX_RESIDUES,
    RESIDUE_MASSES,
    MassRules,
    Modifications,
    heaviest_residue,
    mass_log_probability,
)
from lacuna.filling.ends import constant_left, missing_after, missing_before
from lacuna.filling.fill import mass_rules
from lacuna.network.kmers import KmerSet, PartSegments, encode_scaffolds
from lacuna.network.model import GapNetwork
from lacuna.network.predict import predict
from lacuna.scaffolds.read import DEFAULT_MAX_LENGTH
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.templates.homologs import Homologs
from lacuna.templates.nearest import N_GERMLINE, Library

MAX_LENGTHS = 40  # lengths tried of a gap without an upper bound
MAX_BOUNDED_LENGTHS = 128  # of one with bounds
MAX_GAP_RESIDUES = 6_000  # of all lengths tried of a gap of known mass
MAX_TRIALS = 4_000  # lengths tried of all gaps of a chain
AVERAGINE = (
    111.0543  # Da, the mean residue of proteins (Senko et al. 1995, 10.1016/1044-0305(95)00017-8)
)
ROUNDS = 2  # over the gaps of a chain that has several of unknown length
TURNS = 4  # of a round: each gap is tried while its neighbours rest
REACH = 256  # residues on either side that a gap is tried with
VARIANTS = 256  # chains with a length tried that are read together
MATCH = 1.0  # nats that an observed residue like its template is worth
CUT_COLUMN = 1.0  # nats that each column costs by which a V domain begins late or ends early
EMPTY_COLUMN = 2.0  # nats that a germline column without a residue, or the reverse, costs
MAX_END_COST = 10.0  # nats, of an end that is shorter or longer than germline says
CDR3_SCALE = {"H": 3.0, "K": 0.5, "L": 1.0}  # residues off the typical length that cost a nat
NO_FIT = -1e6  # nats, of a length at which no sequence has the gap's mass
LEAST = math.log(1 / N_RESIDUES)  # nats, the mean of a gap's surest residues is never below


def possible_lengths(gap: Gap, rules: MassRules | None = None) -> list[int]:
    """Lengths that are tried of those that the gap's bounds and mass allow, shortest first.

    All within given bounds, up to MAX_BOUNDED_LENGTHS; without an upper one MAX_LENGTHS. Of more
    the shortest or, with a mass, those nearest to what it comes to at AVERAGINE a residue. None
    if the mass is larger than those that are decoded.
    """
    return list(_nearest(_allowed(gap, rules), gap, _limit(gap)))


def _allowed(gap: Gap, rules: MassRules | None) -> range:
    """All lengths that the gap's bounds and mass allow; without either MAX_LENGTHS."""
    low = gap.min_length
    high = DEFAULT_MAX_LENGTH if gap.max_length is None else gap.max_length
    if gap.mass is None:
        return range(low, (low + MAX_LENGTHS - 1 if gap.max_length is None else high) + 1)
    if gap.mass > MAX_MASS:
        return range(0)
    tolerance = gap.tolerance_da or 0.0
    most = math.floor((gap.mass + tolerance) / RESIDUE_MASSES.min())
    if rules is not None and rules.ends_chain and rules.modifications.clipped_lysine:
        most += 1  # a lysine that weighs nothing
    least = math.ceil((gap.mass - tolerance) / heaviest_residue(rules or MassRules()))
    return range(max(low, least), min(high, most, MAX_RESIDUES) + 1)


def _limit(gap: Gap) -> int:
    """How many lengths of a gap are tried at most."""
    limit = MAX_LENGTHS if gap.max_length is None else MAX_BOUNDED_LENGTHS
    if gap.mass is None:
        return limit
    return max(1, min(limit, int(MAX_GAP_RESIDUES * AVERAGINE / gap.mass)))


def _nearest(lengths: range, gap: Gap, n: int) -> range:
    """Up to n of the lengths, those nearest to what the gap's mass comes to or the shortest."""
    if gap.mass is None:
        return lengths[:n]
    first = math.ceil(gap.mass / AVERAGINE - n / 2)
    first = max(min(first, lengths.stop - n), lengths.start)
    return range(first, min(first + n, lengths.stop))


def with_lengths(scaffold: Scaffold, lengths: Sequence[int | None]) -> Scaffold:
    """The scaffold with one X per residue of every gap; None leaves a gap as it stands.

    Gaps keep where they stand in the user's coordinates as `origin`.
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
    modifications = tuple(
        replace(
            m,
            position=m.position
            + sum(
                new.end - new.start - (old.end - old.start)
                for old, new in zip(scaffold.gaps, gaps, strict=True)
                if old.end <= m.position
            ),
        )
        for m in scaffold.modifications
    )
    return replace(scaffold, sequence="".join(parts), gaps=tuple(gaps), modifications=modifications)


@dataclass(slots=True)
class _Open:
    """A gap of unknown length: which gap of its chain, and what is known of its length.

    lengths: that are tried; untried: whether bounds and mass allow more; expected: as germline
    says, at an end of its chain; around: chosen lengths of the gaps near it when it was last tried.
    """

    number: int
    gap: Gap
    rules: MassRules
    lengths: range
    untried: bool = False
    expected: int | None = None
    around: tuple[int | None, ...] | None = None


@dataclass(slots=True)
class _Chain:
    """A chain with gaps of unknown length; chosen: a length for each of its gaps."""

    scaffold: Scaffold
    open: list[_Open]
    chosen: list[int | None]

    def settled(self) -> Scaffold:
        """The scaffold with the lengths chosen."""
        scaffold = with_lengths(self.scaffold, self.chosen)
        gaps = list(scaffold.gaps)
        for found in self.open:
            if found.untried:
                gaps[found.number] = replace(gaps[found.number], untried=True)
        return replace(scaffold, gaps=tuple(gaps))


@dataclass(frozen=True, slots=True)
class Reader:
    """All that chains are read with, as in `encode_scaffolds`."""

    model: GapNetwork
    library: Library
    homologs: Homologs | None
    k: int
    stride: int
    max_identity: float
    device: torch.device

    def encode(self, scaffolds: Sequence[Scaffold]) -> KmerSet:
        return encode_scaffolds(
            scaffolds,
            self.library,
            self.homologs,
            k=self.k,
            stride=self.stride,
            max_identity=self.max_identity,
        )

    def predict(self, kmers: KmerSet, asked: np.ndarray) -> np.ndarray:
        """Distributions (asked, 20) of the targets `asked` (t,) bool alone."""
        return predict(self.model, kmers.of_targets(asked), self.library, self.device)


def resolve_lengths(
    scaffolds: Sequence[Scaffold],
    model: GapNetwork,
    library: Library,
    homologs: Homologs | None,
    *,
    k: int,
    stride: int,
    max_identity: float,
    modifications: Modifications,
    device: torch.device,
) -> list[Scaffold]:
    """Scaffolds whose gaps have lengths, in order; a gap that no length fits stays open."""
    chains = {}
    for i, scaffold in enumerate(scaffolds):
        observed = any(c not in "XBJZ" for c in scaffold.sequence)
        if observed and not all(gap.fixed for gap in scaffold.gaps):
            chains[i] = _opened(scaffold, modifications)
    reader = Reader(model, library, homologs, k, stride, max_identity, device)
    _expect_ends(list(chains.values()), reader)
    for _ in range(ROUNDS):
        changed = False
        for turn in range(TURNS):
            changed |= _take_turn(chains.values(), turn, reader)
        if not changed:
            break
    return [chains[i].settled() if i in chains else s for i, s in enumerate(scaffolds)]


def _opened(scaffold: Scaffold, modifications: Modifications) -> _Chain:
    """A chain with what may be tried of each of its gaps of unknown length."""
    found = []
    for number, gap in enumerate(scaffold.gaps):
        if not gap.fixed:
            rules = mass_rules(scaffold, gap, modifications)
            found.append(_Open(number, gap, rules, _allowed(gap, rules)))
    most = MAX_TRIALS
    if sum(min(len(one.lengths), _limit(one.gap)) for one in found) > MAX_TRIALS:
        most = max(MAX_TRIALS // len(found), 1)
    chosen: list[int | None] = [None] * len(scaffold.gaps)
    for one in found:
        limit = _limit(one.gap)
        usual = one.lengths if one.gap.max_length is not None else one.lengths[:MAX_LENGTHS]
        one.lengths = _nearest(one.lengths, one.gap, min(limit, most))
        one.untried = len(one.lengths) < len(usual)
        chosen[one.number] = _first_guess(one.gap, one.lengths)
    return _Chain(scaffold, found, chosen)


def _first_guess(gap: Gap, choices: Sequence[int]) -> int | None:
    """A length to begin with: what the mass comes to at AVERAGINE a residue, or the shortest."""
    if not choices:
        return None
    if gap.mass is None:
        return choices[0]
    likely = gap.mass / AVERAGINE
    return min(choices, key=lambda length: abs(length - likely))


# --- ends of chains ------------------------------------------------------------------------------


def _expect_ends(chains: Sequence[_Chain], reader: Reader) -> None:
    """What germline says of gaps at an end of their chain; those without a mass are that long."""
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
        kmers = encode_scaffolds([rest for *_, rest in some], reader.library)
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
    """An excerpt of a chain with every length of one of its gaps, `number` there."""

    chain: _Chain
    found: _Open
    variants: list[Scaffold]
    number: int


def _take_turn(chains: Iterable[_Chain], turn: int, reader: Reader) -> bool:
    """Choose lengths of every TURNS-th gap, the others as chosen so far; whether any changed."""
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
    """Every gap whose turn it is and near which a length has changed since it was last tried."""
    for chain in chains:
        for found in chain.open[turn::TURNS]:
            if len(found.lengths) > 1:
                near, lengths, number = _excerpt(chain, found.number)
                around = (*lengths[:number], *lengths[number + 1 :])
                if around != found.around:
                    found.around = around
                    variants = [
                        with_lengths(near, [*lengths[:number], length, *lengths[number + 1 :]])
                        for length in found.lengths
                    ]
                    yield _Trial(chain, found, variants, number)


def _excerpt(chain: _Chain, number: int) -> tuple[Scaffold, list[int | None], int]:
    """The chain REACH residues around a gap, lengths of the gaps there, and which of them it is."""
    gaps, chosen = chain.scaffold.gaps, chain.chosen
    starts, ends = (np.array(x) for x in zip(*((g.start, g.end) for g in gaps), strict=True))
    sizes = [e - s if c is None else c for s, e, c in zip(starts, ends, chosen, strict=True)]
    grown = np.cumsum(sizes - (ends - starts))  # residues by which gaps up to each are longer
    begins, stops = ends + grown - sizes, ends + grown  # with the lengths chosen
    low, high = begins[number] - REACH, stops[number] + REACH
    first = int(np.searchsorted(begins, low))
    last = int(np.searchsorted(stops, high, "right"))
    start = max(starts[first] - (begins[first] - low), ends[first - 1] if first else 0)
    end = ends[last - 1] + (high - stops[last - 1])
    end = min(end, starts[last] if last < len(gaps) else len(chain.scaffold.sequence))
    near = replace(
        chain.scaffold,
        sequence=chain.scaffold.sequence[start:end],
        gaps=tuple(replace(g, start=g.start - start, end=g.end - start) for g in gaps[first:last]),
        modifications=(),
    )
    return near, chosen[first:last], number - first


def _best_lengths(trials: Sequence[_Trial], reader: Reader) -> list[int]:
    """The length that scores best for each gap; the shorter of two that score the same."""
    variants = [(trial, variant) for trial in trials for variant in trial.variants]
    kmers = reader.encode([variant for _, variant in variants])
    fits = _fits([(variant, trial.number) for trial, variant in variants], kmers)
    fits -= [_end_cost(trial, variant) for trial, variant in variants]
    of_trial = np.repeat(np.arange(len(trials)), [len(trial.variants) for trial in trials])
    likely = np.array([trial.found.gap.mass is not None for trial, _ in variants])
    for i in range(len(trials)):
        of_gap = fits[of_trial == i]
        likely[of_trial == i] |= of_gap >= of_gap.max() + LEAST  # without a mass others cannot win
    gap_at = np.array([(v.gaps[t.number].start, v.gaps[t.number].end) for t, v in variants])
    _, _, variant, position = kmers.targets.numpy().T
    asked = (gap_at[variant, 0] <= position) & (position < gap_at[variant, 1]) & likely[variant]
    told = np.split(
        reader.predict(kmers, asked),
        np.searchsorted(variant[asked], np.arange(1, len(variants))),
    )
    best = []
    for i, trial in enumerate(trials):
        rows = np.flatnonzero((of_trial == i) & likely)
        first = int(np.searchsorted(of_trial, i))
        best.append(_best_of(trial, {j - first: (fits[j], told[j]) for j in rows.tolist()}))
    return best


def _best_of(trial: _Trial, read: Mapping[int, tuple[float, np.ndarray]]) -> int:
    """The best length of a gap; read: how well variants fit, and distributions (length, 20)."""
    best, best_score = trial.found.lengths[0], -math.inf
    for i, (fit, distributions) in sorted(read.items(), key=lambda item: -item[1][0]):
        length = trial.found.lengths[i]
        # No gap adds more than that: a residue that may be modified counts up to twice.
        if fit + length * math.log(2) >= best_score:
            gap = trial.variants[i].gaps[trial.number]
            score = fit + _gap_score(distributions, gap, trial.found.rules)
            if score > best_score or score == best_score and length < best:
                best, best_score = length, score
    return best


def _end_cost(trial: _Trial, variant: Scaffold) -> float:
    """Nats that a gap at an end costs for each residue off what germline says."""
    if trial.found.expected is None:
        return 0.0
    gap = variant.gaps[trial.number]
    off = abs(gap.end - gap.start - trial.found.expected)
    return min(EMPTY_COLUMN * off, MAX_END_COST)


def _fits(variants: Sequence[tuple[Scaffold, int]], kmers: KmerSet) -> np.ndarray:
    """How well each chain agrees with its templates (variants,), in nats, with a length for one of
    its gaps, whose number comes with it."""
    targets, tokens = kmers.targets.numpy(), kmers.tokens.numpy()
    bounds = np.searchsorted(targets[:, 2], np.arange(len(variants) + 1))
    slots = kmers.templates.numpy()
    # The nearest germline segment, or of a protein without one the nearest homolog.
    templates = np.where(slots[:, 0] < N_RESIDUES, slots[:, 0], slots[:, N_GERMLINE])
    known = (tokens < N_RESIDUES) & (templates < N_RESIDUES)
    agreement = np.where(tokens == templates, 1, -1) * known  # (k-mers, k)
    lengths = [len(scaffold.sequence) for scaffold, _ in variants]
    columns = np.split(kmers.chain_columns.numpy(), np.cumsum(lengths))
    fits = np.zeros(len(variants))
    for i, ((scaffold, number), parts) in enumerate(
        zip(variants, kmers.parts_of_chains(), strict=True)
    ):
        rows = targets[bounds[i] : bounds[i + 1]]
        gap = scaffold.gaps[number]
        fits[i] = MATCH * _agreement(rows, agreement, lengths[i])
        at = sum(part.start <= gap.start for part in parts)
        stop = parts[at].start if at < len(parts) else lengths[i]
        part = parts[at - 1]
        if part.v >= 0:
            fits[i] -= _column_cost(columns[i][part.start : stop], part)
        else:
            inside = rows[(rows[:, 3] >= gap.start) & (rows[:, 3] < gap.end)]
            bare = templates[inside[:, 0], inside[:, 1]] >= N_RESIDUES
            fits[i] -= EMPTY_COLUMN * int(bare.sum())
    return fits


def _column_cost(columns: np.ndarray, part: PartSegments) -> float:
    """Nats that the columns (length,) of a part with a V domain cost against germline's."""
    v_row = v_segments().tokens[part.v]
    locus = LOCI[part.locus]
    misfits = _misfits(columns, v_row) + _fr4_holes(columns)
    cut = _cut_off(columns, v_row, locus)
    return EMPTY_COLUMN * misfits + CUT_COLUMN * cut + _cdr3_cost(columns, locus)


def read_variants(
    variants: Sequence[tuple[Scaffold, int]], reader: Reader
) -> Iterator[tuple[float, list[np.ndarray]]]:
    """What the network reads in chains whose gaps have lengths, each with the number of a gap.

    Of each chain: how well it agrees with its templates, in nats, the mass of that gap left out,
    and the distributions (length, 20) of all its gaps.
    """
    for start in range(0, len(variants), VARIANTS):
        batch = variants[start : start + VARIANTS]
        chains = [scaffold for scaffold, _ in batch]
        kmers = reader.encode(chains)
        read = predict(reader.model, kmers, reader.library, reader.device)
        fits = _fits(batch, kmers)
        targets = kmers.targets.numpy()
        bounds = np.searchsorted(targets[:, 2], np.arange(len(chains) + 1))
        for i, (scaffold, number) in enumerate(batch):
            at = slice(bounds[i], bounds[i + 1])
            edges = [np.searchsorted(targets[at, 3], (g.start, g.end)) for g in scaffold.gaps]
            of_gaps = [read[at][low:high] for low, high in edges]
            yield float(fits[i]) + _surest(of_gaps[number]), of_gaps


def _agreement(rows: np.ndarray, agreement: np.ndarray, length: int) -> float:
    """Half of matches less mismatches of one chain; residues in two windows count once."""
    along = np.zeros(length, dtype=int)
    for kmer, place, _, position in rows[np.unique(rows[:, 0], return_index=True)[1]]:
        start = position - place
        width = min(agreement.shape[1], length - start)
        along[start : start + width] = agreement[kmer, :width]
    return float(along.sum()) / 2


def _misfits(columns: np.ndarray, v_row: np.ndarray) -> int:
    """Germline columns of FR1 to FR3 without a residue, and residues without a column."""
    v_columns = columns[(columns > 0) & (columns <= CYS104)]
    extra = int((columns == OTHER_INSERTION).sum()) + int((v_row[v_columns] == ABSENT).sum())
    if not len(v_columns):
        return extra
    span = np.arange(int(v_columns.min()), int(v_columns.max()) + 1)
    expected = span[v_row[span] < MISSING]
    return extra + int((~np.isin(expected, v_columns)).sum())


def _fr4_holes(columns: np.ndarray) -> int:
    """Columns of FR4 without a residue before the last that has one."""
    fr4 = columns[(columns >= FR4_START) & (columns <= N_IMGT)]
    return int(fr4.max()) + 1 - FR4_START - len(fr4) if len(fr4) else 0


def _cut_off(columns: np.ndarray, v_row: np.ndarray, locus: str) -> int:
    """Germline columns before the first residue of a V domain, and those after its last in FR4."""
    first = int(columns[0]) if len(columns) else 0
    late = int((v_row[1:first] < MISSING).sum()) if first <= CYS104 else 0
    fr4 = columns[(columns >= FR4_START) & (columns <= N_IMGT)]
    return late + (max(FR4_LAST[locus] - int(fr4.max()), 0) if len(fr4) else 0)


def _cdr3_cost(columns: np.ndarray, locus: str) -> float:
    """What the length of a CDR3 that is there as a whole costs in nats."""
    present = set(columns.tolist())
    if not {CYS104, FR4_START} <= present:
        return 0.0
    length = int(((columns > CYS104) & (columns < FR4_START)).sum())
    length += int(((columns >= INSERTION_111) & (columns < OTHER_INSERTION)).sum())
    return abs(length - TYPICAL_CDR3[locus]) / CDR3_SCALE[locus]


def _gap_score(distribution: np.ndarray, gap: Gap, rules: MassRules) -> float:
    """Log probability of the gap's mass, or without one the mean of its surest residues'."""
    if gap.mass is None or not len(distribution):
        return _surest(distribution)
    found = mass_log_probability(distribution, gap.mass, gap.tolerance_da or 0.0, rules)
    return max(found, NO_FIT)


def _surest(distribution: np.ndarray) -> float:
    """Mean log probability of the likeliest residues of (length, 20); 0 of none."""
    return float(np.log(distribution.max(1)).mean()) if len(distribution) else 0.0
