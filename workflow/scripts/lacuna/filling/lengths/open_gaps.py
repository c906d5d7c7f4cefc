"""Chains with gaps of unknown length: which lengths to try, and which are chosen so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lacuna.core.masses import AVERAGINE
from lacuna.filling.lengths.possible import (
    MAX_LENGTHS,
    allowed_by,
    first_guess,
    limit_of,
    nearest_to_mass,
)
from lacuna.filling.masses.intact import intact_rules, left_for_gaps, unweighed
from lacuna.filling.search.rivals import Contest, contest
from lacuna.filling.search.stages import Stages, stages_of
from lacuna.scaffolds.residue_masses import (
    LIGHTEST,
    MassRules,
    Modifications,
    mass_rules,
)
from lacuna.scaffolds.resizing import with_lengths
from lacuna.scaffolds.scaffold import Gap, Scaffold, SpectralEvidence

MAX_TRIALS = 4_000  # lengths tried for all gaps of a chain
# Residues in all lengths tried for the gaps of known mass of a chain, up to COSTLY_RESIDUES in each
# length: of longer ones fewer sequences are kept.
MAX_WEIGHED_RESIDUES = 2_500
COSTLY_RESIDUES = 30


@dataclass(slots=True)
class OpenGap:
    """A gap of unknown length: its number in the chain, its masses, what is known of its length.

    lengths: those to try; untried: whether bounds and mass allow more; expected: from germline, at
    an end of its chain; around: chosen lengths of the gaps near it when it was last tried; read: if
    it has a mass, its plausible lengths then, each with its score and distributions; share: if it
    has none, the probability of the length chosen, and shares those of all lengths; by_intact_mass:
    whether the intact mass of its chain counts in that, and without_intact_mass: the length chosen
    without it if that is another one; mass_error: what `mass_errors.likely_error` finds in its
    masses by all lengths.
    """

    number: int
    gap: Gap
    rules: MassRules
    stages: Stages | None
    lengths: range
    untried: bool = False
    expected: int | None = None
    around: tuple[int | None, ...] | None = None
    read: Mapping[int, tuple[float, np.ndarray]] = field(default_factory=dict)
    share: float = 1.0
    shares: tuple[float, ...] = ()
    by_intact_mass: bool = False
    without_intact_mass: int | None = None
    mass_error: str | None = None

    @property
    def by_spectra(self) -> SpectralEvidence | None:
        """What spectra say of it, if they alone give its mass."""
        spectra = self.gap.spectra
        alone = self.stages is None and spectra is not None and spectra.mass is not None
        return spectra if alone else None

    def contest(self) -> Contest | None:
        """Its sequences of all plausible lengths; None if there are not several."""
        if self.stages is None or len(self.read) < 2:
            return None
        return contest(self.read, self.stages, self.rules)


@dataclass(slots=True)
class OpenChain:
    """A chain with gaps of unknown length; chosen: a length for each of its gaps."""

    scaffold: Scaffold
    open: list[OpenGap]
    chosen: list[int | None]

    def settled(self) -> Scaffold:
        """The scaffold with the chosen lengths; a gap with a mass has that of its best sequence."""
        contests = {found.number: found.contest() for found in self.open}
        chosen = list(self.chosen)
        for number, ranked in contests.items():
            if ranked is not None:
                chosen[number] = ranked.length
        scaffold = with_lengths(self.scaffold, chosen)
        gaps = list(scaffold.gaps)
        for found in self.open:
            gap, ranked = gaps[found.number], contests[found.number]
            if ranked is not None:
                share, rivals = ranked.probability, ranked.rivals
                gap = replace(gap, length_probability=share, rivals=rivals)
            elif gap.most == 1:
                gap = replace(gap, length_probability=found.share)
            elif found.by_intact_mass:  # in a sample with reads, `most` allows for a wrong length
                gap = replace(gap, most=max(gap.most, found.share))
            gaps[found.number] = replace(
                gap,
                untried=found.untried,
                mass_error=found.mass_error,
                length_without_mass=found.without_intact_mass,
            )
        return replace(scaffold, gaps=tuple(gaps))


def open_chain(scaffold: Scaffold, modifications: Modifications) -> OpenChain:
    """A chain with the lengths to try for each of its gaps of unknown length."""
    found = []
    alone = unweighed(scaffold)
    chain_rules = intact_rules(scaffold, modifications)
    rest = left_for_gaps(scaffold, chain_rules.forms) if len(alone) == 1 else None
    for number, gap in enumerate(scaffold.gaps):
        if not gap.fixed:
            rules = mass_rules(scaffold, gap, modifications)
            stages = stages_of(gap)
            if number in alone and rest is not None and not gap.shown and gap.closed is None:
                stages, rules = rest, chain_rules
                likely = max(rules.forms, key=lambda form: form.share)
                (whole,) = rest.of_residues(likely).passed
                mass = max(whole.mass, LIGHTEST)
                gap = replace(gap, mass=mass, tolerance_da=whole.tolerance)
            lengths = allowed_by(gap, rules, stages)
            share = gap.length_probability
            found.append(OpenGap(number, gap, rules, stages, lengths, share=share))
    most = MAX_TRIALS
    if sum(min(len(one.lengths), limit_of(one.gap)) for one in found) > MAX_TRIALS:
        most = max(MAX_TRIALS // len(found), 1)
    share = min(MAX_WEIGHED_RESIDUES / max(sum(map(_cost, found)), 1.0), 1.0)
    chosen: list[int | None] = [None] * len(scaffold.gaps)
    for one in found:
        limit = limit_of(one.gap)
        usual = one.lengths if one.gap.max_length is not None else one.lengths[:MAX_LENGTHS]
        if one.gap.mass is not None and share < 1.0:
            limit = max(int(share * min(len(one.lengths), limit)), 1)
        one.lengths = nearest_to_mass(one.lengths, one.gap, min(limit, most))
        one.untried = len(one.lengths) < len(usual)
        chosen[one.number] = first_guess(one.gap, one.lengths)
    return OpenChain(scaffold, found, chosen)


def _cost(found: OpenGap) -> float:
    """Residues in all lengths of a gap of known mass, up to COSTLY_RESIDUES in each."""
    if found.gap.mass is None:
        return 0.0
    lengths = min(len(found.lengths), limit_of(found.gap))
    return lengths * min(found.gap.mass / AVERAGINE, COSTLY_RESIDUES)
