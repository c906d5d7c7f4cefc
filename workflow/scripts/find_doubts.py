"""Adapter of rule find_doubts."""

from lacuna.core.device import pick_device
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.doubts import find_doubts_of_block
from lacuna.steps.reader_files import ReaderFiles

log_to(snakemake.log[0])
find_doubts_of_block(
    **arguments(snakemake, bundles={"reader": ReaderFiles}),
    device=pick_device(snakemake.resources.get("gpu", 0)),
)
