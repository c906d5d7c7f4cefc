"""Every table that a run writes: its columns, their types, formats and meanings.

A row is a named tuple of typed values. Its class is the schema: each field gives a column's type,
meaning and, for floats, format; `T | None` is a value that may be missing. `Table` turns rows into
lines and lines into rows; nothing else formats a cell. The meanings are Markdown: `make docs` makes
the tables of docs/reference/outputs.md of them.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from io import StringIO
from operator import itemgetter
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, get_args, get_type_hints

from lacuna.core.files import LacunaError, open_text

Row = TypeVar("Row", bound=tuple[Any, ...])


class Shares(tuple[tuple[str, float], ...]):
    """Names, each with a probability, written `S:0.10,R:0.08`."""

    __slots__ = ()

    def __str__(self) -> str:
        return ",".join([f"{name}:{share:.2f}" for name, share in self])

    @classmethod
    def parse(cls, text: str) -> "Shares":
        """Parse a cell; ValueError if it holds anything else."""
        pairs = (pair.rpartition(":") for pair in text.split(",") if pair)
        return cls((name, float(share)) for name, _, share in pairs)


class Readings(Shares):
    """What C may carry, with probabilities; a single name is certain."""

    __slots__ = ()

    def __str__(self) -> str:
        return self[0][0] if len(self) == 1 else super().__str__()

    @classmethod
    def parse(cls, text: str) -> "Readings":
        """Parse a cell; ValueError if it holds anything else."""
        return cls(Shares.parse(text) if ":" in text else ((text, 1.0),) if text else ())


# --- rows ----------------------------------------------------------------------------------------

# Residues listed in addition to the chosen one, and the probability from which one is.
ALTERNATIVES = 3
MIN_ALTERNATIVE = 0.01

# Warns of a gap with letters of another mass than its own; its candidates meet that mass.
LETTERS_WEIGH = "the letters given for it weigh"  # something else than its mass


class MassDoubt(StrEnum):
    """What puts a mass at odds with what its gap was filled with, in the words of its status, or
    its length as given with its chain."""

    CONTRADICTS = "contradicts C"  # the state of C in the sample
    FITS_BETTER = "fits far better at"  # a mass without an error that is known
    LEFT_OUT = "which none fits"  # a prefix mass
    BETTER_WITHOUT = "fits far better without the prefix mass"
    UNMET = "the intact mass of the chain is not met"
    INTACT_ERROR = "the intact mass of the chain is far more probable"  # without an error
    LENGTH = "its chain fits germline far better with"  # another number of residues

    @classmethod
    def of_status(cls, status: str) -> "tuple[MassDoubt, ...]":
        """The doubts that a status in gaps.tsv names."""
        return tuple(doubt for doubt in cls if doubt in status)


_SHARE = "%.4f"
_WORDS = {int: "a whole number", float: "a number"}


class ResidueRow(NamedTuple):
    """A missing residue."""

    chain: Annotated[str, "id of the chain"]
    position: Annotated[int, "in the filled chain, from 1"]
    gap: Annotated[int, "number of the gap in its chain, from 1"]
    residue: Annotated[str, "what it was filled with; X if the gap stays open"]
    probability: Annotated[
        float,
        "of that residue, 0 to 1; within a gap of known mass, given its masses; times the "
        "probability of the gap's length if that was unknown. In a sample with reads a gap of "
        "unknown length, which no read crosses, has at most 0.94 instead, unless it has a mass",
        _SHARE,
    ]
    alternatives: Annotated[Shares, "up to three other residues of 0.01 or more"]
    germline: Annotated[str, "residue of the nearest germline segment there; empty without one"]
    region: Annotated[
        str,
        "FR1 to FR4, CDR1 to CDR3 (IMGT), C for a constant region; empty outside",
    ]
    truth: Annotated[str, "the true residue, if it is known"]
    imgt: Annotated[str, "IMGT number"]
    scaffold_position: Annotated[
        int,
        "in the scaffold, from 0; if a gap has more or fewer residues than positions in the "
        "scaffold, all its residues have its `start`",
    ]
    ambiguity: Annotated[
        str,
        "J, B or Z if the scaffold has that code outside of a gap; empty in a gap",
    ]


class GapRow(NamedTuple):
    """A candidate for a gap; one row without a candidate for a gap that stays open."""

    chain: Annotated[str, "id of the chain"]
    gap: Annotated[int, "number of the gap in its chain, from 1"]
    start: Annotated[
        int,
        "in the scaffold, from 0; of neighbouring mass gaps, which are one gap, that of the first",
    ]
    end: Annotated[int, "in the scaffold, exclusive; of neighbouring mass gaps that of the last"]
    rank: Annotated[int, "1 is what the chain was filled with"]
    candidate: Annotated[str, "the sequence; empty if the gap stays open or holds no residue"]
    probability: Annotated[
        float | None,
        "of the whole sequence ([details](#probabilities-of-candidates))",
        "%.4g",
    ]
    length: Annotated[
        int | None,
        "residues of the candidate; in a gap of known mass and unknown length, lower-ranked "
        "candidates may have other lengths",
    ]
    mass: Annotated[float | None, "sum of the monoisotopic masses of its residues, Da", "%.5f"]
    mass_error_ppm: Annotated[
        float | None,
        "`mass` against the mass given (of neighbouring mass gaps, their sum), in ppm; empty "
        "without one, and if the mass is an interval, as of `{420 Da}`",
        "%.2f",
    ]
    status: Annotated[
        str,
        "`filled`, `isobaric`, `alternative`, or [why the gap stays open](#status)",
    ]
    first: Annotated[int | None, "in the filled chain, from 1; empty for a gap of no residues"]
    last: Annotated[int | None, "in the filled chain, included"]
    imgt_first: Annotated[str, "IMGT number of the first residue"]
    imgt_last: Annotated[str, "IMGT number of the last residue"]
    ambiguity: Annotated[
        str,
        "the codes (`J`, `JB`) if the row is of ambiguity codes; empty for a gap",
    ]
    cysteine: Annotated[
        Readings | None,
        "what C carries in a gap of known mass: one state, or several with their "
        "probabilities; empty without a mass",
    ]


class ChainRow(NamedTuple):
    """A chain."""

    chain: Annotated[str, "id"]
    locus: Annotated[
        str,
        "H, K or L, or several for a chain of several V domains (`H+K`, and so its segments); "
        "empty for a chain that is not recognised as an antibody",
    ]
    species: Annotated[str, "of the nearest germline segments"]
    v_segment: Annotated[str, "the nearest V segment"]
    j_segment: Annotated[str, "the nearest J segment"]
    c_segment: Annotated[str, "the nearest C segment"]
    length: Annotated[int, "residues of the filled chain, X included"]
    missing: Annotated[int, "residues of its gaps"]
    filled: Annotated[int, "of these, residues that were filled"]
    gaps: Annotated[int, "its gaps"]
    open: Annotated[int, "of these, gaps that stay open"]
    ambiguous: Annotated[int, "ambiguity codes outside of gaps"]
    resolved: Annotated[int, "of these, codes that were resolved"]
    without_template: Annotated[int, "gaps that were filled without a template"]
    regions: Annotated[
        str,
        "FR1 to FR4 and CDR1 to CDR3 (IMGT), and C for a constant region, each with its first "
        "and last position in the filled chain, from 1, both included; repeated for each V "
        "domain of a chain",
    ]
    n_terminal: Annotated[int, "missing residues before its first observed one"]
    c_terminal: Annotated[int, "missing residues after its last observed one"]


class MassRow(NamedTuple):
    """The mass of a filled chain, reduced and neutral, and the one measured."""

    chain: Annotated[str, "id"]
    monoisotopic: Annotated[
        float | None,
        "mass of the filled chain, Da: reduced, neutral, with water and the modifications "
        "written on its residues; empty if an X is left or a gap stays open",
        "%.4f",
    ]
    average: Annotated[float | None, "the same, Da", "%.3f"]
    measured: Annotated[
        float | None,
        "the intact mass given in the column `masses` of the sheet, Da",
        "%.4f",
    ]
    kind: Annotated[str, "`average` or `monoisotopic`: what was measured"]
    tolerance_da: Annotated[float | None, "of the intact mass, Da", "%.4g"]
    difference: Annotated[float | None, "mass of that kind minus the measured one, Da", "%.4f"]


class ScoredRow(NamedTuple):
    """A true residue of a gap, and what each method predicts."""

    chain: Annotated[str, "id of the chain"]
    gap: Annotated[int, "number of the gap in its chain, from 1"]
    gap_length: Annotated[int, "residues of its truth"]
    position: Annotated[int, "in the filled chain, from 1"]
    truth: Annotated[str, "the true residue"]
    region: Annotated[str, "FR1 to FR4, CDR1 to CDR3 or C"]
    locus: Annotated[str, "of the chain"]
    lacuna: Annotated[str, "the model's residue; X if the gap stays open"]
    probability: Annotated[float, "of the model's residue", _SHARE]
    germline_copy: Annotated[str, "residue of the nearest germline segment"]
    nearest_homolog: Annotated[str, "residue of the nearest homolog"]
    column_majority: Annotated[str, "commonest residue of the column"]
    ambiguity: Annotated[str, "J, B or Z if it is that code and in no gap"]


class AccuracyRow(NamedTuple):
    """A method in one scope."""

    scope: Annotated[str, "what the residues have in common ([scopes](#scopes))"]
    value: Annotated[str, "value of the scope"]
    method: Annotated[str, "`lacuna`, its baselines, `seed_lstm`"]
    protocol: Annotated[
        str,
        "`scaffold`: hidden residues are never seen; `true_context`: the true neighbours are shown",
    ]
    n_residues: Annotated[int, "residues with a truth"]
    n_correct: Annotated[int, "of these, right ones; a residue left X is wrong"]
    accuracy: Annotated[float, "their share", _SHARE]
    ci_low: Annotated[float, "lower end of the share's 95 % Wilson interval", _SHARE]
    ci_high: Annotated[float, "upper end", _SHARE]
    n_gaps: Annotated[int, "gaps, counted at their first residue"]
    n_exact: Annotated[
        int,
        "of these, gaps that are right in every residue; I and L count as one, except in the "
        "scope `ambiguity`",
    ]
    mean_probability: Annotated[float | None, "of the method's residues", _SHARE]
    ece: Annotated[float | None, "expected calibration error of the probabilities", _SHARE]


NOTE = "Note: "  # begins the reason of a row whose record was used all the same


class RejectedRow(NamedTuple):
    """A record that could not be used, or a note on one that was."""

    chain: Annotated[str, "id of the record"]
    line: Annotated[int, "of the fault, in the file that `reason` names, from 1"]
    column: Annotated[
        int | None,
        "of the faulty character, from 1; empty if there is no single one",
    ]
    reason: Annotated[
        str,
        "file, line, record, fault and remedy; after `Note: ` if nothing was rejected",
    ]


OBSERVED, INFERRED, DOUBTFUL = "observed", "inferred", "doubtful"  # states of a position


class EvidenceRow(NamedTuple):
    """A position of a chain, for samples with reads or evidence."""

    chain: Annotated[str, "id of the chain"]
    position: Annotated[int, "in the filled chain, from 1"]
    imgt: Annotated[str, "IMGT number"]
    region: Annotated[
        str,
        "FR1 to FR4, CDR1 to CDR3 (IMGT), C for a constant region; empty outside",
    ]
    residue: Annotated[str, "the residue of the filled chain"]
    probability: Annotated[
        float | None,
        "of that residue, 0 to 1: in a gap as in `residues.tsv`; for an observed residue by the "
        "reads and the network, or by the evidence given. Empty for an observed residue without "
        "reads or evidence",
        _SHARE,
    ]
    state: Annotated[
        str,
        "`observed`: reads or the scaffold show it; `inferred`: filled, and no read shows it; "
        "`doubtful`: shown, and there is a reason to doubt it",
    ]
    depth: Annotated[
        float | None,
        "reads over the position; further reads of one peptide count less; empty without reads",
        "%.1f",
    ]
    germline: Annotated[str, "residue of the nearest germline segment there"]
    alternatives: Annotated[Shares, "up to three other residues of 0.01 or more"]
    flags: Annotated[str, "[warnings and remarks](#flags), joined by `;`"]


class PlacedRow(NamedTuple):
    """A read, and where it was placed or why it was not."""

    read: Annotated[str, "file, line and rank: `peaks.csv:17`"]
    tool: Annotated[str, "tool that wrote it"]
    chain: Annotated[
        str,
        "id of the chain or contaminant that it was placed on; empty if it was not",
    ]
    start: Annotated[int | None, "of the residues that were placed, in `scaffolds.fasta`, from 0"]
    end: Annotated[int | None, "in `scaffolds.fasta`, exclusive"]
    score: Annotated[
        float | None,
        "of the placement, in nats: log odds against residues by chance",
        "%.1f",
    ]
    placed_as: Annotated[
        str,
        "`whole`, `core` (its ends fit nothing), `shared` (it fits several chains) or "
        "`contaminant`; or why it was not placed",
    ]
    differences: Annotated[
        str,
        "residues of the chain and of the read that differ, joined by commas: `D54N`, "
        "`GG55-56N`; residues that the read lacks: `V37del`, `GG55-56del`; residues between two of "
        "the chain: `37-38insGH`; here positions count from 1",
    ]


class SpectrumRow(NamedTuple):
    """What fragment spectra say of a gap: a spectrum that was used, or what was found in them."""

    chain: Annotated[str, "id of the chain"]
    start: Annotated[int, "of the gap in the scaffold, from 0"]
    end: Annotated[int, "of the gap in the scaffold, exclusive"]
    kind: Annotated[str, "what the row is: `spectrum`, `mass`, `unseen`, `cleavage` or `side`"]
    mass: Annotated[float | None, "Da, of what `kind` says", "%.5f"]
    tolerance_da: Annotated[float | None, "of that mass, Da", "%.5f"]
    nats: Annotated[float, "natural logarithm of the odds that `kind` says", "%.3f"]
    ions: Annotated[
        str, "for a spectrum: known ions seen of those in range; else the ion found, m/z"
    ]
    spectrum: Annotated[str, "file and scan; for `kind` `spectrum` also its peptide, from 0"]


class DoubtRow(NamedTuple):
    """An observed residue that looks wrong, or a block of residues of another length."""

    chain: Annotated[str, "id of the chain"]
    position: Annotated[
        int,
        "in the filled chain, from 1; for a block of another length that of its first residue",
    ]
    residue: Annotated[
        str,
        "what is observed and stays in the chain; a block of another length as a whole, `GG`",
    ]
    proposed: Annotated[
        str,
        "what is far more probable, together with the other rows of its block; an X in it is one "
        "unknown residue",
    ]
    probability: Annotated[
        float,
        "of the proposal against what is observed, if one residue in 100 is wrong",
        _SHARE,
    ]
    reason: Annotated[
        str,
        "[why](#reasons): isobaric, deamidated, permuted, against the germline, one too many, one "
        "too few",
    ]
    imgt: Annotated[str, "IMGT number"]


class TutorialRow(NamedTuple):
    """What the tutorial's model predicts for a missing residue."""

    chain: Annotated[str, "id of the chain"]
    position: Annotated[int, "in the whole chain, from 1"]
    protocol: Annotated[str, "`scaffold` or `true_context`, as in `accuracy.tsv`"]
    answer: Annotated[str, "the residue predicted"]
    probability: Annotated[float, "of that residue", _SHARE]


