"""Adapter of rule read_spectra."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.read_spectra import look_at_spectra

log_to(snakemake.log[0])
look_at_spectra(**arguments(snakemake))
