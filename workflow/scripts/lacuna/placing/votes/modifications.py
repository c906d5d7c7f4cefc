"""What C carries in a sample: from the modifications that the tool wrote, and from the masses of
the ends of reads.

The search of a tool lists the modifications that it looks for. Where C carries another one, reads
go wrong at every C, but the mass from there to the end of the read is still right: the same
difference from the template turns up in many reads.
"""

import numpy as np

from lacuna.core.alphabet import ABSENT, CYSTEINE
from lacuna.core.masses import CYSTEINYL, DIOXIDATION
from lacuna.placing.aligning.readset import MASSES, ReadSet, running
from lacuna.placing.votes.placement import Placements
from lacuna.scaffolds.alkylation import NONE, READINGS

TRIOXIDATION = 47.984744  # Da, Unimod 345: cysteic acid
# Da: what alkylation leaves on C, and what a C may carry that it did not reach.
ON_CYSTEINE = (
    *(reading.mass for name, reading in READINGS.items() if name != NONE),
    TRIOXIDATION,
    DIOXIDATION,
    CYSTEINYL,
)
SEEN_SHARE = 0.05  # share of the C of reads that the tool wrote it on
TOLERANCE = 0.015  # Da
LONGEST_END = 15  # residues of the chain behind a core
MIN_ENDS = 6  # ends that weigh so, over those expected by chance


def carried_by_cysteine(reads: ReadSet, placements: Placements) -> tuple[float, ...]:
    """Da that C may carry, those of ON_CYSTEINE with evidence in the sample.

    What was found before is kept: the ends that showed it are explained by it now.
    """
    held = reads.delta[reads.tokens == CYSTEINE]
    written = [np.mean(np.abs(held - m) < TOLERANCE) if len(held) else 0.0 for m in ON_CYSTEINE]
    ends = end_differences(reads, placements)
    found = []
    for mass, share in zip(ON_CYSTEINE, written, strict=True):
        here = int((np.abs(ends - mass) < TOLERANCE).sum())
        around = int((np.abs(ends - mass) < 1.0).sum()) - here
        chance = around * TOLERANCE / (1.0 - TOLERANCE)
        if mass in reads.cysteine or share >= SEEN_SHARE or here >= MIN_ENDS + 3.0 * chance:
            found.append(mass)
    return tuple(found)


def end_differences(reads: ReadSet, placements: Placements) -> np.ndarray:
    """Da by which the ends of reads differ from stretches of the chain that hold one C.

    Every end of a read beyond its core is compared with every stretch next to the core.
    """
    a, text = placements.alignment, placements.text.tokens
    mass, cysteines, separators = map(running, (MASSES[text], text == CYSTEINE, text == ABSENT))
    total = reads.cumulative()[a.read]
    rows = np.arange(len(a.read))
    length = reads.length[a.read]
    found = []
    for after in (False, True):
        core, span = a.core[:, int(after)], a.span[:, int(after)]
        end = total[rows, length] - total[rows, core] if after else total[rows, core]
        loose = (core < length) if after else (core > 0)
        for n in range(1, LONGEST_END + 1):
            other = span + (n if after else -n)
            inside = (other >= 0) & (other <= len(text))
            other = np.clip(other, 0, len(text))
            inside &= separators[other] == separators[span]  # of the same chain
            one = loose & inside & (np.abs(cysteines[other] - cysteines[span]) == 1)
            found.append((end - np.abs(mass[other] - mass[span]))[one])
    return np.concatenate(found)
