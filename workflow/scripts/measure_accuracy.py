"""Adapter of rule measure_accuracy."""

from lacuna.core.logs import log_to
from lacuna.results.scores import measure
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
measure(**arguments(snakemake, lists=["seed"]))
