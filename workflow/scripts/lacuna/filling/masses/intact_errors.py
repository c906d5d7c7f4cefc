"""Errors that the intact mass of a chain often has: its kind, what it carries besides what is
written, and what C carries."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.core.alphabet import RESIDUES, decode
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
from lacuna.filling.masses.intact import left_mass, unweighed
from lacuna.filling.masses.weighing import FLOOR_OF_MASS
from lacuna.scaffolds.alkylation import NONE, READINGS
from lacuna.scaffolds.residue_masses import ChainForm, MassRules
from lacuna.scaffolds.scaffold import IntactMass, Scaffold

# Of an intact mass without an error to the mass as given, from which the error is named. Of 900
# right masses of V domains with a gap of 3 to 10 residues none gives more, and 3 more than 100.
ERROR_ODDS = 300.0
ERROR_SHARE = 0.01  # of intact masses, that have one of these errors, those of an Fc left out
NAMED_SHARE = 0.1  # of the probability of the likeliest error from which another is named too
ERROR_PRIOR = 0.5  # of an error among those that are probable, but for those of C
ADDED = (
    ("without an oxygen on M or W", -OXIDATION),
    ("without a hexose, as of glycation", -HEXOSE),
    ("without a proton, as [M+H]+ has", -PROTON),
    ("with the water that was not counted", WATER),
)
# Of an N that may carry a glycan, which is not written on it: N-X-S/T, where X is not P.
SEQUON = re.compile(f"N(?=[{RESIDUES.replace('P', '')}][ST])")
ON_SEQUON = {
    **{name: (f"without a {name} glycan on N-X-S/T", *glycan_masses(name)) for name in GLYCANS},
    "D": (
        "without the D that PNGase F leaves in place of N",
        DEAMIDATION,
        DEAMIDATION * GROUP_RATIO,
    ),
}
# Of the Fc of IgG, which has N297 within NST in all species: probabilities that its mass includes a
# glycan. Nearly every heavy chain carries one, unless PNGase F has removed it, and it is easily
# forgotten. If it is taken to be as rare as other errors, a CDR3 of ten residues too many explains
# its mass better.
OF_FC = re.compile("N(?=ST)")
ON_FC = {"G0F": 0.15, "G1F": 0.1, "G2F": 0.05}


@dataclass(frozen=True, slots=True)
class IntactError:
    """An error that an intact mass may have, in words, and the mass without it; prior: among those
    that are probable; own: its probability if it is none of those of ERROR_SHARE, else 0."""

    words: str
    mass: IntactMass
    prior: float = ERROR_PRIOR
    own: float = 0.0

    @property
    def odds(self) -> float:
        """From which it is named: ERROR_ODDS, and less if it is more usual than other errors."""
        return ERROR_ODDS * ERROR_SHARE / max(self.own, ERROR_SHARE)


def intact_errors(scaffold: Scaffold, sequence: str) -> Iterator[IntactError]:
    """Yield the usual errors of the intact mass of a chain that is, or may be, `sequence`."""
    given = scaffold.intact
    if given is None:
        return
    average = given.kind == "average"
    other = "monoisotopic" if average else "average"
    yield IntactError(f"as {other}, not {given.kind}", replace(given, kind=other))
    for words, by, prior, own in _changes(scaffold, sequence, average=average):
        moved = replace(given, mass=given.mass + by)
        if moved.mass > given.tolerance_da:
            way = "more" if by > 0 else "less"
            yield IntactError(f"{words} ({abs(by):.4f} Da {way})", moved, prior, own)


def _changes(
    scaffold: Scaffold, sequence: str, *, average: bool
) -> Iterator[tuple[str, float, float, float]]:
    """Yield what an intact mass may have too much or too little, in words, the Da to be added to
    it, how probable that is among the errors that are, and its own probability."""
    ratio = GROUP_RATIO if average else 1.0
    for words, by in ADDED:
        yield words, by * ratio, ERROR_PRIOR, 0.0
    if not average:  # the average of all isotopes has no such slip
        for by in (-ISOTOPE, ISOTOPE):
            yield "without an isotope slip", by, ERROR_PRIOR, 0.0
    written = {modification.position for modification in scaffold.modifications}

    def is_bare(sites: re.Pattern[str], letters: str) -> bool:
        """Whether one of the sites has no modification written on it."""
        return any(n.start() not in written for n in sites.finditer(letters))

    # De novo tools read no peptide with a glycan, so that of the Fc is often among what is filled.
    own = ON_FC if is_bare(OF_FC, sequence) else {}
    if own or is_bare(SEQUON, scaffold.sequence):
        for name, (words, *either) in ON_SEQUON.items():
            yield words, -either[average], ERROR_PRIOR, own.get(name, 0.0)
    cysteines = unmodified_cysteines(scaffold, sequence)
    if not cysteines:
        return
    yield "without a cysteinyl on one C", -CYSTEINYL * ratio, ERROR_PRIOR, 0.0
    for n in range(1, cysteines // 2 + 1):
        yield f"with {plural(n, 'disulfide bond')} reduced", n * DISULFIDE * ratio, ERROR_PRIOR, 0.0
    for name, reading in READINGS.items():
        if name != NONE:
            by = -cysteines * reading.mass * ratio
            yield f"without {reading.words} C", by, reading.prior, 0.0


def unmodified_cysteines(scaffold: Scaffold, sequence: str) -> int:
    """The C's of a chain that is filled with `sequence`, without those with a modification."""
    written = {m.position for m in scaffold.modifications if scaffold.sequence[m.position] == "C"}
    return sequence.count("C") - len(written)


