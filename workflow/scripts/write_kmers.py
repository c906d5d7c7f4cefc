"""Adapter of rule write_kmers."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.join import block_path
from lacuna.steps.arguments import arguments
from lacuna.steps.blocks import encode_block

log_to(snakemake.log[0])
encode_block(
    **arguments(snakemake, "scaffolds"),
    scaffolds=block_path(Path(snakemake.input.scaffolds), snakemake.wildcards.block),
)
