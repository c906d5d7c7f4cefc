"""The mass of a filled chain beside its intact mass: whether it meets it, in which form, or without
which error."""

import math
from dataclasses import replace
from typing import NamedTuple

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.masses import AVERAGINE_RATIO
from lacuna.core.tables import BY_GAPS, MassRow
from lacuna.filling.masses.intact import (
    RATIO_ERROR,
    chain_forms,
    modified_masses,
    of_weighed_gaps,
    without,
)
from lacuna.filling.masses.intact_errors import IntactError, errors_in_words, intact_errors
from lacuna.filling.search.mass_search import SIGMAS
from lacuna.scaffolds.residue_masses import UNMODIFIED, Modifications
from lacuna.scaffolds.scaffold import IntactMass, Scaffold


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
    mass = modified_masses(sequence, scaffold)
    off = mass[average] - intact.mass
    fits = [_Fit(words, share, off + by, intact.tolerance_da) for words, share, by in forms]
    weighed = [gap for gap in scaffold.gaps if gap.measured is not None]
    if not weighed:
        return fits
    given, more = of_weighed_gaps(scaffold)
    tolerance = intact.tolerance_da + more
    observed = modified_masses(without(sequence, weighed), scaffold)
    in_gaps = observed[0] + given - mass[0]
    off = observed[average] + given * (AVERAGINE_RATIO if average else 1.0) - intact.mass
    if average:
        tolerance += RATIO_ERROR * given
    return fits + [
        _Fit(", ".join(filter(None, (words, BY_GAPS))), share, off + by, tolerance, in_gaps)
        for words, share, by in forms
    ]


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


def _errors_of_missed(
    scaffold: Scaffold, sequence: str, modifications: Modifications
) -> list[IntactError]:
    """The usual errors without which a chain that is filled with `sequence` meets its mass."""
    return [
        error
        for error in intact_errors(scaffold, sequence)
        if not is_missed(replace(scaffold, intact=error.mass), sequence, modifications)
    ]


def error_of_missed(
    scaffold: Scaffold, sequence: str, modifications: Modifications = UNMODIFIED
) -> str:
    """The error without which a chain that is filled with `sequence` meets its intact mass, in
    words; '' for none."""

    def likely(error: IntactError) -> float:
        fits = _fits(scaffold, error.mass, sequence, modifications)
        return error.prior * max(math.exp(fit.rank[2]) for fit in fits if fit.meets)

    errors = _errors_of_missed(scaffold, sequence, modifications)
    return errors_in_words([(likely(error), error.words) for error in errors])


def _form_of(
    scaffold: Scaffold, intact: IntactMass, sequence: str, modifications: Modifications
) -> _Fit:
    """The form of a filled chain that is most probable by its intact mass; if none meets that, the
    one which most probably does so without a usual error, or the nearest."""
    fits = _fits(scaffold, intact, sequence, modifications)
    best = max(fits, key=lambda fit: fit.rank)
    errors = () if best.meets else _errors_of_missed(scaffold, sequence, modifications)
    if not errors:
        return best
    righted = [
        (math.log(error.prior), _fits(scaffold, error.mass, sequence, modifications))
        for error in errors
    ]

    def rank(i: int) -> tuple[bool, bool, float]:
        """Greatest rank of a form without an error, the probability of that included."""
        ranks = [(nats, right[i].rank) for nats, right in righted]
        return max((meets, by, more + nats) for nats, (meets, by, more) in ranks)

    return fits[max(range(len(fits)), key=rank)]


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
    monoisotopic, average = modified_masses(sequence, scaffold)
    row = row._replace(monoisotopic=monoisotopic, average=average)
    if intact is None:
        return row
    fit = _form_of(scaffold, intact, sequence, modifications)
    return row._replace(
        tolerance_da=fit.tolerance, difference=fit.off, form=fit.words, in_gaps=fit.in_gaps
    )
