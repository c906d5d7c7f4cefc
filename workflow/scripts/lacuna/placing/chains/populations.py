"""How much of the reads each chain has, and whether the chains are those of a serum."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lacuna.antibody.imgt import CDR_COLUMNS
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly

ABUNDANCE_ROUNDS = 50  # of EM
ENOUGH_RUNS = 20  # over loops; with fewer, a sample is not called a serum
ENOUGH_PLACES = 10  # of runs, where no locus has a second chain
RUN_LENGTH = 3  # residues of a run
BEYOND_CORE = 8  # residues of a read beyond its core that are looked at
# Probability of each residue of a run, and share of the runs over loops that differ from what most
# show, in a serum. Of tools without confidences hardly a residue is so probable: likely runs count
# then, and misread ones among them, so that more must differ. 0.63 and 0.69 do in polyclonal IgG,
# 0.49 at most in reads of single antibodies, all as plain tables.
CONFIDENT, MIXED_SHARE = 0.7, 0.4
LIKELY, MIXED_IF_LIKELY = 0.4, 0.55
ENOUGH_READS = 4  # reads with such a run at a place


class Runs(NamedTuple):
    """Runs of reads over the loops of a chain: how many, how many of them differ from what most
    show there, and at how many places they lie."""

    n: int = 0
    others: int = 0
    places: int = 0


@dataclass(frozen=True, slots=True)
class Population:
    """A chain, its share of all reads, and its runs of reads over loops, confident or likely."""

    name: str
    share: float
    confident: Runs
    likely: Runs


def populations(assembly: Assembly, names: Sequence[str]) -> tuple[Population, ...]:
    """The share of the reads of each chain, and how mixed its loops are."""
    shares = abundances(assembly)
    return tuple(
        Population(name, float(shares[i]), *_runs(assembly, i)) for i, name in enumerate(names)
    )


def abundances(assembly: Assembly) -> np.ndarray:
    """(chains and contaminants,) shares of the reads by expectation maximisation.

    Reads that fit several chains equally well are theirs in proportion to what each has.
    """
    reads, placements = assembly.reads, assembly.placements
    read, count = placements.alignment.read, reads.count[placements.alignment.read]
    n, share = len(placements.text.start) - 1, placements.share
    of_chain = np.zeros(n)
    for _ in range(ABUNDANCE_ROUNDS):
        of_chain[:] = np.bincount(placements.chain, count * share, n)
        joint = np.maximum(of_chain[placements.chain], 1e-9) * placements.share
        share = joint / np.bincount(read, joint, len(reads))[read]
    return of_chain / max(float(of_chain.sum()), 1.0)


def _runs(assembly: Assembly, chain: int) -> tuple[Runs, Runs]:
    """Confident and likely runs of reads over loops.

    A read counts beyond its core too: in a serum reads begin in a common framework and go on into
    a loop of their own. If the loops of a single antibody are not built yet, its reads disagree
    with the template, but not with each other.
    """
    reads, draft = assembly.reads, assembly.drafts[chain]
    a = assembly.placements.of(chain).alignment
    loop = CDR_COLUMNS[draft.columns] & (draft.columns > 0)
    confident: dict[int, Counter[tuple[int, ...]]] = {}
    likely: dict[int, Counter[tuple[int, ...]]] = {}
    for read, (begin, end), (left, right) in zip(
        a.read.tolist(), a.core.tolist(), a.span.tolist(), strict=True
    ):
        before, behind = max(begin - BEYOND_CORE, 0), end + BEYOND_CORE
        for low, high, shift in (
            (before, begin, left - begin),
            (begin, min(behind, int(reads.length[read])), right - end),
        ):
            for c in range(low, high - RUN_LENGTH + 1):
                at = c + shift
                if at < 0 or at + RUN_LENGTH > len(loop) or not loop[at : at + RUN_LENGTH].all():
                    continue
                least = reads.right[read, c : c + RUN_LENGTH].min()
                if least >= LIKELY:
                    run = tuple(reads.tokens[read, c : c + RUN_LENGTH].tolist())
                    likely.setdefault(at, Counter())[run] += 1
                    if least >= CONFIDENT:
                        confident.setdefault(at, Counter())[run] += 1
    return _counted(confident.values()), _counted(likely.values())


def _counted(places: Iterable[Counter[tuple[int, ...]]]) -> Runs:
    """How many runs there are, and how many differ; places: of each, how often reads show a run."""
    counts = [list(of_place.values()) for of_place in places if of_place.total() >= ENOUGH_READS]
    n = sum(map(sum, counts))
    return Runs(n, n - sum(map(max, counts)), len(counts))


def is_serum(found: Sequence[Population], drafts: Sequence[Draft]) -> bool:
    """Whether the chains are those of many antibodies rather than of a few.

    The reads of a serum show several V segments of a locus. If there is one of each, a few peptides
    that are read badly again and again may differ as much, so that more places must, and the loops
    of every chain.
    """
    runs, mixed = [p.confident for p in found], MIXED_SHARE
    if sum(one.n for one in runs) < ENOUGH_RUNS:
        runs, mixed = [p.likely for p in found], MIXED_IF_LIKELY
    loci = [d.locus for d in drafts]
    several = len(set(loci)) < len(loci) or {"K", "L"} <= set(loci)
    if not several:
        of_every_chain = all(one.others >= mixed * one.n for one in runs)
        if sum(one.places for one in runs) < ENOUGH_PLACES or not of_every_chain:
            return False
    n = sum(one.n for one in runs)
    return n >= ENOUGH_RUNS and sum(one.others for one in runs) >= mixed * n
