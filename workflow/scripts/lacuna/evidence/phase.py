"""Residues of a chain that may be those of another chain of its locus.

A mixture of antibodies has several chains of a locus. A read shows a stretch of one of them; if no
read joins two stretches in which the chains differ, each stretch is right, but the chain that they
make together may be half of one and half of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.antibody.germlines import v_segments
from lacuna.antibody.imgt import CDR_COLUMNS, CONSTANT, CYS104, in_v_domain, on_v_columns
from lacuna.core.alphabet import N_RESIDUES, merge_il
from lacuna.core.runs import runs_of
from lacuna.placing.aligning.alignment import MATCH
from lacuna.placing.aligning.memory import Memory
from lacuna.placing.chains.constant_domains import begins
from lacuna.placing.chains.contradicting import RECURRENT_READS, contradicting
from lacuna.placing.chains.crossing import last_part, seam_nats
from lacuna.placing.place import Placed
from lacuna.placing.votes.draft import Draft, in_both, pairs_of_locus
from lacuna.placing.votes.placement import Assembly, Placements

# Nats that reads lose if two stretches that they join are taken apart. What this flags wrongly, and
# misses, mixtures show (tests/benchmarks/read_panel.py --mixed 2).
JOINED_NATS = 8.0
# Of the weight of a chain, from which the others of its locus together may have lent it a stretch.
# By two proteases, one of two light chains in equal amounts may have a quarter of the other's reads
# (tests/benchmarks/read_panel.py --mixed 2).
RIVAL_SHARE = 0.1
# Beside a chain that was not found: residues on either side of a place with which a read crosses
# it, so that most chains differ in some of them, and the weight of reads that join what it parts.
SEAM_RESIDUES, CROSSED_WEIGHT = 4, 2.0
LONG_SEAM = 8  # of a place at which reads contradict the chain, residues on either side
# Residues of the framework by which a piece of a chain must be more like another V segment, and the
# rest of it less. Of 170 chains of antibodies alone, by one protease each, one has 4 and none more;
# five that were built from two chains of a mixture have 5 to 9 (tests/benchmarks/read_panel.py).
ANOTHER_RESIDUES = 5
MUTATED_RESIDUES = 2  # in which knobs and holes differ, and two drafts of one region hardly do
ALONE_SHARE = 0.9  # share of a read that is of one chain alone
VARIED_COLUMNS = range(26, 41), range(54, 69)  # columns of CDR1, CDR2 and what is beside them
ALIKE_MUTATIONS = 2  # mutations in these that two chains of a gene hardly have in common by chance
UNLIKE_RESIDUES = 8  # residues in front of CDR3 in which chains of one clone hardly differ
RUN_LENGTH = 7  # residues that a CDR3 has in common with no other place by chance


def holds_several(drafts: Sequence[Draft]) -> bool:
    """Whether chains are of more than one antibody: two heavy or two light ones."""
    heavy = [draft.locus == "H" for draft in drafts]
    return sum(heavy) > 1 or len(heavy) - sum(heavy) > 1


def unjoined(placed: Placed) -> tuple[np.ndarray, ...]:
    """(t,) of each chain: residues that may be those of another chain of its locus, as no read
    joins them to most of the others in which the two differ, or to most of the V domain if the
    other chain was not found; and the constant region that both have, if no read joins it to this
    chain (`_borrowed`).
    """
    drafts, shares = placed.drafts, [p.share for p in placed.populations]
    of_locus = dict.fromkeys((d.locus for d in drafts), 0.0)
    for draft, share in zip(drafts, shares, strict=True):
        of_locus[draft.locus] += share
    found, against = [], _against(placed)
    for i, beside in enumerate(placed.rivalled):
        cuts = _parted_by_reads(placed, i, against[i]) if i in against else []
        pieces = _Pieces.of(placed, i, cuts)
        mixed = beside or len(cuts) > 0 or pieces.are_of_two_genes()
        found.append(pieces.apart_from_most() if mixed else np.zeros(len(drafts[i]), dtype=bool))
    for chain in _borrowed(placed, shares):
        found[chain] |= drafts[chain].columns == CONSTANT
    pairs = pairs_of_locus(drafts)
    if not pairs:
        return tuple(found)
    assembly = Assembly.of(placed.reads, drafts)
    for pair in pairs:
        alike = _alike_where_unread(placed, assembly.placements, pair)
        seams = seam_nats(replace(assembly, drafts=alike), pair)
        for side, (chain, rival) in enumerate((pair, pair[::-1])):
            if of_locus[drafts[chain].locus] - shares[chain] >= RIVAL_SHARE * shares[chain]:
                cuts = [places[side] for places, nats in seams if nats < JOINED_NATS]
                tells = differences(alike[chain], alike[rival])
                found[chain] |= apart(drafts[chain], drafts[rival], cuts, tells)
                found[chain] |= _lent(placed, assembly.placements, chain, rival)
                found[chain] |= _shared_cdr3(placed, assembly.placements, chain, rival)
    return tuple(found)


def _against(placed: Placed) -> dict[int, np.ndarray]:
    """Of chains that reads contradict, by number: how many do, from each position on (t,)."""
    memory = Memory.of(placed.reads)
    assembly = Assembly(memory, placed.drafts, (), placed.placements)
    found: dict[int, np.ndarray] = {}
    for locus in sorted({draft.locus for draft in placed.drafts}):
        found.update(contradicting(assembly, locus).against)
    return found


def _parted_by_reads(placed: Placed, chain: int, against: np.ndarray) -> list[int]:
    """Places at which reads contradict a chain and that fewer reads cross with LONG_SEAM residues
    on either side: more than chains of a locus have in common by chance."""
    own = placed.placements.of(chain).alignment
    crossed = _crossed(own.span, np.ones(len(own.read)), LONG_SEAM, len(placed.drafts[chain]))
    return np.flatnonzero((against >= RECURRENT_READS) & (crossed < against)).tolist()


def _borrowed(placed: Placed, shares: Sequence[float]) -> list[int]:
    """The chains whose constant region another chain may have instead, and to which no reads that
    are of this chain alone join it.

    A further chain was given the constant region of the first. But its V domain may be a part of
    the first one, as of an IgG with a VHH or an scFv on its end, and go on otherwise. One of the
    chains has it for sure: that to which most reads join it. If none do, it is the most common one,
    unless there are fewer light chains than heavy ones: then it may be any. And the Fc of an scFv
    may be on its light V domain, found or not.
    """
    drafts = placed.drafts
    whole = [i for i, d in enumerate(drafts) if d.c >= 0 and d.find(CONSTANT) >= 0]
    joined = {i: _weight_of_joint(placed, i) for i in whole}
    heavy, light = (sum((drafts[i].locus == "H") == h for i in whole) for h in (True, False))
    paired = light >= heavy or all(draft.locus == "H" for draft in drafts)
    on_light = len(whole) < len(drafts) or placed.lost  # of a V domain without C, or not found
    found = {
        i
        for i in whole
        if on_light and drafts[i].locus == "H" and not begins(drafts[i], drafts[i].find(CONSTANT))
    }
    for chains in _of_one_region(drafts, whole):
        first = max(chains, key=lambda i: (joined[i], shares[i]))
        found.update(i for i in chains if i != first)
        if len(chains) > 1 and not paired:
            found.add(first)
    return sorted(i for i in found if joined[i] < CROSSED_WEIGHT)


def _of_one_region(drafts: Sequence[Draft], whole: Sequence[int]) -> list[list[int]]:
    """The chains with a constant region (whole), by the one that they have."""
    found: list[list[int]] = []
    for i in whole:
        same = (chains for chains in found if _is_one_region(drafts[i], drafts[chains[0]]))
        chains = next(same, None)
        if chains is None:
            found.append([i])
        else:
            chains.append(i)
    return found


def _is_one_region(draft: Draft, other: Draft) -> bool:
    """Whether two chains have one constant region. They have two of it if these are mutated in two
    ways, as knobs and holes are."""
    own, its = (d.tokens[d.find(CONSTANT) :] for d in (draft, other))
    alike = len(own) != len(its) or int((own != its).sum()) < MUTATED_RESIDUES
    return (draft.locus, draft.c) == (other.locus, other.c) and alike


def _weight_of_joint(placed: Placed, chain: int) -> float:
    """The weight of the reads of a chain alone over the border of its V domain and what follows."""
    border = placed.drafts[chain].find(CONSTANT)
    return _weight_over(placed, placed.placements.of(chain), border)


def _weight_over(placed: Placed, own: Placements, place: int) -> float:
    """The weight of the reads of a chain alone with SEAM_RESIDUES on either side of a place; own:
    all placements on the chain."""
    span = own.alignment.span
    over = (span[:, 0] <= place - SEAM_RESIDUES) & (span[:, 1] >= place + SEAM_RESIDUES)
    rows = own.alignment.read[over & (own.share > ALONE_SHARE)]
    return float(placed.reads.weight[rows].sum())


def _alike_where_unread(
    placed: Placed, placements: Placements, pair: tuple[int, int]
) -> list[Draft]:
    """The chains, of which each of a pair has the residues of the other one in front of CDR3 where
    only the other one is read: it may have the same there, and tells nothing."""
    drafts = list(placed.drafts)
    one, other = pair
    tokens = {chain: drafts[chain].tokens.copy() for chain in pair}
    read = {chain: _depth(placed, placements, chain) >= CROSSED_WEIGHT for chain in pair}
    for i, j in in_both(drafts[one], drafts[other]):
        if i >= drafts[one].cdr3()[0] or read[one][i] == read[other][j]:
            continue
        if read[one][i]:
            tokens[other][j] = drafts[one].tokens[i]
        else:
            tokens[one][i] = drafts[other].tokens[j]
    for chain in pair:
        drafts[chain] = drafts[chain].with_tokens(tokens[chain])
    return drafts


def _depth(placed: Placed, placements: Placements, chain: int, least: float = 0.0) -> np.ndarray:
    """(t,) weight of the reads that show the residues of a chain, and of which more than a share
    (least) is of this one."""
    own = placements.of(chain)
    a = own.alignment
    weight = placed.reads.weight[a.read] * (own.share > least)
    row, column = np.nonzero(a.kind == MATCH)
    return np.bincount(a.at[row, column], weight[row], len(placed.drafts[chain]))


def _lent(placed: Placed, placements: Placements, chain: int, rival: int) -> np.ndarray:
    """(t,) residues in and beside CDR1 and CDR2 that a chain has in common with its rival and that
    reads of this chain alone do not show. Chains of different genes mostly differ there, and chains
    of one gene if they are mutated."""
    draft, other = placed.drafts[chain], placed.drafts[rival]
    found = np.zeros(len(draft), dtype=bool)
    if draft.v < 0 or other.v < 0:
        return found
    depth = _depth(placed, placements, chain, least=ALONE_SHARE)
    gene = v_segments().gene
    of_one_gene = gene[draft.v] == gene[other.v]
    same = _known(draft) & (_of_columns(draft, other) == draft.tokens) & (depth < CROSSED_WEIGHT)
    mutated = shared_mutations(draft, other)
    for columns in VARIED_COLUMNS:
        here = same & np.isin(draft.columns, columns)
        if not of_one_gene or (here & mutated).sum() >= ALIKE_MUTATIONS:
            found |= here
    return found


def _shared_cdr3(placed: Placed, placements: Placements, chain: int, rival: int) -> np.ndarray:
    """(t,) residues from a run on that two CDR3s have in common, although their chains differ too
    much for those of one clone, unless reads of this chain alone join the run to it."""
    draft, other = placed.drafts[chain], placed.drafts[rival]
    start, stop = draft.cdr3()
    found = np.zeros(len(draft), dtype=bool)
    theirs = {run for run in _runs(other.tokens[slice(*other.cdr3())]) if run}
    shared = [i for i, run in enumerate(_runs(draft.tokens[start:stop])) if run in theirs]
    if not shared or differences(draft, other)[:start].sum() < UNLIKE_RESIDUES:
        return found
    for i in shared:
        found[start + i : start + i + RUN_LENGTH] = True
    found[stop:] = (_known(draft) & (_of_columns(draft, other) == draft.tokens))[stop:]
    joined = _weight_over(placed, placements.of(chain), start + shared[0])
    return found & (joined < CROSSED_WEIGHT)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A chain in the pieces that no reads join: of each of t positions the number of its piece, and
    the weight of reads there."""

    draft: Draft
    number: np.ndarray
    depth: np.ndarray

    @classmethod
    def of(cls, placed: Placed, chain: int, parted: Sequence[int] = ()) -> "_Pieces":
        """Those of a chain of a sample; parted: places that belong to two pieces for sure."""
        draft = placed.drafts[chain]
        own = placed.placements.of(chain)
        spans = own.alignment.span
        weight = placed.reads.weight[own.alignment.read]
        crossed = _crossed(spans, weight, SEAM_RESIDUES, len(draft))
        depth = _crossed(spans, weight, 1, len(draft))
        # Where reads on either side have some residues in common, the run is shorter.
        cuts = [
            start + int(depth[start:stop].argmin())
            for start, stop in runs_of(crossed < CROSSED_WEIGHT)
            if stop - start >= SEAM_RESIDUES
        ]
        cuts = sorted({*cuts, *parted})
        return cls(draft, np.searchsorted(cuts, np.arange(len(draft)), "right"), depth)

    def apart_from_most(self) -> np.ndarray:
        """(t,) residues of the V domain that are not in the piece that is most of it; all of them
        if none is."""
        known = _known(self.draft)
        sizes = np.bincount(self.number[known], minlength=1)
        return known & ((self.number != sizes.argmax()) | (2 * sizes.max() <= sizes.sum()))

    def are_of_two_genes(self) -> bool:
        """Whether the framework of a piece is far more like a V segment of another gene than like
        the chain's own, and that of the rest far less."""
        segments, draft = v_segments(), self.draft
        frame = (draft.columns <= CYS104) & ~CDR_COLUMNS[draft.columns]
        frame &= _known(draft) & (self.depth >= CROSSED_WEIGHT)
        if draft.v < 0 or not frame.any():
            return False
        columns = draft.columns[frame]
        of_locus = segments.tokens[segments.locus == segments.locus[draft.v]]
        same = merge_il(of_locus[:, columns]) == draft.tokens[frame]  # (genes, residues)
        better = same.astype(int) - (
            merge_il(segments.tokens[draft.v, columns]) == draft.tokens[frame]
        )
        whole = better.sum(1)
        for piece in np.unique(self.number[frame]):
            inside = better[:, self.number[frame] == piece].sum(1)
            if (np.minimum(inside, inside - whole) >= ANOTHER_RESIDUES).any():
                return True
        return False