# --- tables --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `format` is a % format, `optional` says whether a value may be missing."""

    name: str
    type: type[Any]
    format: str
    optional: bool
    meaning: str

    def parse(self, cell: str) -> Any:
        """Parse a cell; ValueError if it is of another type."""
        if self.optional and not cell:
            return None
        if issubclass(self.type, Shares):
            return self.type.parse(cell)
        value: Any = self.type(cell)
        return value


def _column(name: str, annotation: Any) -> Column:
    kind, meaning, *formats = get_args(annotation)
    types = [t for t in get_args(kind) or (kind,) if t is not type(None)]
    (default,) = ("%d" if t is int else "%s" for t in types)
    return Column(name, types[0], (formats or [default])[0], len(get_args(kind)) > 1, meaning)


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table of tab-separated text; `row` is the named tuple class of its rows."""

    name: str
    row: type[Row]
    columns: tuple[Column, ...] = field(init=False)
    _optional: Callable[[Row], tuple[Any, ...]] | None = field(init=False, repr=False)
    _templates: dict[tuple[type, ...], str] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.row, include_extras=True)
        columns = tuple(_column(name, hint) for name, hint in hints.items())
        object.__setattr__(self, "columns", columns)
        places = [i for i, column in enumerate(columns) if column.optional]
        # itemgetter of one index returns a value, of two or more a tuple.
        pick = itemgetter(*places, *places[:1]) if places else None
        object.__setattr__(self, "_optional", pick)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def header(self) -> str:
        """The header line."""
        return "\t".join(self.names) + "\n"

    def text(self, rows: Sequence[Row]) -> str:
        """Lines of the rows; cells are quoted as in CSV where necessary."""
        if not rows:
            return ""
        optional = self._optional
        if optional is None:
            template = self._template(())
            lines = [template % row for row in rows]
        else:
            kinds = [tuple(map(type, optional(row))) for row in rows]
            templates = {kind: self._template(kind) for kind in set(kinds)}
            lines = [templates[kind] % row for kind, row in zip(kinds, rows, strict=True)]
        text = "".join(lines)
        tabs = (len(self.columns) - 1) * len(lines)
        if '"' in text or "\r" in text:
            return self._quoted(rows)
        if text.count("\n") != len(lines) or text.count("\t") != tabs:
            return self._quoted(rows)
        return text

    def rows(self, *columns: Iterable[Any]) -> list[Row]:
        """Rows from columns of values; ValueError if the columns differ in length."""
        return list(map(partial(tuple.__new__, self.row), zip(*columns, strict=True)))

    def cells(self, row: Row) -> list[str]:
        """Cells of a row as text, not yet quoted."""
        pairs = zip(self.columns, row, strict=True)
        return ["" if value is None else column.format % (value,) for column, value in pairs]

    def _template(self, kinds: tuple[type, ...]) -> str:
        """The % format of a line whose optional values have these types."""
        if kinds not in self._templates:
            left = iter(kinds)
            # %.0s prints the first 0 letters of "None".
            cells = [
                "%.0s" if column.optional and next(left) is NoneType else column.format
                for column in self.columns
            ]
            self._templates[kinds] = "\t".join(cells) + "\n"
        return self._templates[kinds]

    def _quoted(self, rows: Iterable[Row]) -> str:
        text = StringIO()
        csv.writer(text, delimiter="\t", lineterminator="\n").writerows(map(self.cells, rows))
        return text.getvalue()

    def read(self, path: Path) -> Iterator[Row]:
        """Yield the rows of a file with a header.

        Raises LacunaError that names file, line and column if the header is another or a cell is
        not of its column's type.
        """
        with open_text(path) as handle:
            lines = csv.reader(handle, delimiter="\t")
            found = next(lines, [])
            if tuple(found) != self.names:
                raise LacunaError(
                    f"{path}:1: its columns are {', '.join(found) or 'none'}, not "
                    f"{', '.join(self.names)}; run the workflow again"
                )
            for cells in lines:
                try:
                    row = self.parse(cells)
                except ValueError as error:
                    where = f"{path}:{lines.line_num}: {error}"
                    raise LacunaError(f"{where}; run the workflow again") from None
                yield row

    def parse(self, cells: Sequence[str]) -> Row:
        """Row from its cells; ValueError names the column whose cell is of another type."""
        if len(cells) != len(self.columns):
            raise ValueError(f"it has {len(cells)} cells, not {len(self.columns)}")
        values = []
        for column, cell in zip(self.columns, cells, strict=True):
            try:
                values.append(column.parse(cell))
            except ValueError:
                wanted = _WORDS.get(column.type, "shares")
                raise ValueError(f"column '{column.name}' has '{cell}', not {wanted}") from None
        return self.row(*values)


RESIDUE_TABLE = Table("residues.tsv", ResidueRow)
GAP_TABLE = Table("gaps.tsv", GapRow)
CHAIN_TABLE = Table("chains.tsv", ChainRow)
MASS_TABLE = Table("masses.tsv", MassRow)
SCORED_TABLE = Table("scored", ScoredRow)  # per block, without a header
ACCURACY_TABLE = Table("accuracy.tsv", AccuracyRow)
REJECTED_TABLE = Table("rejected.tsv", RejectedRow)
EVIDENCE_TABLE = Table("evidence.tsv", EvidenceRow)
PLACED_TABLE = Table("reads.tsv", PlacedRow)
SPECTRUM_TABLE = Table("spectra.tsv", SpectrumRow)
DOUBT_TABLE = Table("doubts.tsv", DoubtRow)
TUTORIAL_TABLE = Table("predictions.tsv", TutorialRow)

# Each block of a sample's chains has a part of these; `filled` is a FASTA.
TABLES = ("filled", "residues", "gaps", "chains", "masses", "scored")


def plain_row(cells: Iterable[object]) -> str:
    """A line of a table in the form of the user's, whose readers take a quote as part of an id."""
    return "\t".join(map(str, cells)) + "\n"
