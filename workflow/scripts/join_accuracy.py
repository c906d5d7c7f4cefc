"""Adapter of rule join_accuracy."""

from lacuna.core.logs import log_to
from lacuna.results.scores import join_accuracy
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
join_accuracy(**arguments(snakemake, "report", lists=["reads", "evidence", "doubts"]))
