"""Adapter of rule fill_gaps."""

from pathlib import Path

from lacuna.core.device import pick_device
from lacuna.core.logs import log_to
from lacuna.steps.blocks import fill_block_files

log_to(snakemake.log[0])
names = ("scaffolds", "kmers", "weights", "library", "alkylation")
fill_block_files(
    *(Path(snakemake.input[name]) for name in names),
    out={name: Path(path) for name, path in snakemake.output.items()},
    **{name: snakemake.params[name] for name in ("candidates", "modifications", "precision")},
    device=pick_device(snakemake.resources.get("gpu", 0)),
)
