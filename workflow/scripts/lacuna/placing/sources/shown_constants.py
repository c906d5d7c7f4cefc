"""Which constant regions of a locus reads show.

An IgG1 and an IgG4 differ at a dozen places. In a mixture reads show both at each of these. In a
single antibody they show one, even where it is a hybrid of two genes or its allele is not known.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cache

import numpy as np

from lacuna.antibody.constant_region import constant_tokens
from lacuna.antibody.germlines import constants
from lacuna.core.alphabet import ABSENT, RESIDUES, TOKEN, merge_il
from lacuna.placing.aligning.readset import MISTAKEN
from lacuna.placing.aligning.seeds import known_words
from lacuna.placing.sources.segments import WORD

SEEN_WEIGHT = 1.0  # mean weight of the words of a place from which reads show it
LEAST_SHARE = 0.08  # of the words at a place, of a constant region that is there
SHARED_PLACES = 2  # at which reads show both of two constant regions
AGREEING_SHARE = 0.4  # share of the places that reads show, at which they show both
UNSEEN_COST = 0.3  # words that one which is not seen counts against a constant region
# The same of two constant regions that differ at a single place.
SEEN_ALONE, SHARE_ALONE = 5.0, 0.15
_ALIKE = dict(MISTAKEN)
_MERGED = np.append([TOKEN[_ALIKE.get(r, r)] for r in RESIDUES], [ABSENT] * 236)

Place = tuple[tuple[int, int], tuple[int, int]]


def shown_constants(weights: np.ndarray, first: int) -> list[tuple[int, float]]:
    """The constant regions (rows of `constants()`) that reads show, each with its share.

    weights (20 ** WORD,): how often reads hold each word; first: the one that they show most of.
    Others are of its locus and species.
    """
    every = constants()
    kind = every[first].locus, every[first].species
    same = [c for c, one in enumerate(every) if (one.locus, one.species) == kind]
    found = {first: 1.0}
    while True:
        left = weights.copy()
        for c in found:
            left[known_words(merge_il(constant_tokens()[c]), WORD)] = 0.0
        rivals = []
        for c in same:
            if c not in found:
                compared = [_compared(weights, left, own, c) for own in found]
                if all(ratio is not None for ratio in compared):
                    own = left[known_words(merge_il(constant_tokens()[c]), WORD)]
                    read = float(np.where(own >= SEEN_WEIGHT, 1.0, -UNSEEN_COST).sum())
                    rivals.append((read, -c, compared[0] or 0.0))  # of equal ones the first
        if not rivals:
            total = sum(found.values())
            return [(c, share / total) for c, share in found.items()]
        _, number, ratio = max(rivals)
        found[-number] = ratio


def _compared(weights: np.ndarray, left: np.ndarray, own: int, other: int) -> float | None:
    """How common the second of two constant regions is per first, None if reads do not show both.

    left: weights without those of the words of all that were found before.
    """
    seen, ratios = 0, []
    pair = [merge_il(constant_tokens()[c]) for c in (own, other)]
    places = _telling_places(*pair)
    for place in places:
        one, two = (
            _mean(table, tokens, span)
            for table, tokens, span in zip((weights, left), pair, place, strict=True)
        )
        if one is None or two is None or max(one, two) < SEEN_WEIGHT:
            continue
        seen += 1
        alone = len(places) == 1
        enough = SEEN_ALONE if alone else SEEN_WEIGHT
        share = SHARE_ALONE if alone else LEAST_SHARE
        if min(one, two) >= max(enough, share * (one + two)):
            ratios.append(two / one)
    if (
        len(ratios) < min(SHARED_PLACES, len(places))
        or not ratios
        or len(ratios) < AGREEING_SHARE * seen
    ):
        return None
    return float(np.median(ratios))


def _mean(weights: np.ndarray, tokens: np.ndarray, span: tuple[int, int]) -> float | None:
    """The mean weight of the words over a stretch, None if there are none."""
    own = known_words(tokens[max(span[0] - WORD + 1, 0) : span[1] + WORD - 1], WORD)
    return float(weights[own].mean()) if len(own) else None


def _telling_places(one: np.ndarray, other: np.ndarray) -> list[Place]:
    """Where two chains (tokens, L for I) differ, those left out at which one is easily read for the
    other."""
    return [
        (a, b)
        for a, b in blocks_of(one, other)
        if not np.array_equal(_MERGED[one[slice(*a)]], _MERGED[other[slice(*b)]])
    ]


def blocks_of(one: np.ndarray, other: np.ndarray) -> list[Place]:
    """Start and stop in two chains of each block in which they differ, with WORD equal residues or
    more between two blocks."""
    return list(_blocks(one.tobytes(), other.tobytes()))


@cache
def _blocks(one: bytes, other: bytes) -> tuple[Place, ...]:
    found: list[Place] = []
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            continue
        if found and i - found[-1][0][1] < WORD:
            (i, _), (k, _) = found.pop()
        found.append(((i, j), (k, m)))
    return tuple(found)


def of_other(tokens: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(t,) for each residue (L for I) that of another chain, I and L apart, at its place; ABSENT
    where the lengths differ."""
    found = tokens.copy()
    for (i, j), (k, m) in blocks_of(tokens, merge_il(other)):
        found[i:j] = other[k:m] if j - i == m - k else ABSENT
    return found


def names_of(found: Sequence[int]) -> list[str]:
    """Genes of constant regions, with the allele if two are of one gene."""
    genes = [constants()[c].name.split("*")[0] for c in found]
    return [
        constants()[c].name if genes.count(gene) > 1 else gene
        for c, gene in zip(found, genes, strict=True)
    ]
