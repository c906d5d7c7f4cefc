"""All steps of many small samples in one process, over the files and by the functions of the rules
that take a step of one sample each."""

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lacuna.core.files import LacunaError
from lacuna.results.airr import write_airr
from lacuna.results.join import (
    HEADERS,
    TABLES,
    block_path,
    join_parts,
    split_scaffolds,
    write_alternatives,
)
from lacuna.results.scores import measure
from lacuna.steps.blocks import encode_block, fill_block_files
from lacuna.steps.doubts import find_doubts_of_block
from lacuna.steps.find_alkylation import find_alkylation
from lacuna.steps.packs import LARGEST

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SmallSample:
    """A sample and its files.

    inputs: its FASTA and its other columns of the sheet, by column; outputs: by their names
    without suffix, `alternatives` and `doubts` where they are wanted, `airr` of a repertoire.
    """

    name: str
    species: str
    alkylation: str
    inputs: Mapping[str, Path]
    outputs: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says of filling, as the functions of the steps take it."""

    tolerance_ppm: float
    on_bad_record: str
    kmer: Mapping[str, int]
    max_identity: float
    modifications: Mapping[str, bool]
    candidates: int
    precision: str
    complete_ends: bool


def samples_of(
    rows: Sequence[Mapping[str, str]],
    inputs: Mapping[str, Sequence[str]],
    outputs: Mapping[str, Sequence[str]],
) -> Iterator[SmallSample]:
    """Yield the samples of a pack from the lists of files that a job is given.

    rows: of each sample its name, its species and the columns of the sheet that it fills, apart by
    blanks; inputs: by column the files of the samples that fill it (what else a job is given is
    left aside); outputs: by name a file of each sample.
    """
    files = {column: iter(paths) for column, paths in inputs.items()}
    for i, row in enumerate(rows):
        given = {column: Path(next(files[column])) for column in row["columns"].split()}
        made = {name: Path(paths[i]) for name, paths in outputs.items()}
        yield SmallSample(row["sample"], row["species"], row["alkylation"], given, made)


def fill_pack(
    samples: Iterable[SmallSample],
    weights: Path,
    library: Path,
    scratch: Path,
    *,
    settings: Settings,
    device: torch.device,
) -> None:
    """Write every file of every sample, those of one sample when its last step is done.

    scratch: a folder on the same file system for what is not done; what a kill leaves is in there.
    Raises LacunaError that names the sample if one cannot be filled.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    for sample in samples:
        LOG.info("sample %s", sample.name)
        folder = scratch / sample.name
        done = {name: folder / path.name for name, path in sample.outputs.items()}
        try:
            fill_sample(sample, done, weights, library, folder, settings, device)
        except LacunaError as error:
            raise LacunaError(f"sample '{sample.name}': {error}") from None
        for name, path in sample.outputs.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(done[name], path)
        shutil.rmtree(folder)


def fill_sample(
    sample: SmallSample,
    out: Mapping[str, Path],
    weights: Path,
    library: Path,
    folder: Path,
    settings: Settings,
    device: torch.device,
    *,
    block_size: int = LARGEST,
    n_blocks: int = 1,
    after_block: Callable[[], None] | None = None,
) -> None:
    """The steps of one sample, whose chains are `n_blocks` blocks of `block_size`.

    out: where its files are written, by name; folder: for what lies between two steps;
    after_block: called when a block is filled.
    """
    given = sample.inputs
    scaffolds = folder / "scaffolds"
    kmers, resolved = folder / "kmers.safetensors", folder / "scaffolds.jsonl"
    split_scaffolds(
        *(given["fasta"], given.get("gaps"), given.get("truth")),
        *(scaffolds, out["rejected"]),
        homologs=given.get("homologs"),
        block_size=block_size,
        n_blocks=n_blocks,
        tolerance_ppm=settings.tolerance_ppm,
        on_bad_record=settings.on_bad_record,
    )
    reading: dict[str, Any] = {
        **settings.kmer,
        "max_identity": settings.max_identity,
        "species": sample.species,
        "modifications": settings.modifications,
        "precision": settings.precision,
    }
    homologs = given.get("homologs")
    alkylation = out["alkylation"]
    find_alkylation(
        *(scaffolds, homologs, weights, library, alkylation),
        alkylation=sample.alkylation,
        **reading,
    )
    parts: dict[str, list[Path]] = {table: [] for table in TABLES}
    doubts: list[Path] = []
    for block in range(n_blocks):
        encode_block(
            *(block_path(scaffolds, block), homologs, weights, library, alkylation),
            *(kmers, resolved),
            **reading,
            complete_ends=settings.complete_ends,
        )
        written = {table: folder / f"{block:05d}.{table}.part" for table in TABLES}
        fill_block_files(
            *(resolved, kmers, weights, library, alkylation, written),
            candidates=settings.candidates,
            modifications=settings.modifications,
            precision=settings.precision,
            device=device,
        )
        for table, path in written.items():
            parts[table].append(path)
        if "doubts" in out:
            doubts.append(folder / f"{block:05d}.doubts.part")
            find_doubts_of_block(
                *(resolved, homologs, weights, library, doubts[-1]),
                length=settings.kmer["length"],
                stride=settings.kmer["stride"],
                max_identity=settings.max_identity,
                species=sample.species,
                precision=settings.precision,
                device=device,
            )
        if after_block is not None:
            after_block()
    for table in ("filled", "residues", "gaps", "chains"):
        join_parts(parts[table], out[table], HEADERS.get(table, ""))
    if "doubts" in out:
        join_parts(doubts, out["doubts"], HEADERS["doubts"])
    measure(parts["scored"], [], out["accuracy"])
    if "alternatives" in out:
        write_alternatives(out["gaps"], out["filled"], out["alternatives"])
    if "airr" in out:
        write_airr(given["fasta"], out["filled"], out["gaps"], out["airr"])
