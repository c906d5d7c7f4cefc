"""Lengths of gaps, as they were given, that the templates of their chain do not fit.

A gap of five residues that is given as six moves everything behind it by one. The numbering then
leaves a germline column empty or puts a residue where germline has none, in or beside the gap, or
residues beside it differ from their template. If any of this is so, the chain is read with
longer or shorter gaps too, as for a gap of unknown length (`unknown.py`). The gap keeps the length
that was given, and one that is far more probable is noted. Nothing can be said of a gap at an end
of a chain, and little of one in CDR3, whose length varies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.antibody.imgt import CONSTANT
from lacuna.core.alphabet import MISSING_LETTER
from lacuna.filling.block import columns_of
from lacuna.filling.lengths.scores import shares_of_lengths
from lacuna.filling.reader import Reader, mean_surest, places_of, together
from lacuna.filling.template_fit import Misfits, TemplateFits, fits_as_given, part_of, template_fits
from lacuna.network.kmers import KmerSet
from lacuna.scaffolds.resizing import variants_of
from lacuna.scaffolds.scaffold import Gap, Scaffold

MOST_OFF = 2  # residues by which other lengths differ from the one given
MOST_OFF_IN_C = 6  # the same within a constant region, which hardly varies
BESIDE_RESIDUES = 8  # residues on either side of a gap that are compared with germline
DIFFERING_RESIDUES = 6  # of these differ if the gap is suspicious
# Probability of the length given, among those tried, below which another is noted. Of 1,394 gaps of
# 3 to 15 residues outside of CDR3 four were noted, and half of them if given one or two residues
# too short or too long (tests/benchmarks/given_lengths.py).
LEAST_OF_GIVEN = 0.003
LONGEST_CHAIN = 1_000  # residues of a chain whose gaps are looked at
MOST_GAPS = 5  # of a chain; in one with more, such as single residues all over, none is


@dataclass(frozen=True, slots=True)
class _Trial:
    """Chain number `chain` with other lengths of its gap `number`, and the length as given."""

    chain: int
    number: int
    lengths: range
    variants: list[Scaffold]
    given: int


def note_better_lengths(
    given: Sequence[Scaffold], chains: Sequence[Scaffold], kmers: KmerSet, reader: Reader
) -> list[Scaffold]:
    """The chains, in order, with `better_length` of gaps whose length, as given, fits far worse.

    given: the chains before lengths were found; kmers: those of the chains.
    """
    found: dict[tuple[int, int], int] = {}
    for batch in together(_trials(given, chains, kmers)):
        found |= _better(batch, reader)
    changed = list(chains)
    for (i, number), length in found.items():
        gaps = list(changed[i].gaps)
        gaps[number] = replace(gaps[number], better_length=length)
        changed[i] = replace(changed[i], gaps=tuple(gaps))
    return changed


def _trials(
    given: Sequence[Scaffold], chains: Sequence[Scaffold], kmers: KmerSet
) -> Iterator[_Trial]:
    """Yield every gap that is suspicious at the length given."""
    asked: dict[int, list[int]] = {}
    of_chains = kmers.parts_of_chains()
    for i, (before, chain) in enumerate(zip(given, chains, strict=True)):
        numbers = [
            number
            for number, gap in enumerate(chain.gaps)
            if before.gaps[number].fixed
            and _is_plain(chain, gap)
            and of_chains[i][part_of(of_chains[i], gap)].v >= 0
        ]
        if 0 < len(numbers) <= MOST_GAPS and len(chain.sequence) <= LONGEST_CHAIN:
            asked[i] = numbers
    if not asked:
        return
    as_given = fits_as_given(chains, kmers, list(asked))
    columns = columns_of(chains, kmers)
    for (i, numbers), (differ, misfits) in zip(asked.items(), as_given, strict=True):
        for number in numbers:
            gap = chains[i].gaps[number]
            within_c = columns[i][gap.start - 1] == columns[i][gap.end] == CONSTANT
            lengths = _lengths(gap, differ, misfits, MOST_OFF_IN_C if within_c else MOST_OFF)
            if len(lengths) > 1:
                yield _trial(i, number, chains[i], lengths)


def _lengths(gap: Gap, differ: np.ndarray, misfits: Misfits, span: int) -> range:
    """The lengths that are tried of a gap, `span` residues off at most: of one that is not
    suspicious the one given.

    Shorter ones if there is a residue too many in or beside it, longer ones if one is missing, both
    if many residues on one side differ from their template: (length,) bool.
    """
    length = gap.size
    before = slice(max(gap.start - BESIDE_RESIDUES, 0), gap.start)
    after = slice(gap.end, gap.end + BESIDE_RESIDUES)
    both = max(int(differ[side].sum()) for side in (before, after)) >= DIFFERING_RESIDUES
    near = slice(before.start, after.stop)
    fewer = span if both or misfits.extra[near].any() else 0
    more = span if both or misfits.missing[near].any() else 0
    return range(max(length - fewer, 1), length + more + 1)


def _trial(i: int, number: int, chain: Scaffold, lengths: range) -> _Trial:
    """A gap of chain number i with all lengths that are tried."""
    gap = chain.gaps[number]
    opened = replace(gap, min_length=0, max_length=None)
    gaps = (*chain.gaps[:number], opened, *chain.gaps[number + 1 :])
    chain = replace(chain, gaps=gaps, modifications=(), evidence=())
    variants = variants_of(chain, [None] * len(gaps), number, lengths)
    return _Trial(i, number, lengths, variants, gap.size)


def _is_plain(chain: Scaffold, gap: Gap) -> bool:
    """Whether a gap has missing residues alone, no mass, and observed residues on both sides."""
    return (
        0 < gap.start < gap.end < len(chain.sequence)
        and not chain.sequence[gap.start : gap.end].strip(MISSING_LETTER)
        and not gap.weighed
        and gap.most == 1
    )


def _better(trials: Sequence[_Trial], reader: Reader) -> dict[tuple[int, int], int]:
    """By chain and gap a length that is far more probable than the one given."""
    variants = [(variant, trial.number) for trial in trials for variant in trial.variants]
    kmers = reader.encoder.encode([variant for variant, _ in variants])
    fits = template_fits(variants, kmers)
    distributions = reader.read_gaps(variants, kmers, np.ones(len(variants), dtype=bool))
    found = {}
    for trial, where in zip(trials, places_of(trials), strict=True):
        length = _better_of(trial, fits.part(where), distributions[where])
        if length is not None:
            found[trial.chain, trial.number] = length
    return found


def _better_of(
    trial: _Trial, fits: TemplateFits, distributions: Sequence[np.ndarray]
) -> int | None:
    """A length that is far more probable than the one given, and fits germline; None for none."""
    sure = {i: mean_surest(distribution) for i, distribution in enumerate(distributions)}
    shares = shares_of_lengths(fits.total, fits.cdr3, sure)
    best = int(np.argmax(shares))
    if shares[trial.lengths.index(trial.given)] >= LEAST_OF_GIVEN or fits.misfits[best]:
        return None
    return trial.lengths[best]
