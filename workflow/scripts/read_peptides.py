"""Adapter of rule read_peptides."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.reads import read_peptides

log_to(snakemake.log[0])
read_peptides(**arguments(snakemake))
