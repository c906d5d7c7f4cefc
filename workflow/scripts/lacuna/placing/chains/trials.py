"""Changes of whole chains that reads decide on: each is tried among all other chains."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.placing.aligning.memory import Memory
from lacuna.placing.stretches.junction import BETTER_BY, Surroundings, touching
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import place_on


@dataclass(frozen=True, slots=True)
class Among:
    """A chain among all others, to try what reads gain by a change of it.

    drafts: the chains as they are; fixed: those that do not change, as contaminants; chain: which
    of the drafts is tried.
    """

    memory: Memory
    drafts: Sequence[Draft]
    fixed: Sequence[Draft]
    chain: int

    def with_chain(self, draft: Draft) -> list[Draft]:
        """All chains, with another draft of the one that is tried."""
        return [*self.drafts[: self.chain], draft, *self.drafts[self.chain + 1 :], *self.fixed]

    def gain(self, before: Draft, after: Draft, rows: np.ndarray) -> float:
        """Nats that some reads gain by the second of two drafts over the first."""
        now, then = (
            explained(self.memory, self.with_chain(draft), rows) for draft in (before, after)
        )
        return then - now


def with_end_of_fr3(
    among: Among, around: Surroundings, draft: Draft, arms: Sequence[np.ndarray]
) -> Draft:
    """The draft with the residues in front of Cys104 that the reads of its CDR3 have there, if
    reads like it better.

    Where another chain has the germline's residues, its reads would outvote a mutation.
    """
    start, stop = draft.cdr3()
    if not draft.bridged:
        return draft
    whole = draft.tokens[start - 1 : stop]  # with Cys104
    for arm in arms:
        n = len(arm) - len(whole)
        if not 0 < n < start or not np.array_equal(arm[n:], whole):
            continue
        tokens = draft.tokens.copy()
        tokens[start - 1 - n : start - 1] = arm[:n]
        changed = draft.with_tokens(np.where(draft.held, draft.tokens, tokens))
        if np.array_equal(changed.tokens, draft.tokens):
            continue
        rows = touching(around, [whole[1:]])
        if among.gain(draft, changed, rows) > BETTER_BY:
            return changed
    return draft


def explained(memory: Memory, drafts: Sequence[Draft], rows: np.ndarray) -> float:
    """Nats of some reads on the chains that they fit best."""
    best = place_on(memory.reads, drafts, rows, memory).best(len(memory.reads))
    return float(best @ memory.reads.weight)
