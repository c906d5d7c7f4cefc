"""Linkers between two V domains, as in an scFv: the domains are given as two chains without it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from lacuna.antibody.imgt import in_v_domain
from lacuna.core.alphabet import N_RESIDUES, decode, merge_il
from lacuna.placing.votes.draft import Draft
from lacuna.reads.read import Read

END_RESIDUES = 4  # residues of either domain that a read must have beside the linker
# Flexible linkers: G4S and the like, 218 (GSTSGSGKPGSGEGSTKG). Of N tools read GG, and the reverse.
# Behind a kappa domain many begin with R, the first residue of the constant region.
LINKER = "R?[GSTKPEAN]{6,30}?"


class Linker(NamedTuple):
    """What `n` reads have between the V domains of two chains: numbers of these, one in front of
    the other, and its residues in one of the reads."""

    first: int
    second: int
    residues: str
    n: int


def linkers(reads: Sequence[Read], drafts: Sequence[Draft]) -> Iterator[Linker]:
    """Yield the linkers between chains that reads show."""
    letters = [read.residues.replace("I", "L") for read in reads]
    ends = list(map(_ends, drafts))
    for first, second in permutations(range(len(drafts)), 2):
        if drafts[first].locus == drafts[second].locus:
            continue
        last, begins = re.escape(ends[first][1]), re.escape(ends[second][0])
        pattern = re.compile(f"{last}({LINKER}){begins}")
        found = [match[1] for match in map(pattern.search, letters) if match]
        if found:
            ((most, _),) = Counter(sorted(found)).most_common(1)
            yield Linker(first, second, most, len(found))


def _ends(draft: Draft) -> tuple[str, str]:
    """The first and the last residues of a V domain, L for I, by germline where no read is."""
    known = draft.tokens < N_RESIDUES
    tokens = np.where(known, draft.tokens, merge_il(draft.germline))[in_v_domain(draft.columns)]
    return decode(tokens[:END_RESIDUES]), decode(tokens[-END_RESIDUES:])
