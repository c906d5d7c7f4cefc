"""The mass of a whole chain: as calculated, and as evidence for the chain's gaps.

A chain is reduced and neutral: the sum of its residues, of the modifications that the user wrote on
them, and of water. C is free unless a modification is written on it.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import CYSTEINE, MISSING_LETTER, RESIDUES, decode
from lacuna.core.masses import (
    AVERAGE,
    AVERAGINE_RATIO,
    CYSTEINYL,
    DEAMIDATION,
    DISULFIDE,
    GLYCANS,
    GROUP_RATIO,
    HEXOSE,
    MONOISOTOPIC,
    OXIDATION,
    PROTON,
    WATER,
    chain_masses,
    glycan_masses,
)
from lacuna.core.tables import BY_GAPS, MassDoubt, MassRow
from lacuna.core.words import plural
from lacuna.filling.masses.chain_mass import LeftMass, TotalMass
from lacuna.filling.masses.weighing import FLOOR
from lacuna.filling.search.mass_search import SIGMAS
from lacuna.filling.search.stages import Stages, one_mass
from lacuna.scaffolds.alkylation import NONE, READINGS
from lacuna.scaffolds.residue_masses import (
    CORRECTED,
    PYROGLUTAMATE,
    PYROGLUTAMATES,
    UNMODIFIED,
    ChainForm,
    MassRules,
    Modifications,
)
from lacuna.scaffolds.scaffold import Gap, IntactMass, Scaffold

RATIO_ERROR = 2e-4  # of the ratio of a gap's residues, which may hold more sulfur or less
FORM_ERROR = 0.02  # Da, of the monoisotopic mass of a form by that ratio
# Of an intact mass without an error to the mass as given, from which the error is named. Of 900
# right masses of V domains with a gap of 3 to 10 residues none gives more, and 3 more than 100.
ERROR_ODDS = 300.0
USUAL = 0.01  # probability that an intact mass has an error that can be named
NAMED = 0.1  # of the probability of the likeliest error from which another is named too


# --- forms ---------------------------------------------------------------------------------------

# Nearly all heavy chains lose the lysine that ends them to carboxypeptidases of the cell: Dick et
# al. 2008, Biotechnol Bioeng 100:1132.
CLIPPED = 0.95
ALLOWED = 0.5  # least share of a modification that the user allows
HEAVY_END = "GK"  # of IgG in all species
PYROGLUTAMATE_WORDS = "N-terminal pyroglutamate"
CLIPPED_WORDS = "no C-terminal lysine"
PLAIN_FORM = (ChainForm("", 1.0),)


def chain_forms(
    scaffold: Scaffold, sequence: str, modifications: Modifications
) -> tuple[ChainForm, ...]:
    """The forms in which a chain may have been weighed, by its first and last residue.

    A residue with a modification written on it has that, and X no form.
    """
    written = {modification.position for modification in scaffold.modifications}
    first, last = sequence[:1], len(scaffold.sequence) - 1
    pyro = 0.0 if 0 in written else (1 - CORRECTED) * PYROGLUTAMATES.get(first, 0.0)
    if pyro and modifications.pyroglutamate:
        pyro = max(pyro, ALLOWED)
    may_lose = sequence.endswith("K") and last not in written
    clipped = (1 - CORRECTED) * CLIPPED if may_lose and sequence.endswith(HEAVY_END) else 0.0
    if may_lose and modifications.clipped_lysine:
        clipped = max(clipped, ALLOWED)
    change = PYROGLUTAMATE.get(first, 0.0)
    forms = [
        ChainForm(
            ", ".join(filter(None, (begins, ends))),
            of_first * of_last,
            (change if begins else 0.0) - (MONOISOTOPIC["K"] if ends else 0.0),
            (change * GROUP_RATIO if begins else 0.0) - (AVERAGE["K"] if ends else 0.0),
        )
        for begins, of_first in (("", 1 - pyro), (PYROGLUTAMATE_WORDS, pyro))
        for ends, of_last in (("", 1 - clipped), (CLIPPED_WORDS, clipped))
    ]
    return tuple(form for form in forms if form.share > 0.0)


def intact_rules(scaffold: Scaffold, modifications: Modifications, end: str = "") -> MassRules:
    """What the residues of all `unweighed` gaps of a chain may weigh, and the chain's forms.

    end: of `likely_end`, if a gap ends the chain.
    """
    gaps = [gap for gap in unweighed(scaffold).values() if gap.start < gap.end or not gap.fixed]
    starts = bool(gaps) and gaps[0].start == 0
    shown = list(scaffold.sequence)
    for gap in scaffold.gaps:
        shown[gap.start : gap.end] = MISSING_LETTER * (gap.end - gap.start)
    shown[len(shown) - len(end) :] = end
    allowed = Modifications(pyroglutamate=modifications.pyroglutamate)
    return MassRules(allowed, starts, forms=chain_forms(scaffold, "".join(shown), modifications))


def likely_end(scaffold: Scaffold, gap: Gap, probabilities: np.ndarray) -> str:
    """The most probable last residues of a gap of known length that ends its chain, as many as tell
    whether the chain may lack its lysine; '' for any other gap.

    probabilities: (length, 20) of the gap, or of several gaps up to it.
    """
    if gap.end < len(scaffold.sequence):
        return ""
    n = min(gap.end - gap.start, len(HEAVY_END))
    return decode(probabilities[len(probabilities) - n :].argmax(1))


class _Fit(NamedTuple):
    """A form of a filled chain beside its intact mass.

    off: the mass of the form, of the kind of the intact mass, less that, in Da; tolerance: within
    which it meets it, in Da; in_gaps: what its gaps weigh more than their residues, monoisotopic,
    in Da, if they count by their own masses, else None.
    """

    words: str
    share: float
    off: float
    tolerance: float
    in_gaps: float | None = None

    @property
    def meets(self) -> bool:
        """Whether the chain has the mass in this form."""
        return abs(self.off) <= self.tolerance

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """Greatest of the form to be named: the most probable of those that meet the mass, by
        residues if one does; else the nearest, by masses of gaps if by more than the tolerance."""
        by_residues = self.in_gaps is None
        if not self.meets:
            return False, True, -abs(self.off) - (0.0 if by_residues else self.tolerance)
        nats = math.log(self.share) - (SIGMAS * self.off / self.tolerance) ** 2 / 2
        return True, by_residues, nats


def _fits(
    scaffold: Scaffold, intact: IntactMass, sequence: str, modifications: Modifications
) -> list[_Fit]:
    """Every form of a filled chain beside an intact mass: by its residues, then, if gaps have
    masses, with these in place of their residues, since they may hold modifications."""
    average = intact.kind == "average"
    forms = [
        (form.words, form.share, form.average if average else form.monoisotopic)
        for form in chain_forms(scaffold, sequence, modifications)
    ]
    mass = _masses(sequence, scaffold)
    off = mass[average] - intact.mass
    fits = [_Fit(words, share, off + by, intact.tolerance_da) for words, share, by in forms]
    weighed = [gap for gap in scaffold.gaps if gap.mass is not None]
    if not weighed:
        return fits
    given = sum(gap.mass or 0.0 for gap in weighed)
    tolerance = intact.tolerance_da + sum(gap.tolerance_da or 0.0 for gap in weighed)
    observed = _masses(_without(sequence, weighed), scaffold)
    in_gaps = observed[0] + given - mass[0]
    off = observed[average] + given * (AVERAGINE_RATIO if average else 1.0) - intact.mass
    if average:
        tolerance += RATIO_ERROR * given
    return fits + [
        _Fit(", ".join(filter(None, (words, BY_GAPS))), share, off + by, tolerance, in_gaps)
        for words, share, by in forms
    ]


def _form_of(
    scaffold: Scaffold, intact: IntactMass, sequence: str, modifications: Modifications
) -> _Fit:
    """The form of a filled chain that is most probable by its intact mass; if none meets that, the
    one which does so without a usual error, or the nearest."""
    fits = _fits(scaffold, intact, sequence, modifications)
    best = max(fits, key=lambda fit: fit.rank)
    errors = () if best.meets else _errors_of_missed(scaffold, sequence, modifications)
    if not errors:
        return best
    likely = max(errors, key=lambda error: error.prior)
    without = _fits(scaffold, likely.mass, sequence, modifications)
    return fits[max(range(len(fits)), key=lambda i: without[i].rank)]


def mass_row(
    scaffold: Scaffold,
    sequence: str,
    modifications: Modifications = UNMODIFIED,
    *,
    is_open: bool = False,
) -> MassRow:
    """The row of a chain that is filled with `sequence`; no masses if residues are missing.

    is_open: whether a gap stays open; it need not have left an X.
    """
    intact = scaffold.intact
    row = MassRow(scaffold.chain, None, None, None, "", None, None)
    if intact is not None:
        row = row._replace(measured=intact.mass, kind=intact.kind, tolerance_da=intact.tolerance_da)
    if is_open or MISSING_LETTER in sequence:
        return row
    monoisotopic, average = _masses(sequence, scaffold)
    row = row._replace(monoisotopic=monoisotopic, average=average)
    if intact is None:
        return row
    fit = _form_of(scaffold, intact, sequence, modifications)
    return row._replace(
        tolerance_da=fit.tolerance, difference=fit.off, form=fit.words, in_gaps=fit.in_gaps
    )


def is_missed(scaffold: Scaffold, sequence: str, modifications: Modifications = UNMODIFIED) -> bool:
    """Whether a chain that is filled with `sequence` has an intact mass which it does not meet.

    It meets it by its residues, or by its observed residues and the masses of its gaps, which may
    hold modifications. False if residues are missing.
    """
    intact = scaffold.intact
    if intact is None or MISSING_LETTER in sequence:
        return False
    return not any(fit.meets for fit in _fits(scaffold, intact, sequence, modifications))


def is_whole(scaffold: Scaffold, modifications: Modifications) -> bool:
    """Whether a chain without gaps has an intact mass, and meets it in one of its forms."""
    if scaffold.intact is None or scaffold.gaps:
        return False
    return not is_missed(scaffold, scaffold.sequence, modifications)


def _without(sequence: str, gaps: Iterable[Gap]) -> str:
    """A chain with the residues of some gaps as X."""
    letters = list(sequence)
    for gap in gaps:
        letters[gap.start : gap.end] = MISSING_LETTER * (gap.end - gap.start)
    return "".join(letters)


def _masses(sequence: str, scaffold: Scaffold) -> tuple[float, float]:
    """Monoisotopic and average mass of a chain and its modifications, X left out, in Da."""
    monoisotopic, average = chain_masses(sequence)
    groups = sum(modification.mass for modification in scaffold.modifications)
    return monoisotopic + groups, average + groups * GROUP_RATIO


def unweighed(scaffold: Scaffold) -> Mapping[int, Gap]:
    """Numbers of the gaps that the intact mass of a chain is evidence for: those without a mass.

    I or L has one. Empty for a chain without an intact mass, or with a gap of which only prefix
    masses are known.
    """
    if scaffold.intact is None or any(g.pieces and g.mass is None for g in scaffold.gaps):
        return {}
    return {
        number: gap
        for number, gap in enumerate(scaffold.gaps)
        if gap.mass is None and not _is_i_or_l(scaffold, gap)
    }


def _is_i_or_l(scaffold: Scaffold, gap: Gap) -> bool:
    """Whether every residue of a gap is I or L, so that it has a mass whatever is given."""
    return gap.fixed and set(scaffold.sequence[gap.start : gap.end]) == {"J"}


def left_for_gaps(scaffold: Scaffold, forms: Sequence[ChainForm] = PLAIN_FORM) -> Stages | None:
    """The mass of all `unweighed` gaps together, monoisotopic; None if nothing is left for them in
    any form.

    An average mass is divided by AVERAGINE_RATIO, within RATIO_ERROR, and sequences must then have
    the average one.
    """
    left = left_mass(scaffold)
    if left is None:
        return None
    ((mass, _),) = left.forms
    if left.average:
        mass /= AVERAGINE_RATIO
        about = left.tolerance + RATIO_ERROR * max(mass, 0.0) + FORM_ERROR
        stages = replace(one_mass(mass, about, True), average=(left.forms[0][0], left.tolerance))
    else:
        stages = one_mass(mass, left.tolerance)
    return stages if mass > min(form.monoisotopic for form in forms) else None


def left_mass(scaffold: Scaffold, forms: Sequence[ChainForm] = PLAIN_FORM) -> LeftMass | None:
    """The mass of all `unweighed` gaps together in every form of the chain, of the kind of the
    intact mass: that less the masses of observed residues and of gaps with a mass of their own.
    None without an intact mass."""
    intact = scaffold.intact
    if intact is None:
        return None
    average = intact.kind == "average"
    shown = list(scaffold.sequence)
    for gap in scaffold.gaps:
        known = gap.mass is None and _is_i_or_l(scaffold, gap)
        shown[gap.start : gap.end] = ("L" if known else MISSING_LETTER) * (gap.end - gap.start)
    observed = _masses("".join(shown), scaffold)[average]
    weighed = sum(gap.mass or 0.0 for gap in scaffold.gaps)
    tolerance = intact.tolerance_da + sum(gap.tolerance_da or 0.0 for gap in scaffold.gaps)
    if average:
        tolerance += RATIO_ERROR * weighed
        weighed *= AVERAGINE_RATIO
    changes = [(form.average if average else form.monoisotopic, form.share) for form in forms]
    rest = intact.mass - observed - weighed
    return LeftMass(tuple((rest - by, share) for by, share in changes), tolerance, average)


# --- errors --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IntactError:
    """An error that an intact mass may have, in words, and the mass without it."""

    words: str
    mass: IntactMass
    prior: float = 0.5  # among those that are probable


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


def _changes(scaffold: Scaffold) -> Iterator[tuple[str, float, float]]:
    """Yield what a mass may have too much or too little, in words, and what is to be added to it if
    it is monoisotopic, and if it is average."""
    for words, by in ADDED:
        yield words, by, by * GROUP_RATIO
    written = {modification.position for modification in scaffold.modifications}
    if any(n.start() not in written for n in SEQUON.finditer(scaffold.sequence)):
        yield from ((words, -mass, -average) for words, mass, average in ON_SEQUON)


def intact_errors(scaffold: Scaffold, cysteines: int) -> Iterator[IntactError]:
    """Yield the usual errors of a chain's intact mass: its kind, what it carries besides what is
    written, and what C carries.

    cysteines: those of the chain without a modification written on them.
    """
    given = scaffold.intact
    if given is None:
        return
    average = given.kind == "average"
    other = "monoisotopic" if average else "average"
    yield IntactError(f"as {other}, not {given.kind}", replace(given, kind=other))
    ratio = GROUP_RATIO if average else 1.0
    for words, *either in _changes(scaffold):
        by = either[average]
        way = "more" if by > 0 else "less"
        moved = replace(given, mass=given.mass + by)
        if moved.mass > given.tolerance_da:
            yield IntactError(f"{words} ({abs(by):.4f} Da {way})", moved)
    if cysteines:
        less = CYSTEINYL * ratio
        words = f"without a cysteinyl on one C ({less:.4f} Da less)"
        if given.mass - less > given.tolerance_da:
            yield IntactError(words, replace(given, mass=given.mass - less))
    for n in range(1, cysteines // 2 + 1):
        more = n * DISULFIDE * (GROUP_RATIO if average else 1.0)
        bonds = plural(n, "disulfide bond")
        words = f"with {bonds} reduced ({more:.4f} Da more)"
        yield IntactError(words, replace(given, mass=given.mass + more))
    for name, reading in READINGS.items():
        less = cysteines * reading.mass * (GROUP_RATIO if average else 1.0)
        if name != NONE and 0 < less < given.mass - given.tolerance_da:
            words = f"without {reading.words} C ({less:.4f} Da less)"
            yield IntactError(words, replace(given, mass=given.mass - less), reading.prior)


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
    return _in_words([(error.prior * without, error.words) for without, error in found])


def _in_words(found: Sequence[tuple[float, str]]) -> str:
    """The most probable errors in words, with their probabilities; '' for none."""
    best = max((likely for likely, _ in found), default=0.0)
    named = [words for likely, words in sorted(found, reverse=True) if likely >= NAMED * best]
    return f"{MassDoubt.INTACT_ERROR} {' or '.join(named)}" if named else ""


def _errors_of_missed(
    scaffold: Scaffold, sequence: str, modifications: Modifications
) -> list[IntactError]:
    """The usual errors without which a chain that is filled with `sequence` meets its mass."""
    errors = intact_errors(scaffold, unmodified_cysteines(scaffold, sequence))
    return [
        error
        for error in errors
        if not is_missed(replace(scaffold, intact=error.mass), sequence, modifications)
    ]


def error_of_missed(
    scaffold: Scaffold, sequence: str, modifications: Modifications = UNMODIFIED
) -> str:
    """The error without which a chain that is filled with `sequence` meets its intact mass, in
    words; '' for none."""
    errors = _errors_of_missed(scaffold, sequence, modifications)
    return _in_words([(error.prior, error.words) for error in errors])
