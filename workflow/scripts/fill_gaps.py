"""Adapter of rule fill_gaps."""

from pathlib import Path

from lacuna.blocks import block_path, fill_block_files
from lacuna.device import pick_device
from lacuna.logs import log_to

log_to(snakemake.log[0])
fill_block_files(
    block_path(Path(snakemake.input.scaffolds), snakemake.wildcards.block),
    *(Path(snakemake.input[name]) for name in ("kmers", "weights", "library")),
    out={name: Path(path) for name, path in snakemake.output.items()},
    candidates=snakemake.params.candidates,
    device=pick_device(snakemake.resources.get("gpu", 0)),
)
