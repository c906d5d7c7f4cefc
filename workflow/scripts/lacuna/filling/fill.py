"""Fill the gaps of a block of scaffolds: network, decoding, and the rows of every table."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from io import StringIO
from itertools import groupby, pairwise, zip_longest
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
    ALTERNATIVES,
    CHAIN_TABLE,
    GAP_TABLE,
    MASS_TABLE,
    MIN_ALTERNATIVE,
    RESIDUE_TABLE,
    SCORED_TABLE,
    ChainRow,
    GapRow,
    MassRow,
    Readings,
    ResidueRow,
    ScoredRow,
    Shares,
)
from lacuna.filling.by_spectra import rank_by_spectra
from lacuna.filling.decode import (
    Candidate,
    Ranking,
    rank_plain,
    rank_together,
)
from lacuna.filling.evidence import with_evidence
from lacuna.filling.intact import decodable, left_for_gaps, mass_row, unweighed
from lacuna.filling.mass_search import allowed_lengths, stages_of
from lacuna.filling.misfits import at_odds, in_words, rank_weighed
from lacuna.filling.residue_masses import (
    MAX_MASS,
    MAX_RESIDUES,
    Modifications,
    mass_rules,
)
from lacuna.filling.rivals import with_rivals
from lacuna.filling.weighing import contradiction
from lacuna.network.kmers import KmerSet, PartSegments
from lacuna.results.join import TABLES
from lacuna.scaffolds.alkylation import CONTRADICTS, READINGS, reading_of, written_on
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.templates.nearest import N_GERMLINE

RANKED_TOGETHER = 1024  # gaps; fewer if their candidates have more letters than
MAX_LETTERS = 5_000_000
MIN_SHARE = 0.005  # probability from which a reading of C is listed
UNMET = "the intact mass of the chain is not met"
MAX_WARNINGS = 20  # of a block that are logged one by one
SAME_MASS_PPM = 10.0  # within which two masses are the same, if the gap has no tolerance
NO_SHARES = Shares()
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Chain:
    """A chain of the block before its gaps are filled.

    regions, imgt: region and IMGT number of every residue of the block; its own begin at `offset`;
    coded: whether it has ambiguity codes; rows: of its missing residues among those of the block,
    empty if nothing is observed.
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
    """A gap of a chain; rows: of its residues, empty if it stays open."""

    chain: _Chain
    number: int
    given: Gap
    rows: range

    @property
    def among_all(self) -> slice:
        """Its residues among those of the block, to index `_Chain.regions` and `imgt`."""
        offset = self.chain.offset
        return slice(offset + self.given.start, offset + self.given.end)

    @property
    def ambiguity(self) -> str:
        """The letters of a gap that consists of ambiguity codes, '' for any other."""
        if not self.chain.coded or not self.given.fixed:
            return ""
        letters = self.chain.scaffold.sequence[self.given.start : self.given.end]
        return "" if MISSING_LETTER in letters else letters

    @property
    def scaffold_positions(self) -> Sequence[int]:
        """Position of each of its residues in the scaffold, from 0.

        All are at the start of the gap if it has another number of residues than positions there.
        """
        start, end = self.given.origin or (self.given.start, self.given.end)
        length = self.given.end - self.given.start
        return range(start, end) if end - start == length else [start] * length


@dataclass(frozen=True, slots=True)
class _Residues:
    """The t missing residues of a block, with t values each; shares: of the letters.

    baselines: t residues each from the germline, the nearest homolog and the majority of the
    column; others: alternatives with their shares, those of residue i from ends[i] to ends[i + 1].
    """

    letters: str
    shares: list[float]
    germline: list[str]
    baselines: list[list[str]]
    others: list[tuple[str, float]]
    ends: list[int]

    def alternatives(self, rows: range) -> list[Shares]:
        """The most probable residues other than the chosen ones."""
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
    masses: MassRow

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
        self.texts["masses"].write(MASS_TABLE.text([chain.masses]))
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
    """Fill a block and return the text of all its tables; see `fill_chains`."""
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
    """Yield each chain of a block, filled, with its rows of every table.

    probabilities: (t, 20) from `predict` for `kmers`; the evidence of a scaffold is multiplied with
    them (`with_evidence`); modifications: those that masses may include.
    """
    allowed = modifications or Modifications()
    probabilities = with_evidence(scaffolds, kmers.targets.numpy(), probabilities)
    doubts: list[tuple[_Gap, str]] = []
    chains = [(chain, list(chain.gaps())) for chain in _chains(scaffolds, kmers)]
    bare = _without_template(kmers).tolist()
    letters = [MISSING_LETTER] * len(probabilities)
    distributions = np.pad(probabilities, ((0, 0), (0, 1)))  # (t, 21), 0 for X
    found: dict[int, _Found] = {}
    unguided = set()  # gaps filled without a template
    known = [gap for _, gaps in chains for gap in gaps if gap.rows]
    for gap, ranking, misfit in _ranked(known, probabilities, candidates, allowed):
        rows = slice(gap.rows.start, gap.rows.stop)
        distributions[rows, :N_RESIDUES] = _up_to(gap.given.most, ranking.distributions)
        if ranking.candidates:
            letters[rows] = ranking.candidates[0].sequence
            if all(bare[rows]):
                unguided.add(gap.rows.start)
        doubt = _contradiction(gap, ranking, probabilities[rows], allowed)
        if doubt:
            doubts.append((gap, doubt))
        without = gap.rows.start in unguided
        status = _status(gap, ranking, misfit, doubt, without)
        found[gap.rows.start] = _Found(ranking.candidates, status)
    residues = _residues("".join(letters), distributions, kmers)
    _warn(doubts)
    for chain, gaps in chains:
        yield _fill_chain(chain, gaps, residues, found, unguided, allowed)


