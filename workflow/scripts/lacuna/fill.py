"""Fill the gaps of a block of scaffolds: network, decoding, and the rows of every table."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from lacuna.alphabet import ALLOWED, MISSING_LETTER, N_RESIDUES, RESIDUES, decode, encode
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
from lacuna.imgt import N_CODES, PADDING, regions_of
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
class _Chain:
    """What is known of one chain of the block before its gaps are filled.

    cell: its id as it stands in a table; gaps: each with the rows of its residues among the
    missing residues of the block, none where its length is open or nothing is observed.
    """

    scaffold: Scaffold
    cell: str
    observed: bool
    gaps: list[tuple[Gap, range]]
    columns: np.ndarray  # (length,)
    locus: str
    nearest: str  # species and nearest V, J and C segment, four cells


@dataclass(frozen=True, slots=True)
class _Residues:
    """What the tables say of the t missing residues of a block, each a list of t.

    answer: residue and probability, two cells; baselines: by each of BASELINES, a cell each.
    """

    region: list[str]
    answer: list[str]
    alternatives: list[str]
    germline: list[str]
    baselines: list[str]


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


def _chains(scaffolds: Sequence[Scaffold], kmers: KmerSet) -> Iterator[_Chain]:
    bounds = np.searchsorted(kmers.targets.numpy()[:, 2], np.arange(len(scaffolds) + 1)).tolist()
    columns, loci = kmers.chain_columns.numpy(), kmers.chain_locus.tolist()
    cells, nearest = _id_cells(scaffolds), _nearest_cells(kmers)
    start = 0
    for i, scaffold in enumerate(scaffolds):
        observed = bounds[i] < bounds[i + 1]
        gaps, row = [], bounds[i]
        for gap in scaffold.gaps:
            end = row + (gap.end - gap.start if observed else 0)
            gaps.append((gap, range(row, end if gap.fixed else row)))
            row = end
        stop = start + len(scaffold.sequence)
        locus = LOCI[loci[i]] if loci[i] >= 0 else ""
        yield _Chain(scaffold, cells[i], observed, gaps, columns[start:stop], locus, nearest[i])
        start = stop


def _id_cells(scaffolds: Sequence[Scaffold]) -> list[str]:
    """Ids as they stand in a table; no other cell ever has something to quote."""
    text = StringIO()
    rows = csv.writer(text, delimiter="\t", lineterminator="\n")
    rows.writerows((scaffold.chain,) for scaffold in scaffolds)
    return text.getvalue().split("\n")


def _nearest_cells(kmers: KmerSet) -> list[str]:
    """Species and nearest V, J and C segment of each chain, four cells."""
    found = []
    nearest = (x.tolist() for x in (kmers.chain_v, kmers.chain_j, kmers.chain_c))
    for v, j, c in zip(*nearest, strict=True):
        species = ""
        if v >= 0:
            species = SPECIES[v_segments().species[v]]
        elif c >= 0:
            species = constants()[c].species
        of_v = v_segments().names[v] if v >= 0 else ""
        of_j = j_segments().names[j] if j >= 0 else ""
        of_c = constants()[c].name if c >= 0 else ""
        found.append(f"{species}\t{of_v}\t{of_j}\t{of_c}")
    return found


def _rankings(
    chains: Sequence[_Chain],
    probabilities: np.ndarray,
    candidates: int,
    modifications: Modifications,
) -> dict[int, Ranking]:
    """Rankings of all gaps of known length by their first row, those without a mass together."""
    found: dict[int, Ranking] = {}
    plain: dict[int, list[int]] = {}
    for chain in chains:
        for gap, rows in chain.gaps:
            if rows and (gap.mass is None or gap.tolerance_da is None):
                plain.setdefault(len(rows), []).append(rows.start)
            elif rows:
                rules = mass_rules(chain.scaffold, gap, modifications)
                of_gap = probabilities[rows.start : rows.stop]
                found[rows.start] = rank_sequences(
                    of_gap, candidates, gap.mass, gap.tolerance_da, rules
                )
    for length, firsts in plain.items():
        for i in range(0, len(firsts), RANKED_TOGETHER):
            some = firsts[i : i + RANKED_TOGETHER]
            of_gaps = probabilities[np.array(some)[:, None] + np.arange(length)]
            found.update(zip(some, rank_plain(of_gaps, candidates), strict=True))
    return found


def _residues(
    kmers: KmerSet,
    probabilities: np.ndarray,
    rankings: Mapping[int, Ranking],
    lengths: np.ndarray,
) -> _Residues:
    """lengths: (m,) of the chains."""
    targets = kmers.targets.numpy()
    filled = [MISSING_LETTER] * len(targets)
    told = np.pad(probabilities, ((0, 0), (0, 1)))  # (t, 21): 0 for a residue that stays X
    for first, ranking in rankings.items():
        rows = slice(first, first + len(ranking.distributions))
        told[rows, :N_RESIDUES] = ranking.distributions
        if ranking.candidates:
            filled[rows] = ranking.candidates[0].sequence
    chosen = np.arange(len(targets)), encode("".join(filled))
    answer = [f"{r}\t{p:.4f}" for r, p in zip(filled, told[chosen].tolist(), strict=True)]
    told[chosen] = 0
    baselines = [_letters(tokens) for tokens in _baselines(kmers)]
    return _Residues(
        _regions(kmers, lengths),
        answer,
        _alternatives(told),
        ["" if letter == MISSING_LETTER else letter for letter in baselines[0]],
        list(map("\t".join, zip(*baselines, strict=True))),
    )


def _baselines(kmers: KmerSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(t,) tokens by each of BASELINES; no residue's where it has none to tell."""
    targets = kmers.targets.numpy()
    at = targets[:, 0], targets[:, 1]
    templates = kmers.templates.numpy()[at[0], :, at[1]]  # (t, slots)
    loci = kmers.chain_locus.numpy()[targets[:, 2]]
    by_germline = column_majorities()[loci, kmers.columns.numpy()[at]]
    majority = np.where(loci >= 0, by_germline, N_RESIDUES)
    if len(kmers.homolog_profile):
        profile = kmers.homolog_profile.numpy()[at]
        majority = np.where(profile.any(1), profile.argmax(1), majority)
    germline, homologs = templates[:, :N_GERMLINE], templates[:, N_GERMLINE:]
    return _first_present(germline), _first_present(homologs), majority


