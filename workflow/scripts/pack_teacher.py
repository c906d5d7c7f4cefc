"""Adapter of rule pack_teacher."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.training.run import pack_teacher

log_to(snakemake.log[0])
pack_teacher(**arguments(snakemake))