def _chains(scaffolds: Sequence[Scaffold], kmers: KmerSet) -> Iterator[_Chain]:
    bounds = np.searchsorted(kmers.at().chain, np.arange(len(scaffolds) + 1)).tolist()
    parts = kmers.parts_of_chains()
    starts = _starts(scaffolds)
    # Padding before each chain separates its regions and insertions from those of the last one.
    columns = np.insert(kmers.chain_columns.numpy(), starts, PADDING)
    regions, imgt = regions_of(columns).tolist(), imgt_numbers(columns).tolist()
    for i, (scaffold, start) in enumerate(zip(scaffolds, starts.tolist(), strict=True)):
        coded = any(code in scaffold.sequence for code in AMBIGUOUS)
        rows = range(bounds[i], bounds[i + 1])
        locus, nearest = _locus(parts[i]), _nearest(parts[i])
        offset = start + i + 1
        yield _Chain(scaffold, regions, imgt, offset, coded, rows, locus, nearest)


def _starts(scaffolds: Sequence[Scaffold]) -> np.ndarray:
    """(m,) start of each chain among all residues."""
    lengths = np.array([len(scaffold.sequence) for scaffold in scaffolds], dtype=np.int64)
    return np.cumsum(lengths) - lengths


def _locus(parts: Sequence[PartSegments]) -> str:
    """Locus of a chain, such as H+K if it has several V domains; '' for none."""
    domains = [part for part in parts if part.v >= 0 or part.c < 0] or parts  # without an Fc
    return "+".join(LOCI[part.locus] for part in domains if part.locus >= 0)


def _nearest(parts: Sequence[PartSegments]) -> tuple[str, str, str, str]:
    """Species and nearest V, J and C segment of a chain; those of several parts joined by +."""
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


