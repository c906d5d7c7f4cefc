"""Constant regions that training appends to V domains, with their templates."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from lacuna.antibody.germlines import LOCI, constants
from lacuna.core.alphabet import ABSENT, RESIDUES, encode
from lacuna.templates.alignment import lay_template
from lacuna.templates.nearest import N_GERMLINE


def constant_tensors() -> dict[str, Tensor]:
    """Constant regions and, aligned to each, its nearest other alleles of the locus.

    Returns chains.constants (m, width) uint8, chains.constant_templates (m, N_GERMLINE, width)
    uint8 and chains.constant_locus (m,) long.
    """
    alleles = [c for c in constants() if set(c.sequence) <= set(RESIDUES)]
    width = max(len(c.sequence) for c in alleles)
    tokens = np.full((len(alleles), width), ABSENT, dtype=np.uint8)
    templates = np.full((len(alleles), N_GERMLINE, width), ABSENT, dtype=np.uint8)
    for i, allele in enumerate(alleles):
        own = encode(allele.sequence)
        tokens[i, : len(own)] = own
        others = [c.sequence for c in alleles if c.locus == allele.locus and c is not allele]
        aligned = _nearest(allele.sequence, others)
        # The nearest template of most chains is their own allele: half of the rows include it.
        rows = [own, *aligned] if i % 2 else aligned
        for slot, row in enumerate(rows[:N_GERMLINE]):
            templates[i, slot, : len(row)] = row
    return {
        "chains.constants": torch.from_numpy(tokens),
        "chains.constant_templates": torch.from_numpy(templates),
        "chains.constant_locus": torch.tensor([LOCI.index(a.locus) for a in alleles]),
    }


def _nearest(target: str, others: Sequence[str]) -> list[np.ndarray]:
    """Rows of the N_GERMLINE others of which most residues lie on their like in the target, the
    nearest first and of equal ones the first.

    An alignment takes milliseconds, and never has more such residues than the longest common
    subsequence: the others whose subsequence is too short are not aligned.
    """
    own = encode(target)
    most = [letters_in_common(*sorted((target, other))) for other in others]
    found: list[tuple[int, int, np.ndarray]] = []  # residues on their like, number, row
    for number in sorted(range(len(others)), key=lambda number: -most[number]):
        if len(found) == N_GERMLINE and most[number] < found[-1][0]:
            break
        row = lay_template(target, others[number])
        found.append((int((row == own).sum()), number, row))
        found = sorted(found, key=lambda one: (-one[0], one[1]))[:N_GERMLINE]
    return [row for *_, row in found]


@cache
def letters_in_common(one: str, other: str) -> int:
    """Letters of the longest common subsequence (Hyyro, 2004: one bit for each letter of `one`)."""
    places: dict[str, int] = {}
    for i, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << i
    whole = (1 << len(one)) - 1
    left = whole
    for letter in other:
        here = left & places.get(letter, 0)
        left = ((left + here) | (left - here)) & whole
    return len(one) - left.bit_count()
