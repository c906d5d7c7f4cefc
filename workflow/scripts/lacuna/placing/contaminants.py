"""Proteins whose reads are set apart from those of antibodies."""

import logging
from pathlib import Path

from lacuna.core.files import printable, shortened
from lacuna.core.paths import CONTAMINANTS
from lacuna.scaffolds.fasta import Fault
from lacuna.scaffolds.gaps import MAX_SHOWN
from lacuna.scaffolds.notation import read_letters
from lacuna.scaffolds.read import DEFAULT_MAX_LENGTH
from lacuna.scaffolds.records import read_records

_RARE = bytes.maketrans(b"UOuo", b"XXXX")  # selenocysteine and pyrrolysine

LOG = logging.getLogger(__name__)


def read_contaminants(*paths: Path) -> list[tuple[str, str]]:
    """(name, sequence) of the bundled contaminants and of those in the user's FASTA files.

    U, O and what is missing are unknown residues. The log names each record that is left out.
    """
    found = []
    for path in (CONTAMINANTS, *paths):
        for record in read_records(path, 32 * DEFAULT_MAX_LENGTH):
            body = record.body
            if not any(mark in body for mark in b"[({"):  # names of modifications may have an O
                record = record._replace(body=body.translate(_RARE))
            try:
                found.append((record.chain, read_letters(record, DEFAULT_MAX_LENGTH).sequence))
            except Fault as fault:
                name = shortened(record.chain, MAX_SHOWN)
                text = f"{path}:{fault.line}: '{name}' {fault.text}; it is no contaminant here"
                LOG.warning(printable(text))
    return found
