"""Adapter of rule read_scaffolds."""

from lacuna.core.logs import log_to
from lacuna.results.join import split_scaffolds
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
split_scaffolds(**arguments(snakemake, lists=["evidence"]))
