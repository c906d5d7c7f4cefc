"""Scaffolds, chains with gaps: from FASTA or repertoire, gap table and truth, one at a time.

Positions are those of the user's file: every letter and gap character of the FASTA counts one, and
so does an inline mass gap; a modification does not count.

`gaps.py` says how gaps are defined. A modification stays with its residue; if a row hides the
residue, the modification is dropped.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import MAX_SHOWN, printable, shortened
from lacuna.scaffolds.evidence_table import EvidenceTable, joined
from lacuna.scaffolds.fasta import Fault, Record
from lacuna.scaffolds.gap_table import GapTable
from lacuna.scaffolds.gaps import find_gaps
from lacuna.scaffolds.mass_table import MassTable
from lacuna.scaffolds.notation import Letters, read_letters
from lacuna.scaffolds.notes import Notes
from lacuna.scaffolds.records import BYTES_PER_RESIDUE, read_records
from lacuna.scaffolds.scaffold import (
    MAX_LENGTH,
    Gap,
    IntactMass,
    PositionEvidence,
    Rejected,
    ResidueModification,
    Scaffold,
)
from lacuna.scaffolds.small_table import ByChain
from lacuna.scaffolds.truth import TruthFile, place

DEFAULT_TOLERANCE_PPM = 10.0
MAX_LISTED = 100  # unusable homologs that get a line each
MAX_SHOWN_IDS = 3

_TAGS = frozenset(b"[({")  # with which masses and modifications begin
_FORMULA = ("=", "+", "-", "@")  # characters that begin a formula in a spreadsheet

LOG = logging.getLogger(__name__)


def read_scaffolds(
    fasta: str | Path,
    gaps: str | Path | None = None,
    truth: str | Path | None = None,
    evidence: str | Path | Sequence[str | Path] | None = None,
    settled: str | Path | None = None,
    *,
    masses: str | Path | None = None,
    tolerance_ppm: float = DEFAULT_TOLERANCE_PPM,
    max_length: int = MAX_LENGTH,
    points: bool = False,
) -> Iterator[Scaffold | Rejected]:
    """Yield the records of a FASTA in order, usable or rejected; then other unusable input.

    The latter are rows of gaps or evidence of unknown chains, truth whose ids match only in part or
    not at all, and remarks on usable records. The files are streamed: only the ids, the tables, and
    true chains in another order than in `fasta` are held in memory. `evidence`: one table or
    several, which are then multiplied; `settled`: one in their place, whose distributions already
    include the network's; the chains and gaps are then those that reads gave, and the truth is the
    one that was written for them.
    `tolerance_ppm` applies to masses without a tolerance. `points`: a point is a gap like `-`, as
    in alignments of homologs. Raises LacunaError if a file as a whole cannot be used.
    """
    max_bytes = BYTES_PER_RESIDUE * max_length
    several = [evidence] if isinstance(evidence, str | Path) else evidence or []
    known = [EvidenceTable(path) for path in several]
    known += [EvidenceTable(settled, settled=True)] if settled is not None else []
    true = (
        TruthFile(truth, lambda record: _plain(record, max_length), max_bytes)
        if truth is not None
        else None
    )
    name, weighed = Path(fasta).name, MassTable(masses)
    table = GapTable(gaps, of_reads=settled is not None)
    if settled is not None:
        weighed.name_light(record.chain for record in read_records(Path(fasta), max_bytes))
    reader = _Reader(
        fasta=name,
        gaps=table,
        evidence=known,
        masses=weighed,
        truths=true,
        tolerance_ppm=tolerance_ppm,
        max_length=max_length,
        notes=Notes(name, table.file if settled is None else ""),
        by_id=settled is None,
    )
    for record in read_records(Path(fasta), max_bytes):
        if points and _TAGS.isdisjoint(record.body):  # a mass has a point of its own
            record = record._replace(body=record.body.replace(b".", b"-"))
        try:
            yield reader.scaffold(record)
        except Fault as fault:
            yield reader.rejected(record.chain, fault)
    yield from reader.left()
    yield from reader.notes.all()
    reader.warn()


@dataclass(slots=True)
class _Reader:
    """Makes scaffolds of the records of a FASTA, with what other files say of them.

    fasta: its name; notes: on chains that can be used; truths: None if the truth is unknown;
    first_line: of each id so far; without_truth: ids of chains with gaps that have none; untrue:
    remarks on chains that contradict their truth; unweighed: intact masses that cannot be used, of
    chains that are; formulas: ids that look like formulas; by_id: whether the ids of the chains are
    the user's, and those of the truth must be the same.
    """

    fasta: str
    gaps: GapTable
    evidence: Sequence[EvidenceTable]
    masses: MassTable
    truths: TruthFile | None
    tolerance_ppm: float
    max_length: int
    notes: Notes
    by_id: bool
    first_line: dict[str, int] = field(default_factory=dict)
    without_truth: list[str] = field(default_factory=list)
    untrue: list[Rejected] = field(default_factory=list)
    unweighed: list[Rejected] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)

    @property
    def tables(self) -> tuple[ByChain[Any], ...]:
        """The tables with rows of single chains."""
        return (self.gaps, *self.evidence, self.masses)

    def scaffold(self, record: Record) -> Scaffold:
        """The scaffold of a record; raises Fault if it cannot be used."""
        chain, line = record.chain, record.line
        if first := self.first_line.get(chain):
            remedy = "rename it"
            if words := record.description.split():
                whole = shortened("_".join([chain, *words]), MAX_SHOWN)
                remedy = f"rename it; an id ends at the first blank: write {whole}, say"
            raise Fault(f"is a second record of this id (first: line {first}); {remedy}", line)
        if chain:
            self.first_line[chain] = line
        letters = read_letters(record, self.max_length)
        masses = self._mass(chain, letters.sequence)
        rows = self.gaps.take(chain)
        if masses is None:  # nothing else says that residues are missing where reads close a gap
            rows = [row for row in rows if row.closed is None]
        sequence, found = find_gaps(
            record, letters, rows, self.tolerance_ppm, self.max_length, self.gaps.file
        )
        if self.truths is not None:
            found = self._with_truth(chain, sequence, found, self.truths)
        if chain.startswith(_FORMULA):
            self.formulas.append(chain)
        kept = _observed(letters, sequence) if letters.modifications else ()
        known = []
        for table in self.evidence:
            of_table, found = table.take(chain, sequence, found)
            known.append(of_table)
        found, within = _told(found)
        evidence = joined([*known, *within], line)
        self.notes.look_at(record, letters)
        self.notes.look_at_rows(chain, letters, rows)
        return Scaffold(
            chain=chain,
            description=record.description,
            sequence=sequence,
            gaps=found,
            line=line,
            modifications=kept,
            evidence=evidence,
            intact=masses,
        )

    def _mass(self, chain: str, sequence: str) -> IntactMass | None:
        """The intact mass of a chain, None without a usable one; raises Fault if that rejects it.

        A chain that reads gave is filled all the same: it is no record of the user's.
        """
        try:
            return self.masses.take(chain, sequence)
        except Fault as fault:
            if self.by_id:
                raise
            fault.text += "; until then the chain is filled without it"
            self.unweighed.append(_rejected(fault, chain, self.fasta))
            return None

    def _with_truth(
        self, chain: str, sequence: str, gaps: tuple[Gap, ...], truths: TruthFile
    ) -> tuple[Gap, ...]:
        """The gaps with their truth; none has one if truth and scaffold contradict each other."""
        try:
            true = truths.take(chain)
            if true is not None:
                known = _with_truth(sequence, gaps, *true, truths.file)
                at = (true[1], truths.file) if self.by_id else (self.first_line[chain],)
                self.notes.look_at_truth(chain, known, *at)
                return known
        except Fault as fault:  # the chain can be filled all the same
            fault.text += "; until then the chain is filled, and does not count for accuracy"
            self.untrue.append(replace(_rejected(fault, chain, self.fasta), remark=True))
            return tuple(replace(gap, truth=None) for gap in gaps)
        if gaps:
            self.without_truth.append(chain)
        return gaps

    def rejected(self, chain: str, fault: Fault) -> Rejected:
        """The line of a record with a fault, whose rows in tables are dropped with it."""
        for table in self.tables:
            table.discard(chain)
        return _rejected(fault, chain, self.fasta)

    def left(self) -> Iterator[Rejected]:
        """Yield rows of tables, and ids of the truth, that belong to no record."""
        for table in self.tables:
            for chain, line in table.left():
                remedy = self._remedy_of_unknown(chain)
                unknown = Fault(f"is not a chain of {self.fasta}; {remedy}", line)
                yield _rejected(unknown, chain, table.file)
        yield from self.unweighed
        yield from self.untrue
        if self.truths is not None and self.by_id:
            yield from _unmatched(self.truths, self.first_line, self.without_truth, self.fasta)

    def _remedy_of_unknown(self, chain: str) -> str:
        """What to do with the row of an id that no record has."""
        if len(chain) > 1 and chain[0] == chain[-1] == '"':
            return "remove the quotes"
        first = chain.split()[0] if chain.split() else ""
        if first != chain and first in self.first_line:
            return f"an id ends at the first blank: did you mean '{shortened(first, MAX_SHOWN)}'?"
        folded = chain.casefold()
        near = next((known for known in self.first_line if known.casefold() == folded), None)
        if near is not None:
            return f"did you mean '{shortened(near, MAX_SHOWN)}'?"
        if 0 < len(self.first_line) <= MAX_SHOWN_IDS:
            ids = ", ".join(shortened(known, MAX_SHOWN) for known in self.first_line)
            return f"correct the id (known: {ids}) or remove the row"
        return "correct the id or remove the row"

    def warn(self) -> None:
        """Log that a spreadsheet would take some ids for formulas."""
        if self.formulas:
            begin = "begins" if len(self.formulas) == 1 else "begin"
            LOG.warning(
                "%s: %s; a spreadsheet takes them for formulas: "
                "import the columns of tables as text",
                self.fasta,
                printable(f"{_named(self.formulas)} {begin} with one of {' '.join(_FORMULA)}"),
            )


def _observed(letters: Letters, sequence: str) -> tuple[ResidueModification, ...]:
    """The modifications of residues that no row of the gap table hides."""
    return tuple(
        ResidueModification(position, *tag)
        for position, tag in letters.modifications
        if sequence[position] in RESIDUES
    )


def _told(gaps: Sequence[Gap]) -> tuple[tuple[Gap, ...], list[tuple[PositionEvidence, ...]]]:
    """Gaps, and the evidence within those that turn out to be as long as they are written."""
    told = [gap for gap in gaps if gap.shown and gap.fixed]
    if not told:
        return tuple(gaps), []
    evidence = [
        tuple(replace(e, position=gap.start + e.position) for e in gap.shown) for gap in told
    ]
    return tuple(replace(gap, shown=()) if gap in told else gap for gap in gaps), evidence


def _rejected(fault: Fault, chain: str, file: str) -> Rejected:
    chain = shortened(chain, MAX_SHOWN)
    reason = f"{fault.file or file}:{fault.line}: '{chain}' {fault.text}"
    return Rejected(printable(chain), fault.line, fault.column, printable(reason))


def _named(ids: list[str]) -> str:
    """The number of ids and the first of them, in words."""
    first = ", ".join(shortened(chain, MAX_SHOWN) for chain in ids[:MAX_SHOWN_IDS])
    more = ", ..." if len(ids) > MAX_SHOWN_IDS else ""
    return f"{len(ids)} ids ({first}{more})" if len(ids) > 1 else f"1 id ({first})"


def _unmatched(
    truths: TruthFile, known: dict[str, int], without: list[str], fasta: str
) -> Iterator[Rejected]:
    """Yield one line on ids that are only in a truth file or only among the chains."""
    if not truths.taken:
        if any(chain in known for chain in truths.left()):
            return  # chains that cannot be used for another reason
        unused = f"no id of the truth is one of {fasta}; give both files the same ids"
        yield Rejected("", 1, None, f"{truths.file}:1: {unused}")
        return
    unknown, twice = [], []
    for chain in truths.left():
        if chain in truths.taken:
            twice.append(chain)
        elif chain not in known:
            unknown.append(chain)
    said = []
    if unknown:
        verb = "is not a chain" if len(unknown) == 1 else "are not chains"
        said.append(f"{_named(unknown)} of the truth {verb} of {fasta}")
    if without:
        verbs = "has no truth and does" if len(without) == 1 else "have no truth and do"
        said.append(f"{_named(without)} of {fasta} with gaps {verbs} not count")
    if said:
        said.append("give both files the same ids")
    if twice:
        verb, whose = ("is", "its") if len(twice) == 1 else ("are", "their")
        said.append(
            f"{_named(twice)} {verb} in the truth more than once, and {whose} first record counts; "
            "remove the others"
        )
    if said:
        reason = f"{truths.file}:1: {'; '.join(said)}"
        yield Rejected("", 1, None, printable(reason), remark=True)


def unusable_homologs(homologs: str | Path) -> Iterator[Rejected]:
    """Yield the unusable records of a FASTA of homologs; the first MAX_LISTED get a line each.

    Raises LacunaError if the file as a whole cannot be used.
    """
    count = 0
    for record in read_scaffolds(homologs, points=True):
        if isinstance(record, Rejected) and not record.remark:
            count += 1
            if count <= MAX_LISTED:
                yield record
    if count > MAX_LISTED:
        name = Path(homologs).name
        yield Rejected(
            "", 1, None, f"{name}:1: {count - MAX_LISTED} more homologs cannot be used; see above"
        )


# --- truth ---------------------------------------------------------------------------------------


def _plain(record: Record, max_length: int) -> str:
    """The letters of a true chain; raises Fault if it is invalid or has inline gaps."""
    letters = read_letters(record, max_length)
    if letters.inline:
        raise Fault(
            "has a mass gap in the truth; write residues, or X where they are unknown", record.line
        )
    return letters.sequence


def _with_truth(
    sequence: str, gaps: tuple[Gap, ...], true: str, line: int, file: str
) -> tuple[Gap, ...]:
    """The gaps with their truth; raises Fault if truth and scaffold contradict each other."""
    try:
        letters = place(sequence, gaps, true)
        for gap, true_letters in zip(gaps, letters, strict=True):
            if true_letters is not None and gap.truth is not None and true_letters != gap.truth:
                raise ValueError(
                    f"has {shortened(true_letters, MAX_SHOWN)} where the scaffold hides "
                    f"{shortened(gap.truth, MAX_SHOWN)}; correct one of them"
                )
    except ValueError as error:
        raise Fault(str(error), line, file=file) from None
    return tuple(
        gap if true_letters is None else replace(gap, truth=true_letters)
        for gap, true_letters in zip(gaps, letters, strict=True)
    )
