"""Adapter of rule write_evidence."""

from lacuna.core.logs import log_to
from lacuna.results.evidence import write_evidence
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
write_evidence(**arguments(snakemake))
