"""Adapter of rule fit_read_errors."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.read_errors import fit_read_errors

log_to(snakemake.log[0])
fit_read_errors(**arguments(snakemake, "files"))
