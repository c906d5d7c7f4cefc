"""Fill the gaps of a block of scaffolds: network, decoding, and the rows of every table."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np

from lacuna.antibody.germlines import LOCI, SPECIES, constants, j_segments, v_segments
from lacuna.antibody.imgt import N_CODES, OUTSIDE, PADDING, imgt_numbers, regions_of
from lacuna.core.alphabet import (
    AMBIGUOUS,
    MISSING_LETTER,
    N_RESIDUES,
    RESIDUES,
    decode,
    encode,
)
from lacuna.core.files import atomic_write
from lacuna.core.tables import (
    CHAIN_TABLE,
    GAP_TABLE,
    RESIDUE_TABLE,
    SCORED_TABLE,
    ChainRow,
    GapRow,
    Readings,
    ResidueRow,
    ScoredRow,
    Shares,
)
from lacuna.filling.decode import (
    MAX_MASS,
    MAX_RESIDUES,
    Candidate,
    MassRules,
    Modifications,
    Ranking,
    nearest_mass,
    rank_plain,
    rank_sequences,
)
from lacuna.filling.weighing import contradiction
from lacuna.network.kmers import KmerSet, PartSegments
from lacuna.results.join import TABLES
from lacuna.scaffolds.alkylation import CONTRADICTS, READINGS, reading_of, written_on
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.templates.nearest import N_GERMLINE

RANKED_TOGETHER = 1024  # gaps, fewer where their candidates have more letters than
MAX_LETTERS = 5_000_000
ALTERNATIVES = 3  # residues listed beside the chosen one
MIN_ALTERNATIVE = 0.01
MIN_SHARE = 0.005  # of a reading of C that is listed
MAX_WARNINGS = 20  # of a block that are written to the log one by one
SAME_MASS_PPM = 10.0  # within which two sequences weigh the same, where a gap has no tolerance
NO_SHARES = Shares()
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Chain:
    """What is known of one chain of the block before its gaps are filled.

    regions, imgt: region and IMGT number of every residue of the block, of which its own begin at
    `offset`; coded: whether it holds ambiguity codes; rows: of its missing residues among those of
    the block, none if nothing is observed.
    """

    scaffold: Scaffold
    regions: list[str]
    imgt: list[str]
    offset: int
    coded: bool
    rows: range
    locus: str
    nearest: tuple[str, str, str, str]  # species and nearest V, J and C segment

    def gaps(self) -> Iterator["_Gap"]:
        first = self.rows.start
        for number, gap in enumerate(self.scaffold.gaps, start=1):
            last = first + (gap.end - gap.start if self.rows else 0)
            yield _Gap(self, number, gap, range(first, last if gap.fixed else first))
            first = last


@dataclass(frozen=True, slots=True)
class _Gap:
    """A gap of a chain; rows: of its residues, none where it stays open."""

    chain: _Chain
    number: int
    given: Gap
    rows: range

    @property
    def among_all(self) -> slice:
        """Its residues among those of the block that `_Chain.regions` and `imgt` are of."""
        offset = self.chain.offset
        return slice(offset + self.given.start, offset + self.given.end)

    @property
    def ambiguity(self) -> str:
        """The letters of a gap of ambiguity codes alone, '' of any other."""
        if not self.chain.coded or not self.given.fixed:
            return ""
        letters = self.chain.scaffold.sequence[self.given.start : self.given.end]
        return "" if MISSING_LETTER in letters else letters

    @property
    def scaffold_positions(self) -> Sequence[int]:
        """Where each of its residues stands in the scaffold, from 0: in what the gap covers, or
        at its start where it has another number of residues than that."""
        start, end = self.given.origin or (self.given.start, self.given.end)
        length = self.given.end - self.given.start
        return range(start, end) if end - start == length else [start] * length


@dataclass(frozen=True, slots=True)
class _Residues:
    """What is known of the t missing residues of a block, t of each; shares: of the letters.

    baselines: t residues each by the germline, the nearest homolog and the majority of the column;
    others: alternatives with their shares, those of residue i in ends[i]:ends[i + 1].
    """

    letters: str
    shares: list[float]
    germline: list[str]
    baselines: list[list[str]]
    others: list[tuple[str, float]]
    ends: list[int]

    def alternatives(self, rows: range) -> list[Shares]:
        """The most probable residues beside the ones chosen."""
        others, ends = self.others, self.ends[rows.start : rows.stop + 1]
        return [Shares(others[a:b]) if a < b else NO_SHARES for a, b in pairwise(ends)]


@dataclass(frozen=True, slots=True)
class _Found:
    """The candidates of a gap, best first, and the status of the first; none if it stays open."""

    candidates: Sequence[Candidate]
    status: str


@dataclass(frozen=True, slots=True)
class FilledChain:
    """A chain with its gaps filled, and its rows of every table."""

    scaffold: Scaffold
    sequence: str
    row: ChainRow
    gaps: list[GapRow]
    residues: list[ResidueRow]
    scored: list[ScoredRow]

    @property
    def fasta(self) -> str:
        header = " ".join(filter(None, (f">{self.scaffold.chain}", self.scaffold.description)))
        return f"{header}\n{self.sequence}\n"


class Tables:
    """The text of a block's output files, collected in memory and written together."""

    def __init__(self) -> None:
        self.texts = {name: StringIO() for name in TABLES}

    def add(self, chain: FilledChain) -> None:
        """Add the rows of a chain to each table."""
        self.texts["filled"].write(chain.fasta)
        self.texts["residues"].write(RESIDUE_TABLE.text(chain.residues))
        self.texts["gaps"].write(GAP_TABLE.text(chain.gaps))
        self.texts["chains"].write(CHAIN_TABLE.text([chain.row]))
        self.texts["scored"].write(SCORED_TABLE.text(chain.scored))

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
    """The text of all tables of a block; see `fill_chains`."""
    tables = Tables()
    filled = fill_chains(
        scaffolds, kmers, probabilities, candidates=candidates, modifications=modifications
    )
    for chain in filled:
        tables.add(chain)
    return tables


