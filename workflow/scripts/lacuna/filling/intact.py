"""The mass of a whole chain: as calculated, and as evidence for the chain's gaps.

A chain is reduced and neutral: the sum of its residues, of the modifications that the user wrote on
them, and of water. C is free unless a modification is written on it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from lacuna.core.alphabet import CYSTEINE, MISSING_LETTER
from lacuna.core.masses import AVERAGINE_RATIO, DISULFIDE, GROUP_RATIO, chain_masses
from lacuna.core.tables import MassDoubt, MassRow
from lacuna.core.words import plural
from lacuna.filling.decode import mass_log_probability
from lacuna.filling.stages import Stages, one_mass
from lacuna.filling.weighing import FLOOR, WIDTH
from lacuna.scaffolds.alkylation import NONE, READINGS
from lacuna.scaffolds.residue_masses import MAX_RESIDUES, MassRules
from lacuna.scaffolds.scaffold import Gap, IntactMass, Scaffold

RATIO_ERROR = 1e-4  # of the ratio of a gap's residues, which may hold more sulfur or less
# Of an intact mass without an error to the mass as given, from which the error is named. Of 900
# right masses of V domains with a gap of 3 to 10 residues none gives more, and 3 more than 100.
ERROR_ODDS = 300.0


def mass_row(scaffold: Scaffold, sequence: str, *, is_open: bool = False) -> MassRow:
    """The row of a chain that is filled with `sequence`; no masses if residues are missing.

    is_open: whether a gap stays open; it need not have left an X.
    """
    intact = scaffold.intact
    monoisotopic = average = difference = None
    if not is_open and MISSING_LETTER not in sequence:
        monoisotopic, average = _masses(sequence, scaffold)
        if intact is not None:
            difference = (average if intact.kind == "average" else monoisotopic) - intact.mass
    return MassRow(
        scaffold.chain,
        monoisotopic,
        average,
        None if intact is None else intact.mass,
        "" if intact is None else intact.kind,
        None if intact is None else intact.tolerance_da,
        difference,
    )


def is_missed(scaffold: Scaffold, sequence: str) -> bool:
    """Whether a chain that is filled with `sequence` has an intact mass which it does not meet.

    It meets it by its residues, or by its observed residues and the masses of its gaps, which may
    hold modifications. False if residues are missing.
    """
    intact = scaffold.intact
    if intact is None or MISSING_LETTER in sequence:
        return False
    weighed = [gap for gap in scaffold.gaps if gap.mass is not None]
    given = sum(gap.mass or 0.0 for gap in weighed)
    allowed = intact.tolerance_da + sum(gap.tolerance_da or 0.0 for gap in weighed)
    by_residues = _masses(sequence, scaffold)
    by_gaps = _masses(_without(sequence, weighed), scaffold)
    if intact.kind == "average":
        found = by_residues[1], by_gaps[1] + given * AVERAGINE_RATIO
        # As in `left_for_gaps`: of what meets an average mass, the monoisotopic one was compared.
        observed, _ = _masses(_without(sequence, scaffold.gaps), scaffold)
        allowed += RATIO_ERROR * (by_residues[0] - observed)
    else:
        found = by_residues[0], by_gaps[0] + given
    return all(abs(mass - intact.mass) > allowed for mass in found)


def is_whole(scaffold: Scaffold) -> bool:
    """Whether a chain without gaps has an intact mass, and meets it."""
    if scaffold.intact is None or scaffold.gaps:
        return False
    return not is_missed(scaffold, scaffold.sequence)


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


def left_for_gaps(scaffold: Scaffold) -> Stages | None:
    """The mass of all `unweighed` gaps together; None if nothing is left for them.

    It is the intact mass less that of observed residues and of gaps with a mass, and monoisotopic:
    an average mass is divided by AVERAGINE_RATIO, which adds RATIO_ERROR to the tolerance.
    """
    intact = scaffold.intact
    if intact is None:
        return None
    shown = list(scaffold.sequence)
    for gap in scaffold.gaps:
        known = gap.mass is None and _is_i_or_l(scaffold, gap)
        shown[gap.start : gap.end] = ("L" if known else MISSING_LETTER) * (gap.end - gap.start)
    monoisotopic, average = _masses("".join(shown), scaffold)
    weighed = sum(gap.mass or 0.0 for gap in scaffold.gaps)
    tolerance = intact.tolerance_da + sum(gap.tolerance_da or 0.0 for gap in scaffold.gaps)
    if intact.kind == "average":
        rest = (intact.mass - average) / AVERAGINE_RATIO - weighed
        tolerance += RATIO_ERROR * max(rest, 0.0)
    else:
        rest = intact.mass - monoisotopic - weighed
    return one_mass(rest, tolerance) if rest > 0 else None


def decodable(gaps: Mapping[int, Gap]) -> bool:
    """Whether all these gaps have a length, and few enough residues to be decoded with a mass."""
    lengths = [gap.end - gap.start for gap in gaps.values()]
    return all(gap.fixed for gap in gaps.values()) and 0 < sum(lengths) <= MAX_RESIDUES


# --- errors --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IntactError:
    """An error that an intact mass may have, in words, and the mass without it."""

    words: str
    mass: IntactMass


def intact_errors(scaffold: Scaffold, cysteines: int) -> Iterator[IntactError]:
    """Yield the usual errors of a chain's intact mass: its kind, and what C carries.

    cysteines: those of the chain without a modification written on them.
    """
    given = scaffold.intact
    if given is None:
        return
    average = given.kind == "average"
    other = "monoisotopic" if average else "average"
    yield IntactError(f"as {other}, not {given.kind}", replace(given, kind=other))
    for n in range(1, cysteines // 2 + 1):
        more = n * DISULFIDE * (GROUP_RATIO if average else 1.0)
        bonds = plural(n, "disulfide bond")
        words = f"with {bonds} reduced ({more:.4f} Da more)"
        yield IntactError(words, replace(given, mass=given.mass + more))
    for name, reading in READINGS.items():
        less = cysteines * reading.mass * (GROUP_RATIO if average else 1.0)
        if name != NONE and 0 < less < given.mass - given.tolerance_da:
            words = f"without {reading.words} C ({less:.4f} Da less)"
            yield IntactError(words, replace(given, mass=given.mass - less))


def unmodified_cysteines(scaffold: Scaffold, sequence: str) -> int:
    """The C's of a chain that is filled with `sequence`, without those with a modification."""
    written = {m.position for m in scaffold.modifications if scaffold.sequence[m.position] == "C"}
    return sequence.count("C") - len(written)


