"""Fill the gaps of a block of scaffolds: network, decoding, and the rows of every table.

The road of a gap of known length, from `fill_chains` down:

1. `_rank`: the network reads its residues (`predict`), evidence is multiplied with that
   (`with_evidence`), and `rank_gaps` ranks its candidates by all that is known of its mass. A gap
   with a mass is read again with what that settles (`read_again`), and its chain ranked again.
2. `contradiction_of`, `against_spectra`: what speaks against the mass of C that is taken for right.
3. `result_of`: its candidates, and in its status what a user should know of them.
4. `_fill_chain`: the first candidate goes into the chain, and rows into every table.

A gap without residues to be read, as one without a length, comes in at the last step
(`without_residues`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from io import StringIO
from pathlib import Path

import numpy as np

from lacuna.core.alphabet import MISSING_LETTER, N_RESIDUES
from lacuna.core.files import atomic_write
from lacuna.core.tables import (
    APART,
    CHAIN_TABLE,
    GAP_TABLE,
    MASS_TABLE,
    RESIDUE_TABLE,
    SCORED_TABLE,
    TABLES,
    ChainRow,
    GapRow,
    MassDoubt,
    MassRow,
    ResidueRow,
    ScoredRow,
)
from lacuna.filling.block import BlockChain, BlockGap, chains_of, without_template
from lacuna.filling.doubts.germlines import germline_doubts
from lacuna.filling.evidence import with_evidence
from lacuna.filling.masses.filled_mass import error_of_missed, is_missed, mass_row
from lacuna.filling.masses.intact import unweighed
from lacuna.filling.rank_gaps import RankedGap, rank_gaps
from lacuna.filling.rereading import read_again
from lacuna.filling.residues import Residues, residues_of, up_to
from lacuna.filling.rows import (
    ChainCounts,
    gap_rows_of,
    regions_as_text,
    residue_rows_of,
    scored_rows_of,
)
from lacuna.filling.status import (
    GapResult,
    against_spectra,
    contradiction_of,
    result_of,
    warn,
    with_note,
    without_residues,
)
from lacuna.network.encode import Encoder
from lacuna.network.kmers import KmerSet
from lacuna.network.predict import Predict
from lacuna.scaffolds.fasta import fasta_record
from lacuna.scaffolds.residue_masses import UNMODIFIED, Modifications
from lacuna.scaffolds.scaffold import Scaffold


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
        """Its record, with the sequence on one line."""
        return fasta_record(self.scaffold.chain, self.scaffold.description, self.sequence)


class Tables:
    """The text of a block's output files, collected in memory and written together."""

    def __init__(self, chains: Iterable[FilledChain]) -> None:
        self.texts = {name: StringIO() for name in TABLES}
        for chain in chains:
            self.add(chain)

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


def fill_chains(
    scaffolds: Sequence[Scaffold],
    kmers: KmerSet,
    encoder: Encoder,
    predict: Predict,
    *,
    candidates: int,
    modifications: Modifications = UNMODIFIED,
    convention: str = "",
    shown_of_c: str = "",
) -> Iterator[FilledChain]:
    """Yield each chain of a block, filled, with its rows of every table.

    kmers: of the scaffolds by the encoder; predict: reads them, gaps with masses twice
    (`read_again`); the evidence of a scaffold is multiplied with what it reads (`with_evidence`);
    modifications: those that masses may include; convention: an error that all masses of the sample
    share, in words; shown_of_c: what spectra show against the state of C, in words.
    """
    doubts: list[tuple[BlockGap, str]] = []
    chains = [(chain, list(chain.gaps())) for chain in chains_of(scaffolds, kmers)]
    untemplated = without_template(kmers)
    of_germlines = germline_doubts(scaffolds, kmers, encoder.library)
    known = [gap for _, gaps in chains for gap in gaps if gap.rows]
    probabilities, ranked = _rank(
        scaffolds, kmers, encoder, predict, known, candidates, modifications
    )
    letters = [MISSING_LETTER] * len(probabilities)
    distributions = np.pad(probabilities, ((0, 0), (0, 1)))  # (t, 21), 0 for X
    found: dict[int, GapResult] = {}
    for one in ranked:
        gap, ranking = one.gap, one.ranking
        rows = gap.among_missing
        distributions[rows, :N_RESIDUES] = up_to(gap.given.most, ranking.distributions)
        if ranking.candidates:
            letters[rows] = ranking.candidates[0].sequence
        doubt = contradiction_of(gap, ranking, probabilities[rows], modifications)
        doubt = doubt or against_spectra(gap, ranking, shown_of_c)
        if doubt:
            doubts.append((gap, doubt))
        found[gap.rows.start] = result_of(
            one,
            modifications,
            doubt=doubt,
            convention=convention,
            of_germlines=of_germlines.of_gap(gap),
            untemplated=untemplated[rows],
        )
    residues = residues_of("".join(letters), distributions, kmers)
    warn(doubts)
    for chain, gaps in chains:
        yield _fill_chain(chain, gaps, residues, found, modifications)


