"""The chains that a sample's reads come from, and where each read lies on them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lacuna.antibody.germlines import v_segments
from lacuna.core.chain_names import OF_LOCI, chain_names
from lacuna.core.lost_reads import about_lost, count_lost
from lacuna.core.tables import PlacedRow
from lacuna.core.words import plural
from lacuna.placing.aligning.readset import MAX_SHIFT, ReadSet, collapse
from lacuna.placing.aligning.seeds import word_weights
from lacuna.placing.build import ROUNDS, build
from lacuna.placing.chains.constant_domains import lacks_ch1, with_doubts, without_unread
from lacuna.placing.chains.further import further_drafts, of_two_species, without_words
from lacuna.placing.chains.hinge import with_linkers
from lacuna.placing.chains.linkers import Linker, linkers
from lacuna.placing.chains.populations import Population, abundances, is_serum, populations
from lacuna.placing.chains.strays import (
    LOST_SHARES,
    find_strays,
    is_chain_lost,
    rivalled,
    with_strays,
)
from lacuna.placing.chains.subclasses import Subclasses, with_subclasses
from lacuna.placing.chains.unneeded import without_unneeded
from lacuna.placing.rows import rows_of
from lacuna.placing.sources.checked import C_WORDS, checked_probabilities
from lacuna.placing.sources.segments import WORD, BestSegments, best_of_loci, score_segments
from lacuna.placing.sources.shown_constants import names_of
from lacuna.placing.votes.chance import least_score
from lacuna.placing.votes.chimeras import with_one_place
from lacuna.placing.votes.draft import Draft, draft_of, protein_of
from lacuna.placing.votes.placement import Assembly, Placements
from lacuna.reads.errors.model import ErrorModels
from lacuna.reads.read import Read

V_SHARE = 0.3  # of the words of a V segment that reads hold, from which its locus is there
# Words of a V segment in reads from which its locus is there if no other is. A few VHHs are not
# found with a part of the reads (tests/benchmarks/read_panel.py --chains --part 16).
V_WORDS = 4.5
C_SHARE = 0.2  # the same of a constant region, of which there are C_WORDS at least
# Once all other words are explained, of a light chain without which heavy ones have none, or the
# other way round: a share of the share of their constant regions, and words. A V segment that is
# there has its constant region if reads hold as many words of that.
OTHER_SHARE, OTHER_WORDS = 0.15, 5.0
FIRST_ROUNDS = 2  # of building without junctions
FURTHER_ROUNDS = 4  # of building once the first chains are there
MORE_CHAINS = 2  # times that further chains are looked for
# Share of the reads that a further chain must have: fewer are misread ones of another. The first
# chains must have this share of the reads of the commonest one: of many, a few resemble any locus.
LEAST_SHARE = 0.005

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Placed:
    """What `place` found.

    names and drafts: the chains; reads: each different read once; placements: where they lie, on
    the chains and the contaminants, which follow them; rows: one for each given read; populations:
    how much of the reads each chain has; serum: the sample holds too many antibodies to tell one
    from another; lost: whether many reads resemble germline and fit no chain; rivalled: of each
    chain, whether so many of these are of its locus that it may hold residues of another one.
    """

    names: tuple[str, ...]
    drafts: tuple[Draft, ...]
    reads: ReadSet
    placements: Placements
    rows: tuple[PlacedRow, ...]
    populations: tuple[Population, ...]
    serum: bool
    lost: bool
    rivalled: tuple[bool, ...]


def place(
    reads: Sequence[Read],
    models: ErrorModels,
    contaminants: Sequence[tuple[str, str]] = (),
    species: str = "auto",
    use: np.ndarray | None = None,
    *,
    shift: int = MAX_SHIFT,
) -> Placed:
    """Find the chains that reads come from, and place every read.

    contaminants: (name, sequence) of other proteins; species: 'auto' for any; use (V segments,):
    how much use in repertoires counts, in words of residues; shift: see `ReadSet`.
    """
    pooled = replace(collapse(reads, checked_probabilities(reads, models)), shift=shift)
    use = np.zeros(len(v_segments().names)) if use is None else use
    first = _germline_drafts(pooled, species, use)
    proteins = [protein_of(sequence) for _, sequence in contaminants]
    assembly = _built(Assembly.of(pooled, first, proteins), species, use)
    # The rare ones first: which chains were found first is known by their order.
    assembly = _without_unneeded(_without_rare(assembly, len(first)), use)
    assembly, several = with_subclasses(assembly)
    names = chain_names(draft.locus for draft in assembly.drafts)
    chains = populations(assembly, names)
    assembly = assembly.with_drafts(with_doubts(assembly))
    every = [*names, *(name for name, _ in contaminants)]
    rows = rows_of(reads, assembly.reads, assembly.placements, every, len(names))
    serum = is_serum(chains, assembly.drafts)
    lost, beside = False, (False,) * len(names)
    if not serum:  # of which many chains are not found
        rows, lost = _with_lost(rows, assembly, species)
        beside = rivalled(assembly)
        for one in several:
            LOG.warning("%s", _about_subclasses(one, names, assembly.drafts))
        for linker in linkers(reads, assembly.drafts):
            LOG.warning("%s", _about_linker(linker, names))
    return Placed(
        names=names,
        drafts=tuple(assembly.drafts),
        reads=assembly.reads,
        placements=assembly.placements,
        rows=tuple(rows),
        populations=chains,
        serum=serum,
        lost=lost,
        rivalled=beside,
    )


def _built(assembly: Assembly, species: str, use: np.ndarray) -> Assembly:
    """All chains with their junctions; assembly: reads on the first ones, of germline.

    All chains first, and then their junctions: the reads of one that is not there yet would lead
    those of another astray.
    """
    for bridges in (False, True):
        assembly = build(assembly, use, ROUNDS if bridges else FIRST_ROUNDS, bridges=bridges)
        for _ in range(MORE_CHAINS):
            more = further_drafts(assembly, species, use)
            if not more:
                break
            rounds = FURTHER_ROUNDS if bridges else FIRST_ROUNDS
            assembly = assembly.with_drafts([*assembly.drafts, *more])
            assembly = build(assembly, use, rounds, bridges=bridges)
        if not bridges:
            assembly = _cleaned(assembly)
    return assembly


def _without_unneeded(assembly: Assembly, use: np.ndarray) -> Assembly:
    """The chains that reads need, built anew if others are left out: they have their reads now."""
    needed = without_unneeded(assembly)
    if len(needed.drafts) == len(assembly.drafts):
        return assembly
    return build(needed, use, FURTHER_ROUNDS)


def _cleaned(assembly: Assembly) -> Assembly:
    """The reads, as far as they are believed from now on, and the chains without the constant
    domains that these do not show."""
    drafts = assembly.drafts
    reads = replace(assembly.reads, least=least_score(assembly))
    reads = with_one_place(reads, [d.without_cdr3() for d in drafts], assembly.fixed)
    assembly = Assembly.of(reads, drafts, assembly.fixed)
    if all(draft.c < 0 for draft in drafts):
        return assembly
    assembly = assembly.with_drafts(_without_unread(assembly))
    lacking = list(map(lacks_ch1, assembly.drafts, drafts))
    return assembly.with_drafts(with_linkers(assembly, lacking))


def _without_rare(assembly: Assembly, n_first: int) -> Assembly:
    """The chains that have LEAST_SHARE of the reads, or, of the `n_first` that were found first, of
    those of the commonest chain."""
    shares = abundances(assembly)[: len(assembly.drafts)]
    first = np.arange(len(shares)) < n_first
    common = shares >= LEAST_SHARE * np.where(first, shares.max(initial=0.0), 1.0)
    kept = [draft for draft, is_kept in zip(assembly.drafts, common, strict=True) if is_kept]
    return assembly.with_drafts(kept)


def _with_lost(
    rows: list[PlacedRow], assembly: Assembly, species: str
) -> tuple[list[PlacedRow], bool]:
    """The rows of the reads, with those marked that are of a chain that was not found, and whether
    these are so many that one is missing; a few may be so by chance, and are not marked."""
    reads = assembly.reads
    on_chain = np.zeros(len(reads), dtype=bool)
    on_chain[assembly.placements.alignment.read] = True
    for sure, share in LOST_SHARES:
        strays = find_strays(reads, on_chain, species, sure, assembly.drafts)
        marked = with_strays(rows, reads, strays)
        lost, placed, other_species = count_lost(marked)
        if is_chain_lost(lost, placed, other_species, share):
            LOG.warning("%s", about_lost(lost, other_species))
            return marked, True
    return rows, False


def _germline_drafts(reads: ReadSet, species: str, use: np.ndarray) -> list[Draft]:
    """Germline chains of the loci that reads show."""
    weights = word_weights(reads, WORD)
    loci = best_of_loci(score_segments(weights), species, use)
    found = [
        one
        for one in loci
        if one.v_share >= V_SHARE or one.c_seen >= C_WORDS and one.c_share >= C_SHARE
    ]
    if not found:  # so few reads hold but a small share of any segment
        found = _best_of_few(loci)
    if species == "auto":
        light = any(one.locus != "H" for one in found)
        found = [x for one in found for x in of_two_species(one, weights, use, with_light=light)]
    drafts = [_germline_draft(one) for one in found]
    share = max((one.c_share for one in found), default=0.0)
    if share and len({d.locus == "H" for d in drafts}) == 1:
        drafts += _other_half(without_words(weights, drafts), drafts, share, species, use)
    return drafts


def _best_of_few(loci: Sequence[BestSegments]) -> list[BestSegments]:
    """The locus of which reads hold most words, if these are more than they hold by chance."""

    def worth(one: BestSegments) -> float:
        return max(one.v_seen / V_WORDS, one.c_seen / C_WORDS)

    best = max(loci, key=worth, default=None)
    return [best] if best and worth(best) >= 1.0 else []


def _germline_draft(one: BestSegments) -> Draft:
    """The germline chain of a locus, with its constant region if reads hold words of it."""
    return draft_of(one.locus, one.v, one.j, one.c if one.c_seen >= OTHER_WORDS else -1)


def _without_unread(assembly: Assembly) -> list[Draft]:
    """The drafts without the constant domains that are not there; the log says which are not."""
    kept = without_unread(assembly)
    for before, after in zip(assembly.drafts, kept, strict=True):
        if len(after) == len(before):
            continue
        if after.c >= 0:
            LOG.warning(
                "%d residues of the constant region of a %s chain are left out: their peptides "
                "should be read, and no read shows one",
                len(before) - len(after),
                OF_LOCI[before.locus],
            )
        else:
            LOG.warning(
                "The whole constant region of a %s chain is left out: reads have short runs of its "
                "residues, but show no peptide of it",
                OF_LOCI[before.locus],
            )
    return kept


def _about_linker(found: Linker, names: Sequence[str]) -> str:
    """The linker between two chains."""
    first, second = names[found.first], names[found.second]
    show = f"{plural(found.n, 'read')} {'shows' if found.n == 1 else 'show'}"
    return (
        f"{show} {found.residues} between the V domains of '{first}' and "
        f"'{second}', as in an scFv: they are given as two chains, without the linker"
    )


def _about_subclasses(found: Subclasses, names: Sequence[str], drafts: Sequence[Draft]) -> str:
    """The constant regions of a locus of which reads show several, and of which chain each is."""
    genes = names_of(found.constants)
    shown = " and ".join(f"{g} ({s:.2f})" for g, s in zip(genes, found.shares, strict=True))
    own = dict(zip(found.constants, genes, strict=True))
    begin = f"Reads show the constant regions {shown}"
    if len(found.chains) == 1:
        (chain,) = found.chains
        return (
            f"{begin}, but one V domain for them. '{names[chain]}' has {own[drafts[chain].c]}, and "
            "the residues in which they differ are flagged 'minority': the other is of an antibody "
            "that was not found, or of a contaminant"
        )
    given = "; ".join(
        f"'{names[i]}' has {own[drafts[i].c]}"
        + (f" with a probability of {1 - sum(p for _, p in drafts[i].rivals):.2f}")
        for i in found.chains
    )
    if not any(drafts[i].rivals for i in found.chains):
        return f"{begin}, and join them to V domains: {given}"
    return (
        f"{begin}, but few reads link them to a V domain. Judging by abundance, {given}; the "
        "residues in which they differ are flagged 'phase'"
    )


def _other_half(
    weights: np.ndarray, drafts: Sequence[Draft], share: float, species: str, use: np.ndarray
) -> list[Draft]:
    """The light chain of heavy ones, or the other way round, by its constant region.

    weights: of words that no chain (drafts) has; share: of the words of their constant regions
    that reads hold. A protease may leave few peptides of one of the two that a tool can read.
    """
    lacking = [
        one
        for one in best_of_loci(score_segments(weights), species, use)
        if (one.locus == "H") != (drafts[0].locus == "H")
        and one.c_seen >= OTHER_WORDS
        and one.c_share >= OTHER_SHARE * share
    ]
    best = max(lacking, key=lambda one: one.c_seen, default=None)
    return [_germline_draft(best)] if best else []
