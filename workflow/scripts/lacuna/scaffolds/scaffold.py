"""A chain with its gaps, and a record that is none: what every later step works on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a gap from one mass gap's cleavage to the next; masses in Da.

    prefixes: masses of beginnings of the piece, each with its tolerance, ascending. A piece without
    a mass has prefixes alone and is the only one of its gap.
    """

    min_length: int
    max_length: int | None
    mass: float | None = None
    tolerance_da: float | None = None
    interval: bool = False
    prefixes: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Rival:
    """A sequence for a gap that is of another length than the one chosen.

    probability: of sequence and length together, given the masses; mass: in Da; readings: the
    probability of each mass that C may have.
    """

    sequence: str
    probability: float
    mass: float
    readings: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap over the positions start..end (0-based, half-open) of its scaffold; masses in Da."""

    start: int
    end: int
    min_length: int
    max_length: int | None  # None: no limit known
    mass: float | None = None  # sum of monoisotopic residue masses
    tolerance_da: float | None = None
    truth: str | None = None  # the residues that really stand here, never shown to a model
    origin: tuple[int, int] | None = None  # the user's start and end, where the chain was stretched
    untried: bool = False  # not all lengths that bounds and mass allow were tried
    interval: bool = False  # every mass within the tolerance is as likely as another
    pieces: tuple[Piece, ...] = ()  # where more than the mass is known: pieces, or prefixes of one
    length_probability: float = 1.0  # of the length chosen, if masses bear on it
    rivals: tuple[Rival, ...] = ()  # the best of other lengths

    @property
    def fixed(self) -> bool:
        """Whether the gap has as many residues as it has positions in the scaffold."""
        return self.min_length == self.max_length == self.end - self.start

    @property
    def weighed(self) -> bool:
        """Whether any mass is known of the gap."""
        return self.mass is not None or bool(self.pieces)


@dataclass(frozen=True, slots=True)
class ResidueModification:
    """A modification that the user wrote on an observed residue; `mass` is its change in Da.

    `position` is the residue's (0-based) in the scaffold's sequence. A modification of the chain's
    N terminus is on its first residue, one of the C terminus on its last.
    """

    position: int
    mass: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class IntactMass:
    """The mass of a whole chain, reduced and neutral, in Da; kind: `average` or `monoisotopic`."""

    mass: float
    tolerance_da: float
    kind: str


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A chain with its gaps, sorted and apart.

    `sequence` has one letter per position: a residue (observed), X (missing), or B, J, Z (missing,
    of two). Every letter that is no residue lies in exactly one gap. `line` is that of the FASTA
    header. `modifications` are those of observed residues, in order of their positions.
    """

    chain: str
    description: str
    sequence: str
    gaps: tuple[Gap, ...]
    line: int
    modifications: tuple[ResidueModification, ...] = ()
    intact: IntactMass | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be used; `reason` is whole: file, line, record, fault and remedy.

    Control characters of both are shown as escapes. `remark`: no record is lost, but the user
    should know.
    """

    chain: str
    line: int
    column: int | None
    reason: str
    remark: bool = False
