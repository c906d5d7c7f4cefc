"""Proteins whose reads are set apart from those of antibodies."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lacuna.core.alphabet import encode, merge_il
from lacuna.core.files import MAX_SHOWN, printable, shortened
from lacuna.core.paths import CONTAMINANTS
from lacuna.placing.aligning.seeds import words
from lacuna.scaffolds.fasta import Fault
from lacuna.scaffolds.notation import read_letters
from lacuna.scaffolds.records import BYTES_PER_RESIDUE, read_records
from lacuna.scaffolds.scaffold import MAX_LENGTH

_RARE = bytes.maketrans(b"UOuo", b"XXXX")  # selenocysteine and pyrrolysine

SHARED_RUN = 10  # residues in a row that two proteins have in common only if they are related
ALIKE_RESIDUES = 30  # residues in such runs from which a contaminant is like a chain

LOG = logging.getLogger(__name__)


def read_contaminants(*paths: Path) -> list[tuple[str, str]]:
    """(name, sequence) of the bundled contaminants and of those in the user's FASTA files.

    U, O and what is missing are unknown residues. The log names each record that is left out.
    """
    found = []
    for path in (CONTAMINANTS, *paths):
        for record in read_records(path, BYTES_PER_RESIDUE * MAX_LENGTH):
            body = record.body
            if not any(mark in body for mark in b"[({"):  # names of modifications may have an O
                record = record._replace(body=body.translate(_RARE))
            try:
                found.append((record.chain, read_letters(record, MAX_LENGTH).sequence))
            except Fault as fault:
                name = shortened(record.chain, MAX_SHOWN)
                text = f"{path}:{fault.line}: '{name}' {fault.text}; it is no contaminant here"
                LOG.warning(printable(text))
    return found


def like_chains(
    contaminants: Sequence[tuple[str, str]], chains: Sequence[tuple[str, np.ndarray]]
) -> Iterator[tuple[int, str, int]]:
    """Yield the number of each contaminant (name, sequence) that is like a chain (name, tokens with
    L for I), the chain that it is most like, and the residues that they have in common.

    Reads of what is common are shared by both, so that the chain lacks a part of its own.
    """
    runs = [(name, words(tokens, SHARED_RUN)) for name, tokens in chains]
    for number, (_, sequence) in enumerate(contaminants):
        own = words(merge_il(encode(sequence)), SHARED_RUN)
        found = [(_covered((own >= 0) & np.isin(own, run)), name) for name, run in runs]
        residues, name = max(found, key=lambda one: one[0], default=(0, ""))
        if residues >= ALIKE_RESIDUES:
            yield number, name, residues


def _covered(starts: np.ndarray) -> int:
    """Residues of the runs that start where `starts` (n,) is true."""
    return (
        int((np.convolve(starts, np.ones(SHARED_RUN, dtype=int)) > 0).sum()) if len(starts) else 0
    )
