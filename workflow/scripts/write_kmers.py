"""Adapter of rule write_kmers."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.scaffolds.json_lines import block_path
from lacuna.steps.arguments import arguments
from lacuna.steps.encode_block import encode_block
from lacuna.steps.reader_files import ReaderFiles

log_to(snakemake.log[0])
encode_block(
    **arguments(snakemake, "scaffolds", bundles={"reader": ReaderFiles}),
    scaffolds=block_path(Path(snakemake.input.scaffolds), snakemake.wildcards.block),
)
