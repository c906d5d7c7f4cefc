"""Encoding of a block of chains for the network, from files to files."""

from collections.abc import Mapping
from pathlib import Path

from lacuna.filling.lengths import resolve_lengths
from lacuna.filling.residue_masses import Modifications
from lacuna.network.kmers import write_kmers
from lacuna.scaffolds.alkylation import read_alkylation
from lacuna.scaffolds.read import read_scaffold_block, write_scaffolds
from lacuna.steps.load import load_reader
from lacuna.steps.reader_files import ReaderFiles


def encode_block(
    scaffolds: Path,
    alkylation: Path,
    kmers: Path,
    resolved: Path,
    *,
    reader: ReaderFiles,
    modifications: Mapping[str, bool],
) -> None:
    """Find lengths of gaps and templates for a block, and write its k-mer tensors.

    kmers, resolved: output files of the tensors, and of the scaffolds with their lengths;
    alkylation: what C weighs in the sample, a file of `find_alkylation`.
    """
    loaded = load_reader(reader)
    allowed = Modifications(read_alkylation(alkylation).cysteine, **modifications)
    chains = resolve_lengths(read_scaffold_block(scaffolds), allowed, loaded)
    write_scaffolds(resolved, chains)
    write_kmers(kmers, loaded.encoder.encode(chains))
