"""Adapter of rules train_model, train_teacher and pretrain_model."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.training.run import pretrain

log_to(snakemake.log[0])
pretrain(**arguments(snakemake), gpus=snakemake.resources.get("gpu", 0))
