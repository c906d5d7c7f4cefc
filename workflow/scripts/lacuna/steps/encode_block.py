"""Encoding of a block of chains for the network, from files to files."""

from collections.abc import Mapping
from pathlib import Path

from lacuna.filling.lengths.given import note_better_lengths
from lacuna.filling.lengths.open_ends import open_ends
from lacuna.filling.lengths.unknown import resolve_lengths
from lacuna.network.kmers import write_kmers
from lacuna.scaffolds.alkylation import read_alkylation
from lacuna.scaffolds.json_lines import read_scaffold_block, write_scaffolds
from lacuna.scaffolds.residue_masses import Modifications
from lacuna.spectra.table import with_spectra
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
    complete_ends: bool,
    spectra: Path | None = None,
) -> None:
    """Find lengths of gaps and templates for a block, and write its k-mer tensors.

    kmers, resolved: output files of the tensors, and of the scaffolds with their lengths;
    alkylation: the state of C in the sample, a file of `find_alkylation`; complete_ends: whether
    ends of V domains that are missing without a mark are gaps too; spectra: what they say of gaps,
    a table of `look_at_spectra`.
    """
    loaded = load_reader(reader)
    allowed = Modifications(read_alkylation(alkylation).cysteine, **modifications)
    given = read_scaffold_block(scaffolds)
    if spectra is not None:
        given = with_spectra(given, spectra)
    opened = open_ends(given, loaded.encoder.library, allowed) if complete_ends else given
    chains = resolve_lengths(opened, allowed, loaded)
    encoded = loaded.encoder.encode(chains)
    write_scaffolds(resolved, note_better_lengths(opened, chains, encoded, loaded))
    write_kmers(kmers, encoded)