def _likely_chain(scaffold: Scaffold, probabilities: np.ndarray) -> str:
    """A chain with the most probable residues, of distributions (t, 20), in all `unweighed` gaps,
    which have lengths."""
    letters, at = list(scaffold.sequence.replace("J", "L")), 0
    residues = decode(probabilities.argmax(1))
    for gap in unweighed(scaffold).values():
        n = gap.size
        letters[gap.start : gap.end] = residues[at : at + n]
        at += n
    return "".join(letters)


def left_with_errors(
    scaffold: Scaffold, probabilities: np.ndarray, forms: Sequence[ChainForm]
) -> LeftMass | None:
    """As `left_mass`, with the mass of each form with every usual error as a form of its own; these
    have ERROR_SHARE together, besides those that have a probability of their own.

    probabilities: (t, 20) of the residues of all `unweighed` gaps.
    """
    given, left = scaffold.intact, left_mass(scaffold, forms)
    if given is None or left is None:
        return None
    errors = [
        error
        for error in intact_errors(scaffold, _likely_chain(scaffold, probabilities))
        if error.mass.kind == given.kind
    ]
    every = sum(error.prior for error in errors if not error.own)
    of_errors = [
        (one.mass.mass - given.mass, one.own or ERROR_SHARE * one.prior / every) for one in errors
    ]
    right = 1 - ERROR_SHARE - sum(error.own for error in errors)
    plain = [(mass, right * share) for mass, share in left.forms]
    moved = [(mass + by, share * often) for mass, share in left.forms for by, often in of_errors]
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

    least = probability(scaffold) + FLOOR_OF_MASS
    errors = list(intact_errors(scaffold, _likely_chain(scaffold, probabilities)))
    if min((error.odds for error in errors), default=ERROR_ODDS) * least >= 1.0:
        return ""
    found = [(probability(replace(scaffold, intact=one.mass)), one) for one in errors]
    # What is more usual is named at lower odds.
    if not any(without > error.odds * least for without, error in found):
        return ""
    # A reagent that is common may be named although the mass says more for a rare one.
    return errors_in_words([(error.prior * without, error.words) for without, error in found])


def errors_in_words(found: Sequence[tuple[float, str]]) -> str:
    """The most probable errors in words, with their probabilities; '' for none."""
    best = max((likely for likely, _ in found), default=0.0)
    named = [words for likely, words in sorted(found, reverse=True) if likely >= NAMED_SHARE * best]
    return f"{MassDoubt.INTACT_ERROR} {' or '.join(named)}" if named else ""
