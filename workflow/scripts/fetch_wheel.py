"""Adapter of rule fetch_wheel."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.training.corpora import fetch_wheel

log_to(snakemake.log[0])
fetch_wheel(**arguments(snakemake))
