"""From placed reads to a probability for each residue: reads and network together."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from lacuna.antibody.imgt import CDR_COLUMNS, CYS104, OTHER_INSERTION, imgt_numbers, regions_of
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import MISSING, N_RESIDUES, RESIDUES, decode
from lacuna.core.tables import ALTERNATIVES, EvidenceRow, Shares
from lacuna.evidence.flags import flags_of
from lacuna.evidence.network import network_shares
from lacuna.network.model import GapNetwork
from lacuna.placing.consensus import TEMPER, Votes, residue_nats, votes
from lacuna.placing.draft import Draft
from lacuna.placing.leftover import TOLERANCE, GapMass, gap_mass
from lacuna.placing.place import Placed
from lacuna.placing.readset import ISOLEUCINE, LEUCINE
from lacuna.templates.homologs import Homologs
from lacuna.templates.nearest import Library

CPU = torch.device("cpu")
CAP = 12.0  # nats that reads may say at most
FLOOR = 0.01  # share of the network's that is spread evenly
FLOOR_UNREAD = 0.07  # of the posterior where reads do not settle a residue: none is stated at .95
FLOOR_GERMLINE = 0.1  # where the germline is all there is
LOOP_TRUST = 0.5  # power of the network's shares in CDR1 and CDR2 that reads do not settle
FLOOR_SERUM = 0.3
SERUM_MOST = 0.8  # probability of a residue of a loop in a serum
MIN_READ_SHARE = 0.25  # share of a V domain that reads settle, below which it is nearly unread
ROUNDS = 3
WEAK = 0.9  # probability below which a position is hidden from all masks
OBSERVED_MARGIN = 3.0  # nats, tempered, by which reads alone must prefer an observed residue
OBSERVED_PROBABILITY = 0.9  # that an observed residue must have
DOUBTFUL_MARGIN = 0.5  # nats, tempered: from here on doubtful, below just inferred
LEAST = 0.005  # probability of an alternative that is written


@dataclass(frozen=True, slots=True)
class GapHint:
    """A gap of a scaffold that is more than its X: 0-based, half-open, as in a gap table."""

    start: int
    end: int
    min_length: int
    max_length: int | None
    mass: float | None = None
    tolerance_da: float | None = None


@dataclass(frozen=True, slots=True)
class WeighedChain:
    """A chain as reads and network have it.

    scaffold: residues that reads show, J for I or L, X elsewhere; an open stretch of unknown
    length has a typical one, and its row in `gaps`. rows: one for each position of the scaffold.
    likelihoods: (position in the scaffold from 1, residue, share) where reads say something of an
    X.
    """

    name: str
    locus: str
    scaffold: str
    gaps: tuple[GapHint, ...]
    rows: tuple[EvidenceRow, ...]
    likelihoods: tuple[tuple[int, str, float], ...]
    best: str
    probability: np.ndarray


def weigh(
    placed: Placed,
    model: GapNetwork | None,
    library: Library,
    homologs: Homologs | None = None,
    *,
    k: int = 128,
    stride: int = 64,
    device: torch.device = CPU,
    temper: bool = True,
) -> tuple[WeighedChain, ...]:
    """Every chain with a probability for each of its residues.

    model: None leaves the network out, and temper: False takes the errors of reads for independent
    of each other, as the benchmark does to show what both bring.

    The network judges a position without the reads' word on it; the two are multiplied.
    """
    chosen = range(len(placed.drafts))
    found = [
        votes(placed.reads, placed.placements, i, len(placed.drafts[i]), overhang=False)
        for i in chosen
    ]
    nats = [likelihood(d, v, temper) for d, v in zip(placed.drafts, found, strict=True)]
    germline_only = [_only_germline(d, n) for d, n in zip(placed.drafts, nats, strict=True)]
    letters = [
        _first_letters(d, n, b) for d, n, b in zip(placed.drafts, nats, germline_only, strict=True)
    ]
    posterior = [_softmax(n) for n in nats]
    for _ in range(ROUNDS):
        weak = [
            (_merged(p).max(1) < WEAK) & ~b for p, b in zip(posterior, germline_only, strict=True)
        ]
        shares = (
            network_shares(
                letters, weak, model, library, homologs, k=k, stride=stride, device=device
            )
            if model is not None
            else [np.full(n.shape, 1 / N_RESIDUES) for n in nats]
        )
        both = [
            _softmax(n + _trust(d, n)[:, None] * np.log((1 - FLOOR) * s + FLOOR / N_RESIDUES))
            for d, n, s in zip(placed.drafts, nats, shares, strict=True)
        ]
        posterior = [
            _with_floor(p, _floors(n, p, b, placed.serum))
            for n, p, b in zip(nats, both, germline_only, strict=True)
        ]
        letters = [
            "".join(RESIDUES[x] for x in p.argmax(1)) if not b.any() else before
            for p, b, before in zip(posterior, germline_only, letters, strict=True)
        ]
    return tuple(
        _chain(
            *(name, draft, vote, n, p, b, placed.serum),
            None if placed.serum or draft.v < 0 else gap_mass(placed.reads, draft),
        )
        for name, draft, vote, n, p, b in zip(
            placed.names, placed.drafts, found, nats, posterior, germline_only, strict=True
        )
    )


def _only_germline(draft: Draft, nats: np.ndarray) -> np.ndarray:
    """(t,) positions with a germline residue that reads do not settle, in a nearly unread V domain.

    There the network has nothing to find templates by, and the germline chosen by the rest of the
    chain is what can be said.
    """
    domain = (draft.columns > 0) & (draft.columns < OTHER_INSERTION)
    read = _margin(nats) >= OBSERVED_MARGIN
    if not domain.any() or read[domain].mean() >= MIN_READ_SHARE:
        return np.zeros(len(domain), dtype=bool)
    return domain & ~read & (draft.germline < N_RESIDUES)


def _floors(
    nats: np.ndarray, both: np.ndarray, germline_only: np.ndarray, serum: bool
) -> np.ndarray:
    """(t,) share of the posterior (both) that is spread evenly.

    It is spread where reads settle no residue, and where they settle another one than they and the
    network together: one of the two is wrong there.
    """
    agree = _as_l(nats).argmax(1) == _merged(both).argmax(1)
    floors = np.where((_margin(nats) >= OBSERVED_MARGIN) & agree, 0.0, FLOOR_UNREAD)
    floors = np.where(germline_only, FLOOR_GERMLINE, floors)
    return np.full(len(floors), FLOOR_SERUM) if serum else floors


def _trust(draft: Draft, nats: np.ndarray) -> np.ndarray:
    """(t,) power that the network's shares are raised to.

    Germline loops are its guess for CDR1 and CDR2 that nothing shows; engineered and matured
    antibodies have others more often than natural chains, which it learned from.
    """
    loop = CDR_COLUMNS[draft.columns] & (draft.columns < CYS104)
    return np.where(loop & (_margin(nats) < OBSERVED_MARGIN), LOOP_TRUST, 1.0)


def _with_floor(shares: np.ndarray, floors: np.ndarray) -> np.ndarray:
    return (1 - floors[:, None]) * shares + floors[:, None] / N_RESIDUES


def likelihood(draft: Draft, found: Votes, temper: bool = True) -> np.ndarray:
    """(t, 20) tempered nats of each residue by reads, the best of each position 0, I as L."""
    nats = TEMPER * residue_nats(draft, found) if temper else found.nats.copy()
    nats[:, ISOLEUCINE] = -np.inf
    nats = np.maximum(nats - nats.max(1, keepdims=True), -CAP)
    nats[:, ISOLEUCINE] = nats[:, LEUCINE]
    return nats


def _softmax(nats: np.ndarray) -> np.ndarray:
    weight = np.exp(nats - nats.max(1, keepdims=True))
    return weight / weight.sum(1, keepdims=True)


def _merged(shares: np.ndarray) -> np.ndarray:
    """Shares with those of I added to L's."""
    merged = shares.copy()
    merged[:, LEUCINE] += merged[:, ISOLEUCINE]
    merged[:, ISOLEUCINE] = 0.0
    return merged


