"""Adapter of rule join_accuracy."""

from lacuna.core.logs import log_to
from lacuna.results.summary import TablesOfSamples, join_accuracy
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
lists = ["reads", "evidence", "spectra", "masses", "doubts"]
join_accuracy(**arguments(snakemake, "report", lists=lists, bundles={"tables": TablesOfSamples}))
