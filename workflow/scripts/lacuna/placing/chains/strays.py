"""Reads that fit no chain but are of an antibody: its species is stated wrongly, or is not bundled.

A chain is found by germline segments of its own species. Those of another one share too few runs
of residues with it, so that a chain, or its constant region, goes unnoticed. Yet its reads hold
some of these runs, which reads of other proteins do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lacuna.antibody.germlines import LOCI, SPECIES, constants, is_camelid, j_segments, v_segments
from lacuna.core.alphabet import ABSENT, N_RESIDUES, encode, merge_il
from lacuna.core.tables import RESEMBLES, RESEMBLES_SPECIES, PlacedRow
from lacuna.placing.aligning.readset import ReadSet
from lacuna.placing.aligning.seeds import known_words, words
from lacuna.placing.rows import NOWHERE
from lacuna.placing.sources.segments import WORD
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly, Placements

END_RESIDUES = 14  # residues at the end of a chain, within which reads of what is behind it begin
# Words of germline in a read that resembles it, and their share of its words. Of tryptic peptides
# of the bundled contaminants 9 % have so many words, and 3 % this share too; of those of V domains
# of mouse, rhesus and rabbit, if their own germline is left out, 87 to 94 % and 79 to 93 %.
LEAST_WORDS, LEAST_SHARE = 3, 0.3
# Different residues in such a word: runs of G and S, as SGSGS, are in keratins and linkers too.
LEAST_RESIDUES = 3
# Strays are of another species than the one stated if this share of them resembles it, and so many
# times as many as resemble the one stated. Of strays of bundled species 0.96 and more are of
# their own; of those of other species, 0.85 at most are of any.
OF_ONE, AHEAD = 0.9, 1.2
# Strays that are named: the probability that each residue of such a word must have, and their share
# of all that are placed or strays. Of 96 natural antibodies of bundled species none has a share
# above 0.02; where a chain of an antibody of another species is not found, it is 0.28 and more. IgG
# of a serum leaves fewer: 0.03 to 0.16 if 15 to 30 % of the reads are of bovine IgG, most of which
# lie on the chains of the antibody. Misread ones of a VHH are as many, but hardly any of these is
# sure (0.059 and 0.002). Those of a stated species that is wrong may be the peptides alone in which
# it differs.
LOST_SHARES = ((0.5, 0.1), (0.7, 0.025))
LOST_READS = 10  # strays that are named at least
# Of the reads on a V domain, strays of its locus from which it may be half of a missing chain: what
# that chain has in its place lies among them, and the rest of it on the chain. In antibodies alone
# the share is 0.03 at most (tests/benchmarks/read_panel.py).
RIVALLED_SHARE = 0.2
# The same share, if the strays are of another species than the one stated: fewer are named then.
OTHER_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Strays:
    """Reads that resemble germline but fit no chain.

    reads: (n,) bool; species: the one they are of, if another one is stated; '' otherwise.
    """

    reads: np.ndarray
    species: str

    @property
    def reason(self) -> str:
        """Why they were not placed, as reads.tsv says it."""
        return f"{RESEMBLES_SPECIES} {self.species}" if self.species else RESEMBLES


def find_strays(
    reads: ReadSet,
    placed: np.ndarray,
    species: str,
    sure: float = LOST_SHARES[0][0],
    drafts: Sequence[Draft] = (),
) -> Strays:
    """The reads of an antibody among those that fit no chain.

    placed (n,) bool: reads that lie on a chain or a contaminant; species: stated, 'auto' for any;
    sure: the probability that each residue of a word of germline must have; drafts: the chains. A
    chain without a constant region may go on in what is not known, and words of its last residues
    are no sign of another one.
    """
    number = words(reads.tokens, WORD)
    if not number.size:  # all reads are shorter
        return Strays(np.zeros(len(reads), dtype=bool), "")
    lost = np.flatnonzero(~placed)
    own = number[lost]
    enough = sliding_window_view(reads.right[lost], WORD, axis=-1).min(-1) >= sure
    ends = [known_words(d.tokens[-END_RESIDUES:], WORD) for d in drafts if d.c < 0]
    of_end = np.isin(own, np.concatenate(ends)) if ends else np.zeros(own.shape, dtype=bool)
    counted = (own >= 0) & enough & ~of_end
    held = np.where(counted, _species_of_words()[own], 0)  # (lost, words) bits
    like = np.zeros(len(reads), dtype=bool)
    like[lost] = _resembles(held > 0, counted)
    if species == "auto":
        return Strays(like, "")
    count = reads.count[lost]
    of_species = [
        float(count @ _resembles((held >> at) & 1 > 0, counted)) for at in range(len(SPECIES))
    ]
    best, stated = int(np.argmax(of_species)), SPECIES.index(species)
    of_one = of_species[best] >= OF_ONE * float(count @ like[lost])
    is_other = of_one and of_species[best] > AHEAD * of_species[stated]
    return Strays(like, SPECIES[best] if is_other else "")


def _resembles(held: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """(n,) whether reads resemble germline; held, counted (n, words): whether a word is one of
    germline, and whether it counts."""
    found = held.sum(1)
    return np.asarray((found >= LEAST_WORDS) & (found >= LEAST_SHARE * counted.sum(1)))


def rivalled(assembly: Assembly) -> tuple[bool, ...]:
    """Of each draft, whether it may hold residues of a chain that was not found: strays of its
    locus are many, or it is a light chain and there are more heavy ones than light ones."""
    reads, drafts, placements = assembly.reads, assembly.drafts, assembly.placements
    strays = _strays_of_loci(reads, placements)
    lacks_light = _lacks_light(drafts)
    found = []
    for i, draft in enumerate(drafts):
        own = placements.of(i)
        on_v = np.unique(own.alignment.read[own.alignment.span[:, 0] < draft.cdr3()[0]])
        least = max(LOST_READS, RIVALLED_SHARE * float(reads.count[on_v].sum()))
        many = strays[LOCI.index(draft.locus)] >= least
        found.append(many or (lacks_light and draft.locus != "H"))
    return tuple(found)


def _strays_of_loci(reads: ReadSet, placements: Placements) -> list[float]:
    """How many reads that fit no chain have runs of residues of V segments of one locus alone, by
    locus."""
    number = words(reads.tokens, WORD)
    if not number.size:  # all reads are shorter
        return [0.0] * len(LOCI)
    enough = sliding_window_view(reads.right, WORD, axis=-1).min(-1) >= LOST_SHARES[0][0]
    bits = np.where((number >= 0) & enough, _loci_of_words()[number], 0)  # (n, words)
    bits[placements.alignment.read] = 0
    like = [(bits == 1 << at).sum(1) >= LEAST_WORDS for at in range(len(LOCI))]
    return [float(reads.count[one].sum()) for one in like]


def _lacks_light(drafts: Sequence[Draft]) -> bool:
    """Whether a mixture has fewer light chains than heavy ones; VHHs, which have none, do not
    count. The reverse tells nothing: hybridomas often have a second light chain."""
    light = sum(draft.locus != "H" for draft in drafts)
    heavy = sum(draft.locus == "H" and not is_camelid(draft.v) for draft in drafts if draft.v >= 0)
    return 0 < light < heavy


def is_chain_lost(strays: int, placed: int, species: str, share: float) -> bool:
    """Whether so many reads resemble germline that a chain was not found.

    placed: reads on chains and contaminants; species: that of the strays, as in `Strays`; share:
    of the strays, if they are of no other species than the one stated.
    """
    least = OTHER_SHARE if species else share
    return strays >= max(LOST_READS, least * (strays + placed))


def with_strays(rows: Sequence[PlacedRow], reads: ReadSet, strays: Strays) -> list[PlacedRow]:
    """The rows of the given reads, those of strays with the reason."""
    groups = reads.group.tolist()
    return [
        row._replace(placed_as=strays.reason)
        if row.placed_as == NOWHERE and group >= 0 and strays.reads[group]
        else row
        for row, group in zip(rows, groups, strict=True)
    ]


@cache
def _loci_of_words() -> np.ndarray:
    """(20 ** WORD,) uint8: a bit for each of LOCI whose V segments hold the run of residues."""
    bits = np.zeros(N_RESIDUES**WORD, dtype=np.uint8)
    segments = v_segments()
    for locus, row in zip(segments.locus.tolist(), segments.tokens, strict=True):
        bits[known_words(merge_il(row[row != ABSENT]), WORD)] |= np.uint8(1 << locus)
    return bits


@cache
def _species_of_words() -> np.ndarray:
    """(20 ** WORD,) bits: one for each of SPECIES whose segments hold the run of residues."""
    wide_enough = np.min_scalar_type((1 << len(SPECIES)) - 1)
    bits = np.zeros(N_RESIDUES**WORD, dtype=wide_enough)
    segments = [
        (int(species), row[row != ABSENT])
        for table in (v_segments(), j_segments())
        for species, row in zip(table.species, table.tokens, strict=True)
    ]
    segments += [(SPECIES.index(c.species), encode(c.sequence)) for c in constants()]
    for species, tokens in segments:
        own = words(merge_il(tokens), WORD)
        letters = np.sort(sliding_window_view(merge_il(tokens), WORD), axis=1)
        varied = (np.diff(letters, axis=1) != 0).sum(1) + 1 >= LEAST_RESIDUES
        bits[own[(own >= 0) & varied]] |= wide_enough.type(1 << species)
    return bits
