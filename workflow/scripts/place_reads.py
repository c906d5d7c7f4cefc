"""Adapter of rule place_reads."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.place_reads import place_reads

log_to(snakemake.log[0])
place_reads(**arguments(snakemake))
