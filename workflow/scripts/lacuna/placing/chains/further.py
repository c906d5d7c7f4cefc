"""Chains besides the first ones, of a second antibody or of carry-over.

The words of reads that no chain has are looked up in V segments. A V segment with enough of them is
the start of another chain. In a serum there are ever more of these.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lacuna.antibody.germlines import SPECIES, v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, RESIDUES, merge_il
from lacuna.placing.aligning.readset import MISTAKEN
from lacuna.placing.aligning.seeds import known_words, word_weights, words
from lacuna.placing.chains.contradicting import contradicting
from lacuna.placing.chains.parting import divided, with_residues_of
from lacuna.placing.sources.segments import (
    SECOND_V,
    SURELY_SEEN,
    WORD,
    BestSegments,
    Scores,
    best_of_loci,
    has_own_c,
    is_of_another,
    is_vhh,
    score_segments,
    species_of,
    species_of_c,
)
from lacuna.placing.votes.draft import Draft, draft_of
from lacuna.placing.votes.placement import Assembly, place_on_text, text_of

ANOTHER_WORDS = 14.0  # words of a V segment in reads that no chain has
# The same of words that are common in the reads: a chain that is rare, as carry-over is, has fewer
# of these, and one that is not may be of a gene that is there already.
COMMON_WORDS = 8.0
OWN_WORDS = 3.0  # of them that are not words of a chain in which K is read for Q, or D for N
COMMON_SHARE = 0.3  # of the weight that words of a chain of the locus usually have
MANY_READS = 5.0  # such a weight, below which reads are too few to say what is common
ONE_READ = 1.0  # that of one: a chain with less may not be there, and tells nothing of another
# Of the V segment, at which these words lie: a mutated or a grafted loop may be like another gene,
# but not everywhere. More are asked for if reads are too few: mixtures of three antibodies show
# which chains are missed (tests/benchmarks/read_panel.py --mixed 3), antibodies by themselves (the
# same without --mixed) which are not there.
PLACES, PLACES_IF_FEW = 2, 3
# Words of a V segment in reads that no chain has, from which it is asked what its germline would
# explain better than the chains do; a chain is missing if that is this share of the nats of all
# reads, over so many residues. Mixtures of two VHHs show which are found
# (tests/benchmarks/read_panel.py --mixed 2 --digests deep).
HIDDEN_WORDS = 4.0
HIDDEN_SHARE = 0.012
HIDDEN_RESIDUES = 40
# Of the weight of reads on the V domains of a locus, the share of those that contradict them; where
# a chain is missing from a mixture it is 0.021 and more, in real samples of which none is missing
# 0.008 at most (known proteins, alone and mixed), and 0 in simulated antibodies alone. And at how
# many places: a tool may misread a modified peptide again and again.
CONTRADICTING, CONTRADICTED = 0.02, 2
MOST_SEGMENTS = 8  # V segments of each species that are tried
PEPTIDE_LENGTH = 20  # residues over which reads gain by one of them: more than by a like run
MAX_OF_LOCUS = 4  # chains of a locus
FEWEST_READS = 4  # over a residue from which it counts
_EXCHANGES = [tuple(map(RESIDUES.index, way)) for pair in MISTAKEN for way in (pair, pair[::-1])]


def further_drafts(assembly: Assembly, species: str, use: np.ndarray) -> list[Draft]:
    """Germline chains of V segments that reads hold and no chain explains; if there are none,
    chains that were built as one with another."""
    drafts = assembly.drafts
    weights = word_weights(assembly.reads, WORD)
    left = without_words(weights, drafts)
    scores = score_segments(left)
    known = {_gene(d.v) for d in drafts}
    found = [
        one
        for one in best_of_loci(scores, species, use)
        if one.v_seen >= ANOTHER_WORDS and _gene(one.v) not in known
    ]
    usual = {
        locus: _usual_weight(weights, [d for d in drafts if d.locus == locus])
        for locus in sorted({d.locus for d in drafts})
    }
    rest = sorted({locus for locus, w in usual.items() if w >= ONE_READ} - {x.locus for x in found})
    for locus in rest:
        found += _by_common_words(left, locus, usual[locus], species, use, drafts)
    more = _germline(found, drafts)
    if more or not assembly.reads.least:
        return more
    asked = {(d.locus, SPECIES[species_of(d.v)]) for d in drafts if usual[d.locus] >= MANY_READS}
    hidden = [
        one
        for locus, its_species in sorted(asked)
        for one in best_of_loci(scores, its_species, use, [locus])
        if one.v_seen >= HIDDEN_WORDS
    ]
    more = [d for d in _germline(hidden, drafts) if _is_hidden(assembly, d)]
    return more or divided(assembly) or _of_contradicting(assembly, scores, use)


def _by_common_words(
    left: np.ndarray,
    locus: str,
    usual: float,
    species: str,
    use: np.ndarray,
    drafts: Sequence[Draft],
) -> list[BestSegments]:
    """The best segments of a locus, if words that no chain (drafts) has are as common as those of
    its chains at enough places of the V segment, and some are not those of a chain misread.

    left (20 ** WORD,): how often reads hold each such word; usual: how often those of a chain.
    """
    common = left * SURELY_SEEN / max(COMMON_SHARE * usual, SURELY_SEEN)
    (one,) = best_of_loci(score_segments(common), species, use, [locus])
    places = PLACES if usual >= MANY_READS else PLACES_IF_FEW
    is_there = one.v_seen >= COMMON_WORDS and count_places(common, one.v) >= places
    if is_there and score_segments(_without_misread(common, drafts)).v[one.v] >= OWN_WORDS:
        return [one]
    return []


def of_two_species(
    one: BestSegments, weights: np.ndarray, use: np.ndarray, *, with_light: bool
) -> tuple[BestSegments, ...]:
    """Two chains of a locus if reads hold the constant regions of two species, or one.

    one: its best segments, of any species; weights (20 ** WORD,): how often reads hold each word;
    with_light: whether reads hold a light chain, which a VHH on an Fc does not have.
    """
    left = score_segments(without_words(weights, [draft_of(one.locus, one.v, one.j, one.c)]))

    def best_of(species: str) -> BestSegments:
        return best_of_loci(left, species, use, [one.locus])[0]

    of_v, of_c = (best_of(SPECIES[i]) for i in (species_of(one.v), species_of_c(one.c)))
    if species_of(one.v) == species_of_c(one.c):
        found = [x for x in map(best_of, SPECIES) if is_of_another(x, of_c)]
        second = max(found, key=lambda x: x.c_seen, default=None)
        return (one,) if second is None else (one, second)
    first = replace(one, c=of_v.c, c_seen=of_v.c_seen, c_share=of_v.c_share)
    second = replace(of_c, c=one.c, c_seen=one.c_seen, c_share=one.c_share)
    if is_of_another(first, of_c):
        return (first, second)
    if has_own_c(first) and has_own_c(second) and second.v_seen >= SECOND_V:
        return (first, second)
    if with_light and is_vhh(one.v) and has_own_c(second) and second.v_seen >= SECOND_V:
        # The light chain is that of the heavy one whose constant region this is. The VHH has none,
        # but a few antibodies are VHHs with a light chain, as netakimab.
        return (replace(first, c_seen=0.0), second)
    return (one,)


def _germline(found: Sequence[BestSegments], drafts: Sequence[Draft]) -> list[Draft]:
    """Germline chains of segments, of loci that have no more than enough of them."""
    more: list[Draft] = []
    for one in found:
        of_locus = [d for d in (*drafts, *more) if d.locus == one.locus]
        if len(of_locus) < MAX_OF_LOCUS:
            # Its constant region is most likely the one that is there, unless reads hold words of
            # one of its species that no chain has.
            c = one.c if has_own_c(one) else next((d.c for d in of_locus if d.c >= 0), -1)
            more.append(draft_of(one.locus, one.v, one.j, c))
    return more


def _is_hidden(assembly: Assembly, germline: Draft) -> bool:
    """Whether reads are of a chain of this germline that was built as one with another.

    Two chains of a gene that are mutated alike have few words of it. Where the one that was built
    follows the first, reads of the second fit germline better.
    """
    share, residues = _gain(assembly, germline)
    return share >= HIDDEN_SHARE and residues >= HIDDEN_RESIDUES


def _gain(assembly: Assembly, draft: Draft) -> tuple[float, int]:
    """The nats that reads gain by another V segment, as a share of those of all reads, and the
    number of its residues over which they do."""
    reads = assembly.reads
    now = assembly.placements.best(len(reads))
    alone = place_on_text(reads, text_of([draft.tokens[draft.before_cdr3]]))
    gain = np.maximum(alone.best(len(reads)) - now, 0.0)
    better = alone.alignment.take(np.flatnonzero(gain[alone.alignment.read] > 0.0))
    begin, end = (np.bincount(x, minlength=len(draft) + 1) for x in better.span.T)
    residues = int((np.cumsum(begin - end) >= FEWEST_READS).sum())
    return float(gain @ reads.weight / max(float(now @ reads.weight), 1.0)), residues


def _of_contradicting(assembly: Assembly, scores: Scores, use: np.ndarray) -> list[Draft]:
    """A chain of each locus of which many reads contradict the others: that of the germline segment
    that explains most, if it explains one peptide at least, or else one of the others with what
    these reads show instead.

    scores: words of segments in reads that no chain has.
    """
    drafts, found = assembly.drafts, []
    for locus in sorted({d.locus for d in drafts}):
        of_locus = [i for i, d in enumerate(drafts) if d.locus == locus]
        reads = contradicting(assembly, locus)
        many = reads.share >= CONTRADICTING and reads.places >= CONTRADICTED
        if not many or len(of_locus) >= MAX_OF_LOCUS:
            continue
        its_species = sorted({SPECIES[species_of(drafts[i].v)] for i in of_locus})
        likely = [x for species in its_species for x in _likely(scores, species, use, locus)]
        germline = [d for x in likely for d in _germline([x], drafts)]
        tried = [(d, *_gain(assembly, d)) for d in germline]
        tried = [x for x in tried if x[2] >= PEPTIDE_LENGTH]
        if not tried:
            changed = [with_residues_of(assembly, i, reads.rows).without_cdr3() for i in of_locus]
            tried = [(d, *_gain(assembly, d)) for d in changed]
        best, gain, _ = max(tried, key=lambda x: x[1])
        if gain > 0.0:  # else it would be one of the others again
            found.append(best)
    return found


def _likely(scores: Scores, species: str, use: np.ndarray, locus: str) -> list[BestSegments]:
    """The best segments of a locus, by different V segments, MOST_SEGMENTS of them at most."""
    found: dict[int, BestSegments] = {}
    for _ in range(MOST_SEGMENTS):
        (one,) = best_of_loci(scores, species, use, [locus])
        found.setdefault(one.v, one)
        v = scores.v.copy()
        v[one.v] = -np.inf
        scores = replace(scores, v=v)
    return list(found.values())


def count_places(weights: np.ndarray, v: int) -> int:
    """At how many places of a V segment reads hold words of it; those of two places have no residue
    in common.

    weights (20 ** WORD,): how often reads hold each word, 1 and more if at all.
    """
    row = v_segments().tokens[v, : CYS104 + 1]
    own = words(merge_il(row[row != ABSENT]), WORD)
    seen = np.flatnonzero((own >= 0) & (weights[own] >= 1.0))
    return int((np.diff(seen, prepend=-WORD) >= WORD).sum())


def _usual_weight(weights: np.ndarray, drafts: Sequence[Draft]) -> float:
    """The weight of the word of a V segment that half of them exceed, of the chain with most."""
    of_chains = [known_words(d.tokens[d.before_cdr3], WORD) for d in drafts]
    return max(float(np.median(weights[own])) for own in of_chains)


def without_words(weights: np.ndarray, drafts: Sequence[Draft]) -> np.ndarray:
    """Weights of words (20 ** WORD,), 0 for those that a chain has."""
    left = weights.copy()
    for draft in drafts:
        left[known_words(draft.tokens, WORD)] = 0.0
    return left


def _without_misread(weights: np.ndarray, drafts: Sequence[Draft]) -> np.ndarray:
    """Weights of words (20 ** WORD,), 0 for those that a chain would have if all its residues of
    one kind were taken for another, as GGLVK for GGLVQ."""
    left = weights.copy()
    for draft in drafts:
        for one, other in _EXCHANGES:
            misread = np.where(draft.tokens == one, other, draft.tokens)
            left[known_words(misread, WORD)] = 0.0
    return left


def _gene(v: int) -> int:
    return int(v_segments().gene[v])
