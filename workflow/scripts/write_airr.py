"""Adapter of rule write_airr."""

from lacuna.core.logs import log_to
from lacuna.results.airr import write_airr
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
write_airr(**arguments(snakemake))
