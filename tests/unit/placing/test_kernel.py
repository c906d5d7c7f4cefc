"""The compiled alignment of reads: what it keeps from one run to the next."""

import zlib

from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.placing.aligning import kernel
from lacuna.placing.aligning.alignment import (
    BLOCK,
    INSERTED,
    MATCH,
    MISMATCH,
    ON_MISSING,
    OTHER_BLOCK,
)
from lacuna.placing.aligning.carried import BIN, BLOCK_TOLERANCE, REACH_BINS
from lacuna.placing.aligning.readset import MASSES, MAX_SHIFT


def test_compiled_code_is_made_anew_when_a_constant_of_another_module_changes() -> None:
    """numba freezes them, and looks at the time stamp of kernel.py alone."""
    kinds = (BLOCK, INSERTED, MATCH, MISMATCH, ON_MISSING, OTHER_BLOCK)
    numbers = (
        *MASSES.tolist(),
        BIN,
        BLOCK_TOLERANCE,
        REACH_BINS,
        MAX_SHIFT,
        ABSENT,
        N_RESIDUES,
        *kinds,
    )
    now = zlib.crc32(repr([float(n) for n in numbers]).encode())
    assert now == kernel.OF_OTHER_MODULES, f"write {now} as OF_OTHER_MODULES in kernel.py"
