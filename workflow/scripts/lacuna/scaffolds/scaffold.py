"""A chain with its gaps, the unit of all later steps, and a record that was rejected."""

from dataclasses import dataclass
from typing import NamedTuple

from lacuna.core.alphabet import N_RESIDUES, RESIDUES

MAX_LENGTH = 50_000  # residues of a chain, including the most that its gaps may have


class Measured(NamedTuple):
    """A mass and its tolerance, in Da."""

    mass: float
    tolerance: float


def _measured(mass: float | None, tolerance: float | None) -> Measured | None:
    """Both, which are given together or not at all."""
    return None if mass is None or tolerance is None else Measured(mass, tolerance)


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

    @property
    def measured(self) -> Measured | None:
        """Its mass with the tolerance; None without one."""
        return _measured(self.mass, self.tolerance_da)


@dataclass(frozen=True, slots=True)
class Rival:
    """A sequence for a gap that is of another length than the one chosen.

    odds: how probable sequence and length are together, given the masses, as a share of the best
    sequence of the length chosen, 0 to 1; mass: in Da; readings: the probability of each mass that
    C may have.
    """

    sequence: str
    odds: float
    mass: float
    readings: tuple[float, ...]


MOST_UNSHOWN = 0.94  # probability that a residue of a gap has at most whose length no read shows
SHOWN_LENGTH = 0.99  # of the length of a gap that reads lead through, if it is not known otherwise


@dataclass(frozen=True, slots=True)
class ShownMass:
    """A mass of a gap that precursors of spectra show, and its tolerance, in Da; log_odds: that it
    is right."""

    mass: float
    tolerance: float
    log_odds: float

    @property
    def measured(self) -> Measured:
        """The mass with its tolerance."""
        return Measured(self.mass, self.tolerance)


@dataclass(frozen=True, slots=True)
class SpectralEvidence:
    """What fragment spectra say of a gap, as log likelihood ratios in nats against chance.

    cleavages: (mass, tolerance, nats), ascending, masses of beginnings of the gap in Da: how much
    more probable the spectra are if the gap is cleaved there than if nothing shows it; unseen: nats
    of a cleavage that nothing shows, against none; sides: (mass, tolerance, nats) of the residue
    that follows such a beginning, if it is I or L: for I, and if negative for L; mass: of the gap
    by precursors, None if one is given or none is found; rivals: other masses that the precursors
    of these spectra may show; others: what other spectra say that show another mass, and their
    cleavages.
    """

    cleavages: tuple[tuple[float, float, float], ...] = ()
    unseen: float = 0.0
    sides: tuple[tuple[float, float, float], ...] = ()
    mass: ShownMass | None = None
    rivals: tuple[ShownMass, ...] = ()
    others: "tuple[SpectralEvidence, ...]" = ()


@dataclass(frozen=True, slots=True)
class PositionEvidence:
    """Probabilities of the residues of a position (0-based in the scaffold's sequence).

    `weights` are those of the 20 residues in the order of the alphabet; they sum to 1. They say
    how much each residue is supported by what was measured, apart from the rest of the chain; or,
    if `settled`, how probable each is by all that is known, the network included. spread: share of
    the posterior that is spread evenly in the end, since the position itself is doubtful.
    """

    position: int
    weights: tuple[float, ...]
    settled: bool = False
    spread: float = 0.0

    @property
    def likeliest(self) -> tuple[str, float]:
        """The likeliest residue, L for I or L, and its probability."""
        shares = dict(zip(RESIDUES, self.weights, strict=True))
        shares["L"] += shares.pop("I")
        best = max(shares, key=shares.__getitem__)
        return best, (1 - self.spread) * shares[best] + self.spread / N_RESIDUES


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
    interval: bool = False  # whether every mass within the tolerance is equally likely
    pieces: tuple[Piece, ...] = ()  # what is known beyond the mass: pieces, or prefixes of one
    length_probability: float = 1.0  # of the chosen length, if the gap came without one
    rivals: tuple[Rival, ...] = ()  # the best candidates of other lengths
    most: float = 1.0  # probability that a residue may have; the network takes lengths for granted
    spectra: SpectralEvidence | None = None  # of a sample with spectra, if some span the gap
    # What its masses fit far better without, '' for nothing; None if lengths were not compared.
    mass_error: str | None = None
    better_length: int | None = None  # far more probable than the length that was given
    # What reads show of the residues of a gap without a length (positions from its start, from 0).
    shown: tuple[PositionEvidence, ...] = ()
    closed: float | None = None  # probability that it has no residues, if reads closed it
    unmet: float | None = None  # the mass given for it, which what reads show cannot have
    # Residues without the intact mass of the chain, if that gave it another number of them.
    length_without_mass: int | None = None

    @property
    def size(self) -> int:
        """Positions that it takes in its scaffold: as many as it has residues if it is `fixed`."""
        return self.end - self.start

    @property
    def fixed(self) -> bool:
        """Whether the gap has as many residues as it has positions in the scaffold."""
        return self.min_length == self.max_length == self.size

    @property
    def measured(self) -> Measured | None:
        """Its mass with the tolerance; None without one."""
        return _measured(self.mass, self.tolerance_da)

    @property
    def length_given(self) -> bool:
        """Whether its length was given, and not chosen from several."""
        return self.fixed and self.length_probability == 1.0 and not self.rivals

    @property
    def weighed(self) -> bool:
        """Whether any mass is known of the gap."""
        return self.mass is not None or bool(self.pieces)


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
class IntactMass:
    """The mass of a whole chain, reduced and neutral, in Da; kind: `average` or `monoisotopic`."""

    mass: float
    tolerance_da: float
    kind: str


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
    intact: IntactMass | None = None

    def is_i_or_l(self, gap: Gap) -> bool:
        """Whether every residue of a gap is I or L, so that it has a mass whatever is given."""
        return gap.fixed and set(self.sequence[gap.start : gap.end]) == {"J"}


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
