"""The masses that are known of a gap, as stages that its sequences pass.

A gap has a mass, or is a row of pieces with a mass each, and of any piece the masses of some of its
beginnings may be known: fragment ions show them. All of them are stages that a sequence passes, in
order, at some of its residues.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lacuna.filling.search.cleavages import shown
from lacuna.scaffolds.residue_masses import LIGHTEST, ChainForm, MassRules, heaviest_residue
from lacuna.scaffolds.scaffold import MAX_LENGTH, Gap, SpectralEvidence

UNBOUNDED = 1 << 30  # residues
MAX_SUSPECTS = 16  # prefix masses of a gap that are each left out if nothing fits all of them


@dataclass(frozen=True, slots=True)
class Stage:
    """A cleavage of a gap: the residues since its piece began weigh `mass`, in Da.

    tolerance: in Da; interval: any mass within it is as likely as another, where one that is
    measured is normally distributed; ends_piece: the next stage weighs from here on, and the piece
    has `least` to `most` residues.
    """

    mass: float
    tolerance: float
    interval: bool = False
    ends_piece: bool = False
    least: int = 0
    most: int = UNBOUNDED


@dataclass(frozen=True, slots=True)
class Stages:
    """All that masses say of a gap; `opened`: nothing of what follows the last stage; spectra: what
    they show of cleavages between; average: the average mass of all residues and its tolerance, in
    Da, of which the monoisotopic one is then an estimate."""

    passed: tuple[Stage, ...]
    opened: bool = False
    spectra: SpectralEvidence | None = None
    average: tuple[float, float] | None = None

    def of_residues(self, form: ChainForm) -> "Stages":
        """What the residues weigh if the chain has that form."""
        lighter = [replace(one, mass=one.mass - form.monoisotopic) for one in self.passed]
        average = self.average
        if average is not None:
            average = average[0] - form.average, average[1]
        return replace(self, passed=tuple(lighter), average=average)

    def without(self, stage: Stage) -> "Stages":
        """All others."""
        return replace(self, passed=tuple(one for one in self.passed if one is not stage))

    def without_spectra(self) -> "Stages":
        """What masses say without spectra."""
        return self if self.spectra is None else replace(self, spectra=None)

    def most_shown(self, length: int) -> float:
        """The most nats that spectra add to a gap of so many residues."""
        if self.spectra is None:
            return 0.0
        return max(float(shown(self.spectra).ahead(np.zeros(1), length - 1)[0]), 0.0)

    def prefixes(self) -> tuple[Stage, ...]:
        """Those of which one may be left out: none if there are more than MAX_SUSPECTS."""
        found = tuple(stage for stage in self.passed if not stage.ends_piece)
        return found if len(found) <= MAX_SUSPECTS else ()


def one_mass(mass: float, tolerance: float, interval: bool = False) -> Stages:
    """A gap of which nothing but its mass is known, in Da."""
    return Stages((Stage(mass, tolerance, interval, True),))


def stages_of(gap: Gap) -> Stages | None:
    """What masses say of a gap; None of one that has none."""
    if not gap.pieces:
        if gap.measured is None:
            return None
        return replace(one_mass(*gap.measured, gap.interval), spectra=gap.spectra)
    passed: list[Stage] = []
    for piece in gap.pieces:
        passed += [Stage(mass, tolerance) for mass, tolerance in piece.prefixes]
        if piece.measured is not None:
            most = UNBOUNDED if piece.max_length is None else piece.max_length
            limits = piece.min_length, most
            passed.append(Stage(*piece.measured, piece.interval, True, *limits))
    return Stages(tuple(passed), not passed[-1].ends_piece, gap.spectra)


def allowed_lengths(gap: Gap, stages: Stages | None, rules: MassRules) -> range:
    """The lengths that the bounds of a gap and masses allow, up to MAX_LENGTH."""
    least, most = (0, UNBOUNDED) if stages is None else _lengths_within(stages, rules)
    high = MAX_LENGTH if gap.max_length is None else gap.max_length
    return range(max(gap.min_length, least), min(high, most) + 1)


def _lengths_within(stages: Stages, rules: MassRules) -> tuple[int, int]:
    """The fewest and most residues that the masses leave a gap; most is UNBOUNDED if opened."""
    if rules.forms:
        plain = replace(rules, forms=())
        each = [_lengths_within(stages.of_residues(form), plain) for form in rules.forms]
        return min(low for low, _ in each), max(high for _, high in each)
    heaviest = heaviest_residue(rules)
    fewest = most = 0
    for step in steps_of(stages.passed):
        low, high = (step.least, step.most) if step.whole_piece else (0, UNBOUNDED)
        fewest += max(math.ceil((step.mass - step.tolerance) / heaviest), low)
        most += min(math.floor((step.mass + step.tolerance) / LIGHTEST), high)
    if rules.ends_chain and rules.modifications.clipped_lysine:
        most += 1  # a lysine that weighs nothing
    return fewest, UNBOUNDED if stages.opened else most


class Step(NamedTuple):
    """What lies between a stage and the one before it, in Da; whole_piece: a piece of so many
    residues."""

    mass: float
    tolerance: float
    whole_piece: bool
    least: int
    most: int


def steps_of(passed: Sequence[Stage]) -> list[Step]:
    """The step to each stage from the one before it or, at the first, from the gap's beginning."""
    steps = []
    mass = tolerance = 0.0  # since the piece began
    for stage in passed:
        whole = stage.ends_piece and not mass
        apart = stage.mass - mass, stage.tolerance + tolerance
        steps.append(Step(*apart, whole, stage.least, stage.most))
        mass, tolerance = (0.0, 0.0) if stage.ends_piece else (stage.mass, stage.tolerance)
    return steps
