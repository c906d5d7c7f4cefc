"""A chain with its gaps, the unit of all later steps, and a record that was rejected."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap over the positions start..end (0-based, half-open) of its scaffold; masses in Da."""

    start: int
    end: int
    min_length: int
    max_length: int | None  # None: no limit known
    mass: float | None = None  # sum of monoisotopic residue masses
    tolerance_da: float | None = None
    truth: str | None = None  # the true residues, never shown to a model
    origin: tuple[int, int] | None = None  # start and end as given, if the chain was stretched
    untried: bool = False  # whether some lengths allowed by bounds and mass were not tried

    @property
    def fixed(self) -> bool:
        """Whether the gap has as many residues as it has positions in the scaffold."""
        return self.min_length == self.max_length == self.end - self.start


@dataclass(frozen=True, slots=True)
class ResidueModification:
    """A modification that the user wrote on an observed residue; `mass` is its change in Da.

    `position` (0-based) is that of the residue in the scaffold's sequence. A modification of the N
    terminus is on the first residue, one of the C terminus on the last.
    """

    position: int
    mass: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class PositionEvidence:
    """What is known of a position (0-based in the scaffold's sequence) short of certainty.

    `weights` are those of the 20 residues in the order of the alphabet; they sum to 1. They say
    how much each residue is supported by what was measured, apart from the rest of the chain; or,
    if `settled`, how probable each is by all that is known, the network included.
    """

    position: int
    weights: tuple[float, ...]
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A chain with its gaps, which are sorted and disjoint.

    `sequence` has one letter per position: a residue (observed), X (missing), or B, J, Z (missing,
    one of two). Every letter that is not a residue is in exactly one gap. `line` is that of the
    FASTA header. `modifications` are those of observed residues, `evidence` is that of any position
    outside of gaps of unknown length, both in order of positions.
    """

    chain: str
    description: str
    sequence: str
    gaps: tuple[Gap, ...]
    line: int
    modifications: tuple[ResidueModification, ...] = ()
    evidence: tuple[PositionEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be used; `reason` has file, line, record, fault and remedy.

    Control characters in `chain` and `reason` are shown as escapes. `remark`: no record is lost,
    but the user should know.
    """

    chain: str
    line: int
    column: int | None
    reason: str
    remark: bool = False
