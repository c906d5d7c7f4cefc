"""Adapter of rule write_alternatives."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.join import write_alternatives

log_to(snakemake.log[0])
paths = (snakemake.input.gaps, snakemake.input.filled, snakemake.output.alternatives)
write_alternatives(*map(Path, paths))
