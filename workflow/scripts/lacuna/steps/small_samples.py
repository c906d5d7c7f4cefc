"""Packs of small samples: all steps of one after the other, in one process."""

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from lacuna.core.files import in_sample
from lacuna.steps.arguments import files_by_sample
from lacuna.steps.fill_sample import fill_sample
from lacuna.steps.reader_files import Networks
from lacuna.steps.sample_files import SampleFiles
from lacuna.steps.settings import Settings

LOG = logging.getLogger(__name__)

# Columns that may name several files: those of `sheet.SEVERAL`, as a test checks. A job does not
# import the sheet, which needs jsonschema, and whose changes would fill every pack again.
SEVERAL = ("reads", "spectra")


def samples_of(
    rows: Sequence[Mapping[str, str]],
    inputs: Mapping[str, Sequence[str]],
    outputs: Mapping[str, Sequence[str]],
) -> Iterator[SampleFiles]:
    """Yield the samples of a pack from the lists of files of a job.

    rows: for each sample its name, what the sheet says of it, the columns of its files (those of
    SEVERAL once for each file) and the names of its outputs, both separated by blanks; inputs: by
    column, the files of all samples (other inputs are ignored); outputs: by name, a file for each
    sample that has it.
    """
    files = {column: iter(paths) for column, paths in inputs.items()}
    tables = files_by_sample(outputs, (row["tables"].split() for row in rows))
    for row, made in zip(rows, tables, strict=True):
        given = [(column, Path(next(files[column]))) for column in row["columns"].split()]
        several = {
            name: tuple(path for column, path in given if column == name) for name in SEVERAL
        }
        yield SampleFiles(
            row["sample"],
            row["species"],
            row["alkylation"],
            {column: path for column, path in given if column not in SEVERAL},
            made,
            reads_format=row["reads_format"],
            **several,
        )


def fill_pack(
    samples: Iterable[SampleFiles],
    networks: Networks,
    scratch: Path,
    *,
    settings: Settings,
    device: torch.device,
) -> None:
    """Write every file of every sample; those of a sample appear once its last step is done.

    scratch: a folder on the same file system for unfinished files; a killed process leaves them
    there. Raises LacunaError that names the sample if one cannot be filled.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    for sample in samples:
        LOG.info("sample %s", sample.name)
        folder = scratch / sample.name
        done = {name: folder / path.name for name, path in sample.outputs.items()}
        with in_sample(sample.name):
            fill_sample(replace(sample, outputs=done), networks, folder, settings, device)
        for name, path in sample.outputs.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(done[name], path)
        shutil.rmtree(folder)
