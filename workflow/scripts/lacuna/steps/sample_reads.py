"""The steps of a sample with reads before it is filled, in one process."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lacuna.steps.place_reads import place_reads
from lacuna.steps.reader_files import ReaderFiles
from lacuna.steps.reads import read_peptides
from lacuna.steps.weigh_evidence import weigh_evidence


class ReadsGave(NamedTuple):
    """The files that a sample's reads give, from which it is filled; named as columns of the sheet.

    positions: what the reads say about every position, for evidence.tsv; unread: rows of the files
    that are not reads; cysteine: what they carry on C.
    """

    fasta: Path
    gaps: Path | None
    evidence: list[Path]
    settled: Path | None
    positions: Path
    unread: Path
    cysteine: Path


def weigh_reads(
    reads: tuple[Path, ...],
    reads_format: str,
    inputs: Mapping[str, Path],
    out: Mapping[str, Path],
    folder: Path,
    *,
    reader: ReaderFiles,
    tolerance_ppm: float,
    modifications: Mapping[str, bool],
    large_network: Path | None,
) -> ReadsGave:
    """Read, place and weigh the reads of a sample; write its `scaffolds` and `reads` of `out`.

    inputs: its other columns of the sheet; folder: for intermediate files; large_network: weights,
    in thorough mode.
    """
    fasta, gaps = inputs.get("fasta"), inputs.get("gaps")
    peptides, placed = folder / "reads.jsonl.gz", folder / "placed.safetensors"
    unread, positions = folder / "unread.tsv", folder / "positions.tsv"
    cysteine = folder / "cysteine.json"
    evidence, found_gaps = folder / "evidence.of_reads.tsv", folder / "gaps.of_reads.tsv"
    read_peptides(reads, reads_format, peptides, unread, cysteine)
    place_reads(
        peptides,
        fasta,
        gaps,
        inputs.get("contaminants"),
        reader.library,
        placed,
        species=reader.species,
        tolerance_ppm=tolerance_ppm,
        modifications=modifications,
    )
    weigh_evidence(
        placed,
        out["scaffolds"],
        out["reads"],
        evidence,
        found_gaps,
        positions,
        reader=reader,
        large_network=large_network,
    )
    given = [inputs["evidence"]] if "evidence" in inputs else []
    return ReadsGave(
        fasta or out["scaffolds"],
        gaps if fasta else found_gaps,
        [*given, evidence] if fasta else [],
        None if fasta else evidence,
        positions,
        unread,
        cysteine,
    )
