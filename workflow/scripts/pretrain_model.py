"""Adapter of rule pretrain_model."""

from lacuna.logs import log_to
from lacuna.train import pretrain

log_to(snakemake.log[0])
pretrain(
    snakemake.input.chains,
    **dict(snakemake.output.items()),
    **dict(snakemake.params.items()),
    gpus=snakemake.resources.get("gpu", 0),
    threads=snakemake.threads,
)
