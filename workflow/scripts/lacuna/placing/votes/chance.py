"""How good a core must be in a sample: better than most that reads have by chance.

Reads of other proteins, and failed ones, agree with a chain for some residues too. How often, and
how well, is seen on the chains read backwards, on which no read belongs (Elias and Gygi 2007,
10.1038/nmeth1019).
"""

import numpy as np

from lacuna.placing.aligning.align import MIN_SCORE
from lacuna.placing.votes.placement import Assembly, place_on

SURE_NATS = 20.0  # nats of a core that no read has by chance
STEP_NATS = 0.5  # nats by which more is asked for at a time
CHANCE_SHARE = 0.5  # share of the cores of a score that may be of chance
MOST_NATS = 15.0  # nats that are asked for at most
FEWEST_CORES = 5  # cores on backward chains that show how many are by chance


def least_score(assembly: Assembly) -> float:
    """Nats of a core from which more reads are of the chains than by chance."""
    reads, drafts, placements = assembly.reads, assembly.drafts, assembly.placements
    n = len(reads)
    chains = placements.take(np.flatnonzero(placements.chain < len(drafts))).best(n)
    loose = np.flatnonzero(placements.best(n) < SURE_NATS)
    backward = [draft.with_tokens(draft.tokens[::-1]) for draft in drafts]
    decoys = place_on(reads, backward, loose).best(n)
    least = MIN_SCORE
    while least < MOST_NATS:
        here, by_chance = (
            int(((found >= least) & (found < least + STEP_NATS)).sum())
            for found in (chains, decoys)
        )
        if by_chance < FEWEST_CORES or by_chance < CHANCE_SHARE * here:
            break
        least += STEP_NATS
    return least
