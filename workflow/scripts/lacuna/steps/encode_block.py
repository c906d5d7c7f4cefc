"""What is found of a block of chains before the network fills them, over files."""

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
    """Find the lengths of a block's gaps and the templates, and write its k-mer tensors.

    kmers, resolved: where the tensors, and the scaffolds with their lengths, are written;
    alkylation: what C weighs in the sample, as `find_alkylation` wrote it.
    """
    loaded = load_reader(reader)
    allowed = Modifications(read_alkylation(alkylation).cysteine, **modifications)
    chains = resolve_lengths(read_scaffold_block(scaffolds), allowed, loaded)
    write_scaffolds(resolved, chains)
    write_kmers(kmers, loaded.encoder.encode(chains))
