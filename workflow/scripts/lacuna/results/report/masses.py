"""Masses of chains and of the antibody they make, in the forms in which a sample is measured.

Residue masses are pyteomics'. All are neutral masses in Da, monoisotopic and average.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from pyteomics import mass as pyteomics_mass

from lacuna.antibody.imgt import CONSTANT_REGION
from lacuna.core.alphabet import RESIDUES
from lacuna.core.masses import AVERAGE, GROUP_RATIO, MONOISOTOPIC, chain_masses, glycan_masses
from lacuna.core.tables import BY_GAPS, LYSINE_LOST, PYROGLUTAMATE_FIRST
from lacuna.results.report.chain import Chain
from lacuna.scaffolds.alkylation import READINGS, Alkylation

# The glycans of the two heavy chains, by rising mass.
GLYCOFORMS = (
    (),
    ("G0F", "G0F"),
    ("G0F", "G1F"),
    ("G1F", "G1F"),
    ("G1F", "G2F"),
    ("G2F", "G2F"),
)
SEQUON = "NST"  # of N297 in the Fc of IgG: EEQYNSTYR, EEQFNSTYR, EEQFNSTFR


@dataclass(frozen=True, slots=True)
class Mass:
    """A mass in Da, or a change of one."""

    monoisotopic: float
    average: float

    def __add__(self, other: "Mass") -> "Mass":
        return Mass(self.monoisotopic + other.monoisotopic, self.average + other.average)

    def __mul__(self, n: int) -> "Mass":
        return Mass(n * self.monoisotopic, n * self.average)


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a chain and its mass."""

    name: str
    mass: Mass


@dataclass(frozen=True, slots=True)
class Antibody:
    """Two heavy and two light chains, every C in a disulfide bond.

    rows: a glycoform, and its masses with both C-terminal lysines, one and none; a heavy chain that
    does not end in K has one mass each.
    """

    disulfides: int
    pyroglutamates: int
    lysine: bool
    rows: tuple[tuple[str, tuple[Mass, ...]], ...]


@cache
def of_formula(formula: str) -> Mass:
    """The mass of a chemical formula."""
    weigh = pyteomics_mass.calculate_mass
    return Mass(weigh(formula=formula), weigh(formula=formula, average=True))


def of_glycan(name: str) -> Mass:
    """What a glycan of GLYCANS adds to its N."""
    return Mass(*glycan_masses(name))


# Of each of the 20 residues, within a chain.
RESIDUE_MASSES = {letter: Mass(MONOISOTOPIC[letter], AVERAGE[letter]) for letter in RESIDUES}
WATER = of_formula("H2O")
PYROGLUTAMATE = {"Q": of_formula("NH3") * -1, "E": WATER * -1}
BOND = of_formula("H2") * -1  # a disulfide
# Antibodies lose the lysine that ends their heavy chains to carboxypeptidases of the cell: Dick et
# al. 2008, Biotechnol Bioeng 100:1132.
LYSINE = "K"
CLIPPED = RESIDUE_MASSES[LYSINE] * -1


def chain_mass(sequence: str) -> Mass | None:
    """The mass of a reduced chain without modifications; None if it holds an X."""
    known = sequence and set(sequence) <= RESIDUE_MASSES.keys()
    return Mass(*chain_masses(sequence)) if known else None


def change_of(added: float) -> Mass:
    """A change of which only the monoisotopic mass is known; as in masses.tsv."""
    return Mass(added, GROUP_RATIO * added)


def carried_by_cysteine(alkylation: Alkylation | None) -> tuple[str, Mass] | None:
    """What every C carries by the reading that holds, and its name; None if nothing is known."""
    if alkylation is None or alkylation.how == "open":
        return None
    reading = READINGS[alkylation.readings[0][0]]
    return (reading.words, of_formula(reading.formula)) if reading.formula else None


def forms_of(chain: Chain, alkylation: Alkylation | None) -> tuple[Form, ...]:
    """The forms of a chain; empty if it holds an X, whose mass is not known.

    Reduced; with the modifications that were written, which all further ones have too; with what
    its gaps hold, if its intact mass holds that; with what C carries in the sample; with
    pyroglutamate at the beginning and without lysine at the end, if it can have these.
    """
    plain = chain_mass(chain.sequence)
    if plain is None:
        return ()
    return tuple(_forms(chain, plain, carried_by_cysteine(alkylation)))


def _forms(chain: Chain, plain: Mass, carried: tuple[str, Mass] | None) -> Iterator[Form]:
    sequence = chain.sequence
    yield Form("reduced", plain)
    whole = plain + change_of(sum(m.mass for m in chain.modifications))
    if chain.modifications:
        yield Form("with the modifications written", whole)
    held = chain.measured.in_gaps if chain.measured is not None else None
    if held is not None:
        yield Form(BY_GAPS, whole + change_of(held))
    on = {m.position for m in chain.modifications}
    if carried is not None and "C" in sequence:
        words, added = carried
        free = sum(letter == "C" and i not in on for i, letter in enumerate(sequence, 1))
        yield Form(f"every C {words}", whole + added * free)
    pyro = PYROGLUTAMATE.get(sequence[0]) if 1 not in on else None
    lysine = CLIPPED if has_lysine(chain) else None
    if pyro is not None:
        yield Form(PYROGLUTAMATE_FIRST, whole + pyro)
    if lysine is not None:
        yield Form(LYSINE_LOST, whole + lysine)
    if pyro is not None and lysine is not None:
        yield Form(f"{PYROGLUTAMATE_FIRST}, {LYSINE_LOST}", whole + pyro + lysine)


def has_lysine(chain: Chain) -> bool:
    """Whether a heavy chain with a constant region ends in K."""
    return "H" in chain.row.locus and bool(chain.row.c_segment) and chain.sequence.endswith(LYSINE)


def antibody_of(chains: Sequence[Chain]) -> Antibody | None:
    """The antibody of a sample of one whole IgG heavy chain and one whole light chain.

    Its disulfides take every C: 16 in IgG1, 18 in IgG2 (Liu, May 2012, mAbs 4:17). Q at the
    beginning of a chain is pyroglutamate. None for any other sample, or if a chain holds an X.
    """
    if len(chains) != 2:
        return None
    heavy, light = sorted(chains, key=lambda chain: chain.row.locus != "H")
    whole = heavy.row.c_segment.startswith("IGHG") and bool(light.row.c_segment)
    if heavy.row.locus != "H" or light.row.locus not in ("K", "L") or not whole:
        return None
    constant = next((b.first for b in heavy.bands if b.region == CONSTANT_REGION), None)
    if constant is None or SEQUON not in heavy.sequence[constant:]:
        return None
    masses = chain_mass(heavy.sequence), chain_mass(light.sequence)
    if masses[0] is None or masses[1] is None:
        return None
    pairs = heavy.sequence.count("C") + light.sequence.count("C")
    pyro = [c for c in (heavy, light) if c.sequence[0] == "Q"]
    body = (masses[0] + masses[1]) * 2 + BOND * pairs + PYROGLUTAMATE["Q"] * (2 * len(pyro))
    clipped = range(3) if has_lysine(heavy) else range(1)
    rows = []
    for glycans in GLYCOFORMS:
        total = body
        for glycan in glycans:
            total += of_glycan(glycan)
        by_lysine = tuple(total + CLIPPED * n for n in clipped)
        rows.append((" / ".join(glycans) or "no glycan", by_lysine))
    return Antibody(pairs, 2 * len(pyro), len(clipped) > 1, tuple(rows))
