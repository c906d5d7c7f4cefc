"""A chain with everything that the page shows about it."""

from dataclasses import dataclass

from lacuna.antibody.imgt import N_IMGT, REGION_STARTS
from lacuna.core.tables import ChainRow, GapRow, MassDoubt, MassRow
from lacuna.results.report.evidence import Evidence
from lacuna.results.report.words import span
from lacuna.scaffolds.scaffold import ResidueModification

MILLE = 1000
LEVELS = (950, 800, 500)  # per mille, from which a residue is of class 1, 2, 3
NAMED = 3  # spectra of a gap
SECOND = 50  # per mille from which a second choice is shown
# IMGT numbers of each region.
REGION_NUMBERS = {
    region: f"{start}–{stop - 1}"
    for (region, start), stop in zip(
        REGION_STARTS.items(), [*list(REGION_STARTS.values())[1:], N_IMGT + 1], strict=True
    )
}


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of one region: positions from 1, both included."""

    region: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Residue:
    """A missing residue. Probabilities are per mille, rounded down: 999 is not certain.

    second: the next most probable residue, '' without one; germline and truth: '' where they
    are the same as `letter` or not known; code: the ambiguity code it had; others: residues after
    the second, with their probabilities.
    """

    position: int
    letter: str
    probability: int
    second: str
    second_probability: int
    germline: str
    truth: str
    code: str
    others: tuple[tuple[str, int], ...] = ()

    @property
    def level(self) -> int:
        """The class of its probability, 1 to 4."""
        return level_of(self.probability)


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap or an ambiguity code; `candidates` are empty if it stays open."""

    start: int  # in the scaffold, from 0
    end: int  # in the scaffold, exclusive
    first: int  # in the filled chain, from 1; last < first if it holds no residue
    last: int
    region: str  # or regions, joined by a dash
    imgt: str
    code: str
    status: str
    candidates: tuple[GapRow, ...]
    spectra: tuple[str, ...] = ()  # that span it, each with the ions of known residues that it has

    @property
    def spectra_in_words(self) -> str:
        """The first NAMED of its spectra, and how many more there are; '' for none."""
        more = len(self.spectra) - NAMED
        return "; ".join((*self.spectra[:NAMED], *([f"{more} more"] if more > 0 else [])))

    @property
    def verdict(self) -> str:
        """Whether the whole sequence is sure, likely or unsure, or the gap is left open."""
        probability = self.candidates[0].probability if self.candidates else None
        return verdict_of(probability, self.doubted)

    @property
    def doubted(self) -> bool:
        """Whether a mass is at odds with what it was filled with."""
        return bool(MassDoubt.of_status(self.status))

    @property
    def place(self) -> str:
        """Its positions in words."""
        return span(str(self.first), str(self.last)) if self.last >= self.first else "none"


@dataclass(frozen=True, slots=True)
class Chain:
    """A filled chain; `residues` are its missing ones, in order."""

    name: str
    description: str
    sequence: str
    row: ChainRow
    bands: tuple[Band, ...]
    gaps: tuple[Gap, ...]
    residues: tuple[Residue, ...]
    modifications: tuple[ResidueModification, ...] = ()  # positions from 1, in the filled chain
    evidence: Evidence = Evidence()
    measured: MassRow | None = None  # its row of masses.tsv, if its intact mass was measured

    @property
    def real_gaps(self) -> list[Gap]:
        """Its gaps, without ambiguity codes that stand alone."""
        return [gap for gap in self.gaps if not gap.code]

    def residues_of(self, gap: Gap) -> list[Residue]:
        """The missing residues of one of its gaps."""
        return [r for r in self.residues if gap.first <= r.position <= gap.last]

    @property
    def to_check(self) -> list[int]:
        """Positions to check before a gene is ordered: below 0.80, not filled, doubtful, or in a
        gap whose mass or length is in doubt."""
        unsure = {r.position for r in self.residues if r.level > 2}
        for gap in self.gaps:
            if gap.doubted:
                unsure.update(range(gap.first, gap.last + 1))
        return sorted(unsure | {d.position for d in self.evidence.doubts if d.strong})

    def region_at(self, position: int) -> str:
        """The region of a position, '' outside."""
        return next((b.region for b in self.bands if b.first <= position <= b.last), "")


def level_of(probability: int) -> int:
    """The class, 1 to 4, of a probability per mille."""
    return next((i for i, least in enumerate(LEVELS, 1) if probability >= least), len(LEVELS) + 1)


def verdict_of(probability: float | None, doubted: bool = False) -> str:
    """What the probability of a gap's sequence makes it: sure, likely or unsure.

    A gap without one stays X: it is open, as in chains.tsv and summary.txt. doubted: whether its
    masses are at odds with its sequence, which is then unsure, since the probability assumes that
    they are right.
    """
    if probability is None:
        return "open"
    if doubted or probability < LEVELS[2] / MILLE:
        return "unsure"
    return "sure" if probability >= LEVELS[0] / MILLE else "likely"


def per_mille(probability: float) -> int:
    """A share of 0 to 1 per mille, rounded down, so that no class is reached by rounding."""
    return int(probability * MILLE + 1e-6)


def bands_of(regions: str) -> tuple[Band, ...]:
    """The bands that the column `regions` of chains.tsv names, in order."""
    bands = []
    for part in filter(None, regions.split(",")):
        region, _, places = part.partition(":")
        first, _, last = places.partition("-")
        bands.append(Band(region, int(first), int(last)))
    return tuple(bands)
