"""Fill the gaps of a block of scaffolds: network, decoding, and the rows of every table."""

import csv
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import torch

from lacuna.alphabet import ALLOWED, AMBIGUOUS, MISSING_LETTER, N_RESIDUES, RESIDUES
from lacuna.decode import (
    Candidate,
    MassRules,
    Modifications,
    Ranking,
    nearest_mass,
    rank_plain,
    rank_sequences,
)
from lacuna.device import product_dtype
from lacuna.files import atomic_write
from lacuna.germlines import LOCI, SPECIES, constants, j_segments, v_segments
from lacuna.imgt import N_CODES, regions_of
from lacuna.kmers import KmerSet
from lacuna.network import ANSWERS, GapNetwork, Kmers
from lacuna.samples import BASELINES, TABLES
from lacuna.scaffolds import Gap, Scaffold
from lacuna.templates import N_GERMLINE, Library

RANKED_TOGETHER = 1024  # gaps
BATCH = 64  # k-mers a forward pass; fixed, so that a result never depends on its company
NEAR = 16  # places; k-mers whose first ones asked for lie so near are read together
ALTERNATIVES = 3  # residues listed beside the chosen one
MIN_ALTERNATIVE = 0.01
SAME_MASS_PPM = 10.0  # within which two sequences weigh the same, where a gap has no tolerance

_LETTERS = RESIDUES + MISSING_LETTER  # by token, those beyond the residues taken as one
_NO_RESIDUES = MISSING_LETTER + "".join(AMBIGUOUS)
_OPEN = str.maketrans(dict.fromkeys(AMBIGUOUS, MISSING_LETTER))


def predict(
    model: GapNetwork, kmers: KmerSet, library: Library, device: torch.device
) -> np.ndarray:
    """Residue distributions of the targets of a block: (t, 20) float64 rows that sum to 1.

    Residues that an ambiguity code rules out get probability 0.
    """
    model = model.to(device).eval()
    at = kmers.targets.numpy()
    chosen = np.empty((len(at), N_RESIDUES))
    half = product_dtype(device) is torch.bfloat16
    order = _reading_order(at)
    turn = np.empty(len(kmers.tokens), dtype=np.int64)
    turn[order] = np.arange(len(order))
    by_turn = np.argsort(turn[at[:, 0]], kind="stable")
    turns = turn[at[by_turn, 0]]
    done = 0
    for rows, batch in kmers.batches(BATCH, library, torch.from_numpy(order)):
        mine = by_turn[slice(*np.searchsorted(turns, (done, done + len(rows))))]
        padding = (0, -len(mine) % ANSWERS)
        kmer = torch.from_numpy(np.pad(turn[at[mine, 0]] - done, padding, "edge")).to(device)
        place = torch.from_numpy(np.pad(at[mine, 1], padding, "edge")).long().to(device)
        parts = (batch.tokens, batch.columns, batch.templates, batch.profiles)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            logits = model.answer(Kmers(*(x.to(device) for x in parts)), kmer, place)
        chosen[mine] = torch.softmax(logits.float(), -1)[: len(mine)].cpu().numpy()
        done += len(rows)
    chosen *= ALLOWED[kmers.tokens.numpy()[at[:, 0], at[:, 1]]]
    return chosen / chosen.sum(1, keepdims=True)