def _ranked(
    known: Sequence[_Gap],
    probabilities: np.ndarray,
    candidates: int,
    modifications: Modifications,
) -> Iterator[tuple[_Gap, Ranking, str]]:
    """Yield every gap of `known` length with its ranking and what is to be said of its masses.

    Gaps without a mass are batched.
    """
    plain: dict[int, list[_Gap]] = {}
    whole = _by_intact_masses(known, probabilities, candidates)
    for gap in known:
        stages = stages_of(gap.given)
        by_intact_mass = whole.get(gap.rows.start)
        if stages is None and gap.given.spectra is not None:
            rules = mass_rules(gap.chain.scaffold, gap.given, modifications)
            of_gap = probabilities[gap.rows.start : gap.rows.stop]
            ranking, mass = rank_by_spectra(of_gap, candidates, gap.given.spectra, rules)
            if mass or by_intact_mass is None:  # the mass of a gap says more than that of a chain
                yield gap, ranking, mass
                continue
        if by_intact_mass is not None:
            yield gap, with_rivals(by_intact_mass, gap.given, candidates), ""
        elif stages is None:
            plain.setdefault(len(gap.rows), []).append(gap)
        else:
            rules = mass_rules(gap.chain.scaffold, gap.given, modifications)
            of_gap = probabilities[gap.rows.start : gap.rows.stop]
            if _too_large(gap.given):
                yield gap, Ranking((), of_gap), ""
                continue
            ranking, misfit = rank_weighed(of_gap, candidates, stages, rules)
            yield gap, with_rivals(ranking, gap.given, candidates), misfit
    for length, gaps in plain.items():
        together = max(min(MAX_LETTERS // (candidates * length), RANKED_TOGETHER), 1)
        for i in range(0, len(gaps), together):
            some = gaps[i : i + together]
            of_gaps = probabilities[np.array([gap.rows for gap in some])]  # (g, length, 20)
            for gap, ranking in zip(some, rank_plain(of_gaps, candidates), strict=True):
                yield gap, ranking, UNMET if gap.rows.start in whole else ""


def _by_intact_masses(
    known: Sequence[_Gap], probabilities: np.ndarray, candidates: int
) -> dict[int, Ranking | None]:
    """Rankings of gaps without a mass in chains with an intact mass, by their first row; None if no
    sequences meet it."""
    found: dict[int, Ranking | None] = {}
    for scaffold, of_chain in groupby(known, lambda gap: gap.chain.scaffold):
        numbers = unweighed(scaffold)
        if not numbers or not decodable(numbers):
            continue
        gaps = [gap for gap in of_chain if gap.number - 1 in numbers]
        stages = left_for_gaps(scaffold)
        rows = [probabilities[gap.rows.start : gap.rows.stop] for gap in gaps]
        rankings = rank_together(rows, candidates, stages) if stages is not None else ()
        for gap, ranking in zip_longest(gaps, rankings):
            if set(gap.ambiguity) != {"J"}:  # of which a mass says nothing
                found[gap.rows.start] = ranking
    return found


def _without_template(kmers: KmerSet) -> np.ndarray:
    """(t,) whether a missing residue has no template: outside domains, without homologs."""
    kmer, place, _, _ = kmers.at()
    shown = (kmers.templates.numpy()[kmer, :, place] < N_RESIDUES).any(1)
    return ~shown & (kmers.columns.numpy()[kmer, place] == OUTSIDE)


def _too_large(gap: Gap) -> bool:
    """Whether the mass of a gap, or its residues if it has one, are too many to decode."""
    if gap.mass is None:
        return False
    return gap.end - gap.start > MAX_RESIDUES if gap.fixed else gap.mass > MAX_MASS


def _contradiction(
    gap: _Gap, ranking: Ranking, distribution: np.ndarray, modifications: Modifications
) -> str:
    """What contradicts the sample's state of C, in the mass of a gap or in its chain.

    '' if nothing does, or if the gap has no mass.
    """
    scaffold, given = gap.chain.scaffold, gap.given
    stages = stages_of(given)
    if stages is None:
        return ""
    holding = {reading_of(carried) for carried, _ in modifications.cysteine}
    for position, name in written_on(scaffold):
        if name not in holding:
            return f"C {position + 1} of the chain is written as {READINGS[name].words}"
    if _too_large(given):
        return ""
    rules = mass_rules(scaffold, given, modifications)
    better = contradiction(distribution, stages.weighed(), rules, ranking.mass_probability)
    return f"fits far better with {READINGS[better].words} C" if better else ""


def _warn(doubts: Sequence[tuple[_Gap, str]]) -> None:
    """Log the gaps that contradict what C weighs."""
    for gap, doubt in doubts[:MAX_WARNINGS]:
        chain = gap.chain.scaffold.chain
        LOG.warning("'%s' contradicts what C weighs: its gap %d %s", chain, gap.number, doubt)
    if len(doubts) > MAX_WARNINGS:
        LOG.warning("%d gaps contradict what C weighs; see gaps.tsv", len(doubts))


def _status(gap: _Gap, ranking: Ranking, misfit: str, doubt: str, unguided: bool) -> str:
    """`filled` or why the gap stays open, with anything else to know of it in brackets.

    misfit: what is wrong with its masses; doubt: what contradicts the mass of C.
    """
    if _too_large(gap.given):
        return _too_large_status()
    notes = []
    if not ranking.candidates:
        status = "no_sequence_fits_mass"
    else:
        status = "filled"
        if unguided:
            notes.append("no template")
        if ranking.bound > ranking.candidates[0].probability:
            notes.append(f"not proven best: another may have up to {ranking.bound:.1g}")
        if gap.given.untried:
            notes.append("not all possible lengths were tried")
    if misfit:
        notes.append(misfit)
    if doubt:
        notes.append(f"{CONTRADICTS}: {doubt}")
    return f"{status} ({'; '.join(notes)})" if notes else status


def _too_large_status() -> str:
    return f"mass_too_large (decoded are up to {MAX_RESIDUES} residues or {MAX_MASS:.0f} Da)"


def _gap_rows(gap: _Gap, found: _Found, modifications: Modifications) -> list[GapRow]:
    """Rows of a gap's candidates.

    The gap was filled with the first; the status of the others says whether their mass is the same
    within the tolerance (`isobaric`) or not (`alternative`).
    """
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
    """What C carries in a candidate of a gap, or in the sample; None for a gap without a mass."""
    if not gap.given.weighed:
        return None
    names = [reading_of(carried) or "" for carried, _ in modifications.cysteine]
    shares = [share for _, share in modifications.cysteine]
    if candidate is not None and len(candidate.readings) == len(names):
        shares = list(candidate.readings)
    pairs = sorted(zip(names, shares, strict=True), key=lambda pair: -pair[1])
    return Readings((name, share) for name, share in pairs if share >= MIN_SHARE)


def _without_residues(gap: _Gap, modifications: Modifications) -> _Found:
    """Candidates and status of a gap without predictions."""
    given, sequence = gap.given, gap.chain.scaffold.sequence
    if given.fixed and given.start == given.end:
        return _Found((Candidate("", 1.0, 0.0),), "filled")
    if _too_large(given):
        return _Found((), _too_large_status())
    if not sequence.strip("".join((MISSING_LETTER, *AMBIGUOUS))):
        return _Found((), "nothing_observed")
    named = ""
    if given.pieces and (stages := stages_of(given)) is not None:
        rules = mass_rules(gap.chain.scaffold, given, modifications)
        named = in_words(
            *at_odds(stages, lambda some: 0.0 if allowed_lengths(given, some, rules) else -math.inf)
        )
    return _Found((), f"no_length_fits_mass ({named})" if named else "no_length_fits_mass")


# --- residues ------------------------------------------------------------------------------------


def _up_to(most: float, shares: np.ndarray) -> np.ndarray:
    """Distributions (t, 20), those that exceed `most` mixed with the even one."""
    if most >= 1:
        return shares
    top, even = shares.max(-1, keepdims=True), 1 / N_RESIDUES
    keep = np.where(top > most, (most - even) / np.maximum(top - even, even), 1.0)
    return np.asarray(keep * shares + (1 - keep) * even)


def _residues(filled: str, distributions: np.ndarray, kmers: KmerSet) -> _Residues:
    """Make `_Residues`; filled: (t,) letters; distributions: (t, 21), with 0 for X."""
    chosen = np.arange(len(filled)), encode(filled)
    shares = distributions[chosen].tolist()
    others = distributions.copy()
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
    """Commonest residue in the germline segments of each locus: (loci, N_CODES) tokens."""
    table = np.full((len(LOCI), N_CODES), N_RESIDUES, dtype=np.uint8)
    for segments in (v_segments(), j_segments()):
        for locus in range(len(LOCI)):
            tokens = segments.tokens[segments.locus == locus]
            counts = np.stack([(tokens == r).sum(0) for r in range(N_RESIDUES)])  # (20, codes)
            free = (table[locus] == N_RESIDUES) & (counts.sum(0) > 0)
            table[locus, free] = counts.argmax(0)[free]
    return table


def _baselines(kmers: KmerSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tokens (t,) from the germline, the nearest homolog and the majority of the column.

    A baseline without an answer has a token that is not a residue.
    """
    at = kmers.at()[:2]  # k-mers and places
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
    """The residue of each token, X if it is not a residue."""
    return list(decode(np.minimum(tokens, N_RESIDUES)))


def _first_present(tokens: np.ndarray) -> np.ndarray:
    """(t, slots) -> (t,) the first residue among template slots; another token if there is none."""
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
    """Fill a chain.

    found: of every gap of known length, by the row of its first residue; unguided: such rows of
    gaps filled without a template.
    """
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
            of_gap = _without_residues(gap, modifications)
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
    regions = regions_as_text(chain.regions[chain.offset : chain.offset + len(sequence)])
    name, n = scaffold.chain, len(sequence)
    row = ChainRow(
        *(name, chain.locus, *chain.nearest, n, *counts.before_regions()),
        *(regions, counts.n_terminal, counts.c_terminal),
    )
    masses = mass_row(scaffold, sequence)
    return FilledChain(scaffold, sequence, row, gap_rows, residue_rows, scored_rows, masses)


def regions_as_text(regions: Sequence[str]) -> str:
    """The regions of a chain's residues as runs, `FR1:1-25,CDR1:26-33`, without those outside."""
    runs, last = [], 0
    for region, run in groupby(regions):
        first, last = last + 1, last + len(list(run))
        if region:
            runs.append(f"{region}:{first}-{last}")
    return ",".join(runs)


@dataclass(slots=True)
class _Counts:
    """Counts of a chain for chains.tsv: of its gaps and, separately, of its ambiguity codes."""

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

    def before_regions(self) -> tuple[int, int, int, int, int, int, int]:
        """The counts that come before the regions in chains.tsv, in its order."""
        return (
            *(self.missing, self.filled, self.gaps, self.open),
            *(self.ambiguous, self.resolved, self.without_template),
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
    """Rows of a gap's true residues; none if its truth is unknown."""
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