def _crossed(spans: np.ndarray, weight: np.ndarray, seam: int, length: int) -> np.ndarray:
    """(length,) weight of the reads with `seam` residues on either side of the place in front of
    each residue; spans (n, 2) of reads on their chain."""
    long = spans[:, 1] - spans[:, 0] >= 2 * seam
    found = np.zeros(length + 1)
    np.add.at(found, spans[long, 0] + seam, weight[long])
    np.add.at(found, spans[long, 1] - seam + 1, -weight[long])
    # Weights that were added and taken away leave a rest, by which CROSSED_WEIGHT would be missed.
    return np.cumsum(found)[:length].round(9)


def apart(draft: Draft, other: Draft, cuts: Sequence[int], tells: np.ndarray) -> np.ndarray:
    """(t,) residues of a chain that may be those of another one: all in which the two differ, but
    for the stretch that has most of them, and all of a stretch that is the other one's as well.

    cuts: positions in front of which no read joins the chain to what is before; tells (t,): the
    residues in front of CDR3 and in FR4 in which the two differ, as far as reads show both.
    """
    start, stop = draft.cdr3()
    tells = tells.copy()
    tells[start:stop] = draft.tokens[start:stop] < N_RESIDUES
    behind_gap = [last_part(draft)] if not draft.bridged else []
    block = np.searchsorted(np.sort([*cuts, *behind_gap]), np.arange(len(draft)), "right")
    home = np.bincount(block[tells]).argmax() if tells.any() else 0
    # Chains seldom mutate alike: one stretch of both is then that of one of them.
    shared = shared_mutations(draft, other)
    alike, unlike = (
        np.bincount(block, where, minlength=block.max() + 1) for where in (shared, tells & ~shared)
    )
    copied = ((alike > 0) & (alike >= unlike))[block] & _known(draft)
    return (tells | copied) & (block != home)


