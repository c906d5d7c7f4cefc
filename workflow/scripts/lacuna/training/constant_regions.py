"""Constant regions that training appends to V domains, with their templates."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lacuna.antibody.germlines import LOCI, constants
from lacuna.core.alphabet import ABSENT, RESIDUES, encode
from lacuna.templates.alignment import lay_template
from lacuna.templates.nearest import N_GERMLINE

ALIGNED = 24  # constant regions that each one is aligned to


def constant_tensors() -> dict[str, Tensor]:
    """Constant regions and, aligned to each, its nearest other alleles of the locus.

    Returns chains.constants (m, width) uint8, chains.constant_templates (m, N_GERMLINE, width)
    uint8 and chains.constant_locus (m,) long.
    """
    alleles = [c for c in constants() if set(c.sequence) <= set(RESIDUES)]
    words = [_words(c.sequence) for c in alleles]
    width = max(len(c.sequence) for c in alleles)
    tokens = np.full((len(alleles), width), ABSENT, dtype=np.uint8)
    templates = np.full((len(alleles), N_GERMLINE, width), ABSENT, dtype=np.uint8)
    for i, allele in enumerate(alleles):
        own = encode(allele.sequence)
        tokens[i, : len(own)] = own
        others = [j for j, c in enumerate(alleles) if c.locus == allele.locus and j != i]
        aligned = []
        for j in _candidates(words, i, others):
            row = lay_template(allele.sequence, alleles[j].sequence)
            aligned.append((int((row == own).sum()), row))
        aligned.sort(key=lambda pair: -pair[0])
        # The nearest template of most chains is their own allele: half of the rows include it.
        rows = [own, *(row for _, row in aligned)] if i % 2 else [row for _, row in aligned]
        for slot, row in enumerate(rows[:N_GERMLINE]):
            templates[i, slot, : len(row)] = row
    return {
        "chains.constants": torch.from_numpy(tokens),
        "chains.constant_templates": torch.from_numpy(templates),
        "chains.constant_locus": torch.tensor([LOCI.index(a.locus) for a in alleles]),
    }


def _words(sequence: str) -> Counter[str]:
    return Counter(sequence[i : i + 3] for i in range(len(sequence) - 2))


def _candidates(words: Sequence[Counter[str]], i: int, others: Sequence[int]) -> list[int]:
    """Those of `others` that an alignment may find nearest to i, in their order.

    Alignments take milliseconds each. The sequence that shares the most words is the nearest, but
    if few words are shared, as between the classes of constant regions, their number says little.
    """
    shared = {j: (words[i] & words[j]).total() for j in others}
    best = sorted(others, key=lambda j: -shared[j])
    if len(best) > ALIGNED and shared[best[N_GERMLINE - 1]] >= words[i].total() / 3:
        best = best[:ALIGNED]
    return sorted(best)