def _first_letters(draft: Draft, nats: np.ndarray, germline_only: np.ndarray) -> str:
    """Residues that reads settle, J for I or L; germline where it is all there is; X elsewhere."""
    margin = _margin(nats)
    best = _as_l(nats).argmax(1)
    letters = []
    columns = zip(
        best.tolist(), margin.tolist(), draft.germline.tolist(), germline_only.tolist(), strict=True
    )
    for token, ahead, germline, copied in columns:
        if copied:
            letters.append(RESIDUES[germline])
        elif ahead < OBSERVED_MARGIN:
            letters.append("X")
        elif token == LEUCINE:
            letters.append(RESIDUES[germline] if germline in (ISOLEUCINE, LEUCINE) else "J")
        else:
            letters.append(RESIDUES[token])
    return "".join(letters)


def _as_l(nats: np.ndarray) -> np.ndarray:
    out = nats.copy()
    out[:, ISOLEUCINE] = -np.inf
    return out


def _margin(nats: np.ndarray) -> np.ndarray:
    """(t,) nats from the best residue to the next, I and L as one."""
    top = np.sort(_as_l(nats), axis=1)
    return top[:, -1] - top[:, -2]


def _chain(
    name: str,
    draft: Draft,
    found: Votes,
    nats: np.ndarray,
    posterior: np.ndarray,
    germline_only: np.ndarray,
    serum: bool,
    weight: GapMass | None,
) -> WeighedChain:
    if serum:
        posterior = _shared(draft, posterior)
    best = posterior.argmax(1)
    probability = posterior[np.arange(len(best)), best]
    merged = _merged(posterior)
    margin = _margin(nats)
    by_reads, by_both = _as_l(nats).argmax(1), merged.argmax(1)
    observed = (
        (margin >= OBSERVED_MARGIN)
        & (by_reads == by_both)
        & (merged.max(1) >= OBSERVED_PROBABILITY)
    )
    doubtful = ~observed & (margin >= DOUBTFUL_MARGIN)
    state = np.where(observed, "observed", np.where(doubtful, "doubtful", "inferred"))
    if serum:
        state = np.where(CDR_COLUMNS[draft.columns] & (state == "observed"), "doubtful", state)
        observed &= ~CDR_COLUMNS[draft.columns]
    flags = flags_of(draft, found, by_both, margin)
    if serum:
        flags = [["serum", *own] for own in flags]
    letters = decode(best.astype(np.uint8))
    columns = np.concatenate([part.numbering.columns for part in number_parts(letters)])
    numbers, regions = imgt_numbers(columns), regions_of(columns)
    rows = []
    for i in range(len(best)):
        order = np.argsort(-posterior[i], kind="stable")
        others = [(RESIDUES[x], float(posterior[i, x])) for x in order[1 : ALTERNATIVES + 1]]
        germline = draft.germline[i]
        rows.append(
            EvidenceRow(
                name,
                i + 1,
                str(numbers[i]),
                str(regions[i]),
                RESIDUES[best[i]],
                float(probability[i]),
                str(state[i]),
                float(found.depth[i]),
                RESIDUES[germline] if germline < N_RESIDUES else "",
                Shares((r, p) for r, p in others if p >= LEAST),
                ";".join(flags[i]),
            )
        )
    scaffold, gaps, likelihoods = _scaffold(
        draft, best, observed, nats, margin, germline_only, posterior, weight
    )
    return WeighedChain(
        name, draft.locus, scaffold, gaps, tuple(rows), likelihoods, letters, probability
    )


