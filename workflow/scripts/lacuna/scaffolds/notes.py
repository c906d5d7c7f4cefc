"""What a user should know of chains that are read all the same, a line for each kind of thing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.files import MAX_SHOWN, printable, shortened
from lacuna.core.words import plural
from lacuna.scaffolds.fasta import Record
from lacuna.scaffolds.gap_table import Row
from lacuna.scaffolds.notation import Letters
from lacuna.scaffolds.scaffold import Gap, Rejected, Scaffold

HEAVY_MODIFICATION = 300.0  # Da: a modification by its mass alone that is no usual one
CARRIERS = "NSTKC"  # residues that carry glycans, linkers and drugs, which may weigh more


@dataclass(slots=True)
class Notes:
    """The first chain of each kind of note, and how many chains there are.

    file, gaps: names of the FASTA and of the user's gap table, "" if there is none; first: by kind
    (file, line, chain, what is said of it).
    """

    file: str
    gaps: str = ""
    first: dict[str, tuple[str, int, str, str]] = field(default_factory=dict)
    chains: dict[str, int] = field(default_factory=dict)

    def look_at(self, record: Record, letters: Letters) -> None:
        """Note what is unusual in the description and letters of a record that can be used."""
        if record.foreign:
            self._add(
                "encoding",
                record.line,
                record.chain,
                f"has a description that is not UTF-8, read as Windows-1252 "
                f"('{shortened(record.description, MAX_SHOWN)}'); if that is wrong, save the file "
                "as UTF-8",
            )
        for kind, text in _unusual(letters):
            self._add(kind, record.line, record.chain, text)

    def look_at_rows(self, chain: str, letters: Letters, rows: Sequence[Row]) -> None:
        """Note the first row of a chain that leaves out the first of a run of missing residues.

        Its positions, or its start alone, then probably count from 1. The rows of a table that
        Lacuna wrote do not.
        """
        if not self.gaps:
            return
        starts = {row.start for row in rows}
        for row in rows:
            first = row.start - 1
            if first < 0 or first in starts or first in letters.inline:
                continue
            for end, remedy in ((row.end, "the start"), (row.end - 1, "start and end")):
                if _is_run(letters.sequence, first, end):
                    self._add(
                        "counting",
                        row.line,
                        chain,
                        f"has a gap at {row.start}..{row.end}, which leaves out the missing "
                        f"residue at {first}; positions count from 0, the end exclusive: if yours "
                        f"count from 1, subtract 1 from {remedy}",
                        self.gaps,
                    )
                    return

    def look_for_open_gaps(self, chain: Scaffold) -> None:
        """Note gaps of a chain in which the reads of its sample cannot count."""
        if gaps := [gap for gap in chain.gaps if not gap.fixed and not gap.shown]:
            self._add(
                "open",
                chain.line,
                chain.chain,
                f"has a gap of unknown length at {_first_of(gaps)}, which no read spans, "
                "so reads are not used there; if the length is known, write an X for each residue",
            )

    def look_at_truth(self, chain: str, gaps: Sequence[Gap], line: int, file: str = "") -> None:
        """Note gaps of a chain whose true residues are not known although it has a truth.

        line, file: of the truth, if the user gave it under the id of the chain.
        """
        if unknown := [gap for gap in gaps if gap.truth is None]:
            self._add(
                "truth",
                line,
                chain,
                f"has a truth that leaves the gap at {_first_of(unknown)} open, so that nothing "
                "there counts for accuracy; if its residues are known, write them (no X, J, B or "
                "Z), and those around it",
                file,
            )

    def _add(self, kind: str, line: int, chain: str, text: str, file: str = "") -> None:
        self.first.setdefault(kind, (file or self.file, line, chain, text))
        self.chains[kind] = self.chains.get(kind, 0) + 1

    def all(self) -> Iterator[Rejected]:
        """Yield a remark for each kind."""
        for kind, (file, line, chain, text) in self.first.items():
            others = self.chains[kind] - 1
            more = f" (as in {plural(others, 'more chain')})" if others else ""
            name = shortened(chain, MAX_SHOWN)
            reason = printable(f"{file}:{line}: '{name}' {text}{more}")
            yield Rejected(printable(name), line, None, reason, remark=True)


def _first_of(gaps: Sequence[Gap]) -> str:
    """Where the first of some gaps is, and how many others there are, in words."""
    more = f" and {plural(len(gaps) - 1, 'other')}" if len(gaps) > 1 else ""
    return f"{gaps[0].start + 1}{more}"


def _is_run(sequence: str, start: int, end: int) -> bool:
    """Whether a stretch holds missing residues alone, with none on either side."""
    beside = sequence[max(start - 1, 0) : start] + sequence[end : end + 1]
    return (
        0 <= start < end
        and {*sequence[start:end]} == {MISSING_LETTER}
        and (MISSING_LETTER not in beside)
    )


def _unusual(letters: Letters) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) of what is unusual in the letters of a chain."""
    if letters.stop is not None:
        yield (
            "stop",
            f"has a stop codon within the chain, at {letters.stop + 1}, which is read as one "
            "missing residue; cut the chain there, or correct the reading frame",
        )
    for position in letters.inline:
        before = letters.sequence[position - 1 : position]
        if before == MISSING_LETTER and position - 1 not in letters.inline:
            yield (
                "run",
                f"has a missing residue right before the gap of known mass at {position + 1}, so "
                "that they are two gaps; if they are one, write a single X and its mass",
            )
            break
    for position, tag in letters.modifications:
        residue = letters.sequence[position]
        if tag.mass > HEAVY_MODIFICATION and not tag.name and residue not in CARRIERS:
            yield (
                "heavy",
                f"has a modification of {tag.mass:g} Da on {residue} {position + 1}; if a gap of "
                f"known mass is meant, write {residue}X[{tag.mass:+.10g}]",
            )
            break
