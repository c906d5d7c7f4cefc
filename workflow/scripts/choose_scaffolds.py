"""Adapter of rule choose_scaffolds."""

from lacuna.benchmark.peers import choose_scaffolds
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
choose_scaffolds(**arguments(snakemake))
