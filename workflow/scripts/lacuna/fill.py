"""Fill the gaps of a block of scaffolds: network, decoding, and the rows of every table."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import torch

from lacuna.alphabet import ALLOWED, MISSING_LETTER, N_RESIDUES, RESIDUES
from lacuna.decode import Candidate, MassRules, Modifications, nearest_mass, rank_sequences
from lacuna.device import product_dtype
from lacuna.files import atomic_write
from lacuna.germlines import LOCI, SPECIES, constants, j_segments, v_segments
from lacuna.imgt import N_CODES, regions_of
from lacuna.kmers import KmerSet
from lacuna.network import GapNetwork
from lacuna.scaffolds import Gap, Scaffold
from lacuna.templates import N_GERMLINE, Library

BATCH = 64  # k-mers a forward pass; fixed, so that a result never depends on its company
ALTERNATIVES = 3  # residues listed beside the chosen one
MIN_ALTERNATIVE = 0.01
SAME_MASS_PPM = 10.0  # within which two sequences weigh the same, where a gap has no tolerance

RESIDUE_COLUMNS = (
    "chain position gap residue probability alternatives germline region truth".split()
)
GAP_COLUMNS = (
    "chain gap start end rank candidate probability length mass mass_error_ppm status".split()
)
CHAIN_COLUMNS = "chain locus species v_segment j_segment c_segment length missing filled".split()
BASELINES = ("germline_copy", "nearest_homolog", "column_majority")
SCORED_COLUMNS = (
    "chain gap gap_length position truth region locus lacuna probability".split() + list(BASELINES)
)


def predict(
    model: GapNetwork, kmers: KmerSet, library: Library, device: torch.device
) -> np.ndarray:
    """Residue distributions of the targets of a block: (t, 20) float64 rows that sum to 1.

    Residues that an ambiguity code rules out get probability 0.
    """
    model = model.to(device).eval()
    n, k = kmers.tokens.shape
    probabilities = np.empty((n, k, N_RESIDUES), dtype=np.float32)
    half = product_dtype(device) is torch.bfloat16
    for rows, batch in kmers.batches(BATCH, library):
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            moved = type(batch)(
                batch.tokens.to(device),
                batch.columns.to(device),
                batch.templates.to(device),
                batch.profiles.to(device),
            )
            logits = model(moved).float()
        probabilities[rows] = torch.softmax(logits, -1)[: rows.stop - rows.start].cpu().numpy()
    at = kmers.targets.numpy()
    chosen = probabilities[at[:, 0], at[:, 1]].astype(np.float64)
    chosen *= ALLOWED[kmers.tokens.numpy()[at[:, 0], at[:, 1]]]
    return chosen / chosen.sum(1, keepdims=True)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Everything known of one chain of the block when its rows are written."""

    scaffold: Scaffold
    columns: np.ndarray  # (length,)
    positions: np.ndarray  # (missing,) of its targets
    probabilities: np.ndarray  # (missing, 20)
    templates: np.ndarray  # (missing, slots) tokens of all template slots
    majority: np.ndarray  # (missing,) tokens of the column majority
    locus: int


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


def _chains(
    scaffolds: Sequence[Scaffold], kmers: KmerSet, probabilities: np.ndarray
) -> Iterator[_Chain]:
    targets = kmers.targets.numpy()
    templates = kmers.templates.numpy()[targets[:, 0], :, targets[:, 1]]  # (t, slots)
    by_germline = column_majorities()
    codes = kmers.columns.numpy()[targets[:, 0], targets[:, 1]]
    locus_of = kmers.chain_locus.numpy()
    loci = locus_of[targets[:, 2]]
    majority = np.where(loci >= 0, by_germline[loci, codes], N_RESIDUES)
    if len(kmers.homolog_profile):
        profile = kmers.homolog_profile.numpy()[targets[:, 0], targets[:, 1]]
        majority = np.where(profile.any(1), profile.argmax(1), majority)
    bounds = np.searchsorted(targets[:, 2], np.arange(len(scaffolds) + 1))
    column = 0
    columns = kmers.chain_columns.numpy()
    for i, scaffold in enumerate(scaffolds):
        rows = slice(bounds[i], bounds[i + 1])
        length = len(scaffold.sequence)
        yield _Chain(
            scaffold,
            columns[column : column + length],
            targets[rows, 3],
            probabilities[rows],
            templates[rows],
            majority[rows],
            int(locus_of[i]),
        )
        column += length


def _letter(token: int) -> str:
    return RESIDUES[token] if token < N_RESIDUES else MISSING_LETTER


def _first_present(tokens: np.ndarray) -> str:
    """The first residue among template slots, X where none has one."""
    there = tokens[tokens < N_RESIDUES]
    return RESIDUES[int(there[0])] if len(there) else MISSING_LETTER


def _alternatives(row: np.ndarray, chosen: int | None) -> str:
    order = [int(r) for r in np.argsort(-row, kind="stable") if r != chosen]
    listed = [r for r in order[:ALTERNATIVES] if row[r] >= MIN_ALTERNATIVE]
    return ",".join(f"{RESIDUES[r]}:{row[r]:.2f}" for r in listed)


