"""Adapter of rule write_alternatives."""

from lacuna.core.logs import log_to
from lacuna.results.join import write_alternatives
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
write_alternatives(**arguments(snakemake))
