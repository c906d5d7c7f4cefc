"""Chains from reads that are far from every germline: nothing there is sure that no read shows.

Reads of an antibody whose species is not bundled are placed where it is like the germlines that
are. What no read shows is then what differs most from them.
"""

import numpy as np

from lacuna.core.alphabet import N_RESIDUES, merge_il
from lacuna.evidence.posterior import OBSERVED_MARGIN, as_l, margin_of
from lacuna.network.nearness import C, compared, is_far, part_of, usual_share
from lacuna.placing.votes.draft import Draft

# Share of the posterior of V and of C that is spread evenly over residues that reads do not settle.
# Without it, 0.54 of those of C were right at 0.78 in 18 chains of species that are not bundled.
SPREAD_SHARES = np.array((0.1, 0.3))


def spread_of_far(draft: Draft, nats: np.ndarray, lost: bool) -> np.ndarray:
    """(t,) share of the posterior that is spread evenly, 0 where the chain is not far.

    nats (t, 20): of its reads; lost: whether the sample has a chain that was not found, as it
    happens with species that are not bundled.
    """
    settled = margin_of(nats) >= OBSERVED_MARGIN
    where = compared(draft.columns) & settled & (draft.germline < N_RESIDUES)  # (2, t)
    same = as_l(nats).argmax(1) == merge_il(draft.germline)
    shares = usual_share((where & same).sum(1), where.sum(1))
    far = is_far(shares, np.array(draft.v))
    parts = np.array((far.any() or lost, far[C]))
    part = part_of(draft.columns)
    return np.where((part >= 0) & ~settled & parts[part], SPREAD_SHARES[part], 0.0)