def fill_chains(
    scaffolds: Sequence[Scaffold],
    kmers: KmerSet,
    probabilities: np.ndarray,
    *,
    candidates: int,
    modifications: Modifications | None = None,
) -> Iterator[FilledChain]:
    """Yield each chain of a block, filled, with its residues, gaps, and residues with a truth.

    probabilities: what `predict` returns for `kmers`; modifications: what masses may hold.
    """
    allowed = modifications or Modifications()
    doubts: list[tuple[_Gap, str]] = []
    chains = [(chain, list(chain.gaps())) for chain in _chains(scaffolds, kmers)]
    bare = _without_template(kmers).tolist()
    letters = [MISSING_LETTER] * len(probabilities)
    told = np.pad(probabilities, ((0, 0), (0, 1)))  # (t, 21), 0 for X
    found: dict[int, _Found] = {}
    unguided = set()  # gaps that were filled without a template
    known = [gap for _, gaps in chains for gap in gaps if gap.rows]
    for gap, ranking in _ranked(known, probabilities, candidates, allowed):
        rows = slice(gap.rows.start, gap.rows.stop)
        told[rows, :N_RESIDUES] = ranking.distributions
        if ranking.candidates:
            letters[rows] = ranking.candidates[0].sequence
            if all(bare[rows]):
                unguided.add(gap.rows.start)
        doubt = _contradiction(gap, ranking, probabilities[rows], allowed)
        if doubt:
            doubts.append((gap, doubt))
        status = _status(gap, ranking, allowed, doubt, gap.rows.start in unguided)
        found[gap.rows.start] = _Found(ranking.candidates, status)
    residues = _residues("".join(letters), told, kmers)
    _warn(doubts)
    for chain, gaps in chains:
        yield _fill_chain(chain, gaps, residues, found, unguided, allowed)


def _chains(scaffolds: Sequence[Scaffold], kmers: KmerSet) -> Iterator[_Chain]:
    bounds = np.searchsorted(kmers.targets.numpy()[:, 2], np.arange(len(scaffolds) + 1)).tolist()
    parts = kmers.parts_of_chains()
    starts = _starts(scaffolds)
    # What is set before each chain keeps regions and insertions of another from going over into it.
    columns = np.insert(kmers.chain_columns.numpy(), starts, PADDING)
    regions, imgt = regions_of(columns).tolist(), imgt_numbers(columns).tolist()
    for i, (scaffold, start) in enumerate(zip(scaffolds, starts.tolist(), strict=True)):
        coded = any(code in scaffold.sequence for code in AMBIGUOUS)
        rows = range(bounds[i], bounds[i + 1])
        locus, nearest = _locus(parts[i]), _nearest(parts[i])
        offset = start + i + 1
        yield _Chain(scaffold, regions, imgt, offset, coded, rows, locus, nearest)


