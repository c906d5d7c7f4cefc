"""Adapter of rule fill_gaps."""

from lacuna.core.device import pick_device
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.fill_block import fill_block_files
from lacuna.steps.reader_files import ReaderFiles

log_to(snakemake.log[0])
fill_block_files(
    **arguments(snakemake, outputs="out", bundles={"reader": ReaderFiles}),
    device=pick_device(snakemake.resources.get("gpu", 0)),
)
