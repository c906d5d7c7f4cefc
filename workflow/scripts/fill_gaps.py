"""Adapter of rule fill_gaps."""

from pathlib import Path

from lacuna.blocks import fill_block_files
from lacuna.device import pick_device
from lacuna.logs import log_to

log_to(snakemake.log[0])
names = ("scaffolds", "kmers", "weights", "library", "alkylation")
fill_block_files(
    *(Path(snakemake.input[name]) for name in names),
    out={name: Path(path) for name, path in snakemake.output.items()},
    **{name: snakemake.params[name] for name in ("candidates", "modifications", "precision")},
    device=pick_device(snakemake.resources.get("gpu", 0)),
)
