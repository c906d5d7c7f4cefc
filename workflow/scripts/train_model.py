"""Adapter of rule train_model."""

from lacuna.core.logs import log_to
from lacuna.training.trainer import pretrain

log_to(snakemake.log[0])
pretrain(
    snakemake.input.chains,
    **{name: snakemake.output[name] for name in ("weights", "library", "curve")},
    **{name: snakemake.params[name] for name in ("model", "train", "masking", "threads")},
    start=snakemake.input.start or None,
    gpus=snakemake.resources.get("gpu", 0),
)
