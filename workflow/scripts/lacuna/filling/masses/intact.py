"""What the intact mass of a chain leaves for its gaps, in each form that the chain may have.

A chain is reduced and neutral: the sum of its residues, of the modifications that the user wrote on
them, and of water. C is free unless a modification is written on it. What is left of an intact mass
are the residues of the gaps without a mass. Of chains that are filled, see `filled_mass.py`, of
errors, `intact_errors.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import MISSING_LETTER, decode
from lacuna.core.masses import AVERAGE, AVERAGINE_RATIO, GROUP_RATIO, MONOISOTOPIC, chain_masses
from lacuna.core.tables import LYSINE_LOST, PYROGLUTAMATE_FIRST
from lacuna.filling.masses.chain_mass import LeftMass
from lacuna.filling.search.stages import Stages, one_mass
from lacuna.scaffolds.residue_masses import (
    CORRECTED_SHARE,
    PYROGLUTAMATE,
    PYROGLUTAMATE_SHARES,
    ChainForm,
    MassRules,
    Modifications,
)
from lacuna.scaffolds.scaffold import Gap, Measured, Scaffold

# Of a mass: how far off the ratio of the average to the monoisotopic one may be, since residues may
# hold more sulfur than averagine, or less.
RATIO_ERROR = 2e-4
FORM_ERROR = 0.02  # Da, of the monoisotopic mass of a form by that ratio
# Nearly all heavy chains lose the lysine that ends them to carboxypeptidases of the cell: Dick et
# al. 2008, Biotechnol Bioeng 100:1132.
CLIPPED_SHARE = 0.95
LEAST_IF_ALLOWED = 0.5  # least share of a modification that the user allows
HEAVY_END = "GK"  # of IgG in all species
PLAIN_FORM = (ChainForm("", 1.0),)


def chain_forms(
    scaffold: Scaffold, sequence: str, modifications: Modifications
) -> tuple[ChainForm, ...]:
    """The forms in which a chain may have been weighed, by its first and last residue.

    A residue with a modification written on it has that, and X no form.
    """
    written = {modification.position for modification in scaffold.modifications}
    first, last = sequence[:1], len(scaffold.sequence) - 1
    pyro = 0.0 if 0 in written else (1 - CORRECTED_SHARE) * PYROGLUTAMATE_SHARES.get(first, 0.0)
    if pyro and modifications.pyroglutamate:
        pyro = max(pyro, LEAST_IF_ALLOWED)
    may_lose = sequence.endswith("K") and last not in written
    clipped = (
        (1 - CORRECTED_SHARE) * CLIPPED_SHARE if may_lose and sequence.endswith(HEAVY_END) else 0.0
    )
    if may_lose and modifications.clipped_lysine:
        clipped = max(clipped, LEAST_IF_ALLOWED)
    change = PYROGLUTAMATE.get(first, 0.0)
    forms = [
        ChainForm(
            ", ".join(filter(None, (begins, ends))),
            of_first * of_last,
            (change if begins else 0.0) - (MONOISOTOPIC["K"] if ends else 0.0),
            (change * GROUP_RATIO if begins else 0.0) - (AVERAGE["K"] if ends else 0.0),
        )
        for begins, of_first in (("", 1 - pyro), (PYROGLUTAMATE_FIRST, pyro))
        for ends, of_last in (("", 1 - clipped), (LYSINE_LOST, clipped))
    ]
    return tuple(form for form in forms if form.share > 0.0)


def intact_rules(scaffold: Scaffold, modifications: Modifications, end: str = "") -> MassRules:
    """What the residues of all `unweighed` gaps of a chain may weigh, and the chain's forms.

    end: of `likely_end`, if a gap ends the chain.
    """
    gaps = [gap for gap in unweighed(scaffold).values() if gap.start < gap.end or not gap.fixed]
    starts = bool(gaps) and gaps[0].start == 0
    shown = without(scaffold.sequence, scaffold.gaps)
    shown = shown[: len(shown) - len(end)] + end
    allowed = Modifications(pyroglutamate=modifications.pyroglutamate)
    return MassRules(allowed, starts, forms=chain_forms(scaffold, shown, modifications))


def likely_end(scaffold: Scaffold, gap: Gap, probabilities: np.ndarray) -> str:
    """The most probable last residues of a gap of known length that ends its chain, as many as tell
    whether the chain may lack its lysine; '' for any other gap.

    probabilities: (length, 20) of the gap, or of several gaps up to it.
    """
    if gap.end < len(scaffold.sequence):
        return ""
    n = min(gap.size, len(HEAVY_END))
    return decode(probabilities[len(probabilities) - n :].argmax(1))


def without(sequence: str, gaps: Iterable[Gap]) -> str:
    """A chain with the residues of some gaps as X."""
    letters = list(sequence)
    for gap in gaps:
        letters[gap.start : gap.end] = MISSING_LETTER * gap.size
    return "".join(letters)


def modified_masses(sequence: str, scaffold: Scaffold) -> tuple[float, float]:
    """Monoisotopic and average mass of a chain and its modifications, X left out, in Da."""
    monoisotopic, average = chain_masses(sequence)
    groups = sum(modification.mass for modification in scaffold.modifications)
    return monoisotopic + groups, average + groups * GROUP_RATIO


def of_weighed_gaps(scaffold: Scaffold) -> Measured:
    """What all gaps with a mass of their own weigh together."""
    given = [gap.measured for gap in scaffold.gaps if gap.measured is not None]
    return Measured(sum(mass for mass, _ in given), sum(tolerance for _, tolerance in given))


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
        if gap.mass is None and not scaffold.is_i_or_l(gap)
    }


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
    unknown = [g for g in scaffold.gaps if g.mass is not None or not scaffold.is_i_or_l(g)]
    shown = without(scaffold.sequence, unknown).replace("J", "L")
    observed = modified_masses(shown, scaffold)[average]
    weighed, more = of_weighed_gaps(scaffold)
    tolerance = intact.tolerance_da + more
    if average:
        tolerance += RATIO_ERROR * weighed
        weighed *= AVERAGINE_RATIO
    changes = [(form.average if average else form.monoisotopic, form.share) for form in forms]
    rest = intact.mass - observed - weighed
    return LeftMass(tuple((rest - by, share) for by, share in changes), tolerance, average)
