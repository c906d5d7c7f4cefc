"""Adapter of rule fill_gaps."""

from lacuna.core.device import pick_device
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.fill_block import fill_block_files

log_to(snakemake.log[0])
fill_block_files(
    **arguments(snakemake, outputs="out"),
    device=pick_device(snakemake.resources.get("gpu", 0)),
)