def _regions(kmers: KmerSet, lengths: np.ndarray) -> list[str]:
    """Region of each missing residue; lengths: (m,) of the chains."""
    _, _, chain, position = kmers.targets.numpy().T
    starts = np.cumsum(lengths) - lengths
    # What is set before each chain keeps a region from going over into the next.
    columns = np.insert(kmers.chain_columns.numpy(), starts, PADDING)
    return regions_of(columns)[(starts + np.arange(1, len(lengths) + 1))[chain] + position].tolist()


def _letters(tokens: np.ndarray) -> list[str]:
    """The residue of each token, X where there is none."""
    return list(decode(np.minimum(tokens, N_RESIDUES)))


def _first_present(tokens: np.ndarray) -> np.ndarray:
    """(t, slots) -> (t,) the first residue among template slots; some other token without one."""
    first = (tokens < N_RESIDUES).argmax(1)
    return np.take_along_axis(tokens, first[:, None], 1)[:, 0]


def _alternatives(probabilities: np.ndarray) -> list[str]:
    """The most probable residues of each row of (t, 21), as a cell of `residues`."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :ALTERNATIVES]
    shares = np.take_along_axis(probabilities, order, 1)
    listed = shares >= MIN_ALTERNATIVE
    pairs = zip(order[listed].tolist(), shares[listed].tolist(), strict=True)
    texts = [f"{RESIDUES[r]}:{p:.2f}" for r, p in pairs]
    ends = np.cumsum(listed.sum(1)).tolist()
    return [",".join(texts[a:b]) for a, b in pairwise([0, *ends])]


class Tables:
    """The rows of a block's output files, collected in memory and written together."""

    def __init__(self) -> None:
        self.texts = {name: StringIO() for name in TABLES}

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
    rules = modifications or Modifications()
    chains = list(_chains(scaffolds, kmers))
    rankings = _rankings(chains, probabilities, candidates, rules)
    lengths = np.array([len(scaffold.sequence) for scaffold in scaffolds], dtype=np.int64)
    residues = _residues(kmers, probabilities, rankings, lengths)
    for chain in chains:
        _fill_chain(chain, rankings, residues, rules, tables)
    return tables


def mass_rules(scaffold: Scaffold, gap: Gap, modifications: Modifications) -> MassRules:
    """What the residues of one gap of a chain may weigh."""
    return MassRules(modifications, gap.start == 0, gap.end == len(scaffold.sequence))