def _rank(
    scaffolds: Sequence[Scaffold],
    kmers: KmerSet,
    encoder: Encoder,
    predict: Predict,
    known: Sequence[BlockGap],
    candidates: int,
    modifications: Modifications,
) -> tuple[np.ndarray, list[RankedGap]]:
    """Distributions (t, 20) by network and evidence, and what `rank_gaps` says of the gaps.

    known: the gaps of known length.
    """
    targets = kmers.targets.numpy()
    first = predict(kmers)
    probabilities = with_evidence(scaffolds, targets, first)
    ranked = list(rank_gaps(known, probabilities, candidates, modifications))
    both, changed = read_again(scaffolds, ranked, kmers, first, encoder, predict)
    if not changed:
        return probabilities, ranked
    probabilities = with_evidence(scaffolds, targets, both)
    # An error of a mass that the first reading does not show is not sought twice.
    right = {one.gap.rows.start for one in ranked if not one.said}
    again = [
        replace(gap, given=replace(gap.given, mass_error="")) if gap.rows.start in right else gap
        for gap in known
        if gap.chain.scaffold.chain in changed
    ]
    kept = [one for one in ranked if one.chain not in changed]
    return probabilities, [*kept, *rank_gaps(again, probabilities, candidates, modifications)]


def _fill_chain(
    chain: BlockChain,
    gaps: Sequence[BlockGap],
    residues: Residues,
    found: Mapping[int, GapResult],
    modifications: Modifications,
) -> FilledChain:
    """Fill a chain; found: of every gap of known length, by the row of its first residue."""
    scaffold = chain.scaffold
    pieces: list[str] = []
    gap_rows: list[GapRow] = []
    residue_rows: list[ResidueRow] = []
    scored_rows: list[ScoredRow] = []
    counts = ChainCounts()
    places: list[tuple[int, int, int]] = []
    at = 0
    for gap in gaps:
        start, end = gap.given.start, gap.given.end
        if gap.rows:
            piece, of_gap = residues.letters[gap.among_missing], found[gap.rows.start]
            is_open = MISSING_LETTER in piece
        else:
            piece, of_gap = MISSING_LETTER * (end - start), without_residues(gap, modifications)
            is_open = not of_gap.candidates
        gap_rows += gap_rows_of(gap, of_gap, modifications)
        residue_rows += residue_rows_of(gap, residues)
        scored_rows += scored_rows_of(gap, residues)
        pieces += scaffold.sequence[at:start], piece
        at = end
        counts.add(gap, piece, is_open, of_gap.without_template)
        if not gap.ambiguity:
            places.append((start, end, len(piece)))
    counts.n_terminal = _missing_from(0, places)
    reverse = [(end, start, missing) for start, end, missing in reversed(places)]
    counts.c_terminal = _missing_from(len(scaffold.sequence), reverse)
    sequence = "".join(pieces) + scaffold.sequence[at:]
    row = _chain_row(chain, len(sequence), counts)
    is_open = counts.open > 0
    masses = mass_row(scaffold, sequence, modifications, is_open=is_open)
    if not is_open and is_missed(scaffold, sequence, modifications):
        notes = _notes_of_missed(scaffold, sequence, gap_rows, modifications)
        gap_rows = [_with_notes(row, notes) for row in gap_rows]
    return FilledChain(scaffold, sequence, row, gap_rows, residue_rows, scored_rows, masses)


def _chain_row(chain: BlockChain, length: int, counts: ChainCounts) -> ChainRow:
    """The row of a chain that is filled to a length."""
    return ChainRow(
        chain=chain.scaffold.chain,
        locus=chain.locus,
        **chain.nearest._asdict(),
        length=length,
        regions=regions_as_text(chain.regions[chain.offset : chain.offset + length]),
        **asdict(counts),
    )


def _with_notes(row: GapRow, notes: Sequence[str]) -> GapRow:
    """The row with notes in its status if it is that of a gap with its first candidate."""
    if row.rank > 1 or row.ambiguity:
        return row
    return row._replace(status=reduce(with_note, notes, row.status))


def _missing_from(end: int, gaps: Sequence[tuple[int, int, int]]) -> int:
    """Missing residues between an end of a chain and the first position that is in no gap.

    gaps: from that end on, where each begins, where it stops and how many residues it lacks.
    """
    missing = 0
    for begin, stop, lacking in gaps:
        if begin != end:
            break
        missing, end = missing + lacking, stop
    return missing


def _notes_of_missed(
    scaffold: Scaffold, sequence: str, rows: Sequence[GapRow], modifications: Modifications
) -> list[str]:
    """What to say of the gaps of a chain that is filled with a sequence of another mass than its
    intact one."""
    said = "".join(row.status for row in rows)
    if len(unweighed(scaffold)) > 1 and MassDoubt.UNMET not in said:
        return [APART]
    error = (
        "" if MassDoubt.INTACT_ERROR in said else error_of_missed(scaffold, sequence, modifications)
    )
    return [MassDoubt.UNMET, error] if error else [MassDoubt.UNMET]