def copied_into_cdr3(drafts: Sequence[Draft], chain: int) -> np.ndarray:
    """(t,) residues of the CDR3 of a chain in runs of RUN_LENGTH that the chains (drafts) have
    elsewhere, in a V domain or a constant region: reads of that place were joined into it."""
    elsewhere = {
        run
        for draft in drafts
        for part in (draft.tokens[: draft.cdr3()[0]], draft.tokens[draft.columns == CONSTANT])
        for run in _runs(part)
        if run
    }
    start, stop = drafts[chain].cdr3()
    found = np.zeros(len(drafts[chain]), dtype=bool)
    for i, run in enumerate(_runs(drafts[chain].tokens[start:stop]), start=start):
        if run in elsewhere:
            found[i : i + RUN_LENGTH] = True
    return found


def _runs(tokens: np.ndarray) -> list[bytes]:
    """The runs of RUN_LENGTH residues, in order; b"" for one with a residue that is not known."""
    runs = (tokens[i : i + RUN_LENGTH] for i in range(len(tokens) - RUN_LENGTH + 1))
    return [run.tobytes() if (run < N_RESIDUES).all() else b"" for run in runs]


def differences(draft: Draft, other: Draft) -> np.ndarray:
    """(t,) residues of the V domain that the other chain does not have in the same column."""
    return _known(draft) & (_of_columns(draft, other) != draft.tokens)


def shared_mutations(draft: Draft, other: Draft) -> np.ndarray:
    """(t,) residues of the V domain that are not germline's, but are the other chain's as well."""
    germline = merge_il(draft.germline)
    mutated = (germline < N_RESIDUES) & (germline != draft.tokens)
    return _known(draft) & mutated & (_of_columns(draft, other) == draft.tokens)


def _known(draft: Draft) -> np.ndarray:
    """(t,) bool: residues of the V domain that are known."""
    return in_v_domain(draft.columns) & (draft.tokens < N_RESIDUES)


def _of_columns(draft: Draft, other: Draft) -> np.ndarray:
    """(t,) residues that another chain has in the columns of this one, N_RESIDUES for none."""
    by_column = np.full(CONSTANT + 1, N_RESIDUES, dtype=np.uint8)
    theirs = on_v_columns(other.columns)
    by_column[other.columns[theirs]] = other.tokens[theirs]
    return by_column[draft.columns]
