"""What became of a gap: `filled`, or why it stays open, and anything else to know of it."""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from lacuna.core.alphabet import AMBIGUOUS, MISSING_LETTER, RESIDUES, encode
from lacuna.core.tables import NOTHING_OBSERVED, OF_ALL_MASSES, MassDoubt
from lacuna.core.words import plural
from lacuna.filling.block import MAX_WARNINGS, BlockGap, too_large
from lacuna.filling.masses.misfits import at_odds, at_odds_with_letters, in_words
from lacuna.filling.masses.weighing import contradiction
from lacuna.filling.rank_gaps import RankedGap
from lacuna.filling.search.decode import Candidate, Ranking
from lacuna.filling.search.stages import allowed_lengths, stages_of
from lacuna.scaffolds.alkylation import READINGS, reading_of, written_on
from lacuna.scaffolds.residue_masses import (
    MAX_MASS,
    MAX_RESIDUES,
    PYROGLUTAMATE,
    MassRules,
    Modifications,
    mass_rules,
    may_weigh,
    usual_in,
)
from lacuna.scaffolds.scaffold import Gap, Measured

SAME_MASS = 1e-3  # Da, of sums of the same masses
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GapResult:
    """What a gap was filled with.

    candidates: best first, none if the gap stays open; status: of the gap, and so of the first;
    without_template: whether it was filled although nothing like it is known.
    """

    candidates: Sequence[Candidate]
    status: str
    without_template: bool = False


def result_of(
    ranked: RankedGap,
    modifications: Modifications,
    *,
    doubt: str,
    convention: str,
    of_germlines: str,
    untemplated: np.ndarray,
) -> GapResult:
    """What a gap of known length was filled with: `filled` or why it stays open, with anything else
    to know of it in brackets.

    doubt: what contradicts the mass of C; convention: an error that all masses of the sample share;
    of_germlines: a note on them; each '' for nothing. untemplated: (length,) bool, whether a
    residue has no template.
    """
    gap, ranking = ranked.gap, ranked.ranking
    lacking = int(untemplated.sum()) if ranking.candidates else 0
    no_template = lacking == len(untemplated)
    if too_large(gap.given):
        status = _too_large_status()
    else:
        status = "filled" if ranking.candidates else "no_sequence_fits_mass"
        notes = _notes_of_ranking(ranked, no_template, doubt)
        status = reduce(with_note, notes, status)
    if convention and gap.given.mass is not None:
        status = with_convention(status, convention)
    further = (
        letters_at_odds(gap, modifications),
        length_at_odds(gap.given),
        read_otherwise(gap),
        pyroglutamate_of(gap, ranking, modifications),
        modified_of(gap, ranking, modifications),
        partly_without_template(lacking, len(untemplated)),
        of_germlines if ranking.candidates and not gap.ambiguity else "",
    )
    status = reduce(with_note, filter(None, further), status)
    return GapResult(ranking.candidates, status, no_template)


def _notes_of_ranking(ranked: RankedGap, no_template: bool, doubt: str) -> Iterator[str]:
    """Yield what is to be known of the candidates of a gap and of its masses; no_template: whether
    none of its residues has one; doubt: as in `result_of`."""
    given, ranking = ranked.gap.given, ranked.ranking
    if ranking.candidates:
        if no_template:
            yield "no template"
        if ranking.bound > ranking.candidates[0].probability:
            yield f"not proven best: another may have up to {ranking.bound:.1g}"
        if given.untried:
            yield "not all possible lengths were tried"
        if note := length_by_mass(given):
            yield note
    if given.unmet is not None:
        yield f"{MassDoubt.OF_READS}, {given.unmet:.4f} Da"
    if ranked.said:
        yield ranked.said
    if doubt:
        yield f"{MassDoubt.CONTRADICTS}: {doubt}"


def length_by_mass(given: Gap) -> str:
    """The length of a gap that the intact mass of its chain changed, in words; '' for none."""
    if given.length_without_mass is None:
        return ""
    n = plural(given.size, "residue")
    return f"{n} by the intact mass, without it {given.length_without_mass}"


def with_note(status: str, note: str) -> str:
    """The status of a filled gap with one more note in its brackets, unless it has that."""
    if note in status:
        return status
    return f"{status[:-1]}; {note})" if status.endswith(")") else f"{status} ({note})"


def with_convention(status: str, convention: str) -> str:
    """The status of a gap in a sample whose masses share an error, in words."""
    own = f"{MassDoubt.FITS_BETTER} {convention}"
    for said in (own, f"fits at {convention}"):  # of a gap that is filled, or stays open
        if said in status:
            return status.replace(said, f"{said} {OF_ALL_MASSES}")
    return with_note(status, f"{own} {OF_ALL_MASSES}")


def _too_large_status() -> str:
    return f"mass_too_large (decoded are up to {MAX_RESIDUES} residues or {MAX_MASS:.0f} Da)"


def without_residues(gap: BlockGap, modifications: Modifications) -> GapResult:
    """Candidates and status of a gap without predictions."""
    given, sequence = gap.given, gap.chain.scaffold.sequence
    if given.fixed and given.start == given.end:
        probability = min(given.most, given.length_probability)
        note = length_by_mass(given)
        status = with_note("filled", note) if note else "filled"
        return GapResult((Candidate("", probability, 0.0),), status)
    if too_large(given):
        return GapResult((), _too_large_status())
    if not sequence.strip("".join((MISSING_LETTER, *AMBIGUOUS))):
        return GapResult((), NOTHING_OBSERVED)
    named = ""
    if given.pieces and (stages := stages_of(given)) is not None:
        rules = mass_rules(gap.chain.scaffold, given, modifications)
        named = in_words(
            *at_odds(stages, lambda some: 0.0 if allowed_lengths(given, some, rules) else -math.inf)
        )
    return GapResult((), f"no_length_fits_mass ({named})" if named else "no_length_fits_mass")


