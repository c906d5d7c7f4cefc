"""The steps of a sample with reads before it is filled, in one process."""

from pathlib import Path
from typing import NamedTuple

from lacuna.steps.place_reads import place_reads
from lacuna.steps.reader_files import ReaderFiles
from lacuna.steps.reads import read_peptides
from lacuna.steps.sample_files import SampleFiles
from lacuna.steps.settings import Settings
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
    sample: SampleFiles, folder: Path, reader: ReaderFiles, settings: Settings
) -> ReadsGave:
    """Read, place and weigh the reads of a sample; write its `scaffolds` and `reads`.

    folder: for intermediate files.
    """
    inputs, out = sample.inputs, sample.outputs
    fasta, gaps = inputs.get("fasta"), inputs.get("gaps")
    peptides, placed = folder / "reads.jsonl.gz", folder / "placed.safetensors"
    unread, positions = folder / "unread.tsv", folder / "positions.tsv"
    cysteine = folder / "cysteine.json"
    evidence, found_gaps = folder / "evidence.of_reads.tsv", folder / "gaps.of_reads.tsv"
    read_peptides(sample.reads, sample.reads_format, peptides, unread, cysteine)
    place_reads(
        peptides,
        fasta,
        gaps,
        inputs.get("contaminants"),
        reader.library,
        placed,
        species=reader.species,
        tolerance_ppm=settings.tolerance_ppm,
        modifications=settings.modifications,
    )
    weigh_evidence(
        placed,
        out["scaffolds"],
        out["reads"],
        evidence,
        found_gaps,
        positions,
        reader=reader,
    )
    given = [inputs["evidence"]] if "evidence" in inputs else []
    return ReadsGave(
        fasta=fasta or out["scaffolds"],
        gaps=gaps if fasta else found_gaps,
        evidence=[*given, evidence] if fasta else [],
        settled=None if fasta else evidence,
        positions=positions,
        unread=unread,
        cysteine=cysteine,
    )
