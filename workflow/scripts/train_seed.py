"""Adapter of rule train_seed."""

from pathlib import Path

from lacuna.blocks import train_seed_models
from lacuna.logs import log_to

log_to(snakemake.log[0])
train_seed_models(
    Path(snakemake.input.scaffolds),
    Path(snakemake.output.report),
    **{name: snakemake.params[name] for name in ("k", "epochs", "seed")},
)