def _shared(draft: Draft, posterior: np.ndarray) -> np.ndarray:
    """Shares of a serum's chain: in loops, which antibodies do not share, up to SERUM_MOST."""
    top = posterior.max(1)
    over = CDR_COLUMNS[draft.columns] & (top > SERUM_MOST)
    keep = np.where(over, (SERUM_MOST - 1 / N_RESIDUES) / np.maximum(top - 1 / N_RESIDUES, 1e-9), 1)
    return keep[:, None] * posterior + (1 - keep[:, None]) / N_RESIDUES


def _scaffold(
    draft: Draft,
    best: np.ndarray,
    observed: np.ndarray,
    nats: np.ndarray,
    margin: np.ndarray,
    germline_only: np.ndarray,
    posterior: np.ndarray,
    weight: GapMass | None,
) -> tuple[str, tuple[GapHint, ...], tuple[tuple[int, str, float], ...]]:
    """Scaffold, its gaps of unknown length, and likelihoods of its X."""
    letters: list[str] = []
    gaps: list[GapHint] = []
    likelihoods: list[tuple[int, str, float]] = []
    open_run = (draft.tokens >= MISSING) & (not draft.bridged) & ~germline_only
    i = 0
    while i < len(best):
        if open_run[i]:
            start = i
            while i < len(best) and open_run[i]:
                letters.append("X")
                i += 1
            gap = GapHint(start, i, 0, None)
            if weight is not None:
                gap = replace(gap, mass=weight.mass, tolerance_da=TOLERANCE)
            gaps.append(gap)
            continue
        if observed[i]:
            letters.append("J" if best[i] in (ISOLEUCINE, LEUCINE) else RESIDUES[best[i]])
        else:
            letters.append("X")
            if margin[i] >= DOUBTFUL_MARGIN or germline_only[i]:
                shares = posterior[i] if germline_only[i] else _softmax(nats[i : i + 1])[0]
                likelihoods += [
                    (len(letters), RESIDUES[x], float(shares[x])) for x in range(N_RESIDUES)
                ]
        i += 1
    return "".join(letters), tuple(gaps), tuple(likelihoods)
