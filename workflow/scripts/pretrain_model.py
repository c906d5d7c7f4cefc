"""Adapter of rules train_teacher and pretrain_model."""

from lacuna.core.logs import log_to
from lacuna.training.trainer import pretrain

log_to(snakemake.log[0])
pretrain(
    **{name: path for name, path in snakemake.input.items() if path},
    **dict(snakemake.output.items()),
    **dict(snakemake.params.items()),
    gpus=snakemake.resources.get("gpu", 0),
)