def _starts(scaffolds: Sequence[Scaffold]) -> np.ndarray:
    """(m,) where each chain begins among the residues of all."""
    lengths = np.array([len(scaffold.sequence) for scaffold in scaffolds], dtype=np.int64)
    return np.cumsum(lengths) - lengths


def _locus(parts: Sequence[PartSegments]) -> str:
    """Locus of a chain, as H+K where it has several V domains; '' for none."""
    domains = [part for part in parts if part.v >= 0 or part.c < 0] or parts  # without an Fc
    return "+".join(LOCI[part.locus] for part in domains if part.locus >= 0)


def _nearest(parts: Sequence[PartSegments]) -> tuple[str, str, str, str]:
    """Species and nearest V, J and C segment of a chain; those of its parts joined by +."""
    species: dict[str, None] = {}  # in order
    for part in parts:
        if part.v >= 0:
            species[SPECIES[v_segments().species[part.v]]] = None
        elif part.c >= 0:
            species[constants()[part.c].species] = None
    v = [v_segments().names[part.v] for part in parts if part.v >= 0]
    j = [j_segments().names[part.j] for part in parts if part.j >= 0]
    c = [constants()[part.c].name for part in parts if part.c >= 0]
    return "+".join(species), "+".join(v), "+".join(j), "+".join(c)


# --- gaps ----------------------------------------------------------------------------------------


def mass_rules(scaffold: Scaffold, gap: Gap, modifications: Modifications) -> MassRules:
    """What the residues of one gap of a chain may weigh."""
    return MassRules(modifications, gap.start == 0, gap.end == len(scaffold.sequence))


