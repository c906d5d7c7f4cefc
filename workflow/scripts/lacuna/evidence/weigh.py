"""From placed reads to a probability for each residue: reads and network together."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from lacuna.antibody.imgt import CONSTANT
from lacuna.core.alphabet import N_RESIDUES, RESIDUES, il_as_one
from lacuna.core.statistics import softmax
from lacuna.core.tables import Flag
from lacuna.evidence.chain import ReadChain, WeighedChain, chain_of
from lacuna.evidence.constants import with_halves, with_rivals
from lacuna.evidence.far import spread_of_far
from lacuna.evidence.flags import contradictions, other_lengths
from lacuna.evidence.genes import gene_shares
from lacuna.evidence.network import network_shares
from lacuna.evidence.phase import copied_into_cdr3, holds_several, unjoined
from lacuna.evidence.posterior import (
    FLOORS,
    first_letters,
    floors_of,
    hidden_from_network,
    least_floors,
    likelihood,
    only_germline,
    weight_of_reads,
    with_floor,
    with_germline,
)
from lacuna.network.model import TemplateReader
from lacuna.network.transformer import LargeNetwork, share_of_large
from lacuna.placing.place import Placed
from lacuna.placing.stretches.cdr3_joints import uncrossed_in_cdr3, unjoined_in_cdr3
from lacuna.placing.stretches.junction_mass import junction_mass
from lacuna.placing.votes.consensus import Votes, votes
from lacuna.placing.votes.draft import Draft
from lacuna.templates.homologs import Homologs
from lacuna.templates.nearest import Library

Judge = Callable[[str, str, np.ndarray], np.ndarray]

FLOOR_NETWORK = 0.01  # share of the network's that is spread evenly
ROUNDS = 3  # of reads and network, each with what the other said
SURE_LENGTH = 0.95  # probability of a length from which it is not in doubt


def weigh(
    placed: Placed,
    model: TemplateReader | None,
    library: Library,
    homologs: Homologs | None = None,
    *,
    large: LargeNetwork | None = None,
    k: int = 128,
    stride: int = 64,
    temper: bool = True,
) -> tuple[WeighedChain, ...]:
    """Every chain with a probability for each of its residues.

    large: reads the chains that it knows together with `model`; k, stride: residues of the k-mers
    that networks read, and between their starts; model: None leaves the networks out, and temper:
    False takes the errors of reads for independent of each other, as the benchmark does to show
    what both bring.

    The network judges a position without the reads' word on it; the two are multiplied.
    """
    chains = []
    phases = () if placed.serum else unjoined(placed)
    several = holds_several(placed.drafts) or any(placed.rivalled)
    read = partial(network_shares, library=library, homologs=homologs, k=k, stride=stride)
    for i, (name, draft) in enumerate(zip(placed.names, placed.drafts, strict=True)):
        chain = _read_chain(placed, i, temper)
        judge: Judge = _no_network
        if model is not None:
            judge = partial(read, networks=_networks(model, large, draft.v))
        if chain.germline_only.any():
            genes = gene_shares(draft, chain.nats, library)
            judge = partial(_with_genes, judge, chain.germline_only, genes)
        posterior = _posterior(chain, judge)
        marked = _marked(placed, i, chain.votes, None if placed.serum else phases[i])
        if several:  # what some reads show may be of a chain that was not found
            marked[Flag.MINORITY] = contradictions(chain.votes, il_as_one(posterior).argmax(1))
        far = spread_of_far(draft, chain.nats, placed.lost)
        posterior = with_floor(posterior, np.maximum(_floors(chain, marked), far))
        marked[Flag.FAR] = far > 0.0
        mass = None
        if not placed.serum:
            posterior, marked = _with_constants(posterior, marked, draft, _others(placed.drafts, i))
            mass = junction_mass(placed.reads, draft)
        chains.append(chain_of(name, chain, posterior, marked, mass))
    return tuple(chains)


def _read_chain(placed: Placed, chain: int, temper: bool) -> ReadChain:
    """A chain with what reads say of it; temper: as of `weigh`."""
    draft, found = placed.drafts[chain], votes(placed.reads, placed.placements, chain)
    nats = likelihood(draft, found, temper)
    return ReadChain(draft, found, nats, only_germline(draft, nats))


def _others(drafts: Sequence[Draft], chain: int) -> list[Draft]:
    """The other chains of the locus of one of the drafts."""
    locus = drafts[chain].locus
    return [other for i, other in enumerate(drafts) if other.locus == locus and i != chain]


def _networks(
    model: TemplateReader, large: LargeNetwork | None, v: int
) -> list[tuple[TemplateReader, float]]:
    """The networks that read a chain with this nearest V segment, with their parts in the mean."""
    if large is None:
        return [(model, 1.0)]
    share = float(share_of_large(np.array([v]), model.temperatures)[0])
    return [(network, part) for network, part in ((model, 1 - share), (large, share)) if part]


def _posterior(chain: ReadChain, judge: Judge) -> np.ndarray:
    """(t, 20) shares of the residues of a chain by reads and the network.

    judge: shares of the network, as `network_shares` gives them.
    """
    draft, nats, germline_only = chain.draft, chain.nats, chain.germline_only
    letters = first_letters(draft, nats, germline_only)
    posterior, copied = softmax(nats), bool(germline_only.any())
    for _ in range(ROUNDS):
        weak = hidden_from_network(draft, nats, posterior) & ~germline_only
        filled = with_germline(draft, letters)
        shares = (1 - FLOOR_NETWORK) * judge(letters, filled, weak) + FLOOR_NETWORK / N_RESIDUES
        both = softmax(weight_of_reads(draft, nats)[:, None] * nats + np.log(shares))
        posterior = with_floor(both, floors_of(nats, both, germline_only))
        if not copied:
            letters = "".join(RESIDUES[x] for x in posterior.argmax(1))
    return posterior if copied else with_floor(both, least_floors(draft, nats, both))


def _marked(
    placed: Placed, chain: int, found: Votes, phase: np.ndarray | None
) -> dict[Flag, np.ndarray]:
    """(t,) which residues of a chain are in doubt, by the flag that says why: they may be another
    one's, or one too many or too few.

    found: votes of its reads; phase (t,): those that may be of another chain of the locus; None in
    a serum.
    """
    draft = placed.drafts[chain]
    if phase is None:
        return {Flag.SERUM: np.ones(len(draft), dtype=bool)}
    own = placed.placements.of(chain)
    apart = unjoined_in_cdr3(placed.reads, own, draft)
    apart |= uncrossed_in_cdr3(placed.reads, own, draft)
    phase = phase | copied_into_cdr3(placed.drafts, chain)
    return {Flag.PHASE: phase, Flag.LENGTH: _loose(draft) | apart | other_lengths(found)}


def _floors(chain: ReadChain, marked: Mapping[Flag, np.ndarray]) -> np.ndarray:
    """(t,) share of the posterior that is spread, by the flags (t,) of residues in doubt."""
    floors = _absent(chain.draft)
    for flag, where in marked.items():
        # What is the average of genes is that of genes of all lengths.
        spread = where & ~chain.germline_only if flag == Flag.LENGTH else where
        floors = np.maximum(floors, np.where(spread, FLOORS[flag], 0.0))
    return floors


def _with_constants(
    posterior: np.ndarray, marked: dict[Flag, np.ndarray], draft: Draft, others: Sequence[Draft]
) -> tuple[np.ndarray, dict[Flag, np.ndarray]]:
    """The posterior (t, 20) and the flags (t,) of residues in doubt, with those of a constant
    region that a chain may have instead of its own.

    others: further chains of the locus.
    """
    if draft.rivals:
        posterior, differ = with_rivals(posterior, draft)
    elif others:
        posterior, differ = with_halves(posterior, draft, others)
    else:
        return posterior, marked
    flag = Flag.PHASE if others else Flag.MINORITY
    return posterior, marked | {flag: marked.get(flag, False) | differ}


def _loose(draft: Draft) -> np.ndarray:
    """(t,) residues that no read joins, or shows, and whose number is in doubt."""
    found = np.zeros(len(draft), dtype=bool)
    for one in draft.loose:
        found[one.start : one.stop] |= one.probability < SURE_LENGTH
    return found


def _absent(draft: Draft) -> np.ndarray:
    """(t,) probability that a residue of the constant region is not there, or of another hinge."""
    found = np.zeros(len(draft))
    for one in draft.loose:
        found[one.start : one.stop] = 1.0 - one.probability
    return np.where(draft.columns == CONSTANT, found, 0.0)


def _with_genes(
    judge: Judge,
    germline_only: np.ndarray,
    genes: np.ndarray,
    letters: str,
    numbered_by: str,
    weak: np.ndarray,
) -> np.ndarray:
    """The shares of the network, and of genes where the germline is all there is."""
    return np.where(germline_only[:, None], genes, judge(letters, numbered_by, weak))


def _no_network(letters: str, *_: object) -> np.ndarray:
    """Shares that say nothing."""
    return np.full((len(letters), N_RESIDUES), 1 / N_RESIDUES)
