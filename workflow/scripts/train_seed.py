"""Adapter of rule train_seed."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.tutorial.run import train_seed_models

log_to(snakemake.log[0])
train_seed_models(**arguments(snakemake))