def contradiction_of(
    gap: BlockGap, ranking: Ranking, distribution: np.ndarray, modifications: Modifications
) -> str:
    """What contradicts the sample's state of C, in the mass of a gap or in its chain.

    '' if nothing does, or if the gap has no mass.
    """
    scaffold, given = gap.chain.scaffold, gap.given
    stages = stages_of(given)
    if stages is None:
        return ""
    holding = {reading_of(carried) for carried, _ in modifications.cysteine}
    for position, name in written_on(scaffold):
        if name not in holding:
            return f"C {position + 1} of the chain is written as {READINGS[name].words}"
    if too_large(given):
        return ""
    rules = mass_rules(scaffold, given, modifications)
    better = contradiction(distribution, stages.without_spectra(), rules, ranking.mass_probability)
    return f"fits far better with {READINGS[better].words} C" if better else ""


def against_spectra(gap: BlockGap, ranking: Ranking, shown: str) -> str:
    """What spectra show against the state of C, in words, if it matters to a gap; or ''.

    It does if spectra give the mass of the gap, or if it has a mass and is filled with a C.
    """
    given = gap.given
    by_spectra = given.spectra is not None and given.spectra.mass is not None
    with_c = bool(ranking.candidates) and "C" in ranking.candidates[0].sequence
    return shown if by_spectra or given.weighed and with_c else ""


def letters_at_odds(gap: BlockGap, modifications: Modifications) -> str:
    """That the letters given for a gap, under its row or as truth, do not have its mass; or ''."""
    given = gap.given
    known = given.truth is not None and set(given.truth) <= set(RESIDUES)
    if not known or not given.truth or given.mass is None or too_large(given):
        return ""
    stages = stages_of(given)
    rules = mass_rules(gap.chain.scaffold, given, modifications)
    return "" if stages is None else at_odds_with_letters(given.truth, stages, rules)


def pyroglutamate_of(gap: BlockGap, ranking: Ranking, modifications: Modifications) -> str:
    """That a gap at the start of its chain has its mass with pyroglutamate, if that was not
    allowed; or ''."""
    given, best = gap.given, ranking.candidates[0] if ranking.candidates else None
    weighed = given.mass is not None or given.spectra is not None
    if best is None or not weighed or given.start or modifications.pyroglutamate:
        return ""
    if best.sequence[:1] not in PYROGLUTAMATE:
        return ""
    rules = mass_rules(gap.chain.scaffold, given, modifications)
    needed = _needs(best, rules, replace(rules, starts_chain=False))
    return f"its {best.sequence[0]} 1 as pyroglutamate" if needed else ""


def modified_of(gap: BlockGap, ranking: Ranking, modifications: Modifications) -> str:
    """That residues of a gap have the mass that spectra show with what is usual on one of them, and
    not without; or ''."""
    given, best = gap.given, ranking.candidates[0] if ranking.candidates else None
    if best is None or given.spectra is None or given.mass is not None:
        return ""
    rules = mass_rules(gap.chain.scaffold, given, modifications)
    plain = replace(rules, modifications=replace(rules.modifications, usual=False))
    if not _needs(best, rules, plain):
        return ""
    found = [
        f"{residue} as {usual.word}"
        for residue, usual in usual_in(rules.modifications).items()
        if residue in best.sequence and _may_have(best, best.mass - usual.mass, plain)
    ]
    return f"its {' or '.join(found)}" if found else "several of its residues modified"


def _needs(candidate: Candidate, rules: MassRules, less: MassRules) -> bool:
    """Whether a candidate can have its mass by rules that allow some modification, and not by those
    that allow less. One without the mass that spectra show has that of its bare residues, which may
    be neither."""
    of_rules, of_less = (_may_have(candidate, candidate.mass, each) for each in (rules, less))
    return of_rules and not of_less


def _may_have(candidate: Candidate, mass: float, rules: MassRules) -> bool:
    tokens = encode(candidate.sequence.replace("I", "L"))
    return may_weigh(tokens, Measured(mass, SAME_MASS), rules)


def partly_without_template(lacking: int, residues: int) -> str:
    """That some of the residues of a filled gap have no template; '' if none or all have none."""
    return f"no template for {lacking} of {residues} residues" if 0 < lacking < residues else ""


def length_at_odds(given: Gap) -> str:
    """That another length than the one given is far more probable; '' if none is."""
    if given.better_length is None:
        return ""
    shown = given.size
    return f"{plural(shown, 'residue')} given; {MassDoubt.LENGTH} {given.better_length}"


def read_otherwise(gap: BlockGap) -> str:
    """That reads show another number of residues than the one given, '' if they do not."""
    inside = range(gap.given.start, gap.given.end if gap.given.fixed else gap.given.start)
    shown = any(e.spread and e.position in inside for e in gap.chain.scaffold.evidence)
    return MassDoubt.LENGTH_OF_READS if shown else ""


def warn(doubts: Sequence[tuple[BlockGap, str]]) -> None:
    """Log the gaps that contradict the mass of C."""
    for gap, doubt in doubts[:MAX_WARNINGS]:
        chain = gap.chain.scaffold.chain
        LOG.warning("gap %d of '%s' contradicts the mass of C: %s", gap.number, chain, doubt)
    if len(doubts) > MAX_WARNINGS:
        LOG.warning("%d gaps contradict the mass of C; see gaps.tsv", len(doubts))