class Tables:
    """The rows of a block's output files, collected in memory and written together."""

    def __init__(self) -> None:
        self.texts = {
            name: StringIO() for name in ("filled", "residues", "gaps", "chains", "scored")
        }
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
    for index, chain in enumerate(_chains(scaffolds, kmers, probabilities)):
        _fill_chain(chain, index, kmers, candidates, modifications or Modifications(), tables)
    return tables


def mass_rules(scaffold: Scaffold, gap: Gap, modifications: Modifications) -> MassRules:
    """What the residues of one gap of a chain may weigh."""
    return MassRules(modifications, gap.start == 0, gap.end == len(scaffold.sequence))


def _fill_chain(
    chain: _Chain,
    index: int,
    kmers: KmerSet,
    candidates: int,
    modifications: Modifications,
    tables: Tables,
) -> None:
    scaffold = chain.scaffold
    filled = list(scaffold.sequence)
    regions = regions_of(chain.columns)
    row_of = {int(p): i for i, p in enumerate(chain.positions)}
    done = 0
    for number, gap in enumerate(scaffold.gaps, start=1):
        places = [row_of[p] for p in range(gap.start, gap.end) if p in row_of]
        if not gap.fixed or not places:
            status = "no_length_fits_mass" if len(chain.positions) else "nothing_observed"
            _gap_rows(tables, scaffold, number, gap, [], status)
            _score_unfilled(tables, chain, number, gap, regions)
            continue
        rules = mass_rules(scaffold, gap, modifications)
        ranking = rank_sequences(
            chain.probabilities[places], candidates, gap.mass, gap.tolerance_da, rules
        )
        best: Sequence[int | None] = [None] * len(places)
        status = "filled"
        if ranking.candidates:
            best = ranking.candidates[0].tokens
            if ranking.bound > ranking.candidates[0].probability:
                status = f"filled (not proven best: another may have up to {ranking.bound:.1g})"
            done += len(places)
        else:
            nearest = nearest_mass(len(places), gap.mass or 0.0, rules)
            status = f"no_sequence_fits_mass (nearest: {nearest:.2f} Da)"
        _gap_rows(tables, scaffold, number, gap, ranking.candidates, status)
        for place, token, row in zip(places, best, ranking.distributions, strict=True):
            position = int(chain.positions[place])
            filled[position] = MISSING_LETTER if token is None else RESIDUES[token]
            _residue_rows(tables, chain, number, gap, place, token, row, str(regions[position]))
        if gap.truth is not None and len(gap.truth) != len(places):
            _score_unfilled(tables, chain, number, gap, regions)
    missing = sum(letter not in RESIDUES for letter in scaffold.sequence)
    sequence = "".join(letter if letter in RESIDUES else MISSING_LETTER for letter in filled)
    header = f">{scaffold.chain} {scaffold.description}".rstrip()
    tables.texts["filled"].write(f"{header}\n{sequence}\n")
    tables.rows["chains"].writerow(_chain_row(chain, index, kmers, len(sequence), missing, done))


def _score_unfilled(
    tables: Tables, chain: _Chain, number: int, gap: Gap, regions: np.ndarray
) -> None:
    """A gap left open, or filled at a wrong length, is wrong in every true residue."""
    for i, truth in enumerate(gap.truth or ""):
        position = min(gap.start + i, len(regions) - 1)
        nothing = [MISSING_LETTER] * (1 + len(BASELINES))
        nothing.insert(1, "0.0000")
        locus = LOCI[chain.locus] if chain.locus >= 0 else ""
        where = (chain.scaffold.chain, number, len(gap.truth or ""), position + 1)
        tables.rows["scored"].writerow((*where, truth, str(regions[position]), locus, *nothing))


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
    place: int,
    token: int | None,
    row: np.ndarray,
    region: str,
) -> None:
    """Rows of one missing residue; token None: nothing fits, and it stays X."""
    scaffold = chain.scaffold
    position = int(chain.positions[place])
    germline = _first_present(chain.templates[place, :N_GERMLINE])
    same_length = gap.truth is not None and len(gap.truth) == gap.end - gap.start
    truth = gap.truth[position - gap.start] if gap.truth is not None and same_length else ""
    residue = MISSING_LETTER if token is None else RESIDUES[token]
    probability = "0.0000" if token is None else f"{row[token]:.4f}"
    tables.rows["residues"].writerow(
        (
            scaffold.chain,
            position + 1,
            number,
            residue,
            probability,
            _alternatives(row, token),
            germline if germline != MISSING_LETTER else "",
            region,
            truth,
        )
    )
    if truth:
        tables.rows["scored"].writerow(
            (
                scaffold.chain,
                number,
                gap.end - gap.start,
                position + 1,
                truth,
                region,
                LOCI[chain.locus] if chain.locus >= 0 else "",
                residue,
                probability,
                germline,
                _first_present(chain.templates[place, N_GERMLINE:]),
                _letter(int(chain.majority[place])),
            )
        )


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
        LOCI[chain.locus] if chain.locus >= 0 else "",
        species,
        v_segments().names[v] if v >= 0 else "",
        j_segments().names[j] if j >= 0 else "",
        constants()[c].name if c >= 0 else "",
        length,
        missing,
        filled,
    )