def _ranked(
    known: Sequence[_Gap],
    probabilities: np.ndarray,
    candidates: int,
    modifications: Modifications,
) -> Iterator[tuple[_Gap, Ranking]]:
    """Every gap of `known` length and its ranking, those without a mass many at a time."""
    plain: dict[int, list[_Gap]] = {}
    for gap in known:
        mass, tolerance = gap.given.mass, gap.given.tolerance_da
        if mass is None or tolerance is None:
            plain.setdefault(len(gap.rows), []).append(gap)
        else:
            rules = mass_rules(gap.chain.scaffold, gap.given, modifications)
            of_gap = probabilities[gap.rows.start : gap.rows.stop]
            if _too_large(gap.given):
                yield gap, Ranking((), of_gap)
                continue
            yield gap, rank_sequences(of_gap, candidates, mass, tolerance, rules)
    for length, gaps in plain.items():
        together = max(min(MAX_LETTERS // (candidates * length), RANKED_TOGETHER), 1)
        for i in range(0, len(gaps), together):
            some = gaps[i : i + together]
            of_gaps = probabilities[np.array([gap.rows for gap in some])]  # (g, length, 20)
            yield from zip(some, rank_plain(of_gaps, candidates), strict=True)


def _without_template(kmers: KmerSet) -> np.ndarray:
    """(t,) whether a missing residue has no template: outside of domains, without homologs."""
    kmer, place = kmers.targets.numpy()[:, :2].T
    shown = (kmers.templates.numpy()[kmer, :, place] < N_RESIDUES).any(1)
    return ~shown & (kmers.columns.numpy()[kmer, place] == OUTSIDE)


def _too_large(gap: Gap) -> bool:
    """Whether a mass and its residues are more than are decoded."""
    if gap.mass is None:
        return False
    return gap.end - gap.start > MAX_RESIDUES if gap.fixed else gap.mass > MAX_MASS


def _contradiction(
    gap: _Gap, ranking: Ranking, distribution: np.ndarray, modifications: Modifications
) -> str:
    """What speaks against what C weighs in the sample, in the mass of a gap or in its chain; ''
    if nothing does, or the gap has no mass."""
    scaffold, given = gap.chain.scaffold, gap.given
    if given.mass is None or given.tolerance_da is None:
        return ""
    holding = {reading_of(carried) for carried, _ in modifications.cysteine}
    for position, name in written_on(scaffold):
        if name not in holding:
            return f"C {position + 1} of the chain is written as {READINGS[name].words}"
    if _too_large(given):
        return ""
    rules = mass_rules(scaffold, given, modifications)
    better = contradiction(
        distribution, given.mass, given.tolerance_da, rules, ranking.mass_probability
    )
    return f"fits far better with {READINGS[better].words} C" if better else ""


def _warn(doubts: Sequence[tuple[_Gap, str]]) -> None:
    """Name the gaps that contradict what C weighs in the log."""
    for gap, doubt in doubts[:MAX_WARNINGS]:
        chain = gap.chain.scaffold.chain
        LOG.warning("'%s' contradicts what C weighs: its gap %d %s", chain, gap.number, doubt)
    if len(doubts) > MAX_WARNINGS:
        LOG.warning("%d gaps contradict what C weighs; see gaps.tsv", len(doubts))


def _status(
    gap: _Gap, ranking: Ranking, modifications: Modifications, doubt: str, unguided: bool
) -> str:
    """`filled` or why the gap stays open, and in brackets what else must be known of it."""
    if _too_large(gap.given):
        return _too_large_status()
    notes = []
    if not ranking.candidates:
        status = "no_sequence_fits_mass"
        rules = mass_rules(gap.chain.scaffold, gap.given, modifications)
        nearest = nearest_mass(len(gap.rows), gap.given.mass or 0.0, rules)
        notes.append(f"nearest of {len(gap.rows)} residues: {nearest:.2f} Da")
    else:
        status = "filled"
        if unguided:
            notes.append("no template")
        if ranking.bound > ranking.candidates[0].probability:
            notes.append(f"not proven best: another may have up to {ranking.bound:.1g}")
        if gap.given.untried:
            notes.append("not all possible lengths were tried")
    if doubt:
        notes.append(f"{CONTRADICTS}: {doubt}")
    return f"{status} ({'; '.join(notes)})" if notes else status


def _too_large_status() -> str:
    return f"mass_too_large (decoded are up to {MAX_RESIDUES} residues or {MAX_MASS:.0f} Da)"


def _gap_rows(gap: _Gap, found: _Found, modifications: Modifications) -> list[GapRow]:
    """Rows of a gap's candidates: the first is what it was filled with, the others tell whether
    their mass is the same within the tolerance (`isobaric`) or not (`alternative`)."""
    given, name = gap.given, gap.chain.scaffold.chain
    start, end = given.origin or (given.start, given.end)
    first, last, imgt_first, imgt_last = _filled_at(gap)
    if not found.candidates:
        nothing = "", None, None, None, None
        where = first, last, imgt_first, imgt_last, gap.ambiguity
        cysteine = _cysteine(gap, modifications)
        status = found.status
        return [GapRow(name, gap.number, start, end, 1, *nothing, status, *where, cysteine)]
    n = len(found.candidates)
    sequences = [candidate.sequence for candidate in found.candidates]
    masses = [candidate.mass for candidate in found.candidates]
    best, weighed = masses[0], given.mass
    tolerance = given.tolerance_da or SAME_MASS_PPM * best / 1e6
    same = [abs(mass - best) <= tolerance for mass in masses[1:]]
    return GAP_TABLE.rows(
        [name] * n,
        [gap.number] * n,
        [start] * n,
        [end] * n,
        range(1, n + 1),
        sequences,
        [candidate.probability for candidate in found.candidates],
        map(len, sequences),
        masses,
        [None] * n if weighed is None else [1e6 * (m - weighed) / weighed for m in masses],
        [found.status, *("isobaric" if alike else "alternative" for alike in same)],
        [first] * n,
        [last] * n,
        [imgt_first] * n,
        [imgt_last] * n,
        [gap.ambiguity] * n,
        [_cysteine(gap, modifications, candidate) for candidate in found.candidates],
    )


def _filled_at(gap: _Gap) -> tuple[int | None, int | None, str, str]:
    """First and last position in the filled chain, from 1, and their IMGT numbers."""
    first, last, at, imgt = gap.given.start + 1, gap.given.end, gap.among_all, gap.chain.imgt
    if last < first:
        return None, None, "", ""
    return first, last, imgt[at.start], imgt[at.stop - 1]


def _cysteine(
    gap: _Gap, modifications: Modifications, candidate: Candidate | None = None
) -> Readings | None:
    """What C carries in a candidate of a gap of known mass, or in the sample; None without one."""
    if gap.given.mass is None:
        return None
    names = [reading_of(carried) or "" for carried, _ in modifications.cysteine]
    shares = [share for _, share in modifications.cysteine]
    if candidate is not None and len(candidate.readings) == len(names):
        shares = list(candidate.readings)
    pairs = sorted(zip(names, shares, strict=True), key=lambda pair: -pair[1])
    return Readings((name, share) for name, share in pairs if share >= MIN_SHARE)


def _without_residues(gap: _Gap) -> _Found:
    """Candidates and status of a gap that nothing was predicted for."""
    given, sequence = gap.given, gap.chain.scaffold.sequence
    if given.fixed and given.start == given.end:
        return _Found((Candidate("", 1.0, 0.0),), "filled")
    if _too_large(given):
        return _Found((), _too_large_status())
    observed = sequence.strip("".join((MISSING_LETTER, *AMBIGUOUS)))
    return _Found((), "no_length_fits_mass" if observed else "nothing_observed")


# --- residues ------------------------------------------------------------------------------------


def _residues(filled: str, told: np.ndarray, kmers: KmerSet) -> _Residues:
    """filled: (t,) letters; told: (t, 21) distributions with a share of 0 for X."""
    chosen = np.arange(len(filled)), encode(filled)
    shares = told[chosen].tolist()
    others = told.copy()
    others[chosen] = 0
    baselines = [_letters(tokens) for tokens in _baselines(kmers)]
    germline = ["" if letter == MISSING_LETTER else letter for letter in baselines[0]]
    return _Residues(filled, shares, germline, baselines, *_alternatives(others))


def _alternatives(probabilities: np.ndarray) -> tuple[list[tuple[str, float]], list[int]]:
    """The most probable residues of each row of (t, 21), as in `_Residues`."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :ALTERNATIVES]
    shares = np.take_along_axis(probabilities, order, 1)
    listed = shares >= MIN_ALTERNATIVE
    names = [RESIDUES[token] for token in order[listed].tolist()]
    pairs = list(zip(names, shares[listed].tolist(), strict=True))
    return pairs, [0, *np.cumsum(listed.sum(1)).tolist()]


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


def _baselines(kmers: KmerSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(t,) tokens by the germline, the nearest homolog and the majority of the column; no residue's
    if it has none to tell."""
    targets = kmers.targets.numpy()
    at = targets[:, 0], targets[:, 1]
    templates = kmers.templates.numpy()[at[0], :, at[1]]  # (t, slots)
    loci = kmers.target_loci()
    by_germline = column_majorities()[loci, kmers.columns.numpy()[at]]
    majority = np.where(loci >= 0, by_germline, N_RESIDUES)
    if len(kmers.homolog_profile):
        profile = kmers.homolog_profile.numpy()[at]
        majority = np.where(profile.any(1), profile.argmax(1), majority)
    germline, homologs = templates[:, :N_GERMLINE], templates[:, N_GERMLINE:]
    return _first_present(germline), _first_present(homologs), majority


def _letters(tokens: np.ndarray) -> list[str]:
    """The residue of each token, X where there is none."""
    return list(decode(np.minimum(tokens, N_RESIDUES)))


def _first_present(tokens: np.ndarray) -> np.ndarray:
    """(t, slots) -> (t,) the first residue among template slots; some other token without one."""
    first = (tokens < N_RESIDUES).argmax(1)
    return np.take_along_axis(tokens, first[:, None], 1)[:, 0]


# --- rows ----------------------------------------------------------------------------------------


def _fill_chain(
    chain: _Chain,
    gaps: Sequence[_Gap],
    residues: _Residues,
    found: Mapping[int, _Found],
    unguided: AbstractSet[int],
    modifications: Modifications,
) -> FilledChain:
    """found: of every gap of known length, by its first residue's row; unguided: such rows of gaps
    that were filled without a template."""
    scaffold = chain.scaffold
    pieces: list[str] = []
    gap_rows: list[GapRow] = []
    residue_rows: list[ResidueRow] = []
    scored_rows: list[ScoredRow] = []
    counts = _Counts()
    at = 0
    for gap in gaps:
        start, end = gap.given.start, gap.given.end
        if gap.rows:
            piece = residues.letters[gap.rows.start : gap.rows.stop]
            of_gap = found[gap.rows.start]
            is_open = MISSING_LETTER in piece
        else:
            piece = MISSING_LETTER * (end - start)
            of_gap = _without_residues(gap)
            is_open = not of_gap.candidates
        gap_rows += _gap_rows(gap, of_gap, modifications)
        residue_rows += _residue_rows(gap, residues)
        scored_rows += _scored_rows(gap, residues)
        pieces += scaffold.sequence[at:start], piece
        at = end
        counts.add(gap, piece, is_open, bool(gap.rows) and gap.rows.start in unguided)
        if not gap.ambiguity:
            counts.n_terminal += len(piece) if start == 0 else 0
            counts.c_terminal += len(piece) if end == len(scaffold.sequence) else 0
    sequence = "".join(pieces) + scaffold.sequence[at:]
    row = ChainRow(scaffold.chain, chain.locus, *chain.nearest, len(sequence), *counts.all())
    return FilledChain(scaffold, sequence, row, gap_rows, residue_rows, scored_rows)


@dataclass(slots=True)
class _Counts:
    """What chains.tsv counts of a chain: its gaps, and apart from them its ambiguity codes."""

    missing: int = 0
    filled: int = 0
    gaps: int = 0
    open: int = 0
    ambiguous: int = 0
    resolved: int = 0
    without_template: int = 0
    n_terminal: int = 0
    c_terminal: int = 0

    def add(self, gap: _Gap, piece: str, is_open: bool, without_template: bool) -> None:
        known = len(piece) - piece.count(MISSING_LETTER)
        if gap.ambiguity:
            self.ambiguous += len(piece)
            self.resolved += known
            return
        self.missing += len(piece)
        self.filled += known
        self.gaps += 1
        self.open += is_open
        self.without_template += without_template

    def all(self) -> tuple[int, int, int, int, int, int, int, int, int]:
        """In the order of chains.tsv."""
        return (
            *(self.missing, self.filled, self.gaps, self.open),
            *(self.ambiguous, self.resolved, self.without_template),
            *(self.n_terminal, self.c_terminal),
        )


def _residue_rows(gap: _Gap, residues: _Residues) -> list[ResidueRow]:
    name, number, at = gap.chain.scaffold.chain, gap.number, gap.among_all
    places = range(gap.given.start + 1, gap.given.end + 1)
    n, rows = len(places), slice(gap.rows.start, gap.rows.stop)
    truth = gap.given.truth or ""
    return RESIDUE_TABLE.rows(
        [name] * n,
        places,
        [number] * n,
        residues.letters[rows] if gap.rows else MISSING_LETTER * n,
        residues.shares[rows] if gap.rows else [0.0] * n,
        residues.alternatives(gap.rows) if gap.rows else [NO_SHARES] * n,
        residues.germline[rows] if gap.rows else [""] * n,
        gap.chain.regions[at],
        truth if len(truth) == n else [""] * n,
        gap.chain.imgt[at],
        gap.scaffold_positions,
        gap.ambiguity or [""] * n,
    )


def _scored_rows(gap: _Gap, residues: _Residues) -> list[ScoredRow]:
    """Rows of a gap's true residues; none if its truth is not known."""
    truth = gap.given.truth
    if not truth:
        return []
    if not gap.rows or len(truth) != len(gap.rows):
        return list(_unfilled_rows(gap, truth))
    chain, number, n = gap.chain, gap.number, len(truth)
    name, locus, rows = chain.scaffold.chain, chain.locus, slice(gap.rows.start, gap.rows.stop)
    return SCORED_TABLE.rows(
        [name] * n,
        [number] * n,
        [n] * n,
        range(gap.given.start + 1, gap.given.end + 1),
        truth,
        chain.regions[gap.among_all],
        [locus] * n,
        residues.letters[rows],
        residues.shares[rows],
        *(baseline[rows] for baseline in residues.baselines),
        gap.ambiguity or [""] * n,
    )


def _unfilled_rows(gap: _Gap, truth: str) -> Iterator[ScoredRow]:
    """Rows of a gap left open, or filled at a wrong length: wrong in every true residue."""
    chain = gap.chain
    last = len(chain.scaffold.sequence) - 1
    codes = gap.ambiguity or [""] * len(truth)
    for i, (letter, code) in enumerate(zip(truth, codes, strict=True)):
        at = min(gap.given.start + i, last)
        yield ScoredRow(
            chain.scaffold.chain,
            gap.number,
            len(truth),
            at + 1,
            letter,
            chain.regions[chain.offset + at],
            chain.locus,
            MISSING_LETTER,
            0.0,
            *(MISSING_LETTER, MISSING_LETTER, MISSING_LETTER),
            code,
        )