def likely_intact_error(scaffold: Scaffold, probabilities: np.ndarray) -> str:
    """The error without which the intact mass of a chain is far more probable, in words; or ''.

    probabilities: (length, 20) of the residues of all `unweighed` gaps, in order.
    """

    def probability(one: Scaffold) -> float:
        stages = left_for_gaps(one)
        if stages is None:
            return 0.0
        likely = mass_log_probability(probabilities, stages, MassRules(), WIDTH)
        return math.exp(min(likely, 0.0))

    least = ERROR_ODDS * (probability(scaffold) + FLOOR)
    if least >= 1.0:
        return ""
    in_gaps = int((probabilities[:, CYSTEINE] > 0.5).sum())
    best, words = least, ""
    for error in intact_errors(
        scaffold, unmodified_cysteines(scaffold, scaffold.sequence) + in_gaps
    ):
        without = probability(replace(scaffold, intact=error.mass))
        if without > best:
            best, words = without, f"{MassDoubt.INTACT_ERROR} {error.words}"
    return words


def error_of_missed(scaffold: Scaffold, sequence: str) -> str:
    """The error without which a chain that is filled with `sequence` meets its intact mass, in
    words; '' for none."""
    errors = intact_errors(scaffold, unmodified_cysteines(scaffold, sequence))
    for error in errors:
        if not is_missed(replace(scaffold, intact=error.mass), sequence):
            return f"{MassDoubt.INTACT_ERROR} {error.words}"
    return ""
