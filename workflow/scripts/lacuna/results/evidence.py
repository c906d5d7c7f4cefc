"""evidence.tsv: what is known about every position of a filled chain, and how.

A sample has one if it has reads or evidence. Rows of missing residues come from residues.tsv, those
of observed ones from the reads or, without any, from the evidence that was given about them.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path

import numpy as np

from lacuna.antibody.imgt import imgt_numbers, regions_of
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import (
    ISOLEUCINE,
    LEUCINE,
    MISSING_LETTER,
    N_RESIDUES,
    RESIDUES,
    same_but_il,
)
from lacuna.core.files import atomic_write
from lacuna.core.tables import (
    ALTERNATIVES,
    CUT,
    DOUBTFUL,
    EVIDENCE_TABLE,
    GAP_TABLE,
    INFERRED,
    MIN_ALTERNATIVE,
    OBSERVED,
    OBSERVED_PROBABILITY,
    RESIDUE_TABLE,
    SPECTRUM_TABLE,
    EvidenceRow,
    Flag,
    ResidueRow,
)
from lacuna.core.tsv import Shares
from lacuna.results.by_chain import RowsByChain
from lacuna.scaffolds.json_lines import read_blocks
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.spectra.table import stretches_of

LEAST_SHARE = 1e-4  # that reads leave to any residue
SETTLED = (Flag.ISOBARIC, Flag.AGAINST_GERMLINE)  # what flags say of reads, and spectra settle


def write_evidence(
    scaffolds: Path,
    filled: Path,
    gaps: Path,
    residues: Path,
    positions: Path | None,
    out: Path,
    spectra: Path | None = None,
) -> None:
    """Write evidence.tsv of a sample.

    scaffolds: the folder of its blocks, as `split_scaffolds` writes them; filled, gaps, residues:
    what they were filled with; positions: for a sample with reads what these say of every position
    of its scaffolds, rows of evidence.tsv whose positions are those of the scaffold from 1;
    spectra: what they say of it, its spectra.tsv.
    """
    known = _by_position(positions) if positions is not None else {}
    shown = _shown_by_spectra(gaps)
    stretches = stretches_of(SPECTRUM_TABLE.read(spectra)) if spectra is not None else {}
    of_residues = RowsByChain(RESIDUE_TABLE.read(residues), attrgetter("chain"))
    with open(filled, encoding="utf-8", newline="\n") as fasta, atomic_write(out) as handle:
        handle.write(EVIDENCE_TABLE.header)
        sequences = (line.rstrip("\n") for line in fasta if not line.startswith(">"))
        for scaffold, sequence in zip(read_blocks(scaffolds), sequences, strict=True):
            chain = scaffold.chain
            missing = of_residues.of(chain)
            told = _Known(
                scaffold,
                _by_number(scaffold, missing),
                known.get(chain, {}),
                shown.get(chain, {}),
                _likely(scaffold, stretches.get(chain, ())),
            )
            handle.write(EVIDENCE_TABLE.text(list(_rows(told, sequence, missing))))


def _by_position(path: Path) -> dict[str, dict[int, list[EvidenceRow]]]:
    """Rows by chain and position in the scaffold, from 1: several of a gap without a length of its
    own, of which reads show it; those of a gap between two residues come before the second one."""
    found: dict[str, dict[int, list[EvidenceRow]]] = {}
    for row in EVIDENCE_TABLE.read(path):
        found.setdefault(row.chain, {}).setdefault(row.position, []).append(row)
    return found


def _shown_by_spectra(path: Path) -> dict[str, dict[int, list[bool]]]:
    """Which residues of a gap spectra show, by chain and number of the gap: those with a cleavage
    on either side, or an end of the gap, which is where the peptide is known."""
    found: dict[str, dict[int, list[bool]]] = {}
    for row in GAP_TABLE.read(path):
        if row.rank == 1 and row.cleavages and not row.ambiguity:
            pieces = row.cleavages.split(CUT)
            seen = [len(piece) == 1 for piece in pieces for _ in piece]
            found.setdefault(row.chain, {})[row.gap] = seen
    return found


def _likely(scaffold: Scaffold, stretches: Iterable[tuple[int, int]]) -> dict[int, str]:
    """The likely residues in stretches of them that spectra show, by position, from 0."""
    within = {i for span in stretches for i in range(*span)}
    settled = (one for one in scaffold.evidence if one.settled)
    return {one.position: one.likeliest[0] for one in settled if one.position in within}


class _Known:
    """What is known of a chain beside the sequence that it was filled with.

    gaps: by their numbers in residues.tsv; read: rows of the reads, by position in the scaffold,
    from 1; shown: which residues of a gap spectra show, by the number of the gap; likely: residues
    that they show in stretches of likely ones, by position in the scaffold, from 0.
    """

    def __init__(
        self,
        scaffold: Scaffold,
        gaps: Mapping[int, Gap],
        read: Mapping[int, Sequence[EvidenceRow]],
        shown: Mapping[int, Sequence[bool]],
        likely: Mapping[int, str],
    ) -> None:
        """Keep it by position and gap, with the positions about whose gap the length is unsure."""
        self.scaffold, self.gaps = scaffold, gaps
        self.read, self.shown, self.likely = read, shown, likely
        self.weights = {e.position: e.weights for e in scaffold.evidence}
        self.settled = {e.position for e in scaffold.evidence if e.settled}
        # Gaps of which spectra show all residues, and so the length.
        self.sized = {number for number, seen in shown.items() if all(seen)}
        self.unsure = {
            p
            for number, gap in gaps.items()
            if not gap.fixed and not gap.shown and number not in self.sized
            for p in range(gap.start - 1, gap.end + 1)
        }

    def of_observed(self, residue: str, at: int) -> EvidenceRow:
        """The row of the observed residue at a position of the scaffold, from 0."""
        rows, weights = self.read.get(at + 1), self.weights.get(at)
        row = rows[-1] if rows else _observed(self.scaffold.chain, residue)
        if weights is not None:
            row = _with_given(row, weights)
        return _flagged(row, at in self.unsure)

    def of_missing(self, row: ResidueRow, nth: int) -> EvidenceRow:
        """The row of the nth residue of its gap, from 0."""
        gap, place = self.gaps.get(row.gap), row.scaffold_position
        sized = row.gap in self.sized
        if gap is None or (gap.start == gap.end and not gap.shown):
            # What is known at its place is of its neighbour.
            own, found = None, _of_gap(row, None, given=False)
            unsure = gap is None or not sized
        else:
            own, found = self._by_place(row, gap, nth)
            unsure = place in self.unsure and not gap.shown
        if self._is_shown(row, nth):
            found = _shown(found, own, sized=sized)
        untold = found.state == OBSERVED and (row.probability or 0.0) < OBSERVED_PROBABILITY
        return _flagged(_flagged(found, untold, Flag.I_OR_L), unsure)

    def _by_place(
        self, row: ResidueRow, gap: Gap, nth: int
    ) -> tuple[EvidenceRow | None, EvidenceRow]:
        """What reads say of the nth residue of a gap that has a place of its own, if they say it of
        that residue alone; and the row of the residue by that and by the evidence that was given.
        """
        place = row.scaffold_position
        of_reads = self.read.get(place + 1, ())
        read = of_reads[nth if gap.shown else -1] if of_reads else None
        # Of a gap without a length, no position of the reads is that of one residue.
        own = read if gap.fixed or gap.shown else None
        found = _of_gap(row, read, given=bool(gap.shown) or place in self.weights)
        unread = read is not None and read.state == INFERRED
        of_sheet = place in self.weights and place not in self.settled
        found = _flagged(found, unread and of_sheet, Flag.GIVEN)
        against = of_sheet and _is_against(self.weights[place], row.residue)
        return own, _flagged(found, against, Flag.AGAINST_EVIDENCE)

    def _is_shown(self, row: ResidueRow, nth: int) -> bool:
        """Whether spectra show the nth residue of its gap, from 0."""
        if row.gap in self.shown and self.shown[row.gap][nth]:
            return True
        gap, likely = self.gaps.get(row.gap), self.likely.get(row.scaffold_position)
        if gap is None or not gap.fixed or likely is None:
            return False
        return same_but_il(likely, row.residue)


def _rows(known: _Known, filled: str, missing: Sequence[ResidueRow]) -> Iterator[EvidenceRow]:
    """Yield the rows of a filled chain; missing: those of its residues in gaps."""
    of_gaps = {row.position: row for row in missing}
    letters = enumerate(known.scaffold.sequence)
    observed = (at for at, letter in letters if letter in RESIDUES)
    told = {row.position for row in missing if row.scaffold_position in known.settled}
    regions, imgt = _numbered(filled, of_gaps, told)
    within: Counter[int] = Counter()  # residues of each gap so far
    for i, residue in enumerate(filled):
        row = of_gaps.get(i + 1)
        if row is None:
            found = known.of_observed(residue, next(observed))
            yield found._replace(position=i + 1, imgt=imgt[i], region=regions[i])
        else:
            yield known.of_missing(row, within[row.gap])
            within[row.gap] += 1


def _shown(row: EvidenceRow, read: EvidenceRow | None, *, sized: bool) -> EvidenceRow:
    """The row of a missing residue that spectra show; read: what reads say about its position;
    sized: whether spectra show all residues of its gap, and so its length."""
    settled = (*SETTLED, Flag.LENGTH) if sized else SETTLED
    flags = [flag for flag in row.flags.split(";") if flag and flag not in settled]
    other = (
        read is not None and read.state != INFERRED and not same_but_il(read.residue, row.residue)
    )
    state = row.state if other or probability_of_either(row) < OBSERVED_PROBABILITY else OBSERVED
    return row._replace(state=state, flags=";".join([*flags, Flag.SPECTRA]))


def probability_of_either(row: ResidueRow | EvidenceRow) -> float:
    """The probability of a residue, I and L as one; rounded shares may sum to more than 1."""
    same = (share for name, share in row.alternatives if same_but_il(name, row.residue))
    return min((row.probability or 0.0) + sum(same), 1.0)


def _by_number(scaffold: Scaffold, missing: Sequence[ResidueRow]) -> dict[int, Gap]:
    """The gaps of a scaffold by their numbers in residues.tsv.

    missing: the rows of their residues. An end that is missing without a mark is no gap of the
    scaffold, and at its start moves the numbers of all others.
    """
    gaps = scaffold.gaps
    at_start = bool(missing) and missing[0].scaffold_position == 0
    first = 2 if at_start and (not gaps or gaps[0].start > 0) else 1
    return dict(enumerate(gaps, start=first))


def _flagged(row: EvidenceRow, marked: bool, flag: Flag = Flag.LENGTH) -> EvidenceRow:
    """The row, with a flag if it is marked and does not have it."""
    if not marked or flag in row.flags.split(";"):
        return row
    return row._replace(flags=";".join(filter(None, (row.flags, flag))))


def _numbered(
    filled: str, of_gaps: Mapping[int, ResidueRow], likely: Container[int]
) -> tuple[list[str], list[str]]:
    """Region and IMGT number of every residue, as the chain was numbered when it was filled;
    likely: the positions of missing residues that have a part in it."""
    letters = (
        (of_gaps[i].ambiguity or MISSING_LETTER) if i in of_gaps and i not in likely else residue
        for i, residue in enumerate(filled, start=1)
    )
    regions: list[str] = []
    imgt: list[str] = []
    for part in number_parts("".join(letters)):
        regions += regions_of(part.numbering.columns).tolist()
        imgt += imgt_numbers(part.numbering.columns).tolist()
    return regions, imgt


def _of_gap(gap: ResidueRow, row: EvidenceRow | None, *, given: bool) -> EvidenceRow:
    """The row of a missing residue; row: what reads say about its position."""
    state = INFERRED if row is None else row.state
    flags = row.flags if row is not None else Flag.GIVEN if given else ""
    if row is not None and state == OBSERVED and not same_but_il(row.residue, gap.residue):
        # A mass, other evidence or the rest of the chain speaks against what reads show.
        state, flags = DOUBTFUL, ";".join(filter(None, (flags, Flag.AGAINST_READS)))
    elif state == OBSERVED and probability_of_either(gap) < OBSERVED_PROBABILITY:
        state = DOUBTFUL
    probability, alternatives = gap.probability, gap.alternatives
    if row is not None and _is_il_of_reads(gap, row):
        # The gap's probabilities tell I from L alone; whether it is one of them, reads say.
        either = probability_of_either(row)
        probability = None if probability is None else probability * either
        alternatives = Shares((residue, share * either) for residue, share in alternatives)
    return EvidenceRow(
        chain=gap.chain,
        position=gap.position,
        imgt=gap.imgt,
        region=gap.region,
        residue=gap.residue,
        probability=probability,
        state=state,
        depth=row.depth if row is not None else None,
        germline=gap.germline,
        alternatives=alternatives,
        flags=flags,
    )


def _is_il_of_reads(gap: ResidueRow, row: EvidenceRow) -> bool:
    """Whether a residue is I or L by reads. In a chain that was given it is so by the chain, and
    reads have no probability for it."""
    stated = row.probability is not None
    return stated and gap.ambiguity == "J" and same_but_il(row.residue, gap.residue)


def _observed(chain: str, residue: str) -> EvidenceRow:
    """The row of an observed residue about which nothing more is known."""
    return EvidenceRow(
        chain=chain,
        position=0,
        imgt="",
        region="",
        residue=residue,
        probability=None,
        state=OBSERVED,
        depth=None,
        germline="",
        alternatives=Shares(),
        flags="",
    )


def _is_against(weights: Sequence[float], residue: str) -> bool:
    """Whether evidence (20,) that was given about a position is sure of another residue than the
    one that fills it, because of a mass, reads or the rest of the chain."""
    likeliest = RESIDUES[int(np.argmax(weights))]
    share = sum(w for r, w in zip(RESIDUES, weights, strict=True) if same_but_il(r, likeliest))
    return share >= OBSERVED_PROBABILITY and not same_but_il(likeliest, residue)


def _with_given(row: EvidenceRow, weights: Sequence[float]) -> EvidenceRow:
    """The row of an observed residue with evidence (20,) that was given about it, multiplied with
    what reads say of it."""
    reads, i_and_l = _shares_of(row), [ISOLEUCINE, LEUCINE]
    if weights[ISOLEUCINE] != weights[LEUCINE]:  # which of the two, reads do not tell
        reads[i_and_l] = reads[i_and_l].max()
    both = np.array(weights) * np.maximum(reads, LEAST_SHARE)
    shares = sorted(zip(RESIDUES, (both / both.sum()).tolist(), strict=True), key=lambda x: -x[1])
    others = [(r, p) for r, p in shares if r != row.residue and p >= MIN_ALTERNATIVE]
    probability = dict(shares)[row.residue]
    i_and_l_as_one = round(sum(p for r, p in shares if same_but_il(r, row.residue)), 6)
    row = row._replace(probability=probability, alternatives=Shares(others[:ALTERNATIVES]))
    if shares[0][1] > probability:
        return _flagged(row._replace(state=DOUBTFUL), True, Flag.AGAINST_EVIDENCE)
    if i_and_l_as_one < OBSERVED_PROBABILITY:
        return row._replace(state=DOUBTFUL)
    return _flagged(row, probability < OBSERVED_PROBABILITY, Flag.I_OR_L)


def _shares_of(row: EvidenceRow) -> np.ndarray:
    """(20,) probabilities of the residues of a position by reads; even without any."""
    if row.probability is None:
        return np.full(N_RESIDUES, 1 / N_RESIDUES)
    named = {row.residue: row.probability, **dict(row.alternatives)}
    left = max(1.0 - sum(named.values()), 0.0) / max(N_RESIDUES - len(named), 1)
    return np.array([named.get(residue, left) for residue in RESIDUES])
