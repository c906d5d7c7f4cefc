"""Errors that the intact mass of a chain often has: its kind, what it carries besides what is
written, and what C carries."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.core.alphabet import CYSTEINE, RESIDUES
from lacuna.core.masses import (
    CYSTEINYL,
    DEAMIDATION,
    DISULFIDE,
    GLYCANS,
    GROUP_RATIO,
    HEXOSE,
    ISOTOPE,
    OXIDATION,
    PROTON,
    WATER,
    glycan_masses,
)
from lacuna.core.tables import MassDoubt
from lacuna.core.words import plural
from lacuna.filling.masses.chain_mass import LeftMass, TotalMass
from lacuna.filling.masses.intact import left_mass
from lacuna.filling.masses.weighing import FLOOR
from lacuna.scaffolds.alkylation import NONE, READINGS
from lacuna.scaffolds.residue_masses import ChainForm, MassRules
from lacuna.scaffolds.scaffold import IntactMass, Scaffold

# Of an intact mass without an error to the mass as given, from which the error is named. Of 900
# right masses of V domains with a gap of 3 to 10 residues none gives more, and 3 more than 100.
ERROR_ODDS = 300.0
USUAL = 0.01  # probability that an intact mass has an error that can be named
NAMED = 0.1  # of the probability of the likeliest error from which another is named too
PRIOR = 0.5  # of an error among those that are probable, but for those of C
ADDED = (
    ("without an oxygen on M or W", -OXIDATION),
    ("without a hexose, as of glycation", -HEXOSE),
    ("without a proton, as [M+H]+ has", -PROTON),
    ("with the water that was not counted", WATER),
)
# Of an N that may carry a glycan, which is not written on it: N-X-S/T, where X is not P.
SEQUON = re.compile(f"N(?=[{RESIDUES.replace('P', '')}][ST])")
ON_SEQUON = (
    *((f"without a {name} glycan on N-X-S/T", *glycan_masses(name)) for name in GLYCANS),
    ("without the D that PNGase F leaves in place of N", DEAMIDATION, DEAMIDATION * GROUP_RATIO),
)


@dataclass(frozen=True, slots=True)
class IntactError:
    """An error that an intact mass may have, in words, and the mass without it; prior: among those
    that are probable."""

    words: str
    mass: IntactMass
    prior: float = PRIOR


def intact_errors(scaffold: Scaffold, cysteines: int) -> Iterator[IntactError]:
    """Yield the usual errors of a chain's intact mass.

    cysteines: those of the chain without a modification written on them.
    """
    given = scaffold.intact
    if given is None:
        return
    average = given.kind == "average"
    other = "monoisotopic" if average else "average"
    yield IntactError(f"as {other}, not {given.kind}", replace(given, kind=other))
    for words, by, prior in _changes(scaffold, cysteines, average=average):
        moved = replace(given, mass=given.mass + by)
        if moved.mass > given.tolerance_da:
            way = "more" if by > 0 else "less"
            yield IntactError(f"{words} ({abs(by):.4f} Da {way})", moved, prior)


def _changes(
    scaffold: Scaffold, cysteines: int, *, average: bool
) -> Iterator[tuple[str, float, float]]:
    """Yield what an intact mass may have too much or too little, in words, the Da to be added to
    it, and how probable that is among the errors that are."""
    ratio = GROUP_RATIO if average else 1.0
    for words, by in ADDED:
        yield words, by * ratio, PRIOR
    if not average:  # the average of all isotopes has no such slip
        for by in (-ISOTOPE, ISOTOPE):
            yield "without an isotope slip", by, PRIOR
    written = {modification.position for modification in scaffold.modifications}
    if any(n.start() not in written for n in SEQUON.finditer(scaffold.sequence)):
        for words, *either in ON_SEQUON:
            yield words, -either[average], PRIOR
    if not cysteines:
        return
    yield "without a cysteinyl on one C", -CYSTEINYL * ratio, PRIOR
    for n in range(1, cysteines // 2 + 1):
        yield f"with {plural(n, 'disulfide bond')} reduced", n * DISULFIDE * ratio, PRIOR
    for name, reading in READINGS.items():
        if name != NONE:
            yield f"without {reading.words} C", -cysteines * reading.mass * ratio, reading.prior


def unmodified_cysteines(scaffold: Scaffold, sequence: str) -> int:
    """The C's of a chain that is filled with `sequence`, without those with a modification."""
    written = {m.position for m in scaffold.modifications if scaffold.sequence[m.position] == "C"}
    return sequence.count("C") - len(written)


def _cysteines(scaffold: Scaffold, probabilities: np.ndarray) -> int:
    """The C's of a chain without a modification, those that are probable among missing residues
    with distributions (t, 20) included."""
    in_gaps = int((probabilities[:, CYSTEINE] > 0.5).sum())
    return unmodified_cysteines(scaffold, scaffold.sequence) + in_gaps


def left_with_errors(
    scaffold: Scaffold, probabilities: np.ndarray, forms: Sequence[ChainForm]
) -> LeftMass | None:
    """As `left_mass`, with the mass of each form with every usual error as a form of its own; these
    have USUAL together.

    probabilities: (t, 20) of the residues of all `unweighed` gaps.
    """
    given, left = scaffold.intact, left_mass(scaffold, forms)
    if given is None or left is None:
        return None
    errors = [
        (error.mass.mass - given.mass, error.prior)
        for error in intact_errors(scaffold, _cysteines(scaffold, probabilities))
        if error.mass.kind == given.kind
    ]
    every = sum(prior for _, prior in errors)
    plain = [(mass, (1 - USUAL) * share) for mass, share in left.forms]
    moved = [
        (mass + by, USUAL * share * prior / every)
        for mass, share in left.forms
        for by, prior in errors
    ]
    return replace(left, forms=(*plain, *moved))


def likely_intact_error(scaffold: Scaffold, probabilities: np.ndarray, rules: MassRules) -> str:
    """The error without which the intact mass of a chain is far more probable, in words; or ''.

    probabilities: (length, 20) of the residues of all `unweighed` gaps, in order; rules: of
    `intact_rules`.
    """

    of_kind: dict[bool, TotalMass] = {}

    def probability(one: Scaffold) -> float:
        left = left_mass(one, rules.forms)
        if left is None:
            return 0.0
        if left.average not in of_kind:
            of_kind[left.average] = TotalMass(probabilities, left, rules)
        return of_kind[left.average].probability(left)

    least = ERROR_ODDS * (probability(scaffold) + FLOOR)
    if least >= 1.0:
        return ""
    found = [
        (probability(replace(scaffold, intact=error.mass)), error)
        for error in intact_errors(scaffold, _cysteines(scaffold, probabilities))
    ]
    if max((without for without, _ in found), default=0.0) <= least:
        return ""
    # A reagent that is common may be named although the mass says more for a rare one.
    return errors_in_words([(error.prior * without, error.words) for without, error in found])


def errors_in_words(found: Sequence[tuple[float, str]]) -> str:
    """The most probable errors in words, with their probabilities; '' for none."""
    best = max((likely for likely, _ in found), default=0.0)
    named = [words for likely, words in sorted(found, reverse=True) if likely >= NAMED * best]
    return f"{MassDoubt.INTACT_ERROR} {' or '.join(named)}" if named else ""