def _fill_chain(
    chain: _Chain,
    rankings: Mapping[int, Ranking],
    residues: _Residues,
    modifications: Modifications,
    tables: Tables,
) -> None:
    scaffold = chain.scaffold
    pieces = []
    at = missing = done = 0
    for number, (gap, rows) in enumerate(chain.gaps, start=1):
        length = gap.end - gap.start
        found: Sequence[Candidate] = ()
        if rows:
            ranking = rankings[rows.start]
            found = ranking.candidates
            if not found:
                rules = mass_rules(scaffold, gap, modifications)
                nearest = nearest_mass(length, gap.mass or 0.0, rules)
                status = f"no_sequence_fits_mass (nearest: {nearest:.2f} Da)"
            elif ranking.bound > found[0].probability:
                status = f"filled (not proven best: another may have up to {ranking.bound:.1g})"
            else:
                status = "filled"
        else:
            status = "no_length_fits_mass" if chain.observed else "nothing_observed"
        _gap_rows(tables, chain, number, gap, found, status)
        _residue_rows(tables, chain, number, gap, rows, residues)
        if gap.truth is not None and len(gap.truth) != len(rows):
            _score_unfilled(tables, chain, number, gap)
        pieces += (
            scaffold.sequence[at : gap.start],
            found[0].sequence if found else MISSING_LETTER * length,
        )
        at = gap.end
        missing += length
        done += length if found else 0
    sequence = "".join(pieces) + scaffold.sequence[at:]
    header = f">{scaffold.chain} {scaffold.description}".rstrip()
    tables.texts["filled"].write(f"{header}\n{sequence}\n")
    tables.texts["chains"].write(
        f"{chain.cell}\t{chain.locus}\t{chain.nearest}\t{len(sequence)}\t{missing}\t{done}\n"
    )


def _gap_rows(
    tables: Tables,
    chain: _Chain,
    number: int,
    gap: Gap,
    found: Sequence[Candidate],
    status: str,
) -> None:
    """Rows of a gap's candidates: the first is what it was filled with, the others tell whether
    their mass is the same within the tolerance (`isobaric`) or not (`alternative`)."""
    start, end = gap.origin or (gap.start, gap.end)
    where = f"{chain.cell}\t{number}\t{start}\t{end}"
    lines = [] if found else [f"{where}\t1\t\t\t\t\t\t{status}\n"]
    for rank, candidate in enumerate(found, start=1):
        sequence, mass = candidate.sequence, candidate.mass
        error = "" if gap.mass is None else f"{1e6 * (mass - gap.mass) / gap.mass:.2f}"
        said = status if rank == 1 else _relation(candidate, found[0], gap)
        lines.append(
            f"{where}\t{rank}\t{sequence}\t{candidate.probability:.4g}\t{len(sequence)}"
            f"\t{mass:.5f}\t{error}\t{said}\n"
        )
    tables.texts["gaps"].write("".join(lines))


def _relation(candidate: Candidate, best: Candidate, gap: Gap) -> str:
    same = abs(candidate.mass - best.mass) <= (gap.tolerance_da or SAME_MASS_PPM * best.mass / 1e6)
    return "isobaric" if same else "alternative"


def _residue_rows(
    tables: Tables, chain: _Chain, number: int, gap: Gap, rows: range, residues: _Residues
) -> None:
    truths = gap.truth if gap.truth and len(gap.truth) == len(rows) else ""
    for i, row in enumerate(rows):
        truth = truths[i : i + 1]
        position, region, answer = gap.start + i + 1, residues.region[row], residues.answer[row]
        tables.texts["residues"].write(
            f"{chain.cell}\t{position}\t{number}\t{answer}\t{residues.alternatives[row]}"
            f"\t{residues.germline[row]}\t{region}\t{truth}\n"
        )
        if truth:
            tables.texts["scored"].write(
                f"{chain.cell}\t{number}\t{len(rows)}\t{position}\t{truth}\t{region}"
                f"\t{chain.locus}\t{answer}\t{residues.baselines[row]}\n"
            )


def _score_unfilled(tables: Tables, chain: _Chain, number: int, gap: Gap) -> None:
    """A gap left open, or filled at a wrong length, is wrong in every true residue."""
    regions = regions_of(chain.columns) if gap.truth else ()
    nothing = "\t".join([MISSING_LETTER, "0.0000", *[MISSING_LETTER] * len(BASELINES)])
    for i, truth in enumerate(gap.truth or ""):
        position = min(gap.start + i, len(regions) - 1)
        where = f"{chain.cell}\t{number}\t{len(gap.truth or '')}\t{position + 1}"
        tables.texts["scored"].write(
            f"{where}\t{truth}\t{regions[position]}\t{chain.locus}\t{nothing}\n"
        )
