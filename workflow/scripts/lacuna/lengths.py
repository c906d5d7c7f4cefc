"""Lengths of gaps that come without one.

Every length that the gap's mass and bounds allow is tried: the chain is numbered, aligned and
read by the network as if the gap had it. The right length lets what is observed agree with
its templates, leaves no germline column empty or doubled, and lets the network find a
sequence of the gap's mass probable; the sum of these, in nats, chooses.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from lacuna.alphabet import ABSENT, MISSING, MISSING_LETTER, N_RESIDUES
from lacuna.decode import (
    MAX_MASS,
    MAX_RESIDUES,
    RESIDUE_MASSES,
    MassRules,
    Modifications,
    heaviest_residue,
    mass_log_probability,
)
from lacuna.fill import mass_rules, predict
from lacuna.homologs import Homologs
from lacuna.imgt import CYS104, OTHER_INSERTION
from lacuna.kmers import KmerSet, encode_scaffolds
from lacuna.network import GapNetwork
from lacuna.scaffolds import Gap, Scaffold
from lacuna.templates import N_GERMLINE, Library

MAX_LENGTHS = 40  # lengths tried of a gap without an upper bound
AVERAGINE = (
    111.0543  # Da, the mean residue of proteins (Senko et al. 1995, 10.1016/1044-0305(95)00017-8)
)
ROUNDS = 2  # over the gaps of a chain that has several of unknown length
VARIANTS = 256  # chains with a length tried that are read together
MATCH = 1.0  # nats that an observed residue like its template is worth
EMPTY_COLUMN = 2.0  # nats that a germline column without a residue, or the reverse, costs
NO_FIT = -1e6  # nats, of a length at which no sequence has the gap's mass


def possible_lengths(gap: Gap, rules: MassRules | None = None) -> list[int]:
    """Lengths that the gap's bounds and mass allow, shortest first.

    Those within given bounds, all of them; without an upper one MAX_LENGTHS, the shortest or,
    with a mass, those nearest to what it comes to at AVERAGINE a residue. None where the mass is
    larger than those that are decoded.
    """
    low, high = gap.min_length, gap.max_length
    if gap.mass is None:
        return list(range(low, (low + MAX_LENGTHS - 1 if high is None else high) + 1))
    if gap.mass > MAX_MASS:
        return []
    tolerance = gap.tolerance_da or 0.0
    most = math.floor((gap.mass + tolerance) / RESIDUE_MASSES.min())
    if rules is not None and rules.ends_chain and rules.modifications.clipped_lysine:
        most += 1  # a lysine that weighs nothing
    possible = range(
        max(low, math.ceil((gap.mass - tolerance) / heaviest_residue(rules or MassRules()))),
        min(most, MAX_RESIDUES if high is None else min(high, MAX_RESIDUES)) + 1,
    )
    if high is not None:
        return list(possible)
    likely = gap.mass / AVERAGINE
    return sorted(sorted(possible, key=lambda length: abs(length - likely))[:MAX_LENGTHS])


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
    chosen: dict[int, list[int | None]] = {}
    choices: dict[int, list[list[int]]] = {}
    for i, scaffold in enumerate(scaffolds):
        observed = any(c not in "XBJZ" for c in scaffold.sequence)
        if observed and not all(gap.fixed for gap in scaffold.gaps):
            choices[i] = [
                [] if gap.fixed else possible_lengths(gap, mass_rules(scaffold, gap, modifications))
                for gap in scaffold.gaps
            ]
            chosen[i] = [_first_guess(g, c) for g, c in zip(scaffold.gaps, choices[i], strict=True)]
    several = any(sum(map(bool, c)) > 1 for c in choices.values())
    for _ in range(ROUNDS if several else 1):
        for turn in range(max((len(c) for c in choices.values()), default=0)):
            trials = list(_trials(scaffolds, choices, chosen, turn))
            for i, length in _best_lengths(
                trials, model, library, homologs, k, stride, max_identity, modifications, device
            ).items():
                chosen[i][turn] = length
    return [with_lengths(s, chosen[i]) if i in chosen else s for i, s in enumerate(scaffolds)]


def _first_guess(gap: Gap, choices: list[int]) -> int | None:
    """A length to begin with: what the mass comes to at AVERAGINE a residue, or the shortest."""
    if not choices:
        return None
    if gap.mass is None:
        return choices[0]
    likely = gap.mass / AVERAGINE
    return min(choices, key=lambda length: abs(length - likely))


_Trial = tuple[int, int, Scaffold, int]  # chain, length, scaffold with it, gap


def _trials(
    scaffolds: Sequence[Scaffold],
    choices: dict[int, list[list[int]]],
    chosen: dict[int, list[int | None]],
    turn: int,
) -> Iterator[_Trial]:
    """Every chain with every length of its gap number `turn`, the others as chosen so far."""
    for i, of_gaps in choices.items():
        if turn < len(of_gaps) and len(of_gaps[turn]) > 1:
            for length in of_gaps[turn]:
                lengths = [*chosen[i][:turn], length, *chosen[i][turn + 1 :]]
                yield i, length, with_lengths(scaffolds[i], lengths), turn


def _best_lengths(
    trials: list[_Trial],
    model: GapNetwork,
    library: Library,
    homologs: Homologs | None,
    k: int,
    stride: int,
    max_identity: float,
    modifications: Modifications,
    device: torch.device,
) -> dict[int, int]:
    """The length that scores best for each chain; the shorter of two that score the same."""
    best: dict[int, tuple[float, int]] = {}
    for start in range(0, len(trials), VARIANTS):
        batch = trials[start : start + VARIANTS]
        variants = [scaffold for _, _, scaffold, _ in batch]
        kmers = encode_scaffolds(
            variants, library, homologs, k=k, stride=stride, max_identity=max_identity
        )
        probabilities = predict(model, kmers, library, device)
        numbers = [number for _, _, _, number in batch]
        scores = _scores(variants, numbers, kmers, probabilities, library, modifications)
        for (i, length, _, _), score in zip(batch, scores, strict=True):
            if i not in best or score > best[i][0]:
                best[i] = (score, length)
    return {i: length for i, (_, length) in best.items()}


def _scores(
    variants: list[Scaffold],
    gaps: list[int],
    kmers: KmerSet,
    probabilities: np.ndarray,
    library: Library,
    modifications: Modifications,
) -> list[float]:
    """How well each variant agrees with its templates and its gap with its mass, in nats."""
    targets = kmers.targets.numpy()
    tokens = kmers.tokens.numpy()
    slots = kmers.templates.numpy()
    # The nearest germline segment, or of a protein without one the nearest homolog.
    templates = np.where(slots[:, 0] < N_RESIDUES, slots[:, 0], slots[:, N_GERMLINE])
    known = (tokens < N_RESIDUES) & (templates < N_RESIDUES)
    agreement = np.where(tokens == templates, 1, -1) * known  # (k-mers, k)
    v_rows = library.v.numpy()
    bounds = np.searchsorted(targets[:, 2], np.arange(len(variants) + 1))
    ends = np.cumsum([len(s.sequence) for s in variants])
    scores = []
    for i, (scaffold, number) in enumerate(zip(variants, gaps, strict=True)):
        rows = targets[bounds[i] : bounds[i + 1]]
        gap = scaffold.gaps[number]
        columns = kmers.chain_columns.numpy()[ends[i] - len(scaffold.sequence) : ends[i]]
        score = MATCH * _agreement(rows, agreement, len(scaffold.sequence))
        inside = (rows[:, 3] >= gap.start) & (rows[:, 3] < gap.end)
        bare = templates[rows[inside, 0], rows[inside, 1]] >= N_RESIDUES
        v = int(kmers.chain_v[i])
        misfits = _misfits(columns, v, v_rows, gap) if v >= 0 else int(bare.sum())
        score -= EMPTY_COLUMN * misfits
        distribution = probabilities[bounds[i] : bounds[i + 1]][inside]
        score += _gap_score(distribution, gap, mass_rules(scaffold, gap, modifications))
        scores.append(score)
    return scores


def read_variants(
    variants: Sequence[tuple[Scaffold, int]],
    model: GapNetwork,
    library: Library,
    homologs: Homologs | None,
    *,
    k: int,
    stride: int,
    max_identity: float,
    device: torch.device,
) -> Iterator[tuple[float, list[np.ndarray]]]:
    """What the network reads in chains whose gaps have lengths, each with the number of a gap.

    Of each chain: how well it agrees with its templates, in nats, the mass of that gap left out,
    and the distributions (length, 20) of all its gaps.
    """
    for start in range(0, len(variants), VARIANTS):
        batch = variants[start : start + VARIANTS]
        chains = [_without_mass(scaffold, number) for scaffold, number in batch]
        kmers = encode_scaffolds(
            chains, library, homologs, k=k, stride=stride, max_identity=max_identity
        )
        read = predict(model, kmers, library, device)
        numbers = [number for _, number in batch]
        scores = _scores(chains, numbers, kmers, read, library, Modifications())
        targets = kmers.targets.numpy()
        bounds = np.searchsorted(targets[:, 2], np.arange(len(chains) + 1))
        for i, (scaffold, _) in enumerate(batch):
            at = slice(bounds[i], bounds[i + 1])
            edges = [np.searchsorted(targets[at, 3], (g.start, g.end)) for g in scaffold.gaps]
            yield scores[i], [read[at][low:high] for low, high in edges]


def _without_mass(scaffold: Scaffold, number: int) -> Scaffold:
    gaps = list(scaffold.gaps)
    gaps[number] = replace(gaps[number], mass=None, tolerance_da=None)
    return replace(scaffold, gaps=tuple(gaps))


def _agreement(rows: np.ndarray, agreement: np.ndarray, length: int) -> float:
    """Half of matches less mismatches of one chain; residues in two windows count once."""
    along = np.zeros(length, dtype=int)
    for kmer, place, _, position in rows[np.unique(rows[:, 0], return_index=True)[1]]:
        start = position - place
        width = min(agreement.shape[1], length - start)
        along[start : start + width] = agreement[kmer, :width]
    return float(along.sum()) / 2


def _misfits(columns: np.ndarray, v: int, v_rows: np.ndarray, gap: Gap) -> int:
    """Germline columns of FR1 to FR3 without a residue, and residues without a column."""
    here = columns[gap.start : gap.end]
    v_columns = columns[(columns > 0) & (columns <= CYS104)]
    extra = int((here == OTHER_INSERTION).sum())
    if not len(v_columns):
        return extra
    row = v_rows[v]
    inside = here[(here > 0) & (here <= CYS104)]
    extra += int((row[inside] == ABSENT).sum())
    span = np.arange(int(v_columns.min()), int(v_columns.max()) + 1)
    expected = span[row[span] < MISSING]
    return extra + int((~np.isin(expected, v_columns)).sum())


def _gap_score(distribution: np.ndarray, gap: Gap, rules: MassRules) -> float:
    """Log probability of the gap's mass, or without one the mean of its surest residues'."""
    if not len(distribution):
        return 0.0
    if gap.mass is None:
        return float(np.log(distribution.max(1)).mean())
    found = mass_log_probability(distribution, gap.mass, gap.tolerance_da or 0.0, rules)
    return max(found, NO_FIT)
