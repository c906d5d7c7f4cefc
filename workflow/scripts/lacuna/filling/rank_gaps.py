"""Ranked candidates of every gap of a block, with all that its masses and spectra allow.

A gap is ranked by the first of these that it has:

1. masses of its own, which every candidate meets (`masses/misfits.py` by `search/decode.py`); if
   spectra show other masses too, candidates of all masses are mixed by how probable these are;
2. masses that spectra show of it, mixed in the same way with candidates of no mass;
3. the intact mass of its chain, which it meets together with the other gaps of the chain; mixed
   with candidates of no mass by how probable it is that the intact mass is right;
4. nothing but the distributions of its residues.

If its length is not given, candidates of other lengths join the ranking in the end
(`search/rivals.py`).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from typing import NamedTuple

import numpy as np

from lacuna.core.tables import MassDoubt
from lacuna.filling.block import BlockGap, too_large
from lacuna.filling.masses.by_spectra import (
    LEAST_OF_MASS,
    SEQUENCES_MIXED,
    length_by_spectra,
    mixed,
    rank_by_spectra,
    with_shown_masses,
)
from lacuna.filling.masses.chain_mass import rank_by_chain_mass
from lacuna.filling.masses.intact import intact_rules, likely_end, unweighed
from lacuna.filling.masses.intact_errors import left_with_errors, likely_intact_error
from lacuna.filling.masses.misfits import rank_weighed
from lacuna.filling.masses.other_length import length_by_masses
from lacuna.filling.residues import up_to
from lacuna.filling.search.decode import Ranking, rank_plain
from lacuna.filling.search.rivals import with_rivals
from lacuna.filling.search.stages import stages_of
from lacuna.scaffolds.residue_masses import MassRules, Modifications, mass_rules
from lacuna.scaffolds.scaffold import Gap, Scaffold

RANKED_TOGETHER = 1024  # gaps; fewer if their candidates have more letters than
MAX_LETTERS = 5_000_000


class RankedGap(NamedTuple):
    """A gap with its candidates; said: of its masses, in words, '' for nothing."""

    gap: BlockGap
    ranking: Ranking
    said: str

    @property
    def chain(self) -> str:
        """The name of its chain."""
        return self.gap.chain.scaffold.chain


class _ByIntactMass(NamedTuple):
    """What the intact mass of its chain makes of a gap without a mass.

    ranking: None if no sequences of all such gaps meet it; error: that it may have, in words, ''
    for none.
    """

    ranking: Ranking | None
    error: str


def rank_gaps(
    known: Sequence[BlockGap],
    probabilities: np.ndarray,
    candidates: int,
    modifications: Modifications,
) -> Iterator[RankedGap]:
    """Yield every gap of `known` length with its ranking; those without a mass are batched, and
    come last."""
    plain: dict[int, list[tuple[BlockGap, str]]] = {}  # by length, with what is said of each
    by_intact_mass = _by_intact_masses(known, probabilities, candidates, modifications)
    for gap in known:
        of_gap = probabilities[gap.among_missing]
        rules = mass_rules(gap.chain.scaffold, gap.given, modifications)
        whole, error = by_intact_mass.get(gap.rows.start, (None, ""))
        found = _by_own_mass(of_gap, candidates, gap.given, rules, must_count=whole is not None)
        if found is None and whole is not None:
            found = whole, error
        if found is not None:
            ranking, said = found
            yield RankedGap(gap, with_rivals(ranking, gap.given, candidates), said)
        else:
            unmet = MassDoubt.UNMET if gap.rows.start in by_intact_mass else ""
            said = "; ".join(filter(None, (unmet, error)))
            plain.setdefault(len(gap.rows), []).append((gap, said))
    for gaps in plain.values():
        yield from _by_residues(gaps, probabilities, candidates)


def _by_residues(
    gaps: Sequence[tuple[BlockGap, str]], probabilities: np.ndarray, candidates: int
) -> Iterator[RankedGap]:
    """Yield gaps of one length, ranked by the distributions of their residues alone; gaps: each
    with what is said of it."""
    length = len(gaps[0][0].rows)
    together = max(min(MAX_LETTERS // (candidates * length), RANKED_TOGETHER), 1)
    for i in range(0, len(gaps), together):
        some = gaps[i : i + together]
        of_gaps = np.stack([up_to(g.given.most, probabilities[g.among_missing]) for g, _ in some])
        for (gap, said), ranking in zip(some, rank_plain(of_gaps, candidates), strict=True):
            yield RankedGap(gap, with_rivals(ranking, gap.given, candidates), said)


def _by_own_mass(
    of_gap: np.ndarray, candidates: int, given: Gap, rules: MassRules, *, must_count: bool
) -> tuple[Ranking, str] | None:
    """The ranking of a gap within its masses, or those that spectra show of it, and what is to be
    said of them; None for a gap without any.

    of_gap: distributions (length, 20); must_count: None, too, if no mass that spectra alone show is
    probable enough to count, since the gap can be ranked by an intact mass instead.
    """
    stages, spectra = stages_of(given), given.spectra
    other = ""
    if stages is not None:
        if too_large(given):
            return Ranking((), of_gap), ""
        ranking, said = rank_weighed(of_gap, candidates, stages, rules, given.mass_error)
        if given.length_given:
            other = length_by_masses(of_gap, ranking, stages, rules)
        if spectra is not None and given.measured is not None:
            ranking, of_spectra = with_shown_masses(
                ranking, of_gap, candidates, given.measured, spectra, rules
            )
            said = "; ".join(filter(None, (said, of_spectra)))
    elif spectra is not None:
        ranking, said = rank_by_spectra(of_gap, candidates, spectra, rules)
        if must_count and not said:
            return None
        if said and given.length_given:
            other = length_by_spectra(of_gap, spectra, rules)
    else:
        return None
    return ranking, "; ".join(filter(None, (said, other)))


def _by_intact_masses(
    known: Sequence[BlockGap],
    probabilities: np.ndarray,
    candidates: int,
    modifications: Modifications,
) -> dict[int, _ByIntactMass]:
    """What intact masses make of the gaps without a mass in their chains, by the first row of
    each."""
    found: dict[int, _ByIntactMass] = {}
    for scaffold, of_chain in groupby(known, lambda gap: gap.chain.scaffold):
        numbers = unweighed(scaffold)
        if not numbers or not all(gap.fixed for gap in numbers.values()):
            continue
        gaps = [gap for gap in of_chain if gap.number - 1 in numbers]
        if not gaps:  # all without residues
            continue
        rows = [probabilities[gap.among_missing] for gap in gaps]
        end = likely_end(scaffold, gaps[-1].given, rows[-1])
        rules = intact_rules(scaffold, modifications, end)
        rankings = _within_intact_mass(scaffold, rows, candidates, rules)
        error = likely_intact_error(scaffold, np.concatenate(rows), rules)
        for gap, ranking in zip_longest(gaps, rankings):
            found[gap.rows.start] = _ByIntactMass(ranking, error)
    return found


def _within_intact_mass(
    scaffold: Scaffold, rows: Sequence[np.ndarray], candidates: int, rules: MassRules
) -> list[Ranking]:
    """Rankings of the gaps without a mass of a chain, distributions (length, 20) each; none if no
    sequences meet its intact mass."""
    left = left_with_errors(scaffold, np.concatenate(rows), rules.forms)
    if left is None:
        return []
    ranked = max(candidates, SEQUENCES_MIXED)
    within, share = rank_by_chain_mass(rows, ranked, left, rules)
    if share < LEAST_OF_MASS:
        return []
    plain = [next(rank_plain(of_gap[None], ranked)) for of_gap in rows]
    return [
        mixed(of_gap, candidates, [(one, share)], without)
        for of_gap, one, without in zip(rows, within, plain, strict=True)
    ]