def _reading_order(targets: np.ndarray) -> np.ndarray:
    """(n,) k-mers, those asked for like places together; targets (t, 4) as in `KmerSet`."""
    begins = np.flatnonzero(np.diff(targets[:, 0], prepend=-1))  # every k-mer has a target
    ends = np.append(begins[1:], len(targets)) - 1
    first, last = targets[begins, 1], targets[ends[: len(begins)], 1]
    return np.lexsort((last, first // NEAR))


@dataclass(frozen=True, slots=True)
class _Residues:
    """What the tables say of the t missing residues of a block, each a list of t.

    position: in its chain, 0-based; region; the residue by each of BASELINES; ranked: residues
    from the most probable to the least that may be listed; probabilities: (t, 20).
    """

    position: list[int]
    region: list[str]
    baselines: dict[str, list[str]]
    ranked: list[list[int]]
    probabilities: np.ndarray


@dataclass(frozen=True, slots=True)
class _Chain:
    """Everything known of one chain of the block when its rows are written.

    rows: of its missing residues among those of the block.
    """

    scaffold: Scaffold
    columns: np.ndarray  # (length,)
    rows: range
    locus: str


def column_majorities() -> np.ndarray:
    """Commonest residue of the germline segments of each locus: (loci, N_CODES) tokens."""
    table = np.full((len(LOCI), N_CODES), N_RESIDUES, dtype=np.uint8)
    for segments in (v_segments(), j_segments()):
        for locus in range(len(LOCI)):
            tokens = segments.tokens[segments.locus == locus]
            counts = np.stack([(tokens == r).sum(0) for r in range(N_RESIDUES)])  # (20, codes)
            free = (table[locus] == N_RESIDUES) & (counts.sum(0) > 0)
            table[locus, free] = counts.argmax(0)[free]
    return table


def _residues(kmers: KmerSet, probabilities: np.ndarray, regions: np.ndarray) -> _Residues:
    """regions: (residues of all chains,) as `regions_of` names them."""
    targets = kmers.targets.numpy()
    at = targets[:, 0], targets[:, 1]
    templates = kmers.templates.numpy()[at[0], :, at[1]]  # (t, slots)
    loci = kmers.chain_locus.numpy()[targets[:, 2]]
    by_germline = column_majorities()[loci, kmers.columns.numpy()[at]]
    majority = np.where(loci >= 0, by_germline, N_RESIDUES)
    if len(kmers.homolog_profile):
        profile = kmers.homolog_profile.numpy()[at]
        majority = np.where(profile.any(1), profile.argmax(1), majority)
    told = (
        _first_present(templates[:, :N_GERMLINE]),
        _first_present(templates[:, N_GERMLINE:]),
        majority,
    )
    return _Residues(
        targets[:, 3].tolist(),
        regions.tolist(),
        {name: _letters(tokens) for name, tokens in zip(BASELINES, told, strict=True)},
        _ranked(probabilities),
        probabilities,
    )


def _chains(scaffolds: Sequence[Scaffold], kmers: KmerSet) -> Iterator[_Chain]:
    bounds = np.searchsorted(kmers.targets.numpy()[:, 2], np.arange(len(scaffolds) + 1)).tolist()
    columns, loci = kmers.chain_columns.numpy(), kmers.chain_locus.tolist()
    start = 0
    for i, scaffold in enumerate(scaffolds):
        stop = start + len(scaffold.sequence)
        locus = LOCI[loci[i]] if loci[i] >= 0 else ""
        yield _Chain(scaffold, columns[start:stop], range(bounds[i], bounds[i + 1]), locus)
        start = stop


def _regions_of_targets(chains: Sequence[_Chain], positions: np.ndarray) -> np.ndarray:
    """(t,) region of each missing residue, as `regions_of` names those of a whole chain."""
    found = [np.empty(0, dtype=object)]
    found += [regions_of(x.columns)[positions[x.rows.start : x.rows.stop]] for x in chains]
    return np.concatenate(found)


def _letters(tokens: np.ndarray) -> list[str]:
    """The residue of each token, X where there is none."""
    return [_LETTERS[token] for token in np.minimum(tokens, N_RESIDUES).tolist()]


def _first_present(tokens: np.ndarray) -> np.ndarray:
    """(t, slots) -> (t,) the first residue among template slots; some other token without one."""
    first = (tokens < N_RESIDUES).argmax(1)
    return np.take_along_axis(tokens, first[:, None], 1)[:, 0]


def _ranked(probabilities: np.ndarray) -> list[list[int]]:
    """Residues of each row of (t, 20) from the most probable on, one more than ALTERNATIVES."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return order[:, : ALTERNATIVES + 1].tolist()


def _alternatives(row: Sequence[float], ranked: Sequence[int], chosen: int | None) -> str:
    others = [r for r in ranked if r != chosen][:ALTERNATIVES]
    return ",".join(f"{RESIDUES[r]}:{row[r]:.2f}" for r in others if row[r] >= MIN_ALTERNATIVE)


class Tables:
    """The rows of a block's output files, collected in memory and written together."""

    def __init__(self) -> None:
        self.texts = {name: StringIO() for name in TABLES}
        self.rows = {
            name: csv.writer(text, delimiter="\t", lineterminator="\n")
            for name, text in self.texts.items()
        }

    def write(self, paths: dict[str, Path]) -> None:
        """Write each file whole, without a header: blocks are joined under one."""
        for name, path in paths.items():
            with atomic_write(path) as handle:
                handle.write(self.texts[name].getvalue())


def fill_block(
    scaffolds: Sequence[Scaffold],
    kmers: KmerSet,
    probabilities: np.ndarray,
    *,
    candidates: int,
    modifications: Modifications | None = None,
) -> Tables:
    """All rows of a block: filled chains, residues, gaps, chains, and residues with a truth.

    probabilities: what `predict` returns for `kmers`; modifications: what masses may hold.
    """
    tables = Tables()
    chains = list(_chains(scaffolds, kmers))
    regions = _regions_of_targets(chains, kmers.targets.numpy()[:, 3])
    residues = _residues(kmers, probabilities, regions)
    rules = modifications or Modifications()
    plain = _plain_rankings(chains, residues, candidates)
    for index, chain in enumerate(chains):
        _fill_chain(chain, index, kmers, residues, plain, candidates, rules, tables)
    return tables


def _rows_of(chain: _Chain, gap: Gap, residues: _Residues) -> range:
    """Rows of a gap's residues, none where they were not predicted."""
    low, high = chain.rows.start, chain.rows.stop
    first = bisect_left(residues.position, gap.start, low, high)
    return range(first, bisect_left(residues.position, gap.end, first, high))


def _plain_rankings(
    chains: Sequence[_Chain], residues: _Residues, candidates: int
) -> dict[int, Ranking]:
    """Rankings of all gaps of known length and without a mass, by their first row."""
    starts: dict[int, list[int]] = {}
    for chain in chains:
        for gap in chain.scaffold.gaps:
            if gap.fixed and (gap.mass is None or gap.tolerance_da is None):
                rows = _rows_of(chain, gap, residues)
                if rows:
                    starts.setdefault(len(rows), []).append(rows.start)
    found: dict[int, Ranking] = {}
    for length, firsts in starts.items():
        for i in range(0, len(firsts), RANKED_TOGETHER):
            some = firsts[i : i + RANKED_TOGETHER]
            of_gaps = residues.probabilities[np.array(some)[:, None] + np.arange(length)]
            found.update(zip(some, rank_plain(of_gaps, candidates), strict=True))
    return found


def mass_rules(scaffold: Scaffold, gap: Gap, modifications: Modifications) -> MassRules:
    """What the residues of one gap of a chain may weigh."""
    return MassRules(modifications, gap.start == 0, gap.end == len(scaffold.sequence))


def _fill_chain(
    chain: _Chain,
    index: int,
    kmers: KmerSet,
    residues: _Residues,
    plain: Mapping[int, Ranking],
    candidates: int,
    modifications: Modifications,
    tables: Tables,
) -> None:
    scaffold = chain.scaffold
    filled = list(scaffold.sequence)
    done = 0
    for number, gap in enumerate(scaffold.gaps, start=1):
        rows = _rows_of(chain, gap, residues)
        if not gap.fixed or not rows:
            status = "no_length_fits_mass" if chain.rows else "nothing_observed"
            _gap_rows(tables, scaffold, number, gap, [], status)
            _score_unfilled(tables, chain, number, gap)
            continue
        ranking = plain.get(rows.start)
        rules = mass_rules(scaffold, gap, modifications)
        if ranking is None:
            of_gap = residues.probabilities[rows.start : rows.stop]
            ranking = rank_sequences(of_gap, candidates, gap.mass, gap.tolerance_da, rules)
        best: Sequence[int | None] = [None] * len(rows)
        status = "filled"
        if ranking.candidates:
            best = ranking.candidates[0].tokens
            if ranking.bound > ranking.candidates[0].probability:
                status = f"filled (not proven best: another may have up to {ranking.bound:.1g})"
            done += len(rows)
        else:
            nearest = nearest_mass(len(rows), gap.mass or 0.0, rules)
            status = f"no_sequence_fits_mass (nearest: {nearest:.2f} Da)"
        _gap_rows(tables, scaffold, number, gap, ranking.candidates, status)
        _residue_rows(tables, chain, number, gap, rows, best, ranking.distributions, residues)
        for row, token in zip(rows, best, strict=True):
            filled[residues.position[row]] = _LETTERS[N_RESIDUES if token is None else token]
        if gap.truth is not None and len(gap.truth) != len(rows):
            _score_unfilled(tables, chain, number, gap)
    missing = sum(map(scaffold.sequence.count, _NO_RESIDUES))
    sequence = "".join(filled).translate(_OPEN)
    header = f">{scaffold.chain} {scaffold.description}".rstrip()
    tables.texts["filled"].write(f"{header}\n{sequence}\n")
    tables.rows["chains"].writerow(_chain_row(chain, index, kmers, len(sequence), missing, done))


def _score_unfilled(tables: Tables, chain: _Chain, number: int, gap: Gap) -> None:
    """A gap left open, or filled at a wrong length, is wrong in every true residue."""
    regions = regions_of(chain.columns) if gap.truth else ()
    for i, truth in enumerate(gap.truth or ""):
        position = min(gap.start + i, len(regions) - 1)
        nothing = [MISSING_LETTER] * (1 + len(BASELINES))
        nothing.insert(1, "0.0000")
        where = (chain.scaffold.chain, number, len(gap.truth or ""), position + 1)
        tables.rows["scored"].writerow((*where, truth, regions[position], chain.locus, *nothing))


def _gap_rows(
    tables: Tables,
    scaffold: Scaffold,
    number: int,
    gap: Gap,
    found: Sequence[Candidate],
    status: str,
) -> None:
    """Rows of a gap's candidates: the first is what it was filled with, the others tell whether
    their mass is the same within the tolerance (`isobaric`) or not (`alternative`)."""
    where = (scaffold.chain, number, *(gap.origin or (gap.start, gap.end)))
    if not found:
        tables.rows["gaps"].writerow((*where, 1, "", "", "", "", "", status))
    for rank, candidate in enumerate(found, start=1):
        error = ""
        if gap.mass is not None:
            error = f"{1e6 * (candidate.mass - gap.mass) / gap.mass:.2f}"
        tables.rows["gaps"].writerow(
            (
                *where,
                rank,
                candidate.sequence,
                f"{candidate.probability:.4g}",
                len(candidate.tokens),
                f"{candidate.mass:.5f}",
                error,
                status if rank == 1 else _relation(candidate, found[0], gap),
            )
        )


def _relation(candidate: Candidate, best: Candidate, gap: Gap) -> str:
    same = abs(candidate.mass - best.mass) <= (gap.tolerance_da or SAME_MASS_PPM * best.mass / 1e6)
    return "isobaric" if same else "alternative"


def _residue_rows(
    tables: Tables,
    chain: _Chain,
    number: int,
    gap: Gap,
    rows: range,
    tokens: Sequence[int | None],
    distributions: np.ndarray,
    residues: _Residues,
) -> None:
    """Rows of a gap's residues; tokens None: nothing fits, and they stay X.

    distributions: (length, 20), those of `residues` or what a mass made of them.
    """
    name, length = chain.scaffold.chain, gap.end - gap.start
    truths = gap.truth if gap.truth is not None and len(gap.truth) == length else None
    given = residues.ranked[rows.start : rows.stop] if gap.mass is None else _ranked(distributions)
    for row, token, share, ranked in zip(rows, tokens, distributions.tolist(), given, strict=True):
        position = residues.position[row]
        residue, probability = MISSING_LETTER, "0.0000"
        if token is not None:
            residue, probability = RESIDUES[token], f"{share[token]:.4f}"
        baselines = [residues.baselines[method][row] for method in BASELINES]
        germline = baselines[0] if baselines[0] != MISSING_LETTER else ""
        truth = truths[position - gap.start] if truths else ""
        region = residues.region[row]
        others = _alternatives(share, ranked, token)
        tables.rows["residues"].writerow(
            (name, position + 1, number, residue, probability, others, germline, region, truth)
        )
        if truth:
            where = (name, number, length, position + 1, truth, region, chain.locus)
            tables.rows["scored"].writerow((*where, residue, probability, *baselines))


def _chain_row(
    chain: _Chain, index: int, kmers: KmerSet, length: int, missing: int, filled: int
) -> tuple[object, ...]:
    v, j, c = (int(x[index]) for x in (kmers.chain_v, kmers.chain_j, kmers.chain_c))
    species = ""
    if v >= 0:
        species = SPECIES[v_segments().species[v]]
    elif c >= 0:
        species = constants()[c].species
    return (
        chain.scaffold.chain,
        chain.locus,
        species,
        v_segments().names[v] if v >= 0 else "",
        j_segments().names[j] if j >= 0 else "",
        constants()[c].name if c >= 0 else "",
        length,
        missing,
        filled,
    )
