"""All steps of one sample in one process.

The files and the functions are those of the rules that take a single step with one sample.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lacuna.core.tables import TABLES
from lacuna.results.airr import write_airr
from lacuna.results.evidence import write_evidence
from lacuna.results.join import join_parts, write_alternatives
from lacuna.results.scores import measure
from lacuna.scaffolds.json_lines import block_path
from lacuna.steps.doubts import find_doubts_of_block
from lacuna.steps.encode_block import encode_block
from lacuna.steps.fill_block import fill_block_files
from lacuna.steps.find_alkylation import find_alkylation
from lacuna.steps.packs import LARGEST_SAMPLE
from lacuna.steps.read_spectra import look_at_spectra
from lacuna.steps.reader_files import Networks, ReaderFiles
from lacuna.steps.sample_files import SampleFiles
from lacuna.steps.settings import Settings
from lacuna.steps.split_scaffolds import ChainFiles, split_scaffolds

if TYPE_CHECKING:
    from lacuna.steps.sample_reads import ReadsGave


def fill_sample(
    sample: SampleFiles,
    networks: Networks,
    folder: Path,
    settings: Settings,
    device: torch.device,
    *,
    block_size: int = LARGEST_SAMPLE,
    n_blocks: int = 1,
    after_block: Callable[[], None] | None = None,
) -> None:
    """Take all steps with one sample, whose chains are `n_blocks` blocks of `block_size`.

    folder: for intermediate files; after_block: called after each block.
    """
    out, scaffolds = sample.outputs, folder / "scaffolds"
    reader = _reader_of(sample, networks, settings)
    gave = None
    if sample.reads:
        from lacuna.steps.sample_reads import weigh_reads  # slow to import, and most have none

        gave = weigh_reads(sample, folder, reader, settings)
    _split(sample, gave, scaffolds, settings, block_size=block_size, n_blocks=n_blocks)
    find_alkylation(
        scaffolds,
        out["alkylation"],
        alkylation=sample.alkylation,
        reader=reader,
        modifications=settings.modifications,
        tolerance_ppm=settings.tolerance_ppm,
        spectra=sample.spectra,
        reads=gave.cysteine if gave else None,
    )
    if sample.spectra:
        look_at_spectra(
            scaffolds,
            sample.spectra,
            out["alkylation"],
            out["spectra"],
            tolerance_ppm=settings.tolerance_ppm,
            modifications=settings.modifications,
        )
    tables = (*TABLES, "doubts") if "doubts" in out else TABLES
    parts: dict[str, list[Path]] = {table: [] for table in tables}
    for block in range(n_blocks):
        written = _fill_block(sample, block, folder, reader, settings, device)
        for table, path in written.items():
            parts[table].append(path)
        if after_block is not None:
            after_block()
    _join(sample, parts, scaffolds, gave.positions if gave else None)


def _fill_block(
    sample: SampleFiles,
    block: int,
    folder: Path,
    reader: ReaderFiles,
    settings: Settings,
    device: torch.device,
) -> dict[str, Path]:
    """Fill a block of a sample; its part of each table."""
    alkylation = sample.outputs["alkylation"]
    kmers, resolved = folder / "kmers.safetensors", folder / "scaffolds.jsonl"
    encode_block(
        block_path(folder / "scaffolds", block),
        alkylation,
        kmers,
        resolved,
        reader=reader,
        modifications=settings.modifications,
        complete_ends=settings.complete_ends,
        spectra=sample.outputs.get("spectra"),
    )
    written = {table: folder / f"{block:05d}.{table}.part" for table in TABLES}
    fill_block_files(
        resolved,
        kmers,
        alkylation,
        written,
        reader=reader,
        candidates=settings.candidates,
        modifications=settings.modifications,
        device=device,
    )
    if "doubts" in sample.outputs:
        written["doubts"] = folder / f"{block:05d}.doubts.part"
        find_doubts_of_block(resolved, written["doubts"], reader=reader, device=device)
    return written


def _join(
    sample: SampleFiles,
    parts: Mapping[str, Sequence[Path]],
    scaffolds: Path,
    positions: Path | None,
) -> None:
    """Write the files of a sample from the parts of its tables, and what follows from these.

    positions: what its reads say about every position.
    """
    out = sample.outputs
    measure(parts["scored"], [], out["accuracy"])
    for table, of_blocks in parts.items():
        if table != "scored":
            join_parts(table, of_blocks, out[table])
    if "evidence" in out:
        filled, gaps, residues = out["filled"], out["gaps"], out["residues"]
        write_evidence(
            scaffolds, filled, gaps, residues, positions, out["evidence"], out.get("spectra")
        )
    if "alternatives" in out:
        write_alternatives(out["gaps"], out["filled"], out["alternatives"])
    if "airr" in out:
        write_airr(sample.inputs["fasta"], out["filled"], out["gaps"], out["airr"])


def _reader_of(sample: SampleFiles, networks: Networks, settings: Settings) -> ReaderFiles:
    """What the chains of a sample are read with."""
    return ReaderFiles(
        weights=networks.weights,
        library=networks.library,
        homologs=sample.inputs.get("homologs"),
        species=sample.species,
        length=settings.kmer["length"],
        stride=settings.kmer["stride"],
        max_identity=settings.max_identity,
        precision=settings.precision,
        large_network=networks.large_network,
    )


def _split(
    sample: SampleFiles,
    gave: "ReadsGave | None",
    scaffolds: Path,
    settings: Settings,
    *,
    block_size: int,
    n_blocks: int,
) -> None:
    """Write the blocks of a sample, from what reads gave if it has some."""
    given = sample.inputs
    told = [given["evidence"]] if "evidence" in given else []
    files = ChainFiles(
        fasta=gave.fasta if gave else given["fasta"],
        gaps=gave.gaps if gave else given.get("gaps"),
        truth=given.get("truth"),
        homologs=given.get("homologs"),
        evidence=gave.evidence if gave else told,
        settled=gave.settled if gave else None,
        unread=gave.unread if gave else None,
        masses=given.get("masses"),
    )
    split_scaffolds(
        files,
        scaffolds,
        sample.outputs["rejected"],
        block_size=block_size,
        n_blocks=n_blocks,
        tolerance_ppm=settings.tolerance_ppm,
        on_bad_record=settings.on_bad_record,
    )
